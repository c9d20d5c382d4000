"""``refit``: a run under another view."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.shared import (
    Json,
    Out,
    Requirement,
    Run,
    console,
    dump,
    tell_failed,
)
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.experts import Experts
    from aligntax.models.views import View


def refit(
    run: Run,
    view: Annotated[
        list[str] | None,
        typer.Option(help="View by name or file; several lie on top of each other."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="One prior: quantity=p10,p50,p90; without --view on top of the run's view.",
        ),
    ] = None,
    requirement: Requirement = None,
    method: Annotated[
        str,
        typer.Option(
            help="auto, reweight or sample: auto reuses the run's draws where that can be trusted."
        ),
    ] = "auto",
    evidence: Annotated[
        str | None,
        typer.Option(help="Folder of CSV tables that replace or extend; the refit then samples."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of sampling.", show_default="the run's")] = None,
    draws: Annotated[
        int | None, typer.Option(help="Kept draws per chain.", show_default="the run's")
    ] = None,
    tune: Annotated[
        int | None, typer.Option(help="Warm-up draws per chain.", show_default="the run's")
    ] = None,
    chains: Annotated[int | None, typer.Option(help="Chains.", show_default="the run's")] = None,
    by_expert: Annotated[
        bool,
        typer.Option(
            "--by-expert",
            help="Each --view is an expert: answer each apart, and all of them pooled.",
        ),
    ] = False,
    weights: Annotated[
        str | None, typer.Option(help="Of the experts, as 2,1,1.", show_default="equal")
    ] = None,
    pool: Annotated[
        str, typer.Option(help="How experts are pooled: linear, log or quantile.")
    ] = "linear",
    out: Out = Path("results"),
    name: Annotated[
        str | None, typer.Option(help="Name of the run.", show_default="model, view and time")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="How draws are stored: netcdf or zarr.", show_default="as the run's"
        ),
    ] = None,
    report: Annotated[
        bool | None, typer.Option(help="Write report.html.", show_default="where it samples")
    ] = None,
    as_json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")
    ] = False,
) -> None:
    """Answer a run's question under other priors: redrawn, reweighted or sampled."""
    from aligntax.analysis.inputs.view_reader import read_evidence, read_views
    from aligntax.analysis.refitting import Request, refit_folder, sampling_of
    from aligntax.analysis.storage.run_folder import INFO, SUMMARY, VIEW, find_run, read_json
    from aligntax.analysis.terminal.answer import answer
    from aligntax.analysis.terminal.comparison import experts
    from aligntax.analysis.terminal.tables import progress

    folder = find_run(run, out)
    if not (view or set_ or requirement):
        raise InputError(
            f"view: a refit needs another view, got none; add --view FILE, --set or --requirement, starting from {folder / VIEW}"
        )
    if by_expert:
        views = [read_views([each], set_ or [], requirement) for each in view or []]
        told = _by_expert(folder, views, (weights, pool), method, (out, name), not quiet)
        if as_json:
            dump(told.to_dict())
        else:
            experts(console(), told)
        return
    chosen = read_views(view or [str(folder / VIEW)], set_ or [], requirement)
    asked = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    changed = {key: value for key, value in asked.items() if value is not None}
    options = replace(sampling_of(read_json(folder / INFO)), **changed)
    if changed and method == "auto":
        method = "sample"
    other = None if evidence is None else read_evidence(evidence)
    request = Request(chosen, method, options, other, None, out, name, report, format_)  # type: ignore[arg-type]
    failed: list[str] = []
    with progress(console(stderr=True), talk=not quiet and sys.stderr.isatty()) as talk:
        path = refit_folder(folder, request, replace(talk, failed=failed.append))
    tell_failed(failed)
    record = read_json(path / SUMMARY)
    if as_json:
        dump(record)
    else:
        answer(console(), path, record, read_json(path / INFO))
    if record["verdict"] != "pass" or failed:
        raise typer.Exit(1)


def _by_expert(
    folder: Path,
    views: "list[View]",
    pooling: tuple[str | None, str],
    method: str,
    place: tuple[Path, str | None],
    talk: bool,
) -> "Experts":
    """Answers under each view and their pool, which has weights and a method; runs go to a folder under a name."""
    from aligntax.analysis.experts import by_expert
    from aligntax.analysis.inputs.view_reader import parse_weights
    from aligntax.analysis.terminal.tables import progress

    shares = parse_weights(pooling[0], len(views))
    out, name = place[0], place[1] or f"{folder.name}-experts"
    with progress(console(stderr=True), talk=talk and sys.stderr.isatty()) as voice:
        return by_expert(
            str(folder), views, shares, pooling[1], method, out=out, name=name, say=voice.say
        )  # type: ignore[arg-type]
