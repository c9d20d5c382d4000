"""Two or more runs side by side: where their answers differ by more than Monte Carlo error, and in what their views differ.

Of each number, the probability that it is defined and the probabilities of lying below three common
thresholds are compared, so that a shift, another spread and another censored mass are all seen.
With influence functions ``d`` (see :class:`Weights`)::

    error^2 = Var(mean d_1) + Var(mean d_2)      of separate draws
    error^2 = Var(mean (d_1 - d_2))              of runs that count the same draws, as refits of one run do

A number differs when its smallest p, times the comparisons made, is below 5% after Holm's
correction over all numbers and claims. Medians of the same draws have errors with the correlation
``r`` of the shares of draws below them, so that of their difference is ``sqrt(e_1^2 + e_2^2 - 2 r
e_1 e_2)``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from aligntax.analysis.answers.condition import Given, apply_condition
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import hash_of_draws
from aligntax.analysis.summaries.claims import CLAIMS, Claim, assumed_quantities
from aligntax.analysis.summaries.multiple_testing import holm_rejected
from aligntax.analysis.summaries.summary import claim_probabilities, iter_series, summarise
from aligntax.analysis.summaries.weights import Weights, batch_error
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import base_name, quantity_of
from aligntax.models.views import View
from aligntax.models.views.changes import Changes, changes

if TYPE_CHECKING:
    import pandas as pd


LEVEL = 0.05  # family-wise, over every number compared
THRESHOLDS = (0.05, 0.5, 0.95)  # quantiles of the pooled draws
MOST_RUNS = 8  # runs: as many as a figure has colours
Difference = tuple[float | None, float | None]  # and its Monte Carlo error


@dataclass(frozen=True)
class Comparison:
    """Runs and how far they agree.

    Attributes
    ----------
    runs : tuple of Result
        The first is what the others are compared with.
    given : tuple of Given or None
        Condition on each run's draws.
    rows : tuple of dict
        Summary of each run's numbers.
    claims : tuple of dict
    names : tuple of str
        Headline numbers that every run has.
    differences : dict of str to tuple of pairs
        Of every number, each further run's median less the first's and its Monte Carlo error, on
        the number's own scale (of a number that is one or zero, the means); null inside censored
        mass.
    p : dict of str to tuple of float
        Of every number and claim, the p-value of each further run's difference from the first.
    differs : dict of str to tuple of bool
        Whether it is beyond Monte Carlo error, after Holm's correction.
    changes : tuple of Changes
        Of each further run's view against the first's.
    facts : tuple of tuple of str
        What else is different in each further run: the model or its version, tables of evidence.
    """

    runs: tuple[Result, ...]
    given: tuple[Given | None, ...]
    rows: tuple[Mapping[str, Mapping[str, Any]], ...]
    claims: tuple[Mapping[str, float], ...]
    names: tuple[str, ...]
    differences: Mapping[str, tuple[Difference, ...]]
    p: Mapping[str, tuple[float, ...]]
    differs: Mapping[str, tuple[bool, ...]]
    changes: tuple[Changes, ...]
    facts: tuple[tuple[str, ...], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the runs; of several with one name the place is added."""
        names = [str(run.record["run"]) for run in self.runs]
        return tuple(
            n if names.count(n) == 1 else f"{n} ({i})" for i, n in enumerate(names, start=1)
        )

    @property
    def shared(self) -> tuple[bool, ...]:
        """Whether each further run counts the first one's draws."""
        return tuple(_draws(run) == _draws(self.runs[0]) for run in self.runs[1:])

    def table(self) -> "pd.DataFrame":
        """One row a number: median and 5 to 95% of each run; difference, its error, p-value and mark of each further one."""
        import pandas as pd

        columns: dict[str, list[Any]] = {}
        for label, rows in zip(self.labels, self.rows, strict=True):
            columns |= {
                f"{label} {key}": [rows[name][key] for name in self.names]
                for key in ("q05", "q50", "q95")
            }
        for i, label in enumerate(self.labels[1:]):
            columns |= {
                f"{label} difference": [self.differences[name][i][0] for name in self.names]
            }
            columns |= {f"{label} error": [self.differences[name][i][1] for name in self.names]}
            columns |= {f"{label} p": [self.p[name][i] for name in self.names]}
            columns |= {f"{label} differs": [self.differs[name][i] for name in self.names]}
        return pd.DataFrame(columns, index=list(self.names))

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        keys = ("q05", "q50", "q95", "prob_censored", "mcse_median")
        return {
            "runs": [self._told(i) for i in range(len(self.runs))],
            "level": LEVEL,
            "quantities": {
                name: {
                    "runs": [{key: rows[name][key] for key in keys} for rows in self.rows],
                    "differences": [{"value": value, "mcse": error} for value, error in self.differences[name]],
                    "p": list(self.p[name]),
                    "differs": list(self.differs[name]),
                }
                for name in self.names
            },
            "claims": {
                name: {"p": list(self.p[name]), "differs": list(self.differs[name])}
                for name in self.p
                if name not in self.names
            },
            "changes": [
                {"quantities": list(c.quantities), "correlated": list(c.correlated), "anchors": c.anchors,
                 "settings": list(c.settings), "evidence": c.evidence, "words": c.words(), "facts": list(facts)}
                for c, facts in zip(self.changes, self.facts, strict=True)
            ],
        }  # fmt: skip

    def _told(self, i: int) -> dict[str, Any]:
        run, given = self.runs[i], self.given[i]
        told = {key: run.record[key] for key in ("run", "model", "view", "method", "verdict")}
        facts = {"seed": run.info["sampler"]["seed"], "evidence": run.info["evidence"]["hash"]}
        facts["model_version"] = run.info["model"]["version"]
        return {
            **told,
            **facts,
            "claims": dict(self.claims[i]),
            "given": None if given is None else given.to_dict(),
        }


def compare(*runs: Result | str | PathLike[str], given: str | None = None) -> Comparison:
    """Compare runs with the first of them.

    Parameters
    ----------
    *runs : Result, name or path
        Two to eight.
    given : str, optional
        Condition on quantities; see :mod:`aligntax.analysis.answers.condition`.

    Raises
    ------
    InputError
        If there are too few or too many, or they have no headline quantity in common.

    Examples
    --------
    >>> from aligntax import compare, load, refit
    >>> reference = load("results/reference")
    >>> wages = reference.view.replace(usd_per_hour={0.1: 50, 0.5: 100, 0.9: 300})
    >>> against = compare(reference, refit(reference, wages, out=folder))
    >>> against.changes[0].words()
    'usd_per_hour'
    >>> against.differs["alignment_hours_affordable"], against.differs["tai_year"]
    ((True,), (False,))
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise InputError(f"run: compare takes 2 to {MOST_RUNS} runs, got {len(runs)}; name others")
    results = tuple(run if isinstance(run, Result) else load(run) for run in runs)
    found = tuple(
        None if given is None else apply_condition(given, r.derived, r.weights) for r in results
    )
    weights = [r.weights if g is None else g.weights for r, g in zip(results, found, strict=True)]
    values = [{s.name: s.values for s in iter_series(r.derived)} for r in results]
    heads = [find_model(r.record["model"]).headlines for r in results]
    names = tuple(
        n
        for n in values[0]
        if all(n in v and base_name(n) in h for v, h in zip(values, heads, strict=True))
    )
    if not names:
        models = ", ".join(str(r.record["model"]) for r in results)
        raise InputError(
            f"run: runs must share a headline quantity, got models {models}; compare runs of one model"
        )
    shared = [_draws(r) == _draws(results[0]) for r in results[1:]]
    told = tuple(claim_probabilities(r.derived, w) for r, w in zip(results, weights, strict=True))
    stated = [claim for claim in CLAIMS if all(claim.name in each_run for each_run in told)]
    p = _p_values(names, stated, values, weights, shared)
    plain = [
        g is None and "weights" not in r.tree.children for r, g in zip(results, found, strict=True)
    ]
    rows = tuple(
        r.record["quantities"] if whole else summarise(r.derived, assumed_quantities(r.info), w)
        for r, w, whole in zip(results, weights, plain, strict=True)
    )
    return Comparison(
        runs=results,
        given=found,
        rows=rows,
        claims=told,
        names=names,
        differences={
            name: tuple(
                _difference(
                    name, (values[0][name], weights[0], rows[0][name]), (v[name], w, row[name]), s
                )
                for v, w, row, s in zip(values[1:], weights[1:], rows[1:], shared, strict=True)
            )
            for name in names
        },
        p=p,
        differs=holm_rejected(p, LEVEL),
        changes=tuple(_changes(results[0], r) for r in results[1:]),
        facts=tuple(_facts(results[0], r) for r in results[1:]),
    )


def _p_values(
    names: Sequence[str],
    stated: Sequence[Claim],
    values: Any,
    weights: Sequence[Weights],
    shared: Sequence[bool],
) -> dict[str, tuple[float, ...]]:
    """p-value of every number and claim of each further run against the first."""
    (first, counts), others = (
        (values[0], weights[0]),
        list(zip(values[1:], weights[1:], shared, strict=True)),
    )
    numbers = {
        n: tuple(_p_value(first[n], counts, v[n], w, s) for v, w, s in others) for n in names
    }
    return numbers | {
        c.name: tuple(_claim_p(c, first, counts, v, w, s) for v, w, s in others) for c in stated
    }


def _draws(run: Result) -> str:
    """Hash of the file whose draws a run counts."""
    link = run.info.get("refitted_from")
    return str(link["posterior"] if link and link["shares_draws"] else hash_of_draws(run.info))


def _changes(first: Result, other: Result) -> Changes:
    views: tuple[View, View] = (first.view, other.view)
    names = [
        n
        for n in find_model(first.record["model"]).quantities
        if n in find_model(other.record["model"]).quantities
    ]
    return changes(*views, names)


def _facts(first: Result, other: Result) -> tuple[str, ...]:
    """Model, its version and tables of evidence that are not the first run's, in words."""
    models = [(run.info["model"]["name"], run.info["model"]["version"]) for run in (first, other)]
    told = [f"{name} version {version}" for name, version in models]
    found = () if models[0] == models[1] else (f"model {told[0]} to {told[1]}",)
    tables = [run.info["evidence"]["tables"] for run in (first, other)]
    moved = [
        name
        for name in dict.fromkeys([*tables[0], *tables[1]])
        if tables[0].get(name) != tables[1].get(name)
    ]
    return (*found, f"evidence tables {', '.join(moved)}") if moved else found


def _difference(name: str, first: Any, second: Any, shared: bool) -> Difference:
    """Difference of medians, or of means of an indicator, and its Monte Carlo error; each side is values, weights and row."""
    indicator = quantity_of(name).indicator
    centres = [row["mean" if indicator else "q50"] for _, _, row in (first, second)]
    if None in centres:
        return None, None
    influence = []
    for (values, weights, _), centre in zip((first, second), centres, strict=True):
        defined = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            h = values if indicator else values <= centre
        influence.append(weights.given(defined).influence(np.where(defined, h, 0.0).astype(float)))
    alone = [batch_error(each) for each in influence]
    errors = alone if indicator else [row["mcse_median"] for _, _, row in (first, second)]
    if None in errors:
        return float(centres[1] - centres[0]), None
    square = errors[0] ** 2 + errors[1] ** 2
    if shared and influence[0].shape == influence[1].shape and min(alone) > 0:
        both = batch_error(influence[0] - influence[1])
        square -= (
            errors[0]
            * errors[1]
            * (alone[0] ** 2 + alone[1] ** 2 - both**2)
            / (alone[0] * alone[1])
        )
    return float(centres[1] - centres[0]), float(np.sqrt(max(square, 0.0)))


def _claim_p(
    claim: Claim,
    one: Mapping[str, Any],
    first: Weights,
    two: Mapping[str, Any],
    second: Weights,
    shared: bool,
) -> float:
    """p-value of the difference between two probabilities of a claim, each among draws in which its quantity is defined."""
    x, y = one[claim.quantity], two[claim.quantity]
    holds = [((v >= claim.lower) & (v <= claim.upper)).astype(float) for v in (x, y)]
    return _test(holds[0], first.given(~np.isnan(x)), holds[1], second.given(~np.isnan(y)), shared)


def _p_value(one: Any, first: Weights, two: Any, second: Weights, shared: bool) -> float:
    """Smallest two-sided p of the comparisons of one number, times their number."""
    pairs = [(~np.isnan(one), ~np.isnan(two))]
    pooled = np.concatenate(
        [v[~np.isnan(v) & (w.values > 0)] for v, w in ((one, first), (two, second))]
    )
    if len(pooled):
        cuts = {float(np.quantile(pooled, p, method="inverted_cdf")) for p in THRESHOLDS}
        with np.errstate(invalid="ignore"):  # undefined lies below nothing
            pairs += [(one <= cut, two <= cut) for cut in sorted(cuts)]
    p = [_test(a.astype(float), first, b.astype(float), second, shared) for a, b in pairs]
    return min(1.0, min(p) * len(p))


def _test(one: Any, first: Weights, two: Any, second: Weights, shared: bool) -> float:
    difference = first.mean(one) - second.mean(two)
    if abs(difference) < 1e-9:  # rounding of the same probability
        return 1.0
    if shared and one.shape == two.shape:
        error = batch_error(first.influence(one) - second.influence(two))
    else:
        error = float(np.hypot(first.mcse(one), second.mcse(two)))
    return float(2.0 * ndtr(-abs(difference) / error)) if error > 0 else 0.0
