"""The simulated gold curves: the stored table is what the command writes, and the command behaves."""

import csv
import inspect
import json

import numpy as np
import pytest

import aligntax.analysis.experiments.gold_curves as simulation
from aligntax.analysis.commands.gold_curves import gold_curves
from aligntax.analysis.experiments.gold_curves import (
    LABELS,
    REPLICATES,
    compare_local_steps,
    fit_form,
    simulate_curves,
    table_text,
)
from aligntax.analysis.inference.seeds import NAMES
from aligntax.models.errors import InputError
from aligntax.models.evidence import TABLES, load_evidence, select
from tests.models.test_evidence import HOME

STORED = (HOME / "gold_curves.csv").read_text("utf-8")
NUMBERS = ("kl", "gold", "gold_se")


@pytest.fixture(scope="module")
def curves():
    """The default sweep."""
    return simulate_curves()


@pytest.fixture(scope="module")
def compared():
    return compare_local_steps()


def split(text):
    lines = text.splitlines()
    return [line for line in lines if line.startswith("#")], list(
        csv.DictReader(lines[len([x for x in lines if x[0] == "#"]) :])
    )


# --------------------------------------------------------------------------------- the stored table


def test_the_stored_table_is_what_the_command_writes(curves) -> None:
    """Text alike, numbers alike but for what another machine's linear algebra may round."""
    (head, rows), (stored_head, stored) = split(table_text(curves)), split(STORED)
    assert head[:-1] == stored_head[:-1]
    assert len(rows) == len(stored) and 300 <= len(rows) <= 500
    for row, other in zip(rows, stored, strict=True):
        assert {k: v for k, v in row.items() if k not in NUMBERS} == {
            k: v for k, v in other.items() if k not in NUMBERS
        }
        assert [float(row[k]) for k in NUMBERS] == pytest.approx(
            [float(other[k]) for k in NUMBERS], rel=1e-2, abs=1e-4
        )


def test_the_stored_table_s_head_tells_its_command_and_its_misfit(curves) -> None:
    head, _ = split(STORED)
    labels = ",".join(map(str, LABELS))
    assert (
        f"`aligntax gold-curves --labels {labels} --replicates {REPLICATES} --seed 2022`"
        in " ".join(head)
    )
    assert (
        f"tilt 0 and {curves.misfit('tilt', 'rl'):.2g}, best-of-n {curves.misfit('bon', 'bon'):.2g}"
        in " ".join(head)
    )


def test_the_evidence_has_a_curve_for_each_proxy_and_method() -> None:
    rows = select(load_evidence()["gold_curves"])
    assert TABLES["gold_curves"].likelihood
    runs = {
        str(run): rows.isel(gold_point=rows["run"].values == run)
        for run in np.unique(rows["run"].values)
    }
    assert len(runs) == 2 * len(LABELS) * REPLICATES
    for each in runs.values():
        assert (
            len(
                {
                    *zip(
                        each["method"].values,
                        each["form"].values,
                        each["labels"].values,
                        strict=True,
                    )
                }
            )
            == 1
        )
        assert each.sizes["gold_point"] >= 6 and (np.diff(each["kl"].values) > 0).all()


def test_an_evaluation_errs_as_its_standard_error_says(curves) -> None:
    score = np.array([(point.gold - point.exact) / point.gold_se for point in curves.points])
    assert abs(score.mean()) < 4 / np.sqrt(len(score))
    assert abs((score**2).mean() - 1) < 4 * np.sqrt(2 / len(score))


# ---------------------------------------------------------------------------------------- the sweep


def test_more_labels_move_the_peak_out_and_up_on_average(curves) -> None:
    rows = curves.by_labels()
    assert [row["labels"] for row in rows] == list(LABELS)
    for name in ("accuracy", "peak_kl", "peak_gold", "last_gold"):
        assert (np.diff([row[name] for row in rows]) > 0).all(), name
    assert 1 < rows[0]["peak_kl"] < 10 and 50 < rows[-1]["peak_kl"] < 70
    assert rows[0]["accuracy"] < 0.56 and rows[-1]["accuracy"] > 0.64
    assert all(row["last_gold"] < row["peak_gold"] for row in rows)


def test_peaks_grow_with_labels_as_the_model_of_curves_assumes(curves) -> None:
    """limit n / (n + n_half), to a tenth of an order of magnitude for the averages of five proxies."""
    log_kl = np.log10([row["peak_kl"] for row in curves.by_labels()])
    labels = np.array(LABELS, dtype=float)
    halves = np.geomspace(100, 10_000, 400)
    misfit = [np.std(log_kl + np.log10(1 + half / labels)) for half in halves]
    assert min(misfit) < 0.1
    assert 700 < halves[int(np.argmin(misfit))] < 2500


def test_the_parabola_fits_every_curve_better(curves) -> None:
    for method in ("tilt", "bon"):
        assert curves.misfit(method, "bon") < curves.misfit(method, "rl") / 5
    assert curves.misfit("tilt", "bon") < 1e-9
    run = [point for point in curves.points if point.run == "labels_1000_1_tilt"]
    assert fit_form(run, "bon") < 1e-9 < 0.01 < fit_form(run, "rl")


def test_a_proxy_depends_neither_on_the_other_label_counts_nor_on_their_order() -> None:
    both, one = simulate_curves((300, 100), 2), simulate_curves((300,), 1)
    assert both == simulate_curves((100, 300), 2)
    assert set(one.points) <= set(both.points) and set(one.proxies) <= set(both.proxies)
    assert not set(simulate_curves((300,), 1, seed=1).points) & set(one.points)


def test_its_seed_has_a_name_and_moved_no_other() -> None:
    assert "gold_curves" in NAMES and NAMES.index("gold_curves") > NAMES.index("density_trials")


@pytest.mark.parametrize(
    ("labels", "replicates", "message"),
    [
        ((), 1, "labels: must be one number or more"),
        ((1,), 1, "labels: must lie between 2 and"),
        ((10, 10), 1, "labels: must differ, got 10,10"),
        ((10**9,), 1, "labels: must lie between 2 and"),
        ((10,), 0, "replicates: must lie between 1 and"),
    ],
)
def test_sweeps_without_meaning_are_refused(labels, replicates, message) -> None:
    with pytest.raises(InputError, match=message):
        simulate_curves(labels, replicates)


@pytest.mark.slow
def test_local_steps_lose_nothing_only_while_they_are_exact(compared) -> None:
    gaps = {(each.cause, each.kl): each for each in compared}
    assert abs(gaps["exact", 5].gap) < 1e-10
    for nats in (10, 50):
        noisy, narrow = gaps["sampled", nats], gaps["narrow", nats]
        assert noisy.gap < -4 * noisy.gap_se < 0
        assert -0.1 < narrow.gap < -0.005 and narrow.gap_se == 0
    assert gaps["relearned", 50].gap > 4 * gaps["relearned", 50].gap_se > 0
    assert all(each.gap == pytest.approx(each.steps - each.tilts) for each in compared)


# -------------------------------------------------------------------------------------- the command


@pytest.fixture
def quick(monkeypatch, compared):
    """The comparison of steps is the same whatever is asked: made once."""
    monkeypatch.setattr(simulation, "compare_local_steps", lambda *_, **__: compared)


SMALL = ("gold-curves", "--labels", "50,200", "--replicates", "2")


def test_the_command_writes_the_table_and_prints_a_summary(aligntax, quick, tmp_path) -> None:
    code, out, err = aligntax(*SMALL, "--out", "mine.csv")
    assert (code, err) == (0, "")
    assert "averages of 2 proxies" in out and "local steps" in out and out.endswith("mine.csv\n")
    assert (tmp_path / "mine.csv").read_text("utf-8") == table_text(simulate_curves((50, 200), 2))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
    code, _, err = aligntax(*SMALL, "--out", "mine.csv")
    assert code == 2 and "which exists; choose another or add --force" in err
    assert aligntax(*SMALL, "--out", "mine.csv", "--force", "--seed", 3)[0] == 0
    assert "--seed 3`" in (tmp_path / "mine.csv").read_text("utf-8")


def test_the_table_can_be_read_back_as_a_user_s(aligntax, quick, tmp_path) -> None:
    aligntax(*SMALL, "--out", "gold_curves.csv")
    assert load_evidence(tmp_path)["gold_curves"].sizes["gold_point"] == 2 * 2 * 14


def test_json_has_what_the_tables_have(aligntax, quick) -> None:
    code, out, _ = aligntax(*SMALL, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["seed"] == 2022 and answer["file"] is None
    assert [row["labels"] for row in answer["by_labels"]] == [50, 200]
    assert set(answer["by_labels"][0]) == {
        "labels",
        "accuracy",
        "peak_kl",
        "peak_gold",
        "last_gold",
    }
    assert answer["misfit"]["tilt"]["bon"] < 1e-9 < answer["misfit"]["tilt"]["rl"]
    assert {each["cause"] for each in answer["local_steps"]} == {
        "exact",
        "sampled",
        "narrow",
        "relearned",
    }


def test_the_command_s_defaults_are_the_sweep_s() -> None:
    default = {
        name: each.default for name, each in inspect.signature(gold_curves).parameters.items()
    }
    assert default["labels"] == ",".join(map(str, LABELS)) and default["replicates"] == REPLICATES
    assert default["seed"] == inspect.signature(simulate_curves).parameters["seed"].default


def test_help_states_the_defaults(aligntax) -> None:
    code, out, _ = aligntax("gold-curves", "--help")
    assert code == 0 and "30000" in out and "default: 2022" in out and "default: 5" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--labels", "many"), "labels: must be whole numbers separated by commas, got 'many'"),
        (("--labels", "100.5"), "labels: must be whole numbers"),
        (("--labels", "inf"), "labels: must be whole numbers"),
        (("--labels", ""), "labels: must be whole numbers"),
        (("--labels", "1"), "labels: must lie between 2 and"),
        (("--seed", "-1"), "seed: must lie between 0 and"),
        (("--out", "no/where.csv"), "file: must be in a folder that can be written"),
    ],
)
def test_mistakes_are_one_clear_line(aligntax, words, message) -> None:
    code, out, err = aligntax("gold-curves", *words)
    assert code == 2 and out == "" and message in err and err.count("\n") == 1


def test_an_interrupted_sweep_leaves_no_file(aligntax, monkeypatch, tmp_path) -> None:
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "compare_local_steps", stop)
    code, out, err = aligntax(*SMALL, "--out", "mine.csv")
    assert (code, out) == (130, "") and "interrupted, nothing written" in err
    assert not list(tmp_path.iterdir())
