"""Plain tables and a progress bar, for every command."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.inference.options import Talk

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.models.evidence import Evidence


def print_table(
    console: "Console", columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = ""
) -> None:
    """Print a plain table; cells are text, never markup, or what rich can draw."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        *columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False
    )
    for row in rows:
        grid.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    console.print(grid)


@contextmanager
def progress(
    console: "Console", talk: bool, what: str = "sampling", bad: str = "diverged"
) -> Iterator[Talk]:
    """What to call with a line of talk, and with counts of what is done and of what went badly; a bar on a terminal only."""
    if not talk:
        yield Talk()
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def say(text: str) -> None:
            bar.update(task, description=text, total=None, completed=0)

        def sampled(done: int, total: int, diverged: int) -> None:
            note = f", {diverged} {bad}" if diverged else ""
            bar.update(task, description=f"{what}{note}", total=total, completed=done)

        yield Talk(say, sampled)


def print_runs(
    console: "Console", out: Path, rows: Sequence[tuple[Path, Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Print one line a run."""
    if not rows:
        console.print(f"no runs in {out}; make one with `aligntax run`", markup=False)
        return
    lines = []
    for folder, record, info in rows:
        year = record["quantities"].get("tai_year", {}).get("q50")
        paid = record["claims"].get("alignment_affordable")
        texts = (f"{year:.0f}" if year else "", f"{paid:.0%}" if paid is not None else "")
        lines.append(
            (
                folder.name,
                record["model"],
                record["view"],
                record["method"],
                record["verdict"],
                info["created"][:16],
                *texts,
            )
        )
    print_table(
        console,
        ("run", "model", "view", "method", "verdict", "created (UTC)", "TAI median", "affordable"),
        lines,
    )


def evidence_rows(evidence: "Evidence", name: str, used: bool) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of an evidence table; missing numbers are null."""
    data = evidence[name]
    key = str(next(iter(data.sizes)))
    columns = ["key", *(str(column) for column in data.data_vars)]
    rows = []
    for i, label in enumerate(data[key].values):
        if used and "used" in data and not bool(data["used"].values[i]):
            continue
        values = [
            data[column].values[i].item()
            if hasattr(data[column].values[i], "item")
            else data[column].values[i]
            for column in columns[1:]
        ]
        rows.append([str(label), *(None if value != value else value for value in values)])
    return columns, rows
