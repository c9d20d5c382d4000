"""The answer of a run in a terminal: by requirement, claims, quantities, checks and verdict.

What a figure hangs on is printed before the figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from aligntax.analysis.summaries.alignment_wait import DELAY, LABEL, AlignmentWait
from aligntax.analysis.summaries.checks_in_words import failure_in_words
from aligntax.analysis.summaries.claims import QUESTIONS, WHOSE, stated
from aligntax.analysis.summaries.claims_in_words import chance_in_words, notes_in_words
from aligntax.analysis.summaries.kinds_in_words import (
    COLUMNS,
    CURVE_COLUMNS,
    curve_cells,
    kind_cells,
    kind_line,
)
from aligntax.analysis.summaries.shapes_in_words import SHAPE_COLUMNS, shape_cells, threshold_line
from aligntax.analysis.summaries.words import (
    format_probability,
    how_many,
    median_and_interval,
    missing_mass,
    verdict_line,
    without_long_vectors,
)
from aligntax.analysis.terminal.tables import print_simulated, print_table
from aligntax.models.priors.quantities import element, quantity_of

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.summaries.weights import Weights


# the joint model's quantities that are shown without --all, in this order
SHOWN_QUANTITIES = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "labour_tax",
    "compute_tax",
    "alignment_tax",
    "tolerance_at_arrival",
    "alignment_tax_tolerance",
    "tax_headroom",
    "prob_affordable",
    "compute_not_tolerated",
    "labour_not_tolerated",
    "workforce_too_small",
    "alignment_ends",
    "tai_year",
    "tai_year_baseline_exponent",
    "timeline_shift_exponent",
    "timeline_shift_allocation",
    "allocation_progress",
    "allocation_progress_most",
    DELAY,
    "tai_flop",
    "training_cost_at_tai",
    "data_exponent",
    "data_exponent_pooled",
    "data_factor_at_1e5",
    "data_factor_at_1e5_pooled",
)

# elicited quantities that a derived one tells in its natural unit
DERIVED_AS = {"data_exponent_prior": "data_exponent_pooled"}


def print_run(
    console: "Console",
    folder: Path,
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    every: bool = False,
    weights: "Weights | None" = None,
) -> None:
    """Print the answer by requirement, claims, quantities, failed checks, verdict and report.

    Parameters
    ----------
    every : bool
        Whether every quantity is shown.
    weights : Weights, optional
        Weights of draws in the pictures, if ``record`` is conditional.
    """
    console.print(
        f"{record['model']} under view {record['view']}, {record['method']}, "
        f"seed {info['sampler']['seed']}",
        markup=False,
    )
    if refit := info.get("refit"):
        console.print(f"from {info['refitted_from']['run']}: {refit['reason']}", markup=False)
    print_simulated(console, record)
    if runs := info.get("runs"):
        console.print(f"runs: {runs['words']}", markup=False, soft_wrap=True)
    for quantity, link in info.get("links", {}).items():
        console.print(f"{quantity} {link['words']}", markup=False, soft_wrap=True)
    if given := record.get("given"):
        chance = format_probability(given["probability"])
        console.print(
            f"given {given['text']}: probability {chance}, {how_many(given['draws'], 'draw')}, "
            f"{given['ess']:.0f} effective",
            markup=False,
        )
    _print_kinds(console, record.get("by_requirement", ()), info["horizon"])
    _print_shapes(console, record.get("by_shape", ()), info["horizon"])
    if record["claims"]:
        _print_claims(console, record["claims"])
    _print_curve(console, record.get("exponent_shift_curve", {}))
    _print_quantities(console, folder, record, info, every, weights)
    _print_failed_checks(console, record["checks"])
    _print_verdict(console, record)
    report = folder / "report.html"
    where = (
        f"report: {report}"
        if report.exists()
        else f"run: {folder} (its report: `aligntax report {quote(str(folder))}`)"
    )
    console.print(where, soft_wrap=True, markup=False)


def _print_verdict(console: "Console", record: Mapping[str, Any]) -> None:
    """Print what the report says against a run, and the verdict with their number."""
    for text in record.get("exceptions", ()):
        console.print(f"exception: {text}", style="bold red", markup=False, soft_wrap=True)
    style = "green" if record["verdict"] == "pass" else "bold red"
    console.print(verdict_line(record, "see above"), style=style, markup=False)


def _print_kinds(console: "Console", kinds: Sequence[Mapping[str, Any]], horizon: float) -> None:
    """Print the answer by kind of requirement, or one line where there is one kind."""
    if len(kinds) == 1:
        console.print(kind_line(kinds[0], horizon), markup=False)
    elif kinds:
        cells = [kind_cells(row, horizon) for row in kinds]
        print_table(console, tuple(text.format(horizon=horizon) for text in COLUMNS), cells)


def _print_shapes(console: "Console", shapes: Sequence[Mapping[str, Any]], horizon: float) -> None:
    """Print the superhuman coder by shape of growth, and how far the threshold moves it."""
    if shapes:
        cells = [shape_cells(row, horizon) for row in shapes]
        print_table(console, tuple(text.format(horizon=horizon) for text in SHAPE_COLUMNS), cells)
        console.print(threshold_line(shapes, horizon), markup=False)


def _print_curve(console: "Console", curve: Mapping[str, Any]) -> None:
    """Print how far the data exponent moves arrival, by weight on neural-net anchors."""
    if curve.get("points"):
        own = format_probability(curve["prior_weight"])
        console.print(
            "years by which the data exponent moves points of arrival, against 0.8 "
            f"(this view's weight: {own})",
            markup=False,
        )
        print_table(console, CURVE_COLUMNS, curve_cells(curve))
    if curve.get("note"):
        console.print(curve["note"], markup=False)


def _print_claims(console: "Console", claims: Mapping[str, Mapping[str, Any]]) -> None:
    rows, previous = [], ""
    for claim in stated(claims):
        answer, question = claims[claim.name], QUESTIONS[claim.part]
        notes = notes_in_words(answer)
        text = ", ".join([claim.text, *notes])
        shown = "" if question == previous else question
        rows.append((shown, text, WHOSE[claim.whose], chance_in_words(answer)))
        previous = question
    print_table(console, ("question", "claim", "whose", "probability"), rows)


def _print_failed_checks(console: "Console", checks: Iterable[Mapping[str, Any]]) -> None:
    for check in checks:
        if not check["passed"]:
            text = f"check failed: {failure_in_words(check)}"
            console.print(text, style="bold red", markup=False)


def _print_quantities(
    console: "Console",
    folder: Path,
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    every: bool,
    weights: "Weights | None",
) -> None:
    """Print quantities; where the console can draw, also their densities and arrival by year."""
    from aligntax.analysis.terminal.drawings import (
        print_arrival_curve,
        print_table_with_bars,
        read_drawable,
    )

    quantities, joint = record["quantities"], record["model"] == "joint"
    if suffices := quantities.get("data_suffices"):
        share = format_probability(1.0 - suffices["mean"])
        console.print(
            f"no amount of data suffices in {share} of draws: there the record prefers an "
            "unaligned policy",
            markup=False,
        )
    names = _shown_names(quantities, joint, every)
    rows = {name: _quantity_row(name, quantities[name], info["horizon"]) for name in names}
    if DELAY in rows and (wait := AlignmentWait.of_record(record)):
        rows[DELAY] = (LABEL, "", "", wait.words(info["horizon"]))
    draws = read_drawable(console, folder, names, weights)
    columns = ("quantity", "median", "90% interval", "note")
    if draws is None:
        print_table(console, columns, rows.values())
    else:
        print_table_with_bars(console, columns, rows, draws)
    single = 0 if every or joint else len(quantities) - len(without_long_vectors(quantities))
    if single:
        console.print(f"and {how_many(single, 'number')} of single runs, with --all", markup=False)
    if draws is not None:
        print_arrival_curve(console, draws, info)


def _shown_names(quantities: Mapping[str, Any], joint: bool, every: bool) -> list[str]:
    """Return the quantities to show, the leading ones first."""
    if every:
        names = list(quantities)
    elif joint:
        names = [name for name in quantities if name in SHOWN_QUANTITIES]
    else:
        names = [
            name
            for name in without_long_vectors(quantities)
            if DERIVED_AS.get(name) not in quantities
        ]
    order = {name: i for i, name in enumerate(SHOWN_QUANTITIES)}
    return sorted(names, key=lambda name: order.get(name, len(order)))


def _quantity_row(name: str, row: Mapping[str, Any], horizon: float) -> tuple[str, str, str, str]:
    quantity = quantity_of(name)
    label = quantity.label + (f" [{element(name)}]" if element(name) else "")
    median, span = median_and_interval(row, quantity, horizon)
    notes = [
        note
        for note in (missing_mass(row, quantity, horizon), "assumed" if row["assumed"] else "")
        if note
    ]
    return label, median, span, "; ".join(notes)
