"""Every run of a results folder as one sortable page: verdicts, views and headline numbers.

The page needs ``summary.json`` and ``info.json`` only, so that it is fast however large the draws
are.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aligntax.analysis.pages.render import render
from aligntax.analysis.storage.run_folder import INFO, SUMMARY, list_runs, read_json
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.summaries.claims import WHOSE, stated
from aligntax.analysis.summaries.claims_in_words import chance_in_words, notes_in_words
from aligntax.analysis.summaries.words import (
    label_of,
    median_and_interval,
    missing_mass,
    without_long_vectors,
    words_below,
)
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import (
    ELICITED,
    QUANTITIES,
    Quantity,
    base_name,
    element,
    quantity_of,
)

PAGE = "index.html"
REPORT = "report.html"
COLUMNS = (
    "alignment_hours_needed",
    "prob_affordable",
    "tai_year",
    "timeline_shift_exponent",
    "data_exponent",
)
MOST = 4  # numbers of a model that has few of the columns
HOW = {"sample": "sampled", "reweight": "reweighted"}
# errors that JSON of another shape raises
MALFORMED = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class Cell:
    """A cell of the table: its text, a second line, a note, and its sort key; empty if unknown."""

    text: str = ""
    more: str = ""
    note: str = ""
    sort: str = ""


@dataclass(frozen=True)
class Index:
    """A page that was written.

    Attributes
    ----------
    path : Path
    damaged : tuple of str
        The problem of each run that could not be read.
    """

    path: Path
    damaged: tuple[str, ...]


def write_index(out: str | os.PathLike[str] = "results") -> Index:
    """Write ``index.html`` into a results folder, replaced as a whole or not at all.

    Parameters
    ----------
    out : str or path
        Folder of results; made if there is none.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    out = Path(out)
    rows, damaged = [], []
    for folder in list_runs(out):
        try:
            rows.append(_row(folder))
        except InputError as error:
            damaged.append((folder.name, str(error)))
        except MALFORMED as error:
            rule = (
                f"run: {folder} must hold what `aligntax run` writes, got {type(error).__name__}: "
                f"{error}"
            )
            damaged.append((folder.name, f"{rule}; restore it or run again"))
    rows.sort(key=lambda row: str(row["created"].sort), reverse=True)
    shown = [name for name in COLUMNS if any(row["numbers"][name].text for row in rows)]
    context = {
        "out": out.resolve().name,
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "columns": [_column_head(QUANTITIES[name]) for name in shown],
        "rows": [{**row, "numbers": [row["numbers"][name] for name in shown]} for row in rows],
        "own": any(row["own"] for row in rows),
        "damaged": damaged,
    }
    text = render(PAGE, context, ["sortable.js"])
    try:
        out.mkdir(parents=True, exist_ok=True)
        path = replace_file(out / PAGE, text)
    except OSError as error:
        raise InputError(
            f"out: must be a folder that can be written, got {out} ({error.strerror}); choose "
            "another with --out"
        ) from None
    return Index(path, tuple(problem for _, problem in damaged))


def _column_head(quantity: Quantity) -> dict[str, str]:
    unit = {"1": "", "year": "", "x": ""}.get(quantity.unit, quantity.unit)
    return {"label": quantity.label, "unit": unit, "meaning": quantity.meaning}


def _row(folder: Path) -> dict[str, Any]:
    """Return the row of one run."""
    record, info = read_json(folder / SUMMARY), read_json(folder / INFO)
    rows = {
        name: row for name, row in record["quantities"].items() if base_name(name) in QUANTITIES
    }
    horizon = float(info["horizon"])
    failed = [check["name"].replace("_", " ") for check in record["checks"] if not check["passed"]]
    return {
        "name": folder.name,
        "href": f"{quote(os.fsencode(folder.name), safe='')}/{REPORT}"
        if (folder / REPORT).is_file()
        else "",
        "created": _date_cell(str(info["created"])),
        "model": str(record["model"]),
        "view": str(record["view"]),
        "method": str(
            info.get("refit", {}).get("how") or HOW.get(record["method"], record["method"])
        ),
        "source": str((info.get("refitted_from") or {}).get("run", "")),
        "verdict": str(record["verdict"]),
        "exceptions": [str(each) for each in record.get("exceptions", ())],
        "failed": list(dict.fromkeys(failed)),
        "checks": len(record["checks"]),
        "numbers": {
            name: _number_cell(rows.get(name), QUANTITIES[name], horizon) for name in COLUMNS
        },
        "own": list(_own_numbers(rows, horizon)),
        "claims": _claims(record["claims"]),
    }


def _date_cell(stamp: str) -> Cell:
    """Return date and time in UTC; what is not a date is shown unchanged and sorts as missing."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return Cell(stamp)
    when = when.astimezone(UTC)
    return Cell(f"{when:%Y-%m-%d}", f"{when:%H:%M} UTC", sort=f"{when:%Y-%m-%dT%H:%M:%SZ}")


def _number_cell(row: Mapping[str, Any] | None, quantity: Quantity, horizon: float) -> Cell:
    """Return a number in words; a median beyond every number sorts as infinite."""
    if row is None:
        return Cell()
    median, ninety = median_and_interval(row, quantity, horizon)
    value = row["mean" if quantity.by_mean else "q50"]
    if value is not None:
        sort = str(float(value))
    elif row.get("prob_undefined") == 1.0:
        sort = ""
    else:
        sort = "-Infinity" if median == words_below(quantity, horizon) else "Infinity"
    unit = {"human-hours": " human-hours"}.get(quantity.unit, "")  # the column's head states it
    return Cell(
        _minus(median.removesuffix(unit)),
        _minus(ninety),
        missing_mass(row, quantity, horizon),
        sort,
    )


def _minus(text: str) -> str:
    """Return the text with minus signs, after which lines do not break as after hyphens."""
    return re.sub(r"(?<![\w)])-(?=\d)", "\N{MINUS SIGN}", text)


def _own_numbers(rows: Mapping[str, Mapping[str, Any]], horizon: float) -> Iterator[dict[str, str]]:
    """Yield the first numbers of a model that the columns do not cover, derived ones first."""
    if "alignment_hours_needed" in rows:
        return
    names = [
        name for name in without_long_vectors(rows) if name not in COLUMNS and not element(name)
    ] or without_long_vectors(rows)
    for name in sorted(names, key=lambda name: name in ELICITED)[:MOST]:
        median, ninety = median_and_interval(rows[name], quantity_of(name), horizon)
        yield {
            "label": label_of(name),
            "text": _minus(f"{median} ({ninety})" if ninety else median),
        }


def _claims(answers: Mapping[str, Mapping[str, Any]]) -> Sequence[dict[str, str]]:
    return [
        {
            "text": claim.text,
            "probability": chance_in_words(answers[claim.name]),
            "note": "; ".join([WHOSE[claim.whose], *notes_in_words(answers[claim.name])]),
        }
        for claim in stated(answers)
    ]
