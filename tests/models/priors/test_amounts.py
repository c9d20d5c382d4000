"""Amounts as people write them: one reading everywhere, and what is ambiguous is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.analysis.fitting.moved_prior import MedianRange
from aligntax.analysis.inputs.view_reader import parse_set
from aligntax.analysis.summaries.words import format_amount
from aligntax.analysis.terminal.elicitation import parse_answer
from aligntax.models.errors import InputError
from aligntax.models.priors.amounts import MULTIPLES, Stated, read_amount, split_amounts
from aligntax.models.priors.quantities import QUANTITIES, lookup
from aligntax.models.views import load_view, parse_toml, resolve

TAX, WAGE, HOURS = "alignment_tax_tolerance", "usd_per_hour", "alignment_hours_needed"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (TAX, "5%", 0.05),
        (TAX, "0.05", 0.05),
        (TAX, "5 percent", 0.05),
        ("rlhf_multiplier", "3x", 3.0),
        (WAGE, "1,000", 1000.0),
        (WAGE, "1 thousand", 1000.0),
        (WAGE, "1.5k", 1500.0),
        (WAGE, "20 USD/hour", 20.0),
        (WAGE, "20 dollars/hour", 20.0),
        (HOURS, "2M", 2e6),
        (HOURS, "2 million hours", 2e6),
        (HOURS, "44 hours", 44.0),
        (HOURS, "1.2 billion", 1.2e9),
        (HOURS, "3 OOM", 1000.0),
        (HOURS, " 2e6 ", 2e6),
        ("spend_growth", "100 percent/year", 0.3010299956639812),
    ],
)
def test_an_amount_is_read_in_the_natural_unit(name, text, value) -> None:
    assert read_amount(lookup(name), text) == pytest.approx(value, rel=1e-12)
    assert parse_answer(lookup(name), text) == read_amount(lookup(name), text)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (WAGE, "1,5", "must be a number in USD/hour"),
        (WAGE, "1,00", "must be a number in USD/hour"),
        (WAGE, "1,0000", "must be a number in USD/hour"),
        (WAGE, "20m", "must be a number in USD/hour"),
        (WAGE, "20 thousand million", "must be a number in"),
        (WAGE, "3x", "must be a number in"),
        (TAX, "5 hours", "must be a number in"),
        (TAX, "five", "must be a number above 0, got 'five'"),
        (HOURS, "1e999", "must be a number above 0"),
        (HOURS, "-2 million", "must be a number above 0"),
        (HOURS, "", "must be a number"),
    ],
)
def test_what_could_mean_two_things_is_refused(name, text, words) -> None:
    with pytest.raises(InputError, match=words):
        read_amount(lookup(name), text)


@given(st.floats(1e-12, 1e17), st.sampled_from(["", *MULTIPLES]), st.booleans())
def test_a_number_is_read_as_it_was_written(value, multiple, spaced) -> None:
    text = f"{value!r}{' ' if spaced else ''}{multiple}"
    assert Stated.parse(text) == Stated(value * MULTIPLES.get(multiple, 1.0))


@given(st.integers(0, 10**15))
def test_thousands_are_separated_as_python_separates_them(value) -> None:
    assert Stated.parse(f"{value:,}") == Stated.parse(f"{value:_}") == Stated(float(value))


@given(st.sampled_from(["tai_flop", HOURS, TAX, "alignment_tax", WAGE]), st.floats(-6, 14))
def test_what_is_printed_can_be_typed(name, link) -> None:
    """To the two digits that are printed."""
    quantity = lookup(name)
    text = format_amount(link, quantity)
    if text.startswith("under"):
        return
    assert read_amount(quantity, text) == pytest.approx(10.0**link, rel=0.06)


def test_a_list_with_thousands_is_separated_by_semicolons() -> None:
    assert split_amounts("1,000; 2 million; 3 billion") == ["1,000", "2 million", "3 billion"]
    assert split_amounts("0.1,3,100") == ["0.1", "3", "100"]


def test_every_way_in_reads_the_same() -> None:
    words = {0.1: "1%", 0.5: "5%", 0.9: "20%"}
    numbers = {0.1: 0.01, 0.5: 0.05, 0.9: 0.2}
    start = load_view("default")
    expected = start.replace(**{TAX: numbers}).quantities[TAX]["quantiles"]
    assert start.replace(**{TAX: words}).quantities[TAX]["quantiles"] == expected
    name, spec = parse_set("tax tolerance=1%,5%,20%")
    assert (name, spec["quantiles"]) == (TAX, expected)
    text = f"""extends = "default"
[quantities.{TAX}]
quantiles = {{0.1 = "1%", 0.5 = "5%", 0.9 = "20%"}}
"""
    assert resolve(parse_toml(text, "mine"), "mine").quantities[TAX]["quantiles"] == expected
    percent = {"quantiles": {"0.1": "1", "0.5": "5%", "0.9": 20}, "unit": "percent"}
    mine = start.with_quantity(TAX, percent)
    assert mine.quantities[TAX]["quantiles"] == {"0.1": 1.0, "0.5": 5.0, "0.9": 20.0}
    moved = MedianRange.parse("tax tolerance=1%,20%,5")
    assert moved == MedianRange(TAX, 0.01, 0.2, 5)


def test_a_percentage_of_what_is_no_share_is_refused_in_a_view() -> None:
    with pytest.raises(InputError, match="must be a finite number"):
        load_view("default").replace(**{WAGE: {0.1: "1%", 0.5: "5%", 0.9: "20%"}})


def test_pools_state_words_too() -> None:
    start, parts = load_view("default"), ("1%", "10%")
    pool = {"mixture": [{"quantiles": {0.1: p, 0.9: "50%"}, "weight": "1"} for p in parts]}
    found = start.with_quantity(TAX, pool).quantities[TAX]["mixture"]
    assert [part["quantiles"]["0.1"] for part in found] == [0.01, 0.1]


def test_labels_stand_for_names_and_a_shared_one_is_asked_about() -> None:
    assert lookup("wage").name == WAGE or lookup(QUANTITIES[WAGE].label).name == WAGE
    assert lookup("tai ARRIVAL").name == "tai_year"
    labels = [each.label.casefold() for each in QUANTITIES.values()]
    shared = {label for label in labels if labels.count(label) > 1}
    for label in shared:
        with pytest.raises(InputError, match="did you mean"):
            lookup(label)
