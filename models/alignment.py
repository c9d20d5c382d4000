"""How much human feedback does alignment need, and does a tolerable tax pay for it?

RLHF efforts ``i`` report ``y_i`` log10 human-hours (known sd ``s_i``) at physical training FLOP
``C_i`` (log10), where ``C_0`` is InstructGPT's::

    y_i ~ Normal(practice_hours + practice_slope (C_i - C_0), sqrt(s_i^2 + effort_sd^2))
    log10 share_j ~ Normal(log10 alignment_compute_share, sqrt(s_j^2 + share_spread^2))

For a model of ``C`` FLOP at date ``t``, all in log10 but the shares and dates, and with the smooth
minimum ``min_w`` of :mod:`aligntax.models.compute`::

    practice   = practice_hours + practice_slope (C - C_0)
    efficiency = min_w(label_efficiency_growth (t - t_0), label_efficiency_limit)
    needed     = practice + rlhf_multiplier + quality_factor - efficiency(t)
    cost/hour  = usd_per_hour + labour_overhead
    tax(t)     = 10^(needed + cost/hour - budget(t)) + alignment_compute_share
    room       = max(0, alignment_tax_tolerance - alignment_compute_share)
    affordable = log10(room) + budget(t) - cost/hour
    headroom   = affordable - needed

``budget`` is the largest training run's cost; total R&D compute is 3 to 10 times that. Practice
scales with physical, not effective, FLOP. Waiting ends when the tax on the model that has arrived
is tolerable and its hours can have been worked::

    worked(t) = integral of 10^(workforce_hours + workforce_growth (u - 2025)) du
                over u from work_starts to t
    delay     = max(wait for the tax, wait for the work), split between them by Shapley values

The tax counts every hour needed, none as sunk. Capability RL on verifiable rewards is not alignment
spending, and AI feedback is not human-hours.

References
----------
.. [1] Hilton, "How much alignment data will we need in the long run?", 2022.
.. [2] Ouyang et al., "Training language models to follow instructions with human feedback", 2022.
       arXiv:2203.02155
.. [3] Leike, "Distinguishing three alignment taxes", 2022.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models import compute
from aligntax.models.arrival import first_crossing, time_grid
from aligntax.models.compute import Trend, smooth_minimum
from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

# beside those of the compute trends
OWN_QUANTITIES = (
    "practice_hours",
    "practice_slope",
    "rlhf_multiplier",
    "quality_factor",
    "label_efficiency_growth",
    "label_efficiency_limit",
    "usd_per_hour",
    "labour_overhead",
    "alignment_compute_share",
    "alignment_tax_tolerance",
    "workforce_hours",
    "workforce_growth",
)
QUANTITIES = (*compute.QUANTITIES, *OWN_QUANTITIES)
HEADLINES = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "alignment_tax",
    "alignment_tax_tolerance",
    "tax_headroom",
    "prob_affordable",
)


WORKFORCE_YEAR = 2025.0  # at which `workforce_hours` is quoted
WAIT_STEP = 0.5  # years between the dates at which a wait is evaluated; straight in between


@replaceable_rows("rlhf_efforts")
def efforts(evidence: Evidence) -> xr.Dataset:
    """Efforts in the likelihood: ``log_hours`` and ``log_flop`` (log10), ``hours_sd`` (OOM)."""
    used = select(evidence["rlhf_efforts"])
    return xr.Dataset(
        {
            "log_hours": np.log10(used["human_hours"]),
            "hours_sd": used["hours_sd"],
            "log_flop": np.log10(used["model_flop"]),
        }
    )


@replaceable_rows("alignment_compute_shares")
def shares(evidence: Evidence) -> xr.Dataset:
    """Systems in the likelihood: ``log_share`` and ``share_sd``.

    The share is that of training compute, in log10.
    """
    used = select(evidence["alignment_compute_shares"])
    return xr.Dataset({"log_share": np.log10(used["share"]), "share_sd": used["share_sd"]})


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"efforts": efforts(evidence), "shares": shares(evidence)}


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add RLHF practice and alignment compute to the open model."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.scales import half_normal

    rows = data(evidence, view)
    model = pm.modelcontext(None)
    model.add_coords(
        {"effort": rows["efforts"]["effort"].values, "system": rows["shares"]["system"].values}
    )
    # OOM; published efforts of one model size differ by tens of times
    effort_sd = half_normal("effort_sd", 1.0)
    spread = half_normal("share_spread", 0.7)  # OOM
    if rows["efforts"].sizes["effort"]:
        effort = data_columns("efforts", rows["efforts"])
        scale = effort["log_flop"] - np.log10(evidence.constant("instructgpt_flop"))
        mean = x["practice_hours"] + x["practice_slope"] * scale
        practice = pm.Normal.dist(mean, (effort["hours_sd"] ** 2 + effort_sd**2) ** 0.5)
        pm.Potential("rlhf_efforts", pm.logp(practice, effort["log_hours"]), dims="effort")
    if rows["shares"].sizes["system"]:
        system = data_columns("shares", rows["shares"])
        typical = pm.Normal.dist(
            pt.log10(x["alignment_compute_share"]), (system["share_sd"] ** 2 + spread**2) ** 0.5
        )
        pm.Potential(
            "alignment_compute_shares", pm.logp(typical, system["log_share"]), dims="system"
        )


def build(evidence: Evidence, view: View) -> Any:
    """Return alignment and the compute trends that pay for it as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES)) as (model, x):
        compute.add(evidence, view, x)
        add(evidence, view, x)
    return model


def needed_hours(x: Mapping[str, Any], log_flop: Any, t: Any, evidence: Evidence) -> Any:
    """Human-hours (log10) that a model of ``log_flop`` physical FLOP needs if aligned at ``t``."""
    scale = log_flop - np.log10(evidence.constant("instructgpt_flop"))
    years = t - evidence.constant("practice_reference_year")
    practice = x["practice_hours"] + x["practice_slope"] * scale
    efficiency = smooth_minimum(x["label_efficiency_growth"] * years, x["label_efficiency_limit"])
    return practice + x["rlhf_multiplier"] + x["quality_factor"] - efficiency


def at_date(x: Mapping[str, Any], t: Any, trend: Trend, evidence: Evidence) -> dict[str, Any]:
    """Data, money and tax for the largest run at a date.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
    t : ndarray, shape (draw,)
        Decimal years; NaN gives NaN.

    Returns
    -------
    dict
        Headline quantities of shape (draw,); ``alignment_hours_affordable``, ``tax_headroom`` and
        ``rlhf_multiple_affordable`` are minus infinity where nothing is affordable.
    """
    budget, flop = trend.spend(x, t), trend.physical(x, t)
    needed = needed_hours(x, flop, t, evidence)
    per_hour = x["usd_per_hour"] + x["labour_overhead"]
    share, tolerance = x["alignment_compute_share"], 10.0 ** x["alignment_tax_tolerance"]
    tax = 10.0 ** (needed + per_hour - budget) + share
    with np.errstate(divide="ignore"):  # nothing affordable: minus infinity
        affordable = np.log10(np.maximum(tolerance - share, 0.0)) + budget - per_hour
    instructgpt = np.log10(evidence.constant("instructgpt_hours"))
    practice = needed - x["rlhf_multiplier"] - x["quality_factor"]
    return {
        "training_cost_at_tai": budget,
        "training_flop_at_tai": flop,
        "alignment_hours_needed": needed,
        "alignment_hours_affordable": affordable,
        "rlhf_multiple_needed": needed - instructgpt,
        "rlhf_multiple_affordable": affordable - instructgpt,
        "rlhf_multiple_affordable_at_arrival": affordable - practice,
        "alignment_tax": np.log10(tax),
        "tax_headroom": affordable - needed,
        "prob_affordable": np.where(np.isnan(needed), np.nan, (tax <= tolerance).astype(float)),
    }


def worked_hours(x: Mapping[str, Any], t: Any, work_starts: float) -> Any:
    """Hours (log10) that the workforce can have worked from ``work_starts`` to ``t``.

    Minus infinity before ``work_starts``.
    """
    years = np.maximum(t - work_starts, 0.0)
    rate = x["workforce_growth"] * np.log(10)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(np.abs(rate * years) < 1e-9, years, np.expm1(rate * years) / rate)
        return (
            x["workforce_hours"]
            + x["workforce_growth"] * (work_starts - WORKFORCE_YEAR)
            + np.log10(growth)
        )


def waits(
    x: Mapping[str, Any], arrival: Any, trend: Trend, evidence: Evidence, view: View
) -> tuple[Any, Any]:
    """Years after arrival until the tax is tolerable, and until the hours can have been worked.

    The model is the one that arrived; its budget, label efficiency and worked hours keep growing.

    Returns
    -------
    tax, work : ndarray, shape (draw,)
        NaN where the wait does not end before the horizon.
    """
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    horizon, met = view.arrival.horizon, np.isfinite(arrival)
    years = (
        time_grid(0.0, horizon - arrival[met].min() + WAIT_STEP, WAIT_STEP)
        if met.any()
        else np.array([0.0, WAIT_STEP])
    )
    t = arrival[:, None] + years
    needed = needed_hours(column, trend.physical(x, arrival)[:, None], t, evidence)
    cost = needed + column["usd_per_hour"] + column["labour_overhead"] - trend.spend(column, t)
    room = 10.0 ** column["alignment_tax_tolerance"] - column["alignment_compute_share"]
    with np.errstate(divide="ignore"):
        margins = (
            np.log10(np.maximum(room, 0.0)) - cost,
            worked_hours(column, t, view.alignment.work_starts) - needed,
        )
    crossings = [
        first_crossing(np.where(np.isnan(margin), -np.inf, margin), years) for margin in margins
    ]
    tax, work = (np.where(arrival + wait <= horizon, wait, np.nan) for wait in crossings)
    return tax, work


def shapley(tax: Any, work: Any) -> tuple[Any, Any, Any]:
    """Delay, and the Shapley value of each wait in it; infinity means never.

    A Shapley value is a wait's mean gain over the orders in which the two are lifted. For the
    maximum of two numbers the smaller gets half of itself and the larger the rest.

    Returns
    -------
    delay, of_tax, of_work : ndarray
    """
    tax, work = (np.where(np.isnan(wait), np.inf, wait) for wait in (tax, work))
    smaller, larger = np.minimum(tax, work), np.maximum(tax, work)
    with np.errstate(invalid="ignore"):
        rest = larger - 0.5 * smaller
    both_never = np.isinf(smaller)
    rest = np.where(both_never, np.inf, rest)
    return (
        larger,
        np.where(tax >= work, rest, 0.5 * smaller),
        np.where(tax >= work, 0.5 * smaller, rest),
    )


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Alignment of the largest run at ``view.alignment.date``, where the model is run alone.

    The arguments are those of every model; this one has no use for ``parameters``.
    """
    t = np.full(x["practice_hours"].shape, view.alignment.date)
    at = at_date(x, t, Trend.of(evidence, view), evidence)
    return {name: value for name, value in at.items() if not name.endswith("_at_tai")}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {"log_hours": efforts(evidence)["log_hours"], "log_share": shares(evidence)["log_share"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated log10 hours of each effort and log10 share of each system, (..., row)."""
    rows = data(evidence, view)
    column = {name: value[..., None] for name, value in x.items()}
    scale = rows["efforts"]["log_flop"].values - np.log10(evidence.constant("instructgpt_flop"))
    mean = column["practice_hours"] + column["practice_slope"] * scale
    sd = np.sqrt(
        rows["efforts"]["hours_sd"].values ** 2 + parameters["effort_sd"].values[..., None] ** 2
    )
    share_sd = np.sqrt(
        rows["shares"]["share_sd"].values ** 2 + parameters["share_spread"].values[..., None] ** 2
    )
    return {
        "log_hours": ("effort", mean + sd * rng.standard_normal(sd.shape)),
        "log_share": (
            "system",
            np.log10(column["alignment_compute_share"])
            + share_sd * rng.standard_normal(share_sd.shape),
        ),
    }


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)
    return {
        "rlhf_efforts": efforts(evidence).assign(log_hours=drawn["log_hours"]),
        "alignment_compute_shares": shares(evidence).assign(log_share=drawn["log_share"]),
    }
