"""``refit``: a run under another view."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntax.analysis.commands.options import (
    Insist,
    Json,
    Out,
    Quiet,
    Requirement,
    Run,
    RunName,
    Views,
)
from aligntax.analysis.commands.output import print_answer, show_progress
from aligntax.analysis.commands.users_data import read_users_evidence
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.fitting.refit_plan import Method
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.sweeps.experts import Experts
    from aligntax.models.views import View

ChangedPriors = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="One prior: quantity=p10,p50,p90. Without --view it changes the run's view.",
    ),
]
RefitMethod = Annotated[
    str,
    typer.Option(
        help="auto, reweight or sample. auto reuses the run's draws where that can be trusted."
    ),
]
OtherEvidence = Annotated[
    str | None,
    typer.Option(
        help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv). "
        "The refit then samples."
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        help="Evidence that is left out: a table, or TABLE:ROW. The refit then samples.",
    ),
]
OtherSeed = Annotated[
    int | None, typer.Option(help="Seed of every random number.", show_default="the run's")
]
OtherDraws = Annotated[
    int | None, typer.Option(help="Draws that each chain keeps.", show_default="the run's")
]
OtherWarmUp = Annotated[
    int | None, typer.Option(help="Warm-up draws of each chain.", show_default="the run's")
]
OtherChains = Annotated[
    int | None, typer.Option(help="Number of chains.", show_default="the run's")
]
ByExpert = Annotated[
    bool,
    typer.Option(
        "--by-expert",
        help="Take each --view, or each in a folder, as an expert's: answer each on its own, and "
        "all of them pooled.",
    ),
]
ExpertWeights = Annotated[
    str | None,
    typer.Option(help="Weights of the experts, as 2,1,1.", show_default="equal"),
]
Moves = Annotated[
    bool,
    typer.Option(
        help="With --by-expert, tell what leaving each expert out moves, and each disagreement."
    ),
]
Pool = Annotated[str, typer.Option(help="How experts are pooled: linear, log or quantile.")]
OtherFormat = Annotated[
    str | None,
    typer.Option(
        "--format", help="Format of stored draws: netcdf or zarr.", show_default="the run's"
    ),
]
ReportIfSampled = Annotated[
    bool | None, typer.Option(help="Write report.html.", show_default="where it samples")
]


def refit(
    run: Run,
    view: Views = None,
    set_: ChangedPriors = None,
    requirement: Requirement = None,
    method: RefitMethod = "auto",
    evidence: OtherEvidence = None,
    without: Without = None,
    seed: OtherSeed = None,
    draws: OtherDraws = None,
    tune: OtherWarmUp = None,
    chains: OtherChains = None,
    by_expert: ByExpert = False,
    weights: ExpertWeights = None,
    pool: Pool = "linear",
    moves: Moves = True,
    insist: Insist = False,
    out: Out = Path("results"),
    name: RunName = None,
    format_: OtherFormat = None,
    report: ReportIfSampled = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Answer a run's question under other priors, in seconds where its draws can be reused.

    Draws are redrawn or reweighted where that can be trusted; otherwise the
    model is sampled again.

    Example: aligntax refit RUN --set rlhf_multiplier=0.05,1,20

    Example: aligntax refit latest --view mine.toml --name mine

    Example: aligntax refit RUN --by-expert --view experts --weights 2,1,1
    """
    from aligntax.analysis.inputs.plausible_priors import question_priors
    from aligntax.analysis.inputs.view_reader import files_of_experts, read_views
    from aligntax.analysis.refitting import Request, refit_folder, sampling_of
    from aligntax.analysis.storage.run_folder import (
        INFO,
        SUMMARY,
        VIEW,
        RunFolder,
        find_run,
        read_json,
    )
    from aligntax.analysis.terminal.panel import print_experts

    folder = RunFolder(find_run(run, out)).with_its_plug_ins().path
    if not (view or set_ or requirement or ((evidence or without) and not by_expert)):
        raise InputError(
            "view: a refit needs another view, got none; add --view FILE, --set, --requirement, "
            f"--evidence or --without, starting from {folder / VIEW}"
        )
    if by_expert:
        files = files_of_experts(view or [])
        views = [read_views([each], set_ or [], requirement) for each in files]
        for each in views:
            question_priors(each, insist)
        with show_progress(quiet) as talk:
            shown = (moves, report is not False)
            answers = _by_expert(folder, views, (weights, pool), method, (out, name), shown, talk)
        print_answer(as_json, answers.to_dict, lambda screen: print_experts(screen, answers))
        return
    chosen = read_views(view or [str(folder / VIEW)], set_ or [], requirement)
    question_priors(chosen, insist)
    asked = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    changed: dict[str, Any] = {key: n for key, n in asked.items() if n is not None}
    options = replace(sampling_of(read_json(folder / INFO)), **changed)
    if changed and method == "auto":
        method = "sample"
    other = None if evidence is None else read_users_evidence(evidence)
    left_out = tuple(without or ())
    how: Method = method  # type: ignore[assignment]  # checked there
    request = Request(chosen, how, options, other, left_out, None, out, name, report, format_)
    failures: list[str] = []
    with show_progress(quiet, failures.append) as talk:
        path = refit_folder(folder, request, talk)
    record = read_json(path / SUMMARY)
    print_answer(
        as_json,
        lambda: record,
        lambda screen: _print_refit(screen, folder, path),
        passed=record["verdict"] == "pass",
        failures=failures,
    )


def _print_refit(screen: "Console", folder: Path, path: Path) -> None:
    """Print the answer of a refit, and how it moved from that of the run it was made of."""
    from aligntax.analysis.answers.comparison import compare
    from aligntax.analysis.storage.load import load_answers
    from aligntax.analysis.storage.run_folder import INFO, SUMMARY, read_json
    from aligntax.analysis.terminal.answer import print_run
    from aligntax.analysis.terminal.comparison import print_was_and_is
    from aligntax.models.catalogue import find_model

    record = read_json(path / SUMMARY)
    print_run(screen, path, record, read_json(path / INFO))
    if find_model(record["model"]).headlines:  # a model from outside may have none
        was = load_answers(folder)
        print_was_and_is(screen, compare(was, load_answers(path, was)))


def _by_expert(
    folder: Path,
    views: "list[View]",
    pooling: tuple[str | None, str],
    method: str,
    place: tuple[Path, str | None],
    shown: tuple[bool, bool],
    talk: "Talk",
) -> "Experts":
    """Answer under each view and under their pool.

    Parameters
    ----------
    pooling : tuple
        Weights of the experts, as the user wrote them, and the method of pooling.
    place : tuple
        Folder of results, and the name that the runs' names begin with.
    shown : tuple of bool
        Whether to tell what moves the pool, and whether to write a page.
    """
    from aligntax.analysis.experts import refit_by_expert
    from aligntax.analysis.inputs.view_reader import parse_weights

    shares = parse_weights(pooling[0], len(views))
    out, name = place[0], place[1] or f"{folder.name}-experts"
    return refit_by_expert(
        str(folder),
        views,
        shares,
        pooling[1],  # type: ignore[arg-type]  # checked there
        method,  # type: ignore[arg-type]  # checked there
        out=out,
        name=name,
        moves=shown[0],
        report=shown[1],
        say=talk.say,
    )
