"""How much alignment data will be needed, does a tolerable tax pay for it, and how far does that move timelines?

The joint model composes the others and adds the evidence that no transformative AI has arrived so far::

    x            ~ view                                   elicited quantities (models.priors)
    gamma        = data exponent of a new regime          models.scaling, conditioned on scaling studies
    C(t)         = effective FLOP of the largest run      models.compute, conditioned on runs and algorithmic progress
    q_k(x,gamma) = requirement of anchor k                models.requirements
    p(no TAI yet | x, gamma) = sum_k w_k S_k              models.arrival, anchors summed out
    hours, money, tax at arrival                          models.alignment, conditioned on RLHF efforts and compute shares

Shifts are differences within a draw between paired worlds that share every random number:

    timeline_shift_exponent  = tai_year(gamma) - tai_year(0.8)
    timeline_shift_alignment = wait after arrival for a tolerable tax and for the hours to be worked

A date later than the horizon is plus infinity until :func:`censored` turns it into a missing value with a state: a difference
is then right-censored if only the later world never comes, left-censored if only the earlier, undefined if neither does.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from models import alignment, compute, requirements, scaling
from models.alignment import ABOVE, BELOW, OBSERVED, UNDEFINED
from models.arrival import (
    Chance,
    accumulated_rate,
    anchor_probabilities,
    arrival_date,
    arrival_rate,
    choose_anchor,
    time_grid,
)
from models.compute import Trend
from models.errors import InputError
from models.evidence import Evidence
from models.views import View

__all__ = ["QUANTITIES", "build", "censored", "derive", "log_no_tai", "observed", "paths", "simulate"]

QUANTITIES = (
    *scaling.QUANTITIES,
    *requirements.QUANTITIES,
    "hazard_steepness",
    *alignment.QUANTITIES,
)


def build(evidence: Evidence, view: View) -> Any:
    """Return the joint model.

    Parameters
    ----------
    evidence : Evidence
        Restricted to what the view uses.
    view : View

    Returns
    -------
    pymc.Model
        One ``pm.Potential`` per kind of evidence, named after its table, with one element per row or study group; and
        ``no_tai``, log of ``sum_k w_k S_k``.

    Raises
    ------
    InputError
        If the view asks for plain crossing together with the evidence of no TAI, whose likelihood would be a step, or if arrival
        could not have started before that evidence.
    """
    import pymc as pm

    from models.elicited import elicited

    _check_arrival(evidence, view)
    with pm.Model(check_bounds=False) as model:
        x = elicited(view.tables(QUANTITIES))
        gamma = scaling.add(evidence, view, x)
        compute.add(evidence, view, x)
        alignment.add(evidence, view, x)
        if view.evidence.no_tai:
            _add_no_tai(evidence, view, x, gamma)
    return model


def _check_arrival(evidence: Evidence, view: View) -> None:
    if not view.evidence.no_tai:
        return
    if view.arrival.mode == "crossing":
        raise InputError(
            'arrival.mode: crossing has no likelihood for no_tai; set evidence.use = "none" or mode = "hazard"'
        )
    now = Trend.of(evidence, view).now
    if now <= view.arrival.start:
        rule = f"must lie before the evidence of no TAI, {now:.2f}"
        raise InputError(f"arrival.start: {rule}, got {view.arrival.start}; choose an earlier year")


def _add_no_tai(evidence: Evidence, view: View, x: dict[str, Any], gamma: Any) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    trend = Trend.of(evidence, view)
    grid = time_grid(view.arrival.start, trend.now)
    effective = trend.effective(x, pt.as_tensor(grid), beyond=np.zeros(len(grid)))
    steepness = 10.0 ** x["hazard_steepness"]
    requirement = pt.stack(requirements.anchor_requirements(x, gamma, evidence))
    rate = arrival_rate(effective, requirement[:, None], steepness, view.arrival.hazard_cap, pt.sigmoid)
    weights = pm.Data("anchor_log_weight", requirements.log_weights(view))
    survival = pt.concatenate([-accumulated_rate(rate, grid), pt.zeros(1)])
    pm.Potential("no_tai", pt.logsumexp(weights + survival))


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
        Shape (draw,), ``anchor_probability`` (draw, 8). Infinity is "later or never", minus infinity "nothing affordable" or
        an earlier world that never comes, NaN undefined; see :func:`censored`.
    """
    trend, x = Trend.of(evidence, view), dict(x)
    exponents = scaling.derive(x, parameters)
    anchors = _Anchors(x, evidence, view, trend, exponents["data_exponent"], chance)
    year, flop = anchors.arrival(exponents["data_exponent"])
    baseline = np.full_like(year, evidence.constant("baseline_data_exponent"))
    year_baseline, _ = anchors.arrival(baseline)
    neural = x["brain_flop"] - x["flop_per_parameter"] - np.log10(evidence.constant("reference_parameters"))
    met = np.where(np.isfinite(year), year, np.nan)
    tax, work = alignment.waits(x, met, trend, evidence, view)
    delay, by_tax, by_work = (np.where(np.isnan(met), np.nan, part) for part in alignment.shapley(tax, work))
    with np.errstate(invalid="ignore"):  # infinity minus infinity: both worlds later than the horizon, undefined
        shift = year - year_baseline
    return {
        **exponents,
        "data_exponent_shift_flop": (exponents["data_exponent"] - baseline) * neural,
        "tai_flop": flop,
        "tai_year": year,
        "tai_year_baseline_exponent": year_baseline,
        "tai_year_aligned": np.where(np.isnan(met), np.inf, met + delay),
        "timeline_shift_exponent": shift,
        "timeline_shift_alignment": delay,
        "timeline_shift_alignment_tax": by_tax,
        "timeline_shift_alignment_work": by_work,
        **alignment.at_date(x, met, trend, evidence),
        "anchor_probability": anchors.probability,
    }


def log_no_tai(x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View) -> Any:
    """Log probability of each draw that nothing has arrived yet, ``log sum_k w_k S_k``: the twin of the model's potential.

    Parameters
    ----------
    x, parameters, evidence, view
        As in :func:`derive`.

    Returns
    -------
    ndarray, shape (draw,)
        Zero everywhere where the view does not use this evidence.

    Raises
    ------
    InputError
        As :func:`build`.
    """
    _check_arrival(evidence, view)
    gamma = scaling.derive(dict(x), parameters)["data_exponent"]
    if not view.evidence.no_tai:
        return np.zeros(len(gamma))
    rates = _history(dict(x), gamma, evidence, view, Trend.of(evidence, view))
    survival = np.concatenate([-rates, np.zeros((len(gamma), 1))], axis=-1)
    return logsumexp(requirements.log_weights(view) + survival, axis=-1)


def _history(x: dict[str, Any], gamma: Any, evidence: Evidence, view: View, trend: Trend) -> Any:
    """Arrival rate accumulated up to the evidence's date, shape (draw, anchor)."""
    grid = time_grid(view.arrival.start, trend.now)
    effective = trend.effective({name: value[:, None] for name, value in x.items()}, grid)
    steepness = 10.0 ** x["hazard_steepness"][:, None]
    rates = [
        accumulated_rate(arrival_rate(effective, q[:, None], steepness, view.arrival.hazard_cap), grid)
        for q in requirements.anchor_requirements(x, gamma, evidence)
    ]
    return np.stack(rates, axis=-1)


class _Anchors:
    """The anchors of a set of draws: probabilities given no TAI yet, one anchor a draw, and its arrival at any exponent."""

    def __init__(
        self, x: dict[str, Any], evidence: Evidence, view: View, trend: Trend, gamma: Any, chance: Chance
    ) -> None:
        self.x, self.evidence, self.view, self.chance = x, evidence, view, chance
        self.steepness = 10.0 ** x["hazard_steepness"]
        column = {name: value[:, None] for name, value in x.items()}
        arrival = view.arrival
        begin = trend.now if view.evidence.no_tai else arrival.start
        self.grid = time_grid(begin, arrival.horizon)
        self.effective = trend.effective(column, self.grid)
        weights = requirements.log_weights(view)
        if view.evidence.no_tai:
            self.probability = anchor_probabilities(weights, _history(x, gamma, evidence, view, trend))
        else:
            prior = np.exp(weights) / np.exp(weights).sum()
            self.probability = np.broadcast_to(prior, (len(gamma), len(prior)))
        self.anchor, self.since = choose_anchor(self.probability, chance, begin, arrival, view.anchors["none"])

    def arrival(self, gamma: Any) -> tuple[Any, Any]:
        """Year of arrival and requirement (log10 FLOP) of each draw; infinity where later than the horizon, or never."""
        each = np.stack(requirements.anchor_requirements(self.x, gamma, self.evidence), axis=-1)
        flop = np.take_along_axis(each, self.anchor[:, None], axis=-1)[:, 0]
        year = arrival_date(
            self.effective, self.grid, flop, self.since, self.steepness, self.chance.exponential, self.view.arrival
        )
        return np.where(np.isnan(year), np.inf, year), np.where(np.isinf(self.since) & (self.since > 0), np.inf, flop)


def censored(values: Mapping[str, Any], coords: Mapping[str, Any], dims: Mapping[str, tuple[str, ...]]) -> xr.Dataset:
    """Dataset of derived quantities in which nothing is infinite: missing values carry a state.

    ``<name>_state`` is 0 observed, 1 above everything (later or never), 2 below everything (nothing affordable), 3 undefined;
    it exists for quantities that have at least one missing value or can have one.
    """
    data: dict[str, Any] = {}
    for name, value in values.items():
        value = np.asarray(value)
        state = np.select([np.isnan(value), value == np.inf, value == -np.inf], [UNDEFINED, ABOVE, BELOW], OBSERVED)
        data[name] = (dims[name], np.where(state == OBSERVED, value, np.nan))
        if np.any(state != OBSERVED):
            data[f"{name}_state"] = (dims[name], state.astype("int8"))
    return xr.Dataset(data, coords=dict(coords))


def paths(x: Mapping[str, Any], evidence: Evidence, view: View, dates: Any) -> dict[str, Any]:
    """Quantities of the largest run over calendar dates, shape (draw, date): the fan charts.

    Returns
    -------
    dict
        ``frontier_spend``, ``frontier_flop``, ``effective_flop``, ``alignment_hours_needed``,
        ``alignment_hours_affordable``, ``alignment_tax`` (log10 scales).
    """
    trend = Trend.of(evidence, view)
    column = {name: np.asarray(value)[:, None] for name, value in x.items()}
    at = alignment.at_date(column, np.asarray(dates, dtype=float)[None, :], trend, evidence)
    wanted = ("alignment_hours_needed", "alignment_hours_affordable", "alignment_tax")
    return {**compute.derive(dict(x), trend, dates), **{name: at[name] for name in wanted}}


PARTS = (scaling, compute, alignment)


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {name: value for part in PARTS for name, value in part.observed(evidence, view).items()}


def simulate(
    x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: np.random.Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated evidence of every table; see each model's ``simulate``."""
    return {name: value for part in PARTS for name, value in part.simulate(x, parameters, evidence, view, rng).items()}
