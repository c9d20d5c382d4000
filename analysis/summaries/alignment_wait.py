"""How long an arrival waits for alignment: not at all, for some time, or for ever.

The wait is nothing in most draws and has no end in others. A median of such a thing says little, so
the shares are told, with the median of the waits between.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntax.analysis.summaries.words import format_number, format_probability

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.summaries.weights import Weights

KEY = "alignment_wait"  # in `summary.json`
AT_ONCE = 1.0 / 12.0  # years: a shorter wait is none
DELAY = "timeline_shift_alignment"
LABEL = "wait for alignment"
NAMES = (DELAY, "alignment_ends")


@dataclass(frozen=True)
class AlignmentWait:
    """Shares of the arrivals before the horizon.

    Attributes
    ----------
    none, some, never : float
        Shares that wait at most a month, that wait longer, and that no aligned model follows before
        the horizon. They sum to 1.
    years : float
        Median of the waits of over a month; NaN if there are none.
    """

    none: float
    some: float
    never: float
    years: float

    @classmethod
    def of(cls, derived: "xr.Dataset", weights: "Weights") -> "AlignmentWait | None":
        """Shares of a run's draws; None where the run has no such wait or nothing arrives."""
        import numpy as np

        from aligntax.analysis.summaries.summary import draws_of, weighted_points

        if not all(name in derived for name in NAMES):
            return None
        wait, ends = (draws_of(name, derived) for name in NAMES)
        if not weights.probability(~np.isnan(ends)) > 0:
            return None
        arrived = weights.given(~np.isnan(ends))
        waits = (ends == 1.0) & (wait > AT_ONCE)
        some, never = arrived.probability(waits), arrived.probability(ends == 0.0)
        years = (
            weighted_points(wait, np.where(waits, arrived.values, 0.0), (0.5,))[0]
            if some
            else np.nan
        )
        return cls(1.0 - some - never, some, never, float(years))

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "AlignmentWait | None":
        """As it stands in ``summary.json``; None where it does not."""
        told = record.get(KEY)
        if told is None:
            return None
        return cls(**{key: math.nan if value is None else value for key, value in told.items()})

    def to_dict(self) -> dict[str, float | None]:
        """Plain mapping for JSON."""
        return {key: None if math.isnan(value) else value for key, value in vars(self).items()}

    def words(self, horizon: float) -> str:
        """The shares: not at all in 80% of arrivals, 6.1 years (median) in 11%, ... in 9%."""
        parts = [f"not at all in {format_probability(self.none)} of arrivals"]
        if self.some:
            years = format_number(self.years)
            parts.append(f"{years} years (median) in {format_probability(self.some)}")
        if self.never:
            parts.append(f"past {horizon:.0f} or for ever in {format_probability(self.never)}")
        return ", ".join(parts)
