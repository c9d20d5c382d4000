"""The charting library of the pages, Vega-Lite: bundled once for each version, and kept.

vl-convert takes a second and a half for it. The file that is kept opens with a digest of the rest.
"""

import hashlib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from aligntax.analysis.inference.compile_cache import cache_folder, ours_alone
from aligntax.analysis.storage.whole_file import replace_file

PACKAGE = "vl-convert-python"


def charting_library() -> str:
    """Return the script."""
    path = cache_folder() / f"{PACKAGE}-{version(PACKAGE)}.js"
    kept = _read(path)
    if kept is not None:
        return kept
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("Object.assign(window, { vegaEmbed, vega });")
    with suppress(OSError):  # it is bundled anew next time
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, f"{_digest(bundle)}\n{bundle}")
    return bundle


def _read(path: Path) -> str | None:
    """Return the script that is kept, if it is whole and nobody else can have written it."""
    try:
        digest, _, bundle = path.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return bundle if digest == _digest(bundle) and ours_alone(path) else None


def _digest(bundle: str) -> str:
    return hashlib.sha256(bundle.encode()).hexdigest()
