"""The verbs ``sweep`` and ``resume_sweep``: many views answered by sampling, each on every seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.progress import talking
from aligntax.analysis.sweeps.grid import SweepJob, cases
from aligntax.analysis.sweeps.sweep import Sweep
from aligntax.analysis.sweeps.sweep import resume as answer_the_rest
from aligntax.analysis.sweeps.sweep import sweep as answer_cases
from aligntax.analysis.sweeps.workers import Workers, answering
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.extension import the_model
from aligntax.models.views import View

if TYPE_CHECKING:
    from distributed import Client


def sweep(
    views: Sequence[View],
    *,
    model: str | Model = "joint",
    seeds: Sequence[int] = (2022,),
    evidence: Evidence | None = None,
    options: Sampling | None = None,
    workers: int | Workers | None = None,
    client: "Client | None" = None,
    keep_draws: bool = False,
    out: Path | str = "results",
    name: str | None = None,
    talk: Talk | None = None,
    progress: bool = True,
) -> Sweep:
    """Answer many views by sampling; every worker compiles the model once.

    Parameters
    ----------
    views : sequence of View
        Each is answered on its own.
    model : str or Model
        Name in the catalogue, or a model of your own.
    seeds : sequence of int
        Every view is answered under each.
    evidence : Evidence, optional
        By default the embedded tables.
    options : Sampling, optional
        Its seed is not used: ``seeds`` are.
    workers : int or callable, optional
        Processes on this machine, by default one per core; or what answers cases.
    client : distributed.Client, optional
        Of a Dask cluster, whose workers answer instead; it stays connected.
    keep_draws : bool
        Whether to keep the draws of headline quantities, one file per case.
    out : path
        Folder of results.
    name : str, optional
        Name of the sweep, by default model, number of cases and time.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.

    Returns
    -------
    Sweep
        Its folder has ``answers.csv``; ``info["failures"]`` lists the cases without an answer.

    Raises
    ------
    InputError
        If the input is wrong, or the name is taken.
    """
    given = load_evidence() if evidence is None else evidence
    job = SweepJob(the_model(model).name, given, options or Sampling(), keep_draws)
    asked = cases(list(views), [], list(seeds))
    with (
        answering(workers, client) as pool,
        talking(talk, progress, "answering", "without an answer") as told,
    ):
        return answer_cases(job, asked, pool, out, name, talk=told)


def resume_sweep(
    name: str,
    *,
    workers: int | Workers | None = None,
    client: "Client | None" = None,
    out: Path | str = "results",
    talk: Talk | None = None,
    progress: bool = True,
) -> Sweep:
    """Answer the cases of a sweep that have no answer or failed; everything else is as asked then.

    Parameters
    ----------
    name : str
        Of the sweep, in ``out``.
    workers, client, talk, progress
        As in :func:`sweep`.

    Raises
    ------
    InputError
        If there is no such sweep, it is complete, another process holds it, or its evidence has
        changed.
    """
    from aligntax.analysis.inputs.view_reader import read_evidence

    with (
        answering(workers, client) as pool,
        talking(talk, progress, "answering", "without an answer") as told,
    ):
        return answer_the_rest(name, pool, read_evidence, out, told)
