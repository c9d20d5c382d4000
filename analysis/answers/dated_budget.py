"""How many hours to buy for a year, whether the tolerated tax pays, and what would change it.

The question is that of the model ``alignment`` under a view's ``[alignment] date``, which
:func:`aligntax.models.alignment.at_date` answers for every draw. No evidence bears on the date
itself, so that the stored draws of any run that has alignment answer it for any year, and for a
developer whose largest run has a stated cost.

``h`` hours suffice with probability ``c`` when ``h`` is the ``c``-quantile of the hours needed, and
are paid for where the tolerated tax allows as many. Infinite where fewer draws have any hours that
suffice. What would change ``h`` is told by :mod:`aligntax.analysis.answers.swings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from aligntax.analysis.answers.condition import Given, apply_condition, verdict_of
from aligntax.analysis.answers.labour_split import LabourSplit, how_to_price, labour_split
from aligntax.analysis.answers.newsvendor import CONFIDENCE
from aligntax.analysis.answers.swings import Swing, swings
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import iter_series, weighted_points
from aligntax.analysis.summaries.weights import Weights
from aligntax.models import alignment
from aligntax.models.ai_labour import cost_per_hour
from aligntax.models.errors import InputError
from aligntax.models.taxes import needed_hours
from aligntax.models.trend import Trend

# Hours a year of one person who works full time: as in the table `feedback_workforces`, whose rows
# of people are counted so (our reading of full time).
FULL_TIME = 1800.0
FIRST_YEAR = 2015.0  # before it there is no human feedback to count
FEWEST_BEYOND = 5.0  # effective draws beyond a quantile, below which it is not told
STEP = 0.1  # on a quantity's own scale, by which it is moved to see whether the hours move
WIDTH = 100  # characters of a line of a repr
POINTS = (0.05, 0.5, 0.95)


@dataclass(frozen=True, repr=False)
class DatedBudget:
    """What to buy for the largest run of a year, or for a run of a stated cost.

    Each tuple of three numbers is a 5%, 50% and 95% point.

    Attributes
    ----------
    run, model : str
        Whose draws answer.
    year : float
        Decimal year.
    confidence : float
        Probability that the hours suffice.
    stated_cost : float or None
        USD of the developer's largest run, where it was stated.
    training_cost : tuple of float
        USD of that run.
    hours, usd, people : float
        What suffices with that confidence: human-hours, their cost, and how many people work them
        in a year. Infinite where no amount does.
    needed, tolerated : tuple of float
        Human-hours needed, and human-hours that the tolerated tax pays for.
    tax, tolerance : tuple of float
        Both taxes of the hours needed, and the tolerance: shares of development cost.
    reach : float
        Probability that any amount of hours suffices.
    pays : float
        Probability that the tolerated tax pays for the hours needed.
    pays_for_hours : float
        Probability that it pays for ``hours``.
    too_few_people : float
        Probability that the tax is tolerated, but the hours cannot have been worked by then.
    changes : tuple of Swing
        What would change ``hours``, the largest first, in log10 human-hours.
    labour : LabourSplit or None
        How much of the money buys AI hours, where they are priced. Then ``hours`` are human-hours'
        worth of work, and ``people`` work those that are left to them.
    how_to_price : str
        How to price AI hours, where they are not.
    verdict : str
        ``pass`` or ``fail``: that of the run, or of its draws that meet the condition.
    exceptions : tuple of str
        What the run's report says against it, though its checks passed.
    """

    run: str
    model: str
    year: float
    confidence: float
    stated_cost: float | None
    training_cost: tuple[float, ...]
    hours: float
    usd: float
    people: float
    needed: tuple[float, ...]
    tolerated: tuple[float, ...]
    tax: tuple[float, ...]
    tolerance: tuple[float, ...]
    reach: float
    pays: float
    pays_for_hours: float
    too_few_people: float
    changes: tuple[Swing, ...]
    given: Given | None = None
    simulated: str = ""
    labour: LabourSplit | None = None
    how_to_price: str = ""
    verdict: str = ""
    exceptions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The answer in words, and whose draws give it."""
        from aligntax.analysis.answers.budget_in_words import budget_paragraph

        words = f"{budget_paragraph(self)} (from the {self.model} run {self.run!r})"
        return fill(words, WIDTH)

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON, with the answer in words; infinite amounts are null."""
        from aligntax.analysis.answers.budget_in_words import budget_paragraph

        told: dict[str, Any] = {}
        for key, value in vars(self).items():
            if key in ("changes", "given", "labour", "how_to_price", "exceptions"):
                continue
            if isinstance(value, tuple):
                names = ("q05", "q50", "q95")
                told[key] = dict(zip(names, map(_finite, value), strict=True))
            else:
                told[key] = _finite(value) if isinstance(value, float) else value
        return {
            **told,
            "given": None if self.given is None else self.given.to_dict(),
            "ai_labour": None if self.labour is None else self.labour.to_dict(),
            "changes": [
                {
                    "quantity": swing.quantity,
                    "hours_low": _finite(_hours(swing.low)),
                    "hours_high": _finite(_hours(swing.high)),
                }
                for swing in self.changes
            ],
            "words": budget_paragraph(self),
            "exceptions": list(self.exceptions),
        }


def dated_budget(
    result: Result,
    year: float,
    confidence: float = CONFIDENCE,
    training_cost: float | None = None,
    given: str | None = None,
) -> DatedBudget:
    """Work out what to buy for a year.

    Parameters
    ----------
    year : float
        Decimal year; 2027 is its first day, as ``[alignment] date`` of a view has it.
    training_cost : float, optional
        USD of the developer's largest run; by default that of the largest run of all.
    given : str, optional
        Condition on quantities; see :mod:`aligntax.analysis.answers.condition`.

    Raises
    ------
    InputError
        If the run has no hours, or a number is out of bounds.
    """
    check_confidence(confidence)
    _check_question(result, year, training_cost)
    x = {series.name: series.values for series in iter_series(result.derived)}
    names = (*result.view.in_use(alignment.QUANTITIES), "tolerance_at_arrival")
    if missing := [name for name in names if name not in x]:
        raise InputError(
            f"run: must have {missing[0]}, got model {result.record['model']}; "
            "use a joint or an alignment run"
        )
    condition = None if given is None else apply_condition(given, result.derived, result.weights)
    weights = result.weights if condition is None else condition.weights
    _check_draws(weights, confidence)
    trend = Trend.of(result.evidence, result.view)
    if training_cost is not None:
        trend = trend.costing(float(np.log10(training_cost)))
    shape = weights.values.shape
    at = alignment.at_date(x, np.full(shape, float(year)), trend, result.evidence, result.view)
    needed, affordable = at["alignment_hours_needed"], at["alignment_hours_affordable"]

    def points(log_values: Any, probabilities: tuple[float, ...] = POINTS) -> tuple[float, ...]:
        found = weighted_points(log_values.ravel(), weights.values.ravel(), probabilities)
        return tuple(map(_hours, found))

    (hours,) = points(needed, (confidence,))
    (usd,) = points(needed + cost_per_hour(x), (confidence,))
    labour = labour_split({**x, **at}, weights.values, confidence)
    with np.errstate(divide="ignore"):
        enough_paid = affordable >= np.log10(hours)
    return DatedBudget(
        run=str(result.record["run"]),
        model=str(result.record["model"]),
        year=float(year),
        confidence=float(confidence),
        stated_cost=None if training_cost is None else float(training_cost),
        training_cost=points(at["training_cost_at_tai"]),
        hours=hours,
        usd=usd,
        people=(hours if labour is None else labour.human_hours) / FULL_TIME,
        needed=points(needed),
        tolerated=points(affordable),
        tax=points(at["alignment_tax"]),
        tolerance=points(x["tolerance_at_arrival"]),
        reach=weights.probability(np.isfinite(needed)),
        pays=weights.mean(at["prob_affordable"]),
        pays_for_hours=weights.probability(enough_paid) if np.isfinite(hours) else 0.0,
        too_few_people=weights.mean(at["workforce_too_small"]),
        changes=swings(needed, _what_enters(x, year, trend, result), weights, confidence),
        given=condition,
        simulated=str(result.record.get("simulated", "")),
        labour=labour,
        how_to_price=how_to_price(result.view, str(result.record["run"])),
        verdict=verdict_of(result, condition),
        exceptions=tuple(result.record.get("exceptions", ())),
    )


def _what_enters(x: Mapping[str, Any], year: float, trend: Trend, result: Result) -> dict[str, Any]:
    """Draws of the quantities that the hours needed hang on; others only go along with them."""
    flop = trend.physical(x, year)
    needed = needed_hours(x, flop, year, result.evidence)

    def enters(name: str) -> bool:
        moved = {**x, name: x[name] + STEP}
        after = needed_hours(moved, trend.physical(moved, year), year, result.evidence)
        return not np.array_equal(after, needed, equal_nan=True)

    return {name: x[name] for name in result.view.in_use(alignment.QUANTITIES) if enters(name)}


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is no probability, or certainty.

    Raises
    ------
    InputError
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence: must lie between 0 and 1, got {confidence}; 0.8 is usual")


def _check_question(result: Result, year: float, training_cost: float | None) -> None:
    horizon = result.view.arrival.horizon
    if not FIRST_YEAR <= year <= horizon:
        rule = f"must be a year from {FIRST_YEAR:.0f} to {horizon:.0f}"
        raise InputError(f"year: {rule}, got {year:g}; write for instance 2027")
    if training_cost is not None and not (np.isfinite(training_cost) and training_cost > 0):
        rule = "must be a positive number of USD"
        raise InputError(f"training_cost: {rule}, got {training_cost:g}; write 2 billion USD")


def _check_draws(weights: Weights, confidence: float) -> None:
    """Refuse a confidence beyond which too few draws lie to tell its quantile."""
    most = 1.0 - FEWEST_BEYOND / weights.ess
    if confidence > most:
        rule = f"must be at most {100 * max(most, 0.0):.4g}% for {weights.ess:.0f} effective draws"
        got = f"got {100 * confidence:.6g}%"
        raise InputError(f"confidence: {rule}, {got}; ask for less, or run with more --draws")


def _hours(log_value: float) -> float:
    return float(10.0**log_value)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
