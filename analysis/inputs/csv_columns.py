"""What all CSV files of a user share: a limit on size, a hash, and columns under usual names."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import Problem, refuse

LARGEST = 10_000_000  # bytes


def file_sha256(
    path: Path, what: str, remedy: str, largest: int = LARGEST, kind: str = "CSV"
) -> str:
    """SHA-256 of a file's bytes.

    Parameters
    ----------
    path : Path
    what : str
        What the file holds, for messages: ``runs`` or ``gold curves``.
    remedy : str
        What to do if it cannot be read.
    largest : int
        Bytes that it may have.
    kind : str
        Kind of file, for messages.

    Raises
    ------
    InputError
        If it cannot be read or is too large to be such a table.
    """
    try:
        if path.stat().st_size > largest:
            raise InputError(
                f"runs: {path} must be smaller than {largest} bytes, got more; "
                f"is it a table of {what}?"
            )
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise InputError(
            f"runs: must be a {kind} file that can be read, got {str(path)!r} ({reason}); {remedy}"
        ) from None


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
        If a column occurs twice or a required one is missing.
    """
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


def wrong_width(line: int, cells: Sequence[str], width: int) -> Problem:
    """Problem of a line with more or fewer values than the header."""
    remedy = "give one to each column and quote values that contain commas"
    rule = f"a row must have {width} values"
    return Problem(line, min(len(cells), width), rule, len(cells), remedy)
