"""What moves a pool: answers are draws of one prior here, so that every move is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.answers.differences import Side
from aligntax.analysis.summaries.summary import iter_series, summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.sweeps.moves_in_words import INTERVAL, left_out_in_words
from aligntax.analysis.sweeps.pool_changes import Asked, leave_experts_out, move_disputed
from aligntax.models.views import load_view
from aligntax.models.views.pooling import pool_views, shares

NAME, OTHER, LN10 = "usd_per_hour", "rlhf_multiplier", math.log(10)  # both on log10
SHAPE = (4, 1000)
Z = np.random.default_rng(8).standard_normal((*SHAPE, 2))


def expert(who, mean, sd=0.2, name=NAME):
    spec = {"family": "lognormal", "mu": mean * LN10, "sigma": sd * LN10, "source": who}
    return load_view("default").replace(name=who, quantities={name: spec})


def ask(view, label=""):
    """Exact redraws of two priors, by the same scores for every view."""
    names = (NAME, OTHER)
    tables = view.tables(names)
    dims = ("chain", "draw")
    values = {name: (dims, tables.table(name).value(Z[..., i])) for i, name in enumerate(names)}
    derived, weights = xr.Dataset(values), Weights.equal(SHAPE)
    numbers = {series.name: series.values for series in iter_series(derived)}
    return Asked(Side(numbers, weights, summarise(derived, (), weights)), "redrawn", True)


def left_out(views, weights=None, method="linear", answer=ask):
    share = shares(views, weights)
    pool = ask(pool_views(views, share, method))
    return {c.what: c for c in leave_experts_out(views, share, method, pool, answer)}


def disputes(views, answer=ask):
    share = shares(views, None)
    found = move_disputed(views, share, pool_views(views, share), (NAME, OTHER), answer)
    return {change.what: change for change in found}


def move(change, name=NAME):
    return next(each for each in change.moves if each.answer == name)


def test_without_one_of_two_the_other_is_left() -> None:
    changes = left_out([expert("ann", 1.0), expert("ben", 2.0)])
    without_ann, without_ben = move(changes["ann"]), move(changes["ben"])
    assert without_ann.after["q50"] == pytest.approx(2.0, abs=0.02)
    assert without_ben.after["q50"] == pytest.approx(1.0, abs=0.02)
    assert without_ann.seen and without_ben.seen
    assert without_ann.change[0] == pytest.approx(
        without_ann.after["q50"] - without_ann.before["q50"], abs=1e-12
    )
    assert changes["ann"].ends == ("pool", "pool without ann")
    assert not move(changes["ann"], OTHER).seen


def test_without_one_of_three_the_others_are_pooled_with_their_weights() -> None:
    views = [expert("ann", 1.0), expert("ben", 2.0), expert("cem", 3.0)]
    changes = left_out(views, [5, 1, 3])
    expected = ask(pool_views(views[1:], [1, 3])).side.rows[NAME]
    assert {key: move(changes["ann"]).after[key] for key in ("q05", "q50", "q95")} == {
        key: pytest.approx(expected[key], abs=1e-9) for key in ("q05", "q50", "q95")
    }


@pytest.mark.parametrize("method", ["linear", "log", "quantile"])
def test_experts_who_say_the_same_move_nothing(method) -> None:
    views = [expert(who, 1.0) for who in ("ann", "ben", "cem")]
    changes = left_out(views, method=method)
    assert len(changes) == 3 and not disputes(views)
    assert all(m.change[0] == 0 and not m.seen for c in changes.values() for m in c.moves)


@pytest.mark.parametrize(("weight", "seen"), [(0, False), (1e-6, False), (1, True)])
def test_an_expert_of_next_to_no_weight_moves_nothing(weight, seen) -> None:
    """With a weight, as a negative control, the same expert moves the pool."""
    views = [expert("ann", 1.0), expert("ben", 1.1), expert("wild", 4.0, 0.5)]
    assert move(left_out(views, [1, 1, weight])["wild"]).seen == seen


def test_what_lies_within_an_answers_own_error_is_not_told() -> None:
    """The same draws tell the shift apart, but the answer is not known so well."""
    error = ask(expert("ann", 1.0)).side.rows[NAME]["mcse_median"]
    for shift, seen in ((1.6 * error, False), (10 * error, True)):
        change = move(left_out([expert("ann", 1.0), expert("ben", 1.0 + shift)])["ann"])
        assert change.seen == seen
        assert change.change[0] == pytest.approx(shift / 2, rel=0.2)


def test_an_expert_who_alone_counts_cannot_be_left_out() -> None:
    assert list(left_out([expert("ann", 1.0), expert("ben", 2.0)], [1, 0])) == ["ben"]


def test_a_change_without_an_answer_says_why_and_leaves_the_others_theirs() -> None:
    views = [expert("none", 1.0), expert("ann", 1.0), expert("ben", 2.0), expert("cem", 3.0)]

    def failing(view, label):
        return "not to be trusted" if label == "without-ben" else ask(view)

    changes = left_out(views, [0, 1, 1, 1], answer=failing)
    assert changes["ben"].how == "not to be trusted" and not changes["ben"].moves
    seen = {who: move(changes[who]).seen for who in ("none", "ann", "cem")}
    assert seen == {"none": False, "ann": True, "cem": True}


@pytest.mark.parametrize(("mean", "alone"), [(1.0, True), (1.5, False)])
def test_where_the_interval_moves_alone_no_change_of_the_median_is_told(mean, alone) -> None:
    """Negative control: where the median moves too, it is told."""
    changes = left_out([expert("ann", 1.0, 0.1), expert("ben", mean, 0.5)])
    (row,) = left_out_in_words((changes["ben"],), 2100.0).rows
    assert row[:2] == ("ben", "wage") and (row[-1] == INTERVAL) == alone


def test_a_check_that_fails_in_a_run_of_its_own_is_told() -> None:
    views = [expert("ann", 1.0), expert("ben", 2.0)]

    def doubtful(view, label):
        return replace(ask(view), passed=label != "without-ben", how="sampled")

    changes = left_out(views, answer=doubtful)
    told = left_out_in_words(tuple(changes.values()), 2100.0)
    assert told.notes == ("ben: a check failed in its run",)
    assert changes["ann"].passed and not changes["ben"].passed


def test_experts_who_do_not_overlap_without_another_say_so() -> None:
    views = [expert("low", 1.0), expert("middle", 1.5, 0.4), expert("high", 2.0)]
    changes = left_out(views, method="log")
    assert "experts must overlap for a log pool" in changes["middle"].how
    assert changes["low"].moves and changes["high"].moves


def test_a_dispute_moves_an_answer_from_the_lowest_to_the_highest_median() -> None:
    views = [expert("ann", 1.5), expert("ben", 1.0, 0.4), expert("cem", 2.25, 0.1)]
    change = disputes(views)[NAME]
    assert change.ends == ("ben", "cem") and change.how == "redrawn"
    found = move(change)
    assert found.seen and found.change[0] == pytest.approx(1.25, abs=0.02)
    assert not move(change, OTHER).seen  # and nothing but what hangs on it


def test_where_medians_agree_the_narrowest_and_the_widest_differ() -> None:
    change = disputes([expert("ann", 1.5, 0.3), expert("ben", 1.5, 0.1)])[NAME]
    assert change.ends == ("ben", "ann") and move(change).seen
    assert move(change).after["q95"] - move(change).before["q95"] == pytest.approx(
        0.2 * 1.645, abs=0.03
    )


def test_one_experts_quantity_is_no_dispute() -> None:
    views = [expert("ann", 1.0), expert("ben", 2.0, name=OTHER)]
    assert not disputes(views)
    assert list(disputes([*views, expert("cem", 3.0)])) == [NAME]


def test_a_move_is_plain_as_json() -> None:
    told = left_out([expert("ann", 1.0), expert("ben", 2.0)])["ann"].to_dict()
    assert told["from"] == "pool" and told["how"] == "redrawn"
    row = told["answers"][NAME]
    assert row["seen"] and row["mcse"] > 0
    assert row["change"] == pytest.approx(row["after"]["q50"] - row["before"]["q50"])
