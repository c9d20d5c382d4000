"""Power-scaling: how far an answer moves when a factor of the posterior is raised to a power near one.

A factor ``p(...)`` becomes ``p(...)**alpha``, and how far an answer moves is the cumulative
Jensen-Shannon distance [1]_, as in ArviZ's ``psense``. Answers are compared by rank, which gives
"later or never" and "nothing affordable" their place and does not depend on units. A draw in which
an answer is undefined is left out of it. For a normal answer ranks give three quarters of the
distance of values.

``prior >= 0.05 <= likelihood`` is flagged as potential prior-data conflict, ``prior > 0.05 >
likelihood`` as a potentially strong prior or weak likelihood. The noise is the sensitivity to a
factor's weights given to other draws.

References
----------
.. [1] Kallioinen, Paananen, Buerkner, Vehtari, "Detecting and diagnosing prior and likelihood
       sensitivity with power-scaling",
   2023. doi:10.1007/s11222-023-10366-5
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.analysis.summaries.regression import mid_ranks
from aligntax.analysis.summaries.summary import Series
from aligntax.analysis.summaries.weights import Weights, constant_tail

THRESHOLD = 0.05  # ArviZ's
ALPHAS = (0.99, 1.01)  # ArviZ's
CONFLICT, STRONG, OK = "prior-data conflict", "strong prior / weak likelihood", "ok"
# standard deviations above the mean of chance: all of thirty quantities stay below it if none
# matters
NOISE = 4.0
CHANCES = 30  # sensitivities to weights of other draws, at least, that the noise is read off


def diagnosis(prior: float, likelihood: float) -> str:
    """ArviZ's diagnosis of the two sensitivities."""
    if prior >= THRESHOLD and likelihood >= THRESHOLD:
        return CONFLICT
    return STRONG if prior > THRESHOLD > likelihood else OK


def power_scaling(
    answers: Mapping[str, Series], weights: Weights, terms: Mapping[str, Any], noise: bool = True
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Sensitivity of every answer to every term of the log density, and the level of noise of each answer.

    Parameters
    ----------
    answers : mapping of Series
    weights : Weights
    terms : mapping of ndarray, shape (chain, draw)
        Terms that are scaled one at a time; one that is constant moves nothing.
    noise : bool
        Whether the level of noise is wanted; else it is zero.

    Returns
    -------
    sensitivity : dict
        answer -> term -> sensitivity.
    noise : dict
        answer -> mean plus :data:`NOISE` standard deviations, over terms, of the sensitivity to
        weights of other draws.
    """
    shape, chosen = weights.values.shape, weights.chosen()
    values = {name: series.values.ravel()[chosen] for name, series in answers.items()}
    defined = {name: ~np.isnan(each) for name, each in values.items()}
    counts = {name: np.full(int(mask.sum()), 1.0 / mask.sum()) for name, mask in defined.items()}
    ranks = {name: mid_ranks(each[defined[name]], counts[name]) for name, each in values.items()}
    found: dict[str, dict[str, float]] = {name: {} for name in answers}
    chance: dict[str, list[float]] = {name: [] for name in answers}
    turns = -(-CHANCES // max(len(terms), 1)) if noise else 0
    shifts = [(turn + 1) * chosen.size // (turns + 1) for turn in range(turns)]
    for term, log_density in terms.items():
        log_density = log_density.ravel()[chosen].reshape(shape)
        if not np.ptp(log_density) > 0:
            continue
        pair = [_scaled(log_density, a) for a in ALPHAS]
        for name, mask in defined.items():
            found[name][term] = _moved(ranks[name], pair, mask)
            chance[name] += [
                _moved(ranks[name], [np.roll(w, shift) for w in pair], mask) for shift in shifts
            ]
    return found, {
        n: float(np.mean(level) + NOISE * np.std(level)) if level else 0.0
        for n, level in chance.items()
    }


def _scaled(log_density: Any, alpha: float) -> Any:
    """Smoothed weights of draws, flat, under a density raised to the power ``alpha``."""
    from arviz_stats.base import array_stats

    try:
        return np.exp(array_stats.power_scale_lw(log_density, alpha=alpha, axis=(0, 1))).ravel()
    except ValueError as error:
        if not constant_tail(error):
            raise
        return Weights.of_log((alpha - 1.0) * log_density).values.ravel()


def _moved(ranks: Any, weights: list[Any], mask: Any) -> float:
    """ArviZ's sensitivity of an answer's defined draws to weights below and above a power of one."""
    from arviz_stats.base import array_stats

    lower, upper = (w[mask][None] for w in weights)
    return float(array_stats.power_scale_sense(ranks[None], lower, upper, *ALPHAS))
