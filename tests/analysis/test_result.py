"""A run as its user holds it: one screen, amounts in natural units, equal by content, and good without its folder."""

import copy
import math
import pickle
import re
import shutil
import sys
from dataclasses import replace

import arviz as az
import numpy as np
import pymc as pm
import pytest

import aligntax
from aligntax.analysis.result import Result, as_result
from aligntax.analysis.storage.load import load as load_stored
from aligntax.analysis.storage.run_place import folder_of
from aligntax.models.errors import InputError
from tests.conftest import REFERENCE

LINES, WIDTH = 30, 110


@pytest.fixture(scope="module")
def result():
    return aligntax.load(REFERENCE)


@pytest.fixture(scope="module")
def moved(result, tmp_path_factory):
    """A refit of weighted draws, in a folder of its own."""
    view = result.view.replace(name="moved", spend_growth={0.1: 0.25, 0.5: 0.35, 0.9: 0.5})
    out = tmp_path_factory.mktemp("refits")
    return aligntax.refit(REFERENCE, view, "reweight", out=out, name="moved")


# -------------------------------------------------------------------------------------- one screen


def test_a_run_is_one_screen_and_says_what_matters(result) -> None:
    text = repr(result)
    lines = text.split("\n")
    assert len(lines) < LINES and max(map(len, lines)) <= WIDTH
    assert "joint under view 'default'" in lines[0] and lines[1].startswith("verdict: ")
    claims = result.record["claims"]
    assert sum("InstructGPT's hours are needed" in line for line in lines) == 2
    assert f"{claims['tolerance_at_least_1_percent']['probability']:.0%}" in text
    middle = result.record["quantities"]["tai_year"]["q50"]
    assert f"TAI arrival: {middle:.0f}" in text
    assert re.search(
        r"wait for alignment: not at all in .*\n  otherwise: .* for ever in \d+%", text
    )
    assert "alignment shift" not in text  # a median of nothing and for ever


def test_a_failed_check_is_named_in_the_verdict(result) -> None:
    checks = [{**check, "passed": True} for check in result.record["checks"]]
    good = replace(result, record={**result.record, "verdict": "pass", "checks": checks})
    assert good.verdict == "pass"
    checks[0] = {**checks[0], "passed": False}
    assert replace(good, record={**good.record, "checks": checks}).verdict == (
        f"fail ({checks[0]['name']})"
    )


def test_a_notebook_is_shown_the_answer_offline_and_escaped(result) -> None:
    html = result._repr_html_()
    assert "verdict" in html and "alignment needs is tolerated" in html
    assert html.count("<img ") == 1 and "src='data:image/png;base64," in html
    assert not re.search(r"(src|href)=['\"](?!data:)", html) and "http" not in html
    assert "<script" not in html
    hostile = "<script>alert('x')</script>"
    record = {**result.record, "run": hostile, "view": hostile}
    told = replace(result, record=record, path=REFERENCE.parent / "a<b>")._repr_html_()
    assert "<script" not in told and "&lt;script&gt;" in told and "a&lt;b&gt;" in told
    assert len(html) < 200_000  # bytes of a notebook's file


# ---------------------------------------------------------------------------------- natural units


def test_the_summary_is_in_natural_units_and_tells_the_scale(result) -> None:
    table, rows = result.summary(), result.record["quantities"]
    assert list(table.index) == list(rows)
    assert set(table["scale"]) == {"linear", "log10", "logit"}
    for name, row in rows.items():
        for key in ("q05", "q25", "q50", "q75", "q95"):
            told = table.loc[name, key]
            if row[key] is None:
                assert math.isnan(told)
            else:
                amount = 10.0 ** row[key] if row["scale"] == "log10" else row[key]
                assert told == pytest.approx(amount, rel=1e-12)
        assert table.loc[name, "unit"] == row["unit"]
    hours = rows["alignment_hours_needed"]
    assert table.loc["alignment_hours_needed", "mean_on_scale"] == hours["mean"]
    # negative control: amounts are not what the record holds
    assert table.loc["alignment_hours_needed", "q50"] > 1000 * hours["q50"]
    assert table["q50"].dtype == float


def test_draws_as_a_table_have_the_quantiles_of_the_summary(result) -> None:
    draws, table = result.to_dataframe(), result.summary()
    assert len(draws) == 880 and draws.index.names == ["chain", "draw"]
    assert "weight" not in draws
    for name in ("data_exponent", "tai_flop", "alignment_hours_needed", "alignment_tax_tolerance"):
        assert draws[name].quantile(0.5) == pytest.approx(table.loc[name, "q50"], rel=1e-3)
    later = np.isinf(draws["tai_year"]).mean()
    assert later == pytest.approx(table.loc["tai_year", "prob_above"]) and later > 0
    assert draws["alignment_hours_needed"].isna().mean() == pytest.approx(
        table.loc["alignment_hours_needed", "prob_undefined"]
    )


def test_chosen_columns_and_a_wrong_name(result) -> None:
    two = result.to_dataframe(["tai_year", "anchor_probability"])
    assert next(iter(two)) == "tai_year" and len(two.columns) > 5
    assert all(name.startswith("anchor_probability[") for name in list(two)[1:])
    with pytest.raises(InputError, match="names: must be numbers of this run, got 'tai_yaer'"):
        result.to_dataframe(["tai_yaer"])


def test_weights_are_a_column_where_they_differ(moved) -> None:
    draws = moved.to_dataframe(["data_exponent", "tai_year"])
    assert draws["weight"].sum() == pytest.approx(1.0) and draws["weight"].std() > 0
    finite = draws[np.isfinite(draws["tai_year"])]
    told = 1 - finite["weight"].sum()
    assert told == pytest.approx(moved.summary().loc["tai_year", "prob_above"], rel=1e-6)
    # negative control: without the weights the share is another
    assert told != pytest.approx(1 - len(finite) / len(draws), rel=1e-6)
    assert "weight" not in moved.equally_weighted().to_dataframe(["data_exponent"])


def test_claims_are_a_table(result) -> None:
    claims = result.claims
    assert set(claims.index) == set(result.record["claims"])
    for name, answer in result.record["claims"].items():
        assert claims.loc[name, "probability"] == answer["probability"]
        assert claims.loc[name, "whose"] == answer["whose"]


# ------------------------------------------------------------------------------------ what it is


def test_equal_by_content_wherever_the_folder_is(result, moved, tmp_path) -> None:
    shutil.copytree(REFERENCE, tmp_path / "elsewhere")
    copied = aligntax.load(tmp_path / "elsewhere")
    assert copied == result and hash(copied) == hash(result) and len({copied, result}) == 1
    assert moved != result and len({moved, result}) == 2
    assert moved.equally_weighted() != moved
    assert result != load_stored(REFERENCE) and result != "reference"
    other = {**result.info, "evidence": {**result.info["evidence"], "hash": "0" * 64}}
    assert replace(result, info=other) != result


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
@pytest.mark.parametrize("which", ["result", "moved"])
def test_a_copy_answers_after_its_folder_has_gone(request, which, travel) -> None:
    held = request.getfixturevalue(which)
    gone = travel(replace(held, path=held.path.parent / "gone"))
    assert gone == held and repr(gone).split("\n")[:-1] == repr(held).split("\n")[:-1]
    assert gone.view == held.view and gone.evidence.hash == held.evidence.hash
    assert gone.summary().equals(held.summary())
    assert gone.to_dataframe(["tai_year"]).equals(held.to_dataframe(["tai_year"]))
    assert gone.budget().hours == held.budget().hours
    assert gone.plot().get_axes()


def test_what_reads_files_again_says_that_they_are_gone(result, tmp_path) -> None:
    gone = replace(result, path=tmp_path / "gone")
    for ask in (
        lambda: aligntax.refit(gone, gone.view, out=tmp_path),
        lambda: aligntax.verify(gone),
        lambda: aligntax.sensitivity(gone),
        lambda: aligntax.move_prior(gone, "rlhf_multiplier=0.1,10"),
        lambda: aligntax.report(gone),
        lambda: aligntax.loo(gone),
    ):
        with pytest.raises(InputError, match=r"got none at .*gone; load the run from where it is"):
            ask()
    assert not list(tmp_path.iterdir())
    assert folder_of(result) == str(REFERENCE)


def test_a_stored_result_becomes_a_public_one(result) -> None:
    assert as_result(result, "results") is result
    stored = load_stored(REFERENCE)
    assert type(stored) is not Result and as_result(stored, "results") == result
    assert as_result(REFERENCE, "results") == result


def test_arviz_takes_the_tree(result) -> None:
    """ArviZ 1.x has no protocol for other objects: the tree is what it is given."""
    table = az.summary(result.tree, var_names=["kaplan_bias"], round_to="none")
    assert float(table["mean"].iloc[0]) == pytest.approx(
        result.record["quantities"]["kaplan_bias"]["mean"], rel=1e-5
    )
    with pytest.raises((TypeError, ValueError)):
        az.summary(result)


def test_its_model_is_pymc_s(result) -> None:
    model = result.model
    assert isinstance(model, pm.Model) and {rv.name for rv in model.observed_RVs} >= {
        "rlhf_efforts"
    }
    assert model.free_RVs and model is not result.model


def test_the_picture_is_that_of_the_answer(result, moved) -> None:
    titles = [axes.get_title() for axes in result.plot().get_axes()]
    assert "Arrival of transformative AI" in titles
    lines = [
        axes.lines[0].get_ydata()
        for axes in (f.get_axes()[1] for f in (result.plot(), moved.plot()))
    ]
    assert not np.array_equal(*lines)  # the weights are seen


def test_nothing_of_it_imports_pymc_but_its_model() -> None:
    code = (
        "import sys; from aligntax import load;"
        f"r = load({str(REFERENCE)!r}); repr(r); r.summary(); r.to_dataframe(); r.claims; r.budget();"
        "assert not {'pymc', 'pytensor', 'matplotlib'} & set(sys.modules)"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
