"""Are ranks uniform? Bands, chi-square and coverage for simulation-based calibration, in plain numpy.

A quantity of a draw from the prior has a uniform rank among the same quantity of draws from the
posterior, given evidence simulated from it, where simulation and inference agree [1]_. With ``L``
draws ranked and ``S`` simulations, ranks ``R_s``::

    F(z) = #{s: R_s < (L + 1) z} / S,    R_s in 0 .. L,    S F(z) ~ Binomial(S, z)     at z = 1/K .. (K-1)/K
    gamma = 2 min_z min(P(B <= S F(z)), P(B >= S F(z)))              how far the path strays, in its own tail probability

The simultaneous band of level ``1 - alpha`` is where no path strays further than the ``alpha``
quantile of ``gamma`` [2]_. It sees what is smooth, a shift or a spread; chi-square over as many
bins sees a comb that the path smooths away.

References
----------
.. [1] Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration",
       2018. arXiv:1804.06788
.. [2] Saeilynoja, Buerkner, Vehtari, "Graphical test for discrete uniformity and its applications",
       2022. arXiv:2103.10522
.. [3] Holm, "A simple sequentially rejective multiple test procedure", 1979.
       jstor.org/stable/4615733
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import binom, binomtest, chi2

RANKED = 199  # draws that a truth is ranked among, L: 200 ranks, cut evenly into bins
BINS = 20
PATHS = 100_000  # of truly uniform ranks, from which a p-value is read: none is smaller than 1e-5


def rank(truth: float, draws: Any, rng: np.random.Generator) -> int:
    """Number of draws below a truth, where some equal it a number drawn evenly from those that it could be.

    Parameters
    ----------
    truth : float
    draws : ndarray, shape (draw,)
        Infinite values are in order; NaN is beyond every number and equal to NaN.
    rng : numpy.random.Generator
        For ties, which are broken evenly over the ranks that they could have.
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
        Simulations, S.
    ranked : int
        Draws ranked among, L.
    bins : int
        K, which divides ``ranked + 1``.
    """

    size: int
    ranked: int = RANKED
    bins: int = BINS

    def __post_init__(self) -> None:
        if (self.ranked + 1) % self.bins:
            raise ValueError(f"bins must divide {self.ranked + 1} ranks evenly, got {self.bins}")

    @property
    def z(self) -> Any:
        """Where the path is looked at, shape (bins - 1,)."""
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

    @cached_property
    def _null(self) -> Any:
        """``gamma`` of uniform ranks, sorted; the seed is fixed, so that a verdict does not depend on when it is asked."""
        rng = np.random.default_rng(2022)
        paths = rng.multinomial(self.size, np.full(self.bins, 1 / self.bins), size=PATHS).cumsum(
            axis=-1
        )[:, :-1]
        return np.sort(self._tails[paths, np.arange(self.bins - 1)].min(axis=-1))

    def gamma(self, ranks: Any) -> float:
        """Smallest two-sided tail probability along the path."""
        return float(self._tails[self.counts(ranks), np.arange(self.bins - 1)].min())

    def p(self, ranks: Any) -> float:
        """Probability that uniform ranks stray as far, from :data:`PATHS` simulated paths."""
        strayed = np.searchsorted(self._null, self.gamma(ranks) * (1 + 1e-12), side="right")
        return float((strayed + 1) / (PATHS + 1))

    def limits(self, level: float = 0.99) -> tuple[Any, Any]:
        """Lowest and highest ``F(z) - z`` of the simultaneous band, each of shape (bins - 1,)."""
        gamma = float(self._null[int((1 - level) * PATHS)])
        low = binom.ppf(gamma / 2, self.size, self.z) / self.size - self.z
        high = binom.isf(gamma / 2, self.size, self.z) / self.size - self.z
        return low, high


def chi_square(ranks: Any, ranked: int = RANKED, bins: int = BINS) -> float:
    """P-value of equal numbers of ranks in every bin."""
    seen = np.bincount(np.asarray(ranks) * bins // (ranked + 1), minlength=bins)
    expected = len(ranks) / bins
    return float(chi2.sf(((seen - expected) ** 2).sum() / expected, bins - 1))


def covered(ranks: Any, probability: float, ranked: int = RANKED) -> int:
    """Truths within the central interval of a probability, from their ranks."""
    u = (np.asarray(ranks) + 0.5) / (ranked + 1)
    return int(np.sum(np.abs(u - 0.5) < 0.5 * probability))


def coverage(ranks: Any, probability: float, ranked: int = RANKED) -> tuple[float, float]:
    """Share of truths within the central interval of a probability, and the binomial p-value of that share."""
    count = covered(ranks, probability, ranked)
    return count / len(ranks), float(binomtest(count, len(ranks), probability).pvalue)


def holm(p: Any) -> Any:
    """P-values adjusted for their number: rejecting those below ``alpha`` errs at all with probability at most ``alpha``."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    found = np.empty_like(p)
    found[order] = np.minimum(adjusted, 1.0)
    return found
