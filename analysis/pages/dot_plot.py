"""Quantile dot plots: twenty dots that are equally likely, to be counted by eye [1]_.

Dot ``i`` of twenty stands at the ``(i + 1/2) / 20`` quantile of the draws that define the quantity.
Dots fall into columns and are stacked. What lies beyond every number has a column of its own beside
the axis, with its words.

References
----------
.. [1] Kay, Kola, Hullman, Munson, "When (ish) is my bus?", 2016. doi:10.1145/2858036.2858558
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.figures.style import round_ticks
from aligntax.analysis.summaries.summary import weighted_points
from aligntax.analysis.summaries.words import format_amount, tick_label, words_above, words_below
from aligntax.models.priors.quantities import Quantity

DOTS = 20
COLUMNS = 18  # of the axis
STEP = 15.0  # from dot to dot, in the units of the picture
RADIUS = 6.2
GAP = 0.9 * STEP  # between the axis and a column beside it
FOOT = 22.0  # below the axis, for its labels
LARGEST_PLAIN = 6  # power of ten of a multiple that is written out: 10,000x
NARROWEST = 1e-9  # an axis of one value has some width


@dataclass(frozen=True)
class Dot:
    """A dot: its centre, and whether it is drawn hollow."""

    x: float
    y: float
    hollow: bool


@dataclass(frozen=True)
class Label:
    """Words below the axis; ``anchor`` is start, middle or end."""

    x: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class DotPlot:
    """Twenty dots and an axis, in units of a picture of ``width`` times ``height``.

    Attributes
    ----------
    start, end : float
        Of the axis.
    mark : float or None
        Where a vertical line divides hollow dots from full ones.
    words : str
        What the picture shows, for those who do not see it.
    """

    width: float
    height: float
    start: float
    end: float
    dots: tuple[Dot, ...]
    labels: tuple[Label, ...]
    mark: float | None
    words: str

    @property
    def base(self) -> float:
        """Height of the axis from the top."""
        return self.height - FOOT


def equally_likely(values: Any, weights: Any, count: int = DOTS) -> list[float]:
    """Values that stand for equal shares of the draws that define them; may be infinite.

    Parameters
    ----------
    values, weights : ndarray, shape (chain, draw)
    count : int
    """
    return weighted_points(values, weights, [(i + 0.5) / count for i in range(count)])


def dot_plot(
    values: Any, weights: Any, quantity: Quantity, horizon: float, least: float | None = None
) -> DotPlot:
    """Quantile dot plot of the draws of a quantity.

    Parameters
    ----------
    values, weights : ndarray, shape (chain, draw)
        NaN where undefined, infinite where censored.
    quantity : Quantity
    horizon : float
        Decimal year beyond which nothing is counted.
    least : float, optional
        On the quantity's own scale; dots below it are hollow.
    """
    places = equally_likely(values, weights)
    finite = [place for place in places if np.isfinite(place)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if least is not None:
        low, high = min(low, least), max(high, least)
    span = max(high - low, NARROWEST)
    below, above = (sum(place == end for place in places) for end in (-np.inf, np.inf))
    start = STEP + (STEP + GAP if below else 0.0)
    end = start + (COLUMNS - 1) * STEP
    column = [round((place - low) / span * (COLUMNS - 1)) for place in finite]
    xs = [start + STEP * place for place in column]
    xs = [start - STEP - GAP] * below + xs + [end + STEP + GAP] * above
    hollow = [not np.isfinite(place) if least is None else not place >= least for place in places]
    tallest = max(Counter(xs).values())
    height, seen = tallest * STEP + FOOT + 4.0, Counter[float]()
    dots = []
    for x, empty in zip(xs, hollow, strict=True):
        seen[x] += 1
        dots.append(Dot(round(x, 2), round(height - FOOT - (seen[x] - 0.5) * STEP, 2), empty))
    scale = (end - start) / span
    ticks = [
        Label(round(start + (at - low) * scale, 1), _tick(at, quantity))
        for at in _ticks(low, high, quantity)
    ]
    if below:
        ticks.insert(0, Label(0.0, "none", "start"))
    if above:
        ticks.append(
            Label(end + 2 * STEP + GAP, "never" if quantity.unit == "year" else "beyond", "end")
        )
    return DotPlot(
        width=end + STEP + (STEP + GAP if above else 0.0),
        height=height,
        start=start - 0.5 * STEP,
        end=end + 0.5 * STEP,
        dots=tuple(dots),
        labels=tuple(_apart(ticks)),
        mark=None if least is None else round(start + (least - low) * scale, 2),
        words=_words(places, quantity, horizon),
    )


def _ticks(low: float, high: float, quantity: Quantity) -> list[float]:
    if quantity.scale == "log10":
        return round_ticks(low, high, 4)
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if (high - low) / s <= 4), 100)
    return [float(at) for at in np.arange(np.ceil(low / step) * step, high + 1e-9, step)]


def _tick(value: float, quantity: Quantity) -> str:
    if quantity.unit == "x" and quantity.scale == "log10" and abs(value) < LARGEST_PLAIN:
        return f"{10.0**value:,.10g}x"
    return tick_label(value, quantity)


def _apart(labels: list[Label]) -> list[Label]:
    """Labels that do not run into one another; those of the outer columns stay."""
    wide = 6.4  # of a letter
    kept = [label for label in labels if label.anchor != "middle"]
    for label in labels:
        if label.anchor == "middle" and all(
            abs(label.x - other.x)
            > wide
            * (len(label.text) / 2 + len(other.text) / (2 if other.anchor == "middle" else 1))
            for other in kept
        ):
            kept.append(label)
    return sorted(kept, key=lambda label: label.x)


def _words(places: list[float], quantity: Quantity, horizon: float) -> str:
    finite = [format_amount(place, quantity) for place in places if np.isfinite(place)]
    parts = [f"{len(finite)} of {len(places)} from {finite[0]} to {finite[-1]}"] if finite else []
    for end, words in ((np.inf, words_above), (-np.inf, words_below)):
        if count := sum(place == end for place in places):
            parts.append(f"{count} {words(quantity, horizon)}")
    return f"{len(places)} equally likely values of {quantity.label}: {', '.join(parts)}"
