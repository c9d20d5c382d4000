"""A world in which a reward learned from few labels is optimised, and a better one falls.

**Gold.** Outputs are points ``x`` of ``d`` features, ``N(0, I)`` under the initial policy. The gold
reward likes features and, of every second one, can have too much. Like that of Gao, Schulman and
Hilton [1]_ it has mean 0 and variance 1 there::

    gold(x) = theta.x - sum_i q_i (x_i^2 - 1) / 2,     |theta|^2 + sum_i q_i^2 / 2 = 1

**Labels.** A comparison shows two outputs of a policy and prefers the first with the probability of
Bradley and Terry, ``logistic(label_scale (gold(x) - gold(x')))``.

**Proxy.** A linear reward ``w.x``, whose class lacks the curvature, learned by logistic regression
on the differences ``x - x'`` with the penalty of the prior ``w ~ N(0, I / d)``, under which rewards
have unit variance; only the direction matters below.

**Optimised exactly.** With ``u = w / |w|`` the tilt at ``KL = s^2 / 2`` nats is ``N(s u, I)``. The
best of ``n`` moves ``u.x`` to the largest of ``n`` normals, with mean ``m_n`` and variance ``v_n``,
and leaves the rest::

    tilt:        gold = s theta.u - (s^2 / 2) u'Qu                       s = sqrt(2 KL)
    best of n:   gold = m_n theta.u - (m_n^2 + v_n - 1) u'Qu / 2         KL = log n - (n - 1) / n

So a tilt has *exactly* the form that Gao et al. found for best-of-n, ``d (alpha - beta d)`` with
``d = sqrt(KL)``, ``alpha = sqrt(2) theta.u`` and ``beta = u'Qu``, and its peak lies at ``(theta.u /
u'Qu)^2 / 2`` nats. If nothing is curved, gold never falls however far a proxy is pushed that is
better than chance.

What differs from Gao et al.
----------------------------
- Form: tilts follow ``d (alpha - beta d)`` exactly and best-of-n nearly; ``d (alpha - beta log
  d)``, found for PPO, fits both less well.
- A tilt gains the most reward a nat can buy, so best-of-n spends slightly *more* KL for the same
  proxy reward; PPO spends far more than best-of-n.
- No threshold: from the first labels on, the proxy's squared correlation with what its class can
  express grows about as ``n / (n + n_half)`` with ``n_half`` near 1,300, and the peak's KL and
  height with it; Gao et al. see little below 2,000 comparisons.
- The peak saturates with labels, at the 64 nats that the class allows: labels do not add curvature
  to a linear proxy.
- Proxies of as many labels differ less the more labels there are: by 0.2 OOM of the peak's KL at
  100, by 0.01 at 30,000.
- Gold falls as a parabola without bound; that of a real reward is bounded.
- Labels are noisy, where those of Gao et al. are the gold reward's own.

What agrees: gold rises and falls while the proxy rises, more labels move the peak out and up, a KL
penalty acts as early stopping does, and without a penalty KL grows as the square of equal steps
(:mod:`aligntax.models.overoptimization.local_steps`).

References
----------
.. [1] Gao, Schulman, Hilton, "Scaling laws for reward model overoptimization", 2022.
       arXiv:2210.10760
.. [2] Stiennon et al., "Learning to summarize from human feedback", 2020. arXiv:2009.01325
.. [3] Bradley, Terry, "Rank analysis of incomplete block designs", 1952. doi:10.2307/2334029
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, log_ndtr, ndtri_exp

from aligntax.models.errors import InputError
from aligntax.models.overoptimization.policies import best_of_normals

DIFFERENCES = (
    "Unlike the curves of Gao, Schulman and Hilton 2022, these show no threshold of about 2,000 "
    "labels below which a proxy is near chance, but steady gains from the first labels on; "
    "their peak saturates, at the 64 nats that a linear proxy allows; "
    "tilts follow d (alpha - beta d), where PPO followed d (alpha - beta log d); "
    "best-of-n spends slightly more KL than tilts for the same proxy reward, where PPO spent far "
    "more than best-of-n; and labels are noisy."
)
NEWTON_STEPS = 50  # it takes five to ten
TOLERANCE = 1e-9  # of the last Newton step over the coefficients


@dataclass(frozen=True)
class World:
    """What gold rewards and how well labels show it; chosen before any curve was drawn.

    Attributes
    ----------
    dimensions : int
        Features, 200. With these, about a thousand labels determine as much of the reward as they
        leave open. A hundred labels are then little better than chance and 30,000 are ample, the
        range over which published proxies improve.
    curved_share : float
        Share of gold's variance that no linear proxy expresses, 2/3. Best accuracy on noiseless
        comparisons is then about 70%, that of published reward models on held-out human labels
        (InstructGPT 70 to 72%, Llama 2 65 to 70%). It also puts the peak with ample labels, about
        ``dimensions (1 - curved_share) / (2 curved_share)`` = 50 nats (64 with this ``theta``),
        within the 2 to 250 nats of the policies of Stiennon et al.
    decay : float
        ``theta_i^2`` falls as ``i^-decay``, 1: features matter as words do in a language, a few
        much and many little.
    label_scale : float
        Logits for each sd of gold by which two outputs differ, 2: two labellers then agree on 76%
        of comparisons, as Stiennon et al. (72 to 77%), WebGPT (73%) and InstructGPT (73 to 77%)
        report.

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    dimensions: int = 200
    curved_share: float = 2 / 3
    decay: float = 1.0
    label_scale: float = 2.0

    def __post_init__(self) -> None:
        for name, good, rule in (
            ("dimensions", self.dimensions >= 2, "at least 2"),
            ("curved_share", 0 <= self.curved_share < 1, "in [0, 1)"),
            ("label_scale", self.label_scale > 0, "positive"),
        ):
            if not good:
                raise InputError(
                    f"{name}: must be {rule}, got {getattr(self, name)}; the default is usual"
                )

    @cached_property
    def theta(self) -> Any:
        """What gold likes, shape (d,)."""
        shape = np.arange(1.0, self.dimensions + 1) ** (-self.decay / 2)
        return shape * np.sqrt((1 - self.curved_share) / np.sum(shape**2))

    @cached_property
    def curvature(self) -> Any:
        """``q``, how strongly gold curves down in each feature, shape (d,).

        Every second feature is alike; the others do not curve.
        """
        shape = np.arange(self.dimensions) % 2.0
        return shape * np.sqrt(2 * self.curved_share / np.sum(shape))

    def gold(self, outputs: Any) -> Any:
        """Gold reward of outputs, shape (..., d), in its sd under the initial policy."""
        return outputs @ self.theta - (outputs**2 - 1) @ self.curvature / 2

    def expected_gold(self, mean: Any, variance: Any = 1.0) -> Any:
        """Gold of a policy whose features have this mean and variance, shape (..., d)."""
        return mean @ self.theta - (mean**2 + variance - 1) @ self.curvature / 2


# --------------------------------------------------------------------------------- labels and proxy


@dataclass(frozen=True)
class ComparisonDraws:
    """Random numbers of comparisons.

    Attributes
    ----------
    outputs : ndarray, shape (n, 2, d)
        Distance of both outputs from the policy's mean.
    uniform : ndarray, shape (n,)
        Decides which of them is preferred.
    """

    outputs: Any
    uniform: Any

    def __getitem__(self, rows: slice) -> "ComparisonDraws":
        return ComparisonDraws(self.outputs[rows], self.uniform[rows])


@dataclass(frozen=True)
class Comparisons:
    """Labelled comparisons.

    Attributes
    ----------
    difference : ndarray, shape (n, d)
        Features of the first output minus those of the second.
    first : ndarray of bool, shape (n,)
        Whether the first output was preferred.
    """

    difference: Any
    first: Any


def draw_comparisons(world: World, count: int, rng: np.random.Generator) -> ComparisonDraws:
    """Draw the random numbers of ``count`` comparisons."""
    return ComparisonDraws(rng.standard_normal((count, 2, world.dimensions)), rng.random(count))


def compare(world: World, draws: ComparisonDraws, mean: Any = 0.0) -> Comparisons:
    """Labels of pairs of outputs of the policy ``N(mean, I)``."""
    first, second = (world.gold(draws.outputs[:, i] + mean) for i in (0, 1))
    preferred = draws.uniform < expit(world.label_scale * (first - second))
    return Comparisons(draws.outputs[:, 0] - draws.outputs[:, 1], preferred)


def learn(comparisons: Comparisons) -> Any:
    """Weights of the linear proxy that best explains the labels, shape (d,).

    Newton's method on the penalised likelihood. Its steps come from conjugate gradients, since
    forming the curvature of 30,000 labels takes longer than all the rest.
    """
    signed = np.where(comparisons.first, 1.0, -1.0)[:, None] * comparisons.difference
    d = signed.shape[1]
    weights = np.zeros(d)
    for _ in range(NEWTON_STEPS):
        wrong = expit(-(signed @ weights))
        step = _newton_step(signed, wrong * (1 - wrong), signed.T @ wrong - d * weights)
        weights = weights + step
        if np.abs(step).max() <= TOLERANCE * np.abs(weights).max():
            break
    return weights


def _newton_step(signed: Any, doubt: Any, target: Any) -> Any:
    """Newton step, ``(signed' diag(doubt) signed + d I)^-1 target`` to a thousandth.

    The next Newton step corrects the rest.
    """
    solution, residual, direction = np.zeros_like(target), target, target
    size = residual @ residual
    enough = size * 1e-6
    while size > enough:
        image = signed.T @ (doubt * (signed @ direction)) + len(target) * direction
        rate = size / (direction @ image)
        solution, residual = solution + rate * direction, residual - rate * image
        size, before = residual @ residual, size
        direction = residual + size / before * direction
    return solution


def accuracy(weights: Any, comparisons: Comparisons) -> float:
    """Share of labels that a proxy agrees with."""
    return float(np.mean((comparisons.difference @ weights > 0) == comparisons.first))


# --------------------------------------------------------------------------------------- optimising


def _in_direction(world: World, weights: Any) -> tuple[Any, float, float]:
    """The proxy's direction ``u``, ``theta.u`` and ``u'Qu``."""
    u = weights / np.linalg.norm(weights)
    return u, float(world.theta @ u), float(world.curvature @ u**2)


def tilted_rewards(world: World, weights: Any, kl: Any) -> tuple[Any, Any]:
    """Gold and proxy (in its sd under the initial policy) of the tilts at budgets in nats."""
    _, slope, curvature = _in_direction(world, weights)
    s = np.sqrt(2 * np.asarray(kl, dtype=float))
    return s * slope - s**2 * curvature / 2, s


def best_of_n_rewards(world: World, weights: Any, n: Any) -> tuple[Any, Any]:
    """Gold and proxy (in its sd under the initial policy) of the best of ``n``."""
    _, slope, curvature = _in_direction(world, weights)
    mean, variance = best_of_normals(n)
    return mean * slope - (mean**2 + variance - 1) * curvature / 2, mean


def peak(world: World, weights: Any) -> tuple[float, float]:
    """KL (nats) and gold at which tilting by a proxy is best.

    Both are 0 if the proxy is worse than chance, and infinite if nothing curves.
    """
    _, slope, curvature = _in_direction(world, weights)
    if slope <= 0:
        return 0.0, 0.0
    return (
        (slope**2 / curvature**2 / 2, slope**2 / curvature / 2) if curvature else (np.inf, np.inf)
    )


def tilted_outputs(
    world: World, weights: Any, kl: float, count: int, rng: np.random.Generator
) -> Any:
    """Outputs of the tilt, shape (count, d)."""
    u, _, _ = _in_direction(world, weights)
    return rng.standard_normal((count, world.dimensions)) + np.sqrt(2 * kl) * u


def best_of_n_outputs(
    world: World, weights: Any, n: int, count: int, rng: np.random.Generator
) -> Any:
    """Outputs of the best of ``n``, shape (count, d).

    Along the proxy they are the largest of ``n`` normals; other directions stay normal.
    """
    u, _, _ = _in_direction(world, weights)
    outputs = rng.standard_normal((count, world.dimensions))
    here = outputs @ u
    best = ndtri_exp(log_ndtr(here) / n)  # a uniform to the power 1 / n is the largest of n
    return outputs + (best - here)[:, None] * u
