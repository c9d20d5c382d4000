"""Which of many unaligned rivals is hardest to tell from an aligned policy?

Rivals differ in how well they hide. A rival with score ``h ~ Normal(0, 1)`` among all of them has::

    logit g_h = logit reward_gap - reward_gap_spread h
    logit v_h = logit v + evaluator_error_spread h

so that what is rare is also hard to judge. That is the worst case of how gap and error go together:
whether all can be told apart is the same whatever it is, and the comparisons needed are the most.

A share ``coverage`` (``c``) of the ``K`` rivals differ from the aligned policy on the training
distribution at all. Data quality is about those. No label tells the others from it, since they
behave alike wherever labels are given: that they are avoided is robustness. An aligned policy wins
only if it wins against the best hidden of those on the distribution, whose score ``H`` has::

    P(H <= h) = (1 - c + c Phi(h))^K

===========================  ========  ==========================================================
name                         unit      meaning
===========================  ========  ==========================================================
``reward_gap``               1         gap of the rival of score 0, on the training distribution
``reward_gap_spread``        log10 1   sd of the gap's logit between rivals
``evaluator_error_spread``   log10 1   sd of the logit of the evaluator's error between rivals
``rival_policies``           log10     ``K``
``coverage``                 1         share of rivals that differ on the training distribution
``worst_rival``              sd        ``H``; minus infinity where no rival is on the distribution
===========================  ========  ==========================================================
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit, log_ndtr, logit, ndtri

QUANTITIES = (
    "reward_gap",
    "reward_gap_spread",
    "evaluator_error_spread",
    "rival_policies",
    "coverage",
)


def worst_score(rank: Any, rival_policies: Any, coverage: Any) -> Any:
    """Score ``H`` of the best hidden rival on the training distribution.

    Parameters
    ----------
    rank : float or ndarray
        Standard normal score of ``H`` in its own distribution.
    rival_policies : float or ndarray
        Rivals, log10.
    coverage : float or ndarray
        Share of rivals on the training distribution.
    """
    beyond = -np.expm1(log_ndtr(rank) / 10.0 ** np.asarray(rival_policies)) / coverage
    return -ndtri(np.minimum(beyond, 1.0))


def gap(x: Mapping[str, Any], score: Any) -> Any:
    """Reward gap of a rival of that score."""
    return expit(logit(x["reward_gap"]) - 10.0 ** x["reward_gap_spread"] * score)


def on_distribution(x: Mapping[str, Any]) -> Any:
    """Rivals (log10) that differ from the aligned policy on the training distribution."""
    return x["rival_policies"] + np.log10(x["coverage"])


def off_distribution(x: Mapping[str, Any]) -> Any:
    """Rivals (log10) that labels on the training distribution cannot tell from it."""
    return x["rival_policies"] + np.log10(1 - x["coverage"])
