"""Figures of a run's answer: hours, compute, the largest runs, scaling studies and priors.

Each public function takes a :class:`~aligntax.analysis.storage.result.Result` and returns a
matplotlib ``Figure``; see :mod:`aligntax.analysis.figures.style` for what they share.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from aligntax.analysis.figures.forest import draw_forest, name_rows
from aligntax.analysis.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
    elicited_draws,
    fan,
    legend_below,
    log_ticks,
    one_panel,
    printable,
    prior_of,
    quantile,
    round_ticks,
    series_of,
    styled,
    view_of,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.summary import Series
from aligntax.analysis.summaries.words import tick_label
from aligntax.models import compute, joint, scaling
from aligntax.models.ai_labour import cost_per_hour
from aligntax.models.catalogue import find_model
from aligntax.models.priors.quantities import ELICITED, Quantity, lookup
from aligntax.models.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes


LAST = 2060.0  # end of the data fan


@styled
def data_fan(result: Result) -> Figure:
    """Draw human-hours of alignment data needed and affordable for the largest run of each date."""
    figure, axes = one_panel()
    draw_data_fan(axes, result)
    legend_below(figure)
    return figure


def draw_data_fan(axes: "Axes", result: Result) -> None:
    """Draw the bands of hours needed and affordable, and what InstructGPT took, into one panel."""
    view, evidence = view_of(result), result.evidence
    dates = np.linspace(2024.0, max(2025.0, min(LAST, view.arrival.horizon)), 37)
    names = (*view.in_use(find_model(result.record["model"]).quantities), "tolerance_at_arrival")
    x = elicited_draws(result, names)
    drawn = joint.paths(x, evidence, view, dates)
    needed, affordable = drawn["alignment_hours_needed"], drawn["alignment_hours_affordable"]
    whole = x["tolerance_at_arrival"] + x["rnd_ratio"] - cost_per_hour(x)
    fan(axes, dates, affordable, BLUE, "affordable", "--")
    fan(axes, dates, needed, ORANGE, "needed")
    tolerated = quantile(drawn["frontier_spend"] + whole[:, None], 0.5)
    axes.plot(dates, tolerated, ":", color=GREY, label="all of the tolerated tax as hours")
    practice = np.log10(evidence.constant("instructgpt_hours"))
    axes.axhline(practice, color="black", linewidth=1, linestyle="-.")
    place: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "fontsize": 7.5}
    axes.annotate("InstructGPT 2022: 20,000 h", (dates[-1], practice), (-2, -10), **place)
    finite = np.concatenate([quantile(v, p) for v in (needed, affordable) for p in (0.05, 0.95)])
    finite = finite[np.isfinite(finite)]
    axes.set_ylim(max(-1.0, finite.min() - 0.3), finite.max() + 0.3)
    axes.set_xlim(dates[0], dates[-1])
    log_ticks(axes.yaxis)
    axes.set_ylabel("human-hours")


@styled
def tax_fan(result: Result) -> Figure:
    """Draw the two taxes on the largest run of each date, and the tolerance, over dates."""
    view, evidence = view_of(result), result.evidence
    dates = np.linspace(2024.0, max(2025.0, min(LAST, view.arrival.horizon)), 37)
    names = (*view.in_use(find_model(result.record["model"]).quantities), "tolerance_at_arrival")
    x = elicited_draws(result, names)
    drawn = joint.paths(x, evidence, view, dates)
    figure, axes = one_panel()
    fan(axes, dates, drawn["labour_tax"], ORANGE, "labour tax")
    fan(axes, dates, drawn["compute_tax"], BLUE, "compute tax", "--")
    for p, dash in ((0.05, ":"), (0.5, "-."), (0.95, ":")):
        axes.axhline(
            quantile(x["tolerance_at_arrival"][:, None], p)[0],
            color=GREY,
            linewidth=1,
            linestyle=dash,
            label="tolerance, median and 90%" if p == 0.5 else None,
        )
    axes.set_xlim(dates[0], dates[-1])
    axes.set_ylim(-6.0, 1.5)
    axes.yaxis.set_major_locator(FixedLocator(list(range(-6, 2))))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: tick_label(value, lookup("labour_tax")))
    )
    axes.set_ylabel("share of development cost")
    legend_below(figure)
    return figure


@styled
def compute_fan(result: Result) -> Figure:
    """Draw effective compute of the largest run, and the requirement of transformative AI."""
    view, evidence = view_of(result), result.evidence
    dates = np.linspace(2020.0, view.arrival.horizon, 41)
    effective = compute.derive(
        elicited_draws(result, compute.QUANTITIES), Trend.of(evidence, view), dates
    )["effective_flop"]
    requirement = series_of(result.derived, "tai_flop").defined
    figure, axes = one_panel()
    edge = dates[[0, -1]]
    since = f"{view.algorithms.since:.0f}"
    if len(requirement):  # a time horizon has no requirement in FLOP
        fan(
            axes,
            edge,
            np.stack([requirement, requirement], axis=-1),
            GREY,
            f"requirement ({since} algorithms)",
            "--",
        )
    without = "" if view.research.feedback == "none" else ", without AI's part in research"
    fan(axes, dates, effective, BLUE, f"effective compute of the largest run{without}")
    finite = requirement[np.isfinite(requirement)]
    top = max(quantile(effective, 0.95).max(), quantile(finite, 0.9) if len(finite) else -np.inf)
    axes.set_ylim(quantile(effective, 0.05).min() - 0.5, top + 1)
    axes.set_xlim(*edge)
    log_ticks(axes.yaxis)
    axes.set_ylabel(f"FLOP, {since} algorithms")
    legend_below(figure, 1)
    return figure


@styled
def frontier(result: Result) -> Figure:
    """Draw fitted physical FLOP of the largest run; the largest known run of each ten is marked."""
    view, evidence = view_of(result), result.evidence
    trend = Trend.of(evidence, view)
    dates = np.linspace(view.compute.runs_since, trend.now + 4.0, 41)
    drawn = compute.derive(elicited_draws(result, compute.QUANTITIES), trend, dates)[
        "frontier_flop"
    ]
    rows = compute.runs(evidence, view)
    figure, axes = one_panel(3.6)
    fan(axes, dates, drawn, BLUE, "fitted largest run")
    largest, exact = rows["largest"].values > 0, rows["exact"].values.astype(bool)
    for mask, marker, colour, label in (
        (exact & ~largest, "o", "none", "top-10 run"),
        (exact & largest, "D", ORANGE, "largest of ten in a row"),
        (~exact, "^", "none", "known only to exceed"),
    ):
        if mask.any():
            look: dict[str, Any] = {
                "facecolor": colour,
                "edgecolor": GREY if colour == "none" else colour,
            }
            date, flop = rows["date"].values[mask], rows["log_flop"].values[mask]
            axes.scatter(
                date, flop, s=16, linewidths=0.8, marker=marker, label=label, zorder=3, **look
            )
    names = evidence["training_runs"]["name"].sel(run=rows["run"]).values
    last = np.inf
    for i in np.flatnonzero(exact & largest)[::-1]:
        date, flop = rows["date"].values[i], rows["log_flop"].values[i]
        if flop < last - 0.7:  # room for a line of text
            place: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "fontsize": 7}
            axes.annotate(printable(names[i], 22), (date, flop), (-6, 4), **place)
            last = flop
    axes.set_xlim(dates[0], dates[-1])
    log_ticks(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylabel("FLOP, physical")
    legend_below(figure)
    return figure


@styled
def scaling_forest(result: Result) -> Figure:
    """Draw the data exponent of each study, the pooled value and the prediction."""
    rows = scaling.studies(result.evidence)
    names = result.evidence["scaling_exponents"]["name"].sel(study=rows["study"]).values
    order = np.lexsort((rows["log_gamma"].values, rows["kaplan_style"].values))[::-1]
    figure, axes = one_panel(1.3 + 0.215 * (len(order) + 2))
    middle, half = (rows["log_gamma"].values, 1.645 * rows["log_gamma_se"].values)
    biased = rows["kaplan_style"].values > 0
    looks = (
        (False, "o", GREY, "study"),
        (True, "s", ORANGE, "Kaplan-style set-up, bias modelled"),
    )
    for whether, marker, colour, label in looks:
        at = np.flatnonzero(biased[order] == whether)
        own = order[at]
        if len(own):
            ninety = np.exp(middle[own] - half[own]), np.exp(middle[own] + half[own])
            look: dict[str, Any] = {"colour": colour, "marker": marker, "size": 18, "label": label}
            draw_forest(axes, at, np.exp(middle[own]), [ninety], widths=(1.2,), **look)
    labels = [printable(names[i], 42) for i in order]
    for name, colour in (("data_exponent", GREEN), ("data_exponent_pooled", BLUE)):
        finite = series_of(result.derived, name).finite
        low, median, high = (quantile(finite, p) for p in (0.05, 0.5, 0.95))
        look = {"colour": colour, "size": 26, "widths": (3,)}
        draw_forest(axes, len(labels), median, [(low, high)], **look)
        labels.append(lookup(name).label)
    axes.axvline(0.8, color="black", linewidth=0.8, linestyle=":")
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle="--")
    name_rows(axes, labels)
    axes.set_ylim(-0.8, len(labels) - 0.2)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xticks([t for t in (0.1, 0.2, 0.5, 0.8, 1.0, 1.5, 2.0) if low < t < high])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()
    axes.set_xlabel("data exponent; lines at 0.8 and 1")
    legend_below(figure)
    return figure


LEADING = (
    "data_exponent",
    "tai_year",
    "alignment_hours_needed",
    "labour_tax",
    "compute_tax",
    "alignment_tax_tolerance",
    "rlhf_multiplier",
)


def contrasted_quantities(result: Result) -> list[str]:
    """Return the quantities to draw: leading ones, then those that contracted most."""
    derived, prior = result.derived, prior_of(result)
    rows: Mapping[str, Any] = result.record["quantities"]
    leading = LEADING if "tai_year" in derived else find_model(result.record["model"]).headlines
    vectors = {name for name in derived.data_vars if derived[name].ndim > 2}
    known = [name for name in leading if name in derived and name in prior and name not in vectors]
    # an indicator has no density
    shown = [name for name in known if len(np.unique(derived[name])) > 2][: len(LEADING)]
    contraction = {
        n: row.get("contraction") for n, row in rows.items() if n in ELICITED and n in prior
    }
    moved = {n: value for n, value in contraction.items() if value is not None and n not in shown}
    most = sorted(moved, key=lambda n: -moved[n])
    return shown + most[: 12 - len(shown)]


@styled
def prior_posterior(result: Result) -> Figure:
    """Draw prior against posterior densities; a label marks what no evidence informs."""
    names = contrasted_quantities(result)
    height = (len(names) + 1) // 2
    figure = Figure(figsize=(WIDTH, 0.5 + 1.25 * height), layout="constrained")
    panels = figure.subplots(height, 2, squeeze=False).ravel()
    for panel in panels[len(names) :]:
        panel.remove()
    prior_only = assumed_quantities(result.info)
    for axes, name in zip(panels, names, strict=False):
        _contrast(
            axes,
            series_of(prior_of(result), name),
            series_of(result.derived, name),
            lookup(name),
            axes is panels[0],
        )
        if name in prior_only:
            axes.set_ylim(0, 1.35)
            place: dict[str, Any] = {
                "transform": axes.transAxes,
                "ha": "center",
                "va": "top",
                "fontsize": 7,
                "style": "italic",
            }
            axes.text(0.5, 0.98, "not informed by evidence", **place)
    legend_below(figure)
    return figure


def _contrast(
    axes: "Axes", prior: Series, posterior: Series, quantity: Quantity, label: bool
) -> None:
    from arviz_stats.base import array_stats

    finite = [s.finite for s in (prior, posterior)]
    ends = [q for values in finite if len(values) for q in np.quantile(values, (0.01, 0.99))]
    looks = ((GREY, "--", "prior"), (BLUE, "-", "posterior"))
    for values, (colour, dash, name) in zip(finite, looks, strict=True):
        if len(values) > 10 and np.ptp(values) > 0:
            grid, density, _ = array_stats.kde(values)
            grid, density = grid[::4], density[::4] / density.max()
            axes.fill_between(grid, density, color=colour, alpha=0.15, linewidth=0)
            axes.plot(grid, density, dash, color=colour, linewidth=1.3, label=name if label else "")
    if ends:
        margin = 0.03 * (max(ends) - min(ends)) or 1.0
        axes.set_xlim(min(ends) - margin, max(ends) + margin)
    if not any(len(values) > 10 for values in finite):
        axes.text(0.5, 0.5, "no finite draws", transform=axes.transAxes, ha="center", fontsize=7)
    axes.set_ylim(0, 1.08)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=7)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if quantity.scale == "log10":
        axes.xaxis.set_major_locator(FixedLocator(round_ticks(*axes.get_xlim())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_label(value, quantity)))
    unit = "" if quantity.unit in ("1", "year") else f" ({quantity.unit})"
    axes.set_title(f"{quantity.label}{unit}", fontsize=7.5)
