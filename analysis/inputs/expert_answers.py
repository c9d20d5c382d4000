"""Rows of a table of experts' quantiles become answers, and answers priors.

See :mod:`aligntax.analysis.inputs.expert_table`, which has the table.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from aligntax.analysis.inputs.csv_columns import UserTable, wrong_width
from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import Problem
from aligntax.models.priors.amounts import read_amount
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED, Quantity, lookup

LEVEL = re.compile(r"p_?(\d{1,2}(?:\.\d+)?)|(\d{1,2}(?:\.\d+)?)%")
MISSING = ("", "na", "n/a", "nan", "none", "null")  # cells that hold nothing
NOT_FILE = re.compile(r"[^\w.-]+")
POOL = "pool"  # name of the view of all experts
LONGEST = 100  # bytes of an expert's name; file systems take 255, with what is added to it


@dataclass(frozen=True)
class LeftOut:
    """An answer of which no prior can be made.

    Attributes
    ----------
    expert, quantity : str
    line : int
        Of the file, where the answer begins.
    why : str
    """

    expert: str
    quantity: str
    line: int
    why: str


@dataclass(frozen=True)
class Shape:
    """Where the quantiles stand.

    Attributes
    ----------
    levels : mapping of int to str
        Probability of each column of a wide table; empty for a long one.
    percent : bool
        Whether bare numbers in the column ``quantile`` are percentages: all are 1 or more.
    """

    levels: Mapping[int, str]
    percent: bool = False

    def level(self, cell: str) -> str:
        """Probability that a cell of the column ``quantile`` names."""
        match = LEVEL.fullmatch(cell.strip().lower())
        try:
            value = float(match[1] or match[2]) / 100 if match else float(cell)
        except ValueError:
            value = 0.0
        value /= 100 if self.percent and not match else 1
        if not 0 < value < 1:
            remedy = "write all as 0.1, as 10% or as p10"
            raise _Bad("quantile", "must lie between 0 and 1, or 0% and 100%", cell, remedy)
        return f"{value:g}"


def shape_of(
    table: UserTable,
    rows: Sequence[tuple[int, Sequence[str]]],
    place: Mapping[str, int],
    strict: bool,
) -> tuple[Shape, list[Problem], list[str]]:
    """Where the quantiles stand, problems with the header, and what of it is not used."""
    levels: dict[int, str] = {}
    problems: list[Problem] = []
    unused = []
    for i, name in enumerate(table.header):
        match = LEVEL.fullmatch(name.strip().lower())
        level = f"{float(match[1] or match[2]) / 100:g}" if match else "0"
        if i in place.values():
            continue
        if level in levels.values():
            rule, remedy = "a quantile must occur once", "drop or rename one of them"
            problems.append(Problem(table.line, name, rule, name, remedy))
        elif level != "0":
            levels[i] = level
        elif strict:
            rule = "must be expert, quantity, weight, source or a quantile"
            remedy = "write quantiles as p10, p50, p90"
            problems.append(Problem(table.line, name, rule, name, remedy))
        else:
            unused.append(name)
    long = [role for role in ("quantile", "value") if role in place]
    if not problems and (len(long) == 1 or bool(long) == bool(levels)):
        rule = "quantiles must stand in columns as p10, or in the two columns quantile and value"
        remedy = "use one of the two ways"
        problems.append(Problem(table.line, "quantile", rule, ", ".join(table.header), remedy))
    notes = [f"columns that are not used: {', '.join(unused)}"] if unused else []
    percent = len(long) == 2 and _all_percent(
        cells[place["quantile"]] for _, cells in rows if len(cells) == len(table.header)
    )
    return Shape(levels, percent), problems, notes


def _all_percent(cells: Iterable[str]) -> bool:
    """Whether every bare number is 1 or more, and so none a probability."""
    bare = []
    for cell in cells:
        try:
            bare.append(float(cell))
        except ValueError:
            continue
    return bool(bare) and all(number >= 1 for number in bare)


class _Bad(ValueError):
    """A bad cell; ``args`` are the column, the rule, the value got and the remedy."""


class _Unusable(_Bad):
    """An answer of which no prior can be made; its last argument says why."""


@dataclass
class _Answer:
    """Quantiles of an expert on a quantity; ``found`` has the other cells of its first row."""

    line: int
    quantity: Quantity
    found: Mapping[str, str]
    said: dict[str, str]


@dataclass
class Reader:
    """Rows of a table become answers.

    Attributes
    ----------
    fewest : int
        Quantiles that an answer must have.
    problems : list of Problem
        Found so far.
    """

    place: Mapping[str, int]
    shape: Shape
    fewest: int
    problems: list[Problem]
    answers: dict[tuple[str, str], _Answer] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    spelt: dict[str, str] = field(default_factory=dict)

    def take(self, line: int, cells: Sequence[str], width: int) -> None:
        """Take a row into the answers, or its problem into the problems."""
        if len(cells) != width:
            self.problems.append(wrong_width(line, cells, width))
            return
        found = {role: cells[i] for role, i in self.place.items()}
        try:
            who = self._who(found["expert"])
            quantity = _elicited(found["quantity"])
            if said := self._said(found, cells):
                self._add(line, who, _Answer(line, quantity, found, said))
        except _Bad as error:
            self.problems.append(Problem(line, *error.args))

    def _who(self, name: str) -> str:
        """Name of an expert as a file's name, which no other expert may have."""
        who = NOT_FILE.sub("-", name).strip("-.").lower()
        if not who or who == POOL or len(who.encode()) > LONGEST:
            rule = f"must be a name of up to {LONGEST} bytes, and not {POOL}"
            raise _Bad("expert", rule, name, "write who answers")
        if self.spelt.setdefault(who, name) != name:
            rule = f"{self.spelt[who]!r} has the file {who}.toml, so no other name may make it"
            raise _Bad("expert", rule, name, "spell one expert alike, and tell two apart")
        return who

    def _said(self, found: Mapping[str, str], cells: Sequence[str]) -> dict[str, str]:
        """Quantiles of a row that hold something, by probability."""
        if self.shape.levels:
            said = {level: cells[i] for i, level in self.shape.levels.items()}
        elif {"quantile", "value"} <= set(found) and found["value"].strip().lower() not in MISSING:
            said = {self.shape.level(found["quantile"]): found["value"]}
        else:
            said = {}
        return {level: cell for level, cell in said.items() if cell.strip().lower() not in MISSING}

    def _add(self, line: int, who: str, answer: _Answer) -> None:
        weight = _weight(answer.found.get("weight") or "1")
        first = self.answers.setdefault((who, answer.quantity.name), answer)
        if first is not answer:
            if self.shape.levels:
                rule, got = "one row an expert and quantity", first.quantity.name
                raise _Bad("quantity", rule, got, "drop one")
            (level,) = answer.said
            if level in first.said:
                rule = f"one row an expert, quantity and quantile; line {first.line} began it"
                raise _Bad("quantile", rule, level, "keep one, of one round of a panel")
            first.said.update(answer.said)
        if self.weights.setdefault(who, weight) != weight:
            raise _Bad("weight", "must be the same in all rows of an expert", weight, "agree")

    def priors(
        self, file: str, strict: bool
    ) -> tuple[dict[str, dict[str, dict[str, Any]]], list[LeftOut]]:
        """Priors by expert and quantity, and the answers that make none."""
        said: dict[str, dict[str, dict[str, Any]]] = {}
        left_out = []
        for (who, name), answer in self.answers.items():
            try:
                prior = _prior(answer, self.fewest, file)
            except _Unusable as error:
                *told, why = error.args
                if strict:
                    self.problems.append(Problem(answer.line, *told))
                else:
                    left_out.append(LeftOut(who, name, answer.line, why))
            except _Bad as error:
                self.problems.append(Problem(answer.line, *error.args))
            else:
                said.setdefault(who, {})[name] = prior
        return said, left_out


def _elicited(name: str) -> Quantity:
    """Elicited quantity of a name or label."""
    try:
        quantity = lookup(name)
    except InputError as error:
        remedy = str(error).rpartition("; ")[2]
        raise _Bad("quantity", "must be one of the registry", name, remedy) from None
    if quantity.name not in ELICITED:
        remedy = "see `aligntax view show default`"
        raise _Bad("quantity", "must be an elicited one", name, remedy)
    return quantity


def _prior(answer: _Answer, fewest: int, file: str) -> dict[str, Any]:
    """Prior by an answer's quantiles."""
    quantity, said = answer.quantity, sorted(answer.said.items(), key=lambda item: float(item[0]))
    quantiles = {level: _amount(quantity, level, cell) for level, cell in said}
    values, got = list(quantiles.values()), ", ".join(cell for _, cell in said)
    if len(values) < fewest:
        count = {2: "two", 3: "three"}[fewest]
        rule, why = f"must be {count} or more quantiles", f"it has fewer than {count} quantiles"
        raise _Unusable("quantiles", rule, got, "state more, as p10, p50, p90", why)
    if any(a >= b for a, b in pairwise(values)):
        why = "its quantiles do not rise"
        raise _Unusable("quantiles", "must be quantiles that rise", got, "check their order", why)
    source = f"{answer.found['expert']}: {answer.found.get('source') or file}"
    prior = {"quantiles": quantiles, "source": source, "rationale": "see the source"}
    try:
        compile_prior(quantity.name, prior)
    except InputError as error:
        why = "no prior can be made of it"
        told = ("quantiles", "must make a prior", str(error), "state others", why)
        raise _Unusable(*told) from None
    return prior


def _amount(quantity: Quantity, level: str, cell: str) -> float:
    try:
        return read_amount(quantity, cell)
    except InputError as error:
        rule, _, remedy = str(error).removeprefix(f"{quantity.name}: ").partition("; ")
        told = (f"p{100 * float(level):g}", rule.partition(", got ")[0], cell, remedy)
    try:
        read_amount(replace(quantity, scale="linear"), cell)
    except InputError:
        raise _Bad(*told) from None  # no amount of anything
    raise _Unusable(*told, "it has a value outside the quantity's range")


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise _Bad("weight", "must be a number that is not negative", text, "write for instance 1")
    return value
