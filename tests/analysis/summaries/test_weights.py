"""Weighted draws: analytic truths, invariances and a chain with known autocorrelation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.analysis.summaries.summary import censored_quantile
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.errors import InputError


def test_equal_weights_are_plain_averages():
    rng = np.random.default_rng(1)
    h = rng.normal(size=(4, 1000))
    weights = Weights.equal((4, 1000))
    assert weights.mean(h) == pytest.approx(h.mean(), abs=1e-12)
    assert weights.ess == pytest.approx(4000)
    assert weights.probability(h < np.inf) == 1.0
    assert weights.mcse(h) == pytest.approx(1 / np.sqrt(4000), rel=0.2)
    assert weights.effective(h) == pytest.approx(4000, rel=0.35)


def test_weights_from_logs_forget_a_constant_and_do_not_overflow():
    log = np.asarray([[0.0, 1.0], [2.0, -700.0]])
    np.testing.assert_allclose(
        Weights.of_log(log).values, Weights.of_log(log + 5000.0).values, rtol=1e-12
    )


def test_kish_size_of_a_few_heavy_draws():
    values = np.zeros((2, 50))
    values[0, :4] = 0.25
    assert Weights(values).ess == pytest.approx(4.0)


def test_importance_weights_turn_one_normal_into_another():
    """Normal(0, 1) draws weighted to Normal(0.5, 0.8): mean, sd and quantiles are those of the target within its errors."""
    x = np.random.default_rng(2).normal(size=(4, 20_000))
    weights = Weights.of_log(stats.norm.logpdf(x, 0.5, 0.8) - stats.norm.logpdf(x))
    assert weights.mean(x) == pytest.approx(0.5, abs=4 * weights.mcse(x))
    assert np.sqrt(weights.mean(x**2) - weights.mean(x) ** 2) == pytest.approx(0.8, abs=0.01)
    for p in (0.05, 0.5, 0.95):
        assert censored_quantile(x.ravel(), p, weights.values.ravel()) == pytest.approx(
            stats.norm.ppf(p, 0.5, 0.8), abs=0.03
        )


def test_batch_means_see_autocorrelation():
    """AR(1) with coefficient r has an effective size of n (1 - r) / (1 + r)."""
    rng, r, shape = np.random.default_rng(3), 0.8, (8, 20_000)
    x, noise = np.empty(shape), rng.normal(size=shape)
    x[:, 0] = noise[:, 0] / np.sqrt(1 - r**2)
    for i in range(1, shape[1]):
        x[:, i] = r * x[:, i - 1] + noise[:, i]
    expected = x.size * (1 - r) / (1 + r)
    assert Weights.equal(shape).effective(x) == pytest.approx(expected, rel=0.25)
    # negative control: independent draws count in full
    assert Weights.equal(shape).effective(noise) > 3 * expected


def test_a_condition_is_a_weight():
    x = np.arange(12.0).reshape(3, 4)
    among = Weights.equal((3, 4)).given(x >= 6)
    assert among.mean(x) == pytest.approx(8.5) and among.ess == pytest.approx(6)
    with pytest.raises(InputError, match="got none of them"):
        among.given(x < 6)


def test_resampling_repeats_draws_in_proportion():
    values = np.asarray([[0.5, 0.25], [0.25, 0.0]])
    counts = np.bincount(Weights(values).resampled(400), minlength=4)
    assert counts.tolist() == [200, 100, 100, 0]
    assert Weights.equal((2, 3)).resampled().tolist() == list(range(6))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.floats(0.0, 1.0))
def test_equally_weighted_quantile_is_numpys(values, p):
    x = np.asarray(values)
    share = np.full(len(x), 1 / len(x))
    expected = np.quantile(x, p)
    scale = 1e-9 * (1 + np.abs(x).max())
    assert censored_quantile(x, p) == pytest.approx(expected, abs=scale)
    assert censored_quantile(x, p, share) == pytest.approx(expected, abs=1e3 * scale)


@given(
    st.lists(st.integers(-1000, 1000), min_size=3, max_size=30, unique=True),
    st.floats(0.0, 1.0),
    st.randoms(),
)
def test_weighted_quantile_is_monotone_symmetric_and_blind_to_order(values, p, random):
    x = np.asarray(values, dtype=float)  # without ties, which share a value and not a place
    w = np.asarray([random.uniform(0.1, 1.0) for _ in values])
    w /= w.sum()
    q = censored_quantile(x, p, w)
    assert x.min() <= q <= x.max()
    assert censored_quantile(x, min(1.0, p + 0.1), w) >= q - 1e-9
    assert -censored_quantile(-x, 1.0 - p, w) == pytest.approx(q, abs=1e-4)
    order = np.argsort(w)
    assert censored_quantile(x[order], p, w[order]) == pytest.approx(q, abs=1e-6)


def test_weighted_quantile_inside_censored_mass_is_infinite():
    x = np.asarray([1.0, 2.0, np.inf])
    assert censored_quantile(x, 0.9, np.asarray([0.2, 0.2, 0.6])) == np.inf
    assert censored_quantile(x, 0.3, np.asarray([0.5, 0.45, 0.05])) == pytest.approx(1.45, abs=0.05)


@pytest.mark.parametrize("n", [5, 2753, 40_001])
@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.75, 0.95])
def test_equal_weights_change_no_quantile_at_the_edge_of_a_censored_mass(n, p):
    place = round(p * (n - 1))
    x = np.arange(n, dtype=float)
    x[:place] = -np.inf
    p = place / (n - 1)
    assert censored_quantile(x, p) == censored_quantile(x, p, np.full(n, 1 / n)) == place
