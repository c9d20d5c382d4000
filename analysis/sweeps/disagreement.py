"""Which disagreement between the views of a sweep moves which answer.

Views disagree where they state different priors or choose different settings. The unit of the
analysis is a view; views that state the same count once. A view's *answer* is the median of a
number, or the mean of an indicator. It enters as its rank among all cases, averaged over seeds, so
that "later or never" has a place.

An *input* is one thing that views state differently. Of a quantity there are two, both on its link:
the median of its prior, and the log of the width of its 80% interval. Everything else that a view
chooses (anchors, correlations, links, settings, evidence) is an input with groups. For each answer
and input, the share of the variance between views that ``k`` functions of this input explain::

    share = 1 - (1 - R^2) (n - 1) / (n - 1 - k)

with ``R^2`` of natural splines, or of group means. Inputs that vary together in the views have
overlapping shares. An input is *seen* to move an answer where an F test rejects at 5% after Holm's
correction over all pairs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from aligntax.analysis.summaries.multiple_testing import holm_rejected
from aligntax.analysis.summaries.regression import mid_ranks, orthonormal, splines
from aligntax.analysis.summaries.summary import censored_quantile
from aligntax.analysis.sweeps.sweep import Sweep
from aligntax.models.catalogue import find_model
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import base_name, quantity_of
from aligntax.models.priors.specification import without_notes
from aligntax.models.views import LINKS, SECTIONS, View

FEWEST = 5  # views: with fewer nothing can be told from chance
LEVEL = 0.05  # chance that any pair is seen where no input moves any answer
PER_FUNCTION = 20  # views for each function of an input
FUNCTIONS = 3  # at most, of an input: a line and two bends
EIGHTY = (-1.2815515655446004, 1.2815515655446004)  # standard-normal scores of 10% and 90%
SAME = 1e-9  # relative difference up to which stated numbers are the same


@dataclass(frozen=True)
class Input:
    """Something that views state differently.

    Attributes
    ----------
    name : str
        A quantity, or ``anchors``, ``correlations``, ``evidence``, a link or a section of settings.
    aspect : {"median", "spread", "choice"}
    values : ndarray, shape (view,)
        On the quantity's link; for a choice the number of the view's group.
    """

    name: str
    aspect: str
    values: Any


@dataclass(frozen=True)
class Move:
    """How far differences in one input explain differences in one answer.

    Attributes
    ----------
    answer, input, aspect : str
        Name of the answer; name and aspect of the input.
    share : float
        Of the variance between views.
    seen : bool
        Whether it is beyond chance.
    low, high : float or None
        Median answer of the third of views with the lowest input, and of that with the highest;
        infinite where censored, None for a choice.
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
        Its name.
    points : tuple of float
        Lowest, 10%, median, 90% and highest of the views' answers; infinite where censored.
    within : tuple of float
        Typical 90% interval of one view: the medians of the lower and of the upper ends.
    between : float or None
        Share of the variance of all views' draws that lies between views; None where a median is
        censored.
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
    """What a sweep shows about the disagreement between its views.

    Attributes
    ----------
    views : tuple of str
        Names of the views that were answered.
    answers : mapping of str to ndarray, shape (view,)
        By headline number.
    spreads : tuple of Spread
        One per headline number.
    moves : tuple of Move
        One per pair of answer and input, the largest share first; empty with fewer than
        :data:`FEWEST` views.
    """

    views: tuple[str, ...]
    inputs: tuple[Input, ...]
    answers: Mapping[str, Any]
    spreads: tuple[Spread, ...]
    moves: tuple[Move, ...]

    def of(self, answer: str) -> list[Move]:
        """Inputs that are seen to move an answer, the largest share first."""
        return [move for move in self.moves if move.answer == answer and move.seen]


def disagreement(sweep: Sweep) -> Disagreement:
    """Find which inputs move which answers of a sweep."""
    model = find_model(sweep.info["model"]["name"])
    asked, rows = _answered(sweep, model.headlines)
    hashes = [case["view_hash"] for case in asked]
    first = {hash_: hashes.index(hash_) for hash_ in dict.fromkeys(hashes)}
    place = np.asarray([list(first).index(hash_) for hash_ in hashes], dtype=int)
    views = [sweep.view(asked[i]) for i in first.values()]
    inputs = tuple(differing_inputs(views, model.quantities))
    values = {
        name: np.asarray([_answer(name, row) for row in of_cases])
        for name, of_cases in rows.items()
    }
    of_view = {
        name: np.asarray([_middle(v[place == i]) for i in range(len(first))])
        for name, v in values.items()
    }
    ranks = {name: _mean_ranks(v, place) for name, v in values.items()}
    spreads = tuple(
        _spread(name, of_view[name], of_cases) for name, of_cases in rows.items() if len(views)
    )
    return Disagreement(
        tuple(view.name for view in views), inputs, of_view, spreads, _moves(of_view, ranks, inputs)
    )


def _answered(
    sweep: Sweep, headlines: Sequence[str]
) -> tuple[list[Mapping[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Cases that have an answer, and their rows of each headline number that all of them have."""
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
    complete = {name: of_cases for name, of_cases in rows.items() if len(of_cases) == len(asked)}
    return asked, complete


def _answer(name: str, row: Mapping[str, Any]) -> float:
    """Median, or mean of an indicator; infinite in censored mass, NaN where always undefined."""
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
    """Median of the values that are defined, infinite where censored; NaN where none is."""
    known = values[~np.isnan(values)]
    return censored_quantile(known, 0.5) if len(known) else float("nan")


def _mean_ranks(values: Any, place: Any) -> Any:
    """Rank of each case among all, averaged over the cases of each view; NaN if one is undefined.

    Parameters
    ----------
    values : ndarray, shape (case,)
    place : ndarray of int, shape (case,)
        Number of the case's view.
    """
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


def differing_inputs(views: Sequence[View], names: Sequence[str]) -> Iterator[Input]:
    """Everything that at least two views state differently, of a quantity its median first."""
    if not views:
        return
    for name in names:
        specs = [json.dumps(without_notes(v.quantities[name]), sort_keys=True) for v in views]
        stated = np.asarray([_median_and_spread(name, spec) for spec in specs])
        for aspect, values in zip(("median", "spread"), stated.T, strict=True):
            if np.ptp(values) > SAME * max(1.0, float(np.max(np.abs(values)))):
                yield Input(name, aspect, values)
    for name in ("anchors", "correlations", "evidence", *LINKS, *SECTIONS):
        groups = [_group_key(getattr(view, name)) for view in views]
        if len(set(groups)) > 1:
            numbers = [groups.index(group) for group in groups]
            yield Input(name, "choice", np.asarray(numbers, dtype=float))


@lru_cache(maxsize=4096)
def _median_and_spread(name: str, spec: str) -> tuple[float, float]:
    """Median of a prior and log width of its 80% interval, on the link; the prior as JSON."""
    table = compile_prior(name, json.loads(spec))
    low, middle, high = (float(value) for value in table.value([EIGHTY[0], 0.0, EIGHTY[1]]))
    return middle, float(np.log(high - low))


def _group_key(value: Any) -> str:
    """Text that is equal for equal choices."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return repr(sorted(value.items()))
    return repr([(each.name, getattr(value, each.name)) for each in fields(value)])


def _moves(
    answers: Mapping[str, Any], ranks: Mapping[str, Any], inputs: Sequence[Input]
) -> tuple[Move, ...]:
    """Share and test of every pair of answer and input, the largest share first."""
    count = len(next(iter(answers.values()), ()))
    if count < FEWEST:
        return ()
    weights = np.full(count, 1.0 / count)
    bases = [(source, _basis(source, weights)) for source in inputs]
    # as many functions as views explain everything, and so nothing
    bases = [(source, basis) for source, basis in bases if 0 < basis.shape[1] < count - 2]
    pairs: list[tuple[str, Input, float]] = []
    chances: dict[str, list[float]] = {}
    for name, y in ranks.items():
        if np.isnan(y).any() or np.ptp(y) == 0:
            continue
        for source, basis in bases:
            share, chance = _explained(y, basis, weights)
            pairs.append((name, source, share))
            chances.setdefault(name, []).append(chance)
    seen = [is_seen for tests in holm_rejected(chances, LEVEL).values() for is_seen in tests]
    moves = [
        Move(name, source.name, source.aspect, share, is_seen, *_thirds(answers[name], source))
        for (name, source, share), is_seen in zip(pairs, seen, strict=True)
    ]
    return tuple(sorted(moves, key=lambda move: -move.share))


def _basis(source: Input, weights: Any) -> Any:
    """Orthonormal functions of an input, shape (view, function)."""
    if source.aspect == "choice":
        groups = np.unique(source.values)
        return orthonormal((source.values[:, None] == groups[1:]).astype(float), weights)
    return splines(source.values, weights, int(np.clip(len(weights) // PER_FUNCTION, 1, FUNCTIONS)))


def _explained(y: Any, basis: Any, weights: Any) -> tuple[float, float]:
    """Adjusted share of variance, and the probability of as large a share by chance."""
    from scipy.special import fdtrc

    n, k = basis.shape
    y = y - weights @ y
    r2 = min(1.0, float(np.sum((basis.T @ (weights * y)) ** 2) / (weights @ y**2)))
    left = max((1.0 - r2) / (n - 1 - k), np.finfo(float).tiny)
    return 1.0 - left * (n - 1), float(fdtrc(k, n - 1 - k, r2 / k / left))


def _thirds(values: Any, source: Input) -> tuple[float | None, float | None]:
    """Median answer of the third of views where the input is lowest, and where it is highest."""
    if source.aspect == "choice":
        return None, None
    order = np.argsort(source.values, kind="stable")
    third = max(1, len(order) // 3)
    return _middle(values[order[:third]]), _middle(values[order[-third:]])
