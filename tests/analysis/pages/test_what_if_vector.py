"""The moves that the page is held to are what a refit answers: one vector for both."""

import json

import pytest

from aligntax.analysis.pages.report import ANSWER
from aligntax.analysis.storage.sampled_run import read_sampled_run
from tests.reference import REFERENCE
from tests.what_if_vector import VECTOR, kept, vector


def test_a_refit_answers_the_vector():
    stored = json.loads(VECTOR.read_text())
    names = tuple(stored["moves"][0]["rows"])
    assert set(ANSWER) <= set(names)
    found = json.loads(json.dumps(kept(vector(read_sampled_run(REFERENCE)), names)))
    for kind in ("moves", "without", "views"):
        for mine, theirs in zip(found[kind], stored[kind], strict=True):
            assert {k: mine[k] for k in ("exact", *{"move", "view", "without"} & set(mine))} == {
                k: theirs[k] for k in ("exact", *{"move", "view", "without"} & set(theirs))
            }
            assert list(mine["claims"]) == list(theirs["claims"])
            for name, claim in theirs["claims"].items():
                assert mine["claims"][name] == pytest.approx(claim, abs=1e-12), (theirs, name)
            for name, row in theirs["rows"].items():
                missing = [key for key, value in row.items() if value is None]
                assert [
                    key for key, value in mine["rows"][name].items() if value is None
                ] == missing
                numbers = {key: value for key, value in row.items() if value is not None}
                found_numbers = {key: mine["rows"][name][key] for key in numbers}
                assert found_numbers == pytest.approx(numbers, rel=1e-9, abs=1e-9), (theirs, name)


def test_the_moves_cover_every_way_to_answer():
    stored = json.loads(VECTOR.read_text())
    kinds = {
        (each["exact"], all(passed for _, passed, _ in each["checks"].values()))
        for each in stored["moves"]
    }
    assert kinds == {(True, True), (False, True), (False, False)}
