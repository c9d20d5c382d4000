"""How much compute makes a language model indistinguishable from people over a task's length?

A judge who must be 90% sure whether a text is a model's needs ``k`` tokens of it, and ``k`` grows
as the model's loss nears the least possible. Epoch AI's Direct Approach takes the compute at which
``k`` reaches the length of a transformative task::

    KL(N, D) = A N^-alpha + B D^-beta
    k        = human_slowdown * delta / KL
    delta    = (2 p - 1) ln(p / (1 - p)) = 1.76,  p = 0.9

``KL`` is the loss above the least possible, in nat per token. ``delta`` is the expected log odds of
a judge who is sure with probability ``p``, in nats, and a person needs ``human_slowdown`` times
more tokens than the ideal judge. The published program divides ``delta`` in bits, 2.54, by a loss
in nats (``units = "published"``), which asks for 0.9 OOM less at its own medians.

With ``C = 6 N D`` and an allocation constant ``G`` the two terms fall with the same power of
compute. So the requirement has a closed form, and the program's line through log10 k at 10^10 and
10^30 FLOP is exact, whatever ``G``::

    N       = G (C/6)^(beta/(alpha+beta)),   D = (C/6)^(alpha/(alpha+beta)) / G
    kappa   = alpha beta / (alpha + beta),   K = A G^-alpha + B G^beta
    KL(C)   = K (C/6)^-kappa
    log10 C = log10 6 + log10(task_tokens K / (human_slowdown delta)) / kappa

The loss is least at ``G = (alpha A / (beta B))^(1/(alpha+beta))`` (``allocation = "optimal"``). The
published program computes ``alpha A / (beta B)^(1/(alpha+beta))`` (``"published"``). At its own
medians that is 0.9 OOM fewer parameters and 0.6 OOM more compute.

Published fits of a loss law (``loss_laws``) give the four parameters jointly: a larger ``A`` goes
with a larger ``alpha``, and independent draws of them overstate the requirement's spread. With
``x = (parameter_loss, data_loss, alpha, beta)`` at the view's reference ``N0``, ``D0`` and a fit
``i`` stated at ``N_i``, ``D_i``::

    S_i x = (parameter_loss - alpha log10(N_i / N0), data_loss - beta log10(D_i / D0), alpha, beta)
    S_i x ~ Normal(mean_i, Sigma_i)

The program's update on no TAI so far is a hazard of 0.3 ln 10 = 0.69 per OOM along past runs:
:func:`survival`.

==================  =========  ==============================================================
name                unit       meaning
==================  =========  ==============================================================
A N0^-alpha         nat/token  ``parameter_loss``, log10; B D0^-beta ``data_loss``
human_slowdown      x          tokens that a person needs over an ideal judge's, log10
task_tokens         tokens     k of a transformative task, log10
==================  =========  ==============================================================

References
----------
.. [1] Barnett, Besiroglu, "The Direct Approach", Epoch AI, 2023; program timelines-direct-approach
       (k_performance.py), 2024.
.. [2] Hoffmann et al., "Training compute-optimal large language models", 2022. arXiv:2203.15556
.. [3] Besiroglu et al., "Chinchilla scaling: a replication attempt", 2024. arXiv:2404.10102
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

LAW = ("parameter_loss", "data_loss", "alpha", "beta")
QUANTITIES = (*LAW, "human_slowdown", "task_tokens")
TOP_LEVEL: tuple[str, ...] = ()

CONFIDENCE = 0.9  # of the judge (k_performance.py)
DELTA = (2 * CONFIDENCE - 1) * np.log(CONFIDENCE / (1 - CONFIDENCE))  # nats
DELTA_BITS = DELTA / np.log(2)
# log10 FLOP and years of the largest runs up to 2023 (timeline.py)
PAST_RUNS = ((17.0, 8.0), (23.0, 2.0), (25.0, 1.0))
SMALLEST_EXPONENT = 0.01  # of the loss; at zero the requirement would be infinite
DECAY = 0.3  # OOM of arrival rate per OOM of compute (timeline.py)


def allocation_constant(alpha: Any, beta: Any, log_a: Any, log_b: Any, published: bool) -> Any:
    """Log10 of ``G`` in ``N = G (C/6)^(beta/(alpha+beta))``.

    Takes numbers, arrays or tensors that broadcast.

    Parameters
    ----------
    alpha, beta
        Exponents of the loss in parameters and in tokens, positive.
    log_a, log_b
        log10 of A and B.
    published : bool
        Whether the exponent applies to the denominator alone, as in the program.
    """
    above, below = np.log10(alpha) + log_a, np.log10(beta) + log_b
    return above - below / (alpha + beta) if published else (above - below) / (alpha + beta)


def optimal_flop(x: Mapping[str, Any], log_k: Any, view: View, published: bool = False) -> Any:
    """Training FLOP (log10) at which the loss above the least possible is ``10^-log_k`` nat.

    Parameters
    ----------
    x : dict of ndarray or tensor
        :data:`LAW` on their own scales, shapes that broadcast.
    log_k : number, ndarray or tensor
        Minus log10 of that loss.
    view : View
        Reference of the loss law.
    published : bool
        As in :func:`allocation_constant`.
    """
    alpha, beta = x["alpha"], x["beta"]
    log_a = x["parameter_loss"] + alpha * np.log10(view.loss_law.parameters)
    log_b = x["data_loss"] + beta * np.log10(view.loss_law.tokens)
    log_g = allocation_constant(alpha, beta, log_a, log_b, published)
    of_parameters, of_data = log_a - alpha * log_g, log_b + beta * log_g
    # the larger term plus log10(1 + 10^-difference) cannot overflow
    difference = abs(of_parameters - of_data)
    log_terms = 0.5 * (of_parameters + of_data + difference) + np.log10(1 + 10.0**-difference)
    return np.log10(6) + (log_k + log_terms) * (alpha + beta) / (alpha * beta)


def requirement(x: Mapping[str, Any], view: View) -> Any:
    """Training FLOP (log10) at which the model's k reaches that of the task.

    FLOP is counted in the algorithms of ``view.direct_approach.year``.

    Parameters
    ----------
    x : dict of ndarray or tensor
        :data:`QUANTITIES` on their own scales, shapes that broadcast.
    view : View
        Reference of the loss law, allocation and units.
    """
    delta = DELTA_BITS if view.direct_approach.units == "published" else DELTA
    log_k = x["task_tokens"] - x["human_slowdown"] - np.log10(delta)
    return optimal_flop(x, log_k, view, view.direct_approach.allocation == "published")


def survival(needed: Any) -> Any:
    """Probability that past runs left no transformative AI, given a requirement.

    It is the weight that the program's update gives to the requirement. ``exp(-sum_j years_j
    10^(0.3 (C_j - q)))`` is this package's hazard with ``hazard_steepness`` 0.3 ln 10, without cap,
    along three steps instead of a view's own path. The program multiplies it not with its sample
    but with a normal of the sample's mean and sd. That moves the median from 34.2 to 34.6 and the
    probability of arrival by 2030 down by 2.5 points.

    Parameters
    ----------
    needed : ndarray or tensor
        Requirement, log10 FLOP.
    """
    return np.exp(-sum(years * 10.0 ** (DECAY * (flop - needed)) for flop, years in PAST_RUNS))


@replaceable_rows("loss_laws")
def fits(evidence: Evidence) -> xr.Dataset:
    """Published loss laws in the likelihood.

    ``mean`` has shape (loss_law, law) and ``covariance`` (loss_law, law, law).
    """
    used = select(evidence["loss_laws"])
    sd = np.stack([used[f"{name}_sd"].values for name in LAW], axis=-1)
    rho = np.broadcast_to(np.eye(len(LAW)), (len(sd), len(LAW), len(LAW))).copy()
    for i, one in enumerate(LAW):
        for j, other in enumerate(LAW[:i]):
            rho[:, i, j] = rho[:, j, i] = used[f"{other}_{one}"].values
    return xr.Dataset(
        {
            "mean": (("loss_law", "law"), np.stack([used[name].values for name in LAW], axis=-1)),
            "covariance": (("loss_law", "law", "other_law"), rho * sd[:, :, None] * sd[:, None, :]),
            "parameters": used["parameters"],
            "tokens": used["tokens"],
        },
        coords={"law": list(LAW)},
    )


def _to_reference(rows: xr.Dataset, view: View) -> Any:
    """Matrices ``S_i`` from the view's reference to each row's, shape (loss_law, 4, 4).

    Their determinant is one.
    """
    shift = np.broadcast_to(np.eye(len(LAW)), (rows.sizes["loss_law"], len(LAW), len(LAW))).copy()
    shift[:, 0, 2] = -np.log10(rows["parameters"].values / view.loss_law.parameters)
    shift[:, 1, 3] = -np.log10(rows["tokens"].values / view.loss_law.tokens)
    return shift


def whitening(evidence: Evidence, view: View) -> tuple[Any, Any, Any]:
    """Log densities of the rows as squares: ``log density_i = constant_i - |P_i x - c_i|^2 / 2``.

    With ``Sigma = L L'``, these are matrices ``P = L^-1 S``, shape (loss_law, 4, 4), vectors ``c =
    L^-1 mean``, shape (loss_law, 4), and constants, shape (loss_law,).
    """
    rows = fits(evidence)
    inverse = np.linalg.inv(np.linalg.cholesky(rows["covariance"].values))
    scaled = inverse @ _to_reference(rows, view)
    at = (inverse @ rows["mean"].values[..., None])[..., 0]
    log_determinant = np.log(np.diagonal(inverse, axis1=-2, axis2=-1)).sum(axis=-1)
    return scaled, at, log_determinant - 0.5 * len(LAW) * np.log(2 * np.pi)


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name.

    They are those of :func:`whitening` in columns, ``P`` row by row.
    """
    scaled, at, constant = whitening(evidence, view)
    rows = {
        f"white_{i}_{name}": scaled[:, i, j] for i in range(len(LAW)) for j, name in enumerate(LAW)
    }
    rows |= {f"white_{i}_mean": at[:, i] for i in range(len(LAW))} | {"white_constant": constant}
    return {
        "loss_laws_white": xr.Dataset({name: ("loss_law", value) for name, value in rows.items()})
    }


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add the published loss laws to the open model.

    The requirement itself enters in :mod:`aligntax.models.requirements`.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood

    rows = fits(evidence)
    pm.modelcontext(None).add_coord("loss_law", rows["loss_law"].values)
    if not rows.sizes["loss_law"]:
        return
    white = data_columns("loss_laws_white", data(evidence, view)["loss_laws_white"])
    residuals = [
        sum(white[f"white_{i}_{name}"] * x[name] for name in LAW) - white[f"white_{i}_mean"]
        for i in range(len(LAW))
    ]
    terms = white["white_constant"] - 0.5 * sum(r**2 for r in residuals)
    mean = (_to_reference(rows, view) * pt.stack([x[name] for name in LAW])).sum(axis=-1)
    law = pm.MvNormal.dist(mean, chol=np.linalg.cholesky(rows["covariance"].values))
    coords = {dim: rows[dim].values for dim in ("loss_law", "law")}
    add_likelihood("loss_laws", law, rows["mean"].values, "loss_law", coords, terms)


def independent(x: Mapping[str, Any], evidence: Evidence, view: View) -> dict[str, Any]:
    """Loss law of each draw without the fits' correlations of A, B, alpha and beta.

    Their margins are kept. With mean ``m``, covariance ``L L'`` and sd ``s`` of the fits together,
    ``y = (log10 A, log10 B, alpha, beta)`` becomes ``m + s L^-1 (y - m)``: independent where the
    posterior is the fits', as the program samples them.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        :data:`LAW`, at the view's reference.

    Returns
    -------
    dict of ndarray, shape (draw,)
        :data:`LAW`; empty where no fit is used.
    """
    scaled, at, _ = whitening(evidence, view)
    if not len(scaled):
        return {}
    precision = np.einsum("rij,rik->jk", scaled, scaled)
    mean = np.linalg.solve(precision, np.einsum("rij,ri->j", scaled, at))
    to_one = np.eye(len(LAW))  # from the view's reference to 1, where the terms are A and B
    to_one[0, 2], to_one[1, 3] = np.log10(view.loss_law.parameters), np.log10(view.loss_law.tokens)
    covariance = to_one @ np.linalg.inv(precision) @ to_one.T
    sd, factor = np.sqrt(np.diag(covariance)), np.linalg.cholesky(covariance)
    y = np.stack([x[name] for name in LAW]) - mean[:, None]
    apart = (
        np.linalg.solve(to_one, sd[:, None] * np.linalg.solve(factor, to_one @ y)) + mean[:, None]
    )
    apart[2:] = np.maximum(apart[2:], SMALLEST_EXPONENT)  # for draws far from the fits
    return dict(zip(LAW, apart, strict=True))


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`.

    Each row is at its own reference.
    """
    return {"loss_laws": fits(evidence)["mean"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str | tuple[str, ...], Any]]:
    """Replicated fits, (..., loss_law, law), with each row's error and correlations."""
    rows = fits(evidence)
    law = np.stack([x[name] for name in LAW], axis=-1)
    factor = np.linalg.cholesky(rows["covariance"].values)
    error = rng.standard_normal((*law.shape[:-1], *rows["mean"].shape))
    drawn = np.einsum("rij,...j->...ri", _to_reference(rows, view), law) + np.einsum(
        "rij,...rj->...ri", factor, error
    )
    return {"loss_laws": (("loss_law", "law"), drawn)}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["loss_laws"]
    return {"loss_laws": fits(evidence).assign(mean=drawn)}
