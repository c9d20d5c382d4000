"""The largest run's compute: its likelihood re-derived with scipy, its truncation tested."""

import numpy as np
import pytest
import xarray as xr
from scipy import optimize, stats

from aligntax.models import compute
from aligntax.models.compute import NU, TOP, log_survival
from aligntax.models.evidence import Evidence
from tests.prior import scale_at

# ---------------------------------------------------------------------------------- small functions


def test_log_survival_is_scipys_students_t_with_four_degrees_of_freedom() -> None:
    t = np.linspace(-50, 50, 4001)
    np.testing.assert_allclose(
        log_survival(t, np.log), stats.t(NU).logsf(t), rtol=1e-10, atol=1e-10
    )


def test_log_survival_is_the_same_in_pytensor() -> None:
    import pytensor.tensor as pt

    t = np.linspace(-50, 50, 101)
    np.testing.assert_allclose(
        log_survival(pt.as_tensor(t), pt.log).eval(mode="FAST_COMPILE"),
        log_survival(t, np.log),
        rtol=1e-12,
        atol=1e-14,
    )


# ---------------------------------------------------------------------------------- rows that enter


def training_runs(dates, log_flop, exact=None, log_cost=None, flop_sd=0.1, used=None) -> Evidence:
    """An evidence whose only table is one of training runs."""
    n = len(dates)
    exact = np.ones(n, dtype=bool) if exact is None else np.asarray(exact)
    cost = np.full(n, np.nan) if log_cost is None else np.asarray(log_cost)
    table = xr.Dataset(
        {
            "date": ("run", np.asarray(dates, float)),
            "flop": ("run", 10.0 ** np.asarray(log_flop, float)),
            "flop_sd": ("run", np.broadcast_to(np.asarray(flop_sd, float), (n,)).copy()),
            "cost_usd": ("run", 10.0**cost),
            "bound": ("run", np.where(exact, "exact", "above")),
            "used": ("run", np.ones(n, dtype=bool) if used is None else np.asarray(used)),
        },
        coords={"run": [f"run{i}" for i in range(n)]},
    )
    return Evidence({"training_runs": table})


def test_a_run_enters_against_the_tenth_largest_of_the_earlier_exact_runs(view) -> None:
    rng = np.random.default_rng(1)
    dates, flop = np.sort(rng.uniform(2015, 2026, 40)), rng.normal(24, 1, 40)
    exact, used = rng.uniform(size=40) < 0.8, rng.uniform(size=40) < 0.9
    rows = compute.runs(training_runs(rng.permutation(dates), flop, exact, used=used), view)
    shuffled = training_runs(dates, flop, exact, used=used)["training_runs"]
    assert np.all(np.diff(rows["date"]) > 0)
    assert np.all(rows["date"] >= view.compute.runs_since)
    rows = compute.runs(Evidence({"training_runs": shuffled}), view)
    entered = 0
    for i in range(40):
        earlier = sorted(flop[(np.arange(40) < i) & exact & used], reverse=True)
        name = f"run{i}"
        if not used[i] or len(earlier) < TOP or dates[i] < view.compute.runs_since:
            assert name not in rows["run"].values
            continue
        entered += 1
        row = rows.sel(run=name)
        assert row["threshold"].item() == pytest.approx(earlier[TOP - 1])
        assert row["record"].item() == float(exact[i] and flop[i] > earlier[0])
        assert row["exact"].item() == exact[i]
    assert entered == rows.sizes["run"] > 10


def test_a_run_known_only_by_a_bound_neither_sets_a_record_nor_takes_one_away(view) -> None:
    """Its compute is not known, so it does not tell by how much the largest run stands out."""
    dates = 2020.0 + np.arange(13.0) / 10
    flop = np.concatenate([np.full(10, 22.0), [24.0, 25.0, 24.5]])
    exact = np.ones(13, dtype=bool)
    exact[11] = False  # above every run so far
    rows = compute.runs(training_runs(dates, flop, exact), view)
    np.testing.assert_array_equal(rows["run"].values, ["run10", "run11", "run12"])
    np.testing.assert_array_equal(rows["record"].values, [1.0, 0.0, 1.0])


def test_runs_of_the_same_day_do_not_compete(view) -> None:
    flop = [20.0 + 0.1 * i for i in range(10)] + [30.0, 31.0]
    rows = compute.runs(
        training_runs([2019.0 + 0.01 * i for i in range(10)] + [2020.0, 2020.0], flop), view
    )
    np.testing.assert_allclose(rows["threshold"], [20.0, 20.0])
    np.testing.assert_allclose(rows["record"], [1.0, 1.0])


def test_the_embedded_runs_leave_enough_to_fit_and_some_records(evidence, view) -> None:
    rows = compute.runs(evidence, view)
    exact = rows["exact"].values
    assert exact.sum() > 20
    assert 3 <= rows["record"].values.sum() < exact.sum()
    assert np.isfinite(rows["log_cost"].values).sum() >= 5
    # selection is what it says
    assert np.all(rows["log_flop"].values[exact] >= rows["threshold"].values[exact] - 1e-9)
    assert compute.exact_runs(evidence, view).sizes["run"] == exact.sum()


# ------------------------------------------------------------------------------- run log-likelihood


def by_hand(rows: xr.Dataset, view, x, sd_s, sd_h, rho) -> np.ndarray:
    """The docstring's density, one row at a time, with scipy's multivariate t."""
    terms = []
    for i in range(rows.sizes["run"]):
        row = {name: rows[name].values[i] for name in rows.data_vars}
        row["flop_sd"] = np.nan_to_num(row["flop_sd"])  # a bound has no measurement error
        elapsed = row["date"] - view.compute.reference_year
        s = x["spend_level"] + x["spend_growth"] * elapsed + x["largest_run_offset"] * row["record"]
        h = x["hardware_level"] + x["hardware_growth"] * elapsed
        shape = np.asarray(
            [[sd_s**2, rho * sd_s * sd_h], [rho * sd_s * sd_h, sd_h**2 + row["flop_sd"] ** 2]]
        )
        total = stats.t(NU, s + h, np.sqrt(shape.sum()))  # the margin of cost plus FLOP per cost
        if not row["exact"]:
            density = total.logsf(max(row["log_flop"], row["threshold"]))
        elif np.isfinite(row["log_cost"]):
            point = [row["log_cost"], row["log_flop"] - row["log_cost"]]
            density = stats.multivariate_t([s, h], shape, df=NU).logpdf(point)
        else:
            density = total.logpdf(row["log_flop"])
        terms.append(density - total.logsf(row["threshold"]))
    return np.asarray(terms)


def test_the_runs_likelihood_is_scipys_truncated_bivariate_t(evidence, view) -> None:
    """The whole graph of the compute model at random parameters; costed, uncosted and censored rows all occur."""
    import pytensor

    model, tables, rows = (
        compute.build(evidence, view),
        view.tables(compute.QUANTITIES),
        compute.runs(evidence, view),
    )
    kinds = [
        rows["exact"] & np.isfinite(rows["log_cost"]),
        rows["exact"] & np.isnan(rows["log_cost"]),
        ~rows["exact"],
    ]
    assert all(kind.any() for kind in kinds)
    (potential,) = model.replace_rvs_by_values([model["training_runs"]])
    compiled = pytensor.function(
        model.value_vars, potential, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rng = np.random.default_rng(3)
    for _ in range(5):
        z, sd_s, sd_h, rho = (
            rng.normal(size=len(tables.names)),
            *rng.uniform(0.1, 0.9, 2),
            rng.uniform(-0.9, 0.9),
        )
        point = {
            "white": np.linalg.solve(tables.cholesky, z),
            **scale_at("spend_sd", sd_s),
            **scale_at("hardware_sd", sd_h),
            "spend_hardware_correlation_interval__": np.log((1 + rho) / (1 - rho)),
            **scale_at("algorithmic_spread", 0.37),
        }
        ours = compiled(*(point[v.name] for v in model.value_vars))
        np.testing.assert_allclose(
            ours, by_hand(rows, view, tables.values(z), sd_s, sd_h, rho), rtol=1e-8, atol=1e-8
        )


def test_the_estimates_of_progress_are_a_normal_meta_analysis(evidence, view) -> None:
    import pytensor

    model, tables, rows = (
        compute.build(evidence, view),
        view.tables(compute.QUANTITIES),
        compute.estimates(evidence),
    )
    (potential,) = model.replace_rvs_by_values([model["algorithmic_progress"]])
    compiled = pytensor.function(
        model.value_vars, potential, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    z = np.random.default_rng(4).normal(size=len(tables.names))
    point = {"white": z, **scale_at("algorithmic_spread", 0.2)}
    ours = compiled(*(point.get(v.name, 0.0) for v in model.value_vars))
    sd = np.hypot(rows["growth_se"].values, 0.2)
    np.testing.assert_allclose(
        ours,
        stats.norm(tables.values(z)["algorithmic_growth"], sd).logpdf(rows["growth"]),
        rtol=1e-10,
    )


def test_a_row_known_only_to_exceed_its_threshold_says_nothing(view) -> None:
    """It entered, and that is all we know: its likelihood is one."""
    flop = [*np.linspace(22, 24, 10), 22.0]
    rows = compute.runs(
        training_runs(np.linspace(2018.5, 2020, 11), flop, [True] * 10 + [False]), view
    )
    x = {
        "spend_level": 7.0,
        "spend_growth": 0.3,
        "largest_run_offset": 0.4,
        "hardware_level": 17.0,
        "hardware_growth": 0.1,
    }
    np.testing.assert_allclose(twin(rows, view, x, 0.5, 0.2, 0.1), [0.0], atol=1e-12)


def twin(rows, view, x, sd_s, sd_h, rho) -> np.ndarray:
    """The package's own function at numbers."""
    import pymc as pm

    from aligntax.models.priors.elicited import data_columns

    with pm.Model(coords={"run": rows["run"].values}):
        run = data_columns("runs", compute._with_zero_costs(rows))
        terms = compute._run_log_likelihood(
            run, view, {k: np.float64(v) for k, v in x.items()}, sd_s, sd_h, rho
        )
        return np.asarray(terms.eval(mode="FAST_COMPILE"))


# -------------------------------------------------------------------------------- selection matters


GROWTH, THRESHOLD_GROWTH = 0.4, 0.1  # OOM/year


def selected_runs(seed: int, view) -> xr.Dataset:
    """Runs about a trend; on record are those above a threshold that grows more slowly, so that it bites ever less."""
    rng = np.random.default_rng(seed)
    dates = np.sort(rng.uniform(2018, 2026, 400))
    flop = 24.0 + GROWTH * (dates - 2023.0) + 0.6 * rng.standard_t(NU, 400)
    kept = flop > 23.6 + THRESHOLD_GROWTH * (dates - 2023.0)
    rows = compute.runs(training_runs(dates[kept], flop[kept]), view)
    return rows.assign(
        threshold=23.6 + THRESHOLD_GROWTH * (rows["date"] - 2023.0),
        record=xr.zeros_like(rows["record"]),
    )


def slope(rows, view, truncated: bool) -> float:
    """Maximum likelihood of level, growth and spread, with the likelihood that the graph was shown to equal."""
    rows = rows if truncated else rows.assign(threshold=xr.full_like(rows["threshold"], -1e6))
    t, y, c = (
        rows["date"].values - view.compute.reference_year,
        rows["log_flop"].values,
        rows["threshold"].values,
    )

    def loss(p: np.ndarray) -> float:
        mean, sd = p[0] + p[1] * t, np.hypot(np.exp(p[2]), 0.1)
        return -float(
            np.sum(
                stats.t.logpdf((y - mean) / sd, NU)
                - np.log(sd)
                - log_survival((c - mean) / sd, np.log)
            )
        )

    return float(
        optimize.minimize(
            loss, [24.0, 0.5, -0.7], method="Nelder-Mead", options={"maxiter": 2000}
        ).x[1]
    )


def test_the_truncated_likelihood_recovers_a_growth_that_selection_hides(view) -> None:
    """30 simulated records: unbiased to 4 standard errors; negative control: untruncated it is a quarter too low."""
    rows = [selected_runs(seed, view) for seed in range(30)]
    error, naive = (
        np.asarray([slope(r, view, truncated) for r in rows]) - GROWTH
        for truncated in (True, False)
    )
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(30)
    assert naive.mean() < -0.25 * GROWTH
    assert np.sqrt(np.mean(error**2)) < 0.6 * np.sqrt(np.mean(naive**2))


def test_the_twin_used_for_recovery_is_the_graphs_likelihood(view) -> None:
    rows = selected_runs(0, view)
    x = {
        "spend_level": 24.0,
        "spend_growth": 0.4,
        "largest_run_offset": 0.0,
        "hardware_level": 0.0,
        "hardware_growth": 0.0,
    }
    t, y, c = rows["date"].values - 2023.0, rows["log_flop"].values, rows["threshold"].values
    sd = np.sqrt(0.5**2 + 0.1**2 + 1e-12)
    z = (y - 24.0 - 0.4 * t) / sd
    expected = stats.t.logpdf(z, NU) - np.log(sd) - stats.t.logsf((c - 24.0 - 0.4 * t) / sd, NU)
    np.testing.assert_allclose(twin(rows, view, x, 0.5, 1e-6, 0.0), expected, rtol=1e-5)


# ----------------------------------------------------------------------------------------- simulate


def test_replicated_runs_follow_the_truncated_t(evidence, view, prior_draws) -> None:
    """20,000 replications of each run at one parameter: Kolmogorov-Smirnov p above 1e-4 for every tenth run."""
    size = 20_000
    one = {
        name: np.full((1, size), value[0])
        for name, value in prior_draws(compute.QUANTITIES, 1, 5).items()
    }
    fixed = {
        "spend_sd": 0.5,
        "hardware_sd": 0.2,
        "spend_hardware_correlation": -0.3,
        "algorithmic_spread": 0.1,
    }
    parameters = xr.Dataset(
        {name: (("chain", "draw"), np.full((1, size), value)) for name, value in fixed.items()}
    )
    drawn = compute.simulate(one, parameters, evidence, view, np.random.default_rng(9))
    rows, x = compute.exact_runs(evidence, view), {name: value[0, 0] for name, value in one.items()}
    assert drawn["log_flop"][1].shape == (1, size, rows.sizes["run"])
    for i in range(0, rows.sizes["run"], 10):
        row = {name: rows[name].values[i] for name in rows.data_vars}
        elapsed = row["date"] - view.compute.reference_year
        mean = x["spend_level"] + x["hardware_level"] + x["largest_run_offset"] * row["record"]
        mean += (x["spend_growth"] + x["hardware_growth"]) * elapsed
        sd = np.sqrt(0.5**2 + 0.2**2 + row["flop_sd"] ** 2 - 2 * 0.3 * 0.5 * 0.2)
        t = stats.t(NU, mean, sd)
        u = t.sf(drawn["log_flop"][1][0, :, i]) / t.sf(row["threshold"])
        assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert set(drawn) == set(compute.observed(evidence, view))
