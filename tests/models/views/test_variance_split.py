"""Between and within experts: the law of total variance, against its closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.models.priors.compile import compile_prior
from aligntax.models.views import load_view
from aligntax.models.views.pooling import pool_views
from aligntax.models.views.variance_split import moments, split_variance

LN10 = math.log(10)
NAME = "usd_per_hour"  # on log10


def expert(mean: float, sd: float, who: str = "ann"):
    """An expert whose prior is normal in log10."""
    spec = {"family": "lognormal", "mu": mean * LN10, "sigma": sd * LN10, "source": who}
    return load_view("default").replace(name=who, quantities={NAME: spec})


@given(st.floats(-3, 3), st.floats(0.01, 1.5))
def test_moments_of_a_normal_are_its_own(mean, sd) -> None:
    spec = {"family": "lognormal", "mu": mean * LN10, "sigma": sd * LN10}
    assert moments(compile_prior(NAME, spec)) == pytest.approx((mean, sd**2), rel=1e-9, abs=1e-9)


@given(
    st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)),
    st.floats(0.05, 20),
)
def test_two_normal_experts_have_the_known_split(means, sds, weight) -> None:
    views = [expert(*each, who) for *each, who in zip(means, sds, ("ann", "ben"), strict=True)]
    found = split_variance(views, [weight, 1.0])[NAME]
    w = weight / (1 + weight)
    assert found.between == pytest.approx(w * (1 - w) * (means[0] - means[1]) ** 2, abs=1e-8)
    assert found.within == pytest.approx(w * sds[0] ** 2 + (1 - w) * sds[1] ** 2, rel=1e-8)


def test_it_is_the_variance_of_the_linear_pool_and_of_no_other() -> None:
    views = [expert(1.0, 0.3), expert(1.8, 0.2, "ben")]
    found = split_variance(views)[NAME]
    totals = {
        method: moments(compile_prior(NAME, pool_views(views, None, method).quantities[NAME]))[1]
        for method in ("linear", "quantile")
    }
    assert found.between + found.within == pytest.approx(totals["linear"], rel=1e-3)
    assert found.between + found.within > 2 * totals["quantile"]


def test_experts_who_say_the_same_have_nothing_between_them() -> None:
    found = split_variance([expert(1.0, 0.3, who) for who in ("ann", "ben", "cem")])[NAME]
    assert found.experts == 3 and found.between == pytest.approx(0.0, abs=1e-20)
    assert found.share < 1e-12


def test_who_does_not_state_a_quantity_and_who_has_no_weight_count_for_nothing() -> None:
    ann, ben = expert(1.0, 0.3), expert(1.8, 0.2, "ben")
    silent = load_view("default").replace(name="cem")
    wild = expert(-5.0, 2.0, "dan")
    alone = split_variance([ann, ben])[NAME]
    found = split_variance([ann, ben, silent, wild], [1, 1, 1, 0])
    assert list(found) == [NAME] and found[NAME].experts == 2
    assert found[NAME].between == pytest.approx(alone.between, rel=1e-12)
    assert split_variance([ann, ben, wild])[NAME].between > 10 * alone.between  # negative control


def test_the_share_lies_between_none_and_all() -> None:
    far = split_variance([expert(-2.0, 0.01), expert(2.0, 0.01, "ben")])[NAME]
    assert far.share > 0.9999 and far.to_dict()["share_between"] == far.share
    assert np.isclose(far.between, 4.0)
