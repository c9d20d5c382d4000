"""Draws of an open graph come back: from PyMC's samplers, with further likelihoods, with every derived quantity."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from aligntax.analysis.inference.open_draws import derive_open, own_draws
from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import find_model

SCALING = find_model("scaling")
FAST = {"mode": "FAST_COMPILE"}


def come_back(tree, evidence, view) -> None:
    """What the graph worked out for each draw is what is derived from it again."""
    assert own_draws(SCALING, tree, view)["z"].dims == ("chain", "draw", "quantity")
    derived = derive_open(SCALING, tree, evidence, view, np.random.default_rng(1))
    for name in ("data_exponent_prior", "data_exponent", "data_exponent_pooled"):
        assert np.ptp(derived[name].values) > 0
        np.testing.assert_allclose(derived[name].values, tree["posterior"][name].values, rtol=1e-10)


def test_draws_of_the_graph_come_back_with_every_quantity(evidence, view) -> None:
    with SCALING.open(evidence, view):
        drawn = pm.sample_prior_predictive(draws=30, random_seed=1, compile_kwargs=FAST)
    come_back(xr.DataTree.from_dict({"posterior": drawn["prior"].to_dataset()}), evidence, view)


@pytest.mark.slow
def test_draws_of_another_sampler_come_back(evidence, view) -> None:
    with SCALING.open(evidence, view):
        tree = pm.sample(
            draws=40, tune=20, chains=2, cores=1, step=pm.Metropolis(compile_kwargs=FAST),
            random_seed=1, progressbar=False, compute_convergence_checks=False, compile_kwargs=FAST,
        )  # fmt: skip
    come_back(tree, evidence, view)


@pytest.mark.slow
def test_a_likelihood_from_outside_moves_the_posterior_as_it_must(scaling, evidence, view) -> None:
    """PyMC's draws of the open graph with a further measurement are ours, weighted by its density."""
    opened = SCALING.open(evidence, view)
    with opened:
        pm.Normal("panel", opened["data_exponent_prior"], 0.05, observed=0.1)
        tree = pm.sample(draws=1000, tune=500, chains=2, random_seed=1, progressbar=False)
    moved = derive_open(SCALING, tree, evidence, view, np.random.default_rng(1))
    fit = scaling.sample(Sampling(draws=4000))
    own = fit.tables.values(fit.posterior["z"].values)["data_exponent_prior"].ravel()
    weights = np.exp(-0.5 * ((own - 0.1) / 0.05) ** 2)
    weights /= weights.sum()
    mean = float(np.sum(weights * own))
    sd = float(np.sqrt(np.sum(weights * (own - mean) ** 2)))
    found = moved["data_exponent_prior"].values
    assert abs(mean - own.mean()) > 0.3 * sd  # it moves
    assert found.mean() == pytest.approx(mean, abs=0.15 * sd)
    assert found.std() == pytest.approx(sd, rel=0.1)
