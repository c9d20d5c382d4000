"""What a view can take from another model: elicited quantities whose prior is that model's posterior."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aligntax.models.errors import brief
from aligntax.models.views.settings import check

UNLINKED = "elicited"  # what a view says of a link that it does not make


@dataclass(frozen=True)
class Link:
    """An elicited quantity that a view can take from another model's posterior, as it is fitted when a run is made.

    Attributes
    ----------
    quantity : str
        Whose prior is replaced.
    name : str
        What the view says to ask for it.
    model, answer : str
        Model that is fitted first, and the derived quantity whose posterior becomes the prior.
    """

    quantity: str
    name: str
    model: str
    answer: str


LINKS: Mapping[str, Link] = {
    "multiplier": Link(
        "rlhf_multiplier", "from-overoptimization", "overoptimization", "labels_multiple_needed"
    ),
    "quality": Link(
        "quality_factor", "from-outer-alignment", "outer-alignment", "quality_factor_needed"
    ),
}


def read_link(key: str, value: Any) -> str:
    """What a view says of a link: nothing, or the name of the model's posterior.

    Raises
    ------
    InputError
        If it is neither.
    """
    check(
        value in (UNLINKED, LINKS[key].name),
        key,
        f'must be "{UNLINKED}" or "{LINKS[key].name}"',
        brief(repr(value)),
    )
    return str(value)
