"""The model of trials: its graph, the worst adversary and the bound, and what remains without trials."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from aligntax.models.density_prediction import trials as density_trials
from aligntax.models.density_prediction.theorem import supported_delta
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view


def few(*counts):
    """Rows of the table: (levels, epsilon, trials, failures)."""
    names = ("levels", "epsilon", "trials", "failures")
    end = {"used": True, "source": "test", "status": "computed", "note": ""}
    return [
        {"key": f"a{i}", "adversary": f"a{i}", **dict(zip(names, row, strict=True)), **end}
        for i, row in enumerate(counts)
    ]


def test_the_graph_s_density_of_each_row_is_scipy_s():
    rows = few((100, 0.5, 1000, 30), (400, 0.25, 50, 0), (100, 0.5, 7, 7))
    evidence, view = load_evidence().with_rows("density_trials", rows), load_view("default")
    graph = density_trials.build(evidence, view)
    logit = np.array([-3.0, -8.0, 1.0])
    (got,) = graph.compile_fn(graph.replace_rvs_by_values(graph.potentials))(
        {"failure_logit": logit}
    )
    p = 1 / (1 + np.exp(-logit))
    assert got == pytest.approx(stats.binom.logpmf([30, 0, 7], [1000, 50, 7], p))
    assert density_trials.bounds(evidence) == pytest.approx([supported_delta(100, 0.5), 0.04, 0.04])


def test_the_worst_and_the_bound_are_those_of_each_draw():
    # bounds 0.04, 0.123
    evidence = load_evidence().with_rows("density_trials", few((100, 0.5, 10, 1), (10, 0.9, 10, 1)))
    p = np.array([[0.03, 0.12], [0.05, 0.01], [0.01, 0.2]])
    parameters = xr.Dataset(
        {
            "failure_logit": (("sample", "density_trial"), np.log(p / (1 - p))),
            "adversary_spread": ("sample", np.ones(3)),
        }
    )
    derived = density_trials.derive({}, parameters, evidence, load_view("default"))
    assert derived["worst_failure"] == pytest.approx([0.12, 0.05, 0.2])
    assert derived["worst_within_bound"].tolist() == [1.0, 0.0, 0.0]
    drawn = density_trials.simulate(
        {}, parameters, evidence, load_view("default"), np.random.default_rng(1)
    )
    assert drawn["density_trials"][1].shape == (3, 2)


def test_a_model_without_trials_is_its_prior():
    evidence, view = load_evidence().only(()), load_view("default")
    graph = density_trials.build(evidence, view)
    assert not graph.potentials and density_trials.coords(evidence) == {}
    parameters = xr.Dataset({"adversary_spread": ("sample", np.ones(2))})
    assert set(density_trials.derive({}, parameters, evidence, view)) == {"adversary_spread"}
    assert density_trials.simulate({}, parameters, evidence, view, np.random.default_rng(1)) == {}
