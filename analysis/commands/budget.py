"""``budget``: what to buy."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntax.analysis.commands.options import Given, Json, Out, Picture, Quiet
from aligntax.analysis.commands.output import (
    check_picture,
    print_answer,
    save_picture,
    show_progress,
)
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.inference.options import Talk

WITH_HOURS = ("joint", "alignment")  # models whose runs have hours


SomeRun = Annotated[
    str | None,
    typer.Argument(
        help="Folder of a run, its name in the results folder, or latest.",
        show_default="the newest joint or alignment run; if there is none, one is made",
    ),
]
# amounts stay as they were written, so that each is read as every amount is
Confidence = Annotated[
    Any,
    typer.Option(
        parser=str,
        metavar="SHARE",
        help="Probability that the hours suffice, as 80%.",
        show_default="80%",
    ),
]
Year = Annotated[
    str | None,
    typer.Option(
        metavar="YEAR",
        help="Budget for the largest training run of a year, in one paragraph.",
        show_default="until transformative AI arrives",
    ),
]
TrainingCost = Annotated[
    str | None,
    typer.Option(
        metavar="USD",
        help="With --year: cost of your own training run, as '200 million'.",
        show_default="that of the largest run",
    ),
]
Price = Annotated[
    str | None,
    typer.Option(
        metavar="USD",
        help="USD lost per missing hour.",
        show_default="makes that confidence best",
    ),
]


def budget(
    run: SomeRun = None,
    confidence: Confidence = 0.8,
    year: Year = None,
    training_cost: TrainingCost = None,
    price: Price = None,
    given: Given = None,
    picture: Picture = None,
    as_json: Json = False,
    out: Out = Path("results"),
    quiet: Quiet = False,
) -> None:
    """Say how many hours to buy, what they cost, whether a tolerated tax pays, and how to label.

    With --year it answers for that year's largest training run, or your own.

    Example: aligntax budget --year 2027 --training-cost '200 million'

    Example: aligntax budget RUN --confidence 90% --given 'tai_year<2040'
    """
    from aligntax.analysis.answers.budget import budget as plan_budget
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.terminal.budget import print_budget, print_dated_budget
    from aligntax.models.priors.amounts import read_number

    check_picture(picture)
    if picture is not None and year is not None:
        raise InputError(
            f"picture: draws the budget until arrival, got {picture} with --year; leave one out"
        )
    sure = read_number(confidence, "confidence", ("%",), "80%")
    date = None if year is None else read_number(year, "year", (), "2027")
    cost, lost = (
        None if text is None else read_number(text, key, ("USD",), "200 million USD")
        for key, text in (("training_cost", training_cost), ("price", price))
    )
    with show_progress(quiet) as talk:
        folder = run if run is not None else _newest_with_hours(out, talk)
        talk.say("reading the run")
        result = load(folder, out)
        talk.say("weighing hours against what they cost")
        if date is None:
            answer = plan_budget(result, sure, lost, given, training_cost=cost)
        else:
            dated = plan_budget(result, sure, lost, given, year=date, training_cost=cost)
    if date is not None:
        print_answer(as_json, dated.to_dict, lambda screen: print_dated_budget(screen, dated))
        return
    if picture is not None:
        from aligntax.analysis.figures.budget import budget_figure

        save_picture(budget_figure(result, answer), picture)
    print_answer(
        as_json,
        lambda: {"run": result.record["run"], **answer.to_dict()},
        lambda screen: print_budget(screen, answer),
    )


def _newest_with_hours(out: Path, talk: "Talk") -> Path:
    """Folder of the newest run that has hours; where there is none, one is made, and said."""
    from aligntax.analysis.storage.run_folder import newest_of

    found = newest_of(WITH_HOURS, out)
    if found is None:
        from aligntax.analysis.pipeline import run

        made = run("alignment", out=out, report=False, talk=talk)
        found = made.path
        sys.stderr.write(
            f"aligntax: no run of this version with hours in {out}, so {found.name} was made of "
            f"the view default (verdict: {made.record['verdict']})\n"
        )
    return found
