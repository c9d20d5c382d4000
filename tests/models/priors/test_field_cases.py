"""Small inputs of users that were answered wrongly once: numbers of NumPy, certain values, far quantiles, durations."""

import warnings

import numpy as np
import pytest

from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import QUANTITIES, lookup
from aligntax.models.priors.specification import KEPT_SAMPLES, canonical
from aligntax.models.priors.units import DURATIONS, NATURAL, unit_link, units_of
from aligntax.models.priors.user_prior import Prior
from aligntax.models.views import load_view, parse_view

Q = "rlhf_multiplier"

NUMPY = {
    "point": (Prior.point(np.int64(3)), Prior.point(3)),
    "quantiles": (Prior.from_quantiles({0.1: np.float32(0.5), 0.5: np.int8(2), 0.9: np.float64(9)}), Prior.from_quantiles({0.1: 0.5, 0.5: 2, 0.9: 9})),
    "probabilities": ({np.float64(0.1): 1, np.float64(0.9): 9}, {0.1: 1, 0.9: 9}),
    "bounds": (Prior.from_family("lognormal", mu=np.float32(0), sigma=np.int32(1), bounds=np.array([1, 10])), Prior.from_family("lognormal", mu=0, sigma=1, bounds=[1, 10])),
    "histogram": (Prior.from_histogram(np.array([1, 2, 3]), np.array([3, 1])), Prior.from_histogram([1, 2, 3], [3, 1])),
    "samples": (Prior.from_samples(np.arange(1, 50)), Prior.from_samples(list(range(1, 50)))),
    "as in a file": ({"samples": np.arange(1, 50, dtype=np.float32)}, {"samples": list(range(1, 50))}),
    "pool": (Prior.pool([Prior.point(np.int64(3)), Prior.point(4)], np.array([1, 3])), Prior.pool([Prior.point(3), Prior.point(4)], [1, 3])),
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMPY)
def test_numbers_of_numpy_are_numbers(kind) -> None:
    theirs, ours = NUMPY[kind]
    view = load_view("default")
    assert view.replace(**{Q: theirs}).hash == view.replace(**{Q: ours}).hash


@pytest.mark.parametrize("value", [np.bool_(True), np.datetime64("2026-01-01"), "1,5", np.nan])
def test_what_is_no_number_is_still_refused(value) -> None:
    with pytest.raises(InputError, match="must be a finite number"):
        load_view("default").replace(**{Q: Prior.point(value)})


@pytest.mark.parametrize(
    ("quantiles", "remedy"),
    [
        ({0.1: 3, 0.5: 3, 0.9: 3}, "for one certain value write point = 3"),
        ({0.1: 3, 0.5: 3, 0.9: 5}, "state the value of equal ones once"),
        ({0.1: 9, 0.5: 3, 0.9: 1}, "put them in order"),
        ({0.1: 1, 0.3: 2, 0.1 + 0.2: 5, 0.9: 9}, "use for instance"),
        ({0.1: 1e-300, 0.5: 1, 0.9: 1e300}, "narrow it"),
    ],
)
def test_quantiles_that_say_no_prior_are_told_what_to_write(quantiles, remedy) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=remedy):
            compile_prior(Q, {"quantiles": {str(p): v for p, v in quantiles.items()}})


def test_priors_that_pile_up_at_an_end_are_not_said_to_have_steps() -> None:
    beta = {"family": "beta", "alpha": 0.3, "beta": 0.2}
    mixed = {"mixture": [{"family": "beta", "alpha": 0.1, "beta": 1}, beta]}
    for spec in (beta, mixed):
        with pytest.raises(InputError, match="got 1 for many of them; it piles up there") as told:
            compile_prior("alignment_tax_tolerance", spec)
        assert "steps" not in str(told.value)
    compile_prior("alignment_tax_tolerance", mixed | {"bounds": [1e-12, 0.999]})


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "own"),
    [
        ("time_horizon_doubling", "months", 4, 4 * 365.25 / 12),
        ("time_horizon_doubling", "weeks", 2, 14),
        ("superhuman_coder_horizon", "hours", 167, 167 * 60),
        ("time_horizon_level", "seconds", 90, 1.5),
        ("minutes_per_comparison", "hours", 0.5, 30),
    ],
)
def test_durations_can_be_stated_in_any_of_their_units(quantity, unit, value, own) -> None:
    link = unit_link(lookup(quantity), unit)
    assert link is not None
    assert lookup(quantity).from_link(link.forward(value)) == pytest.approx(own)
    assert link.inverse(link.forward(value)) == pytest.approx(value)
    table = compile_prior(quantity, {"point": value, "unit": unit})
    assert lookup(quantity).from_link(table.value(0.0)) == pytest.approx(own)


def test_no_date_or_amount_of_work_is_a_duration() -> None:
    for quantity in QUANTITIES.values():
        fits = set(units_of(quantity)) & (set(DURATIONS) - {quantity.unit})
        if quantity.unit not in NATURAL:
            assert fits <= {"hours"} and (not fits or quantity.unit == "human-hours")


@pytest.mark.parametrize("count", [10_001, 200_000])
def test_many_samples_are_kept_as_steps_of_their_distribution(count) -> None:
    draws = 10 ** np.random.default_rng(1).normal(0.3, 0.7, count)
    spec = canonical({"samples": draws})
    assert len(spec["samples"]) == KEPT_SAMPLES
    few, all_ = compile_prior(Q, spec), compile_prior(Q, {"samples": draws})
    np.testing.assert_allclose(few.y, all_.y, atol=1e-6)
    z = np.array([-1.645, -1, 0, 1, 1.645])
    np.testing.assert_allclose(all_.value(z), 0.3 + 0.7 * z, atol=0.05)


def test_a_correlation_may_have_a_source_and_a_wrong_key_is_named() -> None:
    text = '[[correlations]]\nbetween = ["rlhf_multiplier", "usd_per_hour"]\nrho = 0.3\n'
    plain = parse_view(text, "x.toml")
    assert (
        parse_view(text + 'source = "me"\nrationale = "both are mine"\n', "x.toml").hash
        == plain.hash
    )
    with pytest.raises(
        InputError, match=r"has no key \['because'\]; known are between, rho, source"
    ):
        parse_view(text + 'because = "me"\n', "x.toml")
    with pytest.raises(InputError, match="must be text"):
        parse_view(text + "source = 3\n", "x.toml")
