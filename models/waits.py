"""How long does the model that has arrived wait for alignment, and for what?

It waits until the tax on it is tolerated and its hours can have been worked, while budgets, prices,
label efficiency and the workforce go on. With ``C`` the largest run's log10 FLOP::

    the tax is tolerated   10^labour_tax(t) + 10^compute_tax(t) <= 10^tolerance_at_arrival
    the hours are worked   worked(t) >= those of needed(t) that people work
    available = max(workforce_hours, bought(C(2025), 2025))
    worked(t) = integral of 10^(available + workforce_growth (u - 2025)) du
                over u from work_starts to t
    delay     = max(wait for the tax, wait for the work), split between them by Shapley values

Who buys human data for whatever purpose could buy alignment's, so what a developer can buy is at
least what it buys (:mod:`aligntax.models.practice`). Dates are decimal years, waits years, taxes
log10 shares of development cost, hours log10 human-hours, and ``workforce_available`` is log10
human-hours a year.

Some waits do not end before the horizon. Whether they do is a probability of its own, and a delay
is told among those that end: a median over "nothing or for ever" says neither.

At arrival nothing, compute, labour or the workforce stands in the way. Compute does where its tax
alone is not tolerated; labour where compute's is, and both are not; and the workforce where the tax
is tolerated, but the hours cannot have been worked.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.models.ai_labour import human_hours
from aligntax.models.arrival import first_crossing, time_grid
from aligntax.models.evidence import Evidence
from aligntax.models.practice import bought
from aligntax.models.taxes import log_sum, taxes
from aligntax.models.trend import Trend
from aligntax.models.views import View

QUANTITIES = ("workforce_hours", "workforce_growth")

WORKFORCE_YEAR = 2025.0  # at which `workforce_hours` is quoted
WAIT_STEP = 0.5  # years between the dates at which a wait is evaluated; straight in between


def workforce(x: Mapping[str, Any], trend: Trend, evidence: Evidence) -> Any:
    """Human-hours (log10) a year that a developer can buy in 2025."""
    buys = bought(x, trend.physical(x, WORKFORCE_YEAR), WORKFORCE_YEAR, evidence)
    return np.maximum(x["workforce_hours"], buys)


def worked_hours(level: Any, growth: Any, t: Any, work_starts: float) -> Any:
    """Hours (log10) that a workforce can have worked from ``work_starts`` to ``t``.

    Minus infinity before ``work_starts``.

    Parameters
    ----------
    level : ndarray
        Human-hours (log10) a year in 2025; see :func:`workforce`.
    growth : ndarray
        Of the workforce, OOM a year.
    """
    years = np.maximum(t - work_starts, 0.0)
    rate = growth * np.log(10)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(np.abs(rate * years) < 1e-9, years, np.expm1(rate * years) / rate)
        return level + growth * (work_starts - WORKFORCE_YEAR) + np.log10(effective)


def obstacles(
    needed: Any, labour: Any, compute: Any, tolerance: Any, worked: Any
) -> dict[str, Any]:
    """What stands in the way of aligning a model at a date.

    Parameters
    ----------
    needed, worked : ndarray, shape (draw,)
        Hours that people must work, and hours that can have been worked, log10.
    labour, compute, tolerance : ndarray, shape (draw,)
        Taxes and the tolerance of its developer, log10 shares of development cost.

    Returns
    -------
    dict of ndarray, shape (draw,)
        ``prob_affordable``, ``compute_not_tolerated``, ``labour_not_tolerated`` and
        ``workforce_too_small``: 1 or 0, NaN where nothing is needed because nothing arrives. One
        of the first three is 1, and the last only where the first is.
    """
    tolerated = log_sum(labour, compute) <= tolerance
    found = {
        "prob_affordable": tolerated,
        "compute_not_tolerated": compute > tolerance,
        "labour_not_tolerated": ~tolerated & ~(compute > tolerance),
        "workforce_too_small": tolerated & ~(worked >= needed),
    }
    return {
        name: np.where(np.isnan(needed), np.nan, holds.astype(float))
        for name, holds in found.items()
    }


def waits(
    x: Mapping[str, Any], arrival: Any, trend: Trend, evidence: Evidence, view: View
) -> tuple[Any, Any]:
    """Years after arrival until the tax is tolerable, and until the hours can have been worked.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        With ``tolerance_at_arrival``.

    Returns
    -------
    tax, work : ndarray, shape (draw,)
        NaN where the wait does not end before the horizon.
    """
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    horizon, met = view.arrival.horizon, np.isfinite(arrival)
    years = (
        time_grid(0.0, horizon - arrival[met].min() + WAIT_STEP, WAIT_STEP)
        if met.any()
        else np.array([0.0, WAIT_STEP])
    )
    t = arrival[:, None] + years
    needed, labour, compute = taxes(column, trend.physical(x, arrival)[:, None], t, trend, evidence)
    level = workforce(column, trend, evidence)
    worked = worked_hours(level, column["workforce_growth"], t, view.alignment.work_starts)
    margins = (
        column["tolerance_at_arrival"] - log_sum(labour, compute),
        worked - human_hours(column, needed),
    )
    crossings = [
        first_crossing(np.where(np.isnan(margin), -np.inf, margin), years) for margin in margins
    ]
    tax, work = (np.where(arrival + wait <= horizon, wait, np.nan) for wait in crossings)
    return tax, work


def shapley(tax: Any, work: Any) -> tuple[Any, Any, Any]:
    """Delay, and the Shapley value of each wait in it; infinity means never.

    A Shapley value is a wait's mean gain over the orders in which the two are lifted. For the
    maximum of two numbers the smaller gets half of itself and the larger the rest.

    Returns
    -------
    delay, of_tax, of_work : ndarray
    """
    tax, work = (np.where(np.isnan(wait), np.inf, wait) for wait in (tax, work))
    smaller, larger = np.minimum(tax, work), np.maximum(tax, work)
    with np.errstate(invalid="ignore"):
        rest = larger - 0.5 * smaller
    both_never = np.isinf(smaller)
    rest = np.where(both_never, np.inf, rest)
    return (
        larger,
        np.where(tax >= work, rest, 0.5 * smaller),
        np.where(tax >= work, 0.5 * smaller, rest),
    )
