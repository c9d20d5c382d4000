"""Rows as a table for the terminal, as Markdown and as JSON; files are written whole or not at all."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.benchmarks.budgets import BUDGETS
from tests.benchmarks.machine import describe
from tests.benchmarks.measure import Times
from tests.benchmarks.rows import Row, summary

__all__ = ["markdown", "read", "terminal", "write"]

COLUMNS = (
    "what",
    "ours",
    "memory",
    "baseline",
    "its time or rate",
    "its memory",
    "ratio",
    "budget",
    "verdict",
    "note",
)


def terminal(rows: Sequence[Row]) -> str:
    """Two or three lines a row: ours, the baseline with the ratio, and what there is to say."""
    return "\n".join(line for section, of in _by_section(rows) for line in (section, *_lines(of)))


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        budget = f"{row.verdict}: {BUDGETS[row.budget].words}" if row.budget else ""
        yield f"  {row.what:58s} {_numbers(row.ours, row.unit):40s} {_memory(row.ours):>9s}"
        if row.baseline is not None:
            against = f"beside {row.baseline.name}"
            yield f"    {against:56s} {_numbers(row.baseline, row.unit):40s} {_memory(row.baseline):>9s}  {_ratio(row)}".rstrip()
        yield from (f"    {text}" for text in (budget, _trouble(row), row.note) if text)


def markdown(rows: Sequence[Row], machine: dict[str, Any], repeats: int) -> str:
    """A table a section."""
    head = ["# Benchmarks", "", describe(machine) + ".", "", _explain(repeats), ""]
    for section, of in _by_section(rows):
        head += [f"## {section}", "", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
        head += [_line(_cells(row)) for row in of]
        head.append("")
    return "\n".join(head)


def _explain(repeats: int) -> str:
    return (
        f"Median (least to most) of {repeats} repeats, fewer where n says so; ours and the baselines in turn. Memory is the largest "
        "peak of resident memory of the process. The ratio is that of the medians, with the range of the rounds' own."
    )


def _cells(row: Row) -> list[str]:
    baseline = ["", "", ""]
    if row.baseline is not None:
        baseline = [row.baseline.name, _numbers(row.baseline, row.unit), _memory(row.baseline)]
    budget = BUDGETS[row.budget].words if row.budget else ""
    said = "; ".join(text for text in (_trouble(row), row.note) if text)
    return [
        row.what,
        _numbers(row.ours, row.unit),
        _memory(row.ours),
        *baseline,
        _ratio(row),
        budget,
        row.verdict,
        said,
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _by_section(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for section, of in groupby(rows, key=lambda row: row.section):
        yield section, list(of)


def _trouble(row: Row) -> str:
    return (
        f"FAILED: {row.failed}" if row.failed else f"skipped: {row.skipped}" if row.skipped else ""
    )


def _numbers(side: Times, unit: str) -> str:
    found = summary(side)
    if not found["n"]:
        return "-"
    middle, low, high = (_figure(found[name]) for name in ("median", "min", "max"))
    return f"{middle} {unit} ({low} to {high}, n={found['n']})"


def _figure(value: float) -> str:
    """Three figures, and whole numbers from a thousand on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _memory(side: Times) -> str:
    peak = summary(side)["peak_mib"]
    return "" if peak is None else f"{peak:,.0f} MiB"


def _ratio(row: Row) -> str:
    """In words: a ratio of times below one is a gain, one of rates a loss."""
    if row.ratio is None:
        return ""
    low, high = min(row.ratios), max(row.ratios)
    if row.unit != "s":
        return f"{_figure(row.ratio)} times the rate ({_figure(low)} to {_figure(high)})"
    if row.ratio > 1:
        return f"{_figure(row.ratio)} times as long ({_figure(low)} to {_figure(high)})"
    return f"{_figure(1 / row.ratio)} times faster ({_figure(1 / high)} to {_figure(1 / low)})"


def write(
    folder: Path, rows: Sequence[Row], machine: dict[str, Any], repeats: int, asked: Sequence[str]
) -> None:
    """``latest.json`` and ``latest.md``."""
    told = {
        "machine": machine,
        "repeats": repeats,
        "asked": list(asked),
        "budgets": {name: asdict(budget) for name, budget in BUDGETS.items()},
        "rows": [row.to_dict() for row in rows],
    }
    folder.mkdir(parents=True, exist_ok=True)
    _whole(folder / "latest.json", json.dumps(told, indent=1) + "\n")
    _whole(folder / "latest.md", markdown(rows, machine, repeats))


def _whole(path: Path, text: str) -> None:
    """Write beside the file and rename."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> list[Row]:
    """Rows of a ``latest.json``."""
    return [Row.from_dict(row) for row in json.loads(path.read_text("utf-8"))["rows"]]
