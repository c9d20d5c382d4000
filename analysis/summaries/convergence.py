"""Do chains agree, and how many draws are they worth? Rank-normalised R-hat and effective sizes.

A run has two hundred numbers, and each is ranked, folded and correlated with itself. Here that is
done for all of them at once, in arrays (number, chain, draw). The definitions are ArviZ's [1]_, and
tests compare the two to rounding. Chains are split into halves first. With ``W`` the mean variance
within chains of ``n`` draws and ``B / n`` the variance of their means::

    R-hat = sqrt((n - 1) / n + (B / n) / W)
    ESS   = m n / tau,   tau = -1 + 2 sum of P_t,   P_t = rho_2t + rho_2t+1

``rho_t`` are autocorrelations of all chains together. Sums of pairs ``P_t`` of a reversible chain
are positive and fall: the estimates are cut at the first that is not positive, and none counts more
than the one before it [2]_.

References
----------
.. [1] Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and
       localization", 2021. doi:10.1214/20-BA1221.
.. [2] Geyer, "Practical Markov chain Monte Carlo", 1992. doi:10.1214/ss/1177011137.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import batched
from typing import Any

import numpy as np

FEWEST = 4  # draws of a chain; R-hat needs two chains besides
AT_ONCE = 1_000_000  # draws that are worked on together, so that memory is bounded
BLOM = 0.375  # of normal scores: (rank - 3/8) / (n + 1/4)
CONSTANT = np.finfo(float).resolution  # range up to which numbers count as one
TAILS = 0.05, 0.95


def stacked(draws: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Names and draws of some numbers after others, (number, chain, draw).

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (chain, draw)
    """
    size = next(iter(draws.values())).size if draws else 1
    for names in batched(draws, max(1, AT_ONCE // size)):
        yield names, np.stack([draws[name] for name in names])


def even(draws: Any) -> Any:
    """Chains that have halves: without the middle draw if their number is odd."""
    length = draws.shape[-1]
    return draws if length % 2 == 0 else np.delete(draws, length // 2, axis=-1)


def mid_ranks(draws: Any) -> Any:
    """Rank of each draw among all of its number, from 1; equal draws have their mean rank.

    Parameters
    ----------
    draws : ndarray, shape (number, chain, draw)
        Without NaN.
    """
    flat = draws.reshape(len(draws), -1)
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    ranks = np.broadcast_to(1.0 + np.arange(flat.shape[1]), flat.shape)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        ranks = ranks.copy()
        ranks[tied] = _shared(ordered[tied])
    found = np.empty(flat.shape)
    np.put_along_axis(found, order, ranks, axis=1)
    return found.reshape(draws.shape)


def _shared(ordered: Any) -> Any:
    """Mean ranks of sorted rows with ties."""
    place = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape)
    rises = ordered[:, 1:] != ordered[:, :-1]
    starts, ends = np.zeros(ordered.shape, dtype=int), place.copy()
    starts[:, 1:] = np.where(rises, place[:, 1:], 0)
    ends[:, :-1] = np.where(rises, place[:, :-1], place[:, -1:])
    first = np.maximum.accumulate(starts, axis=1)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return 0.5 * (first + last) + 1.0


def normal_scores(draws: Any) -> Any:
    """Normal quantiles of the ranks, in the shape of the draws."""
    from scipy.special import ndtri

    count = draws[0].size
    halves = 0.5 * np.arange(2 * count + 1)  # every rank that there can be
    scores = ndtri((halves[2:] - BLOM) / (count - 2.0 * BLOM + 1.0))
    return scores[(2.0 * mid_ranks(draws)).astype(int) - 2]


def folded(draws: Any) -> Any:
    """How far each draw lies from the median of its number."""
    flat = draws.reshape(len(draws), -1)
    return np.abs(draws - np.median(flat, axis=1)[:, None, None])


def r_hat_and_ess(draws: Any, orders: tuple[Any, ...] = (slice(None),)) -> tuple[Any, Any]:
    """R-hat and the effective sample size of the bulk, both of normal scores.

    R-hat is the worse of that of the draws and of the folded ones, which tell chains of different
    widths apart.

    Parameters
    ----------
    draws : ndarray, shape (number, chain, draw)
    orders : tuple
        Orders of the draws of a chain, without the middle one of an odd number. R-hat compares
        halves of chains in each, and the worst counts.

    Returns
    -------
    r_hat, ess_bulk : ndarray, shape (number,)
        NaN for a number that is not finite, or with fewer than four draws in a chain. R-hat is NaN
        for one chain too, and infinite or NaN for chains that never move.
    """

    def both(draws: Any) -> Any:
        scores, far = normal_scores(draws), normal_scores(folded(draws))
        middle, tails = (
            np.max([_split_r_hat(each[..., order]) for order in orders], axis=0)
            for each in (scores, far)
        )
        # folded numbers may be one, as where half of the draws are 0 and half 1
        return np.stack([np.where(tails > middle, tails, middle), _ess(scores)], axis=1)

    found = _of_valid(both, even(draws), 2)
    if draws.shape[1] < 2:
        found[:, 0] = np.nan
    return found[:, 0], found[:, 1]


def _split_r_hat(scores: Any) -> Any:
    halves = _split(scores)
    length = halves.shape[-1]
    between = length * halves.mean(axis=2).var(axis=1, ddof=1)
    within = halves.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # chains that never move
        return np.sqrt((between / within + length - 1) / length)


def ess_mean(draws: Any) -> Any:
    """Effective sample size of the mean, shape (number,); draws (number, chain, draw)."""
    return _of_valid(_ess, even(draws))[:, 0]


def ess_tail(draws: Any) -> Any:
    """Smaller effective sample size of "at most" the two :data:`TAILS`, as :func:`ess_mean`."""

    def smaller(draws: Any) -> Any:
        low, high = np.quantile(draws.reshape(len(draws), -1), TAILS, axis=1)
        sides = [even((draws <= end[:, None, None]).astype(float)) for end in (low, high)]
        return np.minimum(*(_ess(side) for side in sides))

    return _of_valid(smaller, draws)[:, 0]


def _of_valid(function: Callable[[Any], Any], draws: Any, columns: int = 1) -> Any:
    """Results of every number, (number, column); NaN for those with a NaN or too few draws."""
    found = np.full((len(draws), columns), np.nan)
    valid = np.isfinite(draws).all(axis=(1, 2))
    if draws.shape[2] >= FEWEST and valid.any():
        found[valid] = function(draws[valid]).reshape(-1, columns)
    return found


def _split(draws: Any) -> Any:
    """Halves of chains as chains, (number, 2 chain, draw / 2)."""
    half = draws.shape[-1] // 2
    return np.concatenate([draws[..., :half], draws[..., half:]], axis=1)


def _ess(draws: Any) -> Any:
    """Effective sample size of the mean of split chains, (number,)."""
    chains = _split(draws)
    number, count, length = chains.shape
    covariance = _autocovariance(chains)
    within = covariance[:, 0] * length / (length - 1.0)
    total = covariance[:, 0] + chains.mean(axis=2).var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # numbers that never vary
        rho = 1.0 - (within[:, None] - covariance) / total[:, None]
    rho[:, 0] = 1.0
    pairs = rho[:, : length - length % 2].reshape(number, -1, 2).sum(axis=2)
    most = max(-(-(length - 2) // 2) - 1, 0)  # pairs that Geyer's sequence looks at
    stop = pairs[:, : most + 1] <= 0.0
    stop[:, most] = True
    last = stop.argmax(axis=1)
    falling = np.minimum.accumulate(pairs[:, : most + 1], axis=1)
    counted = np.where(np.arange(most + 1) < last[:, None], falling, 0.0).sum(axis=1)
    end = np.take_along_axis(rho, 2 * last[:, None], axis=1)[:, 0]
    end = np.where(np.take_along_axis(pairs, last[:, None], axis=1)[:, 0] < 0.0, end.clip(0.0), end)
    size = count * length
    tau = -1.0 + 2.0 * counted + end
    sizes = size / np.maximum(tau, 1.0 / np.log10(size))
    return np.where(np.ptp(draws, axis=(1, 2)) < CONSTANT, size, sizes)


def _autocovariance(chains: Any) -> Any:
    """Autocovariance at each lag, on average over chains, (number, draw)."""
    length = chains.shape[-1]
    room = 1 << (2 * length - 1).bit_length()  # so that no lag wraps around
    centred = chains - chains.mean(axis=2, keepdims=True)
    power = np.zeros((len(chains), room // 2 + 1))
    for chain in range(chains.shape[1]):
        spectrum = np.fft.rfft(centred[:, chain], room, axis=1)
        power += spectrum.real**2 + spectrum.imag**2
    return np.fft.irfft(power, room, axis=1)[:, :length] / (length * chains.shape[1])
