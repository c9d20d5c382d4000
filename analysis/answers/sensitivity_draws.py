"""What a sensitivity analysis takes from a run: its answers, and the terms of its log density.

Terms of a hierarchy are neither prior nor evidence; see
:mod:`aligntax.analysis.answers.sensitivity`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from aligntax.analysis.answers.newsvendor import Decision, LossLimit, hours_to_buy
from aligntax.analysis.answers.prior_answers import answers_of_priors
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.summary import Series, iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.summaries.words import without_long_vectors
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.tables import PriorTables

if TYPE_CHECKING:
    from aligntax.analysis.storage.result import Result


# Draws that are analysed, evenly spaced: they give shares to a hundredth, and take 20 kB of memory
# each.
MOST_DRAWS = 20_000
FEWEST_EFFECTIVE = 200  # effective draws; with fewer nothing stands out of the noise
FEWEST_APART = 50  # draws that are not the commonest value; means of fewer are far from normal
GROUPS = ("draws", "derived", "log_prior", "log_likelihood")  # those that are needed
VECTORS = frozenset({"anchor_probability"})  # not one answer, but a table of its own


@dataclass(frozen=True)
class SensitivityDraws:
    """What a sensitivity analysis needs of a run.

    Attributes
    ----------
    answers : dict of Series
        Headline quantities that vary.
    names : tuple of str
        Elicited quantities.
    z : ndarray, shape (chain, draw, quantity)
    log_prior : ndarray, shape (chain, draw)
        Of the elicited quantities and the top-level parameters.
    log_likelihood : dict of ndarray, shape (chain, draw)
        One per table of evidence.
    prior_only : tuple of str
        Elicited quantities that no evidence informs.
    of_priors : tuple of str
        Answers that no evidence bears on.
    decision : Decision, optional
        How many hours to buy, on all draws; None without hours or without a loss limit.
    limit : LossLimit, optional
        Of all draws.
    every : int
        One of so many draws is analysed.
    """

    answers: dict[str, Series]
    names: tuple[str, ...]
    z: Any
    log_prior: Any
    log_likelihood: dict[str, Any]
    prior_only: tuple[str, ...]
    weights: Weights
    of_priors: tuple[str, ...] = ()
    decision: Decision | None = None
    limit: LossLimit | None = None
    every: int = 1

    @classmethod
    def of(
        cls,
        groups: Groups,
        tables: PriorTables,
        headlines: tuple[str, ...],
        prior_only: tuple[str, ...],
        weights: Weights,
        top_level: tuple[str, ...],
        of_priors: tuple[str, ...] = (),
        limit: LossLimit | None = None,
    ) -> "SensitivityDraws":
        """From what a run drew; ``top_level`` is the model's.

        This is :data:`GROUPS`, with evidence the last of them. Of more than
        :data:`MOST_DRAWS` draws that count, evenly spaced ones are taken, so that neither time nor
        memory grows. The decision keeps them all.
        """
        decision = None if limit is None else hours_to_buy(groups.derived, weights, limit)
        every = -(-int(np.count_nonzero(weights.values)) // MOST_DRAWS)
        if every > 1:
            spaced = slice(None, None, every)
            wanted = {name: getattr(groups, name) for name in GROUPS}
            groups = Groups(
                **{n: group.isel(draw=spaced) for n, group in wanted.items() if group.data_vars}
            )
            weights = Weights(weights.values[:, spaced] / weights.values[:, spaced].sum())
        z = groups.draws["z"].transpose("chain", "draw", "quantity").values.astype(float)
        series = {s.name: s for s in iter_series(groups.derived)}
        counted = weights.values > 0
        leading = [n for n in without_long_vectors(series) if series[n].quantity in headlines]
        return cls(
            answers={
                name: series[name]
                for name in leading
                if series[name].quantity not in VECTORS and _varies(series[name].values[counted])
            },
            names=tables.names,
            z=z,
            log_prior=_log_prior(groups.log_prior, z, tables, top_level),
            log_likelihood={
                str(name): v.transpose("chain", "draw", ...)
                .values.astype(float)
                .reshape(*z.shape[:2], -1)
                .sum(axis=-1)
                for name, v in groups.log_likelihood.data_vars.items()
            },
            prior_only=prior_only,
            weights=weights,
            of_priors=of_priors,
            decision=decision,
            limit=limit,
            every=max(every, 1),
        )

    @classmethod
    def of_result(cls, result: "Result", weights: Weights | None = None) -> "SensitivityDraws":
        """From a run; ``weights`` may express a condition.

        Raises
        ------
        InputError
            If the run lacks a group or has too few draws.
        """
        model = find_model(result.record["model"])
        groups = result.groups
        missing = [n for n in GROUPS[:-1] if not getattr(groups, n).data_vars]
        if missing:
            raise InputError(
                f"run: {result.path} must have {', '.join(missing)}, got none; run it again"
            )
        # a condition may hang on evidence, and with it every answer that meets it
        alone = weights is None
        weights = weights or result.weights
        if weights.ess < FEWEST_EFFECTIVE:
            rule = f"needs at least {FEWEST_EFFECTIVE} effective draws"
            raise InputError(
                f"run: sensitivity {rule}, got {weights.ess:.0f}; run again with --draws 1000"
            )
        tables, assumed = result.view.tables(model.quantities), assumed_quantities(result.info)
        of_priors = (
            answers_of_priors(model, groups.draws, tables, result.evidence, result.view, assumed)
            if alone
            else ()
        )
        seed = result.info["sampler"]["seed"]
        limit = LossLimit.of(result.view, model.quantities, groups.draws, seed)
        given = (weights, model.top_level, of_priors, limit)
        return cls.of(groups, tables, model.headlines, assumed, *given)


def _log_prior(scored: xr.Dataset, z: Any, tables: PriorTables, top_level: tuple[str, ...]) -> Any:
    """Log density of scores and top-level parameters, up to a constant, shape (chain, draw)."""
    white = tables.whiten(z)
    structural = [
        scored[name].values.astype(float).reshape(*z.shape[:2], -1).sum(axis=-1)
        for name in top_level
        if name in scored
    ]
    return -0.5 * np.sum(white**2, axis=-1) + sum(structural)


def _varies(values: Any) -> bool:
    """Whether enough of the defined draws differ from the commonest value.

    A shift that is always zero has nothing to drive it, and a handful of draws do not tell what.
    """
    _, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return bool(counts.sum() - counts.max(initial=0) >= FEWEST_APART)
