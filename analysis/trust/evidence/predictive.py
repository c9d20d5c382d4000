"""Posterior predictive p-values: does replicated evidence look like the evidence?

For a statistic ``T`` such as the median or the largest value [1]_::

    p = P(T(y_rep) > T(y) | y) + P(T(y_rep) = T(y) | y) / 2

The draws that replicate the evidence have seen it, so p gathers around one half. A value near zero
or one says that the model cannot make such evidence; other values say little.

References
----------
.. [1] Gelman, Meng, Stern, "Posterior predictive assessment of model fitness via realized
       discrepancies", 1996. Statistica Sinica 6.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.trust.calibration.ranks import RANKED, band_of
from aligntax.models.variables import LIKELIHOODS

STRAYS = 0.01  # a p-value strays if it is below this or above one minus this
PIT_LEVEL = 0.01  # chance that ranks of evidence which the model makes are called uneven
FEWEST = 3  # observations: the spread of fewer says nothing
ENOUGH = 10  # observations for a distribution of their ranks


def title_and_unit(name: str) -> tuple[str, str]:
    """Return title and unit of a variable of the evidence."""
    unit, title = LIKELIHOODS.get(name, ("", name.replace("_", " ")))
    return title, unit


def _interquartile_range(values: Any) -> Any:
    low, high = np.quantile(values, (0.25, 0.75), axis=-1)
    return high - low


STATISTICS: Mapping[str, Callable[[Any], Any]] = {
    "median": lambda values: np.median(values, axis=-1),
    "interquartile range": _interquartile_range,
    "smallest": lambda values: np.min(values, axis=-1),
    "largest": lambda values: np.max(values, axis=-1),
}


def p_values(observed: xr.Dataset, predicted: xr.Dataset) -> dict[str, dict[str, float]]:
    """P-value of every statistic, by variable, of variables that are observed and replicated.

    Parameters
    ----------
    observed : xarray.Dataset
        Variables of one dimension.
    predicted : xarray.Dataset
        The same names, (chain, draw, row); infinite where a draw has no number.
    """
    found = {}
    for name, actual in observed.items():
        if name not in predicted or actual.ndim != 1 or actual.size < FEWEST:
            continue
        # rounded as stored replicates are, or a replicate could never equal an observation
        values = actual.values.astype(predicted[name].dtype).astype(float)
        drawn = predicted[name].values.astype(float).reshape(-1, actual.size)
        with np.errstate(invalid="ignore"):  # a range between infinities
            found[str(name)] = {
                what: _p(statistic(values), statistic(drawn))
                for what, statistic in STATISTICS.items()
            }
    return found


def _p(actual: float, drawn: Any) -> float:
    """Share of replicates above; a range between infinities, which is NaN, counts as infinite."""
    drawn = np.nan_to_num(drawn, nan=np.inf, posinf=np.inf, neginf=-np.inf)
    return float(np.mean(drawn > actual) + 0.5 * np.mean(drawn == actual))


def pit_p(actual: Any, drawn: Any) -> float:
    """P-value of even ranks of observations among their replicates, by a simultaneous band.

    Replicates have seen the observations, and rows share parameters. So the ranks are, if anything,
    more even than those of unseen rows, and a small value says the more.

    Parameters
    ----------
    actual : ndarray, shape (row,)
    drawn : ndarray, shape (draw, row)
    """
    drawn = np.nan_to_num(drawn, nan=np.inf, posinf=np.inf, neginf=-np.inf)
    place = np.mean(drawn < actual, axis=0) + 0.5 * np.mean(drawn == actual, axis=0)
    ranks = np.minimum((place * (RANKED + 1)).astype(int), RANKED)
    return band_of(len(actual)).p(ranks)
