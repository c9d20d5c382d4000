"""``calibrate``: simulation-based calibration of a model, on this machine's cores."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.options import (
    Chains,
    DrawsPerChain,
    Insist,
    Json,
    Out,
    Quiet,
    Seed,
    WarmUp,
    Workers,
)
from aligntax.analysis.commands.output import on_interrupt, print_answer, show_progress
from aligntax.analysis.commands.users_data import read_users_data, read_users_evidence

ModelName = Annotated[str, typer.Argument(help="Model, as in `aligntax run`.")]
Simulations = Annotated[int, typer.Option(help="Truths to draw; each is given evidence and a fit.")]
ViewOfTruths = Annotated[
    str, typer.Option(help="View whose prior truths are drawn from, by name or file.")
]
EvidenceLayout = Annotated[
    str | None,
    typer.Option(help="Folder of CSV tables; their layout and errors are simulated."),
]
RunsLayout = Annotated[
    str | None,
    typer.Option(
        help="Your own training runs or gold curves (CSV), as in `aligntax run`; "
        "their layout is simulated."
    ),
]
Control = Annotated[
    str,
    typer.Option(
        help="Fit that is wrong on purpose and must be caught: none, narrow, shifted, exact or "
        "unshared."
    ),
]
GivenPublishedRows = Annotated[
    bool,
    typer.Option(
        "--posterior",
        help="Draw truths given the published rows, and refit both together.",
    ),
]
CalibrationName = Annotated[
    str | None,
    typer.Option(
        help="Name of the calibration. An unfinished one of that name is resumed if it was "
        "asked the same.",
        show_default="model, simulations and time",
    ),
]


def calibrate(
    model: ModelName = "joint",
    simulations: Simulations = 300,
    view: ViewOfTruths = "default",
    evidence: EvidenceLayout = None,
    runs: RunsLayout = None,
    insist: Insist = False,
    seed: Seed = 2022,
    control: Control = "none",
    posterior: GivenPublishedRows = False,
    draws: DrawsPerChain = 500,
    tune: WarmUp = None,
    chains: Chains = 2,
    workers: Workers = None,
    out: Out = Path("results"),
    name: CalibrationName = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check a model by simulation-based calibration.

    Truths are drawn from the prior, and evidence is simulated for each and
    refitted. The ranks of truths among the draws of their refits must be
    uniform.

    Example: aligntax calibrate scaling --simulations 100

    Example: aligntax calibrate joint --simulations 300 --name overnight
    """
    from aligntax.analysis.checking import calibration_job, simulate
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.view_reader import read_views
    from aligntax.analysis.sweeps.workers import processes
    from aligntax.analysis.terminal.trust import print_calibration
    from aligntax.analysis.trust.calibration.study import Calibration, default_name

    job = calibration_job(
        model,
        simulations,
        read_views([view], []),
        read_users_evidence(evidence),
        None if runs is None else read_users_data(model, runs, insist=insist),
        options=Sampling(draws=draws, tune=tune, chains=chains, seed=seed),
        wrong=(control, posterior),
    )
    name = name or default_name(job)
    pool = processes(workers)

    def unfinished() -> str | None:
        again = shlex.join(["--name", name, "--out", str(out)])
        kept = f"what was simulated is kept, resume it by the same command with: {again}"
        return kept if Calibration.is_unfinished(name, out) else None

    with show_progress(quiet, what="simulating", bad="failed") as talk, on_interrupt(unfinished):
        found = simulate(job, pool, out, name, talk)
    print_answer(
        as_json,
        lambda: {"path": str(found.path), **found.info},
        lambda screen: print_calibration(screen, found),
        passed=found.info["verdict"] == "pass",
    )
