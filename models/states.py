"""What a missing value of a derived quantity means, and datasets without infinite values."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

# values of `<name>_state`, which is kept beside the quantity `<name>`
OBSERVED, ABOVE, BELOW, UNDEFINED = 0, 1, 2, 3


def censored(
    values: Mapping[str, Any], coords: Mapping[str, Any], dims: Mapping[str, tuple[str, ...]]
) -> "xr.Dataset":
    """Dataset of derived quantities without infinite values: missing values carry a state.

    ``<name>_state`` is 0 (observed), 1 (above everything: later or never), 2 (below everything: an
    earlier world that never comes) or 3 (undefined). It exists for quantities with at least one
    missing value. ``tai_anchor`` and ``horizon_shape`` are indices.
    """
    return labelled(stated(values), coords, dims)


def stated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without infinity, each followed by its ``<name>_state``."""
    data: dict[str, Any] = {}
    for name, value in values.items():
        value = np.asarray(value)
        state = np.select(
            [np.isnan(value), value == np.inf, value == -np.inf],
            [UNDEFINED, ABOVE, BELOW],
            OBSERVED,
        )
        data[name] = np.where(state == OBSERVED, value, np.nan)
        data[f"{name}_state"] = state.astype("int8")
    return data


def resolved(values: Any, state: Any) -> Any:
    """Inverse of :func:`stated`: infinite where censored, NaN where undefined."""
    return np.select(
        [state == ABOVE, state == BELOW, state == UNDEFINED], [np.inf, -np.inf, np.nan], values
    )


def labelled(
    stated: Mapping[str, Any], coords: Mapping[str, Any], dims: Mapping[str, tuple[str, ...]]
) -> "xr.Dataset":
    """Dataset of what :func:`stated` returns, without states of quantities observed everywhere."""
    import xarray as xr

    data = {
        name: (dims[name.removesuffix("_state")], value)
        for name, value in stated.items()
        if not name.endswith("_state") or np.any(value != OBSERVED)
    }
    return xr.Dataset(data, coords=dict(coords))
