"""How well a compiled prior meets what was stated.

A prior is compiled to a table. A table cannot follow everything: it misses gaps, stated quantiles
that are nearer than its step, and what bounds cut off. So each statement, "with probability p the
quantity is at most v" or "lies between u and v", is compared with the probability that the table
gives. A prior without such statements (a family, a pool) is compared at its own 5%, 50% and 95%
points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from aligntax.models.priors.compile import compile_prior, stated_distribution
from aligntax.models.priors.quantities import lookup
from aligntax.models.priors.specification import flatten
from aligntax.models.priors.tables import STEP
from aligntax.models.priors.units import unit_link

TOLERANCE = 0.01  # of probability: a smaller difference may be rounding of a stated number
POINTS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Statement:
    """One statement of a prior, and the probability that its table gives it.

    Attributes
    ----------
    low, high : float
        In the stated unit; ``low`` is minus infinity for a quantile.
    start, at : float
        The same on the quantity's link.
    stated, fitted : float
        Probability of lying between them.
    explicit : bool
        Whether the author of the view stated it; otherwise it is read off the stated distribution.
    """

    low: float
    high: float
    start: float
    at: float
    stated: float
    fitted: float
    explicit: bool

    @property
    def difference(self) -> float:
        """Fitted minus stated probability."""
        return self.fitted - self.stated


def fitted_statements(name: str, spec: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Compare the statements of a prior with its table.

    Parameters
    ----------
    name : str
        Elicited quantity.
    spec : mapping
        A valid prior; see :func:`aligntax.models.priors.compile.compile_prior`.
    """
    quantity = lookup(name)
    table = compile_prior(name, spec)
    link = unit_link(quantity, spec.get("unit", ""))
    assert link is not None  # the prior compiled
    if "quantiles" in spec:
        pairs = sorted((float(p), float(v)) for p, v in flatten(spec["quantiles"]).items())
        y = np.asarray(link.forward(np.asarray([v for _, v in pairs])), dtype=float)
        fitted = table.cdf(y)
        return tuple(
            Statement(-np.inf, v, -np.inf, float(y[i]), p, float(fitted[i]), True)
            for i, (p, v) in enumerate(pairs)
        )
    if "histogram" in spec:
        edges = np.asarray(spec["histogram"]["edges"], dtype=float)
        mass = np.divide(spec["histogram"]["weights"], np.sum(spec["histogram"]["weights"]))
        y = _edges_on_link(link.forward, edges)
        fitted = np.diff(table.cdf(y))
        return tuple(
            Statement(
                float(edges[i]),
                float(edges[i + 1]),
                float(y[i]),
                float(y[i + 1]),
                float(m),
                float(fitted[i]),
                True,
            )
            for i, m in enumerate(mass)
        )
    probabilities = np.asarray([0.5] if "point" in spec else POINTS)
    with np.errstate(all="ignore"):
        if "samples" in spec and "bounds" not in spec:
            data = np.asarray(link.forward(np.asarray(spec["samples"], dtype=float)))
            y = np.quantile(data, probabilities, method="median_unbiased")
        else:
            y = stated_distribution(quantity, spec).quantile(probabilities, 1 - probabilities)
        values, fitted = link.inverse(y), table.cdf(y)
    return tuple(
        Statement(
            -np.inf, float(values[i]), -np.inf, float(y[i]), float(p), float(fitted[i]), False
        )
        for i, p in enumerate(probabilities)
    )


def _edges_on_link(forward: Any, edges: Any) -> Any:
    """Edges on the link; an edge at the end of the quantity's range is infinite there."""
    with np.errstate(all="ignore"):
        y = np.asarray(forward(edges), dtype=float)
    return np.nan_to_num(y, nan=-np.inf, posinf=np.inf, neginf=-np.inf)


def fidelity_warnings(
    name: str, spec: Mapping[str, Any], statements: Sequence[Statement]
) -> list[str]:
    """Sentences about statements that the table of a prior does not meet."""
    lines = []
    size = len(spec.get("samples", ()))
    for s in statements:
        # a smoothed sample may miss its own quantiles
        noise = 2 * (s.stated * (1 - s.stated) / size) ** 0.5 if size else 0.0
        if abs(s.difference) > max(TOLERANCE, noise):
            what = (
                f"at most {s.high:.4g}"
                if np.isinf(s.low)
                else f"between {s.low:.4g} and {s.high:.4g}"
            )
            why = (
                "its bounds condition it"
                if "bounds" in spec
                else "it cannot follow steps this sharp"
            )
            lines.append(
                f"{name}: stated {s.stated:.1%} {what}, the prior has {s.fitted:.1%}; {why}"
            )
    if "quantiles" in spec:
        p = np.asarray([s.stated for s in statements])
        close = np.flatnonzero(np.diff(ndtri(p)) < 2 * STEP)
        for i in close:
            lines.append(
                f"{name}: probabilities {p[i]:g} and {p[i + 1]:g} are nearer "
                f"than the prior can tell apart (two steps of {STEP} in z); "
                "state values further apart"
            )
    return lines
