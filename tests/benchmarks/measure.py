"""Ways of doing a piece of work, taken in turn, each in a process of its own: its peak memory is its own, and so are its imports.

A new process is timed from its start to its end; a live one prepares first, untimed, and then does
the same work again and again. This process stays small: until a child has become its own program,
Linux counts its parent's memory as the child's.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

__all__ = ["ROOT", "Failed", "Live", "New", "Once", "Times", "Work", "aligntax", "measure"]

ROOT = Path(__file__).parents[2]
MAXRSS = 2**20 if sys.platform == "darwin" else 2**10  # units of ru_maxrss in a MiB
Talk = Callable[[str], None]


class Failed(Exception):
    """A way that cannot be measured here, and why."""


@dataclass(frozen=True)
class Once:
    """One measurement: seconds of wall time, peak resident MiB of the process, and whatever else its way found out."""

    seconds: float
    peak: float | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Times:
    """What one way took, a number a repeat, in the order of the repeats; ``failed`` says why there are no more."""

    name: str
    values: tuple[float, ...] = ()
    peaks: tuple[float, ...] = ()
    extras: tuple[Mapping[str, Any], ...] = ()
    failed: str = ""

    @classmethod
    def of(cls, name: str, found: Sequence[Once], failed: str = "") -> "Times":
        peaks = tuple(once.peak for once in found if once.peak is not None)
        return cls(
            name,
            tuple(once.seconds for once in found),
            peaks,
            tuple(once.extras for once in found),
            failed,
        )

    def each(
        self, name: str, number: Callable[[float, Mapping[str, Any]], float], peaks: bool = True
    ) -> "Times":
        """Another number of the same measurements, from their seconds and extras."""
        values = tuple(number(*pair) for pair in zip(self.values, self.extras, strict=True))
        return Times(name, values, self.peaks if peaks else (), self.extras, self.failed)


class Way(Protocol):
    """One way of doing a piece of work; ``most`` bounds its repeats where one takes minutes."""

    name: str
    most: int | None

    def once(self) -> Once: ...

    def close(self) -> None: ...


@dataclass
class New:
    """A new process each time.

    ``words`` gives its command line, since a run needs a new name; exit codes other than ``good``
    are failures.
    """

    name: str
    words: Callable[[], Sequence[str]]
    most: int | None = None
    good: tuple[int, ...] = (0,)

    def once(self) -> Once:
        words = list(self.words())
        with tempfile.TemporaryFile() as told:
            started = time.perf_counter()
            try:
                process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=told, cwd=ROOT)
            except OSError as error:
                raise Failed(str(error)) from None
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in self.good:
                told.seek(0)
                said = [
                    line
                    for line in told.read().decode(errors="replace").splitlines()
                    if line.strip()
                ]
                raise Failed(
                    f"exit code {process.returncode}: {said[-1].strip() if said else 'it said nothing'}"
                )
        return Once(seconds, usage.ru_maxrss / MAXRSS)

    def close(self) -> None:
        """Nothing is left running."""


def aligntax(*words: str) -> Callable[[], Sequence[str]]:
    """Command line of ``aligntax``."""
    return lambda: (sys.executable, "-m", "aligntax", *words)


@dataclass(frozen=True)
class Work:
    """What is timed, and what is afterwards read off its result, untimed."""

    do: Callable[[], Any]
    look: Callable[[Any], Mapping[str, Any]] = lambda _: {}


@dataclass
class Live:
    """A process that stays: ``prepare`` is called in it once, and what it returns is timed whenever asked."""

    name: str
    prepare: Callable[[], Work]
    most: int | None = None
    _process: Any = None
    _pipe: Any = None

    def once(self) -> Once:
        if self._process is None:
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self.prepare), daemon=True)
            self._process.start()
            theirs.close()
        try:
            self._pipe.send("again")
            found = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            raise Failed(f"its process died, exit code {self._process.exitcode}") from None
        if isinstance(found, str):
            raise Failed(found)
        return found

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _serve(pipe: Any, prepare: Callable[[], Work]) -> None:
    """Do the work whenever asked, in silence; Ctrl-C is for the process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        work = prepare()
        while pipe.recv():
            started = time.perf_counter()
            result = work.do()
            seconds = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MAXRSS
            pipe.send(Once(seconds, peak, work.look(result)))
    except EOFError:
        return
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])


def measure(ways: Iterable[Way], repeats: int, talk: Talk) -> list[Times]:
    """Times of every way, in the order given: all of them once, all of them again, and so on.

    One that fails is not asked again, and the others go on.
    """
    ways = list(ways)
    found: list[list[Once]] = [[] for _ in ways]
    failed = [""] * len(ways)
    try:
        for i in range(repeats):
            for k, way in enumerate(ways):
                if failed[k] or i >= (way.most or repeats):
                    continue
                try:
                    found[k].append(way.once())
                except Failed as error:
                    failed[k] = str(error)
                talk(f"{way.name}: {failed[k] or f'{found[k][-1].seconds:.2f} s'}")
    finally:
        for way in ways:
            way.close()
    return [Times.of(way.name, *rest) for way, *rest in zip(ways, found, failed, strict=True)]
