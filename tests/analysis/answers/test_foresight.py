"""Expected contraction and value of sample information against closed forms of normal models."""

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm

from aligntax.analysis.answers.foresight import (
    Expected,
    gained,
    narrowed,
    narrowed_by_refits,
    refitted_value,
    sample_value,
    updated,
    widths,
)
from aligntax.analysis.summaries.summary import censored_quantiles
from aligntax.analysis.summaries.weights import Weights

CHAINS, DRAWS, SIMULATIONS = 4, 2500, 200
SIZE = CHAINS * DRAWS
WEIGHTS = Weights.equal((CHAINS, DRAWS))
NOW = WEIGHTS.values.ravel()
POSTERIOR_SD = 0.8
ROW_SD = np.hypot(0.5, 1.2)  # standard error of a study, and the fixed spread between studies


def normal_draws(seed: int) -> np.ndarray:
    """Normal draws, one in each part of the distribution, in a random order."""
    rng = np.random.default_rng(seed)
    return ndtri((rng.permutation(SIZE) + rng.uniform(size=SIZE)) / SIZE)


def simulated(mean: np.ndarray, sd: float, seed: int, wrong: float = 1.0) -> np.ndarray:
    """Log densities (simulation, draw) of one figure a simulation about the mean of each draw."""
    rng = np.random.default_rng(seed)
    truth = mean[WEIGHTS.resampled(SIMULATIONS)]
    y = truth + sd * rng.standard_normal(SIMULATIONS)
    return -0.5 * ((y[:, None] - mean) / (wrong * sd)) ** 2


def weighed(log_density: np.ndarray) -> np.ndarray:
    then = updated(log_density, WEIGHTS, 1.0)
    assert then.trusted.mean() > 0.9
    return then.weights


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_contraction_of_a_meta_analysis_is_the_conjugate_one(rows: int) -> None:
    theta = POSTERIOR_SD * normal_draws(1)
    sd = ROW_SD / np.sqrt(rows)  # of the mean of so many studies, which is sufficient
    found = narrowed(theta, NOW, weighed(simulated(theta, sd, 2)))
    assert found is not None
    after = 1.0 / np.sqrt(POSTERIOR_SD**-2 + sd**-2)
    expected = 1.0 - after / POSTERIOR_SD
    assert found.contraction.value == pytest.approx(expected, abs=0.02)
    assert abs(found.contraction.value - expected) < 3.5 * found.contraction.error
    assert found.now == pytest.approx(2 * norm.ppf(0.95) * POSTERIOR_SD, rel=0.01)
    assert found.width.value == pytest.approx(2 * norm.ppf(0.95) * after, rel=0.02)


def test_contraction_of_a_trend_is_the_conjugate_one() -> None:
    dates, sd, asked = np.asarray([1.0, 2.0, 3.0]), 0.7, 6.0
    prior = np.asarray([[0.5, -0.1], [-0.1, 0.05]])
    draws = np.stack([normal_draws(3), normal_draws(4)]).T @ np.linalg.cholesky(prior).T
    design = np.stack([np.ones(3), dates], axis=1)
    mean = draws @ design.T
    rng = np.random.default_rng(5)
    truth = mean[WEIGHTS.resampled(SIMULATIONS)]
    y = truth + sd * rng.standard_normal(truth.shape)
    log_density = -0.5 * (((y[:, None] - mean) / sd) ** 2).sum(axis=-1)
    at = np.asarray([1.0, asked])
    found = narrowed(draws @ at, NOW, weighed(log_density))
    assert found is not None
    after = np.linalg.inv(np.linalg.inv(prior) + design.T @ design / sd**2)
    expected = 1.0 - np.sqrt(at @ after @ at / (at @ prior @ at))
    assert found.contraction.value == pytest.approx(expected, abs=0.02)


def test_a_wrong_error_of_the_rows_is_seen() -> None:
    """Negative control: the same check fails where weights take the rows for twice as sure."""
    theta = POSTERIOR_SD * normal_draws(1)
    right = 1.0 - 1.0 / np.sqrt(1.0 + (POSTERIOR_SD / ROW_SD) ** 2)
    found = narrowed(theta, NOW, weighed(simulated(theta, ROW_SD, 2, wrong=0.5)))
    assert found is not None
    assert abs(found.contraction.value - right) > 0.1


def test_evidence_that_bears_on_nothing_narrows_nothing() -> None:
    theta, other = normal_draws(6), normal_draws(7)
    then = weighed(simulated(other, 1.0, 8))
    found = narrowed(theta, NOW, then)
    assert found is not None
    assert not found.contraction.clear
    assert not sample_value(two_actions(theta), NOW, then).clear
    flat = updated(np.zeros((3, SIZE)), WEIGHTS, 1.0)
    assert sample_value(two_actions(theta), NOW, flat.weights).value == 0.0


def two_actions(theta: np.ndarray) -> np.ndarray:
    """Losses of doing nothing, and of an act that gains ``theta - 0.3``."""
    return np.stack([np.zeros(len(theta)), 0.3 - theta], axis=-1)


def normal_gain(mean: float, sd: float) -> float:
    """Expected ``max(0, m)`` of a normal mean to come."""
    return float(mean * norm.cdf(mean / sd) + sd * norm.pdf(mean / sd))


def test_value_of_two_actions_is_the_unit_normal_loss_and_rises_with_rows() -> None:
    theta = normal_draws(9)
    perfect = normal_gain(-0.3, 1.0)
    values = []
    for rows in (1, 3, 10):
        sd = 2.0 / np.sqrt(rows)
        found = sample_value(two_actions(theta), NOW, weighed(simulated(theta, sd, 10)))
        moved = np.sqrt(1.0 - 1.0 / (1.0 + sd**-2))  # sd of the posterior mean to come
        assert abs(found.value - normal_gain(-0.3, moved)) < 3.5 * found.error
        assert 0 < found.error < 0.25 * perfect
        assert 0 < found.value < perfect
        values.append(found.value)
    assert values == sorted(values)


def test_half_of_the_value_is_judged_by_draws_that_did_not_choose() -> None:
    """By hand: 32 draws in 16 parts, three actions, two data sets."""
    rng = np.random.default_rng(21)
    loss, now = rng.standard_normal((32, 3)), np.full(32, 1 / 32)
    then = rng.dirichlet(np.ones(32), 2)
    expected = []
    for weights in then:
        gain = (now @ loss).argmin(), (weights @ loss).argmin()
        chosen = weights @ loss[:, gain[0]] - weights @ loss[:, gain[1]]
        judged = 0.0
        for part in np.split(np.arange(32), 16):
            rest = np.setdiff1d(np.arange(32), part)
            blind = (now[rest] @ loss[rest]).argmin()
            best = (weights[rest] @ loss[rest]).argmin()
            judged += weights[part] @ (loss[part, blind] - loss[part, best])
        expected.append(0.5 * (chosen + judged))
    assert sample_value(loss, now, then).value == pytest.approx(np.mean(expected))


def test_what_refits_gain_is_counted_from_refits_without_rows() -> None:
    found = gained([3.0, 5.0], [1.0, 2.0])
    assert found.value == 2.5
    assert found.error == pytest.approx(np.hypot(1.0, 0.5))


def test_value_of_a_refit_is_that_of_its_own_draws() -> None:
    theta = 0.5 + 0.01 * normal_draws(11)
    assert refitted_value(two_actions(theta), 0) == pytest.approx(0.2, abs=1e-3)
    assert refitted_value(two_actions(theta), 1) == pytest.approx(0.0, abs=1e-12)


def test_weights_that_rest_on_few_draws_are_not_trusted() -> None:
    theta = normal_draws(12)
    assert not updated(simulated(theta, 0.01, 13), WEIGHTS, 1.0).trusted.any()


def test_widths_are_those_of_the_quantiles_that_are_reported() -> None:
    rng = np.random.default_rng(14)
    values = rng.normal(size=400)
    weights = rng.uniform(0.5, 1.5, size=(2, 400))
    weights /= weights.sum(axis=1, keepdims=True)
    for w, width in zip(weights, widths(values, weights), strict=True):
        low, high = censored_quantiles(values, (0.05, 0.95), w)
        assert width == pytest.approx(high - low, abs=2e-3)


def test_an_interval_that_ends_in_censored_mass_has_no_width() -> None:
    values = np.where(np.arange(400) < 40, np.inf, np.arange(400.0))
    equal = np.full((1, 400), 1 / 400)
    assert not np.isfinite(widths(values, equal)[0])
    assert np.isfinite(widths(values, equal, (0.25, 0.75))[0])
    assert narrowed(values, equal[0], equal) is None
    undefined = np.where(np.isinf(values), np.nan, values)
    assert np.isfinite(widths(undefined, equal)[0])


def test_what_fewer_draws_do_to_a_width_cancels_between_refits() -> None:
    found = narrowed_by_refits(4.0, [3.8, 3.6], [3.33, 3.33])  # refits have shorter intervals
    assert found is not None
    assert found.contraction.value == pytest.approx(0.1)
    assert found.contraction.error == pytest.approx(0.1 / 3.7)
    assert found.width.value == pytest.approx(3.6)
    assert narrowed_by_refits(4.0, [3.8, 3.6], [3.3, np.inf]) is None


def test_errors_of_simulations_and_of_draws_add_up() -> None:
    alone = Expected.of([1.0, 2.0, 3.0])
    assert alone.value == 2.0
    assert alone.error == pytest.approx(1.0 / np.sqrt(3))
    both = Expected.of([1.0, 2.0, 3.0], [1.9, 2.1])
    assert both.error == pytest.approx(np.hypot(alone.error, 0.1))
    assert Expected.of([2.0]).error == 0.0
