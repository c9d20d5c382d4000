"""``budget``: what to buy."""

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


def budget(
    run: Run,
    confidence: Annotated[float, typer.Option(help="Probability that the hours suffice.")] = 0.8,
    price: Annotated[
        float | None,
        typer.Option(help="USD lost per missing hour.", show_default="makes that confidence best"),
    ] = None,
    given: Given = None,
    picture: Picture = None,
    as_json: Json = False,
    out: Out = Path("results"),
) -> None:
    """Say how many hours to buy, what too few or too many cost, and how to label."""
    from aligntax.analysis.answers.budget import budget as work_out
    from aligntax.analysis.storage.load import load

    check_picture(picture)
    result = load(run, out)
    answer = work_out(result, confidence, price, given)
    if as_json:
        dump({"run": result.record["run"], **answer.to_dict()})
    else:
        from aligntax.analysis.terminal.budget import budget_table

        budget_table(console(), answer)
    if picture is not None:
        from aligntax.analysis.figures.budget import shopping

        save_picture(shopping(result, answer), picture)
