"""The answers of a run as they stand before further evidence: intervals, and a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.answers.budget import hours_decision_of
from aligntax.analysis.answers.foresight import (
    ENDS,
    MIDDLE,
    Expected,
    Narrowed,
    gained,
    hours_compared,
    losses,
    narrowed,
    narrowed_by_refits,
    refitted_value,
    sample_value,
    widths,
)
from aligntax.analysis.answers.newsvendor import Decision, Estimate, LossLimit
from aligntax.analysis.answers.value_of_information import value_together
from aligntax.analysis.fitting.reweight import relative_efficiency
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.summary import draws_of, iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError

# the same answer over a constant
REPEATED = frozenset({"rlhf_multiple_needed", "rlhf_multiple_affordable"})


@dataclass(frozen=True)
class AnswersNow:
    """Intervals of a run and its decision, which further evidence may change.

    Attributes
    ----------
    every : int
        Draws of each chain are thinned to every so many.
    relative : float
        Effective draws per draw.
    answers : mapping of str to tuple
        Draws (draw,) of each headline quantity and the ends of its interval.
    left_out : mapping of str to str
        Headline quantities without an interval, and why.
    decision : Decision or None
        How many hours to buy; None without hours.
    whole : Decision or None
        The same on all draws.
    """

    result: Result
    every: int
    weights: Weights
    relative: float
    answers: Mapping[str, tuple[Any, tuple[float, float]]]
    left_out: Mapping[str, str]
    decision: Decision | None
    whole: Decision | None

    @classmethod
    def of(cls, result: Result, most: int, quantity: Sequence[str] = ()) -> "AnswersNow":
        """Read them; chains are thinned to at most so many draws in all.

        Raises
        ------
        InputError
            If a quantity is none of the run's headline quantities.
        """
        sizes = result.draws.sizes
        total = sizes["chain"] * sizes["draw"]
        every = -(-total // most)
        part = result.weights.values[:, ::every]
        relative = min(1.0, every * relative_efficiency(read_sampled_run(result.path)))
        decision, whole = None, None
        if "alignment_hours_needed" in result.derived:
            whole = hours_decision_of(result, result.weights)
            arrive = whole.weights.values[:, ::every]
            decision = replace(
                whole,
                need=whole.need[:, ::every],
                cost=whole.cost[:, ::every],
                limit=whole.limit[:, ::every],
                weights=Weights(arrive / arrive.sum()),
                stated_price=whole.price,
            )
        weights = Weights(part / part.sum())
        answers, left = _intervals(result, weights, every, quantity)
        return cls(result, every, weights, relative, answers, left, decision, whole)

    @property
    def now(self) -> Any:
        """Weight of each draw, chains one after another."""
        return self.weights.values.ravel()

    def thinned(self, draws: Any) -> Any:
        """Every so many draws of each chain."""
        return draws.isel(draw=slice(None, None, self.every))

    def draws_of(self, name: str) -> Any:
        """Draws of a scalar quantity, (chain, draw)."""
        return draws_of(name, self.result.derived)[:, :: self.every]

    @cached_property
    def hours(self) -> Any:
        """Amounts of hours to choose from."""
        return hours_compared(self.decision) if self.decision else None

    @cached_property
    def loss(self) -> Any:
        """USD that each draw loses by each amount, given arrival, (draw, action)."""
        return _loss_given_arrival(self.decision, self.hours, self.now) if self.decision else None

    def known(self, names: Sequence[str]) -> Estimate | None:
        """Value of knowing elicited quantities and structural parameters; None without hours."""
        if self.whole is None:
            return None
        draws = self.result.draws
        elicited = set(draws["quantity"].values.tolist())
        scores = (draws["z"].sel(quantity=n) if n in elicited else draws[n] for n in names)
        return value_together(self.whole, [each.values.astype(float) for each in scores])

    def told(self, then: Any) -> tuple[dict[str, Narrowed], Expected | None]:
        """Intervals and value given weights (simulation, draw)."""
        found = {
            name: narrowed(values, self.now, then, ends)
            for name, (values, ends) in self.answers.items()
        }
        value = None if self.loss is None else sample_value(self.loss, self.now, then)
        return {name: each for name, each in found.items() if each}, value

    def refitted(
        self, draws: xr.Dataset, derived: xr.Dataset, seed: int
    ) -> tuple[dict[str, float], float]:
        """Width of each interval given one data set, and what that is worth, by its own draws."""
        equal = Weights.equal((draws.sizes["chain"], draws.sizes["draw"]))
        flat = equal.values.reshape(1, -1)
        then = {
            name: float(widths(draws_of(name, derived).ravel(), flat, ends)[0])
            for name, (_, ends) in self.answers.items()
        }
        if self.decision is None:
            return then, 0.0
        names = find_model(self.result.record["model"]).quantities
        limit = LossLimit.of(self.result.view, names, draws, seed)
        numbers = {series.name: series.values for series in iter_series(derived)}
        decision = Decision.of(numbers, equal, limit.usd, self.decision.price)
        loss = _loss_given_arrival(decision, self.hours, flat[0])
        return then, refitted_value(loss, int(np.argmin(self.now @ self.loss)))

    def told_of_refits(
        self,
        before: Sequence[tuple[dict[str, float], float]],
        then: Sequence[tuple[dict[str, float], float]],
    ) -> tuple[dict[str, Narrowed], Expected | None]:
        """Intervals and value, from :meth:`refitted` without and with each data set."""
        found = {}
        for name, (values, ends) in self.answers.items():
            now = float(widths(values, self.now[None], ends)[0])
            pairs = ([each[name] for each, _ in refits] for refits in (before, then))
            found[name] = narrowed_by_refits(now, *pairs)
        value = gained([v for _, v in then], [v for _, v in before]) if self.decision else None
        return {name: each for name, each in found.items() if each}, value


def _loss_given_arrival(decision: Decision, hours: Any, now: Any) -> Any:
    """Losses (draw, action) over the probability of arrival, without which there is none."""
    return losses(decision, hours) / now[decision.weights.values.ravel() > 0].sum()


def _intervals(
    result: Result, weights: Weights, every: int, quantity: Sequence[str]
) -> tuple[dict[str, tuple[Any, tuple[float, float]]], dict[str, str]]:
    """Headline quantities that have an interval, and why others are left out."""
    names = find_model(result.record["model"]).headlines
    scalars = [n for n in names if n in result.derived and n not in REPEATED]
    scalars = [n for n in scalars if result.derived[n].ndim == 2]
    for name in quantity:
        if name not in scalars:
            rule = "must be a single headline quantity of this run"
            raise InputError(f"quantity: {rule}, got {name!r}; choose from {', '.join(scalars)}")
    kept: dict[str, tuple[Any, tuple[float, float]]] = {}
    left = {}
    for name in quantity or scalars:
        values = draws_of(name, result.derived)[:, ::every].ravel()
        if np.unique(values[~np.isnan(values)]).size < 3:
            left[name] = "it is an event, which has no interval"
            continue
        for ends in (ENDS, MIDDLE):
            width = widths(values, weights.values.reshape(1, -1), ends)[0]
            if np.isfinite(width) and width > 0:
                kept[name] = (values, ends)
                break
        else:
            left[name] = "its interval ends in censored mass"
    return kept, left
