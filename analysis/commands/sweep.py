"""``sweep``: many views, each answered by sampling, on this machine's cores or on a cluster."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.commands import Json, Out, Requirement, Stopped, console, dump, tell_failed
from models.errors import InputError

if TYPE_CHECKING:
    from analysis.sweep import Workers

__all__ = ["sweep"]

MOST_WORKERS = 1024  # processes, of a third of a GiB each


def sweep(
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
            "--seed", help="Root of every random number; several: every view under each.", show_default="2022"
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Model, as of `aligntax run`.")] = "joint",
    requirement: Requirement = None,
    evidence: Annotated[
        str | None, typer.Option(help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv).")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.", show_default="one a core")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask cluster's scheduler, as tcp://10.0.0.1:8786, instead of processes."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 800,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    target_accept: Annotated[float, typer.Option(help="NUTS acceptance target.")] = 0.9,
    keep_draws: Annotated[
        bool, typer.Option("--keep-draws", help="Keep the draws of headline quantities, a file a case.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Name of a sweep to go on with: cases without an answer and those that failed.", show_default=False
        ),
    ] = None,
    out: Out = Path("results"),
    name: Annotated[str | None, typer.Option(help="Name of the sweep.", show_default="model, cases and time")] = None,
    report: Annotated[bool, typer.Option(help="Write report.html.")] = True,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")] = False,
) -> None:
    """Answer many views, compiled once a worker: a grid of priors, a thousand experts, several seeds."""
    from analysis.cases import Job, cases
    from analysis.inputs import parse_set, read_evidence, read_many
    from analysis.options import Sampling
    from analysis.sweep import default_name
    from analysis.sweep import resume as go_on
    from analysis.sweep import sweep as answer_all
    from analysis.sweep_words import summary_of
    from analysis.terminal import progress
    from analysis.terminal_sweep import sweep_table

    if workers is not None and scheduler is not None:
        raise InputError(f"workers: are those of the cluster with --scheduler, got {workers}; leave one of the two out")
    who = _workers(workers, scheduler)
    given = [
        option
        for option, value in {
            "VIEW": views,
            "--set": set_,
            "--seed": seeds,
            "--evidence": evidence,
            "--name": name,
        }.items()
        if value
    ]
    if resume is not None and given:
        raise InputError(f"resume: asks what the sweep was asked, got {', '.join(given)} too; leave it out")
    with progress(console(stderr=True), not quiet and sys.stderr.isatty(), "answering", "without an answer") as talk:
        talk = replace(talk, failed=lambda line: tell_failed([line]))
        try:
            if resume is not None:
                found = go_on(resume, who, read_evidence, out, talk)
            else:
                options = Sampling(draws=draws, tune=tune, chains=chains, target_accept=target_accept)
                asked = cases(
                    read_many(views or [], requirement),
                    [parse_set(text) for text in set_ or []],
                    seeds or [options.seed],
                )
                job = Job(model, read_evidence(evidence), options, keep_draws)
                name = name or default_name(job, asked)
                found = answer_all(job, asked, who, out, name, evidence, talk)
        except KeyboardInterrupt:
            again = f"aligntax sweep --resume {resume or name} --out {out}"
            raise Stopped(f"interrupted; what was answered is kept, go on with: {again}") from None
        from analysis.disagreement import disagreement

        moves = disagreement(found)
        if report:
            talk.say("drawing the report")
            from analysis.pages.sweep import write_page

            write_page(found, moves, talk)
    if as_json:
        dump(summary_of(found, moves))
    else:
        sweep_table(console(), found, moves, report)
    if found.info["verdict"] != "pass":
        raise typer.Exit(1)


def _workers(workers: int | None, scheduler: str | None) -> "Workers":
    """Who answers: processes of this machine, or a cluster's workers."""
    from analysis.workers import local, on_cluster

    if scheduler is not None:
        return partial(on_cluster, address=scheduler)
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"workers: must lie between 1 and {MOST_WORKERS}, got {workers}; one a core is best")
    return partial(local, workers=workers or os.cpu_count() or 1)
