"""What `aligntax loo` prints against refits of its own units: other draws, and the plain average where it can be trusted."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.summaries.weights import batch_error
from aligntax.analysis.trust.evidence.loo import log_mean
from aligntax.analysis.trust.evidence.loo_refits import Stage, by_weights, carried, refitted
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import find_model

OPTIONS = Sampling(seed=5)
OTHER = Sampling(seed=991)
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
    for table, unit, pareto_k in chosen:
        elpd, error = again(left, table, unit.label)
        found[table, unit.label] = (unit.elpd - elpd) / max(np.hypot(unit.mcse, error), 1e-9)
        tell(
            f"{table} {unit.label}: {unit.elpd:.3f} +- {unit.mcse:.3f} ({unit.method}, k {pareto_k:.2f}), "
            f"refit {elpd:.3f} +- {error:.3f}, {found[table, unit.label]:+.1f} errors"
        )
    return found


def hardest(tables, count):
    """Units that weights do not carry, the heaviest tails first, then those that they leave least certain: half of each."""
    units = [(each.table, unit, carried(unit, each)) for each in tables for unit in each.units]
    units = [each for each in units if each[1].pareto_k is not None]
    refits = [each[:2] for each in sorted(units, key=lambda each: -each[1].pareto_k) if not each[2]]
    weighted = [each[:2] for each in sorted(units, key=lambda each: -each[1].mcse) if each[2]]
    most = max(count // 2, count - len(weighted))
    return refits[:most], weighted[: count - len(refits[:most])]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("scaling", 17), ("joint", 20)])
def test_every_unit_is_within_three_errors_of_a_refit(name, count, evidence, view) -> None:
    left = LeaveOut.of(find_model(name), evidence, view)
    whole = Stage(1.0, left, left.sample(OPTIONS))
    tables = by_weights(whole)
    refits, weighted = hardest(tables, count)
    every = [carried(unit, each) for each in tables for unit in each.units]
    tell(f"{len(every)} units, {sum(every)} carried by weights")
    again_by_loo = [
        (table, refitted(whole, OPTIONS, table, unit.label), unit.pareto_k)
        for table, unit in refits
    ]
    chosen = again_by_loo + [(table, unit, unit.pareto_k) for table, unit in weighted]
    assert len(chosen) == count
    found = distances(left, chosen)
    assert max(map(abs, found.values())) < 3.0, found
