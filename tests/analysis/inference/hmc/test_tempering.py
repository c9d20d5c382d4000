"""From the standard normal to the posterior: where points end, and how many in each mode."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from aligntax.analysis.inference.hmc import tempering
from aligntax.analysis.inference.hmc.moves import Target
from aligntax.analysis.inference.hmc.tempering import tempered
from aligntax.models.errors import InputError
from tests.analysis.inference.hmc.toys import Mixture, Modes, Normal


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def ended(density, pool, seed, chains=4, columns=()):
    rng = np.random.default_rng(seed)
    return tempered(Target(density, pool, 1), (chains, density.dimension, 8), [*columns], rng)


def test_points_end_in_the_posterior_with_steps_that_suit_it(pool) -> None:
    normal = Normal(np.array([0.0, 3.0, -4.0]), np.array([1.0, 0.01, 2.0]))
    found = [ended(normal, pool, seed) for seed in range(12)]
    x = np.concatenate([each.x.swapaxes(1, 2).reshape(-1, 3) for each, _ in found])
    z = (x - normal.mean) / normal.sd
    # nearly: two moves a stage do not quite follow
    assert (np.abs(z.mean(axis=0)) < 0.5).all() and (np.abs(z.std(axis=0) - 1) < 0.2).all()
    for here, how in found:
        assert (np.abs(np.log(how.scale / normal.sd)) < 1.2).all() and 0.1 < how.size < 2.0
        expected = normal.log_density_and_gradient(here.x[0])
        assert np.array_equal(here.log_density[0], expected[0])
        assert np.array_equal(here.slope[0], expected[1])


def share_of_second(density, pool, runs=60):
    return np.mean([(ended(density, pool, seed)[0].x[:, 0] > 0).mean() for seed in range(runs)])


def test_modes_have_about_their_shares(pool) -> None:
    """Eight points of a chain are few: shares are drawn a little to those of the start, one half."""
    assert 0.15 < share_of_second(Modes(0.2), pool) < 0.35
    assert 0.4 < share_of_second(Modes(0.5), pool) < 0.6


def test_a_mode_without_mass_is_left(pool, monkeypatch) -> None:
    light = Modes(np.exp(-16.0))
    assert share_of_second(light, pool, runs=20) == 0.0
    # negative control: without weights half of the points start, and stay, there
    monkeypatch.setattr(tempering, "_resampled", lambda log_weight, rng: np.arange(log_weight.size))
    assert share_of_second(light, pool, runs=20) > 0.2


def test_coordinates_that_are_refreshed_have_short_steps(pool) -> None:
    _, how = ended(Mixture(), pool, 1, columns=(0, 1))
    _, plain = ended(Mixture(), pool, 1)
    assert (how.scale[:2] < 0.4 * plain.scale[:2]).all() and how.columns == [0, 1]
    assert how.proposal.shares.shape[0] == 2 and len(plain.proposal.shares) == 0


def test_chains_are_independent_of_each_other(pool) -> None:
    """Each resamples its own points: all of one chain's have none of another's as ancestor."""
    light = Modes(0.5)
    rng = np.random.default_rng(3)
    target = Target(light, pool, 1)
    here = target.at(rng.standard_normal((4, 2, 8)))
    picks = np.tile(rng.integers(8, size=8), (4, 1))
    again = here.picked(picks)
    for one, other in zip(again.x, here.x, strict=True):
        assert {*one[0]} <= {*other[0]}
    shares = np.array([(ended(light, pool, s)[0].x[:, 0] > 0).mean(axis=1) for s in range(60)])
    between = np.corrcoef(shares.T)[np.triu_indices(4, 1)]
    assert np.abs(between).mean() < 0.2 and shares.std() > 0.1


def test_a_density_that_is_nowhere_is_told(pool) -> None:
    class Nowhere(Normal):
        def log_density_and_gradient(self, x):
            return np.full(x.shape[1], -np.inf), np.zeros(x.shape)

    with pytest.raises(InputError, match="model: its density must be finite at draws of N"):
        ended(Nowhere(np.zeros(2), np.ones(2)), pool, 1)


def test_a_stage_keeps_the_share_of_points_that_is_asked() -> None:
    """Of the chain that loses most."""
    gain = -np.random.default_rng(1).gamma(2.0, [[50.0], [10.0]], (2, 64))
    gain -= gain.max(axis=1, keepdims=True)
    rise = tempering._rise(gain, 0.0)
    weight = np.exp(rise * gain)
    effective = weight.sum(axis=1) ** 2 / (weight**2).sum(axis=1) / 64
    assert effective[0] == pytest.approx(tempering.KEPT, rel=0.01)
    assert effective[0] < effective[1]
    assert tempering._rise(0.01 * gain, 0.5) == 0.5  # the end
    assert tempering._rise(1e9 * gain, 0.5) == pytest.approx(0.05)  # some way at least


def test_a_posterior_that_is_the_standard_normal_is_there_at_once(pool) -> None:
    """Its points weigh the same."""
    normal = Normal(np.zeros(3), np.ones(3))
    here = Target(normal, pool, 1).at(np.random.default_rng(1).standard_normal((4, 3, 8)))
    assert np.allclose(tempering._gain(here), 0.0, atol=1e-12)
    assert tempering._rise(tempering._gain(here), 0.0) == 1.0


def test_resampling_is_by_weight() -> None:
    rng = np.random.default_rng(2)
    log_weight = rng.normal(size=50)
    share = np.exp(log_weight) / np.exp(log_weight).sum()
    counts = np.mean(
        [np.bincount(tempering._resampled(log_weight, rng), minlength=50) for _ in range(400)],
        axis=0,
    )
    assert np.abs(counts - 50 * share).max() < 0.1
    one = np.bincount(tempering._resampled(log_weight, rng), minlength=50)
    assert (np.abs(one - 50 * share) < 1.0).all()  # even distances: no count is far off
