"""The same evidence by another choice of rows: the other outlier policy, without sources of a status."""

from collections.abc import Collection, Mapping

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
"""Policies for points that stray from a law, of the exponents recomputed from runs: each row that the default uses and that the
policy does not, and the row of the same runs that stands in for it. See the notes of ``scaling_exponents.csv``."""


def exchanged(
    evidence: Evidence, rows: Mapping[str, str], table: str = "scaling_exponents"
) -> Evidence:
    """Return evidence that uses other rows of a table instead of some that it uses; those that it does not use stay unused."""
    data = evidence[table]
    (dim,) = data.dims
    keys, used = data[dim].values, data["used"].values.astype(bool).copy()
    for now, instead in rows.items():
        if used[keys == now].any() and (keys == instead).any():
            used[keys == now], used[keys == instead] = False, True
    return _using(evidence, {table: used})


def without_status(evidence: Evidence, statuses: Collection[str]) -> Evidence:
    """Return evidence that conditions on no row of a status: seen, secondary, memory or computed."""
    kept = {}
    for name, rows in evidence.tables.items():
        if TABLES[name].likelihood:
            kept[name] = rows["used"].values.astype(bool) & ~np.isin(
                rows["status"].values, list(statuses)
            )
    return _using(evidence, kept)


def _using(evidence: Evidence, used: Mapping[str, object]) -> Evidence:
    """The same with other rows marked as used."""
    marked = {
        name: evidence[name].assign(used=(evidence[name].dims, flags))
        for name, flags in used.items()
    }
    return Evidence({**evidence.tables, **marked})
