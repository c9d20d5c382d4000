"""How much alignment data will we need in the long run, and how far does that move timelines?

The public names of the package. ``from aligntax import run, load`` are the command line's verbs in
Python. A name is looked up when it is asked for, because importing PyMC takes seconds and most uses
need none of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntax.analysis.answers.budget import budget
    from aligntax.analysis.answers.comparison import compare
    from aligntax.analysis.checking import backtest, calibrate, loo, reproduce, robustness
    from aligntax.analysis.drivers import move_prior, sensitivity
    from aligntax.analysis.experts import refit_by_expert
    from aligntax.analysis.figures.for_arviz import dates_for_plot, draws_in_order
    from aligntax.analysis.foresee import foresee
    from aligntax.analysis.foresee_since import foresee_since
    from aligntax.analysis.inference.compiled_model import compile_model
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.loss_runs import read_runs
    from aligntax.analysis.inputs.view_reader import read_view as load_view
    from aligntax.analysis.pipeline import run
    from aligntax.analysis.reading import (
        fetch_evidence,
        index,
        load_sweep,
        report,
        runs,
        shifts,
        show,
        verify,
    )
    from aligntax.analysis.refitting import refit
    from aligntax.analysis.result import Result, load
    from aligntax.analysis.sweeps.many_views import resume_sweep, sweep
    from aligntax.analysis.terminal.views import diff_views
    from aligntax.analysis.theory import density_trials, gold_curves, predict_density
    from aligntax.models.errors import InputError
    from aligntax.models.evidence import Evidence, load_evidence
    from aligntax.models.extension import (
        register_model,
        register_quantity,
        register_table,
        with_likelihood,
    )
    from aligntax.models.priors.user_prior import Prior
    from aligntax.models.views import View, view_names
    from aligntax.models.views.pooling import pool_views

    __version__: str

_HOMES = {
    "Evidence": "models.evidence",
    "InputError": "models.errors",
    "Prior": "models.priors.user_prior",
    "Result": "analysis.result",
    "Sampling": "analysis.inference.options",
    "View": "models.views",
    "backtest": "analysis.checking",
    "budget": "analysis.answers.budget",
    "calibrate": "analysis.checking",
    "compare": "analysis.answers.comparison",
    "compile_model": "analysis.inference.compiled_model",
    "dates_for_plot": "analysis.figures.for_arviz",
    "density_trials": "analysis.theory",
    "diff_views": "analysis.terminal.views",
    "draws_in_order": "analysis.figures.for_arviz",
    "fetch_evidence": "analysis.reading",
    "foresee": "analysis.foresee",
    "foresee_since": "analysis.foresee_since",
    "gold_curves": "analysis.theory",
    "index": "analysis.reading",
    "load": "analysis.result",
    "load_evidence": "models.evidence",
    "load_sweep": "analysis.reading",
    "load_view": "analysis.inputs.view_reader",
    "loo": "analysis.checking",
    "move_prior": "analysis.drivers",
    "pool_views": "models.views.pooling",
    "predict_density": "analysis.theory",
    "read_runs": "analysis.inputs.loss_runs",
    "refit": "analysis.refitting",
    "refit_by_expert": "analysis.experts",
    "register_model": "models.extension",
    "register_quantity": "models.extension",
    "register_table": "models.extension",
    "report": "analysis.reading",
    "reproduce": "analysis.checking",
    "resume_sweep": "analysis.sweeps.many_views",
    "robustness": "analysis.checking",
    "run": "analysis.pipeline",
    "runs": "analysis.reading",
    "sensitivity": "analysis.drivers",
    "shifts": "analysis.reading",
    "show": "analysis.reading",
    "sweep": "analysis.sweeps.many_views",
    "verify": "analysis.reading",
    "view_names": "models.views",
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
    "backtest",
    "budget",
    "calibrate",
    "compare",
    "compile_model",
    "dates_for_plot",
    "density_trials",
    "diff_views",
    "draws_in_order",
    "fetch_evidence",
    "foresee",
    "foresee_since",
    "gold_curves",
    "index",
    "load",
    "load_evidence",
    "load_sweep",
    "load_view",
    "loo",
    "move_prior",
    "pool_views",
    "predict_density",
    "read_runs",
    "refit",
    "refit_by_expert",
    "register_model",
    "register_quantity",
    "register_table",
    "report",
    "reproduce",
    "resume_sweep",
    "robustness",
    "run",
    "runs",
    "sensitivity",
    "shifts",
    "show",
    "sweep",
    "verify",
    "view_names",
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
