"""From stored draws to quantities: plain numpy, in blocks, with no PyMC."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from models.arrival import Chance
from models.catalogue import Model
from models.evidence import Evidence
from models.joint import censored
from models.tables import Tables
from models.views import View

__all__ = ["derive", "derive_from", "log_no_tai", "observed", "predict", "split"]

BLOCK = 50_000  # draws worked on at a time, so that memory does not grow with their number


def split(draws: xr.Dataset, tables: Tables) -> tuple[dict[str, Any], xr.Dataset]:
    """Elicited quantities (chain, draw) by name, and the structural parameters."""
    z = draws["z"].transpose("chain", "draw", "quantity").values.astype(float)
    return tables.values(z), draws.drop_vars("z").drop_dims("quantity", errors="ignore")


def derive(
    model: Model, draws: xr.Dataset, tables: Tables, evidence: Evidence, view: View, rng: np.random.Generator
) -> xr.Dataset:
    """Every quantity of every draw: the elicited ones and those the model derives, with states of missing values.

    Parameters
    ----------
    draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    rng : numpy.random.Generator
        For the random numbers of arrival, one set a draw.

    Returns
    -------
    xarray.Dataset
        Dimensions (chain, draw) and the model's own; see :func:`models.joint.censored`.
    """
    return derive_from(model, *split(draws, tables), evidence, view, rng)


def derive_from(
    model: Model, x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: np.random.Generator
) -> xr.Dataset:
    """As :func:`derive`, from the elicited quantities (chain, draw) on their own scales."""
    shape = next(iter(x.values())).shape
    chance = Chance.draw(shape[0] * shape[1], rng)
    parts = []
    for block, flat, structural in _blocks(x, parameters):
        numbers = Chance(*(getattr(chance, f)[block] for f in ("exponential", "anchor", "other", "leaves_none")))
        parts.append(model.derive(flat, structural, evidence, view, numbers))
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    values = {name: value.reshape(*shape, *value.shape[1:]) for name, value in values.items()}
    extra = {dim: list(labels) for dim, labels in model.coords.values()}
    dims = {name: ("chain", "draw", *(model.coords[name][:1] if name in model.coords else ())) for name in values}
    named = {name: value for name, value in x.items() if name not in values}
    return censored(
        {**values, **named},
        {"chain": np.arange(shape[0]), "draw": np.arange(shape[1]), **extra},
        dims | dict.fromkeys(named, ("chain", "draw")),
    )


def log_no_tai(model: Model, x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View) -> Any:
    """Log probability of each draw (chain, draw) that nothing has arrived yet; zero in a model without arrival."""
    shape = next(iter(x.values())).shape
    if model.log_no_tai is None:
        return np.zeros(shape)
    parts = [model.log_no_tai(flat, structural, evidence, view) for _, flat, structural in _blocks(x, parameters)]
    return np.concatenate(parts).reshape(shape)


def _blocks(x: dict[str, Any], parameters: xr.Dataset) -> Iterator[tuple[slice, dict[str, Any], xr.Dataset]]:
    """Draws as one axis, a block at a time."""
    flat = {name: value.ravel() for name, value in x.items()}
    sample = xr.Dataset({name: ("sample", v.values.astype(float).ravel()) for name, v in parameters.items()})
    for start in range(0, next(iter(x.values())).size, BLOCK):
        block = slice(start, start + BLOCK)
        yield block, {name: value[block] for name, value in flat.items()}, sample.isel(sample=block)


def predict(
    model: Model, draws: xr.Dataset, tables: Tables, evidence: Evidence, view: View, rng: np.random.Generator
) -> xr.Dataset:
    """Replicated evidence, (chain, draw, row)."""
    x, parameters = split(draws, tables)
    drawn = model.simulate(x, parameters, evidence, view, rng)
    actual = observed(model, evidence, view)
    kept = {name: (("chain", "draw", dim), value) for name, (dim, value) in drawn.items() if name in actual}
    return xr.Dataset(kept, coords={**actual.coords, "chain": draws["chain"], "draw": draws["draw"]})


def observed(model: Model, evidence: Evidence, view: View) -> xr.Dataset:
    """The evidence on the scale of the likelihood; tables without a used row are left out."""
    rows = model.observed(evidence, view)
    return xr.Dataset({name: array.drop_attrs().reset_coords(drop=True) for name, array in rows.items() if array.size})
