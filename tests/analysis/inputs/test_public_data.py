"""Fetching public runs: what is kept, and the message when it cannot be had. A server on this machine stands for the network."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aligntax.analysis.inputs import public_data
from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs
from aligntax.analysis.inputs.plausible_runs import loss_of_web_text
from aligntax.analysis.inputs.public_data import (
    PUBLIC,
    content_hash,
    pair_hashes,
    recognise,
    row_hashes,
)
from tests.loss_runs import chinchilla, simulated

ROWS = [row | {"training_flop": 6 * row["parameters"] * row["tokens"]} for row in simulated(30)]
FILE = "Model Size,Training FLOP,loss\n" + "".join(
    f"{row['parameters']!r},{row['training_flop']!r},{row['loss']!r}\n" for row in ROWS
)


@pytest.fixture
def served(file_server):
    """``served(text)``: its URL on this machine."""
    folder, address = file_server

    def serve(text):
        (folder / "runs.csv").write_text(text)
        return f"{address}/runs.csv"

    return serve


@pytest.fixture
def known(monkeypatch, tmp_path):
    """A public set of our own under the name of the real one, and an empty data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    chinchilla = PUBLIC["chinchilla"]
    ours = replace(
        chinchilla, runs=len(ROWS), content=content_hash(ROWS), sketch=tuple(row_hashes(ROWS)[:16])
    )
    monkeypatch.setattr(public_data, "PUBLIC", {"chinchilla": ours})
    return ours


def test_a_fetched_set_is_kept_and_read_by_its_name(aligntax, served, known, tmp_path) -> None:
    url = served(FILE + "1e9,,\n")  # the authors' notebook, too, leaves out rows that lack a number
    code, out, err = aligntax("evidence", "fetch", "chinchilla", "--url", url)
    path = tmp_path / "share" / "aligntax" / "chinchilla.csv"
    assert (code, out.strip()) == (0, str(path)) and "30 runs" in err
    assert [file.name for file in path.parent.iterdir()] == [path.name], (
        "nothing unfinished is left"
    )
    runs = read_runs("chinchilla")
    assert runs.path == path and runs.used == 30 and runs.public == known
    assert "SHA-256" in path.read_text() and url in path.read_text()


def test_the_answer_in_json_and_a_file_of_ones_own(aligntax, served, known, tmp_path) -> None:
    code, out, _ = aligntax(
        "evidence", "fetch", "chinchilla", "--url", served(FILE), "--out", "here.csv", "--json"
    )
    record = json.loads(out)
    assert (
        code == 0
        and record["runs"] == 30
        and record["content"] == known.content
        and record["path"] == "here.csv"
    )
    assert read_runs(tmp_path / "here.csv").used == 30


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (FILE.replace("e", "f", 1), "must hold the 30 runs"),
        (FILE.rsplit("\n", 2)[0] + "\n", "got 29 runs"),
        ("<html>not found</html>", "got 0 runs"),
        (FILE[:200] + '"' + FILE[200:], "must be CSV|must hold"),
    ],
)
def test_another_file_is_refused_and_not_kept(
    aligntax, served, known, tmp_path, spoilt, message
) -> None:
    code, out, err = aligntax("evidence", "fetch", "chinchilla", "--url", served(spoilt))
    assert (code, out) == (2, "")
    assert message.split("|")[0] in err or message.split("|")[-1] in err
    assert not (tmp_path / "share").exists()


def test_a_changed_number_is_noticed(aligntax, served, known) -> None:
    first = repr(ROWS[0]["loss"])
    code, _, err = aligntax(
        "evidence", "fetch", "chinchilla", "--url", served(FILE.replace(first, "2.5", 1))
    )
    assert code == 2 and "has changed or was damaged" in err


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/runs.csv", "no url", "http://127.0.0.1:{port}/none.csv"]
)
def test_without_network_it_says_so(aligntax, served, known, url) -> None:
    port = served(FILE).rsplit(":", 1)[1].split("/")[0]
    code, _, err = aligntax("evidence", "fetch", "chinchilla", "--url", url.format(port=port))
    assert code == 2 and "must be reachable" in err and "--runs" in err


def test_a_folder_that_cannot_be_written_is_named(aligntax, served, known, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = aligntax(
        "evidence", "fetch", "chinchilla", "--url", served(FILE), "--out", "file/x.csv"
    )
    assert code == 2 and "must be a file that can be written" in err


def test_a_set_that_was_not_fetched_or_is_not_known_is_refused(aligntax, known) -> None:
    code, _, err = aligntax("run", "loss-law", "--runs", "chinchilla")
    assert code == 2 and "aligntax evidence fetch chinchilla" in err
    code, _, err = aligntax("evidence", "fetch", "gpt-5")
    assert code == 2 and "must be one of chinchilla, metr-runs, got 'gpt-5'" in err


def test_part_of_a_public_set_is_recognised_and_other_runs_are_not(known) -> None:
    assert recognise(ROWS) == known
    assert recognise(sorted(ROWS, key=lambda row: row["loss"])[:25]) == known
    assert recognise(simulated(30, seed=9)) is None


@pytest.mark.parametrize(("kept", "seen"), [(8, True), (7, False)])
def test_half_of_the_fingerprint_is_enough(known, kept, seen) -> None:
    marked = [row for row in ROWS if row_hashes([row])[0] in known.sketch]
    assert len(marked) == 16
    assert (recognise(marked[:kept]) == known) == seen


def test_the_digitised_chinchilla_runs_are_the_known_set() -> None:
    runs = chinchilla()
    assert runs.public == PUBLIC["chinchilla"] == drop_highest(runs, 5).public
    assert (
        len(runs.rows) == PUBLIC["chinchilla"].runs
        and content_hash(runs.rows) == PUBLIC["chinchilla"].content
    )


def digits(value, count):
    return float(f"{value:.{count - 1}e}")


RECOMPUTED = {
    "tokens": lambda r: {**r, "tokens": 1.37 * r["tokens"]},
    "tokens, and three digits": lambda r: {"parameters": digits(r["parameters"], 3), "tokens": digits(1.2 * r["tokens"], 2), "loss": digits(r["loss"], 3)},
    "parameters at the same FLOP": lambda r: {**r, "parameters": 0.93 * r["parameters"], "tokens": r["tokens"] / 0.93},
    "FLOP at the same parameters": lambda r: {**r, "tokens": 0.8 * r["tokens"]},
}  # fmt: skip


@pytest.mark.parametrize("column", RECOMPUTED)
def test_the_chinchilla_runs_are_known_when_a_column_was_recomputed(column) -> None:
    """Their exact hashes match none of the fingerprint then: it was counted twice."""
    rows = [RECOMPUTED[column](row) for row in chinchilla().rows]
    assert not set(row_hashes(rows)) & set(PUBLIC["chinchilla"].sketch)
    assert recognise(rows) == PUBLIC["chinchilla"]
    assert recognise(rows[::5]) == PUBLIC["chinchilla"], "a fifth of them, 49 runs"
    others = simulated(446, seed=3)
    assert recognise([*others, *rows]) == PUBLIC["chinchilla"], "and beside twice as many others"


def test_other_runs_of_the_same_design_are_other_runs() -> None:
    """Of runs of the same sizes, moved by 5%, and of the same law with errors of 1%, a fifth match by chance."""
    rng, rows = np.random.default_rng(1), chinchilla().rows
    again = [
        {
            **row,
            "parameters": row["parameters"] * np.exp(rng.normal(0, 0.05)),
            "loss": loss_of_web_text(row["parameters"], row["tokens"])
            * np.exp(rng.normal(0, 0.01)),
        }
        for row in rows
    ]
    assert recognise(again) is None
    for seed in range(5):
        assert recognise(simulated(245, seed=seed)) is None


def test_only_hashes_of_the_public_runs_are_kept() -> None:
    text = (Path(public_data.__file__).parent / PUBLIC["chinchilla"].pairs).read_text("ascii")
    assert re.fullmatch(r"([0-9a-f]{8}\s)+", text)
    kept = set(text.split())
    assert all(pair_hashes(row) <= kept for row in chinchilla().rows)
