"""``run``, ``show``, ``runs``, ``report``, ``verify``: make a result and read it."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.shared import (
    Format,
    Given,
    Json,
    Out,
    Picture,
    Requirement,
    Run,
    check_picture,
    console,
    dump,
    read_own,
    save_picture,
    tell_failed,
)
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.summaries.weights import Weights


def run(
    model: Annotated[
        str,
        typer.Argument(
            help="joint, scaling, loss-law, time-horizon, compute, alignment, outer-alignment, overoptimization or "
            "density-prediction."
        ),
    ] = "joint",
    view: Annotated[
        list[str] | None,
        typer.Option(help="View by name or file; several lie on top of each other."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="One prior: quantity=p10,p50,p90.")
    ] = None,
    requirement: Requirement = None,
    evidence: Annotated[
        str | None,
        typer.Option(help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv)."),
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option(
            "--runs",
            help="Training runs (CSV, or fetched by name) for the loss law, or as one more study; for overoptimization "
            "gold curves (CSV of kl, gold, run).",
        ),
    ] = None,
    drop: Annotated[
        int, typer.Option("--drop-highest", help="Runs of highest loss to leave out.")
    ] = 0,
    replaces: Annotated[
        str | None,
        typer.Option(
            help="Group of studies on the same runs, or none.",
            show_default="that of a known public set",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Root of every random number.")] = 2022,
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 400,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    cores: Annotated[
        int | None,
        typer.Option(help="Chains sampled at once; does not change the draws.", show_default="all"),
    ] = None,
    target_accept: Annotated[
        float | None, typer.Option(help="NUTS acceptance target.", show_default="the model's")
    ] = None,
    out: Out = Path("results"),
    name: Annotated[
        str | None, typer.Option(help="Name of the run.", show_default="model, view and time")
    ] = None,
    report: Annotated[bool, typer.Option(help="Write report.html.")] = True,
    format_: Format = "netcdf",
    as_json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")
    ] = False,
) -> None:
    """Sample the posterior of a model and leave a run: draws, summary, report."""
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.view_reader import read_evidence, read_views
    from aligntax.analysis.pipeline import run as run_model
    from aligntax.analysis.storage.draw_files import check_format

    check_format(format_)
    chosen = read_views(view or [], set_ or [], requirement)
    own = None if runs is None and not drop else read_own(model, runs, drop)
    options = Sampling(
        draws=draws, tune=tune, chains=chains, seed=seed, cores=cores, target_accept=target_accept
    )
    from aligntax.analysis.terminal.tables import progress

    failed: list[str] = []
    with progress(console(stderr=True), talk=not quiet and sys.stderr.isatty()) as talk:
        talk = replace(talk, failed=failed.append)
        result = run_model(
            model,
            chosen,
            read_evidence(evidence),
            options,
            out,
            name,
            report,
            talk,
            None,
            own,
            replaces,
            format_,
        )
    tell_failed(failed)
    if own is not None and not quiet:
        sys.stderr.write(f"aligntax: {result.info['runs']['words']}\n")
    if as_json:
        dump(result.record)
    else:
        from aligntax.analysis.terminal.answer import answer

        answer(console(), result.path, result.record, result.info)
    if result.record["verdict"] != "pass" or failed:
        raise typer.Exit(1)


def show(
    run: Run,
    as_json: Json = False,
    every: Annotated[bool, typer.Option("--all", help="Every quantity.")] = False,
    given: Given = None,
    picture: Picture = None,
    out: Out = Path("results"),
) -> None:
    """Print the answer of a run, or of a sweep."""
    from aligntax.analysis.storage.draw_files import as_written
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.storage.run_folder import INFO, SUMMARY, find_run, read_json

    check_picture(picture)
    if (swept := _swept(run, out)) is not None:
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

        met, record = summarise_given(load(folder), given)
        weights = met.weights
    if picture is not None:
        _draw_answer(folder, weights, picture)
    if as_json:
        dump(record)
        return
    from aligntax.analysis.terminal.answer import answer

    with as_written(folder / SUMMARY, "summary"):
        answer(console(), folder, record, read_json(folder / INFO), every, weights)


def _draw_answer(folder: Path, weights: "Weights | None", picture: Path) -> None:
    """Draw a run's answer into a file, each draw as often as it counts."""
    from aligntax.analysis.figures.answer_picture import answer_picture
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.storage.shared_draws import resampled

    result = load(folder)
    if weights is not None or "weights" in result.tree.children:
        result = resampled(result, weights or result.weights)
    save_picture(answer_picture(result), picture)
    sys.stderr.write(f"picture: {picture}\n")


def _swept(name: str, out: Path) -> Path | None:
    """Folder of a sweep that is called so, by path or by name."""
    return next(
        (folder for folder in (Path(name), out / name) if (folder / "sweep.json").is_file()), None
    )


def _show_sweep(folder: Path, as_json: bool) -> None:
    from aligntax.analysis.sweeps.disagreement import disagreement
    from aligntax.analysis.sweeps.sweep import Sweep
    from aligntax.analysis.sweeps.wording import sweep_summary
    from aligntax.analysis.terminal.sweep import sweep_table

    swept = Sweep.load(folder)
    found = disagreement(swept)
    if as_json:
        dump(sweep_summary(swept, found))
    else:
        sweep_table(console(), swept, found)


def runs(out: Out = Path("results"), as_json: Json = False) -> None:
    """List the runs in the results folder, newest first."""
    from aligntax.analysis.storage.draw_files import as_written
    from aligntax.analysis.storage.run_folder import INFO, SUMMARY, list_runs, read_json

    rows, damaged = [], []
    for folder in list_runs(out):
        try:
            rows.append((folder, read_json(folder / SUMMARY), read_json(folder / INFO)))
        except InputError as error:
            damaged.append(str(error))
    if as_json:
        keys = ("model", "view", "method", "verdict", "claims")
        dump(
            [
                {
                    "run": folder.name,
                    "created": info["created"],
                    **{key: record[key] for key in keys},
                }
                for folder, record, info in rows
            ]
        )
    else:
        from aligntax.analysis.terminal.tables import runs_table

        with as_written(out, "folder of runs"):
            runs_table(console(), out, rows)
    tell_failed(damaged)


def report(run: Run, given: Given = None, out: Out = Path("results")) -> None:
    """Draw the report of a run or a sweep again, or one of the draws that meet a condition, and print its path."""
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.pages.report import write_report
    from aligntax.analysis.storage.load import load

    failed: list[str] = []
    talk = Talk(failed=failed.append)
    if (swept := _swept(run, out)) is None:
        path = write_report(load(run, out), given=given, talk=talk)
    elif given is not None:
        raise InputError(
            f"given: conditions the draws of a run, got {given!r} of the sweep {swept}; leave it out"
        )
    else:
        from aligntax.analysis.pages.sweep import write_page
        from aligntax.analysis.sweeps.sweep import Sweep

        path = write_page(Sweep.load(swept), talk=talk)
    typer.echo(path)
    tell_failed(failed)
    raise typer.Exit(1 if failed else 0)


def verify(run: Run, out: Out = Path("results")) -> None:
    """Compare a run's files with the hashes written with them."""
    from aligntax.analysis.storage.run_folder import RunFolder, find_run

    folder = find_run(run, out)
    problems = RunFolder(folder).differences
    for problem in problems:
        typer.echo(problem)
    typer.echo(
        f"{folder}: {'as written' if not problems else f'{len(problems)} of its files differ'}"
    )
    raise typer.Exit(1 if problems else 0)
