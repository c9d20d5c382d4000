"""Figures of a backtest: forecasts by origin beside what came, CRPS by origin, and the probability integral transform."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from analysis.backtest import METHODS, MODEL, Scored
from analysis.backtest_targets import TARGETS
from analysis.plot_style import BLUE, GREEN, GREY, ORANGE, WIDTH, styled

__all__ = ["fans", "pits", "scores_by_origin"]

COLOURS = dict(zip(METHODS, (BLUE, GREY, ORANGE), strict=True))
BINS = 10


def _panels(scores: Sequence[Scored], height: float) -> tuple[Figure, dict[str, Any]]:
    """A figure with a panel for each target that has scores, of so many inches."""
    targets = [name for name in TARGETS if any(each.target == name for each in scores)]
    figure = Figure(figsize=(WIDTH, height * len(targets)), layout="constrained")
    panels = dict(zip(targets, figure.subplots(len(targets), 1, squeeze=False)[:, 0], strict=True))
    for target, axes in panels.items():
        axes.set_title(target)
    return figure, panels


@styled
def fans(scores: Sequence[Scored]) -> Figure:
    """Median and 90% interval that each origin gave to later rows, and what came; a panel a target."""
    figure, panels = _panels(scores, 2.6)
    for target, axes in panels.items():
        ours = [each for each in scores if each.target == target and each.method == MODEL]
        origins = sorted({each.origin for each in ours})
        for origin, shade in zip(origins, np.linspace(0.1, 0.9, len(origins)), strict=True):
            rows = sorted((each for each in ours if each.origin == origin), key=lambda each: each.date)
            dates, colour = [each.date for each in rows], colormaps["viridis"](shade)
            axes.plot(dates, [each.score.q50 for each in rows], color=colour, lw=1.2, label=str(origin))
            for end in ("q05", "q95"):
                axes.plot(dates, [getattr(each.score, end) for each in rows], color=colour, lw=0.6, ls="--")
        came = {(each.date, each.actual) for each in ours}
        axes.scatter(*zip(*sorted(came), strict=True), s=10, color="black", zorder=3)
        low, high = min(y for _, y in came), max(y for _, y in came)
        axes.set_ylim(low - 0.6 * (high - low), high + 0.6 * (high - low))  # diverging trends leave the panel
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(TARGETS[target].unit)
        axes.legend(title="known to", fontsize=7, title_fontsize=7, loc="upper left", ncols=3)
    return figure


@styled
def scores_by_origin(scores: Sequence[Scored]) -> Figure:
    """Mean CRPS of each method by origin, on a log scale; a panel a target."""
    figure, panels = _panels(scores, 1.9)
    for target, axes in panels.items():
        for method in METHODS:
            found = [each for each in scores if each.target == target and each.method == method]
            origins = sorted({each.origin for each in found})
            means = [np.mean([each.score.crps for each in found if each.origin == origin]) for origin in origins]
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
def pits(scores: Sequence[Scored]) -> Figure:
    """Where what came lies in the model's forecast: even if calibrated. Rows of several origins are not independent."""
    figure, panels = _panels(scores, 1.7)
    for target, axes in panels.items():
        values = [each.score.pit for each in scores if each.target == target and each.method == MODEL]
        axes.hist(values, np.linspace(0, 1, BINS + 1), color=BLUE, alpha=0.7)
        axes.axhline(len(values) / BINS, color=GREEN, lw=1.0)
        axes.set_ylabel("rows")
    figure.axes[-1].set_xlabel("probability integral transform")
    return figure
