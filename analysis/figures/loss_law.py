"""Figures of the loss law: loss at fixed compute, and exponents beside published ones."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from aligntax.analysis.figures.forest import draw_forest, name_rows
from aligntax.analysis.figures.style import (
    BANDS,
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    WIDTH,
    elicited_draws,
    log_ticks,
    printable,
    quantile,
    styled,
    used_rows,
    view_of,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import format_compact
from aligntax.models import loss_law
from aligntax.models.evidence import Evidence
from aligntax.models.priors.quantities import element

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_SLICES, MOST_CORPORA = 9, 4
WINDOW = 0.15  # OOM of FLOP, a factor of 1.4: runs of one slice
FEWEST = 5  # runs of a slice
MARGIN = 0.25  # OOM of parameters that curves reach beyond the runs
GRID = 60
PUBLISHED = (("o", GREY), ("s", "black"), ("^", ORANGE), ("v", PURPLE))


def has_runs(result: Result) -> bool:
    """Whether the run is conditioned on training runs."""
    return (
        bool(used_rows(result, "loss_runs").sizes.get("loss_run", 0)) and "alpha" in result.derived
    )


def compute_slices(log_flop: Any) -> list[tuple[float, Any]]:
    """Return windows of training compute that do not overlap and hold enough runs.

    Parameters
    ----------
    log_flop : ndarray, shape (run,)
        log10 FLOP.

    Returns
    -------
    list of (float, ndarray of bool)
        log10 FLOP of the middle run and which runs belong, from little to much compute.
    """
    free = np.ones(len(log_flop), dtype=bool)
    found: list[tuple[float, Any]] = []
    while True:
        inside = free & (np.abs(log_flop[:, None] - log_flop) <= WINDOW / 2)
        best = inside[int(np.argmax(inside.sum(axis=1)))]
        if best.sum() < FEWEST:
            return sorted(found, key=lambda each: each[0])
        found.append((float(np.median(log_flop[best])), best))
        free &= np.abs(log_flop - found[-1][0]) > 2 * WINDOW


def drawn_slices(slices: list[tuple[float, Any]]) -> list[tuple[float, Any]]:
    """Return the slices that a panel has room for: the least and the most compute, and the fullest.

    They keep their order.
    """
    if len(slices) <= MOST_SLICES:
        return slices
    inner = sorted(range(1, len(slices) - 1), key=lambda i: -int(slices[i][1].sum()))
    kept = {0, len(slices) - 1, *inner[: MOST_SLICES - 2]}
    return [each for i, each in enumerate(slices) if i in kept]


def slices_in_words(result: Result) -> str:
    """Return how many runs are drawn, and why the others are not."""
    rows, names = used_rows(result, "loss_runs"), loss_law.corpora(result.evidence)
    log_flop = _log_flop(rows)
    shown = few = full = 0
    for name in names[:MOST_CORPORA]:
        own = log_flop[rows["corpus"].values == name]
        slices = compute_slices(own)
        sliced = sum(int(inside.sum()) for _, inside in slices)
        drawn = sum(int(inside.sum()) for _, inside in drawn_slices(slices))
        shown, few, full = shown + drawn, few + len(own) - sliced, full + sliced - drawn
    parts = [f"{shown} of {len(log_flop)} runs are drawn"]
    parts += [f"{few} are in no slice of at least {FEWEST}"] if few else []
    parts += [f"{full} are in slices for which there is no room"] if full else []
    rest = len(log_flop) - shown - few - full
    parts += [f"{rest} are of other corpora"] if rest else []
    return f"{'; '.join(parts)}. The largest run has {format_compact(10.0 ** log_flop.max())} FLOP."


def _log_flop(rows: Any) -> Any:
    tokens, parameters = rows["tokens"].values, rows["parameters"].values
    return np.log10(loss_law.FLOP_PER_PARAMETER_TOKEN * tokens * parameters)


def _law(result: Result, corpus: int, several: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the five quantities and the errors' parameters of evenly spaced draws, (draw, 1)."""
    x = {
        name: value[:, None] for name, value in elicited_draws(result, loss_law.QUANTITIES).items()
    }
    posterior = result.draws
    every = max(1, posterior.sizes["chain"] * posterior.sizes["draw"] // 1000)

    def drawn(name: str) -> Any:
        values = posterior[name].values.astype(float)
        return values.reshape(-1, *values.shape[2:])[::every]

    if several:
        x = loss_law.from_link(
            {name: drawn(f"corpus_{name}")[:, [corpus]] for name in loss_law.QUANTITIES}
        )
    errors = {
        name: drawn(name)[:, None] for name in ("loss_sd", "error_freedom") if name in posterior
    }
    return x, errors


@styled
def isoflop(result: Result) -> Figure:
    """Draw loss against parameters in slices of compute: runs, predictive bands, the optimum."""
    rows, names = used_rows(result, "loss_runs"), loss_law.corpora(result.evidence)
    shown = names[:MOST_CORPORA]
    figure = Figure(figsize=(WIDTH, 0.9 + 3.0 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for k, (axes, name) in enumerate(zip(panels, shown, strict=True)):
        own = rows.isel(loss_run=np.flatnonzero(rows["corpus"].values == name))
        _slices(axes, result, own, _law(result, k, len(names) > 1))
        axes.set_ylabel("loss (nat per token)")
        log_ticks(axes.xaxis)
        if len(names) > 1:
            axes.set_title(printable(name))
        axes.legend(title="FLOP", loc="upper right", ncols=2)
    panels[-1].set_xlabel("parameters (diamonds: optimum, bars: its 90% interval)")
    return figure


def _slices(
    axes: "Axes", result: Result, rows: Any, law: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    view, (x, errors) = view_of(result), law
    log_n, loss = np.log10(rows["parameters"].values), rows["loss"].values
    slices = drawn_slices(compute_slices(_log_flop(rows)))
    # from dark to light as compute grows
    colours = [to_hex(each) for each in colormaps["viridis"](np.linspace(0.0, 0.85, len(slices)))]
    rng = np.random.default_rng(0)  # the same picture each time
    for colour, (middle, inside) in zip(colours, slices, strict=True):
        grid = np.linspace(log_n[inside].min() - MARGIN, log_n[inside].max() + MARGIN, GRID)
        tokens = middle - np.log10(loss_law.FLOP_PER_PARAMETER_TOKEN) - grid
        reference = np.log10([view.loss_law.parameters, view.loss_law.tokens])
        n, d = (
            loss_law.LN10 * (value - at)
            for value, at in zip((grid, tokens), reference, strict=True)
        )
        mean = np.log(loss_law.loss(x, n, d))
        if "error_freedom" in errors:
            error = rng.standard_t(errors["error_freedom"], size=mean.shape)
        else:
            error = rng.standard_normal(mean.shape)
        predicted = np.exp(mean + errors["loss_sd"] * error)
        for low, high, opacity in BANDS:
            band = quantile(predicted, low), quantile(predicted, high)
            axes.fill_between(grid, *band, color=colour, alpha=opacity, linewidth=0)
        axes.plot(grid, quantile(np.exp(mean), 0.5), color=colour, linewidth=1.0)
        axes.scatter(
            log_n[inside], loss[inside], s=10, color=colour, label=format_compact(10.0**middle)
        )
        best = loss_law.optimal_parameters(
            {name: v[:, 0] for name, v in x.items()}, view, 10.0**middle
        )
        low, at, high = (quantile(best, p) for p in (0.05, 0.5, 0.95))
        height = np.interp(at, grid, quantile(np.exp(mean), 0.5))
        axes.plot([low, high], [height, height], color="black", linewidth=1.4, zorder=4)
        axes.scatter([at], [height], marker="D", s=20, color="black", zorder=5)


def published_a(evidence: Evidence) -> tuple[list[str], Any, Any]:
    """Return names, ``a`` and its standard error of the studies that the meta-analysis uses.

    These are the published studies that it uses by default, sorted by ``a``.
    """
    rows = evidence["scaling_exponents"]
    used = np.array(["not used" not in str(note) for note in rows["note"].values], dtype=bool)
    rows = rows.isel(study=np.flatnonzero(used & (rows["estimand"].values == "compute_optimal")))
    rows = rows.sortby("allocation_exponent")
    names = [str(name) for name in rows["name"].values]
    return names, rows["allocation_exponent"].values, rows["allocation_exponent_se"].values


@styled
def exponents(result: Result) -> Figure:
    """Draw alpha and beta beside published fits, and ``a`` beside every published study of it."""
    names, a, se = published_a(result.evidence)
    corpora = loss_law.corpora(result.evidence)
    own = [
        "allocation_exponent",
        *(f"allocation_exponent[{c}]" for c in corpora if len(corpora) > 1),
    ]
    figure = Figure(figsize=(WIDTH, 4.4 + 0.2 * (len(a) + len(own))), layout="constrained")
    top, below = figure.subplots(2, 1, height_ratios=[2.6, 0.9 + 0.2 * (len(a) + len(own))])
    _plane(top, result)
    look: dict[str, Any] = {"colour": GREY, "marker": "o", "size": 16, "widths": (1.2,)}
    draw_forest(below, np.arange(len(a)), a, [(a - 1.645 * se, a + 1.645 * se)], **look)
    labels = [printable(name, 42) for name in names]
    rows = result.record["quantities"]
    for y, name in enumerate(own, start=len(a)):
        row = rows[name]
        ninety = row["q05"], row["q95"]
        draw_forest(below, y, row["q50"], [ninety], colour=BLUE, size=24, widths=(3,))
        labels.append("these runs" + (f", {printable(element(name), 30)}" if element(name) else ""))
    name_rows(below, labels)
    below.axvline(0.5, color="black", linewidth=0.8, linestyle="--")
    below.set_xlabel("a in N ~ C^a; line at 1/2")
    return figure


def _plane(axes: "Axes", result: Result) -> None:
    """Draw alpha against beta: draws, published fits, and lines of equal data exponent."""
    x = elicited_draws(result, ("alpha", "beta"))
    axes.scatter(
        x["alpha"], x["beta"], s=3, color=SKY, alpha=0.5, linewidth=0, label="posterior draws"
    )
    seen, quoted = [x["alpha"], x["beta"]], set[tuple[float, float]]()
    fits = result.evidence.tables.get("loss_laws")
    rows = (
        []
        if fits is None
        else [i for i in range(fits.sizes["loss_law"]) if fits["status"].values[i] != "computed"]
    )
    for (marker, colour), i in zip(PUBLISHED, rows, strict=False):
        assert fits is not None
        value = {
            name: float(fits[name].values[i]) for name in ("alpha", "beta", "alpha_sd", "beta_sd")
        }
        bar = {
            name: 0.0 if np.isnan(sd := value[f"{name}_sd"]) else 1.645 * sd
            for name in ("alpha", "beta")
        }
        label = printable(fits["study"].values[i], 34)
        at = value["alpha"], value["beta"]
        if at in quoted:  # an earlier fit, quoted by a forecast
            continue
        quoted.add(at)
        axes.errorbar(
            *at,
            yerr=bar["beta"],
            xerr=bar["alpha"],
            fmt=marker,
            markersize=5,
            color=colour,
            label=label,
        )
        seen += [np.array([value["alpha"]]), np.array([value["beta"]])]
    together = np.concatenate(seen)
    ends = np.array([0.95 * together.min(), 1.05 * together.max()])
    for gamma, dash in ((0.8, ":"), (1.0, "--")):
        axes.plot(
            ends,
            ends / gamma,
            color="black",
            linewidth=0.8,
            linestyle=dash,
            label=f"data exponent {gamma:g}",
        )
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("alpha")
    axes.set_ylabel("beta")
    # above the names of the studies
    axes.legend(loc="upper right", bbox_to_anchor=(-0.22, 1.0), fontsize=7)
