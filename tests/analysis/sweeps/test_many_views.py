"""The verb ``sweep`` asks every view on every seed and leaves one folder."""

import pytest

import aligntax
from aligntax.models.errors import InputError
from tests.analysis.sweeping import QUICK, answer, by, numbered, row


def test_every_view_is_answered_under_every_seed(view, tmp_path) -> None:
    asked = []

    def formula(case):
        asked.append((case.view.name, case.seed))
        return answer(case, data_exponent_pooled=row(1.0 + case.seed))

    found = aligntax.sweep(
        numbered(view, 2),
        model="scaling",
        seeds=(3, 4),
        options=QUICK,
        workers=by(formula),
        out=tmp_path,
        name="many",
    )
    assert sorted(asked) == [("v0", 3), ("v0", 4), ("v1", 3), ("v1", 4)]
    assert found.path == tmp_path / "many" and not found.info["failures"]
    assert "4.0" in (tmp_path / "many" / "answers.csv").read_text("utf-8")


def test_wrong_input_leaves_nothing(view, tmp_path) -> None:
    with pytest.raises(InputError, match="workers: must lie between 1 and"):
        aligntax.sweep([view], model="scaling", workers=0, out=tmp_path)
    with pytest.raises(InputError, match="loss-law is fitted to"):
        aligntax.sweep([view], model="loss-law", out=tmp_path)
    assert not list(tmp_path.iterdir())
