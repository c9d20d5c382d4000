"""What a prior states is compared with what its table has."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.models.priors.fidelity import TOLERANCE, fidelity_warnings, fitted_statements
from aligntax.models.priors.quantities import ELICITED

Q = "spend_growth"


def compare(spec, name=Q):
    statements = fitted_statements(name, spec)
    return statements, fidelity_warnings(name, spec, statements)


def test_plain_quantiles_are_met_and_nothing_is_warned_of() -> None:
    statements, warned = compare(
        {"quantiles": {"0.1": 10, "0.5": 40, "0.9": 90}, "unit": "percent/year"}
    )
    assert [(s.high, s.stated) for s in statements] == [(10, 0.1), (40, 0.5), (90, 0.9)]
    assert all(abs(s.difference) < 1e-4 and s.explicit for s in statements)
    assert warned == []


def test_every_prior_of_the_default_view_says_what_it_has(view) -> None:
    for name in ELICITED:
        # bounds move some, of labour overhead 2 points
        for s in fitted_statements(name, view.quantities[name]):
            assert abs(s.difference) < 0.03, name


def test_probabilities_that_a_table_cannot_tell_apart_are_warned_of() -> None:
    _, warned = compare({"quantiles": {"0.1": 1, "0.5": 2, "0.51": 9, "0.9": 10}})
    assert warned and "0.5 and 0.51 are nearer than the prior can tell apart" in warned[0]
    assert compare({"quantiles": {"0.1": 1, "0.5": 2, "0.53": 9, "0.9": 10}})[1] == []


def test_bounds_that_move_stated_quantiles_are_warned_of_with_both_probabilities() -> None:
    _, warned = compare({"quantiles": {"0.1": 1, "0.5": 2, "0.9": 3}, "bounds": [1.5, 9]})
    assert any(
        "stated 10.0% at most 1, the prior has 0.0%; its bounds condition it" in line
        for line in warned
    )
    assert compare({"quantiles": {"0.1": 1, "0.5": 2, "0.9": 3}, "bounds": [-9, 9]})[1] == []


def test_bins_of_a_histogram_are_held_one_by_one() -> None:
    statements, warned = compare({"histogram": {"edges": [0, 1, 2, 4], "weights": [3, 0, 1]}})
    assert [(s.low, s.high, s.stated) for s in statements] == [
        (0, 1, 0.75),
        (1, 2, 0),
        (2, 4, 0.25),
    ]
    assert sum(s.fitted for s in statements) == pytest.approx(1.0, abs=1e-6)
    assert warned == []


def test_a_histogram_with_thin_gaps_is_warned_of() -> None:
    """Four gaps of no mass, and bins that hold hardly more than a step of the table."""
    spec = {"histogram": {"edges": list(range(42)), "weights": [1, 0] * 20 + [1]}}
    statements, warned = compare(spec)
    assert bool(warned) == any(abs(s.difference) > TOLERANCE for s in statements)


SHAPES = {
    "family": {"family": "normal", "mu": 0.3, "sigma": 0.1},
    "mixture": {"mixture": [{"family": "normal", "mu": m, "sigma": 1.0} for m in (-8, 8)]},
    "log pool": {"log_pool": [{"family": "normal", "mu": m, "sigma": 1.0} for m in (0, 1)]},
    "quantile pool": {
        "quantile_pool": [{"family": "normal", "mu": m, "sigma": 1.0} for m in (0, 1)]
    },
    "point": {"point": 0.3},
    "bounded family": {"family": "normal", "mu": 0.3, "sigma": 0.1, "bounds": [0.2, 0.9]},
    "samples": {"samples": np.random.default_rng(1).normal(size=400).tolist()},
    "bounded samples": {
        "samples": np.random.default_rng(1).normal(size=400).tolist(),
        "bounds": [-1, 1],
    },
}


@pytest.mark.parametrize("spec", SHAPES.values(), ids=SHAPES)
def test_a_shape_that_states_no_quantile_is_held_against_itself(spec) -> None:
    statements, warned = compare(spec)
    assert [s.stated for s in statements] == ([0.5] if "point" in spec else [0.05, 0.5, 0.95])
    assert not any(s.explicit for s in statements)
    assert warned == []


def test_a_sample_that_smoothing_misses_is_warned_of() -> None:
    """Nearly all of it is one value: what a smooth table cannot hold."""
    assert compare({"samples": [1.0] * 400 + [0.0, 3.0]})[1]


@pytest.mark.parametrize(
    ("spec", "tolerated"),
    [
        ({"quantiles": {"0.1": 1, "0.5": 2, "0.9": 3}}, 0.01),
        # twice the standard error of a probability of 1/2 in 100 samples, then in 10,000
        ({"samples": np.linspace(0, 1, 100).tolist()}, 0.1),
        ({"samples": np.linspace(0, 1, 10_000).tolist()}, 0.01),
    ],
    ids=["quantiles", "100 samples", "10,000 samples"],
)
def test_a_difference_is_tolerated_up_to_a_hundredth_or_two_standard_errors(
    spec, tolerated
) -> None:
    middle = fitted_statements(Q, spec)[1]
    for share, warned in ((0.95, 0), (1.05, 1)):
        for sign in (-1, 1):
            moved = replace(middle, fitted=middle.stated + sign * share * tolerated)
            assert len(fidelity_warnings(Q, spec, [moved])) == warned


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6, unique=True), st.data())
def test_a_warning_is_given_exactly_where_a_statement_is_missed_or_too_near(p, data) -> None:
    gaps = data.draw(st.lists(st.floats(1e-3, 10), min_size=len(p), max_size=len(p)))
    spec = {
        "quantiles": {
            str(key): v for key, v in zip(sorted(p), np.cumsum(gaps).tolist(), strict=True)
        }
    }
    statements, warned = compare(spec)
    missed = sum(abs(s.difference) > TOLERANCE for s in statements)
    near = sum("nearer than" in line for line in warned)
    assert len(warned) == missed + near
