"""One command in a process of its own, killed at a moment or a step, or refused by the disk; and what a folder must be after it.

The process is forked from one that has compiled the model already, so that a trial takes a second.
A *step* is a call of the system that names a path in the results: opening, renaming, making or
removing.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.run_folder import INFO, SUMMARY, RunFolder, list_runs

SHORT = ("--draws", "60", "--tune", "60", "--chains", "2")
STEPS = {
    "open",
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "shutil.rmtree",
    "tempfile.mkdtemp",
}
FINISHED = (0, 1)  # so few draws fail the checks of a run, which is whole all the same
PATIENCE = 120.0  # seconds after which a process hangs


@dataclass(frozen=True)
class Work:
    """A command that leaves one result.

    Attributes
    ----------
    name : str
        Of the result.
    words : sequence of str
        Without ``--out`` and ``--name``.
    journal : str
        The table that two equal results share; a run has its summary.
    resumes : str
        Ending of the hidden folder that it goes on with; empty if it starts anew.
    again : sequence of str, optional
        What goes on with it, where that is another command.
    """

    name: str
    words: Sequence[str]
    table: str
    resumes: str = ""
    again: Sequence[str] = ()

    def asked(self, out: Path) -> list[str]:
        """The command, or the one that goes on with what it left."""
        if self.again and (out / f".{self.name}{self.resumes}" / "sweep.json").is_file():
            return [*self.again, self.name, "--out", str(out), "-q"]
        return [*self.words, "--out", str(out), "--name", self.name, "-q"]


def works(source: Path) -> list[Work]:
    """Every command that leaves a result; a refit is of a run that stands elsewhere."""
    prior = "data_exponent_prior=0.6,0.8,1.0"
    views = ("default", "vague", "--model", "scaling", "--seed", "1", "--seed", "2")
    return [
        Work("run", ("run", "scaling", *SHORT, "--no-report"), "summary.csv"),
        Work(
            "refit",
            ("refit", str(source), "--set", prior, "--method", "sample", "--no-report"),
            "summary.csv",
        ),
        Work(
            "reweighted",
            ("refit", str(source), "--set", prior, "--method", "reweight"),
            "summary.csv",
        ),
        Work(
            "sweep",
            ("sweep", *views, *SHORT, "--no-report"),
            "answers.csv",
            ".sweep",
            ("sweep", "--no-report", "--resume"),
        ),
        Work(
            "calibration",
            ("calibrate", "scaling", "--simulations", "20", "--draws", "100", "--tune", "50"),
            "ranks.csv",
            ".calibration",
        ),
    ]


@dataclass
class Ending:
    """How a process ended.

    Attributes
    ----------
    code : int
        Negative if by a signal.
    seconds : float
    said : str
        What it wrote to stderr.
    steps : int
        Reached.
    """

    code: int
    seconds: float
    said: str
    steps: int = 0


@dataclass(frozen=True)
class Blow:
    """What befalls a process; nothing by default.

    Attributes
    ----------
    after : float, optional
        Seconds until it and its children are killed.
    step : int, optional
        At which it is killed, or what it asks is refused.
    error : int, optional
        Number of the error by which every step from that one on is refused; killed without one.
    """

    after: float | None = None
    step: int | None = None
    error: int | None = None


def warm() -> None:
    """Compile the model once for every process that is forked from this one, and let sweeps answer within it."""
    import aligntax.analysis.inference.compiled_model
    import aligntax.analysis.sweeps.workers
    import aligntax.analysis.trust.calibration.simulation

    compiled = {}
    build = aligntax.analysis.inference.compiled_model.compile_model

    def compile_once(model, evidence, view):
        if model.name not in compiled:
            compiled[model.name] = build(model, evidence, view)
        return compiled[model.name].with_view(view)

    def within(job, cases, lost):
        answerer = job.answerer()
        for case in cases:
            yield answerer.answer(case)

    from aligntax.analysis import cli, pipeline, refitting  # noqa: F401  imported before the fork
    from aligntax.analysis.inputs import view_reader as inputs  # noqa: F401  imported before the fork
    from aligntax.models.catalogue import find_model
    from aligntax.models.evidence import load_evidence
    from aligntax.models.views import load_view

    first = compile_once(find_model("scaling"), load_evidence(), load_view("default"))
    first.shared.live.likelihood, first.shared.live.structural_prior  # noqa: B018  compiled when first asked for
    aligntax.analysis.inference.compiled_model.compile_model = compile_once
    aligntax.analysis.trust.calibration.simulation.compile_model = compile_once
    aligntax.analysis.sweeps.workers.processes = lambda workers: within


def attempt(
    words: Sequence[str],
    out: Path,
    blow: Blow | None = None,
    before: Callable[[], None] | None = None,
) -> Ending:
    """Run a command in a forked process, befallen by a blow; ``before`` is called in it first."""
    blow, log, count = (
        blow or Blow(),
        out.parent / f"{out.name}.log",
        out.parent / f"{out.name}.steps",
    )
    count.write_text("0")
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        _become(words, out, blow, log, count, before)
    if blow.after is not None:
        time.sleep(blow.after)
        _kill(child)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.perf_counter() - started > PATIENCE:
            _kill(child)
            raise TimeoutError(f"{' '.join(words)} hangs")
        time.sleep(0.002)
    code = os.waitstatus_to_exitcode(status)
    return Ending(
        code,
        time.perf_counter() - started,
        log.read_text(errors="replace"),
        int(count.read_text() or 0),
    )


def _kill(child: int) -> None:
    """Kill a process and its children."""
    for kill in (os.killpg, os.kill):  # the group may not exist yet
        try:
            kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _become(
    words: Sequence[str],
    out: Path,
    blow: Blow,
    log: Path,
    count: Path,
    before: Callable[[], None] | None,
) -> None:
    """In the child: be the command; never returns."""
    code = 70
    try:
        os.setsid()
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout, sys.stderr = (os.fdopen(each, "w", closefd=False) for each in (1, 2))
        counter = os.open(count, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        sys.addaudithook(_Steps(str(out), blow, counter))
        if before is not None:
            before()
        sys.argv = ["aligntax", *map(str, words)]
        from aligntax.analysis.cli import main

        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass
class _Steps:
    """Counts steps in a folder, and strikes at one."""

    out: str
    blow: Blow
    counter: int
    steps: int = field(default=0)

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if event not in STEPS or not any(
            isinstance(each, str | bytes | os.PathLike) and self._within(each) for each in args
        ):
            return
        if (
            event == "open"
            and isinstance(args[2], int)
            and not args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ):
            return  # read only
        self.steps += 1
        os.pwrite(self.counter, str(self.steps).encode(), 0)
        if self.blow.step is not None and self.steps >= self.blow.step:
            if self.blow.error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            # a full disk can be tidied
            elif event not in ("os.remove", "os.rmdir", "shutil.rmtree"):
                raise OSError(self.blow.error, os.strerror(self.blow.error), str(args[0]))

    def _within(self, path: object) -> bool:
        return os.fsdecode(path).startswith(self.out)


# ----------------------------------------------------------------------------- what must hold after


def wrongs(out: Path) -> list[str]:
    """What is wrong with a folder of results: whatever is not hidden must be whole."""
    found = []
    if not out.is_dir():
        return found
    for folder in list_runs(out):
        found += [f"{folder.name}: {problem}" for problem in RunFolder(folder).differences]
        if not found:
            load(folder)
    for path in out.iterdir():
        if path.name.startswith("."):
            continue
        stated = next(
            (path / name for name in ("sweep.json", "calibration.json") if (path / name).is_file()),
            None,
        )
        if stated is not None:
            if "finished" not in json.loads(stated.read_text()):
                found.append(f"{path.name}: not finished, and not hidden")
        elif not ((path / SUMMARY).is_file() and (path / INFO).is_file()):
            found.append(f"{path.name}: no whole result, and not hidden")
    return found


def answer(out: Path, work: Work) -> list[str]:
    """What a result says, without what differs between equal ones."""
    lines = (out / work.name / work.table).read_text().splitlines()
    return [",".join(line.split(",")[:40]) for line in lines if not line.startswith("#")]


def leftovers(out: Path) -> list[str]:
    """Hidden entries."""
    return (
        sorted(path.name for path in out.iterdir() if path.name.startswith("."))
        if out.is_dir()
        else []
    )


def moments(count: int, longest: float, seed: int) -> list[float]:
    """Random moments up to a little beyond the end."""
    rng = random.Random(seed)
    return [rng.uniform(0.0, 1.05 * longest) for _ in range(count)]
