"""Draws carried to another view: exact where they can be, weighted where they must, refused where they would mislead."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from scipy import stats

from aligntax.analysis.fitting.refit_plan import answer_from_draws, plan_refit
from aligntax.analysis.fitting.reweight import carry_draws, share_unreached, weigh_draws
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.analysis.summaries.summary import summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import MODELS, restrict
from aligntax.models.errors import InputError
from aligntax.models.priors.distributions import Mixture, Normal
from aligntax.models.priors.tables import table_from_quantiles, tabulate
from tests.analysis.agreement import comparisons, holm, random_view

INFORMED, OTHER, FREE, FREE_TOO = "horizon_medium", "brain_flop", "rlhf_multiplier", "usd_per_hour"


@pytest.fixture(scope="module")
def source(run_folder):
    return read_sampled_run(run_folder)


def normal(mu, sigma):
    """A prior on OOM."""
    return {"family": "normal", "mu": mu, "sigma": sigma, "unit": "OOM"}


def synthetic(view, evidence, scores, size=(4, 5000), prior_only=(FREE, FREE_TOO)):
    """A source whose draws are given functions of white noise: by default its prior."""
    model = MODELS["joint"]
    tables = view.tables(model.quantities)
    rng = np.random.default_rng(11)
    z = rng.standard_normal((*size, len(tables.names))) @ tables.cholesky.T
    for name, score in scores.items():
        z[..., tables.names.index(name)] = score(z[..., tables.names.index(name)])
    posterior = xr.Dataset(
        {"z": (("chain", "draw", "quantity"), z)},
        coords={
            "chain": np.arange(size[0]),
            "draw": np.arange(size[1]),
            "quantity": list(tables.names),
        },
    )
    zero = xr.DataArray(np.zeros(size), dims=("chain", "draw"))
    structural = ("regime_offset", "between_study_sd", "kaplan_bias", "method_sd")
    posterior = posterior.assign({name: zero for name in structural})
    info = {"sampler": {"seed": 1}, "prior_only": list(prior_only)}
    return SampledRun(
        None,
        info,
        {"quantities": {}},
        model,
        view,
        restrict(evidence, view, model),
        tables,
        posterior,
    )


@pytest.fixture(scope="module")
def untouched(view, evidence):
    """Draws of the prior: no evidence at all, so that every weighted answer is known."""
    base = replace(view, evidence=replace(view.evidence, use="none"), correlations={})
    for name in (INFORMED, OTHER, FREE, FREE_TOO):
        base = base.with_quantity(name, normal(4.0, 1.0))
    return synthetic(base, evidence, {})


def column(source, name):
    return source.tables.names.index(name)


# ------------------------------------------------------------------------------------ known answers


def test_the_same_view_changes_nothing(untouched):
    carried = carry_draws(untouched, untouched.view)
    assert carried.log_ratio is None and not carried.changes.any
    np.testing.assert_array_equal(carried.z, untouched.z)


def test_weights_of_a_moved_prior_are_the_ratio_of_normals(untouched):
    carried = carry_draws(untouched, untouched.view.with_quantity(INFORMED, normal(4.4, 0.8)))
    x = untouched.values[0][INFORMED]
    expected = stats.norm.logpdf(x, 4.4, 0.8) - stats.norm.logpdf(x, 4.0, 1.0)
    np.testing.assert_allclose(carried.log_ratio, expected, atol=1e-6)
    # the values stay; only what they count changes
    np.testing.assert_array_equal(carried.x[INFORMED], x)


def test_a_conjugate_posterior_is_found_under_the_new_prior(view, evidence, untouched):
    """Normal(4, 1) prior, one observation of sd 0.5 at 5: posterior by formula; reweighted to a Normal(3.5, 0.9) prior."""

    def posterior(mu, sigma):
        precision = 1 / sigma**2 + 1 / 0.5**2
        return (mu / sigma**2 + 5 / 0.5**2) / precision, precision**-0.5

    mean, sd = posterior(4.0, 1.0)
    conjugate = synthetic(untouched.view, evidence, {INFORMED: lambda z: mean - 4.0 + sd * z})
    carried = carry_draws(conjugate, conjugate.view.with_quantity(INFORMED, normal(3.5, 0.9)))
    weights, checks = weigh_draws(carried)
    assert all(check.passed for check in checks), checks
    x, (mean, sd) = carried.x[INFORMED], posterior(3.5, 0.9)
    assert weights.mean(x) == pytest.approx(mean, abs=4 * weights.mcse(x))
    assert np.sqrt(weights.mean(x**2) - weights.mean(x) ** 2) == pytest.approx(sd, rel=0.03)
    # negative control: unweighted it is not
    assert abs(Weights.equal(x.shape).mean(x) - mean) > 10 * weights.mcse(x)


def test_prior_only_quantities_are_redrawn_without_weights(untouched):
    carried = carry_draws(untouched, untouched.view.with_quantity(FREE, normal(2.0, 0.5)))
    assert carried.log_ratio is None
    np.testing.assert_allclose(
        carried.x[FREE], 2.0 + 0.5 * untouched.z[..., column(untouched, FREE)], atol=1e-9
    )


def test_a_correlation_among_prior_only_quantities_is_redrawn_exactly(untouched):
    carried = carry_draws(untouched, replace(untouched.view, correlations={(FREE, FREE_TOO): 0.7}))
    assert carried.log_ratio is None
    rho = stats.spearmanr(carried.x[FREE].ravel(), carried.x[FREE_TOO].ravel()).statistic
    assert rho == pytest.approx(0.7, abs=4 * 0.5 / np.sqrt(20_000))
    assert carried.z[..., column(untouched, FREE)].std() == pytest.approx(1.0, abs=0.02)


def test_a_correlation_with_an_informed_quantity_follows_what_it_has_learned(
    view, evidence, untouched
):
    """The informed score has mean 1 and sd 0.5; a copula correlation r then gives the free one mean r and variance 1 - 0.75 r^2."""
    learned = synthetic(untouched.view, evidence, {INFORMED: lambda z: 1.0 + 0.5 * z})
    carried = carry_draws(learned, replace(learned.view, correlations={(INFORMED, FREE): 0.6}))
    assert carried.log_ratio is None  # nothing about the informed one changes
    r, z = 2 * np.sin(np.pi * 0.6 / 6), carried.z[..., column(learned, FREE)]
    assert z.mean() == pytest.approx(r, abs=4 / np.sqrt(z.size))
    assert z.var() == pytest.approx(1 - 0.75 * r**2, rel=0.05)
    back = carry_draws(
        replace(learned, view=carried.view, tables=carried.tables, draws=_with(learned, carried.z)),
        learned.view,
    )
    np.testing.assert_allclose(back.z, learned.z, atol=1e-9)  # and there and back is where it was


def _with(source, z):
    return source.draws.assign(z=(("chain", "draw", "quantity"), z))


def test_a_correlation_between_informed_quantities_weights_by_the_copulas_density(untouched):
    carried = carry_draws(untouched, replace(untouched.view, correlations={(INFORMED, OTHER): 0.5}))
    r = 2 * np.sin(np.pi * 0.5 / 6)
    pair = untouched.z[..., [column(untouched, INFORMED), column(untouched, OTHER)]]
    expected = stats.multivariate_normal([0, 0], [[1, r], [r, 1]]).logpdf(pair) - stats.norm.logpdf(
        pair
    ).sum(axis=-1)
    np.testing.assert_allclose(carried.log_ratio, expected, atol=1e-9)
    weights, checks = weigh_draws(carried)
    assert all(check.passed for check in checks)
    scores = pair[..., 0] * pair[..., 1]
    assert weights.mean(scores) == pytest.approx(r, abs=5 * weights.mcse(scores))


def test_a_hopeless_correlation_has_weights_of_infinite_variance(untouched):
    source = replace(untouched, view=replace(untouched.view, correlations={(INFORMED, OTHER): 0.9}))
    source = replace(source, tables=source.view.tables(source.tables.names))
    source = replace(source, draws=_with(source, untouched.z @ source.tables.cholesky.T))
    checks = {
        c.name: c
        for c in weigh_draws(
            carry_draws(source, replace(source.view, correlations={(INFORMED, OTHER): -0.9}))
        )[1]
    }
    assert not checks["weights_variance"].passed and checks["weights_variance"].value < 0


# -------------------------------------------------------------------------------------------- reach


def test_reach_of_the_same_prior_is_whole():
    table, rng = tabulate(Normal(0.0, 1.0)), np.random.default_rng(5)
    for mean, sd in ((0.0, 1.0), (2.0, 0.3), (-1.0, 0.01)):  # whatever the evidence did to it
        assert share_unreached(table, table, mean + sd * rng.standard_normal(4000)) == 0.0


@pytest.mark.parametrize(
    "new, share",
    [
        (Normal(6.0, 0.5), 1.0),  # moved outside
        (Mixture((0.7, 0.3), (Normal(0.0, 1.0), Normal(9.0, 0.3))), 0.3),  # a second mode
        # far wider: beyond 2.67 a hundredth of it has fewer than 5 of 4000 draws
        (Normal(0.0, 3.0), 0.37),
        (Normal(0.3, 1e-4), 1.0),  # far tighter than the distance between draws
    ],
)
def test_mass_without_draws_is_seen(new, share):
    z = np.random.default_rng(6).standard_normal(4000)
    assert share_unreached(tabulate(Normal(0.0, 1.0)), tabulate(new), z) == pytest.approx(
        share, abs=0.06
    )


def test_a_gap_between_two_modes_is_not_within_reach():
    old = tabulate(Mixture((0.5, 0.5), (Normal(-5.0, 0.5), Normal(5.0, 0.5))))
    z = np.random.default_rng(7).standard_normal(4000)
    assert share_unreached(old, tabulate(Normal(0.0, 0.5)), z) > 0.9


def test_a_far_mode_that_the_evidence_excludes_is_no_obstacle():
    # a likelihood twenty times sharper than the prior
    z = 0.05 * np.random.default_rng(8).standard_normal(4000)
    far = tabulate(Mixture((0.7, 0.3), (Normal(0.0, 1.0), Normal(9.0, 0.3))))
    assert share_unreached(tabulate(Normal(0.0, 1.0)), far, z) == 0.0


@pytest.mark.parametrize(("left", "share"), [(0, 0.1), (4, 0.1), (5, 0.0), (6, 0.0)])
def test_a_tenth_of_the_posterior_is_reached_by_five_of_four_hundred_draws(left, share):
    """Four hundred even draws are looked at in tenths; of the fifth tenth all but some are taken away."""
    even = (np.arange(400) + 0.5) / 400
    others = even[(even < 0.39) | (even > 0.51)]
    z = stats.norm.ppf(np.concatenate([others, np.linspace(0.43, 0.47, left)]))
    table = tabulate(Normal(0.0, 1.0))
    assert share_unreached(table, table, z) == pytest.approx(share)


@pytest.mark.parametrize(
    ("mean", "least", "most", "passes"), [(5.3, 0.005, 0.02, True), (5.5, 0.021, 0.05, False)]
)
def test_a_fiftieth_of_the_posterior_may_be_out_of_reach(untouched, mean, least, most, passes):
    carried = carry_draws(untouched, untouched.view.with_quantity(INFORMED, normal(mean, 1.0)))
    reach = next(check for check in weigh_draws(carried)[1] if check.name == "reach")
    assert least < reach.value <= most and reach.passed == passes
    assert reach.threshold == 0.02 and reach.where == INFORMED


def test_reach_is_blind_to_the_scale_of_a_quantity():
    z = np.random.default_rng(9).standard_normal(4000)
    p = np.asarray([0.1, 0.5, 0.9])
    one = share_unreached(
        table_from_quantiles(p, np.asarray([1.0, 2, 4])),
        table_from_quantiles(p, np.asarray([2.0, 4, 9])),
        z,
    )
    two = share_unreached(
        table_from_quantiles(p, np.asarray([1e3, 2e3, 4e3])),
        table_from_quantiles(p, np.asarray([2e3, 4e3, 9e3])),
        z,
    )
    assert one == two > 0


# ----------------------------------------------------------------------------------------- choosing


def test_auto_says_what_it_did_and_why(source):
    view = source.view
    assert (
        "redrawn exactly"
        in plan_refit(source, view.with_quantity("usd_per_hour", normal(2, 0.2))).reason
    )
    gentle = view.with_quantity(
        "algorithmic_limit", {"family": "lognormal", "mu": 1.7, "sigma": 0.6}
    )
    chosen = plan_refit(source, gentle)
    assert (
        chosen.method == "reweight"
        and "k-hat" in chosen.reason
        and "algorithmic_limit" in chosen.reason
    )
    other = plan_refit(source, replace(view, evidence=replace(view.evidence, until=2024.0)))
    assert other.method == "sample" and "the evidence differs" in other.reason
    setting = plan_refit(
        source, replace(view, scaling=replace(view.scaling, error_correlation=0.2))
    )
    assert setting.method == "sample" and "scaling.error_correlation" in setting.reason


@pytest.mark.parametrize(
    "name, spec",
    [
        # support outside
        ("spend_growth_ratio", {"quantiles": {"0.1": 3.0, "0.5": 4.0, "0.9": 5.0}}),
        # far tighter
        ("hazard_steepness", {"quantiles": {"0.1": 2.2999, "0.5": 2.3, "0.9": 2.3001}}),
        (
            "horizon_long",
            {"mixture": [normal(7.5, 0.8) | {"weight": 0.7}, normal(12.0, 0.2) | {"weight": 0.3}]},
        ),
    ],
)
def test_changes_that_psis_alone_would_miss_are_sampled(source, name, spec):
    chosen = plan_refit(source, source.view.with_quantity(name, spec))
    assert chosen.method == "sample" and "reach" in chosen.reason and name in chosen.reason
    forced = plan_refit(source, source.view.with_quantity(name, spec), "reweight")
    assert forced.method == "reweight" and "not to be trusted" in forced.reason
    assert not all(check.passed for check in forced.checks)


def test_k_hat_is_blind_to_a_far_second_mode_and_reach_is_not():
    """Negative control of k-hat: it is good, because no draw lies where the ratio of the densities is large."""
    x = np.random.default_rng(10).standard_normal(4000)
    far = Mixture((0.7, 0.3), (Normal(0.1, 0.95), Normal(9.0, 0.3)))
    _, k_hat = array_stats.psislw(stats.norm.logpdf(x) - far.log_pdf(x))
    assert k_hat < 0.5
    assert share_unreached(tabulate(Normal(0.0, 1.0)), tabulate(far), x) == pytest.approx(
        0.3, abs=0.08
    )


def test_reweighting_is_refused_where_the_likelihood_differs(source):
    other = replace(source.view, evidence=replace(source.view.evidence, use="none"))
    with pytest.raises(
        InputError, match="method: reweight keeps the likelihood, got another the evidence"
    ):
        plan_refit(source, other, "reweight")
    with pytest.raises(InputError, match="method: must be one of auto, reweight, sample"):
        plan_refit(source, source.view, "guess")


@pytest.mark.parametrize(
    "changed", [{"requirement": {"low_flop": 1e24}}, {"direct_approach": {"update": "published"}}]
)
def test_a_published_update_is_refused_beside_the_evidence_that_contains_it(source, changed):
    with pytest.raises(
        InputError, match="is contained in the evidence of no TAI and must not count twice"
    ):
        plan_refit(source, source.view.replace(**changed))


def test_settings_of_the_derivation_alone_are_redrawn(source):
    later = replace(source.view, arrival=replace(source.view.arrival, horizon=2080.0))
    chosen = plan_refit(source, later)
    assert chosen.exact and "arrival.horizon" in chosen.reason
    year = answer_from_draws(chosen).derived["tai_year"].values
    assert np.nanmax(year) <= 2080.0


# --------------------------------------------------------------- against sampling, within its error


def answer_by_sampling(joint, view, seed, draws=1000):
    from aligntax.analysis.inference.options import Sampling

    fitted = joint.with_view(view)
    draws, _ = fitted.posterior(Sampling(seed=seed, draws=draws))
    tables = view.tables(fitted.model.quantities)
    return derive(
        fitted.model, draws, tables, fitted.evidence, view, child_generator(seed, "arrival")
    )


def compared(joint, source, view, seed, weights=None, draws=1000):
    """Every comparison of a reweighted with a sampled answer, as (name, p)."""
    chosen = plan_refit(source, view)
    assert chosen.method == "reweight", chosen.reason
    answer, sampled = answer_from_draws(chosen), answer_by_sampling(joint, view, seed, draws)
    equal = Weights.equal((4, draws))
    return [
        (f"{seed} {n}", p)
        for n, p in comparisons(answer.derived, weights or chosen.weights, sampled, equal)
    ]


@pytest.mark.slow
def test_thirty_random_changes_agree_with_sampling_wherever_auto_accepts(joint, source):
    """Holm at 1% over every comparison of every headline quantity; about half of the changes are refused and sampled."""
    rng, pairs, accepted = np.random.default_rng(2026), [], 0
    for seed in range(30):
        moved = random_view(source.view, rng)
        if plan_refit(source, moved).method == "sample":
            continue
        accepted += 1
        pairs += compared(joint, source, moved, seed)
    assert accepted >= 10 and len(pairs) > 500
    assert not holm(pairs, 0.01)


@pytest.mark.slow
def test_changed_anchors_and_correlations_agree_with_sampling(joint, source):
    weights = dict(source.view.anchors) | {"short_horizon": 0.05, "long_horizon": 0.30}
    views = [
        replace(source.view, anchors=weights),
        replace(
            source.view,
            correlations={
                ("brain_flop", "horizon_long"): 0.4,
                ("brain_flop", "rlhf_multiplier"): 0.6,
            },
        ),
    ]
    pairs = [
        pair
        for i, view in enumerate(views)
        for pair in compared(joint, source, view, 50 + i, draws=4000)
    ]
    assert not holm(pairs, 0.01)


def test_the_comparison_sees_a_wrong_answer(joint, source):
    """Negative control: the same draws without their weights do not agree with sampling."""
    moved = source.view.with_quantity(
        "algorithmic_limit", {"family": "lognormal", "mu": 2.0, "sigma": 0.5}
    )
    assert holm(compared(joint, source, moved, 60, Weights.equal((4, 1000)), draws=8000), 0.01)


def test_the_original_view_gives_the_original_answer(source, outcome):
    chosen = plan_refit(source, source.view)
    assert chosen.exact
    rows, old = answer_from_draws(chosen).rows, outcome.record["quantities"]
    for name, row in rows.items():
        for key in ("q05", "q25", "q50", "q75", "q95", "mean", "prob_censored"):
            assert row[key] == (
                None
                if old[name][key] is None
                else pytest.approx(old[name][key], rel=1e-9, abs=1e-12)
            )


def test_weighted_rows_count_censored_draws(source):
    late = plan_refit(
        source, source.view.with_quantity("evolution_flop", normal(44.0, 3.0)), "reweight"
    )
    answer = answer_from_draws(late)
    year = answer.rows["tai_year"]
    never = np.isnan(answer.derived["tai_year"].values)
    assert year["prob_above"] == pytest.approx(float(late.weights.values[never].sum()), abs=1e-12)
    assert year["q95"] is None and year["mean"] is None  # the quantile lies in the censored mass
    again = summarise(answer.derived, (), late.weights)["tai_year"]
    assert again["q50"] == year["q50"]
