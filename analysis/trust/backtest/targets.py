"""What a backtest predicts: the rows of a target, what is known of them at an origin, and what a posterior says of later ones.

A row is predicted as a forecaster at the origin could have: with its date and the error of its
measurement, and nothing else that came later.

=============
==========================================================================================================
training runs  the run's entry threshold is that of the origin; whether it sets a record is drawn,
as often as earlier
               rows did
time horizons  cut by the date of the model that was measured, with the part of the suite that a row
falls on given. The
               measurements themselves are of 2025 and later: this tests the trend and not what a
               forecaster had
exponents      cut by year of publication; a later study is a new group =============
==========================================================================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import compute, scaling, time_horizon
from aligntax.models.catalogue import Model, find_model
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

EXPONENT = "data exponent"
RUNS, HORIZONS = 2012.0, 2019.0  # the first rows of the tables


@dataclass(frozen=True)
class Fitted:
    """A posterior at an origin.

    Attributes
    ----------
    x : mapping of ndarray, shape (draw,)
    parameters : xarray.Dataset
    evidence : Evidence
        Known at the origin.
    view : View
    divergences : int
    """

    x: Mapping[str, Any]
    parameters: xr.Dataset
    evidence: Evidence
    view: View
    divergences: int


@dataclass(frozen=True)
class Target:
    """Something that is predicted.

    Attributes
    ----------
    name, unit, model : str
    fewest : int
        Earlier rows that a forecast needs.
    rows : callable
        ``(evidence, view)`` to rows with ``date`` and ``value``.
    known : callable
        ``(evidence, end)`` to the evidence before a date.
    predicted : callable
        ``(fit, rows, rng)`` to draws of the later rows, (draw, row).
    """

    name: str
    unit: str
    model: str
    fewest: int
    rows: Callable[[Evidence, View], xr.Dataset]
    known: Callable[[Evidence, float], Evidence]
    predicted: Callable[[Fitted, xr.Dataset, np.random.Generator], Any]


def _known(evidence: Evidence, end: float) -> Evidence:
    return evidence.until(end)


def _measured(evidence: Evidence, end: float) -> Evidence:
    """Evidence whose time horizons are of models before a date."""
    rows = evidence["time_horizons"]
    kept = rows.isel(evaluation=np.flatnonzero(rows["date"].values <= end))
    return Evidence({**evidence.tables, "time_horizons": kept})


def _runs(value: str) -> Callable[[Evidence, View], xr.Dataset]:
    def rows(evidence: Evidence, view: View) -> xr.Dataset:
        found = compute.exact_runs(evidence, view)
        found = found.assign(value=found[value])
        return found.isel(run=np.flatnonzero(np.isfinite(found["value"].values)))

    return rows


def _horizons(evidence: Evidence, view: View) -> xr.Dataset:
    rows = time_horizon.exact_evaluations(evidence, view)
    return rows.assign(value=rows["log2_horizon"])


def _exponents(evidence: Evidence, view: View) -> xr.Dataset:
    rows = scaling.studies(evidence)
    year = evidence["scaling_exponents"]["year"].sel(study=rows["study"].values)
    return rows.assign(value=rows["log_gamma"], date=("study", year.values.astype(float) + 0.5))


def _run_draws(value: str) -> Callable[[Fitted, xr.Dataset, np.random.Generator], Any]:
    def predicted(fit: Fitted, rows: xr.Dataset, rng: np.random.Generator) -> Any:
        past = compute.exact_runs(fit.evidence, fit.view)
        flop = np.sort(np.log10(_exact_flop(fit.evidence)))
        threshold = flop[-compute.TOP] if len(flop) >= compute.TOP else -np.inf
        share = float(past["record"].mean()) if past.sizes["run"] else 0.5
        size = rows.sizes["run"]

        def given(i: int) -> Any:
            new = rows.drop_vars(["value"]).assign(
                threshold=("run", np.full(size, threshold)),
                record=("run", (rng.uniform(size=size) < share).astype(float)),
            )
            return _replicated(fit, i, "training_runs", new, rng, find_model("compute"))[
                value
            ].values

        return np.stack([given(i) for i in range(len(fit.parameters["sample"]))])

    return predicted


def _exact_flop(evidence: Evidence) -> Any:
    rows = evidence["training_runs"]
    return rows["flop"].values[rows["used"].values.astype(bool) & (rows["bound"].values == "exact")]


def _horizon_draws(fit: Fitted, rows: xr.Dataset, rng: np.random.Generator) -> Any:
    """Records of later models; the shape is drawn as probable as the known ones make it."""
    weights = time_horizon.log_shape_weights(dict(fit.x), fit.parameters, fit.evidence, fit.view)
    known = replace(fit, x={**fit.x, "superexponential_weight": np.exp(weights[..., 1])})
    new, model = rows.drop_vars("value"), find_model("time-horizon")
    size = len(fit.parameters["sample"])
    return np.stack(
        [
            _replicated(known, i, "time_horizons", new, rng, model)["log2_horizon"].values
            for i in range(size)
        ]
    )


def _exponent_draws(fit: Fitted, rows: xr.Dataset, rng: np.random.Generator) -> Any:
    names, index = np.unique(rows["group_index"].values, return_inverse=True)
    new = (
        rows.drop_vars(["value", "date", "group"])
        .assign(group_index=("study", index))
        .assign_coords(group=names)
    )
    known = fit.evidence.with_likelihood_rows({"scaling_exponents": new})
    return scaling.simulate(dict(fit.x), fit.parameters, known, fit.view, rng)["log_gamma"][1]


def _replicated(
    fit: Fitted, i: int, table: str, rows: xr.Dataset, rng: np.random.Generator, model: Model
) -> xr.Dataset:
    """Rows that draw ``i`` might have seen."""
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
        _runs("log_flop"),
        _known,
        _run_draws("log_flop"),
    ),
    "training cost": Target(
        "training cost",
        "log10 USD",
        "compute",
        4,
        _runs("log_cost"),
        _known,
        _run_draws("log_cost"),
    ),
    "time horizon": Target(
        "time horizon", "log2 minutes", "time-horizon", 4, _horizons, _measured, _horizon_draws
    ),
    EXPONENT: Target(EXPONENT, "log gamma", "scaling", 1, _exponents, _known, _exponent_draws),
}


def without_hindsight(view: View) -> View:
    """The view with every row that there is: cuts at 2018 and 2023 were chosen knowing what came."""
    return view.replace(compute={"runs_since": RUNS}, time_horizon={"since": HORIZONS})
