"""Would the models have known? Fit on the evidence up to a year, predict the later rows, score, move on a year.

Each model is compiled once and given the evidence of each origin. What a backtest cannot undo:
priors were written knowing what came. The command's default is therefore the view ``vague``, of
priors twice as wide; and no row is cut by a date chosen in hindsight.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aligntax.analysis.inference.compiled_model import CompiledModel, compile_model
from aligntax.analysis.inference.derive import split
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import generator
from aligntax.analysis.trust.backtest.scores import Score, last_value, score, straight_line
from aligntax.analysis.trust.backtest.targets import (
    EXPONENT,
    TARGETS,
    Fitted,
    Target,
    without_hindsight,
)
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

MODEL, LAST, LINE = "model", "last value", "straight line"
BASELINES = (LAST, LINE)
METHODS = (MODEL, *BASELINES)
NAIVE = 4  # earlier rows that a baseline needs
THINNED = 1000  # draws of the posterior that predict
COTRA = 0.8  # Bio Anchors' data exponent; Cotra 2020, part 2
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
        By method; baselines where there are enough earlier rows.
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
class Backtest:
    """What was forecast and what came.

    Attributes
    ----------
    forecasts : tuple of Forecast
    beliefs : tuple of Belief
    scores : tuple of Scored
    skipped : tuple of str
        A line for each origin that knows too few rows, or has none to predict.
    divergences : int
        Of all fits.
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
    evidence : Evidence
    view : View
        Whose priors are held at each origin.
    origins : Origins
    options : Sampling
    talk : Talk
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
) -> Fitted | str:
    """Thinned draws of the posterior at an origin, or why there is no forecast."""
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
    x, parameters = split(posterior, view.tables(model.quantities))
    flat = parameters.stack(sample=("chain", "draw"))
    at = (
        np.linspace(0, flat.sizes["sample"] - 1, min(THINNED, flat.sizes["sample"]))
        .round()
        .astype(int)
    )
    kept = {name: value.ravel()[at] for name, value in x.items()}
    structural = flat.isel(sample=at).reset_index("sample", drop=True)
    return Fitted(kept, structural, known, view, int(stats["diverging"].values.sum()))


def _forecast(
    target: Target, fitted: Fitted, evidence: Evidence, origin: int, options: Sampling
) -> Forecast:
    """What a posterior and the baselines say of the later rows."""
    end, view = origin + 1.0, fitted.view
    past = target.rows(fitted.evidence, view)
    every = target.rows(restrict(evidence, view, find_model(target.model)), view)
    dim = str(past["value"].dims[0])
    later = every.isel({dim: np.flatnonzero(every["date"].values > end)})
    draws = {
        MODEL: target.predicted(
            fitted, later, generator(options.seed + origin, "posterior_predictive")
        )
    }
    order = np.argsort(past["date"].values, kind="stable")
    dates, values = past["date"].values[order], past["value"].values[order]
    if len(dates) >= NAIVE:
        for name, naive in ((LAST, last_value), (LINE, straight_line)):
            draws[name] = naive(dates, values, later["date"].values)
    keys = tuple(str(key) for key in later[dim].values)
    return Forecast(
        target.name, origin, keys, later["date"].values, later["value"].values, draws, len(dates)
    )


def _belief(fit: Fitted, forecast: Forecast) -> Belief:
    gamma = 10.0 ** fit.x["data_exponent_prior"]
    low, middle, high = np.quantile(gamma, (0.05, 0.5, 0.95))
    below, above = float(np.mean(gamma < 1.0)), float(np.mean(gamma > COTRA))
    return Belief(
        forecast.origin, forecast.past, float(low), float(middle), float(high), below, above
    )


def _scored(forecasts: list[Forecast]) -> Iterator[Scored]:
    """Every predicted row by every method."""
    for each in forecasts:
        for method, draws in each.draws.items():
            for i, (key, date, actual) in enumerate(
                zip(each.keys, each.dates, each.actual, strict=True)
            ):
                found = score(draws[:, i], float(actual))
                yield Scored(
                    each.target, each.origin, key, float(date), float(actual), method, found
                )
