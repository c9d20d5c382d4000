"""The verbs ``sensitivity`` and ``move_prior``: what drives the answer of a run."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from aligntax.analysis.result import as_result
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.run_place import folder_of
from aligntax.models.errors import InputError
from aligntax.models.short_form import short_form

if TYPE_CHECKING:
    import pandas as pd

    from aligntax.analysis.answers.swings import Swing
    from aligntax.analysis.fitting.moved_prior import MedianRange, MovedPoint, ReusedAnswer


Run = str | os.PathLike[str] | Result
# quantities over which a prior is moved unless others are named
MOVED_ANSWERS = (
    "tai_year",
    "alignment_hours_needed",
    "labour_tax",
    "compute_tax",
)
POINTS = ("q05", "q50", "q95", "prob_above", "prob_below", "prob_undefined")


@dataclass(frozen=True)
class Sensitivity:
    """What drives the answer of a run.

    Attributes
    ----------
    run : Result
    names : tuple of str
        Headline quantities that were asked about; empty for all.
    whole : mapping
        Of each headline quantity every prior and table of evidence that moves it.
    worth : mapping or None
        What knowing more is worth for how many hours to buy; None without hours.
    apart : ReusedAnswer or None
        Answers without the view's correlations; None if it has none.
    swings : mapping
        Of each answer in hours, dollars or years: what it is where one quantity is low or high.
    """

    run: Result
    names: tuple[str, ...]
    whole: Mapping[str, Any] = field(repr=False)
    worth: Mapping[str, Any] | None = field(repr=False)
    apart: "ReusedAnswer | None" = field(repr=False)
    swings: "Mapping[str, tuple[Swing, ...]]" = field(repr=False, default_factory=dict)

    def __repr__(self) -> str:
        heads = ", ".join(list(self.whole["headlines"])[:4])
        return (
            f"Sensitivity of run {self.run.record['run']!r}: "
            f"{len(self.whole['headlines'])} quantities\n({heads}, ...); see table() and to_dict()"
        )

    @property
    def main(self) -> dict[str, Any]:
        """What stands out of the noise, as a run stores it."""
        from aligntax.analysis.answers.sensitivity import compact_record

        return compact_record(self.whole, self.worth)

    def table(self) -> "pd.DataFrame":
        """One row per headline quantity: in words, what moves it."""
        import pandas as pd

        from aligntax.analysis.answers.sensitivity_wording import driver_rows, shown_answers

        found = self.main
        rows = driver_rows(found, list(self.names) or shown_answers(found))
        return pd.DataFrame(rows).set_index("label")

    def to_dict(self) -> dict[str, Any]:
        """What ``aligntax sensitivity --json`` prints."""
        from aligntax.analysis.answers.sensitivity import to_four_digits

        names = list(self.whole["headlines"])
        return {
            "run": self.run.path.name,
            "simulated": self.run.record.get("simulated", ""),
            "verdict": self.run.record["verdict"],
            "exceptions": list(self.run.record.get("exceptions", ())),
            **to_four_digits(dict(self.whole)),
            "decision": to_four_digits(self.worth),
            "swings": {
                name: [to_four_digits(_ends(swing)) for swing in found]
                for name, found in self.swings.items()
            },
            "without_correlations": None if self.apart is None else _told(self.apart, names),
        }


def sensitivity(
    run: Run,
    quantity: Sequence[str] = (),
    price: float | None = None,
    *,
    out: str | os.PathLike[str] = "results",
) -> Sensitivity:
    """Say which priors and which evidence drive the answer, and what knowing more is worth.

    Parameters
    ----------
    run : str, path or Result
        A run.
    quantity : sequence of str
        Headline quantities; by default all that vary.
    price : float, optional
        USD lost per missing hour; by default such that hours that suffice in 80% of cases are best.
    out : path
        Folder of results.

    Raises
    ------
    InputError
        If there is no such run or quantity, or the run has too few draws.

    Examples
    --------
    >>> sorted(sensitivity("results/reference", ["tai_year"]).whole["headlines"])
    ['tai_year']
    """
    from aligntax.analysis.answers.sensitivity import analyse_drivers, hours_decision
    from aligntax.analysis.answers.sensitivity_draws import SensitivityDraws
    from aligntax.analysis.answers.swings import swings_of_run
    from aligntax.analysis.fitting.moved_prior import without_correlations
    from aligntax.analysis.storage.sampled_run import read_sampled_run

    if price is not None and not 0 < price < float("inf"):
        raise InputError(
            f"price: must be a positive number of USD, got {price}; leave it out for the default"
        )
    source, result = read_sampled_run(folder_of(run), out), as_result(run, out)
    draws = SensitivityDraws.of_result(result)
    names = _known(quantity, tuple(draws.answers))
    whole = analyse_drivers(draws)
    whole["headlines"] = {name: whole["headlines"][name] for name in names or whole["headlines"]}
    apart = without_correlations(source)
    worth, found = hours_decision(draws, price), swings_of_run(result)
    return Sensitivity(result, names, whole, worth, apart, found)


@dataclass(frozen=True)
class MovedPrior:
    """Answers as the median of one prior moves.

    Attributes
    ----------
    run : str
        Name of the run.
    range : MedianRange
        Values of the median.
    names : tuple of str
        Numbers that are shown.
    points : tuple of MovedPoint
        Answers at each value.
    horizon : float
        Decimal year after which an arrival is not dated.
    simulated : str
        That the run's evidence is simulated; empty where it is not.
    verdict : str
        ``pass`` or ``fail``, that of the run.
    exceptions : tuple of str
        What the run's report says against it, though its checks passed.
    """

    run: str
    range: "MedianRange"
    names: tuple[str, ...]
    points: "tuple[MovedPoint, ...]"
    horizon: float
    simulated: str = ""
    verdict: str = ""
    exceptions: tuple[str, ...] = ()
    __repr__ = short_form

    def to_dict(self) -> dict[str, Any]:
        """What ``aligntax sensitivity --sweep --json`` prints."""
        return {
            "run": self.run,
            "simulated": self.simulated,
            "verdict": self.verdict,
            "exceptions": list(self.exceptions),
            "quantity": self.range.quantity,
            "points": [{"median": p.value, **_told(p, list(self.names))} for p in self.points],
        }


def move_prior(
    run: Run,
    sweep: str,
    quantity: Sequence[str] = (),
    *,
    out: str | os.PathLike[str] = "results",
) -> MovedPrior:
    """Answer over the median of one prior, from stored draws.

    Parameters
    ----------
    run : str, path or Result
        A run.
    sweep : str
        Values of the median, as ``spend_growth=0.2,0.6,5``: the lowest, the highest and how many,
        in the quantity's own unit.
    quantity : sequence of str
        Numbers to show.
    out : path
        Folder of results.

    Raises
    ------
    InputError
        If there is no such run, quantity or number.
    """
    from aligntax.analysis.fitting.moved_prior import MedianRange, answers_over_range
    from aligntax.analysis.storage.sampled_run import read_sampled_run
    from aligntax.models.priors.quantities import base_name

    wanted, source = MedianRange.parse(sweep), read_sampled_run(folder_of(run), out)
    known = tuple(
        name for name in source.record["quantities"] if base_name(name) in source.model.headlines
    )
    usual = tuple(name for name in MOVED_ANSWERS if name in known) or known[:4]
    names = _known(quantity, known) or usual
    points = tuple(answers_over_range(source, wanted))
    return MovedPrior(
        source.path.name,
        wanted,
        names,
        points,
        source.view.arrival.horizon,
        source.record.get("simulated", ""),
        source.record["verdict"],
        tuple(source.record.get("exceptions", ())),
    )


def _known(names: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names if all are known; refuse others with the nearest known ones."""
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=3) or known
            raise InputError(
                f"quantity: must be a headline quantity that varies in this run, got {name!r}; "
                f"did you mean {', '.join(near)}?"
            )
    return tuple(names)


def _ends(swing: "Swing") -> dict[str, Any]:
    """Both ends of a swing on the answer's own scale; infinite is null."""
    ends = {"low": swing.low, "high": swing.high}
    return {
        "quantity": swing.quantity,
        **{key: value if isfinite(value) else None for key, value in ends.items()},
    }


def _told(answer: "ReusedAnswer", names: Sequence[str]) -> dict[str, Any]:
    return {
        "trusted": answer.trusted,
        "ess": answer.ess,
        "k_hat": answer.k_hat,
        "reason": answer.reason,
        "quantities": {name: {key: answer.rows[name][key] for key in POINTS} for name in names},
    }
