"""Figures of calibrations, backtests and reproductions of published forecasts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter

from aligntax.analysis.figures.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    WIDTH,
    legend_below,
    one_panel,
    printable,
    styled,
)
from aligntax.analysis.trust.backtest.origins import METHODS, MODEL, Scored
from aligntax.analysis.trust.backtest.targets import TARGETS
from aligntax.analysis.trust.calibration.ranks import Band
from aligntax.analysis.trust.published_forecasts import Reading, Reproduction
from aligntax.analysis.trust.published_research import ResearchReading, ResearchReproduction


def save_rank_ecdfs(
    ranks: Mapping[str, Any], tests: Mapping[str, Mapping[str, float]], path: Path
) -> None:
    """Write the picture of :func:`rank_ecdfs`."""
    rank_ecdfs(ranks, tests).savefig(path, dpi=150)


@styled
def rank_ecdfs(
    ranks: Mapping[str, Any], tests: Mapping[str, Mapping[str, float]], level: float = 0.99
) -> Figure:
    """Draw the ECDF of every quantity's ranks minus the uniform, and name those beyond the band.

    Holm's adjustment decides which are beyond.
    """
    band = Band(len(next(iter(ranks.values()))))
    low, high = band.limits(level)
    z = np.concatenate([[0.0], band.z, [1.0]])
    figure = Figure(figsize=(WIDTH, 0.55 * WIDTH), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(z, np.pad(low, 1), np.pad(high, 1), color=GREY, alpha=0.25, lw=0)
    for name, each in ranks.items():
        path = np.pad(band.counts(each) / band.size - band.z, 1)
        strays = tests[name]["p_band_holm"] < 1 - level
        axes.plot(
            z,
            path,
            color=ORANGE if strays else BLUE,
            lw=1.2 if strays else 0.6,
            alpha=1.0 if strays else 0.5,
        )
        if strays:
            at = int(np.argmax(np.abs(path)))
            axes.annotate(name, (z[at], path[at]), fontsize=7, color=ORANGE)
    axes.axhline(0.0, color="black", lw=0.6)
    axes.set_xlabel("rank of the truth, as a share")
    axes.set_ylabel("ECDF less that of uniform ranks")
    axes.set_title(
        f"{len(ranks)} quantities, {band.size} simulations\n"
        f"shaded: {level:.0%} simultaneous band of one",
        fontsize=9,
    )
    return figure


COLOURS = dict(zip(METHODS, (BLUE, GREY, ORANGE, GREEN, PURPLE), strict=True))
BINS = 10


def _panels(scores: Sequence[Scored], height: float) -> tuple[Figure, dict[str, Any]]:
    """Return a figure with a panel of some inches for each target that has scores."""
    targets = [name for name in TARGETS if any(each.target == name for each in scores)]
    figure = Figure(figsize=(WIDTH, height * len(targets)), layout="constrained")
    panels = dict(zip(targets, figure.subplots(len(targets), 1, squeeze=False)[:, 0], strict=True))
    for target, axes in panels.items():
        axes.set_title(target)
    return figure, panels


@styled
def forecast_fans(scores: Sequence[Scored]) -> Figure:
    """Draw what each origin forecast (median, 90% interval) and what came, one panel per target."""
    figure, panels = _panels(scores, 2.6)
    for target, axes in panels.items():
        ours = [each for each in scores if each.target == target and each.method == MODEL]
        origins = sorted({each.origin for each in ours})
        for origin, shade in zip(origins, np.linspace(0.1, 0.9, len(origins)), strict=True):
            rows = sorted(
                (each for each in ours if each.origin == origin), key=lambda each: each.date
            )
            dates, colour = [each.date for each in rows], colormaps["viridis"](shade)
            axes.plot(
                dates, [each.score.q50 for each in rows], color=colour, lw=1.2, label=str(origin)
            )
            for end in ("q05", "q95"):
                axes.plot(
                    dates,
                    [getattr(each.score, end) for each in rows],
                    color=colour,
                    lw=0.6,
                    ls="--",
                )
        came = {(each.date, each.actual) for each in ours}
        axes.scatter(*zip(*sorted(came), strict=True), s=10, color="black", zorder=3)
        low, high = min(y for _, y in came), max(y for _, y in came)
        # diverging trends leave the panel
        axes.set_ylim(low - 0.6 * (high - low), high + 0.6 * (high - low))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(TARGETS[target].unit)
        axes.legend(title="known to", fontsize=7, title_fontsize=7, loc="upper left", ncols=3)
    return figure


@styled
def scores_by_origin(scores: Sequence[Scored]) -> Figure:
    """Draw the mean CRPS of each method by origin on a log scale, one panel per target."""
    figure, panels = _panels(scores, 1.9)
    for target, axes in panels.items():
        for method in METHODS:
            found = [each for each in scores if each.target == target and each.method == method]
            origins = sorted({each.origin for each in found})
            means = [
                np.mean([each.score.crps for each in found if each.origin == origin])
                for origin in origins
            ]
            axes.plot(origins, means, color=COLOURS[method], marker="o", ms=3, label=method)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(f"CRPS ({TARGETS[target].unit})")
        axes.legend(fontsize=7)
    figure.axes[-1].set_xlabel("last year of which evidence is known")
    return figure


@styled
def pit_histograms(scores: Sequence[Scored]) -> Figure:
    """Draw where outcomes lie in the model's forecasts: evenly if calibrated.

    Rows of several origins are not independent.
    """
    figure, panels = _panels(scores, 1.7)
    for target, axes in panels.items():
        values = [
            each.score.pit for each in scores if each.target == target and each.method == MODEL
        ]
        axes.hist(values, np.linspace(0, 1, BINS + 1), color=BLUE, alpha=0.7)
        axes.axhline(len(values) / BINS, color=GREEN, lw=1.0)
        axes.set_ylabel("rows")
    figure.axes[-1].set_xlabel("probability integral transform")
    return figure


READING_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER, GREY)
DASHES = ("-", "--", "-.", ":", (0, (5, 1)))


@styled
def arrival_readings(found: Reproduction | ResearchReproduction) -> Figure:
    """Draw the probability of arrival by year, one line per reading, the first one bold."""
    years = np.arange(2025, 2101)
    readings: tuple[Reading | ResearchReading, ...] = found.readings
    figure, axes = one_panel(3.4 + 0.18 * len(readings))
    for i, each in enumerate(readings):
        line = [each.probability(float(year)) for year in years]
        look: dict[str, Any] = {
            "color": READING_COLOURS[i % len(READING_COLOURS)],
            "linestyle": DASHES[i % len(DASHES)],
        }
        axes.plot(
            years,
            line,
            label=printable(each.name, 60),
            linewidth=2.2 if i == 0 else 1.0,
            zorder=3 if i == 0 else 2,
            **look,
        )
    axes.plot(
        list(found.published),
        list(found.published.values()),
        "o",
        color="black",
        markersize=5,
        zorder=4,
        label="published",
    )
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel(f"probability that\n{printable(found.milestone, 60)}")
    legend_below(figure, 1)
    return figure
