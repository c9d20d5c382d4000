"""How far would evidence that nobody has seen yet narrow an answer, and what is it worth?

Evidence ``y_j`` is simulated under a draw ``j`` of the posterior, and every draw ``i`` then counts
by its density, ``w_ij ~ p(y_j | theta_i)`` [1]_. With ``d(w)`` the width of an interval of a
quantity under weights ``w``, and ``now`` the weights before::

    contraction = 1 - E_j d(w_j) / d(now)
    EVSI        = E_j [ L(a_now, w_j) - min_a L(a, w_j) ],    L(a, w) = sum_i w_i loss_i(a)

``a_now`` is the best action now. So the second line is what it loses, once the evidence is in,
against the action that is best then. A minimum over noisy means is too low, and evidence that bears
on nothing would seem to be worth something. Where actions are chosen on all draws but a part and
judged on that part, in turn, the minimum is too high by as much. So the mean of the two is taken.
Actions are a grid of hours, and their loss is that of :mod:`aligntax.analysis.answers.newsvendor`.

Two errors add up: of the simulations, ``sd / sqrt(J)``, and of the draws, which all simulations
share. The second is the jackknife's over parts of the draws.

References
----------
.. [1] Heath, Manolopoulou, Baio, "A review of methods for analysis of the expected value of
       information", 2017. doi:10.1177/0272989X17697692
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.answers.newsvendor import Decision
from aligntax.analysis.summaries.checks import ESS
from aligntax.analysis.summaries.pareto import k_hat_limit, pareto_smoothed
from aligntax.analysis.summaries.weights import Weights

ENDS = (0.05, 0.95)  # of an interval
MIDDLE = (0.25, 0.75)  # of one whose outer ends lie in censored mass
PARTS = 16  # of the draws, in order: each is left out, and judged by the others
ACTIONS = 120  # amounts of hours that are compared, at equal steps of the need's distribution
NOISE = 2.0  # standard errors below which nothing is stated
CONSTANT = 1e-9  # log densities that differ by less are rounding


@dataclass(frozen=True)
class Expected:
    """A mean over simulations and its Monte Carlo standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, values: Any, without: Any = ()) -> "Expected":
        """Mean of one number per simulation.

        Parameters
        ----------
        values : ndarray, shape (simulation,)
        without : array_like, shape (part,)
            The mean without each part of the draws, where simulations share them.
        """
        values, without = np.asarray(values, dtype=float), np.asarray(without, dtype=float)
        error = values.var(ddof=1) / len(values) if len(values) > 1 else 0.0
        if without.size:
            error += (without.size - 1) * without.var()
        return cls(float(values.mean()), float(np.sqrt(error)))

    @property
    def clear(self) -> bool:
        """Whether it stands out of its own noise."""
        return abs(self.value) > NOISE * self.error


@dataclass(frozen=True)
class Updated:
    """Draws given each simulated data set.

    Attributes
    ----------
    weights : ndarray, shape (simulation, draw)
        Each row sums to 1.
    trusted : ndarray of bool, shape (simulation,)
    """

    weights: Any
    trusted: Any


def updated(log_density: Any, base: Weights, relative: float) -> Updated:
    """Weigh draws by the density of each simulated data set.

    Weights are trusted by the rules of a refit: k-hat and the effective sample size.

    Parameters
    ----------
    log_density : ndarray, shape (simulation, draw)
        Draws of all chains one after another.
    base : Weights
        What each draw counts before.
    relative : float
        Effective draws per draw.
    """
    rows, trusted = [], []
    with np.errstate(divide="ignore"):
        log_base = np.log(base.values)
    for each in log_density:
        if np.ptp(each) < CONSTANT:
            rows.append(base.values.ravel())
            trusted.append(True)
            continue
        ratio = log_base + each.reshape(base.values.shape)
        weights, k_hat = pareto_smoothed(ratio, relative)
        if not np.isfinite(k_hat):
            weights = Weights.of_log(ratio)
        rows.append(weights.values.ravel())
        trusted.append(k_hat <= k_hat_limit(each.size) and weights.ess * relative >= ESS)
    return Updated(np.asarray(rows), np.asarray(trusted, dtype=bool))


def parts_of(draws: int) -> Any:
    """Part of each draw, (draw,), of :data:`PARTS` that follow one another."""
    return np.arange(draws) * PARTS // draws


def widths(values: Any, weights: Any, ends: tuple[float, float] = ENDS) -> Any:
    """Width of the interval of a quantity under each row of weights, (simulation,).

    It is infinite or NaN where an end lies in censored mass. Undefined draws are left out.

    Parameters
    ----------
    values : ndarray, shape (draw,)
    weights : ndarray, shape (simulation, draw)
    """
    order = np.argsort(values, kind="stable")
    order = order[~np.isnan(values[order])]
    ordered, w = values[order], weights[:, order]
    places = np.cumsum(w, axis=1) - 0.5 * (w + w[:, :1])  # as reported quantiles have it
    # the number in order at which each end stands, and how far it is on the way to the next
    steps = np.arange(len(ordered))
    at = np.asarray([np.interp(ends, place / place[-1], steps) for place in places])
    low = np.floor(at).astype(int)
    share, high = at - low, np.minimum(low + 1, len(ordered) - 1)
    with np.errstate(invalid="ignore"):
        between = ordered[low] + np.where(share > 0, share * (ordered[high] - ordered[low]), 0.0)
        return between[:, 1] - between[:, 0]


@dataclass(frozen=True)
class Narrowed:
    """What further evidence is expected to do to the interval of a quantity.

    Attributes
    ----------
    now : float
        Width, on the quantity's own scale.
    width : Expected
        Width given the evidence.
    contraction : Expected
        Share by which it is shorter.
    """

    now: float
    width: Expected
    contraction: Expected

    @classmethod
    def of(cls, now: float, then: Any, without: Any = ()) -> "Narrowed":
        """From the width now and given each data set; ``without`` as in :meth:`Expected.of`."""
        shorter = Expected.of(1.0 - np.asarray(then) / now, without)
        width = Expected(now * (1.0 - shorter.value), now * shorter.error)
        return cls(now, width, shorter)


def narrowed(values: Any, now: Any, then: Any, ends: tuple[float, float] = ENDS) -> Narrowed | None:
    """Work out the contraction of a quantity; None where an interval ends in censored mass.

    A value that the error of the simulations alone exceeds keeps that error: it is noise by either.

    Parameters
    ----------
    values : ndarray, shape (draw,)
        Infinite where censored, NaN where undefined.
    now : ndarray, shape (draw,)
    then : ndarray, shape (simulation, draw)
    """
    before, after = widths(values, now[None], ends)[0], widths(values, then, ends)
    if not np.isfinite(after).all():
        return None
    found = Narrowed.of(float(before), after)
    if len(then) > 1 and not found.contraction.clear:
        return found
    both, part = np.vstack([now, then]), parts_of(len(values))
    kept = [widths(values[part != k], both[:, part != k], ends) for k in range(PARTS)]
    if not np.isfinite(kept).all():
        return None
    return Narrowed.of(float(before), after, [1.0 - w[1:].mean() / w[0] for w in kept])


def narrowed_by_refits(now: float, before: Any, then: Any) -> Narrowed | None:
    """The same from the widths (simulation,) that refits without and with new rows have.

    Refits have fewer draws than the run, and what that does to a width cancels.

    Parameters
    ----------
    now : float
        Width by the run's own draws.
    """
    if not np.isfinite([*before, *then]).all():
        return None
    shorter = gained(1.0 - np.asarray(then) / np.mean(before), 1.0 - before / np.mean(before))
    return Narrowed(now, Expected(now * (1.0 - shorter.value), now * shorter.error), shorter)


def gained(then: Any, before: Any) -> Expected:
    """Mean of one number per refit with new rows, over that of refits without."""
    after, base = Expected.of(then), Expected.of(before)
    return Expected(after.value - base.value, float(np.hypot(after.error, base.error)))


def hours_compared(decision: Decision) -> Any:
    """Amounts of hours to choose from, (action,): none, and quantiles of the need."""
    counted = decision.weights.values.ravel() > 0
    w = decision.weights.values.ravel()[counted]
    shares = (np.arange(ACTIONS) + 0.5) / ACTIONS
    need = decision.need.ravel()[counted]
    points = np.quantile(need, shares, weights=w, method="inverted_cdf")
    return np.unique(np.concatenate([[0.0], points]))


def losses(decision: Decision, hours: Any) -> Any:
    """USD that each draw loses by each amount of hours, (draw, action); 0 where nothing arrives."""
    arrives = (decision.weights.values > 0).ravel()
    cost = decision.cost.ravel()
    columns = [arrives * (cost * h + decision.shortfall(h).ravel()) for h in hours]
    return np.stack(columns, axis=-1)


def sample_value(loss: Any, now: Any, then: Any) -> Expected:
    """Expected value of sample information.

    Parameters
    ----------
    loss : ndarray, shape (draw, action)
    now : ndarray, shape (draw,)
    then : ndarray, shape (simulation, draw)
    """
    part, both = parts_of(len(loss)), np.vstack([now, then])
    sums = np.stack([both[:, part == k] @ loss[part == k] for k in range(PARTS)])
    shares = np.stack([both[:, part == k].sum(axis=1) for k in range(PARTS)])
    without = [
        np.mean(_values(np.delete(sums, k, axis=0)) / (1.0 - shares[k, 1:])) for k in range(PARTS)
    ]
    return Expected.of(_values(sums), without)


def _values(sums: Any) -> Any:
    """Value of each simulated data set, from mean losses (part, 1 + simulation, action).

    What is now comes first.
    """
    whole = sums.sum(axis=0)
    judged = sum(_saved(whole - each, each) for each in sums)
    return 0.5 * (_saved(whole, whole) + judged)


def _saved(chosen_by: Any, judged_by: Any) -> Any:
    """Loss of the best action now less that of the best then, (simulation,)."""
    best, then = np.argmin(chosen_by, axis=1), judged_by[1:]
    return then[:, best[0]] - then[np.arange(len(then)), best[1:]]


def refitted_value(loss: Any, before: int) -> float:
    """Value of one data set, of the losses (draw, action) of draws given it.

    Parameters
    ----------
    before : int
        The best action now.
    """
    part = parts_of(len(loss))
    sums = np.stack([loss[part == k].sum(axis=0) for k in range(PARTS)]) / len(loss)
    whole = sums.sum(axis=0)
    judged = sum(each[int(np.argmin(whole - each))] for each in sums)
    return float(whole[before] - 0.5 * (whole.min() + judged))
