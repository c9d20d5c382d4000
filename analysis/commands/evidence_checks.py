"""``loo`` and ``robustness``: what the evidence of a run says of itself, and what hangs on it."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.shared import Json, Out, Run, console, dump, tell_failed

if TYPE_CHECKING:
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.storage.fast_reader import Source
    from aligntax.analysis.trust.leave_out import LeaveOut


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")]
Report = Annotated[bool, typer.Option(help="Draw the report again, with it.")]


def loo(
    run: Run,
    report: Report = True,
    out: Out = Path("results"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Predict each piece of a run's evidence from the others: by weights, by moved draws, and by refits where those fail."""
    from aligntax.analysis.refitting import sampling_of
    from aligntax.analysis.storage.attachments import CROSS_VALIDATION, own_draws, write_annex
    from aligntax.analysis.terminal.tables import progress
    from aligntax.analysis.terminal.trust import cross_validation_table
    from aligntax.analysis.trust.evidence.loo_refits import climb

    source, failed = own_draws(run, out), list[str]()
    with progress(console(stderr=True), not quiet and sys.stderr.isatty()) as talk:
        found = climb(_compiled(source, talk), sampling_of(source.info), talk.say)
        whole = write_annex(
            source, CROSS_VALIDATION, {"tables": [each.to_dict() for each in found]}
        )
        if report:
            _report(source, replace(talk, failed=failed.append))
    if as_json:
        dump(whole)
    else:
        cross_validation_table(console(), whole)
    tell_failed(failed)
    if failed or any(table["doubtful"] for table in whole["tables"]):
        raise typer.Exit(1)


def robustness(
    run: Run,
    report: Report = True,
    out: Out = Path("results"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Refit a run without each study, table and doubtful source, and by other outlier policies: how far does each answer move?"""
    from aligntax.analysis.refitting import sampling_of
    from aligntax.analysis.storage.attachments import ROBUSTNESS, own_draws, write_annex
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.terminal.tables import progress
    from aligntax.analysis.terminal.trust import robustness_table
    from aligntax.analysis.trust.evidence.robustness import robustness as refit_all

    source, failed = own_draws(run, out), list[str]()
    with progress(
        console(stderr=True), not quiet and sys.stderr.isatty(), "refitting", "failed"
    ) as talk:
        model = _compiled(source, talk)
        found = refit_all(
            model, load(source.path).derived, source.evidence, sampling_of(source.info), talk
        )
        whole = write_annex(source, ROBUSTNESS, found.to_dict())
        if report:
            _report(source, replace(talk, failed=failed.append))
    if as_json:
        dump(whole)
    else:
        robustness_table(console(), whole, source.view.arrival.horizon)
    tell_failed([*failed, *(f"{label}: {error}" for label, error in found.failures.items())])
    if failed or found.failures:
        raise typer.Exit(1)


def _compiled(source: "Source", talk: "Talk") -> "LeaveOut":
    from aligntax.analysis.trust.leave_out import LeaveOut

    talk.say("compiling the model (the first time on a machine a minute)")
    return LeaveOut.of(source.model, source.evidence, source.view)


def _report(source: "Source", talk: "Talk") -> None:
    from aligntax.analysis.pages.report import write_report
    from aligntax.analysis.storage.load import load

    talk.say("drawing the report")
    write_report(load(source.path), talk=talk)
