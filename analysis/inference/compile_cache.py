"""Where compiled code is kept between processes.

By default PyTensor and Numba choose; the environment variable ``ALIGNTAX_CACHE`` names another
folder.
"""

import os
from pathlib import Path
from shlex import quote

from aligntax.models.errors import InputError

VARIABLE = "ALIGNTAX_CACHE"


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
    flags = [f"base_compiledir={quote(str(folder))}", os.environ.get("PYTENSOR_FLAGS", "")]
    # PyTensor takes the last of two equal flags, so the user's own come last
    os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, flags))
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder / "numba"))
