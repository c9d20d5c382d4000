"""What ArviZ's users type first, on a run in the layout of today's file, with the right answers."""

import json
from dataclasses import replace

import arviz as az
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from aligntax import dates_for_plot, draws_in_order
from aligntax.analysis.inference.derive import (
    given_evidence,
    observed_evidence,
    replicate_evidence,
)
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.result import write_run
from aligntax.analysis.storage.run_folder import FORMAT
from aligntax.analysis.storage.sampled_run import read_sampled_run
from aligntax.analysis.trust.evidence.loo import validated_by_weights
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError

FINITE = ["data_exponent", "spend_growth"]
BY_ROW = ("rlhf_efforts", "training_runs", "feedback_workforces", "alignment_compute_shares")


def single(dataset):
    return dataset.map(lambda v: v.astype("float32") if v.dtype == "float64" else v)


@pytest.fixture(scope="module")
def fresh(reference, tmp_path_factory):
    """The reference run as a run of today stores it, with replicates and prior draws."""
    model, view, evidence = find_model("joint"), reference.view, reference.evidence
    tables, rng = view.tables(model.quantities), np.random.default_rng(1)
    white = rng.standard_normal(reference.draws["z"].transpose("chain", "draw", ...).shape)
    z = xr.zeros_like(reference.draws[["z"]]).assign(
        z=(("chain", "draw", "quantity"), tables.correlate(white))
    )
    prior = {name: (("chain", "draw"), v) for name, v in tables.values(z["z"].values).items()}
    groups = replace(
        reference.groups,
        prior_draws=z,
        prior_derived=xr.Dataset(prior, {dim: z[dim] for dim in ("chain", "draw")}),
        posterior_predictive=replicate_evidence(
            model, reference.draws, tables, evidence, view, rng
        ),
        observed_data=observed_evidence(model, evidence, view),
        constant_data=single(given_evidence(model, evidence, view)),
    )
    folder = tmp_path_factory.mktemp("results") / "fresh"
    folder.mkdir()
    info = {k: v for k, v in reference.info.items() if k != "files"} | {"format": FORMAT}
    record = {**reference.record, "format": FORMAT}
    write_run(folder, "fresh", groups.stored(), view, record, info)
    return load(folder)


@pytest.fixture
def told(fresh):
    return fresh.summary()


@pytest.fixture(autouse=True)
def _no_windows():
    with mpl.rc_context({"backend": "agg"}):
        yield


# ------------------------------------------------------------------------------- draws


def test_summary_of_finite_quantities_is_ours(fresh, told):
    table = az.summary(fresh.tree, var_names=FINITE, round_to="none")
    for name in FINITE:
        assert table.loc[name, "mean"] == pytest.approx(told.loc[name, "mean"], rel=1e-5)
        assert table.loc[name, "sd"] == pytest.approx(told.loc[name, "sd"], rel=1e-4)
        assert table.loc[name, "ess_bulk"] == pytest.approx(told.loc[name, "ess_bulk"], rel=0.01)
        assert table.loc[name, "r_hat"] == pytest.approx(told.loc[name, "r_hat"], abs=1e-3)


def test_summary_by_medians_of_a_date_is_ours_and_its_mean_says_infinite(fresh, told):
    with np.errstate(invalid="ignore"):
        medians = az.summary(
            fresh.tree, var_names=["tai_year"], kind="stats_median", round_to="none"
        )
        means = az.summary(fresh.tree, var_names=["tai_year"], kind="stats", round_to="none")
    assert medians.loc["tai_year", "median"] == pytest.approx(told.loc["tai_year", "q50"], abs=0.01)
    assert means.loc["tai_year", "mean"] == np.inf  # and not NaN, nor the mean of the rest


def test_scores_are_not_in_the_posterior(fresh):
    assert "z" not in fresh.posterior and set(fresh.unconstrained_posterior) == {"z"}
    names = set(map(str, fresh.posterior.data_vars))
    assert {"tai_year", "usd_per_hour", "method_sd", "kaplan_bias"} <= names
    assert not any(name.endswith("_state") for name in names)
    assert "sample_stats" in fresh.tree.children and "step_size" not in names


def test_ess_rhat_and_mcse_are_ours(fresh, told):
    for call, column, tolerance in (
        (az.ess(fresh.tree, var_names=FINITE, method="bulk"), "ess_bulk", 0.01),
        (az.rhat(fresh.tree, var_names=FINITE), "r_hat", 1e-3),
        (az.mcse(fresh.tree, var_names=FINITE, method="median"), "mcse_median", 0.25),
    ):
        for name in FINITE:
            assert float(call[name]) == pytest.approx(told.loc[name, column], rel=tolerance)


def test_ess_and_rhat_in_order_are_ours_where_draws_are_infinite_or_undefined(fresh, told):
    names = ["tai_year", "timeline_shift_exponent", "alignment_hours_needed"]
    tree = draws_in_order(fresh, *names)
    size, hat = az.ess(tree, method="bulk"), az.rhat(tree)
    for name in names:
        assert float(size[name]) == pytest.approx(told.loc[name, "ess_bulk"], rel=1e-3)  # rounded
        assert float(hat[name]) == pytest.approx(told.loc[name, "r_hat"], rel=1e-4)


def test_hdi_and_extract(fresh, told):
    interval = az.hdi(fresh.tree, var_names=FINITE, prob=0.9)
    for name in FINITE:
        low, high = interval[name].values
        assert low < told.loc[name, "q50"] < high
        inside = (fresh.posterior[name] >= low) & (fresh.posterior[name] <= high)
        assert float(inside.mean()) == pytest.approx(0.9, abs=0.01)
    flat = az.extract(fresh.tree, var_names=FINITE, keep_dataset=True)
    assert flat.sizes["sample"] == 880
    np.testing.assert_allclose(
        flat["data_exponent"].median(), told.loc["data_exponent", "q50"], rtol=1e-6
    )


# ------------------------------------------------------------------------- dates


def test_a_date_is_infinite_beyond_the_horizon_and_its_share_is_told(fresh, told):
    year = fresh.posterior["tai_year"]
    assert float(np.isposinf(year).mean()) == pytest.approx(told.loc["tai_year", "prob_above"])
    tree = dates_for_plot(fresh, "tai_year", "timeline_shift_exponent")
    date, shift = tree["posterior"].data_vars
    share = round(100 * told.loc["tai_year", "prob_above"])
    assert share > 5 and date == f"tai_year ({share}% later than 2100 or never)"
    assert "undefined" in shift
    shown = tree["posterior"][date].values
    state = tree["state"]["tai_year"].values
    assert (
        np.array_equal(np.isfinite(shown), state == 0) and (state[~np.isfinite(shown)] == 1).all()
    )
    assert np.array_equal(shown[state == 0], year.values[state == 0])
    figure = az.plot_dist(dates_for_plot(fresh, "tai_year"))
    titles = {axes.get_title() for axes in figure.viz["figure"].item().axes}
    assert any(f"{share}% later than 2100" in title for title in titles)


def test_a_finite_quantity_has_nothing_to_tell(fresh):
    assert list(dates_for_plot(fresh, "data_exponent")["posterior"].data_vars) == ["data_exponent"]
    for wrong in ("method_sd", "anchor_probability", "nothing"):
        with pytest.raises(InputError, match="name: must be a quantity"):
            dates_for_plot(fresh, wrong)


# ------------------------------------------------------------------------------- evidence


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_loo_is_ours(fresh):
    ours = validated_by_weights(find_model("joint"), fresh.view, fresh.evidence, fresh.groups)
    elpd = {table["table"]: table["elpd"] for table in ours}
    for name in ("rlhf_efforts", "alignment_compute_shares", "paid_taxes"):
        found = az.loo(fresh.tree, var_name=name, reff=1.0, pointwise=True)
        assert float(found.elpd) == pytest.approx(elpd[name], abs=0.02), name


@pytest.mark.parametrize("name", BY_ROW)
def test_loo_pit_of_rows(fresh, name):
    """One dimension in all three groups; close to plain ranks among replicates, which know the row."""
    with np.errstate(invalid="ignore"):  # effective sizes of infinite draws
        pit = az.loo_pit(fresh.tree, var_names=name)[name].values
    observed, drawn = (fresh.tree[f"{g}/{name}"] for g in ("observed_data", "posterior_predictive"))
    plain = (drawn <= observed).mean(("chain", "draw")).values
    assert fresh.tree[f"log_likelihood/{name}"].dims[2:] == observed.dims == drawn.dims[2:]
    exact = fresh.tree["constant_data"].get(f"{name}_exact")
    rows = np.ones(len(pit), bool) if exact is None else exact.values > 0
    assert np.abs(pit - plain)[rows].max() < 0.35 and np.corrcoef(pit, plain)[0, 1] > 0.8


def test_rows_under_another_name_have_no_loo_pit(fresh):
    """Negative control: as it was before."""
    tree = fresh.tree.copy()
    tree["observed_data"] = tree["observed_data"].to_dataset().rename(rlhf_efforts="log_hours")
    with np.errstate(invalid="ignore"), pytest.raises(KeyError):
        az.loo_pit(tree, var_names="log_hours")


def test_studies_of_one_group_name_it_and_laws_have_columns(fresh):
    observed, density = fresh.tree["observed_data"], fresh.tree["log_likelihood"]
    groups = observed["scaling_exponents"]["group"].values
    assert set(groups) == set(density["group"].values) and len(groups) > len(set(groups))
    assert observed["loss_laws"].dims == ("loss_law", "law")
    assert density["loss_laws"].dims == ("chain", "draw", "loss_law")


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_compare_of_two_runs_prefers_the_better(fresh):
    """Without a fifth of a nat per row the second is worse by nine fifths."""
    one = az.loo(fresh.tree, var_name="rlhf_efforts", reff=1.0, pointwise=True)
    tree = fresh.tree.copy()
    density = tree["log_likelihood"].to_dataset()
    tree["log_likelihood"] = density.assign(rlhf_efforts=density["rlhf_efforts"] - 0.2)
    two = az.loo(tree, var_name="rlhf_efforts", reff=1.0, pointwise=True)
    table = az.compare({"whole": one, "spoiled": two})
    assert table.index[0] == "whole"
    assert table.loc["spoiled", "elpd_diff"] == pytest.approx(-1.8, abs=0.02)


def test_psense_reaches_quantities(fresh):
    """The exponent is driven by its evidence, and an assumed wage by its prior alone."""
    top = [*find_model("joint").top_level, "z"]
    names = ["data_exponent", "usd_per_hour"]
    table = az.psense_summary(fresh.tree, var_names=names, prior_var_names=top)
    assert table.loc["data_exponent", "likelihood"] > 2 * table.loc["usd_per_hour", "likelihood"]
    assert table.loc["usd_per_hour", "prior"] > table.loc["usd_per_hour", "likelihood"]


# ------------------------------------------------------------------------------- plots


@pytest.mark.parametrize(
    "plot",
    [
        lambda tree: az.plot_dist(tree, var_names=FINITE),
        lambda tree: az.plot_trace(tree, var_names=FINITE),
        lambda tree: az.plot_rank(tree, var_names=FINITE),
        lambda tree: az.plot_forest(tree, var_names=FINITE),
        lambda tree: az.plot_pair(tree, var_names=FINITE),
        lambda tree: az.plot_ess(tree, var_names=FINITE),
        lambda tree: az.plot_prior_posterior(tree, var_names=["spend_growth"]),
        lambda tree: az.plot_ppc_dist(tree, var_names=["rlhf_efforts"]),
        lambda tree: az.plot_loo_pit(tree, var_names=["rlhf_efforts"]),
    ],
    ids=["dist", "trace", "rank", "forest", "pair", "ess", "prior_posterior", "ppc", "loo_pit"],
)
def test_plots_draw(fresh, plot):
    with np.errstate(invalid="ignore"):
        figure = plot(fresh.tree).viz["figure"].item()
    assert any(axes.lines or axes.collections for axes in figure.axes)


# ------------------------------------------------------------------- what the file says


def test_every_variable_has_its_unit_and_its_name(fresh):
    for group in ("posterior", "unconstrained_posterior", "observed_data", "constant_data"):
        for name, array in fresh.tree[group].data_vars.items():
            assert array.attrs["units"] and array.attrs["long_name"], (group, name)
    assert fresh.posterior["tai_flop"].attrs == {
        "units": "log10 FLOP",
        "long_name": "TAI requirement",
    }


def test_a_mailed_file_says_what_it_is(fresh):
    told = fresh.tree.attrs
    assert told["model"] == "joint" and told["view"] == "default"
    assert told["model_version"] == find_model("joint").version
    assert told["view_hash"] == fresh.view.hash and told["seed"] == 2022
    assert told["verdict"] == fresh.record["verdict"] and told["created"]
    assert "pymc" in json.loads(told["packages"])


def test_a_round_trip_through_arviz_keeps_everything(fresh, tmp_path):
    fresh.tree.to_netcdf(tmp_path / "mailed.nc", engine="h5netcdf")
    again = az.from_netcdf(tmp_path / "mailed.nc")
    again.load()
    again.close()
    assert again.attrs["model"] == "joint" and set(again.children) == set(fresh.tree.children)
    assert again["posterior"].to_dataset().equals(fresh.tree["posterior"].to_dataset())
    assert Groups.of(again).draws.equals(fresh.draws)
    assert az.extract(again, var_names="tai_year").sizes["sample"] == 880


def test_a_refit_reads_the_same_draws_of_either_layout(fresh, reference):
    old, new = read_sampled_run(reference.path), read_sampled_run(fresh.path)
    assert set(old.draws) == set(new.draws) and old.draws.equals(new.draws)
    assert new.evidence.hash == old.evidence.hash


def test_the_file_grows_by_less_than_a_tenth(fresh, reference):
    """Of the groups that the reference stores."""
    stored = replace(
        reference.groups,
        constant_data=fresh.groups.constant_data,
        observed_data=single(fresh.groups.observed_data),
    ).stored()
    folder = fresh.path.parent / "small"
    folder.mkdir()
    info = {k: v for k, v in reference.info.items() if k != "files"} | {"format": FORMAT}
    write_run(folder, "small", stored, reference.view, reference.record, info)
    sizes = [(path / "posterior.nc").stat().st_size for path in (folder, reference.path)]
    assert sizes[0] < 1.1 * sizes[1]
