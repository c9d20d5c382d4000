"""Write ``results/reference``: a small stored run of the joint model, for tests and newcomers.

``python -m tests.reference`` after the model's version was raised. 4 chains of 220 draws in single
precision, no report; and ``log_density.json``, the model's log density at fixed points, by which a
test knows that the draws are this model's.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from aligntax.analysis.answers.sensitivity import with_sensitivity
from aligntax.analysis.fitting.outcome import conclude_fit, write_outcome
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view

REFERENCE = Path(__file__).parents[1] / "results" / "reference"
LEFT_OUT = ("prior_draws", "prior_predictive", "posterior_predictive")
SINGLE = (
    "draws",
    "derived",
    "prior_derived",
    "log_prior",
    "log_likelihood",
    "sample_stats",
    "observed_data",
)
POINTS = 5


def fixed_points(graph) -> list[dict[str, np.ndarray]]:
    """Points of the sampled space: one standard-normal draw for every free value."""
    rng = np.random.default_rng(1)
    start = graph.initial_point()
    return [
        {name: 0.5 * rng.standard_normal(np.shape(value)) for name, value in sorted(start.items())}
        for _ in range(POINTS)
    ]


def log_densities(graph) -> list[float]:
    """Log density of the model, without the Jacobian of its transforms, at the fixed points."""
    function = graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    return [float(function(point)) for point in fixed_points(graph)]


def _single(dataset):
    return dataset.map(lambda v: v.astype("float32") if v.dtype == "float64" else v)


def main() -> None:
    """Sample and write."""
    model, view, evidence = find_model("joint"), load_view("default"), load_evidence()
    options = Sampling(draws=220)
    compiled = compile_model(model, evidence, view)
    outcome = with_sensitivity(conclude_fit(compiled.sample(options), options, {}))
    # three megabytes at most; evidence stays double, because FLOP are beyond single precision
    groups = {name: _single(getattr(outcome.groups, name)) for name in (*SINGLE, "constant_data")}
    single = replace(outcome.groups, **groups, **{name: xr.Dataset() for name in LEFT_OUT})
    shutil.rmtree(REFERENCE, ignore_errors=True)
    with new_folder(REFERENCE.parent, REFERENCE.name) as place:
        write_outcome(place.folder, replace(outcome, groups=single), REFERENCE.name)
        graph = model.build(restrict(evidence, view, model), view)
        (place.folder / "log_density.json").write_text(
            json.dumps(log_densities(graph), indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
