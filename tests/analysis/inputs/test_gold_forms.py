"""The form of gold curves: taken from the file, or by which curves miss the points less."""

import numpy as np
import pytest

from aligntax.analysis.inputs.gold_data import read_curves
from aligntax.analysis.pages.exceptions import of_other_form
from aligntax.models.overoptimization.gold_law import coefficients, misses
from tests.gold_curves import simulated


def file_of(path, rows, columns="kl,gold,run"):
    names = columns.split(",")
    path.write_text("\n".join([columns, *(",".join(str(row[n]) for n in names) for row in rows)]))
    return path


@pytest.mark.parametrize("form", ["bon", "rl"])
def test_exact_curves_are_missed_by_their_own_form_alone(form) -> None:
    alpha, beta = coefficients(1.5, 0.2, form == "rl")
    kl = np.array([0.5, 2.0, 8.0, 20.0])
    d = np.sqrt(kl)
    gold = d * (alpha - beta * (np.log(d) if form == "rl" else d))
    found = misses(kl, gold, ["a"] * 4)
    (other,) = {"bon", "rl"} - {form}
    assert found[form] < 1e-12 and found[other] > 0.01


def test_the_miss_is_the_error_of_the_points() -> None:
    """Freedom that the fit takes is counted, run by run."""
    rows, _ = simulated(400, forms=("rl",), se=0.05, misfit=0.0)
    found = misses(*([row[n] for row in rows] for n in ("kl", "gold", "run")))
    assert found["rl"] == pytest.approx(0.05, rel=0.05)


def test_two_points_say_nothing() -> None:
    assert np.isnan(list(misses([1.0, 2.0], [0.1, 0.2], ["a", "a"]).values())).all()


@pytest.mark.parametrize("form", ["bon", "rl"])
def test_a_form_that_is_not_stated_is_chosen_and_said(tmp_path, form) -> None:
    rows, _ = simulated(12, forms=(form,))
    found = read_curves(file_of(tmp_path / "curves.csv", rows))
    assert {row["form"] for row in found.rows} == {form}
    (note,) = found.notes
    assert note.startswith(f"form {form} is taken for 12 runs without form or method: its best")


def test_a_stated_form_or_method_is_kept_and_doubted_where_it_misses(tmp_path, evidence) -> None:
    rows, _ = simulated(12, forms=("bon",))
    for row in rows:
        row["method"], row["form"] = "ppo", "rl"
    for columns in ("kl,gold,run,method", "kl,gold,run,form"):
        found = read_curves(file_of(tmp_path / "curves.csv", rows, columns))
        assert {row["form"] for row in found.rows} == {"rl"} and found.notes == ()
        (said,) = of_other_form(evidence.with_rows("gold_curves", found.rows))
        assert said.startswith("gold curves of form rl miss their points by 0.037 sd")
        assert said.endswith("state the other in a column form")


def test_right_forms_are_not_doubted(evidence) -> None:
    rows, _ = simulated(40)
    assert not [*of_other_form(evidence.with_rows("gold_curves", rows))]
    assert not [*of_other_form(evidence)]


def test_runs_of_two_points_are_rl_for_want_of_better(tmp_path) -> None:
    rows = [{"kl": kl, "gold": 0.1 * kl, "run": run} for run in "abc" for kl in (1, 2)]
    found = read_curves(file_of(tmp_path / "curves.csv", rows))
    assert {row["form"] for row in found.rows} == {"rl"}
    assert found.notes == ("form rl is taken for 3 runs of too few points to tell",)
