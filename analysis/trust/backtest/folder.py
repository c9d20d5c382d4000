"""A backtest as a result: a folder, complete or absent.

=================
================================================================================== ``backtest.json``
what was asked, with what versions and evidence; skill by target, beliefs, what was skipped
``view.toml``      the view whose priors were held ``scores.csv``     a row a target, origin, later
row and method: what came, the forecast, its scores ``report.html``    the page =================
==================================================================================
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.storage.run_folder import FORMAT, VIEW, provenance
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.trust.backtest.origins import BASELINES, MODEL, Backtest, Origins, Scored
from aligntax.analysis.trust.backtest.scores import COVERAGES
from aligntax.analysis.trust.backtest.targets import TARGETS
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

BACKTEST, SCORES = "backtest.json", "scores.csv"
WINDOWS = (1.0, 2.0, 4.0)  # years ahead, cumulative
PIT_BINS = 10


def default_name() -> str:
    """Name of a backtest that is given none: its time."""
    return f"backtest-{datetime.now():%Y%m%d-%H%M%S}"


def skill(scores: Sequence[Scored]) -> list[dict[str, Any]]:
    """Each target: the model's scores, and the ratio of its CRPS to each baseline's on the rows that both predict.

    A ratio below one says that the model is better; ``lost`` are the origins at which the baseline
    was.
    """
    rows = []
    for target in TARGETS:
        ours = [each for each in scores if each.target == target and each.method == MODEL]
        if not ours:
            continue
        row = {
            "target": target,
            "unit": TARGETS[target].unit,
            "rows": len(ours),
            "origins": sorted({each.origin for each in ours}),
            "crps": _mean(each.score.crps for each in ours),
            "log_score": _mean(each.score.log_score for each in ours),
            "diverged": _mean(each.score.diverged for each in ours),
            "pit": np.histogram([each.score.pit for each in ours], PIT_BINS, (0.0, 1.0))[
                0
            ].tolist(),
        }
        row |= {
            f"covered_{level:.0%}".removesuffix("%"): _mean(each.score.covered[i] for each in ours)
            for i, level in enumerate(COVERAGES)
        }
        row["baselines"] = {name: _beside(ours, scores, target, name) for name in BASELINES}
        rows.append(row)
    return rows


def _beside(
    ours: Sequence[Scored], scores: Sequence[Scored], target: str, name: str
) -> dict[str, Any] | None:
    """The model beside a baseline, on the rows that both predict; null where there are none."""
    theirs = {
        (each.origin, each.key): each
        for each in scores
        if each.target == target and each.method == name
    }
    pairs = [
        (each, theirs[each.origin, each.key]) for each in ours if (each.origin, each.key) in theirs
    ]
    if not pairs:
        return None
    ratios = {
        origin: _ratio([pair for pair in pairs if pair[0].origin == origin])
        for origin in sorted({each.origin for each, _ in pairs})
    }
    ahead = {
        f"within_{years:.0f}": _ratio(
            [pair for pair in pairs if pair[0].date - pair[0].origin - 1.0 <= years]
        )
        for years in WINDOWS
    }
    return {
        "rows": len(pairs),
        "crps": _mean(other.score.crps for _, other in pairs),
        "ratio": _ratio(pairs),
        **ahead,
        "log_score_gain": _mean(
            each.score.log_score - other.score.log_score for each, other in pairs
        ),
        "by_origin": ratios,
        "lost": [origin for origin, ratio in ratios.items() if ratio is not None and ratio > 1.0],
    }


def _ratio(pairs: Sequence[tuple[Scored, Scored]]) -> float | None:
    """Mean CRPS of the first over that of the second."""
    if not pairs:
        return None
    return _mean(each.score.crps for each, _ in pairs) / _mean(
        other.score.crps for _, other in pairs
    )


def _mean(values: Iterator[float] | Any) -> float:
    return float(np.mean(list(values)))


def facts(
    found: Backtest, evidence: Evidence, view: View, origins: Origins, options: Sampling, name: str
) -> dict[str, Any]:
    """``backtest.json``."""
    return {
        "format": FORMAT,
        "backtest": name,
        **provenance(),
        "view": {"name": view.name, "hash": view.hash},
        "evidence": {"hash": evidence.hash},
        "origins": [origins.first, origins.last],
        "sampler": asdict(options),
        "divergences": found.divergences,
        "skill": skill(found.scores),
        "beliefs": [asdict(belief) for belief in found.beliefs],
        "skipped": list(found.skipped),
    }


def write_files(folder: Path, found: Backtest, view: View, info: Mapping[str, Any]) -> None:
    """Write all but the page."""
    write_json(folder / BACKTEST, info)
    (folder / VIEW).write_text(view.to_toml(), "utf-8")
    with (folder / SCORES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        covered = [f"covered_{level:.0%}".removesuffix("%") for level in COVERAGES]
        numbers = ["crps", "log_score", "pit", "q05", "q50", "q95", "diverged"]
        writer.writerow(
            ["target", "unit", "origin", "key", "date", "actual", "method", *numbers, *covered]
        )
        for each in found.scores:
            values = [getattr(each.score, name) for name in numbers]
            row = [
                each.target,
                TARGETS[each.target].unit,
                each.origin,
                each.key,
                f"{each.date:.4f}",
                each.actual,
                each.method,
            ]
            writer.writerow([*row, *values, *(int(inside) for inside in each.score.covered)])
