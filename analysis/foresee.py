"""The verb ``foresee``: how far would further evidence narrow each answer, and what is it worth?"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.answers.answers_now import AnswersNow
from aligntax.analysis.answers.foreseen import YEARS, Foreseen
from aligntax.analysis.answers.foresight import MIDDLE, updated
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.inference.seeds import child_generator, child_seed
from aligntax.analysis.progress import talking
from aligntax.analysis.result import as_result
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.checks import ESS
from aligntax.models.errors import InputError
from aligntax.models.evidence import NO_TAI

if TYPE_CHECKING:
    import pandas as pd

    from aligntax.analysis.answers.newsvendor import Estimate
    from aligntax.analysis.trust.new_rows import NewRows

ROWS = (1, 3, 10)  # how many further rows; and as many as came in the last full year
MOST_ROWS = 100
SIMULATIONS, QUICK_SIMULATIONS = 64, 32
DRAWS, QUICK_DRAWS = 4000, 1000  # that are weighed; more are thinned
REFITS = 8  # simulations that are refitted
MOST_REFITTED = 3  # kinds and numbers of rows that are; the others are told as not trusted
UNTRUSTED = 0.2  # share of simulations from which on weights are not used


@dataclass(frozen=True)
class Foresight:
    """What further evidence is expected to do to the answers of a run.

    Attributes
    ----------
    run : Result
    rows : tuple of Foreseen
        Kinds in the order of what a row is worth, and numbers of rows within.
    evpi : Estimate or None
        Value of knowing everything, for how many hours to buy; None without hours.
    evppi : mapping of str to Estimate
        Value of knowing all that a kind of evidence bears on, which its rows approach.
    intervals : mapping of str to str
        Of each headline quantity ``90%``, or ``50%`` where a 90% interval ends in censored mass.
    left_out : mapping of str to str
        Kinds and quantities that are left out, and why.
    settings : mapping
        Simulations, draws and seed.
    """

    run: Result
    rows: tuple[Foreseen, ...]
    evpi: "Estimate | None"
    evppi: "Mapping[str, Estimate]" = field(repr=False)
    intervals: Mapping[str, str] = field(repr=False)
    left_out: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        kinds = ", ".join(dict.fromkeys(row.kind for row in self.rows))
        return f"Foresight of run {self.run.record['run']!r}: {kinds}\nsee table() and to_dict()"

    def table(self) -> "pd.DataFrame":
        """One row per kind, number of rows and headline quantity."""
        import pandas as pd

        columns = ("now", "expected", "expected_error", "contraction", "error")
        lines = [
            {"kind": row["kind"], "rows": row["rows"], "quantity": name}
            | {key: answer[key] for key in columns}
            | {"method": row["method"]}
            for row in self.to_dict()["rows"]
            for name, answer in row["answers"].items()
        ]
        return pd.DataFrame(lines).set_index(["kind", "rows", "quantity"])

    def to_dict(self) -> dict[str, Any]:
        """What ``aligntax foresee --json`` prints."""
        return {
            "run": self.run.path.name,
            "simulated": self.run.record.get("simulated", ""),
            "verdict": self.run.record["verdict"],
            "exceptions": list(self.run.record.get("exceptions", ())),
            **self.settings,
            "evpi": None if self.evpi is None else vars(self.evpi),
            "evppi": {kind: vars(value) for kind, value in self.evppi.items()},
            "cost_per_row": None,  # no source gives one
            "rows": [self._told(row) for row in self.rows],
            "left_out": dict(self.left_out),
        }

    def _told(self, row: Foreseen) -> dict[str, Any]:
        answers = {
            name: {
                "interval": self.intervals[name],
                "now": each.now,
                "expected": each.width.value,
                "expected_error": each.width.error,
                "contraction": each.contraction.value,
                "error": each.contraction.error,
                "clear": each.contraction.clear,
            }
            for name, each in row.answers.items()
        }
        value = row.value and {
            "usd": row.value.value,
            "error": row.value.error,
            "clear": row.value.clear,
            "usd_per_row": row.value.value / row.rows,
        }
        plain = ("kind", "title", "rows", "a_year", "method", "simulations", "untrusted")
        return {key: getattr(row, key) for key in plain} | {"value": value, "answers": answers}


def foresee(
    run: str | os.PathLike[str] | Result = "latest",
    kind: Sequence[str] = (),
    rows: Sequence[int] = (),
    quantity: Sequence[str] = (),
    *,
    quick: bool = False,
    simulations: int | None = None,
    seed: int = 2022,
    out: str | os.PathLike[str] = "results",
    talk: Talk | None = None,
    progress: bool = True,
) -> Foresight:
    """Say how far further evidence would narrow each answer, and what it is worth.

    Parameters
    ----------
    run : str, path or Result
        A run; by default the newest.
    kind : sequence of str
        Tables of evidence, or ``no_tai``; by default all that can be simulated.
    rows : sequence of int
        Numbers of further rows; by default 1, 3, 10 and as many as came in the last full year.
    quantity : sequence of str
        Headline quantities; by default all that have an interval.
    quick : bool
        Whether fewer draws are weighed, and nothing is sampled where weights cannot be trusted.
    simulations : int, optional
        Simulated data sets of each kind; by default 64, or 32 if it must be quick.
    seed : int
        Of every random number.
    out : path
        Folder of results.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Raises
    ------
    InputError
        If there is no such run, kind or quantity, a number is out of bounds, or the run has no
        evidence whose rows can be simulated.

    Examples
    --------
    >>> found = foresee("results/reference", ["paid_taxes"], [1], quick=True, simulations=8)
    >>> found.rows[0].kind
    'paid_taxes'
    """
    given = simulations if simulations is not None else QUICK_SIMULATIONS if quick else SIMULATIONS
    check_number("simulations", given, 4, 1000, "64 are the default")
    for number in rows:
        check_number("rows", number, 1, MOST_ROWS, "ask for rows, such as 3")
    with talking(talk, progress, "simulating evidence", "failed") as told:
        told.say("reading the run")
        now = AnswersNow.of(as_result(run, out), QUICK_DRAWS if quick else DRAWS, quantity)
        asked = _Asked(tuple(kind), tuple(rows), given, seed, quick)
        return _foreseen(now, asked, told)


def check_number(name: str, value: int, low: int, high: int, remedy: str) -> None:
    """Refuse a number that is out of bounds."""
    if not low <= value <= high:
        raise InputError(f"{name}: must lie between {low} and {high}, got {value}; {remedy}")


@dataclass(frozen=True)
class _Asked:
    """What is asked of a run; the fields are arguments of :func:`foresee`."""

    kinds: tuple[str, ...]
    rows: tuple[int, ...]
    simulations: int
    seed: int
    quick: bool


def _foreseen(now: AnswersNow, asked: _Asked, talk: Talk) -> Foresight:
    from aligntax.analysis.trust.new_rows import NewRows, rows_a_year, tables_with_rows
    from aligntax.models.catalogue import find_model

    result, view, evidence = now.result, now.result.view, now.result.evidence
    model = find_model(result.record["model"])
    tables = tables_with_rows(model, evidence, view)
    years = (YEARS,) if "tai_year" in result.derived and view.evidence.no_tai else ()
    if not (tables or years):
        rule = f"must have evidence whose rows can be simulated, got model {model.name}"
        raise InputError(f"run: {rule}; use a joint run")
    for name in asked.kinds:
        if name not in (*tables, *years):
            rule = "must be evidence of this run whose rows can be simulated"
            choices = ", ".join((*tables, *years))
            raise InputError(f"kind: {rule}, got {name!r}; choose from {choices}")
    yearly = {
        table: rows_a_year(table, evidence, view)
        for table in tables
        if not asked.kinds or table in asked.kinds
    }
    numbers = {t: sorted({*(asked.rows or (*ROWS, k))} - {0}) for t, k in yearly.items()}
    found, known = [], {}
    if numbers:
        shape = result.posterior.get("horizon_shape")
        rows = NewRows.of(
            model,
            evidence,
            view,
            now.thinned(result.draws),
            None if shape is None else now.thinned(shape).values.astype(int),
            {table: max(each) for table, each in numbers.items()},
        )
        found = _of_tables(now, rows, numbers, asked, talk)
        known = {kind: now.known(rows.bears_on[kind]) for kind in yearly}
        found = [replace(row, a_year=row.rows == yearly[row.kind]) for row in found]
    if years and (not asked.kinds or YEARS in asked.kinds):
        found += [_of_years(now, number) for number in asked.rows or ROWS]
    without = [t for t in (*model.tables_of(evidence), *model.background) if t not in tables]
    settings = {"simulations": asked.simulations, "draws": now.weights.values.size}
    return Foresight(
        result,
        _in_order(found),
        None if now.whole is None else now.whole.estimated_evpi(),
        {kind: value for kind, value in known.items() if value is not None},
        {n: "50%" if ends == MIDDLE else "90%" for n, (_, ends) in now.answers.items()},
        {**now.left_out, **dict.fromkeys(without, "the run has no rows that can be simulated")},
        settings | {"seed": asked.seed, "quick": asked.quick},
    )


def _of_tables(
    now: AnswersNow,
    rows: "NewRows",
    numbers: Mapping[str, Sequence[int]],
    asked: _Asked,
    talk: Talk,
) -> list[Foreseen]:
    """Every table and number of rows: by weights, and by refits where these cannot be trusted."""
    rng, length = child_generator(asked.seed, "foresight"), now.weights.values.shape[1]
    drawn: list[Mapping[str, Any]] = []
    densities: dict[tuple[str, int], list[Any]] = {
        (table, k): [] for table, each in numbers.items() for k in each
    }
    talk.say("simulating evidence")
    for place in now.weights.resampled(asked.simulations):
        drawn.append(rows.simulated(divmod(int(place), length), rng))
        for table, each in rows.log_densities(drawn[-1]).items():
            summed = np.cumsum(each, axis=1)  # more rows contain the fewer
            for k in numbers[table]:
                densities[table, k].append(summed[:, k - 1])
        _count(talk, len(drawn), asked.simulations)
    talk.say("weighing draws by the simulated evidence")
    found = []
    for (table, k), log_density in densities.items():
        then = updated(np.asarray(log_density), now.weights, now.relative)
        bad = int(np.sum(~then.trusted))
        method = "none" if bad > UNTRUSTED * asked.simulations else "weights"
        answers, value = now.told(then.weights)
        found.append(Foreseen(table, k, False, method, asked.simulations, bad, answers, value))
    weak = sorted((row for row in found if not row.trusted), key=lambda row: -row.worth)
    if asked.quick or not weak:
        return found
    every = -(-asked.simulations // REFITS)
    again = _refitted(now, rows, drawn[::every], weak[:MOST_REFITTED], asked, talk)
    return [again.get((row.kind, row.rows), row) for row in found]


def _refitted(
    now: AnswersNow,
    rows: "NewRows",
    drawn: Sequence[Mapping[str, Any]],
    weak: Sequence[Foreseen],
    asked: _Asked,
    talk: Talk,
) -> dict[tuple[str, int], Foreseen]:
    """The same by sampling, for a few simulations."""
    from aligntax.analysis.trust.refitted_rows import Refits

    talk.say("compiling the model with further rows, unless its code is kept")
    refits = Refits.of(rows, drawn[0])
    talk.say("refitting where weights cannot be trusted")
    widths: dict[tuple[str, int], list[Any]] = {}
    chosen = [("", 0), *((row.kind, row.rows) for row in weak)]
    for table, k in chosen:  # first without new rows
        widths[table, k] = []
        for i, each in enumerate(drawn):
            seed = child_seed(asked.seed + i, "foresight")
            draws, derived = refits.posterior(each, {table: k}, seed)
            widths[table, k].append(now.refitted(draws, derived, seed))
            _count(talk, sum(map(len, widths.values())), len(chosen) * len(drawn))
    found = {}
    for row in weak:
        answers, value = now.told_of_refits(widths["", 0], widths[row.kind, row.rows])
        found[row.kind, row.rows] = replace(
            row, method="refits", simulations=len(drawn), answers=answers, value=value
        )
    return found


def _count(talk: Talk, done: int, total: int) -> None:
    if talk.progress is not None:
        talk.progress(done, total, 0)


def _of_years(now: AnswersNow, years: int) -> Foreseen:
    """Years without transformative AI: a condition on the draws, with nothing to simulate."""
    date = now.result.evidence.constant(NO_TAI) + years
    given = now.weights.given(now.draws_of("tai_year") > date)
    answers, _ = replace(now, decision=None).told(given.values.reshape(1, -1))
    trusted = given.ess * now.relative >= ESS
    method = "condition" if trusted else "none"
    return Foreseen(YEARS, years, years == 1, method, 1, int(not trusted), answers, None)


def _in_order(rows: Sequence[Foreseen]) -> tuple[Foreseen, ...]:
    """Kinds by what a row of them is worth at most."""
    best: dict[str, float] = {}
    for row in rows:
        best[row.kind] = max(best.get(row.kind, 0.0), row.worth)
    return tuple(sorted(rows, key=lambda row: (-best[row.kind], row.kind, row.rows)))
