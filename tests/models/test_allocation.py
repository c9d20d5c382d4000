"""What the best allocation is worth: root finding, limits, what moves it, and worlds that lack it."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from aligntax.models import allocation, direct_approach, joint
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.priors.quantities import ELICITED, QUANTITIES
from aligntax.models.shifts import shifts
from aligntax.models.views import ANCHORS, load_view
from tests.prior import prior_draws

# Besiroglu et al. 2024: A N^-alpha + B D^-beta; any E above zero is the same in both allocations
LAW = {"A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def at_reference(view, A, B, alpha, beta):
    """The law in the view's terms, as arrays of one draw."""
    law = {
        "parameter_loss": np.log10(A) - alpha * np.log10(view.loss_law.parameters),
        "data_loss": np.log10(B) - beta * np.log10(view.loss_law.tokens),
        "alpha": alpha,
        "beta": beta,
    }
    return {name: np.array([float(value)]) for name, value in law.items()}


def loss(log_n, log_c, A, B, alpha, beta, E=1.8172):
    n, c = 10.0**log_n, 10.0**log_c
    return E + A * n**-alpha + B * (c / (6 * n)) ** -beta


def by_root_finding(log_n, log_c, law):
    """Compute saved: the optimum is searched for, and so is the compute at which it has this loss."""
    wanted = loss(log_n, log_c, **law)

    def best(log_flop):
        found = minimize_scalar(
            lambda log_parameters: loss(log_parameters, log_flop, **law),
            bounds=(0.0, log_flop - 1.0),
            method="bounded",
            options={"xatol": 1e-10},
        )
        return found.fun

    return log_c - brentq(lambda log_flop: best(log_flop) - wanted, log_c - 8, log_c + 1)


@pytest.mark.parametrize(
    ("log_n", "log_c"), [(np.log10(2.8e11), 23.7), (11.9, 23.7), (9.0, 23.0), (13.0, 27.0)]
)
@pytest.mark.parametrize("law", [LAW, {**LAW, "beta": 0.28, "B": 410.7, "alpha": 0.34}])
def test_the_gain_is_what_root_finding_says(view, law, log_n, log_c) -> None:
    found = allocation.gain(at_reference(view, **law), log_n, log_c, view)
    assert found[0] == pytest.approx(by_root_finding(log_n, log_c, law), abs=1e-6)


def test_the_published_programs_allocation_would_not_pass(view) -> None:
    """Control: measured against an allocation that is not the best, gains are wrong and may be negative."""
    x = at_reference(view, **LAW)
    log_g = direct_approach.allocation_constant(
        *(LAW[name] for name in ("alpha", "beta")),
        *(np.log10(LAW[name]) for name in ("A", "B")),
        published=False,
    )
    best = log_g + LAW["beta"] / (LAW["alpha"] + LAW["beta"]) * (24.0 - np.log10(6))
    assert allocation.gain(x, best, 24.0, view)[0] == pytest.approx(0.0, abs=1e-12)
    log_loss = np.log10(loss(best, 24.0, **LAW, E=0.0))
    assert 24.0 - direct_approach.optimal_flop(x, -log_loss, view, published=True)[0] < -0.5


def test_an_allocation_that_is_the_best_gains_nothing_at_any_compute(evidence, view) -> None:
    """With the exponent of the law and its constant, the path before is the best one: zero years."""
    x = at_reference(view, **LAW)
    log_n, log_c = allocation.gopher(evidence)
    a = LAW["beta"] / (LAW["alpha"] + LAW["beta"])
    # a law whose best run at Gopher's compute is Gopher
    balance = LAW["alpha"] / LAW["beta"] * 10.0 ** (x["parameter_loss"] - x["data_loss"])
    larger = log_n - np.log10(view.loss_law.parameters)
    longer = log_c - np.log10(6) - log_n - np.log10(view.loss_law.tokens)
    x["data_loss"] = (
        x["data_loss"] + np.log10(balance) - LAW["alpha"] * larger + LAW["beta"] * longer
    )
    same = with_constants(evidence, kaplan_allocation_exponent=a)
    for flop in (22.0, log_c, 27.0, 32.0):
        before = allocation.parameters_from(allocation.gopher(same), flop, same)
        assert allocation.gain(x, before, flop, view)[0] == pytest.approx(0.0, abs=1e-9)
        other = allocation.parameters_from(allocation.gopher(evidence), flop, evidence)
        assert (allocation.gain(x, other, flop, view)[0] > 1e-3) == (flop != log_c)


def with_constants(evidence, **values):
    table = evidence["constants"].copy(deep=True)
    for name, value in values.items():
        table["value"].loc[{"constant": name}] = value
    return Evidence({**evidence.tables, "constants": table})


def test_the_gain_is_never_negative_and_grows_with_compute_and_distance(evidence, view) -> None:
    tables = view.tables(joint.QUANTITIES)
    x = tables.values(prior_draws(tables, 2000).isel(chain=0)["z"].values)
    rng = np.random.default_rng(1)
    assert np.all(allocation.gain(x, rng.uniform(6, 14, 2000), 25.0, view) > -1e-9)
    law = at_reference(view, **LAW)
    flop = np.linspace(23.8, 32.0, 30)
    gains = allocation.gain(
        law, allocation.parameters_from(allocation.gopher(evidence), flop, evidence), flop, view
    )
    assert np.all(np.diff(gains) > 0)
    steeper = with_constants(evidence, kaplan_allocation_exponent=0.88)
    more = allocation.gain(
        law, allocation.parameters_from(allocation.gopher(steeper), flop, steeper), flop, view
    )
    assert np.all(more > gains)


def test_the_fitted_law_says_what_hoffmanns_comparison_says(evidence, view) -> None:
    """Gopher's compute was worth 2 to 3 times less in Gopher than in Chinchilla, by Kaplan's own rule 6 to 8 times."""
    x = at_reference(view, **LAW)
    growth = {
        name: np.array([value])
        for name, value in zip(allocation.GROWTH, (0.5, 0.1, 0.4), strict=True)
    }
    found = allocation.derive({**x, **growth}, evidence, view)
    assert np.log10(2) < found["allocation_gain"][0] < np.log10(3)
    assert np.log10(6) < found["allocation_gain_kaplan"][0] < np.log10(8)
    assert found["allocation_progress"][0] == pytest.approx(found["allocation_gain"][0] / 1.0)
    most = found["allocation_gain_kaplan"][0] / 0.4
    assert found["allocation_progress_most"][0] == pytest.approx(most)
    still = allocation.derive(
        {**x, **{name: 0 * value for name, value in growth.items()}}, evidence, view
    )
    assert np.isinf(still["allocation_progress"][0])


# ------------------------------------------------------------------------------------ paired worlds


def worlds(evidence, view, size=2000, law=None):
    """Worlds of prior draws, the same at every call; a law stands in for every draw's own."""
    tables = view.tables(joint.QUANTITIES)
    draws = prior_draws(tables, size).isel(chain=0).rename(draw="sample")
    x = tables.values(draws["z"].values)
    x |= {name: np.full(size, value[0]) for name, value in (law or {}).items()}
    chosen = restrict(evidence, view, find_model("joint"))
    chance = Chance.draw(size, np.random.default_rng(3))
    return joint.worlds_of(x, draws.drop_vars("z"), chosen, view, chance)


def test_the_finding_pulls_arrival_in_and_leaves_time_horizons_alone(evidence, view) -> None:
    law = at_reference(view, **LAW)
    own = worlds(evidence, view, law=law)
    found = shifts(own)
    shift = found["timeline_shift_allocation_kept"]
    assert np.nanmax(shift) <= 0.0
    horizon = own.anchor == ANCHORS.index("time_horizon")
    known = np.isfinite(shift)
    assert np.all(shift[horizon & known] == 0.0)
    assert np.median(shift[~horizon & known]) < 0.0
    # Kaplan's exponent in raw compute lies farther from the best, and pulls in farther
    steeper = with_constants(evidence, kaplan_allocation_exponent=0.88)
    again = shifts(worlds(steeper, view, law=law))
    farther = again["timeline_shift_allocation_kept"]
    both = known & np.isfinite(farther)
    assert np.all(farther[both] <= shift[both] + 1e-9)
    assert farther[both].mean() < shift[both].mean()
    # what was saved in its day needs no exponent, and pulls in less than a split kept for ever
    then = found["timeline_shift_allocation"]
    np.testing.assert_array_equal(then, again["timeline_shift_allocation"])
    after = own.trend.physical(own.x, own.trend.now) > allocation.gopher(own.evidence)[1]
    both = known & np.isfinite(then) & after
    assert both.mean() > 0.2 and np.all(then[both] >= shift[both] - 1e-9)
    assert np.all(then[both] <= 0.0) and np.all(then[horizon & known] == 0.0)


def test_the_pull_is_near_the_gain_over_growth_where_growth_is_steady(evidence) -> None:
    """By crossing, effective compute at arrival without the finding is the gain higher: to first order the years are gain over slope."""
    view = load_view("bioanchors-alone").replace(
        evidence={"use": "none"}, arrival={"mode": "crossing"}
    )
    own = worlds(evidence, view)
    year = own.year()
    late = own.misallocated(year)
    come = np.isfinite(late) & (year > own.grid[1]) & own.flop
    assert come.sum() > 50
    x = {name: value[come] for name, value in own.x.items()}

    def effective(date):
        return own.trend.effective(x, date)

    flop = own.trend.physical(x, late[come])
    before = allocation.parameters_from(allocation.gopher(own.evidence), flop, own.evidence)
    gain = allocation.gain(x, before, flop, own.view)
    made = effective(late[come]) - effective(year[come])
    np.testing.assert_allclose(np.median(made / gain), 1.0, atol=0.05)


def test_a_run_from_before_the_rows_existed_has_none(evidence, view) -> None:
    table = evidence["constants"]
    older = table.isel(constant=~table["constant"].isin(list(allocation.CONSTANTS)).values)
    own = worlds(Evidence({**evidence.tables, "constants": older}), view, 50)
    assert not allocation.known(own.evidence)
    assert not [name for name in shifts(own) if "allocation" in name]
    now = shifts(worlds(evidence, view, 50))
    assert {name for name in now if "allocation" in name} <= set(QUANTITIES) - set(ELICITED)
