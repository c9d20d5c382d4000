"""How an answer changed, in words: what it was, what it is, and the change in its own unit.

An amount over orders of magnitude changes by a number of its unit and by a factor. A share changes
by percentage points, and a date by years. Where a median lies in censored mass, such as "later than
2100 or never", there is no number to subtract and the two answers say it all.
"""

import math
from collections.abc import Mapping
from typing import Any

from aligntax.analysis.summaries.words import format_amount, format_number, median_and_interval
from aligntax.models.priors.quantities import Quantity

FAR = 1000.0  # a factor beyond which powers of ten say more
NO_FACTOR = "1x"


def change_in_words(before: Mapping[str, Any], after: Mapping[str, Any], quantity: Quantity) -> str:
    """Change of a number's median, or of the mean of what is summarised by it; "" without one.

    Parameters
    ----------
    before, after : mapping
        Rows of two summaries.

    Returns
    -------
    str
        ``"-17 million human-hours (0.41x)"``, ``"+3.2 points"`` (percentage points) or
        ``"+1.3 years"``; "" also where a date moves by less than a hundredth of a year, or an
        amount by a factor of one in two digits.
    """
    key = "mean" if quantity.by_mean else "q50"
    was, now = before.get(key), after.get(key)
    if was is None or now is None:
        return ""
    if quantity.share or quantity.by_mean:
        natural = (10.0**x if quantity.scale == "log10" else x for x in (was, now))
        was, now = natural
        return f"{_signed(100.0 * (now - was))} points"
    if quantity.scale != "log10":
        unit = {"year": "years", "1": ""}.get(quantity.unit, quantity.unit)
        step = round(now - was, 2) if unit == "years" else now - was
        return f"{_signed(step)} {unit}".rstrip() if step else ""
    factor = _factor(now - was)
    if factor == NO_FACTOR:
        return ""
    if max(abs(was), abs(now)) > 300.0:  # beyond what a float holds
        return factor
    if quantity.unit in ("x", "1"):
        return f"{factor} as much"
    step = 10.0**now - 10.0**was
    amount = format_amount(math.log10(abs(step)), quantity) if step else "0"
    return f"{'-' if step < 0 else '+'}{amount} ({factor})"


def was_and_is(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    quantity: Quantity,
    horizon: float | None = None,
) -> tuple[str, str, str]:
    """Median before, median after, and the change, in words."""
    was, now = (median_and_interval(row, quantity, horizon)[0] for row in (before, after))
    return was, now, change_in_words(before, after, quantity)


def size_of_change(
    before: Mapping[str, Any], after: Mapping[str, Any], quantity: Quantity
) -> float:
    """Change over the width of the first 90% interval, by which changes of all units are sorted.

    A mean of a probability changes by itself. Infinite where a median went into or out of censored
    mass, and zero where it stayed there.
    """
    key = "mean" if quantity.by_mean else "q50"
    was, now = before.get(key), after.get(key)
    if was is None or now is None:
        return 0.0 if was == now else math.inf
    if quantity.by_mean:
        return abs(float(now - was))
    low, high = before.get("q05"), before.get("q95")
    width = high - low if low is not None and high is not None else 1.0
    return abs(float(now - was)) / float(width) if width > 0 else math.inf


def _signed(value: float) -> str:
    text = format_number(abs(value))
    return f"{'-' if value < 0 else '+'}{text}"


def _factor(oom: float) -> str:
    """Factor of so many orders of magnitude: 0.41x, 12x, 10^5x."""
    return f"10^{oom:.0f}x" if abs(oom) > math.log10(FAR) else f"{format_number(10.0**oom)}x"
