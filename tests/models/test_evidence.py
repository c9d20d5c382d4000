"""The evidence tables keep their promises, and the loader says clearly what is wrong with a user's."""

import csv
import datetime
import io
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aligntax.models.evidence as package
from aligntax.models.errors import InputError
from aligntax.models.evidence import TABLES, Evidence, load_evidence, select
from aligntax.models.evidence.reader import Problem, decimal_year, read_rows, refuse
from aligntax.models.evidence.rules import (
    correlations_agree,
    horizon_within,
    hours_follow,
    window_opens_first,
)

HOME = Path(package.__file__).parent
pytestmark = pytest.mark.filterwarnings("error")

# A good row of a small table, to be spoilt one cell at a time.
EFFORT = {
    "key": "mine",
    "name": "My model",
    "date": "2024-05-01",
    "organisation": "Me",
    "human_hours": "50",
    "hours_sd": "0.4",
    "hours_basis": "items_times_minutes",
    "items": "1000",
    "minutes_per_item": "3",
    "minutes_era": "2021",
    "model_flop": "1e22",
    "feedback": "human",
    "used": "true",
    "source": "Me 2024",
    "status": "seen",
    "note": "",
}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def write(path: Path, rows: list[dict[str, str]], head: str = "") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(head)
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def raw_rows(name: str) -> list[dict[str, str]]:
    """An embedded table read without the loader."""
    text = (HOME / f"{name}.csv").read_text(encoding="utf-8")
    return list(
        csv.DictReader(line for line in io.StringIO(text, newline="") if not line.startswith("#"))
    )


def used_rows(name: str) -> list[dict[str, str]]:
    return [row for row in raw_rows(name) if row["used"] == "true"]


# --- what the embedded tables promise


@pytest.mark.parametrize("name", TABLES)
def test_embedded_table_explains_itself(name: str) -> None:
    assert (HOME / f"{name}.csv").read_text(encoding="utf-8").startswith("# ")
    for row in raw_rows(name):
        assert list(row) == [column.name for column in TABLES[name].columns]
        assert row["source"] and row["status"] in {"seen", "secondary", "memory", "computed"}
        if row.get("used") == "false":
            assert "not used" in row["note"], f"{row['key']} does not say why it is not used"


@pytest.mark.parametrize(
    "name", ["training_runs", "rlhf_efforts", "alignment_compute_shares", "constants"]
)
def test_rows_from_epoch_are_attributed(name: str) -> None:
    assert "CC BY 4.0" in (HOME / f"{name}.csv").read_text(encoding="utf-8").split("key,")[0]


def test_datasets_carry_units_dates_and_missing_values(evidence: Evidence) -> None:
    for name, table in TABLES.items():
        rows = evidence[name]
        assert rows.sizes == {table.dim: len(raw_rows(name))}
        assert list(rows.data_vars) == [
            column.name for column in table.columns if column.name != "key"
        ]
        assert all(
            set(variable.attrs) == {"unit", "long_name"} for variable in rows.variables.values()
        )
    runs = evidence["training_runs"]
    assert runs["date"].sel(run="gpt3_175b") == pytest.approx(2020 + 148 / 366)
    assert math.isnan(runs["cost_usd"].sel(run="chinchilla_70b"))
    assert runs["note"].sel(run="alexnet").item() == ""
    assert runs["used"].dtype == bool
    assert runs["flop"].attrs["unit"] == "FLOP"


def test_scaling_exponents_are_one_consistent_subset() -> None:
    rows = used_rows("scaling_exponents")
    assert len(rows) >= 18
    assert len({row["independence_group"] for row in rows}) >= 12
    kinds = [
        (row["independence_group"], row["corpus"].split(" (")[0], row["method"]) for row in rows
    ]
    assert len(set(kinds)) == len(kinds), (
        "an analysis of the same runs by the same method is counted twice"
    )
    assert {row["estimand"] for row in rows} == {"compute_optimal", "kaplan_setup"}
    assert all(
        (row["estimand"] == "kaplan_setup") == (row["kaplan_style"] == "true") for row in rows
    )
    assert all(0.01 <= float(row["allocation_exponent_se"]) <= 0.05 for row in rows)


def test_kaplan_bias_rests_on_contrasts_within_groups() -> None:
    rows = {row["key"]: row for row in used_rows("scaling_exponents")}
    assert float(rows["kaplan2020_raw_compute"]["allocation_exponent"]) == 0.88
    assert "kaplan2020_adjusted_compute" not in rows
    for corpus, before, after in (("refinedweb", 0.8353, 0.4969), ("openwebtext2", 0.8635, 0.5185)):
        pair = [row for row in rows.values() if row["independence_group"] == f"porian_{corpus}"]
        found = {row["kaplan_style"]: float(row["allocation_exponent"]) for row in pair}
        assert len(pair) == 2 and found == {"true": before, "false": after}


def test_assumed_errors_are_the_documented_ones() -> None:
    for row in used_rows("scaling_exponents"):
        if row["se_basis"] == "assumed":
            expected = (
                0.02
                if row["kaplan_style"] == "true"
                else 0.03
                if "IsoFLOP" in row["method"]
                else 0.05
            )
            assert float(row["allocation_exponent_se"]) == expected, row["key"]


def test_training_runs_were_among_the_ten_largest_at_release() -> None:
    rows = used_rows("training_runs")
    assert len(rows) >= 65
    exact = [
        (row["date"], float(row["flop"]), row["key"]) for row in rows if row["bound"] == "exact"
    ]
    for date, flop, key in exact:
        assert sum(other > flop for day, other, _ in exact if day < date) < 10, (
            f"{key} was not among the ten largest"
        )
    assert min(exact)[0].startswith("2012") and all(row["domain"] != "games" for row in rows)
    assert not {"gpt4o", "minerva_540b", "instructgpt_175b", "claude_mythos_slide"} & {
        key for *_, key in exact
    }
    above = {row["key"]: float(row["flop"]) for row in rows if row["bound"] == "above"}
    assert above == dict.fromkeys(["claude_opus_4", "gpt51", "gemini3_pro", "claude_opus_45"], 1e25)


def test_no_run_that_qualifies_is_left_out_without_a_reason() -> None:
    rows = [row for row in raw_rows("training_runs") if row["bound"] == "exact"]
    used = [row for row in rows if row["used"] == "true"]
    for row in rows:
        larger = sum(
            u["date"] < row["date"] and float(u["flop"]) > float(row["flop"]) for u in used
        )
        if row["used"] == "false" and "below the ten largest" in row["note"]:
            assert larger >= 10, row["key"]


def test_label_errors_of_training_runs() -> None:
    label = {"confident": 0.29, "likely": 0.61, "speculative": 0.90}
    other = {
        row["key"]
        for row in used_rows("training_runs")
        if row["bound"] == "exact" and float(row["flop_sd"]) != label[row["confidence"]]
    }
    assert other == {"gpt4", "gpt45", "gpt5"}, "only published intervals replace the label"


def test_growth_follows_from_the_halving_times(evidence: Evidence) -> None:
    rows = evidence["algorithmic_progress"].set_coords("used")
    for key, months, short, long, widths in (
        ("ho2024", 8, 2, 22, 3.29),  # of 90%
        ("erdil2022", 9, 4, 25, 3.92),  # of 95%
    ):
        row = rows.sel(estimate=key)
        assert row["growth"] == pytest.approx(math.log10(2) * 12 / months, abs=5e-4)
        assert row["growth_se"] == pytest.approx(
            math.log10(2) * (12 / short - 12 / long) / widths, abs=5e-4
        )
    assert rows["growth"].sel(estimate="hernandez2020") == pytest.approx(
        math.log10(44) / 7, abs=5e-4
    )
    assert rows["growth"].sel(estimate="gundlach2025") == pytest.approx(
        math.log10(6930) / 11, abs=5e-4
    )
    used = [row["independence_group"] for row in used_rows("algorithmic_progress")]
    assert len(set(used)) == len(used) == 4


def test_efforts_are_human_and_their_hours_follow() -> None:
    rows = used_rows("rlhf_efforts")
    assert len(rows) == 9
    assert {row["feedback"] for row in rows} == {"human"}
    for row in rows:
        if row["hours_basis"] == "items_times_minutes":
            product = float(row["items"]) * float(row["minutes_per_item"]) / 60
            assert float(row["human_hours"]) == pytest.approx(product, rel=0.005)
            assert row["minutes_era"] == ("chat" if row["date"] >= "2023" else "2021")
    hours = {row["key"]: float(row["human_hours"]) for row in rows}
    assert hours["instructgpt2022"] == 20000


def test_agreement_and_shares(evidence: Evidence) -> None:
    agreement = select(evidence["labeller_agreement"])
    assert set(agreement["options"].values) == {2.0} and (agreement["agreement"] > 0.5).all()
    shares = select(evidence["alignment_compute_shares"])
    assert "capability_rl" not in shares["kind"].values and (shares["share"] < 0.02).all()


def test_anchor_weights_sum_to_one(evidence: Evidence) -> None:
    rows = evidence["bio_anchors"]
    keys = [str(key) for key in rows["input"].values]
    for suffix in ("", "_gb"):
        anchors = [
            "lifetime",
            "short_horizon",
            "medium_horizon",
            "long_horizon",
            "genome",
            "evolution",
        ]
        names = [f"weight_{anchor}{suffix}" for anchor in anchors] + ["weight_none"]
        assert set(names) <= set(keys)
        assert rows["median"].sel(input=names).sum() == pytest.approx(1)
    used = select(rows, quantity="weight")
    assert used["median"].sum() == pytest.approx(1) and set(used["unit"].values) == {"probability"}


def test_one_reading_of_each_input_is_used() -> None:
    inputs = [(row["quantity"], row["anchor"], row["unit"]) for row in used_rows("bio_anchors")]
    assert len(set(inputs)) == len(inputs)


def test_forecasts_rise(evidence: Evidence) -> None:
    rows = evidence["published_forecasts"]
    for forecast in set(rows["forecast"].values):
        curve = rows.isel(point=rows["forecast"].values == forecast).sortby("year")
        assert (np.diff(curve["probability"]) > 0).all(), forecast
        assert len(set(curve["milestone"].values)) == 1
    cotra = rows.isel(point=rows["forecast"].values == "Cotra 2020")
    assert dict(zip(cotra["year"].values, cotra["probability"].values, strict=True)) == {
        2030: 0.077, 2031.6: 0.1, 2050: 0.457, 2052.9: 0.5, 2100: 0.7765,
    }  # fmt: skip


def test_constants(evidence: Evidence) -> None:
    assert evidence.constant("instructgpt_hours") == 20000
    assert evidence.constant("reference_parameters") == pytest.approx(10**11.2)
    assert evidence.constant("no_tai_until") == 2026.667
    assert evidence.constant("no_tai_until") >= evidence["training_runs"]["date"].max()
    with pytest.raises(
        InputError,
        match=r"constant: must be in constants.csv, got 'hours'; choose from instructgpt_hours,",
    ):
        evidence.constant("hours")
    with pytest.raises(
        InputError, match="must be a table, got 'runs'; choose from scaling_exponents, "
    ):
        evidence["runs"]


# --- until, only, select, hash


def test_until_drops_what_was_not_known(evidence: Evidence) -> None:
    then = evidence.until(2022.4)
    assert then["training_runs"]["date"].max() <= 2022.4 < evidence["training_runs"]["date"].max()
    assert (
        "palm_540b" in then["training_runs"]["run"].values
        and "gpt4" not in then["training_runs"]["run"].values
    )
    assert then["scaling_exponents"]["year"].max() < 2022, "a study of 2022 counts as of its middle"
    assert then["bio_anchors"].identical(evidence["bio_anchors"])
    assert then.constant("no_tai_until") == 2022.4
    assert then.constant("instructgpt_hours") == 20000
    assert evidence.constant("no_tai_until") == 2026.667, "until changed its object"
    assert evidence.until(2022.5)["scaling_exponents"]["year"].max() == 2022


def test_until_now_changes_nothing(evidence: Evidence) -> None:
    assert (
        evidence.until(evidence.constant("no_tai_until")).hash
        == evidence.hash
        == evidence.until(2090.0).hash
    )


def test_until_before_everything_is_empty(evidence: Evidence) -> None:
    then = evidence.until(1960.0)
    assert then["training_runs"].sizes == {"run": 0} and select(then["rlhf_efforts"]).sizes == {
        "effort": 0
    }
    assert then.hash != evidence.hash


@pytest.mark.parametrize("date", [math.nan, math.inf])
def test_until_needs_a_date(evidence: Evidence, date: float) -> None:
    with pytest.raises(InputError, match="evidence until: must be a decimal year"):
        evidence.until(date)


def test_only_keeps_the_others_as_figures(evidence: Evidence) -> None:
    part = evidence.only(["training_runs"])
    assert part["training_runs"].identical(evidence["training_runs"])
    assert (
        not part["scaling_exponents"]["used"].any()
        and part["scaling_exponents"]["used"].dtype == bool
    )
    assert (
        part["scaling_exponents"]
        .drop_vars("used")
        .equals(evidence["scaling_exponents"].drop_vars("used"))
    )
    assert evidence["scaling_exponents"]["used"].any(), "only changed its object"
    assert part["bio_anchors"].identical(evidence["bio_anchors"]), "inputs are never conditioned on"
    everything = [name for name, table in TABLES.items() if table.likelihood]
    assert evidence.only(everything).hash == evidence.hash != part.hash != evidence.only([]).hash
    assert part.until(2020.0).hash == evidence.until(2020.0).only({"training_runs"}).hash


@pytest.mark.parametrize("names", [["runs"], ["bio_anchors"], "constants"])
def test_only_names_tables_with_a_likelihood(evidence: Evidence, names: list[str]) -> None:
    with pytest.raises(
        InputError,
        match=r"must be a table with a likelihood, got .*; choose from scaling_exponents, ",
    ):
        evidence.only(names)


def test_select(evidence: Evidence) -> None:
    runs = evidence["training_runs"]
    assert select(runs).sizes["run"] == int(runs["used"].sum())
    assert select(runs, bound="above").sizes["run"] == 4
    assert select(evidence["constants"]).sizes["constant"] == len(raw_rows("constants"))
    with pytest.raises(
        InputError, match="select: must name a column, got 'bounds'; choose from name, date"
    ):
        select(runs, bounds="above")


def test_evidence_survives_pickling(evidence: Evidence) -> None:
    assert pickle.loads(pickle.dumps(evidence)).hash == evidence.hash


def test_hash_follows_content_and_nothing_else(evidence: Evidence, tmp_path: Path) -> None:
    rows = raw_rows("labeller_agreement")
    columns = list(rows[0])[::-1]
    shuffled = [{column: f" {row[column]} " for column in columns} for row in rows[::-1]]
    assert shuffled[-2]["agreement"] == " 0.77 "
    shuffled[-2]["agreement"] = "7.70e-1"
    path = write(tmp_path / "labeller_agreement.csv", shuffled, "# another comment\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_evidence(tmp_path).hashes == evidence.hashes
    assert load_evidence(tmp_path).hash == evidence.hash

    for column, value in (
        ("agreement", "0.771"),
        ("note", "x"),
        ("used", "false"),
        ("key", "renamed"),
    ):
        write(path, [rows[0], rows[1] | {column: value}, *rows[2:]])
        changed = load_evidence(tmp_path)
        assert {name for name in TABLES if changed.hashes[name] != evidence.hashes[name]} == {
            "labeller_agreement"
        }
        assert changed.hash != evidence.hash and re.fullmatch("[0-9a-f]{64}", changed.hash)


# --- a user's directory


def test_a_file_replaces_a_table(evidence: Evidence, tmp_path: Path) -> None:
    write(tmp_path / "rlhf_efforts.csv", [EFFORT])
    mine = load_evidence(tmp_path)
    assert list(mine["rlhf_efforts"]["effort"].values) == ["mine"]
    assert mine["rlhf_efforts"]["date"].values[0] == pytest.approx(2024 + 121 / 366)
    assert mine["training_runs"].identical(evidence["training_runs"])


def test_a_file_extends_a_table(evidence: Evidence, tmp_path: Path) -> None:
    write(tmp_path / "rlhf_efforts.add.csv", [EFFORT])
    (tmp_path / "readme.txt").write_text("not evidence")
    mine = load_evidence(tmp_path)["rlhf_efforts"]
    assert mine.isel(effort=slice(0, -1)).identical(
        evidence["rlhf_efforts"].assign_coords(effort=mine["effort"][:-1])
    )
    assert mine["effort"].values[-1] == "mine"


def test_a_replacement_can_be_extended(tmp_path: Path) -> None:
    write(tmp_path / "rlhf_efforts.csv", [EFFORT])
    other = {"key": "mine_too", "date": "2025-05-01"}
    write(tmp_path / "rlhf_efforts.add.csv", [EFFORT | other])
    assert list(load_evidence(tmp_path)["rlhf_efforts"]["effort"].values) == ["mine", "mine_too"]


def test_an_extension_may_not_repeat_a_key(tmp_path: Path) -> None:
    path = write(tmp_path / "rlhf_efforts.add.csv", [EFFORT, EFFORT | {"key": "instructgpt2022"}])
    expected = f"{path}, line 3, column key: must not be in the table already, got 'instructgpt2022'; choose another key"
    with pytest.raises(InputError) as error:
        load_evidence(tmp_path)
    assert str(error.value) == expected


def test_constants_keep_the_date_without_tai(tmp_path: Path) -> None:
    write(
        tmp_path / "constants.csv",
        [row for row in raw_rows("constants") if row["key"] != "no_tai_until"],
    )
    with pytest.raises(InputError, match="must have the row no_tai_until"):
        load_evidence(tmp_path)


def test_wrong_directories(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    cases = {
        tmp_path / "missing": "must be a directory of CSV files, got nothing there",
        file: "must be a directory of CSV files, got a file",
        tmp_path: "must contain NAME.csv or NAME.add.csv, got neither; NAME is one of scaling_exponents",
    }
    for folder, message in cases.items():
        with pytest.raises(InputError, match=re.escape(str(folder)) + ".*" + re.escape(message)):
            load_evidence(folder)


@pytest.mark.parametrize(
    "name", ["runs.csv", "training_runs.CSV", "training_run.add.csv", ".add.csv"]
)
def test_files_must_be_called_after_tables(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, [EFFORT])
    with pytest.raises(
        InputError, match=r"must be called NAME.csv .*got .*; NAME is one of .*training_runs"
    ):
        load_evidence(tmp_path)


# --- what is wrong with a file: line, column, rule, value, remedy


SPOILT = [
    ("key", "", "must have a value, got ''; give the unique name"),
    ("key", "My Model", "must be lower-case letters, digits and underscores, got 'My Model'"),
    ("date", "2024-5-1", "must be a date YYYY-MM-DD, got '2024-5-1'; write it like 2022-03-29"),
    ("date", "2023-02-29", "must be a day of the calendar, got '2023-02-29'"),
    ("date", "1890-01-01", "must lie between 1950 and 2100 calendar year, got '1890-01-01'"),
    ("human_hours", "fifty", "must be a number, got 'fifty'; write it like 1234.5 or 1.2e25"),
    ("human_hours", "1_000", "must be a number, got '1_000'"),
    ("human_hours", "nan", "must be a number, got 'nan'"),
    ("human_hours", "1e999", "must be a finite number, got '1e999'"),
    ("human_hours", "-5", "must lie between 0.1 and 1e+12 human-hours, got '-5'"),
    (
        "human_hours",
        "",
        "a used row must have a value, got ''; give the work of the people who gave feedback, or set",
    ),
    (
        "human_hours",
        "60",
        "must equal items x minutes_per_item / 60 = 50, got '60'; correct one of the three",
    ),
    ("items", "1000.5", "must be a whole number, got '1000.5'"),
    (
        "items",
        "",
        "hours_basis items_times_minutes needs items and minutes_per_item, got ''; fill in both",
    ),
    (
        "hours_basis",
        "guess",
        "must be one of stated, derived, items_times_minutes, got 'guess'; choose one",
    ),
    ("used", "True", "must be true or false, got 'True'"),
    ("source", " ", "must have a value, got ''; give the citation"),
    ("status", "rumour", "must be one of seen, secondary, memory, computed, got 'rumour'"),
]


@pytest.mark.parametrize(("column", "value", "message"), SPOILT)
def test_each_rule_is_stated_with_its_place(
    tmp_path: Path, column: str, value: str, message: str
) -> None:
    path = write(
        tmp_path / "rlhf_efforts.csv",
        [EFFORT | {"key": "good"}, EFFORT | {column: value}],
        "# one\n# two\n",
    )
    with pytest.raises(
        InputError, match="^" + re.escape(f"{path}, line 5, column {column}: {message}")
    ):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "place", "message"),
    [
        (
            "training_runs",
            {"flop_sd": ""},
            "flop_sd",
            "a used run of bound 'exact' needs a measurement error, got ''",
        ),
        ("training_runs", {"flop": ""}, "flop", "a used row must have a value"),
        (
            "algorithmic_progress",
            {"window_start": "2024"},
            "window_end",
            "must lie after window_start (2024)",
        ),
        ("bio_anchors", {"q05": "2e15"}, "median", "must not lie below q05 (2e+15), got '1e15'"),
        (
            "scaling_exponents",
            {"independence_group": ""},
            "independence_group",
            "must have a value",
        ),
        ("scaling_exponents", {"year": "2020.5"}, "year", "must be a whole number"),
        (
            "labeller_agreement",
            {"agreement": "72"},
            "agreement",
            "must lie between 0 and 1 share, got '72'",
        ),
    ],
)
def test_rules_of_other_tables(
    tmp_path: Path, name: str, change: dict[str, str], place: str, message: str
) -> None:
    path = write(tmp_path / f"{name}.csv", [raw_rows(name)[0] | change])
    with pytest.raises(
        InputError, match="^" + re.escape(f"{path}, line 2, column {place}: {message}")
    ):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    ("hours", "good"), [(50.2, True), (49.8, True), (50.3, False), (49.7, False)]
)
def test_hours_follow_from_items_and_minutes_within_half_a_per_cent(hours, good) -> None:
    row = {"hours_basis": "items_times_minutes", "items": 1000.0, "minutes_per_item": 3.0}
    assert (hours_follow({**row, "human_hours": hours}) is None) == good


@pytest.mark.parametrize(("correlation", "good"), [(0.999, True), (1.0, False), (-1.0, False)])
def test_correlations_of_a_used_fit_leave_a_margin_to_a_singular_matrix(correlation, good) -> None:
    names = [column.name for column in TABLES["loss_laws"].columns if column.lower == -1]
    row = dict.fromkeys(names, 0.0) | {"alpha_beta": correlation}
    assert (correlations_agree({**row, "used": True}) is None) == good
    assert correlations_agree({**row, "used": False}) is None


def test_a_window_and_an_interval_have_a_width() -> None:
    for end, good in ((2020.0, False), (2020.5, True)):
        assert (window_opens_first({"window_start": 2020.0, "window_end": end}) is None) == good
        horizon = {"horizon_low": 2020.0, "horizon_minutes": 2020.0, "horizon_high": end}
        assert (horizon_within(horizon) is None) == good


@pytest.mark.parametrize("column", ["loss", "alpha", "beta", "share", "horizon_minutes", "epsilon"])
def test_what_must_be_positive_is_not_zero(column) -> None:
    (found,) = [c for table in TABLES.values() for c in table.columns if c.name == column]
    assert 0 < found.lower <= 1e-9


@pytest.mark.parametrize(
    ("table", "column", "lower", "upper"),
    [
        ("scaling_exponents", "allocation_exponent", 0.01, 0.99),
        ("labeller_agreement", "agreement", 0.0, 1.0),
        ("published_forecasts", "probability", 0.0, 1.0),
        ("loss_laws", "alpha_beta", -1.0, 1.0),
    ],
)
def test_shares_probabilities_and_correlations_stay_within_their_range(
    table, column, lower, upper
) -> None:
    (found,) = [c for c in TABLES[table].columns if c.name == column]
    assert (found.lower, found.upper) == (lower, upper)


def test_a_row_that_is_only_carried_may_lack_figures(tmp_path: Path) -> None:
    row = EFFORT | {
        "used": "false",
        "human_hours": "",
        "hours_sd": "",
        "hours_basis": "",
        "items": "",
        "model_flop": "",
    }
    write(tmp_path / "rlhf_efforts.csv", [row])
    assert math.isnan(load_evidence(tmp_path)["rlhf_efforts"]["human_hours"].item())


def test_duplicate_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "rlhf_efforts.csv", [EFFORT, EFFORT])
    with pytest.raises(
        InputError,
        match=re.escape(f"{path}, line 3, column key: must be unique, got 'mine'; line 2 has"),
    ):
        load_evidence(tmp_path)


def test_columns_must_be_the_tables(tmp_path: Path) -> None:
    row = {("hours" if key == "human_hours" else key): value for key, value in EFFORT.items()}
    path = write(tmp_path / "rlhf_efforts.csv", [row], "# c\n")
    with pytest.raises(InputError) as error:
        load_evidence(tmp_path)
    unknown, missing = str(error.value).split("\n")
    assert unknown.startswith(
        f"{path}, line 2, column 5: a column must be one of the table's, got 'hours'; the columns"
    )
    assert missing.startswith(
        f"{path}, line 2, column human_hours: a column must not be missing, got"
    )
    assert missing.endswith("; add the column human_hours")


GOOD = ",".join(EFFORT) + "\n" + ",".join(EFFORT.values()) + "\n"
FILES = [
    (
        b"",
        "line 1, column 1: the file must hold a table, got 'nothing'; see the columns of rlhf_efforts.csv",
    ),
    (b"# only\n# comments\n", "line 1, column 1: the file must hold a table"),
    (
        GOOD.split("\n")[0].encode() + b"\n",
        "line 1, column key: a table must have a row, got 'none'",
    ),
    (
        GOOD.replace("Me,", "M\xe9,").encode("latin-1"),
        "line 2, column 27: the file must be UTF-8 text, got b'\\xe9'",
    ),
    (
        GOOD.replace("Me,", "M\0e,").encode(),
        r"line 2, column 27: the file must hold no NUL, got '\x00'; save it as CSV",
    ),
    (GOOD.encode("utf-16"), "line 1, column 1: the file must be UTF-8 text"),
    (
        (GOOD + GOOD.split("\n")[1] + ",extra\n").encode(),
        "line 3, column 16: a row must have 16 values, got 17",
    ),
    (
        (GOOD + "short\n").encode(),
        "line 3, column 1: a row must have 16 values, got 1; give one value to each column",
    ),
    (
        GOOD.replace("My model", '"My model').encode(),
        "line 2, column 1: a record must be well-formed CSV, got ",
    ),
    (
        GOOD.replace(",", ";").encode(),
        "line 1, column 1: a column must be one of the table's, got 'key;name;date",
    ),
    (
        GOOD.replace("name,", "key,", 1).encode(),
        "line 1, column key: a column must occur once, got 'key'; drop",
    ),
]


@pytest.mark.parametrize(("content", "message"), FILES)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "rlhf_efforts.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match="^" + re.escape(f"{path}, {message}")):
        load_evidence(tmp_path)


def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "rlhf_efforts.csv").mkdir()
    with pytest.raises(
        InputError, match=r"rlhf_efforts\.csv: must be a readable file, got Is a directory"
    ):
        load_evidence(tmp_path)


def test_lines_count_through_quoted_line_ends_and_blank_lines(tmp_path: Path) -> None:
    rows = [EFFORT | {"key": "good", "note": "two\nlines"}, EFFORT | {"used": "yes"}]
    path = write(tmp_path / "rlhf_efforts.csv", rows, "# c\n\n")
    path.write_text(
        path.read_text()
        + "\n\n"
        + ",".join((EFFORT | {"key": "last", "used": "no"}).values())
        + "\n"
    )
    with pytest.raises(InputError) as error:
        load_evidence(tmp_path)
    message = str(error.value)
    assert message.startswith(f"{path}, line 6, column used: ") and message.count("\n") == 0
    assert "got 'yes', and so 1 more time to line 9; " in message


def test_ten_kinds_of_problems_are_listed_at_once(tmp_path: Path) -> None:
    """Each with its first example and how often it occurs."""
    path = tmp_path / "rlhf_efforts.csv"
    kinds = [
        Problem(line, f"column_{k}", "must be good", line, "mend it")
        for line in (4, 7, 9)
        for k in range(13)
    ]
    with pytest.raises(InputError) as error:
        refuse(path, kinds)
    lines = str(error.value).split("\n")
    assert len(lines) == 11 and lines[-1] == f"... and 3 more problems in {path}"
    assert lines[2] == (
        f"{path}, line 4, column column_2: must be good, got 4, and so 2 more times to line 9; "
        "mend it"
    )


def test_long_values_are_cut(tmp_path: Path) -> None:
    write(tmp_path / "rlhf_efforts.csv", [EFFORT | {"status": "x" * 5000}])
    with pytest.raises(InputError) as error:
        load_evidence(tmp_path)
    assert len(str(error.value)) < 500


# --- round trip


@st.composite
def efforts(draw: st.DrawFn) -> dict[str, str | float | bool]:
    """A valid row as it should be loaded."""
    text = st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12
    )
    items, minutes = draw(st.integers(1, 10**9)), draw(st.floats(0.01, 1e4))
    day = draw(st.dates(datetime.date(1950, 1, 1), datetime.date(2099, 12, 31)))
    derived = draw(st.booleans())
    return {
        "key": draw(st.from_regex("[a-z0-9][a-z0-9_]{0,8}", fullmatch=True)),
        "name": draw(text),
        "date": day.isoformat(),
        "organisation": draw(text),
        "human_hours": draw(st.floats(0.1, 1e12)) if derived else max(items * minutes / 60, 0.1),
        "hours_sd": draw(st.floats(0.01, 3)),
        "hours_basis": "derived"
        if derived or items * minutes / 60 < 0.1
        else "items_times_minutes",
        "items": float(items),
        "minutes_per_item": minutes,
        "minutes_era": draw(st.sampled_from(["2021", "chat"])),
        "model_flop": draw(st.floats(1e3, 1e40)),
        "feedback": draw(st.sampled_from(["human", "mixed", "ai"])),
        "used": draw(st.booleans()),
        "source": draw(text),
        "status": draw(st.sampled_from(["seen", "secondary", "memory", "computed"])),
        "note": draw(st.just("") | text),
    }


@given(row=efforts())
def test_a_valid_row_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, row: dict[str, str | float | bool]
) -> None:
    cells = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in row.items()
    }
    path = write(tmp_path_factory.getbasetemp() / "rlhf_efforts.csv", [cells])
    (found,) = read_rows(path, TABLES["rlhf_efforts"])
    expected = row | {"date": decimal_year(datetime.date.fromisoformat(str(row["date"])))}
    assert found == expected


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 12, 30)))
def test_decimal_years_rise_within_their_year(day: datetime.date) -> None:
    assert int(decimal_year(day)) == day.year
    assert 0 < decimal_year(day + datetime.timedelta(1)) - decimal_year(day) < 0.003


# --- the module


def test_schema_is_consistent() -> None:
    for name, table in TABLES.items():
        columns = {column.name: column for column in table.columns}
        assert table.name == name and len(columns) == len(table.columns)
        assert table.dim not in columns, "the coordinate would hide the column"
        assert not table.dated or columns[table.dated].kind in ("date", "year")
        assert not table.likelihood or "used" in columns
        assert all(column.meaning for column in table.columns)


def test_loading_imports_no_sampler() -> None:
    # Where Dask is installed, as it is for these tests, xarray imports it, and Dask imports SciPy.
    without_dask = "import sys; sys.modules['dask'] = None; "
    code = (
        without_dask
        + "import aligntax.models.evidence; aligntax.models.evidence.load_evidence(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {
        "pymc",
        "pytensor",
        "arviz",
        "arviz_base",
        "arviz_stats",
        "scipy",
        "matplotlib",
        "nutpie",
        "preliz",
        "numba",
    }
    assert not heavy & set(done.stdout.split())


def test_importing_reads_no_table() -> None:
    code = (
        "import sys; sys.addaudithook(lambda event, args: event == 'open' and str(args[0]).endswith('.csv') and "
        "print(args[0])); import aligntax.models.evidence"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
