"""How often do predictions of density fail, and is that within the theorem's bound?

The theorem of :mod:`aligntax.models.density_prediction.theorem` needs no data. This model checks
the program against it, adversary by adversary and for the worst of them. It knows the trials of
``aligntax density-trials`` and not the theorem. Row ``i``, one adversary on ``K_i`` levels at
``epsilon_i``, failed in ``f_i`` of ``n_i`` trials::

    f_i          ~ Binomial(n_i, p_i)
    logit p_i    ~ Normal(logit prediction_failure, adversary_spread)
    delta_i      = 1 / (K_i epsilon_i^2)
    worst        = max_i p_i,   within the bound where p_i <= delta_i for every i

==================  ====  =======================================================
name                unit  meaning
==================  ====  =======================================================
prediction_failure  1     p of a typical adversary; elicited
adversary_spread    1     spread of logit p between adversaries
==================  ====  =======================================================

Adversaries differ much: against a constant stream no prediction fails, and the nearly tight one was
made to reach the bound.

References
----------
.. [1] Drucker, "High-confidence predictions under adversarial uncertainty", 2011. arXiv:1101.4446
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from scipy.special import gammaln

from aligntax.models.density_prediction.theorem import supported_delta
from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

QUANTITIES = ("prediction_failure",)
TOP_LEVEL = ("adversary_spread",)
HEADLINES = (
    "worst_failure",
    "worst_within_bound",
    "failure_probability",
    "prediction_failure",
    "adversary_spread",
)
# Scale on logit p: an adversary who hardly ever wins and one at the bound differ by factors of 20
# and more.
SPREAD = 3.0
FAILURE = "failure_probability_by_density_trial"


@replaceable_rows("density_trials")
def trials(evidence: Evidence) -> xr.Dataset:
    """Rows in the likelihood: ``failures``, ``trials``, levels, epsilon and the adversary."""
    return select(evidence["density_trials"])


def bounds(evidence: Evidence) -> Any:
    """The theorem's ``delta`` of each used row, shape (row,)."""
    rows = trials(evidence)
    pairs = zip(rows["levels"].values, rows["epsilon"].values, strict=True)
    return np.array([supported_delta(int(levels), float(epsilon)) for levels, epsilon in pairs])


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name.

    ``ways`` is the log binomial coefficient.
    """
    rows = trials(evidence)
    failed, count = rows["failures"], rows["trials"]
    ways = gammaln(count + 1) - gammaln(failed + 1) - gammaln(count - failed + 1)
    return {"density_trial_data": xr.Dataset({"failures": failed, "trials": count, "ways": ways})}


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the trials as a ``pm.Model``; evidence without rows leaves the prior."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns, elicited_model
    from aligntax.models.priors.observed import (
        add_likelihood,
        binomial_log_density,
        custom_law,
        drawn_binomial,
        named,
    )
    from aligntax.models.priors.scales import half_normal

    rows = trials(evidence)
    coords = {"density_trial": rows["density_trial"].values}
    with elicited_model(view.tables(QUANTITIES), coords, opened) as (model, x):
        p = x["prediction_failure"]
        spread = half_normal("adversary_spread", SPREAD)
        if rows.sizes["density_trial"]:
            logit = pm.Normal(
                "failure_logit", pt.log(p) - pt.log1p(-p), spread, dims="density_trial"
            )
            row = data_columns("density_trial_data", data(evidence, view)["density_trial_data"])
            terms = row["failures"] * logit - row["trials"] * pt.softplus(logit) + row["ways"]
            law = custom_law(binomial_log_density, drawn_binomial, row["trials"], logit)
            add_likelihood("density_trials", law, row["failures"], "density_trial", terms=terms)
            named("failure_probability", pt.sigmoid(logit), **coords)
    return model


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Probability of failure against each adversary and the worst, and whether all keep the bound.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters; those of rows have a last dimension ``density_trial``.

    Returns
    -------
    dict of ndarray
        ``failure_probability_by_density_trial``, shape (draw, row), is reported as
        ``failure_probability[row]``.
    """
    spread = {"adversary_spread": parameters["adversary_spread"].values}
    if "failure_logit" not in parameters:
        return spread
    p = 1 / (1 + np.exp(-parameters["failure_logit"].values))
    within = (p <= bounds(evidence)).all(axis=-1)
    return {
        "worst_failure": p.max(axis=-1),
        "worst_within_bound": within.astype(float),
        FAILURE: p,
    } | spread


def coords(evidence: Evidence) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Extra dimension of the derived quantities of each row."""
    names = tuple(str(name) for name in trials(evidence)["density_trial"].values)
    return {FAILURE: ("density_trial", names)} if names else {}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """Share of failures of each row, under the name of :func:`simulate`."""
    rows = trials(evidence)
    return {"density_trials": rows["failures"] / rows["trials"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated share of failures of each row, (..., row), against the same adversaries.

    Empty without rows.
    """
    if "failure_logit" not in parameters:
        return {}
    count = trials(evidence)["trials"].values.astype(int)
    p = 1 / (1 + np.exp(-parameters["failure_logit"].values))
    return {"density_trials": ("density_trial", rng.binomial(count, p) / count)}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    rows, drawn = trials(evidence), simulate(x, parameters, evidence, view, rng)
    dim, share = drawn["density_trials"]
    return {"density_trials": rows.assign(failures=(dim, np.round(share * rows["trials"].values)))}
