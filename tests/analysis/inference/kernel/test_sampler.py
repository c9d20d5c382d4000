"""Many short chains: known moments are found, and what they cannot sample is told."""

import numpy as np
import pytest

from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.kernel.compile import compile_kernel
from aligntax.analysis.inference.kernel.sampler import (
    Options,
    effective_size,
    led_from_nothing,
    nested_rhat,
    sample,
)
from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import find_model, restrict
from tests.analysis.inference.kernel.graphs import numbers

MEAN = np.array([1.0, -2.0, 0.5, 30.0])
SD = np.array([1.0, 0.1, 3.0, 10.0])
CORRELATION = np.array([[1, 0.9, 0, 0], [0.9, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1.0]])
COVARIANCE = CORRELATION * SD[:, None] * SD


class Normal:
    """Correlated, with scales from 0.1 to 10."""

    dimension = 4
    precision = np.linalg.inv(COVARIANCE)

    def log_density_and_gradient(self, x):
        away = x - MEAN[:, None]
        slope = -self.precision @ away
        return 0.5 * (away * slope).sum(axis=0), slope


class Funnel:
    """Neal's: the scale of nine coordinates is the exponential of the first, sd 3."""

    dimension = 10

    def log_density_and_gradient(self, x):
        with np.errstate(all="ignore"):
            v, rest = x[0], x[1:]
            squares = (rest**2).sum(axis=0) * np.exp(-v)
            value = -(v**2) / 18 - 0.5 * squares - 4.5 * v
            slope = np.concatenate([[-v / 9 + 0.5 * squares - 4.5], -rest * np.exp(-v)])
        return value, slope


class Broken(Normal):
    """The normal whose gradient is not a number where the first coordinate is high."""

    def log_density_and_gradient(self, x):
        value, slope = super().log_density_and_gradient(x)
        return value, np.where(x[0] > 2.0, np.nan, slope)


class Two:
    """Two modes, twenty standard deviations apart."""

    dimension = 1

    def log_density_and_gradient(self, x):
        side = np.sign(x[0])
        away = x[0] - 10 * side
        return -0.5 * away**2, -away[None]


def start(seed=3, chains=256):
    """Roughly where the normal is."""
    rng = np.random.default_rng(seed)
    return MEAN[:, None] + 1.3 * SD[:, None] * rng.standard_normal((4, chains))


def check_moments(draws) -> None:
    flat = draws.points.reshape(-1, 4)
    sizes = np.array([effective_size(draws.points[..., i]) for i in range(4)])
    error = (flat.mean(axis=0) - MEAN) / SD * np.sqrt(sizes)
    assert np.abs(error).max() < 4.5
    squares = ((draws.points - MEAN) / SD) ** 2
    sizes = np.array([effective_size(squares[..., i]) for i in range(4)])
    error = (squares.reshape(-1, 4).mean(axis=0) - 1) / np.sqrt(2 / sizes)
    assert np.abs(error).max() < 4.5
    assert np.abs(np.corrcoef(flat.T) - CORRELATION).max() < 0.1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_normal_has_its_moments_from_points_that_are_given(seed) -> None:
    draws = sample(Normal(), Options(seed=seed), start(seed))
    assert draws.points.shape == (256, 16, 4) and draws.log_density.shape == (256, 16)
    check_moments(draws)
    assert not draws.frozen.any() and not draws.divergent
    assert 0.65 < draws.acceptance < 0.95
    assert max(nested_rhat(draws.points[..., i]) for i in range(4)) < 1.005
    assert min(effective_size(draws.points[..., i]) for i in range(4)) > 1500


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_normal_has_its_moments_from_nothing(seed) -> None:
    check_moments(sample(Normal(), Options(seed=seed)))


def test_moments_that_are_wrong_are_noticed() -> None:
    """Negative control of the check above: a tenth of a standard deviation."""
    draws = sample(Normal(), Options(), start())
    draws.points[..., 2] += 0.1 * SD[2]
    with pytest.raises(AssertionError):
        check_moments(draws)


def test_the_log_density_is_that_of_the_draws() -> None:
    draws = sample(Normal(), Options(draws=3), start())
    value, _ = Normal().log_density_and_gradient(draws.points.reshape(-1, 4).T)
    np.testing.assert_allclose(draws.log_density.ravel(), value, rtol=1e-12)


def test_a_seed_is_all_that_draws_depend_on() -> None:
    a, b, c = (sample(Normal(), Options(seed=seed), start()) for seed in (5, 5, 6))
    assert np.array_equal(a.points, b.points) and not np.array_equal(a.points, c.points)


def test_a_funnel_is_told_and_not_passed_off() -> None:
    """The control that this sampler cannot pass: its neck asks for steps that its mouth makes useless."""
    draws = sample(Funnel(), Options(seed=1))
    neck = draws.points[..., 0]
    told = nested_rhat(neck) > 1.005, effective_size(neck) < 400, draws.divergent > 0
    assert any(told)


def test_chains_that_never_move_are_told() -> None:
    """Trap 1 of the trials: nested R-hat alone said 1.011."""
    draws = sample(Broken(), Options(), start())
    stuck = start()[0] > 2.0
    assert stuck.any() and draws.frozen[stuck].all()
    assert not sample(Normal(), Options(), start()).frozen.any()


def test_superchains_in_two_places_are_told() -> None:
    x = np.where(np.arange(256) < 128, -10.0, 10.0)[None] + start()[:1] / 10
    draws = sample(Two(), Options(), x)
    assert nested_rhat(draws.points[..., 0]) > 1.1


def test_a_target_that_is_not_a_number_somewhere_leads_nobody_there() -> None:
    points, step, gradients = led_from_nothing(Broken(), Options(), np.random.default_rng(4))
    assert np.isfinite(points).all() and 0 < step <= 1 and gradients > 4
    assert (points[0] <= 2.0).all()


# ---------------------------------------------------------------------------------- judging chains


def autoregressive(coefficient, shape, seed=0):
    """Chains in equilibrium, of standard deviation one."""
    rng = np.random.default_rng(seed)
    x = np.empty(shape)
    x[:, 0] = rng.standard_normal(shape[0])
    for i in range(1, shape[1]):
        noise = np.sqrt(1 - coefficient**2) * rng.standard_normal(shape[0])
        x[:, i] = coefficient * x[:, i - 1] + noise
    return x


@pytest.mark.parametrize("coefficient", [-0.3, 0.0, 0.5])
def test_the_effective_size_is_that_of_an_autoregression(coefficient) -> None:
    """Trap 3 of the trials: rank-based measures of single chains of sixteen draws mislead."""
    draws, n = autoregressive(coefficient, (4096, 16)), 16
    lags = np.arange(1, n)
    expected = n / (1 + 2 * ((1 - lags / n) * coefficient**lags).sum()) * 4096
    assert effective_size(draws) == pytest.approx(expected, rel=0.1)


def test_nested_rhat_is_one_in_equilibrium_and_sees_superchains_that_differ() -> None:
    draws = autoregressive(0.5, (256, 16))
    assert nested_rhat(draws) < 1.01
    draws[:64] += 0.5
    assert nested_rhat(draws) > 1.02


# ------------------------------------------------------------------------------------ whole models


def elicited(kernel, draws, cholesky):
    """``z``, shape (chain, draw, quantity), of unconstrained draws, which begin with ``white``."""
    (name, shape), *_ = kernel.program.parameters
    assert name == "white"
    return draws.points[..., : shape[0]] @ cholesky.T


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scaling", "time-horizon"])
def test_a_model_has_the_means_of_nuts(name, evidence, view) -> None:
    from arviz_stats import ess

    model = find_model(name)
    compiled = compile_model(model, evidence, view)
    posterior, _ = compiled.posterior(Sampling(seed=3))
    kernel = compile_kernel(compiled.graph)
    draws = sample(kernel.prepare(compiled.data), Options(seed=3))
    assert not draws.frozen.any()
    z = elicited(kernel, draws, compiled.data["copula_cholesky"])
    check_means(z, posterior["z"].values, float(ess(posterior["z"]).min()))


@pytest.mark.slow
def test_the_joint_model_has_the_means_of_the_stored_run(reference) -> None:
    model = find_model("joint")
    used = restrict(reference.evidence, reference.view, model)
    graph = model.build(used, reference.view)
    kernel, data = compile_kernel(graph, effort=0), numbers(graph)
    draws = sample(kernel.prepare(data), Options(seed=3))
    assert not draws.frozen.any() and draws.divergent < 0.01 * draws.log_density.size
    z = elicited(kernel, draws, data["copula_cholesky"])
    assert max(nested_rhat(z[..., i]) for i in range(z.shape[-1])) < 1.02
    stored = reference.posterior["z"].values
    check_means(z, stored, 0.4 * stored[..., 0].size)
    with pytest.raises(AssertionError):  # a wrong answer is noticed
        check_means(z + 0.5 * (np.arange(z.shape[-1]) == 3), stored, 0.4 * stored[..., 0].size)


def check_means(z, expected, size) -> None:
    """Means agree within their Monte Carlo errors; ``size`` is how many draws the others are worth."""
    for i in range(z.shape[-1]):
        sd = expected[..., i].std()
        own = effective_size(z[..., i])
        error = sd * np.sqrt(1 / own + 1 / size)
        assert abs(z[..., i].mean() - expected[..., i].mean()) < 4.5 * error, i
