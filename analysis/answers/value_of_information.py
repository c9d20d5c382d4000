"""What is it worth to know a quantity before buying human-hours of alignment data?

The decision, its price and its limit are those of :mod:`aligntax.analysis.answers.newsvendor`. With
the best ``h`` for each state of knowledge::

    EVPI     = min_h E[loss(h)] - E[min_h loss(h)]                     of knowing everything
    EVPPI_q  = min_h E[loss(h)] - E[ min_h E[loss(h) | z_q] ]          of knowing one quantity

``E[loss(h) | z_q]`` is a regression on splines of ``z_q``, for each ``h`` of a grid [1]_. Losses
span orders of magnitude, so the grid is relative to ``g(z_q)``, the geometric mean of the need
given ``z_q``. What is regressed is ``loss(d g) / g`` for each factor ``d``, with the same minimum
and errors of one size. Decisions are fitted to all chains but one and judged on that one, in turn,
because a minimum over noisy fits is too low. A quantity that says nothing is therefore worth zero,
less a little because noise misleads. No quantity is worth more than EVPI, where it is cut.

Several quantities that are known together are first made one, ``E[log need | z]`` by a sum of
splines, each chain's from the others. What they say beyond that is missed, so that their value is a
lower bound.

Regressions take one limit for each draw. Errors are jackknifed. To leave out batches costs as many
fits. So a value below twice the error of its mean, with decisions held, keeps that error: it is
noise by either.

References
----------
.. [1] Strong, Oakley, Brennan, "Estimating multiparameter partial expected value of perfect
       information from a probabilistic sensitivity analysis sample: a nonparametric regression
       approach", 2014. doi:10.1177/0272989X13505910
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aligntax.analysis.answers.newsvendor import Decision, Estimate, jackknife_error
from aligntax.analysis.summaries.regression import splines

FUNCTIONS = 3  # of a regression on one quantity: a wiggle would fit the long tails of losses
GRID = 40  # amounts of hours that are compared, evenly in log10
OUTER = 0.005  # probability of a need below the grid, and above it
FOLDS = 4  # parts of a single chain, which are judged as chains are
FEWER_BATCHES = 20  # left out of a regression: its error to 16%


def values_of_information(
    decision: Decision, z: Mapping[str, Any], every: int = 1
) -> dict[str, Any]:
    """Best decision, value of knowing everything, and value of knowing each of several quantities.

    Parameters
    ----------
    decision : Decision
    z : mapping of ndarray, shape (chain, draw / every)
        Scores of each quantity.
    every : int
        Single quantities are judged on every so many draws.

    Returns
    -------
    dict
        ``hours``, ``loss`` (expected, USD), ``evpi`` and ``evpi_at_twice_the_limit`` (Estimate) and
        ``evppi`` (name -> Estimate).
    """
    hours, loss = decision.best()
    part = decision.spaced(every)
    return {
        "hours": hours,
        "loss": loss,
        "evpi": decision.estimated_evpi(),
        "evpi_at_twice_the_limit": decision.with_limit(2.0).estimated_evpi(),
        "evppi": _values_of_single(part, z),
    }


def value_together(decision: Decision, z: Sequence[Any]) -> Estimate:
    """Value of knowing several quantities at once, where a draw has one limit.

    Parameters
    ----------
    z : sequence of ndarray, shape (chain, draw)
        Scores of each.
    """
    return _values_of_single(decision, {"": _expected_need(decision, z)})[""]


def _expected_need(decision: Decision, z: Sequence[Any]) -> Any:
    """Expected log10 of the need given several quantities, (chain, draw)."""
    shape, w = decision.need.shape, decision.weights.values.ravel()
    basis = [splines(each.ravel(), w, FUNCTIONS) for each in z]
    columns = np.column_stack([np.ones(len(w)), *basis])
    need = np.log10(np.where(w > 0, decision.need.ravel(), 1.0))
    fold, found = _folds(shape).ravel(), np.zeros(len(w))
    for k in np.unique(fold):
        train = np.sqrt(np.where(fold == k, 0.0, w))
        solved = np.linalg.lstsq(train[:, None] * columns, train * need)[0]
        found[fold == k] = columns[fold == k] @ solved
    return found.reshape(shape)


def _values_of_single(decision: Decision, z: Mapping[str, Any]) -> dict[str, Estimate]:
    """Value of knowing each of several quantities, where a draw has one limit."""
    blind, most = _judged_loss(decision), decision.evpi()
    found = {}
    for name, scores in z.items():
        saved = blind - _judged_loss(decision, scores)
        usd = min(decision.weights.mean(saved), most)
        found[name] = Estimate(usd, decision.weights.mcse(saved))
    clear = [name for name, value in found.items() if value.usd > 2 * value.error]

    def values(some: Decision) -> Any:
        blind, most = _judged_loss(some), some.evpi()
        saved = [some.weights.mean(blind - _judged_loss(some, z[name])) for name in clear]
        return np.minimum(saved, most)

    errors = jackknife_error(decision, values, FEWER_BATCHES) if clear else ()
    again = {n: Estimate(found[n].usd, float(e)) for n, e in zip(clear, errors, strict=True)}
    return {**found, **again}


def _grid(amounts: Any, w: Any) -> Any:
    """Zero, and a grid that is even in logarithms over the range of the amounts."""
    low, high = np.quantile(
        np.log10(amounts), [OUTER, 1.0 - OUTER], weights=w, method="inverted_cdf"
    )
    return np.concatenate([[0.0], np.logspace(low, high, GRID)])


def _judged_loss(decision: Decision, z: Any = None) -> Any:
    """Loss of each draw under the decision that the other chains recommend at its inputs.

    Parameters
    ----------
    decision : Decision
    z : ndarray, shape (chain, draw), optional
        Scores of what is known; by default nothing is.

    Returns
    -------
    ndarray, shape (chain, draw)
    """
    shape, w = decision.need.shape, decision.weights.values.ravel()
    basis = np.zeros((len(w), 0)) if z is None else splines(z.ravel(), w, FUNCTIONS)
    counted = np.flatnonzero(w)
    columns = np.column_stack([np.ones(len(counted)), basis[counted]])
    need, cost, limit, w, fold = (
        x.ravel()[counted]
        for x in (decision.need, decision.cost, decision.limit[..., 0], w, _folds(shape))
    )
    price = decision.price
    hours = np.empty(len(counted))
    for k in np.unique(fold):
        out, train = fold == k, np.where(fold == k, 0.0, w)
        weighted = train[:, None] * columns
        solve = np.linalg.pinv(columns.T @ weighted, hermitian=True) @ weighted.T
        centre = 10.0 ** (columns @ (solve @ np.log10(need)))
        factors = _grid(need / centre, w)
        missing = np.maximum((need / centre)[:, None] - factors, 0.0)
        relative = cost[:, None] * factors + np.minimum(price * missing, (limit / centre)[:, None])
        best = factors[np.argmin(columns[out] @ (solve @ relative), axis=1)]
        # More than any need is never worth buying.
        hours[out] = np.minimum(best * centre[out], need.max())
    losses = np.zeros(decision.need.size)
    losses[counted] = cost * hours + np.minimum(price * np.maximum(need - hours, 0.0), limit)
    return losses.reshape(shape)


def _folds(shape: tuple[int, int]) -> Any:
    """Fold of each draw: its chain, or its part of a single one, shape (chain, draw)."""
    chains, draws = shape
    if chains > 1:
        return np.broadcast_to(np.arange(chains)[:, None], shape)
    return (np.arange(draws) * FOLDS // draws)[None, :]
