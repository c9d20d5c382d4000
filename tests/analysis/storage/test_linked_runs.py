"""A refit that reuses draws belongs to the run that they came from, by hash; nothing compiles here."""

import json
import shutil

import pytest

from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.run_folder import FORMAT, RunFolder
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.models.errors import InputError
from tests.conftest import REFERENCE


@pytest.fixture(scope="module")
def made(reference, tmp_path_factory):
    """The reference run, and a redraw of it that uses its draws."""
    out = tmp_path_factory.mktemp("linked")
    shutil.copytree(REFERENCE, out / "base")
    view = reference.view.replace(rlhf_multiplier={0.1: 0.05, 0.5: 1, 0.9: 20})
    refit("base", view, out=out, name="redrawn", report=False)
    return out


@pytest.fixture
def linked(made, tmp_path):
    """A copy of both runs that a test may change."""
    return shutil.copytree(made, tmp_path / "results")


def change_info(folder, change):
    """Write ``info.json`` again; no hash covers it."""
    info = json.loads((folder / "info.json").read_text())
    change(info)
    (folder / "info.json").write_text(json.dumps(info))


def test_a_refit_stores_less_and_loads_whole(linked, reference) -> None:
    assert RunFolder(linked / "redrawn").sampled().path.resolve() == (linked / "base").resolve()
    whole = load("redrawn", linked)
    assert set(whole.derived.data_vars) == set(reference.derived.data_vars)
    assert whole.info["format"] == FORMAT and whole.info["refit"]["how"] == "redrawn"
    assert read_sampled_run("redrawn", linked).path.resolve() == (linked / "base").resolve()


def test_draws_that_are_gone_are_named(linked) -> None:
    shutil.rmtree(linked / "base")
    for read in (load, read_sampled_run):
        with pytest.raises(InputError, match="uses the draws of base, which must be at"):
            read("redrawn", linked)


def test_other_draws_in_their_place_are_refused(linked) -> None:
    change_info(linked / "base", lambda info: info["files"].update({"posterior.nc": "0" * 64}))
    for read in (load, read_sampled_run):
        with pytest.raises(InputError, match="got others; refit again"):
            read("redrawn", linked)


def test_a_changed_file_of_the_source_is_found_through_the_refit(linked) -> None:
    path = linked / "base" / "view.toml"
    path.write_text(path.read_text() + "# a remark\n")
    for read in (load, read_sampled_run):
        with pytest.raises(InputError, match=r"view\.toml: differs from what was written"):
            read("redrawn", linked)


def test_a_view_that_was_not_fitted_is_refused(linked) -> None:
    change_info(linked / "base", lambda info: info["view"].update(hash="0" * 64))
    with pytest.raises(InputError, match="must have the view that it was fitted under"):
        read_sampled_run("base", linked)


def test_another_version_of_the_model_is_refused(linked) -> None:
    change_info(linked / "base", lambda info: info["model"].update(version=99))
    with pytest.raises(InputError, match="must be of model version"):
        read_sampled_run("base", linked)


ASKING = [("report",), ("sensitivity",), ("budget",), ("shifts",), ("compare", "base"), ("loo",), ("robustness",),
          ("show", "--given", "tai_year<2060"), ("refit", "--set", "rlhf_multiplier=0.1,3,90")]  # fmt: skip


@pytest.mark.parametrize("run", ["base", "redrawn"])
@pytest.mark.parametrize("words", ASKING, ids=lambda words: words[0])
def test_every_command_that_reads_draws_refuses_those_of_another_version(
    linked, aligntax, words, run
) -> None:
    """An older run lacks quantities and settings of today: reading it as one of today ends anywhere."""
    for name in ("base", "redrawn"):
        change_info(linked / name, lambda info: info["model"].update(version=3))
    command, *rest = words
    code, out, said = aligntax(
        command, linked / run, *(linked / w if w == "base" else w for w in rest)
    )
    assert (code, out) == (2, "")
    assert f"{run} must be of model version" in said or "base must be of model version" in said
    assert "got 3; run it again" in said and said.count("\n") == 1


@pytest.mark.parametrize("words", [("show",), ("show", "--json"), ("verify",)])
def test_what_was_written_of_it_can_still_be_read(linked, aligntax, words) -> None:
    for name in ("base", "redrawn"):
        change_info(linked / name, lambda info: info["model"].update(version=3))
    code, out, _ = aligntax(words[0], linked / "base", *words[1:])
    assert code == 0 and out
