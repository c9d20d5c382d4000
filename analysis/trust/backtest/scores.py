"""Proper scores of forecasts that are draws, and the naive forecasts that a model must beat.

For a forecast ``F`` with density ``f`` and the value ``y`` that came [1]_::

    CRPS(F, y) = E|X - y| - E|X - X'| / 2            in the unit of y
    log score = log f(y)                             nat
    PIT = F(y)                                       uniform if the forecast is calibrated

The CRPS of a forecast without spread is ``|x - y|``. The density of draws is estimated with a
kernel of Student's t with four degrees of freedom, whose tails reach every observation.

References
----------
.. [1] Gneiting, Raftery, "Strictly proper scoring rules, prediction, and estimation", 2007.
       doi:10.1198/016214506000001437
.. [2] Silverman, "Density estimation for statistics and data analysis", 1986: the width of the
       kernel.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

COVERAGES = (0.5, 0.9)
GRID = 2000  # quantiles, evenly in probability, that represent a naive forecast
KERNEL = stats.t(4)


@dataclass(frozen=True)
class Score:
    """How well a forecast predicted one value.

    Attributes
    ----------
    covered : tuple of bool
        Whether the central interval of each of :data:`COVERAGES` contains the value.
    q05, q50, q95 : float
        Quantiles of the forecast.
    diverged : float
        Share of draws that were infinite.
    """

    crps: float
    log_score: float
    pit: float
    covered: tuple[bool, ...]
    q05: float
    q50: float
    q95: float
    diverged: float


def score(draws: Any, actual: float) -> Score:
    """Compute every score of a forecast.

    Parameters
    ----------
    draws : ndarray, shape (draw,)
        Infinite where a draw has no number. Such draws are set to the largest finite one, since
        their CRPS would be infinite.
    actual : float
        The value that came.
    """
    finite = draws[np.isfinite(draws)]
    diverged = 1.0 - len(finite) / len(draws)
    draws = np.clip(draws, finite.min(), finite.max())
    u = pit(draws, actual)
    covered = tuple(bool(abs(u - 0.5) <= 0.5 * level) for level in COVERAGES)
    low, middle, high = np.quantile(draws, (0.05, 0.5, 0.95))
    return Score(
        crps(draws, actual),
        log_score(draws, actual),
        u,
        covered,
        float(low),
        float(middle),
        float(high),
        diverged,
    )


def crps(draws: Any, actual: float) -> float:
    """Continuous ranked probability score of ``S`` draws.

    Sorting takes ``S log S`` steps: ``E|X - X'| = 2 / S^2 sum_i (2i - S - 1) x_(i)``.
    """
    x = np.sort(draws)
    size = len(x)
    spread = float(((2 * np.arange(1, size + 1) - size - 1) * x).sum()) / size**2
    return float(np.abs(x - actual).mean()) - spread


def log_score(draws: Any, actual: float) -> float:
    """Log density at the value that came; the kernel's width is by Silverman's rule [2]_."""
    low, high = np.quantile(draws, (0.25, 0.75))
    width = max(0.9 * min(np.std(draws), (high - low) / 1.349) * len(draws) ** -0.2, 1e-9)
    return float(np.log(KERNEL.pdf((actual - draws) / width).mean() / width))


def pit(draws: Any, actual: float) -> float:
    """Share of draws below the value that came; ties count half."""
    return float(np.mean(draws < actual) + 0.5 * np.mean(draws == actual))


def probabilities() -> Any:
    """Probabilities of the quantiles that represent a naive forecast, (draw,)."""
    return (np.arange(GRID) + 0.5) / GRID


def last_value(dates: Any, values: Any, later: Any) -> Any:
    """Naive forecast: the latest value, with the scatter of a random walk through the past.

    ``Normal(y_n, s sqrt(t - t_n))`` with ``s^2 = sum_i (y_i - y_(i-1))^2 / (t_n - t_1)``, and at
    least the scatter of one mean step.

    Parameters
    ----------
    dates, values : ndarray, shape (past,)
        At least three rows, sorted by date.
    later : ndarray, shape (row,)
        Dates to predict.

    Returns
    -------
    ndarray, shape (draw, row)
        Quantiles, evenly spaced in probability.
    """
    span = max(float(dates[-1] - dates[0]), 1e-9)
    variance = float((np.diff(values) ** 2).sum()) / span
    ahead = np.maximum(later - dates[-1], span / (len(dates) - 1))
    scale = np.sqrt(np.maximum(variance * ahead, 1e-12))
    return values[-1] + stats.norm.ppf(probabilities())[:, None] * scale


def straight_line(dates: Any, values: Any, later: Any) -> Any:
    """Naive forecast: least squares through the past, with Student's t of its prediction.

    ``t_(n-2)(a + b t, s sqrt(1 + 1/n + (t - mean)^2 / S_tt))``; arguments as for
    :func:`last_value`.
    """
    size, centre = len(dates), float(dates.mean())
    spread = float(((dates - centre) ** 2).sum())
    slope = float(((dates - centre) * values).sum()) / spread if spread > 0 else 0.0
    residual = values - values.mean() - slope * (dates - centre)
    s = np.sqrt(max(float((residual**2).sum()), 1e-12) / max(size - 2, 1))
    leverage = (later - centre) ** 2 / spread if spread > 0 else np.zeros(len(later))
    scale = s * np.sqrt(1 + 1 / size + leverage)
    return (
        values.mean()
        + slope * (later - centre)
        + stats.t(max(size - 2, 1)).ppf(probabilities())[:, None] * scale
    )
