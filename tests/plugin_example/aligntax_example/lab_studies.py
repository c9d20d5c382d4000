"""What does a scaling study of this lab's own say of the data exponent?

A further likelihood for the model ``scaling``, whose equations and names it uses. The lab's study
is a group of its own, and of no style that has a bias::

    y ~ Normal(log gamma, sqrt(s^2 + method_sd^2 + between_study_sd^2))
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.evidence.columns import END, KEY, USED, EvidenceTable, needed, text
from aligntax.models.views import View

TOP_LEVEL: tuple[str, ...] = ()  # it adds no structural parameter
TABLE = EvidenceTable(
    "lab_studies",
    "lab_study",
    "Scaling studies of this lab",
    (
        KEY,
        text("name", "the study"),
        needed("allocation_exponent", "1", "a in N proportional to C^a", 0.01, 0.99),
        needed("allocation_exponent_se", "1", "standard error of a", 0.01, 0.5),
        USED,
        *END,
    ),
    likelihood=True,
)


@replaceable_rows("lab_studies")
def studies(evidence: Evidence) -> xr.Dataset:
    """Rows in the likelihood: ``log_gamma`` and its standard error, as in ``models/scaling.py``."""
    used = select(evidence["lab_studies"])
    a, se = used["allocation_exponent"], used["allocation_exponent_se"]
    return xr.Dataset({"log_gamma": np.log((1 - a) / a), "log_gamma_se": se / (a * (1 - a))})


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name."""
    return {"lab_study_data": studies(evidence)}


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add the study to the graph of ``scaling``, which is open."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood

    rows, model = studies(evidence), pm.modelcontext(None)
    model.add_coord("lab_study", rows["lab_study"].values)
    row = data_columns("lab_study_data", data(evidence, view)["lab_study_data"])
    if rows.sizes["lab_study"]:
        variance = (
            row["log_gamma_se"] ** 2 + model["method_sd"] ** 2 + model["between_study_sd"] ** 2
        )
        law = pm.Normal.dist(x["data_exponent_prior"] * np.log(10), pt.sqrt(variance))
        add_likelihood("lab_studies", law, row["log_gamma"], "lab_study")


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of its likelihood, under the name of :func:`simulate`."""
    return {"lab_studies": studies(evidence)["log_gamma"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated ``log gamma``, (..., row)."""
    se = studies(evidence)["log_gamma_se"].values
    middle = np.asarray(x["data_exponent_prior"])[..., None] * np.log(10)
    spreads = [parameters[name].values[..., None] for name in ("method_sd", "between_study_sd")]
    spread = np.sqrt(se**2 + spreads[0] ** 2 + spreads[1] ** 2)
    return {"lab_studies": ("lab_study", middle + spread * rng.standard_normal(spread.shape))}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["lab_studies"]
    return {"lab_studies": studies(evidence).assign(log_gamma=drawn)}
