"""The folder of compiled code: PyTensor and Numba use the one that is named, and a wrong one is told before anything runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aligntax.analysis.inference.compile_cache import (
    VARIABLE,
    before_pytensor,
    not_kept,
    use_cache,
)
from aligntax.models.errors import InputError

COMPILE = """
import os
from aligntax.analysis.inference.compile_cache import use_cache
use_cache()
import pytensor, pytensor.tensor as pt
from numba.core import config
x = pt.vector("x")
assert pytensor.function([x], pt.exp(x).sum(), mode="NUMBA")([0.0, 0.0]) == 2.0
print(pytensor.config.base_compiledir)
print(config.CACHE_DIR)
"""


@pytest.fixture
def environment(monkeypatch):
    """``environment(**variables)``: these alone of what says where compiled code is kept; undone after the test."""

    def state(**variables):
        for name in (VARIABLE, "PYTENSOR_FLAGS", "NUMBA_CACHE_DIR"):
            monkeypatch.setenv(name, "")  # so that what the code sets is undone too
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))

    return state


def compiled():
    """Folders of PyTensor and of Numba in a new process that compiled something."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", COMPILE], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["plain", "it's, a = #place"])
def test_compiled_code_is_kept_in_the_folder_that_is_named(environment, tmp_path, name) -> None:
    folder = tmp_path / name / "made"
    environment(ALIGNTAX_CACHE=folder)
    assert compiled() == [str(folder), str(folder / "numba")]
    assert list((folder / "numba").glob("*.nbi")), "nothing is kept for the next process"


def test_what_the_user_says_of_either_comes_first(environment, tmp_path) -> None:
    mine = tmp_path / "mine"
    flags = f"floatX=float64,base_compiledir={mine}"
    environment(
        ALIGNTAX_CACHE=tmp_path / "ours", PYTENSOR_FLAGS=flags, NUMBA_CACHE_DIR=tmp_path / "other"
    )
    assert compiled() == [str(mine), str(tmp_path / "other")]


@pytest.mark.parametrize("stated", [{}, {VARIABLE: ""}])
def test_nothing_is_set_where_no_folder_is_named(environment, stated) -> None:
    environment(**stated)
    before = dict(os.environ)
    use_cache()
    assert dict(os.environ) == before


def test_a_folder_of_home_can_be_named(environment, tmp_path) -> None:
    environment(ALIGNTAX_CACHE="~/kept", HOME=tmp_path)
    use_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "kept" / "numba")


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300])
def test_no_folder_is_one_message_and_exit_code_2(environment, aligntax, tmp_path, name) -> None:
    (tmp_path / "file").write_text("")
    environment(ALIGNTAX_CACHE=tmp_path / name)
    code, out, err = aligntax("runs")
    assert (code, out) == (2, "")
    assert err.startswith(
        f"aligntax: {VARIABLE}: must be a folder that can be written, got '{tmp_path / name}' ("
    )
    assert err.endswith("); name another or unset it\n") and err.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_refused(environment, monkeypatch, tmp_path) -> None:
    environment(ALIGNTAX_CACHE=tmp_path)
    use_cache()  # can be written, or the refusal below would say nothing
    # root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(InputError, match="Permission denied"):
        use_cache()


def test_a_home_that_cannot_be_written_is_no_obstacle(environment, monkeypatch, tmp_path) -> None:
    """PyTensor itself ends in a traceback there."""
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)  # root may write
    environment(HOME=tmp_path)
    assert not not_kept()
    use_cache()
    kept = Path(os.environ["PYTENSOR_FLAGS"].removeprefix("base_compiledir="))
    assert kept.is_dir() and kept.stat().st_mode & 0o077 == 0, "others may not write code there"
    assert os.environ["NUMBA_CACHE_DIR"] == str(kept / "numba")
    assert "name a folder that can with ALIGNTAX_CACHE" in not_kept()
    assert compiled()[0] == str(kept)
    shutil.rmtree(kept)


def test_a_folder_that_the_user_names_needs_no_home(environment, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    flags = f"base_compiledir={tmp_path}"
    environment(HOME=tmp_path, PYTENSOR_FLAGS=flags)
    use_cache()
    assert os.environ["PYTENSOR_FLAGS"] == flags and not not_kept()


@pytest.mark.parametrize(
    "words",
    [
        "from aligntax import Sampling, run\n"
        "options = Sampling(draws=50, tune=50, chains=2, cores=1)\n"
        "run('scaling', options=options, report=False, progress=False)",
        "from aligntax import compile_model, load_evidence, load_view\n"
        "from aligntax.models.catalogue import find_model\n"
        "compile_model(find_model('scaling'), load_evidence(), load_view('default')).graph",
        "import aligntax.analysis.trust.calibration.simulation, sys\n"
        "assert 'pytensor' not in sys.modules",
    ],
)
def test_python_needs_no_home_either(environment, tmp_path, words) -> None:
    """Only the command line chose a folder before PyTensor was imported, which ended in its traceback."""
    (tmp_path / "file").write_text("")
    environment(HOME=tmp_path / "file" / "home")  # no folder, for root neither
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_a_choice_that_is_made_is_not_made_again(environment, tmp_path) -> None:
    environment(ALIGNTAX_CACHE=tmp_path)
    use_cache()
    before = dict(os.environ)
    use_cache()
    assert dict(os.environ) == before


def test_a_pytensor_that_is_imported_keeps_its_folder(environment, monkeypatch, tmp_path) -> None:
    environment(ALIGNTAX_CACHE=tmp_path)
    before = dict(os.environ)
    monkeypatch.setitem(sys.modules, "pytensor", sys)
    before_pytensor()
    assert dict(os.environ) == before
