"""Tolerance and payments: what was paid is tolerated, and without payments nothing is learnt."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from aligntax.models import tolerance
from aligntax.models.arrival import Chance

SIZE = 20_000
RATIO = np.log10(5.5)  # of development cost to the largest run's


def alike(tau: float) -> dict[str, Any]:
    """Equal draws: a typical tolerance, shares of 40% and 15%, chats twice as long."""
    one = {
        "alignment_tax_tolerance": tau,
        "alignment_share_of_payment": 0.4,
        "alignment_share_of_human_data": 0.15,
        "chat_minutes": 0.3,
        "rnd_ratio": RATIO,
    }
    return {name: np.full(SIZE, value) for name, value in one.items()}


@pytest.fixture(scope="module")
def x(prior_draws) -> dict[str, Any]:
    return prior_draws(tolerance.QUANTITIES, SIZE)


@pytest.fixture(scope="module")
def parameters() -> xr.Dataset:
    spread = 0.5 * np.abs(np.random.default_rng(8).standard_normal(SIZE)) + 1e-3
    return xr.Dataset({"tolerance_spread": ("draw", spread)})


@pytest.fixture(scope="module")
def chance() -> Chance:
    return Chance.draw(SIZE, np.random.default_rng(9))


def test_no_draw_refuses_what_its_developer_has_paid(x, parameters, evidence, chance) -> None:
    """Not even where the prior puts the typical tolerance far below every payment."""
    for lower in (0.0, 3.0):
        low = {**x, "alignment_tax_tolerance": x["alignment_tax_tolerance"] - lower}
        found = tolerance.at_arrival(low, parameters, evidence, chance)
        assert np.all(found["tolerance_at_arrival"] >= found["tax_paid"])
        assert np.all(np.isfinite(found["tolerance_at_arrival"]))


def test_a_tolerance_is_at_most_development_cost_unless_more_was_paid(
    x, parameters, evidence, chance
) -> None:
    """The cap takes nobody below a payment, so the payment's probability stays."""
    high = {**x, "alignment_tax_tolerance": x["alignment_tax_tolerance"] + 1.5}
    found = tolerance.at_arrival(high, parameters, evidence, chance)
    own, paid = found["tolerance_at_arrival"], found["tax_paid"]
    assert (own == 0.0).mean() > 0.2
    assert np.all(own <= np.maximum(paid, 0.0))
    assert (paid > 0).any() and np.all(own >= paid)


def test_without_payments_it_is_what_was_elicited(x, parameters, evidence, chance) -> None:
    bare = evidence.only([])
    found = tolerance.at_arrival(x, parameters, bare, chance)
    np.testing.assert_array_equal(found["tolerance_at_arrival"], x["alignment_tax_tolerance"])
    assert np.all(np.isnan(found["tax_paid"]))


def test_tolerance_and_payment_are_drawn_from_their_truncated_joint_law(
    evidence, parameters, chance
) -> None:
    """Against rejection: draw both, keep the pairs in which the payment is tolerated."""
    one = alike(-1.6)
    spread = xr.Dataset({"tolerance_spread": ("draw", np.full(SIZE, 0.4))})
    rows = tolerance.payments(evidence).isel(payment=[1])  # the largest, of no chats
    only = evidence.with_likelihood_rows({"paid_taxes": rows})
    found = tolerance.at_arrival(one, spread, only, chance)
    rng = np.random.default_rng(1)
    own = -1.6 + 0.4 * rng.standard_normal(400_000)
    paid = (
        rows["log_tax"].item()
        - RATIO
        + np.log10(0.4)
        + rows["tax_sd"].item() * rng.standard_normal(own.size)
    )
    kept = paid <= own
    own = np.minimum(own, np.maximum(paid, tolerance.MOST))
    for name, values in (("tolerance_at_arrival", own[kept]), ("tax_paid", paid[kept])):
        assert stats.ks_2samp(found[name], values).pvalue > 1e-3, name
    # negative control: the law without the condition
    assert stats.ks_2samp(found["tolerance_at_arrival"], own).pvalue < 1e-6


def test_a_refusal_puts_the_tolerance_below_what_was_asked(x, parameters, evidence, chance) -> None:
    rows = tolerance.payments(evidence)
    refused = evidence.with_likelihood_rows({"paid_taxes": rows.assign(made=0.0 * rows["made"])})
    found = tolerance.at_arrival(x, parameters, refused, chance)
    assert np.all(found["tolerance_at_arrival"] <= found["tax_paid"])


def test_replicated_payments_are_made_as_often_as_the_likelihood_says(evidence) -> None:
    one = alike(-1.5)
    parameters = xr.Dataset({"tolerance_spread": ("draw", np.full(SIZE, 0.4))})
    made = tolerance.would_pay(one, parameters, evidence, np.random.default_rng(2))
    rows = tolerance.payments(evidence)
    law = stats.norm(-1.5, np.hypot(rows["tax_sd"].values, 0.4))
    share = np.where(rows["human_data"].values > 0, 0.15, 0.4)
    asked = rows["log_tax"].values + 0.3 * rows["chat"].values - RATIO
    expected = law.sf(asked + np.log10(share))
    assert np.all(np.abs(made.mean(axis=0) - expected) < 4 * 0.5 / np.sqrt(SIZE))


def test_one_row_a_developer_is_used(evidence) -> None:
    from aligntax.models.evidence import select

    developers = select(evidence["paid_taxes"])["developer"].values
    assert len(set(developers)) == len(developers)
