"""The command line: ``aligntax``, and the same as ``python -m aligntax``.

Standard output is the answer, standard error is talk, and only on a terminal. Exit codes: 0 good; 1
finished, but a check failed; 2 the input is wrong; 130 interrupted.
"""

import atexit
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from aligntax.analysis.commands import backtest as testing
from aligntax.analysis.commands import budget as buying
from aligntax.analysis.commands import calibrate as calibrating
from aligntax.analysis.commands import compare as comparing
from aligntax.analysis.commands import density_prediction as density
from aligntax.analysis.commands import evidence, forecasts, runs, view
from aligntax.analysis.commands import evidence_checks as trust
from aligntax.analysis.commands import gold_curves as overoptimization
from aligntax.analysis.commands import index as indexing
from aligntax.analysis.commands import refit as refitting
from aligntax.analysis.commands import sensitivity as drivers
from aligntax.analysis.commands import sweep as sweeping
from aligntax.analysis.commands.shared import Stopped, harmless
from aligntax.models.errors import InputError

INTERRUPTED = 130
UNNAMED = {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EINVAL}
REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
LONGEST = 200  # letters of a name that is told
AGAIN = 2.0  # seconds after which an interrupt that led to nothing is raised again

app = typer.Typer(
    help="How much alignment data will we need in the long run, and how far does that move timelines?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MAKE = (runs.run, refitting.refit, sweeping.sweep, calibrating.calibrate, testing.backtest)
READ = (
    runs.show,
    comparing.compare,
    drivers.sensitivity,
    buying.budget,
    trust.loo,
    trust.robustness,
    runs.runs,
    indexing.index,
    runs.report,
    runs.verify,
)
FORECASTS = (forecasts.shifts, forecasts.reproduce)
DENSITY = (density.predict_density, density.density_trials)
for command in (*MAKE, *READ, *FORECASTS, *DENSITY, overoptimization.gold_curves):
    app.command()(command)
app.add_typer(view.app, name="view")
app.add_typer(evidence.app, name="evidence")


@contextmanager
def insisting() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` at Ctrl-C, and again until the block ends.

    Python drops an exception that is raised in a callback, of a weak reference or of LLVM, and
    compiling runs many of them.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGALRM)
    }
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def refused(error: OSError) -> str:
    """What to do when the system takes no such name, or the disk does not take what is written."""
    where = f" ({str(error.filename)[:LONGEST]})" if error.filename else ""
    if error.errno in UNNAMED:
        return f"name: must be one that a file can have, got: {os.strerror(error.errno or 0)}{where}; give another"
    rule = "must be a folder that can be written and has room"
    why = os.strerror(error.errno or 0)
    return f"out: {rule}, got: {why}{where}; nothing half done is listed; make room and ask again, or choose another with --out"


def main() -> None:
    """Run the command line."""
    # a process that ends need not look for garbage among a million objects
    atexit.register(gc.freeze)
    try:
        from aligntax.analysis.inference.compile_cache import use_cache

        use_cache()
        with insisting():
            app()
    except InputError as error:
        sys.stderr.write(f"aligntax: {harmless(str(error))}\n")
        sys.exit(2)
    except OSError as error:
        if error.errno not in REFUSED | UNNAMED:
            raise
        sys.stderr.write(f"aligntax: {harmless(refused(error))}\n")
        sys.exit(2)
    except Stopped as stopped:
        sys.stderr.write(f"\naligntax: {stopped}\n")
        sys.exit(INTERRUPTED)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer ends without a word
            sys.stderr.write("\naligntax: interrupted, nothing written\n")
        raise
