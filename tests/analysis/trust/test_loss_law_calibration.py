"""Slow: the 90% intervals of each corpus' alpha hold the truth as often as they say, over the prior."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.models import loss_law
from aligntax.models.catalogue import find_model
from tests.loss_runs import data, simulated

SIMULATIONS, RUNS = 200, 40


@pytest.mark.slow
def test_intervals_of_a_corpus_alpha_cover(evidence, view) -> None:
    """Truths and runs of two corpora are drawn from the prior; one compiled model takes all 200 data sets."""
    model = find_model("loss-law")
    law = {name: 0.0 for name in loss_law.QUANTITIES}
    rows = simulated(RUNS, truths={"a": law, "b": law})
    here = evidence.with_rows("loss_runs", rows)
    compiled = compile_model(model, here, view)
    tables = view.tables(loss_law.QUANTITIES)
    prior = compiled.terms.draw_prior(tables, Sampling(draws=SIMULATIONS // 2, chains=2, seed=3))
    x = {name: value.ravel() for name, value in tables.values(prior["z"].values).items()}
    each = (
        prior.drop_vars("z")
        .stack(sample=("chain", "draw"))
        .transpose("sample", ...)
        .reset_index("sample", drop=True)
    )
    _, log_loss = loss_law.simulate(x, each, here, view, np.random.default_rng(4))["loss_runs"]
    table = data(here, view)
    covered = {"a": 0, "b": 0}
    for i in range(SIMULATIONS):
        table[2] = log_loss[i]
        one = replace(compiled, gradient=compiled.gradient.with_data(loss_run_data=table.copy()))
        posterior, _ = one.posterior(Sampling(draws=400, tune=300, chains=2, seed=i))
        for corpus in covered:
            drawn = posterior["corpus_alpha"].sel(corpus=corpus).values
            truth = float(each["corpus_alpha"].sel(corpus=corpus).values[i])
            low, high = np.quantile(drawn, [0.05, 0.95])
            covered[corpus] += bool(low <= truth <= high)
    assert all(168 <= count <= 190 for count in covered.values()), covered
