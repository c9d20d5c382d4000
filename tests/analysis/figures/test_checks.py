"""Which evidence is checked against its replicates, and how many observations lie within their intervals."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.figures.checks import coverage, observed_names, pit_names
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.storage.result import Result


def _result(**observed):
    """Replicates of every observation are the numbers from 1 to 100."""
    replicates = np.arange(1.0, 101.0).reshape(2, 50, 1)
    data = {name: (f"{name}_row", values) for name, values in observed.items()}
    predicted = {
        name: (("chain", "draw", f"{name}_row"), np.repeat(replicates, len(values), axis=2))
        for name, values in observed.items()
    }
    groups = {"observed_data": xr.Dataset(data), "posterior_predictive": xr.Dataset(predicted)}
    return Result(Path(), {}, {}, xr.DataTree()).with_groups(Groups(**groups))


@pytest.mark.parametrize(
    ("actual", "half", "most"),
    [
        ([25.0, 50.0, 75.0], 3, 3),
        ([24.9, 75.1, 50.0], 1, 3),
        ([5.0, 95.0, 50.0], 1, 3),
        ([4.9, 95.1, 50.0], 1, 1),
    ],
)
def test_observations_are_counted_within_their_50_and_90_percent_intervals(actual, half, most):
    assert coverage(_result(y=actual), "y") == (half, most, 3)


def test_three_observations_make_a_figure_and_ten_a_distribution_of_ranks():
    counts = {"two": 2, "three": 3, "nine": 9, "ten": 10}
    result = _result(**{name: [50.0] * count for name, count in counts.items()})
    assert observed_names(result) == ["three", "nine", "ten"]
    assert pit_names(result) == ["ten"]
