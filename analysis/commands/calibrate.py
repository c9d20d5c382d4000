"""``calibrate``: simulation-based calibration of a model, on this machine's cores."""

import os
import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.commands import Json, Out, Stopped, console, dump, tell_failed
from models.errors import InputError

if TYPE_CHECKING:
    from models.evidence import Evidence

__all__ = ["calibrate"]

MOST_WORKERS = 1024  # processes, of a third of a GiB each


def calibrate(
    model: Annotated[str, typer.Argument(help="Model, as of `aligntax run`.")] = "joint",
    simulations: Annotated[int, typer.Option(help="Truths drawn from the prior, each with evidence and a fit.")] = 300,
    view: Annotated[str, typer.Option(help="View whose prior is drawn from, by name or file.")] = "default",
    evidence: Annotated[
        str | None, typer.Option(help="Folder of CSV tables, whose layout and errors are simulated.")
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option(help="Training runs of loss-law, or gold curves of overoptimization, whose layout is simulated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Root of every simulation's seed.")] = 2022,
    control: Annotated[
        str, typer.Option(help="Fit wrongly on purpose, which must be caught: none, narrow, shifted or exact.")
    ] = "none",
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 500,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 400,
    chains: Annotated[int, typer.Option(help="Chains.")] = 2,
    workers: Annotated[int | None, typer.Option(help="Processes on this machine.", show_default="one a core")] = None,
    out: Out = Path("results"),
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the calibration; an unfinished one that was asked the same is gone on with.",
            show_default="model, simulations and time",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")] = False,
) -> None:
    """Check a model by simulation: truths drawn from its prior must have uniform ranks among the draws of their refits."""
    from analysis.calibrate import Job, default_name, goes_on
    from analysis.calibrate import calibrate as simulate_all
    from analysis.calibration import Simulation
    from analysis.inputs import read_evidence, read_many
    from analysis.options import Sampling
    from analysis.terminal import progress
    from analysis.terminal_calibration import calibration_table
    from analysis.workers import local

    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"workers: must lie between 1 and {MOST_WORKERS}, got {workers}; one a core is best")
    sampling = Sampling(draws=draws, tune=tune, chains=chains, cores=1)
    (chosen,) = read_many([view])
    held = _with_own(model, runs, read_evidence(evidence))
    job = Job(model, chosen, held, Simulation(sampling, control), simulations, seed)
    name = name or default_name(job)
    with progress(console(stderr=True), not quiet and sys.stderr.isatty(), "simulating", "failed") as talk:
        talk = replace(talk, failed=lambda line: tell_failed([line]))
        try:
            found = simulate_all(job, partial(local, workers=workers or os.cpu_count() or 1), out, name, talk)
        except KeyboardInterrupt:
            if not goes_on(name, out):
                raise
            again = shlex.join(["--name", name, "--out", str(out)])
            raise Stopped(f"interrupted; what was simulated is kept, go on by asking the same with: {again}") from None
        if found.info["quantities"]:
            from analysis.calibration_plots import draw

            talk.say("drawing the picture")
            draw(found.ranks(), found.info["quantities"], found.path / "ranks.png")
    if as_json:
        dump({"path": str(found.path), **found.info})
    else:
        calibration_table(console(), found)
    if found.info["verdict"] != "pass":
        raise typer.Exit(1)


def _with_own(model: str, runs: str | None, evidence: "Evidence") -> "Evidence":
    """Evidence with a user's file in it, where the model is fitted to one."""
    if runs is None:
        return evidence
    if model == "loss-law":
        from analysis.loss_runs import read_runs, with_runs

        return with_runs(evidence, read_runs(runs))
    if model == "overoptimization":
        from analysis.gold_data import read_curves, with_curves

        return with_curves(evidence, read_curves(runs))
    raise InputError(f"runs: must be given to loss-law or overoptimization, got {model}; leave --runs out")
