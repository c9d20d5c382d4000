"""What to buy for a year: the alignment model's own answer at that date, monotone where it must be, in plain words."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.answers.budget import budget
from aligntax.analysis.answers.budget_in_words import budget_paragraph
from aligntax.analysis.answers.dated_budget import FULL_TIME, dated_budget
from aligntax.analysis.answers.swings import swings
from aligntax.analysis.inference.derive import derive_from
from aligntax.analysis.summaries.summary import draws_of, weighted_points
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError

SHAPE = (4, 500)
MODEL = find_model("alignment")


@pytest.fixture(scope="module")
def drawn(view):
    """Prior draws of the alignment model, elicited and structural."""
    rng = np.random.default_rng(7)
    tables = view.tables(MODEL.quantities)
    z = rng.standard_normal((*SHAPE, len(tables.names)))
    spread = xr.Dataset(
        {"tolerance_spread": (("chain", "draw"), np.abs(rng.normal(0, 0.5, SHAPE)))}
    )
    return tables.values(z), spread


@pytest.fixture(scope="module")
def at(drawn, view, evidence):
    """A run of these draws under ``[alignment] date``, whose random numbers are the same at each."""

    def of(date: float):
        dated = view.replace(alignment={"date": date})
        derived = derive_from(MODEL, *drawn, evidence, dated, np.random.default_rng(1))
        return SimpleNamespace(
            derived=derived,
            evidence=evidence,
            view=dated,
            weights=Weights.equal(SHAPE),
            record={"model": "alignment", "run": "made", "verdict": "pass", "checks": []},
        )

    return of


@pytest.mark.parametrize("date", [2024.0, 2027.0, 2031.5, 2060.0])
def test_a_year_is_answered_as_the_model_under_that_date(at, date):
    answer, own = dated_budget(at(2030.0), date), at(date).derived
    for told, name in (
        (answer.needed, "alignment_hours_needed"),
        (answer.tolerated, "alignment_hours_affordable"),
        (answer.tax, "alignment_tax"),
        (answer.tolerance, "tolerance_at_arrival"),
    ):
        expected = weighted_points(
            draws_of(name, own).ravel(), np.ones(np.prod(SHAPE)), (0.05, 0.5, 0.95)
        )
        assert np.log10(told) == pytest.approx(expected, abs=1e-9), name
    (hours,) = weighted_points(
        draws_of("alignment_hours_needed", own).ravel(), np.ones(np.prod(SHAPE)), (0.8,)
    )
    assert np.log10(answer.hours) == pytest.approx(hours, abs=1e-9)
    assert answer.people == pytest.approx(answer.hours / FULL_TIME)
    assert answer.pays == pytest.approx(float(own["prob_affordable"].mean()), abs=1e-9)
    assert answer.too_few_people == pytest.approx(
        float(own["workforce_too_small"].mean()), abs=1e-9
    )


def test_another_date_is_another_answer(at):
    """Negative control: the stored date is not what answers."""
    run = at(2030.0)
    assert dated_budget(run, 2040.0).hours > 1.2 * dated_budget(run, 2030.0).hours


def test_a_dearer_run_needs_and_affords_more(at):
    run = at(2030.0)
    rows = [dated_budget(run, 2027.0, training_cost=cost) for cost in (1e7, 1e8, 1e9, 1e10)]
    assert [row.training_cost[1] for row in rows] == pytest.approx([1e7, 1e8, 1e9, 1e10])
    for name in ("hours", "usd", "people"):
        amounts = [getattr(row, name) for row in rows]
        assert amounts == sorted(amounts) and amounts[0] < amounts[-1], name
    tolerated = [row.tolerated[1] for row in rows]
    assert tolerated == sorted(tolerated) and tolerated[-1] > 100 * tolerated[0]


def test_the_cost_of_the_largest_run_is_what_is_spent_without_a_stated_one(at):
    """A run of the trend's own middle cost lies where the trend does."""
    own = dated_budget(at(2030.0), 2027.0)
    stated = dated_budget(at(2030.0), 2027.0, training_cost=own.training_cost[1])
    assert np.log10(stated.hours) == pytest.approx(np.log10(own.hours), abs=0.15)


def test_in_python_it_says_its_answer(at):
    answer = dated_budget(at(2030.0), 2027.0)
    assert " ".join(repr(answer).split()).startswith(budget_paragraph(answer))
    assert max(map(len, repr(answer).splitlines())) <= 100


def test_more_confidence_takes_more_hours(at):
    hours = [dated_budget(at(2030.0), 2027.0, share).hours for share in (0.5, 0.7, 0.9, 0.99)]
    assert hours == sorted(hours) and hours[0] < hours[-1]


def test_a_confidence_that_no_hours_reach_says_so(at):
    run = at(2030.0)
    needed = run.derived["alignment_hours_needed"]
    quality = draws_of("quality_factor", run.derived).copy()
    quality[:, : SHAPE[1] // 5] = np.inf  # no amount is enough in a fifth of the draws
    run.derived = run.derived.assign(quality_factor=(needed.dims, quality))
    low, high = (dated_budget(run, 2027.0, share) for share in (0.7, 0.9))
    assert np.isfinite(low.hours) and low.reach == pytest.approx(0.8)
    assert np.isinf(high.hours) and high.pays_for_hours == 0.0
    assert "no number of hours of human feedback suffices with 90%" in budget_paragraph(high)
    assert "ask for less than 80%" in budget_paragraph(high)
    assert json.loads(json.dumps(high.to_dict(), allow_nan=False))["hours"] is None


def test_what_is_tolerated_bounds_the_confidence(at):
    answer = dated_budget(at(2030.0), 2027.0, 0.99)
    assert answer.pays < 0.99 and "No tolerated tax reaches 99% confidence" in budget_paragraph(
        answer
    )
    assert "No tolerated tax" not in budget_paragraph(dated_budget(at(2030.0), 2027.0, 0.05))


def test_only_what_enters_the_hours_changes_them(at):
    """The tolerance goes along with practice through what was paid, and moves no need."""
    run = at(2030.0)
    needed = run.derived["alignment_hours_needed"]
    run.derived = run.derived.assign(alignment_tax_tolerance=needed - 10.0)
    changes = dated_budget(run, 2027.0).changes
    named = [swing.quantity for swing in changes]
    assert "rlhf_multiplier" in named[:3]
    assert not {"alignment_tax_tolerance", "usd_per_hour", "workforce_hours"} & set(named)
    assert [s.size for s in changes] == sorted((s.size for s in changes), reverse=True)


def test_swings_are_the_answers_at_both_ends():
    rng = np.random.default_rng(2)
    cause, noise = rng.standard_normal((2, 4, 2000))
    answer = 3.0 * cause + 0.1 * noise
    (one,) = swings(
        answer, {"cause": cause, "noise": rng.standard_normal((4, 2000))}, Weights.equal((4, 2000))
    )
    ends = np.quantile(cause, [0.1, 0.9])  # the middle of the lowest fifth and of the highest
    assert (one.low, one.high) == pytest.approx(3.0 * ends, abs=0.15)
    assert swings(noise, {"cause": cause}, Weights.equal((4, 2000))) == ()  # chance alone


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"year": 1800.0}, "year: must be a year from 2015 to 2100, got 1800"),
        ({"training_cost": -1.0}, "training_cost: must be a positive number of USD"),
        ({"confidence": 1.2}, "confidence: must lie between 0 and 1"),
        ({"confidence": 0.9999}, "confidence: must be at most 99.75% for 2000 effective draws"),
        ({"price": 3.0}, "price: is what a missing hour costs until arrival"),
    ],
)
def test_mistakes(at, asked, message):
    with pytest.raises(InputError, match=message):
        budget(at(2030.0), **{"year": 2027.0, **asked})
    with pytest.raises(InputError, match="training_cost: is that of a run in a stated year"):
        budget(at(2030.0), training_cost=1e9)


def test_a_run_without_hours_is_refused(at):
    run = at(2030.0)
    run.derived, run.record = run.derived.drop_vars("rlhf_multiplier"), {"model": "compute"}
    with pytest.raises(InputError, match="use a joint or an alignment run"):
        dated_budget(run, 2027.0)


# ------------------------------------------------------------------------------------------ command


def test_the_command_answers_in_a_paragraph_as_the_verb_does(aligntax, reference):
    words = ("budget", reference.path, "--year", "2027", "--confidence", "80%")
    code, out, err = aligntax(*words)
    assert (code, err) == (0, "") and out.count("\n") == 4
    answer = budget(reference, 0.8, year=2027.0)
    assert out.startswith(budget_paragraph(answer)) and "from the joint run reference" in out
    for part in ("For the largest training run of 2027", "80% confidence", "people for a year",
                 "tolerates", "What would change the hours most"):  # fmt: skip
        assert part in out
    told = json.loads(aligntax(*words, "--json")[1])
    assert told == json.loads(json.dumps(answer.to_dict()))


def test_amounts_are_read_as_everywhere(aligntax, reference):
    run = ("budget", reference.path, "--json", "--year")
    written = [
        aligntax(*run, "2027", "--training-cost", cost, "--confidence", share)[1]
        for cost, share in (("2e8", "0.9"), ("200 million USD", "90%"), ("200M", "90 %"))
    ]
    assert len(set(written)) == 1 and json.loads(written[0])["stated_cost"] == 2e8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--confidence", "viel"), "confidence: must be a number with or without %, got 'viel'; write for instance 80%"),
        (("--training-cost", "2 euros", "--year", "2027"), "training_cost: must be a number with or without USD"),
        (("--year", "soon"), "year: must be a number, got 'soon'"),
        (("--year", "2027", "--picture", "x.png"), "picture: draws the budget until arrival"),
    ],
)  # fmt: skip
def test_mistakes_on_the_command_line(aligntax, reference, words, message):
    code, out, err = aligntax("budget", reference.path, *words)
    assert code == 2 and out == "" and message in err and err.count("\n") == 1


def test_the_newest_run_with_hours_answers(aligntax, reference, tmp_path):
    import shutil

    shutil.copytree(reference.path, tmp_path / "results" / "mine")
    for run in ((), ("latest",)):
        assert "from the joint run" in aligntax("budget", *run, "--year", "2027")[1]
