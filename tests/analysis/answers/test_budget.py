"""What to buy: the newsvendor's known answers, exact majorities, and the command."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.analysis.answers.budget import (
    ITEM_COST,
    _best_hours_and_regret,
    best_labelling,
    budget,
    expected_loss,
    label_information,
    majority_error,
    published_label_error,
)
from aligntax.analysis.answers.value_of_information import LIMIT, Decision
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence

SHAPE = (4, 20_000)


@pytest.fixture(scope="module")
def newsvendor():
    """Lognormal need, cost of 30 USD an hour."""
    rng = np.random.default_rng(3)
    log_need = rng.normal(4.0, 0.5, SHAPE)
    derived = {
        "alignment_hours_needed": log_need,
        "usd_per_hour": np.full(SHAPE, np.log10(20.0)),
        "labour_overhead": np.full(SHAPE, np.log10(1.5)),
    }
    return derived


def test_the_least_loss_is_at_the_critical_ratio(newsvendor):
    """Arrow, Harris and Marschak 1951: buy the 1 - cost / price quantile of the need."""
    for price in (60.0, 150.0, 400.0):
        decision = Decision.of(newsvendor, Weights.equal(SHAPE), price)
        grid = np.logspace(3, 5.5, 400)
        best = grid[np.argmin(expected_loss(decision, grid))]
        assert np.log10(best) == pytest.approx(stats.norm.ppf(1 - 30.0 / price, 4.0, 0.5), abs=0.03)


def test_the_expected_loss_is_the_lognormals(newsvendor):
    decision = Decision.of(newsvendor, Weights.equal(SHAPE), 150.0)
    h, mu, s = 2e4, 4.0 * np.log(10), 0.5 * np.log(10)
    cap = np.exp(mu + s * stats.norm.ppf(LIMIT))  # needs beyond their 95% quantile count as that

    def partial(a):  # E[min(need, a)]
        return np.exp(mu + s**2 / 2) * stats.norm.cdf(
            (np.log(a) - mu - s**2) / s
        ) + a * stats.norm.sf((np.log(a) - mu) / s)

    assert expected_loss(decision, h)[0] == pytest.approx(
        30.0 * h + 150.0 * (partial(cap) - partial(h)), rel=0.02
    )


def result(derived, evidence=None, start=2026.0):
    import xarray as xr

    data = {name: (("chain", "draw"), value) for name, value in derived.items()}
    return SimpleNamespace(
        derived=xr.Dataset(data),
        weights=Weights.equal(SHAPE),
        evidence=evidence or load_evidence(),
        record={"model": "joint"},
        view=SimpleNamespace(alignment=SimpleNamespace(work_starts=start, date=2030.0)),
    )


def test_hours_rates_and_money_for_a_confidence(newsvendor):
    derived = newsvendor | {
        "tai_year": np.full(SHAPE, 2036.0),
        "alignment_hours_affordable": np.full(SHAPE, 4.2),
    }
    answer = budget(result(derived), 0.9)
    expected = 10 ** stats.norm.ppf(0.9, 4.0, 0.5)
    assert answer.hours == pytest.approx(expected, rel=0.03)
    assert answer.usd == pytest.approx(30 * expected, rel=0.03)
    assert answer.hours_per_year == pytest.approx(expected / 10, rel=0.03)
    assert answer.price == pytest.approx(300.0)  # 30 / (1 - 0.9): buying these hours is then best
    assert answer.best_hours == pytest.approx(answer.hours, rel=0.02)
    assert answer.affordable == 0.0 and budget(result(derived), 0.5).affordable == 1.0
    assert (
        all(usd >= -1.0 for usd in answer.regret.values())
        and answer.regret[10.0] > answer.regret[2.0] > 0
    )
    assert answer.evpi > 0


@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.8, 0.95, 0.99])
def test_the_price_of_a_confidence_makes_its_hours_best(newsvendor, confidence):
    derived = newsvendor | {
        "tai_year": np.full(SHAPE, 2036.0),
        "alignment_hours_affordable": np.full(SHAPE, 4.2),
    }
    answer = budget(result(derived), confidence)
    assert answer.best_hours == pytest.approx(answer.hours, rel=0.02)
    assert answer.regret[1.0] < 1e-3 * min(answer.regret[0.5], answer.regret[2.0])


def test_more_confidence_costs_more_and_a_condition_is_heard(newsvendor):
    year = np.where(np.arange(SHAPE[1]) % 2 == 0, 2030.0, 2050.0) * np.ones((4, 1))
    derived = newsvendor | {
        "tai_year": year,
        "alignment_hours_needed": newsvendor["alignment_hours_needed"] + (year == 2050.0),
        "alignment_hours_affordable": np.full(SHAPE, 5.0),
    }
    hours = [budget(result(derived), c).hours for c in (0.5, 0.7, 0.9, 0.99)]
    assert hours == sorted(hours) and hours[0] < hours[-1]
    early = budget(result(derived), 0.8, given="tai_year<2040")
    assert early.given.probability == pytest.approx(0.5)
    assert early.hours == pytest.approx(10 ** stats.norm.ppf(0.8, 4.0, 0.5), rel=0.05)


def test_hours_cannot_be_worked_before_work_starts(newsvendor):
    derived = newsvendor | {
        "tai_year": np.full(SHAPE, 2025.0),
        "alignment_hours_affordable": np.full(SHAPE, 4.2),
    }
    answer = budget(result(derived))
    assert np.isinf(answer.hours_per_year) and answer.to_dict()["hours_per_year"] is None


def test_knowing_the_need_is_worth_what_it_saves():
    """Needs of 100 and 300 hours at 1 USD an hour; a missing hour loses 3 USD.

    Without knowing, 300 hours are best and cost 300 USD (100 hours lose 100 + 0.5 x 3 x 200 = 400). Knowing costs 200 on average.
    """
    need, cost = np.array([[100.0, 300.0]]), np.ones((1, 2))
    answer = _best_hours_and_regret(Decision(need, cost, 3.0, Weights.equal((1, 2))), 100.0)
    best, regret, evpi = answer
    assert best == 300.0 and evpi == pytest.approx(100.0)
    assert regret[1.0] == pytest.approx(100.0) and regret[2.0] == pytest.approx(50.0)


def test_knowing_the_need_is_worth_nothing_where_hours_cost_more_than_missing_them():
    """Nobody buys: knowing or not, the loss is the price of every missing hour."""
    need, cost = np.array([[100.0, 300.0]]), np.full((1, 2), 5.0)
    best, _, evpi = _best_hours_and_regret(Decision(need, cost, 3.0, Weights.equal((1, 2))), 100.0)
    assert best == 0.0 and evpi == pytest.approx(0.0)


def test_hours_that_cost_more_than_missing_them_are_not_bought_by_whoever_knows():
    """Need of 100 hours for sure, at 1 or 5 USD: who knows buys at 1 and loses 3 USD an hour at 5."""
    need, cost = np.full((1, 2), 100.0), np.array([[1.0, 5.0]])
    best, _, evpi = _best_hours_and_regret(Decision(need, cost, 3.5, Weights.equal((1, 2))), 100.0)
    assert best == 100.0 and evpi == pytest.approx(300.0 - 0.5 * (100.0 + 350.0))


@pytest.mark.parametrize(
    ("factor", "quantile"), [(0.5, 0.95), (1.0, 0.95), (2.0, 0.975), (5.0, 0.99)]
)
def test_needs_are_cut_at_a_quantile_that_a_higher_price_moves_out(newsvendor, factor, quantile):
    """The default price is 30 / 0.2 = 150 USD; at f times that a quarter of what it leaves uncovered is cut."""
    decision = Decision.of(newsvendor, Weights.equal(SHAPE), 150.0 * factor)
    largest = np.log10(decision.need.max())
    assert largest == pytest.approx(
        np.quantile(newsvendor["alignment_hours_needed"], quantile), abs=1e-3
    )


# ---------------------------------------------------------------------------------------- labelling


@pytest.mark.parametrize("votes", [1, 3, 5, 9])
@pytest.mark.parametrize("error", [0.0, 0.1, 0.3, 0.5])
def test_majority_errors_are_binomial_tails(votes, error):
    assert majority_error(error, votes) == pytest.approx(
        stats.binom.sf(votes // 2, votes, error), abs=1e-12
    )


def test_a_majority_of_three_is_known():
    assert majority_error(0.2, 3) == pytest.approx(3 * 0.2**2 * 0.8 + 0.2**3)


@given(st.floats(0.0, 0.499), st.sampled_from([3, 5, 7, 9]))
def test_items_that_cost_nothing_never_deserve_a_second_vote(error, votes):
    assert (
        label_information(majority_error(error, votes), votes)
        <= label_information(error, 1.0) + 1e-12
    )


def test_votes_pay_where_items_cost_and_labels_err():
    rows = [best_labelling(error) for error in (0.05, 0.2, 0.3, 0.4)]
    assert rows[0].votes == 1 and rows[-1].votes > 3
    assert [row.votes for row in rows] == sorted(row.votes for row in rows)
    assert all(row.votes_gain >= 1 for row in rows)
    assert [row.worth for row in rows] == sorted(row.worth for row in rows)


def test_the_evaluators_worth_is_where_both_teach_the_same():
    row = best_labelling(0.3)
    assert label_information(0.15, row.worth) == pytest.approx(label_information(0.3, 1.0))
    best = label_information(majority_error(0.3, row.votes), ITEM_COST + row.votes)
    assert label_information(0.15, ITEM_COST + row.worth_written) == pytest.approx(best)


def test_information_is_the_fisher_information_of_a_noisy_comparison():
    """Simulated near m = 0: labels that err with probability e estimate m without bias, with variance 1 / (n (1 - 2e)^2)."""
    rng, e, n, m = np.random.default_rng(5), 0.3, 400, 0.05
    truth = np.where(rng.uniform(size=(20_000, n)) < (1 + m) / 2, 1.0, -1.0)
    labels = np.where(rng.uniform(size=truth.shape) < e, -truth, truth)
    estimate = labels.mean(axis=1) / (1 - 2 * e)
    assert estimate.mean() == pytest.approx(m, abs=0.005)
    assert 1 / (n * estimate.var()) == pytest.approx(float(label_information(e, 1.0)), rel=0.05)


def test_label_error_from_agreement_inverts_the_formula():
    import xarray as xr

    e = 0.2
    row = xr.Dataset(
        {
            "pair": ("s", np.asarray(["labeller_labeller", "labeller_researcher"])),
            "options": ("s", [2.0, 2.0]),
            "agreement": ("s", [e**2 + (1 - e) ** 2, 0.99]),
            "agreement_se": ("s", [1e-9, 0.01]),
        }
    )
    assert published_label_error(row) == pytest.approx((e, e, e), abs=1e-6)


def test_only_two_labellers_who_choose_between_two_options_speak_of_label_error():
    import xarray as xr

    e = 0.2
    row = xr.Dataset(
        {
            "pair": ("s", np.asarray(["labeller_labeller"] * 3)),
            "options": ("s", [2.0, 4.0, 2.0]),
            "agreement": ("s", [e**2 + (1 - e) ** 2, 0.99, 0.99]),
            "agreement_se": ("s", [1e-9, 0.01, np.nan]),
        }
    )
    assert published_label_error(row) == pytest.approx((e, e, e), abs=1e-6)


def test_agreement_at_chance_is_an_error_of_one_half():
    import xarray as xr

    row = xr.Dataset(
        {
            "pair": ("s", np.asarray(["labeller_labeller"])),
            "options": ("s", [2.0]),
            "agreement": ("s", [0.4]),
            "agreement_se": ("s", [1e-9]),
        }
    )
    assert published_label_error(row) == pytest.approx((0.5, 0.5, 0.5))


def test_published_agreement_implies_errors_between_a_tenth_and_a_quarter():
    low, middle, high = published_label_error(load_evidence()["labeller_agreement"])
    assert 0.05 < low < middle < high < 0.30


def test_no_number_of_labels_helps_from_one_half_on():
    with pytest.raises(InputError, match="no amount of labels helps"):
        best_labelling(0.5)


# ------------------------------------------------------------------------------------------ command


def test_budget_on_the_command_line(aligntax, run_folder, tmp_path):
    code, out, err = aligntax(
        "budget", run_folder, "--given", "tai_year<2040", "--picture", tmp_path / "b.svg"
    )
    assert (
        code == 0
        and err == ""
        and "hours to buy" in out
        and "best votes" in out
        and "given tai_year<2040" in out
    )
    # regret above information per USD
    assert (tmp_path / "b.svg").read_text("utf-8").count('<g id="axes_') == 2
    told = json.loads(aligntax("budget", run_folder, "--json", "--confidence", "0.5")[1])
    row = json.loads((run_folder / "summary.json").read_text())["quantities"][
        "alignment_hours_needed"
    ]
    assert np.log10(told["hours"]) == pytest.approx(row["q50"], abs=1e-4)  # the middle of two draws
    assert told["price"] == pytest.approx(told["price_of_confidence"])


@pytest.mark.parametrize(
    "words, message",
    [
        (("--confidence", "1"), "confidence: must lie between 0 and 1"),
        (("--price", "-3"), "price: must be a positive number"),
        (("--given", "tai_year<1990"), "holds in none"),
        (("--picture", "x.jpeg"), "picture: must end in"),
        (("--picture", "absent/x.png"), "must be a folder"),
    ],
)
def test_mistakes_about_budgets(aligntax, run_folder, words, message):
    code, out, err = aligntax("budget", run_folder, *words)
    assert code == 2 and out == "" and message in err and err.count("\n") == 1
