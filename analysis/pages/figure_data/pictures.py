"""Figures on a page: an image in a data URI and its values, or the reason for their absence."""

import base64
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.figure_data.values import figure_values

# the same run gives the same bytes on any machine
PICTURE: dict[Any, Any] = {"svg.hashsalt": "aligntax", "svg.fonttype": "path"}
PIXELS = 150  # per inch, of dense figures
UNQUOTED = " <>=/:;,()'+-*.!?[]{}|"  # in the URI of an SVG; base64 would take a third more
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
PATH = re.compile(r' d="[^"]*"')
DIGITS = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is not seen
NAMING = 6  # leading words of a caption, which name the figure
# the first clause of a caption that says enough to be a title
TITLE = re.compile(r"(.{24,}?)[.:](?:\s+|$)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A figure on the page.

    Attributes
    ----------
    name : str
        Names its files; scripts find it by this.
    caption : str
    kind : str
        svg or png.
    source : Markup
        A data URI; empty if drawing failed.
    panels : sequence of mapping
        Its values; see :func:`aligntax.analysis.pages.figure_data.values.figure_values`.
    error, unread : str
        Why it was not drawn, and why its values were not read.
    """

    name: str
    caption: str
    kind: str = "svg"
    source: Markup = field(default=Markup())
    panels: Sequence[Mapping[str, Any]] = field(default=())
    error: str = ""
    unread: str = ""

    @property
    def title(self) -> str:
        """What the figure shows: the first clause of its caption."""
        found = TITLE.fullmatch(self.caption)
        return found[1] if found else self.caption

    @property
    def rest(self) -> str:
        """The caption after its title, from a capital on."""
        found = TITLE.fullmatch(self.caption)
        return f"{found[2][:1].upper()}{found[2][1:]}" if found else ""


def draw_and_read(drawing: Drawing, number: int, strict: bool) -> Shown:
    """Draw a figure and read its values.

    Only here is the error of a failing figure caught, unless ``strict``.
    """
    words = re.findall(r"[a-z0-9]+", drawing.caption.lower())[:NAMING]
    shown = Shown(
        "-".join([f"{number:02d}", *words]), drawing.caption, "png" if drawing.dense else "svg"
    )
    try:
        figure = drawing.draw()
        shown = replace(shown, source=_data_uri(figure, shown.kind))
    except Exception as error:
        if strict:
            raise
        return replace(shown, error=_error_text(error))
    try:
        return replace(shown, panels=figure_values(figure))
    except Exception as error:
        if strict:
            raise
        return replace(shown, unread=_error_text(error))


def _data_uri(figure: Any, kind: str) -> Markup:
    """The image for an attribute in double quotes, which holds it as it is."""
    with BytesIO() as file, mpl.rc_context(PICTURE), warnings.catch_warnings():
        # a letter that the font lacks is not an error
        warnings.filterwarnings("ignore", "Glyph")
        figure.set_dpi(PIXELS)
        # what savefig calls, which draws a figure twice to lay it out once
        canvas: Any = FigureCanvasSVG(figure) if kind == "svg" else FigureCanvasAgg(figure)
        if kind == "svg":
            canvas.print_svg(file, metadata={"Date": None})
        else:
            canvas.print_png(file)
        data = file.getvalue()
    if kind == "svg":
        return Markup(f"data:image/svg+xml,{quote(_shortened(data.decode()), UNQUOTED)}")
    return Markup(f"data:image/png;base64,{base64.b64encode(data).decode()}")


def _shortened(svg: str) -> str:
    """The same drawing in fewer letters."""
    drawn = " ".join(METADATA.sub("", svg[svg.index("<svg") :]).split()).replace("> <", "><")
    return PATH.sub(lambda path: DIGITS.sub(r"\1", path[0]), drawn).replace('"', "'")


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def failure_lines(shown: Iterable[Shown]) -> list[str]:
    """Return one line for each figure that was not drawn or not read."""
    failed = [(each, each.error or each.unread) for each in shown if each.error or each.unread]
    return [
        f"figure {each.name} {'was not drawn' if each.error else 'has no table'}: "
        f"{' '.join(reason.split())}"
        for each, reason in failed
    ]


def explorer_data(run: str, shown: Iterable[Shown]) -> dict[str, Any]:
    """Return what ``explorer.js`` reads as ``figures``: the run and the panels of each figure."""
    return {"run": run, "panels": {each.name: list(each.panels) for each in shown if each.panels}}
