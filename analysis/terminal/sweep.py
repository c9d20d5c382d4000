"""A sweep in a terminal: how far its views are apart, and which disagreement moves what."""

from typing import TYPE_CHECKING

from aligntax.analysis.summaries.words import how_many, label_of
from aligntax.analysis.sweeps.wording import (
    FEW,
    extent_in_words,
    interval_within_view,
    moves_in_words,
    same_views,
    share_between_views,
    shown_of_views,
    totals_line,
    view_rows,
)
from aligntax.analysis.terminal.tables import print_simulated, print_table
from aligntax.models.priors.quantities import element

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.sweeps.disagreement import Disagreement
    from aligntax.analysis.sweeps.sweep import Sweep


MOST_LISTED = 10  # failures that are listed


def print_sweep(console: "Console", sweep: "Sweep", found: "Disagreement") -> None:
    """Print a finished sweep."""
    info = sweep.info
    console.print(totals_line(info, found), markup=False, soft_wrap=True)
    for name, other in same_views(info):
        console.print(
            f"view {name} has the same content as {other}, and counts once with it", markup=False
        )
    print_simulated(console, info)
    if 1 < len(found.views) <= FEW:
        heads = ("view", *(label_of(name) for name in shown_of_views(found)))
        print_table(console, heads, view_rows(found))
    rows = [
        (
            label_of(each.answer),
            *extent_in_words(each),
            interval_within_view(each),
            share_between_views(each),
            moves_in_words(found, each.answer),
        )
        for each in found.spreads
        if not element(each.answer)
    ]
    columns = (
        "answer (median)",
        "lowest view",
        "middle view",
        "highest view",
        "90% within a view",
        "between",
        "moved by",
    )
    print_table(console, columns, rows)
    for failure in info["failures"][:MOST_LISTED]:
        what = f"case {failure['case']} ({failure['view']}, seed {failure['seed']})"
        console.print(
            f"no answer: {what}: {failure['error']}", style="bold red", markup=False, soft_wrap=True
        )
    if len(info["failures"]) > MOST_LISTED:
        console.print(
            f"and {len(info['failures']) - MOST_LISTED} more without an answer",
            style="bold red",
            markup=False,
        )
    if info["failed_checks"]:
        count = info["failed_checks"]
        console.print(
            f"checks failed in {count} of {how_many(len(info['cases']), 'case')}: see cases.csv",
            style="bold red",
            markup=False,
        )
    good = info["verdict"] == "pass"
    console.print(
        f"verdict: {info['verdict']}", style="green" if good else "bold red", markup=False
    )
    console.print(f"results: {sweep.path / 'answers.csv'}", markup=False, soft_wrap=True)
    if (sweep.path / "report.html").is_file():
        console.print(f"report: {sweep.path / 'report.html'}", markup=False, soft_wrap=True)
