"""Tables of evidence as a graph holds them: one array each."""

from typing import Any

import numpy as np
import xarray as xr


def stack_columns(rows: xr.Dataset) -> Any:
    """Value of the ``pm.Data`` that :func:`aligntax.models.priors.elicited.data_columns` adds."""
    return np.stack([np.asarray(column.values, dtype=float) for column in rows.data_vars.values()])
