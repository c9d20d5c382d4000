"""Verbs that check the models: ``calibrate``, ``backtest``, ``loo`` and others."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.progress import talking
from aligntax.analysis.refitting import sampling_of
from aligntax.analysis.storage.attachments import (
    CROSS_VALIDATION,
    ROBUSTNESS,
    run_with_own_draws,
    write_attachment,
)
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_place import folder_of
from aligntax.analysis.storage.sampled_run import SampledRun
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.short_form import short_form
from aligntax.models.views import View, load_view

if TYPE_CHECKING:
    from distributed import Client

    from aligntax.analysis.inputs.gold_data import GoldCurves
    from aligntax.analysis.inputs.horizon_runs import HorizonRuns
    from aligntax.analysis.inputs.loss_runs import LossRuns
    from aligntax.analysis.sweeps.workers import Workers
    from aligntax.analysis.trust.backtest.origins import Scored
    from aligntax.analysis.trust.calibration.study import Calibration, CalibrationJob
    from aligntax.analysis.trust.leave_out import LeaveOut
    from aligntax.analysis.trust.published_forecasts import Reproduction
    from aligntax.analysis.trust.published_research import ResearchReproduction


CALIBRATING = Sampling(draws=500, chains=2)
FORECASTING = Sampling(draws=500)


# ------------------------------------------------------------------------------- simulated truths


def calibrate(
    model: str = "joint",
    simulations: int = 300,
    view: View | None = None,
    evidence: Evidence | None = None,
    *,
    runs: "LossRuns | GoldCurves | HorizonRuns | None" = None,
    options: Sampling = CALIBRATING,
    control: str = "none",
    posterior: bool = False,
    workers: "int | Workers | None" = None,
    client: "Client | None" = None,
    out: Path | str = "results",
    name: str | None = None,
    talk: Talk | None = None,
    progress: bool = True,
) -> "Calibration":
    """Check a model by simulation-based calibration.

    Truths are drawn from the prior, and evidence is simulated for each and refitted. The ranks of
    truths among the draws of their refits must be uniform.

    Parameters
    ----------
    model : str
        Name in the catalogue.
    simulations : int
        Truths to draw.
    view : View, optional
        Whose prior truths are drawn from; by default ``default``.
    evidence : Evidence, optional
        Its layout and errors are simulated; by default the embedded tables.
    runs : LossRuns, GoldCurves or HorizonRuns, optional
        A user's own data, whose layout is simulated.
    options : Sampling
        Of each refit. Its seed is the root of every random number.
    control : {"none", "narrow", "shifted", "exact", "unshared"}
        Fit that is wrong on purpose and must be caught.
    posterior : bool
        Whether truths are drawn given the published rows, and both are refitted together.
    workers : int or callable, optional
        Processes on this machine, by default one per core.
    client : distributed.Client, optional
        Its workers simulate instead.
    out : path
        Folder of results.
    name : str, optional
        By default model, number of simulations and time. An unfinished calibration of that name
        that was asked the same is resumed.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Returns
    -------
    Calibration
        ``info["verdict"]`` says whether it passed.

    Raises
    ------
    InputError
        If the input is wrong, or the name is taken.
    """
    from aligntax.analysis.sweeps.workers import answering

    job = calibration_job(
        model, simulations, view, evidence, runs, options=options, wrong=(control, posterior)
    )
    with (
        answering(workers, client) as pool,
        talking(talk, progress, "simulating", "failed") as told,
    ):
        return simulate(job, pool, Path(out), name, told)


def calibration_job(
    model: str,
    simulations: int,
    view: View | None,
    evidence: Evidence | None,
    runs: "LossRuns | GoldCurves | HorizonRuns | None",
    *,
    options: Sampling,
    wrong: tuple[str, bool],
) -> "CalibrationJob":
    """What a calibration is asked; ``wrong`` is ``control`` and ``posterior`` of ``calibrate``."""
    from aligntax.analysis.fitting.linked_priors import fit_links
    from aligntax.analysis.fitting.own_data import enter_own_data
    from aligntax.analysis.trust.calibration.simulation import Simulation
    from aligntax.analysis.trust.calibration.study import CalibrationJob
    from aligntax.models.catalogue import find_model

    chosen, held = view or load_view("default"), evidence or load_evidence()
    # each refit has a seed of its own, and one core: the simulations fill the others
    sampling = replace(options, seed=Sampling.seed, cores=1)
    simulation = Simulation(sampling, *wrong)
    if runs is not None:
        held, _ = enter_own_data(find_model(model), runs, chosen, held, sampling, Talk())
    chosen, _ = fit_links(find_model(model), chosen, held, sampling, Talk())
    return CalibrationJob(model, chosen, held, simulation, simulations, options.seed)


def simulate(
    job: "CalibrationJob", workers: "Workers", out: Path, name: str | None, talk: Talk
) -> "Calibration":
    """Run every simulation, and draw the picture and the page."""
    from aligntax.analysis.figures.trust import save_rank_ecdfs
    from aligntax.analysis.pages.calibration import write_page
    from aligntax.analysis.trust.calibration.study import calibrate as simulate_all

    found = simulate_all(job, workers, out, name, talk)
    if found.info["quantities"]:
        talk.say("drawing the picture and the page")
        save_rank_ecdfs(found.ranks(), found.info["quantities"], found.path / "ranks.png")
        write_page(found, talk)
    return found


# ---------------------------------------------------------------------------------- earlier years


@dataclass(frozen=True)
class BacktestResult:
    """Forecasts of earlier years, scored.

    Attributes
    ----------
    path : Path
        Its folder, with ``backtest.json``, ``scores.csv`` and the page.
    info : mapping
        ``backtest.json``.
    scores : tuple of Scored
        One per row, method and origin.
    """

    path: Path
    info: Mapping[str, Any]
    scores: "tuple[Scored, ...]"
    __repr__ = short_form


def backtest(
    first: int = 2016,
    last: int = 2024,
    view: View | None = None,
    evidence: Evidence | None = None,
    *,
    options: Sampling = FORECASTING,
    out: Path | str = "results",
    name: str | None = None,
    talk: Talk | None = None,
    progress: bool = True,
) -> BacktestResult:
    """Fit the trends on the evidence up to each year, predict later rows, and score the forecasts.

    Parameters
    ----------
    first, last : int
        First and last year at whose end forecasts are made.
    view : View, optional
        To take priors from; by default ``vague``.
    evidence : Evidence, optional
        By default the embedded tables.
    options : Sampling
        Of each fit.
    out : path
        Folder of results.
    name : str, optional
        By default its time.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Raises
    ------
    InputError
        If years are out of order or out of bounds, or the name is taken.
    """
    from aligntax.analysis.pages.backtest import write_page
    from aligntax.analysis.storage.run_folder import run_name
    from aligntax.analysis.storage.unfinished import new_folder
    from aligntax.analysis.trust.backtest.folder import default_name, manifest, write_files
    from aligntax.analysis.trust.backtest.origins import Origins
    from aligntax.analysis.trust.backtest.origins import backtest as score_origins

    origins, name = Origins(first, last), run_name(name or default_name())
    chosen, known = view or load_view("vague"), evidence or load_evidence()
    with talking(talk, progress) as told, new_folder(Path(out), name) as place:
        scored = score_origins(known, chosen, origins, options, told)
        info = manifest(scored, known, chosen, origins, options, name)
        write_files(place.folder, scored, chosen, info)
        told.say("drawing the page")
        write_page(place.folder, info, scored.scores, told)
    return BacktestResult(place.path, info, tuple(scored.scores))


# -------------------------------------------------------------------------------- pieces left out


@dataclass(frozen=True)
class EvidenceCheck:
    """What was found about a run's evidence.

    Attributes
    ----------
    run : str
        Name of the run.
    record : mapping
        What was written beside the run, as ``--json`` prints it.
    failures : tuple of str
        What could not be done.
    """

    run: str
    record: Mapping[str, Any]
    failures: tuple[str, ...] = ()
    __repr__ = short_form

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return dict(self.record)


def loo(
    run: str | os.PathLike[str] | Result,
    *,
    report: bool = True,
    out: Path | str = "results",
    talk: Talk | None = None,
    progress: bool = True,
) -> EvidenceCheck:
    """Predict each piece of a run's evidence from the other pieces.

    The run's draws are reweighted, and the model is refitted without the pieces that weights cannot
    carry. The result is written beside the run.

    Parameters
    ----------
    run : str, path or Result
        A run with draws of its own.
    report : bool
        Whether to draw the run's report again, with the result.
    out : path
        Folder of results.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Raises
    ------
    InputError
        If there is no such run, or it uses the draws of another.
    """
    from aligntax.analysis.trust.evidence.loo_refits import cross_validate

    source = run_with_own_draws(folder_of(run), Path(out))
    with talking(talk, progress) as told:
        tables = cross_validate(_compiled(source, told), sampling_of(source.info), told.say)
        value = {"tables": [table.to_dict() for table in tables]}
        record = write_attachment(source, CROSS_VALIDATION, value)
        if report:
            _draw_report(source, told)
    return EvidenceCheck(source.path.name, record)


def robustness(
    run: str | os.PathLike[str] | Result,
    *,
    report: bool = True,
    out: Path | str = "results",
    talk: Talk | None = None,
    progress: bool = True,
) -> EvidenceCheck:
    """Refit a run on other choices of evidence, and say how far each answer moves.

    Each study, table and doubtful source is left out in turn, and outliers are treated otherwise.
    The result is written beside the run. Parameters and errors are those of :func:`loo`.
    """
    from aligntax.analysis.trust.evidence.robustness import refit_variants

    source = run_with_own_draws(folder_of(run), Path(out))
    with talking(talk, progress, "refitting", "failed") as told:
        model, derived = _compiled(source, told), load(source.path).derived
        found = refit_variants(model, derived, source.evidence, sampling_of(source.info), told)
        record = write_attachment(source, ROBUSTNESS, found.to_dict())
        if report:
            _draw_report(source, told)
    failures = tuple(f"{label}: {error}" for label, error in found.failures.items())
    return EvidenceCheck(source.path.name, record, failures)


def _compiled(source: SampledRun, talk: Talk) -> "LeaveOut":
    from aligntax.analysis.trust.leave_out import LeaveOut

    talk.say("compiling the model, unless its code is kept")
    return LeaveOut.of(source.model, source.evidence, source.view)


def _draw_report(source: SampledRun, talk: Talk) -> None:
    from aligntax.analysis.pages.report import write_report

    talk.say("drawing the report")
    write_report(load(source.path), talk=talk)


# ---------------------------------------------------------------------------- published forecasts


def reproduce(
    forecast: str,
    draws: int = 100_000,
    seed: int = 2022,
    evidence: Evidence | None = None,
    *,
    talk: Talk | None = None,
    progress: bool = True,
) -> "Reproduction | ResearchReproduction":
    """Push a published forecast's own inputs forward, and compare with the published curve.

    Where its documents conflict, each reading is answered.

    Parameters
    ----------
    forecast : {"bioanchors", "direct-approach", "ai-futures", "kwa"}
        Published forecast.
    draws : int
        Draws of each reading of its inputs.
    seed : int
        Root of every random number.
    evidence : Evidence, optional
        By default the embedded tables.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Raises
    ------
    InputError
        If there is no such forecast, or a number is out of bounds.
    """
    from aligntax.analysis.trust.published_forecasts import reproduce as push_forward
    from aligntax.analysis.trust.published_research import FORECASTS, reproduce_research

    known = evidence or load_evidence()
    with talking(talk, progress) as told:
        if forecast in FORECASTS:
            return reproduce_research(forecast, known, draws, seed, told)
        return push_forward(forecast, known, draws, seed, told)
