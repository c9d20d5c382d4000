"""``shifts`` and ``reproduce``: what moves timelines, and published timelines reproduced."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.options import (
    EvidenceFolder,
    Given,
    Json,
    Out,
    Picture,
    Quiet,
    Run,
    Seed,
)
from aligntax.analysis.commands.output import (
    check_picture,
    print_answer,
    save_picture,
    show_progress,
)

if TYPE_CHECKING:
    from rich.console import Console


def shifts(
    run: Run,
    given: Given = None,
    as_json: Json = False,
    out: Out = Path("results"),
    quiet: Quiet = False,
) -> None:
    """Say by how many years each cause moves arrival, for each requirement anchor.

    Example: aligntax shifts RUN --given 'tai_year<2060'

    Example: aligntax shifts latest
    """
    from aligntax.analysis.reading import shifts as shifts_by_anchor
    from aligntax.analysis.terminal.forecasts import print_shifts

    with show_progress(quiet) as talk:
        talk.say("telling causes apart, by requirement anchor")
        found = shifts_by_anchor(run, given, out=out)
    print_answer(as_json, found.to_dict, lambda screen: print_shifts(screen, found))


def reproduce(
    forecast: Annotated[
        str,
        typer.Argument(
            help="Published forecast: bioanchors, direct-approach, ai-futures or kwa.",
            show_default=False,
        ),
    ],
    draws: Annotated[int, typer.Option(help="Draws of each reading of its inputs.")] = 100_000,
    seed: Seed = 2022,
    evidence: EvidenceFolder = None,
    picture: Picture = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Push a published forecast's own inputs forward, and compare with the published curve.

    Where its documents conflict, each reading is answered.

    Example: aligntax reproduce bioanchors --picture curves.png

    Example: aligntax reproduce direct-approach --draws 20000
    """
    from aligntax.analysis.checking import reproduce as push_forward
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.analysis.terminal.forecasts import print_reproduction, print_research
    from aligntax.analysis.trust.published_research import ResearchReproduction

    check_picture(picture)
    with show_progress(quiet) as talk:
        found = push_forward(forecast, draws, seed, read_evidence(evidence), talk=talk)
    if picture is not None:
        from aligntax.analysis.figures.trust import arrival_readings

        save_picture(arrival_readings(found), picture)

    def show(screen: "Console") -> None:
        if isinstance(found, ResearchReproduction):
            print_research(screen, found)
        else:
            print_reproduction(screen, found)

    print_answer(as_json, found.to_dict, show)
