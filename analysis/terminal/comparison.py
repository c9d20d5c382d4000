"""Runs and experts side by side, in a terminal."""

from typing import TYPE_CHECKING

from aligntax.analysis.summaries.claims import CLAIMS
from aligntax.analysis.summaries.words import format_probability, median_and_interval
from aligntax.models.priors.quantities import QUANTITIES, element, quantity_of

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.answers.comparison import Comparison
    from aligntax.analysis.experts import Experts
from aligntax.analysis.terminal.answer import ANSWER
from aligntax.analysis.terminal.tables import print_table


def print_comparison(console: "Console", comparison: "Comparison", every: bool = False) -> None:
    """Print runs side by side, where they differ beyond Monte Carlo error, and what differed in their views."""
    labels, horizon = comparison.labels, comparison.runs[0].info["horizon"]
    for i, run in enumerate(comparison.runs):
        given = comparison.given[i]
        condition = "" if given is None else f", {given.words}"
        facts = (
            f"view {run.record['view']}, {run.record['method']}, seed {run.info['sampler']['seed']}"
        )
        console.print(
            f"{labels[i]}: {facts}, verdict {run.record['verdict']}{condition}", markup=False
        )
    rows = []
    for name in comparison.names:
        if element(name) and not every:
            continue
        quantity = quantity_of(name)
        cells = []
        for i, numbers in enumerate(comparison.rows):
            median, span = median_and_interval(numbers[name], quantity, horizon)
            mark = "" if i == 0 else " *" if comparison.differs[name][i - 1] else ""
            cells.append(f"{median}{f' ({span})' if span else ''}{mark}")
        rows.append((quantity.label + (f" [{element(name)}]" if element(name) else ""), *cells))
    print_table(console, ("quantity", *labels), rows)
    told = [claim for claim in CLAIMS if all(claim.name in each for each in comparison.claims)]
    chances = []
    for claim in told:
        marks = ("", *(" *" if differs else "" for differs in comparison.differs[claim.name]))
        chances.append(
            (
                claim.text,
                *(
                    format_probability(each[claim.name]) + m
                    for each, m in zip(comparison.claims, marks, strict=True)
                ),
            )
        )
    if chances:
        print_table(console, ("claim", *labels), chances)
    _differences(console, comparison, every)
    marked = sum(any(differs) for differs in comparison.differs.values())
    total = len(comparison.differs)
    console.print(
        f"* differs from {labels[0]} beyond Monte Carlo error, however little (Holm, 5%): {marked} of {total} numbers and claims",
        markup=False,
    )
    for i, label in enumerate(labels[1:]):
        draws = ("counts the same draws",) if comparison.shared[i] else ()
        facts = "; ".join((comparison.changes[i].words(), *comparison.facts[i], *draws))
        console.print(f"{label} changes {facts}", markup=False)
    _priors(console, comparison)


def _differences(console: "Console", comparison: "Comparison", every: bool) -> None:
    """Print differences of medians from the first run, with their Monte Carlo errors."""
    rows = []
    for name in comparison.names:
        if element(name) and not every:
            continue
        quantity, cells = quantity_of(name), []
        unit = (
            "OOM"
            if quantity.scale == "log10"
            else {"1": "", "year": "years"}.get(quantity.unit, quantity.unit)
        )
        for (value, error), differs in zip(
            comparison.differences[name], comparison.differs[name], strict=True
        ):
            spread = "unknown" if error is None else f"{error:.1g}"
            told = "none: censored" if value is None else f"{value:+.2g} ± {spread} {unit}".rstrip()
            cells.append(told + (" *" if differs else ""))
        rows.append((quantity.label + (f" [{element(name)}]" if element(name) else ""), *cells))
    first, *others = comparison.labels
    print_table(
        console,
        (f"median less that of {first}", *(f"{other}, ± Monte Carlo error" for other in others)),
        rows,
    )


def _priors(console: "Console", comparison: "Comparison") -> None:
    """Print priors that differ, in natural units."""
    names = [name for change in comparison.changes for name in change.quantities]
    rows = []
    for name in dict.fromkeys(names):
        quantity, cells = QUANTITIES[name], []
        for run in comparison.runs:
            points = quantity.from_link(
                run.view.tables([name]).table(name).value([-1.6448536, 0.0, 1.6448536])
            )
            cells.append(f"{points[1]:.3g} ({points[0]:.3g} to {points[2]:.3g})")
        rows.append((f"{quantity.label}, {quantity.unit}", *cells))
    if rows:
        print_table(console, ("prior", *comparison.labels), rows)


def print_experts(console: "Console", answer: "Experts") -> None:
    """Print medians of each expert and of their pool, and how much of the spread lies between experts."""
    horizon = answer.pooled.info["horizon"]
    columns = [*(a.record["view"] for a in answer.answers), "pooled"]
    runs = (*answer.answers, answer.pooled)
    rows = []
    for name in ANSWER:
        share = answer.between.get(name)
        quantity = QUANTITIES[name]
        medians = [
            median_and_interval(a.record["quantities"][name], quantity, horizon)[0]
            for a in runs
            if name in a.record["quantities"]
        ]
        if len(medians) == len(runs):
            rows.append((quantity.label, *medians, "" if share is None else f"{share:.0%}"))
    print_table(console, ("median of", *columns, "between experts"), rows)
    for a, weight in zip(answer.answers, answer.weights, strict=True):
        console.print(
            f"{a.record['view']} (weight {weight:.2g}): {a.info['refit']['reason']}", markup=False
        )
    console.print(f"pooled: {answer.pooled.info['refit']['reason']}", markup=False)
    failed = [a.record["run"] for a in runs if a.record["verdict"] != "pass"]
    console.print(
        f"verdict: {'a check failed in ' + ', '.join(failed) if failed else 'pass'}", markup=False
    )
    console.print(f"runs: {', '.join(str(a.path) for a in runs)}", soft_wrap=True, markup=False)
