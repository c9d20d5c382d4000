"""A refit from stored draws in a new process, beside a whole run."""

import tempfile
from itertools import count

from tests.benchmarks.measure import New, Talk, aligntax, measure
from tests.benchmarks.rows import Row

__all__ = ["REDRAWN", "REWEIGHTED", "again", "rows"]

REDRAWN = "rlhf_multiplier=0.05,1,20"
REWEIGHTED = "spend_growth=0.12,0.31,0.52"


def again(name: str, change: str, folder: str) -> New:
    """The run ``base`` under another prior, from its draws."""
    names = count()
    told = ("refit", "base", "--set", change, "--method", "reweight", "--out", folder)
    return New(
        name, lambda: aligntax(*told, "--name", f"{change.partition('=')[0]}-{next(names)}")()
    )


def rows(repeats: int, talk: Talk) -> list[Row]:
    """`aligntax refit` by redraw and by reweighting, beside `aligntax run` with its report; new processes."""
    names = count()
    with tempfile.TemporaryDirectory() as folder:
        New("base", aligntax("run", "--name", "base", "--out", folder)).once()
        ways = [again("redraw", REDRAWN, folder), again("reweight", REWEIGHTED, folder)]
        run = New(
            "aligntax run", lambda: aligntax("run", "--name", f"r{next(names)}", "--out", folder)()
        )
        redraw, reweight, whole = measure([*ways, run], repeats, talk)
    return [
        Row("reuse", "aligntax refit, redraw", redraw, whole, budget="redraw"),
        Row("reuse", "aligntax refit, reweight", reweight, whole, budget="reweight"),
    ]
