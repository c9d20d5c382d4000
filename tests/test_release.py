"""What the distribution says of itself is so: what it needs, where it runs, which version it is."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import aligntax

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# Needed, and imported by others on our behalf.
NOT_IMPORTED = {
    "arviz": "a run stores its version (PACKAGES of run_folder), and users read runs with it",
    "h5netcdf": "the engine with which xarray writes and reads draws",
}


def plain(name: str) -> str:
    """The name of a distribution as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(requirements: list[str]) -> set[str]:
    return {plain(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in requirements}


DECLARED = required(PROJECT["dependencies"])
EXTRAS = {name: required(lines) for name, lines in PROJECT["optional-dependencies"].items()}


def imported(source: str) -> set[str]:
    """Top-level modules that a file imports anywhere, ours and the standard library's left out."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names - set(sys.stdlib_module_names) - {"aligntax"}


def distributions() -> set[str]:
    """Distributions that the package's own files import."""
    files = [ROOT / "aligntax" / "__init__.py", ROOT / "aligntax" / "__main__.py"]
    files += [path for top in ("models", "analysis") for path in (ROOT / top).rglob("*.py")]
    modules = {name for path in files for name in imported(path.read_text("utf-8"))}
    homes = packages_distributions()
    return {plain(home) for module in modules for home in homes.get(module, [module])}


def test_everything_imported_is_declared_and_nothing_is_declared_in_vain() -> None:
    extras = set().union(*EXTRAS.values())
    found = distributions()
    assert found - DECLARED - extras == set(), "imported, and not declared in pyproject.toml"
    assert (DECLARED | extras) - found == set(NOT_IMPORTED), "declared, and not imported"


def test_imports_are_seen_wherever_they_stand() -> None:
    source = "import os\nfrom aligntax import run\ndef f():\n    import pandas.io\n    from rich import a"
    assert imported(source) == {"pandas", "rich"}


def test_no_extra_is_empty_or_asks_for_what_is_needed_anyway() -> None:
    assert all(names - DECLARED for names in EXTRAS.values())


def test_every_dependency_has_a_floor() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    assert not [line for line in [*PROJECT["dependencies"], *extras] if ">=" not in line]


def test_it_claims_the_systems_whose_file_locks_it_uses() -> None:
    """``fcntl`` is of POSIX alone."""
    systems = {line for line in PROJECT["classifiers"] if line.startswith("Operating System")}
    locks = [
        path
        for path in (ROOT / "analysis").rglob("*.py")
        if "import fcntl" in path.read_text("utf-8")
    ]
    assert locks and systems == {"Operating System :: POSIX"}


def test_pythons_that_are_claimed_are_those_that_are_allowed_and_run() -> None:
    claimed = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={claimed[0]}"
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert set(re.search(r"^pythons=\"([^\"]+)\"", script, re.MULTILINE)[1].split()) == set(claimed)
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_version_is_the_newest_of_the_changelog_and_of_the_citation() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (version, date), *_ = re.findall(r"^## (\d\S*) \((\d{4}-\d\d-\d\d)\)$", changelog, re.MULTILINE)
    assert version == PROJECT["version"] == aligntax.__version__
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {version}\n" in citation and f'\ndate-released: "{date}"\n' in citation
    assert f"\nlicense: {PROJECT['license']}\n" in citation


def test_people_are_told_how_to_take_part() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for command in ("make test", "make lint", "make types", "make docs"):
        assert command in text
