"""Pareto-smoothed weights: ArviZ's numbers, a known distribution, ties and bounded tails."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.analysis.summaries.pareto import (
    k_hat_limit,
    pareto_fit,
    pareto_quantile,
    pareto_smoothed,
    shared_among_ties,
    tail_length,
    tied_at_the_top,
)
from aligntax.analysis.summaries.weights import Weights


@given(
    seed=st.integers(0, 2**32 - 1),
    draws=st.integers(13, 3000),
    degrees=st.floats(0.5, 30.0),
    relative=st.floats(0.3, 1.5),
)
def test_weights_and_k_hat_are_arvizs(seed, draws, degrees, relative):
    log_ratio = np.log(stats.t.rvs(degrees, size=(2, draws), random_state=seed) ** 2)
    weights, k_hat = pareto_smoothed(log_ratio, relative)
    with np.errstate(all="ignore"):
        theirs, shape = array_stats.psislw(-log_ratio.ravel(), r_eff=relative)
    assert k_hat == pytest.approx(float(shape), rel=1e-9, abs=1e-12, nan_ok=True)
    np.testing.assert_allclose(weights.values.ravel(), np.exp(theirs), rtol=1e-8, atol=1e-300)


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4, 0.9])
def test_the_fit_finds_the_shape_and_scale_of_its_distribution(shape):
    excess = np.sort(stats.genpareto.rvs(shape, scale=2.0, size=100_000, random_state=1))
    found = pareto_fit(excess)
    assert found == pytest.approx((shape, 2.0), abs=0.03)
    p = np.array([0.01, 0.5, 0.999])
    expected = stats.genpareto.ppf(p, shape, scale=2.0)
    np.testing.assert_allclose(pareto_quantile(p, shape, 2.0), expected, rtol=1e-12)


def test_ratios_in_single_precision_are_weighed_in_double():
    log_ratio = np.random.default_rng(4).normal(size=(4, 1000)).astype(np.float32)
    single, double = (pareto_smoothed(each, 1.0) for each in (log_ratio, log_ratio.astype(float)))
    assert single[1] == double[1]
    np.testing.assert_array_equal(single[0].values, double[0].values)


def test_a_tail_beyond_all_numbers_is_not_trusted_and_its_weights_are_finite():
    log_ratio = np.linspace(0.0, 1.0, 4000) ** 60 * 700.0
    weights, k_hat = pareto_smoothed(log_ratio.reshape(4, 1000), 1.0)
    assert k_hat > 10.0
    assert np.isfinite(weights.values).all() and weights.values.sum() == pytest.approx(1.0)


def test_a_tail_half_of_which_is_one_number_has_no_pareto_distribution():
    log_ratio = np.sort(np.random.default_rng(2).normal(size=4000))
    length = tail_length(4000, 1.0)
    log_ratio[-length - 1 : -length // 2] = log_ratio[-length // 2]
    weights, k_hat = pareto_smoothed(log_ratio.reshape(4, 1000), 1.0)
    assert np.isnan(k_hat) and not k_hat <= k_hat_limit(4000)
    expected = Weights.of_log(log_ratio.reshape(4, 1000)).values
    np.testing.assert_allclose(weights.values, expected, rtol=1e-12)


def test_bounded_weights_need_no_smoothing():
    """A uniform cut to its half: the ratio is 2 or 0, so there is no tail, where ArviZ stops."""
    x = np.random.default_rng(8).uniform(size=(4, 1000))
    weights, k_hat = pareto_smoothed(np.where(x < 0.5, np.log(2.0), -30.0), 1.0)
    assert k_hat == 0.0
    assert weights.mean(x) == pytest.approx(x[x < 0.5].mean(), abs=1e-9)


@pytest.mark.parametrize("draws", [40, 400, 4000])
@pytest.mark.parametrize("relative", [0.3, 1.0, 1.6])
def test_a_tail_is_constant_where_arviz_can_fit_no_pareto(draws, relative):
    """With as many equal largest ratios as the tail has draws ArviZ raises; with one fewer it does not."""
    length = tail_length(draws, relative)
    log_ratio = np.sort(np.random.default_rng(10).normal(size=draws))
    flat, almost = log_ratio.copy(), log_ratio.copy()
    flat[draws - length :] = log_ratio[-1]
    almost[draws - length + 1 :] = log_ratio[-1]
    with pytest.raises(ValueError):
        array_stats.psislw(-flat, r_eff=relative)
    array_stats.psislw(-almost, r_eff=relative)
    assert tied_at_the_top(flat) == length == tied_at_the_top(almost) + 1
    weights, k_hat = pareto_smoothed(flat.reshape(2, -1), relative)
    assert k_hat == 0.0
    np.testing.assert_array_equal(weights.values, Weights.of_log(flat.reshape(2, -1)).values)


@pytest.mark.parametrize(
    ("draws", "limit"), [(100, 0.5), (1000, 2 / 3), (2154, 0.7), (4000, 0.7), (10**6, 0.7)]
)
def test_the_limit_of_k_hat_grows_with_the_draws_up_to_seven_tenths(draws, limit):
    assert k_hat_limit(draws) == pytest.approx(limit, abs=1e-4)


def test_heavy_weights_have_a_large_k_hat():
    """Cauchy from normal draws: the ratio has no variance."""
    x = np.random.default_rng(9).normal(size=(4, 1000))
    weights, k_hat = pareto_smoothed(stats.cauchy.logpdf(x) - stats.norm.logpdf(x), 1.0)
    assert k_hat > 0.7
    light, k_light = pareto_smoothed(stats.norm.logpdf(x, 0.2, 0.9) - stats.norm.logpdf(x), 1.0)
    assert k_light < 0.5 and light.ess > weights.ess


def test_draws_of_the_same_ratio_count_the_same_and_none_is_lost() -> None:
    """A chain keeps a draw twice; smoothing alone would rank the two, by the accident of a sort."""
    x = np.repeat(np.random.default_rng(5).normal(size=(1, 1000)), 2, axis=1)
    ratio = stats.cauchy.logpdf(x) - stats.norm.logpdf(x)
    weights, _ = pareto_smoothed(ratio + np.tile([0.0, 1e-13], 1000), 1.0)
    np.testing.assert_array_equal(weights.values[:, ::2], weights.values[:, 1::2])
    assert weights.values.sum() == pytest.approx(1.0)
    distinct = np.array([[0.0, 1.0, 2.0]])
    shares = np.array([[0.2, 0.3, 0.5]])
    np.testing.assert_array_equal(shared_among_ties(distinct, shares), shares)
    tied = shared_among_ties(np.array([[1.0, 0.0, 1.0]]), shares)
    np.testing.assert_allclose(tied, [[0.35, 0.3, 0.35]])
