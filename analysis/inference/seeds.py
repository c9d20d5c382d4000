"""Random numbers: one root integer, and a named child of it for every use.

A new use gets a new name, and the numbers of the other uses stay as they are.
"""

import numpy as np

NAMES = (
    "sample",
    "arrival",
    "prior",
    "prior_arrival",
    "posterior_predictive",
    "prior_predictive",
    "prior_structural",
    "density_path",
    "density_trials",
    "gold_curves",
    "calibration",
    "loss_limit",
    "foresight",
    "refresh",  # no longer used; it keeps the place
)  # the place of a name decides its numbers: a new name goes last


def child_seed(root: int, name: str) -> int:
    """Integer seed of a named use."""
    return int(
        np.random.SeedSequence(root)
        .spawn(len(NAMES))[NAMES.index(name)]
        .generate_state(1, np.uint32)[0]
    )


def child_generator(root: int, name: str) -> np.random.Generator:
    """Random generator of a named use."""
    return np.random.default_rng(np.random.SeedSequence(root).spawn(len(NAMES))[NAMES.index(name)])
