"""What a page needs to work out hours, taxes and waits again, as its ``alignment.js`` does."""

from typing import Any

import numpy as np

from aligntax.analysis.pages.packed_draws import offset_values
from aligntax.analysis.storage.sampled_run import SampledRun
from aligntax.analysis.summaries.summary import iter_series
from aligntax.models import taxes, waits
from aligntax.models import trend as trend_paths
from aligntax.models.trend import Trend
from aligntax.models.views import View


def alignment_data(
    source: SampledRun, view: View, derived: Any, kept: tuple[Any, Any]
) -> dict[str, Any]:
    """Return constants of compute and alignment, and when the model to be aligned arrives."""
    trend, evidence = Trend.of(source.evidence, view), source.evidence
    known = {series.name: series for series in iter_series(derived)}
    constants: dict[str, Any] = {
        "reference": trend.reference,
        "now": trend.now,
        "world_product": trend.world_product,
        "world_product_year": trend_paths.WORLD_PRODUCT_YEAR,
        "sharpness": trend_paths.SHARPNESS,
        "least_limit": trend_paths.LEAST_LIMIT,
        "instructgpt_flop": float(np.log10(evidence.constant("instructgpt_flop"))),
        "instructgpt_hours": float(np.log10(evidence.constant("instructgpt_hours"))),
        "practice_year": evidence.constant("practice_reference_year"),
        "workforce_year": waits.WORKFORCE_YEAR,
        "wait": waits.WAIT_STEP,
        "newton_steps": taxes.NEWTON_STEPS,
        "work_starts": view.alignment.work_starts,
        "horizon": view.arrival.horizon,
    }
    # what the developer whose model arrives tolerates beyond a typical one; no move here changes it
    beyond = [known[name].values for name in ("tolerance_at_arrival", "alignment_tax_tolerance")]
    constants["tolerance_excess"] = offset_values(beyond[0] - beyond[1], kept)
    if source.model.name == "alignment":
        return {**constants, "date": view.alignment.date}
    arrival = {
        name: offset_values(known[name].values, kept)
        for name in ("tai_year", "timeline_shift_alignment_compute")
    }
    return {**constants, "arrival": arrival}
