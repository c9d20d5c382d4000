"""Rows of a report's tables about the answer: checks, quantities, drivers, shifts, anchors."""

from collections.abc import Mapping, Sequence
from typing import Any

from aligntax.analysis.answers import sensitivity_wording
from aligntax.analysis.answers.timeline_shifts import shifts_by_anchor
from aligntax.analysis.figures.style import view_of
from aligntax.analysis.pages.glossary import terms
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.alignment_wait import DELAY, LABEL, AlignmentWait
from aligntax.analysis.summaries.checks_in_words import value_and_limit
from aligntax.analysis.summaries.words import (
    format_probability,
    label_of,
    median_and_interval,
    missing_mass,
)
from aligntax.models.priors.quantities import Quantity, lookup, quantity_of
from aligntax.models.views import ANCHORS

REPORTED = ("all", "neural nets only")  # groups of anchors whose shifts the page lists


def check_row(check: Mapping[str, Any]) -> dict[str, Any]:
    """Return a check with its value, its limit and its name in words."""
    value, limit = value_and_limit(check)
    return {**check, "shown": value, "limit": limit, "words": check["name"].replace("_", " ")}


def quantity_row(name: str, row: Mapping[str, Any], horizon: float) -> dict[str, Any]:
    """Return the row of a quantity, in words and in numbers."""
    quantity = quantity_of(name)
    median, ninety = median_and_interval(row, quantity, horizon)
    plain = {
        key: "" if row.get(key) is None else f"{row[key]:.4g}"
        for key in ("mean", "sd", "q05", "q50", "q95", "mcse_median", "r_hat")
    }
    return {
        "name": name,
        "label": label_of(name),
        "median": median,
        "interval": ninety,
        "missing": missing_mass(row, quantity, horizon),
        "unit": _unit(quantity),
        "meaning": quantity.meaning,
        "assumed": bool(row.get("assumed")),
        "ess": "" if row.get("ess_bulk") is None else f"{row['ess_bulk']:.0f}",
        "contraction": format_contraction(row),
        **plain,
    }


def answer_rows(names: Sequence[str], result: Result, horizon: float) -> list[dict[str, Any]]:
    """Return rows of the leading quantities; the delay by alignment has shares for a median."""
    rows = [quantity_row(name, result.record["quantities"][name], horizon) for name in names]
    wait = AlignmentWait.of(result.derived, result.weights)
    for row in rows:
        if wait and row["name"] == DELAY:
            row |= {"label": LABEL, "median": wait.words(horizon), "interval": "", "missing": ""}
    return rows


def format_contraction(row: Mapping[str, Any]) -> str:
    """Return by how much the posterior is narrower than the prior, in percent; empty if unknown."""
    value = row.get("contraction")
    return "" if value is None else f"{round(100 * value)}%"


def _unit(quantity: Quantity) -> str:
    unit = "" if quantity.unit == "1" else quantity.unit
    return f"log10 {unit}".strip() if quantity.scale == "log10" else unit


def driver_table(result: Result) -> dict[str, Any]:
    """Return what drives the answer, in words; without rows if the run did not compute it."""
    found = result.info.get("sensitivity")
    if not found:
        return {"rows": []}
    shown = sensitivity_wording.shown_answers(found)
    notes = [
        sensitivity_wording.CAUTION,
        sensitivity_wording.open_sentence(found, shown),
        sensitivity_wording.contraction_sentence(found),
        sensitivity_wording.decision_sentence(found.get("decision")),
    ]
    rows = sensitivity_wording.driver_rows(found, shown)
    elicited = list(found["quantities"])
    split = (
        {key: list(terms(row[key], elicited)) for key in ("drivers", "spread")} for row in rows
    )
    return {
        "rows": [row | pieces for row, pieces in zip(rows, split, strict=True)],
        "notes": [note for note in notes if note],
    }


def shift_rows(result: Result) -> list[dict[str, str]]:
    """Return shifts of arrival over all draws and where a neural-net anchor counts, if any."""
    if "tai_anchor" not in result.derived:
        return []
    return [
        {
            "name": row.shift,
            "label": lookup(row.shift).label,
            "group": f"{row.group} ({format_probability(row.weight)})",
            **{
                q: "later or never" if value is None else f"{value + 0.0:.2f}"
                for q, value in row.quantiles.items()
            },
            "right": format_probability(row.prob_right_censored),
            "left": format_probability(row.prob_left_censored),
            "undefined": format_probability(row.prob_undefined),
            "endless": format_probability(row.prob_endless),
        }
        for row in shifts_by_anchor(result).rows
        if row.group in REPORTED
    ]


def anchor_rows(result: Result) -> list[dict[str, str]]:
    """Return prior weight and posterior probability of each requirement anchor."""
    rows, weights = result.record["quantities"], view_of(result).anchors
    found = {anchor: rows.get(f"anchor_probability[{anchor}]") for anchor in ANCHORS}
    return [
        {
            "name": anchor.replace("_", " "),
            "prior": format_probability(weights[anchor]),
            "posterior": format_probability(row["mean"]),
        }
        for anchor, row in found.items()
        if row is not None and row["mean"] is not None and (weights[anchor] or row["mean"])
    ]
