"""What all CSV files of a user share: a limit on size, a hash, and columns under usual names."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import Problem, refuse

LARGEST = 10_000_000  # bytes
SEPARATORS = {"semicolons": ";", "tabs": "\t", "bars": "|"}
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
    spelt, place, problems = [name.strip().lower() for name in header], {}, []
    for role, spellings in names.items():
        found = [i for i, name in enumerate(spelt) if name in spellings]
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
