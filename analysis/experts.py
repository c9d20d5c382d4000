"""Answers of several experts, each on its own and all pooled, and how far they disagree.

Pooling hides who believes what. So every expert's view is refitted on its own. For each quantity,
the share of variance that lies between experts is computed on ranks, so that "later or never"
counts::

    between = sum_e w_e (m_e - m)^2 / sum_e w_e (s_e^2 + (m_e - m)^2),    m = sum_e w_e m_e

The pooled answer is the posterior under priors that are pooled quantity by quantity. It is not an
average of the experts' answers: evidence weighs their beliefs against each other, and what one
expert believes about two quantities together is lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.fitting.refit_plan import Method
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import iter_series
from aligntax.models.errors import InputError
from aligntax.models.short_form import short_form
from aligntax.models.views import View
from aligntax.models.views.pooling import Method as Pooling
from aligntax.models.views.pooling import pool_views, shares


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
    """

    answers: tuple[Result, ...]
    weights: tuple[float, ...]
    pooled: Result
    between: dict[str, float | None]
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
    return Experts(tuple(experts), tuple(share), pool, between)


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
