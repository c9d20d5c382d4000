"""``budget``: what to buy."""

from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.options import Given, Json, Out, Picture, Run
from aligntax.analysis.commands.output import check_picture, print_answer, save_picture


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
    """Say how many hours to buy, what too few or too many cost, and how to label.

    Example: aligntax budget RUN --confidence 0.9
    """
    from aligntax.analysis.answers.budget import budget as plan_budget
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.terminal.budget import print_budget

    check_picture(picture)
    result = load(run, out)
    answer = plan_budget(result, confidence, price, given)
    if picture is not None:
        from aligntax.analysis.figures.budget import budget_figure

        save_picture(budget_figure(result, answer), picture)
    print_answer(
        as_json,
        lambda: {"run": result.record["run"], **answer.to_dict()},
        lambda screen: print_budget(screen, answer),
    )
