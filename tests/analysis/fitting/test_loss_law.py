"""The loss law fitted: to the digitised Chinchilla runs, to simulated ones, and as one more scaling study."""

import json
from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.figures.loss_law import (
    MOST_SLICES,
    compute_slices,
    drawn_slices,
    exponents,
    isoflop,
)
from aligntax.analysis.fitting.outcome import QUIET, conclude_fit
from aligntax.analysis.fitting.own_data import FittedLaw, enter_own_data, study_from_runs
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.derive import derive, replicate_evidence
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inputs.loss_runs import read_runs
from aligntax.analysis.pages.report import write_report
from aligntax.analysis.pipeline import run
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.load import load
from aligntax.models import loss_law, scaling
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import select
from tests.loss_runs import REFERENCE, TRUTH, chinchilla, data, simulated, write

MODEL = find_model("loss-law")
OPTIONS = Sampling(draws=500, chains=4)

# Besiroglu et al. 2024, arXiv:2404.10102: estimate and standard error on 240 points; gamma = alpha
# / beta and the error of its log is that of a, 0.020 by the authors' bootstrap, over a (1 - a).
PUBLISHED = {
    "A": (482.01, 124.58),
    "B": (2085.43, 1293.23),
    "irreducible_loss": (1.8172, 0.03),
    "alpha": (0.3478, 0.02),
    "beta": (0.3658, 0.02),
    "allocation_exponent": (0.5126, 0.020),
    "data_exponent": (0.951, 0.076),
}


@pytest.fixture(scope="session")
def laws(evidence, view):
    """``laws(errors)``: the law of one corpus, compiled once for each kind of errors."""
    compiled = {}

    def of(errors):
        if errors not in compiled:
            here = evidence.with_rows("loss_runs", simulated(50))
            compiled[errors] = compile_model(
                MODEL, here, view.replace(loss_law={"errors": errors, **REFERENCE})
            )
        return compiled[errors]

    return of


@pytest.fixture(scope="session")
def fit(laws, evidence):
    """``fit(rows, errors, seed)``: the compiled law with other runs; returns draws, statistics and derived quantities."""

    def fitted(rows, errors="student_t", seed=2022, options=OPTIONS):
        compiled, here = laws(errors), evidence.with_rows("loss_runs", rows)
        with_data = compiled.gradient.with_data(loss_run_data=data(here, compiled.view))
        one = replace(compiled, gradient=with_data, evidence=restrict(here, compiled.view, MODEL))
        posterior, stats = one.posterior(replace(options, seed=seed))
        where = (
            MODEL,
            posterior,
            one.view.tables(MODEL.quantities),
            one.evidence,
            one.view,
            np.random.default_rng(0),
        )
        return posterior, stats, derive(*where), replicate_evidence(*where), one

    return fitted


@pytest.fixture(scope="session")
def chinchilla_fits(fit):
    """Runs left out (5 or none) and kind of errors -> derived quantities, A and B with them."""

    def answers(drop, errors):
        options = replace(OPTIONS, target_accept=0.95)
        _, stats, derived, _, one = fit(chinchilla(drop).rows, errors, options=options)
        assert not stats["diverging"].values.any()
        view = one.view
        log_a = derived["parameter_loss"] + derived["alpha"] * np.log10(view.loss_law.parameters)
        log_b = derived["data_loss"] + derived["beta"] * np.log10(view.loss_law.tokens)
        return derived.assign(A=10**log_a, B=10**log_b)

    return {(d, e): answers(d, e) for d in (5, 0) for e in ("student_t", "gaussian")}


# ------------------------------------------------------------------------------ the Chinchilla runs


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_parameter_is_within_a_published_standard_error(chinchilla_fits, name) -> None:
    estimate, error = PUBLISHED[name]
    assert abs(float(chinchilla_fits[5, "student_t"][name].median()) - estimate) < error


@pytest.mark.slow
def test_student_t_errors_hold_where_gaussian_ones_are_moved_by_five_points(
    chinchilla_fits,
) -> None:
    """Besiroglu et al.'s Huber fit moves from a = 0.513 to 0.565 when the five points of highest loss are kept."""
    a = {key: float(each["allocation_exponent"].median()) for key, each in chinchilla_fits.items()}
    assert a[5, "student_t"] == pytest.approx(0.51, abs=0.01)
    assert a[0, "student_t"] == pytest.approx(a[5, "student_t"], abs=0.01)
    assert a[0, "gaussian"] > 0.565
    assert a[5, "gaussian"] == pytest.approx(0.51, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2022, 1, 7])
def test_chains_mix_on_every_seed(fit, seed) -> None:
    from aligntax.analysis.summaries.checks import sampling_checks, verdict
    from aligntax.analysis.summaries.summary import summarise

    posterior, stats, derived, _, _ = fit(chinchilla(5).rows, seed=seed, options=Sampling())
    checks = sampling_checks(posterior, stats, summarise(derived), MODEL.headlines)
    assert verdict(checks) == "pass", [check for check in checks if not check.passed]


# ----------------------------------------------------------------------------------- simulated runs


@pytest.mark.slow
def test_known_values_are_found_again(fit) -> None:
    """Each true value lies within 3.5 posterior sds, and within a few per cent."""
    derived = fit(simulated(120, freedom=4.0))[2]
    for name, truth in TRUTH.items():
        drawn = derived[name].values
        assert abs(drawn.mean() - truth) < 3.5 * drawn.std(), name
        assert drawn.std() < 0.05, name


def within_half(derived, predicted, one):
    """Share of the runs within their 50% predictive interval."""
    actual = loss_law.runs(one.evidence, one.view)["log_loss"].values
    drawn = predicted["loss_runs"].values.reshape(-1, len(actual))
    low, high = np.quantile(drawn, [0.25, 0.75], axis=0)
    return np.mean((actual >= low) & (actual <= high))


@pytest.mark.slow
def test_errors_of_the_wrong_kind_are_caught_by_the_predictive_check(fit) -> None:
    """Negative control: heavy-tailed errors taken for Gaussian ones leave far too many runs within the 50% interval."""
    rows = simulated(200, freedom=1.5, seed=3)
    right, wrong = (within_half(*fit(rows, errors)[2:]) for errors in ("student_t", "gaussian"))
    assert right == pytest.approx(0.5, abs=0.12)
    assert wrong > 0.75


@pytest.fixture(scope="session")
def two_corpora(evidence, view):
    """Two corpora with other exponents, as ``aligntax run`` leaves them."""
    truths = {
        "c4": TRUTH | {"alpha": 0.30},
        "pile": TRUTH | {"alpha": 0.42, "irreducible_loss": 2.1},
    }
    here = evidence.with_rows("loss_runs", simulated(120, truths=truths))
    compiled = compile_model(MODEL, here, view.replace(loss_law=REFERENCE))
    options = Sampling(target_accept=0.95)
    return truths, conclude_fit(compiled.sample(options), options, {})


@pytest.mark.slow
def test_each_corpus_finds_its_own_law(two_corpora) -> None:
    truths, outcome = two_corpora
    rows = outcome.record["quantities"]
    assert outcome.record["verdict"] == "pass", outcome.record["checks"]
    for corpus, truth in truths.items():
        for name in ("alpha", "beta", "irreducible_loss"):
            row = rows[f"{name}[{corpus}]"]
            assert abs(row["mean"] - truth[name]) < 3.5 * row["sd"], (name, corpus)
        assert rows[f"data_exponent[{corpus}]"]["q50"] == pytest.approx(
            truth["alpha"] / truth["beta"], rel=0.1
        )
    assert rows["alpha[c4]"]["q95"] < rows["alpha[pile]"]["q05"]
    assert rows["alpha[c4]"]["q50"] < rows["alpha"]["q50"] < rows["alpha[pile]"]["q50"]


@pytest.mark.slow
def test_vectors_of_parameters_are_in_every_group(two_corpora) -> None:
    groups = two_corpora[1].groups
    for group in ("draws", "prior_draws", "log_prior"):
        assert getattr(groups, group)["corpus_alpha"].dims == ("chain", "draw", "corpus"), group
    assert groups.log_likelihood["loss_runs"].sizes["loss_run"] == 240


@pytest.mark.slow
def test_the_log_prior_of_a_corpus_is_that_of_its_population(two_corpora) -> None:
    from scipy import stats

    groups = two_corpora[1].groups
    drawn, alpha = groups.draws, groups.derived["alpha"].values
    law = stats.norm(np.log(alpha)[..., None], drawn["exponent_spread"].values[..., None])
    assert groups.log_prior["corpus_alpha"].values == pytest.approx(
        law.logpdf(drawn["corpus_alpha"].values)
    )


@pytest.mark.slow
def test_prior_draws_of_corpora_scatter_about_their_population(two_corpora) -> None:
    prior, derived = two_corpora[1].groups.prior_draws, two_corpora[1].groups.prior_derived
    middle, spread = np.log(derived["alpha"].values), prior["exponent_spread"].values
    z = (prior["corpus_alpha"].values - middle[..., None]) / spread[..., None]
    assert z.mean() == pytest.approx(0, abs=0.06) and z.std() == pytest.approx(1, abs=0.06)
    assert np.corrcoef(z[..., 0].ravel(), z[..., 1].ravel())[0, 1] == pytest.approx(0, abs=0.06)


# --------------------------------------------------------------------------- the command, one study


def test_the_loss_law_without_runs_says_how_to_get_some(aligntax) -> None:
    code, out, err = aligntax("run", "loss-law")
    assert (code, out) == (2, "")
    assert "--runs FILE" in err and "aligntax evidence fetch chinchilla" in err


@pytest.mark.slow
def test_runs_make_a_report_with_pictures(aligntax, tmp_path) -> None:
    file = write(tmp_path / "mine.csv", simulated(60))
    code, out, err = aligntax(
        "run", "loss-law", "--runs", file, "--name", "law", "--json", "--drop-highest", 2
    )
    answer = json.loads(out)
    assert code == 0 and answer["verdict"] == "pass"
    assert {
        "alpha",
        "beta",
        "irreducible_loss",
        "allocation_exponent",
        "data_exponent",
        "tokens_per_parameter",
    } <= set(answer["quantities"])
    assert "fitted to 58 runs (2 of highest loss left out) of mine.csv" in err
    result = load("law")
    assert result.info["runs"]["rows"] == 58 and result.info["runs"]["left_out"] == 2
    page = write_report(result, strict=True).read_text()
    assert "slices of training compute" in page and "58 runs" not in result.info["command"]
    again = refit(
        result,
        result.view.replace(alpha={0.1: 0.2, 0.5: 0.3, 0.9: 0.5}),
        name="again",
        report=False,
    )
    assert again.evidence.hash == result.evidence.hash, "the runs travel with the run"
    sampled = refit(
        result, result.view, "sample", options=Sampling(draws=200), name="sampled", report=False
    )
    assert sampled.info["runs"] == result.info["runs"], "and so does what is said of them"
    for other in (
        result.view.replace(evidence={"until": 2026.0}),
        result.view.replace(evidence={"use": "none"}),
    ):
        with pytest.raises(
            InputError, match=r"evidence: a run with data of its own .* keeps its evidence"
        ):
            refit(result, other, name="without")


def test_runs_to_leave_out_of_no_runs_are_an_error(aligntax) -> None:
    code, out, err = aligntax("run", "scaling", "--drop-highest", 2)
    assert (code, out) == (
        2,
        "",
    ) and "drop_highest: needs runs to leave out of, got 2 alone; give --runs FILE" in err


@pytest.mark.slow
def test_pictures_of_two_corpora(two_corpora, tmp_path) -> None:
    from aligntax.analysis.fitting.outcome import write_outcome

    (tmp_path / "run").mkdir()
    result = write_outcome(tmp_path / "run", two_corpora[1], "run")
    assert len(isoflop(result).axes) == 2
    labels = [tick.get_text() for tick in exponents(result).axes[1].get_yticklabels()]
    assert {"these runs", "these runs, c4", "these runs, pile"} <= set(labels)


def test_slices_hold_runs_of_nearly_the_same_compute() -> None:
    log_flop = np.concatenate([np.full(8, 19.0), np.full(6, 20.0), [21.0, 21.4, 21.8]])
    found = compute_slices(log_flop)
    assert [middle for middle, _ in found] == [19.0, 20.0]
    assert [int(inside.sum()) for _, inside in found] == [8, 6]


def test_the_largest_compute_is_always_drawn() -> None:
    """Runs of the largest compute are fewest, as in most laboratories."""
    counts = [30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 5]
    log_flop = np.concatenate([np.full(n, 17.0 + 0.5 * i) for i, n in enumerate(counts)])
    found = drawn_slices(compute_slices(log_flop))
    middles = [middle for middle, _ in found]
    assert len(found) == MOST_SLICES and middles == sorted(middles)
    assert middles[0] == 17.0 and middles[-1] == 22.0
    assert 21.0 not in middles  # of the inner ones the least full are left out


@pytest.fixture(scope="session")
def steep(tmp_path_factory):
    """Runs whose data exponent is 2, far from every published study."""
    path = tmp_path_factory.mktemp("steep") / "steep.csv"
    return write(path, simulated(100, truths={"": TRUTH | {"alpha": 0.6, "beta": 0.3}}))


@pytest.fixture(scope="session")
def moved(steep, tmp_path_factory):
    """The meta-analysis with those runs and without them."""
    out = tmp_path_factory.mktemp("results")
    options = Sampling(draws=500)
    return [
        run("scaling", options=options, out=out, name=name, report=False, runs=runs)
        for name, runs in (("with", read_runs(steep)), ("without", None))
    ]


@pytest.mark.slow
def test_runs_move_the_data_exponent_towards_them(moved) -> None:
    with_them, without = (float(np.median(each.derived["data_exponent_pooled"])) for each in moved)
    assert without < with_them < 2.0
    told = moved[0].info["runs"]
    assert (
        told["gamma"] == pytest.approx(2.0, rel=0.1)
        and told["replaces"] == "none"
        and told["rows"] == 100
    )
    assert "no published study is replaced" in told["words"]
    assert "runs" not in moved[1].info


@pytest.mark.slow
def test_the_study_that_runs_become_says_what_their_law_said(moved, evidence) -> None:
    told = moved[0].info["runs"]
    studies = scaling.studies(moved[0].evidence).sel(study=told["study"])
    assert float(studies["log_gamma"]) == pytest.approx(told["log_gamma_mean"])
    a = loss_law.allocation_exponent(told["gamma"], 1.0)
    assert float(studies["log_gamma_se"]) == pytest.approx(
        max(told["log_gamma_sd"], 0.01 / (a * (1 - a)))
    )
    row = moved[0].evidence["scaling_exponents"].sel(study=told["study"])
    assert told["sha256"][:12] in str(row["source"].values) and "steep.csv" in str(
        row["source"].values
    )
    before = set(scaling.studies(evidence)["study"].values)
    assert set(scaling.studies(moved[0].evidence)["study"].values) == before | {told["study"]}


def study_groups(result_evidence):
    rows = select(result_evidence["scaling_exponents"])
    return list(rows["independence_group"].values)


def entered(runs, evidence, view, replaces=None, options=None):
    return enter_own_data(
        find_model("scaling"),
        runs,
        view,
        evidence,
        options or Sampling(draws=200, tune=300),
        QUIET,
        replaces=replaces,
    )


@pytest.mark.slow
def test_published_studies_of_the_same_runs_are_not_counted_twice(evidence, view) -> None:
    runs = chinchilla(5)
    here, told = entered(runs, evidence, view)
    assert told["public"] == "chinchilla" and told["replaces"] == "chinchilla_runs"
    groups = study_groups(here)
    assert "chinchilla_runs" not in groups and groups.count(f"runs_{runs.sha256[:12]}") == 1
    assert (
        len(groups)
        == len(study_groups(evidence)) - study_groups(evidence).count("chinchilla_runs") + 1
    )
    beside, told = entered(runs, evidence, view, "none")
    assert (
        study_groups(beside).count("chinchilla_runs")
        == study_groups(evidence).count("chinchilla_runs") + 1
    )
    assert "in the group chinchilla_runs" in told["words"], (
        "as one more analysis of the same runs, errors correlated"
    )


@pytest.mark.slow
def test_a_group_that_is_replaced_says_why_its_rows_are_not_used(evidence, view, steep) -> None:
    here, told = entered(read_runs(steep), evidence, view, "marin")
    rows = here["scaling_exponents"]
    notes = rows["note"].values[
        (rows["independence_group"].values == "marin") & evidence_used(evidence, rows)
    ]
    assert len(notes) == 3 and all(told["study"] in str(note) for note in notes)
    with pytest.raises(InputError, match="replaces: must be none or a group of studies, got 'x'"):
        entered(read_runs(steep), evidence, view, "x")


def evidence_used(evidence, rows):
    before = evidence["scaling_exponents"]
    used = dict(zip(before["study"].values, before["used"].values, strict=True))
    return np.array([used.get(key, False) for key in rows["study"].values])


@pytest.mark.slow
def test_several_corpora_enter_as_their_population(evidence, view, tmp_path) -> None:
    runs = read_runs(write(tmp_path / "two.csv", simulated(30, truths={"a": TRUTH, "b": TRUTH})))
    row = study_from_runs(runs, FittedLaw(0.0, 0.1, None, None, ()), "none")
    assert (
        row["corpus"] == "a, b"
        and row["allocation_exponent"] == 0.5
        and row["allocation_exponent_se"] == 0.025
    )
    _, told = entered(runs, evidence, view)
    assert "with several corpora the population's" in told["words"] and told["corpora"] == [
        "a",
        "b",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "view_change", "replaces", "told"),
    [
        ("compute", {}, None, "runs: must be given to loss-law, scaling or joint, got compute"),
        (
            "scaling",
            {"evidence": {"use": "none"}},
            None,
            "the view must condition on scaling_exponents",
        ),
        (
            "scaling",
            {"evidence": {"until": 2022.0}},
            None,
            "must be known by evidence.until = 2022",
        ),
        ("loss-law", {}, "marin", "replaces: says which studies not to use in joint or scaling"),
    ],
)
def test_runs_that_could_have_no_effect_are_refused(
    evidence, view, steep, model, view_change, replaces, told
) -> None:
    options = Sampling(draws=50, tune=100)
    with pytest.raises(InputError, match=told):
        enter_own_data(
            find_model(model),
            read_runs(steep),
            view.replace(**view_change),
            evidence,
            options,
            QUIET,
            replaces=replaces,
        )


def test_replacing_a_group_needs_runs(aligntax) -> None:
    code, _, err = aligntax("run", "scaling", "--replaces", "marin")
    assert code == 2 and "replaces: needs runs" in err
