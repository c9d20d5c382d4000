"""A prior is data: any elicited shape becomes a table of standard-normal quantiles.

A prior on a quantity is compiled to ``y = T(z)``, where ``z`` is standard normal and ``y`` lives on
the quantity's link (identity, log10, or logit between its bounds). ``T`` is a cubic Hermite through
knots of ``z``, linear outside them::

    T(z_k)  = F^-1(Phi(z_k))
    T'(z_k) = phi(z_k) / f(T(z_k))

The slope is this exact one wherever it keeps T increasing (Fritsch-Carlson), and PCHIP's elsewhere.
With ``z ~ Normal(0, R)`` the density of ``y`` is::

    log p(y) = log phi(z; R) - sum log T'(z),    R = 2 sin(pi rho / 6)

for Spearman rank correlations ``rho``. The sampler, ``log_prior`` and reweighting all use these
tables, so they cannot disagree. This file is plain numpy. :mod:`aligntax.models.priors.elicited`
puts the same tables into a PyMC model.

References
----------
.. [1] Fritsch, Carlson, "Monotone piecewise cubic interpolation", 1980. doi:10.1137/0717021
.. [2] Kruskal, "Ordinal measures of association", 1958 (rank correlation of a normal copula).
       doi:10.2307/2281954
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from aligntax.models.errors import InputError
from aligntax.models.priors.distributions import Distribution
from aligntax.models.priors.quantities import lookup

Array = NDArray[np.float64]

# At a jump, as between two experts who are far apart, a step in z is an error in probability of up
# to phi(0) 0.025 = 1%.
STEP = 0.025
KNOTS: Array = np.asarray(STEP * np.arange(-200, 201), dtype=np.float64)


def chord_slopes(y: Array) -> Array:
    """Slopes of the chords between neighbouring knots."""
    return np.diff(y) / STEP


def pchip_slopes(z: Array, y: Array) -> Array:
    """Fritsch-Carlson slopes; at the two ends the chord, so that a linear tail never turns flat."""
    h, d = np.diff(z), np.diff(y) / np.diff(z)
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    inner = (w1 + w2) / (w1 / d[:-1] + w2 / d[1:])
    return np.concatenate([d[:1], inner, d[-1:]])


def hermite(t: Any, h: Any, y0: Any, y1: Any, m0: Any, m1: Any) -> tuple[Any, Any]:
    """Cubic Hermite value and slope at the fraction ``t`` of an interval of width ``h``."""
    d = (y1 - y0) / h
    c2, c3 = 3 * d - 2 * m0 - m1, m0 + m1 - 2 * d
    return y0 + h * t * (m0 + t * (c2 + t * c3)), m0 + t * (2 * c2 + t * 3 * c3)


def evaluate_cubic(z: Array, knots: Array, y: Array, slope: Array) -> tuple[Array, Array]:
    """Value and slope of a monotone cubic with linear tails; ``z`` of any shape."""
    inside = np.clip(z, knots[0], knots[-1])
    i = np.clip(np.searchsorted(knots, inside, side="right") - 1, 0, len(knots) - 2)
    h = knots[i + 1] - knots[i]
    value, gradient = hermite((inside - knots[i]) / h, h, y[i], y[i + 1], slope[i], slope[i + 1])
    return value + gradient * (z - inside), gradient


@dataclass(frozen=True)
class QuantileTable:
    """One prior as a standard-normal quantile table.

    Attributes
    ----------
    y, slope : ndarray, shape (401,)
        Link-space value and its derivative at :data:`KNOTS`. Values increase, and derivatives are
        positive.
    """

    y: Array
    slope: Array

    def value(self, z: Any) -> Array:
        """``T(z)`` in link space."""
        return evaluate_cubic(np.asarray(z, dtype=float), KNOTS, self.y, self.slope)[0]

    def gradient(self, z: Any) -> Array:
        """``T'(z)``, positive."""
        return evaluate_cubic(np.asarray(z, dtype=float), KNOTS, self.y, self.slope)[1]

    def inverse(self, y: Any) -> Array:
        """``z`` with ``T(z) = y``, to 1e-12, by bisection between the two nearest knots."""
        y = np.asarray(y, dtype=float)
        i = np.clip(np.searchsorted(self.y, y, side="right") - 1, 0, len(KNOTS) - 2)
        h = KNOTS[i + 1] - KNOTS[i]
        ends = self.y[i], self.y[i + 1], self.slope[i], self.slope[i + 1]
        low, high = np.zeros(y.shape), np.ones(y.shape)  # as fractions of the interval
        for _ in range(45):
            middle = 0.5 * (low + high)
            below = hermite(middle, h, *ends)[0] < y
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        z = KNOTS[i] + h * 0.5 * (low + high)
        z = np.where(y < self.y[0], KNOTS[0] + (y - self.y[0]) / self.slope[0], z)
        return np.asarray(
            np.where(y > self.y[-1], KNOTS[-1] + (y - self.y[-1]) / self.slope[-1], z)
        )

    def cdf(self, y: Any) -> Array:
        """Probability below the link-space value ``y``."""
        return np.asarray(ndtr(self.inverse(y)))

    def sf(self, y: Any) -> Array:
        """Probability above the link-space value ``y``."""
        return np.asarray(ndtr(-self.inverse(y)))

    def quantile(self, p: Any, q: Any) -> Array:
        """Link-space value with lower tail ``p`` and upper tail ``q``."""
        return self.value(np.where(p < q, ndtri(p), -ndtri(q)))

    def log_pdf(self, y: Any) -> Array:
        """Log density of the link-space value ``y``."""
        z = self.inverse(y)
        return np.asarray(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(self.gradient(z)))


def tabulate(distribution: Distribution) -> QuantileTable:
    """Table of a distribution on the link; its slopes are chosen as in :func:`table_through`."""
    y = distribution.quantile(np.asarray(ndtr(KNOTS)), np.asarray(ndtr(-KNOTS)))
    # zero density in a gap gives an infinite slope, which is replaced where the table is made
    with np.errstate(over="ignore"):
        exact = np.exp(-0.5 * KNOTS**2 - 0.5 * np.log(2 * np.pi) - distribution.log_pdf(y))
    return table_through(y, exact)


def table_through(y: Array, exact: Array) -> QuantileTable:
    """Table through values at the knots; its slopes are those of :func:`monotone_slopes`.

    Raises
    ------
    InputError
        If the values do not increase strictly or are not finite.
    """
    d = chord_slopes(y)
    if not (np.all(np.isfinite(y)) and np.all(d > 0)):
        raise InputError(
            "prior: its quantile function must increase strictly and stay finite "
            "within five standard deviations"
        )
    return QuantileTable(y, monotone_slopes(KNOTS, y, exact))


def monotone_slopes(z: Array, y: Array, exact: Array) -> Array:
    """Slopes at the knots that keep the cubic increasing.

    An exact slope is taken up to three times the smaller of the neighbouring chords'
    (Fritsch-Carlson), and PCHIP's slope elsewhere.
    """
    d = np.diff(y) / np.diff(z)
    limit = 3 * np.minimum(np.append(d, d[-1]), np.append(d[0], d))
    usable = np.isfinite(exact) & (exact > 0) & (exact <= limit)
    return np.where(usable, exact, pchip_slopes(z, y))


def table_from_quantiles(probabilities: Array, y: Array) -> QuantileTable:
    """Table through stated link-space quantiles.

    It is PCHIP in ``z`` between them, and linear beyond the outermost.
    """
    z = np.asarray(ndtri(probabilities))
    value, slope = evaluate_cubic(KNOTS, z, y, pchip_slopes(z, y))
    return QuantileTable(value, slope)


def table_from_samples(y: Array) -> QuantileTable:
    """Table through the empirical quantiles of link-space samples, smoothed in ``z``.

    Interior levels divide the probability into ``n^(2/5)`` equal intervals. That is half as many as
    Mann and Wald's equiprobable cells for testing a fit, so that the mass of each interval is known
    to ``n^(-3/10)`` of itself, 13% at 1,000 samples. The outermost mass is halved as long as
    ``n^(1/3)`` samples remain outside. Beyond that the tails are straight in ``z``, as a normal's
    are.

    References
    ----------
    .. [1] Mann, Wald, "On the choice of the number of class intervals", 1942.
           doi:10.1214/aoms/1177731569
    .. [2] Hyndman, Fan, "Sample quantiles in statistical packages", 1996 (definition 8).
           doi:10.2307/2684934
    """
    size = len(y)
    count = max(4, round(size**0.4))
    levels = np.arange(1, count) / count
    while size * levels[0] / 2 >= size ** (1 / 3):
        levels = np.concatenate([levels[:1] / 2, levels, 1 - levels[:1] / 2])
    values = np.quantile(y, levels, method="median_unbiased")
    distinct, group = np.unique(values, return_inverse=True)
    if len(distinct) < 2:  # nearly all samples have one value; the extremes keep the rest
        levels = np.asarray([0.5 / size, 0.5, 1 - 0.5 / size])
        values = np.quantile(y, [0.0, 0.5, 1.0])
        distinct, group = np.unique(values, return_inverse=True)
    # levels with the same value become their middle
    z = np.bincount(group, weights=ndtri(levels)) / np.bincount(group)
    return table_from_quantiles(np.asarray(ndtr(z)), distinct)


@dataclass(frozen=True)
class PriorTables:
    """The priors of several quantities and their copula, as a model holds them.

    Attributes
    ----------
    names : tuple of str
        Coordinate ``quantity``, length Q.
    y, slope : ndarray, shape (Q, 401)
        Quantile tables in link space.
    cholesky : ndarray, shape (Q, Q)
        Lower factor of the copula's correlation matrix R.
    """

    names: tuple[str, ...]
    y: Array
    slope: Array
    cholesky: Array

    @property
    def correlation(self) -> Array:
        """R, shape (Q, Q)."""
        return np.asarray(self.cholesky @ self.cholesky.T)

    def table(self, name: str) -> QuantileTable:
        """Return one quantity's table."""
        i = self.names.index(name)
        return QuantileTable(self.y[i], self.slope[i])

    def whiten(self, z: Any) -> Array:
        """Independent standard normals ``w`` behind the scores ``z = L w``, shape (..., Q)."""
        flat = np.reshape(z, (math.prod(z.shape[:-1]), z.shape[-1]))
        return np.linalg.solve(self.cholesky, flat.T).T.reshape(z.shape)

    def correlate(self, white: Any) -> Array:
        """Scores ``z = L w`` of independent standard normals ``w``, shape (..., Q)."""
        return np.asarray(white @ self.cholesky.T)

    def values(self, z: Array) -> dict[str, Array]:
        """Values of every quantity on its scale; the last axis of ``z`` is the quantity."""
        return {
            name: lookup(name).to_scale(self.table(name).value(z[..., i]))
            for i, name in enumerate(self.names)
        }


def log_density(tables: PriorTables, z: Array) -> Array:
    """Log density of the elicited quantities in link space, one term per quantity.

    ``log p(y) = log phi(z; R) - sum log T'(z)``; with ``z = L w`` it is the sum of ``log phi(w_q) -
    log L_qq - log T'_q(z_q)``.

    Parameters
    ----------
    tables : PriorTables
    z : ndarray, shape (..., Q)

    Returns
    -------
    ndarray, shape (..., Q)
    """
    white = tables.whiten(z)
    log_slopes = np.stack(
        [np.log(tables.table(n).gradient(z[..., i])) for i, n in enumerate(tables.names)], axis=-1
    )
    return np.asarray(
        -0.5 * white**2 - 0.5 * np.log(2 * np.pi) - np.log(np.diag(tables.cholesky)) - log_slopes
    )
