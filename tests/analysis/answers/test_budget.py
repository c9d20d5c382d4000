"""What to buy: the newsvendor's known answers, exact majorities, and the command."""

import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from aligntax.analysis.answers.budget import MULTIPLES, budget
from aligntax.analysis.answers.labelling import (
    ITEM_COST,
    best_labelling,
    label_information,
    majority_error,
    published_label_error,
)
from aligntax.analysis.answers.newsvendor import Decision
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.terminal.budget import print_budget
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.views import load_view

SHAPE = (4, 5_000)
FAR = 1e30  # USD: a loss limit that is never reached


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
        decision = Decision.of(newsvendor, Weights.equal(SHAPE), np.full((*SHAPE, 1), FAR), price)
        grid = np.logspace(3, 5.5, 400)
        best = grid[np.argmin(decision.expected_loss(grid))]
        assert np.log10(best) == pytest.approx(stats.norm.ppf(1 - 30.0 / price, 4.0, 0.5), abs=0.03)


def result(derived, limit=FAR, start=2026.0):
    import xarray as xr

    data = {name: (("chain", "draw"), value) for name, value in derived.items()}
    quantities = find_model("joint").quantities
    z = np.broadcast_to(0.0, (*SHAPE, len(quantities)))
    view = load_view("default").replace(
        loss_limit={"point": limit}, alignment={"work_starts": start, "date": 2030.0}
    )
    return SimpleNamespace(
        derived=xr.Dataset(data),
        unconstrained_posterior=xr.Dataset({"z": (("chain", "draw", "quantity"), z)}),
        weights=Weights.equal(SHAPE),
        record={"model": "joint", "verdict": "pass", "checks": []},
        info={"sampler": {"seed": 1}},
        view=view,
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
    assert answer.evpi.usd > 30 * answer.evpi.error > 0
    assert set(answer.regret) == set(MULTIPLES)


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
    assert early.verdict == "pass"
    assert early.given.probability == pytest.approx(0.5)
    assert early.hours == pytest.approx(10 ** stats.norm.ppf(0.8, 4.0, 0.5), rel=0.05)


def test_regret_is_told_beside_the_hours_of_least_loss(newsvendor):
    """A limit makes fewer hours best than suffice: which multiples regret is of must be said."""
    derived = newsvendor | {"alignment_hours_affordable": np.full(SHAPE, 4.2)}
    answer = budget(result(derived, 1e5))
    assert answer.best_hours < answer.hours and (answer.best_hours, None, 0.0) in answer.regrets
    assert [hours for hours, _, _ in answer.regrets] == sorted(
        hours for hours, _, _ in answer.regrets
    )
    assert all(hours == m * answer.hours for hours, m, _ in answer.regrets if m)
    assert {m: usd for _, m, usd in answer.regrets if m} == answer.regret
    told = answer.to_dict()["regrets"]
    assert {"hours": answer.best_hours, "times_hours": None, "usd": 0.0} in told
    screen = Console(file=io.StringIO(), width=200)
    print_budget(screen, answer)
    enough, least = screen.file.getvalue().split("least expected loss, where an hour", 1)
    assert "Each amount suffices with that confidence" in enough and "regret" not in enough
    assert re.search(r"the hours of least expected loss +\S+.* human-hours +0 USD", least)
    assert "2 times the hours that suffice with 80% confidence" in least


def test_hours_cannot_be_worked_before_work_starts(newsvendor):
    derived = newsvendor | {
        "tai_year": np.full(SHAPE, 2025.0),
        "alignment_hours_affordable": np.full(SHAPE, 4.2),
    }
    answer = budget(result(derived))
    assert np.isinf(answer.hours_per_year) and answer.to_dict()["hours_per_year"] is None


def test_the_limit_is_told_and_moves_what_is_best(newsvendor):
    """A buyer who loses at most 1e5 USD buys less than one without a limit, and knowing is worth less."""
    derived = newsvendor | {"alignment_hours_affordable": np.full(SHAPE, 4.2)}
    far, near = budget(result(derived)), budget(result(derived, 1e5))
    assert near.best_hours < far.best_hours and near.hours == far.hours
    assert near.evpi.usd < far.evpi.usd
    assert near.loss_limit == pytest.approx(dict.fromkeys(("q05", "q50", "q95"), 1e5), rel=1e-4)
    assert far.evpi_at_twice_the_limit.usd == pytest.approx(far.evpi.usd)
    told = near.to_dict()
    assert told["loss_limit_usd"] == near.loss_limit
    assert told["evpi"]["usd"] < told["evpi_at_twice_the_limit"]["usd"]


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


def test_published_agreement_implies_errors_between_a_tenth_and_a_quarter(view):
    low, middle, high = published_label_error(view)
    assert 0.05 < low < middle < high < 0.30


def test_a_view_without_evidence_has_the_prior_s_label_error(view):
    """The prior's median, and wider than its typical study's: labellers differ."""
    low, middle, high = published_label_error(view.replace(evidence={"use": "none"}))
    assert middle == pytest.approx(0.15, abs=0.005)
    assert low < 0.03 and high > 0.40


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


@pytest.mark.slow
def test_without_a_run_one_is_made_and_said(aligntax, tmp_path):
    code, out, err = aligntax("budget", "--year", "2027", "--quiet", "--json")
    (made,) = (tmp_path / "results").iterdir()
    told = json.loads(out)
    assert code == 0 and told["run"] == made.name and told["model"] == "alignment"
    assert f"no run of this version with hours in results, so {made.name} was made" in err
    again = json.loads(aligntax("budget", "--year", "2027", "--json")[1])
    assert again == told  # of the same run


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
