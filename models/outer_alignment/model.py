"""How many labelled comparisons single out an aligned policy, and when does no amount suffice?

Outer alignment as data quality [1]_: an aligned policy must score higher on the training
distribution than *every* unaligned one. It meets them on ``n`` labelled comparisons. Rivals differ,
and the best hidden of those on that distribution decides
(:mod:`aligntax.models.outer_alignment.rivals`). How far people can judge it, with and without
scalable oversight, is in :mod:`aligntax.models.outer_alignment.oversight`. How many comparisons
that takes, exactly, is in :mod:`aligntax.models.outer_alignment.comparisons`; each of the rivals on
the distribution has an equal part of ``delta``. This model asks how often labels err, and derives
comparisons, hours and money at a capability from all of it.

**Label error** from agreement. Two labellers agree on a share ``1 - 2 e (1 - e) (1 - rho)``.
Agreement is not accuracy: errors in common on hard items (``rho``) overstate it, and an evaluator's
error does not show in it at all. Row ``r`` of study ``s``, with effective counts ``n_r = A_r (1 -
A_r) / se_r^2`` (rounded) of which ``y_r`` agreed::

    2 e_s ~ Beta(mean 2 label_error, error_concentration)
    y_r   ~ BetaBinomial(n_r, agreement(e_s, rho), agreement_concentration)

``2 e_s`` is the share of labels that are a guess, so that labels are better than chance. For a pair
of unlike people ``e_s`` is their mean error, up to the square of half their difference. Rows of a
study share ``e_s`` and scatter further by people and items: InstructGPT's two groups differ by 2.4
standard errors, rows of other studies by up to 1.4. ``label_error_study`` is the error of labellers
yet to be hired, a draw of ``2 e`` from the same Beta.

References
----------
.. [1] Hilton, "How much alignment data will we need in the long run?", 2022.
.. [2] Stiennon et al., "Learning to summarize from human feedback", 2020. arXiv:2009.01325
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from scipy.special import betaincinv, expit, ndtr

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.outer_alignment import oversight, rivals
from aligntax.models.outer_alignment.comparisons import (
    chernoff,
    comparisons_needed,
    hoeffding,
    label_advantage,
    log_allowed,
    vote_error,
)
from aligntax.models.views import View

QUANTITIES = (
    "label_error",
    *oversight.QUANTITIES,
    *rivals.QUANTITIES,
    "capability",
    "minutes_per_comparison",
    "usd_per_hour",
    "labour_overhead",
)
TOP_LEVEL = ("error_concentration", "agreement_concentration")
HEADLINES = (
    "data_suffices",
    "comparisons_needed",
    "outer_alignment_hours",
    "outer_alignment_cost",
    "quality_factor_needed",
    "label_advantage",
    "label_error",
    "label_error_study",
    "rivals_off_distribution",
)
BELOW_ONE = 1 - 1e-12  # for shares that rounding would make one: guessed labels, agreement

# Medians of the concentrations of Beta laws, which are log-normal with sd 1. Between studies: at 30
# the sd of label error is 0.04 (90%: 0.02 to 0.09), as tasks differ. Within a study: at 500 the sd
# of agreement is 0.02. Stiennon et al. see 0.65 to 0.85 by an item's difficulty, and groups of
# people and items average over many. Both are our judgement.
BETWEEN_STUDIES, WITHIN_STUDY = 30.0, 500.0


def agreement(error: Any, correlation: Any = 0.0) -> Any:
    """Share of comparisons on which two labellers agree; their errors may be correlated."""
    return 1 - 2 * error * (1 - error) * (1 - correlation)


def log_likelihood(count: Any, total: Any, mean: Any, concentration: Any, gammaln: Any) -> Any:
    """Log probability of ``count`` agreements of ``total``, beta-binomial.

    ``gammaln`` is scipy's or PyTensor's.
    """
    a, b = mean * concentration, (1 - mean) * concentration
    ways = gammaln(total + 1) - gammaln(count + 1) - gammaln(total - count + 1)
    seen = gammaln(count + a) + gammaln(total - count + b) - gammaln(total + concentration)
    return ways + seen - gammaln(a) - gammaln(b) + gammaln(concentration)


@replaceable_rows("labeller_agreement")
def studies(evidence: Evidence) -> xr.Dataset:
    """Rows in the likelihood, ``count``, ``total`` and ``study_index``, and the sorted studies.

    A share within a standard error of 0 or 1 gets the counts of a share one standard error inside.
    """
    used = select(evidence["labeller_agreement"])
    names, index = np.unique(used["study"].values.astype(str), return_inverse=True)
    se = used["agreement_se"].values
    share = np.clip(used["agreement"].values, np.minimum(se, 0.5), np.maximum(1 - se, 0.5))
    total = np.maximum(np.round(share * (1 - share) / se**2), 1.0)
    rows = {
        "count": np.round(used["agreement"].values * total),
        "total": total,
        "study_index": index.astype(float),
    }
    return xr.Dataset(
        {name: ("agreement_study", value) for name, value in rows.items()},
        coords={"agreement_study": used["agreement_study"].values, "study": names},
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name."""
    agreements = studies(evidence)[["count", "total", "study_index"]]
    return {"agreements": agreements, **oversight.data(evidence, view)}


def view_settings(view: View) -> Any:
    """Settings of a view in the graph: correlation of labellers' errors, spread of games."""
    return np.asarray([view.outer_alignment.error_correlation, view.outer_alignment.game_spread])


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the label error of published studies as a ``pm.Model``; the prior without studies."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns, elicited_model
    from aligntax.models.priors.observed import add_likelihood, named

    rows = studies(evidence)
    coords = {"agreement_study": rows["agreement_study"].values, "study": rows["study"].values}
    with elicited_model(view.tables(QUANTITIES), coords, opened) as (model, x):
        settings = pm.Data("outer_alignment_settings", view_settings(view))
        between = pm.LogNormal("error_concentration", np.log(BETWEEN_STUDIES), 1.0)
        within = pm.LogNormal("agreement_concentration", np.log(WITHIN_STUDY), 1.0)
        pm.Normal("new_labellers")  # score of `label_error_study` among studies
        pm.Normal("worst_rival")  # score of the best hidden rival among all draws of so many
        if rows.sizes["agreement_study"]:
            mean = 2 * x["label_error"]
            guessed = pm.Beta("guessed_share", mean * between, (1 - mean) * between, dims="study")
            row = data_columns("agreements", data(evidence, view)["agreements"])
            share = agreement(0.5 * guessed[row["study_index"].astype("int64")], settings[0])
            terms = log_likelihood(row["count"], row["total"], share, within, pt.gammaln)
            below = pt.minimum(share, BELOW_ONE)
            law = pm.BetaBinomial.dist(below * within, (1 - below) * within, row["total"])
            count = row["count"].astype("int64")
            add_likelihood("labeller_agreement", law, count, "agreement_study", terms=terms)
            named("study_label_error", 0.5 * guessed, study=rows["study"].values)
        oversight.add(evidence, view, x, settings[1])
    return model


def requirement(
    x: Mapping[str, Any],
    parameters: xr.Dataset,
    view: View,
    capability: Any = None,
    error: Any = None,
) -> dict[str, Any]:
    """Comparisons needed against the best hidden rival, any shape that broadcasts.

    Parameters
    ----------
    parameters : xarray.Dataset
        Structural parameters.
    capability : ndarray, optional
        OOM of effective FLOP over GPT-3; default the elicited one.
    error : ndarray, optional
        Label error; default that of new labellers.

    Returns
    -------
    dict of ndarray
        ``comparisons_needed`` and its bounds ``comparisons_needed_chernoff`` and
        ``comparisons_needed_hoeffding`` (log10, infinite where no amount suffices),
        ``label_advantage``, ``reward_gap_worst``, ``evaluator_error_worst``.
    """
    settings = view.outer_alignment
    capability = x["capability"] if capability is None else capability
    error = new_error(x, parameters) if error is None else error
    rank = parameters["worst_rival"].values
    hidden = rivals.worst_score(rank, x["rival_policies"], x["coverage"])
    typical = oversight.evaluator_logit(x, capability, settings.oversight)
    misjudged = typical + 10.0 ** x["evaluator_error_spread"] * hidden
    gap = rivals.gap(x, hidden)
    wrong = vote_error(error, int(settings.labels_per_comparison), settings.error_correlation)
    advantage = label_advantage(gap, wrong, oversight.evaluator_advantage(misjudged))
    chance = log_allowed(rivals.on_distribution(x), settings.delta)
    asked = advantage, chance, settings.tie_share, settings.ties
    return {
        "comparisons_needed": np.log10(comparisons_needed(*asked)),
        "comparisons_needed_chernoff": np.log10(chernoff(*asked)),
        "comparisons_needed_hoeffding": np.log10(hoeffding(*asked)),
        "label_advantage": advantage,
        "reward_gap_worst": gap,
        "evaluator_error_worst": expit(misjudged),
    }


def new_error(x: Mapping[str, Any], parameters: xr.Dataset) -> Any:
    """Label error of labellers of a new study."""
    mean, concentration = 2 * x["label_error"], parameters["error_concentration"].values
    rank = ndtr(parameters["new_labellers"].values)
    return 0.5 * np.minimum(
        betaincinv(mean * concentration, (1 - mean) * concentration, rank), BELOW_ONE
    )


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Comparisons, hours and money needed at the capability.

    The quality factor is how many times more comparisons that is than at GPT-3's capability.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters; ``guessed_share`` has a last dimension ``study``.

    Returns
    -------
    dict of ndarray
        Amounts are log10, and infinite where none suffices. ``study_label_error_by_study``, shape
        (draw, study), is reported as ``study_label_error[study]``.
    """
    settings = view.outer_alignment
    at = requirement(x, parameters, view)
    needed = at["comparisons_needed"]
    practice = requirement(x, parameters, view, capability=0.0)["comparisons_needed"]
    labels = needed + np.log10(settings.labels_per_comparison)
    hours = labels + x["minutes_per_comparison"] - np.log10(60)
    with np.errstate(invalid="ignore"):  # infinite over infinite
        factor = np.where(np.isinf(needed), np.inf, needed - practice)
    answers = at | {
        "data_suffices": np.isfinite(needed).astype(float),
        "outer_alignment_hours": hours,
        "outer_alignment_cost": hours + x["usd_per_hour"] + x["labour_overhead"],
        "quality_factor_needed": factor,
        "rivals_off_distribution": rivals.off_distribution(x),
        "label_error_study": new_error(x, parameters),
        "label_error": x["label_error"],
    }
    if "guessed_share" in parameters:
        answers["study_label_error_by_study"] = 0.5 * parameters["guessed_share"].values
    return answers


def coords(evidence: Evidence) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Extra dimension of the derived quantities of each study."""
    names = tuple(str(name) for name in studies(evidence)["study"].values)
    return {"study_label_error_by_study": ("study", names)} if names else {}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    rows = studies(evidence)
    return {
        "labeller_agreement": rows["count"] / rows["total"],
        **oversight.observed(evidence, view),
    }


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated shares of agreement, (..., row), for the same studies, and failures of games."""
    games = oversight.simulate(x, parameters, evidence, view, rng)
    if "guessed_share" not in parameters:
        return games
    rows = studies(evidence)
    error = 0.5 * parameters["guessed_share"].values[..., rows["study_index"].values.astype(int)]
    mean = agreement(error, view.outer_alignment.error_correlation)
    mean = np.minimum(mean, BELOW_ONE)  # a prior draw may be free of error up to rounding
    strength = parameters["agreement_concentration"].values[..., None]
    total = rows["total"].values.astype(int)
    share = rng.beta(mean * strength, (1 - mean) * strength)
    return {"labeller_agreement": ("agreement_study", rng.binomial(total, share) / total)} | games


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    asked, drawn = studies(evidence), simulate(x, parameters, evidence, view, rng)
    dim, share = drawn["labeller_agreement"]
    agreed = asked.assign(count=(dim, np.round(share * asked["total"].values)))
    rows = {"labeller_agreement": agreed}
    if "oversight_games" in drawn:
        games = oversight.games(evidence).assign(failure=drawn["oversight_games"])
        rows["oversight_games"] = games
    return rows
