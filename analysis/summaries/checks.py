"""Whether a run is healthy: named checks with a value, a threshold and what to do on failure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models.priors.quantities import base_name, quantity_of

# Vehtari et al. 2021, doi:10.1214/20-BA1221, for R-hat and effective sample size
R_HAT, ESS = 1.01, 400.0
E_BFMI = 0.3  # Betancourt 2016, arXiv:1604.00695
MCSE = 0.05  # Monte Carlo error of a median, relative to the standard deviation
NORMAL_90 = 3.29  # standard deviations in the central 90% of a normal distribution

MORE_DRAWS = "run again with more draws: --draws 4000"
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
    name: str, values: Mapping[str, float], threshold: float, action: str, at_least: bool = False
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
        nutpie's.
    rows : mapping
        As :func:`aligntax.analysis.summaries.summary.summarise` returns.
    headlines : tuple of str
        Quantities whose Monte Carlo error is checked.
    """
    draws = posterior.sizes["draw"]
    if draws < 4:
        action = "fewer than 4 draws cannot be checked: --draws 1000"
        return [Check("draws", float(draws), 4.0, False, "", action)]
    lead = {
        name: row
        for name, row in rows.items()
        if base_name(name) in headlines and row["ess_bulk"] is not None
    }
    return [
        *_parameter_checks(_varying_parameters(posterior)),
        *_sampler_checks(sample_stats),
        *_headline_checks(lead),
    ]


def _parameter_checks(draws: Mapping[str, Any]) -> list[Check]:
    from arviz_stats.base import array_stats

    r_hat = {name: float(array_stats.rhat(x, method="rank")) for name, x in draws.items()}
    bulk = {name: float(array_stats.ess(x, method="bulk")) for name, x in draws.items()}
    tail = {
        name: float(array_stats.ess(x, method="tail", prob=(0.05, 0.95)))
        for name, x in draws.items()
    }
    return [
        _check_worst("r_hat", r_hat, R_HAT, MORE_DRAWS),
        _check_worst("ess_bulk", bulk, ESS, MORE_DRAWS, at_least=True),
        _check_worst("ess_tail", tail, ESS, MORE_DRAWS, at_least=True),
    ]


def _sampler_checks(sample_stats: xr.Dataset) -> list[Check]:
    diverging = float(sample_stats["diverging"].values.sum())
    deepest = float(sample_stats["maxdepth_reached"].values.sum())
    energy = sample_stats["energy"].values
    # This is ArviZ's bfmi times draws / (draws - 1): the variance is the population's.
    e_bfmi = np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)
    by_chain = {f"chain {i}": float(value) for i, value in enumerate(e_bfmi)}
    return [
        _check_worst("divergences", {"": diverging}, 0.0, REPARAMETRISE),
        _check_worst("e_bfmi", by_chain, E_BFMI, REPARAMETRISE, at_least=True),
        _check_worst("tree_depth_reached", {"": deepest}, 0.0, REPARAMETRISE),
    ]


def _headline_checks(lead: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    r_hat = {name: row["r_hat"] or np.nan for name, row in lead.items()}
    bulk = {name: row["ess_bulk"] for name, row in lead.items()}
    # The median of a quantity that is summarised by its mean is not worth checking; its effective
    # sample size is.
    relative_error = {
        name: row["mcse_median"] / (row["q95"] - row["q05"]) * NORMAL_90
        for name, row in lead.items()
        if not quantity_of(name).by_mean
        and None not in (row["mcse_median"], row["q05"], row["q95"])
        and row["q95"] > row["q05"]
    }
    checks = [
        _check_worst("headline_r_hat", r_hat, R_HAT, MORE_DRAWS),
        _check_worst("headline_ess_bulk", bulk, ESS, MORE_DRAWS, at_least=True),
    ]
    if relative_error:
        checks.append(_check_worst("headline_mcse_of_median", relative_error, MCSE, MORE_DRAWS))
    return checks


def verdict(checks: list[Check]) -> str:
    """``pass`` if every check passed, else ``fail``."""
    return "pass" if all(check.passed for check in checks) else "fail"
