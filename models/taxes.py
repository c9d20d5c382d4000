"""What does alignment cost: human-hours and compute, as two shares of development cost?

Practice is that of :mod:`aligntax.models.practice`, and systems ``j`` report the compute of their
alignment as a share of pretraining (known sd ``s_j``)::

    log10 share_j ~ Normal(log10 alignment_compute_share + compute_size_exponent (C_j - C_0),
                           sqrt(s_j^2 + share_spread^2))

For a model of ``C`` log10 FLOP at date ``t`` (decimal year)::

    needed      = log10(10^hours_floor + 10^(practice(C, t) + rlhf_multiplier + quality_factor))
    cost/hour   = usd_per_hour + labour_overhead, less where AI does a part of the work
    development = spend(t) + rnd_ratio
    labour(h)   = h + cost/hour - development
    compute(h)  = log10 alignment_compute_share + compute_size_exponent (C - C_0)
                  + compute_data_exponent (h - practice(C, t))
                  + C - physical(t) - rnd_ratio
    labour_tax, compute_tax = labour(needed), compute(needed)
    affordable  = the hours h of which 10^labour(h) + 10^compute(h) = 10^tolerance_at_arrival

===========================  ==========  ========================================================
name                         unit        meaning
===========================  ==========  ========================================================
needed, affordable           log10 h     human-hours of feedback; ``hours_floor`` is the least
``usd_per_hour``             log10 USD   wage; ``labour_overhead`` (log10 x) is the cost over it
spend, development           log10 USD   largest run; all research and development behind it
labour_tax, compute_tax      log10 1     shares of development cost
``alignment_compute_share``  1           of pretraining FLOP, practice on InstructGPT's size
``compute_size_exponent``    OOM/OOM     of that share per training FLOP, at practice
``compute_data_exponent``    OOM/OOM     of that share per hours beyond practice
===========================  ==========  ========================================================

There are two taxes, never one number. Labour is human feedback; compute is alignment and preference
training without capability RL. Both are shares of total development cost, which is ``rnd_ratio``
times that of the largest training run. Compute is paid at the prices of ``t``: ``C - physical(t)``
is the cost of the model's FLOP over that of the largest run, and zero at arrival. Capability RL on
verifiable rewards is not alignment spending. AI feedback is not human-hours: where a view prices it
(:mod:`aligntax.models.ai_labour`), hours are a human-hour's worth of work by the cheapest mix of
people and AI. The labour tax counts every hour needed, none as sunk.

References
----------
.. [1] Hilton, "How much alignment data will we need in the long run?", 2022.
.. [2] Ouyang et al., "Training language models to follow instructions with human feedback", 2022.
       arXiv:2203.02155
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.ai_labour import cost_per_hour
from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.practice import practice
from aligntax.models.trend import Trend
from aligntax.models.views import View

NEWTON_STEPS = 8  # of which six reach machine precision

QUANTITIES = (
    "rlhf_multiplier",
    "quality_factor",
    "hours_floor",
    "usd_per_hour",
    "labour_overhead",
    "rnd_ratio",
    "alignment_compute_share",
    "compute_size_exponent",
    "compute_data_exponent",
)
TOP_LEVEL = ("share_spread",)


def needed_hours(x: Mapping[str, Any], log_flop: Any, t: Any, evidence: Evidence) -> Any:
    """Human-hours (log10) that a model of ``log_flop`` physical FLOP needs if aligned at ``t``."""
    scaled = practice(x, log_flop, t, evidence) + x["rlhf_multiplier"] + x["quality_factor"]
    return log_sum(scaled, x["hours_floor"])


def share_of_practice(
    x: Mapping[str, Any], log_flop: Any, evidence: Evidence, log: Any = np.log
) -> Any:
    """Alignment compute over pretraining compute (log10) where alignment uses practice's data.

    Parameters
    ----------
    log_flop : array or tensor
        Physical pretraining FLOP of the model, log10.
    log : callable
        numpy's or PyTensor's natural logarithm.
    """
    larger = log_flop - np.log10(evidence.constant("instructgpt_flop"))
    share = log(x["alignment_compute_share"]) / np.log(10)
    return share + x["compute_size_exponent"] * larger


def taxes(
    x: Mapping[str, Any], log_flop: Any, t: Any, trend: Trend, evidence: Evidence
) -> tuple[Any, Any, Any]:
    """Hours needed, labour tax and compute tax (log10) of a model that is aligned at ``t``."""
    needed = needed_hours(x, log_flop, t, evidence)
    labour, compute = _rates(x, log_flop, t, trend, evidence)
    beyond = x["compute_data_exponent"] * (needed - practice(x, log_flop, t, evidence))
    return needed, needed + labour, compute + beyond


def affordable_hours(
    x: Mapping[str, Any], log_flop: Any, t: Any, trend: Trend, evidence: Evidence
) -> Any:
    """Human-hours (log10) whose taxes together are the tolerance, ``tolerance_at_arrival``.

    Both taxes rise with the hours, labour's in proportion. So the log of their sum is convex, its
    slope lies between ``compute_data_exponent`` and one, and Newton's steps fall to the root from
    the hours that either tax alone would allow.
    """
    tolerance, exponent = x["tolerance_at_arrival"], x["compute_data_exponent"]
    usual = practice(x, log_flop, t, evidence)
    labour, compute = _rates(x, log_flop, t, trend, evidence)
    hours = np.minimum(tolerance - labour, usual + (tolerance - compute) / exponent)
    for _ in range(NEWTON_STEPS):
        paid = 10.0 ** (labour + hours), 10.0 ** (compute + exponent * (hours - usual))
        tax = paid[0] + paid[1]
        hours = hours - (np.log10(tax) - tolerance) * tax / (paid[0] + exponent * paid[1])
    return hours


def log_sum(a: Any, b: Any) -> Any:
    """``log10(10^a + 10^b)``, whatever the size of the two."""
    with np.errstate(invalid="ignore"):  # no date
        return np.logaddexp(a * np.log(10), b * np.log(10)) / np.log(10)


def _rates(
    x: Mapping[str, Any], log_flop: Any, t: Any, trend: Trend, evidence: Evidence
) -> tuple[Any, Any]:
    """Labour tax (log10) of one hour, and compute tax of as many hours as practice uses."""
    per_hour = cost_per_hour(x)
    dearer = log_flop - trend.physical(x, t)
    return (
        per_hour - trend.spend(x, t) - x["rnd_ratio"],
        share_of_practice(x, log_flop, evidence) + dearer - x["rnd_ratio"],
    )


@replaceable_rows("alignment_compute_shares")
def shares(evidence: Evidence) -> xr.Dataset:
    """Systems in the likelihood: ``log_share`` and ``log_flop`` (log10), ``share_sd`` (OOM).

    The share is that of pretraining compute.
    """
    used = select(evidence["alignment_compute_shares"])
    return xr.Dataset(
        {
            "log_share": np.log10(used["share"]),
            "share_sd": used["share_sd"],
            "log_flop": np.log10(used["model_flop"]),
        }
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"shares": shares(evidence)}


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add the compute of alignment to the open model."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood
    from aligntax.models.priors.scales import half_normal

    rows = shares(evidence)
    pm.modelcontext(None).add_coord("system", rows["system"].values)
    spread = half_normal("share_spread", 0.7)  # OOM
    if rows.sizes["system"]:
        row = data_columns("shares", rows)
        expected = share_of_practice(x, row["log_flop"], evidence, pt.log)
        share = pm.Normal.dist(expected, (row["share_sd"] ** 2 + spread**2) ** 0.5)
        add_likelihood("alignment_compute_shares", share, row["log_share"], "system")


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the name of :func:`simulate`."""
    return {"alignment_compute_shares": shares(evidence)["log_share"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated log10 share of each system, (..., system)."""
    rows = shares(evidence)
    column = {name: np.asarray(x[name])[..., None] for name in QUANTITIES}
    expected = share_of_practice(column, rows["log_flop"].values, evidence)
    sd = np.sqrt(rows["share_sd"].values ** 2 + parameters["share_spread"].values[..., None] ** 2)
    return {"alignment_compute_shares": ("system", expected + sd * rng.standard_normal(sd.shape))}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["alignment_compute_shares"]
    return {"alignment_compute_shares": shares(evidence).assign(log_share=drawn)}
