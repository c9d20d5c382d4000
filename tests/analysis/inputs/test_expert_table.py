"""A spreadsheet of experts: their views, their pool, and every problem of a bad one at once."""

import pytest

from aligntax.analysis.inputs.expert_table import read_panel, table_template
from aligntax.analysis.inputs.view_reader import read_view
from aligntax.models.errors import InputError
from aligntax.models.views import parse_view

GOOD = """expert,quantity,p10,p50,p90,weight,source
Ann,rlhf_multiplier,0.1,3x,100,2,a talk
Ann,Tax tolerance,1%,5%,20%,2,
Ben,rlhf_multiplier,1,10,"1,000",1,
"""


def read_experts(path):
    """Texts and weights of a table whose author can mend it."""
    panel = read_panel(path, strict=True)
    return panel.texts, list(panel.weights)


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "experts.csv"
        path.write_text(text)
        return path

    return write


def test_amounts_labels_and_weights_are_read(table) -> None:
    texts, weights = read_experts(table(GOOD))
    assert weights == [2, 1]
    views = {who: parse_view(text, f"{who}.toml") for who, text in texts.items()}
    ann, ben = views["ann"].quantities, views["ben"].quantities
    assert ann["alignment_tax_tolerance"]["quantiles"] == {"0.1": 0.01, "0.5": 0.05, "0.9": 0.2}
    assert ben["rlhf_multiplier"]["quantiles"]["0.9"] == 1000
    assert ann["rlhf_multiplier"]["source"] == "Ann: a talk"


def test_the_template_is_read_as_it_stands(table, view) -> None:
    texts, weights = read_experts(table(table_template(view)))
    assert list(texts) == ["ann"] and weights == [1]


def test_every_problem_is_told_with_line_column_value_and_remedy(table) -> None:
    bad = GOOD.replace("3x", "three").replace("Ben,rlhf_multiplier", "Ben,rlhf_multipler")
    with pytest.raises(InputError) as error:
        read_experts(table(bad.replace("1%,5%,20%,2", "20%,5%,1%,2")))
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert "line 2, column p50: must be a number above 0, got 'three'; write" in lines[0]
    assert "line 3, column quantiles: must be quantiles that rise" in lines[1]
    assert "line 4, column quantity" in lines[2] and "rlhf_multiplier" in lines[2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Ben,rlhf_multiplier,1,2,3,1,", "one row an expert and quantity"),
        ("Ben,wage,1,2,3,5,", "the same in all rows"),
        ("Ben,wage,1,2,3,-1,", "not negative"),
        ("pool,wage,1,2,3,1,", "not pool"),
        (f"{'B' * 101},wage,1,2,3,1,", "up to 100 bytes"),
        ("Ben,wage,1,,,1,", "two or more quantiles"),
        ("ben,wage,1,2,3,1,", "'Ben' has the file ben.toml.* got 'ben'; spell one expert alike"),
        ("?ben,wage,,,,1,", r"'Ben' has the file ben.toml.* got '\?ben'"),
        ("Ben,wages,,,,1,", "must be one of the registry"),
        ("Ben,wage,1", "a row must have 7 values"),
    ],
)
def test_rows_that_do_not_fit_are_refused(table, row, message) -> None:
    with pytest.raises(InputError, match=message):
        read_experts(table(GOOD + row + "\n"))


def test_a_row_without_quantiles_was_not_asked(table, view) -> None:
    """Negative control: the expert who was asked nothing has no view, and an empty row no weight."""
    texts, weights = read_experts(table(GOOD + "Ben,wage,,,,,\nCem,wage,,,,1,\n"))
    assert (list(texts), weights) == (["ann", "ben"], [2, 1])
    assert (
        parse_view(texts["ben"], "ben.toml").quantities["usd_per_hour"]
        == (view.quantities["usd_per_hour"])
    )
    with pytest.raises(InputError, match=r"table: .* must have a row with quantiles, got none"):
        read_experts(table("expert,quantity,p10,p50,p90\nAnn,wage,,,\n"))


@pytest.mark.parametrize(("text", "got"), [("", "neither"), ("expert,quantity,p10\n", "no row")])
def test_a_table_without_rows_is_refused(table, text, got) -> None:
    with pytest.raises(InputError, match=f"table: .* a header and a row, got {got}; start from"):
        read_experts(table(text))


def test_a_quantile_stands_in_one_column(table) -> None:
    with pytest.raises(InputError, match=r"column p10\.0: a quantile must occur once"):
        read_experts(table(GOOD.replace("p10,p50", "p10,p10.0")))


@pytest.mark.parametrize(
    "text", [None, "", GOOD.replace("3x", "x"), GOOD.replace("Ben", "B" * 300)]
)
def test_what_is_refused_leaves_no_folder(aligntax, tmp_path, table, text) -> None:
    file = tmp_path / "none.csv" if text is None else table(text)
    code, out, err = aligntax("view", "from-csv", str(file), "--folder", "them/all")
    assert (code, out) == (2, "") and not (tmp_path / "them").exists()
    assert text is not None or err.startswith(
        "aligntax: table: must be a CSV file that can be read"
    )


def test_the_command_writes_a_view_an_expert_and_a_pool_that_says_who_spoke(
    aligntax, tmp_path, table
) -> None:
    code, out, err = aligntax("view", "from-csv", str(table(GOOD)), "--folder", "them")
    assert (code, out) == (0, "")
    assert sorted(p.name for p in (tmp_path / "them").iterdir()) == [
        "ann.toml", "ben.toml", "pool.toml"
    ]  # fmt: skip
    pool, ann = read_view("them/pool.toml"), read_view("them/ann.toml")
    tolerance = "alignment_tax_tolerance"
    assert pool.quantities[tolerance]["quantiles"] == ann.quantities[tolerance]["quantiles"]
    weights = [part["weight"] for part in pool.quantities["rlhf_multiplier"]["mixture"]]
    assert weights == pytest.approx([2 / 3, 1 / 3])
    assert pool.title.endswith("; tax tolerance: only ann") and pool.title in err
    assert aligntax("view", "from-csv", str(table(GOOD)), "--folder", "them")[0] == 2
    for command in ("show", "check"):
        assert pool.title in aligntax("view", command, "them/pool.toml")[1]
