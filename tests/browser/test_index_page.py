"""The page of all runs in a browser: sorted by every column either way, filtered, usable from the keyboard."""

import pytest

from aligntax.analysis.pages.index import write_index
from tests.analysis.pages.test_index import SCRIPT, add


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Four runs of which one has no arrival and one arrives beyond every year; one damaged."""
    import json

    from tests.conftest import REFERENCE

    out = tmp_path_factory.mktemp("results")
    rows = json.loads((REFERENCE / "summary.json").read_text("utf-8"))["quantities"]
    early = rows | {"tai_year": rows["tai_year"] | {"q50": 2035.0}}
    never = rows | {"tai_year": rows["tai_year"] | {"q50": None, "q75": None, "prob_above": 0.7}}
    none = {name: row for name, row in rows.items() if name.startswith("data_exponent")}
    add(out, "b-early", "2026-03-01T00:00:00+00:00", quantities=early, verdict="pass", checks=[])
    add(out, "a-later", "2026-04-01T00:00:00+00:00", view=SCRIPT)
    add(out, "c-never", "2026-01-01T00:00:00+00:00", quantities=never)
    add(out, "d-lacking", "2026-02-01T00:00:00+00:00", quantities=none, claims={}, model="scaling")
    (add(out, "bad") / "summary.json").write_text("{")
    (out / "a-later" / "report.html").write_text("<title>report</title>")
    return write_index(out).path


def shown(page):
    """Runs in the order of the table."""
    rows = page.locator("#runs tbody tr:visible th")
    return [text.split("\n")[0][0] for text in rows.all_inner_texts()]


def sort(page, column):
    page.get_by_role("button", name=column, exact=True).click()
    return "".join(shown(page))


def test_it_starts_newest_first(index, opened):
    page = opened(index)
    assert shown(page) == list("abdc")
    assert page.locator("th[aria-sort]").all_inner_texts() == ["Created"]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert page.locator("#damaged li").count() == 1 and SCRIPT in page.locator("#runs").inner_text()


@pytest.mark.parametrize(
    ("column", "first", "second"),
    [
        ("Run", "abcd", "dcba"),
        ("Created", "cdba", "abdc"),
        # joint under a view that begins with "<", joint twice in the order written
        ("Model and view", "abcd", "dbca"),
        ("Verdict", "adcb", "badc"),
        # missing last in both directions, beyond every year before it
        ("TAI arrival", "cabd", "bacd"),
    ],
)
def test_columns_sort_both_ways(index, opened, column, first, second):
    page = opened(index)
    assert sort(page, column) == first
    head = page.locator("th[aria-sort]")
    assert head.count() == 1
    way = head.get_attribute("aria-sort")
    assert sort(page, column) == second
    assert {way, head.get_attribute("aria-sort")} == {"ascending", "descending"}


def test_the_keyboard_sorts(index, opened):
    page = opened(index)
    page.get_by_role("button", name="Run", exact=True).focus()
    page.keyboard.press("Enter")
    assert shown(page) == list("abcd")
    page.keyboard.press("Space")
    assert shown(page) == list("dcba")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Created"


def test_the_filter_keeps_what_has_every_word(index, opened):
    page = opened(index)
    page.get_by_label("Filter").fill("joint fail")
    assert shown(page) == list("ac") and page.get_by_role("status").inner_text() == "2 of 4 runs"
    assert sort(page, "Run") == "ac"
    page.get_by_label("Filter").fill("no such run")
    assert shown(page) == []
    page.get_by_label("Filter").fill("")
    assert shown(page) == list("abcd")


def test_a_name_leads_to_the_report(index, opened, browser):
    page = browser.new_page()
    page.goto(index.as_uri())
    page.get_by_role("link", name="a-later").click()
    page.wait_for_load_state()
    assert page.title() == "report"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone(index, opened, scheme):
    page = opened(index, width=380, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert page.get_by_role("button", name="TAI arrival").is_visible()
    assert sort(page, "TAI arrival") == "cabd"
    ink, paper = page.evaluate(
        "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    assert (sum(map(int, ink[4:-1].split(","))) > sum(map(int, paper[4:-1].split(",")))) == (
        scheme == "dark"
    )


def test_it_stands_without_scripts(index, opened):
    page = opened(index, java_script_enabled=False)
    assert shown(page) == list("abdc")
    assert page.get_by_role("button").count() == 0 and not page.locator("#filter").is_visible()
