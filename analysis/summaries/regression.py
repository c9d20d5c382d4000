"""Regression on weighted draws: ranks and orthonormal natural cubic splines of an input.

A basis of one input has zero weighted mean and unit weighted covariance, so that a fit is a sum of
products. With knots ``t_1 < ... < t_K`` at quantiles of the input, the functions are ``x`` and
``d_k(x) - d_{K-1}(x)``, ``k < K - 1``, where ``d_k(x) = ((x - t_k)_+^3 - (x - t_K)_+^3) / (t_K -
t_k)``: cubic between knots and linear outside them.

References
----------
.. [1] Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2009, section 5.2.1.
"""

from typing import Any

import numpy as np

OUTER_SHARE = 0.05  # probability below the first knot and above the last, as in Hastie et al.
ROUNDING = 1e-8  # relative: variation below it is rounding


def mid_ranks(values: Any, weights: Any) -> Any:
    """Probability below each value plus half of the probability at it; ties share a rank.

    Parameters
    ----------
    values : ndarray
        Flat, without NaN; may be infinite.
    weights : ndarray
        Sum 1.
    """
    _, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights)
    return (np.cumsum(mass) - 0.5 * mass)[place]


def orthonormal(columns: Any, weights: Any) -> Any:
    """Centre columns and rotate them to unit weighted covariance; drop directions without variance.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
    weights : ndarray, shape (n,)
        Sum 1.
    """
    mean = weights @ columns
    centred = columns - mean
    spread = np.sqrt(weights @ centred**2)
    varies = spread > ROUNDING * np.abs(mean)
    columns = centred[:, varies] / spread[varies]
    if not columns.shape[1]:
        return columns
    values, vectors = np.linalg.eigh(columns.T @ (weights[:, None] * columns))
    kept = values > ROUNDING * values[-1]
    return columns @ (vectors[:, kept] / np.sqrt(values[kept]))


def splines(x: Any, weights: Any, functions: int) -> Any:
    """Orthonormal natural cubic splines of one input, shape (n, at most ``functions``).

    Parameters
    ----------
    x, weights : ndarray, shape (n,)
    functions : int
        One less than the number of knots; 1 is a straight line.
    """
    order = np.argsort(x)
    shares = np.linspace(OUTER_SHARE, 1.0 - OUTER_SHARE, functions + 1)
    knots = np.unique(np.interp(shares, np.cumsum(weights[order]), x[order]))
    if len(knots) < 3:
        return orthonormal(x[:, None], weights)
    x, knots = (x - knots[0]) / (knots[-1] - knots[0]), (knots - knots[0]) / (knots[-1] - knots[0])
    above = np.maximum(x - knots[:, None], 0.0)
    cubes = above * above * above  # numpy raises to the third power by logarithms
    d = (cubes[:-1] - cubes[-1]) / (knots[-1] - knots[:-1])[:, None]
    return orthonormal(np.vstack([x, d[:-1] - d[-1]]).T, weights)
