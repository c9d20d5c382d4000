"""Each claim is true of a draw just inside its bounds and false just outside, and says what the bounds are."""

import numpy as np
import pytest

from aligntax.analysis.summaries.claims import CLAIMS, assumed_quantities
from aligntax.analysis.summaries.summary import claim_probabilities, claim_probability
from aligntax.models.priors.quantities import DERIVED, QUANTITIES
from aligntax.models.states import censored

# claim: quantity, values in its natural unit that are just true, values that are just false, the
# words in which the claim states the bound, and which of Hilton's three claims it speaks to
EXPECTED = {
    "hours_needed_exceed_300": ("alignment_hours_needed", (301, 1e9), (299, 1), "(300)", 1),
    "tolerance_at_least_1_percent": (
        "alignment_tax_tolerance",
        (0.0101, 1.0),
        (0.0099, 1e-6),
        "at least 1%",
        2,
    ),
    "rlhf_multiple_affordable_exceeds_2_oom": (
        "rlhf_multiple_affordable",
        (101, 1e9),
        (99, 1),
        "over 2 OOM",
        2,
    ),
    "alignment_affordable": ("prob_affordable", (1.0,), (0.0, 0.99), "tolerated", 2),
    "data_exponent_at_least_1": ("data_exponent", (1.0, 1.001, 2.0), (0.999, 0.0), "linearly", 3),
    "exponent_shift_between_1_and_5_years": (
        "timeline_shift_exponent",
        (1.0, 1.001, 4.999, 5.0),
        (0.999, 5.001, -3.0, 30.0),
        "(1 to 5) years",
        3,
    ),
}


def one_draw(quantity, natural):
    value = np.log10(natural) if QUANTITIES[quantity].scale == "log10" else natural
    values = {quantity: np.full((1, 1), float(value))}
    return censored(values, {"chain": [0], "draw": [0]}, {quantity: ("chain", "draw")})


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_true_of_draws_within_its_bounds_alone(claim):
    quantity, true, false, _, _ = EXPECTED[claim.name]
    assert claim.quantity == quantity
    for natural in true:
        assert claim_probability(claim, one_draw(quantity, natural)) == 1.0, natural
    for natural in false:
        assert claim_probability(claim, one_draw(quantity, natural)) == 0.0, natural


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_states_its_bound_and_its_source(claim):
    *_, words, part = EXPECTED[claim.name]
    assert words in claim.text and claim.part == part and claim.source


def test_there_is_no_other_claim():
    assert [claim.name for claim in CLAIMS] == list(EXPECTED)


def test_later_or_never_is_a_shift_of_more_than_five_years_and_more_hours_than_any():
    shift = one_draw("timeline_shift_exponent", np.inf)
    assert claim_probabilities(shift) == {"exponent_shift_between_1_and_5_years": 0.0}
    assert claim_probabilities(one_draw("rlhf_multiple_affordable", np.inf)) == {
        "rlhf_multiple_affordable_exceeds_2_oom": 1.0
    }
    # nothing affordable is less than any multiple
    nothing = {"rlhf_multiple_affordable": np.full((1, 1), -np.inf)}
    dims = {"rlhf_multiple_affordable": ("chain", "draw")}
    data = censored(nothing, {"chain": [0], "draw": [0]}, dims)
    assert claim_probabilities(data) == {"rlhf_multiple_affordable_exceeds_2_oom": 0.0}


def test_a_claim_about_a_quantity_that_no_draw_defines_has_no_probability():
    assert claim_probabilities(one_draw("timeline_shift_exponent", np.nan)) == {}


def test_a_quantity_whose_prior_is_linked_to_another_model_is_not_assumed():
    info = {"prior_only": ["quality_factor", "usd_per_hour"], "links": {"quality_factor": {}}}
    assert assumed_quantities(info) == ("usd_per_hour",)
    assert assumed_quantities({"prior_only": ["usd_per_hour"]}) == ("usd_per_hour",)


def test_claims_are_about_what_is_derived_or_elicited():
    assert {claim.quantity for claim in CLAIMS} - set(DERIVED) == {"alignment_tax_tolerance"}
