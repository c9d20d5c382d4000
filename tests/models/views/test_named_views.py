"""Each named view says what its author said: it loads, differs from the default where its name says, and arrives somewhere."""

import re

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.inference.derive import derive
from aligntax.models import requirements
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.joint import log_no_tai
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED
from aligntax.models.priors.specification import flatten
from aligntax.models.priors.tables import QuantileTable
from aligntax.models.requirements import milestones
from aligntax.models.views import View, load_view, view_names
from tests.prior import prior_draws

NAMED = [name for name in view_names() if name != "default"]
EXPECTED = (
    "bioanchors-2020", "bioanchors-alone", "chinchilla-naive", "cotra-2022", "direct-approach-2023", "direct-approach-joint",
    "direct-approach-optimal",
    "hilton-2022", "leike-2023", "steiner-2022", "vague",
)  # fmt: skip
JOINT = find_model("joint")
CERTAIN = ("ai-futures-2026", "kwa-2026")  # published models in which every trajectory arrives


def table(view: View, name: str) -> QuantileTable:
    return compile_prior(name, view.quantities[name])


def quantile(view: View, name: str, p: float) -> float:
    """On the link: log10 of a log10 quantity."""
    return float(table(view, name).quantile(p, 1 - p))


def changed(view: View, base: View) -> set[str]:
    return {name for name in ELICITED if view.quantities[name] != base.quantities[name]}


@pytest.fixture(scope="module")
def push(evidence):
    """``push(name, base)``: 20,000 prior draws through the joint model, and arrivals with "later than the horizon" as infinity."""
    done: dict[tuple[str, str], tuple[xr.Dataset, np.ndarray]] = {}

    def forward(name: str, base: str = "") -> tuple[xr.Dataset, np.ndarray]:
        if (name, base) not in done:
            view = load_view(name, load_view(base) if base else None)
            tables = view.tables(JOINT.quantities)
            draws = prior_draws(tables, 20_000)
            rng = np.random.default_rng(1)
            derived = derive(JOINT, draws, tables, restrict(evidence, view, JOINT), view, rng)
            year = derived["tai_year"].values.ravel()
            if "tai_year_state" in derived:  # left out where every draw arrives
                year = np.where(derived["tai_year_state"].values.ravel() == 1, np.inf, year)
            done[name, base] = derived, year
        return done[name, base]

    return forward


# --------------------------------------------------------------------------------------- every view


def test_the_documented_views_exist() -> None:
    assert set(EXPECTED) <= set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_a_view_says_whose_it_is(name) -> None:
    view = load_view(name)
    assert view.name == name
    assert len(view.title) > 10
    assert len(view.source) > 10
    assert view.title != load_view("default").title


@pytest.mark.parametrize("name", NAMED)
def test_every_changed_prior_keeps_what_was_said_apart_from_how_it_was_read(name, view) -> None:
    mine = load_view(name)
    differing = changed(mine, view)
    others = ("anchors", "evidence", "correlations", "alignment")
    assert differing or any(getattr(mine, of) != getattr(view, of) for of in others)
    for quantity in differing:
        spec = mine.quantities[quantity]
        assert len(spec["source"]) > 10, quantity
        assert re.search(r"\b(seen|secondary|computed|memory)\b", spec["source"]), (
            f"{quantity}: status of its source"
        )
        assert re.fullmatch(r"Stated: .+ Our reading: .+", spec["rationale"]), (
            f"{quantity}: {spec['rationale']}"
        )


@pytest.mark.parametrize("name", NAMED)
def test_every_view_compiles_for_the_joint_model(name, evidence) -> None:
    """Tables increase, and the draw's probability of no TAI so far is one that the joint model can work with."""
    view = load_view(name)
    tables = view.tables(JOINT.quantities)
    assert np.all(np.diff(tables.y, axis=1) > 0)
    assert np.all(tables.slope > 0)
    draws = prior_draws(tables, 50)
    x = {quantity: value.ravel() for quantity, value in tables.values(draws["z"].values).items()}
    parameters = draws.drop_vars("z").isel(chain=0, drop=True)
    assert np.all(np.isfinite(log_no_tai(x, parameters, restrict(evidence, view, JOINT), view)))


@pytest.mark.parametrize("name", NAMED)
def test_every_draw_of_a_view_arrives_or_is_censored(name, push) -> None:
    derived, year = push(name)
    view = load_view(name)
    met = np.isfinite(year)
    if name in CERTAIN:
        assert met.all()
    else:
        assert set(np.unique(derived["tai_year_state"])) <= {0, 1}
        assert 0.2 < met.mean() < 1.0
    assert np.all((year[met] >= view.arrival.start) & (year[met] <= view.arrival.horizon))
    for quantity in ("alignment_hours_needed", "alignment_tax", "training_cost_at_tai"):
        assert np.array_equal(np.isfinite(derived[quantity].values.ravel()), met), quantity


# ------------------------------------------------------------------------------ what each view says


def test_steiner_stays_within_two_orders_of_magnitude_and_prefers_none_of_them(view) -> None:
    steiner = load_view("steiner-2022")
    assert changed(steiner, view) == {"rlhf_multiplier"}
    multiplier = table(steiner, "rlhf_multiplier")
    assert multiplier.cdf(2.0) - multiplier.cdf(-2.0) == pytest.approx(0.95, abs=2e-3)
    assert multiplier.cdf(1.0) - multiplier.cdf(0.0) == pytest.approx(
        multiplier.cdf(2.0) - multiplier.cdf(1.0), abs=2e-3
    )


def test_hilton_means_thousands_of_hours_and_one_per_cent_pretty_likely(view) -> None:
    hilton = load_view("hilton-2022")
    hours = table(hilton, "practice_hours")
    assert hours.cdf(4.0) - hours.cdf(3.0) == pytest.approx(0.90, abs=1e-3)
    multiplier = table(hilton, "rlhf_multiplier")
    assert multiplier.cdf(2.0) - multiplier.cdf(-2.0) == pytest.approx(0.95, abs=0.01)
    # 1% of the cost of the final run, as a share of development cost
    ratio = 10 ** quantile(view, "rnd_ratio", 0.5)
    one_percent = np.log10(0.01 / ratio)
    assert table(hilton, "alignment_tax_tolerance").sf(one_percent) == pytest.approx(0.75, abs=5e-3)
    for p in (0.05, 0.95):  # he names no ends
        assert quantile(hilton, "alignment_tax_tolerance", p) == pytest.approx(
            quantile(view, "alignment_tax_tolerance", p), abs=1e-4
        )
    assert quantile(hilton, "data_exponent_prior", 0.5) == pytest.approx(0.0, abs=1e-9)
    assert hilton.evidence == view.evidence


def test_leike_finds_ten_per_cent_probably_acceptable(view) -> None:
    leike = load_view("leike-2023")
    assert changed(leike, view) == {"alignment_tax_tolerance"}
    assert table(leike, "alignment_tax_tolerance").sf(-1.0) == pytest.approx(0.75, abs=1e-3)


def test_the_default_tolerance_is_the_pool_of_hilton_and_leike(view) -> None:
    name = "alignment_tax_tolerance"
    experts = [table(load_view(expert), name) for expert in ("hilton-2022", "leike-2023")]
    for p, value in flatten(view.quantities[name]["quantiles"]).items():
        pool = np.mean([expert.cdf(np.log10(value)) for expert in experts])
        assert pool == pytest.approx(float(p), abs=2e-3), p
    # either alone is another belief
    for expert in experts:
        assert abs(expert.cdf(np.log10(0.056)) - 0.5) > 0.2


def published_interval(evidence: Evidence, key: str) -> tuple[float, float]:
    """The 80% interval of a row of scaling_exponents, as log10 of the data exponent."""
    rows = evidence["scaling_exponents"]
    note = str(rows["note"].values[list(rows["study"].values).index(key)])
    low, high = map(float, re.search(r"80% interval ([\d.]+)-([\d.]+)", note).groups())
    return float(np.log10((1 - high) / high)), float(np.log10((1 - low) / low))


def test_chinchilla_at_face_value_is_the_published_interval(evidence, view) -> None:
    """Approach 1's interval is one of 80%, and so is the mass inside; approach 2's wider one holds nearly all."""
    naive = load_view("chinchilla-naive")
    assert changed(naive, view) == {"data_exponent_prior"}
    gamma = table(naive, "data_exponent_prior")
    low, high = published_interval(evidence, "hoffmann2022_approach1")
    assert gamma.cdf(low) == pytest.approx(0.1, abs=1e-3)
    assert gamma.sf(high) == pytest.approx(0.1, abs=1e-3)
    low, high = published_interval(evidence, "hoffmann2022_approach2")
    assert gamma.cdf(high) - gamma.cdf(low) > 0.99
    assert quantile(naive, "data_exponent_prior", 0.5) == pytest.approx(0.0, abs=1e-9)


def used_inputs(evidence: Evidence) -> dict[str, tuple[str, str, float]]:
    """Rows of bio_anchors that the project reads as Cotra's: key -> quantity, anchor, median."""
    rows = evidence["bio_anchors"]
    keys = rows[next(iter(rows.dims))].values
    columns = (rows[name].values for name in ("quantity", "anchor", "median", "used"))
    return {
        key: (q, anchor, m) for key, q, anchor, m, used in zip(keys, *columns, strict=True) if used
    }


def test_bio_anchors_has_the_published_weights_and_the_requirements_of_the_re_implementation(
    evidence,
) -> None:
    view, published = load_view("bioanchors-2020"), used_inputs(evidence)
    weights = {anchor: m for q, anchor, m in published.values() if q == "weight"}
    weights["none"] = weights.pop("all")
    assert {anchor: w for anchor, w in view.anchors.items() if w > 0} == pytest.approx(weights)
    coded = evidence["published_requirements"]
    for anchor in ("lifetime", "genome", "evolution"):
        row = coded.sel(requirement=f"cotra_{anchor}_fam")
        for q, p in (("q10", 0.1), ("q50", 0.5), ("q90", 0.9)):
            assert quantile(view, f"{anchor}_flop", p) == pytest.approx(row[q].item(), abs=1e-4)
    middle = np.log10(published["data_exponent"][2])
    assert quantile(view, "data_exponent_prior", 0.5) == pytest.approx(middle, abs=1e-6)
    for anchor in ("short", "medium", "long"):
        middle = np.log10(published[f"horizon_{anchor}"][2])
        assert quantile(view, f"horizon_{anchor}", 0.5) == pytest.approx(middle, abs=1e-3)


def test_bio_anchors_flop_and_parameters_have_the_distribution_that_the_re_implementation_samples() -> (
    None
):
    """Brain lognormal 90% 11 to 19.5, plus 1, plus normal -2 to 2 for transformative; parameters without the last."""
    rng, z = np.random.default_rng(1), 1.6448536
    brain = np.exp(rng.normal(np.log(11 * 19.5) / 2, np.log(19.5 / 11) / 2 / z, 400_000)) + 1
    flop, per_parameter = brain + rng.normal(0, 2 / z, 400_000), rng.normal(1.5, 0.5 / z, 400_000)
    view = load_view("bioanchors-2020")
    tables = view.tables(("brain_flop", "flop_per_parameter"))
    x = tables.values(rng.standard_normal((400_000, 2)) @ tables.cholesky.T)
    p = [0.05, 0.25, 0.5, 0.75, 0.95]
    assert np.quantile(x["brain_flop"], p) == pytest.approx(np.quantile(flop, p), abs=0.06)
    parameters = x["brain_flop"] - x["flop_per_parameter"]
    assert np.quantile(parameters, p) == pytest.approx(
        np.quantile(brain - per_parameter, p), abs=0.2
    )


def test_bio_anchors_has_the_published_path_of_compute(evidence) -> None:
    view, published = (
        load_view("bioanchors-2020"),
        {key: m for key, (_, _, m) in used_inputs(evidence).items()},
    )
    assert view.compute.reference_year == 2025.5  # the middle of the sheet's first year
    halving = np.log10(2) / published["hardware_halving"]
    expected = {
        "spend_level": np.log10(published["spend_2025"]),
        "spend_growth": np.log10(2) / published["spend_doubling_fam"],
        "spend_growth_ratio": 1.0,
        "spend_cap": np.log10(
            published["spend_cap"] * published["gdp_fam"] / evidence.constant("world_product_2025")
        ),
        "world_product_growth": np.log10(1 + published["gdp_growth"]),
        "hardware_level": np.log10(published["hardware_2020"]) + halving * 5,
        "hardware_growth": halving,
        "hardware_limit": np.log10(published["hardware_cap_fam"]),
        "largest_run_offset": 0.0,
        "algorithmic_growth": np.log10(2) / published["algorithm_halving_medium"],
        "algorithmic_limit": published["algorithm_cap_low_fam"],
    }
    for name, value in expected.items():
        assert quantile(view, name, 0.5) == pytest.approx(value, abs=1e-4), name
        assert quantile(view, name, 0.95) - quantile(view, name, 0.05) < 1e-3, (
            f"{name}: her path is one curve"
        )
    slower = published["algorithm_halving_medium"] / published["algorithm_halving_short"]
    assert view.algorithms.growth["short_horizon"] == pytest.approx(slower, abs=1e-5)


@pytest.mark.parametrize(
    ("preset", "flop"), [("aggressive", 33.0), ("best", 36.0), ("conservative", 40.0)]
)
def test_the_full_takeoff_presets_are_points_of_2022_with_a_milestone_of_their_own(
    preset, flop
) -> None:
    view = load_view(f"takeoff-{preset}")
    assert quantile(view, "user_flop", 0.5) == pytest.approx(flop)
    assert view.algorithms.since == 2022.0
    assert milestones(view) == {"user": "full automation of cognitive work"}


def test_bio_anchors_of_today_keeps_her_requirements_and_learns_the_rest(view) -> None:
    today, then = load_view("bioanchors-today"), load_view("bioanchors-2020")
    for name in (*requirements.QUANTITIES, "data_exponent_prior"):
        assert quantile(today, name, 0.5) == quantile(then, name, 0.5), name
    for name in ("spend_level", "hardware_growth", "algorithmic_growth"):
        assert quantile(today, name, 0.9) == quantile(view, name, 0.9), name
    assert today.requirement.low_flop is None  # the evidence of no TAI says it
    assert today.evidence.no_tai


KINDS = (requirements.BIO_ANCHORS, ("direct_approach",), ("time_horizon",), ("user",))


def test_the_default_gives_each_kind_of_requirement_a_quarter(view) -> None:
    """None is preferred; within Bio Anchors, "none" in it, the published weights of 2020 stand."""
    weights = view.anchors
    bio = {name: weights[name] for name in (*requirements.BIO_ANCHORS, "none")}
    assert sum(bio.values()) == pytest.approx(0.25)
    assert all(sum(weights[name] for name in kind) == 0.25 for kind in KINDS[1:])
    published = load_view("bioanchors-2020").anchors
    assert {name: weight / 0.25 for name, weight in bio.items()} == pytest.approx(
        {name: published[name] for name in bio}
    )
    assert milestones(view)["user"] == "full automation of cognitive work"


def test_the_defaults_user_requirement_is_the_takeoff_presets_in_its_own_algorithms(view) -> None:
    """10, 50 and 90%: the presets, dearer by the progress between their algorithms' year and the default's."""
    growth = quantile(view, "algorithmic_growth", 0.5)
    for p, preset in ((0.1, "aggressive"), (0.5, "best"), (0.9, "conservative")):
        theirs = load_view(f"takeoff-{preset}")
        between = (theirs.algorithms.since - view.algorithms.since) * growth
        assert between == pytest.approx(0.6)
        stated = quantile(theirs, "user_flop", 0.5)
        assert quantile(view, "user_flop", p) == pytest.approx(stated + between, abs=1e-3)


def test_bio_anchors_alone_is_the_default_with_one_kind_of_requirement(view) -> None:
    alone = load_view("bioanchors-alone")
    assert changed(alone, view) == set()
    assert alone.anchors == pytest.approx(dict(load_view("bioanchors-2020").anchors))
    assert (alone.algorithms, alone.arrival, alone.evidence) == (
        view.algorithms,
        view.arrival,
        view.evidence,
    )


def test_who_speaks_to_no_anchors_has_the_defaults(view) -> None:
    for name in ("hilton-2022", "steiner-2022", "leike-2023", "chinchilla-naive", "vague"):
        assert load_view(name).anchors == view.anchors, name
        assert load_view(name).algorithms == view.algorithms, name


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("bioanchors-2020", 2025.5),
        ("bioanchors-exponent", 2025.5),
        ("cotra-2022", 2025.5),
        ("direct-approach-2023", 2023.0),
        ("direct-approach-optimal", 2023.0),
        ("direct-approach-joint", 2023.0),
    ],
)
def test_published_models_count_their_limit_from_their_start_and_have_no_floor(name, since) -> None:
    algorithms = load_view(name).algorithms
    assert algorithms.limit_since == algorithms.since == since
    assert algorithms.limit_floor == "none"


def test_what_learns_from_today_counts_the_limit_as_the_default_does(view) -> None:
    assert (view.algorithms.limit_since, view.algorithms.limit_floor) == (2023.0, "progress")
    for name in ("bioanchors-today", "bioanchors-alone", "takeoff-best", "vague"):
        mine = load_view(name).algorithms
        assert (mine.limit_since, mine.limit_floor) == (2023.0, "progress"), name


@pytest.mark.parametrize("name", ["bioanchors-2020", "cotra-2022", "direct-approach-2023"])
def test_published_forecasts_cross_and_are_held_against_nothing(name) -> None:
    view = load_view(name)
    assert view.arrival.mode == "crossing"
    assert view.evidence.use == "none"


def test_the_two_year_update_is_the_report_with_other_weights_and_cheaper_compute() -> None:
    report, update = load_view("bioanchors-2020"), load_view("cotra-2022")
    assert changed(update, report) == {"hardware_level"}
    assert quantile(update, "hardware_level", 0.5) == pytest.approx(18.57, abs=1e-3)
    assert update.arrival == report.arrival
    assert update.compute == report.compute
    sooner, later = ("lifetime", "short_horizon"), ("long_horizon", "evolution", "none")
    assert all(update.anchors[anchor] > report.anchors[anchor] for anchor in sooner)
    assert all(update.anchors[anchor] < report.anchors[anchor] for anchor in later)


def test_the_direct_approach_is_stated_as_its_program_states_it(evidence) -> None:
    """Its requirement and arrivals are compared with the program's in test_direct_approach.py."""
    view = load_view("direct-approach-2023")
    assert view.anchors["direct_approach"] == 1.0
    assert (
        view.algorithms.since == view.direct_approach.year == view.compute.reference_year == 2023.0
    )
    assert (view.loss_law.parameters, view.loss_law.tokens) == (1.0, 1.0)
    for name, middle, sd in (("parameter_loss", 482.01, 25.0), ("data_loss", 2085.43, 25.0)):
        for z, p in ((-1.0, 0.158655), (0.0, 0.5), (1.0, 0.841345)):
            assert 10 ** quantile(view, name, p) == pytest.approx(middle + z * sd, rel=1e-3)
    for name, low, high in (("human_slowdown", 9.84, 290.0), ("task_tokens", 3129.0, 141714.0)):
        for p, value in ((0.15, low), (0.85, high)):
            assert 10 ** quantile(view, name, p) == pytest.approx(value, rel=1e-3)
    for p, limit in (
        (0.1, evidence.constant("algorithm_limit_low")),
        (0.9, evidence.constant("algorithm_limit_high")),
    ):
        assert quantile(view, "algorithmic_limit", p) == pytest.approx(limit, abs=0.011), p


def test_the_direct_approach_has_the_published_growth_of_spending_and_its_cap(
    evidence, view
) -> None:
    direct = load_view("direct-approach-2023")
    for p, percent in ((0.1, 146.0), (0.9, 246.0)):
        assert 100 * (10 ** quantile(direct, "spend_growth", p) - 1) == pytest.approx(
            percent, abs=0.1
        )
    for p, key in ((0.025, "spend_share_cap_low"), (0.975, "spend_share_cap_high")):
        assert 10 ** quantile(direct, "spend_cap", p) == pytest.approx(
            evidence.constant(key), rel=0.1
        ), "cut, so not exact"
    for p, key in ((0.1, "world_product_growth_low"), (0.9, "world_product_growth_high")):
        assert 10 ** quantile(direct, "world_product_growth", p) - 1 == pytest.approx(
            evidence.constant(key), rel=1e-3
        )


# Where doubling below the median would leave the physical range, that side stays.
LOWER_SIDE_STAYS = {"hardware_limit", "algorithmic_growth", "largest_run_offset", "labour_overhead"}
# sigma doubled on the log
POSITIVE = {"algorithmic_limit", "label_efficiency_limit", "irreducible_loss", "alpha", "beta"}


@pytest.mark.parametrize("name", sorted(ELICITED))
def test_vague_is_the_default_twice_as_wide_about_the_same_median(name, view) -> None:
    vague = load_view("vague")
    middle = quantile(view, name, 0.5)
    width = quantile(view, name, 0.95) - quantile(view, name, 0.05)
    assert quantile(vague, name, 0.5) == pytest.approx(middle, abs=0.05 * width), (
        "cut priors move a little"
    )
    assert quantile(vague, name, 0.95) - quantile(vague, name, 0.05) >= 1.5 * width
    if "bounds" in view.quantities[name]:
        assert "bounds" in vague.quantities[name]
        return
    for p in (0.05, 0.25, 0.75, 0.95):
        factor = 1.0 if name in LOWER_SIDE_STAYS and p < 0.5 else 2.0
        before, after = quantile(view, name, p), quantile(vague, name, p)
        if name in POSITIVE:
            assert np.log(after / middle) == pytest.approx(2 * np.log(before / middle), abs=1e-3), p
        # between, the curve through unequal sides bends
        elif name not in LOWER_SIDE_STAYS or p in (0.05, 0.95):
            assert after - middle == pytest.approx(factor * (before - middle), abs=2e-3 * width), p


@pytest.mark.parametrize("name", ["hardware_limit", "labour_overhead"])
def test_vague_states_the_doubled_quantiles_of_cut_priors(name, view) -> None:
    to_link = ELICITED[name].to_link
    before, after = (
        {float(p): float(to_link(v)) for p, v in flatten(of.quantities[name]["quantiles"]).items()}
        for of in (view, load_view("vague"))
    )
    assert after[0.05] == pytest.approx(before[0.05])
    assert after[0.5] == pytest.approx(before[0.5])
    assert after[0.95] - after[0.5] == pytest.approx(2 * (before[0.95] - before[0.5]), abs=1e-3)
    assert after[0.05] > to_link(view.quantities[name]["bounds"][0])


def test_vague_differs_in_every_prior_and_in_nothing_else(view) -> None:
    vague = load_view("vague")
    assert changed(vague, view) == set(ELICITED)
    for section in (
        "anchors",
        "correlations",
        "evidence",
        "scaling",
        "loss_law",
        "compute",
        "arrival",
        "alignment",
    ):
        assert getattr(vague, section) == getattr(view, section), section


# ------------------------------------------------------------------------ beside what was published


def by_the_end_of(evidence: Evidence, prefix: str) -> dict[int, float]:
    """Published probabilities of arrival by the end of whole years."""
    rows = evidence["published_forecasts"]
    keys = rows[next(iter(rows.dims))].values
    each = zip(keys, rows["year"].values, rows["probability"].values, strict=True)
    return {
        int(year): p
        for key, year, p in each
        if key.startswith(prefix) and year == int(year) and p != 0.5
    }


def test_the_direct_approach_is_reproduced(evidence, push) -> None:
    """Within 3 points of the program's rerun at every published year; the last is the horizon's, 2100.0, not its end."""
    _, year = push("direct-approach-2023")
    published = by_the_end_of(evidence, "direct_approach_rerun_")
    assert len(published) >= 5
    for end, probability in published.items():
        assert np.mean(year < end + 1) == pytest.approx(probability, abs=0.03), end
    # published 2034, a whole year
    assert np.quantile(year, 0.5, method="nearest") == pytest.approx(2035.0, abs=1.0)


def test_the_update_of_2022_is_sooner_than_the_report(push) -> None:
    _, report = push("bioanchors-2020")
    _, update = push("cotra-2022")
    middle, earlier = (np.quantile(year, 0.5, method="nearest") for year in (report, update))
    assert earlier == pytest.approx(2040, abs=4)  # as she said
    assert middle - earlier > 8


def test_a_linear_exponent_moves_arrival_later_by_years(push) -> None:
    """To the extent that one weighs the neural-network anchors: a fifth of the weight moves the median less."""

    def median(name: str, base: str = "") -> float:
        return float(np.quantile(push(name, base)[1], 0.5, method="nearest"))

    alone = median("chinchilla-naive", "bioanchors-alone") - median("bioanchors-alone")
    mixed = median("chinchilla-naive") - median("default")
    assert 0.5 < alone < 6.0
    assert 0.0 < mixed < 0.5 * alone
    for base in ("", "bioanchors-alone"):
        shift = push("chinchilla-naive", base)[0]["timeline_shift_exponent"].values.ravel()
        assert np.nanmean(shift) > 0


def test_beliefs_about_alignment_alone_do_not_move_arrival(push) -> None:
    _, default = push("default")
    for name in ("steiner-2022", "leike-2023"):
        assert np.array_equal(push(name)[1], default)


def test_a_higher_tolerance_makes_alignment_affordable_more_often(push) -> None:
    affordable = {
        name: float(push(name)[0]["prob_affordable"].mean()) for name in ("leike-2023", "default")
    }
    assert affordable["leike-2023"] > affordable["default"] + 0.02
