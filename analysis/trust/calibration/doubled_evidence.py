"""Evidence with every likelihood row twice, once as published and once replicated by the model.

Posterior calibration refits such evidence: the truth was drawn given the published rows, so the
posterior it is ranked in must be given the published rows and those replicated from the truth.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import (
    ai_labour,
    compute,
    direct_approach,
    horizon_evaluations,
    practice,
    scaling,
    taxes,
    tolerance,
)
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

REPLICATED = " (replicated)"  # ending of a replicated row's key

LIKELIHOOD_ROWS: Mapping[str, Callable[[Evidence, View], xr.Dataset]] = {
    "scaling_exponents": lambda evidence, view: scaling.studies(evidence),
    "loss_laws": lambda evidence, view: direct_approach.fits(evidence),
    "time_horizons": horizon_evaluations.evaluations,
    "training_runs": compute.runs,
    "algorithmic_progress": lambda evidence, view: compute.estimates(evidence),
    "rlhf_efforts": lambda evidence, view: practice.efforts(evidence),
    "feedback_workforces": lambda evidence, view: practice.workforces(evidence),
    "alignment_compute_shares": lambda evidence, view: taxes.shares(evidence),
    "paid_taxes": lambda evidence, view: tolerance.payments(evidence),
    "ai_labour": lambda evidence, view: ai_labour.trials(evidence),
}
"""Likelihood rows of the tables that can be doubled: those whose rows have no own parameters."""


def doubled(evidence: Evidence, view: View, replicated: Mapping[str, xr.Dataset]) -> Evidence:
    """Return evidence with its own likelihood rows and the replicated ones after them.

    Replicated studies form new groups, since their group offsets were drawn anew.

    Parameters
    ----------
    replicated : mapping of str to xarray.Dataset
        Rows by table, as a model's ``replicate`` returns them.
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
            short, long = horizon_evaluations.suite_gains(columns)
            rows = rows.assign(short_gain=(dim, short), long_gain=(dim, long))
        both[table] = rows
    return evidence.with_likelihood_rows(both)


def _marked(keys: Any) -> list[str]:
    return [f"{key}{REPLICATED}" for key in keys]


def _studies(own: xr.Dataset, new: xr.Dataset) -> xr.Dataset:
    """Own studies, and replicated ones in groups of their own."""
    groups, others = own["group"].values, new["group"].values
    shifted = new.assign(group_index=new["group_index"] + len(groups))
    rows = xr.concat([own.drop_vars("group"), shifted.drop_vars("group")], "study")
    return rows.assign_coords(group=np.asarray([*groups, *_marked(others)]))
