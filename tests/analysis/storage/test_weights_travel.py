"""Draws that do not count the same never leave a run without their weights; nothing compiles here."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import WEIGHED
from tests.conftest import REFERENCE

NUMBERS = ("data_exponent", "data_exponent_pooled", "alignment_hours_needed")


@pytest.fixture(scope="module")
def reweighted(reference, tmp_path_factory):
    """The reference run under a higher prior of the data exponent, by weights."""
    view = reference.view.replace(data_exponent_prior={0.1: 0.9, 0.5: 1.0, 0.9: 1.15})
    out = tmp_path_factory.mktemp("weighed")
    return refit(REFERENCE, view, "reweight", out=out, name="higher", report=False)


def median(values, weights) -> float:
    """Value at which half of the weight of the values that are there is reached."""
    there = np.isfinite(values)
    values, weights = values[there], weights[there] / weights[there].sum()
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), 0.5)])


def test_numbers_take_their_weights_along(reweighted) -> None:
    for draws in (reweighted.derived, reweighted.posterior, reweighted.draws):
        assert draws.attrs["weights"] == WEIGHED
        np.testing.assert_allclose(draws["weight"], reweighted.weights.values)
        assert float(draws["weight"].sum()) == pytest.approx(1.0)
    z = reweighted.unconstrained_posterior["z"].sel(quantity="data_exponent_prior")
    assert z.weight.dims == ("chain", "draw")


@pytest.mark.parametrize("name", NUMBERS)
def test_the_weighted_median_is_that_of_the_summary_and_the_plain_one_is_not(
    reweighted, reference, name
) -> None:
    number, told = reweighted.derived[name], reweighted.record["quantities"][name]
    by_hand = median(number.values.ravel(), number.weight.values.ravel())
    idiom = float(number.weighted(number.weight).quantile(0.5))
    assert by_hand == pytest.approx(told["q50"], abs=2 * told["mcse_median"])
    assert idiom == pytest.approx(told["q50"], abs=2 * told["mcse_median"])
    if name != "alignment_hours_needed":
        plain = float(number.median())
        assert plain == pytest.approx(float(reference.derived[name].median()))
        assert abs(plain - told["q50"]) > 2 * told["mcse_median"]  # what went wrong


@pytest.mark.parametrize("name", NUMBERS[:2])
def test_equally_weighted_draws_give_the_summary_to_tools_that_know_no_weights(
    reweighted, name
) -> None:
    plain, told = reweighted.equally_weighted(), reweighted.record["quantities"][name]
    assert not plain.weighted and "weight" not in plain.derived.coords
    assert "resampled" in plain.derived.attrs and "weights" not in plain.derived.attrs
    table = az.summary(plain.tree, var_names=[name], kind="stats", round_to="none")
    assert table.loc[name, "mean"] == pytest.approx(told["mean"], abs=told["mcse_median"])
    assert table.loc[name, "sd"] == pytest.approx(told["sd"], rel=0.05)
    assert float(plain.derived[name].median()) == pytest.approx(
        told["q50"], abs=2 * told["mcse_median"]
    )


def test_draws_that_count_the_same_carry_nothing(reference) -> None:
    assert "weight" not in reference.derived.coords and "weights" not in reference.derived.attrs
    assert reference.equally_weighted() is reference


def test_the_file_of_a_refit_has_no_posterior_that_arviz_could_take_for_whole(reweighted) -> None:
    with xr.open_datatree(reweighted.path / "posterior.nc", engine="h5netcdf") as tree:
        assert set(tree.children) == {"changed_quantities", "moved_scores", "weights"}
        with pytest.raises(ValueError, match="Can not extract posterior"):
            az.summary(tree)


def test_a_file_in_which_the_moved_scores_were_called_the_posterior_still_reads(
    reweighted, tmp_path, reference
) -> None:
    from aligntax.analysis.storage.draw_files import read_tree
    from aligntax.analysis.storage.result import Result
    from aligntax.analysis.storage.shared_draws import with_source_draws

    own = read_tree(reweighted.path / "posterior.nc")
    older = xr.DataTree.from_dict(
        {
            "posterior" if name == "moved_scores" else name: node.to_dataset()
            for name, node in own.children.items()
        }
    )
    run = load(reweighted.path)
    whole = with_source_draws(reference, Result(run.path, run.info, run.record, older))
    xr.testing.assert_equal(whole.draws["z"], run.draws["z"])
