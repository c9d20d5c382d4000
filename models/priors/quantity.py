"""A named number with a unit: what :mod:`aligntax.models.priors.quantities` registers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Scale = Literal["linear", "log10", "logit"]
Kind = Literal["amount", "share", "probability", "indicator"]


@dataclass(frozen=True)
class Quantity:
    """A named number with a unit.

    Attributes
    ----------
    name : str
        The name in formulas, code, views and tables.
    unit : str
        Unit of the natural value ``x``; ``"1"`` for a pure number.
    scale : {"linear", "log10", "logit"}
        Link of the prior and scale of every reported value.
    label : str
        Words for an axis or a table row.
    meaning : str
        One line: what it is.
    lower, upper : float
        Bounds of the natural value; only a logit scale uses finite ones.
    kind : {"amount", "share", "probability", "indicator"}
        How a reader is given it. A share is written as a percentage. A probability is a share that
        is summarised by its mean. An indicator is 1 or 0 in each draw, or the probability of an
        event in each draw: its mean is the probability, and no interval is given.
    endless : bool
        Whether it is infinite where no amount of data suffices.
    event : str
        In words, the event without which it is undefined; ``{end}`` stands for the horizon.
    prior : mapping, optional
        Of an elicited quantity from outside: what views that do not state its prior take.
    asked_by : str
        Setting of a view, ``section.name``, without which no model has it; empty if all views do.
    """

    name: str
    unit: str
    scale: Scale
    label: str
    meaning: str
    lower: float = -np.inf
    upper: float = np.inf
    kind: Kind = "amount"
    endless: bool = False
    event: str = "arrival before {end}"
    prior: Mapping[str, Any] | None = field(default=None, hash=False)
    asked_by: str = ""

    @property
    def share(self) -> bool:
        """Whether a value is written as a percentage."""
        return self.kind in ("share", "probability")

    @property
    def indicator(self) -> bool:
        """Whether each draw is an event or its probability, so that the mean says everything."""
        return self.kind == "indicator"

    @property
    def by_mean(self) -> bool:
        """Whether it is summarised by its mean instead of its median."""
        return self.kind in ("probability", "indicator")

    def to_link(self, x: Any) -> Any:
        """Map a natural value to the link."""
        if self.scale == "log10":
            return np.log10(x)
        if self.scale == "logit":
            x = np.asarray(x, dtype=float)
            return np.log(x - self.lower) - np.log(self.upper - x)
        return np.asarray(x, dtype=float)

    def from_link(self, y: Any) -> Any:
        """Map a value on the link to the natural one; the inverse of :meth:`to_link`."""
        if self.scale == "log10":
            return 10.0 ** np.asarray(y)
        if self.scale == "logit":
            return self.lower + (self.upper - self.lower) / (
                1.0 + np.exp(-np.asarray(y, dtype=float))
            )
        return np.asarray(y, dtype=float)

    def to_scale(self, y: Any) -> Any:
        """Map a value on the link to the one that models and reports use: log10 stays log10."""
        return np.asarray(y, dtype=float) if self.scale == "log10" else self.from_link(y)

    @property
    def axis(self) -> str:
        """Axis label with unit."""
        log10 = "log10 " if self.scale == "log10" else ""
        return self.label if self.unit == "1" else f"{self.label} ({log10}{self.unit})"
