"""Files that are written whole or not at all.

The content goes to a hidden sibling, which takes the file's name when it is complete.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from aligntax.analysis.storage.written import note_written
from aligntax.models.errors import InputError


def replace_file(path: Path, content: str | bytes) -> Path:
    """Write a file in place of any of that name; text that UTF-8 cannot hold is replaced."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    half = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.unfinished")
    try:
        half.write_bytes(data)
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    note_written(path)
    return path


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON, no NaN, in place of any file of that name."""
    replace_file(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def check_can_write(path: Path, force: bool) -> None:
    """Raise an error unless a file of that name can be written without losing another."""
    if path.is_dir():
        raise InputError(f"file: must be a file, got the folder {str(path)!r}; add a name")
    if path.exists() and not force:
        raise InputError(
            f"file: must be new, got {str(path)!r}, which exists; choose another or add --force"
        )
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        rule = "must be in a folder that can be written"
        raise InputError(f"file: {rule}, got {str(path.parent)!r}; choose another")


def save_user_file(path: Path, content: str | bytes, force: bool) -> None:
    """Write a file that a user named.

    Raises
    ------
    InputError
        If it exists, unless forced, or cannot be written.
    """
    check_can_write(path, force)
    try:
        replace_file(path, content)
    except OSError as error:
        problem = f"got {str(path)!r} ({error.strerror}); choose another"
        raise InputError(f"file: must be one that can be written, {problem}") from None


def make_folder(folder: Path) -> None:
    """Make a folder for files of the user's, unless it is there.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = (error.strerror if isinstance(error, OSError) else None) or "not a folder name"
        rule = f"must be a folder that can be made, got {str(folder)!r} ({reason})"
        raise InputError(f"folder: {rule}; choose another") from None
