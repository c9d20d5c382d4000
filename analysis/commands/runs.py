"""``run``, ``show``, ``runs``, ``report`` and ``verify``: make a run and read it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntax.analysis.commands.options import (
    Chains,
    DrawsPerChain,
    EvidenceFolder,
    Given,
    Gradient,
    Insist,
    Json,
    Out,
    Picture,
    Quiet,
    Requirement,
    Run,
    RunName,
    Sampler,
    Seed,
    TargetAccept,
    Views,
    WarmUp,
    WriteReport,
)
from aligntax.analysis.commands.output import (
    CHECK_FAILED,
    check_picture,
    print_answer,
    print_failures,
    save_picture,
    show_progress,
)
from aligntax.analysis.commands.users_data import TIME_HORIZON, read_users_data, read_users_evidence
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.summaries.weights import Weights
    from aligntax.models.views import View

ModelName = Annotated[
    str,
    typer.Argument(
        help="joint, scaling, loss-law, time-horizon, compute, alignment, outer-alignment, "
        "overoptimization or density-prediction."
    ),
]
Priors = Annotated[
    list[str] | None,
    typer.Option("--set", help="One prior: quantity=p10,p50,p90. May be repeated."),
]
OwnRuns = Annotated[
    str | None,
    typer.Option(
        "--runs",
        help="Training runs (a CSV file, - for standard input, or a fetched set by name) for the "
        "loss law, or as one more study. For overoptimization: gold curves (a CSV file of kl, "
        "gold, run). For time-horizon: runs of models on tasks (JSON Lines in METR's layout, or "
        "metr).",
    ),
]
DropHighest = Annotated[
    int, typer.Option("--drop-highest", help="Number of runs of highest loss to leave out.")
]
Replaces = Annotated[
    str | None,
    typer.Option(
        help="Group of published studies of the same runs, which yours replaces; or none.",
        show_default="that of a known public set",
    ),
]
Cores = Annotated[
    int | None,
    typer.Option(help="Chains sampled at once. The draws do not depend on it.", show_default="all"),
]
Format = Annotated[
    str,
    typer.Option("--format", help="Format of stored draws: netcdf, or zarr for large runs."),
]


def run(
    model: ModelName = "joint",
    view: Views = None,
    set_: Priors = None,
    requirement: Requirement = None,
    evidence: EvidenceFolder = None,
    runs: OwnRuns = None,
    drop: DropHighest = 0,
    replaces: Replaces = None,
    insist: Insist = False,
    seed: Seed = 2022,
    draws: DrawsPerChain = 1000,
    tune: WarmUp = None,
    chains: Chains = 4,
    cores: Cores = None,
    target_accept: TargetAccept = None,
    gradient: Gradient = "kept",
    sampler: Sampler = None,
    out: Out = Path("results"),
    name: RunName = None,
    report: WriteReport = True,
    format_: Format = "netcdf",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Sample the posterior of a model, and keep the run: draws, summary and report.

    Example: aligntax run joint --view hilton-2022 --name mine

    Example: aligntax run alignment --set 'wage=20,50,200' --no-report
    """
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.plausible_priors import question_priors
    from aligntax.analysis.inputs.view_reader import read_views
    from aligntax.analysis.pipeline import run as run_model
    from aligntax.analysis.storage.draw_files import check_format
    from aligntax.analysis.terminal.answer import print_run

    check_format(format_)
    chosen = read_views(view or [], set_ or [], requirement)
    question_priors(chosen, insist)
    own = None if runs is None and not drop else read_users_data(model, runs, drop, insist)
    options = Sampling(draws, tune, chains, seed, cores, target_accept, gradient, sampler)
    failures: list[str] = []
    if model == TIME_HORIZON and own is not None:
        kept = {"out": out, "name": name, "report": report, "replaces": replaces}
        _run_shapes(own, chosen, evidence, options, {**kept, "format": format_}, as_json, quiet)
        return
    with show_progress(quiet, failures.append) as talk:
        result = run_model(
            model,
            chosen,
            read_users_evidence(evidence),
            options=options,
            out=out,
            name=name,
            report=report,
            talk=talk,
            runs=own,
            replaces=replaces,
            format=format_,
        )
    if own is not None and not quiet:
        for said in (*result.info["runs"].get("notes", ()), result.info["runs"]["words"]):
            sys.stderr.write(f"aligntax: {said}\n")
    print_answer(
        as_json,
        lambda: result.record,
        lambda screen: print_run(screen, result.path, result.record, result.info),
        passed=result.record["verdict"] == "pass",
        failures=failures,
    )


def _run_shapes(
    own: Any,
    view: "View",
    evidence: str | None,
    options: "Sampling",
    kept: dict[str, Any],
    as_json: bool,
    quiet: bool,
) -> None:
    """Runs of models on tasks, under every shape of trend; ``kept`` as ``run_shapes`` names it."""
    from aligntax.analysis.horizon_shapes import run_shapes
    from aligntax.analysis.terminal.shapes import print_shapes

    failures: list[str] = []
    with show_progress(quiet, failures.append) as talk:
        answers = run_shapes(own, view, read_users_evidence(evidence), options, talk=talk, **kept)
    if not quiet:
        sys.stderr.write(f"aligntax: {answers.record['runs']['words']}\n")
    print_answer(
        as_json,
        lambda: {"path": str(answers.path), **answers.record},
        lambda screen: print_shapes(screen, answers.path, answers.record),
        passed=answers.passed,
        failures=failures,
    )


def show(
    run: Run,
    as_json: Json = False,
    every: Annotated[bool, typer.Option("--all", help="Show every quantity.")] = False,
    given: Given = None,
    picture: Picture = None,
    out: Out = Path("results"),
) -> None:
    """Print the answer of a run, or of a sweep.

    Example: aligntax show RUN --given 'tai_year<2040'

    Example: aligntax show latest --all
    """
    from aligntax.analysis.reading import find_sweep
    from aligntax.analysis.storage.draw_files import refuse_damage
    from aligntax.analysis.storage.run_folder import INFO, SUMMARY, RunFolder, find_run, read_json

    check_picture(picture)
    if (swept := find_sweep(run, out)) is not None:
        if every or given is not None or picture is not None:
            raise InputError(
                f"run: {swept} is a sweep, got --all, --given or --picture, which are for a run; "
                "leave them out"
            )
        _show_sweep(swept, as_json)
        return
    folder, weights = find_run(run, out), None
    if given is None:
        record = read_json(folder / SUMMARY)
    else:
        from aligntax.analysis.answers.condition import summarise_given
        from aligntax.analysis.storage.load import load

        met, record = summarise_given(load(folder), given)
        weights = met.weights
    if picture is not None:
        _draw_answer(folder, weights, picture)

    def print_tables(screen: "Console") -> None:
        from aligntax.analysis.terminal.answer import print_run

        RunFolder(folder).with_its_plug_ins()
        with refuse_damage(folder / SUMMARY, "summary"):
            print_run(screen, folder, record, read_json(folder / INFO), every, weights)

    print_answer(as_json, lambda: record, print_tables)


def _draw_answer(folder: Path, weights: "Weights | None", picture: Path) -> None:
    """Draw a run's answer into a file, each draw as often as it counts."""
    from aligntax.analysis.figures.answer_picture import answer_picture
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.storage.shared_draws import resample_by_weight

    result = load(folder)
    if weights is not None or result.weighted:
        result = resample_by_weight(result, weights or result.weights)
    save_picture(answer_picture(result), picture)
    sys.stderr.write(f"picture: {picture}\n")


def _show_sweep(folder: Path, as_json: bool) -> None:
    from aligntax.analysis.sweeps.disagreement import disagreement
    from aligntax.analysis.sweeps.sweep import Sweep
    from aligntax.analysis.sweeps.wording import sweep_summary
    from aligntax.analysis.terminal.sweep import print_sweep

    swept = Sweep.load(folder)
    found = disagreement(swept)
    print_answer(
        as_json,
        lambda: sweep_summary(swept, found),
        lambda screen: print_sweep(screen, swept, found),
    )


def runs(out: Out = Path("results"), as_json: Json = False) -> None:
    """List the runs in the results folder, newest first.

    Example: aligntax runs

    Example: aligntax runs --out archive/ --json
    """
    from aligntax.analysis.storage.draw_files import refuse_damage
    from aligntax.analysis.storage.run_folder import INFO, SUMMARY, list_runs, read_json

    rows, damaged = [], []
    for folder in list_runs(out):
        try:
            rows.append((folder, read_json(folder / SUMMARY), read_json(folder / INFO)))
        except InputError as error:
            damaged.append(str(error))

    def listed() -> list[dict[str, Any]]:
        keys = ("model", "view", "method", "verdict", "claims")
        return [
            {
                "run": folder.name,
                "created": info["created"],
                **{key: record[key] for key in keys},
                "exceptions": record.get("exceptions", []),
            }
            for folder, record, info in rows
        ]

    def print_tables(screen: "Console") -> None:
        from aligntax.analysis.terminal.tables import print_runs

        with refuse_damage(out, "folder of runs"):
            print_runs(screen, out, rows)

    print_answer(as_json, listed, print_tables)
    print_failures(damaged)  # a damaged run is no failure of the list


def report(run: Run, given: Given = None, out: Out = Path("results"), quiet: Quiet = False) -> None:
    """Draw the report of a run or a sweep again, and print its path.

    With --given, the report is of the draws that meet the condition.

    Example: aligntax report RUN --given 'tai_year<2040'

    Example: aligntax report latest
    """
    from aligntax.analysis.reading import report as draw_report

    failures: list[str] = []
    with show_progress(quiet, failures.append) as talk:
        talk.say("drawing the report")
        page = draw_report(run, given, out=out, talk=talk)
    typer.echo(page)
    print_failures(failures)
    if failures:
        raise typer.Exit(CHECK_FAILED)


def verify(run: Run, out: Out = Path("results")) -> None:
    """Compare a run's files with the hashes that were written with them.

    Example: aligntax verify RUN

    Example: aligntax verify latest
    """
    from aligntax.analysis.reading import verify as compare_files
    from aligntax.analysis.storage.run_folder import find_run

    folder, problems = find_run(run, out), compare_files(run, out=out)
    for problem in problems:
        typer.echo(problem)
    typer.echo(
        f"{folder}: {'as written' if not problems else f'{len(problems)} of its files differ'}"
    )
    if problems:
        raise typer.Exit(CHECK_FAILED)
