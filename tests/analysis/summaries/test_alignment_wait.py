"""Nothing, some years or for ever: shares that a median would hide."""

import json

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.summaries.alignment_wait import AT_ONCE, KEY, AlignmentWait
from aligntax.analysis.summaries.weights import Weights
from tests.conftest import REFERENCE

NAN = np.nan


def dataset(shift, ends):
    return xr.Dataset(
        {
            "timeline_shift_alignment": (("chain", "draw"), np.array([shift])),
            "alignment_ends": (("chain", "draw"), np.array([ends])),
        }
    )


def test_shares_are_of_arrivals_and_sum_to_one():
    found = AlignmentWait.of(
        dataset([0.0, 0.5 * AT_ONCE, 2.0, 6.0, NAN, NAN], [1.0, 1.0, 1.0, 1.0, 0.0, NAN]),
        Weights.equal((1, 6)),
    )
    assert (found.none, found.some, found.never) == pytest.approx((0.4, 0.4, 0.2))
    assert found.years == pytest.approx(4.0)
    assert found.words(2100.0) == (
        "not at all in 40% of arrivals, 4 years (median) in 40%, past 2100 or for ever in 20%"
    )


def test_weights_count():
    values = np.array([[0.0, 0.75, 0.25]])
    found = AlignmentWait.of(dataset([0.0, 0.0, 5.0], [1.0, 1.0, 1.0]), Weights(values))
    assert (found.none, found.some, found.never) == pytest.approx((0.75, 0.25, 0.0))
    assert found.words(2100.0) == "not at all in 75% of arrivals, 5 years (median) in 25%"


def test_a_run_without_arrivals_or_without_waits_has_none():
    assert AlignmentWait.of(dataset([NAN], [NAN]), Weights.equal((1, 1))) is None
    assert AlignmentWait.of(xr.Dataset(), Weights.equal((1, 1))) is None


def test_the_reference_run_waits_for_nothing_or_for_ever(reference):
    found = AlignmentWait.of(reference.derived, reference.weights)
    ends = reference.record["quantities"]["alignment_ends"]["mean"]
    assert found.never == pytest.approx(1.0 - ends)
    assert found.none > 0.5 and found.years > 1.0


@pytest.mark.parametrize("shift", [[0.0, 4.0], [0.0, 0.0]])
def test_it_comes_back_from_json(shift):
    found = AlignmentWait.of(dataset(shift, [1.0, 1.0]), Weights.equal((1, 2)))
    stored = json.loads(json.dumps({KEY: found.to_dict()}, allow_nan=False))
    assert AlignmentWait.of_record(stored).words(2100.0) == found.words(2100.0)
    assert AlignmentWait.of_record({}) is None


def test_the_terminal_tells_shares_where_a_median_says_nothing(reference, aligntax):
    wait = AlignmentWait.of(reference.derived, reference.weights)
    code, out, _ = aligntax("show", REFERENCE)
    assert code == 0 and wait.words(2100.0) in " ".join(out.split())
    stored = AlignmentWait.of_record(reference.record)  # its draws are kept in single precision
    assert vars(stored) == pytest.approx(vars(wait), rel=1e-6)
