"""How a view is answered from a run: every setting by its role, every method as asked."""

from dataclasses import replace

import pytest

from aligntax.analysis.fitting.refit_plan import (
    Reweight,
    SampleAgain,
    answer_from_draws,
    plan_refit,
    plan_reweighting,
)
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.models.errors import InputError
from aligntax.models.views.settings import ROLES
from tests.conftest import REFERENCE
from tests.models.views.test_roles import MOVED, REFUSED, moved

LESS = {"rlhf_multiplier": {0.1: 0.05, 0.5: 0.5, 0.9: 5}}
FAR = {"brain_flop": {0.1: 22.0, 0.5: 23.0, 0.9: 24.0}}


@pytest.fixture(scope="module")
def source():
    """The committed run of the joint model."""
    return read_sampled_run(REFERENCE)


@pytest.mark.parametrize("name", MOVED)
def test_every_setting_is_answered_by_its_role(source, name) -> None:
    view, role = moved(source.view, name), ROLES[name]
    if name == "research.milestone":  # refused where arrival is worked out again
        with pytest.raises(InputError, match=r"research\.milestone: needs feedback"):
            answer_from_draws(plan_refit(source, view))
        return
    if name in REFUSED:
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            plan_refit(source, view)
        return
    chosen = plan_refit(source, view)
    assert name in chosen.reason
    if set(role.likelihood) & set(source.model.tables):
        assert chosen == SampleAgain(f"sampled, because {name} differs, which no weight can mend")
        with pytest.raises(InputError, match=f"reweight keeps the likelihood, got another {name}"):
            plan_reweighting(source, view)
    else:
        assert (chosen.how == "redrawn") == (not role.no_tai)
        assert plan_reweighting(source, view).exact == (not role.no_tai)


def test_what_no_evidence_informs_is_redrawn(source) -> None:
    chosen = plan_refit(source, source.view.replace(**LESS))
    assert isinstance(chosen, Reweight) and chosen.exact and chosen.checks == chosen.failed == ()
    assert (chosen.method, chosen.how) == ("reweight", "redrawn")


def test_weights_that_fail_are_sampled_unless_reweighting_is_asked_for(source) -> None:
    view = source.view.replace(**FAR)
    chosen, forced = plan_refit(source, view), plan_refit(source, view, "reweight")
    assert isinstance(chosen, SampleAgain) and (chosen.method, chosen.how) == ("sample", "sampled")
    assert chosen.reason.startswith("sampled, because reweighting cannot be trusted: ")
    assert isinstance(forced, Reweight) and forced.failed and not forced.exact
    assert (forced.method, forced.how) == ("reweight", "reweighted")
    assert forced.reason.startswith("reweighted, not to be trusted: ")


def test_sampling_is_done_as_asked(source) -> None:
    chosen = plan_refit(source, source.view.replace(**LESS), "sample")
    assert chosen == SampleAgain("sampled as asked; changed: rlhf_multiplier")


def test_other_evidence_is_sampled_and_the_same_is_not(source) -> None:
    other = source.evidence.only(("scaling_exponents",))
    assert plan_refit(source, source.view, evidence=source.evidence).how == "redrawn"
    chosen = plan_refit(source, source.view, evidence=other)
    assert chosen == SampleAgain("sampled, because the evidence differs, which no weight can mend")
    with pytest.raises(InputError, match="got another the evidence"):
        plan_refit(source, source.view, "reweight", other)


def test_an_unknown_method_is_refused(source) -> None:
    with pytest.raises(InputError, match="method: must be one of auto, reweight, sample"):
        plan_refit(source, source.view, "guess")


CRITERIA = {"headline_ess_bulk", "headline_ess_middle", "headline_mcse_of_median"}


def test_a_redrawn_answer_meets_the_criteria_of_a_sampled_one(source) -> None:
    """No check of weights is left then, and the headlines have their own."""
    answer = answer_from_draws(plan_refit(source, source.view.replace(**LESS)))
    assert {check.name for check in answer.checks} == CRITERIA
    rows = dict(answer.rows)
    rows["tai_year"] = {**rows["tai_year"], "ess_middle": 50.0}  # negative control
    failed = [check for check in replace(answer, rows=rows).checks if not check.passed]
    worst = {check.name: check for check in failed}["headline_ess_middle"]
    assert worst.where == "tai_year" and "--draws" in worst.action


def test_a_reweighted_answer_that_one_draw_carries_fails_by_its_headlines(source) -> None:
    """Nothing varies then, and so nothing has an effective sample size."""
    answer = answer_from_draws(plan_reweighting(source, source.view.replace(**FAR)))
    found = {check.name: check for check in answer.checks}
    worst = found["headline_ess_bulk"]
    assert found["weighted_ess"].value < 5
    assert not worst.passed and worst.value is None and "--method sample" in worst.action
