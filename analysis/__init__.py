"""Everything that runs: fit, summary, checks, store, report, command line.

``from analysis import run, load`` are the command line's verbs in Python. They are looked up when asked for, because
importing PyMC takes seconds and most uses need none of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.comparison import compare
    from analysis.fit import compile_model
    from analysis.options import Sampling
    from analysis.pipeline import run
    from analysis.refitting import refit
    from analysis.store import Result, load

__all__ = ["Result", "Sampling", "compare", "compile_model", "load", "refit", "run"]

_HOMES = {
    "Result": "analysis.store",
    "Sampling": "analysis.options",
    "compare": "analysis.comparison",
    "compile_model": "analysis.fit",
    "load": "analysis.store",
    "refit": "analysis.refitting",
    "run": "analysis.pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
