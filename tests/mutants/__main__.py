"""``python -m tests.mutants [WORD ...] [--workers N] [--timeout S] [--json]``: is every listed mistake caught?

A mutant is one small wrong change of one file, listed in ``mutants.toml`` with the tests that must
fail under it. Each is made in a copy of the tree. Exit 1 if one survives, or if the code has moved
on so that it can no longer be made.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mutants.toml")
TREE = ("aligntax", "models", "analysis", "tests", "results/reference", "docs")
FILES = ("pyproject.toml", "README.md", "Makefile", "CHANGELOG.md")
KILLED, SURVIVED, STALE = "killed", "survived", "stale"
FAILED = 1  # pytest's exit code: tests ran, and some failed


@dataclass(frozen=True)
class Mutant:
    """One wrong change: ``old`` stands once in ``file`` and becomes ``new``."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def made_in(self, text: str) -> str | None:
        """Text of the file with the change; None where the code has moved on."""
        return text.replace(self.old, self.new) if text.count(self.old) == 1 else None


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, and in how many seconds."""

    mutant: Mutant
    fate: str
    said: str
    seconds: float


def listed(path: Path = LIST) -> list[Mutant]:
    """Mutants of a list."""
    rows = tomllib.loads(path.read_text("utf-8"))["mutant"]
    return [Mutant(row["file"], row["old"], row["new"], tuple(row["tests"])) for row in rows]


def copied(place: Path) -> Path:
    """A copy of the tree."""
    for name in TREE:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, place / name, symlinks=True, ignore=ignore)
    for name in FILES:
        shutil.copy(ROOT / name, place / name)
    return place


def tested(tree: Path, tests: tuple[str, ...], timeout: float) -> tuple[int, str]:
    """Exit code of pytest on some tests of a copy, and its last line; a time-out is a failure."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    own = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [*command, "-m", "not browser"],
            cwd=tree,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return FAILED, f"no answer within {timeout:g} s"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, lines[-1] if lines else "nothing said"


def tried(mutant: Mutant, tree: Path, timeout: float) -> Verdict:
    """Make a mutant in a copy, run its tests, and undo it."""
    started = time.perf_counter()
    file = tree / mutant.file
    text = file.read_text("utf-8") if file.is_file() else ""
    changed = mutant.made_in(text)
    if changed is None:
        said = f"the text stands {text.count(mutant.old)} times in {mutant.file}, not once"
        return Verdict(mutant, STALE, said, 0.0)
    file.write_text(changed, "utf-8")
    try:
        code, said = tested(tree, mutant.tests, timeout)
    finally:
        file.write_text(text, "utf-8")
    fate = {0: SURVIVED, FAILED: KILLED}.get(code, STALE)  # others: the tests could not be run
    return Verdict(mutant, fate, said, time.perf_counter() - started)


def judged(mutants: list[Mutant], workers: int, timeout: float) -> Iterator[Verdict]:
    """What becomes of each mutant, in the order of the list; a copy of the tree for each worker."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        trees: Queue[Path] = Queue()
        for i in range(workers):
            trees.put(copied(Path(folder, str(i))))
        every = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
        code, said = tested(Path(folder, "0"), every, 10 * timeout)
        if code:
            raise SystemExit(f"mutants: the tests must pass on the code as it is, got: {said}")

        def one(mutant: Mutant) -> Verdict:
            tree = trees.get()
            try:
                return tried(mutant, tree, timeout)
            finally:
                trees.put(tree)

        yield from pool.map(one, mutants)


def main() -> None:
    """Print a line for each mutant, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("word", nargs="*", help="only mutants whose file has one of these in it")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at a time")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one mutant")
    parser.add_argument("--json", action="store_true", help="print every verdict as JSON")
    asked = parser.parse_args()
    chosen = [m for m in listed() if not asked.word or any(w in m.file for w in asked.word)]
    if not chosen:
        parser.error(f"no mutant in a file with {' or '.join(asked.word)} in its name")
    started, found = time.perf_counter(), []
    for verdict in judged(chosen, asked.workers, asked.timeout):
        found.append(verdict)
        if not asked.json:
            change = f"{verdict.mutant.old.strip()}  ->  {verdict.mutant.new.strip()}"
            sys.stdout.write(f"{verdict.fate:9}{verdict.mutant.file}: {change}\n")
            if verdict.fate != KILLED:
                sys.stdout.write(f"         {verdict.said}\n")
            sys.stdout.flush()
    if asked.json:
        json.dump([asdict(verdict) for verdict in found], sys.stdout, indent=1)
        sys.stdout.write("\n")
    counts = Counter(verdict.fate for verdict in found)
    summary = ", ".join(f"{counts[fate]} {fate}" for fate in (KILLED, SURVIVED, STALE))
    sys.stderr.write(f"{len(found)} mutants in {time.perf_counter() - started:.0f} s: {summary}\n")
    raise SystemExit(1 if counts[SURVIVED] or counts[STALE] else 0)


if __name__ == "__main__":
    main()
