"""Small files and names of users that were told the wrong thing once, and what they are told now."""

import sys
from pathlib import Path

import pytest

import aligntax
from aligntax.analysis.commands.next_steps import next_commands
from aligntax.analysis.inputs.gold_data import read_curves
from aligntax.analysis.inputs.loss_runs import read_runs
from aligntax.analysis.inputs.view_reader import read_separate_views
from aligntax.analysis.storage.run_folder import command_line, run_name
from aligntax.models.errors import InputError
from tests.conftest import REFERENCE
from tests.loss_runs import TRUTH, simulated, write


def runs(path, change=lambda i, row: row, columns="parameters,tokens,loss,corpus", mark=","):
    names = columns.split(",")
    rows = [change(i, row) for i, row in enumerate(simulated(40))]
    lines = [mark.join(names), *(mark.join(str(row[n]) for n in names) for row in rows)]
    path.write_text("\n".join(lines))
    return path


def test_an_empty_cell_is_not_told_to_be_left_empty(tmp_path) -> None:
    path = runs(tmp_path / "runs.csv", lambda i, row: {**row, "loss": ""} if i == 3 else row)
    with pytest.raises(
        InputError,
        match="line 5, column loss: must be a number, got ''; give it, or leave the row out",
    ):
        read_runs(path)


def test_two_losses_of_the_same_sizes_are_two_corpora(tmp_path) -> None:
    """They were fitted as one: R-hat 2.1, and the advice to draw more."""
    rows = [other for row in simulated(30) for other in (row, {**row, "loss": 1.3 * row["loss"]})]
    with pytest.raises(InputError) as told:
        read_runs(write(tmp_path / "two.csv", rows))
    assert "runs of one corpus and the same sizes must agree within a factor of 1.05" in str(
        told.value
    )
    assert "name their corpora in a column corpus" in str(told.value)
    named = [{**row, "corpus": "ab"[i % 2]} for i, row in enumerate(rows)]
    assert read_runs(write(tmp_path / "named.csv", named)).corpora == ("a", "b")
    seeds = [other for row in simulated(30) for other in (row, {**row, "loss": 1.01 * row["loss"]})]
    assert read_runs(write(tmp_path / "seeds.csv", seeds)).used == 60


def test_a_corpus_is_named_in_every_row_or_in_none(tmp_path) -> None:
    path = runs(tmp_path / "runs.csv", lambda i, row: {**row, "corpus": "c4" if i else ""})
    with pytest.raises(InputError, match="line 2, column corpus: a corpus must have a name"):
        read_runs(path)
    assert read_runs(runs(tmp_path / "none.csv")).corpora == ("",)


@pytest.mark.parametrize("name", ["a [v2]", "[a", "a]"])
def test_a_corpus_has_no_brackets_which_name_its_numbers(tmp_path, name) -> None:
    rows = simulated(30, truths={name: TRUTH})
    with pytest.raises(InputError, match="a corpus must have no brackets in its name"):
        read_runs(write(tmp_path / "runs.csv", rows))


def test_a_negative_divergence_is_no_logarithm(tmp_path) -> None:
    path = tmp_path / "curves.csv"
    path.write_text("kl,gold,run\n" + "".join(f"{k},1,a\n" for k in range(-1, 30)))
    with pytest.raises(
        InputError, match="must be 0 or more, got '-1'; a KL divergence is never negative"
    ) as told:
        read_curves(path)
    assert "logarithm" not in str(told.value)


def test_a_long_name_is_told_its_length(tmp_path) -> None:
    assert run_name("x" * 100)
    with pytest.raises(InputError, match="must have at most 100 characters, got 101"):
        run_name("x" * 101)
    with pytest.raises(InputError, match="begin with a letter or digit, got '-x'"):
        run_name("-x")


def test_the_public_function_reads_a_file_of_a_view(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("[quantities.rlhf_multiplier]\npoint = 3\n")
    for name in ("mine.toml", tmp_path / "mine.toml"):
        assert aligntax.load_view(name).quantities["rlhf_multiplier"]["point"] == 3
    assert aligntax.load_view("default").name == "default"
    with pytest.raises(InputError, match="must be a file or one of"):
        aligntax.load_view("none.toml")


def test_a_view_that_a_run_refuses_is_not_valid(aligntax, tmp_path) -> None:
    (tmp_path / "early.toml").write_text("[evidence]\nuntil = 1990-01-01\n")
    code, out, err = aligntax("view", "check", "early.toml")
    assert (code, out) == (2, "") and "must lie before the evidence of no TAI, 1990.00" in err


def test_views_of_a_folder_are_read_whatever_the_case_of_their_endings(tmp_path) -> None:
    """``c.TOML`` was left out without a word."""
    for name in ("a.toml", "b.Toml", "c.TOML"):
        (tmp_path / name).write_text('extends = "default"\n')
    (tmp_path / "notes.txt").write_text("no view")
    assert [view.name for view in read_separate_views([str(tmp_path)])] == ["a", "b", "c"]


def test_commands_to_paste_are_quoted(tmp_path, monkeypatch, aligntax) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/aligntax", "run", "--view", "my view.toml"])
    assert command_line() == "aligntax run --view 'my view.toml'"
    assert any("'my view.toml'" in line for line in next_commands("my view.toml", tmp_path))
    folder = tmp_path / "my runs" / "base"
    folder.parent.mkdir()
    folder.symlink_to(REFERENCE)
    out = aligntax("show", folder)[1]
    assert f"`aligntax report '{folder}'`" in out
