"""``gold-curves``: simulate how far a proxy reward can be optimised, by how many labels it was learned from."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.shared import Json, console, dump
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.experiments.gold_curves import Cause, Curves


def gold_curves(
    labels: Annotated[
        str, typer.Option(help="Label counts, separated by commas.")
    ] = "100,300,1000,3000,10000,30000",
    replicates: Annotated[int, typer.Option(help="Proxies of each label count.")] = 5,
    seed: Annotated[int, typer.Option(help="Root of every random number.")] = 2022,
    out: Annotated[
        Path | None,
        typer.Option(
            help="CSV file to write: the evidence table gold_curves.", show_default="none"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk.")] = False,
) -> None:
    """Simulate proxies learned from few or many labels, optimised ever further by best-of-n and by tilting.

    Gold reward rises with KL, peaks and falls; more labels move the peak out
    and up. The tables give this by label count, and compare policy steps that
    only stay close to the last policy with a KL penalty on leaving the first.

    JSON: seed, replicates, by_labels (labels, accuracy, peak_kl in nats,
    peak_gold and last_gold in sd), misfit (method, then form: root mean square
    in sd), local_steps (gold after steps and of tilts at a kl), file.
    """
    from dataclasses import asdict

    from aligntax.analysis.experiments.gold_curves import causes, sweep, table_text
    from aligntax.analysis.storage.whole_file import check_new, save
    from aligntax.analysis.terminal.tables import progress

    counts = _counts(labels)
    if out is not None:
        check_new(out, force)
    with progress(console(stderr=True), talk=not quiet and sys.stderr.isatty()) as talk:
        curves = sweep(counts, replicates, seed, talk=talk)
        compared = causes(seed, talk=talk)
    if out is not None:
        save(out, table_text(curves), force)
    if as_json:
        misfit = {
            method: {form: curves.misfit(method, form) for form in ("bon", "rl")}
            for method in ("tilt", "bon")
        }
        head = {
            "seed": seed,
            "replicates": replicates,
            "by_labels": curves.by_labels(),
            "misfit": misfit,
        }
        dump(
            head
            | {
                "local_steps": [asdict(each) for each in compared],
                "file": None if out is None else str(out),
            }
        )
        return
    _print(console(), curves, compared)
    if out is not None:
        typer.echo(out)


def _counts(text: str) -> list[int]:
    try:
        values = [float(part) for part in text.split(",")]
        if any(value != int(value) for value in values):
            raise ValueError
        return [int(value) for value in values]
    except (ValueError, OverflowError):
        rule = "must be whole numbers separated by commas"
        raise InputError(f"labels: {rule}, got {text!r}; such as 100,1000,10000") from None


def _print(screen: "Console", curves: "Curves", compared: "list[Cause]") -> None:
    from aligntax.analysis.experiments.gold_curves import BUDGETS
    from aligntax.analysis.terminal.tables import table
    from aligntax.models.overoptimization.proxy_rewards import DIFFERENCES

    rows = [
        (
            f"{row['labels']:,}",
            f"{100 * row['accuracy']:.1f}%",
            f"{row['peak_kl']:.3g}",
            f"{row['peak_gold']:.2f}",
            f"{row['last_gold']:.2f}",
        )
        for row in curves.by_labels()
    ]
    heads = ("labels", "accuracy", "peak at, nats", "gold there, sd", f"gold at {BUDGETS[-1]} nats")
    table(
        screen,
        heads,
        rows,
        f"Optimising a proxy by tilting, averages of {curves.replicates} proxies",
    )
    rows = [
        (
            each.words,
            f"{each.kl:g}",
            f"{each.tilts:.2f}",
            f"{each.steps:.2f}",
            _gap(each.gap, each.gap_se),
        )
        for each in compared
    ]
    heads = ("local steps", "nats", "gold, penalty", "gold, steps", "difference")
    table(
        screen, heads, rows, "Gold at equal KL: penalty on leaving the first policy, or local steps"
    )
    misfit = " and ".join(
        f"{_misfit(curves.misfit(method, 'rl'))} sd for {name} ({_misfit(curves.misfit(method, 'bon'))})"
        for method, name in (("tilt", "tilts"), ("bon", "best-of-n"))
    )
    screen.print(
        "accuracy: share of fresh, noisy comparisons; gold: in sd under the initial policy.\n"
        "Exact steps lose nothing by dropping the penalty. Noisy ones waste KL, a policy that cannot follow the\n"
        "reward loses a little, and a reward relearned on the way gains once enough labels are in.\n"
        f"d (alpha - beta log d) misses gold by {misfit}; in brackets d (alpha - beta d).\n{DIFFERENCES}",
        markup=False,
        soft_wrap=True,
    )


def _misfit(value: float) -> str:
    return "0" if value < 1e-9 else f"{value:.2g}"


def _gap(gap: float, se: float) -> str:
    if abs(gap) < 1e-9:
        return "none"
    return f"{gap:+.2f}" + (f" (se {se:.2f})" if se else "")
