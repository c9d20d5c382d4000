"""How much compute does transformative AI need, in FLOP of 2020 algorithms?

Bio Anchors gives six anchors and "none of them"; a seventh, ``user``, is a place for one's own. The neural-net anchors train a
model that runs at ``F`` FLOP per subjective second on data points of horizon ``H`` seconds, and the data exponent says how many::

    log10 requirement = log10 F + log10 H + log10 D_ref + gamma (log10 N - log10 N_ref),    log10 N = log10 F - log10 p

with ``p`` FLOP per parameter per subjective second. At gamma 1 against 0.8 a model 1e5 times larger than the reference needs
exactly 10 times more. The lifetime, genome and evolution anchors are elicited as FLOP and do not depend on gamma.

An anchor is never sampled as a discrete variable: its weight ``w_k`` times the probability ``S_k`` that it left no
transformative AI so far is summed over anchors, and ``w_k S_k / sum`` is its posterior probability, draw by draw.

=================  =======  ==========================================
name               unit     meaning
=================  =======  ==========================================
F                  FLOP/s   ``brain_flop``
H                  s        ``horizon_short``, ``_medium``, ``_long``
p                  FLOP/s   ``flop_per_parameter``
N_ref, D_ref       1        10^11.2 parameters take 1e12 data points
=================  =======  ==========================================

References
----------
.. [1] Cotra, "Forecasting TAI with biological anchors", 2020 (draft report), as summarised by Ho, "Grokking bio anchors", 2022.
"""

from typing import Any

import numpy as np

from models.evidence import Evidence
from models.views import ANCHORS, View

__all__ = ["NEURAL", "QUANTITIES", "anchor_requirements", "log_weights", "neural_net_requirement"]

QUANTITIES = (
    "brain_flop",
    "flop_per_parameter",
    "horizon_short",
    "horizon_medium",
    "horizon_long",
    "lifetime_flop",
    "genome_flop",
    "evolution_flop",
    "user_flop",
)

NEURAL = ("short_horizon", "medium_horizon", "long_horizon")
NEVER = -1e10  # log weight of an anchor without weight: finite, so that gradients are


def neural_net_requirement(flop: Any, horizon: Any, per_parameter: Any, gamma: Any, n_ref: float, d_ref: float) -> Any:
    """Training FLOP (log10) of a neural-net anchor.

    Parameters
    ----------
    flop, horizon, per_parameter : array or tensor
        log10 of F (FLOP/s), H (s) and p (FLOP/s).
    gamma : array or tensor
        Data exponent.
    n_ref, d_ref : float
        log10 of the reference parameters and data points.
    """
    return flop + horizon + d_ref + gamma * (flop - per_parameter - n_ref)


def anchor_requirements(x: dict[str, Any], gamma: Any, evidence: Evidence) -> list[Any]:
    """Requirement of each of :data:`models.views.ANCHORS` but "none", log10 FLOP, in their order."""
    n_ref = float(np.log10(evidence.constant("reference_parameters")))
    d_ref = float(np.log10(evidence.constant("reference_tokens")))
    horizons = {anchor: x["horizon_" + anchor.removesuffix("_horizon")] for anchor in NEURAL}
    neural = {
        anchor: neural_net_requirement(x["brain_flop"], horizon, x["flop_per_parameter"], gamma, n_ref, d_ref)
        for anchor, horizon in horizons.items()
    }
    return [neural[anchor] if anchor in NEURAL else x[f"{anchor}_flop"] for anchor in ANCHORS[:-1]]


def log_weights(view: View) -> Any:
    """Log prior weights over :data:`models.views.ANCHORS`, shape (8,)."""
    weights = np.asarray([view.anchors[anchor] for anchor in ANCHORS])
    return np.where(weights > 0, np.log(np.maximum(weights, 1e-300)), NEVER)
