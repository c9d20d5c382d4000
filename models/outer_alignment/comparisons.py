"""How many labelled comparisons keep every rival from winning by chance?

An aligned policy meets ``K`` unaligned rivals on ``n`` labelled comparisons, which all rivals share
(the union bound needs no independence). An ideal judge prefers the aligned answer with probability
``(1 + g) / 2``, ``g = reward_gap``. The record can be wrong because labellers err, with probability
``e_m``, or because of what people can judge at all (the evaluator's error ``v``), which repetition
does not cure::

    e_m     = P(a majority of m labels errs)
    logit v = logit evaluator_error + evaluator_error_growth * capability
    a       = g (1 - 2 e_m) (1 - 2 v)             label_advantage, 2 q - 1, without ties
    a       = (1 - t) a  or  (1 - t) a - t        a share t of ties split evenly, or losses

A label errs with probability ``label_error_study``, two of them with ``error_correlation``
(``rho``). From ``v = 1/2`` on the evaluator flips the preference.

Votes are beta-binomial with ``s = rho / (1 - rho)``, and binomial at ``rho = 0``::

    P(w of m wrong) = C(m, w) prod_{i<w} (e + i s) prod_{j<m-w} (1 - e + j s) / prod_{i<m} (1 + i s)

Let ``X ~ Binomial(n, q)`` with ``q = (1 + a) / 2``. A strict majority is required; a tied tally is
split, or lost, as ties are. With the regularised beta function ``I`` and ``I^c = 1 - I``::

    n = 2k - 1:               P(lose) = I_{1-q}(k, k) = I^c_{a^2}(1/2, k) / 2
    n = 2k, ties split:       the same
    n = 2k, ties are losses:  I_{1-q}(k, k+1) = that + (1 - a^2)^k / (2 k B(k, 1/2))

The right-hand forms keep all digits of a tiny ``a``. With ties as losses an even ``n`` is worse
than the odd one before it, so *needed* is the smallest ``n`` after which every larger one passes.
That is ``2k - 1`` for the smallest ``k`` whose last line is at most ``delta / K``, since all lines
fall in ``k``. It is found by bisection below the bounds, and exact <= Chernoff <= Hoeffding. Both
bounds are infinite where ``a <= 0``::

    Chernoff:   2 ln(K / delta) / -ln(1 - a^2)
    Hoeffding:  2 ln(K / delta) / a^2

References
----------
.. [1] Chernoff 1952, doi:10.1214/aoms/1177729330; Hoeffding 1963,
       doi:10.1080/01621459.1963.10500830.
"""

from typing import Any, Literal

import numpy as np
from scipy.special import beta, betaincc, comb

Ties = Literal["split", "losses"]

LN10 = float(np.log(10))
SMALLEST_ADVANTAGE = 1e-150  # below it n passes 1e300, which counts as never
# ln of 1e-300: for a smaller chance Chernoff's n is returned, then within 1% of the exact one
LOG_TINY = -690.0


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


def evaluator_advantage(evaluator_error: Any, growth: Any, capability: Any) -> Any:
    """``1 - 2 v`` at a capability, in OOM of effective FLOP over GPT-3.

    It is negative where the evaluator flips the preference.
    """
    logit = (
        np.log(evaluator_error)
        - np.log1p(-np.asarray(evaluator_error))
        + growth * np.asarray(capability)
    )
    return -np.tanh(0.5 * logit)


def label_advantage(
    gap: Any, error: Any, evaluator: Any, tie_share: float = 0.0, ties: Ties = "split"
) -> Any:
    """``2 q - 1``: how much more often a recorded preference is for the aligned policy than not.

    Parameters
    ----------
    gap : float or ndarray
        Reward gap, in (0, 1].
    error : float or ndarray
        Probability that a comparison's label is wrong, after votes.
    evaluator : float or ndarray
        ``1 - 2 v``; see :func:`evaluator_advantage`.
    tie_share : float
        Share of comparisons recorded as ties.
    ties : {"split", "losses"}
    """
    without = gap * (1 - 2 * np.asarray(error)) * evaluator
    return (1 - tie_share) * without - (tie_share if ties == "losses" else 0.0)


def lose_probability(advantage: Any, comparisons: Any, ties: Ties = "split") -> Any:
    """Probability that the aligned policy does not win against one rival, exact.

    Parameters
    ----------
    advantage : float or ndarray
        ``2 q - 1``, in [-1, 1].
    comparisons : float or ndarray
        Whole numbers from 1.
    ties : {"split", "losses"}
        What a tied tally counts as.
    """
    a, n = np.asarray(advantage, dtype=float), np.asarray(comparisons, dtype=float)
    k = np.ceil(n / 2)
    half = 0.5 * betaincc(0.5, k, a**2)
    lose = np.where(a < 0, 1.0 - half, half)
    if ties == "losses":
        with np.errstate(divide="ignore"):  # never a tie where a = 1
            tied = 0.5 * np.exp(k * np.log1p(-(a**2))) / (k * beta(k, 0.5))
        lose = lose + np.where(2 * k == n, tied, 0.0)
    return lose


def log_allowed(rival_policies: Any, delta: float) -> Any:
    """Natural log of ``delta`` over the number of rivals: each rival's chance to win.

    ``rival_policies`` is the log10 of that number.
    """
    return np.log(delta) - LN10 * np.asarray(rival_policies, dtype=float)


def chernoff(advantage: Any, log_chance: Any) -> Any:
    """Comparisons, a whole number, that suffice by Chernoff's bound.

    Arguments as of :func:`comparisons_needed`.
    """
    return _sufficient(advantage, log_chance, lambda a: -np.log1p(-(a**2)))


def hoeffding(advantage: Any, log_chance: Any) -> Any:
    """Comparisons, a whole number, that suffice by Hoeffding's bound.

    Arguments as of :func:`comparisons_needed`.
    """
    return _sufficient(advantage, log_chance, lambda a: a**2)


def _sufficient(advantage: Any, log_chance: Any, rate: Any) -> Any:
    a, log_chance = np.broadcast_arrays(np.asarray(advantage, dtype=float), log_chance)
    some = a > SMALLEST_ADVANTAGE
    with np.errstate(divide="ignore"):  # rate infinite where a = 1
        n = np.ceil(2 * np.maximum(-log_chance, 0.0) / rate(np.where(some, a, 1.0)))
    return np.where(some, np.maximum(n, 1.0), np.inf)


def comparisons_needed(advantage: Any, log_chance: Any, ties: Ties = "split") -> Any:
    """Smallest number of comparisons from which on the chance of losing to a rival is kept.

    Every larger number keeps it too.

    Parameters
    ----------
    advantage : float or ndarray
        ``2 q - 1``.
    log_chance : float or ndarray
        Natural log of the chance; see :func:`log_allowed`. Broadcasts against ``advantage``.
    ties : {"split", "losses"}
        What a tied tally counts as.

    Returns
    -------
    ndarray
        Whole numbers; infinite where the advantage is not positive: no amount suffices. Exact to
        2^53, beyond to 16 digits.
    """
    top = chernoff(advantage, log_chance)
    a, log_chance, n = (np.ravel(v) for v in np.broadcast_arrays(advantage, log_chance, top))
    n = n.astype(float)
    searched = np.flatnonzero(np.isfinite(n) & (log_chance > LOG_TINY))
    chance, a = np.exp(log_chance[searched]), a[searched].astype(float)
    low, high = np.zeros(len(searched)), np.ceil(n[searched] / 2)
    while True:
        middle = np.floor(low + (high - low) / 2)
        # beyond 2^53 not every whole number has a floating-point value
        between = np.flatnonzero((low < middle) & (middle < high))
        if not len(between):
            break
        k = middle[between]
        passes = lose_probability(a[between], 2 * k - (ties == "split"), ties) <= chance[between]
        high[between], low[between] = (
            np.where(passes, k, high[between]),
            np.where(passes, low[between], k),
        )
    n[searched] = 2 * high - 1
    return n.reshape(np.shape(top))
