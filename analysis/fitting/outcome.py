"""A fit and everything that follows from it, before it is written."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.fitting.linked_priors import failed_link_checks
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.storage.result import Result, write_run
from aligntax.analysis.storage.run_folder import FORMAT, provenance
from aligntax.analysis.summaries.checks import Check
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.registry import EXTENSIONS
from aligntax.models.views import View

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.inference.compiled_model import CompiledModel, Fit


QUIET = Talk()

SAMPLER_NAMES = {"hmc": "Hamiltonian Monte Carlo in step", "nuts": "nutpie NUTS"}

# These groups are for figures, not for computing: single precision halves their bytes.
STORED_SINGLE = ("posterior_predictive", "prior_predictive")


@dataclass(frozen=True)
class Outcome:
    """A fit and everything that follows from it, before it is written.

    Attributes
    ----------
    groups : Groups
        What is stored.
    record, info : mapping
        ``summary.json`` and ``info.json`` without the hashes of the files.
    """

    fit: "Fit"
    groups: Groups
    record: Mapping[str, Any]
    info: Mapping[str, Any]


def with_own_data(outcome: Outcome, told: Mapping[str, Any]) -> Outcome:
    """Add to an outcome which data of the user's entered.

    Checks that the loss law of these data failed are failed checks of the outcome too.
    """
    if not told:
        return outcome
    record = dict(outcome.record)
    for name in told.get("failed_checks", ()):
        action = "look at `aligntax run loss-law` on the same runs"
        record["checks"] = [
            *record["checks"],
            asdict(Check(f"loss_law_{name}", None, 0.0, False, "", action)),
        ]
        record["verdict"] = "fail"
    return replace(outcome, record=record, info={**outcome.info, "runs": dict(told)})


def sample_view(
    model: str,
    view: View,
    evidence: Evidence,
    options: Sampling,
    *,
    talk: Talk = QUIET,
    compiled: "CompiledModel | None" = None,
    links: Mapping[str, Any] | None = None,
) -> Outcome:
    """Compile, sample, derive and check, without writing anything.

    Parameters
    ----------
    compiled : CompiledModel, optional
        Of the same model and evidence: nothing is compiled then.
    links : mapping, optional
        As in :func:`conclude_fit`.
    """
    started = time.perf_counter()
    from aligntax.analysis.inference.compiled_model import compiled_for

    compiled = compiled_for(find_model(model), evidence, view, compiled, talk, options.gradient)
    compile_seconds = time.perf_counter() - started
    talk.say(f"sampling {options.chains} chains of {options.draws} draws")
    started = time.perf_counter()
    fit = compiled.sample(options, talk.progress)
    timings = {"compile": compile_seconds, "sample": time.perf_counter() - started}
    talk.say("deriving and checking")
    return conclude_fit(fit, options, timings, links)


@dataclass(frozen=True)
class FitSummary:
    """Every quantity of every draw of a fit, and their summary.

    Attributes
    ----------
    rows, claims : mapping
        As in ``summary.json``.
    """

    derived: "xr.Dataset"
    rows: Mapping[str, dict[str, Any]]
    claims: Mapping[str, dict[str, Any]]
    checks: tuple[Check, ...]


def summarise_fit(fit: "Fit", options: Sampling, links: Mapping[str, Any]) -> FitSummary:
    """Quantities, summary and checks of a fit; arguments as in :func:`conclude_fit`."""
    from aligntax.analysis.inference.derive import derive
    from aligntax.analysis.inference.seeds import child_generator
    from aligntax.analysis.summaries.checks import sampling_checks
    from aligntax.analysis.summaries.claim_answers import claim_answers
    from aligntax.analysis.summaries.summary import summarise

    rng = child_generator(options.seed, "arrival")
    derived = derive(fit.model, fit.posterior, fit.tables, fit.evidence, fit.view, rng)
    assumed = assumed_quantities({"prior_only": fit.prior_only, "links": links})
    rows = summarise(derived, assumed)
    for name, row in rows.items():
        row["contraction"] = prior_contraction(fit, name)
    checks = (
        *sampling_checks(fit.posterior, fit.sample_stats, rows, fit.model.headlines),
        *failed_link_checks(links),
    )
    claims = claim_answers(derived, None, assumed, fit.view.arrival.horizon)
    return FitSummary(derived, rows, claims, checks)


def conclude_fit(
    fit: "Fit",
    options: Sampling,
    timings: Mapping[str, float],
    links: Mapping[str, Any] | None = None,
) -> Outcome:
    """Derived quantities, predictions, checks and records of a fit.

    Parameters
    ----------
    timings : mapping
        Seconds by step.
    links : mapping, optional
        Priors that were fitted first, by quantity; see
        :func:`aligntax.analysis.fitting.linked_priors.fit_links`.

    Raises
    ------
    InputError
        If the fit's view is not the one that was sampled.
    """
    if fit.view.hash != fit.view_hash:
        rule = f"must keep its view {fit.view_hash[:12]}, got {fit.view.hash[:12]}"
        raise InputError(f"fit: {rule}; sample that one")
    from aligntax.analysis.inference.derive import (
        derive,
        given_evidence,
        observed_evidence,
        replicate_evidence,
    )
    from aligntax.analysis.inference.seeds import child_generator
    from aligntax.analysis.summaries.arrival_answers import arrival_answers
    from aligntax.analysis.summaries.checks import verdict
    from aligntax.analysis.summaries.simulated_world import simulated_world

    started = time.perf_counter()
    where = (fit.model, fit.tables, fit.evidence, fit.view)

    def about(function: Any, draws: Any, seed: str) -> Any:
        model, tables, evidence, view = where
        return function(model, draws, tables, evidence, view, child_generator(options.seed, seed))

    answer = summarise_fit(fit, options, links or {})
    info = {**_info(fit, options), "links": dict(links or {})}
    groups = Groups(
        draws=fit.posterior,
        derived=answer.derived,
        log_prior=fit.log_prior,
        log_likelihood=fit.log_likelihood,
        sample_stats=_plain(fit.sample_stats),
        prior_draws=fit.prior,
        prior_derived=about(derive, fit.prior, "prior_arrival"),
        posterior_predictive=about(replicate_evidence, fit.posterior, "posterior_predictive"),
        prior_predictive=about(replicate_evidence, fit.prior, "prior_predictive"),
        observed_data=observed_evidence(fit.model, fit.evidence, fit.view),
        constant_data=given_evidence(fit.model, fit.evidence, fit.view),
        evidence=fit.evidence.tables,
    )
    single = {name: getattr(groups, name).astype("float32") for name in STORED_SINGLE}
    groups = replace(groups, **single)
    record = {
        "format": FORMAT,
        "model": fit.model.name,
        "view": fit.view.name,
        "method": "sample",
        "verdict": verdict(list(answer.checks)),
        "checks": [check.to_dict() for check in answer.checks],
        "simulated": simulated_world(fit.evidence, fit.model.tables),
        **arrival_answers(answer.derived, fit.view),
        "claims": answer.claims,
        "quantities": answer.rows,
    }
    timings = {**timings, "derive": time.perf_counter() - started}
    info["timings"] = {name: round(seconds, 3) for name, seconds in timings.items()}
    return Outcome(fit, groups, record, info)


def prior_contraction(fit: "Fit", name: str) -> float | None:
    """``1 - posterior variance / prior variance`` of an elicited quantity.

    Both are variances on the standard-normal scale of its table. None for other quantities.
    """
    if name not in fit.tables.names:
        return None
    return float(1.0 - fit.posterior["z"].sel(quantity=name).values.var(ddof=1))


def _plain(dataset: "xr.Dataset") -> "xr.Dataset":
    """Drop columns of objects, which netCDF cannot hold."""
    return dataset.drop_vars([name for name, v in dataset.data_vars.items() if v.dtype == object])


def _info(fit: "Fit", options: Sampling) -> dict[str, Any]:
    from aligntax.analysis.inference.compiled_model import refreshed_quantities

    used = fit.sample_stats.attrs["sampler"]
    of_model = replace(options, sampler=used).of(fit.model)
    sampler: dict[str, Any] = {"name": SAMPLER_NAMES[used], **asdict(of_model)}
    quantities = refreshed_quantities(fit.model)
    if used == "hmc" and quantities:
        sampler["refreshed"] = ", ".join(quantities)
        sampler["refresh_accepted"] = round(float(fit.sample_stats["refresh_accepted"].mean()), 3)
    return {
        "format": FORMAT,
        **provenance(),
        "model": {"name": fit.model.name, "version": fit.model.version},
        "view": {"name": fit.view.name, "hash": fit.view.hash},
        "evidence": {"hash": fit.evidence.hash, "tables": dict(fit.evidence.hashes)},
        "horizon": fit.view.arrival.horizon,
        "prior_only": list(fit.prior_only),
        "sampler": sampler,
        "refitted_from": None,
        "plug_ins": EXTENSIONS.used(
            {
                "model": [fit.model.name],
                "quantity": [*fit.model.quantities, *fit.view.quantities],
                "table": fit.evidence.tables,
            }
        ),
    }


def write_outcome(folder: Path, outcome: Outcome, name: str, format: str = "netcdf") -> Result:
    """Write a run's files except the report, and return the run as if it were loaded."""
    return write_run(
        folder,
        name,
        outcome.groups.stored(),
        outcome.fit.view,
        outcome.record,
        outcome.info,
        format,
    )
