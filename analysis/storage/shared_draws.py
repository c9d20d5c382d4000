"""A refit that stores only what is new, laid over the run whose draws it uses."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import xarray as xr

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.storage.result import WEIGHED
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import find_model
from aligntax.models.priors.tables import PriorTables, log_density

if TYPE_CHECKING:
    from aligntax.analysis.storage.result import Result


STALE = ("prior_predictive",)  # groups that rest on the old prior
CHAINS = ("sample_stats", "weights")  # groups that have no meaning for resampled draws
# Scores that a refit moves, in its own file. They are no posterior: ArviZ would summarise them
# without their weights.
MOVED = "moved_scores"
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


def with_source_draws(source: "Result", refit: "Result") -> "Result":
    """Whole result of a refit: the source's draws under the refit's view, with its weights.

    What follows from the view alone is worked out again: the log prior, the prior's draws and their
    quantities. Predictions from the old prior are left out.
    """
    model, view, own = find_model(source.record["model"]), refit.view, refit.tree
    tables = view.tables(model.quantities)
    groups = {
        path: node.to_dataset()
        for path, node in source.tree.subtree_with_keys
        if node.has_data and path not in STALE
    }
    if moved := [name for name in (MOVED, "posterior") if name in own.children]:
        z = groups["posterior"]["z"].astype(float)
        changed = own[moved[0]].to_dataset()["z"]  # older files call them the posterior
        z.loc[{"quantity": changed["quantity"]}] = changed.transpose(*z.dims)
        groups["posterior"] = groups["posterior"].assign(z=z)
    if "derived" in own.children:
        groups["derived"] = with_changed_quantities(groups["derived"], own["derived"].to_dataset())
    if "weights" in own.children:
        groups["weights"] = own["weights"].to_dataset()
        for name in ("posterior", "derived"):
            groups[name] = groups[name].assign_attrs(weights=WEIGHED)
    z = groups["posterior"]["z"].transpose("chain", "draw", "quantity")
    groups["log_prior"] = groups["log_prior"].assign(
        z=(z.dims, log_density(tables, z.values.astype(float)))
    )
    if "prior" in groups:
        old = source.view.tables(model.quantities)
        groups["prior"] = prior = _under(groups["prior"], old, tables)
        seed = child_generator(int(source.info["sampler"]["seed"]), "prior_arrival")
        groups["prior_derived"] = derive(model, prior, tables, source.evidence, view, seed)
    return replace(
        refit, tree=xr.DataTree.from_dict({f"/{name}": dataset for name, dataset in groups.items()})
    )


def resample_by_weight(result: "Result", weights: Weights) -> "Result":
    """Result of equal weights: draws are repeated in proportion to theirs, systematically.

    This is for figures. Chains lose their order, so diagnostics of the sampler are left out.
    """
    chosen, groups = weights.resampled(), {}
    for path, node in result.tree.subtree_with_keys:
        dataset = node.to_dataset(inherit=False)
        if path.strip("./") in CHAINS or not dataset.variables:
            continue
        if {"chain", "draw"} <= set(dataset.dims) and not path.startswith("prior"):
            dataset = dataset.map(
                lambda v: _taken(v, chosen) if {"chain", "draw"} <= set(v.dims) else v
            )
            dataset.attrs = dict(RESAMPLED)
        groups[f"/{path}"] = dataset
    return replace(result, tree=xr.DataTree.from_dict(groups))


def _taken(variable: xr.DataArray, chosen: Any) -> xr.DataArray:
    whole = variable.transpose("chain", "draw", ...)
    flat = whole.values.reshape(-1, *whole.shape[2:])[chosen]
    return whole.copy(data=flat.reshape(whole.shape))


def _under(prior: xr.Dataset, old: PriorTables, new: PriorTables) -> xr.Dataset:
    """Prior draws of the same white noise, with the correlations of the new copula."""
    z = prior["z"].transpose("chain", "draw", "quantity")
    white = old.whiten(z.values.astype(float))
    return prior.assign(z=(z.dims, new.correlate(white)))
