"""``compare``: runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.shared import (
    Given,
    Json,
    Out,
    Picture,
    check_picture,
    console,
    dump,
    save_picture,
)


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(help="Two to eight runs; the first is compared with.", show_default=False),
    ],
    given: Given = None,
    picture: Picture = None,
    page: Annotated[
        Path | None,
        typer.Option(
            help="Write it as one offline page with live charts too (html).", show_default=False
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every headline number, vectors too.")
    ] = False,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Compare runs: headline quantities beyond Monte Carlo error, and what differed in their views."""
    from aligntax.analysis.answers.comparison import compare as compare_runs
    from aligntax.analysis.storage.load import load

    check_picture(picture)
    if page is not None:
        from aligntax.analysis.pages.comparison.page import check_page, write_page

        check_page(page)
    comparison = compare_runs(*(load(run, out) for run in runs), given=given)
    if page is not None:  # before what a closed pipe may end
        write_page(comparison, page)
    if as_json:
        dump(comparison.to_dict())
    else:
        from aligntax.analysis.terminal.comparison import comparison_table

        comparison_table(console(), comparison, every)
    if picture is not None:
        from aligntax.analysis.figures.comparison import side_by_side

        save_picture(side_by_side(comparison), picture)
