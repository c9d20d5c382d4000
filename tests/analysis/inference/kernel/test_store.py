"""Machine code on disk: every damage costs a recompile and one line, and never a wrong answer."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.compile_cache import VARIABLE, cache_folder
from aligntax.analysis.inference.kernel import store
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.compile import compile_kernel
from aligntax.analysis.inference.kernel.front import flatten
from aligntax.analysis.inference.kernel.kernel import Kernel
from aligntax.analysis.inference.kernel.store import (
    SUFFIX,
    fingerprint,
    kernel_for,
    read_program,
    write_program,
)
from aligntax.models import scaling
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.views import load_view
from tests.analysis.inference.kernel.graphs import numbers

MODEL = find_model("scaling")


@pytest.fixture(scope="module")
def compiled(evidence, view):
    return compile_kernel(MODEL.build(restrict(evidence, view, MODEL), view), effort=0)


@pytest.fixture
def ask(evidence, view, compiled, tmp_path, monkeypatch):
    """``ask()``: a kernel, whether it was compiled, and what was said."""
    own, built, said = restrict(evidence, view, MODEL), [], []

    def compile_it(density, cpu, points=None):
        built.append(True)
        return compiled

    monkeypatch.setattr(store, "compile_density", compile_it)

    def asked(evidence=own, view=view, folder=tmp_path):
        built.clear()
        said.clear()
        kernel = kernel_for(MODEL.build(evidence, view), said.append, folder)
        return kernel, bool(built), [*said]

    return asked


def answers(kernel, evidence, view):
    graph = MODEL.build(restrict(evidence, view, MODEL), view)
    return kernel.prepare(numbers(graph)).log_density_and_gradient(kernel.program.check_points)


def test_what_is_kept_is_read_and_is_the_same(ask, compiled, tmp_path) -> None:
    _, built, said = ask()
    assert built and not said
    (path,) = tmp_path.iterdir()
    assert path.suffix == SUFFIX and path.stat().st_mode & 0o077 == 0
    kernel, built, said = ask()
    assert not built and not said
    for name, value in vars(compiled.program).items():
        got = getattr(kernel.program, name)
        same = np.array_equal(got, value) if isinstance(value, np.ndarray) else got == value
        assert same and type(got) is type(value), name


def test_another_view_of_priors_compiles_nothing_and_another_graph_does(
    ask, evidence, view
) -> None:
    ask()
    _, built, _ = ask(view=load_view("vague"))
    assert not built
    assert ask(evidence=restrict(evidence.until(2023.0), view, MODEL))[1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:10],
        lambda content: b"",
        lambda content: b"something else entirely" * 100,
        lambda content: content[:-100] + bytes(100),
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: content.replace(b"kernel 1", b"kernel 0", 1),
    ],
)
def test_a_damaged_file_costs_a_recompile_and_one_line(ask, tmp_path, damage) -> None:
    ask()
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    _, built, said = ask()
    assert built and len(said) == 1
    assert said[0] == f"compiling again: {path} will not do (it is damaged)"
    assert path.read_bytes() == whole, "it is not mended"
    assert ask()[1:] == (False, [])


def test_code_that_is_whole_and_wrong_is_refused_by_its_check_points(
    ask, compiled, tmp_path
) -> None:
    """As a bug of a compiler, or a processor that lacks what it says it has."""
    ask()
    (path,) = tmp_path.iterdir()
    write_program(path, replace(compiled.program, constants=compiled.program.constants + 1e-6))
    kernel, built, said = ask()
    assert built and kernel is compiled
    assert said == [f"compiling again: {path} will not do (the code fails its check points)"]


def test_a_file_that_others_can_write_is_not_executed(ask, tmp_path) -> None:
    ask()
    (path,) = tmp_path.iterdir()
    path.chmod(0o666)
    _, built, said = ask()
    assert built and "others can write it" in said[0] and len(said) == 1
    assert ask()[1:] == (False, []), "the new file is the user's alone"


def test_data_that_differ_in_what_is_granted_are_another_file(
    evidence, view, ask, tmp_path
) -> None:
    ask()
    own = restrict(evidence, view, MODEL)
    rows = scaling.studies(own).copy(deep=True)
    rows["group_index"].values[0] = rows["group_index"].values[-1]
    moved = own.with_likelihood_rows({"scaling_exponents": rows})
    assert ask(evidence=moved)[1]


def test_rows_with_other_numbers_compile_nothing(evidence, view, ask) -> None:
    ask()
    own = restrict(evidence, view, MODEL)
    rows = scaling.studies(own).copy(deep=True)
    rows["log_gamma"].values[:] += 0.1
    _, built, said = ask(evidence=own.with_likelihood_rows({"scaling_exponents": rows}))
    assert not built and not said


def test_a_folder_that_cannot_be_written_is_one_line(ask, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    _, built, said = ask(folder=tmp_path / "file" / "below")
    assert built and len(said) == 1
    assert "cannot be written, so that every command compiles anew" in said[0]


def test_a_file_that_cannot_be_read_is_one_line(ask, tmp_path, monkeypatch) -> None:
    ask()
    monkeypatch.setattr(store, "read_program", lambda path: (path / "x").read_bytes())
    _, built, said = ask()
    assert built and len(said) == 1 and "will not do" in said[0]


def test_a_full_disk_leaves_nothing_behind(ask, tmp_path, monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.Path, "replace", full)
    _, built, said = ask()
    assert built and "No space left on device" in said[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["graph", "granted", "cpu", "sources", "llvmlite"])
def test_the_name_changes_with_everything_that_code_depends_on(
    evidence, view, monkeypatch, part
) -> None:
    cpu, own = Processor.here(), restrict(evidence, view, MODEL)
    density = flatten(MODEL.build(own, view))
    before = fingerprint(density, cpu)
    assert fingerprint(flatten(MODEL.build(own, load_view("vague"))), cpu) == before
    if part == "graph":
        density = flatten(MODEL.build(own.until(2023.0), view))
    if part == "granted":
        index, value = max(density.granted.items())
        density = replace(density, granted={**density.granted, index: value + 1})
    if part == "cpu":
        cpu = replace(cpu, features=cpu.features + ",+x")
    if part == "sources":
        monkeypatch.setattr(store, "sources", lambda *folders: "others")
    if part == "llvmlite":
        monkeypatch.setattr(store, "version", lambda name: "0")
    assert fingerprint(density, cpu) != before


def test_the_sources_are_all_of_this_room(monkeypatch) -> None:
    before = store.sources(store.Path(store.__file__).parent)
    read = store.Path.read_bytes
    for name in ("front.py", "functions.py"):
        monkeypatch.setattr(
            store.Path, "read_bytes", lambda p, n=name: read(p) + b"#" * (p.name == n)
        )
        assert store.sources(store.Path(store.__file__).parent) != before, name


def test_files_that_were_written_longest_ago_are_forgotten(
    ask, compiled, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(store, "MOST", 3)
    for age in range(1, 6):
        path = tmp_path / f"{age}{SUFFIX}"
        write_program(path, compiled.program)
        os.utime(path, (1e9 - age, 1e9 - age))
    ask()
    assert {path.name for path in tmp_path.iterdir()} >= {f"1{SUFFIX}", f"2{SUFFIX}"}
    assert len(list(tmp_path.iterdir())) == 3
    assert not ask()[1], "the newest is gone"


TWO = """
import sys
from pathlib import Path
from aligntax.analysis.inference.kernel.store import read_program, write_program
source, target = map(Path, sys.argv[1:])
program = read_program(source)
for _ in range(100):
    write_program(target, program)
    read_program(target)
"""


def test_two_processes_may_write_at_once(compiled, tmp_path) -> None:
    source, target = tmp_path / "source", tmp_path / "kept" / f"code{SUFFIX}"
    write_program(source, compiled.program)
    command = [sys.executable, "-c", TWO, str(source), str(target)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for each in both:
        _, error = each.communicate(timeout=120)
        assert each.returncode == 0, error
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    Kernel(read_program(target))


NEW = """
from aligntax.analysis.inference.kernel import store
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view

def refuse(*_):
    raise SystemExit("it is compiled")

store.compile_density = refuse
model, view = find_model("scaling"), load_view("vague")
graph = model.build(restrict(load_evidence(), view, model), view)
kernel = store.kernel_for(graph, print)
data = {variable.name: variable.get_value() for variable in graph.data_vars}
value, _ = kernel.prepare(data).log_density_and_gradient(kernel.program.check_points)
print(value.tolist())
"""


def test_a_new_process_compiles_nothing(ask, evidence, compiled, tmp_path) -> None:
    ask(folder=tmp_path / "kernels")
    done = subprocess.run(
        [sys.executable, "-c", NEW],
        env={**os.environ, VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(answers(compiled, evidence, load_view("vague"))[0].tolist())


def test_the_folder_is_the_one_that_is_named_or_home_s(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "aligntax"
