"""A refit that stores only what is new, laid over the run whose draws it uses."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import xarray as xr

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.storage.attributes import run_attributes
from aligntax.analysis.storage.layout import CHANGED, MOVED, Groups
from aligntax.analysis.storage.result import tree_of
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import find_model
from aligntax.models.priors.tables import PriorTables, log_density

if TYPE_CHECKING:
    from aligntax.analysis.storage.result import Result


OF_OLD = {"posterior": MOVED, "derived": CHANGED}  # what older files call them
SAMPLED = ("draws", "derived", "log_prior", "log_likelihood", "posterior_predictive")
CHAINS = ("sample_stats", "weights")  # they have no meaning for resampled draws
RESAMPLED = {"resampled": "from weighted draws: chains have no order"}


def changed_quantities(old: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """Quantities of ``new`` whose values or states are not those of ``old``."""
    names = [str(name) for name in new.data_vars if not str(name).endswith("_state")]
    changed = [
        name for name in names if any(not _same(old, new, part) for part in (name, f"{name}_state"))
    ]
    return new[[part for name in changed for part in (name, f"{name}_state") if part in new]]


def _same(old: xr.Dataset, new: xr.Dataset, name: str) -> bool:
    return (name in old) == (name in new) and (name not in new or old[name].equals(new[name]))


def with_changed_quantities(old: xr.Dataset, changed: xr.Dataset) -> xr.Dataset:
    """Undo :func:`changed_quantities`."""
    stale = [f"{name}_state" for name in changed.data_vars if f"{name}_state" in old]
    return old.drop_vars(stale).assign(changed.data_vars)


def with_own_answers(source: "Result", refit: "Result") -> "Result":
    """Quantities and weights of a refit, over those of the run whose draws it uses."""
    own, groups = refit.tree.children, Groups(derived=source.groups.derived)
    if CHANGED in own:
        quantities = with_changed_quantities(groups.derived, own[CHANGED].to_dataset())
        groups = replace(groups, derived=quantities)
    if "weights" in own:
        groups = replace(groups, weights=own["weights"].to_dataset())
    return replace(refit, tree=tree_of(groups, {}))


def with_source_draws(source: "Result", refit: "Result") -> "Result":
    """Whole result of a refit: the source's draws under the refit's view, with its weights.

    What follows from the view alone is worked out again: the log prior, the prior's draws and their
    quantities. Predictions from the old prior are left out.
    """
    model, view = find_model(source.record["model"]), refit.view
    tables = view.tables(model.quantities)
    own = {OF_OLD.get(n, n): node.to_dataset() for n, node in refit.tree.children.items()}
    groups = replace(source.groups, prior_predictive=xr.Dataset())
    z = groups.draws["z"].transpose("chain", "draw", "quantity").astype(float)
    if MOVED in own:
        changed = own[MOVED]["z"]
        z.loc[{"quantity": changed["quantity"]}] = changed.transpose(*z.dims)
        groups = replace(groups, draws=groups.draws.assign(z=z))
    if CHANGED in own:
        quantities = with_changed_quantities(groups.derived, own[CHANGED])
        groups = replace(groups, derived=quantities)
    if "weights" in own:
        groups = replace(groups, weights=own["weights"])
    density = groups.log_prior.assign(z=(z.dims, log_density(tables, z.values)))
    groups = replace(groups, log_prior=density)
    if groups.prior_draws:
        old = source.view.tables(model.quantities)
        prior = _under(groups.prior_draws, old, tables)
        seed = child_generator(int(source.info["sampler"]["seed"]), "prior_arrival")
        quantities = derive(model, prior, tables, source.evidence, view, seed)
        groups = replace(groups, prior_draws=prior, prior_derived=quantities)
    attrs = run_attributes(refit.path.name, refit.record, refit.info)
    return replace(refit, tree=tree_of(groups, attrs))


def resample_by_weight(result: "Result", weights: Weights) -> "Result":
    """Result of equal weights: draws are repeated in proportion to theirs, systematically.

    This is for figures. Chains lose their order, so diagnostics of the sampler are left out.
    """
    chosen, groups = weights.resampled(), result.groups

    def repeated(dataset: xr.Dataset) -> xr.Dataset:
        taken = dataset.map(lambda v: _taken(v, chosen) if {"chain", "draw"} <= set(v.dims) else v)
        return taken.drop_attrs(deep=False).assign_attrs(RESAMPLED)

    parts: dict[str, Any] = {name: repeated(getattr(groups, name)) for name in SAMPLED}
    parts |= {name: xr.Dataset() for name in CHAINS}
    return result.with_groups(replace(groups, **parts))


def _taken(variable: xr.DataArray, chosen: Any) -> xr.DataArray:
    whole = variable.transpose("chain", "draw", ...)
    flat = whole.values.reshape(-1, *whole.shape[2:])[chosen]
    return whole.copy(data=flat.reshape(whole.shape))


def _under(prior: xr.Dataset, old: PriorTables, new: PriorTables) -> xr.Dataset:
    """Prior draws of the same white noise, with the correlations of the new copula."""
    z = prior["z"].transpose("chain", "draw", "quantity")
    white = old.whiten(z.values.astype(float))
    return prior.assign(z=(z.dims, new.correlate(white)))
