"""Figures of a sweep: which disagreement moves which answer, and how far answers spread."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from aligntax.analysis.figures.style import BLUE, GREY, ORANGE, WIDTH, round_ticks, styled
from aligntax.analysis.summaries.words import how_many, label_of, tick_label
from aligntax.analysis.sweeps.disagreement import Disagreement, Input, Move
from aligntax.analysis.sweeps.wording import input_label
from aligntax.models.priors.quantities import Quantity, element, lookup

COLUMNS = 12  # inputs that fit beside one another
PANELS = 6  # of the strongest moves
FIFTHS = 5
DARKEST = 0.3  # share of the darkest cell at least


def answers_to_draw(found: Disagreement) -> list[str]:
    """Return the answers that differ between views, without vectors, in the model's order."""
    return [
        each.answer
        for each in found.spreads
        if not element(each.answer)
        and each.points[0] != each.points[-1]
        and not np.isnan(each.points[2])
    ]


def strongest_moves(found: Disagreement) -> list[Move]:
    """Return the largest moves, each answer once."""
    shown = answers_to_draw(found)
    best: dict[str, Move] = {}
    for move in found.moves:
        if move.seen and move.aspect != "choice" and move.answer in shown:
            best.setdefault(move.answer, move)
    return list(best.values())[:PANELS]


@styled
def heat_map(found: Disagreement) -> Figure:
    """Draw the share of variance between views that each disagreement explains alone.

    Cells are blank where the share may be chance.
    """
    answers = answers_to_draw(found)
    most: dict[tuple[str, str], float] = {}
    for move in found.moves:
        if move.seen and move.answer in answers:
            key = (move.input, move.aspect)
            most[key] = max(most.get(key, 0.0), move.share)
    inputs = sorted(most, key=lambda key: -most[key])[:COLUMNS]
    cells = {(m.answer, m.input, m.aspect): m.share for m in found.moves if m.seen}
    grid = np.array([[cells.get((answer, *key), np.nan) for key in inputs] for answer in answers])
    figure = Figure(figsize=(WIDTH, 1.7 + 0.24 * len(answers)), layout="constrained")
    axes = figure.subplots()
    top = max(DARKEST, float(np.nanmax(grid)))
    shades = LinearSegmentedColormap.from_list("blues", ["#ffffff", BLUE])
    axes.imshow(grid, cmap=shades, vmin=0, vmax=top, aspect="auto")
    for (i, j), value in np.ndenumerate(grid):
        if np.isfinite(value):
            colour = "white" if value > 0.6 * top else "black"
            axes.text(
                j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=6.5, color=colour
            )
    labels = [input_label(*key) for key in inputs]
    axes.set_xticks(
        range(len(inputs)), labels, rotation=50, ha="right", rotation_mode="anchor", fontsize=7
    )
    axes.set_yticks(range(len(answers)), [label_of(answer) for answer in answers], fontsize=7)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


@styled
def answers_over_statements(found: Disagreement) -> Figure:
    """Draw each view's answer over what it states, and medians of fifths, for strong moves."""
    moves = strongest_moves(found)
    figure = Figure(figsize=(WIDTH, 2.1 * -(-len(moves) // 2) + 0.3), layout="constrained")
    panels = figure.subplots(-(-len(moves) // 2), min(2, len(moves)), squeeze=False).ravel()
    for axes, move in zip(panels, moves, strict=False):
        each = next(i for i in found.inputs if (i.name, i.aspect) == (move.input, move.aspect))
        _points(axes, each, found.answers[move.answer], move)
    for axes in panels[len(moves) :]:
        axes.set_visible(False)
    return figure


def _points(axes: Any, each: Input, values: Any, move: Move) -> None:
    quantity, answer = lookup(each.name), lookup(move.answer)
    x = np.exp(each.values) if each.aspect == "spread" else quantity.to_scale(each.values)
    known = np.isfinite(values)
    axes.plot(x[known], values[known], ".", color=BLUE, markersize=3, label="a view")
    groups = [
        group for group in np.array_split(np.argsort(x[known], kind="stable"), FIFTHS) if len(group)
    ]
    if len(groups) == FIFTHS:
        middles = [
            (float(np.median(x[known][group])), float(np.median(values[known][group])))
            for group in groups
        ]
        axes.plot(*zip(*middles, strict=True), "-", color=ORANGE, label="median of a fifth")
    if each.aspect == "median":
        _ticks(axes.xaxis, quantity)
    _ticks(axes.yaxis, answer)
    width = "width of 80% stated" + (", OOM" if quantity.scale == "log10" else "")
    axes.set_xlabel(
        f"{quantity.label}\n({'median stated' if each.aspect == 'median' else width})", fontsize=7
    )
    axes.set_ylabel(answer.label, fontsize=7)
    if not known.all():
        axes.set_title(
            f"{how_many(int((~known).sum()), 'view')} beyond every number", fontsize=7, loc="left"
        )


def _ticks(axis: Any, quantity: Quantity) -> None:
    """Tick an axis at round numbers of the quantity's own unit."""
    axis.set_major_locator(MaxNLocator(4))
    if quantity.scale == "log10":
        low, high = axis.get_view_interval()
        axis.set_major_locator(FixedLocator(round_ticks(low, high, 4)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value, quantity)))


@styled
def answer_spreads(found: Disagreement, answers: Sequence[str]) -> Figure:
    """Draw how far views are apart: the distribution of their medians, one panel per answer."""
    columns = min(2, len(answers))
    figure = Figure(figsize=(WIDTH, 1.5 * -(-len(answers) // columns) + 0.2), layout="constrained")
    panels = figure.subplots(-(-len(answers) // columns), columns, squeeze=False).ravel()
    for axes, name in zip(panels, answers, strict=False):
        quantity, values = lookup(name), found.answers[name]
        known = np.sort(values[np.isfinite(values)])
        share = (np.arange(len(known)) + 0.5 + np.sum(values == -np.inf)) / max(
            1, np.sum(~np.isnan(values))
        )
        axes.plot(known, share, color=BLUE, drawstyle="steps-mid", label="share of views at most")
        axes.axhline(0.5, color=GREY, linewidth=0.6)
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
        _ticks(axes.xaxis, quantity)
        axes.set_title(quantity.label, loc="left", fontsize=8)
    for axes in panels[len(answers) :]:
        axes.set_visible(False)
    return figure
