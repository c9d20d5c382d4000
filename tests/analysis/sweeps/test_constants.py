"""Thresholds of sweeps, each with its reason: whoever changes one changes what a sweep shows, and is meant to see it here."""

import importlib

import pytest

CONSTANTS = {
    "disagreement": {
        "FEWEST": (5, "with four views even a perfect order has a chance of 2 in 24, above 5%"),
        "LEVEL": (0.05, "of any false finding over all pairs, as in a comparison of runs"),
        "PER_FUNCTION": (20, "views for each function of an input, or splines fit noise"),
        "FUNCTIONS": (3, "a line and two bends; more need hundreds of views"),
        "EIGHTY": ((-1.2815515655446004, 1.2815515655446004), "scores of 10% and 90%, the interval that views state"),
        "SAME": (1e-9, "rounding of compiled priors is smaller, disagreement is larger"),
    },
    "grid": {"MOST": (100_000, "cases that take two cores months")},
    "resumable": {"FORMAT": (1, "of a manifest: what other versions wrote is refused")},
    "sweep": {
        "LAPS": (("compile", "sample", "summarise"), "columns of cases.csv"),
        "WHICH": (("case", "view", "view_hash", "seed", "verdict"), "columns of both tables"),
    },
    "workers": {
        "MOST": (1024, "processes of a third of a GiB each"),
        "TRIES": (3, "one death may be chance; a case that kills three workers kills the fourth"),
        "PATIENCE": (20.0, "seconds that a scheduler in another building may take"),
    },
    "wording": {"MOST": (3, "disagreements that fit into a row")},
}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, rows in CONSTANTS.items() for name in rows]
)
def test_constants(module, name):
    value, reason = CONSTANTS[module][name]
    home = importlib.import_module(f"aligntax.analysis.sweeps.{module}")
    assert getattr(home, name) == value, reason
