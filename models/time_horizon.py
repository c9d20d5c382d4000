"""When does the length of tasks that AI completes reach that of a superhuman coder?

METR's 50% time horizon ``h`` is how long an expert works on tasks that a model completes half the
time [1]_. ``log2 h(t)`` has one of the four shapes in :mod:`aligntax.models.horizon_trend`, and
:mod:`aligntax.models.horizon_evaluations` says how evaluations of models scatter about it.

The shape is discrete and is summed out over the whole table, ``log sum_k w_k L_k``. Afterwards one
shape per draw is drawn from ``w_k L_k / sum_j w_j L_j``. Run alone, the model extrapolates and does
not condition on the absence of a superhuman coder so far: the trend may cross before today, which
:func:`derive` counts. The joint model conditions by survival.

========================  ===========  =======================================================
name                      unit         meaning
========================  ===========  =======================================================
length_bias               doublings    overstatement of a horizon of 16 hours
superhuman_coder_horizon  log10 min    tasks that a superhuman coder completes at 80%
horizon_ratio             log10        ``h`` over the horizon at 80%, of that model
superhuman_coder_lag      log10 years  from superhuman coder to transformative AI
horizon_scatter           doublings    scatter of models about the trend; structural
========================  ===========  =======================================================

All but the last are elicited, and so are the quantities of the shapes; the lag counts in the joint
model alone.

References
----------
.. [1] Kwa et al., "Measuring AI ability to complete long tasks", 2025. arXiv:2503.14499
.. [2] Lifland et al., "Timelines forecast", 2025. ai-2027.com/supplements: the threshold
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models import horizon_trend
from aligntax.models.arrival import Chance
from aligntax.models.blocks import sum_of_rows
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_evaluations import (
    ERRORS,
    SCATTER,
    arrays,
    evaluations,
    expected,
    log_errors,
    log_terms,
    log_terms_of_shapes,
    middle,
    own_scale,
    suite_gains,
)
from aligntax.models.horizon_trend import (
    LOG2,
    SHAPES,
    choose_shape,
    log_shape_priors,
    own_log_horizon,
    own_threshold_date,
    turns_at,
)
from aligntax.models.tens import NU
from aligntax.models.views import View

QUANTITIES = (
    *horizon_trend.QUANTITIES,
    "length_bias",
    "superhuman_coder_horizon",
    "horizon_ratio",
    "superhuman_coder_lag",
)
TOP_LEVEL = ("horizon_scatter", "suite_error_share")
REFRESHED = ("kink_year", "kink_ratio")  # a narrow peak if the shape is the kink, else the prior
HEADLINES = (
    "superhuman_coder_year",
    "superhuman_coder_past",
    "superexponential_probability",
    "time_horizon_doubling",
    "time_horizon_level",
    "time_horizon",
)

MILLION = 6.0  # OOM

Values = Mapping[str, Any]


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"evaluations": evaluations(evidence, view)}


def _against_rows(x: Values, parameters: xr.Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
    """Quantities and structural parameters with a trailing axis of one against the rows."""
    column = {name: np.asarray(x[name])[..., None] for name in QUANTITIES}
    return column, {name: parameters[name].values[..., None] for name in ERRORS}


# ---------------------------------------------------------------------------------------- the model


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> Any:
    """Add the evaluations to the open model.

    They bring four structural parameters and the potential ``time_horizons``, a scalar.

    Returns
    -------
    tensor, shape (4,)
        Log probability of each of :data:`SHAPES` given the table.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood, custom_law, named
    from aligntax.models.priors.scales import half_normal, normal_around

    rows = evaluations(evidence, view)
    pm.modelcontext(None).add_coord("evaluation", rows["evaluation"].values)
    row = data_columns("evaluations", rows)
    straight = x["time_horizon_level"] / LOG2 + turns_at(x, row["date"], view)
    p = {
        "horizon_scatter": half_normal("horizon_scatter", SCATTER),
        "suite_error_share": pm.Uniform("suite_error_share", 0.0, 1.0),
    }
    residual = row["log2_horizon"] - middle(x, p["horizon_scatter"], row, straight, pt)
    for end in ("short", "long"):  # sampled about what the rows say of them
        name = f"suite_error_{end}"
        p[name] = normal_around(name, (row[f"{end}_gain"] * residual).sum())
    prior = terms = pt.stack(log_shape_priors(x, pt))
    if rows.sizes["evaluation"]:
        terms = terms + pt.stack([log_terms(x, p, row, shape, view, pt).sum() for shape in SHAPES])
        means = pt.stack([expected(x, p, row, shape, view, pt) for shape in SHAPES])
        limit = pt.switch(row["exact"] > 0, np.inf, row["log2_horizon"])
        law = custom_law(
            _log_density,
            _drawn_up_to,
            *(prior, means, own_scale(p, row), limit, row["counts"]),
            signature="(k),(k,n),(n),(n),(n)->(n)",
        )
        coords = {"evaluation": rows["evaluation"].values}
        total = pt.logsumexp(terms)
        add_likelihood("time_horizons", law, row["log2_horizon"], None, coords, total)
    shapes = terms - pt.logsumexp(terms)
    named("superexponential_probability", pt.exp(shapes[SHAPES.index("superexponential")]))
    return shapes


def _log_density(value: Any, prior: Any, means: Any, scale: Any, limit: Any, counts: Any) -> Any:
    """Log density of all rows, a mixture over shapes; a row is known exactly below its limit."""
    import pytensor.tensor as pt

    exact = (value < limit).astype("float64")
    terms = counts * log_errors(value, means, scale, exact, pt)
    return pt.logsumexp(prior + terms.sum(axis=-1))


def _drawn_up_to(
    prior: Any, means: Any, scale: Any, limit: Any, counts: Any, rng: Generator
) -> Any:
    """Random rows of a shape drawn from its prior, as far as they are told: at most a limit."""
    return np.minimum(_drawn_rows(np.exp(prior), means, scale, rng), limit)


def _drawn_rows(probability: Any, means: Any, scale: Any, rng: Generator) -> Any:
    """Random ``log2`` horizons (..., row) of one shape, whose means are (..., 4, row)."""
    shape = choose_shape(probability, rng.uniform(size=probability.shape[:-1]))
    mean = np.take_along_axis(means, shape[..., None, None], axis=-2)[..., 0, :]
    return mean + scale * rng.standard_t(NU, size=mean.shape)


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
    ndarray, shape (draw, 4)
    """
    joint = np.moveaxis(log_shapes(x, parameters, evidence, view)[0], -1, 0)
    return np.moveaxis(joint - np.logaddexp.reduce(joint), 0, -1)


def log_shapes(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View
) -> tuple[Any, Any]:
    """Joint log probability of shape and table, and log likelihood of each row under a shape.

    Shapes (draw, 4) and (draw, 4, evaluation).
    """
    rows = arrays(evaluations(evidence, view))
    p = {name: parameters[name].values for name in ERRORS}
    terms = log_terms_of_shapes(x, p, rows, view)
    joint = np.stack(log_shape_priors(x)) + np.stack([sum_of_rows(each) for each in terms])
    return np.moveaxis(joint, 0, -1), np.moveaxis(terms, (0, 1), (-2, -1))


def pointwise(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, xr.DataArray]:
    """Log density of each evaluation given the draw and the other evaluations, by table.

    The others inform the shape: ``p(y_i | y_-i) = p(y) / p(y_-i)``, each a mixture over
    :data:`SHAPES`. The result has shape (draw, evaluation).
    """
    joint, terms = log_shapes(x, parameters, evidence, view)
    rest = np.logaddexp.reduce(joint[..., None] - terms, axis=-2)
    keys = {"evaluation": evaluations(evidence, view)["evaluation"].values}
    density = np.logaddexp.reduce(joint, axis=-1)[..., None] - rest
    return {"time_horizons": xr.DataArray(density, keys, ("draw", "evaluation"))}


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the trend alone as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
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
        Shape (draw,), ``time_horizon`` (draw, date). ``horizon_shape`` is the index of the draw's
        own shape. A year before the evidence of no transformative AI stays as it is, and
        ``superhuman_coder_past`` is 1 there.
    """
    probability = np.exp(log_shape_weights(x, parameters, evidence, view))
    shape = choose_shape(probability, chance.shape)
    coder = superhuman_coder(x, shape, view)
    past = coder["superhuman_coder_year"] <= evidence.constant("no_tai_until")
    return {
        **coder,
        "superhuman_coder_past": past.astype(float),
        "superexponential_probability": probability[:, SHAPES.index("superexponential")],
        "time_horizon": own_log_horizon(x, dates, shape, view),
        "horizon_shape": shape,
    }


def superhuman_coder(
    x: Values, shape: Any, view: View, calendar: Callable[[Any], Any] | None = None
) -> dict[str, Any]:
    """Date of the superhuman coder, and of the same coder if its tasks were a million times longer.

    Where the second hardly lies after the first, the threshold does not decide the answer.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
    shape : ndarray of int, shape (draw,)
        Index into :data:`SHAPES`.
    calendar : callable, optional
        Date at which the horizon is as far as its own trend at a date; the same without.

    Returns
    -------
    dict of ndarray, shape (draw,)
        Infinity after ``view.arrival.horizon``, or never.
    """

    def date(more: float) -> Any:
        year = own_threshold_date(x, shape, view, more)
        year = year if calendar is None else calendar(year)
        return np.where(year <= view.arrival.horizon, year, np.inf)

    return {
        "superhuman_coder_year": date(0.0),
        "superhuman_coder_millionfold": date(MILLION),
    }


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`.

    A horizon that is only known to be exceeded stands there.
    """
    return {"time_horizons": evaluations(evidence, view)["log2_horizon"]}


def simulate(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated ``log2`` horizons, (..., evaluation).

    They are of new models with the same dates on the same suite. The suite's error stays that of
    the draw: the level was corrected for it, so another suite would add it twice.
    """
    probability = np.exp(log_shape_weights(x, parameters, evidence, view))
    rows = evaluations(evidence, view)
    drawn = _drawn_horizons(x, parameters, rows, probability, view, rng)
    return {"time_horizons": ("evaluation", drawn)}


def _drawn_horizons(
    x: Values,
    parameters: xr.Dataset,
    rows: xr.Dataset,
    probability: Any,
    view: View,
    rng: Generator,
) -> Any:
    """Random ``log2`` horizons of rows, (..., evaluation).

    The trend has each of :data:`SHAPES` with a probability of shape (..., 4).
    """
    row = arrays(rows)
    column, p = _against_rows(x, parameters)
    means = np.stack([expected(column, p, row, name, view) for name in SHAPES], axis=-2)
    return _drawn_rows(probability, means, own_scale(p, row), rng)


def replicate(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars.

    The shape is drawn from its prior. A row known only to exceed a figure is measured exactly where
    its draw is below that figure.
    """
    rows = evaluations(evidence, view)
    prior = np.exp(np.stack(log_shape_priors(x), axis=-1))
    drawn = _drawn_horizons(x, parameters, rows, prior, view, rng)
    bound = np.where(rows["exact"].values > 0, np.inf, rows["log2_horizon"].values)
    exact = (drawn <= bound).astype(float)
    new = rows.assign(
        log2_horizon=("evaluation", np.minimum(drawn, bound)), exact=("evaluation", exact)
    )
    short, long = suite_gains(arrays(new))
    return {
        "time_horizons": new.assign(
            short_gain=("evaluation", short), long_gain=("evaluation", long)
        )
    }
