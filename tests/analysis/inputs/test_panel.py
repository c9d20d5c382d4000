"""Panels: long and wide tables become the same views; what makes no prior is counted, never silent."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from aligntax.analysis.inputs.expert_table import Panel, read_panel
from aligntax.analysis.inputs.view_reader import files_of_experts, read_view
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior

LEVELS = ("0.05", "0.5", "0.95")
ANSWERS = {
    ("ann", "rlhf_multiplier"): (0.1, 3.0, 100.0),
    ("ann", "usd_per_hour"): (10.0, 20.0, 60.0),
    ("ben", "rlhf_multiplier"): (1.0, 10.0, 1000.0),
}
SPELLINGS = {
    "probability": lambda level: level,
    "percent": lambda level: f"{100 * float(level):g}",
    "percent sign": lambda level: f"{100 * float(level):g}%",
    "p": lambda level: f"p{100 * float(level):g}",
}


def long_rows(answers, spelt=SPELLINGS["probability"], head="expert,quantity,quantile,value"):
    rows = [
        f"{who},{name},{spelt(level)},{value!r}"
        for (who, name), values in answers.items()
        for level, value in zip(LEVELS, values, strict=True)
    ]
    return "\n".join([head, *rows]) + "\n"


def wide_rows(answers):
    rows = [
        f"{who},{name},{','.join(map(repr, values))}" for (who, name), values in answers.items()
    ]
    return "\n".join(["expert,quantity,p5,p50,p95", *rows]) + "\n"


@pytest.fixture
def table(tmp_path):
    def write(text: str) -> Panel:
        path = tmp_path / "panel.csv"
        path.write_text(text)
        return read_panel(path)

    return write


@pytest.mark.parametrize("spelt", SPELLINGS.values(), ids=SPELLINGS)
def test_a_long_table_is_the_wide_one_however_its_quantiles_are_spelt(table, spelt) -> None:
    wide = table(wide_rows(ANSWERS))
    assert table(long_rows(ANSWERS, spelt)).texts == wide.texts
    assert list(wide.texts) == ["ann", "ben"] and wide.weights == (1, 1) and not wide.left_out


def test_the_columns_of_a_published_panel_are_known_and_others_are_told(table) -> None:
    panel = table(
        "forecaster_id,question,quantile,forecast,wave\n"
        "17,wage,0.1,10,1\n17,wage,0.5,20,1\n17,wage,0.9,60,1\n"
    )
    assert list(panel.texts) == ["17"]
    assert panel.notes == ("columns that are not used: wave",)
    assert panel.pool() is panel.views[0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=3, unique=True).map(sorted),
        min_size=1,
        max_size=4,
    )
)
def test_what_was_answered_is_what_each_view_has_as_quantiles(tmp_path_factory, answers) -> None:
    """Table to views to compiled priors and back."""
    stated = {(f"e{i}", "usd_per_hour"): values for i, values in enumerate(answers)}
    path = tmp_path_factory.mktemp("panel") / "panel.csv"
    path.write_text(long_rows(stated))
    try:
        panel = read_panel(path)
    except InputError as error:
        assert "cannot be used" in str(error)  # all of them too near or too far to be a prior
        return
    for view in panel.views:
        prior = compile_prior("usd_per_hour", view.quantities["usd_per_hour"])
        found = 10 ** prior.value(ndtri([float(level) for level in LEVELS]))
        np.testing.assert_allclose(
            found, stated[view.name, "usd_per_hour"], rtol=5e-3
        )  # between knots
    assert len(panel.views) + len(panel.left_out) == len(answers)


BAD = {
    "crossed": ((60.0, 20.0, 10.0), "its quantiles do not rise"),
    "equal": ((20.0, 20.0, 60.0), "its quantiles do not rise"),
    "few": ((10.0, 20.0), "it has fewer than three quantiles"),
    "none": ((0.0, 20.0, 60.0), "it has a value outside the quantity's range"),
    "far": ((1e-200, 1.0, 1e200), "no prior can be made of it"),
}


@pytest.mark.parametrize(("values", "why"), BAD.values(), ids=BAD)
def test_an_answer_that_makes_no_prior_is_left_out_and_told(table, values, why) -> None:
    rows = [
        f"cem,wage,{level},{value}"
        for level, value in zip(LEVELS[: len(values)], values, strict=True)
    ]
    panel = table(long_rows(ANSWERS) + "\n".join(rows) + "\n")
    (found,) = panel.left_out
    assert (found.expert, found.quantity, found.line) == ("cem", "usd_per_hour", 11)
    assert found.why == why and list(panel.texts) == ["ann", "ben"]


def test_an_expert_keeps_the_answers_that_can_be_used(table) -> None:
    answers = ANSWERS | {("ben", "usd_per_hour"): (3.0, 2.0, 1.0)}
    panel = table(long_rows(answers))
    assert [each.expert for each in panel.left_out] == ["ben"]
    assert panel.views[1].quantities["rlhf_multiplier"]["quantiles"]["0.5"] == 10


@pytest.mark.parametrize("nothing", ["", "NA", "nan", "null"])
def test_an_empty_cell_was_not_asked(table, nothing) -> None:
    panel = table(long_rows(ANSWERS) + f"cem,wage,0.5,{nothing}\n")
    assert list(panel.texts) == ["ann", "ben"] and not panel.left_out


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "cem,wages,0.5,3",
            "column quantity: must be one of the registry, got 'wages'.*usd_per_hour",
        ),
        ("cem,tai_year,0.5,2040", "column quantity: must be an elicited one"),
        ("cem,wage,50,3", "column quantile: must lie between 0 and 1"),  # 0.5 stands beside it
        (
            "cem,wage,half,3",
            "column quantile: must lie between 0 and 1, or 0% and 100%, got 'half'",
        ),
        ("cem,wage,0.5,three", "line 11, column p50: must be a number above 0, got 'three'"),
        ("ann,wage,0.5,3", "one row an expert, quantity and quantile; line 5 began it"),
        ("Ann,wage,0.7,3", "spell one expert alike"),
        ("pool,wage,0.5,3", "not pool"),
        ("cem,wage,0.5", "a row must have 4 values"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(table, row, message) -> None:
    with pytest.raises(InputError, match=message):
        table(long_rows(ANSWERS) + row + "\n")


@pytest.mark.parametrize(
    "head", ["expert,quantity,quantile,p50", "expert,quantity,who,value", "expert,quantity,a,b"]
)
def test_a_table_is_wide_or_long(table, head) -> None:
    with pytest.raises(InputError, match="quantiles must stand in columns as p10, or in the two"):
        table(long_rows(ANSWERS, head=head))


def test_a_panel_of_which_nothing_can_be_used_says_why(table) -> None:
    with pytest.raises(
        InputError, match=r"got 1 that cannot be used \(its quantiles do not rise\)"
    ):
        table(long_rows({("ann", "usd_per_hour"): (3.0, 2.0, 1.0)}))


def test_who_writes_the_table_is_told_to_mend_it(tmp_path) -> None:
    """Negative control: what a panel leaves out, a strict table refuses."""
    (tmp_path / "panel.csv").write_text(long_rows(ANSWERS | {("cem", "usd_per_hour"): (3, 2, 1)}))
    assert len(read_panel(tmp_path / "panel.csv").left_out) == 1
    with pytest.raises(InputError, match="line 11, column quantiles: must be quantiles that rise"):
        read_panel(tmp_path / "panel.csv", strict=True)


def test_the_command_writes_many_views_and_says_who_answered_what(aligntax, tmp_path) -> None:
    rng = np.random.default_rng(5)
    answers = {}
    for i in range(30):
        middle = 30 * 10 ** (0.3 * rng.standard_normal())
        answers[f"e{i:02d}", "usd_per_hour"] = (middle / 3, middle, 3 * middle)
    answers["e07", "rlhf_multiplier"] = (3.0, 2.0, 1.0)
    (tmp_path / "panel.csv").write_text(long_rows(answers))
    code, out, err = aligntax("view", "from-panel", "panel.csv", "--folder", "them")
    assert code == 0 and len(list((tmp_path / "them").iterdir())) == 31
    assert "left out, since its quantiles do not rise: 1: e07 (RLHF multiplier, line 92)" in out
    assert "30 experts pooled; 1 answer left out" in out
    assert "linear pool of 30 experts" in err
    assert len(read_view("them/pool.toml").quantities["usd_per_hour"]["mixture"]) == 30
    code, out, _ = aligntax(
        "view", "from-panel", "panel.csv", "--folder", "them", "--json", "--force"
    )
    told = json.loads(out)
    assert code == 0 and told["quantities"]["usd_per_hour"]["experts"] == 30
    assert len(told["experts"]) == 30 and told["left_out"][0]["expert"] == "e07"


def test_weights_are_printed_in_the_order_in_which_the_folder_is_read(aligntax, tmp_path) -> None:
    weights = {"f2": 5, "f10": 7, "f1-b": 3, "f1": 2}
    rows = [f"{who},wage,10,20,{60 + w},{w}" for who, w in weights.items()]
    (tmp_path / "panel.csv").write_text("\n".join(["expert,quantity,p10,p50,p90,weight", *rows]))
    code, _, err = aligntax("view", "from-panel", "panel.csv", "--folder", "them")
    files = files_of_experts(["them"])
    assert code == 0 and sorted(Path(file).stem for file in files) == sorted(weights)
    told = ",".join(str(weights[Path(file).stem]) for file in files)
    assert f"aligntax refit RUN --by-expert --view them --weights {told}" in err
    assert files_of_experts(["them/f2.toml", "default"]) == ["them/f2.toml", "default"]
