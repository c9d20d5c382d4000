"""Published models of AI research from their own inputs: their dates, and what their inputs are worth."""

import json

import numpy as np
import pytest

from aligntax.analysis.inference.derive import arrival_of_draws, split_draws
from aligntax.analysis.trust.published_research import ASI, CODER, KWA, reproduce_research
from aligntax.models import joint
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.views import load_view
from tests.prior import prior_draws


@pytest.fixture(scope="module")
def ai_futures(evidence):
    return reproduce_research("ai-futures", evidence)


@pytest.fixture(scope="module")
def kwa(evidence):
    return reproduce_research("kwa", evidence, 5_000)


def reading(found, start, milestone):
    return next(r for r in found.readings if r.name.startswith(start) and r.milestone == milestone)


# ---------------------------------------------------------------------------- AI Futures Model, 2025


@pytest.mark.parametrize(
    ("who", "milestone", "published"),
    [
        ("the view", CODER, 2030.2),
        ("the view", ASI, 2031.5),
        ("Lifland: 125", CODER, 2031.5),
    ],
)
def test_the_ai_futures_models_dates_within_a_year(who, milestone, published, ai_futures) -> None:
    """aifuturesmodel.com: March 2030 and July 2031 (Kokotajlo's medians), and 2031 (Lifland's)."""
    own = reading(ai_futures, who, milestone)
    assert own.published[0.5] == published
    assert own.quantile(0.5) == pytest.approx(published, abs=1.0)


def test_liflands_superintelligence_is_missed_and_the_growth_of_taste_is_why(ai_futures) -> None:
    """Published: 2034. With the program's growth of taste it is 2036.4, with the site's present one 2032.6."""
    own = reading(ai_futures, "Lifland: 125", ASI)
    faster = reading(ai_futures, "Lifland, with", ASI)
    assert own.quantile(0.5) == pytest.approx(2036.4, abs=0.2)
    assert own.difference() > 1.0
    assert faster.quantile(0.5) < own.published[0.5] < own.quantile(0.5)


def test_ai_in_research_is_worth_about_a_year_to_the_coder(ai_futures) -> None:
    own, without = (reading(ai_futures, name, CODER) for name in ("the view", "no AI"))
    assert 0.5 < without.quantile(0.5) - own.quantile(0.5) < 1.5
    assert reading(ai_futures, "no AI", ASI).quantile(0.5) is None


# --------------------------------------------------------------------------------------- Kwa, 2026


def test_kwas_quantiles_within_a_third_of_a_year(kwa) -> None:
    """His notebook, 500 trajectories: 10, 25, 50, 75 and 90% of the year of 99% automation."""
    own = reading(kwa, "the view", KWA)
    published = {0.1: 2030.2, 0.25: 2031.42, 0.5: 2032.76, 0.75: 2034.48, 0.9: 2036.2}
    assert own.published == published
    for p, year in published.items():
        assert own.quantile(p) == pytest.approx(year, abs=0.35), p


def test_kwas_dates_without_gain_from_automation_are_later(kwa) -> None:
    own, without = (reading(kwa, name, KWA) for name in ("the view", "research no easier"))
    assert 0.3 < without.quantile(0.5) - own.quantile(0.5) < 1.5


# ------------------------------------------------------------------------- the same views, in `joint`


@pytest.mark.parametrize(
    ("name", "published"), [("kwa-2026", 2032.76), ("ai-futures-2026", 2031.5)]
)
def test_the_views_arrive_there_in_the_joint_model(name, published, evidence) -> None:
    view = load_view(name)
    tables = view.tables(joint.QUANTITIES)
    chosen = restrict(evidence, view, find_model("joint"))
    where = (*split_draws(prior_draws(tables, 2000), tables), chosen, view)
    year = arrival_of_draws(*where, np.random.default_rng(1))["year"]
    # the trend that diverges is infinite from one year of the grid to the next
    assert np.median(year) == pytest.approx(published, abs=1.0)


# ------------------------------------------------------------------------------------------- errors


def test_few_draws_are_refused(evidence) -> None:
    with pytest.raises(InputError, match="draws: must be at least 40, got 39"):
        reproduce_research("kwa", evidence, 39)
    with pytest.raises(InputError, match="forecast: must be one of ai-futures, kwa"):
        reproduce_research("gate", evidence)


def test_a_reproduction_is_plain_numbers(ai_futures) -> None:
    told = json.loads(json.dumps(ai_futures.to_dict(), allow_nan=False))
    assert told["readings"][0]["q50"] == pytest.approx(2030.0, abs=0.2)
    assert told["readings"][0]["years_later_than_published"] == pytest.approx(-0.2, abs=0.2)
