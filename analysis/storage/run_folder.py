"""A run is a folder, complete or absent: written to a temporary sibling, renamed when whole, verified when read.

========================
============================================================================ ``summary.json``
what ``show --json`` prints ``posterior.nc``          DataTree: posterior, sample_stats,
log_likelihood, log_prior, prior,
                          posterior_predictive, observed_data, derived, prior_derived,
                          evidence/<table>; in zarr, where that was asked for,
                          ``posterior.zarr.zip``
``summary.csv``           the quantities of ``summary.json`` ``view.toml``             the view,
resolved and complete ``info.json``             model, seeds, options, versions, hashes, checks,
timings, command ``report.html``           the report ========================
============================================================================

A refit that reuses draws stores what is new alone: its draws are the weights, and the scores and
quantities that its view changes; :func:`load` lays them over the run that they belong to.
"""

import errno
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.storage.draw_files import file_of
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.models.views import View


SUMMARY, INFO, VIEW, TABLE = "summary.json", "info.json", "view.toml", "summary.csv"
HASHED = (SUMMARY, VIEW, TABLE)  # and the file of the draws
FORMAT = 1
KEYS = {
    SUMMARY: ("run", "model", "view", "method", "verdict", "checks", "claims", "quantities"),
    INFO: ("created", "model", "view", "sampler", "prior_only", "horizon", "files"),
}
LARGEST = 50_000_000  # bytes of text; a sweep of a thousand views has one
KINDS: Mapping[str, Mapping[str, type]] = {
    SUMMARY: {
        "claims": dict,
        "quantities": dict,
        "checks": list,
        "verdict": str,
        "model": str,
        "method": str,
    },
    INFO: {
        "model": dict,
        "view": dict,
        "sampler": dict,
        "files": dict,
        "prior_only": list,
        "created": str,
    },
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def run_name(name: str) -> str:
    """Check a run's name.

    Raises
    ------
    InputError
        If it could leave the results folder or hide in it.
    """
    if not NAME.fullmatch(name):
        raise InputError(
            f"name: must be letters, digits, dots, dashes or underscores, got {name!r}; choose another"
        )
    return name


def default_name(model: str, view: "View", out: Path) -> str:
    """Name of a run that is given none: model, view and time; of a second one within a second, a number."""
    # a view's name is free text
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", f"{model}-{view.name}")[:60]
    name = f"{plain}-{datetime.now():%Y%m%d-%H%M%S}"
    return next(
        each
        for each in (name, *(f"{name}-{i}" for i in range(2, 1000)))
        if not (out / each).exists()
    )


def command_line() -> str:
    """The command that is running, to be stored with what it makes."""
    return (
        " ".join(["aligntax", *sys.argv[1:]])
        if sys.argv[0].endswith(("aligntax", "__main__.py"))
        else "Python"
    )


def origin(folder: Path) -> Path:
    """Folder of the sampled run behind a run: itself, or the one whose draws it reweights.

    Raises
    ------
    InputError
        If that run is gone or has other draws now.
    """
    link = read_json(folder / INFO).get("refitted_from")
    if not link or not link["shares_draws"]:
        return folder
    source: Path = folder / link["path"]
    if not (source / INFO).is_file():
        rule = f"{folder} counts the draws of {link['run']}, which must stand at {source}"
        raise InputError(f"run: {rule}, got nothing there; restore it or refit again")
    if hash_of_draws(read_json(source / INFO)) != link["posterior"]:
        raise InputError(
            f"run: {folder} counts the draws of {source}, which must be the same, got others; refit again"
        )
    return source


def hash_of_draws(info: Mapping[str, Any]) -> str | None:
    """SHA-256 of the file that holds a run's draws, as it was written."""
    known: str | None = info["files"].get(file_of(info["files"]))
    return known


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_of(path: Path) -> str:
    """Text of a file of a result, read no further than a bound.

    Raises
    ------
    InputError
        If it is no file, though perhaps a link to a device that has no end; or too large, or not
        UTF-8.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(
                f"run: {path} must be smaller than {LARGEST} bytes, got more; the file is damaged"
            )
        return content.decode("utf-8")
    except OSError as error:
        raise InputError(
            f"run: {path} must be readable, got {error.strerror}; see `aligntax runs`"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"run: {path} must be UTF-8 text, got {error.reason}; the file is damaged"
        ) from None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a run.

    Raises
    ------
    InputError
        If the file is missing or not what a run writes.
    """
    try:
        value = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"run: {path} must be JSON as `aligntax run` writes it, got {error}; the file is damaged"
        ) from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        got = value.get("format") if isinstance(value, dict) else type(value).__name__
        raise InputError(
            f"run: {path} must have format {FORMAT}, got {got}; it was written by another version"
        )
    if missing := [key for key in KEYS.get(path.name, ()) if key not in value]:
        raise InputError(
            f"run: {path} must have {', '.join(missing)}, got {', '.join(value)}; the file is damaged"
        )
    for key, kind in KINDS.get(path.name, {}).items():
        if not isinstance(value[key], kind):
            got = type(value[key]).__name__
            raise InputError(
                f"run: {path} must have {key} of type {kind.__name__}, got {got}; the file is damaged"
            )
    return value


def find_run(run: str, out: Path = Path("results")) -> Path:
    """Folder of a run given by path or by name.

    Raises
    ------
    InputError
        If there is none; names the latest runs.
    """
    for folder in (Path(run), out / run):
        if (folder / SUMMARY).is_file():
            return folder
    known = [path.name for path in list_runs(out)][:5]
    raise InputError(
        f"run: must be a run's folder or name, got {run!r}; "
        + (f"known are {', '.join(known)}" if known else f"there is none in {out}")
    )


def list_runs(out: Path) -> list[Path]:
    """Folders of complete runs, newest first; hidden folders are unfinished ones."""
    if not out.is_dir():
        return []
    runs = [
        path
        for path in out.iterdir()
        if not path.name.startswith(".") and (path / SUMMARY).is_file() and (path / INFO).is_file()
    ]
    return sorted(runs, key=lambda path: (path / INFO).stat().st_mtime, reverse=True)


def verify(folder: Path) -> list[str]:
    """Differences between a run's files and the hashes written with them; empty when there is none."""
    hashes = read_json(folder / INFO)["files"]
    problems = []
    for name in (file_of(hashes), *HASHED):
        if not (folder / name).is_file():
            problems.append(f"{name}: missing")
        elif digest(folder / name) != hashes.get(name):
            problems.append(f"{name}: differs from what was written")
    return problems


PACKAGES = ("aligntax", "pymc", "nutpie", "pytensor", "arviz", "numpy", "scipy", "xarray")


def provenance() -> dict[str, Any]:
    """What every result that is computed here says of itself, for JSON."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "packages": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
