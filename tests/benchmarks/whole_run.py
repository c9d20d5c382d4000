"""A run with its report, beside the same model by ``pm.sample`` with a summary and no report."""

import sys
import tempfile
from itertools import count

from tests.benchmarks.measure import New, Talk, aligntax, measure
from tests.benchmarks.rows import Row

__all__ = ["plain", "rows"]


def plain(*words: str) -> tuple[str, ...]:
    """Command line of :mod:`tests.benchmarks.plain`."""
    return (sys.executable, "-m", "tests.benchmarks.plain", *words)


def rows(repeats: int, talk: Talk) -> list[Row]:
    """`aligntax run` with its report, beside build, `pm.sample` (nutpie) and `az.summary`; new processes."""
    names = count()
    with tempfile.TemporaryDirectory() as folder:
        run = New(
            "aligntax run", lambda: aligntax("run", "--out", folder, "--name", f"r{next(names)}")()
        )
        four = New("pm.sample (nutpie), 4 chains, az.summary", lambda: plain("4", "summary"))
        own = New("pm.sample (nutpie), its own chains, az.summary", lambda: plain("summary"))
        ours, same, default = measure([run, four, own], repeats, talk)
    fewer = "pm.sample takes as many chains as cores, at least 2: half the draws on two cores"
    return [
        Row("whole_run", ours.name, ours, same, budget="whole_run"),
        Row("whole_run", ours.name, ours, default, budget="whole_run", note=fewer),
    ]
