"""Thresholds that decide what is printed: a change of one is a change of the answer, and is meant to be seen here."""

import importlib
import math

import pytest

CONSTANTS = {
    "checks": {
        "R_HAT": 1.01,
        "ESS": 400.0,
        "E_BFMI": 0.3,
        "MCSE": 0.05,
        "NORMAL_90": 3.29,
        "NORMAL_50": 1.349,
        "APART": 1.1,
        "MARGIN": 1.5,
        "MOST_TIMES": 50.0,
        "RANKS": 1e-3,
        "HANDFUL": 100,
    },
    "convergence": {"FEWEST": 4, "BLOM": 0.375, "TAILS": (0.05, 0.95)},
    "pareto": {"SHORTEST_TAIL": 6, "PRIOR_SHAPE": 0.5, "PRIOR_DRAWS": 10.0},
    "regression": {"OUTER_SHARE": 0.05, "ROUNDING": 1e-8},
    "claims": {
        "TWO_OOM": 2.0,
        "FEW_HUNDRED": math.log10(300),
        "ONE_PERCENT": -2.0,
        "MIDWAY": 0.9,
    },
    "by_requirement": {"FEWEST_EFFECTIVE": 100},
    "rank_histograms": {"BINS": 20},
    "shift_curve": {"REPLICATES": 100},
    "summary": {"PROBABILITIES": (0.05, 0.25, 0.50, 0.75, 0.95), "ROUNDING": 1e-12},
    "words": {"MOST_ROWS": 20, "SMALLEST": 1e-3, "LARGEST": 1e15, "LARGEST_POWER": 300},
}


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(module, name, value) for module, rows in CONSTANTS.items() for name, value in rows.items()],
)
def test_constants(module, name, value):
    home = importlib.import_module(f"aligntax.analysis.summaries.{module}")
    assert getattr(home, name) == value
