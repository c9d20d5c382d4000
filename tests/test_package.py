"""One import package: beside a user's own modules, as a module to run, and with its version."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import aligntax

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference"
THEIRS = "raise SystemExit('the user\\'s own module was imported')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of a user's with modules of the names that our folders have."""
    (tmp_path / "models.py").write_text(THEIRS, "utf-8")
    for name in ("analysis", "tests", "results"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(THEIRS, "utf-8")
    return tmp_path


def python(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    "words",
    [
        ("-c", f"from aligntax import load; load({str(REFERENCE)!r}).summary()"),
        ("-c", "from aligntax.models.joint import build; from aligntax.analysis.cli import main"),
        ("-m", "aligntax", "show", str(REFERENCE), "--json"),
        ("-m", "aligntax", "view", "check", "default"),
    ],
    ids=["load", "import", "show", "view"],
)
def test_it_works_beside_a_users_own_models_analysis_and_tests(project, words) -> None:
    done = python(project, *words)
    assert done.returncode == 0, done.stderr
    assert "own module" not in done.stderr


def test_the_users_modules_are_what_would_be_imported(project) -> None:
    """Negative control: the folder does come first on the path."""
    for name in ("models", "analysis", "tests"):
        done = python(project, "-c", f"import {name}")
        assert done.returncode == 1 and "own module" in done.stderr


def test_no_module_of_ours_is_imported_under_two_names() -> None:
    """``models`` and ``analysis`` are folders of the checkout and names of nothing that is imported."""
    folders = [*(ROOT / "models").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]
    for path in [*folders, *(ROOT / "tests").rglob("*.py"), *(ROOT / "aligntax").glob("*.py")]:
        for line in path.read_text("utf-8").splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]) and len(words) > 1:
                assert words[1].split(".")[0] not in ("models", "analysis"), (path, line)


def test_the_links_lead_to_the_two_folders() -> None:
    for name in ("models", "analysis"):
        link = ROOT / "aligntax" / name
        assert link.is_symlink() and link.resolve() == ROOT / name


def test_the_version_is_that_of_the_distribution() -> None:
    assert aligntax.__version__ == version("aligntax")


def test_it_says_that_it_is_typed() -> None:
    assert (Path(aligntax.__file__).parent / "py.typed").is_file()
