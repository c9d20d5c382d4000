"""The values that figures show: every figure has some, they are the artists', and their places are on the image."""

import io
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from aligntax.analysis.figures import report_figures
from aligntax.analysis.figures.style import BLUE, GREY, ORANGE, fan, log_ticks, styled
from aligntax.analysis.pages.figure_data.axes import scales
from aligntax.analysis.pages.figure_data.pictures import draw_and_read, explorer_data, failure_lines
from aligntax.analysis.pages.figure_data.values import figure_values
from aligntax.analysis.pages.glossary import glossary, terms
from aligntax.analysis.pages.sources import linked
from aligntax.analysis.storage.load import load
from aligntax.analysis.summaries.words import format_compact
from aligntax.models.priors.quantities import ELICITED, QUANTITIES, lookup


def _read(figure):
    figure.savefig(io.BytesIO(), format="svg")
    return figure_values(figure)


def _canvas(**size):
    figure = Figure(figsize=(4, 3), layout="constrained", **size)
    return figure, figure.subplots()


def _drawings(result):
    for part in (
        report_figures.forecast_figures,
        report_figures.driver_figures,
        report_figures.predictive_figures,
        report_figures.chain_figures,
    ):
        yield from part(result)


def _sound(panels):
    """What the script relies on."""
    assert panels
    assert json.dumps(panels, allow_nan=False)
    for panel in panels:
        assert panel["x"] and panel["y"] and panel["series"]
        names = [series["name"] for series in panel["series"]]
        assert len(names) == len(set(names)) and all(names)
        assert not [name for name in names if "_child" in name or "\n" in name]
        for series in panel["series"]:
            columns = [series[key] for key in ("x", "y", "low", "high", "value") if key in series]
            assert {len(column) for column in columns} == {len(columns[0])}
            assert all(len(words) == len(columns[0]) for words in series.get("words", {}).values())
            ends = 2 if "along" in series else 1
            assert len(series["at"]) == 2 * ends * len(columns[0])
            assert all(place is None or -20 <= place <= 10_020 for place in series["at"])
            assert len(columns[0]) <= 450


def test_every_figure_of_the_reference_run_shows_values(reference):
    for drawing in _drawings(reference):
        panels = _read(drawing.draw())
        _sound(panels)
        assert any(
            place is not None
            for panel in panels
            for series in panel["series"]
            for place in series["at"]
        )


@pytest.mark.slow
@pytest.mark.parametrize("model", ["outer-alignment", "density-prediction"])
def test_every_figure_of_another_model_shows_values(model, tmp_path, request):
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.pipeline import run

    compiled = request.getfixturevalue("outer_alignment") if model == "outer-alignment" else None
    done = run(
        model,
        options=Sampling(draws=60, tune=60, chains=2),
        out=tmp_path,
        name="run",
        report=False,
        compiled=compiled,
    )
    drawings = list(_drawings(load(done.path)))
    assert len(drawings) >= 3
    for drawing in drawings:
        _sound(_read(drawing.draw()))


@styled
def _fan(low, high):
    figure, axes = _canvas()
    years = np.linspace(2020.0, 2030.0, 11)
    draws = np.linspace(3.0, 6.0, 101)[:, None] + 0.1 * (years - 2020.0)
    fan(axes, years, draws, BLUE, "needed")
    axes.set_ylim(low, high)
    log_ticks(axes.yaxis)
    axes.set_ylabel("hours")
    return figure


def test_a_fan_is_a_line_and_two_bands_by_name():
    (panel,) = _read(_fan(2.0, 8.0))
    assert [series["name"] for series in panel["series"]] == [
        "needed, 90% band",
        "needed, 50% band",
        "needed",
    ]
    outer, inner, line = panel["series"]
    assert (panel["x"], panel["y"], panel["numbers"]) == ("year", "hours", {"y": "log10"})
    assert line["x"] == list(range(2020, 2031))
    assert line["y"][0] == 4.5 and line["words"]["y"][0] == format_compact(10**4.5) == "32k"
    assert outer["low"][0] < inner["low"][0] < line["y"][0] < inner["high"][0] < outer["high"][0]
    assert "x" not in line["words"], "a year is its own number"


def test_what_lies_beyond_an_axis_is_no_number():
    (panel,) = _read(_fan(3.5, 5.0))
    outer = panel["series"][0]
    assert outer["low"][0] == "<3.5" and outer["words"]["low"][0] == "< 3.2k"
    assert outer["high"][0] == ">5" and outer["words"]["high"][0] == "> 100k"


def test_places_are_shares_of_the_image_from_its_top_left():
    figure = Figure(figsize=(4, 2))
    axes = figure.add_axes((0.25, 0.5, 0.5, 0.25))
    axes.plot([0, 1], [0, 1], "o", label="ends")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    (panel,) = _read(figure)
    assert panel["series"][0]["at"] == [2500, 5000, 7500, 2500]


def test_the_place_of_a_point_is_where_its_ink_is():
    figure, axes = _canvas()
    axes.set_ylabel("a long label of this axis")
    axes.scatter([3.0, 7.0], [1.0, 9.0], s=30, color="#ff0000", label="dots")
    axes.set(xlim=(0, 10), ylim=(0, 10))
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    from matplotlib.image import imread

    file.seek(0)
    pixels = imread(file)
    ((panel),) = figure_values(figure)
    for x, y in np.reshape(panel["series"][0]["at"], (-1, 2)):
        row, column = round(y / 10_000 * pixels.shape[0]), round(x / 10_000 * pixels.shape[1])
        assert pixels[row, column, 0] > 0.9 and pixels[row, column, 1] < 0.1


def test_long_series_are_thinned_and_say_so():
    figure, axes = _canvas()
    axes.plot(np.arange(1000.0), np.arange(1000.0) ** 2, label="long")
    axes.plot(np.arange(70.0), np.arange(70.0), label="short")
    (panel,) = _read(figure)
    long, brief = panel["series"]
    assert len(long["x"]) == 60 and long["thinned"] == 1000
    assert long["x"][0] == 0 and long["x"][-1] == 999
    assert len(brief["x"]) == 70 and "thinned" not in brief


@pytest.mark.parametrize(("count", "kept"), [(450, 450), (451, 300)])
def test_points_are_thinned_from_half_as_many_more_than_the_page_holds(count, kept):
    figure, axes = _canvas()
    axes.plot(np.arange(float(count)), np.arange(float(count)), "o", label="draws")
    (panel,) = _read(figure)
    assert len(panel["series"][0]["x"]) == kept


def test_intervals_at_names_have_them_and_the_share_they_hold():
    figure, axes = _canvas()
    y = np.arange(3)
    axes.hlines(y, [0, 1, 2], [9, 8, 7], color=BLUE)
    axes.hlines(y, [3, 3, 3], [6, 6, 6], color=BLUE)
    axes.vlines([4, 5, 6], y - 0.5, y + 0.5, color=ORANGE, label="bound")
    axes.scatter([5, 5, 5], y, color="black", label="observed")
    axes.set_yticks(y, ["a", "b", "c"])
    (panel,) = _read(figure)
    found = {series["name"]: series for series in panel["series"]}
    assert set(found) == {"blue 90% interval", "blue 50% interval", "bound", "observed"}
    assert found["blue 90% interval"]["y"] == ["a", "b", "c"]
    assert found["blue 90% interval"]["along"] == "x" and found["blue 90% interval"]["high"] == [
        9,
        8,
        7,
    ]
    assert found["bound"]["kind"] == "points" and found["bound"]["x"] == [4, 5, 6]


def test_bars_cells_errors_and_a_labelled_reference_are_read():
    figure = Figure(figsize=(4, 6), layout="constrained")
    first, second, third = figure.subplots(3)
    first.bar([0, 1, 2], [3.0, 4.0, 5.0], label="count")
    first.axhline(3.5, label="target")
    first.axhline(2.0)
    second.imshow([[1.0, np.nan], [3.0, 4.0]])
    third.errorbar([1.0, 2.0], [5.0, 6.0], yerr=[0.5, 0.25], label="measured", color=GREY)
    one, two, three = _read(figure)
    assert [(series["name"], series["y"]) for series in one["series"]] == [
        ("target", [3.5]),
        ("count", [3.0, 4.0, 5.0]),
    ]
    assert two["series"][0]["value"] == [1.0, 3.0, 4.0]
    point, interval = three["series"]
    assert (point["name"], point["y"]) == ("measured", [5.0, 6.0])
    assert (interval["name"], interval["low"], interval["high"]) == (
        "measured (2)",
        [4.5, 5.75],
        [5.5, 6.25],
    )


def test_an_axis_of_powers_at_whole_numbers_has_no_names():
    figure, axes = _canvas()
    axes.plot([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], label="line")
    log_ticks(axes.xaxis)
    axes.xaxis.set_major_locator(FixedLocator([0, 1, 2]))
    (panel,) = _read(figure)
    assert panel["numbers"] == {"x": "log10"} and panel["series"][0]["words"]["x"] == [
        "1",
        "10",
        "100",
    ]


def test_words_stand_where_ticks_are_words_alone():
    figure, axes = _canvas()
    axes.plot([0.1, 0.9], [1.0, 2.0], label="line")
    axes.set(xlim=(0, 1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.1f}"))
    figure.savefig(io.BytesIO())
    both = scales(axes)
    assert both["x"].words([0.5]) == ["50%"] and both["x"].numbers == ""
    assert both["y"].words([1.5]) is None


def test_a_figure_whose_values_cannot_be_read_stays_and_is_told(monkeypatch):
    import aligntax.analysis.pages.figure_data.pictures as pictures

    def broken(figure):
        raise ValueError("no\nvalues")

    drawing = report_figures.Drawing("A figure: of one line.", lambda: _fan(2.0, 8.0))
    assert explorer_data("run", [draw_and_read(drawing, 3, strict=True)])["panels"].keys() == {
        "03-a-figure-of-one-line"
    }
    monkeypatch.setattr(pictures, "figure_values", broken)
    shown = draw_and_read(drawing, 3, strict=False)
    assert shown.source and not shown.error and shown.unread == "ValueError: no\nvalues"
    assert failure_lines([shown]) == [
        "figure 03-a-figure-of-one-line has no table: ValueError: no values"
    ]
    with pytest.raises(ValueError, match="values"):
        draw_and_read(drawing, 3, strict=True)


HREF = re.compile(r'<a href="([^"]*)" rel="noopener noreferrer" target="_blank">')


def _visible(html):
    from html import unescape

    return unescape(re.sub(r"<a [^>]*>|</a>", "", html))


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Ouyang et al. 2022, arXiv:2203.02155.", ["https://arxiv.org/abs/2203.02155"]),
        (
            "arxiv: math/0211159v1; arXiv:2001.08361",
            ["https://arxiv.org/abs/math/0211159v1", "https://arxiv.org/abs/2001.08361"],
        ),
        (
            "Silver (doi:10.1038/nature16961), and 10.1000/182",
            ["https://doi.org/10.1038/nature16961", "https://doi.org/10.1000/182"],
        ),
        (
            "see https://a.org/x_(y)?p=1&q=2, or (http://b.org).",
            ["https://a.org/x_(y)?p=1&amp;q=2", "http://b.org"],
        ),
        ("HTTPS://A.org", ["https://A.org"]),
        ("javascript:alert(1) data:text/html,x vbscript:x //evil.org ftp://a.org", []),
        ("<script>alert(1)</script>", []),
        ('https://a.org/"onmouseover="alert(1)', ["https://a.org/"]),
        ("xhttps://a.org and version 3.10.1234/5 of 2203.02155", []),
    ],
)
def test_sources_are_links(text, links):
    html = str(linked(text))
    assert HREF.findall(html) == links
    assert _visible(html) == text
    assert "<script" not in html


PIECES = st.sampled_from(
    [
        "https://",
        "http://a.b/",
        "doi:",
        "10.1234/x",
        "arXiv:2203.02155",
        "javascript:",
        "<a href=",
        '"',
        "'",
        ")",
        "(",
        "&amp;",
        " ",
        ".",
        "\u202e",
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join))
def test_any_source_reads_as_it_did_and_leads_to_the_web_alone(text):
    html = str(linked(text))
    rest = HREF.sub("", html).replace("</a>", "")
    assert "<" not in rest and ">" not in rest
    assert _visible(html) == text
    assert all(address.startswith(("https://", "http://")) for address in HREF.findall(html))


def test_the_glossary_says_meaning_and_unit():
    assert set(glossary(QUANTITIES)) == set(QUANTITIES)
    label, meaning, unit = glossary(["alignment_hours_needed", "alignment_hours_needed[x]"])[
        "alignment_hours_needed"
    ]
    assert (label, meaning) == (
        lookup("alignment_hours_needed").label,
        lookup("alignment_hours_needed").meaning,
    )
    assert unit == "In human-hours, on a log10 scale."


def test_terms_are_found_in_a_list_in_words():
    found = list(
        terms("tax tolerance (0.08, raises it, assumed); other than the inputs 12%", ELICITED)
    )
    assert [(term.name, term.label, term.rest) for term in found] == [
        ("alignment_tax_tolerance", "tax tolerance", " (0.08, raises it, assumed)"),
        ("", "", "other than the inputs 12%"),
    ]
    assert [term.rest for term in terms("none stands out", ELICITED)] == ["none stands out"]
