"""Tolerance and payments: what was paid is tolerated, and without payments nothing is learnt."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from aligntax.models import tolerance
from aligntax.models.arrival import Chance

SIZE = 20_000


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


def test_without_payments_it_is_what_was_elicited(x, parameters, evidence, chance) -> None:
    bare = evidence.only([])
    found = tolerance.at_arrival(x, parameters, bare, chance)
    np.testing.assert_array_equal(found["tolerance_at_arrival"], x["alignment_tax_tolerance"])
    assert np.all(np.isnan(found["tax_paid"]))


def test_tolerance_and_payment_are_drawn_from_their_truncated_joint_law(
    evidence, parameters, chance
) -> None:
    """Against rejection: draw both, keep the pairs in which the payment is tolerated."""
    one = {
        "alignment_tax_tolerance": np.full(SIZE, -1.6),
        "alignment_share_of_payment": np.full(SIZE, 0.4),
    }
    spread = xr.Dataset({"tolerance_spread": ("draw", np.full(SIZE, 0.4))})
    rows = tolerance.payments(evidence).isel(payment=[1])  # the largest
    only = evidence.with_likelihood_rows({"paid_taxes": rows})
    found = tolerance.at_arrival(one, spread, only, chance)
    rng = np.random.default_rng(1)
    own = -1.6 + 0.4 * rng.standard_normal(400_000)
    paid = (
        rows["log_tax"].item()
        + np.log10(0.4)
        + rows["tax_sd"].item() * rng.standard_normal(own.size)
    )
    kept = paid <= own
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
    one = {
        "alignment_tax_tolerance": np.full(SIZE, -1.5),
        "alignment_share_of_payment": np.full(SIZE, 0.4),
    }
    parameters = xr.Dataset({"tolerance_spread": ("draw", np.full(SIZE, 0.4))})
    made = tolerance.would_pay(one, parameters, evidence, np.random.default_rng(2))
    rows = tolerance.payments(evidence)
    law = stats.norm(-1.5, np.hypot(rows["tax_sd"].values, 0.4))
    expected = law.sf(rows["log_tax"].values + np.log10(0.4))
    assert np.all(np.abs(made.mean(axis=0) - expected) < 4 * 0.5 / np.sqrt(SIZE))


def test_one_row_a_developer_is_used(evidence) -> None:
    from aligntax.models.evidence import select

    developers = select(evidence["paid_taxes"])["developer"].values
    assert len(set(developers)) == len(developers)
