"""Stored draws of one posterior as draws of another: exact redraws and importance weights.

With ``z ~ Normal(0, R)`` and ``y = T(z)`` split into informed quantities ``I``, which a likelihood
touches, and prior-only ones ``P``, new tables ``T'`` and a new copula ``R'`` give::

    z'_I  = T'^-1(T(z_I))
    z'_P  = B' z'_I + L' L^-1 (z_P - B z_I)
            with B = R_PI R_II^-1  and  L L' = R_PP - B R_IP
    log w = log phi(z'_I; R'_II) - sum log T'_i'(z'_i)
            - log phi(z_I; R_II) + sum log T_i'(z_i)
            + change of log p(no TAI)

So informed quantities keep their values, on the scale of the new prior, and prior-only ones are
exact draws given them. The likelihood of the other evidence is the same at the same values and
cancels. Weights are smoothed by PSIS, whose k-hat fails to see mass where there are no draws. So
the new posterior's margins, with the likelihood as the draws show it, must lie within their reach.

References
----------
.. [1] Vehtari, Simpson, Gelman, Yao, Gabry, "Pareto smoothed importance sampling", 2024.
       arXiv:1507.02646
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.derive import log_no_tai
from aligntax.analysis.storage.sampled_run import SampledRun
from aligntax.analysis.summaries.checks import ESS, Check
from aligntax.analysis.summaries.pareto import k_hat_limit, pareto_smoothed
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.priors.copula import conditional_normal
from aligntax.models.priors.quantities import LOSS_LIMIT, base_name, lookup
from aligntax.models.priors.tables import PriorTables, QuantileTable, log_density
from aligntax.models.views import View
from aligntax.models.views.changes import Changes, changes, roles

# Largest share of the new posterior without draws. It moves a probability by no more than the Monte
# Carlo error of 600 draws.
UNREACHED = 0.02
NEGLIGIBLE = 1e-10  # of the highest density
FEWEST = 5  # draws for a hundredth of the new posterior, of the 40 that 4000 draws would have there
CONSTANT = 1e-9  # log ratios that differ by less are rounding
ROUNDING = 1e-12  # and so are scores
SAMPLE = "sample it: --method sample"


@dataclass(frozen=True)
class CarriedDraws:
    """Stored draws under another view.

    Attributes
    ----------
    changes : Changes
    tables : PriorTables
        Of the new view.
    z : ndarray, shape (chain, draw, quantity)
    x : dict of ndarray, shape (chain, draw)
        Elicited quantities on their own scales: informed ones as stored, prior-only ones under the
        new view.
    parameters : xarray.Dataset
        Structural parameters, as stored.
    log_ratio : ndarray, shape (chain, draw), or None
        Log of new over old density at the draws; None if the two are the same at every draw, and no
        draw needs a weight.
    left_out : tuple of str
        Units of evidence that the new posterior lacks: :mod:`aligntax.analysis.fitting.left_out`.
    """

    source: SampledRun
    view: View
    changes: Changes
    tables: PriorTables
    z: Any
    x: dict[str, Any]
    parameters: xr.Dataset
    log_ratio: Any
    left_out: tuple[str, ...] = ()


def changes_from(source: SampledRun, view: View) -> Changes:
    """What a view changes of a run's: in what its model has, and in the loss limit."""
    return changes(source.view, view, (*source.model.quantities, LOSS_LIMIT))


def carry_draws(source: SampledRun, view: View) -> CarriedDraws:
    """Carry a run's draws to another view of the same evidence.

    Raises
    ------
    InputError
        If the view's arrival settings contradict its evidence.
    """
    old, names = source.tables, source.tables.names
    new = view.tables(names)
    change = changes_from(source, view)
    informed: Any = np.isin(names, source.prior_only, invert=True)
    moved: Any = np.isin(names, change.quantities)
    coupled = not np.array_equal(old.correlation, new.correlation)
    z = source.z.copy()
    for i in np.flatnonzero(moved & informed):
        z[..., i] = new.table(names[i]).inverse(old.table(names[i]).value(z[..., i]))
    if coupled or np.any(moved & informed):
        z[..., ~informed] = _redraw(source.z, z, old.correlation, new.correlation, informed)
    stored, parameters = source.values
    values = stored | {
        names[i]: lookup(names[i]).to_scale(new.table(names[i]).value(z[..., i]))
        for i in np.flatnonzero(~informed)
    }
    ratio = np.zeros(z.shape[:2])
    block = np.ix_(informed, informed)
    weighed = bool(np.any(moved & informed)) or not np.array_equal(
        old.correlation[block], new.correlation[block]
    )
    if weighed:
        ratio += _log_prior(new, z, informed) - _log_prior(old, source.z, informed)
    if source.view.evidence.no_tai and (
        change.anchors or any(role.no_tai for role in roles(change).values())
    ):
        weighed = weighed or source.model.log_no_tai is not None
        for sign, chosen in ((1.0, view), (-1.0, source.view)):
            ratio += sign * log_no_tai(source.model, stored, parameters, source.evidence, chosen)
    weighed = weighed and np.ptp(ratio) > CONSTANT
    return CarriedDraws(
        source, view, change, new, z, values, parameters, ratio if weighed else None
    )


def _redraw(old_z: Any, new_z: Any, old: Any, new: Any, informed: Any) -> Any:
    """Prior-only scores given the informed ones, from the stored residual.

    A score that differs from the stored one by rounding stays as it was stored.
    """
    slope, factor = conditional_normal(old, informed)
    new_slope, new_factor = conditional_normal(new, informed)
    residual = old_z[..., ~informed] - old_z[..., informed] @ slope.T
    white = np.linalg.solve(factor, residual[..., None])[..., 0]
    found = new_z[..., informed] @ new_slope.T + white @ new_factor.T
    stored = old_z[..., ~informed]
    return np.where(np.abs(found - stored) < ROUNDING, stored, found)


def _log_prior(tables: PriorTables, z: Any, informed: Any) -> Any:
    """Log density of the informed quantities in link space, (chain, draw)."""
    names = tuple(np.asarray(tables.names)[informed])
    factor = np.linalg.cholesky(tables.correlation[np.ix_(informed, informed)])
    return log_density(
        PriorTables(names, tables.y[informed], tables.slope[informed], factor), z[..., informed]
    ).sum(axis=-1)


def share_unreached(old: QuantileTable, new: QuantileTable, z: Any) -> float:
    """Share of a quantity's new posterior that lies where the old draws are too few.

    The likelihood of the score ``z`` is read off the old draws as ``exp(b z - a z^2 / 2)``, with
    ``a = 1/s^2 - 1`` and ``b = m/s^2`` from their mean and sd, and by its tangent beyond the
    outermost draws: an upper bound if it is log-concave. A hundredth of the new posterior at a
    time, the draws that lie there are counted.

    Parameters
    ----------
    old, new : QuantileTable
    z : ndarray
        Old scores of the draws.
    """
    z = np.sort(np.ravel(z))
    precision = 1.0 / max(float(np.var(z)), 1e-12)
    a, b = max(precision - 1.0, 0.0), float(np.mean(z)) * precision
    score = np.linspace(-5.0, 5.0, 2001)
    for _ in range(2):  # the second time where the mass is
        place = old.inverse(new.value(score))
        edge = np.clip(place, z[0], z[-1])
        log_mass = (
            b * edge
            - 0.5 * a * edge**2
            + (b - a * edge) * np.clip(place - edge, -5.0, 5.0)
            - 0.5 * score**2
        )
        mass = np.exp(log_mass - log_mass.max())
        inside = np.flatnonzero(mass > NEGLIGIBLE)
        cumulative, wide = np.cumsum(mass) / mass.sum(), score
        score = np.linspace(
            wide[max(inside[0] - 1, 0)], wide[min(inside[-1] + 1, len(wide) - 1)], 2001
        )
    return _share_of_few(z, np.interp(_shares(z.size), cumulative, place))


@dataclass(frozen=True)
class Spread:
    """Where the draws of some scores lie, with which every set of weights is compared.

    Attributes
    ----------
    flat, in_order : ndarray, shape (draw, quantity)
        Scores, and the same in order.
    ends : ndarray, shape (end, quantity)
        Between two of them lies an equal share of the draws.
    mean, variance : ndarray, shape (quantity,)
    """

    flat: Any
    in_order: Any
    ends: Any
    mean: Any
    variance: Any

    @classmethod
    def of(cls, z: Any) -> "Spread":
        """Spread of scores, shape (chain, draw, quantity)."""
        chains, draws, quantities = z.shape
        flat = z.reshape(chains * draws, quantities)  # of none, where no evidence is used
        in_order = np.sort(flat, axis=0)
        ends = np.quantile(in_order, _shares(len(flat)), axis=0)
        return cls(flat, in_order, ends, flat.mean(axis=0), flat.var(axis=0))

    def shares_beyond(self, weights: Weights) -> Any:
        """Share of each score's weighted posterior that lies where the draws are too few.

        Weights alone cannot put mass where no draw is. So that posterior is taken for the draws,
        moved and stretched to the weighted mean and sd, and what lies in it is counted as by
        :func:`share_unreached`.

        Returns
        -------
        ndarray, shape (quantity,)
        """
        w = weights.values.ravel()
        mean = w @ self.flat
        stretch = np.sqrt(np.maximum(w @ self.flat**2 - mean**2, 0.0) / self.variance)
        ends = mean + stretch * (self.ends - self.mean)
        pairs = zip(self.in_order.T, ends.T, strict=True)
        return np.array([_share_of_few(*pair) for pair in pairs])


def _shares(draws: int) -> Any:
    """Probabilities between which draws are counted."""
    bins = int(np.clip(draws // 40, 10, 100))
    shares = np.linspace(0.0, 1.0, bins + 1)
    # the outermost end where a tenth of them is left
    shares[[0, -1]] = (0.1 / bins, 1.0 - 0.1 / bins)
    return shares


def _share_of_few(z: Any, ends: Any) -> float:
    """Share of the intervals between ends in which few of the sorted scores lie."""
    return float(np.mean(np.diff(np.searchsorted(z, ends)) < FEWEST))


def informed_spread(source: SampledRun) -> Spread:
    """Where the draws of the informed scores of a run lie."""
    return Spread.of(source.z[..., np.isin(source.tables.names, source.prior_only, invert=True)])


def weigh_draws(carried: CarriedDraws, spread: Spread | None = None) -> tuple[Weights, list[Check]]:
    """Smoothed weights of the carried draws and the checks that say whether to trust them.

    Parameters
    ----------
    spread : Spread, optional
        See :func:`informed_spread`; whoever weighs often works it out once.

    Returns
    -------
    weights : Weights
        Equal where nothing needs a weight; then there is nothing to check.
    checks : list of Check
        ``reach``, ``weights_variance``, ``k_hat`` and ``weighted_ess``.
    """
    shape = carried.z.shape[:2]
    if carried.log_ratio is None:
        return Weights.equal(shape), []
    relative = relative_efficiency(carried.source)
    weights, k_hat = pareto_smoothed(carried.log_ratio, relative)
    most = k_hat_limit(carried.log_ratio.size)
    return weights, [
        _reach(carried, weights, spread),
        _variance(carried),
        _check("k_hat", k_hat, most, k_hat <= most, "the weights have too heavy a tail"),
        _check(
            "weighted_ess",
            weights.ess * relative,
            ESS,
            weights.ess * relative >= ESS,
            "too few draws count",
        ),
    ]


def _check(
    name: str, value: float, threshold: float, passed: bool, why: str, where: str = ""
) -> Check:
    finite = float(value) if np.isfinite(value) else None
    passed = bool(passed) and finite is not None
    return Check(
        name, finite, float(threshold), passed, where, "" if passed else f"{why}; {SAMPLE}"
    )


def _reach(carried: CarriedDraws, weights: Weights, spread: Spread | None) -> Check:
    """Worst share of a quantity's new posterior that the draws do not reach."""
    source, names = carried.source, carried.tables.names
    old_z = source.z
    informed = [i for i, name in enumerate(names) if name not in source.prior_only]
    shares = {}
    if carried.left_out:
        found = (spread or informed_spread(source)).shares_beyond(weights)
        shares = {names[i]: float(share) for i, share in zip(informed, found, strict=True)}
    for i in informed:
        if names[i] in carried.changes.quantities:
            old, new = source.tables.table(names[i]), carried.tables.table(names[i])
            shares[names[i]] = share_unreached(old, new, old_z[..., i])
    where = max(shares, key=shares.__getitem__, default="")
    share = shares.get(where, 0.0)
    return _check(
        "reach",
        share,
        UNREACHED,
        share <= UNREACHED,
        "the new posterior has mass where the run has no draws"
        if carried.left_out
        else "the new prior puts mass where the run has no draws",
        where,
    )


def _variance(carried: CarriedDraws) -> Check:
    smallest = least_eigenvalue(carried)
    return _check(
        "weights_variance", smallest, 0.0, smallest > 0, "the correlations differ too much"
    )


def least_eigenvalue(carried: CarriedDraws) -> float:
    """Smallest eigenvalue of ``2 R'^-1 - R^-1``.

    Unless it is positive, the ratio of the two priors has infinite variance as a weight.
    """
    informed = np.isin(carried.tables.names, carried.source.prior_only, invert=True)
    if not informed.any():
        return 1.0  # every draw counts the same, whatever its prior
    block = np.ix_(informed, informed)
    old, new = carried.source.tables.correlation[block], carried.tables.correlation[block]
    return float(np.linalg.eigvalsh(2.0 * np.linalg.inv(new) - np.linalg.inv(old))[0])


def relative_efficiency(source: SampledRun) -> float:
    """Effective draws per draw of the run, at worst over its headline quantities; at most 1."""
    rows = source.record["quantities"]
    sizes = [
        row["ess_bulk"]
        for name, row in rows.items()
        if base_name(name) in source.model.headlines and row["ess_bulk"]
    ]
    draws = source.draws.sizes["chain"] * source.draws.sizes["draw"]
    return min(1.0, min(sizes, default=draws) / draws)
