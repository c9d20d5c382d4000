"""Standard output of a command, whose own failures are told apart from those of any file.

Code that reads a run turns every error into "the run is damaged", and a full disk is blamed on the
folder of results. What standard output refuses must reach neither, so it is no ``OSError``.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

SHOWN = ("summary.json", "sweep.json")  # what makes a folder one that `aligntax show` reads


class OutputClosed(Exception):
    """Nobody reads standard output any more, as after ``| head -1``."""


class OutputRefused(Exception):
    """Standard output takes no more; the message says why."""


class _StandardOutput:
    """A text stream that raises the two errors above in place of the system's."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text."""
        with _own_errors():
            return int(self._stream.write(text))

    def flush(self) -> None:
        """Hand over what is still held back."""
        with _own_errors():
            self._stream.flush()


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise OutputRefused(
            f"standard output: must be able to take the answer, got: {why}"
        ) from error


@contextmanager
def guarded_output() -> Iterator[None]:
    """Guard standard output, and hand over all that was printed before the block is left.

    A letter that the stream's encoding lacks is spelt out, as on standard error. A closed stream
    takes everything.

    Raises
    ------
    OutputClosed, OutputRefused
    """
    before = sys.stdout
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        stream = nowhere if before is None else before
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        sys.stdout = guarded = _StandardOutput(stream)
        try:
            try:
                yield
            finally:
                guarded.flush()
        finally:
            sys.stdout = before


def refused_in_words(error: OutputRefused, written: Iterable[Path]) -> str:
    """Say why there is no answer, and where it stands if the command has written it."""
    if kept := written_in_words(written):
        return f"{error}; written all the same: {kept}"
    return f"{error}; runs are as they were: send the answer elsewhere and ask again"


def written_in_words(written: Iterable[Path]) -> str:
    """Name what a command wrote, and how to read it; empty if it wrote nothing that is left.

    Parts of a result that is named are not, nor are files that only save time.
    """
    from aligntax.analysis.inference.compile_cache import cache_folder

    left = [path for path in dict.fromkeys(written) if path.exists()]
    parents = (*left, cache_folder())
    whole = [path for path in left if not any(path.is_relative_to(p) for p in parents if p != path)]
    shown = (
        f" (`aligntax show {quote(str(path))}`)"
        if any((path / name).is_file() for name in SHOWN)
        else ""
        for path in whole
    )
    return ", ".join(f"{path}{how}" for path, how in zip(whole, shown, strict=True))


def drop_output() -> None:
    """Send what standard output still holds to nowhere; Python hands it over again at its end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # no file behind the stream
        return
