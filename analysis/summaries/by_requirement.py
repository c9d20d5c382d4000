"""The answer by kind of requirement: what each kind alone says, beside the mixture of them.

Each draw has one anchor, drawn from its posterior. The draws of a kind of anchors are the answer as
if only that kind counted, given the evidence. "None" belongs to Bio Anchors, whose anchors it says
may all fail.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.summaries.summary import QUARTILES, draws_of, weighted_points
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.requirements import BIO_ANCHORS
from aligntax.models.views import ANCHORS, View, load_view

KINDS: Mapping[str, tuple[str, ...]] = {
    "bio_anchors": (*BIO_ANCHORS, "none"),
    "direct_approach": ("direct_approach",),
    "time_horizon": ("time_horizon",),
    "user": ("user",),
}
LABELS = {
    "bio_anchors": "Bio Anchors",
    "direct_approach": "Direct Approach",
    "time_horizon": "time horizon",
}
MIXTURE = "mixture"
FEWEST_EFFECTIVE = 100  # effective draws: a probability is then known to within 0.05


def by_requirement(derived: xr.Dataset, weights: Weights, view: View) -> list[dict[str, Any]]:
    """Arrival, hours needed and whether they are affordable, by kind of requirement.

    Returns
    -------
    list of dict
        One for each kind that has weight in the view, then their mixture if there are several:
        ``kind``, ``label``, ``prior`` and ``posterior`` weight, ``tai_year`` (``q25, q50, q75``;
        None where later than the horizon), ``prob_by_horizon``, ``alignment_hours_needed`` (median,
        log10) and ``prob_affordable`` given arrival; Monte Carlo errors of the three probabilities,
        ``mcse_posterior``, ``mcse_by_horizon`` and ``mcse_affordable``; and ``ess``, the effective
        draws, with ``enough``, whether they are at least :data:`FEWEST_EFFECTIVE`. Empty in a model
        without anchors.
    """
    if "tai_anchor" not in derived:
        return []
    anchor = derived["tai_anchor"].values
    rows = []
    for kind, anchors in KINDS.items():
        prior = sum(view.anchors[name] for name in anchors)
        if prior > 0:
            members = np.isin(anchor, [ANCHORS.index(name) for name in anchors])
            facts = {"kind": kind, "label": _label(kind, view), "prior": prior}
            rows.append(facts | _answer(derived, weights, members))
    if len(rows) > 1:
        everything = np.ones(anchor.shape, dtype=bool)
        facts = {"kind": MIXTURE, "label": MIXTURE, "prior": 1.0}
        rows.append(facts | _answer(derived, weights, everything))
    return rows


def _label(kind: str, view: View) -> str:
    if kind != "user":
        return LABELS[kind]
    # the default view's own requirement is that of the takeoff presets
    stated, presets = (v.quantities["user_flop"] for v in (view, load_view("default")))
    name = "takeoff presets" if dict(stated) == dict(presets) else "own requirement"
    return f"{name}: {view.requirement.user_milestone}"


def _answer(derived: xr.Dataset, weights: Weights, members: Any) -> dict[str, Any]:
    """What the draws of one kind say; nothing but the weight where there is none."""
    posterior = weights.probability(members)
    answer: dict[str, Any] = {
        "posterior": posterior,
        "mcse_posterior": weights.mcse(members.astype(float)),
        "tai_year": dict.fromkeys(QUARTILES),
        **dict.fromkeys(("prob_by_horizon", "mcse_by_horizon", "alignment_hours_needed")),
        **dict.fromkeys(("prob_affordable", "mcse_affordable")),
        "ess": 0.0,
        "enough": False,
    }
    if not posterior > 0:
        return answer
    among = weights.given(members)
    year = draws_of("tai_year", derived)
    dates = _finite_points(year, among, tuple(QUARTILES.values()))
    answer |= {
        "tai_year": dict(zip(QUARTILES, dates, strict=True)),
        "prob_by_horizon": among.probability(np.isfinite(year)),
        "mcse_by_horizon": among.mcse(np.isfinite(year).astype(float)),
        "ess": among.ess,
        "enough": among.ess >= FEWEST_EFFECTIVE,
    }
    paid = draws_of("prob_affordable", derived)
    met = ~np.isnan(paid)
    if among.probability(met) > 0:
        hours = _finite_points(draws_of("alignment_hours_needed", derived), among, (0.5,))
        arrived = among.given(met)
        answer |= {
            "alignment_hours_needed": hours[0],
            "prob_affordable": arrived.probability(paid == 1.0),
            "mcse_affordable": arrived.mcse((paid == 1.0).astype(float)),
        }
    return answer


def _finite_points(
    values: Any, weights: Weights, probabilities: tuple[float, ...]
) -> list[float | None]:
    """Points of the defined draws that count; None where infinite."""
    found = weighted_points(values, weights.values, probabilities)
    return [value if np.isfinite(value) else None for value in found]
