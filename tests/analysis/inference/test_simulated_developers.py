"""Simulated developers whose efficiency, slope and tolerance are known are found again."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from aligntax.analysis.inference.compiled_model import compile_on
from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.options import Sampling
from aligntax.models import practice, tolerance
from aligntax.models.catalogue import find_model
from aligntax.models.likelihood import Likelihood
from aligntax.models.priors.elicited import elicited_model

SIMULATIONS, EFFORTS, PAYMENTS = 200, 30, 20
RECOVERED = ("label_efficiency_growth", "practice_slope", "alignment_tax_tolerance")
PARTS = (practice, tolerance)
QUANTITIES = tuple(name for part in PARTS for name in part.QUANTITIES)


def build(evidence, view):
    with elicited_model(view.tables(QUANTITIES)) as (model, x):
        for part in PARTS:
            part.add(evidence, view, x)
    return model


def design(evidence):
    """Efforts whose size and date are unrelated, workforces as published, and payments of every size."""
    rng = np.random.default_rng(20)
    efforts = xr.Dataset(
        {
            "log_hours": ("effort", np.zeros(EFFORTS)),
            "hours_sd": ("effort", rng.uniform(0.1, 0.4, EFFORTS)),
            "log_flop": ("effort", rng.uniform(21.0, 27.0, EFFORTS)),
            "date": ("effort", rng.uniform(2019.0, 2027.0, EFFORTS)),
            "chat": ("effort", (np.arange(EFFORTS) % 2).astype(float)),
        },
        coords={"effort": [f"effort{i}" for i in range(EFFORTS)]},
    )
    payments = xr.Dataset(
        {
            "log_tax": ("payment", rng.uniform(-4.0, 0.0, PAYMENTS)),
            "tax_sd": ("payment", rng.uniform(0.3, 0.6, PAYMENTS)),
            "made": ("payment", np.ones(PAYMENTS)),
            "chat": ("payment", (np.arange(PAYMENTS) % 3 == 0).astype(float)),
            "human_data": ("payment", (np.arange(PAYMENTS) % 2).astype(float)),
        },
        coords={"payment": [f"payment{i}" for i in range(PAYMENTS)]},
    )
    return evidence.with_likelihood_rows({"rlhf_efforts": efforts, "paid_taxes": payments})


@pytest.fixture(scope="module")
def developers(evidence, view):
    """The parts of alignment that developers inform, compiled on the design."""
    model = replace(
        find_model("alignment"),
        name="developers",
        quantities=QUANTITIES,
        tables=("rlhf_efforts", "feedback_workforces", "paid_taxes"),
        build=build,
        likelihoods=tuple(Likelihood.of(part) for part in PARTS),
    )
    return compile_on(model, design(evidence), view)


def intervals(compiled, layout, count, as_fitted=lambda rows: rows):
    """Truth and central 90% interval of each recovered quantity, (simulation, 3), by name."""
    tables = compiled.view.tables(QUANTITIES)
    prior = compiled.terms.draw_prior(tables, Sampling(chains=2, draws=count // 2, seed=21))
    x, parameters = split_draws(prior, tables)
    found = {name: [] for name in RECOVERED}
    for i, (chain, draw) in enumerate(np.ndindex(2, count // 2)):
        one = {name: np.asarray(value[chain, draw]) for name, value in x.items()}
        own = parameters.isel(chain=chain, draw=draw)
        rows = compiled.model.replicate(one, own, layout, compiled.view, np.random.default_rng(i))
        fitted = compiled.with_evidence(layout.with_likelihood_rows(as_fitted(rows)))
        posterior, _ = fitted.posterior(Sampling(draws=400, tune=300, chains=2, seed=i))
        values, _ = split_draws(posterior, tables)
        for name in RECOVERED:
            found[name].append((float(one[name]), *np.quantile(values[name], (0.05, 0.95))))
    return {name: np.asarray(rows) for name, rows in found.items()}


def covered(rows) -> int:
    true, lower, upper = rows.T
    return int(np.sum((lower <= true) & (true <= upper)))


@pytest.fixture(scope="module")
def recovered(developers, evidence):
    return intervals(developers, design(evidence), SIMULATIONS)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECOVERED)
def test_intervals_hold_the_truth_as_often_as_they_say(recovered, view, name) -> None:
    """168 to 190 of 200 is what 90% intervals allow, with a probability of 99%."""
    low, high = stats.binom(SIMULATIONS, 0.9).ppf((0.005, 0.995))
    assert (low, high) == (168.0, 190.0)
    assert low <= covered(recovered[name]) <= high
    table = view.tables((name,)).table(name)
    _, lower, upper = recovered[name].T
    assert np.median(upper - lower) < 0.8 * (table.value(1.645) - table.value(-1.645))  # it learnt


@pytest.mark.slow
def test_a_slope_fitted_without_efficiency_is_wrong_where_size_and_date_go_together(
    developers, evidence
) -> None:
    """Negative control, the fault of earlier versions: the slope takes the efficiency in."""
    own = design(evidence)
    rows = own.ready["rlhf_efforts"]
    size = (rows["log_flop"] - 21.0) / 6.0
    together = own.with_likelihood_rows({"rlhf_efforts": rows.assign(date=2019.0 + 8.0 * size)})
    year = evidence.constant("practice_reference_year")

    def undated(drawn):
        efforts = drawn["rlhf_efforts"]
        return {**drawn, "rlhf_efforts": efforts.assign(date=0.0 * efforts["date"] + year)}

    wrong = intervals(developers, together, 100, undated)
    right = intervals(developers, together, 100)
    enough = stats.binom(100, 0.9).ppf(0.005)
    assert covered(wrong["practice_slope"]) < enough <= covered(right["practice_slope"])
