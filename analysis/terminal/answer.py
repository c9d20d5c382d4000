"""Tables a person reads in a terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.summaries.claims import CLAIMS, assumed_quantities
from aligntax.analysis.summaries.words import (
    format_probability,
    median_and_interval,
    missing_mass,
    without_long_vectors,
)
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.priors.quantities import element, quantity_of

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.summaries.weights import Weights


ANSWER = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "alignment_tax",
    "alignment_tax_tolerance",
    "tax_headroom",
    "prob_affordable",
    "tai_year",
    "tai_year_baseline_exponent",
    "timeline_shift_exponent",
    "timeline_shift_alignment",
    "tai_flop",
    "training_cost_at_tai",
    "data_exponent",
    "data_exponent_pooled",
)
CLAIM_HEADS = {
    1: "How much alignment data is needed?",
    2: "Does a tolerable tax pay for it?",
    3: "How far do timelines move?",
}


def print_run(
    console: "Console",
    folder: Path,
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    every: bool = False,
    weights: "Weights | None" = None,
) -> None:
    """Print a run: verdict, claims, quantities with 90% intervals, and where its report is; with small pictures on a terminal.

    ``weights`` are what each draw counts in the pictures, where ``record`` is conditional.
    """
    good = record["verdict"] == "pass"
    console.print(
        f"{record['model']} under view {record['view']}, {record['method']}, seed {info['sampler']['seed']}",
        markup=False,
    )
    if refit := info.get("refit"):
        console.print(f"from {info['refitted_from']['run']}: {refit['reason']}", markup=False)
    if runs := info.get("runs"):
        console.print(f"runs: {runs['words']}", markup=False, soft_wrap=True)
    for quantity, link in info.get("links", {}).items():
        console.print(f"{quantity} {link['words']}", markup=False, soft_wrap=True)
    if given := record.get("given"):
        size = f"{given['draws']} draws, {given['ess']:.0f} effective"
        console.print(
            f"given {given['text']}: probability {format_probability(given['probability'])}, {size}",
            markup=False,
        )
    if record["claims"]:
        unlearned, shown = assumed_quantities(info), []
        for claim in CLAIMS:
            if claim.name in record["claims"]:
                note = "  (assumed: no evidence bears on it)" if claim.quantity in unlearned else ""
                shown.append(
                    (
                        CLAIM_HEADS[claim.part],
                        claim.text + note,
                        format_probability(record["claims"][claim.name]),
                    )
                )
        previous = ""
        for i, (head, text, chance) in enumerate(shown):
            shown[i] = ("" if head == previous else head, text, chance)
            previous = head
        print_table(console, ("question", "claim", "probability"), shown)
    _quantities(console, folder, record, info, every, weights)
    for check in record["checks"]:
        if not check["passed"]:
            where = f" ({check['where']})" if check["where"] else ""
            value = "unknown" if check["value"] is None else f"{check['value']:.4g}"
            console.print(
                f"check failed: {check['name']}{where} is {value}, limit {check['threshold']:g}; {check['action']}",
                style="bold red",
                markup=False,
            )
    state = "its checks passed" if good else "do not trust this result: a check failed"
    console.print(
        f"verdict: {record['verdict']} ({state})",
        style="green" if good else "bold red",
        markup=False,
    )
    report = folder / "report.html"
    where = (
        f"report: {report}"
        if report.exists()
        else f"run: {folder} (its report: `aligntax report {folder}`)"
    )
    console.print(where, soft_wrap=True, markup=False)


def _quantities(
    console: "Console",
    folder: Path,
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    every: bool,
    weights: "Weights | None",
) -> None:
    """Print quantities; where the console can draw, their densities and arrival by year."""
    from aligntax.analysis.terminal.drawings import print_arrival_curve, print_table_with_bars, sketch

    quantities, joint = record["quantities"], record["model"] == "joint"
    if suffices := quantities.get("data_suffices"):
        none = f"no amount of data suffices in {format_probability(1.0 - suffices['mean'])} of draws"
        console.print(f"{none}: there the record prefers an unaligned policy", markup=False)
    lead = (
        list(quantities)
        if every
        else [n for n in quantities if n in ANSWER]
        if joint
        else without_long_vectors(quantities)
    )
    lead.sort(key=lambda name: ANSWER.index(name) if name in ANSWER else len(ANSWER))
    rows = {name: _quantity_row(name, quantities[name], info["horizon"]) for name in lead}
    draws = sketch(console, folder, lead, weights)
    columns = ("quantity", "median", "90% interval", "note")
    if draws is None:
        print_table(console, columns, rows.values())
    else:
        print_table_with_bars(console, columns, rows, draws)
    if not joint and len(lead) < len(quantities):
        console.print(
            f"and {len(quantities) - len(lead)} quantities of single runs, with --all", markup=False
        )
    if draws is not None:
        print_arrival_curve(console, draws, info)


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
