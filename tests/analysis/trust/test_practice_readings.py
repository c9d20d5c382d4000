"""What a row of feedback or of payment moves, and the readings of practice by those of the workforce."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.trust.evidence.robustness import readings, refit_variants
from aligntax.analysis.trust.evidence.wording import READ, reading_rows
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models import practice, tolerance
from aligntax.models.catalogue import find_model
from aligntax.models.evidence.variants import OPEN_DATA, with_open_data, without_rows
from aligntax.models.views import load_view

OPTIONS = Sampling(seed=7, draws=4000)


@pytest.fixture(scope="module")
def left(evidence) -> LeaveOut:
    """Alignment without correlations, so that a row moves only what its likelihood names."""
    return LeaveOut.of(find_model("alignment"), evidence, load_view("uncorrelated"))


def sampled(compiled, bound_by=None):
    """Derived quantities of a posterior; other evidence may say what was paid."""
    posterior, _ = compiled.posterior(OPTIONS)
    tables = compiled.view.tables(compiled.model.quantities)
    where = (bound_by or compiled.evidence, compiled.view, np.random.default_rng(1))
    return derive(compiled.model, posterior, tables, *where)


def numbers(left, evidence=None, bound_by=None):
    """Draws of every number by name, of the posterior given some rows."""
    compiled = left.compiled if evidence is None else left.compiled.with_evidence(evidence)
    return {s.name: s.values for s in iter_series(sampled(compiled, bound_by))}


@pytest.fixture(scope="module")
def base(left):
    return numbers(left)


def shift(before, after) -> float:
    """Difference of medians in posterior standard deviations."""
    finite = [values[np.isfinite(values)] for values in (before, after)]
    medians = [np.median(values) for values in finite]
    return float((medians[1] - medians[0]) / finite[0].std())


@pytest.mark.slow
def test_a_row_of_ten_times_the_hours_asks_for_more(left, base) -> None:
    evidence = left.compiled.evidence
    rows = practice.workforces(evidence)
    more = rows.assign(log_hours=rows["log_hours"] + 1.0)
    moved = numbers(left, evidence.with_likelihood_rows({"feedback_workforces": more}))
    assert shift(base["alignment_hours_needed"], moved["alignment_hours_needed"]) > 0.1
    assert shift(base["labour_tax"], moved["labour_tax"]) > 0.1
    for name in ("tolerance_at_arrival", "spend_growth", "workforce_hours"):
        assert abs(shift(base[name], moved[name])) < 0.1, name


@pytest.mark.slow
def test_a_payment_moves_tolerance_and_what_depends_on_it_alone(left, base) -> None:
    evidence = left.compiled.evidence
    rows = tolerance.payments(evidence)
    more = rows.assign(log_tax=rows["log_tax"] + 1.0)
    moved = numbers(left, evidence.with_likelihood_rows({"paid_taxes": more}))
    for name in ("alignment_tax_tolerance", "tolerance_at_arrival", "alignment_hours_affordable"):
        assert shift(base[name], moved[name]) > 0.2, name
    assert moved["prob_affordable"].mean() > base["prob_affordable"].mean()
    # 40,000 draws of either sampler say -0.03 to -0.08; the error is 0.016 here
    for name in ("alignment_hours_needed", "labour_tax", "compute_tax", "practice_slope"):
        assert abs(shift(base[name], moved[name])) < 0.12, name


@pytest.mark.slow
def test_no_draw_of_the_posterior_refuses_what_was_paid(base) -> None:
    assert np.all(base["tolerance_at_arrival"] >= base["tax_paid"])


@pytest.mark.slow
def test_without_payments_the_elicited_tolerance_comes_back(left, base) -> None:
    units = left.units["paid_taxes"]
    bare = left.without({"paid_taxes": units})
    found = numbers(bare, bound_by=without_rows(left.compiled.evidence, {"paid_taxes": units}))
    table = left.compiled.view.tables(("alignment_tax_tolerance",)).table("alignment_tax_tolerance")
    own = np.sort(found["tolerance_at_arrival"].ravel())
    for p in (0.05, 0.25, 0.5, 0.75, 0.95):
        share = np.searchsorted(own, float(table.quantile(p, 1.0 - p))) / own.size
        assert share == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 1500))
    # negative control: with them it is another
    assert np.mean(base["tolerance_at_arrival"] < float(table.quantile(0.5, 0.5))) < 0.2


@pytest.mark.slow
def test_readings_are_crossed_and_the_first_is_the_runs_own(left, evidence) -> None:
    every = list(readings(left, evidence))
    assert len(every) == 12 and len({variant.label for variant in every}) == 12
    first = every[0]
    assert first.left == {} and first.evidence is None
    assert first.reading == ("developers' own efforts", "staff and spending")
    opened = [variant for variant in every if variant.evidence is not None]
    assert {variant.reading[0] for variant in opened} == {"open data sets too"}
    assert not any(evidence["rlhf_efforts"]["used"].sel(effort=list(OPEN_DATA)))
    assert all(with_open_data(evidence)["rlhf_efforts"]["used"].sel(effort=list(OPEN_DATA)))


@pytest.mark.slow
def test_workforces_and_open_data_pull_the_hours_apart(left, evidence, monkeypatch) -> None:
    chosen = [
        variant
        for variant in readings(left, evidence)
        if variant.reading
        in {
            ("developers' own efforts", "staff and spending"),
            ("developers' own efforts", "neither"),
            ("open data sets too", "neither"),
        }
    ]
    monkeypatch.setattr(
        "aligntax.analysis.trust.evidence.robustness.variants", lambda model, evidence: iter(chosen)
    )
    found = refit_variants(left, sampled(left.compiled), evidence, replace(OPTIONS, draws=500))
    assert not found.failures
    own, without, opened = (row["alignment_hours_needed"] for row in found.numbers)
    assert own.q50 > without.q50 > opened.q50
    rows = reading_rows(found.to_dict(), 2100.0)
    assert [row["reading"] for row in rows] == [variant.reading for variant in chosen]
    assert all(len(row["cells"]) == len(READ) for row in rows)
