"""Runs side by side as one offline page: differences in words, claims, numbers, live charts."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aligntax.analysis.answers.comparison import Comparison
from aligntax.analysis.pages.comparison.charts import comparison_figures
from aligntax.analysis.pages.comparison.parts import Look, join_words, run_looks
from aligntax.analysis.pages.render import VEGA, render
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.summaries.claims import CLAIMS, WHOSE
from aligntax.analysis.summaries.claims_in_words import cell_in_words, claim_text
from aligntax.analysis.summaries.differences_in_words import describe_difference, minus
from aligntax.analysis.summaries.words import (
    format_amount,
    label_of,
    median_and_interval,
    missing_mass,
)
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import (
    QUANTITIES,
    element,
    lookup,
    quantity_of,
)
from aligntax.models.views.changes import Changes

TEMPLATE = "compare.html"
HOW = {"sample": "sampled", "reweight": "reweighted"}
TAILS = (-1.6448536, 0.0, 1.6448536)  # scores of 5, 50 and 95%


def check_page(path: Path) -> None:
    """Refuse a page that could not be written, before the work for it is done.

    Raises
    ------
    InputError
        If its name does not end in .html, it is a folder, or its own folder does not exist.
    """
    if path.suffix.lower() != ".html":
        raise InputError(f"page: must end in .html, got {path}; rename it")
    if path.is_dir():
        raise InputError(f"page: must be a file, got the folder {path}; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"page: {path.parent} must be a folder, got none; make it first")


def write_page(comparison: Comparison, path: Path) -> Path:
    """Write a comparison as one page, replaced as a whole or not at all.

    Raises
    ------
    InputError
        If it cannot be written; see :func:`check_page`.
    """
    check_page(path)
    drawn = comparison_figures(comparison)
    specs = [
        {"name": f.name, "title": f.title, "panels": [asdict(panel) for panel in f.panels]}
        for f in drawn
    ]
    tables = {f.name: [f.columns, *f.rows] for f in drawn}
    seen = run_looks(comparison)
    context = {**_context(comparison, seen), "figures": drawn}
    held = {"key": [asdict(look) for look in seen], "figures": specs, "tables": tables}
    text = render(TEMPLATE, context, [VEGA, "downloads.js", "compare.js"], comparison=held)
    try:
        return replace_file(path, text)
    except OSError as error:
        raise InputError(
            f"page: must be a file that can be written, got {path} ({error.strerror}); choose "
            "another"
        ) from None


def _context(comparison: Comparison, seen: Sequence[Look]) -> dict[str, Any]:
    stated = {name for run in comparison.rows for name in run}
    common = [
        n for n in comparison.rows[0] if n in stated and all(n in run for run in comparison.rows)
    ]
    first, total = seen[0], len(comparison.differs)
    return {
        "looks": seen,
        "runs": [_run_facts(comparison, i, look) for i, look in enumerate(seen)],
        "failed": [look.letter for i, look in enumerate(seen) if comparison.failed(i)],
        "given": comparison.given[0].text if comparison.given[0] else "",
        "first": first,
        "marked": sum(any(marks) for marks in comparison.differs.values()),
        "total": total,
        "note": comparison.note,
        "differs": [_differences_in_words(comparison, i, look) for i, look in enumerate(seen[1:])],
        "changed": [_changes_in_words(comparison, i, look) for i, look in enumerate(seen[1:])],
        "priors": list(_prior_rows(comparison)),
        "claims": list(_claim_rows(comparison)),
        "answer": [_number_row(comparison, name) for name in comparison.names if not element(name)],
        "quantities": [_number_row(comparison, name) for name in common],
    }


def _run_facts(comparison: Comparison, i: int, look: Look) -> dict[str, Any]:
    """Return how a run was made and what its verdict is."""
    run, given = comparison.runs[i], comparison.given[i]
    failed = [name.replace("_", " ") for name in comparison.failed(i)]
    source = run.info.get("refitted_from") or {}
    return {
        "look": look,
        "model": run.record["model"],
        "view": run.record["view"],
        "method": (run.info.get("refit") or {}).get("how")
        or HOW.get(run.record["method"], run.record["method"]),
        "source": source.get("run", ""),
        "simulated": run.record.get("simulated", ""),
        "seed": run.info["sampler"]["seed"],
        "created": str(run.info["created"])[:16].replace("T", " "),
        "verdict": "fail" if failed else "pass",
        "failed": failed,
        "given": "" if given is None else given.words,
    }


def _differences_in_words(comparison: Comparison, i: int, look: Look) -> dict[str, Any]:
    """Return in which numbers a run differs from the first beyond Monte Carlo error, in words."""
    marked = [name for name, marks in comparison.differs.items() if marks[i]]
    texts = {claim.name: claim_text(claim) for claim in CLAIMS}
    return {
        "look": look,
        "numbers": [label_of(name) for name in marked if name not in texts],
        "claims": [texts[name] for name in marked if name in texts],
    }


def _changes_in_words(comparison: Comparison, i: int, look: Look) -> dict[str, Any]:
    """Return how a run's view, model, evidence and draws differ from the first's, in words."""
    return {
        "look": look,
        "words": [*_prior_changes(comparison.changes[i]), *comparison.facts[i]],
        "shared": comparison.shared[i],
    }


def _prior_changes(moved: Changes) -> Iterator[str]:
    if moved.quantities:
        yield f"the prior of {join_words([lookup(name).label for name in moved.quantities])}"
    if moved.correlated:
        yield f"correlations of {join_words([lookup(name).label for name in moved.correlated])}"
    if moved.anchors:
        yield "the weights of the requirement anchors"
    if moved.settings:
        yield f"the settings {join_words(moved.settings)}"
    if moved.evidence:
        yield "what evidence is used"


def _prior_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """Yield the priors that differ: median and 90% interval in each view."""
    for name in dict.fromkeys(name for moved in comparison.changes for name in moved.quantities):
        quantity, cells = QUANTITIES[name], []
        for run in comparison.runs:
            points = [
                float(x)
                for x in quantity.to_scale(run.view.stated([name]).table(name).value(TAILS))
            ]
            low, middle, high = (
                format_amount(x, quantity, unit=i == 1) for i, x in enumerate(points)
            )
            cells.append(
                {
                    "median": minus(middle),
                    "interval": minus(low if low == high else f"{low} to {high}"),
                }
            )
        yield {"label": quantity.label, "meaning": quantity.meaning, "cells": cells}


def _claim_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for claim in CLAIMS:
        if all(claim.name in stated for stated in comparison.claims):
            none = (False,) * (len(comparison.runs) - 1)
            marks = (False, *comparison.differs.get(claim.name, none))
            cells = [cell_in_words(stated[claim.name]) for stated in comparison.claims]
            text = f"{claim.text} ({WHOSE[claim.whose]})"
            yield {"text": text, "cells": list(zip(cells, marks, strict=True))}


def _number_row(comparison: Comparison, name: str) -> dict[str, Any]:
    """Return one number of every run, and how far each lies from the first."""
    quantity, horizon = quantity_of(name), comparison.runs[0].info["horizon"]
    found, marks = comparison.differences.get(name), comparison.differs.get(name)
    cells, first = [], missing_mass(comparison.rows[0][name], quantity, horizon)
    for i, rows in enumerate(comparison.rows):
        median, ninety = median_and_interval(rows[name], quantity, horizon)
        aside = missing_mass(rows[name], quantity, horizon)
        cells.append(
            {
                "median": minus(median),
                "interval": minus(ninety),
                "missing": "" if i and aside == first else aside,
                "difference": describe_difference(found[i - 1], quantity) if found and i else "",
                "differs": bool(marks and i and marks[i - 1]),
            }
        )
    return {"name": name, "label": label_of(name), "meaning": quantity.meaning, "cells": cells}
