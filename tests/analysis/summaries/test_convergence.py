"""R-hat and effective sample sizes: ArviZ's numbers, known autocorrelations, and chains that are apart."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom, rankdata

from aligntax.analysis.summaries import convergence
from aligntax.analysis.summaries.convergence import ess_mean, ess_tail, mid_ranks, r_hat_and_ess
from aligntax.analysis.summaries.rank_histograms import BINS, hypergeometric_tails, rank_p


def autoregressive(seed, shape, r):
    """Chains whose autocorrelation at a lag ``t`` is ``r^t``."""
    noise = np.random.default_rng(seed).normal(size=shape)
    x = noise.copy()
    x[..., 0] /= np.sqrt(1.0 - r**2)
    for t in range(1, shape[-1]):
        x[..., t] += r * x[..., t - 1]
    return x


def awkward(seed, chains, draws, r):
    """Numbers of every kind that a run may have."""
    x = autoregressive(seed, (9, chains, draws), r)
    if draws > 100:  # of few whole numbers autocorrelations may cancel, to rounding
        x[1] = np.round(x[1])
        x[2] = x[2] > 0
        x[3] = x[3] > 3
        x[4] = np.clip(x[4], -1.0, 1.0)
    x[5] = 2.0
    x[6] = np.arange(chains)[:, None]
    x[7, -1, -1] = np.nan
    x[8, 0] += 2.0
    return x


@given(
    seed=st.integers(0, 2**32 - 1),
    chains=st.integers(1, 5),
    draws=st.integers(3, 60) | st.sampled_from([250, 501, 1000]),
    r=st.sampled_from([-0.9, -0.5, 0.0, 0.5, 0.95]),
)
def test_all_are_arvizs(seed, chains, draws, r):
    x = awkward(seed, chains, draws, r)
    ours = *r_hat_and_ess(x), ess_mean(x), ess_tail(x)
    with np.errstate(all="ignore"):
        for one, *found in zip(x, *ours, strict=True):
            theirs = (
                array_stats.rhat(one, method="rank"),
                array_stats.ess(one, method="bulk"),
                array_stats.ess(one, method="mean"),
                array_stats.ess(one, method="tail", prob=(0.05, 0.95)),
            )
            np.testing.assert_allclose(found, [float(each) for each in theirs], rtol=1e-9)


@given(st.lists(st.integers(-3, 3) | st.just(np.inf), min_size=1, max_size=30))
def test_ranks_are_scipys(values):
    x = np.asarray(values, dtype=float)[None, None]
    np.testing.assert_array_equal(mid_ranks(x)[0, 0], rankdata(x))


@pytest.mark.parametrize("r", [-0.4, 0.0, 0.6, 0.9])
def test_a_chain_of_known_autocorrelation_has_its_size(r):
    x = autoregressive(3, (4, 4, 20_000), r)
    expected = x[0].size * (1.0 - r) / (1.0 + r)
    assert ess_mean(x) == pytest.approx(np.full(4, expected), rel=0.2)
    # negative control: none has that of independent draws
    assert r == 0.0 or np.all(np.abs(ess_mean(x) / x[0].size - 1.0) > 0.2)


def test_chains_apart_and_chains_of_other_widths_are_seen():
    x = np.random.default_rng(4).normal(size=(3, 4, 1000))
    x[1, 0] += 0.5
    x[2, 0] *= 2.0
    same, apart, wider = r_hat_and_ess(x)[0]
    assert same < 1.005 and apart > 1.01 and wider > 1.01


def test_an_order_of_draws_shows_what_drifts_within_all_subchains():
    """Two subchains end to end drift alike: halves of the chain agree, early and late draws do not."""
    drift = np.tile(np.linspace(-0.5, 0.5, 500), 2)
    x = np.random.default_rng(5).normal(size=(1, 4, 1000)) + drift
    early_first = np.argsort(np.tile(np.arange(500) >= 250, 2), kind="stable")
    plain, ordered = (r_hat_and_ess(x, (order,))[0][0] for order in (slice(None), early_first))
    assert plain < 1.01 < ordered
    assert r_hat_and_ess(x, (slice(None), early_first))[0][0] == ordered


def test_many_numbers_in_turn_are_as_all_at_once(monkeypatch):
    x = {str(i): one for i, one in enumerate(autoregressive(6, (7, 2, 100), 0.3))}
    ((names, together),) = convergence.stacked(x)
    assert names == tuple(x) and not list(convergence.stacked({}))
    monkeypatch.setattr(convergence, "AT_ONCE", 400)
    parts = [ess_mean(some) for _, some in convergence.stacked(x)]
    assert [len(part) for part in parts] == [2, 2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(parts), ess_mean(together))


@pytest.mark.parametrize(("chains", "length"), [(1, 7), (2, 30), (4, 333)])
def test_tails_of_counts_are_scipys(chains, length):
    x = np.random.default_rng(7).normal(size=(5, chains, length))
    x[1] = np.round(x[1])
    x[2, 0] -= 2.0  # one chain apart: tails as small as 1e-40
    bins = np.random.default_rng(8).integers(0, BINS, size=x.shape)
    bins[2, 0] = 3
    counts = (bins[..., None] == np.arange(BINS)).sum(axis=2)
    in_all = counts.sum(axis=1, keepdims=True)
    below, above = hypergeometric_tails(counts, in_all, length, chains)
    law = chains * length, in_all, length
    np.testing.assert_allclose(below, hypergeom.cdf(counts, *law), rtol=1e-8, atol=1e-300)
    np.testing.assert_allclose(above, hypergeom.sf(counts - 1, *law), rtol=1e-8, atol=1e-300)
    assert rank_p(x).shape == (5, chains, BINS)
    assert (rank_p(x)[2].min() < 1e-6) == (length > 300)  # few draws cannot tell
