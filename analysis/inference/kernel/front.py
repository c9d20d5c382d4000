"""From the graph of a model to scalar expressions of its log density and its free variables.

The graph is walked once with arrays of expressions in place of arrays of numbers. A shape or an
index that data decide, such as the group of a study, is *taken for granted*: it becomes part of the
expressions, and they hold for data that agree in it. So do the zeros of a triangular matrix.
Whatever is not known here is refused by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.inference.kernel.expressions import Expressions
from aligntax.analysis.inference.kernel.operations import HANDLERS
from aligntax.analysis.inference.kernel.walk import Walk

Names = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class LogDensity:
    """Log density of a model as an expression.

    Attributes
    ----------
    value : int
        Its place in ``expressions``.
    natural : list of int
        Places of the free variables on their own scales, in the order of ``variables``.
    variables : tuple of (str, shape)
    parameters, data : tuple of (str, shape)
        Coordinates of a point, and ``pm.Data``, in the order of their indices.
    granted : dict of int to float
        Numbers of the data that are part of the expressions, by index.
    constants : list of float
        Rows of numbers that are looked up by an expression; they follow the data.
    """

    expressions: Expressions
    value: int
    natural: list[int]
    variables: Names
    parameters: Names
    data: Names
    granted: dict[int, float]
    constants: list[float]


def _places(make: Callable[[int], int], first: int, shape: tuple[int, ...]) -> Any:
    """Leaves of an array, by rising index."""
    count = int(np.prod(shape, dtype=int))
    return np.array([make(first + i) for i in range(count)], np.int64).reshape(shape)


def _triangular(walk: Walk, places: Any, value: Any) -> Any:
    """Take the zeros above a diagonal for granted."""
    above = np.triu_indices(len(value), 1) if value.ndim == 2 and len({*value.shape}) == 1 else ()
    if not above or np.any(value[above]):
        return places
    walk.whole(places[above])
    lower = places.copy()
    lower[above] = walk.expressions.constant(0.0)
    return lower


def own_scales(graph: Any) -> list[Any]:
    """Each free variable on its own scale, as a function of the unconstrained coordinates."""
    return list(graph.replace_rvs_by_values(graph.free_RVs))


def _shapes(graph: Any) -> list[tuple[int, ...]]:
    """Shape of each coordinate of a point."""
    import pytensor
    from pytensor.compile.mode import Mode

    values = []
    for rv in graph.free_RVs:
        transform = graph.rvs_to_transforms[rv]
        values.append(rv if transform is None else transform.forward(rv, *rv.owner.inputs))
    mode = Mode(linker="py", optimizer=None)
    shapes = pytensor.function([], [value.shape for value in values], mode=mode)()
    return [tuple(int(size) for size in shape) for shape in shapes]


def flatten(graph: Any) -> LogDensity:
    """Log density of a model in its unconstrained coordinates.

    Parameters
    ----------
    graph : pymc.Model
        Coordinates are the variables of ``graph.value_vars``, in order.

    Raises
    ------
    NotExpressible
        If it has an operation that is not known here.
    """
    from pytensor.graph.traversal import ancestors

    density, free = graph.logp(), own_scales(graph)
    used = {*ancestors([density, *free])}
    data = [variable for variable in graph.data_vars if variable in used]
    values = [np.asarray(variable.get_value(), dtype=float) for variable in data]
    shapes = _shapes(graph)
    walk = Walk(
        Expressions(),
        np.concatenate([*map(np.ravel, values), []]),
        bool(graph.check_bounds),
        HANDLERS,
    )
    lengths = [length for length in graph.dim_lengths.values() if hasattr(length, "get_value")]
    known: dict[Any, Any] = {each: walk.filled(each.get_value()) for each in lengths}
    first = 0
    for variable, shape in zip(graph.value_vars, shapes, strict=True):
        known[variable] = _places(walk.expressions.parameter, first, shape)
        first += known[variable].size
    first = 0
    for variable, value in zip(data, values, strict=True):
        places = _places(walk.expressions.datum, first, value.shape)
        known[variable] = _triangular(walk, places, value)
        first += value.size
    log_density, *natural = walk.graph([density, *free], known)
    return LogDensity(
        expressions=walk.expressions,
        value=int(log_density),
        natural=[int(place) for each in natural for place in np.ravel(each)],
        variables=tuple(
            (str(rv.name), np.shape(x)) for rv, x in zip(graph.free_RVs, natural, strict=True)
        ),
        parameters=tuple(
            (str(v.name), shape) for v, shape in zip(graph.value_vars, shapes, strict=True)
        ),
        data=tuple((str(v.name), x.shape) for v, x in zip(data, values, strict=True)),
        granted=walk.granted,
        constants=walk.constants,
    )
