"""Many views, each answered by sampling, as one result: a folder that can be resumed.

``sweep.json``
    What was asked, with versions and evidence; when finished, the verdict and the failures.
``views/``
    The view of each case, resolved and complete, by its hash.
``cases.csv``
    One row per case: view, seed, verdict, seconds.
``answers.csv``
    The results table: one row per case and number as in a run's ``summary.csv``, and per claim.
``answers.jsonl``
    The journal: one line per case with every number and check, in the order of answering.
``draws/``
    The headline quantities of each case (netCDF), with ``--keep-draws``.
``report.html``
    Which disagreement moves which answer.

An unfinished sweep is the hidden folder ``.NAME.sweep``; see
:mod:`aligntax.analysis.sweeps.resumable`.
"""

import csv
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.storage.journal import hold_folder
from aligntax.analysis.storage.result import stored_view
from aligntax.analysis.storage.run_folder import provenance, read_text, run_name
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.summaries.simulated_world import simulated_world
from aligntax.analysis.sweeps.grid import Answer, Case, SweepJob
from aligntax.analysis.sweeps.resumable import FORMAT, Journal, Study
from aligntax.analysis.sweeps.workers import Workers
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

SWEEP, ANSWERS, VIEWS, DRAWS = "sweep.json", "answers.jsonl", "views", "draws"
CASES, TABLE = "cases.csv", "answers.csv"
QUIET = Talk()
LAPS = ("compile", "sample", "summarise")
WHICH = ("case", "view", "view_hash", "seed", "verdict")
ROW = (  # keys of a number in ``summary.json`` that the results table has
    *("unit", "scale", "mean", "sd", "q05", "q25", "q50", "q75", "q95"),
    *("prob_censored", "mcse_median", "ess_bulk", "ess_middle", "r_hat"),
    *("prob_above", "prob_below", "prob_undefined", "assumed", "contraction"),
)
COLUMNS = {
    CASES: (*WHICH, *(f"{lap}_seconds" for lap in LAPS)),
    TABLE: (*WHICH, "quantity", *ROW),
}


@dataclass(frozen=True, repr=False)
class Sweep(Study):
    """A sweep on disk; ``info`` is ``sweep.json``."""

    NAME = "sweep"
    COMMAND = "sweep"
    MANIFEST = SWEEP
    JOURNAL = ANSWERS
    KEYS = frozenset({"model", "evidence", "sampler", "cases", "keep_draws"})
    RESULT = "quantities"

    def answers(self) -> Iterator[dict[str, Any]]:
        """Line of each case that was answered or failed, in the order of cases.

        They are read one at a time: a large sweep does not fit into memory.
        """
        return self.lines(self.journal(), [case["case"] for case in self.info["cases"]])

    def view(self, case: Mapping[str, Any]) -> View:
        """View of a case of ``info["cases"]``."""
        path = self.path / VIEWS / f"{case['view_hash'][:16]}.toml"
        return replace(stored_view(read_text(path), str(path))[0], name=case["view"])

    def store(self, case: Case, answer: Answer) -> dict[str, Any]:
        """Write the draws of an answer, and return its line of the journal."""
        if answer.draws is not None:
            _write_draws(self.path / DRAWS, answer)
        line = {"case": answer.case, "error": answer.error, "seconds": dict(answer.seconds)}
        return {**line, **answer.record}

    def sitting(self, seconds: float, answers: int) -> dict[str, Any]:
        """Seconds and number of answers of a sitting."""
        return {"seconds": seconds, "cases": answers}

    def summarise(self, journal: Journal) -> dict[str, Any]:
        """Write the tables; return the verdict and what it rests on."""
        failures, checks, seconds = [], 0, dict.fromkeys(LAPS, 0.0)
        answers = self.lines(journal, [case["case"] for case in self.info["cases"]])
        with _table(self.path / CASES) as cases, _table(self.path / TABLE) as table:
            for case, answer in zip(self.info["cases"], answers, strict=True):
                verdict = answer.get("verdict", "no answer")
                laps = {f"{lap}_seconds": answer["seconds"].get(lap) for lap in LAPS}
                cases({**case, "verdict": verdict, **laps})
                for lap in LAPS:
                    seconds[lap] += answer["seconds"].get(lap, 0.0)
                if answer["error"]:
                    failures.append({**case, "error": answer["error"]})
                    continue
                checks += verdict != "pass"
                for name, row in answer["quantities"].items():
                    table({**case, "verdict": verdict, "quantity": name, **row})
                for name, claim in answer["claims"].items():
                    chance = claim["probability"]
                    row = {"quantity": name, "unit": "probability", "mean": chance}
                    table({**case, "verdict": verdict, **row})
        return {
            "verdict": "pass" if not failures and not checks else "fail",
            "failures": failures,
            "failed_checks": checks,
            "lost": journal.lost,
            "sittings": journal.sittings,
            "seconds": {lap: round(total, 3) for lap, total in seconds.items()},
        }


def sweep(
    job: SweepJob,
    cases: Sequence[Case],
    workers: Workers,
    out: Path | str = "results",
    name: str | None = None,
    evidence_folder: str | None = None,
    talk: Talk = QUIET,
) -> Sweep:
    """Answer every case and leave a sweep's folder.

    Parameters
    ----------
    cases : sequence of Case
        See :func:`aligntax.analysis.sweeps.grid.cases`.
    workers : callable
        Answers the cases: ``(job, cases, lost) -> generator of Answer``; see
        :mod:`aligntax.analysis.sweeps.workers`.
    out : path
        Folder of results.
    name : str, optional
        By default model, number of cases and time.
    evidence_folder : str, optional
        Where the job's evidence came from, for :func:`resume`.

    Returns
    -------
    Sweep
        ``info["failures"]`` lists the cases that have no answer, and why.

    Raises
    ------
    InputError
        If the name is taken or the folder cannot be written.
    """
    out, stated = Path(out), find_model(job.model).quantities
    cases = [replace(case, view=case.view.stating(stated)) for case in cases]
    name = run_name(name or default_name(job, cases))
    _check_new(out, name)
    info = _manifest(job, cases, name, evidence_folder)
    place = Sweep.make_hidden(out, name)
    with hold_folder(place, Sweep.COMMAND):
        _check_new(out, name)  # another process may have been faster
        try:
            _write_question(place, info, {case.view.hash: case.view for case in cases})
        except BaseException:
            shutil.rmtree(place)
            raise
        return _answer(Sweep(place, info), job, cases, workers, out / name, talk)


def _check_new(out: Path, name: str) -> None:
    """Refuse the name of a sweep that exists, finished or not."""
    Sweep.check_free(out, name)
    if Sweep.is_unfinished(name, out):
        rule = f"name: must be new, got {name!r}, a sweep that is not finished"
        raise InputError(f"{rule}; go on with it: aligntax sweep --resume {name}")


def _write_question(place: Path, info: Mapping[str, Any], views: Mapping[str, View]) -> None:
    (place / VIEWS).mkdir(exist_ok=True)
    for hash_, view in views.items():
        (place / VIEWS / f"{hash_[:16]}.toml").write_text(view.to_toml(), "utf-8")
    write_json(place / SWEEP, info)  # last: a folder without it is no sweep


def resume(
    name: str,
    workers: Workers,
    evidence: Callable[[str | None], Evidence],
    out: Path | str = "results",
    talk: Talk = QUIET,
) -> Sweep:
    """Resume a sweep: cases without an answer, and those that failed, are asked again.

    Parameters
    ----------
    name : str
        Of the sweep, in ``out``.
    workers, out, talk
        As in :func:`sweep`.
    evidence : callable
        Reads the evidence from the folder that it came from; None stands for the embedded evidence.

    Raises
    ------
    InputError
        If there is no such sweep, another process holds it, or its evidence has changed.
    """
    out = Path(out)
    place, done = Sweep.hidden(out, run_name(name)), out / name
    folder = next((folder for folder in (place, done) if (folder / SWEEP).is_file()), None)
    if folder is None:
        raise InputError(f"resume: must be a sweep in {out}, got {name!r}; see `ls -a {out}`")
    found = Sweep.load(folder)
    if folder == done and not found.info["failures"]:
        rule = f"must have cases to ask, got {name!r}, which is complete"
        raise InputError(f"resume: {rule}; see `aligntax show {name}`")
    known = evidence(found.info["evidence"]["folder"])
    if known.hash != found.info["evidence"]["hash"]:
        rule = f"must be that of the sweep, {found.info['evidence']['hash'][:12]}"
        raise InputError(
            f"evidence: {rule}, got {known.hash[:12]}; "
            "restore it, or sweep again under another name"
        )
    if folder == done:
        done.rename(place)
    with hold_folder(place, Sweep.COMMAND):
        found = Sweep.load(place)
        info = found.info
        # an older sweep names no sampler: it was NUTS, and the rest of its cases are to be alike
        options = Sampling(**{"sampler": "nuts", **info["sampler"]})
        job = SweepJob(info["model"]["name"], known, options, info["keep_draws"])
        views = {case["view_hash"]: found.view(case) for case in info["cases"]}
        cases = [
            Case(c["case"], replace(views[c["view_hash"]], name=c["view"]), c["seed"])
            for c in info["cases"]
        ]
        return _answer(found, job, cases, workers, done, talk)


def _answer(
    found: Sweep,
    job: SweepJob,
    cases: Sequence[Case],
    workers: Workers,
    target: Path,
    talk: Talk,
) -> Sweep:
    again = f"aligntax sweep --resume {target.name}"
    return found.resume(job, cases, workers, target, talk, again)


def default_name(job: SweepJob, cases: Sequence[Case]) -> str:
    """Name of a sweep that is given none: model, number of cases and time."""
    return f"sweep-{job.model}-{len(cases)}-{datetime.now():%Y%m%d-%H%M%S}"


def _manifest(
    job: SweepJob, cases: Sequence[Case], name: str, evidence_folder: str | None
) -> dict[str, Any]:
    model = find_model(job.model)
    options = asdict(job.options.of(model))
    return {
        "format": FORMAT,
        "sweep": name,
        **provenance(),
        "model": {"name": model.name, "version": model.version},
        # each case has its own seed, and cores change no draw
        "sampler": {key: value for key, value in options.items() if key not in ("seed", "cores")},
        "keep_draws": job.keep_draws,
        "simulated": simulated_world(job.evidence, model.tables),
        "evidence": {
            "hash": job.evidence.hash,
            "folder": evidence_folder,
            "tables": dict(job.evidence.hashes),
        },
        "cases": [
            {
                "case": case.name,
                "view": case.view.name,
                "view_hash": case.view.hash,
                "seed": case.seed,
            }
            for case in cases
        ],
    }


def _write_draws(folder: Path, answer: Answer) -> None:
    """Write the draws of an answer to ``CASE.nc``, by way of a hidden file."""
    assert answer.draws is not None
    folder.mkdir(exist_ok=True)
    half = folder / f".{answer.case}.nc"
    packed = {
        name: {"zlib": True, "complevel": 1, "shuffle": True} for name in answer.draws.data_vars
    }
    answer.draws.to_netcdf(half, engine="h5netcdf", encoding=packed)
    half.replace(folder / f"{answer.case}.nc")


@contextmanager
def _table(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Open a CSV whose columns are those of :data:`COLUMNS`; yield what writes a row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS[path.name])
        writer.writeheader()
        yield writer.writerow
