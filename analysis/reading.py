"""Verbs that read finished runs: ``show``, ``runs``, ``shifts``, ``report`` and others."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.storage.run_folder import (
    INFO,
    SUMMARY,
    RunFolder,
    find_run,
    list_runs,
    read_json,
)
from aligntax.analysis.storage.run_place import folder_of
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from aligntax.analysis.answers.timeline_shifts import ShiftTable
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.storage.result import Result
    from aligntax.analysis.sweeps.sweep import Sweep

    type Run = str | os.PathLike[str] | Result


def shifts(
    run: "Run", given: str | None = None, *, out: str | os.PathLike[str] = "results"
) -> "ShiftTable":
    """Say by how many years each cause moves arrival, for each requirement anchor.

    Parameters
    ----------
    run : str, path or Result
        A run with arrival.
    given : str, optional
        Condition on quantities, such as ``tai_year<2060``.
    out : path
        Folder of results.

    Raises
    ------
    InputError
        If there is no such run, or it has no shifts.
    """
    from aligntax.analysis.answers.timeline_shifts import shifts_by_anchor
    from aligntax.analysis.result import as_result

    return shifts_by_anchor(as_result(run, out), given)


# ----------------------------------------------------------------------------- folders of runs


def show(
    run: "Run", given: str | None = None, *, out: str | os.PathLike[str] = "results"
) -> dict[str, Any]:
    """Return the answer of a run as ``aligntax show --json`` prints it.

    Parameters
    ----------
    run : str, path or Result
        A run.
    given : str, optional
        Condition on quantities, such as ``tai_year<2040``.
    out : path
        Folder of results.

    Raises
    ------
    InputError
        If there is no such run, or too few draws meet the condition.
    """
    if given is not None:
        from aligntax.analysis.answers.condition import summarise_given
        from aligntax.analysis.result import as_result

        return summarise_given(as_result(run, out), given)[1]
    if not isinstance(run, str | os.PathLike):
        return dict(run.record)
    return read_json(find_run(os.fspath(run), Path(out)) / SUMMARY)


def runs(out: str | os.PathLike[str] = "results") -> "pd.DataFrame":
    """List the runs of a results folder, newest first.

    Returns
    -------
    pandas.DataFrame
        One row per run: ``created``, ``model``, ``view``, ``method``, ``verdict`` and, where the
        run has it, the median of ``tai_year``. A damaged run is left out with a warning.
    """
    import pandas as pd

    rows = {}
    for folder in list_runs(Path(out)):
        try:
            record, info = read_json(folder / SUMMARY), read_json(folder / INFO)
        except InputError as error:
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)
            continue
        keys = ("model", "view", "method", "verdict")
        year = record["quantities"].get("tai_year", {}).get("q50")
        told = {key: record[key] for key in keys}
        rows[folder.name] = {"created": info["created"], **told, "tai_year": year}
    columns = ["created", "model", "view", "method", "verdict", "tai_year"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def find_sweep(name: str | os.PathLike[str], out: str | os.PathLike[str]) -> Path | None:
    """Return the folder of the sweep that has this path or name, if there is one."""
    places = (Path(name), Path(out) / name)
    return next((folder for folder in places if (folder / "sweep.json").is_file()), None)


def load_sweep(name: str | os.PathLike[str], out: str | os.PathLike[str] = "results") -> "Sweep":
    """Read what was asked in a sweep, and how it ended.

    Raises
    ------
    InputError
        If there is no such sweep, or it is damaged.
    """
    from aligntax.analysis.sweeps.sweep import Sweep

    if (folder := find_sweep(name, out)) is None:
        raise InputError(f"sweep: must be a sweep's folder or name, got {name!r}; see {out}")
    return Sweep.load(folder)


def report(
    run: "Run",
    given: str | None = None,
    *,
    out: str | os.PathLike[str] = "results",
    talk: "Talk | None" = None,
) -> Path:
    """Draw the report of a run or a sweep again.

    Parameters
    ----------
    run : str, path or Result
        A run, or the folder or name of a sweep.
    given : str, optional
        Condition on quantities; the report is of the draws that meet it.
    out : path
        Folder of results.
    talk : Talk, optional
        Callbacks; without them a figure that fails is a warning.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        If there is no such run, or the folder of a result has gone.
    """
    from aligntax.analysis.progress import talking

    swept = find_sweep(run, out) if isinstance(run, str | os.PathLike) else None
    if swept is not None and given is not None:
        raise InputError(
            f"given: conditions the draws of a run, got {given!r} of the sweep {swept}; "
            "leave it out"
        )
    with talking(talk, progress=False) as told:
        if swept is None:
            from aligntax.analysis.pages.report import write_report
            from aligntax.analysis.result import as_result

            folder_of(run)
            return write_report(as_result(run, out), given=given, talk=told)
        from aligntax.analysis.pages.sweep import write_page

        return write_page(load_sweep(swept), talk=told)


def index(out: str | os.PathLike[str] = "results") -> Path:
    """Write a page that lists the runs of a results folder, and return its path.

    A damaged run is listed as such, with a warning.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    from aligntax.analysis.pages.index import write_index

    written = write_index(out)
    for problem in written.damaged:
        warnings.warn(problem, RuntimeWarning, stacklevel=2)
    return written.path


def verify(run: "Run", *, out: str | os.PathLike[str] = "results") -> list[str]:
    """Compare a run's files with the hashes that were written with them.

    Returns
    -------
    list of str
        What differs, one line per file; empty if they are as they were written.

    Raises
    ------
    InputError
        If there is no such run.
    """
    return RunFolder(find_run(folder_of(run), Path(out))).differences


def fetch_evidence(
    name: str, out: str | os.PathLike[str] | None = None, url: str | None = None
) -> Path:
    """Download public runs, and check that they are the known ones.

    Parameters
    ----------
    name : str
        ``chinchilla`` (training runs) or ``metr-runs`` (runs of models on tasks).
    out : path, optional
        File to write, for ``metr-runs`` a folder; by default in the user's data folder.
    url : str, optional
        Address of a mirror.

    Raises
    ------
    InputError
        If there is no such set, it cannot be had, or it is not the known one.
    """
    from aligntax.analysis.inputs.public_data import PUBLIC, fetch_public
    from aligntax.analysis.inputs.public_runs import METR, fetch_runs

    place = None if out is None else Path(out)
    if name == METR.name:
        return fetch_runs(METR, place, url)[0]
    if name not in PUBLIC:
        choices = ", ".join((*PUBLIC, METR.name))
        raise InputError(f"name: must be one of {choices}, got {name!r}; check the spelling")
    return fetch_public(name, place, url)[0]
