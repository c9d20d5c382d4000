"""How much human feedback does alignment need, and does a tolerable tax pay for it?

It composes practice, the two taxes, tolerance, waits and, where a view prices it, AI labour with
the compute trends that pay. For the largest run at a date, all in log10::

    alignment_tax = log10(10^labour_tax + 10^compute_tax)
    headroom      = affordable - needed

Hours affordable pay for their own compute, so headroom is positive exactly where the tax is
tolerated. Multiples are relative to InstructGPT's hours, with those relative to
practice at arrival beside them. Hilton's figure of a tax is of training cost:
``tolerance_of_training_cost`` is the tolerance times ``rnd_ratio``.

References
----------
.. [1] Hilton, "How much alignment data will we need in the long run?", 2022.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import ai_labour, compute, practice, taxes, tolerance, waits
from aligntax.models.arrival import Chance
from aligntax.models.evidence import Evidence
from aligntax.models.trend import Trend
from aligntax.models.views import View

PARTS = (practice, taxes, tolerance, ai_labour)  # whose likelihoods it has, beside those of compute
# beside those of the compute trends
OWN_QUANTITIES = (
    *practice.QUANTITIES,
    *taxes.QUANTITIES,
    *tolerance.OWN_QUANTITIES,
    *waits.QUANTITIES,
)
QUANTITIES = (*compute.QUANTITIES, *OWN_QUANTITIES, *ai_labour.QUANTITIES)
HEADLINES = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "labour_tax",
    "compute_tax",
    "alignment_tax",
    "tolerance_at_arrival",
    "alignment_tax_tolerance",
    "tax_headroom",
    "prob_affordable",
    "compute_not_tolerated",
    "labour_not_tolerated",
    "workforce_too_small",
)


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add practice, alignment compute and payments to the open model."""
    for part in PARTS:
        part.add(evidence, view, x)


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return alignment and the compute trends that pay for it as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
        compute.add(evidence, view, x)
        add(evidence, view, x)
    return model


def at_date(
    x: Mapping[str, Any], t: Any, trend: Trend, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Data, money and taxes for the largest run at a date.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        With ``tolerance_at_arrival``.
    t : ndarray, shape (draw,)
        Decimal years; NaN gives NaN.

    Returns
    -------
    dict
        Headline quantities of shape (draw,).
    """
    budget, flop = trend.spend(x, t), trend.physical(x, t)
    needed, labour, computing = taxes.taxes(x, flop, t, trend, evidence)
    affordable = taxes.affordable_hours(x, flop, t, trend, evidence)
    workforce = waits.workforce(x, trend, evidence)
    worked = waits.worked_hours(workforce, x["workforce_growth"], t, view.alignment.work_starts)
    paid = ai_labour.human_hours(x, needed)
    instructgpt = np.log10(evidence.constant("instructgpt_hours"))
    return {
        "training_cost_at_tai": budget,
        "training_flop_at_tai": flop,
        "alignment_hours_needed": needed,
        "alignment_hours_affordable": affordable,
        "rlhf_multiple_needed": needed - instructgpt,
        "rlhf_multiple_affordable": affordable - instructgpt,
        "rlhf_multiple_affordable_at_arrival": affordable - practice.practice(x, flop, t, evidence),
        "labour_tax": labour,
        "compute_tax": computing,
        "alignment_tax": taxes.log_sum(labour, computing),
        "tax_headroom": affordable - needed,
        "workforce_available": workforce,
        **ai_labour.mix(x, needed),
        **waits.obstacles(paid, labour, computing, x["tolerance_at_arrival"], worked),
    }


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    """Alignment of the largest run at ``view.alignment.date``, where the model is run alone."""
    t = np.full(x["practice_hours"].shape, view.alignment.date)
    full = tolerance.with_tolerance(x, parameters, evidence, chance)
    trend = Trend.of(evidence, view)
    at = at_date(full, t, trend, evidence, view)
    return {
        **{name: value for name, value in at.items() if not name.endswith("_at_tai")},
        **{name: full[name] for name in full if name not in x},
    }
