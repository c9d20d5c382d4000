"""``compare``: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.options import Given, Json, Out, Picture, Quiet
from aligntax.analysis.commands.output import (
    check_picture,
    print_answer,
    save_picture,
    show_progress,
)


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Two to eight runs. The others are compared with the first.", show_default=False
        ),
    ],
    given: Given = None,
    picture: Picture = None,
    page: Annotated[
        Path | None,
        typer.Option(
            help="Write one offline page (html) with live charts too.", show_default=False
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every headline number, vectors too.")
    ] = False,
    as_json: Json = False,
    out: Out = Path("results"),
    quiet: Quiet = False,
) -> None:
    """Compare runs: where headline quantities differ, and what differed in their views.

    A difference counts if it exceeds Monte Carlo error.

    Example: aligntax compare reference mine --page comparison.html

    Example: aligntax compare reference latest --given 'tai_year<2040'
    """
    from aligntax.analysis.answers.comparison import compare as compare_runs
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.terminal.comparison import print_comparison

    check_picture(picture)
    if page is not None:
        from aligntax.analysis.pages.comparison.page import check_page, write_page

        check_page(page)
    with show_progress(quiet) as talk:
        talk.say("comparing the runs")
        comparison = compare_runs(*(load(run, out) for run in runs), given=given)
        # files come first: a closed pipe ends the process while it prints
        if page is not None:
            talk.say("drawing the page")
            write_page(comparison, page)
        if picture is not None:
            from aligntax.analysis.figures.comparison import side_by_side

            talk.say("drawing the picture")
            save_picture(side_by_side(comparison), picture)
    print_answer(
        as_json,
        comparison.to_dict,
        lambda screen: print_comparison(screen, comparison, every),
    )
