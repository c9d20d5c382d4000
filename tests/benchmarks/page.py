"""A prior moved in a report's page, beside the same move by ``aligntax refit`` in a new process."""

import importlib.util
import shutil
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.measure import Live, New, Talk, Work, aligntax, measure
from tests.benchmarks.reuse import again
from tests.benchmarks.rows import Row

__all__ = ["rows"]

MOVES = 30
# Moves a slider to and fro, each time after the answer to the last; the page waits for itself, since a
# test that asks from outside whether it is done takes time from it.
MOVE = """async (slider, moves) => {
  const place = document.getElementById("what-if");
  performance.clearMeasures();
  for (let i = 0; i < moves; i += 1) {
    const done = new Promise((resolve) => {
      const observer = new MutationObserver(() => { observer.disconnect(); resolve(); });
      observer.observe(place, { attributeFilter: ["data-updates"] });
    });
    slider.value = Number(slider.value) + Number(slider.step) * (i % 2 ? 3 : -2);
    slider.dispatchEvent(new Event("input"));
    await done;
  }
  return performance.getEntriesByName("what-if").map((each) => each.duration / 1000);
}"""
REDRAWN, REWEIGHTED = "rlhf_multiplier=0.05,1,20", "spend_growth=0.5,0.57,0.64"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def moved(report: str, chromium: str, quantity: str) -> Work:
    """Open the report in a headless Chromium; then move the middle point of a prior to and fro."""
    from playwright.sync_api import sync_playwright

    shown = (
        sync_playwright()
        .start()
        .chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        .new_page()
    )
    shown.goto(Path(report).as_uri())
    shown.wait_for_selector("#what-if[data-ready]")
    shown.eval_on_selector_all(
        ".priors > details", "all => all.forEach(one => { one.open = true; })"
    )
    slider = shown.locator(f"fieldset[data-quantity={quantity}] input[type=range]").nth(1)

    def do() -> list[float]:
        return slider.evaluate(MOVE, MOVES)

    return Work(do, lambda durations: {"moves": durations})


def rows(repeats: int, talk: Talk) -> list[Row]:
    """A move in the report of 4,000 draws, from the event until the charts stand, beside `aligntax refit` in a new process."""
    chromium = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if chromium is None or importlib.util.find_spec("playwright") is None:
        missing = "Chromium" if chromium is None else "playwright"
        return [Row.without("page", "a move in the report", skipped=f"{missing} is not installed")]
    with tempfile.TemporaryDirectory() as folder:
        New("base", aligntax("run", "--name", "base", "--out", folder)).once()
        report = str(Path(folder) / "base" / "report.html")
        redraw, reweight, redrawn, reweighted = measure(
            [
                Live("page, redraw", partial(moved, report, chromium, "rlhf_multiplier")),
                Live("page, reweight", partial(moved, report, chromium, "spend_growth")),
                again("aligntax refit, redraw", REDRAWN, folder),
                again("aligntax refit, reweight", REWEIGHTED, folder),
            ],
            repeats,
            talk,
        )
    return [_row(redraw, redrawn), _row(reweight, reweighted)]


def _row(shown: Any, refit: Any) -> Row:
    times = shown.each(shown.name, lambda _, extras: median(extras["moves"]), False)
    return Row(
        "page",
        shown.name,
        times,
        refit,
        note=f"each of ours is the median of {MOVES} moves, measured by the page",
    )
