"""Bars in natural units: analytic medians, noise left out, infinities by rank."""

import numpy as np
import pytest

from aligntax.analysis.figures.tornado import bars, in_words, tornado, tornadoes

RNG = np.random.default_rng(3)
X = RNG.standard_normal(20_000)
NOISE = RNG.standard_normal(20_000)


def test_a_bar_runs_between_the_medians_of_the_outer_fifths():
    """The median of a normal quantity's lowest fifth is its 10% point, -1.2816."""
    (bar,) = bars(5.0 + 2.0 * X, {"rlhf_multiplier": X, "usd_per_hour": NOISE})
    assert bar.quantity == "rlhf_multiplier"
    assert (bar.low, bar.high) == pytest.approx((5.0 - 2.563, 5.0 + 2.563), abs=0.05)


def test_the_longest_bar_comes_first_and_a_falling_one_keeps_its_ends():
    found = bars(X - 3.0 * NOISE, {"rlhf_multiplier": X, "usd_per_hour": NOISE})
    assert [bar.quantity for bar in found] == ["usd_per_hour", "rlhf_multiplier"]
    assert found[0].low > found[0].high


def test_what_never_arrives_counts_by_rank():
    year = np.where(X > 1.5, np.inf, 2040.0 + 5.0 * X)
    (bar,) = bars(year, {"user_flop": X})
    assert np.isfinite([bar.low, bar.high]).all() and bar.high > 2045.0
    assert bars(np.where(X > 0.0, np.inf, 2040.0), {"user_flop": X}) == []  # no number at one end


def test_undefined_draws_and_too_few_draws_are_left_out():
    for nothing in (np.nan, np.inf):
        assert bars(np.full(1000, nothing), {"user_flop": X[:1000]}) == []
    assert bars(X[:100], {"user_flop": X[:100]}) == []


def test_the_reference_run_answers_in_hours_and_years(reference):
    found = tornadoes(reference)
    assert set(found) <= {"alignment_hours_needed", "tai_year"}
    assert found["alignment_hours_needed"][0].quantity == "rlhf_multiplier"
    assert "human-hours" in in_words(found)
    labels = [tick.get_text() for tick in tornado(reference).axes[0].get_yticklabels()]
    assert labels[0] == "RLHF multiplier"
