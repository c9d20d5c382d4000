"""Pools of quantile tables: the priors of several experts on one quantity become one prior.

With weights ``w`` that sum to 1 and experts' densities ``f_i``, distribution functions ``F_i`` and
tables ``T_i``::

    linear      F = sum_i w_i F_i
    log         f = prod_i f_i^{w_i} / Z
    quantile    T = sum_i w_i T_i

- The linear pool is a mixture (:class:`aligntax.models.priors.distributions.Mixture`). It keeps the
  values of every expert, and disagreement widens it.
- The log pool keeps the values that no expert rules out. Bayes' rule commutes with it.
- The quantile pool averages the experts' answers (Vincent). It is no wider than they are.

The first two do not depend on the scale. The third averages on the quantity's link. ``Z``, at most
1, says how far the experts overlap. Where it is nearly 0, the log pool would lie where each expert
sees almost no probability, and it is refused.

Whole views are pooled by :mod:`aligntax.models.views.pooling`, which uses these pools for each
quantity.

References
----------
.. [1] Genest, Zidek, "Combining probability distributions", 1986. doi:10.1214/ss/1177013825
.. [2] Lichtendahl, Grushka-Cockayne, Winkler, "Is it better to average probabilities or
       quantiles?", 2013.
   doi:10.1287/mnsc.1120.1667
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from aligntax.models.errors import InputError
from aligntax.models.priors.tables import (
    KNOTS,
    STEP,
    QuantileTable,
    evaluate_cubic,
    monotone_slopes,
    table_through,
)

Array = NDArray[np.float64]

# Two equal normals 4.9 sd apart have Z = exp(-4.9^2 / 8) = 0.05. Each of them gives 0.7% to values
# beyond the centre of their log pool.
OVERLAP = 0.05
# 8 sd: more than the 5 of the tables, because the pool divides by Z, and still a tail that double
# precision can hold.
REACH: Array = np.asarray(STEP * np.arange(-320, 321), dtype=np.float64)
# exact for polynomials of degree 7 between neighbouring points
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


def quantile_pool(tables: Sequence[QuantileTable], weights: Sequence[float]) -> QuantileTable:
    """Weighted average of the tables.

    It is exact, since a cubic Hermite is linear in its values and slopes.
    """
    w = np.asarray(weights) / np.sum(weights)
    return QuantileTable(
        w @ np.stack([t.y for t in tables]), w @ np.stack([t.slope for t in tables])
    )


def log_pool(tables: Sequence[QuantileTable], weights: Sequence[float]) -> QuantileTable:
    """Normalised weighted geometric mean of the tables' densities.

    Its mass is integrated between points at equal steps of each expert's standard normal. The same
    steps stretched by ``1 / sqrt(w_i)`` are added, because a normal that is raised to the power
    ``w_i`` is wider by that factor.

    Raises
    ------
    InputError
        If the overlap Z is under :data:`OVERLAP`.
    """
    w = np.asarray(weights) / np.sum(weights)
    kept = [(table, share) for table, share in zip(tables, w, strict=True) if share > 0]
    if len(kept) == 1:
        return kept[0][0]

    def log_density(y: Array) -> Array:
        return np.asarray(sum(share * table.log_pdf(y) for table, share in kept))

    y = np.unique(
        np.concatenate([table.value(REACH / s) for table, share in kept for s in (1.0, share**0.5)])
    )
    half = 0.5 * np.diff(y)
    inside = np.exp(log_density((y[:-1] + half)[:, None] + half[:, None] * NODES))
    mass = half * (inside @ WEIGHTS)
    overlap = float(mass.sum())
    if not overlap >= OVERLAP:
        raise InputError(
            "experts must overlap for a log pool: the integral of their geometric mean must be "
            f"at least {OVERLAP}, got {overlap:.2g}; pool linearly (method linear, key mixture)"
        )
    below, above = np.cumsum(mass) / overlap, np.cumsum(mass[::-1])[::-1] / overlap
    below, above = np.append(0.0, below), np.append(above, 0.0)
    z = np.where(below < above, ndtri(below), -ndtri(above))
    with np.errstate(over="ignore", invalid="ignore"):
        slope = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_density(y)) * overlap
    # Keep points at which the pool's own z moves. Elsewhere its mass is too small for a double.
    good = np.isfinite(z) & np.isfinite(slope) & (slope > 0) & (np.abs(z) < 7)
    good[good] = np.append(True, np.diff(z[good]) > 1e-9)
    z, y, slope = z[good], y[good], slope[good]
    value, _ = evaluate_cubic(KNOTS, z, y, monotone_slopes(z, y, slope))
    exact = np.exp(-0.5 * KNOTS**2 - 0.5 * np.log(2 * np.pi) - log_density(value)) * overlap
    return table_through(value, exact)
