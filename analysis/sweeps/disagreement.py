"""Which disagreement between views moves which answer.

The unit is a view, and views that state the same are one; its answer is the median of a number (the
mean of an indicator), averaged over seeds as a rank among all cases, so that "later or never" has
its place. What views state of a quantity is taken as the median of its prior and the log of the
width of its 80% interval, both on the quantity's link; what they choose otherwise (anchors,
correlations, links, settings, evidence) as a group. For each answer and input::

    share = 1 - (1 - R^2) (n - 1) / (n - 1 - k)       of the variance between views, by k functions of this input alone

with ``R^2`` of natural splines, or of group means. Shares of inputs that go together in the views
overlap. An input counts as seen where an F test rejects at 5% after Holm's correction over all
pairs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from aligntax.analysis.answers.comparison import holm
from aligntax.analysis.summaries.regression import mid_ranks, orthonormal, splines
from aligntax.analysis.summaries.summary import censored_quantile
from aligntax.analysis.sweeps.sweep import Sweep
from aligntax.models.catalogue import find_model
from aligntax.models.priors.compile import compile_prior, without_notes
from aligntax.models.priors.quantities import base_name, quantity_of
from aligntax.models.views import LINKS, SECTIONS, View

FEWEST = 5  # views: with fewer nothing can be told from chance
PER_FUNCTION = 20  # views for each function of an input
FUNCTIONS = 3
EIGHTY = (-1.2815515655446004, 1.2815515655446004)  # standard-normal scores of 10% and 90%
SAME = 1e-9


@dataclass(frozen=True)
class Input:
    """What views state differently.

    Attributes
    ----------
    name : str
        A quantity, or ``anchors``, ``correlations``, ``evidence``, a link or a section of settings.
    aspect : {"median", "spread", "choice"}
    values : ndarray, shape (view,)
        On the quantity's link; for a choice the number of its group.
    """

    name: str
    aspect: str
    values: Any


@dataclass(frozen=True)
class Move:
    """How far one disagreement explains that views have other answers.

    Attributes
    ----------
    answer, input, aspect : str
    share : float
        Of the variance between views.
    seen : bool
        Beyond chance.
    low, high : float or None
        Median answer of the third of views with the lowest and the highest input, infinite where
        censored; None for a choice.
    """

    answer: str
    input: str
    aspect: str
    share: float
    seen: bool
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Spread:
    """How one answer spreads over views.

    Attributes
    ----------
    answer : str
    points : tuple of float
        Lowest, 10%, median, 90% and highest of the views' answers; infinite where censored.
    within : tuple of float
        Typical 90% interval of one view: the medians of the ends.
    between : float or None
        Share of the variance of all views' draws together that lies between them; None where a
        median is censored.
    noise : float or None
        Share of the variance between views that is Monte Carlo error.
    """

    answer: str
    points: tuple[float, ...]
    within: tuple[float, float]
    between: float | None
    noise: float | None


@dataclass(frozen=True)
class Disagreement:
    """What a sweep says about disagreement.

    Attributes
    ----------
    views : tuple of str
        Names of the views that were answered.
    inputs : tuple of Input
    answers : mapping of str to ndarray, shape (view,)
        Of every headline number.
    spreads : tuple of Spread
    moves : tuple of Move
        Of every pair of answer and input, the largest share first; empty with fewer than
        :data:`FEWEST` views.
    """

    views: tuple[str, ...]
    inputs: tuple[Input, ...]
    answers: Mapping[str, Any]
    spreads: tuple[Spread, ...]
    moves: tuple[Move, ...]

    def of(self, answer: str) -> list[Move]:
        """What is seen to move an answer, the largest share first."""
        return [move for move in self.moves if move.answer == answer and move.seen]


def disagreement(sweep: Sweep) -> Disagreement:
    """Read a sweep's answers and views, and say what moves what."""
    headlines = find_model(sweep.info["model"]["name"]).headlines
    rows: dict[str, list[dict[str, Any]]] = {}
    cases = {case["case"]: case for case in sweep.info["cases"]}
    asked = []
    for answer in sweep.answers():
        if answer["error"]:
            continue
        asked.append(cases[answer["case"]])
        for name, row in answer["quantities"].items():
            if base_name(name) in headlines:
                rows.setdefault(name, []).append(row)
    rows = {name: each for name, each in rows.items() if len(each) == len(asked)}
    hashes = [case["view_hash"] for case in asked]
    first = {hash_: hashes.index(hash_) for hash_ in dict.fromkeys(hashes)}
    place = np.asarray([list(first).index(hash_) for hash_ in hashes], dtype=int)
    views = [sweep.view(asked[i]) for i in first.values()]
    inputs = tuple(_inputs(views, find_model(sweep.info["model"]["name"]).quantities))
    values = {name: np.asarray([_answer(name, row) for row in each]) for name, each in rows.items()}
    of_view = {
        name: np.asarray([_middle(v[place == i]) for i in range(len(first))])
        for name, v in values.items()
    }
    ranks = {name: _by_view(v, place) for name, v in values.items()}
    spreads = tuple(_spread(name, of_view[name], each) for name, each in rows.items() if len(views))
    return Disagreement(
        tuple(view.name for view in views), inputs, of_view, spreads, _moves(of_view, ranks, inputs)
    )


def _answer(name: str, row: Mapping[str, Any]) -> float:
    """Median, or mean of an indicator; infinite in censored mass, NaN where undefined in every draw."""
    return float(row["mean"]) if quantity_of(name).by_mean else _quantile(row, "q50")


def _quantile(row: Mapping[str, Any], key: str) -> float:
    """Quantile of a row, infinite where it lies in censored mass; NaN where nothing is defined."""
    if row[key] is not None:
        return float(row[key])
    defined = 1.0 - row["prob_undefined"]
    if defined <= 0:
        return float("nan")
    return float("-inf") if row["prob_below"] >= int(key[1:]) / 100 * defined else float("inf")


def _middle(values: Any) -> float:
    known = values[~np.isnan(values)]
    return censored_quantile(known, 0.5) if len(known) else float("nan")


def _by_view(values: Any, place: Any) -> Any:
    """Rank of each case among all, averaged over those of a view; NaN where one is undefined."""
    if not len(values) or np.isnan(values).any():
        return np.full(len(set(place)), np.nan)
    ranks = mid_ranks(values, np.full(len(values), 1.0 / len(values)))
    return np.bincount(place, ranks) / np.bincount(place)


def _spread(name: str, values: Any, rows: Sequence[Mapping[str, Any]]) -> Spread:
    known = values[~np.isnan(values)]
    points = (
        tuple(censored_quantile(known, p) for p in (0.0, 0.1, 0.5, 0.9, 1.0))
        if len(known)
        else (np.nan,) * 5
    )
    low, high = (
        _middle(np.asarray([_quantile(row, key) for row in rows])) for key in ("q05", "q95")
    )
    between = noise = None
    if len(known) > 1 and np.all(np.isfinite(values)) and np.ptp(values) > 0:
        variance = float(np.var(values, ddof=1))
        errors = [row["mcse_median"] for row in rows]
        if all(error is not None for error in errors):
            seeds = len(rows) / len(values)
            noise = min(1.0, float(np.mean(np.square(errors))) / seeds / variance)
        if all(row["sd"] is not None for row in rows):
            between = variance / (variance + float(np.mean([row["sd"] ** 2 for row in rows])))
    return Spread(name, tuple(float(p) for p in points), (low, high), between, noise)


def _inputs(views: Sequence[View], names: Sequence[str]) -> Iterator[Input]:
    """Everything that at least two views state differently."""
    for name in names:
        stated = np.asarray(
            [
                _stated(name, json.dumps(without_notes(view.quantities[name]), sort_keys=True))
                for view in views
            ]
        )
        for aspect, values in (
            zip(("median", "spread"), stated.T, strict=True) if len(views) else ()
        ):
            if np.ptp(values) > SAME * max(1.0, float(np.max(np.abs(values)))):
                yield Input(name, aspect, values)
    for name in ("anchors", "correlations", "evidence", *LINKS, *SECTIONS):
        groups = [_settled(getattr(view, name)) for view in views]
        if len(set(groups)) > 1:
            yield Input(
                name, "choice", np.asarray([groups.index(group) for group in groups], dtype=float)
            )


@lru_cache(maxsize=4096)
def _stated(name: str, spec: str) -> tuple[float, float]:
    """Median of a prior and log width of its 80% interval, on the link."""
    table = compile_prior(name, json.loads(spec))
    low, middle, high = (float(value) for value in table.value([EIGHTY[0], 0.0, EIGHTY[1]]))
    return middle, float(np.log(high - low))


def _settled(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return repr(sorted(value.items()))
    return repr([(each.name, getattr(value, each.name)) for each in fields(value)])


def _moves(
    answers: Mapping[str, Any], ranks: Mapping[str, Any], inputs: Sequence[Input]
) -> tuple[Move, ...]:
    count = len(next(iter(answers.values()), ()))
    if count < FEWEST:
        return ()
    weights = np.full(count, 1.0 / count)
    bases = [
        (each, basis)
        for each in inputs
        if 0 < (basis := _basis(each, weights)).shape[1] < count - 2
    ]
    found: list[tuple[str, Input, float]] = []
    chances: dict[str, list[float]] = {}
    for name, y in ranks.items():
        if np.isnan(y).any() or np.ptp(y) == 0:
            continue
        for each, basis in bases:
            share, chance = _explained(y, basis, weights)
            found.append((name, each, share))
            chances.setdefault(name, []).append(chance)
    seen = [good for each in holm(chances).values() for good in each]
    moves = [
        Move(name, each.name, each.aspect, share, good, *_thirds(answers[name], each))
        for (name, each, share), good in zip(found, seen, strict=True)
    ]
    return tuple(sorted(moves, key=lambda move: -move.share))


def _basis(each: Input, weights: Any) -> Any:
    if each.aspect == "choice":
        groups = np.unique(each.values)
        return orthonormal((each.values[:, None] == groups[1:]).astype(float), weights)
    return splines(each.values, weights, int(np.clip(len(weights) // PER_FUNCTION, 1, FUNCTIONS)))


def _explained(y: Any, basis: Any, weights: Any) -> tuple[float, float]:
    """Adjusted share of variance, and the probability of as large a one by chance."""
    from scipy.stats import f

    n, k = basis.shape
    y = y - weights @ y
    r2 = min(1.0, float(np.sum((basis.T @ (weights * y)) ** 2) / (weights @ y**2)))
    left = max((1.0 - r2) / (n - 1 - k), np.finfo(float).tiny)
    return 1.0 - left * (n - 1), float(f.sf(r2 / k / left, k, n - 1 - k))


def _thirds(values: Any, each: Input) -> tuple[float | None, float | None]:
    """Median answer where the input is lowest and where it is highest, a third of the views each."""
    if each.aspect == "choice":
        return None, None
    order = np.argsort(each.values, kind="stable")
    third = max(1, len(order) // 3)
    return _middle(values[order[:third]]), _middle(values[order[-third:]])
