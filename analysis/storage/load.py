"""Read a run's folder into memory."""

import os
from pathlib import Path

from aligntax.analysis.storage.draw_files import read_tree
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import RunFolder, find_run
from aligntax.analysis.storage.shared_draws import with_source_draws
from aligntax.models.errors import InputError


def load(run: str | os.PathLike[str], out: str | os.PathLike[str] = "results") -> Result:
    """Read a run into memory and close its files.

    Parameters
    ----------
    run : str or path
        Folder, or name of a run in ``out``.

    Raises
    ------
    InputError
        If there is no such run, another version of the model made it, or its files, or those of the
        run whose draws it reweights, differ from the hashes written with them.
    """
    return _loaded(RunFolder(find_run(os.fspath(run), Path(out))))


def _loaded(folder: RunFolder) -> Result:
    folder.verified().of_this_version()
    tree = read_tree(folder.draws)
    if "derived" not in tree.children:
        got = ", ".join(tree.children) or "none"
        raise InputError(f"run: {folder.draws} must hold the group derived, got {got}; run again")
    result = Result(folder.path, folder.info, folder.record, tree)
    source = folder.sampled()
    return result if source is folder else with_source_draws(_loaded(source), result)
