"""A panel of experts in a terminal: who answered what, how far they differ, what that moves."""

from typing import TYPE_CHECKING

from aligntax.analysis.summaries.words import how_many, median_and_interval
from aligntax.analysis.sweeps.moves_in_words import (
    DISPUTE_HEADS,
    LEFT_OUT_HEADS,
    SPLIT_HEADS,
    answers_by_expert,
    disputes_in_words,
    left_out_in_words,
    split_rows,
)
from aligntax.analysis.terminal.answer import SHOWN_QUANTITIES
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.priors.quantities import QUANTITIES, lookup

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.inputs.expert_table import Panel
    from aligntax.analysis.sweeps.experts import Experts
    from aligntax.analysis.sweeps.moves_in_words import Told

MOST_NAMED = 10  # answers of one line
MOST_COLUMNS = 6  # experts beside one another; more are below one another
MOST_ROWS = 30  # of a table of moves


def print_panel(console: "Console", panel: "Panel") -> None:
    """Print how many experts state each quantity, how far they differ, and what was left out."""
    print_table(console, SPLIT_HEADS, split_rows(panel.split()))
    reasons: dict[str, list[str]] = {}
    for each in panel.left_out:
        told = f"{each.expert} ({lookup(each.quantity).label}, line {each.line})"
        reasons.setdefault(each.why, []).append(told)
    for why, answers in reasons.items():
        _print_line(console, f"left out, since {why}: {len(answers)}: {_named(answers)}")
    counted = sum(weight > 0 for weight in panel.weights)
    silent = {each.expert for each in panel.left_out} - set(panel.texts)
    notes = [f"{how_many(len(panel.left_out), 'answer')} left out"]
    notes += [f"no usable answer of {', '.join(sorted(silent))}"] if silent else []
    notes += [f"{len(panel.weights) - counted} of weight 0"] if counted < len(panel.weights) else []
    _print_line(console, f"{how_many(counted, 'expert')} pooled; {'; '.join(notes)}")


def print_experts(console: "Console", answer: "Experts") -> None:
    """Print medians under each expert and their pool, the share between, and what moves them."""
    horizon = answer.pooled.info["horizon"]
    if len(answer.answers) > MOST_COLUMNS:
        print_table(console, *answers_by_expert(answer))
    else:
        _print_side_by_side(console, answer)
    left_out = left_out_in_words(answer.left_out, horizon)
    _print_moves(console, LEFT_OUT_HEADS, left_out)
    disputes = disputes_in_words(answer.disputes, horizon)
    _print_moves(console, DISPUTE_HEADS, disputes)
    for a, weight in zip(answer.answers, answer.weights, strict=True):
        _print_line(
            console, f"{a.record['view']} (weight {weight:.2g}): {a.info['refit']['reason']}"
        )
    _print_line(console, f"pooled: {answer.pooled.info['refit']['reason']}")
    if answer.pool:
        _print_line(console, answer.pool)
    failed = ", ".join(answer.failed)
    _print_line(console, f"verdict: {f'a check failed in {failed}' if failed else 'pass'}")
    _print_line(console, f"runs: {', '.join(str(run.path) for run in answer.runs)}")
    if answer.page.is_file():
        _print_line(console, f"report: {answer.page}")


def _print_side_by_side(console: "Console", answer: "Experts") -> None:
    """Print a column an expert."""
    horizon, runs = answer.pooled.info["horizon"], answer.runs
    rows = []
    for name in SHOWN_QUANTITIES:
        share = answer.between.get(name)
        medians = [
            median_and_interval(a.record["quantities"][name], QUANTITIES[name], horizon)[0]
            for a in runs
            if name in a.record["quantities"]
        ]
        if len(medians) == len(runs):
            told = "" if share is None else f"{share:.0%}"
            rows.append((QUANTITIES[name].label, *medians, told))
    columns = [*(a.record["view"] for a in answer.answers), "pooled"]
    print_table(console, ("median of", *columns, "between experts"), rows)


def _print_moves(console: "Console", heads: tuple[str, ...], told: "Told") -> None:
    """Print moves beyond Monte Carlo error, and what moves nothing."""
    if told.rows:
        print_table(console, heads, told.rows[:MOST_ROWS])
    if len(told.rows) > MOST_ROWS:
        _print_line(console, f"and {len(told.rows) - MOST_ROWS} more: see the report or --json")
    if told.still:
        what = f"{heads[0]}, and no answer moves beyond Monte Carlo error"
        _print_line(console, f"{what}: {_named(told.still)}")
    for line in told.notes:
        _print_line(console, f"{heads[0]}, {line}")


def _named(names: "list[str] | tuple[str, ...]") -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _print_line(console: "Console", text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
