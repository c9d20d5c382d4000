"""Hours needed and the two taxes: floor, scaling with data and size, one denominator."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from aligntax.models import alignment, taxes
from aligntax.models.practice import practice
from aligntax.models.taxes import needed_hours, share_of_practice

SIZE = 500


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    return prior_draws(alignment.QUANTITIES, SIZE)


@pytest.fixture(scope="module")
def dates() -> np.ndarray:
    return np.random.default_rng(2).uniform(2027, 2099, SIZE)


@pytest.mark.parametrize("name", ["rlhf_multiplier", "quality_factor", "practice_hours"])
def test_one_more_oom_asks_for_one_oom_more_hours_beyond_the_floor(
    name, x, dates, trend, evidence
) -> None:
    flop = trend.physical(x, dates)
    nothing = {**x, "hours_floor": np.full(SIZE, -np.inf)}
    one, more = (
        needed_hours({**nothing, name: x[name] + step}, flop, dates, evidence) for step in (0, 1)
    )
    np.testing.assert_allclose(more - one, 1.0, rtol=1e-10)


def test_hours_are_the_floor_and_what_scales(x, dates, trend, evidence) -> None:
    flop = trend.physical(x, dates)
    scaled = practice(x, flop, dates, evidence) + x["rlhf_multiplier"] + x["quality_factor"]
    found = needed_hours(x, flop, dates, evidence)
    np.testing.assert_allclose(10**found, 10**scaled + 10 ** x["hours_floor"], rtol=1e-9)


def test_no_multiplier_or_efficiency_gets_below_the_floor(x, evidence) -> None:
    """Finding 7: the lower tail used to reach a dozen hours."""
    little = {
        **x,
        "rlhf_multiplier": np.full(SIZE, -8.0),
        "label_efficiency_growth": np.full(SIZE, 0.5),
    }
    found = needed_hours(little, 26.0, 2080.0, evidence)
    assert np.all(found >= x["hours_floor"])
    np.testing.assert_allclose(found, x["hours_floor"], atol=0.1)


def test_hours_scale_with_physical_and_not_with_effective_flop(x, dates, trend, evidence) -> None:
    faster = {**x, "algorithmic_growth": x["algorithmic_growth"] + 0.3}
    one, other = (
        taxes.taxes(v, trend.physical(v, dates), dates, trend, evidence)[0] for v in (x, faster)
    )
    np.testing.assert_array_equal(one, other)


def test_compute_scales_with_data_and_size_by_its_exponents(x, dates, trend, evidence) -> None:
    base = share_of_practice(x, 25.0, evidence)
    larger = share_of_practice(x, 28.0, evidence)
    np.testing.assert_allclose(larger - base, 3 * x["compute_size_exponent"], atol=1e-12)
    flop = trend.physical(x, dates)
    no_floor = {**x, "hours_floor": np.full(SIZE, -np.inf)}
    more = {**no_floor, "rlhf_multiplier": x["rlhf_multiplier"] + 2.0}
    one, other = (taxes.taxes(v, flop, dates, trend, evidence)[2] for v in (no_floor, more))
    np.testing.assert_allclose(other - one, 2 * x["compute_data_exponent"])


def test_at_practice_on_instructgpts_size_it_is_the_elicited_share(x, evidence) -> None:
    share = share_of_practice(x, np.log10(evidence.constant("instructgpt_flop")), evidence)
    np.testing.assert_allclose(10**share, x["alignment_compute_share"])


def test_no_tax_moves_with_the_other_taxs_prices(x, dates, trend, evidence) -> None:
    flop = trend.physical(x, dates)
    _, labour, compute = taxes.taxes(x, flop, dates, trend, evidence)
    dear = {**x, "usd_per_hour": x["usd_per_hour"] + 1.0}
    _, dear_labour, same = taxes.taxes(dear, flop, dates, trend, evidence)
    np.testing.assert_allclose(dear_labour - labour, 1.0)
    np.testing.assert_array_equal(same, compute)
    more = {**x, "alignment_compute_share": 0.5 * x["alignment_compute_share"]}
    _, same, half = taxes.taxes(more, flop, dates, trend, evidence)
    np.testing.assert_array_equal(same, labour)
    np.testing.assert_allclose(compute - half, np.log10(2))


def test_capability_rl_and_remarks_are_not_conditioned_on(evidence) -> None:
    from aligntax.models.evidence import select

    used = select(evidence["alignment_compute_shares"])
    assert "capability_rl" not in used["kind"].values
    names = set(used["system"].values)
    assert names == {"instructgpt_total", "deepseek_v3_post_training", "olmo3_think_sft_dpo"}


def test_replicated_shares_err_by_the_published_and_the_estimated_error(x, evidence, view) -> None:
    from tests.models.test_practice import ConstantNoise

    one = {name: value[:1] for name, value in x.items()}
    parameters = xr.Dataset({"share_spread": ("draw", [0.2])})
    centre, one_sd_up = (
        taxes.simulate(one, parameters, evidence, view, ConstantNoise(noise))[
            "alignment_compute_shares"
        ][1][0]
        for noise in (0.0, 1.0)
    )
    published = taxes.shares(evidence)["share_sd"].values
    np.testing.assert_allclose(one_sd_up - centre, np.hypot(published, 0.2))
