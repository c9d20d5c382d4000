"""Work, obstacles and waits by their definitions; Shapley parts by theirs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from aligntax.models import alignment
from aligntax.models.practice import bought, practice
from aligntax.models.taxes import needed_hours, taxes
from aligntax.models.waits import obstacles, shapley, waits, worked_hours, workforce

SIZE = 800


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    """Draws from the prior; what is tolerated is what is elicited."""
    drawn = prior_draws(alignment.QUANTITIES, SIZE)
    return {**drawn, "tolerance_at_arrival": drawn["alignment_tax_tolerance"]}


# --------------------------------------------------------------------------------------------- work


@pytest.mark.parametrize("growth", [0.0, 1e-12, 1e-4, 0.15, 0.6, -0.2])
def test_worked_hours_are_the_integral_of_the_workforce(growth) -> None:
    for end in (2026.001, 2030.0, 2090.0):
        exact, _ = integrate.quad(
            lambda u: 10 ** (6.0 + growth * (u - 2025.0)), 2026.0, end, epsrel=1e-11
        )
        found = worked_hours(np.asarray(6.0), np.asarray(growth), end, 2026.0)
        assert found == pytest.approx(np.log10(exact), rel=1e-9)


def test_nothing_has_been_worked_before_the_start() -> None:
    worked = worked_hours(np.asarray(6.0), np.asarray(0.1), np.asarray([2020.0, 2026.0]), 2026.0)
    np.testing.assert_array_equal(worked, -np.inf)


def test_a_developer_can_buy_what_it_buys(x, trend, evidence) -> None:
    """In some of the prior's draws that is more than the elicited workforce, in some less."""
    flop = trend.physical(x, 2025.0)
    buys = bought(x, flop, 2025.0, evidence)
    one_model = 10 ** practice(x, flop, 2025.0, evidence)
    data = one_model * 10 ** x["models_per_year"] / x["alignment_share_of_human_data"]
    np.testing.assert_allclose(10**buys, data, rtol=1e-9)
    found = workforce(x, trend, evidence)
    more = buys > x["workforce_hours"]
    assert 0.05 < more.mean() < 0.95
    np.testing.assert_array_equal(found[more], buys[more])
    np.testing.assert_array_equal(found[~more], x["workforce_hours"][~more])


# -------------------------------------------------------------------------------------------- waits


def conditions(x, arrival, wait, trend, evidence, view) -> tuple[np.ndarray, np.ndarray]:
    """Whether the tax is tolerable, and the hours worked, so long after arrival; the model is the one that arrived."""
    t = arrival + wait
    needed, labour, compute = taxes(x, trend.physical(x, arrival), t, trend, evidence)
    level = workforce(x, trend, evidence)
    worked = worked_hours(level, x["workforce_growth"], t, view.alignment.work_starts)
    return 10**labour + 10**compute <= 10 ** x["tolerance_at_arrival"], worked >= needed


@pytest.fixture(scope="module")
def late(x) -> np.ndarray:
    return np.random.default_rng(3).uniform(2027, 2070, SIZE)


@pytest.fixture(scope="module")
def waiting(x, late, trend, evidence, view) -> tuple[np.ndarray, np.ndarray]:
    return waits(x, late, trend, evidence, view)


def test_nobody_waits_where_the_condition_holds_at_arrival(
    x, late, waiting, trend, evidence, view
) -> None:
    for wait, met in zip(waiting, conditions(x, late, 0.0, trend, evidence, view), strict=True):
        assert 20 < met.sum() < SIZE
        np.testing.assert_array_equal(wait[met], 0.0)
        assert not np.any(wait[~met] == 0.0)


@pytest.mark.parametrize("which", [0, 1], ids=["tax", "work"])
def test_a_wait_ends_when_its_condition_is_first_met(
    which, x, late, waiting, trend, evidence, view
) -> None:
    """Met a month after the wait's end and not a month before it: the half-year grid is interpolated."""
    wait = waiting[which]
    some, month = np.isfinite(wait) & (wait > 1 / 12), 1 / 12
    assert some.sum() > 20
    after = conditions(x, late, np.nan_to_num(wait) + month, trend, evidence, view)[which]
    before = conditions(x, late, np.nan_to_num(wait) - month, trend, evidence, view)[which]
    assert np.all(after[some])
    assert not np.any(before[some])


@pytest.mark.parametrize("which", [0, 1], ids=["tax", "work"])
def test_a_wait_that_does_not_end_before_the_horizon_is_missing(
    which, x, late, waiting, trend, evidence, view
) -> None:
    never = np.isnan(waiting[which])
    for share in (0.25, 0.5, 0.75, 0.98):
        met = conditions(x, late, share * (view.arrival.horizon - late), trend, evidence, view)[
            which
        ]
        assert not np.any(met & never)
    assert np.all(late + np.nan_to_num(waiting[which]) <= view.arrival.horizon + 1e-9)


def test_an_arrival_that_never_comes_has_no_wait(x, late, waiting, trend, evidence, view) -> None:
    some = np.where(np.arange(SIZE) % 2 == 0, late, np.nan)
    for wait, whole in zip(waits(x, some, trend, evidence, view), waiting, strict=True):
        assert np.all(np.isnan(wait[1::2]))
        np.testing.assert_allclose(wait[::2], whole[::2], atol=1e-9)
    nobody = waits(x, np.full(SIZE, np.nan), trend, evidence, view)
    assert np.all(np.isnan(nobody))


def test_a_wait_does_not_depend_on_the_draws_beside_it(x, trend, evidence, view) -> None:
    """Arrivals close to the horizon, where the grid ends, alone and beside one that comes early."""
    arrival = np.linspace(view.arrival.horizon - 3.0, view.arrival.horizon - 0.01, SIZE)
    together = waits(x, np.concatenate([[2030.0], arrival[1:]]), trend, evidence, view)
    for i in range(1, SIZE, 7):
        one = {name: value[i : i + 1] for name, value in x.items()}
        alone = waits(one, arrival[i : i + 1], trend, evidence, view)
        np.testing.assert_allclose([w[0] for w in alone], [w[i] for w in together], atol=1e-9)


def test_a_wait_that_ends_just_before_the_horizon_is_found_whoever_is_beside_it(
    trend, evidence, view, x
) -> None:
    """The workforce finishes 0.3 years after an arrival 0.4 years before the horizon."""
    one = {name: value[:1].copy() for name, value in x.items()}
    horizon = view.arrival.horizon
    arrival = np.asarray([horizon - 0.4])
    work = replace(view, alignment=replace(view.alignment, work_starts=horizon - 1.0))
    one["label_efficiency_growth"], one["workforce_growth"] = np.asarray([0.0]), np.asarray([0.0])
    needed = needed_hours(one, trend.physical(one, arrival), arrival, evidence)
    one["models_per_year"] = np.asarray([-30.0])  # the workforce is the elicited one
    # 0.9 years of it are needed, from a year before the horizon
    one["workforce_hours"] = needed - np.log10(0.9)
    alone = waits(one, arrival, trend, evidence, work)[1]
    two = {name: np.repeat(value, 2) for name, value in one.items()}
    beside = waits(two, np.asarray([2030.0, arrival[0]]), trend, evidence, work)[1]
    assert alone[0] == pytest.approx(0.3, abs=1 / 12)
    assert beside[1] == pytest.approx(alone[0], abs=1e-9)


# ---------------------------------------------------------------------------------------- obstacles


def blocked_at(x, t, trend, evidence, view) -> dict[str, Any]:
    needed, labour, compute = taxes(x, trend.physical(x, t), t, trend, evidence)
    level = workforce(x, trend, evidence)
    worked = worked_hours(level, x["workforce_growth"], t, view.alignment.work_starts)
    return obstacles(needed, labour, compute, x["tolerance_at_arrival"], worked)


def test_one_thing_at_most_stands_in_the_way_and_nothing_where_nobody_waits(
    x, late, waiting, trend, evidence, view
) -> None:
    found = blocked_at(x, late, trend, evidence, view)
    affordable = found.pop("prob_affordable")
    assert set(found) == {"compute_not_tolerated", "labour_not_tolerated", "workforce_too_small"}
    np.testing.assert_array_equal(
        affordable + found["compute_not_tolerated"] + found["labour_not_tolerated"], 1.0
    )
    blocked = sum(found.values())
    assert set(np.unique(blocked)) == {0.0, 1.0}
    tax, work = waiting
    np.testing.assert_array_equal(blocked == 0, (tax == 0) & (work == 0))
    np.testing.assert_array_equal(found["workforce_too_small"] == 1, (tax == 0) & ~(work == 0))


def test_compute_stands_in_the_way_where_free_labour_would_not_help(
    x, late, trend, evidence, view
) -> None:
    found = blocked_at(x, late, trend, evidence, view)
    free = blocked_at({**x, "usd_per_hour": x["usd_per_hour"] - 30.0}, late, trend, evidence, view)
    np.testing.assert_array_equal(free["compute_not_tolerated"], found["compute_not_tolerated"])
    assert found["compute_not_tolerated"].any() and found["labour_not_tolerated"].any()
    assert not free["labour_not_tolerated"].any()


def test_without_arrival_nothing_is_said_of_obstacles(x, trend, evidence, view) -> None:
    for value in blocked_at(x, np.full(SIZE, np.nan), trend, evidence, view).values():
        assert np.all(np.isnan(value))


def test_compute_of_a_given_model_gets_cheaper_as_the_frontier_moves_on(x, trend, evidence) -> None:
    flop = trend.physical(x, 2030.0)
    same = {**x, "label_efficiency_growth": np.zeros(SIZE)}
    _, _, now = taxes(same, flop, 2030.0, trend, evidence)
    _, _, later = taxes(same, flop, 2040.0, trend, evidence)
    np.testing.assert_allclose(now - later, trend.physical(x, 2040.0) - flop, atol=1e-9)


# ------------------------------------------------------------------------------------------ Shapley

times = st.floats(0, 100, allow_subnormal=False) | st.just(np.inf)


@given(times, times)
def test_shapley_parts_sum_to_the_delay_and_swap_with_their_waits(tax, work) -> None:
    delay, by_tax, by_work = (float(v) for v in shapley(np.asarray(tax), np.asarray(work)))
    assert delay == max(tax, work)
    assert by_tax + by_work == pytest.approx(delay)
    assert min(by_tax, by_work) >= 0
    swapped = shapley(np.asarray(work), np.asarray(tax))
    assert (float(swapped[1]), float(swapped[2])) == (by_work, by_tax)


def test_shapley_is_the_mean_gain_over_both_orders() -> None:
    """max(2, 5): lifting the tax first gains 0, last 2; the work 3 first, 5 last."""
    delay, by_tax, by_work = shapley(
        np.asarray([2.0, 5.0, 3.0, 0.0]), np.asarray([5.0, 2.0, 3.0, 4.0])
    )
    np.testing.assert_allclose(delay, [5.0, 5.0, 3.0, 4.0])
    np.testing.assert_allclose(by_tax, [1.0, 4.0, 1.5, 0.0])
    np.testing.assert_allclose(by_work, [4.0, 1.0, 1.5, 4.0])


def test_a_wait_that_never_ends_is_an_infinite_delay_and_carries_it() -> None:
    delay, by_tax, by_work = shapley(
        np.asarray([np.nan, 3.0, np.nan]), np.asarray([2.0, np.nan, np.nan])
    )
    np.testing.assert_array_equal(delay, np.inf)
    np.testing.assert_array_equal(by_tax, [np.inf, 1.5, np.inf])
    np.testing.assert_array_equal(by_work, [1.0, np.inf, np.inf])
