"""Cross-validation of units that weights cannot estimate: the model is refitted without them.

These are the units whose ``k`` is above a half, and those whose error by weights exceeds
:data:`CARRIED`: a ``k`` is itself estimated from a few draws, and may be low by chance. Of a refit
only Monte Carlo error separates the answer from the truth. It comes from draws with and without the
unit (:mod:`aligntax.analysis.trust.evidence.bridge`). Where the two posteriors lie so far apart
that the error exceeds :data:`LARGEST_ERROR`, posteriors in which the unit counts in part stand
between them, and the log ratios of neighbours add up.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_seed
from aligntax.analysis.summaries.weights import batch_error
from aligntax.analysis.trust.evidence.bridge import Bridge, bridge
from aligntax.analysis.trust.evidence.loo import (
    CrossValidation,
    PredictedUnit,
    log_mean,
    psis_of_tables,
    unit_log_densities,
)
from aligntax.analysis.trust.leave_out import LeaveOut, PosteriorDraws

CARRIED = 0.01  # nat: a unit that weights leave less certain is refitted
LARGEST_ERROR = 0.1  # nat, of one bridge: half of what would show in a table
SMALLER = 0.1  # share in which a unit counts between some share and nothing, over that share
MOST = 12  # posteriors between the whole one and that without the unit


@dataclass(frozen=True)
class Stage:
    """A posterior in which one unit counts by a share between 1, the whole, and 0, without it."""

    share: float
    model: LeaveOut
    draws: PosteriorDraws


def cross_validate(
    model: LeaveOut, options: Sampling, tell: Callable[[str], None] = lambda text: None
) -> list[CrossValidation]:
    """Cross-validation of every table, by weights where they are reliable and else by refits.

    Parameters
    ----------
    tell : callable
        Takes one line about what is being done.
    """
    tell("sampling with all evidence")
    whole = Stage(1.0, model, model.sample(options))
    found = []
    for validated in by_weights(whole):
        refits = {}
        for unit in validated.units:
            if not carried(unit, validated):
                tell(f"refitting without {unit.label} of {validated.table}")
                refits[unit.label] = refitted(whole, options, validated.table, unit.label)
        units = tuple(refits.get(unit.label, unit) for unit in validated.units)
        found.append(replace(validated, units=units))
    return found


def by_weights(whole: Stage) -> list[CrossValidation]:
    """Cross-validation of every table by weights alone."""
    compiled, posterior = whole.model.compiled, whole.draws.posterior
    tables = compiled.view.tables(compiled.model.quantities)
    terms = compiled.terms.log_likelihood(posterior, tables)
    densities = unit_log_densities(
        compiled.model, posterior, terms, tables, compiled.evidence, compiled.view
    )
    return psis_of_tables(densities, posterior)


def carried(unit: PredictedUnit, validated: CrossValidation) -> bool:
    """Whether weights estimate a unit well enough."""
    return unit not in validated.doubtful and unit.mcse <= CARRIED


def refitted(whole: Stage, options: Sampling, table: str, label: str) -> PredictedUnit:
    """A unit predicted by the posterior without it.

    Parameters
    ----------
    whole : Stage
        Draws given all evidence.
    options : Sampling
        Of those draws; refits have another seed, and as many draws.
    """
    seed = child_seed(options.seed, "sample")

    def stage(share: float, number: int) -> Stage:
        model = whole.model.counting({table: {label: share}})
        return Stage(share, model, model.sample(replace(options, seed=seed + number)))

    stages = [whole, stage(0.0, 1)]
    bridges = [_between(stages[0], stages[1], table)]
    while len(stages) - 2 < MOST:
        worst = max(bridges, key=lambda each: each.error)
        if worst.error <= LARGEST_ERROR:
            break
        i = bridges.index(worst)
        middle = _middle(stages[i].share, stages[i + 1].share)
        stages.insert(i + 1, stage(middle, len(stages)))
        bridges[i : i + 1] = [_between(stages[j], stages[j + 1], table) for j in (i, i + 1)]
    elpd = sum(each.log_ratio for each in bridges)
    given_all = log_mean(whole.model.log_unit(whole.draws.unconstrained, table, label))
    return PredictedUnit(label, elpd, _error(bridges), given_all - elpd, None, "exact")


def _middle(high: float, low: float) -> float:
    """Share between two others: what a unit teaches goes with the log of how often it counts."""
    return float(np.sqrt(high * low)) if low else SMALLER * high


def _between(high: Stage, low: Stage, table: str) -> Bridge:
    """Log ratio of two neighbours' integrals: they differ in one table's term."""

    def ratio(draws: PosteriorDraws) -> Any:
        one, other = (each.model.term(draws.unconstrained, table) for each in (high, low))
        return (one - other).reshape(*draws.unconstrained.shape[:2], -1).sum(axis=-1)

    return bridge(ratio(high.draws), ratio(low.draws))


def _error(bridges: list[Bridge]) -> float:
    """Error of the sum of neighbours' log ratios: draws between two bridges count for both."""
    shared = [
        above.influence_without + below.influence_with
        for above, below in itertools.pairwise(bridges)
    ]
    ends = [bridges[0].influence_with, bridges[-1].influence_without]
    return float(np.sqrt(sum(batch_error(influence) ** 2 for influence in (*ends, *shared))))
