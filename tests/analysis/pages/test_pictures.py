"""The image of a figure in its attribute: the drawing that Matplotlib makes, in fewer letters."""

import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import numpy as np
from jinja2 import Environment

from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.figure_data.pictures import draw_and_read

NUMBER = re.compile(r"-?\d+\.?\d*")


def drawn():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot(np.sqrt(np.arange(9.0)), label="50% & 'more' < \"#1\"")
    axes.legend()
    plt.close(figure)
    return figure


def read_back():
    shown = draw_and_read(Drawing("A root, as it grows", drawn), 1, strict=True)
    template = Environment(autoescape=True).from_string('<img src="{{ source }}">')
    page = template.render(source=shown.source)
    return unquote(re.fullmatch(r'<img src="data:image/svg\+xml,([^"&]*)">', page)[1])


def test_the_attribute_holds_the_drawing_as_it_is():
    tree = ET.fromstring(read_back())
    assert tree.tag.endswith("svg") and not tree.findall(".//{*}metadata")
    assert len(tree.findall(".//{*}path")) > 20


def test_lines_are_where_matplotlib_draws_them_to_a_hundredth_of_a_point(tmp_path):
    drawn().savefig(tmp_path / "whole.svg")
    whole = ET.parse(tmp_path / "whole.svg").getroot()
    ours, theirs = (
        [
            [float(x) for x in NUMBER.findall(path.get("d", ""))]
            for path in tree.findall(".//{*}path")
        ]
        for tree in (ET.fromstring(read_back()), whole)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)


def test_scales_of_letters_are_not_rounded():
    """DejaVu's letters are drawn 64 times too large."""
    assert "scale(0.1 -0.1)" in read_back() or "scale(0.015625)" in read_back()
