"""Imports go one way: models < inference < summary < run < plots < command line; and importing does nothing else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lower layers never import higher ones. A new module of `analysis` gets its place here.
LAYERS: dict[str, set[str]] = {
    "words and options": {
        "words",
        "cache",
        "claims",
        "drivers",
        "options",
        "seeds",
        "public_data",
        "user_csv",
        "loss_runs",
        "gold_data",
    },
    "inference": {"doubled", "draws", "fit", "leave_out", "simulation"},
    "summary": {
        "overlay",
        "changes",
        "checks",
        "draw_files",
        "store",
        "unfinished",
        "provenance",
        "sketch",
        "summary",
        "weights",
        "budget",
        "comparison",
        "given",
        "shifts",
        "regression",
        "variance",
        "uniformity",
        "scoring",
        "backtest_targets",
        "backtest",
        "calibration",
        "cross_validation",
        "ladder",
        "predictive",
        "robustness",
        "trust_words",
        "information",
        "power_scaling",
        "sensitivity",
    },
    "run": {"density", "reproduction", "pipeline", "own_runs", "upstream", "links", "elicitation", "view_files"},
    "refit": {"source", "annex", "reweight", "refit_plan", "refitting", "experts", "what_if"},
    "sweep": {
        "journal",
        "cases",
        "workers",
        "sweep",
        "disagreement",
        "sweep_words",
        "calibrate",
        "backtest_results",
        "backtest_words",
    },
    "plots": {
        "plot_style",
        "plots",
        "view_plots",
        "check_plots",
        "sensitivity_plots",
        "arrival_plots",
        "budget_plots",
        "reproduction_plots",
        "loss_law_plots",
        "outer_alignment_plots",
        "overoptimization_plots",
        "density_plots",
        "time_horizon_plots",
        "comparison_plots",
        "sweep_plots",
        "calibration_plots",
        "backtest_plots",
        "gallery",
    },
    "pages": {
        "pages",
        "pages.axes",
        "pages.backtest",
        "pages.calibration",
        "pages.checks",
        "pages.compare",
        "pages.compare_charts",
        "pages.compare_parts",
        "pages.figures",
        "pages.glossary",
        "pages.index",
        "pages.live",
        "pages.marks",
        "pages.pictures",
        "pages.sentences",
        "pages.sources",
        "pages.sweep",
        "pages.trust",
    },
    "report": {"report"},
    "command line": {
        "inputs",
        "terminal",
        "terminal_views",
        "terminal_forecasts",
        "terminal_sketch",
        "terminal_sweep",
        "terminal_calibration",
        "terminal_trust",
        "terminal_backtest",
        "commands",
        "cli",
        "__main__",
    },  # commands.* stand with commands
}
LEVEL = {f"analysis.{name}": level for level, names in enumerate(LAYERS.values()) for name in names}
FACADE = "analysis"  # hands out `run`, `load` and the rest when asked, by name
# A run and a refit write their report, and a run is read with what it refits, inside the functions that do.
EXCEPTIONS = {("analysis.pipeline", "analysis.report"), ("analysis.refitting", "analysis.report")}

SHOWS = {"matplotlib", "arviz", "arviz_base", "arviz_plots", "arviz_stats", "jinja2", "rich", "typer"}
GRAPHS = {"models.elicited", "models.scales"}  # all graph: imported by `build` alone
NOT_FOR_MODELS = SHOWS | {"analysis", "nutpie", "preliz"}
PLOTS = {"matplotlib", "arviz_plots", "jinja2"}


def modules(package: str) -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODELS, ANALYSIS = modules("models"), modules("analysis")
EVERY = {**MODELS, **ANALYSIS}
COMMANDS = [name for name in ANALYSIS if name.startswith("analysis.commands")]
LEVEL |= dict.fromkeys(COMMANDS, LEVEL["analysis.cli"])


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports when it runs, and whether it does so at module level."""

    def walk(node: ast.AST, top: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if is_type_checking(child):
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


def test_the_walk_sees_imports_of_every_kind(tmp_path) -> None:
    """Negative control of the tests below."""
    file = tmp_path / "x.py"
    file.write_text(
        "import rich.table\nfrom analysis import plots\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import typer\n"
        "def f():\n    if True:\n        from matplotlib.figure import Figure\n",
        "utf-8",
    )
    seen = set(imports(file))
    assert seen == {("rich.table", True), ("analysis.plots", True), ("typing", True), ("matplotlib.figure", False)}


@pytest.mark.parametrize("name", MODELS)
def test_models_import_neither_analysis_nor_plots_nor_command_line_nor_sampler(name) -> None:
    """Not even inside a function."""
    assert not {module for module, _ in imports(MODELS[name]) if module.split(".")[0] in NOT_FOR_MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_models_ask_for_pymc_only_to_build_one(name) -> None:
    """Reading views, evidence and draws needs no compiler: PyMC is imported by functions, and by the file that is all graph."""
    at_import = {module.split(".")[0] for module, top in imports(MODELS[name]) if top}
    assert name in GRAPHS or not at_import & {"pymc", "pytensor"}
    assert name in GRAPHS or not GRAPHS & {module for module, top in imports(MODELS[name]) if top}


def test_every_module_of_analysis_has_a_layer() -> None:
    assert set(ANALYSIS) - {FACADE} <= set(LEVEL), "give the new module its place in LAYERS"


@pytest.mark.parametrize("name", [name for name in ANALYSIS if name in LEVEL])
def test_no_layer_imports_a_higher_one(name) -> None:
    higher = {
        (name, module) for module, _ in imports(ANALYSIS[name]) if module in LEVEL and LEVEL[module] > LEVEL[name]
    }
    assert higher <= EXCEPTIONS


def test_the_exception_is_made_inside_a_function() -> None:
    for name, module in EXCEPTIONS:
        assert {top for seen, top in imports(ANALYSIS[name]) if seen == module} == {False}


@pytest.mark.parametrize("name", [name for name in ANALYSIS if LEVEL.get(name, 0) < LEVEL["analysis.plot_style"]])
def test_nothing_below_the_plots_draws(name) -> None:
    assert not {module for module, _ in imports(ANALYSIS[name]) if module.split(".")[0] in PLOTS}


@pytest.mark.parametrize("name", [name for name in ANALYSIS if LEVEL.get(name, 0) < LEVEL["analysis.cli"]])
def test_only_the_command_line_speaks_to_the_terminal(name) -> None:
    assert not {module for module, _ in imports(ANALYSIS[name]) if module.split(".")[0] in {"rich", "typer"}}


@pytest.mark.parametrize("name", ["analysis.cli", *COMMANDS])
def test_the_command_line_imports_nothing_slow_until_a_command_needs_it(name) -> None:
    at_import = {module for module, top in imports(ANALYSIS[name]) if top}
    slow = {"pymc", "pytensor", "nutpie", "xarray", "numpy", "scipy", "rich", "matplotlib"}
    assert not {module.split(".")[0] for module in at_import} & slow
    assert {m for m in at_import if m.startswith(("analysis", "models."))} <= {*COMMANDS, "models.errors"}


def test_importing_the_package_imports_none_of_its_modules() -> None:
    assert not [
        module for module, top in imports(ANALYSIS[FACADE]) if top and module.startswith(("analysis", "models"))
    ]


def test_no_two_modules_import_each_other() -> None:
    graph = {name: {module for module, top in imports(path) if top and module in EVERY} for name, path in EVERY.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(EVERY)


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
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_importing_any_module_reads_no_evidence_and_no_view_and_writes_nothing() -> None:
    done = watched(*(name for name in EVERY if not name.endswith("__main__")))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "reading",
    [
        "from models.evidence import load_evidence; load_evidence()",
        "from models.views import load_view; load_view('default')",
    ],
)
def test_the_watch_notices_a_reading(reading) -> None:
    """Negative control of the test above."""
    done = watched("models.evidence", then=reading)
    assert done.returncode == 1
    assert "when imported" in done.stderr


def test_importing_the_models_loads_no_pymc() -> None:
    """All of it but the files that build graphs: the path of commands that only read."""
    names = [name for name in MODELS if name not in GRAPHS]
    done = watched(
        *names, then="\nloaded = {'pymc', 'pytensor', 'matplotlib', 'nutpie'} & set(sys.modules)\nprint(sorted(loaded))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
