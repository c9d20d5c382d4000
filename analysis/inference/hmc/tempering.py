"""From the standard normal to the posterior, by way of tempered ones.

A sampler that starts in many places may leave some chains where next to no mass is. Here each place
is kept by its weight: points are drawn from ``N(0, I)``, and ``beta`` rises from 0 to 1 in stages.
At each they are resampled by ``(p / N)^(beta' - beta)``, and moved [1]_. They are resampled within
their chain, so that chains remain independent of each other, and R-hat compares what each found.

References
----------
.. [1] Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers", 2006.
       doi:10.1111/j.1467-9868.2006.00553.x. Stages by effective sample size: Jasra et al., 2011.
       doi:10.1111/j.1467-9469.2010.00723.x.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from aligntax.analysis.inference.hmc.moves import Points, Target
from aligntax.analysis.inference.hmc.walk import Steps, transition
from aligntax.models.errors import InputError

KEPT = 0.5  # effective share of points that resampling leaves in each chain
MOVES = 2  # transitions at each stage
LEAST_RISE = 1.1  # of beta; at most 200 stages
MOST_STEPS = 20
ACCEPTANCE, GAIN = 0.75, 0.6  # of the step size, which follows the acceptance


def tempered(
    target: Target, shape: tuple[int, int, int], columns: list[int], rng: Generator
) -> tuple[Points, Steps]:
    """Points of the posterior, nearly, and steps that suit them.

    Parameters
    ----------
    target : Target
        The posterior.
    shape : (chain, parameter, subchain)
    columns : list of int
        Coordinates that are refreshed.

    Raises
    ------
    InputError
        If no point of a chain has a density.
    """
    here, beta = target.at(rng.standard_normal(shape)), 0.0
    how = Steps.of_normal(shape[1], columns)
    while beta < 1.0:
        gain = _gain(here)
        rise = _rise(gain, beta)
        picks = np.stack([_resampled(rise * each, rng) for each in gain])
        here, beta = here.picked(picks), beta + rise
        how = how.learnt(np.moveaxis(here.x, 1, 0).reshape(shape[1], -1))
        for _ in range(MOVES):
            found = transition(replace(target, beta=beta), here, how, rng, MOST_STEPS)
            excess = found.move.acceptance.mean() - ACCEPTANCE
            here, how = found.points, replace(how, size=how.size * float(np.exp(GAIN * excess)))
    return here, how


def _gain(here: Points) -> Any:
    """Log of ``p / N`` of each point, (chain, subchain), up to a constant of each chain."""
    with np.errstate(invalid="ignore"):
        gain = here.log_density + 0.5 * (here.x**2).sum(axis=1)
    gain[~np.isfinite(gain)] = -np.inf
    highest = gain.max(axis=1, keepdims=True)
    if not np.isfinite(highest).all():
        rule = "its density must be finite at draws of N(0, I), in coordinates without bounds"
        raise InputError(
            f"model: {rule}, got none at {gain.shape[1]} draws; look for rows or priors that "
            "contradict each other, or use --sampler nuts"
        )
    return gain - highest


def _rise(gain: Any, beta: float) -> float:
    """How far ``beta`` rises: each chain keeps the effective share of points that is asked."""

    def effective(rise: float) -> float:
        weight = np.exp(rise * gain)
        sizes = weight.sum(axis=1) ** 2 / (weight**2).sum(axis=1)
        return float(sizes.min() / gain.shape[1])

    rest = 1.0 - beta
    low, high = 0.0, rest
    if effective(rest) < KEPT:
        while high - low > 1e-3 * high:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if effective(middle) >= KEPT else (low, middle)
        rest = float(min(rest, max(low, (LEAST_RISE - 1.0) * beta, 1e-8)))
    return rest


def _resampled(log_weight: Any, rng: Generator) -> Any:
    """Places of points, drawn by weight at even distances and shuffled."""
    weight = np.exp(log_weight - log_weight.max())
    levels = (rng.random() + np.arange(weight.size)) / weight.size
    ends = np.cumsum(weight / weight.sum())
    return rng.permutation(np.minimum(np.searchsorted(ends, levels), weight.size - 1))
