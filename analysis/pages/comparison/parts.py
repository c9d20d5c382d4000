"""What the charts of a comparison share: looks of runs, axes in words, lines to point at.

Every run has a letter, a colour, a dash and a shape, so that colour alone never identifies a run.
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
    """How charts mark a run; ``dash`` as SVG writes it."""

    letter: str
    label: str
    colour: str
    dash: str
    shape: str


@dataclass(frozen=True)
class Panel:
    """One chart: title, description for screen readers, rows, which runs differ, and notes."""

    title: str
    description: str
    spec: Spec
    rows: Sequence[Mapping[str, Any]]
    differs: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class ChartGroup:
    """Panels under one heading, and their numbers; ``reason`` says why there are none."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    reason: str = ""


def run_looks(comparison: Comparison) -> tuple[Look, ...]:
    """Return letter, colour, dash and shape of each run."""
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


def draw_weights(comparison: Comparison, i: int) -> Weights:
    """Return the weights of a run's draws, given the condition if there is one."""
    given = comparison.given[i]
    return comparison.runs[i].weights if given is None else given.weights


def draws_of_number(comparison: Comparison, i: int, name: str) -> Any:
    """Return the draws of a number, with infinities in place."""
    return next(
        found.values for found in iter_series(comparison.runs[i].derived) if found.name == name
    )


def encodings_by_run(seen: Sequence[Look]) -> dict[str, Spec]:
    """Return encodings of colour, dash and shape by letter; the page shows the key."""
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


def axis_in_words(quantity: Quantity, low: float, high: float) -> Spec:
    """Return the axis of a quantity, with ticks in words."""
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
    label = f"{json.dumps(words)}[indexof({json.dumps(places)}, datum.value)]"
    return {
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "axis": {"values": places, "labelExpr": label, "grid": True},
    }


def _tick(value: float, quantity: Quantity) -> str:
    if quantity.indicator:
        return f"{100 * value:.4g}%"
    return tick_label(value, quantity).replace("-", "\N{MINUS SIGN}")


def label_with_unit(quantity: Quantity, name: str) -> str:
    """Return the label of a quantity with its unit."""
    label = element(name)
    unit = "" if quantity.unit in ("1", "year") else f" ({quantity.unit})"
    return f"{quantity.label}{f', {label}' if label else ''}{unit}".replace("_", " ")


def line_layers(seen: Sequence[Look], x: Spec, y: Spec, first: Sequence[str]) -> list[Spec]:
    """Return lines by run, and invisible columns whose tooltips state the value of every run.

    Columns serve better than lines, because curves often coincide.

    Parameters
    ----------
    seen : sequence of Look
    x, y : mapping
        Channels of the lines.
    first : pair of str
        Field and title of the first line of a tooltip.
    """
    by = encodings_by_run(seen)
    fields = [first, *((look.letter, look.label) for look in seen)]
    column: Spec = {
        "x": {**x, "field": "from"},
        "x2": {"field": "to"},
        "y": {"value": 0},
        "y2": {"value": "height"},
    }
    column["tooltip"] = [
        {"field": field, "type": "nominal", "title": title} for field, title in fields
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


def tooltip_rows(
    places: Any, words: Sequence[str], values: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return rows of columns at evenly spaced places: the place and each run's value in words."""
    half = 0.5 * float(places[1] - places[0])
    return [
        {
            "from": six_digits(at - half),
            "to": six_digits(at + half),
            "at": word,
            **{letter: values[letter][k] for letter in values},
        }
        for k, (at, word) in enumerate(zip(places, words, strict=True))
    ]


def six_digits(value: Any) -> Any:
    """Return a number to six digits, or None."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.6g}") + 0.0


def join_words(words: Sequence[str]) -> str:
    """Join words as in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
