"""One root integer; every use of randomness has a named child, so that adding one does not move the others."""

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
)  # a new name goes last


def child(root: int, name: str) -> int:
    """Integer seed of a named use."""
    return int(
        np.random.SeedSequence(root)
        .spawn(len(NAMES))[NAMES.index(name)]
        .generate_state(1, np.uint32)[0]
    )


def generator(root: int, name: str) -> np.random.Generator:
    """Random generator of a named use."""
    return np.random.default_rng(np.random.SeedSequence(root).spawn(len(NAMES))[NAMES.index(name)])
