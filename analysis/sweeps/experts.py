"""Answers of several experts and of their pool: how far they disagree, and what that moves.

For each quantity, the share of variance that lies between experts is computed on ranks, so that
"later or never" counts::

    between = sum_e w_e (m_e - m)^2 / sum_e w_e (s_e^2 + (m_e - m)^2),    m = sum_e w_e m_e
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.sweeps.pool_changes import PoolChange
from aligntax.models.short_form import short_form
from aligntax.models.views.variance_split import VarianceSplit


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
    inputs : dict of str to VarianceSplit
        Variance between and within the experts' priors, of each quantity that one of them states.
    left_out : tuple of PoolChange
        How every headline number of the pool moves with each expert left out.
    disputes : tuple of PoolChange
        How it moves as the prior of one disputed quantity goes from one expert's to another's.
    """

    answers: tuple[Result, ...]
    weights: tuple[float, ...]
    pooled: Result
    between: dict[str, float | None]
    inputs: dict[str, VarianceSplit] = field(default_factory=dict)
    left_out: tuple[PoolChange, ...] = ()
    disputes: tuple[PoolChange, ...] = ()
    __repr__ = short_form

    @property
    def runs(self) -> tuple[Result, ...]:
        """The experts' answers, and the pool's last."""
        return (*self.answers, self.pooled)

    @property
    def failed(self) -> list[str]:
        """Names of the runs in which a check failed."""
        return [run.record["run"] for run in self.runs if run.record["verdict"] != "pass"]

    @property
    def pool(self) -> str:
        """Who is pooled, and who alone spoke to what; empty where one expert has all weight."""
        title = self.pooled.view.title
        return title if " pool of " in title else ""

    @property
    def page(self) -> Path:
        """Where their page is written: in the folder of the pool's run."""
        return self.pooled.path / "experts.html"

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
            "pool": self.pool,
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
            "inputs": {name: split.to_dict() for name, split in self.inputs.items()},
            "left_out": [change.to_dict() for change in self.left_out],
            "disputes": [change.to_dict() for change in self.disputes],
        }


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
