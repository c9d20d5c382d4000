"""Files as laboratories have them: each is read right, and how is said; or it is asked about once."""

import numpy as np
import pytest

from aligntax.analysis.inputs.gold_data import read_curves
from aligntax.analysis.inputs.loss_runs import PETAFLOP_DAY, read_runs
from aligntax.models.errors import InputError
from tests.loss_runs import simulated

ROWS = simulated(30)
COLUMNS = ("parameters", "tokens", "loss")


def table(header=COLUMNS, cells=lambda row: [repr(row[n]) for n in COLUMNS], mark=","):
    return "\n".join([mark.join(header), *(mark.join(cells(row)) for row in ROWS)]) + "\n"


def read(folder, text, encoding="utf-8"):
    path = folder / "runs.csv"
    path.write_bytes(text.encode(encoding))
    return read_runs(path)


def assert_same(found):
    for name in COLUMNS:
        got, expected = ([row[name] for row in rows] for rows in (found.rows, ROWS))
        np.testing.assert_allclose(got, expected, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("mark", "name"), [("\t", "tabs"), (";", "semicolons"), ("|", "bars")], ids=repr
)
def test_other_separators_are_seen_and_said(tmp_path, mark, name):
    found = read(tmp_path, "# from the cluster, as it is\n" + table(mark=mark))
    assert_same(found)
    assert found.notes == (f"values are separated by {name}",)


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "the text is in UTF-16"),
        ("cp1252", "the text is no UTF-8 and taken for cp1252"),
    ],
)
def test_other_encodings_are_seen_and_said(tmp_path, encoding, note):
    text = table(
        ("parameters", "tokens", "loss", "corpus"),
        lambda row: [*(repr(row[n]) for n in COLUMNS), "Größe"],
    )
    found = read(tmp_path, text, encoding)
    assert_same(found)
    assert found.corpora == ("Größe",) and found.notes == ((note,) if note else ())


@pytest.mark.parametrize(
    ("header", "change"),
    [
        (("params (B)", "tokens [M]", "val_loss"), (1e9, 1e6, 1.0)),
        (("Parameters (millions)", "D (billion)", "loss (nats/token)"), (1e6, 1e9, 1.0)),
        (("n_params", "train_tokens (T)", "eval_loss (bits)"), (1.0, 1e12, np.log(2))),
    ],
)
def test_a_unit_behind_the_name_of_a_column_counts(tmp_path, header, change):
    found = read(
        tmp_path,
        table(
            header,
            lambda row: [repr(float(row[n] / c)) for n, c in zip(COLUMNS, change, strict=True)],
        ),
    )
    assert_same(found)
    assert len(found.notes) == sum(c != 1.0 for c in change)
    assert all("are its numbers times" in note for note in found.notes)


def test_compute_in_petaflop_days(tmp_path):
    def cells(row):
        flop = 6 * row["parameters"] * row["tokens"]
        return [repr(row["parameters"]), repr(flop / PETAFLOP_DAY), repr(row["loss"])]

    assert_same(read(tmp_path, table(("params", "compute (PF-days)", "loss"), cells)))


def test_perplexity_under_its_name_becomes_a_loss(tmp_path):
    def cells(row, multiple=1.0):
        return [
            repr(row["parameters"]),
            repr(row["tokens"]),
            repr(float(multiple * np.exp(row["loss"]))),
        ]

    found = read(tmp_path, table(("params", "tokens", "ppl"), cells))
    assert_same(found)
    assert found.notes == ("the loss is the log of perplexity",)
    with pytest.raises(InputError, match="column loss: must be greater than 0"):
        read(tmp_path, table(("params", "tokens", "ppl"), lambda row: cells(row, 1e-3)))


def test_amounts_in_cells(tmp_path):
    def cells(row):
        return [f"{row['parameters'] / 1e6!r}M", f'"{row["tokens"]:,.0f}"', repr(row["loss"])]

    assert_same(read(tmp_path, table(cells=cells)))


def test_a_comma_between_semicolons_may_be_a_decimal_s_and_is_asked_about_once(tmp_path):
    def cells(row):
        return [repr(row["parameters"]), repr(row["tokens"]), repr(row["loss"]).replace(".", ",")]

    with pytest.raises(InputError) as told:
        read(tmp_path, table(cells=cells, mark=";"))
    message = str(told.value)
    assert message.count("\n") == 0
    assert "line 2, column loss: a number must have no comma where semicolons separate" in message
    assert "and so 29 more times to line 31; write 1.8 for a decimal" in message


def test_a_unit_that_nobody_knows_is_asked_about(tmp_path):
    with pytest.raises(InputError, match=r"column params \(lakh\): the unit must be one of k, th"):
        read(tmp_path, table(("params (lakh)", "tokens", "loss")))


def test_swapped_columns_are_asked_about(tmp_path):
    with pytest.raises(InputError, match="insist with --yes"):
        read(tmp_path, table(("tokens", "parameters", "loss")))


def test_gold_curves_may_be_separated_by_tabs(tmp_path):
    path = tmp_path / "curves.tsv"
    points = [f"{kl}\t{0.5 * kl**0.5 - 0.02 * kl}\ta" for kl in range(1, 9)]
    path.write_text("\n".join(["kl\tgold\trun", *points]))
    found = read_curves(path)
    assert found.used == 8 and found.notes[0] == "values are separated by tabs"


def test_the_command_says_how_it_read_a_file_and_keeps_it(tmp_path, aligntax):
    (tmp_path / "runs.csv").write_text(table(mark="\t"))
    words = ("run", "loss-law", "--runs", "runs.csv", "--draws", 100, "--tune", 100, "--chains", 2)
    _, _, err = aligntax(*words, "--name", "small", "--no-report")
    assert "aligntax: values are separated by tabs\n" in err
    info = (tmp_path / "results" / "small" / "info.json").read_text()
    assert '"values are separated by tabs"' in info
