"""Simulation-based calibration as a result: a folder that can be resumed.

``calibration.json``
    What was asked, with versions and evidence; when finished, the tests of every quantity.
``view.toml``
    The view, resolved and complete.
``ranks.csv``
    One row per simulation: number, seed, prior draws until one was kept, divergences, ranks.
``ranks.jsonl``
    The journal: one line per simulation, in the order of finishing, failures too.
``ranks.png``
    How far the ranks of each quantity stray from uniform, beside the simultaneous band; drawn by
    the command.
``report.html``
    The same with every test, as a page; written by the command.

An unfinished calibration is the hidden folder ``.NAME.calibration``; see
:mod:`aligntax.analysis.sweeps.resumable`. Each simulation has a seed of its own, derived from the
root seed and its number, so its ranks depend neither on the number of workers nor on interruptions.
"""

import csv
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.storage.journal import hold_folder
from aligntax.analysis.storage.run_folder import provenance, run_name
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.sweeps.grid import Answer, Case, failed
from aligntax.analysis.sweeps.resumable import FORMAT, Journal, Study
from aligntax.analysis.sweeps.workers import Workers
from aligntax.analysis.trust.calibration.doubled_evidence import LIKELIHOOD_ROWS
from aligntax.analysis.trust.calibration.family import COVERED, LEVEL, assess, stated_power
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.registry import EXTENSIONS, Registrations
from aligntax.models.views import View

if TYPE_CHECKING:
    from aligntax.analysis.trust.calibration.simulation import Calibrator, Simulation


CALIBRATION, RANKS, TABLE, VIEW = "calibration.json", "ranks.jsonl", "ranks.csv", "view.toml"
FEWEST, MOST = 20, 100_000  # simulations
QUIET = Talk()


@dataclass(frozen=True)
class CalibrationJob:
    """What is the same for every simulation.

    Attributes
    ----------
    model : str
        Name in the catalogue.
    evidence : Evidence
        Simulated rows take its layout, errors and dates.
    simulations : int
        How many.
    seed : int
        Root of the seeds of all simulations.
    registered : Registrations
        What this session registered by hand, which workers register too.

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
    registered: Registrations = field(default_factory=EXTENSIONS.by_hand)

    def __post_init__(self) -> None:
        model = find_model(self.model)
        if not FEWEST <= self.simulations <= MOST:
            rule = f"must lie between {FEWEST} and {MOST}"
            raise InputError(
                f"simulations: {rule}, got {self.simulations}; "
                "300 see a shift of 0.3 sd of one quantity, and of 0.4 sd of one among 250"
            )
        Sampling(seed=self.seed)  # refuses a seed out of bounds
        used = restrict(self.evidence, self.view, model)
        own = [
            table
            for table in model.tables_of(used)
            if table not in LIKELIHOOD_ROWS and used[table]["used"].any()
        ]
        if self.simulation.posterior and own:
            rule = f"needs rows without parameters of their own, got {', '.join(own)}"
            raise InputError(
                f"posterior: {rule}; calibrate {model.name} from its prior: leave --posterior out"
            )
        if self.simulation.control == "unshared" and model.name != "overoptimization":
            rule = f"unshared needs runs of proxy rewards, got the model {model.name}"
            raise InputError(f"control: {rule}; choose another control")
        if not any(used[table]["used"].any() for table in model.tables_of(used)):
            rule = f"must hold rows of {', '.join(model.tables)}, whose layout is simulated"
            raise InputError(
                f"evidence: {rule}, got none; "
                "give your own with --runs FILE, or a view that uses evidence"
            )

    def cases(self) -> list[Case]:
        """Every simulation, with its seed."""
        seeds = child_generator(self.seed, "calibration").integers(2**32, size=self.simulations)
        return [Case(f"{i:06d}", self.view, int(seed)) for i, seed in enumerate(seeds, 1)]

    def answerer(self) -> "CalibrationAnswerer":
        """Make what simulates in a worker's process."""
        self.registered.repeat()
        return CalibrationAnswerer(self)


@dataclass
class CalibrationAnswerer:
    """Runs simulation after simulation in one process, with one compiled model.

    Attributes
    ----------
    calibrator : Calibrator, optional
        Compiled with the first simulation.
    """

    job: CalibrationJob
    calibrator: "Calibrator | None" = None

    def answer(self, case: Case, cores: int = 1) -> Answer:
        """Run one simulation; an error becomes its answer, so that the others go on."""
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
            return failed(case, error)
        record = {
            "attempts": found.attempts,
            "divergences": found.divergences,
            "ranks": dict(found.ranks),
        }
        return Answer(case.name, record, {"simulation": round(time.perf_counter() - started, 3)})


@dataclass(frozen=True, repr=False)
class Calibration(Study):
    """A calibration on disk; ``info`` is ``calibration.json``."""

    NAME = "calibration"
    COMMAND = "calibrate"
    MANIFEST = CALIBRATION
    JOURNAL = RANKS
    KEYS = frozenset({"model", "view", "control", "simulations", "seed"})
    RESULT = "ranks"

    def ranks(self) -> dict[str, Any]:
        """Ranks of each quantity, shape (simulation,), in order; failures are left out."""
        return _ranks(self._answered(self.journal()))

    def _answered(self, journal: Journal) -> list[dict[str, Any]]:
        """Lines of the simulations that did not fail, in order."""
        return list(self.lines(journal, sorted(journal.answered)))

    def store(self, case: Case, answer: Answer) -> dict[str, Any]:
        """Line of the journal for a simulation."""
        line = {"case": answer.case, "seed": case.seed, "error": answer.error}
        return {**line, **answer.seconds, **answer.record}

    def sitting(self, seconds: float, answers: int) -> float:
        """Seconds of a sitting."""
        return seconds

    def summarise(self, journal: Journal) -> dict[str, Any]:
        """Write the table; return the tests and the verdict."""
        answered = self._answered(journal)
        ranks = _ranks(answered)
        _write_table(self.path / TABLE, answered, ranks)
        failures = [
            {"case": line["case"], "error": line["error"]}
            for line in self.lines(journal, sorted(journal.failed))
        ]
        tests = assess(ranks) if ranks else {}
        rejected = _rejected(tests, "p_band_holm", "p_chi_square_holm")
        wrong = _rejected(tests, *(f"p_covered_{percent}_holm" for percent in COVERED))
        passed = bool(tests) and not (rejected or wrong or failures)
        if self.info["control"] != "none":
            passed = bool(rejected or wrong)  # a fit that is wrong on purpose must be caught
        return {
            "seconds": round(sum(journal.sittings), 3),
            "verdict": "pass" if passed else "fail",
            "rejected": rejected,
            "coverage_rejected": wrong,
            "failures": failures,
            "lost": journal.lost,
            "attempts": sum(line["attempts"] for line in answered),
            "divergences": sum(line["divergences"] for line in answered),
            "with_divergences": sum(line["divergences"] > 0 for line in answered),
            "size": LEVEL,
            "power": stated_power(len(answered), len(tests)) if tests else None,
            "quantities": tests,
        }


def _ranks(answered: list[dict[str, Any]]) -> dict[str, Any]:
    """Ranks of each quantity, shape (simulation,), from lines of the journal."""
    if not answered:
        return {}
    return {
        name: np.array([line["ranks"][name] for line in answered]) for name in answered[0]["ranks"]
    }


def _write_table(path: Path, answered: list[dict[str, Any]], ranks: Mapping[str, Any]) -> None:
    """Write one row per simulation that did not fail."""
    about = ("seed", "attempts", "divergences")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["simulation", *about, *ranks])
        for line in answered:
            numbers = [line[name] for name in about]
            writer.writerow([line["case"], *numbers, *line["ranks"].values()])


def _rejected(tests: Mapping[str, Mapping[str, float]], *keys: str) -> list[str]:
    """Quantities that one of these tests rejects."""
    return [name for name, row in tests.items() if min(row[key] for key in keys) < LEVEL]


def default_name(job: CalibrationJob) -> str:
    """Name of a calibration that is given none: model, simulations, control and time."""
    control = "" if job.simulation.control == "none" else f"-{job.simulation.control}"
    control += "-posterior" if job.simulation.posterior else ""
    return f"calibration-{job.model}-{job.simulations}{control}-{datetime.now():%Y%m%d-%H%M%S}"


def calibrate(
    job: CalibrationJob,
    workers: Workers,
    out: Path | str = "results",
    name: str | None = None,
    talk: Talk = QUIET,
) -> Calibration:
    """Run every simulation and leave a calibration's folder.

    An unfinished calibration of the same name that was asked the same is resumed.

    Parameters
    ----------
    workers : callable
        Runs the simulations; see :mod:`aligntax.analysis.sweeps.workers`.
    out : path
        Folder of results.
    name : str, optional
        By default model, number of simulations and time.

    Raises
    ------
    InputError
        If the name is taken, the unfinished calibration was asked something else, or the folder
        cannot be written.
    """
    out = Path(out)
    name = run_name(name or default_name(job))
    job = replace(job, view=job.view.stating(find_model(job.model).quantities))
    question = _question(job)
    Calibration.check_free(out, name)
    place = Calibration.make_hidden(out, name)
    with hold_folder(place, Calibration.COMMAND):
        if Calibration.is_unfinished(name, out):
            _check_same(Calibration.load(place).info, question, name)
        else:
            (place / VIEW).write_text(job.view.to_toml(), "utf-8")
            write_json(place / CALIBRATION, {"calibration": name, **question, **provenance()})
        found = Calibration.load(place)
        again = "calibrate again as before"
        return found.resume(job, job.cases(), workers, out / name, talk, again)


def _question(job: CalibrationJob) -> dict[str, Any]:
    """What a calibration is asked: equal for a calibration and for one that resumes it."""
    model = find_model(job.model)
    options = asdict(job.simulation.sampling.of(model))
    return {
        "format": FORMAT,
        "model": {"name": model.name, "version": model.version},
        "view": {"name": job.view.name, "hash": job.view.hash},
        "evidence": {"hash": job.evidence.hash},
        "control": job.simulation.control,
        "posterior": job.simulation.posterior,
        "simulations": job.simulations,
        "seed": job.seed,
        # each simulation has its own seed, and cores change no draw
        "sampler": {key: value for key, value in options.items() if key not in ("seed", "cores")},
    }


def _check_same(info: Mapping[str, Any], question: Mapping[str, Any], name: str) -> None:
    """Refuse to resume a calibration that was asked something else."""
    for key, value in question.items():
        if info.get(key) != value:
            rule = f"{name} is unfinished and was asked {key} {info.get(key)}"
            raise InputError(
                f"name: {rule}, got {value}; "
                "ask the same to go on with it, or choose another with --name"
            )
