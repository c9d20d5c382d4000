"""The page of all runs: newest first, everything escaped, damaged runs seen."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from aligntax.analysis.pages.index import write_index
from aligntax.analysis.summaries.words import format_amount
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import lookup
from tests.conftest import REFERENCE

SCRIPT = "<script>alert(1)</script>"


def add(out, name, created="2026-01-01T00:00:00+00:00", info=(), **record):
    """Give a results folder a run: the reference's numbers under another name."""
    folder = out / name
    folder.mkdir(parents=True)
    told = json.loads((REFERENCE / "summary.json").read_text("utf-8")) | {"run": name} | record
    facts = (
        json.loads((REFERENCE / "info.json").read_text("utf-8")) | {"created": created} | dict(info)
    )
    (folder / "summary.json").write_text(json.dumps(told), "utf-8")
    (folder / "info.json").write_text(json.dumps(facts), "utf-8")
    return folder


def names(page):
    return re.findall(r'<th scope="row" data-sort="([^"]*)"', page)


def page_of(out):
    return write_index(out).path.read_text("utf-8")


def test_runs_come_newest_first_with_links_to_the_reports_that_exist(tmp_path):
    add(tmp_path, "old", "2025-05-01T10:00:00+00:00")
    new = add(tmp_path, "new run #1?", "2026-05-01T10:00:00+00:00")
    add(tmp_path, "between", "2026-05-01T11:00:00+02:00")
    (new / "report.html").write_text("x")
    page = page_of(tmp_path)
    assert names(page) == ["new run #1?", "between", "old"]
    assert re.findall(r'href="([^#][^"]*)"', page) == ["new%20run%20%231%3F/report.html"]
    assert page.count("no report yet") == 2
    assert 'datetime="2026-05-01T09:00:00Z"' in page


def test_a_row_says_how_and_how_good(tmp_path):
    link = {
        "refit": {"how": "redrawn", "reason": ""},
        "refitted_from": {"run": "base", "shares_draws": True},
    }
    add(tmp_path, "refit", info=link)
    add(tmp_path, "good", verdict="pass", checks=[{"name": "r_hat", "passed": True}])
    page = page_of(tmp_path)
    assert "redrawn<small>from base" in page and "sampled" in page
    told = json.loads((REFERENCE / "summary.json").read_text("utf-8"))
    bad = sum(not check["passed"] for check in told["checks"])
    assert bad and "✗ fail" in page and f"{bad} of {len(told['checks'])} checks failed" in page
    assert "✓ pass" in page and "1 check passed" in page
    needed = told["quantities"]["alignment_hours_needed"]["q50"]
    assert (
        format_amount(needed, lookup("alignment_hours_needed"), unit=False) in page
        and f'data-sort="{str(needed)[:5]}' in page
        and "2028 to later than 2100 or never" in page
    )
    assert (
        "a tax of at least 1% of training cost is tolerated" in page
        and "assumed: no evidence bears on it" not in page
    )


def test_infinite_medians_sort_beyond_all_and_missing_ones_have_no_value(tmp_path):
    rows = json.loads((REFERENCE / "summary.json").read_text("utf-8"))["quantities"]
    never = rows["tai_year"] | {"q50": None, "q75": None, "prob_above": 0.7, "prob_censored": 0.7}
    undefined = (
        rows["tai_year"] | dict.fromkeys(("q05", "q50", "q95", "mean")) | {"prob_undefined": 1.0}
    )
    add(tmp_path, "never", quantities=rows | {"tai_year": never})
    add(tmp_path, "undefined", quantities=rows | {"tai_year": undefined})
    add(tmp_path, "lacking", quantities={"label_error": rows["data_exponent"]}, claims={})
    page = page_of(tmp_path)
    assert sorted(re.findall(r'data-label="TAI arrival" data-sort="([^"]*)"', page)) == [
        "",
        "",
        "Infinity",
    ]
    assert "label error: " in page  # a model without the columns shows its own numbers


def test_everything_of_a_user_is_escaped(tmp_path):
    add(
        tmp_path,
        "'\"<img src=x onerror=alert(2)>",
        view=SCRIPT,
        model=SCRIPT,
        info={"created": SCRIPT},
    )
    page = page_of(tmp_path)
    assert SCRIPT not in page and "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count("<script>") == 1  # the page's own, known to its policy by hash
    assert "default-src 'none'" in page and "vega" not in page.lower() and len(page) < 40_000


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("summary.json", "{", "must be JSON"),
        ("summary.json", '{"format": 1, "run": "x"}', "must have model"),
        ("info.json", "[]", "must have format 1"),
    ],
)
def test_damaged_runs_are_seen(aligntax, tmp_path, file, text, told):
    add(tmp_path / "r", "good")
    (add(tmp_path / "r", "bad") / file).write_text(text)
    code, out, err = aligntax("index", "--out", "r")
    page = (tmp_path / "r" / "index.html").read_text("utf-8")
    assert (code, out) == (0, "r/index.html\n") and told in err and "bad" in err
    assert (
        names(page) == ["good"]
        and '<section class="damaged"' in page
        and told in page.split("Damaged")[1]
    )


def test_a_run_of_another_shape_costs_only_itself(tmp_path):
    add(tmp_path, "good")
    add(tmp_path, "odd", checks=3)
    add(tmp_path, "stranger", quantities={"of another version": {}})
    index = write_index(tmp_path)
    assert len(index.damaged) == 1 and "must have checks of type list, got int" in index.damaged[0]
    assert set(names(index.path.read_text("utf-8"))) == {"good", "stranger"}


@pytest.mark.parametrize("made", [True, False])
def test_no_runs_gives_a_page_that_says_how_to_make_one(aligntax, tmp_path, made):
    if made:
        (tmp_path / "none").mkdir()
    code, out, err = aligntax("index", "--out", "none")
    assert (code, out, err) == (0, "none/index.html\n", "")
    assert "no runs here yet" in (tmp_path / "none" / "index.html").read_text("utf-8")


def test_a_folder_that_cannot_be_written_is_told(aligntax, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = aligntax("index", "--out", "file")
    assert code == 2 and out == "" and "out: must be a folder that can be written, got file" in err
    with pytest.raises(InputError, match="choose another with --out"):
        write_index(tmp_path / "file" / "below")
    assert os.listdir(tmp_path) == ["file"]


def test_a_second_page_replaces_the_first_and_is_no_run(tmp_path):
    shutil.copytree(REFERENCE, tmp_path / "reference")
    write_index(tmp_path)
    assert names(page_of(tmp_path)) == ["reference"]
    assert sorted(os.listdir(tmp_path)) == ["index.html", "reference"]


def test_it_loads_nothing_slow(tmp_path):
    code = "import sys; from aligntax.analysis.pages.index import write_index; write_index(sys.argv[1]); print(*sys.modules)"
    add(tmp_path, "run")
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert not {"xarray", "pymc", "scipy", "matplotlib", "vl_convert", "pandas"} & set(
        done.stdout.split()
    )


def test_a_pass_with_exceptions_does_not_pass_for_a_bare_one(tmp_path) -> None:
    checks = [{"name": "r_hat", "passed": True}]
    add(tmp_path, "bare", verdict="pass", checks=checks, exceptions=[])
    assert "1 check passed</small>" in page_of(tmp_path)
    add(tmp_path, "named", verdict="pass", checks=checks, exceptions=[f"hours: {SCRIPT}"])
    page = page_of(tmp_path)
    assert page.count("1 check passed, 1 exception<") == 1
    assert SCRIPT not in page and "hours: &lt;script&gt;" in page
