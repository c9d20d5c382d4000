"""The page of a backtest or a calibration: verdict, sortable tables and figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.figure_data.pictures import draw_and_read, explorer_data, failure_lines
from aligntax.analysis.pages.render import render
from aligntax.analysis.storage.whole_file import replace_file

PAGE = "report.html"
QUIET = Talk()


@dataclass(frozen=True)
class CheckRow:
    """The cells of a row, and whether it reports a failure."""

    cells: Sequence[str]
    failed: bool = False


@dataclass(frozen=True)
class CheckTable:
    """A table with its notes; ``numeric`` holds the indices of columns of numbers."""

    heading: str
    csv: str
    heads: Sequence[str]
    rows: Sequence[CheckRow]
    notes: Sequence[str] = ()
    numeric: Sequence[int] = ()


@dataclass(frozen=True)
class CheckPage:
    """What the page shows.

    Attributes
    ----------
    title, question, asked : str
        Heading, the question, and what was run to answer it.
    info : mapping
        How it was made.
    tables : sequence of CheckTable
    drawings : iterable of Drawing
    verdict : mapping, optional
        ``state`` (pass or fail), ``words`` and ``points``.
    """

    title: str
    question: str
    asked: str
    info: Mapping[str, Any]
    tables: Sequence[CheckTable]
    drawings: Iterable[Drawing]
    verdict: Mapping[str, Any] = field(default_factory=dict)


def write_check_page(
    folder: Path, page: CheckPage, talk: Talk = QUIET, strict: bool = False
) -> Path:
    """Write ``report.html``, replaced as a whole or not at all, and report figures that failed."""
    shown = [
        draw_and_read(drawing, number, strict) for number, drawing in enumerate(page.drawings, 1)
    ]
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
    text = render("checks.html", context, scripts, figures=explorer_data(folder.name, shown))
    path = replace_file(folder / PAGE, text)
    for failure in failure_lines(shown):
        talk.failed(failure)
    return path
