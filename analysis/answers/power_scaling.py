"""Power-scaling: how far an answer moves when a factor of the posterior is made stronger or weaker.

A factor ``p(...)`` becomes ``p(...)**alpha``. With ``l`` its logarithm and ``u`` an answer's rank,
uniform on (0, 1), the distribution of the answer moves by ``C(u) = Cov(1[rank <= u], l)`` per unit
of ``alpha``. The sensitivity is the slope at ``alpha = 1`` of the cumulative Jensen-Shannon
distance moved, per doubling of ``alpha`` [1]_, which ArviZ's ``psense`` takes by differences::

    s^2 = log(2) / 4 max( int C(u)^2 / u du, int C(u)^2 / (1 - u) du )

Answers are compared by rank, which gives "later or never" and "nothing affordable" their place and
does not depend on units. A draw in which an answer is undefined is left out of it. For a normal
answer, ranks give three quarters of the distance of values. Where values tie, as in an answer of 0
or 1, their mass is spread evenly over their ranks and ``s`` is divided by what that leaves of a
shift, so that the same shift scores the same.

**Noise.** A distance is never negative, so chance alone makes one. With ``m^2`` the mean of ``s^2``
when a factor's weights are given to other draws (rolled, so that chains keep their order) and ``e``
the Monte Carlo error of ``s``::

    value = sqrt(s^2 - m^2)                 if s > 4 m, otherwise not told from chance
    low, high = sqrt((s -+ 4 e)^2 - m^2)    zero where negative, and low where not told

By chance ``s^2`` is a weighted mean of squared normals, whose upper tail is no longer than that of
one: it exceeds ``(4 m)^2`` with at most 6 in 100,000. Of the two thousand numbers of a run hardly
one does. The error ``e`` is on the safe side, by a third to two thirds.

**Flags.** Both sensitivities of at least 0.05 are a potential prior-data conflict, and the prior's
alone a potentially strong prior or weak likelihood [1]_. That is told only where both intervals lie
clear of 0.05; otherwise the question is open.

References
----------
.. [1] Kallioinen, Paananen, Buerkner, Vehtari, "Detecting and diagnosing prior and likelihood
       sensitivity with power-scaling", 2023. doi:10.1007/s11222-023-10366-5, arXiv:2107.14054
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from aligntax.analysis.summaries.summary import Series
from aligntax.analysis.summaries.weights import Weights, batch_error

THRESHOLD = 0.05  # ArviZ's
CONFLICT, STRONG, OK = "prior-data conflict", "strong prior / weak likelihood", "ok"
OPEN = "open"  # the draws are too few to tell
PRIOR_ONLY = "prior only"  # no evidence bears on the answer
NOISE = 4.0  # errors by which a number or a word stands out of chance
FEWEST_CHANCES = 60  # sensitivities to weights of other draws, from which the noise is estimated


@dataclass(frozen=True)
class Sensitivity:
    """How far a factor moves an answer.

    Attributes
    ----------
    value : float or None
        None if it is not told from chance.
    low, high : float
        Interval of four Monte Carlo errors either way.
    """

    value: float | None
    low: float
    high: float


NOTHING = Sensitivity(0.0, 0.0, 0.0)  # by construction, not by draws


def diagnosis(prior: Sensitivity, likelihood: Sensitivity) -> str:
    """Diagnosis of the two sensitivities, :data:`OPEN` where the draws leave it so."""
    if prior.high < THRESHOLD:
        return OK
    if prior.low >= THRESHOLD and likelihood.low >= THRESHOLD:
        return CONFLICT
    return STRONG if prior.low >= THRESHOLD > likelihood.high else OPEN


def power_scaling(
    answers: Mapping[str, Series], weights: Weights, terms: Mapping[str, Any]
) -> dict[str, dict[str, Sensitivity]]:
    """Sensitivity of every answer to every term of the log density.

    Parameters
    ----------
    answers : mapping of Series
    weights : Weights
    terms : mapping of ndarray, shape (chain, draw)
        Terms that are scaled one at a time. A constant term moves nothing.

    Returns
    -------
    dict
        answer -> term -> :class:`Sensitivity`. The noise is pooled over the terms of one call, each
        relative to its standard deviation.
    """
    shape, resampled = weights.values.shape, weights.resampled()
    drawn = {name: term.ravel()[resampled] for name, term in terms.items()}
    varying = {name: term / term.std() for name, term in drawn.items() if np.ptp(term) > 0}
    turns = -(-FEWEST_CHANCES // max(len(varying), 1))
    rolls = [(turn + 1) * resampled.size // (turns + 1) for turn in range(turns)]
    found = {}
    for name, series in answers.items():
        ranks = Ranks(series.values.ravel()[resampled])
        chance = [ranks.distance(np.roll(t, by)) for t in varying.values() for by in rolls]
        found[name] = dict.fromkeys(drawn, NOTHING) | {
            term: _told(ranks, density, np.array(chance), float(drawn[term].std()), shape)
            for term, density in varying.items()
        }
    return found


def _told(
    ranks: "Ranks", density: Any, chance: Any, scale: float, shape: tuple[int, int]
) -> Sensitivity:
    """Sensitivity to a standardised log density, with what chance does to it taken off."""
    s, level = ranks.distance(density), float(np.sqrt(np.mean(chance**2)))
    error = max(batch_error(ranks.influence(density).reshape(shape)), float(np.std(chance)))

    def less(distance: float) -> float:
        return scale * float(np.sqrt(max(max(distance, 0.0) ** 2 - level**2, 0.0)))

    high = less(s + NOISE * error)
    if not s > NOISE * level:
        return Sensitivity(None, 0.0, high)
    return Sensitivity(less(s), less(s - NOISE * error), high)


class Ranks:
    """Ranks of one answer among the draws in which it is defined, each counting the same.

    Parameters
    ----------
    values : ndarray, shape (draw,)
        NaN where undefined.
    """

    def __init__(self, values: Any) -> None:
        self.size = len(values)
        defined = np.flatnonzero(~np.isnan(values))
        self.order = defined[np.argsort(values[defined], kind="stable")]
        _, self.tie, self.ties = np.unique(
            values[self.order], return_inverse=True, return_counts=True
        )
        count = len(self.order)
        self.below = np.arange(1, count) / count
        shift = ndtri((np.arange(count) + 0.5) / count)
        whole = self._size(np.cumsum(shift)[:-1] / count)
        self.left = self._size(self._moved(shift)) / whole if len(self.ties) > 1 else 1.0

    def distance(self, log_density: Any) -> float:
        """``s`` of a term, shape (draw,), with the noise in it."""
        return self._size(self._moved(log_density[self.order])) / self.left

    def influence(self, log_density: Any) -> Any:
        """Contribution of each draw to ``s``, shape (draw,), with mean zero."""
        own = log_density[self.order]
        moved = self._moved(own)
        toward, distance = self._kernel(moved), self._size(moved)
        if not distance > 0:
            return np.zeros(self.size)
        pull = np.append(moved * toward, 0.0) * np.log(2) / (4 * distance * len(own))
        onto = self._spread(np.cumsum(pull[::-1])[::-1] - pull[:-1] @ self.below)
        each = (own - own.mean()) * onto
        found = np.zeros(self.size)
        found[self.order] = (each - each.mean()) * self.size / (len(own) * self.left)
        return found

    def _moved(self, own: Any) -> Any:
        """``C(u)`` below each draw but the last; ``own`` is a term in the order of ranks."""
        return np.cumsum(self._spread(own - own.mean()))[:-1] / len(own)

    def _spread(self, own: Any) -> Any:
        """Means of ties, which spread the mass of a tie evenly over its ranks."""
        if len(self.ties) == len(own):
            return own
        return (np.bincount(self.tie, own) / self.ties)[self.tie]

    def _kernel(self, moved: Any) -> Any:
        """``1 / u`` or ``1 / (1 - u)``, whichever is further."""
        up, down = 1.0 / self.below, 1.0 / (1.0 - self.below)
        return up if moved**2 @ up >= moved**2 @ down else down

    def _size(self, moved: Any) -> float:
        square = moved**2 @ self._kernel(moved) / len(self.order)
        return float(np.sqrt(np.log(2) / 4 * square))
