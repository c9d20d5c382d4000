"""What a command imports is most of what it takes to answer: the heavy packages that each may import, and no others."""

import shutil
import subprocess
import sys

import pytest

# Beside what follows, the packages that a sampler, a plot or a page needs. Typer and what it needs
# are not counted.
NUMBERS = {"numpy", "scipy", "xarray", "pandas", "pyarrow"}
STORED = NUMBERS | {"h5py"}
SMOOTHED = STORED | {"arviz_base", "arviz_stats", "scipy.stats"}
DRAWN = {"matplotlib", "PIL", "jinja2", "vl_convert"}
SAMPLED = {"pymc", "pytensor", "scipy.stats"}
COMPILED = {"h5netcdf", "numba", "llvmlite", "nutpie", "arviz", "arviz_plots", "preliz", "zarr"}
HEAVY = SMOOTHED | DRAWN | SAMPLED | COMPILED | {"rich"}

REDRAWN = ("--set", "rlhf_multiplier=0.05,1,20")
REWEIGHTED = ("--set", "spend_growth=0.25,0.35,0.5")
REFIT = ("refit", "reference", "--method", "reweight")

MAY_IMPORT = {
    ("--help",): {"rich"},
    ("runs",): {"numpy", "rich"},
    ("runs", "--json"): set(),
    ("show", "reference"): {"numpy", "rich"},
    ("show", "reference", "--json"): set(),
    ("show", "reference", "--given", "tai_year<2040"): STORED | {"rich"},
    ("verify", "reference"): set(),
    ("compare", "reference", "reference"): STORED | {"rich"},
    ("compare", "reference", "reference", "--page", "page.html"): STORED | DRAWN | {"rich"},
    ("index",): {"numpy", "jinja2"},
    ("report", "reference"): SMOOTHED | DRAWN | {"arviz_plots", "rich"},
    ("budget", "reference"): STORED | {"rich"},
    ("shifts", "reference"): STORED | {"rich"},
    ("sensitivity", "reference"): STORED | {"rich"},
    (*REFIT, *REDRAWN): STORED | {"rich"},
    (*REFIT, *REWEIGHTED): STORED | {"rich"},
    ("reproduce", "bioanchors", "--draws", "1000"): NUMBERS | SAMPLED | {"rich"},
    ("view", "list"): NUMBERS | {"rich"},
    ("view", "show", "default"): NUMBERS | {"rich"},
    ("view", "check", "hilton-2022"): NUMBERS | {"rich"},
    ("view", "diff", "default", "hilton-2022"): NUMBERS | {"rich"},
    ("view", "from-panel", "panel.csv", "--force"): NUMBERS | {"rich"},
    ("evidence", "list"): NUMBERS | {"rich"},
    ("evidence", "check"): NUMBERS,
    ("predict-density", "stream.txt"): {"numpy"},
}

LISTED = """
import os, sys
sys.modules["dask"] = None  # xarray imports it, and most of PyData with it, where it is installed, as for these tests
os.sched_getaffinity = lambda pid: {{0}}  # one core: what a forked copy imports would not be seen
from aligntax.analysis.cli import main
for words in {commands!r}:
    sys.argv = ["aligntax", *words]
    try:
        main()
    except SystemExit as stop:
        assert stop.code in (None, 0, {code}), stop.code
print()
print(*(name for name, module in sys.modules.items() if module))
"""


@pytest.fixture(scope="module")
def place(reference, tmp_path_factory):
    """A folder with the reference run among its results, a stream of zeros and ones, and a panel."""
    folder = tmp_path_factory.mktemp("start_up")
    shutil.copytree(reference.path, folder / "results" / "reference")
    (folder / "stream.txt").write_text("01101" * 100)
    rows = "expert,quantity,p10,p50,p90\nann,wage,10,20,60\nben,wage,20,40,90\n"
    (folder / "panel.csv").write_text(rows)
    return folder


def imported(place, *commands, code=0):
    """Heavy packages that commands import in a new process, which may end with another code."""
    script = LISTED.format(commands=commands, code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=place)
    assert done.returncode == 0, done.stderr
    names = done.stdout.splitlines()[-1].split()
    modules = {*names, *(name.split(".")[0] for name in names)}
    assert "aligntax" in modules
    return modules & HEAVY


# They work for seconds, which are theirs and not their imports'.
WORKING = {"report", "compare", "sensitivity", "budget", "shifts", "reproduce"}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, marks=[pytest.mark.slow] if words[0] in WORKING else [])
        for words in MAY_IMPORT
    ],
    ids=" ".join,
)
def test_a_command_imports_what_it_needs_and_no_more(place, words) -> None:
    few_draws_fail_a_check = int(words[0] == "refit")
    assert imported(place, words, code=few_draws_fail_a_check) <= MAY_IMPORT[words]


@pytest.mark.slow
def test_what_samples_a_second_time_imports_no_pymc(place) -> None:
    """Its graph is kept by then, whatever the priors; and no sampler of another package."""
    words = ("run", "scaling", "--no-report", "--draws", "60", "--tune", "60")
    imported(place, (*words, "--name", "first"), code=1)
    found = imported(place, (*words, "--name", "second", "--view", "vague"), code=1)
    assert not found & {"pymc", "pytensor", "nutpie", "numba", "arviz_stats", "scipy.stats"}
    assert "llvmlite" in found


def test_what_speaks_against_a_verdict_is_found_without_drawing() -> None:
    """A refit that writes no report asks for it too."""
    script = "import sys, aligntax.analysis.pages.exceptions; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {name.split(".")[0] for name in done.stdout.split()} & DRAWN


def test_help_of_every_command_imports_what_draws_its_frame(place) -> None:
    from aligntax.analysis.cli import app

    groups = [group.typer_instance for group in app.registered_groups]
    names = [
        ("view",),
        ("evidence",),
        *((command.callback.__name__,) for command in app.registered_commands),
    ]
    assert len(groups) == 2 and len(names) > 15
    commands = [(*(part.replace("_", "-") for part in name), "--help") for name in names]
    assert imported(place, *commands) <= {"rich"}


@pytest.mark.parametrize(
    "words", [("show", "reference"), (*REFIT, *REDRAWN), ("index",)], ids=" ".join
)
def test_the_tests_above_see_every_package(place, words) -> None:
    """Negative control: one package off the list of a command, and it would fail."""
    found = imported(place, words, code=int(words[0] == "refit"))
    for package in found:
        assert not found <= MAY_IMPORT[words] - {package}
    assert found == MAY_IMPORT[words]
