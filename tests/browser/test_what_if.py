"""Priors moved in a report: the page answers as a refit does, says where it cannot, and hands out what it shows."""

import csv
import json
import re
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from aligntax import refit, run
from aligntax.analysis.inference.derive import observed_evidence, replicate_evidence
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.pages.report import write_report
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.alignment_wait import AlignmentWait
from aligntax.analysis.summaries.words import format_amount, median_and_interval
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.amounts import read_amount
from aligntax.models.priors.quantities import lookup, quantity_of
from aligntax.models.views import load_view, parse_view
from tests.conftest import REFERENCE
from tests.what_if_vector import KEYS, ROW, VECTOR, answered, moved

WAGE, TOLERANCE = "usd_per_hour", "alignment_tax_tolerance"
CLOSE = 1e-6  # of a posterior standard deviation
# Where an answer's checks refuse it a few draws count for all, and the page's single precision
# moves their weights in the seventh digit: means and sds follow by some of that, and a quantile
# between two draws of little weight jumps.
REFUSED, REFUSED_QUANTILE = 1e-4, 0.02
# A page holds log densities of evidence in steps of a millionth, which move a check's fifth digit.
CHECK_IN_STEPS = 3e-5

# What the page answers to each case, worked out by its own scripts on the data that it holds.
ANSWERS = """async (cases) => {
  const held = JSON.parse(document.getElementById("held").textContent), run = await WhatIf.load(held);
  return cases.map((each) => {
    const own = (name) => run.views[each.view][name] ?? run.tables[run.index[name]];
    const chosen = each.view ? Object.fromEntries(held.quantities.map(({ name }) => [name, own(name)]))
      : Object.fromEntries(Object.entries(each.move).map(([name, points]) => [name, WhatIf.stated(run, name, points)]));
    const answer = WhatIf.answer(run, chosen, each.without ?? []), finite = (v) => (Number.isFinite(v) ? v : null);
    const row = (name) => Object.fromEntries(Object.entries(Weights.summary(answer.columns[name], answer.weights)).map(([k, v]) => [k, finite(v)]));
    const claims = Object.fromEntries(held.claims.map((c) => [c.name, Weights.claim(c, answer.columns, answer.weights, run)]));
    return { exact: answer.exact, claims, checks: Object.fromEntries(answer.checks.map((c) => [c.name, [finite(c.value), c.passed, c.where]])),
             rows: Object.fromEntries(held.columns.map(({ name }) => [name, row(name)])) };
  });
}"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with the reference run and its report."""
    out = tmp_path_factory.mktemp("results")
    shutil.copytree(REFERENCE, out / "reference")
    write_report(load(out / "reference"), strict=True)
    return out


@pytest.fixture(scope="module")
def source():
    return read_sampled_run(REFERENCE)


def ready(opened, path, **options):
    page = opened(path, **options)
    page.wait_for_selector("#what-if[data-ready]")
    return page


@pytest.fixture
def page(results, opened):
    return ready(opened, results / "reference" / "report.html")


def after(page, act):
    """Do something and wait until the page has followed."""
    before = page.get_attribute("#what-if", "data-updates")
    act()
    page.wait_for_selector(
        "#what-if[data-updates]" + (f':not([data-updates="{before}"])' if before else "")
    )


def fields(page, quantity, kind="text"):
    return page.locator(f'fieldset[data-quantity="{quantity}"] input[type={kind}]')


def value(field, quantity=WAGE):
    """What a field says, as the terminal would read it."""
    return read_amount(lookup(quantity), field.input_value())


def state(page, *points, quantity=WAGE):
    """State the three points of a prior, from the highest down or the lowest up, so that they stay in order."""
    page.eval_on_selector_all(
        ".priors > details", "all => all.forEach(one => { one.open = true; })"
    )
    now = [value(fields(page, quantity).nth(k), quantity) for k in range(3)]
    for k in (2, 1, 0) if points[2] > now[2] or points[1] >= now[1] else (0, 1, 2):
        if points[k] != now[k]:
            after(page, lambda k=k: fields(page, quantity).nth(k).fill(str(points[k])))


def status(page):
    return page.locator("[data-out=status]").inner_text()


def command(page):
    return page.locator("[data-out=command] code").inner_text()


def shown(page, name):
    return page.locator(f'[data-number="{name}"]').inner_text()


def spelt(rows, name):
    median, ninety = median_and_interval(rows[name], quantity_of(name), 2100.0)
    return f"{median} ({ninety})" if ninety else median


def assert_same(found, expected, where):
    """Two answers, the numbers within a millionth of a posterior standard deviation where they are to be trusted."""
    assert found["exact"] == expected["exact"], where
    trusted = all(passed for _, passed, _ in expected["checks"].values())
    for name, row in expected["rows"].items():
        ends = [row[key] for key in ("q05", "q25", "q50", "q75", "q95") if row[key] is not None]
        spread = row["sd"] or (max(ends) - min(ends) if len(ends) > 1 else 0.0) / 3 or 1.0
        for key in KEYS:
            got, wanted = found["rows"][name][key], row[key]
            assert (got is None) == (wanted is None), (where, name, key, got, wanted)
            if wanted is not None:
                close = (
                    CLOSE
                    if trusted or key.startswith("prob")
                    else REFUSED_QUANTILE
                    if key[0] == "q"
                    else REFUSED
                )
                assert abs(got - wanted) <= close * (1.0 if key.startswith("prob") else spread), (
                    where,
                    name,
                    key,
                )
    for name, (value, passed, place) in expected["checks"].items():
        got = found["checks"][name]
        assert got[1:] == [passed, place], (where, name)
        close = CHECK_IN_STEPS if expected.get("without") else 1e-6
        assert got[0] == pytest.approx(value, abs=close, rel=close, nan_ok=True), (where, name)
    assert list(found["claims"]) == list(expected["claims"]), where
    for name, claim in found["claims"].items():
        close = CLOSE if expected.get("without") else 1e-9
        assert claim == pytest.approx(expected["claims"][name], abs=close), (where, name)


def test_every_move_is_answered_as_a_refit_answers_it(page):
    vector = json.loads(VECTOR.read_text())
    cases = [*vector["moves"], *vector["without"], *vector["views"]]
    told = [
        {key: case[key] for key in ("move", "without", "view") if key in case} for case in cases
    ]
    for case, found in zip(cases, page.evaluate(ANSWERS, told), strict=True):
        assert_same(found, case, case.get("move", case.get("view")))


def test_the_comparison_sees_a_wrong_answer(page):
    """Negative control: the answer to another move is not the same."""
    moves = json.loads(VECTOR.read_text())["moves"]
    found = page.evaluate(ANSWERS, [{"move": {WAGE: [10, 50.1, 200]}}])[0]
    with pytest.raises(AssertionError):
        assert_same(found, moves[1], "")


def test_a_refit_by_reweighting_is_where_its_page_starts(results, opened, source):
    view = moved(source, {"spend_growth": [0.5, 0.57, 0.64], WAGE: [10, 50, 200]})
    result = refit(
        results / "reference", view, "reweight", out=results, name="reweighted", report=True
    )
    page = ready(opened, result.path / "report.html")
    assert page.locator("[data-out=check]").is_hidden()
    further = {"spend_growth": [0.5, 0.57, 0.64], WAGE: [20, 80, 300]}
    start, found = page.evaluate(ANSWERS, [{"move": {}}, {"move": {WAGE: further[WAGE]}}])
    names = list(start["rows"])
    for answer, wanted in (
        (start, answered(source, view)),
        (found, answered(source, moved(source, further))),
    ):
        assert_same(
            answer, {**wanted, "rows": {name: wanted["rows"][name] for name in names}}, "refit"
        )


def test_moving_the_wage_moves_the_numbers(page, source):
    before = shown(page, "alignment_hours_affordable")
    state(page, 10, 50, 200)
    assert "Redrawn exactly" in status(page)
    rows = answered(source, moved(source, {WAGE: [10, 50, 200]}))["rows"]
    assert (
        shown(page, "alignment_hours_affordable")
        == spelt(rows, "alignment_hours_affordable")
        != before
    )
    for cell in page.locator("[data-number]").all():
        name = cell.get_attribute("data-number")
        if name != "timeline_shift_alignment":  # nothing or for ever: in shares
            assert cell.inner_text() == spelt(rows, name), name
    assert spelt(rows, "prob_affordable") in page.locator("[data-out=sentence]").inner_text()
    assert command(page) == f"aligntax refit reference --set {WAGE}=10,50,200"


def test_the_delay_by_alignment_is_told_in_shares_as_in_python(page):
    run = load(REFERENCE)
    wait = AlignmentWait.of(run.derived, run.weights)
    assert shown(page, "timeline_shift_alignment") == wait.words(2100.0)
    state(page, 10, 300, 9000, quantity="rlhf_multiplier")
    never = re.search(r"for ever in (\d+)%", shown(page, "timeline_shift_alignment"))
    assert int(never[1]) > 100 * wait.never


def test_what_evidence_informs_is_reweighted_and_far_moves_are_to_be_sampled(page):
    state(page, 4e26, 1e28, 4e33, quantity="lifetime_flop")
    assert re.search(r"Reweighted\. \d+ effective draws of 880, Pareto k-hat", status(page))
    assert "untrusted" not in page.get_attribute("#what-if", "class")
    after(page, lambda: page.click("[data-do=reset]"))
    state(page, 1.5, 1.8, 2.1, quantity="spend_growth")
    assert "Sample this one." in status(page) and "spend_growth" in status(page)
    assert "untrusted" in page.get_attribute("#what-if", "class")
    assert float(page.eval_on_selector(".answer-now", "e => getComputedStyle(e).opacity")) < 0.6
    assert command(page) == "aligntax refit reference --set spend_growth=1.5,1.8,2.1"
    after(page, lambda: page.click("[data-do=reset]"))
    assert "As the run" in status(page)
    assert "untrusted" not in page.get_attribute("#what-if", "class")


def test_the_command_does_what_the_page_shows(page, aligntax, results):
    state(page, 10, 50, 200)
    words = command(page).split()
    assert words[0] == "aligntax"
    code, out, _ = aligntax(*words[1:], "--out", results, "--name", "pasted", "--json")
    told = json.loads(out)
    # the reference run is too short for its own checks
    assert code == (1 if told["verdict"] == "fail" else 0)
    assert shown(page, "tax_headroom") == spelt(told["quantities"], "tax_headroom")


def exported(page, tmp_path):
    with page.expect_download() as download:
        page.click("[data-do=export]")
    path = tmp_path / "what-if.toml"
    download.value.save_as(path)
    return path


def test_the_exported_view_is_a_view(page, aligntax, tmp_path, source):
    state(page, 10, 50, 200)
    state(page, 1.0, 30.0, 900.0, quantity="rlhf_multiplier")
    path = exported(page, tmp_path)
    assert aligntax("view", "check", path)[0] == 0
    text = path.read_text("utf-8")
    view = parse_view(text, str(path))
    expected = moved(source, {WAGE: [10, 50, 200], "rlhf_multiplier": [1.0, 30.0, 900.0]})
    assert view.hash == expected.hash
    # what it extends and what was moved, no more
    assert 'extends = "default"' in text and len(text.splitlines()) < 20
    assert set(re.findall(r"\[quantities\.(\w+)", text)) == {WAGE, "rlhf_multiplier"}


def test_a_named_view_is_exported_as_what_it_changes(page, tmp_path):
    page.eval_on_selector_all(
        ".priors > details", "all => all.forEach(one => { one.open = true; })"
    )
    page.locator(f'[data-quantity="{TOLERANCE}"] input[type=checkbox]').check()
    after(page, lambda: page.select_option("select[name=view]", "hilton-2022"))
    state(page, 10, 50, 200)
    path = exported(page, tmp_path)
    text = path.read_text("utf-8")
    assert 'extends = "hilton-2022"' in text
    view, hilton, own = parse_view(text, str(path)), load_view("hilton-2022"), load_view("default")
    assert dict(view.quantities["practice_hours"]) == dict(hilton.quantities["practice_hours"])
    # locked before the view was chosen
    assert dict(view.quantities[TOLERANCE]) == dict(own.quantities[TOLERANCE])
    assert view.quantities[WAGE]["quantiles"] == {"0.1": 10.0, "0.5": 50.0, "0.9": 200.0}


def test_a_named_view_takes_its_priors_but_for_locked_ones(page, source):
    page.eval_on_selector_all(
        ".priors > details", "all => all.forEach(one => { one.open = true; })"
    )
    after(page, lambda: page.select_option("select[name=view]", "leike-2023"))
    found = next(
        each for each in json.loads(VECTOR.read_text())["views"] if each["view"] == "leike-2023"
    )
    assert shown(page, "tax_headroom") == spelt(found["rows"], "tax_headroom")
    assert command(page) == "aligntax refit reference --view leike-2023"
    page.locator(f'[data-quantity="{TOLERANCE}"] input[type=checkbox]').check()
    assert fields(page, TOLERANCE).first.is_disabled()
    after(page, lambda: page.select_option("select[name=view]", "steiner-2022"))
    assert shown(page, "alignment_tax_tolerance") == spelt(found["rows"], "alignment_tax_tolerance")
    assert "--view what-if.toml" in command(page)
    assert page.get_by_text("export the view first").is_visible()
    after(page, lambda: page.select_option("select[name=view]", "bioanchors-alone"))
    assert (
        "Sample this one. The view changes the weights of the kinds of requirement: the run's draws "
        "cannot answer that." in status(page)
    )
    assert page.locator("[data-do=export]").is_disabled()


def test_what_is_wrong_with_a_field_is_said_beside_it_and_stays_until_it_is_mended(page):
    before = shown(page, "tax_headroom")
    middle = fields(page, WAGE).nth(1)
    problem = page.locator(f'[data-quantity="{WAGE}"] .problem')
    for text, words in (
        ("9000", "50% point: must lie below the 90% point, "),
        ("-1", "50% point: must be a number above 0"),
        ("5%", "50% point: a percentage has no meaning here"),
        ("many", "50% point: must be a number above 0, for instance 3, 0.02 or 2 million"),
    ):
        middle.fill(text)
        middle.blur()
        assert problem.inner_text().startswith(words), text
        assert "Not taken: the answer keeps" in problem.inner_text()
        assert middle.input_value() == text and middle.get_attribute("aria-invalid") == "true"
        assert middle.get_attribute("aria-describedby") == problem.get_attribute("id")
        assert shown(page, "tax_headroom") == before
    after(page, lambda: middle.fill("45"))
    assert problem.inner_text() == "" and middle.get_attribute("aria-invalid") == "false"
    assert page.locator(f'[data-quantity="{WAGE}"] .sketch .moved').get_attribute("d")


def test_fields_read_and_show_what_people_write(page):
    after(page, lambda: fields(page, TOLERANCE).nth(2).fill("40%"))
    assert re.search(rf"--set {TOLERANCE}=[0-9.]+,[0-9.]+,0\.4$", command(page))
    assert fields(page, TOLERANCE).nth(0).input_value().endswith("%")
    hours = fields(page, "workforce_hours").nth(2)
    after(page, lambda: hours.fill("900 million"))
    hours.blur()
    assert hours.input_value() == "900 million" and "900000000" in command(page)


AMOUNTS = ("3", "1,000", "1_000", "2M", "2 million", "5%", "3x", "3 x", "1e3", ".5", "1.5bn", "0")
AMOUNTS += (
    "-1",
    "1,5",
    "2m",
    "",
    "many",
    "5 apples",
    "40 USD/hour",
    "1e400",
    "12 %",
    "1 million %",
)


@pytest.mark.parametrize("name", [WAGE, TOLERANCE, "spend_growth", "superexponential_weight"])
def test_amounts_are_read_as_in_python(page, name):
    held = page.evaluate("() => JSON.parse(document.getElementById('held').textContent).quantities")
    quantity = next(each for each in held if each["name"] == name)
    told = page.evaluate(
        "([q, texts]) => texts.map((text) => Amounts.read(q, text).value ?? null)",
        [quantity, AMOUNTS],
    )
    for text, found in zip(AMOUNTS, told, strict=True):
        try:
            wanted = read_amount(lookup(name), text)
        except InputError:
            wanted = None
        assert found == (None if wanted is None else pytest.approx(wanted, rel=1e-12)), text


@pytest.mark.parametrize("name", [WAGE, TOLERANCE, "spend_growth"])
def test_sliders_reach_both_ends_and_stay_in_order(page, name):
    page.eval_on_selector_all(
        ".priors > details", "all => all.forEach(one => { one.open = true; })"
    )
    for k, key in ((2, "Home"), (0, "End"), (1, "Home"), (1, "End")):
        slider = fields(page, name, "range").nth(k)
        slider.focus()
        after(page, lambda key=key: page.keyboard.press(key))
        low, middle, high = (value(fields(page, name).nth(j), name) for j in range(3))
        assert low < middle < high
        assert not page.locator(f'[data-quantity="{name}"] .problem').inner_text()
        for j, end in enumerate((low, middle, high)):
            least, most = (
                float(fields(page, name, "range").nth(j).get_attribute(side))
                for side in ("min", "max")
            )
            at = lookup(name).to_link(end)
            assert least - 2e-3 * (most - least) <= at <= most + 2e-3 * (most - least)
    if name == TOLERANCE:
        assert high <= 1.0


def test_a_slider_is_wide(page):
    box = fields(page, TOLERANCE, "range").nth(1).bounding_box()
    assert box["width"] >= 350


def test_an_address_gives_the_same_answer_again(page, opened, results, source):
    after(page, lambda: page.select_option("select[name=view]", "steiner-2022"))
    state(page, 10, 50, 200)
    state(page, 0.01, 0.05, 0.4, quantity=TOLERANCE)
    page.wait_for_function("() => location.hash.includes('alignment_tax_tolerance')")
    address = page.evaluate("location.hash")
    assert address.startswith("#view=steiner-2022&") and f"{WAGE}=10,50,200" in address
    numbers = page.locator("[data-number]").all_inner_texts()
    again = opened(results / "reference" / "report.html")
    again.goto(page.url)
    again.reload()
    again.wait_for_selector("#what-if[data-ready]")
    again.wait_for_selector("#what-if[data-updates]")
    assert again.locator("[data-number]").all_inner_texts() == numbers
    assert command(again) == command(page)
    assert again.locator("select[name=view]").input_value() == "steiner-2022"
    assert [value(fields(again, WAGE).nth(k)) for k in range(3)] == [10, 50, 200]
    after(again, lambda: again.click("[data-do=reset]"))
    again.wait_for_function("() => location.hash === ''")


def test_an_address_that_means_nothing_here_says_so(opened, results):
    page = opened(results / "reference" / "report.html")
    page.goto(f"{page.url}#view=nobodys&{WAGE}=3,2,1&colour=1,2,3&{TOLERANCE}=0.01,0.1,0.5")
    page.reload()
    page.wait_for_selector("#what-if[data-ready]")
    said = page.locator("[data-out=address]").inner_text()
    for words in ('no view "nobodys"', '"3,2,1" is not three numbers', 'No prior called "colour"'):
        assert words in said
    assert command(page).endswith(f"--set {TOLERANCE}=0.01,0.1,0.5")


def test_the_link_is_copied_or_selected(page):
    state(page, 10, 50, 200)
    page.click("[data-do=link]")
    page.wait_for_function(
        "() => ['Copied', 'Selected: copy it'].includes("
        "document.querySelector('[data-do=link]').textContent)"
    )
    assert f"#{WAGE}=10,50,200" in page.url


def test_the_bar_keeps_the_answer_in_sight_on_a_phone(results, opened):
    page = ready(opened, results / "reference" / "report.html", width=380, height=740)
    bar = page.locator("[data-out=bar]")
    fields(page, TOLERANCE).nth(1).scroll_into_view_if_needed()
    state(page, 0.001, 0.002, 0.003, quantity=TOLERANCE)
    box = bar.bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 740
    assert "was " in bar.inner_text() and bar.get_attribute("aria-live") == "polite"
    assert shown(page, "prob_affordable") in bar.inner_text()


def test_sliders_follow_keys_and_push_their_neighbours(page):
    slider = fields(page, WAGE, "range").nth(1)
    slider.focus()
    before = value(fields(page, WAGE).nth(1))
    after(page, lambda: page.keyboard.press("ArrowRight"))
    assert value(fields(page, WAGE).nth(1)) > before
    after(page, lambda: page.keyboard.press("End"))
    low, middle, high = (value(fields(page, WAGE).nth(k)) for k in range(3))
    assert low < middle < high
    assert "USD/hour" in slider.get_attribute("aria-valuetext")
    after(page, lambda: page.locator(f'[data-quantity="{WAGE}"] button').click())
    assert "As the run" in status(page)


def test_a_prior_is_found_by_its_words(page):
    page.fill("input[name=filter]", "paid per")
    visible = page.locator(".prior:visible")
    assert visible.count() == 1
    assert visible.get_attribute("data-quantity") == WAGE


def test_charts_show_the_answer_and_hand_out_their_rows(page, tmp_path, source):
    state(page, 10, 50, 200)
    assert page.locator("#what-if .chart canvas").count() == 8
    assert page.locator("#what-if .broken").count() == 0
    figure = page.locator("#what-if figure").nth(1)
    with page.expect_download() as download:
        figure.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "arrival.csv")
    rows = list(csv.DictReader(StringIO((tmp_path / "arrival.csv").read_text("utf-8"))))
    found = {
        int(row["year"]): float(row["probability"]) for row in rows if row["series"] == "what if"
    }
    year = load(REFERENCE).derived["tai_year"].values.ravel()
    assert all(
        probability == pytest.approx(np.mean(year <= at), abs=2e-3)
        for at, probability in found.items()
    )
    with page.expect_download() as download:
        figure.get_by_role("button", name="SVG").click()
    download.value.save_as(tmp_path / "arrival.svg")
    assert (tmp_path / "arrival.svg").read_text("utf-8").startswith("<svg")
    figure.locator("summary").click()
    figure.locator("tbody tr").first.wait_for()
    assert figure.locator("tbody tr").count() == len(rows)


def test_a_chart_shows_values_under_the_pointer(page):
    chart = page.locator("#what-if .chart").nth(1)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    for across in np.linspace(0.4, 0.9, 12):
        for down in np.linspace(0.15, 0.75, 12):
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            if page.locator("#vg-tooltip-element.visible").count():
                assert "probability" in page.locator("#vg-tooltip-element").inner_text()
                return
    pytest.fail("no value under the pointer anywhere")


def test_chosen_quantities_have_forest_and_pair_plots(page, results):
    page.locator("details.chosen > summary").click()
    page.wait_for_selector("details.chosen figure:nth-of-type(1) canvas")
    page.select_option('[aria-label="Quantities of the forest plot"]', label="Compute")
    page.select_option('[aria-label="Horizontal quantity"]', "spend_growth")
    page.select_option('[aria-label="Vertical quantity"]', "tai_year")
    page.wait_for_selector('details.chosen [aria-label="spend growth and TAI arrival"] canvas')
    assert page.locator("details.chosen .chart canvas").count() == 2
    assert page.locator("details.chosen .broken").count() == 0


def test_a_chart_that_fails_says_why_in_its_place(page):
    found = page.evaluate(
        """async () => { const place = document.querySelector("#what-if figure .chart");
        await Charts.draw(place, { mark: "no such mark" }, [], "broken"); return place.innerText; }"""
    )
    assert found.startswith("This figure could not be drawn. TypeError: ")


def test_the_page_knows_when_its_arithmetic_is_not_the_runs(results, opened, tmp_path):
    """Negative control: a stored number that the draws do not give."""
    text = (results / "reference" / "report.html").read_text("utf-8")
    changed = re.sub(
        r'("name":"data_exponent","label".*?"stored":\{"q05":)[0-9.]+', r"\g<1>0.5", text, count=1
    )
    assert changed != text
    (tmp_path / "report.html").write_text(changed, "utf-8")
    page = ready(opened, tmp_path / "report.html")
    assert (
        "does not give the run's numbers of data exponent"
        in page.locator("[data-out=check]").inner_text()
    )


HOSTILE = "<script>alert(1)</script>\"'</title>&"


def test_a_hostile_view_is_text(results, opened, aligntax, tmp_path):
    result = load(results / "reference")
    view = result.view.replace(name=HOSTILE, title=HOSTILE)
    hostile = refit(result, view, "reweight", out=tmp_path, name="hostile", report=True)
    named = replace(hostile, record={**hostile.record, "view": HOSTILE})
    page = ready(opened, write_report(named, strict=True))
    assert HOSTILE in page.locator("header").inner_text()
    state(page, 10, 50, 200)
    path = exported(page, tmp_path)
    assert aligntax("view", "check", path)[0] == 0
    assert parse_view(path.read_text("utf-8"), str(path)).name == f"{HOSTILE}-what-if"


def test_words_are_those_of_python(page):
    names = (
        "alignment_hours_needed",
        "alignment_tax",
        "tai_year",
        "timeline_shift_exponent",
        "tai_flop",
        "data_exponent",
    )
    names += ("rlhf_multiple_needed", "tax_headroom", "training_cost_at_tai")
    # none halfway between two roundings
    values = np.random.default_rng(1).uniform(-6.3, 45.7, 261).tolist()
    quantities = page.evaluate(
        "() => JSON.parse(document.getElementById('held').textContent).columns"
    )
    columns = {column["name"]: column for column in quantities}
    for name in names:
        told = page.evaluate(
            "([q, values]) => values.map((v) => Words.amount(v, q))", [columns[name], values]
        )
        assert told == [format_amount(value, lookup(name)) for value in values], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_nothing_overflows(results, opened, width, scheme):
    page = ready(opened, results / "reference" / "report.html", width=width, color_scheme=scheme)
    page.eval_on_selector_all("#what-if details", "all => all.forEach(one => { one.open = true; })")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_on_ten_pages(results, opened, tmp_path):
    """With posterior predictive checks, which the reference run does not store."""
    run = load(results / "reference")
    model, view, evidence = find_model("joint"), run.view, run.evidence
    tables = view.tables(model.quantities)
    replicated = replicate_evidence(
        model, run.draws, tables, evidence, view, np.random.default_rng(1)
    )
    actual = observed_evidence(model, evidence, view)
    whole = run.with_groups(
        replace(run.groups, posterior_predictive=replicated, observed_data=actual)
    )
    folder = shutil.copytree(run.path, tmp_path / "run")
    page = ready(opened, write_report(replace(whole, path=folder), strict=True))
    pdf = page.pdf(format="A4")
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) <= 10


def test_the_page_is_small_enough(results):
    assert (Path(results) / "reference" / "report.html").stat().st_size < 6e6


def switch(page, key):
    page.eval_on_selector_all(".evidence", "all => all.forEach(one => { one.open = true; })")
    return page.locator(f'input[data-evidence="{key}"]')


def test_evidence_is_switched_off_and_on(page, results, source):
    before = shown(page, "tai_year")
    after(page, lambda: switch(page, ROW).uncheck())
    assert "Reweighted." in status(page)
    rows = answered(source, source.view, [ROW])["rows"]
    for name in ("tai_year", "timeline_shift_exponent", "alignment_hours_needed"):
        assert shown(page, name) == spelt(rows, name), name
    assert command(page) == f"aligntax refit reference --without {ROW}"
    page.wait_for_function(f'location.hash === "#without={ROW}"')
    again = page.url
    page.goto("about:blank")
    page.goto(again)
    page.wait_for_selector("#what-if[data-ready]")
    assert not switch(page, ROW).is_checked() and shown(page, "tai_year") == spelt(rows, "tai_year")
    after(page, lambda: page.click("[data-do=reset]"))
    assert switch(page, ROW).is_checked() and shown(page, "tai_year") == before


def test_evidence_whose_weights_cannot_be_trusted_is_greyed_out(page):
    for key in (
        "training_runs",
        "time_horizons",
        "rlhf_efforts:llama2_2023",
        "paid_taxes:meta2024",
    ):
        box = switch(page, key)
        assert box.is_disabled() and box.is_checked()
        note = page.locator(f'label:has(input[data-evidence="{key}"]) small')
        assert note.inner_text().strip() == "needs sampling"
        assert note.get_attribute("title") == f"aligntax refit reference --without {key}"


def test_an_address_that_leaves_out_what_cannot_be_is_answered_without_it(page, results):
    path = results / "reference" / "report.html"
    page.goto(f"{path.as_uri()}#without=training_runs,{ROW}")
    page.reload()
    page.wait_for_selector("#what-if[data-ready]")
    said = page.locator("[data-out=address]").inner_text()
    assert 'Evidence "training_runs" cannot be left out here.' in said
    assert command(page) == f"aligntax refit reference --without {ROW}"


def test_the_export_says_what_evidence_was_left_out(page, tmp_path):
    after(page, lambda: switch(page, ROW).uncheck())
    state(page, 10, 50, 200)
    text = exported(page, tmp_path).read_text("utf-8")
    assert f"evidence left out there: {ROW}" in text
    assert parse_view(text, "view").quantities[WAGE]["quantiles"]["0.5"] == 50.0


def test_finding_finds_evidence_too(page):
    page.fill("input[name=filter]", "ho et al")
    visible = page.locator(".evidence li:visible")
    assert visible.count() >= 1
    assert page.locator("fieldset.prior:visible").count() == 0
    page.fill("input[name=filter]", "")
    assert page.locator(".evidence:visible").count() == page.locator(".evidence").count()


def test_priced_ai_labour_is_answered_as_a_refit_answers_it(opened, tmp_path):
    options = Sampling(draws=300, tune=300, chains=2, seed=4)
    view = load_view("with-ai-labour")
    result = run("alignment", view, options=options, out=tmp_path, name="ai", progress=False)
    page = ready(opened, result.path / "report.html")
    assert page.locator("[data-out=check]").is_hidden()
    source, move = read_sampled_run(result.path), {"rlhf_multiplier": [0.05, 1, 20]}
    cases = [{}, move, {"ai_substitution": [1.3, 2, 6], **move}]
    for case, found in zip(
        cases, page.evaluate(ANSWERS, [{"move": case} for case in cases]), strict=True
    ):
        wanted = answered(source, moved(source, case))
        same = {key: {n: wanted[key][n] for n in found[key]} for key in ("rows", "claims")}
        assert_same(found, {**wanted, **same}, case)
