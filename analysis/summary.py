"""Numbers from draws: quantiles that count "later or never" as infinity, probabilities, Monte Carlo errors, claims.

Everything is reported on a quantity's own scale (log10 where the scale is log10, decimal years for dates).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from analysis.claims import CLAIMS, Claim
from models.alignment import ABOVE, BELOW, UNDEFINED
from models.quantities import QUANTITIES

__all__ = ["Series", "censored_quantile", "claims", "each", "probability", "summarise"]

PROBABILITIES = (0.05, 0.25, 0.50, 0.75, 0.95)


@dataclass(frozen=True)
class Series:
    """Draws of one number with its missing values resolved.

    Attributes
    ----------
    name : str
        With the label of a vector's element in brackets.
    values : ndarray, shape (chain, draw)
        Infinite where censored above or below, NaN where undefined.
    """

    name: str
    values: Any

    @property
    def quantity(self) -> str:
        """Name in the registry."""
        return self.name.split("[")[0]

    @property
    def defined(self) -> Any:
        """Draws that are not undefined, flat; infinities kept."""
        return self.values[~np.isnan(self.values)]

    @property
    def finite(self) -> Any:
        """Draws that are neither undefined nor censored, flat."""
        return self.values[np.isfinite(self.values)]

    @property
    def ranked(self) -> Any:
        """Finite stand-in with the same order: for rank statistics, which need no size beyond the largest."""
        if not len(self.finite):
            return np.zeros(self.values.shape)
        low, high = self.finite.min(), self.finite.max()
        return np.nan_to_num(self.values, nan=low - 2.0, posinf=high + 1.0, neginf=low - 1.0)


def each(derived: xr.Dataset) -> Iterator[Series]:
    """Every number of a derived dataset, vectors element by element."""
    for name in derived.data_vars:
        if str(name).endswith("_state"):
            continue
        values = derived[name].values.astype(float)
        if f"{name}_state" in derived:
            state = derived[f"{name}_state"].values
            values = np.select([state == ABOVE, state == BELOW, state == UNDEFINED], [np.inf, -np.inf, np.nan], values)
        extra = [dim for dim in derived[name].dims if dim not in ("chain", "draw")]
        if not extra:
            yield Series(str(name), values)
            continue
        for i, label in enumerate(derived[extra[0]].values):
            text = f"{label:g}" if isinstance(label, float) else str(label)
            yield Series(f"{name}[{text}]", values[..., i])


def censored_quantile(values: Any, probability: float) -> float:
    """Quantile of numbers that may be infinite: linear between finite neighbours, infinite beside an infinite one.

    Parameters
    ----------
    values : ndarray
        Flat, without NaN.
    probability : float
    """
    ordered = np.sort(values)
    place = probability * (len(ordered) - 1)
    below, above = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    if np.isinf(below) or np.isinf(above):
        return float(below if below == above else (above if np.isinf(above) else below))
    return float(below + (place - np.floor(place)) * (above - below))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def summarise(derived: xr.Dataset, prior_only: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """One row per number.

    Returns
    -------
    dict
        name -> ``unit, scale, mean, sd, q05, q25, q50, q75, q95, prob_censored, mcse_median, ess_bulk, r_hat``, and
        ``prob_above, prob_below, prob_undefined``. Quantiles are unconditional (null inside censored mass); mean and sd are null
        where a draw is censored; draws that are undefined are left out and counted in ``prob_undefined``.
    """
    return {series.name: _row(series, series.quantity in prior_only) for series in each(derived)}


def _row(series: Series, assumed: bool) -> dict[str, Any]:
    from arviz_stats.base import array_stats

    values, defined = series.values, series.defined
    quantity = QUANTITIES[series.quantity]
    row: dict[str, Any] = {"unit": quantity.unit, "scale": quantity.scale}
    whole = len(defined) > 0 and np.all(np.isfinite(defined))
    row |= {
        "mean": float(defined.mean()) if whole else None,
        "sd": float(defined.std(ddof=1)) if whole and len(defined) > 1 else None,
    }
    for probability in PROBABILITIES:
        value = censored_quantile(defined, probability) if len(defined) else np.nan
        row[f"q{round(100 * probability):02d}"] = _number(value)
    above, below, undefined = (float(np.mean(mask)) for mask in (values == np.inf, values == -np.inf, np.isnan(values)))
    row["prob_censored"] = above + below + undefined
    constant = np.ptp(series.ranked) == 0 or values.shape[1] < 4
    stand_in = series.ranked
    row["mcse_median"] = None if constant or row["q50"] is None else _mcse_median(series, row["q50"])
    row["ess_bulk"] = None if constant else _number(array_stats.ess(stand_in, method="bulk"))
    row["r_hat"] = None if constant else _number(array_stats.rhat(stand_in, method="rank"))
    return row | {"prob_above": above, "prob_below": below, "prob_undefined": undefined, "assumed": assumed}


def _mcse_median(series: Series, median: float) -> float | None:
    """Monte Carlo error of the median among the defined draws: half the width of its central 68% order-statistic interval.

    As in posterior's ``mcse_quantile`` (Vehtari et al. 2021, doi:10.1214/20-BA1221), from the effective sample size of "at most
    the median"; a draw in which the quantity is undefined says nothing and stands at the mean.
    """
    from arviz_stats.base import array_stats
    from scipy.special import betaincinv

    below = np.where(np.isnan(series.values), np.mean(series.defined <= median), series.values <= median)
    size = float(array_stats.ess(below, method="mean")) * len(series.defined) / series.values.size
    if not np.isfinite(size):
        return None
    low, high = betaincinv(0.5 * size + 1, 0.5 * size + 1, [0.1586553, 0.8413447])
    width = censored_quantile(series.defined, float(high)) - censored_quantile(series.defined, float(low))
    return _number(0.5 * width)


def probability(claim: Claim, derived: xr.Dataset) -> float | None:
    """Share of the draws in which the claim's quantity is defined that lie within its bounds; null if there is none."""
    if claim.quantity not in derived:
        return None
    names = [name for name in (claim.quantity, f"{claim.quantity}_state") if name in derived]
    defined = next(each(derived[names])).defined
    if not len(defined):
        return None
    return float(np.mean((defined >= claim.lower) & (defined <= claim.upper)))


def claims(derived: xr.Dataset) -> Mapping[str, float]:
    """Probability of each claim whose quantity the model has."""
    known = {claim.name: probability(claim, derived) for claim in CLAIMS}
    return {name: value for name, value in known.items() if value is not None}
