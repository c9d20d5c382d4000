"""``predict-density`` and ``density-trials``: predict the density of zeros of a stream.

The trials count how often such predictions fail.
"""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from aligntax.analysis.commands.options import Force, Json, Seed
from aligntax.analysis.commands.output import print_json, show_progress
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.experiments.density_prediction import Prediction, Stream


def predict_density(
    file: Annotated[
        str,
        typer.Argument(help="File of the characters 0 and 1, or - for a pipe.", show_default=False),
    ],
    epsilon: Annotated[
        float,
        typer.Option(help="Largest difference of densities that still counts as right."),
    ] = 0.01,
    delta: Annotated[
        float, typer.Option(help="Probability of being wrong that you would accept.")
    ] = 0.01,
    seed: Annotated[
        int, typer.Option(help="Seed of the coins. Whoever makes the stream must not know it.")
    ] = 2022,
    levels: Annotated[
        int | None,
        typer.Option(
            help="Levels K of a stream of 2^K symbols. A pipe needs them.",
            show_default="from a file's length",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Watch a stream of zeros and ones, stop, and say "the next n symbols are p% zeros".

    White space is ignored. The prediction is made before any symbol after it
    is read. On every stream that does not depend on the seed, it is wrong by
    more than epsilon with probability at most delta = 1 / (levels epsilon^2).
    The prediction is labelled with --epsilon and with that delta, here and in
    --json; a delta of 1 or more guarantees nothing. What --delta would allow
    is printed beside it.

    Example: aligntax predict-density symbols.txt --epsilon 0.5 --delta 0.25

    Example: aligntax predict-density - --epsilon 0.3 --delta 0.3

    JSON: zeros (density predicted), start (symbols before it), length (symbols
    predicted), epsilon, delta, and correct, null where the stream ends before
    the predicted symbols do. A wrong prediction is a result, not a failure:
    the exit code is 0. It is 2 where the stream ends before the prediction.
    """
    from aligntax.analysis.experiments.density_prediction import (
        Symbols,
        count_levels,
        guarantees,
        is_pipe,
        open_symbols,
        predict,
    )
    from aligntax.analysis.inference.options import Sampling
    from aligntax.models.density_prediction.theorem import Claim, levels_needed

    Sampling(seed=seed)  # refuses a seed out of bounds
    levels_needed(epsilon, delta)
    if levels is None:
        if is_pipe(file):
            raise InputError(
                "levels: must be given for a pipe, whose length is not known before, got none; "
                "add --levels K for a stream of at least 2^K symbols"
            )
        with open_symbols(file) as stream:
            levels = count_levels(Symbols(stream, file))
    claim = Claim(levels, epsilon)
    if not as_json:
        _print_support(levels, guarantees(claim, delta))
    state = partial(_print_prediction, as_json=as_json)
    if file == "-":
        made = predict(Symbols(_standard_input(), "standard input"), claim, seed, state)
    else:
        with open_symbols(file) as stream:
            made = predict(Symbols(stream, file), claim, seed, state)
    if as_json:
        print_json(made.to_dict())
    else:
        typer.echo(_outcome(made))


def density_trials(
    out: Annotated[Path, typer.Option(help="CSV file to write.", show_default=False)],
    seed: Seed = 2022,
    force: Force = False,
) -> None:
    """Try density prediction against adversaries, and write how often it fails.

    The file is the evidence table density_trials.

    Example: aligntax density-trials --out density_trials.csv

    Example: aligntax density-trials --out trials.csv --seed 7 --force
    """
    from aligntax.analysis.experiments.density_prediction import trials_table
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.storage.whole_file import check_can_write, save_user_file

    Sampling(seed=seed)
    check_can_write(out, force)
    with show_progress(False) as talk:
        talk.say("trying every adversary, some ten seconds")
        table = trials_table(seed)
    save_user_file(out, table, force)
    typer.echo(out)


def _standard_input() -> "Stream":
    if sys.stdin is None or sys.stdin.closed:
        raise InputError(
            "file: standard input must be open, got none; name a file, or pipe symbols in"
        )
    return cast("Stream", cast(Any, sys.stdin.buffer))


def _print_support(levels: int, sentences: list[str]) -> None:
    from aligntax.analysis.experiments.density_prediction import count_in_words

    size = f"{count_in_words(1 << levels)} symbols" if levels < 50 else f"2^{levels} symbols"
    count = f"{levels:,} {'level' if levels == 1 else 'levels'}"
    typer.echo("\n  ".join([f"{count}, {size}", *sentences]))


def _print_prediction(made: "Prediction", as_json: bool) -> None:
    """Print the prediction at the moment it is made; with JSON it goes to a terminal's stderr."""
    from aligntax.analysis.experiments.density_prediction import count_in_words, percentage

    count = "symbol is" if made.length == 1 else "symbols are"
    sure = (
        f"with probability of at least {percentage(1 - made.delta)}"
        if made.delta < 1
        else "not guaranteed"
    )
    near = f"within {percentage(made.epsilon)} {sure}"
    text = f"the next {count_in_words(made.length)} {count} {100 * made.zeros:.4g}% zeros ({near})"
    if not as_json:
        typer.echo(text)  # flushes, so that a pipe has it before the next symbol is read
    elif sys.stderr.isatty():
        sys.stderr.write(f"aligntax: {text}\n")


def _outcome(made: "Prediction") -> str:
    if made.correct is None or made.found is None:
        return "the stream ended before them: neither right nor wrong"
    off = abs(made.found - made.zeros)
    verdict = "right" if made.correct else "wrong"
    return f"{verdict}: {100 * made.found:.4g}% zeros came, {100 * off:.4g}% off"
