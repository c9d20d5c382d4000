"""Numbers of a simulated world say so; a user's own, and published ones, do not."""

import io
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from rich.console import Console

from aligntax.analysis.summaries.simulated_world import simulated_world
from aligntax.analysis.sweeps.disagreement import disagreement
from aligntax.analysis.terminal.sweep import print_sweep
from aligntax.analysis.terminal.trust import print_cross_validation, print_robustness
from aligntax.models.catalogue import MODELS
from aligntax.models.evidence import TABLES, load_evidence
from aligntax.models.views import load_view
from tests.analysis.sweeping import answer, swept
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


def printed(show, *arguments) -> str:
    screen = Console(file=io.StringIO(), width=240)
    show(screen, *arguments)
    return screen.file.getvalue()


def test_what_stands_beside_a_run_says_so_too() -> None:
    found = {"tables": [], "variants": [], "base": {}}
    told = {**found, "simulated": "simulated world: the gold curves"}
    for show, more in ((print_cross_validation, ()), (print_robustness, (2100.0,))):
        assert "simulated world" in printed(show, told, *more)
        assert "simulated world" not in printed(show, found, *more)


def test_a_sweep_says_so_too(evidence, tmp_path) -> None:
    views = [load_view("default"), load_view("vague")]
    for model, expected in (("overoptimization", True), ("scaling", False)):
        by_model = partial(answer, model=model)
        done = swept(evidence, views, by_model, tmp_path, name=model, model=model)
        assert bool(done.info["simulated"]) is expected
        words = printed(print_sweep, done, disagreement(done))
        assert ("simulated world" in words) is expected
