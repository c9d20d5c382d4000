"""Figures of the time horizon: its trend, and when a superhuman coder arrives."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from aligntax.analysis.figures.style import (
    AMBER,
    BANDS,
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
    elicited_draws,
    fan,
    legend_below,
    one_panel,
    percent_ticks,
    printable,
    prior_of,
    quantile,
    series_of,
    styled,
    used_rows,
    view_of,
)
from aligntax.analysis.storage.result import Result
from aligntax.models import horizon_evaluations, horizon_trend, time_horizon

if TYPE_CHECKING:
    from matplotlib.axes import Axes


END = 2035.0
MILESTONE = "superhuman coder"
MONTH = 167 * 60  # minutes that an expert works in a month, as METR counts
DURATIONS = ((1 / 60, "1 s"), (1, "1 min"), (60, "1 h"), (480, "1 day"), (MONTH, "1 month"))
YEARS = ((1, "1 year"), (100, "100 years"), (1e4, "10k years"))
COLOURS = (BLUE, ORANGE, PURPLE, AMBER)
DASHES = ("-", "--", "-.", ":")
LOOKS = (("o", ORANGE), ("s", PURPLE), ("^", AMBER), ("D", GREY))


def has_trend(result: Result) -> bool:
    """Whether the run fits the trend of the time horizon to evaluations."""
    names = ("time_horizon_doubling", "superhuman_coder_year", "horizon_shape")
    return all(name in result.derived for name in names) and bool(
        used_rows(result, "time_horizons").sizes.get("evaluation", 0)
    )


def _given_shape(result: Result, index: int) -> dict[str, Any]:
    """Return the draws whose own shape is that of an index into the shapes, (draw, 1)."""
    x = elicited_draws(result, (*time_horizon.QUANTITIES, "horizon_shape"))
    own = x["horizon_shape"] == index
    return {name: value[own, None] for name, value in x.items()}


def _durations(axes: "Axes") -> None:
    """Tick an axis of log10 minutes in words."""
    marks = [*DURATIONS, *((12 * MONTH * count, words) for count, words in YEARS)]
    places = [float(np.log10(minutes)) for minutes, _ in marks]
    words = {round(place, 6): label for place, (_, label) in zip(places, marks, strict=True)}
    axes.yaxis.set_major_locator(FixedLocator(places))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.get(round(value, 6), "")))


def _records(axes: "Axes", result: Result) -> None:
    """Draw the models that the trend is fitted to, with their published intervals."""
    rows = result.evidence["time_horizons"]
    rows = rows.isel(evaluation=np.flatnonzero(horizon_evaluations.chosen(rows, view_of(result))))
    date, exact = rows["date"].values, rows["bound"].values == "exact"
    middle, low, high = (
        np.log10(rows[f"horizon_{name}"].values) for name in ("minutes", "low", "high")
    )
    axes.vlines(date[exact], low[exact], high[exact], color=GREY, linewidth=0.8, zorder=3)
    for mask, marker, label in (
        (exact, "o", "evaluated model, 95% interval"),
        (~exact, "^", "known only to exceed"),
    ):
        if mask.any():
            axes.scatter(
                date[mask], middle[mask], s=14, marker=marker, color="black", zorder=4, label=label
            )


@styled
def trend(result: Result) -> Figure:
    """Draw evaluated models, the trend of each shape, and a superhuman coder's horizon."""
    view = view_of(result)
    start = min(view.time_horizon.since, 2023.0)
    dates = np.linspace(start, END, 145)
    figure, axes = one_panel(4.0)
    threshold = horizon_trend.log_threshold(
        elicited_draws(result, ("superhuman_coder_horizon", "horizon_ratio"))
    )
    for low, high, opacity in BANDS:
        axes.axhspan(
            quantile(threshold, low),
            quantile(threshold, high),
            color=GREY,
            alpha=opacity * 0.5,
            linewidth=0,
        )
    middle = float(quantile(threshold, 0.5))
    axes.axhline(middle, color=GREY, linewidth=1, linestyle=":")
    place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7.5, "color": "#333333"}
    axes.annotate(MILESTONE, (start, middle), (4, 3), **place)
    for i, (shape, colour, dash) in enumerate(
        zip(horizon_trend.SHAPES, COLOURS, DASHES, strict=True)
    ):
        x = _given_shape(result, i)
        if len(x["time_horizon_level"]):
            lines = horizon_trend.log_horizon(x, dates, shape, view)
            fan(axes, dates, lines, colour, f"{shape} trend", dash)
    _records(axes, result)
    axes.set_xlim(start, END)
    axes.set_ylim(-2.0 if start < 2022.0 else -0.3, float(quantile(threshold, 0.95)) + 0.5)
    _durations(axes)
    axes.set_ylabel("time horizon, an expert's working time")
    legend_below(figure)
    return figure


@styled
def superhuman_coder(result: Result) -> Figure:
    """Draw the probability of a superhuman coder by each year, beside published forecasts."""
    years = np.linspace(2023.0, 2060.0, 149)
    figure, axes = one_panel(3.6)
    looks = (
        (result.derived, BLUE, "-", "time horizon's trend, posterior"),
        (prior_of(result), GREY, ":", "prior"),
    )
    for dataset, colour, dash, label in looks:
        if "superhuman_coder_year" in dataset:
            dates = np.sort(series_of(dataset, "superhuman_coder_year").values.ravel())
            share = np.searchsorted(dates, years, side="right") / len(dates)
            axes.plot(years, share, dash, color=colour, label=label)
    rows = (
        result.evidence["published_forecasts"]
        if "published_forecasts" in result.evidence.tables
        else None
    )
    if rows is not None:
        rows = rows.isel(point=np.flatnonzero(rows["milestone"].values == MILESTONE)).sortby("year")
        names = dict.fromkeys(rows["forecast"].values.astype(str))
        for name, (marker, colour) in zip(names, LOOKS, strict=False):
            points = rows.isel(point=np.flatnonzero(rows["forecast"].values == name))
            look: dict[str, Any] = {
                "marker": marker,
                "color": colour,
                "markersize": 4.5,
                "linewidth": 0.6,
            }
            axes.plot(
                points["year"].values, points["probability"].values, label=printable(name), **look
            )
    axes.set_xlim(years[0], years[-1])
    axes.set_ylim(0, 1)
    percent_ticks(axes.yaxis)
    axes.set_ylabel("superhuman coder by the year")
    legend_below(figure)
    return figure
