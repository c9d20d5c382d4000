"""Scales keep their half-normal prior wherever they are sampled."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from aligntax.models.priors.scales import half_normal


@pytest.fixture(scope="module")
def model():
    with pm.Model() as model:
        half_normal("scale", 0.3)
    return model


@pytest.mark.parametrize("v", [-20.0, -6.0, -1.0, 0.0, 0.5, 3.0, 5.0, 9.0, 20.0])
def test_the_sampled_space_is_standard_normal(model, v):
    point = {name: np.array(v) for name in model.initial_point()}
    assert model.compile_logp(mode="FAST_COMPILE")(point) == pytest.approx(
        stats.norm.logpdf(v), abs=1e-6
    )
    assert model.compile_dlogp(mode="FAST_COMPILE")(point)[0] == pytest.approx(-v, abs=1e-5)


@pytest.mark.parametrize("v", [-20.0, -6.0, -1.0, 0.0, 0.5, 3.0, 9.0, 20.0])
def test_the_scale_has_the_half_normal_quantile_and_maps_back(model, v):
    rv = model["scale"]
    transform = model.rvs_to_transforms[rv]
    scale = transform.backward(pm.math.constant(v), *rv.owner.inputs).eval(mode="FAST_COMPILE")
    assert scale == pytest.approx(stats.halfnorm(scale=0.3).isf(stats.norm.sf(v)), rel=1e-9)
    assert transform.forward(pm.math.constant(scale), *rv.owner.inputs).eval(
        mode="FAST_COMPILE"
    ) == pytest.approx(v, abs=1e-6)
