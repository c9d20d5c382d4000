"""Answers of several experts, each on its own and all pooled, and how far they disagree.

Pooling hides who believes what. So every expert's view is refitted on its own. For each quantity,
the share of variance that lies between experts is computed on ranks, so that "later or never"
counts::

    between = sum_e w_e (m_e - m)^2 / sum_e w_e (s_e^2 + (m_e - m)^2),    m = sum_e w_e m_e

The pooled answer is the posterior under priors that are pooled quantity by quantity. It is not an
average of the experts' answers: evidence weighs their beliefs against each other, and what one
expert believes about two quantities together is lost.

The pool is asked what moves its answers, too: each expert left out, and each quantity on which they
differ (:mod:`aligntax.analysis.sweeps.pool_changes`). The draws that answer the pool answer these
where that can be trusted. A linear pool of ``n`` equal experts is at least ``(n - 1) / n`` times
that of the others, so that weights for leaving one out are bounded. Otherwise the model is sampled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.answers.differences import Side
from aligntax.analysis.fitting.refit_plan import (
    Method,
    Reweight,
    answer_from_draws,
    plan_refit,
    plan_reweighting,
)
from aligntax.analysis.inference.compiled_model import CompiledModel, compiled_for
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.sweeps.pool_changes import (
    Asked,
    PoolChange,
    leave_experts_out,
    move_disputed,
)
from aligntax.models.errors import InputError
from aligntax.models.short_form import short_form
from aligntax.models.views import View
from aligntax.models.views.pooling import Method as Pooling
from aligntax.models.views.pooling import pool_views, shares

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Experts:
    """Answers of several experts and of their pool.

    Attributes
    ----------
    answers : tuple of Result
        One per expert, in the order of the views.
    weights : tuple of float
        Weights of the experts, which sum to 1.
    pooled : Result
        Answer under the pooled priors.
    between : dict of str to float or None
        Share of variance between experts for every number; None if it is constant or undefined.
    left_out : tuple of PoolChange
        How every headline number of the pool moves with each expert left out.
    disputes : tuple of PoolChange
        How it moves as the prior of one disputed quantity goes from one expert's to another's.
    """

    answers: tuple[Result, ...]
    weights: tuple[float, ...]
    pooled: Result
    between: dict[str, float | None]
    left_out: tuple[PoolChange, ...] = ()
    disputes: tuple[PoolChange, ...] = ()
    __repr__ = short_form

    def to_dict(self) -> dict[str, Any]:
        """Return a mapping of plain values for JSON."""
        return {
            "experts": [
                {
                    "run": a.record["run"],
                    "view": a.record["view"],
                    "weight": w,
                    "method": a.record["method"],
                }
                for a, w in zip(self.answers, self.weights, strict=True)
            ],
            "pooled": self.pooled.record["run"],
            "quantities": {
                name: {
                    "between_experts": share,
                    "medians": [
                        answer.record["quantities"][name]["q50"] for answer in self.answers
                    ],
                    "pooled": {
                        key: self.pooled.record["quantities"][name][key]
                        for key in ("q05", "q50", "q95")
                    },
                }
                for name, share in self.between.items()
            },
            "left_out": [change.to_dict() for change in self.left_out],
            "disputes": [change.to_dict() for change in self.disputes],
        }


def refit_by_expert(
    run: str | Result,
    views: Sequence[View],
    weights: Sequence[float] | None = None,
    pooling: Pooling = "linear",
    method: Method = "auto",
    *,
    out: Path | str = "results",
    name: str = "experts",
    moves: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Experts:
    """Refit a run under each expert's view and under their pool.

    Parameters
    ----------
    views : sequence of View
        Two or more, with different names.
    weights : sequence of float, optional
        Weights of the experts; equal by default.
    pooling : {"linear", "log", "quantile"}
        See :func:`aligntax.models.views.pooling.pool_views`.
    out, name : path, str
        Folder of results, and how names begin: runs are called ``NAME-VIEW`` and ``NAME-pool``.
    moves : bool
        Whether to find how the pool's answers move with each expert left out, and with each
        quantity on which experts differ. What the draws cannot answer is sampled, as a run of its
        own, except by the method ``reweight``, which leaves it untold.
    say : callable
        Takes one line about what is being done.

    Raises
    ------
    InputError
        If there are fewer than two experts, two share a name, or they cannot be pooled.
    """
    names = [view.name for view in views]
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(
            "view: experts must be two or more with different names, "
            f"got {', '.join(names)}; name them"
        )
    share, pooled = shares(views, weights), pool_views(views, weights, pooling, "pool")
    answers = []
    for label, view in zip([*names, "pool"], [*views, pooled], strict=True):
        say(f"answering under {label}")
        named = f"{name}-{label}"
        answers.append(refit(run, view, method, out=out, name=named, report=False, progress=False))
    *experts, pool = answers
    between = share_between_experts(experts, np.asarray(share))
    found = Experts(tuple(experts), tuple(share), pool, between)
    if not moves:
        return found
    source = read_sampled_run(pool.path)
    asker = _Asker(source, pool, "reweight" if method == "reweight" else "auto", out, name, say)
    return replace(
        found,
        left_out=leave_experts_out(views, share, pooling, asker.of_pool(pooled), asker),
        disputes=move_disputed(views, share, pooled, source.model.quantities, asker),
    )


@dataclass
class _Asker:
    """Answers under views that are near a pool's: from its draws, or sampled.

    Attributes
    ----------
    source : SampledRun
        Run whose draws answer the pool.
    pool : Result
        Run of the pool.
    method : {"auto", "reweight"}
    out, name : path, str
        Where runs that have to be sampled go, and how their names begin.
    say : callable
    compiled : CompiledModel, optional
        Made when it is first needed.
    """

    source: SampledRun
    pool: Result
    method: Method
    out: Path | str
    name: str
    say: Callable[[str], None]
    compiled: CompiledModel | None = None

    def of_pool(self, view: View) -> Asked:
        """Answers under the pool itself."""
        plan = plan_reweighting(self.source, view.stating(self.source.model.quantities))
        return replace(self._from_draws(plan), how="")

    def __call__(self, view: View, label: str) -> Asked | str:
        """Answers under a view, or why there are none."""
        self.say(f"asking the pool: {label}")
        plan = plan_refit(
            self.source, view.stating(self.source.model.quantities), self.method, None
        )
        if isinstance(plan, Reweight):
            return plan.reason if plan.failed else self._from_draws(plan)
        talk, source = Talk(say=self.say), self.source
        self.compiled = compiled_for(
            source.model,
            source.evidence,
            view.stating(source.model.quantities),
            self.compiled,
            talk,
        )
        run = refit(
            self.pool, view, "sample", compiled=self.compiled, out=self.out,
            name=f"{self.name}-{label}", report=False, talk=talk,
        )  # fmt: skip
        return Asked(
            self._side(run.derived, run.weights, run.record["quantities"]), "sampled", False
        )

    def _from_draws(self, plan: Reweight) -> Asked:
        answer = answer_from_draws(plan)
        return Asked(self._side(answer.derived, plan.weights, answer.rows), plan.how, True)

    def _side(self, derived: "xr.Dataset", weights: Weights, rows: Mapping[str, Any]) -> Side:
        """Headline numbers, without the elements of vectors."""
        headlines = self.source.model.headlines
        values = {s.name: s.values for s in iter_series(derived) if s.name in headlines}
        return Side(values, weights, {name: rows[name] for name in values})


def share_between_experts(answers: Sequence[Result], weights: Any) -> dict[str, float | None]:
    """Compute the share of the variance of ranks that lies between the answers.

    Every number that all answers have is included.
    """
    values = [
        {series.name: series.values for series in iter_series(answer.derived)} for answer in answers
    ]
    shared = [name for name in values[0] if all(name in other for other in values)]
    counts = [answer.weights.values for answer in answers]
    return {name: _share_between([v[name] for v in values], counts, weights) for name in shared}


def _share_between(values: list[Any], counts: list[Any], weights: Any) -> float | None:
    """Compute the share between experts of the variance of ``F(y)``.

    ``F`` is the distribution function of the experts' mixture, so ``F(y)`` is a rank. ``counts``
    are the weights of each expert's draws.
    """
    known = [(v[~np.isnan(v)], c[~np.isnan(v)]) for v, c in zip(values, counts, strict=True)]
    if any(not c.sum() > 0 for _, c in known):
        return None
    shares = [c / c.sum() for _, c in known]
    pooled = np.concatenate([v for v, _ in known])
    mass = np.concatenate([w * c for w, c in zip(weights, shares, strict=True)])
    order = np.argsort(pooled, kind="stable")
    ordered, cumulative = pooled[order], np.concatenate([[0.0], np.cumsum(mass[order])])
    ranks = [
        0.5
        * (
            cumulative[np.searchsorted(ordered, v)]
            + cumulative[np.searchsorted(ordered, v, side="right")]
        )
        for v, _ in known
    ]
    means = np.asarray([np.sum(c * r) for c, r in zip(shares, ranks, strict=True)])
    within = np.asarray(
        [np.sum(c * (r - m) ** 2) for c, r, m in zip(shares, ranks, means, strict=True)]
    )
    spread = (means - np.sum(weights * means)) ** 2
    total = np.sum(weights * (within + spread))
    return float(np.sum(weights * spread) / total) if total > 0 else None
