"""Rows of evidence that a reader of a page can leave out, and what leaving them out does to draws.

A row is offered where weights can be trusted without it. For the others sampling is needed, and the
page gives the command.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from aligntax.analysis.figures.style import used_rows
from aligntax.analysis.fitting.left_out import Unit, leave_out, tables_derived_from, units
from aligntax.analysis.fitting.reweight import (
    CarriedDraws,
    Spread,
    informed_spread,
    weigh_draws,
)
from aligntax.analysis.pages.packed_draws import packed, thinned
from aligntax.analysis.storage.result import Result

RESOLUTION = 2.0**-20  # nats: a weight moves by a millionth of itself at most


def switch_data(
    result: Result, carried: CarriedDraws, kept: tuple[Any, Any]
) -> Iterator[dict[str, Any]]:
    """Yield each table of evidence with its units.

    Parameters
    ----------
    result : Result
        With the log likelihood of every draw.
    carried : CarriedDraws
        The draws under the run's own view.
    kept : tuple of ndarray
        Chains and draws that the page holds.
    """
    found = list(units(result.groups.log_likelihood, carried.source.model))
    derived_from = tables_derived_from(carried, found)
    spread = informed_spread(carried.source)
    for table, members in groupby(found, key=lambda unit: unit.table):
        names = _names(result, table)
        yield {
            "title": result.evidence[table].attrs.get("title", table),
            "units": [
                {
                    "key": unit.key,
                    "name": names.get(unit.label, unit.label.replace("_", " ")) or "all rows",
                    "values": _values(unit, kept)
                    if table not in derived_from and _trusted(carried, unit, spread)
                    else None,
                }
                for unit in members
            ],
        }


def _names(result: Result, table: str) -> dict[str, str]:
    """Names of rows by key, where a table has them."""
    rows = used_rows(result, table)
    column = next((c for c in ("name", "study") if c in rows.data_vars), None)
    if column is None:
        return {}
    keys = rows[str(next(iter(rows.sizes)))].values
    return dict(zip(map(str, keys), map(str, rows[column].values), strict=True))


def _trusted(carried: CarriedDraws, unit: Unit, spread: Spread) -> bool:
    _, checks = weigh_draws(leave_out(carried, [unit]), spread)
    return all(check.passed for check in checks)


def _values(unit: Unit, kept: tuple[Any, Any]) -> str:
    """Log density less its median, which no weight depends on, in steps of the resolution."""
    centred = thinned(unit.log_density - np.median(unit.log_density), kept)
    return packed(np.rint(centred / RESOLUTION).astype("int32"))
