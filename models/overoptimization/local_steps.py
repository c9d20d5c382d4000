"""When does dropping the KL penalty lose something?

Steps that only penalise leaving the *last* policy follow the optima of a penalty on leaving the
*first* one, under three conditions: steps are exact, the policy has a probability of its own for
every output, and the reward stays as it is (:mod:`aligntax.models.overoptimization.policies`;
:func:`exact_steps`). Each other function breaks one condition alone, in the world of
:mod:`aligntax.models.overoptimization.proxy_rewards` with Gaussian policies. It gives gold along
the steps and along the tilts *at the same KL*, and has a limit in which the two are equal.

1. **Sampling noise** (:func:`sampled_steps`). The natural gradient of the mean is ``Cov(x, r)``;
   estimated from ``m`` outputs per step, it has an error of variance ``|w|^2 / m`` in each of ``d``
   features. After ``T`` steps a share of about ``d / (d + m T)`` of the divergence has gone in
   directions that the reward does not ask for. A penalty does not cure that: it weighs the steps'
   errors unequally, as it forgets old ones, and equal weights average best (Cauchy and Schwarz).
   *Limit*: infinitely many samples.
2. **A parametric policy** (:func:`narrow_steps`). Policies ``N(mu, I)`` are log-linear in ``x`` and
   cannot follow a reward that is quadratic, here gold itself. Natural-gradient steps are
   projections, ``mu' = mu + eta (theta - Q mu)``, and the optimum of the penalised objective is
   ``mu = (Q + beta)^-1 theta``: a curved feature saturates as ``1 - exp(-q t)`` in one and as ``1 -
   beta / (q + beta)`` in the other, as early stopping and ridge differ in regression. At equal KL
   the optimum is better by definition. Here a penalty is worth something, about one per cent of
   gold. *Limit*: features that span the reward, with squares.
3. **A relearned reward** (:func:`relearned_steps`). New comparisons of the current policy's outputs
   show gold's slope *there*. The path is not the tilt of any one reward. At equal labels its gold
   is lower at first, since few labels have come in. Later it is higher than that of one proxy
   learned beforehand, and it turns later, as Gao et al. derive from their law. *Limit*: one round.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.overoptimization.policies import (
    beta_at_kl,
    increasing_root,
    kl,
    policy_steps,
    tilt,
)
from aligntax.models.overoptimization.proxy_rewards import (
    ComparisonDraws,
    Comparisons,
    World,
    compare,
    learn,
    tilted_rewards,
)


@dataclass(frozen=True)
class Paths:
    """Two ways away from the initial policy, compared where they have gone equally far.

    Attributes
    ----------
    kl : ndarray, shape (step,)
        Nats from the initial policy.
    steps, tilts : ndarray, shape (step,)
        Gold, in sd under the initial policy, after local steps and under a global penalty.
    """

    kl: Any
    steps: Any
    tilts: Any

    def at(self, nats: float) -> tuple[float, float]:
        """Gold of the steps and of the tilts at a KL on the path, interpolated; both start at 0.

        Raises
        ------
        InputError
            If the path does not reach it.
        """
        if not 0 <= nats <= self.kl[-1]:
            raise InputError(
                f"nats: must lie between 0 and {self.kl[-1]:.4g}, the path's end, "
                f"got {nats}; lower it"
            )
        kl, *both = (np.append(0.0, path) for path in (self.kl, self.steps, self.tilts))
        steps, tilts = (float(np.interp(nats, kl, gold)) for gold in both)
        return steps, tilts


def _check_at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise InputError(f"{name}: must be at least {least}, got {value}; raise it")


def exact_steps(gold: Any, reward: Any, rates: Any) -> Paths:
    """Policy steps on a finite set of outputs, beside the tilts with the same KL.

    Under the initial policy all outputs are equally likely.

    Parameters
    ----------
    gold, reward : ndarray, shape (output,)
    rates : sequence of float
        ``eta`` of each step, in nats per unit of reward; they may differ.
    """
    log_pi0 = np.full(len(reward), -np.log(len(reward)))
    path = policy_steps(log_pi0, [reward] * len(rates), rates)
    spent = kl(path, log_pi0)
    tilts = np.array([tilt(log_pi0, reward, beta) for beta in beta_at_kl(log_pi0, reward, spent)])
    return Paths(spent, np.exp(path) @ gold, np.exp(tilts) @ gold)


def sampled_steps(
    world: World,
    weights: Any,
    budget: float,
    steps: int,
    samples: int | None,
    rng: np.random.Generator,
    penalty: float = 0.0,
) -> Paths:
    """Steps along a gradient that is estimated from few outputs, or exact if ``samples`` is None.

    Parameters
    ----------
    weights : ndarray, shape (d,)
        Of the proxy reward.
    budget : float
        Nats that exact steps would reach.
    samples : int or None
        Outputs of the current policy that each step sees.
    penalty : float
        ``eta beta`` of steps on the penalised objective, the share of the way back to the initial
        policy that a step goes.

    Raises
    ------
    InputError
        If there are no steps, fewer than 2 samples, or the penalty is not in [0, 1).
    """
    _check_at_least("steps", steps, 1)
    _check_at_least("samples", 2 if samples is None else samples, 2)
    if not 0 <= penalty < 1:
        raise InputError(f"penalty: must lie in [0, 1), got {penalty}; 1 undoes every step")
    rate = np.sqrt(2 * budget) / np.linalg.norm(weights) / np.sum((1 - penalty) ** np.arange(steps))
    means = np.zeros((steps + 1, world.dimensions))
    for t in range(steps):
        slope = weights
        if samples is not None:
            noise = rng.standard_normal((samples, world.dimensions))
            reward = noise @ weights  # less that of the mean, a baseline
            slope = (reward - reward.mean()) @ noise / (samples - 1)
        means[t + 1] = (1 - penalty) * means[t] + rate * slope
    spent = np.sum(means[1:] ** 2, axis=-1) / 2
    return Paths(spent, world.expected_gold(means[1:]), tilted_rewards(world, weights, spent)[0])


def narrow_steps(world: World, budget: float, steps: int, spanning: bool = False) -> Paths:
    """Steps on gold itself within policies ``N(mu, I)``, which cannot follow it.

    With ``spanning`` the policies are ``N(mu, diag)``, which can.

    Parameters
    ----------
    budget : float
        Nats of the penalised optimum whose strength is the sum of the rates; steps end near it.
    steps : int
        Of equal rate; many, since the discreteness of steps is not part of the question.
    spanning : bool
        Whether the policy's features include the squares.
    """
    _check_at_least("steps", steps, 1)
    theta, q = world.theta, world.curvature

    def optimum(strength: Any) -> tuple[Any, Any]:
        """Mean and variance of the best policy of the family for ``beta = 1 / strength``."""
        shrink = 1 / (1 + np.asarray(strength)[..., None] * q)
        return np.asarray(strength)[
            ..., None
        ] * theta * shrink, shrink if spanning else np.ones_like(shrink)

    def spent(strength: Any) -> Any:
        return _divergence(*optimum(strength))

    rate = float(increasing_root(spent, np.array([budget]), 1.0)[0]) / steps
    mean, variance = np.zeros_like(theta), np.ones_like(theta)
    path = []
    for _ in range(steps):
        if spanning:  # exact step: natural parameters add up
            precision = 1 / variance + rate * q
            mean, variance = (mean / variance + rate * theta) / precision, 1 / precision
        else:
            mean = mean + rate * (theta - q * mean)
        path.append((mean, variance))
    means, variances = (np.array(part) for part in zip(*path, strict=True))
    reached = _divergence(means, variances)
    best = optimum(increasing_root(spent, reached, 1.0))
    return Paths(reached, world.expected_gold(means, variances), world.expected_gold(*best))


def _divergence(mean: Any, variance: Any) -> Any:
    """Nats from ``N(0, I)`` of independent features; last axis."""
    return np.sum(mean**2 + variance - 1 - np.log(variance), axis=-1) / 2


def relearned_steps(world: World, draws: ComparisonDraws, budget: float, rounds: int) -> Paths:
    """Rounds of equal length ``d`` in which the reward is learned again from new labels.

    Each round adds its share of the labels, which are of the current policy's outputs, and learns
    from all so far, as Llama 2 did. The other path is the tilt by one proxy learned from as many
    labels of the initial policy, decided by the same random numbers.

    Parameters
    ----------
    draws : ComparisonDraws
        Random numbers of all labels.
    budget : float
        Nats that a straight path reaches; a path that turns ends nearer.

    Raises
    ------
    InputError
        If a round would have no label.
    """
    count = len(draws.uniform)
    _check_at_least("rounds", rounds, 1)
    _check_at_least("labels", count, rounds)
    edges = np.linspace(0, count, rounds + 1).astype(int)
    mean = np.zeros(world.dimensions)
    seen: list[Comparisons] = []
    path = []
    for low, high in pairwise(edges):
        seen.append(compare(world, draws[low:high], mean))
        pooled = (
            np.concatenate([getattr(comparisons, name) for comparisons in seen])
            for name in ("difference", "first")
        )
        weights = learn(Comparisons(*pooled))
        mean = mean + np.sqrt(2 * budget) / rounds * weights / np.linalg.norm(weights)
        path.append(mean)
    spent = np.sum(np.array(path) ** 2, axis=-1) / 2
    fixed = learn(compare(world, draws))
    return Paths(spent, world.expected_gold(np.array(path)), tilted_rewards(world, fixed, spent)[0])
