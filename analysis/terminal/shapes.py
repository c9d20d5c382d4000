"""Shapes of the time horizon's trend, fitted to runs of models on tasks, in a terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.summaries.words import format_percent, label_of, median_and_interval
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.priors.quantities import quantity_of

if TYPE_CHECKING:
    from rich.console import Console

HEADS = ("shape", "weight", "elpd", "behind the best", "effective parameters", "run", "checks")


def print_shapes(console: "Console", path: Path, record: Mapping[str, Any]) -> None:
    """Print what each shape counts, and the answer by shape and stacked."""
    shapes = record["shapes"]
    rows = [
        (
            shape,
            format_percent(row["weight"]),
            f"{row['elpd']:.1f} (se {row['se']:.1f})",
            f"{row['elpd_behind']:.1f} (se {row['elpd_behind_se']:.1f})",
            f"{row['p']:.1f}",
            row["run"],
            row["verdict"],
        )
        for shape, row in shapes.items()
    ]
    title = "shapes of the trend, weighed by how they predict models that are left out of it"
    print_table(console, HEADS, rows, title)
    columns = (*shapes, "stacked")
    answers = [
        (label_of(name), *(_cell(name, record["quantities"][column][name]) for column in columns))
        for name in record["quantities"]["stacked"]
    ]
    print_table(console, ("quantity", *columns), answers, "median and 90% interval")
    console.print(f"{path}", markup=False, soft_wrap=True)


def _cell(name: str, row: Mapping[str, Any]) -> str:
    """Median and interval of a quantity, in words."""
    median, span = median_and_interval(row, quantity_of(name))
    return f"{median} ({span})" if span else median
