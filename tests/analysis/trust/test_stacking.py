"""Stacking: weights that maximise the score of the mixture, against ArviZ and against truths."""

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.trust.evidence.loo import CrossValidation, PredictedUnit
from aligntax.analysis.trust.evidence.stacking import Stacked, stacking_weights


def validated(elpds) -> CrossValidation:
    units = tuple(
        PredictedUnit(f"m{i}", float(elpd), 0.0, 1.0, 0.1, "psis") for i, elpd in enumerate(elpds)
    )
    return CrossValidation("horizon_runs", 0.7, units)


def test_a_shape_that_predicts_every_model_better_takes_all() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(-2, 1, 20)
    weights = stacking_weights(np.stack([base, base - 0.5, base - 1.0], axis=-1))
    assert weights == pytest.approx([1, 0, 0], abs=1e-3)


def test_shapes_that_predict_different_halves_share() -> None:
    elpd = np.zeros((20, 2))
    elpd[:10, 1] = elpd[10:, 0] = -3.0
    assert stacking_weights(elpd) == pytest.approx([0.5, 0.5])
    elpd[10:12] = elpd[:2]  # twelve models to eight
    w = stacking_weights(elpd)[0]
    e = np.exp(-3.0)
    # the derivative of 12 log(w + e (1 - w)) + 8 log(e w + 1 - w) is zero
    assert 12 * (1 - e) / (w + e * (1 - w)) == pytest.approx(8 * (1 - e) / (e * w + 1 - w))


def test_weights_maximise_the_score() -> None:
    rng = np.random.default_rng(2)
    elpd = rng.normal(-2, 1, (30, 4))
    best = stacking_weights(elpd)

    def score(w):
        return np.log(np.exp(elpd) @ w).sum()

    others = rng.dirichlet(np.ones(4), 500)
    assert best.sum() == pytest.approx(1) and np.all(best >= 0)
    assert all(score(best) >= score(w) for w in others)


def test_arviz_finds_the_same_weights() -> None:
    from arviz_stats import compare, loo

    rng = np.random.default_rng(3)
    steady = rng.normal(-2, 1, (25, 3))
    found = {}
    for k in range(3):
        rows = steady[:, k] + 0.05 * rng.standard_normal((2, 200, 25))
        tree = xr.DataTree.from_dict(
            {
                "posterior": xr.Dataset({"x": (("chain", "draw"), rng.normal(size=(2, 200)))}),
                "log_likelihood": xr.Dataset({"y": (("chain", "draw", "unit"), rows)}),
            }
        )
        found[f"shape{k}"] = loo(tree, pointwise=True)
    elpd = np.stack([each.elpd_i.values for each in found.values()], axis=-1)
    table = compare(found, method="stacking")
    expected = [table.loc[f"shape{k}", "weight"] for k in range(3)]
    assert stacking_weights(elpd) == pytest.approx(expected, abs=0.02)


def test_the_best_shape_is_behind_nobody() -> None:
    rng = np.random.default_rng(4)
    first = rng.normal(-2, 1, 12)
    gap = rng.normal(0.3, 0.4, 12)
    rows = Stacked.of({"a": validated(first), "b": validated(first - gap)}).to_dict()
    assert rows["a"]["elpd_behind"] == rows["a"]["elpd_behind_se"] == 0.0
    assert rows["b"]["elpd_behind"] == pytest.approx(gap.sum())
    assert rows["b"]["elpd_behind_se"] == pytest.approx(np.sqrt(12) * gap.std(ddof=1))
    assert rows["a"]["weight"] + rows["b"]["weight"] == pytest.approx(1)
