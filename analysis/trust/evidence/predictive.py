"""Posterior predictive p-values: does replicated evidence have the middle, spread and ends of the evidence?

``p = P(T(y_rep) > T(y) | y) + P(T(y_rep) = T(y) | y) / 2`` for a statistic ``T`` [1]_. Draws that
saw the evidence replicate it, so p gathers around one half: a value near zero or one says that the
model cannot make such evidence, others say little.

References
----------
.. [1] Gelman, Meng, Stern, "Posterior predictive assessment of model fitness via realized
       discrepancies", 1996. Statistica Sinica 6.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

STRAYS = 0.01  # p below it or above one less it
FEWEST = 3  # observations of which a spread says something


def _spread(values: Any) -> Any:
    low, high = np.quantile(values, (0.25, 0.75), axis=-1)
    return high - low


STATISTICS: Mapping[str, Callable[[Any], Any]] = {
    "median": lambda values: np.median(values, axis=-1),
    "interquartile range": _spread,
    "smallest": lambda values: np.min(values, axis=-1),
    "largest": lambda values: np.max(values, axis=-1),
}


def p_values(observed: xr.Dataset, predicted: xr.Dataset) -> dict[str, dict[str, float]]:
    """P-value of every statistic of every variable that is observed and replicated, by variable.

    Parameters
    ----------
    observed : xarray.Dataset
        Variables of one dimension.
    predicted : xarray.Dataset
        The same names, (chain, draw, row); infinite where a trend has diverged.
    """
    found = {}
    for name, actual in observed.items():
        if name not in predicted or actual.ndim != 1 or actual.size < FEWEST:
            continue
        # to the precision that replicates are stored in, or none would ever equal an observation
        values = actual.values.astype(predicted[name].dtype).astype(float)
        drawn = predicted[name].values.astype(float).reshape(-1, actual.size)
        with np.errstate(invalid="ignore"):  # a range between infinities
            found[str(name)] = {
                what: _p(statistic(values), statistic(drawn))
                for what, statistic in STATISTICS.items()
            }
    return found


def _p(actual: float, drawn: Any) -> float:
    """Share of replicates beyond; what is undefined between infinities is infinite."""
    drawn = np.nan_to_num(drawn, nan=np.inf, posinf=np.inf, neginf=-np.inf)
    return float(np.mean(drawn > actual) + 0.5 * np.mean(drawn == actual))
