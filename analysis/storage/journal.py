"""A journal: a file to which one process adds a line of JSON at a time, each on disk before the next is begun."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aligntax.models.errors import InputError

LOCK = ".lock"


def read(path: Path, command: str, enter: Callable[[dict[str, Any], int], None]) -> int:
    """Read a journal up to its last whole line: what a process that died left half written does not count.

    Parameters
    ----------
    path : Path
        Where there is no file nothing is read.
    command : str
        That writes it.
    enter : callable
        Takes each line and where it begins; a line that lacks what it asks for is damaged.

    Returns
    -------
    int
        Where the last whole line ends.

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
def adding(path: Path, end: int) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """What adds a line to a journal, behind its last whole one."""
    with path.open("ab") as file:
        file.truncate(end)

        def add(line: Mapping[str, Any]) -> None:
            file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

        yield add


@contextmanager
def held(place: Path, command: str) -> Iterator[None]:
    """Hold a folder for this process; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    InputError
        If another process holds it.
    """
    import fcntl

    with (place / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            rule = f"{place} must have one process at a time"
            raise InputError(f"{command}: {rule}, got a second; wait for the first") from None
        yield
