"""Workers that answer the cases of a study: processes of this machine, or of a Dask cluster.

A worker receives the job once and one case at a time, and sends back its answer. A worker that dies
is replaced and its case given to another; a case that killed three workers is given up. Linear
algebra has one thread per worker, since the cases fill the cores.
"""

import os
import signal
from asyncio import to_thread
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from logging import CRITICAL, getLogger
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from aligntax.analysis.copies import THREADS
from aligntax.analysis.sweeps.grid import Answer, Case
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from distributed import Client


MOST = 1024  # processes, of a third of a GiB each
TRIES = 3  # workers that one case may kill: dying once may be chance, three times is the case
PATIENCE = 20.0  # seconds, for a scheduler and its first worker
Lost = Callable[[str], None]  # takes one line about a worker that died


class Answerer(Protocol):
    """Answers case after case in one process; an error is part of its answer."""

    def answer(self, case: Case, cores: int = 1) -> Answer:
        """Answer a case on so many cores."""


class Job(Protocol):
    """What is the same for every case of a study; a worker receives it pickled.

    See :class:`aligntax.analysis.sweeps.grid.SweepJob`.
    """

    def answerer(self) -> Answerer:
        """Make what answers cases in a worker's process."""


Workers = Callable[[Job, Sequence[Case], Lost], Generator[Answer, None, None]]


def local(
    job: Job, cases: Sequence[Case], lost: Lost, workers: int
) -> Generator[Answer, None, None]:
    """Answers of so many spawned processes, in the order in which they arrive."""
    waiting, tries = deque(cases), dict.fromkeys((case.name for case in cases), 0)
    team: list[_Process] = []
    try:
        while waiting or any(worker.case for worker in team):
            while waiting and len(team) < workers:
                team.append(_Process.start(job))
            for worker in team:
                if worker.case is None and waiting:
                    worker.give(waiting.popleft())
            for worker in _ready(team):
                answer = worker.take()
                if answer is not None:
                    yield answer
                    continue
                team.remove(worker)
                case = worker.case
                how = f"worker {worker.process.pid} died ({worker.ending()})"
                if case is None:
                    lost(f"{how} between cases; another takes its place")
                    continue
                tries[case.name] += 1
                if tries[case.name] < TRIES:
                    waiting.appendleft(case)
                    lost(f"{how} with case {case.name}; another worker takes it")
                else:
                    lost(f"{how} with case {case.name}; given up")
                    yield Answer(
                        case.name,
                        error=f"took {TRIES} workers with it, the last by {worker.ending()}",
                    )
    finally:
        for worker in team:
            worker.stop()


def processes(workers: int | None) -> Workers:
    """So many processes of this machine, by default one per core.

    Raises
    ------
    InputError
        If there are none, or more than a machine could hold.
    """
    if workers is not None and not 1 <= workers <= MOST:
        raise InputError(
            f"workers: must lie between 1 and {MOST}, got {workers}; one a core is best"
        )
    return partial(local, workers=workers or os.cpu_count() or 1)


def _ready(team: "Sequence[_Process]") -> "list[_Process]":
    """Wait; return the workers that have an answer or have died."""
    ready = set(wait([end for worker in team for end in (worker.pipe, worker.process.sentinel)]))
    return [worker for worker in team if ready & {worker.pipe, worker.process.sentinel}]


@dataclass
class _Process:
    """A spawned process that answers the cases sent through a pipe."""

    process: Any
    pipe: Connection
    case: Case | None = None

    @classmethod
    def start(cls, job: Job) -> "_Process":
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, job), daemon=True)
        with _child_settings():
            process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, case: Case) -> None:
        self.case = case
        with suppress(OSError):  # it died while it waited, which is noticed next
            self.pipe.send(case)

    def take(self) -> Answer | None:
        """Receive its answer; None if it died before it sent one."""
        try:
            if not self.pipe.poll():
                return None
            answer: Answer = self.pipe.recv()
        except (EOFError, OSError):
            return None
        self.case = None
        return answer

    def ending(self) -> str:
        """How it died, in words."""
        self.process.join()
        code = self.process.exitcode
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


@contextmanager
def _child_settings() -> Iterator[None]:
    """Set what a process inherits that is started within the block.

    It has one thread for linear algebra, unless the user chose otherwise, and ignores Ctrl-C. A
    terminal sends Ctrl-C to every process, even before its first line, but only the asking process
    must act on it.
    """
    resource_tracker.ensure_running()  # started later, it would unblock the signal
    added = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for name in added:
            del os.environ[name]


def _serve(pipe: Connection, job: Job) -> None:
    """Answer cases until the pipe closes."""
    answerer = job.answerer()
    try:
        while True:
            pipe.send(answerer.answer(pipe.recv()))
    except (EOFError, OSError):
        return


def on_cluster(
    job: Job, cases: Sequence[Case], lost: Lost, client: "Client"
) -> Generator[Answer, None, None]:
    """Answers of a Dask cluster's workers, in the order in which they arrive.

    Parameters
    ----------
    lost : callable
        Called for each worker that left.
    client : distributed.Client
        See :func:`connected`.

    Raises
    ------
    InputError
        If the scheduler goes before every case is answered.
    """
    client.subscribe_topic("all", lambda event: _report_lost(event, lost))
    plugin = _plugin(job)
    client.register_plugin(plugin, name=plugin.name)
    try:
        yield from _gathered(client, cases, plugin.name)
    finally:
        if client.status == "running":  # a scheduler that is gone holds nothing
            client.unsubscribe_topic("all")
            client.unregister_worker_plugin(plugin.name)


def _gathered(client: "Client", cases: Sequence[Case], plugin: str) -> Iterator[Answer]:
    from distributed import as_completed

    futures = client.map(
        _answer_there,
        cases,
        plugin=plugin,
        pure=False,
        key=[f"{plugin}-{case.name}" for case in cases],
    )
    names = {future.key: case.name for future, case in zip(futures, cases, strict=True)}
    arriving = as_completed(futures, loop=client.loop)
    del futures  # the last reference goes with the answer, so that the worker forgets it
    for future in arriving:
        if future.cancelled():
            rule = "must stay until every case is answered"
            raise InputError(
                f"scheduler: {rule}, got no more answers; start it and go on with --resume"
            )
        error = future.exception()
        yield (
            future.result()
            if error is None
            else Answer(names[future.key], error=f"{type(error).__name__}: {error}")
        )


def _report_lost(event: tuple[float, Any], lost: Lost) -> None:
    """Report a worker that the scheduler no longer has."""
    what = event[1]
    if isinstance(what, dict) and what.get("action") == "remove-worker":
        lost(f"worker {what.get('worker', 'of the cluster')} left; its cases go to others")


@contextmanager
def answering(workers: int | Workers | None, client: "Client | None") -> Iterator[Workers]:
    """Yield what answers the cases of a study.

    Parameters
    ----------
    workers : int or callable, optional
        Processes of this machine, by default one per core, or what answers cases.
    client : distributed.Client, optional
        Connected to a cluster, whose workers answer; it stays connected.

    Raises
    ------
    InputError
        If both are given, the client is not connected, or the workers have another version.
    """
    if client is None:
        yield workers if callable(workers) else processes(workers)
        return
    if workers is not None:
        rule = "are those of the cluster with client"
        raise InputError(f"workers: {rule}, got {workers}; leave one of the two out")
    if client.asynchronous or client.status != "running":
        got = "an asynchronous one" if client.asynchronous else f"one that is {client.status}"
        raise InputError(
            f"client: must be a connected Dask client, got {got}; make one with "
            "distributed.Client(ADDRESS)"
        )
    _check_workers(client, client.scheduler.address)
    yield partial(on_cluster, client=client)


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Connect to a Dask scheduler that has workers, and yield its client.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.1:8786``. Workers must have this version of the package.

    Raises
    ------
    InputError
        If Dask is not installed, there is no scheduler, it has no workers, or they have another
        version.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        rule = "needs Dask, which is not installed"
        raise InputError(
            f"scheduler: {rule}; install aligntax[dask], or leave --scheduler out"
        ) from None
    # a scheduler that goes is reported in one message, not in tracebacks
    getLogger("distributed.client").setLevel(CRITICAL)
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        rule = "must be the address of a Dask scheduler"
        raise InputError(
            f"scheduler: {rule}, got {address!r} ({words}); see `dask scheduler`"
        ) from None
    with client:
        _check_workers(client, address)
        yield client


def _check_workers(client: "Client", address: str) -> None:
    """Refuse a scheduler without workers, or with workers of another version."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        versions = set(client.run(version, "aligntax").values())
    except TimeoutError:
        got = f"none at {address} in {PATIENCE:.0f} s"
        remedy = f"start one: `dask worker {address} --nthreads 1`"
        raise InputError(f"scheduler: must have workers, got {got}; {remedy}") from None
    except ModuleNotFoundError:
        versions = {"none"}
    here = version("aligntax")
    if versions != {here}:
        got = ", ".join(sorted(versions))
        raise InputError(
            f"scheduler: its workers must have aligntax {here}, got {got}; install it there"
        )


def _plugin(job: Job) -> Any:
    """Plugin with which every worker of the cluster receives the job, even one that joins later."""
    from uuid import uuid4

    from distributed import WorkerPlugin
    from distributed.protocol.pickle import dumps, loads  # as a scheduler sends all that it sends

    class JobPlugin(WorkerPlugin):  # type: ignore[misc]
        def __init__(self) -> None:
            self.name, self.packed = f"aligntax-{uuid4().hex[:12]}", dumps(job)
            self.answerer: Answerer | None = None

        async def setup(self, worker: Any) -> None:
            # a case uses every core of its worker, so a worker of several threads answers one case
            # after the other
            self.lock = Lock()
            # unpacking imports the models for seconds: in a thread, while the worker's loop goes on
            # to answer its scheduler
            await to_thread(self.ready)

        def ready(self) -> Answerer:
            with self.lock:
                if self.answerer is None:
                    self.answerer = loads(self.packed).answerer()
                return self.answerer

    return JobPlugin()


def _answer_there(case: Case, plugin: str) -> Answer:
    """Answer a case on a worker of the cluster."""
    from distributed import get_worker

    worker = get_worker()
    shared = worker.plugins[plugin]
    answerer = shared.ready()
    with shared.lock:
        answer: Answer = answerer.answer(case, cores=worker.state.nthreads)
    return answer
