"""``make bench``: our times beside baselines measured in the same run, alternating; ratios are what counts.

Every row names the sampler it is compared with. Results go to ``results/benchmarks/latest.json`` and to standard output.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

REPEATS = 3
OUT = Path(__file__).parents[2] / "results" / "benchmarks"


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternate(**works: Callable[[], object]) -> dict[str, list[float]]:
    """Times of several pieces of work, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, work in works.items():
            times[name].append(seconds(work))
    return times


def command(*words: str) -> Callable[[], object]:
    """A new process that must succeed."""
    return lambda: subprocess.run(words, check=True, capture_output=True)


def start_up() -> dict[str, list[float]]:
    """Commands that only read."""
    program = (sys.executable, "-m", "analysis")
    return alternate(
        **{
            "--help": command(*program, "--help"),
            "runs": command(*program, "runs"),
            "show": command(*program, "show", "reference"),
        }
    )


PLAIN = """
import arviz, pymc
from models.catalogue import find_model, restrict
from models.evidence import load_evidence
from models.views import load_view
model, view = find_model("joint"), load_view("default")
with model.build(restrict(load_evidence(), view, model), view):
    trace = pymc.sample(nuts_sampler="nutpie", random_seed=1, progressbar=False)
arviz.summary(trace, round_to="none", ci_kind="eti", ci_prob=0.9)
"""


def whole_run() -> dict[str, list[float]]:
    """``aligntax run`` with its report, against ``pm.sample`` (nutpie) with ``az.summary`` and no report; new processes."""

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            command(sys.executable, "-m", "analysis", "run", "--out", folder)()

    return alternate(**{"aligntax run": ours, "pm.sample (nutpie)": command(sys.executable, "-c", PLAIN)})


def reuse() -> dict[str, list[float]]:
    """A refit from stored draws in a new process, against ``aligntax run`` (nutpie) with its report in a new process."""
    program = (sys.executable, "-m", "analysis")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--out", folder)
        command(*program, "run", "--name", "base", *options)()
        names = iter(range(1000))

        def again(change: str) -> Callable[[], object]:
            words = (*program, "refit", "base", "--set", change, "--method", "reweight", *options)
            return lambda: command(*words, "--name", f"r{next(names)}")()

        return alternate(
            **{
                "redraw": again("alignment_tax_tolerance=0.005,0.02,0.2"),
                "reweight": again("spend_growth=0.12,0.31,0.52"),
                "aligntax run (nutpie)": lambda: command(*program, "run", "--name", f"r{next(names)}", *options)(),
            }
        )


def refit() -> dict[str, list[float]]:
    """New priors in a live process, against building the model and ``pm.sample`` (nutpie) in a live process."""
    import pymc as pm

    from analysis.fit import compile_model
    from analysis.options import Sampling
    from models.catalogue import find_model, restrict
    from models.evidence import load_evidence
    from models.views import load_view

    model, view, evidence = find_model("joint"), load_view("default"), load_evidence()
    compiled = compile_model(model, evidence, view)
    moved = view.with_quantity("rlhf_multiplier", {"quantiles": {"0.1": 0.1, "0.5": 3, "0.9": 100}})
    compiled.sample(Sampling())

    def plain() -> None:
        with model.build(restrict(evidence, moved, model), moved):
            pm.sample(nuts_sampler="nutpie", random_seed=1, progressbar=False)

    return alternate(
        **{
            "refit": lambda: compiled.with_view(moved).sample(Sampling()),
            "refit, accept 0.8, tune 300": lambda: compiled.with_view(moved).sample(
                Sampling(target_accept=0.8, tune=300)
            ),
            "build + pm.sample (nutpie)": plain,
        }
    )


def arrival() -> dict[str, list[float]]:
    """Derived quantities of the joint model from the prior, a million draws in blocks, paired worlds included."""
    from analysis.draws import derive
    from models.catalogue import find_model, restrict
    from models.evidence import load_evidence
    from models.views import load_view
    from tests.prior import prior_draws

    model, view = find_model("joint"), load_view("default")
    tables, evidence = view.tables(model.quantities), restrict(load_evidence(), view, model)
    draws = prior_draws(tables, 1_000_000)
    return alternate(**{"1e6 draws": lambda: derive(model, draws, tables, evidence, view, np.random.default_rng(1))})


def main() -> None:
    """Measure, print and store."""
    sections = {f.__name__: f for f in (start_up, arrival, reuse, refit, whole_run)}
    chosen = sys.argv[1:] or list(sections)
    results = {}
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; seconds, median (min to max) of {REPEATS}"
    )
    for section in chosen:
        results[section] = times = sections[section]()
        medians = {name: statistics.median(values) for name, values in times.items()}
        first = next(iter(medians.values()))
        for name, values in times.items():
            ratio = "" if medians[name] == first else f"   {medians[name] / first:.2f} times the first"
            print(
                f"{section:10s} {name:28s} {medians[name]:8.2f} ({min(values):.2f} to {max(values):.2f}){ratio}",
                flush=True,
            )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "latest.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
