"""A view that uses no evidence: what a run samples, refits and draws is its prior, in the smaller models too."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.pages.report import write_report
from aligntax.analysis.pipeline import run
from aligntax.analysis.refitting import refit
from aligntax.models.catalogue import find_model


@pytest.fixture(scope="module")
def bare(view):
    return replace(view, evidence=replace(view.evidence, use="none"))


def test_a_compiled_model_takes_other_priors(bare, evidence):
    """nutpie holds only what the density depends on: without a likelihood, not the tables of the priors."""
    model = find_model("scaling")
    compiled = compile_model(model, evidence, bare)
    quantiles = {"0.1": 0.6, "0.5": 0.7, "0.9": 0.8}
    moved = bare.with_quantity("data_exponent_prior", {"quantiles": quantiles})
    posterior, _ = compiled.with_view(moved).posterior(Sampling(draws=1000))
    found = moved.tables(model.quantities).values(posterior["z"].values)["data_exponent_prior"]
    np.testing.assert_allclose(
        10 ** np.quantile(found, [0.1, 0.5, 0.9]), list(quantiles.values()), atol=0.01
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scaling", "overoptimization"])
def test_a_run_its_report_and_its_refit(name, bare, evidence, tmp_path):
    """Every figure is drawn, also what-if; a moved prior moves the answer, by redrawing and by sampling alike."""
    result = run(name, bare, evidence, options=Sampling(), out=tmp_path, name="bare", report=False)
    write_report(result, strict=True)
    assert not result.groups.posterior_predictive.data_vars
    quantity = result.view.tables(find_model(name).quantities).names[0]
    spec = {"quantiles": {p: 0.8 * q for p, q in bare.quantities[quantity]["quantiles"].items()}}
    moved = bare.with_quantity(quantity, spec)
    redrawn, sampled = (
        refit(result, moved, how, out=tmp_path, name=how) for how in ("reweight", "sample")
    )
    assert redrawn.info["refit"]["how"] == "redrawn"
    for headline in find_model(name).headlines:
        one, other = (each.record["quantities"][headline] for each in (redrawn, sampled))
        if one["mcse_median"] is not None and other["mcse_median"] is not None:
            error = np.hypot(one["mcse_median"], other["mcse_median"])
            assert abs(one["q50"] - other["q50"]) <= 4 * error, headline
