"""What a command writes, noted so that it can be named where the answer cannot be printed."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_noted: ContextVar[list[Path] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[Path]]:
    """Note files and folders of results that are written in the block; gives the list of them."""
    noted: list[Path] = []
    before = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(before)


def note_written(path: Path) -> None:
    """Note that a file, or a folder of a result, is complete; nothing where nobody notes."""
    if (noted := _noted.get()) is not None:
        noted.append(path)
