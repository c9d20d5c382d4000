"""Predict the density of zeros of a stream that is read piece by piece, and run the trials against adversaries.

The stream is read no further than the stopping time before the prediction is told, and no further
than the last predicted symbol after it. What is kept of it is three counts.
"""

import csv
import io
import math
import os
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from aligntax.analysis.inference.seeds import generator
from aligntax.analysis.summaries.words import format_number
from aligntax.models.density_prediction.adversaries import ADVERSARIES, Spender, failures
from aligntax.models.density_prediction.theorem import (
    Claim,
    Watch,
    levels_needed,
    stopping_time,
    supported_epsilon,
)
from aligntax.models.errors import InputError

PIECE = 1 << 20  # bytes read at once
SPACE = b" \t\n\v\f\r"
LONGEST = 10**15  # larger counts are told as powers of two: nobody reads their digits

# delta 1% for both: the levels that 10% and 1% ask for
CLAIMS = (Claim(10_000, 0.1), Claim(1_000_000, 0.01))
# each: a standard error of 0.00005, so that 0.98%, the most that steps of this size reach, is not
# 1%
TRIALS = 4_000_000


class Stream(Protocol):
    """A binary file whose ``read1`` returns what is there, without waiting for more."""

    def read1(self, size: int = -1, /) -> bytes:
        """At least one byte and at most ``size``; none at the end."""
        ...


class Symbols:
    """The characters 0 and 1 of a stream of bytes; white space is left out.

    Parameters
    ----------
    stream : Stream
    name : str
        For messages.
    """

    def __init__(self, stream: Stream, name: str) -> None:
        self.stream, self.name = stream, name
        self.lines = self.column = 0  # ended so far, and bytes of the current one

    def read(self, most: int) -> bytes:
        """Return at least one symbol and at most so many; none at the end of the stream.

        Raises
        ------
        InputError
            At the first byte that is neither a symbol nor white space, or if the stream cannot be
            read.
        """
        while True:
            try:
                piece = self.stream.read1(min(most, PIECE))
            except OSError as error:
                raise InputError(
                    f"stream: {self.name} must be readable, got {error.strerror}; check it"
                ) from None
            symbols = piece.translate(None, SPACE)
            if symbols.translate(None, b"01"):
                self._refuse(piece)
            self.lines += piece.count(b"\n")
            self.column = (
                len(piece) - 1 - piece.rfind(b"\n") + (0 if b"\n" in piece else self.column)
            )
            if symbols or not piece:
                return symbols

    def _refuse(self, piece: bytes) -> None:
        at = next(i for i, byte in enumerate(piece) if byte not in b"01" + SPACE)
        line = self.lines + piece.count(b"\n", 0, at) + 1
        column = at - piece.rfind(b"\n", 0, at) + (0 if b"\n" in piece[:at] else self.column)
        got = repr(piece[at : at + 1])[1:]
        rule = f"{self.name}, line {line}, column {column}: a symbol must be 0 or 1, got {got}"
        raise InputError(f"{rule}; white space between symbols is ignored, nothing else")


@dataclass(frozen=True)
class Prediction:
    """The next ``length`` symbols have the density of zeros ``zeros``, within ``epsilon`` but for a probability ``delta``.

    Attributes
    ----------
    zeros : float
        Density that is predicted.
    start, length : int
        Symbols before the prediction, and symbols predicted.
    epsilon, delta : float
        The asked ``epsilon``, and the ``delta`` that the levels support for it; 1 and more
        guarantee nothing.
    correct : bool or None
        None where the stream ends before the predicted symbols do.
    found : float or None
        Density of zeros that they have.
    """

    zeros: float
    start: int
    length: int
    epsilon: float
    delta: float
    correct: bool | None = None
    found: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields of ``--json``."""
        return {name: value for name, value in asdict(self).items() if name != "found"}


def is_pipe(name: str) -> bool:
    """Whether a stream has no length before it was read: ``-``, a pipe, a terminal or another device.

    Raises
    ------
    InputError
        If it is a folder, or cannot be found.
    """
    if name == "-":
        return True
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise InputError(
            f"file: must be a file of symbols, got {name!r} ({reason}); check the spelling"
        ) from None
    if stat.S_ISDIR(mode):
        raise InputError(
            f"file: must be a file of symbols, got the folder {name!r}; name a file in it"
        )
    return not stat.S_ISREG(mode)


def count_levels(symbols: Symbols) -> int:
    """Most levels that a stream has the symbols for; reads it to its end.

    Raises
    ------
    InputError
        If it has fewer than two symbols.
    """
    count = 0
    while piece := symbols.read(PIECE):
        count += len(piece)
    if count < 2:
        raise InputError(
            f"{symbols.name}: must have at least 2 symbols, got {count}; one is watched, one predicted"
        )
    return count.bit_length() - 1


def predict(
    symbols: Symbols, claim: Claim, seed: int, tell: Callable[[Prediction], None]
) -> Prediction:
    """Watch a stream, stop, predict, and see.

    Parameters
    ----------
    symbols : Symbols
    claim : Claim
        Levels and ``epsilon``.
    seed : int
        Root of the coins.
    tell : callable
        Given the prediction the moment that it is made, before more is read.

    Returns
    -------
    Prediction
        The same, with what came of it where the stream went on.

    Raises
    ------
    InputError
        If the stream ends before the stopping time, or holds anything but symbols.
    """
    watch = Watch(stopping_time(claim.levels, generator(seed, "density_path")))
    when = watch.when
    while not watch.stopped:
        piece = symbols.read(watch.to_read)
        if not piece:
            needed = f"must have {power(when.start)} symbols before the prediction, got {power(watch.read)}"
            most = watch.read.bit_length() - 1
            remedy = f"all {claim.levels:,} levels ask for {power(1 << claim.levels)}"
            less = f"; its length allows --levels {most}" if most > 0 else ""
            raise InputError(f"{symbols.name}: {needed}; {remedy}{less}")
        watch = watch.after(piece)
    made = Prediction(watch.stated, when.start, when.length, claim.epsilon, claim.delta)
    tell(made)
    while not watch.finished and (piece := symbols.read(watch.to_read)):
        watch = watch.after(piece)
    correct = watch.right(claim.epsilon)
    found = None if correct is None else watch.found
    return Prediction(made.zeros, made.start, made.length, made.epsilon, made.delta, correct, found)


def power(count: int) -> str:
    """Count of symbols in words: its digits, or the power of two just below it."""
    if count < LONGEST:
        return f"{count:,}"
    exponent = count.bit_length() - 1
    return f"2^{exponent}" if count == 1 << exponent else f"more than 2^{exponent}"


def share(value: float) -> str:
    """Percentage with as many digits as tell it from 100%."""
    digits = 4 if value >= 1 else max(4, 1 + math.ceil(-math.log10(1 - value)))
    return f"{100 * value:.{digits}g}%"


def support(claim: Claim, delta: float) -> list[str]:
    """What the levels support, a sentence each: for the asked ``epsilon``, for the asked ``delta``, and what both ask for."""
    error, needed = supported_epsilon(claim.levels, delta), levels_needed(claim.epsilon, delta)
    asked, sure = f"within {share(claim.epsilon)}", f"with probability {share(1 - delta)}"
    if claim.delta < 1:
        first = f"{asked}: with probability of at least {share(1 - claim.delta)} (delta {claim.delta:.4g})"
    else:
        first = f"{asked}: nothing is guaranteed (delta would be {format_number(claim.delta)}, and 1 or more says nothing)"
    if error < 1:
        second = f"{sure}: within {share(error)} (epsilon {error:.4g})"
    else:
        second = f"{sure}: nothing is guaranteed (epsilon would be {format_number(error)}, and 1 or more says nothing)"
    return [
        first,
        second,
        f"{asked} {sure}: takes {needed:,} levels, a stream of 2^{needed} symbols",
    ]


def trials(seed: int, count: int = TRIALS) -> str:
    """Text of the evidence table ``density_trials``: how often predictions fail against each adversary.

    Parameters
    ----------
    seed : int
        Root of every random number.
    count : int
        Trials of each adversary and claim.
    """
    rng = generator(seed, "density_trials")
    out = io.StringIO()
    out.write(
        "# How often predictions of density fail against each adversary: lazily generated dyadic trees, models/density_prediction/adversaries.py.\n"
        f"# Made by `aligntax density-trials --seed {seed}`; failures are predictions wrong by more than epsilon. At both\n"
        "# numbers of levels the theorem's bound on the probability of failure, 1 / (levels epsilon^2), is 1%. An adversary\n"
        "# who moves at every level in steps that vary cannot be skipped through, and meets 10,000 levels alone.\n"
    )
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(
        (
            "key",
            "adversary",
            "levels",
            "epsilon",
            "trials",
            "failures",
            "used",
            "source",
            "status",
            "note",
        )
    )
    for claim in CLAIMS:
        power_of_ten = f"1e{len(str(claim.levels)) - 1}"
        for name, adversary in ADVERSARIES.items():
            if claim is CLAIMS[0] or isinstance(adversary, Spender):
                failed = failures(adversary, claim, count, rng)
                end = ("true", "aligntax density-trials", "computed", adversary.meaning)
                rows.writerow(
                    (
                        f"{name}_{power_of_ten}",
                        name,
                        claim.levels,
                        claim.epsilon,
                        count,
                        failed,
                        *end,
                    )
                )
    return out.getvalue()


def opened(name: str) -> io.BufferedReader:
    """Open a file of symbols for reading."""
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise InputError(
            f"file: must be readable, got {name!r} ({error.strerror}); check the rights"
        ) from None
