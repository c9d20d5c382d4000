"""What a forked copy works out is what this process would, and nothing is lost with a copy."""

import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from aligntax.analysis import copies
from aligntax.analysis.copies import spare_cores, worked_out_beside
from aligntax.analysis.progress import REDRAWS

JAX = "jax._src.xla_bridge"


@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("answer", [None, {"hours": [1.0, float("inf")]}])
def test_an_answer_is_the_same_with_and_without_a_copy(spare, answer, monkeypatch) -> None:
    monkeypatch.setattr(copies, "spare_cores", lambda: spare)
    with worked_out_beside(lambda: (os.getpid(), answer)) as finish:
        process, found = finish()
    assert found == answer
    assert (process == os.getpid()) == (spare == 0)


def test_a_copy_works_while_this_process_does_something_else(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(copies, "spare_cores", lambda: 1)
    done = tmp_path / "done"
    with worked_out_beside(lambda: done.write_text("by a copy")) as finish:
        until = time.monotonic() + 60
        while not done.exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert done.exists()
        assert finish() == len("by a copy")


@pytest.mark.parametrize(
    "ending", [lambda: os._exit(9), lambda: time.sleep(1000), lambda: 1 / 0, lambda: print]
)
def test_what_a_copy_does_not_send_is_worked_out_here(monkeypatch, ending) -> None:
    """It dies, stands still, fails, or finds what cannot be sent."""
    monkeypatch.setattr(copies, "spare_cores", lambda: 1)
    monkeypatch.setattr(copies, "PATIENCE", 1.0)
    here = os.getpid()

    def work():
        return "here" if os.getpid() == here else (ending(), lambda: None)

    with worked_out_beside(work) as finish:
        assert finish() == "here"


class Unreadable(Exception):
    """Pickled, but not made again from one argument."""

    def __init__(self, one, other):
        super().__init__(one)


def test_what_cannot_be_read_and_what_cannot_be_forked_are_worked_out_here(monkeypatch) -> None:
    monkeypatch.setattr(copies, "spare_cores", lambda: 1)
    here = os.getpid()
    with worked_out_beside(lambda: here if os.getpid() == here else Unreadable(1, 2)) as finish:
        assert finish() == here

    def full():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", full)
    with worked_out_beside(os.getpid) as finish:
        assert finish() == here


def test_a_copy_ends_when_the_process_is_killed() -> None:
    code = (
        "import os, time; from aligntax.analysis.copies import Copy;"
        "copy = Copy.start(lambda: bytes(1_000_000)); print(copy.process.pid, flush=True);"
        "time.sleep(1); os.kill(os.getpid(), 9)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as done:
        copy = int(done.stdout.readline())
    until = time.monotonic() + 20
    while _lives(copy) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(copy)


def _lives(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_an_error_is_raised_here_and_says_what_it_is(monkeypatch, capfd) -> None:
    monkeypatch.setattr(copies, "spare_cores", lambda: 1)
    with (
        pytest.raises(ZeroDivisionError, match="division"),
        worked_out_beside(lambda: 1 / 0) as finish,
    ):
        finish()
    assert capfd.readouterr() == ("", "")


def test_a_copy_ends_with_what_it_was_begun_for(monkeypatch) -> None:
    monkeypatch.setattr(copies, "spare_cores", lambda: 1)
    started = []
    start = copies.Copy.start
    monkeypatch.setattr(
        copies.Copy, "start", lambda work: started.append(start(work)) or started[0]
    )
    with pytest.raises(KeyboardInterrupt), worked_out_beside(lambda: time.sleep(1000)):
        raise KeyboardInterrupt
    assert not started[0].process.is_alive()


@pytest.mark.slow
def test_jax_says_that_it_computes_where_it_is_asked() -> None:
    """Once JAX has computed, its own warning of a fork would come true."""
    code = (
        "import sys, jax.numpy; from aligntax.analysis import copies;"
        "before = copies._jax_computes(); jax.numpy.ones(2) + 1; print(before, copies._jax_computes())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_process_that_cannot_be_copied_safely_works_alone(monkeypatch) -> None:
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.current_thread()])
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(4), raising=False)
    monkeypatch.setattr(copies, "parent_process", lambda: None)
    monkeypatch.delitem(sys.modules, JAX, raising=False)
    assert spare_cores() == 3
    for backends, cores in (({}, 3), ({"cpu": "threads"}, 0)):
        with monkeypatch.context() as modules:
            modules.setitem(sys.modules, JAX, SimpleNamespace(_backends=backends))
            assert spare_cores() == cores
    for name, cores in (("history", 0), (REDRAWS, 3)):
        with monkeypatch.context() as threads:
            other = threading.Thread(name=name)
            threads.setattr(threading, "enumerate", lambda t=other: [threading.current_thread(), t])
            assert spare_cores() == cores
    with monkeypatch.context() as system:
        system.setattr(sys, "platform", "darwin")
        assert spare_cores() == 0
    monkeypatch.setattr(copies, "parent_process", lambda: "one of many")
    assert spare_cores() == 0
