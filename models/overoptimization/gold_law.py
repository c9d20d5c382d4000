"""Gold reward along a path of optimisation, by its peak, and how labels move that peak.

The laws of Gao, Schulman and Hilton [1]_ in ``d``, the root of KL::

    form bon:  gold(d) = d (alpha - beta d)        peak at d* = alpha / (2 beta)
    form rl:   gold(d) = d (alpha - beta log d)    peak at d* = exp(alpha / beta - 1)

With ``u = d / d*`` both are one line, which needs neither alpha nor beta::

    bon:  gold = gold* u (2 - u)                   rl:  gold = gold* u (1 - log u)

References
----------
.. [1] Gao, Schulman, Hilton, "Scaling laws for reward model overoptimization", 2022.
       arXiv:2210.10760
"""

from collections.abc import Mapping
from typing import Any

import numpy as np


def gold(d: Any, peak_d: Any, peak_gold: Any, is_rl: Any, log: Any = np.log) -> Any:
    """Gold reward at ``d``, in sd of the initial policy's score.

    Parameters
    ----------
    d : array or tensor
        Root of KL (nats), positive.
    peak_d, peak_gold : array or tensor
        Where gold is highest, and how high.
    is_rl : array of bool or float
        Whether the form is ``d (alpha - beta log d)`` rather than ``d (alpha - beta d)``.
    log : callable
        ``numpy.log`` or its PyTensor twin.
    """
    u = d / peak_d
    return peak_gold * u * (1 + is_rl * -log(u) + (1 - is_rl) * (1 - u))


def coefficients(peak_kl: Any, peak_gold: Any, is_rl: Any) -> tuple[Any, Any]:
    """``alpha`` and ``beta`` of the curve whose peak lies at ``peak_kl`` and ``peak_gold``."""
    d, height = 10.0 ** (np.asarray(peak_kl) / 2), 10.0 ** np.asarray(peak_gold)
    beta = np.where(is_rl, height / d, height / d**2)
    return np.where(is_rl, beta * (1 + np.log(d)), 2 * height / d), beta


def peak(alpha: Any, beta: Any, is_rl: Any) -> tuple[Any, Any]:
    """KL (nats) and gold of a curve's peak, the inverse of :func:`coefficients`.

    The curve is ``d (alpha - beta log d)`` if ``is_rl``, else ``d (alpha - beta d)``.
    """
    alpha, beta = np.asarray(alpha, dtype=float), np.asarray(beta, dtype=float)
    d = np.where(is_rl, np.exp(alpha / beta - 1), alpha / (2 * beta))
    return d**2, np.where(is_rl, beta * d, beta * d**2)


def reduction(
    log_labels: Any, labels_half: Any, label_exponent: Any, log1p: Any = np.log1p, exp: Any = np.exp
) -> Any:
    """OOM by which the peak's KL lies below that with ample labels.

    ``log_labels`` and ``labels_half`` are in log10.
    """
    ln10 = float(np.log(10))
    short_by = label_exponent * (labels_half - log_labels) * ln10
    positive = short_by * (short_by > 0)  # log(1 + e^s) = s + log(1 + e^-s), without overflow
    return (positive + log1p(exp(-abs(short_by)))) / ln10


def labels_needed(x: Mapping[str, Any], log_kl: Any) -> Any:
    """Labels (log10) with which a typical proxy's gold peaks at a KL.

    Infinite where no number suffices.

    Parameters
    ----------
    x : dict of ndarray
        ``peak_kl``, ``labels_half`` (log10) and ``label_exponent``.
    log_kl : float or ndarray
        log10 nats.
    """
    room = np.expm1(np.log(10) * (x["peak_kl"] - log_kl))  # limit over budget, less 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(room > 0, x["labels_half"] - np.log10(room) / x["label_exponent"], np.inf)


def misses(kl: Any, score: Any, run: Any) -> dict[str, float]:
    """By how much the best curves of each form miss the points, in sd of the initial score.

    ``sqrt(sum r^2 / (points - 2 runs))``, ``r`` the residuals of least squares over ``alpha`` and
    ``beta`` of each run. Both forms have as many parameters, so that the smaller miss is the
    likelier form. NaN where no run has more points than parameters.

    Parameters
    ----------
    kl, score : array, shape (point,)
        KL (nats), positive, and gold reward.
    run : array, shape (point,)
    """
    d, run = np.sqrt(np.asarray(kl, dtype=float)), np.asarray(run)
    score, squares, free = np.asarray(score, dtype=float), {"bon": 0.0, "rl": 0.0}, 0
    for name in np.unique(run):
        x, y = d[run == name], score[run == name]
        if len(x) < 3:
            continue
        free += len(x) - 2
        for form, bend in (("bon", x**2), ("rl", x * np.log(x))):
            columns = np.column_stack([x, bend])
            rest = y - columns @ np.linalg.lstsq(columns, y)[0]
            squares[form] += float(rest @ rest)
    return {form: float(np.sqrt(sum_ / free)) if free else np.nan for form, sum_ in squares.items()}
