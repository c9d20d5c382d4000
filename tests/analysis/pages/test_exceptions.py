"""A verdict names what the report says against it: uneven ranks of evidence, strays, untrusted units."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from aligntax.analysis.pages.exceptions import named_exceptions
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.terminal.answer import print_run
from aligntax.analysis.trust.evidence.loo import validated_by_weights
from aligntax.analysis.trust.evidence.predictive import PIT_LEVEL, pit_p
from aligntax.models.catalogue import find_model

ROWS, DRAWS = 60, 500


def replicated(scale=1.0, shift=0.0, rows=ROWS, draws=DRAWS, seed=0):
    """Evidence of sd ``scale`` beside replicates of sd one."""
    rng = np.random.default_rng(seed)
    actual = shift + scale * rng.standard_normal(rows)
    drawn = rng.standard_normal((2, draws // 2, rows))
    return Groups(
        observed_data=xr.Dataset({"training_runs": ("run", actual)}),
        posterior_predictive=xr.Dataset({"training_runs": (("chain", "draw", "run"), drawn)}),
    )


def told(found, kind):
    return [text for text in found if kind in text]


def test_evidence_that_the_model_makes_is_no_exception():
    assert named_exceptions(replicated(), ()) == []


def test_a_run_without_evidence_has_nothing_to_name():
    """Its groups are there, and hold nothing; nor has a run without replicates."""
    assert named_exceptions(Groups(), ()) == []
    assert named_exceptions(Groups(observed_data=replicated().observed_data), ()) == []


def test_a_bound_is_not_compared_with_replicates():
    groups = replicated(scale=3.0)
    exact = np.zeros(ROWS)
    exact[0] = 1.0
    assert named_exceptions(groups, ())
    given = xr.Dataset({"training_runs_exact": ("run", exact)})
    assert named_exceptions(replace(groups, constant_data=given), ()) == []


@pytest.mark.parametrize("wrong", [{"scale": 0.3}, {"scale": 3.0}, {"shift": 1.0}])
def test_a_wrong_pit_is_named(wrong):
    found = told(named_exceptions(replicated(**wrong), ()), "PIT")
    assert len(found) == 1 and found[0].startswith("Training runs: observations have uneven ranks")
    assert not named_exceptions(replicated(**wrong, draws=100), ())  # too few to tell
    assert not told(named_exceptions(replicated(**wrong, rows=9), ()), "PIT")


def test_a_stray_statistic_is_named():
    groups = replicated()
    groups.observed_data["training_runs"][0] = 9.0
    assert told(named_exceptions(groups, ()), "hardly have its largest (p 0)")


def test_the_p_value_of_ranks_is_uniform_at_most():
    """Of 400 right models at 5%: 20 expected, 4.4 their sd."""
    rng = np.random.default_rng(1)
    p = [pit_p(rng.standard_normal(30), rng.standard_normal((300, 30))) for _ in range(400)]
    assert np.mean(np.asarray(p) < 0.05) < 0.05 + 3 * 0.011
    censored = np.full((300, 30), np.nan)  # replicates without a number lie above every row
    assert pit_p(rng.standard_normal(30), censored) < PIT_LEVEL


def table(doubtful, k=0.9):
    found = [(0.3, True), (k, False) if doubtful else (0.5, True), (None, True)]
    units = [{"pareto_k": k, "trusted": trusted} for k, trusted in found]
    return {"table": "paid_taxes", "doubtful": doubtful, "units": units}


def test_units_that_weights_cannot_leave_out_are_counted():
    """In one phrase, whatever the tables."""
    assert named_exceptions(Groups(), [table(0)]) == []
    others = [table(0), table(1, k=None) | {"table": "loss_laws"}]
    (text,) = named_exceptions(Groups(), [table(1), *others])
    assert text == (
        "cross-validation by weights is not to be trusted for 1 of 3 paid taxes (k up to 0.90), "
        "1 of 3 loss laws (no tail fits): run aligntax loo"
    )


def test_a_handful_of_draws_has_no_cross_validation(reference):
    some = {"chain": slice(2), "draw": slice(4)}
    density = reference.groups.log_likelihood.isel(some)
    few = Groups(draws=reference.draws.isel(some), log_likelihood=density)
    found = validated_by_weights(find_model("joint"), reference.view, reference.evidence, few)
    assert found == []


@pytest.mark.parametrize("names", [(), ("Training runs: uneven",), ("a", "b")])
def test_the_terminal_counts_exceptions_beside_a_pass(reference, names, monkeypatch):
    monkeypatch.setattr("aligntax.analysis.terminal.answer._print_quantities", lambda *_: None)
    record = {**reference.record, "verdict": "pass", "checks": [], "exceptions": list(names)}
    screen = Console(file=io.StringIO(), width=300)
    print_run(screen, Path("run"), record, reference.info)
    lines = screen.file.getvalue().splitlines()
    verdict = next(line for line in lines if line.startswith("verdict"))
    assert [f"exception: {name}" for name in names] == [
        line for line in lines if line.startswith("exception")
    ]
    wanted = {0: "pass (its checks passed)", 1: "with 1 exception:", 2: "with 2 exceptions:"}
    assert wanted[len(names)] in verdict
