"""No transformative AI yet, and when it arrives: one hazard model.

With effective FLOP ``C(t)`` of the largest run and a requirement ``q`` (both log10), the yearly
rate of arrival is ``exp(steepness (C(t) - q))``, smoothly capped. Where the requirement is a time
horizon, ``C - q`` is in doublings of task length, with a steepness of its own::

    rate(t) = cap * sigmoid(steepness (C(t) - q) - log cap)
    S_k     = exp(-integral of rate_k from `start` to the date of the evidence)
    p_k     = w_k S_k / sum_j w_j S_j

``S_k`` is the probability of no TAI yet under anchor ``k``, and ``p_k`` that of the anchor given no
TAI yet. ``tai_year`` is the first ``t`` after that date at which the accumulated rate reaches ``e ~
Exponential(1)``.

Conditioning multiplies a draw's density by ``sum_k w_k S_k``. The continuation of the same hazard
gives arrival, so no arrival lies before the date of the evidence that it has not happened. One
anchor per draw comes from ``p``. Paired worlds share ``e``, anchor and uniforms, so a shift is a
difference within a draw. A steepness of infinity is the published models' plain crossing. "None of
the anchors" keeps a draw until its uniform exceeds the falling weight; then the draw moves to
another anchor.

Everything here is vectorised over (draw, time). Margins are computed once a year and are straight
in between. Rates are integrated over each year by Simpson's rule. Within the year in which the
accumulated rate reaches ``e``, the rate is taken to grow exponentially.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from aligntax.models.blocks import running_total, sum_of_rows
from aligntax.models.views import Arrival

# Years. At one OOM a year Simpson's rule is off by 1% at steepness 2.3, and by 30% at 7: 0.04 years
# in date.
STEP = 1.0
LARGEST_EXPONENT = 700.0  # exp(709) is the largest double


@dataclass(frozen=True)
class Chance:
    """Random numbers of arrival, one of each per draw; paired worlds share them.

    Attributes
    ----------
    exponential : ndarray, shape (draw,)
        Exponential(1), the accumulated rate at which TAI arrives.
    anchor, other, leaves_none, shape, redraw, exponent : ndarray, shape (draw,)
        Uniforms. They decide the anchor; the anchor after leaving "none"; when "none" is left; the
        shape of a time horizon's growth; the draw that stands in for one below
        ``requirement.low_flop``; and the data exponent of a world without its evidence.
    developer, room, tolerance : ndarray, shape (draw,)
        Uniforms. They decide which developer's model arrives, by how much its tolerance exceeds
        what it has paid, and its tolerance given that.
    """

    exponential: Any
    anchor: Any
    other: Any
    leaves_none: Any
    shape: Any
    redraw: Any
    exponent: Any
    developer: Any
    room: Any
    tolerance: Any

    @classmethod
    def draw(cls, size: int, rng: np.random.Generator) -> "Chance":
        """Draw the random numbers of ``size`` draws."""
        return cls(rng.standard_exponential(size), *rng.uniform(size=(9, size)))

    def __getitem__(self, draws: Any) -> "Chance":
        """Return the random numbers of some draws."""
        return Chance(*(getattr(self, field.name)[draws] for field in fields(self)))


def time_grid(start: float, end: float, step: float = STEP) -> Any:
    """Grid that contains both ends."""
    return np.append(np.arange(start, end - 1e-9, step), end)


def _sigmoid(u: Any) -> Any:
    """Logistic function, several times faster than scipy's."""
    with np.errstate(over="ignore"):  # far below the requirement exp(-u) overflows: a rate of zero
        return 1.0 / (1.0 + np.exp(-u))


def arrival_rate(margin: Any, steepness: Any, cap: float, sigmoid: Any = _sigmoid) -> Any:
    """Arrivals per year at a margin ``C - q``; ``sigmoid`` is numpy's or PyTensor's."""
    return cap * sigmoid(steepness * margin - np.log(cap))


def yearly_rates(
    margin: Any, grid: Any, steepness: Any, cap: float, sigmoid: Any = _sigmoid
) -> tuple[Any, Any]:
    """Rate at each point of the grid, and its integral over each step.

    Parameters
    ----------
    margin : array or tensor, shape (..., time)
    grid : ndarray, shape (time,)
    steepness : array or tensor
        Per unit of the margin, against which it broadcasts.

    Returns
    -------
    rate, integral : array or tensor
        Shape (..., time) and (..., time - 1).
    """
    rate = arrival_rate(margin, steepness, cap, sigmoid)
    middle = arrival_rate(0.5 * (margin[..., 1:] + margin[..., :-1]), steepness, cap, sigmoid)
    return rate, (rate[..., 1:] + 4.0 * middle + rate[..., :-1]) * (np.diff(grid) / 6.0)


def accumulated_rate(
    margin: Any, grid: Any, steepness: Any, cap: float, sigmoid: Any = _sigmoid
) -> Any:
    """Integral of the rate over the whole grid; parameters as in :func:`yearly_rates`."""
    at_dates, between = simpson(grid)
    # margins are averaged, not exponents: under an infinite steepness those may be of both signs
    middle = 0.5 * (margin[..., 1:] + margin[..., :-1])
    weighted = [
        weight * sigmoid(steepness * each - np.log(cap))
        for weight, each in ((at_dates, margin), (between, middle))
    ]
    if sigmoid is _sigmoid:
        return cap * sum(sum_of_rows(np.moveaxis(part, -1, 0)) for part in weighted)
    return cap * sum(part.sum(axis=-1) for part in weighted)


def simpson(grid: Any) -> tuple[Any, Any]:
    """Weights of Simpson's rule at the dates of a grid, and in the middle between each two."""
    step = np.diff(grid) / 6.0
    return np.append(step, 0.0) + np.append(0.0, step), 4.0 * step


def rates_of_one_path(path: Any, needed: list[Any], grid: Any, steepness: Any, cap: float) -> Any:
    """Integrals of the rate under several requirements ``q`` of one path ``C``.

    Each is :func:`accumulated_rate` of ``C - q``. One exponential of the path serves them all::

        rate = cap / (1 + cap exp(-k (C - q))) = cap / (1 + cap exp(-k (C - c)) exp(k (q - c)))

    with ``k`` the steepness and ``c`` the path at the last date. A draw in which one of the two
    factors would not fit into a number is worked out by the plain formula.

    Parameters
    ----------
    path : ndarray, shape (time, draw)
    needed : list of ndarray, shape (draw,)
    grid : ndarray, shape (time,)
    steepness : ndarray, shape (draw,)

    Returns
    -------
    ndarray, shape (requirement, draw)
    """
    weight = np.concatenate(simpson(grid))[:, None]
    found = np.empty((len(needed), path.shape[-1]))
    with np.errstate(invalid="ignore", over="ignore"):  # where the plain formula stands in
        behind = steepness * (path[-1] - path)
        beyond = steepness * (np.stack(needed) - path[-1])
        odds = cap * np.exp(np.concatenate([behind, 0.5 * (behind[1:] + behind[:-1])]))
        rate = np.empty_like(odds)  # one place in memory for all requirements: it stays in cache
        for total, factor in zip(found, np.exp(beyond), strict=True):
            np.multiply(odds, factor, out=rate)
            rate += 1.0
            np.divide(weight, rate, out=rate)
            total[:] = cap * sum_of_rows(rate)
        largest = np.maximum(np.abs(behind).max(axis=0), np.abs(beyond).max(axis=0))
    k = np.flatnonzero(~(largest + abs(np.log(cap)) < LARGEST_EXPONENT))
    for total, q in zip(found, needed, strict=True) if len(k) else ():
        total[k] = accumulated_rate((path - q)[:, k].T, grid, steepness[k, None], cap)
    return found


def anchor_probabilities(log_weights: Any, accumulated: Any) -> Any:
    """``p_k`` over anchors and "none", whose rate is zero; shape (draw, anchor + 1)."""
    rates = np.concatenate([accumulated.T, np.zeros((1, len(accumulated)))])
    terms = np.atleast_2d(log_weights).T - rates
    joint = np.exp(terms - terms.max(axis=0))
    return (joint / sum_of_rows(joint)).T


def chosen_first(probability: Any, chance: Chance) -> Any:
    """Index of each draw's anchor, "none" included; parameters as in :func:`choose_anchor`."""
    return (chance.anchor > running_total(probability.T[:-1])).sum(axis=0)


def choose_anchor(
    probability: Any, chance: Chance, now: float, arrival: Arrival, none_weight: float
) -> tuple[Any, Any]:
    """Anchor index of each draw and the date from which it counts.

    Parameters
    ----------
    probability : ndarray, shape (draw, anchor + 1)
        The last is "none".
    none_weight : float
        Prior weight of "none" today; ``arrival.none_final`` is its weight at the horizon.

    Returns
    -------
    anchor : ndarray of int, shape (draw,)
        Index into the anchors without "none".
    since : ndarray, shape (draw,)
        Minus infinity, or for "none" the date at which it is left; infinity if never.
    """
    first = chosen_first(probability, chance)
    none = first == probability.shape[-1] - 1
    cumulative = running_total(probability.T[:-1])
    other = (chance.other > cumulative[:-1] / np.maximum(cumulative[-1], 1e-300)).sum(axis=0)
    final = none_weight if arrival.none_final is None else arrival.none_final
    fall = 1.0 - final / none_weight if none_weight > 0 else 0.0
    # a weight that does not fall is never left
    part = (1.0 - chance.leaves_none) / fall if fall > 0 else np.full(len(none), np.inf)
    left = np.where(part <= 1.0, now + np.minimum(part, 1.0) * (arrival.horizon - now), np.inf)
    return np.where(none, other, first), np.where(none, left, -np.inf)


def first_crossing(margin: Any, grid: Any) -> Any:
    """First date at which the margin reaches zero, linear between points; NaN where it never does.

    Parameters
    ----------
    margin : ndarray, shape (draw, time)
    grid : ndarray, shape (time,)
    """
    reached = margin >= 0
    i = np.argmax(reached, axis=-1)
    row = np.arange(len(margin))
    after, before = margin[row, i], margin[row, np.maximum(i - 1, 0)]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(i > 0, before / (before - after), 1.0)
    part = np.where(np.isfinite(part), part, 1.0)
    date = grid[np.maximum(i - 1, 0)] * (1 - part) + grid[i] * part
    return np.where(reached[row, i], date, np.nan)


def arrival_date(
    margin: Any, grid: Any, since: Any, steepness: Any, exponential: Any, arrival: Arrival
) -> Any:
    """Date of arrival, NaN where it comes later than the grid or never.

    Parameters
    ----------
    margin : ndarray, shape (draw, time)
        Effective FLOP of the largest run over the requirement, OOM; or the time horizon over its
        threshold, doublings.
    grid : ndarray, shape (time,)
        Decimal years; the first is the date of the evidence that nothing has arrived.
    since, steepness, exponential : ndarray, shape (draw,)
        Date from which the requirement counts; hazard steepness per unit of the margin;
        Exponential(1) draws.
    """
    return arrival_so_far(margin, grid, since, steepness, exponential, arrival)[0]


def arrival_so_far(
    margin: Any,
    grid: Any,
    since: Any,
    steepness: Any,
    exponential: Any,
    arrival: Arrival,
    passed: Any = 0.0,
) -> tuple[Any, Any]:
    """Date of arrival as :func:`arrival_date`, and the rate accumulated by the end of the grid.

    ``passed`` is the rate accumulated before it, shape (draw,): a search goes on where another
    ended.
    """
    if arrival.mode == "crossing":
        counts = np.where(grid >= since[:, None], margin, -np.inf)
        return first_crossing(counts, grid), passed
    rate, mass = yearly_rates(margin, grid, steepness[:, None], arrival.hazard_cap)
    late = np.flatnonzero(since > grid[0])  # other requirements count from the first date on
    counted = np.clip((grid[1:] - since[late, None]) / np.diff(grid), 0.0, 1.0)
    mass[late] *= counted
    total = running_total(np.concatenate([passed + mass.T[:1], mass.T[1:]])).T
    i = np.argmax(total >= exponential[:, None], axis=-1)
    row = np.arange(len(total))
    arrived = total[row, i] >= exponential
    before = np.divide(
        total[row, i] - exponential, mass[row, i], out=np.zeros(len(row)), where=arrived
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.log(rate[row, i + 1] / rate[row, i])  # over the step
    part = _part_reached(1.0 - before, np.where(np.isfinite(growth), growth, 0.0))
    length = np.diff(grid)[i]
    length[late] *= counted[np.arange(len(late)), i[late]]
    return np.where(arrived, grid[i + 1] - (1.0 - part) * length, np.nan), total[:, -1]


def _part_reached(share: Any, growth: Any) -> Any:
    """Part of a step at which a share of its integral is reached.

    The rate grows by a factor ``exp(growth)`` over the step.
    """
    steep = np.abs(growth) > 1e-6
    # exp(-30) is practically zero, and not yet lost to rounding
    g = np.where(steep, np.clip(growth, -30.0, 500.0), 1.0)
    return np.where(steep, np.log1p(share * np.expm1(g)) / g, share)
