"""Forest plots: one case per row, with bars over its intervals and a mark at its median."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aligntax.analysis.figures.style import BANDS, quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Low and high ends, each a number or one number per row.
Interval = tuple[Any, Any]


def central_intervals(draws: Any) -> list[Interval]:
    """Return the 90% and the 50% interval of draws along their first axis."""
    return [(quantile(draws, low), quantile(draws, high)) for low, high, _ in BANDS]


def stored_intervals(row: Any) -> list[Interval]:
    """Return the 90% and the 50% interval of a row of the summary."""
    return [(row["q05"], row["q95"]), (row["q25"], row["q75"])]


def draw_bars(
    axes: "Axes",
    rows: Any,
    intervals: Sequence[Interval],
    widths: Sequence[float],
    **look: Any,
) -> None:
    """Draw bars over intervals.

    Parameters
    ----------
    axes : Axes
    rows : float or ndarray
        Heights of the rows.
    intervals : sequence of pairs
        The wide interval comes first, so that the narrow one lies on top.
    widths : sequence of float
        Thickness of the bars of each interval, in points.
    **look
        As :meth:`matplotlib.axes.Axes.hlines` takes it.
    """
    for (low, high), width in zip(intervals, widths, strict=True):
        axes.hlines(rows, low, high, linewidth=width, **look)


def draw_forest(
    axes: "Axes",
    rows: Any,
    medians: Any,
    intervals: Sequence[Interval],
    *,
    colour: str,
    widths: Sequence[float] = (1.5, 4.0),
    marker: str = "D",
    size: float = 14.0,
    mark_colour: str | None = None,
    label: str | None = None,
) -> None:
    """Draw rows of one look: bars over their intervals and marks at their medians.

    Parameters
    ----------
    axes : Axes
    rows : float or ndarray
        Heights of the rows.
    medians : float or ndarray
    intervals, widths
        See :func:`draw_bars`.
    colour : str
        Colour of the bars.
    marker : str
    size : float
        Area of the marks, in square points.
    mark_colour : str, optional
        Colour of the marks, if not that of the bars.
    label : str, optional
        Name of the marks in the legend.
    """
    draw_bars(axes, rows, intervals, widths, color=colour)
    axes.scatter(
        medians, rows, s=size, marker=marker, color=mark_colour or colour, zorder=3, label=label
    )


def name_rows(axes: "Axes", names: Sequence[str], fontsize: float = 7.0) -> None:
    """Name the rows of a forest plot from the bottom up, and leave out the grid between them."""
    axes.set_yticks(range(len(names)), names, fontsize=fontsize)
    axes.grid(visible=False, axis="y")
