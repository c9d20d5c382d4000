"""A study that can be resumed: many cases, answered by workers and written down one at a time.

A study is a folder. Its manifest states what was asked; its journal has one JSON line per answer,
per worker that was lost and per *sitting*, the time between a start and the next stop. The tables
are written at the end.

The folder is hidden and locked by one process until every case is answered, then it takes its own
name. The line of an answer is on disk before the next answer is taken, so a study that is cut off
loses only the cases that were being answered. Cases without an answer, and those that failed, are
asked again when the study is resumed.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from aligntax.analysis.inference.options import Talk
from aligntax.analysis.storage.journal import LOCK, append_to_journal, read_journal
from aligntax.analysis.storage.run_folder import read_text
from aligntax.analysis.storage.whole_file import write_json
from aligntax.analysis.storage.written import note_written
from aligntax.analysis.sweeps.grid import Answer, Case
from aligntax.analysis.sweeps.workers import Job, Workers
from aligntax.models.errors import InputError

FORMAT = 1  # of a manifest


@dataclass
class Journal:
    """Contents of a journal.

    Attributes
    ----------
    places : dict of str to int
        Where the last line of each case begins, bytes.
    failed : set of str
        Cases whose last line has an error.
    lost : list of str
        What was said of each worker that died.
    sittings : list
        As :meth:`Study.sitting` returns them.
    end : int
        Where the last whole line ends, bytes.
    """

    places: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    sittings: list[Any] = field(default_factory=list)
    end: int = 0

    @property
    def answered(self) -> set[str]:
        """Cases that have an answer and no error."""
        return set(self.places) - self.failed

    def enter(self, result: str, line: Mapping[str, Any], begins: int) -> None:
        """Take in one line; an answer without an error must have the key ``result``."""
        if "lost" in line:
            self.lost.append(line["lost"])
        elif "sitting" in line:
            self.sittings.append(line["sitting"])
        elif line["error"]:
            self.places[line["case"]] = begins
            self.failed.add(line["case"])
        elif line[result]:
            self.places[line["case"]] = begins
            self.failed.discard(line["case"])


@dataclass(frozen=True)
class Study(ABC):
    """A study on disk.

    Attributes
    ----------
    path : Path
        Its folder, hidden or finished.
    info : mapping
        Its manifest.
    """

    path: Path
    info: Mapping[str, Any]

    NAME: ClassVar[str]  # in messages, and the ending of the hidden folder
    COMMAND: ClassVar[str]  # ``aligntax COMMAND`` writes it
    MANIFEST: ClassVar[str]
    JOURNAL: ClassVar[str]
    KEYS: ClassVar[frozenset[str]]  # that a manifest must have
    RESULT: ClassVar[str]  # key of a journal's line that an answer without an error has

    def __repr__(self) -> str:
        info, verdict = self.info, self.info.get("verdict", "not finished")
        failures = len(info.get("failures", ()))
        return (
            f"{type(self).__name__} of {info['model']['name']}: verdict {verdict}, "
            f"{failures} without an answer\nfolder: {self.path}"
        )

    @abstractmethod
    def store(self, case: Case, answer: Answer) -> dict[str, Any]:
        """Store what the journal does not hold of an answer, and return the line for the rest."""

    @abstractmethod
    def sitting(self, seconds: float, answers: int) -> Any:
        """Entry of the journal for a sitting."""

    @abstractmethod
    def summarise(self, journal: Journal) -> dict[str, Any]:
        """Write the tables; return what a finished manifest has besides the question."""

    @classmethod
    def hidden(cls, out: Path, name: str) -> Path:
        """Folder of a study that is not finished."""
        return out / f".{name}.{cls.NAME}"

    @classmethod
    def is_unfinished(cls, name: str, out: Path) -> bool:
        """Whether there is an unfinished study of that name, which can be resumed."""
        return (cls.hidden(out, name) / cls.MANIFEST).is_file()

    @classmethod
    def make_hidden(cls, out: Path, name: str) -> Path:
        """Make the hidden folder, or take the one that a study left when it was killed.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        place = cls.hidden(out, name)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            rule = "must be a folder that can be written"
            raise InputError(
                f"out: {rule}, got {out} ({error.strerror}); choose another with --out"
            ) from None
        return place

    @classmethod
    def check_free(cls, out: Path, name: str) -> None:
        """Refuse the name of a folder that exists.

        Raises
        ------
        InputError
            If it does.
        """
        if (out / name).exists():
            rule = f"must be new, got {name!r}, which exists in {out}"
            raise InputError(f"name: {rule}; choose another with --name")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the manifest.

        Raises
        ------
        InputError
            If it is not as the command writes it.
        """
        path = folder / cls.MANIFEST
        try:
            info = json.loads(read_text(path))
            good = info["format"] == FORMAT and set(info) >= cls.KEYS
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            rule = f"{path} must be as `aligntax {cls.COMMAND}` writes it"
            raise InputError(f"{cls.NAME}: {rule}, got {error}; {cls.COMMAND} again") from None
        if not good:
            rule = f"{path} must have format {FORMAT}"
            raise InputError(f"{cls.NAME}: {rule}, got another; it was written by another version")
        return cls(folder, info)

    def journal(self) -> Journal:
        """Read the journal up to its last whole line.

        Raises
        ------
        InputError
            If an earlier line is damaged.
        """
        found = Journal()
        enter = partial(found.enter, self.RESULT)
        found.end = read_journal(self.path / self.JOURNAL, self.COMMAND, enter)
        return found

    def lines(self, journal: Journal, cases: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Last line of each of these cases, read one at a time; cases without one are left out."""
        with (self.path / self.JOURNAL).open("rb") as file:
            for case in cases:
                if case in journal.places:
                    file.seek(journal.places[case])
                    yield json.loads(file.readline())

    def resume(
        self,
        job: Job,
        cases: Sequence[Case],
        workers: Workers,
        target: Path,
        talk: Talk,
        again: str,
    ) -> Self:
        """Ask for the cases without an answer, write the tables and give the folder its own name.

        Parameters
        ----------
        job : Job
            What is the same for every case.
        cases : sequence of Case
            All of them.
        target : Path
            The folder's own name.
        again : str
            What a user does who finds this name taken in the meantime.

        Raises
        ------
        InputError
            If the name is taken in the meantime.
        """
        self._answer(job, cases, workers, talk)
        talk.say("writing the table")
        journal = self.journal()
        info = {
            **self.info,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            **self.summarise(journal),
        }
        write_json(self.path / self.MANIFEST, info)
        if target.exists():
            raise InputError(f"name: {target} was taken meanwhile; move it away, then {again}")
        (self.path / LOCK).unlink()
        self.path.rename(target)
        note_written(target)
        return type(self)(target, info)

    def _answer(self, job: Job, cases: Sequence[Case], workers: Workers, talk: Talk) -> None:
        """Ask for the cases without an answer, and write down each answer before the next."""
        journal = self.journal()
        done = journal.answered
        asked = {case.name: case for case in cases if case.name not in done}
        before, failures, started = len(cases) - len(asked), 0, time.perf_counter()
        count = before
        with append_to_journal(self.path / self.JOURNAL, journal.end) as write:

            def lost(text: str) -> None:
                write({"lost": text})
                talk.failed(text)

            talk.say("each worker compiles the model first")
            try:
                # closing ends the workers at once when writing fails
                with closing(workers(job, list(asked.values()), lost)) as answers:
                    for answer in answers:
                        write(self.store(asked[answer.case], answer))
                        count, failures = count + 1, failures + bool(answer.error)
                        if talk.progress is not None:
                            talk.progress(count, len(cases), failures)
            finally:
                seconds = round(time.perf_counter() - started, 3)
                write({"sitting": self.sitting(seconds, count - before)})
