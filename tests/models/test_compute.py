"""The largest run's compute: its likelihood re-derived with scipy, its tens and their largest runs tested."""

import numpy as np
import pytest
import xarray as xr
from scipy import optimize, stats

from aligntax.models import compute, tens
from aligntax.models.compute import survival
from aligntax.models.evidence import Evidence
from aligntax.models.tens import NU, TOP
from tests.prior import scale_at

# ---------------------------------------------------------------------------------- small functions


def test_survival_is_scipys_students_t_with_four_degrees_of_freedom_however_far_out() -> None:
    t = np.concatenate([np.linspace(-50, 50, 4001), [-1e150, -1e9, 1e9, 1e70]])
    np.testing.assert_allclose(np.log(survival(t)), stats.t(NU).logsf(t), rtol=1e-12, atol=1e-14)


def test_survival_and_its_slope_are_the_same_in_pytensor() -> None:
    import pytensor
    import pytensor.tensor as pt

    t = np.concatenate([np.linspace(-50, 50, 101), [-1e110, -1e30, 1e30]])
    x = pt.as_tensor(t)
    log = pt.log(survival(x, pt))
    value, slope = pytensor.function([], [log, pt.grad(log.sum(), x)], mode="FAST_COMPILE")()
    np.testing.assert_allclose(value, np.log(survival(t)), rtol=1e-12, atol=1e-14)
    hazard = stats.t(NU).pdf(t) / stats.t(NU).sf(t)
    np.testing.assert_allclose(slope, -hazard, rtol=1e-9, atol=1e-14)


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


def test_runs_are_counted_off_in_tens_from_the_latest_backwards(view) -> None:
    """By hand: bounds and unused rows count for nothing, the first ten known runs do not enter, and the rest of a ten stays as it is."""
    rng = np.random.default_rng(1)
    dates, flop = np.sort(rng.uniform(2015, 2026, 60)), rng.normal(24, 1, 60)
    exact, used = rng.uniform(size=60) < 0.8, rng.uniform(size=60) < 0.9
    order = rng.permutation(60)
    rows = compute.runs(
        training_runs(dates[order], flop[order], exact[order], used=used[order]), view
    )
    entered = [
        i
        for i in range(60)
        if used[i] and (exact & used)[:i].sum() >= TOP and dates[i] >= view.compute.runs_since
    ]
    np.testing.assert_array_equal(rows["date"], dates[entered])
    np.testing.assert_allclose(rows["log_flop"], flop[entered])
    known = [i for i in entered if exact[i]]
    whole = len(known) // TOP
    assert whole >= 2 and len(known) % TOP
    for number in range(whole):
        members = known[len(known) - (number + 1) * TOP : len(known) - number * TOP]
        first = max(members, key=lambda i: flop[i])
        for i in members:
            row = rows.isel(run=entered.index(i))
            assert row["ten"].item() == number and row["largest"].item() == float(i == first)
            expected = np.nan if i == first else flop[first]
            np.testing.assert_allclose(row["ceiling"].item(), expected)
    outside = rows.isel(run=[entered.index(i) for i in entered if i not in known[-whole * TOP :]])
    assert np.all(outside["ten"] == -1) and np.all(outside["largest"] == 0)
    assert np.isnan(outside["ceiling"].values).all()


def test_a_run_known_only_by_a_bound_belongs_to_no_ten(view) -> None:
    """Its compute is not known: it may be the largest, and says nothing of by how much."""
    dates = 2019.0 + np.arange(21.0) / 10
    flop = np.concatenate([np.full(20, 22.0) + np.arange(20) / 100, [25.0]])
    exact = np.ones(21, dtype=bool)
    exact[20] = False  # above every run so far
    rows = compute.runs(training_runs(dates, flop, exact), view)
    assert rows.sizes["run"] == 11 and rows["ten"].values[-1] == -1
    np.testing.assert_array_equal(np.flatnonzero(rows["largest"]), [9])
    assert np.isnan(rows["ceiling"].values[-1]) and np.all(
        rows["ceiling"][:9] == rows["log_flop"][9]
    )


def test_the_embedded_runs_make_whole_tens(evidence, view) -> None:
    rows = compute.runs(evidence, view)
    exact = rows["exact"].values
    assert exact.sum() > 60
    assert rows["largest"].values.sum() == rows["ten"].values.max() + 1 == exact.sum() // TOP
    assert np.isfinite(rows["log_cost"].values).sum() >= 5
    capped = np.isfinite(rows["ceiling"].values)
    assert np.all(rows["log_flop"].values[capped] <= rows["ceiling"].values[capped])
    assert compute.exact_runs(evidence, view).sizes["run"] == exact.sum()


# ------------------------------------------------------------------------------- run log-likelihood


def by_hand(rows: xr.Dataset, view, x, sd_s, sd_h, rho, kappa) -> np.ndarray:
    """The docstring's density, one row at a time, with scipy's multivariate t."""
    terms = []
    for i in range(rows.sizes["run"]):
        row = {name: rows[name].values[i] for name in rows.data_vars}
        error = kappa * np.nan_to_num(row["flop_sd"])  # a bound has no measurement error
        elapsed = row["date"] - view.compute.reference_year
        s = x["spend_level"] + x["spend_growth"] * elapsed
        s += x["largest_run_offset"] * row["largest"]
        h = x["hardware_level"] + x["hardware_growth"] * elapsed
        shape = np.asarray([[sd_s**2 + error**2, rho * sd_s * sd_h], [rho * sd_s * sd_h, sd_h**2]])
        total = stats.t(NU, s + h, np.sqrt(shape.sum()))  # the margin of cost plus FLOP per cost
        if not row["exact"]:
            density = total.logsf(row["log_flop"])
        elif np.isfinite(row["log_cost"]):
            point = [row["log_cost"], row["log_flop"] - row["log_cost"]]
            density = stats.multivariate_t([s, h], shape, df=NU).logpdf(point)
        else:
            density = total.logpdf(row["log_flop"])
        capped = row["exact"] and np.isfinite(row["ceiling"])
        terms.append(density - (total.logcdf(row["ceiling"]) if capped else 0.0))
    return np.asarray(terms)


def test_the_runs_likelihood_is_scipys_bivariate_t_below_the_largest_of_ten(evidence, view) -> None:
    """The whole graph of the compute model at random parameters; every kind of row occurs."""
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
        rows["largest"] > 0,
        np.isfinite(rows["ceiling"]),
        rows["exact"] & (rows["ten"] < 0),
    ]
    assert all(kind.any() for kind in kinds)
    (potential,) = model.replace_rvs_by_values([model["training_runs"]])
    compiled = pytensor.function(
        model.value_vars, potential, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rng = np.random.default_rng(3)
    for _ in range(5):
        z, (sd_s, sd_h, kappa), rho = (
            rng.normal(size=len(tables.names)),
            rng.uniform(0.1, 0.9, 3),
            rng.uniform(-0.9, 0.9),
        )
        point = {
            "white": np.linalg.solve(tables.cholesky, z),
            **scale_at("spend_sd", sd_s),
            **scale_at("hardware_sd", sd_h),
            **scale_at("flop_sd_scale", kappa),
            "spend_hardware_correlation_interval__": np.log((1 + rho) / (1 - rho)),
            **scale_at("algorithmic_spread", 0.37),
        }
        ours = compiled(*(point[v.name] for v in model.value_vars))
        expected = by_hand(rows, view, tables.values(z), sd_s, sd_h, rho, kappa)
        np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-8)


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


def twin(rows, view, x, sd_s, sd_h, rho, kappa) -> np.ndarray:
    """The package's own function at numbers."""
    import pymc as pm

    from aligntax.models.priors.elicited import data_columns

    with pm.Model(coords={"run": rows["run"].values}):
        run = data_columns("runs", compute._without_gaps(rows))
        given = {k: np.float64(v) for k, v in x.items()}
        trend = compute._trend(run, view, given, sd_s, sd_h, rho, kappa)
        terms = compute._run_log_density(run, *trend)
        return np.asarray(terms.eval(mode="FAST_COMPILE"))


def test_an_error_of_compute_cancels_in_flop_per_usd(view) -> None:
    """Cost and FLOP that are wrong by the same factor: the likelier the larger the stated error, unlike a wrong price."""
    dates, base = np.linspace(2018.5, 2020, 11), np.full(11, 23.0)
    x = {
        "spend_level": 6.0,
        "spend_growth": 0.0,
        "largest_run_offset": 0.0,
        "hardware_level": 17.0,
        "hardware_growth": 0.0,
    }

    def last(flop: float, cost: float, flop_sd: float) -> float:
        table = training_runs(
            dates, [*base[:10], flop], log_cost=[*base[:10] - 17.0, cost], flop_sd=flop_sd
        )
        return float(twin(compute.runs(table, view), view, x, 0.3, 0.1, 0.0, 1.0)[0])

    common = [last(24.5, 7.5, flop_sd) for flop_sd in (0.1, 1.0)]
    price = [last(24.5, 6.0, flop_sd) for flop_sd in (0.1, 1.0)]
    assert common[1] > common[0] + 1.0
    assert price[1] < price[0]


# --------------------------------------------------------------------------------- tens and chance


def largest_of_ten(rng, tens: int, offset: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Log10 FLOP and ten of runs without a trend; the largest of each ten is so far up, or of the same law (None)."""
    flop = 24.0 + 0.4 * rng.standard_t(NU, (tens, TOP))
    if offset is not None:
        first = 24.0 + offset + 0.4 * rng.standard_t(NU, tens)
        u = stats.t.cdf((first[:, None] - 24.0) / 0.4, NU) * rng.uniform(size=(tens, TOP))
        flop = 24.0 + 0.4 * stats.t.ppf(u, NU)
        flop[np.arange(tens), rng.integers(TOP, size=tens)] = first
    return flop.ravel(), np.repeat(np.arange(tens), TOP)


def fitted(flop: np.ndarray, conditional: bool = True) -> np.ndarray:
    """Maximum likelihood of level, offset and scale, with the density that the graph was shown to equal; the negative control leaves out that nine lie below the largest."""
    _, largest, ceiling = tens.tens(flop, np.ones(len(flop), bool))
    capped = np.isfinite(ceiling) & conditional

    def loss(p: np.ndarray) -> float:
        scale = np.exp(p[2])
        z = (flop - p[0] - p[1] * largest) / scale
        below = np.log(survival((p[0] - ceiling[capped]) / scale))
        return -float(np.sum(stats.t.logpdf(z, NU) - p[2]) - np.sum(below))

    return np.asarray(
        optimize.minimize(
            loss, [24.0, 0.5, -0.9], method="Nelder-Mead", options={"maxiter": 2000}
        ).x
    )


@pytest.mark.parametrize("offset", [0.2, 0.6, 1.2])
def test_an_offset_of_the_largest_of_ten_is_recovered(offset) -> None:
    """400 tens of the model's own law; negative control: a plain dummy puts the level too low, the more the lower the offset."""
    flop, _ = largest_of_ten(np.random.default_rng(5), 400, offset)
    level, found, scale = fitted(flop)
    assert (level, found, np.exp(scale)) == pytest.approx((24.0, offset, 0.4), abs=0.06)
    assert fitted(flop, conditional=False)[0] < level - 0.02


def test_runs_that_differ_by_chance_alone_have_the_offset_of_an_order_statistic() -> None:
    """Nobody spends more: the largest of ten draws has a median of 1.88 and a mean of 2.17 scales, and the trend stays where it is."""
    flop, _ = largest_of_ten(np.random.default_rng(6), 400, None)
    level, found, _ = fitted(flop)
    middle = stats.t.ppf(0.5 ** (1 / TOP), NU)
    assert 0.4 * middle - 0.03 < found < 0.4 * 2.17 + 0.03
    assert level == pytest.approx(24.0, abs=0.04)


# ----------------------------------------------------------------------------------------- simulate


def test_replicated_runs_follow_the_t_below_the_largest_of_ten(evidence, view, prior_draws) -> None:
    """20,000 replications of each run at one parameter: Kolmogorov-Smirnov p above 1e-4 for every seventh run."""
    size = 20_000
    one = {
        name: np.full((1, size), value[0])
        for name, value in prior_draws(compute.QUANTITIES, 1, 5).items()
    }
    fixed = {
        "spend_sd": 0.5,
        "hardware_sd": 0.2,
        "flop_sd_scale": 0.7,
        "spend_hardware_correlation": -0.3,
        "algorithmic_spread": 0.1,
    }
    parameters = xr.Dataset(
        {name: (("chain", "draw"), np.full((1, size), value)) for name, value in fixed.items()}
    )
    drawn = compute.simulate(one, parameters, evidence, view, np.random.default_rng(9))
    rows, x = compute.runs(evidence, view), {name: value[0, 0] for name, value in one.items()}
    assert drawn["training_runs"][1].shape == (1, size, rows.sizes["run"])
    flop, ten, largest = drawn["training_runs"][1][0], rows["ten"].values, rows["largest"].values
    for i in range(0, rows.sizes["run"], 7):
        row = {name: rows[name].values[i] for name in rows.data_vars}
        elapsed = row["date"] - view.compute.reference_year
        mean = x["spend_level"] + x["hardware_level"] + x["largest_run_offset"] * row["largest"]
        mean += (x["spend_growth"] + x["hardware_growth"]) * elapsed
        error = 0.7 * np.nan_to_num(row["flop_sd"])  # a bound has none
        t = stats.t(NU, mean, np.sqrt(0.5**2 + 0.2**2 + error**2 - 2 * 0.3 * 0.5 * 0.2))
        u = t.cdf(flop[:, i])
        if ten[i] >= 0 and not largest[i]:
            (first,) = np.flatnonzero((ten == ten[i]) & (largest > 0))
            u /= t.cdf(flop[:, first])
        assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert set(drawn) == set(compute.observed(evidence, view))
