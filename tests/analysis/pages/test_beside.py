"""Figures that copies of the process draw are those that it would draw itself, and none is lost."""

import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from matplotlib.figure import Figure

from aligntax.analysis import copies
from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.figure_data import beside
from aligntax.analysis.pages.figure_data.beside import drawing_beside
from aligntax.analysis.pages.figure_data.pictures import draw_and_read


def line(slope: int) -> Figure:
    figure = Figure(layout="constrained")
    figure.subplots().plot([0, 1, 2], [0, slope, -slope], label=f"slope {slope}")
    return figure


def drawings() -> list[Drawing]:
    return [Drawing(f"A line of slope {n}", lambda n=n: line(n), dense=n == 2) for n in range(5)]


def together(few, strict=False):
    with drawing_beside(few, strict) as finish:
        return finish()


@pytest.mark.parametrize("spare", [0, 1, 3])
def test_the_figures_are_the_same_however_many_processes_draw(spare, monkeypatch) -> None:
    monkeypatch.setattr(beside, "spare_cores", lambda: spare)
    few = drawings()
    assert together(few) == [draw_and_read(each, n, True) for n, each in enumerate(few, 1)]


def test_copies_draw_while_this_process_does_something_else(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(beside, "spare_cores", lambda: 1)

    def noted(n: int) -> Figure:
        (tmp_path / str(n)).write_text(str(os.getpid()))
        return line(n)

    few = [Drawing(f"A line of slope {n}", lambda n=n: noted(n)) for n in range(3)]
    with drawing_beside(few) as finish:
        until = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) < len(few) and time.monotonic() < until:
            time.sleep(0.01)
        assert len(finish()) == len(few)
    assert str(os.getpid()) not in {file.read_text() for file in tmp_path.iterdir()}


def test_a_figure_that_fails_in_a_copy_says_why(monkeypatch) -> None:
    monkeypatch.setattr(beside, "spare_cores", lambda: 1)

    def broken() -> Figure:
        raise RuntimeError("ink ran out")

    shown = together([*drawings(), Drawing("A line without ink", broken)])
    assert [each.error for each in shown] == [""] * 5 + ["RuntimeError: ink ran out"]


@pytest.mark.parametrize("ending", [lambda: os._exit(9), lambda: time.sleep(1000)])
def test_figures_of_a_copy_that_dies_or_stands_still_are_drawn_here(monkeypatch, ending) -> None:
    monkeypatch.setattr(beside, "spare_cores", lambda: 2)
    monkeypatch.setattr(copies, "PATIENCE", 1.0)
    here = os.getpid()

    def fatal() -> Figure:
        if os.getpid() != here:
            ending()
        return line(7)

    few = [Drawing("A line that kills", fatal), *drawings()]
    with drawing_beside(few) as finish:
        time.sleep(0.2)
        shown = finish()
    assert shown == [draw_and_read(each, n, True) for n, each in enumerate(few, 1)]


@pytest.mark.slow
def test_figures_need_arviz_just_where_they_say_so(reference) -> None:
    """They are drawn where no ArviZ can be imported."""
    code = f"""
import sys
from aligntax.analysis.pages.report import SECTIONS
from aligntax.analysis.result import load
result = load({str(reference.path)!r})
sys.modules |= dict.fromkeys(("arviz", "arviz_base", "arviz_stats", "arviz_plots"))
for each in (drawing for part in SECTIONS.values() for drawing in part(result)):
    try:
        each.draw()
    except ImportError:
        print(each.by_arviz, True)
    else:
        print(each.by_arviz, False)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = Counter(done.stdout.splitlines())
    assert {*found} == {"True True", "False False"} and found["False False"] > 10


def test_what_needs_arviz_is_drawn_first(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(beside, "spare_cores", lambda: 0)
    order: list[int] = []

    def noted(n: int) -> Figure:
        order.append(n)
        return line(n)

    few = [Drawing(f"{n}", lambda n=n: noted(n), by_arviz=n in (1, 3)) for n in range(4)]
    assert [each.caption for each in together(few)] == [each.caption for each in few]
    assert order == [1, 3, 0, 2]


def test_strictly_an_error_is_raised_here(monkeypatch) -> None:
    monkeypatch.setattr(beside, "spare_cores", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        together([*drawings(), Drawing("A line to nowhere", lambda: 1 / 0)], strict=True)
