"""The verb ``foresee_since``: what a year's rows were foreseen to do, and what they did."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntax.analysis.foresee import check_number
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.progress import talking
from aligntax.analysis.result import as_result
from aligntax.analysis.storage.result import Result
from aligntax.models.errors import InputError
from aligntax.models.evidence import NO_TAI

if TYPE_CHECKING:
    from aligntax.analysis.trust.replayed_rows import Replayed

REPLAYS = 12  # simulations of the rows that came since a date


@dataclass(frozen=True)
class Replay:
    """How far the rows of a year were foreseen to narrow each answer, and how far they did.

    Attributes
    ----------
    since, until : float
        Decimal years between which they came.
    rows : mapping of str to int
        How many came, by table.
    answers : mapping of str to Replayed
        By headline quantity.
    """

    run: Result
    since: float
    until: float
    simulations: int
    rows: Mapping[str, int]
    answers: "Mapping[str, Replayed]" = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """What ``aligntax foresee --since --json`` prints."""
        plain = {key: getattr(self, key) for key in ("since", "until", "simulations")}
        answers = {name: each.to_dict() for name, each in self.answers.items()}
        return {
            "run": self.run.path.name,
            "verdict": self.run.record["verdict"],
            "exceptions": list(self.run.record.get("exceptions", ())),
            **plain,
            "rows": dict(self.rows),
            "answers": answers,
        }


def foresee_since(
    run: str | os.PathLike[str] | Result,
    since: float,
    simulations: int = REPLAYS,
    seed: int = 2022,
    *,
    out: str | os.PathLike[str] = "results",
    talk: Talk | None = None,
    progress: bool = True,
) -> Replay:
    """Foresee from an earlier date what the rows of the next year then did; by refits alone.

    Parameters
    ----------
    run : str, path or Result
        A run, whose view and evidence are taken.
    since : float
        Decimal year: 2023 is the end of 2022.
    simulations, seed, out, talk, progress
        As in :func:`foresee`.

    Raises
    ------
    InputError
        If there is no such run, a number is out of bounds, or no row came.
    """
    check_number("simulations", simulations, 4, 1000, f"{REPLAYS} are the default")
    with talking(talk, progress, "refitting", "failed") as told:
        result = as_result(run, out)
        last = result.evidence.constant(NO_TAI) - 1.0
        if not 2000 <= since <= last:
            rule = f"must lie between 2000 and {last:.1f}, a year before the evidence ends"
            raise InputError(f"since: {rule}, got {since:g}; give a date such as 2023")
        from aligntax.analysis.trust.replayed_rows import replayed

        rows, answers = replayed(result, since, since + 1.0, simulations, seed, told)
    return Replay(result, since, since + 1.0, simulations, rows, answers)
