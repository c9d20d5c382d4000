"""Distributions that a view can name, in the unit in which a prior is stated.

Each has the four functions that a quantile table is made from: quantile, lower tail, upper tail and
log density. Quantiles take both tail probabilities, ``p`` and ``q = 1 - p``, and use the smaller
one. A table then reaches five standard deviations on either side without rounding. Families use
:mod:`scipy.special`, which imports ten times faster than :mod:`scipy.stats`. Names and parameters
are PyMC's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special as sp

Array = NDArray[np.float64]


TINY = np.finfo(float).tiny


def _log(x: Array) -> Array:
    """Logarithm that is minus infinity at zero and below, where a positive quantity has no mass."""
    return np.where(np.asarray(x) > 0, np.log(np.maximum(x, TINY)), -np.inf)


class Distribution(Protocol):
    """A continuous distribution on the real line or a part of it."""

    def quantile(self, p: Array, q: Array) -> Array:
        """Value with lower tail ``p`` and upper tail ``q``."""

    def cdf(self, x: Array) -> Array:
        """Lower tail probability."""

    def sf(self, x: Array) -> Array:
        """Upper tail probability."""

    def log_pdf(self, x: Array) -> Array:
        """Log density."""


@dataclass(frozen=True)
class Normal:
    """Normal(mu, sigma)."""

    mu: float
    sigma: float

    def quantile(self, p: Array, q: Array) -> Array:
        return self.mu + self.sigma * np.where(p < q, sp.ndtri(p), -sp.ndtri(q))

    def cdf(self, x: Array) -> Array:
        return np.asarray(sp.ndtr((x - self.mu) / self.sigma))

    def sf(self, x: Array) -> Array:
        return np.asarray(sp.ndtr((self.mu - x) / self.sigma))

    def log_pdf(self, x: Array) -> Array:
        z = (np.asarray(x) - self.mu) / self.sigma
        return np.asarray(-0.5 * z**2 - np.log(self.sigma * np.sqrt(2 * np.pi)))


@dataclass(frozen=True)
class LogNormal:
    """LogNormal(mu, sigma): ``ln x ~ Normal(mu, sigma)``."""

    mu: float
    sigma: float

    @property
    def log(self) -> Normal:
        return Normal(self.mu, self.sigma)

    def quantile(self, p: Array, q: Array) -> Array:
        return np.exp(self.log.quantile(p, q))

    def cdf(self, x: Array) -> Array:
        return self.log.cdf(_log(x))

    def sf(self, x: Array) -> Array:
        return self.log.sf(_log(x))

    def log_pdf(self, x: Array) -> Array:
        inside = np.maximum(x, TINY)
        return np.where(
            np.asarray(x) > 0, self.log.log_pdf(np.log(inside)) - np.log(inside), -np.inf
        )


@dataclass(frozen=True)
class Beta:
    """Beta(alpha, beta) on (0, 1)."""

    alpha: float
    beta: float

    def quantile(self, p: Array, q: Array) -> Array:
        a, b = self.alpha, self.beta
        return np.where(p < q, sp.betaincinv(a, b, p), sp.betainccinv(a, b, q))

    def cdf(self, x: Array) -> Array:
        return np.asarray(sp.betainc(self.alpha, self.beta, np.clip(x, 0.0, 1.0)))

    def sf(self, x: Array) -> Array:
        return np.asarray(sp.betaincc(self.alpha, self.beta, np.clip(x, 0.0, 1.0)))

    def log_pdf(self, x: Array) -> Array:
        a, b, inside = self.alpha, self.beta, np.clip(x, 0.0, 1.0)
        density = sp.xlogy(a - 1, inside) + sp.xlog1py(b - 1, -inside) - sp.betaln(a, b)
        return np.where(inside == x, density, -np.inf)


@dataclass(frozen=True)
class Gamma:
    """Gamma(alpha, beta): shape and rate."""

    alpha: float
    beta: float

    def quantile(self, p: Array, q: Array) -> Array:
        return (
            np.where(p < q, sp.gammaincinv(self.alpha, p), sp.gammainccinv(self.alpha, q))
            / self.beta
        )

    def cdf(self, x: Array) -> Array:
        return np.asarray(sp.gammainc(self.alpha, np.maximum(x, 0.0) * self.beta))

    def sf(self, x: Array) -> Array:
        return np.asarray(sp.gammaincc(self.alpha, np.maximum(x, 0.0) * self.beta))

    def log_pdf(self, x: Array) -> Array:
        a, b, inside = self.alpha, self.beta, np.maximum(x, 0.0)
        density = sp.xlogy(a - 1, inside) - b * inside + a * np.log(b) - sp.gammaln(a)
        return np.where(inside == x, density, -np.inf)


@dataclass(frozen=True)
class StudentT:
    """StudentT(nu, mu, sigma)."""

    nu: float
    mu: float
    sigma: float

    def quantile(self, p: Array, q: Array) -> Array:
        return self.mu + self.sigma * np.where(
            p < q, sp.stdtrit(self.nu, p), -sp.stdtrit(self.nu, q)
        )

    def cdf(self, x: Array) -> Array:
        return np.asarray(sp.stdtr(self.nu, (x - self.mu) / self.sigma))

    def sf(self, x: Array) -> Array:
        return np.asarray(sp.stdtr(self.nu, (self.mu - x) / self.sigma))

    def log_pdf(self, x: Array) -> Array:
        z, nu = (np.asarray(x) - self.mu) / self.sigma, self.nu
        constant = (
            sp.gammaln((nu + 1) / 2)
            - sp.gammaln(nu / 2)
            - 0.5 * np.log(nu * np.pi)
            - np.log(self.sigma)
        )
        return np.asarray(constant - (nu + 1) / 2 * np.log1p(z**2 / nu))


@dataclass(frozen=True)
class Uniform:
    """Uniform between two values."""

    lower: float
    upper: float

    def quantile(self, p: Array, q: Array) -> Array:
        width = self.upper - self.lower
        return np.where(p < q, self.lower + width * p, self.upper - width * q)

    def cdf(self, x: Array) -> Array:
        return np.clip((x - self.lower) / (self.upper - self.lower), 0, 1)

    def sf(self, x: Array) -> Array:
        return np.clip((self.upper - x) / (self.upper - self.lower), 0, 1)

    def log_pdf(self, x: Array) -> Array:
        inside = (x >= self.lower) & (x <= self.upper)
        return np.where(inside, -np.log(self.upper - self.lower), -np.inf)


@dataclass(frozen=True)
class Histogram:
    """Weights over bins (the "roulette"), flat inside each bin; a bin may be empty."""

    edges: tuple[float, ...]
    weights: tuple[float, ...]

    @property
    def mass(self) -> Array:
        return np.asarray(np.divide(self.weights, np.sum(self.weights)), dtype=float)

    def quantile(self, p: Array, q: Array) -> Array:
        below = np.concatenate([[0.0], np.cumsum(self.mass)])
        above = np.concatenate([[0.0], np.cumsum(self.mass[::-1])])
        edges = np.asarray(self.edges)
        return np.asarray(
            np.where(p < q, np.interp(p, below, edges), np.interp(q, above, edges[::-1]))
        )

    def cdf(self, x: Array) -> Array:
        return np.asarray(np.interp(x, self.edges, np.concatenate([[0.0], np.cumsum(self.mass)])))

    def sf(self, x: Array) -> Array:
        return np.asarray(1.0 - self.cdf(x))

    def log_pdf(self, x: Array) -> Array:
        density = np.concatenate([[0.0], self.mass / np.diff(self.edges), [0.0]])
        with np.errstate(divide="ignore"):  # an empty bin has density zero
            return np.asarray(np.log(density[np.searchsorted(self.edges, x, side="right")]))


@dataclass(frozen=True)
class Mixture:
    """Weighted mixture, for instance of several experts."""

    weights: tuple[float, ...]
    components: tuple[Distribution, ...]

    @property
    def mass(self) -> Array:
        return np.asarray(np.divide(self.weights, np.sum(self.weights)), dtype=float)

    def _sum(self, function: str, x: Array) -> Array:
        return np.asarray(
            sum(
                w * getattr(c, function)(x) for w, c in zip(self.mass, self.components, strict=True)
            )
        )

    def quantile(self, p: Array, q: Array) -> Array:
        from scipy.optimize.elementwise import find_root

        quantiles = np.stack([component.quantile(p, q) for component in self.components])
        # the quantile lies between those of the components; F is nearly straight in normal scores
        ends = quantiles.min(axis=0), quantiles.max(axis=0)
        lower = p < q
        score = np.where(lower, p, q)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = find_root(self._excess, ends, args=(sp.ndtri(score), lower))
        # where one component has all the mass, rounding may leave no root between the ends
        nearest = np.where(np.less(*np.abs(found.f_bracket)), *found.bracket)
        return np.asarray(np.where(found.success, found.x, nearest))

    def _excess(self, x: Array, score: Array, lower: NDArray[np.bool_]) -> Array:
        """Normal score of the nearer tail at ``x`` less the wanted one, increasing in ``x``."""
        tail = np.empty(x.shape)
        tail[lower], tail[~lower] = self.cdf(x[lower]), self.sf(x[~lower])
        excess = sp.ndtri(np.clip(tail, TINY, 1.0)) - score
        return np.asarray(np.where(lower, excess, -excess))

    def cdf(self, x: Array) -> Array:
        return self._sum("cdf", x)

    def sf(self, x: Array) -> Array:
        return self._sum("sf", x)

    def log_pdf(self, x: Array) -> Array:
        terms = np.stack([component.log_pdf(x) for component in self.components])
        return np.asarray(
            sp.logsumexp(terms, axis=0, b=self.mass.reshape(-1, *[1] * (terms.ndim - 1)))
        )


@dataclass(frozen=True)
class Truncated:
    """A distribution conditioned to lie between two values."""

    base: Distribution
    lower: float
    upper: float

    @property
    def _tails(self) -> tuple[float, float, float]:
        below = float(self.base.cdf(np.asarray(self.lower)))
        above = float(self.base.sf(np.asarray(self.upper)))
        return below, above, 1.0 - below - above

    def quantile(self, p: Array, q: Array) -> Array:
        below, above, inside = self._tails
        return np.clip(
            self.base.quantile(below + p * inside, above + q * inside), self.lower, self.upper
        )

    def cdf(self, x: Array) -> Array:
        below, _, inside = self._tails
        return np.clip((self.base.cdf(x) - below) / inside, 0, 1)

    def sf(self, x: Array) -> Array:
        _, above, inside = self._tails
        return np.clip((self.base.sf(x) - above) / inside, 0, 1)

    def log_pdf(self, x: Array) -> Array:
        outside = (np.asarray(x) < self.lower) | (np.asarray(x) > self.upper)
        return np.where(outside, -np.inf, self.base.log_pdf(x) - np.log(self._tails[2]))


@dataclass(frozen=True)
class Mapped:
    """The distribution of ``forward(x)``, for an increasing map with inverse and log derivative."""

    base: Distribution
    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]
    log_slope: Callable[[Any], Any]

    def quantile(self, p: Array, q: Array) -> Array:
        return np.asarray(self.forward(self.base.quantile(p, q)))

    def cdf(self, x: Array) -> Array:
        return self.base.cdf(self.inverse(x))

    def sf(self, x: Array) -> Array:
        return self.base.sf(self.inverse(x))

    def log_pdf(self, x: Array) -> Array:
        inner = self.inverse(x)
        return np.asarray(self.base.log_pdf(inner) - self.log_slope(inner))


FAMILIES: Mapping[str, tuple[Callable[..., Distribution], Sequence[str]]] = MappingProxyType(
    {
        "normal": (Normal, ("mu", "sigma")),
        "lognormal": (LogNormal, ("mu", "sigma")),
        "beta": (Beta, ("alpha", "beta")),
        "gamma": (Gamma, ("alpha", "beta")),
        "student_t": (StudentT, ("nu", "mu", "sigma")),
        "uniform": (Uniform, ("lower", "upper")),
    }
)
