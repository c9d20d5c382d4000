"""Machine code on disk: every damage costs a recompile and one line, and never a wrong answer."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.compile_cache import VARIABLE, kernel_folder
from aligntax.analysis.inference.compiled_model import data_of_evidence, data_of_view
from aligntax.analysis.inference.kernel import store
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.compile import compile_kernel
from aligntax.analysis.inference.kernel.kernel import Kernel
from aligntax.analysis.inference.kernel.store import (
    SUFFIX,
    fingerprint,
    kernel_for,
    numbers,
    read_program,
    write_program,
)
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.priors.elicited import stack_columns
from aligntax.models.views import load_view

MODEL = find_model("scaling")


@pytest.fixture(scope="module")
def compiled(evidence, view):
    return compile_kernel(MODEL.build(restrict(evidence, view, MODEL), view), effort=0)


@pytest.fixture
def ask(evidence, view, compiled, tmp_path):
    """``ask()``: a kernel, whether it was compiled, and what was said."""

    own = restrict(evidence, view, MODEL)

    def asked(model=MODEL, evidence=own, view=view, folder=tmp_path):
        built, said = [], []

        def compile_it():
            built.append(True)
            return compiled

        kernel = kernel_for(model, evidence, view, compile_it, said.append, folder)
        return kernel, bool(built), said

    return asked


def answers(kernel, evidence, view):
    density = kernel.prepare(numbers(MODEL, restrict(evidence, view, MODEL), view))
    return density.log_density_and_gradient(kernel.program.check_points)


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


def test_numbers_are_those_of_the_graph(evidence, view) -> None:
    for name in ("joint", "outer-alignment"):
        model = find_model(name)
        used = restrict(evidence, view, model)
        graph = model.build(used, view)
        got = numbers(model, used, view)
        rows = data_of_evidence(used, view, model, graph)
        expected = data_of_view(view, model, graph) | {
            each: stack_columns(table) for each, table in rows.items()
        }
        assert set(expected) <= set(got)
        for each, value in expected.items():
            assert np.array_equal(got[each], value), each


def test_another_view_of_priors_compiles_nothing_and_another_setting_does(ask) -> None:
    ask()
    _, built, _ = ask(view=load_view("vague"))
    assert not built
    other = load_view("default")
    settings = replace(other.compute, runs_since=2019.0)
    assert ask(view=replace(other, compute=settings))[1]


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
    rows = MODEL.data(own, view)["studies"].copy(deep=True)
    rows["group_index"].values[0] = rows["group_index"].values[-1]
    moved = own.with_likelihood_rows({"scaling_exponents": rows})
    assert ask(evidence=moved)[1]


def test_rows_with_other_numbers_compile_nothing(evidence, view, ask) -> None:
    ask()
    own = restrict(evidence, view, MODEL)
    from aligntax.models import scaling

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


@pytest.mark.parametrize(
    "part", ["model", "evidence", "view", "cpu", "sources", "packages", "shapes"]
)
def test_the_name_changes_with_everything_that_code_depends_on(
    evidence, view, monkeypatch, part
) -> None:
    cpu, own = Processor.here(), restrict(evidence, view, MODEL)
    data = numbers(MODEL, own, view)
    asked = {"model": MODEL, "evidence": own, "view": view, "cpu": cpu, "data": data}
    before = fingerprint(**asked)
    assert fingerprint(**asked) == before
    changed = {
        "model": {"model": replace(MODEL, version=MODEL.version + 1)},
        "evidence": {"evidence": own.until(2023.0)},
        "view": {"view": replace(view, evidence=replace(view.evidence, use="none"))},
        "cpu": {"cpu": replace(cpu, features=cpu.features + ",+x")},
        "shapes": {"data": data | {"studies": data["studies"][:, 1:]}},
    }.get(part, {})
    if part == "sources":
        monkeypatch.setattr(store, "_sources", lambda: "others")
    if part == "packages":
        monkeypatch.setattr(store, "version", lambda name: "0")
    assert fingerprint(**asked | changed) != before


def test_the_sources_are_all_that_a_graph_and_its_code_are_made_of(monkeypatch) -> None:
    before = store._sources()
    read = store.Path.read_bytes
    for name in ("joint.py", "tables.py", "front.py", "functions.py"):
        monkeypatch.setattr(
            store.Path, "read_bytes", lambda p, n=name: read(p) + b"#" * (p.name == n)
        )
        assert store._sources() != before, name


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
import sys
from aligntax.analysis.inference.kernel.store import kernel_for, numbers
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view

model, view = find_model("scaling"), load_view("vague")
evidence = restrict(load_evidence(), view, model)
kernel = kernel_for(model, evidence, view, None, print)
value, _ = kernel.prepare(numbers(model, evidence, view)).log_density_and_gradient(kernel.program.check_points)
print(value.tolist())
print(sorted({"pymc", "pytensor", "numba"} & set(sys.modules)))
"""


def test_a_new_process_compiles_nothing_and_imports_no_compiler(
    ask, evidence, compiled, tmp_path
) -> None:
    ask(folder=tmp_path / "kernels")
    done = subprocess.run(
        [sys.executable, "-c", NEW],
        env={**os.environ, VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values, modules = done.stdout.splitlines()
    assert modules == "[]"
    vague = load_view("vague")
    assert values == str(answers(compiled, evidence, vague)[0].tolist())


def test_the_folder_is_the_one_that_is_named_or_home_s(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert kernel_folder() == tmp_path / "kernels"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kernel_folder() == tmp_path / ".cache" / "aligntax" / "kernels"
