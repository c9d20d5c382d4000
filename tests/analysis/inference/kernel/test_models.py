"""Every model of the catalogue, under every named view, has PyTensor's log density and gradient."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from aligntax.analysis.inference.kernel.compile import compile_kernel
from aligntax.models.catalogue import MODELS
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view
from tests.analysis.inference.kernel.graphs import built, numbers, reference

VIEWS = sorted(p.stem for p in Path(__file__).parents[4].joinpath("models", "views").glob("*.toml"))
FAST = [
    (model, view)
    for model in ("scaling", "outer-alignment", "density-prediction")
    for view in ("default", "vague")
] + [("alignment", "with-ai-labour")]
VALUE, SLOPE = 1e-12, 1e-7
# Far out the formulas of some graphs cancel: their own numbers change by more than `VALUE` when a
# point is moved by rounding.
ROUNDINGS = (1 - 2.0**-52, 1 + 2.0**-52, 1 - 2.0**-51, 1 + 2.0**-51)


@cache
def model_under(model, view):
    evidence = load_evidence()
    graph = built(evidence, load_view(view), model)
    return graph, compile_kernel(graph, effort=0), reference(graph)


def compared(model, view, x):
    """Errors of values and gradients, relative to the value and to the largest slope of a point."""
    graph, kernel, pytensor = model_under(model, view)
    value, slope = pytensor(kernel.program, x)
    got, got_slope = kernel.prepare(numbers(graph)).log_density_and_gradient(x)
    possible = np.isfinite(value)
    assert np.array_equal(np.isfinite(got), possible)
    assert np.isfinite(got_slope[:, possible]).all(), "a derivative is not a number"
    known = possible & np.isfinite(slope).all(axis=0)  # PyTensor's may be no number far out
    assert known.mean() > 0.5
    size = np.maximum(np.abs(value), 1.0)
    errors = np.abs(got - value)[known] / size[known]
    largest = np.maximum(np.abs(slope[:, known]).max(axis=0), 1.0)
    slopes = np.abs(got_slope - slope)[:, known].max(axis=0) / largest
    return errors, slopes, known, size


def check_random_points(model, view) -> None:
    dimension = model_under(model, view)[1].program.dimension
    x = np.random.default_rng(11).standard_normal((dimension, 1000))
    errors, slopes, _, _ = compared(model, view, x)
    assert errors.max() < VALUE
    assert slopes.max() < SLOPE


def check_extremes(model, view) -> None:
    """Each coordinate at four standard deviations of the prior, and all of them at three."""
    _, kernel, pytensor = model_under(model, view)
    dimension = kernel.program.dimension
    random = np.random.default_rng(12)
    each = np.concatenate([4 * np.eye(dimension), -4 * np.eye(dimension)], axis=1)
    every = 3 * random.choice([-1.0, 1.0], (dimension, 100))
    x = np.concatenate([each, every], axis=1)
    errors, slopes, known, size = compared(model, view, x)
    values = [pytensor(kernel.program, x * factor)[0] for factor in (1.0, *ROUNDINGS)]
    noise = np.ptp(values, axis=0)[known] / size[known]
    assert (errors < VALUE + 10 * noise).all()
    rounded = [pytensor(kernel.program, x * factor)[1][:, known] for factor in (1.0, *ROUNDINGS)]
    largest = np.maximum(np.abs(rounded[0]).max(axis=0), 1.0)
    noise = np.ptp(rounded, axis=0).max(axis=0) / largest
    assert (slopes < SLOPE + 10 * noise).all()


@pytest.mark.parametrize(("model", "view"), FAST)
def test_random_points_have_pytensor_s_numbers(model, view) -> None:
    check_random_points(model, view)


@pytest.mark.parametrize(("model", "view"), FAST)
def test_extremes_of_the_prior_have_pytensor_s_numbers(model, view) -> None:
    check_extremes(model, view)


def check(model, view) -> None:
    check_random_points(model, view)
    check_extremes(model, view)
    model_under.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "view"),
    [
        *((model, "default") for model in MODELS),
        ("joint", "vague"),
        ("joint", "takeoff-conservative"),
    ],
)
def test_every_model_has_pytensor_s_numbers(model, view) -> None:
    check(model, view)


@pytest.mark.study
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_under_every_view_has_pytensor_s_numbers(model, view) -> None:
    check(model, view)
