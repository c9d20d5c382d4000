"""Scalar expressions, each held once: the language between a graph and machine code.

An expression is an integer, its place in :class:`Expressions`. Equal expressions are one place, so
that what a graph computes twice is computed once. An expression is *fixed* if it depends on data
alone: it is worked out once for each set of data, outside the loop over chains.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

LEAVES = ("constant", "parameter", "datum")
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "isinf", "isnan")


def _exp(a: float) -> float:
    return math.exp(a) if a < 709.0 else math.inf


def _log(a: float) -> float:
    return math.log(a) if a > 0 else -math.inf if a == 0 else math.nan


# What two constants make. Other functions of constants are worked out with what is fixed.
FOLDED: Mapping[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "reciprocal": lambda a: 1.0 / a if a else math.copysign(math.inf, a),
    "neg": lambda a: -a,
    "abs": abs,
    "floor": math.floor,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "exp": _exp,
    "log": _log,
    "max": max,
    "min": min,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": lambda a: not a,
    "isinf": math.isinf,
    "isnan": math.isnan,
}


class Expressions:
    """Expressions made so far.

    Attributes
    ----------
    operations : list of str
        By place.
    arguments : list of tuple
        Places, but of leaves: the number of a ``constant``, and the index of a ``parameter`` or a
        ``datum``. A ``gather`` has offset and stride of a row of data, and the place of the index.
    fixed : list of bool
    """

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.arguments: list[tuple[Any, ...]] = []
        self.fixed: list[bool] = []
        self._places: dict[tuple[Any, ...], int] = {}

    def _place(self, operation: str, arguments: tuple[Any, ...], fixed: bool) -> int:
        key = operation, arguments
        if key not in self._places:
            self._places[key] = len(self.operations)
            self.operations.append(operation)
            self.arguments.append(arguments)
            self.fixed.append(fixed)
        return self._places[key]

    def constant(self, value: float) -> int:
        """Return a number."""
        return self._place("constant", (float(value) + 0.0,), True)  # minus zero is zero

    def parameter(self, index: int) -> int:
        """Return a coordinate of the point."""
        return self._place("parameter", (index,), False)

    def datum(self, index: int) -> int:
        """Return a number of the data, by its index in all of them."""
        return self._place("datum", (index,), True)

    def gather(self, offset: int, stride: int, index: int) -> int:
        """Number of the data at ``offset + stride * index``, where the index is an expression."""
        return self._place("gather", (offset, stride, index), False)

    def value(self, place: int) -> float | None:
        """Return the number of a constant; None of any other expression."""
        return self.arguments[place][0] if self.operations[place] == "constant" else None

    def children(self, place: int) -> tuple[int, ...]:
        """Return the expressions that one is made of."""
        operation, arguments = self.operations[place], self.arguments[place]
        if operation in LEAVES:
            return ()
        return arguments[2:] if operation == "gather" else arguments

    def make(self, operation: str, *arguments: int) -> int:
        """Expression of an operation on others, in its simplest form."""
        numbers = [self.value(place) for place in arguments]
        if operation in FOLDED and None not in numbers:
            return self.constant(FOLDED[operation](*numbers))
        rule = _RULES.get(operation)
        simpler = rule(self, *arguments) if rule else None
        if simpler is not None:
            return simpler
        if operation in ("add", "mul"):
            arguments = tuple(sorted(arguments))
        return self._place(operation, arguments, all(self.fixed[place] for place in arguments))

    def is_a(self, place: int, operation: str) -> bool:
        """Whether an expression is that operation."""
        return self.operations[place] == operation

    def in_order(
        self, roots: Iterable[int], ends: Callable[[int], bool] = lambda place: False
    ) -> list[int]:
        """Return all that expressions are made of, each after what it is made of itself.

        Parameters
        ----------
        ends : callable
            Whether to look no further than an expression, which is left out.
        """
        found: list[int] = []
        seen: set[int] = set()
        stack = [(place, False) for place in reversed(list(roots))]
        while stack:
            place, complete = stack.pop()
            if complete:
                found.append(place)
            elif place not in seen and not ends(place):
                seen.add(place)
                stack.append((place, True))
                stack += [(child, False) for child in self.children(place) if child not in seen]
        return found


def _add(e: Expressions, a: int, b: int) -> int | None:
    for one, other in ((a, b), (b, a)):
        if e.value(one) == 0:
            return other
        if e.is_a(other, "neg"):
            return e.make("sub", one, *e.arguments[other])
    return None


def _sub(e: Expressions, a: int, b: int) -> int | None:
    if e.value(b) == 0:
        return a
    if e.value(a) == 0:
        return e.make("neg", b)
    if e.is_a(b, "neg"):
        return e.make("add", a, *e.arguments[b])
    return None


def _mul(e: Expressions, a: int, b: int) -> int | None:
    for one, other in ((a, b), (b, a)):
        number = e.value(one)
        if number is not None and number in (0.0, 1.0, -1.0):
            return one if number == 0 else other if number == 1 else e.make("neg", other)
        if number is not None and e.is_a(other, "neg"):
            return e.make("mul", e.constant(-number), *e.arguments[other])
        if e.is_a(one, "neg"):
            return e.make("neg", e.make("mul", *e.arguments[one], other))
        if e.fixed[one] and e.is_a(other, "mul") and not e.fixed[other]:
            inner, rest = sorted(e.arguments[other], key=lambda place: not e.fixed[place])
            if e.fixed[inner]:
                return e.make("mul", e.make("mul", one, inner), rest)
    return None


def _neg(e: Expressions, a: int) -> int | None:
    if e.is_a(a, "neg"):
        return int(e.arguments[a][0])
    if e.is_a(a, "sub"):
        return e.make("sub", *reversed(e.arguments[a]))
    return None


def _div(e: Expressions, a: int, b: int) -> int:
    return e.make("mul", a, e.make("reciprocal", b))


def _pow(e: Expressions, a: int, b: int) -> int:
    base, power = e.value(a), e.value(b)
    if power is not None and abs(power) <= 8 and (2 * power).is_integer():
        whole = e.constant(1.0)
        for _ in range(int(abs(power))):
            whole = e.make("mul", whole, a)
        half = whole if power.is_integer() else e.make("mul", whole, e.make("sqrt", a))
        return half if power >= 0 else e.make("reciprocal", half)
    log = e.constant(_log(base)) if base is not None else e.make("log", a)
    return e.make("exp", e.make("mul", log, b))


def _switch(e: Expressions, condition: int, yes: int, no: int) -> int | None:
    chosen = e.value(condition)
    if chosen is not None:
        return yes if chosen else no
    return yes if yes == no else None


def _log10(e: Expressions, a: int) -> int:
    return e.make("mul", e.constant(1.0 / math.log(10.0)), e.make("log", a))


def _log_sum_exp(e: Expressions, *terms: int) -> int:
    """Return the log of a sum of exponentials, of which the largest is one."""
    largest = terms[0]
    for term in terms[1:]:
        largest = e.make("max", largest, term)
    # its derivative by the shift is zero: `still` keeps the noise of that zero out
    shift = e.make("still", largest)
    shift = e.make("switch", e.make("isinf", shift), e.constant(0.0), shift)
    total = e.constant(0.0)
    for term in terms:
        total = e.make("add", total, e.make("exp", e.make("sub", term, shift)))
    return e.make("add", shift, e.make("log", total))


_RULES: Mapping[str, Callable[..., int | None]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "neg": _neg,
    "div": _div,
    "pow": _pow,
    "switch": _switch,
    "log10": _log10,
    "logsumexp": _log_sum_exp,
}
