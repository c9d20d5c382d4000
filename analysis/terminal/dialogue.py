"""A dialogue with a person at a terminal, or with a script in a pipe."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from aligntax.analysis.terminal.drawings import has_characters
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console


class Quit(Exception):
    """Raised when the person quits; nothing is to be written."""


class Back(Exception):
    """Raised when the person goes back to the question before."""


@dataclass(frozen=True)
class Dialogue:
    """Callbacks for a dialogue with the person who answers.

    Attributes
    ----------
    ask : callable
        Takes a prompt, returns a line; raises EOFError if there is none.
    say : callable
        Takes a line.
    show : callable
        Takes the heads and the rows of a table.
    patience : int or None
        Number of bad answers to one question that is an error; None for a person at a terminal.
    draws : bool
        Whether the person sees block characters.
    """

    ask: Callable[[str], str]
    say: Callable[[str], None]
    show: Callable[[Sequence[str], Sequence[Sequence[str]]], None]
    patience: int | None = None
    draws: bool = False

    def answer[T](self, prompt: str, read: Callable[[str], T]) -> T:
        """Ask until the answer can be read."""
        for attempt in count(1):
            text = self.ask(prompt).strip()
            try:
                return read(text)
            except InputError as error:
                if self.patience is not None and attempt >= self.patience:
                    raise InputError(f"{error} (asked {attempt} times; nothing written)") from None
                self.say(f"  {error}")
        raise AssertionError  # count() does not end


def dialogue_at(screen: "Console", patience: int | None) -> Dialogue:
    """Dialogue on a console, with answers from standard input; a terminal's lines end at words."""

    def say(text: str, end: str = "\n") -> None:
        screen.print(text, end=end, markup=False, emoji=False)

    def ask(prompt: str) -> str:
        say(prompt, end="")
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            raise InputError(
                "answer: must be text in the terminal's encoding, got other bytes; nothing written"
            ) from None
        if not sys.stdin.isatty():
            say("")  # nobody pressed return
        if not line:
            raise EOFError
        return line

    def show(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        print_table(screen, heads, rows)

    return Dialogue(ask, say, show, patience, has_characters(screen))
