"""The simulated world: its closed forms, and that in it over-optimisation looks as Gao, Schulman and Hilton (2022) found."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize
from scipy.special import expit

from aligntax.models.errors import InputError
from aligntax.models.overoptimization.policies import (
    Gaussian,
    Quadratic,
    best_of_n_kl,
    kl_of_gaussians,
    tilt_gaussian,
)
from aligntax.models.overoptimization.proxy_rewards import (
    World,
    accuracy,
    best_of_n_outputs,
    best_of_n_rewards,
    compare,
    draw_comparisons,
    learn,
    peak,
    tilted_outputs,
    tilted_rewards,
)

LABELS = (10, 100, 300, 1000, 3000, 10_000)
REPLICATES = 6
KL = np.linspace(0, 400, 4001)
N = np.array([1, 2, 5, 20, 100, 1000, 10_000, 100_000])


@dataclass(frozen=True)
class Studied:
    """Averages over proxies of one label count."""

    weights: list
    accuracy: float
    peak_kl: float
    peak_gold: float


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def fresh(world):
    return compare(world, draw_comparisons(world, 10_000, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def studied(world, fresh) -> dict[int, Studied]:
    rng, found = np.random.default_rng(1), {}
    for count in LABELS:
        weights = [
            learn(compare(world, draw_comparisons(world, count, rng))) for _ in range(REPLICATES)
        ]
        kls, golds = zip(*(peak(world, w) for w in weights), strict=True)
        right = np.mean([accuracy(w, fresh) for w in weights])
        found[count] = Studied(weights, float(right), float(np.mean(kls)), float(np.mean(golds)))
    return found


# ---------------------------------------------------------------------------------------- the world


@pytest.mark.parametrize("curved_share", [0.0, 0.3, 2 / 3])
def test_gold_has_mean_zero_and_variance_one_at_the_start(curved_share) -> None:
    world = World(curved_share=curved_share)
    assert world.theta @ world.theta == pytest.approx(1 - curved_share)
    assert world.curvature @ world.curvature / 2 == pytest.approx(curved_share)
    gold = world.gold(np.random.default_rng(2).standard_normal((40_000, world.dimensions)))
    assert gold.mean() == pytest.approx(0, abs=4 / 200)
    assert gold.var() == pytest.approx(1, abs=0.04)
    assert world.expected_gold(np.zeros(world.dimensions)) == 0.0


def test_expected_gold_is_gold_s_mean(world) -> None:
    rng = np.random.default_rng(3)
    mean, variance = rng.normal(size=200), rng.uniform(0.2, 2, 200)
    gold = world.gold(mean + np.sqrt(variance) * rng.standard_normal((20_000, 200)))
    assert world.expected_gold(mean, variance) == pytest.approx(
        gold.mean(), abs=4 * gold.std() / np.sqrt(20_000)
    )


def test_two_labellers_agree_as_often_as_people_do(world) -> None:
    """72 to 77%: Stiennon et al. 2020, InstructGPT."""
    draws = draw_comparisons(world, 20_000, np.random.default_rng(4))
    again = draws.__class__(draws.outputs, np.random.default_rng(5).random(20_000))
    agree = np.mean(compare(world, draws).first == compare(world, again).first)
    assert 0.72 <= agree <= 0.77


def test_labels_follow_bradley_and_terry(world) -> None:
    draws = draw_comparisons(world, 20_000, np.random.default_rng(6))
    gap = world.gold(draws.outputs[:, 0]) - world.gold(draws.outputs[:, 1])
    first = compare(world, draws).first
    for low, high in ((-4, -1), (-1, -0.2), (-0.2, 0.2), (0.2, 1), (1, 4)):
        here = (gap > low) & (gap < high)
        p = expit(world.label_scale * gap[here])
        assert first[here].mean() == pytest.approx(
            p.mean(), abs=4.5 * np.sqrt((p * (1 - p)).sum()) / here.sum()
        )


@pytest.mark.parametrize(
    "change",
    [{"dimensions": 1}, {"curved_share": 1.0}, {"curved_share": -0.1}, {"label_scale": 0.0}],
)
def test_worlds_without_meaning_are_refused(change) -> None:
    with pytest.raises(InputError, match=f"{next(iter(change))}: must be"):
        World(**change)


# ---------------------------------------------------------------------------------------- the proxy


@pytest.mark.parametrize("count", [8, 60, 500])
def test_the_proxy_maximises_the_penalised_likelihood(count) -> None:
    world = World(dimensions=12)
    comparisons = compare(world, draw_comparisons(world, count, np.random.default_rng(count)))
    signed = np.where(comparisons.first, 1, -1)[:, None] * comparisons.difference

    def loss(w):
        return np.logaddexp(0, -signed @ w).sum() + 12 * w @ w / 2

    def slope(w):
        return -signed.T @ expit(-signed @ w) + 12 * w

    assert check_grad(loss, slope, np.ones(12)) < 1e-4
    got = learn(comparisons)
    assert np.abs(slope(got)).max() < 1e-8
    assert got == pytest.approx(minimize(loss, np.zeros(12), jac=slope, tol=1e-10).x, abs=1e-5)


def test_the_order_in_which_outputs_are_shown_does_not_matter(world) -> None:
    comparisons = compare(world, draw_comparisons(world, 200, np.random.default_rng(7)))
    turned = type(comparisons)(-comparisons.difference, ~comparisons.first)
    assert learn(turned) == pytest.approx(learn(comparisons), abs=1e-12)


def test_few_labels_are_near_chance_and_many_near_the_best_of_the_class(
    world, fresh, studied
) -> None:
    """What a linear proxy can know at best is theta; labels are noisy besides."""
    best = accuracy(world.theta, fresh)
    assert studied[10].accuracy < 0.53
    assert studied[10_000].accuracy > best - 0.02
    rising = [studied[count].accuracy for count in LABELS]
    assert (np.diff(rising) > 0).all()
    assert 0.64 < best < 0.72


# ----------------------------------------------------------------------------------- exact policies


@pytest.mark.parametrize("beta", [0.1, 0.5, 3.0])
def test_tilted_gold_is_that_of_the_general_gaussian_tilt(beta) -> None:
    world = World(dimensions=9)
    rng = np.random.default_rng(8)
    weights, start = rng.normal(size=9), Gaussian(np.zeros(9), np.eye(9))
    policy, _ = tilt_gaussian(start, Quadratic(weights, np.zeros((9, 9))), beta)
    kl = kl_of_gaussians(policy, start)
    gold, proxy = tilted_rewards(world, weights, kl)
    constant = world.curvature.sum() / 2
    assert gold == pytest.approx(
        Quadratic(world.theta, np.diag(world.curvature)).expected(policy) + constant, abs=1e-10
    )
    assert proxy == pytest.approx(policy.mean @ weights / np.linalg.norm(weights), abs=1e-10)


@pytest.mark.parametrize("dimensions", [2, 200])
def test_sampled_outputs_have_the_gold_and_proxy_that_the_formulas_say(dimensions) -> None:
    """In few features, where gold is sharply curved, the spread of the best of n counts too."""
    rng = np.random.default_rng(12)
    world, count = World(dimensions=dimensions), 4_000_000 // max(dimensions, 20)
    weights = world.theta + 0.05 * rng.standard_normal(dimensions)
    u = weights / np.linalg.norm(weights)
    made = [
        (tilted_rewards(world, weights, kl), tilted_outputs(world, weights, kl, count, rng))
        for kl in (1, 60)
    ]
    made += [
        (best_of_n_rewards(world, weights, n), best_of_n_outputs(world, weights, n, count, rng))
        for n in (2, 60_000)
    ]
    for expected, outputs in made:
        for value, sample in zip(expected, (world.gold(outputs), outputs @ u), strict=True):
            assert value == pytest.approx(sample.mean(), abs=4 * sample.std() / np.sqrt(count))


def test_the_best_of_n_is_what_choosing_among_n_gives(world, studied) -> None:
    weights, rng = studied[1000].weights[0], np.random.default_rng(10)
    outputs = rng.standard_normal((1500, 16, 200))
    best = outputs[np.arange(1500), (outputs @ weights).argmax(axis=1)]
    gold = world.gold(best)
    assert best_of_n_rewards(world, weights, 16)[0] == pytest.approx(
        gold.mean(), abs=4 * gold.std() / np.sqrt(1500)
    )


def test_the_curve_of_a_tilt_has_the_form_that_gao_et_al_found_for_the_best_of_n(
    world, studied
) -> None:
    """``d (alpha - beta d)`` exactly; the best of n nearly, with a little less gain a nat."""
    for weights in studied[300].weights:
        u = weights / np.linalg.norm(weights)
        alpha, beta, d = np.sqrt(2) * world.theta @ u, world.curvature @ u**2, np.sqrt(KL)
        assert tilted_rewards(world, weights, KL)[0] == pytest.approx(
            d * (alpha - beta * d), abs=1e-10
        )
        at, top = peak(world, weights)
        assert at == pytest.approx((alpha / (2 * beta)) ** 2) and top == pytest.approx(
            alpha**2 / (4 * beta)
        )


def test_a_tilt_gains_more_proxy_reward_a_nat_than_the_best_of_n(world, studied) -> None:
    """Unlike PPO in Gao et al., which spends far more KL than best-of-n."""
    weights = studied[300].weights[0]
    tilted = tilted_rewards(world, weights, best_of_n_kl(N))[1]
    best = best_of_n_rewards(world, weights, N)[1]
    assert (tilted[1:] > best[1:]).all() and (best[1:] > 0.8 * tilted[1:]).all()


# ----------------------------------------------------------------- what Gao, Schulman, Hilton found


@pytest.mark.parametrize("count", LABELS[1:])
def test_gold_rises_then_falls_while_the_proxy_keeps_rising(world, studied, count) -> None:
    for weights in studied[count].weights:
        gold, proxy = tilted_rewards(world, weights, KL)
        top = gold.argmax()
        assert 0 < top < len(KL) - 1
        assert (np.diff(gold[: top + 1]) > 0).all() and (np.diff(gold[top:]) < 0).all()
        assert (np.diff(proxy) > 0).all()
        assert KL[top] == pytest.approx(peak(world, weights)[0], abs=0.11)


def test_the_best_of_n_too_can_choose_too_well(world, studied) -> None:
    """Proxies of few labels, within the n that people use."""
    gold, proxy = best_of_n_rewards(world, studied[10].weights[0], N)
    mean = np.mean([best_of_n_rewards(world, w, N)[0] for w in studied[100].weights], axis=0)
    assert gold[-1] < gold.max() and (np.diff(proxy) > 0).all()
    assert mean[-1] < mean.max() > 0


def test_more_labels_move_the_peak_out_and_up_and_it_saturates(studied, world) -> None:
    kls, golds = (
        [getattr(studied[count], what) for count in LABELS[1:]] for what in ("peak_kl", "peak_gold")
    )
    assert (np.diff(kls) > 0).all() and (np.diff(golds) > 0).all()
    limit, _ = peak(world, world.theta)
    assert 1 < kls[0] < kls[-1] < limit < 100
    assert kls[-1] / kls[-2] < kls[2] / kls[1]


@pytest.mark.parametrize("count", [100, 1000])
def test_linear_gold_never_falls(count) -> None:
    """Negative control: a world that the proxy's class can express."""
    world = World(curved_share=0.0)
    rng = np.random.default_rng(count)
    for _ in range(4):
        weights = learn(compare(world, draw_comparisons(world, count, rng)))
        gold, _ = tilted_rewards(world, weights, KL)
        assert (np.diff(gold) > 0).all()
        assert (np.diff(best_of_n_rewards(world, weights, N)[0]) > 0).all()
        assert peak(world, weights) == (np.inf, np.inf)


def test_a_proxy_worse_than_chance_has_its_peak_at_the_start(world) -> None:
    assert peak(world, -world.theta) == (0.0, 0.0)
    assert (np.diff(tilted_rewards(world, -world.theta, KL)[0]) < 0).all()
