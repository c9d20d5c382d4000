"""What ``make bench`` does with its numbers; nothing here is held to a time."""

import json
import os
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import bench, sweep
from tests.benchmarks.arrival import crossing, inputs, year_by_year
from tests.benchmarks.budgets import BUDGETS
from tests.benchmarks.machine import machine
from tests.benchmarks.measure import Failed, Live, New, Once, Times, measure
from tests.benchmarks.rows import Row, summary
from tests.benchmarks.tables import COLUMNS, markdown, read, terminal, write


def times(*values: float, name: str = "ours", **rest) -> Times:
    return Times(name, values, extras=({},) * len(values), **rest)


ROW = Row(
    "refit",
    "new priors",
    Times(
        "ours",
        (0.3, 0.1, 0.2),
        (100.0, 300.0, 200.0),
        ({"effective": 10.0, "moves": [1.0, 2.0]}, {}, {}),
    ),
    times(9.0, 4.0, 5.0, name="a | b"),
    budget="refit_live",
    note="one | two",
)
FAILING = Row(
    "refit",
    "other",
    times(1.0),
    Times("numpyro", failed="ModuleNotFoundError: No module named 'numpyro'"),
)
SKIPPED = Row.without("page", "a move", skipped="Chromium is not installed")
ROWS = [ROW, FAILING, SKIPPED, replace(ROW, unit="ESS/s", budget="")]


def quiet(_: str) -> None:
    pass


def test_a_row_has_medians_ranges_and_the_ratio_of_medians() -> None:
    assert summary(ROW.ours) == {"median": 0.2, "min": 0.1, "max": 0.3, "n": 3, "peak_mib": 300.0}
    assert ROW.ratio == 0.2 / 5.0
    assert ROW.ratios == pytest.approx((0.3 / 9, 0.1 / 4, 0.2 / 5))
    fewer = replace(ROW, baseline=times(3.0))
    assert fewer.ratios == pytest.approx((0.1,)), "rounds that both have"
    assert (
        replace(ROW, baseline=None).ratio is None and FAILING.ratio is None and FAILING.ratios == ()
    )


@pytest.mark.parametrize(
    ("budget", "ours", "baseline", "verdict"),
    [
        ("start_up", times(0.5), times(1.0), "missed"),  # under
        ("start_up", times(0.499), times(1.0), "met"),
        ("start_up", times(0.1, 0.2, 9.0), None, "met"),  # the median
        ("refit_live", times(0.25), times(5.0), "met"),  # at least 20 times
        ("refit_live", times(0.25), times(4.99), "missed"),
        ("refit_new", times(0.25), times(12.5), "met"),
        ("whole_run", times(15.0), times(10.0), "met"),  # at most 1.5 times
        ("whole_run", times(15.1), times(10.0), "missed"),
        ("arrival", times(1.0, peaks=(2047.0,)), None, "met"),
        ("arrival", times(1.0, peaks=(2048.0,)), None, "missed"),
        ("arrival", times(1.0), None, "not applicable"),  # its memory is not known
        ("sweep", times(1.0), FAILING.baseline, "not applicable"),  # the ratio is not known
        ("refit_live", times(0.6), FAILING.baseline, "missed"),  # whatever the ratio
        ("redraw", Times("ours", failed="no"), times(1.0), "not applicable"),
        ("", times(1.0), times(2.0), "not applicable"),
    ],
)
def test_a_budget_is_met_or_missed_at_its_edge(budget, ours, baseline, verdict) -> None:
    assert Row("s", "w", ours, baseline, budget=budget).verdict == verdict


def test_json_holds_every_measurement_and_gives_the_rows_back(tmp_path) -> None:
    write(tmp_path, ROWS, machine(), 3, ["refit"])
    assert read(tmp_path / "latest.json") == ROWS
    told = json.loads((tmp_path / "latest.json").read_text("utf-8"))
    assert told["rows"][0]["ours"]["values"] == [0.3, 0.1, 0.2]
    assert told["rows"][0]["summary"]["verdict"] == "met"
    assert (
        told["rows"][0]["summary"]["budget"]
        == told["budgets"]["refit_live"]["words"]
        == BUDGETS["refit_live"].words
    )
    assert told["machine"]["cores"] == os.cpu_count()


def test_markdown_has_a_line_a_row_and_every_cell() -> None:
    lines = [line for line in markdown(ROWS, machine(), 3).splitlines() if line.startswith("| ")]
    cells = [
        [
            cell.strip().replace("\\|", "|")
            for cell in line.replace("\\|", "\0").strip("| ").split(" | ")
        ]
        for line in lines
    ]
    assert [len(each) for each in cells] == [len(COLUMNS)] * len(lines)
    first = cells[2]
    assert first[:2] == ["new priors", "0.2 s (0.1 to 0.3, n=3)"]
    assert first[3].replace("\0", "|") == "a | b"
    assert first[6:9] == ["25 times faster (25 to 40)", BUDGETS["refit_live"].words, "met"]
    text = "\n".join(lines)
    assert (
        "FAILED: numpyro: ModuleNotFoundError" in text
        and "skipped: Chromium is not installed" in text
    )


def test_the_terminal_says_what_limits_a_row_and_what_failed() -> None:
    text = terminal(ROWS)
    for words in (
        "beside a | b",
        "25 times faster",
        "met: under 0.5 s",
        "one | two",
        "FAILED: numpyro",
        "skipped: Chromium",
    ):
        assert words in text
    assert "0.04 times the rate" in terminal(ROWS[3:]), "of a rate more is better"


@pytest.mark.parametrize("before", [None, "whole"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, before) -> None:
    if before is not None:
        write(tmp_path, ROWS, machine(), 3, ["refit"])
    texts = {path: path.read_text("utf-8") for path in tmp_path.iterdir()}
    half = Path.write_text

    def interrupted(self: Path, text: str, *rest) -> None:
        half(self, text[:20], *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, [ROW], machine(), 3, ["refit"])
    assert {path: path.read_text("utf-8") for path in tmp_path.iterdir()} == texts


@dataclass
class Told:
    """A way that takes what it is told to, and keeps a diary."""

    name: str
    values: list[float]
    diary: list[str] = field(default_factory=list)
    most: int | None = None

    def once(self) -> Once:
        self.diary.append(self.name)
        if not self.values:
            raise Failed("no more")
        return Once(self.values.pop(0), 1.0, {"x": 2.0})

    def close(self) -> None:
        self.diary.append(f"close {self.name}")


def test_ways_take_turns_and_one_that_fails_is_not_asked_again() -> None:
    diary: list[str] = []
    ways = [
        Told("a", [1.0, 2.0, 3.0], diary),
        Told("b", [4.0], diary),
        Told("c", [5.0, 6.0], diary, most=1),
    ]
    a, b, c = measure(ways, 3, quiet)
    assert diary == ["a", "b", "c", "a", "b", "a", "close a", "close b", "close c"]
    assert (a.values, b.values, c.values) == ((1.0, 2.0, 3.0), (4.0,), (5.0,))
    assert (a.failed, b.failed, c.failed) == ("", "no more", "")
    assert a.each("halves", lambda seconds, extras: seconds / extras["x"]).values == (0.5, 1.0, 1.5)


def test_a_process_is_measured_on_its_own() -> None:
    big = New("big", lambda: (sys.executable, "-c", "x = b'1' * 200_000_000"))
    found = big.once()
    assert found.seconds > 0
    assert found.peak > 190


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (New("new", lambda: (sys.executable, "-c", "raise SystemExit('no compiler')")), "exit code 1: no compiler"),
        (New("new", lambda: ("no-such-program",)), "No such file"),
        (Live("live", partial(import_module, "no_such_package")), "ModuleNotFoundError: No module named 'no_such_package'"),
        (Live("live", partial(os._exit, 3)), "its process died, exit code 3"),
    ],
)  # fmt: skip
def test_what_fails_says_why(way, reason) -> None:
    (found,) = measure([way], 2, quiet)
    assert reason in found.failed
    assert found.values == ()


@pytest.fixture
def sections(monkeypatch):
    """Sections that measure nothing."""

    def baseline_fails(repeats: int, talk) -> list[Row]:
        ours, missing = measure(
            [Told("ours", [1.0, 2.0]), Live("baseline", partial(import_module, "no_such_package"))],
            repeats,
            talk,
        )
        return [Row("fails", "a thing", ours, missing)]

    def breaks(repeats: int, talk) -> list[Row]:
        raise RuntimeError("broken\nand more")

    def stops(repeats: int, talk) -> list[Row]:
        raise KeyboardInterrupt

    found = {
        "good": lambda repeats, talk: [replace(ROW, section="good")],
        "fails": baseline_fails,
        "breaks": breaks,
        "skips": lambda repeats, talk: [SKIPPED],
        "stops": stops,
    }
    monkeypatch.setattr(bench, "SECTIONS", found)
    return found


def test_a_baseline_that_fails_is_a_row_with_its_reason_and_the_rest_is_measured(
    sections, tmp_path, capsys
) -> None:
    assert bench.main(["fails", "breaks", "good", "--repeats", "2"], tmp_path) == 1
    fails, breaks, good = read(tmp_path / "latest.json")
    assert fails.ours.values == (1.0, 2.0)
    assert fails.failed == "baseline: ModuleNotFoundError: No module named 'no_such_package'"
    assert breaks.failed == "the section: RuntimeError: broken"
    assert good == replace(ROW, section="good")
    assert capsys.readouterr().out.count("FAILED") == 2


def test_all_measured_or_skipped_is_good(sections, tmp_path, capsys) -> None:
    assert bench.main(["good", "skips"], tmp_path) == 0
    assert "skipped: Chromium is not installed" in capsys.readouterr().out


def test_an_interrupt_keeps_the_sections_before_it(sections, tmp_path, capsys) -> None:
    assert bench.main(["good", "stops", "skips"], tmp_path) == 130
    assert [row.section for row in read(tmp_path / "latest.json")] == ["good"]
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["nope"], ["good", "nope"], ["good", "--repeats", "0"]])
def test_a_wrong_word_is_one_clear_error(sections, tmp_path, capsys, words) -> None:
    assert bench.main(words, tmp_path) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert (
        ("got nope" in err and "one of good, fails" in err)
        if "nope" in words
        else "at least 1, got 0" in err
    )
    assert not list(tmp_path.iterdir())


def test_the_list_says_what_each_section_measures(capsys, tmp_path) -> None:
    assert bench.main(["--list"], tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(bench.SECTIONS)
    assert all(len(line.split()) > 5 for line in lines)


def test_the_loop_over_years_and_the_arrays_find_the_same_year() -> None:
    x = inputs(300)
    assert np.array_equal(crossing(x), year_by_year(x))
    assert 10 < np.isfinite(crossing(x)).sum() < 300


def test_a_sweep_is_a_start_and_a_slope_round_by_round() -> None:
    few, more = times(20.0, 30.0, name="10"), times(50.0, name="40")
    assert sweep.slope(few, more).values == pytest.approx((1.0,))
    assert sweep.scaled(few, more).values == pytest.approx((10.0 + 1000.0,))
    assert sweep.slope(few, Times("40", failed="no")).failed == "40: no"


def test_views_of_a_sweep_are_views(tmp_path) -> None:
    from aligntax.models.views import parse_view

    files = sorted(sweep.Swept(3, tmp_path).views.iterdir())
    found = [parse_view(file.read_text("utf-8"), str(file)) for file in files]
    assert len({view.hash for view in found}) == 3


def test_a_sweep_without_an_answer_failed(tmp_path, monkeypatch) -> None:
    swept = sweep.Swept(3, tmp_path)
    monkeypatch.setattr(New, "once", lambda self: (self.words(), Once(1.0))[1])
    with pytest.raises(Failed, match="left no result"):
        swept.once()
    numbers = count(1)
    for failures in ([], [{"case": "0001", "error": "dead"}]):
        folder = swept.out / f"s{next(numbers)}"
        folder.mkdir(parents=True)
        (folder / "sweep.json").write_text(json.dumps({"failures": failures, "failed_checks": 1}))
    assert swept.once().extras == {"failed_checks": 1}
    with pytest.raises(Failed, match="1 views without an answer, the first: dead"):
        swept.once()
