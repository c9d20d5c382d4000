"""What a backtest predicts: the rows of a target, what is known at an origin, and predictions.

A row is predicted as a forecaster at the origin could have done it: its date and the error of its
measurement are given, and nothing else that came later.

Training runs
    Which of the later runs is the largest of its ten is not known, so that each is a run of the
    trend.
Time horizons
    Rows are cut by the date of the model that was measured. The part of the suite that a row falls
    on is given. All measurements were made in 2025 or later, so this tests the trend, not what a
    forecaster had.
Data exponents
    Rows are cut by year of publication. A later study is a new group.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import compute, horizon_evaluations, horizon_trend, scaling, time_horizon
from aligntax.models.catalogue import Model, find_model
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

EXPONENT = "data exponent"
FIRST_RUN, FIRST_HORIZON = 2012.0, 2019.0  # dates of the first rows of the tables


@dataclass(frozen=True)
class OriginFit:
    """A posterior at an origin.

    Attributes
    ----------
    x : mapping of str to ndarray, shape (draw,)
        Elicited quantities.
    parameters : xarray.Dataset
        Structural parameters (sample).
    evidence : Evidence
        What is known at the origin.
    """

    x: Mapping[str, Any]
    parameters: xr.Dataset
    evidence: Evidence
    view: View
    divergences: int


@dataclass(frozen=True)
class Target:
    """A value that is predicted.

    Attributes
    ----------
    fewest : int
        Number of earlier rows that a forecast needs.
    rows : callable
        ``(evidence, view)`` to rows with ``date`` and ``value``.
    known : callable
        ``(evidence, end)`` to the evidence before a date.
    predicted : callable
        ``(fit, rows, rng)`` to draws of later rows, (draw, row).
    """

    name: str
    unit: str
    model: str
    fewest: int
    rows: Callable[[Evidence, View], xr.Dataset]
    known: Callable[[Evidence, float], Evidence]
    predicted: Callable[[OriginFit, xr.Dataset, np.random.Generator], Any]


def _published_until(evidence: Evidence, end: float) -> Evidence:
    return evidence.until(end)


def _of_models_until(evidence: Evidence, end: float) -> Evidence:
    """Evidence whose time horizons are of models before a date."""
    rows = evidence["time_horizons"]
    kept = rows.isel(evaluation=np.flatnonzero(rows["date"].values <= end))
    return Evidence({**evidence.tables, "time_horizons": kept})


def _run_rows(value: str) -> Callable[[Evidence, View], xr.Dataset]:
    def rows(evidence: Evidence, view: View) -> xr.Dataset:
        found = compute.exact_runs(evidence, view)
        found = found.assign(value=found[value])
        return found.isel(run=np.flatnonzero(np.isfinite(found["value"].values)))

    return rows


def _horizon_rows(evidence: Evidence, view: View) -> xr.Dataset:
    rows = horizon_evaluations.exact_evaluations(evidence, view)
    return rows.assign(value=rows["log2_horizon"])


def _exponent_rows(evidence: Evidence, view: View) -> xr.Dataset:
    rows = scaling.studies(evidence)
    year = evidence["scaling_exponents"]["year"].sel(study=rows["study"].values)
    return rows.assign(value=rows["log_gamma"], date=("study", year.values.astype(float) + 0.5))


def _run_draws(value: str) -> Callable[[OriginFit, xr.Dataset, np.random.Generator], Any]:
    def predicted(fit: OriginFit, rows: xr.Dataset, rng: np.random.Generator) -> Any:
        size = rows.sizes["run"]
        new = rows.drop_vars(["value"]).assign(
            ten=("run", np.full(size, -1)), largest=("run", np.zeros(size))
        )

        def given(i: int) -> Any:
            return _replicated(fit, i, "training_runs", new, rng, find_model("compute"))[
                value
            ].values

        return np.stack([given(i) for i in range(len(fit.parameters["sample"]))])

    return predicted


def _horizon_draws(fit: OriginFit, rows: xr.Dataset, rng: np.random.Generator) -> Any:
    """Draws of later models; a trend's shape is as probable as the known rows make it."""
    weights = time_horizon.log_shape_weights(dict(fit.x), fit.parameters, fit.evidence, fit.view)
    known = replace(fit, x={**fit.x, **horizon_trend.shape_weights(np.exp(weights))})
    new, model = rows.drop_vars("value"), find_model("time-horizon")
    size = len(fit.parameters["sample"])
    return np.stack(
        [
            _replicated(known, i, "time_horizons", new, rng, model)["log2_horizon"].values
            for i in range(size)
        ]
    )


def _exponent_draws(fit: OriginFit, rows: xr.Dataset, rng: np.random.Generator) -> Any:
    names, index = np.unique(rows["group_index"].values, return_inverse=True)
    new = (
        rows.drop_vars(["value", "date", "group"])
        .assign(group_index=("study", index))
        .assign_coords(group=names)
    )
    known = fit.evidence.with_likelihood_rows({"scaling_exponents": new})
    drawn = scaling.simulate(dict(fit.x), fit.parameters, known, fit.view, rng)
    return drawn["scaling_exponents"][1]


def _replicated(
    fit: OriginFit, i: int, table: str, rows: xr.Dataset, rng: np.random.Generator, model: Model
) -> xr.Dataset:
    """Replicate rows from draw ``i``."""
    x = {name: np.asarray(value[i]) for name, value in fit.x.items()}
    known = fit.evidence.with_likelihood_rows({table: rows})
    found: xr.Dataset = model.replicate(x, fit.parameters.isel(sample=i), known, fit.view, rng)[
        table
    ]
    return found


TARGETS: Mapping[str, Target] = {
    "training compute": Target(
        "training compute",
        "log10 FLOP",
        "compute",
        4,
        _run_rows("log_flop"),
        _published_until,
        _run_draws("log_flop"),
    ),
    "training cost": Target(
        "training cost",
        "log10 USD",
        "compute",
        4,
        _run_rows("log_cost"),
        _published_until,
        _run_draws("log_cost"),
    ),
    "time horizon": Target(
        "time horizon",
        "log2 minutes",
        "time-horizon",
        4,
        _horizon_rows,
        _of_models_until,
        _horizon_draws,
    ),
    EXPONENT: Target(
        EXPONENT, "log gamma", "scaling", 1, _exponent_rows, _published_until, _exponent_draws
    ),
}


def without_hindsight(view: View) -> View:
    """View that uses every row: its own cuts by date were chosen knowing what came later."""
    return view.replace(compute={"runs_since": FIRST_RUN}, time_horizon={"since": FIRST_HORIZON})
