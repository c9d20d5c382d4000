"""How much human feedback do developers use, by the compute of the model and by date?

One model of practice serves likelihood and prediction alike. With ``C`` log10 physical training
FLOP, ``C_0`` InstructGPT's, ``t_0`` its year and ``sat`` the function
:func:`aligntax.models.trend.saturating`::

    practice(C, t) = practice_hours + practice_slope (C - C_0) - efficiency(t)
    efficiency(t)  = sat(label_efficiency_growth (t - t_0), label_efficiency_limit)
    bought(C, t)   = practice(C, t) + models_per_year - log10 alignment_share_of_human_data

Efforts ``i`` report ``y_i`` log10 human-hours (known sd ``s_i``); ``chat_i`` is 1 where they are
items times minutes of 2021 although the items are chats, which take ``chat_minutes`` times as long.
Frontier developers ``j`` report human data of a year, of which a share is alignment, for several
models::

    y_i ~ Normal(practice(C_i, t_i) - chat_i chat_minutes, sqrt(s_i^2 + effort_sd^2))
    w_j ~ Normal(bought(C_j, t_j), sqrt(s_j^2 + effort_sd^2))

==================================  ==========  =================================================
name                                unit        meaning
==================================  ==========  =================================================
``practice_hours``                  log10 h     a typical effort on InstructGPT's size in its year
``practice_slope``                  OOM/OOM     hours per training FLOP
``label_efficiency_growth``         OOM/year    fall of hours for the same result
``label_efficiency_limit``          OOM         most that they can fall, or rise
``chat_minutes``                    log10 x     time of an item of the chat era over that of 2021
``models_per_year``                 log10 1/yr  models that share a year's human data
``alignment_share_of_human_data``   1           of a frontier developer's human data
==================================  ==========  =================================================

A ``w_j`` that is a lower bound enters by the probability of exceeding it. Compute and date of the
efforts correlate, so slope and efficiency must be fitted together: a slope fitted without
efficiency already contains it. Dates are decimal years.

References
----------
.. [1] Ouyang et al., "Training language models to follow instructions with human feedback", 2022.
       arXiv:2203.02155
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.trend import saturating
from aligntax.models.views import View

QUANTITIES = (
    "practice_hours",
    "practice_slope",
    "label_efficiency_growth",
    "label_efficiency_limit",
    "chat_minutes",
    "alignment_share_of_human_data",
    "models_per_year",
)
TOP_LEVEL = ("effort_sd",)


def efficiency(x: Mapping[str, Any], t: Any, evidence: Evidence) -> Any:
    """Fall of human-hours for the same result since InstructGPT's year, OOM."""
    years = t - evidence.constant("practice_reference_year")
    return saturating(x["label_efficiency_growth"] * years, x["label_efficiency_limit"])


def practice(x: Mapping[str, Any], log_flop: Any, t: Any, evidence: Evidence) -> Any:
    """Human-hours (log10) of a typical effort on a model of ``log_flop`` physical FLOP at ``t``."""
    scale = log_flop - np.log10(evidence.constant("instructgpt_flop"))
    return x["practice_hours"] + x["practice_slope"] * scale - efficiency(x, t, evidence)


def bought(
    x: Mapping[str, Any], log_flop: Any, t: Any, evidence: Evidence, log: Any = np.log
) -> Any:
    """Human data (log10 hours a year, for any purpose) of the developer of such a model.

    Parameters
    ----------
    log : callable
        numpy's or PyTensor's natural logarithm.
    """
    share = log(x["alignment_share_of_human_data"]) / np.log(10)
    return practice(x, log_flop, t, evidence) + x["models_per_year"] - share


@replaceable_rows("rlhf_efforts")
def efforts(evidence: Evidence) -> xr.Dataset:
    """Efforts in the likelihood: ``log_hours`` and ``log_flop`` (log10), ``hours_sd`` (OOM).

    ``date`` is a decimal year, and ``chat`` is 1 where minutes of 2021 stand for those of chats.
    """
    used = select(evidence["rlhf_efforts"])
    return _hours(used).assign(chat=(used["minutes_era"] == "chat").astype(float))


@replaceable_rows("feedback_workforces")
def workforces(evidence: Evidence) -> xr.Dataset:
    """Workforces in the likelihood: ``log_hours`` a year and ``log_flop`` (log10), ``hours_sd``.

    ``date`` is a decimal year, and ``exact`` is 0 where the hours are a lower bound.
    """
    used = select(evidence["feedback_workforces"])
    return _hours(used).assign(exact=(used["bound"] == "exact").astype(float))


def _hours(used: xr.Dataset) -> xr.Dataset:
    """What both tables say of hours: how many, how surely, on how large a model, and when."""
    return xr.Dataset(
        {
            "log_hours": np.log10(used["human_hours"]),
            "hours_sd": used["hours_sd"],
            "log_flop": np.log10(used["model_flop"]),
            "date": used["date"],
        }
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"efforts": efforts(evidence), "workforces": workforces(evidence)}


def _reported(x: Mapping[str, Any], row: Mapping[str, Any], evidence: Evidence) -> Any:
    """Expected log10 hours that efforts report."""
    return practice(x, row["log_flop"], row["date"], evidence) - row["chat"] * x["chat_minutes"]


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add efforts and workforces to the open model."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood
    from aligntax.models.priors.scales import half_normal

    rows = data(evidence, view)
    model = pm.modelcontext(None)
    model.add_coords({dim: rows[f"{dim}s"][dim].values for dim in ("effort", "workforce")})
    # OOM; published efforts of one model size differ by tens of times
    effort_sd = half_normal("effort_sd", 1.0)
    if rows["efforts"].sizes["effort"]:
        effort = data_columns("efforts", rows["efforts"])
        sd = (effort["hours_sd"] ** 2 + effort_sd**2) ** 0.5
        reported = pm.Normal.dist(_reported(x, effort, evidence), sd)
        add_likelihood("rlhf_efforts", reported, effort["log_hours"], "effort")
    if rows["workforces"].sizes["workforce"]:
        row = data_columns("workforces", rows["workforces"])
        sd = (row["hours_sd"] ** 2 + effort_sd**2) ** 0.5
        mean = bought(x, row["log_flop"], row["date"], evidence, pt.log)
        add_told("feedback_workforces", "workforce", row["log_hours"], row["exact"], mean, sd)


def add_told(table: str, dim: str, value: Any, exact: Any, mean: Any, sd: Any) -> None:
    """Add normal figures to the open model, some of which are known as lower bounds alone.

    Parameters
    ----------
    value : tensor
        The figures, or what they are known to exceed.
    exact : tensor
        1 where a figure is known, 0 where it is a lower bound.
    """
    import pytensor.tensor as pt

    from aligntax.models.priors.observed import add_likelihood, custom_law

    limit = pt.switch(exact > 0, np.inf, value)
    law = custom_law(_log_density_up_to, drawn_up_to, mean, sd, limit)
    add_likelihood(table, law, value, dim, terms=_log_density(value, mean, sd, exact))


def _log_density_up_to(value: Any, mean: Any, sd: Any, limit: Any) -> Any:
    """Log density of figures that are known exactly below a limit."""
    return _log_density(value, mean, sd, value < limit)


def _log_density(value: Any, mean: Any, sd: Any, exact: Any) -> Any:
    """Log density of exact figures; of a lower bound the log probability of exceeding it."""
    import pymc as pm
    import pytensor.tensor as pt

    score, standard = (value - mean) / sd, pm.Normal.dist(0.0, 1.0)
    known = pm.logp(standard, score) - pt.log(sd)
    return pt.switch(exact > 0, known, pm.logcdf(standard, -score))


def drawn_up_to(mean: Any, sd: Any, limit: Any, rng: Generator) -> Any:
    """Random figures, as far as they are told: at most a limit."""
    return np.minimum(mean + sd * rng.standard_normal(np.shape(mean)), limit)


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`.

    A workforce that is only known to exceed a figure stands at that figure.
    """
    return {
        "rlhf_efforts": efforts(evidence)["log_hours"],
        "feedback_workforces": workforces(evidence)["log_hours"],
    }


def _drawn(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, rng: Generator
) -> tuple[Any, Any]:
    """Replicated log10 hours of each effort, and of each workforce, (..., row)."""
    column = {name: value[..., None] for name, value in x.items()}
    spread = parameters["effort_sd"].values[..., None]

    def drawn(expected: Any, rows: xr.Dataset) -> Any:
        sd = np.sqrt(rows["hours_sd"].values ** 2 + spread**2)
        return expected + sd * rng.standard_normal(sd.shape)

    own, workers = efforts(evidence), workforces(evidence)
    effort, workforce = (
        {str(name): value.values for name, value in rows.items()} for rows in (own, workers)
    )
    return (
        drawn(_reported(column, effort, evidence), own),
        drawn(bought(column, workforce["log_flop"], workforce["date"], evidence), workers),
    )


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated log10 hours of each effort, and of each workforce in a year."""
    hours, per_year = _drawn(x, parameters, evidence, rng)
    return {
        "rlhf_efforts": ("effort", hours),
        "feedback_workforces": ("workforce", per_year),
    }


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars.

    A workforce known only to exceed a figure is known exactly where its draw is below that figure.
    """
    hours, per_year = _drawn(x, parameters, evidence, rng)
    rows = workforces(evidence)
    bound = np.where(rows["exact"].values > 0, np.inf, rows["log_hours"].values)
    drawn = {
        "log_hours": ("workforce", np.minimum(per_year, bound)),
        "exact": ("workforce", (per_year <= bound).astype(float)),
    }
    return {
        "rlhf_efforts": efforts(evidence).assign(log_hours=("effort", hours)),
        "feedback_workforces": rows.assign(drawn),
    }
