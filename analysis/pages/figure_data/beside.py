"""Figures that copies of this process draw while it works on the rest of a page.

Drawing is most of a report's time and takes one core. Each further core forks a copy, which has the
run in memory and has imported everything. The copies and this process take the next figure from
one queue until none is left, so that the page is the same however many there are.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.figure_data.pictures import Shown, draw_and_read
from aligntax.analysis.progress import REDRAWS

MOST = 8  # processes; a report has two dozen figures
PATIENCE = 60.0  # seconds, for a copy when nothing is left to take; a figure takes a fifth of one


@contextmanager
def drawing_beside(
    drawings: Sequence[Drawing], strict: bool = False
) -> Iterator[Callable[[], list[Shown]]]:
    """Begin to draw, and yield what finishes it and returns every figure in order.

    Parameters
    ----------
    drawings : sequence of Drawing
        Fewer than 256.
    strict : bool
        Whether a figure that fails raises; then all are drawn in this process.
    """
    import arviz_plots  # noqa: F401  some figures need it: here, not in each copy

    queue, fill = os.pipe()
    os.write(fill, bytes(range(len(drawings))))  # a byte is read by one process alone
    os.close(fill)
    team: list[_Copy] = []
    try:
        for _ in range(0 if strict else spare_cores()):
            team.append(_Copy.start(drawings, queue))
        yield lambda: _finish(drawings, queue, team, strict)
    finally:
        os.close(queue)
        for copy in team:
            copy.stop()


def spare_cores() -> int:
    """Return how many copies of this process may draw.

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


def _finish(
    drawings: Sequence[Drawing], queue: int, team: "Iterable[_Copy]", strict: bool
) -> list[Shown]:
    found = _draw(drawings, _taken(queue), strict)
    for copy in team:
        found |= copy.drawn()
    # those of a copy that died or stands still
    found |= _draw(drawings, sorted(set(range(len(drawings))) - set(found)), strict)
    return [found[number] for number in range(len(drawings))]


def _draw(drawings: Sequence[Drawing], numbers: Iterable[int], strict: bool) -> dict[int, Shown]:
    return {number: draw_and_read(drawings[number], number + 1, strict) for number in numbers}


def _taken(queue: int) -> Iterator[int]:
    """Yield numbers of figures that no other process has taken, until none is left."""
    while number := os.read(queue, 1):
        yield number[0]


@dataclass(frozen=True)
class _Copy:
    """A forked process that draws, and sends all its figures at the end."""

    process: Any
    pipe: Connection

    @classmethod
    def start(cls, drawings: Sequence[Drawing], queue: int) -> "_Copy":
        context = get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(theirs, drawings, queue), daemon=True)
        with warnings.catch_warnings():
            # Python counts threads of libraries too. They are idle, and BLAS ends its own.
            warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
            process.start()
        theirs.close()
        return cls(process, ours)

    def drawn(self) -> dict[int, Shown]:
        """Wait for its figures; none if it died or stands still."""
        try:
            if not self.pipe.poll(PATIENCE):
                return {}
            found: dict[int, Shown] = self.pipe.recv()
        except (EOFError, OSError):
            return {}
        return found

    def stop(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


def _serve(pipe: Connection, drawings: Sequence[Drawing], queue: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the first acts
    sys.stdout = sys.stderr = StringIO()
    pipe.send(_draw(drawings, _taken(queue), strict=False))
