"""The superhuman coder by shape of growth, and what a threshold a million times larger does to it."""

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.by_shape import by_shape, prior_probabilities
from aligntax.analysis.summaries.shapes_in_words import SHAPE_COLUMNS, shape_cells, threshold_line
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.horizon_trend import SHAPES
from aligntax.models.states import stated

DIMS = ("chain", "draw")


def draws(shape, year, harder) -> xr.Dataset:
    columns = {"superhuman_coder_year": year, "superhuman_coder_millionfold": harder}
    values = {name: np.reshape(v, (2, -1)) for name, v in stated(columns).items()}
    values["horizon_shape"] = np.reshape(shape, (2, -1))
    return xr.Dataset({name: (DIMS, value) for name, value in values.items()})


@pytest.fixture
def derived() -> xr.Dataset:
    """500 draws: 200 exponential in 2031, 100 superexponential in 2028, 150 with a kink, 50 that never end."""
    shape = np.repeat([0, 1, 2, 3], [200, 100, 150, 50])
    shuffled = np.random.default_rng(1).permutation(shape)
    year = np.asarray([2031.0, 2028.0, 2033.0, np.inf])[shuffled]
    harder = np.asarray([2038.0, 2028.5, 2041.0, np.inf])[shuffled]
    return draws(shuffled, year, harder)


def test_each_shape_has_its_own_draws_and_the_mixture_all(derived, view) -> None:
    rows = by_shape(derived, Weights.equal((2, 250)), view)
    assert [row["shape"] for row in rows] == [*SHAPES, "mixture"]
    assert [row["posterior"] for row in rows] == pytest.approx([0.4, 0.2, 0.3, 0.1, 1.0])
    medians = [row["superhuman_coder_year"]["q50"] for row in rows]
    assert medians == [2031.0, 2028.0, 2033.0, None, 2031.0]
    harder = [row["superhuman_coder_millionfold"]["q50"] for row in rows]
    assert harder == [2038.0, 2028.5, 2041.0, None, 2038.0]
    assert [row["prob_by_horizon"] for row in rows] == pytest.approx([1, 1, 1, 0, 0.9])
    assert [row["enough"] for row in rows] == [True, True, True, False, True]


def test_weights_of_draws_count(derived, view) -> None:
    heavy = np.where(derived["horizon_shape"].values == 1, 4.0, 1.0)
    rows = by_shape(derived, Weights(heavy / heavy.sum()), view)
    assert rows[1]["posterior"] == pytest.approx(400 / 800)
    assert rows[-1]["superhuman_coder_year"]["q25"] == 2028.0


def test_prior_probabilities_are_the_means_of_the_views_weights(view) -> None:
    pinned = view
    points = (("superexponential", 0.4), ("saturating", 0.25), ("kink", 0.5))
    for name, value in points:
        pinned = pinned.with_quantity(f"{name}_weight", {"point": value})
    np.testing.assert_allclose(prior_probabilities(pinned), [0.225, 0.4, 0.225, 0.15], rtol=1e-3)
    assert sum(prior_probabilities(view)) == pytest.approx(1.0)


def test_in_words(derived, view) -> None:
    rows = by_shape(derived, Weights.equal((2, 250)), view)
    cells = [shape_cells(row, 2100.0) for row in rows]
    assert all(len(row) == len(SHAPE_COLUMNS) for row in cells)
    assert cells[1][3] == "2028 / 2028 / 2028" and cells[1][-1] == "2028"
    assert cells[3][0] == "saturating (too few draws: 50)" and cells[3][-1] == "after 2100"
    line = threshold_line(rows, 2100.0)
    assert "2031 in the median, and 2038 if the threshold" in line
    assert "a million times larger" in line


def test_a_shape_without_draws_has_a_weight_and_no_answer(view) -> None:
    year = np.full(200, 2030.0)
    rows = by_shape(draws(np.zeros(200, int), year, year + 5), Weights.equal((2, 100)), view)
    assert rows[3]["posterior"] == 0.0 and rows[3]["prob_by_horizon"] is None
    assert shape_cells(rows[3], 2100.0)[3:] == ("", "", "")


def test_models_without_time_horizons_have_no_shapes(view) -> None:
    empty = xr.Dataset({"data_exponent": (DIMS, np.zeros((2, 5)))})
    assert by_shape(empty, Weights.equal((2, 5)), view) == []
    assert arrival_answers(empty, view) == {}


def test_the_trend_alone_is_answered_by_shape_and_not_by_requirement(derived, view) -> None:
    assert set(arrival_answers(derived, view)) == {"by_shape"}
