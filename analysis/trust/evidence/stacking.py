"""Shapes of a trend weighed by how well each predicts models that it was not fitted to: stacking.

With the cross-validated densities ``p_ik`` of model ``i`` under shape ``k`` (see
:mod:`aligntax.models.horizon_loo`), the weights maximise the score of the mixture [1]_::

    w = argmax sum_i log sum_k w_k p_ik,    w_k >= 0, sum_k w_k = 1

Where shapes predict alike the weights are hardly determined: one shape may take them all although
it leads by less than its standard error. So the differences and their errors belong beside them.

References
----------
.. [1] Yao, Vehtari, Simpson, Gelman, "Using stacking to average Bayesian predictive distributions",
       2018. doi:10.1214/17-BA1091
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compiled_model import CompiledModel
from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_seed
from aligntax.analysis.trust.evidence.bridge import bridge
from aligntax.analysis.trust.evidence.loo import (
    CrossValidation,
    PredictedUnit,
    log_mean,
    psis_of_table,
)
from aligntax.models.horizon_loo import log_ratio
from aligntax.models.horizon_runs import runs

TABLE = "horizon_runs"
ITERATIONS = 10_000  # of expectation maximisation, whose score never falls; each takes microseconds


@dataclass(frozen=True)
class Stacked:
    """Shapes and what each counts.

    Attributes
    ----------
    validated : mapping of str to CrossValidation
        Of every model, by shape.
    weights : mapping of str to float
        They sum to 1.
    """

    validated: Mapping[str, CrossValidation]
    weights: Mapping[str, float]

    @classmethod
    def of(cls, validated: Mapping[str, CrossValidation]) -> "Stacked":
        """Stack shapes that were validated on the same models."""
        found = stacking_weights(np.stack([_elpds(each) for each in validated.values()], axis=-1))
        return cls(validated, dict(zip(validated, found.tolist(), strict=True)))

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON: by shape its weight, its score, and how far it is behind."""
        best = max(self.validated.values(), key=lambda each: each.elpd)
        rows = {}
        for shape, each in self.validated.items():
            behind = _elpds(best) - _elpds(each)
            rows[shape] = {
                "weight": self.weights[shape],
                "elpd_behind": float(behind.sum()),
                "elpd_behind_se": float(np.sqrt(len(behind)) * behind.std(ddof=1)),
                **each.to_dict(),
                "unit": "model that is left out of the trend",
            }
        return rows


def _elpds(validated: CrossValidation) -> Any:
    return np.array([unit.elpd for unit in validated.units])


def stacking_weights(elpd: Any) -> Any:
    """Weights that maximise the mixture's score.

    Parameters
    ----------
    elpd : ndarray, shape (unit, shape)
        Cross-validated log densities.

    Returns
    -------
    ndarray, shape (shape,)
    """
    density = np.exp(elpd - elpd.max(axis=1, keepdims=True))
    weights = np.full(elpd.shape[1], 1.0 / elpd.shape[1])
    for _ in range(ITERATIONS):
        part = density * weights
        weights = (part / part.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights


def validate_trend(
    compiled: CompiledModel,
    shape: str,
    posterior: xr.Dataset,
    options: Sampling,
    tell: Callable[[str], None] = lambda text: None,
) -> CrossValidation:
    """Predict the ability of every model from the trend of the others.

    Draws are weighted; where the weights' tail is too heavy, the model is taken off the trend and
    sampled again.

    Parameters
    ----------
    compiled : CompiledModel
        Run-level model with this shape.
    posterior : xarray.Dataset
        Its draws.
    options : Sampling
        Of the draws, and of what is sampled again.
    """
    ratios = _ratios(compiled, shape, posterior)
    found = psis_of_table(TABLE, ratios, posterior)
    units = list(found.units)
    for i, unit in enumerate(units):
        if unit in found.doubtful:
            tell(f"sampling the {shape} trend without {unit.label}")
            units[i] = _resampled(compiled, shape, i, unit, ratios.values[..., i], options)
    return replace(found, units=tuple(units))


def _ratios(compiled: CompiledModel, shape: str, posterior: xr.Dataset) -> xr.DataArray:
    """``log R_m`` of every draw and model, (chain, draw, horizon_agent)."""
    x, parameters = split_draws(posterior, compiled.view.tables(compiled.model.quantities))
    flat = {name: value.ravel() for name, value in x.items()}
    sample = parameters.stack(sample=("chain", "draw")).transpose("sample", ...)
    found = log_ratio(flat, sample, compiled.evidence, compiled.view, shape)
    agents, dims = found["horizon_agent"].values, ("chain", "draw")
    values = found.values.reshape(*(posterior.sizes[dim] for dim in dims), -1)
    return xr.DataArray(values, {"horizon_agent": agents}, (*dims, "horizon_agent"))


def _resampled(
    compiled: CompiledModel,
    shape: str,
    i: int,
    unit: PredictedUnit,
    given: Any,
    options: Sampling,
) -> PredictedUnit:
    """A model predicted by draws in which it is off the trend, and by those in which it is on it.

    ``given`` holds its ``log R`` at the latter, (chain, draw).
    """
    rows = runs(compiled.evidence)
    off = rows.assign(on_trend=rows["on_trend"].copy(data=np.arange(len(rows["on_trend"])) != i))
    without = compiled.with_evidence(
        compiled.evidence.with_likelihood_rows({TABLE: off.assign(on_trend=off["on_trend"] * 1.0)})
    )
    draws, _ = without.posterior(replace(options, seed=child_seed(options.seed, "sample")))
    found = bridge(given, _ratios(without, shape, draws).values[..., i])
    p = log_mean(given) - found.log_ratio
    return PredictedUnit(unit.label, found.log_ratio, found.error, p, None, "exact")
