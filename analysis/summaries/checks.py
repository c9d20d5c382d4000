"""Whether a run is healthy: named checks with a value, a threshold and what to do on failure.

A sampled answer is checked by its parameters, its sampler and its headlines. An answer of weighted
draws, reweighted or conditioned, has the checks of the run and its own headlines'.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.summaries.convergence import ess_tail, even, r_hat_and_ess, stacked
from aligntax.analysis.summaries.rank_histograms import worst_rank_p
from aligntax.models.priors.quantities import base_name, quantity_of

# Vehtari et al. 2021, doi:10.1214/20-BA1221, for R-hat and effective sample size
R_HAT, ESS = 1.01, 400.0
E_BFMI = 0.3  # Betancourt 2016, arXiv:1604.00695
MCSE = 0.05  # Monte Carlo error of a median, relative to the standard deviation
NORMAL_90 = 3.29  # standard deviations in the central 90% of a normal distribution
NORMAL_50 = 1.349  # and in its central half
APART = 1.1  # R-hat beyond which chains are in different places, and more draws do not help
MARGIN = 1.5  # times the draws that a check asks for, since an effective sample size has an error
MOST_TIMES = 50.0  # times as many draws are a remedy; beyond that something else is wrong
HANDFUL = 100  # draws of each chain, which do not say whether chains agree
STAND = 50.0  # draws in a row at one place; at an acceptance of 0.5 that never happens by chance
RANKS = 1e-3  # chance that chains which agree are called apart, over all parameters
HEADLINE = "headline_"  # begins the name of a check of headlines

STUCK = (
    "the chains disagree, which more draws do not mend: see the rank and trace plots of the "
    "report, look for rows that contradict each other, or run again with --target-accept 0.99"
)
STILL = (
    "a chain stood still in one place, or another was not visited: run again with "
    "--target-accept 0.99, or with another --seed"
)
REPARAMETRISE = (
    "run again with --target-accept 0.99; if it stays, report it: the geometry is wrong, "
    "not the seed"
)


@dataclass(frozen=True)
class Check:
    """One diagnostic.

    Attributes
    ----------
    value : float or None
        None where it could not be computed, which fails.
    where : str
        The worst parameter.
    action : str
        What to do when it fails.
    """

    name: str
    value: float | None
    threshold: float
    passed: bool
    where: str = ""
    action: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return asdict(self)


def _check_worst(
    name: str,
    values: Mapping[str, float],
    threshold: float,
    action: str = "",
    at_least: bool = False,
) -> Check:
    """Check the worst of several values against a largest, or least, permitted one.

    A value that is not finite is worse than any other.
    """
    worst = -np.inf if at_least else np.inf
    ranked = {key: value if np.isfinite(value) else worst for key, value in values.items()}
    where = (min if at_least else max)(ranked, key=ranked.__getitem__)
    value = values[where]
    within = value >= threshold if at_least else value <= threshold
    good = bool(np.isfinite(value) and within)
    return Check(
        name,
        float(value) if np.isfinite(value) else None,
        threshold,
        good,
        where,
        "" if good else action,
    )


def more_draws(checks: Sequence[Check], draws: int) -> str:
    """How many draws would pass the failed checks of R-hat, effective sample size and error.

    Empty if so many are wanted that something else is wrong. A handful of draws cannot tell, and
    is told to be a thousand.

    Parameters
    ----------
    draws : int
        Of each chain, as they were.
    """
    if draws < HANDFUL:
        return "run again with more draws: --draws 1000"
    times = MARGIN * max((_times_as_many(check) for check in checks if not check.passed), default=1)
    if not times <= MOST_TIMES:
        return ""
    return f"run again with more draws: --draws {_round_up(times * draws)}"


def _times_as_many(check: Check) -> float:
    """How many times as many draws a failed check asks for; infinite if it cannot be said."""
    if check.value is None or check.value <= 0:
        return np.inf
    if "ess" in check.name:
        return check.threshold / check.value
    if check.name.endswith("r_hat"):
        apart = check.value > APART
        return np.inf if apart else (check.value - 1.0) / (check.threshold - 1.0)
    return (check.value / check.threshold) ** 2


def _round_up(draws: float) -> int:
    """Next of 1, 2, 3, 4, 5, 6, 8 and 10 times a power of ten."""
    power = 10 ** int(np.floor(np.log10(draws)))
    return int(next(lead for lead in (1, 2, 3, 4, 5, 6, 8, 10) if lead * power >= draws) * power)


def with_remedy(checks: Sequence[Check], action: str) -> list[Check]:
    """Checks, of which those that failed say what to do."""
    return [check if check.passed else replace(check, action=action) for check in checks]


def _varying_parameters(posterior: xr.Dataset) -> dict[str, Any]:
    """Draws of every scalar that is not constant, by name, shape (chain, draw)."""
    flat = {}
    for name, array in posterior.data_vars.items():
        if array.ndim == 2:
            flat[str(name)] = array.values
        else:
            dim = array.dims[-1]
            flat |= {
                f"{name}[{label}]": array.values[..., i]
                for i, label in enumerate(posterior[dim].values)
            }
    # A parameter with a NaN stays, and fails its checks.
    return {name: value.astype(float) for name, value in flat.items() if np.ptp(value) != 0}


def sampling_checks(
    posterior: xr.Dataset,
    sample_stats: xr.Dataset,
    rows: Mapping[str, Mapping[str, Any]],
    headlines: tuple[str, ...],
) -> list[Check]:
    """All checks of a sampled run.

    Parameters
    ----------
    posterior : xarray.Dataset
        ``z`` and structural parameters.
    sample_stats : xarray.Dataset
        The sampler's.
    rows : mapping
        As :func:`aligntax.analysis.summaries.summary.summarise` returns.
    headlines : tuple of str
        Quantities whose Monte Carlo error is checked.
    """
    draws = posterior.sizes["draw"]
    if draws < 4:
        action = "fewer than 4 draws cannot be checked: --draws 1000"
        return [Check("draws", float(draws), 4.0, False, "", action)]
    varying = _varying_parameters(posterior)
    subchain = sample_stats["subchain"].values if "subchain" in sample_stats else None
    parameters = _parameter_checks(varying, subchain)
    told = headline_checks(rows, headlines)
    remedy = more_draws([*parameters, *told], draws) or STUCK
    return [
        *with_remedy(parameters, remedy),
        *_rank_checks(varying),
        *_sampler_checks(sample_stats),
        *with_remedy(told, remedy),
    ]


def _parameter_checks(draws: Mapping[str, Any], subchain: Any = None) -> list[Check]:
    """R-hat and effective sample sizes of parameters.

    R-hat compares halves of chains. Where a chain is several subchains end to end, a half is some
    of them, and says nothing of time. There the early halves of all subchains are compared with the
    late ones too, and the worse R-hat counts.
    """
    orders: tuple[Any, ...] = (slice(None),)
    if subchain is not None:
        orders = (slice(None), _early_first(even(subchain)))
    r_hat: dict[str, float] = {}
    bulk, tail = dict(r_hat), dict(r_hat)
    for names, x in stacked(draws):
        found = *r_hat_and_ess(x, orders), ess_tail(x)
        for kept, values in zip((r_hat, bulk, tail), found, strict=True):
            kept.update(zip(names, values.tolist(), strict=True))
    if not draws:  # every parameter is a point
        return []
    return [
        _check_worst("r_hat", r_hat, R_HAT),
        _check_worst("ess_bulk", bulk, ESS, at_least=True),
        _check_worst("ess_tail", tail, ESS, at_least=True),
    ]


def _early_first(subchain: Any) -> Any:
    """Order of draws, the same in each chain, in which early halves of subchains precede late ones.

    Parameters
    ----------
    subchain : ndarray, shape (chain, draw)
        Which subchain drew each.
    """
    own, place, counts = np.unique(subchain[0], return_inverse=True, return_counts=True)
    since = np.arange(len(place)) - np.searchsorted(subchain[0], own)[place]
    return np.argsort(2 * since >= counts[place], kind="stable")


def _rank_checks(draws: Mapping[str, Any]) -> list[Check]:
    """Whether the rank histograms that the report draws of some parameters hold for all."""
    found = worst_rank_p(draws)
    return [_check_worst("chain_ranks", found, RANKS, STILL, at_least=True)] if found else []


def _sampler_checks(sample_stats: xr.Dataset) -> list[Check]:
    diverging = float(sample_stats["diverging"].values.sum())
    energy = sample_stats["energy"].values
    if "energy_change" in sample_stats:  # a draw is several transitions
        change = sample_stats["energy_change"].values
    else:
        change = np.diff(energy, axis=1)
    # This is ArviZ's bfmi times draws / (draws - 1): the variance is the population's.
    with np.errstate(divide="ignore", invalid="ignore"):  # a chain that never moves
        e_bfmi = np.mean(change**2, axis=1) / np.var(energy, axis=1)
    by_chain = {f"chain {i}": float(value) for i, value in enumerate(e_bfmi)}
    return [
        _check_worst("divergences", {"": diverging}, 0.0, REPARAMETRISE),
        _check_worst("e_bfmi", by_chain, E_BFMI, REPARAMETRISE, at_least=True),
        *_depth_checks(sample_stats),
        *_stand_checks(sample_stats),
    ]


def _depth_checks(sample_stats: xr.Dataset) -> list[Check]:
    """Whether trajectories were as long as they were to be: of NUTS, and of fixed length."""
    named = {"maxdepth_reached": "tree_depth_reached", "cut": "trajectories_cut"}
    return [
        _check_worst(name, {"": float(sample_stats[flag].values.sum())}, 0.0, REPARAMETRISE)
        for flag, name in named.items()
        if flag in sample_stats
    ]


def _stand_checks(sample_stats: xr.Dataset) -> list[Check]:
    """Most draws in a row at one place; of a short subchain, at most a quarter of it.

    What is refreshed changes the density where all else stays, so a sampler that refreshes says
    itself whether a trajectory was accepted.
    """
    if "moved" in sample_stats:
        moved = sample_stats["moved"].values[:, 1:].copy()
    else:
        moved = np.diff(sample_stats["logp"].values, axis=1) != 0.0
    most = STAND
    if "subchain" in sample_stats:
        subchain = sample_stats["subchain"].values
        moved |= np.diff(subchain, axis=1) != 0
        most = min(STAND, max(np.unique(subchain[0], return_counts=True)[1].max() / 4.0, 4.0))
    longest, stand = 0, np.zeros(len(moved), dtype=int)
    for moves in moved.T:
        stand = np.where(moves, 0, stand + 1)
        longest = max(longest, int(stand.max()))
    return [_check_worst("longest_stand", {"": float(longest)}, most, STILL)]


def headline_checks(
    rows: Mapping[str, Mapping[str, Any]], headlines: Collection[str], chains: bool = True
) -> list[Check]:
    """Monte Carlo criteria of every headline that varies, wherever its tails lie.

    The effective sample size of "at most the median" exists for every headline. The error of the
    median is compared with the widest central range that has two ends.

    Parameters
    ----------
    rows : mapping
        As :func:`aligntax.analysis.summaries.summary.summarise` returns.
    chains : bool
        Whether chains were run for these rows; weighted draws have no R-hat.

    Returns
    -------
    list of Check
        None of them says yet what to do.
    """
    lead = {
        name: row
        for name, row in rows.items()
        if base_name(name) in headlines and row["ess_bulk"] is not None
    }
    if not lead:  # under weights that a single draw carries, nothing varies
        return [] if chains else [Check(f"{HEADLINE}ess_bulk", None, ESS, False)]
    bulk = {name: row["ess_bulk"] for name, row in lead.items()}
    middle = {n: row["ess_middle"] for n, row in lead.items() if row["ess_middle"] is not None}
    # The median of a quantity that is summarised by its mean is not worth checking; the effective
    # sample size of its mean is.
    spreads = {name: _spread(row) for name, row in lead.items() if not quantity_of(name).by_mean}
    relative_error = {
        name: lead[name]["mcse_median"] / spread
        for name, spread in spreads.items()
        if spread is not None and lead[name]["mcse_median"] is not None
    }
    checks = [_check_worst(f"{HEADLINE}ess_bulk", bulk, ESS, at_least=True)]
    if chains:
        r_hat = {name: row["r_hat"] or np.nan for name, row in lead.items()}
        checks.insert(0, _check_worst(f"{HEADLINE}r_hat", r_hat, R_HAT))
    if middle:
        checks.append(_check_worst(f"{HEADLINE}ess_middle", middle, ESS, at_least=True))
    if relative_error:
        checks.append(_check_worst(f"{HEADLINE}mcse_of_median", relative_error, MCSE))
    return checks


def _spread(row: Mapping[str, Any]) -> float | None:
    """Standard deviation of a normal with a row's widest central range that has two ends."""
    for low, high, width in (("q05", "q95", NORMAL_90), ("q25", "q75", NORMAL_50)):
        if None not in (row[low], row[high]) and row[high] > row[low]:
            return float((row[high] - row[low]) / width)
    return None


def verdict(checks: list[Check]) -> str:
    """``pass`` if every check passed, else ``fail``."""
    return "pass" if all(check.passed for check in checks) else "fail"
