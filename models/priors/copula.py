"""The normal copula of elicited quantities: its factor, and its conditional distribution."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aligntax.models.errors import InputError
from aligntax.models.priors.tables import Array


def copula_factor(
    names: Sequence[str], rank_correlations: Mapping[tuple[str, str], float]
) -> Array:
    """Lower Cholesky factor of the normal copula with the given Spearman correlations.

    Raises
    ------
    InputError
        If a correlation is outside (-1, 1), or the matrix is not positive definite. The message
        then names the pairs that contradict each other.
    """
    for (first, second), rho in rank_correlations.items():
        if not -1 < rho < 1:
            raise InputError(
                f"correlation of {first} and {second}: must lie between -1 and 1, got {rho}; "
                "correct it"
            )
    matrix = _correlation_matrix(names, rank_correlations)
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise InputError(_contradiction(names, rank_correlations, matrix)) from None


def _correlation_matrix(
    names: Sequence[str], rank_correlations: Mapping[tuple[str, str], float]
) -> Array:
    """``R = 2 sin(pi rho / 6)`` for the pairs of which both are among the names."""
    index = {name: i for i, name in enumerate(names)}
    matrix = np.eye(len(names))
    for (first, second), rho in rank_correlations.items():
        if first in index and second in index:
            i, j = index[first], index[second]
            matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi * rho / 6)
    return matrix


def _contradiction(
    names: Sequence[str], rank_correlations: Mapping[tuple[str, str], float], matrix: Array
) -> str:
    """Message that names the pairs that make the matrix impossible, and a factor to shrink them by.

    A direction of negative variance is an eigenvector with a negative eigenvalue. The quantities
    with a weight in it are those whose correlations contradict each other.
    """
    values, vectors = np.linalg.eigh(matrix)
    low = vectors[:, values <= max(values[0], 0.0)]
    involved = {
        name for name, weights in zip(names, low, strict=True) if np.max(np.abs(weights)) > 0.1
    }
    blamed = {pair: rho for pair, rho in rank_correlations.items() if involved.issuperset(pair)}
    # If shrinking these to 0 is not enough, all pairs are blamed: at 0 they leave the identity.
    if not _definite_if_shrunk(names, rank_correlations, blamed, 0.0):
        blamed = {
            pair: rho for pair, rho in rank_correlations.items() if set(names).issuperset(pair)
        }
    factor = next(
        percent
        for percent in range(99, -1, -1)
        if _definite_if_shrunk(names, rank_correlations, blamed, percent / 100)
    )
    pairs = ", ".join(f"{a}~{b}={rho:g}" for (a, b), rho in blamed.items())
    return (
        f"correlations: the matrix must be positive definite, got {pairs}; "
        f"multiply these by {factor / 100:g} or less"
    )


def _definite_if_shrunk(
    names: Sequence[str],
    pairs: Mapping[tuple[str, str], float],
    some: Mapping[tuple[str, str], float],
    factor: float,
) -> bool:
    """Whether the matrix is positive definite with some of the correlations shrunk."""
    matrix = _correlation_matrix(
        names, {pair: rho * (factor if pair in some else 1.0) for pair, rho in pairs.items()}
    )
    return bool(np.linalg.eigvalsh(matrix)[0] > 1e-9)


def conditional_normal(correlation: Array, given: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Distribution of some standard-normal scores given the others.

    With ``g`` the given scores and ``r`` the rest, ``r | g ~ Normal(slope g, factor factor')``.

    Parameters
    ----------
    correlation : ndarray, shape (Q, Q)
    given : ndarray of bool, shape (Q,)
        Which scores are given.

    Returns
    -------
    slope : ndarray, shape (rest, given)
    factor : ndarray, shape (rest, rest)
        Lower Cholesky factor of the covariance that remains.
    """
    across = correlation[np.ix_(given, ~given)]
    slope = np.linalg.solve(correlation[np.ix_(given, given)], across).T
    rest = correlation[np.ix_(~given, ~given)] - slope @ across
    return slope, np.linalg.cholesky(rest)
