"""A walk through a graph with arrays of expressions in place of arrays of numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligntax.analysis.inference.kernel.expressions import COMPARISONS, FOLDED, Expressions


class NotExpressible(Exception):
    """A graph has an operation that is not known here; the message names it."""


@dataclass
class Walk:
    """What a walk knows.

    Attributes
    ----------
    expressions : Expressions
        All that it has made.
    numbers : ndarray
        All numbers of the data.
    check_bounds : bool
        Whether a distribution checks its parameters.
    handlers : mapping of str to callable
        What makes the output of an operation of PyTensor, by name: ``(walk, node, inputs)``.
    granted : dict of int to float
        Numbers of the data that the expressions take for granted, by index.
    constants : list of float
        Rows of constants that are looked up; they follow the data.
    """

    expressions: Expressions
    numbers: Any
    check_bounds: bool
    handlers: Mapping[str, Callable[["Walk", Any, list[Any]], Any]]
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
        choices: Mapping[str, Callable[[Sequence[float]], float]] = {
            "min": min, "max": max, "add": sum
        }  # fmt: skip
        choose = choices.get(e.operations[place])
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
            handler = self.handlers.get(name)
            if handler is None:
                raise NotExpressible(f"the operation {name}")
            made = handler(self, node, [value(each) for each in node.inputs])
            values[node.outputs[0]] = made
        return [value(each) for each in outputs]
