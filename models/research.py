"""How much faster do algorithms progress when AI does part of the research?

Off in the default view. Where a view asks for it, a year of the calendar is worth ``speed`` years
of the research of the date ``since``, from which it counts. ``y`` are the years of research, so
that progress is what the trend has gained by ``y`` (:meth:`aligntax.models.trend.Trend.algorithms`)
and nothing else in the model changes::

    dy/dt     = speed = min(limit, effort(t, f, u) / effort(since) * 10^(-beta s))
    y(since)  = since
    s         = algorithmic_growth (y - since)               OOM of software since then
    u         = effective compute gained since then          OOM: training compute and software
    effort    = ((1 - w) C^(r rho) + w (L / (1 - f)^k)^(r m rho))^(1 / rho) * taste

``C`` is the compute of experiments and ``L`` the people, both over those of ``since``. ``rho = 0``
is Cobb-Douglas. The share ``f`` of research that AI does is logistic in ``u``, up to a ceiling::

    f(u)      = min(1, ceiling / (1 + exp(-(logit(f_0 / ceiling) + u / span))))

With ``feedback = "effective_compute"`` its span is elicited. With ``"time_horizon"`` it follows
from the horizon's trend: ``f = 1`` at the effective compute ``u_c`` at which that trend, continued
at the rate of ``since``, reaches a superhuman coder. Taste is the mean value of an experiment, if
no researcher chooses worse than AI does, whose skill grows with ``u``.

With ``inputs = "balanced"``, people and compute grow just fast enough to hold the trend while
problems get harder: ``C = L = 1``, and ``10^(-beta (s - algorithmic_growth (t - since)))`` instead.
Then a speed of one is no feedback. Otherwise they are a published model's own paths, table
``research_inputs``. Nothing is infinite at a finite date: the speed is bounded.

=================  ==============================  ============================================
name               quantity or setting             form of the AI Futures Model; Kwa
=================  ==============================  ============================================
f_0, span          ``automated_share``,            from the horizon; elicited
                   ``automation_span``
w, r               ``research_labour_share``,      0.34, 0.65; elicited
                   ``research_returns``
beta               ``research_difficulty``         0.31; elicited
k, rho, m          ``labour_gain``,                1.5, -0.155, 0.76; 1, 0, 1
                   ``substitution``, ``serial``
=================  ==============================  ============================================

References
----------
.. [1] Lifland, Kokotajlo, Halstead, Kastner, "AI Futures Model", December 2025, aifuturesmodel.com.
.. [2] Kwa, "A simpler AI timelines model predicts 99% AI R&D automation in ~2032", METR, 2026.
.. [3] Jones, "R&D-based models of economic growth", 1995, doi:10.1086/262002, for ``beta``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from aligntax.models.arrival import first_crossing, time_grid
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, select
from aligntax.models.trend import Trend
from aligntax.models.views import Research, View

QUANTITIES = (
    "automated_share",
    "automation_span",
    "research_labour_share",
    "research_returns",
    "research_difficulty",
)
STEP = 0.25  # years of a step of the integration: a quarter of the trends' yearly grid
# Least share of research left to people: the AI Futures Model holds coding labour below 1e8 times
# that of people in series, 1e16 in parallel.
LEAST_LEFT = 1e-11
LEAST_RATE = 1e-3  # OOM a year of effective compute, by which the horizon trend keeps time
LEAST_DISTANCE = 1e-3  # OOM from `since` to full automation, where the trend is there already


def _steps(share: Any, ceiling: float) -> Any:
    """Logit of a share of the ceiling."""
    return np.log(share / np.maximum(ceiling - share, 1e-12))


def _slope(x: Mapping[str, Any], full: Any, ceiling: float) -> Any:
    """Growth of that logit per OOM of effective compute."""
    if full is None:
        return 10.0 ** -x["automation_span"]
    return (_steps(1.0, ceiling) - _steps(x["automated_share"], ceiling)) / full


def share_left(x: Mapping[str, Any], u: Any, full: Any, ceiling: float) -> Any:
    """Share of research left to people after ``u`` OOM of effective compute since the start.

    Parameters
    ----------
    x : mapping of ndarray
        With ``automated_share`` and, where ``full`` is None, ``automation_span``.
    full : ndarray or None
        OOM at which AI does all of it.
    """
    z = _steps(x["automated_share"], ceiling) + u * _slope(x, full, ceiling)
    odds = np.exp(-np.clip(z, -50.0, 50.0))
    # 1 - ceiling / (1 + odds), without the loss of digits where little is left
    return np.clip((1.0 - ceiling + odds) / (1.0 + odds), LEAST_LEFT, 1.0)


def automated_at(x: Mapping[str, Any], share: float, full: Any, ceiling: float) -> Any:
    """OOM of effective compute since the start at which AI does a share of research, (draw,)."""
    steps = _steps(share, ceiling) - _steps(x["automated_share"], ceiling)
    return steps / _slope(x, full, ceiling)


def throughput(labour: Any, compute: Any, share: Any, rho: float) -> Any:
    """OOM of experiments from OOM of labour and compute, at a constant elasticity."""
    if rho == 0.0:
        return share * labour + (1.0 - share) * compute
    mixed = share * 10.0 ** (rho * labour) + (1.0 - share) * 10.0 ** (rho * compute)
    return np.log10(mixed) / rho


def taste(skill: Any, research: Research) -> Any:
    """OOM of the mean value of an experiment over that of people alone.

    People are lognormal with mean one, and those below AI are lifted to it: the mean of ``max(T,
    k)`` is ``k Phi((ln k - mu) / sigma) + Phi((mu + sigma^2 - ln k) / sigma)``.

    Parameters
    ----------
    skill : ndarray
        Of AI, in standard deviations above the median of people.
    """
    sigma = research.taste_spread
    free = sigma * skill - 0.5 * sigma**2
    limit = research.taste_limit * np.log(10.0)
    # above the mean of people it nears a limit; exact at the mean
    k = np.where(free > 0, -limit * np.expm1(-np.maximum(free, 0.0) / limit), free)
    mean = np.exp(k) * ndtr(k / sigma + 0.5 * sigma) + ndtr(0.5 * sigma - k / sigma)
    return np.log10(mean)


@dataclass(frozen=True)
class Paths:
    """Research over time, shared by every requirement of a draw.

    Attributes
    ----------
    dates : ndarray, shape (time,)
        Decimal years from ``since`` on.
    years : ndarray, shape (draw, time)
        Years of research of ``since``.
    gained : ndarray, shape (draw, time)
        OOM of effective compute since then.
    rate : ndarray, shape (draw,)
        OOM a year of effective compute at that date.
    expected : ndarray, shape (draw, time)
        OOM that the time horizon's own trend takes for granted.
    full : ndarray, shape (draw,), or None
        OOM at which AI does all research, where the horizon says so.
    milestone : ndarray, shape (draw,), or None
        OOM at which it does the share that is the user's milestone.
    """

    dates: Any
    years: Any
    gained: Any
    rate: Any
    expected: Any
    full: Any
    milestone: Any

    def of(self, k: Any) -> "Paths":
        """Paths of some draws."""
        full, milestone = (
            None if value is None else value[k] for value in (self.full, self.milestone)
        )
        return Paths(
            self.dates,
            self.years[k],
            self.gained[k],
            self.rate[k],
            self.expected[k],
            full,
            milestone,
        )

    def progress(self, t: Any) -> Any:
        """OOM of effective compute gained by dates, (time,) or (draw, time)."""
        return self._at(self.gained, t)

    def ahead(self, t: Any) -> Any:
        """Years of research beyond the calendar's at dates, (time,) or (draw, time)."""
        return self._at(self.years - self.dates, t)

    def trend_date(self, t: Any) -> Any:
        """Date at which the horizon's own trend is as far as the horizon is at dates ``t``."""
        return t + self._at((self.gained - self.expected) / self.rate[:, None], t)

    def calendar(self, date: Any) -> Any:
        """Date at which the horizon reaches what its own trend reaches at ``date``, (draw,).

        Infinity after the last date.
        """
        found = first_crossing(self.trend_date(self.dates) - date[:, None], self.dates)
        return np.where(date <= self.dates[0], date, np.where(np.isnan(found), np.inf, found))

    def _at(self, path: Any, t: Any) -> Any:
        """Values of a path that starts from zero, straight between its dates."""
        t = np.broadcast_to(t, (len(path), np.shape(t)[-1]))
        i = np.clip(np.searchsorted(self.dates, t) - 1, 0, len(self.dates) - 2)
        part = np.clip((t - self.dates[i]) / np.diff(self.dates)[i], 0.0, 1.0)
        before, after = (np.take_along_axis(path, k, axis=-1) for k in (i, i + 1))
        return before + part * (after - before)


def start(trend: Trend, view: View) -> float:
    """Decimal year from which feedback counts: by default the date of the evidence."""
    return trend.now if view.research.since is None else view.research.since


def check(trend: Trend, view: View) -> None:
    """Raise an error if a setting would reach into the evidence of no TAI, or reach nothing.

    Raises
    ------
    InputError
        If feedback starts before that evidence; or if automation is the user's milestone, without
        feedback or beside that evidence, for which it has no likelihood.
    """
    if view.research.feedback == "none":
        if view.research.milestone is not None:
            raise InputError(
                f"research.milestone: needs feedback, got {view.research.milestone:g} without; "
                "set research.feedback, or leave it out"
            )
        return
    if not view.evidence.no_tai:
        return
    if start(trend, view) < trend.now:
        rule = f"must not lie before the evidence of no TAI, {trend.now:.2f}"
        raise InputError(
            f"research.since: {rule}, got {view.research.since:g}; leave it out, "
            'or set evidence.use = "none"'
        )
    if view.research.milestone is not None:
        raise InputError(
            "research.milestone: has no likelihood for no_tai, "
            f'got {view.research.milestone:g}; leave it out, or set evidence.use = "none"'
        )


@dataclass(frozen=True)
class _Pace:
    """What the pace of research at each date of a fine grid depends on; arrays (time, draw)."""

    x: Mapping[str, Any]
    trend: Trend
    research: Research
    since: float
    balanced: bool
    dates: Any
    paths: tuple[Any, Any, Any]  # training, people, experiments
    rate: Any
    full: Any

    def effort(self, i: int, u: Any) -> Any:
        """OOM of research at a date, ``u`` OOM of effective compute after the start."""
        x, own, (_, people, experiments) = self.x, self.research, self.paths
        u = np.maximum(u, 0.0)  # what is automated stays so, should compute fall
        left = share_left(x, u, self.full, own.ceiling)
        labour = people[i] - own.labour_gain * np.log10(left)
        returns = 10.0 ** x["research_returns"]
        found = throughput(
            returns * own.serial * labour,
            returns * experiments[i],
            x["research_labour_share"],
            own.substitution,
        )
        if self.full is None or own.taste_growth == 0.0:
            return found
        skill = own.taste_at_coder + own.taste_growth / self.rate * (u - self.full)
        return found + taste(skill, own)

    def gained(self, i: int, years: Any) -> Any:
        """OOM of effective compute since the start, after so many years of research."""
        software = self.trend.algorithms(self.x, self.dates[i], ahead=years - self.dates[i])
        return self.paths[0][i] + software - self.trend.algorithms(self.x, self.since)

    def speed(self, i: int, years: Any, first: Any) -> Any:
        """Years of research in a year; ``first`` is the effort at the start."""
        growth = np.maximum(self.x["algorithmic_growth"], 0.0)
        software = growth * (years - (self.dates[i] if self.balanced else self.since))
        harder = self.x["research_difficulty"] * software
        power = self.effort(i, self.gained(i, years)) - first - harder
        power = np.where(growth > 0.0, power, 0.0)  # where algorithms get worse, no faster
        return 10.0 ** np.minimum(power, np.log10(self.research.speed_limit))


def integrate(
    x: Mapping[str, Any],
    coder: Any,
    trend: Trend,
    evidence: Evidence,
    view: View,
    step: float = STEP,
) -> Paths:
    """Research from the start to the horizon, by Runge-Kutta of order four.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    coder : ndarray, shape (draw,)
        Date at which the time horizon's own trend reaches a superhuman coder.
    step : float
        Years of a step; it divides a year.
    """
    inputs, since = Inputs.of(trend, evidence, view), start(trend, view)
    dates = time_grid(since, view.arrival.horizon, step)
    fine = np.sort(np.concatenate([dates, 0.5 * (dates[1:] + dates[:-1])]))
    rate = np.maximum(inputs.rate(x), LEAST_RATE)
    full = None
    if view.research.feedback == "time_horizon":
        full = np.maximum((coder - since) * rate, LEAST_DISTANCE)
    given = (inputs.balanced, fine, inputs.at(x, fine), rate, full)
    pace = _Pace(x, trend, view.research, since, *given)
    first = pace.effort(0, np.zeros(len(rate)))
    # time comes first here, so that a step reads and writes adjacent numbers
    years = np.empty((len(dates), len(rate)))
    years[0] = since
    for j, h in enumerate(np.diff(dates)):
        y, i = years[j], 2 * j
        k1 = pace.speed(i, y, first)
        k2 = pace.speed(i + 1, y + 0.5 * h * k1, first)
        k3 = pace.speed(i + 1, y + 0.5 * h * k2, first)
        k4 = pace.speed(i + 2, y + h * k3, first)
        years[j + 1] = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    gained = np.stack([pace.gained(2 * j, row) for j, row in enumerate(years)], axis=-1)
    expected = rate[:, None] * (dates - since)
    if inputs.balanced:
        flat = [pace.gained(2 * j, np.full(len(rate), date)) for j, date in enumerate(dates)]
        expected = np.stack(flat, axis=-1)
    milestone = None
    if view.research.milestone is not None:
        milestone = automated_at(x, view.research.milestone, full, view.research.ceiling)
    return Paths(dates, years.T.copy(), gained, rate, expected, full, milestone)


@dataclass(frozen=True)
class Inputs:
    """Training compute, people and compute of experiments, OOM over those of the start.

    Attributes
    ----------
    balanced : bool
        Whether people and experiments hold the trend, and so do not appear.
    """

    balanced: bool
    trend: Trend
    since: float
    rows: Any

    @classmethod
    def of(cls, trend: Trend, evidence: Evidence, view: View) -> "Inputs":
        """Inputs that a view asks for: its trends, or rows of the table ``research_inputs``."""
        name = view.research.inputs
        rows = None if name == "balanced" else select(evidence["research_inputs"], forecast=name)
        return cls(name == "balanced", trend, start(trend, view), rows)

    def at(self, x: Mapping[str, Any], t: Any) -> tuple[Any, Any, Any]:
        """The three at dates, each of shape (time, draw) or (time, 1)."""
        if self.balanced:
            physical = [self.trend.physical(x, date) for date in t]
            none = np.zeros((len(t), 1))
            return np.stack(physical) - self.trend.physical(x, self.since), none, none
        training, people, experiments = (
            self._path(name, t)[:, None] for name in ("training", "people", "experiments")
        )
        return training, people, experiments

    def rate(self, x: Mapping[str, Any]) -> Any:
        """OOM a year by which effective compute grew in the year before the start, (draw,)."""
        before, then = self.at(x, np.asarray([self.since - 1.0, self.since]))[0]
        software = [self.trend.algorithms(x, self.since - back) for back in (0.0, 1.0)]
        return then - before + software[0] - software[1]

    def _path(self, name: str, t: Any) -> Any:
        """A column over dates, log-linear between rows, less its value at the start."""
        year, value = self.rows["year"].values, self.rows[name].values
        return np.interp(t, year, value) - np.interp(self.since, year, value)
