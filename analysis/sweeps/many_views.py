"""The verb ``aligntax.sweep``: many views answered by sampling, each on every seed."""

from collections.abc import Sequence
from pathlib import Path

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.sweeps.grid import SweepJob, cases
from aligntax.analysis.sweeps.sweep import Sweep
from aligntax.analysis.sweeps.sweep import sweep as answer_cases
from aligntax.analysis.sweeps.workers import Workers, processes
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.extension import the_model
from aligntax.models.views import View


def sweep(
    views: Sequence[View],
    *,
    model: str | Model = "joint",
    seeds: Sequence[int] = (2022,),
    evidence: Evidence | None = None,
    options: Sampling | None = None,
    workers: int | Workers | None = None,
    keep_draws: bool = False,
    out: Path | str = "results",
    name: str | None = None,
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
        Processes on this machine, by default one per core; or what answers cases, such as
        :func:`aligntax.analysis.sweeps.workers.on_cluster` of a Dask client.
    keep_draws : bool
        Whether to keep the draws of headline quantities, one file per case.
    out : path
        Folder of results.
    name : str, optional
        Name of the sweep, by default model, number of cases and time.

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
    answering = workers if callable(workers) else processes(workers)
    return answer_cases(job, asked, answering, out, name, talk=Talk())
