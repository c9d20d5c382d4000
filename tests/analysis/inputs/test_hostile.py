"""Hostile input: one clear error or an answer, nothing written elsewhere, no code run, bounded memory and time.

``make fuzz`` gives 24,000 inputs of the same kinds.
"""

import ast
import hashlib
import json
import os
import shutil
from contextlib import chdir
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aligntax.analysis.storage.draw_files import read_tree
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.run_folder import LARGEST, read_json, read_text
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.models.errors import InputError
from tests.fuzz.__main__ import once
from tests.fuzz.targets import TARGETS, Place

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "results" / "reference"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place.of(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("target", list(TARGETS))
@settings(max_examples=25)
@given(seed=st.integers(0, 10**9))
def test_every_reader_takes_or_refuses_what_it_is_given(target, seed, place) -> None:
    with chdir(place.folder):
        outcome, wrong = once(target, seed, place)
    assert outcome in ("taken", "refused"), wrong


# -------------------------------------------------------------------------------- the source itself

RUNS_CODE = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}


def test_nothing_unpickles_or_runs_text() -> None:
    """No module imports what unpickles; no call runs text, a shell, or a loader that may unpickle. Workers' pipes are the system's."""
    for path in [*(ROOT / "models").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [each.name for each in node.names]
                )
                assert not {name.split(".")[0] for name in names} & UNSAFE, path
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name):
                    assert node.func.id not in RUNS_CODE, (path, node.lineno)
                shown = ast.unparse(node.func)
                assert shown not in (
                    "os.system",
                    "os.popen",
                    "np.load",
                    "numpy.load",
                    "pd.read_pickle",
                ), (
                    path,
                    node.lineno,
                )
                assert not any(k.arg in ("shell", "allow_pickle") for k in node.keywords), (
                    path,
                    node.lineno,
                )


# ------------------------------------------------------------------------------- folders of results


@pytest.fixture
def home(tmp_path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "results" / "hostile"))


def agree(home: Path) -> None:
    """Write the hashes of the files as they are, as whoever made them would."""
    info = json.loads((home / "info.json").read_text())
    info["files"] = {
        name: hashlib.sha256((home / name).read_bytes()).hexdigest() for name in info["files"]
    }
    (home / "info.json").write_text(json.dumps(info))


@pytest.mark.parametrize("spoil", ["cut", "foreign", "text", "flipped"])
def test_draws_that_are_damaged_though_their_hash_agrees_are_refused_in_one_line(
    spoil, home, aligntax
) -> None:
    path = home / "posterior.nc"
    content = path.read_bytes()
    if spoil == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif spoil == "text":
        path.write_bytes(b"not a file of draws")
    elif spoil == "flipped":  # metadata, whose checksum HDF5 keeps
        start = content.index(b"OHDR", 1000)
        path.write_bytes(
            content[: start + 20] + bytes([content[start + 20] ^ 255]) + content[start + 21 :]
        )
    else:
        import xarray as xr

        xr.Dataset({"x": ("y", [1.0])}).to_netcdf(path, engine="h5netcdf")
    agree(home)
    code, out, err = aligntax("show", home, "--given", "tai_year<2040")
    assert code == 2 and not out and "Traceback" not in err
    assert err.count("aligntax: ") == 1
    with pytest.raises(InputError):
        read_sampled_run(home)


def test_a_link_to_a_device_or_a_pipe_is_no_file(home, aligntax) -> None:
    for name in ("info.json", "summary.json", "view.toml"):
        path = home / name
        kept = path.read_bytes()
        path.unlink()
        path.symlink_to("/dev/zero")
        with pytest.raises(InputError):
            load(home)
        # which it does not read
        assert aligntax("show", home)[0] == (0 if name == "view.toml" else 2)
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(InputError):
            load(home)
        path.unlink()
        path.write_bytes(kept)
    assert load(home).record["run"] == "reference"


def test_text_is_read_no_further_than_a_bound(tmp_path) -> None:
    path = tmp_path / "summary.json"
    with path.open("wb") as file:
        file.truncate(20 * LARGEST)  # sparse: a gigabyte of nothing
    with pytest.raises(InputError, match="must be smaller than"):
        read_text(path)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="UTF-8"):
        read_text(path)
    path.write_text("[" * 100_000)
    with pytest.raises(InputError, match="must be JSON"):
        read_json(path)


def test_an_object_in_a_file_of_draws_is_not_unpickled(tmp_path) -> None:
    """An HDF5 file can hold bytes that say they are a pickle; they stay bytes."""
    import h5py

    path, touched = tmp_path / "posterior.nc", tmp_path / "pwned"
    payload = f"cos\nsystem\n(S'touch {touched}'\ntR.".encode()
    with h5py.File(path, "w") as file:
        group = file.create_group("posterior")
        group.attrs["pickle"] = payload
        group.create_dataset("z", data=[1.0])
        group["z"].attrs["_FillValue"] = payload
    with pytest.raises(InputError):
        read_tree(path)
    assert not touched.exists()


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x1b]0;title\x07", "a\x1b[2Jb"])
def test_what_a_file_says_of_itself_cannot_steer_the_terminal(text, home, aligntax) -> None:
    for name in ("summary.json", "info.json"):
        value = json.loads((home / name).read_text())
        value["view"] = (
            {"name": text, "hash": value["view"]["hash"]} if name == "info.json" else text
        )
        value["command"] = text
        (home / name).write_text(json.dumps(value))
    agree(home)
    for words in (("show", home), ("runs", "--out", home.parent)):
        _, out, err = aligntax(*words)
        assert "\x1b" not in out + err


def test_a_view_that_extends_a_name_no_file_can_have_is_refused(tmp_path, aligntax) -> None:
    path = tmp_path / "long.toml"
    path.write_text(f'extends = "{"9" * 5000}"\n')
    code, out, err = aligntax("view", "check", path)
    assert code == 2 and not out and "extends" in err and "Traceback" not in err
