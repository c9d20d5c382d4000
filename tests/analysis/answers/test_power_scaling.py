"""Sensitivities with an error level: what chance shows is not told, what is real is, and few draws contradict no more."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr
from scipy.stats import norm, rankdata

from aligntax.analysis.answers import sensitivity_wording as wording
from aligntax.analysis.answers.power_scaling import (
    CONFLICT,
    NOISE,
    NOTHING,
    OK,
    OPEN,
    PRIOR_ONLY,
    STRONG,
    THRESHOLD,
    Ranks,
    Sensitivity,
    diagnosis,
    power_scaling,
)
from aligntax.analysis.answers.prior_answers import answers_of_priors, untouched
from aligntax.analysis.answers.sensitivity import analyse_drivers, sensitivity_of_result
from aligntax.analysis.answers.sensitivity_draws import GROUPS, SensitivityDraws
from aligntax.analysis.inference.graphs.live import structural_variables
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.summaries.summary import Series
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import MODELS, find_model, restrict
from tests.horizon_runs import World, simulated

SHAPE = (4, 1000)
EQUAL = Weights.equal(SHAPE)


def normals(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def posterior(centre, draws=1000, data_sd=1.0, others=0, seed=0):
    """Draws of z given one observation, prior N(0, 1), and of other quantities that nothing informs."""
    precision = 1.0 + 1.0 / data_sd**2
    z = normals(4, draws, 1 + others, seed=seed)
    z[..., 0] = centre / data_sd**2 / precision + z[..., 0] / np.sqrt(precision)
    return SensitivityDraws(
        answers={"y": Series("y", z[..., 0])},
        names=tuple(f"q{i}" for i in range(1 + others)),
        z=z,
        log_prior=-0.5 * np.sum(z**2, axis=-1),
        log_likelihood={"evidence": -0.5 * ((centre - z[..., 0]) / data_sd) ** 2},
        prior_only=(),
        weights=Weights.equal((4, draws)),
    )


def diagnosed(draws):
    return analyse_drivers(draws)["headlines"]["y"]["diagnosis"]


# ------------------------------------------------------------------------------------- the distance


def test_the_distance_is_arvizs_on_ranks():
    from arviz_stats import psense

    draws = posterior(1.0)
    z, likelihood = draws.z[..., 0], draws.log_likelihood["evidence"]
    dims = ("chain", "draw")
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"y": (dims, rankdata(z).reshape(SHAPE))}),
            "log_prior": xr.Dataset({"z": (dims, draws.log_prior)}),
            "log_likelihood": xr.Dataset({"evidence": (dims, likelihood)}),
        }
    )
    ranks = Ranks(np.exp(z).ravel())
    for group, term in (("prior", draws.log_prior), ("likelihood", likelihood)):
        # ArviZ takes differences of one per cent, of smoothed weights
        theirs = float(psense(tree, group=group)["y"])
        assert ranks.distance(term.ravel()) == pytest.approx(theirs, rel=5e-3)


def test_the_distance_of_a_shift_is_the_integral():
    """A weight exp(alpha z) shifts a normal z by alpha: C(u) = -phi(Phi^-1(u))."""
    z = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    u = np.arange(1, 20_000) / 20_000
    exact = np.sqrt(np.log(2) / 4 * np.mean(norm.pdf(norm.ppf(u)) ** 2 / u))
    assert Ranks(z).distance(z) == pytest.approx(exact, rel=1e-3)
    assert Ranks(-z).distance(z) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("probability", [0.03, 0.3, 0.5, 0.9])
def test_an_answer_of_0_or_1_scores_a_shift_like_a_continuous_one(probability):
    z = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    whole = Ranks(z).distance(z)
    happens = Ranks((z < norm.ppf(probability)).astype(float))
    assert happens.distance(z) == pytest.approx(whole, rel=1e-3)
    # a date beyond the horizon is one tie among others that differ
    censored = Ranks(np.where(z > norm.ppf(1 - probability), np.inf, z))
    assert censored.distance(z) == pytest.approx(whole, rel=1e-3)
    # negative control: by the distance of values, 0.3 has scored 1.65 times as much
    if probability == 0.3:
        raw = np.sqrt(np.log(2) / 8) * norm.pdf(norm.ppf(0.3)) / 0.3
        assert raw / whole == pytest.approx(1.65, abs=0.03)


def test_the_error_of_a_distance_errs_on_the_safe_side():
    """Of 200 repetitions, the sd of s is at most what influences say, and more than half of it."""
    for others in (0.0, 3.0):
        distances, errors = [], []
        for seed in range(200):
            z, noise = normals(2, 1000, seed=seed)
            ranks, term = Ranks(z), -0.5 * z**2 + others * noise
            distances.append(ranks.distance(term))
            errors.append(np.std(ranks.influence(term)) / 1000**0.5)
        assert 0.5 * np.mean(errors) < np.std(distances) < np.mean(errors)


# --------------------------------------------------------------------------------------- the noise


@pytest.mark.parametrize("draws", [180, 1000])
def test_what_moves_nothing_is_not_told(draws):
    """Negative control of every number: 2,000 sensitivities of answers to log densities of others."""
    told = 0
    for seed in range(10):
        z = normals(4, draws, 20, seed=seed)
        y = normals(4, draws, 10, seed=100 + seed)
        answers = {f"y{i}": Series(f"y{i}", y[..., i]) for i in range(8)}
        answers["event"] = Series("event", (y[..., 8] > 1.0).astype(float))
        answers["late"] = Series("late", np.where(y[..., 9] > 1.0, np.inf, y[..., 9]))
        terms = {f"q{i}": -0.5 * z[..., i] ** 2 for i in range(20)}
        found = power_scaling(answers, Weights.equal((4, draws)), terms)
        told += sum(
            s.value is not None or s.low > 0 for row in found.values() for s in row.values()
        )
    assert told <= 1


def test_many_priors_do_not_add_up_to_a_sensitivity():
    """The sum of a hundred priors of which one matters: at 720 draws chance alone shows more than 0.05."""
    few, many = (posterior(0.0, draws, data_sd=2.0, others=100) for draws in (180, 1000))
    chance = Ranks(normals(720, seed=5)).distance(few.log_prior.ravel())
    assert chance > THRESHOLD
    for draws in (few, many):
        row = analyse_drivers(draws)["headlines"]["y"]
        assert row["prior"]["value"] is None and row["prior"]["low"] == 0
        assert row["diagnosis"] == OPEN
        assert row["priors"]["q0"]["sensitivity"] == pytest.approx(0.065, abs=0.02)


@pytest.mark.parametrize("others", [0, 5, 50])
def test_intervals_hold_the_truth_and_narrow(others):
    """The prior of one quantity, among others, in fifty repetitions at either size."""
    z = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    truth, widths = Ranks(z).distance(-0.5 * z**2), []
    for draws in (180, 1000):
        missed, tops = 0, []
        for seed in range(50):
            z = normals(4, draws, 1 + others, seed=seed)
            terms = {"all": -0.5 * np.sum(z**2, axis=-1)}
            answers = {"y": Series("y", z[..., 0])}
            found = power_scaling(answers, Weights.equal((4, draws)), terms)["y"]["all"]
            missed += not found.low <= truth <= found.high
            tops.append(found.high)
        assert missed <= 1
        widths.append(np.mean(tops) - truth)
    assert widths[1] < 0.6 * widths[0]


def test_a_constant_term_moves_nothing():
    answers = {"y": Series("y", normals(*SHAPE))}
    assert power_scaling(answers, EQUAL, {"flat": np.ones(SHAPE)})["y"]["flat"] == NOTHING


# --------------------------------------------------------------------------------------- the flags


def between(low, high):
    return Sensitivity(0.5 * (low + high), low, high)


def test_a_flag_needs_both_intervals_clear_of_the_threshold():
    above, below, across = between(0.06, 0.2), between(0.0, 0.04), between(0.04, 0.06)
    assert diagnosis(above, above) == CONFLICT
    assert diagnosis(above, below) == STRONG
    assert diagnosis(below, above) == diagnosis(below, below) == diagnosis(below, across) == OK
    assert {diagnosis(above, across), diagnosis(across, above), diagnosis(across, below)} == {OPEN}


@pytest.mark.parametrize("draws", [180, 1000])
def test_a_conflict_is_flagged_and_agreement_is_not(draws):
    assert diagnosed(posterior(6.0, draws)) == CONFLICT
    assert diagnosed(posterior(0.0, draws, data_sd=0.1)) == OK
    of_prior = diagnosed(posterior(0.0, draws, data_sd=10.0))
    assert of_prior == (STRONG if draws == 1000 else OPEN)


def test_720_draws_never_contradict_4000():
    """Twenty seeds of posteriors from agreement to conflict among other quantities; what is open contradicts nothing."""
    flags, apart = [], 0
    for seed in range(20):
        for centre in (0.0, 1.5, 3.0, 6.0):
            few, many = (
                analyse_drivers(posterior(centre, draws, others=10, seed=100 * draws + seed))
                for draws in (180, 1000)
            )
            rows = [found["headlines"]["y"] for found in (few, many)]
            flags.append(tuple(row["diagnosis"] for row in rows))
            for side in ("prior", "likelihood"):
                a, b = (row[side] for row in rows)
                apart += a["low"] > b["high"] or b["low"] > a["high"]
    assert apart == 0
    assert all(a == b or OPEN in (a, b) for a, b in flags)
    assert sum(a != OPEN and b == OPEN for a, b in flags) <= 1  # says nothing that 4,000 do not
    assert (CONFLICT, CONFLICT) in flags


# ----------------------------------------------------------------------------- thinned and sampled


def told_of(found):
    """Every flag, number and word of an analysis: (answer, what)."""
    for name, row in found["headlines"].items():
        if row["diagnosis"] in (CONFLICT, STRONG):
            yield name, row["diagnosis"]
        yield from ((name, side) for side in ("prior", "likelihood") if row[side]["value"])
        yield from ((name, table) for table, value in row["evidence"].items() if value)
        priors = row["priors"].items()
        yield from ((name, prior) for prior, each in priors if each["sensitivity"])


@pytest.mark.slow
def test_a_thinned_joint_run_says_nothing_that_the_whole_does_not(outcomes):
    """Every fifth of a seed's 4,000 draws, from each of the first five, against those of three seeds."""
    model = find_model("joint")

    def said(among, chosen=slice(None)):
        groups = Groups(
            **{
                n: xr.concat([getattr(each.groups, n) for each in among], "chain").isel(draw=chosen)
                for n in GROUPS
            }
        )
        shape = (groups.draws.sizes["chain"], groups.draws.sizes["draw"])
        of = (groups, among[0].fit.tables, model.headlines, (), Weights.equal(shape))
        return set(told_of(analyse_drivers(SensitivityDraws.of(*of, model.top_level))))

    seeds = list(outcomes.values())
    whole = said(seeds)
    thinned = [said([seed], slice(k, None, 5)) for seed in seeds for k in range(5)]
    assert min(map(len, thinned)) > 10
    assert sum(len(few - whole) for few in thinned) <= 0.02 * sum(map(len, thinned))


@pytest.mark.study
def test_flags_of_two_samples_agree(scaling):
    """The model `scaling` sampled with 4,000 and 720 draws on twenty seeds: at most one disagreement."""
    from aligntax.analysis.fitting.outcome import conclude_fit

    model, different, contrary = find_model("scaling"), 0, 0
    tables = scaling.view.tables(model.quantities)
    for seed in range(1, 21):
        flags = []
        for count in (1000, 180):
            options = Sampling(seed=seed, draws=count)
            groups = conclude_fit(scaling.sample(options), options, {}).groups
            of = (groups, tables, model.headlines, (), Weights.equal((4, count)))
            found = analyse_drivers(SensitivityDraws.of(*of, model.top_level))["headlines"]
            flags.append({name: row["diagnosis"] for name, row in found.items()})
        words = [{n: wording.FLAGS[flag] for n, flag in each.items()} for each in flags]
        different += words[0] != words[1]
        contrary += any(
            flags[0][n] != flags[1][n] and OPEN not in (flags[0][n], flags[1][n]) for n in flags[0]
        )
    assert different <= 1 and contrary == 0


# ----------------------------------------------------------------------------- what is a prior


# Terms of a hierarchy, which are neither prior nor likelihood. A new structural parameter must be
# declared in its model's `TOP_LEVEL`, or stand here.
LATENT = {
    "scaling": {"regime_offset"},
    "time-horizon": {"suite_error_short", "suite_error_long"},
    "joint": {"regime_offset", "suite_error_short", "suite_error_long"},
    "outer-alignment": {"new_labellers", "worst_rival", "guessed_share"},
    "overoptimization": {"proxy_peak_kl", "proxy_start"},
    "density-prediction": {"failure_logit"},
    "horizon-runs-exponential": {"hardness", "skill"},
}
ONE_OF_EACH = [name for name in MODELS if not name.startswith("horizon-runs") or name in LATENT]


@pytest.fixture(scope="module")
def graphs(evidence, view):
    """The graph of every model, with runs where it has no published ones."""
    rows = evidence.with_rows("horizon_runs", simulated(World(tasks=6, models=5)).rows)
    return {
        name: MODELS[name].build(restrict(rows, view, MODELS[name]), view) for name in ONE_OF_EACH
    }


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_every_structural_parameter_is_top_level_or_latent(graphs, name):
    from pytensor.graph.traversal import ancestors

    structural = {rv.name: rv for rv in structural_variables(graphs[name])}
    declared = set(MODELS[name].top_level)
    assert set(structural) - declared == LATENT.get(name, set())
    for top in declared & set(structural):
        above = {v.name for v in ancestors([structural[top]]) if v in graphs[name].free_RVs}
        assert above == {top}  # its prior depends on no other parameter


def test_a_latent_term_is_not_part_of_the_prior(reference):
    """Negative control: with the terms of the hierarchy the exponent of a new regime looks driven by its prior."""
    model = find_model("joint")
    groups = replace(reference.groups, log_likelihood=xr.Dataset())
    tables = reference.view.tables(model.quantities)

    def regime(top_level):
        of = (groups, tables, ("data_exponent",), (), reference.weights, top_level)
        draws = SensitivityDraws.of(*of)
        terms = {"prior": draws.log_prior - draws.log_prior.mean()}
        return draws, power_scaling(draws.answers, draws.weights, terms)["data_exponent"]["prior"]

    draws, right = regime(model.top_level)
    spoiled, wrong = regime((*model.top_level, "regime_offset"))
    assert right.low == 0 and wrong.high > right.high
    offset = groups.draws["regime_offset"].values.astype(float)
    known = draws.log_prior - 0.5 * offset**2
    np.testing.assert_allclose(
        spoiled.log_prior - spoiled.log_prior.mean(), known - known.mean(), atol=1e-3
    )


def test_a_power_of_a_latent_term_is_no_sensitivity_to_a_prior():
    """An answer that is its group's offset and nothing else has no prior to be sensitive to, but the scale of offsets."""
    offset, scale = normals(*SHAPE, seed=1), np.exp(0.1 * normals(*SHAPE, seed=2))
    answer = {"y": Series("y", scale * offset)}
    top = -0.5 * (np.log(scale) / 0.1) ** 2
    right, wrong = (
        power_scaling(answer, EQUAL, {"prior": term})["y"]["prior"]
        for term in (top, top - 0.5 * offset**2)
    )
    assert right.value is None and right.high < THRESHOLD
    assert wrong.low > THRESHOLD


# ----------------------------------------------------------------------------- of priors alone


def test_answers_that_no_evidence_bears_on(evidence, view, reference):
    """Assumed quantities and nothing derived; not the multiplier, which the view correlates with the tolerance."""
    model = find_model("joint")
    tables, assumed = reference.view.tables(model.quantities), reference.info["prior_only"]
    where = (model, reference.draws, tables, reference.evidence, reference.view)
    found = set(answers_of_priors(*where, assumed))
    assert found == set(assumed) - {"rlhf_multiplier"}
    assert answers_of_priors(*where, ()) == ()
    alone = dict(zip(tables.names, untouched(tables, assumed), strict=True))
    assert not alone["rlhf_multiplier"] and not alone["spend_cap"] and alone["usd_per_hour"]
    # negative control: if evidence bore on no quantity, none would move but by parameters
    free = set(answers_of_priors(*where, tables.names))
    assert found | set(tables.names) <= free and "data_exponent" not in free


def test_an_answer_of_priors_alone_is_insensitive_to_evidence_by_construction(reference):
    model = replace_headlines(find_model("joint"), ("usd_per_hour", "spend_cap"))
    groups = reference.groups
    tables = reference.view.tables(model.quantities)
    of = (groups, tables, model.headlines, (), reference.weights, model.top_level)
    rows = analyse_drivers(SensitivityDraws.of(*of, ("usd_per_hour",)))["headlines"]
    wage = rows["usd_per_hour"]
    assert wage["likelihood"] == vars(NOTHING) and wage["diagnosis"] == PRIOR_ONLY
    assert set(wage["evidence"].values()) == {0.0}
    assert wording.FLAGS[wage["diagnosis"]] == "no evidence bears on it"
    assert rows["spend_cap"]["likelihood"]["high"] > 0
    # negative control: draws alone would leave it open
    by_draws = analyse_drivers(SensitivityDraws.of(*of))["headlines"]["usd_per_hour"]
    assert by_draws["likelihood"]["high"] > THRESHOLD


def replace_headlines(model, headlines):
    return replace(model, headlines=headlines)


def test_under_a_condition_evidence_may_bear_on_any_answer(reference):
    some = np.arange(reference.weights.values.size).reshape(reference.weights.values.shape) % 2 == 0
    weights = reference.weights.given(some)
    assert SensitivityDraws.of_result(reference, weights).of_priors == ()
    assert "usd_per_hour" in SensitivityDraws.of_result(reference).of_priors


# ----------------------------------------------------------------------------------------- words


def test_what_is_not_told_is_said_as_under_its_limit():
    told = {"value": 0.158, "low": 0.08, "high": 0.22}
    untold = {"value": None, "low": 0.0, "high": 0.147}
    row = {
        "drivers": [],
        "spread": [],
        "explained": 0.9,
        "explained_error": 0.03,
        "prior": told,
        "likelihood": untold,
        "evidence": {"paid_taxes": 0.078, "no_tai": None, "training_runs": 0.02},
        "diagnosis": OPEN,
    }
    record = {"headlines": {"tai_year": row}, "quantities": {}, "threshold": 0.05}
    words = wording.driver_rows(record, ["tai_year"])[0]
    assert (words["prior"], words["likelihood"]) == ("0.16", "under 0.15; paid taxes 0.08")
    assert words["flag"] == words["spread"] == ""  # 10% left over, at an error of 3%
    assert "open for 1 of 1 answer:" in wording.open_sentence(record, ["tai_year"])
    clear = {**record, "headlines": {"tai_year": {**row, "diagnosis": OK}}}
    assert wording.open_sentence(clear, ["tai_year"]) == ""


def test_an_older_analysis_is_made_again(reference):
    assert wording.is_current(None) and wording.is_current({"errors": NOISE})
    assert not wording.is_current({"threshold": 0.05})
    assert wording.is_current(sensitivity_of_result(reference))


def test_an_answer_of_which_few_draws_differ_is_left_out(reference):
    few = np.zeros(reference.weights.values.shape)
    few.ravel()[:49] = 1.0
    derived = reference.derived.assign(prob_affordable=(("chain", "draw"), few))
    derived = derived.drop_vars("prob_affordable_state", errors="ignore")
    spoiled = reference.with_groups(replace(reference.groups, derived=derived))
    assert "prob_affordable" not in SensitivityDraws.of_result(spoiled).answers
    few.ravel()[49] = 1.0
    assert "prob_affordable" in SensitivityDraws.of_result(spoiled).answers


def test_ndtr_and_ranks_agree_on_a_probability():
    """C at an event is the change of its probability: d P(z > 1) = phi(1) for a shift of one."""
    z = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    ranks = Ranks((z > 1.0).astype(float))
    place = round(20_000 * ndtr(1.0))
    assert -ranks._moved(z)[place - 1] == pytest.approx(norm.pdf(1.0), rel=1e-3)
