"""Hours, money and taxes: identities draw by draw."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from aligntax.models import alignment, tolerance
from aligntax.models.alignment import at_date
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import find_model
from aligntax.models.evidence import select
from aligntax.models.practice import practice
from aligntax.models.taxes import taxes

SIZE = 500


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    """Draws from the prior; what is tolerated is what is elicited."""
    drawn = prior_draws(alignment.QUANTITIES, SIZE)
    return {**drawn, "tolerance_at_arrival": drawn["alignment_tax_tolerance"]}


@pytest.fixture(scope="module")
def dates() -> np.ndarray:
    return np.random.default_rng(2).uniform(2027, 2099, SIZE)


@pytest.fixture(scope="module")
def at(x, dates, trend, evidence, view) -> dict[str, Any]:
    return at_date(x, dates, trend, evidence, view)


# --------------------------------------------------------------------------------------- identities


def test_hours_times_cost_over_development_cost_is_the_labour_tax(at, x) -> None:
    money = 10 ** (at["alignment_hours_needed"] + x["usd_per_hour"] + x["labour_overhead"])  # USD
    development = 10 ** (at["training_cost_at_tai"] + x["rnd_ratio"])
    np.testing.assert_allclose(10 ** at["labour_tax"], money / development, rtol=1e-10)


def test_the_sum_of_both_taxes_stands_beside_them(at) -> None:
    both = 10 ** at["labour_tax"] + 10 ** at["compute_tax"]
    np.testing.assert_allclose(10 ** at["alignment_tax"], both, rtol=1e-10)


def test_the_taxes_of_the_hours_affordable_are_the_tolerance(at, x) -> None:
    money = at["alignment_hours_affordable"] + x["usd_per_hour"] + x["labour_overhead"]
    labour = money - at["training_cost_at_tai"] - x["rnd_ratio"]
    # the compute tax of the hours needed, carried to the hours affordable
    compute = at["compute_tax"] + x["compute_data_exponent"] * at["tax_headroom"]
    np.testing.assert_allclose(10**labour + 10**compute, 10 ** x["tolerance_at_arrival"], rtol=1e-9)
    # either tax takes most of the tolerance in some of the prior's draws
    assert (labour > compute + 1).any() and (compute > labour + 1).any()


def test_hours_affordable_are_those_that_bisection_finds(at, x, dates, trend, evidence) -> None:
    from scipy.optimize import bisect

    for i in range(0, SIZE, 25):
        one = {name: value[i] for name, value in x.items()}

        def over(hours, one=one, i=i):
            exactly = {**one, "rlhf_multiplier": 0.0, "quality_factor": 0.0, "hours_floor": -np.inf}
            usual = practice(exactly, at["training_flop_at_tai"][i], dates[i], evidence)
            exactly["rlhf_multiplier"] = hours - usual
            _, labour, compute = taxes(
                exactly, at["training_flop_at_tai"][i], dates[i], trend, evidence
            )
            return np.log10(10**labour + 10**compute) - one["tolerance_at_arrival"]

        found = bisect(over, -60.0, 60.0, xtol=1e-10)
        assert at["alignment_hours_affordable"][i] == pytest.approx(found, abs=1e-8)


def test_headroom_is_affordable_over_needed_and_positive_where_the_tax_is_tolerable(at, x) -> None:
    np.testing.assert_allclose(
        at["tax_headroom"], at["alignment_hours_affordable"] - at["alignment_hours_needed"]
    )
    np.testing.assert_array_equal(
        at["prob_affordable"] == 1, at["alignment_tax"] <= x["tolerance_at_arrival"]
    )
    clear = np.abs(at["tax_headroom"]) > 1e-9
    np.testing.assert_array_equal(
        (at["prob_affordable"] == 1)[clear], (at["tax_headroom"] >= 0)[clear]
    )
    assert 0.05 < at["prob_affordable"].mean() < 0.99


def test_multiples_are_relative_to_instructgpt_and_to_practice_then(
    at, x, dates, trend, evidence
) -> None:
    hours = np.log10(evidence.constant("instructgpt_hours"))
    np.testing.assert_allclose(at["rlhf_multiple_needed"], at["alignment_hours_needed"] - hours)
    np.testing.assert_allclose(
        at["rlhf_multiple_affordable"], at["alignment_hours_affordable"] - hours
    )
    then = practice(x, trend.physical(x, dates), dates, evidence)
    np.testing.assert_allclose(
        at["rlhf_multiple_affordable_at_arrival"], at["alignment_hours_affordable"] - then
    )


def test_a_dearer_hour_buys_as_much_less(at, x, dates, trend, evidence, view) -> None:
    for name in ("usd_per_hour", "labour_overhead"):
        dear = at_date({**x, name: x[name] + 0.5}, dates, trend, evidence, view)
        fewer = at["tax_headroom"] - dear["tax_headroom"]
        assert np.all((fewer > 0) & (fewer < 0.5 + 1e-9))
        # where labour is nearly all of the tax
        labour = at["labour_tax"] + at["tax_headroom"] > x["tolerance_at_arrival"] - 1e-3
        assert labour.sum() > 20
        np.testing.assert_allclose(fewer[labour], 0.5, atol=1e-2)


@given(st.floats(0.0, 3.0), st.floats(0.0, 2.0))
def test_more_tolerance_or_cheaper_labour_never_makes_alignment_less_affordable(
    x, dates, trend, evidence, view, more, cheaper
) -> None:
    one = at_date(x, dates, trend, evidence, view)
    changed = {
        **x,
        "tolerance_at_arrival": x["tolerance_at_arrival"] + more,
        "usd_per_hour": x["usd_per_hour"] - cheaper,
    }
    other = at_date(changed, dates, trend, evidence, view)
    assert np.all(other["prob_affordable"] >= one["prob_affordable"])
    more_hours = other["alignment_hours_affordable"] - one["alignment_hours_affordable"]
    assert np.all(more_hours >= -1e-9)


def test_dearer_development_makes_both_taxes_smaller_by_as_much(
    at, x, dates, trend, evidence, view
) -> None:
    """Twice the denominator: half the tax, and as many more hours for a tolerance of it."""
    more = at_date({**x, "rnd_ratio": x["rnd_ratio"] + np.log10(2)}, dates, trend, evidence, view)
    for name in ("labour_tax", "compute_tax", "alignment_tax"):
        np.testing.assert_allclose(at[name] - more[name], np.log10(2))


def test_no_date_gives_no_values(x, trend, evidence, view) -> None:
    dates = np.full(SIZE, np.nan)
    dates[0] = 2030.0
    for name, value in at_date(x, dates, trend, evidence, view).items():
        assert np.all(np.isnan(value[1:])) or name == "workforce_available"
        if name in ("alignment_hours_needed", "alignment_tax", "prob_affordable"):
            assert np.isfinite(value[0])
            assert np.all(np.isnan(value[1:]))


# ----------------------------------------------------------------------------------------- evidence


def test_capability_rl_and_ai_feedback_are_not_conditioned_on(evidence) -> None:
    assert "capability_rl" not in select(evidence["alignment_compute_shares"])["kind"].values
    assert "ai" not in select(evidence["rlhf_efforts"])["feedback"].values


def test_alone_the_model_answers_at_the_views_date(x, trend, evidence, view) -> None:
    chance = Chance.draw(SIZE, np.random.default_rng(5))
    later = replace(view, alignment=replace(view.alignment, date=2033.0))
    parameters = xr.Dataset({"tolerance_spread": ("draw", np.full(SIZE, 0.3))})
    elicited = {name: value for name, value in x.items() if name != "tolerance_at_arrival"}
    derived = alignment.derive(elicited, parameters, evidence, later, chance)
    full = tolerance.with_tolerance(elicited, parameters, evidence, chance)
    expected = at_date(full, np.full(SIZE, 2033.0), trend, evidence, view)
    assert "training_cost_at_tai" not in derived
    for name in expected.keys() & derived.keys():
        np.testing.assert_array_equal(derived[name], expected[name])
    np.testing.assert_allclose(
        derived["tolerance_of_training_cost"] - derived["tolerance_at_arrival"], x["rnd_ratio"]
    )


def test_replicated_evidence_has_the_names_of_the_observed(x, evidence, view) -> None:
    wide = {name: value[None] for name, value in x.items()}
    names = (
        *("effort_sd", "share_spread", "tolerance_spread"),
        *("spend_sd", "hardware_sd", "flop_sd_scale", "algorithmic_spread"),
    )
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
