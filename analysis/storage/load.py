"""Read a run's folder into memory."""

import os
from pathlib import Path

from aligntax.analysis.storage.attributes import run_attributes
from aligntax.analysis.storage.draw_files import read_tree
from aligntax.analysis.storage.layout import POSTERIOR
from aligntax.analysis.storage.old_layout import QUANTITIES, groups_of_old
from aligntax.analysis.storage.result import Result, tree_of
from aligntax.analysis.storage.run_folder import FIRST_FORMAT, RunFolder, find_run
from aligntax.analysis.storage.shared_draws import with_own_answers, with_source_draws
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


def load_answers(run: str | os.PathLike[str], known: Result | None = None) -> Result:
    """Read the quantities and weights of a run alone, which is all that a comparison needs.

    Parameters
    ----------
    known : Result, optional
        Is not read again where the run uses its draws.

    Raises
    ------
    InputError
        As :func:`load`.
    """
    folder = RunFolder(find_run(os.fspath(run), Path()))
    source = folder.sampled()
    if FIRST_FORMAT in (folder.info["format"], source.info["format"]):
        return _loaded(folder)
    folder.of_this_version().verified()
    if source.path == folder.path:
        tree = read_tree(folder.draws, (POSTERIOR,))
        return Result(folder.path, folder.info, folder.record, tree)
    if known is None or known.path.resolve() != source.path.resolve():
        known = load_answers(source.path)
    own = Result(folder.path, folder.info, folder.record, read_tree(folder.draws))
    return with_own_answers(known, own)


def _loaded(folder: RunFolder) -> Result:
    folder.verified().of_this_version()
    tree, source = read_tree(folder.draws), folder.sampled()
    if source is not folder:
        own = Result(folder.path, folder.info, folder.record, tree)
        return with_source_draws(_loaded(source), own)
    if QUANTITIES in tree.children:
        attrs = run_attributes(folder.path.name, folder.record, folder.info)
        tree = tree_of(groups_of_old(tree), attrs)
    if POSTERIOR not in tree.children:
        got, rule = ", ".join(tree.children) or "none", f"must hold the group {POSTERIOR}"
        raise InputError(f"run: {folder.draws} {rule}, got {got}; run again")
    return Result(folder.path, folder.info, folder.record, tree)
