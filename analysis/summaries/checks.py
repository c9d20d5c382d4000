"""Is the result healthy, and what to do next if it is not: named checks with a value, a threshold and an action."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models.priors.quantities import base_name, quantity_of

R_HAT, ESS, E_BFMI, MCSE = 1.01, 400.0, 0.3, 0.05


@dataclass(frozen=True)
class Check:
    """One diagnostic.

    Attributes
    ----------
    name : str
    value, threshold : float
        ``value`` is null where it could not be computed, which fails.
    passed : bool
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


MORE = "run again with more draws: --draws 4000"
REPARAMETRISE = "run again with --target-accept 0.99; if it stays, report it: the geometry is wrong, not the seed"


def _worst(values: Mapping[str, float], largest: bool) -> tuple[str, float]:
    pick = max if largest else min
    name = pick(
        values,
        key=lambda key: (
            values[key] if np.isfinite(values[key]) else (np.inf if largest else -np.inf)
        ),
    )
    return name, values[name]


def _limit(
    name: str, values: Mapping[str, float], threshold: float, most: bool, action: str
) -> Check:
    """Check the worst of several values against a limit: at most, or at least."""
    where, value = _worst(values, largest=most)
    good = bool(np.isfinite(value) and (value <= threshold if most else value >= threshold))
    return Check(
        name,
        float(value) if np.isfinite(value) else None,
        threshold,
        good,
        where,
        "" if good else action,
    )


def _parameters(posterior: xr.Dataset) -> dict[str, Any]:
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
    # a NaN stays, and fails
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
        :func:`aligntax.analysis.summaries.summary.summarise`.
    headlines : tuple of str
        Quantities whose Monte Carlo error is checked.
    """
    from arviz_stats.base import array_stats

    draws = _parameters(posterior)
    if posterior.sizes["draw"] < 4:
        return [
            Check(
                "draws",
                float(posterior.sizes["draw"]),
                4.0,
                False,
                "",
                "fewer than 4 draws cannot be checked: --draws 1000",
            )
        ]
    lead = {
        name: row
        for name, row in rows.items()
        if base_name(name) in headlines and row["ess_bulk"] is not None
    }
    # What is told by its mean has no median worth checking: its effective sample size below is.
    spread = {
        name: row["mcse_median"] / (row["q95"] - row["q05"]) * 3.29
        for name, row in lead.items()
        if not quantity_of(name).by_mean
        and row["mcse_median"] is not None
        and row["q05"] is not None
        and row["q95"] is not None
        and row["q95"] > row["q05"]
    }
    energy = sample_stats["energy"].values
    e_bfmi = np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)
    checks = [
        _limit(
            "r_hat",
            {n: float(array_stats.rhat(v, method="rank")) for n, v in draws.items()},
            R_HAT,
            True,
            MORE,
        ),
        _limit(
            "ess_bulk",
            {n: float(array_stats.ess(v, method="bulk")) for n, v in draws.items()},
            ESS,
            False,
            MORE,
        ),
        _limit(
            "ess_tail",
            {
                n: float(array_stats.ess(v, method="tail", prob=(0.05, 0.95)))
                for n, v in draws.items()
            },
            ESS,
            False,
            MORE,
        ),
        _limit(
            "divergences",
            {"": float(sample_stats["diverging"].values.sum())},
            0.0,
            True,
            REPARAMETRISE,
        ),
        _limit(
            "e_bfmi",
            {f"chain {i}": float(v) for i, v in enumerate(e_bfmi)},
            E_BFMI,
            False,
            REPARAMETRISE,
        ),
        _limit(
            "tree_depth_reached",
            {"": float(sample_stats["maxdepth_reached"].values.sum())},
            0.0,
            True,
            REPARAMETRISE,
        ),
        _limit(
            "headline_r_hat",
            {n: row["r_hat"] or np.nan for n, row in lead.items()},
            R_HAT,
            True,
            MORE,
        ),
        _limit(
            "headline_ess_bulk", {n: row["ess_bulk"] for n, row in lead.items()}, ESS, False, MORE
        ),
    ]
    if spread:
        checks.append(_limit("headline_mcse_of_median", spread, MCSE, True, MORE))
    return checks


def verdict(checks: list[Check]) -> str:
    """``pass`` if every check passed, else ``fail``."""
    return "pass" if all(check.passed for check in checks) else "fail"
