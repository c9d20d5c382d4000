"""The notebooks of the documentation run from top to bottom, as somebody who opens them runs them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.md"))
CELL = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```", re.DOTALL | re.MULTILINE)
MOST_SECONDS = 600  # two minutes where nothing else runs


def cells(name: str) -> list[str]:
    return CELL.findall((FOLDER / name).read_text("utf-8"))


def test_there_are_three() -> None:
    assert NOTEBOOKS == ["first-answer.md", "new-priors.md", "own-evidence.md"]
    assert all(len(cells(name)) >= 5 for name in NOTEBOOKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs(name, tmp_path) -> None:
    """As a script, since each cell is plain Python; warnings are errors, but for other packages'."""
    script = tmp_path / "notebook.py"
    script.write_text("\n".join(cells(name)), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error:::__main__", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
