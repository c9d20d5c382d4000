"""A run under another view, written as a run of its own: redrawn, reweighted, or sampled again."""

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.fitting.left_out import evidence_without
from aligntax.analysis.fitting.linked_priors import failed_link_checks, refit_links
from aligntax.analysis.fitting.refit_plan import (
    Method,
    Reweight,
    ReweightedAnswer,
    SampleAgain,
    answer_from_draws,
    derived_under,
    plan_refit,
)
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inputs.plausible_priors import warn_of_priors
from aligntax.analysis.progress import talking
from aligntax.analysis.result import Result, load
from aligntax.analysis.storage.draw_files import check_format, format_of_draws
from aligntax.analysis.storage.result import Result as StoredResult
from aligntax.analysis.storage.result import write_run
from aligntax.analysis.storage.run_folder import (
    FORMAT,
    INFO,
    command_line,
    default_name,
    find_run,
    hash_of_draws,
    read_json,
    run_name,
)
from aligntax.analysis.storage.run_place import folder_of
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.checks import Check, verdict
from aligntax.models.errors import InputError
from aligntax.models.evidence import TABLES, Evidence, load_evidence
from aligntax.models.views import View

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.inference.compiled_model import CompiledModel


QUIET = Talk()


@dataclass(frozen=True)
class Request:
    """What is asked of a refit; the fields are the arguments of :func:`refit`."""

    view: View
    method: Method = "auto"
    options: Sampling | None = None
    evidence: Evidence | None = None
    without: Collection[str] = ()
    compiled: "CompiledModel | None" = None
    out: Path | str = "results"
    name: str | None = None
    report: bool | None = None
    format: str | None = None


def refit(
    run: str | os.PathLike[str] | StoredResult,
    view: View,
    method: Method = "auto",
    *,
    options: Sampling | None = None,
    evidence: Evidence | None = None,
    without: Collection[str] = (),
    compiled: "CompiledModel | None" = None,
    out: Path | str = "results",
    name: str | None = None,
    report: bool | None = None,
    format: str | None = None,
    talk: Talk | None = None,
    progress: bool = True,
) -> Result:
    """Answer a run's question under another view.

    Parameters
    ----------
    run : str, path or Result
        A run. Behind a refit that reuses draws, the run that they came from is refitted.
    method : {"auto", "reweight", "sample"}
        ``auto`` redraws or reweights the stored draws where that can be trusted and samples
        otherwise. The stored draws are kept as they are: the result holds weights and what the view
        changes.
    options : Sampling, optional
        Of sampling; by default those of the run.
    evidence : Evidence, optional
        By default the run's; where the view chooses other evidence, the embedded tables.
    without : collection of str
        Evidence that is left out: tables, or ``TABLE:ROW``; see
        :mod:`aligntax.analysis.fitting.left_out`.
    compiled : CompiledModel, optional
        Of the same model and evidence: nothing is compiled then; see
        :func:`aligntax.analysis.inference.compiled_model.compile_model`.
    out : path
        Folder of results.
    name : str, optional
        Name of the new run; by default model, view and time.
    report : bool, optional
        Whether to write ``report.html``; by default if the view is sampled.
    format : {"netcdf", "zarr"}, optional
        Format of the stored draws; by default the run's.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Returns
    -------
    Result
        Its ``info["refit"]`` says how it was obtained and why.

    Raises
    ------
    InputError
        If there is no such run, it is damaged, or the method cannot give the view.

    Warns
    -----
    UserWarning
        Of a prior that can hardly be meant; see :mod:`aligntax.analysis.inputs.plausible_priors`.

    Examples
    --------
    >>> from aligntax import load, refit
    >>> reference = load("results/reference")
    >>> less = reference.view.replace(rlhf_multiplier={0.1: 0.05, 0.5: 0.5, 0.9: 5})
    >>> refit(reference, less, out=folder).info["refit"]["reason"]
    'redrawn exactly, no evidence bears on what changed: rlhf_multiplier'
    """
    warn_of_priors(view)
    request = Request(
        view, method, options, evidence, tuple(without), compiled, out, name, report, format
    )
    with talking(talk, progress) as told:
        folder = refit_folder(folder_of(run), request, told)
    return load(folder)


def refit_folder(run: str | os.PathLike[str], request: Request, talk: Talk = QUIET) -> Path:
    """As :func:`refit`, but return the folder alone.

    Reading the whole run takes longer than redrawing it.
    """
    started = time.perf_counter()
    source = read_sampled_run(run, request.out)
    request = replace(request, view=request.view.stating(source.model.quantities))
    format = check_format(
        format_of_draws(source.info["files"]) if request.format is None else request.format
    )
    _keep_own_runs(source, request)
    name = run_name(
        request.name or default_name(source.model.name, request.view, Path(request.out))
    )
    known = read_json(find_run(os.fspath(run), Path(request.out)) / INFO).get("links", {})
    options = request.options or sampling_of(source.info)
    view, links = refit_links(source.model, request.view, known, request.evidence, options, talk)
    request = replace(request, view=view)
    if request.without:
        kept = evidence_without(_evidence_of(source, request), request.without)
        request = replace(request, evidence=kept)
    chosen = plan_refit(source, request.view, request.method, request.evidence)
    if request.without:
        chosen = SampleAgain(f"sampled, without {', '.join(request.without)}")
    talk.say(chosen.reason)
    facts = {
        "refitted_from": _origin(source, chosen, Path(request.out) / name),
        "refit": {"how": chosen.how, "reason": chosen.reason},
        "links": links,
    }
    with new_folder(Path(request.out), name) as place:
        new = _NewRun(place.folder, name, format, facts)
        told = chosen.method == "sample" if request.report is None else request.report
        if isinstance(chosen, SampleAgain):
            _write_sampled(new, source, replace(request, report=told), talk)
        else:
            _write_reweighted(new, answer_from_draws(chosen, links), started)
        if told:
            talk.say("drawing the report")
            from aligntax.analysis.pages.report import write_report

            write_report(load(place.folder), talk=talk)
    return place.path


def _keep_own_runs(source: SampledRun, request: Request) -> None:
    """Refuse other evidence for a run with a user's own data, which the embedded tables lack."""
    own = source.info.get("runs")
    other = request.evidence is not None or request.without
    if own and (other or request.view.evidence != source.view.evidence):
        data = f"a run with data of its own ({own['file']})"
        rule = f"evidence: {data} keeps its evidence, got another"
        raise InputError(
            f"{rule}; run again: "
            f"aligntax run {source.model.name} --runs {quote(own['file'])} --view VIEW"
        )


def _evidence_of(source: SampledRun, request: Request) -> Evidence:
    """Evidence that a refit conditions on, before any of it is left out."""
    return _known_evidence(source, request.view) if request.evidence is None else request.evidence


def _known_evidence(source: SampledRun, view: View) -> Evidence:
    """What a run knew, and tables that only the settings of a new view ask for."""
    if view.evidence != source.view.evidence:
        return load_evidence()
    asked = {name: TABLES[name].asked_by for name in source.model.tables}
    lacking = [
        name
        for name, setting in asked.items()
        if setting and view.asks(setting) and name not in source.evidence.tables
    ]
    if not lacking:
        return source.evidence
    embedded = load_evidence()
    return Evidence({**source.evidence.tables, **{name: embedded[name] for name in lacking}})


def _origin(source: SampledRun, chosen: SampleAgain | Reweight, path: Path) -> dict[str, Any]:
    """What ``info.json`` says of the run that is refitted; ``path`` is the new run's folder."""
    return {
        "run": source.path.name,
        "path": os.path.relpath(source.path.resolve(), path.resolve()),
        "posterior": hash_of_draws(source.info),
        "shares_draws": chosen.method == "reweight",
    }


def sampling_of(info: Mapping[str, Any]) -> Sampling:
    """Options that a run was sampled with.

    An older run, which names no sampler, had NUTS: its warm-up and acceptance target are left out,
    since the model's own sampler has others.
    """
    known, stated = {field.name for field in fields(Sampling)}, dict(info["sampler"])
    if "sampler" not in stated:
        known -= {"tune", "target_accept"}
    return Sampling(**{key: value for key, value in stated.items() if key in known})


@dataclass(frozen=True)
class _NewRun:
    """The run that a refit writes.

    Attributes
    ----------
    folder : Path
        Where its files go until it is complete.
    facts : mapping
        What ``info.json`` says of the refit.
    """

    folder: Path
    name: str
    format: str
    facts: Mapping[str, Any]


def _write_sampled(new: _NewRun, source: SampledRun, request: Request, talk: Talk) -> None:
    """Sample the view and write its run."""
    from aligntax.analysis.answers.sensitivity import with_sensitivity
    from aligntax.analysis.fitting.outcome import conclude_fit, with_own_data, write_outcome
    from aligntax.analysis.inference.compiled_model import compiled_for
    from aligntax.analysis.pages.exceptions import with_exceptions

    view, options = request.view, request.options or sampling_of(source.info)
    evidence = _evidence_of(source, request)
    compiled = compiled_for(source.model, evidence, view, request.compiled, talk, options.gradient)
    talk.say(f"sampling {options.chains} chains of {options.draws} draws")
    started = time.perf_counter()
    fit = compiled.sample(options, talk.progress)
    seconds = {"sample": time.perf_counter() - started}
    outcome = conclude_fit(fit, options, seconds, new.facts["links"])
    outcome = with_own_data(outcome, source.info.get("runs", {}))
    if request.report:  # which alone reads it, and works it out where it is missing
        outcome = with_sensitivity(outcome)
    outcome = with_exceptions(outcome)
    outcome = replace(outcome, info={**outcome.info, **new.facts})
    write_outcome(new.folder, outcome, new.name, new.format)


def _write_reweighted(new: _NewRun, answer: ReweightedAnswer, started: float) -> None:
    """Write the run of a view that stored draws answer; ``started`` is when the refit began."""
    carried = answer.plan.carried
    source = carried.source
    checks = [*_source_checks(source), *failed_link_checks(new.facts["links"]), *answer.checks]
    record = {
        "format": FORMAT,
        "model": source.model.name,
        "view": carried.view.name,
        "method": "reweight",
        "verdict": verdict(checks),
        "checks": [check.to_dict() for check in checks],
        "simulated": source.record.get("simulated", ""),
        "exceptions": list(source.record.get("exceptions", ())),
        **arrival_answers(answer.derived, carried.view, answer.plan.weights),
        "claims": answer.claims,
        "quantities": answer.rows,
    }
    info = {
        **{
            key: value
            for key, value in source.info.items()
            if key not in ("files", "timings", "sensitivity")
        },
        "format": FORMAT,
        **new.facts,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "view": {"name": carried.view.name, "hash": carried.view.hash},
        "horizon": carried.view.arrival.horizon,
    }
    groups = _new_groups(answer)
    info["timings"] = {"refit": round(time.perf_counter() - started, 3)}
    write_run(new.folder, new.name, groups, carried.view, record, info, new.format)


def _source_checks(source: SampledRun) -> list[Check]:
    """What failed in the run whose draws are used; one line where nothing did."""
    failed = [Check(**check) for check in source.record["checks"] if not check["passed"]]
    return failed or [Check("source_checks_failed", 0.0, 0.0, True, source.path.name)]


def _new_groups(answer: ReweightedAnswer) -> "dict[str, xr.Dataset]":
    """What a reweighted run stores: weights, and the scores and quantities that change."""
    import xarray as xr

    from aligntax.analysis.storage.layout import CHANGED, MOVED
    from aligntax.analysis.storage.shared_draws import changed_quantities

    carried, weights = answer.plan.carried, answer.plan.weights
    dims, source = ("chain", "draw", "quantity"), carried.source
    moved = np.flatnonzero(np.any(carried.z != source.z, axis=(0, 1)))
    names = [carried.tables.names[i] for i in moved]
    groups = {
        CHANGED: changed_quantities(
            derived_under(carried, source.values[0], source.view), answer.derived
        )
    }
    if names:
        groups[MOVED] = xr.Dataset({"z": (dims, carried.z[..., moved])}, coords={"quantity": names})
    if not answer.plan.exact:
        log_weight = np.log(np.maximum(weights.values, np.finfo(float).tiny))
        groups["weights"] = xr.Dataset({"log_weight": (dims[:2], log_weight)})
    return groups
