"""Numbers of a simulated world say so; a user's own, and published ones, do not."""

from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.summaries.simulated_world import simulated_world
from aligntax.models.catalogue import MODELS
from aligntax.models.evidence import TABLES, load_evidence
from tests.gold_curves import simulated


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


def test_the_models_of_simulated_tables_are_the_ones_that_say_so(evidence) -> None:
    """Every table whose used rows all come from a command of this package, and no other."""
    own = {
        name
        for name, table in evidence.tables.items()
        if table.sizes[TABLES[name].dim]
        and "source" in table
        and all(str(source).startswith("aligntax ") for source in table["source"].values)
    }
    assert own == {name for name, table in TABLES.items() if table.simulated}
    told = {name for name, model in MODELS.items() if simulated_world(evidence, model.tables)}
    assert told == {"overoptimization", "density-prediction"}


def test_a_user_s_rows_are_not_a_simulated_world(evidence) -> None:
    rows = [{**row, "status": "seen"} for row in simulated(4)[0]]
    assert simulated_world(evidence.with_rows("gold_curves", rows), ("gold_curves",)) == ""
    assert simulated_world(evidence.only(()), ("gold_curves",)) == ""


def test_one_row_of_the_real_world_ends_it(evidence) -> None:
    table = evidence["gold_curves"]
    status = table["status"].values.copy()
    status[0] = "seen"
    mixed = {**evidence.tables, "gold_curves": table.assign(status=(table["status"].dims, status))}
    assert np.sum(status == "computed") > 400
    assert simulated_world(replace(evidence, tables=mixed), ("gold_curves",)) == ""
