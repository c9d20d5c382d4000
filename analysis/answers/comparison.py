"""Runs side by side: which answers differ by more than Monte Carlo error, and how views differ.

How two are compared is in :mod:`aligntax.analysis.answers.differences`. Refits of one run count the
same draws. A number differs when its smallest p-value, times the number of comparisons, is below 5%
after Holm's correction over all numbers and claims. Where a run has too few effective draws of a
number, it is undecided whether it differs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from aligntax.analysis.answers.condition import Given, apply_condition, checks_given
from aligntax.analysis.answers.differences import (
    Difference,
    Side,
    claim_p,
    difference,
    enough_draws,
    number_p,
)
from aligntax.analysis.answers.run_changes import other_changes, view_changes
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import hash_of_draws
from aligntax.analysis.summaries.checks import ESS
from aligntax.analysis.summaries.claim_answers import claim_answers, claim_draws
from aligntax.analysis.summaries.claims import CLAIMS, assumed_quantities
from aligntax.analysis.summaries.multiple_testing import holm_rejected
from aligntax.analysis.summaries.summary import iter_series, summarise
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import base_name, quantity_of
from aligntax.models.views.changes import Changes

if TYPE_CHECKING:
    import pandas as pd


LEVEL = 0.05  # family-wise, over all numbers and claims
MOST_SHOWN = 20  # lines of a repr
MOST_RUNS = 8  # as many as a figure has colours
REPORTED = ("q05", "q50", "q95", "prob_censored", "mcse_median")  # of each run, as JSON


@dataclass(frozen=True)
class Comparison:
    """Runs and how far they agree.

    Attributes
    ----------
    runs : tuple of Result
        The others are compared with the first.
    given : tuple of Given or None
        Condition on each run's draws.
    rows : tuple of dict
        Summary of each run's numbers.
    claims : tuple of dict
        What each run says of each claim; see :func:`claim_answers`.
    names : tuple of str
        Headline numbers that every run has.
    differences : dict of str to tuple of pairs
        Each further run's median less the first's, by number, and its Monte Carlo error. Both are
        on the number's own scale, and None inside censored mass. Indicators are compared by their
        means.
    p : dict of str to tuple of float
        p-value of each further run's difference from the first, by number and claim; 1 where that
        is undecided.
    differs : dict of str to tuple of bool
        Whether that difference is beyond Monte Carlo error, after Holm's correction.
    undecided : dict of str to tuple of bool
        Whether that cannot be told, since one of the two runs has too few effective draws of it.
    changes : tuple of Changes
        Changes of each further run's view from the first's.
    facts : tuple of tuple of str
        What else differs in each further run: the model, its version, or tables of evidence.
    """

    runs: tuple[Result, ...]
    given: tuple[Given | None, ...]
    rows: tuple[Mapping[str, Mapping[str, Any]], ...]
    claims: tuple[Mapping[str, Mapping[str, Any]], ...]
    names: tuple[str, ...]
    differences: Mapping[str, tuple[Difference, ...]]
    p: Mapping[str, tuple[float, ...]]
    differs: Mapping[str, tuple[bool, ...]]
    undecided: Mapping[str, tuple[bool, ...]]
    changes: tuple[Changes, ...]
    facts: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        """How many numbers differ, and the medians of those that do."""
        found = [name for name in self.names if any(self.differs[name])]
        lines = [f"Comparison of {', '.join(self.labels)}"]
        count = f"{len(found)} of {len(self.names)} numbers"
        lines.append(f"{count} differ by more than Monte Carlo error")
        for name in found[:MOST_SHOWN]:
            medians = (rows[name]["q50"] for rows in self.rows)
            texts = ("none" if m is None else f"{m:.4g}" for m in medians)
            lines.append(f"    {name} ({quantity_of(name).scale}): {', '.join(texts)}")
        if self.note:
            lines.append(self.note)
        return "\n".join([*lines, "see table() for all of them"])

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the runs, with their place added where several have one name."""
        names = [str(run.record["run"]) for run in self.runs]
        return tuple(
            n if names.count(n) == 1 else f"{n} ({i})" for i, n in enumerate(names, start=1)
        )

    @property
    def note(self) -> str:
        """How many numbers and claims are undecided, and why; empty if none is."""
        count = sum(any(marks) for marks in self.undecided.values())
        if not count:
            return ""
        return (
            f"{count} of {len(self.undecided)} numbers and claims are undecided: a run has fewer "
            f"than {ESS:.0f} effective draws of them"
        )

    @property
    def shared(self) -> tuple[bool, ...]:
        """Whether each further run counts the first one's draws."""
        return tuple(_hash_of_counted(r) == _hash_of_counted(self.runs[0]) for r in self.runs[1:])

    def failed(self, i: int) -> tuple[str, ...]:
        """Names of the checks that a run fails, or its draws that meet the condition."""
        run, given = self.runs[i], self.given[i]
        checks = run.record["checks"] if given is None else checks_given(run, given, self.rows[i])
        return tuple(dict.fromkeys(c["name"] for c in checks if not c["passed"]))

    def table(self) -> "pd.DataFrame":
        """One row per number.

        Each run has its median and 5% and 95% points. Each further run also has its difference from
        the first, with error, p-value and marks.
        """
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
            columns |= {f"{label} undecided": [self.undecided[name][i] for name in self.names]}
        return pd.DataFrame(columns, index=list(self.names))

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {
            "runs": [self._run_record(i) for i in range(len(self.runs))],
            "level": LEVEL,
            "note": self.note,
            "quantities": {
                name: {
                    "runs": [{key: rows[name][key] for key in REPORTED} for rows in self.rows],
                    "differences": [
                        {"value": value, "mcse": error} for value, error in self.differences[name]
                    ],
                    "p": list(self.p[name]),
                    "differs": list(self.differs[name]),
                    "undecided": list(self.undecided[name]),
                }
                for name in self.names
            },
            "claims": {
                name: {
                    "p": list(self.p[name]),
                    "differs": list(self.differs[name]),
                    "undecided": list(self.undecided[name]),
                }
                for name in self.p
                if name not in self.names
            },
            "changes": [
                {
                    "quantities": list(change.quantities),
                    "correlated": list(change.correlated),
                    "anchors": change.anchors,
                    "settings": list(change.settings),
                    "evidence": change.evidence,
                    "words": change.words(),
                    "facts": list(facts),
                }
                for change, facts in zip(self.changes, self.facts, strict=True)
            ],
        }

    def _run_record(self, i: int) -> dict[str, Any]:
        run, given = self.runs[i], self.given[i]
        return {
            **{key: run.record[key] for key in ("run", "model", "view", "method")},
            "verdict": "fail" if self.failed(i) else "pass",
            "simulated": run.record.get("simulated", ""),
            "seed": run.info["sampler"]["seed"],
            "evidence": run.info["evidence"]["hash"],
            "model_version": run.info["model"]["version"],
            "claims": {name: dict(answer) for name, answer in self.claims[i].items()},
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
    conditions = tuple(
        None if given is None else apply_condition(given, run.derived, run.weights)
        for run in results
    )
    sides = [_side_of(run, condition) for run, condition in zip(results, conditions, strict=True)]
    names = _common_headlines(results, sides)
    claims = tuple(
        claim_answers(run.derived, side.weights, assumed_quantities(run.info), run.info["horizon"])
        for run, side in zip(results, sides, strict=True)
    )
    hashes = [_hash_of_counted(run) for run in results]
    pairs = [
        (sides[0], side, counted == hashes[0])
        for side, counted in zip(sides[1:], hashes[1:], strict=True)
    ]
    stated = [claim for claim in CLAIMS if all(claim.name in side.claims for side in sides)]
    quantity = {name: name for name in names}
    quantity |= {claim.name: claim.statement.quantity for claim in stated}
    undecided = {
        name: tuple(not all(enough_draws(of, side) for side in pair[:2]) for pair in pairs)
        for name, of in quantity.items()
    }
    p = {
        name: tuple(
            1.0 if unknown else (number_p if name in names else claim_p)(name, *pair)
            for unknown, pair in zip(undecided[name], pairs, strict=True)
        )
        for name in quantity
    }
    return Comparison(
        runs=results,
        given=conditions,
        rows=tuple(side.rows for side in sides),
        claims=claims,
        names=names,
        differences={name: tuple(difference(name, *pair) for pair in pairs) for name in names},
        p=p,
        differs=holm_rejected(p, LEVEL),
        undecided=undecided,
        changes=tuple(view_changes(results[0], run) for run in results[1:]),
        facts=tuple(other_changes(results[0], run) for run in results[1:]),
    )


def _side_of(run: Result, condition: Given | None) -> Side:
    """Numbers of a run, or of its draws that meet a condition."""
    values = {series.name: series.values for series in iter_series(run.derived)}
    weights = run.weights if condition is None else condition.weights
    draws = {claim.name: claim_draws(claim, run.derived) for claim in CLAIMS}
    claims = {
        name: (found[0].astype(float), weights.given(found[1]))
        for name, found in draws.items()
        if found is not None and weights.probability(found[1]) > 0
    }
    rows = run.record["quantities"]
    if condition is not None or run.weighted:
        rows = summarise(run.derived, assumed_quantities(run.info), weights)
    return Side(values, weights, rows, claims)


def _common_headlines(results: Sequence[Result], sides: Sequence[Side]) -> tuple[str, ...]:
    """Names of the headline numbers that every run has."""
    headlines = [find_model(run.record["model"]).headlines for run in results]
    names = tuple(
        name
        for name in sides[0].values
        if all(
            name in side.values and base_name(name) in leading
            for side, leading in zip(sides, headlines, strict=True)
        )
    )
    if not names:
        models = ", ".join(str(run.record["model"]) for run in results)
        raise InputError(
            f"run: runs must share a headline quantity, got models {models}; "
            "compare runs of one model"
        )
    return names


def _hash_of_counted(run: Result) -> str:
    """Hash of the file whose draws a run counts."""
    link = run.info.get("refitted_from")
    return str(link["posterior"] if link and link["shares_draws"] else hash_of_draws(run.info))
