"""Runs of one proxy share its luck: a fit that knows is calibrated, and one that does not is caught."""

import numpy as np
import pytest

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.trust.calibration.simulation import Calibrator, Simulation
from aligntax.analysis.trust.calibration.study import CalibrationJob, assess
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.overoptimization import model as over
from tests.gold_curves import simulated

MODEL = find_model("overoptimization")
SHORT = Sampling(draws=200, tune=300, chains=2, cores=1)
SIZE = 60
ADJUSTED = ("p_band_holm", "p_chi_square_holm", "p_covered_50_holm", "p_covered_90_holm")


@pytest.fixture(scope="module")
def ranked(evidence, view):
    """``ranked(control)``: ranks of every truth, by quantity, over curves of fourteen proxies in two forms."""
    layout = evidence.with_rows("gold_curves", simulated(28)[0])

    def ranks(control):
        calibrator = Calibrator.of(MODEL, layout, view, Simulation(SHORT, control))
        found = [calibrator.run(seed).ranks for seed in range(SIZE)]
        return {name: np.array([each[name] for each in found]) for name in found[0]}

    return ranks


@pytest.mark.study
def test_truths_with_a_shared_effect_have_uniform_ranks(ranked) -> None:
    tests = assess(ranked("none"))
    assert {"peak_kl", "spread_exponent", "peak_gold_spread", "log_likelihood"} <= set(tests)
    assert min(row[p] for row in tests.values() for p in ADJUSTED) > 0.01


@pytest.mark.study
def test_a_fit_without_the_shared_effect_is_caught(evidence, view) -> None:
    """By the spread of peaks: it takes two draws of one luck for independent.

    That takes sixty curves of thirty proxies, as stored. Twenty-eight of fourteen are too few.
    """
    job = CalibrationJob(
        "overoptimization",
        view,
        evidence,
        Simulation(Sampling(500, 400, 2, cores=1), "unshared"),
        120,
    )
    answerer = Calibrator.of(MODEL, evidence, view, job.simulation)
    found = [answerer.run(case.seed).ranks for case in job.cases()]
    tests = assess({name: np.array([each[name] for each in found]) for name in found[0]})
    caught = {name for name, row in tests.items() if min(row[p] for p in ADJUSTED) < 0.01}
    assert caught & {"peak_gold_spread", "spread_exponent"}


def test_without_shared_proxies_the_layout_is_the_same_but_for_its_proxies(evidence, view) -> None:
    alone = over.unshared(evidence)
    before, after = MODEL.data(evidence, view), MODEL.data(alone, view)
    assert before["gold_proxies"].sizes["gold_proxy"] == 30
    assert after["gold_proxies"].sizes["gold_proxy"] == 60
    points = before["gold_points"].drop_vars("proxy_index")
    assert points.equals(after["gold_points"].drop_vars("proxy_index"))
    ready = evidence.with_likelihood_rows({"gold_curves": over.curves(evidence)})
    assert MODEL.data(over.unshared(ready), view)["gold_proxies"].equals(after["gold_proxies"])


def test_the_control_is_of_proxies_alone(evidence, view) -> None:
    with pytest.raises(InputError, match="unshared needs runs of proxy rewards, got the model sc"):
        CalibrationJob("scaling", view, evidence, Simulation(SHORT, "unshared"))
