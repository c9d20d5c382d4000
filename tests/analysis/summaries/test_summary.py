"""Quantiles that count "later or never" as infinity, Monte Carlo errors, claims."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims import CLAIMS
from aligntax.analysis.summaries.summary import (
    Series,
    _mcse_median,
    censored_quantile,
    iter_series,
    summarise,
)
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.states import censored

CHAINS, DRAWS = 4, 1000


def dataset(**values):
    dims = dict.fromkeys(values, ("chain", "draw"))
    return censored(values, {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)}, dims)


def normal(seed=0, **kwargs):
    return np.random.default_rng(seed).normal(size=(CHAINS, DRAWS), **kwargs)


def test_quantiles_count_later_or_never_as_infinity():
    year = np.linspace(2030, 2090, CHAINS * DRAWS).reshape(CHAINS, DRAWS)
    year[3] = np.inf  # the last quarter, 2075 and later
    row = summarise(dataset(tai_year=year))["tai_year"]
    assert row["q50"] == pytest.approx(2060, abs=0.1)  # as if no draw had been censored
    assert row["q75"] is None and row["q95"] is None
    assert row["prob_above"] == row["prob_censored"] == 0.25
    assert row["mean"] is None and row["sd"] is None


def test_nothing_affordable_counts_as_minus_infinity():
    hours = np.sort(normal(), axis=None).reshape(CHAINS, DRAWS)
    hours[0] = -np.inf
    row = summarise(dataset(alignment_hours_affordable=hours))["alignment_hours_affordable"]
    assert row["q05"] is None and row["prob_below"] == 0.25
    assert row["q75"] == pytest.approx(0.674, abs=0.05)


def test_undefined_draws_are_left_out_and_counted():
    hours = normal(loc=4)
    hours[:, ::2] = np.nan
    row = summarise(dataset(alignment_hours_needed=hours))["alignment_hours_needed"]
    assert row["prob_undefined"] == 0.5
    assert row["q50"] == pytest.approx(4, abs=0.1) and row["mean"] == pytest.approx(4, abs=0.1)


def test_censored_is_what_has_no_number_for_whatever_reason():
    """A quarter above, an eighth below, an eighth undefined: half the draws have no number."""
    shift = normal()
    shift[0], shift[1, : DRAWS // 2], shift[1, DRAWS // 2 :] = np.inf, -np.inf, np.nan
    row = summarise(dataset(timeline_shift_exponent=shift))["timeline_shift_exponent"]
    shares = [row[f"prob_{kind}"] for kind in ("above", "below", "undefined", "censored")]
    assert shares == [0.25, 0.125, 0.125, 0.5]
    weights = Weights.equal(shift.shape)
    weighted = summarise(dataset(timeline_shift_exponent=shift), (), weights)
    assert weighted["timeline_shift_exponent"]["prob_censored"] == pytest.approx(0.5)


def test_the_sd_is_that_of_a_sample():
    row = summarise(dataset_of([[1.0, 2.0, 4.0, 5.0]]))["alignment_tax"]
    assert row["mean"] == 3.0 and row["sd"] == pytest.approx(np.sqrt(10 / 3))
    assert row["assumed"] is False
    assert summarise(dataset_of([[1.0]]), ("alignment_tax",))["alignment_tax"]["assumed"] is True


def dataset_of(values):
    data = {"alignment_tax": np.asarray(values)}
    return censored(
        data,
        {"chain": np.arange(len(values)), "draw": np.arange(len(values[0]))},
        {"alignment_tax": ("chain", "draw")},
    )


def test_ranks_put_undefined_first_and_infinities_at_the_ends():
    series = Series("tai_year", np.array([[np.inf, 2050.0, np.nan, -np.inf, 2040.0]]))
    assert np.argsort(series.ranked[0]).tolist() == [2, 3, 4, 1, 0]
    assert np.isfinite(series.ranked).all()
    assert not Series("tai_year", np.full((1, 3), np.inf)).ranked.any()


def test_infinite_values_are_never_stored():
    data = dataset(tai_year=np.where(normal() > 0, np.inf, 2050.0))
    assert not np.isinf(data["tai_year"]).any()
    assert set(np.unique(data["tai_year_state"])) == {0, 1}
    assert "alignment_tax_state" not in dataset(alignment_tax=normal())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_quantile_of_finite_numbers_is_numpys(values, p):
    assert censored_quantile(np.array(values), p) == pytest.approx(
        np.quantile(values, p), rel=1e-9, abs=1e-9
    )


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 20), st.floats(0, 1))
def test_quantile_is_monotone_and_never_nan(below, inside, above, p):
    values = np.array([-np.inf] * below + list(range(inside)) + [np.inf] * above)
    q = [censored_quantile(values, x) for x in sorted((0.0, p, 1.0))]
    assert not np.isnan(q).any() and q == sorted(q)
    assert q[0] == values[0] and q[-1] == values[-1]


def test_mcse_of_the_median_is_right_for_independent_normal_draws():
    """Standard error of the median of n normal draws is sqrt(pi / 2n)."""
    errors = [
        summarise(dataset(alignment_tax=normal(seed)))["alignment_tax"]["mcse_median"]
        for seed in range(10)
    ]
    assert np.mean(errors) == pytest.approx(np.sqrt(np.pi / 2 / (CHAINS * DRAWS)), rel=0.15)


@pytest.mark.parametrize("size", [50, 400, 4000])
def test_mcse_of_the_median_is_that_of_the_order_statistic(size):
    """Of uniform numbers the median of n has the distribution Beta(n/2 + 1, n/2 + 1), whose sd is 1 / (2 sqrt(n + 3))."""
    error = _mcse_median(np.linspace(0.0, 1.0, 100_001), None, size)
    assert error == pytest.approx(0.5 / np.sqrt(size + 3), rel=0.01)


def test_mcse_of_the_median_speaks_of_the_defined_draws():
    hours = normal(2)
    hours[:, : DRAWS // 2] = np.nan
    error = summarise(dataset(alignment_hours_needed=hours))["alignment_hours_needed"][
        "mcse_median"
    ]
    assert error == pytest.approx(np.sqrt(np.pi / 2 / (CHAINS * DRAWS / 2)), rel=0.35)


def test_a_stuck_chain_shows_in_the_r_hat_of_a_censored_quantity():
    year = 2050 + 10 * normal()
    year[year > 2060] = np.inf
    good = summarise(dataset(tai_year=year))["tai_year"]["r_hat"]
    year[0] += 15
    bad = summarise(dataset(tai_year=year))["tai_year"]["r_hat"]
    assert good < 1.01 < 1.05 < bad


def test_constant_quantities_have_no_diagnostics():
    row = summarise(dataset(alignment_tax=np.ones((CHAINS, DRAWS))))["alignment_tax"]
    assert row["ess_bulk"] is None and row["r_hat"] is None and row["q50"] == 1.0


def test_equal_values_have_equal_ranks_in_a_weighted_summary():
    """A chance of 0 or 1 has two scores: its size is that of the indicator, however it is ordered.

    Ranks broken by place tie a chain to the clock: the first draws of each value score lowest.
    """
    paid = (normal() > -1.2).astype(float)
    weights = Weights.equal(paid.shape)
    row = summarise(dataset(prob_affordable=paid), (), weights)["prob_affordable"]
    assert row["ess_bulk"] == pytest.approx(weights.effective(paid), rel=1e-9)
    assert row["ess_bulk"] == pytest.approx(paid.size, rel=0.35)
    places = np.empty(paid.size)  # negative control: ties broken by place
    places[np.argsort(paid.ravel(), kind="stable")] = np.arange(paid.size)
    broken = weights.effective(weights.normal_scores(places.reshape(paid.shape)))
    assert broken < 0.3 * paid.size


def test_weighted_scores_are_normal_under_the_weights():
    """Draws of N(0, 1) weighted to N(1/2, 1): scores are standard normal there."""
    x = normal()
    weights = Weights.of_log(0.5 * x)
    scores = weights.normal_scores(x)
    assert weights.mean(scores) == pytest.approx(0.0, abs=1e-3)
    assert weights.mean(scores**2) == pytest.approx(1.0, abs=0.01)
    given_half = Weights.equal(x.shape).given(x > 0)
    assert np.all(given_half.normal_scores(x)[x <= 0] == 0.0)
    scores = given_half.normal_scores(x)[x > 0]
    assert scores.min() < -3 and scores.max() > 3


def test_the_middle_of_an_answer_has_an_effective_size_wherever_it_lies():
    """Independent draws: their own number, whether the median is a date, censored or a tie."""
    year = 2050 + 10 * normal()
    cases = [year, np.where(year > 2055, np.inf, year), np.where(year > 2045, np.inf, year)]
    cases.append(np.maximum(year, 2053.0))  # six in ten draws are the smallest value, and tie
    cases.append(np.minimum(year, 2047.0))  # and the largest
    for case in cases:
        for weights in (None, Weights.equal(case.shape)):
            row = summarise(dataset(tai_year=case), (), weights)["tai_year"]
            assert row["ess_middle"] == pytest.approx(case.size, rel=0.35)
    half = np.where(normal(1) > 0, np.nan, year)
    row = summarise(dataset(tai_year=half))["tai_year"]
    assert row["ess_middle"] == pytest.approx(half.size / 2, rel=0.2)


def test_the_middle_of_a_chance_is_its_mean():
    """A chance that is nearly always nil and rarely one: its mean is known by the rare draws."""
    rng = np.random.default_rng(3)
    rare = np.repeat(rng.random((CHAINS, DRAWS // 50)) < 0.05, 50, axis=1).astype(float)
    chance = rare + 1e-3 * rng.random(rare.shape)
    row = summarise(dataset(prob_affordable=chance))["prob_affordable"]
    assert row["ess_middle"] < 0.1 * chance.size


def test_vectors_are_named_by_their_labels():
    data = xr.Dataset(
        {"anchor_probability": (("chain", "draw", "anchor"), np.full((2, 5, 2), 0.5))},
        coords={"anchor": ["genome", "none"]},
    )
    assert [series.name for series in iter_series(data)] == [
        "anchor_probability[genome]",
        "anchor_probability[none]",
    ]


def test_claims_count_censored_draws_and_leave_undefined_ones_out():
    hours = np.full((CHAINS, DRAWS), 3.0)
    hours[1], hours[2], hours[3] = -np.inf, np.nan, 1.0
    found = claim_answers(dataset(rlhf_multiple_affordable=hours))["over_2_oom_affordable"]
    assert found["probability"] == pytest.approx(1 / 3)
    assert found["given_probability"] == pytest.approx(3 / 4)


def test_every_claim_is_computed_for_the_joint_model(outcome):
    claims = outcome.record["claims"]
    assert list(claims) == [claim.name for claim in CLAIMS]
    assert all(0 <= claim["probability"] <= 1 for claim in claims.values())
    # three quarters before payments are seen, and nearly all after
    assert claims["tolerance_at_least_1_percent"]["probability"] > 0.9
    assert not any(claim["assumed"] for claim in claims.values())
