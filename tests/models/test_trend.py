"""Paths of the largest run by their definitions, and how they saturate."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.models import compute
from aligntax.models.trend import LEAST_LIMIT, SHARPNESS, Trend, saturating, smooth_minimum

# ---------------------------------------------------------------------------------- small functions


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_the_smooth_minimum_lies_just_below_both(a, b) -> None:
    value = smooth_minimum(a, b)
    assert value < min(a, b) or abs(a - b) > 1e6
    # a quarter of an OOM, reached where they cross
    assert min(a, b) - value <= SHARPNESS / 2 + 1e-9
    assert value == pytest.approx(smooth_minimum(b, a))


def test_the_smooth_minimum_is_the_minimum_far_from_the_crossing() -> None:
    assert smooth_minimum(0.0, 0.0) == -SHARPNESS / 2
    assert smooth_minimum(3.0, 103.0) == pytest.approx(3.0, abs=1e-3)
    assert smooth_minimum(3.0, 13.0) == pytest.approx(3.0, abs=0.01)


@given(st.floats(0.05, 50))
def test_saturating_growth_is_exact_at_zero_and_at_infinity(limit) -> None:
    """Negative control: the smooth minimum alone lies below zero where nothing has been gained."""
    assert saturating(0.0, limit) == pytest.approx(0.0, abs=1e-12)
    assert saturating(1e7, limit) == pytest.approx(limit, abs=1e-6)
    assert smooth_minimum(0.0, limit) < -1e-3


@given(st.floats(0.05, 50), st.floats(0.01, 20))
def test_saturating_growth_rises_ever_more_slowly_and_stays_below_its_limit(limit, step) -> None:
    free = np.arange(0.0, 60.0) * step
    path = saturating(free, limit)
    assert np.all(np.diff(path) >= -1e-9)
    assert np.all(np.diff(path, 2) <= 1e-9)
    assert np.all(path <= np.minimum(free, limit) + 1e-9)
    # what gets worse is as limited
    np.testing.assert_allclose(saturating(-free, limit), -path, atol=1e-9)


def test_growth_without_room_gains_a_hundredth_of_an_oom() -> None:
    np.testing.assert_allclose(
        saturating(np.asarray([0.0, 1e7]), -3.0), [0.0, LEAST_LIMIT], atol=1e-7
    )


def test_saturating_is_the_same_in_pytensor() -> None:
    import pytensor.tensor as pt

    free, limit = np.linspace(-5.0, 15.0, 41), np.linspace(-1.0, 8.0, 41)
    tensor = saturating(pt.as_tensor(free), pt.as_tensor(limit)).eval(mode="FAST_COMPILE")
    np.testing.assert_allclose(tensor, saturating(free, limit), rtol=1e-12, atol=1e-14)


# ------------------------------------------------------------------------------------------- trends


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    return prior_draws(compute.QUANTITIES, 400)


@pytest.fixture(scope="module")
def column(x) -> dict[str, Any]:
    return {name: value[:, None] for name, value in x.items()}


YEARS = np.linspace(2010.0, 2100.0, 361)


def test_spend_never_exceeds_its_share_of_world_product(trend, column) -> None:
    cap = (
        column["spend_cap"]
        + trend.world_product
        + column["world_product_growth"] * (YEARS - 2025.0)
    )
    assert np.all(trend.spend(column, YEARS) <= cap)


def test_hardware_and_algorithms_never_exceed_their_limits(trend, column) -> None:
    assert np.all(trend.hardware(column, YEARS) <= column["hardware_limit"])
    assert np.all(trend.algorithms(column, YEARS) <= trend.algorithmic_limit(column) + 1e-9)


def test_the_future_growth_ratio_applies_only_after_now(trend, column) -> None:
    other = {**column, "spend_growth_ratio": column["spend_growth_ratio"] + 0.5}
    past = trend.now >= YEARS
    one, two = trend.spend(column, YEARS), trend.spend(other, YEARS)
    np.testing.assert_array_equal(one[:, past], two[:, past])
    assert np.all((two - one)[column["spend_growth"][:, 0] > 0.05][:, -1] > 0)


def test_far_below_the_cap_spend_grows_by_its_rates(trend) -> None:
    x = {
        "spend_level": 7.0, "spend_growth": 0.3, "spend_growth_ratio": 0.5, "largest_run_offset": 0.6,
        "spend_cap": 50.0, "world_product_growth": 0.0,
    }  # fmt: skip
    assert trend.spend(x, 2025.0) - trend.spend(x, 2023.0) == pytest.approx(0.6, abs=1e-2)
    assert trend.spend(x, trend.now + 4.0) - trend.spend(x, trend.now) == pytest.approx(
        0.6, abs=1e-2
    )
    assert trend.spend(x, trend.reference) == pytest.approx(7.6, abs=1e-2)


def test_paths_are_continuous_at_now(trend, column) -> None:
    around = trend.now + np.asarray([-1e-7, 0.0, 1e-7])
    for path in (trend.spend, trend.physical, trend.effective):
        assert np.max(np.abs(np.diff(path(column, around)))) < 1e-5


def test_effective_flop_is_spend_times_hardware_times_algorithms(trend, column) -> None:
    parts = trend.spend(column, YEARS) + trend.hardware(column, YEARS)
    np.testing.assert_allclose(trend.physical(column, YEARS), parts, rtol=1e-14)
    np.testing.assert_allclose(
        trend.effective(column, YEARS), parts + trend.algorithms(column, YEARS), rtol=1e-14
    )


def test_algorithms_gain_nothing_at_their_reference_year_and_all_in_the_end(trend, x) -> None:
    for growth, limit in ((1.0, 0.0), (0.5, 2.0)):
        at_reference = trend.algorithms(x, trend.algorithm_year, growth, limit)
        np.testing.assert_allclose(at_reference, 0.0, atol=1e-12)
        grows = x["algorithmic_growth"] > 0.01
        np.testing.assert_allclose(
            trend.algorithms(x, 1e9, growth, limit)[grows],
            trend.algorithmic_limit(x, growth, limit)[grows],
            atol=1e-6,
        )


def test_algorithms_grow_by_their_rate_far_from_the_limit(trend) -> None:
    x = {"algorithmic_growth": 0.3, "algorithmic_limit": 40.0}
    assert trend.algorithms(x, 2024.0) == pytest.approx(1.2, abs=2e-3)
    assert trend.algorithms(x, 2024.0, 2.0) == pytest.approx(2.4, abs=2e-3)


def test_the_limit_is_counted_from_its_own_year(trend) -> None:
    """Ten OOM from 2023 on are eleven from 2020 on at a third of an OOM a year: by hand."""
    assert (trend.algorithm_year, trend.limit_year) == (2020.0, 2023.0)
    x = {"algorithmic_growth": 1 / 3, "algorithmic_limit": 10.0}
    plain = replace(trend, limit_floor=False)
    assert plain.algorithmic_limit(x) == pytest.approx(11.0)
    assert plain.algorithmic_limit(x, 2.0, 1.5) == pytest.approx(13.5)
    assert trend.algorithmic_limit(x) == pytest.approx(11.0, abs=0.01)  # the floor is far below


def test_the_year_from_which_progress_counts_moves_limit_and_path_alike(trend) -> None:
    """What is left to gain is the same thing, in whichever year's algorithms it is told."""
    x = {"algorithmic_growth": 0.3, "algorithmic_limit": np.asarray([1.0, 6.0])}
    later = replace(trend, algorithm_year=2022.0)
    np.testing.assert_allclose(trend.algorithms(x, 1e9) - later.algorithms(x, 1e9), 0.6, atol=1e-6)
    np.testing.assert_allclose(
        trend.algorithms(x, 2030.0), later.algorithms(x, 2030.0) + 0.6, atol=0.06
    )
    # negative control: a slip of the base year, where the limit is far above the floor
    slip = replace(trend, algorithm_year=2022.0, limit_year=2022.0)
    assert (later.algorithmic_limit(x) - slip.algorithmic_limit(x))[1] > 0.25


def test_no_limit_lies_below_the_progress_made_by_the_date_of_the_evidence(trend) -> None:
    x = {"algorithmic_growth": 0.5, "algorithmic_limit": np.asarray([0.1, 0.64, 1.5, 5.0])}
    made = 0.5 * (trend.now - 2020.0)
    assert np.all(trend.algorithmic_limit(x) > made)
    unbound = replace(trend, limit_floor=False)
    np.testing.assert_allclose(unbound.algorithmic_limit(x), x["algorithmic_limit"] + 1.5)
    assert np.sum(unbound.algorithmic_limit(x) < made) == 3  # negative control
    # the larger of the two, rounded as the smooth minimum is
    from_2023 = np.maximum(x["algorithmic_limit"], 0.5 * (trend.now - 2023.0))
    over = trend.algorithmic_limit(x) - 1.5 - from_2023
    assert np.all((over > 0) & (over <= SHARPNESS / 2))


@pytest.mark.parametrize("floor", [True, False])
def test_where_algorithms_get_worse_the_limit_stays_and_the_path_falls_to_minus_it(
    trend, floor
) -> None:
    x = {"algorithmic_growth": -0.4, "algorithmic_limit": 1.0}
    falling = replace(trend, limit_floor=floor)
    assert falling.algorithmic_limit(x) == pytest.approx(1.0, abs=0.07)
    assert falling.algorithms(x, 2021.5) == pytest.approx(-0.6, abs=0.1)
    assert falling.algorithms(x, 2080.0) == pytest.approx(-1.0, abs=0.07)


def test_the_path_in_pytensor_is_the_path_in_numpy(trend, x) -> None:
    """As the no-TAI likelihood uses it: up to now, with no time beyond."""
    import pytensor
    import pytensor.tensor as pt

    grid = np.linspace(2012.0, trend.now, 31)
    inputs = {name: pt.dscalar(name) for name in compute.QUANTITIES}
    output = trend.effective(inputs, pt.as_tensor(grid), beyond=np.zeros(31))
    compiled = pytensor.function(
        list(inputs.values()), output, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    for i in range(10):
        one = {name: value[i] for name, value in x.items()}
        np.testing.assert_allclose(compiled(*one.values()), trend.effective(one, grid), rtol=1e-12)


def test_the_trend_takes_its_constants_from_evidence_and_view(evidence, view) -> None:
    trend = Trend.of(
        evidence.until(2022.5), replace(view, compute=replace(view.compute, reference_year=2020.0))
    )
    assert (trend.reference, trend.now, trend.algorithm_year) == (2020.0, 2022.5, 2020.0)
    assert 10**trend.world_product == pytest.approx(1.172e14)  # IMF, October 2025


def test_derive_adds_a_last_axis_of_dates(trend, x) -> None:
    dates = (2027.0, 2040.0)
    derived = compute.derive(x, trend, dates)
    for i, date in enumerate(dates):
        np.testing.assert_allclose(derived["frontier_spend"][:, i], trend.spend(x, date))
        np.testing.assert_allclose(derived["frontier_flop"][:, i], trend.physical(x, date))
        np.testing.assert_allclose(derived["effective_flop"][:, i], trend.effective(x, date))
