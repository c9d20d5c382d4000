r"""What does optimising a reward do to a policy, exactly?

**Tilts.** A policy ``pi`` that earns the reward ``r``, and pays ``beta`` per nat of divergence from
the initial policy ``pi_0``, maximises [1]_::

    J(pi) = E_pi r - beta KL(pi, pi_0) = beta log Z - beta KL(pi, pi*)
    pi*   = pi_0 exp(r / beta) / Z,    Z = E_pi_0 exp(r / beta)

so ``pi*``, the posterior with prior ``pi_0`` and likelihood ``exp(r / beta)``, is the optimum, and
``J / beta`` is an evidence lower bound. ``KL(pi*, pi_0)`` falls in ``beta``: its derivative by ``1
/ beta`` is ``Var_pi* r / beta``. As ``beta`` goes to 0 the tilt goes to ``pi_0`` restricted to the
outputs of the highest reward and ``beta log Z`` to that reward; as ``beta`` goes to infinity they
go to ``pi_0`` and ``E_pi_0 r``.

**Gaussian policies.** With ``pi_0 = N(m, S)`` and ``r(x) = b.x - x'Ax / 2`` the tilt is Gaussian
too, where it exists::

    precision  S^-1 + A / beta, positive definite        mean  (beta S^-1 + A)^-1 (beta S^-1 m + b)

**Best of n.** The best of ``n`` independent outputs. On a finite set where rewards at most (less
than) ``r`` have probability ``F`` (``F-``), the outputs of reward ``r`` get ``F^n - (F-)^n``,
shared as ``pi_0`` shares, since ties are broken at random. With a continuous reward, ``F`` is
uniform and the divergence is that of Beta(n, 1) from uniform [2]_::

    KL = int_0^1 n u^(n-1) log(n u^(n-1)) du = log n - (n - 1) / n

Ties merge outputs that otherwise would be distinguished, so by the data processing inequality the
divergence is then lower.

**Policy steps.** ``pi_(t+1)`` proportional to ``pi_t exp(eta_t r)`` maximises ``E_pi r - KL(pi,
pi_t) / eta_t``: a penalty on leaving the last policy, none on leaving the first. By induction
``pi_t`` is the tilt with ``1 / beta = sum of eta``. With exact steps, a probability of its own for
each output and one reward, dropping the penalty and stopping early loses nothing.

References
----------
.. [1] Korbak, Perez, Buckley, "RL with KL penalties is better viewed as Bayesian inference", 2022.
       arXiv:2205.11275
.. [2] Gao, Schulman, Hilton, "Scaling laws for reward model overoptimization", 2022.
       arXiv:2210.10760
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_ndtr, logsumexp

from aligntax.models.errors import InputError

HALVINGS = 60  # of a bracket on log (1 / beta), down to the last bit
LEAST = 1e-12  # share of 1 / (range of rewards) below which divergences are rounding errors


def _check_beta(beta: float) -> None:
    if not beta >= 0:
        raise InputError(
            f"beta: must not be negative, got {beta}; a penalty pays for what is left behind"
        )


# ---------------------------------------------------------------------------------- finite policies


def normalised(log_weight: Any) -> Any:
    """Log probabilities over the last axis from log weights, which may be minus infinity."""
    log_weight = np.asarray(log_weight, dtype=float)
    return log_weight - logsumexp(log_weight, axis=-1, keepdims=True)


def kl(log_p: Any, log_q: Any) -> Any:
    """``KL(p, q)`` in nats of finite policies; infinite where q lacks an output of p.

    Policies are log probabilities over the last axis.
    """
    log_p, log_q = np.broadcast_arrays(
        np.asarray(log_p, dtype=float), np.asarray(log_q, dtype=float)
    )
    has = log_p > -np.inf
    terms = np.where(has, np.exp(log_p), 0.0) * np.subtract(
        log_p, log_q, out=np.zeros_like(log_p), where=has
    )
    return np.maximum(terms.sum(axis=-1), 0.0)


def tilt(log_pi0: Any, reward: Any, beta: float) -> Any:
    """Log probabilities of ``pi*``.

    Parameters
    ----------
    log_pi0, reward : array_like, shape (output,)
        Outputs that ``pi_0`` lacks stay out, whatever their reward.
    beta : float
        In units of the reward per nat, from 0 (the best outputs alone) to infinity (``pi_0``).

    Raises
    ------
    InputError
        If ``beta`` is negative or NaN.
    """
    _check_beta(beta)
    log_pi0, reward = np.asarray(log_pi0, dtype=float), np.asarray(reward, dtype=float)
    below = reward - reward[log_pi0 > -np.inf].max()  # at most 0, so that nothing overflows
    if beta == 0:
        return normalised(np.where(below >= 0, log_pi0, -np.inf))
    with np.errstate(over="ignore"):  # minus infinity: an output that is never chosen
        return normalised(
            np.where(log_pi0 > -np.inf, log_pi0 + np.minimum(below, 0.0) / beta, -np.inf)
        )


def soft_value(log_pi0: Any, reward: Any, beta: float) -> float:
    """``beta log Z``, the objective's maximum.

    It goes from the highest reward at ``beta = 0`` to the mean reward at infinity.
    """
    _check_beta(beta)
    has = np.asarray(log_pi0, dtype=float) > -np.inf
    log_p, reward = np.asarray(log_pi0, dtype=float)[has], np.asarray(reward, dtype=float)[has]
    highest, mean = float(reward.max()), float(np.exp(log_p) @ reward)
    if beta == 0:
        return highest
    if beta == np.inf:
        return mean
    if beta > np.ptp(reward):  # keeps the digits that a small log Z times a large beta would lose
        return mean + beta * float(np.log1p(np.exp(log_p) @ np.expm1((reward - mean) / beta)))
    with np.errstate(over="ignore"):
        return highest + beta * float(logsumexp(log_p + (reward - highest) / beta))


def log_partition(log_pi0: Any, reward: Any, beta: float) -> float:
    """``log Z``, finite for every positive beta."""
    if not beta > 0:
        raise InputError(
            f"beta: must be positive for log Z, got {beta}; "
            "beta log Z has a limit at 0, see soft_value"
        )
    return soft_value(log_pi0, reward, beta) / beta


def objective(log_pi: Any, log_pi0: Any, reward: Any, beta: float) -> float:
    """``J``, expected reward less ``beta`` times the divergence from ``pi_0``."""
    expected = float(np.exp(log_pi) @ np.asarray(reward, dtype=float))
    return expected - (beta * float(kl(log_pi, log_pi0)) if beta else 0.0)


def increasing_root(f: Callable[[Any], Any], target: Any, start: float) -> Any:
    """Positive ``t`` with ``f(t) = target``, elementwise.

    ``f`` increases from 0 and reaches the target.
    """
    low, high = np.full_like(target, start), np.full_like(target, start)
    while (short := f(high) < target).any():
        high = np.where(short, high * 4, high)
    while (over := (f(low) > target) & (low > start * LEAST)).any():
        low = np.where(over, low / 4, low)
    low, high = np.log(low), np.log(high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = f(np.exp(middle)) < target
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.exp(high)


def beta_at_kl(log_pi0: Any, reward: Any, budget: Any) -> Any:
    """``beta`` of the tilt that spends a budget.

    Parameters
    ----------
    log_pi0, reward : array_like, shape (output,)
    budget : float or array_like
        Nats. A budget of 0 gives infinity, and the most that any tilt spends, ``-log pi_0(best
        outputs)``, gives 0.

    Raises
    ------
    InputError
        If a budget is negative or more than any tilt spends.
    """
    log_pi0, reward = np.asarray(log_pi0, dtype=float), np.asarray(reward, dtype=float)
    asked = np.asarray(budget, dtype=float)
    most = float(kl(tilt(log_pi0, reward, 0.0), log_pi0))
    if not ((asked >= 0) & (asked <= most)).all():
        wrong = asked[~((asked >= 0) & (asked <= most))].flat[0]
        rule = f"must lie between 0 and {most:.6g} nats, the most a tilt spends"
        raise InputError(f"budget: {rule}, got {wrong:g}; choose another")
    inner = (asked > 0) & (asked < most)
    beta = np.where(asked > 0, 0.0, np.inf)
    if inner.any():

        def spent(t: Any) -> Any:
            return np.array([kl(tilt(log_pi0, reward, 1 / strength), log_pi0) for strength in t])

        beta[inner] = 1 / increasing_root(
            spent, asked[inner], 1 / float(np.ptp(reward[log_pi0 > -np.inf]))
        )
    return beta if beta.ndim else float(beta)


def policy_steps(log_pi0: Any, rewards: Iterable[Any], rates: Iterable[float]) -> Any:
    """Log probabilities after each step, shape (step, output).

    A step makes ``pi_(t+1)`` proportional to ``pi_t exp(eta_t r_t)``.
    """
    path = [np.asarray(log_pi0, dtype=float)]
    for reward, rate in zip(rewards, rates, strict=True):
        path.append(tilt(path[-1], reward, 1 / rate))
    return np.array(path[1:])


# ---------------------------------------------------------------------------------------- best of n


def _check_n(n: Any) -> None:
    if not (np.isfinite(n) & (np.asarray(n) >= 1)).all():
        raise InputError(f"n: must be at least 1, got {n}; the best of one output is the output")


def best_of_n(log_pi0: Any, reward: Any, n: float) -> Any:
    """Log probabilities of the best of ``n`` outputs; minus infinity where they underflow.

    Ties are broken at random.

    Parameters
    ----------
    log_pi0, reward : array_like, shape (output,)
    n : float
        At least 1; it need not be a whole number.

    Raises
    ------
    InputError
        If ``n`` is less than 1.
    """
    _check_n(n)
    log_pi0 = np.asarray(log_pi0, dtype=float)
    has = log_pi0 > -np.inf
    levels, group = np.unique(np.asarray(reward, dtype=float)[has], return_inverse=True)
    log_mass = np.full(len(levels), -np.inf)
    np.logaddexp.at(log_mass, group, log_pi0[has])
    log_f = np.logaddexp.accumulate(log_mass)
    # near 1, F keeps its digits only in its tail
    log_above = np.append(np.logaddexp.accumulate(log_mass[::-1])[-2::-1], -np.inf)
    share = np.exp(log_mass - log_f)  # of those at most as good
    with np.errstate(divide="ignore"):  # nothing is below the lowest
        log_f = np.where(
            log_f < np.log(0.5), log_f, np.log1p(-np.exp(np.minimum(log_above, np.log(0.5))))
        )
        log_gain = n * log_f + np.log(-np.expm1(n * np.log1p(-np.minimum(share, 1.0)))) - log_mass
    best = np.full_like(log_pi0, -np.inf)
    best[has] = log_pi0[has] + log_gain[group]
    return best


def best_of_n_kl(n: Any) -> Any:
    """``log n - (n - 1) / n``: exact for continuous reward, an upper bound with ties (nats)."""
    _check_n(n)
    n = np.asarray(n, dtype=float)
    return np.log(n) - (n - 1) / n


def best_of_normals(n: Any) -> tuple[Any, Any]:
    """Mean and variance of the largest of ``n`` standard normals.

    They come from the trapezoidal rule, which is exact to rounding here.
    """
    _check_n(n)
    n = np.asarray(n, dtype=float)[..., None]
    x = np.linspace(-12.0, 60.0, 7201)  # to n of 1e300
    density = np.exp(np.log(n) - x**2 / 2 - np.log(2 * np.pi) / 2 + (n - 1) * log_ndtr(x))
    density /= density.sum(axis=-1, keepdims=True)
    mean = (density * x).sum(axis=-1)
    return mean, (density * (x - mean[..., None]) ** 2).sum(axis=-1)


# -------------------------------------------------------------------------------- Gaussian policies


@dataclass(frozen=True)
class Gaussian:
    """Policy ``N(mean, covariance)``; shapes (d,) and (d, d)."""

    mean: Any
    covariance: Any


@dataclass(frozen=True)
class Quadratic:
    """Reward ``linear.x - x' curvature x / 2``; shapes (d,) and (d, d), symmetric."""

    linear: Any
    curvature: Any

    def expected(self, policy: Gaussian) -> float:
        """Mean reward under a policy."""
        m = policy.mean
        return float(
            self.linear @ m
            - (m @ self.curvature @ m + np.sum(self.curvature * policy.covariance)) / 2
        )


def kl_of_gaussians(p: Gaussian, q: Gaussian) -> float:
    """``KL(p, q)`` in nats."""
    root = np.linalg.cholesky(q.covariance)
    spread = np.linalg.solve(root, np.linalg.solve(root, p.covariance).T)
    away = np.linalg.solve(root, p.mean - q.mean)
    (_, log_det), size = np.linalg.slogdet(spread), len(away)
    return float(np.trace(spread) - size - log_det + away @ away) / 2


def tilt_gaussian(policy: Gaussian, reward: Quadratic, beta: float) -> tuple[Gaussian, float]:
    """``pi*`` and ``log Z``.

    Raises
    ------
    InputError
        If ``beta`` is not positive, or the tilt does not exist: where gold curves up by more than
        the policy's density falls, ``Z`` is infinite.
    """
    if not beta > 0:
        raise InputError(
            f"beta: must be positive for a Gaussian policy, got {beta}; "
            "its tilts shrink to a point at 0"
        )
    if beta == np.inf:
        return policy, 0.0
    precision = np.linalg.inv(policy.covariance)
    # beta times the precision, since that does not overflow for a small beta
    scaled = beta * precision + reward.curvature
    lowest = float(np.linalg.eigvalsh(scaled)[0])
    if not lowest > 0:
        rule = "covariance^-1 + curvature / beta must be positive definite"
        raise InputError(f"beta: {rule}, got {lowest / beta:.3g} as lowest eigenvalue; raise beta")
    mean = np.linalg.solve(scaled, beta * precision @ policy.mean + reward.linear)
    tilted = Gaussian(mean, beta * np.linalg.inv(scaled))
    log_z = reward.expected(tilted) / beta - kl_of_gaussians(tilted, policy)  # J(pi*) = beta log Z
    return tilted, log_z
