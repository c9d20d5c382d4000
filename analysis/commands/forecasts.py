"""``shifts`` and ``reproduce``: what moves timelines, and published timelines from their own inputs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.shared import (
    Given,
    Json,
    Out,
    Picture,
    Run,
    check_picture,
    console,
    dump,
    save_picture,
)


def shifts(
    run: Run, given: Given = None, as_json: Json = False, out: Out = Path("results")
) -> None:
    """Say by how many years each cause moves arrival, by requirement anchor."""
    from aligntax.analysis.answers.timeline_shifts import shifts_by_anchor
    from aligntax.analysis.storage.load import load

    table = shifts_by_anchor(load(run, out), given)
    if as_json:
        dump(table.to_dict())
        return
    from aligntax.analysis.terminal.forecasts import shifts_table

    shifts_table(console(), table)


def reproduce(
    forecast: Annotated[
        str, typer.Argument(help="bioanchors or direct-approach.", show_default=False)
    ],
    draws: Annotated[int, typer.Option(help="Draws of each reading.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Root of every random number.")] = 2022,
    evidence: Annotated[
        str | None,
        typer.Option(help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv)."),
    ] = None,
    picture: Picture = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk.")] = False,
) -> None:
    """Push a published forecast's own inputs forward, each conflicting reading beside the published curve."""
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.analysis.terminal.tables import progress
    from aligntax.analysis.trust.published_forecasts import reproduce as push_forward

    check_picture(picture)
    with progress(console(stderr=True), talk=not quiet and sys.stderr.isatty()) as talk:
        found = push_forward(forecast, read_evidence(evidence), draws, seed, talk)
    if picture is not None:
        from aligntax.analysis.figures.trust import curves

        save_picture(curves(found), picture)
    if as_json:
        dump(found.to_dict())
        return
    from aligntax.analysis.terminal.forecasts import reproduction_table

    reproduction_table(console(), found)
