"""Figure of density prediction: failures against each adversary beside the theorem's bound."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from aligntax.analysis.figures.forest import draw_bars
from aligntax.analysis.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    legend_below,
    one_panel,
    printable,
    styled,
    used_rows,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import format_compact, format_percent
from aligntax.models.density_prediction import trials as density_trials


def has_trials(result: Result) -> bool:
    """Whether the run is conditioned on trials of density prediction."""
    return "worst_failure" in result.derived and bool(
        used_rows(result, "density_trials").sizes.get("density_trial", 0)
    )


def nearest(result: Result) -> tuple[str, str]:
    """Return the adversary nearest to the bound, and its median share of the bound in words."""
    rows = result.record["quantities"]
    names = [str(name) for name in used_rows(result, "density_trials")["density_trial"].values]
    shares = [
        rows[f"failure_probability[{name}]"]["q50"] / bound
        for name, bound in zip(names, density_trials.bounds(result.evidence), strict=True)
    ]
    most = int(np.argmax(shares))
    adversary = str(used_rows(result, "density_trials")["adversary"].values[most]).replace("_", " ")
    return adversary, format_percent(shares[most])


@styled
def failures(result: Result) -> Figure:
    """Draw the probability of failure by adversary: median, 90% interval, trials, and the bound."""
    table, rows = used_rows(result, "density_trials"), result.record["quantities"]
    order = np.argsort(table["failures"].values / table["trials"].values, kind="stable")
    table = table.isel(density_trial=order)
    bounds = density_trials.bounds(result.evidence)[order]
    figure, axes = one_panel(1.6 + 0.22 * len(order))
    y = np.arange(len(order))
    quantiles = [rows[f"failure_probability[{name}]"] for name in table["density_trial"].values]
    low, middle, high = ([row[q] for row in quantiles] for q in ("q05", "q50", "q95"))
    draw_bars(axes, y, [(low, high)], (4,), color=BLUE, alpha=0.5, label="90% interval")
    axes.scatter(middle, y, marker="D", s=12, color=BLUE, zorder=3, label="median")
    share = table["failures"].values / table["trials"].values
    axes.scatter(share, y, marker="|", s=90, color=GREY, zorder=4, label="share of trials")
    axes.vlines(
        bounds,
        y - 0.5,
        y + 0.5,
        color=ORANGE,
        linestyle="--",
        label="bound, 1 / (levels epsilon^2)",
    )
    named = zip(table["adversary"].values, table["levels"].values, strict=True)
    axes.set_yticks(
        y,
        [
            f"{printable(name, 24).replace('_', ' ')}, {format_compact(levels)} levels"
            for name, levels in named
        ],
    )
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_percent(value)))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("probability of an error above epsilon")
    axes.set_title("Failures of density prediction, by adversary")
    legend_below(figure)
    return figure
