"""Picture of a view's priors: each changed prior over the one it replaces, with what was stated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtri

from aligntax.analysis.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    legend_below,
    printable,
    round_ticks,
    styled,
)
from aligntax.analysis.summaries.words import tick_label
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.fidelity import Statement, fitted_statements
from aligntax.models.priors.quantities import Quantity, lookup
from aligntax.models.views import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ROW = 1.75  # inches a row of panels
# a density is cut at so many times the other's top, so that a point mass leaves the other visible
TALLEST = 4.0
# probability left out at either end; densities are masses of so many cells, so that jumps show
TAIL, CELLS = (0.005, 400)


@styled
def prior_densities(view: View, base: View, names: Sequence[str]) -> Figure:
    """Draw prior densities on each quantity's link, with ticks in its own unit.

    Dots mark stated quantiles and steps stated bins. Numbers without a mark were not stated.
    """
    columns = 1 if len(names) == 1 else 2 if len(names) <= 8 else 3
    rows = -(-len(names) // columns)
    size = (max(WIDTH, 3.4 * columns), 0.7 + ROW * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels.flat, names, strict=False):
        _panel(axes, name, view, base)
    if names:  # one legend: every panel has the same two lines
        panels[0, 0].plot([], [], "-", color=BLUE, label=printable(view.name))
        panels[0, 0].plot([], [], "--", color=GREY, label=printable(base.name))
        panels[0, 0].plot([], [], "o", color=ORANGE, markersize=4, label="stated")
        legend_below(figure, 3)
    return figure


def _panel(axes: "Axes", name: str, view: View, base: View) -> None:
    quantity = lookup(name)
    new, old = (compile_prior(name, each.quantities[name]) for each in (view, base))
    ends = ndtri([TAIL, 1 - TAIL])
    low = min(float(table.value(ends[0])) for table in (new, old))
    high = max(float(table.value(ends[1])) for table in (new, old))
    edges = np.linspace(low, high, CELLS + 1)
    middle, curves = (
        0.5 * (edges[1:] + edges[:-1]),
        [np.diff(t.cdf(edges)) / np.diff(edges) for t in (new, old)],
    )
    axes.plot(middle, curves[1], "--", color=GREY)
    axes.plot(middle, curves[0], "-", color=BLUE)
    axes.fill_between(middle, curves[0], color=BLUE, alpha=0.15, linewidth=0)
    tops = [float(np.max(density)) for density in curves]
    axes.set_ylim(0, 1.2 * min(max(tops), TALLEST * min(tops)))
    axes.set_xlim(low, high)
    _stated(axes, middle, curves[0], fitted_statements(name, view.quantities[name]))
    axes.set_title(
        quantity.label if quantity.unit == "1" else f"{quantity.label} ({quantity.unit})",
        loc="left",
    )
    axes.set_yticks([])
    places = _places(quantity, low, high)
    axes.set_xticks(
        places, [tick_label(float(quantity.to_scale(place)), quantity) for place in places]
    )


def _places(quantity: Quantity, low: float, high: float) -> list[float]:
    """Return the places of ticks on the link."""
    if quantity.scale == "log10":
        places = round_ticks(low, high, 4)
    elif quantity.scale == "logit":
        places = [float(np.log(p / (1 - p))) for p in (1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99)]
    else:
        places = [float(p) for p in MaxNLocator(4).tick_values(low, high)]
    return [place for place in places if low <= place <= high]


def _stated(axes: "Axes", x: Any, density: Any, statements: Sequence[Statement]) -> None:
    """Draw dots at stated quantiles with their probability, and steps of stated bins."""
    (left, right), top, label_at = axes.get_xlim(), axes.get_ylim()[1], -np.inf
    for s in (s for s in statements if s.explicit):
        at = float(np.clip(s.at, left, right))
        if not np.isinf(s.low):
            if at > (start := max(s.start, left)):
                axes.stairs([s.stated / (at - start)], [start, at], color=ORANGE, linewidth=1)
            continue
        height = min(float(np.interp(at, x, density)), 0.85 * top)
        axes.plot([at], [height], "o", color=ORANGE, markersize=4, clip_on=False, zorder=5)
        if at - label_at > 0.08 * (right - left):  # else it would cover its neighbour
            place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 7}
            axes.annotate(f"{100 * s.stated:g}%", (at, height), (0, 4), **place)
            label_at = at
