"""Runs of models on timed tasks, in the layout of METR's ``runs.jsonl``: one JSON object a line.

Fields: ``task_id``, ``alias`` (the model), ``score_binarized`` (1 if the run succeeded, else 0),
``human_minutes`` and ``human_source`` (``baseline`` where people were timed; all else counts as an
estimate). Runs of people (``alias`` or ``model`` is ``human``) that succeeded at a baseline task
count the people who were timed. Runs marked ``cloned`` are left out, other fields ignored.

Release dates stand in a field ``release_date`` (YYYY-MM-DD), or in a file ``release_dates.yaml``
beside it that has METR's layout, ``ALIAS: YYYY-MM-DD`` a line. Models without one are left out.
"""

import datetime
import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aligntax.analysis.inputs.csv_columns import read_file
from aligntax.analysis.inputs.public_runs import METR, fetched_runs
from aligntax.models.errors import InputError, brief
from aligntax.models.evidence import Evidence
from aligntax.models.evidence.reader import (
    DATE,
    Problem,
    decimal_year,
    refuse,
)
from aligntax.models.short_form import short_form
from aligntax.models.views import View

REQUIRED = ("task_id", "alias", "score_binarized", "human_minutes", "human_source")
DATES = "release_dates.yaml"
HUMAN, BASELINE = "human", "baseline"
INSPECT = " (Inspect)"  # METR's mark of a scaffold, which release dates need not have
LARGEST = 100_000_000  # bytes
FEWEST = 4  # models: a trend has a level, a doubling time and a spread


@dataclass(frozen=True)
class HorizonRuns:
    """Runs of one file, counted by model and task.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.
    rows : tuple of mapping
        Columns of the evidence table ``horizon_runs``.
    undated : tuple of str
        Models without a release date, which are left out.
    """

    path: Path
    sha256: str
    rows: tuple[Mapping[str, Any], ...]
    undated: tuple[str, ...]
    __repr__ = short_form


@dataclass
class _Counts:
    """What the lines of a file add up to."""

    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    successes: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    tasks: dict[str, tuple[int, float, str]] = field(default_factory=dict)  # line, minutes, source
    dates: dict[str, tuple[int, float]] = field(default_factory=dict)  # line, decimal year


def read_horizon_runs(name: str | Path) -> HorizonRuns:
    """Read runs from a file, or METR's that were fetched, by their name.

    Raises
    ------
    InputError
        If a line is wrong, with file, line, column, rule, value got and remedy. Also if fewer than
        four models have a release date.
    """
    path = Path(name)
    if str(name) in METR.names and not path.exists():
        path = fetched_runs(METR)
    remedy = f"check the spelling, or fetch METR's: aligntax evidence fetch {METR.name}"
    file = read_file(path, "runs of models on tasks", remedy, LARGEST, "JSON Lines")
    path, sha256 = file.path, file.sha256
    counts, problems = _Counts(), list[Problem]()
    for line, run in _objects(file.content, problems):
        problems += _count(counts, line, run)
    if problems:
        refuse(path, problems)
    dates = {alias: date for alias, (_, date) in counts.dates.items()}
    dates = _dates_beside(path) | dates
    source = f"{path.name} (SHA-256 {sha256[:12]})"
    rows, undated = _rows(counts, dates, source)
    if len({row["agent"] for row in rows}) < FEWEST:
        named = f"; without a date: {', '.join(undated[:5])}" if undated else ""
        raise InputError(
            f"{path}: must have runs of at least {FEWEST} models with a release date, got "
            f"{len({row['agent'] for row in rows})}{named}; "
            f"add a field release_date, or {DATES} beside it"
        )
    return HorizonRuns(path, sha256, rows, undated)


def _objects(content: bytes, problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines of a file that are JSON objects, each with its number; others become problems."""
    for line, raw in enumerate(io.BytesIO(content), 1):
        if not raw.strip():
            continue
        try:
            run = json.loads(raw)
        except (ValueError, RecursionError):
            run = None
        if not isinstance(run, dict):
            got = brief(raw[:60].decode("utf-8", "replace"))
            rule, remedy = "a line must be a JSON object", "give one run a line"
            problems.append(Problem(line, 1, rule, got, remedy))
            return
        yield line, run


def _count(counts: _Counts, line: int, run: Mapping[str, Any]) -> list[Problem]:
    """Count one run, or return its problems."""
    if missing := [name for name in REQUIRED if name not in run]:
        remedy = f"a run needs {', '.join(REQUIRED)}"
        has = brief(", ".join(map(str, run)))
        return [Problem(line, missing[0], "a run must have this column", has, remedy)]
    if run.get("cloned") == 1:
        return []
    task, alias, success = (run[name] for name in REQUIRED[:3])
    problems = [
        Problem(line, name, "must be text", run[name], "name the task and the model")
        for name in ("task_id", "alias", "human_source")
        if not isinstance(run[name], str) or not run[name].strip()
    ]
    if isinstance(success, bool) or success not in (0, 1):
        rule, remedy = "must be 0 or 1", "1 is a success; partial scores belong in another field"
        problems.append(Problem(line, "score_binarized", rule, success, remedy))
    minutes = run["human_minutes"]
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not _positive(minutes):
        rule, remedy = "must be a number greater than 0", "give a person's time in minutes"
        problems.append(Problem(line, "human_minutes", rule, minutes, remedy))
    if problems:
        return problems
    known = run["human_source"] if run["human_source"] == BASELINE else "estimate"
    problems = _same_task(counts, line, task, float(minutes), known)
    problems += _same_date(counts, line, alias, run.get("release_date"))
    if HUMAN in (alias, run.get("model")):
        counts.people[task] += int(success) if known == BASELINE else 0
    else:
        counts.attempts[alias, task] += 1
        counts.successes[alias, task] += int(success)
    return problems


def _positive(number: float) -> bool:
    return math.isfinite(number) and number > 0


def _same_task(counts: _Counts, line: int, task: str, minutes: float, known: str) -> list[Problem]:
    """Problem of a task that has two times, or whose time is known in two ways."""
    at, *before = counts.tasks.setdefault(task, (line, minutes, known))
    for name, old, new in zip(REQUIRED[3:], before, (minutes, known), strict=True):
        if old != new:
            remedy = f"line {at} has {old} for {brief(task)}; give the task one"
            return [Problem(line, name, "a task must have one value", new, remedy)]
    return []


def _same_date(counts: _Counts, line: int, alias: str, stated: Any) -> list[Problem]:
    """Problem of a release date that is none, or of a model with two."""
    if stated is None:
        return []
    date = _date(stated)
    if date is None:
        rule, remedy = "must be a date", "write YYYY-MM-DD"
        return [Problem(line, "release_date", rule, stated, remedy)]
    at, before = counts.dates.setdefault(alias, (line, date))
    if before != date:
        remedy = f"line {at} has another for {brief(alias)}; give the model one"
        return [Problem(line, "release_date", "a model must have one value", stated, remedy)]
    return []


def _date(stated: Any) -> float | None:
    """Decimal year of a date YYYY-MM-DD; None if it is none."""
    try:
        good = isinstance(stated, str) and DATE.fullmatch(stated)
        return decimal_year(datetime.date.fromisoformat(stated)) if good else None
    except ValueError:
        return None


def _dates_beside(path: Path) -> dict[str, float]:
    """Release dates by model of the file beside the runs; none if there is no such file."""
    beside = path.with_name(DATES)
    if not beside.is_file():
        return {}
    dates = {}
    for number, line in enumerate(beside.read_text("utf-8", "replace").splitlines(), 1):
        name, colon, stated = line.strip().rpartition(":")
        if not stated.strip() or line.lstrip().startswith("#"):
            continue  # a heading, an empty line or a comment
        date = _date(stated.strip())
        if date is None or not colon:
            rule, remedy = "must be a model's name and a date", "write ALIAS: YYYY-MM-DD"
            refuse(beside, [Problem(number, "date", rule, brief(line.strip()), remedy)])
        dates[name.strip().strip("'\"")] = date
    return dates


def _rows(
    counts: _Counts, dates: Mapping[str, float], source: str
) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """Rows of the evidence table, and the models that have no date."""
    rows: list[dict[str, Any]] = []
    undated = set()
    for (alias, task), attempts in sorted(counts.attempts.items()):
        date = dates.get(alias, dates.get(alias.removesuffix(INSPECT)))
        if date is None:
            undated.add(alias)
            continue
        _, minutes, known = counts.tasks[task]
        people = max(counts.people[task], 1) if known == BASELINE else 0
        rows.append(
            {
                "key": f"pair_{len(rows) + 1:05d}",
                "agent": alias,
                "date": date,
                "task": task,
                "human_minutes": minutes,
                "human_source": known,
                "people": float(people),
                "attempts": float(attempts),
                "successes": float(counts.successes[alias, task]),
                "used": True,
                "source": source,
                "status": "seen",
                "note": "",
            }
        )
    return tuple(rows), tuple(sorted(undated))


def with_horizon_runs(evidence: Evidence, runs: HorizonRuns, view: View) -> Evidence:
    """Return evidence whose table ``horizon_runs`` holds these runs and no others.

    Models released before the view's ``since`` stay in the table, not used.

    Raises
    ------
    InputError
        If too few are left.
    """
    since = view.time_horizon.since
    old = {"used": False, "note": "not used: released before time_horizon.since of the view"}
    rows = [{**row, **old} if row["date"] < since else row for row in runs.rows]
    if (left := len({row["agent"] for row in rows if row["used"]})) < FEWEST:
        raise InputError(
            f"{runs.path}: must have at least {FEWEST} models released from time_horizon.since = "
            f"{since:g} on, got {left}; set an earlier date in the view"
        )
    return evidence.with_rows("horizon_runs", rows)


def describe_horizon_runs(runs: HorizonRuns, evidence: Evidence) -> str:
    """One line about the runs that entered, for a citation."""
    table = evidence["horizon_runs"]
    used = table.isel(horizon_run=table["used"].values)
    total, tasks, agents = (
        f"{used['attempts'].values.sum():.0f}",
        len(set(used["task"].values.tolist())),
        len(set(used["agent"].values.tolist())),
    )
    old = len({row["agent"] for row in runs.rows}) - agents
    left = [f"{old} released earlier"] if old else []
    left += [f"{len(runs.undated)} without a release date"] if runs.undated else []
    without = f" ({' and '.join(left)} left out)" if left else ""
    return f"{total} runs of {agents} models{without} on {tasks} tasks, of {runs.path.name}"
