"""A matplotlib axis in words: its label, values as its ticks would write them, and its ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter

from aligntax.analysis.summaries.words import format_compact

if TYPE_CHECKING:
    from numpy.typing import NDArray


YEARS = (1900.0, 2300.0)  # an unlabelled axis between them shows years
SLACK = 1e-6  # of an axis's length, by which a value beyond its end still counts as on it
CLOSE = 0.01  # relative error of words that still only repeat the number


@dataclass(frozen=True)
class Scale:
    """One axis.

    Attributes
    ----------
    label : str
    numbers : str
        How the numbers behind its words relate to the label: empty if they are the same, else
        ``log10`` or "number on the axis".
    low, high : float
        Its ends.
    spell : callable or None
        Returns the words of a value, if ticks are not plain numbers.
    named : bool
        Whether it shows names, so that its numbers mean nothing.
    """

    label: str
    numbers: str
    low: float
    high: float
    spell: Callable[[float], str] | None
    named: bool

    def holds(self, values: Any) -> "NDArray[np.bool_]":
        """Return which values lie on the axis."""
        slack = SLACK * (self.high - self.low)
        values = np.asarray(values, dtype=float)
        held: NDArray[np.bool_] = (values >= self.low - slack) & (values <= self.high + slack)
        return held

    def cut(self, value: float) -> float | str:
        """Return a value to six digits, or on which side of the axis it lies."""
        if self.holds(value):
            return float(f"{value:.6g}") + 0.0
        return f"<{self.low:.6g}" if value < self.low else f">{self.high:.6g}"

    def words(self, values: Any) -> list[str] | None:
        """Return values as ticks would write them; None if that only repeats the numbers."""
        if self.spell is None:
            return None
        spelt = [
            "" if np.isnan(value) else self._word(float(value), self.spell) for value in values
        ]
        if all(_repeats_number(word, value) for word, value in zip(spelt, values, strict=True)):
            return None
        return spelt

    def _word(self, value: float, spell: Callable[[float], str]) -> str:
        if self.holds(value):
            return spell(value)
        return (
            f"< {spell(self.low).lstrip('< ')}"
            if value < self.low
            else f"> {spell(self.high).lstrip('> ')}"
        )


def scales(axes: Axes) -> dict[str, Scale]:
    """Return both axes of a panel, ``x`` and ``y``."""
    return {"x": _scale(axes, "x"), "y": _scale(axes, "y")}


def _scale(axes: Axes, which: str) -> Scale:
    axis = _axis(axes, which)
    low, high = sorted(float(end) for end in axis.get_view_interval())
    spell = _tick_words(axis)
    numbers = "" if spell is None or shows_names(axis) else _relation(spell, (low, high))
    return Scale(_label(axes, which, (low, high)), numbers, low, high, spell, shows_names(axis))


def _axis(axes: Axes, which: str) -> Axis:
    return axes.xaxis if which == "x" else axes.yaxis


def shows_names(axis: Axis) -> bool:
    """Whether the axis shows names at 0, 1, 2 and so on, not numbers."""
    formatter = axis.get_major_formatter()
    if not (
        isinstance(axis.get_major_locator(), FixedLocator) and isinstance(formatter, FuncFormatter)
    ):
        return False
    places = list(axis.get_majorticklocs())
    return bool(places) and places == list(range(len(places))) and not formatter(0.5)


def _label(axes: Axes, which: str, ends: tuple[float, float]) -> str:
    """Return the label, or that of a panel sharing the axis, or what the panel implies."""
    shared = axes.get_shared_x_axes() if which == "x" else axes.get_shared_y_axes()
    for panel in (axes, *shared.get_siblings(axes)):
        text = _axis(panel, which).get_label_text()
        if text:
            return text
    if shows_names(_axis(axes, which)):
        return "column" if which == "x" else "row"
    if YEARS[0] <= ends[0] and ends[1] <= YEARS[1]:
        return "year"
    bare = not axes.get_ylabel() and not len(axes.get_yticks())
    if bare and axes.get_ylim()[0] == 0:  # a density of what the title names
        return "height" if which == "y" else axes.get_title() or which
    return which


def _tick_words(axis: Axis) -> Callable[[float], str] | None:
    formatter = axis.get_major_formatter()
    if not isinstance(formatter, FuncFormatter):
        return None
    known = {float(place): word for place in axis.get_majorticklocs() if (word := formatter(place))}
    if shows_names(axis):
        return lambda value: known[min(known, key=lambda place: abs(place - value))]
    return lambda value: formatter(value) or _words_between(value, known)


def _words_between(value: float, known: Mapping[float, str]) -> str:
    """Return words of a value between ticks, from the words of its neighbours."""
    below = [word for place, word in known.items() if place <= value][-1:]
    above = [word for place, word in known.items() if place > value][:1]
    if below and above:
        return f"{below[0]} to {above[0]}"
    return f"> {below[0]}" if below else f"< {above[0]}" if above else f"{value:.4g}"


def _relation(spell: Callable[[float], str], ends: tuple[float, float]) -> str:
    """Return how numbers relate to the words of ticks: empty, ``log10`` or "number on the axis"."""
    places = [float(v) for v in np.linspace(*ends, 3)]
    if max(map(abs, places)) < 300 and all(
        spell(v) in (format_compact(10.0**v), f"{format_compact(100 * 10.0**v)}%") for v in places
    ):
        return "log10"
    plain = all(
        spell(v) == f"{100 * v:.0f}%" or _repeats_number(spell(v).rstrip("%"), v) for v in places
    )
    return "" if plain else "number on the axis"


def _repeats_number(word: str, value: float) -> bool:
    try:
        return abs(float(word) - value) <= CLOSE * abs(value)
    except ValueError:
        return word == "" and bool(np.isnan(value))
