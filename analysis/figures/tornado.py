"""Tornado: the median answer where one quantity is low, and where it is high, in natural units.

Draws are split by one elicited quantity at a time. A bar runs from the median of the answer among
the fifth of the draws in which the quantity is lowest to that among the fifth in which it is
highest. What goes along with the quantity moves with it, as the evidence and the priors have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from aligntax.analysis.figures.style import (
    AMBER,
    BLUE,
    GREY,
    WIDTH,
    log_ticks,
    printable,
    series_of,
    styled,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import format_amount, tick_label
from aligntax.models.catalogue import find_model
from aligntax.models.priors.quantities import Quantity, lookup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ANSWERS = ("alignment_hours_needed", "tai_year")  # in hours and in years
SHARE = 0.2  # of the draws at either end
MOST = 8  # bars of an answer
NOISE = 2.0  # standard errors that a bar must be longer than
MEDIAN_ERROR = 1.2533  # of a median over that of a mean, for normal numbers
FEWEST = 40  # draws at an end; with fewer a median is noise


@dataclass(frozen=True)
class Bar:
    """Medians of an answer where a quantity is low and where it is high."""

    quantity: str
    low: float
    high: float


def bars(answer: Any, drivers: dict[str, Any]) -> list[Bar]:
    """Bars that stand out of Monte Carlo error, the longest first.

    Parameters
    ----------
    answer : ndarray, shape (draw,)
        On the quantity's own scale; infinite draws count by rank, NaN are left out.
    drivers : dict of str to ndarray, shape (draw,)
        Elicited quantities by name.
    """
    defined = ~np.isnan(answer)
    y = answer[defined]
    finite = y[np.isfinite(y)]
    count = int(SHARE * len(y))
    if min(count, len(finite)) < FEWEST:
        return []
    spread = np.subtract(*np.quantile(finite, (0.84, 0.16))) / 2
    error = MEDIAN_ERROR * spread * np.sqrt(2.0 / count)
    found = []
    for name, values in drivers.items():
        order = np.argsort(values[defined], kind="stable")
        low, high = (float(_median(y[part])) for part in (order[:count], order[-count:]))
        if np.isfinite(low) and np.isfinite(high) and abs(high - low) > NOISE * error:
            found.append(Bar(name, low, high))
    return sorted(found, key=lambda bar: -abs(bar.high - bar.low))[:MOST]


def _median(values: Any) -> Any:
    return np.quantile(values, 0.5, method="inverted_cdf")


def tornadoes(result: Result) -> dict[str, list[Bar]]:
    """Bars by answer; answers that the run lacks or that nothing moves are left out."""
    names = [
        name for name in find_model(result.record["model"]).quantities if name in result.derived
    ]
    drivers = {name: series_of(result.derived, name).values.ravel() for name in names}
    answers = [name for name in ANSWERS if name in result.derived]
    found = {
        name: bars(series_of(result.derived, name).values.ravel(), drivers) for name in answers
    }
    return {name: rows for name, rows in found.items() if rows}


@styled
def tornado(result: Result) -> Figure:
    """Draw a panel for each answer: hours needed, and the year of arrival."""
    found = tornadoes(result)
    sizes = [len(rows) + 1.5 for rows in found.values()]
    figure = Figure(figsize=(WIDTH, 0.7 + 0.25 * sum(sizes)), layout="constrained")
    panels = figure.subplots(len(found), 1, squeeze=False, height_ratios=sizes)[:, 0]
    for axes, (name, rows) in zip(panels, found.items(), strict=True):
        middle = float(_median(_defined(series_of(result.derived, name).values)))
        _panel(axes, lookup(name), rows, middle)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _defined(values: Any) -> Any:
    return values[~np.isnan(values)]


def _panel(axes: "Axes", quantity: Quantity, rows: Sequence[Bar], middle: float) -> None:
    places = np.arange(len(rows))
    low, high = (np.array([getattr(bar, end) for bar in rows]) for end in ("low", "high"))
    axes.hlines(places, low, high, color=GREY, linewidth=5, alpha=0.35)
    axes.plot(low, places, "o", color=AMBER, markersize=5, label="where it is lowest")
    axes.plot(high, places, "s", color=BLUE, markersize=5, label="where it is highest")
    axes.set_yticks(places, [printable(lookup(bar.quantity).label) for bar in rows], fontsize=7.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    if np.isfinite(middle):
        axes.axvline(middle, color=GREY, linewidth=0.8, linestyle="--", label="over all draws")
    if quantity.scale == "log10":
        log_ticks(axes.xaxis)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value, quantity)))
    axes.set_xlabel(f"{quantity.label}, median ({quantity.unit})")


def in_words(found: dict[str, list[Bar]]) -> str:
    """The longest bar of each answer: alignment data needed, 1 to 8 million by RLHF multiplier."""
    told = []
    for name, rows in found.items():
        quantity, bar = lookup(name), rows[0]
        low, high = (format_amount(end, quantity) for end in (bar.low, bar.high))
        told.append(f"{quantity.label}: {low} to {high} as {lookup(bar.quantity).label} rises")
    return "; ".join(told)
