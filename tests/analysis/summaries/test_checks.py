"""Checks pass for good draws and, one by one, fail for bad ones."""

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.summaries.checks import sampling_checks, verdict
from aligntax.analysis.summaries.summary import summarise


def draws(seed=0, shape=(4, 1000)):
    return np.random.default_rng(seed).normal(size=shape)


def diagnostics(x, diverging=0, energy=None, deep=0, headline=None):
    posterior = xr.Dataset({"x": (("chain", "draw"), x)})
    flags = np.zeros(x.shape, bool)
    flags.ravel()[:diverging] = True
    depth = np.zeros(x.shape, bool)
    depth.ravel()[:deep] = True
    stats = xr.Dataset(
        {
            "diverging": (("chain", "draw"), flags),
            "maxdepth_reached": (("chain", "draw"), depth),
            "energy": (("chain", "draw"), draws(9, x.shape) if energy is None else energy),
        }
    )
    derived = xr.Dataset(
        {"alignment_tax": (("chain", "draw"), x if headline is None else headline)}
    )
    return sampling_checks(posterior, stats, summarise(derived), ("alignment_tax",))


def failed(checks):
    return {check.name for check in checks if not check.passed}


def test_good_draws_pass():
    checks = diagnostics(draws())
    assert verdict(checks) == "pass" and not failed(checks)
    assert all(check.action == "" for check in checks)


def autocorrelated(rho):
    x = draws()
    for i in range(1, x.shape[1]):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * x[:, i]
    return x


@pytest.mark.parametrize(
    ("kwargs", "names"),
    [
        ({"x": draws() + np.array([[0.5], [0], [0], [0]])}, {"r_hat"}),
        ({"x": autocorrelated(0.95)}, {"ess_bulk"}),
        ({"x": draws(), "diverging": 1}, {"divergences"}),
        ({"x": draws(), "deep": 3}, {"tree_depth_reached"}),
        ({"x": draws(), "energy": np.cumsum(draws(3), axis=1)}, {"e_bfmi"}),
        (
            {"x": draws(), "headline": autocorrelated(0.97)},
            {"headline_ess_bulk", "headline_mcse_of_median"},
        ),
        ({"x": draws(shape=(4, 50))}, {"ess_bulk", "ess_tail"}),
    ],
)
def test_each_fault_fails_its_check_and_says_what_to_do(kwargs, names):
    checks = diagnostics(**kwargs)
    assert names <= failed(checks) and verdict(checks) == "fail"
    assert all(check.action for check in checks if not check.passed)


def test_a_value_that_cannot_be_computed_fails():
    x = draws()
    x[0, 0] = np.nan
    assert {"r_hat", "ess_bulk"} <= failed(diagnostics(x, headline=draws()))


def test_too_few_draws_fail_instead_of_raising():
    assert verdict(diagnostics(draws(shape=(4, 2)))) == "fail"
