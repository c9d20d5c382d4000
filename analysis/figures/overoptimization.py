"""Figures of over-optimisation: gold curves, their peaks, and labels needed for a KL budget."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from aligntax.analysis.experiments.exploration import LITTLE, explore
from aligntax.analysis.figures.style import (
    BANDS,
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    elicited_draws,
    fan,
    legend_below,
    log_ticks,
    printable,
    quantile,
    requirement_panels,
    styled,
    used_rows,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import format_compact
from aligntax.models.evidence import Evidence
from aligntax.models.overoptimization import model as overoptimization
from aligntax.models.overoptimization.gold_law import gold, labels_needed, reduction
from aligntax.models.overoptimization.located_peaks import run_index_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MARKERS = ("o", "s", "^", "v", "D", "P")
GRID = 80
UNKNOWN = "labels not stated"


def has_answer(result: Result) -> bool:
    """Whether the run asks how many labels keep over-optimisation away."""
    return all(name in result.derived for name in ("labels_needed", "kl_budget"))


def has_curves(result: Result) -> bool:
    """Whether it is conditioned on gold curves."""
    rows = used_rows(result, "gold_curves").sizes.get("gold_point", 0)
    return has_answer(result) and bool(rows) and "peak_kl_by_gold_run" in result.derived


def has_labels(result: Result) -> bool:
    """Whether it knows how many labels some of the proxies were learned from."""
    return has_curves(result) and bool(
        np.isfinite(overoptimization.curves(result.evidence)["log_labels"].values).any()
    )


def share_without_answer(result: Result) -> float:
    """Return the share of draws in which no number of labels suffices for the KL budget."""
    return float(np.mean(result.derived["labels_suffice"].values == 0))


def _of_runs(result: Result, name: str) -> Any:
    """Return draws of a quantity of each run, shape (draw, run)."""
    values = result.derived[f"{name}_by_gold_run"].values.astype(float)
    return values.reshape(-1, values.shape[-1])


def _colours(log_labels: Any) -> dict[str, Any]:
    """Return the colour of each label count by its words in the legend: dark for few labels."""
    known = np.unique(log_labels[np.isfinite(log_labels)])
    shades = mpl.colormaps["cividis"](np.linspace(0.0, 0.85, len(known)))
    colours = {
        f"{format_compact(10.0**value)} labels": shade
        for value, shade in zip(known, shades, strict=True)
    }
    return colours | ({UNKNOWN: GREY} if np.isnan(log_labels).any() else {})


def _label(log_labels: float) -> str:
    return f"{format_compact(10.0**log_labels)} labels" if np.isfinite(log_labels) else UNKNOWN


def _points(evidence: Evidence) -> tuple[Any, Any, tuple[str, ...]]:
    """Return gold curves as the model has them, the run of each point, and the methods."""
    data = overoptimization.curves(evidence)
    return data, run_index_of(data), overoptimization.methods(evidence)


@styled
def gold_curves(result: Result) -> Figure:
    """Draw gold against KL, one panel per method: points, each run's median curve and its peak."""
    data, index, methods = _points(result.evidence)
    peak_kl, peak_gold = (
        quantile(_of_runs(result, name), 0.5) for name in ("peak_kl", "peak_gold")
    )
    colours, log_labels = _colours(data["log_labels"].values), data["log_labels"].values
    figure = Figure(figsize=(WIDTH, 0.9 + 2.6 * len(methods)), layout="constrained")
    panels = figure.subplots(len(methods), 1, squeeze=False)[:, 0]
    for k, (axes, method) in enumerate(zip(panels, methods, strict=True)):
        for run in np.flatnonzero(data["method_index"].values == k):
            own, colour = index == run, colours[_label(log_labels[run])]
            log_kl = 2 * np.log10(data["d"].values[own])
            grid = np.linspace(log_kl.min() - 0.3, log_kl.max(), GRID)
            curve = gold(
                10.0 ** (grid / 2),
                10.0 ** (peak_kl[run] / 2),
                10.0 ** peak_gold[run],
                data["is_rl"].values[run],
            )
            axes.plot(grid, curve, color=colour, linewidth=0.8)
            axes.scatter(log_kl, data["gold"].values[own], s=6, color=colour, zorder=3)
            if grid[0] <= peak_kl[run] <= grid[-1]:
                axes.scatter(
                    peak_kl[run], 10.0 ** peak_gold[run], marker="D", s=16, color="black", zorder=4
                )
        _gold_limits(axes, data["gold"].values[data["method_index"].values[index] == k])
        log_ticks(axes.xaxis)
        axes.set_ylabel("gold (sd)")
        axes.set_title(f"optimised by {printable(method)}")
    panels[-1].set_xlabel("KL from the initial policy (nats); diamonds: peaks")
    for words, colour in colours.items():
        panels[0].plot([], [], color=colour, marker="o", markersize=3, label=words)
    legend_below(figure, 3)
    return figure


def _gold_limits(axes: "Axes", heights: Any) -> None:
    """Show gold as far below 0 as it rises above: a falling parabola would hide the rest."""
    top = max(float(heights.max()), 0.1)
    axes.set_ylim(max(float(heights.min()), -top) - 0.08 * top, 1.15 * top)
    axes.axhline(0.0, color="black", linewidth=0.8)


@styled
def peaks(result: Result) -> Figure:
    """Draw KL at the peak against labels: each run, a typical proxy, and the KL budget."""
    data, _, methods = _points(result.evidence)
    log_labels, known = data["log_labels"].values, np.isfinite(data["log_labels"].values)
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    names = ("peak_kl", "labels_half", "label_exponent", "kl_budget", "kl_practice")
    x = {name: value[:, None] for name, value in elicited_draws(result, names).items()}
    grid = np.linspace(log_labels[known].min() - 0.3, log_labels[known].max() + 0.7, GRID)
    for low, high, opacity in BANDS:
        budget = (float(quantile(x["kl_budget"], p)[0]) for p in (low, high))
        axes.axhspan(*budget, color=GREY, alpha=0.5 * opacity, linewidth=0)
    axes.axhline(
        float(np.median(x["kl_budget"])), color=GREY, linewidth=1, linestyle=":", label="KL budget"
    )
    axes.axhline(
        float(np.median(x["kl_practice"])),
        color="black",
        linewidth=1,
        linestyle="--",
        label="RLHF practice",
    )
    typical = x["peak_kl"] - reduction(grid, x["labels_half"], x["label_exponent"])
    fan(axes, grid, typical, ORANGE, f"typical proxy, {printable(methods[0], 20)}")
    draws = _of_runs(result, "peak_kl")
    for k, method in enumerate(methods):
        own = np.flatnonzero(known & (data["method_index"].values == k))
        middle = quantile(draws[:, own], 0.5)
        ends = quantile(draws[:, own], 0.05), quantile(draws[:, own], 0.95)
        place = log_labels[own] + 0.05 * (k - (len(methods) - 1) / 2)
        axes.vlines(place, *ends, color=BLUE, linewidth=1.0, alpha=0.7)
        look: dict[str, Any] = {
            "marker": MARKERS[k % len(MARKERS)],
            "s": 14,
            "color": BLUE,
            "zorder": 3,
        }
        axes.scatter(
            place,
            middle,
            label=f"runs, {printable(method, 20)}",
            facecolor=BLUE if k == 0 else "white",
            **look,
        )
    bottom = float(quantile(draws[:, known], 0.05).min())
    axes.set_ylim(bottom - 0.3, float(quantile(x["kl_budget"], 0.95)[0]) + 0.3)
    axes.set_xlim(grid[0], grid[-1])
    for axis in (axes.xaxis, axes.yaxis):
        log_ticks(axis)
    axes.set_xlabel("labels that the proxy was learned from")
    axes.set_ylabel("KL at which gold peaks (nats)")
    legend_below(figure)
    return figure


@styled
def exploration() -> Figure:
    """Draw reward against KL, and spread against steps, of policies that can collapse."""
    paths = explore()
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1)
    for colour, (words, path) in zip((BLUE, "black", ORANGE, GREY), paths.items(), strict=True):
        above.plot(path.kl, path.reward, color=colour, linewidth=1.2, label=words)
        spread = np.sqrt(path.variance[:, 0])
        below.plot(np.arange(1, len(spread) + 1), spread, color=colour, linewidth=1.2)
    above.axvspan(0, LITTLE, color=GREY, alpha=0.25, linewidth=0)
    above.set_xlabel("KL from the initial policy (nats); shaded: optimised a little")
    above.set_ylabel("reward")
    below.set_yscale("log")
    below.set_xlabel("steps")
    below.set_ylabel("spread of the policy (sd)")
    legend_below(figure, 2)
    return figure


@styled
def against_budget(result: Result) -> Figure:
    """Draw labels needed against the KL budget, and how often no number suffices."""
    x = elicited_draws(
        result, ("peak_kl", "labels_half", "label_exponent", "kl_budget", "kl_practice")
    )
    ends = float(quantile(x["kl_practice"], 0.05)) - 0.3, float(quantile(x["kl_budget"], 0.95))
    places = np.linspace(*ends, GRID)
    needed = labels_needed({name: value[:, None] for name, value in x.items()}, places)
    figure, axes, below = requirement_panels(places, needed, x["kl_budget"], "labels needed")
    for panel in (axes, below):
        panel.axvline(
            float(np.median(x["kl_practice"])), color="black", linewidth=1, linestyle="--"
        )
    below.set_xlabel("KL budget (nats); dashed: RLHF practice")
    log_ticks(below.xaxis)
    return figure
