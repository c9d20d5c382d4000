"""Hours, money and tax: identities draw by draw; waiting and its parts by their definitions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from aligntax.models import alignment
from aligntax.models.alignment import at_date, needed_hours, shapley, waits, worked_hours
from aligntax.models.catalogue import find_model
from aligntax.models.compute import smooth_minimum
from aligntax.models.evidence import select
from tests.prior import scale_at

SIZE = 500


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    return prior_draws(alignment.QUANTITIES, SIZE)


@pytest.fixture(scope="module")
def dates() -> np.ndarray:
    return np.random.default_rng(2).uniform(2027, 2099, SIZE)


@pytest.fixture(scope="module")
def at(x, dates, trend, evidence) -> dict[str, Any]:
    return at_date(x, dates, trend, evidence)


# --------------------------------------------------------------------------------------- identities


def test_hours_times_cost_over_budget_plus_compute_share_is_the_tax(at, x) -> None:
    money = 10 ** (at["alignment_hours_needed"] + x["usd_per_hour"] + x["labour_overhead"])  # USD
    expected = money / 10 ** at["training_cost_at_tai"] + x["alignment_compute_share"]
    np.testing.assert_allclose(10 ** at["alignment_tax"], expected, rtol=1e-10)


def test_hours_affordable_spend_what_the_tolerated_tax_leaves(at, x) -> None:
    room = 10 ** x["alignment_tax_tolerance"] - x["alignment_compute_share"]
    some = room > 0
    assert some.any() and not some.all()  # both cases occur among the prior's draws
    money = at["alignment_hours_affordable"] + x["usd_per_hour"] + x["labour_overhead"]
    np.testing.assert_allclose(
        10 ** (money - at["training_cost_at_tai"])[some], room[some], rtol=1e-9
    )


def test_where_compute_alone_exceeds_the_tolerance_nothing_is_affordable(at, x) -> None:
    nothing = 10 ** x["alignment_tax_tolerance"] <= x["alignment_compute_share"]
    for name in ("alignment_hours_affordable", "tax_headroom", "rlhf_multiple_affordable"):
        np.testing.assert_array_equal(at[name][nothing], -np.inf)
        assert np.all(np.isfinite(at[name][~nothing]))
    np.testing.assert_array_equal(at["prob_affordable"][nothing], 0.0)


def test_headroom_is_affordable_over_needed_and_positive_where_the_tax_is_tolerable(at, x) -> None:
    np.testing.assert_allclose(
        at["tax_headroom"], at["alignment_hours_affordable"] - at["alignment_hours_needed"]
    )
    np.testing.assert_array_equal(
        at["prob_affordable"] == 1, at["alignment_tax"] <= x["alignment_tax_tolerance"]
    )
    clear = np.abs(at["tax_headroom"]) > 1e-9
    np.testing.assert_array_equal(
        (at["prob_affordable"] == 1)[clear], (at["tax_headroom"] >= 0)[clear]
    )
    assert 0.05 < at["prob_affordable"].mean() < 0.99


def test_multiples_are_relative_to_instructgpt_and_to_practice_then(at, x, evidence) -> None:
    hours = np.log10(evidence.constant("instructgpt_hours"))
    np.testing.assert_allclose(at["rlhf_multiple_needed"], at["alignment_hours_needed"] - hours)
    np.testing.assert_allclose(
        at["rlhf_multiple_affordable"], at["alignment_hours_affordable"] - hours
    )
    practice = at["alignment_hours_needed"] - x["rlhf_multiplier"] - x["quality_factor"]
    np.testing.assert_allclose(
        at["rlhf_multiple_affordable_at_arrival"], at["alignment_hours_affordable"] - practice
    )


@pytest.mark.parametrize(
    ("name", "sign"), [("rlhf_multiplier", 1), ("quality_factor", 1), ("practice_hours", 1)]
)
def test_one_more_oom_asks_for_exactly_one_oom_more_hours(
    name, sign, at, x, dates, trend, evidence
) -> None:
    more = at_date({**x, name: x[name] + 1.0}, dates, trend, evidence)
    np.testing.assert_allclose(
        more["alignment_hours_needed"] - at["alignment_hours_needed"], sign, rtol=1e-10
    )
    np.testing.assert_array_equal(
        more["alignment_hours_affordable"], at["alignment_hours_affordable"]
    )


def test_a_dearer_hour_buys_as_much_less(at, x, dates, trend, evidence) -> None:
    for name in ("usd_per_hour", "labour_overhead"):
        dear = at_date({**x, name: x[name] + 0.5}, dates, trend, evidence)
        some = np.isfinite(at["tax_headroom"])
        np.testing.assert_allclose(at["tax_headroom"][some] - dear["tax_headroom"][some], 0.5)


@given(st.floats(0.0, 3.0), st.floats(0.0, 2.0))
def test_more_tolerance_or_cheaper_labour_never_makes_alignment_less_affordable(
    x, dates, trend, evidence, more, cheaper
) -> None:
    one = at_date(x, dates, trend, evidence)
    changed = {
        **x,
        "alignment_tax_tolerance": x["alignment_tax_tolerance"] + more,
        "usd_per_hour": x["usd_per_hour"] - cheaper,
    }
    other = at_date(changed, dates, trend, evidence)
    assert np.all(other["prob_affordable"] >= one["prob_affordable"])
    assert np.all(other["alignment_hours_affordable"] >= one["alignment_hours_affordable"])


def test_practice_scales_with_physical_and_not_with_effective_flop(
    x, dates, trend, evidence
) -> None:
    faster = {**x, "algorithmic_growth": x["algorithmic_growth"] + 0.3}
    one, other = (at_date(v, dates, trend, evidence)["alignment_hours_needed"] for v in (x, faster))
    np.testing.assert_array_equal(one, other)
    flop = trend.physical(x, dates)
    step = needed_hours(x, flop + 1.0, dates, evidence) - needed_hours(x, flop, dates, evidence)
    np.testing.assert_allclose(step, x["practice_slope"], atol=1e-12)


def test_at_instructgpts_size_and_year_the_hours_are_practice_times_multiplier_and_quality(
    x, evidence
) -> None:
    flop, year = (
        np.log10(evidence.constant("instructgpt_flop")),
        evidence.constant("practice_reference_year"),
    )
    efficiency = smooth_minimum(0.0, x["label_efficiency_limit"])  # rounding at zero gain
    expected = x["practice_hours"] + x["rlhf_multiplier"] + x["quality_factor"] - efficiency
    np.testing.assert_allclose(needed_hours(x, flop, year, evidence), expected, atol=1e-12)
    far = x["label_efficiency_limit"] > 3
    assert np.all(np.abs(efficiency[far]) < 0.025)


def test_labels_never_become_more_efficient_than_their_limit(x, evidence) -> None:
    for year in (2030.0, 2100.0, 2300.0):
        gained = needed_hours(x, 25.0, 2022.0, evidence) - needed_hours(x, 25.0, year, evidence)
        start = smooth_minimum(0.0, x["label_efficiency_limit"])
        assert np.all(gained <= x["label_efficiency_limit"] - start + 1e-9)


def test_no_date_gives_no_values(x, trend, evidence) -> None:
    dates = np.full(SIZE, np.nan)
    dates[0] = 2030.0
    for name, value in at_date(x, dates, trend, evidence).items():
        assert np.all(np.isnan(value[1:]) | (value[1:] == -np.inf)), name
        if name in ("alignment_hours_needed", "alignment_tax", "prob_affordable"):
            assert np.isfinite(value[0])
            assert np.all(np.isnan(value[1:]))


# --------------------------------------------------------------------------------------------- work


@pytest.mark.parametrize("growth", [0.0, 1e-12, 1e-4, 0.15, 0.6, -0.2])
def test_worked_hours_are_the_integral_of_the_workforce(growth) -> None:
    x = {"workforce_hours": np.asarray(6.0), "workforce_growth": np.asarray(growth)}
    for end in (2026.001, 2030.0, 2090.0):
        exact, _ = integrate.quad(
            lambda u: 10 ** (6.0 + growth * (u - 2025.0)), 2026.0, end, epsrel=1e-11
        )
        assert worked_hours(x, end, 2026.0) == pytest.approx(np.log10(exact), rel=1e-9)


def test_nothing_has_been_worked_before_the_start() -> None:
    x = {"workforce_hours": np.asarray(6.0), "workforce_growth": np.asarray(0.1)}
    np.testing.assert_array_equal(worked_hours(x, np.asarray([2020.0, 2026.0]), 2026.0), -np.inf)


# -------------------------------------------------------------------------------------------- waits


def conditions(x, arrival, wait, trend, evidence, view) -> tuple[np.ndarray, np.ndarray]:
    """Whether the tax is tolerable, and the hours worked, so long after arrival; the model is the one that arrived."""
    t = arrival + wait
    needed = needed_hours(x, trend.physical(x, arrival), t, evidence)
    tax = (
        10 ** (needed + x["usd_per_hour"] + x["labour_overhead"] - trend.spend(x, t))
        + x["alignment_compute_share"]
    )
    return tax <= 10 ** x["alignment_tax_tolerance"], worked_hours(
        x, t, view.alignment.work_starts
    ) >= needed


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
    # 0.9 years of it are needed, from a year before the horizon
    one["workforce_hours"] = needed - np.log10(0.9)
    alone = waits(one, arrival, trend, evidence, work)[1]
    two = {name: np.repeat(value, 2) for name, value in one.items()}
    beside = waits(two, np.asarray([2030.0, arrival[0]]), trend, evidence, work)[1]
    assert alone[0] == pytest.approx(0.3, abs=1 / 12)
    assert beside[1] == pytest.approx(alone[0], abs=1e-9)


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


# --------------------------------------------------------------------------------------- likelihood


def test_the_likelihood_of_practice_and_shares_is_normal_in_oom(evidence, view) -> None:
    import pytensor

    model, tables = alignment.build(evidence, view), view.tables(alignment.QUANTITIES)
    potentials = model.replace_rvs_by_values(
        [model["rlhf_efforts"], model["alignment_compute_shares"]]
    )
    compiled = pytensor.function(
        model.value_vars, potentials, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    z = np.random.default_rng(6).normal(size=len(tables.names))
    point = {"white": z, **scale_at("effort_sd", 0.7), **scale_at("share_spread", 0.4)}
    hours, share = compiled(*(point.get(v.name, 0.0) for v in model.value_vars))
    x, efforts, shares = (
        tables.values(z),
        select(evidence["rlhf_efforts"]),
        select(evidence["alignment_compute_shares"]),
    )
    mean = x["practice_hours"] + x["practice_slope"] * np.log10(
        efforts["model_flop"].values / 3.14e23
    )
    observed = np.log10(efforts["human_hours"].values)
    np.testing.assert_allclose(
        hours,
        stats.norm(mean, np.hypot(efforts["hours_sd"].values, 0.7)).logpdf(observed),
        rtol=1e-9,
    )
    center, sd = np.log10(x["alignment_compute_share"]), np.hypot(shares["share_sd"].values, 0.4)
    np.testing.assert_allclose(
        share, stats.norm(center, sd).logpdf(np.log10(shares["share"].values)), rtol=1e-9
    )


def test_capability_rl_and_ai_feedback_are_not_conditioned_on(evidence) -> None:
    assert "capability_rl" not in select(evidence["alignment_compute_shares"])["kind"].values
    assert "ai" not in select(evidence["rlhf_efforts"])["feedback"].values


def test_alone_the_model_answers_at_the_views_date(x, trend, evidence, view) -> None:
    derived = alignment.derive(
        x, xr.Dataset(), evidence, replace(view, alignment=replace(view.alignment, date=2033.0))
    )
    expected = at_date(x, np.full(SIZE, 2033.0), trend, evidence)
    assert "training_cost_at_tai" not in derived
    for name, value in derived.items():
        np.testing.assert_array_equal(value, expected[name])


class ConstantNoise:
    """Stands in for a generator: every standard-normal number is the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.value)


def test_replicated_evidence_errs_by_the_published_and_the_estimated_error(
    x, evidence, view
) -> None:
    parameters = xr.Dataset({"effort_sd": ("draw", [0.3]), "share_spread": ("draw", [0.2])})
    one = {name: value[:1] for name, value in x.items()}
    centre, one_sd_up = (
        alignment.simulate(one, parameters, evidence, view, ConstantNoise(noise))
        for noise in (0.0, 1.0)
    )
    sd = {name: one_sd_up[name][1][0] - centre[name][1][0] for name in centre}
    published = alignment.efforts(evidence)["hours_sd"].values
    assert np.ptp(published) > 0  # efforts differ in how well their hours are known
    np.testing.assert_allclose(sd["log_hours"], np.hypot(published, 0.3))
    published = alignment.shares(evidence)["share_sd"].values
    np.testing.assert_allclose(sd["log_share"], np.hypot(published, 0.2))


def test_replicated_evidence_has_the_names_of_the_observed(x, evidence, view) -> None:
    wide = {name: value[None] for name, value in x.items()}
    names = ("effort_sd", "share_spread", "spend_sd", "hardware_sd", "algorithmic_spread")
    parameters = xr.Dataset({name: (("chain", "draw"), np.full((1, SIZE), 0.5)) for name in names})
    parameters = parameters.assign(
        spend_hardware_correlation=(("chain", "draw"), np.zeros((1, SIZE)))
    )
    model = find_model("alignment")
    drawn = model.simulate(wide, parameters, evidence, view, np.random.default_rng(1))
    observed = model.observed(evidence, view)
    assert set(drawn) == set(observed)
    for name, (dim, values) in drawn.items():
        assert observed[name].dims == (dim,)
        assert values.shape == (1, SIZE, observed[name].size)
