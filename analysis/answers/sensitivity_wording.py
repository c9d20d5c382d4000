"""What drives the answer, in words: rows of a table, and sentences.

``record`` is what :func:`aligntax.analysis.answers.sensitivity.sensitivity_record` returns, and
``info.json`` holds under ``sensitivity``.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from aligntax.analysis.answers.power_scaling import CONFLICT, NOISE, OK, OPEN, PRIOR_ONLY, STRONG
from aligntax.analysis.answers.swings import MONEY, Swing
from aligntax.analysis.fitting.moved_prior import ReusedAnswer
from aligntax.analysis.summaries.words import (
    format_amount,
    format_estimate,
    format_number,
    format_percent,
    how_many,
    label_of,
    loss_limit_sentence,
    median_and_interval,
    words_above,
    words_below,
)
from aligntax.models.priors.quantities import lookup, quantity_of

# Answers told without the view's correlations, in this order.
APART = ("alignment_hours_needed", "labour_tax", "prob_affordable", "tai_year")

# The hours over a constant have the same drivers as the hours.
REPEATED = frozenset({"rlhf_multiple_needed", "rlhf_multiple_affordable"})
FLAGS = {
    CONFLICT: "both move it: potential prior-data conflict",
    STRONG: "strong priors, weak evidence",
    PRIOR_ONLY: "no evidence bears on it",
    OK: "",
    OPEN: "",
}
LEAST_CORRELATION = 0.05  # of ranks: below it a prior has no direction worth naming
LEAST_CONTRACTION = 0.05  # worth naming
LEAST_SHARE = 0.01  # of variance, worth naming
CAUTION = (
    "Sensitivity: how far an answer moves when all priors, one prior, or the evidence is made "
    "stronger or weaker (power-scaling), less what chance alone shows; 0.05 and more is large. "
    '"Under" a number: it may be chance, and is at most that. '
    "Spread: the share of the variance of an answer's rank that a quantity explains alone; the "
    "rest is other than the inputs, such as chance in arrival, which anchor applies, and the "
    "spread between studies."
)


def is_current(record: Mapping[str, Any] | None) -> bool:
    """Whether a stored analysis says what is told from chance, as older ones do not."""
    return record is None or "errors" in record


def shown_answers(record: Mapping[str, Any]) -> list[str]:
    """Answers to show, in the model's order."""
    return [name for name in record["headlines"] if name not in REPEATED]


def driver_rows(record: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, str]]:
    """One row per answer: its drivers, sensitivity to priors and evidence, and a flag, in words."""
    return [_row(name, record["headlines"][name], record["quantities"]) for name in names]


def _row(name: str, row: Mapping[str, Any], quantities: Mapping[str, Any]) -> dict[str, str]:
    drivers = [
        _driver(driver, quantities[driver["quantity"]]["assumed"]) for driver in row["drivers"]
    ]
    spread = [
        f"{lookup(part['quantity']).label} {100 * part['first_order']:.0f}%"
        for part in row["spread"]
        if part["first_order"] >= LEAST_SHARE
    ]
    rest = 1.0 - min(1.0, row["explained"])
    if rest >= max(LEAST_SHARE, NOISE * row["explained_error"]):
        spread.append(f"other than the inputs {100 * rest:.0f}%")
    return {
        "name": name,
        "label": label_of(name),
        "drivers": "; ".join(drivers) or "none stands out",
        "spread": "; ".join(spread),
        "prior": _amount(row["prior"]),
        "likelihood": "; ".join([_amount(row["likelihood"]), *_strongest_table(row["evidence"])]),
        "flag": FLAGS[row["diagnosis"]],
    }


def _amount(sensitivity: Mapping[str, Any]) -> str:
    """A sensitivity, or the most that it may be."""
    if sensitivity["value"] is None:
        return f"under {sensitivity['high']:.2f}"
    return f"{sensitivity['value']:.2f}"


def _strongest_table(evidence: Mapping[str, float | None]) -> list[str]:
    """The table of evidence that moves an answer most, if any is told from chance."""
    told = {table: value for table, value in evidence.items() if value}
    if len(evidence) < 2 or not told:
        return []
    table = max(told, key=lambda name: told[name])
    return [f"{table.replace('_', ' ')} {told[table]:.2f}"]


def open_sentence(record: Mapping[str, Any], names: Sequence[str]) -> str:
    """Of how many answers the draws cannot tell whether priors and evidence conflict."""
    left = sum(record["headlines"][name]["diagnosis"] == OPEN for name in names)
    if not left:
        return ""
    return (
        f"Whether priors and evidence conflict is open for {left} of "
        f"{how_many(len(names), 'answer')}: these draws do not tell whether all priors, or all "
        f"evidence, move them by {record['threshold']:g}. More draws do."
    )


def _driver(row: Mapping[str, Any], assumed: bool) -> str:
    """``tax tolerance (0.08, raises it, assumed)``."""
    notes = [f"{row['sensitivity']:.2f}"]
    if abs(row["correlation"]) >= max(LEAST_CORRELATION, NOISE * row["correlation_error"]):
        notes.append("raises it" if row["correlation"] > 0 else "lowers it")
    if assumed:
        notes.append("assumed")
    return f"{lookup(row['quantity']).label} ({', '.join(notes)})"


def contraction_sentence(record: Mapping[str, Any], most: int = 5) -> str:
    """What the evidence narrowed most, and what it does not touch."""
    rows = record["quantities"]
    contraction = {
        n: row["contraction"]
        for n, row in rows.items()
        if not row["assumed"] and row["contraction"] > NOISE * row["contraction_error"]
    }
    best = sorted(
        (n for n, value in contraction.items() if value > LEAST_CONTRACTION),
        key=lambda n: -contraction[n],
    )[:most]
    untouched = ", ".join(lookup(n).label for n, row in rows.items() if row["assumed"])
    sentences = []
    if best:
        narrowed = ", ".join(f"{lookup(n).label} ({100 * contraction[n]:.0f}%)" for n in best)
        sentences.append(
            f"The evidence narrowed most (share of the prior's variance removed): {narrowed}. "
        )
    if untouched:
        sentences.append(f"{'It' if best else 'The evidence'} does not touch {untouched}.")
    return "".join(sentences)


def decision_sentence(worth: Mapping[str, Any] | None, most: int = 3) -> str:
    """How many hours to buy, and what knowing quantities first is worth; "" without a decision."""
    if worth is None or "loss_limit_usd" not in worth:  # a run from before limits were stated
        return ""
    price, cost = (
        format_number(worth[key], 3) for key in ("price_usd_per_hour", "cost_usd_per_hour")
    )
    covered = worth["default_confidence"]
    why = ""
    if covered:
        share = format_percent(covered)
        why = f", at which it is best to cover the need in {share} of cases if no limit is reached"
    known = "; ".join(
        f"{lookup(name).label} {format_estimate(value)}"
        for name, value in list(worth["evppi"].items())[:most]
        if value["usd"] > 2 * value["error"]
    )
    hours, loss = format_number(worth["hours"]), format_number(worth["expected_loss_usd"])
    return (
        f"How many hours to buy for the least expected loss, if an hour costs {cost} USD on "
        f"average and a missing one {price} USD{why}: {hours}, at an expected loss of {loss} "
        f"USD. Knowing everything first would be worth {format_estimate(worth['evpi'])}; "
        + (
            f"knowing one quantity: {known}."
            if known
            else "no single quantity is worth more than the noise."
        )
        + " "
        + loss_limit_sentence(worth["loss_limit_usd"], worth["evpi_at_twice_the_limit"])
    )


def without_correlations_sentence(
    before: Mapping[str, Mapping[str, Any]], apart: ReusedAnswer, horizon: float
) -> str:
    """What the leading answers are, and would be without the view's rank correlations."""
    parts = []
    for name in APART:
        if name in before and name in apart.rows:
            now, then = (
                median_and_interval(rows[name], quantity_of(name), horizon)[0]
                for rows in (apart.rows, before)
            )
            parts.append(f"{label_of(name)} {now} (with them {then})")
    weak = "" if apart.trusted else " Not to be trusted: run `aligntax run --view uncorrelated`."
    return f"Without the view's rank correlations: {'; '.join(parts)}.{weak}"


SWING_HEADS = ("answer", "quantity", "if it is low", "if it is high")
SWING_NOTE = (
    "Median of the answer among the draws in which a quantity is in the lowest, and in the "
    "highest, fifth of what is believed of it; what chance alone shows is left out."
)


def swing_rows(found: Mapping[str, Sequence[Swing]], horizon: float) -> list[tuple[str, ...]]:
    """Rows of a tornado: an answer in hours, dollars or years where one quantity is low or high."""
    rows = []
    for answer, each in found.items():
        label = "money for the hours needed" if answer == MONEY else label_of(answer)
        for i, swing in enumerate(each):
            ends = (_end_in_words(answer, end, horizon) for end in (swing.low, swing.high))
            rows.append(("" if i else label, lookup(swing.quantity).label, *ends))
    return rows


def _end_in_words(answer: str, value: float, horizon: float) -> str:
    if answer == MONEY:
        return f"{format_number(10.0**value)} USD" if isfinite(value) else "no finite sum"
    quantity = quantity_of(answer)
    if not isfinite(value):
        return (words_above if value > 0 else words_below)(quantity, horizon)
    return format_amount(value, quantity)
