"""The tests of a calibration as one family: how often a right model fails, and what is seen.

Every quantity is tested by band, chi-square and the coverage of two intervals. Holm's correction is
over all tests of all quantities, so that a right model fails with a probability of at most
:data:`LEVEL`, however many there are. What that costs is power: a fault of one quantity among many
has to be larger to be seen.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr

from aligntax.analysis.summaries.multiple_testing import holm_adjusted
from aligntax.analysis.trust.calibration.ranks import RANKED, band_of, chi_square, coverage

LEVEL = 0.01  # chance that a right model fails any test
COVERED = (50, 90)  # percent, of the central intervals whose coverage is tested
TESTS = ("p_band", "p_chi_square", *(f"p_covered_{percent}" for percent in COVERED))
SHIFTS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0)  # sd of the posterior
QUARTER = 0.25  # sd: the shift of which the power is always stated
SEEN = 0.8  # power at which a shift counts as seen
TRIALS = 200  # calibrations that give a power, to 0.03


def p_values_of(ranks: Any) -> dict[str, float]:
    """P-values of one quantity, and what its intervals cover.

    Parameters
    ----------
    ranks : ndarray, shape (simulation,)
    """
    found = {"p_band": band_of(len(ranks)).p(ranks), "p_chi_square": chi_square(ranks)}
    for percent in COVERED:
        share, p = coverage(ranks, percent / 100)
        found |= {f"covered_{percent}": share, f"p_covered_{percent}": p}
    return found


def assess(ranks: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Test the ranks of every quantity: path against band, chi-square and coverage.

    Parameters
    ----------
    ranks : mapping of str to ndarray, shape (simulation,)

    Returns
    -------
    dict
        Quantity to ``p_band``, ``p_chi_square``, ``covered_50``, ``p_covered_50``, ``covered_90``,
        ``p_covered_90``, and each p-value adjusted by Holm over all tests of all quantities, with
        ``_holm`` appended.
    """
    rows = {name: p_values_of(each) for name, each in ranks.items()}
    adjusted = iter(holm_adjusted([row[key] for row in rows.values() for key in TESTS]).tolist())
    return {
        name: row | {f"{key}_holm": next(adjusted) for key in TESTS} for name, row in rows.items()
    }


def power(simulations: int, quantities: int, shift: float, scale: float = 1.0) -> float:
    """Chance to see that the posterior of one quantity among several is off.

    Parameters
    ----------
    simulations : int
    quantities : int
        That are tested; the others are right.
    shift : float
        Of the posterior, in its standard deviations.
    scale : float
        Of the posterior's standard deviation.
    """
    rng = np.random.default_rng(2022)  # fixed, so that shifts are compared by the same truths
    limit = LEVEL / (len(TESTS) * quantities)
    truths = rng.standard_normal((TRIALS, simulations))
    ranks = rng.binomial(RANKED, ndtr((truths - shift) / scale))
    seen = [min(found[key] for key in TESTS) <= limit for found in map(p_values_of, ranks)]
    return float(np.mean(seen))


@lru_cache(maxsize=32)
def stated_power(simulations: int, quantities: int) -> dict[str, float | None]:
    """What a calibration of this size can see after correction for all its tests.

    Returns
    -------
    dict
        ``quarter``: power against a shift of a quarter of a standard deviation of one quantity;
        ``seen``: the smallest of :data:`SHIFTS` that is seen with a power of :data:`SEEN`, or
        None.
    """
    found = (shift for shift in SHIFTS if power(simulations, quantities, shift) >= SEEN)
    return {"quarter": power(simulations, quantities, QUARTER), "seen": next(found, None)}


def power_in_words(info: Mapping[str, Any]) -> str:
    """What a finished calibration can see, and how often a right model fails; empty if unknown."""
    if not info.get("power"):
        return ""
    found, count = info["power"], len(info["quantities"])
    seen = found["seen"]
    shift = "no shift up to 1 sd" if seen is None else f"one of {seen:g} sd"
    return (
        f"after correction for {len(TESTS)} tests of {count} quantities, a shift of a quarter of "
        f"an sd of one of them is seen with {found['quarter']:.0%}, and {shift} with {SEEN:.0%}; "
        f"a right model fails with at most {info['size']:.0%}"
    )
