"""Weighted draws: how much each stored draw counts under other priors or under a condition.

Draws of one posterior stand for another when draw ``s`` counts ``w_s``, the ratio of the two
densities there. A condition is the weight 1 where it holds and 0 elsewhere. Means and probabilities
become weighted ones, and with ``w`` summing to one::

    ESS = 1 / sum w_s^2                                       (Kish)
    Var(mean of h) = variance of n w_s (h_s - mean) / n       (Monte Carlo error)

The variance is estimated by batch means, which include the autocorrelation of a chain.

References
----------
.. [1] Kish, Survey Sampling, 1965.
.. [2] Flegal, Jones, "Batch means and spectral variance estimators in Markov chain Monte Carlo",
       2010. doi:10.1214/09-AOS735
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.short_form import short_form

FURTHEST = 1e-12  # probability beyond the outermost normal score, which is finite


def batch_error(influence: Any) -> float:
    """Standard error of the mean of correlated numbers, by means of batches of each chain.

    Parameters
    ----------
    influence : ndarray, shape (chain, draw)
        With mean zero.
    """
    chains, draws = influence.shape
    length = max(1, int(np.sqrt(draws)))
    batches = draws // length
    means = influence[:, : batches * length].reshape(chains * batches, length).mean(axis=1)
    return float(np.sqrt(np.mean(means**2) / len(means)))


@dataclass(frozen=True)
class Weights:
    """What each draw counts.

    Attributes
    ----------
    values : ndarray, shape (chain, draw)
        Not negative, sum 1.
    """

    values: Any
    __repr__ = short_form

    @classmethod
    def equal(cls, shape: tuple[int, int]) -> "Weights":
        """Every draw counts the same."""
        return cls(np.full(shape, 1.0 / (shape[0] * shape[1])))

    @classmethod
    def of_log(cls, log_values: Any) -> "Weights":
        """Weights from logarithms known up to a constant."""
        values = np.exp(log_values - np.max(log_values))
        return cls(values / values.sum())

    @property
    def ess(self) -> float:
        """Kish's effective sample size, of draws that were independent."""
        return float(1.0 / np.sum(self.values**2))

    def given(self, holds: Any) -> "Weights":
        """Weights among the draws in which a condition holds.

        Raises
        ------
        InputError
            If it holds in no draw.
        """
        total = float(self.values[holds].sum())
        if not total > 0:
            raise InputError(
                "given: the condition must hold in some draw, got none of them; weaken it"
            )
        return Weights(np.where(holds, self.values, 0.0) / total)

    def probability(self, holds: Any) -> float:
        """Probability of a condition; exactly 1 for one that always holds."""
        held, rest = self.values[holds].sum(), self.values[~holds].sum()
        return float(held / (held + rest))

    def mean(self, h: Any) -> float:
        """Mean of finite numbers, shape (chain, draw)."""
        return float(np.sum(self.values * h))

    def mcse(self, h: Any) -> float:
        """Monte Carlo standard error of :meth:`mean`; see :func:`batch_error`."""
        return batch_error(self.influence(h))

    def influence(self, h: Any) -> Any:
        """Contribution of each draw to the error of :meth:`mean`; its own mean is zero."""
        return self.values * h.size * (h - self.mean(h))

    def effective(self, h: Any) -> float:
        """Number of independent draws with the same error of the mean; NaN if ``h`` is constant."""
        error = self.mcse(h)
        variance = self.mean(h**2) - self.mean(h) ** 2
        return variance / error**2 if error > 0 and variance > 0 else np.nan

    def normal_scores(self, values: Any) -> Any:
        """Normal scores of weighted mid-ranks, of numbers without NaN, shape (chain, draw).

        A number scores the normal quantile of the weight below it and half of the weight at it, so
        that equal numbers score the same. Draws that do not count score zero.
        """
        from scipy.special import ndtri

        counted = self.values > 0
        _, place = np.unique(values[counted], return_inverse=True)
        weight = np.bincount(place, self.values[counted])
        middle = np.cumsum(weight) - 0.5 * weight
        scores = np.zeros(values.shape)
        scores[counted] = ndtri(np.clip(middle, FURTHEST, 1.0 - FURTHEST))[place]
        return scores

    def resampled(self, size: int | None = None) -> Any:
        """Flat indices of draws that count the same, by systematic resampling.

        Each draw appears in proportion to its weight.

        Parameters
        ----------
        size : int, optional
            Number of indices; by default the number of draws.
        """
        flat = self.values.ravel()
        size = size or flat.size
        return np.searchsorted(np.cumsum(flat)[:-1], (np.arange(size) + 0.5) / size, side="right")
