"""The cheapest mix of people and AI, by minimisation; and what trials teach of an AI hour's worth."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from aligntax.models import ai_labour, alignment, taxes, waits
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import select
from aligntax.models.trend import Trend
from aligntax.models.views import View, load_view, parse_view

WAGE, HOURS = 1.5, 5.0  # log10 USD and log10 human-hours
SIZE = 2000

prices = st.floats(-2.0, 3.0)
worths = st.floats(-3.0, 3.0)
elasticities = st.floats(1.05, 40.0)


def labour(price: Any = 1.0, worth: Any = 0.0, elasticity: Any = 3.0, wage: Any = WAGE) -> Any:
    """Quantities of one draw; an AI hour's worth is split over what it is made of."""
    parts = {
        "usd_per_hour": wage - 0.2,
        "labour_overhead": 0.2,
        "ai_usd_per_hour": price,
        "ai_efficiency": worth - 0.5,
        "ai_margin": -0.1,
        "ai_transfer": 0.7,
        "ai_substitution": elasticity,
    }
    return {name: np.asarray(value, dtype=float) for name, value in parts.items()}


@pytest.fixture(scope="module")
def priced() -> View:
    return load_view("with-ai-labour")


# ------------------------------------------------------------------------------------ the cheapest mix


def minimised(price: float, worth: float, elasticity: float) -> tuple[float, float]:
    """Least cost of one human-hour's work (USD), and its human-hours, by brute minimisation."""
    w, p, e, s = 10**WAGE, 10**price, 10**worth, elasticity
    power = (s - 1) / s

    def cost(share: float) -> float:
        """Of a mix that has so large a part of its work, to that power, done by people."""
        return w * share ** (1 / power) + p / e * (1 - share) ** (1 / power)

    found = optimize.minimize_scalar(
        cost, bounds=(0, 1), method="bounded", options={"xatol": 1e-12}
    )
    return float(found.fun), float(found.x ** (1 / power))


@pytest.mark.parametrize("elasticity", [1.3, 2.0, 3.0, 8.0])
@pytest.mark.parametrize(("price", "worth"), [(1.0, 0.0), (1.0, -0.7), (0.0, -1.0), (2.0, 0.4)])
def test_cost_and_hours_are_those_of_a_minimisation(price, worth, elasticity) -> None:
    x = labour(price, worth, elasticity)
    least, people = minimised(price, worth, elasticity)
    assert 10 ** ai_labour.cost_per_hour(x) == pytest.approx(least, rel=1e-9)
    assert 10 ** ai_labour.human_hours(x, 0.0) == pytest.approx(people, rel=1e-4, abs=1e-9)


@given(prices, worths, elasticities)
def test_the_mix_does_the_work_and_the_money_adds_up(price, worth, elasticity) -> None:
    x = labour(price, worth, elasticity)
    found = ai_labour.mix(x, np.asarray(HOURS))
    h, a = found["human_hours_paid"], found["ai_hours"] + found["ai_hour_worth"]
    power = (elasticity - 1) / elasticity
    done = np.logaddexp(*(power * np.log(10) * each for each in (h, a))) / np.log(10) / power
    assert done == pytest.approx(HOURS, abs=1e-9)
    paid = np.logaddexp(*(np.log(10) * each for each in (h + WAGE, found["ai_hours"] + price)))
    assert paid / np.log(10) == pytest.approx(HOURS + found["labour_usd_per_hour"], abs=1e-9)
    bought = 10 ** (found["ai_hours"] + price - paid / np.log(10))
    assert found["ai_share_of_labour_cost"] == pytest.approx(bought, abs=1e-9)


@given(elasticities)
def test_ai_that_is_worth_nothing_leaves_all_work_to_people(elasticity) -> None:
    x = labour(worth=-300.0 / (elasticity - 1) - 20, elasticity=elasticity)
    assert ai_labour.human_hours(x, HOURS) == pytest.approx(HOURS, abs=1e-12)
    assert ai_labour.cost_per_hour(x) == pytest.approx(WAGE, abs=1e-12)
    assert ai_labour.mix(x, np.asarray(HOURS))["ai_share_of_labour_cost"] == pytest.approx(0)


def test_at_equal_cost_a_mix_saves_a_factor_of_its_own_and_perfect_substitutes_none() -> None:
    for elasticity in (1.5, 2.0, 3.0, 12.0):
        x = labour(price=WAGE, worth=0.0, elasticity=elasticity)
        assert 10 ** ai_labour.saving(x) == pytest.approx(2 ** (1 / (elasticity - 1)))
    for price in (1.2, 1.8):
        x = labour(price=price, worth=0.0, elasticity=1e4)
        assert ai_labour.cost_per_hour(x) == pytest.approx(min(price, WAGE), abs=1e-4)


@given(prices, worths, elasticities, st.floats(0.01, 2.0))
def test_cheaper_or_better_ai_never_costs_more_and_takes_a_larger_share(
    price, worth, elasticity, step
) -> None:
    before = ai_labour.mix(labour(price, worth, elasticity), np.asarray(HOURS))
    for x in (labour(price - step, worth, elasticity), labour(price, worth + step, elasticity)):
        after = ai_labour.mix(x, np.asarray(HOURS))
        assert after["labour_usd_per_hour"] <= before["labour_usd_per_hour"]
        assert after["ai_share_of_labour_cost"] >= before["ai_share_of_labour_cost"]
        assert after["human_hours_paid"] <= before["human_hours_paid"]
    assert before["labour_usd_per_hour"] <= WAGE  # nobody has to buy AI hours


@given(prices, worths, elasticities, st.floats(-2.0, 2.0))
def test_units_of_an_ai_hour_and_of_money_change_nothing(price, worth, elasticity, unit) -> None:
    mine = ai_labour.mix(labour(price, worth, elasticity), np.asarray(HOURS))
    minutes = ai_labour.mix(labour(price - unit, worth - unit, elasticity), np.asarray(HOURS))
    money = ai_labour.mix(labour(price + unit, worth, elasticity, WAGE + unit), np.asarray(HOURS))
    for name in ("human_hours_paid", "ai_share_of_labour_cost"):
        assert minutes[name] == pytest.approx(mine[name], abs=1e-9)
        assert money[name] == pytest.approx(mine[name], abs=1e-9)
    assert minutes["labour_usd_per_hour"] == pytest.approx(mine["labour_usd_per_hour"], abs=1e-9)
    assert minutes["ai_hours"] == pytest.approx(mine["ai_hours"] + unit, abs=1e-9)
    assert money["ai_hours"] == pytest.approx(mine["ai_hours"], abs=1e-9)
    assert money["labour_usd_per_hour"] == pytest.approx(mine["labour_usd_per_hour"] + unit)


def test_a_label_is_worth_its_squared_margin() -> None:
    """As the Fisher information of a label about a preference near a tie."""
    from aligntax.analysis.answers.labelling import label_information

    by_people, by_ai = 0.15, 0.25
    margin = np.log10((1 - 2 * by_ai) / (1 - 2 * by_people))
    x = {**labour(), "ai_efficiency": 0.0, "ai_margin": margin, "ai_transfer": 0.0}
    ratio = label_information(by_ai, 1.0) / label_information(by_people, 1.0)
    assert 10 ** ai_labour.hour_worth(x) == pytest.approx(ratio)


# ------------------------------------------------------------------- what follows from it, and off


@pytest.fixture(scope="module")
def draws(prior_draws, priced) -> dict[str, Any]:
    drawn = prior_draws(alignment.QUANTITIES, SIZE, of=priced)
    return {**drawn, "tolerance_at_arrival": drawn["alignment_tax_tolerance"]}


def at_2030(x: dict[str, Any], evidence: Any, view: View) -> dict[str, Any]:
    t = np.full(SIZE, 2030.0)
    return alignment.at_date(x, t, Trend.of(evidence, view), evidence, view)


def test_with_ai_that_is_worth_nothing_every_number_is_that_of_people_alone(
    draws, evidence, view
) -> None:
    people = {n: v for n, v in draws.items() if n not in ai_labour.QUANTITIES}
    worthless = {**draws, "ai_transfer": np.full(SIZE, -1e4)}
    alone, found = at_2030(people, evidence, view), at_2030(worthless, evidence, view)
    assert not set(alone) & {"ai_hours", "human_hours_paid"}
    for name, value in alone.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)
    trend, arrival = Trend.of(evidence, view), np.full(SIZE, 2030.0)
    for a, b in zip(
        waits.waits(people, arrival, trend, evidence, view),
        waits.waits(worthless, arrival, trend, evidence, view),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_the_labour_tax_hours_affordable_and_waits_are_those_of_the_mix(
    draws, evidence, view
) -> None:
    people = {n: v for n, v in draws.items() if n not in ai_labour.QUANTITIES}
    alone, found = at_2030(people, evidence, view), at_2030(draws, evidence, view)
    saved = ai_labour.saving(draws)
    assert saved.min() >= 0 and saved.max() > 0.5
    np.testing.assert_allclose(found["labour_tax"], alone["labour_tax"] - saved, atol=1e-9)
    np.testing.assert_array_equal(found["compute_tax"], alone["compute_tax"])
    np.testing.assert_array_equal(found["alignment_hours_needed"], alone["alignment_hours_needed"])
    more = found["alignment_hours_affordable"] - alone["alignment_hours_affordable"]
    assert (
        more.min() > -1e-9 and (more - saved).max() < 1e-9
    )  # compute takes a part of what is saved
    tax = taxes.log_sum(found["labour_tax"], found["compute_tax"])
    np.testing.assert_array_equal(
        found["prob_affordable"] == 1, tax <= draws["tolerance_at_arrival"]
    )
    assert found["workforce_too_small"].mean() < alone["workforce_too_small"].mean()
    trend, arrival = Trend.of(evidence, view), np.full(SIZE, 2030.0)
    before = waits.waits(people, arrival, trend, evidence, view)
    after = waits.waits(draws, arrival, trend, evidence, view)
    for a, b in zip(before, after, strict=True):
        first, last = (np.where(np.isnan(wait), np.inf, wait) for wait in (a, b))
        assert np.all(last <= first + 1e-9) and np.any(last < first - 1.0)


def test_where_nothing_arrives_nothing_is_bought(draws, evidence, view) -> None:
    t = np.where(np.arange(SIZE) % 2, 2030.0, np.nan)
    found = alignment.at_date(draws, t, Trend.of(evidence, view), evidence, view)
    for name in ("ai_hours", "human_hours_paid", "ai_share_of_labour_cost"):
        np.testing.assert_array_equal(np.isnan(found[name]), np.isnan(t), err_msg=name)


def test_a_view_that_does_not_price_it_has_neither_its_quantities_nor_its_rows(
    view, priced, evidence
) -> None:
    names = set(ai_labour.QUANTITIES)
    for model in (find_model("alignment"), find_model("joint")):
        assert not names & set(view.tables(model.quantities).names)
        assert names <= set(priced.tables(model.quantities).names)
        off, on = (restrict(evidence, each, model) for each in (view, priced))
        assert "ai_labour" not in off.tables and "ai_labour" in model.tables
        assert set(on.tables) - set(off.tables) == {"ai_labour"}
    assert "ai_labour" not in restrict(evidence, priced, find_model("scaling")).tables
    for part in (ai_labour.data, ai_labour.observed):
        assert part(evidence, view) == {} and list(part(evidence, priced))


def test_a_refit_that_prices_it_gets_the_trials_and_samples_again(view, priced, evidence) -> None:
    """The stored run has no such table."""
    from aligntax.analysis.fitting.refit_plan import SampleAgain, plan_refit
    from aligntax.analysis.refitting import _known_evidence
    from aligntax.analysis.storage.sampled_run import read_sampled_run
    from tests.reference import REFERENCE

    source = read_sampled_run(REFERENCE)
    known = _known_evidence(source, priced)
    assert set(known.tables) - set(source.evidence.tables) == {"ai_labour"}
    assert restrict(known, view, source.model).hash == source.evidence.hash
    assert _known_evidence(source, view) is source.evidence
    plan = plan_refit(source, priced)
    assert isinstance(plan, SampleAgain) and "alignment.ai_labour differs" in plan.reason
    moved = view.replace(ai_efficiency={0.05: 1, 0.5: 10, 0.95: 100})
    assert plan_refit(source, moved).reason.endswith(
        "no evidence bears on what changed: ai_efficiency"
    )


def test_its_priors_are_no_part_of_a_view_that_does_not_price_it(view, priced) -> None:
    dearer = {"ai_usd_per_hour": {0.05: 20, 0.5: 150, 0.95: 600}}
    assert view.replace(**dearer).hash == view.hash
    assert priced.replace(**dearer).hash != priced.hash != view.hash
    off = priced.replace(alignment={"ai_labour": "none"})
    assert off.alignment == view.alignment and off.hash == view.hash


def test_a_complete_file_of_before_has_the_default_priors(view, priced) -> None:
    """It states neither the setting nor the quantities; one that states the setting needs both."""
    import tomli_w

    from aligntax.models.errors import InputError

    old = view.to_dict()
    old["quantities"] = {
        name: spec for name, spec in old["quantities"].items() if name not in ai_labour.QUANTITIES
    }
    assert parse_view(tomli_w.dumps(old), "old.toml") == replace(
        view, name=view.name, source=view.source
    )
    old["alignment"]["ai_labour"] = "priced"
    with pytest.raises(InputError, match=r"states all, missing \['ai_efficiency'"):
        parse_view(tomli_w.dumps(old), "old.toml")
    assert parse_view(priced.to_toml(), "again.toml").hash == priced.hash


def test_a_prior_that_is_turned_round_turns_the_answer_round(priced, evidence, prior_draws) -> None:
    """AI hours that are believed dear or worth little buy little; cheap and good ones nearly all."""
    parameters = xr.Dataset({"tolerance_spread": ("sample", np.full(400, 0.3))})
    model, chance = find_model("alignment"), Chance.draw(400, np.random.default_rng(1))

    def share(price: float, transfer: float) -> float:
        said = {"ai_usd_per_hour": {"point": price}, "ai_transfer": {"point": transfer}}
        mine = priced.replace(**said)
        x = prior_draws(model.quantities, 400, of=mine)
        known = restrict(evidence, mine, model)
        found = model.derive(x, parameters, known, mine, chance)
        return float(np.median(found["ai_share_of_labour_cost"]))

    assert share(200.0, 0.01) < 0.01 < 0.99 < share(0.5, 2.0)


# --------------------------------------------------------------------------------------- the trials


def by_hand(x: dict[str, Any], rows: xr.Dataset) -> Any:
    """Log density of each row of the table as its note reads it, (..., row)."""
    efficiency, margin, transfer, price = (
        np.asarray(x[f"ai_{name}"])[..., None]
        for name in ("efficiency", "margin", "transfer", "usd_per_hour")
    )
    means = {
        "label_worth": 2 * margin,
        "label_margin": margin,
        "label_cost": price - efficiency,
        "hour_worth": efficiency + 2 * margin,
        "hour_worth_frontier": efficiency + 2 * margin + transfer,
    }
    columns = zip(
        *(rows[n].values for n in ("measure", "bound", "log_ratio", "ratio_sd")), strict=True
    )
    terms = []
    for i, (measure, bound, ratio, sd) in enumerate(columns):
        law = stats.norm(means[measure], sd)
        density = {"exact": law.logpdf, "above": law.logsf, "below": law.logcdf}[bound]
        terms.append(density(ratio)[..., 0])
        assert i < rows.sizes["ai_trial"]
    return np.stack(terms, axis=-1)


def test_the_graph_has_the_density_of_the_rows_as_they_are_read(priced, evidence) -> None:
    import pytensor

    model = find_model("alignment")
    known = restrict(evidence, priced, model)
    graph, tables = model.build(known, priced), priced.tables(model.quantities)
    term = graph.replace_rvs_by_values([graph["ai_labour"]])
    compiled = pytensor.function(
        graph.value_vars, term, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rows = select(known["ai_labour"])
    assert {"exact", "below"} <= set(rows["bound"].values) <= {"exact", "below", "above"}
    for seed in (1, 2):
        z = np.random.default_rng(seed).normal(size=len(tables.names))
        found = compiled(*({"white": z}.get(v.name, 0.0) for v in graph.value_vars))[0]
        expected = by_hand(tables.values(tables.cholesky @ z), rows)
        np.testing.assert_allclose(found, expected, rtol=1e-6)  # the compiled error function


def test_the_open_graph_has_the_lean_ones_density(priced, evidence) -> None:
    from tests.models.test_open_graph import log_density

    model = find_model("alignment")
    lean, opened = (
        model.build(restrict(evidence, priced, model), priced),
        model.open(evidence, priced),
    )
    assert "ai_labour" in {v.name for v in opened.observed_RVs}
    ours, theirs = log_density(lean), log_density(opened)
    rng, start = np.random.default_rng(1), lean.initial_point()
    point = {key: v + 0.5 * rng.standard_normal(np.shape(v)) for key, v in start.items()}
    assert theirs(point) == pytest.approx(ours(point), rel=1e-10)


@pytest.mark.slow
def test_draws_of_the_open_graph_follow_its_density(priced, evidence) -> None:
    from tests.models.test_open_graph import mean_scores

    scores = mean_scores(find_model("alignment").open(evidence, priced))["ai_labour"]
    assert len(scores) >= 4 and np.abs(scores).max() < 5


def test_an_upper_bound_is_a_lower_bound_of_the_inverse(evidence) -> None:
    used = select(evidence["ai_labour"])
    rows = ai_labour.trials(evidence)
    below = used["bound"].values == "below"
    np.testing.assert_array_equal(rows["log_ratio"] < 0, (used["log_ratio"] < 0) != below)
    np.testing.assert_array_equal(rows["exact"] == 1, used["bound"] == "exact")
    null = rows.sel(ai_trial="anthropic2026_production")
    assert [float(null[name]) for name in ai_labour.COUNTS] == [-1.0, -2.0, -1.0, 0.0]


def test_published_figures_give_the_ratios_of_the_table(evidence) -> None:
    """What the notes compute, computed again."""
    ratio = evidence["ai_labour"]["log_ratio"]
    odds = {p: np.log(p / (100 - p)) for p in (63, 64, 71, 73, 76, 88)}
    found = {
        "lee2023_summaries": odds[71] / odds[73],
        "lee2023_helpful": odds[63] / odds[64],
        "lee2023_harmless": (odds[88] - odds[64]) / (odds[76] - odds[64]),
        "lee2023_agreement": (2 * 0.78 - 1) / (2 * 0.73 - 1),
        "rlhfbook2026_label_cost": 0.01 * 60 / 2.0,
        "anthropic2026_benchmark": 0.97 / 0.23 * (2 * 7 * 8) / 800,
        "anthropic2026_production": 2 * 7 * 8 / 800,
    }
    for key, value in found.items():
        assert float(ratio.sel(ai_trial=key)) == pytest.approx(np.log10(value), abs=5.1e-4), key
    assert set(found) == set(select(evidence["ai_labour"])["ai_trial"].values)


def ranks_of_truths(priced: View, evidence: Any, reading: str, simulations: int = 300) -> Any:
    """Weighted rank of each simulated truth among prior draws, (quantity, simulation).

    Parameters
    ----------
    reading : {"told", "exact"}
        Whether a draw beyond its bound is known as a bound, or taken for the bound itself.
    """
    names, rng = ai_labour.QUANTITIES[:4], np.random.default_rng(2)
    tables = priced.tables(names)
    x = tables.values(np.random.default_rng(1).standard_normal((8_000, 4)))
    truths = tables.values(rng.standard_normal((simulations, 4)))
    ranks = np.empty((4, simulations))
    for i in range(simulations):
        one = {name: truths[name][i] for name in names}
        rows = ai_labour.replicate(one, xr.Dataset(), evidence, priced, rng)["ai_labour"]
        row = {str(name): value.values for name, value in rows.items()}
        mean = ai_labour.expected_ratio({n: v[:, None] for n, v in x.items()}, row)
        law = stats.norm(mean, row["ratio_sd"])
        exact = (row["exact"] > 0) | (reading == "exact")
        told = np.where(exact, law.logpdf(row["log_ratio"]), law.logsf(row["log_ratio"])).sum(
            axis=1
        )
        weight = np.exp(told - told.max())
        for j, name in enumerate(names):
            ranks[j, i] = weight[x[name] < one[name]].sum() / weight.sum()
    return ranks


def test_truths_of_simulated_trials_rank_uniformly_and_not_if_a_bound_is_taken_for_a_figure(
    priced, evidence
) -> None:
    """Simulation-based calibration of the trials alone, without a sampler."""
    fair = [stats.kstest(r, "uniform").pvalue for r in ranks_of_truths(priced, evidence, "told")]
    assert min(fair) > 0.01 / len(fair)
    wrong = [stats.kstest(r, "uniform").pvalue for r in ranks_of_truths(priced, evidence, "exact")]
    assert min(wrong) < 1e-4


def test_trials_teach_worth_and_the_null_result_lowers_what_reaches_the_frontier(
    priced, evidence
) -> None:
    """Posterior means by importance weights; without the null result transfer stays as it was."""
    tables = priced.tables(ai_labour.QUANTITIES)
    x = tables.values(np.random.default_rng(3).standard_normal((60_000, 5)))
    rows = select(evidence["ai_labour"])

    def mean(used: xr.Dataset, name: str) -> float:
        log = by_hand(x, used).sum(axis=-1)
        weight = np.exp(log - log.max())
        return float((weight * x[name]).sum() / weight.sum())

    without = rows.isel(ai_trial=rows["measure"].values != "hour_worth_frontier")
    prior = float(x["ai_transfer"].mean())
    assert mean(without, "ai_transfer") == pytest.approx(prior, abs=0.03)
    assert mean(rows, "ai_transfer") < prior - 0.3
    assert mean(rows, "ai_substitution") == pytest.approx(x["ai_substitution"].mean(), rel=0.05)
