"""From the graph of a model to scalar expressions of its log density and its free variables.

The graph is walked once with arrays of expressions in place of arrays of numbers. A shape or an
index that data decide, such as the group of a study, is *taken for granted*: it becomes part of the
expressions, and they hold for data that agree in it. So do the zeros of a triangular matrix.
Whatever is not known here is refused by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.inference.kernel.expressions import Expressions
from aligntax.analysis.inference.kernel.operations import HANDLERS
from aligntax.analysis.inference.kernel.walk import Walk

Names = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class LogDensity:
    """Log density of a model as an expression, or any other functions of a point.

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
    source : Functions
        What it expresses.
    """

    expressions: Expressions
    value: int
    natural: list[int]
    variables: Names
    parameters: Names
    data: Names
    granted: dict[int, float]
    constants: list[float]
    source: "Functions"


@dataclass(frozen=True)
class Functions:
    """Functions of a point in PyTensor.

    Attributes
    ----------
    graph : pymc.Model
        Its ``pm.Data`` are the data.
    inputs : mapping of PyTensor variable to (str, shape)
        Coordinates of a point, in order.
    value : PyTensor variable
    outputs : mapping of str to PyTensor variable
        What is worked out beside the value.
    """

    graph: Any
    inputs: Mapping[Any, tuple[str, tuple[int, ...]]]
    value: Any
    outputs: Mapping[str, Any]


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
    coordinates = zip(graph.value_vars, _shapes(graph), strict=True)
    names = [str(rv.name) for rv in graph.free_RVs]
    return express(
        Functions(
            graph,
            {variable: (str(variable.name), shape) for variable, shape in coordinates},
            graph.logp(),
            dict(zip(names, own_scales(graph), strict=True)),
        )
    )


def express(source: Functions) -> LogDensity:
    """Functions of a point as expressions.

    Raises
    ------
    NotExpressible
        If one has an operation that is not known here.
    """
    from pytensor.graph.traversal import ancestors

    graph, outputs = source.graph, [source.value, *source.outputs.values()]
    # PyMC's own functions of a graph may have clones of its shared variables
    shared: dict[str, list[Any]] = {}
    for each in ancestors(outputs):
        if each.name and hasattr(each, "get_value"):
            shared.setdefault(each.name, []).append(each)
    data = [variable for variable in graph.data_vars if variable.name in shared]
    values = [np.asarray(variable.get_value(), dtype=float) for variable in data]
    walk = Walk(
        Expressions(),
        np.concatenate([*map(np.ravel, values), []]),
        bool(graph.check_bounds),
        HANDLERS,
    )
    lengths = {length.name for length in graph.dim_lengths.values()} & {*shared}
    known: dict[Any, Any] = {
        each: walk.filled(each.get_value()) for name in lengths for each in shared[name]
    }
    first = 0
    for variable, (_, shape) in source.inputs.items():
        known[variable] = _places(walk.expressions.parameter, first, shape)
        first += known[variable].size
    first = 0
    for variable, value in zip(data, values, strict=True):
        places = _places(walk.expressions.datum, first, value.shape)
        known |= dict.fromkeys(shared[variable.name], _triangular(walk, places, value))
        first += value.size
    total, *made = walk.graph(outputs, known)
    return LogDensity(
        expressions=walk.expressions,
        value=int(total),
        natural=[int(place) for each in made for place in np.ravel(each)],
        variables=tuple((name, np.shape(x)) for name, x in zip(source.outputs, made, strict=True)),
        parameters=tuple(source.inputs.values()),
        data=tuple((str(v.name), x.shape) for v, x in zip(data, values, strict=True)),
        granted=walk.granted,
        constants=walk.constants,
        source=source,
    )
