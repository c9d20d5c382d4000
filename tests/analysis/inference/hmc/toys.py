"""Densities with known answers, which move as machine code does."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from scipy import stats
from scipy.special import logsumexp

NO_CODE = SimpleNamespace(program=SimpleNamespace(kernel=b""))
MUCH_CODE = SimpleNamespace(program=SimpleNamespace(kernel=bytes(2**23)))


class Toy:
    """A density given by its log and gradient at points (parameter, chain)."""

    kernel = NO_CODE
    dimension: int

    def fly(self, flight, steps):
        for _ in range(steps):
            flight.x[...] += flight.reach * flight.momentum
            for k, x in enumerate(flight.x):
                flight.log_density[k], flight.slope[k] = self.log_density_and_gradient(x)
            flight.momentum[...] += flight.push * flight.slope
            flight.momentum[...] += flight.pull * flight.x


@dataclass
class Normal(Toy):
    """Independent normals."""

    mean: np.ndarray
    sd: np.ndarray

    @property
    def dimension(self):
        return len(self.mean)

    def log_density_and_gradient(self, x):
        z = (x - self.mean[:, None]) / self.sd[:, None]
        return -0.5 * (z**2).sum(axis=0), -z / self.sd[:, None]

    def draw(self, shape, rng):
        chains, subchains = shape
        z = rng.standard_normal((chains, self.dimension, subchains))
        return self.mean[:, None] + self.sd[:, None] * z


@dataclass
class Modes(Toy):
    """A mixture of two normals in one coordinate, far apart, beside a standard normal."""

    share: float  # of the second
    places: tuple[float, float] = (-1.0, 1.0)
    sd: float = 0.1
    dimension: int = 2

    def log_density_and_gradient(self, x):
        first = x[0] - np.array(self.places)[:, None]
        with np.errstate(divide="ignore"):
            logs = np.log([[1 - self.share], [self.share]]) - 0.5 * (first / self.sd) ** 2
        total = logsumexp(logs, axis=0)
        slope = (np.exp(logs - total) * -first / self.sd**2).sum(axis=0)
        return total - 0.5 * x[1] ** 2, np.stack([slope, -x[1]])


PEAK, WIDTH, SHARE = -0.3, 0.05, 0.3  # of a component in which the first coordinate has a peak


class Mixture(Toy):
    """Three coordinates, of which the first two have standard normal priors.

    The first is in a peak with probability ``SHARE``, where the second has mean -1; the third has
    the mean ``tanh`` of the first, so that it says something of it.
    """

    dimension = 3

    def log_density_and_gradient(self, x):
        a, b, c = x
        slab = stats.norm.logpdf(a) + stats.norm.logpdf(b)
        peak = stats.norm.logpdf(a, PEAK, WIDTH) + stats.norm.logpdf(b, -1.0, 0.7)
        of_both = np.logaddexp(np.log(1 - SHARE) + slab, np.log(SHARE) + peak)
        inside = np.exp(np.log(SHARE) + peak - of_both)
        by_a = -inside * (a - PEAK) / WIDTH**2 - (1 - inside) * a
        by_b = -inside * (b + 1.0) / 0.7**2 - (1 - inside) * b
        rest = c - np.tanh(a)
        slope = np.stack([by_a + rest * (1 - np.tanh(a) ** 2), by_b, -rest])
        return of_both + stats.norm.logpdf(rest), slope

    def draw(self, shape, rng, share=SHARE):
        """Independent draws (chain, parameter, subchain), with another share in the peak if asked."""
        inside = rng.random(shape) < share
        a = np.where(inside, rng.normal(PEAK, WIDTH, shape), rng.normal(size=shape))
        b = np.where(inside, rng.normal(-1.0, 0.7, shape), rng.normal(size=shape))
        return np.stack([a, b, rng.normal(np.tanh(a))], axis=1)


def in_the_peak(x):
    """Share of points (chain, parameter, subchain) near the peak."""
    return (np.abs(x[:, 0] - PEAK) < 3 * WIDTH).mean()


TRUE_SHARE = (
    SHARE * 0.9973
    + (1 - SHARE) * np.diff(stats.norm.cdf([PEAK - 3 * WIDTH, PEAK + 3 * WIDTH])).item()
)
