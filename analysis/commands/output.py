"""What a command prints: the answer on standard output, everything else on standard error.

Commands import what they need inside themselves, so that reading a result stays fast.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.inference.options import Talk


CHECK_FAILED = 1  # exit code of a command that finished although something failed
PIPE_WIDTH = 100  # columns; a pipe has no width of its own, unless COLUMNS states one
# control characters except tab and newline, and marks that turn the direction of text
CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Interrupted(Exception):
    """An interruption after which something is kept; the message says what, and how to resume."""


@contextmanager
def on_interrupt(kept: Callable[[], str | None]) -> Iterator[None]:
    """Say on Ctrl-C what is kept and how to resume; ``kept`` is asked then, None if nothing is.

    Raises
    ------
    Interrupted
    """
    try:
        yield
    except KeyboardInterrupt:
        if (words := kept()) is None:
            raise
        raise Interrupted(f"interrupted; {words}") from None


def console(stderr: bool = False) -> "Console":
    """Return a console for a terminal or a pipe; what is printed cannot steer the terminal."""
    from rich.console import Console
    from rich.segment import Segment

    class SafeConsole(Console):
        def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
            if not self.is_terminal and all(isinstance(each, str) for each in objects):
                soft_wrap = True  # a line of text is one line of a pipe
            super().print(*objects, soft_wrap=soft_wrap, **options)

        def render(self, *what: Any, **options: Any) -> Iterator[Segment]:
            for segment in super().render(*what, **options):
                yield (
                    segment
                    if segment.control
                    else Segment(escape_controls(segment.text), segment.style)
                )

    screen = SafeConsole(stderr=stderr, highlight=False)
    if not screen.is_terminal and not environ.get("COLUMNS", "").isdecimal():
        screen.width = PIPE_WIDTH
    return screen


def escape_controls(text: str) -> str:
    """Spell out characters that would steer a terminal or turn the direction of text."""
    return CONTROL_CHARACTERS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def print_answer(
    as_json: bool,
    record: Callable[[], Any],
    print_tables: "Callable[[Console], None]",
    *,
    passed: bool = True,
    failures: Sequence[str] = (),
) -> None:
    """Print an answer and set the exit code.

    Parameters
    ----------
    as_json : bool
        Whether ``record()`` is printed, or ``print_tables`` is called with a console.
    passed : bool
        Whether the checks of the answer passed.
    failures : sequence of str
        What failed while the rest went on; one line each on standard error.

    Raises
    ------
    typer.Exit
        With code 1 unless the checks passed and nothing failed.
    """
    if as_json:
        print_json(record())
    else:
        screen = console()
        # tables are drawn before any is printed: what fails then is the answer, and not the output
        with screen.capture() as drawn:
            print_tables(screen)
        sys.stdout.write(drawn.get())
    print_failures(failures)
    if failures or not passed:
        raise typer.Exit(CHECK_FAILED)


def print_json(value: Any) -> None:
    """Print strict JSON: NaN and infinity are errors, because no JSON reader need accept them."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")


def print_failures(failures: Sequence[str]) -> None:
    """Print one line on standard error for each failure."""
    for line in failures:
        sys.stderr.write(f"aligntax: {escape_controls(line)}\n")


@contextmanager
def show_progress(
    quiet: bool,
    failed: Callable[[str], None] | None = None,
    what: str = "sampling",
    bad: str = "diverged",
) -> "Iterator[Talk]":
    """Show progress on standard error where that is a terminal, unless ``quiet`` is asked for.

    Parameters
    ----------
    quiet : bool
        Whether progress is hidden.
    failed : callable, optional
        Takes one line about what failed without stopping the rest; by default it is printed.
    what, bad : str
        What is being done, and what can go wrong with a part of it.
    """
    from dataclasses import replace

    from aligntax.analysis.inference.compile_cache import not_kept
    from aligntax.analysis.terminal.tables import progress

    if not quiet and (note := not_kept()):
        sys.stderr.write(f"aligntax: {note}\n")
    with progress(console(stderr=True), not quiet and sys.stderr.isatty(), what, bad) as talk:
        yield replace(talk, failed=failed or (lambda line: print_failures([line])))


def check_picture(path: Path | None) -> None:
    """Refuse a picture that could not be written, before the work for it is done.

    Raises
    ------
    InputError
        If it has an ending that cannot be drawn, or its folder does not exist.
    """
    if path is None:
        return
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"picture: must end in .png, .svg or .pdf, got {path}; rename it")
    if not path.parent.is_dir():
        raise InputError(f"picture: {path.parent} must be a folder, got none; make it first")


def save_picture(figure: Any, path: Path) -> None:
    """Write a figure whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from io import BytesIO

    from aligntax.analysis.storage.whole_file import save_user_file

    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix.lower()[1:], dpi=150)
    save_user_file(path, drawn.getvalue(), force=True)
