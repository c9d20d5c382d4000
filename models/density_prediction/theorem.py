"""Can a magician who watches any sequence of zeros and ones predict the density of zeros?

The prediction is "the next n symbols are p% zeros". It is right within ``epsilon`` with probability
``1 - delta``, whatever the sequence, as long as the sequence does not depend on the coins [1]_.

Statement
---------
Cut ``2^K`` symbols into a binary tree of blocks: the block of level ``k`` on a path has ``2^(K -
k)`` symbols, and its halves are the blocks of level ``k + 1``. Fair coins choose a path, left or
right at each level, and a level ``k``, each of ``0 .. K - 1`` with probability ``1 / K``. Read the
left half of the path's block of level ``k``, with the density of zeros ``d_L``, and predict that
the right half, the next ``2^(K - k - 1)`` symbols, has it too. For every sequence::

    P(|d_L - d_R| > epsilon) <= delta,   delta = 1 / (K epsilon^2)

Proof
-----
Let ``X_k`` be the density of zeros of the path's block of level ``k``, and ``D_k = d_L - d_R`` that
of its left half less that of its right half. The halves are equally long, so ``X_k = (d_L + d_R) /
2``, and the next coin makes ``X_(k+1)`` one or the other::

    X_(k+1) - X_k = +-D_k / 2,  each sign with probability 1/2

So ``X`` is a martingale in [0, 1] that starts at the density ``x`` of the whole and ends at 0 or 1,
a single symbol. Its increments are uncorrelated, hence ``sum_k E[D_k^2] / 4 = Var X_K = x (1 - x)
<= 1/4``: the expected squares of all ``K`` levels sum to at most 1. The level is uniform and
independent of the path, so ``E[D^2] <= 1 / K`` where it stops, and Markov's inequality for ``D^2``
gives ``P(|D| > epsilon) <= 1 / (K epsilon^2)``. QED. Nothing was assumed about the sequence. It may
be random, but it may not know the coins. The constant cannot be improved by much:
:mod:`aligntax.models.density_prediction.adversaries` has a sequence that reaches 98% of the bound.

What a length supports
----------------------
With ``K`` levels ``delta = 1 / (K epsilon^2)`` for a given ``epsilon``, and ``epsilon = 1 /
sqrt(K delta)`` for a given ``delta``. A ``delta`` of 1 or more guarantees nothing, and so does an
``epsilon`` of 1 or more, since densities never differ by more. One per cent for both needs ``1 /
(0.01 * 0.01^2)``, a million levels: a stream of ``2^1000000`` symbols. So the guarantee is a
theorem about unbounded sequences. A gigabyte of symbols has 30 levels, which support an ``epsilon``
of 0.25 with a ``delta`` of 0.53.

References
----------
.. [1] Drucker, "High-confidence predictions under adversarial uncertainty", 2011. arXiv:1101.4446
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from aligntax.models.errors import InputError

MOST_LEVELS = 10_000_000  # the coins of a path are one integer of that many bits, a megabyte


def exactly(share: float) -> Fraction:
    """A share as it was written: 0.01 is one hundredth, not the nearest binary fraction."""
    return Fraction(repr(float(share)))


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name}: must lie between 0 and 1, got {value}; one per cent is 0.01")


def _check_levels(levels: int) -> None:
    if not 1 <= levels <= MOST_LEVELS:
        remedy = "N levels are for a stream of 2^N symbols"
        raise InputError(f"levels: must lie between 1 and {MOST_LEVELS}, got {levels}; {remedy}")


def supported_delta(levels: int, epsilon: float) -> float:
    """Bound on the probability of an error above ``epsilon``; 1 or more guarantees nothing."""
    return float(1 / (levels * exactly(epsilon) ** 2))


def supported_epsilon(levels: int, delta: float) -> float:
    """Error exceeded with probability ``delta`` at most; 1 or more guarantees nothing."""
    return math.sqrt(1 / (levels * exactly(delta)))


def levels_needed(epsilon: float, delta: float) -> int:
    """Fewest levels that support both; the stream has 2 to that power symbols.

    Raises
    ------
    InputError
        If either is not strictly between 0 and 1.
    """
    _check_share("epsilon", epsilon)
    _check_share("delta", delta)
    return math.ceil(1 / (exactly(delta) * exactly(epsilon) ** 2))


@dataclass(frozen=True)
class Claim:
    """Claim about predictions on a number of levels.

    They are wrong by more than ``epsilon`` with probability ``delta`` at most.

    Attributes
    ----------
    levels : int
        From 1 to ``MOST_LEVELS``.
    epsilon : float
        Largest difference of densities that counts as right, between 0 and 1.

    Raises
    ------
    InputError
        If either is out of bounds.
    """

    levels: int
    epsilon: float

    def __post_init__(self) -> None:
        _check_levels(self.levels)
        _check_share("epsilon", self.epsilon)

    @property
    def delta(self) -> float:
        """The theorem's bound; see :func:`supported_delta`."""
        return supported_delta(self.levels, self.epsilon)


@dataclass(frozen=True)
class StoppingTime:
    """Where the coins stop.

    Attributes
    ----------
    level : int
        Of the block, from 0 for the whole stream.
    start : int
        Symbols before the prediction: the index of the first symbol that is predicted.
    length : int
        Number of predicted symbols, and of the symbols just before ``start`` whose density is
        stated. Exact, however large.
    """

    level: int
    start: int
    length: int


def stopping_time(levels: int, rng: np.random.Generator) -> StoppingTime:
    """Toss the coins: a path down the whole tree, and the level at which it is left.

    Parameters
    ----------
    levels : int
        ``K``; the stream has ``2^K`` symbols.

    Raises
    ------
    InputError
        If the number of levels is out of bounds.
    """
    _check_levels(levels)
    # one bit per level, the first level in front
    path = int.from_bytes(rng.bytes(-(-levels // 8)), "big") >> (-levels % 8)
    level = int(rng.integers(levels))
    length = 1 << (levels - level - 1)
    block = path >> (levels - level)  # of the 2^level blocks of its level, from the left
    return StoppingTime(level, (2 * block + 1) * length, length)


@dataclass(frozen=True)
class Watch:
    """Memory of a stream: three counts, however many symbols were read.

    Attributes
    ----------
    read : int
        Symbols so far.
    zeros_before, zeros_after : int
        Zeros among the ``length`` symbols before the stopping time, and among those predicted.
    """

    when: StoppingTime
    read: int = 0
    zeros_before: int = 0
    zeros_after: int = 0

    def after(self, symbols: bytes) -> "Watch":
        """Return the watch after the next symbols, any number of characters ``0`` and ``1``."""
        start, length = self.when.start, self.when.length
        first, stop, last = (
            max(0, place - self.read) for place in (start - length, start, start + length)
        )
        return replace(
            self,
            read=self.read + len(symbols),
            zeros_before=self.zeros_before + symbols.count(b"0", first, stop),
            zeros_after=self.zeros_after + symbols.count(b"0", stop, last),
        )

    @property
    def stopped(self) -> bool:
        """Whether the stopping time is reached: the density can be stated."""
        return self.read >= self.when.start

    @property
    def finished(self) -> bool:
        """Whether every predicted symbol was read."""
        return self.read >= self.when.start + self.when.length

    @property
    def to_read(self) -> int:
        """Symbols up to the next event: the stopping time, then the end of the prediction.

        0 after both.
        """
        end = self.when.start if not self.stopped else self.when.start + self.when.length
        return max(0, end - self.read)

    @property
    def stated(self) -> float:
        """Density of zeros that is predicted, once stopped."""
        return self.zeros_before / self.when.length

    @property
    def found(self) -> float:
        """Density of zeros of the predicted symbols, once finished."""
        return self.zeros_after / self.when.length

    def right(self, epsilon: float) -> bool | None:
        """Whether the two densities differ by ``epsilon`` at most; None before the end.

        Exact arithmetic.
        """
        if not self.finished:
            return None
        return abs(self.zeros_before - self.zeros_after) <= exactly(epsilon) * self.when.length
