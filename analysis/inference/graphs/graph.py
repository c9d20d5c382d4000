"""What sampling asks of the graph of a model: facts, and four functions of its data.

A graph is live (:mod:`.live`), which takes PyMC and seconds, or kept (:mod:`.kept`), which takes
neither. Both give the same numbers up to rounding, and the same random numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from aligntax.analysis.inference.graphs.live import LiveGraph

WHITE = "white"  # what is sampled for the elicited quantities; stored as z = L white

Names = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Outline:
    """Facts of a graph.

    Attributes
    ----------
    free : tuple of (str, shape)
        Free variables on their own scales, in order.
    terms : tuple of str
        Terms of the likelihood, in order.
    dims : mapping of str to tuple of str
        Dimensions of free variables and terms that have any.
    coords : mapping of str to tuple
        Labels of each dimension; None where it has none.
    data : mapping of str to ndarray
        Each ``pm.Data`` as the graph was built.
    touched : tuple of str
        Names of all that the likelihood depends on.
    """

    free: Names
    terms: tuple[str, ...]
    dims: Mapping[str, tuple[str, ...]]
    coords: Mapping[str, tuple[Any, ...] | None]
    data: Mapping[str, Any]
    touched: tuple[str, ...]

    @property
    def structural(self) -> tuple[str, ...]:
        """Free variables that nobody elicits."""
        return tuple(name for name, _ in self.free if name != WHITE)


def rounded(start: Any) -> Any:
    """Where a chain starts, in single precision, so that either graph starts it at one place.

    Rounding differs in the last digits of the doubles, and chains that start so near to each other
    part within a few draws.
    """
    return np.asarray(start, np.float32).astype(np.float64)


class Graph(Protocol):
    """A graph under data, which are given by the names of its ``pm.Data``.

    ``draws`` are values of the free variables, in order, each (draw, ...).
    """

    @property
    def outline(self) -> Outline:
        """Facts of the graph."""

    @property
    def live(self) -> "LiveGraph":
        """The graph in PyTensor; a kept graph builds it when it is asked for."""

    def start(self, data: Mapping[str, Any], seed: int) -> Any:
        """Where a chain starts, in the coordinates of NUTS.

        It is the middle of each prior, moved by up to 1 either way.
        """

    def log_likelihood(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """Log likelihood of each row, (draw, ...), by term."""

    def log_prior(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """Log density of each structural parameter given its parents, (draw, ...)."""

    def draw_prior(self, data: Mapping[str, Any], white: Any, seed: int) -> dict[str, Any]:
        """Structural parameters from their prior, (chain, draw, ...), given ``white``."""
