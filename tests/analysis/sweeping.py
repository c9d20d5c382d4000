"""Sweeps without sampling: workers that answer by a formula, for the tests of what is done with answers."""

from dataclasses import replace

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.sweeps.grid import Answer, SweepJob, cases
from aligntax.analysis.sweeps.sweep import LAPS, ROW, sweep
from aligntax.models.catalogue import find_model

QUICK = Sampling(draws=60, tune=60, chains=2)


def numbered(view, count, **columns):
    """So many views; ``columns`` are medians of a quantity, one a view."""
    views = []
    for i in range(count):
        each = replace(view, name=f"v{i}")
        for name, medians in columns.items():
            points = {"0.1": medians[i] / 1.2, "0.5": medians[i], "0.9": medians[i] * 1.2}
            each = each.with_quantity(name, {"quantiles": points})
        views.append(each)
    return views


def row(median=1.0, **changes):
    """A number of ``summary.json``."""
    shares = dict.fromkeys(("prob_above", "prob_below", "prob_undefined", "prob_censored"), 0.0)
    points = {
        "q05": median - 0.2,
        "q25": median - 0.1,
        "q50": median,
        "q75": median + 0.1,
        "q95": median + 0.2,
    }
    about = {
        "unit": "1",
        "scale": "linear",
        "mean": median,
        "sd": 0.1,
        "mcse_median": 0.01,
        "assumed": False,
    }
    return dict.fromkeys(ROW) | points | shares | about | changes


def answer(case, *, model="scaling", verdict="pass", error="", claims=None, draws=None, **rows):
    """Answer of a case: the headline numbers of a model are 1 but for ``rows``."""
    if error:
        return Answer(case.name, error=error)
    record = {
        "verdict": verdict,
        "checks": [{"name": "r_hat", "passed": verdict == "pass"}],
        "claims": claims or {},
        "quantities": {name: row() for name in find_model(model).headlines} | rows,
    }
    return Answer(case.name, record, dict.fromkeys(LAPS, 0.5), draws=draws)


def by(formula):
    """Workers that answer each case in turn by a formula."""

    def workers(job, cases, lost):
        for case in cases:
            yield formula(case)

    return workers


def swept(evidence, views, formula, out, *, seeds=(1,), name="mine", model="scaling"):
    """A finished sweep of views, answered by a formula."""
    return sweep(SweepJob(model, evidence, QUICK), cases(views, [], seeds), by(formula), out, name)
