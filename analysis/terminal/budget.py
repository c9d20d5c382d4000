"""What to buy, in a terminal."""

from typing import TYPE_CHECKING

from aligntax.analysis.summaries.words import (
    format_estimate,
    format_number,
    format_percent,
    format_probability,
    loss_limit_sentence,
)
from aligntax.analysis.terminal.tables import print_simulated, print_table, print_verdict

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.answers.budget import Budget
    from aligntax.analysis.answers.dated_budget import DatedBudget
    from aligntax.analysis.answers.labour_split import LabourSplit


def print_budget(console: "Console", answer: "Budget") -> None:
    """Print what to buy, what another amount would cost, and how to label."""
    arrival = f"given arrival before the horizon ({format_probability(answer.probability_arrival)})"
    condition = "" if answer.given is None else f"{answer.given.words}, "
    console.print(
        f"enough with {answer.confidence:.0%} confidence, {condition}{arrival}:", markup=False
    )
    since = f"a year, steadily from {answer.start:.0f} until arrival"
    rows = [
        ("hours to buy", f"{format_number(answer.hours)} human-hours", ""),
        ("money to set aside", "", f"{format_number(answer.usd)} USD"),
        *_labour_rows(answer.labour),
        (f"hours {since}", f"{format_number(answer.hours_per_year)} human-hours", ""),
        (f"money {since}", "", f"{format_number(answer.usd_per_year)} USD"),
    ]
    print_table(console, ("", "amount", "money"), rows)
    console.print(
        f"A tolerated tax pays for the hours to buy with probability "
        f"{format_probability(answer.affordable)}.",
        markup=False,
    )
    console.print(
        "Each amount suffices with that confidence on its own: an early arrival takes a high rate, "
        "and a late one many hours, so that the rate times the years is not the hours.",
        markup=False,
    )
    if answer.how_to_price:
        console.print(answer.how_to_price, markup=False)
    _print_least_loss(console, answer)
    low, middle, high = answer.label_error
    console.print(
        f"label error of new labellers, by published agreement: {middle:.0%} "
        f"(90%: {low:.0%} to {high:.0%})",
        markup=False,
    )
    labels = [
        (
            f"{s.error:.0%}",
            f"{s.votes}, teaches {s.votes_gain:.3g}x" if s.votes > 1 else "1",
            f"{s.worth:.2g} labels",
            f"{s.worth_written:.2g} labels",
        )
        for s in answer.labelling
    ]
    columns = (
        "label error",
        "best votes on a written item",
        "half the error is worth",
        "on a written item",
    )
    print_table(console, columns, labels)
    console.print(
        "Best votes: how many labellers should judge one item that people write, and how much more "
        "than a single vote a dollar then teaches; where items cost nothing, one vote is always "
        "best. Half the error is worth: what to pay at most, in labels, for the judgement of an "
        "evaluator who errs half as often.",
        markup=False,
    )
    given = None if answer.given is None else answer.given.text
    print_verdict(console, {**vars(answer), "given": given})


def _print_least_loss(console: "Console", answer: "Budget") -> None:
    """Print the hours of least expected loss, and what others cost over them."""
    enough = f"the hours that suffice with {answer.confidence:.0%} confidence"
    rows = []
    for hours, multiple, usd in answer.regrets:
        what = "the hours of least expected loss"
        if multiple is not None:
            what = enough if multiple == 1 else f"{multiple:g} times {enough}"
        rows.append((what, f"{format_number(hours)} human-hours", f"{format_number(usd)} USD"))
    console.print(
        f"\nleast expected loss, where an hour that is missing costs {format_number(answer.price)} "
        f"USD: {format_number(answer.best_hours)} human-hours",
        markup=False,
    )
    print_table(console, ("buying", "amount", "expected regret"), rows)
    console.print(
        "Expected regret: what buying that amount costs on average over the least expected loss.",
        markup=False,
    )
    console.print(
        f"Knowing everything first would be worth {format_estimate(vars(answer.evpi))}.",
        markup=False,
    )
    twice = vars(answer.evpi_at_twice_the_limit)
    console.print(loss_limit_sentence(answer.loss_limit, twice) + "\n", markup=False)


def _labour_rows(labour: "LabourSplit | None") -> list[tuple[str, str, str]]:
    """Which of the hours people work and which AI, where its hours have a price."""
    if labour is None:
        return []
    low, middle, high = map(format_percent, labour.ai_share)
    share = f"{middle} of the money (90%: {low} to {high})"
    return [
        ("hours by people", f"{format_number(labour.human_hours)} human-hours", ""),
        ("hours by AI", f"{format_number(labour.ai_hours)} AI hours", share),
    ]


def print_dated_budget(console: "Console", answer: "DatedBudget") -> None:
    """Print what to buy for a year: one paragraph, and whose draws say so."""
    from aligntax.analysis.answers.budget_in_words import budget_paragraph

    print_simulated(console, {"simulated": answer.simulated})
    console.print(budget_paragraph(answer), markup=False)
    if answer.how_to_price:
        console.print(answer.how_to_price, markup=False, style="dim")
    console.print(f"from the {answer.model} run {answer.run}", markup=False, style="dim")
    given = None if answer.given is None else answer.given.text
    print_verdict(console, {**vars(answer), "given": given})
