"""How far each cause moves arrival, by requirement anchor: quantiles of paired differences."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.answers.condition import apply_condition, verdict_of
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import censored_quantile, draws_of, iter_series
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import lookup
from aligntax.models.requirements import NEURAL
from aligntax.models.short_form import short_form
from aligntax.models.views import ANCHORS

SHIFTS = (
    "timeline_shift_exponent",
    "timeline_shift_exponent_prior",
    "timeline_shift_correlation",
    "timeline_shift_allocation",
    "timeline_shift_allocation_kept",
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
    weight : float
        Posterior probability of the group.
    quantiles : dict of str to float or None
        Years, of the shifts that are defined; None beside an infinite one.
    prob_right_censored : float
        Probability that only the world with this cause arrives after the horizon.
    prob_left_censored : float
        Probability that only the world without it does.
    prob_undefined : float
        Probability that neither world arrives before the horizon.
    prob_endless : float
        Probability that transformative AI arrives and its wait for alignment does not end before
        the horizon. The alignment shift and its parts by tax and work are then infinite or have no
        number, and are not among the quantiles.
    """

    shift: str
    group: str
    weight: float
    quantiles: dict[str, float | None]
    prob_right_censored: float
    prob_left_censored: float
    prob_undefined: float
    prob_endless: float

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
            "prob_endless": self.prob_endless,
        }


@dataclass(frozen=True)
class ShiftTable:
    """Shifts of a run; ``given`` is a condition on its draws.

    Attributes
    ----------
    verdict : str
        ``pass`` or ``fail``: that of the run, or of its draws that meet the condition.
    exceptions : tuple of str
        What the run's report says against it, though its checks passed.
    """

    run: str
    given: str | None
    rows: tuple[ShiftRow, ...]
    verdict: str = ""
    exceptions: tuple[str, ...] = ()
    __repr__ = short_form

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping, for ``--json``."""
        return {
            "run": self.run,
            "given": self.given,
            "verdict": self.verdict,
            "exceptions": list(self.exceptions),
            "shifts": [row.to_dict() for row in self.rows],
        }


def shifts_by_anchor(result: Result, given: str | None = None) -> ShiftTable:
    """Every shift over all draws, over those whose anchor is a neural net, and anchor by anchor.

    Each draw has one anchor, drawn from the posterior. A group of anchors holds the draws that have
    one of them: "if only these counted", given the evidence.

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
    condition = None if given is None else apply_condition(given, result.derived, result.weights)
    weights = result.weights if condition is None else condition.weights
    weight = weights.values.ravel()
    anchor = result.derived["tai_anchor"].values.ravel().astype(int)
    values = {
        series.name: series.values.ravel()
        for series in iter_series(result.derived)
        if series.name in SHIFTS
    }
    endless = draws_of("alignment_ends", result.derived).ravel() == 0.0
    rows = []
    for group, anchors in GROUPS.items():
        members = np.isin(anchor, [ANCHORS.index(name) for name in anchors]) & (weight > 0)
        if not members.any():
            continue
        share = float(weight[members].sum() / weight.sum())
        rows += [
            _shift_row(
                shift, group, share, values[shift][members], weight[members], endless[members]
            )
            for shift in SHIFTS
            if shift in values  # a run stored by an earlier version lacks the allocation's
        ]
    return ShiftTable(
        run=result.record.get("run", result.path.name),
        given=given,
        rows=tuple(rows),
        verdict=verdict_of(result, condition),
        exceptions=tuple(result.record.get("exceptions", ())),
    )


def _shift_row(
    shift: str, group: str, share: float, values: Any, weight: Any, endless: Any
) -> ShiftRow:
    weight = weight / weight.sum()
    defined = ~np.isnan(values)
    quantiles: dict[str, float | None] = dict.fromkeys(QUANTILES)
    if defined.any():
        among = weight[defined] / weight[defined].sum()
        points = {q: censored_quantile(values[defined], p, among) for q, p in QUANTILES.items()}
        quantiles = {q: float(x) if np.isfinite(x) else None for q, x in points.items()}
    return ShiftRow(
        shift=shift,
        group=group,
        weight=share,
        quantiles=quantiles,
        prob_right_censored=float(weight[values == np.inf].sum()),
        prob_left_censored=float(weight[values == -np.inf].sum()),
        prob_undefined=float(weight[~defined & ~endless].sum()),
        prob_endless=float(weight[~defined & endless].sum()),
    )
