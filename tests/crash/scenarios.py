"""What befalls a command, and whether its folder is as it must be after it."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.trial import (
    FINISHED,
    Blow,
    Ending,
    Work,
    answer,
    attempt,
    leftovers,
    moments,
    wrongs,
)

__all__ = ["SCENARIOS", "Outcome", "Whole"]

ROOM = "1m"  # of the small disk: less than one run needs
EARLIER = 30 * 365 * 86_400.0  # seconds that a clock is set back


@dataclass
class Outcome:
    """What a trial showed.

    Attributes
    ----------
    work, scenario : str
    at : float
        Moment (s) or step.
    code : int
        Of the process that something befell.
    wrong : list of str
        Nothing, if all is well.
    went_on : bool
        Whether the rerun had something to go on with.
    skipped : str
        Why nothing was tried.
    """

    work: str
    scenario: str
    at: float = 0.0
    code: int = 0
    wrong: list[str] = field(default_factory=list)
    went_on: bool = False
    skipped: str = ""


@dataclass(frozen=True)
class Whole:
    """A command that nothing befell.

    Attributes
    ----------
    work : Work
    place : Path
        For folders of results.
    answer : list of str
    seconds : float
    steps : int
    """

    work: Work
    place: Path
    answer: list[str]
    seconds: float
    steps: int

    @classmethod
    def of(cls, work: Work, place: Path) -> "Whole":
        """Let the command end by itself."""
        out = place / f"{work.name}-whole"
        out.mkdir()
        ended = attempt(work.asked(out), out)
        if ended.code not in FINISHED:
            raise RuntimeError(f"{work.name} fails alone: {ended.said}")
        return cls(work, place, answer(out, work), ended.seconds, ended.steps)

    def folder(self, label: str) -> Path:
        """An empty folder of results."""
        out = self.place / f"{self.work.name}-{label}"
        out.mkdir()
        return out

    def judged(self, outcome: Outcome, out: Path, ended: Ending) -> Outcome:
        """What it left is whole or hidden; asked again it ends well with the same answer, and leaves nothing over."""
        outcome.code = ended.code
        outcome.wrong += wrongs(out)
        if not (out / self.work.name).exists():
            ending = self.work.resumes
            outcome.went_on = bool(ending) and any(name.endswith(ending) for name in leftovers(out))
            again = attempt(self.work.asked(out), out)
            if again.code not in FINISHED:
                outcome.wrong.append(f"asked again it ends with {again.code}: {again.said[-500:]}")
                return outcome
            outcome.wrong += [f"after asking again: {each}" for each in wrongs(out)]
        if answer(out, self.work) != self.answer:
            outcome.wrong.append("another answer")
        if left := leftovers(out):
            outcome.wrong.append(f"left over: {', '.join(left)}")
        return outcome


def _clear(said: str) -> list[str]:
    """What is wrong with what a refused command says: it must be one line that names the folder and the remedy."""
    lines = [line for line in said.splitlines() if line.startswith("aligntax: ")]
    if len(lines) == 1 and "Traceback" not in said and "--out" in lines[0]:
        return []
    return [f"says: {said[-500:]}"]


def killed(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """Killed at random moments."""
    for number, after in enumerate(moments(count, whole.seconds, seed)):
        out = whole.folder(f"killed-{number}")
        ended = attempt(whole.work.asked(out), out, Blow(after=after))
        yield whole.judged(Outcome(whole.work.name, "killed", after), out, ended)
        shutil.rmtree(out)


def killed_at_steps(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """Killed as it opens, renames or makes something, at each step or as many as asked for."""
    for step in _spread(whole.steps, count + 2):  # one of three is in the middle of its work
        out = whole.folder(f"step-{step}")
        ended = attempt(whole.work.asked(out), out, Blow(step=step))
        yield whole.judged(Outcome(whole.work.name, "killed at a step", step), out, ended)
        shutil.rmtree(out)


def refused_at_steps(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """A disk that is full from a step on."""
    for step in _spread(whole.steps, count):
        out = whole.folder(f"full-{step}")
        ended = attempt(whole.work.asked(out), out, Blow(step=step, error=errno.ENOSPC))
        outcome = Outcome(whole.work.name, "refused at a step", step)
        if ended.code != 2:
            outcome.wrong.append(f"ends with {ended.code}")
        outcome.wrong += _clear(ended.said)
        yield whole.judged(outcome, out, ended)
        shutil.rmtree(out)


def _spread(steps: int, count: int) -> list[int]:
    """So many of the steps, the first and the last among them."""
    many = min(count, steps)
    return sorted({1 + round(i * (steps - 1) / max(many - 1, 1)) for i in range(many)})


def full_disk(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """A real disk without room."""
    yield from _mounted(whole, "full disk", f"size={ROOM}")


def read_only(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """A folder that is mounted for reading alone."""
    yield from _mounted(whole, "read only", "ro")


def _mounted(whole: Whole, scenario: str, options: str) -> Iterator[Outcome]:
    outcome, out = Outcome(whole.work.name, scenario), whole.folder(scenario.replace(" ", "-"))
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", out], capture_output=True, text=True
    )
    if mount.returncode:
        outcome.skipped = f"a small disk cannot be mounted here: {mount.stderr.strip()}"
        yield outcome
        return
    try:
        if scenario == "full disk":  # what is left is less than the smallest result
            with (out / "filler").open("wb") as file, _until_full():
                file.write(bytes(1 << 20))
        ended = attempt(whole.work.asked(out), out)
        outcome.code = ended.code
        if ended.code != 2:
            outcome.wrong.append(f"ends with {ended.code}")
        outcome.wrong += _clear(ended.said) + [each for each in wrongs(out) if "filler" not in each]
    finally:
        subprocess.run(["umount", out], check=True)
    again = attempt(whole.work.asked(out), out)  # the disk has room now
    if again.code not in FINISHED or answer(out, whole.work) != whole.answer:
        outcome.wrong.append(f"with room it ends with {again.code}: {again.said[-300:]}")
    yield outcome


class _until_full:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, OSError) and error.errno == errno.ENOSPC


def twice(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """Two processes with one name at once: each has an answer of its own or says why it has none; nothing is mixed."""
    out, outcome = whole.folder("twice"), Outcome(whole.work.name, "twice at once")
    child = os.fork()
    if child == 0:
        other = out.parent / f"{out.name}-other"
        other.mkdir()
        words = whole.work.asked(out)
        os._exit(attempt(words, other).code)  # its log stands beside another folder
    mine = attempt(whole.work.asked(out), out)
    theirs = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    outcome.code = mine.code
    codes = sorted((mine.code, theirs))
    if not (set(codes) <= {*FINISHED, 2} and codes[0] in FINISHED):
        outcome.wrong.append(f"end with {codes}: {mine.said[-300:]}")
    if (
        codes[-1] == 2
        and len([line for line in mine.said.splitlines() if line.startswith("aligntax: ")]) > 1
    ):
        outcome.wrong.append(f"says: {mine.said[-300:]}")
    outcome.wrong += wrongs(out)
    if answer(out, whole.work) != whole.answer:
        outcome.wrong.append("another answer")
    yield outcome


def clock_back(whole: Whole, count: int, seed: int) -> Iterator[Outcome]:
    """The clock goes back while it works: the answer is the same, durations are not negative."""
    out, outcome = whole.folder("clock"), Outcome(whole.work.name, "clock set back")
    ended = attempt(whole.work.asked(out), out, before=_set_back)
    if ended.code not in FINISHED:
        outcome.wrong.append(f"ends with {ended.code}: {ended.said[-300:]}")
    else:
        outcome.wrong += _negative(out / whole.work.name)
    yield whole.judged(outcome, out, ended)


def _set_back() -> None:
    """Every question for the time is answered by an earlier one than before."""
    import time

    started, asked = time.time(), [0.0]

    def earlier() -> float:
        asked[0] += EARLIER / 1000
        return started - asked[0]

    time.time = earlier


def _negative(folder: Path) -> list[str]:
    import json

    found = []

    def look(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                look(f"{name}.{key}", each)
        elif (
            isinstance(value, int | float) and value < 0 and ("second" in name or "timings" in name)
        ):
            found.append(f"{name} is {value}")

    for path in folder.glob("*.json"):
        look(path.name, json.loads(path.read_text()))
    return found


SCENARIOS = {
    "killed": killed,
    "steps": killed_at_steps,
    "refused": refused_at_steps,
    "full-disk": full_disk,
    "read-only": read_only,
    "twice": twice,
    "clock": clock_back,
}
