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

BINS = 20


def distance(ranks: Any) -> int:
    """Draws from one to the next that is about independent of it.

    Both in its place and in how far it lies from the middle: chains that jump from one side to the
    other have even places, and stay in the tails. It is that of the middle chain, since a chain
    that stands still has no size of its own.

    Parameters
    ----------
    ranks : ndarray, shape (chain, draw)
        Of the draws of all chains together, from 0 to 1.
    """
    from arviz_stats.base import array_stats

    sizes = [
        min(float(array_stats.ess(x[None], method="mean")) for x in (chain, np.abs(chain - 0.5)))
        for chain in ranks
    ]
    length = ranks.shape[1]
    return int(np.clip(np.ceil(length / np.median(sizes)), 1, length))


def rank_p(draws: Any) -> Any:
    """Two-sided p-value of the count of each chain in each bin, shape (chain, bin).

    Parameters
    ----------
    draws : ndarray, shape (chain, draw)
        Finite, and at least four in each chain.
    """
    from scipy.stats import hypergeom, rankdata

    def ranked(draws: Any) -> Any:
        """From 0 to 1; equal draws have one rank."""
        return (rankdata(draws).reshape(draws.shape) - 0.5) / draws.size

    kept = draws[:, :: distance(ranked(draws))]
    chains, length = kept.shape
    bins = np.floor(BINS * ranked(kept)).astype(int)
    counts = np.stack([np.bincount(row, minlength=BINS) for row in bins])
    law = chains * length, counts.sum(axis=0), length
    below, above = hypergeom.cdf(counts, *law), hypergeom.sf(counts - 1, *law)
    return np.minimum(2.0 * np.minimum(below, above), 1.0)


def worst_rank_p(draws: Mapping[str, Any]) -> dict[str, float]:
    """Smallest p-value of each parameter, adjusted for every bin, chain and parameter.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (chain, draw)
        Of each parameter. Those that are not finite have no ranks, and are left out.
    """
    found = {name: rank_p(x) for name, x in draws.items() if np.all(np.isfinite(x))}
    tests = sum(p.size for p in found.values())
    return {name: min(1.0, float(tests * p.min())) for name, p in found.items()}
