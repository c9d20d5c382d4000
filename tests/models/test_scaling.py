"""The meta-analysis counts what is independent once, and its closed forms are the textbook's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aligntax.models import scaling
from aligntax.models.scaling import group_log_likelihood
from tests.prior import scale_at


def totals(index: np.ndarray) -> Callable[[Any], Any]:
    """Sum over each group's studies, of numbers or of tensors."""
    member = (index == np.arange(index.max() + 1)[:, None]).astype(float)
    return lambda each: (member * each).sum(axis=-1)


def by_hand(residual, se, index, tau, method_sd, correlation) -> np.ndarray:
    """Scipy's multivariate normal, group by group, with the covariance as the module's docstring states it."""
    terms = []
    for group in range(index.max() + 1):
        s = se[index == group]
        covariance = correlation * np.outer(s, s) + tau**2
        np.fill_diagonal(covariance, s**2 + method_sd**2 + tau**2)
        terms.append(
            stats.multivariate_normal(np.zeros(len(s)), covariance).logpdf(residual[index == group])
        )
    return np.asarray(terms)


@st.composite
def meta_analyses(draw: st.DrawFn) -> dict[str, Any]:
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    index = np.repeat(np.arange(len(sizes)), sizes)
    return {
        "residual": rng.normal(0, 0.5, len(index)),
        "se": rng.uniform(0.02, 0.5, len(index)),
        "index": rng.permutation(index),
        "tau": draw(st.floats(0.0, 2.0)),
        "method_sd": draw(st.floats(0.01, 0.5)),
        "correlation": draw(st.floats(0.0, 0.95)),
    }


@given(meta_analyses())
def test_a_groups_density_is_scipys_multivariate_normal(case) -> None:
    index = case.pop("index")
    ours = group_log_likelihood(total=totals(index), log=np.log, **case)
    np.testing.assert_allclose(ours, by_hand(index=index, **case), rtol=1e-9, atol=1e-9)


def test_pytensor_and_numpy_give_the_same_density() -> None:
    import pytensor.tensor as pt

    rng = np.random.default_rng(4)
    index = np.asarray([0, 0, 1, 2, 2, 2])
    residual, se = rng.normal(0, 0.3, 6), rng.uniform(0.05, 0.3, 6)
    fixed = (np.float64(0.2), np.float64(0.05), np.float64(0.5))
    total = totals(index)
    tensor = group_log_likelihood(
        pt.as_tensor(residual), pt.as_tensor(se), total, *map(pt.as_tensor, fixed), pt.log
    )
    expected = group_log_likelihood(residual, se, total, *fixed, np.log)
    np.testing.assert_allclose(tensor.eval(mode="FAST_COMPILE"), expected, rtol=1e-12)


def test_the_models_potential_is_the_closed_form_at_random_parameters(evidence, view) -> None:
    """The whole graph, priors' tables included, against scipy."""
    import pytensor

    model = scaling.build(evidence, view)
    tables, data = view.tables(scaling.QUANTITIES), scaling.studies(evidence)
    (potential,) = model.replace_rvs_by_values([model["scaling_exponents"]])
    compiled = pytensor.function(
        model.value_vars, potential, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rng = np.random.default_rng(8)
    for _ in range(5):
        z, tau, method_sd, bias, isoflop = (
            rng.normal(size=1),
            rng.uniform(0.05, 0.5),
            rng.uniform(0.02, 0.3),
            rng.normal(-1.5, 0.5),
            rng.normal(0.0, 0.1),
        )
        point = {
            "white": z,
            **scale_at("between_study_sd", tau),
            **scale_at("method_sd", method_sd),
        }
        point |= {"kaplan_bias": bias, "isoflop_bias": isoflop, "regime_offset": 0.0}
        log_gamma = tables.values(z)["data_exponent_prior"] * np.log(10)
        residual = data["log_gamma"].values - log_gamma - bias * data["kaplan_style"].values
        residual = residual - isoflop * data["isoflop"].values
        expected = by_hand(
            residual, data["log_gamma_se"].values, data["group_index"].values, tau, method_sd, 0.5
        )
        np.testing.assert_allclose(
            compiled(*(point[v.name] for v in model.value_vars)), expected, rtol=1e-9
        )


# ------------------------------------------------------------------------- what counts as one study

GRID = np.linspace(-2.0, 2.0, 4_001)


def grid_posterior(y, se, index, tau, method_sd, correlation) -> tuple[float, float]:
    """Mean and sd of log gamma under a flat prior."""
    total = totals(np.asarray(index))
    log_p = np.asarray(
        [
            group_log_likelihood(y - mu, se, total, tau, method_sd, correlation, np.log).sum()
            for mu in GRID
        ]
    )
    weight = np.exp(log_p - log_p.max())
    mean = np.average(GRID, weights=weight)
    return float(mean), float(np.sqrt(np.average((GRID - mean) ** 2, weights=weight)))


def test_identical_analyses_of_the_same_runs_count_as_one_study() -> None:
    """With a correlation near 1, five copies say what one says; negative control: five groups say sqrt(5) times more."""
    y, se = np.full(5, 0.1), np.full(5, 0.2)
    _, one = grid_posterior(y[:1], se[:1], [0], 0.1, 1e-4, 0.999)
    mean, together = grid_posterior(y, se, [0] * 5, 0.1, 1e-4, 0.999)
    _, apart = grid_posterior(y, se, range(5), 0.1, 1e-4, 0.999)
    assert mean == pytest.approx(0.1, abs=1e-3)
    assert together == pytest.approx(one, rel=2e-3)
    assert apart == pytest.approx(one / np.sqrt(5), rel=2e-3)


def test_uncorrelated_analyses_share_the_offset_of_their_runs() -> None:
    """However many and precise they are, one corpus is known to be off by tau."""
    y, se = np.zeros(50), np.full(50, 0.01)
    _, sd = grid_posterior(y, se, [0] * 50, 0.3, 1e-3, 0.0)
    assert sd == pytest.approx(0.3, rel=1e-2)


def test_a_meta_analysis_at_fixed_spread_is_the_precision_weighted_mean() -> None:
    rng = np.random.default_rng(11)
    y, se, tau, method_sd = rng.normal(0, 0.3, 7), rng.uniform(0.05, 0.4, 7), 0.15, 0.08
    precision = 1 / (se**2 + tau**2 + method_sd**2)
    mean, sd = grid_posterior(y, se, range(7), tau, method_sd, 0.5)
    assert mean == pytest.approx(np.average(y, weights=precision), abs=1e-6)
    assert sd == pytest.approx(precision.sum() ** -0.5, rel=1e-5)


def test_the_prior_alone_moves_the_embedded_evidence_towards_one(evidence) -> None:
    """Hoffmann et al. and their followers: pooled gamma close to 1, well above Bio Anchors' 0.8."""
    data = scaling.studies(evidence)
    chosen = data.isel(study=np.flatnonzero(data["kaplan_style"].values == 0))
    index = np.unique(chosen["group_index"].values, return_inverse=True)[1]
    mean, sd = grid_posterior(
        chosen["log_gamma"].values, chosen["log_gamma_se"].values, index, 0.15, 0.05, 0.5
    )
    assert abs(np.exp(mean) - 1) < 0.15
    assert (mean - np.log(0.8)) / sd > 3


# ------------------------------------------------------------------------------- studies and Kaplan


def test_the_standard_error_of_log_gamma_is_the_delta_methods(evidence) -> None:
    table = evidence["scaling_exponents"]
    used = table.isel(study=np.flatnonzero(table["used"].values))
    a, se, h = used["allocation_exponent"].values, used["allocation_exponent_se"].values, 1e-6
    slope = (np.log((1 - a - h) / (a + h)) - np.log((1 - a + h) / (a - h))) / (2 * h)
    np.testing.assert_allclose(
        scaling.studies(evidence)["log_gamma_se"], np.abs(slope) * se, rtol=1e-6
    )


def test_gamma_is_one_where_parameters_and_data_grow_alike(evidence) -> None:
    data, table = scaling.studies(evidence), evidence["scaling_exponents"]
    half = table["study"].values[
        table["used"].values & (table["allocation_exponent"].values == 0.5)
    ]
    assert len(half) > 0
    np.testing.assert_allclose(data["log_gamma"].sel(study=half), 0.0, atol=1e-12)


def test_analyses_of_the_same_runs_form_one_group(evidence) -> None:
    data, table = scaling.studies(evidence), evidence["scaling_exponents"]
    names = data["group"].values[data["group_index"].values]
    np.testing.assert_array_equal(
        names, table["independence_group"].sel(study=data["study"]).values
    )
    assert (names == "chinchilla_runs").sum() == 3


def contrasts(data: xr.Dataset) -> list[float]:
    """Log gamma with Kaplan's set-up minus without it, in the groups that have both."""
    each = []
    for group in range(data.sizes["group"]):
        rows = data.isel(study=np.flatnonzero(data["group_index"].values == group))
        kaplan = rows["kaplan_style"].values == 1
        if kaplan.any() and not kaplan.all():
            each.append(
                float(
                    rows["log_gamma"].values[kaplan].mean()
                    - rows["log_gamma"].values[~kaplan].mean()
                )
            )
    return each


def kaplan_mode(data: xr.Dataset, tau: float, method_sd: float) -> tuple[float, float]:
    """Joint mode of the bias and of log gamma, on a grid of hundredths about the truth."""
    biases, means = np.linspace(-2.2, -1.3, 46), np.linspace(-0.5, 0.3, 81)
    total = totals(data["group_index"].values)
    y, se, kaplan = (
        data["log_gamma"].values,
        data["log_gamma_se"].values,
        data["kaplan_style"].values,
    )
    log_p = [
        [
            group_log_likelihood(
                y - mu - bias * kaplan, se, total, tau, method_sd, 0.5, np.log
            ).sum()
            for mu in means
        ]
        for bias in biases
    ]
    i, j = np.unravel_index(np.argmax(log_p), (len(biases), len(means)))
    return float(biases[i]), float(means[j])


@pytest.mark.parametrize("tau", [0.1, 0.3])
def test_kaplans_bias_is_the_contrast_within_groups(evidence, tau) -> None:
    """Porian et al.'s end-to-end contrast decides it; Kaplan's own group has no counterpart to compare with."""
    data = scaling.studies(evidence)
    each = contrasts(data)
    bias, _ = kaplan_mode(data, tau, 0.1)
    assert len(each) >= 1
    assert min(each) - 0.1 <= bias <= max(each) + 0.1


def test_kaplans_row_moves_the_pooled_exponent_little(evidence) -> None:
    """Its bias is known to about 0.1 from the contrast; negative control: without a bias it would drag gamma down."""
    data = scaling.studies(evidence)
    without = data.isel(study=np.flatnonzero(data["study"].values != "kaplan2020_raw_compute"))
    index = np.unique(without["group_index"].values, return_inverse=True)[1]
    without = (
        without.drop_dims("group")
        .assign(group_index=("study", index))
        .assign_coords(group=np.unique(index))
    )
    with_kaplan, dropped = kaplan_mode(data, 0.2, 0.1)[1], kaplan_mode(without, 0.2, 0.1)[1]
    plain = data.assign(kaplan_style=xr.zeros_like(data["kaplan_style"]))
    naive = kaplan_mode(plain, 0.2, 0.1)[1]
    assert abs(with_kaplan - dropped) <= 0.03
    assert dropped - naive > 0.08


# ---------------------------------------------------------------------- a method's bias: approach 2


def linear_posterior(data: xr.Dataset, bias_sd: float) -> dict[str, float]:
    """Means of log gamma and of the two biases at fixed spreads, where everything is normal: by least squares."""
    index, se = data["group_index"].values, data["log_gamma_se"].values
    same = index[:, None] == index
    covariance = np.where(same, 0.5 * np.outer(se, se) + 0.13**2, 0.0)
    np.fill_diagonal(covariance, se**2 + 0.05**2 + 0.13**2)
    kaplan, isoflop = data["kaplan_style"].values, data["isoflop"].values
    columns = np.stack([np.ones(len(se)), kaplan, isoflop], axis=1)
    precision = np.linalg.inv(covariance)
    prior = np.diag([0.0, 1 / 2.0**2, 1 / bias_sd**2])
    informed = columns.T @ precision @ columns + prior
    mean = np.linalg.solve(informed, columns.T @ precision @ data["log_gamma"].values)
    return dict(zip(("log_gamma", "kaplan_bias", "isoflop_bias"), mean.tolist(), strict=True))


LLAMA = ("llama3_2024", "llama3_2024_parametric")


def test_czech_et_als_contrast_is_of_the_same_points(evidence) -> None:
    """a of 0.463 by approach 2 and of 0.503 by approach 3: 0.16 in log gamma, and both in one group."""
    data = scaling.studies(evidence)
    by_two, by_three = (data.sel(study=name) for name in LLAMA)
    assert by_two["log_gamma"] - by_three["log_gamma"] == pytest.approx(0.16, abs=0.005)
    assert by_two["group_index"] == by_three["group_index"]
    assert (float(by_two["isoflop"]), float(by_three["isoflop"])) == (1.0, 0.0)
    # neither a parametric fit nor Porian et al.'s interpolation has the bias
    table = evidence["scaling_exponents"]
    methods = set(table["method"].sel(study=data["study"][data["isoflop"] == 1]).values)
    assert methods == {"IsoFLOP profiles"}
    assert 10 <= int(data["isoflop"].sum()) < data.sizes["study"] - 8


def test_with_the_bias_zero_the_old_answer_comes_back(evidence) -> None:
    """A prior without width is the model without the bias; negative control: the default's width is another answer."""
    data = scaling.studies(evidence)
    plain = data.assign(isoflop=xr.zeros_like(data["isoflop"]))
    old = linear_posterior(plain, scaling.ISOFLOP_BIAS_SD)
    none = linear_posterior(data, 1e-6)
    assert none["log_gamma"] == pytest.approx(old["log_gamma"], abs=1e-8)
    assert none["kaplan_bias"] == pytest.approx(old["kaplan_bias"], abs=1e-8)
    now = linear_posterior(data, scaling.ISOFLOP_BIAS_SD)
    assert abs(now["log_gamma"] - old["log_gamma"]) > 1e-3


def test_the_contrast_decides_which_way_the_bias_goes(evidence) -> None:
    """As published it raises the bias; reversed it lowers it. The pooled exponent moves the other way."""
    data = scaling.studies(evidence)
    rows = [list(data["study"].values).index(name) for name in LLAMA]

    def answer(contrast: float) -> dict[str, float]:
        y = data["log_gamma"].values.copy()
        y[rows] = y[rows].mean() + 0.5 * contrast * np.asarray([1.0, -1.0])
        return linear_posterior(data.assign(log_gamma=("study", y)), scaling.ISOFLOP_BIAS_SD)

    published, none, reversed_ = answer(0.16), answer(0.0), answer(-0.16)
    assert published["isoflop_bias"] > none["isoflop_bias"] + 0.01
    assert reversed_["isoflop_bias"] < none["isoflop_bias"] - 0.01
    assert published["log_gamma"] < none["log_gamma"] < reversed_["log_gamma"]


# ------------------------------------------------------------------------------ derive and simulate


def test_a_new_regime_scatters_about_the_pooled_exponent(view) -> None:
    x = {"data_exponent_prior": np.log10([0.8, 1.0, 1.0])}
    names = {
        "between_study_sd": [0.2, 0.2, 0.0],
        "kaplan_bias": [-1.0, -1.0, -1.0],
        "regime_offset": [0.0, 1.0, 3.0],
    }
    derived = scaling.derive(
        x, xr.Dataset({name: ("sample", np.asarray(v)) for name, v in names.items()})
    )
    np.testing.assert_allclose(derived["data_exponent_pooled"], [0.8, 1.0, 1.0])
    np.testing.assert_allclose(derived["data_exponent"], [0.8, np.exp(0.2), 1.0])


def test_replicated_studies_have_the_models_mean_and_covariance(evidence, view) -> None:
    """40,000 replications: means within 5 standard errors, covariances within 0.05 of the variances' scale."""
    size, tau, method_sd, bias, isoflop, gamma = 40_000, 0.25, 0.1, -1.7, 0.12, 0.9
    x = {"data_exponent_prior": np.full((1, size), np.log10(gamma))}
    fixed = {
        "between_study_sd": tau,
        "method_sd": method_sd,
        "kaplan_bias": bias,
        "isoflop_bias": isoflop,
        "regime_offset": 0.0,
    }
    parameters = xr.Dataset(
        {name: (("chain", "draw"), np.full((1, size), value)) for name, value in fixed.items()}
    )
    view = replace(view, scaling=replace(view.scaling, error_correlation=0.7))
    dim, y = scaling.simulate(x, parameters, evidence, view, np.random.default_rng(6))[
        "scaling_exponents"
    ]
    data = scaling.studies(evidence)
    se, index = data["log_gamma_se"].values, data["group_index"].values
    same = index[:, None] == index
    covariance = np.where(same, 0.7 * np.outer(se, se) + tau**2, 0.0)
    np.fill_diagonal(covariance, se**2 + method_sd**2 + tau**2)
    sd = np.sqrt(np.diag(covariance))
    assert dim == "study"
    mean = np.log(gamma) + bias * data["kaplan_style"].values + isoflop * data["isoflop"].values
    np.testing.assert_array_less(np.abs(y[0].mean(axis=0) - mean), 5 * sd / np.sqrt(size))
    np.testing.assert_allclose(
        np.cov(y[0].T) / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=0.03
    )


def test_the_observed_names_are_those_of_the_replications(evidence, view) -> None:
    observed = scaling.observed(evidence, view)
    assert set(observed) == {"scaling_exponents"}
    assert observed["scaling_exponents"].dims == ("study",)


def test_a_study_names_its_group(evidence, view) -> None:
    observed, table = scaling.observed(evidence, view), evidence["scaling_exponents"]
    rows = observed["scaling_exponents"]
    own = table["independence_group"].sel(study=rows["study"].values).values
    assert list(rows["group"].values) == list(own) and len(set(own)) < len(own)


def test_without_evidence_there_is_no_likelihood(evidence, view) -> None:
    model = scaling.build(evidence.only([]), view)
    assert model.potentials == []
