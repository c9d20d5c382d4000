"""Cross-validation, predictive p-values and robustness as rows of words, for terminal and page."""

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any

from scipy.special import ndtr

from aligntax.analysis.summaries.multiple_testing import holm_adjusted
from aligntax.analysis.summaries.summary import TINY
from aligntax.analysis.summaries.words import format_percent, label_of, median_and_interval
from aligntax.analysis.trust.evidence.predictive import STRAYS
from aligntax.analysis.trust.evidence.variant import READ_HORIZONS
from aligntax.models.priors.quantities import quantity_of

MOST_NAMED = 3  # variants named per headline
LEVEL = 0.01  # chance that any move is named, of any headline, where none is real
LEAST = 0.005  # of a probability or of the draws: a smaller move is not worth naming
UNCERTAIN = 0.2  # nat: a unit with a larger Monte Carlo error is named
METHODS = {"psis": "by weights", "exact": "by a refit without it"}
KINDS = {
    "study": "a study left out",
    "table": "a table left out",
    "status": "sources left out by status",
    "outliers": "outlier policy of recomputed exponents",
    "reading": "reading of practice by reading of the workforce",
    "horizon": "reading of the evaluations of time horizons",
}


def cross_validation_row(table: Mapping[str, Any]) -> dict[str, str]:
    """Row of a table: what is predicted, how well, and by which methods."""
    units = table["units"]
    how = {
        words: sum(unit["method"] == method for unit in units)
        for method, words in (("psis", "by weights"), ("exact", "refitted"))
    }
    return {
        "name": table["table"].replace("_", " "),
        "unit": table["unit"],
        "count": str(len(units)),
        "elpd": f"{table['elpd']:.1f}",
        "se": "" if table["se"] is None else f"{table['se']:.1f}",
        "p": f"{table['p']:.1f}",
        "k": k_in_words(largest_k(units), before=""),
        "how": ", ".join(f"{count} {words}" for words, count in how.items() if count),
        "doubtful": str(table["doubtful"]),
    }


def _is_trusted(unit: Mapping[str, Any], threshold: float = inf) -> bool:
    """Whether a unit's estimate is one; a record of an earlier release says so by its k alone."""
    k = unit["pareto_k"]
    return bool(unit.get("trusted", k is None or k <= threshold))


def largest_k(units: Iterable[Mapping[str, Any]]) -> float | None:
    """Largest tail shape of units' weights: infinite where none fits; None without weights."""
    weighed = [unit for unit in units if unit["pareto_k"] is not None or not _is_trusted(unit)]
    return max((inf if u["pareto_k"] is None else u["pareto_k"] for u in weighed), default=None)


def k_in_words(k: float | None, before: str = "k ") -> str:
    """Tail shape, if there are weights."""
    return "" if k is None else "no tail fits" if k == inf else f"{before}{k:.2f}"


def notable_units(table: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each unit that weights cannot estimate or whose Monte Carlo error is large."""
    for unit in table["units"]:
        error = "no number" if unit["mcse"] is None else f"{unit['mcse']:.2f}"
        found = [f"Monte Carlo error {error}", k_in_words(largest_k([unit]))]
        value = f"{unit['elpd']:.2f} ({', '.join(filter(None, found))})"
        name, how = f"{unit['label']} of {table['table']}", METHODS[unit["method"]]
        if not _is_trusted(unit, table["threshold"]):
            yield f"{name}: {value} {how} is not to be trusted: run `aligntax loo`"
        elif unit["method"] != "psis" or unit["mcse"] > UNCERTAIN:
            yield f"{name}: {value} {how}"


def p_value_cells(row: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Predictive p-values of a variable, those that stray marked."""
    return {
        what: {"p": f"{p:.3f}", "strays": not STRAYS <= p <= 1 - STRAYS} for what, p in row.items()
    }


def place_in_words(share: float | None) -> str:
    """Place of a median among the run's draws."""
    return "" if share is None else f"{100 * share:.0f}%"


def headline_rows(whole: Mapping[str, Any], horizon: float) -> list[dict[str, str]]:
    """Each headline: its median, and the variants that clearly move it, the furthest first."""
    rows, clear = [], clear_moves(whole, horizon)
    for name, base in whole["base"].items():
        if base["mean"] == base["q95"] == 0.0:  # an anchor to which the view gives no weight
            continue
        median, ninety = median_and_interval(base, quantity_of(name), horizon)
        if _by_mean(name):
            median, ninety = format_percent(base["mean"]), ""
        found = sorted(clear.get(name, ()), reverse=True)[:MOST_NAMED]
        moves = "; ".join(words for _, words in found)
        rows.append(
            {
                "name": name,
                "label": label_of(name),
                "median": median,
                "ninety": ninety,
                "moves": moves or "none beyond Monte Carlo error and half a percentage point",
            }
        )
    return rows


def _by_mean(name: str) -> bool:
    """Whether a number is summarised by its mean."""
    return quantity_of(name).by_mean


def clear_moves(
    whole: Mapping[str, Any], horizon: float | None = None
) -> dict[str, list[tuple[float, str]]]:
    """How far variants move each headline, and the words for it, where that is clear.

    A move is clear beyond Monte Carlo error, after Holm's correction for every variant and
    headline.
    """
    sizes, p, words = {}, {}, {}
    for i, variant in enumerate(whole["variants"]):
        for name, after in variant["quantities"].items():
            if after["error"] is None or name not in whole["base"]:
                continue
            now = after["mean"] if _by_mean(name) else after["place"]
            size = abs(now - (whole["base"][name]["mean"] if _by_mean(name) else 0.5))
            sizes[name, i] = size
            words[name, i] = move_in_words(
                name, whole["base"][name], after, variant["label"], horizon
            )
            p[name, i] = 2.0 * float(ndtr(-size / max(after["error"], TINY)))
    found: dict[str, list[tuple[float, str]]] = {}
    for key, adjusted in zip(p, holm_adjusted(list(p.values())).tolist(), strict=True):
        if adjusted <= LEVEL and sizes[key] > LEAST:
            found.setdefault(key[0], []).append((sizes[key], words[key]))
    return found


def move_in_words(
    name: str,
    base: Mapping[str, Any],
    after: Mapping[str, Any],
    label: str,
    horizon: float | None = None,
) -> str:
    """What an answer is under a variant, from what it was, in its own unit.

    ``"57 thousand human-hours to 190 thousand human-hours without helpsteer2 of rlhf_efforts"``.
    A probability is its mean.
    """
    if _by_mean(name):
        old, new = (format_percent(row["mean"]) for row in (base, after))
    else:
        old, new = (
            median_and_interval(row, quantity_of(name), horizon)[0] for row in (base, after)
        )
    return f"{old} to {new} {label}"


READ = ("alignment_hours_needed", "labour_tax", "compute_tax", "prob_affordable")
"""Quantities of the table of readings."""


def reading_rows(whole: Mapping[str, Any], horizon: float) -> list[dict[str, Any]]:
    """Each reading of practice and workforce: medians of what hangs on it, in words.

    Studies of older versions have none.
    """
    rows = []
    for variant in whole["variants"]:
        if variant.get("reading"):
            found = variant["quantities"]
            cells = [
                median_and_interval(found[name], quantity_of(name), horizon)[0]
                if name in found
                else "failed"
                for name in READ
            ]
            rows.append({"reading": tuple(variant["reading"]), "cells": cells})
    return rows


def horizon_rows(whole: Mapping[str, Any], horizon: float) -> list[dict[str, Any]]:
    """Each reading of the evaluations, the run's own first: mean or median of what hangs on it.

    Empty in a study without such readings.
    """
    found = [v for v in whole["variants"] if v["kind"] == "horizon"]
    if not found:
        return []
    own = {"label": "as this view reads them", "quantities": whole["base"]}
    return [
        {
            "label": variant["label"],
            "cells": [
                _horizon_cell(name, variant["quantities"].get(name), horizon)
                for name in READ_HORIZONS
            ],
        }
        for variant in (own, *found)
    ]


def _horizon_cell(name: str, number: Mapping[str, Any] | None, horizon: float) -> str:
    if number is None:
        return "failed"
    if _by_mean(name):
        return format_percent(number["mean"])
    median, ninety = median_and_interval(number, quantity_of(name), horizon)
    return f"{median} ({ninety})"


def variant_rows(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each variant: the place of each headline's median, or the mean of those summarised by it."""
    rows = []
    for variant in whole["variants"]:
        cells = []
        for name in whole["base"]:
            move = variant["quantities"].get(name)
            if move is None:
                cells.append("failed")
            elif _by_mean(name):
                cells.append(format_percent(move["mean"]))
            else:
                cells.append(place_in_words(move["place"]))
        rows.append(
            {
                "kind": KINDS[variant["kind"]],
                "label": variant["label"],
                "cells": cells,
                "error": variant["error"],
            }
        )
    return rows
