"""Standard output that takes no more, is closed, or lacks a letter: never the fault of a run, and never exit code 1."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from aligntax.analysis.commands.output import print_answer
from aligntax.analysis.commands.standard_output import (
    OutputClosed,
    OutputRefused,
    guarded_output,
    written_in_words,
)
from aligntax.analysis.inference.compile_cache import VARIABLE
from aligntax.analysis.storage.draw_files import refuse_damage
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.analysis.storage.whole_file import replace_file, write_json
from aligntax.analysis.storage.written import noting
from aligntax.models.errors import InputError
from tests.conftest import REFERENCE

FULL = Path("/dev/full")
COMMANDS = [("show", REFERENCE), ("show", REFERENCE, "--json"), ("runs", "--out", REFERENCE.parent),
            ("verify", REFERENCE), ("view", "show", "default"), ("evidence", "show", "constants"), ("--help",)]  # fmt: skip


def asked(words, stdout, **variables):
    """A command in a process of its own that writes to a file descriptor: exit code and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "aligntax", *map(str, words)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables},
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(map(str, words[:2]))[:20])
def test_a_full_disk_behind_standard_output_is_blamed_on_neither_run_nor_folder(words) -> None:
    with FULL.open("wb") as full:
        code, said = asked(words, full)
    assert code == 2
    assert said == (
        "aligntax: standard output: must be able to take the answer, got: No space left on device; "
        "runs are as they were: send the answer elsewhere and ask again\n"
    )


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_what_a_command_wrote_all_the_same_is_named_and_can_be_read(tmp_path) -> None:
    """It was said that runs are as they were, and asking again was refused: the name was taken."""
    results = tmp_path / "my results"
    shutil.copytree(REFERENCE, results / "base")
    commands = {
        ("refit", "base", "--set", "usd_per_hour=10,20,40", "--name", "mine", "--no-report"): (
            f"{results / 'mine'} (`aligntax show '{results / 'mine'}'`)"
        ),
        ("index",): str(results / "index.html"),
    }
    for words, written in commands.items():
        with FULL.open("wb") as full:
            code, said = asked((*words, "--out", results), full)
        assert code == 2
        assert said.endswith(f", got: No space left on device; written all the same: {written}\n")
    assert asked(("show", results / "mine"), subprocess.DEVNULL) == (0, "")


def test_whole_results_are_named_once_and_what_is_gone_or_kept_to_save_time_is_not(
    monkeypatch, tmp_path
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    with noting() as noted:
        with new_folder(tmp_path, "grid") as place:
            write_json(place.folder / "sweep.json", {})
        replace_file(place.path / "sweep.html", "")
        (tmp_path / "cache").mkdir()
        replace_file(tmp_path / "cache" / "code.js", "")
        replace_file(tmp_path / "view.toml", "")
    replace_file(tmp_path / "later.toml", "")
    grid = tmp_path / "grid"
    assert written_in_words(noted) == (f"{grid} (`aligntax show {grid}`), {tmp_path / 'view.toml'}")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(map(str, words[:2]))[:20])
def test_an_answer_that_nobody_reads_is_no_failed_check(words) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        assert asked(words, closed) == (141, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_letter_that_the_encoding_lacks_is_spelt_out(tmp_path, encoding) -> None:
    """``±``, ``≥`` and Greek, none of which all three have."""
    answer = tmp_path / "answer"
    with answer.open("wb") as file:
        code, said = asked(("show", REFERENCE), file, PYTHONIOENCODING=encoding)
    assert (code, said) == (0, "")
    assert "verdict:" in answer.read_text(encoding)
    assert ("\\xb1" in answer.read_text(encoding)) == (encoding == "ascii")


class Stream:
    """Standard output that fails as it is told to."""

    encoding, errors = "utf-8", "strict"

    def __init__(self, error):
        self.error = error

    def write(self, text):
        if self.error is not None:
            raise self.error
        return len(text)

    def flush(self):
        self.write("")


@pytest.mark.parametrize(
    ("error", "told"),
    [(BrokenPipeError(32, "closed"), OutputClosed), (OSError(28, "full"), OutputRefused)],
)
def test_a_reader_of_files_never_takes_an_error_of_the_output_for_damage(
    monkeypatch, tmp_path, error, told
) -> None:
    """Negative control: unguarded, the full disk is said to be a damaged summary."""
    monkeypatch.setattr(sys, "stdout", Stream(error))
    with pytest.raises(told), guarded_output(), refuse_damage(tmp_path, "summary"):
        print("answer")  # noqa: T201
    if told is OutputRefused:
        with (
            pytest.raises(InputError, match="must be a summary"),
            refuse_damage(tmp_path, "summary"),
        ):
            print("answer")  # noqa: T201


def test_output_is_as_it_was_after_the_command_and_no_output_takes_everything(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with guarded_output():
        print("answer")  # noqa: T201
    assert sys.stdout is None


def test_tables_that_cannot_be_drawn_print_nothing(capsys) -> None:
    """Half an answer, then an error, reads as an answer."""

    def tables(screen):
        screen.print("half of it")
        raise InputError("run: damaged")

    with pytest.raises(InputError):
        print_answer(False, dict, tables)
    assert capsys.readouterr().out == ""


def test_a_failed_check_still_exits_with_1(capsys) -> None:
    with pytest.raises(typer.Exit) as stop, guarded_output():
        print_answer(True, dict, lambda screen: None, passed=False)
    assert stop.value.exit_code == 1 and capsys.readouterr().out == "{}\n"
