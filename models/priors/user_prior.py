"""The prior that a user writes in Python: what the file of a view states about one quantity.

>>> from aligntax.models.priors.user_prior import Prior
>>> from aligntax.models.views import load_view
>>> mine = Prior.from_quantiles({0.1: 2, 0.5: 5, 0.9: 20}, unit="percent", source="me, 2026")
>>> view = load_view("default").replace(alignment_tax_tolerance=mine, usd_per_hour=Prior.point(40))
>>> round(float(mine.quantile("alignment_tax_tolerance", 0.9)), 6)
0.2

:mod:`aligntax.models.priors.compile` turns it into a quantile table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import lookup
from aligntax.models.priors.specification import canonical, python_values
from aligntax.models.short_form import short_form


@dataclass(frozen=True)
class Prior:
    """A prior of some quantity; it is checked when it is used for one.

    Attributes
    ----------
    spec : mapping
        As in the file of a view; see :mod:`aligntax.models.priors.specification`. NumPy's numbers
        and arrays are as good as Python's.
    """

    spec: Mapping[str, Any]
    __repr__ = short_form

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", python_values(self.spec))

    @classmethod
    def from_quantiles(cls, quantiles: Mapping[float, float], **notes: Any) -> "Prior":
        """Values by probability; ``notes`` are ``unit``, ``bounds``, ``source``, ``rationale``."""
        return cls({"quantiles": {f"{p:g}": v for p, v in quantiles.items()}, **notes})

    @classmethod
    def from_family(cls, family: str, **parameters: Any) -> "Prior":
        """A family with PyMC's parameters.

        Examples
        --------
        >>> Prior.from_family("normal", mu=0, sigma=1, unit="OOM").spec["mu"]
        0
        """
        return cls({"family": family, **parameters})

    @classmethod
    def from_histogram(
        cls, edges: Sequence[float], weights: Sequence[float], **notes: Any
    ) -> "Prior":
        """Weights over bins, as chips of a roulette."""
        return cls({"histogram": {"edges": list(edges), "weights": list(weights)}, **notes})

    @classmethod
    def from_samples(cls, samples: Sequence[float], **notes: Any) -> "Prior":
        """The distribution that samples come from, smoothed."""
        return cls({"samples": [float(sample) for sample in samples], **notes})

    @classmethod
    def point(cls, value: float, **notes: Any) -> "Prior":
        """All mass at one value."""
        return cls({"point": value, **notes})

    @classmethod
    def pool(
        cls,
        priors: Sequence["Prior"],
        weights: Sequence[float] | None = None,
        method: str = "mixture",
        **notes: Any,
    ) -> "Prior":
        """Pool of several experts' priors.

        Parameters
        ----------
        priors : sequence of Prior
            One per expert.
        weights : sequence of float, optional
            By default equal.
        method : {"mixture", "log_pool", "quantile_pool"}
        """
        shares = weights if weights is not None else [1.0] * len(priors)
        return cls(
            {
                method: [{**p.spec, "weight": w} for p, w in zip(priors, shares, strict=True)],
                **notes,
            }
        )

    def quantile(self, quantity: str, probability: Any) -> Any:
        """Quantiles of a quantity under this prior, in the quantity's natural unit.

        Raises
        ------
        InputError
            If the prior does not fit the quantity.
        """
        p = np.asarray(probability, dtype=float)
        table = compile_prior(quantity, canonical(self.spec))
        return lookup(quantity).from_link(table.quantile(p, 1.0 - p))
