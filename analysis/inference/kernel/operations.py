"""What each operation of PyTensor makes of expressions; any other is refused by name."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from aligntax.analysis.inference.kernel.walk import NotExpressible, Walk


def _elementwise(walk: Walk, node: Any, inputs: list[Any]) -> Any:
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


def _in_single_precision(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    """Return what PyTensor makes of constants in single precision, such as ``log(0.5)``."""
    if any(walk.expressions.value(place) is None for each in inputs for place in each.ravel()):
        raise NotExpressible(f"the operation {node.op} in single precision")
    values = [
        walk.real(each).astype(variable.type.dtype)
        for each, variable in zip(inputs, node.inputs, strict=True)
    ]
    storage: list[Any] = [None]
    node.op.perform(node, values, [storage])
    return walk.filled(storage[0])


def _cast(walk: Walk, node: Any, places: Any) -> Any:
    """Return the same numbers, where the other type can hold them."""
    kind, before = (np.dtype(v.type.dtype) for v in (node.outputs[0], node.inputs[-1]))
    if kind.kind in "iu" and before.kind == "f":
        rounded = [walk.is_whole(place) for place in places.ravel()]
        return places if all(rounded) else walk.filled(walk.whole(places))
    if kind.kind == "b" != before.kind:
        raise NotExpressible(f"the operation Cast from {before} to {kind}")
    return places


def _rows(node: Any, array: Any) -> Any:
    """Return the elements that are summed, or the like, along the first axis."""
    axes = node.op.axis
    axes = tuple(range(array.ndim)) if axes is None else tuple(np.atleast_1d(axes))
    rest = [size for axis, size in enumerate(array.shape) if axis not in axes]
    count = math.prod(array.shape[axis] for axis in axes)
    return np.moveaxis(array, axes, range(len(axes))).reshape(count, *rest)


def _reduced(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    name, rows = type(node.op).__name__, _rows(node, *inputs)
    operation, empty = REDUCED[name]
    if not len(rows) and empty is None:
        raise NotExpressible(f"the operation {name} of nothing")
    start = [] if empty is None else [walk.filled(np.full(rows.shape[1:], empty))]
    return reduce(lambda a, b: walk.make(operation, a, b), [*start, *rows])


def _dim_shuffle(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    order = node.op.new_order
    kept = [axis for axis in order if axis != "x"]
    dropped = tuple(set(range(inputs[0].ndim)) - set(kept))
    array = np.squeeze(inputs[0], dropped).transpose(np.argsort(np.argsort(kept)))
    return np.expand_dims(array, tuple(i for i, axis in enumerate(order) if axis == "x"))


def _indices(walk: Walk, node: Any, flat: list[Any]) -> list[Any]:
    """Index of each axis: slices of integers, and arrays of expressions."""

    def bound(position: Any) -> Any:
        return None if position is None else int(walk.whole(flat[position]))

    return [
        slice(bound(each.start), bound(each.stop), bound(each.step))
        if isinstance(each, slice)
        else flat[each]
        for each in node.op.idx_list
    ]


def _taken(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    base, *flat = inputs
    index = _indices(walk, node, flat)
    arrays = [k for k, each in enumerate(index) if not isinstance(each, slice)]
    varying = [k for k in arrays if not walk.is_fixed(index[k])]
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


def _whole_index(walk: Walk, index: Sequence[Any]) -> list[Any]:
    return [each if isinstance(each, slice) else walk.whole(each) for each in index]


class _Rows:
    """Rows of a table along its last axis, of which an expression chooses a number."""

    def __init__(self, walk: Walk, base: Any) -> None:
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


def _put(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    base, values, *flat = inputs
    index = tuple(_whole_index(walk, _indices(walk, node, flat)))
    where = np.arange(base.size).reshape(base.shape)[index]
    changed = base.copy().ravel()
    for at, place in np.broadcast(where, values):
        is_set = node.op.set_instead_of_inc
        changed[at] = place if is_set else walk.expressions.make("add", int(changed[at]), place)
    return changed.reshape(base.shape)


def _log_sum_exp(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    terms = inputs if type(node.op).__name__ == "LogAddExp" else _rows(node, *inputs)
    return walk.make("logsumexp", *terms)


def _checked(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    """Value of a distribution: minus infinity where its parameters are out of bounds."""
    value, *conditions = inputs
    if not walk.check_bounds:
        return value
    met = reduce(lambda a, b: walk.make("and", a, b), conditions)
    return walk.make("switch", met, value, walk.filled(-np.inf))


def _inner(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    (output,) = node.op.fgraph.outputs
    return walk.graph([output], dict(zip(node.op.fgraph.inputs, inputs, strict=True)))[0]


def _alloc(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    value, *shape = inputs
    return np.broadcast_to(value, [int(walk.whole(each)) for each in shape]).copy()


def _same(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    return inputs[0]


def _reshape(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    return inputs[0].reshape(tuple(walk.whole(inputs[1])))


def _joined(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    return np.concatenate(inputs, axis=node.op.axis)


def _stacked(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    return np.array([int(each) for each in inputs], np.int64)


def _range(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    return walk.filled(np.arange(*(int(walk.whole(each)) for each in inputs)))


def _shape(walk: Walk, node: Any, inputs: list[Any]) -> Any:
    shape = inputs[0].shape
    return walk.filled(shape[node.op.i] if hasattr(node.op, "i") else np.array(shape, float))


# PyTensor's names of scalar operations: of any number of arguments, and of as many as ours have
FOLDING = {"Add": "add", "Mul": "mul", "Maximum": "max", "Minimum": "min", "AND": "and", "OR": "or"}
SCALAR = {
    "Sub": "sub", "TrueDiv": "div", "Neg": "neg", "Reciprocal": "reciprocal", "Pow": "pow",
    "Sqrt": "sqrt", "Abs": "abs", "Sign": "sign", "Floor": "floor", "Exp": "exp", "Log": "log",
    "Log1p": "log1p", "Log10": "log10", "Expm1": "expm1", "Tanh": "tanh", "Sigmoid": "sigmoid",
    "Softplus": "softplus", "Erf": "erf", "Erfc": "erfc", "Erfcx": "erfcx",
    "Erfinv": "erfinv", "Erfcinv": "erfcinv", "GammaLn": "gammaln", "LT": "lt", "LE": "le",
    "GT": "gt", "GE": "ge", "EQ": "eq", "NEQ": "ne", "Invert": "not",
    "IsInf": "isinf", "IsNan": "isnan", "Switch": "switch",
}  # fmt: skip
REDUCED: Mapping[str, tuple[str, float | None]] = {
    "Sum": ("add", 0.0), "Prod": ("mul", 1.0), "All": ("and", 1.0), "Any": ("or", 0.0),
    "Max": ("max", None), "Min": ("min", None),
}  # fmt: skip
HANDLERS: Mapping[str, Callable[[Walk, Any, list[Any]], Any]] = {
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
