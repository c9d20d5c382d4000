"""Conditions: what holds, in which unit, how censored draws count, and what cannot be read."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from aligntax.analysis.answers.condition import apply_condition, summarise_given
from aligntax.analysis.summaries.summary import summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.errors import InputError

# nan: never, later, see the states
YEAR = np.asarray([[2030.0, 2040, np.nan, 2050], [2031, np.nan, 2060, 2032]])
STATE = np.asarray([[0, 0, 1, 0], [0, 3, 0, 0]], dtype="int8")  # 1 later or never, 3 undefined
HOURS = np.log10([[1e3, 1e4, 1e5, 1e6], [1e7, 1e8, 1e9, 1e2]])
DIMS = ("chain", "draw")
DERIVED = xr.Dataset(
    {
        "tai_year": (DIMS, YEAR),
        "tai_year_state": (DIMS, STATE),
        "alignment_hours_needed": (DIMS, HOURS),
        "alignment_tax": (DIMS, np.full((2, 4), -2.5)),
        "anchor_probability": ((*DIMS, "anchor"), np.full((2, 4, 2), 0.5)),
    },
    coords={"anchor": ["none", "user"]},
)
EQUAL = Weights.equal((2, 4))


def draws(text):
    return apply_condition(text, DERIVED, EQUAL).draws


def test_values_are_in_natural_units():
    assert draws("alignment_hours_needed>1e6") == 3
    assert draws("alignment_hours_needed >= 1e6") == 4
    assert draws("alignment_hours_needed<1e3") == 1
    assert draws("alignment_hours_needed<=1e3") == 2
    assert draws("alignment_hours_needed==1e3") == 1
    assert draws("alignment_tax<1%") == 8 and draws("alignment_tax<0.4%") == 8
    with pytest.raises(InputError, match="holds in none"):
        draws("alignment_tax<0.3%")


def test_never_is_beyond_every_year_and_undefined_meets_nothing():
    assert draws("tai_year<2035") == 3
    assert draws("tai_year>=2035") == 4  # three years and "later or never", not the undefined draw
    assert draws("tai_year>2099") == 1


def test_conditions_are_joined_by_and():
    assert draws("tai_year<2035 and alignment_hours_needed<1e6") == 2
    assert draws("anchor_probability[none]>0.4") == 8


def test_probability_and_effective_size_count_weights():
    weights = Weights(np.asarray([[0.3, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]]))
    found = apply_condition("tai_year<2035", DERIVED, weights)
    assert found.probability == pytest.approx(0.5)
    assert found.weights.ess == pytest.approx(1 / (0.6**2 + 0.2**2 + 0.2**2))
    assert not found.check.passed and found.check.action.startswith("weaken the condition, or run")


def test_draws_that_do_not_count_are_not_counted():
    weights = Weights(np.asarray([[0.0, 0.25, 0.25, 0.0], [0.25, 0.0, 0.0, 0.25]]))
    found = apply_condition(
        "tai_year<2035", DERIVED, weights
    )  # of 2030, 2031 and 2032 the last two
    assert found.draws == 2 and found.probability == pytest.approx(0.5)
    with pytest.raises(InputError, match="holds in none"):
        apply_condition("tai_year>2055 and tai_year<2070", DERIVED, weights)


@pytest.mark.parametrize(("left", "enough"), [(399, False), (401, True)])
def test_a_condition_leaves_as_many_draws_as_any_answer_needs(left, enough):
    year = np.where(np.arange(4000) < left, 2030.0, 2050.0).reshape(4, 1000)
    derived = xr.Dataset({"tai_year": (DIMS, year)})
    found = apply_condition("tai_year<2040", derived, Weights.equal(year.shape))
    assert found.check.passed == enough == found.to_dict()["enough"]
    assert ("too few: 400 are wanted" in found.words) == (not enough)
    assert bool(found.check.action) == (not enough)
    assert (
        enough
        or (found.check.action)
        == "weaken the condition, or run again with more draws: --draws 2000"
    )


HEALTHY = [
    {"name": name, "value": 1.0, "threshold": 1.0, "passed": True, "where": "", "action": ""}
    for name in ("r_hat", "headline_r_hat", "headline_ess_bulk")
]


@pytest.fixture
def passed(reference):
    """The reference run, as if its checks had passed."""
    return replace(reference, record={**reference.record, "verdict": "pass", "checks": HEALTHY})


def test_a_run_that_passes_does_not_lend_its_verdict_to_few_draws(passed):
    """142 effective draws are no answer that meets the criteria of the run."""
    given, record = summarise_given(passed, "tai_year<2031")
    assert 100 < given.weights.ess < 400 and record["verdict"] == "fail"
    failed = {check["name"]: check for check in record["checks"] if not check["passed"]}
    assert {"given_ess", "headline_ess_bulk", "headline_mcse_of_median"} <= set(failed)
    assert all("weaken the condition" in check["action"] for check in failed.values())
    names = [check["name"] for check in record["checks"]]
    assert len(names) == len(set(names)) and "headline_r_hat" not in names  # of other draws


def test_contraction_is_that_of_the_draws_that_meet_the_condition(passed):
    """Given a quantity above its median, half a normal is left: 1 - 2/pi of the variance."""
    z = (
        passed.unconstrained_posterior["z"].sel(quantity="usd_per_hour").values
    )  # no evidence bears on it
    median = 10.0 ** float(np.median(passed.derived["usd_per_hour"]))
    above = Weights.equal(z.shape).given(z > np.median(z))
    _, record = summarise_given(passed, f"usd_per_hour>{median}")
    row = record["quantities"]["usd_per_hour"]
    assert row["contraction"] == pytest.approx(1 - np.var(z[above.values > 0]), abs=0.01)
    assert row["contraction"] == pytest.approx(2 / np.pi, abs=0.1)
    assert abs(passed.record["quantities"]["usd_per_hour"]["contraction"]) < 0.15
    assert record["quantities"]["tai_year"]["contraction"] is None


def test_the_conditional_of_two_normals_is_known():
    """x and y with correlation r: E(y | x > 0) = r sqrt(2 / pi)."""
    rng, r = np.random.default_rng(1), 0.6
    x = rng.standard_normal((4, 25_000))
    y = r * x + np.sqrt(1 - r**2) * rng.standard_normal(x.shape)
    derived = xr.Dataset({"data_exponent": (DIMS, x), "timeline_shift_exponent": (DIMS, y)})
    found = apply_condition("data_exponent>0", derived, Weights.equal(x.shape))
    assert found.probability == pytest.approx(0.5, abs=0.01)
    row = summarise(derived, (), found.weights)["timeline_shift_exponent"]
    assert row["mean"] == pytest.approx(r * np.sqrt(2 / np.pi), abs=0.01)
    assert found.check.passed


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "must compare a quantity with a number"),
        ("tai_year", "must compare"),
        ("tai_year<soon", "must be a number, got 'soon'"),
        ("tai_year<1.2.3", "must be a number in year"),
        ("tai_year<2035 and", "must compare"),
        ("tai_yeer<2035", "did you mean tai_year"),
        ("spend_cap<1", "must name a quantity of the run"),
        ("anchor_probability<1", r"it has anchor_probability\[none\]"),
        ("alignment_tax<-1", "must be a number above 0, got '-1'"),
        ("tai_year<2035%", "must be a number in year, got '2035%'; a percentage has no meaning"),
        ("alignment_hours_needed>5%", "a percentage has no meaning"),
        ("alignment_hours_needed>5 people", "must be a number in human-hours or OOM or hours, got"),
        ("TAI arrivel<2035", "did you mean"),
        ("tai_year>3000 and tai_year<2000", "holds in none"),
    ],
)
def test_what_cannot_be_read_is_one_message(text, message):
    with pytest.raises(InputError, match=message):
        draws(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("TAI arrival < 2035", "tai_year<2035"),
        ("alignment data needed>=2 million hours", "alignment_hours_needed>=2e6"),
        ("alignment_hours_needed>=1,000,000", "alignment_hours_needed>=1e6"),
        ("both taxes<=5% and tai_year<2040", "alignment_tax<=0.05 and tai_year<2040"),
    ],
)
def test_amounts_and_labels_are_read_as_people_write_them(text, same):
    assert draws(text) == draws(same)


@settings(max_examples=300)
@given(
    st.text(max_size=40)
    | st.from_regex(r"[a-z_]{0,12}[<>=]{0,2}[-0-9.e%]{0,8}( and .{0,9})?", fullmatch=True)
)
def test_any_text_is_read_or_refused(text):
    try:
        assert draws(text) > 0
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.slow
def test_show_given(aligntax, run_folder):
    code, out, _ = aligntax("show", run_folder, "--json", "--given", "tai_year<2035")
    told = json.loads(out)
    whole = json.loads((run_folder / "summary.json").read_text())
    assert (
        code == 0
        and told["given"]["text"] == "tai_year<2035"
        and 0 < told["given"]["probability"] < 1
    )
    row = told["quantities"]["tai_year"]
    assert row["q95"] < 2035 and row["prob_above"] == 0 and row["r_hat"] is None
    assert set(row) == set(whole["quantities"]["tai_year"]) and set(told["claims"]) == set(
        whole["claims"]
    )
    assert told["claims"] != whole["claims"]
    code, out, _ = aligntax("show", run_folder, "--given", "tai_year<2035")
    assert code == 0 and "given tai_year<2035: probability" in out
    code, _, err = aligntax("show", run_folder, "--given", "tai_year<")
    assert code == 2 and err.count("\n") == 1


@pytest.mark.slow
def test_report_given_is_a_page_of_its_own(aligntax, run_folder, tmp_path):
    import shutil

    folder = shutil.copytree(run_folder, tmp_path / "copy")
    before = (folder / "report.html").read_bytes()
    code, out, _ = aligntax("report", folder, "--given", "tai_year<2040")
    page = folder / "report-given-tai_year-below-2040.html"
    assert (
        code == 0 and out.strip() == str(page) and (folder / "report.html").read_bytes() == before
    )
    other = aligntax("report", folder, "--given", "tai_year>2040")[1].strip()
    assert other != str(page) and page.exists()  # the opposite condition is another page
    text = page.read_text()
    assert (
        "tai_year&lt;2040" in text
        and "effective draws" in text
        and "could not be drawn" not in text
    )
