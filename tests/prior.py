"""Draws from the prior of a model, without PyMC."""

import numpy as np
import xarray as xr
from scipy import stats

from aligntax.models.horizon_evaluations import middle

# The structural priors of the model files, for drawing alone.
HALF_NORMAL = {
    "between_study_sd": 0.3,
    "method_sd": 0.1,
    "spend_sd": 0.7,
    "hardware_sd": 0.5,
    "algorithmic_spread": 0.15,
    "effort_sd": 1.0,
    "share_spread": 0.7,
    "tolerance_spread": 0.5,
    "horizon_scatter": 0.5,
    "flop_sd_scale": 1.0,
}


def scale_at(name, value):
    """The point of the sampled space at which a scale has a value; see :mod:`aligntax.models.priors.scales`."""
    return {f"{name}_score__": stats.norm.isf(stats.halfnorm(scale=HALF_NORMAL[name]).sf(value))}


def suite_at(p, x, rows, view):
    """The point of the sampled space at which the suite's errors have their values ``p``; see :func:`aligntax.models.priors.scales.normal_around`."""
    row = {str(name): column.values for name, column in rows.data_vars.items()}
    turns = (
        (rows["date"].values - view.time_horizon.reference_date)
        * 365.25
        / 10.0 ** x["time_horizon_doubling"]
    )
    trend = x["time_horizon_level"] / np.log10(2.0) + turns
    residual = row["log2_horizon"] - middle(x, p["horizon_scatter"], row, trend)
    ends = ("short", "long")
    return {
        f"suite_error_{end}_around__": p[f"suite_error_{end}"] - row[f"{end}_gain"] @ residual
        for end in ends
    }


def prior_draws(tables, size, seed=1, **scales):
    """One chain of so many draws in the layout of a posterior; ``scales`` stand in for those of :data:`HALF_NORMAL`."""
    rng = np.random.default_rng(seed)
    dims = ("chain", "draw")
    data = {
        "z": (
            (*dims, "quantity"),
            rng.standard_normal((1, size, len(tables.names))) @ tables.cholesky.T,
        )
    }
    data |= {
        name: (dims, scale * np.abs(rng.standard_normal((1, size))))
        for name, scale in (HALF_NORMAL | scales).items()
    }
    data["spend_hardware_correlation"] = (dims, rng.uniform(-1, 1, (1, size)))
    data["kaplan_bias"] = (dims, 2 * rng.standard_normal((1, size)))
    data["isoflop_bias"] = (dims, 0.1 * rng.standard_normal((1, size)))
    data["suite_error_share"] = (dims, rng.uniform(0, 1, (1, size)))
    standard = ("regime_offset", "suite_error_short", "suite_error_long")
    data |= {name: (dims, rng.standard_normal((1, size))) for name in standard}
    coords = {"chain": [0], "draw": np.arange(size), "quantity": list(tables.names)}
    return xr.Dataset(data, coords=coords)
