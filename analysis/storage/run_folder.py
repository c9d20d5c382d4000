"""A run is a folder, complete or absent.

It is written to a temporary sibling, renamed when it is complete, and verified when it is read.

=================  ==========================================================================
``summary.json``   what ``show --json`` prints
``posterior.nc``   DataTree: posterior, unconstrained_posterior, prior, unconstrained_prior,
                   sample_stats, log_likelihood, log_prior, posterior_predictive,
                   prior_predictive, observed_data, constant_data, evidence/<table>, laid out as
                   :mod:`aligntax.analysis.storage.layout` says; ``posterior.zarr.zip`` if zarr
                   was chosen
``summary.csv``    the quantities of ``summary.json``
``view.toml``      the view, resolved and complete
``info.json``      model, seeds, options, versions, hashes, checks, timings, command
``report.html``    the report
=================  ==========================================================================

A refit that reuses draws stores only what is new: its file of draws holds the weights, and the
scores and quantities that its view changes. :func:`aligntax.analysis.storage.load.load` lays them
over the run that they belong to.
"""

import errno
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Any

from aligntax.analysis.storage.draw_files import file_of_draws
from aligntax.analysis.summaries.claims import of_today
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.models.views import View


SUMMARY, INFO, VIEW, TABLE = "summary.json", "info.json", "view.toml", "summary.csv"
HASHED = (SUMMARY, VIEW, TABLE)  # beside the file of the draws
FORMAT = 2
FIRST_FORMAT = 1  # draws are laid out otherwise; the rest is the same
FORMATS = (FIRST_FORMAT, FORMAT)
KEYS = {
    SUMMARY: ("run", "model", "view", "method", "verdict", "checks", "claims", "quantities"),
    INFO: ("created", "model", "view", "sampler", "prior_only", "horizon", "files"),
}
LARGEST = 50_000_000  # bytes of a text file; a sweep of a thousand views has one of this order
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
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LONGEST_NAME = 100  # characters
LATEST = "latest"  # stands for the newest run
MOST_NAMED = 5  # runs that a message names


def run_name(name: str) -> str:
    """Check a run's name.

    Raises
    ------
    InputError
        If it could leave the results folder or hide in it.
    """
    if len(name) > LONGEST_NAME:
        rule = f"must have at most {LONGEST_NAME} characters"
        raise InputError(f"name: {rule}, got {len(name)}; choose a shorter one")
    if not NAME.fullmatch(name):
        rule = (
            "must be letters, digits, dots, dashes or underscores, and begin with a letter or digit"
        )
        raise InputError(f"name: {rule}, got {name!r}; choose another")
    return name


def default_name(model: str, view: "View", out: Path) -> str:
    """Name of a run that is given none: model, view and time, and a number if that is taken."""
    # a view's name is free text
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", f"{model}-{view.name}")[:60]
    name = f"{plain}-{datetime.now():%Y%m%d-%H%M%S}"
    return next(
        each
        for each in (name, *(f"{name}-{i}" for i in range(2, 1000)))
        if not (out / each).exists()
    )


def command_line() -> str:
    """The command that is running, to be stored with its result."""
    if sys.argv[0].endswith(("aligntax", "__main__.py")):
        return join(["aligntax", *sys.argv[1:]])  # quoted, so that it can be pasted
    return "Python"


def hash_of_draws(info: Mapping[str, Any]) -> str | None:
    """SHA-256 of the file that holds a run's draws, as it was written."""
    known: str | None = info["files"].get(file_of_draws(info["files"]))
    return known


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path) -> str:
    """Text of a file of a result, read no further than :data:`LARGEST` bytes.

    Raises
    ------
    InputError
        If it is not a regular file (a link may lead to an endless device), is too large, or is not
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
    damaged = "the file is damaged"
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        rule = f"{path} must be JSON as `aligntax run` writes it"
        raise InputError(f"run: {rule}, got {error}; {damaged}") from None
    if not isinstance(value, dict) or value.get("format") not in FORMATS:
        got = value.get("format") if isinstance(value, dict) else type(value).__name__
        rule = f"{path} must have format {' or '.join(map(str, FORMATS))}"
        raise InputError(f"run: {rule}, got {got}; it was written by another version")
    if missing := [key for key in KEYS.get(path.name, ()) if key not in value]:
        rule = f"{path} must have {', '.join(missing)}"
        raise InputError(f"run: {rule}, got {', '.join(value)}; {damaged}")
    for key, kind in KINDS.get(path.name, {}).items():
        if not isinstance(value[key], kind):
            rule, got = f"{path} must have {key} of type {kind.__name__}", type(value[key]).__name__
            raise InputError(f"run: {rule}, got {got}; {damaged}")
    if path.name == SUMMARY:  # claims of an older version are numbers
        value["claims"] = of_today(value["claims"], value["quantities"])
    return value


def find_run(run: str, out: Path = Path("results")) -> Path:
    """Folder of a run given by path, by name, or as ``latest``: the newest of all.

    Raises
    ------
    InputError
        If there is none; names the newest runs.
    """
    for folder in (Path(run), out / run):
        if (folder / SUMMARY).is_file():
            return folder
    known = list_runs(out)
    if run == LATEST and known:
        return known[0]
    raise InputError(
        f"run: must be a run's folder or name, or {LATEST}, got {run!r}; "
        + (f"known are {_newest(known)}" if known else f"{no_runs(out)}")
    )


def _newest(known: list[Path]) -> str:
    """Names of the newest runs, and how many more there are."""
    names, more = ", ".join(path.name for path in known[:MOST_NAMED]), len(known) - MOST_NAMED
    return f"{names} and {more} more, see `aligntax runs`" if more > 0 else names


def no_runs(out: Path) -> str:
    """Say that a folder holds no run, and how to make one."""
    return f"there is none in {out}; make one with `aligntax run`"


def newest_of(models: tuple[str, ...], out: Path) -> Path | None:
    """Folder of the newest run of one of some models, if there is one.

    Damaged runs are passed, and so are those of another version of their model.
    """
    for folder in list_runs(out):
        run = RunFolder(folder)
        try:
            if run.record["model"] in models:
                return run.of_this_version().path
        except InputError:
            continue
    return None


def list_runs(out: Path) -> list[Path]:
    """Folders of complete runs, the last made first; hidden folders are unfinished ones."""
    if not out.is_dir():
        return []
    runs = [
        path
        for path in out.iterdir()
        if not path.name.startswith(".") and (path / SUMMARY).is_file() and (path / INFO).is_file()
    ]
    return sorted(runs, key=_made, reverse=True)


def _made(folder: Path) -> tuple[float, float]:
    """When a run was made and when its file was written, in seconds: a copy is a new file."""
    written = (folder / INFO).stat().st_mtime
    try:
        made = datetime.fromisoformat(json.loads(read_text(folder / INFO))["created"]).timestamp()
    except (InputError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        made = written  # it is damaged, which is told where it is read
    return made, written


@dataclass(frozen=True)
class RunFolder:
    """A complete run on disk, whose files are read once."""

    path: Path

    @cached_property
    def info(self) -> dict[str, Any]:
        """``info.json``."""
        return read_json(self.path / INFO)

    @cached_property
    def record(self) -> dict[str, Any]:
        """``summary.json``."""
        return read_json(self.path / SUMMARY)

    @property
    def draws(self) -> Path:
        """File of the draws."""
        return self.path / file_of_draws(self.info["files"])

    @cached_property
    def differences(self) -> list[str]:
        """How its files differ from the hashes written with them; empty if they do not."""
        hashes, problems = self.info["files"], []
        for name in (self.draws.name, *HASHED):
            if not (self.path / name).is_file():
                problems.append(f"{name}: missing")
            elif file_hash(self.path / name) != hashes.get(name):
                problems.append(f"{name}: differs from what was written")
        return problems

    def verified(self) -> "RunFolder":
        """Return the folder if its files are as they were written.

        Raises
        ------
        InputError
            If one is missing or differs.
        """
        if self.differences:
            got = "; ".join(self.differences)
            rule = f"{self.path} must be as it was written"
            raise InputError(f"run: {rule}, got {got}; restore it or run again")
        return self

    def with_its_plug_ins(self) -> "RunFolder":
        """Return the folder if what its run needs from outside the package is at hand.

        Raises
        ------
        InputError
            If a plug-in is not, or its model was registered by hand and is not now.
        """
        from aligntax.models.registry import EXTENSIONS

        if absent := EXTENSIONS.absent(self.info.get("plug_ins", ())):
            raise InputError(f"run: {self.path} needs {'; and '.join(absent)}")
        return self

    def of_this_version(self) -> "RunFolder":
        """Return the folder if today's model made it: older draws lack what is asked of them.

        Raises
        ------
        InputError
            If another version of the model did, or the model is unknown here.
        """
        from aligntax.models.catalogue import MODELS

        model = self.with_its_plug_ins().info["model"]
        if model["name"] not in MODELS:
            rule = f"{self.path} needs its model, got no {model['name']}"
            remedy = "register it as in the session that made the run: aligntax.register_model"
            raise InputError(f"run: {rule}; {remedy}")
        made, today = model.get("version"), MODELS[model["name"]].version
        if made != today:
            rule = f"{self.path} must be of model version {today}, got {made}; run it again"
            raise InputError(
                f"run: {rule} (`aligntax show {quote(str(self.path))}` still prints it)"
            )
        return self

    def sampled(self) -> "RunFolder":
        """The run that was sampled: this one, or the one whose draws it reweights.

        Raises
        ------
        InputError
            If that run is gone or has other draws now.
        """
        link = self.info.get("refitted_from")
        if not link or not link["shares_draws"]:
            return self
        source = RunFolder(self.path / link["path"])
        if not (source.path / INFO).is_file():
            rule = f"{self.path} uses the draws of {link['run']}, which must be at {source.path}"
            raise InputError(f"run: {rule}, got nothing there; restore it or refit again")
        if hash_of_draws(source.info) != link["posterior"]:
            rule = f"{self.path} uses the draws of {source.path}, which must be the same"
            raise InputError(f"run: {rule}, got others; refit again")
        return source


PACKAGES = ("aligntax", "pymc", "nutpie", "pytensor", "arviz", "numpy", "scipy", "xarray")


def provenance() -> dict[str, Any]:
    """Where and by what a result was computed, for JSON."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "packages": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
