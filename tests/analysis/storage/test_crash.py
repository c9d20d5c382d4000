"""A process that is killed, refused by the disk, not alone or misled by the clock leaves nothing that looks like a result.

``make crash`` does the same at fifty moments and every step of each command.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aligntax.analysis.storage.run_folder import run_name
from aligntax.analysis.storage.unfinished import UNFINISHED, new_folder
from aligntax.models.errors import InputError

ROOT = Path(__file__).parents[3]
COMMANDS = {"run", "refit", "reweighted", "sweep", "calibration"}
COUNT = 1  # moments, and one step more, of each command


@pytest.fixture(scope="module")
def outcomes():
    """Every scenario in a fresh process: a fork of one that has sampled, as this one may have, would hang."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", "--count", str(COUNT), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "codes"),
    [
        ("killed", {-9, 0, 1}),
        ("killed at a step", {-9}),
        ("refused at a step", {2}),
        ("full disk", {2}),
        ("read only", {2}),
        ("twice at once", {0, 1, 2}),
        ("clock set back", {0, 1}),
    ],
)
def test_whatever_befalls_a_command_leaves_a_whole_result_or_none(
    scenario, codes, outcomes
) -> None:
    """Nothing half done is listed, asking again gives the answer of a process that nothing befell, and nothing is left over."""
    found = [each for each in outcomes if each["scenario"] == scenario]
    assert {each["work"] for each in found} == COMMANDS
    if skipped := [each["skipped"] for each in found if each["skipped"]]:
        pytest.skip(skipped[0])
    assert [(each["work"], each["at"], each["wrong"]) for each in found if each["wrong"]] == []
    assert {each["code"] for each in found} <= codes


@pytest.mark.slow
def test_what_can_be_gone_on_with_is_gone_on_with(outcomes) -> None:
    for work in ("sweep", "calibration"):
        assert any(each["went_on"] for each in outcomes if each["work"] == work)
    assert not any(
        each["went_on"] for each in outcomes if each["work"] in ("run", "refit", "reweighted")
    )


@pytest.mark.slow
def test_a_run_removes_what_killed_ones_left_and_no_other(tmp_path) -> None:
    """Of two unfinished folders one is held by a process that lives."""
    with new_folder(tmp_path, "alive") as alive:
        dead = tmp_path / f".dead{UNFINISHED}x"
        dead.mkdir()
        (dead / "summary.json").write_text("{")
        other = tmp_path / ".notes"
        other.mkdir()
        with new_folder(tmp_path, "next") as place:
            (place.folder / "file").write_text("x")
        assert not dead.exists() and alive.folder.exists() and other.exists()
    assert (tmp_path / "next" / "file").read_text() == "x"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes", "alive", "next"]


@pytest.mark.slow
def test_a_name_that_is_taken_meanwhile_gets_a_number(tmp_path) -> None:
    with new_folder(tmp_path, "one") as place:
        (tmp_path / "one").mkdir()
    assert place.path == tmp_path / "one-2"
    with pytest.raises(InputError, match="name: must be letters"):
        run_name("../one")
