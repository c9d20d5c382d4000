"""The committed run is this model's, small, and whole."""

import json

import numpy as np

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.storage.run_folder import RunFolder
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.priors.tables import log_density
from tests.reference import REFERENCE, log_densities


def test_reference_is_small_and_as_written():
    assert RunFolder(REFERENCE).differences == []
    assert sum(file.stat().st_size for file in REFERENCE.iterdir()) <= 3e6
    assert not (REFERENCE / "report.html").exists()


def test_reference_has_the_promised_groups(reference):
    assert reference.posterior.sizes["chain"] == 4 and reference.posterior.sizes["draw"] == 220
    for group in ("posterior", "unconstrained_posterior", "log_prior", "log_likelihood"):
        assert all(v.dtype == np.float32 for v in reference.tree[group].data_vars.values())


def test_model_still_has_the_log_density_that_the_reference_was_drawn_with(evidence, view):
    """Should this fail on purpose: raise the model's version and run ``python -m tests.reference``."""
    recorded = json.loads((REFERENCE / "log_density.json").read_text())
    graph = find_model("joint").build(restrict(evidence, view, find_model("joint")), view)
    np.testing.assert_allclose(log_densities(graph), recorded, rtol=1e-9)


def test_reference_was_drawn_with_todays_view_evidence_and_model(reference, evidence, view):
    model = find_model("joint")
    assert reference.info["view"]["hash"] == view.hash == reference.view.hash
    assert (
        reference.info["evidence"]["hash"]
        == restrict(evidence, view, model).hash
        == reference.evidence.hash
    )
    assert reference.info["model"] == {"name": "joint", "version": model.version}


def test_derived_quantities_follow_from_the_stored_draws(reference):
    """Derived again from single-precision draws with the run's seed; dates agree to a day in all but a few draws."""
    model, view = find_model("joint"), reference.view
    tables = view.tables(model.quantities)
    rng = child_generator(reference.info["sampler"]["seed"], "arrival")
    again = derive(model, reference.draws, tables, reference.evidence, view, rng)
    for name, tolerance in (
        ("data_exponent_pooled", 1e-5),
        ("alignment_tax_tolerance", 1e-5),
        ("tai_flop", 1e-3),
    ):
        close = np.isclose(again[name], reference.derived[name], atol=tolerance, equal_nan=True)
        assert close.mean() > 0.995, name
    close = np.isclose(again["tai_year"], reference.derived["tai_year"], atol=3e-3, equal_nan=True)
    assert close.mean() > 0.99


def test_stored_log_prior_is_the_tables_density(reference):
    tables = reference.view.tables(find_model("joint").quantities)
    again = log_density(tables, reference.unconstrained_posterior["z"].values.astype(float))
    np.testing.assert_allclose(reference.groups.log_prior["z"].values, again, atol=2e-4)
