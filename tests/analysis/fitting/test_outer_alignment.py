"""Outer alignment fitted: against quadrature, to simulated studies, and what a person is told."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from aligntax.analysis.answers.labelling import majority_error, published_label_error
from aligntax.analysis.figures.outer_alignment import (
    against_capability,
    agreement,
    has_studies,
    oversight,
    quantity_against_quality,
    share_without_answer,
)
from aligntax.analysis.fitting.refit_plan import plan_refit
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.pipeline import run
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.summaries.checks import sampling_checks, verdict
from aligntax.analysis.summaries.summary import iter_series, summarise
from aligntax.analysis.summaries.words import format_amount, median_and_interval, missing_mass
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.outer_alignment import comparisons
from aligntax.models.outer_alignment import model as outer
from aligntax.models.outer_alignment import oversight as law
from aligntax.models.outer_alignment.label_error import label_error
from aligntax.models.priors.quantities import lookup
from aligntax.models.views import load_view

MODEL = find_model("outer-alignment")
OPTIONS = Sampling()


@pytest.fixture(scope="session")
def compiled(outer_alignment):
    return outer_alignment


@pytest.fixture(scope="session")
def fitted(compiled):
    """``fitted(counts, seed, settings)``: the compiled model, with other agreements where given; posterior, statistics, derived."""
    kept = {}

    def fit(counts=None, **asked):
        key = tuple(asked.items())
        if counts is not None or key not in kept:
            found = sample(counts, **asked)
            if counts is not None:
                return found
            kept[key] = found
        return kept[key]

    def sample(counts=None, seed=2022, **settings):
        view = compiled.view.replace(outer_alignment=settings) if settings else compiled.view
        one = compiled.with_view(view)
        if counts is not None:
            rows = outer.studies(one.evidence)
            data = np.stack([counts, rows["total"].values, rows["study_index"].values])
            one = replace(one, gradient=one.gradient.with_data(agreements=data))
        posterior, statistics = one.posterior(replace(OPTIONS, seed=seed))
        tables = view.tables(MODEL.quantities)
        found = derive(MODEL, posterior, tables, one.evidence, view, np.random.default_rng(0))
        return posterior, statistics, found

    return fit


@pytest.fixture(scope="session")
def result(compiled, evidence, view, tmp_path_factory):
    """A finished run with its report; a figure that fails is on the page, and counted."""
    out = tmp_path_factory.mktemp("outer")
    return run(
        "outer-alignment",
        view,
        evidence,
        options=replace(OPTIONS, draws=400),
        out=out,
        name="outer",
        compiled=compiled,
    )


# ------------------------------------------------------------------------------------ the posterior


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2022, 1, 7])
def test_chains_mix_on_every_seed(fitted, seed) -> None:
    posterior, statistics, found = fitted(seed=seed)
    checks = sampling_checks(posterior, statistics, summarise(found), MODEL.headlines)
    assert verdict(checks) == "pass", [check for check in checks if not check.passed]


def by_quadrature(evidence, view):
    """Mean and sd of the label error of a typical study, all of the model integrated on a grid.

    Given the two concentrations and the typical error, studies are independent and each integrates
    over its own error.
    """
    z, score = np.linspace(-3, 3, 121), np.linspace(-3.2, 3.2, 27)
    name = MODEL.quantities.index("label_error")
    typical = view.tables(MODEL.quantities).values(
        z[:, None] * (np.arange(len(MODEL.quantities)) == name)
    )["label_error"]
    guessed = (np.arange(800) + 0.5) / 800
    between, within = outer.BETWEEN_STUDIES * np.exp(score), outer.WITHIN_STUDY * np.exp(score)
    a = 2 * typical[:, None, None] * between[:, None]
    prior = stats.beta(a, between[:, None] - a).pdf(guessed)  # (z, between, guessed)
    rows = outer.studies(evidence)
    count, total = rows["count"].values[:, None], rows["total"].values[:, None]
    share = outer.agreement(0.5 * guessed)
    # (within, row, guessed)
    each = np.stack([outer.log_likelihood(count, total, share, w, gammaln) for w in within])
    member = (rows["study_index"].values == np.arange(rows.sizes["study"])[:, None]).astype(float)
    of_study = np.einsum("sr,wrg->wsg", member, each)
    of_study = np.exp(of_study - of_study.max(axis=(0, 2), keepdims=True))
    marginal = np.tensordot(prior, of_study, axes=([2], [2])).prod(axis=-1)  # (z, between, within)
    normal = stats.norm.pdf
    weight = marginal * normal(z)[:, None, None] * normal(score)[:, None] * normal(score)
    weight = weight.sum(axis=(1, 2)) / weight.sum()
    mean = weight @ typical
    return mean, np.sqrt(weight @ (typical - mean) ** 2)


def test_the_posterior_of_label_error_is_that_of_quadrature(fitted, evidence, view) -> None:
    """Within 4 Monte Carlo errors of the mean, and 8% of the sd."""
    mean, sd = by_quadrature(evidence, view)
    found = fitted()[2]["label_error"].values
    size = summarise(fitted()[2])["label_error"]["ess_bulk"]
    assert abs(found.mean() - mean) < 4 * sd / np.sqrt(size)
    assert found.std() == pytest.approx(sd, rel=0.08)


def test_known_errors_are_found_again_and_not_if_disagreement_is_taken_for_error(
    fitted, compiled
) -> None:
    """Five studies of different error, simulated; the negative control reads one less agreement as the error."""
    rng, truth = np.random.default_rng(11), np.array([0.08, 0.14, 0.2, 0.26, 0.32])
    rows = outer.studies(compiled.evidence)
    total, index = rows["total"].values.astype(int), rows["study_index"].values.astype(int)
    counts = rng.binomial(total, outer.agreement(truth[index]))
    posterior, _, found = fitted(counts)
    drawn = found["study_label_error_by_study"].values.reshape(-1, 5)
    assert np.all(np.abs(drawn.mean(axis=0) - truth) < 3 * drawn.std(axis=0))
    typical = found["label_error"].values
    assert abs(typical.mean() - truth.mean()) < 2 * typical.std()
    naive = np.array([1 - counts[index == s].sum() / total[index == s].sum() for s in range(5)])
    assert np.any(np.abs(naive - truth) > 3 * drawn.std(axis=0))
    spread = float(np.median(posterior["error_concentration"]))
    # these studies differ by more
    assert spread < float(np.median(fitted()[0]["error_concentration"]))


def prior_of_growth(view):
    return view.tables(("evaluator_error_growth",)).table("evaluator_error_growth")


def by_importance(evidence, view, draws=200_000):
    """Mean and sd of the growth of evaluator error: prior draws weighted by the games' density."""
    z = np.random.default_rng(0).standard_normal((draws, len(MODEL.quantities)))
    x = view.tables(MODEL.quantities).values(z)
    row = {str(name): value.values for name, value in law.games(evidence).items()}
    column = {name: x[name][:, None] for name in law.QUANTITIES}
    spread = view.outer_alignment.game_spread
    terms = stats.norm(law.expected_failure(column, row, np.log), spread).logpdf(row["failure"])
    weight = np.exp(terms.sum(axis=1))
    growth = x["evaluator_error_growth"]
    mean = np.average(growth, weights=weight)
    return mean, np.sqrt(np.average((growth - mean) ** 2, weights=weight))


def test_the_growth_of_evaluator_error_is_that_of_weighted_prior_draws(
    fitted, evidence, view
) -> None:
    """Within 4 Monte Carlo errors, and far from the prior, which the negative control is."""
    mean, sd = by_importance(evidence, view)
    found = fitted()[2]["evaluator_error_growth"].values
    error = sd / np.sqrt(summarise(fitted()[2])["evaluator_error_growth"]["ess_bulk"])
    assert abs(found.mean() - mean) < 4 * error
    assert found.std() == pytest.approx(sd, rel=0.08)
    assert abs(float(prior_of_growth(view).value(0.0)) - mean) > 10 * error


def test_a_known_growth_is_found_again_where_the_games_are_exact(compiled) -> None:
    """Games at several gaps, with all else known to them: least squares of the law, as it should be."""
    truth, gaps = 0.3, np.array([0.0, 200.0, 400.0, 800.0])
    known = {
        "elo_per_oom": {"point": 80.0},
        "parity_error": {"point": 0.5},
        "debate_share": {"point": 0.9},
        "recursion_share": {"point": 0.9},
    }
    view = compiled.view.replace(outer_alignment={"game_spread": 0.05}, **known)
    one = compiled.with_view(view)
    failure = 0.9 * truth * gaps / 80.0 + 0.05 * np.array([0.5, -0.5, 0.5, -0.5])
    data = np.stack([failure, gaps, np.zeros(4)])
    one = replace(one, gradient=one.gradient.with_data(games=data))
    posterior, _ = one.posterior(OPTIONS)
    tables = view.tables(MODEL.quantities)
    found = derive(MODEL, posterior, tables, one.evidence, view, np.random.default_rng(0))
    growth = found["evaluator_error_growth"].values
    assert abs(growth.mean() - truth) < 3 * growth.std() < 0.05


NUMBERS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}


@pytest.mark.slow
def test_the_page_of_the_theory_says_what_the_default_fit_says(fitted, evidence) -> None:
    """Each row of its table within 4 Monte Carlo errors: shares, and 5% points by rank."""
    posterior, _, _ = fitted()
    text = (Path(__file__).parents[3] / "docs" / "theory.md").read_text("utf-8")
    rows = re.findall(
        r"\| yes \| yes \| ([a-z ]+)(?: \(default\))? \| (\d+)% \| ([\d.]+) (\w+),", text
    )
    assert len(rows) == 4
    for scheme, percent, number, unit in rows:
        setting = "none" if scheme == "unaided" else scheme.replace(" ", "_")
        view = load_view("default").replace(outer_alignment={"oversight": setting})
        found = derive(
            MODEL,
            posterior,
            view.tables(MODEL.quantities),
            evidence,
            view,
            np.random.default_rng(0),
        )
        suffices = found["data_suffices"].values.mean()
        error = np.sqrt(suffices * (1 - suffices) / 1000)  # effective draws are more
        assert abs(float(percent) / 100 - suffices) < 4 * error, scheme
        row = summarise(found)["comparisons_needed"]
        rank = np.mean(values_of(found) < np.log10(float(number) * NUMBERS[unit]))
        assert row["q05"] is not None and abs(rank - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1000), scheme


def values_of(found):
    return next(s for s in iter_series(found) if s.name == "comparisons_needed").values.ravel()


def test_correlated_errors_of_labellers_mean_that_agreement_overstates_accuracy(fitted) -> None:
    alone, together = (
        fitted(**s)[2]["label_error"].values for s in ({}, {"error_correlation": 0.3})
    )
    assert together.mean() > alone.mean() + 2 * alone.std()


@pytest.mark.parametrize("settings", [{}, {"error_correlation": 0.3}])
def test_the_grid_s_posterior_is_the_sampler_s(fitted, evidence, view, settings) -> None:
    """Mean and sd of a typical study's error; quantiles of new labellers' within four Monte Carlo errors."""
    chosen = view.replace(outer_alignment=settings)
    grid, found = label_error(evidence, chosen), fitted(**settings)[2]
    rows = summarise(found)
    mean = grid.weight @ grid.typical
    sd = np.sqrt(grid.weight @ (grid.typical - mean) ** 2)
    drawn = found["label_error"].values
    assert abs(drawn.mean() - mean) < 4 * sd / np.sqrt(rows["label_error"]["ess_bulk"])
    assert drawn.std() == pytest.approx(sd, rel=0.08)
    new, size = found["label_error_study"].values.ravel(), rows["label_error_study"]["ess_bulk"]
    for p in (0.05, 0.25, 0.5, 0.75, 0.95):
        below = np.mean(new < grid.quantiles(p))
        assert abs(below - p) < 4 * np.sqrt(p * (1 - p) / size)


def test_a_grid_that_reads_rows_as_studies_is_not_the_sampler_s(fitted, evidence, view) -> None:
    """Negative control, the old reading: each row is a study of its own, and labellers differ otherwise."""
    table = evidence["labeller_agreement"]
    rows = table.assign(study=("agreement_study", table["agreement_study"].values.astype(object)))
    wrong = label_error(Evidence({**evidence.tables, "labeller_agreement": rows}), view)
    found = fitted()[2]
    new, size = (
        found["label_error_study"].values.ravel(),
        summarise(found)["label_error_study"]["ess_bulk"],
    )
    points = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    off = np.array([np.mean(new < wrong.quantiles(p)) for p in points]) - points
    assert np.max(np.abs(off) / np.sqrt(points * (1 - points) / size)) > 4


def test_without_studies_the_grid_has_the_prior(evidence, view) -> None:
    bare = restrict(evidence, view.replace(evidence={"use": "none"}), MODEL)
    grid = label_error(bare, view)
    prior = view.tables(("label_error",)).table("label_error")
    np.testing.assert_allclose(
        np.cumsum(grid.weight) - 0.5 * grid.weight,
        prior.cdf(lookup("label_error").to_link(grid.typical)),
        atol=1e-3,
    )


def test_a_view_that_uses_agreement_alone_moves_the_budget_s_label_error(view) -> None:
    """The used rows alone count, under the view: dates and the choice of evidence are heard."""
    whole, early = (
        published_label_error(view.replace(evidence={"until": until})) for until in (None, 2020.5)
    )
    assert early[2] - early[0] > whole[2] - whole[0]


def test_one_vote_of_the_budget_is_one_of_the_model() -> None:
    for votes in (1, 3, 7):
        assert comparisons.vote_error(0.2, votes) == pytest.approx(
            float(majority_error(0.2, votes))
        )


# ---------------------------------------------------------------------------- what a person is told


@pytest.mark.slow
def test_the_answer_says_that_no_amount_suffices(result, aligntax) -> None:
    share = share_without_answer(result)
    assert 0.5 < share < 0.9
    row = result.record["quantities"]["comparisons_needed"]
    assert row["prob_above"] == pytest.approx(share) and row["q95"] is None
    assert row["q05"] is not None
    quantity = lookup("comparisons_needed")
    assert median_and_interval(row, quantity)[1].endswith("to no amount suffices")
    assert missing_mass(row, quantity) == f"{100 * share:.0f}% no amount suffices"
    code, out, _ = aligntax("show", result.path)
    assert code == 0
    assert f"no amount of data suffices in {100 * share:.0f}% of draws" in out
    assert "some amount of data suffices" in out
    page = (result.path / "report.html").read_text("utf-8")
    assert "no amount suffices at any" in page and "Quantity against quality" in page


def test_label_errors_are_told_in_per_cent() -> None:
    assert format_amount(0.157, lookup("label_error")) == "16%"
    assert format_amount(6.0, lookup("rival_policies")) == "1 million policies"


def dots(axes):
    return next(line.get_xdata() for line in axes.get_lines() if line.get_marker() == "o")


@pytest.mark.slow
def test_figures_show_what_was_fitted(result) -> None:
    assert has_studies(result)
    curve = quantity_against_quality(result).axes[1]
    line = {each.get_label(): each.get_ydata() for each in curve.get_lines()}
    assert np.all(np.diff(line["comparisons needed"]) >= 0)  # more for a larger error
    assert np.all(line["comparisons needed"] >= line["median at GPT-3's compute"])
    below = against_capability(result).axes[1].get_lines()[-1].get_ydata()
    assert 0.1 < below[0] < 0.4 < below[-1] < 1  # some rivals hide from GPT-3's judges already
    top, bottom = agreement(result).axes
    assert len(top.get_yticks()) == 10 and len(bottom.get_yticks()) == 7
    top, bottom = oversight(result).axes
    assert len(top.get_yticks()) == 4
    assert sorted(dots(top)) == pytest.approx([1 - 0.517, 1 - 0.135, 1 - 0.1, 1 - 0.094])
    share = {line.get_label(): line.get_ydata() for line in bottom.get_lines()}
    assert set(share) == {"unaided", "amplification", "debate", "recursive reward modelling"}
    start = [values[0] for values in share.values()]
    assert start == pytest.approx([start[0]] * 4)  # at GPT-3's compute no scheme has anything to do
    assert all(
        values[-1] < share["unaided"][-1] for name, values in share.items() if name != "unaided"
    )


@pytest.mark.slow
def test_a_run_without_studies_has_figures_of_the_answer_alone(result) -> None:
    derived = result.groups.derived.drop_vars("study_label_error_by_study")
    bare = result.with_groups(replace(result.groups, derived=derived))
    assert not has_studies(bare)
    assert quantity_against_quality(bare).axes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "method"),
    [
        ({"error_correlation": 0.2}, "sample"),
        ({"delta": 0.01}, "reweight"),
        ({"ties": "losses"}, "reweight"),
        ({"oversight": "debate"}, "reweight"),
        ({"game_spread": 1.0}, "sample"),
    ],
)
def test_only_a_setting_that_the_likelihood_depends_on_is_sampled(result, settings, method) -> None:
    source = read_sampled_run(result.path.name, result.path.parent)
    assert plan_refit(source, source.view.replace(outer_alignment=settings)).method == method
