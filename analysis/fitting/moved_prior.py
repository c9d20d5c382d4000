"""Answers while the median of one prior moves over a range, without sampling.

The prior keeps its shape: its table is shifted in link space, ``T'(z) = T(z) + link(value) -
T(0)``, so on a log10 scale it is multiplied. Quantities that no evidence informs are redrawn
exactly; for the others stored draws are reweighted, and a point whose weights fail their checks is
marked as not to be trusted: only sampling (`aligntax run --set`) answers there. What the answer is
without a view's rank correlations is found in the same way.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from aligntax.analysis.fitting.refit_plan import answer_from_draws, plan_reweighting
from aligntax.analysis.storage.sampled_run import SampledRun
from aligntax.models.errors import InputError
from aligntax.models.priors.amounts import read_amount, split_amounts
from aligntax.models.priors.quantities import lookup
from aligntax.models.views import View

# Scores z of the shifted quantiles; a view accepts probabilities down to 1e-6.
PLACES = np.arange(-4.5, 4.51, 0.25)
MOST = 101  # points of a range


@dataclass(frozen=True)
class MedianRange:
    """Values of a quantity's median, ``QUANTITY=LOW,HIGH[,N]``, in the quantity's own unit."""

    quantity: str
    low: float
    high: float
    points: int = 7

    @classmethod
    def parse(cls, text: str) -> "MedianRange":
        """Read a range.

        Raises
        ------
        InputError
            If it is not a quantity, two increasing numbers and a count.
        """
        name, _, ends = text.partition("=")
        parts = split_amounts(ends)
        points = [int(n) for n in parts[2:] if n.isdecimal()]
        if not 2 <= len(parts) <= 3 or len(points) != len(parts) - 2:
            rule = f"must be QUANTITY=LOW,HIGH[,N], got {text!r}"
            example = "alignment_tax_tolerance=0.3%,30%,9"
            raise InputError(f"sweep: {rule}; for instance {example}")
        quantity = lookup(name.strip())
        low, high = (read_amount(quantity, end, f"sweep: {quantity.name}") for end in parts[:2])
        chosen = cls(quantity.name, low, high, *points)
        if not (chosen.low < chosen.high and np.isfinite([chosen.low, chosen.high]).all()):
            raise InputError(f"sweep: LOW must be less than HIGH, got {text!r}; swap them")
        if not 2 <= chosen.points <= MOST:
            raise InputError(
                f"sweep: N must lie between 2 and {MOST}, got {chosen.points}; 7 is usual"
            )
        return chosen

    @property
    def values(self) -> Any:
        """The values, evenly spaced on the quantity's link."""
        quantity = lookup(self.quantity)
        low, high = (float(quantity.to_link(end)) for end in (self.low, self.high))
        return quantity.from_link(np.linspace(low, high, self.points))


@dataclass(frozen=True)
class ReusedAnswer:
    """The answers under another view, from stored draws.

    Attributes
    ----------
    reason : str
        How it was obtained, and whether to trust it.
    trusted : bool
    ess : float
        Kish's effective number of draws.
    k_hat : float or None
        None where the draws are exact.
    rows : dict
        As in ``summary.json``.
    """

    reason: str
    trusted: bool
    ess: float
    k_hat: float | None
    rows: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class MovedPoint(ReusedAnswer):
    """The answers at one value of a prior's median, which is in the quantity's own unit."""

    value: float


def move_median(view: View, quantity: str, value: float) -> View:
    """Shift the prior of one quantity in link space so that its median is ``value``."""
    registered = lookup(quantity)
    table = view.stated((quantity,)).table(quantity)
    link = table.value(PLACES) + registered.to_link(value) - table.value(0.0)
    quantiles = {
        repr(float(p)): float(x)
        for p, x in zip(ndtr(PLACES), registered.from_link(link), strict=True)
    }
    return view.with_quantity(
        quantity, {"quantiles": quantiles, "source": f"moved to a median of {value:.6g}"}
    )


def answers_over_range(source: SampledRun, wanted: MedianRange) -> list[MovedPoint]:
    """Answers at each value of a range.

    Raises
    ------
    InputError
        If the model does not have the quantity.
    """
    if wanted.quantity not in source.tables.names:
        known = ", ".join(source.tables.names)
        raise InputError(
            f"sweep: must be a quantity of the model, got {wanted.quantity!r}; known are {known}"
        )
    points = []
    for value in wanted.values:
        answer = _reused(source, move_median(source.view, wanted.quantity, float(value)))
        points.append(MovedPoint(**vars(answer), value=float(value)))
    return points


def without_correlations(source: SampledRun) -> ReusedAnswer | None:
    """Answers if every elicited quantity were independent; None if the view has it so."""
    correlated = [
        pair for pair in source.view.correlations if set(pair) <= set(source.tables.names)
    ]
    if not correlated:
        return None
    return _reused(source, replace(source.view, correlations={}))


def _reused(source: SampledRun, view: View) -> ReusedAnswer:
    chosen = plan_reweighting(source, view)
    k_hat = next((check.value for check in chosen.checks if check.name == "k_hat"), None)
    rows = answer_from_draws(chosen).rows
    return ReusedAnswer(chosen.reason, not chosen.failed, chosen.weights.ess, k_hat, rows)
