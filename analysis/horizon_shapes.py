"""Runs of models on tasks answered under every shape of trend, and stacked.

Each shape is a run of its own. They are weighed by how well each predicts the ability of models
that it was not fitted to (:mod:`aligntax.analysis.trust.evidence.stacking`), and the stacked answer
is the mixture of their draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.fitting.own_data import enter_own_data
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inputs.horizon_runs import HorizonRuns
from aligntax.analysis.pipeline import run
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import FORMAT, default_name, provenance, run_name
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.summaries.summary import summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.trust.evidence.stacking import Stacked, validate_trend
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_runs import HEADLINES, model_name
from aligntax.models.horizon_trend import SHAPES
from aligntax.models.views import View

LEAST = 1e-6  # weight below which a shape counts as having none


@dataclass(frozen=True)
class Answers:
    """Every shape's run, and the stacked answer.

    Attributes
    ----------
    path : Path
        File of :attr:`record`.
    runs : mapping of str to Result
        By shape.
    record : mapping
        ``shapes``: by shape the run, its verdict and its score; ``quantities``: headlines by shape
        and ``stacked``, as in ``summary.json``.
    """

    path: Path
    runs: Mapping[str, Result]
    record: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the checks of every run passed."""
        return all(result.record["verdict"] == "pass" for result in self.runs.values())


def run_shapes(
    runs: HorizonRuns,
    view: View,
    evidence: Evidence,
    options: Sampling,
    *,
    out: Path,
    name: str | None,
    report: bool,
    talk: Talk,
    replaces: str | None = None,
    format: str = "netcdf",
) -> Answers:
    """Sample the run-level model with every shape of trend, and stack the shapes.

    Parameters
    ----------
    name : str, optional
        How names begin: runs are called ``NAME-SHAPE``, and the stacked answer is
        ``NAME-stacked.json``.
    replaces : str, optional
        Refused: it is for training runs.

    Raises
    ------
    InputError
        If the input is wrong.
    """
    name = run_name(name or default_name("horizon-runs", view, out))
    path = out / f"{name}-stacked.json"
    if path.exists():
        raise InputError(f"name: must be new, got {name!r}, of which {path} exists; choose another")
    results, validated = {}, {}
    for shape in SHAPES:
        model = find_model(model_name(shape))
        entered, _ = enter_own_data(model, runs, view, evidence, options, talk, replaces=replaces)
        talk.say(f"compiling the {shape} trend, unless its code is kept")
        compiled = compile_model(model, entered, view)
        results[shape] = run(
            model.name,
            view,
            evidence,
            options=options,
            out=out,
            name=f"{name}-{shape}",
            report=report,
            talk=talk,
            compiled=compiled,
            runs=runs,
            format=format,
        )
        talk.say(f"predicting models from the {shape} trend of the others")
        validated[shape] = validate_trend(compiled, shape, results[shape].draws, options, talk.say)
    record = _record(view, results, Stacked.of(validated))
    write_json(path, record)
    return Answers(path, results, record)


def _record(view: View, results: Mapping[str, Result], stacked: Stacked) -> dict[str, Any]:
    """What ``NAME-stacked.json`` holds; see :class:`Answers`."""
    shapes = {
        shape: {
            "run": results[shape].path.name,
            "verdict": results[shape].record["verdict"],
            **row,
        }
        for shape, row in stacked.to_dict().items()
    }
    return {
        "format": FORMAT,
        **provenance(),
        "view": {"name": view.name, "hash": view.hash},
        "runs": results[SHAPES[0]].info["runs"],
        "shapes": shapes,
        "quantities": {
            **{shape: _headlines(result.record["quantities"]) for shape, result in results.items()},
            "stacked": _headlines(summarise_stacked(results, stacked.weights)),
        },
    }


def summarise_stacked(
    results: Mapping[str, Result], weights: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Summary of the mixture: every draw counts its shape's weight over the shape's draws."""
    names = [set(map(str, result.derived.data_vars)) for result in results.values()]
    shared = sorted(set.intersection(*names))
    derived = [result.derived[shared].drop_vars("chain") for result in results.values()]
    together = xr.concat(derived, "chain").transpose("chain", "draw", ...)
    log = [
        np.full(
            (each.sizes["chain"], each.sizes["draw"]),
            np.log(weights[shape]) if weights[shape] > LEAST else -np.inf,
        )
        for shape, each in zip(results, derived, strict=True)
    ]
    return summarise(together, weights=Weights.of_log(np.concatenate(log)))


def _headlines(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the headline quantities and of their elements."""
    return {name: row for name, row in rows.items() if name.partition("[")[0] in HEADLINES}
