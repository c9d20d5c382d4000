"""Which alignment tax do developers tolerate, given what they have already paid?

A typical developer tolerates a tax of ``tau`` (``alignment_tax_tolerance``, log10 share of
development cost), and developer ``j`` tolerates ``tau_j ~ Normal(tau, tolerance_spread)`` (OOM).
What it has paid for human feedback is ``m_j`` (log10 over the cost of its largest run, known sd
``s_j``), of which a part ``share_j`` bought alignment and the rest capability. Nobody pays more
than they tolerate, so a payment is a lower bound::

    paid_j       ~ Normal(m_j + chat_j chat_minutes - rnd_ratio + log10 share_j, s_j)
    p(payment j) = P(paid_j <= tau_j) = Phi((tau - E paid_j) / sqrt(spread^2 + s_j^2))

``share_j`` is ``alignment_share_of_payment`` of feedback that trained one model, and
``alignment_share_of_human_data`` of a year's human data; ``chat_j`` is 1 where minutes of 2021
stand for those of chats.

The developer whose model arrives is one of these, each as likely as another. Its tolerance is drawn
given that it is at least what that developer has paid, so no draw refuses what was paid already. It
is at most the whole development cost, or what was paid if that is more. Only who paid leaves a row,
so the evidence speaks against low tolerances alone. Without payments the tolerance is ``tau``, as
elicited. (A replicated developer may have refused; then its tolerance is below what it was asked
for.)

References
----------
.. [1] Leike, "Distinguishing three alignment taxes", 2022.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from scipy.special import ndtr, ndtri

from aligntax.models.arrival import Chance
from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

OWN_QUANTITIES = ("alignment_tax_tolerance", "alignment_share_of_payment")
QUANTITIES = (*OWN_QUANTITIES, "alignment_share_of_human_data", "chat_minutes", "rnd_ratio")
TOP_LEVEL = ("tolerance_spread",)
# OOM, of the half-normal prior: two thirds of developers lie within a factor of three of the median
SPREAD = 0.5
MOST = 0.0  # log10 share: nobody is known to have paid as much for alignment as for the rest


@replaceable_rows("paid_taxes")
def payments(evidence: Evidence) -> xr.Dataset:
    """Payments in the likelihood: ``log_tax`` (log10 over the largest run) and ``tax_sd`` (OOM).

    ``chat`` is 1 where minutes of 2021 stand for those of chats, and ``human_data`` where the hours
    are a year's human data for any purpose. ``made`` is 1; a replicated developer may have refused
    to pay, which is 0.
    """
    used = select(evidence["paid_taxes"])
    return xr.Dataset(
        {
            "log_tax": np.log10(used["tax"]),
            "tax_sd": used["tax_sd"],
            "chat": (used["minutes_era"] == "chat").astype(float),
            "human_data": (used["bought"] == "human_data").astype(float),
            "made": xr.ones_like(used["tax"]),
        }
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"payments": payments(evidence)}


def _room(x: Mapping[str, Any], row: Mapping[str, Any], log: Any) -> Any:
    """Expected tolerance over the part of a payment that bought alignment, OOM."""
    of_data, of_payment = x["alignment_share_of_human_data"], x["alignment_share_of_payment"]
    share = row["human_data"] * of_data + (1.0 - row["human_data"]) * of_payment
    tax = row["log_tax"] + row["chat"] * x["chat_minutes"] - x["rnd_ratio"]
    return x["alignment_tax_tolerance"] - tax - log(share) / np.log(10)


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add what developers have paid to the open model."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood, custom_law
    from aligntax.models.priors.scales import half_normal

    rows = payments(evidence)
    pm.modelcontext(None).add_coord("payment", rows["payment"].values)
    spread = half_normal("tolerance_spread", SPREAD)
    if rows.sizes["payment"]:
        row = data_columns("payments", rows)
        score = _room(x, row, pt.log) / (row["tax_sd"] ** 2 + spread**2) ** 0.5

        def log_density(made: Any, score: Any) -> Any:
            return pm.logcdf(pm.Normal.dist(0.0, 1.0), pt.switch(made > 0, score, -score))

        add_likelihood("paid_taxes", custom_law(log_density, paid, score), row["made"], "payment")


def paid(score: Any, rng: Generator) -> Any:
    """Whether a developer pays, 1 or 0, with the probability whose normal score is given."""
    return (rng.uniform(size=np.shape(score)) < ndtr(score)).astype(float)


def at_arrival(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, chance: Chance
) -> dict[str, Any]:
    """Tolerance of the developer whose model arrives, and what it has paid.

    With ``d = tau_j - paid_j`` normal about ``m`` with variance ``v = spread^2 + s_j^2``, and
    positive, ``tau_j`` given ``d`` is normal about ``tau + spread^2 / v (d - m)`` with variance
    ``spread^2 s_j^2 / v``. A cap that nobody's payment reaches leaves the probability of having
    paid as it is.

    Returns
    -------
    dict of ndarray, shape (draw,)
        ``tolerance_at_arrival`` and ``tax_paid``, log10 shares of development cost; without
        payments ``tax_paid`` is NaN.
    """
    rows, tau = payments(evidence), x["alignment_tax_tolerance"]
    if not rows.sizes["payment"]:
        return {"tolerance_at_arrival": tau, "tax_paid": np.full(np.shape(tau), np.nan)}
    developer = np.minimum(
        (chance.developer * rows.sizes["payment"]).astype(int), rows.sizes["payment"] - 1
    )
    row = {str(name): value.values[developer] for name, value in rows.items()}
    spread = parameters["tolerance_spread"].values
    total = np.sqrt(spread**2 + row["tax_sd"] ** 2)
    mean = _room(x, row, np.log)
    sign = np.where(row["made"] > 0, 1.0, -1.0)
    # the tail keeps its precision where what happened was unlikely
    beyond = -ndtri(chance.room * ndtr(sign * mean / total))
    room = sign * np.maximum(sign * mean + total * beyond, 0.0)
    share = (spread / total) ** 2
    error = share**0.5 * row["tax_sd"] * ndtri(chance.tolerance)
    own = tau + share * (room - mean) + error
    paid = own - room
    most = np.where(row["made"] > 0, np.maximum(paid, MOST), MOST)
    return {"tolerance_at_arrival": np.minimum(own, most), "tax_paid": paid}


def with_tolerance(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, chance: Chance
) -> dict[str, Any]:
    """Elicited quantities and the tolerance of the developer whose model arrives.

    ``tolerance_of_training_cost`` and ``tax_paid`` come with it.
    """
    own = at_arrival(x, parameters, evidence, chance)
    training = own["tolerance_at_arrival"] + x["rnd_ratio"]
    return {**x, **own, "tolerance_of_training_cost": training}


def would_pay(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, rng: Generator
) -> Any:
    """Whether each developer would have paid as much, 1 or 0, (..., payment)."""
    row = {str(name): value.values for name, value in payments(evidence).items()}
    column = {name: np.asarray(x[name])[..., None] for name in QUANTITIES}
    total = np.sqrt(row["tax_sd"] ** 2 + parameters["tolerance_spread"].values[..., None] ** 2)
    return paid(_room(column, row, np.log) / total, rng)


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """Nothing: a payment is a bound, and has no replicate on its own scale."""
    return {}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Nothing; see :func:`observed`."""
    return {}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars.

    Who is asked for how much stays; whether they pay is drawn.
    """
    made = would_pay(x, parameters, evidence, rng)
    return {"paid_taxes": payments(evidence).assign(made=("payment", made))}
