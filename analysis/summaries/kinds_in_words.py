"""The answer by kind of requirement, and the curve of the exponent's shift, in words."""

from collections.abc import Mapping
from typing import Any

from aligntax.analysis.summaries.words import (
    format_amount,
    format_chance,
    format_number,
    format_probability,
)
from aligntax.models.priors.quantities import lookup

COLUMNS = (  # of the table by kind of requirement
    "kind of requirement",
    "weight",
    "given no TAI so far",
    "TAI arrives, 25 / 50 / 75%",
    "by {horizon:.0f}",
    "hours needed, if it arrives",
    "affordable, if it arrives",
)
FEW = "too few draws"
CURVE_COLUMNS = ("weight on neural-net anchors", "25% point", "median", "75% point")
SHOWN = (0.0, 0.3, 0.5, 0.7, 1.0)  # weights of the curve that a terminal shows
NONE = {  # why a point of the curve has no number
    "later": "beyond",
    "earlier": "pulled in from beyond",
    "both": "both beyond the horizon",
}


def kind_cells(row: Mapping[str, Any], horizon: float) -> tuple[str, ...]:
    """Cells of :data:`COLUMNS` for a row of ``by_requirement``."""
    label = row["label"] if row["enough"] else f"{row['label']} ({FEW}: {row['ess']:.0f})"
    years = [row["tai_year"][key] for key in ("q25", "q50", "q75")]
    dates = [f"after {horizon:.0f}" if year is None else f"{year:.0f}" for year in years]
    hours, needed = row["alignment_hours_needed"], lookup("alignment_hours_needed")
    return (
        label,
        format_probability(row["prior"]),
        _chance(row["posterior"], row["mcse_posterior"]),
        "" if row["prob_by_horizon"] is None else " / ".join(dates),
        _chance(row["prob_by_horizon"], row["mcse_by_horizon"]),
        "" if hours is None else format_amount(hours, needed, unit=False),
        _chance(row["prob_affordable"], row["mcse_affordable"]),
    )


def _chance(value: float | None, error: float | None) -> str:
    return "" if value is None else format_chance(value, error)


def kind_line(row: Mapping[str, Any], horizon: float) -> str:
    """The answer of a view with one kind of requirement, in one line."""
    label, _, _, dates, by, _, _ = kind_cells(row, horizon)
    return (
        f"requirement: {label} alone; TAI arrives {dates} (25 / 50 / 75%), "
        f"by {horizon:.0f} with probability {by}"
    )


def shift_in_words(point: Mapping[str, Any]) -> str:
    """A point of the curve: ``2.1 ± 0.4``, or why there is no number."""
    if point["years"] is None:
        return NONE[point["censored"]]
    error = point["mcse"]
    if error is None:
        return f"{point['years']:.0f} ± unknown"
    text = f"{point['years']:.{1 if error < 1 else 0}f}"
    return f"{text if float(text) else '0'} ± {format_number(error, 1)}"


def curve_cells(curve: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Cells of :data:`CURVE_COLUMNS` at the :data:`SHOWN` weights."""
    return [
        (
            format_probability(point["weight"]),
            *(shift_in_words(point[key]) for key in ("q25", "q50", "q75")),
        )
        for point in curve.get("points", ())
        if point["weight"] in SHOWN
    ]
