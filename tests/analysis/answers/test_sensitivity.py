"""What drives the answer: power-scaling, variance shares and value of information against analytic truths."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from aligntax.analysis.answers import sensitivity_draws
from aligntax.analysis.answers import sensitivity_wording as drivers
from aligntax.analysis.answers.budget import budget
from aligntax.analysis.answers.newsvendor import Decision
from aligntax.analysis.answers.power_scaling import OK, PRIOR_ONLY, STRONG, power_scaling
from aligntax.analysis.answers.sensitivity import (
    analyse_drivers,
    compact_record,
    hours_decision,
    sensitivity_of_result,
    sensitivity_record,
    to_four_digits,
)
from aligntax.analysis.answers.sensitivity_draws import SensitivityDraws
from aligntax.analysis.answers.value_of_information import value_together, values_of_information
from aligntax.analysis.answers.variance import Inputs, _Design, variance_shares
from aligntax.analysis.drivers import MOVED_ANSWERS
from aligntax.analysis.figures import sensitivity as sensitivity_figures
from aligntax.analysis.fitting.moved_prior import (
    MedianRange,
    answers_over_range,
    move_median,
    without_correlations,
)
from aligntax.analysis.fitting.refit_plan import answer_from_draws, plan_reweighting
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.pages.report import write_report
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.regression import mid_ranks, orthonormal, splines
from aligntax.analysis.summaries.summary import Series, iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.models import ai_labour, direct_approach, research, time_horizon
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import ELICITED, LOSS_LIMIT, lookup
from aligntax.models.views import load_view, parse_view
from tests.prior import prior_draws

SHAPE = (4, 1000)
EQUAL = Weights.equal(SHAPE)


def normals(count, seed=0):
    return np.random.default_rng(seed).standard_normal((*SHAPE, count))


# --------------------------------------------------------------------------------------- regression


def test_mid_ranks_are_scipys_and_count_weights_as_copies():
    x = np.array([3.0, 1.0, 1.0, np.inf, -np.inf, 2.0])
    assert mid_ranks(x, np.full(6, 1 / 6)) == pytest.approx((rankdata(x) - 0.5) / 6)
    copies = np.array([1, 2, 1, 3, 1, 2])
    repeated = mid_ranks(np.repeat(x, copies), np.full(10, 0.1))
    assert mid_ranks(x, copies / 10) == pytest.approx(repeated[np.cumsum(copies) - 1])


def test_splines_are_orthonormal_and_hold_every_straight_line():
    x, w = normals(1).ravel(), np.random.default_rng(1).exponential(size=4000)
    w /= w.sum()
    basis = splines(x, w, 7)
    assert basis.shape == (4000, 7)
    assert basis.T @ (w[:, None] * basis) == pytest.approx(np.eye(7), abs=1e-8)
    line = x - w @ x
    assert basis @ (basis.T @ (w * line)) == pytest.approx(line, abs=1e-6)


@pytest.mark.parametrize("functions", [2, 4, 7])
def test_splines_are_straight_beyond_the_outer_twentieths_and_bent_between(functions):
    """Natural cubic splines with the first knot at the 5% quantile and the last at the 95% quantile."""
    x, w = np.arange(2000.0), np.full(2000, 1 / 2000)
    bend = np.abs(np.diff(splines(x, w, functions), n=2, axis=0)).max(axis=1)
    below, above, inside = bend[:96], bend[1902:], bend[104:1894]
    assert max(below.max(), above.max()) < 1e-7 * bend.max()
    assert inside.min() > 1e-4 * bend.max()


def test_a_basis_of_a_constant_is_empty():
    assert splines(np.ones(10), np.full(10, 0.1), 4).shape == (10, 0)
    assert orthonormal(np.ones((10, 2)), np.full(10, 0.1)).shape == (10, 0)


# ----------------------------------------------------------------------------------------- variance


def test_shares_of_a_linear_answer_of_correlated_normals():
    """First order (R a)_q^2 / V, total a_q^2 / (R^-1)_qq / V, and noise of variance one that no input explains."""
    R, a = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([1.0, 2.0, 0.0])
    z = normals(3) @ np.linalg.cholesky(R).T
    V = a @ R @ a + 1.0
    shares = variance_shares(z @ a + normals(1, 1)[..., 0], Inputs(z, EQUAL))
    assert np.abs(shares.first - (R @ a) ** 2 / V) == pytest.approx(
        0, abs=4 * shares.first_error.max()
    )
    assert np.abs(shares.total - a**2 / np.diag(np.linalg.inv(R)) / V) == pytest.approx(0, abs=0.03)
    assert shares.explained == pytest.approx(1 - 1 / V, abs=4 * shares.explained_error)
    assert shares.explained_error < 0.01
    assert shares.total[0] < shares.first[0]  # told by the other, too


@pytest.mark.parametrize("s", [1.0, 1.5, 2.0])
def test_the_error_of_a_share_is_honest_under_a_heavy_tail(s):
    """A log-normal exp(s (0.89 a + 0.45 b)): knowing a explains (exp(0.8 s^2) - 1) / (exp(s^2) - 1), and a and b all."""
    truth, covered, narrow = np.expm1(0.8 * s**2) / np.expm1(s**2), [], []
    for seed in range(20):
        z = normals(2, seed)
        y = np.exp(s * (np.sqrt(0.8) * z[..., 0] + np.sqrt(0.2) * z[..., 1]))
        found = variance_shares(y, Inputs(z, EQUAL))
        covered.append(abs(found.first[0] - truth) < 2 * found.first_error[0])
        held = np.max((y - y.mean()) ** 2) / np.sum((y - y.mean()) ** 2)
        known = np.sqrt(found.first_error[0] ** 2 - held**2)
        narrow.append(abs(found.first[0] - truth) < 2 * known)
    assert np.mean(covered) >= 0.9
    # negative control: without what the largest draw holds
    assert np.mean(narrow) < 0.9


def test_an_additive_answer_has_totals_equal_to_first_orders():
    z = normals(3)
    shares = variance_shares(z[..., 0] + 0.5 * z[..., 1] ** 2, Inputs(z, EQUAL))
    assert shares.first == pytest.approx([2 / 3, 1 / 3, 0], abs=0.04)
    assert shares.total == pytest.approx(shares.first, abs=0.04)


def test_a_design_that_is_extended_is_that_of_all_blocks():
    rng = np.random.default_rng(4)
    w = rng.dirichlet(np.ones(200))
    shared = rng.normal(size=(200, 1))  # blocks are correlated with one another
    blocks = [shared + rng.normal(size=(200, k)) for k in (3, 1, 2, 4)]
    whole, extended = _Design(blocks, w), _Design(blocks[2:], w, _Design(blocks[:2], w))
    for name in ("columns", "weighted", "gram", "inverse"):
        np.testing.assert_allclose(getattr(extended, name), getattr(whole, name), rtol=1e-9)
    assert extended.used == whole.used == 10
    assert all(map(np.array_equal, extended.places, whole.places))


def test_a_product_has_no_first_order_and_is_all_interaction():
    z = normals(3)
    shares = variance_shares(z[..., 0] * z[..., 1], Inputs(z, EQUAL))
    assert shares.first == pytest.approx([0, 0, 0], abs=0.02)
    assert shares.total == pytest.approx([1, 1, 0], abs=0.02)


def test_first_orders_of_ishigamis_function():
    """Sobol' indices 0.3139, 0.4424, 0; its totals need products of higher powers and are at most the true 0.5576, 0.2437."""
    z = normals(3)
    x = 2 * np.pi * ndtr(z) - np.pi
    y = np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])
    shares = variance_shares(y, Inputs(z, EQUAL))
    assert shares.first == pytest.approx([0.3139, 0.4424, 0], abs=0.03)
    assert shares.first[2] + 0.05 < shares.total[2] < 0.2437
    assert shares.explained < 1


def test_inputs_without_a_part_have_shares_of_zero_within_their_errors():
    z = normals(34, 3)
    shares = variance_shares(z[..., 0] + normals(1, 9)[..., 0], Inputs(z, EQUAL))
    for estimate, error in ((shares.first, shares.first_error), (shares.total, shares.total_error)):
        score = estimate[1:] / error[1:]
        assert np.abs(score).max() < 4 and np.abs(score.mean()) < 0.5
        assert estimate[0] == pytest.approx(0.5, abs=4 * error[0])


def test_functions_of_noise_explain_nothing():
    """Unadjusted, some two hundred functions would explain 6% of what 4,000 draws of noise vary."""
    z = normals(34, 3)
    shares = variance_shares(normals(1, 9)[..., 0], Inputs(z, EQUAL))
    assert abs(shares.explained) < 3 * shares.explained_error < 0.03


def test_weights_count_like_copies_and_a_condition_like_a_subset():
    z = normals(2, 5)
    y = z[..., 0] + z[..., 1] ** 2
    holds = z[..., 1] > 0
    subset = variance_shares(y, Inputs(z, EQUAL.given(holds)))
    elsewhere = Inputs(np.where(holds[..., None], z, 99.0), EQUAL.given(holds))
    spoiled = variance_shares(np.where(holds, y, np.nan), elsewhere)
    assert subset.first == pytest.approx(spoiled.first, abs=1e-6)
    tilted = Weights.of_log(-0.5 * 3.0 * z[..., 0] ** 2)  # z_0 has a variance of a quarter
    shares = variance_shares(y, Inputs(z, tilted))
    assert shares.first == pytest.approx([0.25 / 2.25, 2 / 2.25], abs=0.06)


# ------------------------------------------------------------------------------------ power-scaling


def draws_of(answers, z, likelihood=None, weights=EQUAL):
    return SensitivityDraws(
        answers={name: Series(name, y) for name, y in answers.items()},
        names=tuple(f"q{i}" for i in range(z.shape[-1])),
        z=z,
        log_prior=-0.5 * np.sum(z**2, axis=-1),
        log_likelihood=likelihood or {},
        prior_only=(),
        weights=weights,
    )


def test_without_evidence_the_likelihood_says_nothing():
    z = normals(2)
    row = analyse_drivers(draws_of({"y": z[..., 0]}, z))["headlines"]["y"]
    assert row["likelihood"]["value"] == row["likelihood"]["high"] == 0
    assert row["evidence"] == {} and row["diagnosis"] == PRIOR_ONLY


def test_one_prior_drives_what_depends_on_it_and_no_other_stands_out():
    z = normals(30, 2)
    found = analyse_drivers(draws_of({"y": z[..., 7] + 0.3 * z[..., 8]}, z))["headlines"]["y"]
    above = [name for name, row in found["priors"].items() if row["sensitivity"] is not None]
    assert next(iter(found["priors"])) == above[0] == "q7" and len(above) <= 2
    assert found["priors"]["q7"]["correlation"] > 0.9


def test_units_and_censoring_do_not_matter_to_ranks():
    z = normals(3, 4)
    late = np.where(z[..., 0] > 1.0, np.inf, z[..., 0])  # the order of the rest as it was
    draws = draws_of({"a": z[..., 0], "b": 10.0 ** (3 * z[..., 0]), "c": late}, z)
    found = power_scaling(draws.answers, draws.weights, {"q0": -0.5 * z[..., 0] ** 2})
    a, b, c = (found[name]["q0"].value for name in "abc")
    assert a == pytest.approx(b, rel=1e-9)
    assert 0 < c == pytest.approx(a, rel=0.3)


def test_undefined_draws_are_left_out_and_counted():
    z = normals(2, 6)
    y = np.where(z[..., 1] > 0, z[..., 0], np.nan)
    row = analyse_drivers(draws_of({"y": y}, z))["headlines"]["y"]
    assert row["undefined"] == pytest.approx(np.mean(np.isnan(y)))
    assert row["priors"]["q0"]["first_order"] == pytest.approx(1, abs=0.02)
    assert row["priors"]["q0"]["sensitivity"] > 0.05


def test_weighted_draws_answer_for_the_distribution_they_stand_for():
    """Weights that shift z_0 by one: as if drawn there."""
    z = normals(2, 8)
    weights = Weights.of_log(z[..., 0])
    shifted = z + np.array([1.0, 0.0])
    for name, y in (
        ("line", lambda x: x[..., 0]),
        ("square", lambda x: x[..., 0] ** 2 + x[..., 1]),
    ):
        a = analyse_drivers(draws_of({name: y(z)}, z, weights=weights))["headlines"][name][
            "priors"
        ]["q0"]
        b = analyse_drivers(draws_of({name: y(shifted)}, shifted))["headlines"][name]["priors"][
            "q0"
        ]
        assert a["sensitivity"] == pytest.approx(b["sensitivity"], rel=0.2)
        assert a["first_order"] == pytest.approx(b["first_order"], abs=0.05)


# ----------------------------------------------------------------------------- value of information


def newsvendor(price=5.0, seed=0):
    """Lognormal need exp(0.8 a + 0.6 b) at cost 1; truths by the partial mean of a lognormal."""
    a, b, noise = np.random.default_rng(seed).standard_normal((3, *SHAPE))
    k, total = ndtri(1 - 1 / price), np.hypot(0.8, 0.6)
    mean = np.exp(total**2 / 2)
    loss, known = price * mean * ndtr(total - k), mean
    given = {"a": price * mean * ndtr(0.6 - k), "b": price * mean * ndtr(0.8 - k)}
    never = np.full((*SHAPE, 1), 1e30)  # USD: a limit that no loss reaches
    problem = Decision(np.exp(0.8 * a + 0.6 * b), np.ones(SHAPE), never, EQUAL, price)
    inputs = {"a": a, "b": b, "noise": noise, "all": 0.8 * a + 0.6 * b}
    truth = {
        "evpi": loss - known,
        "loss": loss,
        **{name: loss - value for name, value in given.items()},
    }
    return values_of_information(problem, inputs), truth, np.exp(total * k)


@pytest.mark.parametrize("price", [1.5, 5.0, 20.0])
def test_values_of_information_of_a_newsvendor(price):
    found, truth, best = newsvendor(price)
    evpi, evppi = found["evpi"], found["evppi"]
    assert found["hours"] == pytest.approx(best, rel=0.2)
    assert found["loss"] == pytest.approx(truth["loss"], abs=5 * evpi.error)
    assert evpi.usd == pytest.approx(truth["evpi"], abs=4 * evpi.error)
    for name in ("a", "b"):
        assert evppi[name].usd == pytest.approx(
            truth[name], abs=4 * evppi[name].error + 0.01 * truth["evpi"]
        )
        assert evppi[name].usd < evpi.usd
    assert evppi["all"].usd == pytest.approx(evpi.usd, rel=1e-6)
    assert abs(evppi["noise"].usd) < 0.02 * evpi.usd  # negative control


def test_quantities_known_together_are_worth_what_the_theory_says():
    """Need exp(0.8 a + 0.6 b + 0.5 c) at cost 1: of c's noise, what a and b leave."""
    a, b, c, noise = np.random.default_rng(3).standard_normal((4, *SHAPE))
    price, total = 5.0, np.sqrt(0.8**2 + 0.6**2 + 0.5**2)
    k, mean = ndtri(1 - 1 / price), np.exp(total**2 / 2)
    blind = price * mean * ndtr(total - k)
    never = np.full((*SHAPE, 1), 1e30)
    need = np.exp(0.8 * a + 0.6 * b + 0.5 * c)
    problem = Decision(need, np.ones(SHAPE), never, EQUAL, price)
    both = value_together(problem, [a, b])
    assert both.usd == pytest.approx(blind - price * mean * ndtr(0.5 - k), abs=4 * both.error)
    alone = value_together(problem, [a])
    assert alone.usd + 4 * alone.error < both.usd < problem.evpi()
    everything = value_together(problem, [a, b, c])
    assert everything.usd == pytest.approx(problem.evpi(), rel=0.02)
    assert abs(value_together(problem, [noise, noise**2]).usd) < 0.02 * problem.evpi()


def test_hours_dearer_than_missing_ones_are_never_bought():
    found, _, _ = newsvendor(price=0.5)
    assert found["hours"] == 0
    assert found["evpi"].usd == pytest.approx(0, abs=1e-9)


def test_the_default_price_covers_four_cases_in_five():
    rng = np.random.default_rng(0)
    hours = 5 + rng.standard_normal(SHAPE)
    hours[0, :100] = np.nan
    amounts = {
        "alignment_hours_needed": hours,
        "usd_per_hour": np.ones(SHAPE),
        "labour_overhead": np.zeros(SHAPE),
    }
    never = np.full((*SHAPE, 1), 1e30)
    problem = Decision.of(amounts, EQUAL, never)
    assert problem.price == pytest.approx(50)
    best = values_of_information(problem, {})["hours"]
    assert np.mean(10.0 ** hours[~np.isnan(hours)] <= best) == pytest.approx(0.8, abs=0.03)
    assert Decision.of(amounts, EQUAL, never, 20.0).price == 20
    assert problem.weights.values[0, :100].sum() == 0


# ------------------------------------------------------------------------------------ moving priors


@pytest.fixture(scope="module")
def forward(evidence):
    """Prior pushed forward with every anchor in play: how the headline answers look when some z are moved."""
    view = parse_view(
        '[evidence]\nuse = "none"\n[anchors]\nlifetime = 0.1\nshort_horizon = 0.15\nmedium_horizon = 0.15\n'
        "long_horizon = 0.15\ngenome = 0.1\nevolution = 0.1\nuser = 0.15\nnone = 0.1\n",
        "all.toml",
        load_view("default"),
    )
    model = find_model("joint")
    tables = view.tables(model.quantities)
    draws = prior_draws(tables, 2000)
    shown = {*model.headlines, "workforce_available", "tax_paid"}

    def answers(quantity, shift):
        z = draws["z"].copy()
        z.loc[{"quantity": quantity}] += shift
        derived = derive(model, draws.assign(z=z), tables, evidence, view, np.random.default_rng(1))
        return {s.name: s.values for s in iter_series(derived) if s.quantity in shown}

    return answers


def shift_score(before, after):
    """Mean shift in rank of paired draws over its Monte Carlo error."""
    kept = ~np.isnan(before) & ~np.isnan(after)
    if kept.sum() < 100:
        return 0.0
    both = np.concatenate([before[kept], after[kept]])
    rank = mid_ranks(both, np.full(both.size, 1 / both.size))
    change = rank[kept.sum() :] - rank[: kept.sum()]
    return abs(change.mean()) / (change.std() / np.sqrt(change.size)) if change.any() else 0.0


# Of anchors that have no weight in this view; tests/models/test_joint.py gives each some.
NO_WEIGHT = {*direct_approach.QUANTITIES, *time_horizon.QUANTITIES, "horizon_steepness"}
# Of feedback and of AI labour, which are off; tests/models/test_joint.py turns them on.
OFF = {*research.QUANTITIES, *ai_labour.QUANTITIES}


@pytest.mark.parametrize(
    "quantity", [q for q in find_model("joint").quantities if q not in NO_WEIGHT | OFF]
)
def test_moving_a_prior_by_two_standard_deviations_changes_an_answer(forward, quantity):
    """The table of one quantity is shifted by two sd in z, up or down; nothing else, and every random number is the same."""
    before = forward(quantity, 0.0)
    scores = [
        shift_score(before[name], after)
        for shift in (2.0, -2.0)
        for name, after in forward(quantity, shift).items()
        if name in before
    ]
    assert max(scores) > 5


def test_every_elicited_quantity_is_one_of_the_joint_model_or_of_those_that_explain_it():
    others = set(ELICITED) - set(find_model("joint").quantities)
    explain = ("loss-law", "outer-alignment", "overoptimization", "density-prediction")
    own = {name: set(find_model(name).quantities) & others for name in explain}
    assert own["loss-law"] == {"irreducible_loss"} and all(own.values())
    assert set().union(*own.values()) == others - {LOSS_LIMIT}  # which decisions alone have


def test_moving_nothing_changes_nothing(forward):
    """Negative control."""
    before, after = forward("brain_flop", 0.0), forward("spend_cap", 0.0)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])
        assert shift_score(value, after[name]) == 0


# --------------------------------------------------------------------------------------- a real run


@pytest.fixture(scope="module")
def whole(reference):
    draws = SensitivityDraws.of_result(reference)
    return analyse_drivers(draws), hours_decision(draws)


def top(whole, answer, key):
    rows = whole[0]["headlines"][answer]["priors"]
    return max(rows, key=lambda name: rows[name][key] or 0.0)


def test_the_reference_runs_drivers(whole):
    def told(answer):
        rows = whole[0]["headlines"][answer]["priors"]
        return {name for name, row in rows.items() if row["sensitivity"] is not None}

    assert told("alignment_hours_affordable") <= {"spend_cap", "alignment_tax_tolerance"}
    # no single prior stands out for arrival; those that might are of requirement or spend
    assert told("tai_year") <= {"brain_flop", "user_flop", "superhuman_coder_lag", "spend_cap"}
    assert told("training_cost_at_tai") == {"spend_cap"}
    assert "rlhf_multiplier" in told("alignment_hours_needed")
    needed = whole[0]["headlines"]["alignment_hours_needed"]
    assert needed["priors"]["rlhf_multiplier"]["first_order"] > 0.15 and needed["explained"] > 0.7
    # its anchor has no weight
    assert needed["priors"]["user_flop"]["total"] == pytest.approx(0, abs=0.02)


def test_the_pooled_exponent_is_the_evidences(whole):
    pooled = whole[0]["headlines"]["data_exponent_pooled"]
    assert pooled["evidence"]["scaling_exponents"] > 0.05
    others = [value for name, value in pooled["evidence"].items() if name != "scaling_exponents"]
    assert max(value or 0.0 for value in others) < 0.5 * pooled["evidence"]["scaling_exponents"]


def test_tolerance_is_told_by_its_prior_and_by_payments_alone(whole):
    tolerance = whole[0]["headlines"]["alignment_tax_tolerance"]
    others = {n: value or 0.0 for n, value in tolerance["evidence"].items() if n != "paid_taxes"}
    assert tolerance["evidence"]["paid_taxes"] > 0.05 > max(others.values())
    # a polynomial of z misses the bend between the pool's two readings
    assert tolerance["explained"] > 0.8
    of = {name: row["total"] for name, row in tolerance["priors"].items()}
    assert of.pop("alignment_tax_tolerance") > 0.6 and max(of.values()) < 0.1


def test_contraction_and_what_is_assumed(whole, reference):
    quantities = whole[0]["quantities"]
    assert {name for name, row in quantities.items() if row["assumed"]} == set(
        reference.info["prior_only"]
    )
    rows = reference.record["quantities"]
    for name, row in quantities.items():
        assert row["contraction"] == pytest.approx(rows[name]["contraction"], abs=0.01)


def test_the_decision_of_the_reference_run(whole):
    worth = whole[1]
    assert worth["price_usd_per_hour"] == pytest.approx(5 * worth["cost_usd_per_hour"])
    assert 1e6 < worth["hours"] < 1e12
    best = next(iter(worth["evppi"]))
    assert best in ("practice_slope", "rlhf_multiplier", "label_efficiency_growth", "usd_per_hour")
    assert all(value["usd"] < worth["evpi"]["usd"] for value in worth["evppi"].values())
    assert LOSS_LIMIT in worth["evppi"]  # what it is worth to know the limit itself


@pytest.mark.parametrize(("price", "given"), [(None, None), (300.0, None), (None, "tai_year<2040")])
def test_budget_and_sensitivity_print_one_number(reference, price, given):
    """The same hours, price, limit, value and error, with a price, and under a condition."""
    answer = budget(reference, price=price, given=given)
    weights = None if given is None else answer.given.weights
    worth = hours_decision(SensitivityDraws.of_result(reference, weights), price)
    assert worth["hours"] == answer.best_hours
    assert worth["evpi"] == vars(answer.evpi)
    assert worth["evpi_at_twice_the_limit"] == vars(answer.evpi_at_twice_the_limit)
    assert worth["loss_limit_usd"] == answer.loss_limit
    assert worth["price_usd_per_hour"] == pytest.approx(answer.price, rel=1e-12)


def test_a_decision_is_on_all_draws_where_the_analysis_is_on_some(reference, monkeypatch):
    """More draws than are analysed: hours and EVPI are the budget's still."""
    monkeypatch.setattr(sensitivity_draws, "MOST_DRAWS", 440)
    draws = SensitivityDraws.of_result(reference)
    assert draws.every == 2 and draws.z.shape[:2] == (4, 110)
    worth, answer = hours_decision(draws), budget(reference)
    assert worth["hours"] == answer.best_hours and worth["evpi"] == vars(answer.evpi)


def test_the_limit_is_told_wherever_evpi_is(whole):
    words = drivers.decision_sentence(whole[1])
    assert "loss limit" in words and "Were it twice that" in words
    before = {k: v for k, v in whole[1].items() if k != "loss_limit_usd"}
    assert drivers.decision_sentence(before) == ""  # a run from before: its cap was not stated


def analysed(priors):
    """An analysis of one answer: quantity -> sensitivity, first-order share and its error."""
    keys = ("sensitivity", "first_order", "first_order_error")
    rows = {name: dict(zip(keys, values, strict=True)) for name, values in priors.items()}
    return {"headlines": {"y": {"diagnosis": OK, "priors": rows}}}


def test_a_record_keeps_three_drivers_and_what_stands_out_of_the_noise():
    priors = {f"q{i}": (0.5 - 0.1 * i, 0.01 * i, 0.02) for i in range(5)} | {
        "noisy": (None, 0.5, 0.2),
        "wide": (None, 0.4, 0.09),
    }
    row = compact_record(analysed(priors), None)["headlines"]["y"]
    assert [driver["quantity"] for driver in row["drivers"]] == ["q0", "q1", "q2"]
    assert list(row["sensitivity"]) == ["q0", "q1", "q2", "q3", "q4"]  # not the noisy one
    # a share is seen at more than four errors: 0.4 at 0.09, not 0.5 at 0.2 nor 0.04 at 0.02
    assert [part["quantity"] for part in row["spread"]] == ["wide"]
    assert "priors" not in row


def test_a_record_keeps_six_values_of_information_that_stand_out_of_the_noise():
    evppi = {f"q{i}": {"usd": 10.0 - i, "error": 1.0} for i in range(10)}
    worth = compact_record(analysed({}), {"evppi": evppi, "hours": 1.0})["decision"]
    assert list(worth["evppi"]) == [f"q{i}" for i in range(6)] and worth["hours"] == 1.0
    few = {"a": {"usd": 3.0, "error": 1.0}, "b": {"usd": 2.0, "error": 1.0}}
    assert list(compact_record(analysed({}), {"evppi": few})["decision"]["evppi"]) == ["a"]


def test_two_hundred_effective_draws_are_needed(reference):
    of = np.arange(880).reshape(4, 220)
    assert sensitivity_of_result(reference, reference.weights.given(of < 199)) is None
    assert sensitivity_of_result(reference, reference.weights.given(of < 201)) is not None


def test_numbers_are_kept_to_four_digits():
    assert to_four_digits({"a": [1.23456789, 3], "b": "x"}) == {"a": [1.235, 3], "b": "x"}


def test_words_of_a_driver_name_its_direction_where_it_has_one():
    def words(correlation, assumed=False, error=0.01):
        row = {"quantity": "usd_per_hour", "sensitivity": 0.083, "correlation": correlation}
        nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
        record = {
            "headlines": {
                "tai_year": {
                    "drivers": [{**row, "correlation_error": error}],
                    "spread": [],
                    "explained": 1.0,
                    "explained_error": 0.0,
                    "prior": nothing,
                    "likelihood": nothing,
                    "evidence": {},
                    "diagnosis": STRONG,
                }
            },
            "quantities": {"usd_per_hour": {"assumed": assumed, "contraction": 0.0}},
        }
        return drivers.driver_rows(record, ["tai_year"])[0]["drivers"]

    assert words(0.06) == "wage (0.08, raises it)"
    assert words(-0.06, True) == "wage (0.08, lowers it, assumed)"
    assert words(0.04) == words(-0.04) == "wage (0.08)"
    assert words(0.06, error=0.02) == "wage (0.08)"  # within four errors: chance alone


def test_words_about_contraction():
    def row(contraction, assumed=False, error=0.001):
        return {"contraction": contraction, "contraction_error": error, "assumed": assumed}

    both = {
        "quantities": {
            "brain_flop": row(0.04),
            "spend_cap": row(0.5),
            "task_tokens": row(0.1, error=0.03),  # chance alone
            "usd_per_hour": row(0, True),
        }
    }
    label = lookup("spend_cap").label
    assert drivers.contraction_sentence(both) == (
        f"The evidence narrowed most (share of the prior's variance removed): {label} (50%). "
        "It does not touch wage."
    )
    none = {"quantities": {"brain_flop": row(0.04), "usd_per_hour": row(0, True)}}
    assert drivers.contraction_sentence(none) == "The evidence does not touch wage."


def test_what_a_run_stores_is_strict_and_small(reference):
    model = find_model("joint")
    tables = reference.view.tables(model.quantities)
    prior_only = tuple(reference.info["prior_only"])
    found = sensitivity_record(reference.groups, tables, model.headlines, prior_only)
    text = json.dumps(found, allow_nan=False)
    assert len(text) < 40_000
    row = found["headlines"]["alignment_hours_needed"]
    drivers_named = {driver["quantity"] for driver in row["drivers"]}
    assert "rlhf_multiplier" in drivers_named and len(row["drivers"]) <= 3
    assert set(found) == {"threshold", "errors", "quantities", "headlines", "decision"}
    few = replace(reference.groups, draws=reference.draws.isel(draw=slice(0, 3)))
    assert sensitivity_record(few, tables, model.headlines, prior_only) is None


def test_a_condition_is_a_weight(reference):
    arrived = next(iter_series(reference.derived[["tai_year", "tai_year_state"]])).values < 2050
    found = analyse_drivers(SensitivityDraws.of_result(reference, reference.weights.given(arrived)))
    assert found["headlines"]["alignment_hours_needed"]["undefined"] == 0
    assert found["headlines"]["tai_year"]["explained"] > 0


def test_an_answer_that_is_constant_wherever_it_is_defined_drives_nothing(reference):
    """With all weight on one's own requirement no anchor depends on gamma: the shift is zero, or undefined."""
    derived = reference.derived
    zero = derived.assign(timeline_shift_exponent=derived["timeline_shift_exponent"] * 0.0)
    state = zero["timeline_shift_exponent_state"]
    zero["timeline_shift_exponent_state"] = state.where(state == 0, 3)
    found = sensitivity_of_result(reference.with_groups(replace(reference.groups, derived=zero)))
    assert "timeline_shift_exponent" not in found["headlines"] and "tai_year" in found["headlines"]
    json.dumps(found, allow_nan=False)


def test_evidence_that_is_mostly_indifferent_has_a_constant_tail_and_is_scaled_all_the_same():
    rng = np.random.default_rng(3)
    z = normals(2)
    # as log p(no TAI) of requirements far away
    flat = np.where(rng.uniform(size=SHAPE) < 0.9, 0.0, -(z[..., 0] ** 2))
    answer = Series("tai_flop", z[..., 0])
    draws = SensitivityDraws(
        {"tai_flop": answer},
        ("a", "b"),
        z,
        -0.5 * (z**2).sum(axis=-1),
        {"no_tai": flat},
        (),
        EQUAL,
    )
    found = power_scaling(draws.answers, draws.weights, {"no_tai": flat})
    assert np.isfinite(found["tai_flop"]["no_tai"].high)


def test_a_run_without_what_is_needed_says_so(reference):
    bare = replace(
        reference,
        tree=xr.DataTree.from_dict({"posterior": reference.posterior[["tai_year"]].drop_attrs()}),
    )
    with pytest.raises(InputError, match="log_prior"):
        SensitivityDraws.of_result(bare)
    few = reference.weights.given(np.arange(880).reshape(4, 220) < 50)
    with pytest.raises(InputError, match="effective draws"):
        SensitivityDraws.of_result(reference, few)


# ------------------------------------------------------------------------------------------- report


@pytest.mark.slow
def test_the_report_says_what_drives_the_answer(whole, reference, tmp_path):
    (tmp_path / "view.toml").write_text((reference.path / "view.toml").read_text("utf-8"), "utf-8")
    found = compact_record(*whole)
    result = replace(reference, path=tmp_path, info={**reference.info, "sensitivity": found})
    page = write_report(result, strict=True).read_text("utf-8")
    assert (
        page.index("<h2>Figures")
        < page.index("<h2>What drives the answer")
        < page.index("<h2>Diagnostics")
    )
    section = page[page.index("<h2>What drives") : page.index("<h2>Diagnostics")]
    assert ">tax tolerance</dfn> (0.0" in section and "raises it, assumed)" in section
    assert "Knowing everything first would be worth" in section and "<img" in section
    old = write_report(replace(result, info=reference.info)).read_text("utf-8")  # a run from before
    assert ("What drives the answer" in old) == ("sensitivity" in reference.info)


def test_words_of_a_run_in_which_nothing_stands_out(whole):
    found = compact_record(*whole)
    row = {
        **found["headlines"]["tai_year"],
        "drivers": [],
        "spread": [],
        "explained": 1.2,
        "diagnosis": OK,
    }
    words = drivers.driver_rows({**found, "headlines": {"tai_year": row}}, ["tai_year"])[0]
    assert words["drivers"] == "none stands out" and words["spread"] == "" and words["flag"] == ""
    assert drivers.decision_sentence(None) == ""
    empty = {**found["decision"], "evppi": {}}
    assert "no single quantity" in drivers.decision_sentence(empty)


def test_the_noise_is_known_even_of_one_quantity():
    z = normals(1, 3)
    row = analyse_drivers(draws_of({"y": normals(1, 4)[..., 0], "x": z[..., 0]}, z))["headlines"]
    assert row["y"]["priors"]["q0"]["sensitivity"] is None
    assert row["x"]["priors"]["q0"]["sensitivity"] > 0.05


def test_elements_of_vectors_have_words(whole):
    found = compact_record(*whole)
    rows = {"effective_flop[2050]": found["headlines"]["tai_flop"]}
    assert (
        drivers.driver_rows({**found, "headlines": rows}, list(rows))[0]["label"]
        == "effective FLOP, 2050"
    )
    axes = sensitivity_figures.heat_map({**found, "headlines": rows}).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "effective FLOP, 2050"


def test_the_heat_map_says_so_where_no_prior_stands_out(whole):
    found = compact_record(*whole)
    rows = {name: {**row, "drivers": []} for name, row in found["headlines"].items()}
    axes = sensitivity_figures.heat_map({**found, "headlines": rows}).axes[0]
    assert "no single prior" in axes.get_xlabel() and not axes.images
    assert len(axes.get_yticklabels()) == len(drivers.shown_answers(found))


def test_the_heat_map_leaves_noise_blank(whole):
    found = compact_record(*whole)
    axes = sensitivity_figures.heat_map(found).axes[0]
    shown = sum(
        name in found["headlines"][answer]["sensitivity"]
        for answer in drivers.shown_answers(found)
        for name in sensitivity_figures.shown_priors(found)
    )
    assert len(axes.texts) == shown < axes.get_images()[0].get_array().size


# ------------------------------------------------------------------------------------------ what if


@pytest.fixture(scope="module")
def source(reference):
    return read_sampled_run(reference.path)


def test_a_moved_prior_keeps_its_shape(source):
    for name, value in (
        ("alignment_tax_tolerance", 0.1),
        ("alignment_compute_share", 0.3),
        ("spend_growth_ratio", 1.0),
    ):
        old = source.view.tables((name,)).table(name)
        new = move_median(source.view, name, value).tables((name,)).table(name)
        z = np.linspace(-3, 3, 13)
        shift = new.value(z) - old.value(z)
        assert shift == pytest.approx(np.full(13, shift[6]), abs=0.02 * np.ptp(old.value(z)))
        assert ELICITED[name].from_link(new.value(0.0)) == pytest.approx(value)


# What a row of evidence has to do with practice, beside what it says of the answer itself.
@pytest.mark.parametrize(
    "quantity", ["chat_minutes", "alignment_share_of_human_data", "models_per_year"]
)
def test_moving_what_evidence_is_read_by_moves_the_hours(source, quantity):
    table = source.view.tables((quantity,)).table(quantity)
    medians = [float(ELICITED[quantity].from_link(table.value(z))) for z in (-1.0, 1.0)]
    low, high = (
        answers_over_range(source, MedianRange(quantity, median, 1.01 * median, 2))[0]
        for median in medians
    )
    needed = [point.rows["alignment_hours_needed"]["q50"] for point in (low, high)]
    assert abs(needed[1] - needed[0]) > 1e-3


def test_the_curve_of_a_multiplier_is_exact_and_falls(source):
    points = answers_over_range(source, MedianRange.parse("rlhf_multiplier=1,100,3"))
    assert [point.value for point in points] == pytest.approx([1, 10, 100])
    assert all(point.trusted and point.k_hat is None for point in points)
    affordable = [point.rows["prob_affordable"]["mean"] for point in points]
    medians = [point.rows["rlhf_multiplier"]["q50"] for point in points]
    assert np.all(np.diff(medians) > 0.9)
    assert affordable == [None] * 3 or np.all(np.diff(affordable) < 0)
    years = {point.rows["tai_year"]["q50"] for point in points}
    assert len(years) == 1  # it does not move arrival


def test_without_correlations_the_answer_is_that_of_the_uncorrelated_view(source):
    point = without_correlations(source)
    expected = answer_from_draws(plan_reweighting(source, load_view("uncorrelated"))).rows
    for name in ("alignment_hours_needed", "tai_year", "prob_affordable"):
        assert point.rows[name] == expected[name], name
    # the tolerance pulls the need up where the two are correlated
    before = source.record["quantities"]["alignment_hours_needed"]["q50"]
    assert point.rows["alignment_hours_needed"]["q50"] < before - 0.1
    bare = replace(source, view=replace(source.view, correlations={}))
    assert without_correlations(bare) is None  # nothing to leave out


def test_a_reweighted_curve_is_marked_where_it_is_not_to_be_trusted(source):
    points = answers_over_range(source, MedianRange.parse("brain_flop=1e16,1e24,2"))
    assert points[0].k_hat is not None and not points[1].trusted
    assert (
        points[1].rows["tai_flop"]["q50"] is None
        or points[1].rows["tai_flop"]["q50"] > points[0].rows["tai_flop"]["q50"]
    )
    figure = sensitivity_figures.what_if_curves(
        points, MedianRange.parse("brain_flop=1e16,1e24,2"), ["tai_year", "tai_flop"]
    )
    assert [axes.get_title() for axes in figure.axes] == ["TAI arrival", "TAI requirement (FLOP)"]
    assert [text.get_text() for text in figure.legends[0].texts] == ["trusted", "not to be trusted"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("brain_flop", "QUANTITY=LOW,HIGH"),
        ("brain_flop=1,a", "must be a number above 0, got 'a'"),
        ("brain_flop=1,2,3,4", "QUANTITY=LOW,HIGH"),
        ("brain_flop=2,1", "swap"),
        ("brain_flop=1,inf", "must be a number above 0, got 'inf'"),
        ("brain_flop=-1,1", "must be a number above 0, got '-1'"),
        ("brain_flop=1,2,1", "between 2 and 101"),
        ("brain=1,2", "brain_flop"),
        ("tai_year=2030,2040", "of the model"),
    ],
)
def test_a_bad_range_is_one_message(source, text, words):
    with pytest.raises(InputError, match=words):
        answers_over_range(source, MedianRange.parse(text))


# ------------------------------------------------------------------------------------- command line


@pytest.mark.slow
def test_the_command_prints_a_table_and_draws(aligntax, reference, tmp_path):
    picture = tmp_path / "drivers.png"
    code, out, err = aligntax("sensitivity", reference.path, "--picture", picture)
    assert code == 0 and err == "" and "\x1b" not in out
    for words in (
        "single priors that move it",
        "tax tolerance (0.0",
        "The evidence narrowed most",
        "How many hours to buy",
        "Without the view's rank correlations: alignment data needed",
    ):
        assert words in out
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_json_is_one_object_with_every_pair(aligntax, reference):
    code, out, _ = aligntax(
        "sensitivity", reference.path, "--json", "--quantity", "tai_year", "--price", "100"
    )
    found = json.loads(out)
    assert code == 0 and list(found["headlines"]) == ["tai_year"]
    assert list(found["without_correlations"]["quantities"]) == ["tai_year"]
    assert "median" not in found["without_correlations"]
    priors = found["headlines"]["tai_year"]["priors"]
    assert set(priors) == set(reference.draws["quantity"].values.tolist())
    keys = {
        "sensitivity",
        "correlation",
        "correlation_error",
        "first_order",
        "first_order_error",
        "total",
        "total_error",
    }
    assert set(priors["brain_flop"]) == keys
    assert (
        found["decision"]["price_usd_per_hour"] == 100
        and found["decision"]["default_confidence"] is None
    )
    assert set(found["decision"]["evppi"]) == {*priors, LOSS_LIMIT}


def test_a_sweep_prints_answers_and_json(aligntax, reference, tmp_path):
    words = ("sensitivity", reference.path, "--sweep", "rlhf_multiplier=1,10,2")
    code, out, _ = aligntax(*words, "--picture", tmp_path / "curves.svg")
    assert code == 0 and "exact" in out and "alignment data needed" in out
    # one panel per answer, under a common axis
    panels = [name for name in MOVED_ANSWERS if name in reference.record["quantities"]]
    assert (tmp_path / "curves.svg").read_text("utf-8").count('<g id="axes_') == len(panels)
    code, out, _ = aligntax(*words, "--json", "--quantity", "tai_year")
    found = json.loads(out)
    assert code == 0 and found["quantity"] == "rlhf_multiplier" and len(found["points"]) == 2
    assert set(found["points"][0]) == {"median", "trusted", "ess", "k_hat", "reason", "quantities"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--quantity", "tai_yaer"), "did you mean tai_year"),
        (("--sweep", "brain=1,2"), "brain_flop"),
        (
            ("--sweep", "brain_flop=1e15,1e16", "--quantity", "nothing"),
            "quantity: must be a headline",
        ),
        (("--price", "0"), "price: must be a positive"),
        (("--picture", "x.txt"), "picture: must end in"),
        (("--picture", "/nowhere/x.png"), "picture: /nowhere must be a folder"),
    ],
)
def test_a_typo_is_one_message_and_exit_code_2(aligntax, reference, words, message):
    code, out, err = aligntax("sensitivity", reference.path, *words)
    assert (
        code == 2
        and out == ""
        and err.startswith("aligntax: ")
        and message in err
        and err.count("\n") == 1
    )
