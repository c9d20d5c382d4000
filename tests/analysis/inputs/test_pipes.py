"""What gives its bytes only once is read once: named pipes, process substitution, standard input."""

import hashlib
import io
import os
import sys
import threading
from pathlib import Path

import pytest

from aligntax.analysis.inputs.csv_columns import read_file
from aligntax.analysis.inputs.gold_data import read_curves
from aligntax.analysis.inputs.horizon_runs import read_horizon_runs
from aligntax.analysis.inputs.loss_runs import read_runs
from aligntax.analysis.inputs.view_reader import read_view
from aligntax.models.errors import InputError
from tests.loss_runs import simulated, write

VIEW = (
    'extends = "default"\n[quantities.rlhf_multiplier]\nquantiles = {0.1 = 1, 0.5 = 3, 0.9 = 9}\n'
)
CURVES = "kl,gold,run\n" + "".join(f"{k},{1.5 * k**0.5 - 0.1 * k},one\n" for k in range(1, 30))
TASKS = "".join(
    f'{{"task_id": "t{i}", "alias": "m{j}", "score_binarized": {(i + j) % 2}, "human_minutes": {2**i}, '
    f'"human_source": "baseline", "release_date": "202{j}-01-01"}}\n'
    for i in range(5)
    for j in range(5)
)


def runs_text(folder) -> str:
    return write(folder / "runs.csv", simulated(60)).read_text()


READERS = {
    "runs": (read_runs, runs_text, lambda got: got.used == 60),
    "curves": (read_curves, lambda folder: CURVES, lambda got: got.used == 29),
    "tasks": (read_horizon_runs, lambda folder: TASKS, lambda got: len(got.rows) == 25),
    "view": (read_view, lambda folder: VIEW, lambda got: "rlhf_multiplier" in got.quantities),
}


@pytest.fixture
def piped(tmp_path):
    """``piped(text)``: a named pipe that gives the text once."""

    def pipe(text) -> Path:
        path = tmp_path / "pipe"
        os.mkfifo(path)
        threading.Thread(target=path.write_text, args=(text,), daemon=True).start()
        return path

    return pipe


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("kind", READERS)
def test_a_pipe_is_read_once(piped, tmp_path, kind) -> None:
    read, text, good = READERS[kind]
    assert good(read(str(piped(text(tmp_path)))))


@pytest.mark.parametrize("kind", READERS)
def test_a_dash_is_standard_input(monkeypatch, tmp_path, kind) -> None:
    read, text, good = READERS[kind]
    content = text(tmp_path).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    got = read("-")
    assert good(got)
    if kind != "view":
        assert got.sha256 == hashlib.sha256(content).hexdigest()
        assert str(got.path) == "standard input"


def test_mistakes_in_standard_input_are_named_by_line(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"n,d,loss\n1e9,x,2\n")))
    with pytest.raises(InputError, match="standard input, line 2, column tokens: must be a number"):
        read_runs("-")


def test_no_more_is_read_than_a_table_may_have() -> None:
    with pytest.raises(InputError, match="must be smaller than 10000000 bytes"):
        read_file("/dev/zero", "runs", "")


def test_a_view_of_standard_input_is_checked(aligntax, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(VIEW.encode())))
    code, out, err = aligntax("view", "check", "-")
    assert code == 0 and "-: valid; changes 1 prior of" in out and "next:" not in err
