"""The answer in a terminal: what a figure hangs on comes before the figure."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from aligntax.analysis.answers.budget import budget
from aligntax.analysis.answers.timeline_shifts import shifts_by_anchor
from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.claims_in_words import chance_in_words
from aligntax.analysis.summaries.words import format_probability, verdict_in_words
from aligntax.analysis.terminal.answer import print_run
from aligntax.analysis.terminal.tables import print_runs
from aligntax.models.views import ANCHORS, load_view
from tests.conftest import REFERENCE


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
            "kind of requirement",
            "How much alignment data is needed?",
            "Does a tolerable tax pay for it?",
            "weight on neural-net anchors",
            "alignment data affordable",
            "verdict:",
        )
    ]
    assert places == sorted(places)


def test_several_kinds_are_a_table(reference, record):
    text = printed(reference, record)
    lines = text.splitlines()
    rows = [line.split("  ")[0].strip() for line in lines[2:9]]
    assert [row.partition(" (too few")[0] for row in rows[2:7]] == [
        *("Bio Anchors", "Direct Approach", "time horizon"),
        "takeoff presets: full automation of cognitive work",
        "mixture",
    ]


def test_a_single_kind_is_a_line(reference, record):
    view = load_view("bioanchors-alone")
    derived = reference.derived.assign(
        tai_anchor=reference.derived["tai_anchor"] * 0 + ANCHORS.index("genome")
    )
    kinds = arrival_answers(derived, view, reference.weights)["by_requirement"]
    text = printed(reference, {**record, "by_requirement": kinds})
    lines = text.splitlines()
    assert "requirement: Bio Anchors alone" in text and "kind of requirement" not in text
    lines = printed(reference, record).splitlines()
    assert "kind of requirement" in lines[2] and "by 2100" in lines[2]


def test_each_claim_says_its_condition_and_whose_it_is(reference, record):
    lines = printed(reference, record).splitlines()

    def line(words):
        return next(each for each in lines if words in each)

    arrival = format_probability(1.0 - record["quantities"]["tai_year"]["prob_above"])
    chance = chance_in_words(record["claims"]["needed_within_2_oom_of_rlhf"])
    assert f"are needed, given arrival before 2100 ({arrival})" in line("at most 100 times")
    assert "Steiner" in line("at most 100 times") and chance in line("at most 100 times")
    assert "ours" in line("over 100 times InstructGPT's hours are needed")
    assert "Hilton" in line("given a tolerance of at least 1% and arrival before 2100 (")
    assert "assumed" not in line("a tax of at least 1%")  # payments bear on it
    assert "given a neural-net anchor and arrival in either world" in line("by at least 1 year")


def test_one_number_is_shown_once(reference, record):
    """The elicited exponent is the pooled one in log10; all of them stand with --all."""
    names = ("data_exponent", "data_exponent_pooled", "data_exponent_prior")
    rows = {name: record["quantities"][name] for name in names}
    text = printed(reference, {**record, "model": "scaling", "quantities": rows})
    shown = [line.split("  ")[0].strip() for line in text.splitlines()]
    assert "data exponent, pooled" in shown and "data exponent" not in shown
    assert "quantities of single runs" not in text


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


def test_a_listed_pass_says_how_many_exceptions_it_has(reference) -> None:
    for exceptions, words in (
        ([], "pass"),
        (["one"], "pass, 1 exception"),
        (["one", "two"], "pass, 2 exceptions"),
    ):
        record = {**reference.record, "verdict": "pass", "exceptions": exceptions}
        screen = Console(file=io.StringIO(), width=240)
        print_runs(screen, reference.path.parent, [(reference.path, record, reference.info)])
        assert f" {words} " in screen.file.getvalue()
        assert verdict_in_words({**record, "verdict": "fail"}) == "fail"


# each of them reads the reference run, which fails a check
READERS = {
    "show": (),
    "budget": (),
    "budget --year": ("--year", "2027"),
    "shifts": (),
    "foresee": ("--quick", "--kind", "paid_taxes", "--rows", "1", "--simulations", "4"),
    "sensitivity": ("--quantity", "tai_year"),
    "sensitivity --sweep": ("--sweep", "spend_growth=0.2,0.6,2"),
}


@pytest.mark.parametrize("command", READERS)
def test_an_answer_of_a_failed_run_says_so_and_is_no_failure_of_its_own(aligntax, command) -> None:
    words = (command.split()[0], REFERENCE, *READERS[command])
    code, out, err = aligntax(*words)
    assert code == 0 and err == ""
    assert "verdict: fail (do not trust this result: a check failed, see " in out
    code, out, _ = aligntax(*words, "--json")
    assert code == 0 and json.loads(out)["verdict"] == "fail"


def test_under_a_condition_the_verdict_is_that_of_its_draws(reference) -> None:
    passed = {**reference.record, "verdict": "pass", "checks": []}
    result = replace(reference, record=passed)
    for ask in (budget, shifts_by_anchor):
        assert ask(result).verdict == "pass"
        assert ask(result, given="tai_year<2030").verdict == "fail"
