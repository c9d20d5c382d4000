"""Claims: each is true on one side of its bound, made under its condition, and says whose it is."""

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.summaries.claim_answers import claim_answers, claim_draws
from aligntax.analysis.summaries.claims import (
    CLAIMS,
    TOLERANCE,
    WHOSE,
    assumed_quantities,
    of_today,
)
from aligntax.analysis.summaries.claims_in_words import (
    cell_in_words,
    chance_in_words,
    condition_in_words,
    notes_in_words,
)
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.priors.quantities import ELICITED, QUANTITIES
from aligntax.models.states import censored
from aligntax.models.views import ANCHORS

# claim: quantity, values in its natural unit that are just true, values that are just false, the
# words in which the claim states the bound, which of Hilton's three claims it speaks to, and whose
# it is
PAYS = ("rlhf_multiple_affordable", (100.1, 1e9), (99.9, 100, 1))
EXPECTED = {
    "needed_within_2_oom_of_rlhf": (
        *("rlhf_multiple_needed", (99.9, 100, 1e-3), (100.1, 1e9)),
        *("at most 100 times", 1, "steiner"),
    ),
    "needed_above_2_oom_of_rlhf": (
        *("rlhf_multiple_needed", (100.1, 1e9), (99.9, 100, 1e-3)),
        *("over 100 times", 1, "ours"),
    ),
    "hours_needed_exceed_300": (
        *("alignment_hours_needed", (301, 1e9), (299, 300, 1)),
        *("(300)", 1, "ours"),
    ),
    "tolerance_at_least_1_percent": (
        *("tolerance_of_training_cost", (0.01, 0.0101, 1.0), (0.0099, 1e-6)),
        *("at least 1%", 2, "hilton"),
    ),
    "over_2_oom_affordable": (*PAYS, "over 100 times", 2, "ours"),
    "over_2_oom_affordable_given_tolerance": (*PAYS, "over 100 times", 2, "hilton"),
    "alignment_affordable": ("prob_affordable", (1.0,), (0.0, 0.99), "tolerated", 2, "ours"),
    "exponent_nearer_1_pooled": (
        *("data_exponent_pooled", (0.901, 1.0, 2.0), (0.899, 0.8, 0.0)),
        *("nearer 1 than 0.8", 3, "hilton"),
    ),
    "exponent_nearer_1_new_regime": (
        *("data_exponent", (0.901, 1.0, 2.0), (0.899, 0.8, 0.0)),
        *("nearer 1 than 0.8", 3, "hilton"),
    ),
    "shift_at_least_1_year_neural_nets": (
        *("timeline_shift_exponent", (1.0, 1.001, 30.0), (0.999, 0.0, -3.0)),
        *("at least 1 year", 3, "hilton"),
    ),
    "allocation_worth_under_several_years": (
        *("allocation_progress", (3.0, 2.999, 0.0), (3.001, 30.0)),
        *("at most several (3) years", 3, "hilton"),
    ),
    "allocation_worth_under_several_years_at_most": (
        *("allocation_progress_most", (3.0, 2.999, 0.0), (3.001, 30.0)),
        *("on the reading that gives most", 3, "ours"),
    ),
    "allocation_pulls_in_at_least_1_year_neural_nets": (
        *("timeline_shift_allocation", (-1.0, -1.001, -30.0), (-0.999, 0.0, 3.0)),
        *("in by at least 1 year", 3, "ours"),
    ),
}
CONDITIONAL = {
    "over_2_oom_affordable_given_tolerance": "a tolerance of at least 1%",
    "shift_at_least_1_year_neural_nets": "a neural-net anchor",
    "allocation_pulls_in_at_least_1_year_neural_nets": "a neural-net anchor",
}
NEURAL, OTHER = ANCHORS.index("medium_horizon"), ANCHORS.index("genome")
HORIZON = 2100.0


def on_scale(quantity, natural):
    return np.log10(natural) if QUANTITIES[quantity].scale == "log10" else natural


def draws(**values):
    """Derived draws in one chain; an infinite or undefined value becomes a state."""
    columns = {
        name: np.atleast_2d(np.asarray(value, dtype=float)) for name, value in values.items()
    }
    count = next(iter(columns.values())).shape[1]
    coords = {"chain": [0], "draw": np.arange(count)}
    return censored(columns, coords, dict.fromkeys(columns, ("chain", "draw")))


def one_draw(claim, natural, **others):
    """One draw that meets a claim's condition."""
    met = {TOLERANCE: -1.0} if claim.given else {}
    met |= {"tai_anchor": NEURAL} if claim.neural_nets else {}
    own = {claim.statement.quantity: on_scale(claim.statement.quantity, natural)}
    return draws(**{**met, **own, **others})


def named(name):
    return next(claim for claim in CLAIMS if claim.name == name)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_is_true_on_one_side_of_its_bound(claim):
    quantity, true, false, *_ = EXPECTED[claim.name]
    assert claim.statement.quantity == quantity
    for natural in true:
        found = claim_answers(one_draw(claim, natural))[claim.name]
        assert found["probability"] == 1.0, natural
    for natural in false:
        found = claim_answers(one_draw(claim, natural))[claim.name]
        assert found["probability"] == 0.0, natural


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_claim_states_its_bound_its_source_and_whose_it_is(claim):
    *_, words, part, whose = EXPECTED[claim.name]
    assert words in claim.text and claim.part == part and claim.whose == whose in WHOSE
    assert claim.source and claim.condition == CONDITIONAL.get(claim.name, "")
    assert bool(claim.condition) == bool(claim.given or claim.neural_nets)
    assert ("ours" in claim.source) == (whose == "ours")


def test_there_is_no_other_claim():
    assert [claim.name for claim in CLAIMS] == list(EXPECTED)


def test_claims_are_about_what_is_derived():
    assert {claim.statement.quantity for claim in CLAIMS} <= set(QUANTITIES) - set(ELICITED)


def test_what_has_no_number_is_on_its_side_of_the_bound():
    never = claim_answers(one_draw(named("shift_at_least_1_year_neural_nets"), np.inf))
    assert never["shift_at_least_1_year_neural_nets"]["probability"] == 1.0
    earlier = claim_answers(one_draw(named("shift_at_least_1_year_neural_nets"), -np.inf))
    assert earlier["shift_at_least_1_year_neural_nets"]["probability"] == 0.0
    # nothing affordable is less than any multiple
    nothing = claim_answers(draws(rlhf_multiple_affordable=-np.inf))
    assert nothing["over_2_oom_affordable"]["probability"] == 0.0


# -------------------------------------------------------------------------------------- conditions


def test_a_condition_counts_the_draws_that_meet_it_alone():
    data = draws(
        tolerance_of_training_cost=[-1.0, -1.0, -1.0, -3.0, -3.0],
        rlhf_multiple_affordable=[3.0, 3.0, 1.0, 1.0, np.nan],
    )
    found = claim_answers(data, assumed=(TOLERANCE,), horizon=HORIZON)
    given = found["over_2_oom_affordable_given_tolerance"]
    assert given["probability"] == pytest.approx(2 / 3)
    assert given["given_probability"] == pytest.approx(3 / 5)
    assert given["given"] == "a tolerance of at least 1% and arrival before 2100"
    marginal = found["over_2_oom_affordable"]
    assert marginal["probability"] == pytest.approx(2 / 4)
    assert marginal["given_probability"] == pytest.approx(4 / 5)
    assert marginal["given"] == "arrival before 2100"
    tolerance = found["tolerance_at_least_1_percent"]
    assert tolerance["given"] is None and tolerance["given_probability"] == 1.0
    assert [name for name, answer in found.items() if answer["assumed"]] == [
        "tolerance_at_least_1_percent"
    ]


def test_only_draws_of_neural_net_anchors_count_for_the_shift():
    data = draws(
        tai_anchor=[NEURAL, NEURAL, NEURAL, OTHER, OTHER],
        timeline_shift_exponent=[2.0, 0.5, np.nan, 0.0, 5.0],
    )
    found = claim_answers(data, horizon=HORIZON)["shift_at_least_1_year_neural_nets"]
    assert found["probability"] == 0.5 and found["given_probability"] == pytest.approx(2 / 5)
    assert found["given"] == "a neural-net anchor and arrival in either world before 2100"


def test_draws_count_by_their_weights_within_the_condition_too():
    data = draws(
        tolerance_of_training_cost=[-1.0, -1.0, -3.0], rlhf_multiple_affordable=[3.0, 1.0, 3.0]
    )
    weights = Weights(np.array([[0.1, 0.3, 0.6]]))
    found = claim_answers(data, weights)["over_2_oom_affordable_given_tolerance"]
    assert found["probability"] == pytest.approx(0.25)
    assert found["given_probability"] == pytest.approx(0.4)


def test_a_condition_that_no_draw_meets_leaves_no_probability_but_its_reason():
    few = draws(tai_anchor=[OTHER, OTHER], timeline_shift_exponent=[0.0, 3.0])
    found = claim_answers(few)["shift_at_least_1_year_neural_nets"]
    assert found["probability"] is None and found["mcse"] is None
    assert found["given_probability"] == 0.0 and found["reason"] == "no draw meets the condition"
    assert chance_in_words(found) == "undefined"
    assert notes_in_words(found) == ["given a neural-net anchor (0%)", found["reason"]]
    undefined = claim_answers(draws(rlhf_multiple_needed=[np.nan, np.nan]), horizon=HORIZON)
    assert undefined["needed_within_2_oom_of_rlhf"]["given"] == "arrival before 2100"
    assert undefined["needed_within_2_oom_of_rlhf"]["probability"] is None


def test_a_model_has_the_claims_whose_quantities_it_has():
    assert claim_answers(draws(data_exponent=[0.95])).keys() == {"exponent_nearer_1_new_regime"}
    # a shift without anchors cannot be given one
    assert claim_answers(draws(timeline_shift_exponent=[3.0])) == {}


def by_hand(reference):
    """Draws of the reference run as flat arrays, infinite and NaN where they have no number."""

    def values(name):
        plain = reference.derived[name].values.astype(float).ravel()
        if f"{name}_state" not in reference.derived:
            return plain
        state = reference.derived[f"{name}_state"].values.ravel()
        return np.where(
            state == 1, np.inf, np.where(state == 2, -np.inf, np.where(state == 3, np.nan, plain))
        )

    return values


def test_claims_are_the_shares_of_the_reference_run(reference):
    found = claim_answers(
        reference.derived, reference.weights, assumed_quantities(reference.info), HORIZON
    )
    value = by_hand(reference)
    needed, hours = value("rlhf_multiple_needed"), value("alignment_hours_needed")
    pays, tolerance = value("rlhf_multiple_affordable"), value("tolerance_of_training_cost")
    paid, shift = value("prob_affordable"), value("timeline_shift_exponent")
    pulled = value("timeline_shift_allocation")
    anchor = reference.derived["tai_anchor"].values.ravel()
    neural = (anchor >= ANCHORS.index("short_horizon")) & (anchor <= ANCHORS.index("long_horizon"))
    arrives, tolerant, moved = ~np.isnan(needed), tolerance >= -2.0, neural & ~np.isnan(shift)
    expected = {
        "needed_within_2_oom_of_rlhf": (needed <= 2.0, arrives),
        "needed_above_2_oom_of_rlhf": (needed > 2.0, arrives),
        "hours_needed_exceed_300": (10.0**hours > 300, arrives),
        "tolerance_at_least_1_percent": (tolerant, np.ones(len(needed), dtype=bool)),
        "over_2_oom_affordable": (pays > 2.0, arrives),
        "over_2_oom_affordable_given_tolerance": (pays > 2.0, arrives & tolerant),
        "alignment_affordable": (paid == 1.0, arrives),
        "exponent_nearer_1_pooled": (
            value("data_exponent_pooled") > 0.9,
            np.ones(len(needed), dtype=bool),
        ),
        "exponent_nearer_1_new_regime": (
            value("data_exponent") > 0.9,
            np.ones(len(needed), dtype=bool),
        ),
        "shift_at_least_1_year_neural_nets": (shift >= 1.0, moved),
        "allocation_worth_under_several_years": (
            value("allocation_progress") <= 3.0,
            np.ones(len(needed), dtype=bool),
        ),
        "allocation_worth_under_several_years_at_most": (
            value("allocation_progress_most") <= 3.0,
            np.ones(len(needed), dtype=bool),
        ),
        "allocation_pulls_in_at_least_1_year_neural_nets": (
            pulled <= -1.0,
            neural & ~np.isnan(pulled),
        ),
    }
    assert list(found) == list(expected)
    for name, (true, counted) in expected.items():
        answer = found[name]
        assert answer["probability"] == pytest.approx(np.mean(true[counted])), name
        assert answer["given_probability"] == pytest.approx(np.mean(counted)), name
        n = counted.sum()
        alone = np.sqrt(np.mean(true[counted]) * (1 - np.mean(true[counted])) / n)
        assert 0.3 * alone <= answer["mcse"] <= 3.0 * alone + 1e-9, name
        assert (answer["given"] is None) == bool(counted.all()), name
    # negative control: without its condition it is another number
    everywhere = np.mean(shift[~np.isnan(shift)] >= 1.0)
    assert found["shift_at_least_1_year_neural_nets"]["probability"] > everywhere + 0.05
    within, above = found["needed_within_2_oom_of_rlhf"], found["needed_above_2_oom_of_rlhf"]
    assert within["probability"] + above["probability"] == pytest.approx(1.0)


def test_true_draws_meet_the_condition(reference):
    for claim in CLAIMS:
        true, counted = claim_draws(claim, reference.derived)
        assert not np.any(true & ~counted), claim.name


# ------------------------------------------------------------------------------------------- words


def test_what_a_claim_hangs_on_is_said_with_its_probability():
    answer = {
        **{"probability": 0.8472, "mcse": 0.0185, "assumed": False, "whose": "hilton"},
        **{"given": "arrival before 2100", "given_probability": 0.672},
    }
    assert condition_in_words(answer) == "given arrival before 2100 (67%)"
    assert cell_in_words(answer) == "about 85%, given arrival before 2100 (67%)"
    assert notes_in_words(answer) == ["given arrival before 2100 (67%)"]
    assumed = {**answer, "given": None, "assumed": True}
    assert condition_in_words(assumed) == "" and cell_in_words(assumed) == "about 85%"
    assert notes_in_words(assumed) == ["assumed: no evidence bears on it"]


def test_older_summaries_keep_what_is_still_claimed():
    rows = {
        "alignment_hours_needed": {"prob_undefined": 0.25, "assumed": False},
        TOLERANCE: {"prob_undefined": 0.0, "assumed": True},
    }
    older = {
        "hours_needed_exceed_300": 0.9,
        "tolerance_at_least_1_percent": 0.75,
        "data_exponent_at_least_1": 0.4,
    }
    kept = of_today(older, rows)
    assert list(kept) == ["hours_needed_exceed_300", "tolerance_at_least_1_percent"]
    assert cell_in_words(kept["hours_needed_exceed_300"]) == (
        "90%, given arrival before the horizon (75%)"
    )
    assert kept["tolerance_at_least_1_percent"]["assumed"]
    assert of_today(kept, rows) == kept  # today's are kept as they are
    # hostile summaries are no reason to stop
    assert of_today({"hours_needed_exceed_300": 0.9}, {"alignment_hours_needed": 3})
    assert of_today({"hours_needed_exceed_300": "x", "other": None}, {}) == {}


def test_a_quantity_whose_prior_is_linked_to_another_model_is_not_assumed():
    info = {"prior_only": ["quality_factor", "usd_per_hour"], "links": {"quality_factor": {}}}
    assert assumed_quantities(info) == ("usd_per_hour",)
    assert assumed_quantities({"prior_only": ["usd_per_hour"]}) == ("usd_per_hour",)


def test_an_empty_dataset_claims_nothing():
    assert claim_answers(xr.Dataset()) == {}
