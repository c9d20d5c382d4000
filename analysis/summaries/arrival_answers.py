"""What a summary says of arrival beside its quantities: by requirement, and its shift."""

from typing import Any

import xarray as xr

from aligntax.analysis.summaries.by_requirement import by_requirement
from aligntax.analysis.summaries.shift_curve import exponent_shift_curve
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.views import View


def arrival_answers(
    derived: xr.Dataset, view: View, weights: Weights | None = None
) -> dict[str, Any]:
    """``by_requirement`` and ``exponent_shift_curve`` of ``summary.json``.

    Empty in a model without arrival.
    """
    if "tai_anchor" not in derived:
        return {}
    weights = weights or Weights.equal(derived["tai_anchor"].values.shape)
    return {
        "by_requirement": by_requirement(derived, weights, view),
        "exponent_shift_curve": exponent_shift_curve(derived, weights, view),
    }
