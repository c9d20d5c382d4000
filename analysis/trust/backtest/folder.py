"""A backtest as a result: a folder, complete or absent.

``backtest.json``
    What was asked, with versions and evidence; skill by target, beliefs, and what was skipped.
``view.toml``
    The view whose priors were used at every origin.
``scores.csv``
    One row per target, origin, later row and method: the value, the forecast and its scores.
``report.html``
    The page.
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
from aligntax.analysis.trust.backtest.named import named_forecasts
from aligntax.analysis.trust.backtest.origins import BASELINES, MODEL, Backtest, Origins, Scored
from aligntax.analysis.trust.backtest.scores import COVERAGES
from aligntax.analysis.trust.backtest.targets import TARGETS
from aligntax.models.catalogue import find_model
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

BACKTEST, SCORES = "backtest.json", "scores.csv"
WINDOWS = (1.0, 2.0, 4.0)  # years ahead, each including the shorter ones
PIT_BINS = 10
COVERED = tuple(f"covered_{level:.0%}".removesuffix("%") for level in COVERAGES)


def default_name() -> str:
    """Name of a backtest that is given none: its time."""
    return f"backtest-{datetime.now():%Y%m%d-%H%M%S}"


def skill(scores: Sequence[Scored]) -> list[dict[str, Any]]:
    """Scores of the model for each target, and the ratio of its CRPS to that of each baseline.

    A ratio covers the rows that both predict; below one, the model is better. ``lost`` lists the
    origins at which the baseline was better.
    """
    rows = []
    for target in TARGETS:
        ours = [scored for scored in scores if scored.target == target and scored.method == MODEL]
        if not ours:
            continue
        pits = [scored.score.pit for scored in ours]
        row = {
            "target": target,
            "unit": TARGETS[target].unit,
            "rows": len(ours),
            "origins": sorted({scored.origin for scored in ours}),
            "crps": _mean(scored.score.crps for scored in ours),
            "log_score": _mean(scored.score.log_score for scored in ours),
            "diverged": _mean(scored.score.diverged for scored in ours),
            "pit": np.histogram(pits, PIT_BINS, (0.0, 1.0))[0].tolist(),
        }
        row |= {
            name: _mean(scored.score.covered[i] for scored in ours)
            for i, name in enumerate(COVERED)
        }
        row["baselines"] = {name: _against(ours, scores, target, name) for name in BASELINES}
        rows.append(row)
    return rows


def naive_wins(skills: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Where a naive forecaster wins: one row per target and forecaster that it happens to.

    ``origins`` has the ratio of the model's CRPS to the forecaster's at each origin that the model
    lost, by year; ``ratio`` the one over all origins, and ``overall`` whether that is lost too.
    """
    rows = []
    for row in skills:
        for name, beside in row["baselines"].items():
            if beside is None or not (beside["lost"] or beside["ratio"] > 1.0):
                continue
            rows.append(
                {
                    "target": row["target"],
                    "forecaster": name,
                    "origins": {origin: beside["by_origin"][origin] for origin in beside["lost"]},
                    "of": len(beside["by_origin"]),
                    "ratio": beside["ratio"],
                    "overall": beside["ratio"] > 1.0,
                }
            )
    return rows


def _against(
    ours: Sequence[Scored], scores: Sequence[Scored], target: str, baseline: str
) -> dict[str, Any] | None:
    """The model against a baseline, on the rows that both predict; None where there are none."""
    theirs = {
        (scored.origin, scored.key): scored
        for scored in scores
        if scored.target == target and scored.method == baseline
    }
    pairs = [(our, theirs[our.origin, our.key]) for our in ours if (our.origin, our.key) in theirs]
    if not pairs:
        return None
    ratios = {
        origin: _ratio([pair for pair in pairs if pair[0].origin == origin])
        for origin in sorted({our.origin for our, _ in pairs})
    }
    ahead = {
        # an origin is known to its end, one year after it begins
        f"within_{years:.0f}": _ratio(
            [pair for pair in pairs if pair[0].date - pair[0].origin - 1.0 <= years]
        )
        for years in WINDOWS
    }
    return {
        "rows": len(pairs),
        "crps": _mean(their.score.crps for _, their in pairs),
        "ratio": _ratio(pairs),
        **ahead,
        "log_score_gain": _mean(
            our.score.log_score - their.score.log_score for our, their in pairs
        ),
        "by_origin": ratios,
        "lost": [origin for origin, ratio in ratios.items() if ratio is not None and ratio > 1.0],
    }


def _ratio(pairs: Sequence[tuple[Scored, Scored]]) -> float | None:
    """Mean CRPS of the first of each pair over that of the second."""
    if not pairs:
        return None
    ours, theirs = (_mean(pair[i].score.crps for pair in pairs) for i in (0, 1))
    return ours / theirs


def _mean(values: Iterator[float] | Any) -> float:
    return float(np.mean(list(values)))


def manifest(
    found: Backtest, evidence: Evidence, view: View, origins: Origins, options: Sampling, name: str
) -> dict[str, Any]:
    """Contents of ``backtest.json``."""
    return {
        "format": FORMAT,
        "backtest": name,
        **provenance(),
        "view": {"name": view.name, "hash": view.hash},
        "evidence": {"hash": evidence.hash},
        "origins": [origins.first, origins.last],
        "sampler": {
            name: asdict(options.of(find_model(name)))
            for name in sorted({target.model for target in TARGETS.values()})
        },
        "divergences": found.divergences,
        "skill": (skills := skill(found.scores)),
        "naive_wins": naive_wins(skills),
        "named": [asdict(each) for each in named_forecasts(evidence, view)],
        "beliefs": [asdict(belief) for belief in found.beliefs],
        "skipped": list(found.skipped),
    }


def write_files(folder: Path, found: Backtest, view: View, info: Mapping[str, Any]) -> None:
    """Write every file but the page."""
    write_json(folder / BACKTEST, info)
    (folder / VIEW).write_text(view.to_toml(), "utf-8")
    with (folder / SCORES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        numbers = ["crps", "log_score", "pit", "q05", "q50", "q95", "diverged"]
        writer.writerow(
            ["target", "unit", "origin", "key", "date", "actual", "method", *numbers, *COVERED]
        )
        for scored in found.scores:
            values = [getattr(scored.score, name) for name in numbers]
            row = [
                scored.target,
                TARGETS[scored.target].unit,
                scored.origin,
                scored.key,
                f"{scored.date:.4f}",
                scored.actual,
                scored.method,
            ]
            writer.writerow([*row, *values, *(int(inside) for inside in scored.score.covered)])
