"""A reading of a published forecast: years as its source counts them, and what has no number."""

import numpy as np
import pytest

from aligntax.analysis.trust.published_forecasts import Reading, Reproduction
from aligntax.models.requirements import NEURAL
from aligntax.models.views import ANCHORS

YEAR = np.asarray([2030.0, 2031.0, 2032.0, np.inf])


def reading(end=0.0, **changes):
    columns = {
        "year": YEAR,
        "requirement": np.asarray([30.0, 32.0, 34.0, np.inf]),
        "anchor": np.full(4, ANCHORS.index(NEURAL[0])),
        "shift": np.asarray([1.0, 3.0, np.inf, np.nan]),
    }
    return Reading("mine", **{**columns, **changes}, end=end)


@pytest.mark.parametrize(("end", "share", "median"), [(0.0, 0.25, 2031.5), (1.0, 0.5, 2030.5)])
def test_a_year_that_means_its_end_is_counted_to_its_end(end, share, median) -> None:
    assert reading(end).probability(2030.5) == share
    assert reading(end).quantile(0.5) == median
    assert reading(end).quantile(0.9) is None  # later than the horizon


def test_requirements_are_of_draws_that_have_one() -> None:
    assert reading().requirements() == pytest.approx([30.4, 32.0, 33.6])
    assert reading().requirements(NEURAL[0]) == reading().requirements()
    assert reading().requirements(next(name for name in ANCHORS if name != NEURAL[0])) == []


def test_shifts_without_a_number_are_probabilities() -> None:
    assert reading().shift_of_neural_nets() == {
        "weight": 1.0,
        "q10": 1.4,
        "q50": 3.0,
        "q90": None,
        "prob_right_censored": 0.25,
        "prob_undefined": 0.25,
    }
    assert reading(anchor=np.full(4, ANCHORS.index("none"))).shift_of_neural_nets() == {}


def test_the_difference_is_the_largest_in_percentage_points() -> None:
    published = {2029.0: 0.1, 2031.0: 0.45, 2033.0: 0.7}
    found = Reproduction("bioanchors", "TAI", published, {}, (reading(),))
    assert found.difference(reading()) == pytest.approx(10.0)
