"""A row of a table to fill in: read as it stands, and no evidence until its writer says so."""

import pytest

from aligntax.analysis.inputs.evidence_template import KEY, evidence_template
from aligntax.models.errors import InputError
from aligntax.models.evidence import TABLES, load_evidence, select

FILLED = [name for name, table in TABLES.items() if not (table.supplied or table.simulated)]


@pytest.mark.parametrize("name", FILLED)
def test_a_template_is_read_as_it_stands(name, evidence, tmp_path):
    text = evidence_template(name)
    for column in TABLES[name].columns:
        assert f"# {column.name} " in text and column.meaning in text
        assert column.kind == "date" or column.unit in text
    (tmp_path / f"{name}.add.csv").write_text(text, "utf-8")
    read, own = load_evidence(tmp_path)[name], evidence[name]
    dim = TABLES[name].dim
    assert read.sizes[dim] == own.sizes[dim] + 1 and KEY in read[dim].values
    if "used" in read:
        assert KEY not in select(read)[dim].values


def test_a_row_that_is_filled_in_counts(tmp_path):
    text = evidence_template("rlhf_efforts")
    mine = text.replace("GPT-2 fine-tuned from preferences,2019-09-15", "Ours,2026-09-15")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "rlhf_efforts.add.csv").write_text(
        mine.replace(",human,false,", ",human,true,"), "utf-8"
    )
    assert KEY in select(load_evidence(folder)["rlhf_efforts"])["effort"].values


def test_a_template_that_would_repeat_an_observation_is_refused(tmp_path):
    """Negative control: the example is a published row, which must not count twice."""
    text = evidence_template("rlhf_efforts").replace(",human,false,", ",human,true,")
    (tmp_path / "rlhf_efforts.add.csv").write_text(text, "utf-8")
    with pytest.raises(InputError, match="an observation must be used once"):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rlhf_effort", r"table: must be a table, got 'rlhf_effort'; did you mean rlhf_efforts"),
        ("loss_runs", "holds rows of your own runs"),
        ("gold_curves", "is simulated, and is written by `aligntax gold-curves`"),
    ],
)
def test_tables_that_have_no_template(name, message):
    with pytest.raises(InputError, match=message):
        evidence_template(name)


def test_the_command_prints_the_file(aligntax):
    assert aligntax("evidence", "new", "paid_taxes") == (0, evidence_template("paid_taxes"), "")
