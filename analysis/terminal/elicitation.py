"""Ask a person for a prior, and show what it implies before it is kept.

For each quantity the low extreme is asked first, then the high one, and the middle last. Whoever
starts from a best guess anchors on it and states intervals that are too narrow (O'Hagan 2019,
section 3; the SHELF protocol asks in this order for the same reason). Each question tells what the
view has there, so that unit and size are understood. It is told as that view's point, since numbers
that are read before the answer draw it towards them. Then comes feedback, which every protocol asks
for: the density that the numbers imply, and the headline quantities before and after. These are
pushed forward from the prior alone (:mod:`aligntax.analysis.terminal.consequences`).

References
----------
.. [1] O'Hagan, "Expert knowledge elicitation: subjective but scientific", 2019.
       doi:10.1080/00031305.2018.1518265
.. [2] Oakley, O'Hagan, "SHELF: the Sheffield Elicitation Framework", 2019.
       http://www.tonyohagan.co.uk/shelf
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from aligntax.analysis.summaries.words import format_amount, format_probability, how_many
from aligntax.analysis.terminal.consequences import consequences
from aligntax.analysis.terminal.dialogue import Back, Dialogue, Quit
from aligntax.analysis.terminal.drawings import block
from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence
from aligntax.models.priors.amounts import examples_of, read_amount
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import Quantity, lookup
from aligntax.models.priors.tables import Array, QuantileTable
from aligntax.models.views import View

# What is asked, by the probability that is asked for, in the order of the questions.
QUESTIONS: Mapping[str, str] = {
    "0.1": "A low value; one time in ten it is lower still",
    "0.9": "A high value; one time in ten it is higher still",
    "0.5": "The middle; as likely above it as below",
}
BAR_ROWS, BAR_COLUMNS = 12, 40  # of the picture in text
BLOCK_COLUMNS = 24  # of the density in a line
MIDDLE = 0.98  # of the probability, which both pictures cover


class Step(NamedTuple):
    """One question: ``who``, or of a quantity ``0.1``, ``0.9``, ``0.5``, ``keep`` or ``why``."""

    name: str
    part: str


class _Again(Exception):
    """Raised when the person does not keep a prior."""


def parse_answer(quantity: Quantity, text: str) -> float:
    """Read an amount; see :mod:`aligntax.models.priors.amounts`.

    Raises
    ------
    InputError
        If it is not a number within the quantity's range.
    """
    examples = f"write for instance {examples_of(quantity)}, or q to quit"
    return read_amount(quantity, text, remedy=examples)


def elicit(
    names: Sequence[str], base: View, talk: Dialogue, today: str, who: str = "", why: str = ""
) -> tuple[dict[str, dict[str, Any]], str]:
    """Ask for a prior on each quantity.

    Parameters
    ----------
    base : View
        View that the new priors change.
    today : str
        Date, kept with the source.
    who, why : str
        Who states the priors and why; asked for if empty.

    Returns
    -------
    priors : dict
        Quantity to specification, with source and rationale.
    source : str
        ``"WHO, DATE"``.

    Raises
    ------
    Quit
        If the person quits.
    InputError
        If the answers end early, or are wrong as often as patience allows.
    """
    steps = [Step(name, part) for name in names for part in (*QUESTIONS, "keep")]
    steps += [] if who else [Step("", "who")]
    steps += [] if why else [Step(name, "why") for name in names]
    answers: dict[Step, Any] = {}  # in the order of the steps, so that the last can be withdrawn
    while len(answers) < len(steps):
        step = steps[len(answers)]
        try:
            answers[step] = _ask(step, names, answers, base, talk)
        except Back:
            answers.popitem()
        except _Again:
            for part in QUESTIONS:
                del answers[Step(step.name, part)]
        except EOFError:
            rule = "answers must go on to the end, got the end of the input while at"
            where = step.name or step.part
            raise InputError(f"elicit: {rule} {where}; nothing written, start again") from None
    source = f"{who or answers[Step('', 'who')]}, {today}"
    return {
        name: {
            "quantiles": _quantiles(name, answers),
            "source": source,
            "rationale": why or answers[Step(name, "why")],
        }
        for name in names
    }, source


def _ask(
    step: Step, names: Sequence[str], answers: Mapping[Step, Any], base: View, talk: Dialogue
) -> Any:
    """Ask one question, show what the answer implies, and return it."""
    if step.part == "who":
        return talk.answer("Who are you? ", _steps_back(answers, _text_reader("who")))
    quantity = lookup(step.name)
    if step.part == "why":
        question = f"Why these values of {quantity.label}? "
        return talk.answer(question, _steps_back(answers, _text_reader("why")))
    if step.part == "keep":
        _show_prior(step.name, names, answers, base, talk)
        question = "Keep it? [y]es, [n]o: ask again, [q]uit, or back: "
        return talk.answer(question, _steps_back(answers, _read_choice))
    if step.part == next(iter(QUESTIONS)):
        _introduce(quantity, f"{names.index(step.name) + 1} of {len(names)}", talk)
    stated = _quantiles(step.name, answers)
    point = compile_prior(step.name, base.quantities[step.name]).value(ndtri(float(step.part)))
    reference = format_amount(float(quantity.to_scale(point)), quantity)
    value = talk.answer(
        f"{QUESTIONS[step.part]} (the view {base.name} has {reference}): ",
        _steps_back(
            answers,
            lambda text: _read_between(
                quantity, text, stated.get("0.1", -np.inf), stated.get("0.9", np.inf)
            ),
        ),
    )
    if talk.draws and stated:  # one point makes no density
        quantiles = dict(sorted({**stated, step.part: value}.items()))
        talk.say(f"  {draw_density(quantity, compile_prior(step.name, {'quantiles': quantiles}))}")
    return value


def _quantiles(name: str, answers: Mapping[Step, Any]) -> dict[str, float]:
    """What was answered on a quantity, by probability."""
    parts = sorted(QUESTIONS)
    return {part: answers[Step(name, part)] for part in parts if Step(name, part) in answers}


def _steps_back[T](answers: Mapping[Step, Any], read: Callable[[str], T]) -> Callable[[str], T]:
    """Reader that also takes ``back``."""

    def read_or_step(text: str) -> T:
        if text.lower() != "back":
            return read(text)
        if answers:
            raise Back
        rule, remedy = "there must be a question before, got the first one", "answer it, or q"
        raise InputError(f"back: {rule}; {remedy} to quit")

    return read_or_step


def _text_reader(what: str) -> Callable[[str], str]:
    def read(answer: str) -> str:
        clean = " ".join("".join(c if c.isprintable() else " " for c in answer).split())
        if not clean:
            raise InputError(
                f"{what}: must not be empty, got nothing; a prior without it cannot be judged later"
            )
        return clean

    return read


def _read_choice(text: str) -> str:
    choice = text[:1].lower()
    if choice not in ("y", "n", "q"):
        raise InputError(f"keep: must be y, n or q, got {text[:20]!r}; answer with one letter")
    if choice == "q":
        raise Quit
    if choice == "n":
        raise _Again
    return choice


def _read_between(quantity: Quantity, text: str, above: float, below: float) -> float:
    """Read an amount that lies between those that were answered."""
    if text.lower() in ("q", "quit"):
        raise Quit
    value = parse_answer(quantity, text)
    if not above < value < below:
        limits = []
        if np.isfinite(above):
            limits.append(f"above {above:g}")
        if np.isfinite(below):
            limits.append(f"below {below:g}")
        raise InputError(
            f"{quantity.name}: must lie {' and '.join(limits)}, got {value:g}; "
            "answers must increase"
        )
    return value


def _introduce(quantity: Quantity, place: str, talk: Dialogue) -> None:
    pure = {"1": "pure numbers; 2% will do for 0.02", "x": "multiples; 3 means three times"}
    talk.say("")
    talk.say(f"{quantity.label} ({place}): {quantity.meaning}.")
    talk.say(f"Answers are {pure.get(quantity.unit, f'in {quantity.unit}')}.")
    talk.say(
        "Type back to withdraw the answer before and be asked for it again, or q to quit. "
        "Nothing is written until the end."
    )


def _show_prior(
    name: str, names: Sequence[str], answers: Mapping[Step, Any], base: View, talk: Dialogue
) -> None:
    """Show the prior that the answers make, and its consequences on top of the kept ones."""
    before = base
    for kept in names[: names.index(name)]:
        before = before.with_quantity(kept, {"quantiles": _quantiles(kept, answers)})
    quantity = lookup(name)
    after = before.with_quantity(name, {"quantiles": _quantiles(name, answers)})
    table = after.stated([name]).table(name)
    talk.say("")
    talk.say(f"Your prior on {quantity.label}: {_points(quantity, table)}")
    for line in draw_prior_in_text(quantity, table):
        talk.say(f"  {line}")
    moved, still = consequences(before, after, load_evidence())
    talk.say(
        "Its consequences, from priors alone (evidence will move them); median and 90% interval:"
    )
    if moved:
        talk.show(("headline", "before", "after"), moved)
    talk.say(f"  {how_many(still, 'headline')} {'does' if still == 1 else 'do'} not move")


def _points(quantity: Quantity, table: QuantileTable) -> str:
    scale = [float(v) for v in quantity.to_scale(table.value(ndtri([0.05, 0.5, 0.95])))]
    return ", ".join(
        f"{p} {format_amount(v, quantity)}"
        for p, v in zip(("5%", "50%", "95%"), scale, strict=True)
    )


def draw_prior_in_text(quantity: Quantity, table: QuantileTable) -> list[str]:
    """Draw the probability of equal steps in link space, from the 1% to the 99% point."""
    edges, mass = _masses(table, BAR_ROWS)
    scale = quantity.to_scale(edges)
    labels = [format_amount(float(v), quantity, unit=False) for v in scale[:-1]]
    width = max(map(len, labels))
    return [
        f"from {label:>{width}}  {'#' * round(BAR_COLUMNS * m / mass.max())} "
        f"{format_probability(float(m))}"
        for label, m in zip(labels, mass, strict=True)
    ]


def draw_density(quantity: Quantity, table: QuantileTable) -> str:
    """Draw the density in link space as a line of blocks, from the 1% to the 99% point."""
    edges, mass = _masses(table, BLOCK_COLUMNS)
    low, high = (format_amount(float(v), quantity) for v in quantity.to_scale(edges[[0, -1]]))
    return f"{low} {''.join(block(m / mass.max()) for m in mass)} {high}"


def _masses(table: QuantileTable, steps: int) -> tuple[Array, Array]:
    """Edges of equal steps in link space over the middle of a prior, and the mass of each."""
    tail = (1 - MIDDLE) / 2
    low, high = table.value(ndtri([tail, 1 - tail]))
    edges = np.linspace(low, high, steps + 1)
    return edges, np.diff(table.cdf(edges))
