"""A backtest in words, for terminal and page."""

from collections.abc import Mapping
from typing import Any

from aligntax.analysis.summaries.words import format_percent, format_probability
from aligntax.analysis.trust.backtest.folder import WINDOWS

SKILL_HEADS = ("predicted", "unit", "rows", "CRPS", "50% covers", "90% covers")
BESIDE_HEADS = (
    "predicted",
    "naive forecaster",
    "ratio of CRPS",
    *(f"{years:.0f} year{'s' * (years > 1)} ahead" for years in WINDOWS),
    "log score gain",
)
NAMED_HEADS = ("forecaster", "predicted", "due", "forecast", "came", "PIT", "CRPS", "naive CRPS")
WIN_HEADS = ("predicted", "naive forecaster", "origins it wins", "ratio there", "over all")
BELIEF_HEADS = ("end of", "studies", "gamma", "90%", "below 1", "above 0.8")


def skill_rows(skill: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Row of each target: CRPS of the model, and how often its intervals cover."""
    return [
        (
            row["target"],
            row["unit"],
            str(row["rows"]),
            f"{row['crps']:.3f}",
            *(format_percent(row[f"covered_{level}"]) for level in (50, 90)),
        )
        for row in skill
    ]


def beside_rows(skill: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Row of each target and naive forecaster: ratio of CRPS, and gain in log score.

    The ratio is given over all rows, and over those within the first years.
    """
    return [
        (
            row["target"],
            name,
            f"{beside['ratio']:.2f}",
            *(_two_decimals(beside[f"within_{years:.0f}"]) for years in WINDOWS),
            f"{beside['log_score_gain']:+.2f}",
        )
        for row in skill
        for name, beside in row["baselines"].items()
        if beside is not None
    ]


def _two_decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def win_rows(wins: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Row of each target and naive forecaster that is better somewhere."""
    return [
        (
            win["target"],
            win["forecaster"],
            f"{', '.join(str(origin) for origin in win['origins']) or 'none'} of {win['of']}",
            _between(list(win["origins"].values())),
            f"{'wins' if win['overall'] else 'loses'} ({win['ratio']:.2f})",
        )
        for win in wins
    ]


def _between(ratios: list[float]) -> str:
    """Least and largest ratio of the model's CRPS to the forecaster's."""
    low, high = (_two_decimals(end(ratios, default=None)) for end in (min, max))
    return low if low == high else f"{low} to {high}"


def win_sentence(wins: list[Mapping[str, Any]], skill: list[Mapping[str, Any]]) -> str:
    """Say at a glance where a naive forecaster wins, from the scores."""
    overall = [f"{win['target']} to the {win['forecaster']}" for win in wins if win["overall"]]
    lost = sum(len(win["origins"]) for win in wins)
    beside = [each for row in skill for each in row["baselines"].values() if each is not None]
    total = sum(len(each["by_origin"]) for each in beside)
    loses = f"The model loses {', '.join(overall)}" if overall else "The model loses to none"
    return f"{loses} over all origins, and at {lost} of {total} single origins."


def named_rows(named: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Row of each named person's forecast: median and 90%, what came, and scores."""
    rows: list[tuple[str, ...]] = []
    for each in named:
        found = each["score"]
        naive = "; ".join(f"{name} {crps:.2f}" for name, crps in each["naive"].items())
        rows.append(
            (
                each["forecaster"],
                f"{each['target']}, {each['unit']}",
                f"{each['due']:.1f}",
                f"{found['q50']:.2f} ({found['q05']:.2f} to {found['q95']:.2f})",
                f"{each['value']:.2f}{' so far' if each['open'] else ''}",
                f"{found['pit']:.2f}",
                f"{found['crps']:.2f}",
                naive,
            )
        )
    return rows


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
