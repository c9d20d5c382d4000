"""No transformative AI yet, and when it arrives: one hazard model.

With effective FLOP ``C(t)`` of the largest run and a requirement ``q`` (both log10), the yearly rate of arrival is::

    rate(t) = exp(steepness (C(t) - q)), smoothly capped:  cap * sigmoid(steepness (C(t) - q) - log cap)
    S_k     = exp(-integral of rate_k from `start` to the date of the evidence)        no TAI yet, under anchor k
    p_k     = w_k S_k / sum_j w_j S_j                                                  anchor, given no TAI yet
    tai_year: first t after that date at which the accumulated rate reaches e ~ Exponential(1)

Conditioning multiplies a draw's density by ``sum_k w_k S_k``; the continuation of the same hazard gives arrival, so no arrival
lies before the date of the evidence that it has not happened. One anchor per draw comes from ``p``; ``e``, anchor and uniforms
are shared by paired worlds, so a shift is a difference within a draw. A steepness of infinity is the published models' plain
crossing. "None of the anchors" keeps a draw until its uniform exceeds the falling weight; then it moves to another anchor.

Everything here is vectorised over (draw, time); rates are integrated by the trapezoid rule on a half-year grid.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from models.views import Arrival

__all__ = [
    "STEP",
    "Chance",
    "accumulated_rate",
    "anchor_probabilities",
    "arrival_date",
    "arrival_rate",
    "choose_anchor",
    "first_crossing",
    "time_grid",
]

STEP = 0.5  # years; at one OOM a year and steepness 2.3 the trapezoid rule is 10% off in rate, 0.04 years in date


@dataclass(frozen=True)
class Chance:
    """The random numbers of arrival, one of each per draw; paired worlds share them.

    Attributes
    ----------
    exponential, anchor, other, leaves_none : ndarray, shape (draw,)
        Exponential(1) and three uniforms: the anchor, the anchor after leaving "none", and when "none" is left.
    """

    exponential: Any
    anchor: Any
    other: Any
    leaves_none: Any

    @classmethod
    def draw(cls, size: int, rng: np.random.Generator) -> "Chance":
        """Draw for so many draws."""
        return cls(rng.standard_exponential(size), *rng.uniform(size=(3, size)))


def time_grid(start: float, end: float) -> Any:
    """Half-year grid that contains both ends."""
    return np.append(np.arange(start, end - 1e-9, STEP), end)


def arrival_rate(effective: Any, requirement: Any, steepness: Any, cap: float, sigmoid: Any = expit) -> Any:
    """Arrivals per year; ``sigmoid`` is scipy's or its PyTensor twin."""
    return cap * sigmoid(steepness * (effective - requirement) - np.log(cap))


def accumulated_rate(rate: Any, grid: Any) -> Any:
    """Integral of the rate over the whole grid (last axis)."""
    weights = np.zeros(len(grid))
    weights[1:] += 0.5 * np.diff(grid)
    weights[:-1] += 0.5 * np.diff(grid)
    return (rate * weights).sum(axis=-1)


def anchor_probabilities(log_weights: Any, accumulated: Any) -> Any:
    """``p_k`` over anchors and "none", whose rate is zero; shape (draw, anchor + 1)."""
    rates = np.concatenate([accumulated, np.zeros((*accumulated.shape[:-1], 1))], axis=-1)
    return softmax(log_weights - rates, axis=-1)


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
    cumulative = np.cumsum(probability, axis=-1)
    first = (chance.anchor[:, None] > cumulative[:, :-1]).sum(axis=-1)
    none = first == probability.shape[-1] - 1
    total = np.maximum(cumulative[:, -2:-1], 1e-300)
    other = (chance.other[:, None] > cumulative[:, :-2] / total).sum(axis=-1)
    final = none_weight if arrival.none_final is None else min(arrival.none_final, none_weight)
    fall = 1.0 - final / none_weight if none_weight > 0 else 0.0
    part = (1.0 - chance.leaves_none) / fall if fall > 0 else np.full(len(none), np.inf)
    left = np.where(part <= 1.0, now + np.minimum(part, 1.0) * (arrival.horizon - now), np.inf)
    return np.where(none, other, first), np.where(none, left, -np.inf)


def first_crossing(margin: Any, grid: Any) -> Any:
    """First point of the grid at which the margin reaches zero, linear between points; NaN where it never does.

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
    effective: Any, grid: Any, requirement: Any, since: Any, steepness: Any, exponential: Any, arrival: Arrival
) -> Any:
    """Date of arrival, NaN where it comes later than the grid or never.

    Parameters
    ----------
    effective : ndarray, shape (draw, time)
        Effective FLOP of the largest run, log10.
    grid : ndarray, shape (time,)
        Decimal years; the first is the date of the evidence that nothing has arrived.
    requirement, since, steepness, exponential : ndarray, shape (draw,)
        log10 FLOP; date from which the requirement counts; per OOM; Exponential(1) draws.
    """
    if arrival.mode == "crossing":
        margin = np.where(grid >= since[:, None], effective - requirement[:, None], -np.inf)
        return first_crossing(margin, grid)
    rate = arrival_rate(effective, requirement[:, None], steepness[:, None], arrival.hazard_cap)
    counted = np.clip((grid[1:] - since[:, None]) / np.diff(grid), 0.0, 1.0)
    mass = 0.5 * (rate[:, 1:] + rate[:, :-1]) * np.diff(grid) * counted
    total = np.cumsum(mass, axis=-1)
    i = np.argmax(total >= exponential[:, None], axis=-1)
    row = np.arange(len(total))
    come = total[row, i] >= exponential
    part = np.divide(total[row, i] - exponential, mass[row, i], out=np.zeros(len(row)), where=come)
    return np.where(come, grid[i + 1] - part * np.diff(grid)[i] * counted[row, i], np.nan)
