"""A difference of two answers and its Monte Carlo error, in words."""

from aligntax.analysis.summaries.words import format_number
from aligntax.models.priors.quantities import Quantity

# differences below which medians count as the same, by unit; a millionth for other units
SAME = {"year": 1e-3, "years": 1e-3}


def describe_difference(found: tuple[float | None, float | None], quantity: Quantity) -> str:
    """Return the difference of two medians and its Monte Carlo error, in words."""
    value, error = found
    if value is None:
        return "no difference in numbers: one is beyond them"
    if abs(value) < SAME.get(quantity.unit, 1e-6):
        return "the same"
    if quantity.by_mean:
        return f"{_signed(100 * value)} {_plus_minus(error, 100)} points"
    unit = (
        "OOM"
        if quantity.scale == "log10"
        else {"1": "", "year": "years"}.get(quantity.unit, quantity.unit)
    )
    text = f"{_signed(value)} {_plus_minus(error)} {unit}".rstrip()
    times = quantity.scale == "log10" and 0.05 < abs(value) < 300
    return f"{text} ({format_number(10.0**value)} times)" if times else text


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{minus(format_number(value))}" if value else "0"


def _plus_minus(error: float | None, scale: float = 1) -> str:
    return "± unknown" if error is None else f"± {format_number(scale * error, 1)}"


def minus(text: str) -> str:
    """Return the text with minus signs, after which lines do not break as after hyphens."""
    return "".join(
        "\N{MINUS SIGN}"
        if c == "-" and text[i + 1 : i + 2].isdigit() and not text[max(i - 1, 0) : i].strip(" (,~±")
        else c
        for i, c in enumerate(text)
    )
