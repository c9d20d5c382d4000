"""How well is each piece of evidence predicted from the others? Leave-one-out cross-validation.

For each unit ``i`` of evidence, such as a study, the log density given all other units::

    elpd_i = log p(y_i | y_-i) = log integral p(y_i | y_-i, theta) p(theta | y_-i) dtheta

Draws of the whole posterior are weighted by ``1 / p(y_i | y_-i, theta)``, and the tail of these
weights is smoothed (PSIS [1]_). Where its shape ``k`` exceeds a half, the weights have no variance,
and what is told as their error is none; :mod:`aligntax.analysis.trust.evidence.loo_refits` then
refits the model without the unit.

References
----------
.. [1] Vehtari, Gelman, Gabry, "Practical Bayesian model evaluation using leave-one-out
       cross-validation and WAIC", 2017. doi:10.1007/s11222-016-9696-4
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.summaries.convergence import ess_mean, stacked
from aligntax.analysis.summaries.pareto import SHORTEST_TAIL, pareto_smoothed, tail_length
from aligntax.analysis.summaries.weights import batch_error
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import View

UNITS: Mapping[str, str] = {
    "scaling_exponents": "studies on the same runs, together",
    "loss_laws": "exponent of one law",
    "loss_runs": "training run",
    "time_horizons": "evaluated model, given the others",
    "horizon_runs": "model and all its runs",
    "human_times": "task whose time is stated",
    "training_runs": "training run",
    "algorithmic_progress": "estimate of progress",
    "rlhf_efforts": "effort",
    "feedback_workforces": "developer's human data of a year",
    "alignment_compute_shares": "system",
    "paid_taxes": "payment of a developer",
    "ai_labour": "trial of AI labour",
    "labeller_agreement": "study of agreement",
    "oversight_games": "game of oversight",
    "gold_curves": "point of a curve, given the curve's others",
    "density_trials": "trial",
    "no_tai": "no transformative AI until now",
}
"""Unit that is predicted, in words, by table."""

FINITE = 0.5  # largest k at which weights have a variance, so that an error can be told
CONSTANT = 1e-12  # range of a unit's log densities up to which every draw says the same


@dataclass(frozen=True)
class PredictedUnit:
    """A unit of evidence, predicted from the others.

    Attributes
    ----------
    elpd : float
        Log density given the other units, nat.
    mcse : float
        Its Monte Carlo standard error. NaN or infinite where densities of draws range over more
        than numbers do, so that some count for nothing.
    p : float
        Log density given all units less ``elpd``: what the unit itself taught, in effective
        parameters.
    pareto_k : float or None
        Tail shape of the weights that ``elpd`` is computed with; None without weights. NaN or
        infinite where no distribution fits the tail.
    method : {"psis", "exact"}
        By weights, or by a refit without the unit.
    """

    label: str
    elpd: float
    mcse: float
    p: float
    pareto_k: float | None
    method: str


@dataclass(frozen=True)
class CrossValidation:
    """Every unit of a table.

    Attributes
    ----------
    threshold : float
        Largest ``k`` at which the error of weights is one.
    """

    table: str
    threshold: float
    units: tuple[PredictedUnit, ...]

    @property
    def elpd(self) -> float:
        """Sum of the log densities of all units."""
        return sum(unit.elpd for unit in self.units)

    @property
    def se(self) -> float | None:
        """Standard error of :attr:`elpd`, from the spread over units; None for a single unit."""
        values = [unit.elpd for unit in self.units]
        return float(np.sqrt(len(values)) * np.std(values, ddof=1)) if len(values) > 1 else None

    @property
    def p(self) -> float:
        """Effective parameters, summed over units."""
        return sum(unit.p for unit in self.units)

    @property
    def doubtful(self) -> tuple[PredictedUnit, ...]:
        """Units whose estimate is not reliable."""
        return tuple(unit for unit in self.units if not self._trusts(unit))

    def _trusts(self, unit: PredictedUnit) -> bool:
        """Whether weights, if there are any, have an error, and it is a number."""
        light = unit.pareto_k is None or unit.pareto_k <= self.threshold
        return light and bool(np.isfinite(unit.mcse))

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON; what is not a finite number is None."""
        units = [
            asdict(unit)
            | {name: _finite(getattr(unit, name)) for name in ("mcse", "pareto_k")}
            | {"trusted": self._trusts(unit)}
            for unit in self.units
        ]
        return {
            "table": self.table,
            "unit": UNITS.get(self.table, "row"),
            "elpd": self.elpd,
            "se": self.se,
            "p": self.p,
            "threshold": self.threshold,
            "doubtful": len(self.doubtful),
            "units": units,
        }


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def unit_log_densities(
    model: Model,
    draws: xr.Dataset,
    terms: xr.Dataset,
    tables: PriorTables,
    evidence: Evidence,
    view: View,
) -> dict[str, xr.DataArray]:
    """Log density of every unit given a draw and the other units, (chain, draw, unit), by table.

    Parameters
    ----------
    draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    terms : xarray.Dataset
        Log likelihood, one variable per table.
    """
    found = {
        str(name): v if v.ndim == 3 else v.expand_dims(unit=[str(name)], axis=-1)
        for name, v in terms.items()
    }
    known = model.tables_of(evidence)
    if model.pointwise is not None and any(evidence[table]["used"].any() for table in known):
        # rows that are not independent given a draw have no terms of their own
        x, parameters = split_draws(draws, tables)
        flat = {name: value.ravel() for name, value in x.items()}
        alone = model.pointwise(flat, parameters.stack(sample=("chain", "draw")), evidence, view)
        shape = (draws.sizes["chain"], draws.sizes["draw"])
        for table, rows in alone.items():
            if table in found:
                dim = rows.dims[-1]
                values = rows.values.reshape(*shape, -1)
                found[table] = xr.DataArray(values, {dim: rows[dim].values}, ("chain", "draw", dim))
    return found


def psis_of_tables(
    densities: Mapping[str, xr.DataArray], posterior: xr.Dataset
) -> list[CrossValidation]:
    """Cross-validation of every table by weights alone."""
    if not densities:
        return []
    efficiency = mean_efficiency(posterior)
    return [_by_weights(table, rows, efficiency) for table, rows in densities.items()]


def mean_efficiency(posterior: xr.Dataset) -> float:
    """Effective draws of a draw, on average over all parameters."""
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    if chains == 1:
        return 1.0
    columns = {
        f"{name}[{i}]": column
        for name, each in posterior.data_vars.items()
        for i, column in enumerate(np.moveaxis(each.values.reshape(chains, draws, -1), 2, 0))
    }
    effective = np.concatenate([ess_mean(x) for _, x in stacked(columns)])
    return float(effective.mean() / (chains * draws))


def psis_of_table(table: str, rows: xr.DataArray, posterior: xr.Dataset) -> CrossValidation:
    """Cross-validation of one table by weights alone.

    Parameters
    ----------
    rows : xarray.DataArray, shape (chain, draw, unit)
        Log densities.
    posterior : xarray.Dataset
        Gives the relative efficiency of the draws.
    """
    return _by_weights(table, rows, mean_efficiency(posterior))


def _by_weights(table: str, rows: xr.DataArray, efficiency: float) -> CrossValidation:
    labels = rows[rows.dims[-1]].values
    densities = np.moveaxis(rows.values.astype(float), -1, 0)
    units = [
        predicted_unit(str(label), log, efficiency)
        for label, log in zip(labels, densities, strict=True)
    ]
    return CrossValidation(table, FINITE, tuple(units))


def predicted_unit(label: str, log: Any, efficiency: float) -> PredictedUnit:
    """Unit predicted by weights, with its Monte Carlo error.

    With weights ``w_s`` that sum to one and densities ``p_s``, draw ``s`` of ``S`` contributes
    ``S w_s (p_s / exp(elpd) - 1)`` to the relative error of the mean, which is the error of its
    log. Batches of these include the autocorrelation of a chain.

    Parameters
    ----------
    log : ndarray, shape (chain, draw)
        Log densities of the unit.
    efficiency : float
        Effective draws of a draw.
    """
    if np.ptp(log) <= CONSTANT:  # weights are equal, and the first draw's density is exact
        return PredictedUnit(label, float(log[0, 0]), 0.0, 0.0, None, "psis")
    weights, k = pareto_smoothed(-log, efficiency)
    with np.errstate(divide="ignore"):  # a draw of no weight
        elpd = float(np.logaddexp.reduce((np.log(weights.values) + log).ravel()))
    with np.errstate(over="ignore", invalid="ignore"):  # no number: the unit is doubtful
        mcse = batch_error(log.size * weights.values * np.expm1(log - elpd))
    return PredictedUnit(label, elpd, mcse, log_mean(log) - elpd, k, "psis")


def log_mean(log: Any) -> float:
    """Log of the mean of densities."""
    return float(np.logaddexp.reduce(log.ravel()) - np.log(log.size))


def validated_by_weights(
    model: Model, view: View, evidence: Evidence, groups: Groups
) -> list[dict[str, Any]]:
    """Return cross-validation by table, by weights alone; none where a tail has too few draws."""
    posterior = groups.draws
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    if not groups.log_likelihood.data_vars or tail_length(draws, 1.0) < SHORTEST_TAIL:
        return []
    tables = view.tables(model.quantities)
    rows = unit_log_densities(model, posterior, groups.log_likelihood, tables, evidence, view)
    return [each.to_dict() for each in psis_of_tables(rows, posterior)]
