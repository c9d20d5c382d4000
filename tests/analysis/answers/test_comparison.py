"""Runs side by side: noise is not read as disagreement, a moved prior is, and what differed is named."""

import io
import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from rich.console import Console

from aligntax.analysis.answers.comparison import compare
from aligntax.analysis.fitting.outcome import write_outcome
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.analysis.summaries.summary import summarise
from aligntax.analysis.terminal.comparison import print_comparison
from aligntax.models.errors import InputError
from tests.analysis.agreement import holm

DEAR = {"quantiles": {"0.1": 60, "0.5": 150, "0.9": 400}}


@pytest.fixture(scope="module")
def seeds(outcomes, tmp_path_factory):
    """The same view on three seeds, as runs."""
    out = tmp_path_factory.mktemp("seeds")
    for seed, outcome in outcomes.items():
        with new_folder(out, f"seed{seed}") as place:
            write_outcome(place.folder, outcome, f"seed{seed}")
    return out


@pytest.mark.slow
def test_other_seeds_do_not_differ(seeds):
    """Each of two pairs is told apart once in twenty (Holm, 5%), and once in a thousand at 0.1%."""
    comparison = compare(*(seeds / name for name in ("seed2022", "seed1", "seed7")))
    apart = [any(marks) for marks in zip(*comparison.differs.values(), strict=True)]
    assert len(apart) == 2 and sum(apart) <= 1
    for pair in zip(*comparison.p.values(), strict=True):
        assert holm(list(zip(comparison.p, pair, strict=True)), 0.001) == []
    assert not any(change.any for change in comparison.changes) and comparison.shared == (
        False,
        False,
    )
    assert comparison.facts == ((), ())


@pytest.mark.slow
def test_a_moved_prior_is_seen_where_it_matters_and_nowhere_else(seeds):
    base = load(seeds / "seed2022")
    moved = refit(
        base,
        base.view.with_quantity("usd_per_hour", DEAR),
        out=seeds,
        name="dear",
    )
    comparison = compare(base, moved)
    assert comparison.differs["alignment_hours_affordable"] == (True,)
    assert comparison.differs["tai_year"] == (False,) and comparison.p["tai_year"] == (1.0,)
    assert comparison.changes[0].quantities == ("usd_per_hour",) and comparison.shared == (True,)
    value, error = comparison.differences["alignment_hours_affordable"][0]
    dearer = np.log10(150) - base.record["quantities"]["usd_per_hour"]["q50"]
    assert value == pytest.approx(-dearer, abs=0.15)
    assert 0 < error < abs(value) / 10
    assert comparison.differs["tolerance_at_least_1_percent"] == (False,)
    assert comparison.differs["exponent_nearer_1_new_regime"] == (False,)
    table = comparison.table()
    columns = [
        table.loc["alignment_hours_affordable", f"{run} q50"] for run in ("seed2022", "dear")
    ]
    assert columns[1] - columns[0] == pytest.approx(value, abs=1e-6)


@pytest.mark.slow
def test_refits_share_draws_so_that_small_changes_are_seen(seeds):
    """The same small change is beyond noise on the same draws and within it on other draws."""
    base = load(seeds / "seed2022")
    spec = base.view.quantities["usd_per_hour"]
    small = {"quantiles": {p: 1.15 * v for p, v in spec["quantiles"].items()}}
    moved = refit(base, base.view.with_quantity("usd_per_hour", small), out=seeds, name="wage")
    assert compare(base, moved).differs["alignment_hours_affordable"] == (True,)
    assert compare(load(seeds / "seed1"), moved).differs["alignment_hours_affordable"] == (False,)


@pytest.mark.slow
def test_errors_of_differences_are_those_of_independent_medians(seeds):
    one, two = load(seeds / "seed1"), load(seeds / "seed7")
    rows = [run.record["quantities"]["data_exponent"] for run in (one, two)]
    value, error = compare(one, two).differences["data_exponent"][0]
    assert value == pytest.approx(rows[1]["q50"] - rows[0]["q50"])
    assert error == pytest.approx(np.hypot(*(row["mcse_median"] for row in rows)))


@pytest.mark.slow
def test_errors_of_shared_draws_are_smaller_and_nothing_differs_from_itself(seeds):
    base = load(seeds / "seed2022")
    spec = base.view.quantities["usd_per_hour"]
    small = {"quantiles": {p: 1.1 * v for p, v in spec["quantiles"].items()}}
    moved = refit(base, base.view.with_quantity("usd_per_hour", small), out=seeds, name="dearer")
    value, error = compare(base, moved).differences["alignment_hours_affordable"][0]
    alone = base.record["quantities"]["alignment_hours_affordable"]["mcse_median"]
    assert value == pytest.approx(-np.log10(1.1), abs=0.03) and error < 0.5 * alone
    same = compare(base, base)
    assert all(
        not value and (error or 0.0) < 1e-6 for ((value, error),) in same.differences.values()
    )
    assert set(same.p.values()) == {(1.0,)} and same.labels == ("seed2022 (1)", "seed2022 (2)")
    assert {"seed2022 (1) q50", "seed2022 (2) q50"} <= set(same.table().columns)


@pytest.mark.slow
def test_other_evidence_and_another_version_are_named(seeds):
    base = load(seeds / "seed2022")
    tables = base.info["evidence"]["tables"] | {"training_runs": "0" * 64}
    info = {
        **base.info,
        "evidence": {"hash": "1", "tables": tables},
        "model": {"name": "joint", "version": 0},
    }
    facts = compare(base, replace(base, info=info)).facts[0]
    assert "version 0" in facts[0] and facts[1] == "evidence tables training_runs"


def shifted(reference, by):
    """The reference run with every headline's draws moved, as draws of its own or as a refit that counts the same."""
    derived = reference.derived.map(lambda v: v)
    for name in ("data_exponent", "data_exponent_pooled"):
        derived[name] = derived[name] + by
    tree = reference.with_groups(replace(reference.groups, derived=derived)).tree
    rows = summarise(derived, ())
    record = {**reference.record, "quantities": reference.record["quantities"] | rows}
    info = {k: v for k, v in reference.info.items() if k != "files"}
    other = replace(reference, tree=tree, record=record)
    return other, replace(other, info={**info, "files": {"posterior.nc": "0" * 64}})


def test_a_shift_beyond_the_error_differs_and_one_within_it_does_not(reference):
    """Separate draws: the error of the difference of two medians is the root of the sum of squares."""
    error = reference.record["quantities"]["data_exponent_pooled"]["mcse_median"]
    _, small = shifted(reference, 0.5 * error)
    _, large = shifted(reference, 12.0 * error)
    assert compare(reference, small).shared == (False,)
    assert compare(reference, small).differs["data_exponent_pooled"] == (False,)
    found = compare(reference, large)
    assert found.differs["data_exponent_pooled"] == (True,) and found.p["tai_year"] == (1.0,)
    value, spread = found.differences["data_exponent_pooled"][0]
    assert value == pytest.approx(12.0 * error, rel=1e-3)
    assert spread == pytest.approx(np.sqrt(2.0) * error, rel=0.05)


def test_the_same_shift_of_the_same_draws_is_beyond_its_error(reference):
    error = reference.record["quantities"]["data_exponent_pooled"]["mcse_median"]
    same, other = shifted(reference, 1.5 * error)
    assert compare(reference, same).shared == (True,)
    assert compare(reference, same).differs["data_exponent_pooled"] == (True,)
    assert compare(reference, other).differs["data_exponent_pooled"] == (False,)
    _, spread = compare(reference, same).differences["data_exponent_pooled"][0]
    assert spread < 0.2 * error


def few_draws(reference, draws):
    """The first draws of each chain, moved far away."""
    moved, _ = shifted(reference, 1.0)
    tree = moved.tree.isel(draw=slice(draws))
    rows = {**reference.record["quantities"], **summarise(moved.derived.isel(draw=slice(draws)))}
    info = {k: v for k, v in reference.info.items() if k != "files"}
    info["files"] = {"posterior.nc": "0" * 64}
    return replace(moved, tree=tree, info=info, record={**moved.record, "quantities": rows})


def test_from_too_few_draws_it_is_undecided_whether_answers_differ(reference):
    """Batch means of a few draws miss the error, so that noise would be told as a difference."""
    found = compare(reference, few_draws(reference, 8))
    assert set(found.undecided.values()) == {(True,)} and not any(map(any, found.differs.values()))
    assert set(found.p.values()) == {(1.0,)}
    count = len(found.undecided)
    assert f"{count} of {count} numbers and claims are undecided" in found.note
    assert "fewer than 400 effective draws" in found.to_dict()["note"] and found.note in repr(found)
    told = found.to_dict()["quantities"]["tai_year"]
    assert told["undecided"] == [True] and told["differs"] == [False]
    decided = compare(reference, shifted(reference, 1.0)[0])
    assert set(decided.undecided.values()) == {(False,)} and decided.note == ""


def test_a_failed_run_is_named_and_what_is_undecided_is_said_once(reference):
    screen = Console(file=io.StringIO(), width=240)
    print_comparison(screen, compare(reference, few_draws(reference, 8)))
    text = screen.file.getvalue()
    assert text.count("numbers and claims are undecided") == 1
    assert "within Monte Carlo error: " not in text and " *" not in text.replace("* differs", "")
    failed = (
        "verdict: fail (do not trust this result: a check failed, see `aligntax show reference`)"
    )
    assert f"reference (1): {failed}" in text


def test_too_few_and_too_many_runs_are_refused(reference):
    with pytest.raises(InputError, match="2 to 8 runs, got 1"):
        compare(reference)
    with pytest.raises(InputError, match="2 to 8 runs, got 9"):
        compare(*[reference] * 9)


@pytest.mark.slow
def test_given_conditions_every_run(seeds):
    """Runs that do not differ are told apart once in twenty pairs (Holm, 5%): two of three are 0.7%."""
    flagged = 0
    for one, other in combinations(("seed2022", "seed1", "seed7"), 2):
        comparison = compare(seeds / one, seeds / other, given="tai_year<2035")
        assert all(rows["tai_year"]["q95"] < 2035 for rows in comparison.rows)
        flagged += any(any(marks) for marks in comparison.differs.values())
    assert flagged <= 1
    told = comparison.to_dict()
    assert told["runs"][0]["given"]["probability"] == pytest.approx(
        told["runs"][1]["given"]["probability"], abs=0.06
    )


@pytest.mark.slow
def test_runs_must_be_comparable(seeds, reference):
    with pytest.raises(InputError, match="compare takes 2 to 8 runs, got 1"):
        compare(reference)
    other = replace(reference, record={**reference.record, "model": "scaling"})
    assert set(compare(reference, other).names) == {"data_exponent", "data_exponent_pooled"}
    alone = replace(reference, record={**reference.record, "model": "alignment"})
    with pytest.raises(InputError, match="must share a headline quantity"):
        compare(other, alone)


@pytest.mark.slow
def test_compare_on_the_command_line(aligntax, seeds, tmp_path):
    words = ("compare", "seed2022", "seed1", "--out", seeds)
    code, out, err = aligntax(*words, "--picture", tmp_path / "c.svg")
    # of numbers that do not differ any is told apart once in twenty pairs
    found = compare(seeds / "seed2022", seeds / "seed1").differs
    apart = sum(marks[0] for marks in found.values())
    assert code == 0 and err == "" and "TAI arrival" in out and "seed1 changes nothing" in out
    assert f"(Holm, 5%): {apart} of {len(found)} numbers and claims" in out and apart <= 1
    assert "\x1b" not in out and (tmp_path / "c.svg").read_text().startswith("<?xml")
    assert "no change to speak of, or within Monte Carlo error: " in out and "TAI arrival" in out
    assert "too few" in aligntax(*words, "--given", "tai_year<2026.8")[1]
    told = json.loads(aligntax(*words, "--json")[1])
    assert set(told["quantities"]["tai_year"]["differences"][0]) == {"value", "mcse"}
    assert [run["run"] for run in told["runs"]] == ["seed2022", "seed1"]
    assert set(told["quantities"]["tai_year"]["runs"][0]) == {
        "q05",
        "q50",
        "q95",
        "prob_censored",
        "mcse_median",
    }
    code, out, err = aligntax("compare", "seed2022", "--out", seeds)
    assert code == 2 and out == "" and "got 1" in err
    code, _, err = aligntax("compare", "seed2022", "absent", "--out", seeds)
    assert code == 2 and "absent" in err
