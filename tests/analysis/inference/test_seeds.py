"""The random numbers of every use follow from the root and the use's name, and from nothing else."""

import numpy as np

from aligntax.analysis.inference.seeds import NAMES, child_generator, child_seed

# computed once; a change of one changes the draws of every stored run
SEEDS = {
    "sample": 1_500_044_769,
    "arrival": 1_085_031_535,
    "prior": 1_344_286_706,
    "prior_arrival": 966_647_063,
    "posterior_predictive": 1_359_692_639,
    "prior_predictive": 4_032_458_349,
    "prior_structural": 4_138_076_234,
    "density_path": 1_185_317_270,
    "density_trials": 2_139_826_022,
    "gold_curves": 2_527_847_783,
    "calibration": 2_945_343_138,
    "loss_limit": 4_052_845_746,
    "foresight": 786_283_773,
    "refresh": 1_437_890_621,
}


def test_each_name_keeps_its_seed() -> None:
    assert {name: child_seed(2022, name) for name in NAMES} == SEEDS


def test_uses_and_roots_have_numbers_of_their_own() -> None:
    seeds = [child_seed(root, name) for root in (1, 2022) for name in NAMES]
    assert len(set(seeds)) == len(seeds)


def test_a_generator_repeats_its_numbers() -> None:
    first, again = (child_generator(2022, "arrival").random(5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, child_generator(2022, "prior").random(5))
