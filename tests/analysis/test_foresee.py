"""The verb and the command ``foresee``: what is said, what is refused, and refits against weights."""

import json

import numpy as np
import pytest

import aligntax as package
from aligntax.analysis.answers.foreseen import KINDS, YEARS
from aligntax.analysis.figures.foresight import narrowing_figure
from aligntax.analysis.trust.calibration.doubled_evidence import LIKELIHOOD_ROWS
from aligntax.analysis.trust.new_rows import parameters_of
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError


@pytest.fixture(scope="module")
def found(run_folder):
    """Few simulations of two tables, and years without TAI, from 4,000 draws."""
    kinds = ["scaling_exponents", "paid_taxes", YEARS]
    return package.foresee(run_folder, kinds, [1, 10], simulations=40, quick=False)


def test_every_kind_has_a_name() -> None:
    assert set(KINDS) == {*LIKELIHOOD_ROWS, YEARS}


def test_studies_narrow_the_exponent_and_payments_the_tolerance(found) -> None:
    rows = {(row.kind, row.rows): row for row in found.rows}
    assert set(rows) == {
        (k, n) for k in ("scaling_exponents", "paid_taxes", YEARS) for n in (1, 10)
    }
    studies = rows["scaling_exponents", 10].answers["data_exponent_pooled"].contraction
    tolerance = rows["paid_taxes", 10].answers["alignment_tax_tolerance"].contraction
    assert studies.clear and 0.02 < studies.value < 0.3
    assert tolerance.clear and 0.02 < tolerance.value < 0.3
    other = rows["scaling_exponents", 10].answers["alignment_tax_tolerance"].contraction
    assert abs(other.value) < 0.02  # nothing bears on it


def test_years_without_tai_are_a_condition(found, run_folder) -> None:
    result = package.load(run_folder)
    row = next(row for row in found.rows if (row.kind, row.rows) == (YEARS, 10))
    assert row.method == "condition" and row.value is None
    year = result.posterior["tai_year"].values
    later = year > result.evidence.constant("no_tai_until") + 10
    cost = result.posterior["training_cost_at_tai"].values[later]
    low, high = np.quantile(cost[np.isfinite(cost)], (0.05, 0.95))
    assert row.answers["training_cost_at_tai"].width.value == pytest.approx(high - low, rel=0.01)


def test_evidence_is_worth_less_than_what_it_bears_on_and_that_less_than_everything(found) -> None:
    for row in found.rows:
        if row.value is not None:
            most = found.evppi[row.kind]
            noise = 3 * np.hypot(row.value.error, most.error)
            assert -3 * row.value.error < row.value.value < most.usd + noise
    for each in found.evppi.values():
        assert -3 * each.error < each.usd < found.evpi.usd
    assert set(found.evppi) == {"scaling_exponents", "paid_taxes"}


def test_a_kind_bears_on_what_its_likelihood_has(evidence, view) -> None:
    joint = find_model("joint")
    found = parameters_of(joint.build(restrict(evidence, view, joint), view), joint.quantities)
    assert {"practice_hours", "practice_slope", "effort_sd"} <= set(found["rlhf_efforts"])
    assert set(found["loss_laws"]) == {"parameter_loss", "data_loss", "alpha", "beta"}
    assert not any("rlhf_multiplier" in names for names in found.values())  # no evidence has it


def test_what_is_said_is_what_is_found(found) -> None:
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["cost_per_row"] is None
    assert told["evppi"]["paid_taxes"] == vars(found.evppi["paid_taxes"])
    assert "labeller_agreement" in told["left_out"] and "prob_affordable" in told["left_out"]
    row = next(row for row in told["rows"] if row["kind"] == "paid_taxes" and row["rows"] == 10)
    each = row["answers"]["alignment_tax_tolerance"]
    assert each["expected"] == pytest.approx(each["now"] * (1 - each["contraction"]))
    assert row["value"]["usd_per_row"] == pytest.approx(row["value"]["usd"] / 10)
    line = found.table().loc["paid_taxes", 10, "alignment_tax_tolerance"]
    assert line["contraction"] == each["contraction"]


def test_picture_has_a_dot_for_each_trusted_kind(found) -> None:
    trusted = [row for row in found.rows if row.trusted]
    figure = narrowing_figure(found.rows, found.intervals)
    assert len(figure.axes[0].get_yticks()) == len(trusted) > 0
    with pytest.raises(InputError, match="picture: needs evidence"):
        narrowing_figure((), found.intervals)


def test_the_command_prints_rows_and_says_what_cannot_be_trusted(aligntax, reference) -> None:
    words = ("foresee", reference.path, "--quick", "--simulations", "6", "--kind", "rlhf_efforts")
    code, out, err = aligntax(*words)
    assert (code, err) == (0, "")
    assert "RLHF efforts" in out and "weak in" in out and "not trusted" in out
    assert "(EVPPI)" in out
    code, out, err = aligntax(*words, "--rows", "3", "--json")
    told = json.loads(out)
    assert [(row["kind"], row["rows"], row["method"]) for row in told["rows"]] == [
        ("rlhf_efforts", 3, "none")
    ]
    assert told["quick"] and told["simulations"] == 6
    code, again, err = aligntax(*words, "--rows", "3", "--json")
    assert again == out  # the same seed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--kind", "rlhf_effort"), "kind: must be evidence of this run"),
        (("--kind", "labeller_agreement"), "kind: must be evidence of this run"),
        (("--rows", "0"), "rows: must lie between 1 and 100, got 0"),
        (("--simulations", "2"), "simulations: must lie between 4 and 1000, got 2"),
        (("--quantity", "tai_yeer"), "quantity: must be a single headline quantity"),
        (("--picture", "dots.gif"), "picture: must end in .png, .svg or .pdf"),
        (("--since", "1999"), "since: must lie between 2000 and 2025.7"),
        (("--since", "2026.5"), "since: must lie between 2000 and 2025.7"),
        (("--since", "2024", "--quick"), "since: goes with --simulations and --seed alone"),
    ],
)
def test_a_mistake_is_one_message(aligntax, reference, options, message) -> None:
    code, out, err = aligntax("foresee", reference.path, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"aligntax: {message}") and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "table", "number"),
    [
        pytest.param("data_exponent_pooled", "scaling_exponents", 10, marks=pytest.mark.slow),
        pytest.param("alignment_tax_tolerance", "paid_taxes", 10, marks=pytest.mark.study),
        pytest.param("alignment_hours_needed", "feedback_workforces", 3, marks=pytest.mark.study),
    ],
)
def test_refits_agree_with_weights(run_folder, name, table, number) -> None:
    """Where weights can be trusted, sampling again with the new rows says the same."""
    from aligntax.analysis.answers.answers_now import AnswersNow
    from aligntax.analysis.foresee import _Asked, _refitted
    from aligntax.analysis.inference.options import Talk
    from aligntax.analysis.trust.new_rows import NewRows

    weighed = package.foresee(run_folder, [table], [number], [name], simulations=40)
    row = weighed.rows[0]
    assert row.method == "weights"
    result = package.load(run_folder)
    now, shape = AnswersNow.of(result, 4000, [name]), result.posterior["horizon_shape"]
    rows = NewRows.of(
        find_model("joint"),
        result.evidence,
        result.view,
        result.draws,
        shape.values.astype(int),
        {table: number},
    )
    rng, length = np.random.default_rng(6), result.draws.sizes["draw"]
    places = result.weights.resampled(40)
    drawn = [rows.simulated(divmod(int(place), length), rng) for place in places]
    asked = _Asked((), (), 40, 3, False)
    again = _refitted(now, rows, drawn, [row], asked, Talk())[table, number]
    ours, theirs = row.answers[name].contraction, again.answers[name].contraction
    assert abs(ours.value - theirs.value) < 3 * np.hypot(ours.error, theirs.error)
    assert theirs.value > 2 * theirs.error


@pytest.mark.slow
def test_a_replay_compares_what_was_foreseen_with_what_happened(aligntax, reference) -> None:
    code, out, err = aligntax("foresee", reference.path, "--since", "2025", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["until"] == 2026
    used = reference.evidence["algorithmic_progress"]
    came = used["used"].values & (used["year"].values == 2025)
    assert told["rows"].get("algorithmic_progress", 0) == came.sum()
    place = [each["below"] for each in told["answers"].values()]
    assert 3 < np.mean(place) < 9  # of 12: what happened is like what was foreseen
    each = told["answers"]["alignment_hours_needed"]
    assert 4 < each["now"] < 8 and abs(each["happened"]) < 0.3
