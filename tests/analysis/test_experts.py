"""Several experts: each apart, the pool beside them, and the share of variance that is disagreement."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.experts import refit_by_expert, share_between_experts
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.errors import InputError

SHAPE = (4, 5000)


def answer(values, weights=None):
    derived = xr.Dataset({"tai_flop": (("chain", "draw"), values)})
    missing = np.isinf(values)
    derived["tai_flop_state"] = (("chain", "draw"), missing.astype("int8"))
    derived["tai_flop"] = derived["tai_flop"].where(~missing)
    return SimpleNamespace(derived=derived, weights=weights or Weights.equal(SHAPE))


@pytest.fixture
def noise():
    rng = np.random.default_rng(4)
    return [rng.standard_normal(SHAPE) for _ in range(2)]


def test_experts_who_agree_have_nothing_between_them(noise):
    assert share_between_experts([answer(x) for x in noise], np.asarray([0.5, 0.5]))[
        "tai_flop"
    ] == pytest.approx(0.0, abs=1e-3)


def test_experts_worlds_apart_are_three_quarters_between(noise):
    """Ranks of two separate uniforms: variance 1/4 of the squared distance between, 1/12 of each within: 3/4 in all."""
    apart = [answer(noise[0]), answer(noise[1] + 100.0)]
    assert share_between_experts(apart, np.asarray([0.5, 0.5]))["tai_flop"] == pytest.approx(
        0.75, abs=0.01
    )


def test_an_expert_without_weight_says_nothing(noise):
    apart = [answer(noise[0]), answer(noise[1] + 100.0)]
    assert share_between_experts(apart, np.asarray([1.0, 0.0]))["tai_flop"] == pytest.approx(
        0.0, abs=1e-9
    )


def test_never_counts_as_disagreement(noise):
    never = np.where(np.arange(SHAPE[1]) % 10 < 9, np.inf, noise[1])
    assert (
        share_between_experts([answer(noise[0]), answer(never)], np.asarray([0.5, 0.5]))["tai_flop"]
        > 0.4
    )


def test_importance_weights_count(noise):
    weights = Weights.of_log(2.0 * noise[1])  # moves the second expert's mean from 0 to 2
    moved = share_between_experts(
        [answer(noise[0]), answer(noise[1], weights)], np.asarray([0.5, 0.5])
    )["tai_flop"]
    plain = share_between_experts(
        [answer(noise[0]), answer(noise[1] + 2.0)], np.asarray([0.5, 0.5])
    )["tai_flop"]
    assert moved == pytest.approx(plain, abs=0.05)


def test_experts_must_be_several_and_named_apart(view):
    with pytest.raises(InputError, match="two or more with different names"):
        refit_by_expert("run", [view, view])
    with pytest.raises(InputError, match="two or more with different names"):
        refit_by_expert("run", [view])


@pytest.mark.slow
def test_by_expert_on_the_command_line(aligntax, run_folder, tmp_path):
    shutil.copytree(run_folder, tmp_path / "results" / "base")
    for name, values in (
        ("mean", "1, 0.5 = 2, 0.9 = 4"),
        ("generous", "100, 0.5 = 200, 0.9 = 400"),
    ):
        text = f"[quantities.usd_per_hour]\nquantiles = {{0.1 = {values}}}\n"
        (tmp_path / f"{name}.toml").write_text(text)
    words = (
        "refit",
        "base",
        "--by-expert",
        "--view",
        "mean.toml",
        "--view",
        "generous.toml",
        "--weights",
        "1,3",
    )
    code, out, err = aligntax(*words)
    assert code == 0 and err == "" and "between experts" in out and "generous (weight 0.75)" in out
    code, out, _ = aligntax(*words, "--json", "--name", "again")
    told = json.loads(out)
    assert [expert["weight"] for expert in told["experts"]] == [0.25, 0.75]
    row = told["quantities"]["usd_per_hour"]
    assert row["between_experts"] > 0.5 and told["quantities"]["tai_year"]["between_experts"] < 1e-6
    assert row["medians"][0] < row["pooled"]["q50"] <= row["medians"][1]
    assert {"again-mean", "again-generous", "again-pool"} <= {
        p.name for p in (tmp_path / "results").iterdir()
    }


@pytest.mark.parametrize(
    "words", [("--weights", "1"), ("--weights", "a,b"), ("--pool", "magic"), ("--weights", "0,0")]
)
def test_mistakes_about_experts(aligntax, run_folder, tmp_path, words):
    shutil.copytree(run_folder, tmp_path / "results" / "base")
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text("")
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\n')
    code, out, err = aligntax(
        "refit", "base", "--by-expert", "--view", "one.toml", "--view", "two.toml", *words
    )
    assert code == 2 and out == "" and err.count("\n") == 1
