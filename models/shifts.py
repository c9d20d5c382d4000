"""What moves the arrival of transformative AI, between worlds that share every random number?

A draw has one anchor, one Exponential(1) and one path of compute. A world changes one thing and
leaves the rest::

    timeline_shift_exponent           = year(gamma) - year(0.8)
    timeline_shift_exponent_prior     = year(gamma) - year(gamma_0)
    timeline_shift_correlation        = year - year(A, B, alpha, beta independent)
    timeline_shift_allocation         = year - year(C / 10^gain(C_0))
    timeline_shift_allocation_kept    = year - year(C / 10^gain(C))
    timeline_shift_alignment_compute  = year(C / (1 + share)) - year
    timeline_shift_alignment          = that + max(wait for the tax, wait for the hours)

0.8 is Bio Anchors' data exponent, and ``gamma_0`` comes from the exponent's prior. ``A``, ``B``,
``alpha`` and ``beta`` are the Direct Approach's loss law. ``C / 10^gain(C)`` is what the compute of
each date would be worth if it were still split as before Chinchilla, and ``C / 10^gain(C_0)`` if it
only lacked what the finding saved then (:mod:`aligntax.models.allocation`). ``C / (1 + share)`` is
compute after the alignment compute of practice has been taken from training. All three leave the
year as it is where the requirement is a time horizon; the tax at arrival counts all alignment
compute, practice's too.

The waits start when the taxed model arrives and run at the same time, so their parts are Shapley
values of the larger. The parts of the alignment shift add up to it. It and ``tai_year_aligned`` are
defined where transformative AI arrives and the wait ends before the horizon; ``alignment_ends``
says in how many arrivals it does. Any other shift is plus infinity
(right-censored) where only the later world never comes, minus infinity where only the earlier one
never does, and NaN (undefined) where neither comes.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri, softmax

from aligntax.models import (
    allocation,
    compute,
    direct_approach,
    horizon_trend,
    research,
    taxes,
    time_horizon,
    tolerance,
    waits,
)
from aligntax.models.arrival import (
    Chance,
    anchor_probabilities,
    arrival_so_far,
    choose_anchor,
    time_grid,
)
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_evaluations import ERRORS
from aligntax.models.priors.compile import compile_prior
from aligntax.models.requirements import (
    CANDIDATES,
    FLOP_ANCHORS,
    anchor_requirements,
    by_candidate,
    depends_on_shapes,
    horizon_margin,
    log_weights,
    of_candidates,
    steepness,
)
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, View

FIRST_YEARS = 8  # of a search for arrival, which doubles them where nothing has arrived


def stand_ins(weight: Any, u: Any, rejected: Any) -> Any:
    """Draws that stand in for rejected ones, chosen in proportion to their weights.

    Parameters
    ----------
    weight : ndarray, shape (draw,)
        In [0, 1].
    u : ndarray, shape (draw,)
        Uniforms; above its weight a draw is rejected. There ``(u - weight) / (1 - weight)`` is
        uniform again, and chooses the other draw.
    rejected : ndarray of int
        Indices of the rejected draws.

    Returns
    -------
    ndarray of int, in the shape of ``rejected``
    """
    total = np.cumsum(weight)
    place = (u[rejected] - weight[rejected]) / (1.0 - weight[rejected]) * total[-1]
    return np.minimum(np.searchsorted(total, place), len(total) - 1)


def rejects(view: View) -> bool:
    """Whether a view has draws for which others of the same block stand in."""
    return view.requirement.low_flop is not None or view.direct_approach.update == "published"


def _dates_first(paths: research.Paths) -> Callable[[Any], Any]:
    """Return its ``trend_date``, of dates (time, draw) instead of (draw, time)."""
    return lambda dates: paths.trend_date(dates.T).T


class Worlds:
    """One anchor per draw, and its arrival in every world.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    gamma : ndarray, shape (draw,)
        Data exponent.
    parameters : xarray.Dataset
        Structural parameters with the same shape.
    accumulated : ndarray, shape (draw, candidate), or None
        Arrival rate accumulated up to the evidence of no TAI; None if the view does not use it.
    only_arrival : bool
        Whether nothing but anchors and arrival is asked for. Weights of the shapes of a time
        horizon's growth are then worked out only where the anchor depends on them.

    Attributes
    ----------
    anchor : ndarray of int, shape (draw,)
        Index of the draw's own of :data:`aligntax.models.views.ANCHORS`; "none" only where it is
        never left.
    """

    def __init__(
        self,
        x: Mapping[str, Any],
        gamma: Any,
        parameters: xr.Dataset,
        accumulated: Any,
        evidence: Evidence,
        view: View,
        trend: Trend,
        chance: Chance,
        only_arrival: bool = False,
    ) -> None:
        self.x, self.gamma, self.parameters, self.chance = x, gamma, parameters, chance
        self.evidence, self.view, self.trend = evidence, view, trend
        begin = view.arrival.start if accumulated is None else trend.now
        self.grid = time_grid(begin, view.arrival.horizon)
        none = np.zeros((len(gamma), len(CANDIDATES)))
        self.accumulated = none if accumulated is None else accumulated
        draws = depends_on_shapes(self.accumulated, view, chance) if only_arrival else None
        self.candidate, self.since = choose_anchor(
            self._candidates(draws), chance, begin, view.arrival, view.anchors["none"]
        )
        self.flop = self.candidate < len(FLOP_ANCHORS)
        never = np.isinf(self.since) & (self.since > 0)
        self.anchor = np.where(
            never, len(ANCHORS) - 1, np.minimum(self.candidate, len(FLOP_ANCHORS))
        )
        self.stand_in = np.arange(len(gamma))
        self._apply_published_updates()
        self.research = self._research()
        self.needed = self.requirement(gamma)

    @cached_property
    def margin(self) -> Any:
        """Margin of each draw's anchor over time, (draw, time); made on first use."""
        return self._margin(np.arange(len(self.gamma)), self.grid)

    @cached_property
    def probability(self) -> Any:
        """Probability of each of :data:`aligntax.models.views.ANCHORS`, (draw, 10)."""
        p, flop = self._candidates(None), len(FLOP_ANCHORS)
        return np.concatenate(
            [p[:, :flop], p[:, flop:-1].sum(axis=-1, keepdims=True), p[:, -1:]], axis=-1
        )

    def _candidates(self, draws: Any) -> Any:
        """Probability of each candidate and "none", (draw, candidate + 1).

        Weights of the shapes of a time horizon's growth count in some draws, or in all where
        ``draws`` is None. In others the shapes count equally.
        """
        shapes = np.full((len(self.gamma), len(horizon_trend.SHAPES)), np.log(1 / 4))
        if draws is None and self.view.anchors["time_horizon"]:
            shapes = self.shapes
        elif draws is not None and len(draws):
            x = {name: self.x[name][draws] for name in time_horizon.QUANTITIES}
            errors = self.parameters[list(ERRORS)].isel(sample=draws)
            shapes[draws] = time_horizon.log_shape_weights(x, errors, self.evidence, self.view)
        anchors = np.broadcast_to(log_weights(self.view), (len(shapes), len(ANCHORS)))
        return anchor_probabilities(of_candidates(anchors, shapes), self.accumulated)

    @cached_property
    def full(self) -> dict[str, Any]:
        """Elicited quantities with ``tolerance_at_arrival``, (draw,); made on first use."""
        return tolerance.with_tolerance(self.x, self.parameters, self.evidence, self.chance)

    @cached_property
    def shapes(self) -> Any:
        """Log weights of the shapes of a time horizon's growth, (draw, 4); made on first use."""
        return time_horizon.log_shape_weights(self.x, self.parameters, self.evidence, self.view)

    @cached_property
    def growth(self) -> Any:
        """Index of the shape in which the time horizon of each draw grows, (draw,).

        That of the draw's anchor where it is a time horizon, and else decided by ``chance.shape``.
        """
        free = horizon_trend.choose_shape(softmax(self.shapes, axis=-1), self.chance.shape)
        return np.where(self.flop, free, self.candidate - len(FLOP_ANCHORS))

    def _research(self) -> research.Paths | None:
        """Feedback of AI on research, if the view has it."""
        if self.view.research.feedback == "none":
            return None
        coder = None
        if self.view.research.feedback == "time_horizon":
            coder = horizon_trend.own_threshold_date(self.x, self.growth, self.view)
        return research.integrate(self.x, coder, self.trend, self.evidence, self.view)

    def calendar(self, date: Any) -> Any:
        """Date at which the horizon is as far as its own trend at ``date``, (draw,)."""
        return date if self.research is None else self.research.calendar(date)

    def _apply_published_updates(self) -> None:
        """Apply the published models' own updates on no TAI so far, if the view has them."""
        low = self.view.requirement.low_flop
        if low is not None:
            all_needed = anchor_requirements(self.x, self.gamma, self.evidence, self.view)
            for k, needed in enumerate(all_needed):
                above = (needed > np.log10(low)).astype(float)
                self._weigh_requirement(k, above, f"requirement.low_flop of {low:g}")
        if self.view.direct_approach.update == "published":
            own = direct_approach.requirement(self.x, self.view)
            k = FLOP_ANCHORS.index("direct_approach")
            self._weigh_requirement(k, direct_approach.survival(own), "direct_approach.update")

    def _weigh_requirement(self, k: int, weight: Any, what: str) -> None:
        """Let requirement ``k`` count in proportion to a weight in [0, 1] per draw.

        A draw with this requirement whose uniform exceeds its weight is rejected, and another
        stands in for it.
        """
        u = self.chance.redraw
        rejected = np.flatnonzero((self.candidate == k) & (u > weight))
        if len(rejected) and not weight.sum() > 0:
            rule = f"must leave some requirement of {FLOP_ANCHORS[k]} possible"
            raise InputError(f"{what}: {rule}, got none; lower it")
        self.stand_in[rejected] = stand_ins(weight, u, rejected)

    def requirement(self, gamma: Any, x: Mapping[str, Any] | None = None) -> Any:
        """Requirement of each draw's anchor, log10 FLOP; NaN where it is a time horizon."""
        needed = np.stack(anchor_requirements(x or self.x, gamma, self.evidence, self.view))
        if self.research is not None and self.research.milestone is not None:
            first = self.trend.effective(self.x, self.research.dates[0])
            needed[FLOP_ANCHORS.index("user")] = first + self.research.milestone
        own = needed[np.where(self.flop, self.candidate, 0), self.stand_in]
        return np.where(self.flop, own, np.nan)

    def _margin(self, draws: Any, grid: Any) -> Any:
        """Margin of some draws' anchors at dates, (draw, time)."""
        # dates come first in memory, so that numpy's inner loops run over many draws
        margin, t = np.empty((len(grid), len(draws))), grid[:, None]
        candidate = self.candidate[draws]
        i = np.flatnonzero(self.flop[draws])
        k = draws[i]
        own = {name: self.x[name][k] for name in compute.QUANTITIES}
        growth, limit = (value[candidate[i]] for value in by_candidate(self.view))
        paths = None if self.research is None else self.research.of(k)
        ahead = None if paths is None else paths.ahead(grid).T
        algorithms = self.trend.algorithms(own, t, growth, limit, ahead)
        margin[:, i] = self.trend.physical(own, t) + algorithms - self.needed[k]
        if paths is not None and paths.milestone is not None:
            user = np.flatnonzero(candidate[i] == FLOP_ANCHORS.index("user"))
            automated = paths.of(user)
            margin[:, i[user]] = automated.progress(grid).T - automated.milestone
        for j, shape in enumerate(horizon_trend.SHAPES):
            i = np.flatnonzero(candidate == len(FLOP_ANCHORS) + j)
            k = draws[i]
            own = {name: self.x[name][k] for name in time_horizon.QUANTITIES}
            moved = None if self.research is None else _dates_first(self.research.of(k))
            margin[:, i] = horizon_margin(own, t, shape, self.view, trend_date=moved)
        return margin.T

    def year(self) -> Any:
        """Year of arrival of each draw; infinity if later than the horizon, or never."""
        return self._arrival_years(np.arange(len(self.gamma)), self.margin)

    def year_alone(self) -> Any:
        """The same where no other world is asked about: no margin after arrival is worked out."""
        year, passed = np.full(len(self.gamma), np.inf), np.zeros(len(self.gamma))
        k, begin, years = np.arange(len(self.gamma)), 0, FIRST_YEARS
        while len(k) and begin < len(self.grid) - 1:
            grid = self.grid[begin : begin + years + 1]
            year[k], passed[k] = self._arrival(k, self._margin(k, grid), grid, passed[k])
            k, begin, years = k[np.isinf(year[k])], begin + years, 2 * years
        return year

    def moved(self, year: Any, more: Any) -> Any:
        """Year of arrival if a FLOP requirement were ``more`` OOM higher.

        ``more`` has shape (draw,), or (draw, time) where it differs between dates. ``year``, which
        was computed before, is kept where it is zero.
        """
        more = more[:, None] if more.ndim == 1 else more
        k = np.flatnonzero(self.flop & (more != 0).any(axis=1))
        later = year.copy()
        later[k] = self._arrival_years(k, (self.margin.T[:, k] - more[k].T).T)
        return later

    def misallocated(self, year: Any) -> Any:
        """Year of arrival if compute were still split as before Chinchilla.

        ``year`` was computed before, and is kept where the requirement is a time horizon.
        """
        flop = self.trend.physical(self.x, self.grid[:, None])
        gopher = allocation.gopher(self.evidence)
        before = allocation.parameters_from(gopher, flop, self.evidence)
        return self.moved(year, allocation.gain(self.x, before, flop, self.view).T)

    def _arrival_years(self, k: Any, margin: Any) -> Any:
        return self._arrival(k, margin, self.grid, 0.0)[0]

    def _arrival(self, k: Any, margin: Any, grid: Any, passed: Any) -> tuple[Any, Any]:
        """Year of arrival of some draws, infinite after the grid, and the accumulated rate."""
        own = {name: self.x[name][k] for name in ("hazard_steepness", "horizon_steepness")}
        date, total = arrival_so_far(
            margin,
            grid,
            self.since[k],
            steepness(own, self.candidate[k]),
            self.chance.exponential[k],
            self.view.arrival,
            passed,
        )
        return np.where(np.isnan(date), np.inf, date), total


def shifts(worlds: Worlds) -> dict[str, Any]:
    """Arrival and its shifts.

    Returns
    -------
    dict of ndarray, shape (draw,)
        Years; infinity, minus infinity and NaN as in the docstring of the module.
    """
    x, view, evidence = worlds.x, worlds.view, worlds.evidence
    year = worlds.year()

    def year_at(gamma: Any, other: dict[str, Any] | None = None) -> Any:
        return worlds.moved(year, worlds.requirement(gamma, other) - worlds.needed)

    baseline = year_at(np.full_like(worlds.gamma, evidence.constant("baseline_data_exponent")))
    table = compile_prior("data_exponent_prior", view.quantities["data_exponent_prior"])
    before = year_at(10.0 ** table.value(ndtri(worlds.chance.exponent)))
    independent = year_at(worlds.gamma, {**x, **direct_approach.independent(x, evidence, view)})
    arrives = np.isfinite(year)
    flop = worlds.trend.physical(x, np.where(arrives, year, np.nan))
    share = 10.0 ** taxes.share_of_practice(x, flop, evidence)
    taxed = worlds.moved(year, np.where(arrives, np.log10(1.0 + share), 0.0))
    met = np.where(np.isfinite(taxed), taxed, np.nan)
    tax, work = waits.waits(worlds.full, met, worlds.trend, evidence, view)
    wait, by_tax, by_work = (
        np.where(np.isnan(met), np.nan, part) for part in waits.shapley(tax, work)
    )
    ends = np.isfinite(wait)
    # infinity minus infinity: both worlds later than the horizon, undefined
    with np.errstate(invalid="ignore"):
        found = allocation.derive(x, evidence, view)
        if found:
            found["timeline_shift_allocation"] = year - worlds.moved(year, found["allocation_gain"])
            found["timeline_shift_allocation_kept"] = year - worlds.misallocated(year)
        by_compute = taxed - year
        delay = np.where(ends, by_compute + wait, np.nan)
        return {
            "tai_flop": np.where(worlds.anchor == len(ANCHORS) - 1, np.inf, worlds.needed),
            "tai_year": year,
            "tai_year_baseline_exponent": baseline,
            "tai_year_aligned": year + delay,
            "alignment_ends": np.where(arrives, ends.astype(float), np.nan),
            "timeline_shift_exponent": year - baseline,
            "timeline_shift_exponent_prior": year - before,
            "timeline_shift_correlation": year - independent,
            **found,
            "timeline_shift_alignment": delay,
            "timeline_shift_alignment_compute": by_compute,
            "timeline_shift_alignment_tax": np.where(ends, by_tax, np.nan),
            "timeline_shift_alignment_work": np.where(ends, by_work, np.nan),
        }
