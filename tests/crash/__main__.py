"""``python -m tests.crash [SCENARIO ...] [--count N] [--seed S] [--json]``: what befalls run, refit, sweep and calibrate, and what
they leave. Exit 1 if anything is wrong.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from tests.crash.scenarios import SCENARIOS, Outcome, Whole
from tests.crash.trial import FINISHED, Work, attempt, warm, works

SEED = 2022


def suffered(work: Work, place: Path, scenarios: list[str], count: int, seed: int) -> list[Outcome]:
    """Every scenario of a command."""
    whole = Whole.of(work, place)
    return [outcome for name in scenarios for outcome in SCENARIOS[name](whole, count, seed)]


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; default all")
    parser.add_argument(
        "--count", type=int, default=50, help="moments, and at most so many steps, of each command"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the moments")
    parser.add_argument("--json", action="store_true", help="print every trial")
    asked = parser.parse_args()
    if unknown := set(asked.scenario) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(unknown)}; choose from {', '.join(SCENARIOS)}")
    started = time.perf_counter()
    warm()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        source = place / "source"
        source.mkdir()
        # enough to reweight
        words = ["run", "scaling", "--draws", "250", "--tune", "200", "--no-report", "-q"]
        ended = attempt([*words, "--out", str(source), "--name", "run"], source)
        if ended.code not in FINISHED:
            raise SystemExit(f"the run to refit fails: {ended.said}")
        every, chosen = works(source / "run"), asked.scenario or list(SCENARIOS)
        # what is compiled goes with a fork
        with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
            found = [
                pool.submit(suffered, work, place, chosen, asked.count, asked.seed)
                for work in every
            ]
            outcomes = [outcome for each in found for outcome in each.result()]
    bad = [outcome for outcome in outcomes if outcome.wrong]
    if asked.json:
        sys.stdout.write(json.dumps([asdict(outcome) for outcome in outcomes]) + "\n")
    else:
        _table(outcomes)
        sys.stdout.write(
            f"{len(outcomes)} trials in {time.perf_counter() - started:.0f} s, {len(bad)} wrong\n"
        )
    for outcome in bad:
        sys.stderr.write(
            f"{outcome.work}, {outcome.scenario} at {outcome.at:g}: {'; '.join(outcome.wrong)}\n"
        )
    raise SystemExit(bool(bad))


def _table(outcomes: list[Outcome]) -> None:
    for (work, scenario), count in Counter((each.work, each.scenario) for each in outcomes).items():
        these = [each for each in outcomes if (each.work, each.scenario) == (work, scenario)]
        befell = sum(each.code not in FINISHED for each in these)
        skipped = f", {these[0].skipped}" if these[0].skipped else ""
        went_on, wrong = (
            sum(each.went_on for each in these),
            sum(bool(each.wrong) for each in these),
        )
        told = f"{count} trials, {befell} cut short, {went_on} gone on with, {wrong} wrong"
        sys.stdout.write(f"{work:12} {scenario:18} {told}{skipped}\n")


if __name__ == "__main__":
    main()
