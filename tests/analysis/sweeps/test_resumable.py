"""What a journal says of a study: which cases have an answer, which are asked again, and what a line must hold."""

import pytest

from aligntax.analysis.sweeps.resumable import Journal
from aligntax.analysis.sweeps.sweep import ANSWERS, SWEEP, Sweep
from aligntax.analysis.sweeps.wording import totals_line
from aligntax.models.errors import InputError


def entered(*lines):
    found = Journal()
    for begins, line in enumerate(lines):
        found.enter("numbers", line, begins)
    return found


GOOD = {"case": "1", "error": "", "numbers": {"a": 1}}
BAD = {"case": "1", "error": "no luck"}


@pytest.mark.parametrize(
    ("lines", "answered", "failed", "places"),
    [
        ([], set(), set(), {}),
        ([GOOD], {"1"}, set(), {"1": 0}),
        ([BAD], set(), {"1"}, {"1": 0}),
        ([BAD, GOOD], {"1"}, set(), {"1": 1}),
        ([GOOD, BAD], set(), {"1"}, {"1": 1}),
        ([{**GOOD, "numbers": {}}], set(), set(), {}),
        ([GOOD, {**BAD, "case": "2"}], {"1"}, {"2"}, {"1": 0, "2": 1}),
    ],
)
def test_the_last_line_of_a_case_counts(lines, answered, failed, places):
    found = entered(*lines)
    assert (found.answered, found.failed, found.places) == (answered, failed, places)


def test_lost_workers_and_sittings_are_no_cases():
    found = entered({"lost": "worker 7 died"}, {"sitting": 1.5}, GOOD, {"sitting": {"seconds": 2}})
    assert found.lost == ["worker 7 died"] and found.sittings == [1.5, {"seconds": 2}]
    assert found.answered == {"1"}


@pytest.mark.parametrize("missing", ["case", "error", "numbers"])
def test_a_line_that_lacks_a_key_is_damaged(missing):
    with pytest.raises(KeyError, match=missing):
        entered({key: value for key, value in GOOD.items() if key != missing})


def test_an_answer_without_numbers_is_reported_by_its_line(tmp_path):
    """A line that says neither a number nor an error is damage, not an answer."""
    (tmp_path / ANSWERS).write_text('{"case": "0001", "error": ""}\n')
    with pytest.raises(InputError, match=f"{ANSWERS}, line 1 must be JSON as `aligntax sweep`"):
        Sweep(tmp_path, {}).journal()


def test_a_study_is_hidden_until_it_is_finished(tmp_path):
    place = Sweep.make_hidden(tmp_path / "new", "mine")
    assert place == tmp_path / "new" / ".mine.sweep" and place.is_dir()
    assert not Sweep.is_unfinished("mine", tmp_path / "new")
    (place / SWEEP).write_text("{}")
    assert Sweep.is_unfinished("mine", tmp_path / "new")
    Sweep.check_free(tmp_path / "new", "mine")
    (tmp_path / "new" / "mine").mkdir()
    with pytest.raises(InputError, match="name: must be new, got 'mine'"):
        Sweep.check_free(tmp_path / "new", "mine")


@pytest.mark.parametrize(
    ("seconds", "lost", "seeds", "words"),
    [
        ([12.4], [], (1, 1), "scaling: 2 views, 1 of 2 cases answered in 12 s"),
        ([300, 299.4], [], (1, 1), "scaling: 2 views, 1 of 2 cases answered in 599 s in 2 sittings"),
        ([600], ["a"], (1, 1), "scaling: 2 views, 1 of 2 cases answered in 10 min; 1 worker lost"),
        ([60], ["a", "b"], (1, 2), "scaling: 2 views under 2 seeds, 1 of 2 cases answered in 60 s; 2 workers lost"),
    ],
)  # fmt: skip
def test_a_line_says_what_a_sweep_took(seconds, lost, seeds, words):
    info = {
        "model": {"name": "scaling"},
        "cases": [{"seed": seed} for seed in seeds],
        "failures": [{}],
        "sittings": [{"seconds": each} for each in seconds],
        "lost": lost,
    }
    found = type("Found", (), {"views": ("a", "b")})
    assert totals_line(info, found) == words
