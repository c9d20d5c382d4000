"""The answer by kind of requirement: the draws of each kind alone, and the mixture of them all."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.by_requirement import FEWEST_EFFECTIVE, KINDS, by_requirement
from aligntax.analysis.summaries.kinds_in_words import COLUMNS, kind_cells, kind_line
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.states import censored
from aligntax.models.views import ANCHORS, load_view

HORIZON = 2100.0
DRAWS = 400


@pytest.fixture(scope="module")
def mixture():
    """A third for each of three kinds."""
    default = load_view("default")
    bio = {name: 4.0 / 3.0 * weight for name, weight in default.anchors.items()}
    thirds = {**bio, "user": 0.0, "direct_approach": 1.0 / 3.0, "time_horizon": 1.0 / 3.0}
    return replace(default, anchors=thirds)


def dataset(anchors, year, hours, paid):
    """Two chains of draws; NaN hours where nothing arrives."""
    shape = (2, DRAWS // 2)
    columns = {
        "tai_year": year,
        "tai_year_baseline_exponent": year,
        "alignment_hours_needed": hours,
        "prob_affordable": paid,
        "tai_anchor": [ANCHORS.index(name) for name in anchors],
    }
    values = {name: np.asarray(each, dtype=float).reshape(shape) for name, each in columns.items()}
    coords = {"chain": [0, 1], "draw": np.arange(shape[1])}
    return censored(values, coords, dict.fromkeys(values, ("chain", "draw")))


@pytest.fixture(scope="module")
def draws():
    """Half Bio Anchors, of which a quarter "none"; the rest Direct Approach and time horizon."""
    kinds = ["lifetime", "short_horizon", "evolution", "none"]
    anchors = [
        kinds[i % 4] if i < 200 else "direct_approach" if i < 360 else "time_horizon"
        for i in range(DRAWS)
    ]
    year = np.where(np.arange(DRAWS) < 360, 2030.0 + np.arange(DRAWS) / 10, 2029.0)
    year[[name == "none" for name in anchors]] = np.inf
    met = np.isfinite(year)
    hours = np.where(met, 4.0 + (np.arange(DRAWS) % 10) / 10, np.nan)
    paid = np.where(met, (np.arange(DRAWS) % 5 > 0).astype(float), np.nan)
    return dataset(anchors, year, hours, paid), year, hours, paid, np.asarray(anchors)


def equal():
    return Weights.equal((2, DRAWS // 2))


def test_each_row_is_the_answer_of_its_own_draws(draws, mixture):
    data, year, hours, paid, anchors = draws
    rows = {row["kind"]: row for row in by_requirement(data, equal(), mixture)}
    assert list(rows) == ["bio_anchors", "direct_approach", "time_horizon", "mixture"]
    for kind, row in rows.items():
        mine = np.isin(anchors, KINDS[kind]) if kind in KINDS else np.ones(DRAWS, dtype=bool)
        met = mine & np.isfinite(year)
        assert row["posterior"] == pytest.approx(mine.mean())
        assert row["prob_by_horizon"] == pytest.approx(met.sum() / mine.sum())
        assert row["prob_affordable"] == pytest.approx(np.mean(paid[met]))
        assert row["alignment_hours_needed"] == pytest.approx(np.median(hours[met]))
        for key, p in (("q25", 0.25), ("q50", 0.5), ("q75", 0.75)):
            expected = np.quantile(year[mine], p, method="lower")
            if np.isinf(np.quantile(year[mine], p, method="higher")):
                assert row["tai_year"][key] is None
            else:
                assert row["tai_year"][key] == pytest.approx(expected, abs=0.2)
    priors = [rows[kind]["prior"] for kind in ("bio_anchors", "direct_approach", "time_horizon")]
    assert priors == pytest.approx([1 / 3] * 3, abs=1e-5) and rows["mixture"]["prior"] == 1.0


def test_none_stays_with_bio_anchors(draws, mixture):
    """Negative control: without "none" everything of Bio Anchors would arrive."""
    rows = {row["kind"]: row for row in by_requirement(draws[0], equal(), mixture)}
    assert rows["bio_anchors"]["prob_by_horizon"] == pytest.approx(0.75)
    assert rows["bio_anchors"]["tai_year"]["q75"] is None


def test_draws_count_by_their_weights(draws, mixture):
    data, *_, anchors = draws
    heavy = np.where(anchors == "time_horizon", 9.0, 1.0).reshape(2, -1)
    rows = {r["kind"]: r for r in by_requirement(data, Weights(heavy / heavy.sum()), mixture)}
    assert rows["time_horizon"]["posterior"] == pytest.approx(9 * 40 / (9 * 40 + 360))
    assert rows["mixture"]["tai_year"]["q25"] == 2029.0


def test_a_kind_of_few_effective_draws_is_marked(draws, mixture):
    rows = {row["kind"]: row for row in by_requirement(draws[0], equal(), mixture)}
    assert rows["time_horizon"]["ess"] == pytest.approx(40) and not rows["time_horizon"]["enough"]
    assert rows["direct_approach"]["ess"] == pytest.approx(160)
    assert rows["direct_approach"]["enough"] and FEWEST_EFFECTIVE == 100
    assert kind_cells(rows["time_horizon"], HORIZON)[0] == "time horizon (too few draws: 40)"


def test_a_kind_that_has_weight_but_no_draw_has_its_weight_alone(mixture):
    values = [2030.0] * DRAWS
    data = dataset(["lifetime"] * DRAWS, values, [4.0] * DRAWS, [1.0] * DRAWS)
    row = by_requirement(data, equal(), mixture)[1]
    assert row["kind"] == "direct_approach" and row["posterior"] == 0.0 and not row["enough"]
    assert row["prob_by_horizon"] is None and row["tai_year"]["q50"] is None
    assert kind_cells(row, HORIZON)[1:] == ("33%", "0%", "", "", "", "")


def test_the_reference_run_has_four_kinds_and_their_mixture(reference):
    rows = arrival_answers(reference.derived, reference.view)["by_requirement"]
    assert [row["kind"] for row in rows] == [
        *("bio_anchors", "direct_approach", "time_horizon", "user"),
        "mixture",
    ]
    assert [row["prior"] for row in rows] == pytest.approx([0.25] * 4 + [1.0])
    assert sum(row["posterior"] for row in rows[:-1]) == pytest.approx(1.0)


def test_only_kinds_with_weight_are_shown_and_one_kind_is_a_line(reference):
    alone = load_view("bioanchors-alone")
    derived = reference.derived.assign(
        tai_anchor=reference.derived["tai_anchor"] * 0 + ANCHORS.index("genome")
    )
    rows = arrival_answers(derived, alone)["by_requirement"]
    assert [row["kind"] for row in rows] == ["bio_anchors"]
    record = reference.record["quantities"]["tai_year"]
    assert rows[0]["tai_year"]["q50"] == pytest.approx(record["q50"], abs=1e-3)
    assert rows[0]["prob_by_horizon"] == pytest.approx(1.0 - record["prob_above"])
    needed = reference.record["quantities"]["alignment_hours_needed"]["q50"]
    assert rows[0]["alignment_hours_needed"] == pytest.approx(needed, abs=1e-4)
    years = " / ".join(f"{record[q]:.0f}" for q in ("q25", "q50", "q75"))
    assert kind_line(rows[0], HORIZON).startswith(
        f"requirement: Bio Anchors alone; TAI arrives {years}"
    )
    assert len(kind_cells(rows[0], HORIZON)) == len(COLUMNS)


def test_the_users_kind_is_called_by_its_milestone(draws):
    default = load_view("default")
    weights = {**dict.fromkeys(ANCHORS, 0.0), "user": 1.0}
    requirement = replace(default.requirement, user_milestone="remote work automated")
    view = replace(default, anchors=weights, requirement=requirement)
    mine = view.replace(user_flop={0.1: 1e28, 0.5: 1e30, 0.9: 1e32})
    labels = [by_requirement(draws[0], equal(), each)[0]["label"] for each in (view, mine)]
    assert labels == [
        "takeoff presets: remote work automated",
        "own requirement: remote work automated",
    ]


def test_models_without_anchors_have_no_such_answer(reference):
    scaling = reference.derived[["data_exponent"]]
    assert arrival_answers(scaling, reference.view) == {}
    assert by_requirement(scaling, reference.weights, reference.view) == []
