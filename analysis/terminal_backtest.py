"""A backtest in a terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.backtest_words import BELIEF_HEADS, SKILL_HEADS, belief_rows, lost, skill_rows
from analysis.terminal import table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["backtest_table"]


def backtest_table(console: "Console", folder: Path, info: Mapping[str, Any]) -> None:
    """Print skill, where baselines win, beliefs, and what was not forecast."""
    table(
        console,
        SKILL_HEADS,
        skill_rows(info["skill"]),
        "CRPS and its ratio to naive forecasts: below one the model is better",
    )
    for line in lost(info["skill"]):
        console.print(line, markup=False, soft_wrap=True)
    table(console, BELIEF_HEADS, belief_rows(info["beliefs"]), "data exponent that a forecaster would have believed in")
    if info["skipped"]:
        console.print(
            f"{len(info['skipped'])} origins had too few rows; see backtest.json", markup=False, soft_wrap=True
        )
    if info["divergences"]:
        console.print(f"{info['divergences']} draws diverged", style="bold red", markup=False)
    console.print(f"report: {folder / 'report.html'}", markup=False, soft_wrap=True)
