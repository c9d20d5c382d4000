"""Slow: runs on tasks under every shape of trend, from the command to the stacked answer."""

import json

import numpy as np
import pytest

from aligntax.analysis.horizon_shapes import summarise_stacked
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.storage.load import load
from aligntax.analysis.trust.evidence.loo import psis_of_table
from aligntax.analysis.trust.evidence.stacking import TABLE, _ratios, _resampled, validate_trend
from aligntax.models.catalogue import find_model
from aligntax.models.horizon_runs import HEADLINES
from aligntax.models.horizon_trend import SHAPES
from tests.horizon_runs import World, simulated, write

SMALL = World(tasks=16, models=7)


@pytest.mark.slow
def test_every_shape_is_a_run_and_the_mixture_is_stacked(aligntax, tmp_path) -> None:
    write(tmp_path / "mine.jsonl", simulated(SMALL).lines)
    few = ("--chains", 2, "--draws", 250, "--tune", 250, "--name", "mine")
    code, out, err = aligntax("run", "time-horizon", "--runs", "mine.jsonl", *few)
    assert code in (0, 1) and "448 runs of 7 models on 16 tasks, of mine.jsonl" in err
    assert all(shape in out for shape in (*SHAPES, "stacked", "superhuman coder"))
    results = tmp_path / "results"
    record = json.loads((results / "mine-stacked.json").read_text())
    assert list(record["shapes"]) == list(SHAPES)
    assert sum(row["weight"] for row in record["shapes"].values()) == pytest.approx(1)
    assert min(row["elpd_behind"] for row in record["shapes"].values()) == 0.0
    runs = {shape: load(results / f"mine-{shape}") for shape in SHAPES}
    assert all((result.path / "report.html").is_file() for result in runs.values())
    bases = {name.partition("[")[0] for name in record["quantities"]["stacked"]}
    assert bases == set(HEADLINES)
    for name, row in record["quantities"]["stacked"].items():
        own = [record["quantities"][shape][name]["q50"] for shape in SHAPES]
        if None not in own and row["q50"] is not None:
            assert min(own) - 1e-9 <= row["q50"] <= max(own) + 1e-9, name
    alone = summarise_stacked(runs, dict.fromkeys(SHAPES, 0.0) | {"kink": 1.0})
    assert alone["success_slope"]["q50"] == pytest.approx(
        runs["kink"].record["quantities"]["success_slope"]["q50"], abs=1e-3
    )
    code, _, err = aligntax("run", "time-horizon", "--runs", "mine.jsonl", *few)
    assert code == 2 and "name: must be new, got 'mine'" in err


@pytest.mark.slow
def test_weights_and_refits_predict_a_left_out_model_alike(evidence, view) -> None:
    held = evidence.with_rows("horizon_runs", simulated(SMALL).rows)
    compiled = compile_model(find_model("horizon-runs-exponential"), held, view)
    options = Sampling(draws=1000, tune=400, chains=2, seed=5)
    posterior, _ = compiled.posterior(options)
    ratios = _ratios(compiled, "exponential", posterior)
    found = psis_of_table(TABLE, ratios, posterior)
    steady = [i for i, unit in enumerate(found.units) if unit.pareto_k < 0.4]
    assert len(steady) >= 3
    for i in steady[:3]:
        unit = found.units[i]
        exact = _resampled(compiled, "exponential", i, unit, ratios.values[..., i], options)
        error = np.hypot(unit.mcse, exact.mcse)
        assert exact.elpd == pytest.approx(unit.elpd, abs=4 * error + 0.05)
    whole = validate_trend(compiled, "exponential", posterior, options)
    assert not whole.doubtful, "where weights fail, models are sampled without"
