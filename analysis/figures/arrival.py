"""Figures of arrival: by year, beside published forecasts, by anchor, and what shifts it."""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from aligntax.analysis.answers.timeline_shifts import SHIFTS, shifts_by_anchor
from aligntax.analysis.figures.forest import draw_bars, stored_intervals
from aligntax.analysis.figures.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    legend_below,
    one_panel,
    percent_ticks,
    printable,
    prior_of,
    series_of,
    styled,
    used_rows,
    view_of,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import format_probability
from aligntax.models.priors.quantities import lookup
from aligntax.models.views import ANCHORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MARKERS, COLOURS = "os^Dv*PX", (ORANGE, BLUE, GREEN, PURPLE, AMBER, GREY, SKY, "black")
PUBLISHED = tuple(colour for colour in COLOURS if colour != BLUE)  # blue is this posterior
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
FEWEST = 40  # draws of an anchor; with fewer its curve is noise


def _arrived(values: Any, years: Any) -> Any:
    """Return the share of draws that have arrived by each year; undefined ones count as never."""
    dates = np.sort(np.nan_to_num(values.ravel(), nan=np.inf))
    return np.searchsorted(dates, years, side="right") / len(dates)


def _years(result: Result) -> Any:
    end = view_of(result).arrival.horizon
    start = min(2024.0, end - 10.0)
    return np.linspace(start, end, 2 * int(end - start) + 1)


def _probability_axis(axes: "Axes", years: Any) -> None:
    axes.set_xlim(years[0], years[-1] + 1)
    axes.set_ylim(0, 1)
    percent_ticks(axes.yaxis)
    axes.set_ylabel("probability of arrival by the year")


@styled
def arrival(result: Result) -> Figure:
    """Draw the probability of arrival by each year: posterior, each shift, and prior."""
    figure, axes = one_panel(3.5)
    draw_arrival(axes, result)
    legend_below(figure)
    return figure


def draw_arrival(axes: "Axes", result: Result) -> None:
    """Draw the curves of arrival, with and without each shift, into one panel."""
    years = _years(result)
    lines = (
        (result.derived, "tai_year", BLUE, "-", "posterior"),
        (result.derived, "tai_year_baseline_exponent", GREEN, "--", "at data exponent 0.8"),
        (result.derived, "tai_year_aligned", ORANGE, "-.", "after waiting for alignment"),
        (prior_of(result), "tai_year", GREY, ":", "prior pushed forward"),
    )
    for dataset, name, colour, dash, label in lines:
        if name in dataset:
            axes.plot(
                years,
                _arrived(series_of(dataset, name).values, years),
                dash,
                color=colour,
                label=label,
            )
    _probability_axis(axes, years)


def _milestone(result: Result) -> str:
    """Return what arrives: the user's own milestone if nothing else counts."""
    view = view_of(result)
    alone = view.anchors["user"] > 0 and view.anchors["user"] + view.anchors["none"] > 1.0 - 1e-6
    return printable(view.requirement.user_milestone, 60) if alone else "transformative AI"


@styled
def published_arrival(result: Result) -> Figure:
    """Draw posterior arrival beside published forecasts, one marker and colour per milestone."""
    years = _years(result)
    rows = used_rows(result, "published_forecasts")
    milestone, forecast = (rows[name].values.astype(str) for name in ("milestone", "forecast"))
    labels = {}
    for name in dict.fromkeys(milestone):
        whose = printable(", ".join(dict.fromkeys(forecast[milestone == name])), 60)
        labels[name] = fill(f"{printable(name, 60)}: {whose}", 60, subsequent_indent="    ")
    lines = 1 + sum(label.count("\n") + 1 for label in labels.values())
    figure, axes = one_panel(3.3 + 0.17 * lines)
    own = _arrived(series_of(result.derived, "tai_year").values, years)
    axes.plot(years, own, color=BLUE, label=f"{_milestone(result)}, this posterior")
    _probability_axis(axes, years)
    for i, (name, label) in enumerate(labels.items()):
        # every pair of marker and colour once before any comes again
        marker = MARKERS[i % len(MARKERS)]
        colour = PUBLISHED[(i + i // len(MARKERS)) % len(PUBLISHED)]
        look: dict[str, Any] = {
            "marker": marker,
            "color": colour,
            "markersize": 4.5,
            "linewidth": 0.6,
        }
        for source in dict.fromkeys(forecast[milestone == name]):
            points = rows.isel(
                point=np.flatnonzero((forecast == source) & (milestone == name))
            ).sortby("year")
            axes.plot(points["year"].values, points["probability"].values, label=label, **look)
            if len(set(forecast[milestone == name])) > 1:  # they share a marker
                _name_forecast(axes, points, source, colour, 3 if i % 2 else -8)
            label = ""
    legend_below(figure, 1)
    return figure


def _name_forecast(axes: "Axes", points: Any, name: str, colour: str, up: int) -> None:
    """Write a forecast's name beside its last point, so many points of type above it."""
    last = points.isel(point=-1)
    at = float(last["year"]), float(last["probability"])
    right = at[0] < axes.get_xlim()[0] + 0.8 * np.ptp(axes.get_xlim())
    axes.annotate(
        printable(name, 22),
        at,
        xytext=(4 if right else -4, up),
        textcoords="offset points",
        ha="left" if right else "right",
        fontsize=6,
        color=colour,
        annotation_clip=True,
    )


@styled
def arrival_by_anchor(result: Result) -> Figure:
    """Draw the probability of arrival by year among the draws of each requirement anchor."""
    years = _years(result)
    year = series_of(result.derived, "tai_year").values.ravel()
    anchor = result.derived["tai_anchor"].values.ravel()
    figure, axes = one_panel(4.2)
    axes.plot(years, _arrived(year, years), color="black", linewidth=2.2, label="all draws")
    for i, name in enumerate(ANCHORS):
        mine = anchor == i
        if name == "none" or mine.sum() < FEWEST:
            continue
        share = _posterior(result, name, float(mine.mean()))
        label = f"{name.replace('_', ' ')} ({format_probability(share)})"
        look: dict[str, Any] = {
            "color": COLOURS[i % len(COLOURS)],
            "linestyle": DASHES[i % len(DASHES)],
        }
        axes.plot(years, _arrived(year[mine], years), linewidth=1.2, label=label, **look)
    _probability_axis(axes, years)
    legend_below(figure)
    return figure


def _posterior(result: Result, anchor: str, share: float) -> float:
    """Return the posterior probability of an anchor as the tables have it, or the draws' share."""
    row = result.record["quantities"].get(f"anchor_probability[{anchor}]")
    return share if row is None or row["mean"] is None else float(row["mean"])


@styled
def exponent_shift(result: Result) -> Figure:
    """Draw the exponent's shift of arrival's points against the weight on neural-net anchors."""
    curve = result.record["exponent_shift_curve"]
    figure, axes = one_panel(3.5)
    weight = [point["weight"] for point in curve["points"]]
    looks = (("q25", SKY, "--", "25% point"), ("q50", BLUE, "-", "median"))
    for key, colour, dash, label in (*looks, ("q75", ORANGE, "-.", "75% point")):
        drawn = [point[key] for point in curve["points"]]
        years = np.array([np.nan if each["years"] is None else each["years"] for each in drawn])
        error = np.array([np.nan if each["mcse"] is None else each["mcse"] for each in drawn])
        if np.any(np.isfinite(years)):
            ends = years - error, years + error
            axes.fill_between(weight, *ends, color=colour, alpha=0.2, linewidth=0)
            axes.plot(weight, years, dash, marker="o", markersize=3, color=colour, label=label)
    axes.axvline(curve["prior_weight"], color=GREY, linewidth=0.8, linestyle=":")
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    axes.set_xlim(-0.02, 1.02)
    percent_ticks(axes.xaxis)
    axes.set_xlabel("weight on neural-net anchors; line at the view's own")
    axes.set_ylabel("years by which arrival comes later")
    legend_below(figure, 3)
    return figure


@styled
def shift_intervals(result: Result) -> Figure:
    """Draw the intervals of each shift, over all draws and where a neural-net anchor counts."""
    groups = {"all": (BLUE, "o"), "neural nets only": (ORANGE, "s")}
    # a split kept for ever pulls in by decades, and would hide the others
    rows = [
        row
        for row in shifts_by_anchor(result).rows
        if row.group in groups and row.shift != "timeline_shift_allocation_kept"
    ]
    shown = [shift for shift in SHIFTS if shift in {row.shift for row in rows}]
    edge = max([5.0, *(abs(row.quantiles[q] or 0.0) for row in rows for q in ("q25", "q75"))]) * 1.6
    beyond = 1.2 * edge  # where an infinite quantile is drawn
    figure, axes = one_panel(3.9)
    for row in rows:
        y = shown.index(row.shift) + 0.32 * list(groups).index(row.group) - 0.16
        colour, marker = groups[row.group]
        at = {q: beyond if value is None else value for q, value in row.quantiles.items()}
        draw_bars(axes, y, stored_intervals(at), (1.0, 3.0), color=colour)
        label = f"{row.group} ({100 * row.weight:.0f}%)" if row.shift == SHIFTS[0] else None
        axes.plot([at["q50"]], [y], marker, color=colour, markersize=5, label=label)
    axes.set_yticks(range(len(shown)), [lookup(shift).label for shift in shown])
    axes.invert_yaxis()
    axes.set_xlim(-edge / 3, edge)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    axes.set_xlabel("years by which arrival comes later")
    legend_below(figure)
    return figure
