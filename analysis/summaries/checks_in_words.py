"""The value of a check and its limit, in words that show why it failed."""

from collections.abc import Mapping
from typing import Any

DIGITS = 4  # of a value, unless it takes more to see that it lies beyond the limit
MOST_DIGITS = 17  # these tell any two floats apart
ELSEWHERE = "in a fit that this run rests on"


def value_and_limit(check: Mapping[str, Any]) -> tuple[str, str]:
    """Value and limit of a check as ``summary.json`` has it.

    A failed check of a fit that the run rests on has neither here. Its value is
    :data:`ELSEWHERE`, and its limit is empty.
    """
    value, limit = check["value"], check["threshold"]
    if value is None:
        return ("unknown", f"{limit:g}") if limit else (ELSEWHERE, "")
    for digits in range(DIGITS, MOST_DIGITS + 1):
        texts = f"{value:.{digits}g}", f"{limit:.{digits}g}"
        if check["passed"] or texts[0] != texts[1]:
            break
    return texts


def failure_in_words(check: Mapping[str, Any]) -> str:
    """Which check failed where, its value and its limit, and what to do."""
    where = f" ({check['where']})" if check["where"] else ""
    value, limit = value_and_limit(check)
    found = f" is {value}, limit {limit}" if limit else f", {value}"
    return f"{check['name']}{where}{found}; {check['action']}"
