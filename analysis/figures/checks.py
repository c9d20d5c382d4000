"""Figures that check a run: does replicated evidence look like evidence, and did chains mix.

ArviZ draws ranks, traces and probability integral transforms onto axes made here, so that pyplot
holds no figure.
"""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from aligntax.analysis.figures.forest import central_intervals, draw_bars, name_rows
from aligntax.analysis.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    WIDTH,
    printable,
    quantile,
    styled,
)
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.checks import RANKS
from aligntax.analysis.summaries.rank_histograms import distances
from aligntax.analysis.trust.evidence.predictive import ENOUGH, FEWEST, pit_p, title_and_unit
from aligntax.models.priors.quantities import base_name, element

CHAINS = (BLUE, ORANGE, GREEN, PURPLE, "#56B4E9", "#E69F00", "black", GREY)
NAMED = 40  # rows that can be told apart by name
PREDICTIVE_DRAWS = 1000


def observed_names(result: Result) -> list[str]:
    """Return the variables that the run can replicate and that have enough observations to draw."""
    observed, predicted = result.groups.predictable
    return [
        str(name)
        for name, v in observed.items()
        if name in predicted and v.ndim == 1 and v.size >= FEWEST
    ]


def pit_names(result: Result) -> list[str]:
    """Return those that have enough observations for a distribution of ranks."""
    observed, _ = result.groups.predictable
    return [name for name in observed_names(result) if observed[name].size >= ENOUGH]


def _predicted(result: Result, name: str) -> Any:
    """Return replicates, shape (draw, row)."""
    array = result.groups.predictable[1][name].values.astype(float)
    return array.reshape(-1, array.shape[-1])


def coverage(result: Result, name: str) -> tuple[int, int, int]:
    """Count observations within their 50% and 90% predictive interval, and all of them."""
    drawn, actual = _predicted(result, name), result.groups.predictable[0][name].values
    half = (actual >= quantile(drawn, 0.25)) & (actual <= quantile(drawn, 0.75))
    most = (actual >= quantile(drawn, 0.05)) & (actual <= quantile(drawn, 0.95))
    return int(half.sum()), int(most.sum()), len(actual)


def _row_names(result: Result, dim: str, keys: Any) -> list[str]:
    """Return the names of the rows of the table along a dimension, else its keys."""
    for table in result.evidence.tables.values():
        column = next((c for c in ("name", "study") if c in table.data_vars), None)
        if dim in table.dims and column is not None and np.isin(keys, table[dim].values).all():
            return [str(value) for value in table[column].sel({dim: keys}).values]
    return [str(key) for key in keys]


@styled
def predictive_intervals(result: Result, name: str) -> Figure:
    """Draw each observation of a variable against the intervals of its replicates, by median."""
    observed = result.groups.predictable[0][name]
    actual, drawn = observed.values, _predicted(result, name)
    order = np.argsort(quantile(drawn, 0.5))
    named = len(actual) <= NAMED
    figure = Figure(
        figsize=(WIDTH, 1.1 + 0.2 * len(actual) if named else 4.2), layout="constrained"
    )
    axes = figure.subplots()
    y = np.arange(len(actual))
    intervals = [(low[order], high[order]) for low, high in central_intervals(drawn)]
    draw_bars(axes, y, intervals, (1.0, 3.5 if named else 2.2), color=BLUE, alpha=0.6)
    inside = (actual >= quantile(drawn, 0.05)) & (actual <= quantile(drawn, 0.95))
    looks = (
        (inside, "o", "black", "observed"),
        (~inside, "D", ORANGE, "observed, outside its 90% interval"),
    )
    for mask, marker, colour, label in looks:
        if mask.any():
            place = np.flatnonzero(mask[order])
            axes.scatter(
                actual[order][place],
                place,
                s=14,
                marker=marker,
                color=colour,
                zorder=3,
                label=label,
            )
    keys = observed[observed.dims[0]].values
    labels = [printable(label, 42) for label in _row_names(result, str(observed.dims[0]), keys)]
    if named:
        name_rows(axes, [labels[i] for i in order])
    else:
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.set_ylabel(f"{len(actual)} rows, by predicted median")
    axes.set_ylim(-0.8, len(actual) - 0.2)
    axes.set_xlabel(title_and_unit(name)[1])
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _collection(dataset: xr.Dataset, height: float, chains: bool) -> tuple[Figure, Any]:
    """Return a figure with one panel per variable, and ArviZ's collection of its axes."""
    from arviz_plots import PlotCollection

    names = [str(name) for name in dataset.data_vars]
    figure = Figure(figsize=(WIDTH, height * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]

    def node(values: dict[str, Any]) -> xr.DataTree:
        return xr.DataTree(
            xr.Dataset({key: ((), np.array(value, dtype=object)) for key, value in values.items()})
        )

    places = node({"figure": figure})
    places["plot"] = node(dict(zip(names, panels, strict=True)))
    aes = {"color": ["chain"], "overlay": ["chain"]} if chains else {}
    looks = {"color": list(CHAINS)} if chains else {}
    return figure, PlotCollection(dataset, places, aes=aes, backend="matplotlib", **looks)


@styled
def pit_ecdfs(result: Result) -> Figure:
    """Draw the ECDF of ranks among replicates minus the uniform: flat if calibrated.

    The p-value is that of the verdict's exceptions.
    """
    from arviz_plots import plot_ppc_pit

    names = pit_names(result)
    observed, predicted = (group[names] for group in result.groups.predictable)
    every = max(1, predicted.sizes["chain"] * predicted.sizes["draw"] // PREDICTIVE_DRAWS)
    thinned = predicted.isel(draw=slice(None, None, every)).astype(float)
    groups = {"posterior_predictive": thinned, "observed_data": observed}
    figure, places = _collection(observed, 1.8, chains=False)
    looks = dict.fromkeys(("title", "p_value_text", "suspicious_points"), False)
    plot_ppc_pit(xr.DataTree.from_dict(groups), plot_collection=places, visuals=looks)
    for axes, name in zip(figure.axes, names, strict=True):
        p = pit_p(observed[name].values, _predicted(result, name))
        axes.set_title(f"{title_and_unit(name)[0]}: p {p:.2g}")
    return figure


def worst_parameters(result: Result) -> list[str]:
    """Return the parameters that checks of r_hat and effective sample size name as the worst."""
    if not result.groups.sample_stats:  # resampled draws form no chains
        return []
    checks = [
        c["where"]
        for c in result.record["checks"]
        if c["name"] in ("r_hat", "ess_bulk", "ess_tail")
    ]
    return [name for name in dict.fromkeys(checks) if _parameter(result, name) is not None]


def _parameter(result: Result, name: str) -> xr.DataArray | None:
    """Return draws of a parameter by its name in the checks: ``z[spend_cap]``, ``method_sd``."""
    posterior = result.draws
    variable, label = base_name(name), element(name)
    if variable not in posterior:
        return None
    array = posterior[variable]
    extra = [dim for dim in array.dims if dim not in ("chain", "draw")]
    if not extra:
        return array.astype(float)
    labels = [str(value) for value in array[extra[0]].values]
    return (
        array.isel({extra[0]: labels.index(label)}, drop=True).astype(float)
        if label in labels
        else None
    )


def _worst_draws(result: Result) -> xr.Dataset:
    found = {name: _parameter(result, name) for name in worst_parameters(result)}
    return xr.Dataset(
        {name: array.reset_coords(drop=True) for name, array in found.items() if array is not None}
    )


@styled
def rank_plots(result: Result) -> Figure:
    """Draw ranks of each chain's draws among all, minus the uniform, for the worst parameters.

    Chains are thinned, because autocorrelated draws stray further than the ranks of chains that
    agree. The check of chain ranks tests every parameter.
    """
    from arviz_plots import plot_rank

    draws = _worst_draws(result)
    step = distances(np.stack([draws[name].values for name in draws.data_vars])).max()
    draws = draws.isel(draw=slice(None, None, step))
    figure, places = _collection(draws, 1.5, chains=True)
    plot_rank(
        xr.DataTree.from_dict({"posterior": draws}),
        plot_collection=places,
        envelope_prob=1.0 - RANKS,
        visuals={"xlabel": False},
    )
    return figure


@styled
def trace_plots(result: Result) -> Figure:
    """Draw each chain in order, for the worst parameters; subchains stand end to end."""
    from arviz_plots import plot_trace

    draws = _worst_draws(result)
    figure, places = _collection(draws, 1.5, chains=True)
    looks = {"trace": {"alpha": 0.6, "width": 0.4}, "xlabel": False}
    plot_trace(xr.DataTree.from_dict({"posterior": draws}), plot_collection=places, visuals=looks)
    return figure
