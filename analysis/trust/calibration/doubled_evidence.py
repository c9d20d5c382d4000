"""Published rows and replicated ones as one table of twice as many: what posterior calibration refits."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import alignment, compute, direct_approach, scaling, time_horizon
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

REPLICATED = " (replicated)"  # after the key of such a row

LIKELIHOOD_ROWS: Mapping[str, Callable[[Evidence, View], xr.Dataset]] = {
    "scaling_exponents": lambda evidence, view: scaling.studies(evidence),
    "loss_laws": lambda evidence, view: direct_approach.fits(evidence),
    "time_horizons": time_horizon.evaluations,
    "training_runs": compute.runs,
    "algorithmic_progress": lambda evidence, view: compute.estimates(evidence),
    "rlhf_efforts": lambda evidence, view: alignment.efforts(evidence),
    "alignment_compute_shares": lambda evidence, view: alignment.shares(evidence),
}
"""Likelihood rows by table, of those whose rows have no parameters of their own: others cannot be doubled."""


def doubled(evidence: Evidence, view: View, replicated: Mapping[str, xr.Dataset]) -> Evidence:
    """Return evidence that has its own likelihood rows and replicated ones.

    Replicated studies are of new groups, since their offsets were drawn anew.

    Parameters
    ----------
    evidence : Evidence
    view : View
    replicated : mapping of str to xarray.Dataset
        By table, as a model's ``replicate`` returns them.
    """
    both = {}
    for table, new in replicated.items():
        own = LIKELIHOOD_ROWS[table](evidence, view)
        dim = str(next(iter(own.data_vars.values())).dims[0])
        new = new.assign_coords({dim: _marked(new[dim].values)})
        if table == "scaling_exponents":
            both[table] = _studies(own, new)
            continue
        rows = xr.concat(
            [own, new],
            dim,
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="override",
        )
        if table == "time_horizons":
            columns = {str(name): column.values for name, column in rows.data_vars.items()}
            short, long = time_horizon.suite_gains(columns)
            rows = rows.assign(short_gain=(dim, short), long_gain=(dim, long))
        both[table] = rows
    return evidence.with_likelihood_rows(both)


def _marked(keys: Any) -> list[str]:
    return [f"{key}{REPLICATED}" for key in keys]


def _studies(own: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """Studies of the groups that there are and of as many new ones."""
    groups = own["group"].values
    shifted = new.assign(group_index=new["group_index"] + len(groups))
    rows = xr.concat([own.drop_vars("group"), shifted.drop_vars("group")], "study")
    return rows.assign_coords(group=np.asarray([*groups, *_marked(groups)]))
