"""Extra dimensions of derived quantities: name -> (dimension, labels)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aligntax.models.evidence import Evidence

Coords = Mapping[str, tuple[str, tuple[Any, ...]]]

# Partials and functions with a name, no lambdas: a worker receives its model pickled.


def no_coords(evidence: Evidence) -> Coords:
    """Have none."""
    return {}


def fixed_coords(**coords: tuple[str, tuple[Any, ...]]) -> Callable[[Evidence], Coords]:
    """Labels that no evidence changes."""
    return partial(_given_coords, coords)


def _given_coords(coords: Coords, evidence: Evidence) -> Coords:
    return coords
