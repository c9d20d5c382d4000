"""Views in a terminal: priors, their fit to what was stated, and two views side by side."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from aligntax.analysis.summaries.words import format_amount
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.fidelity import Statement, fidelity_warnings, fitted_statements
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.views import ANCHORS, View
from aligntax.models.views.changes import Changes, changes

if TYPE_CHECKING:
    from rich.console import Console


POINTS = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
StatementsByQuantity = dict[str, tuple[Statement, ...]]


def points(name: str, view: View) -> dict[str, float]:
    """Return the 5%, 50% and 95% points of a prior, in the quantity's own unit."""
    link = compile_prior(name, view.quantities[name]).value(ndtri(list(POINTS.values())))
    return dict(zip(POINTS, map(float, lookup(name).from_link(link)), strict=True))


def print_priors(console: "Console", view: View, names: Sequence[str]) -> None:
    """Print the priors of a view in their own units, and who spoke to what in a pool."""
    rows = [
        (
            name,
            *(
                ("", "", "")
                if name in view.links
                else (f"{point:.3g}" for point in points(name, view).values())
            ),
            lookup(name).unit.removesuffix("1"),  # a pure number has no unit to show
            _source(name, view),
        )
        for name in names
    ]
    print_table(console, ("quantity", "5%", "50%", "95%", "unit", "source"), rows)
    if " pool of " in view.title:
        console.print(view.title, markup=False, soft_wrap=True)


def _source(name: str, view: View) -> str:
    if link := view.links.get(name):
        return f"{link.name}: posterior of {link.answer}, fitted when a run is made"
    return str(view.quantities[name].get("source", ""))


def check_view(view: View, names: Sequence[str]) -> tuple[StatementsByQuantity, list[str]]:
    """Compare what each prior states with its table; return the comparison and warnings."""
    statements = {name: fitted_statements(name, view.quantities[name]) for name in names}
    found = [
        line
        for name, stated in statements.items()
        for line in fidelity_warnings(name, view.quantities[name], stated)
    ]
    if view.arrival.mode == "crossing" and view.evidence.no_tai:
        found.append(
            'arrival.mode: crossing has no likelihood for "no TAI yet", so the joint model will '
            'refuse it; set evidence.use = "none"'
        )
    return statements, found


def print_fit(console: "Console", view: View, check: StatementsByQuantity) -> None:
    """Print stated against fitted probabilities."""
    rows = []
    for name, statements in check.items():
        unit = str(view.quantities[name].get("unit") or lookup(name).unit)
        for s in statements:
            what = f"at most {s.high:.4g}" if np.isinf(s.low) else f"{s.low:.4g} to {s.high:.4g}"
            how = "" if s.explicit else "of the stated shape"
            cells = (f"{s.stated:.1%}", f"{s.fitted:.1%}", _signed(100 * s.difference, 2), how)
            rows.append((name, what, "" if unit == "1" else unit, *cells))
            name = ""
    print_table(
        console,
        ("quantity", "value", "unit", "stated", "prior has", "difference, points", ""),
        rows,
    )


def _signed(value: float, decimals: int) -> str:
    """Write a number with its sign, but zero without one."""
    text = f"{value:+.{decimals}f}"
    return text if float(text) else text[1:]


def diff_views(first: View, second: View) -> dict[str, Any]:
    """Return everything in which two views differ, as plain data."""
    found = changes(first, second, tuple(ELICITED))
    return {
        "views": [first.name, second.name],
        "hashes": [first.hash, second.hash],
        "quantities": [_prior_difference(name, first, second) for name in found.quantities],
        "anchors": {
            name: [first.anchors.get(name), second.anchors.get(name)]
            for name in ANCHORS
            if found.anchors and first.anchors.get(name) != second.anchors.get(name)
        },
        "correlations": _correlations(first, second) if found.correlated else [],
        "settings": {
            setting: [attrgetter(setting)(view) for view in (first, second)]
            for setting in found.settings
        },
        "evidence": [view.to_dict()["evidence"] for view in (first, second)]
        if found.evidence
        else [],
    }


def _prior_difference(name: str, first: View, second: View) -> dict[str, Any]:
    """Compare both priors of a quantity.

    ``median_shift`` is on the quantity's scale. ``width_ratio`` is that of the widths of the 90%
    intervals in link space.
    """
    quantity = lookup(name)
    links = [
        compile_prior(name, view.quantities[name]).value(ndtri(list(POINTS.values())))
        for view in (first, second)
    ]
    scale = [quantity.to_scale(link) for link in links]
    return {
        "quantity": name,
        "unit": quantity.unit,
        "scale": quantity.scale,
        "first": points(name, first),
        "second": points(name, second),
        "median_shift": float(scale[1][1] - scale[0][1]),
        "width_ratio": float(np.ptp(links[1]) / np.ptp(links[0])),
    }


def _correlations(first: View, second: View) -> list[dict[str, Any]]:
    names = list(ELICITED)
    factors = [copula_factor(names, view.correlations) for view in (first, second)]
    rho = [6 / np.pi * np.arcsin(np.clip(factor @ factor.T, -1, 1) / 2) for factor in factors]
    pairs = np.argwhere(np.triu(np.abs(rho[0] - rho[1]) > 1e-9, 1))
    return [
        {"between": [names[i], names[j]], "rho": [round(float(matrix[i, j]), 6) for matrix in rho]}
        for i, j in pairs
    ]


def print_difference(
    console: "Console", first: View, second: View, found: Mapping[str, Any]
) -> None:
    """Print two views side by side in what differs."""
    names = (first.name, second.name)
    if rows := [_diff_row(row) for row in found["quantities"]]:
        columns = (
            "quantity",
            f"{names[0]}: 5%, 50%, 95%",
            f"{names[1]}: 5%, 50%, 95%",
            "median moves",
            "width times",
        )
        print_table(console, columns, rows)
    others = [(f"anchors.{name}", *map(_cell, pair)) for name, pair in found["anchors"].items()]
    others += [
        (f"rho of {' and '.join(row['between'])}", *map(_cell, row["rho"]))
        for row in found["correlations"]
    ]
    others += [(name, *map(_cell, pair)) for name, pair in found["settings"].items()]
    if found["evidence"]:
        keys = [
            key
            for key in ("use", "until")
            if found["evidence"][0].get(key) != found["evidence"][1].get(key)
        ]
        others += [
            (f"evidence.{key}", *(_cell(stated.get(key)) for stated in found["evidence"]))
            for key in keys
        ]
    if others:
        print_table(console, ("setting", *names), others)
    if not rows and not others:
        console.print(f"{names[0]} and {names[1]} state the same", markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _diff_row(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    quantity, shift = lookup(row["quantity"]), row["median_shift"]
    sides = []
    for side in ("first", "second"):
        values = [_on_scale(row["scale"], x) for x in row[side].values()]
        texts = [format_amount(value, quantity, unit=False) for value in values]
        sides.append(", ".join([*texts[:-1], format_amount(values[-1], quantity)]))
    moves = (
        f"{_signed(shift, 2)} OOM"
        if row["scale"] == "log10"
        else f"{shift:+.3g} {quantity.unit}".removesuffix(" 1")
    )
    return row["quantity"], sides[0], sides[1], moves, f"{row['width_ratio']:.2g}"


def _on_scale(scale: str, value: float) -> float:
    return float(np.log10(value)) if scale == "log10" else value


def check_record(
    view: str,
    chosen: View,
    statements: StatementsByQuantity,
    warned: list[str],
    found: Changes,
) -> dict[str, Any]:
    """What ``aligntax view check --json`` prints."""
    rows = [
        {
            "quantity": name,
            "unit": lookup(name).unit,
            **points(name, chosen),
            "source": chosen.quantities[name].get("source", ""),
            "stated": [
                {
                    "above": None if s.low == -float("inf") else s.low,
                    "at_most": s.high,
                    "probability": s.stated,
                    "fitted": s.fitted,
                    "explicit": s.explicit,
                }
                for s in stated
            ],
        }
        for name, stated in statements.items()
    ]
    parts = {
        "anchors": found.anchors,
        "correlations": bool(found.correlated),
        "evidence": found.evidence,
    }
    return {
        "view": view,
        "hash": chosen.hash,
        "changed": {**parts, "settings": list(found.settings)},
        "quantities": rows,
        "warnings": warned,
    }
