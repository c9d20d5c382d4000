"""What does one evaluation of a model's time horizon say of the trend?

Every model of the frontier's class that a suite of tasks measured is a row, ``y_i = log2`` minutes
with published standard error ``s_i``::

    y_i = log2 h(t_i) - lead horizon_scatter + length_bias l(log2 h(t_i))
          + s_i sqrt(rho) (cos(a_i) short + sin(a_i) long) + e_i
    e_i ~ StudentT(nu=4, 0, sqrt((1 - rho) s_i^2 + horizon_scatter^2))
    short, long ~ Normal(0, 1)
    rho = suite_error_share ~ Uniform(0, 1)

``h`` is the horizon of the best model. Models released at about the same time differ by
``horizon_scatter``, and the best of several leads their middle by ``lead`` times that, the expected
largest of as many standard normals as developers share the frontier. To use only models that were
measured as the longest at release would pick the best of several noisy estimates, and count their
luck as progress. A view may do so (``time_horizon.rows = "records"``); ``lead`` is then zero.

``l`` is 0 for a minute and below, 1 for 16 hours and above, and linear in ``log h`` between. The
angle ``a_i`` is ``pi / 2`` times ``l`` of the measured horizon. A figure known only to be exceeded
enters by the survival function.

The intervals are a bootstrap over tasks, and every model does the same tasks. So most of an
interval is the suite's error, not the model's [1]_. Records scatter by 0.34 doublings about their
line since 2024. That is less than their standard errors of 0.5, which independent errors would not
allow. So a share ``rho`` of each variance is the suite's. Tasks of about a model's own length
decide its horizon, so this error is common to models of one length and differs between lengths
(correlation ``cos(a_i - a_j)``): it moves the level of all rows, and tilts them. Without it the
level would pass for known. Independent errors of full size would count the same error once per
model, and would understate the scatter. ``rho`` is inferred from the scatter.

The suite's error has mean zero. What is known of its direction is ``length_bias``: noise in the
lengths of tasks, tasks that are public, and the form of success curves all overstate long horizons.

References
----------
.. [1] METR, "Impact of modelling assumptions on time horizon results", 2026. metr.org/notes
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri

from aligntax.models.compute import survival
from aligntax.models.evidence import Evidence, replaceable_rows
from aligntax.models.horizon_trend import LOG2, SHAPES, doublings, turns_at
from aligntax.models.tens import NU
from aligntax.models.views import View

Values = Mapping[str, Any]

SCATTER = 0.5  # doublings, scale of the prior: a model seldom strays a whole one
SUITE_LIMIT = 960.0  # minutes up to which METR calls its suite reliable
# log density of Student's t at zero, and the power of what falls with the distance
CONSTANT, POWER = np.log(3 / 8), (NU + 1) / 2
ERRORS = ("horizon_scatter", "suite_error_share", "suite_error_short", "suite_error_long")


@replaceable_rows("time_horizons")
def evaluations(evidence: Evidence, view: View) -> xr.Dataset:
    """Rows in the likelihood: ``log2`` minutes and their standard error (doublings).

    Loadings of the errors and gains of the suite's are among the columns.
    """
    table = evidence["time_horizons"]  # plain arrays, since this is called for every block of draws
    rows = np.flatnonzero(chosen(table, view))
    date, minutes = table["date"].values, table["horizon_minutes"].values
    rows = rows[np.argsort(date[rows], kind="stable")]
    width = np.log2(table["horizon_high"].values[rows] / table["horizon_low"].values[rows])
    angle = 0.5 * np.pi * length(np.log2(minutes[rows]))
    lead = evidence.constant("frontier_lead") if view.time_horizon.rows == "all" else 0.0
    columns = {
        "date": date[rows],
        "log2_horizon": np.log2(minutes[rows]),
        "log2_sd": width / (2 * 1.96),
        "lead": np.full(len(rows), lead),
        "short": np.cos(angle),
        "long": np.sin(angle),
        "exact": (table["bound"].values[rows] == "exact").astype(float),
    }
    columns["counts"] = np.ones(len(rows))  # a row that counts zero times is left out
    columns["short_gain"], columns["long_gain"] = suite_gains(columns)
    keys = {"evaluation": table["evaluation"].values[rows]}
    return xr.Dataset({name: ("evaluation", column) for name, column in columns.items()}, keys)


def chosen(table: xr.Dataset, view: View) -> Any:
    """Whether each row of ``time_horizons`` enters under a view's settings, (evaluation,).

    Where reward hacks count as successes, a model's figure with them replaces the one without, if
    the suite's authors published it.
    """
    settings, hacks = view.time_horizon, table["reward_hacks"].values
    enters = table["used"].values & (table["date"].values >= settings.since)
    counted = enters & (hacks == "count") & (settings.reward_hacks == "count")
    replaced = np.isin(table["name"].values, table["name"].values[counted])
    enters &= counted | ((hacks == "fail") & ~replaced)
    return enters & table["record"].values if settings.rows == "records" else enters


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


def arrays(rows: xr.Dataset) -> dict[str, Any]:
    """Columns of rows as plain arrays."""
    return {str(name): column.values for name, column in rows.data_vars.items()}


def length(log2_minutes: Any, xp: Any = np) -> Any:
    """Where a horizon stands between a minute, 0, and :data:`SUITE_LIMIT`, 1."""
    return xp.clip(log2_minutes / np.log2(SUITE_LIMIT), 0.0, 1.0)


def middle(x: Values, scatter: Any, rows: Values, trend: Any, xp: Any = np) -> Any:
    """Expected ``log2`` minutes of each row but for the suite's error, given ``log2 h``."""
    return trend - rows["lead"] * scatter + x["length_bias"] * length(trend, xp)


def suite_error(p: Values, rows: Values) -> Any:
    """Error in each row from the suite's choice of tasks, doublings."""
    share = p["suite_error_short"] * rows["short"] + p["suite_error_long"] * rows["long"]
    return p["suite_error_share"] ** 0.5 * rows["log2_sd"] * share


def own_scale(p: Values, rows: Values) -> Any:
    """Scale of each row's own error, doublings."""
    own = (1.0 - p["suite_error_share"]) * rows["log2_sd"] ** 2
    return (own + p["horizon_scatter"] ** 2) ** 0.5


def log_terms(x: Values, p: Values, rows: Values, shape: str, view: View, xp: Any = np) -> Any:
    """Log likelihood of each row under one shape; numpy and PyTensor alike.

    Parameters
    ----------
    x, p : mapping of array or tensor
        Elicited quantities and :data:`ERRORS`: scalars, or with a trailing axis of one against the
        rows.
    rows : mapping of array or tensor, shape (evaluation,)
        Columns of :func:`evaluations`.
    shape : str
        One of :data:`aligntax.models.horizon_trend.SHAPES`.
    xp : module
        ``numpy`` or ``pytensor.tensor``.

    Returns
    -------
    array or tensor, shape (..., evaluation)
    """
    mean, scale = expected(x, p, rows, shape, view, xp), own_scale(p, rows)
    return rows["counts"] * log_errors(rows["log2_horizon"], mean, scale, rows["exact"], xp)


def expected(x: Values, p: Values, rows: Values, shape: str, view: View, xp: Any = np) -> Any:
    """Location of each row's ``log2`` minutes under one shape; arguments of :func:`log_terms`."""
    turns = turns_at(x, rows["date"], view)
    trend = x["time_horizon_level"] / LOG2 + doublings(x, turns, shape, view, xp)
    return middle(x, p["horizon_scatter"], rows, trend, xp) + suite_error(p, rows)


def log_errors(value: Any, mean: Any, scale: Any, exact: Any, xp: Any = np) -> Any:
    """Log density of each row; of a lower bound the log probability of exceeding it."""
    t, known = (value - mean) / scale, exact > 0
    inside = xp.where(known, 1.0 + t**2 / NU, survival(t, xp))
    power = (1.0 - exact) - POWER * exact  # of what stands inside one logarithm
    return exact * (CONSTANT - xp.log(scale)) + power * xp.log(inside)


def log_terms_of_shapes(x: Values, p: Values, rows: Values, view: View) -> Any:
    """:func:`log_terms` of every shape, (shape, evaluation, draw); rows are (evaluation,).

    What shapes share is worked out once, and survival functions in lower bounds alone.
    """
    row = {
        name: column.reshape(-1, *[1] * np.ndim(p["horizon_scatter"]))
        for name, column in rows.items()
    }
    turns, level = turns_at(x, row["date"], view), x["time_horizon_level"] / LOG2
    suite, scale = suite_error(p, row), own_scale(p, row)
    log_scale, bound = np.log(scale), np.flatnonzero(rows["exact"] < 1.0)
    terms = np.empty((len(SHAPES), *scale.shape))
    for shape, own in zip(SHAPES, terms, strict=True):
        trend = level + doublings(x, turns, shape, view)
        t = (row["log2_horizon"] - (middle(x, p["horizon_scatter"], row, trend) + suite)) / scale
        own[:] = CONSTANT - log_scale - POWER * np.log(1.0 + t**2 / NU)
        own[bound] = np.log(survival(t[bound]))
    return row["counts"] * terms
