"""What a user names on the command line, read and checked: views, single priors, evidence."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.errors import InputError
from models.evidence import Evidence, load_evidence
from models.views import View, load_view, parse_view, view_names

__all__ = ["parse_set", "read_evidence", "read_view", "read_views"]

LARGEST_VIEW = 1_000_000  # bytes; a view is text that a person wrote


def read_view(name: str, base: View | None = None) -> View:
    """Read a view by name or from a file, on top of another view where one is given.

    Raises
    ------
    InputError
        If there is no such view or it is malformed.
    """
    if name in view_names():
        return load_view(name, base)
    path = Path(name)
    try:
        if path.stat().st_size > LARGEST_VIEW:
            raise InputError(f"view: {name} must be smaller than {LARGEST_VIEW} bytes; is it a view?")
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"view: {name} must be UTF-8 text, got other bytes; save it as UTF-8") from None
    except OSError as error:
        known = ", ".join(view_names())
        raise InputError(
            f"view: must be a file or one of {known}, got {name!r} ({error.strerror}); check the spelling"
        ) from None
    if not text.strip():
        raise InputError(f"view: {name} must not be empty; start from `aligntax view show default --toml`")
    return parse_view(text, name, base)


def read_views(names: Sequence[str], settings: Sequence[str]) -> View:
    """Read views, each on top of the one before, then single priors on top of them all."""
    view: View | None = None
    for name in names or ("default",):
        view = read_view(name, view)
    assert view is not None  # the loop runs at least once
    for text in settings:
        view = view.with_quantity(*parse_set(text))
    return replace(view, name=f"{view.name}-set") if settings else view


def parse_set(text: str) -> tuple[str, dict[str, Any]]:
    """Read ``quantity=p10,p50,p90``.

    Raises
    ------
    InputError
        If it is not a quantity and three numbers.
    """
    name, equals, values = text.partition("=")
    try:
        low, middle, high = (float(value) for value in values.split(","))
    except ValueError:
        equals = ""
    if not equals:
        raise InputError(
            f"set: must be quantity=p10,p50,p90 with three numbers, got {text!r}; for instance rlhf_multiplier=0.1,3,100"
        )
    return name.strip(), {"quantiles": {"0.1": low, "0.5": middle, "0.9": high}, "source": f"--set {text}"}


def read_evidence(folder: str | None) -> Evidence:
    """Read the embedded evidence, with a user's folder replacing or extending tables."""
    return load_evidence(None if folder is None else Path(folder))
