"""Draws in netCDF or in zarr: the same run by either, and damage is one clear error."""

import gc
import json
import shutil
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.answers.densities import read_draws
from aligntax.analysis.storage import draw_files
from aligntax.analysis.storage.draw_files import (
    FILES,
    check_format,
    file_of_draws,
    read_tree,
    write_tree,
)
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import write_run
from aligntax.analysis.storage.run_folder import RunFolder, file_hash, find_run
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.storage.whole_file import write_json
from aligntax.models.errors import InputError
from tests.conftest import REFERENCE

STORE = FILES["zarr"]


def groups_of(result):
    nodes = ((path, node.to_dataset(inherit=False)) for path, node in result.tree.subtree_with_keys)
    return {path: dataset for path, dataset in nodes if dataset.variables}


@pytest.fixture(scope="module")
def runs(reference, tmp_path_factory):
    """The reference run stored both ways, as `netcdf` and `zarr` in one results folder."""
    out = tmp_path_factory.mktemp("results")
    for format in FILES:
        (out / format).mkdir()
        write_run(
            out / format,
            format,
            groups_of(reference),
            reference.view,
            reference.record,
            reference.info,
            format,
        )
    return out


@pytest.fixture
def copy(runs, tmp_path):
    """The run in zarr, to be damaged."""
    return shutil.copytree(runs / "zarr", tmp_path / "copy")


def rewrite(path, change):
    """Write a zip again, each file as ``change`` of its name and bytes has it; None leaves it out."""
    with zipfile.ZipFile(path) as archive:
        files = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            if data is not None:
                archive.writestr(name, data)


def forge(folder):
    """Let the hash be that of the damaged file, so that only reading it tells."""
    info = json.loads((folder / "info.json").read_text())
    info["files"][STORE] = file_hash(folder / STORE)
    write_json(folder / "info.json", info)


# ---------------------------------------------------------------------------------- what is written


def test_a_run_has_one_file_of_draws_in_its_format(runs):
    for format, file in FILES.items():
        names = sorted(path.name for path in (runs / format).iterdir())
        assert names == sorted([file, "info.json", "summary.csv", "summary.json", "view.toml"])
        assert RunFolder(runs / format).differences == []


@pytest.mark.slow
def test_every_group_comes_back_as_it_was(runs, reference):
    netcdf, zarr = load(runs / "netcdf"), load(runs / "zarr")
    assert list(groups_of(zarr)) == list(groups_of(netcdf)) == list(groups_of(reference))
    for name, dataset in groups_of(zarr).items():
        assert dataset.identical(groups_of(netcdf)[name]), name
        # the order of every table
        assert list(dataset.data_vars) == list(groups_of(netcdf)[name].data_vars), name
        assert all(
            dataset[v].dtype == groups_of(reference)[name][v].dtype for v in dataset.variables
        ), name
    assert zarr.evidence.hash == netcdf.evidence.hash == reference.evidence.hash


def test_what_h5py_reads_is_what_xarray_reads(tmp_path) -> None:
    """Every group of the stored run; and what it lacks: other coordinates, a dimension of no variable's name."""
    other = xr.Dataset(
        {"x": (("draw", "side"), np.zeros((2, 3)), {"unit": "h"}), "empty": ("none", np.zeros(0))},
        coords={"draw": [4, 7], "label": ("draw", ["a", "b"]), "at": 3.5},
        attrs={"n": 2},
    )
    write_tree(tmp_path / FILES["netcdf"], {"a": other, "b/c": other}, {})
    for path in (REFERENCE / FILES["netcdf"], tmp_path / FILES["netcdf"]):
        with xr.open_datatree(path, engine="h5netcdf") as lazy:
            ours, theirs = read_tree(path), lazy.load()
        xr.testing.assert_identical(ours, theirs)
        for name, node in theirs.subtree_with_keys:
            found = ours[name].to_dataset()
            assert list(found.data_vars) == list(node.to_dataset().data_vars), name
            assert {v: x.dtype for v, x in found.variables.items()} == {
                v: x.dtype for v, x in node.variables.items()
            }, name


@pytest.mark.parametrize("format", FILES)
def test_odd_values_are_kept(tmp_path, format):
    dims = ("chain", "draw")
    odd = xr.Dataset(
        {
            "missing": (dims, [[np.nan, 0.0, -0.0]]),
            "infinite": (dims, [[np.inf, -np.inf, 1e300]]),
            "flag": (dims, [[True, False, True]]),
            "single": (dims, np.float32([[1.5, np.nan, 3.0]])),
            "none": (("chain", "empty"), np.zeros((1, 0))),
            "number": 3,
        },
        coords={"quantity": ["Größe", "", "b c"]},
        attrs={"title": "t"},
    )
    written = write_tree(tmp_path / FILES[format], {"a": odd, "b/c": odd}, {})
    read = read_tree(tmp_path / FILES[format])
    for name in ("a", "b/c"):
        found = read[name].to_dataset()
        assert found.identical(written[name].to_dataset())
        assert {v: found[v].dtype for v in ("flag", "single")} == {
            "flag": "int8",
            "single": "float32",
        }
        assert np.signbit(found["missing"].values[0, 2])
    assert [path.name for path in tmp_path.iterdir()] == [FILES[format]]


def test_chunks_are_of_draws_and_the_same_draws_have_the_same_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(draw_files, "CHUNK", 4)
    draws = xr.Dataset(
        {"z": (("chain", "draw", "quantity"), np.random.default_rng(0).normal(size=(2, 10, 3)))}
    )
    hashes = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_tree(tmp_path / name / STORE, {"posterior": draws}, {})
        hashes.add(file_hash(tmp_path / name / STORE))
    with zipfile.ZipFile(tmp_path / "one" / STORE) as archive:
        chunks = {name for name in archive.namelist() if "/c/" in name}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert chunks == {f"posterior/z/c/0/{i}/0" for i in range(3)} and len(hashes) == 1


def test_what_fails_while_it_is_written_leaves_no_scratch_behind(tmp_path):
    with pytest.raises(ValueError, match="dtype"):
        write_tree(tmp_path / STORE, {"a": xr.Dataset({"x": ("draw", np.array([object()]))})}, {})
    # which the run's folder takes with it
    assert {path.name for path in tmp_path.iterdir()} <= {STORE}


# ------------------------------------------------------------------------------ whoever reads a run


def test_a_refit_reads_the_same_of_either(runs):
    netcdf, zarr = read_sampled_run(runs / "netcdf"), read_sampled_run(runs / "zarr")
    assert zarr.draws.identical(netcdf.draws)
    assert zarr.evidence.hash == netcdf.evidence.hash and zarr.view.hash == netcdf.view.hash


def test_evidence_of_ones_own_is_read_from_either(runs, monkeypatch):
    """Where the embedded tables are not those that the run used."""
    monkeypatch.setattr(
        "aligntax.analysis.storage.sampled_run.restrict",
        lambda evidence, view, model: evidence.only(()),
    )
    assert (
        read_sampled_run(runs / "zarr").evidence.hash
        == read_sampled_run(runs / "netcdf").evidence.hash
    )


def test_a_terminal_draws_the_same_of_either(runs):
    names = (
        "tai_year",
        "alignment_tax",
        "anchor_probability[lifetime]",
        "brain_flop",
        "unheard_of",
    )
    netcdf, zarr = read_draws(runs / "netcdf", names), read_draws(runs / "zarr", names)
    assert list(zarr.values) == list(netcdf.values) or set(zarr.values) == set(
        netcdf.values
    ) == set(names[:-1])
    for name, values in netcdf.values.items():
        np.testing.assert_array_equal(zarr.values[name], values, err_msg=name)


REFITS = {
    "redrawn": ("rlhf_multiplier=0.05,1,20", None),
    "reweighted": ("brain_flop=1e14,1.3e15,1.6e16", "reweight"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", REFITS)
def test_refits_store_the_run_s_format_or_another_and_say_the_same(aligntax, runs, case):
    stated, method = REFITS[case]
    told = {}
    for run in FILES:
        for format in (None, *FILES):
            name = f"{case}-{run}-{format}"
            words = ("--set", stated, "--out", runs, "--name", name, "--json")
            words += ("--method", method) if method else ()
            code, out, err = aligntax(
                "refit", runs / run, *words, *(("--format", format) if format else ())
            )
            assert code in (0, 1) and err == "", err
            told[name] = {
                key: json.loads(out)[key] for key in ("quantities", "claims", "checks", "verdict")
            }
            assert (find_run(name, runs) / FILES[format or run]).is_file()
            assert (
                find_run(name, runs) / FILES["zarr" if (format or run) == "netcdf" else "netcdf"]
            ).exists() is False
    for each in told.values():
        each["checks"] = [{**check, "where": ""} for check in each["checks"]]
    assert all(each == told[f"{case}-netcdf-None"] for each in told.values())
    whole = [load(runs / name).derived for name in told]
    assert all(each.identical(whole[0]) for each in whole)
    drawn = [read_draws(runs / name, ("tai_year", "alignment_tax")) for name in told]
    assert all(np.array_equal(each.weights.values, drawn[0].weights.values) for each in drawn)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("show", "RUN", "--json"),
        ("show", "RUN", "--given", "tai_year<2035", "--json"),
        ("budget", "RUN", "--json"),
        ("shifts", "RUN", "--json"),
        ("sensitivity", "RUN", "--json"),
        ("verify", "RUN"),
    ],
)
def test_commands_answer_the_same_of_either(aligntax, runs, words):
    told = []
    for format in FILES:
        code, out, err = aligntax(
            *(str(runs / format) if word == "RUN" else word for word in words)
        )
        assert (code, err) == (0, "")
        told.append(out.replace(f'"{format}"', '"RUN"').replace(str(runs / format), "RUN"))
    assert told[0] == told[1]


@pytest.mark.slow
def test_runs_are_listed_and_compared_whatever_their_format(aligntax, runs):
    assert {"netcdf", "zarr"} <= {
        row["run"] for row in json.loads(aligntax("runs", "--out", runs, "--json")[1])
    }
    code, out, err = aligntax("compare", runs / "netcdf", runs / "zarr", "--json")
    assert (code, err) == (0, "") and json.loads(out)


@pytest.mark.slow
def test_a_report_is_drawn_of_zarr(aligntax, copy):
    code, _, err = aligntax("report", copy)
    assert (code, err) == (0, "") and (copy / "report.html").is_file()


def test_run_stores_zarr(aligntax, tmp_path):
    """Sampled, written, read."""
    words = ("--draws", 20, "--tune", 50, "--chains", 2, "--no-report", "--json", "-q")
    code, out, _ = aligntax(
        "run", "scaling", "--format", "zarr", *words, "--out", tmp_path / "r", "--name", "z"
    )
    assert code == 1 and json.loads(out)["run"] == "z"  # so few draws fail their checks
    assert sorted(path.name for path in (tmp_path / "r" / "z").iterdir()) == sorted(
        ["info.json", STORE, "summary.csv", "summary.json", "view.toml"]
    )
    assert load("z", tmp_path / "r").posterior.sizes["draw"] == 20


# ----------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("format", ["csv", "", "ZARR", "../zarr"])
@pytest.mark.parametrize("command", ["run", "refit"])
def test_an_unknown_format_is_told_before_anything_is_done(aligntax, tmp_path, format, command):
    words = (
        ("run", "scaling")
        if command == "run"
        else ("refit", REFERENCE, "--set", "alignment_tax_tolerance=0.01,0.02,0.03")
    )
    code, out, err = aligntax(*words, "--format", format, "--out", tmp_path / "r")
    assert (code, out) == (2, "") and err == (
        f"aligntax: format: must be one of netcdf, zarr, got {format!r}; netcdf needs nothing more\n"
    )
    assert not (tmp_path / "r").exists()


def test_without_the_package_one_line_names_the_extra(aligntax, runs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    expected = "aligntax: format: draws in zarr need the package zarr, got none; install it: pip install zarr\n"
    for words in (
        ("run", "scaling", "--format", "zarr", "--out", tmp_path / "r"),
        (
            "refit",
            runs / "netcdf",
            "--set",
            "usd_per_hour=20,40,100",
            "--format",
            "zarr",
            "--out",
            tmp_path / "r",
        ),
        ("refit", runs / "zarr", "--set", "usd_per_hour=20,40,100", "--out", tmp_path / "r"),
        ("report", runs / "zarr"),
    ):
        assert aligntax(*words) == (2, "", expected)
    assert not (tmp_path / "r").exists()
    assert aligntax("show", runs / "zarr", "--json")[0] == 0  # reads the summary alone
    assert check_format("netcdf") == "netcdf"


def chunk_of(name):
    return name.startswith("posterior/tai_year/c/")


DAMAGE = {
    "a chunk is missing": lambda path: rewrite(
        path, lambda name, data: None if chunk_of(name) else data
    ),
    "a chunk is cut": lambda path: rewrite(
        path, lambda name, data: data[:9] if chunk_of(name) else data
    ),
    "metadata are cut": lambda path: rewrite(
        path, lambda name, data: data[:20] if name.endswith("zarr.json") else data
    ),
    "metadata are gone": lambda path: rewrite(
        path, lambda name, data: None if name == "zarr.json" else data
    ),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "noise": lambda path: path.write_bytes(b"noise"),
    "empty": lambda path: path.write_bytes(b""),
}
READ = {
    "load": load,
    "source": read_sampled_run,
    "sketch": lambda run: read_draws(run, ("tai_year",)),
}


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("reader", READ)
def test_damage_is_found(copy, case, reader):
    DAMAGE[case](copy / STORE)
    assert RunFolder(copy).differences == [f"{STORE}: differs from what was written"]
    with pytest.raises(InputError, match="must be as it was written"):
        READ[reader](copy)


@pytest.mark.parametrize("case", [case for case in DAMAGE if case != "a chunk is missing"])
def test_a_store_that_cannot_be_read_is_one_clear_error(aligntax, copy, case):
    """Even if somebody gave it its own hash. A missing chunk then is a store of other numbers, as zarr has it."""
    DAMAGE[case](copy / STORE)
    forge(copy)
    code, out, err = aligntax("show", copy, "--given", "tai_year<2035")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert (
        err.startswith("aligntax: run: ")
        and "must be a zarr store as `aligntax run` writes it" in err
    )


def test_a_missing_file_is_found(copy):
    (copy / STORE).unlink()
    assert RunFolder(copy).differences == [f"{STORE}: missing"]
    with pytest.raises(InputError, match="missing"):
        load(copy)


@pytest.mark.parametrize("reader", READ)
def test_a_link_is_not_followed(copy, tmp_path, reader):
    """Though what it leads to has the right hash."""
    (copy / STORE).rename(tmp_path / "elsewhere")
    (copy / STORE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="must be the run's own file, got a link"):
        READ[reader](copy)


@pytest.fixture
def unraisable(monkeypatch):
    """Errors that Python can only print, as those of destructors are."""
    errors = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: errors.append(str(found.exc_value)))
    return errors


def test_netcdf_that_h5netcdf_cannot_begin_to_read_is_one_clear_error(tmp_path, unraisable):
    """h5netcdf alone prints a second error, of the destructor of its half-made file."""
    path = tmp_path / FILES["netcdf"]
    write_tree(path, {"posterior": xr.Dataset({"z": ("draw", [1.0, 2.0])})}, {})
    with h5py.File(path, "r+") as file:
        # a type that h5py cannot read, in the attribute that h5netcdf reads first
        scalar = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5a.create(file.id, b"_nc3_strict", h5py.h5t.UNIX_D32LE, scalar)
    with pytest.raises(InputError, match="must be a file of draws"):
        read_tree(path)
    gc.collect()
    assert unraisable == []
    with pytest.raises(TypeError, match="TypeTimeID"):
        xr.open_datatree(path, engine="h5netcdf")
    gc.collect()
    assert unraisable == ["'File' object has no attribute '_writable'"]


def test_reading_draws_leaves_h5netcdf_as_it_is(runs):
    import h5netcdf

    before = dict(vars(h5netcdf.File))
    load(runs / "netcdf")
    assert dict(vars(h5netcdf.File)) == before


def test_names_in_a_store_lead_nowhere(copy, tmp_path):
    """A foreign zip with names that climb: nothing is unpacked, and it is refused."""
    with zipfile.ZipFile(copy / STORE, "a") as archive:
        for name in ("../climbed", "/climbed", "posterior/../../climbed"):
            archive.writestr(name, b"x")
    forge(copy)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="must be a zarr store"):
        load(copy)
    assert sorted(tmp_path.rglob("*")) == before


def test_only_the_named_file_counts(copy, runs):
    """A second store beside it, of whatever origin, is not looked at."""
    assert file_of_draws({"posterior.nc": "", "summary.json": ""}) == "posterior.nc"
    (copy / "posterior.nc").write_bytes(b"noise")
    (copy / "posterior.zarr").mkdir()
    assert load(copy).derived.identical(load(runs / "zarr").derived)


@pytest.mark.slow
def test_zarr_is_not_imported_where_it_is_not_needed(runs):
    script = (
        "import sys\nfrom aligntax import load\nfrom aligntax.analysis.storage.sampled_run import read_sampled_run\nfrom aligntax.analysis.answers.densities import read_draws\n"
        "import aligntax.analysis.storage.draw_files, aligntax.analysis.pipeline, aligntax.analysis.refitting, aligntax.analysis.commands.runs, aligntax.analysis.commands.refit\n"
        "load(sys.argv[1]); read_sampled_run(sys.argv[1]); read_draws(sys.argv[1] and __import__('pathlib').Path(sys.argv[1]), ['tai_year'])\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('zarr', 'numcodecs')))"
    )
    for format, expected in (("netcdf", "[]"), ("zarr", "[]")):
        done = subprocess.run(
            [sys.executable, "-c", script, runs / format],
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout.strip() == expected) is (format == "netcdf")
