"""Simulation-based calibration: the model passes, three wrong fits are caught, and what was begun is gone on with."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.graphs.live import LiveGraph
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.terms import Terms
from aligntax.analysis.sweeps.grid import Answer
from aligntax.analysis.trust.calibration.doubled_evidence import doubled
from aligntax.analysis.trust.calibration.family import assess
from aligntax.analysis.trust.calibration.ranks import RANKED
from aligntax.analysis.trust.calibration.simulation import Calibrator, Simulation
from aligntax.analysis.trust.calibration.study import (
    CALIBRATION,
    RANKS,
    Calibration,
    CalibrationJob,
    calibrate,
)
from aligntax.models import compute
from aligntax.models.catalogue import MODELS, find_model, restrict
from aligntax.models.errors import InputError
from tests import gold_curves, loss_runs
from tests.analysis.inference.kernel.graphs import with_users_rows
from tests.prior import prior_draws

SHORT = Sampling(draws=200, tune=200, chains=2, cores=1)
SIZE = 80


# ---------------------------------------------------------------------------------- replicated rows


def one_draw(name, evidence, view, seed=0, **scales):
    """Evidence of a model, and one draw of its prior as scalars."""
    model, tables = find_model(name), view.tables(find_model(name).quantities)
    x, parameters = split_draws(prior_draws(tables, 1, seed, **scales), tables)
    scalars = {key: np.asarray(value[0, 0]) for key, value in x.items()}
    return restrict(evidence, view, model), scalars, parameters.isel(chain=0, draw=0)


@pytest.mark.parametrize("name", ["joint", "scaling", "compute", "time-horizon", "alignment"])
def test_replicated_rows_have_the_layout_of_the_evidence(name, evidence, view) -> None:
    """As many rows of as many numbers, of which the outcomes alone are new; two draws differ."""
    model = MODELS[name]
    known, x, parameters = one_draw(name, evidence, view)
    before = model.data(known, view)
    new = known.with_likelihood_rows(
        model.replicate(x, parameters, known, view, np.random.default_rng(1))
    )
    after = model.data(new, view)
    assert {key: rows.sizes for key, rows in after.items()} == {
        key: rows.sizes for key, rows in before.items()
    }
    assert all(list(after[key].data_vars) == list(rows.data_vars) for key, rows in before.items())
    other = known.with_likelihood_rows(
        model.replicate(x, parameters, known, view, np.random.default_rng(2))
    )
    moved = {
        column
        for key, rows in model.data(other, view).items()
        for column in rows.data_vars
        if not rows[column].equals(after[key][column])
    }
    outcomes = {
        "log_gamma",
        "log_flop",
        "log_cost",
        "ceiling",
        "exact",
        "growth",
        "log2_horizon",
        "log_hours",
        "log_share",
        "made",
    }
    gains = {"short_gain", "long_gain"}  # geometry, which follows what is exact
    assert (
        moved
        and {column for column in moved if not column.startswith("white_")} <= outcomes | gains
    )


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_table_that_is_replicated_has_new_outcomes(name, evidence, view) -> None:
    """A table whose outcomes stay would be calibrated against the published ones."""
    model, tables = MODELS[name], view.tables(MODELS[name].quantities)
    known = restrict(with_users_rows(evidence, name), view, model)
    graph = model.build(known, view)
    prior = Terms(LiveGraph(graph), {}, graph.coords).draw_prior(
        tables, Sampling(chains=2, draws=8, seed=3)
    )
    x, parameters = split_draws(prior, tables)
    published, unmoved = model.data(known, view), set()
    for draw in range(8):
        one = {key: np.asarray(value[0, draw]) for key, value in x.items()}
        where = parameters.isel(chain=0, draw=draw), known, view
        found = [model.replicate(one, *where, np.random.default_rng(seed)) for seed in (1, 2)]
        unmoved = unmoved if draw else {*found[0]}
        for table in [*unmoved]:  # a few yes and no may fall out alike, though not in every draw
            a, b = (
                model.data(known.with_likelihood_rows({table: rows[table]}), view) for rows in found
            )
            layout = {key: list(rows.data_vars) for key, rows in a.items()}
            assert layout == {key: list(rows.data_vars) for key, rows in published.items()}
            if any(not a[k][column].equals(b[k][column]) for k in a for column in a[k].data_vars):
                unmoved.discard(table)
    assert not unmoved


def test_evidence_that_is_ready_stands_for_its_table_alone(evidence, view) -> None:
    rows = compute.runs(evidence, view).isel(run=slice(3))
    ready = evidence.with_likelihood_rows({"training_runs": rows})
    assert compute.runs(ready, view) is rows
    assert compute.estimates(ready).equals(compute.estimates(evidence))
    assert ready.hash == evidence.hash


def test_replicated_runs_lie_below_the_largest_of_their_ten_and_keep_what_is_given(
    evidence, view
) -> None:
    known, x, parameters = one_draw("compute", evidence, view)
    before = compute.runs(known, view)
    for seed in range(20):
        after = compute.replicate(x, parameters, known, view, np.random.default_rng(seed))[
            "training_runs"
        ]
        capped = np.isfinite(after["ceiling"].values)
        assert np.array_equal(capped, np.isfinite(before["ceiling"].values))
        assert np.all(after["log_flop"].values[capped] <= after["ceiling"].values[capped] + 1e-9)
        for ten in range(int(after["ten"].max()) + 1):
            rows = after.isel(run=np.flatnonzero(after["ten"] == ten))
            (first,) = rows["log_flop"].values[rows["largest"].values > 0]
            assert first == rows["log_flop"].values.max()
            assert np.all(rows["ceiling"].values[rows["largest"].values == 0] == first)
        assert np.isfinite(after["log_flop"]).all()
        assert np.array_equal(np.isfinite(after["log_cost"]), np.isfinite(before["log_cost"]))
        assert np.all(after["exact"] | ~before["exact"].astype(bool))
        for name in ("date", "ten", "largest", "flop_sd"):
            assert after[name].equals(before[name])


def test_replicated_cost_and_price_are_jointly_student_t(evidence, view) -> None:
    """Outside of tens both margins are Student-t of four degrees of freedom about the trend, with the model's correlation."""
    known, x, parameters = one_draw("compute", evidence, view)
    row = compute.runs(known, view).isel(run=[0] * 4000)
    row = row.assign(
        log_cost=row["log_cost"].fillna(0.0),
        ten=0 * row["ten"] - 1,
        largest=0 * row["largest"],
        exact=row["exact"] | True,
    )
    ready = known.with_likelihood_rows({"training_runs": row})
    drawn = compute.replicate(x, parameters, ready, view, np.random.default_rng(3))["training_runs"]
    location, scale = compute._run_moments(x, parameters, row, view)
    cost, price = drawn["log_cost"].values, (drawn["log_flop"] - drawn["log_cost"]).values
    for i, value in enumerate((cost, price)):
        t = (value - location[i]) / np.sqrt(scale[i, i])
        assert stats.kstest(t, stats.t(compute.NU).cdf).pvalue > 1e-3
    u, v = (np.sign(value - location[i]) for i, value in enumerate((cost, price)))
    rho = scale[0, 1] / np.sqrt(scale[0, 0] * scale[1, 1])
    # of every elliptical law
    assert np.mean(u * v) == pytest.approx(2 / np.pi * np.arcsin(rho[0]), abs=0.06)


def test_the_steepest_trend_has_a_horizon_too(evidence, view) -> None:
    """No shape is infinite at a date, so no draw of the prior is impossible."""
    known, x, parameters = one_draw("time-horizon", evidence, view)
    bent = {
        **x,
        "doubling_shrink": np.asarray(0.5),
        "superexponential_weight": np.asarray(1 - 1e-9),
    }
    bent["time_horizon_doubling"] = np.asarray(1.0)  # ten days
    rows = find_model("time-horizon").replicate(
        bent, parameters, known, view, np.random.default_rng(0)
    )["time_horizons"]
    assert np.isfinite(rows["log2_horizon"]).all()


# -------------------------------------------------------------------------------------- simulations


def calibrator(scaling, control="none") -> Calibrator:
    return Calibrator(scaling, Simulation(SHORT, control))


def ranked(scaling, control="none", size=SIZE) -> dict[str, np.ndarray]:
    found = [calibrator(scaling, control).run(seed).ranks for seed in range(size)]
    return {name: np.array([ranks[name] for ranks in found]) for name in found[0]}


def smallest(tests) -> float:
    return min(min(row["p_band_holm"], row["p_chi_square_holm"]) for row in tests.values())


@pytest.mark.slow
def test_the_model_passes(scaling) -> None:
    ranks = ranked(scaling)
    assert {
        "data_exponent",
        "data_exponent_pooled",
        "kaplan_bias",
        "between_study_sd",
        "log_likelihood",
    } <= set(ranks)
    assert all(np.all((each >= 0) & (each <= RANKED)) for each in ranks.values())
    tests = assess(ranks)
    assert smallest(tests) > 0.01
    assert (
        min(min(row["p_covered_50_holm"], row["p_covered_90_holm"]) for row in tests.values())
        > 0.01
    )


@pytest.mark.slow
@pytest.mark.parametrize("control", ["narrow", "shifted", "exact"])
def test_a_wrong_fit_is_caught(scaling, control) -> None:
    assert smallest(assess(ranked(scaling, control))) < 0.01


def test_a_simulation_depends_on_its_seed_alone_and_leaves_the_model_as_it_was(scaling) -> None:
    before = {
        name: np.array(v.get_value())
        for name, v in scaling.graph.named_vars.items()
        if hasattr(v, "get_value")
    }
    first = calibrator(scaling).run(7)
    calibrator(scaling).run(8)
    assert calibrator(scaling).run(7) == first
    for name, value in before.items():
        np.testing.assert_array_equal(scaling.graph.named_vars[name].get_value(), value)


def test_the_joint_models_evidence_of_no_tai_leaves_simulations_out(joint, monkeypatch) -> None:
    """Kept with the probability of no arrival: where that is nil nothing is kept, and it says so."""
    found = Calibrator(joint, Simulation(SHORT)).run(3)
    assert {"tai_year", "tax_headroom", "log_likelihood", "anchor_probability[none]"} <= set(
        found.ranks
    )

    def never(x, parameters, evidence, view):
        return np.full(next(iter(x.values())).shape, -np.inf)

    monkeypatch.setattr("aligntax.analysis.trust.calibration.simulation.MOST", 1)
    doomed = replace(joint, model=replace(joint.model, log_no_tai=never))
    with pytest.raises(InputError, match="got none in 64 draws"):
        Calibrator(doomed, Simulation(SHORT)).run(3)


@pytest.mark.parametrize(
    ("options", "rule"),
    [({"control": "broad"}, "control"), ({"sampling": Sampling(draws=50)}, None)],
)
def test_how_it_is_fitted_is_checked(options, rule) -> None:
    if rule is None:
        assert Simulation(**options).sampling.draws == 50  # 200 over four chains
        with pytest.raises(InputError, match="draws: must be at least 199"):
            Simulation(Sampling(draws=50, chains=2))
    else:
        with pytest.raises(InputError, match=rule):
            Simulation(**options)


# --------------------------------------------------------------------------------------- the folder


def fake(job, cases, lost, fail=(), stop=None):
    """Workers that know the truth: uniform ranks by the case's seed."""
    for count, case in enumerate(cases):
        if count == stop:
            raise KeyboardInterrupt
        if case.name in fail:
            yield Answer(case.name, error="ValueError: no")
            continue
        ranks = np.random.default_rng(case.seed).integers(RANKED + 1, size=3)
        record = {
            "attempts": 2,
            "divergences": 0,
            "ranks": dict(zip("abc", map(int, ranks), strict=True)),
        }
        yield Answer(case.name, record, {"simulation": 0.5})


@pytest.fixture
def job(evidence, view) -> CalibrationJob:
    return CalibrationJob("scaling", view, evidence, Simulation(), 100)


def test_an_interrupted_calibration_goes_on_and_ends_the_same(job, tmp_path) -> None:
    whole = calibrate(job, fake, tmp_path, "whole")
    with pytest.raises(KeyboardInterrupt):
        calibrate(job, lambda *asked: fake(*asked, stop=30), tmp_path, "cut")
    assert Calibration.is_unfinished("cut", tmp_path) and not (tmp_path / "cut").exists()
    journal = tmp_path / ".cut.calibration" / RANKS
    journal.write_bytes(journal.read_bytes() + b'{"case": "0000')  # a line that was cut off
    asked = []

    def again(job, cases, lost):
        asked.extend(cases)
        yield from fake(job, cases, lost)

    resumed = calibrate(job, again, tmp_path, "cut")
    assert len(asked) == 70
    assert resumed.info["quantities"] == whole.info["quantities"]
    assert (resumed.path / "ranks.csv").read_text() == (whole.path / "ranks.csv").read_text()
    assert not Calibration.is_unfinished("cut", tmp_path)


def test_an_unfinished_one_that_was_asked_something_else_is_refused(job, tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt):
        calibrate(job, lambda *asked: fake(*asked, stop=3), tmp_path, "cut")
    with pytest.raises(InputError, match="was asked seed 2022, got 1; ask the same"):
        calibrate(replace(job, seed=1), fake, tmp_path, "cut")
    with pytest.raises(InputError, match="was asked control none"):
        calibrate(replace(job, simulation=Simulation(control="narrow")), fake, tmp_path, "cut")


def test_failures_are_counted_and_fail_the_verdict(job, tmp_path) -> None:
    found = calibrate(job, lambda *asked: fake(*asked, fail=("000004",)), tmp_path, "failed")
    assert found.info["verdict"] == "fail" and found.info["failures"] == [
        {"case": "000004", "error": "ValueError: no"}
    ]
    assert len(found.ranks()["a"]) == 99
    assert calibrate(job, fake, tmp_path, "good").info["verdict"] == "pass"


def test_a_control_passes_where_it_is_caught(job, tmp_path) -> None:
    wrong = replace(job, simulation=Simulation(control="narrow"))
    found = calibrate(wrong, fake, tmp_path, "missed")
    assert found.info["verdict"] == "fail" and not found.info["rejected"]

    def extreme(job, cases, lost):
        for case in cases:
            record = {"attempts": 1, "divergences": 0, "ranks": {"a": RANKED * (case.seed % 2)}}
            yield Answer(case.name, record)

    found = calibrate(wrong, extreme, tmp_path, "caught")
    assert found.info["verdict"] == "pass" and found.info["rejected"] == ["a"]


def test_a_name_is_taken_once(job, tmp_path) -> None:
    calibrate(job, fake, tmp_path, "mine")
    with pytest.raises(InputError, match="name: must be new, got 'mine'"):
        calibrate(job, fake, tmp_path, "mine")
    (tmp_path / "mine" / CALIBRATION).write_text("{}")
    with pytest.raises(InputError, match="calibrate again"):
        Calibration.load(tmp_path / "mine")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"simulations": 3}, "simulations: must lie between 20 and 100000, got 3"),
        ({"model": "none"}, "model: must be one of"),
        ({"seed": -1}, "seed: must lie between"),
        (
            {"model": "loss-law"},
            "evidence: must hold rows of loss_runs, .*, got none; give your own with --runs FILE",
        ),
    ],
)
def test_what_is_asked_is_checked(job, change, rule) -> None:
    with pytest.raises(InputError, match=rule):
        replace(job, **change)


def test_own_runs_give_their_layout(evidence, view) -> None:
    held = evidence.with_rows("loss_runs", loss_runs.simulated(20))
    assert CalibrationJob("loss-law", view, held, Simulation()).cases()[0].name == "000001"
    held = evidence.with_rows("gold_curves", gold_curves.simulated(4)[0])
    assert len(CalibrationJob("overoptimization", view, held, Simulation(), 25).cases()) == 25


@pytest.mark.slow
def test_the_command_leaves_a_folder_and_a_picture(aligntax, tmp_path) -> None:
    few = ("--simulations", 20, "--draws", 150, "--tune", 150, "--workers", 2, "--name", "mine")
    code, out, err = aligntax("calibrate", "scaling", *few)
    assert code == 0 and err == "" and "verdict: pass" in out and "20 of 20 simulations" in out
    folder = tmp_path / "results" / "mine"
    assert {each.name for each in folder.iterdir()} == {
        CALIBRATION,
        RANKS,
        "ranks.csv",
        "ranks.png",
        "report.html",
        "view.toml",
    }
    assert json.loads((folder / CALIBRATION).read_text())["verdict"] == "pass"
    code, _, err = aligntax("calibrate", "scaling", *few)
    assert code == 2 and "name: must be new" in err
    code, _, err = aligntax("calibrate", "compute", "--runs", "none.csv")
    assert code == 2 and "runs: must be a CSV file that can be read" in err
    code, _, err = aligntax("calibrate", "scaling", "--workers", 0)
    assert code == 2 and "workers: must lie between" in err


# ------------------------------------------------------------------------- given the published rows


@pytest.mark.slow
def test_the_likelihood_of_both_is_that_of_each(evidence, view) -> None:
    """Replicated studies are of new groups, so that the log likelihood of twice as many rows is a sum."""
    model = find_model("scaling")
    known, x, parameters = one_draw("scaling", evidence, view, seed=3)
    rows = model.replicate(x, parameters, known, view, np.random.default_rng(1))
    tables = view.tables(model.quantities)
    posterior = prior_draws(tables, 4, 9)

    def total(held):
        graph = model.build(held, view)
        terms = Terms(LiveGraph(graph), {}, graph.coords).log_likelihood(posterior, tables)
        return terms["scaling_exponents"].sum("group").values

    both = doubled(known, view, rows)
    alone = known.with_likelihood_rows(rows)
    np.testing.assert_allclose(total(both), total(known) + total(alone), rtol=1e-9)


@pytest.mark.parametrize("name", ["joint", "compute", "alignment", "time-horizon"])
def test_every_table_of_rows_without_parameters_can_be_doubled(name, evidence, view) -> None:
    model = find_model(name)
    known, x, parameters = one_draw(name, evidence, view)
    rows = model.replicate(x, parameters, known, view, np.random.default_rng(2))
    before, after = model.data(known, view), model.data(doubled(known, view, rows), view)
    for table, each in before.items():
        (dim, *rest) = each[next(iter(each.data_vars))].dims
        assert after[table].sizes[dim] == 2 * each.sizes[dim]
        assert all(after[table].sizes[other] == each.sizes[other] for other in rest)
        assert list(after[table].data_vars) == list(each.data_vars)
        assert len(set(after[table][dim].values)) == after[table].sizes[dim]


@pytest.mark.slow
def test_truths_given_the_published_rows_have_uniform_ranks_and_a_narrow_fit_is_caught(
    evidence, view
) -> None:
    """Sixty simulations of the meta-analysis; truths gather where the published studies are."""
    calibrator = Calibrator.of(
        find_model("scaling"), evidence, view, Simulation(SHORT, posterior=True)
    )
    gamma = (
        10.0
        ** view.tables(("data_exponent_prior",)).values(calibrator.base["z"].values)[
            "data_exponent_prior"
        ]
    )
    assert gamma.std() < 0.1  # of the prior it is 0.2
    found = [calibrator.run(seed) for seed in range(SIZE)]
    tests = assess(
        {name: np.asarray([each.ranks[name] for each in found]) for name in found[0].ranks}
    )
    assert min(row["p_band_holm"] for row in tests.values()) > 0.01
    narrow = replace(calibrator, simulation=replace(calibrator.simulation, control="narrow"))
    found = [narrow.run(seed) for seed in range(SIZE)]
    tests = assess(
        {name: np.asarray([each.ranks[name] for each in found]) for name in found[0].ranks}
    )
    assert min(row["p_band_holm"] for row in tests.values()) < 0.01


def test_rows_with_parameters_of_their_own_are_not_doubled(evidence, view) -> None:
    with pytest.raises(
        InputError,
        match="posterior: needs rows without parameters of their own, got labeller_agreement",
    ):
        CalibrationJob("outer-alignment", view, evidence, Simulation(SHORT, posterior=True))
