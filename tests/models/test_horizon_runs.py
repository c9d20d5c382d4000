"""Runs of models on timed tasks: what is integrated out, what follows from slope and spread, and known truths recovered."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad
from scipy.stats import binom, norm

from aligntax.models import horizon_loo, horizon_runs
from aligntax.models.catalogue import find_model
from aligntax.models.horizon_trend import DAYS, LOG2, SHAPES, log_horizon
from tests.horizon_runs import World, simulated

NAMES = (*horizon_runs.SCALES, "task_mean")


@pytest.fixture(scope="module")
def few(evidence):
    """A small set of runs: 6 tasks, 5 models."""
    return evidence.with_rows("horizon_runs", simulated(World(tasks=6, models=5)).rows)


def draws(evidence, size: int, seed: int = 3) -> xr.Dataset:
    """Structural parameters from their prior, with hardness and skill of any value."""
    rng, rows = np.random.default_rng(seed), horizon_runs.runs(evidence)
    scales = {
        name: ("draw", median * np.exp(0.3 * rng.standard_normal(size)))
        for name, (median, _) in horizon_runs.SCALES.items()
    }
    latent = {
        name: (("draw", dim), 2.0 * rng.standard_normal((size, rows.sizes[dim])))
        for name, dim in (("hardness", "horizon_task"), ("skill", "horizon_agent"))
    }
    return xr.Dataset({**scales, "task_mean": ("draw", rng.normal(4, 1, size)), **latent})


def test_rows_count_runs_by_task_and_model(few) -> None:
    rows, table = horizon_runs.runs(few), few["horizon_runs"]
    assert dict(rows.sizes) == {"horizon_task": 6, "horizon_agent": 5}
    assert rows["attempts"].values.sum() == table["attempts"].values.sum() == 6 * 5 * 4
    first = table.isel(horizon_run=0)
    where = {"horizon_task": str(first["task"].values), "horizon_agent": str(first["agent"].values)}
    assert rows["successes"].sel(where) == first["successes"]
    assert set(rows["of_estimates"].values) == {0.0, 1.0}
    assert np.all((rows["of_people"].values > 0) == (rows["of_estimates"].values == 0))


def test_a_pair_that_was_not_run_counts_nothing(few) -> None:
    left = few["horizon_runs"].copy(deep=True)
    left["used"].values[0] = False
    some = type(few)({**few.tables, "horizon_runs": left})
    assert horizon_runs.runs(some)["attempts"].values.min() == 0
    assert np.isfinite(logps(some)).all()


def logps(evidence) -> np.ndarray:
    from aligntax.models.views import load_view

    view = load_view("default")
    graph = horizon_runs.build(evidence, view, "exponential")
    return np.array(list(graph.point_logps(round_vals=8).values()))


def test_the_true_length_is_integrated_out() -> None:
    """Moments of stated time and difficulty are those of a simulation that draws the length."""
    p = dict.fromkeys(NAMES, 1.0) | {"task_mean": 4.0, "task_sd": 2.0, "difficulty_spread": 1.5}
    p |= {"human_time_error": 1.2, "estimate_error": 3.0}
    rng, size = np.random.default_rng(5), 400_000
    length = rng.normal(4.0, 2.0, size)
    task = {"of_people": 0.5, "of_estimates": 0.0}
    stated = length + 0.6 * rng.standard_normal(size)
    hard = length + 1.5 * rng.standard_normal(size)
    mean, sd = horizon_runs._stated_time(p, hard, task)
    left = stated - mean
    assert left.mean() == pytest.approx(0.0, abs=0.01)
    assert left.std() == pytest.approx(sd, rel=0.01)
    assert np.corrcoef(left, hard)[0, 1] == pytest.approx(0.0, abs=0.01)


def test_the_likelihood_is_binomial(few, view) -> None:
    """The potential of each model at a point is scipy's, and so is that of each stated time."""
    import pytensor

    graph = horizon_runs.build(few, view, "exponential")
    rows = horizon_runs.runs(few)
    point = {
        "white": np.zeros(3), "hardness": np.linspace(-2, 2, 6), "skill": np.linspace(-1, 1, 5),
        "task_mean": 4.5, **{name: median for name, (median, _) in horizon_runs.SCALES.items()},
    }  # fmt: skip
    terms = pytensor.function(
        graph.free_RVs, graph.potentials, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    values = terms(*(point[rv.name] for rv in graph.free_RVs))
    found = dict(zip((term.name for term in graph.potentials), values, strict=True))
    chance = 1 / (1 + np.exp(-(point["skill"] - point["hardness"][:, None])))
    counts = rows["successes"].values, rows["attempts"].values
    assert found["horizon_runs"] == pytest.approx(binom.logpmf(*counts, chance).sum(axis=0))
    hard = 4.0 + point["hardness"] / point["success_slope"]
    task = {
        str(name): v.values for name, v in horizon_runs.data(few, view)["horizon_tasks"].items()
    }
    expected = norm.logpdf(rows["minutes"].values, *horizon_runs._stated_time(point, hard, task))
    assert found["human_times"] == pytest.approx(expected)


@pytest.mark.parametrize("slope", [0.4, 1.0, 2.5])
def test_tasks_of_one_difficulty_leave_the_logistic_room(slope) -> None:
    room = horizon_runs.room_for_80(np.array([slope]), np.array([1e-9]))
    assert room[0] == pytest.approx(np.log(4.0) / slope)


def test_room_grows_with_the_spread_of_difficulty() -> None:
    spread = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
    slope = np.full(5, 0.9)
    room = horizon_runs.room_for_80(slope, spread)
    assert np.all(np.diff(room) > 0)

    def chance(z, i):
        return norm.pdf(z) / (1 + np.exp(-slope[i] * (room[i] - spread[i] * z)))

    for i in range(5):
        assert quad(chance, -9, 9, args=(i,))[0] == pytest.approx(0.8, abs=2e-4)
    steep = horizon_runs.room_for_80(np.array([200.0]), np.array([2.0]))
    assert steep[0] == pytest.approx(2.0 * norm.ppf(0.8), abs=0.05), (
        "limit: only the spread is left"
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_quantities_that_it_reads(few, view, prior_draws, shape) -> None:
    x = prior_draws(horizon_runs.quantities(shape), 50)
    found = horizon_runs.derive(x, draws(few, 50), few, view, shape, (2027.0, 2030.0))
    assert found["time_horizon"].shape == (50, 2)
    assert np.all(found["time_horizon_80"] < found["time_horizon"])
    assert np.all(np.isfinite(found["time_horizon_doubling_now"]))
    column = {name: value[:, None] for name, value in x.items()}
    assert found["time_horizon"] == pytest.approx(
        log_horizon(column, np.array([2027.0, 2030.0]), shape, view)
    )
    assert set(horizon_runs.build(few, view, shape).named_vars) >= {"hardness", "skill"}


def test_the_exponential_doubles_now_as_at_the_reference_date(few, view, prior_draws) -> None:
    x = prior_draws(horizon_runs.quantities("exponential"), 20)
    found = horizon_runs.derive(x, draws(few, 20), few, view, "exponential", (2030.0,))
    assert found["time_horizon_doubling_now"] == pytest.approx(x["time_horizon_doubling"], abs=1e-6)


def test_the_coder_comes_when_the_80_horizon_reaches_its_own(few, view, prior_draws) -> None:
    x = prior_draws(horizon_runs.quantities("exponential"), 20)
    p = draws(few, 20)
    found = horizon_runs.derive(x, p, few, view, "exponential", (2030.0,))
    year = np.where(
        np.isfinite(found["superhuman_coder_year"]), found["superhuman_coder_year"], 2100.0
    )
    column = {name: value[:, None] for name, value in x.items()}
    there = log_horizon(column, year[:, None], "exponential", view)[:, 0]
    room = LOG2 * horizon_runs.room_for_80(p["success_slope"].values, p["difficulty_spread"].values)
    arrived = np.isfinite(found["superhuman_coder_year"])
    assert (there - room)[arrived] == pytest.approx(x["superhuman_coder_horizon"][arrived])


def test_the_predictive_ratio_is_two_integrals(few, view, prior_draws) -> None:
    """Against adaptive quadrature, one draw at a time."""
    size = 4
    x, p = prior_draws(horizon_runs.quantities("kink"), size), draws(few, size)
    found = horizon_loo.log_ratio(x, p, few, view, "kink").values
    rows = horizon_runs.runs(few)
    column = {name: value[:, None] for name, value in x.items()}
    mean = horizon_runs.trend(column, rows["date"].values, "kink", view)
    hard = horizon_runs.difficulty(p)
    for s in range(size):
        slope, spread = p["success_slope"].values[s], p["ability_spread"].values[s]
        for m in range(5):
            n, k = rows["attempts"].values[:, m], rows["successes"].values[:, m]

            def integral(centre, sd, s=s, k=k, n=n, slope=slope):
                def density(a):
                    chance = 1 / (1 + np.exp(-slope * (a - hard[s])))
                    return np.exp(binom.logpmf(k, n, chance).sum() + 30) * norm.pdf(a, centre, sd)

                grid = np.linspace(centre - 8 * sd, centre + 8 * sd, 9)
                return sum(quad(density, low, high)[0] for low, high in itertools.pairwise(grid))  # fmt: skip

            expected = np.log(integral(mean[s, m], spread) / integral(*horizon_runs.OFF_TREND))
            assert found[s, m] == pytest.approx(expected, abs=0.02)


# ------------------------------------------------------------------------ known truths, sampled


HONEST = World(attempts=8)
# one person or an estimate for each task; every scale is the median of its prior, so that the prior
# pulls nowhere
NOISY = replace(
    HONEST, most_people=1, **{name: median for name, (median, _) in horizon_runs.SCALES.items() if name != "success_slope"},
    slope=horizon_runs.SCALES["success_slope"][0],
)  # fmt: skip
SEEDS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def compiled(evidence, view):
    from aligntax.analysis.inference.compiled_model import compile_model

    held = evidence.with_rows("horizon_runs", simulated(HONEST).rows)
    return compile_model(find_model("horizon-runs-exponential"), held, view)


def sampled(compiled, rows: xr.Dataset | None = None) -> xr.Dataset:
    """Posterior with the derived doubling time in days, on other rows if there are any."""
    from aligntax.analysis.inference.derive import split_draws
    from aligntax.analysis.inference.options import Sampling

    if rows is not None:
        held = compiled.evidence.with_likelihood_rows({"horizon_runs": rows})
        compiled = compiled.with_evidence(held)
    options = Sampling(draws=500, tune=400, chains=2, seed=11)
    posterior, statistics = compiled.posterior(options)
    assert statistics["diverging"].values.sum() == 0
    x, _ = split_draws(posterior, compiled.view.tables(compiled.model.quantities))
    doubling = (("chain", "draw"), 10.0 ** x["time_horizon_doubling"])
    return posterior.assign(doubling=doubling)


@pytest.mark.slow
def test_abilities_slope_and_doubling_time_are_recovered(compiled) -> None:
    truth, posterior = simulated(HONEST), sampled(compiled)
    ability = horizon_runs.ability(posterior).reshape(-1, HONEST.models)
    known = np.array(list(truth.ability.values()))
    scores = (ability.mean(axis=0) - known) / ability.std(axis=0)
    assert np.all(np.abs(scores) < 4) and np.sum(np.abs(scores) < 1.645) >= 8
    for name, value in (("success_slope", HONEST.slope), ("doubling", HONEST.doubling)):
        draws_of_it = posterior[name].values
        assert abs(draws_of_it.mean() - value) < 3 * draws_of_it.std(), name
    assert posterior["doubling"].values.std() < 20, "days: the runs say much"
    assert DAYS / HONEST.doubling > 2


@pytest.mark.slow
def test_noisy_times_taken_for_exact_flatten_the_slope(compiled, evidence) -> None:
    """Negative control: the same runs, with the errors of the times left out, miss slope and doubling time."""
    scores: dict[str, list[float]] = {"honest": [], "exact": []}
    days: dict[str, list[float]] = {"honest": [], "exact": []}
    for seed in SEEDS:
        held = evidence.with_rows("horizon_runs", simulated(replace(NOISY, seed=seed)).rows)
        rows = horizon_runs.runs(held)
        known = {name: 0.01 * rows[name] for name in ("of_people", "of_estimates")}
        for name, given in (("honest", rows), ("exact", rows.assign(known))):
            found = sampled(compiled, given)
            slope = found["success_slope"].values
            scores[name].append((slope.mean() - NOISY.slope) / slope.std())
            days[name].append(found["doubling"].values.mean())
    # standard normal if the model is right
    score = {name: np.sum(each) / np.sqrt(len(SEEDS)) for name, each in scores.items()}
    assert abs(score["honest"]) < 2.5, scores
    assert score["exact"] < -2.5, f"regression dilution: {scores}"
    assert np.mean(days["exact"]) < np.mean(days["honest"])
