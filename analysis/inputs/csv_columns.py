"""What all tables of a user share: a limit on size, a hash, separators, encodings, and columns.

Whatever was not taken as it stands is said, in :attr:`UserTable.notes`.
"""

import codecs
import hashlib
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import BadCell, Problem, parse_number, records, refuse
from aligntax.models.priors.amounts import MULTIPLES, Stated

LARGEST = 10_000_000  # bytes
SEPARATORS = {"semicolons": ";", "tabs": "\t", "bars": "|"}
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WINDOWS = "cp1252"  # what spreadsheets write where they do not write UTF-8
# "params (B)": a name, and the unit of its numbers
WITH_UNIT = re.compile(r"(.*?)\s*[(\[]([^()\[\]]*)[)\]]")
STANDARD_INPUT = "standard input"  # what ``-`` is called in messages


@dataclass(frozen=True)
class UserFile:
    """A user's file, read once: a pipe gives its bytes only once.

    Attributes
    ----------
    path : Path
        As it is named in messages.
    content : bytes
    """

    path: Path
    content: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def read_file(
    name: str | Path,
    what: str,
    remedy: str,
    largest: int = LARGEST,
    kind: str = "CSV",
    argument: str = "runs",
) -> UserFile:
    """Read a file, a pipe, or standard input where the name is ``-``.

    Parameters
    ----------
    what : str
        What the file holds, for messages: ``runs`` or ``gold curves``.
    remedy : str
        What to do if it cannot be read.
    largest : int
        Bytes that it may have; no more are read.
    kind : str
        Kind of file, for messages.
    argument : str
        The argument that names the file, for messages.

    Raises
    ------
    InputError
        If it cannot be read or is too large to be such a table.
    """
    path = Path(STANDARD_INPUT if str(name) == "-" else name)
    try:
        if str(name) == "-":
            content = sys.stdin.buffer.read(largest + 1)
        else:
            with path.open("rb") as file:
                content = file.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        rule = f"must be a {kind} file that can be read"
        raise InputError(f"{argument}: {rule}, got {str(path)!r} ({reason}); {remedy}") from None
    if len(content) > largest:
        rule = f"{path} must be smaller than {largest} bytes"
        raise InputError(f"{argument}: {rule}, got more; is it a table of {what}?")
    return UserFile(path, content)


@dataclass(frozen=True)
class UserTable:
    """Lines of a user's table.

    Attributes
    ----------
    line : int
        Number of the header's line.
    header : list of str
    lines : iterator of (int, list of str)
        Number and values of each line below it.
    separator : str
    notes : tuple of str
        How the file was read, where it is no CSV in UTF-8.
    """

    line: int
    header: list[str]
    lines: Iterator[tuple[int, list[str]]]
    separator: str
    notes: tuple[str, ...]


def read_table(file: UserFile, what: str) -> UserTable:
    """Split a file into lines and values; see :func:`aligntax.models.evidence.reader.records`."""
    content, notes = _in_utf_8(file.content)
    head = next((line for line in content.splitlines() if line and not line.startswith(b"#")), b"")
    marks = [(n, m) for n, m in SEPARATORS.items() if m.encode() in head and b"," not in head]
    mark = ","
    if len(marks) == 1:  # two of them are refused with the header
        name, mark = marks[0]
        notes.append(f"values are separated by {name}")
    lines = records(file.path, what, content, mark)
    line, header = next(lines, (1, []))
    return UserTable(line, header, lines, mark, tuple(notes))


def _in_utf_8(content: bytes) -> tuple[bytes, list[str]]:
    """The same text in UTF-8, and what it was in; a text that is neither stays as it is."""
    if content.startswith(UTF_16):
        return content.decode("utf-16", "replace").encode(), ["the text is in UTF-16"]
    try:
        content.decode()
        return content, []
    except UnicodeDecodeError:
        pass
    try:
        return content.decode(WINDOWS).encode(), [f"the text is no UTF-8 and taken for {WINDOWS}"]
    except UnicodeDecodeError:
        return content, []


def parse_amount(cell: str, separator: str = ",") -> float:
    """Read a number of a table, such as ``27.4M`` or ``1,000``.

    Raises
    ------
    BadCell
        If it is none, or a comma may be that of a decimal.
    """
    if "," in cell and separator == ";":
        rule = "a number must have no comma where semicolons separate values"
        raise BadCell(rule, "write 1.8 for a decimal and 1000 for a thousand")
    try:
        stated = Stated.parse(cell)
    except ValueError:
        return parse_number(cell)
    return parse_number(cell) if stated.unit or not math.isfinite(stated.value) else stated.value


def factors_of(
    path: Path,
    table: UserTable,
    place: Mapping[str, int],
    units: Mapping[str, Mapping[str, float]],
) -> tuple[dict[str, float], list[str]]:
    """What the numbers of each column are multiplied by, from the unit in its name, and notes.

    Parameters
    ----------
    units : mapping of str to mapping
        By column, what its other units are in its own, beside thousands, millions and so on.

    Raises
    ------
    InputError
        If a unit is not known.
    """
    factors, notes, problems = dict.fromkeys(place, 1.0), [], []
    for role, at in place.items():
        _, unit = _parts(table.header[at])
        known = {**MULTIPLES, **units.get(role, {})}
        alike = {name.lower(): factor for name, factor in known.items()}
        if not unit or role not in units:
            continue
        if unit.lower() not in alike:
            rule = f"the unit must be one of {', '.join(known)}"
            remedy = "write one of them, or convert the column"
            problems.append(Problem(table.line, table.header[at], rule, unit, remedy))
            continue
        factors[role] = alike[unit.lower()]
        if factors[role] != 1.0:
            notes.append(f"{table.header[at]}: {role} are its numbers times {factors[role]:.4g}")
    if problems:
        refuse(path, problems)
    return factors, notes


def _parts(name: str) -> tuple[str, str]:
    """Name of a column and the unit in brackets behind it, if there is one."""
    found = WITH_UNIT.fullmatch(name.strip())
    return (found[1], found[2].strip()) if found else (name.strip(), "")


def find_columns(
    path: Path,
    line: int,
    header: Sequence[str],
    names: Mapping[str, Sequence[str]],
    required: Sequence[str],
) -> dict[str, int]:
    """Position of each known column, found by any of its names in any case.

    Parameters
    ----------
    names : mapping of str to sequence of str
        Names that a column may have in the file, by the name that it has here.
    required : sequence of str
        Columns that the file must have.

    Raises
    ------
    InputError
        If a column occurs twice, a required one is missing, or no commas separate them.
    """
    if separator := other_separator(header):
        rule, remedy = "values must be separated by commas", "save the file as CSV with commas"
        refuse(path, [Problem(line, 1, rule, separator, remedy)])
    spelt = [{name.strip().lower(), _parts(name)[0].lower()} for name in header]
    place, problems = {}, []
    for role, spellings in names.items():
        found = [i for i, name in enumerate(spelt) if name & set(spellings)]
        if len(found) > 1:
            got = " and ".join(header[i] for i in found)
            problems.append(
                Problem(line, role, "a column must occur once", got, "drop or rename one of them")
            )
        elif found:
            place[role] = found[0]
    for role in required:
        if role not in place and not problems:
            others = ", ".join(names[role][1:])
            remedy = f"name a column {role}{f' (or {others})' if others else ''}"
            problems.append(
                Problem(line, role, "the file must have this column", ", ".join(header), remedy)
            )
    if problems:
        refuse(path, problems)
    return place


def other_separator(header: Sequence[str]) -> str:
    """What separates the names of a header that commas do not separate; empty if nothing does."""
    found = [name for name, mark in SEPARATORS.items() if len(header) == 1 and mark in header[0]]
    return found[0] if found else ""


def wrong_width(line: int, cells: Sequence[str], width: int) -> Problem:
    """Problem of a line with more or fewer values than the header."""
    remedy = "give one to each column and quote values that contain commas"
    rule = f"a row must have {width} values"
    return Problem(line, min(len(cells), width), rule, len(cells), remedy)
