"""Figures of what drives the answer: which prior moves which answer, and what-if curves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from aligntax.analysis.answers.sensitivity_wording import shown_answers
from aligntax.analysis.figures.style import BLUE, GREY, WIDTH, log_ticks, round_ticks, styled
from aligntax.analysis.summaries.words import label_of, tick_label
from aligntax.models.priors.quantities import lookup, quantity_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from aligntax.analysis.fitting.moved_prior import MedianRange, MovedPoint


COLUMNS = 12  # quantities that fit beside one another
LARGEST = 0.1  # sensitivity of the darkest cell at least, so that noise never looks dark


def shown_priors(found: Mapping[str, Any]) -> list[str]:
    """Return the quantities that drive some answer, strongest first."""
    most: dict[str, float] = {}
    for name in shown_answers(found):
        for row in found["headlines"][name]["drivers"]:
            most[row["quantity"]] = max(most.get(row["quantity"], 0.0), row["sensitivity"])
    return sorted(most, key=lambda name: -most[name])[:COLUMNS]


@styled
def heat_map(found: Mapping[str, Any]) -> Figure:
    """Draw the sensitivity of each answer to each single prior; cells within noise are blank."""
    answers, priors = shown_answers(found), shown_priors(found)
    grid = np.array(
        [[found["headlines"][a]["sensitivity"].get(q, np.nan) for q in priors] for a in answers]
    )
    figure = Figure(figsize=(WIDTH, 1.5 + 0.24 * len(answers)), layout="constrained")
    axes = figure.subplots()
    top = float(np.nanmax(grid, initial=LARGEST))
    if not priors:
        axes.set_xlabel("no single prior moves an answer beyond noise")
        axes.set_xlim(-0.5, 0.5)
        axes.set_ylim(len(answers) - 0.5, -0.5)
    else:
        axes.imshow(
            grid,
            cmap=LinearSegmentedColormap.from_list("blues", ["#ffffff", BLUE]),
            vmin=0,
            vmax=top,
            aspect="auto",
        )
    for (i, j), value in np.ndenumerate(grid):
        if np.isfinite(value):
            axes.text(
                j,
                i,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=6.5,
                color="white" if value > 0.6 * top else "black",
            )
    labels = [lookup(q).label + (" *" if found["quantities"][q]["assumed"] else "") for q in priors]
    axes.set_xticks(
        range(len(priors)), labels, rotation=50, ha="right", rotation_mode="anchor", fontsize=7
    )
    axes.set_yticks(range(len(answers)), [label_of(a) for a in answers], fontsize=7)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


@styled
def what_if_curves(
    points: "Sequence[MovedPoint]", wanted: "MedianRange", answers: Sequence[str]
) -> Figure:
    """Draw each answer over the median of one prior; grey marks what is not to be trusted."""
    figure = Figure(figsize=(WIDTH, 0.9 + 1.6 * len(answers)), layout="constrained")
    panels = figure.subplots(len(answers), 1, squeeze=False, sharex=True).ravel()
    quantity = lookup(wanted.quantity)
    x = np.asarray(quantity.to_scale(quantity.to_link(np.array([point.value for point in points]))))
    for axes, name in zip(panels, answers, strict=True):
        _curve(axes, x, points, name)
    last = panels[-1]
    if quantity.scale == "log10":
        last.xaxis.set_major_locator(FixedLocator(round_ticks(x[0], x[-1], 6)))
        last.xaxis.set_minor_locator(NullLocator())
    last.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value, quantity)))
    unit = "" if quantity.unit == "1" else f" ({quantity.unit})"
    last.set_xlabel(f"median of the prior of {quantity.label}{unit}")
    if not all(point.trusted for point in points):
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _curve(axes: "Axes", x: Any, points: "Sequence[MovedPoint]", name: str) -> None:
    quantity = quantity_of(name)
    low, middle, high = (
        np.array([_placed(p.rows[name], key) for p in points]) for key in ("q05", "q50", "q95")
    )
    finite = np.concatenate([low, middle, high])
    finite = finite[np.isfinite(finite)]
    bottom, top = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    margin = 0.08 * (top - bottom) or 0.5
    low, middle, high = (
        np.clip(line, bottom - 2 * margin, top + 2 * margin) for line in (low, middle, high)
    )
    axes.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(x, middle, color=BLUE)
    trusted = np.array([point.trusted for point in points])
    for mask, colour, marker, label in (
        (trusted, BLUE, "o", "trusted"),
        (~trusted, GREY, "X", "not to be trusted"),
    ):
        axes.plot(x[mask], middle[mask], marker, color=colour, markersize=5, label=label)
    for place in x[~trusted]:
        axes.axvline(place, color=GREY, linewidth=6, alpha=0.2)
    axes.set_ylim(bottom - margin, top + margin)
    if quantity.scale == "log10":
        log_ticks(axes.yaxis, 4)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value, quantity)))
    axes.set_title(
        label_of(name) + ("" if quantity.unit in ("1", "year") else f" ({quantity.unit})"),
        fontsize=8,
    )
    axes.tick_params(labelsize=7.5)


def _placed(row: Mapping[str, Any], key: str) -> float:
    """Return a quantile; infinite if it lies in the mass below or above every number."""
    if row[key] is not None:
        return float(row[key])
    defined = max(1.0 - row["prob_undefined"], 1e-12)
    middle = 0.5 * (row["prob_below"] / defined + 1.0 - row["prob_above"] / defined)
    return -np.inf if int(key[1:]) / 100 < middle else np.inf
