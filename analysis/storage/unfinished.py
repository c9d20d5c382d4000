"""New folders of results: hidden and locked while they are written, renamed when complete.

The next process removes what a killed one left.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aligntax.analysis.storage.written import note_written
from aligntax.models.errors import InputError

UNFINISHED = ".unfinished-"  # part of the name of a folder that is being written


@dataclass
class NewFolder:
    """A folder of results that is being written.

    Attributes
    ----------
    folder : Path
        Where its files go.
    path : Path
        Where it is once it is complete.
    """

    folder: Path
    path: Path


@contextmanager
def new_folder(out: Path, name: str) -> Iterator[NewFolder]:
    """Folder to write results into; it takes its name when the block ends, or is gone on error.

    Raises
    ------
    InputError
        If the run exists or the folder cannot be written.
    """
    made = [parent for parent in (out, *out.parents) if not parent.exists()]
    if (out / name).exists():
        raise InputError(
            f"name: must be new, got {name!r}, which exists in {out}; choose another with --name"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        _tidy(out)
        folder, lock = _begin(out, name)
    except OSError as error:
        rule = f"must be a folder that can be written, got {out} ({error.strerror})"
        raise InputError(f"out: {rule}; choose another with --out") from None
    run = NewFolder(folder, out / name)
    try:
        yield run
        folder.chmod(0o755)
        run.path = _rename(folder, out, name)
        note_written(run.path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        for parent in made:
            if parent.exists() and not any(parent.iterdir()):
                parent.rmdir()
        raise
    finally:
        os.close(lock)


def _begin(out: Path, name: str) -> tuple[Path, int]:
    """Make a hidden folder and lock it until the descriptor is closed.

    The system closes the descriptors of a process that is killed.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{name}{UNFINISHED}", dir=out))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():  # another process may have tidied between making and locking
            return folder, lock
        os.close(lock)


def _tidy(out: Path) -> None:
    """Remove what killed processes left: unfinished folders that no process has locked."""
    for folder in out.glob(f".*{UNFINISHED}*"):
        try:
            lock = os.open(folder, os.O_RDONLY)
        except OSError:  # gone meanwhile
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # being written
            continue
        finally:
            os.close(lock)


def _rename(folder: Path, out: Path, name: str) -> Path:
    """Give the folder its name, with the next free number if another run has taken it."""
    for number in range(1, 1000):
        target = out / (name if number == 1 else f"{name}-{number}")
        if target.exists():  # renaming onto an empty folder would succeed silently
            continue
        try:
            folder.rename(target)
        except OSError:
            if target.exists():
                continue
            raise
        return target
    raise InputError(f"name: a thousand runs are called {name}; choose another with --name")
