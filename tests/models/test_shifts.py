"""Paired worlds: what each changes, what it leaves, and the published models' own updates."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

from aligntax.models import direct_approach, joint
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.horizon_trend import SHAPES, threshold_date
from aligntax.models.requirements import FLOP_ANCHORS, anchor_requirements, depends_on_shapes
from aligntax.models.shifts import Worlds, shifts, stand_ins
from aligntax.models.time_horizon import superhuman_coder
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, load_view, parse_view
from tests.prior import prior_draws

SIZE = 4000
CROSSING = '[evidence]\nuse = "none"\n[arrival]\nmode = "crossing"\n'


def read(text):
    return parse_view(text, "test.toml")


def worlds(view, evidence, size=SIZE, chance=None, **fixed):
    """Worlds of prior draws; the same z, parameters and chance at every call."""
    tables = view.tables(joint.QUANTITIES)
    draws = prior_draws(tables, size).isel(chain=0).rename(draw="sample")
    x = tables.values(draws["z"].values)
    x |= {name: np.full(size, float(value)) for name, value in fixed.items()}
    chosen = restrict(evidence, view, find_model("joint"))
    chance = chance or Chance.draw(size, np.random.default_rng(3))
    return joint.worlds_of(x, draws.drop_vars("z"), chosen, view, chance)


# ---------------------------------------------------------------------------------------- one world


ALONE = {
    "default": "",
    "time horizon": "[anchors]\ngenome = 0.2\ntime_horizon = 0.7\nnone = 0.1\n",
    "crossing": CROSSING,
    "no time horizon": "[anchors]\ngenome = 0.6\nuser = 0.4\n",
    "only the time horizon": "[anchors]\ntime_horizon = 1.0\n",
    "growth of its own": "[anchors]\ngenome = 0.6\nuser = 0.4\n[algorithms]\ngrowth = {genome = 0.5}\n",
}


def alone(own):
    """The same worlds, of which nothing but arrival is asked."""
    given = own.x, own.gamma, own.parameters, own.accumulated if own.view.evidence.no_tai else None
    return Worlds(*given, own.evidence, own.view, own.trend, own.chance, only_arrival=True)


@pytest.mark.parametrize("text", ALONE.values(), ids=ALONE)
def test_arrival_alone_is_that_of_the_whole_world(evidence, text) -> None:
    """To the last digit: neither weights of shapes nor margins are missed where they were left out."""
    own = worlds(read(text), evidence)
    found = alone(own)
    np.testing.assert_array_equal(found.candidate, own.candidate)
    np.testing.assert_array_equal(found.since, own.since)
    np.testing.assert_array_equal(found.year_alone(), own.year())
    np.testing.assert_array_equal(found.probability, own.probability)


def test_shapes_are_weighed_where_the_anchor_depends_on_them(evidence, view, monkeypatch) -> None:
    """Negative control: with equal weights everywhere some anchors are others."""
    own = worlds(view, evidence)
    k = depends_on_shapes(own.accumulated, view, own.chance)
    horizon = np.flatnonzero(~own.flop)
    assert len(horizon) < len(k) < 0.6 * SIZE and set(horizon) <= set(k)
    monkeypatch.setattr("aligntax.models.shifts.depends_on_shapes", lambda *_: np.empty(0, int))
    assert np.mean(alone(own).candidate[k] != own.candidate[k]) > 0.1


def test_a_world_moved_by_nothing_is_the_same_world(evidence, view) -> None:
    own = worlds(view, evidence)
    np.testing.assert_array_equal(own.moved(own.year(), np.zeros(SIZE)), own.year())


def test_a_higher_requirement_is_a_later_arrival_and_leaves_time_horizons_alone(evidence) -> None:
    own = worlds(read("[anchors]\ngenome = 0.5\ntime_horizon = 0.5\n"), evidence)
    year, later = own.year(), own.moved(own.year(), np.full(SIZE, 1.0))
    assert np.all(later >= year)
    horizon = own.anchor == ANCHORS.index("time_horizon")
    assert 0.3 < horizon.mean() < 0.9
    np.testing.assert_array_equal(later[horizon], year[horizon])
    come = ~horizon & np.isfinite(year)
    assert np.mean(later[come] > year[come]) > 0.99


def test_anchor_probabilities_add_up_over_the_shapes_of_a_time_horizon(evidence) -> None:
    own = worlds(read("[anchors]\ngenome = 0.5\ntime_horizon = 0.4\nnone = 0.1\n"), evidence)
    assert own.probability.shape == (SIZE, len(ANCHORS))
    np.testing.assert_allclose(own.probability.sum(axis=1), 1.0)
    share = np.mean(own.anchor == ANCHORS.index("time_horizon"))
    assert share == pytest.approx(
        own.probability[:, ANCHORS.index("time_horizon")].mean(), abs=0.03
    )
    assert set(np.unique(own.anchor)) == {
        ANCHORS.index(name) for name in ("genome", "time_horizon", "none")
    }


def coder_year(own):
    return superhuman_coder(own.x, own.growth, own.view)["superhuman_coder_year"]


@pytest.mark.parametrize("lag", [0.5, 5.0])
def test_a_time_horizon_arrives_its_lag_after_the_superhuman_coder(lag, evidence) -> None:
    """By plain crossing, to the year's straight line between margins."""
    view = read(CROSSING + "start = 2020.0\n[anchors]\ntime_horizon = 1.0\n")
    straight = dict.fromkeys(("superexponential_weight", "saturating_weight", "kink_weight"), 1e-9)
    own = worlds(view, evidence, superhuman_coder_lag=np.log10(lag), **straight)
    year, coder = own.year(), coder_year(own)
    known = np.isfinite(year) & (year > 2020.5) & np.isfinite(coder)
    assert known.sum() > 1000
    np.testing.assert_allclose(year[known] - coder[known], lag, atol=1e-6)


@pytest.mark.parametrize(
    ("anchor", "own", "other"),
    [
        ("genome", "hazard_steepness", "horizon_steepness"),
        ("time_horizon", "horizon_steepness", "hazard_steepness"),
    ],
)
def test_each_margin_meets_the_steepness_of_its_own_unit(anchor, own, other, evidence) -> None:
    """Per OOM of compute, or per doubling of task length."""
    view = read(f"[anchors]\n{anchor} = 1.0\n")
    years = [worlds(view, evidence, **{own: at}).year() for at in (-0.3, 0.3)]
    assert np.mean(years[0] != years[1]) > 0.5
    same = [worlds(view, evidence, **{other: at}).year() for at in (-0.3, 0.3)]
    np.testing.assert_array_equal(*same)


@pytest.mark.parametrize(
    ("anchor", "decided_by"), [("genome", "shape"), ("time_horizon", "anchor")]
)
def test_the_superhuman_coder_comes_by_the_shape_of_growth_that_the_draw_has(
    anchor, decided_by, evidence
) -> None:
    """By the anchor's own shape where that is a time horizon, else by a uniform: low ones are exponential."""
    low_and_high = replace(
        Chance.draw(2, np.random.default_rng(3)), **{decided_by: np.array([1e-6, 1 - 1e-6])}
    )
    fixed = {
        "time_horizon_level": np.log10(60.0),
        "time_horizon_doubling": np.log10(400.0),
        "doubling_shrink": 0.1,
        "superhuman_coder_horizon": 3.5,
        "horizon_ratio": 0.5,
        "superexponential_weight": 0.5,
        "saturating_weight": 1e-12,
        "kink_weight": 1e-12,
    }
    view = read(CROSSING + f"[anchors]\n{anchor} = 1.0\n")
    own = worlds(view, evidence, 2, low_and_high, **fixed)
    straight, curved = (threshold_date(own.x, shape, view)[0] for shape in SHAPES[:2])
    assert curved + 1 < straight < view.arrival.horizon
    np.testing.assert_allclose(coder_year(own), [straight, curved], rtol=1e-12)


def test_algorithms_that_progress_faster_for_an_anchor_bring_it_forward_and_no_other(
    evidence,
) -> None:
    base = CROSSING + "[anchors]\ngenome = 0.5\nevolution = 0.5\n"
    plain, fast = (
        worlds(read(base + more), evidence)
        for more in ("", "[algorithms]\ngrowth = {genome = 2.0}\n")
    )
    np.testing.assert_array_equal(plain.anchor, fast.anchor)
    genome = plain.anchor == ANCHORS.index("genome")
    np.testing.assert_array_equal(plain.year()[~genome], fast.year()[~genome])
    before, after = plain.year()[genome], fast.year()[genome]
    # where the wide prior lets algorithms lose, they lose faster
    assert np.mean(after > before) < 0.02
    come = np.isfinite(before)
    assert np.median(before[come] - after[come]) > 0.5


def test_an_anchors_arrival_is_where_its_own_path_crosses_its_requirement(evidence) -> None:
    view = read(
        CROSSING
        + "[anchors]\ngenome = 1.0\n[algorithms]\ngrowth = {genome = 0.5}\nlimit = {genome = 1.0}\n"
    )
    own = worlds(view, evidence)
    year = own.year()
    known = np.isfinite(year) & (year > view.arrival.start)
    trend = Trend.of(evidence, view)
    at = {name: value[known] for name, value in own.x.items()}
    reached = trend.physical(at, year[known]) + trend.algorithms(at, year[known], 0.5, 1.0)
    # yearly grid, straight between
    np.testing.assert_allclose(reached, own.needed[known], atol=0.15)


# ------------------------------------------------------------------------------ the models' updates


def test_every_draw_stands_in_in_proportion_to_its_weight() -> None:
    """Uniforms on a grid above a rejected draw's weight fall on all draws, as often as their weights say."""
    weight = np.array([0.5, 0.2, 0.1, 0.0, 0.2])
    grid = 0.5 + 0.5 * (np.arange(1000) + 0.5) / 1000
    chosen = [stand_ins(weight, np.full(5, u), np.array([0]))[0] for u in grid]
    np.testing.assert_allclose(np.bincount(chosen, minlength=5) / 1000, weight, atol=1e-3)


def test_requirements_above_low_flop_have_the_truncated_distribution(evidence) -> None:
    """Kolmogorov-Smirnov against the same requirements cut at the bound; anchors keep their weights."""
    low = 30.0
    base = CROSSING + "[anchors]\ngenome = 0.5\nevolution = 0.5\n"
    plain = worlds(read(base), evidence, 20_000)
    cut = worlds(read(base + "[requirement]\nlow_flop = 1e30\n"), evidence, 20_000)
    np.testing.assert_array_equal(plain.anchor, cut.anchor)
    assert cut.needed.min() > low
    genome = plain.anchor == ANCHORS.index("genome")
    assert np.mean(plain.needed[genome] <= low) > 0.1
    kept = plain.needed[genome & (plain.needed > low)]
    assert kstest(cut.needed[genome], kept).pvalue > 0.01
    assert kstest(plain.needed[genome], kept).pvalue < 1e-6  # and without the bound it is another


def test_the_direct_approachs_update_weighs_requirements_by_their_survival(evidence) -> None:
    base = CROSSING + "[anchors]\ndirect_approach = 1.0\n[direct_approach]\nyear = 2020.0\n"
    plain, updated = (
        worlds(read(base + more), evidence, 20_000) for more in ("", 'update = "published"\n')
    )
    weight = direct_approach.survival(plain.needed)
    for p in (0.1, 0.5, 0.8):
        order = np.argsort(plain.needed)
        total = np.cumsum(weight[order]) / weight.sum()
        expected = plain.needed[order][np.searchsorted(total, p)]
        assert np.quantile(updated.needed, p) == pytest.approx(expected, abs=0.3)
    assert np.median(updated.needed) > np.median(plain.needed) + 0.5


def test_a_bound_above_every_requirement_is_an_error(evidence) -> None:
    with pytest.raises(
        InputError, match=r"low_flop of 1e\+59: must leave some requirement of genome possible"
    ):
        worlds(
            read(CROSSING + "[anchors]\ngenome = 1.0\n[requirement]\nlow_flop = 1e59\n"),
            evidence,
            200,
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[requirement]\nlow_flop = 1e24\n",
            r"requirement\.low_flop: is contained in the evidence of no TAI",
        ),
        (
            '[direct_approach]\nupdate = "published"\n',
            r"direct_approach\.update: is contained in the evidence of no TAI",
        ),
    ],
)
def test_no_update_counts_twice(text, message, evidence) -> None:
    with pytest.raises(InputError, match=message):
        joint.build(evidence, read(text))


# --------------------------------------------------------------------------------------- each shift


def test_the_exponents_shift_against_its_prior_centres_on_nothing_without_evidence(
    evidence,
) -> None:
    """Posterior and prior are then the same distribution, but for the spread between regimes."""
    view = read(
        CROSSING + "[anchors]\nmedium_horizon = 1.0\n[scaling]\nbetween_study_scale = 0.001\n"
    )
    own = worlds(view, evidence, 20_000)
    shift = shifts(own)["timeline_shift_exponent_prior"]
    known = shift[np.isfinite(shift)]
    assert abs(np.mean(known > 0) - np.mean(known < 0)) < 0.03


def test_correlations_move_only_the_direct_approach_and_keep_every_margin(evidence, view) -> None:
    others = worlds(load_view("bioanchors-alone"), evidence, 500)
    assert np.nanmax(np.abs(shifts(others)["timeline_shift_correlation"])) == 0.0
    rows = direct_approach.fits(evidence.only(["loss_laws"]))
    rng = np.random.default_rng(4)
    at = view.replace(loss_law={"parameters": 1e9, "tokens": 2e10})  # the row's own reference
    law = rng.multivariate_normal(rows["mean"].values[0], rows["covariance"].values[0], 50_000).T
    x = dict(zip(direct_approach.LAW, law, strict=True))
    apart = direct_approach.independent(x, evidence.only(["loss_laws"]), at)
    one = np.asarray([9.0, np.log10(2e10)])
    for name, exponent, log_reference in zip(
        ("parameter_loss", "data_loss"), ("alpha", "beta"), one, strict=True
    ):
        # log10 A and log10 B
        before, after = (d[name] + d[exponent] * log_reference for d in (x, apart))
        assert after.mean() == pytest.approx(before.mean(), abs=0.005)
        assert after.std() == pytest.approx(before.std(), rel=0.02)
        assert spearmanr(before, x[exponent]).statistic > 0.9
        assert abs(spearmanr(after, apart[exponent]).statistic) < 0.02
    assert not direct_approach.independent(x, evidence.only([]), at)


def test_by_the_direct_approach_correlations_narrow_the_requirement(evidence) -> None:
    """A, B, alpha and beta that go together say more about the compute that a loss takes than each alone."""
    view = read("[anchors]\ndirect_approach = 1.0\n[loss_law]\nparameters = 1e9\ntokens = 2e10\n")
    rows = direct_approach.fits(evidence.only(["loss_laws"]))
    law = (
        np.random.default_rng(5)
        .multivariate_normal(rows["mean"].values[0], rows["covariance"].values[0], 5000)
        .T
    )
    x = dict(zip(direct_approach.LAW, law, strict=True))
    x |= {"human_slowdown": np.full(5000, 1.73), "task_tokens": np.full(5000, 4.3)}
    apart = x | direct_approach.independent(x, evidence, view)
    spread = [np.std(direct_approach.requirement(each, view)) for each in (x, apart)]
    assert spread[0] < 0.5 * spread[1]


def test_parts_of_the_alignment_shift_add_up_wherever_it_is_finite(evidence, view) -> None:
    found = shifts(worlds(view, evidence))
    total = found["timeline_shift_alignment"]
    finite = np.isfinite(total)
    parts = sum(found[f"timeline_shift_alignment_{part}"] for part in ("compute", "tax", "work"))
    np.testing.assert_allclose(parts[finite], total[finite], atol=1e-9)
    taxed_away = np.isinf(found["timeline_shift_alignment_compute"])
    assert np.all(np.isnan(total[taxed_away]))


def test_a_delay_is_told_where_the_wait_ends_and_only_there(evidence, view) -> None:
    found = shifts(worlds(view, evidence))
    arrives, ends = np.isfinite(found["tai_year"]), found["alignment_ends"]
    np.testing.assert_array_equal(np.isnan(ends), ~arrives)
    assert 0 < np.nanmean(ends) < 1
    for name in ("timeline_shift_alignment", "tai_year_aligned"):
        np.testing.assert_array_equal(np.isfinite(found[name]), ends == 1)
        assert np.all(np.isnan(found[name][ends != 1])), name


def test_every_anchor_has_its_requirement_in_its_own_draws(evidence, view) -> None:
    own = worlds(view, evidence)
    each = anchor_requirements(own.x, own.gamma, own.evidence, view)
    for k in range(len(FLOP_ANCHORS)):
        mine = own.candidate == k
        np.testing.assert_array_equal(
            own.needed[mine], np.broadcast_to(each[k], own.gamma.shape)[mine]
        )
