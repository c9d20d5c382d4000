"""What to buy for a year, in plain words: one paragraph, for a terminal, a page or JSON."""

import math

from aligntax.analysis.answers.dated_budget import DatedBudget
from aligntax.analysis.answers.labour_split import LabourSplit
from aligntax.analysis.answers.swings import Swing
from aligntax.analysis.summaries.words import format_number, format_percent, format_probability
from aligntax.models.priors.quantities import lookup

MOST_CHANGES = 3  # named in the paragraph
SAME = 0.0005  # of a probability: confidence and reach that are printed alike are alike


def budget_paragraph(answer: DatedBudget) -> str:
    """Hours, money and people, whether the tolerated tax pays, and what would change it."""
    return " ".join(s for s in budget_sentences(answer) if s)


def budget_sentences(answer: DatedBudget) -> tuple[str, ...]:
    """The sentences of :func:`budget_paragraph`: amount, money, AI, need, tax, changes."""
    if not math.isfinite(answer.hours):
        return _whose(answer), _no_hours(answer), _need(answer), _tax(answer), _changes(answer)
    priced = answer.labour is not None
    return (
        f"{_whose(answer)} {hours_in_words(answer.hours)}{' worth' if priced else ''} of human "
        f"feedback suffice with {_percent(answer.confidence)} confidence.",
        f"To pay for the need with the same confidence, set aside {usd_in_words(answer.usd)}; the "
        f"{'human ' if priced else ''}hours are the work of {_people(answer.people)} for a year.",
        "" if answer.labour is None else labour_in_words(answer.labour),
        _need(answer),
        _tax(answer),
        _changes(answer),
    )


def hours_in_words(hours: float) -> str:
    """Hours with their unit, which stands with every number: "44 hours", "140 million hours"."""
    return "no finite number of hours" if math.isinf(hours) else f"{format_number(hours)} hours"


def usd_in_words(usd: float) -> str:
    """Money with its unit."""
    return "no finite sum" if math.isinf(usd) else f"{format_number(usd)} USD"


def labour_in_words(labour: LabourSplit) -> str:
    """How much of the money buys AI hours, how many, and what an hour's worth of work costs."""
    low, middle, high = map(format_percent, labour.ai_share)
    cost, alone = (
        usd_in_words(each) for each in (labour.usd_per_hour[1], labour.usd_per_hour_of_people)
    )
    return (
        f"Of the money {middle} (90%: {low} to {high}) buys AI labour: up to "
        f"{format_number(labour.ai_hours)} AI hours, and up to "
        f"{hours_in_words(labour.human_hours)} by people, each enough for its part with that "
        f"confidence. An hour's worth of work then costs {cost} and not {alone}, in the median."
    )


def swing_in_words(swing: Swing) -> str:
    """What the hours are at both ends of a quantity: "wage (2 hours if low, 5 hours if high)"."""
    low, high = (hours_in_words(10.0**end) for end in (swing.low, swing.high))
    return f"{lookup(swing.quantity).label} ({low} if it is low, {high} if high)"


def _whose(answer: DatedBudget) -> str:
    if answer.stated_cost is not None:
        run = f"a training run of {usd_in_words(answer.stated_cost)} in {_year(answer.year)}"
    else:
        low, middle, high = map(usd_in_words, answer.training_cost)
        run = (
            f"the largest training run of {_year(answer.year)}, which costs {middle} "
            f"(90%: {low} to {high})"
        )
    given = "" if answer.given is None else f", {answer.given.words}"
    return f"For {run}{given}:"


def _need(answer: DatedBudget) -> str:
    low, middle, high = map(hours_in_words, answer.needed)
    return f"As likely as not {middle} are enough (90%: {low} to {high})."


def _no_hours(answer: DatedBudget) -> str:
    return (
        f"no number of hours of human feedback suffices with {_percent(answer.confidence)} "
        f"confidence, because in {format_probability(1.0 - answer.reach)} of cases none is enough; "
        f"ask for less than {_percent(answer.reach)}."
    )


def _tax(answer: DatedBudget) -> str:
    """Whether the tolerated tax pays, at the confidence that is asked for."""
    _, tax, _ = map(format_percent, answer.tax)
    _, tolerance, _ = map(format_percent, answer.tolerance)
    pays, hours = format_probability(answer.pays), format_probability(answer.pays_for_hours)
    more = "" if math.isinf(answer.hours) else f", and for the hours above in {hours}"
    first = (
        f"The tax that its developer tolerates, {tolerance} of development cost in the median, "
        f"pays for what is needed, {tax}, in {pays} of cases{more}."
    )
    limits = []
    if answer.confidence > answer.pays + SAME:
        limits.append(
            f"No tolerated tax reaches {_percent(answer.confidence)} confidence: in "
            f"{format_probability(1.0 - answer.pays)} of cases what is needed costs more than is "
            "tolerated."
        )
    if answer.too_few_people >= 0.01:
        limits.append(
            f"In {format_probability(answer.too_few_people)} of cases too few people can be hired "
            "to work the hours by then."
        )
    return " ".join([first, *limits])


def _changes(answer: DatedBudget) -> str:
    named = [swing_in_words(swing) for swing in answer.changes[:MOST_CHANGES]]
    if not named:
        return "No single quantity changes the hours by more than chance."
    return (
        f"What would change the hours most: {'; '.join(named)}. "
        "Low and high are the lowest and the highest fifth of what is believed of it."
    )


def _people(people: float) -> str:
    if people < 1.5:
        return "one person" if people > 0.5 else "less than one person"
    return f"{format_number(people)} people"


def _year(year: float) -> str:
    return f"{year:.0f}" if year == int(year) else f"{year:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"
