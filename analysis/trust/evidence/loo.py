"""How well is each piece of evidence predicted from the others? Leave-one-out cross-validation, unit by unit.

::

    elpd_i = log p(y_i | y_-i) = log integral p(y_i | y_-i, theta) p(theta | y_-i) dtheta

Draws of the whole posterior are weighted by ``1 / p(y_i | y_-i, theta)``, their tail smoothed (PSIS
[1]_). Where the tail is too heavy, its shape ``k`` above ``min(1 - 1 / log10(S), 0.7)``, the
estimate is not to be trusted: :mod:`aligntax.analysis.trust.evidence.loo_refits` climbs on.

References
----------
.. [1] Vehtari, Gelman, Gabry, "Practical Bayesian model evaluation using leave-one-out
       cross-validation and WAIC", 2017. doi:10.1007/s11222-016-9696-4
"""

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.derive import split
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import View

UNITS: Mapping[str, str] = {
    "scaling_exponents": "studies on the same runs, together",
    "loss_laws": "exponent of one law",
    "loss_runs": "training run",
    "time_horizons": "evaluated model, given the others",
    "training_runs": "training run",
    "algorithmic_progress": "estimate of progress",
    "rlhf_efforts": "effort",
    "alignment_compute_shares": "system",
    "labeller_agreement": "study of agreement",
    "gold_curves": "point of a curve, given the curve's others",
    "density_trials": "trial",
    "no_tai": "no transformative AI until now",
}
"""What is predicted, by table."""


@dataclass(frozen=True)
class Unit:
    """A unit of evidence, predicted from the others.

    Attributes
    ----------
    label : str
    elpd : float
        Log density, nat.
    mcse : float
        Monte Carlo error of it.
    p : float
        Log density given all less ``elpd``: what the unit itself taught, effective parameters.
    pareto_k : float or None
        Of the weights that ``elpd`` is from; null where there are none.
    method : {"psis", "moment match", "exact"}
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
    table : str
    threshold : float
        ``k`` above which PSIS is not trusted.
    units : tuple of Unit
    """

    table: str
    threshold: float
    units: tuple[Unit, ...]

    @property
    def elpd(self) -> float:
        """Sum over units."""
        return sum(unit.elpd for unit in self.units)

    @property
    def se(self) -> float | None:
        """Standard error of the sum, from how units differ; null for one."""
        values = [unit.elpd for unit in self.units]
        return float(np.sqrt(len(values)) * np.std(values, ddof=1)) if len(values) > 1 else None

    @property
    def p(self) -> float:
        """Effective parameters."""
        return sum(unit.p for unit in self.units)

    @property
    def doubtful(self) -> tuple[Unit, ...]:
        """Units whose estimate is not to be trusted."""
        return tuple(
            unit
            for unit in self.units
            if unit.pareto_k is not None and unit.pareto_k > self.threshold
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {
            "table": self.table,
            "unit": UNITS.get(self.table, "row"),
            "elpd": self.elpd,
            "se": self.se,
            "p": self.p,
            "threshold": self.threshold,
            "doubtful": len(self.doubtful),
            "units": [asdict(unit) for unit in self.units],
        }


def threshold(draws: int) -> float:
    """Shape of the tail up to which so many draws estimate a mean reliably; arXiv:1507.02646, section 3.2.4."""
    return float(min(1.0 - 1.0 / np.log10(draws), 0.7))


def rows_of(
    model: Model,
    draws: xr.Dataset,
    terms: xr.Dataset,
    tables: PriorTables,
    evidence: Evidence,
    view: View,
) -> dict[str, xr.DataArray]:
    """Log density of every unit given a draw and the others of its table, (chain, draw, unit), by table.

    Parameters
    ----------
    draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    terms : xarray.Dataset
        Log likelihood, a variable a table.
    """
    found = {
        str(name): v if v.ndim == 3 else v.expand_dims(unit=[str(name)], axis=-1)
        for name, v in terms.items()
    }
    if model.pointwise is not None and any(evidence[table]["used"].any() for table in model.tables):
        x, parameters = split(draws, tables)
        flat = {name: value.ravel() for name, value in x.items()}
        alone = model.pointwise(flat, parameters.stack(sample=("chain", "draw")), evidence, view)
        shape = (draws.sizes["chain"], draws.sizes["draw"])
        for table, rows in alone.items():
            if table in found:
                dim = rows.dims[-1]
                values = rows.values.reshape(*shape, -1)
                found[table] = xr.DataArray(values, {dim: rows[dim].values}, ("chain", "draw", dim))
    return found


def psis_of(rows: Mapping[str, xr.DataArray], posterior: xr.Dataset) -> list[CrossValidation]:
    """Cross-validation of every table by weights alone."""
    return [psis(table, values, posterior) for table, values in rows.items()]


def psis(table: str, rows: xr.DataArray, posterior: xr.Dataset) -> CrossValidation:
    """Cross-validation of one table by weights alone.

    Parameters
    ----------
    table : str
    rows : xarray.DataArray, shape (chain, draw, unit)
    posterior : xarray.Dataset
        For the relative efficiency of the draws.
    """
    labels = [str(label) for label in rows[rows.dims[-1]].values]
    values = rows.values.astype(float)
    varies = np.ptp(values.reshape(-1, len(labels)), axis=0) > 1e-12
    found = {
        # every draw says the same
        label: Unit(label, float(values[0, 0, i]), 0.0, 0.0, None, "psis")
        for i, label in enumerate(labels)
        if not varies[i]
    }
    if varies.any():
        weighted = weigh(table, rows.isel({rows.dims[-1]: np.flatnonzero(varies)}), posterior)
        found |= {unit.label: unit for unit in units(weighted, rows, "psis")}
    limit = threshold(values.shape[0] * values.shape[1])
    return CrossValidation(table, limit, tuple(found[label] for label in labels))


def tree_of(table: str, rows: xr.DataArray, posterior: xr.Dataset) -> xr.DataTree:
    """What ArviZ reads."""
    plain = rows.rename({rows.dims[-1]: "unit"}).astype(float)
    return xr.DataTree.from_dict(
        {"posterior": posterior, "log_likelihood": xr.Dataset({table: plain})}
    )


def weigh(table: str, rows: xr.DataArray, posterior: xr.Dataset) -> Any:
    """ArviZ's cross-validation of rows that vary."""
    from arviz_stats import loo

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a high k, which each unit tells
        return loo(tree_of(table, rows, posterior), var_name=table, pointwise=True)


def units(found: Any, rows: xr.DataArray, method: str) -> list[Unit]:
    """Units of an ArviZ result, with Monte Carlo errors."""
    made = []
    for label in found.elpd_i["unit"].values:
        log = rows.sel({rows.dims[-1]: label}).values.ravel()
        at = {"unit": label}
        elpd = float(found.elpd_i.sel(at))
        weights = np.exp(found.log_weights.sel(at).transpose("chain", "draw").values.ravel())
        mcse = float(np.sqrt(np.sum((weights / weights.sum() * np.expm1(log - elpd)) ** 2)))
        p = float(np.logaddexp.reduce(log) - np.log(len(log)) - elpd)
        made.append(Unit(str(label), elpd, mcse, p, float(found.pareto_k.sel(at)), method))
    return made
