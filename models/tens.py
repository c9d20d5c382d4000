"""Runs of the frontier in tens: the largest of each, and nine that lie below it.

:mod:`aligntax.models.compute` says why, and gives their density. This file counts runs off, and
draws them.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

# degrees of freedom: heavy enough for a mislabelled run, and its distribution function is algebraic
NU = 4
TOP = 10  # frontier: the running top ten, as Epoch AI defines it


def tens(flop: Any, exact: Any) -> tuple[Any, Any, Any]:
    """Number of each run's ten, whether it is the largest of it, and the ceiling of the others.

    Runs are sorted by date, and counted from the latest backwards. There is no ceiling (NaN) for
    the largest run and outside of every ten.
    """
    ten, largest = np.full(len(flop), -1), np.zeros(len(flop))
    ceiling = np.full(len(flop), np.nan)
    known = np.flatnonzero(exact)[::-1]
    for number in range(len(known) // TOP):
        members = known[number * TOP : (number + 1) * TOP]
        first = members[np.argmax(flop[members])]
        ten[members], ceiling[members] = number, flop[first]
        largest[first], ceiling[first] = 1.0, np.nan
    return ten, largest, ceiling


def largest_of_ten(rows: xr.Dataset) -> list[int]:
    """Index of the largest run of each run's ten; of itself outside of every ten."""
    ten, largest = rows["ten"].values, rows["largest"].values > 0
    first = {ten[i]: int(i) for i in np.flatnonzero(largest)}
    return [first.get(number, i) for i, number in enumerate(ten)]


def drawn_flop(location: Any, scale: Any, rows: xr.Dataset, rng: Generator) -> Any:
    """Log10 FLOP of each run, (..., run).

    Those below the largest of their ten invert the distribution function of Student's t there.
    """
    from scipy.special import stdtr, stdtrit

    mean, total = location.sum(axis=0), np.sqrt(scale.sum(axis=(0, 1)))
    flop = mean + total * rng.standard_t(NU, size=mean.shape)
    ten, largest = rows["ten"].values, rows["largest"].values > 0
    for first in np.flatnonzero(largest):
        others = np.flatnonzero((ten == ten[first]) & ~largest)
        centre, width = mean[..., others], total[..., others]
        below = stdtr(NU, (flop[..., [first]] - centre) / width)
        tail = np.maximum(below * rng.uniform(size=below.shape), 1e-300)
        flop[..., others] = centre + width * stdtrit(NU, tail)
    return flop


def drawn_figures(location: Any, scale: Any, rows: xr.Dataset, rng: Generator) -> tuple[Any, Any]:
    """Log10 FLOP and cost of each run, (..., run).

    Given FLOP, cost has a Student-t with one more degree of freedom.
    """
    flop = drawn_flop(location, scale, rows, rng)
    total, with_cost = scale.sum(axis=(0, 1)), scale[0].sum(axis=0)
    off = flop - location.sum(axis=0)
    left = (scale[0, 0] - with_cost**2 / total) * (NU + off**2 / total) / (NU + 1)
    cost = (
        location[0]
        + with_cost / total * off
        + np.sqrt(left) * rng.standard_t(NU + 1, size=flop.shape)
    )
    return flop, cost


def drawn_ceiling(flop: Any, rows: xr.Dataset) -> Any:
    """Ceiling of one draw's runs, (run,)."""
    return np.where(np.isfinite(rows["ceiling"].values), flop[largest_of_ten(rows)], np.nan)
