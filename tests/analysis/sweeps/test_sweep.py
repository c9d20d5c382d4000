"""A sweep: what is asked, and a folder that loses no answer; nothing is sampled here."""

import csv
import io
import json
import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from aligntax.analysis.inference.options import Talk
from aligntax.analysis.inputs.view_reader import parse_set
from aligntax.analysis.pages.sweep import write_page
from aligntax.analysis.storage.result import stored_view
from aligntax.analysis.storage.run_folder import PACKAGES
from aligntax.analysis.sweeps.disagreement import disagreement
from aligntax.analysis.sweeps.grid import Answer, Case, SweepAnswerer, SweepJob, cases
from aligntax.analysis.sweeps.sweep import ANSWERS, COLUMNS, Sweep, resume, sweep
from aligntax.analysis.sweeps.wording import same_views, sweep_summary
from aligntax.analysis.terminal.sweep import print_sweep
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from tests.analysis.sweeping import QUICK, answer, by, numbered, row

FINISHED = {"sweep.json", "answers.jsonl", "cases.csv", "answers.csv", "views"}


@pytest.fixture
def job(evidence):
    return SweepJob("scaling", evidence, QUICK)


@pytest.fixture
def asked(view):
    return cases(numbered(view, 3, data_exponent_prior=[0.7, 0.8, 0.9]), [], [1, 2])


def never(case):
    raise AssertionError(f"asked {case.name}, which has an answer")


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def journal(folder):
    return [json.loads(line) for line in (folder / ANSWERS).read_text("utf-8").splitlines()]


def stopping(after, stop=KeyboardInterrupt):
    """Workers that answer so many cases before something ends the process, and the cases that they were asked."""
    seen = []

    def workers(job, cases, lost):
        for case in cases:
            if len(seen) == after:
                raise stop
            seen.append(case.name)
            yield answer(case)

    return workers, seen


# ------------------------------------------------------------------------------------ what is asked


def test_a_grid_is_the_product_of_views_alternatives_and_seeds(view):
    one, two = numbered(view, 2)
    grid = [
        parse_set(text)
        for text in ("usd_per_hour=1,2,4", "usd_per_hour=10,20,40", "rlhf_multiplier=1,3,9")
    ]
    asked = cases([one, two], grid, [7, 8])
    assert [(case.name, case.view.name, case.seed) for case in asked[:3]] == [
        ("0001", "v0, usd_per_hour 1/2/4, rlhf_multiplier 1/3/9", 7),
        ("0002", "v0, usd_per_hour 1/2/4, rlhf_multiplier 1/3/9", 8),
        ("0003", "v0, usd_per_hour 10/20/40, rlhf_multiplier 1/3/9", 7),
    ]
    assert (
        len(asked) == 8
        and len({case.name for case in asked}) == 8
        and asked[-1].view.name.startswith("v1, ")
    )
    medians = [case.view.quantities["usd_per_hour"]["quantiles"]["0.5"] for case in asked]
    assert medians == [2, 2, 20, 20] * 2
    assert all(case.view.quantities["rlhf_multiplier"]["quantiles"]["0.5"] == 3 for case in asked)


def test_a_view_alone_is_itself(view):
    assert cases([view], [], [5]) == (Case("0001", view, 5),)


def test_cases_of_one_compiled_model_stand_together(view):
    other = replace(view, arrival=replace(view.arrival, start=view.arrival.start - 1))
    names = ("a", "b", "c", "d")
    views = [
        replace(each, name=name)
        for each, name in zip((view, other, view, other), names, strict=True)
    ]
    assert [case.view.name for case in cases(views, [], [1])] == ["a", "c", "b", "d"]


@pytest.mark.parametrize(
    ("grid", "seeds", "told"),
    [
        (["usd_per_hour=1,2,4", "usd_per_hour=1.0,2,4"], [1], r"set: alternatives of usd_per_hour must differ, got 1/2/4 twice; leave"),
        ([], [1, 2, 1], "seed: must differ, got 1, 2, 1; leave the repeated out"),
        ([], [-1], "seed: must lie between 0 and .*, got -1"),
        ([], [], "sweep: must have between 1 and 100000 cases, got 0; "),
        ([], range(100_001), "sweep: must have between 1 and 100000 cases, got 100001; state fewer"),
        (["nothing=1,2,3"], [1], "nothing"),
        (["usd_per_hour=3,2,1"], [1], "must increase"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(view, grid, seeds, told):
    with pytest.raises(InputError, match=told):
        cases([view], [parse_set(text) for text in grid], seeds)


@pytest.mark.parametrize(
    ("model", "told"), [("loss-law", "training runs of a user's"), ("jiont", "must be one of")]
)
def test_a_model_that_cannot_be_swept_is_refused(evidence, model, told):
    with pytest.raises(InputError, match=f"model: .*{told}.*, got '{model}'"):
        SweepJob(model, evidence, QUICK)


# ------------------------------------------------------------------------------------------ answers


def test_what_differs_in_the_graph_is_compiled_again(evidence, view, monkeypatch):
    class Compiled:
        def __init__(self, model, evidence, view):
            self.view = view
            compiled.append(view.name)

        def with_view(self, view):
            return self

        def sample_answer(self, options):
            raise InputError("draws: not here")

    compiled = []
    monkeypatch.setattr("aligntax.analysis.inference.compiled_model.compile_model", Compiled)
    other = replace(view, name="other", arrival=replace(view.arrival, start=view.arrival.start - 1))
    answerer = SweepAnswerer(SweepJob("scaling", evidence, QUICK))
    for each in (view, replace(view, name="same"), other, other):
        assert answerer.answer(Case("1", each, 1)).error == "draws: not here"
    assert compiled == ["default", "other"]


def test_whatever_goes_wrong_with_a_case_is_its_answer(evidence):
    found = SweepAnswerer(SweepJob("scaling", evidence, QUICK)).answer(Case("1", None, 1))
    assert found == Answer(
        "1", error="AttributeError: 'NoneType' object has no attribute 'multiplier'"
    )


# --------------------------------------------------------------------------------------- the folder


def test_a_finished_folder_holds_every_answer_and_where_it_came_from(job, asked, view, tmp_path):
    def found(case):
        return answer(
            case,
            claims={"exponent_nearer_1_pooled": {"probability": 0.25}},
            data_exponent=row(case.seed / 10),
        )

    done = sweep(job, asked, by(found), tmp_path, "mine")
    assert {path.name for path in done.path.iterdir()} == FINISHED and os.listdir(tmp_path) == [
        "mine"
    ]
    lines, rows = table(done.path / "cases.csv"), table(done.path / "answers.csv")
    assert tuple(rows[0]) == COLUMNS["answers.csv"]
    which = [(case.name, case.view.name, case.view.hash, str(case.seed), "pass") for case in asked]
    assert [(c["case"], c["view"], c["view_hash"], c["seed"], c["verdict"]) for c in lines] == which
    per_case = [*find_model("scaling").headlines, "exponent_nearer_1_pooled"]
    assert [(r["case"], r["quantity"]) for r in rows] == [
        (case.name, name) for case in asked for name in per_case
    ]
    assert {(r["seed"], r["q50"]) for r in rows if r["quantity"] == "data_exponent"} == {
        ("1", "0.1"),
        ("2", "0.2"),
    }
    assert {(r["unit"], r["mean"]) for r in rows if r["quantity"] == per_case[-1]} == {
        ("probability", "0.25")
    }

    info = Sweep.load(done.path).info
    assert info == done.info and (info["verdict"], info["failures"], info["lost"]) == (
        "pass",
        [],
        [],
    )
    assert info["evidence"]["hash"] == job.evidence.hash and set(info["packages"]) == set(PACKAGES)
    assert info["model"] == {"name": "scaling", "version": find_model("scaling").version}
    assert info["sampler"] == {
        "draws": 60,
        "tune": 60,
        "chains": 2,
        "target_accept": 0.9,
        "gradient": "kept",
        "sampler": "hmc",
    }
    assert info["seconds"] == {"compile": 3.0, "sample": 3.0, "summarise": 3.0}
    assert [each["cases"] for each in info["sittings"]] == [6]
    assert [done.view(case) for case in info["cases"]] == [case.view for case in asked]
    hashes = {
        stored_view(path.read_text("utf-8"), str(path))[0].hash
        for path in (done.path / "views").iterdir()
    }
    assert hashes == {case.view.hash for case in asked} and len(hashes) == 3


def test_a_view_with_the_content_of_another_is_named(job, view, tmp_path):
    """It counts once among the views; so far its name was nowhere, and one wondered where it was."""
    one, two, other = numbered(view, 3, data_exponent_prior=[0.7, 0.7, 0.8])
    found = sweep(job, cases([one, two, other], [], [1, 2]), by(answer), tmp_path, "mine")
    assert same_views(found.info) == [("v1", "v0")]
    apart = disagreement(found)
    assert sweep_summary(found, apart)["same_views"] == [{"view": "v1", "same_as": "v0"}]
    screen = Console(file=io.StringIO(), width=200)
    print_sweep(screen, found, apart)
    assert "view v1 has the same content as v0, and counts once with it" in screen.file.getvalue()
    page = write_page(found, apart).read_text("utf-8")
    assert "View v1 has the same content as v0, and counts once with it." in page


def test_draws_are_kept_where_asked(evidence, asked, tmp_path):
    draws = xr.Dataset({"data_exponent": (("chain", "draw"), np.full((2, 3), 0.5, np.float32))})
    keep = SweepJob("scaling", evidence, QUICK, keep_draws=True)
    done = sweep(keep, asked, by(lambda case: answer(case, draws=draws)), tmp_path, "mine")
    assert {path.name for path in (done.path / "draws").iterdir()} == {
        f"{case.name}.nc" for case in asked
    }
    with xr.open_dataset(done.path / "draws" / "0003.nc", engine="h5netcdf") as kept:
        assert kept.load().equals(draws)


def test_an_interrupted_sweep_goes_on_where_it_was(job, asked, tmp_path):
    workers, seen = stopping(4)
    with pytest.raises(KeyboardInterrupt):
        sweep(job, asked, workers, tmp_path, "mine")
    assert os.listdir(tmp_path) == [".mine.sweep"] and seen == [case.name for case in asked[:4]]
    before = journal(tmp_path / ".mine.sweep")
    workers, seen = stopping(99)
    told = []
    done = resume(
        "mine",
        workers,
        lambda folder: job.evidence,
        tmp_path,
        Talk(progress=lambda *counts: told.append(counts)),
    )
    assert seen == [case.name for case in asked[4:]] and told == [(5, 6, 0), (6, 6, 0)]
    assert journal(done.path)[: len(before)] == before
    assert [each["cases"] for each in done.info["sittings"]] == [4, 2]
    assert {path.name for path in done.path.iterdir()} == FINISHED and os.listdir(tmp_path) == [
        "mine"
    ]
    whole = sweep(job, asked, by(answer), tmp_path, "whole")
    assert (whole.path / "answers.csv").read_bytes() == (done.path / "answers.csv").read_bytes()


def test_what_is_resumed_is_the_job_and_the_cases_that_were_asked(job, asked, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        sweep(job, asked, stopping(2)[0], tmp_path, "mine", evidence_folder="tables")
    given = {}

    def workers(job, cases, lost):
        given.update(job=job, cases=cases)
        yield from by(answer)(job, cases, lost)

    read = []
    resume("mine", workers, lambda folder: (read.append(folder), job.evidence)[1], tmp_path)
    same = replace(job, options=job.options.of(find_model(job.model)))
    assert given == {"job": same, "cases": list(asked[2:])} and read == ["tables"]


def test_an_older_sweep_is_finished_by_the_sampler_that_began_it(job, asked, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        sweep(job, asked, stopping(2)[0], tmp_path, "mine")
    (manifest,) = tmp_path.rglob("sweep.json")
    info = json.loads(manifest.read_text())
    del info["sampler"]["sampler"]
    manifest.write_text(json.dumps(info))
    given = []

    def workers(job, cases, lost):
        given.append(job.options)
        yield from by(answer)(job, cases, lost)

    resume("mine", workers, lambda folder: job.evidence, tmp_path)
    assert [each.sampler for each in given] == ["nuts"]


def test_cases_that_failed_are_listed_and_asked_again(job, asked, tmp_path):
    def failing(case):
        return answer(case, error="" if case.seed == 1 else "no luck")

    done = sweep(job, asked, by(failing), tmp_path, "mine")
    assert done.info["verdict"] == "fail" and done.info["failed_checks"] == 0
    assert [(f["case"], f["view"], f["seed"], f["error"]) for f in done.info["failures"]] == [
        (case.name, case.view.name, 2, "no luck") for case in asked if case.seed == 2
    ]
    assert {r["case"] for r in table(done.path / "answers.csv")} == {
        case.name for case in asked if case.seed == 1
    }
    assert [c["verdict"] for c in table(done.path / "cases.csv")] == ["pass", "no answer"] * 3

    workers, seen = stopping(99)
    done = resume("mine", workers, lambda folder: job.evidence, tmp_path)
    assert seen == [case.name for case in asked if case.seed == 2]
    assert (done.info["verdict"], done.info["failures"]) == ("pass", [])
    assert len(table(done.path / "cases.csv")) == len(asked)
    with pytest.raises(
        InputError, match=r"resume: must have cases to ask, got 'mine', which is complete; see"
    ):
        resume("mine", by(never), lambda folder: job.evidence, tmp_path)


def test_a_failed_check_fails_the_verdict_and_is_no_failure(job, asked, tmp_path):
    done = sweep(job, asked, by(partial(answer, verdict="fail")), tmp_path, "mine")
    assert (done.info["verdict"], done.info["failures"], done.info["failed_checks"]) == (
        "fail",
        [],
        6,
    )


def test_a_line_cut_off_is_dropped_and_its_case_asked_again(job, asked, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        sweep(job, asked, stopping(3)[0], tmp_path, "mine")
    path = tmp_path / ".mine.sweep" / ANSWERS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:50])
    workers, seen = stopping(99)
    done = resume("mine", workers, lambda folder: job.evidence, tmp_path)
    assert seen == [case.name for case in asked[2:]]
    assert [line["case"] for line in journal(done.path) if "case" in line] == [
        case.name for case in asked
    ]


@pytest.mark.parametrize("damage", [b"{\n", b"[]\n", b'{"case": "0001"}\n', b"\xff\n"])
def test_a_damaged_line_elsewhere_is_told_by_its_number(job, asked, tmp_path, damage):
    with pytest.raises(KeyboardInterrupt):
        sweep(job, asked, stopping(3)[0], tmp_path, "mine")
    path = tmp_path / ".mine.sweep" / ANSWERS
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = lines[0] + damage + b"".join(lines[2:])
    path.write_bytes(damaged)
    with pytest.raises(
        InputError,
        match=rf"{ANSWERS}, line 2 must be JSON .*; remove the line, and its case is asked",
    ):
        resume("mine", by(never), lambda folder: job.evidence, tmp_path)
    assert path.read_bytes() == damaged


def test_one_process_at_a_time(job, asked, tmp_path):
    refused = []

    def workers(job, cases, lost):
        for again in (
            lambda: resume("mine", by(never), lambda folder: job.evidence, tmp_path),
            lambda: sweep(job, cases, by(never), tmp_path, "mine"),
        ):
            with pytest.raises(InputError) as error:
                again()
            refused.append(str(error.value))
        yield from by(answer)(job, cases, lost)

    sweep(job, asked, workers, tmp_path, "mine")
    assert refused == [
        f"sweep: {tmp_path / '.mine.sweep'} must have one process at a time, got a second; wait for the first",
        "name: must be new, got 'mine', a sweep that is not finished; go on with it: aligntax sweep --resume mine",
    ]
    with pytest.raises(
        InputError, match=r"name: must be new, got 'mine', which exists in .*; choose another"
    ):
        sweep(job, asked, by(never), tmp_path, "mine")


def test_workers_that_died_are_in_the_record(job, asked, tmp_path):
    def workers(job, cases, lost):
        lost("worker 7 died")
        yield from by(answer)(job, cases, lost)

    told = []
    done = sweep(job, asked, workers, tmp_path, "mine", talk=Talk(failed=told.append))
    assert (
        Sweep.load(done.path).info["lost"] == told == ["worker 7 died"]
        and done.info["verdict"] == "pass"
    )


def test_workers_are_let_go_at_once_when_writing_fails(job, asked, tmp_path, monkeypatch):
    gone = []

    def workers(job, cases, lost):
        try:
            yield answer(cases[0])
        finally:
            gone.append(True)

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aligntax.analysis.storage.journal.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        sweep(job, asked, workers, tmp_path, "mine")
    assert gone == [True]


def test_what_ends_before_the_question_is_written_leaves_nothing(job, asked, tmp_path, monkeypatch):
    def stop(path, value):
        raise KeyboardInterrupt

    monkeypatch.setattr("aligntax.analysis.sweeps.sweep.write_json", stop)
    with pytest.raises(KeyboardInterrupt):
        sweep(job, asked, by(never), tmp_path, "mine")
    assert os.listdir(tmp_path) == []


def test_other_evidence_is_refused_and_the_sweep_stays(job, asked, evidence, tmp_path):
    done = sweep(job, asked, by(partial(answer, error="no luck")), tmp_path, "mine")
    with pytest.raises(
        InputError,
        match=rf"evidence: must be that of the sweep, {evidence.hash[:12]}, got \w+; restore",
    ):
        resume("mine", by(never), lambda folder: evidence.only(["scaling_exponents"]), tmp_path)
    assert Sweep.load(done.path).info == done.info and os.listdir(tmp_path) == ["mine"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "as `aligntax sweep` writes it"),
        ("{}", "writes it"),
        ('{"format": 0}', "another version"),
        ('{"format": 1, "model": {}}', "another version"),
    ],
)
def test_a_damaged_manifest_is_told(tmp_path, text, told):
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(InputError, match=f"sweep: .*sweep.json must .*{told}"):
        Sweep.load(tmp_path)
