"""What drives the answer: power-scaling, variance shares and value of information.

Terms of the log density are scaled by
:func:`aligntax.analysis.answers.power_scaling.power_scaling`::

    prior        phi(z; R) of the elicited scores, times the priors of the structural parameters
    one prior    phi(z_q) of one quantity: its table is stretched or shrunk about its median
    likelihood   all evidence together, "no TAI so far" included; or one table of it

Scaling one prior leaves the copula and the other priors as they are. The density of ``z`` is scaled
and not that of the link-space value ``T(z)``, so that the result depends neither on the unit nor on
the link. A uniform prior, whose own density is flat and would not feel a power, is widened like any
other.

A quantity counts as a driver only above the noise. A prior that the evidence overrules drives
nothing, yet its quantity may still hold most of an answer's variance. Variance shares are therefore
reported too: see :mod:`aligntax.analysis.answers.variance`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from aligntax.analysis.answers.newsvendor import (
    CONFIDENCE,
    Decision,
    LossLimit,
    hours_to_buy,
)
from aligntax.analysis.answers.power_scaling import THRESHOLD, diagnosis, power_scaling
from aligntax.analysis.answers.value_of_information import values_of_information
from aligntax.analysis.answers.variance import spline_bases, variance_shares
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.regression import mid_ranks
from aligntax.analysis.summaries.summary import Series, iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.summaries.words import without_long_vectors
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import LOSS_LIMIT
from aligntax.models.priors.tables import PriorTables

if TYPE_CHECKING:
    from aligntax.analysis.fitting.outcome import Outcome
    from aligntax.analysis.storage.result import Result


# Draws that are analysed, evenly spaced: they give shares to a hundredth, and take 20 kB of memory
# each.
MOST_DRAWS = 20_000
FEWEST_EFFECTIVE = 200  # effective draws; with fewer nothing stands out of the noise
GROUPS = ("posterior", "derived", "log_prior", "log_likelihood")
DRIVERS = 3  # named for each answer in `info.json` and in the report
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
    log_likelihood : dict of ndarray, shape (chain, draw)
        One per table of evidence.
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
    decision: Decision | None = None
    limit: LossLimit | None = None
    every: int = 1

    @classmethod
    def of(
        cls,
        groups: Mapping[str, xr.Dataset],
        tables: PriorTables,
        headlines: tuple[str, ...],
        prior_only: tuple[str, ...],
        weights: Weights,
        limit: LossLimit | None = None,
    ) -> "SensitivityDraws":
        """From the groups of ``posterior.nc``.

        These are posterior, derived, log_prior and, with evidence, log_likelihood. Of more than
        :data:`MOST_DRAWS` draws that count, evenly spaced ones are taken, so that neither time nor
        memory grows. The decision keeps them all.
        """
        decision = None if limit is None else hours_to_buy(groups["derived"], weights, limit)
        every = -(-int(np.count_nonzero(weights.values)) // MOST_DRAWS)
        if every > 1:
            spaced = slice(None, None, every)
            wanted = {name: groups[name] for name in GROUPS if name in groups}
            groups = {name: group.isel(draw=spaced) for name, group in wanted.items()}
            weights = Weights(weights.values[:, spaced] / weights.values[:, spaced].sum())
        z = groups["posterior"]["z"].transpose("chain", "draw", "quantity").values.astype(float)
        series = {s.name: s for s in iter_series(groups["derived"])}
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
            log_prior=_log_prior(groups["log_prior"], z, tables),
            log_likelihood={
                str(name): v.transpose("chain", "draw", ...)
                .values.astype(float)
                .reshape(*z.shape[:2], -1)
                .sum(axis=-1)
                for name, v in groups.get("log_likelihood", xr.Dataset()).data_vars.items()
            },
            prior_only=prior_only,
            weights=weights,
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
        groups = {str(name): node.to_dataset() for name, node in result.tree.children.items()}
        missing = [n for n in ("posterior", "derived", "log_prior") if n not in groups]
        if missing:
            raise InputError(
                f"run: {result.path} must have {', '.join(missing)}, got none; run it again"
            )
        weights = weights or result.weights
        if weights.ess < FEWEST_EFFECTIVE:
            rule = f"needs at least {FEWEST_EFFECTIVE} effective draws"
            raise InputError(
                f"run: sensitivity {rule}, got {weights.ess:.0f}; run again with --draws 1000"
            )
        tables, seed = result.view.tables(model.quantities), result.info["sampler"]["seed"]
        limit = LossLimit.of(result.view, model.quantities, groups["posterior"], seed)
        assumed = assumed_quantities(result.info)
        return cls.of(groups, tables, model.headlines, assumed, weights, limit)


def _log_prior(scored: xr.Dataset, z: Any, tables: PriorTables) -> Any:
    """Log density of scores and structural parameters, up to a constant, shape (chain, draw)."""
    white = tables.whiten(z)
    structural = [
        v.values.astype(float).reshape(*z.shape[:2], -1).sum(axis=-1)
        for name, v in scored.data_vars.items()
        if name != "z"
    ]
    return -0.5 * np.sum(white**2, axis=-1) + sum(structural)


def _varies(values: Any) -> bool:
    """Whether the defined draws differ. A shift that is always zero has nothing to drive it."""
    defined = values[~np.isnan(values)]
    return bool(defined.size) and bool(np.any(defined != defined[0]))


def analyse_drivers(draws: SensitivityDraws) -> dict[str, Any]:
    """Power-scaling and variance shares of every answer.

    Returns
    -------
    dict
        ``threshold``; ``quantities``: name -> ``contraction, assumed``; ``headlines``: name ->
        ``prior, likelihood, diagnosis, evidence`` (table -> sensitivity), ``noise, undefined,
        scale`` (values or ranks), ``explained, explained_error`` and ``priors``: quantity ->
        ``sensitivity, correlation, first_order, first_order_error, total, total_error``, strongest
        first.
    """
    one = {name: -0.5 * draws.z[..., i] ** 2 for i, name in enumerate(draws.names)}
    scaled, level = power_scaling(draws.answers, draws.weights, one)
    evidence, _ = power_scaling(draws.answers, draws.weights, draws.log_likelihood, noise=False)
    both = {"prior": draws.log_prior}
    if draws.log_likelihood:
        both["likelihood"] = sum(draws.log_likelihood.values())
    overall, _ = power_scaling(draws.answers, draws.weights, both, noise=False)
    spread = [
        draws.weights.mean(x**2) - draws.weights.mean(x) ** 2 for x in np.moveaxis(draws.z, -1, 0)
    ]
    headlines: dict[str, Any] = {}
    shared: dict[bytes, list[Any]] = {}
    for name, series in draws.answers.items():
        prior, likelihood = overall[name]["prior"], overall[name].get("likelihood", 0.0)
        headlines[name] = {
            "prior": prior,
            "likelihood": likelihood,
            "diagnosis": diagnosis(prior, likelihood),
            "evidence": evidence[name],
            "noise": level[name],
            **_variance(series, scaled[name], draws, shared),
        }
    return {
        "threshold": THRESHOLD,
        "quantities": {
            name: {"contraction": float(1.0 - v), "assumed": name in draws.prior_only}
            for name, v in zip(draws.names, spread, strict=True)
        },
        "headlines": headlines,
    }


def _variance(
    series: Series,
    scaled: Mapping[str, float],
    draws: SensitivityDraws,
    shared: dict[bytes, list[Any]],
) -> dict[str, Any]:
    """Variance shares of one answer, on its values if all are finite and on ranks otherwise.

    ``shared`` holds splines of the inputs for answers that are defined in the same draws.
    """
    defined = ~np.isnan(series.values) & (draws.weights.values > 0)
    weights = draws.weights.given(defined)
    rank = np.zeros(defined.shape)
    rank[defined] = mid_ranks(series.values[defined], weights.values[defined])
    finite = bool(np.all(np.isfinite(series.values[defined])))
    key = defined.tobytes()
    if key not in shared:
        shared[key] = spline_bases(draws.z, weights)
    shares = variance_shares(series.values if finite else rank, draws.z, weights, shared[key])
    rows = {}
    for i in sorted(range(len(draws.names)), key=lambda i: -scaled.get(draws.names[i], 0.0)):
        z = np.zeros(defined.shape)
        z[defined] = mid_ranks(draws.z[..., i][defined], weights.values[defined])
        rows[draws.names[i]] = {
            "sensitivity": scaled.get(draws.names[i], 0.0),
            "correlation": _correlation(rank, z, weights),
            "first_order": float(shares.first[i]),
            "first_order_error": float(shares.first_error[i]),
            "total": float(shares.total[i]),
            "total_error": float(shares.total_error[i]),
        }
    return {
        "undefined": draws.weights.probability(np.isnan(series.values)),
        "scale": "values" if finite else "ranks",
        "explained": shares.explained,
        "explained_error": shares.explained_error,
        "priors": rows,
    }


def _correlation(x: Any, y: Any, weights: Weights) -> float:
    x, y = x - weights.mean(x), y - weights.mean(y)
    size = np.sqrt(weights.mean(x**2) * weights.mean(y**2))
    return weights.mean(x * y) / float(size) if size > 0 else 0.0


def hours_decision(draws: SensitivityDraws, price: float | None = None) -> dict[str, Any] | None:
    """How many hours to buy, and what it is worth to know each quantity first.

    None if the model has no hours.

    Returns
    -------
    dict
        ``price_usd_per_hour, cost_usd_per_hour`` (mean), ``default_confidence`` (None if a price
        was given), ``loss_limit_usd`` (5%, 50% and 95% point), ``hours, expected_loss_usd``,
        ``evpi``, ``evpi_at_twice_the_limit`` and, by quantity with the largest first, ``evppi``;
        the last three have ``usd`` and ``error``.
    """
    if draws.decision is None or draws.limit is None:
        return None
    problem = replace(draws.decision, stated_price=price)
    scores = dict(zip(draws.names, np.moveaxis(draws.z, -1, 0), strict=True))
    scores[LOSS_LIMIT] = draws.limit.score[:, :: draws.every, 0]
    worth = values_of_information(problem, scores, draws.every)
    return {
        "price_usd_per_hour": problem.price,
        "cost_usd_per_hour": problem.mean_cost,
        "default_confidence": CONFIDENCE if price is None else None,
        "loss_limit_usd": problem.told_limit(),
        "hours": worth["hours"],
        "expected_loss_usd": worth["loss"],
        "evpi": vars(worth["evpi"]),
        "evpi_at_twice_the_limit": vars(worth["evpi_at_twice_the_limit"]),
        "evppi": {
            name: vars(v)
            for name, v in sorted(worth["evppi"].items(), key=lambda item: -item[1].usd)
        },
    }


def sensitivity_record(
    groups: Mapping[str, xr.Dataset],
    tables: PriorTables,
    headlines: tuple[str, ...],
    prior_only: tuple[str, ...],
    weights: Weights | None = None,
    limit: LossLimit | None = None,
) -> dict[str, Any] | None:
    """What a run stores in ``info.json``: the analysis with its main drivers only.

    None if there are fewer than :data:`FEWEST_EFFECTIVE` effective draws.
    """
    sizes = groups["posterior"].sizes
    weights = weights or Weights.equal((sizes["chain"], sizes["draw"]))
    if weights.ess < FEWEST_EFFECTIVE:
        return None
    return _record(SensitivityDraws.of(groups, tables, headlines, prior_only, weights, limit))


def sensitivity_of_result(
    result: "Result", weights: Weights | None = None
) -> dict[str, Any] | None:
    """As :func:`sensitivity_record`, of a stored run; ``weights`` may express a condition."""
    weights = weights or result.weights
    if weights.ess < FEWEST_EFFECTIVE:
        return None
    return _record(SensitivityDraws.of_result(result, weights))


def _record(draws: SensitivityDraws) -> dict[str, Any]:
    compact = compact_record(analyse_drivers(draws), hours_decision(draws))
    record: dict[str, Any] = to_four_digits(compact)
    return record


def compact_record(whole: Mapping[str, Any], worth: Mapping[str, Any] | None) -> dict[str, Any]:
    """Analysis and decision, with what stands out of the noise only."""
    headlines = {}
    for answer, row in whole["headlines"].items():
        priors = row["priors"]
        drivers = {n: prior for n, prior in priors.items() if prior["sensitivity"] > row["noise"]}
        explaining = [
            n
            for n, prior in priors.items()
            if prior["first_order"] > 2 * prior["first_order_error"]
        ]
        explaining.sort(key=lambda n: -priors[n]["first_order"])
        headlines[answer] = {
            **{key: value for key, value in row.items() if key != "priors"},
            "drivers": [{"quantity": n, **drivers[n]} for n in list(drivers)[:DRIVERS]],
            "spread": [{"quantity": n, **priors[n]} for n in explaining[:DRIVERS]],
            "sensitivity": {n: prior["sensitivity"] for n, prior in drivers.items()},
        }
    if worth is not None:
        clear = [n for n, value in worth["evppi"].items() if value["usd"] > 2 * value["error"]]
        worth = {**worth, "evppi": {n: worth["evppi"][n] for n in clear[: 2 * DRIVERS]}}
    return {**whole, "headlines": headlines, "decision": worth}


def to_four_digits(value: Any) -> Any:
    """Nested numbers to four significant digits; further ones are noise."""
    if isinstance(value, dict):
        return {key: to_four_digits(x) for key, x in value.items()}
    if isinstance(value, list):
        return [to_four_digits(x) for x in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def with_sensitivity(outcome: "Outcome") -> "Outcome":
    """Outcome whose ``info.json`` says what drives each headline answer."""
    started = time.perf_counter()
    fit, info = outcome.fit, dict(outcome.info)
    seed, assumed = info["sampler"]["seed"], assumed_quantities(info)
    limit = LossLimit.of(fit.view, fit.model.quantities, outcome.groups["posterior"], seed)
    record = sensitivity_record(
        outcome.groups, fit.tables, fit.model.headlines, assumed, limit=limit
    )
    seconds = round(time.perf_counter() - started, 3)
    info["timings"] = {**info["timings"], "sensitivity": seconds}
    return replace(outcome, info={**info, "sensitivity": record})
