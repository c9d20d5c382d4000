"""The report in a browser."""

import shutil

import pytest

from aligntax.analysis.pages.report import write_report
from aligntax.analysis.storage.load import load
from tests.conftest import REFERENCE


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Report of the reference run."""
    folder = tmp_path_factory.mktemp("results") / "reference"
    shutil.copytree(REFERENCE, folder)
    return write_report(load(folder), strict=True)


def test_it_opens_from_disk(report, opened):
    page = opened(report)
    assert "reference" in page.title()
    assert page.locator("h1").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_the_cards_come_first_and_fit(report, opened, width, scheme):
    page = opened(report, width=width, color_scheme=scheme)
    cards = page.locator(".cards .card")
    assert cards.count() == 3 and page.evaluate("document.documentElement.scrollWidth") <= width
    assert cards.first.bounding_box()["y"] < 420
    for card in cards.all():
        number, plot = card.locator(".figure strong"), card.locator("svg.dots")
        spread = card.locator(".spread")
        assert spread.bounding_box()["y"] < number.bounding_box()["y"] < plot.bounding_box()["y"]
        assert plot.locator("circle").count() == 20
        assert "equally likely" in plot.get_attribute("aria-label")
        frame = card.bounding_box()
        for place in (number, plot, card.locator("table")):
            box = place.bounding_box()
            assert box["x"] >= frame["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]
    if width == 1280:  # all three and the contents on one screen
        contents = page.locator("nav.contents").bounding_box()
        assert contents["y"] + contents["height"] <= 920
    budget = page.locator(".card[data-card=budget]")
    assert "suffice with 80% confidence" in budget.inner_text()
    assert budget.bounding_box()["width"] <= width


def test_what_is_folded_opens_from_the_contents(report, opened):
    page = opened(report)
    page.wait_for_selector("#what-if[data-ready]")
    links = page.locator("nav.contents a")
    for link in links.all():
        place = page.locator(link.get_attribute("href"))
        assert place.count() == 1
        link.click()
        page.wait_for_function(
            "id => document.querySelector(id).open !== false", arg=link.get_attribute("href")
        )
    assert page.locator("details.part:not([open])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_an_address_opens_the_part_that_it_names(report, opened):
    page = opened(report)
    page.goto(f"{report.as_uri()}#part-evidence")
    page.wait_for_function("() => document.getElementById('part-evidence').open")


def test_each_figure_has_a_title(report, opened):
    page = opened(report)
    titles = page.locator("figure[data-figure] > h3").all_text_contents()
    assert len(titles) == page.locator("figure[data-figure]").count() > 10
    assert all(len(title) >= 20 and not title.endswith((".", ":")) for title in titles)
    assert len(set(titles)) == len(titles)
