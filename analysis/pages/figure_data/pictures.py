"""Figures on a page: each an image in a data URI with the values it shows, or the reason why there is none."""

import base64
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import matplotlib as mpl

from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.figure_data.values import values

# the same bytes for the same run, on any machine
PICTURE: dict[Any, Any] = {"svg.hashsalt": "aligntax", "svg.fonttype": "path"}
PIXELS = 150  # per inch, of dense figures
NAMING = 6  # words of a caption that name a figure


@dataclass(frozen=True)
class Shown:
    """A figure on the page.

    Attributes
    ----------
    name : str
        Of its files, and by which scripts find it.
    caption : str
    kind : str
        svg or png.
    source : str
        A data URI; empty where drawing failed.
    panels : sequence of mapping
        What it shows; see :func:`aligntax.analysis.pages.figure_data.values.values`.
    error, unread : str
        Why it could not be drawn, and why its values could not be read.
    """

    name: str
    caption: str
    kind: str = "svg"
    source: str = ""
    panels: Sequence[Mapping[str, Any]] = field(default=())
    error: str = ""
    unread: str = ""


def show(drawing: Drawing, number: int, strict: bool) -> Shown:
    """Draw a figure and read its values; the one place where a failing figure is caught, unless ``strict``."""
    words = re.findall(r"[a-z0-9]+", drawing.caption.lower())[:NAMING]
    shown = Shown(
        "-".join([f"{number:02d}", *words]), drawing.caption, "png" if drawing.dense else "svg"
    )
    try:
        figure = drawing.draw()
        shown = replace(shown, source=_saved(figure, shown.kind))
    except Exception as error:
        if strict:
            raise
        return replace(shown, error=_said(error))
    try:
        return replace(shown, panels=values(figure))
    except Exception as error:
        if strict:
            raise
        return replace(shown, unread=_said(error))


def _saved(figure: Any, kind: str) -> str:
    with BytesIO() as file, mpl.rc_context(PICTURE), warnings.catch_warnings():
        # a name in letters that the font lacks is no error
        warnings.filterwarnings("ignore", "Glyph")
        figure.savefig(
            file, format=kind, dpi=PIXELS, metadata={"Date": None} if kind == "svg" else None
        )
        data = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{'svg+xml' if kind == 'svg' else 'png'};base64,{data}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def failures(shown: Iterable[Shown]) -> list[str]:
    """One line for each figure that failed, drawn or read."""
    failed = [(each, each.error or each.unread) for each in shown if each.error or each.unread]
    return [
        f"figure {each.name} {'was not drawn' if each.error else 'has no table'}: {' '.join(reason.split())}"
        for each, reason in failed
    ]


def explorer(run: str, shown: Iterable[Shown]) -> dict[str, Any]:
    """What ``explorer.js`` reads as ``figures``: the run, for the names of files, and each figure's panels."""
    return {"run": run, "panels": {each.name: list(each.panels) for each in shown if each.panels}}
