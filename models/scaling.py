"""Does training data grow linearly with parameters, or as parameters^0.8?

Along the compute-optimal path ``N ~ C^a`` and ``C = 6 N D``, so ``D ~ N^gamma`` with ``gamma = (1 -
a) / a`` and ``log gamma = -logit a``. Study ``i`` of group ``g`` reports ``y_i``, an estimate of
``log gamma`` with standard error ``s_i``::

    y_i       = log gamma + offset_g + kaplan_bias * kaplan_style_i + isoflop_bias * isoflop_i + e_i
    offset_g  ~ Normal(0, between_study_sd)
    e_g       ~ Normal(0, S),   S_ii = s_i^2 + method_sd^2,   S_ij = error_correlation * s_i * s_j
    data_exponent = gamma * exp(between_study_sd * regime_offset),   regime_offset ~ Normal(0, 1)

Analyses of the same runs form one group, so that three analyses of Chinchilla's runs are not three
studies. Offsets and errors are integrated out: a group's covariance is a diagonal plus two outer
products, and the matrix determinant lemma gives its density from sums over the group's rows. Rows
of one group with and without a set-up inform the bias of that set-up (Porian et al.'s end-to-end
contrast); Kaplan et al. enter through that bias. In the same way parabolas through isoFLOP profiles
(Hoffmann et al.'s approach 2), which Czech et al. find to ask for too much data, have a bias of
their own. Its prior is small, and groups with and without that method inform it.

================  =======  ===================================================================
name              unit     meaning
================  =======  ===================================================================
gamma             1        pooled data exponent; elicited (``data_exponent_prior``)
kaplan_bias       1        bias of log gamma in Kaplan-style set-ups
isoflop_bias      1        bias of log gamma where parabolas are fitted to isoFLOP profiles
between_study_sd  1        spread of log gamma between groups (corpora, tokenisers, recipes)
method_sd         1        spread of log gamma between methods on the same runs
================  =======  ===================================================================

References
----------
.. [1] Hoffmann et al., "Training compute-optimal large language models", 2022. arXiv:2203.15556
.. [2] Porian et al., "Resolving discrepancies in compute-optimal scaling of language models", 2024.
       arXiv:2406.19146
.. [3] Besiroglu et al., "Chinchilla scaling: a replication attempt", 2024. arXiv:2404.10102
.. [4] Czech et al., "Problems with Chinchilla approach 2", 2026. arXiv:2603.22339
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

QUANTITIES = ("data_exponent_prior",)
TOP_LEVEL = ("between_study_sd", "method_sd", "kaplan_bias", "isoflop_bias")
ISOFLOP = "IsoFLOP profiles"  # method of the rows that have `isoflop_bias`
# Czech et al.'s one contrast is 0.16 in log gamma (0.04 in a): not much more than a prior sd
ISOFLOP_BIAS_SD = 0.1
HEADLINES = ("data_exponent", "data_exponent_pooled", "between_study_sd", "kaplan_bias")


@replaceable_rows("scaling_exponents")
def studies(evidence: Evidence) -> xr.Dataset:
    """Rows in the likelihood, with ``log_gamma``, its standard error and the group's index.

    The standard error of ``a`` becomes one of ``log gamma`` by the delta method: ``s = s_a / (a (1
    - a))``.
    """
    used = select(evidence["scaling_exponents"])
    a, se = used["allocation_exponent"], used["allocation_exponent_se"]
    names, index = np.unique(used["independence_group"].values, return_inverse=True)
    return xr.Dataset(
        {
            "log_gamma": np.log((1 - a) / a),
            "log_gamma_se": se / (a * (1 - a)),
            "kaplan_style": used["kaplan_style"].astype(float),
            "isoflop": (used["method"] == ISOFLOP).astype(float),
            "group_index": ("study", index),
        },
        coords={"group": names},
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    columns = ["log_gamma", "log_gamma_se", "kaplan_style", "isoflop", "group_index"]
    return {"studies": studies(evidence)[columns]}


def group_log_likelihood(
    residual: Any, se: Any, total: Any, tau: Any, method_sd: Any, correlation: Any, log: Any
) -> Any:
    """Log density of each group's residuals, offsets and shared errors integrated out.

    Covariance of a group ``diag(v) + (tau 1)(tau 1)' + u u'`` with ``v = (1 - correlation) s^2 +
    method_sd^2`` and ``u = sqrt(correlation) s``; with ``M = I + U' diag(v)^-1 U`` of size two,
    ``log det = sum log v + log det M`` and the quadratic form is ``r'r/v - (U'r/v)' M^-1 (U'r/v)``.

    Parameters
    ----------
    residual, se : array or tensor, shape (study,)
    total : callable
        Sum over each group: from shape (study,) to shape (group,).
    tau, method_sd, correlation : scalar
    log : callable
        ``numpy.log`` or its PyTensor twin.

    Returns
    -------
    array or tensor, shape (group,)
    """
    v, u = (1 - correlation) * se**2 + method_sd**2, correlation**0.5 * se
    m11, m12, m22 = 1 + tau**2 * total(1 / v), tau * total(u / v), 1 + total(u**2 / v)
    b1, b2 = tau * total(residual / v), total(u * residual / v)
    determinant = m11 * m22 - m12**2
    quadratic = (
        total(residual**2 / v) - (m22 * b1**2 - 2 * m12 * b1 * b2 + m11 * b2**2) / determinant
    )
    return -0.5 * (quadratic + total(log(v) + np.log(2 * np.pi)) + log(determinant))


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> Any:
    """Add the meta-analysis to the open model.

    Returns
    -------
    tensor
        ``data_exponent`` for a new regime, the gamma that the requirement uses.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood, custom_law, named
    from aligntax.models.priors.scales import half_normal

    rows = studies(evidence)
    model = pm.modelcontext(None)
    model.add_coords({"study": rows["study"].values, "group": rows["group"].values})
    settings = pm.Data("scaling_settings", view_settings(view))
    correlation, scale = settings[0], settings[1]
    # by default 0.3: corpora seldom differ by more than a factor of two
    tau = half_normal("between_study_sd", scale)
    # methods on the same runs differ by about 0.05 in a, 0.2 in log gamma, at most
    method_sd = half_normal("method_sd", 0.1)
    # Kaplan's gamma may be a tenth or ten times the truth
    bias = pm.Normal("kaplan_bias", 0.0, 2.0)
    isoflop_bias = pm.Normal("isoflop_bias", 0.0, ISOFLOP_BIAS_SD)
    regime = pm.Normal("regime_offset")
    log_gamma = x["data_exponent_prior"] * np.log(10)
    study = data_columns("studies", data(evidence, view)["studies"])
    group = study["group_index"].astype("int64")
    expected = log_gamma + bias * study["kaplan_style"] + isoflop_bias * study["isoflop"]

    def log_density(value: Any, mean: Any, se: Any, index: Any, tau: Any, sd: Any, rho: Any) -> Any:
        def total(column: Any) -> Any:
            return pt.zeros(rows.sizes["group"])[index].inc(column)

        return group_log_likelihood(value - mean, se, total, tau, sd, rho, pt.log)

    if rows.sizes["study"]:
        law = custom_law(
            log_density,
            drawn_studies,
            *(expected, study["log_gamma_se"], group, tau, method_sd, correlation),
            signature="(n),(n),(n),(),(),()->(n)",
        )
        # rows of a group are one unit, and PyMC has no dimension for both
        add_likelihood("scaling_exponents", law, study["log_gamma"], "group", value_coords={})
    named("data_exponent_pooled", pt.exp(log_gamma))
    return named("data_exponent", pt.exp(log_gamma + tau * regime))


def drawn_studies(
    expected: Any, se: Any, group: Any, tau: Any, method_sd: Any, correlation: Any, rng: Generator
) -> Any:
    """Random estimates of ``log gamma``, (..., study), with new group offsets and errors.

    Parameters
    ----------
    expected : ndarray, shape (..., study)
    se : ndarray, shape (study,)
    group : ndarray of int, shape (study,)
    tau, method_sd : ndarray, shape (...,)
    correlation : float
    """
    tau, method_sd = np.asarray(tau)[..., None], np.asarray(method_sd)[..., None]
    shape = (2, *expected.shape[:-1], len(np.unique(group)))
    shared = rng.standard_normal(shape)[..., group]
    own = rng.standard_normal(expected.shape)
    offset = tau * shared[0] + np.sqrt(correlation) * se * shared[1]
    error = np.sqrt((1 - correlation) * se**2 + method_sd**2) * own
    return expected + offset + error


def view_settings(view: View) -> Any:
    """Settings of a view in the graph: error correlation and scale of ``between_study_sd``."""
    return np.asarray([view.scaling.error_correlation, view.scaling.between_study_scale])


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the meta-analysis alone as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
        add(evidence, view, x)
    return model


def derive(x: Mapping[str, Any], parameters: xr.Dataset) -> dict[str, Any]:
    """Data exponents from draws.

    Parameters
    ----------
    x : dict of ndarray
        Elicited quantities on their own scales, any shape.
    parameters : xarray.Dataset
        ``between_study_sd``, ``kaplan_bias`` and ``regime_offset`` of the same shape.
    """
    log_gamma = x["data_exponent_prior"] * np.log(10)
    tau = parameters["between_study_sd"].values
    return {
        "data_exponent_pooled": np.exp(log_gamma),
        "data_exponent": np.exp(log_gamma + tau * parameters["regime_offset"].values),
        "between_study_sd": tau,
        "kaplan_bias": parameters["kaplan_bias"].values,
    }


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`.

    The coordinate ``group`` names the unit of the likelihood that a study belongs to.
    """
    rows = studies(evidence)
    groups = rows["group"].values[rows["group_index"].values.astype(int)]
    return {"scaling_exponents": rows["log_gamma"].assign_coords(group=("study", groups))}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated estimates of ``log gamma``, (..., study), with new group offsets and errors."""
    rows = studies(evidence)
    bias, isoflop_bias = (
        parameters[name].values[..., None] for name in ("kaplan_bias", "isoflop_bias")
    )
    mean = (
        x["data_exponent_prior"][..., None] * np.log(10)
        + bias * rows["kaplan_style"].values
        + isoflop_bias * rows["isoflop"].values
    )
    tau, method_sd = (parameters[name].values for name in ("between_study_sd", "method_sd"))
    se, group = rows["log_gamma_se"].values, rows["group_index"].values
    rho = view.scaling.error_correlation
    drawn = drawn_studies(mean, se, group, tau, method_sd, rho, rng)
    return {"scaling_exponents": ("study", drawn)}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["scaling_exponents"]
    return {"scaling_exponents": studies(evidence).assign(log_gamma=drawn)}
