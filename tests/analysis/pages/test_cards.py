"""The first screen: what each card says, of which draws, and where it is left out."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from aligntax.analysis.answers.budget import budget
from aligntax.analysis.answers.budget_in_words import budget_paragraph
from aligntax.analysis.pages.cards import budget_card, cards
from aligntax.analysis.pages.dot_plot import COLUMNS, DOTS, dot_plot, equally_likely
from aligntax.analysis.pages.figure_data.pictures import Shown
from aligntax.analysis.summaries.summary import draws_of
from aligntax.analysis.summaries.words import format_amount, format_probability
from aligntax.models.priors.quantities import lookup


@pytest.fixture(scope="module")
def made(reference):
    return {card.name: card for card in cards(reference, 2100.0)}


def test_the_three_questions_have_the_numbers_of_the_run(made, reference):
    rows = reference.record["quantities"]
    assert list(made) == ["hours", "tax", "arrival"]
    hours = format_amount(rows["alignment_hours_needed"]["q50"], lookup("alignment_hours_needed"))
    assert made["hours"].number == hours.replace("human-hours", "hours")
    assert made["tax"].number == format_probability(rows["prob_affordable"]["mean"])
    assert made["arrival"].number == f"{rows['tai_year']['q50']:.0f}"
    assert "given arrival before 2100 (87%)" in made["hours"].of


def test_the_spread_over_kinds_of_requirement_stands_before_the_number(made, reference):
    kinds = [row for row in reference.record["by_requirement"] if row["kind"] != "mixture"]
    years = sorted(row["tai_year"]["q50"] for row in kinds)
    assert made["arrival"].spread.startswith(f"Medians of {years[0]:.0f} to {years[-1]:.0f} ")
    assert [name for name, _ in made["tax"].rows] == [row["label"] for row in kinds]


def test_the_dots_are_equally_likely(made, reference):
    """One dot of twenty for each twentieth of the draws: 13% later or never are three dots."""
    dots = made["arrival"].plot.dots
    never = reference.record["quantities"]["tai_year"]["prob_above"]
    assert len(dots) == DOTS and sum(dot.hollow for dot in dots) == round(DOTS * never)
    short = 1.0 - reference.record["quantities"]["prob_affordable"]["mean"]
    assert abs(sum(dot.hollow for dot in made["tax"].plot.dots) - DOTS * short) <= 1


def test_a_model_without_these_quantities_has_no_card(reference):
    kept = {
        name: row
        for name, row in reference.record["quantities"].items()
        if name.startswith("data_exponent")
    }
    scaling = replace(reference, record={**reference.record, "quantities": kept})
    assert cards(scaling, 2100.0) == []
    without = {
        name: row for name, row in reference.record["quantities"].items() if name != "tai_year"
    }
    alone = replace(
        reference, record={**reference.record, "quantities": without, "by_requirement": []}
    )
    found = cards(alone, 2100.0)
    assert [card.name for card in found] == ["hours", "tax"]
    assert all(not card.rows for card in found)


def test_the_budget_of_next_year_is_that_of_the_command(reference):
    year = int(reference.info["created"][:4]) + 1
    card = budget_card(reference)
    assert f"bought for {year}?" in card.question and f"--year {year}" in card.command
    assert card.words == budget_paragraph(budget(reference, year=year))


def test_a_run_that_cannot_tell_next_year_s_budget_says_why_or_has_no_card(reference):
    late = replace(reference, info={**reference.info, "created": "2150-01-01T00:00:00+00:00"})
    assert budget_card(late).words.startswith("year: must be a year from 2015 to 2100, got 2151")
    assert budget_card(SimpleNamespace(derived={})) is None


def test_a_uniform_quantity_has_one_dot_a_column_or_two():
    values = np.linspace(2030.0, 2050.0, 4001)[None]
    plot = dot_plot(values, np.full(values.shape, 1 / 4001), lookup("tai_year"), 2100.0)
    columns = {dot.x for dot in plot.dots}
    assert len(columns) == COLUMNS and not any(dot.hollow for dot in plot.dots)
    assert equally_likely(values, np.ones(values.shape))[0] == pytest.approx(2030.5, abs=0.01)
    assert plot.words.startswith("20 equally likely values of TAI arrival: 20 of 20 from 2030 to")


def test_dots_follow_the_weights():
    """Draws that count for nothing have no dot."""
    values = np.array([[2030.0] * 50 + [2080.0] * 50])
    weights = np.array([[0.0] * 50 + [0.02] * 50])
    plot = dot_plot(values, weights, lookup("tai_year"), 2100.0)
    assert "20 of 20 from 2080 to 2080" in plot.words


def test_what_lies_beyond_every_number_stands_beside_the_axis():
    values = np.array([[-np.inf] * 10 + [0.0] * 20 + [3.0] * 20, [np.nan] * 50])
    plot = dot_plot(values, np.full(values.shape, 0.01), lookup("tax_headroom"), 2100.0, 0.0)
    outside = [dot for dot in plot.dots if dot.x < plot.start]
    assert len(outside) == 4 and all(dot.hollow for dot in outside)
    assert plot.labels[0].text == "none"
    assert "4 nothing affordable" in plot.words
    assert all(0 <= dot.x <= plot.width and 0 <= dot.y <= plot.base for dot in plot.dots)


def test_a_title_is_the_first_clause_that_says_something():
    short = Shown("a", "Time horizon: how long an expert works on tasks. Dots: models.")
    assert short.title == "Time horizon: how long an expert works on tasks"
    assert short.rest == "Dots: models."
    whole = Shown("b", "Each slice holds runs within 0.15 OOM of compute")
    assert (whole.title, whole.rest) == (whole.caption, "")


def test_every_draw_of_a_card_is_one_of_the_run(made, reference):
    hours = draws_of("alignment_hours_needed", reference.derived)
    least, most = (
        format_amount(
            end(equally_likely(hours, np.ones(hours.shape))), lookup("alignment_hours_needed")
        )
        for end in (min, max)
    )
    assert f"from {least} to {most}" in made["hours"].plot.words
    assert re.search(r"\d", made["hours"].sentence)
