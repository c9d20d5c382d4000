"""``gold-curves``: simulate how far a proxy reward can be optimised, by its number of labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.options import Force, Json, Quiet, Seed
from aligntax.analysis.commands.output import print_answer, show_progress
from aligntax.models.errors import InputError

SIMULATED = "every number is of a world that this package simulates"

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.experiments.exploration import Explored
    from aligntax.analysis.experiments.gold_curves import Cause, Curves


def gold_curves(
    labels: Annotated[
        str, typer.Option(help="Label counts, separated by commas.")
    ] = "100,300,1000,3000,10000,30000",
    replicates: Annotated[int, typer.Option(help="Proxies learned from each label count.")] = 5,
    seed: Seed = 2022,
    out: Annotated[
        Path | None,
        typer.Option(
            help="CSV file to write: the evidence table gold_curves.", show_default="none"
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate proxy rewards learned from few or many labels, and optimise them ever further.

    Policies are optimised by best-of-n and by tilting. Gold reward rises with
    KL, peaks and falls; more labels move the peak out and up. The tables give
    this by label count. They also compare policy steps that only stay close
    to the last policy with a KL penalty on leaving the first, and show where
    optimising a lot needs a policy that is paid for entropy.

    Example: aligntax gold-curves --labels 100,1000 --out gold_curves.csv

    Example: aligntax gold-curves --labels 1000

    JSON: simulated, seed, replicates, by_labels (labels, accuracy, peak_kl in
    nats, peak_gold and last_gold in sd), misfit (method, then form: root mean
    square in sd), local_steps (gold after steps and of tilts at a kl),
    exploration (reward after little and much optimisation, by what is paid
    for), file.
    """
    from dataclasses import asdict

    from aligntax.analysis.experiments.exploration import compare_exploration
    from aligntax.analysis.experiments.gold_curves import (
        compare_local_steps,
        simulate_curves,
        table_text,
    )
    from aligntax.analysis.storage.whole_file import check_can_write, save_user_file

    counts = _parse_counts(labels)
    if out is not None:
        check_can_write(out, force)
    with show_progress(quiet) as talk:
        curves = simulate_curves(counts, replicates, seed, talk=talk)
        compared, explored = compare_local_steps(seed, talk=talk), compare_exploration()
    if out is not None:
        save_user_file(out, table_text(curves), force)
    print_answer(
        as_json,
        lambda: {
            "simulated": SIMULATED,
            "seed": seed,
            "replicates": replicates,
            "by_labels": curves.by_labels(),
            "misfit": {
                method: {form: curves.misfit(method, form) for form in ("bon", "rl")}
                for method in ("tilt", "bon")
            },
            "local_steps": [asdict(cause) for cause in compared],
            "exploration": [asdict(each) for each in explored],
            "file": None if out is None else str(out),
        },
        lambda screen: _print_tables(screen, curves, compared, explored),
    )
    if out is not None and not as_json:
        typer.echo(out)


def _parse_counts(text: str) -> list[int]:
    try:
        values = [float(part) for part in text.split(",")]
        if any(value != int(value) for value in values):
            raise ValueError
        return [int(value) for value in values]
    except (ValueError, OverflowError):
        rule = "must be whole numbers separated by commas"
        raise InputError(f"labels: {rule}, got {text!r}; such as 100,1000,10000") from None


def _print_tables(
    screen: "Console", curves: "Curves", compared: "list[Cause]", explored: "list[Explored]"
) -> None:
    from aligntax.analysis.experiments.gold_curves import BUDGETS
    from aligntax.analysis.terminal.tables import print_table
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
    print_table(
        screen,
        heads,
        rows,
        f"Simulated world: optimising a proxy by tilting, averages of {curves.replicates} proxies",
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
    print_table(
        screen, heads, rows, "Gold at equal KL: penalty on leaving the first policy, or local steps"
    )
    _print_exploration(screen, explored)
    misfit = " and ".join(
        f"{_misfit(curves.misfit(method, 'rl'))} sd for {name} "
        f"({_misfit(curves.misfit(method, 'bon'))})"
        for method, name in (("tilt", "tilts"), ("bon", "best-of-n"))
    )
    screen.print(
        "accuracy: share of fresh, noisy comparisons; gold: in sd under the initial policy.\n"
        "Exact steps lose nothing by dropping the penalty. Noisy ones waste KL, a policy that "
        "cannot follow the\n"
        "reward loses a little, and a reward relearned on the way gains once enough labels are "
        "in.\n"
        f"d (alpha - beta log d) misses gold by {misfit}; in brackets d (alpha - beta d).\n"
        f"{DIFFERENCES}",
        markup=False,
        soft_wrap=True,
    )


def _print_exploration(screen: "Console", explored: "list[Explored]") -> None:
    """Print how policies fare that can collapse, by what keeps them open."""
    from aligntax.analysis.experiments.exploration import LITTLE, MORE
    from aligntax.analysis.terminal.tables import print_table

    rows = [
        (
            each.paid_for,
            f"{each.little:.2f}",
            f"{each.more:.2f}",
            f"{each.last:.2f}",
            f"{each.last_kl:.1f}",
            f"{each.last_sd:.2f}",
        )
        for each in explored
    ]
    heads = (
        "paid for beside reward, per nat",
        f"reward at {LITTLE:g} nats",
        f"at {MORE:g}",
        "at last",
        "nats at last",
        "sd at last",
    )
    title = "A designed example of two hills: optimising a lot needs exploration"
    print_table(screen, heads, rows, title)


def _misfit(value: float) -> str:
    return "0" if value < 1e-9 else f"{value:.2g}"


def _gap(gap: float, se: float) -> str:
    if abs(gap) < 1e-9:
        return "none"
    return f"{gap:+.2f}" + (f" (se {se:.2f})" if se else "")
