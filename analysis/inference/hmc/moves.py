"""Two moves of many chains in step, each of which leaves its target as it is.

The target is the posterior, or a tempered one on the way to it::

    p_beta(x) ~ p(x)^beta N(x; 0, I)^(1 - beta)

in coordinates without bounds. Arrays of points have the shape (chain, parameter, subchain): what a
run calls a chain is some subchains, whose draws are stored end to end.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator

from aligntax.analysis.inference.hmc.proposal import Proposal
from aligntax.analysis.inference.kernel.kernel import Density, Flight

DIVERGED = 1000.0  # gain of energy beyond which a trajectory has diverged, as in Stan
WORTH_THREADS = 2**22  # bytes of straight code that run, below which a second thread gains nothing


@dataclass(frozen=True)
class Points:
    """Where subchains stand.

    Attributes
    ----------
    x : ndarray, shape (chain, parameter, subchain)
    log_density : ndarray, shape (chain, subchain)
        Of the posterior.
    slope : ndarray, shape (chain, parameter, subchain)
        Its gradient.
    """

    x: Any
    log_density: Any
    slope: Any

    def moved(self, there: "Points", moves: Any) -> "Points":
        """Points of which some, (chain, subchain), moved elsewhere."""
        wide = moves[:, None]
        return Points(
            np.where(wide, there.x, self.x),
            np.where(moves, there.log_density, self.log_density),
            np.where(wide, there.slope, self.slope),
        )

    def picked(self, which: Any) -> "Points":
        """As many points, each a copy of one of its chain by its place, (chain, subchain)."""
        wide = which[:, None]
        return Points(
            np.take_along_axis(self.x, wide, axis=2),
            np.take_along_axis(self.log_density, which, axis=1),
            np.take_along_axis(self.slope, wide, axis=2),
        )


@dataclass(frozen=True)
class Target:
    """A tempered posterior, worked out on several threads.

    Attributes
    ----------
    beta : float
        Inverse temperature; 1 is the posterior.
    threads : int
        How many work at once, this one included. Numbers do not depend on it.
    """

    density: Density
    pool: Executor
    threads: int
    beta: float = 1.0

    def log_density(self, points: Points) -> Any:
        """Log density of points, (chain, subchain), up to a constant."""
        if self.beta == 1.0:
            return points.log_density
        with np.errstate(invalid="ignore"):
            of_normal = -0.5 * (points.x**2).sum(axis=1)
            return self.beta * points.log_density + (1.0 - self.beta) * of_normal

    def at(self, x: Any) -> Points:
        """Points at coordinates."""
        still = np.zeros(x.shape)
        return self.leapfrog(Points(x, None, still), still.copy(), still, 1)[0]

    def leapfrog(self, start: Points, momentum: Any, reach: Any, steps: int) -> tuple[Points, Any]:
        """Follow the dynamics from points with a momentum; where they end, and with which.

        Parameters
        ----------
        momentum, reach : ndarray, shape (chain, parameter, subchain)
            A step in time ``t`` at scale ``c`` reaches ``t c``.
        """
        push, pull = self.beta * reach, (self.beta - 1.0) * reach
        momentum = momentum + 0.5 * (push * start.slope + pull * start.x)
        end = Points(start.x.copy(), np.empty(reach[:, 0].shape), np.empty(reach.shape))

        moving = end.x, momentum, end.log_density, end.slope, reach, push, pull

        def fly(chains: slice) -> None:
            self.density.fly(Flight(*(each[chains] for each in moving)), steps)

        work = steps * len(self.density.kernel.program.kernel)
        threads = min(self.threads, len(reach)) if work > WORTH_THREADS else 1
        ends = [len(reach) * k // threads for k in range(threads + 1)]
        shares = [slice(start, stop) for start, stop in pairwise(ends)]
        others = [self.pool.submit(fly, share) for share in shares[1:]]
        fly(shares[0])
        for other in others:
            other.result()
        return end, momentum - 0.5 * (push * end.slope + pull * end.x)


@dataclass(frozen=True)
class Move:
    """Outcome of a move.

    Attributes
    ----------
    points : Points
    moved : ndarray of bool, shape (chain, subchain)
        Which were accepted.
    acceptance : ndarray, shape (chain, subchain)
        Probability with which each was accepted.
    energy : ndarray, shape (chain, subchain)
        Before the move; not a number where the move has none.
    diverged : ndarray of bool, shape (chain, subchain)
    """

    points: Points
    moved: Any
    acceptance: Any
    energy: Any
    diverged: Any


def hamiltonian(
    target: Target, here: Points, scale: Any, size: float, steps: int, rng: Generator
) -> Move:
    """Give every point a momentum, follow the dynamics, and accept where they lead.

    Parameters
    ----------
    scale : ndarray, shape (parameter,)
        Scale of each coordinate.
    size : float
        Of a step, in these scales.
    """
    momentum = rng.standard_normal(here.x.shape)
    reach = np.broadcast_to(size * scale[:, None], here.x.shape).copy()
    with np.errstate(over="ignore", invalid="ignore"):
        there, after = target.leapfrog(here, momentum, reach, steps)
        before, end = (
            0.5 * (p * p).sum(axis=1) - target.log_density(points)
            for p, points in ((momentum, here), (after, there))
        )
        gain = before - end
    moves, probability = _accepted(gain, rng)
    diverged = ~(gain > -DIVERGED)
    return Move(here.moved(there, moves), moves, probability, before, diverged)


def refresh(
    target: Target, here: Points, columns: list[int], proposal: Proposal, rng: Generator
) -> Move:
    """Propose some coordinates anew, given all others, and accept by independence Metropolis.

    Parameters
    ----------
    columns : list of int
        Coordinates with a standard normal prior.
    """

    def log_ratio(points: Points) -> Any:
        slow = points.x[:, columns].swapaxes(0, 1)
        return target.log_density(points) - proposal.log_density(slow)

    shape = here.log_density.shape
    drawn = proposal.draw(here.log_density.size, rng).reshape(-1, *shape)
    x = here.x.copy()
    x[:, columns] = drawn.swapaxes(0, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        there = target.at(x)
        gain = log_ratio(there) - log_ratio(here)
    moves, probability = _accepted(gain, rng)
    nothing, never = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    return Move(here.moved(there, moves), moves, probability, nothing, never)


def _accepted(gain: Any, rng: Generator) -> tuple[Any, Any]:
    """Which moves are accepted, by what they gain, and with which probability."""
    probability = np.exp(np.minimum(np.where(np.isnan(gain), -np.inf, gain), 0.0))
    return rng.random(gain.shape) < probability, probability
