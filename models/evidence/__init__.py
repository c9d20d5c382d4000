"""The published evidence: cited CSV tables, checked and loaded into xarray.

Each table is a file beside this one; the folder ``schema`` says what its columns mean. A row has a
citation, a status and a flag ``used``. The used rows form the consistent subset that the models
condition on by default. The others are carried for comparison, with the reason in ``note``.

The hash of a table is taken over its rows sorted by key, in the order of the schema's columns and
with values as loaded. It changes when a value (notes and flags included) or the set of rows
changes. It does not change with the order of rows or columns, comments, white space, line ends, or
the spelling of a number.
"""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models.errors import InputError
from aligntax.models.evidence.columns import EvidenceTable
from aligntax.models.evidence.identity import repeated
from aligntax.models.evidence.reader import MOST_PROBLEMS, read_rows
from aligntax.models.evidence.schema import TABLES

__all__ = [
    "TABLES",
    "Evidence",
    "load_evidence",
    "refuse_repeated",
    "replaceable_rows",
    "select",
]

HOME = Path(__file__).parent
WIDTH = 100  # characters of a line of its repr
NO_TAI = "no_tai_until"  # the constant that until() lowers
# Python type of a column's values by kind; the other kinds are float.
TYPES: Mapping[str, type] = MappingProxyType(
    {"text": str, "slug": str, "choice": str, "flag": bool}
)


@dataclass(frozen=True, eq=False)
class Evidence:
    """All evidence tables of one state of knowledge.

    Two are compared by their ``hash``. Methods return a new object. Do not change the tables in
    place.

    Attributes
    ----------
    tables : Mapping of str to xarray.Dataset
        Rows by name of the table. Numbers are float (NaN if missing), dates are decimal years,
        flags are bool, and text is str ("" if missing). Every variable has the attributes ``unit``
        and ``long_name``.
    hashes : Mapping of str to str
        SHA-256 of each table's content; see the module's docstring.
    hash : str
        SHA-256 over all of them.
    ready : Mapping of str to xarray.Dataset
        Likelihood rows, such as simulated ones, that take the place of those computed from a table;
        see :func:`replaceable_rows`.
    """

    tables: Mapping[str, xr.Dataset]  # a plain dict, because workers receive it pickled
    ready: Mapping[str, xr.Dataset] = field(default_factory=dict)

    def __repr__(self) -> str:
        rows = (f"{name} {next(iter(t.sizes.values()), 0)}" for name, t in self.tables.items())
        words = f"Evidence of {len(self.tables)} tables, with their rows: {', '.join(rows)}"
        return "\n".join(wrap(words, WIDTH, subsequent_indent="    "))

    def __getitem__(self, name: str) -> xr.Dataset:
        """Return the rows of a table.

        Raises
        ------
        InputError
            If there is no such table.
        """
        if name not in self.tables:
            raise InputError(
                f"evidence: must be a table, got {name!r}; choose from {', '.join(self.tables)}"
            )
        return self.tables[name]

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of each table's content."""
        return {
            name: _sha256(_canonical_rows(TABLES[name], rows)) for name, rows in self.tables.items()
        }

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the content of all tables."""
        return _sha256(self.hashes)

    def until(self, date: float) -> "Evidence":
        """Return what was known at a date.

        Rows with a later date are dropped from the tables that say when a row became known. A year
        without a month counts as the middle of that year. The date until which no transformative AI
        had arrived is lowered.

        Parameters
        ----------
        date : float
            Decimal year.

        Raises
        ------
        InputError
            If ``date`` is not a finite number.
        """
        if not math.isfinite(date):
            raise InputError(
                f"evidence until: must be a decimal year, got {date}; give a date such as 2022.5"
            )
        kept = {}
        for name, rows in self.tables.items():
            table = TABLES[name]
            if table.dated:
                kind = next(column.kind for column in table.columns if column.name == table.dated)
                known = rows[table.dated].values + (0.5 if kind == "year" else 0.0)
                rows = rows.isel({table.dim: known <= date})
            kept[name] = rows
        value = kept["constants"]["value"].copy()
        value.loc[{"constant": NO_TAI}] = min(date, self.constant(NO_TAI))
        kept["constants"] = kept["constants"].assign(value=value)
        return Evidence(kept)

    def only(self, names: Collection[str]) -> "Evidence":
        """Return evidence that conditions on the named tables alone.

        The other tables remain as figures, with ``used`` false in every row. Tables without
        likelihood (inputs, forecasts and constants) stay as they are: no model conditions on them.

        Parameters
        ----------
        names : collection of str
            Tables with a likelihood; may be empty.

        Raises
        ------
        InputError
            If a name is no table with a likelihood.
        """
        conditioned = [name for name, table in TABLES.items() if table.likelihood]
        given = [names] if isinstance(names, str) else list(names)
        for name in given:
            if name not in conditioned:
                choices = ", ".join(conditioned)
                raise InputError(
                    f"evidence: must be a table with a likelihood, got {name!r}; "
                    f"choose from {choices}"
                )
        tables = dict(self.tables)
        for name in conditioned:
            # a run stored by an earlier version lacks later tables
            if name not in given and name in tables:
                tables[name] = tables[name].assign(used=xr.zeros_like(tables[name]["used"]))
        return Evidence(tables)

    def with_rows(
        self, name: str, rows: Sequence[Mapping[str, Any]], extend: bool = False
    ) -> "Evidence":
        """Return evidence in which the rows of a table are replaced or extended.

        Parameters
        ----------
        name : str
            The table.
        rows : sequence of mapping
            Each has one value for every column of the table, as loaded. They are not checked.
        extend : bool
            Whether the rows of the table are kept.
        """
        new = _to_dataset(TABLES[name], rows)
        if extend:
            new = xr.concat([self[name], new], TABLES[name].dim, combine_attrs="override")
        return Evidence({**self.tables, name: new})

    def with_likelihood_rows(self, rows: Mapping[str, xr.Dataset]) -> "Evidence":
        """Return evidence in which the likelihoods of some tables take other rows.

        The rows also give what a likelihood takes as known, such as the entry threshold of a run;
        it is not computed again from the table. The tables themselves stay as they are. Every
        other method starts from them and drops these rows.

        Parameters
        ----------
        rows : mapping of str to xarray.Dataset
            Likelihood rows by table, in the layout that the model of the table uses.
        """
        return replace(self, ready={**self.ready, **rows})

    def constant(self, name: str) -> float:
        """Return a number from ``constants.csv``, in the unit given there.

        Raises
        ------
        InputError
            If there is no such constant.
        """
        if name not in self._constants:
            choices = ", ".join(self._constants)
            raise InputError(
                f"constant: must be in constants.csv, got {name!r}; choose from {choices}"
            )
        return self._constants[name]

    @cached_property
    def _constants(self) -> Mapping[str, float]:
        """Numbers of ``constants.csv`` by name, which every block of draws asks for."""
        table = self.tables["constants"]
        names = [str(key) for key in table["constant"].values]
        return dict(zip(names, table["value"].values.tolist(), strict=True))


def load_evidence(extra: Path | None = None) -> Evidence:
    """Load and check all tables.

    Parameters
    ----------
    extra : Path, optional
        A directory of the user's own tables. A file ``NAME.csv`` in it replaces an embedded table,
        and ``NAME.add.csv`` extends one, after any replacement. Other kinds of file are ignored.

    Raises
    ------
    InputError
        If the directory or a file in it is wrong; the message lists up to ten problems of the first
        wrong file.
    """
    replaced, added = ({}, {}) if extra is None else _user_files(Path(extra))
    tables = {}
    for name, table in TABLES.items():
        rows = read_rows(replaced.get(name, table.home or HOME / f"{name}.csv"), table)
        if name in added:
            rows += read_rows(added[name], table, taken=frozenset(row["key"] for row in rows))
        if name in replaced or name in added:
            refuse_repeated(added.get(name) or replaced[name], rows, table)
        tables[name] = _to_dataset(table, rows)
    evidence = Evidence(tables)
    if "constants" in replaced and NO_TAI not in tables["constants"]["constant"].values:
        where = replaced["constants"]
        raise InputError(
            f"{where}: must have the row {NO_TAI}, got none; copy it from the embedded table"
        )
    return evidence


def replaceable_rows(
    table: str,
) -> Callable[[Callable[..., xr.Dataset]], Callable[..., xr.Dataset]]:
    """Decorate the function that computes the likelihood rows of a table: given rows replace them.

    The decorated function is ``(evidence, *settings) -> rows``. Where
    :meth:`Evidence.with_likelihood_rows` gave rows for the table, it returns these and does not
    run: simulated rows have no entry in the table that they could be computed from.
    """

    def decorate(rows_of: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
        @wraps(rows_of)
        def rows(evidence: Evidence, *settings: Any) -> xr.Dataset:
            return (
                evidence.ready[table] if table in evidence.ready else rows_of(evidence, *settings)
            )

        return rows

    return decorate


def select(table: xr.Dataset, **equal: str | bool) -> xr.Dataset:
    """Return the used rows of a table.

    Parameters
    ----------
    table : xarray.Dataset
        One of the tables of an :class:`Evidence`.
    **equal
        Columns and the value that the rows must have in each, e.g. ``bound="exact"``.

    Raises
    ------
    InputError
        If the table has no such column.
    """
    (dim,) = table.dims
    rows = (
        table["used"].values.astype(bool)
        if "used" in table
        else np.ones(table.sizes[dim], dtype=bool)
    )
    for column, value in equal.items():
        if column not in table:
            names = ", ".join(str(name) for name in table.data_vars)
            raise InputError(f"select: must name a column, got {column!r}; choose from {names}")
        rows &= table[column].values == value
    return table.isel({dim: rows})


def _user_files(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Files of a user's directory, by table: those that replace it, and those that extend it."""
    names = ", ".join(TABLES)
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise InputError(
            f"{folder}: evidence must be a directory of CSV files, got {got}; check the path"
        )
    replaced: dict[str, Path] = {}
    added: dict[str, Path] = {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    except OSError as error:
        raise InputError(
            f"{folder}: must be readable, got {error.strerror}; check the rights"
        ) from error
    for path in files:
        name = path.name.removesuffix(".csv")
        place, name = (
            (added, name.removesuffix(".add")) if name.endswith(".add") else (replaced, name)
        )
        if name not in TABLES:
            raise InputError(
                f"{path}: a CSV file must be called NAME.csv (replaces a table) "
                f"or NAME.add.csv (extends it), got {path.name!r}; NAME is one of {names}"
                f"{TABLES.extensions.hint()}"
            )
        place[name] = path
    if not files:
        raise InputError(
            f"{folder}: must contain NAME.csv or NAME.add.csv, got neither; NAME is one of {names}"
        )
    return replaced, added


def refuse_repeated(path: Path, rows: Sequence[Mapping[str, Any]], table: EvidenceTable) -> None:
    """Raise an error about observations that the table has under two keys."""
    if twice := repeated(rows, table):
        assert table.identity is not None  # else nothing is repeated
        what = ", ".join(table.identity.same)
        found = "; ".join(f"{second} is {first} again" for first, second in twice[:MOST_PROBLEMS])
        raise InputError(
            f"{path}: an observation must be used once ({what}, and {table.identity.system} or "
            f"{table.identity.figure}), got {found}; drop one, or set its used to false"
        )


def _to_dataset(table: EvidenceTable, rows: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """Return rows as a Dataset along the dimension of the table, with the keys as coordinate."""
    variables = {
        column.name: xr.Variable(
            table.dim,
            np.array([row[column.name] for row in rows], dtype=TYPES.get(column.kind, float)),
            {"unit": column.unit, "long_name": column.meaning},
        )
        for column in table.columns
    }
    keys = variables.pop("key")
    return xr.Dataset(
        variables, coords={table.dim: keys}, attrs={"title": table.title, "name": table.name}
    )


def _canonical_rows(table: EvidenceTable, rows: xr.Dataset) -> list[list[Any]]:
    """Return a table as lists that are equal exactly if its content is; NaN becomes None."""
    columns = [
        rows[table.dim if column.name == "key" else column.name].values.tolist()
        for column in table.columns
    ]
    by_key = sorted(zip(*columns, strict=True))  # keys are unique, so no other column is compared
    return [[None if value != value else value for value in row] for row in by_key]


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
