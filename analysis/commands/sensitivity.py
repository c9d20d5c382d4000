"""``sensitivity``: what drives the answer of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.options import Json, Out, Picture, Quiet, Run
from aligntax.analysis.commands.output import (
    check_picture,
    print_answer,
    save_picture,
    show_progress,
)

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.drivers import MovedPrior, Sensitivity


def sensitivity(
    run: Run,
    quantity: Annotated[
        list[str] | None,
        typer.Option(help="Headline quantity. May be repeated.", show_default="all"),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            help="USD lost per missing hour.", show_default="best covered in 80% of cases"
        ),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(help="Move the median of one prior: QUANTITY=LOW,HIGH[,N], in its own unit."),
    ] = None,
    picture: Picture = None,
    out: Out = Path("results"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which priors and which evidence drive the answer, and what knowing more is worth.

    Example: aligntax sensitivity RUN --sweep spend_growth=0.2,0.6,5

    Example: aligntax sensitivity latest --quantity alignment_hours_needed
    """
    check_picture(picture)
    if sweep is not None:
        _move_prior(run, out, sweep, quantity or [], picture, (as_json, quiet))
        return
    from aligntax.analysis.drivers import sensitivity as analyse

    with show_progress(quiet) as talk:
        talk.say("finding what drives each answer, half a minute for 4,000 draws")
        found = analyse(run, quantity or [], price, out=out)
    if picture is not None:
        from aligntax.analysis.figures.sensitivity import heat_map

        save_picture(heat_map(found.main), picture)
    print_answer(as_json, found.to_dict, lambda screen: _print_drivers(screen, found))


def _print_drivers(screen: "Console", analysis: "Sensitivity") -> None:
    from aligntax.analysis.answers.sensitivity_wording import (
        CAUTION,
        SWING_HEADS,
        SWING_NOTE,
        contraction_sentence,
        decision_sentence,
        driver_rows,
        open_sentence,
        shown_answers,
        swing_rows,
        without_correlations_sentence,
    )
    from aligntax.analysis.terminal.tables import print_simulated, print_table, print_verdict

    found, result, apart = analysis.main, analysis.run, analysis.apart
    print_simulated(screen, result.record)
    if swung := swing_rows(analysis.swings, result.view.arrival.horizon):
        print_table(screen, SWING_HEADS, swung)
        screen.print(SWING_NOTE, markup=False)
    shown = list(analysis.names) or shown_answers(found)
    lines = [
        (row["label"], row["drivers"], row["spread"], row["prior"], row["likelihood"], row["flag"])
        for row in driver_rows(found, shown)
    ]
    print_table(
        screen,
        ("quantity", "single priors that move it", "spread", "priors", "evidence", "note"),
        lines,
    )
    for text in (
        CAUTION,
        open_sentence(found, shown),
        contraction_sentence(found),
        decision_sentence(found["decision"]),
    ):
        if text:
            screen.print(text, markup=False)
    if apart is not None:
        horizon = result.view.arrival.horizon
        screen.print(
            without_correlations_sentence(result.record["quantities"], apart, horizon), markup=False
        )
    print_verdict(screen, result.record)


def _move_prior(
    run: str,
    out: Path,
    text: str,
    quantity: list[str],
    picture: Path | None,
    how: tuple[bool, bool],
) -> None:
    """Answer over the median of one prior; ``how`` is ``--json`` and ``--quiet``."""
    from aligntax.analysis.drivers import move_prior

    as_json, quiet = how
    with show_progress(quiet) as talk:
        talk.say("answering at each value of the median")
        found = move_prior(run, text, quantity, out=out)
    if picture is not None:
        from aligntax.analysis.figures.sensitivity import what_if_curves

        save_picture(what_if_curves(found.points, found.range, list(found.names)), picture)
    print_answer(as_json, found.to_dict, lambda screen: _print_moved(screen, found))


def _print_moved(screen: "Console", found: "MovedPrior") -> None:
    from aligntax.analysis.summaries.words import format_number, label_of, median_and_interval
    from aligntax.analysis.terminal.tables import print_simulated, print_table, print_verdict
    from aligntax.models.priors.quantities import lookup, quantity_of

    print_simulated(screen, {"simulated": found.simulated})
    points, quantity, names = found.points, found.range.quantity, found.names
    horizon = found.horizon
    lines = []
    for point in points:
        cells = [
            median_and_interval(point.rows[name], quantity_of(name), horizon) for name in names
        ]
        k_hat = "exact" if point.k_hat is None else f"{point.k_hat:.2f}"
        weak = "" if point.trusted else "not to be trusted"
        lines.append(
            (
                format_number(point.value, 3),
                *(f"{m} ({b})" if b else m for m, b in cells),
                f"{point.ess:.0f}",
                k_hat,
                weak,
            )
        )
    moved = lookup(quantity)
    unit = "" if moved.unit == "1" else f" ({moved.unit})"
    heads = (f"{moved.label}{unit}", *(label_of(name) for name in names), "ESS", "k-hat", "")
    print_table(screen, heads, lines)
    screen.print(
        f"Medians and 90% intervals as the median of the prior of {quantity} moves. "
        "The prior keeps its shape on its own scale.",
        markup=False,
    )
    if not all(point.trusted for point in points):
        screen.print("Where weights cannot be trusted, sample: `aligntax run --set`.", markup=False)
    print_verdict(screen, vars(found))
