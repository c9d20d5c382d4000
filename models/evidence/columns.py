"""Columns and tables as values, and short constructors for the columns that occur often."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["text", "slug", "choice", "flag", "number", "count", "year", "date"]
Row = Mapping[str, Any]
Fault = tuple[str, str, str] | None  # column at fault, the rule, the remedy
Rule = Callable[[Row], Fault]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of evidence.

    Parameters
    ----------
    name, unit, meaning : str
        ``unit`` is empty for text; numbers without dimension say what they count.
    kind : {"text", "slug", "choice", "flag", "number", "count", "year", "date"}
        ``count`` and ``year`` are whole numbers; a ``date`` is YYYY-MM-DD in the file, a decimal
        year when loaded.
    lower, upper : float
        Inclusive bounds of a number (decimal years for a date).
    choices : tuple of str
        The values a ``choice`` may take.
    required : bool
        Whether every row must have a value.
    needed : bool
        Whether a used row must have a value.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    lower: float = -math.inf
    upper: float = math.inf
    choices: tuple[str, ...] = ()
    required: bool = True
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Columns by which rows are one observation; see :mod:`aligntax.models.evidence.identity`.

    Parameters
    ----------
    system : str
        Column that names what was observed.
    same : tuple of str
        Columns in which rows of one observation agree.
    figure : str
        The observed number.
    """

    system: str
    same: tuple[str, ...]
    figure: str


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """One table of evidence.

    Parameters
    ----------
    name, dim, title : str
        The file is ``name.csv``; rows lie along ``dim``, whose coordinate is the column ``key``.
    columns : tuple of Column
        All columns, in the order of the embedded file.
    likelihood : bool
        Whether a model conditions on the used rows. :meth:`Evidence.only` leaves other tables as
        they are.
    supplied : bool
        Whether the user supplies the rows. The embedded file then has none.
    simulated : bool
        Whether the embedded rows are of a world that this package simulates.
    dated : str
        The column that gives the date on which a row became known ("" if none). A year without a
        month counts as its middle.
    rules : tuple of callable
        Conditions on a whole row.
    identity : Identity, optional
        What tells observations apart; without it, keys alone do.
    asked_by : str
        Setting of a view, ``section.name``, without which no model uses it ("" if all views do).
    home : Path, optional
        The file of a table from outside; the package's own lie beside their loader.
    """

    name: str
    dim: str
    title: str
    columns: tuple[Column, ...]
    likelihood: bool = False
    supplied: bool = False
    simulated: bool = False
    dated: str = ""
    rules: tuple[Rule, ...] = ()
    identity: Identity | None = None
    asked_by: str = ""
    home: Path | None = None


SMALLEST = 1e-12  # stands for "greater than zero" in inclusive bounds

KEY = Column(
    "key", "slug", "", "unique name of the row, lower-case letters, digits and underscores"
)
USED = Column("used", "flag", "", "whether the row enters the default likelihood, view or report")
END = (
    Column("source", "text", "", "citation: authors, year, arXiv number or name of the page"),
    Column(
        "status",
        "choice",
        "",
        "how the figure was obtained: seen in the source, in a secondary text, from memory, "
        "or computed from others",
        choices=("seen", "secondary", "memory", "computed"),
    ),
    Column("note", "text", "", "remarks; why the row is not used, if it is not", required=False),
)


def text(name: str, meaning: str, required: bool = True) -> Column:
    """Column of free text."""
    return Column(name, "text", "", meaning, required=required)


def number(name: str, unit: str, meaning: str, lower: float, upper: float = math.inf) -> Column:
    """Column of numbers that any row may lack."""
    return Column(name, "number", unit, meaning, lower, upper, required=False)


def needed(name: str, unit: str, meaning: str, lower: float, upper: float = math.inf) -> Column:
    """Column of numbers that used rows must have."""
    return Column(name, "number", unit, meaning, lower, upper, required=False, needed=True)


def always(
    name: str, unit: str, meaning: str, lower: float = -math.inf, upper: float = math.inf
) -> Column:
    """Column of numbers that every row must have."""
    return Column(name, "number", unit, meaning, lower, upper)


def choice(name: str, meaning: str, *choices: str, needed: bool = False) -> Column:
    """Column that holds one of several words."""
    return Column(name, "choice", "", meaning, choices=choices, required=not needed, needed=needed)


def published(meaning: str = "year of publication") -> Column:
    """Column ``year``: a year without a month."""
    return Column("year", "year", "year", meaning, 1950, 2100)
