"""Quantities that NUTS moves slowly, drawn again given all others.

Where a likelihood is a mixture, a quantity of one component has its prior in the others, and may
have a narrow peak in its own. NUTS seldom leaves such a peak, or finds it. So every draw of NUTS
then takes two steps of independence Metropolis [1]_ in these quantities alone. A step proposes
``s'`` from ``q``, in the coordinates ``s = Phi(white)`` that are uniform under the prior, and
accepts it with probability::

    min(1, r(s') / r(s)),    r(s) = p(evidence, the others | s) / q(s)

``q`` is a histogram of each quantity, from the other chains' draws, mixed with a uniform so that it
is nowhere small. It knows nothing of the draw that it serves, which therefore keeps the posterior
as its law, whatever ``q`` is; a better ``q`` accepts more.

References
----------
.. [1] Tierney, "Markov chains for exploring posterior distributions", 1994.
       doi:10.1214/aos/1176325750, section 2.3.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr, ndtri

from aligntax.analysis.inference.kernel.kernel import Density
from aligntax.models.catalogue import Model

STEPS = 2  # two thirds of them are accepted in the joint model: one draw in nine stays
BINS = 24  # of each quantity; a peak of a tenth of the prior's mass spans two
EVEN = 0.1  # share of the uniform in a proposal
EDGE = 2.0**-53  # least distance of s from 0 and 1, whose normal scores are infinite


def refreshed_quantities(model: Model) -> tuple[str, ...]:
    """Quantities of a model that are drawn again after NUTS."""
    return tuple(name for part in model.likelihoods for name in part.refreshed)


@dataclass(frozen=True)
class Refreshed:
    """Draws, some coordinates of which were drawn again.

    Attributes
    ----------
    points : ndarray, shape (chain, draw, parameter)
    log_density : ndarray, shape (chain, draw)
    accepted : ndarray, shape (chain, draw)
        Share of a draw's steps that were accepted.
    """

    points: Any
    log_density: Any
    accepted: Any


def refreshed(
    density: Density,
    points: Any,
    log_density: Any,
    columns: list[int],
    rng: Generator,
    cores: int | None = None,
) -> Refreshed:
    """Draw some coordinates of every draw again, given the others.

    Parameters
    ----------
    points : ndarray, shape (chain, draw, parameter)
        Unconstrained draws of the posterior.
    log_density : ndarray, shape (chain, draw)
        Of these points.
    columns : list of int
        Of coordinates with a standard normal prior.
    cores : int, optional
        Chains worked on at the same time; all cores by default. The draws do not depend on it.
    """
    proposal = _Proposal.from_draws(points[..., columns])

    def log_density_of(points: Any) -> Any:
        with ThreadPoolExecutor(cores) as pool:
            found = pool.map(lambda chain: density.log_density_and_gradient(chain.T)[0], points)
            return np.stack(list(found))

    def log_ratio(points: Any, log_density: Any) -> Any:
        white = points[..., columns]
        return log_density + 0.5 * (white**2).sum(axis=-1) - proposal.log_density(white)

    here, ratio = log_density, log_ratio(points, log_density)
    accepted = np.zeros(here.shape)
    for _ in range(STEPS):
        proposed = points.copy()
        proposed[..., columns] = proposal.draw(points.shape[1], rng)
        there = log_density_of(proposed)
        other = log_ratio(proposed, there)
        moves = np.log(rng.random(here.shape)) < other - ratio
        points = np.where(moves[..., None], proposed, points)
        here, ratio = np.where(moves, there, here), np.where(moves, other, ratio)
        accepted += moves / STEPS
    return Refreshed(points, here, accepted)


@dataclass(frozen=True)
class _Proposal:
    """``q`` of each chain: a histogram of each quantity, one apart from the other.

    Attributes
    ----------
    shares : ndarray, shape (chain, quantity, bin)
        Probability of each bin.
    """

    shares: Any

    @classmethod
    def from_draws(cls, white: Any) -> "_Proposal":
        """Learn that of each chain from the other chains' draws, (chain, draw, quantity)."""
        counts = np.stack([(_bin(white) == i).sum(axis=1) for i in range(BINS)], axis=-1)
        others = counts.sum(axis=0) - counts
        shares = others / others.sum(axis=-1, keepdims=True)
        return cls((1.0 - EVEN) * shares + EVEN / BINS)

    def draw(self, draws: int, rng: Generator) -> Any:
        """Normal scores of proposals, (chain, draw, quantity)."""
        bins = [[rng.choice(BINS, draws, p=each) for each in chain] for chain in self.shares]
        corner = np.moveaxis(np.array(bins), 1, -1)
        return ndtri(np.clip((corner + rng.random(corner.shape)) / BINS, EDGE, 1.0 - EDGE))

    def log_density(self, white: Any) -> Any:
        """Log density of ``s`` up to a constant, (chain, draw)."""
        bins = np.swapaxes(_bin(white), 1, 2)
        logs = np.take_along_axis(np.log(self.shares), bins, axis=-1)
        return logs.sum(axis=1)


def _bin(white: Any) -> Any:
    """Bin in which each normal score lies."""
    return np.minimum((ndtr(white) * BINS).astype(int), BINS - 1)
