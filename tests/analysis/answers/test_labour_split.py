"""How much of the money buys AI hours: by the draws, in words and in JSON; and nothing without a price."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from aligntax.analysis.answers.budget import budget
from aligntax.analysis.answers.budget_in_words import budget_paragraph
from aligntax.analysis.answers.dated_budget import FULL_TIME, dated_budget
from aligntax.analysis.answers.labour_split import how_to_price
from aligntax.analysis.inference.derive import derive_from
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.terminal.budget import print_budget
from aligntax.models import ai_labour
from aligntax.models.catalogue import find_model
from aligntax.models.views import load_view

SHAPE = (4, 500)
MODEL = find_model("alignment")


@pytest.fixture(scope="module")
def made(evidence):
    """``made(view)``: a run of prior draws of the alignment model under a view."""

    def of(view):
        rng, tables = np.random.default_rng(7), view.tables(MODEL.quantities)
        z = rng.standard_normal((*SHAPE, len(tables.names)))
        spread = np.abs(np.random.default_rng(8).normal(0, 0.5, SHAPE))
        parameters = xr.Dataset({"tolerance_spread": (("chain", "draw"), spread)})
        derived = derive_from(
            MODEL, tables.values(z), parameters, evidence, view, np.random.default_rng(1)
        )
        scores = xr.Dataset({"z": (("chain", "draw", "quantity"), z)})
        return SimpleNamespace(
            derived=derived,
            unconstrained_posterior=scores,
            evidence=evidence,
            view=view,
            weights=Weights.equal(SHAPE),
            record={"model": "alignment", "run": "made", "verdict": "pass", "checks": []},
            info={"sampler": {"seed": 1}},
        )

    return of


@pytest.fixture(scope="module")
def priced(made):
    return made(load_view("with-ai-labour"))


def quantile(values, share):
    return float(np.quantile(values.ravel(), share))


@pytest.mark.parametrize("confidence", [0.5, 0.8])
def test_the_split_is_that_of_the_draws(priced, confidence) -> None:
    own = {series.name: series.values for series in iter_series(priced.derived)}
    for answer in (budget(priced, confidence), dated_budget(priced, 2030.0, confidence)):
        split = answer.labour
        share = own["ai_share_of_labour_cost"]
        assert split.ai_share == pytest.approx([quantile(share, p) for p in (0.05, 0.5, 0.95)])
        for found, name in ((split.ai_hours, "ai_hours"), (split.human_hours, "human_hours_paid")):
            assert np.log10(found) == pytest.approx(quantile(own[name], confidence), abs=0.01)
        cost = own["labour_usd_per_hour"]
        assert np.log10(split.usd_per_hour[1]) == pytest.approx(quantile(cost, 0.5), abs=1e-6)
        money = own["alignment_hours_needed"] + cost
        assert np.log10(answer.usd) == pytest.approx(quantile(money, confidence), abs=0.01)
        assert split.usd_per_hour[1] < split.usd_per_hour_of_people
    assert dated_budget(priced, 2030.0).people * FULL_TIME == pytest.approx(
        dated_budget(priced, 2030.0).labour.human_hours
    )


def test_money_of_both_adds_up_in_every_draw(priced) -> None:
    own = {series.name: 10.0**series.values for series in iter_series(priced.derived)}
    people = own["human_hours_paid"] * own["usd_per_hour"] * own["labour_overhead"]
    agents = own["ai_hours"] * own["ai_usd_per_hour"]
    whole = own["alignment_hours_needed"] * own["labour_usd_per_hour"]
    np.testing.assert_allclose(people + agents, whole, rtol=1e-9)
    share = priced.derived["ai_share_of_labour_cost"].values
    np.testing.assert_allclose(share, agents / whole, rtol=1e-9)


def test_it_is_told_in_words_in_json_and_in_the_table(priced) -> None:
    answer = dated_budget(priced, 2030.0)
    words = budget_paragraph(answer)
    for part in ("hours worth of human feedback", "buys AI labour: up to", "AI hours, and up to",
                 "hours by people", "An hour's worth of work then costs"):  # fmt: skip
        assert part in words
    assert answer.how_to_price == budget(priced).how_to_price == ""
    told = json.loads(json.dumps(answer.to_dict()))["ai_labour"]
    assert set(told) == {"ai_share", "ai_hours", "human_hours", "usd_per_hour",
                         "usd_per_hour_of_people"}  # fmt: skip
    assert told["ai_share"]["q50"] == answer.labour.ai_share[1]
    whole = json.loads(json.dumps(budget(priced).to_dict()))["ai_labour"]
    assert whole["ai_hours"] == pytest.approx(told["ai_hours"], rel=0.01)
    console = Console(width=200, record=True, quiet=False, file=None)
    with console.capture() as printed:
        print_budget(console, budget(priced))
    assert "hours by AI" in printed.get() and "of the money (90%:" in printed.get()


def test_a_run_without_a_price_says_how_to_get_one(made, view) -> None:
    run = made(view)
    for answer in (budget(run), dated_budget(run, 2030.0)):
        assert answer.labour is None and answer.to_dict()["ai_labour"] is None
        assert answer.how_to_price.endswith("aligntax refit made --view with-ai-labour")
    assert "AI" not in budget_paragraph(dated_budget(run, 2030.0))
    assert how_to_price(load_view("with-ai-labour"), "made") == ""


def test_ai_that_is_worth_nothing_buys_nothing_and_leaves_the_budget_as_it_is(made, view) -> None:
    """Negative control, and the other way round: AI that is nearly free takes nearly all of the money."""
    priced = load_view("with-ai-labour")
    nothing = made(priced.replace(ai_transfer={"point": 1e-12}, ai_substitution={"point": 10.0}))
    split = dated_budget(nothing, 2030.0).labour
    assert split.ai_share[2] < 1e-6
    assert split.human_hours == pytest.approx(dated_budget(nothing, 2030.0).hours, rel=1e-6)
    cheap = made(priced.replace(ai_usd_per_hour={"point": 1e-3}))
    assert dated_budget(cheap, 2030.0).labour.ai_share[1] > 0.95
    assert dated_budget(cheap, 2030.0).usd < dated_budget(nothing, 2030.0).usd / 10


def test_the_price_enters_what_a_decision_costs(priced) -> None:
    from aligntax.analysis.answers.budget import hours_decision_of
    from aligntax.analysis.answers.swings import swings_of_run

    own = {series.name: series.values for series in iter_series(priced.derived)}
    decision = hours_decision_of(priced, priced.weights)
    np.testing.assert_allclose(decision.cost, 10.0 ** own["labour_usd_per_hour"])
    moved = {swing.quantity for swing in swings_of_run(priced)["money_for_hours"]}
    assert moved & set(ai_labour.QUANTITIES)
