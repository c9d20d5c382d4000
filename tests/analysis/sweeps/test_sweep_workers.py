"""Workers of a sweep as real processes, of this machine and of a Dask cluster, some of which are killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from aligntax.analysis import pipeline
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.sweeps.grid import Case, SweepAnswerer, SweepJob, cases
from aligntax.analysis.sweeps.sweep import ANSWERS, Sweep, sweep
from aligntax.analysis.sweeps.workers import THREADS, local
from aligntax.models.catalogue import find_model
from tests.analysis.sweeping import QUICK, numbered, row

LONGEST = 120.0  # seconds, for processes to start, compile and answer a few cases on a busy machine
TOLD = ("verdict", "checks", "claims", "quantities")


class Deadly:
    """A view that kills the process that receives it."""

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


def job(evidence):
    return SweepJob("scaling", evidence, QUICK)


def single(evidence, case, compiled):
    """What `aligntax run` says of a case."""
    options = replace(QUICK, seed=case.seed, cores=2)
    record = pipeline.sample_view("scaling", case.view, evidence, options, compiled=compiled).record
    return {key: record[key] for key in TOLD}


def answered(folder):
    """Cases of the journal, as often as they were answered."""
    path = folder / ANSWERS
    lines = (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )
    return Counter(line["case"] for line in lines if "case" in line)


# ------------------------------------------------------------------------------------- this process


def test_an_answer_is_that_of_a_run_to_the_last_digit(evidence, view, scaling):
    one, two = numbered(view, 2, data_exponent_prior=[0.7, 0.9])
    answerer = SweepAnswerer(replace(job(evidence), keep_draws=True))
    answerer.compiled = scaling
    asked = (Case("1", one, 5), Case("2", two, 5), Case("3", one, 6))
    found = [answerer.answer(case) for case in asked]
    assert answerer.compiled is scaling and not any(each.error for each in found)
    for case, each in zip(asked, found, strict=True):
        assert each.record == single(evidence, case, scaling)
        assert json.loads(json.dumps(each.record, allow_nan=False)) == each.record
        # the answers of other tests look like these
        assert set(row()) == set(each.record["quantities"]["data_exponent"])
    medians = [each.record["quantities"]["data_exponent_pooled"]["q50"] for each in found]
    assert len(set(medians)) == 3 and medians[1] > max(medians[0], medians[2])
    draws = found[1].draws
    assert (
        set(draws) == set(find_model("scaling").headlines)
        and draws["data_exponent"].dtype == np.float32
    )
    assert np.median(draws["data_exponent_pooled"]) == pytest.approx(medians[1], rel=1e-6)


# ------------------------------------------------------------------------------------- this machine


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_case_answered_once(evidence, view, scaling, tmp_path):
    """Two workers, one killed soon, so that it need not compile; answers are those of a run, whoever compiled the model."""
    asked = cases(numbered(view, 4, data_exponent_prior=[0.7, 0.8, 0.9, 1.0]), [], [1, 2])
    told = []

    def kill():
        while not (team := multiprocessing.active_children()):
            time.sleep(0.05)
        time.sleep(0.5)
        team[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    done = sweep(
        job(evidence),
        asked,
        partial(local, workers=2),
        tmp_path,
        "mine",
        talk=Talk(failed=told.append),
    )
    killer.join()
    assert (
        answered(done.path) == Counter(case.name for case in asked) and done.info["failures"] == []
    )
    (lost,) = done.info["lost"]
    assert told == [lost] and lost.startswith("worker ") and "died (SIGKILL) with case 00" in lost
    assert lost.endswith("; another worker takes it") and not multiprocessing.active_children()
    for case, line in zip(asked[::3], list(done.answers())[::3], strict=True):
        assert {key: line[key] for key in TOLD} == single(evidence, case, scaling)


@pytest.mark.slow
def test_a_case_that_kills_its_workers_is_given_up(evidence):
    """No case of these gets as far as a model: what is no view is an answer too."""
    asked = [Case("0001", None, 1), Case("0002", Deadly(), 1), Case("0003", None, 1)]
    lost = []
    found = {each.case: each.error for each in local(job(evidence), asked, lost.append, 1)}
    assert set(found) == {"0001", "0002", "0003"} and found["0003"].startswith("AttributeError")
    assert found["0002"] == "took 3 workers with it, the last by SIGKILL"
    assert [line.split("case 0002; ")[1] for line in lost] == ["another worker takes it"] * 2 + [
        "given up"
    ]


def test_workers_go_when_nobody_asks_any_more(evidence):
    """Linear algebra of the workers has one thread and they ignore Ctrl-C; the environment of the asking process is its own."""
    before = dict(os.environ)
    answers = local(job(evidence), [Case(str(i), None, 1) for i in range(9)], print, 2)
    next(answers)
    (worker, _) = team = multiprocessing.active_children()
    if os.path.isdir("/proc/self"):
        with open(f"/proc/{worker.pid}/environ") as file:
            stated = dict(line.split("=", 1) for line in file.read().split("\0") if "=" in line)
        assert {name: stated[name] for name in THREADS} == {
            name: before.get(name, "1") for name in THREADS
        }
    for each in team:
        os.kill(each.pid, signal.SIGINT)
    assert len({next(answers).case for _ in range(4)}) == 4
    answers.close()
    assert not multiprocessing.active_children() and dict(os.environ) == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


# ---------------------------------------------------------------------------------------- a cluster


def start(folder, name, *words):
    """A Python process whose output goes to a file."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, words)],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
        )


def end(*processes):
    for process in processes:
        process.kill()
    for process in processes:
        process.wait(30)


def until(true, processes, folder):
    """Wait for something, as long as the processes live that should bring it about."""
    deadline = time.monotonic() + LONGEST
    while not true():
        dead = [process.args for process in processes if process.poll() is not None]
        if dead or time.monotonic() > deadline:
            logs = "\n".join(
                f"{path.name}: {path.read_text()[-2000:]}" for path in sorted(folder.glob("*.log"))
            )
            pytest.fail(f"{f'{dead} ended' if dead else f'nothing in {LONGEST:.0f} s'}\n{logs}")
        time.sleep(0.05)


@pytest.mark.slow
def test_a_cluster_s_worker_is_killed_and_every_case_answered_once(view, tmp_path):
    pytest.importorskip("distributed", reason="needs Dask: the extra `dask`")
    place, folder = tmp_path / "scheduler.json", tmp_path / "res"
    (tmp_path / "views").mkdir()
    for each in numbered(view, 12, data_exponent_prior=np.linspace(0.7, 1.0, 12).tolist()):
        (tmp_path / "views" / f"{each.name}.toml").write_text(each.to_toml(), "utf-8")
    running = []
    try:
        here = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", place)
        scheduler = ("distributed.cli.dask_scheduler", *here, "--port", "0")
        running.append(start(tmp_path, "scheduler", *scheduler))
        until(lambda: place.exists() and place.read_text().endswith("}"), running, tmp_path)
        for name in ("one", "two"):
            worker = ("distributed.cli.dask_worker", *here, "--no-nanny", "--nthreads", "1")
            running.append(start(tmp_path, name, *worker, "--name", name))
        address = json.loads(place.read_text())["address"]
        sampler = ("--draws", 60, "--tune", 60, "--chains", 2, "--seed", 1, "--seed", 2)
        asked = ("sweep", "views", "--model", "scaling", *sampler, "--scheduler", address)
        asking = start(tmp_path, "asking", "aligntax", *asked, "--out", "res", "--name", "mine")
        running.append(asking)
        until(lambda: len(answered(folder / ".mine.sweep")) >= 3, running, tmp_path)
        end(running.pop(1))
        until(lambda: asking.poll() is not None, running[:-1], tmp_path)
    finally:
        end(*running)
    talk = (tmp_path / "asking.log").read_text()
    done = Sweep.load(folder / "mine")
    assert asking.returncode == (0 if done.info["verdict"] == "pass" else 1), talk
    assert (
        answered(done.path) == Counter(case["case"] for case in done.info["cases"])
        and len(done.info["cases"]) == 24
    )
    (lost,) = done.info["lost"]
    assert (
        done.info["failures"] == []
        and "left; its cases go to others" in lost
        and f"aligntax: {lost}\n" in talk
    )
    assert "Traceback" not in talk
