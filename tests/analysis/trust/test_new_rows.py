"""New rows: their designs, and that their density given a draw is exact where rows share errors."""

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.inference.compiled_model import data_of_evidence
from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.graphs.live import LiveGraph
from aligntax.analysis.inference.terms import Terms
from aligntax.analysis.trust.calibration.doubled_evidence import LIKELIHOOD_ROWS, doubled
from aligntax.analysis.trust.new_rows import (
    HORIZONS,
    LATER,
    RECENT,
    NewRows,
    designs,
    latest_rows,
    rows_a_year,
    tables_with_rows,
)
from aligntax.models.catalogue import find_model
from aligntax.models.time_horizon import log_shape_weights

NUMBER = 4
JOINT = find_model("joint")


@pytest.fixture(scope="module")
def new_rows(reference) -> NewRows:
    """Four further rows of every table, of the reference run."""
    view, known = reference.view, reference.evidence
    shape = reference.posterior["horizon_shape"].values.astype(int)
    numbers = dict.fromkeys(tables_with_rows(JOINT, known, view), NUMBER)
    return NewRows.of(JOINT, known, view, reference.draws, shape, numbers)


@pytest.fixture(scope="module")
def simulated(new_rows) -> dict[str, xr.Dataset]:
    return new_rows.simulated((1, 20), np.random.default_rng(1))


def log_likelihood(new_rows: NewRows, evidence) -> xr.Dataset:
    """Every term of the joint model on evidence, (chain, draw, ...)."""
    graph = JOINT.build(evidence, new_rows.view)
    graph.potentials = [t for t in graph.potentials if t.name != "no_tai"]
    shared = LiveGraph(graph)
    assert data_of_evidence(evidence, new_rows.view, JOINT, shared.outline)
    return Terms(shared, {}, graph.coords).log_likelihood(new_rows.draws, new_rows.tables)


def test_every_table_of_the_joint_model_has_new_rows(new_rows, simulated) -> None:
    asked = set(JOINT.tables_of(new_rows.evidence))
    assert set(simulated) == asked == set(LIKELIHOOD_ROWS) - {"ai_labour"}
    assert set(JOINT.tables) == set(LIKELIHOOD_ROWS)


def test_density_of_new_rows_is_that_of_all_rows_over_that_of_the_own(new_rows, simulated) -> None:
    own = log_likelihood(new_rows, new_rows.evidence)
    both = doubled(new_rows.evidence, new_rows.view, simulated)
    all_rows = log_likelihood(new_rows, both)
    found = new_rows.log_densities(simulated)

    def total(terms: xr.Dataset, table: str) -> np.ndarray:
        return terms[table].values.reshape(found[table].shape[0], -1).sum(axis=1)

    for table in simulated:
        assert found[table].shape[1] == NUMBER
        if table == HORIZONS:
            continue
        expected = total(all_rows, table) - total(own, table)
        np.testing.assert_allclose(found[table].sum(axis=1), expected, atol=1e-8)


def test_density_of_horizons_is_that_of_the_mixture_over_shapes(new_rows, simulated) -> None:
    """Where a draw's shape is known, its density is given it; over shapes it is the graph's."""
    own = log_likelihood(new_rows, new_rows.evidence)[HORIZONS].values.ravel()
    both = doubled(new_rows.evidence, new_rows.view, {HORIZONS: simulated[HORIZONS]})
    all_rows = log_likelihood(new_rows, both)[HORIZONS].values.ravel()
    x, parameters = split_draws(new_rows.draws, new_rows.tables)
    flat = {name: value.ravel() for name, value in x.items()}
    stacked = parameters.stack(sample=("chain", "draw"))
    weights = log_shape_weights(flat, stacked, new_rows.evidence, new_rows.view)
    terms = []
    for shape in range(weights.shape[1]):
        one = NewRows(**{**vars(new_rows), "shape": np.full(new_rows.shape.shape, shape)})
        terms.append(one.log_densities(simulated)[HORIZONS].sum(axis=1))
    mixture = np.logaddexp.reduce(weights + np.stack(terms, axis=1), axis=1)
    np.testing.assert_allclose(mixture, all_rows - own, atol=1e-6)


def test_new_rows_have_recent_designs_a_year_later(evidence, view) -> None:
    rows = LIKELIHOOD_ROWS["rlhf_efforts"](evidence, view)
    new = designs(
        "rlhf_efforts", latest_rows("rlhf_efforts", evidence, view), 50, np.random.default_rng(2)
    )
    latest = np.sort(rows["date"].values)[-RECENT:]
    assert set(new["date"].values) <= set(latest + LATER)
    assert set(new["hours_sd"].values) <= set(rows["hours_sd"].values)
    groups = designs(
        "scaling_exponents",
        latest_rows("scaling_exponents", evidence, view),
        5,
        np.random.default_rng(3),
    )
    assert len(set(groups["group_index"].values)) == 5
    runs = designs(
        "training_runs", latest_rows("training_runs", evidence, view), 5, np.random.default_rng(4)
    )
    assert not runs["largest"].any() and (runs["ten"] == -1).all()
    assert np.isnan(runs["ceiling"]).all()


def test_rows_of_a_year_are_those_of_the_last_full_one(evidence, view) -> None:
    used = evidence["feedback_workforces"]
    year = np.floor(evidence.constant("no_tai_until")) - 1
    came = used["used"].values & (np.floor(used["date"].values) == year)
    assert rows_a_year("feedback_workforces", evidence, view) == came.sum() > 0


def test_a_new_row_is_likeliest_near_the_draw_that_it_came_from(new_rows) -> None:
    """On average over rows the own draw beats the others: a wrong pairing would not."""
    rng, gain = np.random.default_rng(5), []
    for chain, draw in ((0, 3), (1, 50), (2, 99), (3, 150), (0, 200), (1, 120)):
        found = new_rows.log_densities(new_rows.simulated((chain, draw), rng))
        place = chain * new_rows.draws.sizes["draw"] + draw
        gain.append([each[place].sum() - each.sum(axis=1).mean() for each in found.values()])
    assert np.mean(gain, axis=0).min() > -0.5
    assert np.mean(gain) > 0.5
