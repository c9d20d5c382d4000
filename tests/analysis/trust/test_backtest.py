"""Scores against closed forms, forecasters who deserve to lose, evidence that must not leak, and the command."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.trust.backtest.folder import naive_wins, skill
from aligntax.analysis.trust.backtest.named import draws_of, named_forecasts
from aligntax.analysis.trust.backtest.origins import BASELINES, METHODS, Scored, _fitted, _forecast
from aligntax.analysis.trust.backtest.scores import (
    crps,
    last_value,
    log_score,
    pit,
    score,
    straight_line,
)
from aligntax.analysis.trust.backtest.state_space import (
    RATIOS,
    arima_with_drift,
    kalman_filter,
    local_linear_trend,
)
from aligntax.analysis.trust.backtest.targets import EXPONENT, TARGETS, without_hindsight
from aligntax.analysis.trust.backtest.wording import win_rows, win_sentence
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import Evidence

WINS = "Where a naive forecaster wins"
SHORT = Sampling(draws=250, tune=300, chains=2)


def quantiles(law, size=4000):
    return law.ppf((np.arange(size) + 0.5) / size)


# ------------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize("actual", [-3.0, 0.0, 0.4, 2.5])
def test_crps_of_a_normal_is_the_closed_form(actual) -> None:
    """``s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))``, Gneiting and Raftery 2007, section 4.2."""
    mean, sd = 0.3, 1.7
    z = (actual - mean) / sd
    expected = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps(quantiles(stats.norm(mean, sd)), actual) == pytest.approx(expected, abs=2e-3)
    assert log_score(quantiles(stats.norm(mean, sd)), actual) == pytest.approx(
        stats.norm.logpdf(actual, mean, sd), abs=0.1
    )


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.floats(-1e3, 1e3))
def test_crps_is_that_of_every_pair(draws, actual) -> None:
    x = np.asarray(draws)
    pairs = np.abs(x[:, None] - x).mean()
    assert crps(x, actual) == pytest.approx(np.abs(x - actual).mean() - 0.5 * pairs, abs=1e-9)
    assert crps(x, actual) >= -1e-9
    assert crps(x + 5.0, actual + 5.0) == pytest.approx(crps(x, actual), abs=1e-6)


def test_a_forecast_without_spread_scores_its_distance() -> None:
    assert crps(np.full(100, 2.0), 5.0) == pytest.approx(3.0)


def test_honest_forecasts_score_best_and_have_even_ranks() -> None:
    """Too narrow, too wide and biased forecasters lose to the truth in both scores; only the truth's ranks are uniform."""
    rng = np.random.default_rng(1)
    came = rng.standard_normal(800)
    said = {"true": (0.0, 1.0), "narrow": (0.0, 0.4), "wide": (0.0, 2.5), "biased": (0.8, 1.0)}
    found = {}
    for name, (mean, sd) in said.items():
        draws = quantiles(stats.norm(mean, sd), 1000)
        scores = [score(draws, y) for y in came]
        ranks = stats.kstest([each.pit for each in scores], "uniform").pvalue
        found[name] = (
            np.mean([s.crps for s in scores]),
            np.mean([s.log_score for s in scores]),
            ranks,
        )
        covered = [np.mean([s.covered[i] for s in scores]) for i in (0, 1)]
        if name == "true":
            assert covered == pytest.approx([0.5, 0.9], abs=0.05)
    others = [found[name] for name in said if name != "true"]
    assert all(found["true"][0] < each[0] and found["true"][1] > each[1] for each in others)
    assert found["true"][2] > 0.01 and all(each[2] < 1e-6 for each in others)


def test_draws_that_diverge_count_at_the_largest_finite_one_and_are_told() -> None:
    found = score(np.asarray([0.0, 1.0, 2.0, np.inf]), 1.0)
    assert found.diverged == 0.25 and np.isfinite(found.crps) and found.q95 <= 2.0
    assert pit(np.asarray([1.0, 1.0]), 1.0) == 0.5


# ------------------------------------------------------------------------------------ the baselines


def test_the_straight_line_predicts_as_the_textbook_does() -> None:
    rng = np.random.default_rng(2)
    dates = np.sort(rng.uniform(2010, 2020, 12))
    values = 1.0 + 0.4 * (dates - 2015) + 0.3 * rng.standard_normal(12)
    later = np.asarray([2021.0, 2025.0])
    fit = stats.linregress(dates, values)
    residual = values - fit.intercept - fit.slope * dates
    s = np.sqrt((residual**2).sum() / 10)
    scale = s * np.sqrt(
        1 + 1 / 12 + (later - dates.mean()) ** 2 / ((dates - dates.mean()) ** 2).sum()
    )
    draws = straight_line(dates, values, later)
    for i, t in enumerate(later):
        law = stats.t(10, fit.intercept + fit.slope * t, scale[i])
        np.testing.assert_allclose(
            np.quantile(draws[:, i], (0.1, 0.5, 0.9)), law.ppf((0.1, 0.5, 0.9)), atol=5e-3
        )


def test_the_last_value_wins_on_a_random_walk_and_the_line_on_a_line() -> None:
    rng = np.random.default_rng(3)
    dates, later = np.arange(2000.0, 2015.0), np.arange(2015.0, 2020.0)
    wins = {"walk": 0, "line": 0}
    for _ in range(200):
        walk = np.cumsum(rng.standard_normal(20))
        line = 0.5 * np.arange(20) + 0.3 * rng.standard_normal(20)
        for name, path in (("walk", walk), ("line", line)):
            both = [naive(dates, path[:15], later) for naive in (last_value, straight_line)]
            last, straight = (
                np.mean([crps(draws[:, i], path[15 + i]) for i in range(5)]) for draws in both
            )
            wins[name] += last < straight
    assert wins["walk"] > 115 and wins["line"] < 10


@pytest.mark.parametrize(("later", "ahead"), [(2004.1, 1.0), (2005.0, 1.0), (2008.0, 4.0)])
def test_the_last_value_scatters_as_a_random_walk_for_at_least_a_step(later, ahead) -> None:
    """Steps of one a year: the variance grows by one a year, and is at least that of one mean step."""
    dates, values = np.arange(2000.0, 2005.0), np.asarray([0.0, 1.0, 0.0, 1.0, 2.0])
    draws = last_value(dates, values, np.asarray([later]))[:, 0]
    law = stats.norm(2.0, np.sqrt(ahead))
    np.testing.assert_allclose(
        np.quantile(draws, (0.1, 0.5, 0.9)), law.ppf((0.1, 0.5, 0.9)), atol=5e-3
    )


def test_rows_of_one_date_have_no_slope_and_still_a_forecast() -> None:
    dates, values = np.full(4, 2020.0), np.asarray([1.0, 2.0, 3.0, 4.0])
    assert np.isfinite(straight_line(dates, values, np.asarray([2021.0]))).all()
    assert np.isfinite(last_value(dates, values, np.asarray([2021.0]))).all()


NOTHING = np.zeros(1)


def uneven_rows(seed: int = 4, size: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    dates = np.sort(rng.uniform(2010, 2020, size))
    return dates, 1.0 + 0.4 * (dates - 2015) + 0.3 * rng.standard_normal(size)


def test_where_nothing_wanders_the_filter_is_the_straight_line() -> None:
    """Line, its covariance and its scatter are those of least squares, on uneven dates and on two rows of one date."""
    dates, values = uneven_rows()
    dates[5] = dates[6]
    found = kalman_filter(dates, values, NOTHING, NOTHING)
    fit, cov = np.polyfit(dates - dates[-1], values, 1, cov="unscaled")
    residual = values - np.polyval(fit, dates - dates[-1])
    np.testing.assert_allclose((found.slope[0], found.level[0]), fit, rtol=1e-5)
    ours = (found.slope_var[0], found.covariance[0], found.level_var[0])
    np.testing.assert_allclose(ours, (cov[0, 0], cov[0, 1], cov[1, 1]), rtol=1e-5)
    assert found.s[0] == pytest.approx(np.sqrt((residual**2).sum() / (len(dates) - 2)), rel=1e-5)


def test_the_filter_is_generalised_least_squares() -> None:
    """Rows with a wandering level and slope are jointly normal: their covariance written out, with line and scatter as unknowns."""
    dates, values = uneven_rows(size=9)
    q, w = 0.7, 0.3
    t = dates - dates[0]
    low, high = np.minimum.outer(t, t), np.maximum.outer(t, t)
    covariance = np.eye(9) + q * low + w * (low**2 * high / 2 - low**3 / 6)
    design = np.stack([np.ones(9), t], axis=1)
    inverse = np.linalg.inv(covariance)
    line = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ values)
    residual = values - design @ line
    found = kalman_filter(dates, values, np.asarray([q]), np.asarray([w]))
    assert found.s[0] ** 2 == pytest.approx(residual @ inverse @ residual / 7, rel=1e-4)
    log = -0.5 * (
        np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(design.T @ inverse @ design)[1]
    )
    other = kalman_filter(dates, values, NOTHING, NOTHING)
    plain = -0.5 * np.linalg.slogdet(design.T @ design)[1]
    # both up to the same constant, that of the diffuse start
    assert found.log_likelihood[0] - other.log_likelihood[0] == pytest.approx(
        log - plain - 7 * np.log(found.s[0] / other.s[0]), abs=1e-3
    )


def test_arima_on_even_rows_smooths_exponentially() -> None:
    """Muth 1960: with ``q`` the ratio of variances the steady gain is ``(sqrt(q^2 + 4 q) - q) / 2``, and minus theta is one less it."""
    rng = np.random.default_rng(6)
    values = np.cumsum(0.5 + rng.standard_normal(400)) + rng.standard_normal(400)
    q = 1.0
    found = kalman_filter(np.arange(400.0), values, np.asarray([q]), NOTHING)
    gain = (np.sqrt(q**2 + 4 * q) - q) / 2
    assert found.level_var[0] == pytest.approx(gain, rel=2e-2)
    level = values[0]
    for value in values[1:]:
        level = level + found.slope[0]
        level = level + gain * (value - level)
    assert found.level[0] == pytest.approx(level, abs=1e-2)


@pytest.mark.parametrize("forecaster", [arima_with_drift, local_linear_trend])
def test_wandering_forecasters_predict_a_line_as_a_line_and_scatter_more_further_ahead(
    forecaster,
) -> None:
    dates = np.arange(2000.0, 2030.0)
    values = 3.0 + 0.5 * (dates - 2000.0) + 0.2 * np.random.default_rng(7).standard_normal(30)
    later = np.asarray([2030.0, 2040.0])
    ours, line = forecaster(dates, values, later), straight_line(dates, values, later)
    np.testing.assert_allclose(np.median(ours, axis=0), np.median(line, axis=0), atol=0.4)
    spread = np.quantile(ours, 0.9, axis=0) - np.quantile(ours, 0.1, axis=0)
    assert spread[1] > spread[0] >= 0.9 * np.subtract(*np.quantile(line[:, 0], (0.9, 0.1)))


def test_each_naive_forecaster_wins_on_what_it_assumes() -> None:
    """100 simulated paths each: a drifting walk with noise to the ARIMA, a wandering slope to the local linear trend."""
    rng = np.random.default_rng(8)
    dates, later = np.arange(60.0), np.arange(60.0, 66.0)
    mean = {"drift": np.zeros(3), "bend": np.zeros(3)}
    for _ in range(100):
        drift = np.cumsum(0.5 + 1.0 * rng.standard_normal(66)) + rng.standard_normal(66)
        bend = np.cumsum(np.cumsum(0.3 * rng.standard_normal(66))) + rng.standard_normal(66)
        for name, path in (("drift", drift), ("bend", bend)):
            for i, naive in enumerate((arima_with_drift, local_linear_trend, straight_line)):
                draws = naive(dates, path[:60], later)
                mean[name][i] += np.mean([crps(draws[:, j], path[60 + j]) for j in range(6)])
    assert (
        mean["drift"][0] < mean["drift"][1] < 1.5 * mean["drift"][0]
        and mean["drift"][0] < 0.8 * mean["drift"][2]
    )
    assert mean["bend"][1] < 0.6 * min(mean["bend"][0], mean["bend"][2])


@pytest.mark.parametrize("forecaster", [arima_with_drift, local_linear_trend])
def test_four_rows_are_enough_for_a_finite_forecast(forecaster) -> None:
    later = np.asarray([2021.0, 2024.0])
    for dates in (np.full(4, 2020.0), np.asarray([2015.0, 2015.5, 2019.0, 2020.0])):
        draws = forecaster(dates, np.asarray([1.0, 2.0, 3.0, 4.0]), later)
        assert draws.shape == (2000, 2) and np.isfinite(draws).all()
    assert RATIOS[0] == 0.0


# ---------------------------------------------------------------------------- what the origin knows


@pytest.fixture(scope="module")
def compiled(evidence, view):
    return {
        name: compile_model(find_model(name), evidence, without_hindsight(view))
        for name in ("scaling", "time-horizon")
    }


def shuffled(evidence, table, column, when, end, seed=0):
    """The same evidence with other numbers in the rows after a date."""
    rows = evidence[table]
    values = rows[column].values.copy()
    later = rows[when].values > end
    values[later] = values[later] * np.random.default_rng(seed).uniform(0.3, 0.9, later.sum())
    return Evidence({**evidence.tables, table: rows.assign({column: (rows.dims, values)})})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "table", "column", "when"),
    [
        (EXPONENT, "scaling_exponents", "allocation_exponent", "year"),
        ("time horizon", "time_horizons", "horizon_minutes", "date"),
    ],
)
def test_what_came_later_changes_no_forecast(
    target, table, column, when, compiled, evidence
) -> None:
    chosen = TARGETS[target]
    model, origin = compiled[chosen.model], 2023
    end = origin if when == "year" else origin + 1.0
    fits, forecasts = [], []
    for known in (evidence, shuffled(evidence, table, column, when, end)):
        fits.append(_fitted(chosen, model, known, origin, SHORT))
        forecasts.append(_forecast(chosen, fits[-1], known, origin, SHORT))
    first, again = forecasts
    assert not np.allclose(first.actual, again.actual)
    for name, value in fits[0].x.items():
        np.testing.assert_array_equal(value, fits[1].x[name])
    for method in BASELINES:
        np.testing.assert_array_equal(first.draws[method], again.draws[method])
    # what a row's own number says of its error, and of the part of the suite that it falls on, is
    # given
    moved = np.median(first.draws["model"], axis=0) - np.median(again.draws["model"], axis=0)
    assert np.abs(moved).max() < 0.15
    early = shuffled(evidence, table, column, when, -np.inf)
    other = _forecast(chosen, _fitted(chosen, model, early, origin, SHORT), early, origin, SHORT)
    assert not np.allclose(first.draws["straight line"], other.draws["straight line"])


def test_no_row_is_cut_by_hindsight(evidence, view) -> None:
    whole = without_hindsight(view)
    for target in TARGETS.values():
        model = find_model(target.model)
        every = target.rows(restrict(evidence, whole, model), whole)
        cut = target.rows(restrict(evidence, view, model), view)
        assert every["value"].size >= cut["value"].size
        assert np.isfinite(every["value"].values).all()
    assert TARGETS["time horizon"].rows(evidence, whole)["date"].values.min() < 2020


def too_few(evidence, origin: int) -> str:
    """What is said of an origin with too few exact horizons before it, counted by release in the table."""
    rows = evidence["time_horizons"]
    hacks_fail = rows["reward_hacks"].values == "fail"
    exact = rows["used"].values & (rows["bound"].values == "exact") & hacks_fail
    known = int(np.sum(rows["date"].values[exact] < origin + 1))
    counts = f"{known} earlier and {exact.sum() - known} later rows; 4 and 1 are needed"
    return f"time horizon at the end of {origin}: {counts}"


@pytest.mark.slow
def test_too_few_rows_are_told_and_not_forecast(compiled, evidence) -> None:
    told = _fitted(TARGETS["time horizon"], compiled["time-horizon"], evidence, 2018, SHORT)
    assert told == too_few(evidence, 2018)


# --------------------------------------------------------------------------- forecasts of named people


def test_a_forecast_of_three_quantiles_of_a_normal_is_that_normal() -> None:
    law = stats.norm(3.0, 2.0)
    draws = draws_of(np.asarray([0.2, 0.5, 0.8]), law.ppf([0.2, 0.5, 0.8]))
    np.testing.assert_allclose(draws, quantiles(law, len(draws)), rtol=1e-9, atol=1e-9)


def test_a_forecast_goes_through_the_quantiles_that_were_published() -> None:
    """Cotra's of January 2026: 15, 24 and 40 hours; a row of 2027 decides it, and one of 2025 says nothing."""
    draws = draws_of(np.asarray([0.2, 0.5, 0.8]), np.log2([900.0, 1440.0, 2400.0]))
    np.testing.assert_allclose(
        np.quantile(draws, (0.2, 0.5, 0.8)), np.log2([900, 1440, 2400]), atol=5e-3
    )


def test_a_named_forecast_is_open_until_a_row_of_its_date_comes(evidence, view) -> None:
    (found,) = named_forecasts(evidence, view)
    assert found.forecaster == "Ajeya Cotra" and found.open
    assert set(found.naive) == set(BASELINES)
    assert found.score.q50 == pytest.approx(np.log2(1440.0), abs=0.01)
    rows = evidence["time_horizons"]
    exact = rows["used"].values.astype(bool) & (rows["bound"].values == "exact")
    last = int(np.flatnonzero(exact)[np.argmax(rows["date"].values[exact])])

    def with_last(date: float, minutes: float) -> Evidence:
        values = {name: rows[name].values.copy() for name in ("date", "horizon_minutes")}
        values["date"][last], values["horizon_minutes"][last] = date, minutes
        moved = rows.assign({name: (rows.dims, value) for name, value in values.items()})
        return Evidence({**evidence.tables, "time_horizons": moved})

    (met,) = named_forecasts(with_last(found.due, 2400.0), view)
    assert not met.open and met.value == pytest.approx(np.log2(2400.0), abs=0.05)
    assert met.score.pit == pytest.approx(0.8, abs=0.02)
    late = named_forecasts(with_last(found.due + 0.5, 1e6), view)
    assert all(not each.open and each.value <= found.value for each in late)


# ---------------------------------------------------------------------------------------- the whole


def made(target, origin, key, method, draws, actual=0.0):
    return Scored(target, origin, key, origin + 1.5, actual, method, score(draws, actual))


def test_skill_compares_the_rows_that_both_predict_and_says_where_a_baseline_wins() -> None:
    sharp, blunt = quantiles(stats.norm(0, 0.1), 500), quantiles(stats.norm(1, 1), 500)
    scores = [
        made("training cost", 2020, "a", "model", sharp),
        made("training cost", 2020, "a", "straight line", blunt),
        made("training cost", 2021, "a", "model", blunt),
        made("training cost", 2021, "a", "straight line", sharp),
        made("training cost", 2022, "b", "model", blunt),  # no baseline: not compared
    ]
    (row,) = skill(scores)
    beside = row["baselines"]["straight line"]
    assert row["rows"] == 3 and beside["rows"] == 2
    assert beside["ratio"] == pytest.approx(1.0)
    assert beside["lost"] == [2021] and beside["by_origin"][2020] < 0.2
    assert row["baselines"]["last value"] is None
    assert sum(row["pit"]) == 3


def test_years_ahead_are_counted_from_the_end_of_the_origin() -> None:
    """Rows come half a year and three years after the origin's end; the model is better only at first."""
    sharp, blunt = quantiles(stats.norm(0, 0.1), 500), quantiles(stats.norm(1, 1), 500)
    scores = []
    for key, ahead, (ours, theirs) in (("a", 0.5, (sharp, blunt)), ("b", 3.0, (blunt, sharp))):
        for method, draws in (("model", ours), ("straight line", theirs)):
            row = made("training cost", 2020, key, method, draws)
            scores.append(replace(row, date=2021.0 + ahead))
    (row,) = skill(scores)
    beside = row["baselines"]["straight line"]
    assert beside["within_1"] == beside["within_2"] < 0.2
    assert beside["within_4"] == beside["ratio"] == pytest.approx(1.0)


def test_where_a_naive_forecaster_wins_follows_from_the_scores() -> None:
    """The model loses to the line at 2021 alone; a perfect model loses nowhere and the section says so."""
    sharp, blunt = quantiles(stats.norm(0, 0.1), 500), quantiles(stats.norm(1, 1), 500)
    scores = [
        made("training cost", 2020, "a", "model", sharp),
        made("training cost", 2020, "a", "straight line", blunt),
        made("training cost", 2021, "a", "model", blunt),
        made("training cost", 2021, "a", "straight line", sharp),
        made("training cost", 2021, "a", "last value", blunt),
    ]
    skills = skill(scores)
    (win,) = naive_wins(skills)
    ratio = skills[0]["baselines"]["straight line"]["by_origin"][2021]
    assert (win["target"], win["forecaster"], win["of"]) == ("training cost", "straight line", 2)
    assert win["origins"] == {2021: ratio} and ratio > 1.0 and win["overall"] is False
    ((_, _, where, there, overall),) = win_rows([win])
    assert (where, there, overall) == ("2021 of 2", f"{ratio:.2f}", "loses (1.00)")
    (row,) = win_rows([{**win, "origins": {2020: 1.1, 2021: 1.3}}])
    assert row[2:4] == ("2020, 2021 of 2", "1.10 to 1.30")
    assert "loses to none over all origins, and at 1 of 3" in win_sentence([win], skills)
    worst = skill([*scores[2:4]])
    (win,) = naive_wins(worst)
    assert win["overall"] is True
    assert "loses training cost to the straight line" in win_sentence([win], worst)
    good = skill(scores[:2])
    assert naive_wins(good) == []
    assert "loses to none over all origins, and at 0 of 1" in win_sentence([], good)


@pytest.mark.slow
def test_the_command_leaves_a_folder_that_says_where_baselines_win(
    aligntax, evidence, tmp_path, monkeypatch
) -> None:
    """Two targets at two origins; what is written is what is printed, and it is no run."""
    kept = {name: TARGETS[name] for name in ("time horizon", EXPONENT)}
    for module in ("trust.backtest.origins", "trust.backtest.folder", "figures.trust"):
        monkeypatch.setattr(f"aligntax.analysis.{module}.TARGETS", kept)
    words = (
        "backtest",
        "--from",
        2022,
        "--to",
        2023,
        "--draws",
        250,
        "--tune",
        300,
        "--chains",
        2,
        "--out",
        tmp_path,
    )
    code, out, err = aligntax(*words, "--name", "back", "--json")
    info = json.loads(out)
    assert info["divergences"] <= 2, "of a thousand draws"
    assert code == (1 if info["divergences"] else 0), err
    folder = tmp_path / "back"
    assert json.loads((folder / "backtest.json").read_text()) == {
        k: v for k, v in info.items() if k != "path"
    }
    assert {row["target"] for row in info["skill"]} == set(kept)
    assert info["skipped"] == [too_few(evidence, 2022)]
    with (folder / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} == set(METHODS)
    mean = np.mean(
        [
            float(row["crps"])
            for row in rows
            if row["target"] == "time horizon" and row["method"] == "model"
        ]
    )
    assert mean == pytest.approx(info["skill"][0]["crps"])
    page = (folder / "report.html").read_text()
    assert (
        all(text in page for text in ("Would the models have known?", WINS, *BASELINES))
        and "http-equiv" in page
    )
    assert "no runs" in aligntax("runs", "--out", tmp_path)[1]
    code, _, err = aligntax(*words, "--name", "back")
    assert code == 2 and "must be new" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", 2024, "--to", 2020), "first not after the last"),
        (("--from", 1, "--to", 2020), "2000 to 2100"),
        (("--view", "nobody"), "nobody"),
        (("--draws", 0), "draws: must lie between"),
        (("--name", "../up"), "name: must be letters"),
    ],
)
def test_what_a_user_gets_wrong_is_named(words, told, aligntax) -> None:
    code, out, err = aligntax("backtest", *words)
    assert code == 2 and told in err and not out


@pytest.mark.slow
def test_a_forecaster_of_2020_believed_in_less_data_than_one_of_2024(compiled, evidence) -> None:
    """Kaplan et al. alone leave the prior, Bio Anchors' 0.8, where it was; Chinchilla and its successors say one."""
    found = {}
    for origin in (2020, 2024):
        fitted = _fitted(TARGETS[EXPONENT], compiled["scaling"], evidence, origin, SHORT)
        found[origin] = 10.0 ** np.quantile(fitted.x["data_exponent_prior"], (0.05, 0.5, 0.95))
    assert found[2020][1] < 0.85 and found[2024][1] > 0.9
    assert found[2020][2] - found[2020][0] > 3 * (found[2024][2] - found[2024][0])
