"""How well does a trend predict the ability of a model that it was not fitted to?

The unit that is left out is a model, because a forecast is about new models: runs or tasks of a
model that stays would tell its ability, whatever the trend. A model that is left out of the trend
keeps its runs, which also say how hard the tasks are. Its ability then has a reference distribution
in the place of the trend's, :data:`aligntax.models.horizon_runs.OFF_TREND`. With the likelihood
``L_m`` of its runs, given a draw of everything but its ability::

    R_m = integral L_m(a) Normal(a; trend(t_m), ability_spread) da / integral L_m(a) reference(a) da
    p(draw | m left out) ~ p(draw | all) / R_m,     elpd_m = log E[R_m | m left out]

``R_m`` is the predictive density of the ability over the reference's, averaged over what the runs
leave open. Difficulties enter both integrals alike and nearly cancel, so that weights ``1 / R_m``
are steady where those of ``1 / L_m`` are not. The reference is the same for every shape: it moves
no difference between shapes.
"""

from typing import Any

import numpy as np
import xarray as xr
from scipy.special import expit, logsumexp

from aligntax.models.evidence import Evidence
from aligntax.models.horizon_runs import OFF_TREND, ability, difficulty, runs, trend
from aligntax.models.views import View

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
STEPS = 10  # of Newton's method from a draw of the ability, which lies near the mode
FARTHEST = 3.0  # doublings that one of them may go


def log_ratio(
    x: Any, parameters: xr.Dataset, evidence: Evidence, view: View, shape: str
) -> xr.DataArray:
    """``log R_m`` of every model for every draw.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters.
    shape : str
        One of :data:`aligntax.models.horizon_trend.SHAPES`.

    Returns
    -------
    xarray.DataArray, shape (draw, horizon_agent)
    """
    rows = runs(evidence)
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    mean = trend(column, rows["date"].values, shape, view)
    spread, hard = parameters["ability_spread"].values, difficulty(parameters)
    slope, start = parameters["success_slope"].values, ability(parameters)
    found = np.empty(mean.shape)
    for m in range(rows.sizes["horizon_agent"]):
        ran = rows["attempts"].values[:, m] > 0
        counts = (rows[name].values[ran, m] for name in ("successes", "attempts"))
        of_model = (start[:, m], slope, hard[:, ran], *counts)
        found[:, m] = _log_integral(mean[:, m], spread, *of_model)
        wide = (np.full_like(spread, number) for number in OFF_TREND)
        found[:, m] -= _log_integral(*wide, *of_model)
    return xr.DataArray(
        found, {"horizon_agent": rows["horizon_agent"].values}, ("draw", "horizon_agent")
    )


def _log_integral(
    mean: Any, sd: Any, start: Any, slope: Any, hard: Any, successes: Any, attempts: Any
) -> Any:
    """Log of the integral of a model's likelihood over ``Normal(mean, sd)``, (draw,).

    By Gauss-Hermite quadrature about the mode. Binomial coefficients are left out.

    Parameters
    ----------
    mean, sd, start, slope : ndarray, shape (draw,)
    hard : ndarray, shape (draw, task)
    successes, attempts : ndarray, shape (task,)
    """
    slope = slope[:, None]

    def log_joint(a: Any) -> Any:
        odds = slope * (a[:, None] - hard)
        runs = (successes * odds - attempts * np.logaddexp(0.0, odds)).sum(axis=-1)
        return runs - 0.5 * ((a - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)

    at = start.copy()
    for _ in range(STEPS):
        chance = expit(slope * (at[:, None] - hard))
        rise = (slope * (successes - attempts * chance)).sum(axis=-1) - (at - mean) / sd**2
        bend = (slope**2 * attempts * chance * (1.0 - chance)).sum(axis=-1) + sd**-2.0
        at = at + np.clip(rise / bend, -FARTHEST, FARTHEST)
    width = bend**-0.5
    terms = [
        log_joint(at + width * node) + 0.5 * node**2 + np.log(weight)
        for node, weight in zip(NODES, WEIGHTS, strict=True)
    ]
    return logsumexp(terms, axis=0) + np.log(width)
