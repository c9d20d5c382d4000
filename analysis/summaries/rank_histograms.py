"""Do chains visit every part of a posterior alike? Histograms of the ranks of each chain's draws.

Draws of all ``m`` chains are ranked together and put into bins of equal counts ``K_b``. If the
chains sample one distribution, the draws of a chain of ``n`` that lie in a bin are [1]_::

    count ~ Hypergeometric(m n, K_b, n)

That holds for independent draws, so chains are thinned to their effective sample size first. R-hat
compares moments of ranks. A chain that stands still for a tenth of its draws hardly moves those,
but fills one bin.

References
----------
.. [1] Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and
       localization", 2021. doi:10.1214/20-BA1221, section 4.3: rank plots.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.analysis.summaries.convergence import ess_mean, mid_ranks, stacked

BINS = 20


def distances(draws: Any) -> Any:
    """Draws from one to the next that is about independent of it, of each number.

    Both in its place and in how far it lies from the middle: chains that jump from one side to the
    other have even places, and stay in the tails. It is that of the middle chain, since a chain
    that stands still has no size of its own.

    Parameters
    ----------
    draws : ndarray, shape (number, chain, draw)
        Four draws of a chain at least: fewer have no effective size.
    """
    ranks = _ranked(draws)
    number, chains, length = ranks.shape
    alone = ranks.reshape(number * chains, 1, length)
    sizes = np.minimum(ess_mean(alone), ess_mean(np.abs(alone - 0.5))).reshape(number, chains)
    return np.clip(np.ceil(length / np.median(sizes, axis=1)), 1, length).astype(int)


def _ranked(draws: Any) -> Any:
    """From 0 to 1 among all draws of a number; equal draws have one rank."""
    return (mid_ranks(draws) - 0.5) / draws[0].size


def rank_p(draws: Any) -> Any:
    """Two-sided p-value of the count of each chain in each bin, (number, chain, bin).

    Parameters
    ----------
    draws : ndarray, shape (number, chain, draw)
        Chains that agree are independent draws, thinned by :func:`distances`.
    """
    chains, length = draws.shape[1:]
    bins = np.floor(BINS * _ranked(draws)).astype(int)
    counts = (bins[..., None] == np.arange(BINS)).sum(axis=2)
    below, above = hypergeometric_tails(counts, counts.sum(axis=1, keepdims=True), length, chains)
    return np.minimum(2.0 * np.minimum(below, above), 1.0)


def hypergeometric_tails(counts: Any, all_counts: Any, length: int, chains: int) -> tuple[Any, Any]:
    """Probability of at most, and of at least, a count in a bin of one chain.

    Parameters
    ----------
    counts : ndarray of int, shape (number, chain, bin)
        In each chain of ``length`` draws.
    all_counts : ndarray of int, shape (number, 1, bin)
        In all chains together.
    """
    of = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, chains * length + 1)))])  # log k!
    sizes, place = np.unique(all_counts, return_inverse=True)
    k, inside = np.arange(sizes.max() + 1), sizes[:, None]
    outside = chains * length - inside
    could = (k <= inside) & (k <= length) & (length - k <= outside)
    k = np.where(could, k, np.minimum(inside, length))
    log_p = of[inside] - of[k] - of[inside - k] + of[outside]
    log_p = log_p - of[length - k] - of[outside - length + k]
    log_p -= of[chains * length] - of[length] - of[(chains - 1) * length]
    p = np.where(could, np.exp(log_p), 0.0)
    at_most = np.cumsum(p, axis=1)
    at_least = np.cumsum(p[:, ::-1], axis=1)[:, ::-1]
    place = np.broadcast_to(place.reshape(all_counts.shape), counts.shape)
    return at_most[place, counts], at_least[place, counts]


def worst_rank_p(draws: Mapping[str, Any]) -> dict[str, float]:
    """Smallest p-value of each parameter, adjusted for every bin, chain and parameter.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (chain, draw)
        Of each parameter, four draws of a chain at least. Those that are not finite have no ranks,
        and are left out.
    """
    finite = {name: x for name, x in draws.items() if np.all(np.isfinite(x))}
    found: dict[str, float] = {}
    for names, x in stacked(finite):
        steps = distances(x)
        for step in np.unique(steps):
            alike = np.flatnonzero(steps == step)
            p = rank_p(x[alike][:, :, ::step]).min(axis=(1, 2))
            found |= {names[i]: float(value) for i, value in zip(alike, p, strict=True)}
    tests = sum(BINS * len(x) for x in finite.values())
    return {name: min(1.0, tests * found[name]) for name in finite}
