"""Commands of the tutorial and of the how-to pages work, in their order, on the run that comes with the code."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_doctests import asked, blocks

ROOT = Path(__file__).parents[1]
PAGES = ("start/five-minutes", "how-to/elicit", "how-to/panel", "how-to/budget")
SHORT = ("--draws", "100", "--tune", "200", "--chains", "2", "--no-report")
ANSWERS = {("view", "elicit"): "0.05\n5\n0.5\ny\n20\n100\n40\ny\nours\nours\n"}  # typed by a person


def typed(text):
    """Commands of a page; a run of the joint model takes minutes, and has tests of its own."""
    for words in asked(text):
        if words[:2] == ["run", "alignment"]:
            yield [*words, *SHORT]
        elif words[0] != "run":
            yield words


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_commands_work_in_their_order(page, tmp_path) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    shutil.copytree(ROOT / "results" / "reference", tmp_path / "results" / "reference")
    for block in blocks(text, "toml"):
        (tmp_path / "cem.toml").write_text(block, "utf-8")
    for block in blocks(text, "csv"):
        (tmp_path / "panel.csv").write_text(block, "utf-8")
    commands = list(typed(text))
    assert len(commands) >= 4
    for words in commands:
        done = subprocess.run(
            [sys.executable, "-m", "aligntax", *words],
            cwd=tmp_path,
            input=ANSWERS.get(tuple(words[:2]), ""),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        # 1 is a check that failed: the reference run is too short to pass
        assert done.returncode in (0, 1), (words, done.stderr)
        assert "Traceback" not in done.stderr, (words, done.stderr)


def test_pages_that_are_run_are_those_that_need_no_sampling() -> None:
    others = {"how-to/training-runs", "how-to/gold-curves"}
    there = {f"how-to/{path.stem}" for path in (ROOT / "docs" / "how-to").glob("*.md")}
    assert there | {"start/five-minutes"} == {*PAGES, *others}
