"""Files that are added to a run after it: what more was asked of it, with what it was asked of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aligntax.analysis.storage.fast_reader import Source, read_source
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import (
    FORMAT,
    find_run,
    hash_of_draws,
    provenance,
    text_of,
)
from aligntax.analysis.storage.whole_file import write_json
from aligntax.models.errors import InputError

CROSS_VALIDATION, ROBUSTNESS = "loo.json", "robustness.json"
COMMAND = {CROSS_VALIDATION: "loo", ROBUSTNESS: "robustness"}


def own_draws(run: str, out: Path) -> Source:
    """A run, if its draws are its own.

    Raises
    ------
    InputError
        If it counts those of another, or cannot be read.
    """
    folder = find_run(run, out)
    source = read_source(folder)
    if source.path != folder:
        rule = f"must have draws of its own, got {folder.name}, which counts those of {source.path.name}"
        raise InputError(f"run: {rule}; name that run, or refit with --method sample")
    return source


def write_annex(run: Source | Result, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Write a file beside a run's own, whole or not at all, in place of the one of before; returns what it holds."""
    whole = {
        "format": FORMAT,
        "run": run.path.name,
        "draws": hash_of_draws(run.info),
        **provenance(),
        **value,
    }
    write_json(run.path / name, whole)
    return whole


def read_annex(result: Result, name: str) -> dict[str, Any] | None:
    """Read such a file; null if there is none.

    Raises
    ------
    InputError
        If it is damaged or of other draws.
    """
    path, remedy = (
        result.path / name,
        f"remove it, or ask again: aligntax {COMMAND[name]} {result.path.name}",
    )
    if not path.is_file():
        return None
    try:
        value = json.loads(text_of(path))
        good = value["format"] == FORMAT and value["draws"] == hash_of_draws(result.info)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"run: {path} must be as aligntax writes it, got {type(error).__name__}; {remedy}"
        ) from None
    if not good:
        raise InputError(
            f"run: {path} must be of the draws of this run, got those of another; {remedy}"
        )
    found: dict[str, Any] = value
    return found
