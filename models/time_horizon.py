"""When does the length of tasks that AI completes reach that of a superhuman coder?

METR's 50% time horizon ``h`` is how long an expert works on tasks that a model completes half the
time [1]_. ``log2 h(t)`` has one of the two shapes in :mod:`aligntax.models.horizon_trend`: each
doubling takes as long as the last, or ever less.

Record-setting model ``i``, measured on one suite of tasks, has ``y_i = log2`` minutes with
published standard error ``s_i``::

    y_i = log2 h(t_i) + s_i sqrt(rho) (cos(a_i) short + sin(a_i) long) + e_i
    e_i ~ StudentT(nu=4, 0, sqrt((1 - rho) s_i^2 + horizon_scatter^2))
    short, long ~ Normal(0, 1)
    rho = suite_error_share ~ Uniform(0, 1)

The angle ``a_i`` is 0 for horizons of a minute and below, pi/2 at 16 hours, and linear in ``log h``
between. A figure known only to be exceeded enters by the survival function.

The intervals are a bootstrap over tasks, and every model does the same tasks. So most of an
interval is the suite's error, not the model's [2]_. Records scatter by 0.34 doublings about their
line since 2024. That is less than their standard errors of 0.5, which independent errors would not
allow. So a share ``rho`` of each variance is the suite's. Tasks of about a model's own length
decide its horizon, so this error is common to models of one length and differs between lengths
(correlation ``cos(a_i - a_j)``): it moves the level of all rows, and tilts them. Without it the
level would pass for known. Independent errors of full size would count the same error once per
model, and would understate the scatter. ``rho`` is inferred from the scatter.

The shape is discrete and is summed out over the whole table, ``log sum_k w_k L_k``. Afterwards one
shape per draw is drawn from ``w_k L_k / sum_j w_j L_j``. Run alone, the model extrapolates and does
not condition on the absence of a superhuman coder so far: the trend may cross before today, which
:func:`derive` counts. The joint model conditions by survival.

=======================  =============  =====================================================
name                     unit           meaning
=======================  =============  =====================================================
time_horizon_level       log10 minutes  ``h`` at ``time_horizon.reference_date`` of the view
time_horizon_doubling    log10 days     time of the doubling that starts at that date
doubling_shrink          1              ``s``
superexponential_weight  1              prior probability of the superexponential shape
time_horizon_threshold   log10 minutes  ``h`` of a superhuman coder
superhuman_coder_lag     log10 years    from superhuman coder to transformative AI
horizon_scatter          doublings      scatter of records about the trend; structural
=======================  =============  =====================================================

All but the last are elicited; the lag counts in the joint model alone.

References
----------
.. [1] Kwa et al., "Measuring AI ability to complete long tasks", 2025. arXiv:2503.14499
.. [2] METR, "Impact of modelling assumptions on time horizon results", 2026. metr.org/notes
.. [3] Lifland et al., "Timelines forecast", 2025. ai-2027.com/supplements: superexponential growth
       and the threshold
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from scipy.special import logsumexp, ndtri

from aligntax.models.arrival import Chance
from aligntax.models.compute import NU, log_survival
from aligntax.models.evidence import Evidence, replaceable_rows
from aligntax.models.horizon_trend import (
    LOG2,
    SHAPES,
    doublings,
    log_horizon,
    threshold_date,
    turns_at,
)
from aligntax.models.views import View

QUANTITIES = (
    "time_horizon_level",
    "time_horizon_doubling",
    "doubling_shrink",
    "superexponential_weight",
    "time_horizon_threshold",
    "superhuman_coder_lag",
)
HEADLINES = (
    "superhuman_coder_year",
    "superhuman_coder_past",
    "superexponential_probability",
    "time_horizon_doubling",
    "time_horizon_level",
    "time_horizon",
)

Values = Mapping[str, Any]

SCATTER = 0.5  # doublings, scale of the prior: a record seldom strays a whole one
SUITE_LIMIT = 960.0  # minutes up to which METR calls its suite reliable
# Log likelihood lost per doubling time by which the trend diverges too early: practically
# infinite.
CLIFF = 1e6
ERRORS = ("horizon_scatter", "suite_error_share", "suite_error_short", "suite_error_long")


# ------------------------------------------------------------------------------------- the evidence


@replaceable_rows("time_horizons")
def evaluations(evidence: Evidence, view: View) -> xr.Dataset:
    """Rows in the likelihood: ``log2`` minutes and their standard error (doublings).

    Loadings and gains of the suite's errors are among the columns.
    """
    table = evidence["time_horizons"]  # plain arrays, since this is called for every block of draws
    date, counts = table["date"].values, table["used"].values
    rows = np.flatnonzero(counts & (date >= view.time_horizon.since))
    rows = rows[np.argsort(date[rows], kind="stable")]
    minutes = table["horizon_minutes"].values[rows]
    width = np.log2(table["horizon_high"].values[rows] / table["horizon_low"].values[rows])
    angle = 0.5 * np.pi * np.clip(np.log(minutes) / np.log(SUITE_LIMIT), 0.0, 1.0)
    columns = {
        "date": date[rows],
        "log2_horizon": np.log2(minutes),
        "log2_sd": width / (2 * 1.96),
        "short": np.cos(angle),
        "long": np.sin(angle),
        "exact": (table["bound"].values[rows] == "exact").astype(float),
    }
    columns["counts"] = np.ones(len(rows))  # a row that counts zero times is left out
    columns["short_gain"], columns["long_gain"] = suite_gains(columns)
    keys = {"evaluation": table["evaluation"].values[rows]}
    return xr.Dataset({name: ("evaluation", column) for name, column in columns.items()}, keys)


def suite_gains(columns: Values) -> Any:
    """What a row's residual says of the suite's two errors, shape (2, evaluation).

    It is the ridge regression with a share of one half. With ``B`` the rows' loadings and ``v`` the
    rest of their variances, the gains are ``(I + B' diag(v)^-1 B)^-1 B' diag(v)^-1``.
    """
    half, scatter = 0.5 * columns["log2_sd"] ** 2, SCATTER * ndtri(0.75)  # the prior's median
    loadings = np.sqrt(half) * np.stack([columns["short"], columns["long"]])
    weighted = loadings * columns["exact"] / (half + scatter**2)
    return np.linalg.solve(np.eye(2) + weighted @ loadings.T, weighted)


def exact_evaluations(evidence: Evidence, view: View) -> xr.Dataset:
    """Rows of :func:`evaluations` whose horizon is known, which are those that can be predicted."""
    rows = evaluations(evidence, view)
    return rows.isel(evaluation=np.flatnonzero(rows["exact"].values))


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"evaluations": evaluations(evidence, view)}


def _arrays(rows: xr.Dataset) -> dict[str, Any]:
    return {str(name): column.values for name, column in rows.data_vars.items()}


def _against_rows(x: Values, parameters: xr.Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
    """Quantities and structural parameters with a trailing axis of one against the rows."""
    column = {name: np.asarray(x[name])[..., None] for name in QUANTITIES}
    return column, {name: parameters[name].values[..., None] for name in ERRORS}


def _suite_error(p: Values, rows: Values) -> Any:
    """Error in each row from the suite's choice of tasks, doublings."""
    share = p["suite_error_short"] * rows["short"] + p["suite_error_long"] * rows["long"]
    return p["suite_error_share"] ** 0.5 * rows["log2_sd"] * share


def _own_scale(p: Values, rows: Values) -> Any:
    """Scale of each row's own error, doublings."""
    own = (1.0 - p["suite_error_share"]) * rows["log2_sd"] ** 2
    return (own + p["horizon_scatter"] ** 2) ** 0.5


def log_terms(x: Values, p: Values, rows: Values, shape: str, view: View, log: Any = np.log) -> Any:
    """Log likelihood of each row under one shape; numpy and PyTensor alike.

    Parameters
    ----------
    x, p : mapping of array or tensor
        Elicited quantities and :data:`ERRORS`: scalars, or with a trailing axis of one against the
        rows.
    rows : mapping of array or tensor, shape (evaluation,)
        Columns of :func:`evaluations`.
    shape : {"exponential", "superexponential"}
    log : callable
        ``numpy.log`` or its PyTensor twin.

    Returns
    -------
    array or tensor, shape (..., evaluation)
    """
    turns = turns_at(x, rows["date"], view)
    trend = x["time_horizon_level"] / LOG2 + doublings(x["doubling_shrink"], turns, shape, log)
    scale = _own_scale(p, rows)
    t = (rows["log2_horizon"] - trend - _suite_error(p, rows)) / scale
    known = np.log(3 / 8) - log(scale) - (NU + 1) / 2 * log(1.0 + t**2 / NU)
    # evaluated at zero in exact rows, where it is not used
    beyond = log_survival(t * (1.0 - rows["exact"]), log)
    terms = rows["exact"] * known + (1.0 - rows["exact"]) * beyond
    if shape == "superexponential":
        # a measurement after the trend has diverged rules this shape out
        late = x["doubling_shrink"] * turns - 1.0
        terms = terms - CLIFF * 0.5 * (late + abs(late))
    return rows["counts"] * terms


# ---------------------------------------------------------------------------------------- the model


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> Any:
    """Add the evaluations to the open model.

    They bring four structural parameters and the potential ``time_horizons``, a scalar.

    Returns
    -------
    tensor, shape (2,)
        Log probability of each of :data:`SHAPES` given the table.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.scales import half_normal, normal_around

    rows = evaluations(evidence, view)
    pm.modelcontext(None).add_coord("evaluation", rows["evaluation"].values)
    row = data_columns("evaluations", rows)
    trend = x["time_horizon_level"] / LOG2 + turns_at(x, row["date"], view)
    residual = row["log2_horizon"] - trend
    p = {
        "horizon_scatter": half_normal("horizon_scatter", SCATTER),
        "suite_error_share": pm.Uniform("suite_error_share", 0.0, 1.0),
    }
    for end in ("short", "long"):  # sampled about what the rows say of them
        name = f"suite_error_{end}"
        p[name] = normal_around(name, (row[f"{end}_gain"] * residual).sum())
    weight = x["superexponential_weight"]
    terms = pt.stack([pt.log1p(-weight), pt.log(weight)])
    if rows.sizes["evaluation"]:
        terms = terms + pt.stack(
            [log_terms(x, p, row, shape, view, pt.log).sum() for shape in SHAPES]
        )
        pm.Potential("time_horizons", pt.logsumexp(terms))
    return terms - pt.logsumexp(terms)


def log_shape_weights(x: Values, parameters: xr.Dataset, evidence: Evidence, view: View) -> Any:
    """Log probability of each of :data:`SHAPES` given the table, as :func:`add` returns it.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        The four structural parameters in the same shape.

    Returns
    -------
    ndarray, shape (draw, 2)
    """
    joint = _log_shapes(x, parameters, evidence, view)[0]
    return joint - logsumexp(joint, axis=-1, keepdims=True)


def _log_shapes(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View
) -> tuple[Any, Any]:
    """Joint log probability of shape and table, and log likelihood of each row under a shape.

    Shapes (draw, 2) and (draw, 2, evaluation).
    """
    arrays = _arrays(evaluations(evidence, view))
    column, p = _against_rows(x, parameters)
    weight = x["superexponential_weight"]
    terms = np.stack([log_terms(column, p, arrays, shape, view) for shape in SHAPES], axis=-2)
    return np.stack([np.log1p(-weight), np.log(weight)], axis=-1) + terms.sum(axis=-1), terms


def pointwise(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, xr.DataArray]:
    """Log density of each evaluation given the draw and the other evaluations, by table.

    The others inform the shape: ``p(y_i | y_-i) = p(y) / p(y_-i)``, each a mixture over
    :data:`SHAPES`. The result has shape (draw, evaluation).
    """
    joint, terms = _log_shapes(x, parameters, evidence, view)
    rest = logsumexp(joint[..., None] - terms, axis=-2)
    keys = {"evaluation": evaluations(evidence, view)["evaluation"].values}
    density = logsumexp(joint, axis=-1)[..., None] - rest
    return {"time_horizons": xr.DataArray(density, keys, ("draw", "evaluation"))}


def build(evidence: Evidence, view: View) -> Any:
    """Return the trend alone as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES)) as (model, x):
        add(evidence, view, x)
    return model


def derive(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance, dates: Any
) -> dict[str, Any]:
    """Arrival of the superhuman coder, and the time horizon at dates, with one shape per draw.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        The four structural parameters in the same shape.
    chance : Chance
        Its uniform ``shape`` picks the shape.
    dates : array_like, shape (date,)
        Decimal years.

    Returns
    -------
    dict of ndarray
        Shape (draw,), ``time_horizon`` (draw, date). A year after ``view.arrival.horizon`` is
        infinity. A year before the evidence of no transformative AI stays as it is, and
        ``superhuman_coder_past`` is 1 there. A horizon that has diverged is infinity.
    """
    probability = np.exp(log_shape_weights(x, parameters, evidence, view))[..., 1]
    bent = chance.shape < probability
    straight, curved = (threshold_date(x, shape, view) for shape in SHAPES)
    year = np.where(bent, curved, straight)
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    lines = [log_horizon(column, np.asarray(dates, dtype=float), shape, view) for shape in SHAPES]
    return {
        "superhuman_coder_year": np.where(year > view.arrival.horizon, np.inf, year),
        "superhuman_coder_past": (year <= evidence.constant("no_tai_until")).astype(float),
        "superexponential_probability": probability,
        "time_horizon": np.where(bent[..., None], lines[1], lines[0]),
    }


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {"log2_horizon": exact_evaluations(evidence, view)["log2_horizon"]}


def simulate(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated ``log2`` horizons of the records, (..., evaluation).

    They are of new models with the same dates on the same suite. The suite's error stays that of
    the draw: the level was corrected for it, so another suite would add it twice.
    """
    probability = np.exp(log_shape_weights(x, parameters, evidence, view))[..., 1:]
    rows = exact_evaluations(evidence, view)
    drawn = _drawn_horizons(x, parameters, rows, probability, view, rng)
    return {"log2_horizon": ("evaluation", drawn)}


def _drawn_horizons(
    x: Values, parameters: xr.Dataset, rows: xr.Dataset, weight: Any, view: View, rng: Generator
) -> Any:
    """Random ``log2`` horizons of rows, (..., evaluation); infinite where the trend has diverged.

    The trend is superexponential with a probability ``weight`` of shape (..., 1).
    """
    arrays = _arrays(rows)
    column, p = _against_rows(x, parameters)
    straight, curved = (log_horizon(column, arrays["date"], shape, view) / LOG2 for shape in SHAPES)
    bent = rng.uniform(size=weight.shape) < weight
    noise = _own_scale(p, arrays) * rng.standard_t(NU, size=straight.shape)
    return np.where(bent, curved, straight) + _suite_error(p, arrays) + noise


def replicate(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars.

    The shape is drawn from its prior. A row known only to exceed a figure is measured exactly where
    its draw is below that figure. A horizon is infinite where the trend has diverged. Such a draw
    has no likelihood, and so no weight in the posterior either.
    """
    rows = evaluations(evidence, view)
    weight = np.asarray(x["superexponential_weight"])[..., None]
    drawn = _drawn_horizons(x, parameters, rows, weight, view, rng)
    bound = np.where(rows["exact"].values > 0, np.inf, rows["log2_horizon"].values)
    exact = (drawn <= bound).astype(float)
    new = rows.assign(
        log2_horizon=("evaluation", np.minimum(drawn, bound)), exact=("evaluation", exact)
    )
    short, long = suite_gains(_arrays(new))
    return {
        "time_horizons": new.assign(
            short_gain=("evaluation", short), long_gain=("evaluation", long)
        )
    }
