"""Log density of a unit of evidence, from draws of the posterior with it and of that without it.

With the unnormalised densities ``q_1`` of the posterior with the unit and ``q_0`` without it, and
``l = log q_1 - log q_0``, the wanted number is the log ratio ``rho`` of their integrals. It solves
Bennett's equation, which uses both sets of draws::

    mean over draws without it of s(l - rho) = mean over draws with it of s(rho - l)
    s(u) = 1 / (1 + exp(-u))

Every term lies between 0 and 1. The mean of ``exp(l)`` over the draws without the unit has the same
limit, but rests on the few of them that the unit agrees with. Where hardly any does, one set says
nothing about the other, and the error says so: it is then near 1. The remedy is a posterior in
which the unit counts in part (:mod:`aligntax.analysis.trust.evidence.loo_refits`).

References
----------
.. [1] Bennett, "Efficient estimation of free energy differences from Monte Carlo data", 1976.
       doi:10.1016/0021-9991(76)90078-4
.. [2] Meng, Wong, "Simulating ratios of normalizing constants via a simple identity", 1996.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from aligntax.analysis.summaries.weights import batch_error


@dataclass(frozen=True)
class Bridge:
    """Log ratio of two integrals.

    Attributes
    ----------
    log_ratio : float
        ``rho``, nat.
    influence_with, influence_without : ndarray, shape (chain, draw)
        What each draw contributes to the error of ``rho``; their means are zero.
    """

    log_ratio: float
    influence_with: Any
    influence_without: Any

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the log ratio."""
        return float(
            np.hypot(batch_error(self.influence_with), batch_error(self.influence_without))
        )


def bridge(given: Any, without: Any) -> Bridge:
    """Solve Bennett's equation.

    Parameters
    ----------
    given, without : ndarray, shape (chain, draw)
        ``l`` at draws with the unit, and at draws without it.
    """

    def excess(rho: float) -> float:
        return float(expit(without - rho).mean() - expit(rho - given).mean())

    values = np.concatenate([given.ravel(), without.ravel()])
    # at the ends one side is at least a half, the other at most that
    low, high = float(values.min()) - 1.0, float(values.max()) + 1.0
    rho = float(brentq(excess, low, high, xtol=1e-10))
    of_given, of_without = expit(rho - given), expit(without - rho)
    slope = sum((s * (1.0 - s)).mean() for s in (of_given, of_without))
    return Bridge(
        rho, (of_given.mean() - of_given) / slope, (of_without - of_without.mean()) / slope
    )
