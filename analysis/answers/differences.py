"""Whether two sets of draws differ by more than Monte Carlo error, and by how much.

They are compared by the probability that a number is defined and by the probabilities of lying
below three common thresholds. A shift, another spread and another censored mass are all seen. With
influence functions ``d`` (see :class:`Weights`)::

    error^2 = Var(mean d_1) + Var(mean d_2)      of separate draws
    error^2 = Var(mean (d_1 - d_2))              of two that count the same draws

Where a side has fewer effective draws than any answer needs, its error is not known, and whether
the two differ is undecided.

Medians of the same draws have errors that correlate as the shares of draws below them do, with
correlation ``r``. The error of their difference is ``sqrt(e_1^2 + e_2^2 - 2 r e_1 e_2)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import ndtr

from aligntax.analysis.summaries.checks import ESS
from aligntax.analysis.summaries.weights import Weights, batch_error
from aligntax.models.priors.quantities import quantity_of

THRESHOLDS = (0.05, 0.5, 0.95)  # quantiles of the pooled draws
SAME = 1e-9  # difference of two probabilities that is rounding
Difference = tuple[float | None, float | None]  # value and Monte Carlo error


@dataclass(frozen=True)
class Side:
    """Numbers of one answer, what its draws count, and the summary of the numbers.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (chain, draw)
        Infinite where censored, NaN where undefined.
    weights : Weights
    rows : mapping
        As in ``summary.json``.
    claims : mapping
        Of each claim that has a probability, the draws in which it is true and the weights of those
        that meet its condition.
    """

    values: Mapping[str, Any]
    weights: Weights
    rows: Mapping[str, Mapping[str, Any]]
    claims: Mapping[str, tuple[Any, Weights]] = field(default_factory=dict)


def enough_draws(quantity: str, side: Side) -> bool:
    """Whether a side has as many effective draws as any answer needs.

    With fewer, batches are too few to tell the error of an answer.

    Parameters
    ----------
    quantity : str
        The number that is compared, or that a claim is of.
    """
    row = side.rows.get(quantity, {})
    sizes = (side.weights.ess, row.get("ess_bulk"), row.get("ess_middle"))
    return min(size for size in sizes if size is not None) >= ESS


def difference(name: str, first: Side, second: Side, shared: bool) -> Difference:
    """Difference of medians, or of a probability's means, and its Monte Carlo error."""
    by_mean = quantity_of(name).by_mean
    rows = [side.rows[name] for side in (first, second)]
    centres = [row["mean" if by_mean else "q50"] for row in rows]
    if None in centres:
        return None, None
    difference = float(centres[1] - centres[0])
    influence = []
    for side, centre in zip((first, second), centres, strict=True):
        values = side.values[name]
        defined = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            h = values if by_mean else values <= centre
        h = np.where(defined, h, 0.0).astype(float)
        influence.append(side.weights.given(defined).influence(h))
    alone = [batch_error(x) for x in influence]
    errors = alone if by_mean else [row["mcse_median"] for row in rows]
    if None in errors:
        return difference, None
    square = errors[0] ** 2 + errors[1] ** 2
    if shared and influence[0].shape == influence[1].shape and min(alone) > 0:
        both = batch_error(influence[0] - influence[1])
        square -= (
            errors[0]
            * errors[1]
            * (alone[0] ** 2 + alone[1] ** 2 - both**2)
            / (alone[0] * alone[1])
        )
    return difference, float(np.sqrt(max(square, 0.0)))


def error_of(name: str, side: Side) -> float | None:
    """Monte Carlo error of an answer's median, or of a probability's mean; None if unknown."""
    if not quantity_of(name).by_mean:
        error: float | None = side.rows[name]["mcse_median"]
        return error
    values = side.values[name]
    defined = ~np.isnan(values)
    return side.weights.given(defined).mcse(np.where(defined, values, 0.0))


def claim_p(name: str, first: Side, second: Side, shared: bool) -> float:
    """p-value of the difference between two probabilities of a claim, given its condition."""
    return _two_sided_p(*first.claims[name], *second.claims[name], shared)


def number_p(name: str, first: Side, second: Side, shared: bool) -> float:
    """Smallest two-sided p-value of the comparisons of one number, times their number."""
    one, two = first.values[name], second.values[name]
    events = [(~np.isnan(one), ~np.isnan(two))]
    pooled = np.concatenate(
        [
            values[~np.isnan(values) & (side.weights.values > 0)]
            for values, side in ((one, first), (two, second))
        ]
    )
    if len(pooled):
        cuts = {float(np.quantile(pooled, p, method="inverted_cdf")) for p in THRESHOLDS}
        with np.errstate(invalid="ignore"):  # undefined lies below nothing
            events += [(one <= cut, two <= cut) for cut in sorted(cuts)]
    p = [
        _two_sided_p(a.astype(float), first.weights, b.astype(float), second.weights, shared)
        for a, b in events
    ]
    return min(1.0, min(p) * len(p))


def _two_sided_p(one: Any, first: Weights, two: Any, second: Weights, shared: bool) -> float:
    """p-value of the difference between two weighted means."""
    difference = first.mean(one) - second.mean(two)
    if abs(difference) < SAME:
        return 1.0
    if shared and one.shape == two.shape:
        error = batch_error(first.influence(one) - second.influence(two))
    else:
        error = float(np.hypot(first.mcse(one), second.mcse(two)))
    return float(2.0 * ndtr(-abs(difference) / error)) if error > 0 else 0.0
