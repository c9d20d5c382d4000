"""A refit as a folder: light, tied to the run whose draws it counts, whole when loaded; and one compilation for many views."""

import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aligntax.analysis.fitting.outcome import conclude_fit
from aligntax.analysis.fitting.refit_plan import answer_from_draws, plan_refit
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.refitting import refit, sampling_of
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.run_folder import file_hash
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.models.errors import InputError

# of the tolerance, which no evidence bears on
LESS = {"quantiles": {"0.1": 2, "0.5": 10, "0.9": 50}}
# of algorithms: weights are needed, and can be trusted
LIMIT = {"family": "lognormal", "mu": 1.7, "sigma": 0.6}


@pytest.fixture
def results(run_folder, tmp_path):
    """A results folder with one finished run, ``base``."""
    shutil.copytree(run_folder, tmp_path / "base")
    return tmp_path


def test_a_redraw_stores_what_is_new_and_loads_whole(results, view):
    answer = refit("base", view.with_quantity("usd_per_hour", LESS), out=results, name="less")
    assert answer.info["refit"]["how"] == "redrawn"
    sizes = [(results / name / "posterior.nc").stat().st_size for name in ("less", "base")]
    assert sizes[0] < 0.1 * sizes[1]
    base = load(results / "base")
    assert not answer.weighted and answer.weights.ess == pytest.approx(4000)
    np.testing.assert_array_equal(answer.derived["tai_year"], base.derived["tai_year"])
    np.testing.assert_array_equal(answer.draws["z"], base.draws["z"])
    wage = 10.0 ** answer.derived["usd_per_hour"].values
    assert np.median(wage) == pytest.approx(10, rel=0.1)
    assert np.quantile(wage, 0.9) == pytest.approx(50, rel=0.15)
    assert (
        answer.record["quantities"]["alignment_hours_affordable"]
        != base.record["quantities"]["alignment_hours_affordable"]
    )
    prior = 10.0 ** answer.groups.prior_derived["usd_per_hour"].values
    assert np.median(prior) == pytest.approx(10, rel=0.1)  # the prior beside it is the new one


@pytest.mark.slow
def test_a_reweighted_result_holds_weights_and_not_copies(results, view):
    moved = view.with_quantity("algorithmic_limit", LIMIT)
    answer = refit("base", moved, out=results, name="limit")
    assert answer.info["refit"]["how"] == "reweighted" and answer.record["method"] == "reweight"
    assert (results / "limit" / "posterior.nc").stat().st_size < 150_000
    expected = answer_from_draws(plan_refit(read_sampled_run("base", results), moved))
    np.testing.assert_allclose(
        answer.weights.values, expected.plan.weights.values, rtol=1e-9, atol=1e-15
    )
    for name, row in expected.rows.items():
        assert answer.record["quantities"][name]["q50"] == row["q50"]
    np.testing.assert_array_equal(
        answer.derived["algorithmic_limit"], load(results / "base").derived["algorithmic_limit"]
    )
    names = {check["name"] for check in answer.record["checks"]}
    assert names >= {"k_hat", "weighted_ess", "reach", "weights_variance"}
    assert set(answer.record["quantities"]["tai_year"]) == set(
        load(results / "base").record["quantities"]["tai_year"]
    )


@pytest.mark.slow
def test_there_and_back_is_the_original_answer(results, view):
    there = refit("base", view.with_quantity("algorithmic_limit", LIMIT), out=results, name="there")
    back = refit(there, view, out=results, name="back")
    # a refit of a refit uses the draws of the run behind it
    assert back.info["refitted_from"]["run"] == "base"
    base = load(results / "base").record["quantities"]
    for name, row in back.record["quantities"].items():
        for key in ("q05", "q50", "q95"):
            assert row[key] == (
                None if base[name][key] is None else pytest.approx(base[name][key], rel=1e-9)
            )


@pytest.mark.slow
def test_sampling_the_original_view_again_is_the_original_answer(results, view, joint, run_folder):
    again = refit("base", view, "sample", compiled=joint, out=results, name="again", report=False)
    base = load(run_folder)
    assert again.draws["z"].equals(base.draws["z"])
    ours, theirs = again.record["quantities"], base.record["quantities"]
    assert {n: r["q50"] for n, r in ours.items()} == {n: r["q50"] for n, r in theirs.items()}
    assert again.info["refitted_from"]["shares_draws"] is False


@pytest.mark.slow
def test_a_live_process_compiles_once(monkeypatch, scaling, view, tmp_path, evidence):
    """One compilation serves every view; and a compiled model of other evidence is refused."""
    import nutpie

    from aligntax.analysis.inference import compiled_model as fit
    from aligntax.analysis.pipeline import run

    def refuse(*asked, **options):
        raise AssertionError("compiled again")

    monkeypatch.setattr(fit, "compile_on", refuse)
    monkeypatch.setattr(nutpie, "compile_pymc_model", refuse)
    first = run(
        "scaling",
        view,
        evidence,
        options=Sampling(draws=100),
        out=tmp_path,
        name="first",
        report=False,
        compiled=scaling,
    )
    medians = []
    for i, middle in enumerate((0.6, 0.8, 1.0)):
        moved = view.with_quantity(
            "data_exponent_prior",
            {"quantiles": {"0.1": middle - 0.01, "0.5": middle, "0.9": middle + 0.01}},
        )
        answer = refit(
            first, moved, "sample", compiled=scaling, out=tmp_path, name=f"run{i}", report=False
        )
        medians.append(answer.record["quantities"]["data_exponent_pooled"]["q50"])
    # and each is its own posterior
    assert medians == sorted(medians) and medians[2] - medians[0] > 0.2
    later = replace(view, evidence=replace(view.evidence, until=2023.0))
    with pytest.raises(InputError, match="compiled: must be model scaling on the evidence"):
        refit(first, later, compiled=scaling, out=tmp_path, name="other", report=False)


def test_a_fit_keeps_the_view_that_was_sampled(outcome):
    other = outcome.fit.view.with_quantity(
        "usd_per_hour", {"quantiles": {"0.1": 5, "0.5": 10, "0.9": 20}}
    )
    with pytest.raises(InputError, match="fit: must keep its view"):
        conclude_fit(replace(outcome.fit, view=other), Sampling(), {})


@pytest.mark.slow
def test_new_evidence_is_sampled(tmp_path, scaling, view, evidence):
    from aligntax.analysis.pipeline import run

    first = run(
        "scaling",
        view,
        evidence,
        options=Sampling(draws=100),
        out=tmp_path,
        name="all",
        report=False,
        compiled=scaling,
    )
    earlier = replace(view, evidence=replace(view.evidence, until=2021.0))
    answer = refit(first, earlier, out=tmp_path, name="until2021", report=False)
    assert (
        answer.record["method"] == "sample" and "evidence differs" in answer.info["refit"]["reason"]
    )
    medians = [r.record["quantities"]["data_exponent_pooled"]["q50"] for r in (first, answer)]
    assert medians[0] - medians[1] > 0.03  # Chinchilla came in 2022


# ------------------------------------------------------------------------------------------- damage


def test_a_refit_knows_when_its_draws_are_gone_or_others(results, view):
    refit("base", view.with_quantity("usd_per_hour", LESS), out=results, name="less")
    moved = results / "moved"
    moved.mkdir()
    for name in ("base", "less"):  # together they can go anywhere
        shutil.copytree(results / name, moved / name)
    assert load(moved / "less").record["quantities"]
    shutil.rmtree(moved / "base")
    with pytest.raises(InputError, match="uses the draws of base"):
        load(moved / "less")
    info = json.loads((results / "base" / "info.json").read_text())
    info["files"]["posterior.nc"] = "0" * 64
    (results / "base" / "info.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="got others; refit again"):
        load(results / "less")


def test_a_run_whose_view_is_not_the_one_it_was_fitted_under_is_refused(results, view):
    info = json.loads((results / "base" / "info.json").read_text())
    info["view"]["hash"] = "0" * 64
    (results / "base" / "info.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="must have the view that it was fitted under"):
        refit("base", view, out=results)


def test_a_run_of_another_model_version_is_refused(results, view):
    info = json.loads((results / "base" / "info.json").read_text())
    info["model"]["version"] += 1
    (results / "base" / "info.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="must be of model version"):
        refit("base", view, out=results)


def test_a_failed_refit_leaves_nothing(results, view):
    before = sorted(results.iterdir())
    crossing = replace(view, arrival=replace(view.arrival, mode="crossing"))
    with pytest.raises(InputError, match=r"arrival.mode: crossing has no likelihood"):
        refit("base", crossing, out=results, name="bad")
    with pytest.raises(InputError, match="name: must be new"):
        refit("base", view, out=results, name="base")
    assert sorted(results.iterdir()) == before


def test_the_sources_failed_checks_are_the_refits(results, view):
    folder = results / "base"
    record, info = (
        json.loads((folder / name).read_text()) for name in ("summary.json", "info.json")
    )
    record["checks"][0] |= {"passed": False, "action": "more draws"}
    (folder / "summary.json").write_text(json.dumps(record))
    from aligntax.analysis.storage.run_folder import file_hash

    info["files"]["summary.json"] = file_hash(folder / "summary.json")
    (folder / "info.json").write_text(json.dumps(info))
    answer = refit("base", view.with_quantity("usd_per_hour", LESS), out=results, name="less")
    assert answer.record["verdict"] == "fail"


# ------------------------------------------------------------------------------------- command line


def test_refit_on_the_command_line(aligntax, results):
    code, out, err = aligntax("refit", "base", "--set", "usd_per_hour=2,10,50", "--out", results)
    assert code == 0 and err == ""
    assert "from base: redrawn exactly" in out and "aligntax report" in out
    code, out, _ = aligntax(
        "refit",
        "base",
        "--set",
        "usd_per_hour=5,9,20",
        "--out",
        results,
        "--json",
        "--name",
        "wage",
    )
    record = json.loads(out)
    assert code == 0 and record["method"] == "reweight" and record["run"] == "wage"
    assert 10 ** record["quantities"]["usd_per_hour"]["q50"] == pytest.approx(9, rel=0.05)


@pytest.mark.slow
def test_refit_takes_a_view_file_and_draws_its_report_when_asked(aligntax, results):
    (results / "mine.toml").write_text(
        "[quantities.usd_per_hour]\nquantiles = {0.1 = 5, 0.5 = 9, 0.9 = 20}\n"
    )
    code, out, _ = aligntax(
        "refit",
        "base",
        "--view",
        results / "mine.toml",
        "--out",
        results,
        "--name",
        "m",
        "--report",
    )
    assert code == 0 and (results / "m" / "report.html").exists() and "report.html" in out
    page = (results / "m" / "report.html").read_text()
    assert "refitted from base" in page and "redrawn exactly" in page


def test_what_a_weight_cannot_do_is_kept_and_marked_when_forced(aligntax, results):
    words = (
        "refit",
        "base",
        "--set",
        "spend_growth_ratio=3,4,5",
        "--out",
        results,
        "--method",
        "reweight",
        "--name",
        "far",
    )
    code, out, _ = aligntax(*words)
    assert code == 1 and "verdict: fail" in out and "check failed: reach" in out
    assert (results / "far" / "summary.json").exists()


@pytest.mark.parametrize(
    "words, message",
    [
        ((), "view: a refit needs another view, got none"),
        (("--set", "usd_per_hour=5,9"), "set: must be quantity=p10,p50,p90"),
        (("--set", "usd_per_our=5,9,20"), "did you mean usd_per_hour"),
        (("--view", "absent.toml"), "view: must be a file or one of"),
        (
            ("--set", "usd_per_hour=5,9,20", "--method", "magic"),
            "method: must be one of auto, reweight, sample",
        ),
        (("--set", "usd_per_hour=5,9,20", "--name", "../up"), "name: must be letters"),
        (("--set", "usd_per_hour=5,9,20", "--draws", "0"), "draws: must lie between"),
    ],
)
def test_mistakes_are_one_message_and_exit_2(aligntax, results, words, message):
    before = sorted(results.iterdir())
    code, out, err = aligntax("refit", "base", "--out", results, *words)
    assert code == 2 and out == "" and message in err and err.count("\n") == 1
    assert sorted(results.iterdir()) == before


def test_an_unknown_run_is_named(aligntax, results):
    code, _, err = aligntax("refit", "bse", "--set", "usd_per_hour=5,9,20", "--out", results)
    assert code == 2 and "known are base" in err


LIGHT = """
import sys
import tomllib
from aligntax.analysis.cli import main
sys.argv = ["aligntax", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
heavy = {"pymc", "pytensor", "nutpie", "numba", "arviz_stats", "matplotlib"} & set(sys.modules)
print(sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize("change", ["usd_per_hour=2,10,50", "spend_growth=0.12,0.31,0.52"])
def test_reusing_draws_imports_no_pymc_and_no_arviz(results, change):
    words = ["refit", "base", "--set", change, "--out", str(results), "--method", "reweight"]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *words], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_evidence_of_ones_own_travels_with_the_run(tmp_path, scaling, view, evidence):
    """Read from the run where it is not the embedded one: the stored and the embedded tables give the same refit."""
    from aligntax.analysis.pipeline import run
    from aligntax.models.evidence import Evidence

    rows = evidence["bio_anchors"]  # not conditioned on, but part of what travels
    other = Evidence({**evidence.tables, "bio_anchors": rows.assign(median=rows["median"] * 2)})
    first = run(
        "scaling", view, other, options=Sampling(draws=50), out=tmp_path, name="own", report=False
    )
    source = read_sampled_run("own", tmp_path)
    assert source.evidence.hash == first.info["evidence"]["hash"] != evidence.hash
    np.testing.assert_allclose(source.evidence["bio_anchors"]["median"], 2 * rows["median"])
    assert "rlhf_efforts" not in source.evidence.tables  # nothing of this model's
    for name, table in first.evidence.tables.items():
        assert source.evidence[name].identical(table), name
    assert plan_refit(source, view, evidence=other).exact
    chosen = plan_refit(source, view, evidence=evidence)
    assert chosen.method == "sample" and "the evidence differs" in chosen.reason
    with pytest.raises(InputError, match="reweight keeps the likelihood"):
        plan_refit(source, view, "reweight", evidence)


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("scaling", "between_study_scale", 0.1),
        ("loss_law", "parameters", 1e9),
        ("loss_law", "tokens", 1e10),
        ("time_horizon", "since", 2019.0),
        ("time_horizon", "reference_date", 2024.0),
        ("compute", "runs_since", 2016.0),
    ],
)
def test_a_setting_that_a_likelihood_depends_on_is_sampled(results, view, section, setting, value):
    chosen = plan_refit(
        read_sampled_run("base", results), view.replace(**{section: {setting: value}})
    )
    assert chosen.method == "sample"
    assert f"{section}.{setting}" in chosen.reason


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        ("algorithms", {"since": 2018.0}),
        ("algorithms", {"growth": {"medium_horizon": 0.8}}),
        ("algorithms", {"limit": {"genome": -0.5}}),
    ],
)
def test_a_setting_that_only_arrival_depends_on_is_weighed_by_the_absence_of_tai(
    results, view, section, settings
):
    """log p(no TAI) of the changed view less that of the run, draw by draw."""
    from aligntax.analysis.fitting.reweight import carry_draws
    from aligntax.analysis.inference.derive import log_no_tai

    source, moved = read_sampled_run("base", results), view.replace(**{section: settings})
    carried = carry_draws(source, moved)
    x, parameters = source.values
    now, before = (
        log_no_tai(source.model, x, parameters, source.evidence, each) for each in (moved, view)
    )
    assert np.ptp(now - before) > 1e-6
    np.testing.assert_allclose(carried.log_ratio, now - before)


def test_without_its_settings_a_compiled_model_refuses_a_view(joint, view):
    """Whatever is a constant of the graph: a view that changes it needs another compilation."""
    for section, settings in (
        ("algorithms", {"since": 2018.0}),
        ("direct_approach", {"year": 2023.0}),
        ("time_horizon", {"since": 2019.0}),
        ("loss_law", {"tokens": 1e9}),
    ):
        with pytest.raises(InputError, match=rf"view: {section}\.\w+ is compiled in"):
            joint.with_view(view.replace(**{section: settings}))


@pytest.mark.slow
def test_a_run_from_before_a_model_existed_is_read_reported_and_refitted(reference, tmp_path):
    """Its view lacks the quantities and the settings of younger models, and its hash is of what it states."""
    import tomli_w

    from aligntax.analysis.figures.style import view_of
    from aligntax.models.views import fingerprint

    old = Path(shutil.copytree(reference.path, tmp_path / "old"))
    stated = tomllib.loads((old / "view.toml").read_text())
    for name in ("peak_kl", "evaluator_error", "prediction_failure"):
        del stated["quantities"][name]
    for key in ("outer_alignment", "multiplier", "quality"):
        del stated[key]
    (old / "view.toml").write_text(tomli_w.dumps(stated))
    info = json.loads((old / "info.json").read_text())
    info["view"]["hash"], info["files"]["view.toml"] = (
        fingerprint(stated),
        file_hash(old / "view.toml"),
    )
    del info["links"]
    (old / "info.json").write_text(json.dumps(info))
    found = load(old)
    assert found.view.hash == view_of(found).hash == reference.view.hash != info["view"]["hash"]
    answer = refit(
        str(old),
        found.view.replace(usd_per_hour={0.1: 10, 0.5: 20, 0.9: 60}),
        out=tmp_path,
        name="new",
    )
    assert (
        answer.info["refit"]["reason"]
        == "redrawn exactly, no evidence bears on what changed: usd_per_hour"
    )


def test_options_of_an_older_run_are_those_of_todays_sampler() -> None:
    """It names none: NUTS drew it, whose warm-up and acceptance target suit no other."""
    stated = {"draws": 700, "tune": 400, "chains": 2, "seed": 3, "target_accept": 0.9}
    assert sampling_of({"sampler": {"name": "nutpie NUTS", **stated}}) == Sampling(
        draws=700, chains=2, seed=3
    )
    named = {**stated, "sampler": "nuts"}
    assert sampling_of({"sampler": named}) == Sampling(**named)
