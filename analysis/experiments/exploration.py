"""A policy that is optimised a little or a lot, with and without what keeps it open.

The reward has two hills, a near one and a higher one further away; see
:mod:`aligntax.models.overoptimization.exploration`. It is a designed example of what can happen,
and says nothing of how often it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from aligntax.models.overoptimization.exploration import Hills, OpenPath, open_steps

# sd of the initial policy: the near hill lies where that policy is often, the far one where it is
# once in some 30,000 outputs
NEAR, FAR = 1.0, 4.0
HEIGHTS = (1.0, 2.0)
STEPS = 400
RATES = (0.01, 1.0)  # of the first and the last step; in between they grow evenly
LITTLE, MORE = 0.5, 1.0  # nats
FALL = np.linspace(1.0, 0.0, STEPS)
PAID_FOR: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "nothing": {},
        "staying near, 0.05": {"penalty": 0.05},
        "entropy, 0.1": {"entropy": 0.1},
        "entropy, 0.2 falling to 0": {"entropy": 0.2 * FALL},
    }
)
"""What a policy is paid for beside its reward, per nat."""


@dataclass(frozen=True)
class Explored:
    """How one policy fared.

    Attributes
    ----------
    paid_for : str
        Its key in :data:`PAID_FOR`.
    little, more : float
        Reward at 0.5 and at 1 nat.
    last, last_kl, last_sd : float
        Reward, nats and spread after all steps.
    """

    paid_for: str
    little: float
    more: float
    last: float
    last_kl: float
    last_sd: float


def explore(far: float = FAR) -> dict[str, OpenPath]:
    """Paths of the policies of :data:`PAID_FOR`, with the far hill at a distance."""
    hills = Hills(np.array(HEIGHTS), np.array([[NEAR], [far]]), np.ones(2))
    rates = np.geomspace(*RATES, STEPS).tolist()
    return {words: open_steps(hills, rates, **paid) for words, paid in PAID_FOR.items()}


def compare_exploration() -> list[Explored]:
    """Rewards of the policies after little and after much optimisation."""
    return [
        Explored(
            words,
            path.at(LITTLE),
            path.at(MORE),
            float(path.reward[-1]),
            float(path.kl[-1]),
            float(path.variance[-1, 0] ** 0.5),
        )
        for words, path in explore().items()
    ]
