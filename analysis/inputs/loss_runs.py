"""A user's training runs for the loss law: a CSV of parameters, loss, and tokens or training FLOP.

A column may have any of its usual names, in any case. Other columns are ignored. Where tokens are
not given they are ``C / (6 N)``. Lines at the head that start with ``#`` are comments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.inputs.csv_columns import (
    UserTable,
    factors_of,
    find_columns,
    parse_amount,
    read_file,
    read_table,
    wrong_width,
)
from aligntax.analysis.inputs.plausible_runs import doubts
from aligntax.analysis.inputs.public_data import PUBLIC, PublicData, fetched_file, recognise
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.evidence.reader import BadCell, Problem, refuse
from aligntax.models.loss_law import FLOP_PER_PARAMETER_TOKEN
from aligntax.models.short_form import short_form

NAMES = {
    "parameters": (
        "parameters", "params", "n", "model size", "model_size", "num_params", "n_params",
    ),
    "loss": (
        "loss", "final_loss", "final loss", "validation_loss", "validation loss", "val_loss",
        "val loss", "eval_loss", "test_loss", "perplexity", "ppl",
    ),
    "tokens": (
        "tokens", "d", "training tokens", "training_tokens", "train_tokens", "num_tokens",
        "n_tokens",
    ),
    "training_flop": (
        "training_flop", "training flop", "flop", "flops", "training_compute", "compute", "c",
    ),
    "corpus": ("corpus", "dataset"),
}  # fmt: skip
PERPLEXITY = ("perplexity", "ppl")  # whose logarithm is the loss
PETAFLOP_DAY = 86400e15  # FLOP
# Units that may stand behind a name, in those of the column: a count, FLOP, or nats per token.
UNITS = {
    "parameters": {},
    "tokens": {},
    "training_flop": {"FLOP": 1.0, "FLOPs": 1.0}
    | dict.fromkeys(("PF-days", "PFLOP-days", "petaflop/s-days"), PETAFLOP_DAY),
    "loss": dict.fromkeys(("nats", "nats/token", "nats per token"), 1.0)
    | dict.fromkeys(("bits", "bits/token", "bits per token"), float(np.log(2))),
}
OTHER = {"tokens": "training_flop", "training_flop": "tokens"}  # one of the two is enough
FEWEST = 10  # runs: twice the five parameters of the law
# Distinct parameters, and distinct tokens: fewer cannot tell an exponent from a level.
FEWEST_SIZES = 3
# Factor between tokens x 6 N and FLOP where both are given: ways of counting FLOP differ by less.
AGREE = 1.25
# Factor between losses of equal runs on one corpus: those of two seeds differ by a tenth of this.
SEEDS = 1.05
STRAIGHT = 0.999  # correlation of log N and log D above which the two terms cannot be told apart


@dataclass(frozen=True)
class LossRuns:
    """Runs of one file.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.
    rows : tuple of mapping
        Columns of the evidence table ``loss_runs``; runs left out have ``used`` false.
    public : PublicData or None
        The public data set that these runs are, or are taken from.
    doubts : tuple of str
        What is implausible about their units, where the user insisted on them.
    notes : tuple of str
        How the file was read, where not as it stands.
    """

    path: Path
    sha256: str
    rows: tuple[Mapping[str, Any], ...]
    public: PublicData | None
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    __repr__ = short_form

    @property
    def used(self) -> int:
        """Number of runs that are conditioned on."""
        return sum(bool(row["used"]) for row in self.rows)

    @property
    def corpora(self) -> tuple[str, ...]:
        """Names of the corpora of the used runs."""
        return tuple(sorted({str(row["corpus"]) for row in self.rows if row["used"]}))


def read_runs(name: str | Path, insist: bool = False) -> LossRuns:
    """Read runs from a CSV, or a public data set that was fetched, by its name.

    Parameters
    ----------
    insist : bool
        Whether the units are right although :mod:`aligntax.analysis.inputs.plausible_runs` doubts
        them.

    Raises
    ------
    InputError
        If a line is wrong, with file, line, column, rule, value got and remedy. Also if the runs
        are too few or too alike for the law, or are hardly in the units that they are read in.
    """
    if str(name) in PUBLIC and not Path(name).exists():
        name = fetched_file(str(name))
    remedy = (
        f"check the spelling, or fetch public runs: aligntax evidence fetch {next(iter(PUBLIC))}"
    )
    file = read_file(name, "runs", remedy)
    path, sha256 = file.path, file.sha256
    table = read_table(file, "parameters, loss, tokens or training_flop")
    place = _find_columns(path, table.line, table.header)
    factors, converted = factors_of(path, table, place, UNITS)
    logged = ["the loss is the log of perplexity"] if _is_perplexity(table, place) else []
    notes = [*table.notes, *converted, *logged]
    rows, problems = [], []
    for line, cells in table.lines:
        row, wrong = _parse_line(line, cells, table, place, factors)
        rows.append((line, row))
        problems += wrong
    problems = problems or _repeated_runs(rows) + _mixed_corpora(rows)
    if problems:
        refuse(path, problems)
    source = f"{path.name} (SHA-256 {sha256[:12]})"
    complete = tuple(_evidence_row(i, row, source) for i, (_, row) in enumerate(rows))
    _require_enough(path, complete)
    asked = tuple(doubts(complete))
    if asked and not insist:
        remedy = (
            "parameters and tokens are counts, training_flop is FLOP, and the loss is in nats per "
            "token: convert the column, or insist with --yes"
        )
        raise InputError("\n".join(f"{path}, {line}" for line in asked) + f"\n{remedy}")
    return LossRuns(path, sha256, complete, recognise(complete), asked, tuple(notes))


def _find_columns(path: Path, line: int, header: Sequence[str]) -> dict[str, int]:
    """Position of each known column; the file must have tokens or training FLOP."""
    place = find_columns(path, line, header, NAMES, ("parameters", "loss"))
    if not {"tokens", "training_flop"} & set(place):
        rule, remedy = (
            "the file must have tokens or training_flop",
            "name a column tokens, or training_flop",
        )
        refuse(path, [Problem(line, "tokens", rule, ", ".join(header), remedy)])
    return place


def _is_perplexity(table: UserTable, place: Mapping[str, int]) -> bool:
    return table.header[place["loss"]].strip().lower() in PERPLEXITY


def _parse_line(
    line: int,
    cells: Sequence[str],
    table: UserTable,
    place: Mapping[str, int],
    factors: Mapping[str, float],
) -> tuple[dict[str, Any], list[Problem]]:
    """Values of a line by column, and the problems that it has; tokens may still be missing."""
    if len(cells) != len(table.header):
        return {}, [wrong_width(line, cells, len(table.header))]
    row: dict[str, Any] = {"corpus": cells[place["corpus"]] if "corpus" in place else ""}
    problems = []
    for role in (role for role in place if role != "corpus"):
        cell, other = cells[place[role]], OTHER.get(role, "")
        if not cell and other in place and cells[place[other]]:
            continue
        try:
            row[role] = factors[role] * parse_amount(cell, table.separator)
            if role == "loss" and row[role] > 0 and _is_perplexity(table, place):
                row[role] = float(np.log(row[role]))
            if not row[role] > 0:
                raise BadCell(
                    "must be greater than 0",
                    "check the value; losses and sizes are not given as logarithms",
                )
        except BadCell as bad:
            problems.append(Problem(line, role, bad.args[0], cell, bad.args[1]))
    if not problems and "tokens" in row and "training_flop" in row:
        ratio = FLOP_PER_PARAMETER_TOKEN * row["parameters"] * row["tokens"] / row["training_flop"]
        if not 1 / AGREE <= ratio <= AGREE:
            rule = (
                f"6 x parameters x tokens must agree with training_flop within a factor of {AGREE}"
            )
            problems.append(
                Problem(
                    line, "training_flop", rule, f"{ratio:.3g} times as much", "correct or drop one"
                )
            )
    return row, problems


def _repeated_runs(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Problem]:
    """Problems of runs that the file has twice; each would count twice."""
    first: dict[Any, int] = {}
    problems = []
    for line, row in rows:
        same = tuple(sorted(row.items()))
        if same in first:
            rule, remedy = (
                "a run must occur once",
                f"line {first[same]} is the same; drop one of them",
            )
            problems.append(Problem(line, "parameters", rule, f"{row['parameters']:g}", remedy))
        first.setdefault(same, line)
    return problems


def _mixed_corpora(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Problem]:
    """Problems of corpora: some without a name, brackets, or two losses of one run's sizes."""
    named = any(row["corpus"] for _, row in rows)
    first: dict[Any, tuple[int, float]] = {}
    problems = []
    for line, row in rows:
        corpus = row["corpus"]
        if named and not corpus:
            remedy = "name it in every row, or leave the column out"
            problems.append(Problem(line, "corpus", "a corpus must have a name", corpus, remedy))
        if set(corpus) & set("[]"):  # as in alpha[corpus]
            rule, remedy = "a corpus must have no brackets in its name", "write another"
            problems.append(Problem(line, "corpus", rule, corpus, remedy))
        sizes = (corpus, row["parameters"], row.get("tokens"), row.get("training_flop"))
        at, loss = first.setdefault(sizes, (line, row["loss"]))
        if not 1 / SEEDS <= row["loss"] / loss <= SEEDS:
            rule = f"runs of one corpus and the same sizes must agree within a factor of {SEEDS}"
            remedy = f"line {at} has {loss:g}; name their corpora in a column corpus, or drop one"
            problems.append(Problem(line, "loss", rule, row["loss"], remedy))
    return problems


def _evidence_row(i: int, row: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Row of the evidence table."""
    given = "tokens" in row
    tokens = (
        row["tokens"]
        if given
        else row["training_flop"] / (FLOP_PER_PARAMETER_TOKEN * row["parameters"])
    )
    return {
        "key": f"run_{i + 1:05d}",
        "corpus": row["corpus"],
        "parameters": row["parameters"],
        "tokens": tokens,
        "loss": row["loss"],
        "used": True,
        "source": source,
        "status": "seen" if given else "computed",
        "note": "" if given else "tokens are training FLOP / (6 x parameters)",
    }


def _require_enough(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise an error about runs that cannot determine the five parameters of the law."""
    used = [row for row in rows if row["used"]]
    if len(used) < FEWEST:
        raise InputError(
            f"{path}: must have at least {FEWEST} runs, got {len(used)}; "
            "the law has five parameters"
        )
    n, d = (np.log([row[name] for row in used]) for name in ("parameters", "tokens"))
    for name, values in (("parameters", n), ("tokens", d)):
        sizes = len(np.unique(values.round(3)))
        if sizes < FEWEST_SIZES:
            raise InputError(
                f"{path}, column {name}: must have at least {FEWEST_SIZES} different values, "
                f"got {sizes}; an exponent needs runs of several sizes"
            )
    if abs(np.corrcoef(n, d)[0, 1]) > STRAIGHT:
        rule = (
            f"{path}: parameters and tokens must vary apart, got tokens that follow from parameters"
        )
        raise InputError(f"{rule}; add runs of the same size on other amounts of data")


def drop_highest(runs: LossRuns, count: int) -> LossRuns:
    """Return the runs without the ``count`` of highest loss.

    Those remain in the table as not used.

    Raises
    ------
    InputError
        If the count is negative or leaves too few runs.
    """
    if count < 0:
        raise InputError(
            f"drop_highest: must not be negative, got {count}; give the number of runs to leave out"
        )
    if not count:
        return runs
    order = sorted(range(len(runs.rows)), key=lambda i: -float(runs.rows[i]["loss"]))
    out = {
        "used": False,
        "note": f"not used: one of the {count} runs of highest loss, left out as asked",
    }
    left = set(order[:count])
    rows = tuple({**row, **out} if i in left else row for i, row in enumerate(runs.rows))
    _require_enough(runs.path, rows)
    return replace(runs, rows=rows)


def with_runs(evidence: Evidence, runs: LossRuns) -> Evidence:
    """Return evidence whose table ``loss_runs`` holds these runs and no others."""
    return evidence.with_rows("loss_runs", runs.rows)


def describe_runs(runs: LossRuns) -> str:
    """One line about the runs, for a citation."""
    left = len(runs.rows) - runs.used
    corpora = f", corpora {', '.join(runs.corpora)}" if len(runs.corpora) > 1 else ""
    dropped = f" ({left} of highest loss left out)" if left else ""
    return f"{runs.used} runs{dropped} of {runs.path.name}{corpora}"
