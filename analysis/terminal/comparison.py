"""Runs and experts side by side, in a terminal."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aligntax.analysis.answers.sensitivity_wording import REPEATED
from aligntax.analysis.summaries.changes_in_words import size_of_change, was_and_is
from aligntax.analysis.summaries.claims import CLAIMS, WHOSE
from aligntax.analysis.summaries.claims_in_words import cell_in_words
from aligntax.analysis.summaries.words import median_and_interval
from aligntax.analysis.terminal.answer import SHOWN_QUANTITIES
from aligntax.analysis.terminal.tables import print_table, print_verdict
from aligntax.models.priors.quantities import QUANTITIES, element, quantity_of

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.answers.comparison import Comparison


def print_comparison(console: "Console", comparison: "Comparison", every: bool = False) -> None:
    """Print runs side by side: where they differ, and what differed in their views."""
    labels = comparison.labels
    for i, run in enumerate(comparison.runs):
        given = comparison.given[i]
        condition = "" if given is None else f", {given.words}"
        facts = (
            f"view {run.record['view']}, {run.record['method']}, seed {run.info['sampler']['seed']}"
        )
        console.print(f"{labels[i]}: {facts}{condition}", markup=False)
        if simulated := run.record.get("simulated"):
            console.print(f"{labels[i]}: {simulated}", markup=False, soft_wrap=True)
    names = [name for name in comparison.names if every or not element(name)]
    _print_quantities(console, comparison, names)
    _print_claims(console, comparison)
    told = [name for name in names if name not in REPEATED]
    for i in range(len(labels) - 1):
        print_changes(console, comparison, i, told)
    marked = sum(any(differs) for differs in comparison.differs.values())
    console.print(
        f"* differs from {labels[0]} beyond Monte Carlo error, however little (Holm, 5%): "
        f"{marked} of {len(comparison.differs)} numbers and claims",
        markup=False,
    )
    if comparison.note:
        console.print(comparison.note, markup=False)
    for i, label in enumerate(labels[1:]):
        draws = ("counts the same draws",) if comparison.shared[i] else ()
        facts = "; ".join((comparison.changes[i].words(), *comparison.facts[i], *draws))
        console.print(f"{label} changes {facts}", markup=False)
    _print_priors(console, comparison)
    for i, run in enumerate(comparison.runs):
        given = comparison.given[i]
        verdict = "fail" if comparison.failed(i) else "pass"
        said = {**run.record, "verdict": verdict, "given": given and given.text}
        print_verdict(console, said, f"{labels[i]}: ")


def _print_quantities(console: "Console", comparison: "Comparison", names: Sequence[str]) -> None:
    horizon, rows = comparison.runs[0].info["horizon"], []
    for name in names:
        cells = []
        for numbers, mark in zip(comparison.rows, _marks(comparison, name), strict=True):
            median, span = median_and_interval(numbers[name], quantity_of(name), horizon)
            cells.append(f"{median}{f' ({span})' if span else ''}{mark}")
        rows.append((_label(name), *cells))
    print_table(console, ("quantity", *comparison.labels), rows)


def _print_claims(console: "Console", comparison: "Comparison") -> None:
    rows = []
    for claim in CLAIMS:
        if all(claim.name in answers for answers in comparison.claims):
            marks = _marks(comparison, claim.name)
            cells = (
                cell_in_words(answers[claim.name]) + mark
                for answers, mark in zip(comparison.claims, marks, strict=True)
            )
            rows.append((f"{claim.text} ({WHOSE[claim.whose]})", *cells))
    if rows:
        print_table(console, ("claim", *comparison.labels), rows)


def _marks(comparison: "Comparison", name: str) -> list[str]:
    """Return a mark for each run that differs from the first."""
    differs = comparison.differs.get(name, (False,) * (len(comparison.runs) - 1))
    return ["", *(" *" if each else "" for each in differs)]


def _label(name: str) -> str:
    return quantity_of(name).label + (f" [{element(name)}]" if element(name) else "")


def print_changes(
    console: "Console", comparison: "Comparison", i: int, names: Sequence[str]
) -> None:
    """Print what each answer was, what it is and the change, the largest first.

    Answers that do not differ beyond Monte Carlo error are named in one line.

    Parameters
    ----------
    i : int
        Which of the further runs is compared with the first.
    """
    horizon = comparison.runs[0].info["horizon"]
    before, after = comparison.rows[0], comparison.rows[i + 1]
    moved = [name for name in names if comparison.differs[name][i]]
    moved.sort(key=lambda n: -size_of_change(before[n], after[n], quantity_of(n)))
    told = {n: was_and_is(before[n], after[n], quantity_of(n), horizon) for n in moved}
    moved = [
        n
        for n in moved
        if told[n][2] or size_of_change(before[n], after[n], quantity_of(n)) == math.inf
    ]
    rows = [(_label(name), *told[name]) for name in moved]
    first, other = comparison.labels[0], comparison.labels[i + 1]
    if rows:
        heads = ("what moved", f"was ({first})", f"is ({other})", "change")
        print_table(console, heads, rows)
    unknown = [name for name in names if comparison.undecided[name][i]]
    if unknown:
        note = f"undecided, from too few effective draws: {', '.join(map(_label, unknown))}"
        console.print(note, style="dim", markup=False)
    same = [_label(name) for name in names if name not in (*moved, *unknown)]
    if same:
        note = f"no change to speak of, or within Monte Carlo error: {', '.join(same)}"
        console.print(note, style="dim", markup=False)


def print_was_and_is(console: "Console", comparison: "Comparison") -> None:
    """Print how a refit moved the leading answers of the run that it was made of."""
    names = [n for n in comparison.names if not element(n) and n not in REPEATED]
    shown = [n for n in names if n in SHOWN_QUANTITIES] or names
    print_changes(console, comparison, 0, shown)


def _print_priors(console: "Console", comparison: "Comparison") -> None:
    """Print priors that differ, in natural units."""
    names = [name for change in comparison.changes for name in change.quantities]
    rows = []
    for name in dict.fromkeys(names):
        quantity, cells = QUANTITIES[name], []
        for run in comparison.runs:
            points = quantity.from_link(
                run.view.stated([name]).table(name).value([-1.6448536, 0.0, 1.6448536])
            )
            cells.append(f"{points[1]:.3g} ({points[0]:.3g} to {points[2]:.3g})")
        rows.append((f"{quantity.label}, {quantity.unit}", *cells))
    if rows:
        print_table(console, ("prior", *comparison.labels), rows)
