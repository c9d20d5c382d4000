"""Every elicited shape becomes a table; numpy, PyTensor and PyMC hold the same one; a malformed prior is explained."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.distributions import (
    FAMILIES,
    Beta,
    Gamma,
    Histogram,
    LogNormal,
    Mixture,
    Normal,
    StudentT,
    Truncated,
)
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.priors.specification import KINDS
from aligntax.models.priors.tables import (
    KNOTS,
    STEP,
    PriorTables,
    QuantileTable,
    log_density,
    tabulate,
)
from aligntax.models.priors.units import UNITS, unit_link, units_of

INNER = np.linspace(ndtri(0.001), ndtri(0.999), 4001)  # between the 0.1% and the 99.9% points
LINEAR, LOG10, LOGIT = "spend_growth", "usd_per_hour", "alignment_compute_share"
CORRELATED = (LINEAR, LOG10, LOGIT, "rlhf_multiplier")


def quantiles(low: float, middle: float, high: float) -> dict[str, Any]:
    return {"quantiles": {"0.1": low, "0.5": middle, "0.9": high}}


# ----------------------------------------------------------------------------------------- accuracy

SHAPES = [
    (Normal(3.0, 2.0), stats.norm(3.0, 2.0)),
    (LogNormal(0.0, 0.5), stats.lognorm(0.5)),
    (LogNormal(1.0, 1.5), stats.lognorm(1.5, scale=np.e)),
    (Beta(2.0, 8.0), stats.beta(2.0, 8.0)),
    (Beta(0.5, 20.0), stats.beta(0.5, 20.0)),
    (StudentT(3.0, 0.0, 1.0), stats.t(3.0)),
    (StudentT(30.0, -1.0, 0.1), stats.t(30.0, -1.0, 0.1)),
    (Gamma(2.0, 1.0), stats.gamma(2.0)),
    (Gamma(0.5, 4.0), stats.gamma(0.5, scale=0.25)),
]


@pytest.mark.parametrize(("shape", "reference"), SHAPES, ids=lambda d: str(d)[:28])
def test_a_familys_table_is_within_a_thousandth_of_an_sd_and_its_log_density_within_a_hundredth(
    shape, reference
) -> None:
    """The bounds are the project's; between the 0.1% and 99.9% points."""
    table, exact = tabulate(shape), reference.ppf(ndtr(INNER))
    assert np.max(np.abs(table.value(INNER) - exact)) < 1e-3 * reference.std()
    assert np.max(np.abs(table.log_pdf(exact) - reference.logpdf(exact))) < 1e-2


@pytest.mark.parametrize(("shape", "reference"), SHAPES, ids=lambda d: str(d)[:28])
def test_the_slopes_of_a_smooth_family_are_exact(shape, reference) -> None:
    table, inside = tabulate(shape), np.abs(KNOTS) < 3
    exact = stats.norm.pdf(KNOTS[inside]) / reference.pdf(table.y[inside])
    np.testing.assert_allclose(table.slope[inside], exact, rtol=1e-9)


ROUGH = {
    "overlapping experts": Mixture((0.4, 0.6), (Normal(0.0, 1.0), Normal(1.5, 0.7))),
    "experts far apart": Mixture((0.4, 0.6), (Normal(-8.0, 0.5), Normal(8.0, 1.0))),
    "experts far apart, equal weights": Mixture((0.5, 0.5), (Normal(-8.0, 0.5), Normal(8.0, 1.0))),
    "experts ten sd apart, lopsided": Mixture((0.02, 0.98), (Normal(-10.0, 1.0), Normal(0.0, 1.0))),
    "histogram": Histogram((0.0, 1.0, 2.0, 4.0, 8.0), (1.0, 3.0, 2.0, 1.0)),
    "histogram with an empty bin": Histogram((0.0, 1.0, 2.0, 4.0, 8.0), (1.0, 0.0, 4.0, 1.0)),
    "histogram with an empty middle": Histogram((0.0, 1.0, 2.0, 3.0), (1.0, 0.0, 1.0)),
}


@pytest.mark.parametrize("shape", ROUGH.values(), ids=ROUGH)
def test_the_distribution_function_of_a_rough_shapes_table_is_within_a_hundredth(shape) -> None:
    y = np.linspace(
        shape.quantile(*np.asarray([[1e-4], [1 - 1e-4]])),
        shape.quantile(*np.asarray([[1 - 1e-4], [1e-4]])),
        5001,
    )
    assert np.max(np.abs(tabulate(shape).cdf(y) - shape.cdf(y))) < 0.01


def test_the_distribution_function_of_a_pool_of_different_families_is_within_a_hundredth() -> None:
    """One expert allows negative growth, the other does not."""
    experts = (
        {"family": "normal", "mu": 0.3, "sigma": 0.2},
        {"family": "lognormal", "mu": -1.2, "sigma": 0.5},
    )
    table, y = compile_prior(LINEAR, {"mixture": list(experts)}), np.linspace(-0.5, 1.5, 2001)
    exact = 0.5 * stats.norm(0.3, 0.2).cdf(y) + 0.5 * stats.lognorm(0.5, scale=np.exp(-1.2)).cdf(y)
    assert np.max(np.abs(table.cdf(y) - exact)) < 0.01


# ---------------------------------------------------------------------------------- quantile priors


@st.composite
def triples(draw: st.DrawFn) -> tuple[float, float, float]:
    start = draw(st.floats(-5, 5))
    gaps = draw(st.tuples(*[st.floats(1e-3, 10)] * 2))
    return start, start + gaps[0], start + gaps[0] + gaps[1]


@given(triples())
def test_a_table_through_any_increasing_quantiles_increases_everywhere(triple) -> None:
    table, z = compile_prior(LINEAR, quantiles(*triple)), np.linspace(-8, 8, 3201)
    assert np.all(np.diff(table.value(z)) > 0)
    assert np.all(table.gradient(z) > 0)


@given(triples(), st.lists(st.floats(-8, 8), min_size=1, max_size=20))
def test_inverse_undoes_value(triple, z) -> None:
    table = compile_prior(LINEAR, quantiles(*triple))
    np.testing.assert_allclose(table.inverse(table.value(z)), z, atol=1e-8)


@given(triples())
def test_stated_quantiles_are_hit(triple) -> None:
    """To 1e-4 of their spread: the stated probabilities lie between the table's knots."""
    table = compile_prior(LINEAR, quantiles(*triple))
    np.testing.assert_allclose(
        table.value(ndtri([0.1, 0.5, 0.9])), triple, atol=1e-4 * (triple[2] - triple[0])
    )


@given(triples())
def test_beyond_the_knots_a_table_is_a_straight_line(triple) -> None:
    table, far = compile_prior(LINEAR, quantiles(*triple)), np.asarray([5.0, 5.5, 7.0, 40.0])
    np.testing.assert_allclose(
        table.value(far), table.y[-1] + table.slope[-1] * (far - 5), rtol=1e-12
    )
    np.testing.assert_allclose(
        table.value(-far), table.y[0] - table.slope[0] * (far - 5), rtol=1e-12
    )
    np.testing.assert_allclose(table.gradient([-9.0, 9.0]), [table.slope[0], table.slope[-1]])


@given(triples())
def test_cdf_sf_quantile_and_density_of_a_table_agree(triple) -> None:
    table, p = compile_prior(LINEAR, quantiles(*triple)), np.linspace(0.01, 0.99, 25)
    y = table.quantile(p, 1 - p)
    np.testing.assert_allclose(table.cdf(y), p, rtol=1e-8)
    np.testing.assert_allclose(table.sf(y), 1 - p, rtol=1e-8)
    z, h = np.linspace(-2.98, 2.98, 24), 1e-5
    middle, low, high = table.value(z), table.value(z - h), table.value(z + h)
    np.testing.assert_allclose(
        np.exp(table.log_pdf(middle)), (table.cdf(high) - table.cdf(low)) / (high - low), rtol=1e-2
    )


def test_the_order_in_which_quantiles_are_written_does_not_matter() -> None:
    written = {"quantiles": {"0.9": 3.0, "0.1": 1.0, "0.5": 2.0}}
    np.testing.assert_array_equal(
        compile_prior(LINEAR, written).y, compile_prior(LINEAR, quantiles(1.0, 2.0, 3.0)).y
    )


# --------------------------------------------------------------------------------- units and bounds

SAME = [
    ("usd_per_hour", {"unit": "OOM", **quantiles(1, 2, 3)}, quantiles(10, 100, 1000)),
    ("algorithmic_limit", {"unit": "OOM", **quantiles(1, 2, 3)}, quantiles(1, 2, 3)),
    ("spend_growth", {"unit": "OOM", **quantiles(0.1, 0.2, 0.3)}, quantiles(0.1, 0.2, 0.3)),
    ("spend_cap", {"unit": "percent", **quantiles(0.1, 1, 10)}, quantiles(0.001, 0.01, 0.1)),
    ("rlhf_multiplier", {"unit": "percent", **quantiles(50, 200, 900)}, quantiles(0.5, 2, 9)),
    ("spend_level", {"unit": "dollars", **quantiles(1e6, 1e7, 1e8)}, quantiles(1e6, 1e7, 1e8)),
    ("usd_per_hour", {"unit": "dollars/hour", **quantiles(10, 20, 40)}, quantiles(10, 20, 40)),
    ("practice_hours", {"unit": "hours", **quantiles(1e4, 1e5, 1e6)}, quantiles(1e4, 1e5, 1e6)),
    (
        "workforce_hours",
        {"unit": "hours/year", **quantiles(1e4, 1e5, 1e6)},
        quantiles(1e4, 1e5, 1e6),
    ),
    ("horizon_short", {"unit": "hours", **quantiles(1, 2, 3)}, quantiles(3600, 7200, 10800)),
    ("horizon_medium", {"unit": "days", **quantiles(1, 2, 3)}, quantiles(86400, 172800, 259200)),
    (
        "horizon_long",
        {"unit": "years", **quantiles(1, 2, 3)},
        quantiles(31557600, 63115200, 94672800),
    ),
    (
        "alignment_compute_share",
        {"unit": "percent", **quantiles(0.1, 1, 10)},
        quantiles(0.001, 0.01, 0.1),
    ),
    ("spend_growth", {"unit": "x/year", **quantiles(2, 3, 4)}, quantiles(*np.log10([2, 3, 4]))),
    (
        "spend_growth",
        {"unit": "percent/year", **quantiles(-10, 0, 100)},
        quantiles(*np.log10([0.9, 1, 2])),
    ),
    ("usd_per_hour", {"unit": "USD/hour", **quantiles(10, 20, 40)}, quantiles(10, 20, 40)),
    (
        "usd_per_hour",
        {"family": "normal", "mu": 2.0, "sigma": 0.5, "unit": "OOM"},
        {"family": "lognormal", "mu": 2.0 * np.log(10), "sigma": 0.5 * np.log(10)},
    ),
    (
        "spend_growth",
        {"family": "lognormal", "mu": 1.0, "sigma": 0.2, "unit": "x/year"},
        {"family": "normal", "mu": 1.0 / np.log(10), "sigma": 0.2 / np.log(10)},
    ),
    (
        "spend_cap",
        {"family": "lognormal", "mu": 0.0, "sigma": 1.0, "unit": "percent"},
        {"family": "lognormal", "mu": -np.log(100), "sigma": 1.0},
    ),
]


@pytest.mark.parametrize(("name", "stated", "same"), SAME)
def test_a_prior_in_another_unit_is_the_same_prior(name, stated, same) -> None:
    one, other = compile_prior(name, stated), compile_prior(name, same)
    np.testing.assert_allclose(one.y, other.y, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.slope, other.slope, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "unit", "sigma"),
    [
        ("usd_per_hour", "", 0.1), ("usd_per_hour", "OOM", 0.1), ("spend_cap", "percent", 0.1), ("spend_growth", "", 0.1),
        ("alignment_compute_share", "", 0.01), ("alignment_compute_share", "percent", 0.1),
        ("spend_growth", "x/year", 0.1), ("spend_growth", "percent/year", 0.1), ("spend_growth_ratio", "", 0.1),
        ("horizon_long", "years", 0.1), ("horizon_short", "hours", 0.1), ("rlhf_multiplier", "percent", 0.1),
        ("spend_growth_ratio", "percent", 0.1), ("practice_hours", "hours", 0.1), ("spend_level", "dollars", 0.1),
    ],
)  # fmt: skip
def test_the_density_in_every_unit_is_the_derivative_of_the_distribution_function(
    name, unit, sigma
) -> None:
    """The link's and the unit's Jacobians, against a central difference of the exact quantile function."""
    mu, h = 0.8, 1e-4
    table = compile_prior(name, {"family": "normal", "mu": mu, "sigma": sigma, "unit": unit})
    inside = np.abs(KNOTS) < 2
    if (name, unit) == ("usd_per_hour", "OOM"):
        np.testing.assert_allclose(table.value([0.0, 1.0]), [mu, mu + sigma], atol=1e-9)
    way = unit_link(lookup(name), unit)
    high, low = (way.forward(mu + sigma * (KNOTS[inside] + d)) for d in (h, -h))
    np.testing.assert_allclose(table.slope[inside], (high - low) / (2 * h), rtol=1e-5)


def test_bounds_condition_the_prior_and_leave_nothing_outside() -> None:
    table = compile_prior(
        LINEAR, {"family": "normal", "mu": 0.3, "sigma": 0.2, "bounds": [0.0, 0.6]}
    )
    p = np.linspace(0.001, 0.999, 101)
    np.testing.assert_allclose(
        table.quantile(p, 1 - p), stats.truncnorm(-1.5, 1.5, 0.3, 0.2).ppf(p), atol=1e-4
    )
    assert 0.0 <= table.y[0] < table.y[-1] <= 0.6  # five standard deviations either side
    assert table.cdf(0.0) < 1e-6
    assert table.sf(0.6) < 1e-6


def test_bounds_condition_stated_quantiles_and_mixtures_too() -> None:
    free = compile_prior(LOG10, quantiles(10, 30, 100))
    table = compile_prior(LOG10, {**quantiles(10, 30, 100), "bounds": [20, 60]})
    low, high = free.cdf(np.log10(20)), free.cdf(np.log10(60))
    p = np.linspace(0.01, 0.99, 21)
    np.testing.assert_allclose(
        free.cdf(table.quantile(p, 1 - p)), low + p * (high - low), atol=1e-4
    )
    mixture = {
        "mixture": [
            {"family": "normal", "mu": 0.0, "sigma": 1.0},
            {"family": "normal", "mu": 3.0, "sigma": 1.0},
        ],
        "bounds": [0, 3],
    }
    assert compile_prior(LINEAR, mixture).quantile(
        np.asarray(0.5), np.asarray(0.5)
    ) == pytest.approx(1.5, abs=1e-3)


@pytest.mark.parametrize(
    ("spec", "exact"),
    [
        (
            {"family": "beta", "alpha": 2.0, "beta": 2.0, "bounds": [0.2, 2.0]},
            Truncated(Beta(2.0, 2.0), 0.2, 1.0),
        ),
        (
            {"family": "lognormal", "mu": 0.0, "sigma": 1.0, "bounds": [-1.0, 3.0]},
            Truncated(LogNormal(0.0, 1.0), 1e-12, 3.0),
        ),
        (
            {"family": "gamma", "alpha": 2.0, "beta": 2.0, "bounds": [-1.0, 3.0]},
            Truncated(Gamma(2.0, 2.0), 0.0, 3.0),
        ),
    ],
    ids=lambda d: d.get("family", "") if isinstance(d, dict) else "",
)
def test_a_bound_outside_a_familys_support_cuts_nothing(spec, exact) -> None:
    p = np.linspace(0.01, 0.99, 21)
    table = compile_prior("spend_growth_ratio", spec)
    np.testing.assert_allclose(table.quantile(p, 1 - p), exact.quantile(p, 1 - p), atol=1e-3)


def test_bounds_must_leave_a_hundredth_of_the_prior() -> None:
    prior = {"family": "normal", "mu": 0.0, "sigma": 1.0}
    for inside in (0.011, 0.5):
        compile_prior(LINEAR, {**prior, "bounds": [float(ndtri(1 - inside)), 50.0]})
    with pytest.raises(InputError, match=r"must leave at least 1% of the prior, got 0\.009"):
        compile_prior(LINEAR, {**prior, "bounds": [float(ndtri(1 - 0.009)), 50.0]})


@pytest.mark.parametrize("p", [1e-7, 1e-6])
def test_probabilities_stay_a_millionth_from_their_ends(p) -> None:
    for low, high in ((2 * p, 1 - 0.1), (0.1, 1 - 2 * p)):
        spec = {"quantiles": {repr(low): 1.0, "0.5": 2.0, repr(high): 3.0}}
        if 2 * p > 1e-6:
            assert good(compile_prior(LINEAR, spec))
        else:
            with pytest.raises(InputError, match="probabilities must be distinct and between"):
                compile_prior(LINEAR, spec)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("spend_growth", "percent"),
        ("usd_per_hour", "percent"),
        ("spend_level", "hours"),
        ("data_exponent_prior", "x/year"),
    ],
)
def test_a_unit_that_means_something_else_is_refused_with_those_that_fit(name, unit) -> None:
    """30 "percent" of growth in OOM/year could be meant as 30% a year, which is 0.114 OOM."""
    with pytest.raises(
        InputError, match=f"unit must be .*{re.escape(units_of(lookup(name))[0])}.*got '{unit}'"
    ):
        compile_prior(name, {**quantiles(1, 2, 3), "unit": unit})


def test_every_unit_fits_some_quantity_and_every_quantity_its_own() -> None:
    offered = {name: units_of(quantity) for name, quantity in ELICITED.items()}
    assert all(units[0] == ELICITED[name].unit for name, units in offered.items())
    assert set(UNITS) <= {unit for units in offered.values() for unit in units}


# ------------------------------------------------------------------------------- points and samples


@pytest.mark.parametrize(
    ("name", "at", "unit"),
    [(LINEAR, 0.3, ""), (LOG10, 30, ""), (LOGIT, 2, "percent"), (LINEAR, -1e9, "")],
)
def test_a_point_is_a_point_with_a_finite_density(name, at, unit) -> None:
    table = compile_prior(name, {"point": at, "unit": unit})
    y = float(unit_link(lookup(name), unit).forward(at))
    np.testing.assert_allclose(table.value(np.asarray([-3.0, 0.0, 3.0])), y, rtol=1e-5, atol=1e-5)
    assert table.value(0.0) == pytest.approx(y, rel=1e-12)
    assert np.all(np.isfinite(table.log_pdf(table.y)))
    assert good(table)


SAMPLE = [
    (LINEAR, stats.norm(0.3, 0.1), np.asarray),
    (LOG10, stats.lognorm(0.8, scale=30), np.log10),
    (LINEAR, stats.gamma(2.0, scale=0.1), np.asarray),
]


@pytest.mark.parametrize(("name", "truth", "to_link"), SAMPLE, ids=["normal", "lognormal", "gamma"])
@pytest.mark.parametrize("size", [100, 1000, 10_000])
def test_samples_recover_what_they_were_drawn_from(name, truth, to_link, size) -> None:
    """Within twice 1.36 / sqrt(n): the empirical distribution function itself stays within half of that 95% of the time."""
    drawn = truth.rvs(size, random_state=np.random.default_rng(11))
    x = truth.ppf(np.linspace(0.001, 0.999, 500))
    table = compile_prior(name, {"samples": drawn.tolist()})
    error = np.max(np.abs(table.cdf(to_link(x)) - truth.cdf(x)))
    assert error < 2 * 1.36 / np.sqrt(size)
    assert good(table)
    # negative control: 50% more is seen at 1,000
    moved = compile_prior(name, {"samples": (drawn * 1.5).tolist()})
    assert size < 1000 or np.max(np.abs(moved.cdf(to_link(x)) - truth.cdf(x))) > 2 * 1.36 / np.sqrt(
        size
    )


def test_samples_with_a_gap_keep_it() -> None:
    rng = np.random.default_rng(3)
    drawn = np.concatenate([rng.normal(-1, 0.1, 500), rng.normal(1, 0.1, 500)])
    table = compile_prior(LINEAR, {"samples": drawn.tolist()})
    assert table.cdf(0.6) - table.cdf(-0.6) < 0.08  # the interval that spans the gap holds 1/16
    assert table.cdf(0.0) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    "drawn",
    [
        [1.0] * 18 + [0.0, 2.0],
        [0.0] * 10 + [1.0] * 10 + [2.0],
        [1.0] * 50 + [1.5] + [2.0] * 50,
        list(range(20)),
    ],
    ids=["one value and two others", "ties", "one in between", "twenty"],
)
def test_tied_samples_give_a_good_table(drawn) -> None:
    assert good(compile_prior(LINEAR, {"samples": drawn}))


def test_samples_do_not_depend_on_their_order_and_take_units_and_bounds() -> None:
    drawn = np.random.default_rng(2).normal(5, 1, 50)
    one, other = (
        compile_prior("spend_cap", {"samples": s.tolist(), "unit": "percent"})
        for s in (drawn, drawn[::-1])
    )
    np.testing.assert_array_equal(one.y, other.y)
    assert 10 ** one.value(0.0) == pytest.approx(0.01 * np.median(drawn), rel=0.05)
    cut = compile_prior(
        "spend_cap", {"samples": drawn.tolist(), "unit": "percent", "bounds": [4, 6]}
    )
    assert cut.cdf(np.log10(0.04)) < 1e-6
    assert cut.sf(np.log10(0.06)) < 1e-6


# ------------------------------------------------------------------------- one table, three holders


@pytest.fixture(scope="module")
def correlated(view):
    specs = {
        LINEAR: {
            "mixture": [
                {"family": "normal", "mu": -1, "sigma": 0.3},
                {"family": "student_t", "nu": 3, "mu": 2, "sigma": 1},
            ]
        },
        LOG10: {"histogram": {"edges": [1, 10, 100, 400], "weights": [3, 0, 1]}},
        LOGIT: {"family": "beta", "alpha": 2, "beta": 9},
        "rlhf_multiplier": quantiles(0.1, 3, 100),
    }
    for name, spec in specs.items():
        view = view.with_quantity(name, spec)
    pairs = {(LINEAR, LOG10): 0.7, (LOG10, LOGIT): -0.4, (LOGIT, "rlhf_multiplier"): 0.2}
    return replace(view, correlations=pairs).tables(CORRELATED)


def hard_points() -> np.ndarray:
    rng = np.random.default_rng(5)
    knots = KNOTS[rng.integers(0, len(KNOTS), (60, 4))]
    ends = np.stack([np.full(4, v) for v in (-5.0, 5.0, 0.0, -5 - 1e-9, 5 + 1e-9, 6.5, -8.0)])
    return np.concatenate([rng.normal(0, 3, (200, 4)), knots, ends])


@pytest.fixture(scope="module")
def tensor_twin(correlated):
    import pytensor
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import quantile_function

    z = pt.dvector("z")
    value = quantile_function(z, pt.as_tensor(correlated.y), pt.as_tensor(correlated.slope))
    return pytensor.function([z], [value, pytensor.grad(value.sum(), z)], mode="FAST_COMPILE")


def test_the_quantile_function_in_pytensor_is_the_tables_to_1e_10(correlated, tensor_twin) -> None:
    for z in hard_points():
        tables = [correlated.table(name) for name in CORRELATED]
        value, gradient = tensor_twin(z)
        np.testing.assert_allclose(
            value, [t.value(v) for t, v in zip(tables, z, strict=True)], rtol=1e-10, atol=1e-10
        )
        np.testing.assert_allclose(
            gradient,
            [t.gradient(v) for t, v in zip(tables, z, strict=True)],
            rtol=1e-10,
            atol=1e-10,
        )


def test_the_density_that_the_model_samples_is_log_density_to_1e_10(correlated) -> None:
    """PyMC's log density of ``white`` minus the log Jacobian of the quantities that the graph makes of it, on the link."""
    import pymc as pm
    import pytensor
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import add_elicited

    with pm.Model() as model:
        x = add_elicited(correlated)
    (stacked,) = model.replace_rvs_by_values([pt.stack([x[name] for name in CORRELATED])])
    (white,) = model.value_vars
    derivatives = pt.stack([pytensor.grad(stacked[i], white) for i in range(len(CORRELATED))])
    graph = pytensor.function([white], [model.logp(), stacked, derivatives], mode="FAST_COMPILE")
    share = CORRELATED.index(LOGIT)
    for point in hard_points()[::4]:
        z = correlated.cholesky @ point
        logp, values, derivative = graph(point)
        np.testing.assert_allclose(
            values, [correlated.values(z)[name] for name in CORRELATED], rtol=1e-10, atol=1e-10
        )
        # the derivative of the logit's inverse
        to_link = np.log(values[share]) + np.log1p(-values[share])
        expected = logp - (np.linalg.slogdet(derivative)[1] - to_link)
        assert log_density(correlated, z).sum() == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_log_density_of_normal_priors_is_scipys_multivariate_normal() -> None:
    names, rho = (
        (LINEAR, "spend_growth_ratio", "algorithmic_growth"),
        {(LINEAR, "algorithmic_growth"): 0.6},
    )
    mu, sigma = np.asarray([0.3, 0.7, 0.2]), np.asarray([0.1, 0.4, 0.05])
    each = [
        compile_prior(n, {"family": "normal", "mu": m, "sigma": s})
        for n, m, s in zip(names, mu, sigma, strict=True)
    ]
    tables = PriorTables(
        names,
        np.stack([t.y for t in each]),
        np.stack([t.slope for t in each]),
        copula_factor(names, rho),
    )
    correlation = np.eye(3)
    correlation[0, 2] = correlation[2, 0] = 2 * np.sin(np.pi * 0.6 / 6)
    z = np.random.default_rng(2).normal(0, 2, (50, 3))
    expected = stats.multivariate_normal(mu, correlation * np.outer(sigma, sigma)).logpdf(
        mu + sigma * z
    )
    np.testing.assert_allclose(log_density(tables, z).sum(axis=-1), expected, rtol=1e-9)


def test_values_are_on_the_scale_that_models_use(correlated) -> None:
    z = np.zeros(4)
    values = correlated.values(z)
    assert values[LOG10] == correlated.table(LOG10).value(0.0)  # log10 stays log10
    assert 0 < values[LOGIT] < 1
    assert values[LOGIT] == pytest.approx(stats.beta(2, 9).median(), abs=1e-6)


# --------------------------------------------------------------------------------------- the copula


@pytest.mark.parametrize("rho", [0.7, -0.5])
def test_draws_have_the_stated_rank_correlation(rho, view) -> None:
    """2e5 draws: the standard error of Spearman's rho is about 0.002."""
    factor = copula_factor((LINEAR, LOG10), {(LINEAR, LOG10): rho})
    z = np.random.default_rng(3).standard_normal((200_000, 2)) @ factor.T
    x = view.tables((LINEAR, LOG10)).values(z)
    assert stats.spearmanr(x[LINEAR], x[LOG10]).statistic == pytest.approx(rho, abs=0.01)


def test_the_factor_is_lower_and_gives_unit_variances() -> None:
    factor = copula_factor(CORRELATED, {(LINEAR, LOG10): 0.7, (LOG10, LOGIT): -0.4})
    np.testing.assert_allclose(np.diag(factor @ factor.T), 1.0)
    assert np.all(np.triu(factor, 1) == 0)


def test_a_pair_that_the_model_lacks_is_left_out() -> None:
    np.testing.assert_array_equal(copula_factor((LINEAR, LOG10), {(LINEAR, LOGIT): 0.7}), np.eye(2))


def test_only_the_pairs_to_blame_are_named_with_the_factor_that_makes_them_possible() -> None:
    names = (*CORRELATED, "spend_level", "spend_cap")
    pairs = {
        (LINEAR, LOG10): 0.9,
        (LOG10, LOGIT): 0.9,
        (LINEAR, LOGIT): -0.9,
        ("spend_level", "spend_cap"): 0.5,
        ("spend_level", "rlhf_multiplier"): 0.1,
    }
    with pytest.raises(InputError) as caught:
        copula_factor(names, pairs)
    message = str(caught.value)
    assert f"{LINEAR}~{LOG10}=0.9, {LOG10}~{LOGIT}=0.9, {LINEAR}~{LOGIT}=-0.9;" in message
    assert "spend_level" not in message
    factor = float(re.search(r"multiply these by ([\d.]+) or less", message)[1])
    blamed = list(pairs)[:3]
    shrunk = {pair: rho * (factor if pair in blamed else 1) for pair, rho in pairs.items()}
    copula_factor(names, shrunk)
    with pytest.raises(InputError):  # the largest: two hundredths more will not do
        copula_factor(
            names,
            {pair: rho * (factor + 0.02 if pair in blamed else 1) for pair, rho in pairs.items()},
        )


@given(st.lists(st.floats(-0.99, 0.99), min_size=6, max_size=6))
def test_a_factor_is_found_for_any_impossible_matrix(rhos) -> None:
    pairs = dict(
        zip([(a, b) for i, a in enumerate(CORRELATED) for b in CORRELATED[:i]], rhos, strict=True)
    )
    try:
        copula_factor(CORRELATED, pairs)
    except InputError as error:
        factor = float(re.search(r"multiply these by ([\d.]+) or less", str(error))[1])
        named = [pair for pair in pairs if "~".join(pair) in str(error)]
        copula_factor(
            CORRELATED,
            {pair: rho * (factor if pair in named else 1) for pair, rho in pairs.items()},
        )


def test_impossible_correlations_are_named() -> None:
    pairs = {(LINEAR, LOG10): 0.9, (LOG10, LOGIT): 0.9, (LINEAR, LOGIT): -0.9}
    with pytest.raises(InputError, match="positive definite") as caught:
        copula_factor(CORRELATED, pairs)
    for a, b in pairs:
        assert f"{a}~{b}" in str(caught.value)


@pytest.mark.parametrize("rho", [1.0, -1.0, 1.5, float("nan")])
def test_a_correlation_lies_strictly_between_minus_one_and_one(rho) -> None:
    with pytest.raises(
        InputError, match=f"{LINEAR} and {LOG10}: must lie between -1 and 1, got {rho}"
    ):
        copula_factor(CORRELATED, {(LINEAR, LOG10): rho})


# --------------------------------------------------------------------------------- malformed priors

NORMAL = {"family": "normal", "mu": 0.0, "sigma": 1.0}
# what -> quantity, prior, words of the rule, words of the value
WRONG: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "quantiles out of order": (LINEAR, quantiles(1, 3, 2), "increase", "3"),
    "equal quantiles": (LINEAR, quantiles(1, 1, 2), "increase", "1"),
    "probability 0": (LINEAR, {"quantiles": {"0": 1, "0.5": 2}}, "between 0 and 1", "0.0"),
    "probability 1": (LINEAR, {"quantiles": {"0.5": 1, "1": 2}}, "between 0 and 1", "1.0"),
    "probability 50": (LINEAR, {"quantiles": {"10": 1, "50": 2}}, "between 0 and 1", "50"),
    "a probability twice": (LINEAR, {"quantiles": {"0.5": 1, "0.50": 2}}, "distinct", "0.5"),
    "a word for a probability": (
        LINEAR,
        {"quantiles": {"median": 1, "0.9": 2}},
        "probability",
        "median",
    ),
    "one quantile": (LINEAR, {"quantiles": {"0.5": 1}}, "two or more", "0.5"),
    "quantiles as a list": (LINEAR, {"quantiles": [1, 2, 3]}, "two or more", "[1, 2, 3]"),
    "negative on a log10 scale": (LOG10, quantiles(-1, 3, 9), "above 0", "-1"),
    "zero on a log10 scale": (LOG10, quantiles(0, 3, 9), "above 0", "0.0"),
    "above one on a logit scale": (LOGIT, quantiles(0.1, 0.5, 1.5), "between 0 and 1", "1.5"),
    "NaN quantile": (LINEAR, quantiles(1, float("nan"), 3), "finite", "nan"),
    "infinite quantile": (LINEAR, quantiles(1, 2, float("inf")), "finite", "inf"),
    "string quantile": (LINEAR, quantiles(1, "two", 3), "finite number", "'two'"),
    "boolean quantile": (LINEAR, quantiles(1, True, 3), "finite number", "True"),
    "unknown family": (
        LINEAR,
        {"family": "cauchy", "mu": 0, "sigma": 1},
        "family must be one of|no such key",
        "cauchy|mu",
    ),
    "unknown family alone": (LINEAR, {"family": "cauchy"}, "family must be one of", "cauchy"),
    "missing parameter": (LINEAR, {"family": "normal", "mu": 0}, "needs mu, sigma", "no sigma"),
    "sigma zero": (LINEAR, {**NORMAL, "sigma": 0}, "sigma must be positive", "0"),
    "sigma negative": (LINEAR, {**NORMAL, "sigma": -2}, "sigma must be positive", "-2"),
    "sigma NaN": (LINEAR, {**NORMAL, "sigma": float("nan")}, "finite number", "nan"),
    "sigma a string": (LINEAR, {**NORMAL, "sigma": "wide"}, "finite number", "wide"),
    "nu zero": (
        LINEAR,
        {"family": "student_t", "nu": 0, "mu": 0, "sigma": 1},
        "nu must be positive",
        "0",
    ),
    "alpha negative": (
        LINEAR,
        {"family": "beta", "alpha": -1, "beta": 1},
        "alpha must be positive",
        "-1",
    ),
    "uniform upside down": (
        LINEAR,
        {"family": "uniform", "lower": 2, "upper": 1},
        "lower must be below upper",
        "2",
    ),
    "unknown key": (LINEAR, {**NORMAL, "scale": 1}, "no such key", "scale"),
    "two kinds": (LINEAR, {**NORMAL, **quantiles(1, 2, 3)}, "exactly one", "quantiles"),
    "no kind": (LINEAR, {"source": "me"}, "exactly one", "none of them"),
    "unknown unit": (LINEAR, {**NORMAL, "unit": "furlong"}, "unit must be", "furlong"),
    "a rate for a level": (
        LOG10,
        {**quantiles(1, 2, 3), "unit": "x/year"},
        "does not fit",
        "x/year",
    ),
    "a unit that is a list": (
        LOG10,
        {**quantiles(1, 2, 3), "unit": ["OOM"]},
        "unit must be",
        "OOM",
    ),
    "percent of a rate": (
        LINEAR,
        {**quantiles(1, 2, 3), "unit": "percent"},
        "unit must be .*percent/year",
        "percent",
    ),
    "a point outside the range": (LOG10, {"point": -3}, "above 0", "-3"),
    "a point that is a word": (LINEAR, {"point": "here"}, "finite number", "here"),
    "a point at infinity": (LINEAR, {"point": float("inf")}, "finite number", "inf"),
    "nineteen samples": (LINEAR, {"samples": list(range(19))}, "20 to 10000", "19"),
    "too many samples": (LINEAR, {"samples": list(range(1_000_001))}, "20 to 1000000", "1000001"),
    "samples without spread": (
        LINEAR,
        {"samples": [1.0] * 19 + [2.0]},
        "three distinct",
        "1.0, 2.0",
    ),
    "NaN sample": (LINEAR, {"samples": [1.0] * 30 + [float("nan")]}, "finite number", "nan"),
    "a negative sample of a log10 quantity": (
        LOG10,
        {"samples": [-2.0, *range(1, 30)]},
        "above 0",
        "-2.0",
    ),
    "samples of words": (LINEAR, {"samples": ["a"] * 30}, "finite number", "'a'"),
    "samples in a file, which models never read": (
        LINEAR,
        {"samples": {"file": "x.csv"}},
        "list of numbers",
        "x.csv",
    ),
    "OOM of a share": (LOGIT, {**quantiles(0.1, 0.2, 0.3), "unit": "OOM"}, "does not fit", "OOM"),
    "bounds upside down": (LINEAR, {**NORMAL, "bounds": [1, 0]}, "two increasing", r"\[1, 0\]"),
    "three bounds": (LINEAR, {**NORMAL, "bounds": [1, 2, 3]}, "two increasing", r"\[1, 2, 3\]"),
    "a single bound": (LINEAR, {**NORMAL, "bounds": 3}, "list of numbers", "3"),
    "bounds as words": (LINEAR, {**NORMAL, "bounds": ["a", "b"]}, "finite number", "'a'"),
    "bounds outside the range": (LOG10, {**quantiles(1, 2, 3), "bounds": [-1, 3]}, "inside", "-1"),
    "bounds that leave nothing": (LINEAR, {**NORMAL, "bounds": [8, 9]}, "at least 1%", "of it"),
    "a family outside the range": (
        LOG10,
        {**NORMAL, "sigma": 5},
        "inside the quantity's range",
        "'sigma': 5",
    ),
    "histogram mismatch": (
        LINEAR,
        {"histogram": {"edges": [0, 1], "weights": [1, 2]}},
        "one more",
        r"\[0.0, 1.0\]",
    ),
    "histogram edges out of order": (
        LINEAR,
        {"histogram": {"edges": [0, 2, 1], "weights": [1, 2]}},
        "increase",
        "2.0, 1.0",
    ),
    "histogram without mass": (
        LINEAR,
        {"histogram": {"edges": [0, 1], "weights": [0]}},
        "not all zero",
        r"\[0.0\]",
    ),
    "histogram with a negative weight": (
        LINEAR,
        {"histogram": {"edges": [0, 1, 2], "weights": [2, -1]}},
        "non-negative",
        "-1",
    ),
    "histogram without weights": (
        LINEAR,
        {"histogram": {"edges": [0, 1]}},
        "edges and weights",
        "edges",
    ),
    "histogram with a word": (
        LINEAR,
        {"histogram": {"edges": [0, "one"], "weights": [1]}},
        "finite number",
        "'one'",
    ),
    "mixture of one": (LINEAR, {"mixture": [NORMAL]}, "two or more", "normal"),
    "log pool of one": (LINEAR, {"log_pool": [NORMAL]}, "two or more", "normal"),
    "quantile pool with a bad part": (
        LINEAR,
        {"quantile_pool": [{**NORMAL, "sigma": 0}, NORMAL]},
        "sigma must be",
        "0",
    ),
    "log pool of strangers": (
        LINEAR,
        {"log_pool": [NORMAL, {**NORMAL, "mu": 20}]},
        "must overlap for a log pool",
        "e-",
    ),
    "log pool without weight": (
        LINEAR,
        {"log_pool": [{**NORMAL, "weight": 0}] * 2},
        "not all zero",
        "0.0",
    ),
    "mixture of words": (LINEAR, {"mixture": ["a", "b"]}, "two or more", "'a'"),
    "mixture with a negative weight": (
        LINEAR,
        {"mixture": [{**NORMAL, "weight": -1}, NORMAL]},
        "non-negative",
        "-1",
    ),
    "mixture with a bad part": (
        LINEAR,
        {"mixture": [{**NORMAL, "sigma": 0}, NORMAL]},
        "sigma must be positive",
        "0",
    ),
}


@pytest.mark.parametrize(("name", "spec", "rule", "value"), WRONG.values(), ids=WRONG)
def test_a_malformed_prior_is_explained(name, spec, rule, value) -> None:
    """The message has the quantity, the rule, the value got and what to do."""
    with pytest.raises(InputError) as caught:
        compile_prior(name, spec)
    message = re.fullmatch(r"(\w+): (.+), got (.+); (.+)", str(caught.value))
    assert message, str(caught.value)
    quantity, stated, got, remedy = message.groups()
    assert quantity == name
    assert re.search(rule, stated)
    assert re.search(value, got) or value in got
    assert len(remedy) > 5


def test_an_unknown_quantity_is_explained_with_a_suggestion() -> None:
    with pytest.raises(InputError, match=r"got 'rlhf_multiplyer'; did you mean rlhf_multiplier"):
        compile_prior("rlhf_multiplyer", NORMAL)


@pytest.mark.parametrize(
    "spec",
    [
        {**NORMAL, "family": ["normal"]},
        {**NORMAL, "mu": 10**26},
        {**NORMAL, "mu": 10**400},
        {"histogram": {"edges": [0, 10**400], "weights": [1]}},
        {**NORMAL, "bounds": [0, 10**26]},
        {"quantiles": {"0.1": -1e308, "0.9": 1e308}},
    ],
    ids=[
        "family is a list",
        "mu written out",
        "mu beyond floats",
        "edge beyond floats",
        "bound written out",
        "quantiles overflow",
    ],
)
def test_strange_values_give_a_good_table_or_an_input_error(spec) -> None:
    """A FLOP count written out in digits is a number too."""
    try:
        table = compile_prior(LINEAR, spec)
    except InputError:
        return
    assert good(table)


def good(table: QuantileTable) -> bool:
    finite = np.all(np.isfinite(table.y)) and np.all(np.isfinite(table.slope))
    return bool(finite and np.all(np.diff(table.y) > 0) and np.all(table.slope > 0))


PARAMETERS = sorted({parameter for _, names in FAMILIES.values() for parameter in names})
keys = st.sampled_from(
    [
        *KINDS,
        *PARAMETERS,
        "unit",
        "bounds",
        "weight",
        "source",
        "edges",
        "weights",
        "0.1",
        "0.5",
        "0.9",
        "0",
        "1",
        "5",
    ]
)
words = st.sampled_from([*FAMILIES, *UNITS, "", "x"]) | st.text(max_size=5)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.floats(-3, 3), words,
)  # fmt: skip
garbage = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=15,
)


@given(st.sampled_from(sorted(ELICITED)), st.dictionaries(keys, garbage, max_size=5))
def test_garbage_never_raises_anything_but_an_input_error(name, spec) -> None:
    try:
        table = compile_prior(name, spec)
    except InputError as error:
        assert name in str(error)
    else:
        assert good(table)


@given(
    st.sampled_from(sorted(ELICITED)),
    st.sampled_from(sorted(FAMILIES)),
    st.lists(st.floats(allow_nan=False) | st.floats(0.01, 10), min_size=3, max_size=3),
    st.sampled_from(["", *UNITS]),
    st.none() | st.lists(st.floats(-10, 10), min_size=2, max_size=2),
)
def test_any_parameters_of_a_family_give_an_increasing_table_or_an_input_error(
    name, family, values, unit, bounds
) -> None:
    parameters = dict(zip(FAMILIES[family][1], values, strict=False))
    spec = {"family": family, **parameters, "unit": unit} | (
        {} if bounds is None else {"bounds": bounds}
    )
    try:
        table = compile_prior(name, spec)
    except InputError:
        return
    assert good(table)


def test_knots_span_five_standard_deviations() -> None:
    assert KNOTS[0] == -5.0
    assert KNOTS[-1] == pytest.approx(5.0)
    np.testing.assert_allclose(np.diff(KNOTS), STEP)
