"""An observation counts once, whatever key, digits or spelling it comes under."""

import csv

import pytest

from aligntax.models.errors import InputError
from aligntax.models.evidence import HOME, TABLES, load_evidence
from aligntax.models.evidence.identity import repeated, words

WITH_IDENTITY = [name for name, table in TABLES.items() if table.identity is not None]


def raw(table: str) -> list[dict[str, str]]:
    text = (HOME / f"{table}.csv").read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in text if not line.startswith("#")))


def add(folder, table: str, *rows) -> None:
    with (folder / f"{table}.add.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def used(table: str) -> dict[str, str]:
    return next(row for row in raw(table) if row["used"] == "true")


@pytest.mark.parametrize("table", WITH_IDENTITY)
def test_a_row_that_comes_again_under_another_key_is_refused(tmp_path, table) -> None:
    row = used(table)
    add(tmp_path, table, row | {"key": "mine"})
    with pytest.raises(InputError) as told:
        load_evidence(tmp_path)
    assert f"mine is {row['key']} again" in str(told.value)
    assert str(told.value).endswith("drop one, or set its used to false")
    add(tmp_path, table, row | {"key": "mine", "used": "false"})
    assert "mine" in load_evidence(tmp_path)[table][TABLES[table].dim]


@pytest.mark.parametrize("table", WITH_IDENTITY)
def test_fewer_digits_and_another_name_do_not_hide_it(tmp_path, table) -> None:
    identity, row = TABLES[table].identity, used(table)
    figure = f"{float(row[identity.figure]) * 1.0005:.8g}"
    changed = {"key": "mine", identity.system: "Something of mine", identity.figure: figure}
    extra = {
        "horizon_low": row.get("horizon_low"),
        "items": row.get("items"),
    }
    add(tmp_path, table, row | changed | {k: v for k, v in extra.items() if v is not None})
    with pytest.raises(InputError, match="an observation must be used once"):
        load_evidence(tmp_path)


def horizon(**change):
    row = next(row for row in raw("time_horizons") if row["key"] == "gpt_4_suite_1_1")
    return row | {"key": "mine"} | change


@pytest.mark.parametrize(
    "change",
    [{"name": "gpt-4"}, {"name": "GPT 4 (20230314)"}, {"name": "gpt4", "horizon_minutes": "3.99"}, {"horizon_minutes": "4.5"}],
)  # fmt: skip
def test_a_system_date_and_suite_that_come_again_are_one_evaluation(tmp_path, change) -> None:
    add(tmp_path, "time_horizons", horizon(**change))
    with pytest.raises(InputError, match="mine is gpt_4_suite_1_1 again"):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"suite": "1.0"}, {"date": "2023-03-20"}, {"name": "GPT-4 mini", "horizon_minutes": "4.5"}, {"reward_hacks": "count"}],
)  # fmt: skip
def test_another_system_date_or_suite_is_another_evaluation(tmp_path, change) -> None:
    add(tmp_path, "time_horizons", horizon(**change))
    assert "mine" in load_evidence(tmp_path)["time_horizons"]["evaluation"]


def test_the_embedded_tables_have_every_observation_once() -> None:
    """And of those that are carried unused, some would be refused if they were used."""
    evidence, found = load_evidence(), {}
    for name in WITH_IDENTITY:
        table, rows = TABLES[name], evidence[name]
        columns = {"key": rows[table.dim], **rows.data_vars}
        values = [value.values.tolist() for value in columns.values()]
        as_rows = [dict(zip(columns, each, strict=True)) for each in zip(*values, strict=True)]
        assert not repeated(as_rows, table), name
        found[name] = repeated([row | {"used": True} for row in as_rows], table)
    assert any(found.values())


def test_words_of_a_name() -> None:
    assert words("GPT-4 (0314)") == words("gpt 4") != words("GPT-4 mini")
    assert words("o3") != words("o4-mini") and not words("")
