"""What draws say of each claim: how probable it is, given what, with its Monte Carlo error."""

from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.summaries.claims import CLAIMS, Claim
from aligntax.analysis.summaries.summary import draws_of
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.summaries.words import words_of_event
from aligntax.models.priors.quantities import QUANTITIES
from aligntax.models.requirements import NEURAL
from aligntax.models.views import ANCHORS


def claim_draws(claim: Claim, derived: xr.Dataset) -> tuple[Any, Any] | None:
    """Draws in which a claim is true, and those in which its condition holds.

    The condition contains that the claim's quantity is defined: that something arrives.

    Returns
    -------
    tuple of ndarray of bool, shape (chain, draw), or None
        None if the model lacks a quantity of the claim or of its condition.
    """
    statements = [claim.statement, *([claim.given] if claim.given else [])]
    needed = {statement.quantity for statement in statements}
    if not needed | ({"tai_anchor"} if claim.neural_nets else set()) <= set(derived.data_vars):
        return None
    values = {name: draws_of(name, derived) for name in needed}
    counted = ~np.isnan(values[claim.statement.quantity])
    for statement in statements[1:]:
        counted &= statement.holds(values[statement.quantity])
    if claim.neural_nets:
        counted &= neural_draws(derived)
    return claim.statement.holds(values[claim.statement.quantity]) & counted, counted


def neural_draws(derived: xr.Dataset) -> Any:
    """Draws whose requirement is a neural-net anchor, of shape (chain, draw)."""
    return np.isin(derived["tai_anchor"].values, [ANCHORS.index(name) for name in NEURAL])


def claim_answers(
    derived: xr.Dataset,
    weights: Weights | None = None,
    assumed: Collection[str] = (),
    horizon: float | None = None,
) -> dict[str, dict[str, Any]]:
    """What the draws say of each claim that the model has the quantities of.

    Parameters
    ----------
    assumed : collection of str
        Elicited quantities that no evidence informs.
    horizon : float, optional
        Year at which dates are censored, which the conditions then name.

    Returns
    -------
    dict
        name -> ``probability``, ``mcse``, ``given`` (the condition in words, or None),
        ``given_probability``, ``assumed``, ``whose``. A condition that no draw meets leaves no
        probability: it is None, and ``reason`` says why.
    """
    found = ((claim, claim_draws(claim, derived)) for claim in CLAIMS)
    return {
        claim.name: _claim_answer(claim, derived, *draws, weights, assumed, horizon)
        for claim, draws in found
        if draws is not None
    }


def _claim_answer(
    claim: Claim,
    derived: xr.Dataset,
    true: Any,
    counted: Any,
    weights: Weights | None,
    assumed: Collection[str],
    horizon: float | None,
) -> dict[str, Any]:
    weights = weights or Weights.equal(true.shape)
    quantity = QUANTITIES[claim.statement.quantity]
    undefined = np.isnan(draws_of(quantity.name, derived))
    conditions = [claim.condition] if claim.condition else []
    if weights.probability(undefined) > 0:
        conditions.append(words_of_event(quantity, horizon))
    chance = weights.probability(counted)
    answer: dict[str, Any] = {
        "probability": None,
        "mcse": None,
        "given": " and ".join(conditions) or None,
        "given_probability": chance,
        "assumed": quantity.name in assumed,
        "whose": claim.whose,
    }
    if not chance > 0:
        return {**answer, "reason": "no draw meets the condition"}
    among = weights.given(counted)
    return {
        **answer,
        "probability": among.probability(true),
        "mcse": among.mcse(true.astype(float)),
    }
