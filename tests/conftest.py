"""Shared between tests: evidence, the default view, one compiled joint model with its fits, and stored runs."""

import re
import shutil
import signal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import Result
from aligntax.models.catalogue import find_model
from aligntax.models.evidence import load_evidence
from aligntax.models.registry import EXTENSIONS
from aligntax.models.views import load_view
from aligntax.models.views.changes import compiled_in

# no timing assertions; the same examples every time
settings.register_profile("aligntax", deadline=None, derandomize=True)
settings.load_profile("aligntax")

REFERENCE = Path(__file__).parents[1] / "results" / "reference"


def pytest_configure(config) -> None:
    """Let an interrupt interrupt where a shell starts the tests in the background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# A function that takes one of these samples the joint model, or has it compiled.
JOINT = re.compile(r"^ *def \w+\([^)]*\b(joint|outcomes?|run_folder|damaged)\b", re.MULTILINE)


@cache
def uses_joint(file: str) -> bool:
    return JOINT.search(Path(__file__).parents[1].joinpath(file).read_text("utf-8")) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests stay in one process, for its fixtures; so do all files of the joint model."""
    from xdist.scheduler import LoadFileScheduling

    class ByModel(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "joint" if uses_joint(file) else file

    return ByModel(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def nothing_stays_registered():
    """What a test adds to a registry is forgotten after it."""
    with EXTENSIONS.forgotten_after():
        yield


@pytest.fixture(scope="session")
def evidence():
    return load_evidence()


@pytest.fixture(scope="session")
def view():
    return load_view("default")


@pytest.fixture(scope="session")
def reference() -> Result:
    """The committed run: 4 chains of 220 draws, single precision."""
    return load(REFERENCE)


@pytest.fixture(scope="session", autouse=True)
def compiled_once():
    """What is compiled into a model is compiled once for all tests, commands in this process too: half a minute each.

    A test of what compiling depends on starts a process.
    """
    from aligntax.analysis.inference import compiled_model as fit

    compile_on, made = fit.compile_on, {}

    def once(model, evidence, view):
        if evidence.ready:  # likelihood rows of its own, which its hash does not cover
            return compile_on(model, evidence, view)
        key = model, evidence.hash, repr(compiled_in(view))
        if key not in made:
            made[key] = compile_on(model, evidence, view)
        return made[key].with_view(view)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "compile_on", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def commands_read_once():
    """The signatures of all commands, which a process reads once, take most of a call of the command line."""
    import typer.main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session")
def joint(evidence, view):
    """The joint model, compiled once for all tests."""
    from aligntax.analysis.inference.compiled_model import compile_model

    return compile_model(find_model("joint"), evidence, view)


@pytest.fixture(scope="session")
def outcome(joint):
    """Joint model, 4 chains of 1000 draws: fit, derived quantities, checks."""
    return concluded(joint, 2022)


@pytest.fixture(scope="session")
def outcomes(joint, outcome):
    """The same on three seeds."""
    return {2022: outcome} | {seed: concluded(joint, seed) for seed in (1, 7)}


def concluded(compiled, seed: int):
    """What a run of the model makes of its draws on a seed."""
    from aligntax.analysis.answers.sensitivity import with_sensitivity
    from aligntax.analysis.fitting.outcome import conclude_fit
    from aligntax.analysis.inference.options import Sampling

    options = Sampling(seed=seed)
    return with_sensitivity(conclude_fit(compiled.sample(options), options, {}))


@pytest.fixture(scope="session")
def scaling(evidence, view):
    """The meta-analysis alone, compiled once."""
    from aligntax.analysis.inference.compiled_model import compile_model

    return compile_model(find_model("scaling"), evidence, view)


@pytest.fixture(scope="session")
def overoptimization(evidence, view):
    """The model of gold curves, on the stored ones, compiled once."""
    from aligntax.analysis.inference.compiled_model import compile_model

    return compile_model(find_model("overoptimization"), evidence, view)


@pytest.fixture(scope="session")
def outer_alignment(evidence, view):
    """The model of label errors and comparisons needed, compiled once."""
    from aligntax.analysis.inference.compiled_model import compile_model

    return compile_model(find_model("outer-alignment"), evidence, view)


@pytest.fixture(scope="session")
def run_folder(outcome, tmp_path_factory):
    """A finished run with its report, in a results folder of its own."""
    from aligntax.analysis.fitting.outcome import write_outcome
    from aligntax.analysis.pages.report import write_report
    from aligntax.analysis.storage.unfinished import new_folder

    out = tmp_path_factory.mktemp("results")
    with new_folder(out, "run") as place:
        write_report(write_outcome(place.folder, outcome, "run"), strict=True)
    return place.path


@pytest.fixture
def damaged(run_folder, tmp_path):
    """A copy of the finished run that a test may damage."""
    return Path(shutil.copytree(run_folder, tmp_path / "copy"))
