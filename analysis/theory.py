"""Verbs of the theory on its own: ``predict_density``, ``density_trials``, ``gold_curves``."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aligntax.analysis.experiments.gold_curves import LABELS, REPLICATES
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.progress import talking
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from aligntax.analysis.experiments.density_prediction import Prediction
    from aligntax.analysis.experiments.gold_curves import Curves


def predict_density(
    file: str | os.PathLike[str],
    epsilon: float = 0.01,
    delta: float = 0.01,
    seed: int = 2022,
    levels: int | None = None,
    *,
    on_prediction: "Callable[[Prediction], None] | None" = None,
) -> "Prediction":
    """Watch a stream of zeros and ones, stop, and predict the density of zeros that follow.

    On every stream that does not depend on the seed, the prediction is wrong by more than
    ``epsilon`` with probability at most ``1 / (levels epsilon^2)``, which is its ``delta``.

    Parameters
    ----------
    file : path
        File of the characters 0 and 1; white space is ignored.
    epsilon : float
        Largest difference of densities that still counts as right.
    delta : float
        Probability of being wrong that you would accept; only checked here.
    seed : int
        Of the coins. Whoever makes the stream must not know it.
    levels : int, optional
        Levels ``K`` of a stream of ``2^K`` symbols, by default from the file's length. A pipe needs
        them.
    on_prediction : callable, optional
        Receives the prediction as soon as it is made, before more is read.

    Raises
    ------
    InputError
        If a number is out of bounds, or the stream ends before the prediction.
    """
    from aligntax.analysis.experiments.density_prediction import (
        Symbols,
        count_levels,
        is_pipe,
        open_symbols,
        predict,
    )
    from aligntax.models.density_prediction.theorem import Claim, levels_needed

    name = os.fspath(file)
    Sampling(seed=seed)  # refuses a seed out of bounds
    levels_needed(epsilon, delta)
    if levels is None:
        if is_pipe(name):
            raise InputError(
                "levels: must be given for a pipe, whose length is not known before, got none; "
                "give the K of a stream of at least 2^K symbols"
            )
        with open_symbols(name) as stream:
            levels = count_levels(Symbols(stream, name))
    with open_symbols(name) as stream:
        made = on_prediction or (lambda prediction: None)
        return predict(Symbols(stream, name), Claim(levels, epsilon), seed, made)


def density_trials(seed: int = 2022) -> "pd.DataFrame":
    """Try density prediction against adversaries, and return how often it fails.

    Parameters
    ----------
    seed : int
        Root of every random number.

    Returns
    -------
    pandas.DataFrame
        The evidence table ``density_trials``.

    Raises
    ------
    InputError
        If the seed is out of bounds.
    """
    from io import StringIO

    import pandas as pd

    from aligntax.analysis.experiments.density_prediction import trials_table

    Sampling(seed=seed)
    return pd.read_csv(StringIO(trials_table(seed)), comment="#")


def gold_curves(
    labels: Sequence[int] = LABELS,
    replicates: int = REPLICATES,
    seed: int = 2022,
    *,
    talk: Talk | None = None,
    progress: bool = True,
) -> "Curves":
    """Simulate proxy rewards learned from few or many labels, and optimise them ever further.

    Parameters
    ----------
    labels : sequence of int
        Label counts.
    replicates : int
        Proxies learned from each label count.
    seed : int
        Root of every random number.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Returns
    -------
    Curves
        ``by_labels()`` says where gold reward peaks.

    Raises
    ------
    InputError
        If a number is out of bounds.
    """
    from aligntax.analysis.experiments.gold_curves import simulate_curves

    with talking(talk, progress, "simulating") as told:
        return simulate_curves(list(labels), replicates, seed, talk=told)
