"""How many minutes does one label take in this lab?

Labeller ``i`` was timed, with a known standard error ``s_i`` of the log10 of minutes::

    y_i ~ Normal(lab_label_minutes, s_i)
    lab_hours_per_thousand = lab_label_minutes + log10(1000 / 60)

With a lognormal prior everything is normal on the log10 scale, so that the posterior is known
exactly.

======================  =================  =================================
name                    unit               meaning
======================  =================  =================================
lab_label_minutes       log10 minutes      time of one label; elicited
lab_hours_per_thousand  log10 human-hours  time of a thousand labels
======================  =================  =================================
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.arrival import Chance
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.evidence.columns import END, KEY, USED, EvidenceTable, needed, text
from aligntax.models.likelihood import Likelihood
from aligntax.models.priors.quantities import Quantity
from aligntax.models.views import View

QUANTITIES = ("lab_label_minutes",)
TOP_LEVEL: tuple[str, ...] = ()
HEADLINES = ("lab_label_minutes", "lab_hours_per_thousand")

MINUTES = Quantity(
    "lab_label_minutes", "minutes", "log10", "minutes per label", "time of one label in this lab"
)
HOURS = Quantity(
    "lab_hours_per_thousand",
    "human-hours",
    "log10",
    "hours per thousand labels",
    "working time of a thousand labels in this lab",
)
PRIOR = {
    "family": "lognormal",
    "mu": 1.0,  # of the natural logarithm: a median of 2.7 minutes
    "sigma": 0.5,
    "source": "made up for the example",
}
TABLE = EvidenceTable(
    "label_timings",
    "label_timing",
    "Timings of labels in this lab",
    (
        KEY,
        text("labeller", "who was timed"),
        needed("log10_minutes", "log10 minutes", "log10 of minutes per label", -3, 3),
        needed("se", "OOM", "standard error of log10_minutes", 1e-3, 3),
        USED,
        *END,
    ),
    likelihood=True,
)


@replaceable_rows("label_timings")
def timings(evidence: Evidence) -> xr.Dataset:
    """Rows in the likelihood: ``log10_minutes`` and its standard error."""
    return select(evidence["label_timings"])[["log10_minutes", "se"]]


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name."""
    return {"label_timing_data": timings(evidence)}


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add the timings to the open model."""
    import pymc as pm

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood

    rows = timings(evidence)
    pm.modelcontext(None).add_coord("label_timing", rows["label_timing"].values)
    row = data_columns("label_timing_data", data(evidence, view)["label_timing_data"])
    if rows.sizes["label_timing"]:
        law = pm.Normal.dist(x["lab_label_minutes"], row["se"])
        add_likelihood("label_timings", law, row["log10_minutes"], "label_timing")


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the timings alone as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
        add(evidence, view, x)
    return model


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    """Hours of a thousand labels, log10, from draws of the elicited quantity."""
    return {"lab_hours_per_thousand": x["lab_label_minutes"] + np.log10(1000 / 60)}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of its likelihood, under the name of :func:`simulate`."""
    return {"label_timings": timings(evidence)["log10_minutes"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated timings, (..., row)."""
    se, middle = timings(evidence)["se"].values, np.asarray(x["lab_label_minutes"])[..., None]
    shape = (*middle.shape[:-1], len(se))
    return {"label_timings": ("label_timing", middle + se * rng.standard_normal(shape))}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["label_timings"]
    return {"label_timings": timings(evidence).assign(log10_minutes=drawn)}


MODEL = Model(
    name="label-minutes",
    title="Minutes per label in this lab",
    version=1,
    quantities=QUANTITIES,
    tables=("label_timings",),
    headlines=HEADLINES,
    build=build,
    derive=derive,
    likelihoods=(
        Likelihood(
            data=data,
            observed=observed,
            simulate=simulate,
            replicate=replicate,
            top_level=TOP_LEVEL,
        ),
    ),
)
