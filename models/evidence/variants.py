"""The same evidence with other rows in use.

A variant follows the other policy for outliers, or leaves out the sources of some status.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from aligntax.models.evidence import TABLES, Evidence

OUTLIERS: Mapping[str, Mapping[str, str]] = {
    "every point kept": {
        "besiroglu2024_refit": "besiroglu2024_all_points",
        "marin2026_comma": "marin2026_comma_all_points",
        "marin2026_dclm": "marin2026_dclm_all_points",
        "marin2026_nemotron": "marin2026_nemotron_all_points",
        "misfitting2025_fineweb": "misfitting2025_fineweb_all_points",
    },
    "flagged points dropped": {"llama3_2024": "llama3_2024_flags_dropped"},
}
"""Policies for outlying points in the exponents that were recomputed from runs.

Each maps a row that the default uses to the row of the same runs that replaces it. The notes of
``scaling_exponents.csv`` say why.
"""


def exchanged(
    evidence: Evidence, rows: Mapping[str, str], table: str = "scaling_exponents"
) -> Evidence:
    """Return evidence that uses other rows of a table in place of some.

    Parameters
    ----------
    rows : mapping of str to str
        Key of a used row to the key of its replacement. A row that is not used stays unused, and
        so does its replacement.
    """
    data = evidence[table]
    (dim,) = data.dims
    keys, used = data[dim].values, data["used"].values.astype(bool).copy()
    for now, instead in rows.items():
        if used[keys == now].any() and (keys == instead).any():
            used[keys == now], used[keys == instead] = False, True
    return _with_used(evidence, {table: used})


def without_status(evidence: Evidence, statuses: Collection[str]) -> Evidence:
    """Return evidence that conditions on no row with one of these statuses.

    Parameters
    ----------
    statuses : collection of str
        Some of ``seen``, ``secondary``, ``memory`` and ``computed``.
    """
    used = {}
    for name, rows in evidence.tables.items():
        if TABLES[name].likelihood:
            used[name] = rows["used"].values.astype(bool) & ~np.isin(
                rows["status"].values, list(statuses)
            )
    return _with_used(evidence, used)


OPEN_DATA = ("oasst2023", "helpsteer2023", "helpsteer2_2024")
"""Rows of ``rlhf_efforts`` that are open data sets on somebody else's base model."""


def with_open_data(evidence: Evidence) -> Evidence:
    """Return evidence that takes open data sets for practice at their base model's scale."""
    rows = evidence["rlhf_efforts"]
    opened = np.isin(rows["effort"].values, OPEN_DATA)
    return _with_used(evidence, {"rlhf_efforts": rows["used"].values.astype(bool) | opened})


def without_rows(evidence: Evidence, left: Mapping[str, Collection[str]]) -> Evidence:
    """Return evidence in which rows, named by their keys, are not used; ready rows stay."""
    used = {
        name: evidence[name]["used"].values
        & ~np.isin(evidence[name][TABLES[name].dim].values, list(keys))
        for name, keys in left.items()
        if name in evidence.tables
    }
    return replace(evidence, tables=_with_used(evidence, used).tables)


def _with_used(evidence: Evidence, used: Mapping[str, object]) -> Evidence:
    """Return evidence with other rows marked as used, by table."""
    marked = {
        name: evidence[name].assign(used=(evidence[name].dims, flags))
        for name, flags in used.items()
    }
    return Evidence({**evidence.tables, **marked})
