"""The same density by other means: another sampler through PyMC, and quadrature of models that are small enough.

Beta-Binomial solutions of the model of label errors stand with it, in ``test_outer_alignment.py``.
"""

import warnings
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from scipy.special import logsumexp

from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.graphs.graph import WHITE
from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.priors.tables import PriorTables
from aligntax.models.scaling import ISOFLOP_BIAS_SD, studies
from aligntax.models.views import load_view

FALSE_ALARM = 0.001  # over all statistics of all parameters, by Bonferroni
QUANTILES = (0.05, 0.5, 0.95)


def errors(draws) -> dict[str, tuple[float, float]]:
    """Mean, sd and quantiles of draws (chain, draw), each with its Monte Carlo error."""
    from arviz_stats.base import array_stats

    found = {
        "mean": (draws.mean(), float(array_stats.mcse(draws, method="mean"))),
        "sd": (draws.std(), float(array_stats.mcse(draws, method="sd"))),
    }
    for q in QUANTILES:
        found[f"{q:.0%}"] = (
            np.quantile(draws, q),
            float(array_stats.mcse(draws, method="quantile", prob=q)),
        )
    return found


def flat(posterior) -> dict[str, np.ndarray]:
    """Every scalar of a posterior, (chain, draw), by name."""
    found = {}
    for name, array in posterior.data_vars.items():
        values = array.transpose("chain", "draw", ...).values.reshape(*array.shape[:2], -1)
        found |= {f"{name}[{i}]": values[..., i] for i in range(values.shape[-1])}
    return found


def strays(ours, others) -> dict[str, float]:
    """Statistics that differ by more Monte Carlo errors than the worst of so many would, with how many."""
    ours, others = flat(ours), flat(others)
    assert ours.keys() == others.keys()
    z = {}
    for name in ours:
        here, there = errors(ours[name]), errors(others[name])
        for what in here:
            z[f"{what} of {name}"] = abs(here[what][0] - there[what][0]) / np.hypot(
                here[what][1], there[what][1]
            )
    limit = stats.norm.isf(FALSE_ALARM / 2 / len(z))
    return {name: value for name, value in z.items() if not value <= limit}


def by_another(sampler, model, evidence, view):
    """Draws of the same graph by the NUTS of numpyro or PyMC, in the posterior's layout.

    PyMC's own takes a third of the time for the joint model, compiling included.
    """
    options = {
        "numpyro": {"tune": 400, "nuts": {"target_accept": 0.95, "chain_method": "vectorized"}},
        "pymc": {"tune": 800, "nuts": {"target_accept": 0.9}, "cores": 1},
    }
    with warnings.catch_warnings():
        # jax and numpyro speak of devices and of what they will deprecate
        warnings.simplefilter("ignore")
        with model.build(restrict(evidence, view, model), view):
            tree = pm.sample(
                draws=1000,
                chains=4,
                random_seed=11,
                nuts_sampler=sampler,
                progressbar=False,
                compute_convergence_checks=False,
                **options[sampler],
            )
    return tree["posterior"].dataset.load()


def white(posterior, tables: PriorTables):
    """A posterior of ours with what was sampled in place of ``z``."""
    z = posterior["z"].transpose("chain", "draw", "quantity").values
    values = np.linalg.solve(tables.cholesky, z[..., None])[..., 0]
    return posterior.drop_vars("z").assign({WHITE: (("chain", "draw", "quantity"), values)})


@pytest.mark.parametrize(
    ("name", "sampler"),
    [
        pytest.param("scaling", "numpyro", marks=pytest.mark.slow),
        pytest.param("joint", "pymc", marks=pytest.mark.study),
    ],
)
def test_another_sampler_finds_the_same_posterior(name, sampler, evidence, view) -> None:
    model = find_model(name)
    others = by_another(sampler, model, evidence, view)
    compiled = compile_model(model, evidence, view)
    # so many that the error is the other sampler's: that of a scale with a long tail is told too small
    posterior, _ = compiled.posterior(Sampling(draws=8000, seed=3))
    ours = white(posterior, view.tables(model.quantities))
    assert strays(ours, others[list(ours.data_vars)]) == {}


FAR = ("vague", "takeoff-conservative")
OTHERS = ("hilton-2022", "with-ai-labour")
IN_STEP = (
    "time-horizon",
    "alignment",
    "compute",
    "scaling",
    "outer-alignment",
    "density-prediction",
)


@pytest.mark.parametrize(
    ("name", "view"),
    [
        *(pytest.param("joint", each, marks=pytest.mark.slow) for each in ("default", *FAR)),
        *(pytest.param("joint", each, marks=pytest.mark.study) for each in OTHERS),
        *(pytest.param(each, "default", marks=pytest.mark.slow) for each in IN_STEP),
    ],
)
def test_both_samplers_find_one_posterior(name, view, evidence) -> None:
    compiled = compile_model(find_model(name), evidence, load_view(view))
    many = Sampling(draws=4000, seed=5)
    # at 0.95 NUTS does not stand still in the kink's peak, which 0.8 lets it do for a while
    careful = replace(many, sampler="nuts", tune=1000, target_accept=0.95)
    (ours, _), (nuts, _) = (compiled.posterior(options) for options in (many, careful))
    assert strays(ours, nuts) == {}


def test_a_prior_that_is_a_little_other_is_another_posterior(scaling, view) -> None:
    """The control: the same comparison tells a posterior from that of a prior half a standard deviation off."""
    moved = view.with_quantity(
        "data_exponent_prior", {"quantiles": {"0.05": 0.57, "0.5": 0.88, "0.95": 1.18}}
    )
    first, _ = scaling.with_view(view).posterior(Sampling(draws=2000, seed=3))
    again, _ = scaling.with_view(view).posterior(Sampling(draws=2000, seed=4))
    other, _ = scaling.with_view(moved).posterior(Sampling(draws=2000, seed=4))
    assert strays(first, again) == {}
    assert any(name.endswith("z[0]") for name in strays(first, other))


# --------------------------------------------------------------------------------------- quadrature


def scaling_by_quadrature(evidence, view):
    """Mean and sd of log gamma, between-study sd, method sd and Kaplan bias, by a grid over the first three.

    Given ``tau`` and the method's sd everything else is normal: estimates have covariance ``tau^2
    same group + rho s s' same group + diag((1 - rho) s^2 + method^2)``, and with the bias's own
    prior, ``Normal(0, 2)``, its mean and variance are in closed form.
    """
    rows = studies(restrict(evidence, view, find_model("scaling")))
    y, s, k, iso = (
        rows[name].values for name in ("log_gamma", "log_gamma_se", "kaplan_style", "isoflop")
    )
    same = rows["group_index"].values[:, None] == rows["group_index"].values
    rho, scale = view.scaling.error_correlation, view.scaling.between_study_scale
    z = np.linspace(-4, 4, 161)
    mu = (
        np.log(10) * view.tables(("data_exponent_prior",)).values(z[:, None])["data_exponent_prior"]
    )
    # middles of cells: both posteriors reach down to zero, where a cell is easily lost
    tau, method = np.meshgrid(
        0.0075 * (np.arange(80) + 0.5), 0.006 * (np.arange(60) + 0.5), indexing="ij"
    )
    prior = stats.halfnorm.logpdf(tau, scale=scale) + stats.halfnorm.logpdf(method, scale=0.1)
    log, bias = np.empty((*tau.shape, len(z))), np.empty((2, *tau.shape, len(z)))
    for at in np.ndindex(tau.shape):
        covariance = np.diag((1 - rho) * s**2 + method[at] ** 2) + same * (
            tau[at] ** 2 + rho * np.outer(s, s)
        )
        covariance += ISOFLOP_BIAS_SD**2 * np.outer(iso, iso)  # that bias, integrated out
        residual = y[:, None] - mu
        whole = covariance + 4.0 * np.outer(k, k)
        log[at] = stats.multivariate_normal(np.zeros(len(y)), whole).logpdf(residual.T)
        gain = 4.0 * np.linalg.solve(whole, k)
        bias[0][at], bias[1][at] = gain @ residual, 4.0 - 4.0 * gain @ k
    weight = log + prior[..., None] + stats.norm.logpdf(z)
    weight = np.exp(weight - logsumexp(weight))
    grids = {
        "log_gamma": mu,
        "between_study_sd": tau[..., None],
        "method_sd": method[..., None],
        "kaplan_bias": bias[0],
    }
    means = {name: float((weight * grid).sum()) for name, grid in grids.items()}
    sds = {
        name: float(np.sqrt((weight * (grid - means[name]) ** 2).sum()))
        for name, grid in grids.items()
    }
    sds["kaplan_bias"] = float(np.sqrt(sds["kaplan_bias"] ** 2 + (weight * bias[1]).sum()))
    return means, sds


def test_the_meta_analysis_is_that_of_quadrature(scaling, evidence, view) -> None:
    posterior, _ = scaling.with_view(view).posterior(Sampling(draws=4000, seed=8))
    tables = view.tables(("data_exponent_prior",))
    draws = {
        name: posterior[name].values for name in ("between_study_sd", "method_sd", "kaplan_bias")
    }
    draws["log_gamma"] = np.log(10) * tables.values(posterior["z"].values)["data_exponent_prior"]
    means, sds = scaling_by_quadrature(evidence, view)
    for name, values in draws.items():
        found = errors(values)
        assert means[name] == pytest.approx(found["mean"][0], abs=4 * found["mean"][1] + 2e-4), name
        assert sds[name] == pytest.approx(
            found["sd"][0], abs=4 * found["sd"][1] + 0.01 * sds[name]
        ), name


@pytest.mark.slow
def test_algorithmic_growth_is_that_of_quadrature(evidence, view) -> None:
    """Normal estimates around a mean with a spread of their own: a grid over both."""
    model = find_model("compute")
    known = restrict(evidence, view, model)
    rows = model.data(known, view)["estimates"]
    tables = view.tables(model.quantities)
    i = tables.names.index("algorithmic_growth")
    scores = np.zeros((201, len(tables.names)))
    scores[:, i] = np.linspace(-5, 5, 201)
    growth = tables.values(scores)["algorithmic_growth"]
    spread = np.linspace(0.001, 0.9, 400)
    error = np.sqrt(rows["growth_se"].values ** 2 + spread[:, None, None] ** 2)
    log = stats.norm.logpdf(rows["growth"].values, growth[None, :, None], error).sum(axis=-1)
    log += stats.norm.logpdf(scores[:, i]) + stats.halfnorm.logpdf(spread, scale=0.15)[:, None]
    weight = np.exp(log - logsumexp(log))
    posterior, _ = compile_model(model, evidence, view).posterior(Sampling(draws=2000, seed=8))
    for values, grid in (
        (tables.values(posterior["z"].values)["algorithmic_growth"], growth[None, :]),
        (posterior["algorithmic_spread"].values, spread[:, None]),
    ):
        mean = float((weight * grid).sum())
        sd = float(np.sqrt((weight * (grid - mean) ** 2).sum()))
        found = errors(values)
        assert mean == pytest.approx(found["mean"][0], abs=4 * found["mean"][1])
        assert sd == pytest.approx(found["sd"][0], abs=4 * found["sd"][1] + 0.01 * sd)
