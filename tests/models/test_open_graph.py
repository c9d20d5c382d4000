"""Open graphs: the density of the lean ones, draws that follow it, and what PyMC itself can do with them."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from pymc.model_graph import ModelGraph
from pymc.util import get_untransformed_name
from pytensor.graph.replace import graph_replace
from scipy import stats

from aligntax.models import scaling
from aligntax.models.catalogue import MODELS, restrict
from aligntax.models.priors.observed import OpenGraph, happened
from tests import horizon_runs, loss_runs

FAST = {"mode": "FAST_COMPILE"}
# free variables of each lean graph; nutpie's compile time grows with their number
FREE = {
    "joint": 18,
    "scaling": 6,
    "loss-law": 3,
    "compute": 6,
    "time-horizon": 5,
    "alignment": 9,
    "outer-alignment": 6,
    "overoptimization": 10,
    "density-prediction": 3,
    **{name: 10 for name in MODELS if name.startswith("horizon-runs")},
}
EVERY = [pytest.param(n, marks=pytest.mark.slow if n == "joint" else ()) for n in MODELS]


@pytest.fixture(scope="module")
def known(evidence):
    """``known(name)``: evidence that a model has rows of."""

    def of(name):
        if name == "loss-law":
            return evidence.with_rows("loss_runs", loss_runs.simulated())
        if name.startswith("horizon-runs"):
            world = horizon_runs.World(tasks=6, models=5)
            return evidence.with_rows("horizon_runs", horizon_runs.simulated(world).rows)
        return evidence

    return of


@pytest.fixture(scope="module")
def graphs(known, view):
    """``graphs(name)``: the lean and the open graph of a model."""
    made = {}

    def of(name):
        if name not in made:
            model, rows = MODELS[name], known(name)
            made[name] = model.build(restrict(rows, view, model), view), model.open(rows, view)
        return made[name]

    return of


def log_density(graph):
    """Log posterior at a point, term by term, since one sum of so many is beyond FAST_COMPILE."""
    terms = graph.compile_fn(
        graph.logp(sum=False), inputs=graph.value_vars, on_unused_input="ignore", **FAST
    )
    return lambda point: sum(float(np.sum(term)) for term in terms(point))


# -------------------------------------------------------------------------------- one model, twice


@pytest.mark.parametrize("name", EVERY)
def test_the_two_graphs_have_one_density(graphs, name) -> None:
    lean, opened = graphs(name)
    ours, theirs = log_density(lean), log_density(opened)
    rng, start = np.random.default_rng(1), lean.initial_point()
    for _ in range(5):
        point = {key: v + 0.5 * rng.standard_normal(np.shape(v)) for key, v in start.items()}
        assert theirs(point) == pytest.approx(ours(point), rel=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_the_lean_graph_stays_lean_and_the_open_one_has_every_name(graphs, view, name) -> None:
    lean, opened = graphs(name)
    assert len(lean.free_RVs) == FREE[name]
    assert not lean.observed_RVs and not lean.deterministics
    assert isinstance(opened, OpenGraph) and not opened.potentials
    assert [v.name for v in opened.free_RVs] == [v.name for v in lean.free_RVs]
    assert [v.name for v in opened.observed_RVs] == [v.name for v in lean.potentials]
    assert {v.name for v in opened.deterministics} >= set(view.in_use(MODELS[name].quantities))


@pytest.mark.parametrize("name", MODELS)
def test_pymc_reads_the_name_of_a_variable_off_its_transformed_one(graphs, name) -> None:
    for graph in graphs(name):
        for variable, value in graph.rvs_to_values.items():
            if graph.rvs_to_transforms[variable] is not None:
                assert get_untransformed_name(value.name) == variable.name


# ------------------------------------------------------------------- draws follow their density


def mean_scores(graph, size=400, seed=3):
    """Standard scores of the mean gradient of each table's log density under its own draws.

    Under draws of the density itself the mean gradient is zero in every free variable, whatever the
    variables: differentiate the integral of the density, which is one.
    """
    free, tables = graph.free_RVs, graph.observed_RVs
    at = pm.draw(free, random_seed=seed, mode="FAST_COMPILE")
    draw = pm.compile(free, tables, random_seed=seed, on_unused_input="ignore", **FAST)
    found = {}
    drawn = [draw(*at) for _ in range(size)]
    for i, table in enumerate(tables):
        value, points = table.type(), [variable.type() for variable in free]
        (total,) = graph_replace(
            [pm.logp(table, value).sum()], dict(zip(free, points, strict=True)), strict=False
        )
        slopes = pt.grad(total, points, disconnected_inputs="ignore")
        score = pytensor.function(
            [*points, value],
            pt.concatenate([slope.ravel() for slope in slopes]),
            on_unused_input="ignore",
            **FAST,
        )
        scores = np.stack([score(*at, one[i]) for one in drawn])
        moves = scores.std(axis=0) > 1e-12
        se = scores.std(axis=0)[moves] / np.sqrt(size)
        found[table.name] = scores.mean(axis=0)[moves] / se
    return found


QUICK = ("scaling", "density-prediction")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in MODELS]
)
def test_draws_of_a_table_follow_its_density(graphs, name) -> None:
    for table, scores in mean_scores(graphs(name)[1]).items():
        assert len(scores), table
        assert np.abs(scores).max() < 5, table


def test_draws_that_scatter_too_widely_are_noticed(known, view, monkeypatch) -> None:
    """Negative control of the test above."""
    right = scaling.drawn_studies

    def wrong(expected, se, group, tau, *rest):
        return right(expected, se, group, 2 * tau, *rest)

    monkeypatch.setattr(scaling, "drawn_studies", wrong)
    scores = mean_scores(MODELS["scaling"].open(known("scaling"), view))["scaling_exponents"]
    assert np.abs(scores).max() > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scaling", "alignment"])
def test_draws_of_a_table_are_those_of_the_model_file(graphs, known, view, name) -> None:
    """Each row has the distribution that the file's own function draws (Kolmogorov and Smirnov)."""
    model, opened, size = MODELS[name], graphs(name)[1], 400
    rows, free = restrict(known(name), view, model), opened.free_RVs
    at = dict(
        zip([v.name for v in free], pm.draw(free, random_seed=3, mode="FAST_COMPILE"), strict=True)
    )
    draw = pm.compile(free, opened.observed_RVs, random_seed=4, on_unused_input="ignore", **FAST)
    drawn = [draw(*at.values()) for _ in range(size)]
    tables = view.tables(model.quantities)
    z = np.broadcast_to(tables.correlate(at.pop("white")), (1, size, len(tables.names)))
    parameters = xr.Dataset({k: (("chain", "draw"), np.full((1, size), v)) for k, v in at.items()})
    simulated = model.simulate(tables.values(z), parameters, rows, view, np.random.default_rng(5))
    observed = model.observed(rows, view)
    # tables whose value is that of the model file; of training runs, the first figure
    alike = (
        "scaling_exponents", "algorithmic_progress", "rlhf_efforts", "alignment_compute_shares",
        "training_runs", "feedback_workforces",
    )  # fmt: skip
    bounded = {"training_runs": "runs", "feedback_workforces": "workforces"}
    compared = 0
    for i, table in enumerate(opened.observed_RVs):
        if table.name not in alike:
            continue
        ours = np.stack([one[i] for one in drawn])
        ours = ours[..., 0] if table.name == "training_runs" else ours
        theirs = simulated[table.name][1][0]
        assert ours.shape == theirs.shape == (size, observed[table.name].size)
        exact = np.ones(ours.shape[1], dtype=bool)
        if table.name in bounded:  # a bound stays where it is in PyMC's draws
            exact = model.data(rows, view)[bounded[table.name]]["exact"].values > 0
        for row in np.flatnonzero(exact):
            assert stats.ks_2samp(ours[:, row], theirs[:, row]).pvalue > 1e-5, table.name
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("p", [0.2, 0.9])
def test_a_fact_is_drawn_and_weighed_by_its_probability(p) -> None:
    law = happened(pt.as_tensor(np.log(p)))
    for fact, chance in ((1.0, p), (0.0, 1 - p)):
        found = pm.logp(law, pt.as_tensor(fact)).eval(mode="FAST_COMPILE")
        assert found == pytest.approx(np.log(chance), rel=1e-9)
    share = pm.draw(law, 2000, random_seed=1, mode="FAST_COMPILE").mean()
    assert share == pytest.approx(p, abs=0.05)


# ------------------------------------------------------------------------------- what PyMC can do


@pytest.fixture(scope="module")
def prior(graphs):
    with graphs("scaling")[1]:
        return pm.sample_prior_predictive(draws=200, random_seed=1, compile_kwargs=FAST)


def test_the_prior_of_the_open_graph_is_the_views(prior, view) -> None:
    table = view.tables(("data_exponent_prior",)).table("data_exponent_prior")
    drawn = prior["prior"]["data_exponent_prior"].values.ravel()
    assert stats.kstest(drawn, table.cdf).pvalue > 1e-3
    assert prior["prior_predictive"]["scaling_exponents"].sizes == {
        "chain": 1,
        "draw": 200,
        "scaling_exponents_dim_0": 24,
    }


def test_pymc_predicts_and_weighs_draws(graphs, prior, known, view) -> None:
    """Posterior predictive, log likelihood and log prior; the last two sum to the log density."""
    opened = graphs("scaling")[1]
    names = [v.name for v in opened.free_RVs]
    tree = xr.DataTree.from_dict(
        {
            "posterior": prior["prior"].to_dataset()[names].isel(draw=slice(20)),
            "constant_data": prior["constant_data"].to_dataset(),
        }
    )
    with opened:
        pm.sample_posterior_predictive(
            tree, extend_inferencedata=True, random_seed=2, progressbar=False, compile_kwargs=FAST
        )
        pm.compute_log_likelihood(tree, progressbar=False, compile_kwargs=FAST)
        pm.stats.compute_log_prior(tree, progressbar=False, compile_kwargs=FAST)
    assert tree["posterior_predictive"]["scaling_exponents"].shape == (1, 20, 24)
    rows = scaling.studies(known("scaling"))
    assert tree["log_likelihood"]["scaling_exponents"].shape == (1, 20, rows.sizes["group"])
    draw = {name: tree["posterior"][name].values[0, 7] for name in names}
    sds = (draw["between_study_sd"], draw["method_sd"])
    gamma = (
        view.tables(("data_exponent_prior",)).table("data_exponent_prior").value(draw["white"][0])
    )
    mean = gamma * np.log(10) + draw["kaplan_bias"] * rows["kaplan_style"].values
    mean = mean + draw["isoflop_bias"] * rows["isoflop"].values
    for g in range(rows.sizes["group"]):
        own = np.flatnonzero(rows["group_index"].values == g)
        se, rho = rows["log_gamma_se"].values[own], view.scaling.error_correlation
        covariance = rho * np.outer(se, se) + sds[0] ** 2
        np.fill_diagonal(covariance, se**2 + sds[0] ** 2 + sds[1] ** 2)
        law = stats.multivariate_normal(mean[own], covariance)
        found = tree["log_likelihood"]["scaling_exponents"].values[0, 7, g]
        assert found == pytest.approx(law.logpdf(rows["log_gamma"].values[own]), rel=1e-9)
    assert set(tree["log_prior"].data_vars) == set(names)
    found = tree["log_prior"]["kaplan_bias"].values[0, 7]
    assert found == pytest.approx(stats.norm(0, 2).logpdf(draw["kaplan_bias"]))


def test_pymc_finds_no_problem_and_draws_the_graph(graphs, capsys) -> None:
    opened = graphs("scaling")[1]
    opened.debug()
    assert "No problems found" in capsys.readouterr().out
    parents = ModelGraph(opened).make_compute_graph()
    assert parents["data_exponent_prior"] >= {"white"}
    assert parents["scaling_exponents"] >= {"data_exponent_prior", "kaplan_bias", "method_sd"}
    assert parents["data_exponent"] >= {"regime_offset", "between_study_sd"}


def test_a_likelihood_from_outside_counts_as_its_density_says(known, view) -> None:
    opened = MODELS["scaling"].open(known("scaling"), view)
    before = log_density(opened)
    with opened:
        pm.Normal("panel", opened["data_exponent_prior"], 0.05, observed=0.2)
    after = log_density(opened)
    point = opened.initial_point()
    table = view.tables(("data_exponent_prior",)).table("data_exponent_prior")
    for white in (-1.0, 0.0, 2.0):
        moved = point | {"white": np.array([white])}
        said = stats.norm(table.value(white), 0.05).logpdf(0.2)
        assert after(moved) - before(moved) == pytest.approx(said, rel=1e-9)
