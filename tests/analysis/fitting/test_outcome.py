"""What a fit becomes before it is written: which groups, in which precision, under which view."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.fitting.outcome import conclude_fit, prior_contraction, with_own_data
from aligntax.analysis.inference.options import Sampling
from aligntax.models.errors import InputError

OPTIONS = Sampling(draws=40, tune=80, chains=2)


@pytest.fixture(scope="module")
def fit(scaling):
    return scaling.sample(OPTIONS)


@pytest.fixture(scope="module")
def small(fit):
    return conclude_fit(fit, OPTIONS, {"sample": 1.0})


def test_replicated_evidence_alone_is_stored_in_single_precision(small) -> None:
    single = {
        name
        for name, group in small.groups.stored().items()
        if any(v.dtype == np.float32 for v in group.data_vars.values())
    }
    assert single == {"posterior_predictive", "prior_predictive"}


def test_the_groups_are_those_that_a_run_documents(small, fit) -> None:
    stored = small.groups.stored()
    assert {name for name in stored if not name.startswith("evidence/")} == {
        "posterior",
        "sample_stats",
        "log_likelihood",
        "log_prior",
        "prior",
        "posterior_predictive",
        "prior_predictive",
        "observed_data",
        "unconstrained_posterior",
        "unconstrained_prior",
        "constant_data",
    }
    assert {name for name in stored if name.startswith("evidence/")} == {
        f"evidence/{name}" for name in fit.evidence.tables
    }


def test_a_fit_whose_view_was_exchanged_is_refused(fit, view) -> None:
    other = view.replace(scaling={"between_study_scale": 0.1})
    with pytest.raises(InputError, match="fit: must keep its view"):
        conclude_fit(replace(fit, view=other), OPTIONS, {})


def test_contraction_is_of_elicited_quantities_alone(fit) -> None:
    z = fit.posterior["z"].sel(quantity="data_exponent_prior").values
    assert prior_contraction(fit, "data_exponent_prior") == pytest.approx(1 - np.var(z, ddof=1))
    assert prior_contraction(fit, "between_study_sd") is None


def test_failed_checks_of_the_loss_law_fail_the_outcome(small) -> None:
    facts = {"file": "runs.csv", "failed_checks": ["r_hat"]}
    with_data = with_own_data(small, facts)
    assert with_data.info["runs"] == facts and with_data.record["verdict"] == "fail"
    assert with_data.record["checks"][-1]["name"] == "loss_law_r_hat"
    assert with_own_data(small, {}) is small
