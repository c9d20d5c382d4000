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
The band sees what is smooth, such as a shift or another spread; chi-square over as many bins sees a
comb, which the path smooths away.

Counts of the bins are Poisson, given their sum ``S``. So the probability that a path stays within a
band is found exactly, bin by bin: what has reached each ``z`` is the convolution of what reached
the last with the counts of a bin, less what leaves the band.

ArviZ's band, which a test compares, is for continuous values and of one level. Ranks are discrete,
and Holm's correction over quantities needs p-values.

References
----------
.. [1] Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration",
       2018. arXiv:1804.06788
.. [2] Saeilynoja, Buerkner, Vehtari, "Graphical test for discrete uniformity and its applications",
       2022. arXiv:2103.10522
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.stats import binom, binomtest, chi2, poisson

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
    def _tails(self) -> Any:
        """Twice the smaller tail probability of each count, shape (size + 1, bins - 1)."""
        count = np.arange(self.size + 1)[:, None]
        lower, upper = binom.cdf(count, self.size, self.z), binom.sf(count - 1, self.size, self.z)
        return 2 * np.minimum(lower, upper)

    def beyond(self, gamma: float) -> float:
        """Probability that uniform ranks stray as far as ``gamma`` or further."""
        # equal counts may give tail probabilities that differ by rounding
        allowed = self._tails > gamma * (1 + 1e-12)
        bin_alone = poisson.pmf(np.arange(self.size + 1), self.size / self.bins)
        reached = np.eye(1, self.size + 1)[0]
        for inside in (*allowed.T, np.ones(self.size + 1)):
            reached = np.convolve(reached, bin_alone)[: self.size + 1] * inside
        return float(1.0 - reached[-1] / poisson.pmf(self.size, self.size))

    def gamma(self, ranks: Any) -> float:
        """Smallest two-sided tail probability along the path."""
        return float(self._tails[self.counts(ranks), np.arange(self.bins - 1)].min())

    def p(self, ranks: Any) -> float:
        """Probability that uniform ranks stray as far.

        It lies between ``gamma / 2`` and ``(K - 1) gamma``, to which rounding keeps it: it can
        stand correction for thousands of tests.
        """
        gamma = self.gamma(ranks)
        return float(np.clip(self.beyond(gamma), gamma / 2, (self.bins - 1) * gamma))

    def limits(self, level: float = 0.99) -> tuple[Any, Any]:
        """Lowest and highest ``F(z) - z`` of the simultaneous band, each of shape (bins - 1,)."""
        strayed = np.unique(self._tails)
        gamma = strayed[bisect_right(strayed, 1 - level, key=self.beyond)]
        low = binom.ppf(gamma / 2, self.size, self.z) / self.size - self.z
        high = binom.isf(gamma / 2, self.size, self.z) / self.size - self.z
        return low, high


@lru_cache(maxsize=32)
def band_of(size: int) -> Band:
    """Band of so many ranks, whose tail probabilities are worked out once."""
    return Band(size)


def chi_square(ranks: Any, ranked: int = RANKED, bins: int = BINS) -> float:
    """P-value of the hypothesis that every bin has the same probability."""
    seen = np.bincount(np.asarray(ranks) * bins // (ranked + 1), minlength=bins)
    expected = len(ranks) / bins
    return float(chi2.sf(((seen - expected) ** 2).sum() / expected, bins - 1))


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
    return float(binomtest(count, size, probability).pvalue)
