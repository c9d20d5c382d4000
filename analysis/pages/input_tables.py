"""Rows of a report's tables about its inputs: the evidence, and the priors as stated."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aligntax.analysis.figures.style import used_rows
from aligntax.analysis.pages.report_tables import format_contraction
from aligntax.analysis.pages.sources import linked
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import (
    format_number,
)
from aligntax.models.catalogue import Model
from aligntax.models.priors.quantities import Quantity, lookup

# evidence without a likelihood, shown where arrival is modelled
BACKGROUND = ("bio_anchors", "published_forecasts")


def evidence_tables(result: Result, model: Model) -> Iterator[dict[str, Any]]:
    """Yield the used rows of each table that the run conditions on or shows."""
    tables = (*model.tables, *(BACKGROUND if "tai_year" in result.derived else ()), "constants")
    for name in tables:
        rows = used_rows(result, name)
        if not rows.sizes or not next(iter(rows.sizes.values())):
            continue
        dim = str(next(iter(rows.sizes)))
        own_unit = "unit" in rows.data_vars  # a table of mixed figures states units per row
        numeric = [
            str(c)
            for c in rows.data_vars
            if rows[c].dtype.kind == "f" and np.isfinite(rows[c].values).any()
        ]
        label = next(
            (
                c
                for c in ("name", "study", "trial", "quantity", "forecast")
                if c in rows and rows[c].dtype.kind != "f"
            ),
            None,
        )
        yield {
            "name": name,
            "title": rows.attrs.get("title", name),
            "own_unit": own_unit,
            "role": "conditioned on" if name in model.tables else "background",
            "columns": [
                {"name": c.replace("_", " "), "unit": rows[c].attrs.get("unit", "")}
                for c in numeric
            ],
            "rows": [
                {
                    "key": rows[dim].values[i],
                    "name": "" if label is None else rows[label].values[i],
                    "figures": [_cell(rows[c].values[i], c) for c in numeric],
                    "unit": rows["unit"].values[i] if own_unit else "",
                    "source": linked(rows["source"].values[i]),
                    "status": rows["status"].values[i],
                }
                for i in range(rows.sizes[dim])
            ],
        }


def _cell(value: float, column: str) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".") if column in ("date", "year") else f"{value:.6g}"


def prior_row(name: str, spec: Mapping[str, Any], result: Result) -> dict[str, Any]:
    """Return the row of a prior: what the view states, its source, and what evidence added."""
    quantity = lookup(name)
    row, link = result.record["quantities"].get(name, {}), result.info.get("links", {}).get(name)
    learned = "no evidence" if name in result.info["prior_only"] else format_contraction(row)
    return {
        "name": name,
        "label": quantity.label,
        "stated": _stated_prior(spec, quantity),
        "source": linked(spec.get("source", "")),
        "rationale": spec.get("rationale", ""),
        "informed": learned if link is None else f"fitted first, {link['model']}",
    }


def _stated_prior(spec: Mapping[str, Any], quantity: Quantity) -> str:
    """Return a prior as the view states it, on one line."""
    unit = spec.get("unit", "" if quantity.unit == "1" else quantity.unit)
    parts = []
    for key, value in spec.items():
        if key == "quantiles" and isinstance(value, Mapping):
            parts.append(
                "; ".join(
                    f"{100 * float(p):g}%: {_abbreviated(x)}" for p, x in _flat_quantiles(value)
                )
                + f" {unit}".rstrip()
            )
        elif key not in ("source", "rationale", "unit"):
            parts.append(f"{key} {_abbreviated(value)}")
    return ", ".join(parts) + ("" if "quantiles" in spec or not unit else f" ({unit})")


def _flat_quantiles(quantiles: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield probabilities and values; TOML reads the bare key ``0.1`` as nested tables."""
    for key, value in quantiles.items():
        if isinstance(value, Mapping):
            yield from _flat_quantiles(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _abbreviated(value: Any, most: int = 12) -> str:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | Mapping | Sequence)
        or isinstance(value, str)
    ):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e4 else format_number(value, 3)
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{key} = {_abbreviated(x)}" for key, x in list(value.items())[:most])
            + (", …}" if len(value) > most else "}")
        )
    return (
        "["
        + ", ".join(_abbreviated(x) for x in value[:most])
        + (f", … {len(value)} values]" if len(value) > most else "]")
    )
