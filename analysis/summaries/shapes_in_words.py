"""The superhuman coder by shape of growth, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from aligntax.analysis.summaries.kinds_in_words import FEW
from aligntax.analysis.summaries.words import format_chance, format_probability

SHAPE_COLUMNS = (  # of the table by shape
    "growth of the time horizon",
    "weight",
    "given the evaluations",
    "superhuman coder, 25 / 50 / 75%",
    "by {horizon:.0f}",
    "median if its tasks were a million times longer",
)


def shape_cells(row: Mapping[str, Any], horizon: float) -> tuple[str, ...]:
    """Cells of :data:`SHAPE_COLUMNS` for a row of ``by_shape``."""
    label = row["shape"] if row["enough"] else f"{row['shape']} ({FEW}: {row['ess']:.0f})"
    cells = (
        label,
        format_probability(row["prior"]),
        format_chance(row["posterior"], row["mcse_posterior"]),
    )
    if row["prob_by_horizon"] is None:
        return (*cells, "", "", "")
    dates = [row["superhuman_coder_year"][key] for key in ("q25", "q50", "q75")]
    return (
        *cells,
        " / ".join(_year(date, horizon) for date in dates),
        format_chance(row["prob_by_horizon"], row["mcse_by_horizon"]),
        _year(row["superhuman_coder_millionfold"]["q50"], horizon),
    )


def threshold_line(rows: Sequence[Mapping[str, Any]], horizon: float) -> str:
    """How far the median moves where the threshold is a million times larger, in one line."""
    mixture = rows[-1]
    near, far = (
        _year(mixture[f"superhuman_coder_{name}"]["q50"], horizon)
        for name in ("year", "millionfold")
    )
    return (
        f"superhuman coder: {near} in the median, and {far} if the threshold of the time horizon "
        "were a million times larger"
    )


def _year(date: float | None, horizon: float) -> str:
    return f"after {horizon:.0f}" if date is None else f"{date:.0f}"
