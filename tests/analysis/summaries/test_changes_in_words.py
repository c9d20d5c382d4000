"""Was, is and change, in the quantity's own unit."""

import pytest

from aligntax.analysis.summaries.changes_in_words import (
    change_in_words,
    size_of_change,
    was_and_is,
)
from aligntax.models.priors.quantities import quantity_of


def row(middle, low=None, high=None, mean=None):
    return {
        "q05": low,
        "q50": middle,
        "q95": high,
        "mean": mean,
        "prob_above": 0.0 if middle is not None else 0.6,
    }


@pytest.mark.parametrize(
    ("name", "was", "now", "words"),
    [
        ("alignment_hours_needed", 7.0, 6.0, "-9 million human-hours (0.1x)"),
        ("alignment_hours_needed", 3.0, 7.0, "+10 million human-hours (10^4x)"),
        ("alignment_tax", -2.0, -1.0, "+9 points"),
        ("tai_year", 2040.0, 2038.5, "-1.5 years"),
        ("tai_year", 2040.0, 2040.001, ""),
        ("tai_year", None, 2038.5, ""),
        ("tax_headroom", 1.0, 2.0, "10x as much"),
        ("tax_headroom", 1.0, 1.001, ""),
        ("alignment_hours_needed", 7.0, 7.001, ""),
    ],
)
def test_a_change_has_the_unit_of_its_quantity(name, was, now, words):
    assert change_in_words(row(was), row(now), quantity_of(name)) == words


def test_a_probability_changes_by_points_of_its_mean():
    quantity = quantity_of("prob_affordable")
    before, after = row(1.0, mean=0.9), row(1.0, mean=0.75)
    assert was_and_is(before, after, quantity) == ("90%", "75%", "-15 points")


def test_censored_answers_are_told_by_both_and_come_first():
    quantity = quantity_of("tai_year")
    was, now, change = was_and_is(row(2040.0), row(None), quantity, 2100.0)
    assert (was, now, change) == ("2040", "later than 2100 or never", "")
    assert size_of_change(row(2040.0), row(None), quantity) == float("inf")
    assert size_of_change(row(None), row(None), quantity) == 0.0


def test_sizes_are_shares_of_the_first_interval():
    quantity = quantity_of("alignment_hours_needed")
    assert size_of_change(row(6.0, 4.0, 8.0), row(7.0, 0.0, 9.0), quantity) == pytest.approx(0.25)
