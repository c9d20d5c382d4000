"""``calibrate``: simulation-based calibration of a model, on this machine's cores."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from aligntax.analysis.commands.users_data import read_users_data

if TYPE_CHECKING:
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.trust.calibration.study import Calibration

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
    tune: WarmUp = 400,
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
    """
    from aligntax.analysis.fitting.linked_priors import fit_links
    from aligntax.analysis.fitting.own_data import enter_own_data
    from aligntax.analysis.inference.options import Sampling, Talk
    from aligntax.analysis.inputs.view_reader import read_evidence, read_views
    from aligntax.analysis.sweeps.workers import processes
    from aligntax.analysis.terminal.trust import print_calibration
    from aligntax.analysis.trust.calibration.simulation import Simulation
    from aligntax.analysis.trust.calibration.study import Calibration, CalibrationJob, default_name
    from aligntax.analysis.trust.calibration.study import calibrate as simulate_all
    from aligntax.models.catalogue import find_model

    sampling = Sampling(draws=draws, tune=tune, chains=chains, cores=1)
    simulation = Simulation(sampling, control, posterior)
    chosen, held = read_views([view], []), read_evidence(evidence)
    if runs is not None:
        held, _ = enter_own_data(
            find_model(model),
            read_users_data(model, runs, insist=insist),
            chosen,
            held,
            sampling,
            Talk(),
        )
    chosen, _ = fit_links(find_model(model), chosen, held, sampling, Talk())
    job = CalibrationJob(model, chosen, held, simulation, simulations, seed)
    name = name or default_name(job)
    pool = processes(workers)

    def unfinished() -> str | None:
        again = shlex.join(["--name", name, "--out", str(out)])
        kept = f"what was simulated is kept, resume it by the same command with: {again}"
        return kept if Calibration.is_unfinished(name, out) else None

    with show_progress(quiet, what="simulating", bad="failed") as talk:
        with on_interrupt(unfinished):
            found = simulate_all(job, pool, out, name, talk)
        if found.info["quantities"]:
            _draw(found, talk)
    print_answer(
        as_json,
        lambda: {"path": str(found.path), **found.info},
        lambda screen: print_calibration(screen, found),
        passed=found.info["verdict"] == "pass",
    )


def _draw(found: "Calibration", talk: "Talk") -> None:
    from aligntax.analysis.figures.trust import save_rank_ecdfs
    from aligntax.analysis.pages.calibration import write_page

    talk.say("drawing the picture and the page")
    save_rank_ecdfs(found.ranks(), found.info["quantities"], found.path / "ranks.png")
    write_page(found, talk)
