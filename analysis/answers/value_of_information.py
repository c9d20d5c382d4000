"""What is it worth to know a quantity before buying human-hours of alignment data?

Whoever buys ``h`` hours pays for them, and pays ``price`` for every hour that alignment turns out
to need beyond ``h``. This is the newsvendor's problem::

    loss(h) = cost h + price max(0, need - h),    cost = wage x overhead

If cost and need are independent, the best ``h`` is the quantile ``1 - E[cost] / price`` of the
need. By default the price is five times the cost, which covers four cases in five. A shortfall
cannot lose more than everything: needs beyond their 95% quantile count as that quantile. At a
higher price the quantile lies as much further out. Without such a limit a few draws in thousands
would decide every mean. Draws in which nothing arrives have no need and are left out. With the best
``h`` for each state of knowledge::

    EVPI     = min_h E[loss(h)] - E[min_h loss(h)]                     of knowing everything
    EVPPI_q  = min_h E[loss(h)] - E[ min_h E[loss(h) | z_q] ]          of knowing one quantity

``E[loss(h) | z_q]`` is a regression on splines of ``z_q``, for each ``h`` of a grid [1]_. Losses
span orders of magnitude, so the grid is relative to ``g(z_q)``, the geometric mean of the need
given ``z_q``. What is regressed is ``loss(d g) / g`` for each factor ``d``, with the same minimum
and errors of one size. Decisions are fitted to all chains but one and judged on that one, in turn,
because a minimum over noisy fits is too low. A quantity that says nothing is therefore worth zero,
less a little because noise misleads. No quantity is worth more than EVPI.

References
----------
.. [1] Strong, Oakley, Brennan, "Estimating multiparameter partial expected value of perfect
       information from a probabilistic sensitivity analysis sample: a nonparametric regression
       approach", 2014. doi:10.1177/0272989X13505910
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.summaries.regression import splines
from aligntax.analysis.summaries.weights import Weights

# The default price makes it best to cover the need with this probability, which is also the default
# of `aligntax budget`.
CONFIDENCE = 0.8
# Needs beyond this quantile count as it, at the default price: a quarter of the cases that this
# price leaves uncovered.
LIMIT = 0.95
FUNCTIONS = 3  # of a regression on one quantity: a wiggle would fit the long tails of losses
GRID = 40  # amounts of hours that are compared, evenly in log10
OUTER = 0.005  # probability of a need below the grid, and above it


@dataclass(frozen=True)
class Decision:
    """How many hours to buy.

    Attributes
    ----------
    need, cost : ndarray, shape (chain, draw)
        Hours needed, and USD per hour; finite wherever a draw counts.
    price : float
        USD per missing hour.
    weights : Weights
        Zero where nothing arrives.
    """

    need: Any
    cost: Any
    price: float
    weights: Weights

    @classmethod
    def of(
        cls, derived: Mapping[str, Any], weights: Weights, price: float | None = None
    ) -> "Decision":
        """From derived quantities (chain, draw) on their own scales, log10 hours and log10 USD.

        The default ``price`` makes it best to cover the need with probability :data:`CONFIDENCE`.
        """
        hours = derived["alignment_hours_needed"]
        defined = np.isfinite(hours)
        weights = weights.given(defined)
        cost = 10.0 ** (derived["usd_per_hour"] + derived["labour_overhead"])
        default = weights.mean(cost) / (1.0 - CONFIDENCE)
        price = default if price is None else price
        # The best hours lie below this quantile at any price.
        counts = 1.0 - (1.0 - LIMIT) * min(1.0, default / price)
        limit = np.quantile(
            hours[defined], counts, weights=weights.values[defined], method="inverted_cdf"
        )
        return cls(10.0 ** np.where(defined, np.minimum(hours, limit), 0.0), cost, price, weights)


@dataclass(frozen=True)
class Estimate:
    """A value in USD and its Monte Carlo standard error."""

    usd: float
    error: float


def values_of_information(decision: Decision, z: Mapping[str, Any]) -> dict[str, Any]:
    """Best decision, value of knowing everything, and value of knowing each of several quantities.

    Parameters
    ----------
    decision : Decision
    z : mapping of ndarray, shape (chain, draw)
        Scores of each quantity.

    Returns
    -------
    dict
        ``hours``, ``loss`` (expected, USD), ``evpi`` (Estimate) and ``evppi`` (name -> Estimate).
    """
    weights, w = decision.weights, decision.weights.values.ravel()
    hours = _grid(decision.need.ravel(), w)
    short = np.maximum(decision.need.reshape(-1, 1) - hours, 0.0)
    mean = weights.mean(decision.cost) * hours + decision.price * (w @ short)
    blind = _cross_validated_loss(decision, np.zeros((len(w), 0)))
    known = np.minimum(decision.cost, decision.price) * decision.need

    def value(loss: Any) -> Estimate:
        return Estimate(weights.mean(blind - loss), weights.mcse(blind - loss))

    return {
        "hours": float(hours[np.argmin(mean)]),
        "loss": float(np.min(mean)),
        "evpi": value(known),
        "evppi": {
            name: value(_cross_validated_loss(decision, splines(x.ravel(), w, FUNCTIONS)))
            for name, x in z.items()
        },
    }


def _grid(amounts: Any, w: Any) -> Any:
    """Zero, and a grid that is even in logarithms over the range of the amounts."""
    low, high = np.quantile(
        np.log10(amounts), [OUTER, 1.0 - OUTER], weights=w, method="inverted_cdf"
    )
    return np.concatenate([[0.0], np.logspace(low, high, GRID)])


def _cross_validated_loss(decision: Decision, basis: Any) -> Any:
    """Loss of each draw under the decision that the other chains recommend at its inputs.

    Parameters
    ----------
    decision : Decision
    basis : ndarray, shape (chain * draw, function)
        Splines of what is known.

    Returns
    -------
    ndarray, shape (chain, draw)
    """
    shape, w = decision.need.shape, decision.weights.values.ravel()
    chain, counted = np.repeat(np.arange(shape[0]), shape[1]), np.flatnonzero(w)
    columns = np.column_stack([np.ones(len(counted)), basis[counted]])
    need, cost, w, chain = (
        decision.need.ravel()[counted],
        decision.cost.ravel()[counted],
        w[counted],
        chain[counted],
    )
    taken = np.empty(len(counted))
    for fold in np.unique(chain):
        out, train = chain == fold, np.where(chain == fold, 0.0, w)
        weighted = train[:, None] * columns
        solve = np.linalg.pinv(columns.T @ weighted, hermitian=True) @ weighted.T
        centre = 10.0 ** (columns @ (solve @ np.log10(need)))
        factors = _grid(need / centre, w)
        relative = cost[:, None] * factors + decision.price * np.maximum(
            (need / centre)[:, None] - factors, 0.0
        )
        best = factors[np.argmin(columns[out] @ (solve @ relative), axis=1)]
        # More than any need is never worth buying.
        hours = np.minimum(best * centre[out], need.max())
        taken[out] = cost[out] * hours + decision.price * np.maximum(need[out] - hours, 0.0)
    losses = np.zeros(decision.need.size)
    losses[counted] = taken
    return losses.reshape(shape)
