"""Figures of runs side by side: when TAI arrives, and intervals of the headline quantities."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from aligntax.analysis.answers.comparison import Comparison
from aligntax.analysis.figures.forest import draw_bars, stored_intervals
from aligntax.analysis.figures.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    WIDTH,
    percent_ticks,
    printable,
    round_ticks,
    series_of,
    styled,
    view_of,
)
from aligntax.analysis.summaries.words import tick_label
from aligntax.models.priors.quantities import element, lookup

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, GREY, "black")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)), (0, (8, 2)), (0, (3, 1)))
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
ROW = 0.16  # inches a run in a panel


@styled
def side_by_side(comparison: Comparison) -> Figure:
    """Arrival curves above one panel a headline number: median, 50% and 90% interval of each run.

    An arrow marks an interval that ends in censored mass; a panel's title has an asterisk where a
    run differs from the first by more than Monte Carlo error.
    """
    names = [n for n in comparison.names if not element(n) and n != "prob_affordable"]
    arrives = "tai_year" in names
    rows = -(-len(names) // 2)
    panel = 0.62 + ROW * len(comparison.runs)
    heights = ([3.0] if arrives else []) + [panel] * rows
    figure = Figure(figsize=(2 * WIDTH, sum(heights) + 0.5), layout="constrained")
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    if arrives:
        _arrival(figure.add_subplot(grid[0, :]), comparison)
    for i, name in enumerate(names):
        _panel(figure.add_subplot(grid[i // 2 + arrives, i % 2]), comparison, name)
    labels = [printable(label) for label in comparison.labels]
    handles = [
        figure.gca().plot([], [], color=colour, linestyle=dash, label=label)[0]
        for colour, dash, label in zip(COLOURS, DASHES, labels, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure


def _arrival(axes: Any, comparison: Comparison) -> None:
    end = max(view_of(run).arrival.horizon for run in comparison.runs)
    years = np.linspace(2024.0, end, 2 * int(end - 2024) + 1)
    for i, run in enumerate(comparison.runs):
        found, values = comparison.given[i], series_of(run.derived, "tai_year").values
        weights = (run.weights if found is None else found.weights).values.ravel()
        dates = np.nan_to_num(values.ravel(), nan=np.inf)
        order = np.argsort(dates)
        share = np.concatenate([[0.0], np.cumsum(weights[order])])[
            np.searchsorted(dates[order], years, side="right")
        ]
        axes.plot(years, share, color=COLOURS[i], linestyle=DASHES[i])
    axes.set_xlim(years[0], years[-1] + 1)
    axes.set_ylim(0, 1)
    percent_ticks(axes.yaxis)
    axes.set_ylabel("probability that TAI\nhas arrived by the year")


def _panel(axes: Any, comparison: Comparison, name: str) -> None:
    quantity = lookup(name)
    rows = [run[name] for run in comparison.rows]
    known = [row[key] for row in rows for key in QUANTILES if row[key] is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = 0.06 * (high - low or 1.0)
    for i, row in enumerate(rows):
        place, colour = -i, COLOURS[i]
        ends = {key: drawn_end(row, key, low - room, high + room) for key in QUANTILES}
        draw_bars(axes, place, stored_intervals(ends), (1.2, 3.5), color=colour)
        for key, marker, edge in (("q05", "<", low - room), ("q95", ">", high + room)):
            if row[key] is None and row["prob_undefined"] < 1:
                mark = marker if ends[key] == edge else ""
                axes.plot(ends[key], place, mark, color=colour, markersize=4)
        if row["q50"] is not None:
            axes.plot(row["q50"], place, "o", color=colour, markersize=4)
    axes.set_xlim(low - 1.5 * room, high + 1.5 * room)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if quantity.scale == "log10":
        axes.xaxis.set_major_locator(FixedLocator(round_ticks(*axes.get_xlim())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value, quantity)))
    axes.set_title(
        quantity.axis.replace("log10 ", "") + (" *" if any(comparison.differs[name]) else ""),
        loc="left",
    )


def drawn_end(row: Any, key: str, low: float, high: float) -> float:
    """Quantile, or the edge of the panel on whose side the censored mass lies in which it falls."""
    value = row[key]
    if value is not None:
        return float(value)
    above, below = row["prob_above"], row["prob_below"]
    defined = max(1.0 - row["prob_undefined"], 1e-12)
    return (
        low
        if below > 0 and int(key[1:]) / 100 < 0.5 * (below / defined + 1.0 - above / defined)
        else high
    )
