"""``sensitivity``: what drives the answer of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntax.analysis.commands.shared import (
    Json,
    Out,
    Picture,
    Run,
    check_picture,
    console,
    dump,
    save_picture,
)
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.fitting.moved_prior import Point


# of a sweep, by default
CURVES = ("tai_year", "alignment_hours_needed", "alignment_hours_affordable", "alignment_tax")


def sensitivity(
    run: Run,
    quantity: Annotated[
        list[str] | None,
        typer.Option(help="Headline quantity; may be repeated.", show_default="all"),
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
) -> None:
    """Say which priors and which evidence drive the answer, and what knowing a quantity would be worth."""
    _check(price, picture)
    if sweep is not None:
        _sweep(run, out, sweep, quantity or [], picture, as_json)
        return
    from aligntax.analysis.answers.sensitivity import (
        SensitivityDraws,
        analyse_drivers,
        compact_record,
        hours_decision,
        to_four_digits,
    )
    from aligntax.analysis.storage.load import load

    result = load(run, out)
    draws = SensitivityDraws.of_result(result)
    names = _chosen(quantity or [], tuple(draws.answers))
    whole = analyse_drivers(draws)
    worth = hours_decision(draws, price)
    whole["headlines"] = {name: whole["headlines"][name] for name in names or whole["headlines"]}
    if picture is not None:
        from aligntax.analysis.figures.sensitivity import heat_map

        save_picture(heat_map(compact_record(whole, worth)), picture)
    if as_json:
        dump({"run": result.path.name, **to_four_digits(whole), "decision": to_four_digits(worth)})
        return
    _print(compact_record(whole, worth), names)


def _check(price: float | None, picture: Path | None) -> None:
    if price is not None and not 0 < price < float("inf"):
        raise InputError(
            f"price: must be a positive number of USD, got {price}; leave it out for the default"
        )
    check_picture(picture)


def _chosen(names: list[str], known: tuple[str, ...]) -> list[str]:
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=3) or known
            raise InputError(
                f"quantity: must be a headline quantity that varies in this run, got {name!r}; "
                f"did you mean {', '.join(near)}?"
            )
    return names


def _print(found: dict[str, Any], names: list[str]) -> None:
    from aligntax.analysis.answers.sensitivity_wording import (
        CAUTION,
        contraction_sentence,
        decision_sentence,
        driver_rows,
        shown_answers,
    )
    from aligntax.analysis.terminal.tables import table

    screen = console()
    lines = [
        (row["label"], row["drivers"], row["spread"], row["prior"], row["likelihood"], row["flag"])
        for row in driver_rows(found, names or shown_answers(found))
    ]
    table(
        screen,
        ("quantity", "single priors that move it", "spread", "priors", "evidence", "note"),
        lines,
    )
    for text in (CAUTION, contraction_sentence(found), decision_sentence(found["decision"])):
        if text:
            screen.print(text, markup=False)


def _sweep(
    run: str, out: Path, text: str, quantity: list[str], picture: Path | None, as_json: bool
) -> None:
    """Answers over the median of one prior."""
    from aligntax.analysis.fitting.moved_prior import Range, what_if
    from aligntax.analysis.storage.fast_reader import read_source
    from aligntax.models.priors.quantities import base_name

    wanted, source = Range.parse(text), read_source(run, out)
    known = tuple(
        name for name in source.record["quantities"] if base_name(name) in source.model.headlines
    )
    names = (
        _chosen(quantity, known) or [name for name in CURVES if name in known] or list(known[:4])
    )
    points = what_if(source, wanted)
    if picture is not None:
        from aligntax.analysis.figures.sensitivity import curves

        save_picture(curves(points, wanted, names), picture)
    if as_json:
        dump(
            {
                "run": source.path.name,
                "quantity": wanted.quantity,
                "points": [_point(point, names) for point in points],
            }
        )
        return
    _print_sweep(points, wanted.quantity, names, source.view.arrival.horizon)


def _point(point: "Point", names: list[str]) -> dict[str, Any]:
    keys = ("q05", "q50", "q95", "prob_above", "prob_below", "prob_undefined")
    return {
        "median": point.value,
        "trusted": point.trusted,
        "ess": point.ess,
        "k_hat": point.k_hat,
        "reason": point.reason,
        "quantities": {name: {key: point.rows[name][key] for key in keys} for name in names},
    }


def _print_sweep(points: "list[Point]", quantity: str, names: list[str], horizon: float) -> None:
    from aligntax.analysis.summaries.words import format_number, label_of, median_and_interval
    from aligntax.analysis.terminal.tables import table
    from aligntax.models.priors.quantities import lookup, quantity_of

    lines = []
    for point in points:
        cells = [median_and_interval(point.rows[name], quantity_of(name), horizon) for name in names]
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
    screen, moved = console(), lookup(quantity)
    unit = "" if moved.unit == "1" else f" ({moved.unit})"
    heads = (f"{moved.label}{unit}", *(label_of(name) for name in names), "ESS", "k-hat", "")
    table(screen, heads, lines)
    screen.print(
        f"Medians and 90% intervals as the median of the prior of {quantity} moves, its shape kept on its own scale.",
        markup=False,
    )
    if not all(point.trusted for point in points):
        screen.print(
            "Where weights are not to be trusted, sample: `aligntax run --set`.", markup=False
        )
