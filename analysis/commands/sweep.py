"""``sweep``: many views, each answered by sampling, on this machine's cores or on a cluster."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.options import (
    Chains,
    DrawsPerChain,
    EvidenceFolder,
    Insist,
    Json,
    Out,
    Quiet,
    Requirement,
    TargetAccept,
    WarmUp,
    Workers,
    WriteReport,
)
from aligntax.analysis.commands.output import on_interrupt, print_answer, show_progress
from aligntax.analysis.commands.users_data import read_users_evidence
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.sweeps.disagreement import Disagreement
    from aligntax.analysis.sweeps.sweep import Sweep
    from aligntax.analysis.sweeps.workers import Workers as WorkerPool


# A resumed sweep takes every other option from the sweep that was interrupted.
OPTIONS_WITH_RESUME = {"resume", "workers", "scheduler", "out", "report", "as_json", "quiet"}

SweptViews = Annotated[
    list[str] | None,
    typer.Argument(
        help="Views by name or file, and folders of view files. Each is answered on its own.",
        show_default="default",
    ),
]
SweptPriors = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="One prior: quantity=p10,p50,p90. Several of one quantity are alternatives; "
        "the grid is their product.",
    ),
]
Seeds = Annotated[
    list[int] | None,
    typer.Option(
        "--seed",
        help="Seed of every random number. Repeat it to answer every view under each seed.",
        show_default="2022",
    ),
]
ModelName = Annotated[str, typer.Option(help="Model, as in `aligntax run`.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Address of a Dask cluster's scheduler, as tcp://10.0.0.1:8786. Its workers then "
        "answer instead of processes."
    ),
]
KeepDraws = Annotated[
    bool,
    typer.Option("--keep-draws", help="Keep the draws of headline quantities, one file per case."),
]
Resume = Annotated[
    str | None,
    typer.Option(
        help="Name of a sweep to resume: it answers cases that have no answer or failed.",
        show_default=False,
    ),
]
SweepName = Annotated[
    str | None, typer.Option(help="Name of the sweep.", show_default="model, cases and time")
]


def sweep(
    ctx: typer.Context,
    views: SweptViews = None,
    set_: SweptPriors = None,
    seeds: Seeds = None,
    model: ModelName = "joint",
    requirement: Requirement = None,
    evidence: EvidenceFolder = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    draws: DrawsPerChain = 1000,
    tune: WarmUp = None,
    chains: Chains = 4,
    target_accept: TargetAccept = None,
    keep_draws: KeepDraws = False,
    insist: Insist = False,
    resume: Resume = None,
    out: Out = Path("results"),
    name: SweepName = None,
    report: WriteReport = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Answer many views by sampling: a grid of priors, a thousand experts, or several seeds.

    Every worker compiles the model once.

    Example: aligntax sweep views/ --seed 1 --seed 2 --name experts

    Example: aligntax sweep --set wage=10,30,100 --set wage=20,60,200
    """
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.plausible_priors import question_priors
    from aligntax.analysis.inputs.view_reader import parse_set, read_separate_views
    from aligntax.analysis.sweeps.grid import SweepJob, cases
    from aligntax.analysis.sweeps.sweep import Sweep, default_name
    from aligntax.analysis.sweeps.sweep import resume as resume_sweep
    from aligntax.analysis.sweeps.sweep import sweep as answer_cases
    from aligntax.analysis.sweeps.wording import sweep_summary
    from aligntax.analysis.terminal.sweep import print_sweep

    _refuse_other_options(ctx)

    def unfinished() -> str | None:
        again = shlex.join(["aligntax", "sweep", "--resume", str(name), "--out", str(out)])
        known = name is not None and Sweep.is_unfinished(name, out)
        return f"what was answered is kept, resume it with: {again}" if known else None

    with show_progress(quiet, what="answering", bad="without an answer") as talk:
        begin: Callable[..., Sweep]
        with on_interrupt(unfinished):
            if resume is not None:
                name, begin = resume, partial(resume_sweep, resume, evidence=read_users_evidence)
            else:
                options = Sampling(draws, tune, chains, target_accept=target_accept)
                job = SweepJob(model, read_users_evidence(evidence), options, keep_draws)
                grid = [parse_set(text) for text in set_ or []]
                separate = read_separate_views(views or [], requirement)
                asked = cases(separate, grid, seeds or [options.seed])
                for each in {case.view.hash: case.view for case in asked}.values():
                    question_priors(each, insist)
                name = name or default_name(job, asked)
                begin = partial(answer_cases, job, asked, name=name, evidence_folder=evidence)
            with _workers(workers, scheduler) as pool:
                found = begin(workers=pool, out=out, talk=talk)
        moves = _report(found, talk, report)
    print_answer(
        as_json,
        lambda: sweep_summary(found, moves),
        lambda screen: print_sweep(screen, found, moves),
        passed=found.info["verdict"] == "pass",
    )


def _report(found: "Sweep", talk: "Talk", report: bool) -> "Disagreement":
    """Say how far views and seeds move each answer, and draw the page if it is asked for."""
    from aligntax.analysis.sweeps.disagreement import disagreement

    again = shlex.join(["aligntax", "report", str(found.path)])
    with on_interrupt(lambda: f"the answers are in {found.path}, draw their report with: {again}"):
        moves = disagreement(found)
        if report:
            talk.say("drawing the report")
            from aligntax.analysis.pages.sweep import write_page

            write_page(found, moves, talk)
    return moves


def _refuse_other_options(ctx: typer.Context) -> None:
    """Refuse options that a resumed sweep takes from the sweep that was interrupted.

    Raises
    ------
    InputError
        If such an option is stated.
    """
    if ctx.params["resume"] is None:
        return
    stated = [
        name
        for name in ctx.params
        if getattr(ctx.get_parameter_source(name), "name", "DEFAULT") != "DEFAULT"
    ]
    if refused := [name.strip("_") for name in stated if name not in OPTIONS_WITH_RESUME]:
        raise InputError(
            f"resume: asks what the sweep was asked, got {', '.join(refused)} too; leave it out"
        )


@contextmanager
def _workers(workers: int | None, scheduler: str | None) -> "Iterator[WorkerPool]":
    """Yield what answers the cases: processes of this machine, or a cluster's workers."""
    from aligntax.analysis.sweeps.workers import connected, on_cluster, processes

    if workers is not None and scheduler is not None:
        raise InputError(
            f"workers: are those of the cluster with --scheduler, got {workers}; "
            "leave one of the two out"
        )
    if scheduler is None:
        yield processes(workers)
    else:
        with connected(scheduler) as client:
            yield partial(on_cluster, client=client)
