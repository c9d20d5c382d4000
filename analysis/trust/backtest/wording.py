"""A backtest in words, for terminal and page."""

from collections.abc import Mapping
from typing import Any

from aligntax.analysis.summaries.words import format_percent, format_probability
from aligntax.analysis.trust.backtest.folder import WINDOWS
from aligntax.analysis.trust.backtest.origins import BASELINES

SKILL_HEADS = (
    "predicted",
    "unit",
    "rows",
    "CRPS",
    *(f"to {name} ({', '.join(f'{years:.0f}' for years in WINDOWS)} years)" for name in BASELINES),
    "50% covers",
    "90% covers",
    "log score gain",
)
BELIEF_HEADS = ("end of", "studies", "gamma", "90%", "below 1", "above 0.8")


def skill_rows(skill: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Row of each target: CRPS, its ratio to each baseline's, coverage and gain in log score.

    Ratios are given over all rows, and over those within the first years ahead.
    """
    rows = []
    for row in skill:
        beside = [row["baselines"][name] for name in BASELINES]
        ratios = ["" if each is None else _ratios(each) for each in beside]
        covers = [format_percent(row[f"covered_{level}"]) for level in (50, 90)]
        gains = "; ".join(
            "" if each is None else f"{each['log_score_gain']:+.2f}" for each in beside
        )
        rows.append(
            (
                row["target"],
                row["unit"],
                str(row["rows"]),
                f"{row['crps']:.3f}",
                *ratios,
                *covers,
                gains,
            )
        )
    return rows


def _ratios(beside: Mapping[str, Any]) -> str:
    """Ratio over all rows, and over those within the first years."""
    ahead = ", ".join(_two_decimals(beside[f"within_{years:.0f}"]) for years in WINDOWS)
    return f"{_two_decimals(beside['ratio'])} ({ahead})"


def _two_decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def baseline_wins(skill: list[Mapping[str, Any]]) -> list[str]:
    """A sentence for each target and baseline that says at which origins the baseline is better."""
    sentences = []
    for row in skill:
        for name in BASELINES:
            beside = row["baselines"][name]
            if beside is None:
                continue
            count = len(beside["by_origin"])
            years = ", ".join(str(origin) for origin in beside["lost"]) or "none"
            sentences.append(f"{row['target']}: the {name} wins at {years} of {count} origins")
    return sentences


def belief_rows(beliefs: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Row of each origin: what a forecaster would have believed of the data exponent."""
    return [
        (
            str(each["origin"]),
            str(each["studies"]),
            f"{each['q50']:.2f}",
            f"{each['q05']:.2f} to {each['q95']:.2f}",
            format_probability(each["below_one"]),
            format_probability(each["above_cotra"]),
        )
        for each in beliefs
    ]
