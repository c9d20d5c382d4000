"""Gold curves: peaks against brute force, labels needed and their inverse, and that the graph says what the functions say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.models.overoptimization import gold_law
from aligntax.models.overoptimization import model as over
from aligntax.models.overoptimization.located_peaks import locate_runs, run_index_of
from aligntax.models.priors.quantities import lookup
from tests.gold_curves import simulated

LOG_KL = st.floats(-2.0, 4.0)
LOG_GOLD = st.floats(-2.0, 2.0)
FORM = st.booleans()


@given(LOG_KL, LOG_GOLD, FORM)
def test_the_coefficients_are_those_of_the_peak_and_back(peak_kl, peak_gold, is_rl) -> None:
    alpha, beta = gold_law.coefficients(peak_kl, peak_gold, is_rl)
    kl, gold = gold_law.peak(alpha, beta, is_rl)
    assert np.log10([kl, gold]) == pytest.approx([peak_kl, peak_gold], abs=1e-9)


@pytest.mark.parametrize("is_rl", [False, True])
def test_the_curve_is_the_published_law_and_peaks_where_it_says(is_rl) -> None:
    """d (alpha - beta d) and d (alpha - beta log d) of Gao, Schulman and Hilton 2022, on a grid."""
    alpha, beta = gold_law.coefficients(1.2, 0.3, is_rl)
    d = np.linspace(0.01, 30.0, 200_001)
    law = d * (alpha - beta * (np.log(d) if is_rl else d))
    assert gold_law.gold(d, 10.0**0.6, 10.0**0.3, is_rl) == pytest.approx(law, rel=1e-9, abs=1e-9)
    assert 2 * np.log10(d[np.argmax(law)]) == pytest.approx(1.2, abs=1e-3)
    assert law.max() == pytest.approx(10.0**0.3, rel=1e-6)


@given(LOG_KL, LOG_GOLD, FORM, st.floats(-1.0, 1.0))
def test_a_peak_is_never_passed_and_more_height_scales_all_of_the_curve(
    peak_kl, peak_gold, is_rl, away
) -> None:
    d_peak, height = 10.0 ** (peak_kl / 2), 10.0**peak_gold
    there = gold_law.gold(d_peak * 10.0**away, d_peak, height, is_rl)
    assert there <= height * (1 + 1e-12)
    assert gold_law.gold(d_peak * 10.0**away, d_peak, 3 * height, is_rl) == pytest.approx(3 * there)


# ------------------------------------------------------------------------------------------- labels


@given(st.floats(0.0, 3.0), st.floats(1.0, 6.0), st.floats(0.2, 3.0), st.floats(-2.0, -0.01))
def test_labels_needed_put_the_peak_at_the_budget(peak_kl, half, exponent, below) -> None:
    x = {"peak_kl": peak_kl, "labels_half": half, "label_exponent": exponent}
    needed = gold_law.labels_needed(x, peak_kl + below)
    assert peak_kl - gold_law.reduction(needed, half, exponent) == pytest.approx(
        peak_kl + below, abs=1e-8
    )


def test_labels_needed_rise_with_the_budget_and_none_suffices_beyond_the_best_proxy() -> None:
    x = {"peak_kl": np.array(1.5), "labels_half": np.array(3.0), "label_exponent": np.array(0.8)}
    needed = gold_law.labels_needed(x, np.linspace(-1.0, 1.499, 400))
    assert np.all(np.diff(needed) > 0) and np.isfinite(needed).all()
    assert np.isinf(gold_law.labels_needed(x, np.array([1.5, 1.6, 5.0]))).all()
    half = gold_law.labels_needed(x, 1.5 - np.log10(2))
    assert half == pytest.approx(3.0)  # labels_half: half the KL


def test_the_reduction_has_both_limits_and_does_not_overflow() -> None:
    assert gold_law.reduction(1e6, 3.0, 2.0) == 0.0
    # a power of the labels when there are few
    assert gold_law.reduction(-400.0, 3.0, 2.0) == pytest.approx(806.0)
    assert gold_law.reduction(3.0, 3.0, 2.0) == pytest.approx(np.log10(2))


# ------------------------------------------------------------------------------- evidence and graph


@pytest.fixture(scope="module")
def few(evidence):
    """Evidence of six runs of both forms."""
    return evidence.with_rows("gold_curves", simulated(6)[0])


def located(evidence):
    """Where the points of each run put it."""
    return locate_runs(over.curves(evidence), over.MISFIT)


def test_runs_lie_where_their_points_put_them(evidence) -> None:
    """Within 4 of the stated sd, at that sd or more precisely; no worse for points without standard errors."""
    rows, truth = simulated(20, se=1e-4, misfit=0.0)
    near = located(evidence.with_rows("gold_curves", rows))
    start = truth["peak_gold"] - truth["peak_kl"] / 2
    assert np.all(np.abs(near["run_start"] - start) < 0.02 + 4 * near["run_start_sd"])
    assert np.all(
        np.abs(near["run_peak_kl"] - truth["peak_kl"]) < 0.02 + 4 * near["run_peak_kl_sd"]
    )
    unknown = [{**row, "gold_se": np.nan} for row in rows]
    again = located(evidence.with_rows("gold_curves", unknown))
    assert np.abs(again["run_start"] - near["run_start"]).max() < 0.2


def test_a_run_that_only_falls_is_located_at_a_peak_before_its_points(evidence) -> None:
    rows, _ = simulated(2)
    rows = [{**row, "gold": -abs(row["gold"]) - 0.1} for row in rows]
    near = located(evidence.with_rows("gold_curves", rows))
    assert np.isfinite(near["run_start"]).all()
    assert np.all(near["run_peak_kl"] < np.log10(min(row["kl"] for row in rows)))


def by_hand(evidence, view, z, named):
    """Log density of every part of the model, from its docstring; labels are known and methods are two."""
    data = over.curves(evidence)
    x = view.tables(over.QUANTITIES).values(z)
    other, proxy = data["method_index"].values == 1, data["proxy_index"].values
    labels = np.array([data["log_labels"].values[proxy == p][0] for p in range(proxy.max() + 1)])
    short = np.log10(1 + 10.0 ** (x["label_exponent"] * (x["labels_half"] - labels)))
    luck = (10.0**labels / 1000) ** -named["spread_exponent"]
    proxy_kl = named["proxy_peak_kl"]
    proxy_gold = named["proxy_start"] + proxy_kl / 2
    mean_gold = x["peak_gold"] + named["gold_slope"] * (proxy_kl - x["peak_kl"])
    run_kl = proxy_kl[proxy] + other * named["method_kl"]
    run_gold = proxy_gold[proxy] + other * named["method_gold"]
    index, typical = run_index_of(data), 10.0 ** (x["peak_gold"] - named["gold_slope"] * short)
    height = 10.0 ** run_gold[index]
    curve = gold_law.gold(
        data["d"].values, 10.0 ** (run_kl[index] / 2), height, data["is_rl"].values[index]
    )
    error = np.hypot(data["gold_se"].values, named["misfit"] * typical[proxy[index]])
    methods = [named["method_kl"][0], named["method_gold"][0]]
    spread = stats.lognorm(0.7, scale=0.1)
    return (
        stats.norm.logpdf(z).sum()
        + stats.norm(0.75, 0.35).logpdf(named["gold_slope"])
        + stats.norm(0.5, 0.25).logpdf(named["spread_exponent"])
        + stats.norm(0, 0.3).logpdf(methods).sum()
        + spread.logpdf([named["peak_kl_spread"], named["peak_gold_spread"]]).sum()
        + stats.halfnorm(scale=0.1).logpdf(named["misfit"])
        + stats.norm(x["peak_kl"] - short, named["peak_kl_spread"] * luck).logpdf(proxy_kl).sum()
        + stats.norm(mean_gold, named["peak_gold_spread"] * luck).logpdf(proxy_gold).sum()
        + stats.norm(curve, error).logpdf(data["gold"].values).sum()
    )


def test_the_graph_is_the_density_of_the_docstring_wherever_it_is_sampled(few, view) -> None:
    """Transforms change what is sampled and not what is said: values in, the same density out."""
    graph = over.build(few, view)
    rng = np.random.default_rng(3)
    density = graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    values = graph.compile_fn(graph.unobserved_value_vars, mode="FAST_COMPILE")
    found, expected = [], []
    for _ in range(4):
        point = {
            name: 0.4 * rng.standard_normal(np.shape(v))
            for name, v in sorted(graph.initial_point().items())
        }
        named = dict(zip([v.name for v in graph.unobserved_value_vars], values(point), strict=True))
        found.append(density(point))
        expected.append(by_hand(few, view, named["white"], named))
    assert found == pytest.approx(expected, rel=1e-8)


def test_transforms_of_runs_are_one_to_one_with_the_jacobian_that_they_state() -> None:
    import pytensor.tensor as pt

    from aligntax.models.priors.scales import Informed

    centre, width, value = (
        np.array([0.3, -1.0, 2.0]),
        np.array([0.01, 0.3, 5.0]),
        np.array([0.2, 0.0, -3.0]),
    )
    way, inputs = Informed(centre, width), (pt.constant(1.0), pt.constant(0.5))
    there = way.forward(pt.constant(value), *inputs)
    assert way.backward(there, *inputs).eval() == pytest.approx(value)
    v, step = there.eval(), 1e-6
    slope = (
        way.backward(pt.constant(v + step), *inputs) - way.backward(pt.constant(v - step), *inputs)
    ).eval() / (2 * step)
    assert way.log_jac_det(there, *inputs).eval() == pytest.approx(np.log(slope), abs=1e-6)
    assert way.forward(
        pt.constant(centre), pt.constant(1.0), pt.constant(1e6)
    ).eval() == pytest.approx(0.0, abs=1e-6)


def test_evidence_without_points_leaves_the_prior(evidence, view) -> None:
    graph = over.build(evidence.only(()), view)
    assert not graph.potentials and {rv.name for rv in graph.free_RVs} == {"white", "misfit"}


# ------------------------------------------------------------------------------------------ derived


@pytest.fixture(scope="module")
def prior(evidence, view, prior_draws):
    import xarray as xr

    x = prior_draws(over.QUANTITIES, 20_000)
    return x, over.derive(
        x, xr.Dataset({"misfit": ("sample", np.zeros(20_000))}), evidence.only(()), view
    )


def test_gold_is_lost_exactly_where_the_budget_is_beyond_the_peak(prior) -> None:
    x, found = prior
    beyond = x["kl_budget"] > x["peak_kl"]
    assert np.all((found["gold_lost"] > 0) == beyond)
    assert np.all(np.isinf(found["labels_needed"]) == beyond | (x["kl_budget"] == x["peak_kl"]))
    assert np.all(found["labels_suffice"] == np.isfinite(found["labels_needed"]))


def test_a_multiple_is_undefined_only_where_practice_has_no_number_of_labels_either(prior) -> None:
    x, found = prior
    both = (x["kl_budget"] >= x["peak_kl"]) & (x["kl_practice"] >= x["peak_kl"])
    assert np.all(np.isnan(found["labels_multiple_needed"]) == both) and both.any()
    more = x["kl_budget"] > x["kl_practice"]
    known = ~np.isnan(found["labels_multiple_needed"])
    assert np.all((found["labels_multiple_needed"][known] > 0) == more[known])


@pytest.mark.parametrize("name", over.QUANTITIES)
def test_each_prior_moves_the_answer_it_should(name, evidence, view, prior_draws) -> None:
    """Medians of labels needed, or of the multiple for RLHF practice, in the direction the docstring says."""
    import xarray as xr

    sign = {
        "peak_kl": -1,
        "labels_half": 1,
        "label_exponent": -1,
        "kl_budget": 1,
        "kl_practice": -1,
        "peak_gold": 1,
    }[name]
    answer = {
        "kl_practice": "labels_multiple_needed",
        "label_exponent": "labels_multiple_needed",
        "peak_gold": "gold_lost",
    }
    medians = []
    for factor in (0.8, 1.25):
        spec = view.quantities[name]["quantiles"]
        moved = view.replace(**{name: {float(p): value * factor for p, value in spec.items()}})
        x = prior_draws(over.QUANTITIES, 20_000, of=moved)
        found = over.derive(
            x, xr.Dataset({"misfit": ("sample", np.zeros(20_000))}), evidence.only(()), moved
        )
        values = found[answer.get(name, "labels_needed")]
        medians.append(
            np.mean(values)
            if name == "peak_gold"
            else np.nanquantile(values, 0.3, method="inverted_cdf")
        )
    assert sign * (medians[1] - medians[0]) > 0


def test_every_answer_is_in_the_registry(prior) -> None:
    for name in prior[1]:
        assert lookup(name.split("_by_")[0])
