"""Would the models have known? Fit on the evidence up to a year, and score what came later.

An *origin* is the end of a year that a forecaster stands at: evidence before it is known, later
rows are predicted. Each model is compiled once and given the evidence of each origin.

A backtest cannot undo that the priors were written knowing what came. Therefore the command's
default is the view ``vague``, whose priors are twice as wide, and no row is cut by a date that was
chosen in hindsight.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aligntax.analysis.inference.compiled_model import CompiledModel, compile_model
from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.trust.backtest.scores import Score, last_value, score, straight_line
from aligntax.analysis.trust.backtest.state_space import arima_with_drift, local_linear_trend
from aligntax.analysis.trust.backtest.targets import (
    EXPONENT,
    TARGETS,
    OriginFit,
    Target,
    without_hindsight,
)
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

MODEL = "model"
FORECASTERS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "last value": last_value,
    "straight line": straight_line,
    "local linear trend": local_linear_trend,
    "ARIMA(0,1,1) with drift": arima_with_drift,
}
BASELINES = tuple(FORECASTERS)
METHODS = (MODEL, *BASELINES)
FEWEST = 4  # earlier rows of a baseline: a line has two parameters and needs a scatter
THINNED = 1000  # draws of the posterior that predict
COTRA = 0.8  # Bio Anchors' data exponent; Cotra 2020, part 2
QUIET = Talk()


@dataclass(frozen=True)
class Forecast:
    """Forecast of the later rows of a target at an origin.

    Attributes
    ----------
    target : str
        One of :data:`aligntax.analysis.trust.backtest.targets.TARGETS`.
    origin : int
        Last year whose evidence is known.
    keys : tuple of str
        Labels of the later rows.
    dates, actual : ndarray, shape (row,)
        When each came, and its value.
    draws : mapping of str to ndarray, shape (draw, row)
        By method; baselines only where there are enough earlier rows.
    past : int
        Number of earlier rows.
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
    """Score of one row, predicted by one method at one origin; see :class:`Forecast`."""

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
        Last year known, and the number of studies known.
    q05, q50, q95 : float
        Quantiles of the pooled exponent, gamma.
    below_one, above_cotra : float
        Probability that gamma is below 1, the linear growth of data with parameters, and that it
        is above 0.8, the value of Bio Anchors.
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
    """First and last year that forecasts are made at the end of.

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
class Backtest:
    """What was forecast and what came.

    Attributes
    ----------
    skipped : tuple of str
        One line per target and origin with too few earlier rows, or none to predict.
    divergences : int
        Over all fits.
    """

    forecasts: tuple[Forecast, ...]
    beliefs: tuple[Belief, ...]
    scores: tuple[Scored, ...]
    skipped: tuple[str, ...]
    divergences: int


def backtest(
    evidence: Evidence, view: View, origins: Origins, options: Sampling, talk: Talk = QUIET
) -> Backtest:
    """Forecast every target at every origin, and score what came.

    Parameters
    ----------
    view : View
        Its priors are used at every origin.
    """
    view, compiled = without_hindsight(view), dict[str, CompiledModel]()
    forecasts, beliefs, skipped, divergences = [], [], [], 0
    for target in TARGETS.values():
        if target.model not in compiled:
            talk.say(f"compiling {target.model}")
            compiled[target.model] = compile_model(find_model(target.model), evidence, view)
        for origin in origins:
            talk.say(f"{target.name}, known until the end of {origin}")
            fitted = _fitted(target, compiled[target.model], evidence, origin, options)
            if isinstance(fitted, str):
                skipped.append(fitted)
                continue
            forecasts.append(_forecast(target, fitted, evidence, origin, options))
            divergences += fitted.divergences
            if target.name == EXPONENT:
                beliefs.append(_belief(fitted, forecasts[-1]))
    return Backtest(
        tuple(forecasts), tuple(beliefs), tuple(_scored(forecasts)), tuple(skipped), divergences
    )


def _fitted(
    target: Target, compiled: CompiledModel, evidence: Evidence, origin: int, options: Sampling
) -> OriginFit | str:
    """Thinned draws of the posterior at an origin, or the reason for having no forecast."""
    end, view, model = origin + 1.0, compiled.view, compiled.model
    known = restrict(target.known(evidence, end), view, model)
    past = target.rows(known, view)["date"].size
    later = int((target.rows(restrict(evidence, view, model), view)["date"].values > end).sum())
    if past < target.fewest or not later:
        rule = f"{target.fewest} and 1 are needed"
        return (
            f"{target.name} at the end of {origin}: {past} earlier and {later} later rows; {rule}"
        )
    posterior, stats = compiled.with_evidence(known).posterior(
        replace(options, seed=options.seed + origin)
    )
    x, parameters = split_draws(posterior, view.tables(model.quantities))
    flat = parameters.stack(sample=("chain", "draw"))
    at = (
        np.linspace(0, flat.sizes["sample"] - 1, min(THINNED, flat.sizes["sample"]))
        .round()
        .astype(int)
    )
    kept = {name: value.ravel()[at] for name, value in x.items()}
    structural = flat.isel(sample=at).reset_index("sample", drop=True)
    return OriginFit(kept, structural, known, view, int(stats["diverging"].values.sum()))


def _forecast(
    target: Target, fitted: OriginFit, evidence: Evidence, origin: int, options: Sampling
) -> Forecast:
    """Predict the later rows by a posterior and by the baselines."""
    end, view = origin + 1.0, fitted.view
    past = target.rows(fitted.evidence, view)
    every = target.rows(restrict(evidence, view, find_model(target.model)), view)
    dim = str(past["value"].dims[0])
    later = every.isel({dim: np.flatnonzero(every["date"].values > end)})
    draws = {
        MODEL: target.predicted(
            fitted, later, child_generator(options.seed + origin, "posterior_predictive")
        )
    }
    order = np.argsort(past["date"].values, kind="stable")
    dates, values = past["date"].values[order], past["value"].values[order]
    if len(dates) >= FEWEST:
        for name, baseline in FORECASTERS.items():
            draws[name] = baseline(dates, values, later["date"].values)
    keys = tuple(str(key) for key in later[dim].values)
    return Forecast(
        target.name, origin, keys, later["date"].values, later["value"].values, draws, len(dates)
    )


def _belief(fit: OriginFit, forecast: Forecast) -> Belief:
    gamma = 10.0 ** fit.x["data_exponent_prior"]
    low, middle, high = np.quantile(gamma, (0.05, 0.5, 0.95))
    below, above = float(np.mean(gamma < 1.0)), float(np.mean(gamma > COTRA))
    return Belief(
        forecast.origin, forecast.past, float(low), float(middle), float(high), below, above
    )


def _scored(forecasts: list[Forecast]) -> Iterator[Scored]:
    """Score every predicted row by every method."""
    for forecast in forecasts:
        target, origin = forecast.target, forecast.origin
        rows = list(zip(forecast.keys, forecast.dates, forecast.actual, strict=True))
        for method, draws in forecast.draws.items():
            for i, (key, date, actual) in enumerate(rows):
                found = score(draws[:, i], float(actual))
                yield Scored(target, origin, key, float(date), float(actual), method, found)
