"""Gold curves fitted: recovery of known curves, the stored ones, a user's, and what a person is told."""

import json
from dataclasses import replace

import numpy as np
import pytest
from arviz_stats import rhat

from aligntax.analysis.experiments.gold_curves import simulate_curves, table_text
from aligntax.analysis.figures.overoptimization import (
    against_budget,
    gold_curves,
    has_curves,
    has_labels,
    peaks,
    share_without_answer,
)
from aligntax.analysis.fitting.own_data import enter_own_data
from aligntax.analysis.fitting.refit_plan import plan_refit
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inputs.gold_data import read_curves, with_curves
from aligntax.analysis.pipeline import run
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.checks import sampling_checks, verdict
from aligntax.analysis.summaries.summary import summarise
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import select
from aligntax.models.overoptimization import model as over
from aligntax.models.overoptimization.proxy_rewards import (
    World,
    compare,
    draw_comparisons,
    learn,
    peak,
)
from aligntax.models.priors.columns import stack_columns
from tests.gold_curves import POPULATION, simulated

MODEL = find_model("overoptimization")


# ----------------------------------------------------------------------------------------- recovery


@pytest.fixture(scope="module")
def recovered(evidence, view):
    """``recovered(seed, wrong)``: 100 simulated curves of 50 proxies fitted; share of 90% intervals that hold the truth, by quantity.

    Compiled once: other curves of the same runs are other data. ``wrong`` states the other form of
    every run.
    """
    compiled = compile_model(MODEL, evidence.with_rows("gold_curves", simulated(100)[0]), view)
    tables = view.tables(MODEL.quantities)

    def fit(seed, wrong=False):
        rows, truth = simulated(100, seed=seed)
        if wrong:
            rows = [{**row, "form": "rl" if row["form"] == "bon" else "bon"} for row in rows]
        own = evidence.with_rows("gold_curves", rows)
        points = stack_columns(over.data(own, view)["gold_points"])
        one = replace(compiled, gradient=compiled.gradient.with_data(gold_points=points))
        posterior, statistics = one.posterior(Sampling(draws=500, seed=seed))
        found = derive(MODEL, posterior, tables, own, view, np.random.default_rng(0))
        draws = {name: found[f"{name}_by_gold_run"].values.reshape(-1, 100) for name in truth}
        ends = {name: np.quantile(values, [0.05, 0.95], axis=0) for name, values in draws.items()}
        held = {
            name: np.mean((truth[name] > low) & (truth[name] < high))
            for name, (low, high) in ends.items()
        }
        return held, found, int(statistics["diverging"].values.sum())

    return fit


@pytest.mark.slow
def test_fifty_known_proxies_are_found_again(recovered) -> None:
    """90% intervals hold alpha, beta and the peak in 80 to 98% of the runs of three simulations, whose runs err together
    by proxy and by method; and what the runs have in common is found in each.

    A chain of about one fit in twenty never finds the curves (docs/trust.md). Then all its draws diverge and R-hat shows
    it, and another simulation stands for that one.
    """
    fits = [recovered(seed) for seed in (5, 6, 7, 8)]
    found = [fit for fit in fits if not fit[2]][:3]
    assert len(found) == 3
    for _, draws, diverged in fits:
        assert diverged % 500 == 0
        assert bool(diverged) == (float(rhat(draws["peak_gold"])) > 1.5)
    for name in found[0][0]:
        assert 0.8 <= np.mean([held[name] for held, _, _ in found]) <= 0.98, name
    for name, truth in POPULATION.items():
        for _, draws, _ in found:
            low, high = np.quantile(draws[name].values, [0.01, 0.99])
            assert low < truth < high, name


@pytest.mark.slow
def test_curves_of_the_wrong_form_are_not_found_again(recovered) -> None:
    """Negative control: parabolas taken for logarithms and the other way round."""
    held, found, _ = recovered(5, wrong=True)
    assert min(held["peak_kl"], held["gold_alpha"]) < 0.7
    assert float(found["misfit"].median()) > 2 * float(recovered(5)[1]["misfit"].median())


# -------------------------------------------------------------------------------- the stored curves


@pytest.fixture(scope="module")
def result(overoptimization, evidence, view, tmp_path_factory):
    """A finished run with its report."""
    out = tmp_path_factory.mktemp("over")
    return run(
        "overoptimization",
        view,
        evidence,
        options=Sampling(),
        out=out,
        name="over",
        compiled=overoptimization,
    )


@pytest.mark.slow
def test_chains_mix_on_another_seed(overoptimization, view) -> None:
    posterior, statistics = overoptimization.posterior(Sampling(seed=1))
    tables = view.tables(MODEL.quantities)
    found = derive(
        MODEL, posterior, tables, overoptimization.evidence, view, np.random.default_rng(0)
    )
    checks = sampling_checks(posterior, statistics, summarise(found), MODEL.headlines)
    assert verdict(checks) == "pass", [check for check in checks if not check.passed]


@pytest.mark.slow
def test_the_simulated_world_is_found_again(result) -> None:
    """What the world says exactly, the model learns from noisy evaluations: each proxy's own peak, and the best proxy's."""
    assert result.record["verdict"] == "pass"
    rows = result.record["quantities"]
    best = np.log10(peak(World(), World().theta)[0])  # as good as a linear proxy gets
    assert rows["peak_kl"]["q05"] - 0.1 < best < rows["peak_kl"]["q95"] + 0.1
    inside = [
        rows[f"peak_kl[{name}_tilt]"]["q05"] < np.log10(kl) < rows[f"peak_kl[{name}_tilt]"]["q95"]
        for name, kl in _proxies().items()
    ]
    assert 0.75 <= np.mean(inside) <= 1.0 and len(inside) == 30


def _proxies():
    """Exact KL at the peak of each proxy of the stored curves."""
    from aligntax.analysis.experiments.gold_curves import LABELS, REPLICATES
    from aligntax.analysis.inference.seeds import child_seed

    world, root = World(), child_seed(2022, "gold_curves")
    return {
        f"labels_{count}_{k}": peak(
            world,
            learn(
                compare(
                    world, draw_comparisons(world, count, np.random.default_rng((root, count, k)))
                )
            ),
        )[0]
        for count in LABELS
        for k in range(1, REPLICATES + 1)
    }


@pytest.mark.slow
def test_the_spread_of_proxies_by_their_labels_is_the_world_s(result) -> None:
    """Sd of log10 KL at the peak over 40 fresh proxies of 100, 1,000 and 10 of 10,000 labels, exactly known."""
    world, spread = World(), result.draws["peak_kl_spread"].values
    fall = result.draws["spread_exponent"].values
    for labels, count in ((100, 40), (1000, 40), (10_000, 10)):
        drawn = [
            learn(compare(world, draw_comparisons(world, labels, np.random.default_rng((9, k)))))
            for k in range(count)
        ]
        truth = np.std([np.log10(peak(world, weights)[0]) for weights in drawn], ddof=1)
        low, high = np.quantile(spread * (labels / 1000) ** -fall, [0.01, 0.99])
        error = 2 * truth / np.sqrt(2 * (count - 1))
        assert low - error < truth < high + error, labels
    assert np.quantile(fall, 0.01) > 0.2  # one spread for all labels is excluded


@pytest.mark.slow
def test_more_labels_move_the_peak_out_and_up(result) -> None:
    rows = result.record["quantities"]
    for name in ("peak_kl", "peak_gold"):
        means = [
            np.mean([rows[f"{name}[labels_{labels}_{k}_tilt]"]["q50"] for k in range(1, 6)])
            for labels in (100, 300, 1000, 3000, 10_000, 30_000)
        ]
        assert np.all(np.diff(means) > 0), name
    assert rows["label_exponent"]["q05"] > 0.5


@pytest.mark.slow
def test_a_person_is_told_where_no_number_of_labels_suffices(result, aligntax) -> None:
    share = share_without_answer(result)
    assert 0.1 < share < 0.6
    row = result.record["quantities"]["labels_needed"]
    assert row["prob_above"] == pytest.approx(share) and row["q95"] is None
    code, out, _ = aligntax("show", result.path)
    assert code == 0 and f"{100 * share:.0f}% no amount suffices" in out
    assert "labels_100_1_tilt" not in out and "240 numbers of single runs, with --all" in out
    assert "labels_100_1_tilt" in aligntax("show", result.path, "--all")[1]
    page = (result.path / "report.html").read_text("utf-8")
    assert 'class="broken"' not in page
    # where the simulated world differs, the report says so
    assert "show no threshold of about 2,000 labels" in page
    # terminal, JSON and page say whose numbers these are, before the first of them
    told = result.record["simulated"]
    assert told.startswith("simulated world: the gold curves are this package's own simulation")
    assert out.index(told) < out.index("labels needed")
    assert json.loads(aligntax("show", result.path, "--json")[1])["simulated"] == told
    assert page.index("Simulated world: the gold curves") < page.index('<p class="lead">')
    assert page.count("Simulated world. ") >= 3  # captions
    for words in (
        "Gold reward against the KL",
        "KL at which gold peaks against the labels",
        "gold peaks at a KL budget",
    ):
        assert words in page


@pytest.mark.slow
def test_figures_show_what_was_fitted(result) -> None:
    assert has_curves(result) and has_labels(result)
    tilt, best = gold_curves(result).axes
    # curves; the line at 0, the legend's labels
    assert len(tilt.get_lines()) - 1 - 6 == len(best.get_lines()) - 1 == 30
    typical = next(
        line for line in peaks(result).axes[0].get_lines() if "typical" in line.get_label()
    ).get_ydata()
    assert np.all(np.diff(typical) > 0)
    above, below = against_budget(result).axes
    needed = next(
        line for line in above.get_lines() if line.get_label() == "labels needed"
    ).get_ydata()
    assert np.all(np.diff(needed) >= 0)
    none = next(line for line in below.get_lines() if len(line.get_ydata()) > 2).get_ydata()
    assert none[0] == 0 and none[-1] > 0.9 and np.all(np.diff(none) >= 0)


@pytest.mark.slow
def test_assumed_priors_are_redrawn_and_others_reweighted_or_sampled(result, view) -> None:
    source = read_sampled_run(result.path.name, result.path.parent)
    assert set(result.info["prior_only"]) == {"kl_budget", "kl_practice"}
    chosen = plan_refit(source, view.replace(kl_budget={0.1: 5, 0.5: 10, 0.9: 20}))
    assert chosen.exact and chosen.method == "reweight"
    assert plan_refit(source, view.replace(peak_kl={0.05: 2, 0.5: 30, 0.95: 300})).how != "redrawn"


# ---------------------------------------------------------------------------------- a user's curves

TWO = """KL,Gold_Reward,seed,optimiser
0,0,a,ppo
1,0.50,a,ppo
5,0.90,a,ppo
10,1.00,a,ppo
20,0.95,a,ppo
40,0.60,a,ppo
1,0.40,b,best-of-n
3,0.65,b,best-of-n
6,0.85,b,best-of-n
"""


def test_a_user_s_curves_stand_in_the_place_of_the_simulated_ones(evidence, tmp_path) -> None:
    (tmp_path / "two.csv").write_text(TWO)
    own = read_curves(tmp_path / "two.csv")
    rows = select(with_curves(evidence, own)["gold_curves"])
    assert rows.sizes["gold_point"] == own.used == 8  # gold is 0 at KL 0 by definition
    assert dict(zip(rows["run"].values, rows["form"].values, strict=True)) == {
        "a": "rl",
        "b": "bon",
    }
    assert np.isnan(rows["labels"].values).all()


def test_the_project_s_own_table_is_read_as_a_user_s(evidence, tmp_path) -> None:
    (tmp_path / "mine.csv").write_text(table_text(simulate_curves((50, 200), 1)))
    own = read_curves(tmp_path / "mine.csv")
    assert own.used == 2 * 14 and {row["labels"] for row in own.rows} == {50.0, 200.0}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("KL,", "nats,", "must have this column"),
        ("1,0.50", "-1,0.50", "must be 0 or more"),
        ("1,0.50", "1,nan", "0.50|nan"),
        ("1,0.50,a,ppo", "1,0.50,a", "a row must have 4 values"),
        ("1,0.50,a,ppo", "1,0.50,,ppo", "must have a value"),
        ("5,0.90,a,ppo", "5,0.90,a,bon", "a run must have one value"),
        ("5,0.90,a,ppo", "1,0.50,a,ppo", "a point must occur once"),
    ],
)
def test_mistakes_in_a_user_s_curves_name_the_line(old, new, told, tmp_path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(TWO.replace(old, new, 1))
    with pytest.raises(InputError, match=told) as caught:
        read_curves(path)
    assert "bad.csv" in str(caught.value) and "line" in str(caught.value)


def test_too_few_points_and_no_file_are_refused(tmp_path) -> None:
    (tmp_path / "few.csv").write_text("\n".join(TWO.splitlines()[:4]))
    with pytest.raises(InputError, match="at least 5 points"):
        read_curves(tmp_path / "few.csv")
    with pytest.raises(InputError, match="must be a CSV file that can be read"):
        read_curves(tmp_path / "none.csv")


def test_curves_belong_to_one_model(evidence, view, tmp_path) -> None:
    (tmp_path / "two.csv").write_text(TWO)
    own, ask = read_curves(tmp_path / "two.csv"), (Sampling(), None)
    with pytest.raises(InputError, match="must be given to overoptimization, got joint"):
        enter_own_data(find_model("joint"), own, view, evidence, *ask)
    with pytest.raises(InputError, match="with gold curves"):
        enter_own_data(MODEL, own, view, evidence, *ask, replaces="besiroglu")
    with pytest.raises(InputError, match="must condition on gold_curves"):
        enter_own_data(MODEL, own, view.replace(evidence={"use": "none"}), evidence, *ask)
    entered, told = enter_own_data(MODEL, own, view, evidence, *ask)
    assert told["rows"] == 8 and told["left_out"] == 1 and "8 points of 2 runs" in told["words"]
    assert set(over.run_names(entered)) == {"a", "b"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("overoptimization", "--runs", "none.csv"), "must be a CSV file that can be read"),
        (
            ("overoptimization", "--runs", "two.csv", "--drop-highest", "2"),
            "leaves training runs out",
        ),
        (("overoptimization", "--drop-highest", "2"), "needs runs to leave out of"),
        (("joint", "--runs", "two.csv"), "column parameters"),
    ],
)
def test_what_does_not_fit_together_is_one_message(words, told, aligntax, tmp_path) -> None:
    (tmp_path / "two.csv").write_text(TWO)
    code, out, err = aligntax("run", *words)
    assert code == 2 and out == "" and told in err and "Traceback" not in err


@pytest.mark.slow
def test_a_run_of_a_user_s_curves_says_whose_they_are(aligntax, tmp_path) -> None:
    heads = ("kl", "gold", "run", "method", "form", "gold_se")
    lines = [
        ",".join(heads),
        *(",".join(str(row[head]) for head in heads) for row in simulated(8)[0]),
    ]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    code, out, err = aligntax(
        "run", "overoptimization", "--runs", "mine.csv", "--draws", "500", "--name", "mine"
    )
    assert code in (0, 1), out + err  # few draws of few curves may fail a check
    assert (
        "fitted to 52 points of 8 runs of mine.csv, form bon and rl, no label counts (as if ample)"
        in err
    )
    assert "KL at the peak [run_003]" in out and "verdict: " in out
    page = (tmp_path / "results" / "mine" / "report.html").read_text("utf-8")
    assert 'class="broken"' not in page and "against the labels that the proxy" not in page
    assert "show no threshold" not in page
    assert "imulated world" not in page + out
