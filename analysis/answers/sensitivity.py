"""What drives the answer: power-scaling, variance shares and value of information.

Terms of the log density are scaled by
:func:`aligntax.analysis.answers.power_scaling.power_scaling`::

    prior        phi(z; R) of the elicited scores, times the top-level priors of the others
    one prior    phi(z_q) of one quantity: its table is stretched or shrunk about its median
    likelihood   all evidence together, "no TAI so far" included; or one table of it

A term of a hierarchy (the offset of a study, the peak of a run) is neither prior nor evidence and
is not scaled [1]_: each model declares its top-level parameters. No evidence bears on some answers;
that is worked out, not read from draws (:mod:`aligntax.analysis.answers.prior_answers`).

Scaling one prior leaves the copula and the other priors as they are. The density of ``z`` is scaled
and not that of the link-space value ``T(z)``, so that the result depends neither on the unit nor on
the link. A uniform prior, whose own density is flat and would not feel a power, is widened like any
other.

A quantity counts as a driver only above the noise. A prior that the evidence overrules drives
nothing, yet its quantity may still hold most of an answer's variance. Variance shares are therefore
reported too, of ranks, whose variance no tail decides: see
:mod:`aligntax.analysis.answers.variance`.

References
----------
.. [1] Kallioinen, Paananen, Buerkner, Vehtari, "Detecting and diagnosing prior and likelihood
       sensitivity with power-scaling", 2023. arXiv:2107.14054
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.answers.newsvendor import (
    CONFIDENCE,
    LossLimit,
)
from aligntax.analysis.answers.power_scaling import (
    NOISE,
    NOTHING,
    PRIOR_ONLY,
    THRESHOLD,
    Sensitivity,
    diagnosis,
    power_scaling,
)
from aligntax.analysis.answers.prior_answers import answers_of_priors
from aligntax.analysis.answers.sensitivity_draws import FEWEST_EFFECTIVE, SensitivityDraws
from aligntax.analysis.answers.value_of_information import values_of_information
from aligntax.analysis.answers.variance import Inputs, contraction, shares_of_ranks
from aligntax.analysis.copies import worked_out_beside
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.priors.quantities import LOSS_LIMIT
from aligntax.models.priors.tables import PriorTables

if TYPE_CHECKING:
    from aligntax.analysis.fitting.outcome import Outcome
    from aligntax.analysis.storage.result import Result


DRIVERS = 3  # named for each answer in `info.json` and in the report


def analyse_drivers(draws: SensitivityDraws) -> dict[str, Any]:
    """Power-scaling and variance shares of every answer.

    Returns
    -------
    dict
        ``threshold``; ``errors``, by which a number stands out of chance; ``quantities``: name ->
        ``contraction, contraction_error, assumed``; ``headlines``: name -> ``prior, likelihood``
        (each ``value, low, high``; the value is None where it is not told from chance),
        ``diagnosis``, ``evidence`` (table -> sensitivity or None), ``undefined``, ``explained,
        explained_error`` and ``priors``: quantity -> ``sensitivity`` (or None), ``correlation,
        correlation_error, first_order, first_order_error, total, total_error``, strongest first.
    """
    one = {name: -0.5 * draws.z[..., i] ** 2 for i, name in enumerate(draws.names)}
    both = {"prior": draws.log_prior}
    if draws.log_likelihood:
        both["likelihood"] = sum(draws.log_likelihood.values())
    scaled, evidence, overall = (
        power_scaling(draws.answers, draws.weights, terms)
        for terms in (one, draws.log_likelihood, both)
    )
    headlines: dict[str, Any] = {}
    known: dict[bytes, Inputs] = {}
    for name, series in draws.answers.items():
        prior, likelihood = overall[name]["prior"], overall[name].get("likelihood", NOTHING)
        of_evidence = {table: found.value for table, found in evidence[name].items()}
        told = diagnosis(prior, likelihood)
        if name in draws.of_priors or not draws.log_likelihood:
            likelihood, told = NOTHING, PRIOR_ONLY
            of_evidence = dict.fromkeys(of_evidence, 0.0)
        (explained, error), priors = shares_of_ranks(
            series.values, draws.names, draws.z, draws.weights, known
        )
        headlines[name] = {
            "prior": vars(prior),
            "likelihood": vars(likelihood),
            "diagnosis": told,
            "evidence": of_evidence,
            "undefined": draws.weights.probability(np.isnan(series.values)),
            "explained": explained,
            "explained_error": error,
            "priors": _strongest_first(priors, scaled[name]),
        }
    return {
        "threshold": THRESHOLD,
        "errors": NOISE,
        "quantities": {
            name: {**contraction(x, draws.weights), "assumed": name in draws.prior_only}
            for name, x in zip(draws.names, np.moveaxis(draws.z, -1, 0), strict=True)
        },
        "headlines": headlines,
    }


def _strongest_first(
    priors: Mapping[str, Mapping[str, float]], scaled: Mapping[str, Sensitivity]
) -> dict[str, dict[str, Any]]:
    """Rows of quantities with the sensitivity to each one's prior."""
    names = sorted(priors, key=lambda name: -(scaled[name].value or 0.0))
    return {name: {"sensitivity": scaled[name].value, **priors[name]} for name in names}


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
    groups: Groups,
    tables: PriorTables,
    headlines: tuple[str, ...],
    prior_only: tuple[str, ...],
    weights: Weights | None = None,
    top_level: tuple[str, ...] = (),
    of_priors: tuple[str, ...] = (),
    limit: LossLimit | None = None,
) -> dict[str, Any] | None:
    """What a run stores in ``info.json``: the analysis with its main drivers only.

    None if there are fewer than :data:`FEWEST_EFFECTIVE` effective draws.
    """
    sizes = groups.draws.sizes
    weights = weights or Weights.equal((sizes["chain"], sizes["draw"]))
    if weights.ess < FEWEST_EFFECTIVE:
        return None
    given = (weights, top_level, of_priors, limit)
    return _record(SensitivityDraws.of(groups, tables, headlines, prior_only, *given))


def sensitivity_of_result(
    result: "Result", weights: Weights | None = None
) -> dict[str, Any] | None:
    """As :func:`sensitivity_record`, of a stored run; ``weights`` may express a condition."""
    if (weights or result.weights).ess < FEWEST_EFFECTIVE:
        return None
    return _record(SensitivityDraws.of_result(result, weights))


def _record(draws: SensitivityDraws) -> dict[str, Any]:
    with worked_out_beside(lambda: hours_decision(draws)) as worth:
        compact = compact_record(analyse_drivers(draws), worth())
    record: dict[str, Any] = to_four_digits(compact)
    return record


def compact_record(whole: Mapping[str, Any], worth: Mapping[str, Any] | None) -> dict[str, Any]:
    """Analysis and decision, with what stands out of the noise only."""
    headlines = {}
    for answer, row in whole["headlines"].items():
        priors = row["priors"]
        drivers = {n: prior for n, prior in priors.items() if prior["sensitivity"] is not None}
        explaining = [
            n
            for n, prior in priors.items()
            if prior["first_order"] > NOISE * prior["first_order_error"]
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
    posterior = outcome.fit.posterior
    record = sensitivity_record(
        outcome.groups,
        fit.tables,
        fit.model.headlines,
        assumed,
        top_level=fit.model.top_level,
        of_priors=answers_of_priors(
            fit.model, posterior, fit.tables, fit.evidence, fit.view, assumed
        ),
        limit=LossLimit.of(fit.view, fit.model.quantities, posterior, seed),
    )
    seconds = round(time.perf_counter() - started, 3)
    info["timings"] = {**info["timings"], "sensitivity": seconds}
    return replace(outcome, info={**info, "sensitivity": record})
