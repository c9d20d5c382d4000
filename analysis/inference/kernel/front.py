"""From the graph of a model to scalar expressions of its log density.

The graph is walked once with arrays of expressions in place of arrays of numbers. A shape or an
index that data decide, such as the group of a study, is *taken for granted*: it becomes part of the
expressions, and they hold for data that agree in it. So do the zeros of a triangular matrix.
Whatever is not known here is refused by name.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from aligntax.analysis.inference.kernel.expressions import COMPARISONS, FOLDED, Expressions

Names = tuple[tuple[str, tuple[int, ...]], ...]


class NotExpressible(Exception):
    """A graph has an operation that is not known here; the message names it."""


@dataclass(frozen=True)
class LogDensity:
    """Log density of a model as an expression.

    Attributes
    ----------
    value : int
        Its place in ``expressions``.
    parameters, data : tuple of (str, shape)
        Coordinates of a point, and ``pm.Data``, in the order of their indices.
    granted : dict of int to float
        Numbers of the data that are part of the expressions, by index.
    constants : list of float
        Rows of numbers that are looked up by an expression; they follow the data.
    """

    expressions: Expressions
    value: int
    parameters: Names
    data: Names
    granted: dict[int, float]
    constants: list[float]


@dataclass
class _Walk:
    """What a walk knows: the numbers of the data, and what it has taken for granted of them."""

    expressions: Expressions
    numbers: Any
    check_bounds: bool
    granted: dict[int, float] = field(default_factory=dict)
    constants: list[float] = field(default_factory=list)

    def each(self, function: Callable[..., int], *arrays: Any) -> Any:
        """Apply a function to every element of arrays that broadcast."""
        made = np.frompyfunc(function, len(arrays), 1)(*arrays)
        return np.asarray(made).astype(np.int64)

    def make(self, operation: str, *arrays: Any) -> Any:
        """Apply an operation to every element."""
        return self.each(lambda *places: self.expressions.make(operation, *places), *arrays)

    def filled(self, numbers: Any) -> Any:
        """Return constants in the shape of an array."""
        return self.each(self.expressions.constant, np.asarray(numbers))

    def number(self, place: int) -> float:
        """Return the number of a fixed expression, which is taken for granted from here on."""
        e = self.expressions
        value = e.value(place)
        if value is not None:
            return value
        if e.is_a(place, "datum"):
            (index,) = e.arguments[place]
            self.granted[index] = float(self.numbers[index])
            return self.granted[index]
        operation = e.operations[place]
        if operation == "switch":
            condition, yes, no = e.arguments[place]
            return self.number(yes if self.number(condition) else no)
        if operation not in FOLDED or not e.fixed[place]:
            raise NotExpressible(f"an index or a shape that depends on {operation}")
        return float(FOLDED[operation](*map(self.number, e.arguments[place])))

    def real(self, places: Any) -> Any:
        """Return the numbers of fixed expressions."""
        values = [self.number(int(place)) for place in np.ravel(places)]
        return np.array(values, dtype=float).reshape(np.shape(places))

    def whole(self, places: Any) -> Any:
        """Integers of fixed expressions."""
        values = self.real(places)
        if not (np.isfinite(values) & (values == np.floor(values))).all():
            raise NotExpressible("an index or a shape that is not whole")
        return values.astype(np.int64)

    def is_fixed(self, places: Any) -> bool:
        """Whether all elements are fixed."""
        return all(self.expressions.fixed[place] for place in np.ravel(places))

    def is_whole(self, place: int) -> bool:
        """Whether an expression is an integer whatever the point."""
        e = self.expressions
        operation, value = e.operations[place], e.value(place)
        if value is not None:
            return value.is_integer()
        if operation in ("min", "max", "add", "sub", "mul", "neg"):
            return all(self.is_whole(child) for child in e.children(place))
        return operation == "floor" or operation in COMPARISONS

    def bounds(self, place: int) -> tuple[float, float]:
        """Least and greatest value that an expression can have, as far as its form says."""
        e, value = self.expressions, self.expressions.value(place)
        if value is not None:
            return value, value
        choose = {"min": min, "max": max, "add": sum}.get(e.operations[place])
        if choose is None:
            return -np.inf, np.inf
        low, high = zip(*map(self.bounds, e.children(place)), strict=True)
        return choose(low), choose(high)

    def graph(self, outputs: Sequence[Any], known: Mapping[Any, Any]) -> list[Any]:
        """Walk from inputs, whose arrays are known, to outputs."""
        from pytensor.graph.traversal import toposort

        values = dict(known)

        def value(variable: Any) -> Any:
            if variable not in values:
                if not hasattr(variable, "data"):
                    raise NotExpressible(f"the input {variable}, which is no data")
                values[variable] = self.filled(variable.data)
            return values[variable]

        for node in toposort(outputs, blockers=list(known)):
            name = type(node.op).__name__
            handler = HANDLERS.get(name)
            if handler is None:
                raise NotExpressible(f"the operation {name}")
            made = handler(self, node, [value(each) for each in node.inputs])
            values[node.outputs[0]] = made
        return [value(each) for each in outputs]


def _elementwise(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    operation = node.op.scalar_op
    name = type(operation).__name__
    if node.outputs[0].type.dtype == "float32" and name not in ("Switch", "Second", "Identity"):
        return _in_single_precision(walk, node, inputs)
    if name in ("Cast", "Identity", "Second"):
        return _cast(walk, node, np.broadcast_arrays(*inputs)[-1])
    if name in FOLDING:
        return reduce(lambda a, b: walk.make(FOLDING[name], a, b), inputs)
    if name == "Sqr":
        return walk.make("mul", inputs[0], inputs[0])
    if name == "Clip":
        return walk.make("min", walk.make("max", inputs[0], inputs[1]), inputs[2])
    if name not in SCALAR:
        raise NotExpressible(f"the operation {name}")
    return walk.make(SCALAR[name], *inputs)


def _in_single_precision(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    """Return what PyTensor makes of constants that it holds in single precision, such as ``log(0.5)``."""
    if any(walk.expressions.value(place) is None for each in inputs for place in each.ravel()):
        raise NotExpressible(f"the operation {node.op} in single precision")
    values = [
        walk.real(each).astype(variable.type.dtype)
        for each, variable in zip(inputs, node.inputs, strict=True)
    ]
    storage: list[Any] = [None]
    node.op.perform(node, values, [storage])
    return walk.filled(storage[0])


def _cast(walk: _Walk, node: Any, places: Any) -> Any:
    """Return the same numbers, where the other type can hold them."""
    kind, before = (np.dtype(v.type.dtype) for v in (node.outputs[0], node.inputs[-1]))
    if kind.kind in "iu" and before.kind == "f":
        rounded = [walk.is_whole(place) for place in places.ravel()]
        return places if all(rounded) else walk.filled(walk.whole(places))
    if kind == "float32" and before == "float64" or kind.kind == "b" != before.kind:
        raise NotExpressible(f"the operation Cast from {before} to {kind}")
    return places


def _reduced(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    name, (array,) = type(node.op).__name__, inputs
    axes = node.op.axis
    axes = tuple(range(array.ndim)) if axes is None else tuple(np.atleast_1d(axes))
    rows = np.moveaxis(array, axes, range(len(axes))).reshape(
        -1, *(size for axis, size in enumerate(array.shape) if axis not in axes)
    )
    operation, empty = REDUCED[name]
    if not len(rows) and empty is None:
        raise NotExpressible(f"the operation {name} of nothing")
    start = [] if empty is None else [walk.filled(np.full(rows.shape[1:], empty))]
    return reduce(lambda a, b: walk.make(operation, a, b), [*start, *rows])


def _dim_shuffle(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    order = node.op.new_order
    kept = [axis for axis in order if axis != "x"]
    dropped = tuple(set(range(inputs[0].ndim)) - set(kept))
    array = np.squeeze(inputs[0], dropped).transpose(np.argsort(np.argsort(kept)))
    return np.expand_dims(array, tuple(i for i, axis in enumerate(order) if axis == "x"))


def _indices(walk: _Walk, node: Any, flat: list[Any]) -> list[Any]:
    """Index of each axis: slices of integers, and arrays of expressions."""

    def bound(position: Any) -> Any:
        return None if position is None else int(walk.whole(flat[position]))

    return [
        slice(bound(each.start), bound(each.stop), bound(each.step))
        if isinstance(each, slice)
        else flat[each]
        for each in node.op.idx_list
    ]


def _taken(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    base, *flat = inputs
    index = _indices(walk, node, flat)
    varying = [k for k, each in enumerate(index) if isinstance(each, np.ndarray)
               and not walk.is_fixed(each)]  # fmt: skip
    if not varying:
        return np.asarray(base[tuple(_whole_index(walk, index))])
    if varying != [len(index) - 1] or base.ndim != len(index):
        raise NotExpressible("the operation AdvancedSubtensor with such an index")
    *rows, last = index
    rows = _whole_index(walk, rows)
    if any(isinstance(each, slice) for each in rows):
        raise NotExpressible("the operation AdvancedSubtensor with a slice beside an index")
    look_up = _Rows(walk, base)
    return walk.each(lambda *at: look_up(at[:-1], at[-1]), *rows, last)


def _whole_index(walk: _Walk, index: Sequence[Any]) -> list[Any]:
    return [each if isinstance(each, slice) else walk.whole(each) for each in index]


class _Rows:
    """Rows of a table along its last axis, of which an expression chooses a number."""

    def __init__(self, walk: _Walk, base: Any) -> None:
        self.walk, self.base = walk, base
        self.known: dict[tuple[int, ...], tuple[int, int]] = {}

    def __call__(self, row: tuple[int, ...], index: int) -> int:
        row = tuple(map(int, row))
        if row not in self.known:
            self.known[row] = self.where(self.base[row])
        low, high = self.walk.bounds(index)
        if not (self.walk.is_whole(index) and low >= 0 and high < self.base.shape[-1]):
            raise NotExpressible(
                "the operation AdvancedSubtensor with an index that is not clipped"
            )
        return self.walk.expressions.gather(*self.known[row], index)

    def where(self, places: Any) -> tuple[int, int]:
        """Offset and stride of a row among the data, to which rows of constants are added."""
        e, walk = self.walk.expressions, self.walk
        values = [e.value(place) for place in places]
        if None not in values:
            offset = len(walk.numbers) + len(walk.constants)
            walk.constants += [float(value or 0.0) for value in values]
            return offset, 1
        if all(e.is_a(place, "datum") for place in places):
            indices = [e.arguments[place][0] for place in places]
            steps = {after - before for before, after in itertools.pairwise(indices)}
            if len(steps) == 1:
                return indices[0], steps.pop()
        raise NotExpressible("the operation AdvancedSubtensor of what is neither data nor constant")


def _put(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    base, values, *flat = inputs
    index = tuple(_whole_index(walk, _indices(walk, node, flat)))
    where = np.arange(base.size).reshape(base.shape)[index]
    changed = base.copy().ravel()
    for at, place in np.broadcast(where, values):
        is_set = node.op.set_instead_of_inc
        changed[at] = place if is_set else walk.expressions.make("add", int(changed[at]), place)
    return changed.reshape(base.shape)


def _log_sum_exp(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    if type(node.op).__name__ == "LogAddExp":
        return walk.make("logsumexp", *inputs)
    (array,) = inputs
    axes = getattr(node.op, "axis", None)
    axes = tuple(range(array.ndim)) if axes is None else tuple(np.atleast_1d(axes))
    rows = np.moveaxis(array, axes, range(len(axes)))
    rows = rows.reshape(-1, *rows.shape[len(axes) :])
    total = walk.make("logsumexp", *rows)
    return total.reshape([1 if size == 1 else -1 for size in node.outputs[0].type.shape]) if (
        total.ndim != node.outputs[0].type.ndim) else total  # fmt: skip


def _checked(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    """Value of a distribution: minus infinity where its parameters are out of bounds."""
    value, *conditions = inputs
    if not walk.check_bounds:
        return value
    met = reduce(lambda a, b: walk.make("and", a, b), conditions)
    return walk.make("switch", met, value, walk.filled(-np.inf))


def _inner(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    (output,) = node.op.fgraph.outputs
    return walk.graph([output], dict(zip(node.op.fgraph.inputs, inputs, strict=True)))[0]


def _alloc(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    value, *shape = inputs
    return np.broadcast_to(value, [int(walk.whole(each)) for each in shape]).copy()


def _same(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    return inputs[0]


def _reshape(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    return inputs[0].reshape(tuple(walk.whole(inputs[1])))


def _joined(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    return np.concatenate(inputs, axis=node.op.axis)


def _stacked(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    return np.array([int(each) for each in inputs], np.int64)


def _range(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    return walk.filled(np.arange(*(int(walk.whole(each)) for each in inputs)))


def _shape(walk: _Walk, node: Any, inputs: list[Any]) -> Any:
    shape = inputs[0].shape
    return walk.filled(shape[node.op.i] if hasattr(node.op, "i") else np.array(shape, float))


# PyTensor's names of scalar operations: of any number of arguments, and of as many as ours have
FOLDING = {"Add": "add", "Mul": "mul", "Maximum": "max", "Minimum": "min", "AND": "and", "OR": "or"}
SCALAR = {
    "Sub": "sub", "TrueDiv": "div", "Neg": "neg", "Reciprocal": "reciprocal", "Pow": "pow",
    "Sqrt": "sqrt", "Abs": "abs", "Sign": "sign", "Floor": "floor", "Exp": "exp", "Log": "log",
    "Log1p": "log1p", "Log10": "log10", "Expm1": "expm1", "Tanh": "tanh", "Sigmoid": "sigmoid",
    "Softplus": "softplus", "Erfc": "erfc", "Erfcx": "erfcx", "Erfinv": "erfinv",
    "Erfcinv": "erfcinv", "GammaLn": "gammaln", "LT": "lt", "LE": "le", "GT": "gt", "GE": "ge",
    "EQ": "eq", "NEQ": "ne", "Invert": "not", "IsInf": "isinf", "IsNan": "isnan",
    "Switch": "switch",
}  # fmt: skip
REDUCED: Mapping[str, tuple[str, float | None]] = {
    "Sum": ("add", 0.0), "Prod": ("mul", 1.0), "All": ("and", 1.0), "Any": ("or", 0.0),
    "Max": ("max", None), "Min": ("min", None),
}  # fmt: skip
HANDLERS: Mapping[str, Callable[[_Walk, Any, list[Any]], Any]] = {
    "Elemwise": _elementwise,
    **dict.fromkeys(REDUCED, _reduced),
    "DimShuffle": _dim_shuffle,
    **dict.fromkeys(("Subtensor", "AdvancedSubtensor", "AdvancedSubtensor1"), _taken),
    **dict.fromkeys(("IncSubtensor", "AdvancedIncSubtensor", "AdvancedIncSubtensor1"), _put),
    **dict.fromkeys(("LogSumExp", "LogAddExp"), _log_sum_exp),
    "CheckParameterValue": _checked,
    "OpFromGraph": _inner,
    "Alloc": _alloc,
    **dict.fromkeys(("ScalarFromTensor", "TensorFromScalar", "SpecifyShape"), _same),
    "Reshape": _reshape,
    "Join": _joined,
    "MakeVector": _stacked,
    "ARange": _range,
    **dict.fromkeys(("Shape", "Shape_i"), _shape),
}


def _places(make: Callable[[int], int], first: int, shape: tuple[int, ...]) -> Any:
    """Leaves of an array, by rising index."""
    count = int(np.prod(shape, dtype=int))
    return np.array([make(first + i) for i in range(count)], np.int64).reshape(shape)


def _triangular(walk: _Walk, places: Any, value: Any) -> Any:
    """Take the zeros above a diagonal for granted."""
    above = np.triu_indices(len(value), 1) if value.ndim == 2 and len({*value.shape}) == 1 else ()
    if not above or np.any(value[above]):
        return places
    walk.whole(places[above])
    lower = places.copy()
    lower[above] = walk.expressions.constant(0.0)
    return lower


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

    density = graph.logp()
    used = {*ancestors([density])}
    data = [variable for variable in graph.data_vars if variable in used]
    values = [np.asarray(variable.get_value(), dtype=float) for variable in data]
    start = graph.initial_point()
    shapes = [np.shape(start[variable.name]) for variable in graph.value_vars]
    walk = _Walk(
        Expressions(), np.concatenate([*map(np.ravel, values), []]), bool(graph.check_bounds)
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
    (log_density,) = walk.graph([density], known)
    return LogDensity(
        expressions=walk.expressions,
        value=int(log_density),
        parameters=tuple(
            (str(v.name), shape) for v, shape in zip(graph.value_vars, shapes, strict=True)
        ),
        data=tuple((str(v.name), x.shape) for v, x in zip(data, values, strict=True)),
        granted=walk.granted,
        constants=walk.constants,
    )
