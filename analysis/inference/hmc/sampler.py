"""Sample a density with many short chains in step.

A gradient of eight chains takes a quarter of the time that eight gradients take, since machine code
works on vectors of them. So each chain of a run is several subchains that walk in step, at least
:data:`SUBCHAINS` in all, and its draws are theirs end to end, as in a superchain of nested R-hat
[1]_. Chains are independent of each other, so R-hat and effective sample sizes hold, and a subchain
that is elsewhere than the others shows as slow. They do not show whether all subchains drift alike,
as after too short a warm-up: early draws of subchains are therefore compared with late ones
(:mod:`aligntax.analysis.summaries.checks`).

Points come from the standard normal by way of tempered posteriors (:mod:`.tempering`). The warm-up
then has windows. The first learns the scales of all subchains, and each the step size at which
moves are accepted as often as asked. After it nothing is adapted, and subchains know nothing of
each other. A draw is :data:`TRANSITIONS` transitions of Hamiltonian Monte Carlo [2]_ and of
refreshing what gradients move slowly (:mod:`.proposal`). All subchains take as many leapfrog steps
of one size; both vary from one trajectory to the next [3]_.

References
----------
.. [1] Margossian et al., "Nested R-hat: Assessing the convergence of Markov chain Monte Carlo when
       running many short chains", 2024. doi:10.1214/24-BA1453.
.. [2] Neal, "MCMC using Hamiltonian dynamics", 2011. arXiv:1206.1901.
.. [3] Hoffman, Radul and Sountsov, "An adaptive-MCMC scheme for setting trajectory lengths in
       Hamiltonian Monte Carlo", 2021. proceedings.mlr.press/v130/hoffman21a.html.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from aligntax.analysis.inference.hmc.moves import Points, Target
from aligntax.analysis.inference.hmc.tempering import tempered
from aligntax.analysis.inference.hmc.walk import LONGEST, Steps, StepSize, Transition, transition
from aligntax.analysis.inference.kernel.kernel import Density
from aligntax.analysis.inference.options import Sampling

SUBCHAINS = 32  # at least, in all chains together
OF_A_CHAIN = 8  # fills the widest vectors
TRANSITIONS = 2  # for a draw
WINDOWS = 2  # of the warm-up
MOST_STEPS = 64  # of a trajectory, in the warm-up
MOST_SEEN = 500  # transitions of a window that its scales are learnt from


@dataclass(frozen=True)
class Plan:
    """How much is sampled.

    Attributes
    ----------
    chains, draws : int
        What a run stores.
    tune : int
        Transitions of the warm-up.
    target_accept : float
        Mean probability with which a trajectory is accepted.
    """

    chains: int
    draws: int
    tune: int
    target_accept: float

    @classmethod
    def of(cls, options: Sampling) -> "Plan":
        """Plan of a model's options."""
        assert options.tune is not None and options.target_accept is not None
        return cls(options.chains, options.draws, options.tune, options.target_accept)

    @property
    def subchains(self) -> int:
        """How many each chain has."""
        return OF_A_CHAIN * -(-SUBCHAINS // (OF_A_CHAIN * self.chains))

    @property
    def rounds(self) -> int:
        """How many draws each subchain keeps."""
        return -(-self.draws // self.subchains)


@dataclass(frozen=True)
class Draws:
    """Draws of a density.

    Attributes
    ----------
    points : ndarray, shape (chain, draw, parameter)
    statistics : mapping of str to ndarray, shape (chain, draw)
        ``logp``; ``energy`` at the start of a draw's second transition, and ``energy_change`` from
        that of its first; ``diverging``, ``cut`` (a trajectory was longer than it may be) and
        ``n_steps``, of both; ``acceptance`` and ``refresh_accepted``, mean probabilities;
        ``moved``, whether a trajectory was accepted; ``step_size``, of the second; ``subchain``,
        which drew it.
    """

    points: Any
    statistics: dict[str, Any]


def sample_hmc(
    density: Density,
    plan: Plan,
    columns: list[int],
    rng: Generator,
    cores: int | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> Draws:
    """Sample a density.

    Parameters
    ----------
    columns : list of int
        Coordinates with a standard normal prior that are refreshed.
    cores : int, optional
        Threads that work at once; as many as there are by default. Draws do not depend on it.
    progress : callable, optional
        Called after each round with the number of transitions done, of all, and of divergences.
    """
    threads = cores or os.cpu_count() or 1
    shape = plan.chains, density.dimension, plan.subchains
    walkers, total = plan.chains * plan.subchains, plan.tune + TRANSITIONS * plan.rounds

    def tell(done: int, diverged: int) -> None:
        if progress is not None:
            progress(done * walkers, total * walkers, diverged)

    with ThreadPoolExecutor(threads) as pool:
        target = Target(density, pool, threads)
        here, how = tempered(target, shape, columns, rng)
        here, how = _warmed_up(target, here, how, plan, rng, tell)
        kept: dict[str, Any] = {}
        diverged = 0
        for k, taken in enumerate(_rounds(target, here, how, plan.rounds, rng)):
            for name, values in _statistics(taken).items():
                if k == 0:
                    room = *values.shape[:2], plan.rounds, *values.shape[2:]
                    kept[name] = np.empty(room, values.dtype)
                kept[name][:, :, k] = values
            diverged += int(kept["diverging"][:, :, k].sum())
            tell(plan.tune + TRANSITIONS * (k + 1), diverged)
    own = np.arange(plan.subchains)[None, :, None]
    kept["subchain"] = np.broadcast_to(own, kept["logp"].shape)
    ends = {name: end_to_end(values, plan.draws) for name, values in kept.items()}
    return Draws(ends.pop("x"), ends)


def _warmed_up(
    target: Target,
    here: Points,
    how: Steps,
    plan: Plan,
    rng: Generator,
    tell: Callable[[int, int], None],
) -> tuple[Points, Steps]:
    """Points after the warm-up, and steps that it adapted."""
    ends = [plan.tune * (k + 1) // WINDOWS for k in range(WINDOWS)]
    for start, end in zip([0, *ends], ends, strict=False):
        size, seen = StepSize.near(how.size), []
        every = -(-(end - start) // MOST_SEEN)
        for i in range(start, end):
            found = transition(target, here, how, rng, MOST_STEPS)
            size = size.updated(float(found.move.acceptance.mean()), plan.target_accept)
            here, how = found.points, replace(how, size=float(np.exp(size.log_size)))
            if (end - i) % every == 0:
                seen.append(here.x)
            tell(i + 1, 0)
        how = replace(how, size=float(np.exp(size.log_mean)))
        if end < plan.tune:  # what the last window learnt would need another step size
            late = np.stack(seen[len(seen) // 3 :])
            how = how.learnt(np.moveaxis(late, 2, 0).reshape(late.shape[2], -1))
    return here, how


def _rounds(
    target: Target, here: Points, how: Steps, rounds: int, rng: Generator
) -> Iterator[list[Transition]]:
    """Transitions of each draw of all subchains."""
    for _ in range(rounds):
        taken = []
        for _ in range(TRANSITIONS):
            taken.append(transition(target, here, how, rng, LONGEST))
            here = taken[-1].points
        yield taken


def _statistics(taken: list[Transition]) -> dict[str, Any]:
    """Where a round ended and how it went, (chain, subchain, ...)."""
    end, shape = taken[-1].points, taken[-1].points.log_density.shape
    energy = [each.move.energy for each in taken]
    return {
        "x": end.x.swapaxes(1, 2),
        "logp": end.log_density,
        "energy": energy[-1],
        "energy_change": energy[-1] - energy[-2],
        "diverging": np.any([each.move.diverged for each in taken], axis=0),
        "moved": np.any([each.move.moved for each in taken], axis=0),
        "cut": np.full(shape, any(each.steps == LONGEST for each in taken)),
        "n_steps": np.full(shape, sum(each.steps for each in taken)),
        "acceptance": np.mean([each.move.acceptance for each in taken], axis=0),
        "refresh_accepted": np.mean([each.refreshed for each in taken], axis=0),
        "step_size": np.full(shape, taken[-1].size),
    }


def end_to_end(values: Any, draws: int) -> Any:
    """Draws of each chain (chain, draw, ...), of (chain, subchain, round, ...)."""
    return values.reshape(len(values), -1, *values.shape[3:])[:, :draws]
