"""Uniform ranks pass as often as the level says, and each way of being wrong is seen."""

from itertools import product

import numpy as np
import pytest
from arviz_stats import ecdf_utils
from arviz_stats.base import array_stats
from scipy.stats import binomtest, chisquare, norm

from aligntax.analysis.trust.calibration.ranks import (
    BINS,
    RANKED,
    Band,
    chi_square,
    coverage,
    covered,
    rank,
    straying,
)

SIZE = 300


@pytest.fixture(scope="module")
def band() -> Band:
    return Band(SIZE)


def normal_ranks(seed: int, shift: float = 0.0, scale: float = 1.0, size: int = SIZE) -> np.ndarray:
    """Ranks of truths from N(0, 1) among draws of a posterior that is off by a shift and a scale."""
    rng = np.random.default_rng(seed)
    truths = rng.standard_normal(size)
    draws = shift + scale * rng.standard_normal((size, RANKED))
    return np.array([rank(t, d, rng) for t, d in zip(truths, draws, strict=True)])


def test_ranks_count_what_is_below_and_break_ties_evenly() -> None:
    rng = np.random.default_rng(0)
    assert rank(2.5, np.array([1.0, 2.0, 3.0]), rng) == 2
    assert rank(np.inf, np.array([1.0, 2.0, np.nan]), rng) == 2
    assert rank(np.nan, np.array([1.0, np.inf]), rng) == 2
    ties = [rank(1.0, np.array([0.0, 1.0, 1.0, 2.0]), rng) for _ in range(3000)]
    np.testing.assert_allclose(np.bincount(ties) / 3000, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.04)


def test_uniform_ranks_are_rejected_as_often_as_the_level_says(band) -> None:
    """1,000 sets of uniform ranks: 1% and 10% of them have a p below 0.01 and 0.1, to four binomial sd."""
    rng = np.random.default_rng(1)
    p = np.array([band.p(each) for each in rng.integers(RANKED + 1, size=(1000, SIZE))])
    for level in (0.01, 0.1):
        assert abs(np.mean(p <= level) - level) < 4 * np.sqrt(level * (1 - level) / 1000)


def test_the_probability_is_that_of_every_path_of_a_few_ranks() -> None:
    """Four bins of five ranks: all 1,024 sequences of bins are alike likely."""
    band = Band(5, ranked=3, bins=4)
    every = np.array(list(product(range(4), repeat=5)))
    gamma = np.array([band.gamma(ranks) for ranks in every])
    for value in np.unique(gamma):
        expected = np.mean(gamma <= value * (1 + 1e-9))
        assert straying(band, float(value)) == pytest.approx(expected, rel=1e-10)
    assert straying(band, float(gamma.min() / 2)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("size", [10, 37, SIZE])
def test_the_p_value_is_the_share_of_simulated_paths_that_stray_as_far(size) -> None:
    """100,000 paths of uniform ranks, to four binomial sd."""
    band = Band(size)
    counts = np.random.default_rng(7).multinomial(size, np.full(BINS, 1 / BINS), size=100_000)
    paths = counts.cumsum(axis=-1)[:, :-1]
    gamma = band.tails[paths, np.arange(BINS - 1)].min(axis=-1)
    for least in (1e-4, 1e-3, 0.02, 0.3):
        p = straying(band, least)
        assert abs(np.mean(gamma <= least) - p) < 4 * np.sqrt(p * (1 - p) / 100_000)


@pytest.mark.parametrize("below", [0, 3, 9, 20])
def test_of_two_bins_the_p_value_is_that_of_a_coin(below) -> None:
    ranks = np.repeat([0, RANKED], [below, 40 - below])
    expected = binomtest(below, 40, 0.5).pvalue
    assert Band(40, bins=2).p(ranks) == pytest.approx(expected, rel=1e-12)


def test_the_limits_are_those_of_the_p_value(band) -> None:
    """A path is outside somewhere exactly where its p is below the level's complement."""
    low, high = band.limits(0.9)
    rng = np.random.default_rng(2)
    for ranks in rng.integers(RANKED + 1, size=(300, SIZE)):
        path = band.counts(ranks) / SIZE - band.z
        outside = bool(np.any((path < low - 1e-12) | (path > high + 1e-12)))
        if abs(band.p(ranks) - 0.1) > 0.01:  # tails are discrete: near the level either may be
            assert outside == (band.p(ranks) < 0.1)


@pytest.mark.parametrize(("shift", "scale"), [(0.4, 1.0), (0.0, 0.6), (0.0, 1.8)])
def test_a_shift_and_a_wrong_spread_are_seen(band, shift, scale) -> None:
    ranks = normal_ranks(3, shift, scale)
    assert band.p(ranks) < 1e-3
    assert chi_square(ranks) < 1e-2


def test_a_right_posterior_passes(band) -> None:
    ranks = normal_ranks(4)
    assert band.p(ranks) > 0.01
    assert chi_square(ranks) > 0.01


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_the_band_is_arvizs_at_the_same_points(band, level) -> None:
    """Theirs is for continuous values; ranks are read at points that whole numbers of them share."""
    rng = np.random.default_rng(2022)
    within = ecdf_utils.simulate_confidence_bands(SIZE, 1, band.z, level, 5_000, rng)
    low, high = ecdf_utils.get_pointwise_confidence_band(within, SIZE, band.z)
    ours = band.limits(level)
    assert np.abs(low - band.z - ours[0]).max() <= 1.01 / SIZE  # a band ends on a count
    assert np.abs(high - band.z - ours[1]).max() <= 1.01 / SIZE
    other = band.limits(0.9 if level == 0.99 else 0.99)
    assert np.abs(low - band.z - other[0]).max() > 2 / SIZE  # negative control


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.1, 1.0), (0.25, 1.0), (0.0, 0.8)])
def test_the_p_value_agrees_with_arvizs_test_of_uniformity(band, shift, scale) -> None:
    """Their pointwise test of PIT values, which a rank is with a uniform number added."""
    ours, theirs = [], []
    for seed in range(60):
        ranks = normal_ranks(seed, shift, scale)
        pit = (ranks + np.random.default_rng(seed).random(SIZE)) / (RANKED + 1)
        ours.append(band.p(ranks))
        theirs.append(float(array_stats.uniformity_test(pit, method="pot_c")[0]))
    assert np.corrcoef(np.log(ours), np.log(theirs))[0, 1] > 0.8
    seen = [np.mean(np.array(p) < 0.05) for p in (ours, theirs)]
    assert abs(seen[0] - seen[1]) < 0.15


def test_chi_square_sees_a_comb_that_the_band_does_not(band) -> None:
    """Bins of 8 and 22 by turns, where 15 are due: the path never strays by more than half a bin."""
    width = (RANKED + 1) // BINS
    ranks = np.repeat(np.arange(BINS) * width, [8, 22] * (BINS // 2))
    assert chi_square(ranks) < 1e-4
    assert band.p(ranks) > 0.05


def test_chi_square_is_that_of_the_textbook() -> None:
    """Counts of bins against equal ones, with one degree of freedom less than there are bins."""
    ranks = np.random.default_rng(5).integers(RANKED + 1, size=SIZE)
    counts = np.bincount(ranks * BINS // (RANKED + 1), minlength=BINS)
    assert chi_square(ranks) == pytest.approx(chisquare(counts).pvalue, rel=1e-12)


def test_coverage_is_that_of_a_normal_of_the_wrong_spread() -> None:
    """Draws of 0.6 of the sd cover as the normal's quantiles say."""
    ranks = normal_ranks(6, scale=0.6, size=4000)
    for probability in (0.5, 0.9):
        expected = 1 - 2 * norm.cdf(0.6 * norm.ppf((1 - probability) / 2))
        share, p = coverage(ranks, probability)
        assert share == pytest.approx(expected, abs=0.03)
        assert p < 1e-6
    assert coverage(normal_ranks(7), 0.5)[1] > 0.01


def test_every_rank_is_in_an_interval_as_often_as_its_probability() -> None:
    every = np.arange(RANKED + 1)
    assert covered(every, 0.5) == 100
    assert covered(every, 0.9) == 180


def test_bins_must_divide_the_ranks() -> None:
    with pytest.raises(ValueError, match="200 ranks"):
        Band(100, bins=30)
