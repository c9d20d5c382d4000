"""Priors that a view takes from another model: which quantiles they become, what is told, and that nothing is used unfitted."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtri

from aligntax.analysis.fitting import fitted_first as upstream
from aligntax.analysis.fitting.linked_priors import (
    PROBABILITIES,
    fit_links,
    links_still_stated,
    quantiles_of,
)
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.pipeline import run
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.load import load
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import LINKS, UNLINKED, View, parse_view
from aligntax.models.views.pooling import pool_views
from tests.reference import REFERENCE

JOINT = find_model("joint")
# Shares of draws in which no amount suffices, of each link's model.
ABOVE = {"rlhf_multiplier": (0.1, 0.5), "quality_factor": (0.5, 0.9)}
LINKED = 'multiplier = "from-overoptimization"\nquality = "from-outer-alignment"\n'
OPTIONS = Sampling(draws=400)


# ---------------------------------------------------------------------------------------- quantiles


@given(
    arrays(float, st.integers(20, 200), elements=st.floats(-6, 6)),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_quantiles_are_those_of_all_draws_that_have_a_value(values, infinite, undefined) -> None:
    """Infinite draws keep their rank, undefined ones do not count, whatever their order."""
    draws = np.concatenate([np.repeat([np.inf, np.nan], [infinite, undefined]), values])
    if len(np.unique(np.quantile(values, PROBABILITIES))) < len(PROBABILITIES):
        return
    found = quantiles_of(np.random.default_rng(0).permutation(draws))
    assert found.undefined == pytest.approx(undefined / len(draws))
    assert found.above == pytest.approx(infinite / (infinite + len(values)))
    stated = np.array(list(found.stated.values()))
    assert np.all(np.diff(stated) > 0) and np.all(np.isfinite(stated))
    assert max(found.stated) <= 1 - found.above + 1 / len(values)
    for p, value in found.stated.items():
        share = np.mean(np.append(values, np.full(infinite, np.inf)) <= np.log10(value) + 1e-9)
        assert share == pytest.approx(p, abs=1.01 / len(values))


def test_what_no_number_can_state_counts_as_infinite() -> None:
    found = quantiles_of(np.linspace(0.0, 400.0, 101))
    assert max(found.stated) == 0.7 and found.above == 0.0


def test_ties_are_stated_once_and_both_ends_may_be_infinite() -> None:
    draws = np.concatenate(
        [np.full(300, -np.inf), np.zeros(300), np.linspace(0.1, 1, 300), np.full(100, np.inf)]
    )
    found = quantiles_of(draws)
    assert (found.below, found.above, found.undefined) == (0.3, 0.1, 0.0)
    assert next(iter(found.stated)) == 0.4 and found.stated[0.4] == 1.0 and 0.5 not in found.stated
    assert max(found.stated) == 0.8


@pytest.mark.parametrize(
    "draws",
    [np.full(50, np.inf), np.full(50, np.nan), np.zeros(50), np.array([np.inf] * 98 + [0, 1])],
)
def test_an_answer_that_is_hardly_ever_finite_makes_no_prior(draws) -> None:
    with pytest.raises(InputError, match="at least two quantiles must be finite and differ"):
        quantiles_of(draws)


# ----------------------------------------------------------------------------------------- the fits


@pytest.fixture(scope="module")
def linked() -> View:
    return parse_view(LINKED, "linked.toml")


@pytest.fixture(scope="module")
def quick(overoptimization, outer_alignment):
    """Both models compiled already, and each fit made once."""
    ready, made, fit = (
        {each.model.name: each for each in (overoptimization, outer_alignment)},
        {},
        upstream.fit_first,
    )

    def compiled(model, evidence, view):
        return ready[model.name].with_view(view)

    def fit_once(model, view, evidence, options, talk):
        key = model.name, view.hash, options
        if key not in made:
            made[key] = fit(model, view, evidence, options, talk)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upstream, "compile_model", compiled)
        patch.setattr(upstream, "fit_first", fit_once)
        yield


@pytest.fixture(scope="module")
def fitted(quick, linked, evidence):
    """The linked view with its priors, and what is told of them."""
    said = []
    view, told = fit_links(JOINT, linked, evidence, Sampling(), Talk(said.append))
    return view, told, said


@pytest.mark.slow
def test_a_fitted_view_states_the_posteriors_as_priors_with_their_source(
    fitted, outer_alignment, view
) -> None:
    own, told, said = fitted
    assert not own.links and own.multiplier == own.quality == UNLINKED
    assert isinstance(own.tables(JOINT.quantities), PriorTables)
    assert set(told) == {"rlhf_multiplier", "quality_factor"}
    for name, link in told.items():
        prior = own.quantities[name]
        assert prior["quantiles"] == link["prior"] and len(link["prior"]) >= 5
        assert f"posterior of {link['answer']} in the model {link['model']}" in prior["source"]
        assert (
            "seed 2022, 4 x 1000 draws" in prior["source"] and prior["rationale"] == link["words"]
        )
        assert link["failed_checks"] == []
        assert f"{100 * link['above']:.0f}% of draws no amount suffices" in link["words"]
        low, high = ABOVE[name]
        assert low < link["above"] < high and max(map(float, link["prior"])) <= 1 - link["above"]
        assert ("simulated world" in link["words"]) == (link["model"] == "overoptimization")
    assert any("overoptimization" in line for line in said) and any(
        "outer-alignment" in line for line in said
    )
    untouched = set(view.quantities) - set(told)
    assert all(own.quantities[name] == view.quantities[name] for name in untouched)


@pytest.mark.slow
def test_the_prior_is_the_posterior_that_the_model_alone_gives(
    fitted, outer_alignment, evidence, view, tmp_path
) -> None:
    """To the precision of its table at the stated quantiles: same seed, same draws."""
    _, told, _ = fitted
    alone = run(
        "outer-alignment",
        view,
        evidence,
        options=Sampling(),
        out=tmp_path,
        name="alone",
        report=False,
        compiled=outer_alignment,
    )
    row = alone.record["quantities"]["quality_factor_needed"]
    prior = told["quality_factor"]["prior"]
    assert row["q50"] is None and "0.5" not in prior  # more often than not none suffices
    assert np.log10(prior["0.05"]) == pytest.approx(row["q05"], abs=1e-6)
    assert told["quality_factor"]["above"] == pytest.approx(row["prob_above"], abs=1e-3)
    assert told["quality_factor"]["evidence"] == alone.info["evidence"]["hash"]


@pytest.mark.slow
def test_other_evidence_and_priors_of_the_other_model_move_the_prior(
    fitted, quick, evidence, linked, overoptimization
) -> None:
    """A smaller KL budget needs fewer labels; a link that is not asked for is not fitted."""
    modest = linked.replace(quality=UNLINKED, kl_budget={0.1: 8, 0.5: 12, 0.9: 20})
    own, told = fit_links(JOINT, modest, evidence, OPTIONS, Talk())
    assert set(told) == {"rlhf_multiplier"} and told["rlhf_multiplier"]["above"] < 0.01
    assert (
        told["rlhf_multiplier"]["prior"]["0.5"] < 0.5 * fitted[1]["rlhf_multiplier"]["prior"]["0.5"]
    )
    assert own.quantities["quality_factor"] == linked.quantities["quality_factor"]


def test_a_model_without_the_quantity_leaves_the_link_alone(linked, evidence) -> None:
    own, told = fit_links(find_model("scaling"), linked, evidence, OPTIONS, Talk())
    assert own is linked and told == {}


def test_a_linked_model_is_sampled_in_its_own_way(linked, evidence, monkeypatch) -> None:
    """Not in that of the run that asks for it, whose options are those of another model."""
    asked = []

    class Enough(Exception):
        pass

    def fit_first(model, view, evidence, options, talk):
        asked.append((model, options))
        raise Enough

    monkeypatch.setattr(upstream, "fit_first", fit_first)
    of_the_run = Sampling(draws=700, seed=9).of(JOINT)
    with pytest.raises(Enough):
        fit_links(JOINT, linked, evidence, of_the_run, Talk())
    ((model, options),) = asked
    assert options.of(model) == Sampling(draws=700, seed=9).of(model) != of_the_run.of(model)


# ------------------------------------------------------------------------------------------ answers


@pytest.fixture(scope="module")
def answer(quick, linked, tmp_path_factory):
    """The reference run refitted under the linked view."""
    out = tmp_path_factory.mktemp("linked")
    return refit(str(REFERENCE), linked, options=Sampling(), out=out, name="linked", report=True)


@pytest.mark.slow
def test_a_refit_fits_the_links_and_redraws_the_rest(answer, reference, fitted) -> None:
    """Nothing in the joint model bears on either quantity, so their new priors are an exact redraw."""
    assert answer.info["refit"]["how"] == "redrawn"
    assert not any(
        check["name"].startswith(("overoptimization", "outer-alignment"))
        for check in answer.record["checks"]
    )
    assert answer.info["links"] == fitted[1]
    assert answer.view.hash == fitted[0].hash
    rows, old = answer.record["quantities"], reference.record["quantities"]
    for name, link in fitted[1].items():
        assert rows[name]["assumed"] is False and old[name]["assumed"] is True
        table = answer.view.tables((name,)).table(name)
        stated = np.log10(link["prior"]["0.1"])  # which lies between two knots
        assert table.value(ndtri(0.1)) == pytest.approx(stated, abs=1e-4)
        # the same scores under the new prior; the multiplier's follow the tolerance
        z = float(answer.draws["z"].sel(quantity=name).median())
        assert rows[name]["q50"] == pytest.approx(float(table.value(z)), abs=0.02)
        assert name not in assumed_quantities(answer.info)
    assert rows["alignment_hours_needed"]["q50"] > old["alignment_hours_needed"]["q50"] + 0.5
    assert rows["prob_affordable"]["mean"] < old["prob_affordable"]["mean"]
    assert rows["tai_year"]["q50"] == pytest.approx(old["tai_year"]["q50"], abs=1e-3)


@pytest.mark.slow
def test_the_report_and_the_terminal_say_where_the_priors_come_from(answer, aligntax) -> None:
    page = (answer.path / "report.html").read_text("utf-8")
    assert "fitted first, overoptimization" in page and "fitted first, outer-alignment" in page
    for link in answer.info["links"].values():
        assert link["words"] in page.replace("&#39;", "'")
    assert "RLHF multiplier" not in page.split("Assumed, not learned")[1].split("</p>")[0]
    code, out, _ = aligntax("show", answer.path)
    assert code == 0 and "from-outer-alignment: quality factor needed" in out


@pytest.mark.slow
def test_a_later_refit_keeps_the_links_whose_prior_it_keeps(answer, tmp_path) -> None:
    own = answer.view.replace(rlhf_multiplier={0.1: 0.1, 0.5: 1, 0.9: 10})
    again = refit(str(answer.path), own, out=answer.path.parent, name="kept")
    assert (
        set(again.info["links"])
        == {"quality_factor"}
        == set(links_still_stated(answer.info["links"], own))
    )
    assert again.record["quantities"]["rlhf_multiplier"]["assumed"] is True
    assert load(again.path).info["links"] == again.info["links"]


@pytest.mark.slow
def test_a_fit_that_fails_its_checks_fails_the_run_that_rests_on_it(
    quick, linked, tmp_path
) -> None:
    """Negative control: chains too short for any check."""
    short = Sampling(draws=20, tune=50)
    bad = refit(
        str(REFERENCE),
        linked.replace(multiplier=UNLINKED),
        options=short,
        out=tmp_path,
        name="short",
    )
    failed = [
        check for check in bad.record["checks"] if check["name"].startswith("outer-alignment_")
    ]
    assert bad.record["verdict"] == "fail" and bad.info["refit"]["how"] == "redrawn"
    assert failed and not any(
        check["passed"] or check["where"] != "quality_factor" for check in failed
    )
    assert "its checks failed" in bad.info["links"]["quality_factor"]["words"]


@pytest.mark.slow
def test_a_sampled_run_tells_its_links_too(quick, joint, linked, evidence, tmp_path) -> None:
    asked = linked.replace(multiplier=UNLINKED)
    result = run(
        "joint",
        asked,
        evidence,
        options=replace(OPTIONS, draws=200),
        out=tmp_path,
        name="linked",
        report=False,
        compiled=joint,
    )
    assert set(result.info["links"]) == {"quality_factor"}
    assert result.record["quantities"]["quality_factor"]["assumed"] is False
    found = result.info["sensitivity"]["quantities"]
    assert not found["quality_factor"]["assumed"] and found["rlhf_multiplier"]["assumed"]
    assert not result.view.links


# -------------------------------------------------------------- nothing is used before it is fitted


@pytest.mark.parametrize(
    "use", [lambda v, e: compile_model(JOINT, e, v), lambda v, e: v.tables(JOINT.quantities)]
)
def test_an_unfitted_link_is_refused_where_priors_are_used(use, linked, evidence) -> None:
    with pytest.raises(
        InputError,
        match=r"links must be fitted before .* got rlhf_multiplier from-overoptimization",
    ):
        use(linked, evidence)


def test_views_with_unfitted_links_are_not_pooled(linked, view) -> None:
    with pytest.raises(
        InputError, match="a pool needs priors, got rlhf_multiplier from-overoptimization"
    ):
        pool_views([view, linked])


def test_commands_on_views_tell_links(aligntax, tmp_path) -> None:
    (tmp_path / "mine.toml").write_text(LINKED)
    code, out, _ = aligntax("view", "check", "mine.toml")
    assert code == 0 and "multiplier and quality of the default view" in out
    code, out, _ = aligntax("view", "diff", "default", "mine.toml", "--json")
    assert code == 0 and json.loads(out)["settings"] == {
        key: [UNLINKED, link.name] for key, link in LINKS.items()
    }
    code, out, _ = aligntax("view", "show", "mine.toml")
    assert code == 0 and "posterior of labels_multiple_needed" in " ".join(out.split())
    code, _, err = aligntax("view", "pool", "default", "mine.toml")
    assert code == 2 and "pool the view.toml of a run made with it" in err
    (tmp_path / "typo.toml").write_text('multiplier = "from-overoptimisation"\n')
    code, _, err = aligntax("view", "check", "typo.toml")
    assert code == 2 and 'multiplier: must be "elicited" or "from-overoptimization"' in err


def test_the_template_shows_the_link_of_a_quantity_that_has_one(aligntax, tmp_path) -> None:
    for key, link in LINKS.items():
        text = aligntax("view", "new", "-", "--quantity", link.quantity)[1]
        line = next(line for line in text.splitlines() if link.name in line)
        (tmp_path / "mine.toml").write_text(line.split("instead: ")[1].split(", the posterior")[0])
        code, out, _ = aligntax("view", "check", "mine.toml")
        assert code == 0 and f"changes {key} of" in out
    assert "instead" not in aligntax("view", "new", "-", "--quantity", "usd_per_hour")[1]
