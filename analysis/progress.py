"""Progress of what a call in Python does: one line at a terminal or in a notebook.

The command line has its own bar; both are fed by the callbacks of
:class:`aligntax.analysis.inference.options.Talk`.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Any, Protocol

from aligntax.analysis.inference.options import Talk, warned

BAR = 30  # characters
SECONDS = 0.1  # between two changes of the line
WIDEST = 100  # characters of the line
REDRAWS = "progress"  # name of a thread that redraws a bar, and touches nothing else


class Screen(Protocol):
    """Where the line is shown."""

    def show(self, text: str) -> None:
        """Put a text in place of the one before; an empty one takes it away."""


class Terminal:
    """The last line of standard error."""

    def show(self, text: str) -> None:
        """Go back to the beginning of the line, and clear what is longer than the new text."""
        plain = "".join(c if c.isprintable() else "?" for c in text)
        sys.stderr.write(f"\r{plain}\x1b[K")
        sys.stderr.flush()


class Notebook:
    """An output of a notebook's cell."""

    def __init__(self) -> None:
        display = import_module("IPython.display").display  # there, since its shell runs this
        self.handle: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, text: str) -> None:
        """Replace the output."""
        self.handle.update({"text/plain": text}, raw=True)


@contextmanager
def talking(
    talk: Talk | None, progress: bool, what: str = "sampling", bad: str = "diverged"
) -> Iterator[Talk]:
    """Yield the given callbacks or, without them, such as show progress where somebody sees it.

    What fails on the way without stopping the rest is a warning.

    Parameters
    ----------
    progress : bool
        Whether progress is shown at a terminal or in a notebook; elsewhere there is none.
    what, bad : str
        What is being done, and what can go wrong with a part of it.
    """
    if talk is not None:
        yield talk
        return
    screen = screen_of_today() if progress else None
    if screen is None:
        yield Talk(failed=warned)
        return
    line = Line(screen, what, bad)
    try:
        yield Talk(line.say, line.count, warned)
    finally:
        screen.show("")


def screen_of_today() -> Screen | None:
    """Where progress is shown: a notebook, a terminal, or None where nobody would see it."""
    if in_notebook():
        return Notebook()
    return Terminal() if sys.stderr is not None and sys.stderr.isatty() else None


def in_notebook() -> bool:
    """Whether a notebook runs this process. IPython at a terminal is a terminal."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


@dataclass
class Line:
    """What is being done, a bar while a total is known, and the time.

    Attributes
    ----------
    shown : float
        When the line was last changed.
    """

    screen: Screen
    what: str
    bad: str
    started: float = field(default_factory=lambda: time.monotonic())
    counting: float = 0.0
    shown: float = 0.0

    def say(self, text: str) -> None:
        """Say what is being done next."""
        self.counting = 0.0
        self.screen.show(f"{text[:WIDEST]}, {times_in_words(time.monotonic() - self.started)}")

    def count(self, done: int, total: int, gone_badly: int) -> None:
        """Say how much is done, at most ten times a second and when all is."""
        now = time.monotonic()
        self.counting = self.counting or now
        if done < total and now - self.shown < SECONDS:
            return
        self.shown = now
        full = round(BAR * done / total) if total else 0
        left = (now - self.counting) * (total - done) / done if done else None
        note = f", {gone_badly} {self.bad}" if gone_badly else ""
        times = times_in_words(now - self.started, left)
        bar = "#" * full + "." * (BAR - full)
        self.screen.show(f"{self.what}{note} [{bar}] {done} of {total}, {times}")


def times_in_words(elapsed: float, left: float | None = None) -> str:
    """Write the seconds that have passed and, if they are known, those that are left."""
    words = f"elapsed {timedelta(seconds=int(elapsed))}"
    return words if left is None else f"{words}, left {timedelta(seconds=int(left))}"
