"""AI that does AI research: off and at speed one nothing moves; closed forms, bounds, monotone in every part, and a grid that suffices."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from aligntax.analysis.inference.compiled_model import find_prior_only
from aligntax.analysis.inference.graphs.live import LiveGraph
from aligntax.models import horizon_trend, joint, research, time_horizon
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import select
from aligntax.models.priors.quantities import ELICITED
from aligntax.models.requirements import FLOP_ANCHORS, horizon_margin
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, load_view, parse_view
from tests.prior import prior_draws

SIZE = 1500
COMPUTE = {"feedback": "effective_compute"}
HORIZON = {"feedback": "time_horizon", "ceiling": 1.05, "substitution": -0.155}


def worlds(view, evidence, size=SIZE, **fixed):
    """Worlds of prior draws; the same z, parameters and chance at every call."""
    tables = view.tables(joint.QUANTITIES)
    draws = prior_draws(tables, size).isel(chain=0).rename(draw="sample")
    x = tables.values(draws["z"].values)
    x |= {name: np.full(size, float(value)) for name, value in fixed.items()}
    chosen = restrict(evidence, view, find_model("joint"))
    chance = Chance.draw(size, np.random.default_rng(3))
    return joint.worlds_of(x, draws.drop_vars("z"), chosen, view, chance)


def coder(own):
    """Year of the superhuman coder of each draw."""
    found = time_horizon.superhuman_coder(own.x, own.growth, own.view, own.calendar)
    return found["superhuman_coder_year"]


def own_draws(view, size=SIZE, seed=1, **fixed):
    """Elicited quantities of the joint model from the prior, on the scales that models use."""
    tables = view.tables(joint.QUANTITIES)
    z = np.random.default_rng(seed).standard_normal((size, len(tables.names)))
    x = tables.values(z @ tables.cholesky.T)
    return x | {name: np.full(size, float(value)) for name, value in fixed.items()}


def integrated(view, evidence, x, step=research.STEP):
    trend = Trend.of(evidence, view)
    date = horizon_trend.threshold_date(x, "superexponential", view)
    return research.integrate(x, date, trend, evidence, view, step)


# ------------------------------------------------------------------------------------ off, and one


def test_off_is_the_trend_to_the_last_digit(evidence, view) -> None:
    own = worlds(view, evidence)
    assert own.research is None
    flop = np.flatnonzero(own.flop & (own.anchor < len(ANCHORS) - 1))
    column = {name: value[flop, None] for name, value in own.x.items()}
    progress = own.trend.algorithms(column, own.grid)
    expected = own.trend.physical(column, own.grid) + progress - own.needed[flop, None]
    np.testing.assert_array_equal(own.margin[flop], expected)
    for i, shape in enumerate(horizon_trend.SHAPES):
        k = np.flatnonzero(own.candidate == len(FLOP_ANCHORS) + i)
        column = {name: value[k, None] for name, value in own.x.items()}
        np.testing.assert_array_equal(own.margin[k], horizon_margin(column, own.grid, shape, view))


def test_what_research_takes_enters_nothing_while_feedback_is_off(evidence, view) -> None:
    plain, other = worlds(view, evidence), worlds(view, evidence, automated_share=0.9)
    np.testing.assert_array_equal(plain.year(), other.year())
    np.testing.assert_array_equal(coder(plain), coder(other))


@pytest.mark.parametrize("settings", [COMPUTE, HORIZON])
def test_a_speed_of_one_is_off(settings, evidence, view) -> None:
    plain = worlds(view, evidence)
    one = worlds(view.replace(research={**settings, "labour_gain": 0.0}), evidence)
    np.testing.assert_allclose(
        one.research.years, np.broadcast_to(one.research.dates, one.research.years.shape)
    )
    np.testing.assert_allclose(one.year(), plain.year(), atol=1e-6)
    np.testing.assert_allclose(coder(one), coder(plain), atol=1e-6)


def test_no_evidence_bears_on_research(evidence, view) -> None:
    """So that a refit redraws its quantities, with feedback as without."""
    for each in (view, view.replace(research=COMPUTE)):
        chosen = restrict(evidence, each, find_model("joint"))
        graph = joint.build(chosen, each)
        left = find_prior_only(LiveGraph(graph).outline, each.tables(joint.QUANTITIES))
        assert set(research.QUANTITIES) <= set(left)


# ------------------------------------------------------------------------------------ closed forms


def tail(view, difficulty):
    """Draws far into automation, without growth of compute: ``log10 effort = c s`` exactly."""
    x = own_draws(
        view,
        size=5,
        automated_share=1.0 - 1e-8,
        automation_span=0.0,  # log10 of one OOM
        research_labour_share=0.2,
        research_returns=0.0,  # log10 of one
        algorithmic_growth=0.5,
        algorithmic_limit=1e5,
        spend_growth=0.0,
        world_product_growth=0.0,
        hardware_growth=0.0,
    )
    c = 0.2 * np.log10(np.e)
    return x | {"research_difficulty": np.full(5, difficulty * c)}, 0.5 * c * np.log(10.0)


def test_without_difficulty_years_run_away_as_a_hyperbola(evidence, view) -> None:
    """``dy/dt = e^(a (y - since))``, so ``y - since = -ln(1 - a t) / a`` up to the limit of the speed."""
    fast = view.replace(research={**COMPUTE, "speed_limit": 1000.0})
    x, a = tail(view, 0.0)
    paths = integrated(fast, evidence, x, 1 / 16)
    t = paths.dates - paths.dates[0]
    expected = -np.log1p(-a * t[a * t < 0.9]) / a
    known = np.flatnonzero(
        expected < 12.0
    )  # then little is left to people, and the rest is bounded
    assert len(known) > 100
    expected = expected[known]
    np.testing.assert_allclose(paths.years[0, known] - paths.dates[0], expected, rtol=1e-4)


def test_where_difficulty_cancels_it_years_grow_exponentially(evidence, view) -> None:
    """``dy/dt = e^(a t)``, so ``y - since = (e^(a t) - 1) / a``."""
    fast = view.replace(research={**COMPUTE, "speed_limit": 1000.0})
    x, a = tail(view, 1.0)
    paths = integrated(fast, evidence, x)
    t = paths.dates - paths.dates[0]
    known = np.expm1(a * t) / a < 12.0
    assert known.sum() > 25
    np.testing.assert_allclose(
        paths.years[0, known] - paths.dates[0], np.expm1(a * t[known]) / a, rtol=1e-3, atol=1e-6
    )


def test_at_its_limit_the_speed_is_constant(evidence, view) -> None:
    fast = view.replace(research={**COMPUTE, "speed_limit": 3.0})
    x, _ = tail(view, 0.0)
    paths = integrated(fast, evidence, x)
    speed = np.diff(paths.years[0]) / np.diff(paths.dates)
    np.testing.assert_allclose(speed[-100:], 3.0)
    assert speed.max() <= 3.0 + 1e-9


@pytest.mark.parametrize("skill", [-8.0, -1.0, 0.0, 1.5, 3.0])
def test_taste_is_the_mean_of_the_better_of_people_and_ai(skill, view) -> None:
    """By quadrature, without a limit that matters."""
    settings = replace(view.research, taste_spread=0.5, taste_limit=1e6)
    s = 0.5
    k = np.exp(s * skill - s**2 / 2)
    mean = quad(lambda z: max(np.exp(s * z - s**2 / 2), k) * norm.pdf(z), -12, 12, points=[skill])[
        0
    ]
    assert float(research.taste(skill, settings)) == pytest.approx(np.log10(mean), abs=1e-4)


def test_taste_ends_at_its_limit(view) -> None:
    settings = replace(view.research, taste_spread=0.5, taste_limit=2.0)
    assert float(research.taste(1e3, settings)) == pytest.approx(2.0, abs=1e-6)


def test_automation_passes_through_what_is_stated() -> None:
    x = {"automated_share": 0.3, "automation_span": np.log10(1.2)}
    odds = 0.7 / 0.3
    assert research.share_left(x, 0.0, None, 1.0) == pytest.approx(0.7)
    assert research.share_left(x, 1.2, None, 1.0) == pytest.approx(odds / (odds + np.e))
    assert research.share_left(x, 6.0, 6.0, 1.05) == pytest.approx(research.LEAST_LEFT, abs=1e-9)
    for full, ceiling in ((None, 1.0), (6.0, 1.05)):
        at = research.automated_at(x, 0.99, full, ceiling)
        assert research.share_left(x, at, full, ceiling) == pytest.approx(0.01)


def test_throughput_is_cobb_douglas_in_the_limit_and_bounded_below_it() -> None:
    assert research.throughput(3.0, 1.0, 0.3, 0.0) == pytest.approx(1.6)
    assert research.throughput(3.0, 1.0, 0.3, -1e-6) == pytest.approx(1.6, abs=1e-4)
    # people without end: 15 times the experiments where compute has the weight 15^rho
    rho, weight = -0.155, 1.0 - 15.0**-0.155
    assert research.throughput(300.0, 0.0, weight, rho) == pytest.approx(np.log10(15.0))


# ---------------------------------------------------------------------------- order, bounds and grid


def arrivals(start, view, evidence):
    """Arrival of the same draws under growing gains of labour, the first without feedback."""
    return [
        worlds(view.replace(research={**start, "labour_gain": gain}), evidence).year()
        for gain in (0.0, 0.5, 2.0)
    ]


def assert_no_later(more, less):
    assert np.all((more <= less + 1e-6) | np.isinf(less))


@pytest.mark.parametrize("start", [COMPUTE, {**HORIZON, "substitution": 0.0}])
def test_more_feedback_never_delays_arrival(start, evidence, view) -> None:
    years = arrivals(start, view, evidence)
    for less, more in pairwise(years):
        assert_no_later(more, less)
    come = np.isfinite(years[0])
    assert np.mean(years[-1][come] < years[0][come] - 0.01) > 0.5


def test_feedback_never_delays_arrival_where_labour_and_compute_are_complements(
    evidence, view
) -> None:
    """There a larger gain has less left to gain from today on, so that only none against some is ordered."""
    none, *some = arrivals(HORIZON, view, evidence)
    for more in some:
        assert_no_later(more, none)


def test_every_part_of_feedback_speeds_research(evidence, view) -> None:
    fast = view.replace(research=COMPUTE)
    x = own_draws(view, 300)
    base = integrated(fast, evidence, x).years[:, -1]
    for name, by in (
        ("automation_span", -0.2),
        ("research_labour_share", 0.05),
        ("research_returns", 0.1),
        ("research_difficulty", -0.2),
    ):
        moved = integrated(fast, evidence, {**x, name: x[name] + by}).years[:, -1]
        assert np.all(moved >= base - 1e-9), name
        assert np.mean(moved > base) > 0.9, name


@pytest.mark.parametrize("start", [COMPUTE, HORIZON])
def test_nothing_is_infinite_at_a_finite_date(start, evidence, view) -> None:
    """Over prior draws twice as wide as the default's."""
    for inputs in ("balanced", "kwa", "ai-futures"):
        wide = load_view("vague").replace(research={**start, "inputs": inputs})
        paths = integrated(wide, evidence, own_draws(wide, 2000))
        longest = paths.dates[-1] - paths.dates[0]
        assert np.all(np.isfinite(paths.years))
        assert np.all(np.isfinite(paths.gained))
        assert np.all(np.diff(paths.years) >= 0)
        assert np.all(paths.years[:, -1] - paths.dates[0] <= 100.0 * longest + 1e-6)


@pytest.mark.parametrize("start", [COMPUTE, HORIZON])
def test_the_grid_suffices(start, evidence, view) -> None:
    """Halving the step again and again: the date of a gain of 10 OOM settles, and the yearly grid is not far."""
    fast, x = view.replace(research=start), own_draws(view, 400)

    def date(step):
        paths = integrated(fast, evidence, x, step)
        return np.array(
            [np.interp(10.0, row, paths.dates) for row in np.maximum.accumulate(paths.gained, 1)]
        )

    fine = date(1 / 32)
    off = [np.mean(np.abs(date(step) - fine)) for step in (1.0, 0.5, research.STEP, 1 / 8)]
    assert off[2] < 0.05
    assert off[0] < 0.3
    assert off[0] > off[2] > off[3]


def test_dates_of_the_horizon_and_back(evidence, view) -> None:
    fast = view.replace(research=HORIZON)
    paths = integrated(fast, evidence, own_draws(view, 200))
    dates = np.linspace(paths.dates[0] + 0.1, 2060.0, 200)
    there = np.array(
        [paths.of(np.array([i])).trend_date(d[None])[0, 0] for i, d in enumerate(dates[:, None])]
    )
    back = paths.calendar(there)
    known = np.isfinite(back)
    assert known.mean() > 0.9
    np.testing.assert_allclose(back[known], dates[known], atol=1e-6)
    early = np.full(200, 2020.0)
    np.testing.assert_array_equal(paths.calendar(early), early)


def test_a_coder_that_never_comes_leaves_research_as_it_was(evidence, view) -> None:
    """A trend that saturates short of the threshold: no automation beyond the start's, and no date."""
    fast = view.replace(research={**HORIZON, "taste_growth": 2.0, "taste_at_coder": 0.5})
    x, trend = own_draws(view, 50), Trend.of(evidence, view)
    paths = research.integrate(x, np.full(50, np.inf), trend, evidence, fast)
    np.testing.assert_allclose(paths.years, np.broadcast_to(paths.dates, paths.years.shape))
    assert np.all(np.isinf(paths.calendar(np.full(50, np.inf))))


def test_the_time_horizon_moves_with_the_compute_that_research_gains(evidence, view) -> None:
    """The coder comes sooner, and its arrival with it, ``lag`` years later."""
    alone = parse_view(
        '[evidence]\nuse = "none"\n[arrival]\nmode = "crossing"\nstart = 2026.0\n'
        "[anchors]\ntime_horizon = 1.0\n",
        "test.toml",
    )
    fixed = {"superhuman_coder_lag": np.log10(2.0), "superexponential_weight": 1e-9}
    plain, fast = (
        worlds(each, evidence, size=400, **fixed)
        for each in (alone, alone.replace(research={**HORIZON, "since": 2026.0}))
    )
    before, after = coder(plain), coder(fast)
    ahead = np.isfinite(before) & (before > 2027.0)
    assert ahead.sum() > 100
    assert_no_later(after, before)
    assert np.mean(after[ahead] < before[ahead] - 0.05) > 0.5
    known = ahead & np.isfinite(fast.year())
    np.testing.assert_allclose(fast.year()[known] - after[known], 2.0, atol=0.25)


# ----------------------------------------------------------------------------- what a view may state


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[research]\nmilestone = 0.99\n", r"research\.milestone: needs feedback"),
        (
            '[research]\nfeedback = "effective_compute"\nmilestone = 0.99\n',
            r"research\.milestone: has no likelihood",
        ),
        (
            '[research]\nfeedback = "effective_compute"\nsince = 2025.0\n',
            r"research\.since: must not lie before",
        ),
    ],
)
def test_settings_that_reach_into_the_evidence_are_refused(text, message, evidence) -> None:
    view = parse_view(text, "test.toml")
    with pytest.raises(InputError, match=message):
        joint.build(restrict(evidence, view, find_model("joint")), view)
    with pytest.raises(InputError, match=message):
        worlds(view, evidence, size=20)


def test_its_quantities_are_elicited() -> None:
    assert set(research.QUANTITIES) <= set(ELICITED)
    assert set(research.QUANTITIES) <= set(joint.QUANTITIES)


# ------------------------------------------------------------------- the AI Futures Model's numbers


def test_the_computed_inputs_of_the_ai_futures_model_follow_from_its_own(evidence) -> None:
    """People alone: the stock of research is its sum, and software grew 1 OOM in 2024; see the view's rationales."""
    view = load_view("ai-futures-2026")
    rows = select(evidence["research_inputs"], forecast="ai-futures")
    rho = brentq(lambda r: 15.0**r + 1000.0**r - 1.0, -5.0, -1e-3)
    weight = 1000.0**rho
    compute = np.log((2.8**-rho - weight) / (1.0 - weight)) / (rho * np.log(0.1))
    labour, since = 0.5, 2025.9
    dates = np.arange(2017.0, 2026.001, 0.005)

    def gain(name):
        path = np.interp(dates, rows["year"], rows[name])
        return path - np.interp(since, rows["year"], rows[name])

    effort = 10.0 ** research.throughput(
        labour * gain("people"), compute * gain("experiments"), weight, rho
    )
    growth = np.log(effort[1] / effort[0]) / 0.005
    stock = effort[0] / growth + np.cumsum(effort) * 0.005
    pace = effort / stock  # a year
    per_year = 1.0 / np.interp(2024.0, dates, pace)  # OOM of software per growth of the stock
    alone = per_year * np.interp(since, dates, pace)
    share = 1.0 - 1.8 ** (-1.0 / 1.5)
    uplift = 10.0 ** research.throughput(labour * np.log10(1.8), 0.0, weight, rho)
    training = np.interp([since - 1.0, since], rows["year"], rows["training"])
    rate = alone * uplift + training[1] - training[0]
    slope = np.interp([2025.0, 2026.0], rows["year"], rows["training"])
    at_people = alone + 0.5 * (slope[1] - slope[0]) + 0.5 * 0.55  # near 2025.9; see the tolerance

    def point(name):
        return view.quantities[name]["point"]

    assert view.research.substitution == pytest.approx(rho, abs=1e-3)
    assert point("research_labour_share") == pytest.approx(weight, abs=1e-3)
    assert point("research_returns") == pytest.approx(compute, abs=1e-3)
    assert view.research.serial == pytest.approx(labour / compute, abs=1e-3)
    assert point("research_difficulty") == pytest.approx(1.0 / (per_year * np.log(10.0)), abs=3e-3)
    assert point("automated_share") == pytest.approx(share, abs=1e-4)
    assert point("algorithmic_growth") == pytest.approx(alone * uplift, abs=5e-3)
    assert rate == pytest.approx(1.661, abs=0.01)
    assert at_people == pytest.approx(1.534, abs=0.05)
    assert view.research.taste_spread == pytest.approx(np.log(3.97) / norm.ppf(0.999), abs=1e-4)
