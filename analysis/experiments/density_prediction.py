"""Predict the density of zeros of a stream, and run the trials against adversaries.

The stream is read piece by piece: up to the stopping time before the prediction is reported, and up
to the last predicted symbol after it. Only three counts are kept in memory.
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

from aligntax.analysis.inference.seeds import child_generator
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
LONGEST = 10**15  # larger counts are written as powers of two: nobody reads their digits

# The levels that epsilon 10% and 1% need for delta 1%.
CLAIMS = (Claim(10_000, 0.1), Claim(1_000_000, 0.01))
# Of each claim: a standard error of 0.00005, which tells 0.98%, the most that steps of this size
# reach, from 1%.
TRIALS = 4_000_000


class Stream(Protocol):
    """A binary file whose ``read1`` returns what is available, without waiting for more."""

    def read1(self, size: int = -1, /) -> bytes:
        """Return at least one byte and at most ``size``; none at the end."""
        ...


class Symbols:
    """The characters 0 and 1 of a stream of bytes; white space is left out.

    Parameters
    ----------
    stream : Stream
    name : str
        Named in messages.
    """

    def __init__(self, stream: Stream, name: str) -> None:
        self.stream, self.name = stream, name
        self.lines = self.column = 0  # lines that have ended, and bytes of the current one

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
    """A prediction: the density of zeros of the next ``length`` symbols is within ``epsilon``.

    It is wrong with a probability of at most ``delta``.

    Attributes
    ----------
    zeros : float
        Predicted density of zeros.
    start, length : int
        Symbols before the prediction, and symbols predicted.
    epsilon, delta : float
        The ``epsilon`` that was asked for, and the ``delta`` that the levels support for it. A
        ``delta`` of 1 or more guarantees nothing.
    correct : bool or None
        Whether the prediction was right; None if the stream ends before the predicted symbols do.
    found : float or None
        Density of zeros of the predicted symbols.
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
    """Whether a stream has no known length: ``-``, a pipe, a terminal or another device.

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
    """Largest number of levels that a stream has enough symbols for; reads it to its end.

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
            f"{symbols.name}: must have at least 2 symbols, got {count}; "
            "one is watched, one predicted"
        )
    return count.bit_length() - 1


def predict(
    symbols: Symbols, claim: Claim, seed: int, on_prediction: Callable[[Prediction], None]
) -> Prediction:
    """Watch a stream, stop, predict, and compare with what follows.

    Parameters
    ----------
    symbols : Symbols
    claim : Claim
        Levels and ``epsilon``.
    seed : int
        Root of the random path.
    on_prediction : callable
        Receives the prediction as soon as it is made, before more is read.

    Returns
    -------
    Prediction
        The same, with its outcome if the stream is long enough.

    Raises
    ------
    InputError
        If the stream ends before the stopping time, or holds anything but symbols.
    """
    watch = Watch(stopping_time(claim.levels, child_generator(seed, "density_path")))
    when = watch.when
    while not watch.stopped:
        piece = symbols.read(watch.to_read)
        if not piece:
            needed = (
                f"must have {count_in_words(when.start)} symbols before the prediction, "
                f"got {count_in_words(watch.read)}"
            )
            most = watch.read.bit_length() - 1
            remedy = f"all {claim.levels:,} levels ask for {count_in_words(1 << claim.levels)}"
            less = f"; its length allows --levels {most}" if most > 0 else ""
            raise InputError(f"{symbols.name}: {needed}; {remedy}{less}")
        watch = watch.after(piece)
    made = Prediction(watch.stated, when.start, when.length, claim.epsilon, claim.delta)
    on_prediction(made)
    while not watch.finished and (piece := symbols.read(watch.to_read)):
        watch = watch.after(piece)
    correct = watch.right(claim.epsilon)
    found = None if correct is None else watch.found
    return Prediction(made.zeros, made.start, made.length, made.epsilon, made.delta, correct, found)


def count_in_words(count: int) -> str:
    """Count of symbols: its digits, or where these are many the largest power of two below."""
    if count < LONGEST:
        return f"{count:,}"
    exponent = count.bit_length() - 1
    return f"2^{exponent}" if count == 1 << exponent else f"more than 2^{exponent}"


def percentage(value: float) -> str:
    """Percentage with enough digits to tell it from 100%."""
    digits = 4 if value >= 1 else max(4, 1 + math.ceil(-math.log10(1 - value)))
    return f"{100 * value:.{digits}g}%"


def guarantees(claim: Claim, delta: float) -> list[str]:
    """Three sentences on what a number of levels guarantees.

    They give the ``delta`` for the claim's ``epsilon``, the ``epsilon`` for the ``delta`` asked
    for, and the levels that both together need.
    """
    error, needed = supported_epsilon(claim.levels, delta), levels_needed(claim.epsilon, delta)
    asked, sure = f"within {percentage(claim.epsilon)}", f"with probability {percentage(1 - delta)}"
    if claim.delta < 1:
        first = (
            f"{asked}: with probability of at least {percentage(1 - claim.delta)} "
            f"(delta {claim.delta:.4g})"
        )
    else:
        first = (
            f"{asked}: nothing is guaranteed "
            f"(delta would be {format_number(claim.delta)}, and 1 or more says nothing)"
        )
    if error < 1:
        second = f"{sure}: within {percentage(error)} (epsilon {error:.4g})"
    else:
        second = (
            f"{sure}: nothing is guaranteed "
            f"(epsilon would be {format_number(error)}, and 1 or more says nothing)"
        )
    return [
        first,
        second,
        f"{asked} {sure}: takes {needed:,} levels, a stream of 2^{needed} symbols",
    ]


def trials_table(seed: int, count: int = TRIALS) -> str:
    """Text of the evidence table ``density_trials``: failures against each adversary.

    Parameters
    ----------
    seed : int
        Root of every random number.
    count : int
        Trials of each adversary and claim.
    """
    from aligntax.models.evidence import TABLES  # imports xarray: predictions do without

    rng = child_generator(seed, "density_trials")
    out = io.StringIO()
    out.write(
        "# How often predictions of density fail against each adversary: "
        "lazily generated dyadic trees, models/density_prediction/adversaries.py.\n"
        f"# Made by `aligntax density-trials --seed {seed}`; "
        "failures are predictions wrong by more than epsilon. At both\n"
        "# numbers of levels the theorem's bound on the probability of failure, "
        "1 / (levels epsilon^2), is 1%. An adversary\n"
        "# who moves at every level in steps that vary cannot be skipped through, "
        "and meets 10,000 levels alone.\n"
    )
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([column.name for column in TABLES["density_trials"].columns])
    for claim in CLAIMS:
        power_of_ten = f"1e{len(str(claim.levels)) - 1}"
        for name, adversary in ADVERSARIES.items():
            if claim is CLAIMS[0] or isinstance(adversary, Spender):
                failed = failures(adversary, claim, count, rng)
                own = (f"{name}_{power_of_ten}", name, claim.levels, claim.epsilon, count, failed)
                end = ("true", "aligntax density-trials", "computed", adversary.meaning)
                rows.writerow((*own, *end))
    return out.getvalue()


def open_symbols(name: str) -> io.BufferedReader:
    """Open a file of symbols for reading."""
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise InputError(
            f"file: must be readable, got {name!r} ({error.strerror}); check the rights"
        ) from None
