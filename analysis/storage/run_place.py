"""Where the files of a run are that a verb was given, by name, path or result."""

import os
from typing import TYPE_CHECKING

from aligntax.analysis.storage.run_folder import VIEW
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.storage.result import Result


def folder_of(run: "str | os.PathLike[str] | Result") -> str:
    """Folder or name of a run, for what reads its files again.

    Raises
    ------
    InputError
        If the folder of a result has moved or gone.
    """
    if isinstance(run, str | os.PathLike):
        return os.fspath(run)
    if not (run.path / VIEW).is_file():
        rule = "the folder of the result must be there, because its files are read again"
        raise InputError(f"run: {rule}, got none at {run.path}; load the run from where it is now")
    return str(run.path)
