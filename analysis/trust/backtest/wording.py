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
    """Each target: CRPS, its ratio to the baselines', by years ahead too, coverage, and gain in log score over both."""
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
    ahead = ", ".join(_two(beside[f"within_{years:.0f}"]) for years in WINDOWS)
    return f"{_two(beside['ratio'])} ({ahead})"


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def lost(skill: list[Mapping[str, Any]]) -> list[str]:
    """A sentence for each target and baseline: at which origins the baseline was better, or that it never was."""
    told = []
    for row in skill:
        for name in BASELINES:
            beside = row["baselines"][name]
            if beside is None:
                continue
            count, years = (
                len(beside["by_origin"]),
                ", ".join(str(origin) for origin in beside["lost"]),
            )
            where = (
                f"wins at {years} of {count} origins"
                if years
                else f"wins at none of {count} origins"
            )
            told.append(f"{row['target']}: the {name} {where}")
    return told


def belief_rows(beliefs: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """What a forecaster would have believed of the data exponent."""
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
