"""Units in which a prior can be stated, and the map from a stated value to the quantity's link.

A value may be stated in the quantity's own unit or, where it fits, in one of::

    OOM                    log10 of a log10 quantity; OOM or OOM/year themselves
    percent                a pure number or a multiple
    x/year, percent/year   a growth in OOM/year
    dollars, dollars/hour  USD, USD/hour
    hours                  human-hours
    hours/year             human-hours/year
    seconds, minutes, hours, days, weeks, months, years    each other's durations

Each gives an increasing map ``v -> y`` with its inverse and the log of its derivative. A density
that is stated in any unit therefore has its exact Jacobian on the link.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from aligntax.models.priors.quantities import Quantity

Map = Callable[[Any], Any]
LN10 = np.log(10)


@dataclass(frozen=True)
class Unit:
    """A unit: maps to the natural value and back, and the log of the first one's derivative."""

    natural: Map
    back: Map
    log_rate: Map


@dataclass(frozen=True)
class UnitLink:
    """Maps from a stated value to the link and back, and the log of the first one's derivative."""

    forward: Map
    inverse: Map
    log_slope: Map


def _times(factor: float) -> Unit:
    return Unit(
        lambda v: np.asarray(v) * factor,
        lambda x: np.asarray(x) / factor,
        lambda v: np.full(np.shape(v), np.log(factor)),
    )


SAME = Unit(np.asarray, np.asarray, lambda v: np.zeros(np.shape(v)))
HOUR, DAY = 3600.0, 86400.0  # seconds
YEAR = 365.25 * DAY  # the Julian year
DURATIONS: Mapping[str, float] = MappingProxyType(  # seconds
    {
        "seconds": 1.0,
        "minutes": 60.0,
        "hours": HOUR,
        "days": DAY,
        "weeks": 7 * DAY,
        "months": YEAR / 12,
        "years": YEAR,
    }
)
NATURAL = {"s": 1.0, "minutes": 60.0, "days": DAY, "years": YEAR}  # of quantities, in seconds


def _durations(seconds: float) -> dict[str, Unit]:
    """Maps from a duration of so many seconds to the quantities' own units of time."""
    return {own: _times(seconds / each) for own, each in NATURAL.items()}


# Stated unit to natural unit of the quantity to the map. One stated unit can have several, because
# hours measure effort and time.
UNITS: Mapping[str, Mapping[str, Unit]] = MappingProxyType(
    {
        "OOM": {"OOM": SAME, "OOM/year": SAME},  # of a log10 quantity: see unit_link()
        "percent": {"1": _times(0.01), "x": _times(0.01)},
        "x/year": {
            "OOM/year": Unit(
                np.log10, lambda x: 10.0 ** np.asarray(x), lambda v: -np.log(v) - np.log(LN10)
            )
        },
        "percent/year": {
            "OOM/year": Unit(
                lambda v: np.log10(1 + np.asarray(v) / 100),
                lambda x: 100 * (10.0 ** np.asarray(x) - 1),
                lambda v: -np.log(100 + np.asarray(v)) - np.log(LN10),
            )
        },
        "dollars": {"USD": SAME},
        "dollars/hour": {"USD/hour": SAME},
        "hours": {"human-hours": SAME, **_durations(HOUR)},
        "hours/year": {"human-hours/year": SAME},
        **{name: _durations(seconds) for name, seconds in DURATIONS.items() if name != "hours"},
    }
)


def units_of(quantity: Quantity) -> list[str]:
    """Units in which the quantity can be stated, its own first."""
    logarithmic = ["OOM"] if quantity.scale == "log10" else []
    return [
        quantity.unit,
        *dict.fromkeys([*logarithmic, *(n for n, fits in UNITS.items() if quantity.unit in fits)]),
    ]


def natural_value(quantity: Quantity, unit: str, value: float) -> float | None:
    """Natural value of a number in a unit; None where the unit does not fit."""
    if unit == "OOM" and quantity.scale == "log10":
        return float(10.0**value)
    if not unit or unit == quantity.unit:
        return value
    stated = UNITS.get(unit, {}).get(quantity.unit)
    return None if stated is None else float(stated.natural(value))


def unit_link(quantity: Quantity, unit: str) -> UnitLink | None:
    """Maps between a value in a unit and the quantity's link; None where the unit does not fit.

    An empty unit means the quantity's own.
    """
    if unit == "OOM" and quantity.scale == "log10":
        return UnitLink(np.asarray, np.asarray, lambda v: np.zeros(np.shape(v)))
    own = not unit or unit == quantity.unit
    stated = SAME if own else UNITS.get(unit, {}).get(quantity.unit)
    if stated is None:
        return None

    def log_slope(v: Any) -> Any:
        x = stated.natural(v)
        if quantity.scale == "log10":
            return stated.log_rate(v) - np.log(x) - np.log(LN10)
        if quantity.scale == "logit":
            low, high = quantity.lower, quantity.upper
            return stated.log_rate(v) + np.log(high - low) - np.log(x - low) - np.log(high - x)
        return stated.log_rate(v)

    return UnitLink(
        lambda v: quantity.to_link(stated.natural(v)),
        lambda y: stated.back(quantity.from_link(y)),
        log_slope,
    )
