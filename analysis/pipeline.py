"""One run from view to folder: compile, sample, derive, check, write, report."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.answers.sensitivity import with_sensitivity
from aligntax.analysis.fitting.linked_priors import fit_links
from aligntax.analysis.fitting.outcome import sample_view, with_own_data, write_outcome
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inputs.plausible_priors import warn_of_priors
from aligntax.analysis.pages.exceptions import with_exceptions
from aligntax.analysis.progress import talking
from aligntax.analysis.result import Result
from aligntax.analysis.storage.draw_files import check_format
from aligntax.analysis.storage.run_folder import default_name, run_name
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.models.catalogue import Model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.extension import the_model
from aligntax.models.views import View, load_view

if TYPE_CHECKING:
    from aligntax.analysis.inference.compiled_model import CompiledModel
    from aligntax.analysis.inputs.gold_data import GoldCurves
    from aligntax.analysis.inputs.horizon_runs import HorizonRuns
    from aligntax.analysis.inputs.loss_runs import LossRuns


WHERE_FROM = (
    "give a CSV of parameters, loss and tokens with --runs FILE, "
    "or first `aligntax evidence fetch chinchilla`"
)
WHERE_RUNS_ARE = (
    "give a file in METR's layout with --runs FILE, or first `aligntax evidence fetch metr-runs`"
)


def run(
    model: str | Model = "joint",
    view: View | None = None,
    evidence: Evidence | None = None,
    *,
    options: Sampling | None = None,
    out: Path | str = "results",
    name: str | None = None,
    report: bool = True,
    talk: Talk | None = None,
    progress: bool = True,
    compiled: "CompiledModel | None" = None,
    runs: "LossRuns | GoldCurves | HorizonRuns | None" = None,
    replaces: str | None = None,
    format: str = "netcdf",
) -> Result:
    """Sample a model's posterior and leave a run's folder.

    Parameters
    ----------
    model : str or Model
        Name in the catalogue, or a model of your own, which is registered if its name is new; see
        :func:`aligntax.models.extension.register_model`.
    view : View, optional
        By default the view ``default``.
    evidence : Evidence, optional
        By default the embedded tables.
    out : path
        Folder of results.
    name : str, optional
        Name of the run; by default model, view and time.
    report : bool
        Whether to write ``report.html``.
    talk : Talk, optional
        Callbacks that report progress, in place of what ``progress`` shows.
    progress : bool
        Whether progress is shown, at a terminal or in a notebook.
    compiled : CompiledModel, optional
        Of the same model and evidence: nothing is compiled then; see
        :func:`aligntax.analysis.inference.compiled_model.compile_model`.
    runs : LossRuns, GoldCurves or HorizonRuns, optional
        Training runs for the loss law, alone or as one more scaling study, gold curves, or runs of
        models on tasks; see :mod:`aligntax.analysis.fitting.own_data`.
    replaces : str, optional
        Group of scaling studies that the runs replace.
    format : {"netcdf", "zarr"}
        Format of the stored draws: zarr for large runs.

    Raises
    ------
    InputError
        If the input is wrong; nothing is written then.

    Warns
    -----
    UserWarning
        Of a prior that can hardly be meant; see :mod:`aligntax.analysis.inputs.plausible_priors`.
    """
    chosen, options = the_model(model), options or Sampling()
    view, evidence = view or load_view("default"), evidence or load_evidence()
    if talk is None:  # a command has asked
        warn_of_priors(view)
    name = run_name(name or default_name(chosen.name, view, Path(out)))
    format = check_format(format)
    if runs is None and replaces is not None:
        rule = f"needs runs that stand for the group, got {replaces!r} alone"
        raise InputError(f"replaces: {rule}; give --runs FILE")
    if runs is None and chosen.name == "loss-law" and not evidence["loss_runs"].sizes["loss_run"]:
        raise InputError(f"runs: loss-law is fitted to training runs, got none; {WHERE_FROM}")
    if runs is None and chosen.tables == ("horizon_runs",):
        rule = f"runs: {chosen.name} is fitted to runs of models on tasks, got none"
        raise InputError(f"{rule}; {WHERE_RUNS_ARE}")
    with new_folder(Path(out), name) as place, talking(talk, progress) as talk:
        own_data: dict[str, Any] = {}
        if runs is not None:
            from aligntax.analysis.fitting.own_data import enter_own_data

            evidence, own_data = enter_own_data(
                chosen, runs, view, evidence, options, talk, replaces=replaces
            )
        view, links = fit_links(chosen, view, evidence, options, talk)
        outcome = sample_view(
            chosen.name, view, evidence, options, talk=talk, compiled=compiled, links=links
        )
        outcome = with_exceptions(with_sensitivity(with_own_data(outcome, own_data)))
        talk.say("writing the run")
        result = write_outcome(place.folder, outcome, name, format)
        if report:
            talk.say("drawing the report")
            from aligntax.analysis.pages.report import write_report

            write_report(result, talk=talk)
    return Result.of(result, place.path)
