"""How many labelled comparisons single out an aligned policy, and when does no amount suffice?

Outer alignment as data quality [1]_: an aligned policy must score higher on the training distribution than every unaligned one.
On ``n`` labelled comparisons it meets ``K`` unaligned rivals (``rival_policies``); all share the labels, since the union bound
needs no independence. An ideal judge prefers the aligned answer with probability ``(1 + g) / 2``, ``g = reward_gap``. The record
can be wrong through labellers or through what people can judge at all, which repetition does not mend::

    e_m = P(a majority of m labels errs), each with label_error_study and error_correlation rho     labellers
    logit v = logit evaluator_error + evaluator_error_growth * capability                           evaluator; flips from 1/2 on
    a = g (1 - 2 e_m) (1 - 2 v)             label_advantage, 2 q - 1, without ties
    a = (1 - t) a  or  (1 - t) a - t        a share t of ties split evenly, or counted as losses

Votes, beta-binomial with ``s = rho / (1 - rho)``, are binomial at ``rho = 0``::

    P(w of m wrong) = C(m, w) prod_{i<w} (e + i s) prod_{j<m-w} (1 - e + j s) / prod_{i<m} (1 + i s)

With ``X ~ Binomial(n, q)``, ``q = (1 + a) / 2``, and a strict majority asked for (a tied tally is split, or lost, as ties are)::

    n = 2k - 1:   P(lose) = I_{1-q}(k, k)     = I^c_{a^2}(1/2, k) / 2                       I^c = 1 - I, regularised beta
    n = 2k:       the same where ties split;   I_{1-q}(k, k+1) = that + (1 - a^2)^k / (2 k B(k, 1/2)) where they are losses

The right-hand forms keep all digits of a tiny ``a``. With ties as losses an even ``n`` is worse than the odd one before it, so
*needed* is the smallest ``n`` after which every larger one passes: ``2k - 1`` for the smallest ``k`` whose last line is at most
``delta / K``, since both lines fall in ``k``. It is found by bisection below the bounds, and exact <= Chernoff <= Hoeffding::

    Chernoff:  2 ln(K / delta) / -ln(1 - a^2)          Hoeffding:  2 ln(K / delta) / a^2         infinite where a <= 0

**Label error** from agreement. Two labellers agree on a share ``1 - 2 e (1 - e) (1 - rho)``: agreement is not accuracy, errors
on hard items in common (``rho``) overstate it, and an evaluator's error does not show in it at all. Row ``r`` of study ``s``,
with effective counts ``n_r = A_r (1 - A_r) / se_r^2`` (rounded) of which ``y_r`` agreed::

    2 e_s ~ Beta(mean 2 label_error, error_concentration)       the share of labels that are a guess; better than chance
    y_r   ~ BetaBinomial(n_r, agreement(e_s, rho), agreement_concentration)

A pair of unlike people has ``e_s`` as its mean error, to a square of half their difference. Rows of a study share ``e_s`` and
scatter further by people and items: InstructGPT's two groups differ by 2.4 standard errors, rows of other studies by up to 1.4.
``label_error_study`` is that of labellers yet to be hired, a draw of ``2 e`` from the same Beta.

References
----------
.. [1] Hilton, "How much alignment data will we need in the long run?", 2022.
.. [2] Chernoff 1952, doi:10.1214/aoms/1177729330; Hoeffding 1963, doi:10.1080/01621459.1963.10500830.
.. [3] Stiennon et al., "Learning to summarize from human feedback", 2020. arXiv:2009.01325
"""

from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy.special import beta, betaincc, betaincinv, comb, ndtr

from models.evidence import Evidence, likelihood_rows, select
from models.views import View

__all__ = [
    "QUANTITIES",
    "agreement",
    "build",
    "chernoff",
    "comparisons_needed",
    "coords",
    "data",
    "derive",
    "evaluator_advantage",
    "hoeffding",
    "label_advantage",
    "log_allowed",
    "log_likelihood",
    "lose_probability",
    "observed",
    "replicate",
    "requirement",
    "simulate",
    "studies",
    "view_settings",
    "vote_error",
]

Ties = Literal["split", "losses"]

QUANTITIES = (
    "label_error",
    "evaluator_error",
    "evaluator_error_growth",
    "reward_gap",
    "rival_policies",
    "capability",
    "minutes_per_comparison",
    "usd_per_hour",
    "labour_overhead",
)
LN10 = float(np.log(10))
SMALLEST_ADVANTAGE = 1e-150  # below it n passes 1e300, which is told as never
LOG_TINY = -690.0  # ln of 1e-300: for a smaller chance Chernoff's n is told, then within 1% of the exact one
BELOW_ONE = 1 - 1e-12  # for shares that rounding would make one: of guessed labels, of agreement

# Concentration of Beta laws, log-normal with sd 1. Between studies: at 30 the sd of label error is 0.04 (90%: 0.02 to 0.09), as
# tasks differ. Within a study: at 500 the sd of agreement is 0.02; Stiennon et al. see 0.65 to 0.85 by an item's difficulty, and
# groups of people and items average over many. Our judgement, both.
BETWEEN_STUDIES, WITHIN_STUDY = 30.0, 500.0


def vote_error(error: Any, votes: int, correlation: float = 0.0) -> Any:
    """Probability that a majority of labels is wrong, any shape.

    Parameters
    ----------
    error : float or ndarray
        Probability that one label is wrong.
    votes : int
        Labels of one comparison, odd.
    correlation : float
        Between the errors of two labellers on one comparison, in [0, 1).
    """
    error, step = np.asarray(error, dtype=float)[..., None], correlation / (1 - correlation) * np.arange(votes)
    one = np.ones(error.shape)
    wrong = np.cumprod(np.concatenate([one, error + step], axis=-1), axis=-1)
    right = np.cumprod(np.concatenate([one, 1 - error + step], axis=-1), axis=-1)
    w = np.arange(votes // 2 + 1, votes + 1)
    return (comb(votes, w) * wrong[..., w] * right[..., votes - w]).sum(axis=-1) / np.prod(1 + step)


def evaluator_advantage(evaluator_error: Any, growth: Any, capability: Any) -> Any:
    """``1 - 2 v`` at a capability (OOM of effective FLOP over GPT-3): negative where the evaluator flips the preference."""
    logit = np.log(evaluator_error) - np.log1p(-np.asarray(evaluator_error)) + growth * np.asarray(capability)
    return -np.tanh(0.5 * logit)


def label_advantage(gap: Any, error: Any, evaluator: Any, tie_share: float = 0.0, ties: Ties = "split") -> Any:
    """``2 q - 1``, by how much more often a recorded preference is for the aligned policy than not.

    Parameters
    ----------
    gap : float or ndarray
        Reward gap, in (0, 1].
    error : float or ndarray
        Probability that a comparison's label is wrong, after votes.
    evaluator : float or ndarray
        ``1 - 2 v``; see :func:`evaluator_advantage`.
    tie_share : float
        Share of comparisons recorded as ties.
    ties : {"split", "losses"}
    """
    without = gap * (1 - 2 * np.asarray(error)) * evaluator
    return (1 - tie_share) * without - (tie_share if ties == "losses" else 0.0)


def lose_probability(advantage: Any, comparisons: Any, ties: Ties = "split") -> Any:
    """Probability that the aligned policy does not win against one rival, exact.

    Parameters
    ----------
    advantage : float or ndarray
        ``2 q - 1``, in [-1, 1].
    comparisons : float or ndarray
        Whole numbers from 1.
    ties : {"split", "losses"}
        What a tied tally counts as.
    """
    a, n = np.asarray(advantage, dtype=float), np.asarray(comparisons, dtype=float)
    k = np.ceil(n / 2)
    half = 0.5 * betaincc(0.5, k, a**2)
    lose = np.where(a < 0, 1.0 - half, half)
    if ties == "losses":
        with np.errstate(divide="ignore"):  # never a tie where a = 1
            tied = 0.5 * np.exp(k * np.log1p(-(a**2))) / (k * beta(k, 0.5))
        lose = lose + np.where(2 * k == n, tied, 0.0)
    return lose


def log_allowed(rival_policies: Any, delta: float) -> Any:
    """Natural log of the chance that one rival may win with: ``delta`` over the number of rivals (log10)."""
    return np.log(delta) - LN10 * np.asarray(rival_policies, dtype=float)


def chernoff(advantage: Any, log_chance: Any) -> Any:
    """Comparisons that suffice by Chernoff's bound, a whole number; arguments as of :func:`comparisons_needed`."""
    return _bound(advantage, log_chance, lambda a: -np.log1p(-(a**2)))


def hoeffding(advantage: Any, log_chance: Any) -> Any:
    """Comparisons that suffice by Hoeffding's bound, a whole number; arguments as of :func:`comparisons_needed`."""
    return _bound(advantage, log_chance, lambda a: a**2)


def _bound(advantage: Any, log_chance: Any, rate: Any) -> Any:
    a, log_chance = np.broadcast_arrays(np.asarray(advantage, dtype=float), log_chance)
    some = a > SMALLEST_ADVANTAGE
    with np.errstate(divide="ignore"):  # rate infinite where a = 1
        n = np.ceil(2 * np.maximum(-log_chance, 0.0) / rate(np.where(some, a, 1.0)))
    return np.where(some, np.maximum(n, 1.0), np.inf)


def comparisons_needed(advantage: Any, log_chance: Any, ties: Ties = "split") -> Any:
    """Smallest number of comparisons after which every larger number keeps the chance of losing to a rival.

    Parameters
    ----------
    advantage : float or ndarray
        ``2 q - 1``.
    log_chance : float or ndarray
        Natural log of the chance; see :func:`log_allowed`. Broadcasts against ``advantage``.
    ties : {"split", "losses"}
        What a tied tally counts as.

    Returns
    -------
    ndarray
        Whole numbers; infinite where the advantage is not positive: no amount suffices. Exact to 2^53, beyond to 16 digits.
    """
    top = chernoff(advantage, log_chance)
    a, log_chance, found = (np.ravel(v) for v in np.broadcast_arrays(advantage, log_chance, top))
    found = found.astype(float)
    searched = np.flatnonzero(np.isfinite(found) & (log_chance > LOG_TINY))
    chance, a = np.exp(log_chance[searched]), a[searched].astype(float)
    low, high = np.zeros(len(searched)), np.ceil(found[searched] / 2)
    while True:
        middle = np.floor(low + (high - low) / 2)
        between = np.flatnonzero((low < middle) & (middle < high))  # beyond 2^53 whole numbers are not all there
        if not len(between):
            break
        k = middle[between]
        passes = lose_probability(a[between], 2 * k - (ties == "split"), ties) <= chance[between]
        high[between], low[between] = np.where(passes, k, high[between]), np.where(passes, low[between], k)
    found[searched] = 2 * high - 1
    return found.reshape(np.shape(top))


def agreement(error: Any, correlation: Any = 0.0) -> Any:
    """Share of comparisons on which two labellers agree; their errors may be correlated."""
    return 1 - 2 * error * (1 - error) * (1 - correlation)


def log_likelihood(count: Any, total: Any, mean: Any, concentration: Any, gammaln: Any) -> Any:
    """Log probability of ``count`` agreements of ``total``, beta-binomial; ``gammaln`` is numpy's or PyTensor's."""
    a, b = mean * concentration, (1 - mean) * concentration
    ways = gammaln(total + 1) - gammaln(count + 1) - gammaln(total - count + 1)
    seen = gammaln(count + a) + gammaln(total - count + b) - gammaln(total + concentration)
    return ways + seen - gammaln(a) - gammaln(b) + gammaln(concentration)


@likelihood_rows("labeller_agreement")
def studies(evidence: Evidence) -> xr.Dataset:
    """Rows that enter the likelihood, ``count``, ``total`` and ``study_index``, and the names of ``study``, sorted.

    A share within a standard error of 0 or 1 has the counts of one that lies a standard error inside.
    """
    used = select(evidence["labeller_agreement"])
    names, index = np.unique(used["study"].values.astype(str), return_inverse=True)
    se = used["agreement_se"].values
    share = np.clip(used["agreement"].values, np.minimum(se, 0.5), np.maximum(1 - se, 0.5))
    total = np.maximum(np.round(share * (1 - share) / se**2), 1.0)
    rows = {"count": np.round(used["agreement"].values * total), "total": total, "study_index": index.astype(float)}
    return xr.Dataset(
        {name: ("agreement_study", value) for name, value in rows.items()},
        coords={"agreement_study": used["agreement_study"].values, "study": names},
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the model holds as ``pm.Data``, by its name."""
    return {"agreements": studies(evidence)[["count", "total", "study_index"]]}


def view_settings(view: View) -> Any:
    """What the graph takes from a view's settings: the correlation of labellers' errors."""
    return np.asarray([view.outer_alignment.error_correlation])


def build(evidence: Evidence, view: View) -> Any:
    """Return the label error of published studies as a ``pm.Model``; without studies it is the prior."""
    import pymc as pm
    import pytensor.tensor as pt

    from models.elicited import columns, elicited

    rows = studies(evidence)
    coords = {"agreement_study": rows["agreement_study"].values, "study": rows["study"].values}
    with pm.Model(coords=coords, check_bounds=False) as model:
        x = elicited(view.tables(QUANTITIES))
        settings = pm.Data("outer_alignment_settings", view_settings(view))
        between = pm.LogNormal("error_concentration", np.log(BETWEEN_STUDIES), 1.0)
        within = pm.LogNormal("agreement_concentration", np.log(WITHIN_STUDY), 1.0)
        pm.Normal("new_labellers")  # score of `label_error_study` among studies
        if rows.sizes["agreement_study"]:
            mean = 2 * x["label_error"]
            guessed = pm.Beta("guessed_share", mean * between, (1 - mean) * between, dims="study")
            row = columns("agreements", data(evidence, view)["agreements"])
            share = agreement(0.5 * guessed[row["study_index"].astype("int64")], settings[0])
            terms = log_likelihood(row["count"], row["total"], share, within, pt.gammaln)
            pm.Potential("labeller_agreement", terms, dims="agreement_study")
    return model


def requirement(
    x: dict[str, Any], parameters: xr.Dataset, view: View, capability: Any = None, error: Any = None
) -> dict[str, Any]:
    """Advantage and comparisons needed, any shape that broadcasts.

    Parameters
    ----------
    x : dict of ndarray
    parameters : xarray.Dataset
        Structural parameters.
    view : View
    capability : ndarray, optional
        OOM of effective FLOP over GPT-3; default the elicited one.
    error : ndarray, optional
        Label error; default that of new labellers.

    Returns
    -------
    dict of ndarray
        ``label_advantage``, ``comparisons_needed`` (log10, infinite where no amount suffices).
    """
    settings = view.outer_alignment
    capability = x["capability"] if capability is None else capability
    error = new_error(x, parameters) if error is None else error
    wrong = vote_error(error, int(settings.labels_per_comparison), settings.error_correlation)
    evaluator = evaluator_advantage(x["evaluator_error"], x["evaluator_error_growth"], capability)
    advantage = label_advantage(x["reward_gap"], wrong, evaluator, settings.tie_share, settings.ties)
    chance = log_allowed(x["rival_policies"], settings.delta)
    return {
        "label_advantage": advantage,
        "comparisons_needed": np.log10(comparisons_needed(advantage, chance, settings.ties)),
    }


def new_error(x: dict[str, Any], parameters: xr.Dataset) -> Any:
    """Label error of labellers of a new study."""
    mean, concentration = 2 * x["label_error"], parameters["error_concentration"].values
    rank = ndtr(parameters["new_labellers"].values)
    return 0.5 * np.minimum(betaincinv(mean * concentration, (1 - mean) * concentration, rank), BELOW_ONE)


def derive(x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View) -> dict[str, Any]:
    """Comparisons, hours and money needed at the capability, and how many more than for what people could judge at GPT-3.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters; ``guessed_share`` has a last dimension ``study``.
    evidence : Evidence
    view : View

    Returns
    -------
    dict of ndarray
        Amounts are log10, and infinite where none suffices. ``study_label_error_by_study``, shape (draw, study), is reported as
        ``study_label_error[study]``.
    """
    settings = view.outer_alignment
    at = requirement(x, parameters, view)
    advantage, needed = at["label_advantage"], at["comparisons_needed"]
    chance = log_allowed(x["rival_policies"], settings.delta)
    practice = requirement(x, parameters, view, capability=0.0)["comparisons_needed"]
    hours = needed + np.log10(settings.labels_per_comparison) + x["minutes_per_comparison"] - np.log10(60)
    with np.errstate(invalid="ignore"):  # infinite over infinite
        factor = np.where(np.isinf(needed), np.inf, needed - practice)
    answers = {
        "data_suffices": np.isfinite(needed).astype(float),
        "comparisons_needed": needed,
        "comparisons_needed_chernoff": np.log10(chernoff(advantage, chance)),
        "comparisons_needed_hoeffding": np.log10(hoeffding(advantage, chance)),
        "outer_alignment_hours": hours,
        "outer_alignment_cost": hours + x["usd_per_hour"] + x["labour_overhead"],
        "quality_factor_needed": factor,
        "label_advantage": advantage,
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
    return {"agreement": rows["count"] / rows["total"]}


def simulate(
    x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: np.random.Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated share of agreement of each used row, (draw..., row), for the same studies."""
    if "guessed_share" not in parameters:
        return {}
    rows = studies(evidence)
    error = 0.5 * parameters["guessed_share"].values[..., rows["study_index"].values.astype(int)]
    mean, spread = agreement(error, view.outer_alignment.error_correlation), parameters["agreement_concentration"]
    total, strength = rows["total"].values.astype(int), spread.values[..., None]
    mean = np.minimum(mean, BELOW_ONE)  # a prior draw may be free of error to rounding
    share = rng.beta(mean * strength, (1 - mean) * strength)
    return {"agreement": ("agreement_study", rng.binomial(total, share) / total)}


def replicate(
    x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: np.random.Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    rows, drawn = studies(evidence), simulate(x, parameters, evidence, view, rng)
    dim, share = drawn["agreement"]
    return {"labeller_agreement": rows.assign(count=(dim, np.round(share * rows["total"].values)))}
