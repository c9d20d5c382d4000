import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.analysis.summaries.words import (
    format_amount,
    format_compact,
    format_number,
    format_percent,
    format_probability,
    label_of,
    median_and_interval,
    missing_mass,
    tick_label,
    without_long_vectors,
)
from aligntax.models.priors.quantities import QUANTITIES, lookup, quantity_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0012, "0.0012"),
        (0.00012, "1.2e-4"),
        (3.25, "3.2"),
        (12, "12"),
        (840, "840"),
        (999.6, "1 thousand"),
        (26_300, "26 thousand"),
        (999_999, "1 million"),
        (-4.1e9, "-4.1 billion"),
        (7.4e13, "74 trillion"),
        (6.2e37, "6.2e37"),
        (1e15, "1e15"),
        (1e20, "1e20"),
        (math.inf, "inf"),
    ],
)
def test_numbers_in_words(value, text):
    assert format_number(value) == text


@given(st.floats(1e-3, 9e14))
def test_a_number_in_words_is_within_its_digits(value):
    scales = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
    digits, *word = format_number(value).split()
    said = float(digits) * (scales[word[0]] if word else 1.0)
    assert said == pytest.approx(value, rel=0.051)


def test_short_is_for_ticks():
    assert [format_compact(v) for v in (840, 26_000, 4.1e9, 1e18)] == ["840", "26k", "4.1B", "1e18"]
    assert tick_label(-2.0, lookup("alignment_tax")) == "1%"
    assert tick_label(7.0, lookup("alignment_hours_needed")) == "10M"
    assert tick_label(2040.0, lookup("tai_year")) == "2040"


def test_probabilities_keep_their_ends_apart():
    assert [format_probability(p) for p in (0, 0.004, 0.5, 0.996, 1)] == [
        "0%",
        "under 1%",
        "50%",
        "over 99%",
        "100%",
    ]
    assert format_percent(0.0105) == "1.1%" or format_percent(0.0105) == "1%"
    assert format_percent(1e-9) == "under 0.01%"


def test_amounts_carry_their_units():
    assert format_amount(4.8, lookup("alignment_hours_needed")) == "63 thousand human-hours"
    assert format_amount(2.0, lookup("rlhf_multiple_needed")) == "100x"
    assert format_amount(6.0, lookup("rlhf_multiple_needed")) == "1 million x"
    assert format_amount(2048.3, lookup("tai_year")) == "2048"
    assert format_amount(0.5, lookup("timeline_shift_exponent")) == "0.5 years"
    assert format_amount(0.05, lookup("timeline_shift_exponent")) == "0.05 years"
    assert format_amount(3.5e-5, lookup("timeline_shift_exponent")) == "under 0.1 years"
    assert format_amount(-0.001, lookup("timeline_shift_exponent"), unit=False) == "over -0.1"
    assert format_amount(0.0, lookup("timeline_shift_exponent")) == "0 years"
    assert format_amount(0.97, lookup("data_exponent")) == "0.97"
    assert format_amount(-1.526, lookup("alignment_tax_tolerance")) == "3%"
    assert format_amount(0.36, lookup("hazard_steepness")) == "2.3 per OOM"
    assert format_amount(4000.0, lookup("tai_flop")) == "10^4000 FLOP"


def _row(q05, q50, q95, above=0.0, below=0.0, undefined=0.0):
    shares = {"prob_above": above, "prob_below": below, "prob_undefined": undefined}
    return {"q05": q05, "q50": q50, "q95": q95, "mean": None, **shares}


def test_interval_of_a_plain_row():
    row = _row(1.6463, 4.8023, 8.0347, undefined=0.33)
    assert median_and_interval(row, lookup("alignment_hours_needed")) == (
        "63 thousand human-hours",
        "44 human-hours to 110 million",
    )


def test_a_quantile_in_censored_mass_above_is_later_or_never():
    row = _row(2027.8, 2048.2, None, above=0.33)
    assert median_and_interval(row, lookup("tai_year"), 2100.0) == (
        "2048",
        "2028 to later than 2100 or never",
    )
    assert (
        median_and_interval(row, lookup("tai_year"))[1] == "2028 to later than the horizon or never"
    )
    assert missing_mass(row, lookup("tai_year"), 2100.0) == "33% later than 2100 or never"


def test_a_quantile_in_censored_mass_below_is_nothing_affordable():
    row = _row(None, 7.11, 9.63, below=0.165, undefined=0.33)
    median, ninety = median_and_interval(row, lookup("alignment_hours_affordable"))
    assert (median, ninety) == ("13 million human-hours", "nothing affordable to 4.3 billion")
    text = missing_mass(row, lookup("alignment_hours_affordable"), 2100.0)
    assert text == "given arrival before 2100 (67%): 25% nothing affordable"


def test_masses_on_both_sides_are_told_apart():
    row = _row(None, None, None, above=0.6, below=0.3)
    median, ninety = median_and_interval(row, lookup("timeline_shift_exponent"), 2100.0)
    assert median == "beyond 2100"
    assert ninety == "pulled in from beyond 2100 to beyond 2100"


def test_a_null_quantile_lies_in_the_mass_that_it_falls_into():
    """Half the defined draws below and a tenth above: the median is below, the 95% point above; and the other way round."""
    shift = lookup("timeline_shift_exponent")
    below = _row(None, None, None, above=0.08, below=0.44, undefined=0.2)
    assert median_and_interval(below, shift, 2100.0) == (
        "pulled in from beyond 2100",
        "pulled in from beyond 2100 to beyond 2100",
    )
    above = _row(None, None, None, above=0.44, below=0.08, undefined=0.2)
    assert median_and_interval(above, shift, 2100.0)[0] == "beyond 2100"


def test_an_undefined_row_says_so():
    row = _row(None, None, None, undefined=1.0)
    assert median_and_interval(row, lookup("alignment_tax")) == ("undefined", "")
    assert missing_mass(row, lookup("alignment_tax")) == "undefined in every draw"


def test_an_indicator_is_a_probability():
    row = _row(0.0, 1.0, 1.0) | {"mean": 0.684}
    assert median_and_interval(row, lookup("prob_affordable")) == ("68%", "")


@given(st.sampled_from(sorted(QUANTITIES)), st.floats(-50, 50), st.floats(0, 20), st.floats(0, 20))
def test_every_quantity_can_be_said(name, middle, down, up):
    median, ninety = median_and_interval(_row(middle - down, middle, middle + up), lookup(name))
    assert median
    assert "nan" not in median + ninety


def test_a_vector_that_would_fill_the_screen_is_left_out():
    short = [f"study_label_error[{i}]" for i in range(20)]
    long = [f"gold_alpha[{i}]" for i in range(21)]
    assert without_long_vectors(["tai_year", *short, *long]) == ["tai_year", *short]


def test_an_element_of_a_vector_has_the_label_of_its_vector():
    assert label_of("tai_year") == "TAI arrival"
    assert label_of("anchor_probability[short_horizon]") == "anchor probability, short horizon"


def test_powers_of_ten_stay_powers_where_a_float_ends():
    assert format_amount(299.0, lookup("tai_flop")) == "1e299 FLOP"
    assert format_amount(301.0, lookup("tai_flop")) == "10^301 FLOP"
    assert tick_label(301.0, lookup("tai_flop")) == "1e301"


def test_a_probability_by_draw_is_told_by_its_mean() -> None:
    """The posterior probability is the mean over draws: few draws may hold nearly all of it."""
    row = {"mean": 0.02, "q05": 0.0, "q50": 0.00074, "q95": 0.12, "prob_undefined": 0.0}
    assert median_and_interval(row, quantity_of("anchor_probability[lifetime]")) == ("2%", "")
    amount = median_and_interval(row, lookup("data_exponent"))  # negative control
    assert amount[1] == "0 to 0.12"
