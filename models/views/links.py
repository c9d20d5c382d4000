"""Links: elicited quantities whose prior a view can take from the posterior of another model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aligntax.models.errors import brief
from aligntax.models.views.setting_rules import require

UNLINKED = "elicited"  # what a view states for a link that it does not make


@dataclass(frozen=True)
class Link:
    """An elicited quantity whose prior can be the posterior of a model that is fitted first.

    Attributes
    ----------
    quantity : str
        The quantity whose prior is replaced.
    name : str
        What a view states to ask for the link.
    model, answer : str
        Model that is fitted when a run is made, and the derived quantity whose posterior becomes
        the prior.
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
    """Return what a view states for a link: :data:`UNLINKED` or the name of the link.

    Raises
    ------
    InputError
        If it is neither.
    """
    require(
        value in (UNLINKED, LINKS[key].name),
        key,
        f'must be "{UNLINKED}" or "{LINKS[key].name}"',
        brief(repr(value)),
    )
    return str(value)
