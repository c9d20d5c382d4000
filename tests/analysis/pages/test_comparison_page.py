"""Runs side by side as a page: the same differences as the table, in words, with charts' rows beside them."""

import html
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from aligntax import compare, load, refit
from aligntax.analysis.pages.comparison.charts import comparison_figures
from aligntax.analysis.pages.comparison.page import check_page, write_page
from aligntax.analysis.pages.comparison.parts import run_looks
from aligntax.analysis.summaries.differences_in_words import describe_difference
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import lookup
from tests.conftest import REFERENCE

SCRIPT = "<script>alert(1)</script>"
DEAR = {0.1: 60, 0.5: 150, 0.9: 400}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The reference run, and a redraw under a view with a hostile name."""
    folder = tmp_path_factory.mktemp("results")
    shutil.copytree(REFERENCE, folder / "reference")
    base = load(folder / "reference")
    refit(
        base,
        base.view.replace(name=SCRIPT, usd_per_hour=DEAR),
        out=folder,
        name="dear",
    )
    return folder


@pytest.fixture(scope="module")
def comparison(out):
    return compare(out / "reference", out / "dear")


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    return write_page(comparison, tmp_path_factory.mktemp("page") / "c.html").read_text("utf-8")


def words(page):
    """Text of a page without its data and scripts."""
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def held(page):
    return json.loads(re.search(r'id="comparison">(.*?)</script>', page, re.DOTALL)[1])


def test_it_says_in_words_what_differs_and_what_was_changed(page, comparison):
    told = words(page)
    marked = sum(any(marks) for marks in comparison.differs.values())
    assert (
        f"{marked} of {len(comparison.differs)} numbers and claims differ from A beyond Monte Carlo error"
        in told
    )
    assert "B dear changes the prior of wage; it counts the same draws as A." in told
    changed = told.split("Prior that differs")[1].split(" Claims ")[0]
    assert re.search(r"wage wage paid per human-hour .* 150 USD/hour 4", changed)
    assert changed.count("USD/hour") == 2 and "overhead" not in changed  # and no other prior
    order = [
        told.index(head)
        for head in (" What differs ", " Claims ", " Numbers ", " Headline numbers ")
    ]
    assert order == sorted(order)
    assert told.count("Fail. Checks failed in A, B") == 1 and "redrawn from reference" in told


def test_marks_stand_where_the_comparison_has_them(page, comparison):
    whole = page.split("<h2>Numbers</h2>")[1].split("<details>")[0]
    rows = dict(re.findall(r'<tr><th scope="row">(.*?)<small>(.*?)</tr>', whole, re.DOTALL))
    assert (
        "≠ differs" in rows["alignment data affordable"]
        and "times)" in rows["alignment data affordable"]
    )
    assert "≠" not in rows["TAI arrival"] and "the same" in rows["TAI arrival"]
    shown = [name for name in comparison.names if "[" not in name]
    assert len(rows) == len(shown) and whole.count("≠ differs") == sum(
        comparison.differs[name][0] for name in shown
    )


def test_nothing_of_a_user_is_markup_and_nothing_is_fetched(page):
    assert SCRIPT not in page and "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in page and "unsafe-eval" not in page
    assert not re.search(
        r"<(?:img|link|iframe|object)\b|(?:src|href)=[\"']?(?:https?:|//)", page.split("<script")[0]
    )
    assert len(page.encode()) < 8e6


def test_charts_hold_the_rows_of_the_summary(page, comparison):
    found = {figure["name"]: figure for figure in held(page)["figures"]}
    assert set(found) == {"intervals", "arrival", "densities"}
    paid = next(
        p
        for p in found["intervals"]["panels"]
        if p["title"].startswith("alignment data affordable")
    )
    row = comparison.rows[1]["alignment_hours_affordable"]
    assert [paid["rows"][1][key] for key in ("q05", "q50", "q95")] == pytest.approx(
        [row[k] for k in ("q05", "q50", "q95")], rel=1e-5
    )
    assert "human-hours" in paid["rows"][1]["median"] and paid["differs"] == "B differs from A"
    assert all(panel["description"] for figure in found.values() for panel in figure["panels"])
    assert [p["title"] for p in found["densities"]["panels"]] == [
        "alignment data needed (human-hours)",
        "alignment data affordable (human-hours)",
    ]


def test_arrival_is_the_share_of_the_draws(comparison, reference):
    arrival = comparison_figures(comparison)[1]
    year = reference.derived["tai_year"].values
    assert arrival.columns == ("year", "reference", "dear")
    for row in arrival.rows[::10]:
        assert row[1] == row[2] == pytest.approx(np.mean(year <= row[0]), abs=1e-3)


def test_densities_integrate_to_the_share_that_has_a_number(comparison):
    densities = comparison_figures(comparison)[2]
    affordable = [
        r for r in densities.rows if r[0] == "alignment_hours_affordable" and r[1] == "reference"
    ]
    x, y, below = (np.array([row[k] for row in affordable]) for k in (2, 3, 4))
    row = comparison.rows[0]["alignment_hours_affordable"]
    share = 1 - row["prob_below"] / (1 - row["prob_undefined"])
    assert np.trapezoid(y, x) == pytest.approx(share, abs=0.04)
    assert np.all(np.diff(below) >= 0) and below[0] > 1 - share - 1e-9 and below[-1] <= 1


def test_an_end_in_censored_mass_is_an_arrow_in_words(comparison, out):
    panel = next(p for p in comparison_figures(comparison)[0].panels if p.title == "TAI arrival")
    assert (
        panel.rows[0]["right"]
        and not panel.rows[0]["left"]
        and "or never" in panel.rows[0]["ninety"]
    )
    affordable = {"q05": None, "prob_below": 0.2, "prob_censored": 0.2}
    rows = [dict(row) for row in comparison.rows]
    rows[1]["alignment_hours_affordable"] = rows[1]["alignment_hours_affordable"] | affordable
    panels = comparison_figures(replace(comparison, rows=tuple(rows)))[0].panels
    panel = next(p for p in panels if p.title.startswith("alignment data affordable"))
    assert panel.rows[1]["left"] and not panel.rows[0]["left"]
    assert panel.rows[1]["ninety"].startswith("nothing affordable")


def test_eight_runs_are_all_told_apart(comparison, tmp_path):
    first, other = comparison.runs
    comparison = compare(*[first] * 7, other)
    seen = run_looks(comparison)
    assert [look.letter for look in seen] == list("ABCDEFGH")
    for key in ("label", "colour", "dash", "shape"):
        assert len({getattr(look, key) for look in seen}) == 8, key
    path = write_page(comparison, tmp_path / "eight.html")
    assert path.stat().st_size < 8e6 and "8 runs compared" in words(path.read_text("utf-8"))


def test_runs_of_other_models_show_what_they_share(comparison, tmp_path):
    first = comparison.runs[0]
    kept = ("data_exponent", "data_exponent_pooled")
    rows = {name: first.record["quantities"][name] for name in kept}
    tree = first.with_groups(replace(first.groups, derived=first.derived[list(kept)])).tree
    other = replace(
        first, record={**first.record, "model": "scaling", "quantities": rows, "claims": {}}, tree=tree
    )  # fmt: skip
    mixed, alone = compare(first, other), compare(other, other)
    assert [f.name for f in comparison_figures(mixed)] == ["intervals", "arrival", "densities"]
    assert "B has no arrival." in comparison_figures(mixed)[1].caption
    assert [f.name for f in comparison_figures(alone)] == ["intervals", "densities"]
    assert [p.title for p in comparison_figures(alone)[1].panels] == [
        "data exponent, new regime",
        "data exponent, pooled",
    ]
    page = words(write_page(mixed, tmp_path / "m.html").read_text("utf-8"))
    assert "differs in nothing" in page and "Every number that all have (2)" in page


def test_draws_without_spread_are_said_and_not_drawn(comparison):
    groups = comparison.runs[0].groups
    hours = groups.derived["alignment_hours_needed"] * 0 + 4.0
    derived = groups.derived.assign(alignment_hours_needed=hours)
    constant = comparison.runs[0].with_groups(replace(groups, derived=derived))
    one, both = compare(comparison.runs[0], constant), compare(constant, constant)
    panel = comparison_figures(one)[2].panels[0]
    assert any(
        note.startswith("B: ") and note.endswith("no spread, so no curve") for note in panel.notes
    )
    assert {row["letter"] for row in panel.rows if "letter" in row} == {"A"}
    assert [p.title for p in comparison_figures(both)[2].panels] == [
        "alignment data affordable (human-hours)"
    ]


@pytest.mark.parametrize(
    ("name", "found", "told"),
    [
        ("tai_year", (2.04, 0.5), "+2 ± 0.5 years"),
        ("tai_year", (1e-5, 0.5), "the same"),
        ("alignment_hours_needed", (-0.5, 0.02), "\N{MINUS SIGN}0.5 ± 0.02 OOM (0.32 times)"),
        ("alignment_hours_needed", (None, None), "no difference in numbers: one is beyond them"),
        ("prob_affordable", (0.24, 0.018), "+24 ± 2 points"),
        ("data_exponent", (0.1, None), "+0.1 ± unknown"),
    ],
)
def test_differences_in_words(name, found, told):
    assert describe_difference(found, lookup(name)) == told


@pytest.mark.slow
def test_the_command_writes_the_page_and_prints_the_table(aligntax, out, tmp_path):
    call = ("compare", "reference", "dear", "--out", out)
    code, printed, err = aligntax(*call, "--page", "c.html", "--given", "tai_year<2060")
    assert code == 0 and err == "" and printed == aligntax(*call, "--given", "tai_year<2060")[1]
    assert "Given tai_year<2060." in words((tmp_path / "c.html").read_text("utf-8"))
    (tmp_path / "d.html").mkdir()
    for name, rule in (
        ("c.htm", "page: must end in .html, got c.htm; rename it"),
        ("absent/c.html", "page: absent must be a folder, got none; make it first"),
        ("d.html", "page: must be a file, got the folder d.html; name a file in it"),
    ):
        code, printed, err = aligntax(*call, "--page", name)
        assert (code, printed, err) == (2, "", f"aligntax: {rule}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.html", "d.html"]


def test_a_place_that_cannot_be_written_is_told(comparison, tmp_path, monkeypatch):
    def refuse(path, text):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("aligntax.analysis.pages.comparison.page.replace_file", refuse)
    with pytest.raises(
        InputError, match=r"page: must be a file that can be written, got .*\(Permission denied\)"
    ):
        write_page(comparison, tmp_path / "c.html")
    check_page(tmp_path / "c.html")
