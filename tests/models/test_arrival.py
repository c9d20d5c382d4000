"""One hazard: what has not happened yet, what that says about the anchors, and when it happens."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.models import arrival as hazard
from aligntax.models.arrival import (
    STEP,
    Chance,
    accumulated_rate,
    anchor_probabilities,
    arrival_date,
    arrival_rate,
    arrival_so_far,
    choose_anchor,
    first_crossing,
    rates_of_one_path,
    time_grid,
    yearly_rates,
)
from aligntax.models.views import Arrival

HAZARD = Arrival(mode="hazard", hazard_cap=10.0, start=2012.0, horizon=2100.0)
CROSSING = replace(HAZARD, mode="crossing")


def arrive(
    effective, grid, requirement, steepness, exponential, arrival=HAZARD, since=-np.inf
) -> np.ndarray:
    size = np.size(exponential)
    needed, *each = (
        np.broadcast_to(np.asarray(v, float), (size,))
        for v in (requirement, since, steepness, exponential)
    )
    return arrival_date(effective - needed[:, None], grid, *each, arrival)


# --------------------------------------------------------------------------------------------- grid


@given(st.floats(1950, 2100), st.floats(0.1, 200))
def test_the_grid_contains_both_ends_and_no_gap_wider_than_a_year(start, length) -> None:
    grid = time_grid(start, start + length)
    assert grid[0] == start
    assert grid[-1] == start + length
    assert np.all((np.diff(grid) > 0) & (np.diff(grid) <= STEP + 1e-9))


# -------------------------------------------------------------------------------------------- rates


def test_at_the_requirement_the_rate_is_about_one_a_year_and_far_above_it_the_cap() -> None:
    rate = arrival_rate(np.asarray([30.0, 40.0, 20.0]) - 30.0, 2.3, 10.0)
    assert rate[0] == pytest.approx(10 / 11)  # cap * sigmoid(-log cap) = cap / (1 + cap)
    assert rate[1] == pytest.approx(10.0, rel=1e-6)
    assert rate[2] == pytest.approx(np.exp(-23.0), rel=1e-6)


@given(st.floats(10, 60), st.floats(20, 45), st.floats(0.1, 50), st.floats(0.1, 1000))
def test_the_rate_never_exceeds_its_cap_nor_the_uncapped_rate(
    effective, requirement, steepness, cap
) -> None:
    rate = arrival_rate(effective - requirement, steepness, cap)
    with np.errstate(over="ignore"):
        free = np.exp(steepness * (effective - requirement))
    assert 0 <= rate <= min(cap, free) * (1 + 1e-9)


def test_the_integral_of_a_constant_rate_is_exact() -> None:
    """At the requirement the rate is cap / (1 + cap) a year; the last step of the grid is shorter."""
    grid = time_grid(2012.0, 2026.667)
    assert accumulated_rate(np.zeros((1, len(grid))), grid, 2.3, 10.0) == pytest.approx(
        10 / 11 * 14.667
    )


@pytest.mark.parametrize(("steepness", "error"), [(0.8, 1e-3), (2.3, 0.011), (7.0, 0.32)])
def test_the_integral_of_an_exponential_hazard_is_a_little_high(steepness, error) -> None:
    """Far below the cap and at one OOM a year, by Simpson's rule; 7 is the 95% point of the default's steepness."""
    grid = time_grid(2012.0, 2026.0)
    margin = (grid - 2040.0)[None]
    exact = np.exp(-14 * steepness) * (1 - np.exp(-14 * steepness)) / steepness
    found = accumulated_rate(margin, grid, steepness, 1000.0)[0] / exact - 1
    assert 0 < found < error


def test_the_integral_is_that_of_the_rate_by_quadrature() -> None:
    """A margin that bends and saturates at the cap, against a grid a hundred times finer."""
    grid = time_grid(2012.0, 2060.0)
    margin = np.minimum(0.4 * (grid - 2030.0), 2.0)
    fine = np.linspace(2012.0, 2060.0, 4801)
    rate = arrival_rate(np.interp(fine, grid, margin), 1.5, 10.0)
    expected = (0.5 * (rate[1:] + rate[:-1]) * np.diff(fine)).sum()
    assert accumulated_rate(margin[None], grid, 1.5, 10.0)[0] == pytest.approx(expected, rel=2e-3)


EXTREMES = [  # steepness and cap
    *((k, 10.0) for k in (1e-9, 0.01, 2.3, 30.0, 1e3, np.inf)),
    *((k, cap) for k in (0.01, 2.3, 60.0) for cap in (1e-9, 1.0, 1e12)),
]


def one_path(steepness, cap) -> tuple[np.ndarray, np.ndarray]:
    """Integrals by one exponential for all requirements, and those of the plain formula, margins up to 1,000 OOM."""
    grid, size = time_grid(2012.0, 2026.667), 400
    rng = np.random.default_rng(4)
    path = 25.0 + rng.uniform(-0.5, 2.0, size) * (grid[:, None] - 2012.0)
    now = path[-1]
    each = [now + rng.uniform(-w, w, size) for w in (0.1, 3.0, 30.0, 1e3)] + [now, path.min(axis=0)]
    k = np.full(size, steepness)
    plain = [accumulated_rate((path - q).T, grid, k[:, None], cap) for q in each]
    return rates_of_one_path(path, each, grid, k, cap), np.stack(plain)


@pytest.mark.filterwarnings("ignore:invalid value")  # an infinite steepness at a margin of zero
@pytest.mark.parametrize(("steepness", "cap"), EXTREMES)
def test_one_exponential_serves_all_requirements_of_a_path(steepness, cap) -> None:
    found, plain = one_path(steepness, cap)
    np.testing.assert_allclose(found, plain, rtol=1e-12, atol=1e-250)
    assert np.isfinite(steepness) == np.isfinite(plain).all()
    assert np.isfinite(plain[:4]).all()  # the others have a margin of zero
    assert np.nanmax(plain) > 0


def test_it_would_not_without_the_plain_formula_where_a_factor_is_too_large(monkeypatch) -> None:
    """Negative control."""
    monkeypatch.setattr(hazard, "LARGEST_EXPONENT", np.inf)
    wrong = [
        (k, cap)
        for k, cap in EXTREMES
        if np.isfinite(k) and not np.allclose(*one_path(k, cap), rtol=1e-12, atol=1e-250)
    ]
    assert {(30.0, 10.0), (1e3, 10.0)} <= set(wrong)
    assert (0.01, 10.0) not in wrong


# ------------------------------------------------------------------------------------------ arrival


@given(st.integers(1, 20))
def test_a_search_that_goes_on_where_another_ended_finds_the_same(years) -> None:
    """To the last digit, and where the requirement counts from a later date on."""
    grid, size, rng = time_grid(2026.667, 2100.0), 300, np.random.default_rng(6)
    margin = rng.uniform(-20, 0, (size, 1)) + rng.uniform(0, 0.6, (size, 1)) * (grid - 2026.667)
    since = np.where(rng.uniform(size=size) < 0.3, rng.uniform(2027, 2090, size), -np.inf)
    own = since, 10 ** rng.uniform(-1, 1, size), rng.standard_exponential(size)
    for mode in (HAZARD, CROSSING):
        whole = arrival_date(margin, grid, *own, mode)
        date, passed = np.full(size, np.nan), np.zeros(size)
        for i in range(0, len(grid) - 1, years):
            k, part = np.flatnonzero(np.isnan(date)), slice(i, i + years + 1)
            each = (value[k] for value in own)
            date[k], passed[k] = arrival_so_far(margin[k, part], grid[part], *each, mode, passed[k])
        np.testing.assert_array_equal(date, whole)
        assert 50 < np.isfinite(whole).sum() < size - 10


def test_a_constant_rate_gives_an_exponential_arrival() -> None:
    """Rate 10/11 a year at the requirement: exact inversion draw by draw, and the mean to 4 standard errors."""
    grid, e = time_grid(2026.0, 2100.0), np.random.default_rng(1).standard_exponential(20_000)
    year = arrive(np.full(len(grid), 30.0), grid, 30.0, 2.0, e)
    np.testing.assert_allclose(year, 2026.0 + e * 1.1, rtol=1e-12)
    assert year.mean() == pytest.approx(2026.0 + 1.1, abs=4 * 1.1 / np.sqrt(20_000))


def test_arrival_is_the_first_time_at_which_the_accumulated_rate_reaches_e() -> None:
    """By numerical inversion on a grid a hundred times finer."""
    grid = time_grid(2026.0, 2060.0)
    margin = -5.0 + 0.3 * (grid - 2026.0)
    e = np.asarray([0.01, 0.5, 1.0, 3.0, 20.0])
    year = arrive(margin + 30.0, grid, 30.0, 1.5, e)
    fine = np.linspace(2026.0, 2060.0, 3401)
    rate = arrival_rate(np.interp(fine, grid, margin), 1.5, 10.0)
    reached = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(fine))])
    np.testing.assert_allclose(year, np.interp(e, reached, fine), atol=2e-3)


def test_within_a_year_the_cut_follows_the_growth_of_the_rate() -> None:
    """An exponential hazard inverts in closed form, t = log(1 + k e / rate_0) / k, wherever in the year it falls."""
    grid, k, start = time_grid(2026.0, 2040.0), 1.2, -8.0
    e = np.geomspace(1e-4, 2.0, 30)
    year = arrive(start + (grid - 2026.0), grid, 0.0, k, e, replace(HAZARD, hazard_cap=1000.0))
    exact = 2026.0 + np.log1p(k * e * np.exp(-k * start)) / k
    np.testing.assert_allclose(year, exact, atol=0.005)


def test_within_a_year_the_cut_follows_a_fall_of_the_rate_by_many_times() -> None:
    """Half the mass of a year over which the rate falls by exp(-10) has passed after log(2) / 10 years."""
    grid, steepness = time_grid(2026.0, 2030.0), 10.0
    margin = np.array([[0.0, -1.0, -9.0, -9.0, -9.0]])
    rate, mass = yearly_rates(margin, grid, steepness, 1000.0)
    assert np.log(rate[0, 1] / rate[0, 0]) == pytest.approx(-10.0, abs=0.01)
    year = arrive(
        margin, grid, 0.0, steepness, 0.5 * mass[0, :1], replace(HAZARD, hazard_cap=1000.0)
    )
    assert year == pytest.approx(2026.0 + np.log(2) / 10, abs=1e-4)


def test_an_arrival_later_than_the_grid_is_missing() -> None:
    grid = time_grid(2026.0, 2030.0)
    assert np.isnan(arrive(np.full(len(grid), 10.0), grid, 30.0, 2.0, [1.0]))[0]
    assert np.isnan(arrive(np.full(len(grid), 10.0), grid, 30.0, 2.0, [1.0], CROSSING))[0]


def test_no_arrival_lies_before_the_grid_or_after_it() -> None:
    rng = np.random.default_rng(2)
    grid = time_grid(2026.667, 2100.0)
    path = rng.uniform(20, 40, (500, 1)) + rng.uniform(0, 1, (500, 1)) * (grid - 2026.667)
    q, k, e = rng.uniform(20, 45, 500), 10 ** rng.uniform(-1, 2, 500), rng.standard_exponential(500)
    for arrival in (HAZARD, CROSSING):
        year = arrival_date(path - q[:, None], grid, np.full(500, -np.inf), k, e, arrival)
        come = year[np.isfinite(year)]
        assert len(come) > 100
        assert np.all((come >= 2026.667) & (come <= 2100.0))


def test_the_cap_is_the_fastest_that_anything_arrives() -> None:
    """Twenty OOM beyond the requirement: exponential at the cap's rate, here 1 or 10 a year."""
    grid, e = time_grid(2026.0, 2100.0), np.asarray([0.1, 1.0, 5.0])
    for cap in (1.0, 10.0):
        year = arrive(np.full(len(grid), 50.0), grid, 30.0, 2.0, e, replace(HAZARD, hazard_cap=cap))
        np.testing.assert_allclose(year, 2026.0 + e / cap, rtol=1e-8)


def test_a_steep_hazard_approaches_plain_crossing() -> None:
    rng = np.random.default_rng(3)
    grid, q, e = time_grid(2026.0, 2100.0), rng.uniform(28, 40, 200), rng.standard_exponential(200)
    path = np.broadcast_to(27.0 + 0.2 * (grid - 2026.0), (200, len(grid)))
    never = np.full(200, -np.inf)
    crossing = arrival_date(path - q[:, None], grid, never, np.ones(200), e, CROSSING)
    np.testing.assert_allclose(crossing, 2026.0 + (q - 27.0) / 0.2, atol=1e-9)
    sharp = replace(HAZARD, hazard_cap=1000.0)
    gaps = [
        np.nanmax(
            np.abs(
                arrival_date(path - q[:, None], grid, never, np.full(200, k), e, sharp) - crossing
            )
        )
        for k in (3.0, 1e4)
    ]
    assert gaps[1] <= STEP  # the grid's resolution
    assert gaps[1] < gaps[0] / 3


@given(st.integers(0, 10**6), st.floats(0.0, 10.0), st.sampled_from([HAZARD, CROSSING]))
def test_a_higher_requirement_never_arrives_earlier(seed, more, arrival) -> None:
    """Draw by draw, with the same chance; missing counts as later than everything."""
    rng = np.random.default_rng(seed)
    grid = time_grid(2026.667, 2100.0)
    path = rng.uniform(20, 35, (50, 1)) + rng.uniform(0, 0.8, (50, 1)) * (grid - 2026.667)
    q, k, e = rng.uniform(20, 45, 50), 10 ** rng.uniform(-1, 2, 50), rng.standard_exponential(50)
    since = np.where(rng.uniform(size=50) < 0.2, rng.uniform(2027, 2090, 50), -np.inf)
    one, other = (
        np.nan_to_num(arrival_date(path - (q + d)[:, None], grid, since, k, e, arrival), nan=np.inf)
        for d in (0.0, more)
    )
    assert np.all(other >= one - 1e-9)


def test_a_requirement_counts_only_from_its_date() -> None:
    grid = time_grid(2026.0, 2100.0)
    year = arrive(np.full(len(grid), 50.0), grid, 30.0, 2.0, [0.5], since=2040.2)
    assert year[0] == pytest.approx(2040.2 + 0.05, abs=1e-6)
    assert (
        arrive(np.full(len(grid), 50.0), grid, 30.0, 2.0, [0.5], CROSSING, since=2040.2)[0]
        >= 2040.2
    )
    assert np.isnan(arrive(np.full(len(grid), 50.0), grid, 30.0, 2.0, [0.5], since=np.inf))[0]


# ----------------------------------------------------------------------------------------- crossing


def test_first_crossing_interpolates_between_points() -> None:
    grid = np.asarray([0.0, 1.0, 2.0, 4.0])
    margins = np.asarray(
        [
            [-1.0, -0.5, 0.5, 1.0],  # between 1 and 2
            [-3.0, -2.0, -1.0, 1.0],  # between 2 and 4
            [0.0, 1.0, 1.0, 1.0],  # at the first point
            [2.0, -1.0, -1.0, 3.0],  # already there, whatever comes later
            [-1.0, -1.0, 0.0, -1.0],  # touches
            [-1.0, -1.0, -1.0, -1.0],  # never
            [np.nan, np.nan, np.nan, np.nan],
            [-np.inf, -np.inf, 1.0, 1.0],  # from nowhere: not before the point
            [np.nan, -1.0, 1.0, np.nan],
        ]
    )
    np.testing.assert_allclose(
        first_crossing(margins, grid), [1.5, 3.0, 0.0, 0.0, 2.0, np.nan, np.nan, 2.0, 1.5]
    )


# ------------------------------------------------------------------------------------------ anchors


def test_anchor_probabilities_are_weight_times_survival() -> None:
    """Three anchors and none, by hand: p_k = w_k exp(-Lambda_k) / sum."""
    weights, rates = (
        np.asarray([0.2, 0.3, 0.4, 0.1]),
        np.asarray([[0.0, 1.0, 5.0], [2.0, 0.1, 0.0]]),
    )
    survival = np.concatenate([np.exp(-rates), np.ones((2, 1))], axis=1)
    expected = weights * survival / (weights * survival).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(anchor_probabilities(np.log(weights), rates), expected, rtol=1e-12)


def test_an_anchor_without_weight_keeps_none_and_an_impossible_one_loses_all() -> None:
    p = anchor_probabilities(
        np.asarray([-1e10, np.log(0.5), np.log(0.5)]), np.asarray([[0.0, 1e6]])
    )
    np.testing.assert_allclose(p, [[0.0, 0.0, 1.0]], atol=1e-12)


def test_an_earlier_date_without_tai_is_weaker_evidence() -> None:
    """Each year longer without it moves the anchors further from their prior."""
    weights, requirement = np.log([0.5, 0.3, 0.2]), np.asarray([24.0, 30.0])

    def distance(until: float) -> float:
        grid = time_grid(2012.0, until)
        path = 20.0 + 0.6 * (grid - 2012.0)
        rates = np.asarray([[accumulated_rate(path - q, grid, 2.3, 10.0) for q in requirement]])
        return float(np.abs(anchor_probabilities(weights, rates)[0] - np.exp(weights)).sum())

    distances = [distance(year) for year in (2012.5, 2016.0, 2018.0, 2020.0, 2026.0)]
    assert np.all(np.diff(distances) > 0)
    assert distances[0] < 0.01


def test_anchors_are_chosen_as_often_as_they_are_probable() -> None:
    """200,000 draws: within 5 standard errors, and the same in two worlds that share their chance."""
    size, p = 200_000, np.asarray([0.05, 0.2, 0.0, 0.45, 0.3])
    chance = Chance.draw(size, np.random.default_rng(4))
    anchor, since = choose_anchor(np.broadcast_to(p, (size, 5)), chance, 2026.0, HAZARD, 0.1)
    leaves = ~np.isinf(since) | (since > 0)
    share = np.asarray([np.mean((anchor == k) & ~leaves) for k in range(4)] + [leaves.mean()])
    assert np.all(np.abs(share - p) <= 5 * np.sqrt(p * (1 - p) / size) + 1e-12)
    again, _ = choose_anchor(np.broadcast_to(p, (size, 5)), chance, 2026.0, HAZARD, 0.1)
    np.testing.assert_array_equal(anchor, again)


def test_a_weight_of_none_that_does_not_fall_is_never_left() -> None:
    chance = Chance.draw(1000, np.random.default_rng(5))
    none = np.broadcast_to([0.0, 0.0, 1.0], (1000, 3))
    for final in (None, 0.1, 0.5):  # none, equal to today's, above today's
        _, since = choose_anchor(none, chance, 2026.0, replace(HAZARD, none_final=final), 0.1)
        assert np.all(since == np.inf)


@pytest.mark.parametrize("final", [0.0, 0.03, 0.08])
def test_none_is_left_as_its_weight_falls(final) -> None:
    """Linear from 0.1 today: a share 1 - final / 0.1 has left by the horizon, half of it by half time; 5 standard errors."""
    size, now, weight = 100_000, 2026.0, 0.1
    chance = Chance.draw(size, np.random.default_rng(6))
    p = np.broadcast_to([0.2, 0.3, 0.5], (size, 3))
    anchor, since = choose_anchor(p, chance, now, replace(HAZARD, none_final=final), weight)
    none = chance.anchor > 0.5
    left = np.isfinite(since)
    assert not np.any(left & ~none)
    assert np.all((since[left] >= now) & (since[left] <= HAZARD.horizon))
    error = 5 * 0.5 / np.sqrt(none.sum())
    assert left[none].mean() == pytest.approx(1 - final / weight, abs=error)
    assert np.mean(since[none] <= 0.5 * (now + HAZARD.horizon)) == pytest.approx(
        0.5 * (1 - final / weight), abs=error
    )
    # the other anchors, by their own weights
    assert np.mean(anchor[left] == 0) == pytest.approx(0.4, abs=error)


def test_blocks_of_draws_give_the_same_as_all_at_once() -> None:
    rng = np.random.default_rng(7)
    grid, size = time_grid(2026.667, 2100.0), 300
    chance = Chance.draw(size, rng)
    path = rng.uniform(20, 35, (size, 1)) + rng.uniform(0, 0.8, (size, 1)) * (grid - 2026.667)
    p = rng.dirichlet(np.ones(5), size)
    q, k = rng.uniform(20, 45, (size, 4)), 10 ** rng.uniform(-1, 2, size)

    def arrivals(block: slice) -> np.ndarray:
        part = chance[block]
        anchor, since = choose_anchor(
            p[block], part, 2026.667, replace(HAZARD, none_final=0.02), 0.1
        )
        chosen = np.take_along_axis(q[block], anchor[:, None], axis=1)[:, 0]
        return arrival_date(
            path[block] - chosen[:, None], grid, since, k[block], part.exponential, HAZARD
        )

    whole = arrivals(slice(None))
    parts = np.concatenate([arrivals(slice(i, i + 70)) for i in range(0, size, 70)])
    np.testing.assert_array_equal(whole, parts)
    assert 50 < np.isfinite(whole).sum() < 300
