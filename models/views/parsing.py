"""Read views: those that come with the package, and the text of a file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.resources import files
from typing import Any

from aligntax.models.errors import InputError, brief
from aligntax.models.views.changed_fields import errors_about, read_changes
from aligntax.models.views.view import View

HOME = files("aligntax.models.views")
DEEPEST = 100  # dots in a key; Python's TOML reader takes time and memory as their square


def view_names() -> list[str]:
    """Names of the views that come with the package."""
    return sorted(f.name.removesuffix(".toml") for f in HOME.iterdir() if f.name.endswith(".toml"))


def load_view(name: str, base: View | None = None) -> View:
    """Return a view that comes with the package.

    Parameters
    ----------
    base : View, optional
        View to extend, as in :func:`parse_view`.

    Raises
    ------
    InputError
        If there is no such view.
    """
    if name not in view_names():
        raise InputError(
            f"view: must be a file or one of {', '.join(view_names())}, got {brief(repr(name))}; "
            "check the spelling, or read a file with aligntax.load_view"
        )
    return parse_view((HOME / f"{name}.toml").read_text("utf-8"), name, base)


def load_views() -> dict[str, View]:
    """Return every view that comes with the package, by name; each is read once."""
    found: dict[str, View] = {}

    def read(name: str) -> View:
        if name not in found:
            raw = parse_toml((HOME / f"{name}.toml").read_text("utf-8"), name)
            parent = _parent(raw, name)
            found[name] = resolve(raw, name, read(parent) if parent else None)
        return found[name]

    return {name: read(name) for name in view_names()}


def parse_view(text: str, origin: str, base: View | None = None) -> View:
    """Read a view.

    Parameters
    ----------
    text : str
        TOML.
    origin : str
        File name for messages; its stem is the view's name where the file gives none.
    base : View, optional
        View to extend. By default it is the one that ``extends`` names, or ``default``.

    Raises
    ------
    InputError
        With the file, the key, the rule, the value got and the remedy.
    """
    return resolve(parse_toml(text, origin), origin, base)


def parse_toml(text: str, origin: str) -> dict[str, Any]:
    """Read TOML, without a look at what it says.

    Raises
    ------
    InputError
        If it is not TOML, or if its keys nest so deep that reading them would take long.
    """
    if any(piece.count(".") > DEEPEST for piece in re.split(r"[=,{}\[\]\n]", text)):
        raise InputError(
            f"{origin}: a key must have at most {DEEPEST} dots, got more; is it a view?"
        )
    try:
        return tomllib.loads(text)
    # tomllib's own error is a ValueError, as is a number of 5000 digits
    except (ValueError, RecursionError) as error:
        problem = " ".join(brief(str(error)).split())
        raise InputError(
            f"{origin}: must be TOML, got {problem}; compare with `aligntax view show default`"
        ) from None


def resolve(raw: Mapping[str, Any], origin: str, base: View | None = None) -> View:
    """Make a view of what its file says; arguments and errors as in :func:`parse_view`."""
    with errors_about(origin):
        known = {"extends", *(entry.name for entry in fields(View))}
        if unknown := set(raw) - known:
            raise InputError(
                f"view: has no key {brief(repr(sorted(unknown)))}; "
                f"known are {', '.join(sorted(known))}"
            )
        parent = _parent(raw, origin)
        start = base or (load_view(parent) if parent else View(name=""))
        return replace(start, **read_changes(start, raw, origin))


def _parent(raw: Mapping[str, Any], origin: str) -> Any:
    """Name of the view that a file extends, as it states it; empty if it extends nothing."""
    return raw.get("extends", "" if origin == "default" else "default")
