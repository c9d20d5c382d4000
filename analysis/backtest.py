"""Would the models have known? Fit on the evidence up to a year, predict the later rows, score, move on a year.

Each model is compiled once and given the evidence of each origin. A row is predicted as a forecaster at the origin could have:
with its date and the error of its measurement, and with nothing else that came later.

=============  ==========================================================================================================
training runs  the run's entry threshold is that of the origin; whether it sets a record is drawn, as often as earlier
               rows did
time horizons  cut by the date of the model that was measured. The measurements themselves are of 2025 and later: nobody
               had them then, which makes this a test of the trend and not of a forecaster
exponents      cut by year of publication; a later study is a new group
=============  ==========================================================================================================

What a backtest cannot undo: priors were written knowing what came. The default is therefore the view ``vague``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.draws import split
from analysis.fit import CompiledModel, compile_model
from analysis.options import Sampling, Talk
from analysis.scoring import Score, last_value, score, straight_line
from analysis.seeds import generator
from models import compute, horizon_trend, scaling, time_horizon
from models.catalogue import find_model, restrict
from models.errors import InputError
from models.evidence import Evidence
from models.views import View

__all__ = ["METHODS", "TARGETS", "Belief", "Forecast", "Origins", "Scored", "backtest", "beliefs"]

MODEL, LAST, LINE = "model", "last value", "straight line"
METHODS = (MODEL, LAST, LINE)
FEWEST = 4  # rows of the past from which a trend is read
THINNED = 1000  # draws of the posterior that predict
EXPONENT_ORIGINS = (2020, 2022, 2024)
QUIET = Talk()


@dataclass(frozen=True)
class Forecast:
    """What is said at an origin of the later rows of a target.

    Attributes
    ----------
    target : str
    origin : int
        Last year of which evidence is known.
    keys : tuple of str
        Of the rows.
    dates, actual : ndarray, shape (row,)
    draws : mapping of str to ndarray, shape (draw, row)
        By one of :data:`METHODS`.
    past : int
        Rows known.
    """

    target: str
    origin: int
    keys: tuple[str, ...]
    dates: Any
    actual: Any
    draws: Mapping[str, Any]
    past: int


@dataclass(frozen=True)
class Scored:
    """A row predicted at an origin.

    Attributes
    ----------
    target, key, method : str
    origin : int
    date, actual : float
    score : Score
    """

    target: str
    origin: int
    key: str
    date: float
    actual: float
    method: str
    score: Score


@dataclass(frozen=True)
class Belief:
    """The data exponent that a forecaster would have believed in.

    Attributes
    ----------
    origin, studies : int
    q05, q50, q95 : float
        Of the pooled exponent, gamma.
    below_one, above_cotra : float
        Probability that it is below one, which is linear growth, and above 0.8, Bio Anchors'.
    """

    origin: int
    studies: int
    q05: float
    q50: float
    q95: float
    below_one: float
    above_cotra: float


@dataclass(frozen=True)
class Origins:
    """Which years are stood in.

    Attributes
    ----------
    first, last : int

    Raises
    ------
    InputError
        If they are out of order or out of bounds.
    """

    first: int = 2016
    last: int = 2024

    def __post_init__(self) -> None:
        if not 2000 <= self.first <= self.last <= 2100:
            rule = "must be years from 2000 to 2100, the first not after the last"
            raise InputError(f"origins: {rule}, got {self.first} to {self.last}; choose others")

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))


@dataclass(frozen=True)
class Target:
    """Something that is predicted.

    Attributes
    ----------
    name, unit, model : str
    origins : callable
        Of those asked for, the ones that are stood in.
    known : callable
        ``(evidence, end)`` to the evidence before a date.
    predicted : callable
        ``(fit, rows, rng)`` to draws of the later rows, (draw, row).
    rows : callable
        ``(evidence, view)`` to rows with ``date`` and ``value``.
    """

    name: str
    unit: str
    model: str
    rows: Callable[[Evidence, View], xr.Dataset]
    known: Callable[[Evidence, float], Evidence]
    predicted: Callable[["Fitted", xr.Dataset, np.random.Generator], Any]


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
    """

    x: Mapping[str, Any]
    parameters: xr.Dataset
    evidence: Evidence
    view: View


# ------------------------------------------------------------------------------------------------------------ the targets


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
                threshold=("run", np.full(size, threshold)), record=("run", (rng.uniform(size=size) < share).astype(float))
            )
            return _replicated(fit, i, "training_runs", new, rng, find_model("compute"))[value].values

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
    return np.stack([_replicated(known, i, "time_horizons", new, rng, model)["log2_horizon"].values for i in range(size)])


def _exponent_draws(fit: Fitted, rows: xr.Dataset, rng: np.random.Generator) -> Any:
    names, index = np.unique(rows["group_index"].values, return_inverse=True)
    new = rows.drop_vars(["value", "date", "group"]).assign(group_index=("study", index)).assign_coords(group=names)
    known = fit.evidence.with_likelihood_rows({"scaling_exponents": new})
    return scaling.simulate(dict(fit.x), fit.parameters, known, fit.view, rng)["log_gamma"][1]


def _replicated(fit: Fitted, i: int, table: str, rows: xr.Dataset, rng: np.random.Generator, model: Any) -> xr.Dataset:
    """Rows that draw ``i`` might have seen."""
    x = {name: np.asarray(value[i]) for name, value in fit.x.items()}
    known = fit.evidence.with_likelihood_rows({table: rows})
    found: xr.Dataset = model.replicate(x, fit.parameters.isel(sample=i), known, fit.view, rng)[table]
    return found


TARGETS: Mapping[str, Target] = {
    "training compute": Target(
        "training compute", "log10 FLOP", "compute", _runs("log_flop"), _known, _run_draws("log_flop")
    ),
    "training cost": Target("training cost", "log10 USD", "compute", _runs("log_cost"), _known, _run_draws("log_cost")),
    "time horizon": Target(
        "time horizon", "log2 minutes", "time-horizon", _horizons, _measured, _horizon_draws
    ),
    "data exponent": Target("data exponent", "log gamma", "scaling", _exponents, _known, _exponent_draws),
}


# --------------------------------------------------------------------------------------------------------------- the work


def backtest(
    evidence: Evidence, view: View, origins: Origins, options: Sampling, talk: Talk = QUIET
) -> tuple[list[Forecast], list[Belief], list[str]]:
    """Forecasts of every target at every origin, beliefs in the exponent, and what could not be forecast.

    Parameters
    ----------
    evidence : Evidence
    view : View
        Whose priors are held at each origin.
    origins : Origins
    options : Sampling
    talk : Talk

    Returns
    -------
    forecasts : list of Forecast
    beliefs : list of Belief
    skipped : list of str
        A line for each origin that knows too few rows, or has none to predict.
    """
    compiled: dict[str, CompiledModel] = {}
    forecasts, held, skipped = [], [], []
    for target in TARGETS.values():
        if target.model not in compiled:
            talk.say(f"compiling {target.model}")
            compiled[target.model] = compile_model(find_model(target.model), evidence, view)
        for origin in origins:
            if target.name == "data exponent" and origin not in EXPONENT_ORIGINS:
                continue
            talk.say(f"{target.name}, known until the end of {origin}")
            found = _forecast(target, compiled[target.model], evidence, origin, options)
            if isinstance(found, str):
                skipped.append(found)
                continue
            forecast, fitted = found
            forecasts.append(forecast)
            if target.name == "data exponent":
                held.append(_belief(fitted, forecast))
    return forecasts, held, skipped


def _forecast(
    target: Target, compiled: CompiledModel, evidence: Evidence, origin: int, options: Sampling
) -> tuple[Forecast, Fitted] | str:
    """A forecast and the posterior that it is from, or why there is none."""
    end, view, model = origin + 1.0, compiled.view, compiled.model
    known = restrict(target.known(evidence, end), view, model)
    past, every = target.rows(known, view), target.rows(restrict(evidence, view, model), view)
    dim = str(past["value"].dims[0])
    later = every.isel({dim: np.flatnonzero(every["date"].values > end)})
    if past.sizes[dim] < FEWEST or not later.sizes[dim]:
        counts = f"{past.sizes[dim]} earlier and {later.sizes[dim]} later rows"
        return f"{target.name} at the end of {origin}: {counts}; {FEWEST} and 1 are needed"
    fitted = _fitted(compiled.with_evidence(known), replace(options, seed=options.seed + origin))
    draws = {MODEL: target.predicted(fitted, later, generator(options.seed + origin, "posterior_predictive"))}
    order = np.argsort(past["date"].values, kind="stable")
    dates, values = past["date"].values[order], past["value"].values[order]
    for name, naive in ((LAST, last_value), (LINE, straight_line)):
        draws[name] = naive(dates, values, later["date"].values)
    keys = tuple(str(key) for key in later[dim].values)
    forecast = Forecast(target.name, origin, keys, later["date"].values, later["value"].values, draws, len(dates))
    return forecast, fitted


def _fitted(compiled: CompiledModel, options: Sampling) -> Fitted:
    """Thinned draws of a posterior, one after another."""
    posterior, _ = compiled.posterior(options)
    x, parameters = split(posterior, compiled.view.tables(compiled.model.quantities))
    flat = parameters.stack(sample=("chain", "draw"))
    at = np.linspace(0, flat.sizes["sample"] - 1, min(THINNED, flat.sizes["sample"])).round().astype(int)
    kept = {name: value.ravel()[at] for name, value in x.items()}
    return Fitted(kept, flat.isel(sample=at).reset_index("sample", drop=True), compiled.evidence, compiled.view)


def _belief(fit: Fitted, forecast: Forecast) -> Belief:
    gamma = 10.0 ** fit.x["data_exponent_prior"]
    low, middle, high = np.quantile(gamma, (0.05, 0.5, 0.95))
    below, above = float(np.mean(gamma < 1.0)), float(np.mean(gamma > 0.8))
    return Belief(forecast.origin, forecast.past, float(low), float(middle), float(high), below, above)


def beliefs() -> None:
    """Nothing."""


def scored(forecasts: list[Forecast]) -> list[Scored]:
    """Every predicted row by every method."""
    return [
        Scored(each.target, each.origin, key, float(date), float(actual), method, score(draws[:, i], float(actual)))
        for each in forecasts
        for method, draws in each.draws.items()
        for i, (key, date, actual) in enumerate(zip(each.keys, each.dates, each.actual, strict=True))
    ]


_ = horizon_trend
