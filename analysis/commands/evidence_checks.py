"""``loo`` and ``robustness``: how well a run's evidence predicts itself, and what hangs on it."""

from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.options import Json, Out, Quiet, Run
from aligntax.analysis.commands.output import print_answer, show_progress

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

    Example: aligntax loo latest --json
    """
    from aligntax.analysis.checking import loo as cross_validate
    from aligntax.analysis.terminal.trust import print_cross_validation

    failures: list[str] = []
    with show_progress(quiet, failures.append) as talk:
        record = cross_validate(run, report=report, out=out, talk=talk).to_dict()
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

    Example: aligntax robustness latest --json
    """
    from aligntax.analysis.checking import robustness as refit_variants
    from aligntax.analysis.storage.run_folder import INFO, find_run, read_json
    from aligntax.analysis.terminal.trust import print_robustness

    failures: list[str] = []
    with show_progress(quiet, failures.append, "refitting", "failed") as talk:
        found = refit_variants(run, report=report, out=out, talk=talk)
    horizon = read_json(find_run(run, out) / INFO)["horizon"]
    print_answer(
        as_json,
        found.to_dict,
        lambda screen: print_robustness(screen, found.to_dict(), horizon),
        failures=[*failures, *found.failures],
    )
