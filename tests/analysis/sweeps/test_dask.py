"""A sweep by the workers of a Dask client: nothing blocks a worker's loop, and answers are those of this process."""

import asyncio
import os
import threading
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

import aligntax
from aligntax.analysis.sweeps.grid import SweepJob, cases
from aligntax.analysis.sweeps.workers import _plugin, answering, local, on_cluster, processes
from aligntax.models.errors import InputError
from tests.analysis.sweeping import QUICK, answer, by, numbered, row

distributed = pytest.importorskip("distributed", reason="needs Dask: the extra `dask`")

RUNS = threading.Event()  # set by a loop that goes on
PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class Formula:
    """A job, and what answers it."""

    def answerer(self):
        return self

    def answer(self, case, cores=1):
        return answer(case, data_exponent_pooled=row(1.0 + case.seed))


@dataclass(frozen=True)
class Slow(Formula):
    """A job that is unpacked only while the loop of its worker goes on."""

    def answerer(self):
        assert RUNS.wait(PATIENCE), "the loop was blocked"
        return self


@pytest.fixture(scope="module")
def client():
    """Two workers in threads of this process: nothing is started or imported again."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as connected,
    ):
        yield connected


def test_a_client_answers_every_case_once_and_stays_connected(view, evidence, client) -> None:
    asked = cases(numbered(view, 5), [], [3, 4])
    for _ in range(2):  # a second study on the same client
        lost: list[str] = []
        found = list(on_cluster(Formula(), asked, lost.append, client))
        assert Counter(each.case for each in found) == Counter(case.name for case in asked)
        seeds = {
            each.case: each.record["quantities"]["data_exponent_pooled"]["q50"] for each in found
        }
        assert seeds == {case.name: 1.0 + case.seed for case in asked} and not lost
    assert client.status == "running"


def test_setting_up_a_worker_does_not_block_its_loop() -> None:
    async def set_up(plugin):
        RUNS.clear()
        setting = asyncio.ensure_future(plugin.setup(worker=None))
        await asyncio.sleep(0)  # the setup has begun
        RUNS.set()
        await setting

    plugin = _plugin(Slow())
    asyncio.run(set_up(plugin))
    assert plugin.ready() == Slow()


def test_a_setup_that_blocks_its_loop_is_seen(monkeypatch) -> None:
    """Negative control of the test above."""
    monkeypatch.setitem(globals(), "PATIENCE", 0.05)

    async def set_up(plugin):
        RUNS.clear()
        plugin.lock = threading.Lock()
        plugin.ready()  # as a setup without a thread would
        RUNS.set()

    with pytest.raises(AssertionError, match="the loop was blocked"):
        asyncio.run(set_up(_plugin(Slow())))


def test_a_job_travels_packed() -> None:
    """So that a worker that receives the plugin imports no model in its loop."""
    assert isinstance(_plugin(Slow()).packed, bytes) and _plugin(Slow()).answerer is None


@dataclass
class Stub:
    asynchronous: bool = False
    status: str = "closed"


def test_a_client_that_cannot_answer_is_refused() -> None:
    with pytest.raises(
        InputError, match="client: must be a connected Dask client, got one that is"
    ):
        answering(None, Stub()).__enter__()
    with pytest.raises(InputError, match="got an asynchronous one"):
        answering(None, Stub(True, "running")).__enter__()
    with pytest.raises(InputError, match="workers: are those of the cluster with client, got 2"):
        answering(2, Stub()).__enter__()
    with answering(None, None) as here, answering(by(None), None) as own:
        assert here.func is local and here.keywords == processes(None).keywords
        assert callable(own)


@pytest.mark.slow
def test_processes_of_a_local_cluster_answer_as_this_process_and_one_is_killed(
    view, evidence, scaling, tmp_path
) -> None:
    """The page on Dask as a test: a sweep of real compiled models, of whose workers one dies."""
    views = numbered(view, 6, data_exponent_prior=np.linspace(0.7, 1.0, 6).tolist())
    lost: list[str] = []
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as connected,
    ):
        pids = connected.run(os.getpid)

        def progress(done, total, failed):
            if done == 1:
                os.kill(next(iter(pids.values())), 9)

        found = aligntax.sweep(
            views, model="scaling", options=QUICK, client=connected, out=tmp_path, name="real",
            talk=aligntax.analysis.inference.options.Talk(progress=progress, failed=lost.append),
        )  # fmt: skip
    assert found.info["failures"] == [] and len(lost) == 1 and "left" in lost[0]
    job = SweepJob("scaling", evidence, QUICK)
    told = {each["case"]: each["quantities"] for each in found.answers()}
    for case in cases(views, [], [2022])[:2]:
        fit = scaling.with_view(case.view).sample(replace(job.options, seed=case.seed, cores=1))
        from aligntax.analysis.fitting.outcome import summarise_fit

        rows = summarise_fit(fit, replace(job.options, seed=case.seed), {}).rows
        assert told[case.name]["data_exponent_pooled"]["q50"] == rows["data_exponent_pooled"]["q50"]
