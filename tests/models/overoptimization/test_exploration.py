"""Policies that can collapse: closed forms on slopes and parabolas, what keeps them open, and where that matters."""

import numpy as np
import pytest
from scipy import integrate, stats

from aligntax.models.errors import InputError
from aligntax.models.overoptimization.exploration import Hills, Parabola, open_steps
from aligntax.models.overoptimization.local_steps import narrow_steps
from aligntax.models.overoptimization.policies import Gaussian, Quadratic, tilt_gaussian
from aligntax.models.overoptimization.proxy_rewards import World

BEND = np.array([0.0, 0.5, 2.0, 8.0])
PULL = np.array([1.0, -0.7, 0.3, 2.0])
BOWL = Parabola(PULL, BEND)
RATES = np.geomspace(0.01, 0.2, 300)
TWO = Hills(np.array([1.0, 2.0]), np.array([[1.0], [4.0]]), np.ones(2))
MANY = np.geomspace(0.01, 1.0, 400)


# ------------------------------------------------------------------------------------ closed forms


def test_without_a_term_the_spread_collapses_as_one_over_the_sum_of_the_rates() -> None:
    path, t = open_steps(BOWL, RATES, 4), np.cumsum(RATES)[:, None]
    assert path.variance == pytest.approx(1 / (1 + BEND * t), rel=1e-12)
    assert path.mean == pytest.approx(PULL * t / (1 + BEND * t), rel=1e-9)


def test_on_a_slope_no_spread_is_lost_and_the_mean_never_stops() -> None:
    path, t = open_steps(Parabola(PULL, 0 * BEND), RATES, 4), np.cumsum(RATES)[:, None]
    assert path.variance == pytest.approx(np.ones((300, 4))) and path.mean == pytest.approx(
        PULL * t
    )
    assert path.kl == pytest.approx(np.sum((PULL * t) ** 2, axis=-1) / 2)


def test_every_step_without_a_term_is_the_exact_tilt() -> None:
    path = open_steps(BOWL, RATES, 4)
    start = Gaussian(np.zeros(4), np.eye(4))
    for k in (0, 20, 299):
        exact, _ = tilt_gaussian(start, Quadratic(PULL, np.diag(BEND)), 1 / RATES[: k + 1].sum())
        assert path.mean[k] == pytest.approx(exact.mean)
        assert np.diag(path.variance[k]) == pytest.approx(exact.covariance)


def test_they_are_the_steps_of_a_policy_that_spans_the_reward() -> None:
    """Another file's, along the curved gold of the simulated world."""
    world = World(dimensions=20)
    other = narrow_steps(world, 30.0, 200, spanning=True)
    total = 1 / tilt_rate(world, 30.0)
    path = open_steps(Parabola(world.theta, world.curvature), np.full(200, total / 200), 20)
    assert path.kl == pytest.approx(other.kl, rel=1e-6)
    assert path.reward + world.curvature.sum() / 2 == pytest.approx(other.steps, rel=1e-6)


def tilt_rate(world, nats):
    """Strength of the penalty under which the tilt by gold spends so many nats."""
    from scipy.optimize import brentq

    def spent(t):
        v = 1 / (1 + t * world.curvature)
        return np.sum((t * world.theta * v) ** 2 + v - 1 - np.log(v)) / 2 - nats

    return 1 / brentq(spent, 1e-6, 1e6)


@pytest.mark.parametrize("price", [0.05, 0.4, 2.0])
def test_entropy_holds_the_spread_at_its_price_over_the_bend(price) -> None:
    path = open_steps(Parabola(PULL[1:], BEND[1:]), np.full(4000, 0.05), 3, entropy=price)
    assert path.variance[-1] == pytest.approx(price / BEND[1:], rel=1e-3)
    assert path.mean[-1] == pytest.approx(PULL[1:] / BEND[1:], rel=1e-3)


@pytest.mark.parametrize("price", [0.1, 1.0, 3.0])
def test_a_penalty_holds_the_policy_at_the_tilt_of_its_price(price) -> None:
    path = open_steps(BOWL, np.full(4000, 0.05), 4, penalty=price)
    assert path.variance[-1] == pytest.approx(price / (price + BEND), rel=1e-6)
    assert path.mean[-1] == pytest.approx(PULL / (price + BEND), rel=1e-6)


def test_both_together_add_up() -> None:
    path = open_steps(BOWL, np.full(4000, 0.05), 4, entropy=0.5, penalty=1.0)
    assert path.variance[-1] == pytest.approx(1.5 / (1.0 + BEND), rel=1e-6)
    assert path.mean[-1] == pytest.approx(PULL / (1.0 + BEND), rel=1e-6)


def test_entropy_that_falls_evenly_to_0_leaves_the_spread_of_a_gaussian_integral() -> None:
    """Solved backwards from the end, ``P = q int exp(-s^2 / 2T) ds = q sqrt(pi T / 2)``: the price of
    exploring fades as the root of the sum of the rates, and on one hill it finds nothing."""
    bowl, top = Parabola(PULL[1:], BEND[1:]), np.sum(PULL[1:] ** 2 / BEND[1:]) / 2
    for count in (4000, 16_000):
        fall = np.linspace(1.0, 0.0, count)
        path, left = (
            open_steps(bowl, np.full(count, 0.1), 3, entropy=fall),
            np.sqrt(20 / (np.pi * count)),
        )
        assert path.variance[-1] == pytest.approx(left / BEND[1:], rel=0.02)
        assert path.reward[-1] == pytest.approx(top - 1.5 * left, abs=0.005)


# ------------------------------------------------------------------------------------------- hills


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.3, 0.2), (3.0, 4.0)])
def test_what_a_policy_feels_of_hills_is_the_integral(mean, variance) -> None:
    """Mean reward, slope and second derivative, by quadrature over the policy."""

    def r(x):
        return np.exp(-((x - 1) ** 2) / 2) + 2 * np.exp(-((x - 4) ** 2) / 2)

    def felt(f):
        policy = stats.norm(mean, np.sqrt(variance))
        return integrate.quad(lambda x: policy.pdf(x) * f(x), -40, 40, limit=400)[0]

    step = 1e-4
    expected, slope, bend = TWO.moments(np.array([mean]), np.array([variance]))
    assert expected == pytest.approx(felt(r))
    assert slope[0] == pytest.approx(felt(lambda x: (r(x + step) - r(x - step)) / (2 * step)))
    second = felt(lambda x: (r(x + step) - 2 * r(x) + r(x - step)) / step**2)
    assert bend[0] == pytest.approx(second, rel=1e-3, abs=1e-6)


def test_hills_of_several_features_are_products() -> None:
    one = Hills(np.array([2.0]), np.array([[0.5]]), np.array([0.8]))
    two = Hills(np.array([2.0]), np.array([[0.5, 0.5]]), np.array([0.8]))
    m, v = np.array([0.1]), np.array([0.7])
    assert two.moments(np.repeat(m, 2), np.repeat(v, 2))[0] == pytest.approx(
        one.moments(m, v)[0] ** 2 / 2
    )


# ---------------------------------------------------------------------- little and much optimisation


def test_optimised_a_little_dropping_the_penalty_costs_nothing_to_speak_of() -> None:
    """At up to one nat: within a per cent, and never in favour of less reward by more than that."""
    free, held = open_steps(TWO, MANY), open_steps(TWO, MANY, penalty=0.05)
    for nats in (0.05, 0.1, 0.25, 0.5, 1.0):
        assert free.at(nats) == pytest.approx(held.at(nats), rel=0.01)


def test_optimised_a_little_exploring_only_costs() -> None:
    free, open_ = open_steps(TWO, MANY), open_steps(TWO, MANY, entropy=0.1)
    assert all(open_.at(nats) < free.at(nats) for nats in (0.05, 0.25, 0.5, 1.0))


def test_optimised_a_lot_only_a_policy_that_is_kept_open_finds_the_far_hill() -> None:
    fall = 0.2 * np.linspace(1.0, 0.0, 400)
    stuck, held = open_steps(TWO, MANY), open_steps(TWO, MANY, penalty=0.05)
    found, best = open_steps(TWO, MANY, entropy=0.1), open_steps(TWO, MANY, entropy=fall)
    assert abs(stuck.mean[-1, 0] - 1) < 0.2 and stuck.reward[-1] < 1.1
    assert held.reward[-1] < stuck.reward[-1]  # near the start, and no further
    assert abs(found.mean[-1, 0] - 4) < 0.1 and found.reward[-1] > 1.9
    assert best.reward[-1] > found.reward[-1]  # it exploits at last
    assert stuck.variance[-1, 0] < 0.03 < 0.05 < found.variance[-1, 0]
    more = open_steps(TWO, np.append(MANY, np.full(2000, 1.0)))  # as much again does not help
    assert more.reward[-1] == pytest.approx(stuck.reward[-1], abs=0.02)


@pytest.mark.parametrize("far", [2.0, 3.0])
def test_a_hill_within_reach_needs_no_exploration(far) -> None:
    """Negative control: what entropy gains is the far hill, not something of entropy's own."""
    hills = Hills(np.array([1.0, 2.0]), np.array([[1.0], [far]]), np.ones(2))
    free, open_ = open_steps(hills, MANY), open_steps(hills, MANY, entropy=0.1)
    assert free.reward[-1] > open_.reward[-1] > 1.9


def test_a_policy_whose_spread_is_held_at_its_start_shows_none_of_it() -> None:
    """Negative control: with covariance I, as linear rewards leave it, nothing can collapse."""
    slope = Parabola(np.array([1.0]), np.array([0.0]))
    free, open_ = open_steps(slope, MANY), open_steps(slope, MANY, entropy=0.05)
    assert np.all(np.diff(free.reward) > 0) and free.variance[-1, 0] == pytest.approx(1.0)
    assert open_.variance[-1, 0] > 1


def test_steps_without_meaning_are_refused() -> None:
    for ask, told in (
        (lambda: open_steps(TWO, MANY, entropy=-0.1), "entropy: must not be negative, got -0.1"),
        (lambda: open_steps(TWO, MANY, penalty=-1.0), "penalty: must not be negative"),
        (lambda: open_steps(TWO, [3.0], entropy=0.5), "rates: each step must leave a precision"),
        (lambda: open_steps(TWO, MANY).at(50.0), "nats: must lie between"),
    ):
        with pytest.raises(InputError, match=told):
            ask()
