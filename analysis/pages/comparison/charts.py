"""The live charts of a comparison: Vega-Lite specifications, their rows, and tables of them.

An interval whose quantile lies in censored mass ends at the panel's edge with an arrow, and its
words say what lies beyond.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aligntax.analysis.answers.comparison import Comparison
from aligntax.analysis.answers.densities import probability_arrived
from aligntax.analysis.figures.comparison import drawn_end
from aligntax.analysis.figures.style import view_of
from aligntax.analysis.pages.comparison.parts import (
    ChartGroup,
    Look,
    Panel,
    Spec,
    axis_in_words,
    draw_weights,
    draws_of_number,
    encodings_by_run,
    join_words,
    label_with_unit,
    line_layers,
    run_looks,
    six_digits,
    tooltip_rows,
)
from aligntax.analysis.summaries.words import (
    format_amount,
    format_probability,
    median_and_interval,
    missing_mass,
    without_long_vectors,
)
from aligntax.models.priors.quantities import Quantity, element, quantity_of

ARROWS = {"left": "triangle-left", "right": "triangle-right"}
EARLIEST = 2024.0  # of an arrival curve
DENSITIES = ("alignment_hours_needed", "alignment_hours_affordable")
CELLS = 80  # of a density
REACH = (0.01, 0.99)  # quantiles of the finite draws between which densities are drawn
HALF = {"q25": "25%", "q75": "75%"}


def comparison_figures(comparison: Comparison) -> tuple[ChartGroup, ...]:
    """Return the charts: headline intervals, arrival if a run models it, and densities of hours."""
    seen = run_looks(comparison)
    arrives = any("tai_year" in rows for rows in comparison.rows)
    arrivals = (_arrivals(comparison, seen),) if arrives else ()
    return _intervals(comparison, seen), *arrivals, _densities(comparison, seen)


def _intervals(comparison: Comparison, seen: Sequence[Look]) -> ChartGroup:
    names = [name for name in comparison.names if not element(name)] or without_long_vectors(
        comparison.names
    )
    keys = ("q05", "q25", "q50", "q75", "q95", "mean", "prob_above", "prob_below", "prob_undefined")
    table = [
        [name, run["unit"], run["scale"], look.label, *(six_digits(run.get(key)) for key in keys)]
        for name in names
        for look, run in zip(seen, (rows[name] for rows in comparison.rows), strict=True)
    ]
    return ChartGroup(
        name="intervals",
        title="Headline numbers",
        caption=(
            "Median (mark), 50% (thick) and 90% (thin) interval of each run, every panel on its "
            "own scale. Arrow: the interval ends beyond every number. Point at a row for its "
            "values."
        ),
        panels=[
            _interval_panel(comparison, seen, name)
            for name in names
            if any(_has_number(comparison, name))
        ],
        columns=("quantity", "unit", "scale", "run", *keys),
        rows=table,
        reason="no run has a number of any headline quantity",
    )


def _has_number(comparison: Comparison, name: str) -> Iterator[bool]:
    """Yield whether each run has a number to draw."""
    key = "mean" if quantity_of(name).by_mean else "q50"
    return (run[name][key] is not None for run in comparison.rows)


def _interval_panel(comparison: Comparison, seen: Sequence[Look], name: str) -> Panel:
    quantity = quantity_of(name)
    keys = ("mean",) if quantity.by_mean else ("q05", "q25", "q50", "q75", "q95")
    known = [
        row[name][key] for row in comparison.rows for key in keys if row[name][key] is not None
    ]
    low, high = (0.0, 1.0) if quantity.by_mean else (min(known), max(known))
    room = 0.06 * (high - low or 1.0)
    rows = []
    for look, run in zip(seen, (rows[name] for rows in comparison.rows), strict=True):
        row: dict[str, Any] = {"letter": look.letter, "run": look.label}
        row["median"], row["ninety"] = median_and_interval(
            run, quantity, view_of(comparison.runs[0]).arrival.horizon
        )
        if quantity.by_mean:
            row["q50"] = six_digits(run["mean"])
        elif run["prob_undefined"] < 1:
            ends = {key: drawn_end(run, key, low - room, high + room) for key in keys}
            row |= {key: six_digits(value) for key, value in ends.items() if key != "q50"} | {
                "q50": six_digits(run["q50"])
            }
            row["half"] = " to ".join(
                _amount_or_blank(run[key], quantity) or "beyond" for key in HALF
            )
            row["left"] = run["q05"] is None and ends["q05"] < low
            row["right"] = run["q95"] is None and ends["q95"] > high
            row["edges"] = [six_digits(low - room), six_digits(high + room)]
        rows.append(row)
    marks = comparison.differs.get(name, ())
    differing = [look.letter for look, differs in zip(seen[1:], marks, strict=False) if differs]
    spec = _interval_spec(seen, axis_in_words(quantity, low - 1.5 * room, high + 1.5 * room))
    description = "; ".join(
        f"{row['run']}: {row['median']} ({row['ninety']})".replace(" ()", "") for row in rows
    )
    difference = (
        f"{join_words(differing)} differ{'s' if len(differing) == 1 else ''} from {seen[0].letter}"
        if differing
        else ""
    )
    return Panel(label_with_unit(quantity, name), description, spec, rows, difference)


def _interval_spec(seen: Sequence[Look], x: Spec) -> Spec:
    by = encodings_by_run(seen)
    letters = [look.letter for look in seen]
    y: Spec = {"field": "letter", "type": "nominal", "scale": {"domain": letters}, "title": None}
    y["axis"] = {"domain": False, "ticks": False, "labelFontWeight": 600, "labelPadding": 6}
    tooltip = [
        {"field": field, "type": "nominal", "title": title}
        for field, title in (
            ("run", "run"),
            ("median", "median"),
            ("half", "50%"),
            ("ninety", "90%"),
        )
    ]
    bars = [
        {
            "transform": [{"filter": f"isValid(datum.{low})"}],
            "mark": {"type": "rule", "strokeWidth": width},
            "encoding": {"x": {**x, "field": low}, "x2": {"field": high}, "color": by["color"]},
        }
        for low, high, width in (("q05", "q95", 1.5), ("q25", "q75", 5))
    ]
    arrows = [
        {
            "transform": [{"filter": f"datum.{side}"}],
            "mark": {"type": "point", "shape": shape, "filled": True, "size": 50, "opacity": 1},
            "encoding": {"x": {**x, "field": field}, "color": by["color"]},
        }
        for (side, shape), field in zip(ARROWS.items(), ("q05", "q95"), strict=True)
    ]
    point = {
        "transform": [{"filter": "isValid(datum.q50)"}],
        "mark": {
            "type": "point",
            "filled": True,
            "size": 90,
            "opacity": 1,
            "stroke": "var(--paper)",
        },
        "encoding": {"x": {**x, "field": "q50"}, "color": by["color"], "shape": by["shape"]},
    }
    held = {
        "mark": {"type": "rect", "opacity": 0},
        "encoding": {"x": {"value": 0}, "x2": {"value": "width"}},
    }
    return {
        "height": 24 * len(seen) + 34,
        "encoding": {"y": y, "tooltip": tooltip},
        "layer": [*bars, *arrows, point, held],
    }


def _arrivals(comparison: Comparison, seen: Sequence[Look]) -> ChartGroup:
    chosen = [i for i, rows in enumerate(comparison.rows) if "tai_year" in rows]
    last = max(view_of(comparison.runs[i]).arrival.horizon for i in chosen)
    years = np.arange(min(EARLIEST, last - 10.0), last + 0.5)
    curves = {
        i: probability_arrived(
            draws_of_number(comparison, i, "tai_year"), draw_weights(comparison, i).values, years
        )
        for i in chosen
    }
    rows: list[dict[str, Any]] = [
        {"letter": seen[i].letter, "year": float(year), "probability": round(float(chance), 4)}
        for i, curve in curves.items()
        for year, chance in zip(years, curve, strict=True)
    ]
    shares = {
        seen[i].letter: [format_probability(float(chance)) for chance in curve]
        for i, curve in curves.items()
    }
    rows += tooltip_rows(years, [f"{year:.0f}" for year in years], shares)
    missed = [seen[i].letter for i in range(len(seen)) if i not in chosen]
    note = (
        f" {join_words(missed)} ha{'s' if len(missed) == 1 else 've'} no arrival." if missed else ""
    )
    description = "; ".join(
        f"{seen[i].label}: {format_probability(float(curve[-1]))} by {last:.0f}"
        for i, curve in curves.items()
    )
    panels = [
        Panel(
            "probability that TAI has arrived by the year",
            description,
            _arrival_spec([seen[i] for i in chosen], years),
            rows,
        )
    ]
    return ChartGroup(
        name="arrival",
        title="When transformative AI arrives",
        caption=(
            "Share of the draws in which transformative AI has arrived by the start of each "
            f"year.{note}"
        ),
        panels=panels,
        columns=("year", *(seen[i].label for i in chosen)),
        rows=[
            [float(year), *(round(float(curves[i][k]), 4) for i in chosen)]
            for k, year in enumerate(years)
        ],
    )


def _arrival_spec(seen: Sequence[Look], years: Any) -> Spec:
    scale = {"domain": [float(years[0]), float(years[-1])], "nice": False, "zero": False}
    x: Spec = {"field": "year", "type": "quantitative", "title": "year", "scale": scale}
    y: Spec = {"field": "probability", "type": "quantitative", "title": "probability of arrival"}
    x["axis"] = {"format": "d", "tickCount": 6}
    y |= {"axis": {"format": ".0%", "tickCount": 5}, "scale": {"domain": [0, 1]}}
    return {"height": 320, "layer": line_layers(seen, x, y, ("at", "arrived by"))}


def _densities(comparison: Comparison, seen: Sequence[Look]) -> ChartGroup:
    """Return densities of the data needed and affordable, or else of the first shared numbers."""
    names = [name for name in DENSITIES if any(name in rows for rows in comparison.rows)]
    shared = sorted(
        (n for n in comparison.names if not quantity_of(n).indicator),
        key=lambda n: bool(element(n)),
    )
    names = names or shared[: len(DENSITIES)]
    panels = [panel for name in names if (panel := _density_panel(comparison, seen, name))]
    keys = ("quantity", "run", "x", "y", "below")
    drawn = (row for panel in panels for row in panel.rows if "letter" in row)
    return ChartGroup(
        name="densities",
        title="Data needed and affordable" if names and names[0] in DENSITIES else "Densities",
        caption=(
            "Density of each run's finite draws; its area is the share of draws that have a "
            "number. Draws without a number are described below each panel."
        ),
        panels=panels,
        columns=("quantity", "run", "value on its scale", "density", "probability of less"),
        rows=[[row[key] for key in keys] for row in drawn],
        reason="no run has spread in a number to draw",
    )


def _density_panel(comparison: Comparison, seen: Sequence[Look], name: str) -> Panel | None:
    quantity = quantity_of(name)
    chosen = [i for i, rows in enumerate(comparison.rows) if name in rows]
    found = {i: _finite_draws(comparison, i, name) for i in chosen}
    ends = [
        np.quantile(x, REACH, weights=w, method="inverted_cdf")
        for x, w, _ in found.values()
        if len(x)
    ]
    if not ends or not max(high for _, high in ends) > min(low for low, _ in ends):
        return None
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    grid = np.linspace(low - 0.05 * (high - low), high + 0.05 * (high - low), CELLS)
    rows: list[dict[str, Any]] = []
    notes, shares = [], {}
    horizon = view_of(comparison.runs[0]).arrival.horizon
    for i, (x, w, below) in found.items():
        note = missing_mass(comparison.rows[i][name], quantity, horizon)
        heights = _kernel_density(x, w, grid)
        note = (
            note
            if heights is not None
            else "; ".join([*([note] if note else []), "no spread, so no curve"])
        )
        notes += [f"{seen[i].letter}: {note}"] if note else []
        order = np.argsort(x)
        less = below + np.concatenate([[0.0], np.cumsum(w[order])])[np.searchsorted(x[order], grid)]
        shares[seen[i].letter] = [format_probability(float(min(share, 1.0))) for share in less]
        rows += [
            {
                "letter": seen[i].letter,
                "run": seen[i].label,
                "quantity": name,
                "x": six_digits(at),
                "y": six_digits(height),
                "below": round(float(share), 4),
            }
            for at, height, share in zip(
                grid, () if heights is None else heights, less, strict=False
            )
        ]
    description = "; ".join(
        f"{seen[i].label}: {_in_words(comparison.rows[i][name], quantity, horizon)}" for i in chosen
    )
    rows += tooltip_rows(grid, [format_amount(float(at), quantity) for at in grid], shares)
    spec = _density_spec(
        [seen[i] for i in chosen], axis_in_words(quantity, float(grid[0]), float(grid[-1]))
    )
    return Panel(label_with_unit(quantity, name), description, spec, rows, notes=notes)


def _density_spec(seen: Sequence[Look], x: Spec) -> Spec:
    y = {"field": "y", "type": "quantitative", "axis": None, "scale": {"domainMin": 0}}
    return {
        "height": 220,
        "layer": line_layers(seen, {**x, "field": "x"}, y, ("at", "probability of less than")),
    }


def _finite_draws(comparison: Comparison, i: int, name: str) -> tuple[Any, Any, float]:
    """Return finite draws, their shares of the defined ones, and the share below every number."""
    values, weights = (
        draws_of_number(comparison, i, name).ravel(),
        draw_weights(comparison, i).values.ravel(),
    )
    defined = ~np.isnan(values) & (weights > 0)
    total = float(weights[defined].sum()) or 1.0
    finite = defined & np.isfinite(values)
    return values[finite], weights[finite] / total, float(weights[values == -np.inf].sum()) / total


def _kernel_density(values: Any, weights: Any, grid: Any) -> Any:
    """Return a Gaussian kernel density whose area is the sum of weights; None without spread.

    The bandwidth follows Silverman's rule.
    """
    total = float(weights.sum()) if len(values) else 0.0
    if total <= 0 or np.ptp(values) <= 0:
        return None
    w = weights / total
    q25, q75 = np.quantile(values, [0.25, 0.75], weights=w, method="inverted_cdf")
    sd = float(np.sqrt(np.sum(w * (values - np.sum(w * values)) ** 2)))
    spread = min(sd, (q75 - q25) / 1.34 or sd)
    width = max(0.9 * spread * float(1.0 / np.sum(w**2)) ** -0.2, 0.3 * (grid[1] - grid[0]))
    cells = np.exp(-0.5 * ((grid[:, None] - values[None, :]) / width) ** 2) @ w
    return total * cells / (width * np.sqrt(2 * np.pi))


def _in_words(row: Mapping[str, Any], quantity: Quantity, horizon: float) -> str:
    """Return median and 90% interval, or what stands in their place."""
    median, ninety = median_and_interval(row, quantity, horizon)
    return f"{median} ({ninety})" if ninety else median


def _amount_or_blank(value: float | None, quantity: Quantity) -> str:
    return "" if value is None else format_amount(value, quantity, False)
