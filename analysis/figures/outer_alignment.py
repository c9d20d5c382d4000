"""Figures of outer alignment: comparisons against label error and capability, and the evidence."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.special import expit

from aligntax.analysis.figures.forest import central_intervals, draw_bars, draw_forest, name_rows
from aligntax.analysis.figures.style import (
    BANDS,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    WIDTH,
    elicited_draws,
    fan,
    legend_below,
    limit_to_finite,
    log_ticks,
    percent_ticks,
    printable,
    prior_of,
    quantile,
    requirement_panels,
    series_of,
    styled,
    used_rows,
    view_of,
)
from aligntax.analysis.storage.result import Result
from aligntax.models.outer_alignment import model as outer_alignment
from aligntax.models.outer_alignment.oversight import SHARES
from aligntax.models.views import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes


DRAWS = 500
# closer towards one half, where the curve rises
ERRORS = np.append(np.linspace(0.0, 0.48, 25), [0.49, 0.495, 0.498])
INSIDE = 0.04  # share of a panel by which words stand off its edge
Z90 = 1.645
WIDTHS = (1.5, 4.0)  # points, of the 90% and the 50% interval
COLOURS, DASHES = (ORANGE, GREEN, BLUE, SKY), ("-", "--", "-.", ":")


def has_answer(result: Result) -> bool:
    """Whether the run asks how many comparisons outer alignment needs."""
    return all(name in result.derived for name in ("comparisons_needed", "reward_gap_worst"))


def has_studies(result: Result) -> bool:
    """Whether it is conditioned on studies of agreement."""
    rows = used_rows(result, "labeller_agreement").sizes.get("agreement_study", 0)
    return has_answer(result) and bool(rows) and "study_label_error_by_study" in result.derived


def share_without_answer(result: Result) -> float:
    """Return the share of draws in which no amount of data suffices."""
    return float(np.mean(result.derived["data_suffices"].values == 0))


def has_games(result: Result) -> bool:
    """Whether it is conditioned on games of oversight."""
    rows = used_rows(result, "oversight_games").sizes.get("oversight_game", 0)
    return has_answer(result) and bool(rows) and "worst_rival" in result.draws


def _needed(result: Result, view: View | None = None, **asked: Any) -> Any:
    """Return log10 comparisons needed, (draw, place), over what ``asked`` names.

    ``view`` is that of the run by default.
    """
    names = (*outer_alignment.QUANTITIES, "label_error_study")
    x = {name: v[:, None] for name, v in elicited_draws(result, names, DRAWS).items()}
    asked.setdefault("error", x["label_error_study"])
    every = max(1, result.draws["worst_rival"].size // DRAWS)
    rank = result.draws["worst_rival"].values.ravel()[::every, None]
    parameters = xr.Dataset({"worst_rival": (("draw", "place"), rank)})
    at = outer_alignment.requirement(x, parameters, view or view_of(result), **asked)
    return at["comparisons_needed"]


@styled
def quantity_against_quality(result: Result) -> Figure:
    """Draw comparisons needed against label error, and above how likely each label error is."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    above, axes = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 2.6])
    looks = [("label_error", prior_of(result), GREY, ":", "label error: typical study, prior")]
    looks += [("label_error", result.derived, BLUE, "-", "label error: typical study")]
    looks += [("label_error_study", result.derived, GREEN, "--", "label error: new labellers")]
    for name, draws, colour, dash, label in looks:
        if name in draws:
            _density(above, series_of(draws, name).finite, colour, dash, label)
    above.set_ylim(0, 1.1)
    above.set_yticks([])
    above.spines["left"].set_visible(False)
    at = _needed(result, error=ERRORS)
    fan(axes, ERRORS, at, ORANGE, "comparisons needed")
    today = quantile(_needed(result, error=ERRORS, capability=0.0), 0.5)
    today = np.nan_to_num(today, posinf=1e6)
    axes.plot(ERRORS, today, "--", color="black", linewidth=1.2, label="median at GPT-3's compute")
    axes.axvline(0.5, color="black", linewidth=1.4)
    place: dict[str, Any] = {"rotation": 90, "ha": "right", "va": "bottom", "fontsize": 7.5}
    axes.text(
        0.5 * (1 - INSIDE / 2),
        INSIDE,
        "no amount suffices",
        transform=axes.get_xaxis_transform(),
        **place,
    )
    limit_to_finite(axes, at)
    axes.set_xlim(0, 0.51)
    log_ticks(axes.yaxis)
    percent_ticks(axes.xaxis)
    axes.set_xlabel("label error")
    axes.set_ylabel("comparisons needed")
    legend_below(figure, 1)
    return figure


def _density(axes: "Axes", values: Any, colour: str, dash: str, label: str) -> None:
    from arviz_stats.base import array_stats

    if len(values) > 10 and np.ptp(values) > 0:
        grid, density, _ = array_stats.kde(values)
        axes.plot(grid, density / density.max(), dash, color=colour, linewidth=1.3, label=label)


@styled
def against_capability(result: Result) -> Figure:
    """Draw comparisons needed against capability, and how often no amount suffices."""
    asked = elicited_draws(result, ("capability",))["capability"]
    ends = min(0.0, float(quantile(asked, 0.05))), float(quantile(asked, 0.95))
    places = np.linspace(*ends, 45)
    figure, _, below = requirement_panels(
        places, _needed(result, capability=places), asked, "comparisons needed"
    )
    below.set_xlabel("capability (OOM of effective FLOP over GPT-3's)")
    return figure


@styled
def agreement(result: Result) -> Figure:
    """Draw reported agreement, what the model predicts for each study, and the label errors."""
    rows = used_rows(result, "labeller_agreement")
    rows = rows.isel(agreement_study=np.argsort(rows["agreement"].values)[::-1])
    count = rows.sizes["agreement_study"]
    studies = [str(name) for name in result.derived["study"].values]
    figure = Figure(figsize=(WIDTH, 1.9 + 0.2 * (count + len(studies) + 2)), layout="constrained")
    axes, below = figure.subplots(2, 1, height_ratios=[count + 1, len(studies) + 3])
    predicted = result.groups.posterior_predictive
    if "labeller_agreement" in predicted:
        drawn = predicted["labeller_agreement"]
        replicated = drawn.sel(agreement_study=rows["agreement_study"]).values.reshape(-1, count)
        names = [f"predicted, {round(100 * (high - low))}%" for low, high, _ in BANDS]
        for interval, width, label in zip(
            central_intervals(replicated), WIDTHS, names, strict=True
        ):
            at = np.arange(count) - 0.15
            draw_bars(axes, at, [interval], [width], color=SKY, label=label)
    share, half = rows["agreement"].values, Z90 * rows["agreement_se"].values
    look: dict[str, Any] = {"fmt": "o", "markersize": 4, "color": "black", "linewidth": 1.0}
    axes.errorbar(share, np.arange(count) + 0.15, xerr=half, label="published, 90%", **look)
    pairs = [str(pair).replace("_", " and ") for pair in rows["pair"].values]
    labels = [
        f"{printable(name, 26)}: {pair}"
        for name, pair in zip(rows["study"].values, pairs, strict=True)
    ]
    name_rows(axes, labels)
    axes.set_xlabel("agreement of two people")
    _errors(below, result, studies)
    for panel in (axes, below):
        percent_ticks(panel.xaxis)
    legend_below(figure, 3)
    return figure


@styled
def oversight(result: Result) -> Figure:
    """Draw how often games of oversight fail, and how often no amount suffices with each scheme."""
    rows = used_rows(result, "oversight_games")
    count = rows.sizes["oversight_game"]
    figure = Figure(figsize=(WIDTH, 3.6 + 0.25 * count), layout="constrained")
    above, axes = figure.subplots(2, 1, height_ratios=[0.35 * (count + 1), 2.4])
    predicted = result.groups.posterior_predictive
    if "oversight_games" in predicted:
        drawn = predicted["oversight_games"]
        failed = expit(drawn.sel(oversight_game=rows["oversight_game"]).values.reshape(-1, count))
        for interval, width in zip(central_intervals(failed), WIDTHS, strict=True):
            draw_bars(above, np.arange(count), [interval], [width], color=SKY)
    above.plot(1 - rows["success"].values, np.arange(count), "o", color="black", markersize=4)
    games = zip(rows["game"].values, rows["elo_gap"].values, strict=True)
    name_rows(above, [f"{printable(game, 26)}, {gap:.0f} Elo" for game, gap in games])
    above.set_xlim(0, 1)
    percent_ticks(above.xaxis)
    above.set_xlabel("oversight fails (dot: published)")
    asked = elicited_draws(result, ("capability",))["capability"]
    places = np.linspace(min(0.0, float(quantile(asked, 0.05))), float(quantile(asked, 0.95)), 30)
    for scheme, colour, dash in zip(("none", *SHARES), COLOURS, DASHES, strict=True):
        view = view_of(result).replace(outer_alignment={"oversight": scheme})
        share = np.isinf(_needed(result, view, capability=places)).mean(axis=0)
        label = scheme.replace("_", " ") if scheme != "none" else "unaided"
        axes.plot(places, share, dash, color=colour, linewidth=1.4, label=label)
    axes.set_ylim(0, 1)
    percent_ticks(axes.yaxis)
    axes.set_xlabel("capability (OOM of effective FLOP over GPT-3's)")
    axes.set_ylabel("none suffices")
    legend_below(figure, 2)
    return figure


def _errors(axes: "Axes", result: Result, studies: list[str]) -> None:
    """Draw the label error of each study, of a typical one and of new labellers."""
    of = result.derived["study_label_error_by_study"].values.reshape(-1, len(studies))
    shown = [(printable(name, 40), of[:, i], SKY) for i, name in enumerate(studies)]
    shown.sort(key=lambda row: -float(np.median(row[1])))
    for name, words, colour in (
        ("label_error", "typical study", BLUE),
        ("label_error_study", "new labellers", GREEN),
    ):
        shown.append((words, series_of(result.derived, name).finite, colour))
    for y, (_, values, colour) in enumerate(shown):
        look: dict[str, Any] = {"colour": colour, "mark_colour": "black", "widths": WIDTHS}
        draw_forest(axes, y, quantile(values, 0.5), central_intervals(values), **look)
    name_rows(axes, [words for words, _, _ in shown])
    axes.set_xlim(left=0)
    axes.set_xlabel("label error (diamond: median)")
