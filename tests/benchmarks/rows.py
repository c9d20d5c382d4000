"""A row of the benchmark: our numbers beside a baseline's of the same rounds, their ratio, and the budget they are held to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.benchmarks.budgets import BUDGETS
from tests.benchmarks.measure import Times

__all__ = ["Row"]

MET, MISSED, NOT_APPLICABLE = "met", "missed", "not applicable"


@dataclass(frozen=True)
class Row:
    """One comparison.

    ``unit`` is that of the values, ``s`` or a rate, of which more is better; ``budget`` names one
    of ``BUDGETS``; ``note`` says what limits the comparison; ``skipped`` why this machine cannot
    make it.
    """

    section: str
    what: str
    ours: Times
    baseline: Times | None = None
    unit: str = "s"
    budget: str = ""
    note: str = ""
    skipped: str = ""

    @classmethod
    def without(cls, section: str, what: str, *, failed: str = "", skipped: str = "") -> "Row":
        """A row that says why there are no numbers."""
        return cls(section, what, Times(what, failed=failed), skipped=skipped)

    @property
    def failed(self) -> str:
        """Which side failed and why; empty if neither did."""
        sides = [self.ours] if self.baseline is None else [self.ours, self.baseline]
        return "; ".join(f"{side.name}: {side.failed}" for side in sides if side.failed)

    @property
    def ratio(self) -> float | None:
        """Median of ours over the baseline's."""
        if self.baseline is None or not (self.ours.values and self.baseline.values):
            return None
        return median(self.ours.values) / median(self.baseline.values)

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours over the baseline's, round by round, as many as both have."""
        other = () if self.baseline is None else self.baseline.values
        return tuple(mine / theirs for mine, theirs in zip(self.ours.values, other, strict=False))

    @property
    def verdict(self) -> str:
        """Whether our medians and their ratio meet the budget; a limit without a number to hold to it decides nothing."""
        budget = BUDGETS.get(self.budget)
        if budget is None:
            return NOT_APPLICABLE
        seconds = median(self.ours.values) if self.ours.values else None
        peak = max(self.ours.peaks, default=None)
        meets = [
            None if got is None else (got <= limit if reached else got < limit)
            for got, limit, reached in (
                (seconds, budget.seconds, False),
                (peak, budget.mib, False),
                (self.ratio, budget.ratio, True),
            )
            if limit is not None
        ]
        return MISSED if False in meets else NOT_APPLICABLE if None in meets else MET

    def to_dict(self) -> dict[str, Any]:
        """Everything, every single measurement and what follows from them; see :meth:`from_dict`."""
        sides = {"ours": self.ours, "baseline": self.baseline}
        return asdict(self) | {
            "summary": {
                **{name: None if side is None else summary(side) for name, side in sides.items()},
                "ratio": self.ratio,
                "ratio_range": [min(self.ratios), max(self.ratios)] if self.ratios else None,
                "budget": BUDGETS[self.budget].words if self.budget else None,
                "verdict": self.verdict,
                "failed": self.failed,
            }
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Row":
        """The row of which :meth:`to_dict` told, from its measurements alone."""
        sides = {
            name: None
            if stored[name] is None
            else Times(**{k: _frozen(v) for k, v in stored[name].items()})
            for name in ("ours", "baseline")
        }
        return cls(**{k: v for k, v in stored.items() if k != "summary"} | sides)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def summary(side: Times) -> dict[str, Any]:
    """Median, range and number of the values; the largest peak, MiB."""
    values = side.values
    return {
        "median": median(values) if values else None,
        "min": min(values, default=None),
        "max": max(values, default=None),
        "n": len(values),
        "peak_mib": max(side.peaks, default=None),
    }
