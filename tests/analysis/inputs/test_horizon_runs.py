"""Runs of models on timed tasks: what a file says, what is wrong with it, and fetching METR's from a server on this machine."""

import json
from dataclasses import replace

import pytest

from aligntax.analysis.inputs import horizon_runs, public_runs
from aligntax.analysis.inputs.horizon_runs import read_horizon_runs, with_horizon_runs
from aligntax.analysis.inputs.public_runs import METR, git_name
from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import read_rows
from aligntax.models.evidence.schema.runs import HORIZON_RUNS
from tests.horizon_runs import World, simulated, write

SMALL = World(tasks=8, models=5)


@pytest.fixture
def lines():
    return simulated(SMALL).lines


def test_a_file_is_counted_by_model_and_task(tmp_path, lines) -> None:
    runs = read_horizon_runs(write(tmp_path / "runs.jsonl", lines))
    expected = {(row["agent"], row["task"]): row for row in simulated(SMALL).rows}
    assert len(runs.rows) == len(expected) == 40 and not runs.undated
    for row in runs.rows:
        known = expected[row["agent"], row["task"]]
        for name in ("date", "human_minutes", "human_source", "people", "attempts", "successes"):
            assert row[name] == known[name], name


def test_rows_keep_the_rules_of_their_table(tmp_path, lines) -> None:
    runs = read_horizon_runs(write(tmp_path / "runs.jsonl", lines))
    names = [column.name for column in HORIZON_RUNS.columns]
    path = tmp_path / "horizon_runs.csv"
    cells = [
        [
            "2024-01-01" if name == "date" else str(row[name]).lower() if name == "used" else f"{row[name]:.0f}"
            if name in ("people", "attempts", "successes") else str(row[name])
            for name in names
        ]
        for row in runs.rows
    ]  # fmt: skip
    path.write_text("\n".join([",".join(names), *(",".join(row) for row in cells)]) + "\n")
    assert len(read_rows(path, HORIZON_RUNS)) == len(runs.rows)


def test_dates_may_stand_in_metrs_file_beside_the_runs(tmp_path, lines) -> None:
    dates = {line["alias"]: line.pop("release_date") for line in lines if "release_date" in line}
    listed = "".join(f"  {alias}: {date}\n" for alias, date in list(dates.items())[:-1])
    (tmp_path / "release_dates.yaml").write_text(f"# of METR's layout\ndate:\n{listed}")
    for line in lines:
        if line["alias"] != "human":
            line["alias"] += " (Inspect)"
    runs = read_horizon_runs(write(tmp_path / "runs.jsonl", lines))
    assert len({row["agent"] for row in runs.rows}) == 4
    assert runs.undated == ("Model 04 (Inspect)",)


def test_cloned_runs_and_failed_people_do_not_count(tmp_path, lines) -> None:
    before = read_horizon_runs(write(tmp_path / "a.jsonl", lines)).rows
    more = [lines[0] | {"score_binarized": 0}, lines[-1] | {"cloned": 1.0}]
    assert lines[0]["alias"] == "human"
    after = read_horizon_runs(write(tmp_path / "b.jsonl", [*lines, *more])).rows
    counted = ("attempts", "successes", "people")
    assert [[row[name] for name in counted] for row in after] == [
        [row[name] for name in counted] for row in before
    ]


def spoil(lines, at, **changes):
    """Lines of which one has other values; None removes a field."""
    changed = {key: value for key, value in {**lines[at], **changes}.items() if value is not None}
    return [*lines[:at], changed, *lines[at + 1 :]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"score_binarized": None}, "line 20, column score_binarized: a run must have this column"),
        ({"human_minutes": None}, "line 20, column human_minutes: a run must have this column"),
        ({"score_binarized": 0.5}, "column score_binarized: must be 0 or 1, got 0.5"),
        ({"score_binarized": True}, "column score_binarized: must be 0 or 1, got True"),
        ({"score_binarized": "1"}, "column score_binarized: must be 0 or 1, got '1'"),
        ({"human_minutes": 0}, "column human_minutes: must be a number greater than 0, got 0"),
        ({"human_minutes": "ten"}, "must be a number greater than 0, got 'ten'"),
        ({"human_minutes": 12345.0}, "column human_minutes: a task must have one value"),
        ({"task_id": ""}, "column task_id: must be text"),
        ({"release_date": "soon"}, "column release_date: must be a date, got 'soon'"),
        ({"release_date": "2025-02-30"}, "column release_date: must be a date"),
        ({"release_date": "2020-01-01"}, "column release_date: a model must have one value"),
    ],
)
def test_a_wrong_line_is_one_message(tmp_path, aligntax, lines, changes, said) -> None:
    assert lines[19]["alias"] != "human"
    path = write(tmp_path / "runs.jsonl", spoil(lines, 19, **changes))
    code, out, err = aligntax("run", "time-horizon", "--runs", str(path))
    assert (code, out) == (2, "") and err.count("\n") == 1 and said in err, err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task_id,alias\na,b\n", "line 1, column 1: a line must be a JSON object"),
        ("[1, 2]\n", "a line must be a JSON object"),
        ("{" * 5000, "a line must be a JSON object"),
        ("", "must have runs of at least 4 models with a release date, got 0"),
    ],
)
def test_a_file_that_is_no_runs_is_one_message(tmp_path, aligntax, text, said) -> None:
    (tmp_path / "runs.jsonl").write_text(text)
    code, _, err = aligntax("run", "time-horizon", "--runs", "runs.jsonl")
    assert code == 2 and said in err and err.count("\n") == 1


def test_one_problem_of_every_line_is_told_once(tmp_path, lines) -> None:
    wrong = [line | {"score_binarized": 7} for line in lines]
    with pytest.raises(InputError) as told:
        read_horizon_runs(write(tmp_path / "runs.jsonl", wrong))
    assert str(told.value).count("must be 0 or 1") == 1
    assert f"got 7, and so {len(lines) - 1} more times to line {len(lines)}; 1 is" in str(
        told.value
    )


def test_runs_given_to_other_models_are_refused(tmp_path, aligntax, lines) -> None:
    path = str(write(tmp_path / "runs.jsonl", lines))
    code, _, err = aligntax("run", "time-horizon", "--runs", path, "--drop-highest", "2")
    assert code == 2 and "leaves training runs out, got 2 with runs on tasks" in err
    code, _, err = aligntax("run", "time-horizon", "--runs", path, "--replaces", "none")
    assert code == 2 and "replaces:" in err
    code, _, err = aligntax("run", "horizon-runs-kink")
    assert code == 2 and "aligntax evidence fetch metr-runs" in err


def test_models_released_before_the_views_date_are_not_used(
    tmp_path, lines, evidence, view
) -> None:
    runs = read_horizon_runs(write(tmp_path / "runs.jsonl", lines))
    later = view.replace(time_horizon={"since": 2023.5})
    table = with_horizon_runs(evidence, runs, later)["horizon_runs"]
    assert table["used"].values.sum() == 4 * 8 and table.sizes["horizon_run"] == 40
    with pytest.raises(InputError, match="at least 4 models released from"):
        with_horizon_runs(evidence, runs, view.replace(time_horizon={"since": 2025.0}))


# -------------------------------------------------------------------------------------- fetching


@pytest.fixture
def served(file_server):
    """``served(files)``: the address of a tree of files on this machine."""
    folder, address = file_server

    def serve(files):
        for (place, _), content in zip(METR.files.values(), files, strict=True):
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(content)
        return address

    return serve


@pytest.fixture
def known(monkeypatch, tmp_path, lines):
    """Runs of our own under METR's name, and an empty data folder: the two files' contents."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    dates = {line["alias"]: line.pop("release_date") for line in lines if "release_date" in line}
    files = (
        "".join(json.dumps(line) + "\n" for line in lines).encode(),
        ("date:\n" + "".join(f"  {alias}: {date}\n" for alias, date in dates.items())).encode(),
    )
    named = {
        name: (place, git_name(content))
        for (name, (place, _)), content in zip(METR.files.items(), files, strict=True)
    }
    ours = replace(METR, files=named)
    monkeypatch.setattr(public_runs, "METR", ours)
    monkeypatch.setattr(horizon_runs, "METR", ours)
    return files


def test_fetched_runs_are_kept_as_they_are_and_read_by_name(
    aligntax, served, known, tmp_path
) -> None:
    code, out, err = aligntax("evidence", "fetch", "metr-runs", "--url", served(known))
    folder = tmp_path / "share" / "aligntax" / "metr-runs"
    assert (code, out.strip()) == (0, str(folder / "runs.jsonl"))
    assert "run time-horizon --runs metr" in err and "no licence" in err
    assert [(folder / name).read_bytes() for name in METR.files] == list(known)
    assert sorted(path.name for path in folder.iterdir()) == sorted(METR.files)
    for name in ("metr", "metr-runs"):
        assert len({row["agent"] for row in read_horizon_runs(name).rows}) == 5


def test_a_folder_of_ones_own_and_json(aligntax, served, known, tmp_path) -> None:
    code, out, err = aligntax(
        "evidence", "fetch", "metr-runs", "--url", served(known), "--out", "here", "--json"
    )
    record = json.loads(out)
    assert code == 0 and record["path"] == "here/runs.jsonl" and "--runs here/runs.jsonl" in err
    assert record["runs"] == known[0].count(b"\n") and len(record["sha256"]) == 2
    assert read_horizon_runs(tmp_path / "here" / "runs.jsonl").rows


@pytest.mark.parametrize("wrong", [0, 1])
def test_another_checksum_is_refused_and_nothing_kept(
    aligntax, served, known, tmp_path, wrong
) -> None:
    files = [content + b" " if i == wrong else content for i, content in enumerate(known)]
    code, out, err = aligntax("evidence", "fetch", "metr-runs", "--url", served(files))
    assert (code, out) == (2, "") and "must have the checksum" in err and err.count("\n") == 1
    assert not (tmp_path / "share").exists()


def test_without_network_it_says_so(aligntax, known) -> None:
    code, _, err = aligntax("evidence", "fetch", "metr-runs", "--url", "http://127.0.0.1:9/x")
    assert code == 2 and "must be reachable" in err


def test_runs_that_were_not_fetched_are_asked_for(aligntax, known) -> None:
    code, _, err = aligntax("run", "time-horizon", "--runs", "metr")
    assert code == 2 and "aligntax evidence fetch metr-runs" in err


def test_gits_name_of_a_known_content() -> None:
    """Published: git's documentation hashes 'what is up, doc?'."""
    assert git_name(b"what is up, doc?") == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"
