"""How far each cause moves arrival, by requirement anchor: quantiles of the paired differences and what has no number."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.answers.condition import apply_condition
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import censored_quantile, iter_series
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import lookup
from aligntax.models.requirements import NEURAL
from aligntax.models.views import ANCHORS

SHIFTS = (
    "timeline_shift_exponent",
    "timeline_shift_exponent_prior",
    "timeline_shift_correlation",
    "timeline_shift_alignment",
    "timeline_shift_alignment_compute",
    "timeline_shift_alignment_tax",
    "timeline_shift_alignment_work",
)
GROUPS = {"all": ANCHORS, "neural nets only": NEURAL, **{anchor: (anchor,) for anchor in ANCHORS}}
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True)
class ShiftRow:
    """One shift in one group of draws.

    Attributes
    ----------
    shift, group : str
    weight : float
        Posterior probability of the group.
    quantiles : mapping of str to float or None
        Years, of the shifts that are defined; None beside an infinite one.
    prob_right_censored, prob_left_censored, prob_undefined : float
        Only the later world comes after the horizon; only the earlier does; neither comes before
        it.
    """

    shift: str
    group: str
    weight: float
    quantiles: dict[str, float | None]
    prob_right_censored: float
    prob_left_censored: float
    prob_undefined: float

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping."""
        return {
            "shift": self.shift,
            "unit": lookup(self.shift).unit,
            "group": self.group,
            "weight": self.weight,
            **self.quantiles,
            "prob_right_censored": self.prob_right_censored,
            "prob_left_censored": self.prob_left_censored,
            "prob_undefined": self.prob_undefined,
        }


@dataclass(frozen=True)
class ShiftTable:
    """Shifts of a run.

    Attributes
    ----------
    run : str
    given : str or None
        Condition on the draws.
    rows : tuple of Row
    """

    run: str
    given: str | None
    rows: tuple[ShiftRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping, for ``--json``."""
        return {
            "run": self.run,
            "given": self.given,
            "shifts": [row.to_dict() for row in self.rows],
        }


def shifts_by_anchor(result: Result, given: str | None = None) -> ShiftTable:
    """Every shift over all draws, over those whose anchor is a neural net, and anchor by anchor.

    A group is the draws whose anchor, one a draw from its posterior, belongs to it: "if only these
    counted", given the evidence.

    Parameters
    ----------
    result : Result
        Of the joint model.
    given : str, optional
        Condition on quantities; see :mod:`aligntax.analysis.answers.condition`.

    Raises
    ------
    InputError
        If the run has no arrival.
    """
    if "tai_anchor" not in result.derived:
        raise InputError(
            f"run: must be of the joint model, got {result.record['model']}; run `aligntax run`"
        )
    weights = (
        result.weights
        if given is None
        else apply_condition(given, result.derived, result.weights).weights
    )
    weight = weights.values.ravel()
    anchor = result.derived["tai_anchor"].values.ravel().astype(int)
    values = {
        series.name: series.values.ravel()
        for series in iter_series(result.derived)
        if series.name in SHIFTS
    }
    rows = []
    for group, anchors in GROUPS.items():
        mine = np.isin(anchor, [ANCHORS.index(name) for name in anchors]) & (weight > 0)
        if not mine.any():
            continue
        share = float(weight[mine].sum() / weight.sum())
        rows += [_row(shift, group, share, values[shift][mine], weight[mine]) for shift in SHIFTS]
    return ShiftTable(result.record.get("run", result.path.name), given, tuple(rows))


def _row(shift: str, group: str, share: float, values: Any, weight: Any) -> ShiftRow:
    weight = weight / weight.sum()
    defined = ~np.isnan(values)
    quantiles: dict[str, float | None] = dict.fromkeys(QUANTILES)
    if defined.any():
        known = weight[defined] / weight[defined].sum()
        found = {q: censored_quantile(values[defined], p, known) for q, p in QUANTILES.items()}
        quantiles = {q: float(value) if np.isfinite(value) else None for q, value in found.items()}
    return ShiftRow(
        shift,
        group,
        share,
        quantiles,
        float(weight[values == np.inf].sum()),
        float(weight[values == -np.inf].sum()),
        float(weight[~defined].sum()),
    )
