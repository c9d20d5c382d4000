"""Progress in Python: shown at a terminal or in a notebook, and nowhere else."""

import io
import sys
import types
import warnings

import pytest

import aligntax
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.progress import Line, Notebook, in_notebook, screen_of_today, talking
from tests.analysis.sweeping import QUICK, answer, by, numbered, row

MODULE = "aligntax.analysis.progress.sys"  # pytest itself replaces standard error


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


class Kept:
    def __init__(self):
        self.texts = []

    def show(self, text):
        self.texts.append(text)


@pytest.fixture
def terminal(monkeypatch):
    stream = Stream(True)
    monkeypatch.setattr(MODULE, types.SimpleNamespace(stderr=stream, modules=sys.modules))
    return stream


@pytest.fixture
def notebook(monkeypatch):
    """IPython as a notebook has it; returns what a cell was shown."""
    shown = []

    class ZMQInteractiveShell:
        pass

    def display(data, raw, display_id):
        assert raw and display_id
        shown.append(data["text/plain"])
        return types.SimpleNamespace(update=lambda data, raw: shown.append(data["text/plain"]))

    ipython = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    stream = Stream(False)
    monkeypatch.setattr(MODULE, types.SimpleNamespace(stderr=stream, modules=sys.modules))
    return shown


def test_a_terminal_is_shown_one_line_that_is_taken_away_at_the_end(terminal) -> None:
    with talking(None, True, "answering", "without an answer") as talk:
        talk.say("compiling")
        talk.progress(1, 4, 0)
        talk.progress(4, 4, 1)
    text = terminal.getvalue()
    assert "compiling, elapsed 0:00:00" in text and "1 of 4" in text
    assert "answering, 1 without an answer [##############################] 4 of 4" in text
    assert "\n" not in text and text.endswith("\r\x1b[K")


def test_the_line_is_taken_away_when_something_fails(terminal) -> None:
    with pytest.raises(ValueError), talking(None, True) as talk:
        talk.say("compiling")
        raise ValueError
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("is_terminal", "progress"), [(False, True), (True, False)])
def test_nothing_is_shown_to_a_pipe_or_where_it_is_not_wanted(
    monkeypatch, is_terminal, progress
) -> None:
    stream = Stream(is_terminal)
    monkeypatch.setattr(MODULE, types.SimpleNamespace(stderr=stream, modules=sys.modules))
    with talking(None, progress) as talk:
        talk.say("compiling")
        assert talk.progress is None
    assert stream.getvalue() == ""


def test_callbacks_that_are_given_are_used_as_they_are(terminal) -> None:
    said = []
    with talking(Talk(said.append), True) as talk:
        talk.say("compiling")
    assert said == ["compiling"] and terminal.getvalue() == ""


def test_a_notebook_is_shown_the_same_line(notebook) -> None:
    assert in_notebook() and isinstance(screen_of_today(), Notebook)
    with talking(None, True) as talk:
        talk.say("compiling")
        talk.progress(2, 4, 0)
    assert "sampling [###############...............] 2 of 4, elapsed" in notebook[-2]
    assert notebook[-1] == ""


def test_ipython_at_a_terminal_is_a_terminal(monkeypatch) -> None:
    class TerminalInteractiveShell:
        pass

    ipython = types.SimpleNamespace(get_ipython=TerminalInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert not in_notebook()


def test_what_is_said_cannot_steer_the_terminal(terminal) -> None:
    with talking(None, True) as talk:
        talk.say("a view \x1b[2J named \r so")
    assert "a view ?[2J named ? so" in terminal.getvalue()


def test_time_left_counts_from_the_first_draw_and_not_from_compiling(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("aligntax.analysis.progress.time.monotonic", lambda: now[0])
    kept = Kept()
    line = Line(kept, "sampling", "diverged")
    line.say("compiling")
    now[0] = 160.0
    line.count(0, 10, 0)
    now[0] = 165.0
    line.count(5, 10, 2)
    assert kept.texts[-1].endswith("5 of 10, elapsed 0:01:05, left 0:00:05")
    line.count(6, 10, 2)  # too soon after the last
    assert "6 of 10" not in kept.texts[-1]
    line.count(10, 10, 2)
    assert "sampling, 2 diverged" in kept.texts[-1] and "10 of 10" in kept.texts[-1]


def test_what_fails_on_the_way_is_a_warning() -> None:
    with talking(None, True) as talk, pytest.warns(RuntimeWarning, match="a figure"):
        talk.failed("a figure")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with talking(Talk(), True) as quiet:
            quiet.failed("a figure")  # the caller's own callback


def test_a_verb_shows_progress_at_a_terminal(terminal, view, tmp_path) -> None:
    workers = by(lambda case: answer(case, data_exponent_pooled=row(1.0)))
    how = {"model": "scaling", "options": QUICK, "workers": workers, "out": tmp_path}
    aligntax.sweep(numbered(view, 3), name="shown", **how)
    assert "answering" in terminal.getvalue() and "3 of 3" in terminal.getvalue()
    before = terminal.getvalue()
    aligntax.sweep(numbered(view, 3), name="hidden", progress=False, **how)
    assert terminal.getvalue() == before
