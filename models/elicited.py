"""Put the elicited quantities of a view into a PyMC model: ``z ~ Normal(0, R)``, ``y = T(z)``, tables as ``pm.Data``.

The graph is the same for every view, so that a compiled model is refitted under new priors by giving it new tables.
"""

import pymc as pm
import pytensor.tensor as pt

from models.priors import KNOTS, STEP, Tables, hermite
from models.quantities import lookup

__all__ = ["elicited", "quantile_function"]


def quantile_function(z: pt.TensorVariable, y: pt.TensorVariable, slope: pt.TensorVariable) -> pt.TensorVariable:
    """``T(z)`` for a vector of quantities, the twin of :meth:`models.priors.Table.value`.

    Parameters
    ----------
    z : tensor, shape (Q,)
    y, slope : tensor, shape (Q, 201)

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
    value, gradient = hermite((inside - left) / STEP, STEP, y[row, i], y[row, i + 1], slope[row, i], slope[row, i + 1])
    return value + gradient * (z - inside)


def elicited(tables: Tables) -> dict[str, pt.TensorVariable]:
    """Add the elicited quantities to the open model.

    Returns
    -------
    dict of str to scalar tensor
        Each quantity on its own scale (log10 stays log10), by name.
    """
    model = pm.modelcontext(None)
    model.add_coord("quantity", list(tables.names))
    y = pm.Data("table_y", tables.y)
    slope = pm.Data("table_slope", tables.slope)
    cholesky = pm.Data("copula_cholesky", tables.cholesky)
    white = pm.Normal("white", dims="quantity")
    z = pm.Deterministic("z", cholesky @ white, dims="quantity")
    links = quantile_function(z, y, slope)
    return {name: _to_scale(name, links[i]) for i, name in enumerate(tables.names)}


def _to_scale(name: str, link: pt.TensorVariable) -> pt.TensorVariable:
    quantity = lookup(name)
    value = link
    if quantity.scale == "logit":
        value = quantity.lower + (quantity.upper - quantity.lower) * pt.sigmoid(link)
    named = pt.specify_shape(value, ()) if value is link else value
    named.name = name
    return named
