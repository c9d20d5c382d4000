"""Many short chains in step: known answers, honest errors, and what a run stores of them."""

from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from aligntax.analysis.fitting.outcome import conclude_fit
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.hmc import sampler, walk
from aligntax.analysis.inference.hmc.sampler import Plan, sample_hmc
from aligntax.analysis.inference.hmc.walk import JITTER, LENGTH, SHORTEST, Steps, StepSize
from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import find_model
from tests.analysis.inference.hmc.toys import MUCH_CODE, TRUE_SHARE, Mixture, Normal, in_the_peak

PLAN = Plan(4, 1000, 100, 0.8)
NORMAL = Normal(np.array([0.0, 3.0, -1.0]), np.array([1.0, 0.1, 20.0]))


def drawn(density, seed=1, plan=PLAN, columns=(), **more):
    return sample_hmc(density, plan, [*columns], np.random.default_rng(seed), **more)


@pytest.mark.parametrize(
    ("chains", "draws", "subchains", "rounds"),
    [(4, 1000, 8, 125), (2, 500, 16, 32), (3, 10, 16, 1), (8, 9, 8, 2), (64, 1, 8, 1)],
)
def test_chains_have_subchains_that_are_32_together(chains, draws, subchains, rounds) -> None:
    plan = Plan(chains, draws, 100, 0.8)
    assert (plan.subchains, plan.rounds) == (subchains, rounds)
    assert chains * subchains >= sampler.SUBCHAINS and subchains % sampler.OF_A_CHAIN == 0


def test_a_normal_is_recovered_within_the_errors_that_are_stated() -> None:
    """Means over seeds spread as effective sample sizes say."""
    means, sizes = [], []
    for seed in range(16):
        found = drawn(NORMAL, seed, replace(PLAN, draws=250))
        z = (found.points - NORMAL.mean) / NORMAL.sd
        assert not found.statistics["diverging"].any()
        means.append(z.mean(axis=(0, 1)))
        sizes.append([float(array_stats.ess(z[..., i], method="mean")) for i in range(3)])
        assert (np.abs(z.std(axis=(0, 1)) - 1) < 0.15).all()
    over = np.array(means) * np.sqrt(sizes)  # standard normal
    assert 0.7 < np.sqrt((over**2).mean()) < 1.3
    assert stats.kstest(over.ravel(), "norm").pvalue > 0.001


def test_a_mixture_has_its_share_in_the_peak() -> None:
    shares = [
        in_the_peak(drawn(Mixture(), seed, columns=(0, 1)).points.swapaxes(1, 2))
        for seed in range(6)
    ]
    assert np.mean(shares) == pytest.approx(TRUE_SHARE, abs=4 * np.std(shares) / np.sqrt(6) + 0.005)
    assert np.std(shares) < 0.04


def test_draws_of_a_subchain_are_stored_end_to_end() -> None:
    values = np.arange(2 * 3 * 4).reshape(2, 3, 4)  # chain, subchain, round
    assert sampler.end_to_end(values, 7)[1].tolist() == [12, 13, 14, 15, 16, 17, 18]
    found = drawn(NORMAL, plan=Plan(4, 21, 60, 0.8))
    assert found.statistics["subchain"][2].tolist() == sorted([*range(7)] * 3)


def test_errors_of_what_moves_slowly_are_honest_too(monkeypatch) -> None:
    """Trajectories of a tenth of their length: means over seeds spread as effective sizes say."""
    monkeypatch.setattr(walk, "LENGTH", 0.25)
    means, sizes = [], []
    for seed in range(16):
        found = drawn(NORMAL, seed, replace(PLAN, draws=500))
        z = (found.points - NORMAL.mean) / NORMAL.sd
        means.append(z.mean(axis=(0, 1)))
        sizes.append([float(array_stats.ess(z[..., i], method="mean")) for i in range(3)])
    assert np.median(sizes, axis=0).min() < 1200  # of 2,000
    over = np.array(means) * np.sqrt(sizes)
    assert 0.65 < np.sqrt((over**2).mean()) < 1.35


def test_a_draw_is_where_its_density_is() -> None:
    found = drawn(NORMAL, plan=replace(PLAN, draws=30))
    flat = found.points.reshape(-1, 3).T
    assert np.allclose(found.statistics["logp"].ravel(), NORMAL.log_density_and_gradient(flat)[0])
    assert found.points.shape == (4, 30, 3)
    assert {each.shape for each in found.statistics.values()} == {(4, 30)}


def test_the_acceptance_is_what_was_asked_for() -> None:
    many = Normal(np.zeros(60), np.geomspace(0.01, 10.0, 60))
    for asked in (0.7, 0.9):
        found = drawn(many, plan=replace(PLAN, target_accept=asked)).statistics
        assert found["acceptance"].mean() == pytest.approx(asked, abs=0.06)
    assert (found["refresh_accepted"] == 1.0).all()  # nothing is refreshed


def test_seeds_decide_draws_and_cores_do_not(monkeypatch) -> None:
    monkeypatch.setattr(Normal, "kernel", MUCH_CODE)  # else one thread does it all
    few = replace(PLAN, draws=40)
    one, two = (drawn(NORMAL, plan=few, cores=cores).points for cores in (1, 3))
    assert np.array_equal(one, two) and not np.array_equal(one, drawn(NORMAL, 2, few).points)


def test_progress_counts_up_to_all() -> None:
    told = []
    drawn(NORMAL, plan=replace(PLAN, draws=40), progress=lambda *each: told.append(each))
    done = [each[0] for each in told]
    assert done == sorted(done) and done[-1] == told[0][1] == 32 * (100 + 2 * 5)


def test_an_interrupt_ends_it() -> None:
    def interrupt(done, total, diverged):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drawn(NORMAL, progress=interrupt)


def test_trajectories_vary_around_their_length() -> None:
    how, rng = replace(Steps.of_normal(2, []), size=0.01), np.random.default_rng(1)
    sizes, numbers = np.array([how.of_a_trajectory(rng, 1000) for _ in range(4000)]).T
    assert 0.01 * SHORTEST <= sizes.min() < 0.0055 and 0.0095 < sizes.max() <= 0.01
    lengths = sizes * numbers
    assert lengths.min() > LENGTH * (0.99 - JITTER) and lengths.max() < LENGTH * (1.01 + JITTER)
    assert lengths.mean() == pytest.approx(LENGTH, rel=0.02)
    assert how.of_a_trajectory(rng, 50)[1] == 50
    assert replace(how, size=9.0).of_a_trajectory(rng, 50)[1] == 1


def test_a_step_size_finds_the_acceptance_that_is_asked() -> None:
    """Of a world in which the acceptance is ``exp(-size)``."""
    size = StepSize.near(3.0)
    for _ in range(300):
        size = size.updated(float(np.exp(-np.exp(size.log_size))), 0.8)
    assert np.exp(size.log_mean) == pytest.approx(-np.log(0.8), rel=0.1)


# A model of the package


@pytest.fixture(scope="module")
def horizons(evidence, view):
    return compile_model(find_model("time-horizon"), evidence, view)


OPTIONS = Sampling(seed=3)


@pytest.fixture(scope="module")
def stored(horizons):
    return horizons.posterior(OPTIONS, unconstrained=True)


def test_the_kink_mixes(stored) -> None:
    posterior, statistics = stored
    for name in ("kink_year", "kink_ratio"):
        draws = posterior["z"].sel(quantity=name).values
        assert float(array_stats.ess(draws)) > 1000
    assert 0.4 < statistics["refresh_accepted"].mean() < 0.9


def test_every_draw_is_of_one_point(stored, horizons) -> None:
    """Quantities, parameters and density are those of the coordinates that are stored."""
    posterior, statistics = stored
    points, density = statistics["unconstrained_draw"].values, horizons.gradient.density
    found = density.variables(points)
    tables = horizons.view.tables(horizons.model.quantities)
    assert np.allclose(tables.correlate(found.pop("white")), posterior["z"], atol=1e-12)
    for name, values in found.items():
        assert np.array_equal(values, posterior[name].values)
    flat = points.reshape(-1, points.shape[-1]).T
    expected = density.log_density_and_gradient(flat)[0].reshape(points.shape[:2])
    assert np.allclose(statistics["logp"], expected, rtol=1e-12)


def test_both_samplers_store_the_same_things(horizons) -> None:
    few = replace(OPTIONS, draws=20)
    found = [
        horizons.posterior(replace(few, sampler=name), unconstrained=True)
        for name in ("hmc", "nuts")
    ]
    (a, a_stats), (b, b_stats) = found
    assert [*a.data_vars] == [*b.data_vars]
    for name in a.variables:
        assert a[name].dims == b[name].dims and a[name].shape == b[name].shape, name
        if name in a.coords:
            assert a[name].dtype == b[name].dtype and (a[name] == b[name]).all(), name
    assert {"logp", "energy", "diverging", "unconstrained_draw"} <= {*a_stats} & {*b_stats}
    assert a_stats["unconstrained_draw"].shape == b_stats["unconstrained_draw"].shape
    assert (a_stats.attrs["sampler"], b_stats.attrs["sampler"]) == ("hmc", "nuts")


def test_a_run_says_which_sampler_drew_it(horizons, scaling) -> None:
    few = Sampling(draws=200, chains=2)
    by_nuts = replace(few, sampler="nuts")
    said, silent, other = (
        conclude_fit(each.sample(options), options, {}).info["sampler"]
        for each, options in ((horizons, few), (scaling, few), (scaling, by_nuts))
    )
    assert said["refreshed"] == "kink_year, kink_ratio" and 0.4 < said["refresh_accepted"] < 0.9
    assert said["sampler"] == "hmc" and said["tune"] == 100
    assert "refreshed" not in silent and silent["name"] != other["name"]
    assert (other["sampler"], other["tune"], other["name"]) == ("nuts", 400, "nutpie NUTS")
