"""How often does the prediction of a density go wrong against each adversary?

An adversary makes the sequence that :mod:`aligntax.models.density_prediction.theorem` must predict.
The sequence is a binary tree of blocks, made lazily: only the densities of the two halves of the
current block, along the path of the coins. The adversary says how far apart they are. With the
density ``x`` of the block and half the gap ``h``, the coin leads to ``x + h`` or ``x - h``, so that
``h <= min(x, 1 - x)``. Sequences start at ``x = 1/2``, where there is most to spend, since the
expected squares of all steps sum to ``x (1 - x)`` at most. Densities are real numbers here. Those
of a stream lie on a grid, which matters only in its shortest blocks, and the theorem does not need
a grid.

Spenders walk in equal steps ``h = 1 / (2 j)`` at chosen levels until they reach 0 or 1. That takes
``j^2`` moves on average, so if ``2 h`` exceeds ``epsilon`` by as little as can be, the prediction
fails with probability ``j^2 / K``, against the theorem's ``1 / (K epsilon^2)``. Levels without a
move, and the walk before the stopping level, are skipped in closed form: a walk of ``n`` moves is
still between the walls with probability::

    S(n) = (1 / j) sum over odd l < 2 j of (-1)^((l - 1) / 2) cot(pi l / (4 j)) cos(pi l / (2 j))^n

References
----------
.. [1] Feller, "An introduction to probability theory and its applications", volume 1, 1968, section
       XIV.5 (gambler's ruin).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from aligntax.models.density_prediction.theorem import Claim, exactly

# Times the average number of moves, after which a walk is still under way with probability 1e-4.
PATIENCE = 8
EXCESS = 1e-6  # share by which a step exceeds what counts as an error
SETTLED = 1e-9  # a block whose density is this near to 0 or 1 counts as a single symbol
BLOCK = 1 << 17  # trials at once, which stay in a processor's cache
NEGLIGIBLE = 40.0  # a term of size exp(-40) is less than rounding


def surviving(moves: Any, j: int) -> Any:
    """Probability that a walk in equal steps, ``j`` from either wall, has reached neither.

    Parameters
    ----------
    moves : ndarray of int, shape (trial,)
    j : int
        At least 1.
    """
    n, place = np.unique(moves, return_inverse=True)
    total = np.zeros(len(n))
    for odd in range(1, 2 * j, 2):
        factor = math.cos(math.pi * odd / (2 * j)) if odd != j else 0.0
        size = abs(factor)
        last = int(np.searchsorted(n, NEGLIGIBLE / -math.log(size) if 0 < size < 1 else 1))
        weight = (-1) ** (odd // 2) / math.tan(math.pi * odd / (4 * j)) / j
        sign = np.where(n[:last] % 2, math.copysign(1.0, factor), 1.0)
        total[:last] += weight * sign * size ** n[:last].astype(float)
    return np.clip(total, 0.0, 1.0)[place]


@dataclass(frozen=True)
class Walker:
    """An adversary who moves at every level.

    Attributes
    ----------
    step : callable
        ``(density, room, claim, rng)`` to half the gap of each trial's block; ``room = min(density,
        1 - density)``.
    """

    name: str
    meaning: str
    step: Callable[[Any, Any, Claim, np.random.Generator], Any]

    def half_gap(self, level: int, density: Any, claim: Claim, rng: np.random.Generator) -> Any:
        """Half the gap of each trial's block, shape (trial,)."""
        return self.step(density, np.minimum(density, 1 - density), claim, rng)


@dataclass(frozen=True)
class Spender:
    """An adversary who walks in equal steps at chosen levels, until the density is 0 or 1.

    Attributes
    ----------
    steps : callable
        ``claim`` to ``j``, the steps from the middle to either wall.
    moving : callable
        ``(level, claim, rng)`` to whether each trial moves at its level; ``level`` has shape
        (trial,).
    before : callable
        ``(level, claim, rng)`` to the number of levels before it at which each trial moves.
    """

    name: str
    meaning: str
    steps: Callable[[Claim], int]
    moving: Callable[[Any, Claim, np.random.Generator], Any]
    before: Callable[[Any, Claim, np.random.Generator], Any]

    def half_gap(self, level: int, density: Any, claim: Claim, rng: np.random.Generator) -> Any:
        """Half the gap of each trial's block, shape (trial,)."""
        moving = self.moving(np.full(density.shape, level), claim, rng)
        return np.where(
            moving, np.minimum(0.5 / self.steps(claim), np.minimum(density, 1 - density)), 0.0
        )

    def skip(self, stop: Any, claim: Claim, rng: np.random.Generator) -> Any:
        """Gap of each trial where it stops, shape (trial,), without simulating levels before."""
        j = self.steps(claim)
        alive = rng.random(stop.shape) < surviving(self.before(stop, claim, rng), j)
        return np.where(alive & self.moving(stop, claim, rng), 1.0 / j, 0.0)


Adversary = Walker | Spender


def gaps(adversary: Adversary, claim: Claim, stop: Any, rng: np.random.Generator) -> Any:
    """Difference of densities between the halves of the block at which each trial stops.

    Every level on the way is simulated.

    Parameters
    ----------
    stop : ndarray of int, shape (trial,)
        Levels at which the trials stop.
    rng : numpy.random.Generator
        For the path's coins and the adversary's own; not for ``stop``.

    Returns
    -------
    ndarray, shape (trial,)
    """
    going = np.argsort(stop, kind="stable")
    last, density, difference = stop[going], np.full(len(going), 0.5), np.zeros(len(going))
    for level in range(claim.levels):
        if not len(going):
            break
        half = adversary.half_gap(level, density, claim, rng)
        here = int(np.searchsorted(last, level, side="right"))
        difference[going[:here]] = 2 * half[:here]
        density += np.copysign(half, rng.random(len(density)) - 0.5)
        undecided = np.minimum(density, 1 - density) > SETTLED
        undecided[:here] = False
        if not undecided.all():
            going, last, density = going[undecided], last[undecided], density[undecided]
    return difference


def failures(adversary: Adversary, claim: Claim, trials: int, rng: np.random.Generator) -> int:
    """How many of ``trials`` predictions are wrong by more than ``epsilon``.

    Levels are skipped where the adversary allows it.
    """
    count = 0
    for size in (min(BLOCK, trials - done) for done in range(0, trials, BLOCK)):
        stop = rng.integers(claim.levels, size=size)
        difference = (
            adversary.skip(stop, claim, rng)
            if isinstance(adversary, Spender)
            else gaps(adversary, claim, stop, rng)
        )
        count += int(np.count_nonzero(difference > claim.epsilon))
    return count


# ----------------------------------------------------------------------- sizes of steps, and levels


def _most_steps_that_count(claim: Claim) -> int:
    """Most steps from the middle to a wall whose gap still exceeds ``epsilon``."""
    return max(1, math.ceil(1 / exactly(claim.epsilon)) - 1)


def _steps_of_double_size(claim: Claim) -> int:
    """Steps whose gap is twice ``epsilon`` or a little more."""
    return max(1, math.floor(1 / (2 * exactly(claim.epsilon))))


def _levels_to_spend(claim: Claim) -> int:
    """Levels that are set aside to spend everything."""
    return min(claim.levels, PATIENCE * _most_steps_that_count(claim) ** 2)


def _always(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return np.ones(level.shape, dtype=bool)


def _all_before(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return level


def _never(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return np.zeros(level.shape, dtype=bool)


def _none_before(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return np.zeros(level.shape, dtype=int)


def _at_the_end(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return level >= claim.levels - _levels_to_spend(claim)


def _at_the_end_before(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return np.maximum(0, level - (claim.levels - _levels_to_spend(claim)))


def _now_and_then(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return level % (claim.levels // _levels_to_spend(claim)) == 0


def _now_and_then_before(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return -(-level // (claim.levels // _levels_to_spend(claim)))


def _by_chance(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return rng.random(level.shape) < _levels_to_spend(claim) / claim.levels


def _by_chance_before(level: Any, claim: Claim, rng: np.random.Generator) -> Any:
    return rng.binomial(level, _levels_to_spend(claim) / claim.levels)


def _any_step(density: Any, room: Any, claim: Claim, rng: np.random.Generator) -> Any:
    """Steps of any size up to ``2 epsilon``, gaps up to ``4 epsilon``."""
    return np.minimum(2 * claim.epsilon * rng.random(density.shape), room)


def _least_step_that_counts(density: Any, room: Any, claim: Claim, rng: np.random.Generator) -> Any:
    """The step that just exceeds ``epsilon / 2`` where it fits, else the one to the wall.

    The latter is too small to count.
    """
    return np.minimum(0.5 * claim.epsilon * (1 + EXCESS), room)


ADVERSARIES: Mapping[str, Adversary] = MappingProxyType(
    {
        adversary.name: adversary
        for adversary in (
            Spender(
                "constant",
                "every block has the density of the whole",
                _most_steps_that_count,
                _never,
                _none_before,
            ),
            Walker("random_walk", "steps of any size up to 2 epsilon", _any_step),
            Spender(
                "early",
                "spends its variance at the first levels, in large steps",
                _steps_of_double_size,
                _always,
                _all_before,
            ),
            Spender(
                "late",
                "keeps its variance for the last levels",
                _most_steps_that_count,
                _at_the_end,
                _at_the_end_before,
            ),
            Spender(
                "evenly",
                "moves at evenly spaced levels",
                _most_steps_that_count,
                _now_and_then,
                _now_and_then_before,
            ),
            Spender(
                "guessed",
                "moves at levels where it guesses the stop",
                _most_steps_that_count,
                _by_chance,
                _by_chance_before,
            ),
            Spender(
                "nearly_tight",
                "gaps just over epsilon from the first level",
                _most_steps_that_count,
                _always,
                _all_before,
            ),
            Walker(
                "informed",
                "knows the rule and its distribution: each level counts alike, "
                "so each move is the least that counts",
                _least_step_that_counts,
            ),
        )
    }
)
