"""What a prior changes: headlines and claims before and after, pushed forward from priors alone.

Both use the same random numbers, so that a difference is due to the prior.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims import CLAIMS
from aligntax.analysis.summaries.claims_in_words import chance_in_words, claim_text
from aligntax.analysis.summaries.summary import Series, censored_quantile, iter_series
from aligntax.analysis.summaries.words import median_and_interval
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_evaluations import SCATTER
from aligntax.models.priors.quantities import QUANTITIES, base_name, element, quantity_of
from aligntax.models.tolerance import SPREAD
from aligntax.models.views import View

DRAWS = 4000  # Monte Carlo error of a probability at most 0.8%; a tenth of a second
SEED = 2022  # the default seed of `aligntax run`

# Prior of a structural parameter that derived quantities read, as aligntax.models.scaling.add
# states it; a test compares them.
KAPLAN_BIAS_SD = 2.0


def prior_derived(view: View, evidence: Evidence) -> xr.Dataset:
    """Derive quantities from draws of a view's priors.

    The random numbers do not depend on the view.
    """
    model, rng = find_model("joint"), np.random.default_rng(SEED)
    tables = view.stated(view.in_use(model.quantities))
    dims = ("chain", "draw")
    white = rng.standard_normal((1, DRAWS, len(model.quantities)))
    white = white[..., np.isin(model.quantities, tables.names)]
    draws = xr.Dataset(
        {
            "z": ((*dims, "quantity"), tables.correlate(white)),
            "between_study_sd": (
                dims,
                view.scaling.between_study_scale * np.abs(rng.standard_normal((1, DRAWS))),
            ),
            "kaplan_bias": (dims, KAPLAN_BIAS_SD * rng.standard_normal((1, DRAWS))),
            "tolerance_spread": (dims, SPREAD * np.abs(rng.standard_normal((1, DRAWS)))),
            "horizon_scatter": (dims, SCATTER * np.abs(rng.standard_normal((1, DRAWS)))),
            "suite_error_share": (dims, rng.uniform(size=(1, DRAWS))),
            **{
                name: (dims, rng.standard_normal((1, DRAWS)))
                for name in ("regime_offset", "suite_error_short", "suite_error_long")
            },
        },
        coords={"quantity": list(tables.names)},
    )
    return derive(model, draws, tables, restrict(evidence, view, model), view, rng)


def consequences(
    before: View, after: View, evidence: Evidence
) -> tuple[list[tuple[str, ...]], int]:
    """Compare headline quantities and claims under two views' priors.

    Returns
    -------
    moved : list of tuple
        Label, value before and value after, of those that differ.
    unmoved : int
        Number of those that do not.
    """
    derived = [prior_derived(view, evidence) for view in (before, after)]
    chances = [claim_answers(answer) for answer in derived]
    rows = [
        (claim_text(claim), *(_claim_in_words(chance.get(claim.name)) for chance in chances))
        for claim in CLAIMS
    ]
    numbers = [{series.name: series for series in iter_series(answer)} for answer in derived]
    headlines, horizon = find_model("joint").headlines, after.arrival.horizon
    for name in (n for n in numbers[0] if base_name(n) in headlines):
        label = quantity_of(name).label + (f" [{element(name)}]" if element(name) else "")
        rows.append((label, *(_series_in_words(answer[name], horizon) for answer in numbers)))
    moved = [row for row in rows if row[1] != row[2]]
    return moved, len(rows) - len(moved)


def _claim_in_words(answer: Mapping[str, Any] | None) -> str:
    return "unknown" if answer is None else chance_in_words(answer)


def _series_in_words(series: Series, horizon: float) -> str:
    """Write the median and 90% interval of draws that may be censored."""
    defined = series.defined
    row: dict[str, Any] = {
        "prob_above": float(np.mean(series.values == np.inf)),
        "prob_below": float(np.mean(series.values == -np.inf)),
        "prob_undefined": float(np.mean(np.isnan(series.values))),
        "mean": float(defined.mean()) if len(series.finite) == len(defined) > 0 else None,
    }
    for key, p in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        value = censored_quantile(defined, p) if len(defined) else np.nan
        row[key] = float(value) if np.isfinite(value) else None
    median, span = median_and_interval(row, QUANTITIES[series.quantity], horizon)
    return f"{median} ({span})" if span else median
