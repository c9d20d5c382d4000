"""A run's folder becomes a result in memory."""

import os
from pathlib import Path

from aligntax.analysis.storage.draw_files import file_of, open_tree
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import INFO, SUMMARY, find_run, origin, read_json, verify
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
        If there is no such run, or its files, or those of the run whose draws it reweights, differ
        from the hashes written with them.
    """
    folder = find_run(os.fspath(run), Path(out))
    if problems := verify(folder):
        raise InputError(
            f"run: {folder} must be as it was written, got {'; '.join(problems)}; restore it or run again"
        )
    info = read_json(folder / INFO)
    with open_tree(folder / file_of(info["files"])) as lazy:
        tree = lazy.load()
    if "derived" not in tree.children:
        path = folder / file_of(info["files"])
        raise InputError(
            f"run: {path} must hold the group derived, got {', '.join(tree.children) or 'none'}; run again"
        )
    result = Result(folder, info, read_json(folder / SUMMARY), tree)
    source = origin(folder)
    if source == folder:
        return result
    from aligntax.analysis.storage.shared_draws import overlay

    return overlay(load(source), result)
