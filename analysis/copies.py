"""Forked copies of this process, which work while it does something else.

A copy has in memory what this process has, and has imported everything. What it finds comes back
pickled. Whatever a copy does not send, because there was none, or it died or stands still, this
process works out itself, so that answers are the same however many there are.
"""

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

from aligntax.analysis.progress import REDRAWS

MOST = 8  # processes
# Threads of linear algebra, whose matrices are small here: they take the cores from copies.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
PATIENCE = 60.0  # seconds that a copy may take longer than this process took for its own part


def spare_cores() -> int:
    """Return how many copies of this process may work.

    None may where a fork is not safe: on other systems than Linux, and in a process with threads of
    Python's own, such as a notebook's, or of JAX, which warns of every fork. None does in a process
    that is one of many already.
    """
    others = [t for t in threading.enumerate() if t is not threading.current_thread()]
    # what redraws a bar holds no lock that a copy, which prints nothing, asks for
    alone = parent_process() is None and all(t.name == REDRAWS for t in others)
    if sys.platform != "linux" or not alone or _jax_computes():
        return 0
    return min(len(os.sched_getaffinity(0)), MOST) - 1


def _jax_computes() -> bool:
    """Whether JAX has started its threads, beyond being imported, as SciPy does beside ArviZ."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and bool(getattr(bridge, "_backends", True))


@contextmanager
def worked_out_beside[T](work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Begin to work something out in a copy, and yield what waits for it and returns it."""
    copy = Copy.start(work) if spare_cores() else None

    def finish() -> T:
        found = copy.found() if copy else None
        return found[0] if found else work()

    try:
        yield finish
    finally:
        if copy:
            copy.stop()


@dataclass(frozen=True)
class Copy:
    """A forked process that works something out and sends it.

    Attributes
    ----------
    began : float
        On the monotonic clock.
    """

    process: Any
    pipe: Connection
    began: float

    @classmethod
    def start(cls, work: Callable[[], Any]) -> "Copy | None":
        """Fork, and begin; None where the system has no room for another process."""
        context = get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(ours, theirs, work), daemon=True)
        with warnings.catch_warnings():
            # Python counts threads of libraries too. They are idle, and BLAS ends its own.
            warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
            try:
                process.start()
            except OSError:
                ours.close()
                return None
            finally:
                theirs.close()
        return cls(process, ours, time.monotonic())

    def found(self) -> tuple[Any] | None:
        """Wait for what it finds; None if it failed, died or stands still."""
        try:
            if not self.pipe.poll(PATIENCE + time.monotonic() - self.began):
                return None
            return (self.pipe.recv(),)
        except Exception:  # it died, or what it sent cannot be read
            return None

    def stop(self) -> None:
        """End it, whatever it does."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _serve(ours: Connection, pipe: Connection, work: Callable[[], Any]) -> None:
    ours.close()  # so that sending fails, and does not wait, once nobody reads
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the first acts
    sys.stdout = sys.stderr = StringIO()
    pipe.send(work())
