"""How many labelled comparisons keep a rival from winning by chance?

An aligned policy meets an unaligned rival on ``n`` labelled comparisons. An ideal judge prefers the
aligned answer with probability ``(1 + g) / 2``, ``g`` the reward gap. The record can be wrong
because labellers err, with probability ``e_m``, or because of what people can judge at all (the
evaluator's error ``v``), which repetition does not cure::

    e_m = P(a majority of m labels errs)
    a   = g (1 - 2 e_m) (1 - 2 v)             label_advantage, 2 q - 1

A label errs with probability ``label_error_study``, two of them with ``error_correlation``
(``rho``). From ``v = 1/2`` on the evaluator flips the preference.

Votes are beta-binomial with ``s = rho / (1 - rho)``, and binomial at ``rho = 0``::

    P(w of m wrong) = C(m, w) prod_{i<w} (e + i s) prod_{j<m-w} (1 - e + j s) / prod_{i<m} (1 + i s)

A share ``t`` of comparisons are ties. With ``ties = "losses"`` they are votes for the rival, so
that ``a`` becomes ``(1 - t) a - t``, and a tied tally is lost. With ``"split"`` each is half a vote
for either, and a tied tally is a coin's. The tally's lead is then a walk of steps 1, 0 and -1. Its
generating function on the circle through its saddle point, with the Poisson kernel taken out by the
eccentric anomaly ``phi``, gives, with ``r = sqrt(1 - a^2)``::

    P(lose) = 1/(2 pi) integral_0^pi (1 - (1 - t) a^2 / (1 + r cos phi))^n dphi

Large ``n`` makes it Craig's form of the normal's tail. Without ties, ``n = 2k - 1`` and ``n = 2k``
are alike, with the regularised beta function ``I^c = 1 - I``::

    P(lose) = I^c_{a^2}(1/2, k) / 2
    n = 2k, ties are losses: that + (1 - a^2)^k / (2 k B(k, 1/2))

These forms keep all digits of a tiny ``a``. With ties as losses an even ``n`` is worse than the odd
one before it, so *needed* is the smallest ``n`` after which every larger one passes: ``2k - 1`` for
the smallest ``k`` whose last line is at most the chance allowed. Ties that split make each ``n``
better than the one before. *Needed* is found by bisection below the bounds, and exact <= Chernoff
<= Hoeffding. Both bounds are infinite where ``a <= 0``; ties that are losses stand at ``t = 0``::

    Chernoff:   ln(1 / chance) / -ln(t + (1 - t) r)
    Hoeffding:  2 ln(1 / chance) / ((1 - t) a)^2

References
----------
.. [1] Chernoff 1952, doi:10.1214/aoms/1177729330; Hoeffding 1963,
       doi:10.1080/01621459.1963.10500830; Craig 1991, doi:10.1109/MILCOM.1991.258319.
"""

from typing import Any, Literal

import numpy as np
from scipy.special import beta, betaincc, comb

Ties = Literal["split", "losses"]

LN10 = float(np.log(10))
SMALLEST_ADVANTAGE = 1e-150  # below it n passes 1e300, which counts as never
# ln of 1e-300: for a smaller chance Chernoff's n is returned, then within 1% of the exact one
LOG_TINY = -690.0
NEGLIGIBLE = 40.0  # nats below an integrand's top where the integral ends
_nodes, _weights = np.polynomial.legendre.leggauss(80)
NODES, WEIGHTS = 0.5 * (1 + _nodes), 0.5 * _weights  # Gauss and Legendre's, on [0, 1]


def vote_error(error: Any, votes: int, correlation: float = 0.0) -> Any:
    """Probability that a majority of labels is wrong, any shape.

    Parameters
    ----------
    error : float or ndarray
        Probability that one label is wrong.
    votes : int
        Labels of one comparison, odd.
    correlation : float
        Between the errors of two labellers on one comparison, in [0, 1).
    """
    error, step = (
        np.asarray(error, dtype=float)[..., None],
        correlation / (1 - correlation) * np.arange(votes),
    )
    one = np.ones(error.shape)
    wrong = np.cumprod(np.concatenate([one, error + step], axis=-1), axis=-1)
    right = np.cumprod(np.concatenate([one, 1 - error + step], axis=-1), axis=-1)
    w = np.arange(votes // 2 + 1, votes + 1)
    return (comb(votes, w) * wrong[..., w] * right[..., votes - w]).sum(axis=-1) / np.prod(1 + step)


def label_advantage(gap: Any, error: Any, evaluator: Any) -> Any:
    """``2 q - 1``: how much more often a recorded preference is for the aligned policy than not.

    Parameters
    ----------
    gap : float or ndarray
        Reward gap, in (0, 1].
    error : float or ndarray
        Probability that a comparison's label is wrong, after votes.
    evaluator : float or ndarray
        ``1 - 2 v``; see :func:`aligntax.models.outer_alignment.oversight.evaluator_advantage`.
    """
    return gap * (1 - 2 * np.asarray(error)) * evaluator


def lose_probability(
    advantage: Any, comparisons: Any, tie_share: float = 0.0, ties: Ties = "split"
) -> Any:
    """Probability that the aligned policy does not win against one rival, exact.

    Parameters
    ----------
    advantage : float or ndarray
        ``2 q - 1`` among comparisons that are no ties, in [-1, 1].
    comparisons : float or ndarray
        Whole numbers from 1.
    tie_share : float
        Share of comparisons that are ties, in [0, 1).
    ties : {"split", "losses"}
        What a comparison that is a tie, and a tied tally, counts as.
    """
    a, share = _counted(advantage, tie_share, ties)
    n = np.asarray(comparisons, dtype=float)
    half = _half_votes(np.abs(a), n, share) if share else 0.5 * betaincc(0.5, np.ceil(n / 2), a**2)
    lose = np.where(a < 0, 1.0 - half, half)
    if ties == "losses":
        k = np.ceil(n / 2)
        with np.errstate(divide="ignore"):  # never a tie where a = 1
            tied = 0.5 * np.exp(k * np.log1p(-(a**2))) / (k * beta(k, 0.5))
        lose = lose + np.where(2 * k == n, tied, 0.0)
    return lose


def _counted(advantage: Any, tie_share: float, ties: Ties) -> tuple[Any, float]:
    """Advantage of what counts as a vote, and the share of comparisons that are half a vote."""
    a = np.asarray(advantage, dtype=float)
    return ((1 - tie_share) * a - tie_share, 0.0) if ties == "losses" else (a, tie_share)


def _half_votes(a: Any, n: Any, tie_share: float) -> Any:
    """Probability of losing where ties are half votes: the integral of the module's docstring.

    To a part in 10^5 at one half, and a part in 10^8 below 0.48. The integral is cut where
    ``cos(theta) = 0`` on the circle. Beyond that the steps of one and of minus one nearly cancel,
    and ``theta`` resolves what ``phi`` does not.
    """
    a, n = (v[..., None] for v in np.broadcast_arrays(a, n))
    r, decided = np.sqrt((1 - a) * (1 + a)), 1 - tie_share
    with np.errstate(divide="ignore"):  # a = 0 is a coin
        lowest = 1 / (1 / (1 + r) + NEGLIGIBLE / (n * decided * a**2))
    end = np.arccos(np.maximum((lowest - 1) / np.maximum(r, SMALLEST_ADVANTAGE), -r))
    near = np.exp(n * np.log1p(-decided * a**2 / (1 + r * np.cos(end * NODES))))
    # nine widths of the steps that cancel, if they are more than the ties
    wide = np.where(decided * r <= tie_share, np.pi / 2, np.minimum(np.pi / 2, 9 / np.sqrt(n)))
    step = r * np.cos(wide * NODES)
    far = a * (tie_share - decided * step) ** n / (1 + step)
    return ((end * near + wide * far) * WEIGHTS).sum(axis=-1) / (2 * np.pi)


def log_allowed(rival_policies: Any, delta: float) -> Any:
    """Natural log of ``delta`` over the number of rivals: each rival's chance to win.

    All rivals share the comparisons, since the union bound needs no independence.
    ``rival_policies`` is the log10 of their number.
    """
    return np.log(delta) - LN10 * np.asarray(rival_policies, dtype=float)


def chernoff(advantage: Any, log_chance: Any, tie_share: float = 0.0, ties: Ties = "split") -> Any:
    """Comparisons, a whole number, that suffice by Chernoff's bound.

    Arguments as of :func:`comparisons_needed`.
    """
    a, share = _counted(advantage, tie_share, ties)
    if not share:
        return _sufficient(a, log_chance, lambda a: -0.5 * np.log1p(-(a**2)))
    return _sufficient(
        a,
        log_chance,
        lambda a: -np.log1p(-(1 - share) * a**2 / (1 + np.sqrt((1 - a) * (1 + a)))),
    )


def hoeffding(advantage: Any, log_chance: Any, tie_share: float = 0.0, ties: Ties = "split") -> Any:
    """Comparisons, a whole number, that suffice by Hoeffding's bound.

    Arguments as of :func:`comparisons_needed`.
    """
    a, share = _counted(advantage, tie_share, ties)
    return _sufficient(a, log_chance, lambda a: 0.5 * ((1 - share) * a) ** 2)


def _sufficient(a: Any, log_chance: Any, rate: Any) -> Any:
    a, log_chance = np.broadcast_arrays(a, log_chance)
    some = a > SMALLEST_ADVANTAGE
    with np.errstate(divide="ignore"):  # rate infinite where a = 1
        n = np.ceil(np.maximum(-log_chance, 0.0) / rate(np.where(some, a, 1.0)))
    return np.where(some, np.maximum(n, 1.0), np.inf)


def comparisons_needed(
    advantage: Any, log_chance: Any, tie_share: float = 0.0, ties: Ties = "split"
) -> Any:
    """Smallest number of comparisons from which on the chance of losing to a rival is kept.

    Every larger number keeps it too.

    Parameters
    ----------
    advantage : float or ndarray
        ``2 q - 1`` among comparisons that are no ties.
    log_chance : float or ndarray
        Natural log of the chance; see :func:`log_allowed`. Broadcasts against ``advantage``.
    tie_share : float
        Share of comparisons that are ties, in [0, 1).
    ties : {"split", "losses"}
        What a comparison that is a tie, and a tied tally, counts as.

    Returns
    -------
    ndarray
        Whole numbers; infinite where the advantage is not positive: no amount suffices. Exact to
        2^53, beyond to 16 digits; where ties are half votes, to 8 digits.
    """
    top = chernoff(advantage, log_chance, tie_share, ties)
    a, log_chance, n = (np.ravel(v) for v in np.broadcast_arrays(advantage, log_chance, top))
    n = n.astype(float)
    searched = np.flatnonzero(np.isfinite(n) & (log_chance > LOG_TINY))
    chance, a = np.exp(log_chance[searched]), a[searched].astype(float)
    stride = 1 if tie_share and ties == "split" else 2  # without half votes an odd number at best
    low, high = np.zeros(len(searched)), np.ceil(n[searched] / stride)
    while True:
        middle = np.floor(low + (high - low) / 2)
        # beyond 2^53 not every whole number has a floating-point value
        between = np.flatnonzero((low < middle) & (middle < high))
        if not len(between):
            break
        k = middle[between]
        worst = stride * k - (stride - 1) * (ties == "split")
        passes = lose_probability(a[between], worst, tie_share, ties) <= chance[between]
        high[between], low[between] = (
            np.where(passes, k, high[between]),
            np.where(passes, low[between], k),
        )
    n[searched] = stride * high - (stride - 1)
    return n.reshape(np.shape(top))
