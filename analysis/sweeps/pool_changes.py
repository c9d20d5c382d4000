"""How answers move when the pool of several experts changes.

Two kinds of change are asked of a pool:

- an expert is left out: the others are pooled with their weights, and everything else stays;
- one quantity's prior goes from one expert's to another's, while the others stay pooled. The two
  are the experts with the lowest and the highest median or, where medians agree, the narrowest and
  the widest. What moves an answer then is this disagreement alone.

A move is *seen* if it is beyond Monte Carlo error: the answers differ (Holm, over all changes of a
kind and all answers, see :mod:`aligntax.analysis.answers.differences`), and a point of the answer
moves by at least the error of its own median. Answers that count the same draws can be told apart
by less than that, which is no reason to tell it. Nor is a move seen of which an answer has too few
effective draws.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.answers.differences import (
    Difference,
    Side,
    difference,
    enough_draws,
    error_of,
    number_p,
)
from aligntax.analysis.summaries.multiple_testing import holm_rejected
from aligntax.analysis.sweeps.disagreement import LEVEL, differing_inputs
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import quantity_of
from aligntax.models.views import View
from aligntax.models.views.pooling import Method, pool_views, who_states

POINTS = ("q05", "q50", "q95")
REPORTED = ("mean", *POINTS, "prob_censored")  # of an answer, as JSON


@dataclass(frozen=True)
class Asked:
    """The answers under one view.

    Attributes
    ----------
    side : Side
    how : str
        How they were obtained, in one word; empty for the pool's own.
    shared : bool
        Whether they count the draws that the pool's answer counts.
    passed : bool
        Whether the checks of a run of their own passed.
    """

    side: Side
    how: str
    shared: bool
    passed: bool = True


Ask = Callable[[View, str], Asked | str]  # answers under a view; in words why there are none
Pair = tuple[str, tuple[str, str], Asked | str, Asked | str]  # what changes, and its two ends


@dataclass(frozen=True)
class Move:
    """One answer before and after a change.

    Attributes
    ----------
    answer : str
    before, after : mapping
        Its rows, as in ``summary.json``.
    change : pair of float or None
        Difference of the medians, and its Monte Carlo error.
    seen : bool
        Whether it is beyond Monte Carlo error.
    """

    answer: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    change: Difference
    seen: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {
            "before": {key: self.before[key] for key in REPORTED},
            "after": {key: self.after[key] for key in REPORTED},
            "change": self.change[0],
            "mcse": self.change[1],
            "seen": self.seen,
        }


@dataclass(frozen=True)
class PoolChange:
    """A change of the pool, and how every answer moves.

    Attributes
    ----------
    what : str
        The expert who is left out, or the quantity that experts dispute.
    ends : tuple of str
        Names of the views before and after: the pool and the pool of the others, or two experts.
    how : str
        How the answers were obtained, or why there are none.
    moves : tuple of Move
        One an answer; empty where there are none.
    passed : bool
        Whether the checks of the runs passed that were sampled for it.
    """

    what: str
    ends: tuple[str, str]
    how: str
    moves: tuple[Move, ...]
    passed: bool = True

    @property
    def seen(self) -> list[Move]:
        """Moves beyond Monte Carlo error."""
        return [move for move in self.moves if move.seen]

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {
            "what": self.what,
            "from": self.ends[0],
            "to": self.ends[1],
            "how": self.how,
            "passed": self.passed,
            "answers": {move.answer: move.to_dict() for move in self.moves},
        }


def leave_experts_out(
    views: Sequence[View], weights: Sequence[float], method: Method, pool: Asked, ask: Ask
) -> tuple[PoolChange, ...]:
    """How every answer moves with each expert left out.

    An expert who alone has weight cannot be left out. Where the others make no pool, as when they
    hardly overlap, the reason stands in the place of the answers.

    Parameters
    ----------
    pool : Asked
        Answers under the pool of all.
    ask : callable
        Takes a view and a label.
    """
    asked: list[Pair] = []
    for i, view in enumerate(views):
        others, left = [*views[:i], *views[i + 1 :]], [*weights[:i], *weights[i + 1 :]]
        if not sum(left) > 0:
            continue
        ends = ("pool", f"pool without {view.name}")
        answer: Asked | str = pool
        if weights[i] > 0:
            try:
                rest = pool_views(others, left, method, ends[1]) if len(others) > 1 else others[0]
                answer = ask(rest, f"without-{view.name}")
            except InputError as error:
                answer = str(error)
        asked.append((view.name, ends, pool, answer))
    return _changes(asked)


def move_disputed(
    views: Sequence[View], weights: Sequence[float], pool: View, names: Sequence[str], ask: Ask
) -> tuple[PoolChange, ...]:
    """How every answer moves as one quantity's prior goes from one expert's to another's.

    Parameters
    ----------
    pool : View
        The experts' pool, which keeps all other priors.
    names : sequence of str
        Quantities of the model.
    ask : callable
        Takes a view and a label.
    """
    experts = [each for each in zip(views, weights, strict=True) if each[1] > 0]
    asked: list[Pair] = []
    for name, ends in _disputes(experts, names):
        low, high = (
            ask(pool.with_quantity(name, view.quantities[name]), f"{name}-of-{view.name}")
            for view in ends
        )
        asked.append((name, (ends[0].name, ends[1].name), low, high))
    return _changes(asked)


def _disputes(
    experts: Sequence[tuple[View, float]], names: Sequence[str]
) -> Iterator[tuple[str, tuple[View, View]]]:
    """Quantities that experts state differently, with the two who are furthest apart."""
    for name in names:
        stating = [view for view, _ in who_states(name, experts)]
        found = next(differing_inputs(stating, [name]), None)  # medians come before spreads
        if found is not None and found.aspect != "choice":
            low, high = int(np.argmin(found.values)), int(np.argmax(found.values))
            yield name, (stating[low], stating[high])


def _changes(asked: Sequence[Pair]) -> tuple[PoolChange, ...]:
    """Compare the answers before and after each change."""
    told = [(b, a) for *_, b, a in asked if isinstance(b, Asked) and isinstance(a, Asked)]
    rows = [each.side.rows for pair in told for each in pair]
    names = [name for name in rows[0] if all(name in row for row in rows)] if rows else []
    p = {
        name: [
            number_p(name, b.side, a.side, b.shared and a.shared)
            if enough_draws(name, b.side) and enough_draws(name, a.side)
            else 1.0
            for b, a in told
        ]
        for name in names
    }
    rejected = holm_rejected(p, LEVEL)
    changes, place = [], 0
    for what, ends, before, after in asked:
        if isinstance(before, Asked) and isinstance(after, Asked):
            how = " and ".join(dict.fromkeys(e.how for e in (before, after) if e.how))
            moves = tuple(_move(name, before, after, rejected[name][place]) for name in names)
            changes.append(PoolChange(what, ends, how, moves, before.passed and after.passed))
            place += 1
        else:
            why = next(each for each in (before, after) if isinstance(each, str))
            changes.append(PoolChange(what, ends, why, ()))
    return tuple(changes)


def _move(name: str, before: Asked, after: Asked, differs: bool) -> Move:
    one, two = before.side, after.side
    change = difference(name, one, two, before.shared and after.shared)
    seen = differs and _beyond_own_error(name, one, two)
    return Move(name, one.rows[name], two.rows[name], change, seen)


def _beyond_own_error(name: str, one: Side, two: Side) -> bool:
    """Whether a point of an answer moves by at least the error of its median."""
    error = error_of(name, one) or 0.0
    for key in ("mean",) if quantity_of(name).by_mean else POINTS:
        was, now = one.rows[name][key], two.rows[name][key]
        if (was is None) != (now is None):
            return True
        if was is not None and abs(now - was) >= max(error, np.finfo(float).tiny):
            return True
    return False
