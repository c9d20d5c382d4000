"""The answer in one picture: what each panel shows, and of which runs there is one."""

import io
from dataclasses import replace

import pytest

from aligntax.analysis.figures.answer import data_fan, prior_posterior
from aligntax.analysis.figures.answer_picture import answer_picture
from aligntax.analysis.figures.arrival import arrival

HOURS, ARRIVAL = "Alignment data for the largest run of each date", "Arrival of transformative AI"


def _titles(figure):
    return [axes.get_title() for axes in figure.axes]


def _lines(axes):
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata()))
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def _without(result, *names):
    """The result as one of a model that lacks some quantities."""
    derived = result.groups.derived
    dropped = [v for name in names for v in (name, f"{name}_state") if v in derived]
    return result.with_groups(replace(result.groups, derived=derived.drop_vars(dropped)))


def test_the_two_panels_are_those_of_the_report(reference):
    figure = answer_picture(reference)
    assert _titles(figure) == [HOURS, ARRIVAL]
    hours, curves = map(_lines, figure.axes)
    assert {"needed", "affordable"} < set(hours) and hours == _lines(data_fan(reference).axes[0])
    assert {"posterior", "at data exponent 0.8", "after waiting for alignment"} < set(curves)
    assert curves == _lines(arrival(reference).axes[0])


def test_each_panel_has_its_own_legend_and_the_file_is_small(reference):
    figure = answer_picture(reference)
    for part, axes in zip(figure.subfigs, figure.axes, strict=True):
        (legend,) = part.legends
        assert [text.get_text() for text in legend.get_texts()] == list(_lines(axes))
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150)
    assert 20_000 < len(file.getvalue()) < 200_000


@pytest.mark.parametrize(
    ("lacks", "titles"),
    [(("alignment_hours_needed",), [ARRIVAL]), (("tai_year",), [HOURS])],
)
def test_a_run_without_one_of_the_two_has_the_other(reference, lacks, titles):
    assert _titles(answer_picture(_without(reference, *lacks))) == titles


def test_a_run_with_neither_shows_priors_against_posteriors(reference):
    result = _without(reference, "alignment_hours_needed", "tai_year")
    assert _titles(answer_picture(result)) == _titles(prior_posterior(result))
