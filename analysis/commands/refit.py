"""``refit``: a run under another view."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from analysis.commands import Json, Out, Run, console, dump
from models.errors import InputError

__all__ = ["refit"]


def refit(
    run: Run,
    view: Annotated[
        list[str] | None, typer.Option(help="View by name or file; several lie on top of each other.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="One prior: quantity=p10,p50,p90; without --view on top of the run's view."),
    ] = None,
    method: Annotated[
        str, typer.Option(help="auto, reweight or sample: auto reuses the run's draws where that can be trusted.")
    ] = "auto",
    evidence: Annotated[
        str | None, typer.Option(help="Folder of CSV tables that replace or extend; the refit then samples.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of sampling.", show_default="the run's")] = None,
    draws: Annotated[int | None, typer.Option(help="Kept draws per chain.", show_default="the run's")] = None,
    tune: Annotated[int | None, typer.Option(help="Warm-up draws per chain.", show_default="the run's")] = None,
    chains: Annotated[int | None, typer.Option(help="Chains.", show_default="the run's")] = None,
    by_expert: Annotated[
        bool, typer.Option("--by-expert", help="Each --view is an expert: answer each apart, and all of them pooled.")
    ] = False,
    weights: Annotated[str | None, typer.Option(help="Of the experts, as 2,1,1.", show_default="equal")] = None,
    pool: Annotated[str, typer.Option(help="How experts are pooled: linear, log or quantile.")] = "linear",
    out: Out = Path("results"),
    name: Annotated[str | None, typer.Option(help="Name of the run.", show_default="model, view and time")] = None,
    report: Annotated[bool | None, typer.Option(help="Write report.html.", show_default="where it samples")] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")] = False,
) -> None:
    """Answer a run's question under other priors: redrawn, reweighted or sampled."""
    from analysis.inputs import read_evidence, read_views
    from analysis.refitting import refit_folder, sampling_of
    from analysis.store import INFO, SUMMARY, VIEW, find_run, read_json
    from analysis.terminal import answer, progress

    folder = find_run(run, out)
    if not (view or set_):
        raise InputError(
            f"view: a refit needs another view, got none; add --view FILE or --set, starting from {folder / VIEW}"
        )
    if by_expert:
        _by_expert(folder, view or [], set_ or [], weights, pool, method, out, name, as_json, quiet)
        return
    chosen = read_views(view or [str(folder / VIEW)], set_ or [])
    asked = {"seed": seed, "draws": draws, "tune": tune, "chains": chains}
    changed = {key: value for key, value in asked.items() if value is not None}
    options = replace(sampling_of(read_json(folder / INFO)), **changed)
    if changed and method == "auto":
        method = "sample"
    with progress(console(stderr=True), talk=not quiet and sys.stderr.isatty()) as (say, sampled):
        path = refit_folder(
            folder,
            chosen,
            method,  # type: ignore[arg-type]
            options=options,
            evidence=None if evidence is None else read_evidence(evidence),
            compiled=None,
            out=out,
            name=name,
            report=report,
            say=say,
            progress=sampled,
        )
    record = read_json(path / SUMMARY)
    if as_json:
        dump(record)
    else:
        answer(console(), path, record, read_json(path / INFO))
    if record["verdict"] != "pass":
        raise typer.Exit(1)


def _by_expert(
    folder: Path,
    names: list[str],
    settings: list[str],
    weights: str | None,
    pool: str,
    method: str,
    out: Path,
    name: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    from analysis.experts import by_expert, parse_weights
    from analysis.inputs import read_views
    from analysis.terminal import experts, progress
    from models.pooling import pool_views

    views = [read_views([each], settings) for each in names]
    shares = parse_weights(weights, len(views))
    pooled = pool_views(views, shares, pool, "pool")  # type: ignore[arg-type]
    with progress(console(stderr=True), talk=not quiet and sys.stderr.isatty()) as (say, _):
        answer = by_expert(
            str(folder),
            views,
            pooled,
            shares,
            method,  # type: ignore[arg-type]
            out=out,
            name=name or f"{folder.name}-experts",
            say=say,
        )
    if as_json:
        dump(answer.to_dict())
    else:
        experts(console(), answer)
