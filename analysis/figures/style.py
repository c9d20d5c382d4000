"""What figures share: colours, style, bands, ticks, and how they read a run.

Figures are made without pyplot: nothing is registered, shown or left open, and matplotlib's
settings are restored afterwards. A figure is one narrow panel or a stack of panels; pages place
figures beside or below one another. Infinite draws ("never", "nothing affordable") keep their rank
in every band; bands are cut at the axis.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import Series, iter_series
from aligntax.analysis.summaries.words import format_compact
from aligntax.models.views import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Okabe and Ito's palette, which every kind of colour vision tells apart; lines also differ in dash,
# points in shape.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
SKY, AMBER, GREY = "#56B4E9", "#E69F00", "#666666"
WIDTH = 4.8  # inches: 9 pt text stays readable on a telephone and is not huge in a column
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # names come from users' files: a dollar sign is a dollar sign
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "aligntax",
}
# Groups of matplotlib's settings that may change a picture; neither backend nor windows.
DRAWN = frozenset(
    "axes figure font grid hatch image legend lines markers mathtext patch path savefig "  # noqa: SIM905
    "scatter svg text xaxis xtick yaxis ytick".split()
)
BANDS = ((0.05, 0.95, 0.20), (0.25, 0.75, 0.35))  # 90% and 50%, and their opacity
# Matplotlib's own values of them: a user's matplotlibrc must not change a page.
CLEAN: dict[Any, Any] = {
    key: value for key, value in mpl.rcParamsDefault.items() if key.split(".")[0] in DRAWN
}
SETTINGS: dict[Any, Any] = CLEAN | STYLE
DRAWS = 1000  # enough for a band


def styled[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in this package's style, and restore the user's matplotlib settings afterwards."""

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return inner


def printable(text: object, limit: int = 40) -> str:
    """Return a text fit for a figure: printable, on one line, cut to a length."""
    clean = "".join(c if c.isprintable() else " " for c in str(text))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def view_of(result: Result) -> View:
    """Return the view of a run."""
    return result.view


def elicited_draws(result: Result, names: tuple[str, ...], limit: int = DRAWS) -> dict[str, Any]:
    """Return elicited quantities of evenly spaced draws, shape (draw,), on their own scales."""
    derived = result.derived
    every = max(1, derived.sizes["chain"] * derived.sizes["draw"] // limit)
    return {name: derived[name].values.astype(float).ravel()[::every] for name in names}


def series_of(derived: xr.Dataset, name: str) -> Series:
    """Return the draws of one quantity, with infinities in place."""
    return next(iter(iter_series(derived[[v for v in (name, f"{name}_state") if v in derived]])))


def one_panel(height: float = 3.3, **kwargs: Any) -> tuple[Figure, "Axes"]:
    """Return a figure with one panel."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained", **kwargs)
    return figure, figure.subplots()


def legend_below(figure: Figure | SubFigure, columns: int = 2) -> None:
    """Put the legend below the panels, if anything in them has a label."""
    if not any(axes.get_legend_handles_labels()[0] for axes in figure.axes):
        return  # too few draws for a density
    figure.legend(loc="outside lower center", ncols=columns, handlelength=2.2, columnspacing=1.2)


def quantile(values: Any, probability: float) -> Any:
    """Return an order statistic along the first axis; ranks decide, so infinities do no harm."""
    return np.quantile(values, probability, axis=0, method="inverted_cdf")


def fan(axes: "Axes", x: Any, values: Any, colour: str, label: str, dash: str = "-") -> None:
    """Draw median and bands of values of shape (draw, x); infinities lie beyond any axis."""
    values = np.nan_to_num(values, posinf=1e6, neginf=-1e6)
    for low, high, opacity in BANDS:
        axes.fill_between(
            x,
            quantile(values, low),
            quantile(values, high),
            color=colour,
            alpha=opacity,
            linewidth=0,
        )
    axes.plot(x, quantile(values, 0.5), dash, color=colour, label=label)


def requirement_panels(
    places: Any, needed: Any, asked: Any, label: str
) -> tuple[Figure, "Axes", "Axes"]:
    """Return a figure of the amount that is needed, over places, and how often none suffices.

    Parameters
    ----------
    places : ndarray, shape (place,)
    needed : ndarray, shape (draw, place)
        log10, infinite where no amount suffices.
    asked : ndarray, shape (draw,)
        Places that the run asks about; their 50% and 90% intervals are shaded.
    label : str
        Name of the amount.
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1.0])
    for panel in (axes, below):
        for low, high, opacity in BANDS:
            panel.axvspan(
                quantile(asked, low),
                quantile(asked, high),
                color=GREY,
                alpha=0.4 * opacity,
                linewidth=0,
            )
        panel.axvline(float(quantile(asked, 0.5)), color=GREY, linewidth=1, linestyle=":")
    fan(axes, places, needed, ORANGE, label)
    limit_to_finite(axes, needed)
    log_ticks(axes.yaxis)
    axes.set_ylabel(label)
    below.plot(places, np.isinf(needed).mean(axis=0), color=BLUE)
    below.set_ylim(0, 1)
    below.set_xlim(places[0], places[-1])
    percent_ticks(below.yaxis)
    below.set_ylabel("none suffices")
    return figure, axes, below


def limit_to_finite(axes: "Axes", values: Any) -> None:
    """Limit the axis of a log10 amount to the finite part of its bands."""
    ends = np.stack([quantile(values, p) for p in (0.05, 0.5, 0.95)])
    low, high = ends[0][np.isfinite(ends[0])], ends[1:][np.isfinite(ends[1:])]
    if len(low):
        top = np.median(high) + 3.0 if len(high) else low.max() + 3.0
        axes.set_ylim(max(low.min() - 0.3, 0.0), min(high.max() if len(high) else top, top) + 0.3)


def percent_ticks(axis: Any) -> None:
    """Tick an axis of shares in whole percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))


def log_ticks(axis: Any, count: int = 7) -> None:
    """Tick a log10 axis at whole orders of magnitude, in words."""
    axis.set_major_locator(MaxNLocator(count, integer=True))
    label = FuncFormatter(
        lambda value, _: format_compact(10.0**value) if abs(value) < 300 else f"1e{value:.0f}"
    )
    axis.set_major_formatter(label)


def round_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return places of round numbers on a log10 axis: 1, 2 and 5 times powers of ten, or powers."""
    powers = np.arange(np.floor(low), np.ceil(high) + 1)
    if high - low < 2:
        places = (powers[:, None] + np.log10([1, 2, 5])).ravel()
    else:
        places = powers[powers % max(1, round((high - low) / (most - 1))) == 0]
    kept = places[(places >= low) & (places <= high)]
    return list(kept[:: max(1, -(-len(kept) // most))])


def used_rows(result: Result, table: str) -> xr.Dataset:
    """Return the used rows of an evidence table; empty if the run has no such table."""
    tables = result.evidence.tables
    if table not in tables:
        return xr.Dataset()
    rows = tables[table]
    flags = (
        rows["used"].values.astype(bool)
        if "used" in rows
        else np.ones(next(iter(rows.sizes.values())), dtype=bool)
    )
    return rows.isel({next(iter(rows.sizes)): np.flatnonzero(flags)})


def prior_of(result: Result) -> xr.Dataset:
    """Return the quantities of every prior draw; empty if the run has none."""
    return result.groups.prior_derived
