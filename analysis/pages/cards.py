"""The cards that open a report: hours needed, whether a tolerable tax pays, arrival and its shift.

Each has a question, what its number hangs on, the number, one sentence more, the answer by kind of
requirement, and twenty equally likely dots. A card stands only where the run has its quantities.
Below them stands what to buy for the next year, as ``aligntax budget --year`` has it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aligntax.analysis.answers.budget_in_words import budget_paragraph
from aligntax.analysis.answers.dated_budget import dated_budget
from aligntax.analysis.pages.dot_plot import DotPlot, dot_plot
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.alignment_wait import AlignmentWait
from aligntax.analysis.summaries.kinds_in_words import FEW, shift_in_words
from aligntax.analysis.summaries.summary import draws_of
from aligntax.analysis.summaries.words import (
    format_amount,
    format_chance,
    format_number,
    format_probability,
    median_and_interval,
    words_of_event,
)
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import lookup

HOURS, HEADROOM, YEAR = "alignment_hours_needed", "tax_headroom", "tai_year"
TAXES = ("alignment_tax", "tolerance_at_arrival")
FEEDBACK = (
    "Feedback: people write, compare and review what a model answers; their work is counted in "
    "hours. "
)
TAI = (
    "Transformative AI (TAI): AI that changes the world at least as much as the industrial "
    "revolution did. What it requires is open, so each kind of requirement answers alone."
)
BY_KIND = "by what transformative AI requires"


@dataclass(frozen=True)
class Card:
    """One answer of the first screen.

    Attributes
    ----------
    name : str
    question : str
    spread : str
        What the number hangs on; it stands before it.
    number, of : str
        The number, and what it is.
    sentence : str
        What else follows.
    words : str
        What its terms mean.
    rows : sequence of (str, str)
        Kind of requirement and its answer; empty where the view has one kind.
    head : str
        What the second column of the rows is.
    plot : DotPlot
    """

    name: str
    question: str
    spread: str
    number: str
    of: str
    sentence: str
    words: str
    rows: Sequence[tuple[str, str]]
    head: str
    plot: DotPlot


@dataclass(frozen=True)
class _Facts:
    """What the cards of a run are made of."""

    result: Result
    horizon: float

    @property
    def rows(self) -> Mapping[str, Any]:
        rows: Mapping[str, Any] = self.result.record["quantities"]
        return rows

    @property
    def kinds(self) -> list[Mapping[str, Any]]:
        """Kinds of requirement that have an answer, where there are several."""
        told = self.result.record.get("by_requirement", ())
        kinds = [
            row for row in told if row["kind"] != "mixture" and row["prob_by_horizon"] is not None
        ]
        return kinds if len(kinds) > 1 else []

    def interval(self, name: str) -> str:
        return median_and_interval(self.rows[name], lookup(name), self.horizon)[1]

    def median(self, name: str) -> str:
        return median_and_interval(self.rows[name], lookup(name), self.horizon)[0]

    def given(self, name: str) -> str:
        """The event that defines a quantity, with its probability; empty where every draw does."""
        undefined = self.rows[name]["prob_undefined"]
        if not undefined:
            return ""
        event = words_of_event(lookup(name), self.horizon)
        return f", given {event} ({format_probability(1.0 - undefined)})"

    def by_kind(self, told: Callable[[Mapping[str, Any]], str]) -> list[tuple[str, str]]:
        return [
            (row["label"] if row["enough"] else f"{row['label']} ({FEW})", told(row))
            for row in self.kinds
        ]

    def plot(self, name: str, least: float | None = None) -> DotPlot:
        values, weights = draws_of(name, self.result.derived), self.result.weights.values
        return dot_plot(values, weights, lookup(name), self.horizon, least)


def cards(result: Result, horizon: float) -> list[Card]:
    """Cards of a run, in the order of the question; fewer where it lacks their quantities."""
    facts = _Facts(result, horizon)
    made = (
        (_hours, (HOURS,)),
        (_tax, (HEADROOM, "prob_affordable", *TAXES)),
        (_arrival, (YEAR,)),
    )
    return [
        make(facts)
        for make, names in made
        if all(name in facts.rows and facts.rows[name]["prob_undefined"] < 1.0 for name in names)
        and all(name in result.derived for name in names)
    ]


@dataclass(frozen=True)
class BudgetCard:
    """What to buy for a year.

    Attributes
    ----------
    question, words : str
        The question, and the answer in one paragraph.
    command : str
        What answers it for another year, run or confidence.
    """

    question: str
    words: str
    command: str


def budget_card(result: Result) -> BudgetCard | None:
    """What to buy for the year after the run was made, or why it cannot tell."""
    if HOURS not in result.derived:
        return None
    year = int(result.info["created"][:4]) + 1
    try:
        words = budget_paragraph(dated_budget(result, year))
    except InputError as error:
        words = f"{error}."
    return BudgetCard(
        question=f"How many hours of human feedback are to be bought for {year}?",
        words=words,
        command=f"aligntax budget {result.record['run']} --year {year} --confidence 80%",
    )


def _hours(facts: _Facts) -> Card:
    needed = lookup(HOURS)
    known = [row[HOURS] for row in facts.kinds if row[HOURS] is not None]
    spread = f"90%: {facts.interval(HOURS)} hours."
    if known:
        low, high = (format_amount(end(known), needed, unit=False) for end in (min, max))
        spread = f"Medians of {low} to {high} hours {BY_KIND}. {spread}"
    sentence = ""
    if "rlhf_multiple_needed" in facts.rows:
        within = facts.result.record["claims"].get("needed_within_2_oom_of_rlhf", {})
        multiple = 10.0 ** facts.rows["rlhf_multiple_needed"]["q50"]
        sentence = f"{format_number(multiple)} times those of InstructGPT, 2022"
        if within.get("probability") is not None:
            chance = format_chance(within["probability"], within.get("mcse"))
            sentence += f"; at most 100 times with probability {chance}"
        sentence += "."
    return Card(
        name="hours",
        question="How many hours of human feedback does alignment need?",
        spread=spread,
        number=facts.median(HOURS).replace("human-hours", "hours"),
        of=f"median{facts.given(HOURS)}",
        sentence=sentence,
        words=FEEDBACK + (TAI if known else ""),
        rows=facts.by_kind(
            lambda row: "" if row[HOURS] is None else format_amount(row[HOURS], needed, unit=False)
        ),
        head="median",
        plot=facts.plot(HOURS),
    )


def _tax(facts: _Facts) -> Card:
    tax, tolerance = (facts.interval(name) for name in TAXES)
    known = [row for row in facts.kinds if row["prob_affordable"] is not None]
    spread = f"90%: it costs {tax} of development, and its developer would bear {tolerance}."
    if known:
        low, high = (
            format_probability(end(row["prob_affordable"] for row in known)) for end in (min, max)
        )
        spread = f"{low} to {high} {BY_KIND}. {spread}"
    multiple, row = 10.0 ** facts.rows[HEADROOM]["q50"], facts.rows["prob_affordable"]
    return Card(
        name="tax",
        question="Can a tolerable tax pay for it?",
        spread=spread,
        number=facts.median("prob_affordable"),
        of=f"probability that it can{facts.given('prob_affordable')}",
        sentence=f"The median pays for {format_number(multiple)} times the hours needed; "
        f"{format_probability(1.0 - row['mean'])} fall short (hollow dots).",
        words="Tax: what alignment costs, in labour and compute, as a share of what developing the "
        "model costs. Tolerable: its developer would bear it. Dots: hours affordable over hours "
        "needed.",
        rows=facts.by_kind(
            lambda row: (
                ""
                if row["prob_affordable"] is None
                else format_chance(row["prob_affordable"], row["mcse_affordable"])
            )
        ),
        head="probability",
        plot=facts.plot(HEADROOM, 0.0),
    )


def _arrival(facts: _Facts) -> Card:
    row, horizon = facts.rows[YEAR], facts.horizon
    spread = (
        f"A quarter by {_year(row['q25'], horizon)}, three quarters by "
        f"{_year(row['q75'], horizon)}, {format_probability(row['prob_above'])} later than "
        f"{horizon:.0f} or never."
    )
    if facts.kinds:
        ends = [_year(end, horizon) for end in _ends([kind[YEAR]["q50"] for kind in facts.kinds])]
        spread = f"Medians of {ends[0]} to {ends[1]} {BY_KIND}. {spread}"
    wait = AlignmentWait.of(facts.result.derived, facts.result.weights)
    parts = [f"Alignment then delays it: {wait.words(horizon)}."] if wait else []
    return Card(
        name="arrival",
        question="When does transformative AI arrive, and what moves it?",
        spread=spread,
        number=facts.median(YEAR),
        of="median",
        sentence=" ".join([*parts, *_exponent(facts.result.record)]),
        words="" if HOURS in facts.rows and facts.kinds else TAI,
        rows=facts.by_kind(lambda kind: _quartiles(kind, horizon)),
        head="median (middle half)",
        plot=facts.plot(YEAR),
    )


def _exponent(record: Mapping[str, Any]) -> list[str]:
    """How far the data exponent moves arrival, in a sentence; none where the run has no curve."""
    curve = record.get("exponent_shift_curve", {})
    if not curve.get("points"):
        return []
    point = curve["points"][-1]
    return [
        "Training data that grow as the evidence says, not as parameters^0.8, move the median by "
        f"{shift_in_words(point['q50'])} years if compute is required as by neural-net anchors."
    ]


def _between(interval: str) -> str:
    return interval.replace(" to ", " and ", 1)


def _ends(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Least and greatest; None is later than any year."""
    order = sorted(values, key=lambda value: float("inf") if value is None else value)
    return order[0], order[-1]


def _year(value: float | None, horizon: float) -> str:
    return f"after {horizon:.0f}" if value is None else f"{value:.0f}"


def _quartiles(row: Mapping[str, Any], horizon: float) -> str:
    low, middle, high = (_year(row[YEAR][key], horizon) for key in ("q25", "q50", "q75"))
    return f"{middle} ({low} to {high})"
