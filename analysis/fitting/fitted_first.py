"""A model that is fitted before another one, which takes something from its posterior."""

from dataclasses import dataclass

import xarray as xr

from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.summaries.checks import sampling_checks
from aligntax.analysis.summaries.summary import summarise
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence
from aligntax.models.views import View


@dataclass(frozen=True)
class FittedFirst:
    """Posterior of a model that is fitted before another one.

    Attributes
    ----------
    evidence : Evidence
        What it was conditioned on.
    failed : tuple of str
        Checks that the fit failed.
    """

    model: Model
    view: View
    evidence: Evidence
    posterior: xr.Dataset
    derived: xr.Dataset
    failed: tuple[str, ...]


def fit_first(
    model: Model, view: View, evidence: Evidence, options: Sampling, talk: Talk
) -> FittedFirst:
    """Sample a model and check its chains."""
    talk.say(f"compiling {model.name}, which is fitted first")
    compiled = compile_model(model, evidence, view)
    talk.say(f"sampling {model.name}")
    posterior, statistics = compiled.posterior(options, talk.progress)
    rng = child_generator(options.seed, "arrival")
    derived = derive(model, posterior, view.tables(model.quantities), compiled.evidence, view, rng)
    checks = sampling_checks(posterior, statistics, summarise(derived), model.headlines)
    failed = tuple(check.name for check in checks if not check.passed)
    return FittedFirst(model, view, compiled.evidence, posterior, derived, failed)
