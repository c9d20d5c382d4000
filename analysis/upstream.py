"""A model that is fitted before another one, which takes something from its posterior."""

from dataclasses import dataclass

import xarray as xr

from analysis.checks import diagnose
from analysis.draws import derive
from analysis.fit import compile_model
from analysis.options import Sampling, Talk
from analysis.seeds import generator
from analysis.summary import summarise
from models.catalogue import Model
from models.evidence import Evidence
from models.views import View

__all__ = ["Upstream", "fit_upstream"]


@dataclass(frozen=True)
class Upstream:
    """Posterior of a model that feeds another.

    Attributes
    ----------
    model : Model
    view : View
    evidence : Evidence
        What it was conditioned on.
    posterior, derived : xarray.Dataset
    failed : tuple of str
        Checks that the fit failed.
    """

    model: Model
    view: View
    evidence: Evidence
    posterior: xr.Dataset
    derived: xr.Dataset
    failed: tuple[str, ...]


def fit_upstream(model: Model, view: View, evidence: Evidence, options: Sampling, talk: Talk) -> Upstream:
    """Sample a model and check its chains; arguments as in :func:`analysis.pipeline.run`."""
    talk.say(f"compiling {model.name}, which is fitted first")
    compiled = compile_model(model, evidence, view)
    talk.say(f"sampling {model.name}")
    posterior, statistics = compiled.posterior(options, talk.progress)
    rng = generator(options.seed, "arrival")
    derived = derive(model, posterior, view.tables(model.quantities), compiled.evidence, view, rng)
    checks = diagnose(posterior, statistics, summarise(derived), model.headlines)
    failed = tuple(check.name for check in checks if not check.passed)
    return Upstream(model, view, compiled.evidence, posterior, derived, failed)
