"""``make bench``: our times beside baselines measured in the same run, alternating; ratios are what counts.

Every row names the sampler it is compared with. Results go to ``results/benchmarks/latest.json`` and to standard output.
"""

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    """Anchor and arrival of a million prior draws over 74 years and ten candidates, the history before them included.

    Beside it every derived quantity of a hundred thousand (five paired worlds, alignment, waits), and a loop over years in plain
    Python as the published scripts are written, for a thousand draws of one anchor. Seconds and draws a second.
    """
    from analysis.draws import arrivals, derive, split
    from models.catalogue import find_model, restrict
    from models.evidence import load_evidence
    from models.views import load_view
    from tests.prior import prior_draws

    model, view = find_model("joint"), load_view("default")
    tables, evidence = view.tables(model.quantities), restrict(load_evidence(), view, model)
    million, some = split(prior_draws(tables, 1_000_000), tables), prior_draws(tables, 100_000)
    x, _ = split(prior_draws(tables, 1000), tables)

    def ours() -> None:
        arrivals(*million, evidence, view, np.random.default_rng(1))

    times = alternate(
        **{
            "arrival, 1e6 draws": ours,
            "all derived, 1e5 draws": lambda: derive(model, some, tables, evidence, view, np.random.default_rng(1)),
            "loop over years, 1e3 draws": lambda: year_by_year(x),
        }
    )
    for (name, each), size in zip(times.items(), (1e6, 1e5, 1e3), strict=True):
        print(f"{'':10s} {name:28s} {size / statistics.median(each):12,.0f} draws a second")
    print(f"{'':10s} peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    return times


def year_by_year(x: dict[str, Any]) -> list[int]:
    """Year in which each draw can pay for its medium-horizon requirement, one draw and one year at a time."""
    found = []
    for draw in range(x["spend_level"].size):
        at = {name: float(value.ravel()[draw]) for name, value in x.items()}
        for year in range(2026, 2101):
            spend = at["spend_level"] + at["spend_growth"] * (year - 2023)
            cap = at["spend_cap"] + 14.07 + at["world_product_growth"] * (year - 2025)
            hardware = at["hardware_level"] + at["hardware_growth"] * (year - 2023)
            algorithms = at["algorithmic_growth"] * (year - 2020)
            parameters = at["brain_flop"] - at["flop_per_parameter"]
            needed = (
                at["brain_flop"] + at["horizon_medium"] + 12 + 10 ** at["data_exponent_prior"] * (parameters - 11.2)
            )
            affordable = min(spend, cap) + min(hardware, at["hardware_limit"])
            if affordable + min(algorithms, at["algorithmic_limit"]) >= needed:
                break
        found.append(year)
    return found


def page() -> dict[str, list[float]]:
    """Priors moved in the report of a run of 4,000 draws, from the event until the charts stand, and the report itself.

    Measured by the page (``performance.measure``) in a headless Chromium, 30 moves each, beside the same move by ``aligntax refit`` in
    a new process.
    """
    from playwright.sync_api import sync_playwright

    program = (sys.executable, "-m", "analysis")
    move = "(e, i) => { e.value = Number(e.value) + Number(e.step) * (i % 2 ? 3 : -2); e.dispatchEvent(new Event('input')); }"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command(*program, "run", "--name", "base", "--out", folder, "--no-report")()
        names = iter(range(100))
        words = (*program, "refit", "base", "--out", folder, "--method", "reweight")
        tolerance, growth = "alignment_tax_tolerance=0.01,0.05,0.2", "spend_growth=0.5,0.57,0.64"
        times = alternate(
            **{
                "report of a stored run": command(*program, "report", "base", "--out", folder),
                "refit, redraw": lambda: command(*words, "--set", tolerance, "--name", f"r{next(names)}")(),
                "refit, reweight": lambda: command(*words, "--set", growth, "--name", f"r{next(names)}")(),
            }
        )
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = chromium.new_page()
        shown.goto((Path(folder) / "base" / "report.html").as_uri())
        shown.wait_for_selector("#what-if[data-ready]")
        shown.eval_on_selector_all(".priors > details", "all => all.forEach(one => { one.open = true; })")
        for name, quantity in (("page, redraw", "alignment_tax_tolerance"), ("page, reweight", "spend_growth")):
            slider = shown.locator(f"fieldset[data-quantity={quantity}] input[type=range]").nth(1)
            shown.evaluate("performance.clearMeasures()")
            for i in range(30):
                before = shown.get_attribute("#what-if", "data-updates")
                slider.evaluate(move, i)
                shown.wait_for_selector(
                    "#what-if[data-updates]" + (f':not([data-updates="{before}"])' if before else "")
                )
            durations = shown.evaluate("performance.getEntriesByName('what-if').map((each) => each.duration)")
            times[name] = [float(each) / 1000 for each in durations]
        chromium.close()
    return times


def main() -> None:
    """Measure, print and store."""
    sections = {f.__name__: f for f in (start_up, arrival, reuse, refit, whole_run, page)}
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
                f"{section:10s} {name:28s} {medians[name]:8.3f} ({min(values):.3f} to {max(values):.3f}){ratio}",
                flush=True,
            )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "latest.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
