"""Hours to buy under a loss limit: closed forms of normal needs, the jackknife's error, and what the limit does."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from aligntax.analysis.answers.newsvendor import (
    AMOUNTS,
    BATCHES,
    STRATA,
    Decision,
    LossLimit,
    hours_to_buy,
    jackknife_error,
)
from aligntax.analysis.answers.value_of_information import values_of_information
from aligntax.analysis.fitting.refit_plan import plan_refit
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.summary import draws_of
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import find_model
from aligntax.models.priors.quantities import LOSS_LIMIT

MEAN, SD, PRICE = 100.0, 20.0, 5.0  # of a normal need at a cost of one


def normal_decision(rng, shape=(4, 1000), limit=np.inf, sd=SD, **fields):
    need = rng.normal(MEAN, sd, shape)
    ones = np.ones(shape)
    return Decision(need, ones, limit * ones[..., None], Weights.equal(shape), PRICE, **fields)


def short(h, limit=np.inf):
    """``E min(price max(0, need - h), limit)`` of a normal need."""

    def beyond(c):  # E max(0, need - c)
        k = (c - MEAN) / SD
        return SD * (stats.norm.pdf(k) - k * stats.norm.sf(k))

    reached = beyond(h + limit / PRICE) if np.isfinite(limit) else 0.0
    return PRICE * (beyond(h) - reached)


def least_loss(limit=np.inf):
    hours = np.linspace(0, 300, 60_001)
    loss = hours + short(hours, limit)
    return hours[np.argmin(loss)], loss.min()


def known(limit=np.inf):
    """``E min(need, limit)`` at a cost of one."""
    k = (limit - MEAN) / SD
    return MEAN if np.isinf(k) else limit - SD * (stats.norm.pdf(k) + k * stats.norm.cdf(k))


def truth(limit=np.inf):
    return least_loss(limit)[1] - known(limit)


# ------------------------------------------------------------------------------------- closed forms


def test_without_a_limit_evpi_is_the_newsvendor_s():
    """``EVPI = price sd phi(k)`` with ``k`` the critical ratio's score."""
    k = stats.norm.ppf(1 - 1 / PRICE)
    assert truth() == pytest.approx(PRICE * SD * stats.norm.pdf(k), rel=1e-4)
    found = normal_decision(np.random.default_rng(1), (4, 50_000))
    assert found.best()[0] == pytest.approx(MEAN + k * SD, rel=0.01)
    assert found.evpi() == pytest.approx(truth(), rel=0.02)


@pytest.mark.parametrize("limit", [60.0, 110.0, 200.0])
def test_losses_under_a_limit_are_those_of_the_closed_form(limit):
    found = normal_decision(np.random.default_rng(2), (4, 50_000), limit)
    for h in (60.0, 100.0, 140.0):
        assert found.expected_loss(h)[0] == pytest.approx(h + short(h, limit), rel=0.01)
    hours, loss = least_loss(limit)
    assert found.best()[0] == pytest.approx(hours, abs=2.0)
    assert found.best()[1] == pytest.approx(loss, rel=0.005)
    assert found.known_loss().mean() == pytest.approx(known(limit), rel=0.005)
    assert found.evpi() == pytest.approx(truth(limit), abs=0.02 * SD)


def test_a_limit_below_the_cost_of_the_need_buys_nothing():
    """Who loses 60 at most does not pay 100; who knows pays for needs below 60 alone."""
    found = normal_decision(np.random.default_rng(3), limit=60.0)
    assert found.best()[0] == 0.0 == least_loss(60.0)[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_hours_are_those_of_brute_force(seed):
    """Few draws, unequal weights, limits that bite: the least of every amount that a draw needs."""
    rng = np.random.default_rng(seed)
    shape = (2, 12)
    need, cost = rng.lognormal(3, 1.5, shape), rng.lognormal(0, 0.5, shape)
    found = Decision(
        need,
        cost,
        rng.lognormal(4, 1, (*shape, 3)),
        Weights.of_log(rng.normal(size=shape)),
        float(rng.uniform(0.5, 8)),
    )
    amounts = np.concatenate([[0.0], need.ravel(), np.linspace(0, need.max(), 400)])
    losses = found.expected_loss(amounts)
    hours, loss = found.best()
    assert loss == pytest.approx(losses.min(), rel=1e-9)
    assert found.expected_loss(hours)[0] == pytest.approx(loss, rel=1e-9)


def test_knowing_the_need_is_worth_what_it_saves():
    """Needs of 100 and 300 hours at 1 USD an hour; a missing hour loses 3 USD.

    Without knowing, 300 hours are best and cost 300 USD (100 hours lose 100 + 0.5 x 3 x 200 = 400). Knowing costs 200 on average.
    A limit of 150 USD: buy nothing and lose 150; who knows buys 100 hours and else loses 150, 125 on average.
    """
    need, cost = np.array([[100.0, 300.0]]), np.ones((1, 2))
    found = Decision(need, cost, np.full((1, 2, 1), 1e9), Weights.equal((1, 2)), 3.0)
    assert found.best() == (300.0, 300.0) and found.evpi() == pytest.approx(100.0)
    assert found.expected_loss([100.0, 600.0]) == pytest.approx([400.0, 600.0])
    held = replace(found, limit=np.full((1, 2, 1), 150.0))
    assert held.best() == (0.0, 150.0) and held.evpi() == pytest.approx(25.0)


def test_knowing_the_need_is_worth_nothing_where_hours_cost_more_than_missing_them():
    """Nobody buys: knowing or not, the loss is the price of every missing hour."""
    need, cost = np.array([[100.0, 300.0]]), np.full((1, 2), 5.0)
    found = Decision(need, cost, np.full((1, 2, 1), 1e9), Weights.equal((1, 2)), 3.0)
    assert found.best()[0] == 0.0 and found.evpi() == pytest.approx(0.0)


def test_hours_that_cost_more_than_missing_them_are_not_bought_by_whoever_knows():
    """Need of 100 hours for sure, at 1 or 5 USD: who knows buys at 1 and loses 3 USD an hour at 5."""
    need, cost = np.full((1, 2), 100.0), np.array([[1.0, 5.0]])
    found = Decision(need, cost, np.full((1, 2, 1), 1e9), Weights.equal((1, 2)), 3.5)
    assert found.best()[0] == 100.0
    assert found.evpi() == pytest.approx(300.0 - 0.5 * (100.0 + 350.0))


# -------------------------------------------------------------------------------------------- errors


def bootstrap(decision, rng, size=400):
    """Spread of EVPI over resampled draws, price worked out anew."""
    shape, found = decision.need.shape, []
    for _ in range(size):
        chosen = np.unravel_index(rng.integers(0, np.prod(shape), shape), shape)
        need, cost, limit = (x[chosen] for x in (decision.need, decision.cost, decision.limit))
        found.append(replace(decision, need=need, cost=cost, limit=limit).evpi())
    return np.std(found)


def heavy_decision(rng, shape=(4, 1000), limit=3e3):
    """Lognormal needs over three orders of magnitude, costs that vary, and the default price."""
    return Decision(
        rng.lognormal(0, 3.3, shape),
        rng.lognormal(0, 0.8, shape),
        limit * rng.lognormal(0, 0.5, (*shape, 2)),
        Weights.equal(shape),
    )


@pytest.mark.parametrize("kind", ["normal", "heavy"])
def test_the_jackknife_s_error_is_a_bootstrap_s(kind):
    """Within 20%, on average over seeds; one jackknife of 64 batches is itself within 9%."""
    make = {"normal": lambda rng: normal_decision(rng, limit=110.0), "heavy": heavy_decision}[kind]
    ratios = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        decision = make(rng)
        ratios.append(decision.estimated_evpi().error / bootstrap(decision, rng, 200))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)
    assert np.all(np.abs(np.array(ratios) - 1) < 0.35)


def test_an_error_that_holds_what_the_draws_set_is_too_small():
    """Negative control: a cap at the draws' own 95% quantile, held in the error, as if it were known."""
    rng = np.random.default_rng(0)
    decision = replace(heavy_decision(rng), limit=np.full((4, 1000, 1), np.inf))

    def capped(some, cap=None):
        if cap is None:
            w = some.weights.values.ravel()
            cap = np.quantile(some.need.ravel(), 0.95, weights=w, method="inverted_cdf")
        return replace(some, need=np.minimum(some.need, cap)).evpi()

    whole = jackknife_error(decision, capped)
    cap = np.quantile(decision.need, 0.95)
    held = jackknife_error(decision, lambda some: capped(some, cap))
    assert held < 0.5 * whole


@pytest.mark.study
@pytest.mark.parametrize("limit", [np.inf, 110.0])
def test_ninety_percent_intervals_of_evpi_cover(limit):
    """Between 85 and 95% of 500 fits; half the error must fail, the negative control."""
    evpi, worth = truth(limit), []
    for seed in range(500):
        found = normal_decision(np.random.default_rng(seed), (4, 250), limit).estimated_evpi()
        worth.append((found.usd - evpi) / found.error)
    scores = np.abs(worth)
    assert 0.85 < np.mean(scores < 1.645) < 0.95
    assert np.mean(scores < 1.645 / 2) < 0.75


def test_the_error_of_a_mean_is_the_usual_one():
    """Of a linear value the jackknife is the standard error by batch means."""
    decision = normal_decision(np.random.default_rng(4))
    error = jackknife_error(decision, lambda some: some.weights.mean(some.need))
    assert error == pytest.approx(np.std(decision.need) / np.sqrt(4000), rel=0.25)


def test_a_chain_that_hardly_moves_has_a_larger_error():
    """Every draw repeated 10 times: 400 draws' worth, whose error is sqrt(10) that of 4,000."""
    rng = np.random.default_rng(5)
    free = normal_decision(rng)
    stuck = replace(free, need=np.repeat(free.need[:, :100], 10, axis=1))
    ratio = stuck.estimated_evpi().error / free.estimated_evpi().error
    assert ratio == pytest.approx(np.sqrt(10), rel=0.35)


def test_a_single_chain_is_judged_on_its_other_parts():
    """One chain has no other to learn from: its four parts stand in, and knowing the need is worth EVPI."""
    decision = normal_decision(np.random.default_rng(8), (1, 4000))
    noise = np.random.default_rng(9).normal(size=(1, 4000))
    found = values_of_information(decision, {"need": decision.need, "noise": noise})
    assert found["evppi"]["need"].usd == pytest.approx(found["evpi"].usd, rel=0.02)
    assert abs(found["evppi"]["noise"].usd) < 0.02 * found["evpi"].usd


def test_an_error_needs_two_batches():
    decision = normal_decision(np.random.default_rng(6))
    alone = Weights.equal((4, 1000)).given(
        np.arange(4000).reshape(4, 1000) < 1000 // (BATCHES // 4)
    )
    assert jackknife_error(replace(decision, weights=alone), Decision.evpi) == np.inf


# --------------------------------------------------------------------------------------------- limit


def test_a_doubled_limit_moves_a_heavy_tail_and_not_a_light_one():
    """What is told beside EVPI: on a heavy tail the limit decides; on normal needs it is not reached."""
    heavy = heavy_decision(np.random.default_rng(7))
    light = normal_decision(np.random.default_rng(7), limit=1e4)
    once, twice = heavy.estimated_evpi(), heavy.with_limit(2.0).estimated_evpi()
    assert twice.usd - once.usd > 4 * np.hypot(once.error, twice.error)
    assert light.with_limit(2.0).evpi() == pytest.approx(light.evpi())


def test_the_limit_is_drawn_from_the_view_and_the_same_twice(reference, view):
    names = find_model("joint").quantities
    first = LossLimit.of(view, names, reference.unconstrained_posterior, 1)
    again = LossLimit.of(view, names, reference.unconstrained_posterior, 1)
    np.testing.assert_array_equal(first.usd, again.usd)
    assert not np.array_equal(
        first.usd, LossLimit.of(view, names, reference.unconstrained_posterior, 2).usd
    )
    assert stats.kstest(first.score[..., 0].ravel(), "norm").pvalue > 0.001
    assert np.median(first.usd) == pytest.approx(7.66e12, rel=0.05)
    eighths = np.sort(stats.norm.cdf(first.score), axis=-1) * STRATA
    assert np.all((eighths > np.arange(STRATA)) & (eighths < np.arange(STRATA) + 1))


def test_many_draws_need_fewer_limits_each(view):
    def strata(draws):
        z = np.broadcast_to(0.0, (4, draws, 1))
        posterior = xr.Dataset({"z": (("chain", "draw", "quantity"), z)})
        return LossLimit.of(view, ("usd_per_hour",), posterior, 1).usd.shape

    assert strata(1000) == (4, 1000, STRATA) and strata(2000) == (4, 2000, 4)
    assert strata(20_000) == (4, 20_000, 1)


def test_a_correlated_limit_follows_the_draws(reference, view):
    """A correlation that the view states with a quantity of the model is heard."""
    names = find_model("joint").quantities
    pair = ("alignment_tax_tolerance", LOSS_LIMIT)
    coupled = view.replace(correlations={**view.correlations, pair: 0.8})
    limit = LossLimit.of(coupled, names, reference.unconstrained_posterior, 1)
    z = reference.unconstrained_posterior["z"].transpose("chain", "draw", "quantity").values
    tolerance = z[..., names.index("alignment_tax_tolerance")]
    assert stats.spearmanr(limit.score[..., 0].ravel(), tolerance.ravel())[0] > 0.5
    alone = LossLimit.of(view, names, reference.unconstrained_posterior, 1)
    assert abs(stats.spearmanr(alone.score[..., 0].ravel(), tolerance.ravel())[0]) < 0.15


def test_a_model_without_hours_has_nothing_to_buy(reference):
    limit = LossLimit(np.zeros((4, 220, 1)), np.ones((4, 220, 1)))
    bare = reference.derived.drop_vars("alignment_hours_needed")
    assert hours_to_buy(bare, reference.weights, limit) is None
    assert hours_to_buy(reference.derived, reference.weights, limit) is not None
    same = reference.derived.assign(
        alignment_hours_needed=reference.derived["alignment_hours_needed"] * 0.0
    )
    assert hours_to_buy(same, reference.weights, limit) is None


def test_a_refit_moves_the_limit_and_nothing_else(reference):
    """No evidence bears on it, and no model has it: the draws stay as they are."""
    source = read_sampled_run(reference.path.name, reference.path.parent)
    view = source.view.replace(loss_limit={0.05: 1e9, 0.5: 1e10, 0.95: 1e11})
    plan = plan_refit(source, view)
    assert plan.reason == "redrawn exactly, no evidence bears on what changed: loss_limit"
    assert plan.exact
    np.testing.assert_array_equal(plan.carried.z, source.z)
    names = source.model.quantities
    before, after = (
        Decision.of(
            {name: draws_of(name, reference.derived) for name in AMOUNTS},
            reference.weights,
            LossLimit.of(each, names, reference.unconstrained_posterior, 2022).usd,
        )
        for each in (source.view, view)
    )
    assert after.evpi() < before.evpi() and after.best()[0] < before.best()[0]
