"""Naive forecasts whose trend may wander: a local linear trend, and ARIMA(0,1,1) with drift.

Both are one state-space model in continuous time, so that rows may be spaced unevenly [1]_::

    y_i = level(t_i) + e_i                     e_i ~ Normal(0, s^2)
    d level = slope dt + s sqrt(q) dW          q: how fast the level wanders, 1/year
    d slope =            s sqrt(w) dW'         w: how fast the slope wanders, 1/year^3

With ``w = 0`` and evenly spaced rows it is ARIMA(0,1,1) with drift: its differences are a drift and
a moving average of order one. With ``q = w = 0`` it is the straight line. The start is diffuse, the
ratios ``q`` and ``w`` are those of a grid with the largest likelihood, and ``s`` is concentrated
out. Its estimate has two degrees of freedom fewer than there are rows, so that the prediction is
Student's t, the straight line's own where nothing wanders.

References
----------
.. [1] Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter", 1989.
       doi:10.1017/CBO9781107049994
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from aligntax.analysis.trust.backtest.scores import probabilities

RATIOS = np.concatenate([[0.0], 10.0 ** np.arange(-4.0, 2.5, 0.5)])
DIFFUSE = 1e10  # variance of level and slope before the first row, in s^2


@dataclass(frozen=True)
class Filtered:
    """State after the last row, for every pair of ratios; variances are in ``s^2``.

    Attributes
    ----------
    level, slope : ndarray, shape (ratio,)
    level_var, covariance, slope_var : ndarray, shape (ratio,)
    log_likelihood : ndarray, shape (ratio,)
        With ``s`` at its estimate, up to a constant.
    s : ndarray, shape (ratio,)
    """

    level: Any
    slope: Any
    level_var: Any
    covariance: Any
    slope_var: Any
    log_likelihood: Any
    s: Any


def kalman_filter(dates: Any, values: Any, q: Any, w: Any) -> Filtered:
    """Filter rows for pairs of ratios at once.

    Parameters
    ----------
    dates, values : ndarray, shape (past,)
        At least three rows, sorted by date.
    q, w : ndarray, shape (ratio,)
    """
    level, slope = np.full(len(q), values[0]), np.zeros(len(q))
    p, c, v = np.full(len(q), DIFFUSE), np.zeros(len(q)), np.full(len(q), DIFFUSE)
    squares, logs = np.zeros(len(q)), np.zeros(len(q))
    for gap, value in zip(np.diff(dates, prepend=dates[0]), values, strict=True):
        level = level + gap * slope
        p = p + 2 * gap * c + gap**2 * v + q * gap + w * gap**3 / 3
        c, v = c + gap * v + w * gap**2 / 2, v + w * gap
        variance, error = p + 1.0, value - level
        # a row that fixes level or slope for the first time has no density of its own
        known = variance < np.sqrt(DIFFUSE)
        squares, logs = (
            squares + known * error**2 / variance,
            logs + known * np.log(variance),
        )
        level, slope = level + p / variance * error, slope + c / variance * error
        p, c, v = p / variance, c / variance, v - c**2 / variance
    free = max(len(values) - 2, 1)
    s = np.sqrt(np.maximum(squares, 1e-12) / free)
    return Filtered(level, slope, p, c, v, -0.5 * logs - free * np.log(s), s)


def _forecast(dates: Any, values: Any, later: Any, q: Any, w: Any) -> Any:
    """Quantiles of later rows under the likeliest pair of ratios, (draw, row)."""
    found = kalman_filter(dates, values, q, w)
    i = int(np.argmax(found.log_likelihood))
    ahead = later - dates[-1]
    variance = (
        found.level_var[i]
        + 2 * ahead * found.covariance[i]
        + ahead**2 * found.slope_var[i]
        + q[i] * ahead
        + w[i] * ahead**3 / 3
        + 1.0
    )
    centre = found.level[i] + found.slope[i] * ahead
    t = stats.t(max(len(values) - 2, 1)).ppf(probabilities())[:, None]
    return centre + t * found.s[i] * np.sqrt(variance)


def local_linear_trend(dates: Any, values: Any, later: Any) -> Any:
    """Naive forecast: level and slope wander.

    Arguments as for :func:`aligntax.analysis.trust.backtest.scores.last_value`.
    """
    q, w = (each.ravel() for each in np.meshgrid(RATIOS, RATIOS))
    return _forecast(dates, values, later, q, w)


def arima_with_drift(dates: Any, values: Any, later: Any) -> Any:
    """Naive forecast: the level wanders about a steady drift, ARIMA(0,1,1) where rows are even.

    Arguments as for :func:`aligntax.analysis.trust.backtest.scores.last_value`.
    """
    return _forecast(dates, values, later, RATIOS, np.zeros(len(RATIOS)))
