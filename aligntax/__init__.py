"""How much alignment data will we need in the long run, and how far does that move timelines?

The public names of the package. ``from aligntax import run, load`` are the command line's verbs in
Python. A name is looked up when it is asked for, because importing PyMC takes seconds and most uses
need none of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntax.analysis.answers.budget import budget
    from aligntax.analysis.answers.comparison import compare
    from aligntax.analysis.figures.for_arviz import dates_for_plot, draws_in_order
    from aligntax.analysis.inference.compiled_model import compile_model
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.loss_runs import read_runs
    from aligntax.analysis.inputs.view_reader import read_view as load_view
    from aligntax.analysis.pipeline import run
    from aligntax.analysis.refitting import refit
    from aligntax.analysis.storage.load import load
    from aligntax.analysis.storage.result import Result
    from aligntax.analysis.sweeps.many_views import sweep
    from aligntax.models.errors import InputError
    from aligntax.models.evidence import Evidence, load_evidence
    from aligntax.models.extension import (
        register_model,
        register_quantity,
        register_table,
        with_likelihood,
    )
    from aligntax.models.priors.user_prior import Prior
    from aligntax.models.views import View

    __version__: str

_HOMES = {
    "Evidence": "models.evidence",
    "InputError": "models.errors",
    "Prior": "models.priors.user_prior",
    "Result": "analysis.storage.result",
    "Sampling": "analysis.inference.options",
    "View": "models.views",
    "budget": "analysis.answers.budget",
    "compare": "analysis.answers.comparison",
    "compile_model": "analysis.inference.compiled_model",
    "dates_for_plot": "analysis.figures.for_arviz",
    "draws_in_order": "analysis.figures.for_arviz",
    "load": "analysis.storage.load",
    "load_evidence": "models.evidence",
    "load_view": "analysis.inputs.view_reader",
    "read_runs": "analysis.inputs.loss_runs",
    "refit": "analysis.refitting",
    "register_model": "models.extension",
    "register_quantity": "models.extension",
    "register_table": "models.extension",
    "run": "analysis.pipeline",
    "sweep": "analysis.sweeps.many_views",
    "with_likelihood": "models.extension",
}

_NAMES_AT_HOME = {"load_view": "read_view"}  # a user's own files too

__all__ = [
    "Evidence",
    "InputError",
    "Prior",
    "Result",
    "Sampling",
    "View",
    "__version__",
    "budget",
    "compare",
    "compile_model",
    "dates_for_plot",
    "draws_in_order",
    "load",
    "load_evidence",
    "load_view",
    "read_runs",
    "refit",
    "register_model",
    "register_quantity",
    "register_table",
    "run",
    "sweep",
    "with_likelihood",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("aligntax")
    if name not in _HOMES:
        raise AttributeError(f"module 'aligntax' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"aligntax.{_HOMES[name]}"), _NAMES_AT_HOME.get(name, name))


def __dir__() -> list[str]:
    return __all__
