"""How does the length of tasks that AI completes grow?

Each doubling takes as long as the last, or ever less. With decimal year ``t``, reference date
``t0`` and ``u = (t - t0) / time_horizon_doubling``, the 50% time horizon ``h`` is::

    log2 h(t) = level + n(t)
    n(t) = u                                  exponential
    n(t) = log(1 - s u) / log(1 - s)          superexponential, s = doubling_shrink

In the superexponential shape each doubling takes ``1 - s`` of the time of the one before. Doubling
``m`` is reached at ``u = m`` in the first shape and at ``u = (1 - (1 - s)^m) / s`` in the second,
which is infinite beyond ``u = 1 / s``.

``level`` is in doublings of a minute here, ``time_horizon_level`` in log10 minutes, the doubling
time in log10 days.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.views import View

SHAPES = ("exponential", "superexponential")

DAYS = 365.25  # in a year
LOG2 = np.log10(2.0)  # OOM in a doubling
# Stands for zero in a logarithm, so that a trend that has diverged is finite, at a hundred OOM or
# more.
LOG_FLOOR = 1e-100


def turns_at(x: Mapping[str, Any], t: Any, view: View) -> Any:
    """Time since the reference date in units of the doubling time then."""
    return (t - view.time_horizon.reference_date) * DAYS / 10.0 ** x["time_horizon_doubling"]


def doublings(shrink: Any, turns: Any, shape: str, log: Any) -> Any:
    """Doublings after ``turns`` reference doubling times.

    Once the trend has diverged these are hundreds, with slope zero.
    """
    if shape not in SHAPES:
        raise InputError(f"shape: must be one of {', '.join(SHAPES)}, got {shape!r}; choose one")
    if shape == "exponential":
        return turns
    left = 1.0 - shrink * turns
    return log(0.5 * (left + abs(left)) + LOG_FLOOR) / log(1.0 - shrink)


def log_horizon(x: Mapping[str, Any], t: Any, shape: str, view: View, log: Any = np.log) -> Any:
    """Time horizon of one shape of trend, log10 minutes.

    Parameters
    ----------
    x : mapping of ndarray or tensor
        Elicited quantities on their own scales; they broadcast against ``t``.
    t : ndarray or tensor
        Decimal years.
    shape : {"exponential", "superexponential"}
    log : callable
        ``numpy.log``, or its PyTensor twin for tensors.

    Returns
    -------
    ndarray or tensor
        Plus infinity after the trend has diverged; in a graph a hundred OOM or more, so that
        gradients stay finite.

    Raises
    ------
    InputError
        If there is no such shape.
    """
    turns = turns_at(x, t, view)
    value = x["time_horizon_level"] + LOG2 * doublings(x["doubling_shrink"], turns, shape, log)
    if shape == "superexponential" and log is np.log:
        return np.where(x["doubling_shrink"] * turns < 1.0, value, np.inf)
    return value


def threshold_date(x: Mapping[str, Any], shape: str, view: View) -> Any:
    """Decimal year at which the trend of one shape reaches a superhuman coder's horizon.

    Parameters
    ----------
    x : mapping of ndarray
        Elicited quantities on their own scales.
    shape : {"exponential", "superexponential"}

    Returns
    -------
    ndarray
        In the shape of the quantities; before today where the trend has reached it already.

    Raises
    ------
    InputError
        If there is no such shape.
    """
    if shape not in SHAPES:
        raise InputError(f"shape: must be one of {', '.join(SHAPES)}, got {shape!r}; choose one")
    turns = (x["time_horizon_threshold"] - x["time_horizon_level"]) / LOG2
    if shape == "superexponential":
        shrink = x["doubling_shrink"]
        turns = -np.expm1(turns * np.log1p(-shrink)) / shrink
    return view.time_horizon.reference_date + turns * 10.0 ** x["time_horizon_doubling"] / DAYS
