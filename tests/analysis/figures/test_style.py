"""What all figures share: bands at their levels, limits, ticks, and forest plots."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from aligntax.analysis.figures.comparison import drawn_end
from aligntax.analysis.figures.forest import (
    central_intervals,
    draw_bars,
    draw_forest,
    name_rows,
    stored_intervals,
)
from aligntax.analysis.figures.style import (
    BLUE,
    ORANGE,
    fan,
    limit_to_finite,
    log_ticks,
    percent_ticks,
    quantile,
    requirement_panels,
    round_ticks,
    styled,
)

# ranks 1 to 100 at each of three places: the quantile of p is 100 p
RANKS = np.tile(np.arange(1.0, 101.0)[:, None], (1, 3))
PLACES = np.array([0.0, 1.0, 2.0])


@pytest.fixture
def axes():
    return Figure(layout="constrained").subplots()


def _edges(band):
    heights = band.get_paths()[0].vertices[:, 1]
    return heights.min(), heights.max()


def test_a_fan_has_the_median_and_bands_of_90_and_50_percent(axes):
    fan(axes, PLACES, RANKS, BLUE, "draws")
    wide, narrow = axes.collections
    assert _edges(wide) == (5, 95) and _edges(narrow) == (25, 75)
    assert wide.get_alpha() < narrow.get_alpha()
    (line,) = axes.lines
    assert list(line.get_ydata()) == [50, 50, 50] and line.get_label() == "draws"


def test_a_fan_keeps_the_rank_of_infinite_draws(axes):
    values = RANKS.copy()
    values[values > 60] = np.inf
    fan(axes, PLACES, values, BLUE, "draws")
    wide, narrow = axes.collections
    assert _edges(wide)[0] == 5 and _edges(wide)[1] > 1e5
    assert _edges(narrow)[0] == 25 and list(axes.lines[0].get_ydata()) == [50, 50, 50]


def test_limits_hold_the_finite_part_of_the_bands(axes):
    limit_to_finite(axes, RANKS)
    # 90% reach to 95, but no farther than 3 orders of magnitude above the median of the upper bands
    assert axes.get_ylim() == pytest.approx((4.7, 75.8))
    values = RANKS.copy()
    values[values > 60] = np.inf
    limit_to_finite(axes, values)
    assert axes.get_ylim() == pytest.approx((4.7, 50.3))


def test_a_requirement_stands_above_how_often_none_suffices():
    needed = RANKS.copy()
    needed[RANKS > 80] = np.inf
    figure, above, below = requirement_panels(PLACES, needed, np.linspace(0.0, 2.0, 101), "hours")
    assert figure.axes == [above, below] and above.get_ylabel() == "hours"
    assert list(below.lines[-1].get_ydata()) == pytest.approx([0.2, 0.2, 0.2])
    assert below.get_ylim() == (0, 1) and below.get_xlim() == (0, 2)
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in below.patches]
    assert spans == [pytest.approx((0.1, 1.9), abs=0.021), pytest.approx((0.5, 1.5), abs=0.021)]


def test_ticks_are_written_in_percent_and_in_orders_of_magnitude(axes):
    percent_ticks(axes.xaxis)
    log_ticks(axes.yaxis)
    assert axes.xaxis.get_major_formatter()(0.25) == "25%"
    write = axes.yaxis.get_major_formatter()
    assert [write(value) for value in (0, 4, 400)] == ["1", "10k", "1e400"]


def test_round_ticks_are_1_2_and_5_on_a_short_axis_and_powers_on_a_long_one():
    assert round_ticks(0.0, 1.0) == pytest.approx(np.log10([1, 2, 5, 10]))
    assert round_ticks(0.0, 20.0) == [0, 5, 10, 15, 20]
    assert len(round_ticks(0.0, 1.9, 4)) <= 4


def test_a_user_s_matplotlib_settings_change_no_figure_and_are_kept():
    @styled
    def draw():
        return Figure(figsize=(mpl.rcParams["lines.linewidth"], 1))

    with mpl.rc_context({"lines.linewidth": 7.0}):
        assert draw().get_figwidth() == 1.6
        assert mpl.rcParams["lines.linewidth"] == 7.0


# ------------------------------------------------------------------------------------------ forest


def _segments(collection):
    return [tuple(part.ravel()) for part in collection.get_segments()]


def test_intervals_of_draws_hold_90_and_50_percent_and_the_wide_one_comes_first():
    wide, narrow = central_intervals(RANKS[:, 0])
    assert wide == (5, 95) and narrow == (25, 75)
    row = {"q05": 1.0, "q25": 2.0, "q50": 3.0, "q75": 4.0, "q95": 5.0}
    assert stored_intervals(row) == [(1.0, 5.0), (2.0, 4.0)]


def test_bars_lie_level_over_their_intervals_with_their_widths(axes):
    draw_bars(axes, np.array([0, 1]), [([1, 2], [9, 8]), ([4, 5], [6, 7])], (1.0, 3.5), color=BLUE)
    wide, narrow = axes.collections
    assert _segments(wide) == [(1, 0, 9, 0), (2, 1, 8, 1)]
    assert _segments(narrow) == [(4, 0, 6, 0), (5, 1, 7, 1)]
    assert (wide.get_linewidth()[0], narrow.get_linewidth()[0]) == (1.0, 3.5)


def test_a_forest_has_a_mark_at_each_median_above_its_bars(axes):
    rows, medians = np.array([0, 1]), np.array([5.0, 6.0])
    intervals = [([1, 2], [9, 8]), ([4, 5], [6, 7])]
    draw_forest(axes, rows, medians, intervals, colour=BLUE, mark_colour=ORANGE, label="study")
    *bars, marks = axes.collections
    assert marks.get_offsets().tolist() == [[5, 0], [6, 1]] and marks.get_label() == "study"
    assert all(marks.get_zorder() > bar.get_zorder() for bar in bars)
    assert tuple(marks.get_facecolor()[0]) == to_rgba(ORANGE)
    name_rows(axes, ["a", "b"])
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "above", "below", "place"),
    [("q95", 0.2, 0.0, "high"), ("q05", 0.0, 0.2, "low"), ("q75", 0.3, 0.3, "high")],
)
def test_a_censored_quantile_is_drawn_at_the_edge_where_its_mass_lies(key, above, below, place):
    row = {key: None, "prob_above": above, "prob_below": below, "prob_undefined": 0.0}
    assert drawn_end(row, key, -1.0, 1.0) == {"low": -1.0, "high": 1.0}[place]
    assert drawn_end({**row, key: 0.25}, key, -1.0, 1.0) == 0.25


def test_a_quantile_is_a_draw_whatever_lies_beyond_it():
    values = np.array([-np.inf, 1.0, 2.0, np.inf])
    assert [quantile(values, p) for p in (0.25, 0.5, 0.75, 1.0)] == [-np.inf, 1.0, 2.0, np.inf]
