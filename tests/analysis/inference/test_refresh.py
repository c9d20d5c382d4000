"""Independence Metropolis after NUTS: what it leaves alone, what it mends, and what it may not know."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats

from aligntax.analysis.fitting.outcome import conclude_fit
from aligntax.analysis.inference import refresh
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.refresh import refreshed
from aligntax.models.catalogue import find_model

PEAK, WIDTH, SHARE = -0.3, 0.05, 0.3  # of a component in which the first coordinate has a peak
CHAINS, DRAWS = 4, 2000


@dataclass(frozen=True)
class Mixture:
    """Three coordinates with standard normal priors.

    The first is in a peak with probability ``SHARE``, where the second has mean -1; the third has
    the mean ``tanh`` of the first, so that it says something of it.
    """

    def log_density_and_gradient(self, x):
        a, b, c = x
        slab = stats.norm.logpdf(a) + stats.norm.logpdf(b)
        peak = stats.norm.logpdf(a, PEAK, WIDTH) + stats.norm.logpdf(b, -1.0, 0.7)
        of_both = np.logaddexp(np.log(1 - SHARE) + slab, np.log(SHARE) + peak)
        return of_both + stats.norm.logpdf(c, np.tanh(a)), None


def drawn(rng, share: float = SHARE):
    """Independent draws (chain, draw, parameter), with another share in the peak if asked."""
    shape = CHAINS, DRAWS
    inside = rng.random(shape) < share
    a = np.where(inside, rng.normal(PEAK, WIDTH, shape), rng.normal(size=shape))
    b = np.where(inside, rng.normal(-1.0, 0.7, shape), rng.normal(size=shape))
    return np.stack([a, b, rng.normal(np.tanh(a))], axis=-1)


def log_densities(points):
    return np.stack([Mixture().log_density_and_gradient(chain.T)[0] for chain in points])


def again(points, rng):
    """Points whose first two coordinates are drawn again."""
    return refreshed(Mixture(), points, log_densities(points), [0, 1], rng)


def in_the_peak(points):
    return (np.abs(points[..., 0] - PEAK) < 3 * WIDTH).mean()


TRUE_SHARE = (
    SHARE * 0.9973
    + (1 - SHARE) * np.diff(stats.norm.cdf([PEAK - 3 * WIDTH, PEAK + 3 * WIDTH])).item()
)


def p_values(points):
    """Of each coordinate against exact draws of the mixture."""
    exact = drawn(np.random.default_rng(99))
    return [stats.ks_2samp(points[..., i].ravel(), exact[..., i].ravel()).pvalue for i in range(3)]


def test_draws_of_the_posterior_remain_draws_of_it() -> None:
    rng = np.random.default_rng(1)
    before = drawn(rng)
    after = again(before, rng)
    assert min(p_values(after.points)) > 0.001
    moved = after.accepted > 0
    assert moved.mean() > 0.7
    # the relation to the rest is kept too
    rest = stats.norm.cdf(after.points[..., 2] - np.tanh(after.points[..., 0]))
    assert stats.kstest(rest.ravel(), "uniform").pvalue > 0.001


def test_a_proposal_that_is_not_accounted_for_is_noticed(monkeypatch) -> None:
    """Negative control: accepted by the likelihood alone, draws pile up where others are."""
    monkeypatch.setattr(refresh._Proposal, "log_density", lambda self, white: 0.0)
    rng = np.random.default_rng(1)
    assert min(p_values(again(drawn(rng), rng).points)) < 1e-6


def test_a_peak_that_chains_found_too_often_gets_its_share() -> None:
    rng = np.random.default_rng(2)
    before = drawn(rng, share=0.7)
    after = before
    for _ in range(3):
        after = again(after, rng).points
    wrong, left = (abs(in_the_peak(each) - TRUE_SHARE) for each in (before, after))
    # the third coordinate stays where it was, and holds a little of the old share
    assert wrong > 0.3 and left < 0.25 * wrong


def test_the_other_coordinates_stay_and_the_density_is_that_of_the_points() -> None:
    rng = np.random.default_rng(3)
    before = drawn(rng)
    after = again(before, rng)
    assert np.array_equal(after.points[..., 2], before[..., 2])
    stayed = after.accepted == 0
    assert np.array_equal(after.points[stayed], before[stayed])
    assert np.allclose(after.log_density, log_densities(after.points), rtol=1e-14)


def test_a_chain_is_proposed_nothing_that_it_taught() -> None:
    """The proposals of a chain do not change with its own draws."""
    rng = np.random.default_rng(4)
    white = drawn(rng)[..., :2]
    other = white.copy()
    other[0] += 1.0
    one, two = (refresh._Proposal.from_draws(each).shares for each in (white, other))
    assert np.array_equal(one[0], two[0]) and not np.array_equal(one[1], two[1])
    assert np.allclose(one.sum(axis=-1), 1.0) and one.min() >= refresh.EVEN / refresh.BINS


def test_proposals_have_the_density_that_is_said_of_them() -> None:
    rng = np.random.default_rng(5)
    proposal = refresh._Proposal.from_draws(drawn(rng)[..., :1])
    white = proposal.draw(200_000, rng)
    said = np.exp(proposal.log_density(white))[0] * refresh.BINS  # a density of s
    cell = np.floor(stats.norm.cdf(white[0, :, 0]) * refresh.BINS).astype(int)
    found = np.bincount(cell, minlength=refresh.BINS) / cell.size * refresh.BINS
    assert np.allclose(found[cell], said, rtol=0.1)


@pytest.mark.parametrize("end", [-40.0, 40.0])
def test_a_draw_far_out_has_a_cell(end) -> None:
    rng = np.random.default_rng(6)
    before = drawn(rng)
    before[0, 0, 0] = end
    assert np.isfinite(again(before, rng).points).all()


@pytest.fixture(scope="module")
def horizons(evidence, view):
    return compile_model(find_model("time-horizon"), evidence, view)


@dataclass(frozen=True)
class Unrefreshed:
    """A gradient without a density of many points, as Numba's."""

    own: object
    density: None = None

    def for_nutpie(self):
        return self.own.for_nutpie()


def of_nuts_alone(compiled):
    return replace(compiled, gradient=Unrefreshed(compiled.gradient))


OPTIONS = Sampling(seed=3)


@pytest.fixture(scope="module")
def both(horizons):
    """Posterior and statistics, by NUTS alone and with its slow quantities drawn again."""
    alone = of_nuts_alone(horizons).posterior(OPTIONS, unconstrained=True)
    return alone, horizons.posterior(OPTIONS, unconstrained=True)


def kink_year(posterior):
    return posterior["z"].sel(quantity="kink_year").values


def test_the_kink_mixes(both) -> None:
    slow, quick = (float(array_stats.ess(kink_year(each))) for each, _ in both)
    assert slow < 1500 and quick > 2500
    assert ["refresh_accepted" in statistics for _, statistics in both] == [False, True]


def test_the_rest_is_what_nuts_drew(both) -> None:
    (alone, before), (posterior, after) = both
    quick = posterior["quantity"].isin(["kink_year", "kink_ratio"])
    assert np.allclose(alone["z"][..., ~quick], posterior["z"][..., ~quick], atol=1e-12)
    for name in ("horizon_scatter", "suite_error_share", "suite_error_short", "suite_error_long"):
        assert np.allclose(alone[name], posterior[name], rtol=1e-9, atol=1e-12)
    assert (before["energy"] == after["energy"]).all()


def test_every_draw_is_of_one_point(both, horizons) -> None:
    """Quantities, parameters and density are those of the coordinates that are stored."""
    posterior, statistics = both[1]
    points, density = statistics["unconstrained_draw"].values, horizons.gradient.density
    found = density.variables(points)
    tables = horizons.view.tables(horizons.model.quantities)
    assert np.allclose(tables.correlate(found.pop("white")), posterior["z"], atol=1e-12)
    for name, values in found.items():
        assert np.array_equal(values, posterior[name].values)
    flat = points.reshape(-1, points.shape[-1]).T
    expected = density.log_density_and_gradient(flat)[0].reshape(points.shape[:2])
    assert np.allclose(statistics["logp"], expected, rtol=1e-12)


def test_the_same_seed_gives_the_same_draws_on_any_cores(horizons) -> None:
    few = replace(OPTIONS, draws=100)
    one, two = (horizons.posterior(replace(few, cores=n))[0] for n in (1, 2))
    other, _ = horizons.posterior(replace(few, seed=4))
    assert one.equals(two) and not one.equals(other)


def test_a_run_says_what_was_drawn_again(horizons, scaling) -> None:
    few = Sampling(draws=200, tune=200, chains=2)
    said, silent = (
        conclude_fit(each.sample(few), few, {}).info["sampler"] for each in (horizons, scaling)
    )
    assert said["refreshed"] == "kink_year, kink_ratio" and 0.4 < said["refresh_accepted"] < 0.9
    assert (
        "refreshed" not in silent and "unconstrained_draw" not in horizons.sample(few).sample_stats
    )
