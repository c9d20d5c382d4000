"""A posterior without some of its evidence, by weights: what is exact, what is refused, and what it is compared with."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from aligntax import refit
from aligntax.analysis.fitting.left_out import (
    Unit,
    evidence_without,
    leave_out,
    tables_derived_from,
    units,
)
from aligntax.analysis.fitting.reweight import Spread, carry_draws, weigh_draws
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.pareto import pareto_smoothed
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from tests.reference import REFERENCE


@pytest.fixture(scope="module")
def carried(view):
    return carry_draws(read_sampled_run(REFERENCE), view)


@pytest.fixture(scope="module")
def found(reference):
    rows = units(reference.groups.log_likelihood, find_model("joint"))
    return {unit.key: unit for unit in rows}


def normal(y, sd, prior_sd, size=20000, seed=1):
    """Exact draws of a normal mean, and the log density of each observation."""
    precision = prior_sd**-2 + len(y) * sd**-2
    rng = np.random.default_rng(seed)
    theta = rng.normal(sum(y) / sd**2 / precision, precision**-0.5, (4, size // 4))
    rows = [
        Unit("table", str(i), -0.5 * ((each - theta) / sd) ** 2 - np.log(sd))
        for i, each in enumerate(y)
    ]
    return theta, rows


def test_a_normal_mean_without_an_observation_is_the_conjugate_one(carried):
    y, sd, prior_sd = [0.3, 1.1, -0.4, 2.0, 0.7], 1.0, 3.0
    theta, rows = normal(y, sd, prior_sd)
    exact = replace(carried, log_ratio=None)
    for left in ([3], [0, 4]):
        ratio = leave_out(exact, [rows[i] for i in left]).log_ratio
        weights, k_hat = pareto_smoothed(ratio, 1.0)
        kept = [v for i, v in enumerate(y) if i not in left]
        precision = prior_sd**-2 + len(kept) * sd**-2
        assert k_hat < 0.7
        assert weights.mean(theta) == pytest.approx(
            sum(kept) / sd**2 / precision, abs=4 * weights.mcse(theta)
        )
        spread = weights.mean(theta**2) - weights.mean(theta) ** 2
        assert spread == pytest.approx(1 / precision, rel=0.05)


def test_weights_of_the_wrong_sign_are_another_posterior(carried):
    """Negative control: to count an observation twice is not to leave it out."""
    theta, rows = normal([0.3, 1.1, -0.4, 2.0, 0.7], 1.0, 3.0)
    twice, _ = pareto_smoothed(-leave_out(carried, [rows[3]]).log_ratio, 1.0)
    less, _ = pareto_smoothed(leave_out(carried, [rows[3]]).log_ratio, 1.0)
    assert abs(twice.mean(theta) - less.mean(theta)) > 20 * less.mcse(theta)


def test_nothing_left_out_changes_nothing_and_ratios_add_to_those_of_priors(carried, found):
    assert leave_out(carried, []) is carried
    unit = found["rlhf_efforts:stiennon2020"]
    moved = replace(carried, log_ratio=np.arange(880.0).reshape(4, 220))
    both = leave_out(moved, [unit])
    np.testing.assert_array_equal(both.log_ratio, moved.log_ratio - unit.log_density)
    assert both.left_out == ("rlhf_efforts:stiennon2020",)


def test_units_are_the_factors_of_the_likelihood(reference, found):
    terms = reference.groups.log_likelihood
    assert {"training_runs", "time_horizons", "loss_laws"} <= set(found)  # long, or one term
    assert not any(key.startswith("no_tai") for key in found)
    for table in terms.data_vars:
        mine = [unit.log_density for unit in found.values() if unit.table == table]
        if mine:
            whole = terms[table].sum([d for d in terms[table].dims if d not in ("chain", "draw")])
            np.testing.assert_allclose(np.sum(mine, axis=0), whole.values, rtol=1e-5)


def test_a_short_table_is_told_apart_and_a_long_one_is_not():
    model = find_model("scaling")
    for rows, keys in ((20, 20), (21, 1)):
        terms = xr.Dataset(
            {"scaling_exponents": (("chain", "draw", "group"), np.ones((2, 3, rows)))},
            coords={"group": [str(i) for i in range(rows)]},
        )
        assert len(list(units(terms, model))) == keys


def test_rows_that_quantities_are_derived_from_have_no_weights(carried, found):
    assert tables_derived_from(carried, list(found.values())) == {
        "loss_laws",
        "time_horizons",
        "paid_taxes",
    }


def test_mass_beyond_the_draws_fails_the_check_of_reach():
    z = np.random.default_rng(2).standard_normal((4, 500)) ** 3  # of long tails
    scores = np.stack([z, -z], axis=-1)
    np.testing.assert_array_equal(Spread.of(scores).shares_beyond(Weights.equal(z.shape)), [0, 0])
    shares = [Spread.of(scores).shares_beyond(Weights.of_log(t * z))[0] for t in (0.05, 0.3, 1.0)]
    assert shares[0] < shares[1] < shares[2] and shares[2] > 0.02


def test_a_unit_that_decides_the_posterior_is_refused(carried, found):
    checks = {
        name: {check.name: check for check in weigh_draws(leave_out(carried, [found[name]]))[1]}
        for name in ("training_runs", "paid_taxes:google2022")
    }
    assert all(check.passed for check in checks["paid_taxes:google2022"].values())
    assert not checks["training_runs"]["reach"].passed
    assert not checks["training_runs"]["k_hat"].passed
    assert "new posterior has mass" in checks["training_runs"]["reach"].action


def used(evidence, table):
    return set(
        evidence[table]
        .isel({evidence[table]["used"].dims[0]: evidence[table]["used"].values})
        .coords[evidence[table]["used"].dims[0]]
        .values.tolist()
    )


def test_keys_name_tables_rows_and_groups_of_rows(evidence):
    efforts = used(evidence, "rlhf_efforts")
    less = evidence_without(evidence, ["rlhf_efforts:webgpt2021", "rlhf_efforts:lamda2022"])
    assert used(less, "rlhf_efforts") == efforts - {"webgpt2021", "lamda2022"}
    assert used(evidence_without(evidence, ["rlhf_efforts"]), "rlhf_efforts") == set()
    studies = used(evidence, "scaling_exponents")
    group = used(evidence_without(evidence, ["scaling_exponents:marin"]), "scaling_exponents")
    assert studies - group == {name for name in studies if name.startswith("marin2026")} != set()
    assert evidence_without(evidence, []).hash == evidence.hash


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            "rlhf_effort",
            "without: must name a table of evidence, got 'rlhf_effort'; did you mean rlhf_efforts?",
        ),
        (
            "rlhf_efforts:webgpt",
            "must name a used row of rlhf_efforts, got 'webgpt'; did you mean webgpt2021?",
        ),
        ("paid_taxes:zzz", "got 'zzz'; one of anthropic2022, google2022"),
        ("", "must name a table of evidence, got ''"),
        ("constants", "must name a table of evidence, got 'constants'"),
    ],
)
def test_a_key_of_nothing_is_refused(evidence, key, words):
    with pytest.raises(InputError, match="without: must name") as error:
        evidence_without(evidence, [key])
    assert words in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("outer-alignment", "labeller_agreement"),
        ("overoptimization", "gold_curves"),
        ("density-prediction", "density_trials"),
        ("time-horizon", "time_horizons"),
    ],
)
def test_rows_with_parameters_of_their_own_need_sampling(model, table, tmp_path):
    """Nothing can be derived from draws whose rows are gone."""
    from aligntax import run

    options = Sampling(draws=200, tune=300, chains=2, seed=3)
    found = run(model, options=options, out=tmp_path, name="few", report=False, progress=False)
    carried = carry_draws(read_sampled_run(tmp_path / "few"), found.view)
    rows = list(units(found.groups.log_likelihood, find_model(model)))
    assert table in tables_derived_from(carried, rows)


@pytest.mark.slow
def test_weights_give_the_posterior_that_sampling_without_the_row_gives(tmp_path):
    from aligntax import run

    options = Sampling(draws=2000, seed=5)
    whole = run(
        "scaling", options=options, out=tmp_path, name="whole", report=False, progress=False
    )
    by_key = {u.key: u for u in units(whole.groups.log_likelihood, find_model("scaling"))}
    carried = carry_draws(read_sampled_run(tmp_path / "whole"), whole.view)
    key, name = "scaling_exponents:kaplan", "data_exponent_pooled"
    weights, checks = weigh_draws(leave_out(carried, [by_key[key]]))
    assert all(check.passed for check in checks)
    again = refit(
        tmp_path / "whole", whole.view, without=[key], out=tmp_path, name="less", progress=False
    )
    assert "kaplan" not in again.groups.log_likelihood["group"].values
    sampled, old = again.derived[name].values, whole.derived[name].values
    error = np.hypot(weights.mcse(old), Weights.equal(sampled.shape).mcse(sampled))
    assert abs(weights.mean(old) - sampled.mean()) < 4 * error
    assert abs(old.mean() - sampled.mean()) > 4 * error, "the row must matter, or nothing is shown"
