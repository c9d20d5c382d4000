"""Examples in docstrings and in the README are run: a user pastes them."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITH_EXAMPLES = sorted(
    ".".join(("aligntax", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for package in ("models", "analysis")
    for path in (ROOT / package).rglob("*.py")
    if ">>>" in path.read_text("utf-8")
)


def test_there_are_examples():
    assert {
        "aligntax.analysis.answers.comparison",
        "aligntax.analysis.refitting",
        "aligntax.models.priors.user_prior",
        "aligntax.models.views",
    } <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_run(name, monkeypatch, tmp_path):
    """``folder`` in an example is an empty results folder."""
    monkeypatch.chdir(ROOT)
    done = doctest.testmod(
        importlib.import_module(name), extraglobs={"folder": tmp_path}, verbose=False
    )
    assert done.attempted > 0 and done.failed == 0


@pytest.mark.parametrize(
    "block", re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
)
def test_python_in_the_readme_runs(block, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "reference").symlink_to(ROOT / "results" / "reference")
    exec(compile(block, "README.md", "exec"), {})
