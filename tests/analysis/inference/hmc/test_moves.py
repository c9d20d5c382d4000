"""Two moves: what they leave as it is, what they conserve, and what they may not accept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from aligntax.analysis.inference.hmc import moves
from aligntax.analysis.inference.hmc.moves import Points, Target, hamiltonian, refresh
from aligntax.analysis.inference.hmc.proposal import BINS, EVEN, Proposal
from tests.analysis.inference.hmc.toys import (
    MUCH_CODE,
    TRUE_SHARE,
    Mixture,
    Normal,
    in_the_peak,
)

SHAPE = 4, 1000


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(3) as pool:
        yield pool


NORMAL = Normal(np.array([0.0, 3.0, -1.0]), np.array([1.0, 0.1, 20.0]))


def p_values(x, exact):
    """Of each coordinate against exact draws."""
    return [stats.ks_2samp(x[:, i].ravel(), exact[:, i].ravel()).pvalue for i in range(x.shape[1])]


def tempered_sd(beta):
    return 1 / np.sqrt(beta / NORMAL.sd**2 + (1 - beta))


def walked(target, here, scale, size, rng, count=6, steps=5):
    for _ in range(count):
        here = hamiltonian(target, here, scale, size, steps, rng).points
    return here.x


@pytest.mark.parametrize("beta", [1.0, 0.4])
def test_dynamics_that_are_turned_back_return(pool, beta) -> None:
    rng = np.random.default_rng(1)
    target = Target(NORMAL, pool, 1, beta)
    start = target.at(NORMAL.draw((4, 8), rng))
    momentum = rng.standard_normal(start.x.shape)
    reach = np.broadcast_to(0.2 * tempered_sd(beta)[:, None], start.x.shape).copy()
    there, end = target.leapfrog(start, momentum, reach, 7)
    back, again = target.leapfrog(there, -end, reach, 7)
    assert np.allclose(back.x, start.x, atol=1e-10) and np.allclose(again, -momentum, atol=1e-10)
    assert not np.allclose(there.x, start.x, atol=0.1)


@pytest.mark.parametrize("beta", [1.0, 0.4, 0.0])
def test_energy_is_conserved_up_to_the_square_of_a_step(pool, beta) -> None:
    """Of the tempered density: at beta 0 of the standard normal, whatever the posterior is."""
    rng = np.random.default_rng(2)
    target = Target(NORMAL, pool, 1, beta)
    start = target.at(NORMAL.draw((4, 8), rng))
    momentum = rng.standard_normal(start.x.shape)
    errors = []
    for size in (0.1, 0.05):
        reach = np.broadcast_to(size * tempered_sd(beta)[:, None], start.x.shape).copy()
        there, end = target.leapfrog(start, momentum, reach, round(1 / size))
        kinetic = 0.5 * ((end**2).sum(axis=1) - (momentum**2).sum(axis=1))
        gain = target.log_density(there) - target.log_density(start) - kinetic
        errors.append(np.abs(gain).mean())
    assert errors[0] < 0.02 * np.abs(target.log_density(start)).mean()
    assert 3.0 < errors[0] / errors[1] < 5.0


def test_hamiltonian_monte_carlo_leaves_the_target_as_it_is(pool) -> None:
    rng = np.random.default_rng(3)
    target = Target(NORMAL, pool, 1)
    exact = NORMAL.draw(SHAPE, rng)
    x = walked(target, target.at(NORMAL.draw(SHAPE, rng)), NORMAL.sd, 1.8, rng)
    assert min(p_values(x, exact)) > 0.001
    moved = hamiltonian(target, target.at(exact), NORMAL.sd, 1.8, 5, rng)
    assert np.array_equal(moved.moved, (moved.points.x != exact).any(axis=1))
    assert moved.acceptance.mean() > 0.05 and (moved.points.x != exact).any(axis=1).mean() > 0.05


def test_moves_that_are_not_weighed_are_noticed(pool, monkeypatch) -> None:
    """Negative control: long steps without a decision spread too wide."""
    monkeypatch.setattr(moves, "_accepted", lambda gain, rng: (gain == gain, np.ones(gain.shape)))
    rng = np.random.default_rng(3)
    target = Target(NORMAL, pool, 1)
    x = walked(target, target.at(NORMAL.draw(SHAPE, rng)), NORMAL.sd, 1.8, rng)
    assert min(p_values(x, NORMAL.draw(SHAPE, rng))) < 1e-6


def test_a_point_without_a_density_is_left_where_it_was_and_has_diverged(pool) -> None:
    class Walled(Normal):
        def log_density_and_gradient(self, x):
            values, slopes = super().log_density_and_gradient(x)
            return np.where(x[0] > 0.5, np.nan, values), slopes

    walled = Walled(np.zeros(1), np.ones(1))
    target, rng = Target(walled, pool, 1), np.random.default_rng(4)
    here = target.at(np.full((2, 1, 500), 0.45))
    move = hamiltonian(target, here, np.ones(1), 0.3, 2, rng)
    assert (move.points.x <= 0.5).all() and (move.acceptance[move.diverged] == 0.0).all()
    outside = move.points.x[:, 0] == 0.45
    assert 0.2 < move.diverged.mean() < 0.8 and (outside | ~move.diverged).all()


def test_numbers_do_not_depend_on_threads(pool, monkeypatch) -> None:
    monkeypatch.setattr(Normal, "kernel", MUCH_CODE)
    found = []
    for threads in (1, 2, 3, 9):
        target = Target(NORMAL, pool, threads)
        rng = np.random.default_rng(5)
        found.append(walked(target, target.at(NORMAL.draw((4, 8), rng)), NORMAL.sd, 0.3, rng))
    assert all(np.array_equal(found[0], other) for other in found[1:])


def test_points_are_copied_whole() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    here = Points(x, x[:, 0].copy(), -x)
    again = here.picked(np.array([[1, 1, 0, 2], [3, 0, 0, 0]]))
    assert np.array_equal(again.x[0, :, 1], x[0, :, 1])
    assert np.array_equal(again.x[1, :, 0], x[1, :, 3])
    assert np.array_equal(again.log_density, again.x[:, 0]) and np.array_equal(
        again.slope, -again.x
    )
    assert all(each.flags.c_contiguous for each in vars(again).values())


# Independence Metropolis of some coordinates


def proposal_of(x):
    return Proposal.from_draws(np.moveaxis(x[:, :2], 1, 0).reshape(2, -1))


def again(target, x, rng, count=1):
    here = target.at(x)
    proposal = proposal_of(MIXTURE.draw(SHAPE, np.random.default_rng(98)))
    for _ in range(count):
        move = refresh(target, here, [0, 1], proposal, rng)
        here = move.points
    return move


MIXTURE = Mixture()


def test_draws_of_the_posterior_remain_draws_of_it(pool) -> None:
    rng = np.random.default_rng(1)
    target, before = Target(MIXTURE, pool, 1), MIXTURE.draw(SHAPE, rng)
    move = again(target, before, rng)
    assert min(p_values(move.points.x, MIXTURE.draw(SHAPE, rng))) > 0.001
    assert (move.points.x[:, 0] != before[:, 0]).mean() > 0.5
    # the relation to the rest is kept too
    rest = stats.norm.cdf(move.points.x[:, 2] - np.tanh(move.points.x[:, 0]))
    assert stats.kstest(rest.ravel(), "uniform").pvalue > 0.001


def test_a_proposal_that_is_not_accounted_for_is_noticed(pool, monkeypatch) -> None:
    """Negative control: accepted by the density alone, draws pile up where others are."""
    monkeypatch.setattr(Proposal, "log_density", lambda self, white: 0.0)
    rng = np.random.default_rng(1)
    move = again(Target(MIXTURE, pool, 1), MIXTURE.draw(SHAPE, rng), rng)
    assert min(p_values(move.points.x, MIXTURE.draw(SHAPE, rng))) < 1e-6


def test_a_peak_that_chains_found_too_often_gets_its_share(pool) -> None:
    rng = np.random.default_rng(2)
    before = MIXTURE.draw(SHAPE, rng, share=0.7)
    move = again(Target(MIXTURE, pool, 1), before, rng, count=6)
    wrong, left = (abs(in_the_peak(x) - TRUE_SHARE) for x in (before, move.points.x))
    # the third coordinate stays where it was, and holds a little of the old share
    assert wrong > 0.3 and left < 0.25 * wrong


def test_the_other_coordinates_stay_and_the_density_is_that_of_the_points(pool) -> None:
    rng = np.random.default_rng(3)
    target, before = Target(MIXTURE, pool, 1), MIXTURE.draw(SHAPE, rng)
    after = again(target, before, rng).points
    assert np.array_equal(after.x[:, 2], before[:, 2])
    expected = target.at(after.x)
    assert np.array_equal(after.log_density, expected.log_density)
    assert np.array_equal(after.slope, expected.slope)


def test_a_tempered_refresh_has_the_tempered_target(pool) -> None:
    """At beta 0 the peak is gone, whatever the start."""
    rng = np.random.default_rng(4)
    target, before = Target(MIXTURE, pool, 1), MIXTURE.draw(SHAPE, rng, share=0.7)
    assert stats.kstest(before[:, 0].ravel(), "norm").pvalue < 1e-9
    x = again(replace(target, beta=0.0), before, rng, count=12).points.x
    assert stats.kstest(x[:, 0].ravel(), "norm").pvalue > 0.001


def test_a_half_tempered_refresh_has_the_density_of_both(pool) -> None:
    """Shares of bins of the first coordinate, given the others, are those of the tempered density."""
    rng, beta = np.random.default_rng(5), 0.4
    target = replace(Target(MIXTURE, pool, 1), beta=beta)
    x = np.zeros((4, 3, 1000))
    x = again(target, x, rng, count=25).points.x
    grid = np.linspace(-4, 4, 400)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    points = np.stack([a.ravel(), b.ravel(), np.zeros(a.size)])
    logs = beta * MIXTURE.log_density_and_gradient(points)[0]
    logs -= 0.5 * (1 - beta) * (points**2).sum(axis=0)
    of_a = np.exp(logs - logs.max()).reshape(a.shape).sum(axis=1)
    ends = np.array([-0.8, -0.45, -0.15, 0.5])
    expected = np.diff(np.interp(ends, grid, np.cumsum(of_a) / of_a.sum()))
    found = np.diff([(x[:, 0] < end).mean() for end in ends])
    assert np.allclose(found, expected, atol=0.035)


def test_proposals_have_the_density_that_is_said_of_them() -> None:
    rng = np.random.default_rng(5)
    proposal = Proposal.from_draws(MIXTURE.draw(SHAPE, rng)[:, :1].reshape(1, -1))
    assert np.allclose(proposal.shares.sum(axis=-1), 1.0)
    assert proposal.shares.min() >= EVEN / BINS
    white = proposal.draw(200_000, rng)
    of_s = proposal.log_density(white) + 0.5 * white[0] ** 2
    cell = np.floor(stats.norm.cdf(white[0]) * BINS).astype(int)
    found = np.bincount(cell, minlength=BINS) / cell.size
    assert np.allclose(found[cell], np.exp(of_s), rtol=0.1)


@pytest.mark.parametrize("end", [-40.0, 40.0])
def test_a_draw_far_out_has_a_cell(pool, end) -> None:
    rng = np.random.default_rng(6)
    x = MIXTURE.draw(SHAPE, rng)
    x[0, 0, 0] = end
    assert np.isfinite(proposal_of(x).log_density(x[:, :2].swapaxes(0, 1))).all()
    assert np.isfinite(again(Target(MIXTURE, pool, 1), x, rng).points.x).all()
