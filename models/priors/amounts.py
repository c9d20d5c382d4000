"""Numbers as people write them, read alike in views, options, conditions and questions.

=======================================  ==============================================
written                                  read as
=======================================  ==============================================
``1,000``, ``1_000``, ``1 thousand``     1000
``2M``, ``2 million``, ``2e6``           2 000 000
``5%``                                   0.05
``3x``                                   3
``44 hours``, ``1.5 million USD``        a number in a unit, where the quantity has it
=======================================  ==============================================

A comma is a thousands separator and stands before three digits: ``1,5`` is refused, since it is one
and a half to some readers and no number to others. So is ``2m``: minutes, months or millions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import Quantity
from aligntax.models.priors.units import natural_value, units_of

MULTIPLES: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("k", "thousand"), 1e3),
        **dict.fromkeys(("M", "million", "millions"), 1e6),
        **dict.fromkeys(("B", "bn", "billion", "billions"), 1e9),
        **dict.fromkeys(("T", "trillion", "trillions"), 1e12),
    }
)
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)"
NUMBER = rf"[+-]?(?:{_DIGITS}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_STATED = re.compile(rf"({NUMBER})\s*(.*)", re.DOTALL)
_MULTIPLE = re.compile(rf"(?:({'|'.join(MULTIPLES)})(?=$|[\s%]))?\s*(.*?)\s*", re.DOTALL)
PURE = ("1", "x")  # units of quantities that may be stated as a percentage or a multiple


@dataclass(frozen=True)
class Stated:
    """A number in the unit that stands behind it, which is empty, ``%``, ``x`` or a name."""

    value: float
    unit: str = ""

    @classmethod
    def parse(cls, text: str) -> "Stated":
        """Read a number with what stands behind it.

        Raises
        ------
        ValueError
            If the text does not begin with a number.

        Examples
        --------
        >>> Stated.parse("1.5 million hours")
        Stated(value=1500000.0, unit='hours')
        """
        match = _STATED.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"no number: {text!r}")
        number, behind = match.groups()
        value = float(number.replace(",", "").replace("_", ""))
        parts = _MULTIPLE.fullmatch(behind)
        assert parts is not None  # every part of it may be empty
        multiple, unit = parts.groups()
        return cls(value * MULTIPLES.get(multiple, 1.0), unit)


def plain_number(text: str, unit: str = "") -> float:
    """Read a number of a prior whose unit is stated beside it.

    Raises
    ------
    ValueError
        If it is no number, or has a unit of its own besides ``%`` and ``x``.
    """
    stated = Stated.parse(text)
    if stated.unit == "%" and unit in ("", *PURE, "percent"):
        return stated.value if unit == "percent" else stated.value / 100
    if stated.unit and not (stated.unit == "x" and unit in ("", *PURE)):
        raise ValueError(f"no plain number: {text!r}")
    return stated.value


def read_number(
    text: str | float, key: str, units: tuple[str, ...] = (), example: str = "2 million"
) -> float:
    """Read a number that is no quantity of a view, such as a price or a year.

    Parameters
    ----------
    text : str or float
        A number stays what it is.
    key : str
        What the error is about.
    units : tuple of str
        Units that may stand behind it. With ``%`` a percentage is a share.
    example : str
        Ends the message.

    Raises
    ------
    InputError
        If it is no number, or has another unit.
    """
    if not isinstance(text, str):
        return float(text)
    try:
        stated = Stated.parse(text)
    except ValueError:
        stated = None
    if stated is None or stated.unit not in ("", *units):
        behind = f" with or without {' or '.join(units)}" if units else ""
        rule = f"must be a number{behind}, got {text.strip()[:40]!r}"
        raise InputError(f"{key}: {rule}; write for instance {example}")
    return stated.value / 100 if stated.unit == "%" else stated.value


def read_amount(quantity: Quantity, text: str, key: str = "", remedy: str = "") -> float:
    """Read an amount of a quantity, in its natural unit.

    Parameters
    ----------
    quantity : Quantity
    text : str
    key : str
        What the error is about; by default the quantity's name.
    remedy : str
        Ends the message; by default examples.

    Raises
    ------
    InputError
        If it is no number, its unit does not fit, or it lies outside the quantity's range.
    """
    key = key or quantity.name
    remedy = remedy or f"write for instance {examples_of(quantity)}"
    try:
        stated = Stated.parse(text)
    except ValueError:
        rule = f"must be a number {_limits(quantity)}".rstrip()
        raise InputError(f"{key}: {rule}, got {text.strip()[:40]!r}; {remedy}") from None
    value = _natural(quantity, stated)
    if value is None:
        rule = f"must be a number in {' or '.join(units_of(quantity))}, got {text.strip()[:40]!r}"
        why = "a percentage has no meaning here" if stated.unit == "%" else remedy
        raise InputError(f"{key}: {rule}; {why}")
    with np.errstate(all="ignore"):
        inside = np.isfinite(value) and np.isfinite(quantity.to_link(value))
    if not inside:
        rule = f"must be a number {_limits(quantity)}".rstrip()
        raise InputError(f"{key}: {rule}, got {text.strip()[:40]!r}; {remedy}")
    return value


def split_amounts(text: str) -> list[str]:
    """Split a list of amounts at semicolons or, where there is none, at commas.

    Examples
    --------
    >>> split_amounts("1,000; 2,000"), split_amounts("5%,10%")
    (['1,000', '2,000'], ['5%', '10%'])
    """
    return [part.strip() for part in text.split(";" if ";" in text else ",")]


def examples_of(quantity: Quantity) -> str:
    """Examples of amounts of a quantity, for a remedy."""
    return "3, 0.02 or 2%" if quantity.unit in PURE else "3, 0.02 or 2 million"


def _natural(quantity: Quantity, stated: Stated) -> float | None:
    """Value in the quantity's natural unit; None where the stated unit does not fit."""
    if quantity.unit in PURE and stated.unit in ("%", "x"):
        return stated.value / (100 if stated.unit == "%" else 1)
    with np.errstate(all="ignore"):
        try:
            return natural_value(quantity, stated.unit, stated.value)
        except OverflowError:
            return float("inf")


def _limits(quantity: Quantity) -> str:
    return {
        "log10": "above 0",
        "logit": f"between {quantity.lower:g} and {quantity.upper:g}",
    }.get(quantity.scale, "")
