"""What drives the answer, in words: rows of a table and sentences from what :mod:`aligntax.analysis.answers.sensitivity` found."""

from collections.abc import Mapping, Sequence
from typing import Any

from aligntax.analysis.summaries.words import format_number, format_percent, label_of
from aligntax.models.priors.quantities import lookup

# the hours over a constant: the same drivers
REPEATED = frozenset({"rlhf_multiple_needed", "rlhf_multiple_affordable"})
FLAGS = {
    "prior-data conflict": "both move it: potential prior-data conflict",
    "strong prior / weak likelihood": "strong priors, weak evidence",
    "ok": "",
}
SLIGHT = 0.05  # a rank correlation below it has no direction worth naming
SEEN = 0.01  # share of variance worth naming
CAUTION = (
    "Sensitivity: how far an answer moves when priors, one of them, or the evidence are made stronger or weaker (power-scaling); "
    "0.05 and more is large. Spread: the share of an answer's variance that a quantity explains alone; the rest is "
    "other than the inputs, such as chance in arrival, which anchor applies, and the spread between studies."
)


def shown_answers(found: Mapping[str, Any]) -> list[str]:
    """Answers to show, in the model's order."""
    return [name for name in found["headlines"] if name not in REPEATED]


def driver_rows(found: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, str]]:
    """A row an answer: its drivers, sensitivity to all priors and all evidence, and flag, in words.

    Parameters
    ----------
    found : mapping
        As in ``info.json`` under ``sensitivity``.
    names : sequence of str
        Answers.
    """
    return [_row(name, found["headlines"][name], found["quantities"]) for name in names]


def _row(name: str, row: Mapping[str, Any], quantities: Mapping[str, Any]) -> dict[str, str]:
    drivers = [_driver(each, quantities[each["quantity"]]["assumed"]) for each in row["drivers"]]
    spread = [
        f"{lookup(each['quantity']).label} {100 * each['first_order']:.0f}%"
        for each in row["spread"]
        if each["first_order"] >= SEEN
    ]
    rest = 1.0 - min(1.0, row["explained"])
    return {
        "name": name,
        "label": label_of(name),
        "drivers": "; ".join(drivers) or "none stands out",
        "spread": "; ".join(
            [*spread, *([f"other than the inputs {100 * rest:.0f}%"] if rest >= SEEN else [])]
        ),
        "prior": f"{row['prior']:.2f}",
        "likelihood": f"{row['likelihood']:.2f}",
        "flag": FLAGS[row["diagnosis"]],
    }


def _driver(row: Mapping[str, Any], assumed: bool) -> str:
    """``tax tolerance (0.08, raises it, assumed)``."""
    parts = [f"{row['sensitivity']:.2f}"]
    if abs(row["correlation"]) >= SLIGHT:
        parts.append("raises it" if row["correlation"] > 0 else "lowers it")
    return f"{lookup(row['quantity']).label} ({', '.join([*parts, *(['assumed'] if assumed else [])])})"


def contraction_sentence(found: Mapping[str, Any], most: int = 5) -> str:
    """What the evidence narrowed most, and what it does not touch."""
    known = {
        name: row["contraction"] for name, row in found["quantities"].items() if not row["assumed"]
    }
    best = [name for name in sorted(known, key=lambda name: -known[name]) if known[name] > SLIGHT][
        :most
    ]
    assumed = [lookup(name).label for name, row in found["quantities"].items() if row["assumed"]]
    narrowed = ", ".join(f"{lookup(name).label} ({100 * known[name]:.0f}%)" for name in best)
    text = (
        f"The evidence narrowed most (share of the prior's variance removed): {narrowed}. "
        if best
        else ""
    )
    return text + (
        f"{'It' if best else 'The evidence'} does not touch {', '.join(assumed)}."
        if assumed
        else ""
    )


def decision_sentence(worth: Mapping[str, Any] | None, most: int = 3) -> str:
    """The decision how many hours to buy and what knowing a quantity first would be worth; empty where there is none."""
    if worth is None:
        return ""
    price, cost = (format_number(worth[key], 3) for key in ("price_usd_per_hour", "cost_usd_per_hour"))
    covered = worth["default_confidence"]
    why = (
        f", at which it is best to cover the need in {format_percent(covered)} of cases" if covered else ""
    )
    known = list(worth["evppi"].items())[:most]
    each = "; ".join(
        f"{lookup(name).label} {_usd(value)}"
        for name, value in known
        if value["usd"] > 2 * value["error"]
    )
    return (
        f"How many hours to buy, if an hour costs {cost} USD on average and a missing one {price} USD{why}: "
        f"{format_number(worth['hours'])}, at an expected loss of {format_number(worth['expected_loss_usd'])} USD. Knowing everything first "
        f"would be worth {_usd(worth['evpi'])}; "
        + (
            f"knowing one quantity: {each}."
            if each
            else "no single quantity is worth more than the noise."
        )
    )


def _usd(value: Mapping[str, float]) -> str:
    return f"{format_number(value['usd'])} ± {format_number(value['error'], 1)} USD"
