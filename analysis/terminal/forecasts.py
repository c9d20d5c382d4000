"""Timelines in a terminal: shifts by anchor, and published forecasts reproduced."""

from typing import TYPE_CHECKING

import numpy as np

from aligntax.analysis.answers.timeline_shifts import ShiftRow, ShiftTable
from aligntax.analysis.summaries.words import format_probability
from aligntax.analysis.terminal.tables import print_table, print_verdict
from aligntax.analysis.trust.published_forecasts import Reproduction
from aligntax.analysis.trust.published_research import ResearchReproduction
from aligntax.models.priors.quantities import lookup

if TYPE_CHECKING:
    from rich.console import Console


SHOWN_YEARS = (2030.0, 2036.0, 2040.0, 2050.0, 2100.0)  # --json has every one


def print_shifts(console: "Console", found: ShiftTable) -> None:
    """Print the shifts of a run, one table for each group of anchors.

    Causes that move nothing there are left out.
    """
    condition = f", given {found.given}" if found.given else ""
    console.print(
        f"{found.run}{condition}: years by which each cause moves arrival, draw by draw",
        markup=False,
    )
    for group in dict.fromkeys(row.group for row in found.rows):
        mine = [row for row in found.rows if row.group == group]
        rows = [
            (
                lookup(row.shift).label,
                *(_years(row.quantiles[q]) for q in ("q05", "q50", "q95")),
                _without_number(row),
            )
            for row in mine
            if group == "all" or any(row.quantiles.values()) or row.prob_right_censored
        ]
        title = f"{group.replace('_', ' ')} ({format_probability(mine[0].weight)})"
        print_table(console, (title, "5%", "median", "95%", "without a number"), rows)
    console.print(
        "Without a number: only the later world, only the earlier one, or neither arrives before "
        "the horizon.\n"
        "Endless: TAI arrives, and its wait for alignment does not end before the horizon.\n"
        "Quantiles are of the shifts that are defined; a dash is infinite.",
        markup=False,
        soft_wrap=True,
    )
    print_verdict(console, vars(found))


def _without_number(row: ShiftRow) -> str:
    missing = (
        (row.prob_right_censored, "later never"),
        (row.prob_left_censored, "earlier never"),
        (row.prob_undefined, "neither"),
        (row.prob_endless, "endless"),
    )
    return ", ".join(f"{format_probability(p)} {words}" for p, words in missing if p)


def _years(value: float | None) -> str:
    return "-" if value is None else f"{value + 0.0:.2f}"


def print_reproduction(console: "Console", found: Reproduction) -> None:
    """Print every reading of a published forecast beside what was published."""
    _print_probabilities(console, found)
    _print_requirements(console, found)
    if shift := found.readings[0].shift_of_neural_nets():
        censored = (shift["prob_right_censored"] or 0) + (shift["prob_undefined"] or 0)
        console.print(
            "Data that grow linearly with parameters instead of as parameters^0.8 move arrival by "
            f"{shift['q50']:.1f} years (median; 10 to 90%: {_years(shift['q10'])} to "
            f"{_years(shift['q90'])}) where a neural-net anchor counts, which it does in "
            f"{format_probability(shift['weight'] or 0.0)} of draws; 'a few years' was claimed. "
            f"{format_probability(censored)} of these have no number: one or both worlds come "
            "after the horizon.",
            markup=False,
            soft_wrap=True,
        )


def _print_probabilities(console: "Console", found: Reproduction) -> None:
    heads = (
        "reading of its inputs",
        *(f"{year:.0f}" for year in SHOWN_YEARS),
        "10%",
        "50%",
        "off",
        "needs",
    )
    percent = (
        "" if found.published.get(y) is None else f"{100 * found.published[y]:.1f}"
        for y in SHOWN_YEARS
    )
    at = {p: year for year, p in found.published.items()}
    rows = [
        ("published", *percent, *(f"{at[p]:.1f}" if p in at else "" for p in (0.1, 0.5)), "", "")
    ]
    for reading in found.readings:
        percent = (f"{100 * reading.probability(year):.1f}" for year in SHOWN_YEARS)
        quantiles = (reading.quantile(p) for p in (0.1, 0.5))
        rows.append(
            (
                reading.name,
                *percent,
                *("later" if q is None else f"{q:.1f}" for q in quantiles),
                f"{found.difference(reading):.1f}",
                f"{reading.requirements()[1]:.2f}",
            )
        )
    print_table(
        console, heads, rows, f"{found.name}: probability (%) by each year that {found.milestone}"
    )
    console.print(
        "off: largest difference from a published probability, points; needs: median, log10 FLOP",
        markup=False,
    )


def _print_requirements(console: "Console", found: Reproduction) -> None:
    rows = [
        (
            part.replace("_", " "),
            *(f"{q:.2f}" for q in found.recomputed(part)),
            *("" if np.isnan(q) else f"{q:.2f}" for q in known),
        )
        for part, known in found.requirements.items()
    ]
    print_table(
        console,
        ("requirement, log10 FLOP", "10%", "50%", "90%", "published 10%", "50%", "90%"),
        rows,
    )


def print_research(console: "Console", found: ResearchReproduction) -> None:
    """Print every milestone of every reading beside what was published."""
    rows = []
    for reading in found.readings:
        quantiles = (reading.quantile(p) for p in (0.1, 0.5, 0.9))
        known, off = reading.published.get(0.5), reading.difference()
        rows.append(
            (
                reading.name,
                reading.milestone,
                *("later" if q is None else f"{q:.1f}" for q in quantiles),
                "" if known is None else f"{known:.1f}",
                "" if off is None else f"{off:+.1f}",
            )
        )
    heads = ("reading of its inputs", "milestone", "10%", "50%", "90%", "published 50%", "off")
    print_table(console, heads, rows, f"{found.name}: year of each milestone")
    for sentence in ("off: years later than published.", *found.why):
        console.print(sentence, markup=False, soft_wrap=True)
