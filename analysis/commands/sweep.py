"""``sweep``: many views, each answered by sampling, on this machine's cores or on a cluster."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.shared import (
    Json,
    Out,
    Requirement,
    Stopped,
    console,
    dump,
    tell_failed,
)
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.sweeps.sweep import Sweep
    from aligntax.analysis.sweeps.workers import Workers


# the rest is as it was asked
FOR_A_RESUMED = {"resume", "workers", "scheduler", "out", "report", "as_json", "quiet"}


def sweep(
    ctx: typer.Context,
    views: Annotated[
        list[str] | None,
        typer.Argument(
            help="Views by name or file, and folders of view files; each is answered on its own.",
            show_default="default",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="One prior: quantity=p10,p50,p90. Several of one quantity are alternatives; the grid is their product.",
        ),
    ] = None,
    seeds: Annotated[
        list[int] | None,
        typer.Option(
            "--seed",
            help="Root of every random number; several: every view under each.",
            show_default="2022",
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Model, as of `aligntax run`.")] = "joint",
    requirement: Requirement = None,
    evidence: Annotated[
        str | None,
        typer.Option(help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv)."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine.", show_default="one a core")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask cluster's scheduler, as tcp://10.0.0.1:8786, instead of processes."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 400,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    target_accept: Annotated[
        float | None, typer.Option(help="NUTS acceptance target.", show_default="the model's")
    ] = None,
    keep_draws: Annotated[
        bool,
        typer.Option("--keep-draws", help="Keep the draws of headline quantities, a file a case."),
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Name of a sweep to go on with: cases without an answer and those that failed.",
            show_default=False,
        ),
    ] = None,
    out: Out = Path("results"),
    name: Annotated[
        str | None, typer.Option(help="Name of the sweep.", show_default="model, cases and time")
    ] = None,
    report: Annotated[bool, typer.Option(help="Write report.html.")] = True,
    as_json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")
    ] = False,
) -> None:
    """Answer many views, compiled once a worker: a grid of priors, a thousand experts, several seeds."""
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.view_reader import parse_set, read_evidence, read_many
    from aligntax.analysis.sweeps.grid import Job, cases
    from aligntax.analysis.sweeps.sweep import default_name, goes_on
    from aligntax.analysis.sweeps.sweep import resume as go_on
    from aligntax.analysis.sweeps.sweep import sweep as answer_all
    from aligntax.analysis.sweeps.wording import summary_of
    from aligntax.analysis.terminal.sweep import sweep_table
    from aligntax.analysis.terminal.tables import progress

    stated = [
        each
        for each in ctx.params
        if getattr(ctx.get_parameter_source(each), "name", "DEFAULT") != "DEFAULT"
    ]
    if resume is not None and (
        double := [each.strip("_") for each in stated if each not in FOR_A_RESUMED]
    ):
        raise InputError(
            f"resume: asks what the sweep was asked, got {', '.join(double)} too; leave it out"
        )
    with progress(
        console(stderr=True), not quiet and sys.stderr.isatty(), "answering", "without an answer"
    ) as talk:
        talk = replace(talk, failed=lambda line: tell_failed([line]))
        begin: Callable[..., Sweep]
        try:
            if resume is not None:
                name, begin = resume, partial(go_on, resume, evidence=read_evidence)
            else:
                options = Sampling(
                    draws=draws, tune=tune, chains=chains, target_accept=target_accept
                )
                job = Job(model, read_evidence(evidence), options, keep_draws)
                grid = [parse_set(text) for text in set_ or []]
                asked = cases(read_many(views or [], requirement), grid, seeds or [options.seed])
                name = name or default_name(job, asked)
                begin = partial(answer_all, job, asked, name=name, evidence_folder=evidence)
            with _workers(workers, scheduler) as who:
                found = begin(workers=who, out=out, talk=talk)
        except KeyboardInterrupt:
            if name is None or not goes_on(name, out):
                raise
            again = shlex.join(["aligntax", "sweep", "--resume", name, "--out", str(out)])
            raise Stopped(f"interrupted; what was answered is kept, go on with: {again}") from None
        try:
            from aligntax.analysis.sweeps.disagreement import disagreement

            moves = disagreement(found)
            if report:
                talk.say("drawing the report")
                from aligntax.analysis.pages.sweep import write_page

                write_page(found, moves, talk)
        except KeyboardInterrupt:
            again = shlex.join(["aligntax", "report", str(found.path)])
            raise Stopped(
                f"interrupted; the answers are in {found.path}, its report is drawn with: {again}"
            ) from None
    if as_json:
        dump(summary_of(found, moves))
    else:
        sweep_table(console(), found, moves)
    if found.info["verdict"] != "pass":
        raise typer.Exit(1)


@contextmanager
def _workers(workers: int | None, scheduler: str | None) -> "Iterator[Workers]":
    """Who answers: processes of this machine, or a cluster's workers."""
    from aligntax.analysis.sweeps.workers import on_cluster, processes, reached

    if workers is not None and scheduler is not None:
        raise InputError(
            f"workers: are those of the cluster with --scheduler, got {workers}; leave one of the two out"
        )
    if scheduler is None:
        yield processes(workers)
    else:
        with reached(scheduler) as client:
            yield partial(on_cluster, client=client)
