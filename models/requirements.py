"""What does transformative AI need: how much compute of past algorithms, or how long a task?

Bio Anchors gives six anchors and "none of them"; the Direct Approach and the user's own requirement
are two more. The neural-net anchors train a model that runs at ``F`` FLOP per subjective second on
data points of horizon ``H`` seconds, and the data exponent says how many::

    log10 requirement = log10 F + log10 H + log10 D_ref + gamma (log10 N - log10 N_ref)
    log10 N           = log10 F - log10 p

with ``p`` FLOP per parameter per subjective second. At gamma 1 against 0.8 a model 1e5 times larger
than the reference needs exactly 10 times more. The lifetime, genome and evolution anchors are
elicited as FLOP and do not depend on gamma; the Direct Approach is in
:mod:`aligntax.models.direct_approach`. The time horizon is not in FLOP: its margin is that of the
50% time horizon over the threshold, ``lag`` years before, because its milestone comes first
(:mod:`aligntax.models.time_horizon`)::

    margin_k(t)    = spend + hardware + algorithms_k(t) - requirement_k          OOM of compute
    margin_TH(t)   = log2 horizon(t - lag) - log2 threshold                      doublings of length

A margin in OOM of compute meets the hazard's ``hazard_steepness``, one in doublings of task length
its ``horizon_steepness``.

Algorithmic progress may differ by anchor: ``algorithms_k`` is the trend with
``view.algorithms.growth[k]`` times its growth and a limit ``view.algorithms.limit[k]`` OOM further.

An anchor is never sampled as a discrete variable. Its weight ``w_k`` times the probability ``S_k``
that it left no transformative AI so far is summed over anchors, and ``w_k S_k / sum`` is its
posterior probability, draw by draw. The candidates are the anchors in FLOP and, in place of the
time horizon, the four shapes of its growth, which share the anchor's weight.

=================  =======  ==========================================
name               unit     meaning
=================  =======  ==========================================
F                  FLOP/s   ``brain_flop``
H                  s        ``horizon_short``, ``_medium``, ``_long``
p                  FLOP/s   ``flop_per_parameter``
N_ref, D_ref       1        10^11.2 parameters take 1e12 data points
lag                years    ``superhuman_coder_lag``
=================  =======  ==========================================

References
----------
.. [1] Cotra, "Forecasting TAI with biological anchors", 2020 (draft report), as summarised by Ho,
       "Grokking bio anchors", 2022.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from aligntax.models import direct_approach, horizon_trend
from aligntax.models.arrival import (
    Chance,
    anchor_probabilities,
    chosen_first,
    rates_of_one_path,
)
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, View

QUANTITIES = (
    "brain_flop",
    "flop_per_parameter",
    "horizon_short",
    "horizon_medium",
    "horizon_long",
    "lifetime_flop",
    "genome_flop",
    "evolution_flop",
    "user_flop",
)

NEURAL = ("short_horizon", "medium_horizon", "long_horizon")
BIO_ANCHORS = ("lifetime", *NEURAL, "genome", "evolution")
FLOP_ANCHORS = ANCHORS[:-2]
CANDIDATES = (*FLOP_ANCHORS, *(f"time_horizon, {shape}" for shape in horizon_trend.SHAPES))
CHOICES = ("bioanchors", "direct-approach", "time-horizon", "user", "mixture")
NEVER = -1e10  # log weight of an anchor without weight: finite, so that gradients are


def neural_net_requirement(
    flop: Any, horizon: Any, per_parameter: Any, gamma: Any, n_ref: float, d_ref: float
) -> Any:
    """Training FLOP (log10) of a neural-net anchor.

    Parameters
    ----------
    flop, horizon, per_parameter : array or tensor
        log10 of F (FLOP/s), H (s) and p (FLOP/s).
    gamma : array or tensor
        Data exponent.
    n_ref, d_ref : float
        log10 of the reference parameters and data points.
    """
    return flop + horizon + d_ref + gamma * (flop - per_parameter - n_ref)


def anchor_requirements(
    x: Mapping[str, Any], gamma: Any, evidence: Evidence, view: View
) -> list[Any]:
    """Requirement of each of :data:`FLOP_ANCHORS`, log10 FLOP.

    FLOP is counted in the algorithms of ``view.algorithms.since``. The Direct Approach's loss law
    is of later algorithms, so its FLOP is moved by that anchor's progress in between.
    """
    n_ref = float(np.log10(evidence.constant("reference_parameters")))
    d_ref = float(np.log10(evidence.constant("reference_tokens")))
    horizons = {anchor: x["horizon_" + anchor.removesuffix("_horizon")] for anchor in NEURAL}
    needed = {
        anchor: neural_net_requirement(
            x["brain_flop"], horizon, x["flop_per_parameter"], gamma, n_ref, d_ref
        )
        for anchor, horizon in horizons.items()
    }
    between = (view.direct_approach.year - view.algorithms.since) * view.algorithms.growth.get(
        "direct_approach", 1.0
    )
    needed["direct_approach"] = (
        direct_approach.requirement(x, view) + between * x["algorithmic_growth"]
    )
    return [needed[anchor] if anchor in needed else x[f"{anchor}_flop"] for anchor in FLOP_ANCHORS]


def by_candidate(view: View) -> tuple[Any, Any]:
    """Multiple of algorithmic growth, and OOM added to its limit, each of shape (FLOP anchor,)."""
    growth, limit = view.algorithms.growth, view.algorithms.limit
    return (
        np.asarray([growth.get(anchor, 1.0) for anchor in FLOP_ANCHORS]),
        np.asarray([limit.get(anchor, 0.0) for anchor in FLOP_ANCHORS]),
    )


def accumulated_rates(
    x: Mapping[str, Any], gamma: Any, grid: Any, trend: Trend, evidence: Evidence, view: View
) -> Any:
    """Arrival rate of each of :data:`CANDIDATES`, integrated over a grid of dates.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
    gamma : ndarray, shape (draw,)
    grid : ndarray, shape (time,)

    Returns
    -------
    ndarray, shape (draw, candidate)
        Zero where an anchor has no weight.
    """
    t, cap = grid[:, None], view.arrival.hazard_cap
    needed = anchor_requirements(x, gamma, evidence, view)
    counts = of_candidates(log_weights(view), np.zeros(len(horizon_trend.SHAPES)))[:-1] > NEVER
    rates = np.zeros((len(CANDIDATES), len(gamma)))
    physical, pairs = trend.physical(x, t), np.stack(by_candidate(view), axis=-1)
    for pair in np.unique(pairs, axis=0):
        same = np.flatnonzero((pairs == pair).all(axis=-1) & counts[: len(FLOP_ANCHORS)])
        if len(same):
            path, own = physical + trend.algorithms(x, t, *pair), [needed[k] for k in same]
            rates[same] = rates_of_one_path(path, own, grid, steepness(x, 0), cap)
    for k in np.flatnonzero(counts[len(FLOP_ANCHORS) :]) + len(FLOP_ANCHORS):
        margin = horizon_margin(x, t, horizon_trend.SHAPES[k - len(FLOP_ANCHORS)], view)
        (rates[k],) = rates_of_one_path(margin, [np.zeros(1)], grid, steepness(x, k), cap)
    return rates.T


def depends_on_shapes(accumulated: Any, view: View, chance: Chance) -> Any:
    """Draws whose anchor depends on the weights of the shapes of a time horizon's growth.

    With any weights, the survival of a time horizon lies between those of its shapes. Where the
    draw's uniform chooses the same anchor in FLOP at the least and at the largest of them, it does
    so with any weights.

    Parameters
    ----------
    accumulated : ndarray, shape (draw, candidate)
        From :func:`accumulated_rates`.

    Returns
    -------
    ndarray of int
        Their indices.
    """
    if not view.anchors["time_horizon"]:
        return np.empty(0, dtype=int)
    flop, shapes = accumulated[:, : len(FLOP_ANCHORS)], accumulated[:, len(FLOP_ANCHORS) :]
    one, other = (
        chosen_first(
            anchor_probabilities(log_weights(view), np.column_stack([flop, bound])), chance
        )
        for bound in (shapes.min(axis=-1), shapes.max(axis=-1))
    )
    return np.flatnonzero((one != other) | (one >= len(FLOP_ANCHORS)))


def horizon_margin(
    x: Mapping[str, Any],
    t: Any,
    shape: str,
    view: View,
    xp: Any = np,
    trend_date: Callable[[Any], Any] | None = None,
) -> Any:
    """Margin of the time horizon over its threshold, ``lag`` years before each date, doublings.

    ``trend_date`` says how far the horizon's own trend is at a date, which feedback of AI on
    research moves (:meth:`aligntax.models.research.Paths.trend_date`).
    """
    before = t - 10.0 ** x["superhuman_coder_lag"]
    before = before if trend_date is None else trend_date(before)
    ahead = horizon_trend.log_horizon(x, before, shape, view, xp) - horizon_trend.log_threshold(x)
    return ahead / horizon_trend.LOG2


def steepness(x: Mapping[str, Any], candidate: Any) -> Any:
    """Hazard steepness of each draw's candidate, per unit of its margin.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
    candidate : int or ndarray of int, shape (draw,)
        Index into :data:`CANDIDATES`.
    """
    of_length = np.asarray(candidate) >= len(FLOP_ANCHORS)
    return 10.0 ** np.where(of_length, x["horizon_steepness"], x["hazard_steepness"])


def log_weights(view: View) -> Any:
    """Log prior weights over :data:`aligntax.models.views.ANCHORS`, shape (10,)."""
    weights = np.asarray([view.anchors[anchor] for anchor in ANCHORS])
    return np.where(weights > 0, np.log(np.maximum(weights, 1e-300)), NEVER)


def of_candidates(weights: Any, shapes: Any, concatenate: Any = np.concatenate) -> Any:
    """Log weights over :data:`CANDIDATES` and "none".

    Parameters
    ----------
    weights : array or tensor, shape (..., 10)
        Log weights over the anchors.
    shapes : array or tensor, shape (..., 4)
        Log weights of the shapes of a time horizon's growth.
    """
    return concatenate(
        [weights[..., :-2], weights[..., -2][..., None] + shapes, weights[..., -1:]], axis=-1
    )


def milestones(view: View) -> dict[str, str]:
    """What arrives under each anchor that the view gives weight, in words.

    All of it counts as transformative AI. For the authors of Bio Anchors it arrives when its
    training is affordable, a user's milestone is the user's, and a time horizon's superhuman coder
    is ``superhuman_coder_lag`` years earlier.
    """
    known = {
        **dict.fromkeys(BIO_ANCHORS, "training a transformative model is affordable"),
        "direct_approach": "transformative AI",
        "user": view.requirement.user_milestone,
        "time_horizon": "superhuman coder, and transformative AI some years later",
    }
    return {
        anchor: known[anchor]
        for anchor, weight in view.anchors.items()
        if weight and anchor != "none"
    }


def choose_requirement(view: View, choice: str) -> View:
    """View that counts one kind of requirement, or its own mixture of several.

    Parameters
    ----------
    choice : {"bioanchors", "direct-approach", "time-horizon", "user", "mixture"}
        ``bioanchors`` keeps the six anchors and "none" in the view's proportions. Each of the next
        three counts alone. ``mixture`` is the view as it stands, which must give weight to at least
        two kinds.

    Raises
    ------
    InputError
        If there is no such kind, or the view gives it no weight to go by.
    """
    if choice not in CHOICES:
        raise InputError(
            f"requirement: must be one of {', '.join(CHOICES)}, got {choice!r}; check the spelling"
        )
    weights, single = view.anchors, choice.replace("-", "_")
    bio = {name: weight for name, weight in weights.items() if name in (*BIO_ANCHORS, "none")}
    if choice == "mixture":
        kinds = [any(weights[name] for name in BIO_ANCHORS)]
        kinds += [weights[name] > 0 for name in ("direct_approach", "user", "time_horizon")]
        if sum(kinds) < 2:
            rule = "mixture needs a view that gives weight to two kinds of requirement or more"
            raise InputError(
                f"requirement: {rule}, got {_weights_in_words(weights)}; "
                "try --view default, or state [anchors]"
            )
        return view
    if choice == "bioanchors" and not any(bio[name] for name in BIO_ANCHORS):
        rule = "bioanchors needs a view that gives weight to one of them"
        raise InputError(
            f"requirement: {rule}, got {_weights_in_words(weights)}; put --view default first"
        )
    chosen = (
        {name: weight / sum(bio.values()) for name, weight in bio.items()}
        if choice == "bioanchors"
        else {single: 1.0}
    )
    anchors = {name: chosen.get(name, 0.0) for name in ANCHORS}
    same = all(abs(anchors[name] - weights[name]) < 1e-12 for name in ANCHORS)
    return view if same else replace(view, name=f"{view.name}-{choice}", anchors=anchors)


def _weights_in_words(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items() if weight)
