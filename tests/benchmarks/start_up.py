"""Commands that only read, beside the import that a script of PyMC starts with."""

import sys

from tests.benchmarks.measure import New, Talk, aligntax, measure
from tests.benchmarks.rows import Row

__all__ = ["rows"]


def rows(repeats: int, talk: Talk) -> list[Row]:
    """`--help`, `runs` and `show`, beside `import arviz, pymc`; new processes."""
    commands = {"--help": ("--help",), "runs": ("runs",), "show reference": ("show", "reference")}
    ways = [New(f"aligntax {name}", aligntax(*words)) for name, words in commands.items()]
    plain = New("import arviz, pymc", lambda: (sys.executable, "-c", "import arviz, pymc"))
    *ours, baseline = measure([*ways, plain], repeats, talk)
    return [Row("start_up", each.name, each, baseline, budget="start_up") for each in ours]
