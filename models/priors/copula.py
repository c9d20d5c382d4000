"""Correlation of standard-normal scores from rank correlations, checked for consistency."""

from collections.abc import Mapping, Sequence

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.priors.tables import Array


def copula(names: Sequence[str], rank_correlations: Mapping[tuple[str, str], float]) -> Array:
    """Lower Cholesky factor of the normal copula with the given Spearman correlations.

    Raises
    ------
    InputError
        If a correlation is outside (-1, 1), or the matrix is not positive definite: the pairs to
        blame are named.
    """
    for (first, second), rho in rank_correlations.items():
        if not -1 < rho < 1:
            raise InputError(
                f"correlation of {first} and {second}: must lie between -1 and 1, got {rho}; correct it"
            )
    matrix = _correlation(names, rank_correlations)
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise InputError(_blame(names, rank_correlations, matrix)) from None


def _correlation(names: Sequence[str], rank_correlations: Mapping[tuple[str, str], float]) -> Array:
    """``R = 2 sin(pi rho / 6)`` of the pairs that are both among the names."""
    index = {name: i for i, name in enumerate(names)}
    matrix = np.eye(len(names))
    for (first, second), rho in rank_correlations.items():
        if first in index and second in index:
            i, j = index[first], index[second]
            matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi * rho / 6)
    return matrix


def _blame(
    names: Sequence[str], rank_correlations: Mapping[tuple[str, str], float], matrix: Array
) -> str:
    """Which pairs make the matrix impossible, and by what factor to shrink them.

    A direction of negative variance is an eigenvector with a negative eigenvalue; the quantities
    with a weight in it are those whose correlations contradict each other.
    """
    values, vectors = np.linalg.eigh(matrix)
    low = vectors[:, values <= max(values[0], 0.0)]
    involved = {
        name for name, weights in zip(names, low, strict=True) if np.max(np.abs(weights)) > 0.1
    }
    blamed = {pair: rho for pair, rho in rank_correlations.items() if involved.issuperset(pair)}
    # rounding aside, all pairs at 0 leave the identity
    if not _shrunk(names, rank_correlations, blamed, 0.0):
        blamed = {
            pair: rho for pair, rho in rank_correlations.items() if set(names).issuperset(pair)
        }
    factor = next(
        percent
        for percent in range(99, -1, -1)
        if _shrunk(names, rank_correlations, blamed, percent / 100)
    )
    pairs = ", ".join(f"{a}~{b}={rho:g}" for (a, b), rho in blamed.items())
    return f"correlations: the matrix must be positive definite, got {pairs}; multiply these by {factor / 100:g} or less"


def _shrunk(
    names: Sequence[str],
    pairs: Mapping[tuple[str, str], float],
    some: Mapping[tuple[str, str], float],
    factor: float,
) -> bool:
    """Whether the matrix is positive definite with some of the correlations shrunk."""
    matrix = _correlation(
        names, {pair: rho * (factor if pair in some else 1.0) for pair, rho in pairs.items()}
    )
    return bool(np.linalg.eigvalsh(matrix)[0] > 1e-9)
