"""How far the data exponent moves arrival, against the weight on neural-net anchors.

Hilton's shift holds to the extent that one weighs the neural-network model. The curve is the shift
of the *distribution* of arrival: its 25, 50 and 75% points at the exponent that the evidence gives,
less those at 0.8. The draws of neural-net anchors give ``F_nn``, the others ``F_other``. In a view
that gives neural nets the prior weight ``w_0`` and a posterior that gives them ``p``, a prior
weight ``w`` leads to the posterior weight ``p_w``, as the evidence favours them as much as before::

    p_w / (1 - p_w) = w / (1 - w)  p / (1 - p)  (1 - w_0) / w_0
    F_w             = p_w F_nn + (1 - p_w) F_other

Draws later than the horizon count as infinite. Errors come from a bootstrap over batches of each
chain, in which both worlds keep the same draws.
"""

from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.summaries.claim_answers import neural_draws
from aligntax.analysis.summaries.summary import QUARTILES, draws_of, weighted_points
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.requirements import NEURAL
from aligntax.models.views import View

WEIGHTS = tuple(i / 10 for i in range(11))
WORLDS = ("tai_year", "tai_year_baseline_exponent")
REPLICATES = 100  # of the bootstrap: its errors are then known to within a tenth
SEED = 2022  # errors of one run are the same whenever they are worked out
CERTAIN = 1e-9  # a weight nearer to 0 or 1 leaves no draws of one kind


def exponent_shift_curve(derived: xr.Dataset, weights: Weights, view: View) -> dict[str, Any]:
    """Shift of arrival's 25, 50 and 75% points by weight on neural-net anchors.

    Returns
    -------
    dict
        ``prior_weight`` and ``posterior_weight`` of neural nets in the view; ``note``, why points
        are missing, or None; and ``points``, each with its prior ``weight``, the ``posterior`` that
        follows, and ``q25, q50, q75``. Each of these has ``years`` and ``mcse``, and in
        ``censored`` None or what leaves no number: ``"later"`` or ``"earlier"`` where the point
        lies beyond the horizon only in the world with, or only in that without the evidence's
        exponent, and ``"both"``. Empty in a model without anchors.
    """
    if "tai_anchor" not in derived:
        return {}
    neural = neural_draws(derived).ravel()
    w = weights.values.ravel()
    prior = sum(view.anchors[name] for name in NEURAL)
    posterior = float(w[neural].sum() / w.sum())
    years = [draws_of(name, derived).ravel() for name in WORLDS]
    counts = _batch_counts(*weights.values.shape)
    points = []
    for weight in WEIGHTS:
        share = posterior_weight(weight, prior, posterior)
        if share is None:
            continue
        mixed = w * np.where(neural, _ratio(share, posterior), _ratio(1.0 - share, 1.0 - posterior))
        found = [weighted_points(year, mixed, tuple(QUARTILES.values())) for year in years]
        errors = _errors(years, mixed, counts)
        points.append(
            {
                "weight": weight,
                "posterior": share,
                **{
                    name: _shift(later, earlier, error)
                    for name, later, earlier, error in zip(QUARTILES, *found, errors, strict=True)
                },
            }
        )
    return {
        "prior_weight": prior,
        "posterior_weight": posterior,
        "note": _note(prior, posterior),
        "points": points,
    }


def posterior_weight(weight: float, prior: float, posterior: float) -> float | None:
    """Posterior weight under another prior weight; None where there are no draws to mix.

    Parameters
    ----------
    weight : float
        The other prior weight.
    prior, posterior : float
        Weights in the view, and given its evidence.
    """
    some = CERTAIN < posterior < 1.0 - CERTAIN and CERTAIN < prior < 1.0 - CERTAIN
    if weight in (0.0, 1.0):
        known = posterior > CERTAIN if weight else posterior < 1.0 - CERTAIN
        return weight if known else None
    if not some:
        return None
    odds = weight / (1.0 - weight) * posterior / (1.0 - posterior) * (1.0 - prior) / prior
    return odds / (1.0 + odds)


def _note(prior: float, posterior: float) -> str | None:
    if prior <= CERTAIN or posterior <= CERTAIN:
        return "no draw has a neural-net anchor: the curve has only its start"
    if prior >= 1.0 - CERTAIN or posterior >= 1.0 - CERTAIN:
        return "every draw has a neural-net anchor: the curve has only its end"
    return None


def _ratio(new: float, old: float) -> float:
    return new / old if old > 0 else 0.0


def _shift(later: float, earlier: float, error: float | None) -> dict[str, Any]:
    """Difference of a point in two worlds, or which of them lies beyond the horizon."""
    if np.isfinite(later) and np.isfinite(earlier):
        return {"years": later - earlier, "mcse": error, "censored": None}
    beyond = {(True, True): "both", (True, False): "later", (False, True): "earlier"}
    return {
        "years": None,
        "mcse": None,
        "censored": beyond[bool(np.isinf(later)), bool(np.isinf(earlier))],
    }


def _batch_counts(chains: int, draws: int) -> Any:
    """How often each draw counts in each replicate, (replicate, chain * draw): whole batches."""
    length = max(1, int(np.sqrt(draws)))
    batches = max(1, draws // length)
    batch = np.minimum(np.arange(draws) // length, batches - 1)
    place = (np.arange(chains)[:, None] * batches + batch).ravel()
    total = chains * batches
    rng = np.random.default_rng(SEED)
    return rng.multinomial(total, np.full(total, 1.0 / total), size=REPLICATES)[:, place]


def _errors(years: list[Any], weights: Any, counts: Any) -> list[float | None]:
    """Standard error of each point's difference; None where a replicate has no number."""
    later, earlier = (_replicated(year, weights, counts) for year in years)
    finite = np.all(np.isfinite(later) & np.isfinite(earlier), axis=0)
    return [
        float((later[:, i] - earlier[:, i]).std(ddof=1)) if finite[i] else None
        for i in range(len(QUARTILES))
    ]


def _replicated(year: Any, weights: Any, counts: Any) -> Any:
    """Points of each replicate, (replicate, point): the first draw that reaches each share."""
    order = np.argsort(year, kind="stable")
    cumulative = np.cumsum(weights[order] * counts[:, order], axis=1)
    places = [np.argmax(cumulative >= p * cumulative[:, -1:], axis=1) for p in QUARTILES.values()]
    return year[order][np.stack(places, axis=1)]
