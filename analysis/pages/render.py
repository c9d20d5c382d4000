"""Rendering of offline pages: one file from a template, style sheets, scripts and data.

A page fetches nothing and runs only its own scripts, which its content-security policy lists by
their hashes. The template escapes all text. Scripts are in ``scripts/``. The charting library is
Vega-Lite (:mod:`aligntax.analysis.pages.charting_library`), which runs without ``eval``. It is held
deflated: half of its size is saved, and text is painted before it is read.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aligntax.analysis.pages.charting_library import charting_library
from aligntax.analysis.pages.sentences import time_in_words

HERE = Path(__file__).parent
STYLES = ("style.css", "first_screen.css", "what_if.css")  # in this order
VEGA = "charting_library.js"  # runs the library, which the page then holds


@dataclass(frozen=True)
class Held:
    """JSON for a page's scripts, in the element of this id; safe inside a script element."""

    name: str
    text: str


def render(
    template: str, context: Mapping[str, Any], scripts: Sequence[str] = (), **data: Any
) -> str:
    """Return the text of a page.

    Parameters
    ----------
    template : str
        File in ``templates/`` that extends ``base.html``.
    context : mapping
        Variables of the template, which escapes them.
    scripts : sequence of str
        Files in ``scripts/`` in order; :data:`VEGA` brings the charting library.
    **data
        What the scripts read, by the id of its element; written as strict JSON.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["time"] = time_in_words
    sources = [_script(name) for name in scripts]
    allowed = sources
    if VEGA in scripts:
        library = charting_library()
        allowed = [*sources, library]
        deflated = zlib.compress(library.encode(), 9)
        data = {**data, "charting_library": base64.b64encode(deflated).decode()}
    return environment.get_template(template).render(
        **context,
        policy=Markup(_policy(allowed)),
        style=Markup("".join((HERE / "templates" / name).read_text("utf-8") for name in STYLES)),
        holdings=[Held(name, Markup(_json(value))) for name, value in data.items()],
        scripts=[Markup(source) for source in sources],
    )


def _policy(sources: Sequence[str]) -> str:
    hashes = [
        base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() for source in sources
    ]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes) or "'none'"
    rules = (
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"script-src {allowed}",
    )
    return "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))


def _json(value: Any) -> str:
    """Return strict JSON in which nothing can end a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


@lru_cache
def _script(name: str) -> str:
    return (HERE / "scripts" / name).read_text("utf-8")
