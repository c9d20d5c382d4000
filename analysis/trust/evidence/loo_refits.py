"""Cross-validation of units that weights cannot estimate: by moved draws, then by refits.

A costlier method is used only for the units that the one before could not estimate. The first is
PSIS; the second is moment matching [1]_, which shifts and scales the draws to where the posterior
without the unit has them; the third samples the posterior without the unit, whose answer is exact
but for Monte Carlo error.

References
----------
.. [1] Paananen, Piironen, Buerkner, Vehtari, "Implicitly adaptive importance sampling", 2021.
       doi:10.1007/s11222-020-09982-2
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_seed
from aligntax.analysis.trust.evidence.loo import (
    CONSTANT,
    CrossValidation,
    PredictedUnit,
    arviz_loo,
    arviz_tree,
    predicted_units,
    psis_of_table,
    unit_log_densities,
)
from aligntax.analysis.trust.leave_out import LeaveOut, PosteriorDraws

ITERATIONS = 10  # of moment matching, at most: a refit is exact, and soon cheaper
DIM = "unconstrained_parameter"  # ArviZ's name for it


@dataclass(frozen=True)
class CrossValidator:
    """What the methods share.

    Attributes
    ----------
    whole : PosteriorDraws
        Draws given all evidence.
    """

    model: LeaveOut
    whole: PosteriorDraws
    options: Sampling


def cross_validate(
    model: LeaveOut, options: Sampling, tell: Callable[[str], None] = lambda text: None
) -> list[CrossValidation]:
    """Cross-validation of every table, each unit by the cheapest method that is reliable.

    Parameters
    ----------
    tell : callable
        Takes one line about what is being done.
    """
    tell("sampling with all evidence")
    validator = CrossValidator(model, model.sample(options), options)
    compiled, posterior = model.compiled, validator.whole.posterior
    tables = compiled.view.tables(compiled.model.quantities)
    terms = compiled.terms.log_likelihood(posterior, tables)
    densities = unit_log_densities(
        compiled.model, posterior, terms, tables, compiled.evidence, compiled.view
    )
    return [
        _improved(validator, psis_of_table(table, rows, posterior), rows, tell)
        for table, rows in densities.items()
    ]


def _improved(
    validator: CrossValidator,
    found: CrossValidation,
    rows: xr.DataArray,
    tell: Callable[[str], None],
) -> CrossValidation:
    """Estimate the doubtful units of a table again."""
    if not found.doubtful:
        return found
    tell(f"moving draws for {len(found.doubtful)} of {found.table}")
    found = _replaced(found, moment_matched(validator, found.table, rows))
    for unit in found.doubtful:
        tell(f"refitting without {unit.label} of {found.table}")
        found = _replaced(found, [refitted(validator, found.table, unit.label, rows)])
    return found


def _replaced(found: CrossValidation, better: list[PredictedUnit]) -> CrossValidation:
    """The same with some units estimated anew."""
    new = {unit.label: unit for unit in better}
    return replace(found, units=tuple(new.get(unit.label, unit) for unit in found.units))


def moment_matched(
    validator: CrossValidator, table: str, rows: xr.DataArray
) -> list[PredictedUnit]:
    """Doubtful units of a table by moment matching; only those whose weights it improved."""
    from arviz_stats import loo_moment_match

    model, posterior = validator.model, validator.whole.posterior
    varies = np.ptp(rows.values, axis=(0, 1)) > CONSTANT
    varying = rows.isel({rows.dims[-1]: np.flatnonzero(varies)})
    labels = [str(label) for label in varying[varying.dims[-1]].values]
    dims = ("chain", "draw")
    coords = {dim: posterior[dim].values for dim in dims}

    def log_posterior(points: xr.DataArray) -> xr.DataArray:
        values = model.log_posterior(points.transpose(*dims, DIM).values)
        return xr.DataArray(values, coords, dims)

    def log_unit(points: xr.DataArray, i: int) -> xr.DataArray:
        values = model.log_unit(points.transpose(*dims, DIM).values, table, labels[i])
        return xr.DataArray(values, coords, dims)

    before = arviz_loo(table, varying, posterior)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # it warns where k stays high; such units are refitted
        warnings.simplefilter("ignore")
        after = loo_moment_match(
            arviz_tree(table, varying, posterior),
            before,
            upars=xr.DataArray(validator.whole.unconstrained, coords, (*dims, DIM)),
            log_prob_upars_fn=log_posterior,
            log_lik_i_upars_fn=log_unit,
            var_name=table,
            max_iters=ITERATIONS,
            pointwise=True,
        )
    moved = after.pareto_k.values < np.minimum(before.pareto_k.values, after.good_k)
    units = predicted_units(after, varying, "moment match")
    return [unit for unit, better in zip(units, moved, strict=True) if better]


def refitted(
    validator: CrossValidator, table: str, label: str, rows: xr.DataArray
) -> PredictedUnit:
    """A unit predicted by the posterior without it."""
    seed = child_seed(validator.options.seed, "sample")
    options = replace(validator.options, seed=seed)
    without = validator.model.without({table: [label]}).sample(options)
    log = validator.model.log_unit(without.unconstrained, table, label)
    elpd = _log_mean(log)
    given_all = _log_mean(rows.sel({rows.dims[-1]: label}).values)
    mcse = _relative_error(np.exp(log - elpd))
    return PredictedUnit(label, elpd, mcse, given_all - elpd, None, "exact")


def _log_mean(log: Any) -> float:
    return float(np.logaddexp.reduce(log.ravel()) - np.log(log.size))


def _relative_error(density: Any) -> float:
    """Monte Carlo standard error of the mean of densities (chain, draw) that average one."""
    from arviz_stats.base import array_stats

    return float(density.std(ddof=1) / np.sqrt(array_stats.ess(density, method="mean")))
