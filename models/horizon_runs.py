"""What do single runs of models on tasks say of the trend of time horizons?

Task ``k`` takes a person ``2^L_k`` minutes, of which the stated time ``x_k`` (log2 minutes) is a
noisy measure, and is as hard for models as a typical task of ``2^difficulty_k`` minutes. Model
``m``, released at ``t_m``, succeeds in ``s_mk`` of ``n_mk`` runs::

    L_k          ~ Normal(task_mean, task_sd)
    x_k          ~ Normal(L_k, e_k)
    difficulty_k ~ Normal(L_k, difficulty_spread)
    ability_m    ~ Normal(log2 h(t_m), ability_spread)
    s_mk         ~ Binomial(n_mk, logistic(success_slope (ability_m - difficulty_k)))

So ``2^ability_m`` minutes is the model's 50% time horizon, and ``h(t)`` is one of the shapes of
:mod:`aligntax.models.horizon_trend`. Each shape is a model of its own. The error of a stated time
is ``e_k = human_time_error / sqrt(people)`` where so many people were timed, and ``estimate_error``
where it was estimated.

``L_k`` is integrated out. With the share ``r = task_sd^2 / (task_sd^2 + difficulty_spread^2)``::

    difficulty_k       ~ Normal(task_mean, sqrt(task_sd^2 + difficulty_spread^2))
    x_k | difficulty_k ~ Normal(task_mean + r (difficulty_k - task_mean),
                                sqrt(e_k^2 + (1 - r) task_sd^2))

Tasks of one length differ in difficulty. Among tasks of a length ``L``, success at 80% is therefore
rarer than for a typical one [1]_. The 80% horizon is ``2^(ability - d)`` minutes with
``E logistic(success_slope (d - difficulty_spread z)) = 0.8``, ``z`` standard normal.

==================  ==========  ===================================================================
name                unit        meaning
==================  ==========  ===================================================================
success_slope       1/doubling  fall of the log odds of success per doubling of the task's length
difficulty_spread   doublings   sd of difficulty among tasks of one length
ability_spread      doublings   sd of models about the trend at their dates
human_time_error    doublings   sd of one person's time about the task's
estimate_error      doublings   sd of an estimated time about the task's
task_mean, task_sd  doublings   mean and sd of log2 minutes over tasks
==================  ==========  ===================================================================

These are structural; the quantities of the trend are elicited. Sampled are ``hardness``, which is
``success_slope (difficulty - 4)``, and ``skill``, the same of ``ability``.

A superhuman coder's horizon is elicited at 80%, and the ratio of the two horizons is the runs' own.

References
----------
.. [1] Moss, "METR's data can't distinguish between trajectories", 2026. github.com/JonasMoss
       /metr-stats, commit dfca566: tasks of one length differ 4.7-fold in difficulty; 80% horizons
       are ten times too long without it
.. [2] korentomas, "A measurement-error model for METR's time horizon", 2026. github.com/korentomas
       /metr-measurement-error, commit b8c93ee: latent human times
.. [3] Barry, "Impact of modelling assumptions on time horizon results", 2026. metr.org/notes, as
       quoted in [2]_: one person's time has a log sd of 0.78; 60% of estimates lie within a factor
       of three
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.random import Generator
from scipy.special import expit, gammaln

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.horizon_trend import DAYS, LOG2, date_of, log_horizon
from aligntax.models.views import View

TREND = ("time_horizon_level", "time_horizon_doubling", "superhuman_coder_horizon")
# quantities of the trend that a shape has beside those
OF_SHAPE: Mapping[str, tuple[str, ...]] = {
    "exponential": (),
    "superexponential": ("doubling_shrink", "doubling_floor"),
    "kink": ("kink_year", "kink_ratio", "doubling_floor"),
    "saturating": ("saturation_doublings",),
}
HEADLINES = (
    "superhuman_coder_year",
    "superhuman_coder_past",
    "time_horizon_doubling_now",
    "success_slope",
    "difficulty_spread",
    "time_horizon",
    "time_horizon_80",
)

# Median and sd of the log of each scale's prior. Log-normal, since none can be zero. By the first
# two sources above: 0.93 x ln 2 per doubling with a task's own discrimination near 1, and a factor
# of 4.7; by the third: 0.78 / ln 2, and the normal that has 60% within log2 3, less 0.4 of timing.
SCALES = {
    "success_slope": (0.7, 0.5),
    "difficulty_spread": (2.2, 0.5),
    "ability_spread": (0.7, 0.5),  # METR's models stray 0.34 to 0.68 doublings from their line
    "human_time_error": (1.13, 0.3),
    "estimate_error": (1.83, 0.3),
    "task_sd": (3.0, 0.5),  # 90% of tasks within a factor of a thousand, as METR's suites have them
}
TASK_MEAN = (4.0, 3.0)  # doublings: a quarter of an hour, METR's suites being seconds to days
OFF_TREND = (4.0, 10.0)  # doublings of a minute, mean and sd: wide beside any trend
ORIGIN = 4.0  # doublings of a minute at which log odds count as zero; it changes no density
REPORTED = tuple(name for name in SCALES if name != "task_sd")
TOP_LEVEL = (*SCALES, "task_mean")
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
BISECTIONS = 50  # of an interval of a few dozen doublings: to rounding
STEP = 0.01  # years before and after a date, between which the trend's slope is taken

Values = Mapping[str, Any]


def model_name(shape: str) -> str:
    """Name in the catalogue of the model with one shape of trend."""
    return f"horizon-runs-{shape}"


def quantities(shape: str) -> tuple[str, ...]:
    """Elicited quantities of the model with one shape of trend."""
    return (*TREND, *OF_SHAPE[shape])


# ------------------------------------------------------------------------------------- the evidence


@replaceable_rows("horizon_runs")
def runs(evidence: Evidence) -> xr.Dataset:
    """Numbers of the likelihood: of tasks, of models, and of every pair of them.

    Over ``horizon_task`` these are ``minutes`` (log2) and how much of each error the stated time
    has: ``of_people`` is one over the root of the people who were timed, ``of_estimates`` is 1
    where the time is an estimate. Over ``horizon_agent`` there are the ``date`` and ``on_trend``,
    which is 1; where it is 0 an ability is not about the trend but about :data:`OFF_TREND`. Over
    both there are ``successes`` and ``attempts``, which are 0 where the model did not run.
    """
    used = select(evidence["horizon_runs"])
    tasks, first, task = np.unique(used["task"].values, return_index=True, return_inverse=True)
    names, first_of_agent, agent = np.unique(
        used["agent"].values, return_index=True, return_inverse=True
    )
    counts = np.zeros((2, len(tasks), len(names)))
    for i, column in enumerate(("successes", "attempts")):
        np.add.at(counts[i], (task, agent), used[column].values)
    timed = used["human_source"].values[first] == "baseline"
    people = np.maximum(used["people"].values[first], 1.0)
    return xr.Dataset(
        {
            "minutes": ("horizon_task", np.log2(used["human_minutes"].values[first])),
            "of_people": ("horizon_task", np.where(timed, people**-0.5, 0.0)),
            "of_estimates": ("horizon_task", (~timed).astype(float)),
            "date": ("horizon_agent", used["date"].values[first_of_agent]),
            "on_trend": ("horizon_agent", np.ones(len(names))),
            "successes": (("horizon_task", "horizon_agent"), counts[0]),
            "attempts": (("horizon_task", "horizon_agent"), counts[1]),
        },
        {"horizon_task": tasks.astype(str), "horizon_agent": names.astype(str)},
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    rows = runs(evidence)
    counts = rows[["successes", "attempts"]]
    # of the graph's evaluations none should take thousands of gamma functions
    pairs = counts.assign(log_ways=_log_ways(counts["successes"], counts["attempts"]))
    pairs = pairs.stack(horizon_pair=("horizon_task", "horizon_agent"))
    return {
        "horizon_tasks": rows[["minutes", "of_people", "of_estimates"]],
        "horizon_agents": rows[["date", "on_trend"]],
        "horizon_pairs": pairs.drop_vars(("horizon_pair", "horizon_task", "horizon_agent")),
    }


def _log_ways(successes: xr.DataArray, attempts: xr.DataArray) -> xr.DataArray:
    """Log of the binomial coefficient."""
    ways = gammaln(attempts + 1) - gammaln(successes + 1) - gammaln(attempts - successes + 1)
    return cast(xr.DataArray, ways)


# ---------------------------------------------------------------------------------------- the model


def _time_error(p: Values, task: Values) -> Any:
    """Standard error of each stated time, doublings."""
    return p["human_time_error"] * task["of_people"] + p["estimate_error"] * task["of_estimates"]


def _stated_time(p: Values, difficulty: Any, task: Values) -> tuple[Any, Any]:
    """Mean and sd of each stated time (log2 minutes) given the task's difficulty."""
    share = p["task_sd"] ** 2 / (p["task_sd"] ** 2 + p["difficulty_spread"] ** 2)
    mean = p["task_mean"] + share * (difficulty - p["task_mean"])
    return mean, (_time_error(p, task) ** 2 + (1.0 - share) * p["task_sd"] ** 2) ** 0.5


def trend(x: Values, date: Any, shape: str, view: View, xp: Any = np) -> Any:
    """Trend of abilities, ``log2`` minutes; ``xp`` as in ``log_horizon``."""
    return log_horizon(x, date, shape, view, xp) / LOG2


def add(evidence: Evidence, view: View, x: Values, shape: str) -> None:
    """Add the runs to the open model.

    They bring the structural parameters of the table above, ``hardness`` of each task and ``skill``
    of each model, and the potentials ``horizon_runs``, one element for each model, and
    ``human_times``, one for each task.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import (
        add_likelihood,
        binomial_log_density,
        custom_law,
        drawn_binomial,
        named,
    )

    rows = runs(evidence)
    model, numbers = pm.modelcontext(None), data(evidence, view)
    model.add_coords({dim: rows[dim].values for dim in ("horizon_task", "horizon_agent")})
    p = {name: pm.LogNormal(name, np.log(median), sd) for name, (median, sd) in SCALES.items()}
    p["task_mean"] = pm.Normal("task_mean", *TASK_MEAN)
    if not rows.sizes["horizon_agent"]:
        return
    task, agent, pair = (data_columns(name, table) for name, table in numbers.items())
    # Sampled in log odds, in which the runs determine them: a slope and the doublings that it
    # multiplies are strongly correlated.
    slope, spread = p["success_slope"], pt.sqrt(p["task_sd"] ** 2 + p["difficulty_spread"] ** 2)
    typical = slope * (p["task_mean"] - ORIGIN)
    hardness = pm.Normal("hardness", typical, slope * spread, dims="horizon_task")
    on, (mean, sd) = agent["on_trend"], OFF_TREND
    expected = on * trend(x, agent["date"], shape, view, pt) + (1.0 - on) * mean
    sd = on * p["ability_spread"] + (1.0 - on) * sd
    skill = pm.Normal("skill", slope * (expected - ORIGIN), slope * sd, dims="horizon_agent")
    difficulty = ORIGIN + hardness / slope

    stated = pm.Normal.dist(*_stated_time(p, difficulty, task))
    add_likelihood("human_times", stated, task["minutes"], "horizon_task")
    grid = (rows.sizes["horizon_task"], rows.sizes["horizon_agent"])
    successes, attempts, ways = (
        pair[name].reshape(grid) for name in ("successes", "attempts", "log_ways")
    )
    odds = skill[None, :] - hardness[:, None]
    terms = ways + successes * odds - attempts * pt.softplus(odds)

    def log_density(value: Any, count: Any, logit: Any) -> Any:
        return binomial_log_density(value, count, logit).sum(axis=-1)

    law = custom_law(log_density, drawn_binomial, attempts.T, odds.T, signature="(n),(n)->(n)")
    coords = {dim: rows[dim].values for dim in ("horizon_agent", "horizon_task")}
    add_likelihood(
        "horizon_runs", law, successes.T, "horizon_agent", coords, terms=terms.sum(axis=0)
    )
    horizon = LOG2 * (ORIGIN + skill / slope)
    named("agent_time_horizon", horizon, horizon_agent=rows["horizon_agent"].values)


def build(evidence: Evidence, view: View, shape: str, opened: bool = False) -> Any:
    """Return the runs with one shape of trend as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(quantities(shape)), opened=opened) as (model, x):
        add(evidence, view, x, shape)
    return model


def ability(parameters: xr.Dataset) -> Any:
    """Ability of each model, doublings of a minute, (..., horizon_agent)."""
    return _in_doublings(parameters, "skill")


def difficulty(parameters: xr.Dataset) -> Any:
    """Difficulty of each task, doublings of a minute, (..., horizon_task)."""
    return _in_doublings(parameters, "hardness")


def _in_doublings(parameters: xr.Dataset, name: str) -> Any:
    return ORIGIN + parameters[name].values / parameters["success_slope"].values[..., None]


# ----------------------------------------------------------------------------------------- answers


def room_for_80(slope: Any, spread: Any) -> Any:
    """Doublings from the 80% horizon up to the 50% one, over tasks that differ in difficulty.

    The root ``d`` of ``E logistic(slope (d - spread z)) = 0.8``, by bisection.
    """
    low = np.zeros(np.shape(slope))
    high = low + 2 * np.log(4.0) / slope + 4 * spread
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        odds = slope[..., None] * (middle[..., None] - spread[..., None] * NODES)
        enough = (WEIGHTS * expit(odds)).sum(axis=-1) >= 0.8
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return 0.5 * (low + high)


def derive(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, shape: str, dates: Any
) -> dict[str, Any]:
    """Time horizons at dates and of each model, and arrival of the superhuman coder.

    Parameters
    ----------
    x : mapping of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters.
    dates : array_like, shape (date,)
        Decimal years.

    Returns
    -------
    dict of ndarray
        Shape (draw,), ``time_horizon`` and ``time_horizon_80`` (draw, date), and
        ``agent_time_horizon_by_horizon_agent`` (draw, model). ``time_horizon_doubling_now`` is at
        the date of the newest model. A year after ``view.arrival.horizon`` is infinity.
    """
    rows = runs(evidence)
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    p = {name: parameters[name].values for name in REPORTED}
    horizon = log_horizon(column, np.asarray(dates, dtype=float), shape, view)
    room = LOG2 * room_for_80(p["success_slope"], p["difficulty_spread"])
    # the coder's horizon is elicited at 80% success
    year = date_of(x, x["superhuman_coder_horizon"] + room, shape, view)
    found = {
        "superhuman_coder_year": np.where(year > view.arrival.horizon, np.inf, year),
        "superhuman_coder_past": (year <= evidence.constant("no_tai_until")).astype(float),
        "time_horizon": horizon,
        "time_horizon_80": horizon - room[..., None],
        **p,
    }
    if not rows.sizes["horizon_agent"]:
        return found
    newest = rows["date"].values.max()
    ends = trend(column, newest + np.array([-STEP, STEP]), shape, view)
    per_year = (ends[..., 1] - ends[..., 0]) / (2 * STEP)
    with np.errstate(divide="ignore"):
        found["time_horizon_doubling_now"] = np.log10(DAYS / per_year)
    found["agent_time_horizon_by_horizon_agent"] = LOG2 * ability(parameters)
    return found


def coords(evidence: Evidence, dates: tuple[float, ...]) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """Extra dimensions of the derived quantities: dates, and models."""
    found: dict[str, tuple[str, tuple[Any, ...]]] = {
        name: ("date", dates) for name in ("time_horizon", "time_horizon_80")
    }
    names = tuple(str(name) for name in runs(evidence)["horizon_agent"].values)
    by_agent = {"agent_time_horizon_by_horizon_agent": ("horizon_agent", names)}
    return found | (by_agent if names else {})


# --------------------------------------------------------------------------- replicated evidence


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """Share of all runs of each model that succeeded, under the name of :func:`simulate`."""
    rows = runs(evidence)
    successes, attempts = (rows[name].sum("horizon_task") for name in ("successes", "attempts"))
    return {"horizon_runs": successes / attempts}


def _drawn_successes(parameters: xr.Dataset, rows: xr.Dataset, rng: Generator) -> Any:
    """Replicated successes of the same models on the same tasks, (..., task, model)."""
    odds = parameters["skill"].values[..., None, :] - parameters["hardness"].values[..., None]
    return rng.binomial(rows["attempts"].values.astype(int), expit(odds))


def simulate(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated share of runs that succeed, by model, (..., horizon_agent)."""
    rows = runs(evidence)
    drawn = _drawn_successes(parameters, rows, rng).sum(axis=-2)
    return {"horizon_runs": ("horizon_agent", drawn / rows["attempts"].values.sum(axis=0))}


def replicate(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    rows = runs(evidence)
    task = {str(name): v.values for name, v in data(evidence, view)["horizon_tasks"].items()}
    p = {name: parameters[name].values for name in (*SCALES, "task_mean")}
    mean, sd = _stated_time(p, difficulty(parameters), task)
    return {
        "horizon_runs": rows.assign(
            minutes=("horizon_task", mean + sd * rng.standard_normal(mean.shape)),
            successes=(
                ("horizon_task", "horizon_agent"),
                _drawn_successes(parameters, rows, rng).astype(float),
            ),
        )
    }
