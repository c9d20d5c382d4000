"""What a summary says of arrival beside its quantities: by requirement, by shape, and its shift."""

from typing import Any

import xarray as xr

from aligntax.analysis.summaries.alignment_wait import KEY, AlignmentWait
from aligntax.analysis.summaries.by_requirement import by_requirement
from aligntax.analysis.summaries.by_shape import by_shape
from aligntax.analysis.summaries.shift_curve import exponent_shift_curve
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.views import View


def arrival_answers(
    derived: xr.Dataset, view: View, weights: Weights | None = None
) -> dict[str, Any]:
    """``by_requirement``, ``exponent_shift_curve``, ``alignment_wait`` and ``by_shape`` for JSON.

    Without the first three in a model without arrival, and the last in one without time horizons.
    """
    shapes, anchors = ("horizon_shape" in derived), ("tai_anchor" in derived)
    if not (shapes or anchors):
        return {}
    sizes = derived["tai_anchor" if anchors else "horizon_shape"].values.shape
    weights = weights or Weights.equal(sizes)
    found: dict[str, Any] = {"by_shape": by_shape(derived, weights, view)} if shapes else {}
    if not anchors:
        return found
    wait = AlignmentWait.of(derived, weights)
    return {
        **found,
        **({KEY: wait.to_dict()} if wait else {}),
        "by_requirement": by_requirement(derived, weights, view),
        "exponent_shift_curve": exponent_shift_curve(derived, weights, view),
    }
