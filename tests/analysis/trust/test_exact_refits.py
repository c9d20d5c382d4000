"""What `aligntax loo` prints against refits of its own units: other draws, and the plain average where it can be trusted."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.summaries.weights import batch_error
from aligntax.analysis.trust.evidence.loo import log_mean
from aligntax.analysis.trust.evidence.loo_refits import Stage, cross_validate, refitted
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import find_model

OPTIONS = Sampling(seed=5)
OTHER = Sampling(seed=991, draws=2000)
ENOUGH = 0.1  # nat: a plain average that is less certain rests on a handful of draws


def tell(text):
    """Show progress under `pytest -s`."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def again(left, table, label):
    """A unit from draws that `loo` has not used: the mean of its density, or a refit in stages."""
    without = left.without({table: [label]}).sample(OTHER)
    log = left.log_unit(without.unconstrained, table, label)
    plain = log_mean(log)
    error = batch_error(np.exp(log - plain) - 1.0)
    if error <= ENOUGH:
        return plain, error
    whole = Stage(1.0, left, left.sample(replace(OTHER, seed=992)))
    unit = refitted(whole, OTHER, table, label)
    return unit.elpd, unit.mcse


def distances(left, chosen):
    """Distance of each unit from its refit in joint errors, each printed."""
    found = {}
    for table, unit in chosen:
        elpd, error = again(left, table, unit.label)
        found[table, unit.label] = (unit.elpd - elpd) / max(np.hypot(unit.mcse, error), 1e-9)
        k = "" if unit.pareto_k is None else f", k {unit.pareto_k:.2f}"
        tell(
            f"{table} {unit.label}: {unit.elpd:.3f} +- {unit.mcse:.3f} ({unit.method}{k}), "
            f"refit {elpd:.3f} +- {error:.3f}, {found[table, unit.label]:+.1f} errors"
        )
    return found


def hardest(tables, count):
    """Refitted units first, then those that weights leave least certain, half of each if there are enough."""
    units = [(table.table, unit) for table in tables for unit in table.units]
    units = [(table, unit) for table, unit in units if unit.mcse > 0.0]
    units.sort(key=lambda each: -each[1].mcse)
    refits = [each for each in units if each[1].method == "exact"]
    weighted = [each for each in units if each[1].method == "psis"]
    most = max(count // 2, count - len(weighted))
    chosen = refits[:most]
    return chosen + weighted[: count - len(chosen)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("scaling", 17), ("joint", 20)])
def test_every_unit_is_within_three_errors_of_a_refit(name, count, evidence, view) -> None:
    left = LeaveOut.of(find_model(name), evidence, view)
    tables = cross_validate(left, OPTIONS, tell)
    assert not any(table.doubtful for table in tables)
    chosen = hardest(tables, count)
    assert len(chosen) == count
    found = distances(left, chosen)
    assert max(map(abs, found.values())) < 3.0, found
