"""Numbers in words: "63 thousand human-hours", "2048", "1.1%", "later than 2100 or never".

Values are on a quantity's own scale (log10 stays log10). Rows come from
:func:`aligntax.analysis.summaries.summary.summarise`. No draws are needed: a quantile that is None
lies inside censored mass, and ``prob_above``, ``prob_below`` and ``prob_undefined`` say which.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from aligntax.models.priors.quantities import Quantity, base_name, element, quantity_of

# Rows of one vector on a screen: each trial of density prediction is shown, and none of the sixty
# gold curves.
MOST_ROWS = 20
SCALES = (
    (1e12, "trillion", "T"),
    (1e9, "billion", "B"),
    (1e6, "million", "M"),
    (1e3, "thousand", "k"),
)
SCALE_WORDS = tuple(word for _, word, _ in SCALES)
SMALLEST, LARGEST = 1e-3, 1e15  # outside them powers of ten say more than words
LARGEST_POWER = 300  # of ten that a float is trusted to hold


def format_number(value: float, digits: int = 2) -> str:
    """Number to a few significant digits: 0.0012, 3.2, 840, 26 thousand, 4.1 billion, 6.2e37."""
    return _scaled(value, digits, 1)


def how_many(count: int, noun: str) -> str:
    """Count of things whose plural ends in s: 0 draws, 1 draw, 2 draws."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def verdict_in_words(record: Mapping[str, Any]) -> str:
    """Verdict of ``summary.json``; a pass says how many exceptions it has."""
    count = len(record.get("exceptions", ()))
    if record["verdict"] != "pass" or not count:
        return str(record["verdict"])
    return f"pass, {how_many(count, 'exception')}"


def verdict_line(record: Mapping[str, Any], details: str) -> str:
    """Verdict of an answer, and whether to trust it.

    Parameters
    ----------
    record : mapping
        With ``verdict`` and, where there are some, ``exceptions``, as ``summary.json`` has them.
    details : str
        Where the failed checks or the exceptions stand: "see above".
    """
    count = len(record.get("exceptions", ()))
    state = "its checks passed"
    if record["verdict"] != "pass":
        state = f"do not trust this result: a check failed, {details}"
    elif count:
        state += f", with {how_many(count, 'exception')}: {details}"
    return f"verdict: {record['verdict']} ({state})"


def format_estimate(value: Mapping[str, float]) -> str:
    """``usd`` and its Monte Carlo ``error``: 5.1 billion ± 1 billion USD."""
    return f"{format_number(value['usd'])} ± {format_number(value['error'], 1)} USD"


def loss_limit_sentence(limit: Mapping[str, float], twice: Mapping[str, float]) -> str:
    """What holds a value of information finite, and how far it hangs on that.

    Parameters
    ----------
    limit : mapping
        ``q05``, ``q50`` and ``q95`` of the loss limit, USD.
    twice : mapping
        ``usd`` and ``error`` of knowing everything at twice the limit.
    """
    low, middle, high = (format_number(limit[key]) for key in ("q05", "q50", "q95"))
    return (
        f"No shortfall costs more than the view's loss limit, {middle} USD (90%: {low} to {high}). "
        f"Were it twice that, knowing everything first would be worth {format_estimate(twice)}."
    )


def format_compact(value: float, digits: int = 2) -> str:
    """Number with a one-letter scale, for a tick of an axis: 840, 26k, 4.1B, 1e18."""
    return _scaled(value, digits, 2)


def tick_label(value: float, quantity: Quantity) -> str:
    """Label of a tick at a value on a quantity's scale: 10M, 1%, 2040."""
    if quantity.scale == "log10" and abs(value) > LARGEST_POWER:
        return f"1e{value:.0f}"
    natural = 10.0**value if quantity.scale == "log10" else value
    if quantity.share:
        return f"{format_compact(100 * natural)}%"
    if quantity.unit == "year":
        return f"{natural:.0f}"
    return format_compact(natural) if quantity.scale == "log10" else f"{natural:.4g}"


def _scaled(value: float, digits: int, word: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    value = float(f"{value:.{digits - 1}e}")  # rounded first, so that 999,999 is a million
    size = abs(value)
    if size >= LARGEST or size < SMALLEST:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}"
    for scale in SCALES:
        if size >= scale[0]:
            return _plain(value / scale[0], digits) + (" " if word == 1 else "") + str(scale[word])
    return _plain(value, digits)


def _plain(value: float, digits: int) -> str:
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_percent(share: float) -> str:
    """Share as a percentage to two significant digits."""
    if 0 < share < 1e-4:
        return "under 0.01%"
    return f"{_scaled(100 * share, 2, 1)}%"


def format_probability(value: float) -> str:
    """Probability as a whole percentage; 0% and 100% mean never and always."""
    if 0 < value < 0.01:
        return "under 1%"
    if 0.99 < value < 1:
        return "over 99%"
    return f"{100 * value:.0f}%"


# places to which a probability is rounded, the finest that its Monte Carlo error allows
PLACES = (0.01, 0.05, 0.1)


def format_chance(value: float, error: float | None) -> str:
    """Probability without digits below its Monte Carlo error: 85%, about 85%, about 90%.

    Parameters
    ----------
    error : float or None
        Monte Carlo standard error; None if it is unknown, which rounds to whole percentages.
    """
    place = next((place for place in PLACES if not (error or 0.0) > place), None)
    if place is None:
        return "not known: too few draws"
    if place == PLACES[0] or not 0 < value < 1:
        return format_probability(value)
    steps = round(1 / place)
    nearest = math.floor(value * steps + 0.5)
    if nearest == 0:
        return f"under {100 * place:.0f}%"
    if nearest == steps:
        return f"over {100 * (1 - place):.0f}%"
    return f"about {100 * nearest / steps:.0f}%"


def label_of(name: str) -> str:
    """Label of a number in an answer; the element of a vector follows after a comma."""
    label = quantity_of(name).label
    return f"{label}, {element(name).replace('_', ' ')}" if element(name) else label


def without_long_vectors(names: Iterable[str]) -> list[str]:
    """Names of an answer's numbers, without vectors that would fill the screen."""
    names = list(names)
    sizes = Counter(base_name(name) for name in names if element(name))
    return [name for name in names if not element(name) or sizes[base_name(name)] <= MOST_ROWS]


def format_amount(value: float, quantity: Quantity, unit: bool = True) -> str:
    """Value on a quantity's scale in its natural unit.

    Parameters
    ----------
    value : float
        log10 where the quantity's scale is log10.
    unit : bool
        Whether the unit follows; a percent sign always does.
    """
    if quantity.scale == "log10" and abs(value) > LARGEST_POWER:
        text = f"10^{value:.0f}"
    elif quantity.share:
        return format_percent(10.0**value if quantity.scale == "log10" else value)
    elif quantity.scale == "log10":
        text = format_number(10.0**value, 3 if quantity.unit == "1" else 2)
    elif quantity.unit == "year":
        return f"{value:.0f}"
    elif quantity.unit == "years":
        text = _years(value)
    else:
        text = _decimals(value, 2)
    return f"{text}{_suffix(text, quantity.unit)}" if unit else text


def _years(value: float) -> str:
    """Years to a decimal; nobody counts in less."""
    if 0 < abs(value) < 0.05:
        return "under 0.1" if value > 0 else "over -0.1"
    return _decimals(value, 1)


def _decimals(value: float, decimals: int) -> str:
    """Fixed decimals; whole numbers from ten up, and two significant digits below a tenth."""
    if 0 < abs(value) < 0.1:
        return format_number(value)
    text = f"{value:.{decimals if abs(value) < 10 else 0}f}"
    return "0" if float(text) == 0 else text


def _suffix(text: str, unit: str) -> str:
    if unit == "1":
        return ""
    if unit == "x":
        return "x" if text[-1].isdigit() else " x"
    return f" per {unit[2:]}" if unit.startswith("1/") else f" {unit}"


def words_above(quantity: Quantity, horizon: float | None = None) -> str:
    """Words for what lies above every number of a quantity: later or never, no amount suffices."""
    end = "the horizon" if horizon is None else f"{horizon:.0f}"
    if quantity.endless:
        return "no amount suffices"
    if quantity.unit == "year":
        return f"later than {end} or never"
    if quantity.unit == "years":
        return f"beyond {end}"
    return "no finite level" if quantity.unit == "FLOP" else "without limit"


def words_below(quantity: Quantity, horizon: float | None = None) -> str:
    """Words for what lies below every number of a quantity: nothing affordable."""
    if quantity.unit == "years":
        return "pulled in from beyond " + ("the horizon" if horizon is None else f"{horizon:.0f}")
    if quantity.endless:
        return (
            "none sufficed in practice"
            if quantity.name.startswith("labels")
            else "none sufficed at GPT-3's compute"
        )
    return "nothing affordable" if quantity.unit in ("human-hours", "x") else "below every value"


def _quantile(
    row: Mapping[str, Any], key: str, quantity: Quantity, horizon: float | None, unit: bool
) -> str:
    value = row.get(key)
    if value is not None:
        return format_amount(value, quantity, unit)
    above, below, undefined = _masses(row)
    defined = max(1.0 - undefined, 1e-12)
    # None lies in the nearer of the two masses.
    middle = 0.5 * (below / defined + 1.0 - above / defined)
    return (
        words_below(quantity, horizon)
        if below > 0 and int(key[1:]) / 100 < middle
        else words_above(quantity, horizon)
    )


def _masses(row: Mapping[str, Any]) -> tuple[float, float, float]:
    above, below, undefined = (
        float(row.get(f"prob_{kind}") or 0.0) for kind in ("above", "below", "undefined")
    )
    return above, below, undefined


def median_and_interval(
    row: Mapping[str, Any], quantity: Quantity, horizon: float | None = None
) -> tuple[str, str]:
    """Median and central 90% interval of a row of the summary, in words.

    Parameters
    ----------
    row : mapping
        With ``q05, q50, q95, mean, prob_above, prob_below, prob_undefined``.
    horizon : float, optional
        Year at which dates are censored, which the words then name.

    Returns
    -------
    median, interval : str
        ``("63 thousand human-hours", "44 human-hours to 110 million")``. What is summarised by its
        mean has that probability and no interval. A quantity that no draw defines has
        ``("undefined", "")``.
    """
    if row.get("prob_undefined") == 1.0:
        return "undefined", ""
    if quantity.by_mean:
        mean = row.get("mean")
        return ("unknown" if mean is None else format_probability(mean)), ""
    median = _quantile(row, "q50", quantity, horizon, True)
    low, high = (_quantile(row, key, quantity, horizon, False) for key in ("q05", "q95"))
    if low[-1].isdigit() and high.endswith(SCALE_WORDS):  # "44 to 140 million" is read as millions
        low = _quantile(row, "q05", quantity, horizon, True)
    return median, low if low == high else f"{low} to {high}"


def words_of_event(quantity: Quantity, horizon: float | None = None) -> str:
    """Words for the event that defines a quantity: arrival before 2100."""
    return quantity.event.format(end="the horizon" if horizon is None else f"{horizon:.0f}")


def missing_mass(row: Mapping[str, Any], quantity: Quantity, horizon: float | None = None) -> str:
    """What a row is conditional on, and its censored mass, in words; empty if there is neither.

    Undefined draws are left out of the quantiles. Shares of the others are therefore given among
    the draws that remain.
    """
    above, below, undefined = _masses(row)
    defined = 1.0 - undefined
    if defined <= 0:
        return "undefined in every draw"
    parts = (
        [f"{format_probability(above / defined)} {words_above(quantity, horizon)}"] if above else []
    )
    parts += (
        [f"{format_probability(below / defined)} {words_below(quantity, horizon)}"] if below else []
    )
    if not undefined:
        return "; ".join(parts)
    given = f"given {words_of_event(quantity, horizon)} ({format_probability(defined)})"
    return ": ".join([given, *(["; ".join(parts)] if parts else [])])
