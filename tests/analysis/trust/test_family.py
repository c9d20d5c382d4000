"""A right model fails as seldom as is stated, and the stated power is that of simulated faults."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from aligntax.analysis.summaries.multiple_testing import holm_adjusted
from aligntax.analysis.trust.calibration.family import (
    LEVEL,
    TESTS,
    assess,
    p_values_of,
    power,
    power_in_words,
    stated_power,
)
from aligntax.analysis.trust.calibration.ranks import RANKED, band_of, rank

SIZE, QUANTITIES = 300, 8


def fails(tests):
    """Whether a calibration fails: any test of any quantity, as the study's verdict has it."""
    return any(row[f"{key}_holm"] < LEVEL for row in tests.values() for key in TESTS)


def failed_by_each_test_alone(tests):
    """As before: each of four tests had its own correction over quantities."""
    families = [holm_adjusted([row[key] for row in tests.values()]) for key in TESTS]
    return min(family.min() for family in families) < LEVEL


def test_a_right_model_fails_with_the_stated_chance() -> None:
    """Of 1,200 calibrations of uniform ranks 12 may fail, with 3.4 their sd; four families fail more."""
    rng, trials = np.random.default_rng(1), 1200
    failed = np.zeros(2)
    for _ in range(trials):
        ranks = rng.integers(RANKED + 1, size=(QUANTITIES, SIZE))
        found = assess(dict(zip("abcdefgh", ranks, strict=True)))
        failed += fails(found), failed_by_each_test_alone(found)
    most = trials * LEVEL + 3 * np.sqrt(trials * LEVEL * (1 - LEVEL))
    assert 0 < failed[0] <= most
    assert failed[1] > most  # negative control


def test_every_test_of_every_quantity_is_of_one_family() -> None:
    rng = np.random.default_rng(2)
    ranks = {name: rng.integers(RANKED + 1, size=50) for name in "abc"}
    found = assess(ranks)
    plain = {name: p_values_of(each) for name, each in ranks.items()}
    every = sorted(plain[name][key] for name in plain for key in TESTS)
    smallest = min(found[name][f"{key}_holm"] for name in found for key in TESTS)
    assert len(every) == 12 and smallest == pytest.approx(min(1.0, 12 * every[0]))
    assert all(found[name][key] == plain[name][key] for name in plain for key in TESTS)


def test_power_is_that_of_simulated_faults() -> None:
    """Truths ranked among draws of a normal posterior that is off by 0.35 sd."""
    rng, seen, trials = np.random.default_rng(3), 0, 120
    for _ in range(trials):
        truths = rng.standard_normal(100)
        draws = 0.35 + rng.standard_normal((100, RANKED))
        ranks = np.array([rank(t, d, rng) for t, d in zip(truths, draws, strict=True)])
        seen += min(p_values_of(ranks)[key] for key in TESTS) <= LEVEL / len(TESTS)
    share = seen / trials
    error = np.sqrt(share * (1 - share) * (1 / trials + 1 / 200))
    assert power(100, 1, 0.35) == pytest.approx(share, abs=3.5 * error)


def test_power_falls_with_the_number_of_quantities() -> None:
    """A quarter sd with 300 simulations: seen by most of one quantity, by few of a hundred."""
    alone, among = power(SIZE, 1, 0.25), power(SIZE, 97, 0.25)
    assert alone > 0.65 and among < 0.35
    assert power(SIZE, 97, 0.0) <= 0.01 and power(SIZE, 97, 0.0, 0.7) > 0.9
    told = stated_power(SIZE, 97)
    assert told["quarter"] == among and told["seen"] == 0.35
    assert stated_power(20, 9)["seen"] is None


def test_power_is_told_in_words() -> None:
    info = {
        "power": {"quarter": 0.23, "seen": 0.4},
        "quantities": dict.fromkeys("abc"),
        "size": 0.01,
    }
    words = power_in_words(info)
    assert (
        "4 tests of 3 quantities" in words and "seen with 23%, and one of 0.4 sd with 80%" in words
    )
    assert words.endswith("a right model fails with at most 1%")
    info["power"]["seen"] = None
    assert "no shift up to 1 sd with 80%" in power_in_words(info)
    assert power_in_words({"quantities": {}}) == power_in_words({"power": None}) == ""


def test_the_band_stands_correction_for_thousands_of_tests() -> None:
    """Its p-values are exact however small, and within the bound of a union."""
    band = band_of(SIZE)
    far = np.clip(norm.rvs(120, 30, SIZE, random_state=4).astype(int), 0, RANKED)
    assert band.p(far) < 1e-2 / 4000
    # where a path strays at one point alone, the bound is that of the binomial, 19 times
    tails = 2 * min(binom.cdf(k, SIZE, z) for k, z in zip(band.counts(far), band.z, strict=True))
    assert band.p(far) <= 19 * tails * (1 + 1e-9)
