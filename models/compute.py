"""How much compute will the largest training run have?

A frontier run at date ``t`` costs ``s`` and buys ``h`` (log10 USD, log10 FLOP per USD)::

    s(t) = spend_level + spend_growth (t - reference) + largest_run_offset * largest
    h(t) = hardware_level + hardware_growth (t - reference)
    y_i  = (log10 cost_i, log10 FLOP_i - log10 cost_i)
    y_i  ~ StudentT_2(nu=4, (s, h), Sigma + diag((flop_sd_scale * flop_sd_i)^2, 0))

A run's cost is derived from its compute, so that one measurement error is common to both. It
cancels in FLOP per USD. The stated errors follow labels of confidence; ``flop_sd_scale`` says by
how much they are too wide.

The runs are those in the running top 10 at release. Arrival is decided by the largest run, which is
an order statistic of this field. Known runs are counted off in tens, from the latest backwards. The
largest of each ten (``largest``) lies ``largest_run_offset`` above the trend, and given that, the
others are runs of the trend that lie below it. With ``L`` the largest run's log10 FLOP, ``f`` the
density and ``F`` the distribution function of log10 FLOP about the trend, a ten has the density::

    f(L - largest_run_offset) * product over the nine others of f(y_i) / F(L)

Runs before the first whole ten stay as they are. In fields whose runs differ by chance alone the
offset is the mean height of the largest of ten draws; where some developers spend more it is higher
by what they do. Simulation recovers both (``tests/models/test_largest_run.py``).

========================  ========  ==========================================================
name                      unit      meaning
========================  ========  ==========================================================
``date``                  year      release
``log_flop, log_cost``    log10     FLOP; cost in USD of 2023, where known
``flop_sd``               OOM       stated measurement error
``exact``                 flag      whether the FLOP is known, or known only to exceed a value
``ten``                   count     number of the run's ten; -1 outside of every ten
``largest``               flag      whether the run is the largest of its ten
``ceiling``               log10     FLOP of the largest run of its ten, for the nine others
``spend_sd``              OOM       scatter of spend
``hardware_sd``           OOM       scatter of FLOP per USD
``flop_sd_scale``         1         actual over stated measurement error
========================  ========  ==========================================================

A run without a known cost informs ``s + h``, which has a Student-t margin of the same nu. A run
known only to exceed a value enters by its survival function, and belongs to no ten: it may be the
largest. Undisclosed runs of 2025-26 are missing because they are large. Their bounds lie below the
trend of their date and hardly inform, so growth since 2025 rests on few runs. Membership of the top
ten is selection too. Dividing by the probability of entry makes forecasts of simulated fields
worse, so it is left alone: the trend is that of runs that enter.

Published estimates of algorithmic progress ``g_j`` (OOM/year) with standard errors ``s_j``::

    g_j ~ Normal(algorithmic_growth, sqrt(s_j^2 + algorithmic_spread^2))

How the largest run goes on from there is in :mod:`aligntax.models.trend`.

References
----------
.. [1] Sevilla et al., "Compute trends across three eras of machine learning", 2022.
       arXiv:2202.05924
.. [2] Cottier et al., "The rising costs of training frontier AI models", 2024. arXiv:2405.21015
.. [3] Ho et al., "Algorithmic progress in language models", 2024. arXiv:2403.05812
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.tens import (
    NU,
    TOP,
    drawn_ceiling,
    drawn_figures,
    drawn_flop,
    largest_of_ten,
    tens,
)
from aligntax.models.trend import Trend
from aligntax.models.views import View

QUANTITIES = (
    "spend_level",
    "spend_growth",
    "spend_growth_ratio",
    "spend_cap",
    "world_product_growth",
    "hardware_level",
    "hardware_growth",
    "hardware_limit",
    "algorithmic_growth",
    "algorithmic_limit",
    "largest_run_offset",
)
TOP_LEVEL = (
    "spend_sd",
    "hardware_sd",
    "spend_hardware_correlation",
    "flop_sd_scale",
    "algorithmic_spread",
)
FRONTIER = ("frontier_spend", "frontier_flop", "effective_flop")
HEADLINES = (
    "spend_growth",
    "hardware_growth",
    "algorithmic_growth",
    "largest_run_offset",
    *FRONTIER,
)


@replaceable_rows("training_runs")
def runs(evidence: Evidence, view: View) -> xr.Dataset:
    """Rows in the likelihood, sorted by date, with their tens; see the table of the module."""
    used = select(evidence["training_runs"]).sortby("date")
    date, flop = used["date"].values, np.log10(used["flop"].values)
    exact = used["bound"].values == "exact"
    # the first ten runs are the ten largest because nothing came before them
    entered = np.asarray([np.sum(exact & (date < each)) >= TOP for each in date], dtype=bool)
    kept = np.flatnonzero(entered & (date >= view.compute.runs_since))
    ten, largest, ceiling = tens(flop[kept], exact[kept])
    rows = xr.Dataset(
        {
            "date": used["date"],
            "log_flop": ("run", flop),
            "flop_sd": used["flop_sd"],
            "log_cost": np.log10(used["cost_usd"]),
            "exact": ("run", exact),
        }
    ).isel(run=kept)
    return rows.assign(ten=("run", ten), largest=("run", largest), ceiling=("run", ceiling))


def survival(t: Any, xp: Any = np) -> Any:
    """``P(T > t)`` for Student's t of four degrees of freedom; ``xp`` is numpy or PyTensor.

    With ``r = sqrt(4 + t^2)`` and ``u = t / r`` it is ``(1 - u)^2 (2 + u) / 4``, in which ``1 - u``
    would lose all digits far above, and ``4 / (r^2 (1 + u))`` loses none.
    """
    square = NU + t**2
    u = t / square**0.5
    away = 1.0 + xp.where(t > 0, u, -u)
    return 0.25 * xp.where(t > 0, NU / (square * away), away) ** 2 * (2.0 + u)


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add the frontier runs and the estimates of algorithmic progress to the open model."""
    import pymc as pm

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood
    from aligntax.models.priors.scales import half_normal

    rows = data(evidence, view)
    model = pm.modelcontext(None)
    model.add_coord("run", rows["runs"]["run"].values)
    # top-10 runs seldom differ by more than an OOM from their trend
    sd_s = half_normal("spend_sd", 0.7)
    sd_h = half_normal("hardware_sd", 0.5)  # price-performance differs less than spend
    rho = pm.Uniform("spend_hardware_correlation", -1.0, 1.0)
    kappa = half_normal("flop_sd_scale", 1.0)  # stated errors may be right, or far too large
    spread = half_normal("algorithmic_spread", 0.15)  # OOM/year between methods and domains
    if rows["runs"].sizes["run"]:
        run = data_columns("runs", rows["runs"])
        _add_runs(run, runs(evidence, view), _trend(run, view, x, sd_s, sd_h, rho, kappa))
    model.add_coord("estimate", rows["estimates"]["estimate"].values)
    if rows["estimates"].sizes["estimate"]:
        published = data_columns("estimates", rows["estimates"])
        estimate = pm.Normal.dist(
            x["algorithmic_growth"], (published["growth_se"] ** 2 + spread**2) ** 0.5
        )
        add_likelihood("algorithmic_progress", estimate, published["growth"], "estimate")


def _add_runs(run: Mapping[str, Any], rows: xr.Dataset, trend: tuple[Any, ...]) -> None:
    """Add the frontier runs to the open model; a run's figures are its FLOP and its cost."""
    import pytensor.tensor as pt

    from aligntax.models.priors.observed import add_likelihood, custom_law

    limit = pt.switch(run["exact"] > 0, np.inf, run["log_flop"])
    above = np.asarray(largest_of_ten(rows))

    def log_density(value: Any, *parameters: Any) -> Any:
        *moments, limit, costed, capped = parameters
        flop, cost = value[:, 0], value[:, 1]
        known = {"costed": costed, "capped": capped, "exact": flop < limit, "ceiling": flop[above]}
        return _run_log_density({"log_flop": flop, "log_cost": cost, **known}, *moments)

    def draw(s: Any, h: Any, v_s: Any, v_h: Any, c: Any, *known: Any) -> Any:
        limit, costed, _, rng = known
        v_s, v_h, c = np.broadcast_arrays(v_s, v_h, c)
        scale = np.stack([np.stack([v_s, c]), np.stack([c, v_h])])
        flop, cost = drawn_figures(np.stack([s, h]), scale, rows, rng)
        return np.stack([np.minimum(flop, limit), np.where(costed > 0, cost, 0.0)], axis=-1)

    law = custom_law(
        log_density,
        draw,
        *(*trend, limit, run["costed"], run["capped"]),
        signature="(n),(n),(n),(),(),(n),(n),(n)->(n,2)",
    )
    figures = pt.stack([run["log_flop"], run["log_cost"]], axis=-1)
    coords = {"run": rows["run"].values, "figure": ("log_flop", "log_cost")}
    add_likelihood(
        "training_runs", law, figures, "run", coords, terms=_run_log_density(run, *trend)
    )


def _trend(
    run: dict[str, Any],
    view: View,
    x: Mapping[str, Any],
    sd_s: Any,
    sd_h: Any,
    rho: Any,
    kappa: Any,
) -> tuple[Any, ...]:
    """Log10 cost and FLOP per USD expected of each run; their variances and covariance."""
    elapsed = run["date"] - view.compute.reference_year
    s = x["spend_level"] + x["spend_growth"] * elapsed + x["largest_run_offset"] * run["largest"]
    h = x["hardware_level"] + x["hardware_growth"] * elapsed
    return s, h, sd_s**2 + (kappa * run["flop_sd"]) ** 2, sd_h**2, rho * sd_s * sd_h


def _run_log_density(run: Mapping[str, Any], s: Any, h: Any, v_s: Any, v_h: Any, c: Any) -> Any:
    """Log density of each run, given that it lies below the largest of its ten, (run,).

    Student's t of ``k`` figures at a distance ``r`` has, with ``V`` their scale matrix, ``|V|`` its
    determinant and ``Q = |V| r' V^-1 r``::

        log p = constant - 1/2 log |V| - p log(1 + Q / (nu |V|)),    p = (nu + k) / 2
              = constant + (p - 1/2) log |V| - p log(|V| + Q / nu)

    What a row needs is chosen before logarithms are taken, since both sides of a choice are worked
    out.
    """
    import pytensor.tensor as pt

    costed, capped, exact = (run[name] > 0 for name in ("costed", "capped", "exact"))
    r_s, r_h = run["log_cost"] - s, run["log_flop"] - run["log_cost"] - h
    r, variance = run["log_flop"] - s - h, v_s + v_h + 2 * c
    determinant = pt.switch(costed, v_s * v_h - c**2, variance)
    q = pt.switch(costed, v_h * r_s**2 - 2 * c * r_s * r_h + v_s * r_h**2, r**2)
    constant = pt.switch(costed, -np.log(2 * np.pi), np.log(3 / 8))
    power = 0.5 * (NU + 1 + run["costed"])
    known = constant + (power - 0.5) * pt.log(determinant) - power * pt.log(determinant + q / NU)
    # that an unknown figure is exceeded, or that a known one stays below its ceiling: Student's t
    # is symmetric, and the probability below is that beyond the mirrored distance
    beyond = pt.switch(exact, s + h - run["ceiling"], r) / variance**0.5
    log_beyond = pt.log(survival(beyond, pt))
    return pt.switch(exact, known - pt.switch(capped, log_beyond, 0.0), log_beyond)


@replaceable_rows("algorithmic_progress")
def estimates(evidence: Evidence) -> xr.Dataset:
    """Published estimates of algorithmic progress that enter the likelihood."""
    return select(evidence["algorithmic_progress"])


COLUMNS = ("date", "log_flop", "flop_sd", "log_cost", "exact", "largest", "ceiling")


def _without_gaps(rows: xr.Dataset) -> xr.Dataset:
    flags = {"costed": np.isfinite(rows["log_cost"]), "capped": np.isfinite(rows["ceiling"])}
    return rows[list(COLUMNS)].fillna(0.0).assign(flags)


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name.

    An unknown cost is 0, and the run is not ``costed``. A missing ceiling is 0, and the run is not
    ``capped``.
    """
    return {
        "runs": _without_gaps(runs(evidence, view)),
        "estimates": estimates(evidence)[["growth", "growth_se"]],
    }


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the compute trends alone as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
        add(evidence, view, x)
    return model


def derive(x: Mapping[str, Any], trend: Trend, dates: Any) -> dict[str, Any]:
    """Frontier spend, FLOP and effective FLOP (log10) at dates; a trailing axis over ``dates``."""
    column = {name: value[..., None] for name, value in x.items() if name in QUANTITIES}
    dates = np.asarray(dates, dtype=float)
    return {
        "frontier_spend": trend.spend(column, dates),
        "frontier_flop": trend.physical(column, dates),
        "effective_flop": trend.effective(column, dates),
    }


def exact_runs(evidence: Evidence, view: View) -> xr.Dataset:
    """Rows of :func:`runs` whose FLOP is known, the ones that can be predicted."""
    rows = runs(evidence, view)
    return rows.isel(run=np.flatnonzero(rows["exact"].values))


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`.

    A run that is only known to exceed a figure stands at that figure.
    """
    return {
        "training_runs": runs(evidence, view)["log_flop"],
        "algorithmic_progress": estimates(evidence)["growth"],
    }


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated ``log10 FLOP`` of each run, and replicated estimates of progress.

    The largest run of each ten is drawn first, and then the others given that they lie below it.
    """
    rows = runs(evidence, view)
    flop = drawn_flop(*_run_moments(x, parameters, rows, view), rows, rng)
    growth = _drawn_growth(x, parameters, estimates(evidence), rng)
    return {"training_runs": ("run", flop), "algorithmic_progress": ("estimate", growth)}


def _drawn_growth(
    x: Mapping[str, Any], parameters: xr.Dataset, published: xr.Dataset, rng: Generator
) -> Any:
    """Estimates of algorithmic progress, (..., estimate), OOM/year."""
    sd = np.sqrt(
        published["growth_se"].values ** 2 + parameters["algorithmic_spread"].values[..., None] ** 2
    )
    return x["algorithmic_growth"][..., None] + sd * rng.standard_normal(sd.shape)


def _run_moments(
    x: Mapping[str, Any], parameters: xr.Dataset, rows: xr.Dataset, view: View
) -> tuple[Any, Any]:
    """Location and scale matrix of log10 cost and log10 FLOP per USD.

    Shapes (2, ..., run) and (2, 2, ..., run).
    """
    column = {name: value[..., None] for name, value in x.items()}
    sd_s, sd_h, rho, kappa = (
        parameters[name].values[..., None]
        for name in ("spend_sd", "hardware_sd", "spend_hardware_correlation", "flop_sd_scale")
    )
    elapsed = rows["date"].values - view.compute.reference_year
    s = (
        column["spend_level"]
        + column["spend_growth"] * elapsed
        + column["largest_run_offset"] * rows["largest"].values
    )
    h = column["hardware_level"] + column["hardware_growth"] * elapsed
    error = kappa * np.nan_to_num(rows["flop_sd"].values)  # a bound has none
    v_s, v_h, c = np.broadcast_arrays(sd_s**2 + error**2, sd_h**2, rho * sd_s * sd_h)
    return np.stack([s, h]), np.stack([np.stack([v_s, c]), np.stack([c, v_h])])


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars.

    Date, ten, which run is the largest of it, and whether a cost is known stay as they are. A run
    known only to exceed a figure is known exactly where its draw is below that figure.
    """
    rows = runs(evidence, view)
    location, scale = _run_moments(x, parameters, rows, view)
    flop, cost = drawn_figures(location, scale, rows, rng)
    bound = np.where(rows["exact"].values, np.inf, rows["log_flop"].values)
    drawn = {
        "log_flop": np.minimum(flop, bound),
        "log_cost": np.where(np.isfinite(rows["log_cost"].values), cost, np.nan),
        "exact": flop <= bound,
        "ceiling": drawn_ceiling(flop, rows),
    }
    published = estimates(evidence)
    growth = _drawn_growth(x, parameters, published, rng)
    return {
        "training_runs": rows.assign({name: ("run", value) for name, value in drawn.items()}),
        "algorithmic_progress": published.assign(growth=("estimate", growth)),
    }
