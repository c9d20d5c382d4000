"""Several experts: each apart, the pool beside them, and the share of variance that is disagreement."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.experts import is_trusted, refit_by_expert, share_between_experts
from aligntax.analysis.inputs.view_reader import read_view
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
    title = read_view("results/base-experts-pool/view.toml").title
    page = (tmp_path / "results" / "base-experts-pool" / "experts.html").read_text()
    assert title.startswith("linear pool of mean (0.25)") and title in out and title in page
    code, out, _ = aligntax(*words, "--json", "--name", "again")
    told = json.loads(out)
    assert told["pool"] == title
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


def expert(view, who, **quantiles):
    priors = {name: dict(zip((0.1, 0.5, 0.9), q, strict=True)) for name, q in quantiles.items()}
    return replace(view.replace(**priors), name=who)


@pytest.fixture(scope="module")
def two(reference, tmp_path_factory):
    """Two experts who differ about what no evidence informs."""
    views = [
        expert(reference.view, "ann", usd_per_hour=(10, 20, 60)),
        expert(reference.view, "ben-b", usd_per_hour=(40, 90, 200)),
    ]
    out = tmp_path_factory.mktemp("two")
    return refit_by_expert(reference, views, [3, 1], out=out, name="two")


def test_without_one_of_two_experts_the_answer_is_the_others(two) -> None:
    for change, other in zip(two.left_out, reversed(two.answers), strict=True):
        assert change.how == "redrawn"
        for move in change.moves:
            row = other.record["quantities"][move.answer]
            assert [move.after[key] for key in ("q05", "q50", "q95")] == [
                pytest.approx(row[key], abs=1e-6) for key in ("q05", "q50", "q95")
            ]
            assert move.before["q50"] == pytest.approx(
                two.pooled.record["quantities"][move.answer]["q50"], abs=1e-6
            )


def test_a_dispute_moves_what_hangs_on_it_and_nothing_else(two) -> None:
    (change,) = two.disputes
    assert (change.what, change.ends) == ("usd_per_hour", ("ann", "ben-b"))
    moves = {move.answer: move for move in change.moves}
    assert moves["alignment_hours_affordable"].seen
    assert moves["alignment_hours_affordable"].change[0] < 0  # dearer hours, fewer of them
    for name in ("tai_year", "data_exponent", "alignment_hours_needed"):
        assert not moves[name].seen and moves[name].change[0] in (0.0, None)


def test_the_page_says_who_and_what_moves_the_pool(two) -> None:
    text = two.page.read_text("utf-8")
    for words in ("Each expert left out", "Which disagreement moves which answer", "ben-b", "wage"):
        assert words in text
    told = json.loads(json.dumps(two.to_dict(), allow_nan=False))
    assert told["inputs"]["usd_per_hour"]["experts"] == 2
    assert [change["what"] for change in told["left_out"]] == ["ann", "ben-b"]


def test_experts_who_agree_differ_and_move_in_nothing(reference, tmp_path) -> None:
    views = [expert(reference.view, who, usd_per_hour=(10, 20, 60)) for who in ("ann", "ben")]
    found = refit_by_expert(reference, views, out=tmp_path, report=False)
    assert not found.disputes and found.inputs["usd_per_hour"].between == 0
    assert all(move.change[0] in (0.0, None) for c in found.left_out for move in c.moves)
    assert not any(c.seen for c in found.left_out)
    assert all(share is None or share < 1e-9 for share in found.between.values())
    assert not found.page.exists()


def test_what_weights_cannot_be_trusted_with_is_not_told(reference, tmp_path) -> None:
    """Negative control: the expert nearby is told by the same weights."""
    table = reference.view.tables(["spend_growth"]).table("spend_growth")
    near = [float(x) for x in table.value([-1.2815515655, 0.02, 1.2815515655])]
    views = [
        expert(reference.view, "near", spend_growth=near),
        expert(reference.view, "far", spend_growth=(3.0, 3.1, 3.2)),
    ]
    found = refit_by_expert(reference, views, [99, 1], method="reweight", out=tmp_path)
    without_near, without_far = found.left_out
    assert not without_near.moves and "not to be trusted" in without_near.how
    assert without_far.moves and without_far.how == "reweighted"
    text = found.page.read_text("utf-8")
    assert "near: no answer, reweighted" in text and "far: no answer" not in text


def test_a_folder_of_many_experts_on_the_command_line(aligntax, reference, tmp_path) -> None:
    """The pool that stands in the folder is no expert, and many are listed below one another."""
    shutil.copytree(reference.path, tmp_path / "results" / "reference")
    rows = [f"e{i},wage,{10 + 5 * i},{20 + 9 * i},{60 + 20 * i}" for i in range(7)]
    (tmp_path / "panel.csv").write_text("\n".join(["expert,quantity,p10,p50,p90", *rows]))
    code, _, err = aligntax("view", "from-panel", "panel.csv", "--folder", "them")
    assert code == 0 and "aligntax refit RUN --by-expert --view them" in err
    words = ("refit", "reference", "--by-expert", "--view", "them", "--name", "p", "--no-report")
    code, out, err = aligntax(*words)
    assert code == 0 and err == "" and "expert left out" in out and "[e0]" in out
    runs = {path.name for path in (tmp_path / "results").iterdir()}
    assert runs == {"reference", "p-pool", *(f"p-e{i}" for i in range(7))}
    assert not (tmp_path / "results" / "p-pool" / "experts.html").exists()


def plan(checks, ess):
    failed = tuple(SimpleNamespace(name=name) for name in checks)
    return SimpleNamespace(
        failed=failed, weights=SimpleNamespace(ess=ess, values=np.empty((4, 220)))
    )


@pytest.mark.parametrize(
    ("checks", "ess", "trusted"),
    [
        ((), 880, True),
        (("weighted_ess",), 879, True),
        (("weighted_ess",), 400, False),
        (("k_hat",), 879, False),
        (("weighted_ess", "reach"), 879, False),
    ],
)
def test_few_draws_are_no_reason_to_sample_as_few_again(checks, ess, trusted) -> None:
    assert is_trusted(plan(checks, ess)) == trusted
