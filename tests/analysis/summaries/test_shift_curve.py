"""The exponent's shift of arrival by weight on neural-net anchors: its ends are known, its errors sound."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.summaries.kinds_in_words import SHOWN, curve_cells, shift_in_words
from aligntax.analysis.summaries.shift_curve import (
    WEIGHTS,
    exponent_shift_curve,
    posterior_weight,
)
from aligntax.analysis.summaries.summary import QUARTILES
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.requirements import NEURAL
from aligntax.models.states import censored
from aligntax.models.views import ANCHORS, load_view

CHAINS, DRAWS = 4, 500
SHIFT = 3.0


@pytest.fixture(scope="module")
def view():
    return load_view("bioanchors-alone")  # neural nets have weight 0.65


def dataset(neural, year, baseline):
    """Draws in chains; ``neural`` says whose anchor is a neural net."""
    anchor = np.where(neural, ANCHORS.index("medium_horizon"), ANCHORS.index("genome"))
    columns = {"tai_year": year, "tai_year_baseline_exponent": baseline, "tai_anchor": anchor}
    values = {
        name: np.asarray(each, dtype=float).reshape(CHAINS, DRAWS) for name, each in columns.items()
    }
    coords = {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)}
    return censored(values, coords, dict.fromkeys(values, ("chain", "draw")))


def drawn(seed, share=0.5, sd=10.0):
    """Both kinds arrive about 2050; the exponent moves neural nets alone, by three years."""
    rng = np.random.default_rng(seed)
    neural = rng.uniform(size=CHAINS * DRAWS) < share
    baseline = 2050.0 + sd * rng.standard_normal(CHAINS * DRAWS)
    return neural, np.where(neural, baseline + SHIFT, baseline), baseline


def equal():
    return Weights.equal((CHAINS, DRAWS))


def at(curve, weight):
    return next(point for point in curve["points"] if point["weight"] == weight)


def test_without_neural_nets_nothing_moves_and_with_them_alone_it_is_their_answer(view):
    neural, year, baseline = drawn(1)
    curve = exponent_shift_curve(dataset(neural, year, baseline), equal(), view)
    assert [point["weight"] for point in curve["points"]] == list(WEIGHTS)
    assert curve["note"] is None and curve["prior_weight"] == pytest.approx(0.65)
    assert curve["posterior_weight"] == pytest.approx(neural.mean())
    for name, p in QUARTILES.items():
        first, last = at(curve, 0.0)[name], at(curve, 1.0)[name]
        assert first["years"] == 0.0 and first["mcse"] == 0.0
        alone = np.quantile(year[neural], p) - np.quantile(baseline[neural], p)
        assert last["years"] == pytest.approx(alone, abs=1e-9)
        assert alone == pytest.approx(SHIFT)
        assert 0 < at(curve, 0.5)[name]["years"] < SHIFT


def test_the_reference_run_has_its_neural_nets_answer_at_the_end(reference):
    curve = exponent_shift_curve(reference.derived, reference.weights, reference.view)
    derived = reference.derived
    neural = np.isin(derived["tai_anchor"].values, [ANCHORS.index(name) for name in NEURAL])

    def median(name):
        values = np.where(
            derived[f"{name}_state"].values == 1, np.inf, derived[name].values.astype(float)
        )[neural]
        return np.sort(values)[[(len(values) - 1) // 2, len(values) // 2]].mean()

    last, first = at(curve, 1.0)["q50"], at(curve, 0.0)["q25"]
    expected = median("tai_year") - median("tai_year_baseline_exponent")
    assert last["years"] == pytest.approx(expected, abs=1e-3)
    assert 0.1 < last["mcse"] < 3.0 and last["years"] > 0
    assert abs(first["years"]) <= 3 * first["mcse"] + 1e-9
    assert abs(at(curve, 0.0)["q75"]["years"]) <= 1e-9  # no other anchor depends on the exponent


def test_a_point_beyond_the_horizon_in_both_worlds_is_told_as_such(view):
    neural, year, baseline = drawn(4)
    late = np.arange(CHAINS * DRAWS) % 5 > 0
    year, baseline = np.where(late, np.inf, year), np.where(late, np.inf, baseline)
    curve = exponent_shift_curve(dataset(neural, year, baseline), equal(), view)
    assert at(curve, 0.0)["q75"] == {"years": None, "mcse": None, "censored": "both"}


def test_a_points_error_is_the_spread_of_other_runs(view):
    """The bootstrap of one run against the scatter of forty."""
    runs = [
        at(exponent_shift_curve(dataset(*drawn(seed)), equal(), view), 0.5)["q50"]
        for seed in range(40)
    ]
    scatter = np.std([run["years"] for run in runs], ddof=1)
    assert np.mean([run["mcse"] for run in runs]) == pytest.approx(scatter, rel=0.35)


def test_the_views_own_weight_gives_back_its_posterior():
    assert posterior_weight(0.65, 0.65, 0.4) == pytest.approx(0.4)
    # the evidence's odds for neural nets stay as they are
    odds = (0.4 / 0.6) / (0.65 / 0.35)
    found = posterior_weight(0.5, 0.65, 0.4)
    assert found / (1 - found) == pytest.approx(odds)
    assert posterior_weight(0.0, 0.65, 0.4) == 0.0 and posterior_weight(1.0, 0.65, 0.4) == 1.0


def test_the_evidence_moves_the_mixture_not_the_ends(view):
    """Negative control: the prior weight of the view enters, except at 0 and 1."""
    data = dataset(*drawn(2))
    others = {**dict.fromkeys(ANCHORS, 0.0), "medium_horizon": 0.1, "genome": 0.9}
    here = exponent_shift_curve(data, equal(), view)
    there = exponent_shift_curve(data, equal(), replace(view, anchors=others))
    assert at(here, 1.0) == at(there, 1.0) and at(here, 0.0) == at(there, 0.0)
    assert at(there, 0.5)["posterior"] > at(here, 0.5)["posterior"] + 0.1


def test_weights_of_draws_count(view):
    neural, year, baseline = drawn(3)
    heavy = np.where(year > 2050.0, 4.0, 1.0).reshape(CHAINS, DRAWS)
    curve = exponent_shift_curve(
        dataset(neural, year, baseline), Weights(heavy / heavy.sum()), view
    )
    w = heavy.ravel()
    assert curve["posterior_weight"] == pytest.approx(w[neural].sum() / w.sum())


def test_what_lies_beyond_the_horizon_has_no_number(view):
    neural = np.ones(CHAINS * DRAWS, dtype=bool)
    neural[::2] = False
    baseline = np.tile(np.linspace(2030.0, 2099.0, 10), CHAINS * DRAWS // 10)
    year = np.where(neural & (baseline > 2060.0), np.inf, baseline)
    curve = exponent_shift_curve(dataset(neural, year, baseline), equal(), view)
    last = at(curve, 1.0)
    assert last["q75"]["years"] is None and last["q75"]["censored"] == "later"
    assert shift_in_words(last["q75"]) == "beyond"
    swapped = exponent_shift_curve(dataset(neural, baseline, year), equal(), view)
    assert at(swapped, 1.0)["q75"]["censored"] == "earlier"
    both = exponent_shift_curve(dataset(neural, year, year), equal(), view)
    assert at(both, 1.0)["q75"]["censored"] == "both"


@pytest.mark.parametrize(("neural", "weight", "word"), [(0.0, 0.0, "start"), (1.0, 1.0, "end")])
def test_a_view_of_one_kind_shows_what_it_can(view, neural, weight, word):
    anchors = {**dict.fromkeys(ANCHORS, 0.0), "medium_horizon": neural, "genome": 1.0 - neural}
    data = dataset(*drawn(4, share=2.0 * neural - 0.5))
    curve = exponent_shift_curve(data, equal(), replace(view, anchors=anchors))
    assert [point["weight"] for point in curve["points"]] == [weight]
    assert curve["note"].endswith(f"only its {word}")
    assert at(curve, weight)["q50"]["years"] == pytest.approx(SHIFT * neural, abs=1e-9)


def test_a_model_without_anchors_has_no_curve(reference):
    scaling = reference.derived[["data_exponent"]]
    assert exponent_shift_curve(scaling, reference.weights, reference.view) == {}


def test_points_are_said_with_their_errors(view):
    assert shift_in_words({"years": 2.14, "mcse": 0.44, "censored": None}) == "2.1 ± 0.4"
    assert shift_in_words({"years": 11.3, "mcse": 2.2, "censored": None}) == "11 ± 2"
    assert shift_in_words({"years": 11.3, "mcse": None, "censored": None}) == "11 ± unknown"
    assert shift_in_words({"years": -0.01, "mcse": 0.1, "censored": None}) == "0 ± 0.1"
    cells = curve_cells(exponent_shift_curve(dataset(*drawn(5)), equal(), view))
    assert [row[0] for row in cells] == ["0%", "30%", "50%", "70%", "100%"]
    assert len(cells) == len(SHOWN) and cells[0][1:] == ("0 ± 0",) * 3
