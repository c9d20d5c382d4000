r"""METR's public runs of models on tasks, which have no licence: fetched, checked, never embedded.

Both files are kept as they are. Each is known by the name that git gives to its content, the SHA-1
of ``blob SIZE\0`` and the bytes, in the tree of one public commit.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aligntax.analysis.inputs.public_data import data_home, download
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.models.errors import InputError

LARGEST = 100_000_000  # bytes


@dataclass(frozen=True)
class PublicRuns:
    """A public set of files in one commit of a repository.

    Attributes
    ----------
    name, citation : str
    names : tuple of str
        Under which it is given to ``--runs``.
    url : str
        Address of the commit's tree.
    files : mapping of str to tuple of str
        Path in the tree and git's name of the content, by the name of the file that is kept; the
        first holds the runs.
    """

    name: str
    names: tuple[str, ...]
    citation: str
    url: str
    files: Mapping[str, tuple[str, str]]


METR = PublicRuns(
    name="metr-runs",
    names=("metr", "metr-runs"),
    citation=(
        "METR, Time Horizon 1.1, METR/eval-analysis-public, commit 52d6b56 of 20 January 2026; "
        "no licence"
    ),
    url=(
        "https://raw.githubusercontent.com/METR/eval-analysis-public/"
        "52d6b564d243aeb7531f1cbdc7c33a5a2cc98aaf/"
    ),
    files=MappingProxyType(
        {
            "runs.jsonl": (
                "reports/time-horizon-1-1/data/raw/runs.jsonl",
                "03c8ef2c87570a5c974c330d9b4407f65ced9fb1",
            ),
            "release_dates.yaml": (
                "data/external/release_dates.yaml",
                "5acaed0accad59726c1372b19e3d9ffd43a16b3b",
            ),
        }
    ),
)


def git_name(content: bytes) -> str:
    """Name that git gives to a file's content.

    Examples
    --------
    >>> git_name(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def fetched_runs(known: PublicRuns) -> Path:
    """Return the file of runs of a set that was fetched.

    Raises
    ------
    InputError
        If it was not.
    """
    path = data_home() / known.name / next(iter(known.files))
    if not path.is_file():
        raise InputError(
            f"runs: {known.name} must be fetched first, got no file {path}; "
            f"run aligntax evidence fetch {known.name}"
        )
    return path


def fetch_runs(
    known: PublicRuns, out: Path | None = None, url: str | None = None
) -> tuple[Path, dict[str, Any]]:
    """Download the files of a set, check that they are the known ones, and write them.

    Parameters
    ----------
    out : Path, optional
        Folder to write to; default one of the set's name in the user's data folder.
    url : str, optional
        Address of another copy of the commit's tree.

    Returns
    -------
    path : Path
        The file of runs.
    record : dict
        ``name, path, url, runs`` (lines of that file) and ``sha256`` by file.

    Raises
    ------
    InputError
        Without network, if a file is another one, or if it cannot be written. Nothing is written
        unless both are right.
    """
    tree, contents = (url or known.url).rstrip("/"), {}
    for name, (place, blob) in known.files.items():
        where = f"{tree}/{place}"
        content = download(where, LARGEST)
        if (got := git_name(content)) != blob:
            raise InputError(
                f"fetch: {where} must have the checksum {blob[:12]} (git), got {got[:12]}; the "
                "file has changed or was damaged on its way: fetch again, or read it with --runs "
                "FILE"
            )
        contents[name] = content
    folder = data_home() / known.name if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            replace_file(folder / name, content)
    except OSError as error:
        rule = f"out: must be a folder that can be written, got {folder} ({error.strerror})"
        raise InputError(f"{rule}; choose another with --out") from None
    path = folder / next(iter(known.files))
    record = {
        "name": known.name,
        "path": str(path),
        "url": tree,
        "runs": sum(1 for line in contents[path.name].splitlines() if line.strip()),
        "sha256": {name: hashlib.sha256(value).hexdigest() for name, value in contents.items()},
    }
    return path, record
