"""The answer in a terminal: what a figure hangs on comes before the figure."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.summary import claim_answers
from aligntax.analysis.terminal.answer import print_run
from aligntax.models.views import load_view


def printed(result, record):
    screen = Console(file=io.StringIO(), width=240)
    print_run(screen, result.path, record, result.info)
    return screen.file.getvalue()


@pytest.fixture
def record(reference):
    """The reference run's summary as this version writes it."""
    assumed = assumed_quantities(reference.info)
    claims = claim_answers(reference.derived, reference.weights, assumed, 2100.0)
    return {
        **reference.record,
        **arrival_answers(reference.derived, reference.view, reference.weights),
        "claims": claims,
    }


def test_kinds_then_claims_then_the_curve_then_quantities(reference, record):
    text = printed(reference, record)
    places = [
        text.index(words)
        for words in (
            "requirement: Bio Anchors alone",
            "How much alignment data is needed?",
            "Does a tolerable tax pay for it?",
            "weight on neural-net anchors",
            "alignment data affordable",
            "verdict:",
        )
    ]
    assert places == sorted(places)


def test_several_kinds_are_a_table(reference, record):
    weights = {**load_view("mixture").anchors, "user": 0.0}
    view = replace(reference.view, anchors=weights)
    kinds = arrival_answers(reference.derived, view, reference.weights)["by_requirement"]
    text = printed(reference, {**record, "by_requirement": kinds})
    lines = text.splitlines()
    rows = [line.split("  ")[0].strip() for line in lines[2:8]]
    assert rows[2:6] == [
        "Bio Anchors",
        "Direct Approach (too few draws: 0)",
        "time horizon (too few draws: 0)",
        "mixture",
    ]
    assert "kind of requirement" in lines[2] and "by 2100" in lines[2]


def test_each_claim_says_its_condition_and_whose_it_is(reference, record):
    lines = printed(reference, record).splitlines()

    def line(words):
        return next(each for each in lines if words in each)

    assert "are needed, given arrival before 2100 (67%)" in line("at most 100 times")
    assert "Steiner" in line("at most 100 times") and "about 80%" in line("at most 100 times")
    assert "ours" in line("over 100 times InstructGPT's hours are needed")
    assert "Hilton" in line("given a tolerance of at least 1% and arrival before 2100 (48%)")
    assert "tolerated, assumed: no evidence bears on it" in line("a tax of at least 1%")
    assert "given a neural-net anchor and arrival in either world" in line("by at least 1 year")


def test_an_older_summary_shows_what_it_has(reference):
    older = {
        **{k: v for k, v in reference.record.items() if k not in ("by_requirement",)},
        "claims": {
            name: answer
            for name, answer in reference.record["claims"].items()
            if name == "tolerance_at_least_1_percent"
        },
    }
    text = printed(reference, {k: v for k, v in older.items() if k != "exponent_shift_curve"})
    assert "requirement:" not in text and "weight on neural-net anchors" not in text
    assert "a tax of at least 1% of training cost is tolerated" in text
