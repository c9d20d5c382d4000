"""What is proposed for quantities that gradients move slowly.

Where a likelihood is a mixture, a quantity of one component has its prior in the others, and may
have a narrow peak in its own: steps short enough for the peak are too short for all else. So
Hamiltonian dynamics take short steps in such quantities alone (:data:`.walk.SLOW`), and they take
steps of independence Metropolis [1]_ besides, given all others, in the coordinates
``s = Phi(white)`` that are uniform under the prior. ``q`` is a histogram of each, from draws of the
warm-up, mixed with a uniform so that it is nowhere small. A better ``q`` accepts more, and whatever
it is, the posterior stays what it was.

References
----------
.. [1] Tierney, "Markov chains for exploring posterior distributions", 1994.
       doi:10.1214/aos/1176325750, section 2.3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr, ndtri

BINS = 24  # of each quantity; a peak of a tenth of the prior's mass spans two
EVEN = 0.2  # share of the uniform in a proposal: with less, chains stay long where q is too small
EDGE = 2.0**-53  # least distance of s from 0 and 1, whose normal scores are infinite


@dataclass(frozen=True)
class Proposal:
    """``q``: a histogram of each quantity, one apart from the other.

    Histograms of two quantities at once would follow their relation, and have too few draws in a
    cell: chains then stay for long where ``q`` has seen nothing.

    Attributes
    ----------
    shares : ndarray, shape (quantity, bin)
        Probability of each bin.
    """

    shares: Any

    @classmethod
    def even(cls, quantities: int) -> "Proposal":
        """The prior's own."""
        return cls(np.full((quantities, BINS), 1.0 / BINS))

    @classmethod
    def from_draws(cls, white: Any) -> "Proposal":
        """Learn it from normal scores, (quantity, draw)."""
        counts = np.stack([np.bincount(each, minlength=BINS) for each in _bin(white)])
        return cls((1.0 - EVEN) * counts / white.shape[1] + EVEN / BINS)

    def draw(self, draws: int, rng: Generator) -> Any:
        """Normal scores, (quantity, draw)."""
        ends = np.cumsum(self.shares, axis=1)[:, :-1]
        level = rng.random((len(ends), draws))
        corner = np.stack(
            [np.searchsorted(*each, side="right") for each in zip(ends, level, strict=True)]
        )
        return ndtri(np.clip((corner + rng.random(corner.shape)) / BINS, EDGE, 1.0 - EDGE))

    def log_density(self, white: Any) -> Any:
        """Log density of normal scores (quantity, ...), up to a constant."""
        cells = zip(np.log(self.shares), _bin(white), strict=True)
        return sum(log[cell] for log, cell in cells) - 0.5 * (white**2).sum(axis=0)


def _bin(white: Any) -> Any:
    """Bin in which each normal score lies."""
    return np.minimum((ndtr(white) * BINS).astype(int), BINS - 1)
