"""``sensitivity``: what drives the answer of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntax.analysis.commands.options import Json, Out, Picture, Run
from aligntax.analysis.commands.output import check_picture, print_answer, save_picture
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.fitting.moved_prior import MovedPoint, ReusedAnswer
    from aligntax.analysis.storage.result import Result
    from aligntax.analysis.storage.sampled_run import SampledRun


# quantities that a sweep shows unless --quantity names others
SWEPT_QUANTITIES = (
    "tai_year",
    "alignment_hours_needed",
    "labour_tax",
    "compute_tax",
)


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
) -> None:
    """Say which priors and which evidence drive the answer, and what knowing more is worth.

    Example: aligntax sensitivity RUN --sweep spend_growth=0.2,0.6,5
    """
    _check(price, picture)
    if sweep is not None:
        _sweep_prior(run, out, sweep, quantity or [], picture, as_json)
        return
    from aligntax.analysis.answers.sensitivity import (
        analyse_drivers,
        compact_record,
        hours_decision,
        to_four_digits,
    )
    from aligntax.analysis.answers.sensitivity_draws import SensitivityDraws
    from aligntax.analysis.fitting.moved_prior import without_correlations
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.storage.sampled_run import read_sampled_run

    result = load(run, out)
    draws = SensitivityDraws.of_result(result)
    names = _check_names(quantity or [], tuple(draws.answers))
    apart = without_correlations(read_sampled_run(run, out))
    whole = analyse_drivers(draws)
    worth = hours_decision(draws, price)
    whole["headlines"] = {name: whole["headlines"][name] for name in names or whole["headlines"]}
    if picture is not None:
        from aligntax.analysis.figures.sensitivity import heat_map

        save_picture(heat_map(compact_record(whole, worth)), picture)
    print_answer(
        as_json,
        lambda: {
            "run": result.path.name,
            "simulated": result.record.get("simulated", ""),
            **to_four_digits(whole),
            "decision": to_four_digits(worth),
            "without_correlations": None
            if apart is None
            else _answer_record(apart, list(whole["headlines"])),
        },
        lambda screen: _print_drivers(screen, compact_record(whole, worth), names, result, apart),
    )


def _check(price: float | None, picture: Path | None) -> None:
    if price is not None and not 0 < price < float("inf"):
        raise InputError(
            f"price: must be a positive number of USD, got {price}; leave it out for the default"
        )
    check_picture(picture)


def _check_names(names: list[str], known: tuple[str, ...]) -> list[str]:
    """Return the names if all are known; refuse others with the nearest known ones."""
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=3) or known
            raise InputError(
                f"quantity: must be a headline quantity that varies in this run, got {name!r}; "
                f"did you mean {', '.join(near)}?"
            )
    return names


def _print_drivers(
    screen: "Console",
    found: dict[str, Any],
    names: list[str],
    result: "Result",
    apart: "ReusedAnswer | None",
) -> None:
    from aligntax.analysis.answers.sensitivity_wording import (
        CAUTION,
        contraction_sentence,
        decision_sentence,
        driver_rows,
        open_sentence,
        shown_answers,
        without_correlations_sentence,
    )
    from aligntax.analysis.terminal.tables import print_simulated, print_table

    print_simulated(screen, result.record)
    shown = names or shown_answers(found)
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


def _sweep_prior(
    run: str, out: Path, text: str, quantity: list[str], picture: Path | None, as_json: bool
) -> None:
    """Answer over the median of one prior."""
    from aligntax.analysis.fitting.moved_prior import MedianRange, answers_over_range
    from aligntax.analysis.storage.sampled_run import read_sampled_run
    from aligntax.models.priors.quantities import base_name

    wanted, source = MedianRange.parse(text), read_sampled_run(run, out)
    known = tuple(
        name for name in source.record["quantities"] if base_name(name) in source.model.headlines
    )
    default = [name for name in SWEPT_QUANTITIES if name in known] or list(known[:4])
    names = _check_names(quantity, known) or default
    points = answers_over_range(source, wanted)
    if picture is not None:
        from aligntax.analysis.figures.sensitivity import what_if_curves

        save_picture(what_if_curves(points, wanted, names), picture)
    print_answer(
        as_json,
        lambda: {
            "run": source.path.name,
            "simulated": source.record.get("simulated", ""),
            "quantity": wanted.quantity,
            "points": [{"median": point.value, **_answer_record(point, names)} for point in points],
        },
        lambda screen: _print_sweep(screen, points, wanted.quantity, names, source),
    )


def _answer_record(answer: "ReusedAnswer", names: list[str]) -> dict[str, Any]:
    keys = ("q05", "q50", "q95", "prob_above", "prob_below", "prob_undefined")
    return {
        "trusted": answer.trusted,
        "ess": answer.ess,
        "k_hat": answer.k_hat,
        "reason": answer.reason,
        "quantities": {name: {key: answer.rows[name][key] for key in keys} for name in names},
    }


def _print_sweep(
    screen: "Console",
    points: "list[MovedPoint]",
    quantity: str,
    names: list[str],
    source: "SampledRun",
) -> None:
    from aligntax.analysis.summaries.words import format_number, label_of, median_and_interval
    from aligntax.analysis.terminal.tables import print_simulated, print_table
    from aligntax.models.priors.quantities import lookup, quantity_of

    print_simulated(screen, source.record)
    lines, horizon = [], source.view.arrival.horizon
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
