"""The Direct Approach: its closed form, its program's figures, what the allocation and the correlations are worth, and the fits."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal

from aligntax.models.compute import QUANTITIES as TRENDS
from aligntax.models.direct_approach import (
    DELTA,
    DELTA_BITS,
    LAW,
    QUANTITIES,
    add,
    allocation_constant,
    fits,
    independent,
    observed,
    requirement,
    simulate,
    survival,
    whitening,
)
from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence
from aligntax.models.trend import Trend
from aligntax.models.views import View, load_view, parse_view

SIZE = 100_000
# the program's medians (k_performance.py, timeline.py), with A and B at one parameter and one token
MIDDLE = {
    "parameter_loss": np.log10(482.01),
    "data_loss": np.log10(2085.43),
    "alpha": 0.3478,
    "beta": 0.3658,
    "human_slowdown": np.log10(53.42),
    "task_tokens": np.log10(21058),
}
# log10 FLOP at 10, 50 and 90%: a rerun of the program, before and after its update on no TAI so far
BEFORE, AFTER = (24.09, 32.45, 42.06), (28.26, 34.59, 42.76)
DECILES = (0.1, 0.5, 0.9)
ODDS = {"nats": DELTA, "published": DELTA_BITS}  # expected log odds, by the setting of their unit

laws = st.fixed_dictionaries(
    {
        "parameter_loss": st.floats(-2, 5),
        "data_loss": st.floats(-2, 5),
        "alpha": st.floats(0.05, 1.0),
        "beta": st.floats(0.05, 1.0),
        "human_slowdown": st.floats(0, 3),
        "task_tokens": st.floats(2, 6),
    }
)


@pytest.fixture(scope="module")
def published() -> View:
    return load_view("direct-approach-2023")


def with_allocation(view: View, allocation: str) -> View:
    return replace(view, direct_approach=replace(view.direct_approach, allocation=allocation))


def pushed(view: View, size: int = SIZE) -> dict[str, np.ndarray]:
    """Prior draws of requirement and trends."""
    tables = view.tables((*TRENDS, *QUANTITIES))
    z = np.random.default_rng(1).standard_normal((size, len(tables.names)))
    return tables.values(z @ tables.cholesky.T)


def quantiles(values, weights, at=DECILES) -> np.ndarray:
    order = np.argsort(values)
    return np.interp(at, np.cumsum(weights[order]) / weights.sum(), values[order])


def log_gap(x: dict, log_n, log_c: float) -> np.ndarray:
    """Loss above the least possible of ``N`` parameters at compute ``C``, natural log; A and B at one."""
    log_d = log_c - np.log10(6) - log_n
    terms = np.stack([x["parameter_loss"] - x["alpha"] * log_n, x["data_loss"] - x["beta"] * log_d])
    return np.logaddexp.reduce(terms * np.log(10))


# ---------------------------------------------------------------------------------- the requirement


def test_a_judge_who_must_be_nine_tenths_sure_waits_for_two_and_a_half_bits() -> None:
    # as the program computes it, from two thresholds
    assert pytest.approx(2.5359400011538495, abs=1e-12) == DELTA_BITS
    # nat for nat, the expected log odds of a judge who is right nine times in ten
    assert pytest.approx(0.9 * np.log(9) + 0.1 * np.log(1 / 9)) == DELTA


def test_nats_throughout_ask_for_nine_tenths_of_an_oom_more(published, view) -> None:
    """The default is of one unit, the published program's view of two; at the program's medians."""
    assert view.direct_approach.units == "nats"
    assert published.direct_approach.units == "published"
    nats = published.replace(direct_approach={"units": "nats"})
    more = requirement(MIDDLE, nats) - requirement(MIDDLE, published)
    assert more == pytest.approx(0.89, abs=0.01)
    kappa = MIDDLE["alpha"] * MIDDLE["beta"] / (MIDDLE["alpha"] + MIDDLE["beta"])
    assert more == pytest.approx(-np.log10(np.log(2)) / kappa, abs=1e-9)


@given(laws)
def test_the_optimal_allocation_minimises_the_loss(published, x) -> None:
    log_g = allocation_constant(
        x["alpha"], x["beta"], x["parameter_loss"], x["data_loss"], published=False
    )
    log_c = 25.0
    log_n = log_g + x["beta"] / (x["alpha"] + x["beta"]) * (log_c - np.log10(6))
    best = minimize_scalar(
        lambda n: log_gap(x, n, log_c), bracket=(log_n - 1, log_n + 1), options={"xtol": 1e-9}
    )
    assert best.x == pytest.approx(log_n, abs=1e-4)


@given(laws, st.sampled_from(sorted(ODDS)))
def test_the_closed_form_is_the_compute_at_which_the_best_model_passes(published, x, units) -> None:
    """Brute force over parameters at the required compute: k of the best model is the task's length."""
    view = with_allocation(published, "optimal").replace(direct_approach={"units": units})
    flop = float(requirement(x, view))
    best = minimize_scalar(lambda n: log_gap(x, n, flop), bracket=(0.4 * flop, 0.6 * flop))
    log_k = x["human_slowdown"] + np.log10(ODDS[units]) - best.fun / np.log(10)
    assert log_k == pytest.approx(x["task_tokens"], abs=1e-8)


@given(laws, st.sampled_from(["optimal", "published"]))
def test_the_line_through_two_computes_is_exact(published, x, allocation) -> None:
    """The program extrapolates log10 k linearly from 10^10 and 10^30 FLOP: at a fixed allocation constant KL is a power law."""
    log_g = allocation_constant(
        x["alpha"], x["beta"], x["parameter_loss"], x["data_loss"], allocation == "published"
    )
    share = x["beta"] / (x["alpha"] + x["beta"])
    log_k = [
        x["human_slowdown"]
        + np.log10(DELTA_BITS)
        - log_gap(x, log_g + share * (c - np.log10(6)), c) / np.log(10)
        for c in (10.0, 30.0)
    ]
    line = 10.0 + 20.0 * (x["task_tokens"] - log_k[0]) / (log_k[1] - log_k[0])
    assert float(requirement(x, with_allocation(published, allocation))) == pytest.approx(
        line, rel=1e-8, abs=1e-6
    )


@given(laws)
def test_the_published_allocation_never_asks_less(published, x) -> None:
    right, wrong = (
        requirement(x, with_allocation(published, each)) for each in ("optimal", "published")
    )
    assert wrong >= right - 1e-9 * max(1.0, abs(right))


def test_the_published_allocation_is_a_tenth_of_the_parameters_and_costs_half_an_order(
    published,
) -> None:
    law = (MIDDLE["alpha"], MIDDLE["beta"], MIDDLE["parameter_loss"], MIDDLE["data_loss"])
    fewer = allocation_constant(*law, published=True) - allocation_constant(*law, published=False)
    assert fewer == pytest.approx(-0.893, abs=0.001)
    right, wrong = (
        requirement(MIDDLE, with_allocation(published, each)) for each in ("optimal", "published")
    )
    assert wrong - right == pytest.approx(0.60, abs=0.01)


@given(laws, st.floats(1e3, 1e15), st.floats(1e3, 1e15), st.sampled_from(["optimal", "published"]))
def test_the_reference_does_not_matter(published, x, n0, d0, allocation) -> None:
    view = with_allocation(published, allocation)
    other = replace(view, loss_law=replace(view.loss_law, parameters=n0, tokens=d0))
    moved = x | {
        "parameter_loss": x["parameter_loss"] - x["alpha"] * np.log10(n0),
        "data_loss": x["data_loss"] - x["beta"] * np.log10(d0),
    }
    assert requirement(moved, other) == pytest.approx(requirement(x, view), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("allocation", ["optimal", "published"])
def test_arrays_and_tensors_agree(published, allocation) -> None:
    view = with_allocation(published, allocation)
    draws = {name: value[:50] for name, value in pushed(view, 50).items() if name in QUANTITIES}
    vectors = {name: pt.vector(name, dtype="float64") for name in QUANTITIES}
    tensor = requirement(vectors, view)
    compiled = pytensor.function(
        list(vectors.values()), [tensor, survival(tensor)], mode="FAST_COMPILE"
    )
    flop, weight = compiled(**draws)
    np.testing.assert_allclose(flop, requirement(draws, view), rtol=1e-12)
    np.testing.assert_allclose(weight, survival(requirement(draws, view)), rtol=1e-9, atol=1e-300)


def test_extreme_laws_do_not_overflow(view) -> None:
    x = MIDDLE | {"alpha": np.array([1e-3, 5.0, 1e-3]), "beta": np.array([5.0, 1e-3, 1e-3])}
    assert np.isfinite(requirement(x, view)).all()
    assert np.isfinite(survival(np.array([-300.0, 0.0, 300.0]))).all()


# ---------------------------------------------------------------------------- the published program


@pytest.fixture(scope="module")
def program(published) -> tuple[dict, np.ndarray]:
    x = pushed(published)
    return x, requirement(x, published)


def test_the_requirement_before_updating_is_the_published_one(program) -> None:
    np.testing.assert_allclose(np.quantile(program[1], DECILES), BEFORE, atol=0.3)


def test_the_update_of_the_fitted_normal_is_the_published_one(program) -> None:
    """The program multiplies survival with the normal of its sample's mean and sd."""
    _, needed = program
    grid = np.linspace(needed.mean() - 6 * needed.std(), needed.mean() + 8 * needed.std(), 20_001)
    density = np.exp(-0.5 * ((grid - needed.mean()) / needed.std()) ** 2) * survival(grid)
    np.testing.assert_allclose(quantiles(grid, density), AFTER, atol=0.3)


def test_the_update_of_the_sample_itself_lies_lower_in_the_middle(program) -> None:
    _, needed = program
    updated = quantiles(needed, survival(needed))
    assert updated[1] == pytest.approx(AFTER[1] - 0.43, abs=0.1)
    assert (np.abs(updated - AFTER) < 0.6).all()


def test_survival_is_the_packages_hazard_along_past_runs() -> None:
    from aligntax.models.arrival import arrival_rate

    needed = np.linspace(15, 40, 26)
    years = ((17.0, 8.0), (23.0, 2.0), (25.0, 1.0))
    steepness = 0.3 * np.log(10)
    accumulated = sum(
        length * arrival_rate(flop - needed, steepness, cap=1e12) for flop, length in years
    )
    np.testing.assert_allclose(survival(needed), np.exp(-accumulated), rtol=1e-6, atol=1e-12)
    assert survival(100.0) == pytest.approx(1.0)
    assert (np.diff(survival(needed)) >= 0).all()


def arrivals(view: View, evidence, x: dict, weights, years=(2030, 2050, 2100)) -> np.ndarray:
    """Share of the weight whose largest run meets its requirement by the end of each year."""
    column = {name: value[:, None] for name, value in x.items()}
    effective = Trend.of(evidence, view).effective(column, np.asarray(years) + 1.0)
    return (weights[:, None] * (effective >= requirement(x, view)[:, None])).sum(
        axis=0
    ) / weights.sum()


def test_arrival_is_the_published_one(program, published, evidence) -> None:
    x, needed = program
    by = arrivals(published, evidence, x, survival(needed))
    np.testing.assert_allclose(by, [0.387, 0.668, 0.752], atol=0.03)
    before = arrivals(published, evidence, x, np.ones(SIZE))
    np.testing.assert_allclose(before, [0.524, 0.749, 0.810], atol=0.03)


def test_hardware_follows_the_published_path(program, published, evidence) -> None:
    """log10 FLOP per USD at 10, 50 and 90%: what one growth up to a limit cannot follow is below half an order of magnitude."""
    table = {2030: (18.84, 19.16, 20.03), 2040: (19.65, 20.55, 21.81), 2100: (21.27, 21.67, 22.02)}
    column = {name: value[:, None] for name, value in program[0].items()}
    path = Trend.of(evidence, published).hardware(column, np.array(list(table)) + 1.0)
    error = np.quantile(path, DECILES, axis=0).T - np.array(list(table.values()))
    assert np.sqrt((error**2).mean()) < 0.25
    assert np.abs(error).max() < 0.5


def test_the_optimal_allocation_brings_arrival_forward(program, published, evidence) -> None:
    x, needed = program
    right = load_view("direct-approach-optimal")
    assert right.quantities == published.quantities
    sooner = requirement(x, right)
    assert np.median(needed) - np.median(sooner) == pytest.approx(0.6, abs=0.1)
    gain = arrivals(right, evidence, x, survival(sooner)) - arrivals(
        published, evidence, x, survival(needed)
    )
    assert ((gain > 0.015) & (gain < 0.05)).all()


def test_independent_parameters_overstate_the_spread(published, evidence) -> None:
    """With the program's sd of the exponents, the fit's correlations take a tenth off the requirement's 80% interval.

    Its A and B hardly vary, and an exponent that errs alone errs at every size: the fit's law is
    known best near its runs.
    """
    rng, x = np.random.default_rng(2), pushed(published)
    row = fits(evidence).isel(loss_law=0)
    shift = np.eye(4)  # to A and B
    shift[0, 2], shift[1, 3] = np.log10(row["parameters"]), np.log10(row["tokens"])
    covariance = shift @ row["covariance"].values @ shift.T
    widen = 0.05 / np.sqrt(np.diagonal(covariance))[[2, 3, 2, 3]]
    middle = [MIDDLE[name] for name in LAW]
    draws = rng.multivariate_normal(middle, covariance * widen * widen[:, None], SIZE).T
    together = x | dict(zip(LAW, draws, strict=True))
    width = [
        np.diff(np.quantile(requirement(each, published), [0.1, 0.9])).item()
        for each in (x, together)
    ]
    assert width[1] / width[0] == pytest.approx(0.90, abs=0.02)
    # those margins, alone
    same = x | {name: rng.permutation(each) for name, each in zip(LAW, draws, strict=True)}
    assert np.diff(np.quantile(requirement(same, published), [0.1, 0.9])).item() > 1.15 * width[1]


def test_an_exponent_without_its_correlations_is_a_hundredth_at_least() -> None:
    """A draw far from the fits would else have none, or a negative one, and no requirement."""
    far = {"parameter_loss": [5.0], "data_loss": [5.0], "alpha": [-1.0], "beta": [-1.0]}
    x = {name: np.array(value) for name, value in far.items()}
    apart = independent(x, load_evidence(), load_view("default"))
    np.testing.assert_array_equal([apart["alpha"], apart["beta"]], [[0.01], [0.01]])


def test_the_fit_itself_hardly_adds_to_the_spread() -> None:
    """What is not known is the task and the judge: with both known, the law leaves a quarter of an order of magnitude."""
    joint = load_view("direct-approach-joint")
    x = pushed(joint)
    known = x | {name: MIDDLE[name] for name in ("human_slowdown", "task_tokens")}
    assert np.std(requirement(known, joint)) == pytest.approx(0.28, abs=0.02)
    assert np.std(requirement(x, joint)) > 5.0


# ------------------------------------------------------------------------------------- the evidence


@pytest.mark.parametrize(
    "changed", [{"parameters": 1.0, "tokens": 1.0}, {"parameters": 1e12, "tokens": 3e13}]
)
def test_a_fit_says_the_same_at_any_reference(evidence, view, changed) -> None:
    other = replace(view, loss_law=replace(view.loss_law, **changed))
    x = np.array([-0.45, -0.44, 0.35, 0.36])
    moved = x - np.array(
        [
            x[2] * np.log10(changed["parameters"] / view.loss_law.parameters),
            x[3] * np.log10(changed["tokens"] / view.loss_law.tokens),
            0.0,
            0.0,
        ]
    )
    terms = []
    for each, at in ((view, x), (other, moved)):
        scaled, offset, constant = whitening(evidence, each)
        terms.append(constant - 0.5 * ((scaled @ at - offset) ** 2).sum(axis=-1))
    np.testing.assert_allclose(terms[0], terms[1], rtol=1e-8)


def test_the_potential_is_the_multivariate_normal(evidence, view) -> None:
    view = view.replace(loss_law={"parameters": 1e9, "tokens": 2e10})  # the row's own reference
    point = {"parameter_loss": -0.45, "data_loss": -0.44, "alpha": 0.34, "beta": 0.365}
    with pm.Model(check_bounds=False) as model:
        x = {name: pm.Flat(name) for name in LAW}
        add(evidence, view, x)
    value = model["loss_laws"].eval({x[name]: at for name, at in point.items()})
    row = fits(evidence).isel(loss_law=0)
    expected = multivariate_normal(row["mean"].values, row["covariance"].values).logpdf(
        list(point.values())
    )
    np.testing.assert_allclose(value, [expected], rtol=1e-9)


def test_without_used_fits_there_is_no_potential(evidence, view) -> None:
    with pm.Model() as model:
        add(evidence.only([]), view, {name: pm.Flat(name) for name in LAW})
    assert not model.potentials
    assert all(each.size == 0 for each in observed(evidence.only([]), view).values())


def test_replicated_fits_have_the_rows_means_and_covariance(evidence, view) -> None:
    view = view.replace(loss_law={"parameters": 1e9, "tokens": 2e10})  # the row's own reference
    row = fits(evidence).isel(loss_law=0)
    x = {
        name: np.full(20_000, float(value))
        for name, value in zip(LAW, row["mean"].values, strict=True)
    }
    drawn = simulate(x, None, evidence, view, np.random.default_rng(3))
    assert set(drawn) == set(observed(evidence, view))
    values = drawn["loss_laws"][1][:, 0].T
    np.testing.assert_allclose(values.mean(axis=1), row["mean"], atol=4e-4)
    np.testing.assert_allclose(np.corrcoef(values)[0, 2], -0.984, atol=0.003)
    np.testing.assert_allclose(np.cov(values), row["covariance"], rtol=0.05, atol=5e-6)


def test_wide_priors_meet_the_fit(evidence, view) -> None:
    """Weighting prior draws by the likelihood of the fit gives the fit: the default priors are wide against it."""
    row = fits(evidence).isel(loss_law=0)
    prior = {name: view.tables([name]).y[0] for name in LAW}
    for name, mean, variance in zip(
        LAW, row["mean"].values, np.diagonal(row["covariance"].values), strict=True
    ):
        assert np.std(prior[name]) > 10 * np.sqrt(variance), name
        assert prior[name].min() < mean < prior[name].max(), name


def test_the_row_is_at_its_reference_what_it_is_as_a_and_b(evidence) -> None:
    """A near 466 and B near 1871, and their logs hang together with the exponents."""
    unit = load_view("direct-approach-2023")  # reference 1 and 1
    row = fits(evidence).isel(loss_law=0)
    shift = np.eye(4)
    shift[0, 2], shift[1, 3] = np.log10(row["parameters"]), np.log10(row["tokens"])
    mean, covariance = shift @ row["mean"].values, shift @ row["covariance"].values @ shift.T
    np.testing.assert_allclose(mean[:2], [2.668, 3.272], atol=0.002)
    sd = np.sqrt(np.diagonal(covariance))
    assert covariance[0, 2] / (sd[0] * sd[2]) > 0.99
    scaled, offset, _ = whitening(evidence, unit)
    np.testing.assert_allclose(scaled[0] @ mean, offset[0], atol=1e-9)


def test_correlations_that_no_fit_can_have_are_refused(tmp_path) -> None:
    from importlib.resources import files

    text = (files("aligntax.models.evidence") / "loss_laws.csv").read_text()
    assert text.count("-0.9838") == 1
    (tmp_path / "loss_laws.csv").write_text(
        text.replace("-0.9838", "0.9838").replace("0.0793", "0.9999")
    )
    with pytest.raises(InputError, match="positive definite"):
        load_evidence(tmp_path)


# -------------------------------------------------------------------------------------- the setting


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('allocation = "best"', "direct_approach.allocation: must be optimal or published"),
        ("allocation = 1", "direct_approach.allocation: must be optimal or published"),
        ('update = "bayes"', "direct_approach.update: must be none or published"),
        ("year = 1900.0", "direct_approach.year: must be a year"),
        ("years = 2022.0", "direct_approach: has no setting"),
    ],
)
def test_wrong_settings_are_refused(line, message) -> None:
    with pytest.raises(InputError, match=message):
        parse_view(f"[direct_approach]\n{line}\n", "mine")


def test_the_allocation_is_part_of_a_views_hash(view) -> None:
    other = parse_view('[direct_approach]\nallocation = "published"\n', "mine")
    assert other.hash != view.hash
    assert View.replace(view, direct_approach={"allocation": "published"}).hash == other.hash


def test_a_longer_task_needs_more_and_a_slower_judge_less(published) -> None:
    """The prior flips the answer, and by how much the law's exponent says: 1 / kappa OOM each."""
    kappa = MIDDLE["alpha"] * MIDDLE["beta"] / (MIDDLE["alpha"] + MIDDLE["beta"])
    base = requirement(MIDDLE, published)
    longer = requirement(MIDDLE | {"task_tokens": MIDDLE["task_tokens"] + 1}, published)
    slower = requirement(MIDDLE | {"human_slowdown": MIDDLE["human_slowdown"] + 1}, published)
    assert longer - base == pytest.approx(1 / kappa)
    assert slower - base == pytest.approx(-1 / kappa)


def test_what_the_requirement_does_not_use_does_not_move_it(published) -> None:
    """Negative control."""
    x = pushed(published, 100)
    moved = x | {
        "spend_level": x["spend_level"] + 3,
        "algorithmic_growth": x["algorithmic_growth"] * 2,
    }
    np.testing.assert_array_equal(requirement(x, published), requirement(moved, published))
