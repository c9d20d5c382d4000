"""From graphs to expressions: what is taken for granted, and what is refused by name."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from aligntax.analysis.inference.kernel.compile import compile_kernel
from aligntax.analysis.inference.kernel.front import flatten
from aligntax.analysis.inference.kernel.kernel import WrongProgram
from aligntax.analysis.inference.kernel.walk import NotExpressible
from tests.analysis.inference.kernel.graphs import numbers, of_function, reference

TABLE = np.arange(12.0).reshape(3, 4) ** 1.5


def agree(graph, points=None):
    """Compile a graph and compare it with PyTensor; return its kernel."""
    kernel = compile_kernel(graph, effort=0)
    x = np.random.default_rng(4).standard_normal((kernel.program.dimension, 50))
    x = x if points is None else points
    value, slope = reference(graph)(kernel.program, x)
    got = kernel.prepare(numbers(graph)).log_density_and_gradient(x)
    np.testing.assert_allclose(got[0], value, rtol=1e-12, atol=1e-12)
    assert np.isfinite(got[1]).all()
    known = np.isfinite(slope)  # an unused branch of PyTensor's may hand on no number
    np.testing.assert_allclose(got[1][known], slope[known], rtol=1e-7, atol=1e-9)
    return kernel


def clipped(x):
    return pt.clip(pt.floor(x + 1.5), 0, 3).astype("int64")


@pytest.mark.parametrize(
    "make",
    [
        lambda x: pt.logsumexp(pt.stack([x, 2 * x]), axis=0),
        lambda x: pt.logsumexp(pt.stack([x, 2 * x]), axis=1, keepdims=True),
        lambda x: pt.logsumexp(x),
        lambda x: pt.logaddexp(x, 3 * x[0]),
        lambda x: pt.gammaln(pt.exp(x)),
        lambda x: (x > 0) * x * 3.0,
        lambda x: pt.switch(x > 0, x, 0.0) + pt.maximum(x, -x[::-1]),
        lambda x: x[[2, 0, 0]] * pt.set_subtensor(x[1:], x[0])[1],
        lambda x: pt.inc_subtensor(pt.zeros(2)[[0, 1, 1]], x) ** 2,
        lambda x: pt.concatenate([x, x[:1]]).reshape((2, 2)).T.max(axis=1),
        lambda x: pt.as_tensor(TABLE[1])[clipped(x)] * x,
        lambda x: 10.0**x + pt.sqrt(2.0) * abs(x) + pt.sign(x) * x**3 + pt.exp(x) ** -1.5,
        lambda x: pt.prod(x, axis=0, keepdims=True) + x.mean(),
        lambda x: pt.log1p(pt.exp(x)) + pt.softplus(x) + pt.expm1(x) + pt.tanh(x) + pt.sigmoid(x),
        lambda x: pt.isinf(x) + pt.isnan(x) + pt.and_(x > 0, x < 1) * x + pt.or_(x > 0, ~(x > 1)),
        lambda x: pm.logcdf(pm.Normal.dist(0.0, 1.0), 9 * x),
    ],
)  # fmt: skip
def test_a_graph_has_pytensor_s_numbers(make) -> None:
    agree(of_function(make))


def test_data_and_new_data_have_pytensor_s_numbers() -> None:
    graph = of_function(
        lambda x, table, scale: table[[0, 1, 2], clipped(x)] * x / scale,
        table=TABLE, scale=np.array([1.0, 2.0, 3.0]),
    )  # fmt: skip
    kernel = agree(graph)
    graph["table"].set_value(TABLE - 7)
    graph["scale"].set_value(np.array([0.1, 5.0, 2.0]))
    x = np.random.default_rng(5).standard_normal((3, 21))
    got = kernel.prepare(numbers(graph)).log_density_and_gradient(x)
    value, slope = reference(graph)(kernel.program, x)
    np.testing.assert_allclose(got[0], value, rtol=1e-12)
    np.testing.assert_allclose(got[1], slope, rtol=1e-7)


def test_distributions_check_their_bounds_where_the_model_does() -> None:
    def make(check):
        with pm.Model(check_bounds=check) as graph:
            x = pm.Normal("x", size=3)
            pm.Potential("term", pm.logp(pm.Normal.dist(0.0, x), 1.0))
        return graph

    with pytest.raises(WrongProgram, match="no log density at a check point: sigma > 0"):
        compile_kernel(make(True), effort=0)
    density = flatten(make(True))
    assert "switch" in density.expressions.operations
    assert "switch" not in flatten(make(False)).expressions.operations


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (pt.cos, "the operation Cos"),
        (pt.sin, "the operation Sin"),
        (pt.cumsum, "the operation CumOp"),
        (pt.sort, "the operation SortOp"),
        (lambda x: pt.dot(x, x), "the operation Dot"),
        (lambda x: pt.as_tensor(TABLE[0])[pt.floor(x).astype("int64")], "an index that is not clipped"),
        (lambda x: pt.as_tensor(TABLE[0])[clipped(x) + 1], "an index that is not clipped"),
        (lambda x: (2 * x)[pt.clip(clipped(x), 0, 2)], "of what is neither data nor constant"),
        (lambda x: (2 * x)[clipped(x) // 2], "the operation IntDiv"),
        (lambda x: x.astype("float32") * 2.0, "Cast{float32} in single precision"),
        (lambda x: x[: pt.floor(x[0]).astype("int64")], "an index or a shape that depends on floor"),
        (lambda x: pt.exp(pt.floor(x).astype("float32")), "in single precision"),
    ],
)  # fmt: skip
def test_an_operation_that_is_not_known_is_refused_by_name(make, name) -> None:
    with pytest.raises(NotExpressible, match=name):
        flatten(of_function(make))


def test_a_group_that_data_decide_is_taken_for_granted() -> None:
    group = np.array([0.0, 2.0, 2.0])
    graph = of_function(lambda x, g: x[g.astype("int64")] ** 2, g=group)
    kernel = agree(graph)
    for other in (np.array([0.0, 2.0, 1.0]), np.array([0.0, 2.0])):
        with pytest.raises(WrongProgram):
            kernel.prepare({"g": other})


def test_the_zeros_of_a_triangular_matrix_are_taken_for_granted_and_no_others() -> None:
    lower = np.linalg.cholesky(np.eye(3) + 0.3)
    lower[2, 0] = 0.0
    graph = of_function(lambda x, m: (m * x).sum(axis=-1) ** 2, m=lower)
    kernel = agree(graph)
    assert len(kernel.program.granted[0]) == 3
    changed = lower.copy()
    changed[2, 0] = 0.7
    graph["m"].set_value(changed)
    x = np.random.default_rng(5).standard_normal((3, 5))
    got, _ = kernel.prepare({"m": changed}).log_density_and_gradient(x)
    np.testing.assert_allclose(got, reference(graph)(kernel.program, x)[0], rtol=1e-12)
    changed[0, 2] = 0.7
    with pytest.raises(WrongProgram, match="take"):
        kernel.prepare({"m": changed})
