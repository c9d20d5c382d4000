"""Pages of checks, a backtest and a calibration: a verdict, tables that can be sorted, and figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.figure_data.pictures import explorer, failures, show
from aligntax.analysis.pages.render import render
from aligntax.analysis.storage.whole_file import replace_file

PAGE = "report.html"
QUIET = Talk()


@dataclass(frozen=True)
class Row:
    """Cells, and whether they tell of a failure."""

    cells: Sequence[str]
    failed: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its notes; ``numeric`` are the places of columns of numbers."""

    heading: str
    csv: str
    heads: Sequence[str]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    numeric: Sequence[int] = ()


@dataclass(frozen=True)
class Page:
    """What a page says.

    Attributes
    ----------
    title, question, asked : str
    info : mapping
        How it was made.
    tables : sequence of Table
    drawings : iterable of Drawing
    verdict : mapping, optional
        ``state`` (pass or fail), ``words`` and ``points``.
    """

    title: str
    question: str
    asked: str
    info: Mapping[str, Any]
    tables: Sequence[Table]
    drawings: Iterable[Drawing]
    verdict: Mapping[str, Any] = field(default_factory=dict)


def write_checks(folder: Path, page: Page, talk: Talk = QUIET, strict: bool = False) -> Path:
    """Write ``report.html``, replaced as a whole or not at all; figures that failed are told."""
    shown = [show(drawing, number, strict) for number, drawing in enumerate(page.drawings, 1)]
    context = {
        "title": page.title,
        "question": page.question,
        "asked": page.asked,
        "info": page.info,
        "tables": page.tables,
        "verdict": page.verdict,
        "figures": shown,
        "errors": sum(bool(each.error or each.unread) for each in shown),
    }
    scripts = ("downloads.js", "explorer.js", "sortable.js")
    text = render("checks.html", context, scripts, figures=explorer(folder.name, shown))
    path = replace_file(folder / PAGE, text)
    for failure in failures(shown):
        talk.failed(failure)
    return path
