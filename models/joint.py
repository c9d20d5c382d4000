"""How much alignment data is needed, does a tolerable tax cover it, and how far do timelines move?

The joint model composes the others and adds the evidence that no transformative AI has arrived so
far::

    x            ~ view                                   elicited quantities
    gamma        = data exponent of a new regime          scaling
    C(t)         = effective FLOP of the largest run      compute
    q_k(x,gamma) = requirement of anchor k                requirements
    p(no TAI yet | x, gamma) = sum_k w_k S_k              arrival, anchors summed out
    hours, money, tax at arrival                          alignment

Each part is conditioned on its own tables: the data exponent on scaling studies, compute on runs
and algorithmic progress, requirements on loss laws and time horizons, and alignment on RLHF
efforts, workforces, compute shares and payments.

What shifts arrival is in :mod:`aligntax.models.shifts`. A date later than the horizon is plus
infinity until :func:`aligntax.models.states.censored` turns it into a missing value with a state. A
difference is then right-censored if only the later world never comes, left-censored if only the
earlier one never does, and undefined if neither comes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import (
    ai_labour,
    alignment,
    compute,
    direct_approach,
    horizon_evaluations,
    horizon_trend,
    requirements,
    research,
    scaling,
    time_horizon,
)
from aligntax.models.arrival import Chance, accumulated_rate, time_grid
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.priors import quantities
from aligntax.models.shifts import Worlds, shifts
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, View

QUANTITIES = (
    *scaling.QUANTITIES,
    *requirements.QUANTITIES,
    *direct_approach.QUANTITIES,
    *time_horizon.QUANTITIES,
    "hazard_steepness",
    "horizon_steepness",
    *compute.QUANTITIES,
    *alignment.OWN_QUANTITIES,
    *research.QUANTITIES,
    *ai_labour.QUANTITIES,
)
HEADLINES = quantities.HEADLINES


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the joint model; ``evidence`` is restricted to what the view uses.

    Returns
    -------
    pymc.Model
        One ``pm.Potential`` per kind of evidence, named after its table, with one element per row
        or study group; and ``no_tai``, log of ``sum_k w_k S_k``. In the open graph each is an
        observed variable.

    Raises
    ------
    InputError
        If the view uses the evidence of no TAI together with plain crossing, whose likelihood would
        be a step, or with the published models' own updates, which that evidence contains; or if
        arrival could not have started before that evidence.
    """
    from aligntax.models.priors.elicited import elicited_model

    check(evidence, view)
    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
        gamma = scaling.add(evidence, view, x)
        direct_approach.add(evidence, view, x)
        shapes = time_horizon.add(evidence, view, x)
        compute.add(evidence, view, x)
        alignment.add(evidence, view, x)
        if view.evidence.no_tai:
            _add_no_tai(evidence, view, x, gamma, shapes)
    return model


def check(evidence: Evidence, view: View) -> None:
    """Raise an error about settings of a view that cannot meet the evidence that it chooses."""
    research.check(Trend.of(evidence, view), view)
    if not view.evidence.no_tai:
        return
    if view.arrival.mode == "crossing":
        raise InputError(
            "arrival.mode: crossing has no likelihood for no_tai; "
            'set evidence.use = "none" or mode = "hazard"'
        )
    rule = "is contained in the evidence of no TAI and must not count twice"
    if view.requirement.low_flop is not None:
        raise InputError(
            f"requirement.low_flop: {rule}, got {view.requirement.low_flop:g}; "
            'leave it out or set evidence.use = "none"'
        )
    if view.direct_approach.update != "none":
        raise InputError(
            f"direct_approach.update: {rule}, got {view.direct_approach.update}; "
            'set it to "none" or set evidence.use = "none"'
        )
    now = Trend.of(evidence, view).now
    if now <= view.arrival.start:
        rule = f"must lie before the evidence of no TAI, {now:.2f}"
        raise InputError(f"arrival.start: {rule}, got {view.arrival.start}; choose an earlier year")


def _add_no_tai(
    evidence: Evidence, view: View, x: Mapping[str, Any], gamma: Any, shapes: Any
) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.observed import add_likelihood, happened, named

    trend = Trend.of(evidence, view)
    grid = time_grid(view.arrival.start, trend.now)
    t = pt.as_tensor(grid)
    needed = requirements.anchor_requirements(x, gamma, evidence, view)
    physical = trend.physical(x, t, beyond=np.zeros(len(grid)))
    pairs, pair = np.unique(
        np.stack(requirements.by_candidate(view), axis=-1), axis=0, return_inverse=True
    )
    progress = trend.algorithms(x, t, pairs[:, :1], pairs[:, 1:])
    effective = physical + (progress if len(pairs) == 1 else progress[pair])
    horizons = [
        requirements.horizon_margin(x, t, shape, view, pt) for shape in horizon_trend.SHAPES
    ]
    margin = pt.concatenate([effective - pt.stack(needed)[:, None], pt.stack(horizons)])
    of_length = np.arange(len(requirements.CANDIDATES)) >= len(requirements.FLOP_ANCHORS)
    log_steepness = pt.switch(of_length, x["horizon_steepness"], x["hazard_steepness"])
    steepness = 10.0 ** log_steepness[:, None]
    rates = accumulated_rate(margin, grid, steepness, view.arrival.hazard_cap, pt.sigmoid)
    survival = pt.concatenate([-rates, pt.zeros(1)])
    weights = pm.Data("anchor_log_weight", requirements.log_weights(view))
    terms = requirements.of_candidates(weights, shapes, pt.concatenate) + survival
    total = pt.logsumexp(terms)
    add_likelihood("no_tai", happened(total), pt.as_tensor(1.0), None, terms=total)
    named("anchor_requirement", pt.stack(needed), flop_anchor=requirements.FLOP_ANCHORS)
    each, flop = pt.exp(terms - total), len(requirements.FLOP_ANCHORS)
    kinds = [each[:flop], each[flop:-1].sum(keepdims=True), each[-1:]]
    named("anchor_probability", pt.concatenate(kinds), anchor=ANCHORS)


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    """Headline quantities of each draw.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters with the same shape.
    chance : Chance
        Random numbers of arrival, shared by paired worlds.

    Returns
    -------
    dict of ndarray
        Shape (draw,), ``anchor_probability`` (draw, 10). Infinity is "later or never", minus
        infinity an earlier world that never comes, and NaN "undefined"; see
        :func:`aligntax.models.states.censored`.
    """
    worlds = worlds_of(x, parameters, evidence, view, chance)
    full = worlds.full
    moved = shifts(worlds)
    met = np.where(np.isfinite(moved["tai_year"]), moved["tai_year"], np.nan)
    steeper = worlds.gamma - evidence.constant("baseline_data_exponent")
    reference = np.log10(evidence.constant("reference_parameters"))
    larger = x["brain_flop"] - x["flop_per_parameter"] - reference  # OOM of parameters
    exponents = scaling.derive(x, parameters)
    return {
        **exponents,
        "data_exponent_shift_flop": steeper * larger,
        "data_factor_at_1e5": data_factor(exponents["data_exponent"], evidence),
        "data_factor_at_1e5_pooled": data_factor(exponents["data_exponent_pooled"], evidence),
        **time_horizon.superhuman_coder(x, worlds.growth, view, worlds.calendar),
        "superexponential_probability": np.exp(worlds.shapes[:, 1]),
        "horizon_shape": worlds.growth,
        **moved,
        **{name: full[name] for name in full if name not in x},
        **alignment.at_date(full, met, worlds.trend, evidence, view),
        "anchor_probability": worlds.probability,
        "tai_anchor": worlds.anchor,
    }


def data_factor(gamma: Any, evidence: Evidence) -> Any:
    """Log10 of the compute of Hilton's larger model over what the baseline's exponent gives.

    ``C = 6 N D`` and ``D ~ N^gamma``, so that a model ``k`` times larger takes ``k^(gamma - 0.8)``
    times more compute: his 10 where ``k`` is 1e5 and ``gamma`` is 1.
    """
    steeper = gamma - evidence.constant("baseline_data_exponent")
    return np.log10(evidence.constant("hilton_larger_model")) * steeper


def worlds_of(
    x: Mapping[str, Any],
    parameters: xr.Dataset,
    evidence: Evidence,
    view: View,
    chance: Chance,
    only_arrival: bool = False,
) -> Worlds:
    """Anchor of each draw and its arrival; arguments as in :func:`derive` and :class:`Worlds`."""
    trend, gamma = Trend.of(evidence, view), scaling.derive(x, parameters)["data_exponent"]
    research.check(trend, view)
    accumulated = (
        _accumulated_so_far(x, gamma, evidence, view, trend) if view.evidence.no_tai else None
    )
    given = (evidence, view, trend, chance, only_arrival)
    return Worlds(x, gamma, parameters, accumulated, *given)


def with_rows(evidence: Evidence, view: View) -> Evidence:
    """Evidence whose rows are worked out, for many calls of :func:`worlds_of`."""
    if not view.anchors["time_horizon"]:
        return evidence
    rows = horizon_evaluations.evaluations(evidence, view)
    return evidence.with_likelihood_rows({"time_horizons": rows})


def log_no_tai(x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View) -> Any:
    """Log probability of each draw that nothing has arrived yet, ``log sum_k w_k S_k``.

    It is the twin of the model's potential ``no_tai``; arguments as in :func:`derive`.

    Returns
    -------
    ndarray, shape (draw,)
        Zero if the view does not use this evidence.

    Raises
    ------
    InputError
        As :func:`build`.
    """
    check(evidence, view)
    gamma = scaling.derive(x, parameters)["data_exponent"]
    if not view.evidence.no_tai:
        return np.zeros(len(gamma))
    rates = _accumulated_so_far(x, gamma, evidence, view, Trend.of(evidence, view))
    shapes = time_horizon.log_shape_weights(x, parameters, evidence, view)
    weights = np.broadcast_to(requirements.log_weights(view), (len(gamma), len(view.anchors)))
    survival = np.concatenate([-rates, np.zeros((len(gamma), 1))], axis=-1)
    return np.logaddexp.reduce(requirements.of_candidates(weights, shapes) + survival, axis=-1)


def _accumulated_so_far(
    x: Mapping[str, Any], gamma: Any, evidence: Evidence, view: View, trend: Trend
) -> Any:
    """Arrival rate accumulated up to the evidence's date, shape (draw, candidate)."""
    grid = time_grid(view.arrival.start, trend.now)
    return requirements.accumulated_rates(x, gamma, grid, trend, evidence, view)


def paths(x: Mapping[str, Any], evidence: Evidence, view: View, dates: Any) -> dict[str, Any]:
    """Quantities of the largest run over calendar dates, shape (draw, date): the fan charts.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        With ``tolerance_at_arrival``.

    Returns
    -------
    dict
        ``frontier_spend``, ``frontier_flop``, ``effective_flop``, ``alignment_hours_needed``,
        ``alignment_hours_affordable``, ``labour_tax``, ``compute_tax`` (log10 scales).
    """
    trend = Trend.of(evidence, view)
    column = {name: np.asarray(value)[:, None] for name, value in x.items()}
    at = alignment.at_date(column, np.asarray(dates, dtype=float)[None, :], trend, evidence, view)
    wanted = (
        "alignment_hours_needed",
        "alignment_hours_affordable",
        "labour_tax",
        "compute_tax",
    )
    return {**compute.derive(x, trend, dates), **{name: at[name] for name in wanted}}
