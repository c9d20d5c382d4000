"""The command line: ``aligntax``, which is also ``python -m aligntax``.

Standard output carries the answer. Standard error carries progress, which is shown on a terminal
only, and messages. Exit codes: 0 for success; 1 where a command finished but a check failed; 2 for
wrong input; 130 for an interruption; 141 where nobody read the answer to its end.
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
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from aligntax.analysis.commands import evidence, view
from aligntax.analysis.commands.backtest import backtest
from aligntax.analysis.commands.budget import budget
from aligntax.analysis.commands.calibrate import calibrate
from aligntax.analysis.commands.compare import compare
from aligntax.analysis.commands.density_prediction import density_trials, predict_density
from aligntax.analysis.commands.evidence_checks import loo, robustness
from aligntax.analysis.commands.forecasts import reproduce, shifts
from aligntax.analysis.commands.foresee import foresee
from aligntax.analysis.commands.gold_curves import gold_curves
from aligntax.analysis.commands.index import index
from aligntax.analysis.commands.output import Interrupted, escape_controls
from aligntax.analysis.commands.refit import refit
from aligntax.analysis.commands.runs import report, run, runs, show, verify
from aligntax.analysis.commands.sensitivity import sensitivity
from aligntax.analysis.commands.standard_output import (
    OutputClosed,
    OutputRefused,
    drop_output,
    guarded_output,
    refused_in_words,
    written_in_words,
)
from aligntax.analysis.commands.sweep import sweep
from aligntax.analysis.commands.usage import usage_message
from aligntax.models.errors import InputError

INPUT_WRONG = 2  # exit codes
INTERRUPTED = 130
UNREAD = 141  # 128 and the number of SIGPIPE, as a shell has it
# typer has no public name for it
UsageError = cast(type[Exception], typer.BadParameter.__bases__[0])
# what the system says of a name that no file can have, and of a disk that takes no more
NAME_ERRORS = {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EINVAL}
WRITE_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
}
LONGEST_NAME = 200  # characters of a file's name in a message
REPEAT_SECONDS = 2.0  # after which an interrupt that had no effect is raised again

PANELS = {
    "Run": (run, refit, sweep),
    "Decide": (budget, sensitivity, foresee, compare, shifts),
    "Read": (show, runs, report, index, verify),
    "State priors and evidence": (view.app, evidence.app),
    "Check": (calibrate, backtest, loo, robustness, reproduce),
    "Theory": (predict_density, density_trials, gold_curves),
}


class OrderedPanels(TyperGroup):
    """Commands in the order of their panels; typer by itself lists groups of commands last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, panel by panel."""
        order = list(PANELS)
        return sorted(
            super().list_commands(ctx),
            key=lambda name: order.index(str(self.commands[name].rich_help_panel)),  # type: ignore[attr-defined]
        )


app = typer.Typer(
    cls=OrderedPanels,
    help="Ask how much alignment data will be needed in the long run, and how far that moves "
    "timelines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in PANELS.items():
    for command in commands:
        if isinstance(command, typer.Typer):
            app.add_typer(command, rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(command)


def print_version(asked: bool) -> None:
    """Print the version and exit, if that is asked for."""
    if asked:
        from aligntax import __version__

        typer.echo(f"aligntax {__version__}")
        raise typer.Exit


@app.callback()
def accept_version(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Accept options that stand before a command."""


@contextmanager
def repeating_interrupts() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` at Ctrl-C, and again until the block ends.

    Python drops an exception that is raised in a callback of a weak reference or of LLVM, and
    compiling runs many of them.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS)
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


def explain_os_error(error: OSError) -> str:
    """Say what to do when the system refuses a name, or the disk refuses what is written."""
    where = f" ({str(error.filename)[:LONGEST_NAME]})" if error.filename else ""
    why = os.strerror(error.errno or 0)
    if error.errno in NAME_ERRORS:
        return f"name: must be one that a file can have, got: {why}{where}; give another"
    return (
        f"out: must be a folder that can be written and has room, got: {why}{where}; nothing half "
        "done is listed; make room and ask again, or choose another with --out"
    )


def main() -> None:
    """Run the command line."""
    from aligntax.analysis.storage.written import noting

    with noting() as written:
        _answer(written)


def _answer(written: list[Path]) -> None:
    """Run a command, and end the process with its exit code; ``written`` is what it wrote."""
    # a process that ends need not look for garbage among a million objects
    atexit.register(gc.freeze)
    try:
        from aligntax.analysis.copies import THREADS
        from aligntax.analysis.inference.compile_cache import use_cache

        use_cache()
        for name in THREADS:  # before NumPy is imported, which reads them
            os.environ.setdefault(name, "1")
        with guarded_output(), repeating_interrupts():
            code = app(prog_name="aligntax", standalone_mode=False)
        _end(code, written)
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # which has printed the help
            sys.exit(INPUT_WRONG)
        _exit(INPUT_WRONG, escape_controls(usage_message(error)))
    except InputError as error:
        _exit(INPUT_WRONG, escape_controls(str(error)))
    except OSError as error:
        if error.errno not in WRITE_ERRORS | NAME_ERRORS:
            raise
        _exit(INPUT_WRONG, escape_controls(explain_os_error(error)))
    except OutputClosed:
        drop_output()
        sys.exit(UNREAD)
    except OutputRefused as error:
        drop_output()
        _exit(INPUT_WRONG, escape_controls(refused_in_words(error, written)))
    except Interrupted as stopped:
        sys.stderr.write("\n")  # the line that ^C stands on
        _exit(INTERRUPTED, str(stopped))


def _end(code: object, written: list[Path]) -> None:
    """End the process where a command ended with a code of its own."""
    if code == INTERRUPTED:  # typer ends without a message
        kept = written_in_words(written)
        told = f"; written before: {kept}" if kept else ", nothing written"
        sys.stderr.write(f"\naligntax: interrupted{escape_controls(told)}\n")
    if isinstance(code, int) and code:
        sys.exit(code)


def _exit(code: int, message: str) -> None:
    sys.stderr.write(f"aligntax: {message}\n")
    sys.exit(code)
