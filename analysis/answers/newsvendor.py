"""How many human-hours of alignment data to buy, and what it is worth to know the need first.

Whoever buys ``h`` hours pays for them, and loses ``price`` for every hour that alignment turns out
to need beyond ``h``, up to a stated limit. This is the newsvendor's problem with limited
liability::

    loss(h) = cost h + min(price max(0, need - h), limit),    cost = wage x overhead

A shortfall cannot lose more than everything, and without a limit a few draws in thousands would
decide every mean. The limit is the elicited quantity ``loss_limit``: the most that a shortfall can
cost. No model depends on it, so no sampler draws it. It is drawn given the scores of a run, by the
copula of the view, up to eight times for each draw, in equal parts of its distribution::

    z_limit | z ~ Normal(b z, s^2),    b = R_lz R_zz^-1,    s^2 = 1 - b R_zl

The expected loss is piecewise linear in ``h``. A draw takes ``price`` off the slope between
``need - limit / price`` and ``need``, so that the best ``h`` is zero or one of the needs, and is
found exactly by sorting. Where no limit is ever reached it is the quantile ``1 - E[cost] / price``
of the need [1]_. By default the price is five times the cost, which then covers four cases in five.
Whoever knows the need buys it, or nothing::

    known = min(cost need, price need, limit)
    EVPI  = min_h E[loss(h)] - E[known]

Draws in which nothing arrives have no need and are left out.

Its error is the jackknife's over batches of each chain [2]_: without each of ``B`` batches in turn
the mean cost, the price, the best ``h`` and the rest are worked out anew as ``theta_b``, and the
variance is ``(B - 1) / B sum (theta_b - mean theta)^2``.

References
----------
.. [1] Arrow, Harris, Marschak, "Optimal inventory policy", 1951. doi:10.2307/1906813
.. [2] Efron, Stein, "The jackknife estimate of variance", 1981. doi:10.1214/aos/1176345462
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri

from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.summaries.summary import draws_of
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.ai_labour import cost_per_hour
from aligntax.models.priors.copula import conditional_normal
from aligntax.models.priors.quantities import LOSS_LIMIT
from aligntax.models.views import View

# The default price makes it best to cover the need with this probability, which is also the default
# of `aligntax budget`.
CONFIDENCE = 0.8
# In all chains together: their number gives the error to 1 / sqrt(2 B), 9%, and each is much longer
# than a chain's autocorrelation.
BATCHES = 64
# Limits of each draw, one in each part of their distribution: of 880 draws EVPI has an error of 35%
# with one, and 14% with eight. Beyond 4,000 draws they need fewer.
STRATA = 8
LIMITS = 32_000  # of all draws
AMOUNTS = ("alignment_hours_needed", "usd_per_hour", "labour_overhead")
TOLD = {"q05": 0.05, "q50": 0.5, "q95": 0.95}  # of the limit


@dataclass(frozen=True)
class LossLimit:
    """The most that a shortfall can cost.

    Attributes
    ----------
    score, usd : ndarray, shape (chain, draw, stratum)
        Standard normal before the evidence is seen, and USD. Strata are in a random order, so that
        the first is a draw like any other.
    """

    score: Any
    usd: Any

    @classmethod
    def of(cls, view: View, names: Sequence[str], posterior: xr.Dataset, root: int) -> "LossLimit":
        """Draw it given the scores ``z`` of a run; the same run has the same draws.

        Parameters
        ----------
        view : View
        names : sequence of str
            Quantities of the run's model, in the order of the scores.
        posterior : xarray.Dataset
            With ``z`` (chain, draw, quantity).
        root : int
            Seed of the run.
        """
        names = view.in_use(names)
        tables = view.stated((*names, LOSS_LIMIT))
        known = np.arange(len(names) + 1) < len(names)
        slope, factor = conditional_normal(tables.correlation, known)
        used = np.flatnonzero(slope[0])
        z = posterior["z"].transpose("chain", "draw", "quantity")
        given = z[..., used].values.astype(float) @ slope[0, used]
        rng = child_generator(root, "loss_limit")
        strata = int(np.clip(LIMITS // given.size, 1, STRATA))
        stratum = rng.permuted(np.broadcast_to(np.arange(strata), (*given.shape, strata)), axis=-1)
        own = ndtri((stratum + rng.uniform(size=stratum.shape)) / strata)
        score = given[..., None] + factor[0, 0] * own
        return cls(score, 10.0 ** tables.table(LOSS_LIMIT).value(score))


@dataclass(frozen=True)
class Estimate:
    """A value in USD and its Monte Carlo standard error."""

    usd: float
    error: float


@dataclass(frozen=True)
class Decision:
    """How many hours to buy.

    Attributes
    ----------
    need, cost : ndarray, shape (chain, draw)
        Hours needed, and USD per hour; finite wherever a draw counts.
    limit : ndarray, shape (chain, draw, stratum)
        USD; strata are equally probable.
    weights : Weights
        Zero where nothing arrives.
    stated_price : float, optional
        USD per missing hour; the default covers the need with probability ``confidence`` where no
        limit is reached.
    """

    need: Any
    cost: Any
    limit: Any
    weights: Weights
    stated_price: float | None = None
    confidence: float = CONFIDENCE

    @classmethod
    def of(
        cls,
        derived: Mapping[str, Any],
        weights: Weights,
        limit: Any,
        price: float | None = None,
        confidence: float = CONFIDENCE,
    ) -> "Decision":
        """From derived quantities (chain, draw) on their own scales, log10 hours and log10 USD."""
        hours = derived["alignment_hours_needed"]
        defined = np.isfinite(hours)
        cost = 10.0 ** cost_per_hour(derived)
        need = np.where(defined, 10.0 ** np.where(defined, hours, 0.0), 0.0)
        return cls(need, cost, limit, weights.given(defined), price, confidence)

    @property
    def mean_cost(self) -> float:
        """USD per hour."""
        return self.weights.mean(self.cost)

    @property
    def price(self) -> float:
        """USD per missing hour."""
        if self.stated_price is not None:
            return self.stated_price
        return self.mean_cost / (1.0 - self.confidence)

    def told_limit(self) -> dict[str, float]:
        """5%, 50% and 95% point of the limit, in USD."""
        usd = self.limit.ravel()
        w = np.broadcast_to(self.weights.values[..., None], self.limit.shape).ravel()
        points = np.quantile(usd, list(TOLD.values()), weights=w, method="inverted_cdf")
        return {name: float(value) for name, value in zip(TOLD, points, strict=True)}

    def with_limit(self, factor: float) -> "Decision":
        """Return the same decision with a limit so many times as high."""
        return replace(self, limit=factor * self.limit)

    def spaced(self, every: int) -> "Decision":
        """Return the decision on every so many draws of each chain, each with one limit."""
        part = self.weights.values[:, ::every]
        return replace(
            self,
            need=self.need[:, ::every],
            cost=self.cost[:, ::every],
            limit=self.limit[:, ::every, :1],
            weights=Weights(part / part.sum()),
        )

    def shortfall(self, hours: Any) -> Any:
        """USD that each draw loses by having bought so many hours, shape (chain, draw)."""
        return self._limited(self.price * np.maximum(self.need - hours, 0.0))

    def expected_loss(self, hours: Any) -> Any:
        """Expected loss in USD of several amounts of hours."""
        return np.asarray(
            [self.mean_cost * h + self.weights.mean(self.shortfall(h)) for h in np.ravel(hours)]
        )

    def best(self) -> tuple[float, float]:
        """Hours with the least expected loss, and that loss in USD."""
        w, need = self.weights.values.ravel(), self.need.ravel()
        price = self.price
        # A draw lowers the slope by its share of the price from here on, up to its need.
        start = np.maximum(self.need[..., None] - self.limit / price, 0.0).ravel()
        strata = self.limit.shape[-1]
        at = np.concatenate([[0.0], start, need])
        change = np.concatenate(
            [[self.mean_cost], -price / strata * np.repeat(w, strata), price * w]
        )
        order = np.argsort(at)
        at, slope = at[order], np.cumsum(change[order])
        rise = np.concatenate([[0.0], np.cumsum(slope[:-1] * np.diff(at))])
        least = int(np.argmin(rise))
        return float(at[least]), float(self.weights.mean(self.shortfall(0.0)) + rise[least])

    def known_loss(self) -> Any:
        """USD that whoever knows everything loses, shape (chain, draw)."""
        return self._limited(np.minimum(self.cost, self.price) * self.need)

    def _limited(self, usd: Any) -> Any:
        """Return the mean of losses of each draw that do not exceed the limit."""
        return np.minimum(usd[..., None], self.limit).mean(axis=-1)

    def evpi(self) -> float:
        """Return the expected value of perfect information, in USD."""
        return self.best()[1] - self.weights.mean(self.known_loss())

    def estimated_evpi(self) -> Estimate:
        """EVPI with its error."""
        return Estimate(self.evpi(), float(jackknife_error(self, Decision.evpi)))


def hours_to_buy(derived: xr.Dataset, weights: Weights, limit: LossLimit) -> Decision | None:
    """Decision of a run, or None if its model has no hours, or hours that do not vary."""
    if any(name not in derived for name in AMOUNTS):
        return None
    amounts = {name: draws_of(name, derived) for name in AMOUNTS}
    hours = amounts["alignment_hours_needed"]
    known = hours[(weights.values > 0) & np.isfinite(hours)]
    return Decision.of(amounts, weights, limit.usd) if np.unique(known).size > 1 else None


def jackknife_error(
    decision: Decision, value: Callable[[Decision], Any], batches: int = BATCHES
) -> Any:
    """Standard error of values by leaving out each batch of draws; infinite from a single batch.

    Parameters
    ----------
    value : callable
        The whole calculation, from the decision without a batch: a number, or an array.
    batches : int
        In all chains together.
    """
    weights = decision.weights
    chains, draws = weights.values.shape
    each = int(np.clip(batches // chains, 1, draws))
    place = np.arange(chains)[:, None] * each + np.arange(draws) * each // draws
    shares = np.bincount(place.ravel(), weights.values.ravel())
    counted = np.flatnonzero(shares)
    if len(counted) < 2:
        return np.full(np.shape(value(decision)), np.inf)
    left = [value(replace(decision, weights=weights.given(place != b))) for b in counted]
    return np.sqrt((len(left) - 1) * np.var(left, axis=0))
