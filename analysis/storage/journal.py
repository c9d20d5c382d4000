"""A journal: a file of JSON lines, each on disk before the next one is begun.

A study that is interrupted resumes after the last whole line.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aligntax.models.errors import InputError

LOCK = ".lock"


def read_journal(path: Path, command: str, enter: Callable[[dict[str, Any], int], None]) -> int:
    """Read a journal up to its last whole line.

    A line that a process left half written when it died does not count.

    Parameters
    ----------
    path : Path
        Nothing is read if there is no such file.
    command : str
        The command that writes it.
    enter : callable
        Takes each line and the byte at which it begins. A line for which it raises a ValueError,
        LookupError or TypeError is damaged.

    Returns
    -------
    int
        Byte at which the last whole line ends.

    Raises
    ------
    InputError
        If an earlier line is damaged.
    """
    end = 0
    if not path.exists():
        return end
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                enter(dict(json.loads(line)), end)
            except (ValueError, LookupError, TypeError) as error:
                rule = f"{path}, line {number} must be JSON as `aligntax {command}` writes it"
                raise InputError(
                    f"{command}: {rule}, got {error}; remove the line, and its case is asked again"
                ) from None
            end += len(line)
    return end


@contextmanager
def append_to_journal(path: Path, end: int) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open a journal for writing at its last whole line; gives a function that adds a line."""
    with path.open("ab") as file:
        file.truncate(end)

        def add(line: Mapping[str, Any]) -> None:
            file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

        yield add


@contextmanager
def hold_folder(place: Path, command: str) -> Iterator[None]:
    """Lock a folder for this process.

    The system releases the lock when the process ends, however it ends.

    Raises
    ------
    InputError
        If another process has locked it.
    """
    import fcntl

    with (place / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            rule = f"{place} must have one process at a time"
            raise InputError(f"{command}: {rule}, got a second; wait for the first") from None
        yield
