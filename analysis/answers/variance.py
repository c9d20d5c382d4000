"""Which inputs an output's variance comes from: first-order and total shares, by regression.

For an output ``Y`` of inputs ``z`` and of randomness that no input holds::

    first_q   = Var E[Y | z_q] / Var Y                       what knowing q alone would remove
    total_q   = (Var E[Y | z] - Var E[Y | z_-q]) / Var Y     what only q can tell
    explained = Var E[Y | z] / Var Y                         the rest comes from elsewhere

A total includes interactions. With independent inputs and no other randomness these are Sobol's
indices, and ``total >= first``. Under a posterior, inputs are correlated: what two of them tell
alike is in both first-order shares and in neither total, so a total may be the smaller.

``E[Y | z]`` is a least-squares fit on natural splines of every input. Pairs of inputs add their
products (up to quadratic by quadratic) if those are seen in the residuals, at 1% after Bonferroni's
correction. Shares are adjusted for the number of functions. Removing the functions that contain
``q`` needs no new fit: with ``b`` the coefficients and ``C`` the inverse Gram matrix, the residuals
become ``r + X C_.q C_qq^-1 b_q``. Errors are batch means of the influence of each draw. To their
square is added ``2 k s^4 / n^2``, the variance of what ``k`` functions of noise explain, where
``s^2`` is the share left over. And the square of the share of the variance that the largest draw
holds: under a heavy tail a few draws hold most of it, and what lies beyond them, of which no draw
tells, is taken to hold as much as the largest. Ranks have no such tail.

References
----------
.. [1] Saltelli et al., Global Sensitivity Analysis: The Primer, 2008. doi:10.1002/9780470725184
.. [2] Mara, Tarantola, "Variance-based sensitivity indices for models with dependent inputs", 2012.
       doi:10.1016/j.ress.2011.08.008
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from aligntax.analysis.summaries.regression import mid_ranks, orthonormal, splines
from aligntax.analysis.summaries.weights import Weights

MOST_FUNCTIONS = 7  # of each input: eight knots follow two periods of a sine
DRAWS_PER_FUNCTION = 10  # effective draws for each function of a fit
RIDGE = 1e-9  # relative to each function's variance: copies of an input share its coefficient
FALSE_ALARM = 0.01  # probability that some pair is wrongly taken for interacting


@dataclass(frozen=True)
class VarianceShares:
    """Shares of an output's variance.

    Attributes
    ----------
    first, first_error, total, total_error : ndarray, shape (Q,)
        Estimates, which may lie below zero by chance, and their Monte Carlo standard errors.
    explained, explained_error : float
        By all inputs together.
    """

    first: Any
    first_error: Any
    total: Any
    total_error: Any
    explained: float
    explained_error: float


@dataclass(frozen=True)
class Inputs:
    """Inputs of many answers that count the same draws; what an answer does not change is kept.

    Attributes
    ----------
    z : ndarray, shape (chain, draw, Q)
    weights : Weights
    """

    z: Any
    weights: Weights

    @cached_property
    def flat(self) -> Any:
        """Shape (draw of any chain, Q)."""
        return self.z.reshape(self.weights.values.size, -1)

    @cached_property
    def blocks(self) -> list[Any]:
        """Splines of every input, shape (draw, function) each; as many as the draws can carry."""
        most = self.weights.ess / DRAWS_PER_FUNCTION / self.flat.shape[1]
        functions = int(np.clip(most, 1, MOST_FUNCTIONS))
        return [splines(x, self.weights.values.ravel(), functions) for x in self.flat.T]

    @cached_property
    def design(self) -> "_Design":
        """All splines."""
        return _Design(self.blocks, self.weights.values.ravel())

    @cached_property
    def powers(self) -> Any:
        """Standardised inputs and their centred squares, shape (draw of any chain, Q, 2)."""
        w = self.weights.values.ravel()
        centred = self.flat - w @ self.flat
        u = centred / np.maximum(np.sqrt(w @ centred**2), np.finfo(float).tiny)
        return np.stack([u, u**2 - 1.0], axis=-1)

    @cached_property
    def ranks(self) -> Any:
        """Standardised rank of every input, shape (chain, draw, Q)."""
        ranks = [ranked(self.z[..., i], self.weights) for i in range(self.z.shape[-1])]
        return np.stack([_standardised(rank, self.weights) for rank in ranks], axis=-1)


def ranked(x: Any, weights: Weights) -> Any:
    """Rank of each draw that counts, and zero of the others, shape (chain, draw)."""
    rank, counts = np.zeros(weights.values.shape), weights.values > 0
    rank[counts] = mid_ranks(x[counts], weights.values[counts])
    return rank


def variance_shares(y: Any, inputs: Inputs) -> VarianceShares:
    """Split the variance of an output over its inputs.

    Parameters
    ----------
    y : ndarray, shape (chain, draw)
        Finite wherever a draw counts; what it is elsewhere does not matter.
    inputs : Inputs
    """
    weights, blocks = inputs.weights, inputs.blocks
    w, size = weights.values.ravel(), weights.ess
    y = np.where(w > 0, y.ravel(), 0.0)
    y = y - w @ y
    tail = float(np.max(w * y**2) / (w @ y**2))

    def share(worse: Any, better: Any, used: int) -> tuple[float, float]:
        """Mean fall in squared error per draw, relative to the variance, and its error."""
        value = float(w @ (worse - better) / (w @ y**2))
        influence = (worse - better - value * y**2) / (w @ y**2)
        chance = np.sqrt(2 * used) / size * float(w @ better / (w @ y**2))
        known = np.hypot(weights.mcse(influence.reshape(weights.values.shape)), chance)
        return value, float(np.hypot(known, tail))

    def squared(residual: Any, used: int) -> Any:
        return residual**2 * (size - 1) / max(size - 1 - used, 1.0)

    first = [share(y**2, squared(y - b @ (b.T @ (w * y)), b.shape[1]), b.shape[1]) for b in blocks]
    whole = _LeastSquares(inputs.design, y)
    room = int(size / DRAWS_PER_FUNCTION) - whole.used
    pairs = _interacting_pairs(inputs.powers, whole.residual, w)[: max(room // len(POWERS), 0)]
    if pairs:
        products = [_products(inputs.powers[:, list(pair)], w) for pair in pairs]
        whole = _LeastSquares(_Design(products, w, inputs.design), y)
    best = squared(whole.residual, whole.used)
    groups = [
        [q, *(len(blocks) + i for i, pair in enumerate(pairs) if q in pair)]
        for q in range(len(blocks))
    ]
    without, removed = whole.without(groups)
    total = [
        share(squared(r, whole.used - k), best, k) for r, k in zip(without.T, removed, strict=True)
    ]
    explained, error = share(y**2, best, whole.used)
    (s, s_error), (t, t_error) = np.transpose(first), np.transpose(total)
    return VarianceShares(s, s_error, t, t_error, explained, error)


def shares_of_ranks(
    values: Any, names: tuple[str, ...], z: Any, weights: Weights, known: dict[bytes, Inputs]
) -> tuple[tuple[float, float], dict[str, dict[str, float]]]:
    """Split the variance of an answer's rank over its inputs, and correlate it with theirs.

    Parameters
    ----------
    values : ndarray, shape (chain, draw)
        NaN where undefined; may be infinite.
    names : tuple of str
    z : ndarray, shape (chain, draw, Q)
    weights : Weights
    known : dict
        Receives the inputs, for other answers that are defined in the same draws.

    Returns
    -------
    explained : tuple of float
        Share that all inputs explain together, and its error.
    rows : dict
        name -> ``correlation, first_order, total``, each with ``_error``.
    """
    defined = ~np.isnan(values) & (weights.values > 0)
    key = defined.tobytes()
    if key not in known:
        known[key] = Inputs(z, weights.given(defined))
    inputs = known[key]
    rank = ranked(values, inputs.weights)
    shares, standard = variance_shares(rank, inputs), _standardised(rank, inputs.weights)
    rows = {}
    for i, name in enumerate(names):
        value, error = _correlation(standard, inputs.ranks[..., i], inputs.weights)
        rows[name] = {
            "correlation": value,
            "correlation_error": error,
            "first_order": float(shares.first[i]),
            "first_order_error": float(shares.first_error[i]),
            "total": float(shares.total[i]),
            "total_error": float(shares.total_error[i]),
        }
    return (shares.explained, shares.explained_error), rows


def _standardised(x: Any, weights: Weights) -> Any:
    """Numbers of mean zero and variance one; zero where they do not vary."""
    x = x - weights.mean(x)
    variance = weights.mean(x**2)
    return x / np.sqrt(variance) if variance > 0 else np.zeros_like(x)


def _correlation(x: Any, y: Any, weights: Weights) -> tuple[float, float]:
    """Correlation of standardised numbers, and its Monte Carlo error."""
    if not (x.any() and y.any()):
        return 0.0, 0.0
    value = weights.mean(x * y)
    return value, weights.mcse(x * y - value * (x**2 + y**2) / 2)


def contraction(z: Any, weights: Weights) -> dict[str, float]:
    """Share of a score's prior variance that the evidence removed, and its error."""
    square = (z - weights.mean(z)) ** 2
    return {
        "contraction": 1.0 - weights.mean(square),
        "contraction_error": weights.mcse(square),
    }


class _Design:
    """Functions of the inputs, in blocks, and the inverse of their Gram matrix.

    Parameters
    ----------
    blocks : list of ndarray, shape (n, function)
    w : ndarray, shape (n,)
    base : _Design, optional
        Of blocks that come before these; its Gram matrix is not worked out again.
    """

    def __init__(self, blocks: list[Any], w: Any, base: "_Design | None" = None) -> None:
        new = np.column_stack(blocks)
        weighted = w[:, None] * new
        widths = [block.shape[1] for block in blocks]
        if base is None:
            self.columns, self.weighted, self.gram = new, weighted, new.T @ weighted
        else:
            widths = [*map(len, base.places), *widths]
            across = base.columns.T @ weighted
            self.columns = np.hstack([base.columns, new])
            self.weighted = np.hstack([base.weighted, weighted])
            self.gram = np.block([[base.gram, across], [across.T, new.T @ weighted]])
        edges = np.cumsum([0, *widths])
        self.places: list[Any] = [np.arange(a, b) for a, b in pairwise(edges)]
        self.used = int(edges[-1])
        self.inverse = np.linalg.inv(self.gram + RIDGE * np.eye(self.used))


class _LeastSquares:
    """Least-squares fit on blocks of functions."""

    def __init__(self, design: _Design, y: Any) -> None:
        self.design, self.used = design, design.used
        self.coefficients = design.inverse @ (design.weighted.T @ y)
        self.residual = y - design.columns @ self.coefficients

    def without(self, groups: list[list[int]]) -> tuple[Any, list[int]]:
        """Residuals of the fit without each group of blocks, and the functions in each group.

        Residuals have one column per group.
        """
        inverse, places = self.design.inverse, self.design.places
        change, removed = np.zeros((self.used, len(groups))), []
        for i, blocks in enumerate(groups):
            at = np.concatenate([places[block] for block in blocks])
            change[:, i] = inverse[:, at] @ np.linalg.solve(
                inverse[np.ix_(at, at)], self.coefficients[at]
            )
            removed.append(len(at))
        return self.residual[:, None] + self.design.columns @ change, removed


POWERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # linear (0) or quadratic (1) in each input of a pair


def _products(powers: Any, w: Any) -> Any:
    """Products of the powers of a pair of inputs, (n, 2, 2), shape (n, function)."""
    return orthonormal(np.column_stack([powers[:, 0, k] * powers[:, 1, m] for k, m in POWERS]), w)


def _interacting_pairs(powers: Any, residual: Any, w: Any) -> list[tuple[int, int]]:
    """Pairs of inputs whose products are seen in the residuals, the clearest pair first."""
    from scipy.special import chdtri

    count = powers.shape[1]
    h = powers.reshape(len(w), -1)
    seen = h.T @ ((w * residual)[:, None] * h)
    noise = (h**2).T @ (((w * residual) ** 2)[:, None] * h**2)
    score = (
        (seen**2 / np.maximum(noise, np.finfo(float).tiny))
        .reshape(count, 2, count, 2)
        .sum(axis=(1, 3))
    )
    pairs = list(combinations(range(count), 2))
    limit = chdtri(len(POWERS), FALSE_ALARM / max(len(pairs), 1))  # of a chi-squared
    return sorted((pair for pair in pairs if score[pair] > limit), key=lambda pair: -score[pair])
