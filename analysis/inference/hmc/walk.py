"""Transitions of all subchains, and how their steps are adapted to the target."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from aligntax.analysis.inference.hmc.moves import Move, Points, Target, hamiltonian, refresh
from aligntax.analysis.inference.hmc.proposal import Proposal

LENGTH = 1.6  # of a trajectory, in scales of the posterior; a quarter turn of a normal is pi / 2
SHORTEST = 0.5  # of a step's size, which varies: a subchain where steps are too long moves on by it
JITTER = 0.4  # trajectories are longer or shorter by up to this share, else they may come back
LONGEST = 200  # steps
SLOW = 0.2  # times its own scale: a slow coordinate has peaks that are narrower than it


@dataclass(frozen=True)
class Steps:
    """How subchains move.

    Attributes
    ----------
    scale : ndarray, shape (parameter,)
        Of each coordinate; :data:`SLOW` times that where it is refreshed.
    size : float
        Of the longest leapfrog step, in these scales.
    columns : list of int
        Coordinates that are refreshed.
    proposal : Proposal
        Of these.
    """

    scale: Any
    size: float
    columns: list[int]
    proposal: Proposal

    @classmethod
    def of_normal(cls, parameters: int, columns: list[int]) -> "Steps":
        """Steps for the standard normal."""
        scale = np.ones(parameters)
        scale[columns] = SLOW
        return cls(scale, 0.3, columns, Proposal.even(len(columns)))

    def learnt(self, x: Any) -> "Steps":
        """The same with scales and proposals of points (parameter, draw).

        Variances are drawn a little to 0.001, as Stan's are.
        """
        count = x.shape[1]
        scale = np.sqrt((count * x.var(axis=1) + 5e-3) / (count + 5.0))
        scale[self.columns] *= SLOW
        proposal = Proposal.from_draws(x[self.columns]) if self.columns else self.proposal
        return replace(self, scale=scale, proposal=proposal)

    def of_a_trajectory(self, rng: Generator, most: int) -> tuple[float, int]:
        """Size of the steps of a trajectory, and how many there are, at most as many as said."""
        length = LENGTH * (1.0 + JITTER * rng.uniform(-1.0, 1.0))
        size = self.size * rng.uniform(SHORTEST, 1.0)
        return size, int(min(max(round(length / size), 1), most))


@dataclass(frozen=True)
class Transition:
    """Outcome of a transition.

    Attributes
    ----------
    move : Move
        What Hamiltonian dynamics did.
    size, steps : float, int
        Of its trajectory.
    refreshed : ndarray, shape (chain, subchain)
        Probability with which what is refreshed was accepted.
    points : Points
        After both.
    """

    move: Move
    size: float
    steps: int
    refreshed: Any
    points: Points


def transition(target: Target, here: Points, how: Steps, rng: Generator, most: int) -> Transition:
    """Move every subchain: Hamiltonian Monte Carlo, then a refresh where columns ask for it.

    Parameters
    ----------
    most : int
        Leapfrog steps at most.
    """
    size, steps = how.of_a_trajectory(rng, most)
    move = hamiltonian(target, here, how.scale, size, steps, rng)
    if not how.columns:
        return Transition(move, size, steps, np.ones(move.acceptance.shape), move.points)
    again = refresh(target, move.points, how.columns, how.proposal, rng)
    return Transition(move, size, steps, again.acceptance, again.points)


@dataclass(frozen=True)
class StepSize:
    """Dual averaging of a step size towards an acceptance [1]_.

    References
    ----------
    .. [1] Hoffman and Gelman, "The No-U-Turn Sampler", 2014. arXiv:1111.4246, section 3.2.1.
    """

    middle: float
    log_size: float
    log_mean: float
    shortfall: float = 0.0
    count: int = 0

    @classmethod
    def near(cls, size: float) -> "StepSize":
        """Start at a size; larger ones are tried first."""
        return cls(float(np.log(2.0 * size)), float(np.log(size)), float(np.log(size)))

    def updated(self, acceptance: float, target: float) -> "StepSize":
        """After a transition."""
        count = self.count + 1
        weight = 1.0 / (count + 10.0)
        shortfall = (1.0 - weight) * self.shortfall + weight * (target - acceptance)
        log_size = self.middle - np.sqrt(count) / 0.05 * shortfall
        fade = count**-0.75
        log_mean = fade * log_size + (1.0 - fade) * self.log_mean
        return StepSize(self.middle, float(log_size), float(log_mean), float(shortfall), count)
