"""A run's folder is whole or absent, and what is read is what was written."""

import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from aligntax.analysis.storage.draw_files import FILES
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.run_folder import (
    FORMAT,
    HASHED,
    RunFolder,
    default_name,
    find_run,
    list_runs,
    newest_of,
    read_json,
    run_name,
)
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.models.errors import InputError
from tests.conftest import REFERENCE


def names(out):
    return sorted(path.name for path in out.iterdir()) if out.exists() else []


def test_a_run_has_its_files_and_verifies(run_folder):
    assert names(run_folder) == [
        "info.json",
        "posterior.nc",
        "report.html",
        "summary.csv",
        "summary.json",
        "view.toml",
    ]
    assert RunFolder(run_folder).differences == []


def test_loading_gives_back_what_was_sampled(run_folder, outcome):
    result = load(run_folder)
    assert result.draws.drop_attrs().equals(outcome.fit.posterior.drop_attrs())
    assert result.derived.equals(outcome.groups.derived)
    assert result.view.hash == outcome.fit.view.hash
    assert result.evidence.hash == outcome.fit.evidence.hash
    assert result.record["quantities"] == outcome.record["quantities"]
    frame = result.summary()
    assert frame.loc["tai_year", "unit"] == "year" and frame["q50"].dtype == float


@pytest.mark.slow
def test_what_a_run_returns_is_what_loading_it_gives(outcome, tmp_path):
    from aligntax.analysis.fitting.outcome import write_outcome

    written = write_outcome(tmp_path, outcome, "run")
    loaded = load(tmp_path)
    assert (loaded.info, loaded.record) == (written.info, written.record)
    assert loaded.evidence.hash == written.evidence.hash and loaded.view.hash == written.view.hash
    for group in (
        "posterior",
        "unconstrained_posterior",
        "prior",
        "constant_data",
        "log_likelihood",
        "posterior_predictive",
        "observed_data",
    ):
        assert loaded.tree[group].to_dataset().equals(written.tree[group].to_dataset()), group


def test_loading_leaves_the_file_closed(damaged):
    load(damaged)
    (damaged / "posterior.nc").unlink()  # possible everywhere, and then writing again works
    (damaged / "posterior.nc").write_bytes(b"")


def test_summary_json_has_the_contracts_keys(run_folder):
    record = json.loads((run_folder / "summary.json").read_text())
    assert {"run", "model", "view", "method", "verdict", "checks", "claims", "quantities"} <= set(
        record
    )
    assert all({"name", "value", "threshold", "passed"} <= set(check) for check in record["checks"])
    keys = {
        "unit",
        "scale",
        "mean",
        "sd",
        "q05",
        "q25",
        "q50",
        "q75",
        "q95",
        "prob_censored",
        "mcse_median",
        "ess_bulk",
        "r_hat",
    }
    assert all(keys <= set(row) for row in record["quantities"].values())


@pytest.mark.parametrize("name", (FILES["netcdf"], *HASHED))
def test_a_changed_file_is_found_and_not_loaded(damaged, name):
    data = bytearray((damaged / name).read_bytes())
    data[len(data) // 2] ^= 1
    (damaged / name).write_bytes(data)
    assert RunFolder(damaged).differences == [f"{name}: differs from what was written"]
    with pytest.raises(InputError, match=f"{name}: differs"):
        load(damaged)


@pytest.mark.parametrize("name", (FILES["netcdf"], *HASHED))
def test_a_missing_file_is_found(damaged, name):
    (damaged / name).unlink()
    assert f"{name}: missing" in RunFolder(damaged).differences


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 99}', "\x00", "[" * 100_000, '{"format": 1}']
)
def test_a_damaged_info_is_one_clear_error(damaged, text):
    (damaged / "info.json").write_text(text)
    with pytest.raises(InputError, match=r"info\.json must"):
        load(damaged)


def test_a_run_is_found_by_name_and_by_path(run_folder):
    assert find_run("run", run_folder.parent) == run_folder
    assert find_run(str(run_folder)) == run_folder
    with pytest.raises(InputError, match="known are run"):
        find_run("runn", run_folder.parent)


def test_an_existing_name_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="taken"), new_folder(tmp_path, "taken"):
        raise AssertionError("must not be entered")
    assert names(tmp_path) == ["taken"] and names(tmp_path / "taken") == []


def test_a_name_taken_meanwhile_loses_nothing(tmp_path):
    with new_folder(tmp_path, "run") as place:
        (place.folder / "x").write_text("mine")
        (tmp_path / "run").mkdir()  # empty: renaming onto it would succeed silently
    assert place.path == tmp_path / "run-2" and (place.path / "x").read_text() == "mine"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing_not_even_the_results_folder(tmp_path, error):
    out = tmp_path / "a" / "results"
    with pytest.raises(error), new_folder(out, "run") as place:
        (place.folder / "x").write_text("half")
        raise error
    assert names(tmp_path) == []


def test_an_unwritable_place_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="out: must be a folder that can be written"),
        new_folder(tmp_path / "file", "run"),
    ):
        raise AssertionError("must not be entered")


@pytest.mark.parametrize(
    "name", ["", ".hidden", "../up", "a/b", "a\\b", "-x", "a b", "x" * 101, "\n"]
)
def test_names_that_could_leave_or_hide_are_refused(name):
    with pytest.raises(InputError, match=r"name: must (be letters|have at most 100 characters)"):
        run_name(name)


KILLED = """
import sys, time
from pathlib import Path
from aligntax.analysis.storage.unfinished import new_folder
with new_folder(Path(sys.argv[1]), "run") as place:
    (place.folder / "summary.json").write_text('{"format": 1}')
    (place.folder / "info.json").write_text('{"format": 1}')
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_is_not_listed(tmp_path, how):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    process.send_signal(how)
    process.wait(30)
    process.stdout.close()
    assert list_runs(tmp_path) == []
    if how == signal.SIGINT:
        assert names(tmp_path) == []


def test_runs_are_listed_newest_first(tmp_path):
    for age, name in enumerate(("new", "old")):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("summary.json", "info.json"):
            (folder / file).write_text("{}")
            os.utime(folder / file, (time.time() - age * 100,) * 2)
    (tmp_path / "empty").mkdir()
    assert [path.name for path in list_runs(tmp_path)] == ["new", "old"]


def test_the_newest_run_is_the_last_made_and_not_the_last_copied(tmp_path):
    """``cp -r`` of an old run made it the latest."""
    made = {
        "copy of old": "2025-05-01T10:00:00+00:00",
        "old": "2025-05-01T10:00:00+00:00",
        "new": "2026-05-01T10:00:00+00:00",
        "before noon": "2026-05-01T11:00:00+02:00",
        "unread": "at noon",
    }
    ages = {"copy of old": 0, "old": 1000, "new": 2000, "before noon": 100, "unread": 10}
    noon = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    for name, created in made.items():
        (tmp_path / name).mkdir()
        for file in ("summary.json", "info.json"):
            (tmp_path / name / file).write_text(json.dumps({"created": created}))
            os.utime(tmp_path / name / file, (noon - ages[name],) * 2)
    newest = ["new", "before noon", "unread", "copy of old", "old"]
    assert [path.name for path in list_runs(tmp_path)] == newest
    assert find_run("latest", tmp_path).name == "new"


def test_a_run_of_another_version_of_its_model_is_not_the_newest_to_go_on_from(tmp_path):
    for name, year in (("ours", 2025), ("theirs", 2026)):
        folder = shutil.copytree(REFERENCE, tmp_path / name)
        info = json.loads((folder / "info.json").read_text())
        info["created"] = f"{year}-05-01T10:00:00+00:00"
        info["model"]["version"] += name == "theirs"
        (folder / "info.json").write_text(json.dumps(info))
    assert find_run("latest", tmp_path).name == "theirs"
    assert newest_of(("joint",), tmp_path) == tmp_path / "ours"
    assert newest_of(("alignment",), tmp_path) is None


def test_latest_is_the_newest_run_and_a_missing_one_is_answered_with_the_newest(tmp_path):
    with pytest.raises(InputError, match=r"there is none in .*make one with `aligntax run`"):
        find_run("latest", tmp_path)
    for age in range(7):
        folder = tmp_path / f"run{age}"
        folder.mkdir()
        for file in ("summary.json", "info.json"):
            (folder / file).write_text("{}")
            os.utime(folder / file, (time.time() - age * 100,) * 2)
    assert find_run("latest", tmp_path) == tmp_path / "run0"
    known = "known are run0, run1, run2, run3, run4 and 2 more, see `aligntax runs`"
    with pytest.raises(InputError, match=known):
        find_run("other", tmp_path)
    (tmp_path / "latest").mkdir()  # a run of that name comes first
    (tmp_path / "latest" / "summary.json").write_text("{}")
    assert find_run("latest", tmp_path) == tmp_path / "latest"


def test_stored_numbers_are_never_infinite(run_folder):
    derived = load(run_folder).derived
    assert not any(np.isinf(derived[name]).any() for name in derived.data_vars)


def test_no_json_holds_nan(run_folder):
    for name in ("summary.json", "info.json"):
        assert "NaN" not in (run_folder / name).read_text()
        assert read_json(run_folder / name)["format"] == FORMAT


def test_a_second_run_within_a_second_has_a_name_of_its_own(tmp_path, view, monkeypatch) -> None:
    class Clock:
        @staticmethod
        def now():
            return datetime.datetime(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr("aligntax.analysis.storage.run_folder.datetime", Clock)
    names = []
    for _ in range(3):
        names.append(default_name("joint", view, tmp_path))
        (tmp_path / names[-1]).mkdir()
    assert names == [
        "joint-default-20260102-030405",
        "joint-default-20260102-030405-2",
        "joint-default-20260102-030405-3",
    ]
