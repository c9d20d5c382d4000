"""Figures of what to buy: regret against hours, and information per USD against the label error."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from aligntax.analysis.answers.budget import Budget, hours_decision_of
from aligntax.analysis.answers.labelling import (
    BETTER,
    ITEM_COST,
    VOTES,
    label_information,
    majority_error,
)
from aligntax.analysis.figures.style import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    WIDTH,
    log_ticks,
    percent_ticks,
    styled,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import format_number

COLOURS = (BLUE, GREEN, PURPLE, AMBER, GREY)
DASHES = ("-", "--", "-.", ":", (0, (1, 2)))


@styled
def budget_figure(result: Result, answer: Budget) -> Figure:
    """Draw expected regret against hours bought, and below it information per USD of labels."""
    figure = Figure(figsize=(WIDTH, 6.4), layout="constrained")
    upper, lower = figure.subplots(2, 1)
    _regret(upper, result, answer)
    _labels(lower, answer)
    return figure


def _regret(axes: Any, result: Result, answer: Budget) -> None:
    weights = result.weights if answer.given is None else answer.given.weights
    decision = hours_decision_of(result, weights, answer.price)
    x = np.linspace(np.log10(answer.hours) - 3, np.log10(answer.hours) + 1.5, 200)
    _, least = decision.best()
    axes.plot(x, np.log10(np.maximum(decision.expected_loss(10.0**x) - least, 1.0)), color=BLUE)
    axes.axvline(
        np.log10(answer.hours),
        color=ORANGE,
        linestyle="--",
        label=f"enough with {answer.confidence:.0%} confidence",
    )
    axes.axvline(
        np.log10(max(answer.best_hours, 1.0)),
        color=GREEN,
        linestyle=":",
        label="least expected loss",
    )
    top = axes.get_ylim()[1]
    axes.set_ylim(max(0.0, top - 6), top)
    log_ticks(axes.xaxis)
    log_ticks(axes.yaxis)
    axes.set_xlabel("human-hours bought")
    axes.set_ylabel("expected regret (USD)")
    limit = format_number(answer.loss_limit["q50"])
    axes.set_title(f"Loss limit of a shortfall: {limit} USD in the median")
    axes.legend(loc="lower left")


def _labels(axes: Any, answer: Budget) -> None:
    error = np.linspace(0.001, 0.49, 200)
    single = label_information(error, ITEM_COST + 1)
    for votes, colour, dash in zip(VOTES, COLOURS, DASHES, strict=True):
        gain = label_information(majority_error(error, votes), ITEM_COST + votes) / single
        axes.plot(
            error,
            gain,
            color=colour,
            linestyle=dash,
            label=f"{votes} vote{'s' if votes > 1 else ''}",
        )
    axes.plot(
        error,
        label_information(BETTER * error, ITEM_COST + 2) / single,
        color=ORANGE,
        label="half the error, twice the cost",
    )
    axes.axvspan(answer.label_error[0], answer.label_error[2], color=GREY, alpha=0.15, linewidth=0)
    axes.set_ylim(0, 4)
    percent_ticks(axes.xaxis)
    axes.set_xlabel("label error (shaded: new labellers by published agreement, 90%)")
    axes.set_ylabel("information per USD\nover single labels")
    axes.legend(loc="upper left", fontsize=7.5)
