"""Imports go one way, room by room; and importing does nothing else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import aligntax

ROOT = Path(__file__).parents[1]

# Lower rooms never import higher ones; rooms on one line do not import each other.
ORDER = (
    "models.errors models.short_form",
    "models.states models.blocks models.variables models.registry",
    "models.priors models.evidence",
    "models.views",
    "models.coords models.likelihood models.tens models.trend models.arrival models.scaling models.loss_law models.horizon_trend "
    "models.direct_approach models.outer_alignment models.overoptimization models.density_prediction",
    "models.compute models.practice models.tolerance models.requirements models.research "
    "models.allocation",
    "models.horizon_evaluations models.horizon_runs models.ai_labour",
    "models.horizon_loo",
    "models.time_horizon",
    "models.taxes",
    "models.waits",
    "models.alignment models.shifts",
    "models.joint",
    "models.catalogue",
    "models.extension",
    "analysis.inference analysis.summaries",
    "analysis.storage analysis.progress",
    "analysis.copies",
    "analysis.inputs analysis.experiments",
    "analysis.fitting",
    "analysis.answers",
    "analysis.sweeps",
    "analysis.trust",
    "analysis.figures",
    "analysis.pages",
    "analysis.result",
    "analysis.pipeline analysis.refitting",
    "analysis.experts analysis.foresee analysis.horizon_shapes analysis.drivers analysis.reading "
    "analysis.checking analysis.theory",
    "analysis.foresee_since",
    "analysis.terminal",
    "analysis.commands",
    "analysis.cli",
)
LEVEL = {f"aligntax.{room}": level for level, rooms in enumerate(ORDER) for room in rooms.split()}

SHOWS = {
    "matplotlib",
    "arviz",
    "arviz_base",
    "arviz_plots",
    "arviz_stats",
    "jinja2",
    "rich",
    "typer",
}
# imported by `build` alone
GRAPHS = {f"aligntax.models.priors.{name}" for name in ("elicited", "observed", "scales")}
PLOTS = {"matplotlib", "arviz_plots", "jinja2"}


def modules(package: str) -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = ("aligntax", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODELS, ANALYSIS = modules("models"), modules("analysis")
EVERY = {**MODELS, **ANALYSIS}
FACADES = {"aligntax.models", "aligntax.analysis"}
ROOMED = [name for name in EVERY if name not in FACADES]
COMMANDS = [name for name in ANALYSIS if name.startswith("aligntax.analysis.commands")]


def room(module: str) -> str:
    """Name of the room that a module stands in; empty if it has none."""
    while module and module not in LEVEL:
        module = module.rpartition(".")[0]
    return module


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def imports(path: Path, types: bool = False) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports when it runs, or for types too, and whether at module level."""

    def walk(node: ast.AST, top: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if is_type_checking(child) and not types:
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: relative import"
                module = child.module or ""
                whole = [f"{module}.{alias.name}" for alias in child.names]
                yield from ((name if name in EVERY else module, top) for name in whole)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, top and not inside)

    yield from walk(ast.parse(path.read_text("utf-8")), True)


def upward(name: str, path: Path) -> set[tuple[str, str]]:
    """Imports of a module that go up, or sideways into another room of the same floor; types count."""
    here = room(name)
    found = {(name, module) for module, _ in imports(path, types=True) if room(module)}
    return {
        (name, module)
        for name, module in found
        if room(module) != here and LEVEL[room(module)] >= LEVEL[here]
    }


def test_the_walk_sees_imports_of_every_kind(tmp_path) -> None:
    """Negative control of the tests below."""
    file = tmp_path / "x.py"
    file.write_text(
        "import rich.table\nfrom aligntax.analysis import figures\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import typer\n"
        "def f():\n    if True:\n        from matplotlib.figure import Figure\n",
        "utf-8",
    )
    seen = {
        ("rich.table", True),
        ("aligntax.analysis.figures", True),
        ("typing", True),
        ("matplotlib.figure", False),
    }
    assert set(imports(file)) == seen
    assert set(imports(file, types=True)) == seen | {("typer", True)}


def test_every_module_stands_in_a_room() -> None:
    assert not [name for name in ROOMED if not room(name)], "give the new module a room in ORDER"
    assert not [name for name in LEVEL if name not in EVERY], "ORDER names a room that is gone"


@pytest.mark.parametrize("name", ROOMED)
def test_no_room_imports_a_higher_one(name) -> None:
    assert not upward(name, EVERY[name])


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("aligntax.models.arrival", "aligntax.models.joint"),
        ("aligntax.analysis.storage.load", "aligntax.analysis.refitting"),
        ("aligntax.analysis.figures.style", "aligntax.analysis.pages.report"),
        ("aligntax.models.priors.tables", "aligntax.analysis.inference.seeds"),
        # beside, not below
        ("aligntax.analysis.summaries.words", "aligntax.analysis.inference.derive"),
    ],
)
@pytest.mark.parametrize(
    "how", ["from {} import x\n", "def f():\n    import {}\n", "if TYPE_CHECKING:\n    import {}\n"]
)
def test_an_import_that_is_turned_round_is_seen(tmp_path, lower, higher, how) -> None:
    """Negative control of the test above: each edge, at the top, in a function and for types alone."""
    assert lower in EVERY and higher in EVERY
    file = tmp_path / "turned.py"
    file.write_text(EVERY[lower].read_text("utf-8") + how.format(higher), "utf-8")
    assert upward(lower, file) == {(lower, higher)}


@pytest.mark.parametrize("name", MODELS)
def test_models_import_neither_analysis_nor_plots_nor_command_line_nor_sampler(name) -> None:
    """Not even inside a function."""
    found = {module for module, _ in imports(MODELS[name])}
    assert not {
        module for module in found if module.startswith("aligntax.analysis") or module == "aligntax"
    }
    assert not {module.split(".")[0] for module in found} & (SHOWS | {"nutpie", "preliz"})


@pytest.mark.parametrize("name", MODELS)
def test_models_ask_for_pymc_only_to_build_one(name) -> None:
    """Reading views, evidence and draws needs no compiler: functions import PyMC, and the files that are all graph."""
    at_import = {module for module, top in imports(MODELS[name]) if top}
    heavy = {module.split(".")[0] for module in at_import} & {"pymc", "pytensor"}
    assert name in GRAPHS or not heavy | (GRAPHS & at_import)


@pytest.mark.parametrize(
    "name", [name for name in ROOMED if LEVEL[room(name)] < LEVEL["aligntax.analysis.figures"]]
)
def test_nothing_below_the_figures_draws(name) -> None:
    assert not {module for module, _ in imports(EVERY[name]) if module.split(".")[0] in PLOTS}


@pytest.mark.parametrize(
    "name", [name for name in ROOMED if LEVEL[room(name)] < LEVEL["aligntax.analysis.terminal"]]
)
def test_only_the_command_line_speaks_to_the_terminal(name) -> None:
    assert not {
        module for module, _ in imports(EVERY[name]) if module.split(".")[0] in {"rich", "typer"}
    }


@pytest.mark.parametrize("name", ["aligntax.analysis.cli", *COMMANDS])
def test_the_command_line_imports_nothing_slow_until_a_command_needs_it(name) -> None:
    at_import = {module for module, top in imports(ANALYSIS[name]) if top}
    slow = {"pymc", "pytensor", "nutpie", "xarray", "numpy", "scipy", "rich", "matplotlib"}
    assert not {module.split(".")[0] for module in at_import} & slow
    assert {m for m in at_import if m.startswith("aligntax")} <= {
        *COMMANDS,
        "aligntax.models.errors",
    }


def test_a_folder_says_what_it_is_for_and_imports_nothing() -> None:
    """But for the folders of tables and of views, whose own file hands them out."""
    loaders = {f"aligntax.models.{name}" for name in ("evidence", "evidence.schema", "views")}
    for name, path in EVERY.items():
        if path.name == "__init__.py" and name not in loaders:
            assert [type(node) for node in ast.parse(path.read_text("utf-8")).body] == [ast.Expr], (
                name
            )


def test_no_two_modules_import_each_other() -> None:
    graph = {
        name: {module for module, top in imports(path) if top and module in EVERY}
        for name, path in EVERY.items()
    }
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(EVERY)


# --------------------------------------------------------------------------------------- the facade


@pytest.mark.parametrize("name", aligntax.__all__)
def test_every_public_name_is_there(name) -> None:
    assert getattr(aligntax, name) is not None
    assert name in dir(aligntax)


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'aligntax' has no attribute 'nothing'"):
        aligntax.nothing  # noqa: B018


def test_importing_the_package_imports_none_of_its_modules() -> None:
    facade = list(imports(ROOT / "aligntax" / "__init__.py"))
    assert facade and not [
        module for module, top in facade if top and module.startswith("aligntax")
    ]


# --------------------------------------------------------------------------- importing does nothing

WATCH = """
import importlib, pathlib, sys
root = pathlib.Path(sys.argv[1]).resolve()

def watch(event, args):
    if event == "open" and isinstance(args[0], str):
        path, mode = pathlib.Path(args[0]), args[1] or ""
        if root in path.parents and ".venv" not in path.parts:
            if path.suffix in (".csv", ".toml"):
                raise SystemExit(f"reads {path} when imported")
            if set(mode) & set("wax+") and "__pycache__" not in path.parts:
                raise SystemExit(f"writes {path} when imported")

sys.addaudithook(watch)
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


def watched(*names: str, then: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WATCH + then, str(ROOT), *names]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def test_importing_any_module_reads_no_evidence_and_no_view_and_writes_nothing() -> None:
    done = watched("aligntax", *EVERY)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "reading",
    [
        "from aligntax.models.evidence import load_evidence; load_evidence()",
        "from aligntax.models.views import load_view; load_view('default')",
    ],
)
def test_the_watch_notices_a_reading(reading) -> None:
    """Negative control of the test above."""
    done = watched("aligntax.models.evidence", then=reading)
    assert done.returncode == 1
    assert "when imported" in done.stderr


def test_importing_the_models_loads_no_pymc() -> None:
    """All of it but the files that build graphs: the path of commands that only read."""
    names = [name for name in MODELS if name not in GRAPHS]
    done = watched(
        *names,
        then="\nloaded = {'pymc', 'pytensor', 'matplotlib', 'nutpie'} & set(sys.modules)\nprint(sorted(loaded))",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
