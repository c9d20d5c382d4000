"""Power-scaling: how far an answer moves when a factor of the posterior is made stronger or weaker.

A factor ``p(...)`` becomes ``p(...)**alpha``, with ``alpha`` near one. The distance moved is the
cumulative Jensen-Shannon distance [1]_, as in ArviZ's ``psense``. Answers are compared by rank,
which gives "later or never" and "nothing affordable" their place and does not depend on units. A
draw in which an answer is undefined is left out of it. For a normal answer, ranks give three
quarters of the distance of values.

``prior >= 0.05 <= likelihood`` is flagged as potential prior-data conflict, ``prior > 0.05 >
likelihood`` as a potentially strong prior or weak likelihood. The noise is the sensitivity to a
factor's weights given to other draws.

References
----------
.. [1] Kallioinen, Paananen, Buerkner, Vehtari, "Detecting and diagnosing prior and likelihood
       sensitivity with power-scaling", 2023. doi:10.1007/s11222-023-10366-5
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.analysis.summaries.regression import mid_ranks
from aligntax.analysis.summaries.summary import Series
from aligntax.analysis.summaries.weights import (
    SHORTEST_TAIL,
    Weights,
    tail_length,
    tied_at_the_top,
)

THRESHOLD = 0.05  # ArviZ's
ALPHAS = (0.99, 1.01)  # ArviZ's
CONFLICT, STRONG, OK = "prior-data conflict", "strong prior / weak likelihood", "ok"
# standard deviations above the mean of chance: if no quantity matters, all of thirty stay below it
NOISE = 4.0
FEWEST_CHANCES = 30  # sensitivities to weights of other draws, from which the noise is estimated


def diagnosis(prior: float, likelihood: float) -> str:
    """ArviZ's diagnosis of the two sensitivities."""
    if prior >= THRESHOLD and likelihood >= THRESHOLD:
        return CONFLICT
    return STRONG if prior > THRESHOLD > likelihood else OK


def power_scaling(
    answers: Mapping[str, Series], weights: Weights, terms: Mapping[str, Any], noise: bool = True
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Sensitivity of every answer to every term of the log density, and each answer's noise.

    Parameters
    ----------
    answers : mapping of Series
    weights : Weights
    terms : mapping of ndarray, shape (chain, draw)
        Terms that are scaled one at a time. A constant term moves nothing.
    noise : bool
        Whether to estimate the noise; otherwise it is zero.

    Returns
    -------
    sensitivity : dict
        answer -> term -> sensitivity.
    noise : dict
        answer -> mean plus :data:`NOISE` standard deviations, over terms, of the sensitivity to
        weights of other draws.
    """
    shape, resampled = weights.values.shape, weights.resampled()
    values = {name: series.values.ravel()[resampled] for name, series in answers.items()}
    defined = {name: ~np.isnan(x) for name, x in values.items()}
    counts = {name: np.full(int(mask.sum()), 1.0 / mask.sum()) for name, mask in defined.items()}
    ranks = {name: mid_ranks(x[defined[name]], counts[name]) for name, x in values.items()}
    sensitivity: dict[str, dict[str, float]] = {name: {} for name in answers}
    chance: dict[str, list[float]] = {name: [] for name in answers}
    turns = -(-FEWEST_CHANCES // max(len(terms), 1)) if noise else 0
    shifts = [(turn + 1) * resampled.size // (turns + 1) for turn in range(turns)]
    for term, log_density in terms.items():
        log_density = log_density.ravel()[resampled].reshape(shape)
        if not np.ptp(log_density) > 0:
            continue
        pair = [_scaled_weights(log_density, alpha) for alpha in ALPHAS]
        for name, mask in defined.items():
            sensitivity[name][term] = _sensitivity(ranks[name], pair, mask)
            chance[name] += [
                _sensitivity(ranks[name], [np.roll(w, shift) for w in pair], mask)
                for shift in shifts
            ]
    return sensitivity, {
        name: float(np.mean(level) + NOISE * np.std(level)) if level else 0.0
        for name, level in chance.items()
    }


def _scaled_weights(log_density: Any, alpha: float) -> Any:
    """Smoothed weights of draws, flat, under a density raised to the power ``alpha``."""
    from arviz_stats.base import array_stats

    log_weights = (alpha - 1.0) * log_density
    if (tied := tied_at_the_top(log_weights)) >= SHORTEST_TAIL:
        # As ArviZ's power_scale_lw takes the tail: at most half the draws, of one flat chain.
        relative = array_stats.ess(
            log_density.ravel(), chain_axis=None, method="tail", prob=0.05, relative=True
        )
        half = log_density.size // 2
        if tied >= max(min(tail_length(log_density.size, float(relative)), half), SHORTEST_TAIL):
            return Weights.of_log(log_weights).values.ravel()
    return np.exp(array_stats.power_scale_lw(log_density, alpha=alpha, axis=(0, 1))).ravel()


def _sensitivity(ranks: Any, weights: list[Any], mask: Any) -> float:
    """ArviZ's sensitivity of an answer's defined draws to weights of powers below and above one."""
    from arviz_stats.base import array_stats

    lower, upper = (w[mask][None] for w in weights)
    return float(array_stats.power_scale_sense(ranks[None], lower, upper, *ALPHAS))
