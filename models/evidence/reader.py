"""Read one CSV file into rows of checked values, or raise one error that lists what is wrong.

A message reads ``FILE, line N, column C: RULE, got VALUE; REMEDY``. Lines count from 1 and include
the comments at the head. C is the name of a column. Where the file cannot be split into columns, C
is a position in the line.
"""

import csv
import datetime
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from aligntax.models.errors import InputError
from aligntax.models.evidence.columns import Column, EvidenceTable

MOST_PROBLEMS = 10  # in one message; a longer list is no easier to act on
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
SLUG = re.compile(r"[a-z0-9][a-z0-9_]*", re.ASCII)
EMPTY: dict[str, Any] = {"text": "", "slug": "", "choice": "", "flag": False}  # other kinds: NaN


class Problem(NamedTuple):
    """One thing wrong with a file."""

    line: int
    column: str | int
    rule: str
    got: object
    remedy: str


class BadCell(ValueError):
    """A cell that breaks its column's rule; ``args`` are the rule and the remedy."""


def decimal_year(day: datetime.date) -> float:
    """Return a day as a decimal year: 1 January 2024 is 2024.0, 2 July 2024 is 2024.5."""
    start = datetime.date(day.year, 1, 1).toordinal()
    return day.year + (day.toordinal() - start) / (
        datetime.date(day.year, 12, 31).toordinal() + 1 - start
    )


def read_rows(
    path: Path, table: EvidenceTable, taken: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Read and check one file.

    Parameters
    ----------
    path : Path
        The CSV file.
    table : EvidenceTable
        What it should hold.
    taken : frozenset of str
        Keys that the rows may not have, because the table that they extend has them.

    Returns
    -------
    list of dict
        Column name to value: str, bool, or float (NaN if missing; decimal years for dates).

    Raises
    ------
    InputError
        Naming up to ten problems of the file, each with line, column, rule, value and remedy.
    """
    problems: list[Problem] = []
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    lines = records(path, f"values of {table.name}.csv")
    header_line, header = next(lines, (1, []))
    if not header:
        remedy = f"see the columns of {table.name}.csv"
        refuse(path, [Problem(1, 1, "the file must hold a table", "nothing", remedy)])
    problems += _check_header(header_line, header, table)
    if problems:
        refuse(path, problems)
    for line, cells in lines:
        if len(cells) != len(header):
            remedy = (
                "give one value to each column, empty if missing, "
                "and quote values that contain commas"
            )
            rule = f"a row must have {len(header)} values"
            problems.append(Problem(line, min(len(cells), len(header)), rule, len(cells), remedy))
            continue
        row, wrong = _parse_row(line, dict(zip(header, cells, strict=True)), table)
        problems += wrong
        problems += _repeated_key(line, row["key"], taken, seen)
        seen.setdefault(row["key"], line)
        rows.append(row)
    if not rows and not problems and not table.supplied:
        remedy = "add rows, or leave the file out"
        problems.append(Problem(header_line, "key", "a table must have a row", "none", remedy))
    if problems:
        refuse(path, problems)
    return rows


def _repeated_key(
    line: int, key: str, taken: frozenset[str], seen: dict[str, int]
) -> list[Problem]:
    """Problems of a key that the extended table, or an earlier line of the file, has too."""
    problems = []
    if key in taken:
        rule = "must not be in the table already"
        problems.append(Problem(line, "key", rule, key, "choose another key"))
    if key and key in seen:
        remedy = f"line {seen[key]} has it too; choose another key"
        problems.append(Problem(line, "key", "must be unique", key, remedy))
    return problems


def refuse(path: Path, problems: list[Problem]) -> NoReturn:
    """Raise one error that lists the first ten kinds of problems, each with its first example."""
    kinds: dict[Any, list[Problem]] = {}
    for p in problems:
        kinds.setdefault((p.column, p.rule, p.remedy), []).append(p)
    lines = [_told(path, alike) for alike in list(kinds.values())[:MOST_PROBLEMS]]
    if len(kinds) > MOST_PROBLEMS:
        lines.append(f"... and {len(kinds) - MOST_PROBLEMS} more problems in {path}")
    raise InputError("\n".join(lines))


def _told(path: Path, alike: list[Problem]) -> str:
    """One line for problems of one kind: the first of them, and how many more there are."""
    first, more = alike[0], len(alike) - 1
    also = f", and so {more} more time{'s' * (more > 1)} to line {alike[-1].line}" if more else ""
    return (
        f"{path}, line {first.line}, column {first.column}: {first.rule}, "
        f"got {_shortened(first.got)}{also}; {first.remedy}"
    )


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def records(
    path: Path, what: str, content: bytes | None = None, separator: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the values of every record, the header first.

    Comments at the head and blank lines are left out.

    Parameters
    ----------
    what : str
        The values that may need quotes, for messages.
    content : bytes, optional
        What the file holds, if it was read already.
    separator : str
        What stands between values.

    Raises
    ------
    InputError
        If the file cannot be read, is not UTF-8, holds NUL bytes, or its quotes do not match.
    """
    try:
        raw = path.read_bytes() if content is None else content
    except OSError as error:
        raise InputError(
            f"{path}: must be a readable file, got {error.strerror}; check the path and rights"
        ) from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        got = raw[error.start : error.start + 1]
        line, column = _position(raw, error.start)
        refuse(
            path,
            [Problem(line, column, "the file must be UTF-8 text", got, "save it as CSV in UTF-8")],
        )
    if "\0" in text:
        line, column = _position(raw, raw.index(b"\0"))
        refuse(
            path,
            [Problem(line, column, "the file must hold no NUL", "\0", "save it as CSV in UTF-8")],
        )
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="").readlines()
    head = 0
    while head < len(lines) and (lines[head].startswith("#") or not lines[head].strip()):
        head += 1
    reader = csv.reader(lines[head:], strict=True, delimiter=separator)
    start = head + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, [cell.strip() for cell in cells]
            start = head + reader.line_num + 1
    except csv.Error as error:
        remedy = f"quote {what} that contain commas, and double the quotes inside them"
        refuse(path, [Problem(start, 1, "a record must be well-formed CSV", str(error), remedy)])


def _position(raw: bytes, offset: int) -> tuple[int, int]:
    """Return the line and column of a byte, both counted from 1."""
    return raw.count(b"\n", 0, offset) + 1, offset - raw.rfind(b"\n", 0, offset)


def _check_header(line: int, header: list[str], table: EvidenceTable) -> list[Problem]:
    names = [column.name for column in table.columns]
    problems = []
    for place, name in enumerate(header, 1):
        if name not in names:
            remedy = f"the columns of {table.name} are {', '.join(names)}, separated by commas"
            problems.append(
                Problem(line, place, "a column must be one of the table's", name, remedy)
            )
        elif name in header[: place - 1]:
            problems.append(
                Problem(line, name, "a column must occur once", name, "drop or rename one of them")
            )
    for name in names:
        if name not in header:
            problems.append(
                Problem(
                    line, name, "a column must not be missing", header, f"add the column {name}"
                )
            )
    return problems


def _parse_row(
    line: int, cells: dict[str, str], table: EvidenceTable
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of a row, and what is wrong with them."""
    row: dict[str, Any] = {}
    problems = []
    for column in table.columns:
        cell = cells[column.name]
        row[column.name] = EMPTY.get(column.kind, math.nan)
        if not cell:
            if column.required:
                problems.append(
                    Problem(
                        line, column.name, "must have a value", cell, f"give the {column.meaning}"
                    )
                )
            continue
        try:
            row[column.name] = _parse_cell(cell, column)
        except BadCell as bad:
            rule, remedy = bad.args
            problems.append(Problem(line, column.name, rule, cell, remedy))
    if row.get("used"):
        for column in table.columns:
            if column.needed and not cells[column.name]:
                rule = "a used row must have a value"
                remedy = f"give the {column.meaning}, or set used to false"
                problems.append(Problem(line, column.name, rule, "", remedy))
    if not problems:  # rules on a whole row presuppose good cells
        for rule_of_row in table.rules:
            broken = rule_of_row(row)
            if broken is not None:
                problems.append(Problem(line, broken[0], broken[1], cells[broken[0]], broken[2]))
    return row, problems


def _parse_cell(cell: str, column: Column) -> str | bool | float:
    """Return the value of a cell, or raise BadCell(rule, remedy)."""
    match column.kind:
        case "text":
            return cell
        case "slug":
            if not SLUG.fullmatch(cell):
                raise BadCell(
                    "must be lower-case letters, digits and underscores", "rename the row"
                )
            return cell
        case "choice":
            if cell not in column.choices:
                raise BadCell(f"must be one of {', '.join(column.choices)}", "choose one of them")
            return cell
        case "flag":
            if cell not in ("true", "false"):
                raise BadCell("must be true or false", "write one of them in lower case")
            return cell == "true"
    value = _parse_date(cell) if column.kind == "date" else parse_number(cell)
    if column.kind in ("count", "year") and value != math.floor(value):
        raise BadCell("must be a whole number", "round it")
    if not column.lower <= value <= column.upper:
        unit = f" {column.unit}" if column.unit else ""
        raise BadCell(
            f"must lie between {column.lower:g} and {column.upper:g}{unit}", "check value and unit"
        )
    return value


def parse_number(cell: str) -> float:
    """Return the finite number that a cell holds, or raise BadCell(rule, remedy)."""
    if not cell:
        raise BadCell("must be a number", "give it, or leave the row out")
    remedy = "write it like 1234.5 or 1.2e25, without unit or separators"
    # float() alone would take nan, inf, 1_000 and other scripts' digits
    if not NUMBER.fullmatch(cell):
        raise BadCell("must be a number", remedy)
    value = float(cell)
    if math.isinf(value):
        raise BadCell("must be a finite number", remedy)
    return value


def _parse_date(cell: str) -> float:
    remedy = "write it like 2022-03-29"
    if not DATE.fullmatch(cell):
        raise BadCell("must be a date YYYY-MM-DD", remedy)
    try:
        return decimal_year(datetime.date.fromisoformat(cell))
    except ValueError:
        raise BadCell("must be a day of the calendar", remedy) from None
