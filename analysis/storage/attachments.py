"""Attachments: files that later commands add to a run, each with the hash of its draws."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_folder import (
    FORMAT,
    FORMATS,
    find_run,
    hash_of_draws,
    provenance,
    read_text,
)
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.analysis.storage.whole_file import write_json
from aligntax.models.errors import InputError

CROSS_VALIDATION, ROBUSTNESS = "loo.json", "robustness.json"
COMMAND = {CROSS_VALIDATION: "loo", ROBUSTNESS: "robustness"}


def run_with_own_draws(run: str, out: Path) -> SampledRun:
    """Read a run whose draws are its own.

    Raises
    ------
    InputError
        If it uses the draws of another run, or cannot be read.
    """
    folder = find_run(run, out)
    source = read_sampled_run(folder)
    if source.path != folder:
        rule = "must have draws of its own"
        got = f"{folder.name}, which uses those of {source.path.name}"
        raise InputError(f"run: {rule}, got {got}; name that run, or refit with --method sample")
    return source


def write_attachment(
    run: SampledRun | Result, name: str, value: Mapping[str, Any]
) -> dict[str, Any]:
    """Write an attachment, in place of an earlier one, and return what it holds."""
    whole = {
        "format": FORMAT,
        "run": run.path.name,
        "draws": hash_of_draws(run.info),
        **provenance(),
        "simulated": run.record.get("simulated", ""),
        **value,
    }
    write_json(run.path / name, whole)
    return whole


def read_attachment(result: Result, name: str) -> dict[str, Any] | None:
    """Read an attachment; None if there is none.

    Raises
    ------
    InputError
        If it is damaged or of other draws.
    """
    path = result.path / name
    remedy = f"remove it, or ask again: aligntax {COMMAND[name]} {result.path.name}"
    if not path.is_file():
        return None
    try:
        value = json.loads(read_text(path))
        good = value["format"] in FORMATS and value["draws"] == hash_of_draws(result.info)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"run: {path} must be as aligntax writes it, got {type(error).__name__}; {remedy}"
        ) from None
    if not good:
        raise InputError(
            f"run: {path} must be of the draws of this run, got those of another; {remedy}"
        )
    attachment: dict[str, Any] = value
    return attachment
