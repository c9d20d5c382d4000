"""The machine and the versions that numbers were measured with."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import ROOT

__all__ = ["describe", "machine"]

PACKAGES = (
    "aligntax",
    "pymc",
    "pytensor",
    "nutpie",
    "numpyro",
    "jax",
    "squigglepy",
    "numpy",
    "numba",
)


def machine() -> dict[str, Any]:
    """Processor, memory, load, versions, commit and date."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe(found: dict[str, Any]) -> str:
    """One line."""
    packages = ", ".join(
        f"{name} {number or 'absent'}" for name, number in found["packages"].items()
    )
    return (
        f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, load {found['load']} at the start; {found['system']}; "
        f"Python {found['python']}, {packages}; commit {found['commit']}; {found['date']}"
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """Short hash, with a plus where files differ from it."""
    try:
        words = ("git", "describe", "--always", "--exclude=*", "--dirty=+")
        return subprocess.run(
            words, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
