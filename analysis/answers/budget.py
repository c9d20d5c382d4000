"""What to buy: hours of human feedback for a stated confidence, and how to label.

**How many.** ``h`` hours suffice with probability ``c`` when ``h`` is the ``c``-quantile of the
hours needed. A steady rate of hours per year suffices when it is the ``c``-quantile of ``needed /
(arrival - start)``. Loss, regret, the best ``h`` and the value of knowing the need are those of
:mod:`aligntax.analysis.answers.newsvendor`. At the default price ``E[cost] / (1 - c)`` the
``c``-quantile would be best if no shortfall reached the loss limit. With a limit less is best.

**How to label** is in :mod:`aligntax.analysis.answers.labelling`.
"""

from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from aligntax.analysis.answers.condition import Given, apply_condition, verdict_of
from aligntax.analysis.answers.dated_budget import DatedBudget, check_confidence, dated_budget
from aligntax.analysis.answers.labelling import (
    ERRORS,
    Labelling,
    best_labelling,
    published_label_error,
)
from aligntax.analysis.answers.labour_split import LabourSplit, how_to_price, labour_split
from aligntax.analysis.answers.newsvendor import CONFIDENCE, Decision, Estimate, LossLimit
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import censored_quantile, iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.ai_labour import cost_per_hour
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.short_form import short_form

MULTIPLES = (0.1, 0.5, 1.0, 2.0, 10.0)  # of the hours that suffice, whose regret is reported


@dataclass(frozen=True)
class Budget:
    """What to buy for a stated confidence, given arrival before the horizon.

    Attributes
    ----------
    confidence : float
        Probability that the hours suffice.
    price : float
        USD lost per missing hour.
    probability_arrival : float
        Probability of the event that everything else is conditional on.
    hours, usd : float
        Amounts that suffice with that confidence.
    hours_per_year, usd_per_year : float
        Steady rates that suffice, from ``start`` until arrival.
    start : float
        Decimal year from which hours are worked.
    best_hours : float
        Amount with the least expected loss at that price.
    price_of_confidence : float
        USD per missing hour at which buying ``hours`` is best if no limit is reached.
    loss_limit : dict of str to float
        5%, 50% and 95% point of the most that a shortfall can cost, USD.
    affordable : float
        Probability that the tolerated tax pays for ``hours``.
    regret : dict of float to float
        Expected loss of a multiple of ``hours``, which suffice with that confidence, over that of
        ``best_hours``, USD.
    evpi, evpi_at_twice_the_limit : Estimate
        Expected loss of the best amount over that of knowing everything.
    label_error : tuple of float
        5%, 50% and 95% point of the error of labellers yet to be hired.
    labelling : tuple of Labelling
        At several label errors.
    labour : LabourSplit or None
        How much of the money buys AI hours, where they are priced. Then ``hours`` are human-hours'
        worth of work.
    how_to_price : str
        How to price AI hours, where they are not.
    run : str
        Name of the run.
    verdict : str
        ``pass`` or ``fail``: that of the run, or of its draws that meet the condition.
    exceptions : tuple of str
        What the run's report says against it, though its checks passed.
    """

    confidence: float
    price: float
    given: Given | None
    probability_arrival: float
    hours: float
    usd: float
    hours_per_year: float
    usd_per_year: float
    start: float
    best_hours: float
    price_of_confidence: float
    loss_limit: dict[str, float]
    affordable: float
    regret: dict[float, float]
    evpi: Estimate
    evpi_at_twice_the_limit: Estimate
    label_error: tuple[float, float, float]
    labelling: tuple[Labelling, ...]
    labour: LabourSplit | None = None
    how_to_price: str = ""
    run: str = ""
    verdict: str = ""
    exceptions: tuple[str, ...] = ()
    __repr__ = short_form

    @property
    def regrets(self) -> tuple[tuple[float, float | None, float], ...]:
        """Hours, which multiple of ``hours`` they are, and regret in USD, the fewest hours first.

        The hours of least expected loss are among them, without a multiple and a regret of zero.
        """
        rows = [(multiple * self.hours, multiple, usd) for multiple, usd in self.regret.items()]
        return tuple(sorted([*rows, (self.best_hours, None, 0.0)], key=lambda row: row[0]))

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON; infinite amounts are null."""
        plain = {key: value for key, value in vars(self).items() if isinstance(value, float)}
        return {
            **{key: value if np.isfinite(value) else None for key, value in plain.items()},
            "evpi": vars(self.evpi),
            "evpi_at_twice_the_limit": vars(self.evpi_at_twice_the_limit),
            "loss_limit_usd": self.loss_limit,
            "given": None if self.given is None else self.given.to_dict(),
            "regret_usd": {f"{multiple:g}": usd for multiple, usd in self.regret.items()},
            "regrets": [
                {"hours": hours, "times_hours": multiple, "usd": usd}
                for hours, multiple, usd in self.regrets
            ],
            "label_error": dict(zip(("q05", "q50", "q95"), self.label_error, strict=True)),
            "splits": [vars(row) for row in self.labelling],
            "ai_labour": None if self.labour is None else self.labour.to_dict(),
            "verdict": self.verdict,
            "exceptions": list(self.exceptions),
        }


@overload
def budget(
    result: Result,
    confidence: float = ...,
    price: float | None = ...,
    given: str | None = ...,
    year: None = ...,
    training_cost: float | None = ...,
) -> Budget: ...


@overload
def budget(
    result: Result,
    confidence: float = ...,
    price: float | None = ...,
    given: str | None = ...,
    *,
    year: float,
    training_cost: float | None = ...,
) -> DatedBudget: ...


def budget(
    result: Result,
    confidence: float = CONFIDENCE,
    price: float | None = None,
    given: str | None = None,
    year: float | None = None,
    training_cost: float | None = None,
) -> Budget | DatedBudget:
    """Work out what to buy: until transformative AI arrives, or for a year.

    Parameters
    ----------
    price : float, optional
        USD per missing hour. The default ``E[cost] / (1 - confidence)`` makes ``confidence`` best
        where no limit is reached. Not with a year.
    given : str, optional
        Condition on quantities; see :mod:`aligntax.analysis.answers.condition`.
    year : float, optional
        Decimal year; see :func:`aligntax.analysis.answers.dated_budget.dated_budget`.
    training_cost : float, optional
        USD of the developer's largest run in that year; by default that of the largest run of all.

    Returns
    -------
    Budget or DatedBudget
        The second where a year is stated.

    Raises
    ------
    InputError
        If the run has no hours, a number is out of bounds, or the options do not go together.
    """
    check_confidence(confidence)
    if year is not None:
        if price is not None:
            rule = "is what a missing hour costs until arrival, and has no meaning with a year"
            raise InputError(f"price: {rule}, got {price:g}; leave it out")
        return dated_budget(result, year, confidence, training_cost, given)
    if training_cost is not None:
        rule = "is that of a run in a stated year"
        raise InputError(f"training_cost: {rule}, got {training_cost:g} alone; add year, as 2027")
    return _until_arrival(result, confidence, price, given)


def _until_arrival(
    result: Result, confidence: float, price: float | None, given: str | None
) -> Budget:
    """What to buy until transformative AI arrives; see :func:`budget`."""
    _check_price(price)
    derived = _numbers_with_hours(result)
    condition = None if given is None else apply_condition(given, result.derived, result.weights)
    arrives = np.isfinite(derived["alignment_hours_needed"])
    counts = result.weights if condition is None else condition.weights
    arrival, weights = _given_arrival(counts, arrives)
    among = weights.values[arrives] / weights.values[arrives].sum()

    def enough(amount: Any) -> float:
        return censored_quantile(amount[arrives], confidence, among)

    cost = 10.0 ** cost_per_hour(derived)
    need = 10.0 ** np.where(arrives, derived["alignment_hours_needed"], 0.0)
    start, date = result.view.alignment.work_starts, result.view.alignment.date
    # A model that is run alone is asked about one date, and has no arrival of its own.
    rate = _yearly_rate(need, derived.get("tai_year", np.full(need.shape, date)) - start)
    hours = enough(need)
    decision = hours_decision_of(result, counts, price, confidence)
    best, least = decision.best()
    affordable = 10.0 ** np.nan_to_num(derived["alignment_hours_affordable"]) >= hours
    return Budget(
        confidence=float(confidence),
        price=float(decision.price),
        given=condition,
        probability_arrival=arrival,
        hours=hours,
        usd=enough(need * cost),
        hours_per_year=enough(rate),
        usd_per_year=enough(rate * cost),
        start=start,
        best_hours=best,
        price_of_confidence=decision.mean_cost / (1.0 - confidence),
        loss_limit=decision.told_limit(),
        affordable=weights.probability(affordable),
        regret={m: float(decision.expected_loss(m * hours)[0]) - least for m in MULTIPLES},
        evpi=decision.estimated_evpi(),
        evpi_at_twice_the_limit=decision.with_limit(2.0).estimated_evpi(),
        label_error=published_label_error(result.view),
        labelling=tuple(best_labelling(error) for error in ERRORS),
        labour=labour_split(derived, weights.values, confidence),
        how_to_price=how_to_price(result.view, str(result.record.get("run", "RUN"))),
        run=str(result.record.get("run", "RUN")),
        verdict=verdict_of(result, condition),
        exceptions=tuple(result.record.get("exceptions", ())),
    )


def hours_decision_of(
    result: Result,
    weights: Weights,
    price: float | None = None,
    confidence: float = CONFIDENCE,
) -> Decision:
    """Decision of a run on how many hours to buy; ``weights`` may express a condition."""
    names = find_model(result.record["model"]).quantities
    seed = result.info["sampler"]["seed"]
    limit = LossLimit.of(result.view, names, result.unconstrained_posterior, seed)
    return Decision.of(_numbers_with_hours(result), weights, limit.usd, price, confidence)


def _numbers_with_hours(result: Result) -> dict[str, Any]:
    """Draws of every number of a run that has hours needed."""
    derived = {series.name: series.values for series in iter_series(result.derived)}
    if "alignment_hours_needed" not in derived:
        raise InputError(
            f"run: must have alignment_hours_needed, got model {result.record['model']}; "
            "use a joint run"
        )
    return derived


def _given_arrival(weights: Weights, arrives: Any) -> tuple[float, Weights]:
    """Probability of arrival, and weights among the draws in which it comes."""
    arrival = weights.probability(arrives)
    if not arrival > 0:
        raise InputError(
            "run: transformative AI must arrive in some draw, got none; "
            "choose another view or condition"
        )
    return arrival, weights.given(arrives)


def _check_price(price: float | None) -> None:
    if price is not None and not (np.isfinite(price) and price > 0):
        raise InputError(
            f"price: must be a positive number of USD, got {price}; leave it out for the default"
        )


def _yearly_rate(need: Any, years: Any) -> Any:
    """Steady rate that meets a need; infinite if no time is left."""
    with np.errstate(invalid="ignore"):
        return np.where(years > 0, need / np.where(years > 0, years, 1.0), np.inf)
