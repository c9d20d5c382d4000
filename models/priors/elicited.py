"""Put the elicited quantities of a view into a PyMC model.

They are ``y = T(z)`` with ``z ~ Normal(0, R)``. The tables are ``pm.Data``, and the graph is the
same for every view. A compiled model is refitted under new priors by giving it new tables.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from aligntax.models.priors.columns import stack_columns
from aligntax.models.priors.observed import OpenGraph, named
from aligntax.models.priors.quantities import lookup
from aligntax.models.priors.tables import KNOTS, STEP, PriorTables, hermite


def data_columns(name: str, rows: xr.Dataset) -> dict[str, Any]:
    """Add a table of numbers to the open model as one ``pm.Data`` of shape (column, row).

    It is one variable and not many because nutpie's compile time grows with the square of their
    number.

    Parameters
    ----------
    name : str
        Of the ``pm.Data``.
    rows : xarray.Dataset
        What the ``data`` of a model returns: one-dimensional variables along one dimension.

    Returns
    -------
    dict of str to tensor, shape (row,)
    """
    names = [str(column) for column in rows.data_vars]
    (dim,) = rows[names[0]].dims
    data = pm.Data(
        name,
        stack_columns(rows),
        dims=(f"{name}_column", str(dim)),
        coords={f"{name}_column": names},
    )
    return {column: data[i] for i, column in enumerate(names)}


def quantile_function(z: Any, y: Any, slope: Any) -> Any:
    """``T(z)`` for a vector of quantities.

    It computes the same as :meth:`aligntax.models.priors.tables.QuantileTable.value`.

    Parameters
    ----------
    z : tensor, shape (Q,)
    y, slope : tensor, shape (Q, 401)

    Returns
    -------
    tensor, shape (Q,)
        Link-space values.
    """
    last = len(KNOTS) - 2
    inside = pt.clip(z, KNOTS[0], KNOTS[-1])
    i = pt.clip(pt.floor((inside - KNOTS[0]) / STEP), 0, last).astype("int64")
    row = pt.arange(z.shape[0])
    left = pt.as_tensor(KNOTS)[i]
    value, gradient = hermite(
        (inside - left) / STEP, STEP, y[row, i], y[row, i + 1], slope[row, i], slope[row, i + 1]
    )
    return value + gradient * (z - inside)


def add_elicited(tables: PriorTables) -> dict[str, Any]:
    """Add the elicited quantities to the open model.

    The sampled variable is ``white``, with ``z = L white`` and ``R = L L'``. Its elements are
    independent, whatever the copula.

    Returns
    -------
    dict of str to scalar tensor
        Each quantity by name, on its own scale (log10 stays log10). In an open graph it is a
        Deterministic of that name.
    """
    model = pm.modelcontext(None)
    model.add_coord("quantity", list(tables.names))
    table = pm.Data("prior_tables", np.stack([tables.y, tables.slope]))
    cholesky = pm.Data("copula_cholesky", tables.cholesky)
    white = pm.Normal("white", dims="quantity")
    z = (cholesky * white).sum(axis=-1)
    links = quantile_function(z, table[0], table[1])
    return {name: named(name, _to_scale(name, links[i])) for i, name in enumerate(tables.names)}


def elicited_of(model: pm.Model) -> dict[str, Any]:
    """Return the elicited quantities of a model that is built, as :func:`add_elicited` does."""
    if isinstance(model, OpenGraph):
        return {str(name): model[str(name)] for name in model.coords["quantity"]}
    table = model["prior_tables"]
    z = (model["copula_cholesky"] * model["white"]).sum(axis=-1)
    links = quantile_function(z, table[0], table[1])
    names = model.coords["quantity"]
    return {
        name: model[name] if name in model.named_vars else _to_scale(name, links[i])
        for i, name in enumerate(names)
    }


@contextmanager
def elicited_model(
    tables: PriorTables, coords: Mapping[str, Any] | None = None, opened: bool = False
) -> Iterator[tuple[pm.Model, dict[str, Any]]]:
    """Open a new model that holds the elicited quantities, as every model of the package begins.

    Parameters
    ----------
    coords : mapping, optional
        Of the new model.
    opened : bool
        Whether it is the open graph of :mod:`aligntax.models.priors.observed`.

    Yields
    ------
    model : pymc.Model
        Open until the context ends.
    x : dict of str to scalar tensor
        What :func:`add_elicited` returns.
    """
    # scales are positive by construction: checking their bounds would only slow the graph
    kind = OpenGraph if opened else pm.Model
    with kind(coords=coords, check_bounds=False) as model:
        yield model, add_elicited(tables)


def _to_scale(name: str, link: Any) -> Any:
    quantity = lookup(name)
    value = link
    if quantity.scale == "logit":
        value = quantity.lower + (quantity.upper - quantity.lower) * pt.sigmoid(link)
    named = pt.specify_shape(value, ()) if value is link else value
    named.name = name
    return named
