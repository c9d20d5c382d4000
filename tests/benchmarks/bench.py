"""Choose sections, measure them, print and store their rows."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import arrival, loss_law, page, refit, reuse, start_up, sweep, whole_run
from tests.benchmarks.machine import describe, machine
from tests.benchmarks.measure import ROOT, Talk
from tests.benchmarks.rows import Row
from tests.benchmarks.tables import terminal, write

__all__ = ["main"]

Section = Callable[[int, Talk], list[Row]]
SECTIONS: dict[str, Section] = {
    module.__name__.rpartition(".")[2]: module.rows
    for module in (start_up, reuse, refit, loss_law, whole_run, arrival, sweep, page)
}
OUT = ROOT / "results" / "benchmarks"


def main(words: Sequence[str], out: Path = OUT) -> int:
    """Exit code: 0 all measured, 1 something failed and the rest is measured, 2 wrong input, 130 interrupted."""
    options = _options(words)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown or options.repeats < 1:
        rule = f"repeats: must be at least 1, got {options.repeats}"
        if unknown:
            rule = f"section: must be one of {', '.join(SECTIONS)}, got {', '.join(unknown)}; --list says what each measures"
        print(f"benchmarks: {rule}", file=sys.stderr)
        return 2
    if options.list:
        for name, rows in SECTIONS.items():
            print(f"{name:10s} {(rows.__doc__ or '').splitlines()[0]}")
        return 0
    chosen = options.sections or list(SECTIONS)
    found, rows = machine(), []
    print(f"{describe(found)}\n", flush=True)
    try:
        for name in chosen:
            rows += (these := _measured(name, options.repeats))
            print(f"{terminal(these)}\n", flush=True)
            write(out, rows, found, options.repeats, chosen)
    except KeyboardInterrupt:
        print(
            "benchmarks: interrupted; what was measured before this section is kept",
            file=sys.stderr,
        )
        return 130
    print(f"written to {out / 'latest.md'} and latest.json")
    return 1 if any(row.failed for row in rows) else 0


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Measure against baselines."
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="default: all")
    parser.add_argument(
        "--repeats", type=int, default=3, help="of every way of doing something (default 3)"
    )
    parser.add_argument("--list", action="store_true", help="say what each section measures")
    return parser.parse_args(words)


def _measured(name: str, repeats: int) -> list[Row]:
    """Rows of a section; one that breaks is a row that says so."""

    def talk(line: str) -> None:
        print(f"{name}: {line}", file=sys.stderr, flush=True)

    try:
        return SECTIONS[name](repeats, talk)
    except Exception as error:
        return [
            Row.without(
                name, "the section", failed=f"{type(error).__name__}: {error}".splitlines()[0]
            )
        ]
