"""Where compiled code is kept between processes.

By default that is ``~/.cache/aligntax``, and for PyTensor and Numba where they choose. The
environment variable ``ALIGNTAX_CACHE`` names one folder for all of it. Where the home folder cannot
be written, as in many containers, the code is kept for one process in a folder of its own.
"""

import atexit
import os
import shutil
import sys
from pathlib import Path
from shlex import quote
from tempfile import gettempdir, mkdtemp

from aligntax.models.errors import InputError

VARIABLE = "ALIGNTAX_CACHE"
PREFIX = "aligntax-cache-"  # of the folder that ends with its process


def use_cache() -> None:
    """Let PyTensor and Numba keep compiled code in the folder that ``ALIGNTAX_CACHE`` names.

    Call this before either is imported. Processes that are started afterwards inherit the choice.
    Folders that ``PYTENSOR_FLAGS`` and ``NUMBA_CACHE_DIR`` name take precedence.

    Raises
    ------
    InputError
        If it is not a folder that can be written.
    """
    stated = os.environ.get(VARIABLE)
    if not stated:
        if "compiledir" not in os.environ.get("PYTENSOR_FLAGS", "") and not _home_can_be_written():
            kept = mkdtemp(prefix=PREFIX)  # nobody else may write there: the code is executed
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            os.environ[VARIABLE] = kept
            _keep_in(Path(kept))
        return
    folder = Path(stated).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        problem = "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        rule = f"{VARIABLE}: must be a folder that can be written, got {stated!r} ({problem})"
        raise InputError(f"{rule}; name another or unset it")
    _keep_in(folder)


def before_pytensor() -> None:
    """As :func:`use_cache`, for Python; nothing if PyTensor is imported and has its folder.

    Call this before a graph is built. The command line has chosen long before.
    """
    if "pytensor" not in sys.modules:
        use_cache()


def cache_folder() -> Path:
    """Folder of what this package keeps for later processes; it need not exist."""
    return Path(os.environ.get(VARIABLE) or "~/.cache/aligntax").expanduser().absolute()


def ours_alone(path: Path) -> bool:
    """Whether nobody else can have written a file, so that what it holds may be executed."""
    about = path.stat()
    return not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & 0o022)


def not_kept() -> str:
    """Say that compiled code ends with the process, and what to do; empty where it is kept."""
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if f"{Path(gettempdir()) / PREFIX}" not in flags:
        return ""
    return (
        f"{Path.home()} cannot be written, so that every command compiles anew; "
        f"name a folder that can with {VARIABLE}"
    )


def _home_can_be_written() -> bool:
    """Whether PyTensor could make its own folder."""
    folder = Path("~/.pytensor").expanduser()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _keep_in(folder: Path) -> None:
    ours, stated = f"base_compiledir={quote(str(folder))}", os.environ.get("PYTENSOR_FLAGS", "")
    if not stated.startswith(ours):
        # PyTensor takes the last of two equal flags, so the user's own come last
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, [ours, stated]))
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder / "numba"))
