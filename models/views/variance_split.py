"""How far experts disagree about a quantity: variance between them and within them.

On the quantity's link, where expert ``e`` has weight ``w_e``, mean ``m_e`` and variance ``s_e^2``,
the variance of one expert drawn at random is (law of total variance)::

    within = sum_e w_e s_e^2
    between = sum_e w_e (m_e - m)^2,    m = sum_e w_e m_e

That is the variance of the linear pool. Other pools have another one, but experts disagree as much.
Who does not state a quantity has no part in it. Moments are integrals over the standard normal
score of the compiled table, which is a cubic between its knots::

    m_e = int T_e(z) phi(z) dz
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.pooled_tables import NODES, REACH, WEIGHTS
from aligntax.models.priors.tables import STEP, QuantileTable
from aligntax.models.views import View, load_view
from aligntax.models.views.pooling import shares, who_states

POINTS = (REACH[:-1, None] + 0.5 * STEP * (1.0 + NODES)).ravel()
MASS = (np.exp(-0.5 * POINTS.reshape(-1, len(NODES)) ** 2) * WEIGHTS).ravel()


@dataclass(frozen=True)
class VarianceSplit:
    """Variance of a quantity over several experts, on its link.

    Attributes
    ----------
    experts : int
        How many state it.
    between, within : float
    """

    experts: int
    between: float
    within: float

    @property
    def share(self) -> float:
        """Share of the variance that lies between experts."""
        return self.between / (self.between + self.within)

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {**vars(self), "share_between": self.share}


def moments(table: QuantileTable) -> tuple[float, float]:
    """Mean and variance of a prior on its link."""
    y, mass = table.value(POINTS), MASS / MASS.sum()
    mean = float(mass @ y)
    return mean, float(mass @ (y - mean) ** 2)


def split_variance(
    views: Sequence[View], weights: Sequence[float] | None = None
) -> dict[str, VarianceSplit]:
    """Variance between and within experts, of each quantity that one of them states.

    Parameters
    ----------
    views : sequence of View
    weights : sequence of float, optional
        One per view, not negative; by default equal.

    Raises
    ------
    InputError
        If the weights do not fit.
    """
    experts = [each for each in zip(views, shares(views, weights), strict=True) if each[1] > 0]
    silent = load_view("default")
    names = dict.fromkeys(
        name
        for view, _ in experts
        for name in view.quantities
        if view.quantities[name] != silent.quantities.get(name)
    )
    return {name: _split(name, who_states(name, experts)) for name in names}


def _split(name: str, experts: Sequence[tuple[View, float]]) -> VarianceSplit:
    weights = np.asarray([share for _, share in experts])
    weights = weights / weights.sum()
    found = [moments(compile_prior(name, view.quantities[name])) for view, _ in experts]
    means, variances = np.asarray(found).T
    between = float(weights @ (means - weights @ means) ** 2)
    return VarianceSplit(len(experts), between, float(weights @ variances))
