"""Where a gold curve's own points put its peak, roughly.

This decides only where chains start and in what units they move
(:func:`aligntax.models.priors.scales.informed_normal`), and no density. A parabola that misses the
points by thousands of standard errors has slopes that trap chains.
"""

from typing import Any

import numpy as np
import xarray as xr

from aligntax.models.overoptimization.gold_law import gold

# log10 nats: where a run's peak is searched, and the least and most sd with which it is located
PEAK_RANGE, PEAK_SD = (-3.0, 5.0), (0.01, 0.3)
TINY = 1e-9  # sd


def run_index_of(data: xr.Dataset) -> Any:
    """Run of each point, as integers."""
    return data["run_index"].values.astype(int)


def locate_runs(data: xr.Dataset, misfit: float) -> xr.Dataset:
    """Mean and sd of ``run_peak_kl`` and ``run_start`` by each run's own points, over ``gold_run``.

    They are found by quadrature. Given the peak's KL, gold is linear in its height, so that one
    integral has a closed form.

    Parameters
    ----------
    data : xarray.Dataset
        Curves, as :func:`aligntax.models.overoptimization.model.curves` has them.
    misfit : float
        Error of points without a standard error, as a share of the largest.
    """
    grid, index = np.linspace(*PEAK_RANGE, 1001), run_index_of(data)
    fitted = []
    for run, is_rl in enumerate(data["is_rl"].values):
        d, y, se = (data[name].values[index == run] for name in ("d", "gold", "gold_se"))
        error = np.where(se > 0, se, misfit * np.abs(y).max() + TINY)
        shape, y = gold(d, 10.0 ** (grid[:, None] / 2), 1.0, is_rl) / error, y / error
        height = np.maximum(shape @ y / (shape**2).sum(axis=-1), TINY)
        fit = -0.5 * ((y - height[:, None] * shape) ** 2).sum(axis=-1)
        weight = np.exp(fit - fit.max())
        where = np.stack([grid, np.log10(height) - grid / 2])
        mean = np.average(where, axis=-1, weights=weight)
        sd = np.sqrt(np.average((where - mean[:, None]) ** 2, axis=-1, weights=weight))
        fitted.append([*mean, *np.clip(sd, *PEAK_SD)])
    names = ("run_peak_kl", "run_start", "run_peak_kl_sd", "run_start_sd")
    columns = zip(names, np.reshape(fitted, (-1, 4)).T, strict=True)
    return xr.Dataset({name: ("gold_run", column) for name, column in columns})


def of_proxies(data: xr.Dataset, of_runs: Any) -> Any:
    """What is known of each proxy's first run, that of the earliest method, shape (proxy,)."""
    proxy = data["proxy_index"].values
    order = np.lexsort((data["method_index"].values, proxy))
    _, first = np.unique(proxy[order], return_index=True)
    return np.asarray(of_runs)[order[first]]


def locate_proxies(data: xr.Dataset, misfit: float) -> xr.Dataset:
    """Where its first run puts each proxy, over ``gold_proxy``.

    Mean and sd of ``proxy_peak_kl`` and ``proxy_start``, and ``log_labels``, 0 where it is unknown.
    """
    runs = locate_runs(data, misfit)
    columns = {
        f"proxy_{name}": of_proxies(data, runs[f"run_{name}"].values)
        for name in ("peak_kl", "start", "peak_kl_sd", "start_sd")
    }
    columns["log_labels"] = of_proxies(data, np.nan_to_num(data["log_labels"].values))
    return xr.Dataset({name: ("gold_proxy", column) for name, column in columns.items()})
