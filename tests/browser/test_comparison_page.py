"""A comparison in a browser: charts drawn, values under the pointer, files handed out."""

import csv
import io
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from aligntax import compare, load, refit
from aligntax.analysis.pages.comparison.page import write_page
from tests.conftest import REFERENCE

SCRIPT = "<script>alert(1)</script>"
NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """The reference run and a redraw, under names that would be markup were they not escaped."""
    out = tmp_path_factory.mktemp("results")
    shutil.copytree(REFERENCE, out / "reference")
    base = load(out / "reference")
    dear = {0.1: 60, 0.5: 150, 0.9: 400}
    moved = refit(
        base,
        base.view.replace(name=SCRIPT, usd_per_hour=dear),
        out=out,
        name="dear",
    )
    record = json.loads((moved.path / "summary.json").read_text("utf-8"))
    moved.record.update(record | {"run": f'a "quoted", {SCRIPT}'})
    return compare(base, moved)


@pytest.fixture(scope="module")
def path(comparison, tmp_path_factory):
    return write_page(comparison, tmp_path_factory.mktemp("page") / "c.html")


def drawn(page):
    """Wait until every chart of a page has marks."""
    page.wait_for_function(
        "[...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('svg .mark-group path, .broken'))"
    )
    assert page.locator(".broken").count() == 0
    return page


def saved(page, figure, kind):
    with page.expect_download() as download:
        page.locator(f"#{figure}").get_by_role("button", name=kind).click()
    assert download.value.suggested_filename == f"{figure}.{kind.lower()}"
    return Path(download.value.path()).read_text("utf-8")


def test_every_chart_is_drawn_with_its_marks(path, opened, comparison):
    page = drawn(opened(path))
    count = len([name for name in comparison.names if "[" not in name])
    assert page.locator("#intervals .chart svg").count() == count
    assert page.locator("#arrival .chart svg .mark-line path").count() == 2
    assert page.locator("#densities .chart svg").count() == 2
    paid = page.locator(
        "#intervals .panel", has=page.get_by_role("heading", name="alignment data affordable")
    )
    assert (
        paid.locator(".mark-rule.role-mark line").count() == 4
        and "B differs from A" in paid.inner_text()
    )
    ticks = paid.locator("svg").text_content()
    assert "M" in ticks and "B" in ticks  # of millions and billions
    pooled = comparison.rows[0]["data_exponent_pooled"]["q50"]
    assert (
        page.locator(".chart")
        .first.get_attribute("aria-label")
        .startswith(f"data exponent, pooled. reference: {pooled:.2f}")
    )


def test_pointing_shows_values_of_the_run(path, opened, comparison):
    page = drawn(opened(path))
    chart = page.locator(
        "#intervals .panel", has=page.get_by_role("heading", name="alignment data affordable")
    ).locator(".chart")
    chart.scroll_into_view_if_needed()
    row = chart.locator("svg .mark-rect path").nth(1)
    row.hover()
    tip = page.locator("#vg-tooltip-element.visible")
    assert "human-hours" in tip.inner_text() and SCRIPT in tip.inner_text()
    page.locator("#arrival").scroll_into_view_if_needed()
    page.locator("#arrival .chart .mark-rect path").nth(26).hover()
    by_2050 = [f"{float((run.derived['tai_year'] <= 2050).mean()):.0%}" for run in comparison.runs]
    assert (
        tip.inner_text().split()
        == f"arrived by 2050 reference {by_2050[0]} {comparison.labels[1]} {by_2050[1]}".split()
    )
    page.locator("#densities .chart").nth(1).locator(".mark-rect path").nth(40).hover()
    assert "probability of less than" in tip.inner_text() and "human-hours" in tip.inner_text()


def test_the_csv_has_every_row(path, opened, comparison):
    page = drawn(opened(path))
    rows = list(csv.DictReader(io.StringIO(saved(page, "intervals", "CSV"))))
    mine = [row for row in rows if row["quantity"] == "alignment_hours_affordable"]
    assert [row["run"] for row in mine] == list(comparison.labels)
    for row, run in zip(mine, comparison.rows, strict=True):
        assert float(row["q50"]) == pytest.approx(
            run["alignment_hours_affordable"]["q50"], rel=1e-5
        )
    censored = next(row for row in rows if row["quantity"] == "tai_year")
    assert censored["q95"] == "" and float(censored["prob_above"]) > 0
    arrival = list(csv.reader(io.StringIO(saved(page, "arrival", "CSV"))))
    assert arrival[0] == ["year", *comparison.labels] and arrival[1][0] == "2024"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_stands_alone(path, opened, scheme, comparison):
    page = drawn(opened(path, color_scheme=scheme))
    text = saved(page, "densities", "SVG")
    root = ET.fromstring(text)
    assert root.tag == f"{NAMESPACE}svg" and len(root.findall(f"{NAMESPACE}svg")) == 2
    assert (
        "var(" not in text
        and root.find(f"{NAMESPACE}rect").get("fill")
        == {"light": "#ffffff", "dark": "#17181a"}[scheme]
    )
    said = " ".join(root.itertext())
    assert "alignment data needed (human-hours)" in said and all(
        label in said for label in comparison.labels
    )


def test_colours_follow_the_scheme(path, opened):
    page = drawn(opened(path))
    label = page.locator("#arrival .chart svg text").first
    colour = "(text) => getComputedStyle(text).fill"
    light = label.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert light == "rgb(90, 90, 90)" and label.evaluate(colour) == "rgb(176, 176, 172)"
    page.emulate_media(media="print")
    assert label.evaluate(colour) == "rgb(68, 68, 68)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone(path, opened, scheme):
    page = drawn(opened(path, width=380, color_scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert all(
        box["width"] <= 380
        for box in (svg.bounding_box() for svg in page.locator(".chart svg").all())
    )


def test_charts_follow_the_window(path, opened):
    page = drawn(opened(path))
    before = page.locator("#arrival .chart svg").bounding_box()["width"]
    page.set_viewport_size({"width": 500, "height": 900})
    page.wait_for_function(
        "document.querySelector('#arrival .chart svg').getBoundingClientRect().width < 480"
    )
    assert before > 600


def test_tables_open_from_the_keyboard(path, opened, comparison):
    page = drawn(opened(path))
    page.locator("#arrival summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#arrival tbody tr").count() > 70
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "values"
    assert [*page.locator("#arrival thead th").all_inner_texts()] == ["year", *comparison.labels]


def test_a_chart_that_fails_says_so_in_its_place(path, opened, tmp_path):
    text = path.read_text("utf-8")
    broken = tmp_path / "broken.html"
    assert '"format":".0%"' in text
    broken.write_text(text.replace('"labelFontWeight":600', '"labelExpr":"nonsense("', 1), "utf-8")
    page = opened(broken)
    page.wait_for_selector(".broken")
    assert page.locator(".broken").count() == 1
    assert "This chart could not be drawn. Error: " in page.locator(".broken").inner_text()
    page.wait_for_selector("#arrival .chart svg")


def test_hostile_names_are_text(path, opened):
    page = drawn(opened(path))
    assert SCRIPT in page.locator("h2", has_text="quoted").inner_text()
    assert page.locator("td script, th script, h2 script").count() == 0
    assert page.locator("noscript:visible").count() == 0


def test_without_scripts_the_numbers_stand(path, opened):
    page = opened(path, java_script_enabled=False)
    assert (
        page.locator("noscript:visible").count() > 0
        and page.locator("table.beside").first.is_visible()
    )
    assert page.locator("[data-save]:visible").count() == 0
