"""A tornado of answers in hours, dollars and years, read from the draws."""

import json

import numpy as np
import pytest
from scipy import stats

from aligntax.analysis.answers.sensitivity_wording import SWING_HEADS, swing_rows
from aligntax.analysis.answers.swings import HOURS, MONEY, Swing, swings, swings_of_run
from aligntax.analysis.summaries.weights import Weights

SHAPE = (4, 5_000)
EQUAL = Weights.equal(SHAPE)


def normals(*correlations, seed=3):
    """An answer, and inputs that correlate with it so much."""
    rng = np.random.default_rng(seed)
    answer = rng.standard_normal(SHAPE)
    return answer, {
        f"x{i}": r * answer + np.sqrt(1 - r**2) * rng.standard_normal(SHAPE)
        for i, r in enumerate(correlations)
    }


def test_the_mean_of_a_fifth_of_a_normal_is_known():
    """Given an input in its lowest fifth, a normal answer has mean ``-r phi(z) / 0.2``."""
    answer, inputs = normals(0.9, -0.5)
    first, second = swings(answer, inputs, EQUAL)
    tail = stats.norm.pdf(stats.norm.ppf(0.2)) / 0.2
    assert (first.quantity, second.quantity) == ("x0", "x1")
    assert (second.low, second.high) == pytest.approx((0.5 * tail, -0.5 * tail), abs=0.06)
    assert (first.low, first.high) == pytest.approx((-0.9 * tail, 0.9 * tail), abs=0.1)


def test_a_swing_of_chance_alone_is_left_out():
    found = sum(len(swings(*normals(*[0.0] * 30, seed=s), EQUAL)) for s in range(10))
    assert found <= 1  # of 300


def test_weights_are_heard_and_undefined_draws_are_not():
    answer, inputs = normals(0.9)
    heavy = np.where(inputs["x0"] < 0, 1.0, 0.0)
    (one,) = swings(answer, inputs, Weights(heavy / heavy.sum()))
    assert one.low < one.high < 0.2  # the highest fifth of what counts lies about zero
    gone = np.where(answer > 1.0, np.nan, answer)
    (two,) = swings(gone, inputs, EQUAL)
    assert two.high < 1.0


def test_an_answer_may_end_beyond_every_number():
    answer, inputs = normals(0.95)
    (one,) = swings(np.where(answer > 0.5, np.inf, answer), inputs, EQUAL)
    assert np.isinf(one.high) and np.isinf(one.size)
    row = ("TAI arrival", "wage", "2030", "later than 2100 or never")
    told = swing_rows({"tai_year": (Swing("usd_per_hour", 2030.0, np.inf, 0.0, 0.0),)}, 2100.0)
    assert told == [row] and len(row) == len(SWING_HEADS)


def test_a_run_is_told_in_hours_dollars_and_years(reference, aligntax):
    found = swings_of_run(reference)
    assert list(found)[:3] == [HOURS, MONEY, "tai_year"]
    assert (
        found[HOURS][0].quantity == "rlhf_multiplier" and found[HOURS][0].low < found[HOURS][0].high
    )
    rows = swing_rows(found, 2100.0)
    assert rows[0][0] == "alignment data needed" and "human-hours" in rows[0][2]
    assert any(row[0] == "money for the hours needed" and "USD" in row[2] for row in rows)
    code, out, _ = aligntax("sensitivity", reference.path)
    assert code == 0 and "money for the hours needed" in out
    told = json.loads(aligntax("sensitivity", reference.path, "--json")[1])["swings"]
    assert told[HOURS][0]["quantity"] == "rlhf_multiplier"
