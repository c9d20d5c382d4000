"""View files that a command writes, and what is said of them."""

import sys
from pathlib import Path

from aligntax.analysis.commands.next_steps import print_next
from aligntax.analysis.commands.output import escape_controls


def check_file(file: Path, force: bool) -> None:
    """Refuse a file that exists, before the work for it is done; - is standard output."""
    from aligntax.analysis.storage.whole_file import check_can_write

    if str(file) != "-":
        check_can_write(file, force)


def deliver(file: Path, text: str, force: bool, note: str, out: Path, last: bool = True) -> None:
    """Write a view and print what to type next; to standard output, print the view alone."""
    from aligntax.analysis.storage.whole_file import save_user_file

    if str(file) == "-":
        sys.stdout.write(text)
        return
    save_user_file(file, text, force)
    print_note(f"wrote {file}{note}")
    if last:
        print_next(str(file), out)


def print_note(text: str) -> None:
    """Print a line on standard error, also in a pipe."""
    sys.stderr.write(f"{escape_controls(text)}\n")


def parent_of(extends: str, file: Path) -> str:
    """Return what the file says it extends: a name, or a path from its own folder."""
    import os

    from aligntax.models.views import view_names

    if extends in view_names():
        return extends
    return os.path.relpath(extends, Path.cwd() if str(file) == "-" else file.parent)
