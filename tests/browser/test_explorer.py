"""Figures and tables of a report, under a pointer and under the keys."""

import csv
import io
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.pages.report import write_report
from aligntax.analysis.storage.load import load
from tests.conftest import REFERENCE

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3) =1+1'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "reference"
    shutil.copytree(REFERENCE, folder)
    return write_report(load(folder), strict=True)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A report of evidence whose texts want to be more than text."""
    folder = tmp_path_factory.mktemp("results") / "reference"
    shutil.copytree(REFERENCE, folder)
    result = load(folder)
    tree = result.tree.copy()
    for name, rows in result.evidence.tables.items():
        texts = [c for c in ("name", "study", "source", "forecast", "milestone") if c in rows]
        values = {
            c: (rows[c].dims, np.array([f"{i}{HOSTILE}" for i in range(rows[c].size)]))
            for c in texts
        }
        tree[f"evidence/{name}"] = xr.DataTree(rows.assign(values))
    record = {**result.record, "run": HOSTILE}
    return write_report(replace(result, tree=tree, record=record), strict=True)


@pytest.fixture
def ready(opened):
    """Open a page and wait for its charts, which move what is below them."""

    def open_page(path, **options):
        page = opened(path, **options)
        page.wait_for_selector("#what-if[data-ready]")
        page.eval_on_selector_all("details.part", "all => all.forEach(one => { one.open = true; })")
        return page

    return open_page


def _figure(page, words):
    return page.locator(
        "figure[data-figure]", has=page.locator("h3, figcaption", has_text=words)
    ).first


def _saved(page, button):
    page.wait_for_timeout(120)  # Chromium drops what is saved more than ten times a second
    with page.expect_download() as waiting:
        button.click()
    name = waiting.value.suggested_filename
    return name, waiting.value.path().read_text("utf-8")


def _cells(page, figure):
    figure.locator("summary").click()
    # the table is made once its details have opened
    figure.locator(".values tbody tr").first.wait_for()
    return figure.locator(".values tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].map(c => c.textContent))"
    )


def _held(page, figure):
    name = figure.get_attribute("data-figure")
    return page.evaluate(
        "name => JSON.parse(document.getElementById('figures').textContent).panels[name]", name
    )


def test_pointing_at_a_curve_shows_a_value_of_the_table(report, ready):
    page = ready(report)
    figure = _figure(page, "Probability that transformative AI has arrived by each year")
    series, baseline = _held(page, figure)[0]["series"][:2]
    image = figure.locator("img")
    image.scroll_into_view_if_needed()
    frame = image.bounding_box()
    heights = zip(series["at"][1::2], baseline["at"][1::2], strict=True)
    apart = [abs(own - other) for own, other in heights]
    row = apart.index(max(apart))  # where the two curves are told apart
    x, y = (place / 10_000 for place in series["at"][2 * row : 2 * row + 2])
    page.mouse.move(frame["x"] + x * frame["width"] + 1, frame["y"] + y * frame["height"] - 1)
    tip = figure.locator(".tip")
    assert tip.is_visible() and figure.locator(".ring").is_visible()
    said = tip.locator("*").all_inner_texts()
    assert said == [
        "posterior",
        f"year: {series['x'][row]:g}",
        f"probability of arrival by the year: {series['words']['y'][row]}",
    ]
    rows = _cells(page, figure)
    assert [
        "posterior",
        f"{series['x'][row]:g}",
        f"{series['words']['y'][row]} {series['y'][row]:g}",
    ] in [[cell.replace("\u00a0", " ") for cell in cells] for cells in rows]
    page.mouse.move(frame["x"] + 2, frame["y"] + 2)
    assert not tip.is_visible()


def test_keys_walk_over_the_values(report, ready):
    page = ready(report)
    figure = _figure(page, "Probability that transformative AI has arrived by each year")
    image, tip = figure.locator("img"), figure.locator(".tip")
    image.focus()
    assert image.get_attribute("alt") and image.get_attribute("role") == "img"
    page.keyboard.press("ArrowRight")
    first = tip.inner_text()
    assert tip.get_attribute("aria-live") == "polite"
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() != first
    page.keyboard.press("ArrowLeft")
    assert tip.inner_text() == first
    page.keyboard.press("End")
    assert "year: 2100" in tip.inner_text()
    page.keyboard.press("ArrowDown")
    assert "at data exponent 0.8" in tip.inner_text() and "year: 2100" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_every_figure_gives_a_table_and_its_values_as_a_file(report, ready):
    page = ready(report)
    for figure in page.locator("figure[data-figure]").all():
        panels = _held(page, figure)
        name, text = _saved(page, figure.get_by_role("button", name="CSV"))
        assert name == f"reference-{figure.get_attribute('data-figure')}.csv"
        head, *rows = csv.reader(io.StringIO(text))
        assert head[:2] == ["panel", "series"] and {len(row) for row in rows} == {len(head)}
        counts = [
            len(series["at"]) // (4 if "along" in series else 2)
            for panel in panels
            for series in panel["series"]
        ]
        assert len(rows) == sum(counts) == len(_cells(page, figure))


def test_a_file_of_values_has_the_numbers(report, ready):
    page = ready(report)
    figure = _figure(page, "Fitted physical FLOP")
    (panel,) = _held(page, figure)
    _, text = _saved(page, figure.get_by_role("button", name="CSV"))
    rows = list(csv.DictReader(io.StringIO(text)))
    for series in panel["series"]:
        own = [row for row in rows if row["series"] == series["name"]]
        assert [float(row["year"]) for row in own] == series["x"]
        if "y" in series:
            assert [float(row["log10 of FLOP, physical"]) for row in own] == series["y"]
            assert [row["y in words"] for row in own] == series["words"]["y"]
        else:
            assert [row["log10 of low"] for row in own] == [f"{value}" for value in series["low"]]


def test_figures_are_saved_as_they_are(report, ready):
    page = ready(report)
    name, text = _saved(
        page, _figure(page, "Fitted physical FLOP").get_by_role("button", name="SVG")
    )
    assert re.fullmatch(r"reference-\d\d-fitted-physical-flop-[a-z-]+\.svg", name)
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    with page.expect_download() as waiting:
        _figure(page, "Draws of the same parameters").get_by_role("button", name="PNG").click()
    assert waiting.value.path().read_bytes().startswith(b"\x89PNG")


def test_tables_are_saved_as_they_read(report, ready):
    page = ready(report)
    for details in page.locator("details.part details").all():
        details.evaluate("each => { each.open = true; }")
    found = {}
    for table in page.locator("table[data-csv]").all():
        bar = table.locator("xpath=preceding::div[contains(@class, 'tools')][1]")
        name, text = _saved(page, bar.get_by_role("button", name="CSV"))
        found[name] = list(csv.reader(io.StringIO(text)))
        assert len(found[name]) == table.locator("tr").count()
    assert {
        "reference-answer.csv",
        "reference-quantities.csv",
        "reference-priors.csv",
        "reference-drivers.csv",
    } <= set(found)
    assert found["reference-answer.csv"][1][0] == "alignment data needed"
    assert "human-hours" in found["reference-answer.csv"][1][1]
    study = next(
        row
        for row in found["reference-evidence-scaling_exponents.csv"]
        if row[0] == "besiroglu2024_refit"
    )
    assert "Besiroglu et al. 2024, arXiv:2404.10102" in study


def test_a_name_says_what_it_means_to_pointer_and_keys(report, ready):
    page = ready(report, width=380, height=700)
    box = page.locator("#meaning")
    assert page.locator("[role=tooltip]").count() == 1 and not box.is_visible()
    terms = page.locator("table.answer dfn")
    height = page.evaluate("document.documentElement.scrollHeight")
    terms.first.focus()
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.dataset.term")
    assert focused == "alignment_hours_affordable"
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "meaning"
    assert box.inner_text().split("\n") == [
        "alignment data affordable",
        "human-hours that the tolerated tax pays for",
        "In human-hours, on a log10 scale.",
    ]
    frame = box.bounding_box()
    assert frame["x"] >= 0 and frame["x"] + frame["width"] <= 380
    page.keyboard.press("Escape")
    assert not box.is_visible()
    assert page.evaluate("document.activeElement.dataset.term") == focused, "the focus stays"
    terms.nth(4).hover()
    assert "compute tax" in box.inner_text()
    box.hover()
    page.wait_for_timeout(300)
    assert box.is_visible(), "the box can be pointed at"
    page.mouse.move(2, 2)
    box.wait_for(state="hidden")
    assert page.evaluate("document.documentElement.scrollHeight") == height


def test_sources_lead_where_they_say(report, ready):
    page = ready(report)
    links = page.locator("table[data-csv^=evidence] a").evaluate_all(
        "all => all.map(a => [a.textContent, a.href, a.rel, a.target])"
    )
    assert len(links) > 20
    for text, address, rel, target in links:
        assert (rel, target) == ("noopener noreferrer", "_blank")
        assert address == f"https://arxiv.org/abs/{text.removeprefix('arXiv:')}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_telephone(report, ready, scheme):
    page = ready(report, width=380, color_scheme=scheme)
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    inverted = page.locator("figure[data-figure] img").first.evaluate(
        "image => getComputedStyle(image).filter"
    )
    assert (inverted == "none") == (scheme == "light")


def test_on_paper_there_are_no_controls(report, ready):
    page = ready(report, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    figure = page.locator("figure[data-figure]").first
    assert not figure.locator(".tools").is_visible()
    assert figure.locator("img").evaluate("image => getComputedStyle(image).filter") == "none"


def test_texts_of_evidence_stay_text(hostile, ready):
    """A dialog, a request or an error fails the test in ``opened``."""
    page = ready(hostile)
    figure = _figure(page, "Data exponent of each scaling study")
    image = figure.locator("img")
    image.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
    assert any("<img src=x" in cell for row in _cells(page, figure) for cell in row)
    assert page.locator("img[src=x]").count() == 0
    for details in page.locator("details.part details").all():
        details.evaluate("each => { each.open = true; }")
    table = page.locator("table[data-csv=evidence-scaling_exponents]")
    assert table.locator("a").count() == 0
    bar = table.locator("xpath=preceding::div[contains(@class, 'tools')][1]")
    name, text = _saved(page, bar.get_by_role("button", name="CSV"))
    assert re.fullmatch(r"[\w.-]+\.csv", name)
    assert any(HOSTILE in cell for row in csv.reader(io.StringIO(text)) for cell in row)
    page.wait_for_timeout(200)
