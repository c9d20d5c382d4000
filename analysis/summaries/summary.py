"""Numbers from draws: censored quantiles, probabilities, Monte Carlo errors.

Everything is reported on a quantity's own scale (log10 where the scale is log10, decimal years for
dates). "Later or never" counts as infinity in quantiles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.summaries.convergence import FEWEST, ess_mean, r_hat_and_ess, stacked
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.priors.quantities import (
    LABELS,
    QUANTITIES,
    base_name,
    element_name,
    lookup,
)
from aligntax.models.states import resolved

PROBABILITIES = (0.05, 0.25, 0.50, 0.75, 0.95)
QUARTILES = {"q25": 0.25, "q50": 0.50, "q75": 0.75}
TINY = np.finfo(float).tiny
# relative error of a sum of weights: a place among n numbers is known to n times this
ROUNDING = 1e-12


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
        return base_name(self.name)

    @property
    def defined(self) -> Any:
        """Draws that are not undefined, flat; may be infinite."""
        return self.values[~np.isnan(self.values)]

    @property
    def finite(self) -> Any:
        """Draws that are neither undefined nor censored, flat."""
        return self.values[np.isfinite(self.values)]

    @property
    def ranked(self) -> Any:
        """Finite numbers in the same order, for rank statistics; undefined draws come first."""
        if not len(self.finite):
            return np.zeros(self.values.shape)
        low, high = self.finite.min(), self.finite.max()
        return np.nan_to_num(self.values, nan=low - 2.0, posinf=high + 1.0, neginf=low - 1.0)


def iter_series(derived: xr.Dataset) -> Iterator[Series]:
    """Every number of a derived dataset, vectors element by element.

    The elements of ``alpha_by_corpus`` are ``alpha[c4]`` and ``alpha[pile]``.
    """
    for name in derived.data_vars:
        if str(name).endswith("_state") or name in LABELS:
            continue
        values = derived[name].values.astype(float)
        if f"{name}_state" in derived:
            values = resolved(values, derived[f"{name}_state"].values)
        extra = [dim for dim in derived[name].dims if dim not in ("chain", "draw")]
        if not extra:
            yield Series(str(name), values)
            continue
        base = str(name).removesuffix(f"_by_{extra[0]}")
        for i, label in enumerate(derived[extra[0]].values):
            yield Series(element_name(base, label), values[..., i])


def draws_of(name: str, derived: xr.Dataset) -> Any:
    """Draws of a scalar quantity with its missing values resolved."""
    parts = [part for part in (name, f"{name}_state") if part in derived]
    return next(iter_series(derived[parts])).values


def censored_quantile(values: Any, probability: float, weights: Any = None) -> float:
    """One of :func:`censored_quantiles`."""
    return censored_quantiles(values, (probability,), weights)[0]


def censored_quantiles(
    values: Any, probabilities: Sequence[float], weights: Any = None
) -> list[float]:
    """Quantiles of numbers that may be infinite.

    They are linear between finite neighbours and infinite beside an infinite one.

    The ``i``-th number in order stands at ``(W_i - w_i / 2 - w_1 / 2) / (1 - w_1 / 2 - w_n / 2)``,
    where ``W`` are cumulative weights. With equal weights that is ``(i - 1) / (n - 1)``, numpy's
    default.

    Parameters
    ----------
    values : ndarray
        Flat, without NaN.
    weights : ndarray, optional
        Of each number, positive, sum 1; equal by default.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    if weights is None:
        places = np.asarray(probabilities) * (len(ordered) - 1)
    elif len(ordered) > 1:
        w = weights[order]
        stand = np.cumsum(w) - 0.5 * (w + w[0])
        places = np.interp(probabilities, stand / stand[-1], np.arange(len(w)))
    else:
        places = np.zeros(len(probabilities))
    return [_between(ordered, float(place)) for place in places]


def weighted_points(values: Any, weights: Any, probabilities: Sequence[float]) -> list[float]:
    """Quantiles of the draws that count and are defined; ``weights`` need not sum to 1."""
    counted = (weights > 0) & ~np.isnan(values)
    share = weights[counted]
    return censored_quantiles(values[counted], probabilities, share / share.sum())


def _between(ordered: Any, place: float) -> float:
    """Number at a place between two of them."""
    # Sums of weights round. A place that is a whole number must not fall beside it, where its
    # neighbour may be infinite.
    if abs(place - round(place)) < ROUNDING * len(ordered):
        place = round(place)
    below, above = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    if np.isinf(below) or np.isinf(above):
        return float(below if below == above else (above if np.isinf(above) else below))
    return float(below + (place - np.floor(place)) * (above - below))


def _finite_or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def summarise(
    derived: xr.Dataset, prior_only: tuple[str, ...] = (), weights: Weights | None = None
) -> dict[str, dict[str, Any]]:
    """One row per number.

    Parameters
    ----------
    derived : xarray.Dataset
        Values and, where one may be censored or undefined, its ``_state``.
    prior_only : tuple of str
        Quantities that are assumed.
    weights : Weights, optional
        What each draw counts. With weights, Monte Carlo errors come from batch means, and ``r_hat``
        is None because the chains were run for another density. Without, both come from
        :mod:`aligntax.analysis.summaries.convergence`.

    Returns
    -------
    dict
        name -> ``unit, scale, mean, sd, q05, q25, q50, q75, q95, prob_censored, mcse_median,
        ess_bulk, ess_middle, r_hat, prob_above, prob_below, prob_undefined, assumed``. Quantiles
        are unconditional, and None inside censored mass. Mean and sd are None where a draw is
        censored. Draws that are undefined are left out and counted in ``prob_undefined``.
        ``ess_middle`` is the effective sample size of the mean, where that is told, or of "at most
        the median", which exists wherever the median lies.
    """
    rows, told = {}, []
    for series in iter_series(derived):
        rows[series.name], median = _summary_row(series, series.quantity in prior_only, weights)
        # diagnostics need four draws, and ranks that differ
        if series.values.shape[1] >= FEWEST and np.ptp(series.ranked) != 0:
            told.append((series, median))
    if weights is None:
        errors = _unweighted_errors(told)
    else:
        errors = {each.name: _weighted_errors(each, median, weights) for each, median in told}
    for name, found in errors.items():
        rows[name] |= found
    return rows


def _summary_row(
    series: Series, assumed: bool, weights: Weights | None
) -> tuple[dict[str, Any], float]:
    """Row without Monte Carlo errors, and the median, which may be infinite."""
    values, quantity = series.values, lookup(series.quantity)
    counted = ~np.isnan(values) if weights is None else ~np.isnan(values) & (weights.values > 0)
    defined, share = values[counted], None
    if weights is not None:
        share = weights.values[counted] / max(weights.values[counted].sum(), TINY)
    quantiles = [np.nan] * len(PROBABILITIES)
    if len(defined):
        quantiles = censored_quantiles(defined, PROBABILITIES, share)
    masks = (values == np.inf, values == -np.inf, np.isnan(values))
    above, below, undefined = (
        float(np.mean(mask)) if weights is None else weights.probability(mask) for mask in masks
    )
    row = {
        "unit": quantity.unit,
        "scale": quantity.scale,
        **_moments(defined, share),
        **{
            f"q{round(100 * p):02d}": _finite_or_none(value)
            for p, value in zip(PROBABILITIES, quantiles, strict=True)
        },
        "prob_censored": above + below + undefined,
        **dict.fromkeys(("mcse_median", "ess_bulk", "ess_middle", "r_hat")),
        "prob_above": above,
        "prob_below": below,
        "prob_undefined": undefined,
        "assumed": assumed,
    }
    return row, quantiles[2]


def _moments(defined: Any, share: Any) -> dict[str, float | None]:
    """Mean and sd; None unless every counted draw is finite."""
    if not len(defined) or not np.all(np.isfinite(defined)):
        return {"mean": None, "sd": None}
    mean = float(np.average(defined, weights=share))
    if share is None:
        return {"mean": mean, "sd": float(defined.std(ddof=1)) if len(defined) > 1 else None}
    return {"mean": mean, "sd": float(np.sqrt(np.sum(share * (defined - mean) ** 2)))}


def _unweighted_errors(told: Sequence[tuple[Series, float]]) -> dict[str, dict[str, float | None]]:
    """Diagnostics of the ranks, and the Monte Carlo error of the median, by name.

    The effective sample size of the middle counts defined draws only. An undefined draw says
    nothing: it stands at the mean.
    """
    errors = {}
    for names, ranked in stacked({series.name: series.ranked for series, _ in told}):
        for name, *found in zip(names, *r_hat_and_ess(ranked), strict=True):
            errors[name] = dict(
                zip(("r_hat", "ess_bulk"), map(_finite_or_none, found), strict=True)
            )
    middles = {series.name: _middle(series, median, None) for series, median in told}
    standing = {
        name: np.where(np.isnan(middle), np.nanmean(middle), middle)
        for name, middle in middles.items()
        if np.nanmax(middle) > np.nanmin(middle)
    }
    sizes: dict[str, float] = {}
    for names, middle in stacked(standing):
        sizes |= dict(zip(names, ess_mean(middle).tolist(), strict=True))
    for series, median in told:
        size = sizes.get(series.name, np.nan) * len(series.defined) / series.values.size
        error = _mcse_median(series.defined, None, size) if np.isfinite(median) else None
        errors[series.name] |= {"mcse_median": error, "ess_middle": _finite_or_none(size)}
    return errors


def _weighted_errors(series: Series, median: float, weights: Weights) -> dict[str, float | None]:
    """Effective sample size of normal scores, and error of the median, by batch means."""
    undefined = np.isnan(series.values)
    if not weights.probability(~undefined) > 0:
        return {}
    among = weights.given(~undefined)
    counted = among.values > 0
    size = among.effective(np.nan_to_num(_middle(series, median, among)))
    error = None
    if np.isfinite(median):
        error = _mcse_median(series.values[counted], among.values[counted], size)
    return {
        "mcse_median": error,
        "ess_bulk": _finite_or_none(among.effective(among.normal_scores(series.ranked))),
        "ess_middle": _finite_or_none(size),
    }


def _middle(series: Series, median: float, weights: Weights | None) -> Any:
    """What an answer tells of each draw: its value where the mean is told, else its side.

    The sides are "at most the median" and above it, or "below the median" and from it on, whichever
    halves the draws more evenly: ties and censored mass may hold the median.
    """
    values = series.values
    if QUANTITIES[series.quantity].by_mean:
        return values
    sides = [side.astype(float) for side in (values <= median, values < median)]
    share = (weights or Weights.equal(values.shape)).given(~np.isnan(values)).mean
    side = min(sides, key=lambda side: abs(share(side) - 0.5))
    return np.where(np.isnan(values), np.nan, side)


def _mcse_median(defined: Any, share: Any, size: float) -> float | None:
    """Monte Carlo error of the median of ``size`` effective draws.

    Half the width of the central 68% interval of the order statistic, as in posterior's
    ``mcse_quantile`` (Vehtari et al. 2021, doi:10.1214/20-BA1221).
    """
    from scipy.special import betaincinv

    if not np.isfinite(size):
        return None
    ends = betaincinv(0.5 * size + 1, 0.5 * size + 1, [0.1586553, 0.8413447]).tolist()
    low, high = censored_quantiles(defined, ends, share)
    return _finite_or_none(0.5 * (high - low))
