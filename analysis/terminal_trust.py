"""Cross-validation and robustness in a terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.terminal import table
from analysis.trust_words import climbed, cross_validated, moves

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["cross_validation_table", "robustness_table"]

HEADS = ("evidence", "unit predicted", "units", "elpd", "se", "parameters", "worst k", "how", "not trusted")


def cross_validation_table(console: "Console", whole: Mapping[str, Any]) -> None:
    """Print each table's cross-validation, and the units that weights did not carry."""
    table(console, HEADS, [tuple(cross_validated(each).values()) for each in whole["tables"]])
    for each in whole["tables"]:
        for text in climbed(each):
            console.print(text, markup=False, soft_wrap=True)
    console.print(
        "elpd: log density of each unit given the others, summed, nat; parameters: what the units themselves taught.",
        markup=False,
        soft_wrap=True,
    )


def robustness_table(console: "Console", whole: Mapping[str, Any], horizon: float) -> None:
    """Print what moves each headline furthest."""
    rows = [(row["label"], row["median"], row["ninety"], row["moves"]) for row in moves(whole, horizon)]
    table(console, ("headline", "median", "90%", "furthest moved"), rows)
    failed = sum(bool(variant["error"]) for variant in whole["variants"])
    note = f"; {failed} failed" if failed else ""
    console.print(
        f"{len(whole['variants'])} variants of the evidence{note}. To 66%: the new median is where 66% of the run's draws lie "
        "below; a probability moves to what is told. Told are moves of over three Monte Carlo errors.",
        markup=False,
        soft_wrap=True,
    )
