"""Climb the ladder of cross-validation: weights, then draws moved to where a unit left out would have them, then a refit.

A rung is taken for the units that the one before cannot estimate: PSIS; moment matching [1]_, which
moves and scales the draws; and the posterior without the unit, sampled anew, whose answer is exact
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
from aligntax.analysis.inference.seeds import child
from aligntax.analysis.trust.evidence.loo import (
    CrossValidation,
    Unit,
    psis,
    rows_of,
    tree_of,
    units,
    weigh,
)
from aligntax.analysis.trust.leave_out import LeaveOut, Left

ITERATIONS = 10  # of moment matching; a refit is exact, and soon cheaper
DIM = "unconstrained_parameter"


@dataclass(frozen=True)
class Climber:
    """What the rungs share.

    Attributes
    ----------
    model : LeaveOut
    whole : Left
        Draws given all evidence.
    options : Sampling
    """

    model: LeaveOut
    whole: Left
    options: Sampling


def climb(
    model: LeaveOut, options: Sampling, tell: Callable[[str], None] = lambda text: None
) -> list[CrossValidation]:
    """Cross-validation of every table, each unit by the first rung that carries it.

    Parameters
    ----------
    model : LeaveOut
    options : Sampling
    tell : callable
        Told what is being done.
    """
    tell("sampling with all evidence")
    climber = Climber(model, model.sample(options), options)
    compiled, posterior = model.compiled, climber.whole.posterior
    tables = compiled.view.tables(compiled.model.quantities)
    terms = compiled.terms.log_likelihood(posterior, tables)
    rows = rows_of(compiled.model, posterior, terms, tables, compiled.evidence, compiled.view)
    return [
        _table(climber, psis(table, each, posterior), each, tell) for table, each in rows.items()
    ]


def _table(
    climber: Climber, found: CrossValidation, rows: xr.DataArray, tell: Callable[[str], None]
) -> CrossValidation:
    """A table whose doubtful units have climbed."""
    if not found.doubtful:
        return found
    tell(f"moving draws for {len(found.doubtful)} of {found.table}")
    found = _replaced(found, matched(climber, found.table, rows))
    for unit in found.doubtful:
        tell(f"refitting without {unit.label} of {found.table}")
        found = _replaced(found, [exact(climber, found.table, unit.label, rows)])
    return found


def _replaced(found: CrossValidation, better: list[Unit]) -> CrossValidation:
    """The same with units estimated otherwise."""
    new = {unit.label: unit for unit in better}
    return replace(found, units=tuple(new.get(unit.label, unit) for unit in found.units))


def matched(climber: Climber, table: str, rows: xr.DataArray) -> list[Unit]:
    """Doubtful units of a table by moment matching, those alone whose weights it mended."""
    from arviz_stats import loo_moment_match

    model, posterior = climber.model, climber.whole.posterior
    varying = rows.isel({rows.dims[-1]: np.flatnonzero(np.ptp(rows.values, axis=(0, 1)) > 1e-12)})
    labels = [str(label) for label in varying[varying.dims[-1]].values]
    dims = ("chain", "draw")

    def log_posterior(points: xr.DataArray) -> xr.DataArray:
        return xr.DataArray(model.log_posterior(points.transpose(*dims, DIM).values), dims=dims)

    def log_unit(points: xr.DataArray, i: int) -> xr.DataArray:
        return xr.DataArray(
            model.log_unit(points.transpose(*dims, DIM).values, table, labels[i]), dims=dims
        )

    coords = {dim: posterior[dim].values for dim in dims}
    before = weigh(table, varying, posterior)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # of a k that stays high, which sends the unit to the next rung
        warnings.simplefilter("ignore")
        after = loo_moment_match(
            tree_of(table, varying, posterior),
            before,
            upars=xr.DataArray(climber.whole.unconstrained, coords, (*dims, DIM)),
            log_prob_upars_fn=lambda points: log_posterior(points).assign_coords(coords),
            log_lik_i_upars_fn=lambda points, i: log_unit(points, i).assign_coords(coords),
            var_name=table,
            max_iters=ITERATIONS,
            pointwise=True,
        )
    moved = after.pareto_k.values < np.minimum(before.pareto_k.values, after.good_k)
    return [
        unit
        for unit, better in zip(units(after, varying, "moment match"), moved, strict=True)
        if better
    ]


def exact(climber: Climber, table: str, label: str, rows: xr.DataArray) -> Unit:
    """A unit predicted by the posterior without it."""
    seed = child(climber.options.seed, "sample")
    left = climber.model.without({table: [label]}).sample(replace(climber.options, seed=seed))
    log = climber.model.log_unit(left.unconstrained, table, label)
    elpd = _log_mean(log)
    given_all = _log_mean(rows.sel({rows.dims[-1]: label}).values)
    return Unit(label, elpd, _error(np.exp(log - elpd)), given_all - elpd, None, "exact")


def _log_mean(log: Any) -> float:
    return float(np.logaddexp.reduce(log.ravel()) - np.log(log.size))


def _error(density: Any) -> float:
    """Monte Carlo standard error of the log of a mean of one."""
    from arviz_stats.base import array_stats

    return float(density.std(ddof=1) / np.sqrt(array_stats.ess(density, method="mean")))
