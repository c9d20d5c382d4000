"""What would change an amount: its value where one quantity is low, and where it is high.

The draws of an answer are those of its inputs too. So what the answer would be if one quantity
were known to lie in the lowest or in the highest fifth of its own distribution is read from the
draws in which it does, with whatever else goes along with it. That is a tornado in the answer's own
unit. Nothing is refitted.

The error of a quantile ``q`` of ``n`` effective draws is half the distance between the quantiles
``q - s`` and ``q + s`` with ``s = sqrt(q (1 - q) / n)``, the order statistics one standard error of
their rank apart. A swing that lies within four errors of nothing is chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import iter_series, weighted_points
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.ai_labour import cost_per_hour
from aligntax.models.catalogue import find_model

# answers in hours, dollars and years, in this order; the second is worked out of the first
HOURS, MONEY = "alignment_hours_needed", "money_for_hours"
TOLD = (HOURS, MONEY, "tai_year", "superhuman_coder_year")
MOST_SWINGS = 5  # of one answer
TAIL = 0.2  # share of the draws at each end
# Standard errors by which a swing stands out of chance: many are looked at, and the draws of a
# chain are not quite separate.
ERRORS = 4.0
FEWEST = 50  # effective draws of an end, from which a quantile is told


@dataclass(frozen=True)
class Swing:
    """An answer at the two ends of one quantity, on the answer's own scale.

    Attributes
    ----------
    quantity : str
    low, high : float
        The answer where the quantity is in its lowest and in its highest fifth; may be infinite.
    low_error, high_error : float
        Monte Carlo standard errors.
    """

    quantity: str
    low: float
    high: float
    low_error: float
    high_error: float

    @property
    def size(self) -> float:
        """Distance of the two answers; infinite where one of them is."""
        return 0.0 if self.low == self.high else abs(self.high - self.low)

    @property
    def clear(self) -> bool:
        """Whether it stands out of chance."""
        return self.size > ERRORS * float(np.hypot(self.low_error, self.high_error))


def swings(
    answer: Any, inputs: Mapping[str, Any], weights: Weights, probability: float = 0.5
) -> tuple[Swing, ...]:
    """Swings of a quantile of an answer that stand out of chance, the largest first.

    Parameters
    ----------
    answer : ndarray, shape (chain, draw)
        May be infinite; NaN is left out.
    inputs : mapping of ndarray, shape (chain, draw)
        Draws of quantities, by name.
    probability : float
        Which quantile.
    """
    count = np.where(np.isnan(answer), 0.0, weights.values).ravel()
    flat = answer.ravel()
    found = []
    for name, values in inputs.items():
        each = values.ravel()
        if np.ptp(each[count > 0]) == 0:
            continue
        low, high = weighted_points(each, count, (TAIL, 1.0 - TAIL))
        first = _quantile(flat, count * (each <= low), probability)
        last = _quantile(flat, count * (each >= high), probability)
        if first is not None and last is not None:
            found.append(Swing(name, first[0], last[0], first[1], last[1]))
    return tuple(sorted((s for s in found if s.clear), key=lambda s: -s.size))


def _quantile(values: Any, counts: Any, probability: float) -> tuple[float, float] | None:
    """A quantile of the draws that count, and its error; None where they are too few."""
    effective = counts.sum() ** 2 / max(float(np.sum(counts**2)), np.finfo(float).tiny)
    if effective < FEWEST:
        return None
    rank = float(np.sqrt(probability * (1.0 - probability) / effective))
    places = np.clip([probability - rank, probability, probability + rank], 0.0, 1.0)
    below, middle, above = weighted_points(values, counts, places.tolist())
    error = 0.0 if below == above else 0.5 * (above - below)
    return middle, error


def swings_of_run(result: Result) -> dict[str, tuple[Swing, ...]]:
    """Swings of the answers of a run that are in hours, dollars and years.

    Returns
    -------
    dict
        Answer -> the largest swings of its median. ``money_for_hours`` is what the hours needed
        cost, log10 USD. Answers that a run lacks are left out.
    """
    x = {series.name: series.values for series in iter_series(result.derived)}
    if HOURS in x:
        x[MONEY] = x[HOURS] + cost_per_hour(x)
    names = result.view.in_use(find_model(result.record["model"]).quantities)
    inputs = {name: x[name] for name in names}
    return {
        name: swings(x[name], inputs, result.weights)[:MOST_SWINGS] for name in TOLD if name in x
    }
