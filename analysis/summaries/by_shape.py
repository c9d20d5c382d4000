"""The superhuman coder by shape of the time horizon's growth, beside the mixture of shapes.

Each draw has one shape, drawn from its posterior. The draws of a shape are the answer as if growth
had that shape, given the evidence. Beside each stands the date of a coder whose tasks are a million
times longer: where it is hardly later, the threshold does not decide the answer.
"""

from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri

from aligntax.analysis.summaries.by_requirement import FEWEST_EFFECTIVE, MIXTURE
from aligntax.analysis.summaries.summary import QUARTILES, draws_of, weighted_points
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.horizon_trend import SHAPES, log_shape_priors
from aligntax.models.views import View

WEIGHTS = ("superexponential_weight", "saturating_weight", "kink_weight")
POINTS = 2001  # of each prior, over which its mean is taken


def by_shape(derived: xr.Dataset, weights: Weights, view: View) -> list[dict[str, Any]]:
    """Date of the superhuman coder by shape of growth.

    Returns
    -------
    list of dict
        One for each shape, then their mixture: ``shape``; ``prior`` and ``posterior`` probability,
        ``mcse_posterior`` of the second; ``superhuman_coder_year`` and
        ``superhuman_coder_millionfold`` (``q25, q50, q75``; None where later than the horizon or
        never); ``prob_by_horizon`` and its ``mcse_by_horizon``; and ``ess``, the effective draws,
        with ``enough`` as in :mod:`aligntax.analysis.summaries.by_requirement`. Empty in a model
        without time horizons.
    """
    if "horizon_shape" not in derived:
        return []
    own = derived["horizon_shape"].values
    rows = [
        {"shape": shape, "prior": prior} | _answer(derived, weights, own == i)
        for i, (shape, prior) in enumerate(zip(SHAPES, prior_probabilities(view), strict=True))
    ]
    everything = np.ones(own.shape, dtype=bool)
    return [*rows, {"shape": MIXTURE, "prior": 1.0} | _answer(derived, weights, everything)]


def prior_probabilities(view: View) -> list[float]:
    """Prior probability of each shape: the mean over a view's weights, taken as independent."""
    z = ndtri((np.arange(POINTS) + 0.5) / POINTS)
    tables = view.tables(WEIGHTS)
    means = tables.values(np.broadcast_to(z[:, None], (POINTS, len(WEIGHTS))))
    weight = {name: np.mean(value) for name, value in means.items()}
    return [float(np.exp(value)) for value in log_shape_priors(weight)]


def _answer(derived: xr.Dataset, weights: Weights, members: Any) -> dict[str, Any]:
    """What the draws of one shape say; nothing but the weight where there is none."""
    posterior = weights.probability(members)
    answer: dict[str, Any] = {
        "posterior": posterior,
        "mcse_posterior": weights.mcse(members.astype(float)),
        "superhuman_coder_year": dict.fromkeys(QUARTILES),
        "superhuman_coder_millionfold": dict.fromkeys(QUARTILES),
        **dict.fromkeys(("prob_by_horizon", "mcse_by_horizon")),
        "ess": 0.0,
        "enough": False,
    }
    if not posterior > 0:
        return answer
    among = weights.given(members)
    for name in ("superhuman_coder_year", "superhuman_coder_millionfold"):
        years = draws_of(name, derived)
        if not among.probability(~np.isnan(years)) > 0:
            continue
        dates = weighted_points(years, among.values, tuple(QUARTILES.values()))
        answer[name] = {
            key: date if np.isfinite(date) else None
            for key, date in zip(QUARTILES, dates, strict=True)
        }
    reached = np.isfinite(draws_of("superhuman_coder_year", derived))
    return answer | {
        "prob_by_horizon": among.probability(reached),
        "mcse_by_horizon": among.mcse(reached.astype(float)),
        "ess": among.ess,
        "enough": among.ess >= FEWEST_EFFECTIVE,
    }
