"""Pools of tables against their closed forms, and pools of views: complete, hashed, and refused where there is no average."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.distributions import Histogram, Mixture, Normal
from aligntax.models.priors.pooled_tables import OVERLAP, log_pool, quantile_pool
from aligntax.models.priors.quantities import ELICITED
from aligntax.models.priors.tables import KNOTS, tabulate
from aligntax.models.views import ANCHORS, parse_view
from aligntax.models.views.pooling import KEYS, METHODS, pool_views

Q = "spend_growth"
GRID = np.linspace(-3, 3, 601)


def normal(mu, sigma):
    return tabulate(Normal(mu, sigma))


def prior(mu, sigma):
    return {"family": "normal", "mu": float(mu), "sigma": float(sigma)}


# ------------------------------------------------------------------------------------- closed forms

means = st.floats(-1, 1)
sds = st.floats(0.5, 2)
shares = st.floats(0.05, 1)
experts = st.lists(st.tuples(means, sds, shares), min_size=2, max_size=4)


@pytest.mark.slow
@given(experts)
def test_the_log_pool_of_normals_is_the_normal_with_averaged_precision(each) -> None:
    mu, sigma, w = np.asarray(each).T
    w = w / w.sum()
    precision = np.sum(w / sigma**2)
    exact = normal(np.sum(w * mu / sigma**2) / precision, precision**-0.5)
    pooled = log_pool([normal(m, s) for m, s, _ in each], w)
    np.testing.assert_allclose(pooled.y, exact.y, atol=1e-9)
    np.testing.assert_allclose(pooled.slope, exact.slope, rtol=1e-8)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.001, 0.999), (0.999, 0.001), (0.2, 0.8)])
@pytest.mark.parametrize("narrow", [0.5, 0.01, 1e-4])
def test_the_log_pool_of_a_narrow_and_a_wide_normal_is_exact_where_they_overlap(
    weights, narrow
) -> None:
    w = np.asarray(weights)
    sigma = np.asarray([narrow, 1.0])
    try:
        pooled = log_pool([normal(0.0, s) for s in sigma], w)
    except InputError:
        variance = 1 / np.sum(w / sigma**2)
        assert np.prod((2 * np.pi * sigma**2) ** (-w / 2)) * np.sqrt(2 * np.pi * variance) < OVERLAP
        return
    sd = np.sum(w / sigma**2) ** -0.5
    np.testing.assert_allclose(pooled.y, sd * KNOTS, atol=1e-9 * sd)


@given(experts)
def test_the_quantile_pool_of_normals_averages_means_and_sds(each) -> None:
    mu, sigma, w = np.asarray(each).T
    pooled = quantile_pool([normal(m, s) for m, s, _ in each], w)
    exact = normal(np.average(mu, weights=w), np.average(sigma, weights=w))
    np.testing.assert_allclose(pooled.y, exact.y, atol=1e-12)
    np.testing.assert_allclose(pooled.slope, exact.slope, rtol=1e-12)


def test_the_distribution_function_of_the_linear_pool_is_the_average() -> None:
    table = compile_prior(
        Q, {"mixture": [{"weight": 1, **prior(-0.5, 1)}, {"weight": 3, **prior(1, 0.5)}]}
    )
    exact = 0.25 * stats.norm(-0.5, 1).cdf(GRID) + 0.75 * stats.norm(1, 0.5).cdf(GRID)
    np.testing.assert_allclose(table.cdf(GRID), exact, atol=1e-4)


def test_the_three_pools_differ_as_they_should() -> None:
    """Two sure experts who disagree: the linear pool is wide, the quantile pool as sure as they are, the log pool too."""
    parts = [prior(-1, 0.5), prior(1, 0.5)]
    linear, log, quantile = (
        compile_prior(Q, {KEYS[method]: parts}) for method in ("linear", "log", "quantile")
    )
    wide, sure, equally = (float(t.value(1.0) - t.value(-1.0)) / 2 for t in (linear, log, quantile))
    assert wide > 1.0
    assert sure == pytest.approx(0.5, abs=1e-9)
    assert equally == pytest.approx(0.5, abs=1e-9)
    # the log pool weighs by precision, the quantile pool does not
    uneven = [prior(-1, 0.5), prior(1, 1.0)]
    assert compile_prior(Q, {"log_pool": uneven}).value(0.0) == pytest.approx(-0.6, abs=1e-9)
    assert compile_prior(Q, {"quantile_pool": uneven}).value(0.0) == pytest.approx(0.0, abs=1e-9)


ROUGH = {
    "normal": Normal(0.0, 1.0),
    "histogram with a gap": Histogram((0.0, 1.0, 2.0, 3.0), (1.0, 0.0, 1.0)),
    "far mixture": Mixture((0.4, 0.6), (Normal(-8.0, 0.5), Normal(8.0, 1.0))),
}


@pytest.mark.parametrize("shape", ROUGH.values(), ids=ROUGH)
@pytest.mark.parametrize("pool", [log_pool, quantile_pool])
def test_a_pool_of_equal_experts_is_the_expert(shape, pool) -> None:
    table = tabulate(shape)
    pooled = pool([table] * 3, (1.0, 2.0, 0.5))
    y = np.linspace(table.y[0], table.y[-1], 2001)
    assert np.max(np.abs(pooled.cdf(y) - table.cdf(y))) < 1e-3
    if pool is quantile_pool or shape is ROUGH["normal"]:
        np.testing.assert_allclose(pooled.y, table.y, atol=1e-9)


@pytest.mark.parametrize("pool", [log_pool, quantile_pool])
def test_weights_one_and_zero_give_back_the_expert(pool) -> None:
    one, other = normal(0.3, 0.2), normal(9.0, 0.1)
    np.testing.assert_array_equal(pool([one, other], (1.0, 0.0)).y, one.y)
    np.testing.assert_array_equal(pool([one, other], (0.0, 3.0)).y, other.y)


@pytest.mark.parametrize("kind", KEYS.values())
@given(order=st.permutations(range(3)))
def test_the_order_of_experts_does_not_matter(kind, order) -> None:
    parts = [
        {"weight": w, **prior(m, s)}
        for m, s, w in ((0.0, 1.0, 1.0), (0.5, 0.7, 2.0), (-0.4, 1.5, 0.5))
    ]
    straight, shuffled = (
        compile_prior(Q, {kind: each}) for each in (parts, [parts[i] for i in order])
    )
    np.testing.assert_allclose(straight.y, shuffled.y, atol=1e-10)


def test_a_log_pool_is_refused_below_the_overlap_that_it_tells() -> None:
    # Z = exp(-d^2 / 8)
    near, far = (np.sqrt(-8 * np.log(OVERLAP * factor)) for factor in (1.01, 0.99))
    log_pool([normal(0, 1), normal(near, 1)], (1, 1))
    with pytest.raises(InputError, match=r"must overlap.*at least 0\.05, got 0\.05; pool linearly"):
        log_pool([normal(0, 1), normal(far, 1)], (1, 1))


def test_the_log_pool_does_not_depend_on_the_scale() -> None:
    """The same two lognormal experts, stated on the natural unit and in OOM."""
    ln10 = np.log(10)
    natural = [
        {"family": "lognormal", "mu": m * ln10, "sigma": s * ln10}
        for m, s in ((1.0, 0.5), (1.5, 0.3))
    ]
    logs = [
        {"family": "normal", "mu": m, "sigma": s, "unit": "OOM"}
        for m, s in ((1.0, 0.5), (1.5, 0.3))
    ]
    one, other = (compile_prior("usd_per_hour", {"log_pool": parts}) for parts in (natural, logs))
    np.testing.assert_allclose(one.y, other.y, atol=1e-8)


def test_pools_nest_and_take_units_and_bounds() -> None:
    inner = {"quantile_pool": [prior(20, 5), prior(40, 5)]}
    table = compile_prior(
        Q, {"mixture": [inner, prior(30, 5)], "unit": "percent/year", "bounds": [0, 60]}
    )
    assert table.value(0.0) == pytest.approx(np.log10(1.3), abs=1e-3)


# ----------------------------------------------------------------------------------- pools of views


@pytest.fixture(scope="module")
def ann(view):
    text = """
    name = "ann"
    source = "Ann"
    [quantities.spend_growth]
    quantiles = {0.1 = 10, 0.5 = 40, 0.9 = 90}
    unit = "percent/year"
    source = "Ann said so"
    [quantities.rlhf_multiplier]
    quantiles = {0.1 = 1, 0.5 = 10, 0.9 = 100}
    source = "Ann again"
    [[correlations]]
    between = ["spend_growth", "hardware_growth"]
    rho = 0.5
    [anchors]
    user = 0.5
    lifetime = 0.5
    """
    return parse_view(text, "ann.toml")


@pytest.fixture(scope="module")
def bob(view):
    text = """
    name = "bob"
    [quantities.spend_growth]
    family = "normal"
    mu = 0.2
    sigma = 0.1
    bounds = [0, 1]
    [[correlations]]
    between = ["hardware_growth", "spend_growth"]
    rho = -0.2
    [[correlations]]
    between = ["spend_level", "hardware_level"]
    rho = 0.4
    [anchors]
    user = 0.2
    none = 0.8
    """
    return parse_view(text, "bob.toml")


@pytest.mark.parametrize("method", METHODS)
def test_a_pooled_view_is_complete_and_round_trips_to_the_same_hash(ann, bob, method) -> None:
    pooled = pool_views([ann, bob], (2, 1), method, "both")
    again = parse_view(pooled.to_toml(), "elsewhere.toml")
    assert again.hash == pooled.hash
    assert again.name == "both"
    assert set(pooled.quantities) == set(ELICITED)
    assert sum(pooled.anchors.values()) == pytest.approx(1.0, abs=1e-12)


def test_only_what_experts_differ_on_is_pooled_and_every_source_is_kept(ann, bob, view) -> None:
    pooled = pool_views([ann, bob], method="quantile")
    changed = [name for name in ELICITED if pooled.quantities[name] != view.quantities[name]]
    assert set(changed) == {"spend_growth", "rlhf_multiplier"}
    parts = pooled.quantities["spend_growth"]["quantile_pool"]
    assert [part["source"] for part in parts] == ["ann: Ann said so", "bob: no source"]
    assert pooled.quantities["rlhf_multiplier"] == ann.quantities["rlhf_multiplier"]  # bob abstains
    assert parts[0]["unit"] == "percent/year"
    assert parts[1]["bounds"] == [0.0, 1.0]
    assert "Ann" in pooled.source


@pytest.mark.parametrize("method", METHODS)
def test_who_is_silent_abstains(ann, view, method) -> None:
    """Silence was the default's opinion: two experts who say nothing outvoted the one who spoke."""
    silent = [parse_view("", f"{name}.toml") for name in ("carl", "dora")]
    pooled = pool_views([ann, *silent], (1, 5, 5), method)
    for name in ("spend_growth", "rlhf_multiplier"):
        assert pooled.quantities[name] == ann.quantities[name]
    assert pooled.anchors == ann.anchors and pooled.correlations == ann.correlations
    assert pooled.quantities["usd_per_hour"] == view.quantities["usd_per_hour"]


def test_weights_are_those_of_the_experts_who_speak(ann, bob) -> None:
    silent = parse_view("", "carl.toml")
    three, two = pool_views([ann, bob, silent], (3, 1, 4)), pool_views([ann, bob], (3, 1))
    np.testing.assert_allclose(
        compile_prior(Q, three.quantities[Q]).y, compile_prior(Q, two.quantities[Q]).y, atol=1e-12
    )
    assert three.anchors == pytest.approx(two.anchors)
    assert three.anchors["user"] == pytest.approx(0.75 * 0.5 + 0.25 * 0.2)


def test_who_agrees_with_the_default_in_words_of_their_own_and_the_default_itself_speak(
    ann, view
) -> None:
    same = {**view.quantities["rlhf_multiplier"], "source": "Eve thinks so too"}
    eve = view.replace(name="eve", rlhf_multiplier=same)
    for other in (eve, view):
        parts = pool_views([ann, other]).quantities["rlhf_multiplier"]["mixture"]
        assert [part["weight"] for part in parts] == [0.5, 0.5]


def test_the_pooled_prior_is_the_pool_of_the_priors(ann, bob) -> None:
    each = [compile_prior(Q, v.quantities[Q]) for v in (ann, bob)]
    pooled = compile_prior(Q, pool_views([ann, bob], (3, 1), "quantile").quantities[Q])
    np.testing.assert_allclose(pooled.y, 0.75 * each[0].y + 0.25 * each[1].y, atol=1e-12)


def test_anchors_are_averaged_and_in_a_log_pool_multiplied(ann, bob) -> None:
    linear = pool_views([ann, bob], (3, 1)).anchors
    assert linear["user"] == pytest.approx(0.75 * 0.5 + 0.25 * 0.2)
    assert linear["none"] == pytest.approx(0.2)
    assert tuple(linear) == ANCHORS
    log = pool_views([ann, bob], method="log").anchors
    assert log["user"] == pytest.approx(1.0)  # the only one that both find possible
    spread = replace(bob, anchors={**dict.fromkeys(ANCHORS, 0.0), "user": 0.8, "lifetime": 0.2})
    weights = pool_views([ann, spread], (1, 1), "log").anchors
    assert weights["user"] == pytest.approx(2 / 3)  # sqrt(.5 .8) : sqrt(.5 .2) = 2 : 1


def test_a_log_pool_without_a_common_anchor_is_refused(ann, bob) -> None:
    apart = replace(bob, anchors={**dict.fromkeys(ANCHORS, 0.0), "none": 1.0})
    with pytest.raises(InputError, match="anchors: a log pool needs one that all find possible"):
        pool_views([ann, apart], method="log")


def test_correlation_matrices_are_averaged(ann, bob) -> None:
    names = list(ELICITED)
    pooled = pool_views([ann, bob], (3, 1))
    each = [copula_factor(names, v.correlations) for v in (ann, bob)]
    exact = 0.75 * each[0] @ each[0].T + 0.25 * each[1] @ each[1].T
    factor = copula_factor(names, pooled.correlations)
    np.testing.assert_allclose(factor @ factor.T, exact, atol=1e-12)
    assert len(pooled.correlations) == 2  # a pair stated in either order is one pair


@given(rhos=st.lists(st.floats(-0.9, 0.9), min_size=6, max_size=6), share=st.floats(0.05, 0.95))
def test_pooled_correlations_are_always_possible(ann, rhos, share) -> None:
    names = ("spend_growth", "spend_level", "hardware_growth")
    views = []
    for three in (rhos[:3], rhos[3:]):
        pairs = {
            (names[0], names[1]): three[0],
            (names[1], names[2]): three[1],
            (names[0], names[2]): three[2],
        }
        try:
            copula_factor(names, pairs)
        except InputError:
            return
        views.append(replace(ann, correlations=pairs))
    copula_factor(list(ELICITED), pool_views(views, (share, 1 - share)).correlations)


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_one_belief_is_that_belief(ann, method) -> None:
    assert pool_views([ann, replace(ann, name="twin")], (0.3, 0.7), method).hash == ann.hash


def test_a_view_of_weight_zero_is_left_out_whatever_it_says(ann, bob) -> None:
    other = replace(bob, arrival=replace(bob.arrival, horizon=2080.0))
    assert pool_views([ann, other], (1, 0), "log").hash == ann.hash


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("arrival", "horizon", 2080.0),
        ("scaling", "error_correlation", 0.1),
        ("evidence", "use", "none"),
        ("evidence", "until", 2022.0),
    ],
)
def test_settings_and_evidence_must_agree(ann, bob, section, setting, value) -> None:
    other = replace(bob, **{section: replace(getattr(bob, section), **{setting: value})})
    with pytest.raises(
        InputError, match=rf"{section}\.{setting}: must be the same .*\(ann\), {value} \(bob\)"
    ):
        pool_views([ann, other])


def test_a_log_pool_of_strangers_names_the_quantity_and_the_experts(ann) -> None:
    far = ann.with_quantity(Q, {"family": "normal", "mu": 9.0, "sigma": 0.1})
    with pytest.raises(InputError, match="pool of ann, ann: spend_growth: experts must overlap"):
        pool_views([ann, far], method="log")
    pool_views([ann, far], method="linear")


@pytest.mark.parametrize(
    "weights", [(1,), (1, 2, 3), (-1, 2), (0, 0), (float("nan"), 1), (float("inf"), 1)]
)
def test_weights_must_fit(ann, bob, weights) -> None:
    with pytest.raises(InputError, match="weights: must be 2 numbers"):
        pool_views([ann, bob], weights)


def test_a_pool_needs_two_views_and_a_method(ann, bob) -> None:
    with pytest.raises(InputError, match="two or more, got 1"):
        pool_views([ann])
    with pytest.raises(InputError, match="method: must be linear, log, quantile, got 'best'"):
        pool_views([ann, bob], method="best")


def test_the_title_says_who_alone_spoke_and_counts_the_default_where_it_is_an_expert(view) -> None:
    ann = parse_view(f"[quantities.{Q}]\nquantiles = {{0.1 = 0.2, 0.9 = 0.8}}\n", "ann.toml")
    carl = parse_view("", "carl.toml")
    assert pool_views([ann, carl]).title.endswith("; spend growth: only ann")
    assert "only" not in pool_views([ann, view]).title


def test_the_title_says_who_alone_set_anchor_weights_and_correlations(view) -> None:
    """One expert's anchors and one pair became the pool's, and the default's pairs went unsaid."""
    told = "the default's correlations are replaced"
    pair = '[[correlations]]\nbetween = ["spend_growth", "hardware_growth"]\nrho = 0.9\n'
    carl, dora = parse_view("", "carl.toml"), parse_view("[anchors]\nlifetime = 1.0\n", "dora.toml")
    eve = parse_view(pair, "eve.toml")
    assert pool_views([carl, dora]).title.endswith("; anchor weights: only dora")
    pooled = pool_views([carl, dora, eve])
    assert "; anchor weights: only dora; correlations: only eve" in pooled.title
    assert pooled.title.endswith(f"; {told}") and len(pooled.correlations) == 1
    assert "only" not in pool_views([eve, eve]).title and told in pool_views([eve, eve]).title
    added = {(b, a): rho for (a, b), rho in view.correlations.items()} | dict(eve.correlations)
    more = replace(carl, name="more", correlations=added)  # the default's, the other way round
    assert pool_views([carl, more]).title.endswith("; correlations: only more")
