"""A loaded kernel: any number of chains, any width of vector, long code in parts, and check points that notice."""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from aligntax.analysis.inference.kernel import compile as compiling
from aligntax.analysis.inference.kernel import lanes
from aligntax.analysis.inference.kernel.assembly import Processor, translate
from aligntax.analysis.inference.kernel.compile import compile_kernel
from aligntax.analysis.inference.kernel.expressions import Expressions
from aligntax.analysis.inference.kernel.kernel import Flight, Kernel, WrongProgram
from tests.analysis.inference.kernel.graphs import built, by_name, numbers, of_function


@pytest.fixture(scope="module")
def graph(evidence, view):
    return built(evidence, view, "scaling")


@pytest.fixture(scope="module")
def kernel(graph):
    return compile_kernel(graph)


@pytest.fixture(scope="module")
def points(kernel):
    return np.random.default_rng(8).standard_normal((kernel.program.dimension, 37))


@pytest.mark.parametrize("chains", [0, 1, 3, 4, 8, 37])
def test_any_number_of_chains_has_the_same_numbers(kernel, graph, points, chains) -> None:
    density = kernel.prepare(numbers(graph))
    values, slopes = density.log_density_and_gradient(points)
    some = density.log_density_and_gradient(points[:, :chains])
    assert np.array_equal(some[0], values[:chains])
    assert np.array_equal(some[1], slopes[:, :chains])


def test_chains_do_not_see_each_other(kernel, graph, points) -> None:
    """One that has left the space leaves the others as they are."""
    density = kernel.prepare(numbers(graph))
    values, slopes = density.log_density_and_gradient(points)
    for lost in (np.nan, np.inf, 1e300):
        moved = points.copy()
        moved[:, 5] = lost
        again = density.log_density_and_gradient(moved)
        others = np.arange(points.shape[1]) != 5
        assert np.array_equal(again[0][others], values[others])
        assert np.array_equal(again[1][:, others], slopes[:, others])


def test_points_of_another_shape_are_refused(kernel, graph) -> None:
    with pytest.raises(ValueError, match="points must have the shape"):
        kernel.prepare(numbers(graph)).log_density_and_gradient(np.zeros((2, 4)))


@pytest.mark.parametrize("effort", [0, 1])
@pytest.mark.parametrize("width", [2, 4, 8])
def test_every_width_of_vector_has_the_same_numbers(kernel, graph, points, width, effort) -> None:
    here = Processor.here()
    other = compile_kernel(graph, replace(here, lanes=width), effort)
    got = other.prepare(numbers(graph)).log_density_and_gradient(points)
    expected = kernel.prepare(numbers(graph)).log_density_and_gradient(points)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)  # no rounding depends on width or on effort


def test_a_processor_without_fused_multiply_add_differs_by_rounding_alone(
    kernel, graph, points
) -> None:
    """Trap 5 of the trials."""
    plain = Processor("x86-64", "", 2, False)
    if not Processor.here().features.startswith(("+", "-")):
        pytest.skip("another architecture")
    other = compile_kernel(graph, plain, 0)
    got = other.prepare(numbers(graph)).log_density_and_gradient(points)
    expected = kernel.prepare(numbers(graph)).log_density_and_gradient(points)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [7, 60])
def test_code_in_many_parts_has_the_same_numbers(kernel, graph, points, monkeypatch, size) -> None:
    monkeypatch.setattr(lanes, "PART", size)
    other = compile_kernel(graph, effort=0)
    assert other.program.scratch > kernel.program.scratch
    got = other.prepare(numbers(graph)).log_density_and_gradient(points)
    expected = kernel.prepare(numbers(graph)).log_density_and_gradient(points)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_function_of_the_code_grows_with_the_model() -> None:
    """Trap 4 of the trials: LLVM's time grows faster than the length of a function."""
    lengths = []
    for count in (1000, 4000):
        e = Expressions()
        total = e.constant(0.0)
        for i in range(count):
            total = e.make(
                "add", total, e.make("exp", e.make("mul", e.parameter(i % 9), e.datum(i)))
            )
        source = translate(e, total, [e.constant(0.0)], [total], Processor.here())
        pieces = (source.kernel + source.expand + source.prepare).split("define ")
        lengths.append(max(piece.count("\n") for piece in pieces))
    assert lengths[1] < 1.2 * lengths[0]


def test_threads_share_a_kernel(kernel, graph, points) -> None:
    density = kernel.prepare(numbers(graph))
    expected = density.log_density_and_gradient(points)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: density.log_density_and_gradient(points), range(40)):
            assert np.array_equal(got[0], expected[0]) and np.array_equal(got[1], expected[1])


ALONE = Processor.here().for_one_chain()


def of_a_chain(density):
    """What nutpie calls: ``evaluate(x)`` is the code that it returns, value, gradient and variables."""
    array, whole = ctypes.c_void_p, ctypes.c_int64
    log_density, values = density.of_a_chain()
    one = ctypes.CFUNCTYPE(whole, whole, *[array] * 4)(log_density.address)
    two = ctypes.CFUNCTYPE(whole, whole, whole, *[array] * 3)(values.address)
    count = sum(int(np.prod(shape, dtype=int)) for _, shape in density.kernel.program.variables)

    def evaluate(x):
        assert x.shape == (density.dimension,)  # machine code would read past its end
        slope, value, free = np.empty(len(x)), np.empty(1), np.empty(count)
        x, slope, value, free = (np.ascontiguousarray(each) for each in (x, slope, value, free))
        at = [each.ctypes.data for each in (x, slope, value, density.numbers)]
        code = one(len(x), *at)
        assert two(len(x), count, x.ctypes.data, free.ctypes.data, density.numbers.ctypes.data) == 0
        return code, value[0], slope, free

    return evaluate


def test_one_chain_has_the_numbers_of_many_in_threads_of_its_own(kernel, graph, points) -> None:
    density = compile_kernel(graph, ALONE).prepare(numbers(graph))
    values, slopes = density.log_density_and_gradient(points)
    natural = density.natural(points)

    def chain(first):
        evaluate = of_a_chain(density)
        return [(i, *evaluate(points[:, i])) for i in range(first, points.shape[1], 2)]

    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(chain, [0, 1] * 10):
            for i, code, value, slope, free in found:
                assert code == 0 and value == values[i]
                assert np.array_equal(slope, slopes[:, i]) and np.array_equal(free, natural[:, i])


def test_code_of_many_chains_is_none_of_one(graph) -> None:
    kernel = compile_kernel(graph, replace(ALONE, lanes=2), effort=0)
    with pytest.raises(ValueError, match="code must be of one chain, got 2"):
        kernel.prepare(numbers(graph)).of_a_chain()


def flight_of(x, rng):
    """Chains (group, parameter, chain) on the way, with momenta and reaches at random."""
    momentum, reach = rng.standard_normal(x.shape), rng.uniform(0.0, 0.1, x.shape)
    empty = np.empty((x.shape[0], x.shape[2])), np.empty(x.shape)
    return Flight(x.copy(), momentum, *empty, reach, 0.7 * reach, -0.3 * reach)


@pytest.mark.parametrize("width", [1, 4, 8])
def test_a_flight_takes_the_steps_that_it_says(graph, points, width) -> None:
    kernel = compile_kernel(graph, replace(Processor.here(), lanes=width), effort=0)
    density = kernel.prepare(numbers(graph))
    x = points[:, :24].reshape(len(points), 3, 8).swapaxes(0, 1)
    flight, again = (flight_of(x, np.random.default_rng(3)) for _ in range(2))
    density.fly(flight, 5)
    for _ in range(5):
        again.x[...] += again.reach * again.momentum
        for k, each in enumerate(again.x):
            again.log_density[k], again.slope[k] = density.log_density_and_gradient(each)
        again.momentum[...] += again.push * again.slope
        again.momentum[...] += again.pull * again.x
    for name in ("x", "momentum", "log_density", "slope"):
        assert np.array_equal(getattr(flight, name), getattr(again, name)), name
    assert not np.allclose(flight.x, x)


def test_chains_that_do_not_fill_vectors_are_refused(graph, points) -> None:
    kernel = compile_kernel(graph, replace(ALONE, lanes=4), effort=0)
    flight = flight_of(points[None, :, :6], np.random.default_rng(3))
    with pytest.raises(ValueError, match="chains must fill vectors of 4, got 6"):
        kernel.prepare(numbers(graph)).fly(flight, 1)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: pt.log(x), -1.0),  # no number
        (lambda x: -pt.exp(pt.exp(x)), 9.0),  # infinite
        (lambda x: pt.sqrt(x), 0.0),  # an infinite slope
    ],
)
def test_a_chain_is_told_of_what_is_not_finite(function, x) -> None:
    graph = of_function(lambda y: function(y + 2.0))
    density = compile_kernel(graph, ALONE, effort=0).prepare({})
    assert of_a_chain(density)(np.full(3, 0.5))[0] == 0
    assert of_a_chain(density)(np.array([0.5, x - 2.0, 0.5]))[0] > 0


@pytest.mark.parametrize("width", [1, 4])
def test_free_variables_have_pytensor_s_values_on_their_own_scales(graph, points, width) -> None:
    kernel = compile_kernel(graph, replace(Processor.here(), lanes=width), effort=0)
    free = graph.replace_rvs_by_values(graph.free_RVs)
    function = pytensor.function(graph.value_vars, free, mode="FAST_COMPILE")
    expected = [
        np.concatenate(
            [*map(np.ravel, function(*(part[0] for part in by_name(kernel.program, x))))]
        )
        for x in points.T[:, :, None]
    ]
    got = kernel.prepare(numbers(graph)).natural(points)
    assert [name for name, _ in kernel.program.variables] == [rv.name for rv in graph.free_RVs]
    np.testing.assert_allclose(got, np.array(expected).T, rtol=1e-13)
    assert not np.allclose(got, points), "no variable has a transform"


# ------------------------------------------------------------------------------ negative controls


@pytest.mark.parametrize("old", [3.25, 0.5])
def test_code_with_one_wrong_constant_is_refused(monkeypatch, old) -> None:
    graph = of_function(lambda x: -3.25 * x**4 + 0.125 * pt.exp(0.5 * x))
    compile_kernel(graph, effort=0)
    made = Expressions.constant
    monkeypatch.setattr(
        Expressions,
        "constant",
        lambda self, value: made(self, value * 1.001 if abs(value) == old else value),
    )
    with pytest.raises(WrongProgram, match="disagrees with PyTensor"):
        compile_kernel(graph, effort=0)


def test_a_wrong_gradient_is_refused(monkeypatch) -> None:
    graph = of_function(lambda x: -3.0 * x**4)
    right = compiling.gradient

    def wrong(e, value, parameters):
        slopes = right(e, value, parameters)
        return [e.make("mul", e.constant(1.001), slopes[0]), *slopes[1:]]

    monkeypatch.setattr(compiling, "gradient", wrong)
    with pytest.raises(WrongProgram, match="gradient of the code disagrees"):
        compile_kernel(graph, effort=0)


@pytest.mark.parametrize(
    "name", ["check_values", "check_slopes", "check_natural", "constants", "check_data"]
)
def test_a_program_that_fails_its_check_points_is_refused(kernel, name) -> None:
    wrong = getattr(kernel.program, name).copy()
    assert wrong.size
    with pytest.raises(WrongProgram, match="fails its check points"):
        Kernel(replace(kernel.program, **{name: wrong * (1 + 1e-6) + 1e-9}))


def test_code_of_another_model_is_refused(kernel, evidence, view) -> None:
    other = compile_kernel(built(evidence, view, "loss-law"), effort=0).program
    swapped = replace(other, kernel=kernel.program.preparation)
    with pytest.raises(WrongProgram, match="lacks a function"):
        Kernel(swapped)
