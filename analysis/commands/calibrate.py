"""``calibrate``: simulation-based calibration of a model, on this machine's cores."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.shared import (
    Json,
    Out,
    Stopped,
    console,
    dump,
    read_own,
    tell_failed,
)


def calibrate(
    model: Annotated[str, typer.Argument(help="Model, as of `aligntax run`.")] = "joint",
    simulations: Annotated[
        int, typer.Option(help="Truths drawn from the prior, each with evidence and a fit.")
    ] = 300,
    view: Annotated[
        str, typer.Option(help="View whose prior is drawn from, by name or file.")
    ] = "default",
    evidence: Annotated[
        str | None,
        typer.Option(help="Folder of CSV tables, whose layout and errors are simulated."),
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option(
            help="Your own training runs or gold curves (CSV), as of `aligntax run`; their layout is simulated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Root of every simulation's seed.")] = 2022,
    control: Annotated[
        str,
        typer.Option(
            help="Fit wrongly on purpose, which must be caught: none, narrow, shifted or exact."
        ),
    ] = "none",
    posterior: Annotated[
        bool,
        typer.Option(
            "--posterior", help="Draw truths given the published rows, and refit both together."
        ),
    ] = False,
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 500,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 400,
    chains: Annotated[int, typer.Option(help="Chains.")] = 2,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine.", show_default="one a core")
    ] = None,
    out: Out = Path("results"),
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the calibration; an unfinished one that was asked the same is gone on with.",
            show_default="model, simulations and time",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")
    ] = False,
) -> None:
    """Check a model by simulation: truths drawn from its prior must have uniform ranks among the draws of their refits."""
    from aligntax.analysis.fitting.linked_priors import fit_links
    from aligntax.analysis.fitting.own_data import enter
    from aligntax.analysis.inference.options import Sampling, Talk
    from aligntax.analysis.inputs.view_reader import read_evidence, read_views
    from aligntax.analysis.sweeps.workers import processes
    from aligntax.analysis.terminal.tables import progress
    from aligntax.analysis.terminal.trust import calibration_table
    from aligntax.analysis.trust.calibration.simulation import Simulation
    from aligntax.analysis.trust.calibration.study import Job, default_name, goes_on
    from aligntax.analysis.trust.calibration.study import calibrate as simulate_all
    from aligntax.models.catalogue import find_model

    sampling = Sampling(draws=draws, tune=tune, chains=chains, cores=1)
    chosen, held, simulation = (
        read_views([view], []),
        read_evidence(evidence),
        Simulation(sampling, control, posterior),
    )
    if runs is not None:
        held, _ = enter(
            find_model(model), read_own(model, runs), None, chosen, held, sampling, Talk()
        )
    chosen, _ = fit_links(find_model(model), chosen, held, sampling, Talk())
    job, who = Job(model, chosen, held, simulation, simulations, seed), processes(workers)
    name = name or default_name(job)
    with progress(
        console(stderr=True), not quiet and sys.stderr.isatty(), "simulating", "failed"
    ) as talk:
        talk = replace(talk, failed=lambda line: tell_failed([line]))
        try:
            found = simulate_all(job, who, out, name, talk)
        except KeyboardInterrupt:
            if not goes_on(name, out):
                raise
            again = shlex.join(["--name", name, "--out", str(out)])
            raise Stopped(
                f"interrupted; what was simulated is kept, go on by asking the same with: {again}"
            ) from None
        if found.info["quantities"]:
            from aligntax.analysis.figures.trust import draw
            from aligntax.analysis.pages.calibration import write_page

            talk.say("drawing the picture and the page")
            draw(found.ranks(), found.info["quantities"], found.path / "ranks.png")
            write_page(found, talk)
    if as_json:
        dump({"path": str(found.path), **found.info})
    else:
        calibration_table(console(), found)
    if found.info["verdict"] != "pass":
        raise typer.Exit(1)
