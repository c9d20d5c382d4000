"""Policies: identities that hold exactly, closed forms against quadrature and linear algebra, limits, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.integrate import quad
from scipy.special import betaln, digamma, logsumexp

from aligntax.models.errors import InputError
from aligntax.models.overoptimization.policies import (
    Gaussian,
    Quadratic,
    best_of_n,
    best_of_n_kl,
    best_of_normals,
    beta_at_kl,
    increasing_root,
    kl,
    kl_of_gaussians,
    log_partition,
    normalised,
    objective,
    policy_steps,
    soft_value,
    tilt,
    tilt_gaussian,
)

SIZE = 7
VECTOR = arrays(float, SIZE, elements=st.floats(-5, 5, width=32))
BETA = st.floats(1e-3, 1e4)
N = st.floats(1, 1e6)


def policy(weights):
    return normalised(2 * np.asarray(weights))


# ------------------------------------------------------------------------------------------- finite


@given(VECTOR, VECTOR, VECTOR, BETA)
def test_the_objective_is_beta_log_z_less_the_divergence_from_the_tilt(
    first, other, reward, beta
) -> None:
    log_pi0, log_pi = policy(first), policy(other)
    expected = beta * log_partition(log_pi0, reward, beta) - beta * kl(
        log_pi, tilt(log_pi0, reward, beta)
    )
    got = objective(log_pi, log_pi0, reward, beta)
    assert got == pytest.approx(expected, rel=1e-10, abs=1e-10 * max(1.0, beta))


@given(VECTOR, VECTOR, VECTOR, BETA)
def test_no_policy_beats_the_tilt(first, other, reward, beta) -> None:
    log_pi0 = policy(first)
    best = objective(tilt(log_pi0, reward, beta), log_pi0, reward, beta)
    assert best == pytest.approx(soft_value(log_pi0, reward, beta), abs=1e-10 * max(1.0, beta))
    assert objective(policy(other), log_pi0, reward, beta) <= best + 1e-10 * max(1.0, beta)


@given(VECTOR, VECTOR, BETA)
def test_the_tilt_is_its_definition(first, reward, beta) -> None:
    log_pi0 = policy(first)
    log_z = logsumexp(log_pi0 + reward / beta)
    assert log_partition(log_pi0, reward, beta) == pytest.approx(log_z, rel=1e-9, abs=1e-12)
    assert tilt(log_pi0, reward, beta) == pytest.approx(
        log_pi0 + reward / beta - log_z, rel=1e-12, abs=1e-9
    )


@given(VECTOR, VECTOR, st.floats(-1e6, 1e6), BETA)
def test_a_constant_more_reward_changes_nothing_but_the_value(
    first, reward, constant, beta
) -> None:
    log_pi0 = policy(first)
    moved = tilt(log_pi0, reward + constant, beta)
    assert np.exp(moved) == pytest.approx(
        np.exp(tilt(log_pi0, reward, beta)), abs=1e-8 / min(beta, 1) + 1e-9
    )
    more = soft_value(log_pi0, reward + constant, beta) - soft_value(log_pi0, reward, beta)
    assert more == pytest.approx(constant, rel=1e-9, abs=1e-6)


@given(VECTOR, VECTOR, st.floats(1e-3, 1e3), st.floats(1.0, 10.0))
def test_divergence_falls_and_reward_falls_in_beta(first, reward, beta, factor) -> None:
    log_pi0 = policy(first)
    near, far = tilt(log_pi0, reward, beta * factor), tilt(log_pi0, reward, beta)
    assert kl(near, log_pi0) <= kl(far, log_pi0) + 1e-12
    assert np.exp(near) @ reward <= np.exp(far) @ reward + 1e-9


def test_the_divergence_s_slope_is_the_reward_s_variance() -> None:
    rng = np.random.default_rng(1)
    log_pi0, reward, t, h = policy(rng.normal(size=9)), rng.normal(size=9), 1.7, 1e-5
    up, down = (kl(tilt(log_pi0, reward, 1 / s), log_pi0) for s in (t + h, t - h))
    p = np.exp(tilt(log_pi0, reward, 1 / t))
    variance = p @ reward**2 - (p @ reward) ** 2
    assert (up - down) / (2 * h) == pytest.approx(t * variance, rel=1e-7)


def test_limits() -> None:
    """To the best outputs as the initial policy shares them, and to the initial policy."""
    log_pi0, reward = np.log([0.1, 0.2, 0.3, 0.4]), np.array([1.0, 3.0, 3.0, -2.0])
    assert np.exp(tilt(log_pi0, reward, 0.0)) == pytest.approx([0, 0.4, 0.6, 0])
    assert np.exp(tilt(log_pi0, reward, 1e-9)) == pytest.approx([0, 0.4, 0.6, 0])
    assert tilt(log_pi0, reward, math.inf) == pytest.approx(log_pi0)
    assert soft_value(log_pi0, reward, 0.0) == 3.0
    assert soft_value(log_pi0, reward, 1e-9) == pytest.approx(3.0)
    assert soft_value(log_pi0, reward, math.inf) == pytest.approx(np.exp(log_pi0) @ reward)
    assert soft_value(log_pi0, reward, 1e12) == pytest.approx(np.exp(log_pi0) @ reward, rel=1e-11)
    assert objective(tilt(log_pi0, reward, 0.0), log_pi0, reward, 0.0) == pytest.approx(3.0)


@pytest.mark.parametrize("beta", [1e-300, 1e-12, 1e-4])
def test_rewards_of_ten_thousand_times_a_small_beta_do_not_overflow(beta) -> None:
    log_pi0, reward = policy([0, 1, -1, 0.5]), np.array([1e4, 1e4, -1e4, 0.0])
    got = tilt(log_pi0, reward, beta)
    assert np.exp(got) == pytest.approx(np.exp(tilt(log_pi0, reward, 0.0)))
    assert soft_value(log_pi0, reward, beta) == pytest.approx(1e4)
    if beta > 1e-300:
        assert log_partition(log_pi0, reward, beta) == pytest.approx(1e4 / beta)
    assert 0 < kl(got, log_pi0) < math.inf
    assert kl(log_pi0, got) == math.inf or kl(log_pi0, got) > 1e3


def test_outputs_that_the_initial_policy_lacks_stay_out_however_good() -> None:
    log_pi0, reward = np.array([math.log(0.5), -math.inf, math.log(0.5)]), np.array([0.0, 1e5, 1.0])
    for beta in (0.0, 1e-6, 1.0, math.inf):
        got = tilt(log_pi0, reward, beta)
        assert got[1] == -math.inf and np.exp(got).sum() == pytest.approx(1.0)
        assert soft_value(log_pi0, reward, beta) <= 1.0
    assert best_of_n(log_pi0, reward, 10)[1] == -math.inf
    assert np.exp(best_of_n(log_pi0, reward, 10)).sum() == pytest.approx(1.0)
    assert kl([0.0, -math.inf, -math.inf], log_pi0) == pytest.approx(math.log(2))
    assert kl(policy([0, 0, 0]), log_pi0) == math.inf


@given(VECTOR, VECTOR, st.floats(1e-6, 0.999))
def test_the_temperature_of_a_budget_spends_it(first, reward, share) -> None:
    log_pi0 = policy(first)
    most = float(kl(tilt(log_pi0, reward, 0.0), log_pi0))
    spread = np.ptp(np.unique(reward))
    assume(spread > 1e-3 and most * share > 1e-6)
    beta = beta_at_kl(log_pi0, reward, share * most)
    assert kl(tilt(log_pi0, reward, beta), log_pi0) == pytest.approx(share * most, rel=1e-7)


def test_budgets_at_the_ends_and_beyond() -> None:
    log_pi0, reward = np.log([0.25, 0.25, 0.5]), np.array([1.0, 1.0, 0.0])
    assert beta_at_kl(log_pi0, reward, 0.0) == math.inf
    most = float(kl(tilt(log_pi0, reward, 0.0), log_pi0))
    assert most == pytest.approx(math.log(2))
    betas = beta_at_kl(log_pi0, reward, [0.0, 0.1, 0.3, most])
    assert (np.diff(betas) < 0).all() and betas[-1] == 0.0
    with pytest.raises(
        InputError,
        match=r"budget: must lie between 0 and 0.693147 nats, .* got 0.7; choose another",
    ):
        beta_at_kl(log_pi0, reward, [0.1, 0.7])
    with pytest.raises(InputError, match="got -1"):
        beta_at_kl(log_pi0, reward, -1.0)
    with pytest.raises(InputError, match="got nan"):
        beta_at_kl(log_pi0, reward, math.nan)
    assert beta_at_kl(log_pi0, np.ones(3), 0.0) == math.inf
    with pytest.raises(InputError, match="between 0 and 0 nats"):
        beta_at_kl(log_pi0, np.ones(3), 0.1)


def test_the_root_of_an_increasing_function() -> None:
    target = np.array([1e-9, 1e-3, 1.0, 1e6])
    assert increasing_root(lambda t: t**2, target, 1.0) == pytest.approx(np.sqrt(target), rel=1e-12)


@pytest.mark.parametrize("beta", [-1.0, math.nan])
def test_a_penalty_is_not_negative(beta) -> None:
    for ask in (tilt, soft_value):
        with pytest.raises(InputError, match="beta: must not be negative"):
            ask(policy([0, 1]), np.array([0.0, 1.0]), beta)
    for wrong in (0.0, beta):
        with pytest.raises(InputError, match="beta: must be positive"):
            log_partition(policy([0, 1]), np.array([0.0, 1.0]), wrong)


# -------------------------------------------------------------------------------------------- steps


@given(VECTOR, VECTOR, st.lists(st.floats(0.01, 5), min_size=1, max_size=12))
def test_policy_steps_walk_along_the_tilts(first, reward, rates) -> None:
    log_pi0 = policy(first)
    path = np.exp(policy_steps(log_pi0, [reward] * len(rates), rates))
    tilts = np.exp([tilt(log_pi0, reward, 1 / spent) for spent in np.cumsum(rates)])
    assert np.abs(path - tilts).max() < 1e-10


@given(VECTOR, VECTOR, VECTOR, st.floats(0.05, 3))
def test_a_step_maximises_reward_less_the_divergence_from_the_last_policy(
    first, reward, other, rate
) -> None:
    log_pi = policy(first)
    (after,) = policy_steps(log_pi, [reward], [rate])
    assert (
        objective(policy(other), log_pi, reward, 1 / rate)
        <= objective(after, log_pi, reward, 1 / rate) + 1e-9
    )


def test_steps_through_two_rewards_are_no_tilt_of_either() -> None:
    log_pi0, a, b = policy([0, 0, 0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    (_, last) = policy_steps(log_pi0, [a, b], [1.0, 1.0])
    assert np.exp(last) == pytest.approx(np.exp(tilt(log_pi0, a + b, 1.0)))
    assert np.abs(np.exp(last) - np.exp(tilt(log_pi0, b, 0.5))).max() > 0.1


# ---------------------------------------------------------------------------------------- best of n


@given(VECTOR, arrays(int, SIZE, elements=st.integers(0, 3)), st.integers(1, 4))
def test_the_best_of_n_by_counting_every_draw(first, reward, n) -> None:
    """Ties at random: each of the best of a tuple of draws wins alike."""
    p = np.exp(policy(first))
    tuples = np.array(np.meshgrid(*[np.arange(SIZE)] * n)).reshape(n, -1)
    chance, scores = p[tuples].prod(axis=0), reward[tuples]
    wins = scores == scores.max(axis=0)
    expected = [
        (chance * (wins & (tuples == i)).sum(axis=0) / wins.sum(axis=0)).sum() for i in range(SIZE)
    ]
    assert np.exp(best_of_n(policy(first), reward, n)) == pytest.approx(expected, abs=1e-12)


@given(VECTOR, arrays(int, SIZE, elements=st.integers(0, 3)), N)
def test_ties_and_few_outputs_keep_the_divergence_below_the_formula(first, reward, n) -> None:
    log_pi0 = policy(first)
    got = best_of_n(log_pi0, reward, n)
    assert np.exp(got).sum() == pytest.approx(1.0)
    assert kl(got, log_pi0) <= best_of_n_kl(n) + 1e-12
    assert kl(got, log_pi0) <= kl(tilt(log_pi0, reward, 0.0), log_pi0) + 1e-12


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1000, 10_000, 100_000])
def test_the_divergence_for_continuous_reward_is_that_of_the_beta_integral(n) -> None:
    """KL(Beta(n, 1), uniform) from digamma functions and, where it can be resolved, from a fine grid of equal cells."""
    exact = (n - 1) * (digamma(n) - digamma(n + 1)) - betaln(n, 1)
    assert best_of_n_kl(n) == pytest.approx(exact, rel=1e-10, abs=1e-14)
    # e = -n log u
    quadrature, _ = quad(lambda e: math.exp(-e) * (math.log(n) - (n - 1) / n * e), 0, 60)
    assert best_of_n_kl(n) == pytest.approx(quadrature, rel=1e-9, abs=1e-12)
    cells = 200_000
    log_pi0 = np.full(cells, -math.log(cells))
    on_grid = float(kl(best_of_n(log_pi0, np.arange(cells), n), log_pi0))
    assert on_grid <= best_of_n_kl(n) + 1e-9
    if n <= 1000:
        assert on_grid == pytest.approx(best_of_n_kl(n), rel=1e-5, abs=1e-9)


def test_published_divergences() -> None:
    """Gao et al. 2022: 5.9 nats at 1,000 and 10.0 at 60,000."""
    assert best_of_n_kl(np.array([1, 1000, 60_000])) == pytest.approx([0, 5.9, 10.0], abs=0.05)


def test_the_best_of_very_many_is_the_best_output() -> None:
    log_pi0, reward = policy(np.linspace(-8, 8, 9)), np.arange(9)[::-1].copy()
    assert np.exp(best_of_n(log_pi0, reward, 1e300)) == pytest.approx(
        np.exp(tilt(log_pi0, reward, 0.0))
    )
    assert best_of_n(log_pi0, reward, 1) == pytest.approx(log_pi0)


@pytest.mark.parametrize("n", [0, 0.5, math.nan, math.inf])
def test_the_best_of_less_than_one_is_refused(n) -> None:
    for ask in (
        best_of_n_kl,
        best_of_normals,
        lambda n: best_of_n(policy([0, 1]), np.array([0, 1]), n),
    ):
        with pytest.raises(InputError, match="n: must be at least 1"):
            ask(n)


def test_moments_of_the_best_of_normals() -> None:
    """Known for 1, 2 and 3; by scipy's quadrature for more; Fisher and Tippett's limit for very many."""
    mean, variance = best_of_normals([1, 2, 3])
    assert mean == pytest.approx([0, 1 / math.sqrt(math.pi), 1.5 / math.sqrt(math.pi)], abs=1e-12)
    assert variance[:2] == pytest.approx([1, 1 - 1 / math.pi], abs=1e-12)
    for n in (10, 1000, 100_000):
        first, second = (
            quad(
                lambda x, k=k, n=n: x**k * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1),
                -6,
                12,
                limit=300,
            )[0]
            for k in (1, 2)
        )
        mean, variance = best_of_normals(n)
        assert (mean, variance) == pytest.approx((first, second - first**2), abs=1e-8)
    mean, _ = best_of_normals(1e60)
    assert mean == pytest.approx(stats.norm.isf(1e-60) + 0.5772 / stats.norm.isf(1e-60), rel=1e-3)


# ----------------------------------------------------------------------------------------- Gaussian


def some_gaussian(size, seed, curved=True):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=(size, size)) for _ in range(2))
    covariance, curvature = (
        a @ a.T / size + np.eye(size) / 4,
        b @ b.T / size if curved else np.zeros((size, size)),
    )
    return Gaussian(rng.normal(size=size), covariance), Quadratic(rng.normal(size=size), curvature)


@pytest.mark.parametrize("beta", [1e-3, 0.3, 1.0, 40.0])
@pytest.mark.parametrize("curvature", [0.0, 0.7, -0.2])
def test_gaussian_tilts_in_one_dimension_against_quadrature(beta, curvature) -> None:
    start, reward = (
        Gaussian(np.array([0.4]), np.array([[1.3]])),
        Quadratic(np.array([0.9]), np.array([[curvature]])),
    )
    if beta / 1.3 + curvature <= 0:
        with pytest.raises(
            InputError, match=r"beta: covariance.* must be positive definite, got -.*; raise beta"
        ):
            tilt_gaussian(start, reward, beta)
        return
    got, log_z = tilt_gaussian(start, reward, beta)
    m, s = got.mean[0], math.sqrt(got.covariance[0, 0])
    x = np.linspace(m - 12 * s, m + 12 * s, 20_001)
    log_weight = stats.norm.logpdf(x, 0.4, math.sqrt(1.3)) + (0.9 * x - curvature * x**2 / 2) / beta
    weight = np.exp(log_weight - log_weight.max())
    step = x[1] - x[0]
    assert log_z == pytest.approx(
        log_weight.max() + math.log(weight.sum() * step), rel=1e-9, abs=1e-9
    )
    weight /= weight.sum()
    assert weight @ x == pytest.approx(m, rel=1e-9)
    assert weight @ (x - m) ** 2 == pytest.approx(s**2, rel=1e-9)
    initial = stats.norm.logpdf(x, 0.4, math.sqrt(1.3))
    spent = weight @ (np.log(weight / step) - initial)
    assert kl_of_gaussians(got, start) == pytest.approx(spent, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("size", [2, 5, 30])
def test_gaussian_tilts_satisfy_the_identity_for_any_gaussian_policy(size, curved) -> None:
    start, reward = some_gaussian(size, size, curved)
    other, _ = some_gaussian(size, size + 100)
    for beta in (0.05, 1.0, 20.0):
        best, log_z = tilt_gaussian(start, reward, beta)
        value = reward.expected(other) - beta * kl_of_gaussians(other, start)
        assert value == pytest.approx(
            beta * log_z - beta * kl_of_gaussians(other, best), rel=1e-10, abs=1e-9
        )


@pytest.mark.parametrize("beta", [0.05, 1.0, 20.0])
def test_a_linear_reward_moves_the_mean_and_nothing_else(beta) -> None:
    start, reward = some_gaussian(6, 3, curved=False)
    got, log_z = tilt_gaussian(start, reward, beta)
    b, s = reward.linear, start.covariance
    assert got.covariance == pytest.approx(s, rel=1e-9, abs=1e-12)
    assert got.mean == pytest.approx(start.mean + s @ b / beta)
    assert kl_of_gaussians(got, start) == pytest.approx(b @ s @ b / beta**2 / 2, rel=1e-9)
    assert log_z == pytest.approx(b @ start.mean / beta + b @ s @ b / beta**2 / 2, rel=1e-9)


def test_gaussian_steps_walk_along_the_tilts() -> None:
    start, reward = some_gaussian(8, 4)
    at = start
    for rate in (0.2, 0.5, 1.3):
        at, _ = tilt_gaussian(at, reward, 1 / rate)
    straight, _ = tilt_gaussian(start, reward, 1 / 2.0)
    assert at.mean == pytest.approx(straight.mean, abs=1e-10)
    assert at.covariance == pytest.approx(straight.covariance, abs=1e-10)


def test_gaussian_limits() -> None:
    """To the reward's own optimum where it has one, without overflow, and to the initial policy."""
    start, reward = some_gaussian(5, 9)
    for beta in (1e-8, 1e-200):
        got, _ = tilt_gaussian(start, reward, beta)
        assert got.mean == pytest.approx(np.linalg.solve(reward.curvature, reward.linear), rel=1e-4)
    assert tilt_gaussian(start, reward, math.inf) == (start, 0.0)
    far, log_z = tilt_gaussian(start, reward, 1e9)
    assert far.mean == pytest.approx(start.mean, abs=1e-6) and log_z * 1e9 == pytest.approx(
        reward.expected(start), rel=1e-5
    )
    assert kl_of_gaussians(start, start) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InputError, match="beta: must be positive for a Gaussian policy, got 0"):
        tilt_gaussian(start, reward, 0.0)
