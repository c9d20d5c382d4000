"""Readings of the evaluations: each keeps the number of rows, and changes what it says."""

import numpy as np
import pytest

from aligntax.analysis.trust.evidence.horizon_readings import horizon_variants
from aligntax.analysis.trust.evidence.robustness import variants
from aligntax.analysis.trust.evidence.variant import READ_HORIZONS
from aligntax.analysis.trust.evidence.wording import horizon_rows
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.horizon_evaluations import evaluations


class NotCompiled:
    """Stands for a compiled sampler where nothing is sampled."""

    shared_var_keys = ()

    def with_data(self, **data):
        return self


@pytest.fixture
def left(evidence, view, monkeypatch) -> LeaveOut:
    monkeypatch.setattr("nutpie.compile_pymc_model", lambda graph, **options: NotCompiled())
    return LeaveOut.of(find_model("time-horizon"), evidence, view)


def test_every_reading_has_as_many_rows_as_the_evidence(left, evidence, view) -> None:
    found = {v.label: v for v in horizon_variants(left, evidence)}
    assert list(found) == [
        "records alone",
        "records alone, horizons as measured",
        "without the newest",
        "without the first year",
        "horizons as measured",
        "horizons of 16 hours 35% shorter",
        "reward hacks as successes",
    ]
    base = evaluations(left.compiled.evidence, view)
    for variant in found.values():
        for rows in variant.rows.values():
            assert rows.sizes == base.sizes and list(rows.data_vars) == list(base.data_vars)
    records = found["records alone"].rows["time_horizons"]
    assert records["counts"].sum() == 15 and np.all(records["lead"] == 0.0)
    assert found["without the newest"].left == {"time_horizons": ("gpt_5_6_sol_suite_1_1",)}
    assert found["without the first year"].left == {
        "time_horizons": ("gpt_4_suite_1_1", "gpt_4_1106_suite_1_1", "claude_3_opus_suite_1_1")
    }
    hacks = found["reward hacks as successes"].rows["time_horizons"]
    assert hacks["exact"].sum() == base["exact"].sum() - 1
    biased = found["horizons of 16 hours 35% shorter"].view
    assert 2.0 ** -biased.quantities["length_bias"]["point"] == pytest.approx(0.65)


def test_a_run_that_stores_its_own_tables_alone_has_every_variant(left, evidence, view) -> None:
    stored = restrict(evidence, view, left.compiled.model)
    assert "scaling_exponents" not in stored.tables
    kinds = [variant.kind for variant in variants(left, stored)]
    assert kinds.count("horizon") == 7 and "outliers" not in kinds


def test_other_models_have_no_such_readings(evidence, view, monkeypatch) -> None:
    monkeypatch.setattr("nutpie.compile_pymc_model", lambda graph, **options: NotCompiled())
    assert not list(horizon_variants(LeaveOut.of(find_model("scaling"), evidence, view), evidence))


def number(**values):
    return {"mean": 0.2, "q05": 2028.0, "q50": 2031.0, "q95": None, "prob_above": 0.08} | {
        "prob_below": 0.0,
        "prob_undefined": 0.0,
        "place": 0.5,
        "error": 0.01,
        **values,
    }


def test_a_row_has_the_probability_and_the_year(view) -> None:
    base = dict.fromkeys(READ_HORIZONS, number())
    moved = {name: number(mean=0.6, q50=2028.0) for name in READ_HORIZONS}
    variants = [
        {"kind": "study", "label": "x", "quantities": {}},
        {"kind": "horizon", "label": "records alone", "quantities": moved},
        {"kind": "horizon", "label": "broken", "quantities": {}},
    ]
    rows = horizon_rows({"base": base, "variants": variants}, 2100.0)
    assert [row["label"] for row in rows] == ["as this view reads them", "records alone", "broken"]
    assert rows[1]["cells"][0] == "60%" and rows[1]["cells"][1].startswith("2028 (")
    assert rows[2]["cells"] == ["failed", "failed"]
    assert horizon_rows({"base": base, "variants": variants[:1]}, 2100.0) == []
