"""What was claimed in 2022: statements about one quantity each.

This module imports little, because every command that shows a stored answer needs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Claim:
    """A statement about one quantity, true of a draw whose value lies within bounds.

    Attributes
    ----------
    lower, upper : float
        On the quantity's scale, both inclusive.
    part : int
        Which of Hilton's three claims it speaks to.
    """

    name: str
    text: str
    quantity: str
    lower: float
    upper: float
    part: int
    source: str


def assumed_quantities(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Elicited quantities of a run that no evidence informs.

    A quantity whose prior comes from another model is informed by that model's evidence.
    """
    return tuple(name for name in info["prior_only"] if name not in info.get("links", {}))


HILTON = "Hilton 2022, How much alignment data will we need in the long run?"
CLAIMS = (
    Claim(
        "hours_needed_exceed_300",
        "alignment needs more than a few hundred (300) human-hours",
        "alignment_hours_needed",
        float(np.log10(300)),
        np.inf,
        1,
        HILTON,
    ),
    Claim(
        "tolerance_at_least_1_percent",
        "a tax of at least 1% of training cost is tolerated",
        "alignment_tax_tolerance",
        -2.0,
        np.inf,
        2,
        HILTON,
    ),
    Claim(
        "rlhf_multiple_affordable_exceeds_2_oom",
        "a tolerable tax pays for over 2 OOM beyond InstructGPT's hours",
        "rlhf_multiple_affordable",
        2.0,
        np.inf,
        2,
        HILTON,
    ),
    Claim(
        "alignment_affordable",
        "the tax that alignment needs is tolerated at arrival",
        "prob_affordable",
        1.0,
        1.0,
        2,
        HILTON,
    ),
    Claim(
        "data_exponent_at_least_1",
        "training data grow at least linearly with parameters",
        "data_exponent",
        1.0,
        np.inf,
        3,
        "Hoffmann et al. 2022, arXiv:2203.15556",
    ),
    Claim(
        "exponent_shift_between_1_and_5_years",
        "the data exponent moves arrival out by a few (1 to 5) years",
        "timeline_shift_exponent",
        1.0,
        5.0,
        3,
        HILTON,
    ),
)
