"""What the charts of a comparison share: how a run is known again, axes in words, lines to point at.

Every run has a letter, a colour, a dash and a shape, so that none is told by its colour alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from aligntax.analysis.answers.comparison import Comparison
from aligntax.analysis.figures.comparison import COLOURS
from aligntax.analysis.figures.style import round_ticks
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.summaries.words import tick_label
from aligntax.models.priors.quantities import Quantity, element

Spec = dict[str, Any]
LETTERS = "ABCDEFGH"
DASHES = ((1, 0), (7, 4), (9, 3, 2, 3), (2, 3), (10, 3, 2, 3, 2, 3), (1, 4), (14, 5), (5, 2))
# Outlines in a box from -1 to 1: Vega-Lite and the key on the page draw the same.
SHAPES = (
    "M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z",
    "M-.9,-.9H.9V.9H-.9Z",
    "M0,-1.2L1.2,0L0,1.2L-1.2,0Z",
    "M0,-1.1L1.1,.9L-1.1,.9Z",
    "M0,1.1L1.1,-.9L-1.1,-.9Z",
    "M-.4,-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
    "M0,-1.2L1.2,-.3L.7,1.1L-.7,1.1L-1.2,-.3Z",
    "M-.5,-1.2H.5V1.2H-.5Z",
)
TICKS = 5


@dataclass(frozen=True)
class Look:
    """How a run is known again; ``dash`` as SVG has it."""

    letter: str
    label: str
    colour: str
    dash: str
    shape: str


@dataclass(frozen=True)
class Panel:
    """One chart: its title, what it says to who cannot see it, its rows, in which runs it differs, and notes below it."""

    title: str
    told: str
    spec: Spec
    rows: Sequence[Mapping[str, Any]]
    differs: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Figure:
    """Panels under one heading, and their numbers; without panels, ``reason`` says why."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    reason: str = ""


def looks(comparison: Comparison) -> tuple[Look, ...]:
    """Letter, colour, dash and shape of each run."""
    chosen = zip(LETTERS, comparison.labels, COLOURS, DASHES, SHAPES, strict=False)
    return tuple(
        Look(
            letter,
            label,
            "var(--ink)" if colour == "black" else colour,
            " ".join(map(str, dash)),
            shape,
        )
        for letter, label, colour, dash, shape in chosen
    )


def counts(comparison: Comparison, i: int) -> Weights:
    """What each draw counts, among those that meet the condition."""
    given = comparison.given[i]
    return comparison.runs[i].weights if given is None else given.weights


def draws(comparison: Comparison, i: int, name: str) -> Any:
    """Draws of a number with infinities in place."""
    return next(
        found.values for found in iter_series(comparison.runs[i].derived) if found.name == name
    )


def by_run(seen: Sequence[Look]) -> dict[str, Spec]:
    """Colour, dash and shape by letter; the key stands beside the chart."""
    letters = [look.letter for look in seen]
    ranges: dict[str, list[Any]] = {
        "color": [look.colour for look in seen],
        "strokeDash": [[int(length) for length in look.dash.split()] for look in seen],
        "shape": [look.shape for look in seen],
    }
    by: Spec = {"field": "letter", "type": "nominal", "legend": None}
    return {
        channel: {**by, "scale": {"domain": letters, "range": values}}
        for channel, values in ranges.items()
    }


def axis(quantity: Quantity, low: float, high: float) -> Spec:
    """Axis of a quantity, ticked in words."""
    if quantity.scale == "log10":
        places = [float(value) for value in round_ticks(low, high, TICKS)]
    else:
        places = [
            float(value)
            for value in MaxNLocator(TICKS).tick_values(low, high)
            if low <= value <= high
        ]
    words = [_tick(value, quantity) for value in places]
    if len(set(words)) < len(words):  # an axis too short for round numbers
        percent = quantity.share and quantity.scale != "log10"
        words = [f"{100 * value:.4g}%" if percent else f"{value:.6g}" for value in places]
    said = f"{json.dumps(words)}[indexof({json.dumps(places)}, datum.value)]"
    return {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "axis": {"values": places, "labelExpr": said, "grid": True},
    }


def _tick(value: float, quantity: Quantity) -> str:
    if quantity.indicator:
        return f"{100 * value:.4g}%"
    return tick_label(value, quantity).replace("-", "\N{MINUS SIGN}")


def heading(quantity: Quantity, name: str) -> str:
    """Quantity with its unit."""
    label = element(name)
    unit = "" if quantity.unit in ("1", "year") else f" ({quantity.unit})"
    return f"{quantity.label}{f', {label}' if label else ''}{unit}".replace("_", " ")


def lines(seen: Sequence[Look], x: Spec, y: Spec, first: Sequence[str]) -> list[Spec]:
    """Lines by run, and over them invisible columns to point at, which tell every run's value: curves often coincide.

    Parameters
    ----------
    seen : sequence of Look
    x, y : mapping
        Their channels.
    first : pair of str
        Field and title that lead what a column tells.
    """
    by = by_run(seen)
    told = [first, *((look.letter, look.label) for look in seen)]
    column: Spec = {
        "x": {**x, "field": "from"},
        "x2": {"field": "to"},
        "y": {"value": 0},
        "y2": {"value": "height"},
    }
    column["tooltip"] = [
        {"field": field, "type": "nominal", "title": title} for field, title in told
    ]
    return [
        {
            "transform": [{"filter": "isValid(datum.letter)"}],
            "mark": {"type": "line", "strokeWidth": 2.2, "clip": True},
            "encoding": {"x": x, "y": y, "color": by["color"], "strokeDash": by["strokeDash"]},
        },
        {
            "transform": [{"filter": "isValid(datum.from)"}],
            "mark": {"type": "rect", "opacity": 0, "clip": True},
            "encoding": column,
        },
    ]


def columns(
    places: Any, words: Sequence[str], said: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Rows of the columns at evenly spaced places: the place in words, and each run's value there by its letter."""
    half = 0.5 * float(places[1] - places[0])
    return [
        {
            "from": plain(at - half),
            "to": plain(at + half),
            "at": word,
            **{letter: said[letter][k] for letter in said},
        }
        for k, (at, word) in enumerate(zip(places, words, strict=True))
    ]


def plain(value: Any) -> Any:
    """Number to six digits, or null."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.6g}") + 0.0


def and_(words: Sequence[str]) -> str:
    """Words in a list: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
