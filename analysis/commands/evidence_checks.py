"""``loo`` and ``robustness``: how well a run's evidence predicts itself, and what hangs on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.options import Json, Out, Quiet, Run
from aligntax.analysis.commands.output import print_answer, show_progress

if TYPE_CHECKING:
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.storage.sampled_run import SampledRun
    from aligntax.analysis.trust.leave_out import LeaveOut


RedrawReport = Annotated[bool, typer.Option(help="Draw the run's report again, with the result.")]


def loo(
    run: Run,
    report: RedrawReport = True,
    out: Out = Path("results"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Predict each piece of a run's evidence from the other pieces.

    The run's draws are reweighted, and the model is refitted without the
    pieces that weights cannot carry.

    Example: aligntax loo RUN
    """
    from aligntax.analysis.refitting import sampling_of
    from aligntax.analysis.storage.attachments import (
        CROSS_VALIDATION,
        run_with_own_draws,
        write_attachment,
    )
    from aligntax.analysis.terminal.trust import print_cross_validation
    from aligntax.analysis.trust.evidence.loo_refits import cross_validate

    source, failures = run_with_own_draws(run, out), list[str]()
    with show_progress(quiet, failures.append) as talk:
        tables = cross_validate(_compiled(source, talk), sampling_of(source.info), talk.say)
        record = write_attachment(
            source, CROSS_VALIDATION, {"tables": [table.to_dict() for table in tables]}
        )
        if report:
            _draw_report(source, talk)
    print_answer(
        as_json,
        lambda: record,
        lambda screen: print_cross_validation(screen, record),
        passed=not any(table["doubtful"] for table in record["tables"]),
        failures=failures,
    )


def robustness(
    run: Run,
    report: RedrawReport = True,
    out: Out = Path("results"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Refit a run on other choices of evidence, and say how far each answer moves.

    Each study, table and doubtful source is left out in turn, and outliers
    are treated otherwise.

    Example: aligntax robustness RUN
    """
    from aligntax.analysis.refitting import sampling_of
    from aligntax.analysis.storage.attachments import (
        ROBUSTNESS,
        run_with_own_draws,
        write_attachment,
    )
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.terminal.trust import print_robustness
    from aligntax.analysis.trust.evidence.robustness import refit_variants

    source, failures = run_with_own_draws(run, out), list[str]()
    with show_progress(quiet, failures.append, "refitting", "failed") as talk:
        model, derived = _compiled(source, talk), load(source.path).derived
        found = refit_variants(model, derived, source.evidence, sampling_of(source.info), talk)
        record = write_attachment(source, ROBUSTNESS, found.to_dict())
        if report:
            _draw_report(source, talk)
    print_answer(
        as_json,
        lambda: record,
        lambda screen: print_robustness(screen, record, source.view.arrival.horizon),
        failures=[*failures, *(f"{label}: {error}" for label, error in found.failures.items())],
    )


def _compiled(source: "SampledRun", talk: "Talk") -> "LeaveOut":
    from aligntax.analysis.trust.leave_out import LeaveOut

    talk.say("compiling the model (about a minute, the first time on a machine)")
    return LeaveOut.of(source.model, source.evidence, source.view)


def _draw_report(source: "SampledRun", talk: "Talk") -> None:
    from aligntax.analysis.pages.report import write_report
    from aligntax.analysis.storage.load import load

    talk.say("drawing the report")
    write_report(load(source.path), talk=talk)
