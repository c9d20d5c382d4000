"""How does the length of tasks that AI completes grow?

It has one of four shapes, each finite at every date. With decimal year ``t``, reference date ``t0``
and ``u = (t - t0) / time_horizon_doubling``, the 50% time horizon ``h`` is::

    log2 h(t) = level + n(u)
    n(u) = u                                                exponential
    n(u) = log(1 - s u) / log(1 - s)   until du/dn = f,     superexponential
           a straight line of slope 1 / f from there on
    n(u) = m(u) - m(0),                                     kink
           m(u) = b max(u - k, 0) + a min(u - k, 0)
    n(u) = -log2(2^-K + (1 - 2^-K) 2^-v)                    saturating, v = u / (1 - 2^-K)

In the superexponential shape each doubling takes ``1 - s`` of the time of the one before, until a
doubling takes no more than the floor. In the kink shape the doubling time changes once, by a factor
``r`` at ``u = k``: ``a = r, b = 1`` where the kink lies before the reference date, ``a = 1, b = 1 /
r`` where it lies after it, and the one passes into the other within some months of that date. No
doubling takes less than the floor there either. The saturating shape is a logistic curve, which
ends ``K`` doublings above its level at the reference date. Every ``n`` is zero at the reference
date with slope one. A floor longer than the doubling time of that date counts as that doubling
time.

=======================  ===========  =============================================================
name                     unit         meaning
=======================  ===========  =============================================================
time_horizon_level       log10 min    ``level``, in doublings of a minute in the formulas
time_horizon_doubling    log10 days   doubling time at the reference date
doubling_shrink          1            ``s``
doubling_floor           log10 days   shortest doubling time; ``f`` is its ratio to the doubling
                                      time at the reference date, or 1
kink_year                year         date of the kink
kink_ratio               log10        ``r``, doubling time after the kink over that before
saturation_doublings     log10        ``K``
superexponential_weight  1            prior probability of the superexponential shape
saturating_weight        1            of the saturating shape, if growth is not superexponential
kink_weight              1            of the kink, if it is neither
=======================  ===========  =============================================================

References
----------
.. [1] Lifland et al., "Timelines forecast", 2025. ai-2027.com/supplements: superexponential growth
.. [2] Moss, metr-stats, 2026, and korentomas, metr-measurement-error, 2026: run-level analyses that
       compare such shapes and do not single one out
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.views import View

SHAPES = ("exponential", "superexponential", "kink", "saturating")
QUANTITIES = (
    "time_horizon_level",
    "time_horizon_doubling",
    "doubling_shrink",
    "doubling_floor",
    "kink_year",
    "kink_ratio",
    "saturation_doublings",
    "superexponential_weight",
    "saturating_weight",
    "kink_weight",
)

DAYS = 365.25  # in a year
LOG2 = np.log10(2.0)  # OOM in a doubling
LN2 = np.log(2.0)
# Years about the reference date in which the doubling time of that date, if there is a kink, passes
# from the one after the kink to the one before it: a jump would stop the sampler.
KINK_WIDTH = 0.25

Values = Mapping[str, Any]


def turns_at(x: Values, t: Any, view: View) -> Any:
    """Time since the reference date in units of the doubling time then."""
    return (t - view.time_horizon.reference_date) * DAYS / 10.0 ** x["time_horizon_doubling"]


def log_shape_priors(x: Values, xp: Any = np) -> list[Any]:
    """Log prior probability of each of :data:`SHAPES`; ``xp`` is numpy or ``pytensor.tensor``."""
    bent, ends, kinked = (
        x[f"{name}_weight"] for name in ("superexponential", "saturating", "kink")
    )
    rest = xp.log1p(-bent)
    neither = rest + xp.log1p(-ends)
    return [
        neither + xp.log1p(-kinked),
        xp.log(bent),
        neither + xp.log(kinked),
        rest + xp.log(ends),
    ]


def shape_weights(probability: Any) -> dict[str, Any]:
    """Quantities whose :func:`log_shape_priors` are the logs of given probabilities.

    Parameters
    ----------
    probability : ndarray, shape (..., 4)
        Of each of :data:`SHAPES`.
    """
    # a shape without probability keeps a finite logarithm
    straight, bent, kinked, ends = np.moveaxis(np.maximum(probability, 1e-300), -1, 0)
    shares = {
        "superexponential_weight": bent,
        "saturating_weight": ends / (ends + straight + kinked),
        "kink_weight": kinked / (straight + kinked),
    }
    return {name: np.minimum(share, 1.0 - 1e-16) for name, share in shares.items()}


def choose_shape(probability: Any, uniform: Any) -> Any:
    """Index of each draw's own shape.

    Parameters
    ----------
    probability : ndarray, shape (..., 4)
        Of each of :data:`SHAPES`.
    uniform : ndarray, shape (...,)
    """
    cumulative = np.cumsum(probability[..., :-1], axis=-1)
    return (np.asarray(uniform)[..., None] > cumulative).sum(axis=-1)


def doublings(x: Values, turns: Any, shape: str, view: View, xp: Any = np) -> Any:
    """Doublings since the reference date, ``turns`` doubling times of that date later.

    Raises
    ------
    InputError
        If there is no such shape.
    """
    _check(shape)
    if shape == "exponential":
        return turns
    if shape == "superexponential":
        shrink, floor, left = _until_the_floor(x, xp)
        at_floor = (1.0 - left) / shrink
        bent = xp.log(xp.maximum(1.0 - shrink * turns, left)) / xp.log1p(-shrink)
        return bent + xp.maximum(turns - at_floor, 0.0) / floor
    if shape == "kink":
        kink, before, after = _kink(x, view, xp)

        def since_kink(u: Any) -> Any:
            return after * xp.maximum(u - kink, 0.0) + before * xp.minimum(u - kink, 0.0)

        return since_kink(turns) - since_kink(0.0)
    room, left = _room(x, xp)
    return -_log_sum(-room * LN2, xp.log(left) - turns / left * LN2, xp) / LN2


def _until_the_floor(x: Values, xp: Any = np) -> tuple[Any, Any, Any]:
    """Shrinking ``s``, floor ``f``, and ``1 - s u`` where the doubling time reaches the floor.

    ``du/dn = -(1 - s u) log(1 - s) / s`` is at least 1 up to the reference date.
    """
    shrink, floor = x["doubling_shrink"], _floor(x, xp)
    return shrink, floor, -floor * shrink / xp.log1p(-shrink)


def _floor(x: Values, xp: Any = np) -> Any:
    """Shortest doubling time ``f`` over that of the reference date."""
    return xp.minimum(10.0 ** (x["doubling_floor"] - x["time_horizon_doubling"]), 1.0)


def _kink(x: Values, view: View, xp: Any = np) -> tuple[Any, Any, Any]:
    """Turns ``k`` of the kink, and doublings a turn before and after it, ``a`` and ``b``."""
    kink, most = x["kink_year"], 1.0 / _floor(x, xp)
    past = 0.5 + 0.5 * xp.tanh((view.time_horizon.reference_date - kink) / KINK_WIDTH)
    before, after = 10.0 ** (x["kink_ratio"] * past), 10.0 ** (x["kink_ratio"] * (past - 1.0))
    return turns_at(x, kink, view), xp.minimum(before, most), xp.minimum(after, most)


def _log_sum(a: Any, b: Any, xp: Any) -> Any:
    """``log(exp(a) + exp(b))``, several times faster than numpy's where they are finite."""
    if xp is not np:
        return xp.logaddexp(a, b)
    return np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))


def _room(x: Values, xp: Any = np) -> tuple[Any, Any]:
    """Doublings ``K`` up to saturation, and ``1 - 2^-K``."""
    room = 10.0 ** x["saturation_doublings"]
    return room, -xp.expm1(-room * LN2)


def log_horizon(x: Values, t: Any, shape: str, view: View, xp: Any = np) -> Any:
    """Time horizon of one shape of trend, log10 minutes; finite at every date.

    Parameters
    ----------
    x : mapping of ndarray or tensor
        Elicited quantities on their own scales; they broadcast against ``t``.
    t : ndarray or tensor
        Decimal years.
    shape : str
        One of :data:`SHAPES`.
    xp : module
        ``numpy``, or ``pytensor.tensor`` for tensors.

    Returns
    -------
    ndarray or tensor

    Raises
    ------
    InputError
        If there is no such shape.
    """
    return x["time_horizon_level"] + LOG2 * doublings(x, turns_at(x, t, view), shape, view, xp)


def own_log_horizon(x: Values, t: Any, shape: Any, view: View) -> Any:
    """Time horizon of each draw in its own shape, log10 minutes.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
    t : ndarray, shape (time,) or (draw, time)
    shape : ndarray of int, shape (draw,)
        Index into :data:`SHAPES`.

    Returns
    -------
    ndarray, shape (draw, time)
    """
    dates = np.broadcast_to(np.asarray(t, dtype=float), (len(shape), np.shape(t)[-1]))
    value = np.empty(dates.shape)
    for i, name in enumerate(SHAPES):
        k = np.flatnonzero(shape == i)
        column = {quantity: np.asarray(x[quantity])[k, None] for quantity in QUANTITIES}
        value[k] = log_horizon(column, dates[k], name, view)
    return value


def date_of(x: Values, log_minutes: Any, shape: str, view: View) -> Any:
    """Decimal year at which the trend of one shape reaches a time horizon.

    Parameters
    ----------
    x : mapping of ndarray
        Elicited quantities on their own scales.
    log_minutes : ndarray
        log10 minutes; broadcasts against the quantities.
    shape : str
        One of :data:`SHAPES`.

    Returns
    -------
    ndarray
        Infinity where a saturating trend never reaches it.

    Raises
    ------
    InputError
        If there is no such shape.
    """
    n = (log_minutes - x["time_horizon_level"]) / LOG2
    turns = _turns_until(x, n, shape, view)
    return view.time_horizon.reference_date + turns * 10.0 ** x["time_horizon_doubling"] / DAYS


def _turns_until(x: Values, n: Any, shape: str, view: View) -> Any:
    """The inverse of :func:`doublings`."""
    _check(shape)
    if shape == "exponential":
        return n
    if shape == "superexponential":
        shrink, floor, left = _until_the_floor(x)
        at_floor = np.log(left) / np.log1p(-shrink)
        bent = -np.expm1(np.minimum(n, at_floor) * np.log1p(-shrink)) / shrink
        return bent + np.maximum(n - at_floor, 0.0) * floor
    if shape == "kink":
        kink, before, after = _kink(x, view)
        ahead = n + after * np.maximum(-kink, 0.0) + before * np.minimum(-kink, 0.0)
        return kink + np.maximum(ahead, 0.0) / after + np.minimum(ahead, 0.0) / before
    room, left = _room(x)
    with np.errstate(divide="ignore"):  # at the end of the curve and beyond
        free = n - np.log2(-np.expm1(np.minimum(n - room, 0.0) * LN2) / left)
    return np.where(n < room, free * left, np.inf)


def log_threshold(x: Values) -> Any:
    """50% time horizon of a superhuman coder, log10 minutes.

    It is elicited at 80% success, which a model reaches on tasks shorter by ``horizon_ratio``.
    """
    return x["superhuman_coder_horizon"] + x["horizon_ratio"]


def threshold_date(x: Values, shape: str, view: View, more: float = 0.0) -> Any:
    """Decimal year at which the trend of one shape reaches a superhuman coder's horizon.

    Parameters
    ----------
    x : mapping of ndarray
        Elicited quantities on their own scales.
    shape : str
        One of :data:`SHAPES`.
    more : float
        OOM by which the horizon is longer than elicited.

    Returns
    -------
    ndarray
        In the shape of the quantities; before today where the trend has reached it already, and
        infinity where it never does.

    Raises
    ------
    InputError
        If there is no such shape.
    """
    return date_of(x, log_threshold(x) + more, shape, view)


def own_threshold_date(x: Values, shape: Any, view: View, more: float = 0.0) -> Any:
    """Date of each draw's own shape; see :func:`threshold_date`.

    Parameters
    ----------
    shape : ndarray of int, shape (draw,)
        Index into :data:`SHAPES`.
    """
    return np.choose(shape, [threshold_date(x, name, view, more) for name in SHAPES])


def _check(shape: str) -> None:
    if shape not in SHAPES:
        raise InputError(f"shape: must be one of {', '.join(SHAPES)}, got {shape!r}; choose one")
