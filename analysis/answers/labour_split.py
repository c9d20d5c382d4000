"""How much of the money for labour buys AI hours, where the view of a run prices them.

In every draw the work is done by the mix of people and AI that is cheapest there
(:mod:`aligntax.models.ai_labour`). Amounts of either suffice with a confidence on their own: a draw
in which AI does much is one in which people do little, so that the two are never needed together.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aligntax.analysis.summaries.summary import weighted_points
from aligntax.models.views import View

POINTS = (0.05, 0.5, 0.95)
VIEW = "with-ai-labour"


@dataclass(frozen=True)
class LabourSplit:
    """What buys which: people and AI hours.

    Attributes
    ----------
    ai_share : tuple of float
        5%, 50% and 95% point of the share of the money for labour that buys AI hours.
    ai_hours, human_hours : float
        AI hours, and hours of people, of which as many suffice with the budget's confidence.
    usd_per_hour : tuple of float
        The same points of the cost of a human-hour's worth of work, USD.
    usd_per_hour_of_people : float
        Median cost of a human-hour, USD.
    """

    ai_share: tuple[float, ...]
    ai_hours: float
    human_hours: float
    usd_per_hour: tuple[float, ...]
    usd_per_hour_of_people: float

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        names = ("q05", "q50", "q95")
        return {
            key: dict(zip(names, value, strict=True)) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }


def labour_split(draws: Mapping[str, Any], weights: Any, confidence: float) -> LabourSplit | None:
    """Work out the split from draws of a model's quantities; None where AI hours have no price.

    Parameters
    ----------
    draws : mapping of ndarray
        Quantities on their own scales; NaN where nothing is to be aligned.
    weights : ndarray
        Of the draws, in the same shape.
    """
    if "ai_hours" not in draws:
        return None
    counts = np.where(np.isfinite(draws["ai_hours"]), weights, 0.0).ravel()

    def points(values: Any, probabilities: tuple[float, ...]) -> tuple[float, ...]:
        found = weighted_points(np.ravel(values), counts, probabilities)
        return tuple(float(value) for value in found)

    def amount(name: str, probabilities: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(10.0**value for value in points(draws[name], probabilities))

    wage = draws["usd_per_hour"] + draws["labour_overhead"]
    return LabourSplit(
        ai_share=points(draws["ai_share_of_labour_cost"], POINTS),
        ai_hours=amount("ai_hours", (confidence,))[0],
        human_hours=amount("human_hours_paid", (confidence,))[0],
        usd_per_hour=amount("labour_usd_per_hour", POINTS),
        usd_per_hour_of_people=10.0 ** points(wage, (0.5,))[0],
    )


def how_to_price(view: View, run: str) -> str:
    """One line on how to price AI labour for a run that does not; empty for one that does."""
    if view.alignment.ai_labour:
        return ""
    return f"People alone give these hours; with AI hours: aligntax refit {run} --view {VIEW}"
