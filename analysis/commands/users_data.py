"""A user's own data as the commands take it: training runs, or gold curves."""

from typing import TYPE_CHECKING

from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.analysis.inputs.gold_data import GoldCurves
    from aligntax.analysis.inputs.loss_runs import LossRuns


def read_users_data(model: str, runs: str | None, drop: int = 0) -> "LossRuns | GoldCurves":
    """Read the user's data for a model.

    Parameters
    ----------
    runs : str or None
        CSV file, or the name of a public set that was fetched.
    drop : int
        Number of training runs of highest loss that are left out.

    Raises
    ------
    InputError
        If the file is wrong, or rows are to be left out of none.
    """
    from aligntax.analysis.inputs.gold_data import read_curves
    from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs
    from aligntax.models.catalogue import find_model

    if runs is None:
        raise InputError(
            f"drop_highest: needs runs to leave out of, got {drop} alone; give --runs FILE"
        )
    if "gold_curves" not in find_model(model).tables:
        return drop_highest(read_runs(runs), drop)
    if drop:
        raise InputError(
            f"drop_highest: leaves training runs out, got {drop} with gold curves; drop it"
        )
    return read_curves(runs)
