"""Are ranks uniform? Bands, chi-square and coverage for simulation-based calibration.

A draw from the prior is a truth; evidence is simulated from it and the model refitted. Where
simulation and inference agree, every quantity of the truth has a uniform rank among the same
quantity of the posterior's draws [1]_. With ``L`` draws ranked and ``S`` simulations, ranks
``R_s``::

    F(z) = #{s: R_s < (L + 1) z} / S,    R_s in 0 .. L
    S F(z) ~ Binomial(S, z)              at z = 1/K .. (K-1)/K
    gamma = 2 min_z min(P(B <= S F(z)), P(B >= S F(z)))

``gamma`` measures how far the path strays, in its own tail probability. The simultaneous band of
level ``1 - alpha`` is where no path strays further than the ``alpha`` quantile of ``gamma`` [2]_.
Its distribution is exact: counts of bins are those of independent Poisson variables given their
sum, so that the path is a chain in ``z`` whose mass is followed until it strays. The band sees what
is smooth, such as a shift or another spread; chi-square over as many bins sees a comb, which the
path smooths away.

ArviZ's band, which a test compares, is for continuous values and of one level. Ranks are discrete,
and Holm's correction over quantities needs p-values, however small.

References
----------
.. [1] Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration",
       2018. arXiv:1804.06788
.. [2] Saeilynoja, Buerkner, Vehtari, "Graphical test for discrete uniformity and its applications",
       2022. arXiv:2103.10522
"""

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from scipy.special import bdtr, bdtrc, chdtrc, gammaln, xlogy

RANKED = 199  # draws that a truth is ranked among, L: 200 ranks, which the bins divide evenly
BINS = 20  # K


def rank(truth: float, draws: Any, rng: np.random.Generator) -> int:
    """Number of draws below a truth; ties are broken evenly.

    Parameters
    ----------
    draws : ndarray, shape (draw,)
        Infinite values have their order; NaN is above every number and equal to NaN.
    rng : numpy.random.Generator
        Chooses among the ranks that draws equal to the truth allow.
    """
    if np.isnan(truth):
        below, ties = int(np.sum(~np.isnan(draws))), int(np.sum(np.isnan(draws)))
    else:
        below, ties = int(np.sum(draws < truth)), int(np.sum(draws == truth))
    return below + int(rng.integers(ties + 1))


@dataclass(frozen=True)
class Band:
    """How far the ECDF of so many uniform ranks strays.

    Attributes
    ----------
    size : int
        Number of simulations, S.
    ranked : int
        Number of draws that each truth is ranked among, L.
    bins : int
        K, which must divide ``ranked + 1``.
    """

    size: int
    ranked: int = RANKED
    bins: int = BINS

    def __post_init__(self) -> None:
        if (self.ranked + 1) % self.bins:
            raise ValueError(f"bins must divide {self.ranked + 1} ranks evenly, got {self.bins}")

    @property
    def z(self) -> Any:
        """Where the path is evaluated, shape (bins - 1,)."""
        return np.arange(1, self.bins) / self.bins

    def counts(self, ranks: Any) -> Any:
        """Ranks below each ``z``, shape (..., bins - 1), of ranks (..., size)."""
        bin_of = np.asarray(ranks) * self.bins // (self.ranked + 1)
        return np.stack([(bin_of < k).sum(axis=-1) for k in range(1, self.bins)], axis=-1)

    @cached_property
    def tails(self) -> Any:
        """Twice the smaller tail probability of each count, shape (size + 1, bins - 1)."""
        count = np.arange(self.size + 1)[:, None]
        lower, upper = bdtr(count, self.size, self.z), bdtrc(count - 1, self.size, self.z)
        return 2 * np.minimum(lower, upper)

    @cached_property
    def steps(self) -> tuple[Any, Any]:
        """Chances of so many ranks in the next bin, and of the others beyond each ``z``.

        Poisson's, the second over that of the sum: shapes (size + 1,) and (size + 1, bins - 1).
        """
        count = np.arange(self.size + 1)
        beyond = _poisson(self.size - count[:, None], self.size * (1 - self.z))
        return _poisson(count, self.size / self.bins), beyond / _poisson(self.size, self.size)

    def gamma(self, ranks: Any) -> float:
        """Smallest two-sided tail probability along the path."""
        return float(self.tails[self.counts(ranks), np.arange(self.bins - 1)].min())

    def p(self, ranks: Any) -> float:
        """Probability that uniform ranks stray as far."""
        return straying(self, self.gamma(ranks))

    def limits(self, level: float = 0.99) -> tuple[Any, Any]:
        """Lowest and highest ``F(z) - z`` of the simultaneous band, each of shape (bins - 1,)."""
        from scipy.stats import binom

        far = np.unique(self.tails)
        gamma = float(far[bisect_left(far, 1 - level, key=partial(straying, self))])
        low = binom.ppf(gamma / 2, self.size, self.z) / self.size - self.z
        high = binom.isf(gamma / 2, self.size, self.z) / self.size - self.z
        return low, high


def _poisson(count: Any, mean: Any) -> Any:
    return np.exp(xlogy(count, mean) - mean - gammaln(count + 1))


@lru_cache(maxsize=4096)
def straying(band: Band, gamma: float) -> float:
    """Probability that uniform ranks stray so far that a tail probability is at most ``gamma``.

    The trials of a power ask for it again and again.
    """
    # equal counts may give tail probabilities that differ by rounding
    far = band.tails <= gamma * (1 + 1e-12)
    step, beyond = band.steps
    within, strayed = np.eye(1, band.size + 1)[0], 0.0
    for out, rest in zip(far.T, beyond.T, strict=True):
        reached = np.convolve(within, step)[: band.size + 1]
        strayed += float(reached[out] @ rest[out])
        within = np.where(out, 0.0, reached)
    return min(strayed, 1.0)


@lru_cache(maxsize=32)
def band_of(size: int) -> Band:
    """Band of so many ranks, whose tail probabilities are worked out once."""
    return Band(size)


def chi_square(ranks: Any, ranked: int = RANKED, bins: int = BINS) -> float:
    """P-value of the hypothesis that every bin has the same probability."""
    seen = np.bincount(np.asarray(ranks) * bins // (ranked + 1), minlength=bins)
    expected = len(ranks) / bins
    return float(chdtrc(bins - 1, ((seen - expected) ** 2).sum() / expected))


def covered(ranks: Any, probability: float, ranked: int = RANKED) -> int:
    """Number of truths within the central interval of a probability, from their ranks."""
    u = (np.asarray(ranks) + 0.5) / (ranked + 1)
    return int(np.sum(np.abs(u - 0.5) < 0.5 * probability))


def coverage(ranks: Any, probability: float, ranked: int = RANKED) -> tuple[float, float]:
    """Share of truths within the central interval of a probability, and its binomial p-value."""
    count = covered(ranks, probability, ranked)
    return count / len(ranks), _binomial_p(count, len(ranks), probability)


@lru_cache(maxsize=4096)
def _binomial_p(count: int, size: int, probability: float) -> float:
    """Two-sided p-value of a count, which the trials of a power ask for again and again."""
    from scipy.stats import binomtest

    return float(binomtest(count, size, probability).pvalue)
