"""Shifts by anchor, the choice of a requirement on the command line, and their figures."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.answers.timeline_shifts import SHIFTS, shifts_by_anchor
from aligntax.analysis.figures import arrival as arrival_figures
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.storage.load import load
from aligntax.analysis.trust.published_forecasts import push_forward, reproduce
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.requirements import NEURAL
from aligntax.models.views import ANCHORS, load_view
from tests.prior import prior_draws

DIMS = ("chain", "draw")


def table(result, given=None):
    return {(row.shift, row.group): row for row in shifts_by_anchor(result, given).rows}


def with_shifts(reference, shift, state, anchor, ends=1.0):
    """A run whose every shift is the same array of draws."""
    data = {name: (DIMS, shift) for name in SHIFTS}
    data |= {f"{name}_state": (DIMS, state) for name in SHIFTS}
    data["alignment_ends"] = (DIMS, np.broadcast_to(ends, shift.shape))
    derived = xr.Dataset({**data, "tai_anchor": (DIMS, anchor)})
    made = replace(reference, info={**reference.info, "prior_only": []})
    return made.with_groups(Groups(derived=derived))


@pytest.fixture
def made_up(reference):
    """Eight draws whose shifts are known: 1 to 4 years under neural nets, later never, undefined, and 0 under genome."""
    shift = np.asarray([[1.0, 2.0, 3.0, 4.0], [np.nan, np.nan, 0.0, 0.0]])
    state = np.asarray([[0, 0, 0, 0], [1, 3, 0, 0]], dtype="int8")
    genome, medium = ANCHORS.index("genome"), ANCHORS.index("medium_horizon")
    return with_shifts(
        reference, shift, state, np.where(shift == 0.0, genome, medium).astype(float)
    )


def test_shifts_are_those_of_the_draws_whose_anchor_it_is(made_up):
    found = table(made_up)
    row = found["timeline_shift_exponent", "neural nets only"]
    assert row.weight == pytest.approx(6 / 8)
    assert row.prob_right_censored == pytest.approx(1 / 6)
    assert row.prob_undefined == pytest.approx(1 / 6)
    assert row.quantiles["q50"] == pytest.approx(3.0)  # of 1, 2, 3, 4 and infinity
    assert row.quantiles["q95"] is None
    assert found["timeline_shift_exponent", "genome"].quantiles["q95"] == 0.0
    assert ("timeline_shift_exponent", "evolution") not in found
    assert found["timeline_shift_exponent", "medium_horizon"].quantiles == row.quantiles


def test_what_has_no_number_is_split_by_which_world_arrives(reference):
    """Of ten draws one is beyond the horizon in the later world alone, two in the earlier alone, three in both."""
    shift = np.asarray([[np.nan] * 6 + [-1.0, 0.0, 1.0, 2.0]])
    state = np.asarray([[1, 2, 2, 3, 3, 3, 0, 0, 0, 0]], dtype="int8")
    anchor = np.full(shift.shape, float(ANCHORS.index("medium_horizon")))
    row = table(with_shifts(reference, shift, state, anchor))["timeline_shift_exponent", "all"]
    assert row.prob_right_censored == pytest.approx(0.1)
    assert row.prob_left_censored == pytest.approx(0.2)
    assert row.prob_undefined == pytest.approx(0.3)
    # of seven that are defined: two below, -1, 0, 1, 2 and one above
    assert row.quantiles["q05"] is None and row.quantiles["q95"] is None
    assert row.quantiles["q50"] == pytest.approx(0.0)


def test_a_wait_without_end_is_not_taken_for_two_worlds_that_never_arrive(reference):
    """Of three draws without a number one never arrives, and two arrive and wait for ever."""
    shift = np.asarray([[np.nan, np.nan, np.nan, 0.0]])
    state = np.asarray([[3, 3, 3, 0]], dtype="int8")
    ends = np.asarray([[np.nan, 0.0, 0.0, 1.0]])
    anchor = np.full(shift.shape, float(ANCHORS.index("genome")))
    row = table(with_shifts(reference, shift, state, anchor, ends))[
        "timeline_shift_alignment", "all"
    ]
    assert (row.prob_undefined, row.prob_endless) == (0.25, 0.5)
    assert row.to_dict()["prob_endless"] == 0.5


def test_the_reference_s_waits_without_end_are_those_of_its_arrivals(reference):
    found, ends = table(reference), reference.derived["alignment_ends"].values
    for part in ("", "_tax", "_work"):
        row = found[f"timeline_shift_alignment{part}", "all"]
        assert row.prob_endless == pytest.approx(np.mean(ends == 0.0)) and row.prob_endless > 0.01
        assert row.prob_undefined == pytest.approx(np.mean(np.isnan(ends)))
    assert found["timeline_shift_exponent", "all"].prob_endless == 0.0


def test_groups_of_the_reference_run_share_out_its_draws(reference):
    found = table(reference)
    weights = {group: row.weight for (shift, group), row in found.items() if shift == SHIFTS[0]}
    assert weights["all"] == 1.0
    assert sum(weights.get(anchor, 0.0) for anchor in ANCHORS) == pytest.approx(1.0)
    assert weights["neural nets only"] == pytest.approx(sum(weights[anchor] for anchor in NEURAL))
    for anchor in ("genome", "evolution"):
        quantiles = found["timeline_shift_exponent", anchor].quantiles
        assert set(quantiles.values()) == {0.0}  # their requirement does not depend on the exponent
    assert found["timeline_shift_exponent", "neural nets only"].quantiles["q50"] > 0.3


def test_a_condition_leaves_only_the_draws_that_meet_it(reference):
    late = table(reference, "tai_year>2040")
    assert late["timeline_shift_exponent", "all"].weight == pytest.approx(1.0)
    # tasks are long enough before 2040 in most draws of the time horizon
    before = table(reference)["timeline_shift_exponent", "time_horizon"].weight
    after = late.get(("timeline_shift_exponent", "time_horizon"))
    assert after is None or after.weight < before


def test_a_run_without_arrival_has_no_shifts(reference):
    groups = replace(reference.groups, derived=reference.derived.drop_vars("tai_anchor"))
    with pytest.raises(
        InputError, match=r"run: must be of the joint model, got joint; run `aligntax run`"
    ):
        shifts_by_anchor(reference.with_groups(groups))


@pytest.mark.slow
def test_shifts_are_printed_and_dumped(aligntax, run_folder):
    code, out, _ = aligntax("shifts", run_folder)
    assert code == 0
    assert "neural nets only (" in out
    assert "shift, data exponent" in out and re.search(
        "alignment shift where it ends.*endless", out
    )
    code, out, _ = aligntax("shifts", run_folder, "--json", "--given", "tai_year<2060")
    told = json.loads(out)
    assert told["given"] == "tai_year<2060"
    assert {row["shift"] for row in told["shifts"]} == set(SHIFTS)
    assert all(row["prob_undefined"] < 1.0 for row in told["shifts"])


def test_shift_figures_show_every_anchor_that_counts(run_folder):
    result = load(run_folder)
    curves = arrival_figures.arrival_by_anchor(result).axes[0]
    labels = [str(line.get_label()) for line in curves.lines]
    assert labels[0] == "all draws"
    counts = np.bincount(
        result.derived["tai_anchor"].values.ravel().astype(int), minlength=len(ANCHORS)
    )
    for name, draws in zip(ANCHORS, counts, strict=True):
        shown = any(label.startswith(f"{name.replace('_', ' ')} (") for label in labels)
        assert shown == (name != "none" and draws >= arrival_figures.FEWEST), name
    assert len(labels) > 3
    for line in curves.lines:
        assert np.all(np.diff(line.get_ydata()) >= 0)
    axes = arrival_figures.shift_intervals(result).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "shift, data exponent"


# ---------------------------------------------------------------------------- choice of requirement


def test_a_requirement_is_chosen_on_a_refit(aligntax, run_folder, tmp_path):
    words = (
        "--requirement",
        "time-horizon",
        "--method",
        "reweight",
        "--out",
        tmp_path,
        "--name",
        "th",
    )
    code, out, error = aligntax("refit", run_folder, *words, "--json")
    assert code in (0, 1), error
    told = json.loads(out)
    assert told["view"] == "default-time-horizon"
    assert told["quantities"]["anchor_probability[time_horizon]"]["mean"] == pytest.approx(1.0)
    assert told["quantities"]["tai_flop"]["prob_undefined"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("bio-anchors", "must be one of bioanchors, "),
        ("mixture", "two kinds of requirement or more, got lifetime 0.05"),
    ],
)
def test_a_requirement_that_cannot_be_had_is_an_error(choice, message, aligntax):
    code, out, error = aligntax("run", "--view", "bioanchors-alone", "--requirement", choice)
    assert (code, out) == (2, "")
    assert message in error


# ------------------------------------------------------------------------------------- reproduction


@pytest.mark.slow
def test_a_forecast_is_reproduced_on_the_command_line(aligntax, tmp_path):
    picture = tmp_path / "curve.png"
    code, out, _ = aligntax("reproduce", "direct-approach", "--draws", 4000, "--picture", picture)
    assert code == 0
    assert "the view direct-approach-2023" in out
    assert "before updating" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, out, _ = aligntax("reproduce", "bioanchors", "--draws", 4000, "--json")
    told = json.loads(out)
    assert told["milestone"] == "training a transformative model is affordable"
    assert told["readings"][0]["shift_exponent_neural_nets"]["weight"] > 0.6
    code, out, error = aligntax("reproduce", "ai2027")
    assert (code, out) == (2, "")
    assert "must be one of bioanchors, direct-approach, ai-futures, kwa, got 'ai2027'" in error


def test_the_same_seed_gives_the_same_reproduction(evidence):
    from aligntax.analysis.inference.options import Sampling

    view = load_view("bioanchors-2020")
    one, two, other = (
        push_forward("x", view, evidence, Sampling(draws=500, seed=seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.year, two.year)
    assert not np.array_equal(one.year, other.year)


@pytest.mark.parametrize("draws", [0, -5, 399])
def test_too_few_draws_of_a_forecast_are_an_error(draws, evidence):
    with pytest.raises(InputError, match=f"draws: must be at least 400, got {draws}"):
        reproduce("bioanchors", evidence, draws)


def test_the_last_draws_are_stood_in_for_by_as_many_as_the_first(evidence):
    """One draw more than a block: alone in a block of its own it would have nobody above the bound to stand in."""
    from aligntax.analysis.inference.derive import derive
    from aligntax.models.blocks import BLOCK

    view = load_view("bioanchors-2020").replace(requirement={"low_flop": 1e33})
    model = find_model("joint")
    tables, chosen = view.tables(model.quantities), restrict(evidence, view, model)
    draws = prior_draws(tables, BLOCK + 1)
    found = derive(model, draws, tables, chosen, view, np.random.default_rng(0))["tai_flop"]
    assert found.size == BLOCK + 1
    assert found.min() > 33.0
