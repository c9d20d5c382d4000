"""Where a result comes from: when, by what command, and with what versions on what machine it was made."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from analysis.store import command_line

__all__ = ["PACKAGES", "provenance"]

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
