"""Families agree with scipy.stats far into both tails; mixtures, truncations and histograms with their definitions."""

import numpy as np
import pytest
from scipy import stats

from aligntax.models.priors.distributions import (
    FAMILIES,
    Beta,
    Gamma,
    Histogram,
    LogNormal,
    Mapped,
    Mixture,
    Normal,
    StudentT,
    Truncated,
    Uniform,
)

PAIRS = [
    (Normal(1.3, 2.1), stats.norm(1.3, 2.1)),
    (LogNormal(0.4, 0.9), stats.lognorm(0.9, scale=np.exp(0.4))),
    (LogNormal(-6.5, 1.8), stats.lognorm(1.8, scale=np.exp(-6.5))),
    (Beta(2.3, 5.1), stats.beta(2.3, 5.1)),
    (Beta(0.7, 30.0), stats.beta(0.7, 30.0)),
    (Gamma(2.5, 3.0), stats.gamma(2.5, scale=1 / 3.0)),
    (Gamma(0.6, 0.1), stats.gamma(0.6, scale=10.0)),
    (StudentT(4.0, 1.0, 2.0), stats.t(4.0, 1.0, 2.0)),
    (StudentT(2.7, -3.0, 0.5), stats.t(2.7, -3.0, 0.5)),
    (Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
]
# tail probabilities, both sides
FAR = np.concatenate([np.logspace(-12, -2, 21), np.linspace(0.05, 0.5, 10)])

every_family = pytest.mark.parametrize(("ours", "reference"), PAIRS, ids=lambda d: str(d)[:28])


def test_every_family_that_a_view_can_name_is_tested_here() -> None:
    assert {build for build, _ in FAMILIES.values()} == {type(ours) for ours, _ in PAIRS}


@every_family
def test_lower_and_upper_quantiles_equal_scipys_far_into_both_tails(ours, reference) -> None:
    np.testing.assert_allclose(
        ours.quantile(FAR, 1 - FAR), reference.ppf(FAR), rtol=1e-9, atol=1e-14
    )
    np.testing.assert_allclose(
        ours.quantile(1 - FAR, FAR), reference.isf(FAR), rtol=1e-9, atol=1e-14
    )


@every_family
def test_tails_equal_scipys(ours, reference) -> None:
    x = np.concatenate([reference.ppf(FAR), reference.isf(FAR)])
    np.testing.assert_allclose(ours.cdf(x), reference.cdf(x), rtol=1e-9)
    np.testing.assert_allclose(ours.sf(x), reference.sf(x), rtol=1e-9)


@every_family
def test_log_density_equals_scipys(ours, reference) -> None:
    x = np.concatenate([reference.ppf(FAR[5:]), reference.isf(FAR[5:])])
    np.testing.assert_allclose(ours.log_pdf(x), reference.logpdf(x), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("ours", "below", "above"),
    [
        (LogNormal(0.0, 1.0), -0.5, None),
        (Gamma(2.0, 2.0), -0.5, None),
        (Beta(2.0, 3.0), -0.5, 1.5),
        (Uniform(0.0, 1.0), -0.5, 1.5),
        (Histogram((0.0, 1.0), (1.0,)), -0.5, 1.5),
        (Truncated(Normal(0.0, 1.0), -1.0, 1.0), -1.5, 1.5),
    ],
    ids=lambda d: type(d).__name__ if hasattr(d, "cdf") else "",
)
def test_outside_the_support_there_is_no_mass(ours, below, above) -> None:
    """Mixtures and bounds ask for the tails of a component outside its support."""
    with np.errstate(all="ignore"):  # as compile_prior does
        for x, cdf in [(below, 0.0)] + ([(above, 1.0)] if above else []):
            assert ours.cdf(np.asarray(x)) == cdf
            assert ours.sf(np.asarray(x)) == 1 - cdf
            assert ours.log_pdf(np.asarray(x)) == -np.inf


MIXTURES = {
    "overlapping": Mixture((0.3, 0.7), (Normal(0.0, 1.0), Normal(1.5, 0.5))),
    "far apart": Mixture((1.0, 3.0), (Normal(-10.0, 1.0), Normal(10.0, 0.2))),
    "heavy and light": Mixture((1.0, 1.0), (StudentT(3.0, 0.0, 1.0), Normal(4.0, 2.0))),
    "one has all the mass": Mixture((1.0, 1e-20), (Normal(0.0, 1.0), Normal(3.0, 1.0))),
    "three": Mixture(
        (1.0, 1.0, 2.0), (LogNormal(0.0, 1.0), LogNormal(1.0, 0.3), LogNormal(3.0, 0.5))
    ),
}


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_a_mixtures_quantile_inverts_its_tails_to_1e_9(mixture) -> None:
    p = np.concatenate([np.logspace(-9, -2, 15), np.linspace(0.02, 0.5, 25)])
    np.testing.assert_allclose(mixture.cdf(mixture.quantile(p, 1 - p)), p, rtol=1e-9)
    np.testing.assert_allclose(mixture.sf(mixture.quantile(1 - p, p)), p, rtol=1e-9)


def test_a_mixture_is_the_weighted_sum_of_its_components() -> None:
    x = np.linspace(-4, 4, 41)
    mixture = MIXTURES["overlapping"]
    density = 0.3 * stats.norm(0, 1).pdf(x) + 0.7 * stats.norm(1.5, 0.5).pdf(x)
    np.testing.assert_allclose(
        mixture.cdf(x), 0.3 * stats.norm.cdf(x) + 0.7 * stats.norm(1.5, 0.5).cdf(x), rtol=1e-12
    )
    np.testing.assert_allclose(mixture.log_pdf(x), np.log(density), rtol=1e-12, atol=1e-12)


def test_a_mixture_of_different_supports_still_inverts() -> None:
    """Below zero only the normal has mass: half of its own tail probability."""
    mixture = Mixture((1.0, 1.0), (Normal(0.3, 0.2), LogNormal(-1.2, 0.5)))
    with np.errstate(all="ignore"):
        x = mixture.quantile(np.asarray([0.01]), np.asarray([0.99]))
    np.testing.assert_allclose(
        0.5 * stats.norm(0.3, 0.2).cdf(x) + 0.5 * stats.lognorm(0.5, scale=np.exp(-1.2)).cdf(x),
        0.01,
        rtol=1e-9,
    )


def test_truncation_is_scipys_truncated_normal() -> None:
    ours, reference = Truncated(Normal(1.0, 2.0), 0.0, 4.0), stats.truncnorm(-0.5, 1.5, 1.0, 2.0)
    p = np.linspace(0.001, 0.999, 57)
    x = reference.ppf(p)
    np.testing.assert_allclose(ours.quantile(p, 1 - p), x, rtol=1e-10)
    np.testing.assert_allclose(ours.cdf(x), p, rtol=1e-10)
    np.testing.assert_allclose(ours.sf(x), 1 - p, rtol=1e-10)
    np.testing.assert_allclose(ours.log_pdf(x), reference.logpdf(x), rtol=1e-10)


def test_truncation_to_a_far_tail_keeps_its_precision() -> None:
    """Bounds in the upper tail, where one minus the distribution function has few digits left."""
    ours, p = Truncated(Normal(0.0, 1.0), 2.0, 30.0), np.asarray([1e-6, 0.5, 1 - 1e-6])
    np.testing.assert_allclose(
        stats.norm.sf(ours.quantile(p, 1 - p)), stats.norm.sf(2.0) * (1 - p), rtol=1e-9
    )


def test_a_histogram_with_an_empty_bin_jumps_over_it() -> None:
    ours = Histogram((0.0, 1.0, 2.0, 4.0), (3.0, 0.0, 1.0))
    np.testing.assert_allclose(
        ours.cdf(np.asarray([-1, 0, 0.5, 1, 1.5, 2, 3, 4, 5])),
        [0, 0, 0.375, 0.75, 0.75, 0.75, 0.875, 1, 1],
    )
    p = np.asarray([0.25, 0.75 - 1e-9, 0.75 + 1e-9, 0.875])
    np.testing.assert_allclose(ours.quantile(p, 1 - p), [1 / 3, 1.0, 2.0, 3.0], atol=1e-7)
    np.testing.assert_allclose(
        np.exp(ours.log_pdf(np.asarray([0.5, 1.5, 3.0]))), [0.75, 0.0, 0.125]
    )


def test_a_mapped_distribution_is_the_distribution_of_the_mapped_value() -> None:
    # the log of d exp(v) / dv is v
    ours = Mapped(Normal(0.2, 0.7), np.exp, np.log, lambda v: np.asarray(v))
    reference, p = stats.lognorm(0.7, scale=np.exp(0.2)), np.linspace(0.001, 0.999, 31)
    x = reference.ppf(p)
    np.testing.assert_allclose(ours.quantile(p, 1 - p), x, rtol=1e-12)
    np.testing.assert_allclose(ours.cdf(x), p, rtol=1e-10)
    np.testing.assert_allclose(ours.log_pdf(x), reference.logpdf(x), rtol=1e-10, atol=1e-12)
