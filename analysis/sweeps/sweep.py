"""Many views, each answered by sampling, as one result: a folder, complete or absent, that can be gone on with.

================
==========================================================================================
``sweep.json``    what was asked, with what versions and evidence; when finished, verdict and
failures ``views/``        the view of each case, resolved and complete, by its hash ``cases.csv``
a row a case: view, seed, verdict, seconds ``answers.csv``   a row a case and number, as in a run's
``summary.csv``, claims too: the results table ``answers.jsonl`` the same with every check, a line a
case as it was answered ``draws/``        with ``--keep-draws`` the headline quantities of each case
(netCDF) ``report.html``   which disagreement moves which answer ================
==========================================================================================

Until every case is answered the folder is hidden (``.NAME.sweep``) and held by one process. A line
of ``answers.jsonl`` is on disk before the next case counts as answered, so a sweep that was cut off
loses the cases under way and nothing else.
"""

import csv
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.storage.journal import LOCK, adding, held, read
from aligntax.analysis.storage.result import stored_view
from aligntax.analysis.storage.run_folder import provenance, run_name, text_of
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.sweeps.grid import Answer, Case, Job
from aligntax.analysis.sweeps.workers import Workers
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

SWEEP, ANSWERS, VIEWS, DRAWS = "sweep.json", "answers.jsonl", "views", "draws"
CASES, TABLE = "cases.csv", "answers.csv"
FORMAT = 1
QUIET = Talk()
LAPS = ("compile", "sample", "summarise")
WHICH = ("case", "view", "view_hash", "seed", "verdict")
ROW = (  # of a number in ``summary.json``
    *(
        "unit",
        "scale",
        "mean",
        "sd",
        "q05",
        "q25",
        "q50",
        "q75",
        "q95",
        "prob_censored",
        "mcse_median",
        "ess_bulk",
        "r_hat",
    ),
    *("prob_above", "prob_below", "prob_undefined", "assumed", "contraction"),
)
COLUMNS = {
    CASES: (*WHICH, *(f"{lap}_seconds" for lap in LAPS)),
    TABLE: (*WHICH, "quantity", *ROW),
}


@dataclass(frozen=True)
class Sweep:
    """A sweep on disk.

    Attributes
    ----------
    path : Path
    info : mapping
        ``sweep.json``.
    """

    path: Path
    info: Mapping[str, Any]

    def answers(self) -> Iterator[dict[str, Any]]:
        """What was found for each case that has an answer, in the order of cases; one at a time, however many there are."""
        places = _journal(self.path / ANSWERS).places
        with (self.path / ANSWERS).open("rb") as file:
            for case in self.info["cases"]:
                if case["case"] in places:
                    file.seek(places[case["case"]])
                    yield json.loads(file.readline())

    def view(self, case: Mapping[str, Any]) -> View:
        """View of a case of ``info["cases"]``."""
        path = self.path / VIEWS / f"{case['view_hash'][:16]}.toml"
        return replace(stored_view(text_of(path), str(path))[0], name=case["view"])


@dataclass
class Journal:
    """What ``answers.jsonl`` holds: where each case's last answer begins, which have none but an error, what else was told."""

    places: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    sittings: list[dict[str, Any]] = field(default_factory=list)
    end: int = 0


def _journal(path: Path) -> Journal:
    """Read the journal up to its last whole line: what a process that died left half written does not count.

    Raises
    ------
    InputError
        If an earlier line is damaged.
    """
    found = Journal()
    found.end = read(path, "sweep", partial(_enter, found))
    return found


def _enter(found: Journal, line: Mapping[str, Any], begins: int) -> None:
    if "lost" in line:
        found.lost.append(line["lost"])
    elif "sitting" in line:
        found.sittings.append(line["sitting"])
    else:
        found.places[line["case"]] = begins
        (found.failed.add if line["error"] else found.failed.discard)(line["case"])


def sweep(
    job: Job,
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
    job : Job
    cases : sequence of Case
        See :func:`aligntax.analysis.sweeps.grid.cases`.
    workers : callable
        Who answers: ``(job, cases, lost) -> generator of Answer``; see
        :mod:`aligntax.analysis.sweeps.workers`.
    out : path
        Folder of results.
    name : str, optional
        Default model, number of cases and time.
    evidence_folder : str, optional
        Where the job's evidence came from, for :func:`resume`.
    talk : Talk

    Returns
    -------
    Sweep
        Its ``info["failures"]`` says which cases have no answer and why.

    Raises
    ------
    InputError
        If the name is taken or the folder cannot be written.
    """
    out = Path(out)
    name = run_name(name or default_name(job, cases))
    place = _place(out, name)
    _check_new(out, name)
    info = _manifest(job, cases, name, evidence_folder)
    try:
        # without a question it is what a sweep left that was killed at once
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"out: must be a folder that can be written, got {out} ({error.strerror}); choose another with --out"
        ) from None
    with held(place, "sweep"):
        _check_new(out, name)
        try:
            _write_question(place, info, {case.view.hash: case.view for case in cases})
        except BaseException:
            shutil.rmtree(place)
            raise
        return _work(Sweep(place, info), job, cases, workers, out / name, talk)


def _check_new(out: Path, name: str) -> None:
    """Refuse the name of a sweep that exists, finished or not."""
    if (out / name).exists():
        raise InputError(
            f"name: must be new, got {name!r}, which exists in {out}; choose another with --name"
        )
    if goes_on(name, out):
        rule = f"name: must be new, got {name!r}, a sweep that is not finished"
        raise InputError(f"{rule}; go on with it: aligntax sweep --resume {name}")


def _write_question(place: Path, info: Mapping[str, Any], views: Mapping[str, View]) -> None:
    (place / VIEWS).mkdir(exist_ok=True)
    for hash_, view in views.items():
        (place / VIEWS / f"{hash_[:16]}.toml").write_text(view.to_toml(), "utf-8")
    write_json(place / SWEEP, info)  # last: without it the folder is no sweep


def resume(
    name: str,
    workers: Workers,
    evidence: Callable[[str | None], Evidence],
    out: Path | str = "results",
    talk: Talk = QUIET,
) -> Sweep:
    """Go on with a sweep: cases without an answer, and those that failed, are asked again.

    Parameters
    ----------
    name : str
        Of the sweep, in ``out``.
    workers, out, talk
        As in :func:`sweep`.
    evidence : callable
        Reads the evidence from the folder that it came from; None is the embedded one.

    Raises
    ------
    InputError
        If there is no such sweep, another process holds it, or its evidence has changed.
    """
    out = Path(out)
    place, done = _place(out, run_name(name)), out / name
    folder = next((folder for folder in (place, done) if (folder / SWEEP).is_file()), None)
    if folder is None:
        raise InputError(f"resume: must be a sweep in {out}, got {name!r}; see `ls -a {out}`")
    found = load_sweep(folder)
    if folder == done and not found.info["failures"]:
        raise InputError(
            f"resume: must have cases to ask, got {name!r}, which is complete; see `aligntax show {name}`"
        )
    known = evidence(found.info["evidence"]["folder"])
    if known.hash != found.info["evidence"]["hash"]:
        rule = f"must be that of the sweep, {found.info['evidence']['hash'][:12]}"
        raise InputError(
            f"evidence: {rule}, got {known.hash[:12]}; restore it, or sweep again under another name"
        )
    if folder == done:
        done.rename(place)
    with held(place, "sweep"):
        found = load_sweep(place)
        job = Job(
            found.info["model"]["name"],
            known,
            Sampling(**found.info["sampler"]),
            found.info["keep_draws"],
        )
        views = {case["view_hash"]: found.view(case) for case in found.info["cases"]}
        cases = [
            Case(c["case"], replace(views[c["view_hash"]], name=c["view"]), c["seed"])
            for c in found.info["cases"]
        ]
        return _work(found, job, cases, workers, done, talk)


def load_sweep(folder: Path) -> Sweep:
    """Read what a sweep says of itself.

    Raises
    ------
    InputError
        If it is not what ``aligntax sweep`` writes.
    """
    try:
        info = json.loads(text_of(folder / SWEEP))
        good = info["format"] == FORMAT and {
            "model",
            "evidence",
            "sampler",
            "cases",
            "keep_draws",
        } <= set(info)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(
            f"sweep: {folder / SWEEP} must be as `aligntax sweep` writes it, got {error}; sweep again"
        ) from None
    if not good:
        raise InputError(
            f"sweep: {folder / SWEEP} must have format {FORMAT}, got another; it was written by another version"
        )
    return Sweep(folder, info)


def goes_on(name: str, out: Path) -> bool:
    """Whether there is an unfinished sweep of that name, to go on with."""
    return (_place(out, name) / SWEEP).is_file()


def default_name(job: Job, cases: Sequence[Case]) -> str:
    """Name of a sweep that is given none: model, number of cases and time."""
    return f"sweep-{job.model}-{len(cases)}-{datetime.now():%Y%m%d-%H%M%S}"


def _place(out: Path, name: str) -> Path:
    """Where a sweep stands until it is finished."""
    return out / f".{name}.sweep"


def _manifest(
    job: Job, cases: Sequence[Case], name: str, evidence_folder: str | None
) -> dict[str, Any]:
    model = find_model(job.model)
    return {
        "format": FORMAT,
        "sweep": name,
        **provenance(),
        "model": {"name": model.name, "version": model.version},
        "sampler": {
            key: value
            for key, value in asdict(job.options.of(model)).items()
            if key not in ("seed", "cores")
        },
        "keep_draws": job.keep_draws,
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


def _work(
    found: Sweep, job: Job, cases: Sequence[Case], workers: Workers, target: Path, talk: Talk
) -> Sweep:
    """Ask what has no answer yet, write down what comes, then the tables; the folder takes its name."""
    journal = _journal(found.path / ANSWERS)
    asked = [
        case for case in cases if case.name not in journal.places or case.name in journal.failed
    ]
    started = time.perf_counter()
    with adding(found.path / ANSWERS, journal.end) as write:

        def lost(text: str) -> None:
            write({"lost": text})
            talk.failed(text)

        talk.say("each worker compiles the model first")
        done, bad = len(cases) - len(asked), 0
        try:
            with closing(workers(job, asked, lost)) as answers:
                for answer in answers:
                    if answer.draws is not None:
                        _write_draws(found.path / DRAWS, answer)
                    write(
                        {
                            "case": answer.case,
                            "error": answer.error,
                            "seconds": dict(answer.seconds),
                            **answer.record,
                        }
                    )
                    done, bad = done + 1, bad + bool(answer.error)
                    if talk.progress is not None:
                        talk.progress(done, len(cases), bad)
        finally:
            write(
                {
                    "sitting": {
                        "seconds": round(time.perf_counter() - started, 3),
                        "cases": done - len(cases) + len(asked),
                    }
                }
            )
    return _finish(found, target, talk)


def _write_draws(folder: Path, answer: Answer) -> None:
    assert answer.draws is not None
    folder.mkdir(exist_ok=True)
    half = folder / f".{answer.case}.nc"
    packed = {
        name: {"zlib": True, "complevel": 1, "shuffle": True} for name in answer.draws.data_vars
    }
    answer.draws.to_netcdf(half, engine="h5netcdf", encoding=packed)
    half.replace(folder / f"{answer.case}.nc")


def _finish(found: Sweep, target: Path, talk: Talk) -> Sweep:
    """Write the tables and the verdict; the folder takes its name."""
    talk.say("writing the table")
    journal, failures, checks, seconds = (
        _journal(found.path / ANSWERS),
        [],
        0,
        dict.fromkeys(LAPS, 0.0),
    )
    with _table(found.path / CASES) as cases, _table(found.path / TABLE) as table:
        for case, answer in zip(found.info["cases"], found.answers(), strict=True):
            verdict = answer.get("verdict", "no answer")
            cases(
                {
                    **case,
                    "verdict": verdict,
                    **{f"{lap}_seconds": answer["seconds"].get(lap) for lap in LAPS},
                }
            )
            for lap in LAPS:
                seconds[lap] += answer["seconds"].get(lap, 0.0)
            if answer["error"]:
                failures.append({**case, "error": answer["error"]})
                continue
            checks += verdict != "pass"
            for name, row in answer["quantities"].items():
                table({**case, "verdict": verdict, "quantity": name, **row})
            for name, chance in answer["claims"].items():
                table(
                    {
                        **case,
                        "verdict": verdict,
                        "quantity": name,
                        "unit": "probability",
                        "mean": chance,
                    }
                )
    info = {
        **found.info,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdict": "pass" if not failures and not checks else "fail",
        "failures": failures,
        "failed_checks": checks,
        "lost": journal.lost,
        "sittings": journal.sittings,
        "seconds": {lap: round(total, 3) for lap, total in seconds.items()},
    }
    write_json(found.path / SWEEP, info)
    if target.exists():
        raise InputError(
            f"name: {target} was taken meanwhile; move it away, then aligntax sweep --resume {target.name}"
        )
    (found.path / LOCK).unlink()
    found.path.rename(target)
    return Sweep(target, info)


@contextmanager
def _table(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """What writes a row of a CSV whose columns are those of :data:`COLUMNS`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS[path.name])
        writer.writeheader()
        yield writer.writerow
