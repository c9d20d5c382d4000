"""Importance weights whose largest follow a generalised Pareto distribution.

The largest ratios of two densities are replaced by the quantiles of a distribution fitted to them,
which steadies means [1]_. Above a cutoff ``u``::

    r - u ~ GPD(k, sigma),   quantile(p) = u + sigma ((1 - p)^-k - 1) / k

Weights have a variance if the shape ``k`` is below a half. The fit is Zhang and Stephens' [2]_, a
mean over a grid of ``b = -k / sigma`` in proportion to its profile likelihood, with a prior of ten
draws that ``k`` is a half. Tests compare it with ArviZ's, whose import takes a second.

References
----------
.. [1] Vehtari, Simpson, Gelman, Yao, Gabry, "Pareto smoothed importance sampling", 2024.
       arXiv:1507.02646
.. [2] Zhang, Stephens, "A new and efficient estimation method for the generalized Pareto
       distribution", 2009. doi:10.1198/tech.2009.08017
"""

from typing import Any

import numpy as np

from aligntax.analysis.summaries.weights import Weights

SHORTEST_TAIL = 6  # draws that a distribution fits: of five the first quartile is the smallest
TIE = 1e-9  # log ratios that differ by less are those of one draw
PRIOR_SHAPE, PRIOR_DRAWS = 0.5, 10.0  # reference 1, section 6
GRID, PER_QUARTILE = 30, 3.0  # points at least, and their spread: reference 2
NEGLIGIBLE = 10.0 * np.finfo(float).eps  # weight of a point of the grid


def tail_length(draws: int, relative: float) -> int:
    """Number of the largest weights to which a Pareto distribution is fitted [1]_.

    Parameters
    ----------
    draws : int
    relative : float
        Effective draws per draw.
    """
    return int(3.0 * (draws / relative) ** 0.5) if draws * relative > 225 else draws // 5


def tied_at_the_top(log_weights: Any) -> int:
    """Number of draws that share the largest weight.

    Where they fill the whole tail, the weights are bounded and need no smoothing, and no Pareto
    distribution can be fitted.
    """
    return int(np.count_nonzero(log_weights == np.max(log_weights)))


def pareto_smoothed(log_ratio: Any, relative: float) -> tuple[Weights, float]:
    """Pareto-smoothed importance weights and k-hat.

    Parameters
    ----------
    log_ratio : ndarray, shape (chain, draw)
        Log of new over old density.
    relative : float
        Effective draws per draw.

    Returns
    -------
    weights : Weights
    k_hat : float
        0 where the largest ratios are equal, as when a uniform prior is cut: bounded weights have
        no tail to smooth. NaN where the draws are too few for a tail, or no distribution fits it,
        and infinite where no finite shape does; such weights are not trusted, see
        :func:`is_trusted`.
    """
    log_ratio = np.asarray(log_ratio, dtype=float)  # a run stores single precision
    length = tail_length(log_ratio.size, relative)
    if length < SHORTEST_TAIL:
        return Weights.of_log(log_ratio), np.nan
    if length <= tied_at_the_top(log_ratio):
        return Weights.of_log(log_ratio), 0.0
    log_weights = log_ratio.ravel() - log_ratio.max()
    order = np.argsort(log_weights)
    tail = order[-length:]
    cutoff = float(np.exp(log_weights[order[-length - 1]]))
    shape, scale = pareto_fit(np.exp(log_weights[tail]) - cutoff)
    if np.isfinite(shape) and scale > 0.0:
        places = (np.arange(length) + 0.5) / length
        # under a shape of hundreds the outermost are infinite, and none may exceed the largest
        with np.errstate(divide="ignore", over="ignore"):
            smoothed = np.log(cutoff + pareto_quantile(places, shape, scale))
        log_weights[tail] = np.minimum(smoothed, 0.0)
    weights = Weights.of_log(log_weights.reshape(log_ratio.shape))
    return Weights(shared_among_ties(log_ratio, weights.values)), shape


def pareto_quantile(p: Any, shape: float, scale: float) -> Any:
    """Quantiles of a generalised Pareto distribution above zero."""
    if shape == 0.0:
        return -scale * np.log1p(-p)
    return scale * np.expm1(-shape * np.log1p(-p)) / shape


# points of the grid may be ones that a draw rules out, and ratios may be of any size
@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def pareto_fit(excess: Any) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution [2]_.

    Parameters
    ----------
    excess : ndarray, shape (draw,)
        Over the cutoff, sorted.

    Returns
    -------
    shape, scale : float
        NaN where the first quartile is no larger than the smallest: that is no such distribution.
        The shape is infinite, and the scale NaN, where excesses range over more than numbers do.
    """
    n = len(excess)
    quartile = excess[int(n / 4 + 0.5) - 1]
    if not quartile > excess[0]:
        return np.nan, np.nan
    count = GRID + int(n**0.5)
    grid = 1.0 - np.sqrt(count / (np.arange(count) + 0.5))
    b = 1.0 / excess[-1] + grid / (PER_QUARTILE * quartile)
    k = np.log1p(-b[:, None] * excess).mean(axis=1)
    log_likelihood = n * (np.log(-b / k) - k - 1.0)
    share = np.exp(log_likelihood - log_likelihood.max())
    share /= share.sum()
    share = np.where(share < NEGLIGIBLE, 0.0, share)
    middle = b @ share / share.sum()
    shape = float(np.log1p(-middle * excess).mean())
    scale = float(-shape / middle)
    weakened = (n * shape + PRIOR_DRAWS * PRIOR_SHAPE) / (n + PRIOR_DRAWS)
    return (np.inf, np.nan) if np.isnan(weakened) else (weakened, scale)


def shared_among_ties(log_ratio: Any, weights: Any) -> Any:
    """Weights in which draws of the same ratio count the same, their mean.

    A chain that rejects a proposal keeps a draw twice. Smoothing ranks the two, and a sort ranks
    equals differently on different processors.
    """
    flat = log_ratio.ravel()
    order = np.argsort(flat, kind="stable")
    group = np.empty(flat.size, dtype=int)
    group[order] = np.concatenate([[0], np.cumsum(np.diff(flat[order]) > TIE)])
    means = np.bincount(group, weights.ravel()) / np.bincount(group)
    return means[group].reshape(weights.shape)


def k_hat_limit(draws: int) -> float:
    """Largest k-hat at which weights of S draws are trusted: ``min(1 - 1 / log10 S, 0.7)`` [1]_."""
    return float(min(1.0 - 1.0 / np.log10(draws), 0.7))
