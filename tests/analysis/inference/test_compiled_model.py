"""What sampling must show: convergence on any seed, what the evidence says, determinism, densities that agree."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import numpy as np
import pymc as pm
import pytest
from scipy.stats import halfnorm

from aligntax.analysis.inference.options import Sampling
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import HEADLINES, base_name
from aligntax.models.priors.tables import log_density
from aligntax.models.views import load_view as named_view


def quantile(outcome, name, p):
    return np.nanquantile(outcome.groups.derived[name].values, p)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2022, 1, 7])
def test_joint_model_converges_on_every_seed(outcomes, seed):
    record = outcomes[seed].record
    assert record["verdict"] == "pass", [c for c in record["checks"] if not c["passed"]]
    values = {check["name"]: check["value"] for check in record["checks"]}
    assert values["r_hat"] < 1.01
    assert values["divergences"] == 0
    headlines = [row for name, row in record["quantities"].items() if base_name(name) in HEADLINES]
    assert all(row["ess_bulk"] > 400 for row in headlines if row["ess_bulk"] is not None)
    # only the anchors without weight are constant
    assert sum(row["ess_bulk"] is None for row in headlines) <= 3


def test_every_headline_is_reported(outcome):
    assert {base_name(name) for name in outcome.record["quantities"]} >= set(HEADLINES)


def test_pooled_data_exponent_is_near_one_and_excludes_bio_anchors(outcome):
    """Hoffmann et al. 2022 (arXiv:2203.15556) report a = 0.5, gamma = 1; Cotra 2020 assumed 0.8."""
    low, median, high = (quantile(outcome, "data_exponent_pooled", p) for p in (0.05, 0.5, 0.95))
    assert 0.88 < median < 1.12
    assert not low <= 0.8 <= high


def test_evidence_and_not_the_prior_sets_the_pooled_exponent(scaling, view):
    """The same width about 0.6 instead of 0.8 moves the median by less than 0.05; without evidence it moves by about 0.2."""
    base = scaling.sample(Sampling())
    low = view.with_quantity(
        "data_exponent_prior", {"quantiles": {"0.05": 0.3, "0.5": 0.6, "0.95": 0.9}}
    )
    moved = scaling.with_view(low).sample(Sampling())
    medians = [
        np.median(f.tables.values(f.posterior["z"].values)["data_exponent_prior"])
        for f in (base, moved)
    ]
    assert abs(10 ** medians[1] - 10 ** medians[0]) < 0.05
    priors = [10 ** float(f.tables.table("data_exponent_prior").value(0.0)) for f in (base, moved)]
    assert priors[0] - priors[1] == pytest.approx(0.2, abs=1e-9)


def test_three_priors_in_one_compiled_model_and_a_mismatch_is_refused(scaling, view):
    narrow = view.with_quantity(
        "data_exponent_prior", {"family": "lognormal", "mu": np.log(0.5), "sigma": 0.01}
    )
    fit = scaling.with_view(narrow).sample(Sampling(draws=200))
    pooled = 10 ** fit.tables.values(fit.posterior["z"].values)["data_exponent_prior"]
    # a prior sure of 0.5 wins over the studies
    assert np.median(pooled) == pytest.approx(0.5, abs=0.05)
    from dataclasses import replace

    with pytest.raises(InputError, match="evidence is compiled in"):
        scaling.with_view(replace(view, evidence=replace(view.evidence, until=2023.0)))


def test_an_interrupt_while_sampling_is_no_result(scaling):
    """nutpie alone would return the draws so far, and a run would be written of them."""
    sent = []

    def interrupt(done, total, diverged):
        if done and not sent:
            sent.append(done)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        scaling.posterior(Sampling(draws=200_000), interrupt)
    assert sent
    posterior, _ = scaling.posterior(Sampling(draws=5))
    assert posterior.sizes["draw"] == 5  # and the model can be sampled again


def test_same_seed_gives_identical_draws_with_one_and_two_cores(scaling):
    one, two = (scaling.sample(Sampling(draws=100, cores=cores)) for cores in (1, 2))
    assert one.posterior.equals(two.posterior) and one.posterior.sizes == two.posterior.sizes
    assert one.prior.equals(two.prior)
    other = scaling.sample(Sampling(draws=100, seed=3))
    assert not other.posterior.equals(one.posterior)


def test_chains_differ(outcome):
    z = outcome.fit.posterior["z"].values
    assert not np.array_equal(z[0], z[1])


SCRIPT = """
import hashlib
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.pipeline import sample_view
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view
outcome = sample_view("scaling", load_view("default"), load_evidence(), Sampling(draws=100))
groups = [outcome.groups.draws, outcome.groups.prior_draws, outcome.groups.derived]
print(hashlib.sha256(b"".join(v.values.tobytes() for g in groups for v in g.data_vars.values())).hexdigest())
"""


@pytest.mark.slow
def test_same_seed_gives_identical_draws_in_two_processes():
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1 and len(digests.pop()) == 65


def test_log_likelihood_and_log_prior_are_the_density_that_was_sampled(joint, outcome):
    """Sum of the stored terms equals PyMC's log density of the same draws up to the tables' Jacobian, to 1e-8."""
    fit = outcome.fit
    draws = fit.posterior.isel(chain=slice(0, 1), draw=slice(0, 5))
    stored = joint.terms.log_likelihood(draws, fit.tables)
    likelihood = sum(
        term.sum([d for d in term.dims if d not in ("chain", "draw")])
        for term in stored.data_vars.values()
    )
    prior = fit.log_prior.isel(chain=slice(0, 1), draw=slice(0, 5))
    structural = sum(prior[name] for name in prior.data_vars if name != "z")
    density = joint.graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    white = np.linalg.solve(fit.tables.cholesky, draws["z"].values[..., None])[..., 0]
    for i in range(5):
        values = {name: draws[name].values[0, i] for name in draws.data_vars if name != "z"} | {
            "white": white[0, i]
        }
        point = {
            joint.graph.rvs_to_values[rv].name: transformed(joint.graph, rv, values)
            for rv in joint.graph.free_RVs
        }
        standard = -0.5 * np.sum(white[0, i] ** 2) - 0.5 * white.shape[-1] * np.log(2 * np.pi)
        with joint.shared.live.holding(joint.data):
            found = density(point)
        assert found == pytest.approx(float((likelihood + structural)[0, i]) + standard, abs=1e-8)


def transformed(graph, rv, values):
    """Value on the sampled scale; what a transform takes from other variables is theirs."""
    from pytensor.graph.replace import graph_replace

    transform, value = graph.rvs_to_transforms[rv], values[rv.name]
    if transform is None:
        return value
    known = {
        other: pm.math.constant(values[other.name]) for other in graph.free_RVs if other is not rv
    }
    forward = transform.forward(pm.math.constant(value), *rv.owner.inputs)
    return graph_replace(forward, known, strict=False).eval(mode="FAST_COMPILE")


def test_log_prior_is_the_tables_density(outcome):
    fit = outcome.fit
    again = log_density(fit.tables, fit.posterior["z"].values)
    np.testing.assert_allclose(fit.log_prior["z"].values, again, atol=1e-10, rtol=0)


def test_no_tai_is_a_named_likelihood_and_never_favours(outcome):
    term = outcome.groups.log_likelihood["no_tai"].values
    assert np.all(term <= 1e-12) and np.std(term) > 0


def test_prior_only_quantities_are_read_from_the_graph(outcome):
    only = set(outcome.fit.prior_only)
    assert only >= {"hours_floor", "rlhf_multiplier", "usd_per_hour", "workforce_hours"}
    assert not only & {
        "spend_growth",
        "algorithmic_growth",
        "brain_flop",
        "data_exponent_prior",
        "practice_hours",
        "alignment_tax_tolerance",
    }
    z = outcome.fit.posterior["z"]
    # untouched: still standard normal, within five Monte Carlo errors at an effective size of 2000
    correlated = {name for pair in named_view("default").correlations for name in pair}
    for name in only - correlated:
        assert abs(float(z.sel(quantity=name).mean())) < 5 / np.sqrt(2000)


def test_evidence_contracts_what_it_bears_on(outcome):
    rows = outcome.record["quantities"]
    assert rows["spend_growth"]["contraction"] > 0.8
    assert rows["data_exponent_prior"]["contraction"] > 0.8
    assert rows["alignment_tax_tolerance"]["contraction"] > 0.3
    assert abs(rows["workforce_hours"]["contraction"]) < 0.15


def test_no_arrival_before_the_evidence_that_there_was_none(outcome, evidence):
    year = outcome.groups.derived["tai_year"].values
    assert np.nanmin(year) >= evidence.constant("no_tai_until")
    assert np.nanmax(year) <= 2100.0


# -------------------------------------------------------------------------- two views of one graph

SCALES = (0.3, 0.05)
QUICK = Sampling(draws=30, tune=60, chains=2)


@pytest.fixture(scope="module", params=["kept", "live"])
def views(request, scaling, view):
    """One compiled model under two scales of the prior of ``between_study_sd``."""
    graph = scaling.shared.live if request.param == "live" else scaling.shared
    one = replace(scaling, shared=graph, gradient=replace(scaling.gradient, shared=graph))
    stated = [view.replace(scaling={"between_study_scale": scale}) for scale in SCALES]
    return [one.with_view(each) for each in stated]


@pytest.fixture(scope="module")
def draws(scaling):
    return scaling.posterior(QUICK)[0]


def log_prior_of_spread(compiled, draws):
    tables = compiled.view.tables(compiled.model.quantities)
    return compiled.terms.log_prior(draws, tables)["between_study_sd"].values


def known_log_prior(draws, scale):
    return halfnorm(scale=scale).logpdf(draws["between_study_sd"].values)


def numbers(graph):
    """Numbers that a graph holds, by name."""
    return {variable.name: variable.get_value() for variable in graph.data_vars}


def same_numbers(some, other):
    return some.keys() == other.keys() and all(np.array_equal(some[n], other[n]) for n in some)


def test_each_view_has_the_log_prior_of_its_own_scale(views, draws) -> None:
    for compiled, scale in zip(views, SCALES, strict=True):
        found = log_prior_of_spread(compiled, draws)
        np.testing.assert_allclose(found, known_log_prior(draws, scale), rtol=1e-12)


def test_what_another_view_of_the_graph_does_changes_nothing(views, draws) -> None:
    first, second = views
    before = log_prior_of_spread(first, draws)
    tables = second.view.tables(second.model.quantities)
    uses = [
        lambda: log_prior_of_spread(second, draws),
        lambda: second.terms.log_likelihood(draws, tables),
        lambda: second.terms.draw_prior(tables, QUICK),
        lambda: second.sample(QUICK),
    ]
    for use in uses:
        use()
        np.testing.assert_array_equal(log_prior_of_spread(first, draws), before)


def test_sampling_another_view_between_changes_no_draw(views) -> None:
    first, second = views
    alone = first.sample(QUICK)
    second.sample(QUICK)
    again = first.sample(QUICK)
    for group in ("posterior", "prior", "log_prior", "log_likelihood"):
        assert getattr(alone, group).equals(getattr(again, group)), group


def test_two_threads_evaluate_two_views_of_one_graph_at_once(views, draws) -> None:
    together = Barrier(2)

    def evaluate(compiled):
        found = []
        for _ in range(25):
            together.wait(60)
            found.append(log_prior_of_spread(compiled, draws))
        return found

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(evaluate, views))
    for each, scale in zip(found, SCALES, strict=True):
        for values in each:
            np.testing.assert_allclose(values, known_log_prior(draws, scale), rtol=1e-12)


def test_the_graph_keeps_its_numbers_after_every_use(scaling, views, draws) -> None:
    before, other = numbers(scaling.graph), views[1]
    assert set(before) == set(other.data) and not same_numbers(before, numbers_of(other))
    tables = other.view.tables(other.model.quantities)
    uses = {
        "log prior": lambda: other.terms.log_prior(draws, tables),
        "log likelihood": lambda: other.terms.log_likelihood(draws, tables),
        "prior draws": lambda: other.terms.draw_prior(tables, QUICK),
        "posterior": lambda: other.posterior(QUICK),
        "sample": lambda: other.sample(QUICK),
    }
    for name, use in uses.items():
        use()
        assert same_numbers(numbers(scaling.graph), before), name


def numbers_of(compiled):
    """Numbers of a compiled view, in the types of the graph."""
    kinds = {variable.name: variable.type.dtype for variable in compiled.graph.data_vars}
    return {name: np.asarray(value, kinds[name]) for name, value in compiled.data.items()}


def test_an_error_while_the_graph_is_lent_restores_its_numbers(scaling, views) -> None:
    before = numbers(scaling.graph)
    with pytest.raises(RuntimeError, match="meanwhile"), scaling.shared.live.holding(views[1].data):
        raise RuntimeError("meanwhile")
    assert same_numbers(numbers(scaling.graph), before)
    # numbers of the wrong shape are refused by the graph itself, when others are set already
    wrong = views[1].data | {"studies": np.zeros(3)}
    with pytest.raises(TypeError), scaling.shared.live.holding(wrong):
        pass
    assert same_numbers(numbers(scaling.graph), before)


def test_a_graph_that_holds_other_numbers_gives_other_numbers(scaling, views, draws) -> None:
    """Negative control: what is held is what functions of the graph see."""
    first, second = views
    white = np.linalg.solve(
        second.view.tables(second.model.quantities).cholesky, draws["z"].values[..., None]
    )[..., 0]
    values = [
        white if rv.name == "white" else draws[rv.name].values for rv in scaling.graph.free_RVs
    ]
    flat = [value.reshape(-1, *value.shape[2:]) for value in values]
    names = [rv.name for rv in scaling.graph.free_RVs if rv.name != "white"]
    spread = names.index("between_study_sd")
    for compiled, scale in ((first, SCALES[0]), (second, SCALES[1]), (first, SCALES[0])):
        with scaling.shared.live.holding(compiled.data):
            assert same_numbers(numbers(scaling.graph), numbers_of(compiled))
            found = scaling.shared.live.structural_prior(*flat)[spread]
        np.testing.assert_allclose(found, known_log_prior(draws, scale).ravel(), rtol=1e-12)
    assert not np.allclose(*(known_log_prior(draws, scale) for scale in SCALES))
