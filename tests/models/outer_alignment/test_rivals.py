"""Rivals that differ: the best hidden decides, as simulated rival by rival, and coverage parts data quality from robustness."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit, logit

from aligntax.models.evidence import load_evidence
from aligntax.models.outer_alignment import comparisons, rivals
from aligntax.models.outer_alignment import model as outer
from aligntax.models.outer_alignment.oversight import evaluator_advantage
from aligntax.models.views import load_view

DRAWS = 10**6
SPREADS = {0.1: 0.69, 0.25: 0.55, 0.5: 0.31, 1.0: 0.08}
"""P(data suffices) by the sd between rivals of the evaluator's logit, 0.76 where all are alike: an
independent check of November 2026, from the draws of one run, which scatter by a point or more."""


def prior_draws(view, names, count, seed):
    z = np.random.default_rng(seed).standard_normal((count, len(names)))
    return view.tables(names).values(z)


@pytest.fixture(scope="module")
def judged():
    """``judged(spread)``: share of a million worlds in which people are right about each of all rivals.

    The largest of K uniforms is one to the power 1 / K, here by an exponential waiting time.
    """
    names = ("evaluator_error", "evaluator_error_growth", "capability", "rival_policies")
    x = prior_draws(load_view("default"), names, DRAWS, 1)
    waiting = np.random.default_rng(2).exponential(size=DRAWS)
    worst = stats.norm.isf(-np.expm1(-waiting / 10 ** x["rival_policies"]))
    typical = logit(x["evaluator_error"]) + x["evaluator_error_growth"] * x["capability"]
    return lambda spread: np.mean(typical + spread * worst < 0)


@pytest.mark.parametrize(("spread", "published"), [(1e-6, 0.76), *SPREADS.items()])
def test_less_suffices_the_more_rivals_differ_as_a_million_simulated_worlds_say(
    judged, spread, published
) -> None:
    """All rivals on the distribution, the default's priors; the model's own draws are others."""
    count, view = 8_000, load_view("default")
    x = prior_draws(view, outer.QUANTITIES, count, 3)
    x["evaluator_error_spread"] = np.full(count, np.log10(spread))
    x["coverage"] = np.full(count, 1 - 1e-12)
    scores = np.random.default_rng(4).standard_normal((2, count))
    parameters = xr.Dataset(
        {
            "error_concentration": ("draw", np.full(count, 30.0)),
            "new_labellers": ("draw", scores[0]),
            "worst_rival": ("draw", scores[1]),
        }
    )
    found = outer.derive(x, parameters, load_evidence(), view)["data_suffices"]
    assert judged(spread) == pytest.approx(published, abs=0.03)
    assert found.mean() == pytest.approx(judged(spread), abs=4 * found.std() / np.sqrt(count))


def worlds(k, coverage, spread, gap_spread, together, count, seed):
    """Advantages of the rivals of each world, one by one; infinite for those off the distribution."""
    rng = np.random.default_rng(seed)
    h, other = rng.standard_normal((2, count, k))
    g = expit(logit(0.3) - gap_spread * (h if together else other))
    a = g * evaluator_advantage(logit(0.2) + spread * h)
    return np.where(rng.random((count, k)) < coverage, a, np.inf)


@pytest.mark.parametrize(("k", "coverage"), [(1, 1.0), (5, 0.3), (40, 0.8), (500, 1.0)])
def test_the_best_hidden_rival_is_that_of_rivals_drawn_one_by_one(k, coverage) -> None:
    """The advantage over all rivals on the distribution, in distribution, of some million rivals."""
    count = DRAWS // k
    seen = worlds(k, coverage, 0.3, 0.5, True, min(count, 20_000), k).min(axis=1)
    x = {
        "reward_gap": 0.3,
        "reward_gap_spread": np.log10(0.5),
        "rival_policies": np.log10(k),
        "coverage": coverage,
    }
    h = rivals.worst_score(np.random.default_rng(1).standard_normal(20_000), np.log10(k), coverage)
    found = rivals.gap(x, h) * evaluator_advantage(logit(0.2) + 0.3 * h)
    nobody = (1 - coverage) ** k
    error = 4 * np.sqrt(nobody * (1 - nobody) / len(seen)) + 1e-12
    assert np.mean(np.isinf(seen)) == pytest.approx(nobody, abs=error)
    assert np.mean(np.isneginf(h)) == pytest.approx(nobody, abs=error)
    seen, found = seen[np.isfinite(seen)], found[np.isfinite(h)]
    assert stats.ks_2samp(seen, found).pvalue > 1e-3
    # the negative control: a typical rival in the place of the worst
    typical = worlds(k, coverage, 0.3, 0.5, True, min(count, 20_000), k + 1)[:, 0]
    if k > 1:
        assert stats.ks_2samp(seen, typical[np.isfinite(typical)]).pvalue < 1e-12


def test_gap_and_error_that_do_not_go_together_ask_for_less_and_suffice_as_often() -> None:
    """How hidden a rival is moves both by one score: the worst case, and not by much."""
    alike = worlds(500, 1.0, 0.3, 0.5, True, 4000, 1).min(axis=1)
    apart = worlds(500, 1.0, 0.3, 0.5, False, 4000, 2).min(axis=1)
    share = np.mean(alike > 0)
    assert np.mean(apart > 0) == pytest.approx(share, abs=6 * np.sqrt(share * (1 - share) / 4000))
    assert 1.0 < np.median(apart) / np.median(alike) < 4.0


def test_rivals_that_are_alike_leave_their_number_to_the_logarithm() -> None:
    """The limit of no spread: K moves comparisons by ln K alone."""
    x = {"reward_gap": 0.05, "reward_gap_spread": -9.0}
    for k in (0.0, 6.0, 60.0):
        h = rivals.worst_score(1.0, k, 0.6)
        assert rivals.gap(x, h) == pytest.approx(0.05, rel=1e-6)
    n = [comparisons.comparisons_needed(0.05, comparisons.log_allowed(k, 0.05)) for k in (6, 12)]
    assert 1.5 < n[1] / n[0] < 2.0


def test_the_score_of_the_best_hidden_of_very_many_is_that_of_the_largest_normal() -> None:
    """Its median solves Phi(h)^K = 1/2, to the 60 digits that a number of policies may have."""
    for k in (0.0, 2.0, 6.0, 20.0, 60.0):
        h = rivals.worst_score(0.0, k, 1.0)
        assert stats.norm.logsf(h) == pytest.approx(np.log(-np.expm1(-np.log(2) / 10**k)), rel=1e-9)
    assert rivals.worst_score(0.0, 6.0, 1.0) == pytest.approx(4.83, abs=0.01)
    rank = np.linspace(-3, 3, 50)
    assert np.all(np.diff(rivals.worst_score(rank, 6.0, 0.6)) > 0)


def test_coverage_parts_the_rivals_into_those_that_data_can_and_cannot_tell() -> None:
    x = {"rival_policies": np.array([6.0]), "coverage": np.array([0.6])}
    on, off = 10 ** rivals.on_distribution(x), 10 ** rivals.off_distribution(x)
    assert on + off == pytest.approx(1e6) and on / off == pytest.approx(1.5)
    # fewer on the distribution hide less well
    assert rivals.worst_score(0.0, 6.0, 1e-4) < rivals.worst_score(0.0, 6.0, 0.6)
    # and without any there the aligned policy has nobody to beat
    assert rivals.worst_score(0.0, 0.0, 0.3) == -np.inf
    assert rivals.gap({"reward_gap": 0.05, "reward_gap_spread": 0.0}, -np.inf) == 1.0
