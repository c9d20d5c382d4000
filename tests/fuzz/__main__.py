"""``python -m tests.fuzz [--inputs N] [--minutes M] [--seed S] [--target NAME]``: hostile input to everything that reads.

Prints how many inputs of each kind were taken and refused. One that is met in another way is kept
with what it raised; exit 1.
"""

import argparse
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import chdir
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.fuzz.targets import TARGETS, Place

PATIENCE = 20  # seconds an input may take
MEMORY = 6 << 30  # bytes of address space beyond what is taken at the start
KEPT = Path(tempfile.gettempdir()) / "aligntax-fuzz"
MOST_TOLD = 20


@dataclass
class Found:
    """Counts by target and outcome, and what was met in another way."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)


def _late(number: int, frame: Any) -> None:
    raise TimeoutError(f"took more than {PATIENCE} s")


def _tree(folder: Path) -> frozenset[str]:
    """Entries beside what targets may write."""
    mine = {"evidence", "results", "hostile.toml", "runs.csv"}
    return frozenset(
        str(path.relative_to(folder)) for path in folder.iterdir() if path.name not in mine
    )


def once(name: str, seed: int, place: Place) -> tuple[str, str]:
    """One input; its outcome, and what was wrong."""
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    before = _tree(place.folder)
    try:
        reply = TARGETS[name][0](place, random.Random(f"{name}-{seed}"))
    except BaseException as error:  # whatever it is, it is a defect
        if isinstance(error, KeyboardInterrupt) and not isinstance(error, SystemExit):
            raise
        raised = "".join(traceback.format_exception(error))
        return "defect", f"{raised[:1500]}\n...\n{raised[-1500:]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if new := _tree(place.folder) - before:
        return "defect", f"writes {', '.join(sorted(new))}"
    if reply.outcome == "refused" and not reply.said.strip():
        return "defect", "refused without a word"
    return reply.outcome, ""


def work(
    share: int, of: int, names: list[str], inputs: int, until: float, seed: int, answers: Any
) -> None:
    """A process: every ``of``-th input."""
    import aligntax.analysis.cli  # noqa: F401

    found = Found()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    weights = [TARGETS[name][1] for name in names]
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        place = Place.of(Path(folder))
        for number in range(share, inputs, of):
            if time.time() > until:
                break
            (name,) = random.Random(seed * 1_000_003 + number).choices(names, weights)
            outcome, wrong = once(name, seed * 1_000_003 + number, place)
            found.counts[name, outcome] += 1
            if wrong:
                found.defects.append(f"{name}, --seed {seed} --input {number}:\n{wrong}")
                if len(found.defects) > MOST_TOLD:
                    break
    answers.put(found)


def main() -> None:
    """Share the inputs over cores, and tell what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=24_000, help="in all")
    parser.add_argument("--minutes", type=float, default=9.5, help="at most")
    parser.add_argument("--seed", type=int, default=2022, help="of the inputs")
    parser.add_argument(
        "--target", action="append", choices=list(TARGETS), help="that alone; may be repeated"
    )
    parser.add_argument("--input", type=int, help="one input alone, by its number")
    asked = parser.parse_args()
    names, started = asked.target or list(TARGETS), time.time()
    if asked.input is not None:
        _again(names, asked)
    context, cores = get_context("fork"), os.cpu_count() or 1
    answers = context.Queue()
    until = started + 60 * asked.minutes
    team = [
        context.Process(
            target=work, args=(i, cores, names, asked.inputs, until, asked.seed, answers)
        )
        for i in range(cores)
    ]
    for each in team:
        each.start()
    found, lost = [], 0
    while len(found) + lost < cores:
        try:
            found.append(answers.get(timeout=2.0))
        except Exception:
            lost = sum(each.exitcode not in (None, 0) for each in team)
    for each in team:
        each.join()
    counts = sum((each.counts for each in found), Counter())
    defects = [text for each in found for text in each.defects] + ["a process died"] * lost
    for name in names:
        told = ", ".join(f"{counts[name, what]} {what}" for what in ("taken", "refused", "defect"))
        sys.stdout.write(f"{name:10} {told}\n")
    sys.stdout.write(
        f"{sum(counts.values())} inputs in {time.time() - started:.0f} s, {len(defects)} defects\n"
    )
    if defects:
        KEPT.mkdir(exist_ok=True)
        (KEPT / "defects.txt").write_text("\n\n".join(defects), "utf-8", errors="replace")
        sys.stderr.write("\n\n".join(defects[:MOST_TOLD]) + f"\nkept in {KEPT / 'defects.txt'}\n")
    raise SystemExit(bool(defects))


def _again(names: list[str], asked: argparse.Namespace) -> None:
    """One input, in this process, with all that it raises."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        seed = asked.seed * 1_000_003 + asked.input
        (name,) = random.Random(seed).choices(names, [TARGETS[each][1] for each in names])
        outcome, wrong = once(name, seed, Place.of(Path(folder)))
    sys.stdout.write(f"{name}: {outcome}\n{wrong}\n")
    raise SystemExit(outcome == "defect")


if __name__ == "__main__":
    main()
