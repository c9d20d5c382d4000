"""Which answers no evidence bears on, by construction.

Evidence bears on the elicited quantities that a likelihood depends on, on those that a view
correlates with them, and on structural parameters. Give all of these to other draws: an answer that
stays what it was in every draw depends on none of them. Its sensitivity to evidence is zero, which
draws alone would show as noise.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.derive import derive
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import View

DRAWS = 100  # of each chain; an answer that depends on evidence in fewer than one in 400 is missed


def answers_of_priors(
    model: Model,
    posterior: xr.Dataset,
    tables: PriorTables,
    evidence: Evidence,
    view: View,
    prior_only: Collection[str],
) -> tuple[str, ...]:
    """Names of derived quantities that no evidence bears on.

    Parameters
    ----------
    posterior : xarray.Dataset
        ``z`` and structural parameters.
    prior_only : collection of str
        Elicited quantities that no likelihood depends on.
    """
    if not prior_only:
        return ()
    every = max(posterior.sizes["draw"] // DRAWS, 1)
    draws = posterior.isel(draw=slice(None, every * DRAWS, every))
    kept = xr.zeros_like(draws["quantity"], dtype=bool)
    kept.values = untouched(tables, prior_only)
    moved = draws.roll(draw=1)
    moved["z"] = draws["z"].where(kept, moved["z"])
    before, after = (
        derive(model, d, tables, evidence, view, np.random.default_rng(0)) for d in (draws, moved)
    )
    names = [str(name) for name in before.data_vars if not str(name).endswith("_state")]
    return tuple(name for name in names if _varies(before, name) and _same(before, after, name))


def untouched(tables: PriorTables, prior_only: Collection[str]) -> Any:
    """Whether each elicited quantity keeps its prior: nothing that evidence informs bears on it."""
    alone = np.isin(tables.names, list(prior_only))
    return alone & ~tables.correlation[:, ~alone].any(axis=1)


def _varies(derived: xr.Dataset, name: str) -> bool:
    values = derived[name].values
    defined = values[~np.isnan(values)]
    return bool(defined.size) and bool(np.ptp(defined) > 0)


def _same(before: xr.Dataset, after: xr.Dataset, name: str) -> bool:
    parts = (part for part in (name, f"{name}_state") if part in before)
    return all(before[part].equals(after[part]) for part in parts)
