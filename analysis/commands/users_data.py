"""A user's own data as the commands take it: training runs, gold curves, or runs on tasks."""

from typing import TYPE_CHECKING

from aligntax.analysis.commands.view_files import print_note
from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.inputs.gold_data import GoldCurves
    from aligntax.analysis.inputs.horizon_runs import HorizonRuns
    from aligntax.analysis.inputs.loss_runs import LossRuns
    from aligntax.models.evidence import Evidence


TIME_HORIZON = "time-horizon"  # with runs it is the run-level model, under every shape of trend


def read_users_data(
    model: str, runs: str | None, drop: int = 0, insist: bool = False
) -> "LossRuns | GoldCurves | HorizonRuns":
    """Read the user's data for a model.

    Parameters
    ----------
    runs : str or None
        CSV file, JSON Lines for a model of time horizons, or the name of a public set that was
        fetched.
    drop : int
        Number of training runs of highest loss that are left out.
    insist : bool
        Whether units of training runs are right however implausible.

    Raises
    ------
    InputError
        If the file is wrong, or rows are to be left out of none.
    """
    from aligntax.analysis.inputs.gold_data import read_curves
    from aligntax.analysis.inputs.horizon_runs import read_horizon_runs
    from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs
    from aligntax.models.catalogue import find_model

    if runs is None:
        raise InputError(
            f"drop_highest: needs runs to leave out of, got {drop} alone; give --runs FILE"
        )
    chosen = find_model(model)
    on_tasks = model == TIME_HORIZON or "horizon_runs" in chosen.tables
    if not on_tasks and "gold_curves" not in chosen.tables:
        return drop_highest(read_runs(runs, insist), drop)
    if drop:
        what = "runs on tasks" if on_tasks else "gold curves"
        raise InputError(f"drop_highest: leaves training runs out, got {drop} with {what}; drop it")
    return read_horizon_runs(runs) if on_tasks else read_curves(runs)


def read_users_evidence(folder: str | None) -> "Evidence":
    """Read a folder of evidence, or the embedded tables, and name rows that can hardly be meant.

    Raises
    ------
    InputError
        If a table is wrong.
    """
    from aligntax.analysis.inputs.plausible_rows import doubts_of_rows
    from aligntax.analysis.inputs.view_reader import read_evidence

    evidence = read_evidence(folder)
    if folder is not None:
        for doubt in doubts_of_rows(evidence):
            print_note(f"aligntax: warning: {doubt}")
    return evidence
