"""Thresholds that decide what is printed: a change of one is a change of the answer, and is meant to be seen here."""

import importlib

import pytest

CONSTANTS = {
    "budget": {
        "MULTIPLES": (0.1, 0.5, 1.0, 2.0, 10.0),
    },
    "labelling": {"ITEM_COST": 8 / 3, "BETTER": 0.5, "VOTES": (1, 3, 5, 7, 9)},
    "comparison": {"LEVEL": 0.05, "MOST_RUNS": 8},
    "differences": {"THRESHOLDS": (0.05, 0.5, 0.95), "SAME": 1e-9},
    "densities": {"EDGES": (0.01, 0.99), "FEWEST_YEARS": 10.0},
    "power_scaling": {
        "THRESHOLD": 0.05,
        "NOISE": 4.0,
        "FEWEST_CHANCES": 60,
    },
    "prior_answers": {"DRAWS": 100},
    "sensitivity": {"DRIVERS": 3},
    "sensitivity_draws": {
        "MOST_DRAWS": 20_000,
        "FEWEST_EFFECTIVE": 200,
        "FEWEST_APART": 50,
    },
    "sensitivity_wording": {
        "LEAST_CORRELATION": 0.05,
        "LEAST_CONTRACTION": 0.05,
        "LEAST_SHARE": 0.01,
    },
    "timeline_shifts": {
        "QUANTILES": {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
    },
    "newsvendor": {"CONFIDENCE": 0.8, "BATCHES": 64, "STRATA": 8, "LIMITS": 32_000},
    "value_of_information": {
        "FUNCTIONS": 3,
        "GRID": 40,
        "OUTER": 0.005,
        "FOLDS": 4,
        "FEWER_BATCHES": 20,
    },
    "variance": {
        "MOST_FUNCTIONS": 7,
        "DRAWS_PER_FUNCTION": 10,
        "RIDGE": 1e-9,
        "FALSE_ALARM": 0.01,
    },
}


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [(module, name, value) for module, rows in CONSTANTS.items() for name, value in rows.items()],
)
def test_constants(module, name, value):
    home = importlib.import_module(f"aligntax.analysis.answers.{module}")
    assert getattr(home, name) == pytest.approx(value, rel=1e-12)
