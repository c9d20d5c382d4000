"""A row of an evidence table as a file to fill in: every column explained, and one row as example.

The file is read as it stands: its explanations are comments, and its row is not used until its
writer says so.
"""

import csv
import io
import math
from difflib import get_close_matches

from aligntax.models.errors import InputError
from aligntax.models.evidence import HOME, TABLES
from aligntax.models.evidence.columns import Column, EvidenceTable
from aligntax.models.evidence.reader import records

KEY = "my_row"  # of the example


def evidence_template(name: str) -> str:
    """Text of ``NAME.add.csv``, which adds one row to a table.

    Raises
    ------
    InputError
        If there is no such table, or its rows come from elsewhere.
    """
    if name not in TABLES:
        near = get_close_matches(name, list(TABLES), n=3) or list(TABLES)
        raise InputError(f"table: must be a table, got {name!r}; did you mean {', '.join(near)}?")
    table = TABLES[name]
    if table.supplied:
        raise InputError(
            f"table: {name} holds rows of your own runs, which need no template; give them to "
            "`aligntax run` with --runs"
        )
    if table.simulated:
        raise InputError(
            f"table: {name} is simulated, and is written by `aligntax "
            f"{name.replace('_', '-')}`; got it as one to fill in"
        )
    written = io.StringIO()
    for line in _head(table):
        written.write(f"# {line}".rstrip() + "\n")
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow([column.name for column in table.columns])
    rows.writerow(_example(table))
    return written.getvalue()


def _head(table: EvidenceTable) -> list[str]:
    widest = max(len(column.name) for column in table.columns)
    used = any(column.name == "used" for column in table.columns)
    switch = ", and set used to true" if used else ""
    return [
        f"{table.title}: one row to add.",
        f"Save this as FOLDER/{table.name}.add.csv, put your figures in the place of the example's"
        f"{switch}.",
        "Then: aligntax evidence check FOLDER; aligntax refit latest --evidence FOLDER",
        "",
        *(f"{column.name:<{widest}}  {_explained(column)}" for column in table.columns),
    ]


def _explained(column: Column) -> str:
    """What a column holds, in which unit and between which bounds, and who must have it."""
    parts = [column.meaning]
    if column.choices:
        parts.append(f"one of {', '.join(column.choices)}")
    if column.kind == "flag":
        parts.append("true or false")
    if column.kind == "date":
        parts.append("YYYY-MM-DD")
    elif column.unit:
        parts.append(column.unit)
    if column.kind in ("number", "count") and math.isfinite(column.lower + column.upper):
        parts.append(f"{column.lower:g} to {column.upper:g}")
    if not column.required:
        parts.append("a used row must have it" if column.needed else "may be empty")
    return "; ".join(parts)


def _example(table: EvidenceTable) -> list[str]:
    """Cells of the table's first row as its file has them, under another key and not used."""
    lines = records(table.home or HOME / f"{table.name}.csv", f"values of {table.name}.csv")
    (_, header), (_, cells) = next(lines), next(lines)
    row = {**dict(zip(header, cells, strict=True)), "key": KEY}
    if "used" in row:
        row["used"] = "false"
    return [row[column.name] for column in table.columns]
