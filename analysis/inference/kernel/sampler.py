"""Many short chains in step: Hamiltonian Monte Carlo on a density that answers all chains at once.

Every transition of every chain has the same step size, number of steps and metric, which are
learned from all chains together while they warm up and stay from then on. The number of steps is
random, so that no trajectory closes on itself. Chains start at points that are given, such as
stored draws carried to new priors, or from nothing: from ``Normal(0, 1)`` they are led to the
target through powers of it.

Sixteen draws say nothing about their own chain. So convergence is judged by superchains
(:func:`nested_rhat`), effective size by the spread of chain means (:func:`effective_size`), and a
chain that never moves by its name (:attr:`Draws.frozen`).

References
----------
.. [1] Margossian et al., "Nested R-hat: assessing the convergence of Markov chain Monte Carlo when
       running many short chains", 2022. arXiv:2110.13017
.. [2] Hoffman and Gelman, "The No-U-turn sampler", 2011. arXiv:1111.4246: dual averaging
"""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
DIVERGENT = 1000.0  # error of the energy
SHRINK = 0.5  # chains that a dimension's correlations cost, as of a prior without any
MOST_STEPS = 40  # of a trajectory
LEAST_SHARE = 0.5  # of chains that stay effective from one power of the target to the next


class Target(Protocol):
    """A density of all chains at once, such as a ``Density`` of the kernel."""

    dimension: int

    def log_density_and_gradient(self, x: Any) -> tuple[Array, Array]:
        """Values, shape (chain,), and slopes, shape (parameter, chain)."""


@dataclass(frozen=True)
class Options:
    """How chains are run.

    Attributes
    ----------
    chains, draws, tune : int
        Chains; kept and discarded draws of each.
    length : float
        Of a trajectory, in standard deviations of the target.
    jitter : float
        Share by which a trajectory may be longer or shorter.
    shortest : float
        Least share of the step size that a chain steps, drawn anew for each trajectory. Where the
        density is narrow only short steps are accepted, and only there they are needed.
    target_accept : float
        Acceptance that the step size is set for.
    seed : int
    """

    chains: int = 256
    draws: int = 16
    tune: int = 24
    length: float = 2.0
    jitter: float = 0.4
    shortest: float = 1.0
    target_accept: float = 0.8
    seed: int = 0


@dataclass(frozen=True)
class Draws:
    """Kept draws of all chains.

    Attributes
    ----------
    points : ndarray, shape (chain, draw, parameter)
    log_density : ndarray, shape (chain, draw)
    frozen : ndarray of bool, shape (chain,)
        Whether a chain has not moved in any of its draws.
    acceptance : float
        Mean probability of acceptance.
    divergent : int
        Transitions whose energy was lost.
    step : float
        Size of a step.
    gradients : int
        Evaluations for each chain, warm-up included.
    """

    points: Array
    log_density: Array
    frozen: NDArray[np.bool_]
    acceptance: float
    divergent: int
    step: float
    gradients: int


@dataclass
class _Chains:
    """Where all chains are; ``root`` is a square root of the target's covariance."""

    target: Target
    points: Array
    root: Array
    rng: Generator
    gradients: int = 0
    divergent: int = 0
    values: Array = field(init=False)
    slopes: Array = field(init=False)

    def __post_init__(self) -> None:
        self.values, self.slopes = self.evaluate(self.points)

    def evaluate(self, points: Array) -> tuple[Array, Array]:
        """Density and gradient."""
        self.gradients += 1
        return self.target.log_density_and_gradient(points)

    def transition(self, step: float | Array, steps: int) -> tuple[Array, NDArray[np.bool_]]:
        """Move every chain on a trajectory; return probabilities of acceptance, and who moved."""
        points, slopes, values = self.points.copy(), self.slopes, self.values
        momentum = self.rng.standard_normal(points.shape)
        before = self.values - 0.5 * (momentum**2).sum(axis=0)
        with np.errstate(all="ignore"):
            momentum += 0.5 * step * (self.root.T @ slopes)
            for i in range(steps):
                points += step * (self.root @ momentum)
                values, slopes = self.evaluate(points)
                momentum += (step if i < steps - 1 else 0.5 * step) * (self.root.T @ slopes)
            error = values - 0.5 * (momentum**2).sum(axis=0) - before
            error = np.where(np.isfinite(error), error, -np.inf)
            probability = np.exp(np.minimum(error, 0.0))
        self.divergent += int((error < -DIVERGENT).sum())
        moved = self.rng.uniform(size=len(values)) < probability
        self.points = np.where(moved, points, self.points)
        self.slopes = np.where(moved, slopes, self.slopes)
        self.values = np.where(moved, values, self.values)
        return probability, moved

    def adapt_root(self) -> None:
        """Learn the metric from where the chains are."""
        self.root = square_root(self.points)


def square_root(points: Array) -> Array:
    """Cholesky factor of the covariance of points, correlations shrunk as few chains ask for.

    Parameters
    ----------
    points : ndarray, shape (parameter, chain)
    """
    dimension, chains = points.shape
    covariance = np.atleast_2d(np.cov(points))
    share = chains / (chains + SHRINK * dimension)
    own = np.diag(np.maximum(np.diag(covariance), 1e-12))
    return np.linalg.cholesky(share * covariance + (1 - share) * own)


@dataclass
class _StepSize:
    """Dual averaging of the step size to a target of acceptance."""

    size: float
    target: float
    count: int = 0
    missing: float = 0.0
    mean: float = field(init=False)
    centre: float = field(init=False)

    def __post_init__(self) -> None:
        self.mean = self.centre = math.log(self.size)

    def update(self, acceptance: float) -> None:
        """Learn from the mean acceptance of one transition."""
        self.count += 1
        weight = 1.0 / (self.count + 10.0)
        self.missing = (1 - weight) * self.missing + weight * (self.target - acceptance)
        log = self.centre - math.sqrt(self.count) / 0.05 * self.missing
        late = self.count**-0.75
        self.mean = late * log + (1 - late) * self.mean
        self.size = math.exp(log)


class _Power:
    """A power of a target, and of ``Normal(0, 1)`` what is left of one."""

    def __init__(self, target: Target) -> None:
        self.target, self.dimension, self.power = target, target.dimension, 0.0

    def log_density_and_gradient(self, x: Any) -> tuple[Array, Array]:
        """Values and slopes; a chain where the target is not a number may not go there."""
        values, slopes = self.target.log_density_and_gradient(x)
        known = np.isfinite(values) & np.isfinite(slopes).all(axis=0)
        left = 1 - self.power
        values = np.where(known, values, 0.0) * self.power - 0.5 * left * (x**2).sum(axis=0)
        slopes = np.where(known, slopes, 0.0) * self.power - left * x
        return np.where(known, values, -np.inf), slopes


def led_from_nothing(target: Target, options: Options, rng: Generator) -> tuple[Array, float, int]:
    """Points that come from ``Normal(0, 1)`` through powers of the target, (parameter, chain).

    Returns
    -------
    points : ndarray
    step : float
        Size of a step that was accepted near the target.
    gradients : int
    """
    tempered = _Power(target)
    points = rng.standard_normal((target.dimension, options.chains))
    step, gradients = 0.3, 0
    while tempered.power < 1:
        gained = target.log_density_and_gradient(points)[0] + 0.5 * (points**2).sum(axis=0)
        gained = np.where(np.isfinite(gained), gained, -np.inf)
        tempered.power, weights = _next_power(gained, tempered.power)
        # systematic resampling
        at = (rng.uniform() + np.arange(options.chains)) / options.chains
        chosen = np.minimum(np.searchsorted(np.cumsum(weights), at), options.chains - 1)
        points = points[:, chosen]
        chains = _Chains(tempered, points, square_root(points), rng)
        for _ in range(2):
            steps = int(
                np.clip(round(options.length / step * rng.uniform(0.6, 1.4)), 1, MOST_STEPS)
            )
            probability, _ = chains.transition(step, steps)
            step = float(np.clip(step * math.exp(0.6 * (probability.mean() - 0.75)), 0.02, 1.0))
        points, gradients = chains.points, gradients + chains.gradients + 1
    return points, step, gradients


def _next_power(gained: Array, power: float) -> tuple[float, Array]:
    """Largest next power under which enough chains stay effective, and their weights."""

    def weights(to: float) -> Array:
        each = np.exp((to - power) * (gained - gained.max()))
        share: Array = each / each.sum()
        return share

    def enough(to: float) -> bool:
        return bool(1.0 / (weights(to) ** 2).sum() >= LEAST_SHARE * len(gained))

    if enough(1.0):
        return 1.0, weights(1.0)
    low, high = power, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if enough(middle) else (low, middle)
    return high, weights(high)


def sample(target: Target, options: Options, start: Array | None = None) -> Draws:
    """Sample a density.

    Parameters
    ----------
    target : Target
    options : Options
    start : ndarray, shape (parameter, chain), optional
        Where chains start; by default they are led there from nothing.
    """
    rng = np.random.Generator(np.random.SFC64(options.seed))
    step, spent = 0.4, 0
    if start is None:
        start, step, spent = led_from_nothing(target, options, rng)
    chains = _Chains(target, np.array(start, dtype=float), square_root(start), rng, spent)
    size = _StepSize(step, options.target_accept)

    def move(step: float) -> tuple[Array, NDArray[np.bool_]]:
        longer = 1 + options.jitter * rng.uniform(-1, 1)
        steps = round(options.length * longer / step)
        share = options.shortest ** rng.uniform(size=chains.points.shape[1])
        return chains.transition(step * share, min(max(1, steps), MOST_STEPS))

    for i in range(options.tune):
        size.update(float(move(size.size)[0].mean()))
        if i == options.tune // 2:
            chains.adapt_root()
            size = _StepSize(math.exp(size.mean), options.target_accept)
    step = math.exp(size.mean) if options.tune else step
    chains.divergent = 0
    points = np.empty((options.draws, *chains.points.shape))
    values = np.empty((options.draws, chains.points.shape[1]))
    still, acceptance = np.ones(chains.points.shape[1], dtype=bool), 0.0
    for i in range(options.draws):
        probability, moved = move(step)
        points[i], values[i] = chains.points, chains.values
        still &= ~moved
        acceptance += float(probability.mean()) / options.draws
    return Draws(
        points=np.ascontiguousarray(points.transpose(2, 0, 1)),
        log_density=np.ascontiguousarray(values.T),
        frozen=still,
        acceptance=acceptance,
        divergent=chains.divergent,
        step=step,
        gradients=chains.gradients,
    )


def nested_rhat(draws: Any, superchains: int = 4) -> float:
    """Nested R-hat of one quantity: chains in groups, whose means must agree.

    Parameters
    ----------
    draws : array, shape (chain, draw)
    superchains : int
        Groups of as many chains in a row.
    """
    groups = np.asarray(draws, dtype=float)
    groups = groups.reshape(superchains, -1, groups.shape[1])
    between = groups.mean(axis=(1, 2)).var(ddof=1)
    means = groups.mean(axis=2).var(axis=1, ddof=1)
    within = groups.var(axis=2, ddof=1).mean(axis=1) if groups.shape[2] > 1 else 0.0
    return float(np.sqrt(1 + between / np.mean(means + within)))


def effective_size(draws: Any) -> float:
    """Effective number of independent draws of one quantity, for its mean.

    It is the number of chains times the variance of all draws over the variance of chain means,
    which are independent whatever the correlation along a chain.

    Parameters
    ----------
    draws : array, shape (chain, draw)
    """
    draws = np.asarray(draws, dtype=float)
    return float(len(draws) * draws.var() / draws.mean(axis=1).var(ddof=1))
