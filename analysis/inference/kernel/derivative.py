"""Reverse-mode derivatives of scalar expressions: more expressions of the same kind.

A switch hands its derivative to one branch and zero to the other. That zero may meet an infinite
slope in the branch that is not taken, and zero times infinity is not a number, after which a chain
never moves. So a product with such a derivative is again a switch, whose other branch is zero.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from aligntax.analysis.inference.kernel.expressions import COMPARISONS, LEAVES, Expressions

FLAT = {*LEAVES, *COMPARISONS, "gather", "floor", "sign", "still"}  # their slopes are zero
ROOT_PI = math.sqrt(math.pi)


def gradient(e: Expressions, value: int, parameters: Sequence[int]) -> list[int]:
    """Derivative of an expression by each of some others.

    Raises
    ------
    KeyError
        If it has an operation whose derivative is not known.
    """
    slopes = {value: e.constant(1.0)}
    for place in reversed(e.in_order([value])):
        operation = e.operations[place]
        if place not in slopes or e.fixed[place] or operation in FLAT:
            continue
        for child, slope in RULES[operation](e, place, slopes[place]):
            if not e.fixed[child] and e.value(slope) != 0:
                slopes[child] = _plus(e, slopes[child], slope) if child in slopes else slope
    return [slopes.get(place, e.constant(0.0)) for place in parameters]


def _times(e: Expressions, slope: int, factor: int) -> int:
    """Product of a derivative that may be masked; where it is, the factor may be infinite."""
    if e.is_a(slope, "switch"):
        condition, yes, no = e.arguments[slope]
        if e.value(yes) == 0 or e.value(no) == 0:
            return e.make("switch", condition, _times(e, yes, factor), _times(e, no, factor))
    return e.make("mul", slope, factor)


def _plus(e: Expressions, a: int, b: int) -> int:
    """Sum of derivatives; of two with one mask it is masked as a whole."""
    if e.is_a(a, "switch") and e.is_a(b, "switch") and e.arguments[a][0] == e.arguments[b][0]:
        condition, *branches = e.arguments[a]
        yes, no = (_plus(e, *each) for each in zip(branches, e.arguments[b][1:], strict=True))
        return e.make("switch", condition, yes, no)
    return e.make("add", a, b)


Terms = list[tuple[int, int]]


def _by_slope(local: Callable[[Expressions, int, int], int]) -> Callable[..., Terms]:
    """Rule of a function of one argument, from its slope ``local(e, value, argument)``."""

    def rule(e: Expressions, place: int, slope: int) -> Terms:
        (argument,) = e.arguments[place]
        return [(argument, _times(e, slope, local(e, place, argument)))]

    return rule


def _mul(e: Expressions, place: int, slope: int) -> Terms:
    """Product; the slope of ``a / b`` by ``b`` is minus that by ``a`` times ``a / b``."""
    for one, other in (e.arguments[place], e.arguments[place][::-1]):
        if e.is_a(one, "reciprocal") and not e.fixed[one]:
            by_other = _times(e, slope, one)
            (below,) = e.arguments[one]
            return [(other, by_other), (below, e.make("neg", _times(e, by_other, place)))]
    a, b = e.arguments[place]
    return [(a, _times(e, slope, b)), (b, _times(e, slope, a))]


def _sub(e: Expressions, place: int, slope: int) -> Terms:
    a, b = e.arguments[place]
    return [(a, slope), (b, e.make("neg", slope))]


def _masked(e: Expressions, condition: int, yes: int, no: int, slope: int) -> Terms:
    zero = e.constant(0.0)
    return [
        (yes, e.make("switch", condition, slope, zero)),
        (no, e.make("switch", condition, zero, slope)),
    ]


def _switch(e: Expressions, place: int, slope: int) -> Terms:
    condition, yes, no = e.arguments[place]
    return _masked(e, condition, yes, no, slope)


def _chosen(comparison: str) -> Callable[..., Terms]:
    def rule(e: Expressions, place: int, slope: int) -> Terms:
        a, b = e.arguments[place]
        return _masked(e, e.make(comparison, a, b), a, b, slope)

    return rule


def _exp_of_square(e: Expressions, factor: float, sign: str, x: int) -> int:
    square = e.make("mul", x, x)
    power = e.make("exp", e.make("neg", square) if sign == "-" else square)
    return e.make("mul", e.constant(factor), power)


def _one_less(e: Expressions, place: int) -> int:
    """``1 - y``."""
    return e.make("sub", e.constant(1.0), place)


def _erfcx_slope(e: Expressions, y: int, x: int) -> int:
    twice = e.make("mul", e.make("mul", e.constant(2.0), x), y)
    return e.make("sub", twice, e.constant(2 / ROOT_PI))


RULES: Mapping[str, Callable[..., Terms]] = {
    "add": lambda e, place, slope: [(child, slope) for child in e.arguments[place]],
    "sub": _sub,
    "mul": _mul,
    "max": _chosen("ge"),
    "min": _chosen("le"),
    "switch": _switch,
    "neg": lambda e, place, slope: [(e.arguments[place][0], e.make("neg", slope))],
    "reciprocal": _by_slope(lambda e, y, x: e.make("neg", e.make("mul", y, y))),
    "sqrt": _by_slope(lambda e, y, x: e.make("mul", e.constant(0.5), e.make("reciprocal", y))),
    "abs": _by_slope(lambda e, y, x: e.make("sign", x)),
    "exp": _by_slope(lambda e, y, x: y),
    "log": _by_slope(lambda e, y, x: e.make("reciprocal", x)),
    "log1p": _by_slope(
        lambda e, y, x: e.make("reciprocal", e.make("add", e.constant(1.0), x))
    ),
    "expm1": _by_slope(lambda e, y, x: e.make("exp", x)),
    "tanh": _by_slope(lambda e, y, x: _one_less(e, e.make("mul", y, y))),
    "sigmoid": _by_slope(lambda e, y, x: e.make("mul", y, _one_less(e, y))),
    "softplus": _by_slope(lambda e, y, x: e.make("sigmoid", x)),
    "erf": _by_slope(lambda e, y, x: _exp_of_square(e, 2 / ROOT_PI, "-", x)),
    "erfc": _by_slope(lambda e, y, x: _exp_of_square(e, -2 / ROOT_PI, "-", x)),
    "erfcx": _by_slope(_erfcx_slope),
    "erfinv": _by_slope(lambda e, y, x: _exp_of_square(e, ROOT_PI / 2, "+", y)),
    "erfcinv": _by_slope(lambda e, y, x: _exp_of_square(e, -ROOT_PI / 2, "+", y)),
    "gammaln": _by_slope(lambda e, y, x: e.make("digamma", x)),
}  # fmt: skip
