"""A user's gold-reward curves for over-optimisation: a CSV of KL, gold reward and run.

Gold reward is in sd of the initial policy's score, and 0 on average there. A column may have any of
its usual names, in any case. Other columns are ignored. Without a column ``form`` (``bon`` or
``rl``) the form of a run is ``bon`` where its method is best-of-n, and ``rl`` under another method.
Without a method it is the one whose curves miss the points less, which is said. Without a column
``proxy`` each run is of a proxy of its own: name it where one learned reward was optimised several
times. Lines at the head that start with ``#`` are comments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.inputs.csv_columns import (
    UserTable,
    find_columns,
    parse_amount,
    read_file,
    read_table,
    wrong_width,
)
from aligntax.analysis.summaries.words import how_many
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.evidence.reader import BadCell, Problem, refuse
from aligntax.models.overoptimization.gold_law import misses
from aligntax.models.overoptimization.model import FORMS
from aligntax.models.short_form import short_form

NAMES = {
    "kl": ("kl", "kl_nats", "kl divergence"),
    "gold": ("gold", "gold_reward", "gold reward", "gold_score"),
    "run": ("run", "run_id", "seed"),
    "proxy": ("proxy", "reward_model", "reward model"),
    "method": ("method", "optimiser", "optimizer"),
    "form": ("form",),
    "labels": ("labels", "comparisons", "n_labels"),
    "gold_se": ("gold_se", "se", "stderr"),
}
NEGATIVE = {  # what to do about a number that is too small
    "kl": "a KL divergence is never negative: check the estimator (nats, from the initial policy)",
    "labels": "give the number of labels, not its logarithm",
    "gold_se": "give a standard error",
}
NO_METHOD = "not stated"
BEST_OF_N = ("bon", "best-of-n", "best of n", "best_of_n")
OF_RUN = ("proxy", "method", "form", "labels")  # a run has one value of each
FEWEST = 5  # points: a peak has two parameters


@dataclass(frozen=True)
class GoldCurves:
    """Gold curves of one file.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.
    rows : tuple of mapping
        Columns of the evidence table ``gold_curves``; points at KL 0, where gold is 0 by
        definition, have ``used`` false.
    notes : tuple of str
        How the file was read, where not as it stands.
    """

    path: Path
    sha256: str
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    __repr__ = short_form

    @property
    def used(self) -> int:
        """Number of points that are conditioned on."""
        return sum(bool(row["used"]) for row in self.rows)


def read_curves(name: str | Path) -> GoldCurves:
    """Read gold curves from a CSV.

    Raises
    ------
    InputError
        If a line is wrong, with file, line, column, rule, value got and remedy. Also if the points
        are too few.
    """
    remedy = "check the spelling; `aligntax gold-curves --out FILE` writes an example"
    file = read_file(name, "gold curves", remedy)
    path, sha256 = file.path, file.sha256
    table = read_table(file, "kl, gold and run")
    place = find_columns(path, table.line, table.header, NAMES, ("kl", "gold", "run"))
    rows, problems = [], []
    for line, cells in table.lines:
        row, wrong = _parse_line(line, cells, table, place)
        rows.append((line, row))
        problems += wrong
    problems = problems or _conflicts_in_runs(rows)
    if problems:
        refuse(path, problems)
    notes = [*table.notes, *_choose_form([row for _, row in rows])]
    source = f"{path.name} (SHA-256 {sha256[:12]})"
    points = tuple(_evidence_row(i, row, source) for i, (_, row) in enumerate(rows))
    curves = GoldCurves(path, sha256, points, tuple(notes))
    if curves.used < FEWEST:
        raise InputError(
            f"{path}: must have at least {FEWEST} points above KL 0, got {curves.used}; add points"
        )
    return curves


def _parse_line(
    line: int, cells: Sequence[str], table: UserTable, place: Mapping[str, int]
) -> tuple[dict[str, Any], list[Problem]]:
    """Values of a line by column, and the problems that it has."""
    if len(cells) != len(table.header):
        return {}, [wrong_width(line, cells, len(table.header))]
    row: dict[str, Any] = {role: cells[at] for role, at in place.items()}
    problems = []
    for role in ("kl", "gold", "labels", "gold_se"):
        if row.get(role, "") == "" and role in ("labels", "gold_se"):
            row[role] = float("nan")
            continue
        try:
            row[role] = parse_amount(row[role], table.separator)
            if row[role] < (1 if role == "labels" else 0) and role != "gold":
                least = "at least 1" if role == "labels" else "0 or more"
                raise BadCell(f"must be {least}", NEGATIVE[role])
        except BadCell as bad:
            problems.append(Problem(line, role, bad.args[0], cells[place[role]], bad.args[1]))
    if not row["run"]:
        problems.append(
            Problem(line, "run", "must have a value", "", "name the run that the point belongs to")
        )
    row["proxy"] = row.get("proxy") or row["run"]
    row["method"] = row.get("method") or NO_METHOD
    known = row["method"] != NO_METHOD
    by_method = "bon" if row["method"].lower() in BEST_OF_N else "rl" if known else ""
    row["form"] = row.get("form") or by_method
    if row["form"] not in (*FORMS, ""):
        problems.append(
            Problem(
                line, "form", f"must be {' or '.join(FORMS)}", row["form"], "choose one of them"
            )
        )
    return row, problems


def _choose_form(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Give runs without a form the one that fits them better; return what was chosen and why."""
    open_ = [row for row in rows if not row["form"]]
    if not open_:
        return []
    points = [row for row in open_ if row["kl"] > 0]
    found = misses(*([row[name] for row in points] for name in ("kl", "gold", "run")))
    chosen, other = ("bon", "rl") if found["bon"] < found["rl"] else ("rl", "bon")
    for row in open_:
        row["form"] = chosen
    runs = len({row["run"] for row in open_})
    if not np.isfinite(found[chosen]):
        return [f"form {chosen} is taken for {runs} runs of too few points to tell"]
    return [
        f"form {chosen} is taken for {runs} run{'s' * (runs > 1)} without form or method: its best "
        f"curves miss the points by {found[chosen]:.3g} sd, those of form {other} by "
        f"{found[other]:.3g}; a column form states it"
    ]


def _conflicts_in_runs(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Problem]:
    """Problems of runs with two proxies, methods, forms or numbers of labels, or a point twice.

    A proxy with two numbers of labels is one too.
    """
    first: dict[Any, tuple[int, Mapping[str, Any]]] = {}
    of_proxy: dict[Any, tuple[int, Mapping[str, Any]]] = {}
    seen: dict[Any, int] = {}
    problems = []
    for line, row in rows:
        at, same = first.setdefault(row["run"], (line, row))
        for role in OF_RUN:
            if repr(row[role]) != repr(same[role]):  # repr: unknown labels are NaN
                remedy = f"line {at} has {same[role]}; give the run one, or the point another run"
                problems.append(Problem(line, role, "a run must have one value", row[role], remedy))
        at, same = of_proxy.setdefault(row["proxy"], (line, row))
        if row["run"] != same["run"] and repr(row["labels"]) != repr(same["labels"]):
            remedy = f"line {at} has {same['labels']}; give the proxy one, or the run another proxy"
            rule = "runs of a proxy must have one value"
            problems.append(Problem(line, "labels", rule, row["labels"], remedy))
        before = seen.setdefault((row["run"], row["kl"], row["gold"]), line)
        if before != line:
            remedy = f"line {before} is the same; drop one of them"
            problems.append(Problem(line, "kl", "a point must occur once", row["kl"], remedy))
    return problems


def _evidence_row(i: int, row: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Row of the evidence table."""
    used = row["kl"] > 0
    note = "" if used else "not used: gold is 0 at KL 0 by definition"
    own = {role: row[role] for role in NAMES}
    return {
        "key": f"point_{i + 1:05d}",
        **own,
        "used": used,
        "source": source,
        "status": "seen",
        "note": note,
    }


def with_curves(evidence: Evidence, curves: GoldCurves) -> Evidence:
    """Return evidence whose table ``gold_curves`` holds these points and no others."""
    return evidence.with_rows("gold_curves", curves.rows)


def describe_curves(curves: GoldCurves) -> str:
    """One line about the curves, for a citation."""
    used = [row for row in curves.rows if row["used"]]
    runs, forms = {row["run"] for row in used}, sorted({row["form"] for row in used})
    labels = sum(row["labels"] == row["labels"] for row in used)  # NaN is not itself
    known = "" if labels else ", no label counts (as if ample)"
    return (
        f"{how_many(len(used), 'point')} of {how_many(len(runs), 'run')} of {curves.path.name}, "
        f"form {' and '.join(forms)}{known}"
    )
