"""What a command prints and where: answers, failures, progress; and the exit code that goes with them."""

import io
import itertools
import json
import re
import sys
from contextlib import contextmanager

import pytest
import typer
from rich.console import Console

from aligntax.analysis.commands.output import (
    console,
    escape_controls,
    print_answer,
    print_json,
    show_progress,
)
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.progress import times_in_words
from aligntax.analysis.terminal.tables import print_table, progress
from tests.conftest import REFERENCE


def exit_code(**how) -> int:
    """Exit code of an answer that is printed."""
    try:
        print_answer(True, dict, lambda screen: None, **how)
    except typer.Exit as stop:
        return stop.exit_code
    return 0


# ------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({}, 0),
        ({"passed": True, "failures": []}, 0),
        ({"passed": False}, 1),
        ({"failures": ["one"]}, 1),
        ({"passed": False, "failures": ["one"]}, 1),
    ],
)
def test_a_failed_check_and_a_failure_beside_the_answer_exit_with_1(how, code) -> None:
    assert exit_code(**how) == code


def test_either_the_record_or_the_tables_are_printed(capsys) -> None:
    def fail(*_):
        raise AssertionError

    print_answer(True, lambda: {"a": 1}, fail)
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    print_answer(False, fail, lambda screen: screen.print("tables"))
    assert capsys.readouterr().out == "tables\n"


def test_failures_are_lines_on_standard_error_and_cannot_steer_a_terminal(capsys) -> None:
    assert exit_code(failures=["no \x1b[2J luck", "none \u202e at all"]) == 1
    assert capsys.readouterr().err == (
        "aligntax: no \\x1b[2J luck\naligntax: none \\x202e at all\n"
    )
    assert escape_controls("a\tb\nc") == "a\tb\nc"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_is_strict(number, capsys) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"number": number})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("columns", "width"), [(None, 100), ("", 100), ("wide", 100), ("72", 72)])
def test_a_pipe_is_as_wide_as_columns_says(columns, width, monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    screen = console()
    assert screen.width == width and not screen.is_terminal


def test_a_line_of_text_is_one_line_of_a_pipe_and_a_table_keeps_to_its_width(
    capsys, monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    console().print("word " * 39)
    assert capsys.readouterr().out.count("\n") == 1
    print_table(console(), ("a", "b"), [("word " * 20, "word " * 20)])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_no_word_of_a_table_is_cut_off_or_broken(width) -> None:
    """Names are what other commands take: a table too narrow for one becomes blocks."""
    names = ["scaling_exponents", "a-rather-long-name-of-a-run", "short"]
    rows = [(name, "about 20%", "kaplan2020_adjusted_compute", "") for name in names]
    screen = Console(file=io.StringIO(), width=width)
    print_table(screen, ("run", "chance", "study", "note"), rows, "Studies")
    text = screen.file.getvalue()
    for word in (*names, "kaplan2020_adjusted_compute", "Studies", "chance"):
        assert word in text
    assert ("study" in text.splitlines()[2]) is (width >= 100)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "printer"),
    [(("budget", REFERENCE), "budget.print_budget"),
     (("compare", REFERENCE, REFERENCE), "comparison.print_comparison")],
)  # fmt: skip
def test_a_closed_pipe_leaves_the_picture(aligntax, tmp_path, monkeypatch, words, printer) -> None:
    def closed(*_):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(f"aligntax.analysis.terminal.{printer}", closed)
    aligntax(*words, "--picture", "look.svg")
    assert (tmp_path / "look.svg").read_bytes().startswith(b"<?xml")


# ----------------------------------------------------------------------------------------- progress


class Stream(io.StringIO):
    """Standard error of a terminal, or of a pipe."""

    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown"),
    [(True, False, True), (True, True, False), (False, False, False), (False, True, False)],
)
def test_progress_is_shown_at_a_terminal_unless_it_is_to_be_quiet(
    monkeypatch, terminal, quiet, shown
) -> None:
    asked = []

    @contextmanager
    def remembered(console, shown, what, bad):
        asked.append((shown, what, bad))
        yield Talk()

    monkeypatch.setattr("aligntax.analysis.terminal.tables.progress", remembered)
    monkeypatch.setattr(sys, "stderr", Stream(terminal))
    with show_progress(quiet):
        pass
    assert asked == [(shown, "sampling", "diverged")]


def test_what_fails_on_the_way_is_printed_unless_it_is_collected(capsys) -> None:
    collected: list[str] = []
    with show_progress(True, collected.append) as talk:
        talk.failed("a figure")
    assert collected == ["a figure"] and capsys.readouterr().err == ""
    with show_progress(True) as talk:
        talk.failed("a worker")
    assert capsys.readouterr().err == "aligntax: a worker\n"


def test_time_that_has_passed_and_time_left_are_told_apart() -> None:
    assert times_in_words(133.9) == "elapsed 0:02:13"
    assert times_in_words(133.9, 59.0) == "elapsed 0:02:13, left 0:00:59"
    assert times_in_words(0.0, 0.0) == "elapsed 0:00:00, left 0:00:00"


def test_no_time_is_left_over_after_the_part_that_was_counted() -> None:
    """Rich keeps a total once it has one: what follows sampling would seem to be finished."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=120, _environ={"TERM": "xterm"})
    with progress(screen, True) as talk:
        assert talk.progress is not None
        talk.say("compiling")
        for done in range(1, 11):
            talk.progress(done, 10, 2)
        screen.file.truncate(0)
        talk.say("writing")
    last = screen.file.getvalue()
    assert "writing" in last and "elapsed 0:0" in last
    assert "left" not in last and "diverged" not in last.rpartition("writing")[2]


def test_time_left_is_shown_while_a_total_is_known() -> None:
    """The clock goes on by a second whenever it is read, and half of what is counted is done."""
    seconds = itertools.count()
    screen = Console(
        file=io.StringIO(),
        force_terminal=True,
        width=120,
        get_time=lambda: float(next(seconds)),
        _environ={"TERM": "xterm"},
    )
    with progress(screen, True) as talk:
        assert talk.progress is not None
        for done in range(1, 6):
            talk.progress(done, 10, 0)
    assert re.search(r"elapsed 0:\d\d:\d\d, left 0:\d\d:\d\d", screen.file.getvalue())


def test_counts_have_what_is_done_and_what_went_badly() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=120, _environ={"TERM": "xterm"})
    with progress(screen, True, "answering", "without an answer") as talk:
        assert talk.progress is not None
        talk.progress(3, 10, 2)
    assert "answering, 2 without an answer" in screen.file.getvalue()
