"""When does optimising a lot need exploration?

Exact steps on one reward, by a policy with a probability of its own for each output, are tilts:
they find whatever is best, however far it lies
(:mod:`aligntax.models.overoptimization.local_steps`). A policy of fewer parameters can lose its
spread before it has found anything. Here it is ``N(m, diag(v))``, and each step follows the natural
gradient of an objective that can pay for spread, and for staying near the initial policy::

    J(pi) = E_pi r + entropy H(pi) - penalty KL(pi, pi_0)               pi_0 = N(0, I)

In the natural parameters ``P = 1 / v`` and ``P m`` a step of ``rate`` is a sum [1]_ [2]_::

    keep   = 1 - rate (entropy + penalty)
    P'     = keep P + rate (penalty - E_pi r'')
    P' m'  = keep P m + rate (E_pi r' - m E_pi r'')

On a reward ``b x - q x^2 / 2`` everything is known. With ``t`` the sum of the rates:

==================  ==================================  ===========================================
paid for            variance                            mean
==================  ==================================  ===========================================
nothing             ``1 / (1 + q t)``, which collapses  ``b t / (1 + q t)``, the tilt of ``t``
entropy, at last    ``entropy / q``                     ``b / q``
penalty, at last    ``penalty / (q + penalty)``         ``b / (q + penalty)``, the tilt of 1 / beta
==================  ==================================  ===========================================

On a slope (``q = 0``) the spread stays, and no reward of one hill is missed. With two hills
(:class:`Hills`) a policy without either term may close on the near one while the far one is higher.
A policy optimised a little cannot tell: at equal KL, all paths gain nearly the same. Entropy keeps
the policy open until it feels the far hill; brought down later, it costs nothing. A penalty on
leaving the first policy keeps it open too, but holds it back: near the start.

References
----------
.. [1] Korbak, Perez, Buckley, "RL with KL penalties is better viewed as Bayesian inference", 2022.
       arXiv:2205.11275
.. [2] Khan, Rue, "The Bayesian learning rule", 2021. arXiv:2107.04562: natural-gradient steps on
       exponential families add natural parameters.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from aligntax.models.errors import InputError


class Reward(Protocol):
    """A reward whose mean under ``N(m, diag(v))`` is known."""

    def moments(self, mean: Any, variance: Any) -> tuple[float, Any, Any]:
        """Mean reward, mean slope and mean second derivative of each feature, shape (d,)."""


@dataclass(frozen=True)
class Parabola:
    """Reward ``sum_i linear_i x_i - curvature_i x_i^2 / 2``; shapes (d,)."""

    linear: Any
    curvature: Any

    def moments(self, mean: Any, variance: Any) -> tuple[float, Any, Any]:
        """As :meth:`Reward.moments`."""
        expected = self.linear @ mean - self.curvature @ (mean**2 + variance) / 2
        return float(expected), self.linear - self.curvature * mean, -np.asarray(self.curvature)


@dataclass(frozen=True)
class Hills:
    """Reward ``sum_k height_k exp(-|x - centre_k|^2 / (2 width_k^2))``.

    Attributes
    ----------
    height, width : ndarray, shape (k,)
    centre : ndarray, shape (k, d)
    """

    height: Any
    centre: Any
    width: Any

    def moments(self, mean: Any, variance: Any) -> tuple[float, Any, Any]:
        """As :meth:`Reward.moments`: the policy widens each hill and lowers it."""
        width, centre = np.asarray(self.width)[:, None], np.asarray(self.centre)
        spread = width**2 + variance
        slope = (centre - mean) / spread
        lowered = np.prod(width / np.sqrt(spread), axis=-1)
        felt = self.height * lowered * np.exp(-np.sum(slope**2 * spread, axis=-1) / 2)
        return float(felt.sum()), felt @ slope, felt @ (slope**2 - 1 / spread)


@dataclass(frozen=True)
class OpenPath:
    """A policy after each step.

    Attributes
    ----------
    kl, reward : ndarray, shape (step,)
        Nats from the initial policy, and mean reward.
    mean, variance : ndarray, shape (step, d)
    """

    kl: Any
    reward: Any
    mean: Any
    variance: Any

    def at(self, nats: float) -> float:
        """Mean reward where the path first reaches a KL, interpolated.

        Raises
        ------
        InputError
            If it does not reach it.
        """
        beyond = np.flatnonzero(self.kl >= nats)
        if not len(beyond) or beyond[0] == 0:
            rule = f"must lie between {self.kl[0]:.4g} and {self.kl.max():.4g}, which the path has"
            raise InputError(f"nats: {rule}, got {nats:g}; choose another, or other rates")
        pair = slice(beyond[0] - 1, beyond[0] + 1)
        return float(np.interp(nats, self.kl[pair], self.reward[pair]))


def open_steps(
    reward: Reward, rates: Any, dims: int = 1, entropy: Any = 0.0, penalty: Any = 0.0
) -> OpenPath:
    """Steps of a policy whose spread can collapse, and what keeps it open.

    Parameters
    ----------
    reward : Reward
    rates : array_like, shape (step,)
        Of each step, in nats per unit of reward.
    dims : int
        Features.
    entropy, penalty : float or ndarray, shape (step,)
        Reward per nat of entropy, and per nat from the initial policy. One that falls to 0 explores
        first and exploits later.

    Raises
    ------
    InputError
        If either is negative, or a step is so long that the policy has no spread left or no end.
    """
    pays = {"entropy": entropy, "penalty": penalty}
    weights = {name: np.broadcast_to(value, len(rates)) for name, value in pays.items()}
    for name, weight in weights.items():
        if not np.all(weight >= 0):
            raise InputError(f"{name}: must not be negative, got {np.min(weight):g}; raise it")
    precision, scaled = np.ones(dims), np.zeros(dims)
    path = []
    for rate, bonus, anchor in zip(rates, *weights.values(), strict=True):
        mean = scaled / precision
        _, slope, bend = reward.moments(mean, 1 / precision)
        keep = 1 - rate * (bonus + anchor)
        precision = keep * precision + rate * (anchor - bend)
        scaled = keep * scaled + rate * (slope - mean * bend)
        if not (keep > 0 and np.all(precision > 0)):
            raise InputError(
                "rates: each step must leave a precision above 0, got "
                f"{np.min(precision):.3g} after one of {rate:g}; take more and shorter steps"
            )
        path.append((scaled / precision, 1 / precision))
    means, variances = (np.array(part) for part in zip(*path, strict=True))
    spent = np.sum(means**2 + variances - 1 - np.log(variances), axis=-1) / 2
    gained = [reward.moments(*policy)[0] for policy in path]
    return OpenPath(spent, np.array(gained), means, variances)
