"""Derivatives of expressions: against differences, and never infinity times zero."""

import ctypes

import numpy as np
import pytest

from aligntax.analysis.inference.kernel.assembly import Processor, assemble, translate
from aligntax.analysis.inference.kernel.derivative import FLAT, RULES, gradient
from aligntax.analysis.inference.kernel.expressions import Expressions
from aligntax.analysis.inference.kernel.kernel import _loaded

BETWEEN = {
    "sqrt": (0.1, 3), "log": (0.1, 3), "reciprocal": (0.2, 3), "log1p": (-0.5, 3), "erfinv": (-0.9, 0.9),
    "erfcinv": (0.1, 1.9), "gammaln": (0.1, 20), "erfcx": (-2, 5),
}  # fmt: skip
TWO = ("add", "sub", "mul", "max", "min")


def evaluated(e, value, points):
    """Value and gradient at points of shape (parameter, point)."""
    slopes = gradient(e, value, [e.parameter(i) for i in range(len(points))])
    cpu = Processor.here()
    source = translate(e, value, slopes, [], cpu)
    engine = _loaded(assemble(source.kernel, cpu, 0))
    pointers = [ctypes.c_void_p] * 6
    kernel = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64, ctypes.c_int64)(
        engine.get_function_address("kernel")
    )
    count = -(-points.shape[1] // cpu.lanes) * cpu.lanes
    x = np.ascontiguousarray(np.resize(points.T, (count, len(points))).T)
    values, slope, scratch = np.empty(count), np.empty(x.shape), np.empty(source.scratch)
    assert source.fixed == 0
    arrays = [x, slope, values, np.empty(1), np.empty(1), scratch]
    kernel(*(a.ctypes.data for a in arrays), count // cpu.lanes, count)
    return values[: points.shape[1]], slope[:, : points.shape[1]]


@pytest.mark.parametrize("operation", [name for name in RULES if name != "switch"])
def test_a_derivative_is_that_of_differences(operation) -> None:
    e, random = Expressions(), np.random.default_rng(2)
    count = 2 if operation in TWO else 1
    low, high = BETWEEN.get(operation, (-3, 3))
    points = random.uniform(low, high, (count, 50))
    made = e.make(operation, *(e.parameter(i) for i in range(count)))
    value = e.make("mul", made, made)
    _, slopes = evaluated(e, value, points)
    for i in range(count):
        step = np.zeros((count, 1))
        step[i] = 1e-6
        above, below = (evaluated(e, value, points + side * step)[0] for side in (1, -1))
        np.testing.assert_allclose(slopes[i], (above - below) / 2e-6, rtol=2e-6, atol=2e-6)


def test_every_operation_has_a_derivative_or_is_flat() -> None:
    from aligntax.analysis.inference.kernel.operations import FOLDING, REDUCED, SCALAR

    rewritten = {"div", "pow", "log10"}  # as others, when they are made
    known = {*SCALAR.values(), *FOLDING.values(), *(name for name, _ in REDUCED.values())}
    assert known - rewritten <= {*RULES, *FLAT}


def naive_sigmoid(e, x):
    """As one writes it: 1 / (1 + exp(-x))."""
    one = e.constant(1.0)
    return e.make("reciprocal", e.make("add", one, e.make("exp", e.make("neg", x))))


def test_a_steep_sigmoid_has_a_finite_derivative_and_a_naive_one_has_none() -> None:
    """Trap 1 of the trials: chains froze where this was not a number. The naive one is the control."""
    points = np.array([[-800.0, -720.0, -40.0, 40.0, 720.0, 800.0]])
    e = Expressions()
    x = e.parameter(0)
    value, slope = evaluated(e, e.make("sigmoid", x), points)
    assert np.isfinite(value).all() and np.isfinite(slope).all()
    e = Expressions()
    _, slope = evaluated(e, naive_sigmoid(e, e.parameter(0)), points)
    assert np.isnan(slope).any()


@pytest.mark.parametrize("operation", ["softplus", "tanh", "erfc", "expm1", "erfcinv"])
def test_a_steep_function_has_a_finite_derivative(operation) -> None:
    ends = {"erfcinv": [1e-300, 1e-20, 2 - 1e-15], "expm1": [-800.0, 0.0, 700.0]}
    points = np.array([ends.get(operation, [-800.0, -40.0, 0.0, 40.0, 800.0])])
    e = Expressions()
    _, slope = evaluated(e, e.make(operation, e.parameter(0)), points)
    assert np.isfinite(slope).all()


def test_the_branch_that_is_not_taken_hands_on_nothing() -> None:
    """``x < 1 ? x : log(x - 1)`` below one: the slope of the logarithm is no number there."""
    e = Expressions()
    x, one = e.parameter(0), e.constant(1.0)
    far = e.make("sqrt", e.make("log", e.make("sub", x, one)))
    value = e.make("switch", e.make("lt", x, one), e.make("mul", x, x), far)
    _, slope = evaluated(e, value, np.array([[-1.0, 0.5, 0.999, 1.0, 5.0]]))
    expected = [-2.0, 1.0, 1.998, np.nan, 0.5 / 4 / np.sqrt(np.log(4))]
    np.testing.assert_allclose(slope[0], expected, rtol=1e-14)


def test_a_log_of_summed_exponentials_neither_overflows_nor_loses_its_slope() -> None:
    e = Expressions()
    x, y = e.parameter(0), e.parameter(1)
    value = e.make("logsumexp", x, y, e.constant(-np.inf))
    points = np.array([[800.0, -800.0, 0.0, 3.0], [0.0, -801.0, 0.0, 700.0]])
    got, slope = evaluated(e, value, points)
    np.testing.assert_allclose(got, np.logaddexp(*points), rtol=1e-15)
    share = 1 / (1 + np.exp(np.clip(points[1] - points[0], -700, 700)))
    np.testing.assert_allclose(slope, [share, 1 - share], rtol=1e-13, atol=1e-15)


def test_what_is_equal_is_one_expression_and_constants_fold() -> None:
    e = Expressions()
    x, y = e.parameter(0), e.parameter(1)
    assert e.make("add", x, y) == e.make("add", y, x)
    assert e.make("pow", x, e.constant(2.0)) == e.make("mul", x, x)
    assert e.value(e.make("exp", e.make("log", e.constant(2.0)))) == pytest.approx(2.0)
    assert e.make("sub", x, e.constant(0.0)) == e.make("neg", e.make("neg", x)) == x
    assert e.fixed[e.make("mul", e.datum(3), e.constant(2.0))] and not e.fixed[e.make("mul", x, y)]


def test_factors_that_depend_on_data_alone_are_worked_out_once() -> None:
    e = Expressions()
    x, a, b = e.parameter(0), e.datum(0), e.datum(1)
    product = e.make("mul", a, e.make("mul", x, b))
    assert {e.fixed[child] for child in e.children(product)} == {True, False}
    assert [e.operations[p] for p in e.children(product) if not e.fixed[p]] == ["parameter"]
