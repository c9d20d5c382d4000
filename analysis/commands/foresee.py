"""``foresee``: what further evidence would change."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.options import Json, Out, Picture, Quiet, Run, Seed
from aligntax.analysis.commands.output import (
    check_picture,
    print_answer,
    save_picture,
    show_progress,
)
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.answers.foreseen import Foreseen
    from aligntax.analysis.foresee import Foresight
    from aligntax.analysis.foresee_since import Replay

SHOWN = 4  # answers of a row, those that narrow most
NOTE = (
    "Expected width of 90% intervals given further rows like the latest, from rows that the model "
    "simulates itself. Worth: expected value of sample information for how many hours to buy. "
    "Empty: it may be chance, within two standard errors of nothing. Weak: weights of the "
    "stored draws cannot be trusted. No source gives what a row costs."
)


def foresee(
    run: Run = "latest",
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Table of evidence, or no_tai: years without transformative AI. May be repeated.",
            show_default="all that can be simulated",
        ),
    ] = None,
    rows: Annotated[
        list[int] | None,
        typer.Option(
            help="How many further rows. May be repeated.",
            show_default="1, 3, 10, and those of a year",
        ),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option(help="Headline quantity. May be repeated.", show_default="all"),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(help="Weigh fewer draws, and sample nothing again."),
    ] = False,
    simulations: Annotated[
        int | None,
        typer.Option(
            help="Simulated data sets of each kind.", show_default="64, 32 with --quick, or 12"
        ),
    ] = None,
    since: Annotated[
        float | None,
        typer.Option(
            metavar="YEAR",
            help="Foresee from the start of a year what came in it, and what that then did.",
            show_default="from now on",
        ),
    ] = None,
    seed: Seed = 2022,
    picture: Picture = None,
    out: Out = Path("results"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how far further evidence would narrow each answer, and what it is worth.

    Example: aligntax foresee latest --quick

    With --since it looks back: what a year was foreseen to do, and did.

    Example: aligntax foresee RUN --since 2024

    Example: aligntax foresee RUN --kind rlhf_efforts --rows 10
    """
    check_picture(picture)
    if since is not None:
        if given := [f"--{n}" for n, v in _unused(kind, rows, quantity, quick, picture) if v]:
            rule = f"goes with --simulations and --seed alone, got {' '.join(given)}"
            raise InputError(f"since: {rule}; leave out one or the other")
        _replay(run, since, simulations, seed, out, (as_json, quiet))
        return
    from aligntax.analysis.foresee import foresee as look_ahead

    with show_progress(quiet, what="working", bad="failed") as talk:
        found = look_ahead(
            run,
            kind or (),
            rows or (),
            quantity or (),
            quick=quick,
            simulations=simulations,
            seed=seed,
            out=out,
            talk=talk,
        )
    if picture is not None:
        from aligntax.analysis.figures.foresight import narrowing_figure

        save_picture(narrowing_figure(found.rows, found.intervals), picture)
    print_answer(as_json, found.to_dict, lambda screen: _print_foresight(screen, found))


def _unused(*options: object) -> list[tuple[str, object]]:
    return list(zip(("kind", "rows", "quantity", "quick", "picture"), options, strict=True))


def _replay(
    run: str, since: float, simulations: int | None, seed: int, out: Path, how: tuple[bool, bool]
) -> None:
    """Foresee from an earlier date; ``how`` is ``--json`` and ``--quiet``."""
    from aligntax.analysis.foresee_since import REPLAYS, foresee_since

    with show_progress(how[1], what="refitting", bad="failed") as talk:
        number = REPLAYS if simulations is None else simulations
        found = foresee_since(run, since, number, seed, out=out, talk=talk)
    print_answer(how[0], found.to_dict, lambda screen: _print_replay(screen, found))


def _print_replay(screen: "Console", found: "Replay") -> None:
    from aligntax.analysis.answers.foreseen import KINDS, width_unit
    from aligntax.analysis.summaries.words import format_number, label_of
    from aligntax.analysis.terminal.tables import print_simulated, print_table, print_verdict

    print_simulated(screen, found.run.record)
    came = ", ".join(f"{KINDS[table]} {k}" for table, k in found.rows.items())
    screen.print(f"Came between {found.since:g} and {found.until:g}: {came}.", markup=False)
    lines = []
    for name, each in found.answers.items():
        told, width = each.to_dict(), f"{format_number(each.now, 3)} {width_unit(name)}".rstrip()
        foreseen = f"{round(100 * told['foreseen'])}% (sd {100 * told['sd']:.0f})"
        place = f"{each.below} of {found.simulations}"
        lines.append((label_of(name), width, foreseen, f"{round(100 * each.happened)}%", place))
    heads = ("answer", "90% interval before", "foreseen", "happened", "foreseen less in")
    print_table(screen, heads, lines)
    outside = [label_of(n) for n, e in found.answers.items() if e.below in (0, found.simulations)]
    beyond = f"beyond all simulations: {', '.join(outside)}" if outside else "beyond none"
    screen.print(
        "Share by which the interval became shorter: in simulations of the rows that came, and by "
        f"these rows. What happened lies {beyond}.",
        markup=False,
    )
    print_verdict(screen, found.run.record)


def _print_foresight(screen: "Console", found: "Foresight") -> None:
    from aligntax.analysis.summaries.words import format_estimate
    from aligntax.analysis.terminal.tables import print_simulated, print_table, print_verdict

    print_simulated(screen, found.run.record)
    lines = [_line(row, found) for row in found.rows]
    print_table(screen, ("evidence", "rows", "90% intervals", "worth, USD", "how"), lines)
    screen.print(NOTE, markup=False)
    if found.evpi is not None:
        known = format_estimate(vars(found.evpi))
        screen.print(f"Knowing everything would be worth {known}.", markup=False)
        screen.print(_worth_of_kinds(found), markup=False)
    for why in dict.fromkeys(found.left_out.values()):
        names = [name for name, reason in found.left_out.items() if reason == why]
        screen.print(f"Left out, since {why}: {', '.join(names)}.", markup=False)
    print_verdict(screen, found.run.record)


def _worth_of_kinds(found: "Foresight") -> str:
    """What it is worth to know all that a kind bears on, the most first."""
    from aligntax.analysis.answers.foreseen import KINDS
    from aligntax.analysis.summaries.words import format_estimate

    clear = {kind: value for kind, value in found.evppi.items() if value.usd > 2 * value.error}
    told = [
        f"{KINDS[kind]} {format_estimate(vars(value))}"
        for kind, value in sorted(clear.items(), key=lambda pair: -pair[1].usd)
    ]
    rest = ", ".join(KINDS[kind] for kind in found.evppi if kind not in clear)
    most = f"Rows of a kind approach what it bears on (EVPPI): {'; '.join(told) or 'none'}"
    return f"{most}; within error of nothing: {rest}." if rest else f"{most}."


def _line(row: "Foreseen", found: "Foresight") -> tuple[str, ...]:
    """Cells of a row."""
    from aligntax.analysis.answers.foreseen import in_words
    from aligntax.analysis.summaries.words import format_number

    number = f"{row.rows} (a year's)" if row.a_year else str(row.rows)
    how = {
        "weights": f"weights, {row.untrusted} of {row.simulations} weak",
        "refits": f"{row.simulations} refits",
        "condition": "condition",
        "none": f"weak in {row.untrusted} of {row.simulations}",
    }[row.method]
    if not row.trusted:
        return row.title, number, "not trusted", "", how
    clear = [(n, each) for n, each in row.answers.items() if each.contraction.clear]
    clear.sort(key=lambda pair: -abs(pair[1].contraction.value))
    cell = "; ".join(in_words(name, found.intervals[name], each) for name, each in clear[:SHOWN])
    worth = ""
    if row.value and row.worth:
        worth = f"{format_number(row.value.value)} ± {format_number(row.value.error, 1)}"
    return row.title, number, cell, worth, how
