"""Simulation-based calibration as a result: a folder, complete or absent, that can be gone on with.

====================
=====================================================================================
``calibration.json``  what was asked, with what versions and evidence; when finished, every
quantity's tests ``view.toml``         the view, resolved and complete ``ranks.csv``         a row a
simulation: its number, seed, prior draws until it was kept, divergences, ranks ``ranks.jsonl``
the same as it was found, a line a simulation, failures too ``ranks.png``         how far the ranks
of each quantity stray from uniform, beside the simultaneous band; by the command ``report.html``
the same with every test, as a page; by the command ====================
=====================================================================================

Until every simulation is done the folder is hidden (``.NAME.calibration``) and held by one process.
Simulation ``i`` has the seed ``i`` of the root's, so what it finds depends neither on the number of
workers nor on how often it was interrupted.
"""

import csv
import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import generator
from aligntax.analysis.storage.journal import LOCK, adding, held, read
from aligntax.analysis.storage.run_folder import provenance, run_name, text_of
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.sweeps.grid import Answer, Case
from aligntax.analysis.sweeps.workers import Workers
from aligntax.analysis.trust.calibration.doubled_evidence import LIKELIHOOD_ROWS
from aligntax.analysis.trust.calibration.ranks import Band, chi_square, coverage, holm
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

if TYPE_CHECKING:
    from aligntax.analysis.trust.calibration.simulation import Calibrator, Simulation


CALIBRATION, RANKS, TABLE, VIEW = "calibration.json", "ranks.jsonl", "ranks.csv", "view.toml"
FORMAT = 1
LEVEL = 0.01  # chance that a right model is rejected at all, by each test over all quantities
FEWEST, MOST = 20, 100_000  # simulations
QUIET = Talk()


@dataclass(frozen=True)
class Job:
    """What is the same for every simulation.

    Attributes
    ----------
    model : str
    view : View
    evidence : Evidence
        Whose layout, errors and dates the simulated rows take.
    simulation : Simulation
    simulations : int
    seed : int
        Root of every simulation's.

    Raises
    ------
    InputError
        If there is no such model, it has no rows to simulate, or the number or seed is out of
        bounds.
    """

    model: str
    view: View
    evidence: Evidence
    simulation: "Simulation"
    simulations: int = 300
    seed: int = 2022

    def __post_init__(self) -> None:
        model = find_model(self.model)
        if not FEWEST <= self.simulations <= MOST:
            rule = f"must lie between {FEWEST} and {MOST}"
            raise InputError(
                f"simulations: {rule}, got {self.simulations}; 300 see a shift of a quarter of an sd"
            )
        Sampling(seed=self.seed)  # refuses what is none
        held = restrict(self.evidence, self.view, model)
        own = [
            table
            for table in model.tables
            if table not in LIKELIHOOD_ROWS and held[table]["used"].any()
        ]
        if self.simulation.posterior and own:
            rule = f"needs rows without parameters of their own, got {', '.join(own)}"
            raise InputError(
                f"posterior: {rule}; calibrate {model.name} from its prior: leave --posterior out"
            )
        if not any(held[table]["used"].any() for table in model.tables):
            rule = f"must hold rows of {', '.join(model.tables)}, whose layout is simulated"
            raise InputError(
                f"evidence: {rule}, got none; give your own with --runs FILE, or a view that uses evidence"
            )

    def cases(self) -> list[Case]:
        """Every simulation, with its seed."""
        seeds = generator(self.seed, "calibration").integers(2**32, size=self.simulations)
        return [Case(f"{i:06d}", self.view, int(seed)) for i, seed in enumerate(seeds, 1)]

    def answerer(self) -> "Calibrating":
        """Who simulates in a process."""
        return Calibrating(self)


@dataclass
class Calibrating:
    """Simulates case after case in one process, with one compiled model."""

    job: Job
    calibrator: "Calibrator | None" = None

    def answer(self, case: Case, cores: int = 1) -> Answer:
        """Do one simulation; whatever goes wrong is told in the answer, so that the others go on."""
        from aligntax.analysis.trust.calibration.simulation import Calibrator

        started = time.perf_counter()
        try:
            if self.calibrator is None:
                job = self.job
                self.calibrator = Calibrator.of(
                    find_model(job.model), job.evidence, job.view, job.simulation
                )
            found = self.calibrator.run(case.seed)
        except Exception as error:
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            return Answer(case.name, error=f"{kind}{error}" or type(error).__name__)
        record = {
            "attempts": found.attempts,
            "divergences": found.divergences,
            "ranks": dict(found.ranks),
        }
        return Answer(case.name, record, {"simulation": round(time.perf_counter() - started, 3)})


@dataclass(frozen=True)
class Calibration:
    """A calibration on disk.

    Attributes
    ----------
    path : Path
    info : mapping
        ``calibration.json``.
    """

    path: Path
    info: Mapping[str, Any]

    def ranks(self) -> dict[str, Any]:
        """Ranks of each quantity, shape (simulation,), in the order of simulations; failures are left out."""
        found = _journal(self.path)
        answered = [
            found.answers[name]
            for name in sorted(found.answers)
            if not found.answers[name]["error"]
        ]
        if not answered:
            return {}
        return {
            name: np.array([each["ranks"][name] for each in answered])
            for name in answered[0]["ranks"]
        }


@dataclass
class Journal:
    """What ``ranks.jsonl`` holds: each simulation's last line by its number, workers that were lost, and where it ends."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0
    end: int = 0


def _journal(folder: Path) -> Journal:
    found = Journal()

    def enter(line: Mapping[str, Any], begins: int) -> None:
        if "lost" in line:
            found.lost.append(line["lost"])
        elif "sitting" in line:
            found.seconds += line["sitting"]
        elif line["error"] or line["ranks"]:
            found.answers[line["case"]] = dict(line)

    found.end = read(folder / RANKS, "calibrate", enter)
    return found


def default_name(job: Job) -> str:
    """Name of a calibration that is given none: model, number of simulations, control and time."""
    control = "" if job.simulation.control == "none" else f"-{job.simulation.control}"
    control += "-posterior" if job.simulation.posterior else ""
    return f"calibration-{job.model}-{job.simulations}{control}-{datetime.now():%Y%m%d-%H%M%S}"


def _place(out: Path, name: str) -> Path:
    """Where a calibration stands until it is finished."""
    return out / f".{name}.calibration"


def goes_on(name: str, out: Path) -> bool:
    """Whether there is an unfinished calibration of that name, to go on with."""
    return (_place(out, name) / CALIBRATION).is_file()


def calibrate(
    job: Job,
    workers: Workers,
    out: Path | str = "results",
    name: str | None = None,
    talk: Talk = QUIET,
) -> Calibration:
    """Do every simulation and leave a folder; an unfinished one of the same name that was asked the same is gone on with.

    Parameters
    ----------
    job : Job
    workers : callable
        Who simulates; see :mod:`aligntax.analysis.sweeps.workers`.
    out : path
        Folder of results.
    name : str, optional
        Default model, simulations and time.
    talk : Talk

    Raises
    ------
    InputError
        If the name is taken, the unfinished calibration was asked something else, or the folder
        cannot be written.
    """
    out = Path(out)
    name = run_name(name or default_name(job))
    place, question = _place(out, name), _question(job)
    if (out / name).exists():
        raise InputError(
            f"name: must be new, got {name!r}, which exists in {out}; choose another with --name"
        )
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = "must be a folder that can be written"
        raise InputError(
            f"out: {rule}, got {out} ({error.strerror}); choose another with --out"
        ) from None
    with held(place, "calibrate"):
        if (place / CALIBRATION).is_file():
            _check_same(load_calibration(place).info, question, name)
        else:
            (place / VIEW).write_text(job.view.to_toml(), "utf-8")
            write_json(place / CALIBRATION, {"calibration": name, **question, **provenance()})
        return _work(
            Calibration(place, load_calibration(place).info), job, workers, out / name, talk
        )


def _question(job: Job) -> dict[str, Any]:
    model = find_model(job.model)
    sampler = {
        key: value
        for key, value in asdict(job.simulation.sampling.of(model)).items()
        if key not in ("seed", "cores")
    }
    return {
        "format": FORMAT,
        "model": {"name": model.name, "version": model.version},
        "view": {"name": job.view.name, "hash": job.view.hash},
        "evidence": {"hash": job.evidence.hash},
        "control": job.simulation.control,
        "posterior": job.simulation.posterior,
        "simulations": job.simulations,
        "seed": job.seed,
        "sampler": sampler,
    }


def _check_same(info: Mapping[str, Any], question: Mapping[str, Any], name: str) -> None:
    """Refuse to go on with a calibration that was asked something else."""
    for key, value in question.items():
        if info.get(key) != value:
            rule = f"{name} is unfinished and was asked {key} {info.get(key)}"
            raise InputError(
                f"name: {rule}, got {value}; ask the same to go on with it, or choose another with --name"
            )


def load_calibration(folder: Path) -> Calibration:
    """Read what a calibration says of itself.

    Raises
    ------
    InputError
        If it is not what ``aligntax calibrate`` writes.
    """
    try:
        info = json.loads(text_of(folder / CALIBRATION))
        good = info["format"] == FORMAT and {
            "model",
            "view",
            "control",
            "simulations",
            "seed",
        } <= set(info)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        rule = f"{folder / CALIBRATION} must be as `aligntax calibrate` writes it"
        raise InputError(f"calibration: {rule}, got {error}; calibrate again") from None
    if not good:
        rule = f"{folder / CALIBRATION} must have format {FORMAT}"
        raise InputError(f"calibration: {rule}, got another; it was written by another version")
    return Calibration(folder, info)


def _work(found: Calibration, job: Job, workers: Workers, target: Path, talk: Talk) -> Calibration:
    """Do what has not been done yet, and write down what comes; then the tests, and the folder takes its name."""
    journal, cases = _journal(found.path), job.cases()
    done = {name for name, line in journal.answers.items() if not line["error"]}
    asked = [case for case in cases if case.name not in done]
    seeds, started, bad = {case.name: case.seed for case in cases}, time.perf_counter(), 0
    with adding(found.path / RANKS, journal.end) as add:

        def lost(text: str) -> None:
            add({"lost": text})
            talk.failed(text)

        talk.say("each worker compiles the model first")
        try:
            with closing(workers(job, asked, lost)) as answers:
                for count, answer in enumerate(answers, len(done) + 1):
                    line = {"case": answer.case, "seed": seeds[answer.case], "error": answer.error}
                    add({**line, **answer.seconds, **answer.record})
                    bad += bool(answer.error)
                    if talk.progress is not None:
                        talk.progress(count, len(cases), bad)
        finally:
            add({"sitting": round(time.perf_counter() - started, 3)})
    return _finish(found, target)


def _finish(found: Calibration, target: Path) -> Calibration:
    """Write the table and the tests; the folder takes its name."""
    journal, ranks = _journal(found.path), found.ranks()
    failures = [
        {"case": n, "error": line["error"]}
        for n, line in sorted(journal.answers.items())
        if line["error"]
    ]
    with (found.path / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["simulation", "seed", "attempts", "divergences", *ranks])
        for name, line in sorted(journal.answers.items()):
            if not line["error"]:
                writer.writerow(
                    [
                        name,
                        line["seed"],
                        line["attempts"],
                        line["divergences"],
                        *line["ranks"].values(),
                    ]
                )
    good = [line for line in journal.answers.values() if not line["error"]]
    tests = assess(ranks) if ranks else {}
    rejected = [
        name
        for name, row in tests.items()
        if min(row["p_band_holm"], row["p_chi_square_holm"]) < LEVEL
    ]
    wrong = [
        name
        for name, row in tests.items()
        if min(row["p_covered_50_holm"], row["p_covered_90_holm"]) < LEVEL
    ]
    passed = bool(tests) and not (rejected or wrong or failures)
    if found.info["control"] != "none":
        passed = bool(rejected or wrong)
    info = {
        **found.info,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(journal.seconds, 3),
        "verdict": "pass" if passed else "fail",
        "rejected": rejected,
        "coverage_rejected": wrong,
        "failures": failures,
        "lost": journal.lost,
        "attempts": sum(line["attempts"] for line in good),
        "divergences": sum(line["divergences"] for line in good),
        "with_divergences": sum(line["divergences"] > 0 for line in good),
        "quantities": tests,
    }
    write_json(found.path / CALIBRATION, info)
    if target.exists():
        raise InputError(
            f"name: {target} was taken meanwhile; move it away, then calibrate again as before"
        )
    (found.path / LOCK).unlink()
    found.path.rename(target)
    return Calibration(target, info)


def assess(ranks: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Tests of every quantity's ranks: the path against the band, chi-square, coverage; each with Holm's adjustment.

    Parameters
    ----------
    ranks : mapping of str to ndarray, shape (simulation,)

    Returns
    -------
    dict
        Quantity to ``p_band``, ``p_chi_square``, ``covered_50``, ``covered_90`` and their p-values,
        with ``_holm`` adjusted.
    """
    band = Band(len(next(iter(ranks.values()))))
    columns: dict[str, list[float]] = {"p_band": [], "p_chi_square": []}
    columns |= {
        f"{what}_{percent}": [] for percent in (50, 90) for what in ("covered", "p_covered")
    }
    for each in ranks.values():
        columns["p_band"].append(band.p(each))
        columns["p_chi_square"].append(chi_square(each))
        for percent in (50, 90):
            share, p = coverage(each, percent / 100)
            columns[f"covered_{percent}"].append(share)
            columns[f"p_covered_{percent}"].append(p)
    adjusted = {
        f"{name}_holm": holm(p).tolist() for name, p in columns.items() if name.startswith("p_")
    }
    rows = zip(*(columns | adjusted).values(), strict=True)
    return {
        name: dict(zip([*columns, *adjusted], row, strict=True))
        for name, row in zip(ranks, rows, strict=True)
    }
