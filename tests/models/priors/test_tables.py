"""Slopes that keep a table increasing, smoothing of samples, and the conditional normal of scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from aligntax.models.priors.copula import conditional_normal, copula_factor
from aligntax.models.priors.tables import (
    PriorTables,
    evaluate_cubic,
    monotone_slopes,
    table_from_quantiles,
    table_from_samples,
)

LINE = np.arange(5.0)  # every chord has slope 1


@pytest.mark.parametrize("slope", [0.1, 1.0, 2.9, 3.0, 3.1, 3.5, 4.0, 30.0, np.inf, np.nan])
def test_exact_slopes_of_any_size_leave_the_cubic_increasing(slope) -> None:
    """Up to three times the chord on both sides a cubic increases; beyond, PCHIP takes over."""
    slopes = monotone_slopes(LINE, LINE, np.full(5, slope))
    between = np.linspace(0.0, 4.0, 801)
    assert np.all(evaluate_cubic(between, LINE, LINE, slopes)[1] >= -1e-12)
    assert np.all(slopes == (slope if slope <= 3.0 else 1.0))


@given(st.lists(st.floats(0.01, 100), min_size=4, max_size=4), st.floats(0.01, 100))
def test_between_uneven_chords_too(steps, slope) -> None:
    y = np.concatenate([[0.0], np.cumsum(steps)])
    slopes = monotone_slopes(LINE, y, np.full(5, slope))
    gradient = evaluate_cubic(np.linspace(0.0, 4.0, 401), LINE, y, slopes)[1]
    assert np.all(gradient >= -1e-9 * max(steps))


@pytest.mark.parametrize("size", [1000, 5000])
def test_the_density_of_smoothed_samples_is_known_to_n_to_the_minus_three_tenths(size) -> None:
    """More intervals would be noisier, fewer smoother; the docstring states the compromise."""
    z, errors = np.linspace(-1, 1, 101), []
    for seed in range(100):
        table = table_from_samples(np.random.default_rng(seed).standard_normal(size))
        errors.append(table.log_pdf(z) + 0.5 * z**2 + 0.5 * np.log(2 * np.pi))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(size**-0.3, rel=0.15)


def test_smoothed_samples_are_followed_until_the_cube_root_of_them_remains_outside() -> None:
    """Of 1,000: at 1/16, 1/32 and 1/64, where 15.6 remain; straight beyond, where 7.8 would."""
    samples = np.random.default_rng(4).standard_t(3, 1000)
    table = table_from_samples(samples)
    followed = np.asarray([1 / 64, 1 / 32, 1 / 16, 15 / 16, 31 / 32, 63 / 64])
    expected = np.quantile(samples, followed, method="median_unbiased")
    np.testing.assert_allclose(table.value(ndtri(followed)), expected, atol=0.01)
    for far in (ndtri(1 / 64) - 0.05, -5.0):
        assert table.gradient(far) == pytest.approx(table.gradient(-4.0), rel=1e-9)


@given(st.floats(0.05, 0.45), st.floats(0.2, 5))
def test_two_quantiles_make_a_straight_table(p, width) -> None:
    table = table_from_quantiles(np.asarray([p, 1 - p]), np.asarray([-width, width]))
    slope = width / ndtri(1 - p)
    np.testing.assert_allclose(
        table.value([-7.0, 0.0, 2.0]), slope * np.asarray([-7.0, 0, 2.0]), atol=1e-9
    )
    assert table.cdf(slope) == pytest.approx(ndtr(1.0), abs=1e-9)


PAIRS = {("a", "b"): 0.6, ("b", "c"): -0.5, ("c", "d"): 0.3, ("a", "d"): 0.2}


@pytest.mark.parametrize("given_names", ["ab", "bd", "c", "abd"])
def test_the_conditional_normal_is_that_of_the_precision_matrix(given_names) -> None:
    factor = copula_factor("abcd", PAIRS)
    correlation = factor @ factor.T
    known = np.isin(list("abcd"), list(given_names))
    slope, left = conditional_normal(correlation, known)
    precision = np.linalg.inv(correlation)
    covariance = np.linalg.inv(precision[np.ix_(~known, ~known)])
    np.testing.assert_allclose(left @ left.T, covariance, rtol=1e-10)
    np.testing.assert_allclose(slope, -covariance @ precision[np.ix_(~known, known)], atol=1e-12)
    assert np.all(np.triu(left, 1) == 0)


def test_scores_are_whitened_and_correlated_again() -> None:
    factor = copula_factor("abcd", PAIRS)
    tables = PriorTables(tuple("abcd"), np.zeros((4, 401)), np.ones((4, 401)), factor)
    white = np.random.default_rng(1).standard_normal((2, 50_000, 4))
    z = tables.correlate(white)
    np.testing.assert_allclose(tables.whiten(z), white, atol=1e-12)
    np.testing.assert_allclose(np.corrcoef(z.reshape(-1, 4).T), tables.correlation, atol=0.01)
