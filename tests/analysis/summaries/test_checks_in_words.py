"""Checks in words: a value that failed never reads as its limit, and a check of another fit has neither."""

import pytest

from aligntax.analysis.pages.report_tables import check_row
from aligntax.analysis.summaries.checks import Check
from aligntax.analysis.summaries.checks_in_words import failure_in_words, value_and_limit
from aligntax.analysis.summaries.words import how_many


@pytest.mark.parametrize(
    ("value", "limit", "texts"),
    [
        (1.046, 1.01, ("1.046", "1.01")),
        (1.01034, 1.01, ("1.0103", "1.01")),
        (1.0100002, 1.01, ("1.0100002", "1.01")),
        (399.98, 400.0, ("399.98", "400")),
        (2.0, 0.0, ("2", "0")),
        (None, 1.01, ("unknown", "1.01")),
    ],
)
def test_a_value_that_failed_is_told_from_its_limit(value, limit, texts) -> None:
    check = Check("r_hat", value, limit, False, "z", "do this").to_dict()
    assert value_and_limit(check) == texts
    assert failure_in_words(check) == f"r_hat (z) is {texts[0]}, limit {texts[1]}; do this"
    row = check_row(check)
    assert (row["shown"], row["limit"]) == texts


def test_a_value_that_passed_has_four_digits() -> None:
    check = Check("r_hat", 1.0099999, 1.01, True).to_dict()
    assert value_and_limit(check) == ("1.01", "1.01")


def test_a_check_of_another_fit_has_no_value_and_no_limit_here() -> None:
    check = Check("loss_law_longest_stand", None, 0.0, False, "", "look there").to_dict()
    words = failure_in_words(check)
    assert words == "loss_law_longest_stand, in a fit that this run rests on; look there"
    assert check_row(check)["limit"] == ""


@pytest.mark.parametrize(("count", "text"), [(0, "0 draws"), (1, "1 draw"), (2, "2 draws")])
def test_one_thing_is_singular(count, text) -> None:
    assert how_many(count, "draw") == text
