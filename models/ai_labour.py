"""How much of alignment's labour do AI hours do, and what does the cheapest mix cost?

Off in the default view. Where a view prices AI labour (``[alignment] ai_labour = "priced"``), the
work that alignment needs, ``H`` human-hours, is met by ``h`` human-hours and ``a`` AI hours at a
constant elasticity of substitution ``s > 1``::

    H = (h^((s-1)/s) + (e a)^((s-1)/s))^(s/(s-1))
    e = ai_efficiency x ai_margin^2 x ai_transfer             human-hours that an AI hour is worth

``w`` is the cost of a human-hour, ``p`` that of an AI hour, and so ``r = p / e`` that of a
human-hour's worth of AI labour. Of all mixes that do the work the cheapest costs ``c`` an hour::

    c     = (w^(1-s) + r^(1-s))^(1/(1-s))
    share = r^(1-s) / (w^(1-s) + r^(1-s))                     of the money, for AI hours
    h     = H (c / w)^s,      a = share c H / p

Either alone can do all of it: ``h = H`` as ``e`` falls to zero. A mix costs less than the cheaper
of the two, because tasks differ in how much AI helps with them, and each goes to whoever does it
cheaper. If what either gets done in an hour has a Frechet distribution over tasks, cost has this
form, ``s - 1`` is the distribution's shape, and ``share`` the part of tasks that AI does [2]_. At
equal cost the mix saves a factor of ``2^(1/(s-1))``. That has no limit as ``s`` falls to 1, where
the form would need shares of its own; as ``s`` rises the cheaper does everything.

A label that errs more is worth less. What comparisons decide by is the squared margin of the label,
``(2q - 1)^2`` (:mod:`aligntax.models.outer_alignment.comparisons`), so that AI labels are worth
``ai_margin^2`` of as many by people. **Evidence** ``i`` is a trial that reports a log10 ratio
``y_i``, of as many factors of ``e`` and ``p`` as :data:`MEASURES` counts::

    y_i ~ Normal(efficiency_i ai_efficiency + margin_i ai_margin + transfer_i ai_transfer
                 + price_i ai_usd_per_hour, sd_i)

A bound enters by the probability of lying beyond it; a null result is an upper bound. Studies of
margins compare an AI's agreement with people, ``A``, with people's among themselves, ``B``: if
errors are independent, ``2A - 1`` over ``2B - 1`` is the margin. Price and efficiency are those of
the date that is asked about: nothing here grows with time.

===================  ===========  =================================================================
name                 unit         meaning
===================  ===========  =================================================================
``ai_usd_per_hour``  log10 USD    ``p``, an hour of an agent, or of labelling at the same price
``ai_efficiency``    log10 x      work that it does in published trials, errors apart
``ai_margin``        log10 x      ``2q - 1`` of an AI's label over that of a person's
``ai_transfer``      log10 x      its worth on a frontier model over that in published trials
``ai_substitution``  1            ``s``
===================  ===========  =================================================================

References
----------
.. [1] Arrow, Chenery, Minhas, Solow, "Capital-labor substitution and economic efficiency", 1961.
       doi:10.2307/1927286
.. [2] Eaton, Kortum, "Technology, geography, and trade", 2002. doi:10.1111/1468-0262.00352
.. [3] Lee et al., "RLAIF vs. RLHF", 2023. arXiv:2309.00267
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.practice import add_told, drawn_up_to
from aligntax.models.views import View

QUANTITIES = (
    "ai_usd_per_hour",
    "ai_efficiency",
    "ai_margin",
    "ai_transfer",
    "ai_substitution",
)
TOP_LEVEL = ()
# What a trial reports, as counts of log10 efficiency, margin, transfer and price.
MEASURES: Mapping[str, tuple[float, float, float, float]] = {
    "label_worth": (0.0, 2.0, 0.0, 0.0),  # of as many labels
    "label_margin": (0.0, 1.0, 0.0, 0.0),
    "label_cost": (-1.0, 0.0, 0.0, 1.0),  # USD, of as many labels as a person gives in an hour
    "hour_worth": (1.0, 2.0, 0.0, 0.0),
    "hour_worth_frontier": (1.0, 2.0, 1.0, 0.0),
}
COUNTS = ("efficiency", "margin", "transfer", "price")
LN10 = float(np.log(10.0))


def priced(x: Mapping[str, Any]) -> bool:
    """Whether AI labour is priced: whether draws have its quantities."""
    return "ai_substitution" in x


def cost_of_people(x: Mapping[str, Any]) -> Any:
    """Cost of a human-hour, log10 USD."""
    return x["usd_per_hour"] + x["labour_overhead"]


def hour_worth(x: Mapping[str, Any]) -> Any:
    """Human-hours that an AI hour is worth on a frontier model, log10."""
    return x["ai_efficiency"] + 2.0 * x["ai_margin"] + x["ai_transfer"]


def _odds(x: Mapping[str, Any]) -> Any:
    """Log odds of the share of money for AI hours, ``(s - 1) log(w / r)``."""
    advantage = cost_of_people(x) - x["ai_usd_per_hour"] + hour_worth(x)
    return (x["ai_substitution"] - 1.0) * LN10 * advantage


def saving(x: Mapping[str, Any]) -> Any:
    """OOM by which AI hours lower the cost of labour, ``log10(w / c)``; not negative.

    Parameters
    ----------
    x : mapping of ndarray
        Elicited quantities on their own scales. Without those of AI labour it is zero.
    """
    if not priced(x):
        return 0.0
    return np.logaddexp(0.0, _odds(x)) / (LN10 * (x["ai_substitution"] - 1.0))


def cost_per_hour(x: Mapping[str, Any]) -> Any:
    """Cost of a human-hour's worth of labour, log10 USD, in the cheapest mix."""
    return cost_of_people(x) - saving(x)


def human_hours(x: Mapping[str, Any], hours: Any) -> Any:
    """Human-hours (log10) of the cheapest mix that does ``hours`` (log10) of work."""
    return hours - x["ai_substitution"] * saving(x) if priced(x) else hours


def mix(x: Mapping[str, Any], hours: Any) -> dict[str, Any]:
    """Cheapest mix of people and AI for work of ``hours`` human-hours, log10; NaN stays NaN.

    Returns
    -------
    dict of ndarray
        ``ai_hour_worth``, ``labour_usd_per_hour``, ``ai_share_of_labour_cost`` (a share),
        ``human_hours_paid`` and ``ai_hours``, log10 otherwise; nothing where AI labour is not
        priced.
    """
    if not priced(x):
        return {}
    log_share = -np.logaddexp(0.0, -_odds(x)) / LN10
    cost = cost_per_hour(x)
    return {
        "ai_hour_worth": hour_worth(x),
        "labour_usd_per_hour": cost,
        "ai_share_of_labour_cost": np.where(np.isnan(hours), np.nan, 10.0**log_share),
        "human_hours_paid": human_hours(x, hours),
        "ai_hours": log_share + cost + hours - x["ai_usd_per_hour"],
    }


@replaceable_rows("ai_labour")
def trials(evidence: Evidence) -> xr.Dataset:
    """Trials in the likelihood: ``log_ratio`` and ``ratio_sd`` (OOM), and what they count.

    ``exact`` is 0 where the ratio is a lower bound. An upper bound is a lower bound of its inverse,
    so that its figure and its counts are negative.
    """
    used = select(evidence["ai_labour"])
    sign = np.where(used["bound"].values == "below", -1.0, 1.0)
    counts = np.array([MEASURES[measure] for measure in used["measure"].values]).reshape(-1, 4)
    rows = {
        "log_ratio": sign * used["log_ratio"].values,
        "ratio_sd": used["ratio_sd"].values,
        "exact": (used["bound"].values == "exact").astype(float),
        **{name: sign * counts[:, i] for i, name in enumerate(COUNTS)},
    }
    return xr.Dataset(
        {name: ("ai_trial", value) for name, value in rows.items()},
        coords={"ai_trial": used["ai_trial"].values},
    )


def expected_ratio(x: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    """Log10 ratio that each trial should report; arrays or tensors."""
    return (
        row["efficiency"] * x["ai_efficiency"]
        + row["margin"] * x["ai_margin"]
        + row["transfer"] * x["ai_transfer"]
        + row["price"] * x["ai_usd_per_hour"]
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"ai_trials": trials(evidence)} if view.alignment.ai_labour else {}


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add trials of AI labour to the open model, if the view prices it."""
    import pymc as pm

    from aligntax.models.priors.elicited import data_columns

    if not view.alignment.ai_labour:
        return
    rows = trials(evidence)
    pm.modelcontext(None).add_coord("ai_trial", rows["ai_trial"].values)
    if rows.sizes["ai_trial"]:
        row = data_columns("ai_trials", rows)
        mean = expected_ratio(x, row)
        add_told("ai_labour", "ai_trial", row["log_ratio"], row["exact"], mean, row["ratio_sd"])


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the name of :func:`simulate`."""
    return {"ai_labour": trials(evidence)["log_ratio"]} if view.alignment.ai_labour else {}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated log10 ratio of each trial, (..., trial), without its bound."""
    if not view.alignment.ai_labour:
        return {}
    row = {str(name): value.values for name, value in trials(evidence).items()}
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    mean = expected_ratio(column, row)
    drawn = drawn_up_to(mean, row["ratio_sd"], np.inf, rng)
    return {"ai_labour": ("ai_trial", drawn)}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars.

    A ratio known only to lie beyond a bound is known exactly where its draw lies before it.
    """
    if not view.alignment.ai_labour:
        return {}
    rows = trials(evidence)
    drawn = simulate(x, parameters, evidence, view, rng)["ai_labour"][1]
    bound = np.where(rows["exact"].values > 0, np.inf, rows["log_ratio"].values)
    told = {
        "log_ratio": ("ai_trial", np.minimum(drawn, bound)),
        "exact": ("ai_trial", (drawn <= bound).astype(float)),
    }
    return {"ai_labour": rows.assign(told)}
