"""Local steps are tilts while they are exact; each condition that breaks this does so alone, and mends in its own limit."""

import numpy as np
import pytest
from scipy.optimize import brentq

from aligntax.models.errors import InputError
from aligntax.models.overoptimization.local_steps import (
    exact_steps,
    narrow_steps,
    relearned_steps,
    sampled_steps,
)
from aligntax.models.overoptimization.proxy_rewards import World, compare, draw_comparisons, learn

LABELS = 2000
SEEDS = range(6)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def proxies(world):
    """The chance in the labels and the weights that they teach."""
    drawn = [draw_comparisons(world, LABELS, np.random.default_rng(seed)) for seed in SEEDS]
    return [(each, learn(compare(world, each))) for each in drawn]


def standard_error(values) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def test_exact_steps_reach_the_gold_of_the_penalty_s_optimum_at_equal_divergence(
    world, proxies
) -> None:
    """Over 20,000 outputs, with steps of unequal length, on a path past the peak of gold."""
    _, weights = proxies[0]
    outputs = np.random.default_rng(1).standard_normal((20_000, world.dimensions))
    reward = outputs @ weights / np.linalg.norm(weights)
    paths = exact_steps(world.gold(outputs), reward, [0.01, 0.5, 0.2, 1.0, 0.04, 2.0, 3.0])
    assert np.abs(paths.steps - paths.tilts).max() < 1e-10
    assert (np.diff(paths.kl) > 0).all() and 6 < paths.kl[-1] < np.log(20_000)


# ----------------------------------------------------------------------------------- sampling noise


def test_steps_from_few_samples_lose_gold_at_equal_divergence(world, proxies) -> None:
    """By much for few, by less for more, by nothing for endless ones."""
    gaps = {}
    for samples in (5, 20, 100):
        rng = np.random.default_rng(samples)
        paths = [sampled_steps(world, w, 40.0, 50, samples, rng) for _, w in proxies]
        gaps[samples] = [np.subtract(*path.at(20.0)) for path in paths]
    means = {samples: np.mean(values) for samples, values in gaps.items()}
    assert all(means[samples] < -4 * standard_error(gaps[samples]) for samples in gaps)
    assert means[5] < means[20] < means[100] < 0
    exact = sampled_steps(world, proxies[0][1], 40.0, 50, None, np.random.default_rng(1))
    assert np.abs(exact.steps - exact.tilts).max() < 1e-10
    assert exact.kl == pytest.approx(40.0 * (np.arange(1, 51) / 50) ** 2), (
        "grows as the square of equal steps"
    )


def test_the_share_of_divergence_that_noise_wastes(world) -> None:
    """Linear gold along the proxy itself shows the direction: its square falls by d / (d + samples in all)."""
    linear = World(curved_share=0.0)
    rng, steps, samples = np.random.default_rng(3), 50, 20
    paths = [sampled_steps(linear, linear.theta, 30.0, steps, samples, rng) for _ in range(20)]
    kept = [(path.steps[-1] / path.tilts[-1]) ** 2 for path in paths]
    expected = 1 - linear.dimensions / (linear.dimensions + steps * samples)
    assert np.mean(kept) == pytest.approx(expected, abs=4 * standard_error(kept) + 0.01)


def test_gradients_from_few_samples_are_unbiased(world) -> None:
    linear = World(curved_share=0.0)
    rng = np.random.default_rng(4)
    gold = [sampled_steps(linear, linear.theta, 30.0, 50, 5, rng).steps[-1] for _ in range(20)]
    assert 4 * standard_error(gold) < 0.15 * np.sqrt(60)
    assert np.mean(gold) == pytest.approx(np.sqrt(60), abs=4 * standard_error(gold))


def test_a_penalty_does_not_mend_noise(world) -> None:
    """At as many samples it averages them unequally; without noise it changes nothing."""
    linear = World(curved_share=0.0)

    def kept(penalty, samples, seed):
        path = sampled_steps(
            linear, linear.theta, 30.0, 50, samples, np.random.default_rng(seed), penalty
        )
        return path.steps[-1] / path.tilts[-1]

    lost = [kept(0.0, 20, seed) - kept(0.08, 20, seed) for seed in range(12)]
    assert np.mean(lost) > 4 * standard_error(lost)
    assert kept(0.08, None, 1) == pytest.approx(1.0, abs=1e-10)


# ---------------------------------------------------------------------------------- a narrow policy


def test_a_policy_without_the_reward_s_features_loses_by_local_steps(world) -> None:
    """The penalised optimum of the family is the better at equal divergence, by definition; here by about a per cent."""
    paths = narrow_steps(world, 60.0, 2000)
    assert paths.kl[-1] == pytest.approx(60.0, rel=0.1)
    assert (paths.steps <= paths.tilts + 1e-12).all()
    steps, tilts = paths.at(20.0)
    assert 0.002 < 1 - steps / tilts < 0.05


def test_both_paths_are_those_of_early_stopping_and_of_ridge_regression(world) -> None:
    theta, q = world.theta, np.maximum(world.curvature, 1e-12)
    found = brentq(lambda t: np.sum((theta * t / (1 + q * t)) ** 2) / 2 - 60, 1, 1e3)
    stopped = theta * -np.expm1(-q * found) / q
    paths = narrow_steps(world, 60.0, 4000)
    assert paths.kl[-1] == pytest.approx(stopped @ stopped / 2, rel=1e-4)
    assert paths.steps[-1] == pytest.approx(world.expected_gold(stopped), rel=1e-4)
    strength = brentq(lambda t: np.sum((theta * t / (1 + q * t)) ** 2) / 2 - paths.kl[-1], 1, 1e3)
    assert paths.tilts[-1] == pytest.approx(
        world.expected_gold(theta * strength / (1 + q * strength)), rel=1e-9
    )


def test_the_loss_is_not_that_of_coarse_steps(world) -> None:
    """It stays as steps become finer."""
    gaps = [np.subtract(*narrow_steps(world, 60.0, steps).at(20.0)) for steps in (1000, 4000)]
    assert gaps[0] == pytest.approx(gaps[1], rel=0.02)


def test_features_that_span_the_reward_make_the_paths_one(world) -> None:
    paths = narrow_steps(world, 60.0, 300, spanning=True)
    assert paths.kl[-1] == pytest.approx(60.0)
    assert np.abs(paths.steps - paths.tilts).max() < 1e-10


def test_curvature_alike_in_every_feature_of_taste_leaves_one_path() -> None:
    """Without curvature both paths follow theta."""
    paths = narrow_steps(World(curved_share=0.0), 60.0, 50)
    assert np.abs(paths.steps - paths.tilts).max() < 1e-10


# ------------------------------------------------------------------------------- a relearned reward


def test_a_reward_relearned_on_the_way_gains_gold_far_out_and_costs_some_near(
    world, proxies
) -> None:
    found = [relearned_steps(world, draws, 110.0, 8) for draws, _ in proxies]
    far = [np.subtract(*path.at(50.0)) for path in found]
    near = [np.subtract(*path.at(5.0)) for path in found]
    assert np.mean(far) > 4 * standard_error(far)
    assert np.mean(near) < -4 * standard_error(near)
    assert np.mean([path.steps.max() - path.tilts.max() for path in found]) > 0.3


def test_one_round_is_the_tilt_by_the_first_proxy(world, proxies) -> None:
    draws, _ = proxies[0]
    paths = relearned_steps(world, draws, 80.0, 1)
    assert paths.kl == pytest.approx([80.0])
    assert np.abs(paths.steps - paths.tilts).max() < 1e-10


# ----------------------------------------------------------------------------------------- mistakes


def test_paths_are_not_read_beyond_their_end(world) -> None:
    paths = narrow_steps(world, 10.0, 20)
    assert paths.at(0.0) == (0.0, 0.0)
    for nats in (-1.0, 50.0, np.nan):
        with pytest.raises(InputError, match="nats: must lie between 0 and"):
            paths.at(nats)


def test_steps_without_meaning_are_refused(world, proxies) -> None:
    draws, weights = proxies[0]
    rng = np.random.default_rng(1)
    for ask, told in (
        (
            lambda: sampled_steps(world, weights, 1.0, 0, None, rng),
            "steps: must be at least 1, got 0",
        ),
        (
            lambda: sampled_steps(world, weights, 1.0, 5, 1, rng),
            "samples: must be at least 2, got 1",
        ),
        (lambda: sampled_steps(world, weights, 1.0, 5, 9, rng, 1.0), "penalty: must lie in"),
        (lambda: narrow_steps(world, 1.0, 0), "steps: must be at least 1, got 0"),
        (lambda: relearned_steps(world, draws, 1.0, 0), "rounds: must be at least 1, got 0"),
        (lambda: relearned_steps(world, draws[:3], 1.0, 4), "labels: must be at least 4, got 3"),
    ):
        with pytest.raises(InputError, match=told):
            ask()
