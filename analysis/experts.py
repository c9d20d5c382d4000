"""Answers of several experts, each on its own and all pooled, and what their disagreement moves.

Pooling hides who believes what. So every expert's view is refitted on its own, and the variance of
each answer is split (:mod:`aligntax.analysis.sweeps.experts`).

The pooled answer is the posterior under priors that are pooled quantity by quantity. It is not an
average of the experts' answers: evidence weighs their beliefs against each other, and what one
expert believes about two quantities together is lost.

The pool is asked what moves its answers, too: each expert left out, and each quantity on which they
differ (:mod:`aligntax.analysis.sweeps.pool_changes`). The draws that answer the pool answer these
where that can be trusted. The linear pool of all ``n`` experts is at least ``(n - 1) / n`` times
that of ``n - 1`` of them, so that weights for leaving one out are bounded. Otherwise the model is
sampled.
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
    plan_reweighting,
)
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.experts import write_page
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import LONGEST_NAME
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.sweeps.experts import Experts, share_between_experts
from aligntax.analysis.sweeps.pool_changes import Asked, leave_experts_out, move_disputed
from aligntax.models.errors import InputError
from aligntax.models.views import View
from aligntax.models.views.pooling import Method as Pooling
from aligntax.models.views.pooling import pool_views, shares
from aligntax.models.views.variance_split import split_variance

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.inference.compiled_model import CompiledModel

MOST = 0.5  # of the draws: sampled again, at most twice as many would count


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
    report: bool = True,
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
    report : bool
        Whether to write ``experts.html`` into the folder of the pool's run.
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
    inputs = split_variance(views, share)
    found = Experts(tuple(experts), tuple(share), pool, between, inputs)
    if moves:
        near: Method = "reweight" if method == "reweight" else "auto"
        asker = _Asker(read_sampled_run(pool.path), pool, near, out, name, say)
        found = _with_moves(found, views, pooled, pooling, asker)
    if report:
        write_page(found)
    return found


def _with_moves(
    found: Experts, views: Sequence[View], pooled: View, pooling: Pooling, asker: "_Asker"
) -> Experts:
    """Add what leaving each expert out moves, and each disputed quantity."""
    names, weights = asker.source.model.quantities, found.weights
    return replace(
        found,
        left_out=leave_experts_out(views, weights, pooling, asker.of_pool(pooled), asker),
        disputes=move_disputed(views, weights, pooled, names, asker),
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
    compiled: "CompiledModel | None" = None

    def of_pool(self, view: View) -> Asked:
        """Answers under the pool itself."""
        plan = plan_reweighting(self.source, view.stating(self.source.model.quantities))
        return replace(self._from_draws(plan), how="")

    def __call__(self, view: View, label: str) -> Asked | str:
        """Answers under a view, or why there are none."""
        from aligntax.analysis.inference.compiled_model import compiled_for

        self.say(f"asking the pool: {label}")
        source, talk = self.source, Talk(say=self.say)
        complete = view.stating(source.model.quantities)
        plan = plan_reweighting(source, complete)
        if is_trusted(plan):
            return self._from_draws(plan)
        if self.method == "reweight":
            return plan.reason
        self.compiled = compiled_for(source.model, source.evidence, complete, self.compiled, talk)
        run = refit(
            self.pool, view, "sample", compiled=self.compiled, out=self.out,
            name=f"{self.name}-{label}"[:LONGEST_NAME], report=False, talk=talk,
        )  # fmt: skip
        side = self._side(run.derived, run.weights, run.record["quantities"])
        return Asked(side, "sampled", False, run.record["verdict"] == "pass")

    def _from_draws(self, plan: Reweight) -> Asked:
        answer = answer_from_draws(plan)
        return Asked(self._side(answer.derived, plan.weights, answer.rows), plan.how, True)

    def _side(self, derived: "xr.Dataset", weights: Weights, rows: Mapping[str, Any]) -> Side:
        """Headline numbers, without the elements of vectors."""
        headlines = self.source.model.headlines
        values = {s.name: s.values for s in iter_series(derived) if s.name in headlines}
        return Side(values, weights, {name: rows[name] for name in values})


def is_trusted(plan: Reweight) -> bool:
    """Whether the draws of a pool's run answer a view near it.

    That few of them count is no reason against it where most do. The run itself has few then, and
    sampling as many again would mend nothing. Monte Carlo errors tell it.
    """
    most = plan.weights.ess >= MOST * plan.weights.values.size
    return all(check.name == "weighted_ess" and most for check in plan.failed)
