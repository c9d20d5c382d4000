"""The trend of the time horizon: closed forms, METR's own doubling times, recovery of known trends, and what the shape does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from aligntax.analysis.inference.options import Sampling
from aligntax.models import time_horizon
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import HORIZON_DATES, find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_trend import SHAPES, log_horizon, threshold_date
from aligntax.models.time_horizon import ERRORS, QUANTITIES
from aligntax.models.views import View, load_view
from tests.prior import scale_at, suite_at

VIEW = load_view("default")
X = {
    "time_horizon_level": np.log10(40.0),
    "time_horizon_doubling": np.log10(125.0),
    "doubling_shrink": 0.1,
    "superexponential_weight": 0.45,
    "time_horizon_threshold": np.log10(6e6),
    "superhuman_coder_lag": np.log10(2.0),
}


def scalars(**changes: float) -> dict[str, Any]:
    return {name: np.float64(value) for name, value in {**X, **changes}.items()}


@st.composite
def trends(draw: st.DrawFn) -> dict[str, Any]:
    return scalars(
        time_horizon_level=draw(st.floats(-1.0, 4.0)),
        time_horizon_doubling=draw(st.floats(1.3, 3.0)),
        doubling_shrink=draw(st.floats(0.005, 0.49)),
        time_horizon_threshold=draw(st.floats(-1.0, 12.0)),
    )


# ---------------------------------------------------------------------------------------- the curve


@given(trends(), st.sampled_from(SHAPES))
def test_the_trend_is_at_the_threshold_at_the_closed_forms_date(x, shape) -> None:
    """But where the date lies so near the divergence that no number is between."""
    date = threshold_date(x, shape, VIEW)
    end = (
        VIEW.time_horizon.reference_date
        + 10.0 ** x["time_horizon_doubling"] / 365.25 / x["doubling_shrink"]
    )
    if shape == "exponential" or end - date > 1e-4:
        assert log_horizon(x, date, shape, VIEW) == pytest.approx(
            x["time_horizon_threshold"], abs=1e-6
        )
    assert shape == "exponential" or date <= end


@pytest.mark.parametrize("shape", SHAPES)
def test_the_closed_form_is_the_root_that_bisection_finds(shape) -> None:
    # the trend is finite there
    x, end = (scalars(), 2028.3 if shape == "superexponential" else 2060.0)
    root = optimize.brentq(
        lambda t: log_horizon(x, t, shape, VIEW) - x["time_horizon_threshold"], 2020.0, end
    )
    assert threshold_date(x, shape, VIEW) == pytest.approx(root, abs=1e-8)


def test_level_and_doubling_time_are_those_of_the_reference_date() -> None:
    x, start, tau = scalars(), VIEW.time_horizon.reference_date, 125.0 / 365.25
    for shape in SHAPES:
        level, next_level = log_horizon(x, np.asarray([start, start + tau]), shape, VIEW)
        assert (level, next_level) == pytest.approx((np.log10(40), np.log10(80)), abs=1e-12)


def test_each_superexponential_doubling_takes_a_tenth_less_than_the_one_before() -> None:
    dates = threshold_date(
        {**X, "time_horizon_threshold": np.log10(40.0 * 2.0 ** np.arange(-3, 9))}, SHAPES[1], VIEW
    )
    np.testing.assert_allclose(np.diff(dates)[1:] / np.diff(dates)[:-1], 0.9)


def test_the_superexponential_trend_is_the_exponential_one_as_doublings_stop_shrinking() -> None:
    x, t = scalars(doubling_shrink=1e-7), np.linspace(2019, 2035, 33)
    straight, curved = (log_horizon(x, t, shape, VIEW) for shape in SHAPES)
    np.testing.assert_allclose(curved, straight, rtol=1e-5)
    assert threshold_date(x, SHAPES[1], VIEW) == pytest.approx(
        threshold_date(x, SHAPES[0], VIEW), abs=1e-5
    )


@given(trends(), st.sampled_from(SHAPES))
def test_the_horizon_never_falls_and_a_higher_threshold_never_comes_sooner(x, shape) -> None:
    t = np.linspace(2018.0, 2060.0, 400)
    value = log_horizon(x, t, shape, VIEW)
    assert np.all(value[1:] >= value[:-1])
    higher = {**x, "time_horizon_threshold": x["time_horizon_threshold"] + 1.0}
    assert threshold_date(higher, shape, VIEW) >= threshold_date(x, shape, VIEW)


def test_after_the_divergence_the_horizon_is_infinite_and_before_it_is_not() -> None:
    x = scalars()
    end = VIEW.time_horizon.reference_date + 125.0 / 365.25 / 0.1
    before, after = log_horizon(x, np.asarray([end - 1e-3, end + 1e-3]), "superexponential", VIEW)
    assert np.isfinite(before)
    assert after == np.inf
    assert np.isfinite(log_horizon(x, end + 50, "exponential", VIEW))
    assert threshold_date(
        {**x, "time_horizon_threshold": 300.0}, "superexponential", VIEW
    ) == pytest.approx(end)


def test_a_model_measured_after_the_divergence_rules_the_shape_out(evidence, view) -> None:
    rows = numbers(time_horizon.evaluations(evidence, view))
    x = scalars(doubling_shrink=0.45)  # diverges in 2025.8
    p = dict(
        horizon_scatter=0.3, suite_error_share=0.5, suite_error_short=0.0, suite_error_long=0.0
    )
    assert time_horizon.log_terms(x, p, rows, "superexponential", view).sum() < -1e4
    assert time_horizon.log_terms(x, p, rows, "exponential", view).sum() > -100


def test_draws_broadcast_against_dates() -> None:
    column = {name: np.full((5, 1), value) for name, value in X.items()}
    for shape in SHAPES:
        assert log_horizon(column, np.linspace(2025, 2035, 7), shape, VIEW).shape == (5, 7)


@pytest.mark.parametrize(
    "call", [lambda s: threshold_date(X, s, VIEW), lambda s: log_horizon(X, 2026.0, s, VIEW)]
)
def test_there_are_two_shapes(call) -> None:
    with pytest.raises(
        InputError, match="shape: must be one of exponential, superexponential, got 'logistic'"
    ):
        call("logistic")


# ------------------------------------------------------------------------------------- the evidence


def numbers(rows: xr.Dataset) -> dict[str, Any]:
    return {str(name): column.values for name, column in rows.data_vars.items()}


def days(rows: xr.Dataset) -> float:
    """Doubling time of least squares through the exact rows."""
    exact = rows["exact"].values > 0
    return 365.25 / float(
        np.polyfit(rows["date"].values[exact], rows["log2_horizon"].values[exact], 1)[0]
    )


def test_the_used_rows_are_those_of_metrs_own_fit(evidence, view) -> None:
    """Least squares gives the doubling times that METR publishes, to its last digit."""
    assert days(time_horizon.evaluations(evidence, view)) == pytest.approx(128.7, abs=0.05)
    assert days(time_horizon.evaluations(evidence, all_years(view))) == pytest.approx(
        187.8, abs=0.05
    )


def test_one_suite_and_records_alone_are_used(evidence) -> None:
    table = evidence["time_horizons"]
    used = table.isel(evaluation=np.flatnonzero(table["used"].values))
    assert set(used["suite"].values) == {"1.1"}
    assert used["record"].values.all()
    assert table.sizes["evaluation"] == 59
    above = used.isel(evaluation=np.flatnonzero(used["bound"].values == "above"))
    assert above["horizon_minutes"].values.tolist() == [time_horizon.SUITE_LIMIT]
    assert above["date"].values[0] == used["date"].values.max()


def test_the_suites_error_keeps_the_size_of_the_intervals_and_is_shared_by_models_of_one_length(
    evidence, view
) -> None:
    rows = time_horizon.evaluations(evidence, all_years(view))
    short, long = rows["short"].values, rows["long"].values
    np.testing.assert_allclose(short**2 + long**2, 1.0)
    correlation = np.outer(short, short) + np.outer(long, long)
    near = np.abs(np.subtract.outer(rows["log2_horizon"].values, rows["log2_horizon"].values)) < 0.5
    assert correlation[near].min() > 0.99
    assert correlation.min() < 0.3
    high = evidence["time_horizons"].sel(evaluation=rows["evaluation"])
    ratio = (high["horizon_high"] / high["horizon_low"]).values
    np.testing.assert_allclose(2.0 ** (2 * 1.96 * rows["log2_sd"].values), ratio)


def test_an_interval_must_hold_its_horizon(tmp_path, evidence) -> None:
    from aligntax.models.evidence import load_evidence

    names = "key,name,date,suite,horizon_minutes,horizon_low,horizon_high,bound,record,used,source,status,note"
    for cells, words in (
        ("50,60,90", "must not lie below horizon_low"),
        ("50,20,40", "must not lie below horizon_min"),
    ):
        row = f"mine,Mine,2026-01-01,1.1,{cells},exact,true,true,me,seen,"
        (tmp_path / "time_horizons.add.csv").write_text(f"{names}\n{row}\n")
        with pytest.raises(InputError, match=words):
            load_evidence(tmp_path)


def test_a_view_sets_window_and_reference(view) -> None:
    changed = view.replace(time_horizon={"since": 2019.0})
    assert changed.hash != view.hash
    assert changed.time_horizon.reference_date == view.time_horizon.reference_date == 2025.0
    with pytest.raises(
        InputError, match=r"time_horizon.reference_date: must be a year from 2015 to 2030, got 1800"
    ):
        view.replace(time_horizon={"reference_date": 1800.0})


# ----------------------------------------------------------------------------------- the likelihood


def by_hand(
    x: dict[str, Any], p: dict[str, float], rows: xr.Dataset, shape: str, view: View
) -> float:
    """Scipy's Student t, row by row."""
    total = 0.0
    for i in range(rows.sizes["evaluation"]):
        row = rows.isel(evaluation=i)
        mean = float(log_horizon(x, row["date"].values, shape, view)) / np.log10(2)
        angle = 0.5 * np.pi * np.clip(row["log2_horizon"].item() / np.log2(960), 0, 1)
        suite = np.cos(angle) * p["suite_error_short"] + np.sin(angle) * p["suite_error_long"]
        mean += np.sqrt(p["suite_error_share"]) * row["log2_sd"].item() * suite
        sd = np.hypot(
            np.sqrt(1 - p["suite_error_share"]) * row["log2_sd"].item(), p["horizon_scatter"]
        )
        error = stats.t(time_horizon.NU, mean, sd)
        total += (
            error.logpdf(row["log2_horizon"].item())
            if row["exact"]
            else error.logsf(row["log2_horizon"].item())
        )
    return total


def structural(seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    values = (rng.uniform(0.1, 0.8), rng.uniform(0.05, 0.95), rng.normal(), rng.normal())
    return dict(zip(ERRORS, values, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_tables_likelihood_is_scipys(evidence, view, shape) -> None:
    rows = time_horizon.evaluations(evidence, all_years(view))
    for seed in range(5):
        p = structural(seed)
        ours = time_horizon.log_terms(scalars(), p, numbers(rows), shape, view).sum()
        assert ours == pytest.approx(by_hand(scalars(), p, rows, shape, view), rel=1e-9)


def test_graph_and_numpy_give_the_same_potential_and_weights(evidence, view) -> None:
    """The whole graph, priors' tables included; what :func:`add` returns is checked against its twin."""
    import pymc as pm
    import pytensor

    from aligntax.models.priors.elicited import add_elicited

    tables = view.tables(QUANTITIES)
    with pm.Model(check_bounds=False) as model:
        weights = time_horizon.add(evidence, view, add_elicited(tables))
    outputs = model.replace_rvs_by_values([model["time_horizons"], weights])
    compiled = pytensor.function(
        model.value_vars, outputs, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rows = time_horizon.evaluations(evidence, view)
    rng = np.random.default_rng(3)
    for seed in range(6):
        z, p = 0.7 * rng.normal(size=len(QUANTITIES)), structural(seed)
        share = p["suite_error_share"]
        point = {"white": z, **p, **scale_at("horizon_scatter", p["horizon_scatter"])}
        point["suite_error_share_interval__"] = np.log(share / (1 - share))
        x = tables.values(z)
        point |= suite_at(p, x, rows, view)
        potential, weights = compiled(*(point[v.name] for v in model.value_vars))
        prior = np.log([1 - x["superexponential_weight"], x["superexponential_weight"]])
        each = [time_horizon.log_terms(x, p, numbers(rows), shape, view).sum() for shape in SHAPES]
        expected = np.logaddexp(*(prior + each))
        assert potential == pytest.approx(expected, rel=1e-10)
        draw = {name: np.asarray([value]) for name, value in x.items()}
        parameters = xr.Dataset({name: ("sample", [value]) for name, value in p.items()})
        np.testing.assert_allclose(
            time_horizon.log_shape_weights(draw, parameters, evidence, view)[0],
            weights,
            rtol=1e-10,
            atol=1e-10,
        )


def test_the_horizon_in_pytensor_is_the_horizon_in_numpy() -> None:
    import pytensor.tensor as pt

    t = np.linspace(2019.0, 2028.0, 50)
    for shape in SHAPES:
        tensor = log_horizon(
            {n: pt.as_tensor(v) for n, v in scalars().items()}, pt.as_tensor(t), shape, VIEW, pt.log
        )
        np.testing.assert_allclose(
            tensor.eval(mode="FAST_COMPILE"), log_horizon(X, t, shape, VIEW), rtol=1e-10, atol=1e-12
        )


def test_the_graph_stays_finite_with_its_gradient_after_the_divergence() -> None:
    import pytensor
    import pytensor.tensor as pt

    shrink = pt.scalar("shrink", dtype="float64")
    x = {**{n: pt.as_tensor(v) for n, v in scalars().items()}, "doubling_shrink": shrink}
    total = log_horizon(
        x, pt.as_tensor(np.asarray([2026.0, 2040.0])), "superexponential", VIEW, pt.log
    ).sum()
    value, slope = pytensor.function(
        [shrink], [total, pytensor.grad(total, shrink)], mode="FAST_COMPILE"
    )(0.3)
    assert 100 < value < 1e4
    assert np.isfinite(slope)


def test_without_evidence_the_weights_are_the_priors(evidence, view) -> None:
    nothing = evidence.only([])
    assert time_horizon.build(nothing, view).potentials == []
    draw = {name: np.asarray([value]) for name, value in X.items()}
    parameters = xr.Dataset({name: ("sample", [value]) for name, value in structural(1).items()})
    weights = np.exp(time_horizon.log_shape_weights(draw, parameters, nothing, view))
    np.testing.assert_allclose(weights, [[0.55, 0.45]])


# --------------------------------------------------------------------------------------- derivation


def fixed(size: int, **changes: float) -> tuple[dict[str, Any], xr.Dataset, Chance]:
    x = {name: np.full(size, value) for name, value in {**X, **changes}.items()}
    p = dict(
        horizon_scatter=0.3, suite_error_share=0.5, suite_error_short=0.0, suite_error_long=0.0
    )
    parameters = xr.Dataset({name: ("sample", np.full(size, value)) for name, value in p.items()})
    return x, parameters, Chance.draw(size, np.random.default_rng(5))


def test_one_shape_a_draw_in_proportion_to_its_probability(evidence, view) -> None:
    x, parameters, chance = fixed(4000)
    derived = time_horizon.derive(x, parameters, evidence, view, chance, HORIZON_DATES)
    straight, curved = (threshold_date(x, shape, view)[0] for shape in SHAPES)
    assert set(np.unique(derived["superhuman_coder_year"])) == {straight, curved}
    share = np.mean(derived["superhuman_coder_year"] == curved)
    assert share == pytest.approx(derived["superexponential_probability"][0], abs=0.03)
    assert derived["time_horizon"].shape == (4000, len(HORIZON_DATES))
    bent = derived["superhuman_coder_year"] == curved
    assert np.all(derived["time_horizon"][bent, -1] == np.inf)  # 2035
    assert np.all(np.isfinite(derived["time_horizon"][~bent]))


def test_later_than_the_horizon_is_infinite_and_before_today_is_counted(evidence, view) -> None:
    late = fixed(10, time_horizon_doubling=4.5, superexponential_weight=1e-9)
    assert np.all(
        time_horizon.derive(*late[:2], evidence, view, late[2], ())["superhuman_coder_year"]
        == np.inf
    )
    early = fixed(10, time_horizon_threshold=1.0, superexponential_weight=1e-9)
    derived = time_horizon.derive(*early[:2], evidence, view, early[2], ())
    assert np.all(derived["superhuman_coder_year"] < 2025) and np.all(
        derived["superhuman_coder_past"] == 1
    )
    middle = fixed(10)
    assert np.all(
        time_horizon.derive(*middle[:2], evidence, view, middle[2], ())["superhuman_coder_past"]
        == 0
    )


# ----------------------------------------------------------------------------------------- sampling


def all_years(view: View) -> View:
    return view.replace(time_horizon={"since": 2019.0})


def weighing(view: View, weight: float) -> View:
    return view.with_quantity("superexponential_weight", {"point": weight})


NEVER, ALWAYS = 1e-12, 1 - 1e-12


@pytest.fixture(scope="module")
def compiled(evidence, view):
    """Compiled once; windows and simulated tables go in as data."""
    from aligntax.analysis.inference.compiled_model import compile_model

    return compile_model(find_model("time-horizon"), evidence, view)


def fit(
    compiled: Any, view: View, rows: xr.Dataset, seed: int = 1, draws: int = 1000
) -> tuple[dict[str, Any], xr.Dataset]:
    """Elicited quantities (draw,) and structural parameters of a posterior, under a view and any table of evaluations."""
    chosen = compiled.with_view(view)
    data = np.stack([column.values for column in rows.data_vars.values()])
    chosen = replace(chosen, compiled=chosen.compiled.with_data(evaluations=data))
    posterior, sample_stats = chosen.posterior(Sampling(seed=seed, draws=draws))
    assert int(sample_stats["diverging"].sum()) == 0
    x = view.tables(QUANTITIES).values(posterior["z"].transpose("chain", "draw", "quantity").values)
    flat = xr.Dataset({name: ("sample", posterior[name].values.ravel()) for name in ERRORS})
    return {name: value.ravel() for name, value in x.items()}, flat


def superexponential(
    evidence: Evidence, view: View, drawn: tuple[dict[str, Any], xr.Dataset]
) -> float:
    return float(np.exp(time_horizon.log_shape_weights(*drawn, evidence, view)[:, 1]).mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2022, 1, 7])
def test_the_sampler_is_healthy(compiled, seed) -> None:
    from aligntax.analysis.fitting.outcome import conclude_fit

    option = Sampling(seed=seed)
    record = conclude_fit(compiled.sample(option), option, {}).record
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["r_hat"]["value"] < 1.01
    assert checks["divergences"]["value"] == 0
    assert record["verdict"] == "pass", [check for check in record["checks"] if not check["passed"]]
    assert 2026.5 < record["quantities"]["superhuman_coder_year"]["q50"] < 2031


@pytest.mark.slow
def test_a_run_draws_the_trend_and_the_superhuman_coder(compiled, tmp_path) -> None:
    from aligntax.analysis.figures import report_figures
    from aligntax.analysis.figures import time_horizon as time_horizon_figures
    from aligntax.analysis.fitting.outcome import conclude_fit, write_outcome

    option = Sampling(seed=1, draws=100)
    (tmp_path / "run").mkdir()
    result = write_outcome(
        tmp_path / "run", conclude_fit(compiled.sample(option), option, {}), "run"
    )
    assert time_horizon_figures.has_trend(result)
    captions = [drawing.caption for drawing in report_figures.forecast_figures(result)]
    assert sum("superhuman coder" in caption for caption in captions) == 2
    axes = time_horizon_figures.trend(result).axes[0]
    assert {text.get_text() for text in axes.texts} == {"superhuman coder"}
    assert (
        len(axes.collections[-2].get_offsets()) == 14
        and len(axes.collections[-1].get_offsets()) == 1
    )
    labels = {
        line.get_label() for line in time_horizon_figures.superhuman_coder(result).axes[0].lines
    }
    assert {"AI 2027, Lifland", "AI 2027, Jurkovic", "AI 2027, FutureSearch"} < labels


@pytest.mark.slow
def test_the_doubling_time_since_2023_is_within_metrs_interval(compiled, evidence, view) -> None:
    """Published 128.7 days, 95% interval 104.4 to 158.0; ours also counts the model beyond 16 hours, which METR leaves out."""
    x, _ = fit(compiled, weighing(view, NEVER), time_horizon.evaluations(evidence, view))
    low, middle, high = 10.0 ** np.quantile(x["time_horizon_doubling"], [0.025, 0.5, 0.975])
    assert 104.4 <= middle <= 158.0
    assert 95 < low < 115 and 140 < high < 170  # as wide as METR's bootstrap over tasks: 54 days


@pytest.mark.slow
def test_the_doubling_time_of_all_years_is_near_metrs(compiled, evidence, view) -> None:
    """Published 187.8 days."""
    rows = time_horizon.evaluations(evidence, all_years(view))
    x, _ = fit(compiled, weighing(view, NEVER), rows)
    assert 10.0 ** np.median(x["time_horizon_doubling"]) == pytest.approx(187.8, abs=10)


@pytest.mark.slow
def test_gpt2_to_gpt35_speak_for_superexponential_growth_and_what_came_since_2023_hardly(
    compiled, evidence, view
) -> None:
    recent = superexponential(
        evidence, view, fit(compiled, view, time_horizon.evaluations(evidence, view))
    )
    every = all_years(view)
    longer = superexponential(
        evidence, every, fit(compiled, view, time_horizon.evaluations(evidence, every))
    )
    assert 0.6 < recent < 0.95
    assert longer > 0.99


@pytest.mark.slow
def test_the_weight_of_the_shape_moves_the_answer(compiled, evidence, view) -> None:
    rows, years = time_horizon.evaluations(evidence, view), []
    for weight, shape in ((NEVER, SHAPES[0]), (ALWAYS, SHAPES[1])):
        x, _ = fit(compiled, weighing(view, weight), rows)
        years.append(np.median(threshold_date(x, shape, view)))
    assert years[0] - years[1] > 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("time_horizon_level", {"point": 20.0}, {"point": 80.0}),
        ("time_horizon_doubling", {"point": 100.0}, {"point": 180.0}),
        ("doubling_shrink", {"point": 0.03}, {"point": 0.2}),
        ("superexponential_weight", {"point": 0.01}, {"point": 0.99}),
        ("time_horizon_threshold", {"point": 1e4}, {"point": 1e8}),
    ],
)
def test_each_prior_moves_the_superhuman_coder(compiled, evidence, view, name, low, high) -> None:
    """A quarter of a year between opposite beliefs; :func:`derive` draws the shapes with the same uniforms."""
    rows, medians = time_horizon.evaluations(evidence, view), []
    for spec in (low, high):
        mine = view.with_quantity(name, spec)
        x, parameters = fit(compiled, mine, rows, draws=500)
        chance = Chance.draw(2000, np.random.default_rng(2))
        year = time_horizon.derive(x, parameters, evidence, mine, chance, ())[
            "superhuman_coder_year"
        ]
        medians.append(np.median(year))
    assert abs(medians[1] - medians[0]) > 0.25


# ---------------------------------------------------------------------------- recovery of the known


def simulated(
    rows: xr.Dataset, truth: dict[str, Any], shape: str, seed: int, share: float = 0.6
) -> xr.Dataset:
    """The same models and intervals on a suite of their own, with horizons that follow a known trend."""
    rng = np.random.default_rng(seed)
    short, long = rng.standard_normal(2)
    suite = np.sqrt(share) * rows["log2_sd"] * (rows["short"] * short + rows["long"] * long)
    own = np.sqrt((1 - share) * rows["log2_sd"] ** 2 + 0.25**2) * rng.standard_t(
        time_horizon.NU, rows.sizes["evaluation"]
    )
    trend = log_horizon(truth, rows["date"].values, shape, VIEW) / np.log10(2)
    return rows.assign(
        log2_horizon=("evaluation", (trend + suite + own).values), exact=xr.ones_like(rows["exact"])
    )


@pytest.fixture(scope="module")
def recovered(compiled, evidence, view):
    """Ranks of the true level and doubling time in 30 posteriors; and in posteriors that ignore or misread the intervals."""
    table = time_horizon.evaluations(evidence, view)
    ranks: dict[str, list[float]] = {
        "doubling": [],
        "level": [],
        "doubling, errors ignored": [],
        "level, errors ignored": [],
    }
    for seed in range(30):
        rng = np.random.default_rng(100 + seed)
        truth = scalars(
            time_horizon_level=np.log10(40) + 0.3 * rng.normal(),
            time_horizon_doubling=np.log10(130) + 0.08 * rng.normal(),
        )
        rows = simulated(table, truth, "exponential", seed)
        blind = rows.assign(log2_sd=rows["log2_sd"] * 0.01)
        for suffix, data in (("", rows), (", errors ignored", blind)):
            x, _ = fit(compiled, weighing(view, NEVER), data, seed=seed, draws=250)
            for name, quantity in (
                ("doubling", "time_horizon_doubling"),
                ("level", "time_horizon_level"),
            ):
                ranks[name + suffix].append(float(np.mean(x[quantity] < truth[quantity])))
    return {name: np.asarray(values) for name, values in ranks.items()}


def covered(ranks: Any) -> float:
    """Share of the truths in their 80% interval."""
    return float(np.mean((ranks > 0.1) & (ranks < 0.9)))


@pytest.mark.slow
def test_known_trends_are_recovered(recovered) -> None:
    """80% intervals hold the truth in about 24 of 30 simulations: 19 to 30 is the central 98% of that binomial, and its top."""
    assert covered(recovered["doubling"]) >= 19 / 30
    assert covered(recovered["level"]) >= 19 / 30


@pytest.mark.slow
def test_without_the_suites_error_the_truth_is_missed(recovered) -> None:
    """Negative control: the level is then known far too well."""
    assert covered(recovered["level, errors ignored"]) < 19 / 30
    assert covered(recovered["level, errors ignored"]) < covered(recovered["level"])


@pytest.mark.slow
def test_the_wrong_shape_misses_the_truth(compiled, evidence, view) -> None:
    """Negative control: a superexponential history, read as exponential, puts the superhuman coder years too late."""
    every = all_years(view)
    table, truth = time_horizon.evaluations(evidence, every), scalars()
    actual = threshold_date(truth, "superexponential", view)
    rows = simulated(table, truth, "superexponential", 4)
    inside = []
    for weight, shape in ((NEVER, SHAPES[0]), (ALWAYS, SHAPES[1])):
        pinned = weighing(view, weight).with_quantity("time_horizon_threshold", {"point": 6e6})
        x, _ = fit(compiled, pinned, rows)
        low, high = np.quantile(threshold_date(x, shape, view), [0.01, 0.99])
        inside.append(low < actual < high)
    assert inside == [False, True]


@pytest.mark.slow
def test_replicated_evaluations_are_calibrated(compiled, evidence, view) -> None:
    """Ranks of the records among replicates on the same suite are not far from uniform, and scatter as the model says."""
    x, parameters = fit(compiled, view, time_horizon.evaluations(evidence, view))
    dim, drawn = time_horizon.simulate(x, parameters, evidence, view, np.random.default_rng(1))[
        "log2_horizon"
    ]
    actual = time_horizon.observed(evidence, view)["log2_horizon"]
    assert (dim, drawn.shape[1]) == ("evaluation", actual.size) and actual.size == 14
    ranks = (drawn < actual.values).mean(axis=0)
    assert stats.kstest(ranks, "uniform").pvalue > 0.05
    assert 0.4 < np.mean((ranks > 0.05) & (ranks < 0.95)) <= 1.0
