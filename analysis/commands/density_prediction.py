"""``predict-density`` and ``density-trials``: the density of zeros of a stream, before it is read; and how often that fails."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from aligntax.analysis.commands.shared import Json, dump
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.experiments.density_prediction import Prediction, Stream


def predict_density(
    file: Annotated[
        str,
        typer.Argument(help="File of the characters 0 and 1, or - for a pipe.", show_default=False),
    ],
    epsilon: Annotated[
        float, typer.Option(help="Difference of densities that still counts as right.")
    ] = 0.01,
    delta: Annotated[
        float, typer.Option(help="Probability of being wrong that is asked for.")
    ] = 0.01,
    seed: Annotated[
        int, typer.Option(help="Root of the coins; who makes the stream must not know it.")
    ] = 2022,
    levels: Annotated[
        int | None,
        typer.Option(
            help="Levels K of a stream of 2^K symbols; a pipe needs it.",
            show_default="from a file's length",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Watch a stream of zeros and ones, stop, and say "the next n symbols are p% zeros".

    White space is ignored. The prediction is made before any symbol after it
    is read. Of every stream that does not depend on the seed it is wrong by
    more than epsilon with probability delta = 1 / (levels epsilon^2) at most.
    The asked epsilon and that delta label it, here and in --json; a delta of 1
    or more guarantees nothing. What the asked --delta allows is told beside it.

    JSON: zeros (density predicted), start (symbols before it), length (symbols
    predicted), epsilon, delta, and correct, null where the stream ends before
    the predicted symbols do. A wrong prediction is a result, not a failure:
    the exit code is 0. It is 2 where the stream ends before the prediction.
    """
    from aligntax.analysis.experiments.density_prediction import (
        Symbols,
        count_levels,
        is_pipe,
        opened,
        predict,
        support,
    )
    from aligntax.analysis.inference.options import Sampling
    from aligntax.models.density_prediction.theorem import Claim, levels_needed

    Sampling(seed=seed)  # refuses a seed out of bounds
    levels_needed(epsilon, delta)
    pipe = is_pipe(file)
    if levels is None:
        if pipe:
            remedy = "add --levels K for a stream of at least 2^K symbols"
            raise InputError(
                f"levels: must be given for a pipe, whose length is not known before, got none; {remedy}"
            )
        with opened(file) as stream:
            levels = count_levels(Symbols(stream, file))
    claim = Claim(levels, epsilon)
    if not as_json:
        _print_support(levels, support(claim, delta))
    if file == "-":
        made = predict(
            Symbols(_standard_input(), "standard input"),
            claim,
            seed,
            lambda told: _state(told, as_json),
        )
    else:
        with opened(file) as stream:
            made = predict(Symbols(stream, file), claim, seed, lambda told: _state(told, as_json))
    if as_json:
        dump(made.to_dict())
    else:
        _say(_outcome(made))


def density_trials(
    out: Annotated[Path, typer.Option(help="CSV file to write.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Root of every random number.")] = 2022,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Set the adversaries on density prediction and write how often it fails: the evidence table density_trials."""
    from aligntax.analysis.experiments.density_prediction import trials
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.storage.whole_file import check_new, save

    Sampling(seed=seed)
    check_new(out, force)
    save(out, trials(seed), force)
    typer.echo(out)


def _standard_input() -> "Stream":
    if sys.stdin is None or sys.stdin.closed:
        raise InputError(
            "file: standard input must be open, got none; name a file, or pipe symbols in"
        )
    return cast("Stream", cast(Any, sys.stdin.buffer))


def _say(text: str) -> None:
    """One line of the answer, at once."""
    typer.echo(text)  # flushes


def _print_support(levels: int, sentences: list[str]) -> None:
    from aligntax.analysis.experiments.density_prediction import power

    size = f"{power(1 << levels)} symbols" if levels < 50 else f"2^{levels} symbols"
    _say("\n  ".join([f"{levels:,} {'level' if levels == 1 else 'levels'}, {size}", *sentences]))


def _state(made: "Prediction", as_json: bool) -> None:
    """The prediction, the moment it is made; beside JSON it is talk."""
    from aligntax.analysis.experiments.density_prediction import power, share

    count = "symbol is" if made.length == 1 else "symbols are"
    sure = (
        f"with probability of at least {share(1 - made.delta)}"
        if made.delta < 1
        else "not guaranteed"
    )
    near = f"within {share(made.epsilon)} {sure}"
    text = f"the next {power(made.length)} {count} {100 * made.zeros:.4g}% zeros ({near})"
    if not as_json:
        _say(text)
    elif sys.stderr.isatty():
        sys.stderr.write(f"aligntax: {text}\n")


def _outcome(made: "Prediction") -> str:
    if made.correct is None or made.found is None:
        return "the stream ended before them: neither right nor wrong"
    off = abs(made.found - made.zeros)
    return f"{'right' if made.correct else 'wrong'}: {100 * made.found:.4g}% zeros came, {100 * off:.4g}% off"
