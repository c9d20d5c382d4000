"""What a sweep found, in words."""

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

from aligntax.analysis.summaries.words import (
    format_amount,
    format_probability,
    how_many,
    words_above,
    words_below,
)
from aligntax.analysis.sweeps.disagreement import FEWEST, Disagreement, Spread
from aligntax.analysis.sweeps.sweep import TABLE, Sweep
from aligntax.models.priors.quantities import element, lookup, quantity_of

MOST = 3  # disagreements named per answer
FEW = 30  # views: so many are named one by one, and more are told by their distribution
LEADING = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "prob_affordable",
    "tai_year",
)
MOST_ANSWERS = 4  # of a row, where a model has none of the leading ones


def totals_line(info: Mapping[str, Any], found: Disagreement) -> str:
    """One line that says what was asked and what it took; ``info`` is ``sweep.json``."""
    answered = len(info["cases"]) - len(info["failures"])
    wall = sum(sitting["seconds"] for sitting in info["sittings"])
    took = f"{wall:.0f} s" if wall < 600 else f"{wall / 60:.0f} min"
    again = f" in {len(info['sittings'])} sittings" if len(info["sittings"]) > 1 else ""
    lost = len(info["lost"])
    gone = f"; {how_many(lost, 'worker')} lost" if lost else ""
    seeds = len({case["seed"] for case in info["cases"]})
    asked = how_many(len(found.views), "view") + (f" under {seeds} seeds" if seeds > 1 else "")
    cases = f"{answered} of {how_many(len(info['cases']), 'case')}"
    return f"{info['model']['name']}: {asked}, {cases} answered in {took}{again}{gone}"


def same_views(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Views that say what another says, each with the name of that one, which stands for both."""
    first: dict[str, Mapping[str, Any]] = {}
    found: dict[tuple[str, str], None] = {}
    for case in info["cases"]:
        stands = first.setdefault(case["view_hash"], case)
        if case is not stands and case["seed"] == stands["seed"]:
            found[case["view"], stands["view"]] = None
    return list(found)


def extent_in_words(spread: Spread) -> tuple[str, str, str]:
    """Lowest, middle and highest view's answer in words."""
    low, middle, high = (_in_words(spread.points[i], spread.answer) for i in (0, 2, 4))
    return low, middle, high


def _in_words(value: float, answer: str) -> str:
    if value != value:
        return "undefined"
    if value in (float("inf"), float("-inf")):
        quantity = quantity_of(answer)
        return (words_above if value > 0 else words_below)(quantity)
    quantity = quantity_of(answer)
    return format_probability(value) if quantity.by_mean else format_amount(value, quantity)


def interval_within_view(spread: Spread) -> str:
    """Typical 90% interval of one view; empty for a number that is summarised by its mean."""
    if quantity_of(spread.answer).by_mean:
        return ""
    low, high = (_in_words(end, spread.answer) for end in spread.within)
    return low if low == high else f"{low} to {high}"


def share_between_views(spread: Spread) -> str:
    """Share of the variance of all draws that lies between views."""
    return "" if spread.between is None else format_probability(spread.between)


def shown_of_views(found: Disagreement) -> list[str]:
    """Answers that are told view by view: the leading ones, else the first of the model's."""
    leading = [name for name in LEADING if name in found.answers]
    return leading or [name for name in found.answers if not element(name)][:MOST_ANSWERS]


def view_rows(found: Disagreement) -> list[tuple[str, ...]]:
    """A named row a view: its name, and its median of each answer that is shown."""
    shown = shown_of_views(found)
    return [
        (view, *(_in_words(float(found.answers[name][i]), name) for name in shown))
        for i, view in enumerate(found.views)
    ]


def input_label(name: str, aspect: str) -> str:
    """What views state differently: the median or the spread of a quantity, or a choice."""
    if aspect == "choice":
        return f"choice of {name.replace('_', ' ')}"
    return lookup(name).label + (" (spread)" if aspect == "spread" else "")


def moves_in_words(found: Disagreement, answer: str) -> str:
    """Disagreements that move an answer, the largest share of its variance between views first."""
    if len(found.views) < FEWEST:
        return f"takes {FEWEST} views or more to say"
    moves = found.of(answer)[:MOST]
    return (
        "; ".join(f"{input_label(m.input, m.aspect)} {100 * m.share:.0f}%" for m in moves)
        or "none is seen"
    )


def sweep_summary(sweep: Sweep, found: Disagreement) -> dict[str, Any]:
    """Plain mapping for JSON: question, spread of the answers, and what is seen to move them.

    Censored ends are null.
    """
    info = {key: value for key, value in sweep.info.items() if key != "cases"}
    return {
        **info,
        "cases": len(sweep.info["cases"]),
        "views": len(found.views),
        "same_views": [{"view": name, "same_as": other} for name, other in same_views(sweep.info)],
        "table": str(sweep.path / TABLE),
        "by_view": [
            {
                "view": view,
                **{name: _finite(float(found.answers[name][i])) for name in shown_of_views(found)},
            }
            for i, view in enumerate(found.views)
        ],
        "answers": {spread.answer: _spread_summary(spread) for spread in found.spreads},
        "moves": [
            {**asdict(move), "low": _finite(move.low), "high": _finite(move.high)}
            for move in found.moves
            if move.seen
        ],
    }


def _spread_summary(spread: Spread) -> dict[str, Any]:
    names = ("lowest", "q10", "median", "q90", "highest")
    return {
        **dict(zip(names, map(_finite, spread.points), strict=True)),
        "within": [_finite(end) for end in spread.within],
        "between": spread.between,
        "monte_carlo": spread.noise,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
