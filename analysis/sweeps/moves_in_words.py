"""How answers move when a pool of experts changes, and how far experts differ, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aligntax.analysis.answers.sensitivity_wording import REPEATED
from aligntax.analysis.summaries.changes_in_words import size_of_change
from aligntax.analysis.summaries.differences_in_words import describe_difference
from aligntax.analysis.summaries.words import (
    format_number,
    format_probability,
    median_and_interval,
)
from aligntax.analysis.sweeps.experts import Experts
from aligntax.analysis.sweeps.pool_changes import Move, PoolChange
from aligntax.analysis.sweeps.wording import LEADING
from aligntax.models.priors.quantities import Quantity, lookup, quantity_of
from aligntax.models.views.variance_split import VarianceSplit

MOST = 3  # answers that are told of one change
ERRORS = 2.0  # standard errors within which a change of a median is not told
INTERVAL = "its interval alone"
SPLIT_HEADS = ("quantity", "experts", "sd between them", "sd of one", "between, of the variance")
LEFT_OUT_HEADS = ("expert left out", "answer", "was", "is", "change of its median")
DISPUTE_HEADS = ("disputed", "answer", "from", "to", "change of its median")
UNITS = {"log10": "OOM", "logit": "log odds"}


@dataclass(frozen=True)
class Told:
    """Changes in words.

    Attributes
    ----------
    rows : tuple of tuple of str
        What changes, the answer, what it was, what it is, and the change of its median.
    still : tuple of str
        Changes that move no answer beyond Monte Carlo error.
    notes : tuple of str
        Changes without answers and why, or in whose runs a check failed.
    """

    rows: tuple[tuple[str, ...], ...]
    still: tuple[str, ...]
    notes: tuple[str, ...]


def left_out_in_words(changes: Sequence[PoolChange], horizon: float) -> Told:
    """How answers move with each expert left out, the largest moves of each first."""
    rows = [
        (change.what, *_cells(move, horizon)) for change in changes for move in _largest(change)
    ]
    return _told(changes, rows, {change.what: change.what for change in changes})


def disputes_in_words(changes: Sequence[PoolChange], horizon: float) -> Told:
    """How answers move with each disputed quantity; what moves an answer most comes first."""
    labels = {change.what: lookup(change.what).label for change in changes}
    moves = [(change, move) for change in changes for move in _largest(change)]
    moves.sort(key=lambda each: -_size(each[1]))
    rows = []
    for change, move in moves:
        answer, was, now, text = _cells(move, horizon)
        one, two = change.ends
        rows.append((labels[change.what], answer, f"{was} [{one}]", f"{now} [{two}]", text))
    return _told(changes, rows, labels)


def _told(
    changes: Iterable[PoolChange], rows: Iterable[tuple[str, ...]], labels: Mapping[str, str]
) -> Told:
    still = tuple(labels[c.what] for c in changes if c.moves and not c.seen)
    notes = [f"{labels[c.what]}: no answer, {c.how}" for c in changes if not c.moves]
    notes += [f"{labels[c.what]}: a check failed in its run" for c in changes if not c.passed]
    return Told(tuple(rows), still, tuple(notes))


def _largest(change: PoolChange) -> list[Move]:
    moves = [move for move in change.seen if move.answer not in REPEATED]
    return sorted(moves, key=lambda move: -_size(move))[:MOST]


def _size(move: Move) -> float:
    return size_of_change(move.before, move.after, quantity_of(move.answer))


def _cells(move: Move, horizon: float) -> tuple[str, str, str, str]:
    quantity = quantity_of(move.answer)
    ends = []
    for row in (move.before, move.after):
        median, span = median_and_interval(row, quantity, horizon)
        ends.append(f"{median} ({span})" if span else median)
    value, error = move.change
    within = value is not None and error is not None and abs(value) < ERRORS * error
    change = INTERVAL if within else describe_difference(move.change, quantity)
    return quantity.label, ends[0], ends[1], change


def split_rows(split: Mapping[str, VarianceSplit]) -> list[tuple[str, ...]]:
    """A row a quantity: its experts, standard deviations between and within, and the share."""
    rows = []
    for name, found in split.items():
        quantity = lookup(name)
        sds = [_sd(value, quantity) for value in (found.between, found.within)]
        rows.append((quantity.label, str(found.experts), *sds, format_probability(found.share)))
    return rows


def _sd(variance: float, quantity: Quantity) -> str:
    """Standard deviation on a quantity's link, with its unit."""
    unit = UNITS.get(quantity.scale, "" if quantity.unit == "1" else quantity.unit)
    return f"{format_number(variance**0.5)} {unit}".rstrip()


def answers_by_expert(found: Experts) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads, and a row an expert, of the leading answers; then the pool, and the share between."""
    horizon, runs = found.pooled.info["horizon"], (*found.answers, found.pooled)
    rows = [run.record["quantities"] for run in runs]
    shared = [name for name in found.between if all(name in row for row in rows)]
    names = [name for name in LEADING if name in shared] or shared[: len(LEADING)]
    table = []
    named = [*(run.record["view"] for run in found.answers), "pooled"]
    for label, weight, row in zip(named, [*found.weights, None], rows, strict=True):
        medians = (median_and_interval(row[n], quantity_of(n), horizon)[0] for n in names)
        table.append((label, "" if weight is None else f"{weight:.2g}", *medians))
    between = (found.between[name] for name in names)
    told = ("" if share is None else f"{share:.0%}" for share in between)
    heads = ("median under", "weight", *(quantity_of(name).label for name in names))
    return heads, [*table, ("between experts", "", *told)]
