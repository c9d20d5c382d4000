"""One model of practice: the likelihood by scipy, its limits, and what each row moves."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from aligntax.models import alignment, practice
from aligntax.models.evidence import select
from tests.prior import scale_at

SIZE = 500


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    return prior_draws(practice.QUANTITIES, SIZE)


def test_at_instructgpts_size_and_year_it_is_the_elicited_hours(x, evidence) -> None:
    flop = np.log10(evidence.constant("instructgpt_flop"))
    year = evidence.constant("practice_reference_year")
    np.testing.assert_allclose(
        practice.practice(x, flop, year, evidence), x["practice_hours"], atol=1e-12
    )


def test_it_grows_with_flop_by_its_slope_at_every_date(x, evidence) -> None:
    for year in (2020.0, 2026.0, 2080.0):
        step = practice.practice(x, 26.0, year, evidence) - practice.practice(
            x, 25.0, year, evidence
        )
        np.testing.assert_allclose(step, x["practice_slope"], atol=1e-12)


def test_practice_takes_fewer_hours_as_labels_become_efficient(x, evidence) -> None:
    now, then = (practice.practice(x, 25.0, year, evidence) for year in (2022.0, 2040.0))
    np.testing.assert_allclose(now - then, practice.efficiency(x, 2040.0, evidence), atol=1e-12)
    grows = x["label_efficiency_growth"] > 0.01
    assert np.all((now > then)[grows]) and grows.any()


def test_labels_never_become_more_efficient_than_their_limit(x, evidence) -> None:
    assert np.any(x["label_efficiency_growth"] * 300 > x["label_efficiency_limit"])
    for year in (2030.0, 2100.0, 2300.0):
        gained = practice.efficiency(x, year, evidence)
        assert np.all(np.abs(gained) <= x["label_efficiency_limit"] + 1e-9)
    # hard tasks make labels worse in some draws, and no more than so
    assert gained.min() < -0.5


@pytest.fixture(scope="module")
def terms(evidence, view):
    """The log likelihood of each row at a point, and the quantities there."""
    import pytensor

    model, tables = alignment.build(evidence, view), view.tables(alignment.QUANTITIES)
    names = ("rlhf_efforts", "feedback_workforces", "alignment_compute_shares", "paid_taxes")
    potentials = model.replace_rvs_by_values([model[name] for name in names])
    compiled = pytensor.function(
        model.value_vars, potentials, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    z = np.random.default_rng(6).normal(size=len(tables.names))
    point = {
        "white": z,
        **scale_at("effort_sd", 0.7),
        **scale_at("share_spread", 0.4),
        **scale_at("tolerance_spread", 0.3),
    }
    values = compiled(*(point.get(v.name, 0.0) for v in model.value_vars))
    return dict(zip(names, values, strict=True)), tables.values(tables.cholesky @ z)


def test_an_effort_is_normal_about_practice_at_its_size_and_date(terms, evidence) -> None:
    found, x = terms
    rows = select(evidence["rlhf_efforts"])
    mean = practice.practice(x, np.log10(rows["model_flop"].values), rows["date"].values, evidence)
    chat = (rows["minutes_era"].values == "chat") * x["chat_minutes"]
    assert 0 < np.count_nonzero(chat) < chat.size
    scale = np.hypot(rows["hours_sd"].values, 0.7)
    expected = stats.norm(mean - chat, scale).logpdf(np.log10(rows["human_hours"].values))
    np.testing.assert_allclose(found["rlhf_efforts"], expected, rtol=1e-9)


def test_a_workforce_serves_several_models_and_capability_too(terms, evidence) -> None:
    """A lower bound enters by the probability of exceeding it."""
    found, x = terms
    rows = select(evidence["feedback_workforces"])
    mean = (
        practice.practice(x, np.log10(rows["model_flop"].values), rows["date"].values, evidence)
        + x["models_per_year"]
        - np.log10(x["alignment_share_of_human_data"])
    )
    law = stats.norm(mean, np.hypot(rows["hours_sd"].values, 0.7))
    hours = np.log10(rows["human_hours"].values)
    exact = rows["bound"].values == "exact"
    assert exact.any() and not exact.all()
    expected = np.where(exact, law.logpdf(hours), law.logsf(hours))
    np.testing.assert_allclose(found["feedback_workforces"], expected, rtol=1e-8)


def test_a_share_of_compute_falls_or_grows_with_size(terms, evidence) -> None:
    found, x = terms
    rows = select(evidence["alignment_compute_shares"])
    larger = np.log10(rows["model_flop"].values / evidence.constant("instructgpt_flop"))
    mean = np.log10(x["alignment_compute_share"]) + x["compute_size_exponent"] * larger
    law = stats.norm(mean, np.hypot(rows["share_sd"].values, 0.4))
    np.testing.assert_allclose(
        found["alignment_compute_shares"], law.logpdf(np.log10(rows["share"].values)), rtol=1e-9
    )


def test_a_payment_is_the_probability_that_its_developer_would_make_it(terms, evidence) -> None:
    found, x = terms
    rows = select(evidence["paid_taxes"])
    human_data = rows["bought"].values == "human_data"
    chat = rows["minutes_era"].values == "chat"
    assert human_data.any() and chat.any() and not (human_data | chat).all()
    share = np.where(
        human_data, x["alignment_share_of_human_data"], x["alignment_share_of_payment"]
    )
    tax = np.log10(rows["tax"].values) + np.where(chat, x["chat_minutes"], 0.0) - x["rnd_ratio"]
    paid = tax + np.log10(share)
    law = stats.norm(x["alignment_tax_tolerance"], np.hypot(rows["tax_sd"].values, 0.3))
    # the compiled error function is exact to 3e-8
    np.testing.assert_allclose(found["paid_taxes"], law.logsf(paid), rtol=1e-7)


def test_open_data_on_others_models_are_no_developers_practice(evidence) -> None:
    used = select(evidence["rlhf_efforts"])
    assert not {"oasst2023", "helpsteer2023", "helpsteer2_2024"} & set(used["effort"].values)
    assert "ai" not in used["feedback"].values


class ConstantNoise:
    """Stands in for a generator: every standard-normal number is the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.value)


def test_replicated_hours_err_by_the_published_and_the_estimated_error(x, evidence, view) -> None:
    parameters = xr.Dataset({"effort_sd": ("draw", [0.3])})
    one = {name: value[:1] for name, value in x.items()}
    centre, one_sd_up = (
        practice.simulate(one, parameters, evidence, view, ConstantNoise(noise))
        for noise in (0.0, 1.0)
    )
    sd = one_sd_up["rlhf_efforts"][1][0] - centre["rlhf_efforts"][1][0]
    published = practice.efforts(evidence)["hours_sd"].values
    assert np.ptp(published) > 0  # efforts differ in how well their hours are known
    np.testing.assert_allclose(sd, np.hypot(published, 0.3))


def test_a_replicated_bound_is_a_figure_below_it_and_else_stays_a_bound(x, evidence, view) -> None:
    rows = practice.workforces(evidence)
    bounds = rows["exact"].values == 0
    kept, passed = [], []
    for i in range(200):
        one = {name: value[i] for name, value in x.items()}
        parameters = xr.Dataset({"effort_sd": 0.5})
        drawn = practice.replicate(one, parameters, evidence, view, np.random.default_rng(i))
        new = drawn["feedback_workforces"]
        below = new["log_hours"].values < rows["log_hours"].values
        np.testing.assert_array_equal(new["exact"].values[bounds] == 1, below[bounds])
        assert np.all(new["exact"].values[~bounds] == 1)
        kept.append(below[bounds].any())
        passed.append((~below[bounds]).any())
    assert any(kept) and any(passed)
